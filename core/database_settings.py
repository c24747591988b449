"""The settings of the connections to a PostgreSQL that several hosts share."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field
from sqlalchemy import make_url

from core.errors import SettingsInvalid


class DatabaseSettings(BaseModel):
    """How many connections a process holds, how long a statement may take, who we are there."""

    database_password_file: Annotated[
        str,
        Field(description="File that holds the password of PostgreSQL, which database_url omits."),
    ] = ""
    database_pool_size: Annotated[
        int, Field(ge=1, description="Connections to PostgreSQL that a process keeps open.")
    ] = 5
    database_pool_overflow: Annotated[
        int,
        Field(ge=0, description="Further ones it opens where those are in use, and closes again."),
    ] = 10
    database_statement_seconds: Annotated[
        float,
        Field(
            ge=0,
            description="Longest statement of `serve` and `receive` on PostgreSQL; 0: no limit.",
        ),
    ] = 60.0

    def with_password(self, url: str) -> str:
        """Return a database URL with the password of `database_password_file`, if it is set.

        Raises
        ------
        SettingsInvalid
            If the file cannot be read, or the URL has a password, too.
        """
        if not self.database_password_file:
            return url
        parts = make_url(url)
        if parts.password is not None:
            raise SettingsInvalid(
                "database_url holds a password and database_password_file is set: leave out one"
            )
        try:
            password = Path(self.database_password_file).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsInvalid(f"database_password_file cannot be read: {error}") from error
        return parts.set(password=password).render_as_string(hide_password=False)
