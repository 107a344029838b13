"""What the pages of work items say, in the reader's language."""

from dataclasses import dataclass
from typing import Any

from app.sdk import Refusal, code_texts, gettext, ngettext, sentences, url_for
from plugins.standard.duration import show_duration
from plugins.standard.work_items.outline import Counts, OutlinePage
from plugins.standard.work_items.palette import COLOURS
from plugins.standard.work_items.reading import ItemView
from plugins.standard.work_items.rules import Details, Kind, differing, values_of


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One value that somebody else has changed."""

    label: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Question:
    """A page of its own before something ends."""

    title: str
    question: str
    points: tuple[str, ...]
    button: str


def counted(counts: Counts) -> str:
    """``6 customers, 14 projects, 42 tasks``."""
    return gettext(
        "%(customers)s, %(projects)s, %(tasks)s",
        customers=ngettext("%(num)s customer", "%(num)s customers", counts.customers),
        projects=ngettext("%(num)s project", "%(num)s projects", counts.projects),
        tasks=ngettext("%(num)s task", "%(num)s tasks", counts.tasks),
    )


def hours(minutes: int) -> str:
    """Recorded time as ``1:30``."""
    return show_duration(minutes)


def page_summary(page: OutlinePage) -> str:
    """What the page shows of how many."""
    return gettext("%(first)s–%(last)s of %(total)s", first=page.first, last=page.last, total=page.total)


def kind_title(kind: Kind) -> str:
    """What a customer, project or task is called."""
    return {Kind.CUSTOMER: gettext("Customer"), Kind.PROJECT: gettext("Project"), Kind.TASK: gettext("Task")}[kind]


def add_title(kind: Kind) -> str:
    """Heading of the page that adds one."""
    titles = {
        Kind.CUSTOMER: gettext("Add customer"),
        Kind.PROJECT: gettext("Add project"),
        Kind.TASK: gettext("Add task"),
    }
    return titles[kind]


def changes_between(seen: Details, present: Details, customers: dict[int, str]) -> tuple[FieldChange, ...]:
    """What somebody else has changed since the page was made."""
    labels = {
        "code": gettext("Code"),
        "name": gettext("Name"),
        "customer_id": gettext("Customer"),
        "colour": gettext("Colour"),
        "for_everybody": gettext("Who records hours on it"),
        "billable": gettext("Billable"),
    }
    old, new = values_of(seen), values_of(present)
    return tuple(
        FieldChange(labels[name], _shown(name, old[name], customers), _shown(name, new[name], customers))
        for name in differing(seen, present)
    )


def _shown(name: str, value: Any, customers: dict[int, str]) -> str:
    if name == "customer_id":
        return customers.get(value, gettext("(not there any more)"))
    if name == "colour":
        return gettext(COLOURS[value]) if value in COLOURS else str(value)
    if name == "for_everybody":
        return gettext("Everybody") if value else gettext("Its members alone")
    if name == "billable":
        return gettext("Yes") if value else gettext("No")
    return str(value) or "–"


# Finishing and deleting -----------------------------------------------------------------------------------------------


def finish_question(view: ItemView) -> Question:
    """What finishing does, with numbers."""
    points = [_no_new_hours(view), _kept_hours(view)]
    if view.timers:
        points.append(
            ngettext(
                "%(num)s timer is running on it. Have it stopped first, or its time cannot be recorded.",
                "%(num)s timers are running on it. Have them stopped first, or their time cannot be recorded.",
                view.timers,
            )
        )
    points.append(gettext("It can be reopened at any time, and then is as it was."))
    return Question(
        gettext("Finish %(name)s", name=view.name),
        gettext("Finish “%(name)s”?", name=view.name),
        tuple(points),
        _finish_button(view.kind),
    )


def _finish_button(kind: Kind) -> str:
    titles = {
        Kind.CUSTOMER: gettext("Finish customer"),
        Kind.PROJECT: gettext("Finish project"),
        Kind.TASK: gettext("Finish task"),
    }
    return titles[kind]


def _no_new_hours(view: ItemView) -> str:
    tasks = ngettext("%(num)s task", "%(num)s tasks", view.active_tasks)
    if view.kind is Kind.TASK:
        return gettext("Nobody can record new hours on it; on sheets it can be read and not changed.")
    if view.kind is Kind.PROJECT:
        return gettext(
            "Nobody can record new hours on its %(tasks)s; on sheets they can be read and not changed.", tasks=tasks
        )
    projects = ngettext("%(num)s project", "%(num)s projects", view.active_projects)
    return gettext(
        "Nobody can record new hours on its %(projects)s with %(tasks)s; on sheets they can be read and not changed.",
        projects=projects,
        tasks=tasks,
    )


def _kept_hours(view: ItemView) -> str:
    if not view.minutes:
        return gettext("No hours are recorded on it.")
    return gettext(
        "The %(hours)s hours that are recorded stay, on sheets and in reports.", hours=show_duration(view.minutes)
    )


def finished_message(view: ItemView) -> dict[str, str]:
    """What has happened, with the way back."""
    return {
        "text": gettext("“%(name)s” is finished. Nobody can record new hours on it.", name=view.name),
        "action_label": gettext("Reopen"),
        "action_url": url_for("standard_work_items.reopen", kind=view.kind, item_id=view.id),
        "action_method": "post",
    }


def reopened_message(view: ItemView) -> str:
    """What has happened, and what still keeps hours away."""
    said = gettext("“%(name)s” is active again.", name=view.name)
    finished = [place.name for place in view.above if not place.active]
    if not finished:
        return said
    return sentences(said, gettext("Hours can be recorded on it once “%(name)s” is reopened too.", name=finished[0]))


def deletion_question(view: ItemView) -> Question:
    """What deleting does, with numbers."""
    points = [gettext("No hours are recorded on it, so no sheet and no report changes.")]
    if view.kind is Kind.CUSTOMER:
        points.append(
            gettext(
                "Its %(projects)s and %(tasks)s are deleted with it.",
                projects=ngettext("%(num)s project", "%(num)s projects", view.projects),
                tasks=ngettext("%(num)s task", "%(num)s tasks", view.tasks),
            )
        )
    if view.kind is Kind.PROJECT:
        points.append(
            ngettext("Its %(num)s task is deleted with it.", "Its %(num)s tasks are deleted with it.", view.tasks)
        )
        points.append(gettext("Who its members are is forgotten."))
    points.append(gettext("It cannot be had back. To keep it for later, finish it instead."))
    titles = {
        Kind.CUSTOMER: gettext("Delete customer"),
        Kind.PROJECT: gettext("Delete project"),
        Kind.TASK: gettext("Delete task"),
    }
    return Question(
        gettext("Delete %(name)s", name=view.name),
        gettext("Delete “%(name)s”?", name=view.name),
        tuple(points),
        titles[view.kind],
    )


def refusal_line(refusal: Refusal) -> str:
    """A refusal in one line, for a message above a page."""
    texts = code_texts(refusal)
    return sentences(texts.message, texts.remedy)
