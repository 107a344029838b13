"""The engine against the fake server: pairing, working, losing the line, being refused, and coming back."""

import re
import threading
from datetime import date, timedelta

import httpx
import pytest
from conftest import SERVER, Desk, cell
from fake_server import MAINTENANCE_EXPIRED, SEATS_EXCEEDED, TOKEN, FakeServer

from timetracker_desktop.api import Api
from timetracker_desktop.operation_queue import OperationState
from timetracker_desktop.operations import Addition
from timetracker_desktop.session import Phase
from timetracker_desktop.texts import language, use_language

TODAY = date(2026, 11, 26)
NEVER = timedelta(days=1)


def test_pairing_asks_as_often_as_the_server_says_until_the_person_confirms(new_desk: Desk) -> None:
    desk, engine, server = new_desk, new_desk.engine, new_desk.server
    engine.pair(SERVER)
    assert engine.step() == timedelta(seconds=5)
    assert engine.session.invitation is not None
    assert engine.session.invitation.user_code == "WDJB-MJHT"
    desk.pass_time(seconds=5)
    assert engine.step() == timedelta(seconds=5)
    server.slow_down = True
    desk.pass_time(seconds=5)
    assert engine.step() == timedelta(seconds=10)
    server.confirmed = True
    desk.pass_time(seconds=10)
    assert engine.step() == timedelta()
    engine.step()
    assert engine.session.phase is Phase.ONLINE
    assert desk.tokens.read(SERVER) == TOKEN
    assert server.requests.count("POST /token") == 3


@pytest.mark.parametrize(("denied", "minutes", "code"), [(True, 1, "access_denied"), (False, 11, "expired_token")])
def test_a_pairing_that_fails_says_why(new_desk: Desk, denied: bool, minutes: int, code: str) -> None:
    new_desk.engine.pair(SERVER)
    new_desk.engine.step()
    new_desk.server.denied = denied
    new_desk.pass_time(minutes=minutes)
    assert new_desk.engine.step() == NEVER
    assert (new_desk.engine.session.phase, new_desk.engine.session.code) == (Phase.UNPAIRED, code)


def test_a_pairing_can_be_cancelled_and_a_server_be_missing(new_desk: Desk) -> None:
    new_desk.engine.pair(SERVER)
    new_desk.engine.step()
    new_desk.engine.cancel_pairing()
    new_desk.engine.step()
    assert new_desk.engine.session.code == "cancelled"
    new_desk.line.down = True
    new_desk.engine.pair(SERVER)
    new_desk.engine.step()
    assert new_desk.engine.session.code == "unreachable"


def test_an_address_at_which_nothing_answers_stays_to_be_corrected(new_desk: Desk) -> None:
    new_desk.line.down = True
    new_desk.engine.pair("https://rx.exmaple.org")
    new_desk.engine.step()
    assert (new_desk.engine.session.code, new_desk.engine.session.server) == ("unreachable", "https://rx.exmaple.org")


def test_idle_it_asks_once_a_minute_and_is_told_that_nothing_is_new(desk: Desk) -> None:
    desk.pass_time(minutes=1)
    for _ in range(10):
        wait = desk.engine.step()
        assert wait == timedelta(minutes=1)
        desk.clock += wait
    assert desk.sent == ["GET /state"] * 10
    assert len({etag for _, etag, _ in [desk.queue.kept_state() or ("", "", {})]}) == 1


def test_work_is_sent_and_then_seen(desk: Desk) -> None:
    desk.tracker.start(1, "drawing")
    desk.pass_time(minutes=75)
    desk.tracker.stop()
    assert desk.tracker.view().todays[0].waiting
    desk.engine.step()
    view = desk.tracker.view()
    assert desk.server.cells[1, "2026-11-26"].minutes == 75
    assert [(shown.entry.minutes, shown.waiting) for shown in view.todays] == [(75, False)]
    assert desk.queue.all_open() == []
    assert desk.sent == ["POST /sync", "GET /state"]


def test_switching_stops_one_and_starts_the_other_at_one_instant(desk: Desk) -> None:
    desk.tracker.start(1)
    desk.pass_time(minutes=30)
    desk.tracker.start(2)
    view = desk.tracker.view()
    assert view.timer is not None
    assert (view.timer.task_id, view.minutes_of(1)) == (2, 30)
    desk.engine.step()
    assert desk.server.cells[1, "2026-11-26"].minutes == 30
    assert desk.server.timer is not None
    assert desk.server.timer["task_id"] == 2


def web_timer() -> dict[str, object]:
    return {"task_id": 3, "started_at": "2026-11-26T08:00:00.5+09:00", "memo": "", "start_id": None}


def test_a_timer_of_the_web_is_stopped_here(desk: Desk) -> None:
    desk.server.timer = web_timer()
    desk.engine.step()
    desk.tracker.stop()
    view = desk.tracker.view()
    assert (view.timer, view.minutes_of(3)) == (None, 59)
    desk.engine.step()
    assert desk.server.timer is None
    assert desk.server.cells[3, "2026-11-26"].minutes == 59


def test_a_correction_on_top_of_a_timer_is_no_conflict(desk: Desk) -> None:
    desk.tracker.start(1)
    desk.pass_time(minutes=50)
    desk.tracker.stop()
    desk.tracker.correct((1, TODAY), 45)
    desk.engine.step()
    assert desk.server.cells[1, "2026-11-26"].minutes == 45
    assert desk.tracker.view().stuck == ()


def test_a_timer_that_was_stopped_on_the_web_is_recorded_once(desk: Desk) -> None:
    desk.server.timer = web_timer()
    desk.engine.step()
    desk.tracker.stop()
    desk.server.timer = None  # stopped on the web a moment earlier
    desk.engine.step()
    assert desk.server.cells == {}
    assert desk.queue.all_open() == []


def test_off_line_everything_is_taken_down_and_sent_once_the_server_is_back(desk: Desk) -> None:
    desk.line.down = True
    desk.tracker.start(1)
    desk.pass_time(minutes=20)
    desk.tracker.stop()
    wait = desk.engine.step()
    assert desk.engine.session.phase is Phase.OFFLINE
    assert timedelta(seconds=1) <= wait <= timedelta(seconds=2)
    desk.restart()
    assert desk.tracker.view().minutes_of(1) == 20
    desk.line.down = False
    desk.engine.step()
    assert desk.server.cells[1, "2026-11-26"].minutes == 20
    assert desk.engine.session.phase is Phase.ONLINE


def test_an_answer_that_is_lost_does_nothing_twice(desk: Desk) -> None:
    lost = iter(["after", ""])
    desk.server.fault = lambda path: next(lost, "") if path.endswith("sync") else ""
    desk.tracker.correct((1, TODAY), 90, "once")
    desk.engine.step()
    assert desk.queue.all_open()[0].state is OperationState.SENT
    desk.restart()
    desk.engine.step()
    assert set(desk.server.effects.values()) == {1}
    assert desk.server.cells[1, "2026-11-26"].minutes == 90


def test_a_correction_of_a_correction_goes_on_from_its_version(desk: Desk) -> None:
    lost = iter(["after", ""])
    desk.server.fault = lambda path: next(lost, "") if path.endswith("sync") else ""
    desk.tracker.correct((1, TODAY), 60)
    desk.engine.step()
    desk.tracker.correct((1, TODAY), 90)
    desk.tracker.correct((1, TODAY), 95)
    assert len(desk.queue.all_open()) == 2
    desk.engine.step()
    assert desk.server.cells[1, "2026-11-26"].minutes == 95
    assert desk.tracker.view().stuck == ()


def test_a_change_of_somebody_else_is_a_conflict_that_the_person_settles(desk: Desk) -> None:
    desk.tracker.correct((1, TODAY), 60)
    desk.server.put((1, "2026-11-26"), 15, "from the web")
    desk.engine.step()
    (stuck,) = desk.tracker.view().stuck
    assert stuck.state is OperationState.CONFLICT
    assert stuck.present is not None
    assert stuck.present.minutes == 15
    desk.tracker.retry(stuck)
    desk.engine.step()
    assert desk.server.cells[1, "2026-11-26"].minutes == 60
    assert desk.tracker.view().stuck == ()


def test_a_change_between_two_of_ours_is_not_overwritten(desk: Desk) -> None:
    desk.tracker.start(1)
    desk.pass_time(minutes=30)
    desk.tracker.stop()
    desk.tracker.correct((1, TODAY), 25)
    desk.server.put((1, "2026-11-26"), 100, "from the web")
    desk.engine.step()
    (stuck,) = desk.tracker.view().stuck
    assert stuck.state is OperationState.CONFLICT
    assert desk.server.cells[1, "2026-11-26"].minutes == 130


def test_what_is_refused_stays_with_its_reason_until_the_person_decides(desk: Desk) -> None:
    desk.tracker.correct((1, date(2026, 11, 23)), 60)
    desk.tracker.correct((1, TODAY), 30)
    desk.engine.step()
    (stuck,) = desk.tracker.view().stuck
    assert (stuck.code, stuck.remedy) == ("day_closed", "Ask an administrator to reopen it.")
    assert desk.server.cells[1, "2026-11-26"].minutes == 30
    desk.restart()
    assert [queued.id for queued in desk.tracker.view().stuck] == [stuck.id]
    desk.server.closed_through = "2026-11-22"
    desk.tracker.retry(stuck)
    desk.engine.step()
    assert desk.server.cells[1, "2026-11-23"].minutes == 60


def test_discarding_is_the_persons_own_act(desk: Desk) -> None:
    desk.tracker.correct((1, date(2026, 11, 23)), 60)
    (waiting,) = desk.queue.all_open()
    desk.tracker.discard(waiting)
    assert len(desk.queue.all_open()) == 1  # it is only waiting
    desk.engine.step()
    desk.tracker.discard(waiting)
    assert desk.queue.all_open() == []


def test_expired_maintenance_says_until_when_and_a_renewed_key_brings_it_back(desk: Desk) -> None:
    desk.server.problem = MAINTENANCE_EXPIRED
    desk.tracker.correct((1, TODAY), 60)
    assert desk.engine.step() == timedelta(minutes=1)
    session = desk.engine.session
    assert (session.phase, session.maintenance_expires) == (Phase.MAINTENANCE_EXPIRED, date(2027, 1, 31))
    assert "administrator" in session.remedy
    assert not session.may_record
    desk.engine.step()
    assert desk.sent[-1] == "GET /state"  # it does not send everything again each minute to be refused
    assert len(desk.queue.all_open()) == 1
    desk.server.problem = None
    desk.engine.step()
    assert desk.engine.session.phase is Phase.ONLINE
    assert desk.server.cells[1, "2026-11-26"].minutes == 60


def test_too_many_users_are_told_apart(desk: Desk) -> None:
    desk.server.problem = SEATS_EXCEEDED
    desk.engine.step()
    assert (desk.engine.session.phase, desk.engine.session.code) == (Phase.RESTRICTED, "seats_exceeded")
    desk.line.down = True
    desk.engine.step()
    assert desk.engine.session.phase is Phase.RESTRICTED


def test_a_token_that_was_ended_is_forgotten_and_the_queue_is_not(desk: Desk) -> None:
    desk.tracker.correct((1, TODAY), 60)
    desk.server.token = "another"
    assert desk.engine.step() == NEVER
    assert desk.engine.session.phase is Phase.TOKEN_ENDED
    assert desk.tokens.read(SERVER) is None
    assert len(desk.queue.all_open()) == 1


def test_the_hours_of_one_person_are_never_sent_as_another(desk: Desk) -> None:
    desk.tracker.correct((1, TODAY), 60)
    desk.engine.unpair()
    desk.engine.step()
    desk.server.login, desk.server.confirmed = "e.matsuda", True
    desk.engine.pair(SERVER)
    desk.engine.step()
    desk.pass_time(seconds=5)
    desk.engine.step()
    desk.engine.step()
    assert desk.engine.session.phase is Phase.ONLINE
    assert desk.server.cells == {}
    assert [queued.action.task_id for queued in desk.tracker.view().of_others] == [1]


def test_one_operation_that_spoils_the_request_is_found_and_the_others_are_done(desk: Desk) -> None:
    for day in range(24, 31):
        desk.tracker.correct((1, date(2026, 11, day)), day, "spoils the request" if day == 27 else "")
    desk.engine.step()
    (stuck,) = desk.tracker.view().stuck
    assert (stuck.code, stuck.action.memo) == ("invalid", "spoils the request")
    assert sorted(day for _, day in desk.server.cells) == [f"2026-11-{day}" for day in (24, 25, 26, 28, 29, 30)]


def test_a_server_that_asks_to_come_back_is_left_alone_until_then(desk: Desk) -> None:
    def busy(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(429, headers={"Retry-After": "30"})

    desk.engine._api = Api(SERVER, TOKEN, transport=httpx.MockTransport(busy))
    desk.tracker.correct((1, TODAY), 60)
    assert desk.engine.step() == timedelta(seconds=30)
    desk.pass_time(seconds=10)
    assert desk.engine.step() == timedelta(seconds=20)


@pytest.mark.parametrize("status", [302, 403, 404, 500, 200])
def test_something_else_at_that_address_is_taken_for_no_server(desk: Desk, status: int) -> None:
    answer = httpx.Response(status, html="<p>Log in</p>", headers={"Location": "https://portal.example.org/"})
    desk.engine._api = Api(SERVER, TOKEN, transport=httpx.MockTransport(lambda _request: answer))
    desk.engine.step()
    assert desk.engine.session.phase is Phase.OFFLINE
    assert desk.tokens.read(SERVER) == TOKEN


def test_the_token_is_sent_to_its_server_and_no_redirect_is_followed(desk: Desk) -> None:
    asked = []

    def redirect(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(307, headers={"Location": "https://elsewhere.example.org/"})

    desk.engine._api = Api(SERVER, TOKEN, transport=httpx.MockTransport(redirect))
    desk.engine.step()
    assert [re.sub("/api.*", "", url) for url in asked] == [SERVER]


def test_the_server_is_asked_to_speak_the_language_that_is_chosen_by_then(desk: Desk) -> None:
    asked = []

    def note(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["Accept-Language"])
        return httpx.Response(500)

    desk.engine._api = Api(SERVER, TOKEN, transport=httpx.MockTransport(note))
    before = language()
    try:
        for chosen in ("en", "ja"):
            use_language(chosen)
            desk.engine.step()
            desk.pass_time(minutes=30)
    finally:
        use_language(before)
    assert asked == ["en", "ja"]


def test_a_new_week_off_line_begins_with_nothing_and_no_target(desk: Desk) -> None:
    desk.server.cells[1, "2026-11-26"] = cell(90)
    desk.engine.step()
    desk.line.down = True
    desk.pass_time(days=5)
    desk.tracker.correct((1, date(2026, 12, 1)), 60)
    week = desk.tracker.view().week
    assert week is not None
    assert (week.start, week.minutes, week.target_minutes) == (date(2026, 11, 30), 60, None)


def test_more_than_a_batch_is_sent_in_batches(desk: Desk) -> None:
    owner = desk.queue.kept("owner") or ""
    for _ in range(450):
        desk.queue.append(owner, Addition(1, TODAY, 1, ""), desk.clock)
    desk.engine.step()
    assert desk.sent == ["POST /sync"] * 3 + ["GET /state"]
    assert desk.server.cells[1, "2026-11-26"].minutes == 450


def test_the_thread_works_when_it_is_woken_and_ends_when_told(desk: Desk) -> None:
    done = threading.Event()
    desk.engine.listen(lambda: done.set() if not desk.queue.all_open() else None)
    thread = desk.engine.start()
    desk.tracker.correct((1, TODAY), 60)
    desk.engine.wake()
    assert done.wait(20)
    desk.engine.end()
    thread.join(20)
    assert not thread.is_alive()
    assert desk.server.cells[1, "2026-11-26"].minutes == 60


def test_the_clock_of_the_server_counts(new_desk: Desk, server: FakeServer) -> None:
    api = new_desk.make_api(SERVER, server.token)
    api.fetch_state()
    assert abs(api.clock_offset) > timedelta(seconds=5) or abs(server.now - new_desk.clock) < timedelta(seconds=5)


def test_a_timer_that_one_of_the_web_overtook_is_recorded_until_then(desk: Desk) -> None:
    desk.line.down = True
    desk.tracker.start(1)
    desk.pass_time(minutes=40)
    desk.server.timer = {"task_id": 2, "started_at": "2026-11-26T00:30:00+00:00", "memo": "", "start_id": None}
    desk.line.down = False
    desk.engine.step()
    timer = desk.tracker.view().timer
    assert timer is not None
    assert timer.task_id == 2
    assert desk.server.cells[1, "2026-11-26"].minutes == 30
    assert desk.queue.all_open() == []
