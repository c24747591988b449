"""What the databases find is what PS3.4 C.2.2.2 says, written down once more in plain Python."""

import re
import unicodedata
from contextlib import suppress
from datetime import date, timedelta

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from core.clock import utc_now
from core.database import Database
from core.tables.columns import table_of
from core.tables.patients import PatientRow
from core.tables.studies import StudyRow
from core.values.person_name import FoldedName
from dicom_node.errors import MatchingKeyInvalid
from dicom_node.storage.query.attribute import ATTRIBUTES
from dicom_node.storage.query.finding import find
from dicom_node.storage.query.level import Level
from dicom_node.storage.query.match import Match
from dicom_node.storage.query.parsing import parse_key
from dicom_node.storage.query.query import Query

EXAMPLES = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
IDS = ["a", "A", "ab", "aB", "a_b", "a%b", "a[b]", "[a]", "a b", "ä", "Ä", "a-b", "%", "_", "100%"]
NAMES = [
    "Doe^John",
    "DOE^JANE^^Dr",
    "Doe",
    "doe^",
    "Döring^J",
    "Strauss^A",
    "Strauß^B",
    "Yamada^Tarou=山田^太郎=やまだ^たろう",
    "=山田^次郎",
    "O'Neil^[X]",
    "100%^_",
    "",
    "Van  der Doe^ John ",
    "^John",
]
DAYS = [None, *(date(2024, 2, 27) + timedelta(days=n) for n in range(6))]
TIMES = ["", "00", "10", "1030", "103000", "103000.5", "103001", "103059.999999", "2359", "235959"]

PATTERNS = st.text(alphabet="aAbBdoejJ%_[]^*?ä山田 =", max_size=6)


def rows() -> list[dict[str, object]]:
    return [
        {"id": n + 1, "patient_id": IDS[n % len(IDS)], "issuer": str(n), "name": name,
         "name_alphabetic": folded.alphabetic, "name_ideographic": folded.ideographic,
         "name_phonetic": folded.phonetic}
        for n, name in enumerate(NAMES + [""] * len(IDS))
        for folded in [FoldedName.of(name)]
    ]  # fmt: skip


def fill_patients(database: Database) -> None:
    with database.transaction() as session:
        session.execute(insert(table_of(PatientRow)), rows())


def fill_studies(database: Database) -> list[tuple[int, date | None, str]]:
    studies = [(day, time) for day in DAYS for time in TIMES]
    with database.transaction() as session:
        session.execute(insert(table_of(PatientRow)), [{"id": 1, "patient_id": "P1"}])
        session.execute(
            insert(table_of(StudyRow)),
            [
                {"id": n, "patient_key": 1, "study_instance_uid": f"1.{n}", "study_date": day,
                 "study_time": time, "received_at": utc_now()}
                for n, (day, time) in enumerate(studies, 1)
            ],
        )  # fmt: skip
    return [(n, day, time) for n, (day, time) in enumerate(studies, 1)]


def parsed(keyword: str, text: str) -> Match | None:
    return parse_key(keyword, ATTRIBUTES[keyword].vr, text.split("\\"))


def found(database: Database, level: Level, combined: bool = False, **keys: str) -> set[int]:
    matches = {k: match for k, text in keys.items() if (match := parsed(k, text)) is not None}
    query = Query(level, matches, maximum=1000, combines_days_and_times=combined)
    return set(find(database, query).keys)


def is_like(text: str, pattern: str) -> bool:
    words = re.split(r"([*?])", pattern)
    form = "".join({"*": ".*", "?": "."}.get(word, re.escape(word)) for word in words)
    return re.fullmatch(form, text, re.DOTALL) is not None


def test_text_matching(database: Database) -> None:
    fill_patients(database)

    @EXAMPLES
    @given(value=PATTERNS)
    @example("*a*a*a*a*a*a*a*a*b")
    def check(value: str) -> None:
        wanted = value.strip(" ")
        expected = {
            row["id"]
            for row in rows()
            if not wanted.strip("*") or is_like(str(row["patient_id"]), wanted)
        }

        assert found(database, Level.PATIENT, PatientID=value) == expected

    check()


def folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def has_name(name: str, wanted: str) -> bool:
    groups = wanted.split("=")[:3]
    if all(not group.strip(" ^") or set(tidy(group)) == {"*"} for group in groups):
        return True
    kept = [*name.split("="), "", "", ""][:3]
    if len(groups) == 1:
        return any(group_matches(one, groups[0]) for one in kept)
    asked = [(one, group) for one, group in zip(kept, groups, strict=False) if group.strip(" ^")]
    return all(group_matches(one, group) for one, group in asked if set(group) != {"*"})


def tidy(group: str) -> str:
    parts = [re.sub(" +", " ", part).strip(" ") for part in folded(group).split("^")]
    return "^".join(parts).rstrip("^")


def group_matches(group: str, pattern: str) -> bool:
    text, form = tidy(group), tidy(pattern)
    if not text:
        return False
    forms = [form]
    while form.endswith("^*"):
        form = form.removesuffix("^*").rstrip("^")
        forms.append(form)
    return any(is_like(text, one) for one in forms if one)


def test_name_matching(database: Database) -> None:
    fill_patients(database)

    @EXAMPLES
    @given(value=PATTERNS)
    @example("doe^*")
    @example("DOE")
    @example("STRAUSS*")
    @example("山田*")
    @example("=山田^太郎")
    @example("?oe^j???")
    def check(value: str) -> None:
        expected = {row["id"] for row in rows() if has_name(str(row["name"]), value)}

        assert found(database, Level.PATIENT, PatientName=value) == expected

    check()


def instant(time: str, filler: str) -> str:
    whole, _, fraction = time.partition(".")
    digits = whole if fraction or len(whole) == 6 else whole.ljust(6, filler)
    return f"{digits}{fraction.ljust(6, filler)}"


RANGES = st.tuples(st.sampled_from(TIMES), st.sampled_from(TIMES))
DAY_RANGES = st.tuples(st.sampled_from(DAYS), st.sampled_from(DAYS))


def text_of(first: str, last: str) -> str:
    return f"{first}-{last}" if first or last else ""


def test_day_and_time_matching(database: Database) -> None:
    studies = fill_studies(database)

    @EXAMPLES
    @given(days=DAY_RANGES, times=RANGES, combined=st.booleans())
    def check(
        days: tuple[date | None, date | None], times: tuple[str, str], combined: bool
    ) -> None:
        day_text = text_of(*(f"{day:%Y%m%d}" if day else "" for day in days))
        keys = {"StudyDate": day_text, "StudyTime": text_of(*times)}
        is_one = combined and any(days) and any(times) and days[0] != days[1]
        rule = in_moments if is_one else in_both
        expected = {n for n, day, time in studies if rule(day, time, days, times)}

        assert found(database, Level.STUDY, combined, **keys) == expected

    check()


def in_days(day: date | None, days: tuple[date | None, date | None]) -> bool:
    if not any(days):
        return True
    return day is not None and (days[0] or day) <= day <= (days[1] or day)


def in_times(time: str, times: tuple[str, str]) -> bool:
    if not any(times):
        return True
    early = not times[0] or instant(time, "0") >= instant(times[0], "0")
    late = not times[1] or instant(time, "0") <= instant(times[1], "9")
    return bool(time) and early and late


def in_both(
    day: date | None, time: str, days: tuple[date | None, date | None], times: tuple[str, str]
) -> bool:
    return in_days(day, days) and in_times(time, times)


def in_moments(
    day: date | None, time: str, days: tuple[date | None, date | None], times: tuple[str, str]
) -> bool:
    if not in_days(day, days):
        return False
    first = day != days[0] or in_times(time, (times[0], ""))
    last = day != days[1] or in_times(time, ("", times[1]))
    return first and last


@given(value=st.text(max_size=80), vr=st.sampled_from(["UI", "LO", "PN", "DA", "TM", "IS", "CS"]))
def test_any_text_is_understood_or_refused(value: str, vr: str) -> None:
    with suppress(MatchingKeyInvalid):
        parse_key("Keyword", vr, value.split("\\"))
