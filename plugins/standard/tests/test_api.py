"""The resources of Standard, as a program meets them; on both engines."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from werkzeug.test import TestResponse

from app.sdk import Scope, write_transaction
from plugins.standard.models import Favourite, Task
from plugins.standard.tests.company import Company
from tests.conftest import bearer

pytestmark = pytest.mark.usefixtures("thursday")
DAY = "2026-11-25"


class Program:
    """A program with a token of the member's."""

    def __init__(self, office: Company, scopes: str = " ".join(Scope)) -> None:
        self.office = office
        self.headers = bearer(office.app, scopes=scopes)
        self.client = office.app.test_client()

    def ask(self, method: str, path: str, headers: Mapping[str, str] | None = None, **more: Any) -> TestResponse:
        return self.client.open(f"/api/v1{path}", method=method, headers={**self.headers, **(headers or {})}, **more)

    def put(self, path: str, minutes: int, memo: str = "", **headers: str) -> TestResponse:
        sent = {name.replace("_", "-"): value for name, value in headers.items()} or {"If-None-Match": "*"}
        return self.ask("PUT", path, sent, json={"minutes": minutes, "memo": memo})

    @property
    def tasks(self) -> list[int]:
        return [task["id"] for task in self.ask("GET", "/tasks").get_json()["tasks"]]


@pytest.fixture
def program(office: Company) -> Program:
    return Program(office)


def test_tasks_are_those_of_the_screen(program: Program) -> None:
    answer = program.ask("GET", "/tasks").get_json()
    name = answer["tasks"][0]["name"]

    assert {"id", "code", "name", "project", "customer", "colour", "favourite", "recent"} == set(answer["tasks"][0])
    found = program.ask("GET", f"/tasks?q={name}").get_json()["tasks"]
    assert name in {task["name"] for task in found}
    assert program.ask("GET", "/tasks?q=%00").status_code == 422


def test_an_entry_is_written_read_changed_and_removed_by_its_version(program: Program) -> None:
    path = f"/entries/{DAY}/{program.tasks[0]}"
    assert program.ask("GET", path).status_code == 404

    made = program.put(path, 90, "first")
    assert (made.status_code, made.get_json()["minutes"]) == (200, 90)
    read = program.ask("GET", path)
    assert (read.get_json()["memo"], read.headers["ETag"]) == ("first", made.headers["ETag"])
    assert program.ask("GET", path, {"If-None-Match": made.headers["ETag"]}).status_code == 304

    changed = program.put(path, 120, "second", If_Match=made.headers["ETag"])
    assert changed.get_json()["minutes"] == 120
    late = program.put(path, 30, "late", If_Match=made.headers["ETag"])
    assert (late.status_code, late.get_json()["code"]) == (412, "precondition_failed")
    assert late.get_json()["present"]["minutes"] == 120
    assert late.headers["ETag"] == changed.headers["ETag"]
    assert program.put(path, 30).status_code == 412  # there is something already
    assert program.ask("DELETE", path).status_code == 428

    assert program.ask("DELETE", path, {"If-Match": changed.headers["ETag"]}).status_code == 204
    assert program.ask("GET", path).status_code == 404
    gone = program.put(path, 30, If_Match=changed.headers["ETag"])
    assert (gone.status_code, gone.get_json()["present"]) == (412, None)


@pytest.mark.parametrize("path", ["1640995200/1", "2026-11-25T00:00:00/1", f"{DAY}/+1", f"{DAY}/01", f"{DAY}/1.0"])
def test_an_entry_has_one_address(program: Program, path: str) -> None:
    assert program.put(f"/entries/{DAY}/1", 5).status_code == 200
    assert program.ask("GET", f"/entries/{path}").status_code == 422


def test_what_is_read_for_one_version_is_refused_where_it_is_another(program: Program) -> None:
    path = f"/entries/{DAY}/{program.tasks[0]}"
    made = program.put(path, 90)
    for tag, status in ((made.headers["ETag"], 200), ("*", 200), ('"1"', 412), (f"W/{made.headers['ETag']}", 412)):
        answer = program.ask("GET", path, {"If-Match": tag})
        assert answer.status_code == status
        assert answer.mimetype == ("application/json" if status == 200 else "application/problem+json")


def test_the_same_once_more_changes_nothing(program: Program) -> None:
    path = f"/entries/{DAY}/{program.tasks[0]}"

    assert program.put(path, 90).headers["ETag"] == program.put(path, 90).headers["ETag"]


def test_entries_come_page_by_page_and_each_once(program: Program) -> None:
    for day in range(1, 6):
        for task in program.tasks[:2]:
            assert program.put(f"/entries/2020-01-0{day}/{task}", 10 + day).status_code == 200
    found: list[tuple[str, int]] = []
    cursor = ""
    while True:
        page = program.ask("GET", f"/entries?from=2020-01-02&to=2020-01-31&limit=3&cursor={cursor}").get_json()
        assert len(page["entries"]) <= 3
        found += [(entry["day"], entry["task_id"]) for entry in page["entries"]]
        if page["next_cursor"] is None:
            break
        cursor = page["next_cursor"]

    assert found == sorted(found)
    assert len(set(found)) == len(found) == 8


def test_tasks_come_page_by_page_and_each_once(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    office, drawing, review = program.office, *program.tasks[:2]
    with office.app.app_context(), write_transaction() as session:
        names = ["same", "same", "大森", "a", "Z", "é"]
        tasks = [
            Task(project_id=office.projects["press"], code=f"C-{n % 2}", name=name, active=True, billable=True)
            for n, name in enumerate(names)
        ]
        session.add_all(tasks)
        session.flush()
        ids = [task.id for task in tasks]
        session.add_all(Favourite(user_id=office.writer.user_id, task_id=task) for task in (ids[1], ids[3]))
    for day, task in (("2026-11-20", review), ("2026-11-20", ids[4]), ("2026-11-23", ids[0]), ("2026-11-23", ids[3])):
        assert program.put(f"/entries/{day}/{task}", 5).status_code == 200
    whole = program.tasks
    assert set(whole) == {drawing, review, *ids}
    assert whole[:4] == [ids[3], ids[1], ids[0], *[task for task in whole if task in (review, ids[4])][:1]]

    monkeypatch.setattr("plugins.standard.timesheet.service.FOUND_AT_ONCE", 1)
    found, cursor = [], ""
    while cursor is not None:
        page = program.ask("GET", f"/tasks?cursor={cursor}").get_json()
        found += [task["id"] for task in page["tasks"]]
        cursor = page["next_cursor"]
    assert found == whole


@pytest.mark.parametrize("cursor", ["x", "3.2026-01-01.1", "0.2026-13-01.1", "0.2026-01-01", "0.2026-01-01.%D9%A1"])
def test_a_cursor_of_tasks_that_nobody_was_given_is_refused(program: Program, cursor: str) -> None:
    assert program.ask("GET", f"/tasks?cursor={cursor}").get_json()["field"] == "cursor"
    assert program.ask("GET", "/tasks?cursor=0.0001-01-01.999999999999999999").get_json()["tasks"] == []


@pytest.mark.parametrize(
    "query",
    [
        "",
        "from=2020-01-01",
        "from=x&to=2020-01-01",
        "from=2020-01-01&to=2020-01-02&limit=0",
        "from=2020-02-30&to=2020-03-01",
    ]
    + [f"from=2020-01-01&to=2020-01-02&cursor={cursor}" for cursor in ("x", "2020-01-01", "2020-13-01.1", "%00")]
    + ["from=1640995200&to=2020-01-02", "from=2020-01-01&to=2020-01-02T00:00:00"]
    + [f"from=2020-01-01&to=2020-01-02&limit={limit}" for limit in ("1_0", "%2B5", "5.0", "%205", "05", "%D9%A5")],
)
def test_entries_that_nobody_can_mean_are_refused_with_the_field(program: Program, query: str) -> None:
    answer = program.ask("GET", f"/entries?{query}")

    assert (answer.status_code, answer.get_json()["code"]) == (422, "request_invalid")
    assert answer.get_json()["field"]


def test_what_the_services_refuse_is_refused_with_their_codes(program: Program) -> None:
    first, second = program.tasks[:2]
    unknown = program.put(f"/entries/{DAY}/999999", 60)
    assert (unknown.status_code, unknown.get_json()["code"]) == (409, "task_not_recordable")
    assert program.put(f"/entries/{DAY}/{first}", 1440).status_code == 200
    full = program.put(f"/entries/{DAY}/{second}", 60)
    assert full.get_json()["code"] == "duration_over_a_day"
    program.office.close(date(2026, 11, 20))
    closed = program.put(f"/entries/2026-11-20/{first}", 60)
    assert (closed.status_code, closed.get_json()["code"]) == (409, "day_closed")
    assert closed.get_json()["remedy"]
    assert program.ask("GET", "/closing").get_json() == {"closed_through": "2026-11-20"}


@pytest.mark.parametrize("body", [{"minutes": 0}, {"minutes": 1441}, {"minutes": 5, "memo": "x" * 1001}, {}])
def test_what_does_not_fit_is_refused_before_anything_is_done(program: Program, body: dict[str, Any]) -> None:
    path = f"/entries/{DAY}/{program.tasks[0]}"

    answer = program.ask("PUT", path, {"If-None-Match": "*"}, json=body)

    assert answer.status_code == 422
    assert program.ask("GET", path).status_code == 404


def test_the_timer_is_started_switched_stopped_and_discarded_by_its_version(program: Program) -> None:
    first, second = program.tasks[:2]
    none_runs = {"If-None-Match": "*"}
    assert program.ask("GET", "/timer").get_json() == {"timer": None}
    assert program.ask("POST", "/timer/stop").get_json()["code"] == "precondition_required"

    started = program.ask("PUT", "/timer", none_runs, json={"task_id": first, "memo": "call"})
    timer = started.get_json()["timer"]
    assert (timer["task_id"], timer["memo"], f'"{timer["version"]}"') == (first, "call", started.headers["ETag"])
    seen = {"If-Match": started.headers["ETag"]}
    assert program.ask("GET", "/timer", {"If-None-Match": started.headers["ETag"]}).status_code == 304
    switched = program.ask("PUT", "/timer", seen, json={"task_id": second})
    assert switched.get_json()["timer"]["task_id"] == second
    now = {"If-Match": switched.headers["ETag"]}
    stopped = program.ask("POST", "/timer/stop", now).get_json()
    assert stopped["task_id"] == second
    again = program.ask("PUT", "/timer", none_runs, json={"task_id": first})
    assert program.ask("DELETE", "/timer", {"If-Match": again.headers["ETag"]}).status_code == 204
    assert program.ask("GET", "/timer").get_json() == {"timer": None}
    refused = program.ask("PUT", "/timer", none_runs, json={"task_id": 999999})
    assert (refused.status_code, refused.get_json()["code"]) == (409, "task_not_recordable")


def test_who_is_second_at_the_timer_learns_what_runs_now(program: Program) -> None:
    first, second = program.tasks[:2]
    started = program.ask("PUT", "/timer", {"If-None-Match": "*"}, json={"task_id": first, "memo": "one"})
    seen = {"If-Match": started.headers["ETag"]}
    memo = program.ask("PUT", "/timer", seen, json={"task_id": first, "memo": "two"})
    assert memo.headers["ETag"] != started.headers["ETag"]

    for answer in (
        program.ask("PUT", "/timer", seen, json={"task_id": second}),
        program.ask("PUT", "/timer", {"If-None-Match": "*"}, json={"task_id": second}),
        program.ask("POST", "/timer/stop", seen),
        program.ask("DELETE", "/timer", seen),
        program.ask("GET", "/timer", seen),
    ):
        assert (answer.status_code, answer.get_json()["code"]) == (412, "precondition_failed")
        assert answer.mimetype == "application/problem+json"
        assert answer.headers["ETag"] == memo.headers["ETag"]
    assert program.ask("DELETE", "/timer", seen).get_json()["present"]["memo"] == "two"
    now = {"If-Match": memo.headers["ETag"]}
    assert program.ask("POST", "/timer/stop", now).status_code == 200
    late = program.ask("POST", "/timer/stop", now)
    assert (late.status_code, late.get_json()["present"]) == (412, None)


def test_a_week_has_its_days_and_entries(program: Program) -> None:
    task = program.tasks[0]
    before = program.ask("GET", "/weeks/2026-W48").get_json()
    program.put(f"/entries/{DAY}/{task}", 75)

    week = program.ask("GET", "/weeks/2026-W48").get_json()

    assert (week["week"], week["start"], week["end"], len(week["days"])) == ("2026-W48", "2026-11-23", "2026-11-29", 7)
    assert week["minutes"] == before["minutes"] + 75
    assert (DAY, task, 75) in {(entry["day"], entry["task_id"], entry["minutes"]) for entry in week["entries"]}
    assert program.ask("GET", "/weeks/2026-11-26").get_json() == week
    for nonsense, status in (("2021-W53", 404), ("2026-13-01", 404), ("x", 422), ("%00", 422)):
        assert program.ask("GET", f"/weeks/{nonsense}").status_code == status


def test_a_token_that_may_only_read_writes_nothing(office: Company) -> None:
    program = Program(office, "data.read")
    path = f"/entries/{DAY}/{program.tasks[0]}"

    for answer in (
        program.put(path, 5),
        program.ask("DELETE", path, {"If-Match": '"1"'}),
        program.ask("PUT", "/timer", json={"task_id": program.tasks[0]}),
        program.ask("POST", "/timer/stop"),
        program.ask("DELETE", "/timer"),
    ):
        assert (answer.status_code, answer.get_json()["code"]) == (403, "scope_missing")
    assert program.ask("GET", path).status_code == 404


def test_the_document_says_which_numbers_are_taken(program: Program) -> None:
    paths = program.ask("GET", "/openapi.json").get_json()["paths"]
    of_entries = {
        one["name"]: one["schema"] for one in paths["/api/v1/entries"]["get"]["parameters"] if "schema" in one
    }
    of_entry = {one["name"]: one["schema"] for one in paths["/api/v1/entries/{day}/{task_id}"]["get"]["parameters"]}
    assert (of_entries["limit"]["minimum"], of_entries["limit"]["maximum"]) == (1, 100)
    assert of_entry["task_id"]["minimum"] == 1
