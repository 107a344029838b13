"""What every request must know about the installation, read in one statement."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app, g
from sqlalchemy import ColumnElement, Row, select

from app.config import Settings
from app.database import read_connection
from app.license.models import SeatCount
from app.settings.models import INSTALLATION_ROW, Installation


@dataclass(frozen=True, slots=True)
class InstallationState:
    """The installation at one instant: all of it comes from one snapshot."""

    identifier: str
    license_revision: int
    registered_users: int
    time_zone: ZoneInfo
    """Zone of license dates: ``TIMETRACKER_TIME_ZONE`` where it is set, else the one of System Settings."""
    language: str


STATE_COLUMNS: tuple[ColumnElement[object], ...] = (
    Installation.identifier.label("installation"),  # type: ignore[assignment]  # labels of typed columns
    Installation.license_revision.label("license_revision"),
    SeatCount.registered_users.label("registered_users"),
    Installation.time_zone.label("installation_zone"),
    Installation.language.label("installation_language"),
)
INSTALLATION_JOIN = Installation.id == INSTALLATION_ROW
"""To be joined on with whatever else a statement reads: it is one row."""
SEAT_COUNT_JOIN = SeatCount.id == Installation.id


def state_from_row(row: Row[*tuple[Any, ...]]) -> InstallationState:
    """Make the state from a row that holds ``STATE_COLUMNS``."""
    settings: Settings = current_app.extensions["settings"]
    return InstallationState(
        identifier=row.installation,
        license_revision=row.license_revision,
        registered_users=row.registered_users,
        time_zone=settings.time_zone or ZoneInfo(row.installation_zone),
        language=row.installation_language,
    )


_STATE = select(*STATE_COLUMNS).select_from(Installation).join(SeatCount, SEAT_COUNT_JOIN).where(INSTALLATION_JOIN)


def read_state() -> InstallationState:
    """Read the state anew, for the log-in page, the CLI and whoever has no session."""
    with read_connection() as connection:
        row = connection.execute(_STATE).one()
    return state_from_row(row)


def current_state() -> InstallationState:
    """The state as this request's gate read it, else read now and kept for the request."""
    if "installation_state" not in g:
        g.installation_state = read_state()
    state: InstallationState = g.installation_state
    return state
