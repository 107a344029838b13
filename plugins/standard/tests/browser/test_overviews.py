"""Month, people and closing in a real browser: without JavaScript, by keyboard, on a phone, and for everybody."""

import csv
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, expect
from sqlalchemy import delete, func, select

from app import create_app
from app.config import load_settings
from app.sdk import now, read_connection, users, write_transaction
from plugins.standard.closing_days import EVERYBODY
from plugins.standard.demo.company import WITH_TIMER
from plugins.standard.demo.service import fill
from plugins.standard.models import Closing, Entry, RunningTimer, SheetRow, Task
from plugins.standard.settings import work_calendar
from tests.browser.conftest import Visit, chromium, visiting  # noqa: F401 - a fixture is found by its name
from tests.conftest import ADMINISTRATOR, PASSWORD, SECRET_KEY, add_person, register_key
from tests.license_keys import KID, key_pair
from tests.process.server import Server, environment_of

pytestmark = [pytest.mark.browser, pytest.mark.process]
VIEWS = [("en-GB", 1280, "light"), ("en-GB", 360, "dark"), ("ja", 1280, "dark"), ("ja", 360, "light")]
TODAY = date.today()  # noqa: DTZ011 - any day near this one
LAST_WEEK = TODAY - timedelta(days=7)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory, sqlite_templates: dict[str, Path]) -> Iterator[tuple[Flask, str]]:
    """The demo company behind gunicorn."""
    folder = tmp_path_factory.mktemp("overviews")
    (folder / "keys").mkdir()
    (folder / "keys" / f"{KID}.pem").write_bytes(key_pair().public_pem())
    (folder / "timetracker.sqlite3").write_bytes(sqlite_templates["empty"].read_bytes())
    app = create_app(load_settings({}, instance_path=folder, secret_key=SECRET_KEY, time_zone="Asia/Tokyo"))
    add_person(app, ADMINISTRATOR, name="Haruka Kitamura", admin=True)
    register_key(app, seats=25)
    with app.app_context():
        fill(PASSWORD)
    with Server({**environment_of(app), "TIMETRACKER_TIME_ZONE": "Asia/Tokyo"}) as server:
        yield app, f"http://127.0.0.1:{server.port}"


def check(visit: Visit, where: str) -> None:
    found = Axe().run(visit.page).response["violations"]
    assert [f"{rule['id']}: {node['target']}" for rule in found for node in rule["nodes"]] == [], where
    assert not visit.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"), where


@pytest.mark.parametrize(("language", "width", "scheme"), VIEWS)
def test_every_overview_is_accessible_and_fits(
    chromium: Browser,  # noqa: F811 - the fixture
    company: tuple[Flask, str],
    language: str,
    width: int,
    scheme: str,
) -> None:
    with visiting(chromium, company[1], language=language, width=width, scheme=scheme) as visit:
        visit.log_in()
        for path in (
            "/month/",
            "/month/?person=2",
            "/month/?month=9999-12",
            "/people/",
            "/people/?q=nobody",
            "/reports/?period=last_month&group=customer&then=person",
            "/reports/?period=this_year&group=month&billable=yes",
            "/reports/?since=2026-02-02&until=2026-02-01&person=nobody",
            "/reports/entries?period=last_week&group=project",
            "/reports/export?period=this_year&group=project",
            "/closing/?q=a",
            "/closing/person?person=2",
            f"/closing/check?through={TODAY}",
            "/closing/check?mode=nothing",
            "/closing/check?through=2999-01-01",
        ):
            visit.open(path)
            check(visit, path)


@pytest.mark.parametrize(
    ("login", "pages"), [(WITH_TIMER, ("start", "timesheet", "month")), ("e.matsuda", ("reports",))]
)
def test_the_tour_of_the_readme_shows_a_company_at_work(
    chromium: Browser,  # noqa: F811 - the fixture
    company: tuple[Flask, str],
    login: str,
    pages: tuple[str, ...],
) -> None:
    with visiting(chromium, company[1]) as visit:
        visit.log_in(login)
        for page in pages:
            visit.open(f"/{page}/")
            check(visit, page)
            expect(visit.page.locator(".rx-timer")).to_be_visible()
            visit.picture(f"{page}-en")


def closed_through(app: Flask) -> date | None:
    with app.app_context(), read_connection() as connection:
        found: date | None = connection.execute(
            select(Closing.closed_through).where(Closing.scope == EVERYBODY)
        ).scalar_one()
        return found


@pytest.mark.parametrize("javascript", [False, True])
def test_days_are_closed_and_opened_again_by_keyboard(
    chromium: Browser,  # noqa: F811 - the fixture
    company: tuple[Flask, str],
    *,
    javascript: bool,
) -> None:
    app, base = company
    with app.app_context(), write_transaction() as session:
        session.get_one(Closing, EVERYBODY).closed_through = None
    with visiting(chromium, base, javascript=javascript) as visit:
        page = visit.page
        visit.log_in()
        visit.open("/closing/")
        page.locator("#through").fill(LAST_WEEK.isoformat())
        with page.expect_navigation():
            page.locator("#through").press("Enter")
        expect(page.locator(".rx-confirm h2")).to_contain_text("Close all days through")
        page.locator(".rx-confirm .btn-primary").focus()
        with page.expect_navigation():
            page.keyboard.press("Enter")
        expect(page.locator(".rx-flash")).to_contain_text("Closed through")
        assert closed_through(app) == LAST_WEEK
        visit.press(page.locator(".rx-flash a"))  # Undo…
        expect(page.locator(".rx-confirm h2")).to_have_text("Open all days again?")
        visit.press(page.locator(".rx-confirm .btn-primary"))
        assert closed_through(app) is None


def make_a_day_missing(app: Flask) -> tuple[int, date]:
    """Take somebody's hours of a working day off, and open all days; whose and which day that is."""
    with app.app_context():
        calendar = work_calendar("en")
        with read_connection() as connection:
            user_id = connection.execute(select(users.c.id).where(users.c.login == WITH_TIMER)).scalar_one()
            days = connection.execute(
                select(Entry.day).where(Entry.user_id == user_id, Entry.day < LAST_WEEK).order_by(Entry.day.desc())
            ).scalars()
            day = next(day for day in days if calendar.expected(day))
        with write_transaction() as session:
            session.execute(delete(Entry).where(Entry.user_id == user_id, Entry.day == day))
            session.get_one(Closing, EVERYBODY).closed_through = None
    return user_id, day


def test_a_missing_day_leads_from_the_list_of_people_to_its_week(
    chromium: Browser,  # noqa: F811 - the fixture
    company: tuple[Flask, str],
) -> None:
    app, base = company
    user_id, day = make_a_day_missing(app)
    with visiting(chromium, base, width=360) as visit:
        page = visit.page
        visit.log_in()
        visit.open(f"/people/?month={day:%Y-%m}&which=lacking&q={WITH_TIMER}")
        visit.press(page.locator(f".pe-links a[href*='person={user_id}&']").first)
        missing = page.locator(".mo-day").filter(has=page.locator(f"a[href$='day={day}']"))
        expect(missing.locator(".rx-badge--warn")).to_have_text("missing")
        visit.press(page.locator(f".rx-list a[href$='at={day}']"))
        expect(page.locator(f"a[href$='day={day}']").filter(visible=True).first).to_be_visible()


def test_the_bar_of_somebody_who_may_everything_fits_beside_a_running_timer(
    chromium: Browser,  # noqa: F811 - the fixture
    company: tuple[Flask, str],
) -> None:
    app, base = company
    with app.app_context():
        with read_connection() as connection:
            user_id = connection.execute(select(users.c.id).where(users.c.login == ADMINISTRATOR)).scalar_one()
            task_id = connection.execute(select(Task.id).order_by(Task.id).limit(1)).scalar_one()
        with write_transaction() as session:
            session.add(RunningTimer(user_id=user_id, task_id=task_id, memo="", started_at=now()))
    with visiting(chromium, base) as visit:
        visit.log_in()
        visit.open("/closing/")
        for width in (1440, 1380, 1280, 1220, 1200, 1100, 1060, 1050, 900, 800, 600, 360):
            visit.page.set_viewport_size({"width": width, "height": 600})
            wide = visit.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, width
            assert visit.page.locator(".rx-nav--full, .rx-burger").filter(visible=True).count() == 1, width


@pytest.mark.parametrize("language", ["en-GB", "ja"])
def test_the_whole_name_of_a_holiday_stands_in_the_head_of_the_week(
    chromium: Browser,  # noqa: F811
    company: tuple[Flask, str],
    language: str,
) -> None:
    thursday = date(2026, 11, 26)  # of the week of Labor Thanksgiving Day
    with company[0].app_context(), write_transaction() as session:
        user_id = session.execute(select(users.c.id).where(users.c.login == WITH_TIMER)).scalar_one()
        task_id = session.execute(select(Task.id).limit(1)).scalar_one()
        session.execute(delete(SheetRow).where(SheetRow.user_id == user_id, SheetRow.thursday == thursday))
        session.add(SheetRow(user_id=user_id, thursday=thursday, task_id=task_id))
    with visiting(chromium, company[1], language=language) as visit:
        visit.log_in(WITH_TIMER)
        visit.open("/timesheet/?week=2026-W48")
        name = visit.page.locator(".ts-holiday")
        assert name.count() == 1
        assert name.evaluate("it => it.scrollWidth <= it.clientWidth && it.scrollHeight <= it.clientHeight")
        assert name.evaluate("it => getComputedStyle(it).textOverflow") == "clip"


def test_an_export_shows_how_far_it_is_and_can_be_cancelled(
    chromium: Browser,  # noqa: F811
    company: tuple[Flask, str],
    tmp_path: Path,
) -> None:
    with company[0].app_context(), read_connection() as connection:
        number = connection.execute(select(func.count()).select_from(Entry)).scalar_one()
    with visiting(chromium, company[1]) as visit:
        page = visit.page
        visit.log_in()
        visit.open("/reports/export?since=2000-01-01&until=2100-01-01")
        for place, name in enumerate(("csv", "xlsx")):
            with page.expect_download() as download:
                page.locator("[data-rp-export]").nth(place).click()
            assert download.value.suggested_filename == f"entries-2000-01-01-2100-01-01.{name}"
            download.value.save_as(tmp_path / name)
            expect(page.locator("[data-rp-status]")).to_have_text(f"The file is here: {number:,} rows.")
        with (tmp_path / "csv").open(encoding="utf-8-sig", newline="") as file:
            assert sum(1 for _ in csv.reader(file)) == 1 + number
        check(visit, "progress")
        # Of a file that goes on and on, a part is here.
        page.route("**/entries.csv*", lambda _: None)
        page.locator("[data-rp-export]").first.click()
        expect(page.locator("[data-rp-rows]")).to_have_text(f"0 of {number:,} rows")
        page.locator("[data-rp-cancel]").click()
        expect(page.locator("[data-rp-status]")).to_have_text("The export was cancelled.")
        # A frame of one row, and no last one: it broke off.
        page.unroute("**/entries.csv*")
        headers = {"Content-Disposition": 'attachment; filename="entries.csv"'}
        part = b"\x00\x00\x00\x01\x00\x00\x00\x01a"
        page.route("**/entries.csv*", lambda route: route.fulfill(status=200, headers=headers, body=part))
        page.locator("[data-rp-export]").first.click()
        expect(page.locator("[data-rp-status]")).to_have_text("The file broke off. Try again.")


def test_an_export_is_a_plain_download_without_javascript(
    chromium: Browser,  # noqa: F811
    company: tuple[Flask, str],
    tmp_path: Path,
) -> None:
    with visiting(chromium, company[1], javascript=False) as visit:
        visit.log_in()
        visit.open("/reports/export?period=this_year")
        expect(visit.page.locator("[data-rp-progress]")).to_be_hidden()
        with visit.page.expect_download() as download:
            visit.page.locator("[data-rp-export]").first.click()
        download.value.save_as(tmp_path / "csv")
        assert (tmp_path / "csv").read_bytes().startswith(b"\xef\xbb\xbfDay,Login,")
