"""The values in which an edition declares what it brings. Authors import them from ``app.sdk``.

Texts are marked with ``N_`` where they are declared, and translated with the edition's own catalogue where they are
shown.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.events import Event

_Event = TypeVar("_Event", bound=Event)


@dataclass(frozen=True, slots=True)
class Feature:
    """A named capability that pages ask for; whether it is licensed is decided at each request."""

    name: str
    """Two slugs joined by a dot, such as ``timesheet.start``; license keys may name it, so it never changes."""
    title: str
    """What people call it; a text marked with ``N_``."""
    description: str = ""
    """One sentence on what it is good for; a text marked with ``N_``."""


@dataclass(frozen=True, slots=True)
class Permission:
    """What administrators grant to single users on System Settings → Users; they themselves hold every one."""

    name: str
    """The name of the edition and a slug joined by a dot, such as ``standard.read_reports``; it never changes."""
    title: str
    """What people call it; a text marked with ``N_``."""
    description: str = ""
    """One sentence on what its holders can do; a text marked with ``N_``."""


@dataclass(frozen=True, slots=True)
class AuditAction:
    """Something that the edition records with ``record_audit``, as the page Audit log names and filters it."""

    name: str
    """``thing.verb``, the ``action`` of its ``AuditEvent``; entries hold it, so it never changes."""
    title: str
    """What was done, such as ``Correct hours``; a text marked with ``N_``."""


@dataclass(frozen=True, slots=True)
class Card:
    """A card of the dashboard, which the start page shows. One that raises leaves the others standing."""

    name: str
    """A slug of its own within the edition, such as ``my_week``."""
    title: str
    """Its heading; a text marked with ``N_``."""
    view: Callable[[], str]
    """Returns what stands below the heading; an empty text shows no card.

    HTML is what ``render_template`` of ``app.sdk`` returns; any other text is shown as it is written, ``<`` included.
    """
    feature: str
    """The feature without which it is not shown."""
    permission: str | None = None
    """A permission without which it is not shown; None shows it to everybody."""
    wide: bool = False
    """Whether it takes the whole width of the page."""


@dataclass(frozen=True, slots=True)
class SlotContent:
    """Something that an edition adds to a page of the core or of another edition, at a place named in ``SLOTS``."""

    slot: str
    """Name of the slot, such as ``user.detail``."""
    view: Callable[..., str]
    """Returns what is added, called with what the slot gives as keyword arguments; an empty text adds nothing.

    HTML is what ``render_template`` of ``app.sdk`` returns; any other text is shown as it is written, ``<`` included.
    """
    feature: str
    """The feature without which it is not shown."""
    permission: str | None = None
    """A permission without which it is not shown; None shows it to everybody."""


@dataclass(frozen=True, slots=True)
class Listener(Generic[_Event]):
    """A function that is called after something has happened, once what happened is in the database.

    It is called whether or not a feature is licensed, so that an edition's data never falls behind. What it raises is
    logged and shown to administrators, and changes nothing for whoever caused the event.
    """

    event: type[_Event]
    """The kind of event; its subclasses are not heard."""
    handler: Callable[[_Event], None]
    """Called with the event, outside any transaction."""
