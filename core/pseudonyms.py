"""Pseudonyms: names for patients, results and objects that only this node can trace back.

Each is an HMAC-SHA-256 of what it stands for, keyed with a secret of this node and the name of the
project. The same patient has the same pseudonym in a project for ever, and another one in another
project, so that what two projects were given cannot be joined.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final, TypeVar
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlmodel import Session

from core.clock import utc_now
from core.database import Database
from core.identities.continuing import Named, first_names
from core.tables.columns import UtcDateTime
from core.tables.pseudonym_secrets import PseudonymSecretRow
from core.values.identity import PatientIdentity

#: The key of the one row.
_ONLY: Final = 1
_SECRET_BYTES: Final = 32
#: 80 bits: among a million patients two share a pseudonym with a chance of 1 in 2 × 10¹².
_PSEUDONYM_BYTES: Final = 10
#: Dates move back by one to ten years: never into the future, never by so little that a season or
#: the year still tells.
_SHIFT_DAYS: Final = (365, 3650)
#: Ages above this are given as this: so old are so few that the age names them.
OLDEST_AGE_YEARS: Final = 90

_Day = TypeVar("_Day", date, datetime)


class Pseudonyms:
    """The pseudonyms of one project.

    Parameters
    ----------
    secret
        This node's secret.
    project
        Its name; another one gives other pseudonyms.
    first_names
        Patient ID and issuer under which records began whose Patient ID was corrected: they keep
        the pseudonym of those.
    """

    def __init__(
        self, secret: bytes, project: str, first_names: Mapping[Named, Named] | None = None
    ) -> None:
        self.project = project
        self._first_names = first_names or {}
        self._key = hmac.digest(secret, f"project:{project}".encode(), hashlib.sha256)

    def patient(self, patient: PatientIdentity) -> str:
        """Return the pseudonym of a patient, `P-` and 16 characters."""
        return f"P-{self._short('patient', *self._names_of(patient))}"

    def result(self, prediction_id: str) -> str:
        """Return the pseudonym of a result, `E-` (estimate) and 16 characters."""
        return f"E-{self._short('result', prediction_id)}"

    def uid(self, uid: str) -> str:
        """Return the UID that stands for another one, below 2.25 (PS3.5 B.2)."""
        return f"2.25.{UUID(bytes=self.digest('uid', uid)[:16], version=5).int}"

    def days_back(self, patient: PatientIdentity) -> int:
        """Return how many days every date of a patient moves back; intervals stay as they are."""
        first, last = _SHIFT_DAYS
        number = int.from_bytes(self.digest("days", *self._names_of(patient))[:8], "big")
        return first + number % (last - first + 1)

    def digest(self, kind: str, *parts: str) -> bytes:
        """Return 32 bytes that stand for `parts`, and for nothing else of any kind."""
        # With their lengths: "ab" and "c" must not be "a" and "bc".
        message = b"".join(f"{len(part)}:{part};".encode("utf-8", "replace") for part in parts)
        return hmac.digest(self._key, kind.encode() + b"\0" + message, hashlib.sha256)

    def _names_of(self, patient: PatientIdentity) -> Named:
        named = patient.patient_id, patient.issuer or ""
        return self._first_names.get(named, named)

    def _short(self, kind: str, *parts: str) -> str:
        return base64.b32encode(self.digest(kind, *parts)[:_PSEUDONYM_BYTES]).decode()


def pseudonyms_of(database: Database, project: str) -> Pseudonyms:
    """Return the pseudonyms of a project; the first call ever makes this node's secret.

    Raises
    ------
    DatabaseAway
        If the database does not answer.
    """
    with database.reading() as session:
        row = session.get(PseudonymSecretRow, _ONLY)
        names = first_names(session)
    if row is None:
        with database.transaction() as session:
            row = _make_secret(session)
    return Pseudonyms(bytes.fromhex(row.secret), project, names)


def shifted(day: _Day, days_back: int) -> _Day | None:
    """Return a date or moment that many days earlier, None where the calendar does not reach."""
    try:
        return day - timedelta(days=days_back)
    except OverflowError:
        return None


def capped_age_years(age_years: float | None) -> int | None:
    """Return an age in whole years, at most `OLDEST_AGE_YEARS`; None where it is unknown."""
    return None if age_years is None else min(int(age_years), OLDEST_AGE_YEARS)


def _make_secret(session: Session) -> PseudonymSecretRow:
    # Of two hosts that come at once one makes it, and both read that one.
    statement = text(
        "INSERT INTO pseudonym_secrets (id, secret, created_at) VALUES (:id, :secret, :at) "
        "ON CONFLICT DO NOTHING"
    ).bindparams(
        bindparam("id", _ONLY),
        bindparam("secret", secrets.token_hex(_SECRET_BYTES)),
        bindparam("at", utc_now(), UtcDateTime),
    )
    session.execute(statement)
    return session.get_one(PseudonymSecretRow, _ONLY)
