"""The settings of editions as the database has them: JSON texts by the names of the settings."""

from collections.abc import Mapping

from flask import g, has_request_context
from sqlalchemy import select

from app.database import read_connection
from app.editions.models import EditionSetting

_ALL = select(EditionSetting.name, EditionSetting.value)


def stored_settings() -> Mapping[str, str]:
    """What administrators have decided, of all editions; a setting nobody has touched is not among them.

    Read when it is first asked for during a request and kept until its end; outside a request read each time.
    """
    if not has_request_context():
        return _read()
    if "edition_settings" not in g:
        g.edition_settings = _read()
    stored: Mapping[str, str] = g.edition_settings
    return stored


def forget_stored_settings() -> None:
    """Let the request read them again, after it has changed some."""
    g.pop("edition_settings", None)


def _read() -> Mapping[str, str]:
    with read_connection() as connection:
        return {row.name: row.value for row in connection.execute(_ALL)}
