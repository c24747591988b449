"""`arcuate patients`: who is who, and corrections of that."""

import getpass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arcuate.commands.context import print_json, print_rows, settings_of
from arcuate.commands.models import AsJson

if TYPE_CHECKING:
    from core.identities.history import Correction
    from core.tables.identity_changes import IdentityChangeRow
    from core.tables.patients import PatientRow

app = typer.Typer(help="The patients, merged, corrected and looked for.", no_args_is_help=True)

_COLUMNS = ["patient_id", "issuer", "name", "birth_date", "sex", "former_ids"]
_CHANGE_COLUMNS = [
    *("id", "kind", "patient_id", "from_patient_id", "study_instance_uid", "changed_at"),
    *("changed_by", "reason", "undone_by"),
]

PatientID = Annotated[str, typer.Argument(help="Patient ID.")]
Issuer = Annotated[
    str | None, typer.Option(help="Issuer of Patient ID, where several use it; empty: none.")
]
Why = Annotated[str, typer.Option("--reason", help="Why; it stays in the history.")]
Force = Annotated[
    bool, typer.Option("--force", help="Although sex or birth date of the two differ.")
]


@app.command(name="list")
def list_known(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Beginning or part of a name, in any script.")],
    as_json: AsJson = False,
) -> None:
    """Look patients up by name; at most 500."""
    from api.rest.patient_search import PatientQuery, page_of_patients
    from arcuate.node import open_node

    with open_node(settings_of(context)).database.reading() as session:
        rows, _ = page_of_patients(session, PatientQuery(name=name, limit=500))
        shown = [_shown(session, row) for row in rows]
    print_rows(shown, _COLUMNS, as_json, nothing="There are none.")


@app.command()
def show(
    context: typer.Context, patient_id: PatientID, issuer: Issuer = None, as_json: AsJson = False
) -> None:
    """Show a patient; a Patient ID from before a merge finds who it was merged into."""
    from arcuate.node import open_node
    from core.patients import find_patient

    with open_node(settings_of(context)).database.reading() as session:
        shown = _shown(session, find_patient(session, patient_id, issuer))
    print_rows([shown], _COLUMNS, as_json)


@app.command()
def merge(
    context: typer.Context,
    former: Annotated[str, typer.Argument(metavar="FROM", help="Patient ID that is given up.")],
    into: Annotated[str, typer.Argument(metavar="INTO", help="Patient ID that stays.")],
    reason: Why,
    from_issuer: Issuer = None,
    into_issuer: Issuer = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Make one patient of two: everything of FROM is given to INTO."""
    from arcuate.node import open_node
    from core.identities.merging import merge_patients
    from core.patients import find_patient

    with open_node(settings_of(context)).database.transaction() as session:
        one = find_patient(session, former, from_issuer)
        other = find_patient(session, into, into_issuer)
        if not as_json:
            # Before anything is done, and where it is refused: people look at both.
            print_rows([_shown(session, one), _shown(session, other)], _COLUMNS, as_json=False)
        row = merge_patients(session, one, other, _by(reason), force=force)
        told = _told(session, row)
    _say(told, as_json, f"{told['studies']} studies followed; undo with")


@app.command(name="move-study")
def move(
    context: typer.Context,
    study_uid: Annotated[str, typer.Argument(help="Study Instance UID.")],
    to: Annotated[str, typer.Option(help="Patient ID of whose it is.")],
    reason: Why,
    issuer: Issuer = None,
    create: Annotated[
        bool,
        typer.Option("--create", help="Make the patient, named as now, where there is none."),
    ] = False,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Give a study, with its results and reports, to another patient."""
    from arcuate.node import open_node
    from core.errors import RecordNotFound
    from core.identities.moving import move_study
    from core.identities.targets import target_patient
    from dicom_node.storage.search import find_study

    with open_node(settings_of(context)).database.transaction() as session:
        study = find_study(session, study_uid)
        if study is None:
            raise RecordNotFound("There is no study with that Study Instance UID")
        patient = target_patient(session, study, to, issuer, create)
        told = _told(session, move_study(session, study, patient, _by(reason), force=force))
    _say(told, as_json, "The study is moved; undo with")


@app.command()
def history(
    context: typer.Context, patient_id: PatientID, issuer: Issuer = None, as_json: AsJson = False
) -> None:
    """Show what was corrected about who a patient is, the newest first."""
    from sqlmodel import col, select

    from arcuate.node import open_node
    from core.identities.history import of_patient
    from core.patients import find_patient
    from core.tables.columns import key_of
    from core.tables.identity_changes import IdentityChangeRow

    with open_node(settings_of(context)).database.reading() as session:
        key = key_of(find_patient(session, patient_id, issuer))
        statement = select(IdentityChangeRow).where(of_patient(key))
        rows = session.exec(statement.order_by(col(IdentityChangeRow.id).desc())).all()
        told = [_told(session, row) for row in rows]
    print_rows(told, _CHANGE_COLUMNS, as_json, nothing="Nothing was corrected.")


@app.command()
def undo(
    context: typer.Context,
    change: Annotated[int, typer.Argument(min=1, help="Number of the change, as in `history`.")],
    reason: Why,
    as_json: AsJson = False,
) -> None:
    """Take a merge, a move or a correction back."""
    from arcuate.node import open_node
    from core.identities.undoing import undo as take_back

    with open_node(settings_of(context)).database.transaction() as session:
        told = _told(session, take_back(session, change, _by(reason)))
    _say(told, as_json, "It is taken back")


def _by(reason: str) -> "Correction":
    from core.clock import utc_now
    from core.identities.history import Correction
    from core.tables.identity_changes import ChangeSource

    if not reason.strip():
        raise typer.BadParameter("--reason says why, for those who read the history")
    who = f"{getpass.getuser()} at the command line"
    return Correction(reason.strip(), who, ChangeSource.PERSON, utc_now())


def _shown(session: Any, row: "PatientRow") -> dict[str, Any]:
    from core.patients import former_identities
    from core.tables.columns import key_of

    former = former_identities(session, key_of(row))
    shown = {name: getattr(row, name) for name in _COLUMNS[:-1]}
    return {**shown, "former_ids": " ".join(one.patient_id for one in former)}


def _told(session: Any, row: "IdentityChangeRow") -> dict[str, Any]:
    from core.identities.history import undone
    from core.tables.columns import key_of
    from core.tables.patients import PatientRow
    from core.tables.studies import StudyRow

    former = row.from_patient_key and session.get_one(PatientRow, row.from_patient_key).patient_id
    study = row.study_key and session.get_one(StudyRow, row.study_key).study_instance_uid
    return {
        "id": row.id,
        "kind": row.kind,
        "patient_id": session.get_one(PatientRow, row.patient_key).patient_id,
        "from_patient_id": former,
        "study_instance_uid": study,
        "studies": len(row.details.get("studies", ())),
        "changed_at": row.changed_at,
        "changed_by": row.changed_by,
        "reason": row.reason,
        "undone_by": undone(session, [key_of(row)]).get(key_of(row)),
    }


def _say(told: dict[str, Any], as_json: bool, sentence: str) -> None:
    if as_json:
        print_json(told)
        return
    ending = f" `arcuate patients undo {told['id']} --reason …`" if "undo" in sentence else ""
    typer.echo(f"{sentence}{ending}.")
