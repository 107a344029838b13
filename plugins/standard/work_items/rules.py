"""What a customer, project or task is, what it may be called, and how two people's changes come together. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar

from app.sdk import N_, Reason, Refusal, fold
from plugins.standard.work_items.palette import COLOURS

CODE_LENGTH = 32
NAME_LENGTH = 200


class Kind(StrEnum):
    """The three levels."""

    CUSTOMER = "customer"
    PROJECT = "project"
    TASK = "task"


@dataclass(frozen=True, slots=True)
class CustomerDetails:
    """What is typed about a customer."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class ProjectDetails:
    """What is typed about a project."""

    customer_id: int
    code: str
    name: str
    colour: str
    """One of ``palette.COLOURS``."""
    for_everybody: bool
    """Whether everybody may record hours on it, or its members alone."""


@dataclass(frozen=True, slots=True)
class TaskDetails:
    """What is typed about a task; it stays in its project, as its hours do."""

    code: str
    name: str
    billable: bool


Details = CustomerDetails | ProjectDetails | TaskDetails
_Details = TypeVar("_Details", CustomerDetails, ProjectDetails, TaskDetails)

NAME_INVALID = Reason(
    "work_item_name_invalid",
    N_("A name has 1 to %(limit)s characters, none of them a control character."),
    N_("Write another name."),
)
CODE_INVALID = Reason(
    "work_item_code_invalid",
    N_("A code has at most %(limit)s characters, none of them a control character."),
    N_("Write another code, or none."),
)
COLOUR_INVALID = Reason("work_item_colour_invalid", N_("There is no such colour."), N_("Choose one of the list."))
NAME_TAKEN = Reason(
    "work_item_name_taken",
    N_("“%(name)s” is there already."),
    N_("Write another name; case and width make no difference."),
    status=409,
)
CODE_TAKEN = Reason(
    "work_item_code_taken",
    N_("“%(name)s” has this code already."),
    N_("Write another code; case and width make no difference."),
    status=409,
)
UNKNOWN = Reason(
    "work_item_unknown",
    N_("It is not there any more: somebody has deleted it."),
    N_("Go back to the list."),
    status=404,
)
PARENT_FINISHED = Reason(
    "work_item_parent_finished",
    N_("“%(name)s” is finished, so nothing new can be added to it."),
    N_("Reopen it first."),
    status=409,
)
HAS_HOURS = Reason(
    "work_item_has_hours",
    N_("%(hours)s hours are recorded on it, so it cannot be deleted."),
    N_("Finish it instead: nobody can record new hours, and the old ones stay."),
    status=409,
)
TIMER_RUNS = Reason(
    "work_item_timer_runs",
    N_("A timer is running on it, so it cannot be deleted."),
    N_("Finish it instead, or try again once the timer is stopped."),
    status=409,
)
CHANGED_MEANWHILE = Reason(
    "work_item_changed_meanwhile",
    N_("Somebody else has changed this since you opened the page, so nothing was saved."),
    N_("Compare, and save again."),
    status=409,
)


class ChangedMeanwhile(Refusal):
    """Somebody else has changed the same as whoever is saving; nothing of it was written."""

    def __init__(self, present: Details, conflicts: frozenset[str]) -> None:
        super().__init__(CHANGED_MEANWHILE)
        self.present = present
        """How it is now."""
        self.conflicts = conflicts
        """Names of what both have changed, each to something else."""


def tidied(text: str | None) -> str:
    """A name or code without white space around it, and with single spaces in it."""
    return " ".join((text or "").split())


def refusals(details: Details) -> Iterator[Refusal]:
    """Everything that cannot be called so, each with its field."""
    if not _is_text(details.name, NAME_LENGTH) or not fold(details.name):
        yield Refusal(NAME_INVALID, field="name", limit=NAME_LENGTH)
    if details.code and not _is_text(details.code, CODE_LENGTH):
        yield Refusal(CODE_INVALID, field="code", limit=CODE_LENGTH)
    if isinstance(details, ProjectDetails) and details.colour not in COLOURS:
        yield Refusal(COLOUR_INVALID, field="colour")


def check(details: Details) -> None:
    """Refuse the first thing that ``refusals`` finds.

    Raises:
        Refusal: ``work_item_name_invalid``, ``work_item_code_invalid`` or ``work_item_colour_invalid``.
    """
    for refusal in refusals(details):
        raise refusal


def _is_text(text: str, limit: int) -> bool:
    return 1 <= len(text) <= limit and text.isprintable()


def values_of(details: Details) -> Mapping[str, Any]:
    """What was typed, by the names of the columns."""
    return asdict(details)


def merged(seen: _Details, wanted: _Details, present: _Details) -> _Details:
    """What is to be: ``present``, with whatever ``wanted`` has changed since it was ``seen``.

    Raises:
        ChangedMeanwhile: something is neither as it was seen nor as it is wanted.
    """
    was, now, typed = values_of(seen), values_of(present), values_of(wanted)
    changed = {name: value for name, value in typed.items() if value != was[name]}
    conflicts = {name for name, value in changed.items() if now[name] not in (was[name], value)}
    if conflicts:
        raise ChangedMeanwhile(present, frozenset(conflicts))
    return replace(present, **changed)


def with_present(seen: _Details, wanted: _Details, present: _Details) -> _Details:
    """What a form shows after ``ChangedMeanwhile``: what was typed, and the present where nothing was typed."""
    was, now = values_of(seen), values_of(present)
    untouched = {name: now[name] for name, value in values_of(wanted).items() if value == was[name]}
    return replace(wanted, **untouched)


def differing(old: Details, new: Details) -> tuple[str, ...]:
    """Names of what is different in two details of one kind."""
    before, after = values_of(old), values_of(new)
    return tuple(name for name, value in after.items() if before.get(name) != value)
