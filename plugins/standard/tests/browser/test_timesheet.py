"""The time sheet in a real browser: by keyboard alone, on a phone, without JavaScript, and for everybody."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from time import monotonic

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import delete, func, select

from app import create_app
from app.config import load_settings
from app.sdk import read_connection, users, write_transaction
from plugins.standard.closing_days import EVERYBODY
from plugins.standard.entries import CellChange, Writer, save_cells
from plugins.standard.models import Closing, Customer, Entry, Favourite, Project, SheetRow, Span, Task
from tests.browser.conftest import Visit, chromium, visiting  # noqa: F401 - a fixture is found by its name
from tests.conftest import ADMINISTRATOR, MEMBER, SECRET_KEY, add_person, register_key
from tests.license_keys import KID, key_pair
from tests.process.server import Server, environment_of

pytestmark = [pytest.mark.browser, pytest.mark.process]
THURSDAY = date(2026, 11, 26)
MONDAY = THURSDAY - timedelta(days=3)
WEEK = "/timesheet/?week=2026-W48"
VIEWS = [("en-GB", 1280, "light"), ("en-GB", 360, "dark"), ("ja", 1280, "dark"), ("ja", 360, "light")]
TASKS = 10
HEADROOM_S = 60


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory, sqlite_templates: dict[str, Path]) -> Iterator[tuple[Flask, str]]:
    """A company with ten tasks behind gunicorn."""
    folder = tmp_path_factory.mktemp("sheets")
    (folder / "keys").mkdir()
    (folder / "keys" / f"{KID}.pem").write_bytes(key_pair().public_pem())
    (folder / "timetracker.sqlite3").write_bytes(sqlite_templates["empty"].read_bytes())
    app = create_app(load_settings({}, instance_path=folder, secret_key=SECRET_KEY, time_zone="Asia/Tokyo"))
    add_person(app, ADMINISTRATOR, name="Haruka Kitamura", admin=True)
    add_person(app, MEMBER, name="Mio Sakai")
    register_key(app, seats=25)
    with app.app_context(), write_transaction() as session:
        customer = Customer(code="KIT", name="Kitamura Precision Co., Ltd.", active=True)
        session.add(customer)
        session.flush()
        for name, colour in (("Press line renewal", "blue"), ("Inspection cell", "teal")):
            project = Project(customer_id=customer.id, code=name[:3].upper(), name=name, colour=colour)
            project.active = project.for_everybody = True
            session.add(project)
            session.flush()
            session.add_all(
                Task(
                    project_id=project.id, code=f"{name[0]}-{number}", name=f"Step {number}", active=True, billable=True
                )
                for number in range(TASKS // 2)
            )
    with Server({**environment_of(app), "TIMETRACKER_TIME_ZONE": "Asia/Tokyo"}) as server:
        yield app, f"http://127.0.0.1:{server.port}"


@pytest.fixture
def office(company: tuple[Flask, str]) -> Iterator[tuple[Flask, str]]:
    """The same with an empty sheet."""
    app, base = company
    with app.app_context():
        with write_transaction() as session:
            for table in (Entry, SheetRow, Favourite, Span):
                session.execute(delete(table))
        yield app, base


def member_id() -> int:
    with read_connection() as connection:
        found: int = connection.execute(select(users.c.id).where(users.c.login == MEMBER)).scalar_one()
        return found


def put_rows(count: int = TASKS) -> list[int]:
    with write_transaction() as session:
        tasks = list(session.execute(select(Task.id).order_by(Task.id).limit(count)).scalars())
        session.add_all(SheetRow(user_id=member_id(), thursday=THURSDAY, task_id=task) for task in tasks)
    return tasks


def recorded() -> int:
    with read_connection() as connection:
        return int(connection.execute(select(func.coalesce(func.sum(Entry.minutes), 0))).scalar_one())


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['target']} {node['failureSummary']}" for rule in found for node in rule["nodes"]]


def check(visit: Visit, where: str) -> None:
    assert violations(visit.page) == [], where
    assert not visit.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"), where


def test_ten_tasks_and_five_days_are_entered_by_keyboard_alone_in_under_a_minute(
    chromium: Browser,  # noqa: F811 - the fixture
    office: tuple[Flask, str],
) -> None:
    with visiting(chromium, office[1]) as visit:
        page = visit.page
        visit.log_in(MEMBER)
        visit.open(WEEK)
        started = monotonic()
        for number in range(TASKS):  # the ten tasks, found by their codes
            page.keyboard.press("Control+Enter")
            code = f"{'PI'[number % 2]}-{number // 2}"
            page.keyboard.type(code)
            expect(page.locator("#task-list .ts-offer")).to_have_count(1)
            page.keyboard.press("ArrowDown")
            with page.expect_navigation():
                page.keyboard.press("Enter")
            expect(page.locator(".ts-hours:focus")).to_have_count(1)  # in the new row
        expect(page.locator("[data-ts-row]")).to_have_count(TASKS)
        for _ in range(TASKS):  # up from the row that was added last, and to its first day
            page.keyboard.press("ArrowUp")
        for row in range(TASKS):
            for day in range(5):
                page.keyboard.type(f"0:{30 + day}")
                page.keyboard.press("ArrowRight" if day < 4 else "Enter")
            if row < TASKS - 1:
                for _ in range(4):
                    page.keyboard.press("ArrowLeft")
        expect(page.locator("[data-ts-status]")).to_have_text("50 changes not saved")
        expect(page.locator("tfoot tr").first.locator("td").first).to_contain_text("5:00")
        with page.expect_navigation():
            page.keyboard.press("Control+s")
        took = monotonic() - started
        expect(page.locator(".rx-flash")).to_have_text("50 cells saved.")
        assert recorded() == TASKS * sum(30 + day for day in range(5))
        assert took < HEADROOM_S


def test_the_grid_is_a_spreadsheet(chromium: Browser, office: tuple[Flask, str]) -> None:  # noqa: F811
    first, second, *_ = put_rows(3)
    with visiting(chromium, office[1]) as visit:
        page = visit.page
        visit.log_in(MEMBER)
        visit.open(WEEK)

        def focused() -> str:
            name: str = page.evaluate("document.activeElement.name")
            return name

        def cell(task: int, day: date) -> str:
            return f"h-{task}-{day}"

        page.locator(f"[name='{cell(first, MONDAY)}']").focus()
        page.keyboard.type("1.5")
        page.keyboard.press("ArrowDown")
        assert focused() == cell(second, MONDAY)
        expect(page.locator(f"[name='{cell(first, MONDAY)}']")).to_have_value("1:30")
        page.keyboard.press("ArrowUp")
        page.keyboard.type("2")  # replaces what is there
        page.keyboard.press("Tab")
        assert focused() == cell(first, MONDAY + timedelta(days=1))
        page.keyboard.press("Shift+Tab")
        expect(page.locator(f"[name='{cell(first, MONDAY)}']")).to_have_value("2:00")
        page.keyboard.press("Escape")
        expect(page.locator(f"[name='{cell(first, MONDAY)}']")).to_have_value("")
        expect(page.locator("[data-ts-status]")).to_have_text("")
        page.keyboard.type("abc")
        page.keyboard.press("Enter")
        expect(page.locator(f"[name='{cell(first, MONDAY)}']")).to_have_attribute("aria-invalid", "true")
        page.keyboard.press("Shift+Enter")
        page.keyboard.type("3")
        page.keyboard.press("Shift+F2")
        page.keyboard.type("=1+1")
        page.keyboard.press("Escape")
        assert focused() == cell(first, MONDAY)
        expect(page.locator("[data-ts-status]")).to_have_text("1 change not saved")
        asked: list[str] = []
        page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
        page.locator(".rx-nav__link").first.click()
        expect(page.locator(f"[name='{cell(first, MONDAY)}']")).to_have_value("3:00")
        assert asked == ["beforeunload"]
        with page.expect_navigation():
            page.keyboard.press("Control+s")
        with read_connection() as connection:
            assert connection.execute(select(Entry.minutes, Entry.memo)).one() == (180, "=1+1")


@pytest.mark.parametrize("width", [1280, 360])
def test_without_javascript_the_week_is_a_form(
    chromium: Browser,  # noqa: F811
    office: tuple[Flask, str],
    width: int,
) -> None:
    with visiting(chromium, office[1], javascript=False, width=width) as visit:
        page = visit.page
        visit.log_in(MEMBER)
        visit.open(WEEK)
        if width > 640:
            page.locator(".ts-add input[type=search]").fill("P-0")
            visit.press(page.locator("button[value=search]"))
        else:
            visit.open("/timesheet/tasks?week=2026-W48&q=P-0")
        visit.press(page.locator("#task-list .ts-offer"))
        if width < 640:
            page.locator(".ts-days label").nth(3).click()  # no page is loaded for another day
        hours = page.locator(f"[name$='-{THURSDAY}'].ts-hours")
        hours.fill("1:15")
        page.locator(f"[id^='b-'][id$='-{THURSDAY}']").click()
        page.locator(f"[id^='m-'][id$='-{THURSDAY}']").fill("by hand")
        page.locator(f"[id^='p-'][id$='-{THURSDAY}'] .btn").click()
        hours.focus()
        with page.expect_navigation():
            page.keyboard.press("Enter")  # saves, as in any form
        expect(page.locator(".rx-flash")).to_have_text("1 cell saved.")
        with read_connection() as connection:
            assert connection.execute(select(Entry.minutes, Entry.memo)).one() == (75, "by hand")


@pytest.mark.parametrize(("language", "width", "scheme"), VIEWS)
def test_every_page_of_the_sheet_is_accessible_and_fits(
    chromium: Browser,  # noqa: F811
    office: tuple[Flask, str],
    language: str,
    width: int,
    scheme: str,
) -> None:
    tasks = put_rows(4)
    changes = [CellChange(task, MONDAY + timedelta(days=task % 4), 60, "a memo", 0) for task in tasks]
    save_cells(Writer(member_id(), MEMBER, by=MEMBER), changes)
    with write_transaction() as session:
        closing = session.get_one(Closing, EVERYBODY)
        closing.closed_through = MONDAY
    with visiting(chromium, office[1], language=language, width=width, scheme=scheme) as visit:
        page = visit.page
        visit.log_in(MEMBER)
        for path in ("/timesheet/?week=2026-W40", WEEK, f"/timesheet/day?day={THURSDAY}", "/timesheet/tasks", WEEK):
            visit.open(path)
            check(visit, path)
        if width > 640:
            page.locator(".ts-hours").first.focus()
            page.keyboard.type("1")
            page.keyboard.press("Shift+F2")
            check(visit, "memo")
            page.keyboard.press("Escape")
        page.locator(".ts-copy > summary").click()
        check(visit, "the ways to copy")
        page.keyboard.press("Escape")
        if width < 640:
            page.locator(".ts-days label").nth(4).click()
        page.locator(".ts-hours:visible").last.fill("25")
        with page.expect_navigation():
            page.keyboard.press("Control+s")
        check(visit, "mistakes")
        assert page.evaluate("document.activeElement.getAttribute('aria-invalid')") == "true"
        # What only the server knows, here that the day is too long, is marked in the same way, until another is typed.
        friday = page.locator(f"[name$='-{THURSDAY + timedelta(days=1)}'].ts-hours")
        friday.nth(0).fill("12:30")
        friday.nth(1).fill("12:30")
        page.locator(".ts-hours:visible").last.fill("")
        with page.expect_navigation():
            page.keyboard.press("Control+s")
        refused = page.locator(".ts-hours:focus")
        expect(refused).to_have_attribute("aria-invalid", "true")
        expect(refused).to_have_class("ts-hours is-changed is-invalid")
        refused.fill("1")
        expect(refused).not_to_have_attribute("aria-invalid", "true")
    with write_transaction() as session:
        session.get_one(Closing, EVERYBODY).closed_through = None


def test_on_paper_every_number_is_whole_and_the_person_is_named(
    chromium: Browser,  # noqa: F811
    office: tuple[Flask, str],
) -> None:
    task = put_rows(1)[0]
    save_cells(Writer(member_id(), MEMBER, by=MEMBER), [CellChange(task, MONDAY, 12 * 60 + 45, "", 0)])
    with visiting(chromium, office[1], width=702) as visit:  # A4 without its margins
        visit.log_in(MEMBER)
        visit.open(WEEK)
        expect(visit.page.get_by_text("Mio Sakai ·")).not_to_be_visible()
        visit.page.emulate_media(media="print")
        expect(visit.page.get_by_text("Mio Sakai ·")).to_be_visible()
        is_cut = "field => field.scrollWidth > field.clientWidth"
        assert visit.page.locator(".ts-hours").evaluate_all(f"fields => fields.filter({is_cut}).length") == 0
        foot = visit.page.locator("tfoot").evaluate("foot => getComputedStyle(foot).display")
        assert foot == "table-row-group"  # else it stands on each page
