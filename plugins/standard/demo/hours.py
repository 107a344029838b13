"""The hours of the demo data: months of them up to today, the same for the same day. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random

from plugins.standard.demo.company import (
    FINISHED_AFTER_WEEK,
    LEAVE,
    MEETING,
    SICK,
    TASKS,
    TRAINING,
    WITH_TIMER,
    DemoPerson,
    is_finished,
)
from plugins.standard.months import month_of
from plugins.standard.workdays import WorkCalendar

WEEKS = 17
"""How many weeks there are before the one of today."""
DAYS_WITH_TIMES = 14
"""On how many days up to today those who record times have done so."""
TIMER_RUNS = 72
"""Minutes for which the timer has been running."""
_QUARTER = 15
_LUNCH, _LUNCH_ENDS = 12 * 60, 13 * 60
_MEETING_MINUTES = 60
_TRAINING_MINUTES = 120
_LEAST = 30
_MONDAY = 0
_SEED = 20_261_126


@dataclass(frozen=True, slots=True)
class DemoEntry:
    """Minutes of somebody on a task, with what they wrote."""

    day: date
    task: str
    """Its code."""
    minutes: int
    memo: str


@dataclass(frozen=True, slots=True)
class DemoSpan:
    """From when to when, in minutes of the day."""

    day: date
    task: str | None
    """Code of the task; None for a break."""
    starts: int
    ends: int


@dataclass(frozen=True, slots=True)
class PersonHours:
    """All that one person has recorded."""

    person: DemoPerson
    first: date
    """The first day on which they worked there."""
    last: date | None
    """The last one of somebody who has left."""
    entries: tuple[DemoEntry, ...]
    spans: tuple[DemoSpan, ...]
    rows: tuple[str, ...]
    """Codes of the tasks that they have put on the sheet of this week: those of the last two."""


@dataclass
class _Hours:
    """Makes the hours of one person; the dice are of this person alone, so that adding one leaves the others alone."""

    person: DemoPerson
    calendar: WorkCalendar
    begin: date
    now: datetime
    dice: Random = field(init=False)

    def __post_init__(self) -> None:
        self.dice = Random(f"{_SEED}-{self.person.login}")  # noqa: S311 - of demo data

    def all(self) -> PersonHours:
        person, today = self.person, self.now.date()
        first = self.begin + timedelta(weeks=person.first_week)
        last = None if person.last_week is None else self.begin + timedelta(weeks=person.last_week, days=4)
        away = self._away(first, last or today)
        entries: list[DemoEntry] = []
        spans: list[DemoSpan] = []
        for day in _days(first, last or today):
            of_day = self._of_day(day, away.get(day))
            entries.extend(of_day)
            if person.times and of_day and day not in away and (today - day).days < DAYS_WITH_TIMES:
                spans.extend(self._times(of_day))
        return PersonHours(person, first, last, tuple(entries), tuple(spans), self._rows(entries))

    def _rows(self, entries: Sequence[DemoEntry]) -> tuple[str, ...]:
        since = self.now.date() - timedelta(days=self.now.weekday() + 14)
        recent = {entry.task for entry in entries if entry.day >= since and entry.task not in (LEAVE, SICK)}
        return tuple(sorted(recent))

    def _away(self, first: date, last: date) -> Mapping[date, str]:
        """Days of leave and illness: a week or some days of leave, and up to three days ill, all before this week."""
        worked = [day for day in _days(first, last) if self.calendar.is_working_day(day)][:-8]
        away: dict[date, str] = {}
        for task, longest in ((LEAVE, 5), (SICK, 3)):
            start, length = self.dice.randrange(max(1, len(worked))), self.dice.randint(1, longest)
            away.update(dict.fromkeys(worked[start : start + length], task))
        return away

    def _of_day(self, day: date, absence: str | None) -> list[DemoEntry]:
        expected = self.calendar.expected(day)
        is_forgotten = self._happens(self.person.forgets)
        target = self._target(day, expected)
        if not expected or target < _LEAST:
            return []
        if absence is not None:
            return [DemoEntry(day, absence, expected, "")]
        if is_forgotten:
            return []
        minutes = self._shared(day, target)
        return [DemoEntry(day, task, worked, self._memo(task)) for task, worked in minutes.items()]

    def _target(self, day: date, expected: int) -> int:
        """All minutes of the day; today, what has passed of it, before the timer was started where one runs."""
        usual = expected + self.person.overtime + self.dice.choice((-30, -15, -15, 0, 0, 0, 0, 15, 15, 30, 60))
        minutes = min(max(usual, 0), 11 * 60)
        if day == self.now.date():
            timer = TIMER_RUNS if self.person.login == WITH_TIMER else 0
            until = self.now.hour * 60 + self.now.minute - timer
            lunch = min(max(until - _LUNCH, 0), _LUNCH_ENDS - _LUNCH)
            minutes = min(minutes, until - self.person.begins - lunch)
        return max(0, minutes // _QUARTER * _QUARTER)

    def _shared(self, day: date, target: int) -> Mapping[str, int]:
        """The minutes by task: meeting on Mondays, sometimes training, and one to three tasks of the person."""
        minutes: Counter[str] = Counter()
        if day.weekday() == _MONDAY and target > _MEETING_MINUTES:
            minutes[MEETING] = _MEETING_MINUTES
        if self._happens(4) and target > 2 * _TRAINING_MINUTES:
            minutes[TRAINING] += _TRAINING_MINUTES
        chosen = self._chosen(day)
        rest = target - minutes.total()
        for number, task in enumerate(chosen, start=1):
            left = len(chosen) - number
            share = rest if not left else self.dice.randint(25, 75) * rest // 100 // _QUARTER * _QUARTER
            if share > 0:
                minutes[task] += share
            rest -= share
        return minutes

    def _chosen(self, day: date) -> Sequence[str]:
        is_late = day >= self.begin + timedelta(weeks=FINISHED_AFTER_WEEK + 1)
        open_tasks = {code: weight for code, weight in self.person.tasks.items() if not (is_late and is_finished(code))}
        codes, weights = list(open_tasks), list(open_tasks.values())
        return list(dict.fromkeys(self.dice.choices(codes, weights, k=self.dice.choice((1, 2, 2, 3)))))

    def _memo(self, task: str) -> str:
        memos = TASKS[task].memos
        return self.dice.choice(memos) if memos and self._happens(40) else ""

    def _happens(self, percent: int) -> bool:
        return self.dice.randrange(100) < percent

    def _times(self, entries: Sequence[DemoEntry]) -> Iterator[DemoSpan]:
        """The entries of a day one after the other, with an hour's break at noon."""
        at = self.person.begins
        if entries[0].day != self.now.date():
            at += self.dice.choice((-15, 0, 0, 0, 15))
        for entry in entries:
            left = entry.minutes
            while left:
                if at == _LUNCH:
                    yield DemoSpan(entry.day, None, _LUNCH, _LUNCH_ENDS)
                    at = _LUNCH_ENDS
                length = min(left, _LUNCH - at) if at < _LUNCH else left
                yield DemoSpan(entry.day, entry.task, at, at + length)
                at, left = at + length, left - length


def hours_of(person: DemoPerson, calendar: WorkCalendar, now: datetime) -> PersonHours:
    """All hours of ``person``.

    Args:
        person: of the company.
        calendar: what is expected of each day.
        now: in the installation's time zone; nothing is recorded that lies ahead.
    """
    return _Hours(person, calendar, beginning(now.date()), now).all()


def beginning(today: date) -> date:
    """The first day of the data: a Monday."""
    return today - timedelta(weeks=WEEKS, days=today.weekday())


def closed_through(today: date) -> date:
    """The day up to which the hours are closed: the end of the last month but one."""
    month = month_of(month_of(today).first - timedelta(days=1))
    return month.first - timedelta(days=1)


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))
