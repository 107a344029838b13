"""A sync of a thousand queued entries, and what the desktop application costs while nothing happens.

The client's side runs in the client's own environment, ``plugins/desktop/client/.venv``, as its people have it.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select

from app.auth.models import User
from app.sdk import issue_device_token, write_transaction
from benchmarks.ground import ENGINES, LOGIN, Ground
from benchmarks.measure import Result, of_values
from benchmarks.startup import CHECKOUT, PATIENCE, environment_of, wait_for_answer

CLIENT = CHECKOUT / "plugins" / "desktop" / "client"
CLIENT_PYTHON = CLIENT / ".venv" / "bin" / "python"
DAYS = 30
ENTRIES = 1_000
SYNC_TARGET = 2.0
CPU_TARGET = 0.5
REQUESTS_TARGET = 1.0


def measure(ground: Ground, *, quick: bool) -> Iterator[Result]:
    """On both engines the sync; on SQLite the program on a screen, with an icon in a tray."""
    if not CLIENT_PYTHON.exists():
        sys.exit(
            f"There is no {CLIENT_PYTHON}: `make desktop` or `make test TESTS={CLIENT.relative_to(CHECKOUT)}` does"
        )
    for engine in ENGINES:
        app = ground.application_with_hours(engine, DAYS)
        with _served(app) as (address, _log):
            runs = [_client("sync", address, _token(app), str(ENTRIES), str(run)) for run in range(3)]
        name = f"desktop: sync of {ENTRIES:,} queued entries, {engine}"
        note = f"{runs[-1]['requests']} requests, of which the server takes {runs[-1]['server']:.2f} s"
        seconds = [run["seconds"] for run in runs]
        yield of_values(name, seconds, unit="s", target=SYNC_TARGET, at_least=False, note=note)
    yield from _idle(ground.application_with_hours("sqlite", DAYS), minutes=1 if quick else 3)


def _idle(app: Flask, minutes: int) -> Iterator[Result]:
    for what in ("window", "tray"):
        with _served(app) as (address, log):
            found = _client("idle", address, _token(app), what, str(60 * minutes), str(log))
        where = {"window": "its window open, a timer running", "tray": "in the tray"}[what]
        note = f"user and system time of {minutes} minutes"
        yield of_values(
            f"desktop: idle with {where}", [found["cpu"]], unit="%", target=CPU_TARGET, at_least=False, note=note
        )
        rate = [found["requests"] / minutes]
        yield of_values(f"desktop: requests a minute, {what}", rate, unit="", target=REQUESTS_TARGET, at_least=False)


@contextmanager
def _served(app: Flask) -> Iterator[tuple[str, Path]]:
    """A server behind gunicorn as ``make run`` starts it: its address, and its access log."""
    with socket.socket() as place, tempfile.TemporaryDirectory() as folder:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        place.bind(("127.0.0.1", 0))
        port, log = place.getsockname()[1], Path(folder) / "access.log"
        environment = {**environment_of(app), "PORT": str(port), "ACCESS_LOG": str(log)}
        command = [sys.executable, "-m", "gunicorn", "--log-level", "error", "wsgi:app"]
        process = subprocess.Popen(command, env=environment, cwd=CHECKOUT)
        try:
            wait_for_answer(port, time.monotonic())
            yield f"http://127.0.0.1:{port}", log
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _token(app: Flask) -> str:
    with app.test_request_context("/"), write_transaction() as session:
        user_id = session.execute(select(User.id).where(User.login == LOGIN)).scalar_one()
        return issue_device_token(session, user_id, "benchmark")


def _client(*arguments: str) -> dict[str, Any]:
    command = [str(CLIENT_PYTHON), "tests/speed.py", *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, cwd=CLIENT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found
