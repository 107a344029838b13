"""What the pages of closing say, in the reader's language: before a date is moved, and after."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from babel.dates import format_interval

from app.sdk import format_date, gettext, locale_code, ngettext, url_for
from plugins.standard.closing.rules import Change, Direction, Mode, Wanted
from plugins.standard.closing.service import Effect, looked_at
from plugins.standard.duration import show_sum
from plugins.standard.timesheet.presenter import a_few

_NAMED_AT_MOST = 10
"""How many of those who have missing days are named."""


@dataclass(frozen=True, slots=True)
class Question:
    """A page of its own before a closing date is moved."""

    title: str
    question: str
    points: tuple[str, ...]
    warning: str
    """What should not be overlooked; empty for nothing."""
    button: str


def in_words(day: date) -> str:
    """A day with its year: ``13 November 2026``."""
    return format_date(day, "long")


def closed_text(through: date | None) -> str:
    """What is closed."""
    return gettext("Nothing is closed") if through is None else gettext("Closed through %(day)s", day=in_words(through))


def closed_inside(through: date | None) -> str:
    """The same within a sentence."""
    return gettext("nothing is closed") if through is None else gettext("closed through %(day)s", day=in_words(through))


def beside(own: date | None, everybody: date | None) -> str:
    """How one person's closing date stands to everybody's."""
    change = Change(everybody, own).direction
    if change is Direction.NEITHER:
        return gettext("the same days as for everybody")
    return (
        gettext("more days than for everybody")
        if change is Direction.CLOSES
        else gettext("fewer days than for everybody")
    )


def question_of(effect: Effect, today: date) -> Question:
    """What setting the date does, with numbers, before it is done."""
    direction = effect.change.direction
    points = {Direction.CLOSES: _closing, Direction.OPENS: _opening, Direction.NEITHER: _standing_still}[direction]
    holds_today = direction is Direction.CLOSES and effect.change.holds(today)
    return Question(
        gettext("Check the closing date"),
        _question(effect),
        tuple(points(effect)),
        gettext("Today is among these days: whoever still works today cannot record it.") if holds_today else "",
        _button(effect),
    )


def _question(effect: Effect) -> str:
    after, name = effect.change.after, _name(effect)
    opens = effect.change.direction is Direction.OPENS
    if effect.wanted.mode is Mode.FOLLOW:
        return gettext("Have the same days closed for %(name)s as for everybody?", name=name)
    if after is None:
        return gettext("Open all days of %(name)s again?", name=name) if name else gettext("Open all days again?")
    if opens:
        if name:
            return gettext("Open the days of %(name)s after %(day)s again?", name=name, day=in_words(after))
        return gettext("Open the days after %(day)s again?", day=in_words(after))
    if name:
        return gettext("Close the days of %(name)s through %(day)s?", name=name, day=in_words(after))
    return gettext("Close all days through %(day)s?", day=in_words(after))


def _button(effect: Effect) -> str:
    if effect.change.direction is Direction.NEITHER:
        return gettext("Save")
    opens = effect.change.direction is Direction.OPENS
    if effect.person is not None:
        name = effect.person.name
        return gettext("Open for %(name)s", name=name) if opens else gettext("Close for %(name)s", name=name)
    if opens:
        return ngettext("Open for %(num)s person", "Open for %(num)s people", effect.people)
    return ngettext("Close for %(num)s person", "Close for %(num)s people", effect.people)


def _closing(effect: Effect) -> Iterator[str]:
    days = _days(effect.change)
    if effect.person is None:
        yield ngettext(
            "%(days)s: hours of %(num)s person can be read and not changed, by anybody, in sheet, timer and import.",
            "%(days)s: hours of %(num)s people can be read and not changed, by anybody, in sheet, timer and import.",
            effect.people,
            days=days,
        )
    else:
        yield gettext(
            "%(days)s: the hours can be read and not changed, by anybody, in sheet, timer and import.", days=days
        )
    yield _entries(effect) or gettext("No hours are recorded on these days.")
    yield from _lacking(effect)
    if effect.timers:
        yield ngettext(
            "%(num)s timer has been running since one of these days. Have it stopped first, or that time is lost.",
            "%(num)s timers have been running since one of these days. Have them stopped first, or that time is lost.",
            effect.timers,
        )
    yield from _exceptions(effect)
    yield gettext("The days can be opened again at any time.")


def _opening(effect: Effect) -> Iterator[str]:
    days = _days(effect.change)
    if effect.person is None:
        yield ngettext(
            "%(days)s: hours of %(num)s person become editable again.",
            "%(days)s: hours of %(num)s people become editable again.",
            effect.people,
            days=days,
        )
    else:
        yield gettext("%(days)s: the hours become editable again.", days=days)
    yield _entries(effect) or gettext("No hours are recorded on these days.")
    if effect.entries:
        yield gettext("What is changed on them changes reports of that time too.")
    yield from _exceptions(effect)
    yield gettext("The audit log records that you opened them.")


def _standing_still(effect: Effect) -> Iterator[str]:
    yield gettext("No day is closed or opened by it.")
    if effect.wanted.mode is Mode.FOLLOW:
        yield gettext("From now on the closing date moves with everybody’s.")
    elif effect.person is not None:
        yield gettext("From now on the closing date does not move with everybody’s.")


def _days(change: Change) -> str:
    last = change.last
    if last is None:
        return ""
    if change.first is None:
        return gettext("All days through %(day)s", day=in_words(last))
    if change.first == last:
        return in_words(last)
    return format_interval(change.first, last, "yMMMMd", locale=locale_code())


def _entries(effect: Effect) -> str:
    if not effect.entries:
        return ""
    return ngettext(
        "%(num)s entry with %(hours)s hours is on them.",
        "%(num)s entries with %(hours)s hours are on them.",
        effect.entries,
        hours=show_sum(effect.minutes),
    )


def _lacking(effect: Effect) -> Iterator[str]:
    period = looked_at(effect.change)
    if period is None:
        return
    since = in_words(period.first)
    if not effect.lacking:
        yield gettext("Nobody has a missing day since %(day)s.", day=since)
        return
    yield ngettext(
        "%(num)s day since %(day)s is missing and can then not be filled in: %(people)s.",
        "%(num)s days since %(day)s are missing and can then not be filled in: %(people)s.",
        sum(each.days for each in effect.lacking),
        day=since,
        people=a_few([f"{each.name} ({each.days})" for each in effect.lacking], _NAMED_AT_MOST),
    )


def _exceptions(effect: Effect) -> Iterator[str]:
    if effect.left_out:
        yield ngettext(
            "%(num)s person has a closing date of their own, which stays.",
            "%(num)s people have closing dates of their own, which stay.",
            effect.left_out,
        )


def _name(effect: Effect) -> str:
    return "" if effect.person is None else effect.person.name


def done_message(effect: Effect) -> dict[str, str] | str:
    """What has happened, with the way back."""
    text = _done(effect)
    if not effect.is_other_row:
        return text
    back = _way_back(effect)
    return {"text": text, "action_label": gettext("Undo…"), "action_url": back, "action_method": "get"}


def _done(effect: Effect) -> str:
    closed = closed_text(effect.change.after)
    if not effect.is_other_row:
        return gettext("Nothing was changed. %(closed)s.", closed=closed)
    if effect.person is not None:
        return gettext("%(closed)s for %(name)s.", closed=closed, name=effect.person.name)
    return ngettext("%(closed)s for %(num)s person.", "%(closed)s for %(num)s people.", effect.people, closed=closed)


def _way_back(effect: Effect) -> str:
    before = effect.change.before
    wanted = Wanted(Mode.NOTHING if before is None else Mode.THROUGH, before, effect.wanted.person)
    if effect.person is not None and effect.person.own is None:
        wanted = Wanted(Mode.FOLLOW, None, effect.wanted.person)
    return url_for("standard_closing.check", _external=False, **address_of(wanted))


def address_of(wanted: Wanted) -> dict[str, str]:
    """What an address or a form carries of it."""
    carried = {"mode": wanted.mode.value}
    if wanted.through is not None:
        carried["through"] = wanted.through.isoformat()
    if wanted.person is not None:
        carried["person"] = str(wanted.person)
    return carried
