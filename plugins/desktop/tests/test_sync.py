"""What devices tell: carried out once each, in their order, and refused one by one."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from app.sdk import read_connection
from plugins.desktop.tests.conftest import Device, operation
from plugins.standard.models import RunningTimer, Span
from plugins.standard.tests.company import THURSDAY, Company
from plugins.standard.tests.sheet import entries
from plugins.standard.timesheet.typed import plain_memo

ADDED = b'{"id": "00000000-0000-4000-8000-000000000000", "kind": "add", "task_id": 1, "day": "2026-11-26"'  # and so on
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)  # 21:00 in Tokyo, where the member is


def ago(minutes: float) -> str:
    return (NOON - timedelta(minutes=minutes)).isoformat()


def hours(office: Company) -> dict[tuple[str, date], tuple[int, str]]:
    """What the member has recorded, by the names of tasks."""
    names = {task_id: name for name, task_id in office.tasks.items()}
    return {(names[task_id], day): value for (task_id, day), value in entries(office).items()}


def timers(office: Company) -> list[Any]:
    with office.app.app_context(), read_connection() as connection:
        return list(connection.execute(select(RunningTimer.task_id, RunningTimer.started_at)))


def start(office: Company, task: str, minutes_ago: float, **more: object) -> dict[str, object]:
    return operation("start", task_id=office.tasks[task], started_at=ago(minutes_ago), **more)


def stop_of(started: dict[str, object], minutes_ago: float, **more: object) -> dict[str, object]:
    told = {"start_id": started["id"], "task_id": started["task_id"], "started_at": started["started_at"]}
    return operation("stop", **told, stopped_at=ago(minutes_ago), **more)


def test_work_off_line_is_recorded_with_its_times(office: Company, device: Device) -> None:
    first = start(office, "drawing", 90)
    second = start(office, "review", 60)
    results = device.tell(first, second, stop_of(second, 15, memo="by train"))
    assert [result["status"] for result in results] == ["done", "done", "done"]
    assert results[2]["days"] == {"2026-11-26": 45}
    assert hours(office) == {("drawing", THURSDAY): (30, ""), ("review", THURSDAY): (45, "by train")}
    assert timers(office) == []
    with office.app.app_context(), read_connection() as connection:
        spans = connection.execute(select(Span.starts, Span.ends).order_by(Span.starts)).all()
    assert [tuple(span) for span in spans] == [(19 * 60 + 30, 20 * 60), (20 * 60, 20 * 60 + 45)]


def test_what_is_told_twice_is_done_once_and_answered_alike(office: Company, device: Device) -> None:
    started = start(office, "drawing", 30)
    told = (started, stop_of(started, 0), operation("add", task_id=office.tasks["review"], day="2026-11-25", minutes=5))
    first, again = device.tell(*told), device.tell(*told)
    assert first == again
    assert device.tell(told[2], told[2])[0] == first[2]
    assert hours(office) == {("drawing", THURSDAY): (30, ""), ("review", THURSDAY - timedelta(1)): (5, "")}


def timers_and_additions(office: Company) -> list[dict[str, object]]:
    """Three timers and three additions in a row, as somebody has queued them off line."""
    told = []
    for number, task in enumerate(("drawing", "review", "drawing")):
        begun = start(office, task, 60 - 20 * number, memo="begun")
        told += [begun, stop_of(begun, 50 - 20 * number, memo="" if number == 1 else f"#{number}")]
    for minutes, memo in ((5, "a"), (6, ""), (7, "b")):
        told.append(operation("add", task_id=office.tasks["review"], day="2026-11-25", minutes=minutes, memo=memo))
    return told


def test_what_is_told_at_once_comes_to_the_same_as_one_by_one(office: Company, device: Device) -> None:
    told = timers_and_additions(office)
    results = device.tell(*told)
    assert [result["status"] for result in results] == ["done"] * 9
    assert [result.get("days") for result in results[1:6:2]] == [{"2026-11-26": 10}] * 3
    assert [result["days"] for result in results[6:]] == [{"2026-11-25": 5}, {"2026-11-25": 6}, {"2026-11-25": 7}]
    yesterday = THURSDAY - timedelta(1)
    assert hours(office) == {
        ("drawing", THURSDAY): (20, "#0\n#2"),
        ("review", THURSDAY): (10, "begun"),
        ("review", yesterday): (18, "a\nb"),
    }
    assert device.tell(*told) == results
    assert device.tell({**told[1], "id": str(uuid4())})[0]["status"] == "already", "its timer has been stopped"


def test_one_that_is_refused_among_many_loses_no_other(office: Company, device: Device) -> None:
    told = timers_and_additions(office)
    finished = start(office, "finished", 49)
    told[2:2] = [finished, stop_of(finished, 45)]
    told.append(operation("add", task_id=office.tasks["review"], day="2026-11-25", minutes=24 * 60))
    results = device.tell(*told)
    refused = [result["code"] for result in results if result["status"] == "refused"]
    assert refused == ["task_not_recordable", "task_not_recordable", "duration_over_a_day"]
    assert hours(office)["review", THURSDAY - timedelta(1)] == (18, "a\nb")
    assert hours(office)["drawing", THURSDAY] == (20, "#0\n#2")


def test_timers_told_at_once_stop_one_that_runs_in_the_browser(office: Company, device: Device) -> None:
    Device(office).tell(start(office, "review", 70))
    device.tell(*timers_and_additions(office)[:2])
    assert timers(office) == []
    assert hours(office) == {("review", THURSDAY): (10, ""), ("drawing", THURSDAY): (10, "#0")}


def test_a_timer_that_the_device_starts_runs_in_the_browser_too(office: Company, device: Device) -> None:
    started = start(office, "drawing", 10, memo="sketches")
    device.tell(started)
    shown = device.state().get_json()["timer"]
    assert (shown["task_id"], shown["memo"], shown["start_id"]) == (office.tasks["drawing"], "sketches", started["id"])
    assert [row.task_id for row in timers(office)] == [office.tasks["drawing"]]


def test_a_timer_that_was_stopped_elsewhere_is_not_recorded_twice(office: Company, device: Device) -> None:
    started = start(office, "drawing", 60)
    device.tell(started)
    other = Device(office)
    other.tell(stop_of(started, 30))
    assert device.tell(stop_of(started, 0))[0]["status"] == "already"
    assert hours(office) == {("drawing", THURSDAY): (30, "")}


def test_a_start_that_comes_late_does_not_end_a_later_timer(office: Company, device: Device) -> None:
    later = start(office, "review", 20)
    Device(office).tell(later)
    late = start(office, "drawing", 60)
    assert device.tell(late)[0]["deferred"] is True
    assert [row.task_id for row in timers(office)] == [office.tasks["review"]]
    assert device.tell(stop_of(late, 0))[0]["days"] == {"2026-11-26": 40}, "up to where the later one was started"
    assert device.tell(stop_of(later, 0))[0]["days"] == {"2026-11-26": 20}


def test_a_stop_whose_start_never_arrived_is_recorded(office: Company, device: Device) -> None:
    device.tell(stop_of(start(office, "drawing", 25), 5))
    assert hours(office) == {("drawing", THURSDAY): (20, "")}


def test_work_over_midnight_is_cut_in_the_persons_zone(office: Company, device: Device) -> None:
    started = start(office, "drawing", 22 * 60)
    assert device.tell(stop_of(started, 20 * 60))[0]["days"] == {"2026-11-25": 60, "2026-11-26": 60}


def test_a_correction_of_what_others_have_changed_meanwhile_is_a_conflict(office: Company, device: Device) -> None:
    cell = {"task_id": office.tasks["drawing"], "day": "2026-11-26"}
    device.tell(operation("set", **cell, minutes=60, memo="", version=0))
    (entry,) = device.state().get_json()["week"]["entries"]
    other = operation("set", **cell, minutes=90, memo="longer", version=entry["version"])
    mine = operation("set", **cell, minutes=30, memo="", version=entry["version"])
    assert [result["status"] for result in device.tell(other, mine)] == ["done", "conflict"]
    (result,) = device.tell(mine)
    assert result["present"]["minutes"] == 90
    assert hours(office) == {("drawing", THURSDAY): (90, "longer")}


def test_what_is_refused_loses_nothing_of_the_others(office: Company, device: Device) -> None:
    with office.app.app_context():
        office.close(date(2026, 11, 25))
    good = {"task_id": office.tasks["drawing"], "day": "2026-11-26", "minutes": 60, "memo": ""}
    results = device.tell(
        operation("add", **{**good, "day": "2026-11-25"}),
        operation("add", **good),
        operation("add", **{**good, "task_id": office.tasks["of others"]}),
        operation("add", **{**good, "task_id": 2**62}),
        operation("add", **{**good, "minutes": 1440}),
        operation("add", **{**good, "memo": "m" * 1001}),
        operation("add", **{**good, "task_id": office.tasks["review"]}),
    )
    assert [result.get("code") for result in results] == [
        "day_closed",
        None,
        "task_not_recordable",
        "task_not_recordable",
        "duration_over_a_day",
        "memo_too_long",
        None,
    ]
    assert all(result["message"] for result in results if result["status"] == "refused")
    assert hours(office) == {("drawing", THURSDAY): (60, ""), ("review", THURSDAY): (60, "")}


@pytest.mark.parametrize(
    ("started", "stopped", "code"),
    [
        (-10, -20, "timer_in_future"),
        (10, 20, "timer_ends_before_start"),
        (32 * 24 * 60, 0, "timer_too_long_ago"),
    ],
)
def test_times_that_cannot_be_are_refused(
    office: Company, device: Device, started: float, stopped: float, code: str
) -> None:
    (result,) = device.tell(stop_of(start(office, "drawing", started), stopped))
    assert (result["status"], result["code"]) == ("refused", code)


def test_a_clock_that_is_a_little_ahead_is_forgiven(office: Company, device: Device) -> None:
    assert device.tell(stop_of(start(office, "drawing", 10), -1))[0]["days"] == {"2026-11-26": 10}


def test_times_that_the_day_has_already_are_refused_and_can_be_added_as_minutes(
    office: Company, device: Device
) -> None:
    device.tell(stop_of(start(office, "drawing", 60), 0))
    (result,) = device.tell(stop_of(start(office, "review", 30), 0))
    assert (result["status"], result["code"]) == ("refused", "timer_overlaps")
    device.tell(operation("add", task_id=office.tasks["review"], day="2026-11-26", minutes=30))
    assert hours(office)["review", THURSDAY] == (30, "")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b'{"operations": [{"kind": "set"}]}',
        b'{"operations": [{"id": "x", "kind": "start"}]}',
        b'{"operations": 1e999}',
        b'{"operations": [], "more": 1}',
        b'{"operations": [%s, "minutes": 1.5}]}' % ADDED,
        b'{"operations": [%s, "minutes": 1, "memo": "\\u0000"}]}' % ADDED,
        b'{"operations": [%s, "minutes": 1, "memo": "\\ud800"}]}' % ADDED,
        b'{"operations": [%s, "minutes": 1, "task_id": 9223372036854775808}]}' % ADDED,
        b'{"operations": [%s, "minutes": 1, "day": "0000-01-01"}]}' % ADDED,
        b'{"operations": [%s, "minutes": 1, "day": 1640995200}]}' % ADDED,
        b'{"operations": [%s, "minutes": 1, "day": "2026-11-26T00:00:00"}]}' % ADDED,
        b'{"operations": [%s, "started_at": 1}]}' % ADDED.replace(b"add", b"start").partition(b', "day"')[0],
    ],
)
def test_what_is_no_batch_is_refused_with_its_place(device: Device, body: bytes) -> None:
    headers = {**device.header, "Content-Type": "application/json"}
    answer = device.client.post("/api/v1/desktop/sync", data=body, headers=headers)
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    problem = answer.get_json()
    assert problem["code"] == "message_invalid"
    assert problem["errors"][0]["message"] in problem["title"]


def test_a_batch_is_json(device: Device) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", ""):
        headers = {**device.header, "Content-Type": content_type}
        answer = device.client.post("/api/v1/desktop/sync", data=b'{"operations": []}', headers=headers)
        assert (answer.status_code, answer.get_json()["code"]) == (415, "not_json")


def test_a_memo_is_recorded_as_the_sheet_takes_it(office: Company, device: Device) -> None:
    device.tell(operation("add", task_id=office.tasks["drawing"], day="2026-11-26", minutes=5, memo="one\x0b\r\ntwo "))
    assert hours(office) == {("drawing", THURSDAY): (5, plain_memo("one\x0b\r\ntwo "))}
    assert "\x0b" not in plain_memo("one\x0b")


def test_a_batch_that_is_too_large_is_refused(office: Company, device: Device) -> None:
    many = [operation("add", task_id=1, day="2026-11-26", minutes=1) for _ in range(201)]
    assert device.send(*many).status_code == 422
    headers = {**device.header, "Content-Type": "application/json"}
    answer = device.client.post("/api/v1/desktop/sync", data=b" " * 1_000_001, headers=headers)
    assert answer.status_code == 413
    assert hours(office) == {}


def test_a_state_that_has_not_changed_is_not_sent_again(office: Company, device: Device) -> None:
    first = device.state()
    assert device.state(**{"If-None-Match": first.headers["ETag"]}).status_code == 304
    device.tell(operation("add", task_id=office.tasks["drawing"], day="2026-11-26", minutes=1))
    changed = device.state(**{"If-None-Match": first.headers["ETag"]})
    assert changed.get_json()["week"]["minutes"] == 1


def test_the_state_names_tasks_week_and_person(office: Company, device: Device) -> None:
    state = device.state().get_json()
    assert {task["id"] for task in state["tasks"]} == {office.tasks["drawing"], office.tasks["review"]}
    assert (state["today"], state["person"]["time_zone"]) == ("2026-11-26", "Asia/Tokyo")
    assert (state["week"]["start"], state["week"]["target_minutes"]) == ("2026-11-23", 5 * 480)
    assert state["installation"]["web_url"] == "http://localhost/desktop/"


def test_the_state_names_days_of_weeks_before_that_lack_hours(office: Company, device: Device) -> None:
    assert device.state().get_json()["lacking"] == []  # nothing is expected before the first hours
    drawing = office.tasks["drawing"]
    device.tell(
        operation("add", task_id=drawing, day="2026-11-19", minutes=480),
        operation("add", task_id=drawing, day="2026-11-20", minutes=360),
        operation("add", task_id=drawing, day="2026-11-24", minutes=480),
    )
    lacking = [(day["day"], day["minutes"], day["target_minutes"]) for day in device.state().get_json()["lacking"]]
    assert lacking == [("2026-11-20", 360, 480), ("2026-11-23", 0, 480), ("2026-11-25", 0, 480)]
