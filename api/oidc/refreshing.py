"""What a person of the provider may do, asked for again while their session is open.

Beside the session lies the provider's refresh token, encrypted with what only the browser's cookie
holds: a stolen database opens nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, col, delete, update

from api.errors import NotSignedIn, ProviderAway, TokenRefused
from api.oidc.code_flow import ask_for_tokens, claims_of
from api.oidc.people import roles_in
from api.oidc.provider import Provider
from api.sealed_tokens import open_token, seal_token
from core.database import Database
from core.keys import Role, role_names
from core.logs import get_logger
from core.tables.logins import BrowserSessionRow

#: How old the roles of a session may be before they are asked for again.
ROLES_LAST: Final = timedelta(hours=1)
#: And how long later, where the provider does not answer.
_TRY_AGAIN: Final = timedelta(minutes=5)
_LOG = get_logger(__name__)


@dataclass(frozen=True)
class Refresher:
    """Asks the provider for the roles of a session whose roles are old."""

    provider: Provider
    database: Database

    def is_due(self, row: BrowserSessionRow, now: datetime) -> bool:
        """Whether the roles of a session are to be asked for again."""
        read_at = row.roles_read_at
        return bool(row.refresh_token) and read_at is not None and now - read_at >= ROLES_LAST

    def roles(self, row: BrowserSessionRow, secret: str, now: datetime) -> frozenset[Role] | None:
        """Return the roles a session has from now on; None while another request asks for them.

        Where the provider does not answer it is asked again later, and the session stays as it is.

        Raises
        ------
        NotSignedIn
            If the provider vouches for its holder no more, or they have no role: it has ended.
        """
        if not self._claim(row, now):
            return None
        try:
            roles, refresh_token = self._ask(row, open_token(secret, row.refresh_token))
        except ProviderAway as away:
            if not away.is_refusal:
                _LOG.warning("roles_not_read", cause=str(away))
                self._write(row, roles_read_at=now - ROLES_LAST + _TRY_AGAIN)
                return None
            roles = frozenset()
        except TokenRefused:
            roles = frozenset()
        if not roles:
            self._end(row)
            raise NotSignedIn
        sealed = seal_token(secret, refresh_token) if refresh_token else row.refresh_token
        self._write(row, roles=role_names(roles), refresh_token=sealed)
        return roles

    def _claim(self, row: BrowserSessionRow, now: datetime) -> bool:
        """Take it on to ask: a refresh token may be good for once."""
        same = col(BrowserSessionRow.digest) == row.digest
        unread = col(BrowserSessionRow.roles_read_at) == row.roles_read_at
        with self.database.transaction() as session:
            statement = update(BrowserSessionRow).where(same, unread).values(roles_read_at=now)
            return bool(session.execute(statement).rowcount)  # type: ignore[attr-defined]

    def _ask(self, row: BrowserSessionRow, refresh_token: str) -> tuple[frozenset[Role], str]:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        tokens = ask_for_tokens(self.provider, form)
        claims = claims_of(self.provider, tokens, nonce="", subject=row.subject)
        return roles_in(claims, self.provider.settings), str(tokens.get("refresh_token", ""))

    def _write(self, row: BrowserSessionRow, **values: object) -> None:
        same = col(BrowserSessionRow.digest) == row.digest
        with self.database.transaction() as session:
            session.execute(update(BrowserSessionRow).where(same).values(**values))

    def _end(self, row: BrowserSessionRow) -> None:
        _LOG.info("session_ended_by_provider", subject=row.subject)
        with self.database.transaction() as session:
            _forget(session, row)


def _forget(session: Session, row: BrowserSessionRow) -> None:
    same = col(BrowserSessionRow.digest) == row.digest
    session.execute(delete(BrowserSessionRow).where(same))
