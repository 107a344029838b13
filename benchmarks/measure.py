"""Interleaved pairs, their medians and their spread."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Action = Callable[[], object]
QUARTILES = 4


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table. ``target`` None is only reported, never missed."""

    name: str
    median: float
    low: float
    """Lower quartile of the repetitions; the median itself where there is only one."""
    high: float
    unit: str = "×"
    target: float | None = None
    at_least: bool = True
    """Whether more is better."""
    note: str = ""

    @property
    def is_met(self) -> bool:
        """Whether the target is reached; true without one."""
        if self.target is None:
            return True
        return self.median >= self.target if self.at_least else self.median <= self.target


def of_values(
    name: str,
    values: Sequence[float],
    *,
    unit: str = "×",
    target: float | None = None,
    at_least: bool = True,
    note: str = "",
) -> Result:
    """The result of several repetitions."""
    low, median, high = quartiles(values)
    return Result(name, median, low, high, unit, target, at_least, note)


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Lower quartile, median and upper quartile."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, median, high = statistics.quantiles(values, n=QUARTILES, method="inclusive")
    return low, median, high


def percentile(values: Sequence[float], share: float) -> float:
    """The value that ``share`` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def seconds(action: Action) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


@dataclass(frozen=True, slots=True)
class Pairs:
    """Times of two actions that took turns, in blocks: seconds of one call, the median of each block."""

    first: tuple[float, ...]
    second: tuple[float, ...]

    @property
    def ratios(self) -> tuple[float, ...]:
        """For each block, how many calls of the first action fit into one of the second: its relative throughput."""
        return tuple(second / first for first, second in zip(self.first, self.second, strict=True))

    def note(self, first: str, second: str) -> str:
        """Both times for the table."""
        return f"{first} {milliseconds(self.first)}, {second} {milliseconds(self.second)}"


def milliseconds(values: Sequence[float]) -> str:
    """The median of ``values`` for people."""
    return f"{statistics.median(values) * 1000:.2f} ms"


def take_turns(first: Action, second: Action, *, blocks: int, calls: int) -> Pairs:
    """Call both in turn, ``calls`` times a block, after one block that does not count.

    Within a block the median counts: a call that the machine interrupted is no answer to the question.
    """
    medians: list[tuple[float, float]] = []
    for _ in range(blocks + 1):
        times: tuple[list[float], list[float]] = ([], [])
        for number in range(calls):
            # Who begins takes turns as well, so that neither always finds the caches as the other left them.
            for which, action in ((0, first), (1, second))[:: 1 if number % 2 else -1]:
                times[which].append(seconds(action))
        medians.append((statistics.median(times[0]), statistics.median(times[1])))
    counted = medians[1:]
    return Pairs(tuple(pair[0] for pair in counted), tuple(pair[1] for pair in counted))
