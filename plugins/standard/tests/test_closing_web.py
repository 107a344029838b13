"""Closing as administrators do it: looked at first, done, undone, for one person, by two at once; and what it stops."""

import re
from datetime import date

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, select, update
from werkzeug.test import TestResponse

from app.auth.models import User
from app.sdk import now, read_connection, write_transaction
from plugins.standard.closing_days import ClosedDays, closed_days
from plugins.standard.entries import CellChange, save_cells
from plugins.standard.models import Closing, RunningTimer
from plugins.standard.tests.company import THURSDAY, Company
from plugins.standard.tests.people import counted, grant
from plugins.standard.tests.sheet import MONDAY, Tab, entries, fields_of
from tests.conftest import MEMBER, add_person, csrf_token, log_in

pytestmark = pytest.mark.usefixtures("thursday")

CLOSER = "c.endo"
TUESDAY = date(2026, 11, 24)
WEDNESDAY = date(2026, 11, 25)


@pytest.fixture
def closer(office: Company) -> FlaskClient:
    """A browser of somebody who may close days."""
    grant(office, add_person(office.app, CLOSER, name="Chie Endo"), "standard.closing")
    client = office.app.test_client()
    log_in(client, CLOSER)
    return client


def record(office: Company, *days: date, minutes: int = 480) -> None:
    with office.app.app_context():
        save_cells(office.writer, [CellChange(office.tasks["drawing"], day, minutes, "", 0) for day in days])


def closed(office: Company, user_id: int | None = None) -> ClosedDays:
    with office.app.app_context(), read_connection() as connection:
        return closed_days(connection, office.writer.user_id if user_id is None else user_id)


def look(client: FlaskClient, **query: object) -> TestResponse:
    return client.get("/closing/check", query_string=query)


def confirm(client: FlaskClient, page: TestResponse, **query: object) -> TestResponse:
    """Press the button of the page that says what it would do."""
    form = page.text.partition('class="rx-confirm')[2]
    data = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form))
    return client.post("/closing/", query_string=query, data=data)


def close(client: FlaskClient, **query: object) -> str:
    """Look, confirm, and read the page that follows."""
    person = {name: query[name] for name in ("person",) if name in query}
    answer = confirm(client, look(client, **query), **person)
    assert answer.status_code == 303, answer.text
    return client.get(answer.location).text


# Looking before doing -----------------------------------------------------------------------------------------------


def test_what_it_would_do_is_said_with_numbers_and_nothing_is_done(office: Company, closer: FlaskClient) -> None:
    office.close(date(2026, 11, 22))
    record(office, TUESDAY, minutes=450)
    record(office, date(2026, 11, 23))
    page = look(closer, through="2026-11-25").text
    assert "Close all days through 25 November 2026?" in page
    assert "23–25 Nov 2026: hours of 3 people can be read and not changed" in page
    assert "2 entries with 15:30 hours are on them." in page
    assert "1 day since 23 November 2026 is missing and can then not be filled in: Mio Sakai (1)." in page
    assert "Close for 3 people" in page
    assert closed(office).through == date(2026, 11, 22)
    assert office.audited("closing.close") == []


def test_missing_days_are_those_that_something_was_expected_of(office: Company, closer: FlaskClient) -> None:
    record(office, THURSDAY)
    assert "Nobody has a missing day" in look(closer, through="2026-11-25").text, "nobody had begun before"
    record(office, date(2026, 11, 20))
    page = look(closer, through="2026-11-25").text
    assert "3 days since 25 August 2026 are missing and can then not be filled in: Mio Sakai (3)." in page


def test_closing_today_is_warned_about_and_running_timers_are_named(office: Company, closer: FlaskClient) -> None:
    timer = {"user_id": office.writer.user_id, "task_id": office.tasks["drawing"], "memo": "", "started_at": now()}
    with office.app.app_context(), write_transaction() as session:
        session.execute(insert(RunningTimer).values(**timer))
    assert "Today is among these days" in look(closer, through="2026-11-26").text
    assert "1 timer has been running since one of these days." in look(closer, through="2026-11-26").text
    yesterday = look(closer, through="2026-11-25").text
    assert "Today is among these days" not in yesterday
    assert "timer has been running" not in yesterday


def test_a_day_that_cannot_be_closed_is_refused_at_the_field(office: Company, closer: FlaskClient) -> None:
    token = csrf_token(closer, "/closing/check?mode=through&through=2026-11-01")
    for text in ("2026-11-27", "2026-11-31", "", "\0", "<b>"):
        for query in ({}, {"person": office.writer.user_id, "mode": "through"}):
            answer = look(closer, through=text, **query)
            assert answer.status_code == 422
            assert 'aria-invalid="true" aria-describedby="through-error"' in answer.text
            assert "<b>" not in answer.text.partition('id="through-error"')[2].partition("</code>")[0]
        assert closer.post("/closing/", data={"csrf_token": token, "through": text}).status_code == 422
    assert closed(office).through is None


# Doing and undoing --------------------------------------------------------------------------------------------------


def test_closing_is_told_and_audited_and_can_be_taken_back(office: Company, closer: FlaskClient) -> None:
    record(office, TUESDAY)
    page = close(closer, through="2026-11-25")
    assert "Closed through 25 November 2026 for 3 people." in page
    assert 'href="/closing/check?mode=nothing"' in page
    assert closed(office).through == WEDNESDAY
    (entry,) = office.audited("closing.close")
    assert (entry.actor, entry.target) == (CLOSER, "everybody")
    assert (entry.before, entry.after) == ({"closed_through": ""}, {"closed_through": "2026-11-25"})

    asked = look(closer, mode="through", through="2026-11-23").text
    assert "Open the days after 23 November 2026 again?" in asked
    assert "24–25 Nov 2026: hours of 3 people become editable again." in asked
    assert "1 entry with 8:00 hours is on them." in asked
    close(closer, mode="through", through="2026-11-23")
    (entry,) = office.audited("closing.reopen")
    assert (entry.before, entry.after) == ({"closed_through": "2026-11-25"}, {"closed_through": "2026-11-23"})
    record(office, WEDNESDAY)
    assert "Nothing is closed for 3 people." in close(closer, mode="nothing")
    assert len(office.audited("closing.reopen")) == 2


def test_setting_what_is_set_already_does_nothing(office: Company, closer: FlaskClient) -> None:
    office.close(WEDNESDAY)
    page = look(closer, through="2026-11-25").text
    assert "There is nothing to do: it is like that already." in page
    data = {"csrf_token": csrf_token(closer, "/closing/check?mode=nothing"), "through": "2026-11-25"}
    data["seen"] = dict(re.findall(r'name="(seen)" value="([^"]*)"', look(closer, mode="nothing").text))["seen"]
    assert closer.post("/closing/", data=data).status_code == 303
    assert office.audited("closing.close") == []


def test_the_second_of_two_administrators_is_told(office: Company, closer: FlaskClient) -> None:
    other = office.app.test_client()
    log_in(other, CLOSER)
    first, second = look(closer, through="2026-11-24"), look(other, through="2026-11-25")
    assert confirm(closer, first).status_code == 303
    answer = confirm(other, second)
    assert answer.status_code == 409
    assert "Nothing was done: somebody else has moved the closing date" in answer.text
    assert "Now closed through 24 November 2026" in answer.text
    assert "25 November 2026: hours of 3 people" in answer.text
    assert closed(office).through == TUESDAY
    assert confirm(other, answer).status_code == 303, "what the page shows now can be confirmed"
    assert closed(office).through == WEDNESDAY


def test_a_move_there_and_back_is_noticed(closer: FlaskClient) -> None:
    page = look(closer, through="2026-11-24")
    close(closer, through="2026-11-25")
    close(closer, mode="nothing")
    assert confirm(closer, page).status_code == 409


# One person ---------------------------------------------------------------------------------------------------------


def test_one_person_can_have_more_or_fewer_days_closed(office: Company, closer: FlaskClient) -> None:
    member = office.writer.user_id
    office.close(date(2026, 11, 20))
    assert (
        "Close the days of Mio Sakai through 24 November 2026?"
        in look(closer, person=member, through="2026-11-24").text
    )
    page = close(closer, person=member, mode="through", through="2026-11-24")
    assert "Closed through 24 November 2026 for Mio Sakai." in page
    assert "more days than for everybody" in page
    assert closed(office).through == TUESDAY
    assert closed(office, 1).through == date(2026, 11, 20)
    assert "1 person has a closing date of their own, which stays." in look(closer, through="2026-11-25").text

    page = close(closer, person=member, mode="nothing")
    assert "Nothing is closed for Mio Sakai." in page
    assert "fewer days than for everybody" in page
    assert closed(office).through is None

    page = close(closer, person=member, mode="follow")
    assert "Nobody has one" in page
    assert closed(office).through == date(2026, 11, 20)
    assert [(entry.action, entry.target) for entry in office.audited("closing.close")] == [
        ("closing.close", MEMBER)
    ] * 2
    (entry,) = office.audited("closing.reopen")
    assert entry.before == {"closed_through": "2026-11-24", "own_closing_date": True}
    assert entry.after == {"closed_through": "", "own_closing_date": True}


def test_a_date_of_ones_own_stays_when_everybodys_moves(office: Company, closer: FlaskClient) -> None:
    office.close(TUESDAY)
    page = look(closer, person=office.writer.user_id, mode="through", through="2026-11-24").text
    assert "No day is closed or opened by it." in page
    close(closer, person=office.writer.user_id, mode="through", through="2026-11-24")
    close(closer, through="2026-11-26")
    assert closed(office).through == TUESDAY
    page = closer.get("/closing/person", query_string={"person": office.writer.user_id}).text
    assert "As for everybody: closed through 26 November 2026" in page


def test_the_second_of_two_is_told_of_a_person_too(office: Company, closer: FlaskClient) -> None:
    member = office.writer.user_id
    page = look(closer, person=member, mode="nothing")
    close(closer, person=member, mode="through", through="2026-11-24")
    assert confirm(closer, page, person=member).status_code == 409
    page = look(closer, person=member, mode="follow")
    close(closer, through="2026-11-26")
    assert confirm(closer, page, person=member).status_code == 409, "what everybody has closed counts for it too"


def test_nobody_who_is_not_there_is_closed(closer: FlaskClient) -> None:
    for person in ("999", "x", "-1", "9" * 18, "9" * 40, "1\0"):
        assert closer.get("/closing/person", query_string={"person": person}).status_code == 404
        assert look(closer, person=person, mode="nothing").status_code == 404
    assert closer.get("/closing/", query_string={"page": "9" * 30, "q": "\0%_"}).status_code == 200


def test_many_exceptions_are_shown_in_pages(office: Company, closer: FlaskClient) -> None:
    for number in range(30):
        office.close(TUESDAY, user_id=add_person(office.app, f"somebody{number:02}"))
    assert closer.get("/closing/").text.count("Change the closing date of") == 25
    assert closer.get("/closing/?page=2").text.count("Change the closing date of") == 5
    assert closer.get("/closing/?page=99").text.count("Change the closing date of") == 5


def test_whoever_may_not_close_is_refused(office: Company, member_client: FlaskClient) -> None:
    assert member_client.get("/closing/").status_code == 403
    assert member_client.get("/closing/check?mode=nothing").status_code == 403
    data = {"csrf_token": csrf_token(member_client, "/account"), "mode": "through", "through": "2026-11-24"}
    assert member_client.post("/closing/", data=data).status_code == 403
    assert 'href="/closing/"' not in member_client.get("/timesheet/").text
    assert closed(office).through is None


# What it stops ------------------------------------------------------------------------------------------------------


def test_no_crafted_post_writes_into_a_closed_day_and_later_days_stay_open(
    office: Company, closer: FlaskClient, member_client: FlaskClient
) -> None:
    task = office.tasks["drawing"]
    record(office, date(2026, 11, 17), TUESDAY)
    tab = Tab(member_client).with_row(task)
    day = fields_of(member_client.get("/timesheet/day?day=2026-11-24").text, "times")
    cell = dict(tab.fields)
    close(closer, through="2026-11-25")
    before = entries(office)

    for name in (f"h-{task}-2026-11-24", f"h-{task}-2026-11-25"):
        assert tab.press(**{**cell, name: "1:00"}).status_code == 422
    tab.press("hours")  # copies last week, whose Tuesday has hours
    times = {**day, "start-0": "9:00", "end-0": "10:00", "task-0": str(task)}
    for path in ("/timesheet/day?day=2026-11-24", "/timesheet/day?day=2026-11-25"):
        assert member_client.post(path, data={**times, "seen": day.get("seen", "")}).status_code in (409, 422)
    assert entries(office) == before

    tab.load()
    assert f"h-{task}-2026-11-24" not in tab.fields
    assert tab.type(task, THURSDAY, "2:00").press().status_code == 303
    assert entries(office) == before | {(task, THURSDAY): (120, "")}


# Cost ---------------------------------------------------------------------------------------------------------------


def test_closing_takes_few_statements_however_many_people(office: Company, closer: FlaskClient) -> None:
    for extra in range(2):
        with counted(office.app) as shown:
            closer.get("/closing/")
        with counted(office.app) as asked:
            look(closer, through="2026-11-25")
        assert max(len(shown), len(asked)) <= 10, [*shown, "", *asked]
        for number in range(10):
            user_id = add_person(office.app, f"somebody{extra}{number}")
            office.close(MONDAY, user_id=user_id)
    with office.app.app_context(), read_connection() as connection:
        assert len(connection.execute(select(Closing.scope)).all()) == 21


@pytest.mark.parametrize(("language", "who"), [("en", "by Command line, "), ("ja", "コマンドライン、")])
def test_what_a_command_has_closed_says_so_in_the_reader_s_language(
    office: Company, closer: FlaskClient, language: str, who: str
) -> None:
    office.close(TUESDAY)
    with office.app.app_context(), write_transaction() as session:
        session.execute(update(Closing).values(changed_by="command line"))
        session.execute(update(User).where(User.login == CLOSER).values(language=language))
    page = closer.get("/closing/").text
    assert who in page
    assert "command line" not in page
