"""The month as people read it: figures, holidays, missing and closed days, other people's, the ends of the calendar."""

import re
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from app.sdk import write_transaction
from plugins.standard.access import Role
from plugins.standard.entries import CellChange, save_cells
from plugins.standard.models import Project
from plugins.standard.tests.company import THURSDAY, Company
from plugins.standard.tests.people import counted, manager, set_option
from tests.conftest import add_person

pytestmark = pytest.mark.usefixtures("thursday")

NOVEMBER = date(2026, 11, 1)


def record(office: Company, task: str, minutes: int, *days: int) -> None:
    """Record hours on days of November."""
    changes = [CellChange(office.tasks[task], NOVEMBER.replace(day=day), minutes, "", 0) for day in days]
    with office.app.app_context():
        save_cells(office.writer, changes)


def text_of(page: str) -> str:
    """What the page says, without its elements."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def month(client: FlaskClient, **query: object) -> str:
    answer = client.get("/month/", query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_the_figures_of_a_month_add_up(office: Company, member_client: FlaskClient) -> None:
    record(office, "drawing", 300, *range(2, 7), *range(9, 14), *range(16, 21))
    record(office, "review", 180, *range(2, 7), *range(9, 14), *range(16, 21))
    record(office, "review", 195, 24)
    said = text_of(month(member_client))
    assert "Recorded 123:15 hours of 168:00 expected in the month" in said
    assert "Expected so far 144:00 through Wed 25 Nov" in said
    assert "Balance −20:45 123:15 recorded through Wed 25 Nov" in said
    assert "Missing days 2 nothing was recorded on them" in said
    assert "Press Kitamura Precision 123:15" in said


def test_a_missing_day_is_said_in_words_and_leads_to_its_week(office: Company, member_client: FlaskClient) -> None:
    record(office, "drawing", 480, 24)
    page = month(member_client)
    assert '<span class="rx-badge rx-badge--warn">missing</span>' in page
    assert "Nothing recorded, 8:00 expected" in page
    assert 'href="/timesheet/?week=2026-W48&amp;at=2026-11-25"' in page
    assert 'href="/timesheet/day?day=2026-11-25"' in page
    assert 'aria-label="Fill in Wednesday, 25 November 2026"' in page


def test_holidays_are_named_and_nothing_is_expected_of_them(office: Company, member_client: FlaskClient) -> None:
    record(office, "drawing", 60, 2, 23)
    set_option(office, "standard.country", "JP")
    page = month(member_client)
    assert "Culture Day" in page
    assert "Labor Thanksgiving Day" in page
    assert "hours of 152:00 expected in the month" in page
    assert "+1:00" in page, "an hour on a holiday is over-time"


def test_closed_days_are_marked_and_cannot_be_filled_in(office: Company, member_client: FlaskClient) -> None:
    record(office, "drawing", 480, 24)
    office.close(THURSDAY)
    page = month(member_client)
    assert "Closed through 26 November 2026" in page
    assert page.count('aria-label="closed"') == 26
    assert "Fill in Wednesday" not in page
    office.close(date(2026, 11, 10), user_id=office.writer.user_id)
    assert month(member_client).count('aria-label="closed"') == 10, "a day of one's own counts"


def test_nothing_is_expected_before_the_first_day_with_hours(office: Company, member_client: FlaskClient) -> None:
    assert "Nothing is expected before the first day with hours." in month(member_client)
    record(office, "drawing", 480, 24)
    page = month(member_client)
    assert "Nothing is expected before 24 November 2026, the first day with hours." in page
    assert "hours of 40:00 expected in the month" in page
    assert "Nothing is expected before" not in month(member_client, month="2026-12")
    assert "hours of 0:00 expected in the month" in month(member_client, month="2026-10")


def test_the_balance_of_today_waits_for_what_is_expected(office: Company, member_client: FlaskClient) -> None:
    record(office, "drawing", 479, 24, 25, 26)
    page = month(member_client)
    assert "through Wed 25 Nov; today joins it once it has what is expected." in page
    assert "of 8:00</span>" in page
    record(office, "review", 61, 26)
    assert "Balance +0:58 24:58" not in text_of(page)
    assert "Balance +0:58 24:58 recorded through Thu 26 Nov" in text_of(month(member_client))


def test_the_ends_of_the_calendar_have_one_neighbour(office: Company, member_client: FlaskClient) -> None:
    for code, there, missing in (("0001-01", "0001-02", "0000"), ("9999-12", "9999-11", "10000")):
        for start in ("monday", "sunday", "saturday"):
            set_option(office, "standard.week_start", start)
            page = month(member_client, month=code)
            assert f'href="/month/?month={there}"' in page
            assert missing not in page


def test_what_is_no_month_is_this_month(member_client: FlaskClient) -> None:
    for code in ("2026-13", "0000-01", "x", "\0", "\uff12\uff10\uff12\uff16-11", "2026-11-26", "9" * 400):
        assert "November 2026" in month(member_client, month=code)
    assert "day=2028-02-29" in month(member_client, month="2028-02")


# Other people -------------------------------------------------------------------------------------------------------


def test_a_member_who_asks_for_anothers_month_gets_403(member_client: FlaskClient) -> None:
    answer = member_client.get("/month/?person=1")
    assert (answer.status_code, "sheet_not_yours" in answer.text) == (403, True)
    assert member_client.get("/month/?person=x").status_code == 404


def test_a_reader_sees_the_hours_of_their_projects_and_no_balance(office: Company) -> None:
    with office.app.app_context(), write_transaction() as session:
        session.execute(update(Project).values(for_everybody=True))
    record(office, "drawing", 61, 24)
    record(office, "of others", 127, 24, 25)
    page = month(manager(office, Role.READER, "press"), person=office.writer.user_id)
    assert "This is the month of Mio Sakai." in page
    assert "1:01" in page
    for hidden in ("2:07", "3:08", "4:14", "5:15", "Others", "missing", "Balance", "Expected", "expected in the month"):
        assert hidden not in page, hidden
    assert f'href="/month/?person={office.writer.user_id}&amp;month=2026-10"' in page


def test_a_month_takes_few_statements_whatever_the_history(office: Company, member_client: FlaskClient) -> None:
    theirs = manager(office, Role.READER, "press")
    add_person(office.app, "another")
    for client in (member_client, theirs):
        month(client)  # a first page writes down that somebody was seen
    for _ in range(2):
        with counted(office.app) as own:
            month(member_client)
        with counted(office.app) as others:
            month(theirs, person=office.writer.user_id)
        assert max(len(own), len(others)) <= 6, [*own, *others]
        days = [NOVEMBER - timedelta(days=number) for number in range(-25, 60)]
        with office.app.app_context():
            save_cells(office.writer, [CellChange(office.tasks["drawing"], day, 60, "", 0) for day in days])
