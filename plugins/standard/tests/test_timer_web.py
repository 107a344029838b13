"""The timer as people use it: started, switched, forgotten, refused, in two tabs and in several zones."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import insert, select, update
from werkzeug.test import TestResponse

from app.auth.models import User, UserSession
from app.sdk import read_connection, write_transaction
from plugins.standard.models import RunningTimer, Span, Task
from plugins.standard.tests.company import THURSDAY, Company
from plugins.standard.tests.people import counted, set_option
from plugins.standard.tests.sheet import entries
from plugins.standard.tests.test_timesheet_web import finish, record
from tests.conftest import MEMBER, csrf_token

TOKYO = ZoneInfo("Asia/Tokyo")
WEDNESDAY = THURSDAY - timedelta(days=1)


def local(hour: int, minute: int = 0, second: int = 0, *, day: date = THURSDAY, zone: ZoneInfo = TOKYO) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=zone).astimezone(UTC)


class Timer:
    """A tab with the page of the timer open; a press sends what the page had shown."""

    def __init__(self, office: Company, client: FlaskClient, clock: time_machine.Traveller) -> None:
        self.office, self.client, self.clock = office, client, clock
        self.stay_logged_in()
        self.load()

    def stay_logged_in(self) -> None:
        """Let hours pass for the timer and not for the session."""
        present = datetime.now(UTC)
        with self.office.app.app_context(), write_transaction() as session:
            session.execute(update(UserSession).values(last_seen_at=present, expires_at=present + timedelta(hours=12)))

    def load(self, path: str = "/timer/") -> "Timer":
        self.page = self.client.get(path).text
        self.mark = self.page.partition('name="timer" value="')[2].partition('"')[0]
        return self

    def at(self, hour: int, minute: int = 0, second: int = 0, *, day: date = THURSDAY) -> "Timer":
        self.clock.move_to(local(hour, minute, second, day=day))
        self.stay_logged_in()
        return self

    def press(self, action: str, path: str = "/timer/", **fields: str) -> TestResponse:
        data = {
            "csrf_token": csrf_token(self.client),
            "timer": self.mark,
            "action": action,
            "next": "/timer/",
            **fields,
        }
        answer = self.client.post(path, data=data)
        if answer.status_code == 303:
            self.load(answer.location)
        else:
            self.page = answer.text
        return answer


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(local(9, day=WEDNESDAY), tick=False) as traveller:
        yield traveller


@pytest.fixture
def timer(office: Company, member_client: FlaskClient, clock: time_machine.Traveller) -> Timer:
    with office.app.app_context(), write_transaction() as session:
        session.execute(update(User).where(User.login == MEMBER).values(time_zone="Asia/Tokyo"))
    return Timer(office, member_client, clock).at(9).load()


def spans(office: Company) -> list[tuple[date, int, int, int]]:
    with office.app.app_context(), read_connection() as connection:
        rows = connection.execute(
            select(Span.day, Span.starts, Span.ends, Span.minutes).order_by(Span.day, Span.starts)
        )
        return [tuple(row) for row in rows]


def running(office: Company) -> list[tuple[int, str, datetime]]:
    with office.app.app_context(), read_connection() as connection:
        rows = connection.execute(select(RunningTimer.task_id, RunningTimer.memo, RunningTimer.started_at))
        return [tuple(row) for row in rows]


# Starting, switching, stopping --------------------------------------------------------------------------------------


def test_a_timer_fills_the_sheet_and_the_times_of_the_day(timer: Timer, office: Company) -> None:
    drawing = office.tasks["drawing"]
    assert timer.at(9, 5, 40).press(f"start-{drawing}", memo="first sketch").status_code == 303
    assert "The timer runs on Drawing." in timer.page
    timer.at(10, 5, 20).load()
    assert ">0:59<" in timer.page
    assert timer.press("stop").status_code == 303
    assert "0:59 recorded on Drawing." in timer.page
    assert entries(office) == {(drawing, THURSDAY): (59, "first sketch")}
    assert spans(office) == [(THURSDAY, 545, 604, 59)]
    assert running(office) == []
    day = timer.client.get(f"/timesheet/day?day={THURSDAY}").text
    assert 'value="09:05"' in day
    assert 'value="10:04"' in day


def test_switching_records_the_one_and_starts_the_other(timer: Timer, office: Company) -> None:
    drawing, review = office.tasks["drawing"], office.tasks["review"]
    timer.press(f"start-{drawing}")
    timer.at(9, 30, 10).press(f"start-{review}")
    assert "0:30 recorded on Drawing. The timer runs on Review." in timer.page
    timer.at(10, 0, 40).press("stop")
    assert {task: minutes for (task, _), (minutes, _) in entries(office).items()} == {drawing: 30, review: 30}
    assert spans(office) == [(THURSDAY, 540, 570, 30), (THURSDAY, 570, 600, 30)]


def test_hours_and_memo_of_the_cell_stay_and_the_timer_s_are_added(timer: Timer, office: Company) -> None:
    drawing = office.tasks["drawing"]
    record(office, ("drawing", THURSDAY, 60))
    for hour in (9, 11):
        timer.at(hour).press(f"start-{drawing}", memo="sketch")
        timer.at(hour + 1).press("stop")
    assert entries(office) == {(drawing, THURSDAY): (180, "sketch")}


def test_a_timer_counts_every_minute_whatever_the_steps_of_what_is_typed(timer: Timer, office: Company) -> None:
    set_option(office, "standard.granularity", "15")
    timer.press(f"start-{office.tasks['drawing']}")
    timer.at(9, 7).press("stop")
    assert entries(office)[office.tasks["drawing"], THURSDAY][0] == 7


def test_less_than_a_minute_is_nothing_and_says_so(timer: Timer, office: Company) -> None:
    timer.press(f"start-{office.tasks['drawing']}")
    timer.at(9, 0, 59).press("stop")
    assert "The timer ran for less than a minute: nothing was recorded." in timer.page
    assert (entries(office), spans(office), running(office)) == ({}, [], [])


def test_starting_what_runs_already_lets_it_go_on(timer: Timer, office: Company) -> None:
    drawing = office.tasks["drawing"]
    timer.press(f"start-{drawing}", memo="a")
    timer.at(10).press(f"start-{drawing}", memo="b")
    assert "The timer runs on Drawing already." in timer.page
    assert running(office) == [(drawing, "b", local(9))]
    assert entries(office) == {}


def test_a_timer_crosses_midnight_in_the_person_s_zone(timer: Timer, office: Company) -> None:
    drawing = office.tasks["drawing"]
    timer.at(23, 30, day=WEDNESDAY).press(f"start-{drawing}")
    timer.at(1, 15).press("stop")
    assert "1:45 recorded on Drawing: Wed 25 Nov 0:30, Thu 26 Nov 1:15." in timer.page
    assert spans(office) == [(WEDNESDAY, 1410, 1440, 30), (THURSDAY, 0, 75, 75)]


def test_every_page_shows_it_and_a_press_leads_back_there(timer: Timer, office: Company) -> None:
    timer.press(f"start-{office.tasks['drawing']}")
    page = timer.client.get("/timesheet/?week=2026-W48").text
    assert 'name="next" value="/timesheet/?week=2026-W48"' in page
    assert "Drawing" in page.partition('id="timer-bar"')[2].partition("</details>")[0]
    assert timer.press("stop", next="/timesheet/?week=2026-W48").location == "/timesheet/?week=2026-W48"


def test_a_press_leads_to_no_other_site(timer: Timer) -> None:
    for elsewhere in ("https://evil.example/", "//evil.example", "/\\evil.example", "/é", "\r\n"):
        assert timer.press("stop", next=elsewhere).location == "/"
        for path in ("/timer/offers", "/timer/bar"):
            assert "evil" not in timer.client.get(path, query_string={"next": elsewhere}).text


def test_only_tasks_on_which_hours_can_be_recorded_are_started(timer: Timer, office: Company) -> None:
    for task in (office.tasks["finished"], office.tasks["of others"], 10**17, 0):
        assert timer.press(f"start-{task}", memo="mine").status_code == 409
        assert 'value="mine"' in timer.page
    for nonsense in ("start-", "start-x", "start-9" + "9" * 40, "start-٣", "", "x"):
        assert timer.press(nonsense).status_code in (303, 409)
    assert running(office) == []
    assert timer.press(f"start-{office.tasks['drawing']}", memo="m" * 1001).status_code == 422


def test_tasks_are_searched_for_and_offered(timer: Timer, office: Company) -> None:
    record(office, ("review", WEDNESDAY, 60))
    assert "Review" in timer.load("/timer/?q=review").page
    assert f"start-{office.tasks['drawing']}" not in timer.page
    assert "No task found" in timer.load("/timer/?q=no%00such").page
    offered = timer.client.get("/timer/offers").text
    assert f"start-{office.tasks['review']}" in offered
    assert f"start-{office.tasks['drawing']}" not in offered
    timer.press(f"start-{office.tasks['review']}")
    others = timer.client.get(
        "/timer/offers"
    ).text  # what runs is not offered, and where nothing else is recent, others
    assert f"start-{office.tasks['review']}" not in others
    assert f"start-{office.tasks['drawing']}" in others


# What is refused loses nothing ----------------------------------------------------------------------------------------


def refused(timer: Timer, office: Company, *, says: str) -> None:
    """Pressing stop is refused: the page says why, the timer goes on, and nothing was written."""
    before = (entries(office), spans(office), running(office))
    assert timer.load().press("stop").status_code == 409
    assert "Nothing was recorded; the timer goes on." in timer.page
    assert says in timer.page
    assert (entries(office), spans(office), running(office)) == before


def test_what_does_not_fit_the_day_is_refused(timer: Timer, office: Company) -> None:
    record(office, ("review", THURSDAY, 1381))
    timer.press(f"start-{office.tasks['drawing']}")
    timer.at(10)
    refused(timer, office, says="A day has 24 hours.")
    timer.at(9, 59).press("stop")
    assert entries(office)[office.tasks["drawing"], THURSDAY][0] == 59


def test_a_closed_day_is_refused_with_the_other_days(timer: Timer, office: Company) -> None:
    timer.at(22, day=WEDNESDAY).press(f"start-{office.tasks['drawing']}")
    office.close(WEDNESDAY)
    timer.at(1)
    refused(timer, office, says="This day is closed.")
    assert timer.press("change", task=str(office.tasks["drawing"]), **{"start-day": "2026-11-26", "start-time": "0:00"})
    timer.press("stop")
    assert spans(office) == [(THURSDAY, 0, 60, 60)]


def test_a_task_that_was_finished_meanwhile_is_refused_and_another_one_can_be_chosen(
    timer: Timer, office: Company
) -> None:
    timer.press(f"start-{office.tasks['drawing']}")
    finish(office, "drawing")
    timer.at(10)
    refused(timer, office, says="No hours can be recorded on this task")
    assert timer.press(f"start-{office.tasks['review']}").status_code == 409
    assert running(office)[0][0] == office.tasks["drawing"]
    timer.load().press("change", task=str(office.tasks["review"]), **{"start-day": "2026-11-26", "start-time": "9:00"})
    assert timer.press("stop").status_code == 303
    assert entries(office) == {(office.tasks["review"], THURSDAY): (60, "")}


@pytest.mark.parametrize("task", ["review", None])
def test_times_that_the_day_has_already_are_refused_breaks_too(timer: Timer, office: Company, task: str | None) -> None:
    timer.press(f"start-{office.tasks['drawing']}")
    place = {"user_id": office.writer.user_id, "day": THURSDAY, "task_id": office.tasks[task] if task else None}
    with office.app.app_context(), write_transaction() as session:
        session.execute(insert(Span).values(starts=570, ends=585, minutes=15, **place))
    timer.at(10)
    refused(timer, office, says="The day has 9:30–9:45 already, which the timer overlaps.")
    assert timer.press("end", **{"end-day": "2026-11-26", "end-time": "9:30"}).status_code == 303
    assert spans(office) == [(THURSDAY, 540, 570, 30), (THURSDAY, 570, 585, 15)]


def test_a_memo_that_would_grow_too_long_is_refused(timer: Timer, office: Company) -> None:
    for memo in ("a" * 600, "b" * 600):
        timer.press(f"start-{office.tasks['drawing']}", memo=memo)
        timer.at(10)
        if memo[0] == "a":
            timer.press("stop")
            timer.at(11)
    timer.at(12)
    refused(timer, office, says="The memo has 1201 characters")


# Two tabs -----------------------------------------------------------------------------------------------------------


def test_of_two_tabs_that_press_stop_one_wins_and_the_other_is_told(timer: Timer, office: Company) -> None:
    timer.press(f"start-{office.tasks['drawing']}")
    timer.at(10)
    other = Timer(timer.office, timer.client, timer.clock)
    timer.press("stop")
    assert other.press("stop").status_code == 303
    assert "is not running any more" in other.page
    assert spans(office) == [(THURSDAY, 540, 600, 60)]


def test_a_tab_that_shows_another_timer_neither_stops_nor_discards_nor_changes_this_one(
    timer: Timer, office: Company
) -> None:
    timer.press(f"start-{office.tasks['drawing']}")
    other = Timer(timer.office, timer.client, timer.clock)
    timer.at(10).press(f"start-{office.tasks['review']}")
    left = other.mark
    for action, path in (("stop", "/timer/"), ("discard", "/timer/discard"), ("end", "/timer/"), ("change", "/timer/")):
        typed = {"end-day": "2026-11-26", "end-time": "10:00", "start-day": "2026-11-26", "start-time": "8:00"}
        other.mark = left
        other.press(action, path, task=str(office.tasks["drawing"]), **typed)
        assert "is not running any more" in other.page, action
    assert running(office) == [(office.tasks["review"], "", local(10))]


# Changing, ending, discarding ---------------------------------------------------------------------------------------


def test_its_start_task_and_memo_are_changed_and_it_goes_on(timer: Timer, office: Company) -> None:
    timer.at(9, 0, 30).press(f"start-{office.tasks['drawing']}")
    timer.at(10)
    typed = {
        "task": str(office.tasks["drawing"]),
        "memo": "later\x00",
        "start-day": "2026-11-26",
        "start-time": "09:00",
    }
    timer.press("change", **typed)
    assert running(office) == [(office.tasks["drawing"], "later", local(9, 0, 30))]  # the same minute: the same second
    timer.press("change", **{**typed, "task": str(office.tasks["review"]), "start-time": "8:15"})
    assert running(office) == [(office.tasks["review"], "later", local(8, 15))]


CANNOT_BE = [
    ("change", {"start-time": "10:01"}, "This is still to come."),
    ("change", {"start-day": "2026-10-01"}, "at most 31 days"),
    ("change", {"start-day": "0001-01-01"}, "at most 31 days"),
    ("change", {"start-time": "25:00"}, "is no time of day"),
    ("change", {"task": "99999999"}, "No hours can be recorded on this task"),
    ("change", {"task": "٣"}, "No hours can be recorded on this task"),
    ("change", {"memo": "m" * 1001}, "The memo has 1001 characters"),
    ("end", {"end-time": "8:59"}, "The timer was started later than that."),
    ("end", {"end-time": "09:00"}, "The timer was started later than that."),
    ("end", {"end-day": "9999-12-31"}, "This is still to come."),
    ("end", {"end-day": "x\0"}, "is no day"),
]


def test_what_cannot_be_is_refused_at_its_field_and_stays_typed(timer: Timer, office: Company) -> None:
    timer.press(f"start-{office.tasks['drawing']}")
    timer.at(10)
    before = running(office)
    fields = {"task": str(office.tasks["drawing"]), "memo": "m", "start-day": "2026-11-26", "start-time": "9:00"}
    fields |= {"end-day": "2026-11-26", "end-time": "9:30"}
    for action, typed, says in CANNOT_BE:
        assert timer.press(action, **{**fields, **typed}).status_code in (409, 422), typed
        assert says in timer.page
        assert 'aria-invalid="true"' in timer.page, typed
        if "start-time" in typed or "end-time" in typed:
            assert all(f'value="{value}"' in timer.page for value in typed.values())
    assert (running(office), entries(office)) == (before, {})


def test_a_forgotten_timer_is_asked_about_and_ended_at_a_chosen_time(timer: Timer, office: Company) -> None:
    timer.at(17, 20, day=WEDNESDAY).press(f"start-{office.tasks['drawing']}")
    timer.at(17, 21).load()
    assert "The timer is still running since Wed 25 Nov, 17:20." in timer.page
    bar = timer.client.get("/account").text.partition('id="timer-bar"')[2].partition("<script")[0]
    assert "since Wed 25 Nov, 17:20" in bar
    assert 'value="stop"' not in bar
    assert timer.press("stop").status_code == 409
    assert timer.press(f"start-{office.tasks['review']}").status_code == 409
    assert "The timer is still running since Wed 25 Nov, 17:20." in timer.page
    assert (entries(office), len(running(office))) == ({}, 1)
    timer.press("end", **{"end-day": "2026-11-25", "end-time": "18:05"})
    assert "0:45 recorded on Drawing." in timer.page
    assert spans(office) == [(WEDNESDAY, 1040, 1085, 45)]


def test_an_end_that_is_typed_counts_from_the_minute_of_the_start(timer: Timer, office: Company) -> None:
    timer.at(9, 0, 40).press(f"start-{office.tasks['drawing']}")
    timer.at(11).press("end", **{"end-day": "2026-11-26", "end-time": "10:00"})
    assert spans(office) == [(THURSDAY, 540, 600, 60)]


def test_discarding_asks_before_and_records_nothing(timer: Timer, office: Company) -> None:
    timer.press(f"start-{office.tasks['drawing']}")
    timer.at(10, 12).load("/timer/discard")
    assert "Discard 1:12 on Drawing?" in timer.page
    assert len(running(office)) == 1
    timer.press("", "/timer/discard")
    assert "nothing was recorded" in timer.page
    assert (running(office), entries(office)) == ([], {})
    assert timer.client.get("/timer/discard").status_code == 302


# What it costs, and who sees it -------------------------------------------------------------------------------------


def test_a_page_takes_one_statement_more_for_it_whether_it_runs_or_not(timer: Timer, office: Company) -> None:
    for _ in range(2):
        with counted(office.app) as statements:
            timer.client.get("/account")
        asked = [statement for statement in statements if "edition_standard_timers" in statement]
        assert len(asked) == 1
        with counted(office.app) as statements:
            timer.client.get("/timer/")
        assert len(statements) <= 5, statements
        timer.press(f"start-{office.tasks['drawing']}")


def test_somebody_else_has_a_timer_of_their_own(timer: Timer, office: Company, admin_client: FlaskClient) -> None:
    timer.press(f"start-{office.tasks['drawing']}")
    theirs = Timer(office, admin_client, timer.clock)
    assert "Stop timer" not in theirs.page
    theirs.mark = timer.mark
    theirs.press("stop")
    assert len(running(office)) == 1


def test_a_task_that_has_a_running_timer_keeps_its_name_when_finished(timer: Timer, office: Company) -> None:
    timer.press(f"start-{office.tasks['drawing']}")
    with office.app.app_context(), write_transaction() as session:
        session.execute(update(Task).where(Task.id == office.tasks["drawing"]).values(active=False, name="<b>Old"))
    assert "&lt;b&gt;Old (no hours can be recorded on it)" in timer.load().page
