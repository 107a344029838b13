"""The list of users: as fast at a million as at a thousand, and searched while one types."""

import random
import statistics
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial

from flask import Flask

from app.settings.users.listing import ListQuery, Order, Privilege, Seen, State, UserPage, read_page
from benchmarks.ground import ENGINES, Ground
from benchmarks.measure import Result, of_values, percentile, seconds

LIST_TARGET = 1.2
PREFIX_TARGET_MS = 5.0
SUBSTRING_TARGET_MS = 150.0
SMALL = 1_000
P95 = 0.95
PREFIXES = ("kit", "kitamura", "佐藤", "鈴木 一", "u00012", "木", "lindqvist bengt")
SUBSTRINGS = ("陽菜", "鈴木", "鳳凰", "々木", "99", "zz", "ak")
SEVERAL_WORDS = ("a k", "藤 美", "藤 鳳", "lindqvist bengt 12", "haruka 99 exa")


def measure(ground: Ground, *, quick: bool) -> Iterator[Result]:
    """On both engines."""
    rounds, calls = (5, 3) if quick else (11, 6)
    for engine in ENGINES:
        large = ground.application(engine, ground.large, searchable=True)
        small = ground.application(engine, SMALL, searchable=True)
        yield _pages(engine, large, small, rounds, calls, ground.large)
        yield from _searches(engine, large, rounds, calls)


def _pages(engine: str, large: Flask, small: Flask, rounds: int, calls: int, size: int) -> Result:
    queries = [*_first_pages()]
    in_large, in_small = _reader(large), _reader(small)
    further = [(in_large, _second_pages(in_large, queries)), (in_small, _second_pages(in_small, queries))]
    ratios: list[float] = []
    last: tuple[float, float] = (0.0, 0.0)
    for _ in range(rounds + 1):
        times: tuple[list[float], list[float]] = ([], [])
        for number in range(calls):
            for place in (0, 1) if number % 2 else (1, 0):
                read, more = further[place]
                times[place].extend(seconds(partial(read, query)) for query in (*queries, *more))
        last = (percentile(times[0], P95), percentile(times[1], P95))
        ratios.append(last[0] / last[1])
    note = f"p95 {last[0] * 1000:.2f} ms, {last[1] * 1000:.2f} ms"
    name = f"users list: p95 at {size:,} / at {SMALL:,}, {engine}"
    return of_values(name, ratios[1:], target=LIST_TARGET, at_least=False, note=note)


def _first_pages() -> Iterator[ListQuery]:
    for order in (Order.NAME, Order.EMAIL, Order.SEEN, Order.PRIVILEGE):
        for descending in (False, True):
            yield ListQuery(order=order, descending=descending)
    yield ListQuery(state=State.DELETED, order=Order.DELETED, descending=True)
    yield ListQuery(privilege=Privilege.MEMBERS)
    yield ListQuery(seen=Seen.NEVER)


def _second_pages(read: Callable[[ListQuery], UserPage], queries: list[ListQuery]) -> list[ListQuery]:
    found = []
    for query in queries:
        page = read(query)
        if page.next is not None:
            found.append(
                ListQuery(query.state, "", query.privilege, query.seen, query.order, query.descending, page.next)
            )
    return found


def _reader(app: Flask) -> Callable[[ListQuery], UserPage]:
    now = datetime.now(UTC)

    def read(query: ListQuery) -> UserPage:
        with app.app_context():
            return read_page(query, now)

    return read


def _searches(engine: str, app: Flask, rounds: int, calls: int) -> Iterator[Result]:
    read = _reader(app)
    for kind, texts, target in (
        ("prefix", PREFIXES, PREFIX_TARGET_MS),
        ("substring", SUBSTRINGS, SUBSTRING_TARGET_MS),
        ("several words", SEVERAL_WORDS, None),
    ):
        times: dict[str, list[float]] = {text: [] for text in texts}
        order = random.Random(1)  # noqa: S311 - it shuffles a benchmark
        for _ in range(rounds * calls + 1):
            for text in order.sample(texts, len(texts)):
                query = ListQuery(search=text, order=Order.BEST)
                times[text].append(1000 * seconds(partial(read, query)))
        medians = {text: statistics.median(values) for text, values in times.items()}
        worst = max(texts, key=lambda text: medians[text])
        name = f"users list: {kind} search, the slowest, {engine}"
        note = ", ".join(f"“{text}” {medians[text]:.1f}" for text in texts)
        yield of_values(name, times[worst][1:], unit="ms", target=target, at_least=False, note=note)
