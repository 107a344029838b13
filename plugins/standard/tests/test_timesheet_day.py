"""The day as people use it: times and breaks, which make the hours of the sheet."""

from datetime import date

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, select
from werkzeug.test import TestResponse

from app.sdk import read_connection, write_transaction
from plugins.standard.models import Span
from plugins.standard.tests.company import THURSDAY, Company
from plugins.standard.tests.sheet import Tab, entries, fields_of
from plugins.standard.tests.test_timesheet_web import finish, record


class DayTab:
    """One tab with a day open."""

    def __init__(self, client: FlaskClient, day: date = THURSDAY) -> None:
        self.client, self.address = client, f"/timesheet/day?day={day}"
        self.load()

    def load(self) -> None:
        self.page = self.client.get(self.address).text
        self.fields = fields_of(self.page, "times")

    def line(self, number: int, starts: str, ends: str, task: int | str) -> "DayTab":
        assert f"start-{number}" in self.fields
        self.fields |= {f"start-{number}": starts, f"end-{number}": ends, f"task-{number}": str(task)}
        return self

    def save(self) -> TestResponse:
        answer = self.client.post(self.address, data=self.fields)
        if answer.status_code == 303:
            self.load()
        else:
            self.page = answer.text
            self.fields = fields_of(self.page, "times")
        return answer


@pytest.fixture
def day(office: Company, member_client: FlaskClient) -> DayTab:  # noqa: ARG001 - the tasks of the company
    return DayTab(member_client)


def spans(office: Company) -> list[tuple[int, int, int | None, int]]:
    with office.app.app_context(), read_connection() as connection:
        rows = connection.execute(select(Span.starts, Span.ends, Span.task_id, Span.minutes).order_by(Span.starts))
        return [tuple(row) for row in rows]


def test_times_make_the_hours_of_the_sheet_and_breaks_do_not(day: DayTab, office: Company) -> None:
    drawing, review = office.tasks["drawing"], office.tasks["review"]
    day.line(0, "9", "10:30", drawing).line(1, "10:30", "10:45", "break").line(2, "10:45", "12", drawing)
    assert day.line(3, "13:00", "24:00", review).save().status_code == 303
    assert entries(office) == {(drawing, THURSDAY): (165, ""), (review, THURSDAY): (660, "")}
    assert (day.fields["start-0"], day.fields["end-3"], day.fields["task-1"]) == ("09:00", "24:00", "break")
    day.line(0, "", "", "").line(2, "10:45", "11", drawing)
    assert day.save().status_code == 303
    assert entries(office)[drawing, THURSDAY] == (15, "")
    assert len(spans(office)) == 3


def test_a_task_without_times_any_more_loses_its_hours_and_others_keep_theirs(day: DayTab, office: Company) -> None:
    drawing, review = office.tasks["drawing"], office.tasks["review"]
    record(office, ("review", THURSDAY, 90))
    day.load()
    assert day.line(0, "9", "10", drawing).save().status_code == 303
    assert day.line(0, "", "", "").save().status_code == 303
    assert entries(office) == {(review, THURSDAY): (90, "")}
    assert spans(office) == []


def test_what_overlaps_is_refused_at_the_field_and_everything_typed_stays(day: DayTab, office: Company) -> None:
    drawing = office.tasks["drawing"]
    answer = day.line(0, "9", "11", drawing).line(1, "10:30", "12", drawing).line(2, "x", "13", "break").save()
    assert answer.status_code == 422
    assert "This overlaps 9:00–11:00." in day.page
    assert day.page.count('aria-invalid="true"') == 2
    assert (day.fields["start-1"], day.fields["start-2"], day.fields["task-2"]) == ("10:30", "x", "break")
    assert (entries(office), spans(office)) == ({}, [])


def test_hours_typed_over_times_in_the_week_remove_the_times(day: DayTab, office: Company) -> None:
    drawing = office.tasks["drawing"]
    day.line(0, "9", "10", drawing).save()
    tab = Tab(day.client)
    assert tab.type(drawing, THURSDAY, "2").press().status_code == 303
    assert spans(office) == []


def test_a_day_that_has_changed_meanwhile_is_shown_beside_what_was_typed(day: DayTab, office: Company) -> None:
    drawing = office.tasks["drawing"]
    other = DayTab(day.client)
    day.line(0, "9", "10", drawing).save()
    answer = other.line(0, "14", "15", drawing).save()
    assert answer.status_code == 409
    assert "09:00–10:00" in other.page
    assert other.fields["start-0"] == "14"
    assert other.save().status_code == 303
    assert [span[:2] for span in spans(office)] == [(840, 900)]


def test_a_closed_day_can_only_be_read(day: DayTab, office: Company) -> None:
    drawing = office.tasks["drawing"]
    day.line(0, "9", "10", drawing).save()
    day.line(1, "10", "11", "break")
    office.close(THURSDAY)
    assert day.save().status_code == 409
    day.load()
    assert "This day is closed." in day.page
    assert "start-0" not in day.fields
    assert len(spans(office)) == 1


def test_times_on_a_finished_task_stay_as_they_are(day: DayTab, office: Company) -> None:
    drawing, review = office.tasks["drawing"], office.tasks["review"]
    day.line(0, "9", "10", drawing).save()
    finish(office, "drawing")
    day.load()
    assert day.line(1, "9:30", "11", review).save().status_code == 422
    assert day.line(1, "10", "11", review).save().status_code == 303
    assert [span[:3] for span in spans(office)] == [(540, 600, drawing), (600, 660, review)]


def test_a_crafted_task_is_refused_at_its_line(day: DayTab, office: Company) -> None:
    answer = day.line(0, "9", "10", office.tasks["of others"]).save()
    assert (answer.status_code, spans(office)) == (422, [])
    assert day.line(0, "9", "10", 10**17).save().status_code == 422


def test_minutes_that_a_timer_counted_stay_when_something_else_changes(day: DayTab, office: Company) -> None:
    drawing = office.tasks["drawing"]
    record(office, ("drawing", THURSDAY, 59))
    with office.app.app_context(), write_transaction() as session:
        row = {"user_id": office.writer.user_id, "day": THURSDAY, "task_id": drawing, "starts": 540, "ends": 600}
        session.execute(insert(Span).values(minutes=59, **row))
    day.load()
    assert day.line(1, "10", "10:30", "break").save().status_code == 303
    assert entries(office) == {(drawing, THURSDAY): (59, "")}
    assert spans(office) == [(540, 600, drawing, 59), (600, 630, None, 30)]
