"""A process whose children save a sheet or stop a timer as a worker does, and are killed at a chosen point of it.

It starts the application once, logs the member in, and forks a child for each line ``WHAT ARGUMENT POINT`` on its
standard input. The child asks for the page, counts the statements and commits of its writing transaction and kills
itself with SIGKILL at number POINT, before a statement, before the COMMIT or after it; POINT ``commit`` is told on
standard output (``committing PID``) just before the COMMIT instead, for the test to kill it while that goes on. On
standard output is said how it ended: ``killed``, or ``through STATUS POINTS`` with the number of such points.
"""

import os
import re
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, event, insert
from sqlalchemy.orm import Session

from app import create_app
from app.database import drop_connections
from app.extensions import db
from app.sdk import now, write_transaction
from plugins.standard.models import Entry, RunningTimer, Span
from plugins.standard.tests.sheet import Tab
from tests.conftest import MEMBER, log_in

_points = count()


def main() -> None:
    """Serve one line after another."""
    app = create_app()
    client = app.test_client()
    log_in(client, MEMBER)
    for path in ("/timesheet/", "/timer/"):
        client.get(path)  # what is compiled once is compiled here, not in each child
    _say("ready")
    for line in sys.stdin:
        what, argument, point = line.split()
        child = os.fork()
        if child == 0:
            drop_connections(app)
            status = {"sheet": _save_sheet, "timer": _stop_timer}[what](app, client, argument, point)
            _say(f"through {status} {next(_points)}")
            os._exit(0)
        _, ended = os.waitpid(child, 0)
        if os.WIFSIGNALED(ended):
            _say("killed")


def _save_sheet(app: Flask, client: FlaskClient, pattern: str, point: str) -> int:
    """Make all cells of the first row ``pattern[0]`` hours, all of the second ``pattern[1]``; 0 empties them."""
    tab = Tab(client)
    cells = [name for name in tab.fields if name.startswith("h-")]
    for name in cells:
        hours = pattern[name.split("-")[1] != cells[0].split("-")[1]]
        tab.fields[name] = hours
        tab.fields[name.replace("h-", "m-", 1)] = f"memo {hours}" if int(hours) else ""
    _arm(app, point)
    return tab.press().status_code


def _stop_timer(app: Flask, client: FlaskClient, whose: str, point: str) -> int:
    """Stop a timer that has been running for ten minutes, on ``TASK.USER``; nothing else is recorded."""
    task, user = map(int, whose.split("."))
    with app.app_context(), write_transaction() as session:
        for table in (Entry, Span, RunningTimer):
            session.execute(delete(table))
        started = {"user_id": user, "task_id": task, "memo": "", "started_at": now() - timedelta(minutes=10)}
        session.execute(insert(RunningTimer).values(started))
    page = client.get("/timer/").text
    fields = {name: _value(page, name) for name in ("csrf_token", "timer")}
    _arm(app, point)
    return client.post("/timer/", data={**fields, "next": "/timer/", "action": "stop"}).status_code


def _arm(app: Flask, point: str) -> None:
    """From here on, count what is done to the database in transactions that write, and die at ``point``."""

    def reached(*_: Any, **__: Any) -> None:
        if str(next(_points)) == point:
            os.kill(os.getpid(), signal.SIGKILL)

    def committing(_: Any) -> None:
        reached()
        if point == "commit":
            _say(f"committing {os.getpid()}")

    with app.app_context():
        engine = db.engine
    hooks: tuple[tuple[Any, str, Callable[..., None]], ...] = (
        (engine, "before_cursor_execute", reached),
        (engine, "commit", committing),
        (Session, "after_commit", reached),
    )
    for target, name, function in hooks:
        event.listen(target, name, function)


def _value(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found, name
    return found[1]


def _say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


if __name__ == "__main__":
    main()
