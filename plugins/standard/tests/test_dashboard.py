"""The dashboard: the week, what is missing, where the hours went, and the timer in one press."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app.editions import registry
from plugins.standard.balance import Presence
from plugins.standard.dashboard.overview import Facts, Overview, Recorded, build_overview
from plugins.standard.tests.company import THURSDAY, Company
from plugins.standard.tests.people import counted, set_option
from plugins.standard.tests.test_timesheet_web import record
from plugins.standard.timesheet.grid import SheetRules
from plugins.standard.timesheet.service import Times
from plugins.standard.week import WeekStart, week_of
from plugins.standard.workdays import WorkCalendar
from tests.conftest import csrf_token

MONDAY = THURSDAY - timedelta(days=3)
CALENDAR = WorkCalendar(480, frozenset(range(5)), country="JP")


def overview(
    *hours: tuple[date, int, int],
    first: date | None = date(2020, 1, 1),
    closed: date | None = None,
    week: date = THURSDAY,
) -> Overview:
    """``hours`` are day, project and minutes."""
    recorded = (
        Recorded(day, 10 * project, minutes, project, f"Project {project}", "Customer", "blue")
        for day, project, minutes in hours
    )
    times = Times(WeekStart.MONDAY, CALENDAR, THURSDAY)
    facts = Facts(Presence(first), SheetRules(closed), times)
    return build_overview(week_of(week, today=THURSDAY), recorded, facts)


def test_the_week_and_the_month_add_up_to_their_own_days_alone() -> None:
    hours = [(MONDAY - timedelta(days=1), 1, 60), (MONDAY, 1, 30), (THURSDAY, 2, 45), (date(2026, 10, 31), 2, 500)]
    found = overview(*hours)
    assert (found.minutes, found.month_minutes) == (75, 135)
    assert found.expected == 4 * 480  # Monday, 23 November 2026, is a holiday in Japan
    assert [(effort.project, effort.week, effort.month) for effort in found.efforts] == [
        ("Project 2", 45, 45),
        ("Project 1", 30, 90),
    ]
    assert found.by_task == {10: 30, 20: 45}


def test_past_working_days_with_less_than_expected_are_missing_the_latest_first() -> None:
    full = [(THURSDAY - timedelta(days=back), 1, 480) for back in range(3, 29)]
    found = overview(*full, (THURSDAY - timedelta(days=1), 1, 465))
    assert [(day.date, day.balance) for day in found.lacking] == [
        (THURSDAY - timedelta(days=1), -15),
        (THURSDAY - timedelta(days=2), -480),
    ]


def test_nothing_is_missing_before_the_first_hours_nor_on_closed_days_nor_long_ago() -> None:
    assert overview(first=None).lacking == ()
    assert len(overview(first=MONDAY).lacking) == 2  # Tuesday and Wednesday
    assert [day.date for day in overview(closed=MONDAY + timedelta(days=1)).lacking] == [MONDAY + timedelta(days=2)]
    days = [day.date for day in overview().lacking]
    assert min(days) >= THURSDAY - timedelta(weeks=4)
    assert MONDAY not in days
    assert all(day.weekday() < 5 for day in days)


# As a page ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def noon() -> Iterator[None]:
    with time_machine.travel(datetime(2026, 11, 26, 12, tzinfo=UTC), tick=False):
        yield


@pytest.mark.usefixtures("noon")
def test_what_is_missing_leads_to_its_day_on_the_sheet(office: Company, member_client: FlaskClient) -> None:
    record(office, ("drawing", MONDAY, 480), ("review", MONDAY + timedelta(days=1), 450))
    page = member_client.get("/").text
    assert "You have recorded 15:30 of 40:00 this week." in page
    missing = page.partition('id="missing"')[2].partition("</section>")[0]
    assert re.findall(r"<strong>(.*?)</strong>", missing) == ["Wed 25 Nov: 8:00 missing", "Tue 24 Nov: 0:30 missing"]
    assert "/timesheet/?week=2026-W48&amp;at=2026-11-25" in missing


@pytest.mark.usefixtures("noon")
def test_the_chart_is_a_table_of_the_week_that_is_asked_for(office: Company, member_client: FlaskClient) -> None:
    set_option(office, "standard.week_start", "sunday")
    record(office, ("drawing", MONDAY, 90))
    page = member_client.get("/start/?week=2026-W48").text
    chart = page.partition('<table class="st-columns">')[2].partition("</table>")[0]
    assert re.findall(r'<time datetime="([0-9-]+)"', chart)[0] == "2026-11-22"
    assert re.findall(r"</svg>([0-9:–]+)</td>", chart) == ["–", "1:30", "–", "–", "–", "–", "–"]
    assert chart.count("of 8:00") == 5
    for nonsense in ("0001-W01", "9999-W52", "2026-W60", "%00", "٢٠٢٦-W48"):
        assert member_client.get(f"/start/?week={nonsense}").status_code == 200


@pytest.mark.usefixtures("noon")
def test_a_task_is_started_in_one_press_and_stopped_in_another(office: Company, member_client: FlaskClient) -> None:
    record(office, ("drawing", MONDAY, 90), ("review", MONDAY, 30))
    page = member_client.get("/").text
    assert page.count("this week</span>") == 2
    token = {"csrf_token": csrf_token(member_client), "next": "/start/"}
    answer = member_client.post("/timer/", data={**token, "action": f"start-{office.tasks['drawing']}"})
    assert (answer.status_code, answer.location) == (303, "/start/")
    page = member_client.get("/").text
    assert "The timer runs on Drawing." in page
    assert page.count(f'value="start-{office.tasks["drawing"]}"') == 0
    assert "Switch to Review" in page


@pytest.mark.usefixtures("noon")
def test_its_statements_are_few_whatever_the_history(office: Company, member_client: FlaskClient) -> None:
    counts = set()
    for weeks in range(2):
        record(office, *(("drawing", THURSDAY - timedelta(days=number + 60 * weeks), 60) for number in range(60)))
        for path in ("/", "/start/?week=2019-W02"):
            member_client.get(path)
            with counted(office.app) as statements:
                member_client.get(path)
            counts.add(len(statements))
    assert counts == {7}


@pytest.mark.usefixtures("noon")
def test_whoever_starts_with_nothing_is_told_what_will_stand_here_and_offered_tasks(
    office: Company, member_client: FlaskClient
) -> None:
    page = member_client.get("/").text
    assert "Days that lack hours will stand here, from your first hours on." in page
    assert f'value="start-{office.tasks["drawing"]}"' in page


@pytest.mark.parametrize("path", ["/", "/timesheet/", "/timesheet/tasks", "/timer/"])
def test_where_there_are_no_tasks_whoever_keeps_them_is_led_to_them(
    licensed_app: Flask, member_client: FlaskClient, admin_client: FlaskClient, path: str
) -> None:
    assert licensed_app
    assert 'href="/work-items/">To the work items</a>' in admin_client.get(path).text
    page = member_client.get(path).text
    assert "No tasks yet" in page
    assert "Ask whoever manages the projects." in page
    assert "To the work items" not in page


@pytest.mark.usefixtures("noon")
def test_without_the_feature_there_is_no_timer_anywhere(
    office: Company, member_client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(office, ("drawing", MONDAY, 90))
    usable = registry.usable_features
    monkeypatch.setattr(registry, "usable_features", lambda standing: usable(standing) - {"timesheet.timer"})
    with counted(office.app) as statements:
        pages = [member_client.get(path).text for path in ("/", "/account")]
    assert not [statement for statement in statements if "edition_standard_timers" in statement]
    for page in pages:
        assert 'id="timer-bar"' not in page
        assert 'value="start-' not in page
