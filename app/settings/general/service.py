"""Time zone and default language of the installation."""

import os
from dataclasses import dataclass
from enum import StrEnum

from flask import current_app
from sqlalchemy import select

from app.audit import Event, record
from app.auth.acting import administrator_transaction
from app.config import PREFIX, Settings
from app.database import read_connection
from app.settings.models import INSTALLATION_ROW, Installation


class ZoneSource(StrEnum):
    """Where the installation's time zone comes from."""

    SYSTEM_SETTINGS = "system_settings"
    """The database; an administrator changes it on this page."""
    ENVIRONMENT = "environment"
    """The variable ``TIMETRACKER_TIME_ZONE``."""
    FILE = "file"
    """``TIME_ZONE`` in ``config.toml``."""


@dataclass(frozen=True, slots=True)
class General:
    """What is decided for all."""

    time_zone: str
    """Name of the zone in the database; it does not count where a setting decides."""
    language: str
    """Code of the language for whoever has chosen none and whose browser asks for none that there is."""


def zone_source() -> ZoneSource:
    """Where the zone comes from that license dates are shown in."""
    settings: Settings = current_app.extensions["settings"]
    if settings.time_zone is None:
        return ZoneSource.SYSTEM_SETTINGS
    return ZoneSource.ENVIRONMENT if f"{PREFIX}TIME_ZONE" in os.environ else ZoneSource.FILE


def read_general() -> General:
    """What is decided now."""
    query = select(Installation.time_zone, Installation.language).where(Installation.id == INSTALLATION_ROW)
    with read_connection() as connection:
        return General(*connection.execute(query).one())


def change_general(*, time_zone: str | None, language: str) -> bool:
    """Decide anew; returns whether anything has changed.

    Args:
        time_zone: name of a zone; None leaves it as it is, as does a setting that decides it.
        language: code of a language that there is.
    """
    with administrator_transaction() as (session, _):
        installation = session.get_one(Installation, INSTALLATION_ROW)
        before = {"time_zone": installation.time_zone, "language": installation.language}
        if time_zone is not None and zone_source() is ZoneSource.SYSTEM_SETTINGS:
            installation.time_zone = time_zone
        installation.language = language
        after = {"time_zone": installation.time_zone, "language": installation.language}
        if before != after:
            record(session, Event("installation.change", before=before, after=after))
    return before != after
