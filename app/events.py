"""Events: what has happened, told to editions once it is in the database.

A service announces an event inside the transaction that makes it true. ``write_transaction`` hands it on after the
commit, so that nobody hears of what was rolled back, and a listener that fails undoes nothing.
"""

from dataclasses import dataclass

from sqlalchemy.orm import Session

_ANNOUNCED = "timetracker_events"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that has happened. Subclasses are frozen dataclasses; editions may have events of their own."""


@dataclass(frozen=True, slots=True)
class UserAdded(Event):
    """A user was added, and takes a seat."""

    user_id: int
    login: str


@dataclass(frozen=True, slots=True)
class UserChanged(Event):
    """Login, name, email, language, time zone or permissions of a user were changed."""

    user_id: int
    login: str


@dataclass(frozen=True, slots=True)
class UserDeleted(Event):
    """A user was deleted: their seat is free and their sessions have ended; the row and all records stay."""

    user_id: int
    login: str


@dataclass(frozen=True, slots=True)
class UserRestored(Event):
    """A deleted user was restored, and takes a seat again."""

    user_id: int
    login: str


@dataclass(frozen=True, slots=True)
class LicenseRegistered(Event):
    """A license key was registered; its license may start later."""

    number: str
    """License number, the key's ``jti``."""
    edition: str
    """Name of the edition that it licenses."""


@dataclass(frozen=True, slots=True)
class SettingsChanged(Event):
    """An administrator changed settings of an edition."""

    edition: str
    """Name of the edition."""


def announce(session: Session, event: Event) -> None:
    """Tell the listeners of ``event`` once the transaction of ``session`` is committed; never, if it is not."""
    session.info.setdefault(_ANNOUNCED, []).append(event)


def take_announced(session: Session) -> tuple[Event, ...]:
    """The events that were announced on ``session`` since this was last asked for, in their order."""
    return tuple(session.info.pop(_ANNOUNCED, ()))
