"""The sheet of a week and the hours of everybody in a month: as fast after years as in the first week."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from math import ceil
from zoneinfo import ZoneInfo

from flask import Flask
from sqlalchemy import select

from app import clock
from app.auth.models import User, UserPermission
from app.database import read_connection, write_transaction
from benchmarks.ground import ENGINES, LOGIN, Ground, page, session_cookie
from benchmarks.measure import Result, of_values, seconds, take_turns
from benchmarks.seed_hours import DAYS_OF_YEAR
from benchmarks.statements import counted_statements
from plugins.standard.months import Month, month_of
from plugins.standard.people_hours import Period, Seen, hours_of_people
from plugins.standard.permissions import EVERYBODY
from plugins.standard.settings import work_calendar

FEW_DAYS = 90
"""In the smaller database; what a page looks back on is the same in both."""
PAGE_TARGET = 0.9
STATEMENTS_TARGET = 6
EVERYBODY_TARGET_MS = 1_000.0
ALL_DAYS = 4_000
"""Days that hold all that is seeded."""
YEARS_TARGET_MS = 3_000.0
PAGES = {"week": "/timesheet/", "day": "/timesheet/day", "month": "/month/"}


def measure(ground: Ground, *, quick: bool) -> Iterator[Result]:
    """On both engines: what was seeded, statements and time of the pages, and the report."""
    blocks, calls = (5, 10) if quick else (15, 30)
    for engine in ENGINES:
        many, few = (ground.application_with_hours(engine, days) for days in (_days(ground), FEW_DAYS))
        for app in (many, few):
            _let_read_everybody(app)
        made = ground.seeded[engine, _days(ground)]
        yield of_values(f"hours: seeding {made.entries:,} entries, {engine}", [made.seconds], unit="s", at_least=False)
        yield from _statements(engine, many, few)
        for name, path in PAGES.items():
            yield _many_and_few(engine, name, path, (many, few), blocks, calls)
        yield from _everybody(engine, many, repetitions=3 if quick else 9)


def _let_read_everybody(app: Flask) -> None:
    """Let the one who is logged in read the hours of everybody."""
    with app.app_context(), write_transaction() as session:
        user_id = session.execute(select(User.id).where(User.login == LOGIN)).scalar_one()
        session.add(UserPermission(user_id=user_id, permission=EVERYBODY.name))


def _days(ground: Ground) -> int:
    return max(FEW_DAYS + 1, ceil(ground.years * DAYS_OF_YEAR))


def _statements(engine: str, many: Flask, few: Flask) -> Iterator[Result]:
    for app, size in ((few, "few"), (many, "many")):
        call = page(app, PAGES["week"], session_cookie(app))
        _expect_ok(call)
        with counted_statements() as seen:
            _expect_ok(call)
        number = len(seen)
        name = f"hours: statements of the week, {size} entries, {engine}"
        yield Result(name, number, number, number, "", STATEMENTS_TARGET, at_least=False)


def _many_and_few(engine: str, name: str, path: str, apps: tuple[Flask, Flask], blocks: int, calls: int) -> Result:
    of_many, of_few = (page(app, path, session_cookie(app)) for app in apps)
    _expect_ok(of_many)
    _expect_ok(of_few)
    pairs = take_turns(of_many, of_few, blocks=blocks, calls=calls)
    note = pairs.note("many", "few")
    return of_values(f"hours: {name} at many entries / at few, {engine}", pairs.ratios, target=PAGE_TARGET, note=note)


def _everybody(engine: str, app: Flask, repetitions: int) -> Iterator[Result]:
    """What everybody has worked in the last whole month: beside what was expected of them, and as reports."""
    today = clock.now().date()
    month = month_of(month_of(today).first - timedelta(days=1))
    cookie = session_cookie(app)
    pages = {
        "the page of everybody's month": f"/people/?month={month.code}",
        "report of a month by project": "/reports/?period=last_month&group=project",
        "report of a month by person": "/reports/?period=last_month&group=person",
    }
    with app.app_context():
        yield _everybodys(engine, "a month of everybody", partial(_read_everybody, month), repetitions)
    for name, path in pages.items():
        yield _everybodys(engine, name, partial(_expect_ok, page(app, path, cookie)), repetitions)
    for group in ("project", "person"):
        path = f"/reports/?since={today - timedelta(days=ALL_DAYS)}&until={today}&group={group}"
        action = partial(_expect_ok, page(app, path, cookie))
        name = f"report of all years by {group}"
        yield _everybodys(engine, name, action, max(1, repetitions // 3), target=YEARS_TARGET_MS)


def _everybodys(
    engine: str, name: str, action: Callable[[], None], repetitions: int, *, target: float = EVERYBODY_TARGET_MS
) -> Result:
    taken = [1000 * seconds(action) for _ in range(repetitions + 1)]
    return of_values(f"hours: {name}, {engine}", taken[1:], unit="ms", target=target, at_least=False)


def _read_everybody(month: Month) -> None:
    seen = Seen(work_calendar("en"), clock.now().date(), ZoneInfo("UTC"))
    with read_connection() as connection:
        if not hours_of_people(connection, Period(month.first, month.last), seen):
            raise AssertionError("nobody has hours")


def _expect_ok(call: Callable[[], tuple[str, bytes]]) -> None:
    status, body = call()
    if not status.startswith("200"):
        raise AssertionError(f"{status} {body[:500]!r}")
