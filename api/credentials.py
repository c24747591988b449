"""From what a request shows to who asks: a key, an access token or a session's cookie."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from fastapi import Request
from sqlmodel import Session, col, update

from api.attempts import check_pause, note_failure
from api.caller import Caller, Proof, key_subject
from api.cookies import SESSION, read_cookie
from api.dependencies import Node
from api.door import Door, address_of
from api.errors import NotSignedIn, TokenRefused
from api.oidc.access_token import caller_with_token
from api.oidc.refreshing import Refresher
from api.sessions import find_session, session_life, touch_session
from core.clock import utc_now
from core.errors import InfrastructureError
from core.keys import KEY_PREFIX, find_key, roles_of
from core.lockouts import network_of
from core.logs import get_logger
from core.tables.keys import KeyRow
from core.tables.logins import BrowserSessionRow

#: How old what is written of a key's last use may be.
_KEY_USE_LASTS: Final = timedelta(minutes=10)
_SESSION_USE_LASTS: Final = timedelta(minutes=1)
_LOG = get_logger(__name__)


class Credentials:
    """What one request shows.

    Parameters
    ----------
    is_use
        Whether it counts as a use: looking again for an answer that goes on is none.
    """

    def __init__(self, request: Request, node: Node, door: Door, is_use: bool = True) -> None:
        self._request = request
        self._node = node
        self._door = door
        self._is_use = is_use
        self._address = address_of(request)

    def caller(self, secret: str) -> Caller:
        """Return who asks.

        Parameters
        ----------
        secret
            The key or token of the headers; empty where there is only a cookie, or nothing.

        Raises
        ------
        NotSignedIn
            If it is unknown, revoked or too old.
        AddressPaused
            If too many wrong ones came from this address.
        """
        if not secret:
            return self._with_session()
        if self._door.provider is not None and not secret.startswith(KEY_PREFIX):
            return self._with_token(secret)
        return self._with_key(secret)

    def _with_key(self, secret: str) -> Caller:
        now, network = utc_now(), network_of(self._address)
        with self._node.database.reading() as session:
            row = find_key(session, secret, now)
        # Every other one waits, right or wrong.
        if self._is_use and (row is None or row.last_used_from != network):
            check_pause(self._node, self._address)
        if row is None:
            note_failure(self._node, self._address, "key")
            raise NotSignedIn
        self._note_use_of_key(row, network, now)
        return Caller(row.name, roles_of(row.roles), Proof.KEY, key_subject(row.name))

    def _with_token(self, token: str) -> Caller:
        provider = self._door.provider
        assert provider is not None  # noqa: S101 - asked by the caller
        try:
            return caller_with_token(provider, self._node.database, token)
        except TokenRefused as refusal:
            _LOG.info("token_refused", address=self._address, cause=refusal.cause)
            if refusal.is_forged:
                check_pause(self._node, self._address)
                note_failure(self._node, self._address, "token")
            raise

    def _with_session(self) -> Caller:
        secret = read_cookie(self._request, SESSION)
        if not secret:
            raise NotSignedIn
        life = session_life(self._node.settings)
        with self._node.database.reading() as session:
            found = find_session(session, secret, life)
        if found is None:
            _LOG.info("session_refused", address=self._address)
            raise NotSignedIn
        caller, row = found
        now = utc_now()
        caller = self._with_roles_of_today(caller, row, secret, now)
        if self._is_use and now - row.seen_at > min(_SESSION_USE_LASTS, life.idle / 4):
            self._write_use(f"session {row.digest}", lambda s: touch_session(s, row, now))
        return caller

    def _with_roles_of_today(
        self, caller: Caller, row: BrowserSessionRow, secret: str, now: datetime
    ) -> Caller:
        if self._door.provider is None:
            return caller
        refresher = Refresher(self._door.provider, self._node.database)
        roles = refresher.roles(row, secret, now) if refresher.is_due(row, now) else None
        return caller if roles is None else replace(caller, roles=roles)

    def _note_use_of_key(self, row: KeyRow, network: str, now: datetime) -> None:
        is_old = row.last_used_at is None or now - row.last_used_at > _KEY_USE_LASTS
        if self._is_use and (is_old or row.last_used_from != network):
            values = {"last_used_at": now, "last_used_from": network}
            used = update(KeyRow).where(col(KeyRow.id) == row.id).values(values)
            self._write_use(f"key {row.id} {network}", lambda session: session.execute(used))

    def _write_use(self, name: str, write: Callable[[Session], object]) -> None:
        if not self._door.uses.is_due(name):
            return
        try:
            with self._node.database.transaction() as session:
                write(session)
        except InfrastructureError as error:
            # Whoever wants to read still may, on a full disk too.
            _LOG.warning("use_not_written", error=type(error).__name__)
