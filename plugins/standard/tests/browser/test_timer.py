"""Timer and dashboard in a real browser: in one press from any page, without JavaScript, and for everybody."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect
from sqlalchemy import delete, select, update

from app.sdk import read_connection, write_transaction
from plugins.standard.entries import CellChange, Writer, save_cells
from plugins.standard.models import Favourite, RunningTimer, Span, Task
from plugins.standard.tests.browser.test_timesheet import VIEWS, check, company, member_id, office  # noqa: F401 - fixtures
from tests.browser.conftest import chromium, visiting  # noqa: F401 - a fixture is found by its name
from tests.conftest import MEMBER

pytestmark = [pytest.mark.browser, pytest.mark.process]


@pytest.fixture
def desk(office: tuple[Flask, str]) -> str:  # noqa: F811 - the fixture
    """Two favourite tasks and some hours, and no timer."""
    with write_transaction() as session:
        session.execute(delete(RunningTimer))
        tasks = list(session.execute(select(Task.id).order_by(Task.id).limit(2)).scalars())
        session.add_all(Favourite(user_id=member_id(), task_id=task) for task in tasks)
    today = datetime.now(UTC).date()
    changes = [CellChange(tasks[0], today - timedelta(days=back), 300, "", 0) for back in range(1, 8)]
    save_cells(Writer(member_id(), MEMBER, by=MEMBER), changes)
    return office[1]


def backdate(minutes: int) -> None:
    with write_transaction() as session:
        session.execute(update(RunningTimer).values(started_at=datetime.now(UTC) - timedelta(minutes=minutes)))


def test_it_is_started_switched_and_stopped_from_the_bar_of_any_page(
    chromium: Browser,  # noqa: F811
    desk: str,
) -> None:
    with visiting(chromium, desk) as visit:
        page = visit.page
        visit.log_in(MEMBER)
        visit.open("/account")
        page.locator("#timer-bar summary").click()
        visit.press(page.locator("#timer-bar button", has_text="Step 0").first)
        assert page.url.endswith("/account")
        expect(page.locator("#timer-bar .rx-timer__task")).to_have_text("Step 0")
        backdate(62)
        visit.open("/timesheet/")
        expect(page.locator("#timer-bar .rx-timer__time")).to_have_text("1:02")
        page.locator("#timer-bar summary").press("Enter")
        visit.press(page.locator("#timer-bar button", has_text="Step 1"))
        expect(page.locator(".rx-flash")).to_contain_text("1:02 recorded on Step 0")
        expect(page.locator(".rx-flash")).to_contain_text("The timer runs on Step 1.")
        visit.press(page.get_by_role("button", name="Stop timer"))
        expect(page.locator(".rx-flash")).to_contain_text("less than a minute")
    with read_connection() as connection:
        assert sum(connection.execute(select(Span.minutes)).scalars()) == 62  # of two days, where midnight lies between


def test_the_time_goes_on_by_itself_and_nothing_announces_it(
    chromium: Browser,  # noqa: F811
    desk: str,
) -> None:
    with visiting(chromium, desk) as visit:
        page = visit.page
        visit.log_in(MEMBER)
        visit.open("/timer/")
        page.clock.install()
        visit.press(page.locator(".tm-tasks button").first)
        page.clock.run_for(61_000)
        expect(page.locator("#timer-bar .rx-timer__time")).to_have_text("0:01")
        expect(page.locator(".tm-now__time [role=timer]")).to_have_text("0:01")  # no seconds where motion is unwanted
        assert page.locator("#timer-bar [aria-live], .tm-now [aria-live]").count() == 0


def test_without_javascript_it_works_by_forms(
    chromium: Browser,  # noqa: F811
    desk: str,
) -> None:
    with visiting(chromium, desk, javascript=False, width=360) as visit:
        page = visit.page
        visit.log_in(MEMBER)
        visit.open("/")
        visit.press(page.locator(".da-tasks button").first)
        backdate(2)
        page.locator("#timer-bar summary").click()
        visit.press(page.get_by_role("link", name="Discard…"))
        visit.press(page.get_by_role("link", name="Cancel"))
        page.locator("#q").fill("I-4")
        visit.press(page.get_by_role("button", name="Search"))
        page.locator("#start-memo").fill("by hand")
        visit.press(page.get_by_role("button", name="Switch to Step 4"))
        expect(page.locator(".tm-memo")).to_have_text("by hand")
        visit.press(page.get_by_role("button", name="Stop timer"))
        expect(page.locator(".rx-flash")).to_contain_text("less than a minute")


@pytest.mark.parametrize(("language", "width", "scheme"), VIEWS)
def test_dashboard_and_timer_are_accessible_and_fit(
    chromium: Browser,  # noqa: F811
    desk: str,
    language: str,
    width: int,
    scheme: str,
) -> None:
    with visiting(chromium, desk, language=language, width=width, scheme=scheme) as visit:
        page = visit.page
        visit.log_in(MEMBER)
        for path in ("/", "/start/?week=2020-W53", "/timer/"):
            visit.open(path)
            check(visit, path)
        page.locator("#timer-bar summary").click()
        expect(page.locator("#timer-bar [data-tm-offers] button").first).to_be_visible()
        check(visit, "the menu in the bar")
        visit.press(page.locator("#timer-bar button").first)
        for path in ("/", "/timer/discard", "/timer/"):
            visit.open(path)
            check(visit, f"running: {path}")
        backdate(3000)
        visit.open("/timer/")
        page.locator("[name=end-time]").fill("25:00")
        visit.press(page.locator("[value=end]"))
        check(visit, "forgotten, and a mistake")
        page.locator("#timer-bar summary").click()
        check(visit, "forgotten: the menu in the bar")
