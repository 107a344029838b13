"""A server that keeps the protocol, as a small WSGI application: the model that the client is tested against."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

DEVICE_CODE = "device-code"
TOKEN = "token-of-m-sakai"
ZONE = ZoneInfo("Asia/Tokyo")
THURSDAY = datetime(2026, 11, 26, 0, 0, tzinfo=UTC)  # 9:00 in Tokyo
TASKS = [
    {"id": 1, "code": "RX-204", "name": "Gearbox housing drawing", "project": "Press line renewal"},
    {"id": 2, "code": "RX-198", "name": "Assembly review with supplier", "project": "Press line renewal"},
    {"id": 3, "code": "RX-311", "name": "Fixture design", "project": "Inspection cell"},
    {"id": 4, "code": "", "name": "Team meeting", "project": "Internal"},
    {"id": 5, "code": "RX-305", "name": "Quotation support", "project": "Inspection cell"},
]


@dataclass
class Cell:
    minutes: int
    memo: str
    version: int


@dataclass
class FakeServer:
    """Everything that the server knows."""

    now: datetime = THURSDAY
    cells: dict[tuple[int, str], Cell] = field(default_factory=dict)
    timer: dict[str, Any] | None = None
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The result of each operation that took effect or was refused: the same id again gives the same."""
    effects: dict[str, int] = field(default_factory=dict)
    """How often each operation took effect."""
    started: set[str] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)
    closed_through: str = "2026-11-23"
    login: str = "m.sakai"
    token: str = TOKEN
    confirmed: bool = False
    denied: bool = False
    slow_down: bool = False
    problem: tuple[int, dict[str, Any]] | None = None
    fault: Callable[[str], str] | None = None
    """Asked for each request: "" answers, "before" loses the request, "after" loses the answer."""
    requests: list[str] = field(default_factory=list)
    version: int = 0
    maintenance_expires: str = "2027-02-01T00:00:00+09:00"
    lacking: list[dict[str, Any]] = field(default_factory=list)

    # WSGI -------------------------------------------------------------------------------------------------------------

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        path = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO'].removeprefix('/api/v1/desktop')}"
        self.requests.append(path)
        status, headers, answer = self.answer(path, environ, body)
        headers = {"Date": format_datetime(self.now, usegmt=True), **headers}
        phrase = HTTPStatus(status).phrase
        start_response(f"{status} {phrase}", list(headers.items()))
        return [b"" if answer is None else json.dumps(answer).encode()]

    def answer(self, path: str, environ: dict[str, Any], body: bytes) -> tuple[int, dict[str, str], Any]:  # noqa: PLR0911  # one for each question
        json_type = {"Content-Type": "application/json"}
        if path == "POST /pairing":
            return 200, json_type, self.pairing(environ)
        if path == "POST /token":
            status, answer = self.grant(parse_qs(body.decode()))
            return status, json_type, answer
        if environ.get("HTTP_AUTHORIZATION") != f"Bearer {self.token}":
            problem = {"code": "token_invalid", "detail": "The device is not paired any more.", "remedy": "Pair again."}
            return 401, {"Content-Type": "application/problem+json", "WWW-Authenticate": "Bearer"}, problem
        if self.problem is not None:
            return self.problem[0], {"Content-Type": "application/problem+json"}, self.problem[1]
        if path == "GET /state":
            return self.answer_state(environ)
        operations = json.loads(body)["operations"]
        assert len(operations) <= 200
        if any(operation.get("memo") == "spoils the request" for operation in operations):
            return 400, {"Content-Type": "application/problem+json"}, {"code": "invalid", "detail": "Not understood."}
        return 200, json_type, {"results": [self.carry_out(operation) for operation in operations]}

    # Pairing ----------------------------------------------------------------------------------------------------------

    def pairing(self, environ: dict[str, Any]) -> dict[str, Any]:
        address = f"{environ['wsgi.url_scheme']}://{environ['HTTP_HOST']}/desktop/pair"
        return {
            "device_code": DEVICE_CODE,
            "user_code": "WDJB-MJHT",
            "verification_uri": address,
            "verification_uri_complete": f"{address}?code=WDJB-MJHT",
            "expires_in": 600,
            "interval": 5,
        }

    def grant(self, form: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:device_code"]
        assert form["client_id"] == ["timetracker-desktop"]
        if form["device_code"] != [DEVICE_CODE]:
            return 400, {"error": "invalid_grant"}
        if self.slow_down:
            self.slow_down = False
            return 400, {"error": "slow_down"}
        if self.denied:
            return 400, {"error": "access_denied"}
        if not self.confirmed:
            return 400, {"error": "authorization_pending"}
        return 200, {"access_token": self.token, "token_type": "Bearer", "device_name": "desk"}

    # State ------------------------------------------------------------------------------------------------------------

    def answer_state(self, environ: dict[str, Any]) -> tuple[int, dict[str, str], Any]:
        state = self.state()
        etag = f'"{sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()[:16]}"'
        if environ.get("HTTP_IF_NONE_MATCH") == etag:
            return 304, {"ETag": etag}, None
        return 200, {"Content-Type": "application/json", "ETag": etag}, state

    def state(self) -> dict[str, Any]:
        today = self.now.astimezone(ZONE).date()
        monday = today - timedelta(days=today.weekday())
        week = [(monday + timedelta(days=number)).isoformat() for number in range(7)]
        entries = [
            {"task_id": task, "day": day, "minutes": cell.minutes, "memo": cell.memo, "version": cell.version}
            for (task, day), cell in sorted(self.cells.items())
            if day in week and cell.minutes
        ]
        days = [
            {
                "day": day,
                "minutes": sum(entry["minutes"] for entry in entries if entry["day"] == day),
                "target_minutes": 480 if 1 <= number < 5 else 0,
                "closed": day <= self.closed_through,
                "holiday": None,
            }
            for number, day in enumerate(week)
        ]
        return {
            "person": {"login": self.login, "name": "Mio Sakai", "language": "en", "time_zone": "Asia/Tokyo"},
            "installation": {
                "web_url": "https://rx.example.org/",
                "maintenance_expires": self.maintenance_expires,
                "license_expires": "2027-04-01T00:00:00+09:00",
            },
            "today": today.isoformat(),
            "week": {
                "week": "2026-W48",
                "start": week[0],
                "end": week[-1],
                "minutes": sum(day["minutes"] for day in days),
                "target_minutes": sum(day["target_minutes"] for day in days),
                "days": days,
                "entries": entries,
            },
            "closed_through": self.closed_through,
            "timer": self.timer,
            "tasks": [
                {
                    **task,
                    "customer": "Kitamura Precision",
                    "colour": "blue",
                    "recent": task["id"] < 5,
                    "favourite": False,
                }
                for task in TASKS
            ],
            "lacking": [*self.lacking, *(lacks(day) for day in days if is_lacking(day, today))],
        }

    # Operations -------------------------------------------------------------------------------------------------------

    def carry_out(self, operation: dict[str, Any]) -> dict[str, Any]:
        identifier = operation["id"]
        if identifier in self.results:
            return self.results[identifier]
        result = {"id": identifier, **getattr(self, f"do_{operation['kind']}")(operation)}
        self.results[identifier] = result
        if result["status"] == "done":
            self.effects[identifier] = self.effects.get(identifier, 0) + 1
        return result

    def do_start(self, operation: dict[str, Any]) -> dict[str, Any]:
        if not any(task["id"] == operation["task_id"] for task in TASKS):
            return refused("task_not_recordable", "The task is not yours.", "Choose another task.")
        if self.timer is not None and self.instant(self.timer["started_at"]) > self.instant(operation["started_at"]):
            return {"status": "done", "deferred": True}
        if self.timer is not None:
            if self.timer["task_id"] == operation["task_id"]:
                self.started.add(operation["id"])
                self.timer["start_id"] = operation["id"]
                return {"status": "done"}
            self.record(self.timer["task_id"], self.timer["started_at"], operation["started_at"], "")
            self.stopped.add(self.timer["start_id"])
        self.started.add(operation["id"])
        self.timer = {
            "task_id": operation["task_id"],
            "started_at": operation["started_at"],
            "memo": operation["memo"],
            "start_id": operation["id"],
        }
        return {"status": "done"}

    def do_stop(self, operation: dict[str, Any]) -> dict[str, Any]:
        start_id, timer = operation["start_id"], self.timer
        running = timer is not None and timer["start_id"] == start_id
        if not running and start_id in self.started:
            return {"status": "already"}
        started_at = timer["started_at"] if timer is not None and running else operation["started_at"]
        if self.day_of(started_at) <= self.closed_through:
            return day_closed()
        if running:
            self.timer = None
        self.record(operation["task_id"], started_at, operation["stopped_at"], operation["memo"])
        return {"status": "done"}

    def do_set(self, operation: dict[str, Any]) -> dict[str, Any]:
        key = operation["task_id"], operation["day"]
        if operation["day"] <= self.closed_through:
            return day_closed()
        present = self.cells.get(key, Cell(0, "", 0))
        if present.version != operation["version"]:
            now = {"minutes": present.minutes, "memo": present.memo, "version": present.version}
            return {"status": "conflict", "code": "cell_changed", "message": "Changed elsewhere.", "present": now}
        self.put(key, operation["minutes"], operation["memo"])
        return {"status": "done"}

    def do_add(self, operation: dict[str, Any]) -> dict[str, Any]:
        if operation["day"] <= self.closed_through:
            return day_closed()
        self.add(operation["task_id"], operation["day"], operation["minutes"], "")
        return {"status": "done"}

    def record(self, task_id: int, started_at: str, stopped_at: str, memo: str) -> None:
        begin, end = datetime.fromisoformat(started_at), datetime.fromisoformat(stopped_at)
        minutes = (end - begin) // timedelta(minutes=1)
        if minutes:
            self.add(task_id, self.day_of(started_at), minutes, memo)

    def instant(self, text: str) -> datetime:
        return datetime.fromisoformat(text)

    def day_of(self, instant: str) -> str:
        day: date = datetime.fromisoformat(instant).astimezone(ZONE).date()
        return day.isoformat()

    def add(self, task_id: int, day: str, minutes: int, memo: str) -> None:
        present = self.cells.get((task_id, day), Cell(0, "", 0))
        self.put((task_id, day), present.minutes + minutes, present.memo or memo)

    def put(self, key: tuple[int, str], minutes: int, memo: str) -> None:
        self.version += 1
        self.cells[key] = Cell(minutes, memo, self.version)


def is_lacking(day: dict[str, Any], today: date) -> bool:
    return day["day"] < today.isoformat() and day["minutes"] < day["target_minutes"] and not day["closed"]


def lacks(day: dict[str, Any]) -> dict[str, Any]:
    return {name: day[name] for name in ("day", "minutes", "target_minutes")}


def refused(code: str, message: str, remedy: str) -> dict[str, Any]:
    return {"status": "refused", "code": code, "message": message, "remedy": remedy}


def day_closed() -> dict[str, Any]:
    return refused("day_closed", "The day is closed.", "Ask an administrator to reopen it.")


MAINTENANCE_EXPIRED = (
    403,
    {
        "code": "maintenance_expired",
        "title": "Forbidden",
        "detail": "The maintenance of this installation expired on 31 January 2027.",
        "remedy": "Ask your administrator to renew the maintenance and register the new license key.",
        "maintenance_expires": "2027-02-01T00:00:00+09:00",
    },
)
SEATS_EXCEEDED = (
    403,
    {
        "code": "seats_exceeded",
        "detail": "The number of licenses has been exceeded.",
        "remedy": "Ask your administrator.",
    },
)
