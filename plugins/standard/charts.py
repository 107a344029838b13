"""The geometry of charts: columns along the time, and bars beside each other.

Pure. A chart is an SVG without ``viewBox``: across in per cent, down in pixels, so that text keeps its size. Where a
column ends is computed in whole numbers. ``_charts.html`` draws it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from plugins.standard.duration import show_duration, show_sum

_PERCENT = 10_000
"""A hundred per cent, in hundredths of one."""
_AXIS = 900
"""What the labels of the scale take of the width, in hundredths of a per cent."""
_GAP_OF_COLUMN = 30
"""Per cent of the place of a column that stay free."""
_HOUR = 60
_STEPS = (15, 30, 60, 120, 300, 600, 1200, 3000)
_LINES_AT_MOST = 5
_LABELS_AT_MOST, _LABELS_IF_NARROW = 14, 4
_HEIGHT, _ABOVE, _BELOW = 260, 24, 28


@dataclass(frozen=True, slots=True)
class Value:
    """What a column or bar shows."""

    label: str
    short: str
    """What stands below the column."""
    minutes: int
    part: int
    """So many of the minutes are in the stronger tone."""
    is_present: bool = False
    """Whether it is the one of today."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the scale."""

    y: int
    label: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column, in two parts."""

    x: str
    width: str
    middle: str
    y: int
    height: int
    part_y: int
    part_height: int
    label: str
    """Below it; empty where there is no room."""
    is_left_out_if_narrow: bool
    """Whether its label gives way on a narrow screen."""
    title: str
    is_present: bool


@dataclass(frozen=True, slots=True)
class Columns:
    """A chart of columns."""

    height: int
    base: int
    lines: tuple[Line, ...]
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar, in two parts beside each other; widths in per cent."""

    part: str
    rest: str


def columns(values: Sequence[Value]) -> Columns:
    """A chart of ``values``, one column each, from nothing up."""
    largest = max((value.minutes for value in values), default=0)
    step = scale_step(largest)
    top = max(step, -(-largest // step) * step)
    base = _HEIGHT - _BELOW
    lines = tuple(
        Line(base - _share(minutes, top, base - _ABOVE), _hours(minutes)) for minutes in range(0, top + 1, step)
    )
    frame = _Frame(base, base - _ABOVE, top, (_PERCENT - _AXIS) // max(1, len(values)))
    drawn = tuple(frame.column(value, number, len(values)) for number, value in enumerate(values))
    return Columns(_HEIGHT, base, lines, drawn)


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where columns stand."""

    base: int
    room: int
    top: int
    """The minutes that take all of the room."""
    place: int
    """The width of a column with the gap beside it."""

    def column(self, value: Value, number: int, of: int) -> Column:
        height, part = _share(value.minutes, self.top, self.room), _share(value.part, self.top, self.room)
        left = _AXIS + number * self.place
        gap = self.place * _GAP_OF_COLUMN // 100
        every = -(-of // _LABELS_AT_MOST)
        every_if_narrow = every * -(-of // (every * _LABELS_IF_NARROW))
        return Column(
            x=_percent(left + gap // 2),
            width=_percent(max(1, self.place - gap)),
            middle=_percent(left + self.place // 2),
            y=self.base - height,
            height=height - part,
            part_y=self.base - part,
            part_height=part,
            label=value.short if number % every == 0 else "",
            is_left_out_if_narrow=number % every_if_narrow != 0,
            title=f"{value.label}: {show_sum(value.minutes)}",
            is_present=value.is_present,
        )


def bar(minutes: int, part: int, largest: int) -> Bar:
    """A bar of ``minutes`` beside one of ``largest``."""
    whole = _share(minutes, max(1, largest), _PERCENT)
    strong = _share(part, max(1, largest), _PERCENT)
    return Bar(_percent(strong), _percent(whole - strong))


def whole_bar(minutes: int, of: int) -> Bar:
    """A bar of ``minutes`` in one tone, beside one of ``of``."""
    return bar(minutes, minutes, of)


def scale_step(largest: int) -> int:
    """The distance of the lines of a scale up to ``largest`` minutes: 1, 2 or 5 of a power of ten hours, or less."""
    factor = 1
    while True:
        for step in _STEPS:
            # Parts of an hour and two hours are steps of small charts alone.
            if largest <= step * factor * _LINES_AT_MOST and (factor == 1 or step >= _HOUR):
                return step * factor
        factor *= 100


def _share(minutes: int, of: int, room: int) -> int:
    """As much of ``room`` as ``minutes`` are ``of``; what is there at all is seen."""
    return max(1, (2 * room * minutes // of + 1) // 2) if minutes > 0 else 0


def _percent(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02}%"


def _hours(minutes: int) -> str:
    return f"{minutes // _HOUR:,}" if minutes % _HOUR == 0 else show_duration(minutes)
