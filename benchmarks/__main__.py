"""``python -m benchmarks [--quick] [--years N] [NAME…]``: measure, print a table; 1 where a target is missed."""

import argparse
import sys
import warnings
from collections.abc import Callable, Iterator

from benchmarks import api, desktop, editions, gate, hours, log_in, start_page, startup, users_list, verification
from benchmarks.ground import Ground, temporary_ground
from benchmarks.measure import Result

Measure = Callable[..., Iterator[Result]]
BENCHMARKS: dict[str, Measure] = {
    "startup": startup.measure,
    "verification": verification.measure,
    "log-in": log_in.measure,
    "start-page": start_page.measure,
    "gate": gate.measure,
    "editions": editions.measure,
    "users-list": users_list.measure,
    "hours": hours.measure,
    "api": api.measure,
    "desktop": desktop.measure,
}
LARGE, LARGE_IF_QUICK = 1_000_000, 50_000
YEARS, YEARS_IF_QUICK = 1.0, 0.3
_WIDTH = 62


def main() -> int:
    """Run what was asked for, and say how it went."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure what has to be fast.")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, 50,000 users in place of a million")
    parser.add_argument("--years", type=float, help="of hours of a thousand people; 5 are 5 million entries")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which ones: {', '.join(BENCHMARKS)}; all by default")
    given = parser.parse_args()
    unknown = set(given.names) - BENCHMARKS.keys()
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
    _print(f"{'':{_WIDTH}} {'median':>9} {'quartiles':>17} {'target':>9}")
    years = given.years or (YEARS_IF_QUICK if given.quick else YEARS)
    with temporary_ground(LARGE_IF_QUICK if given.quick else LARGE, years) as ground:
        met = [_run(name, ground, quick=given.quick) for name in given.names or BENCHMARKS]
    return 0 if all(met) else 1


def _run(name: str, ground: Ground, *, quick: bool) -> bool:
    met = True
    for result in BENCHMARKS[name](ground, quick=quick):
        _print(_line(result))
        met = met and result.is_met
    return met


def _line(result: Result) -> str:
    target = "" if result.target is None else f"{'≥' if result.at_least else '≤'} {_number(result.target)}"
    verdict = "" if result.target is None else "ok" if result.is_met else "TOO SLOW"
    spread = f"{_number(result.low)} to {_number(result.high)}"
    median = f"{_number(result.median)} {result.unit}".strip()
    return f"{result.name:{_WIDTH}} {median:>9} {spread:>17} {target:>9}  {verdict:8}  {result.note}".rstrip()


def _number(value: float) -> str:
    if float(value).is_integer():
        return f"{value:.0f}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
