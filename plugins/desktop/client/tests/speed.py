"""What the application costs, measured against a server that runs: ``python -m benchmarks desktop`` calls this.

``speed.py sync ADDRESS TOKEN ENTRIES RUN`` sends so many entries that were queued off line, each run other ones.
``speed.py idle ADDRESS TOKEN window|tray SECONDS LOG`` lets the program stand on a screen with a tray, reads its time
at the processor from /proc, and counts its requests in the server's access log. Both print one JSON object.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import keyring.backends.fail
from screen import PATIENCE, Screen, TrayHost
from xvfb import display

from timetracker_desktop.api import Api
from timetracker_desktop.engine import Engine
from timetracker_desktop.keystore import TokenStore
from timetracker_desktop.local_truth import View
from timetracker_desktop.operation_queue import OperationQueue
from timetracker_desktop.operations import Addition, Start, Stop
from timetracker_desktop.tracker import Tracker

SETTLING = 20
"""Seconds until a program that was just started is at rest."""
DAYS = 5
"""Back from yesterday, over which the entries are spread."""


class Timed(httpx.HTTPTransport):
    """Notes how long the server takes for each answer."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        begin = time.perf_counter()
        response = super().handle_request(request)
        self.seconds.append(time.perf_counter() - begin)
        return response


def sync(address: str, token: str, entries: int, run: int) -> dict[str, Any]:
    """Half of the entries are timers that were started and stopped, half are hours that were added."""
    transport = Timed()
    with tempfile.TemporaryDirectory() as folder:
        tokens = TokenStore(Path(folder) / "token", keyring.backends.fail.Keyring())
        tokens.write(address, token)
        queue = OperationQueue(Path(folder) / "queue.sqlite3")
        queue.keep("server", address)
        engine = Engine(queue, tokens, make_api=lambda server, held: Api(server, held, transport=transport))
        engine.step()
        fill(queue, Tracker(queue, engine.now).view(), entries, run)
        transport.seconds.clear()
        begin = time.perf_counter()
        engine.step()
        seconds = time.perf_counter() - begin
        left = queue.all_open()
        queue.close()
    if left:
        raise AssertionError(f"{len(left)} are left: {left[0]}")
    return {"seconds": seconds, "server": sum(transport.seconds), "requests": len(transport.seconds)}


def fill(queue: OperationQueue, view: View, entries: int, run: int) -> None:
    """Queue what somebody has done who was off line for some days; at another time of day in each run."""
    owner, now = queue.kept("owner") or "", datetime.now(UTC).replace(microsecond=0)
    assert view.state is not None
    tasks = [task.id for task in view.state.tasks[:8]]
    with queue.transaction():
        for number in range(entries // 4):
            begin = now - timedelta(days=1 + number % DAYS, hours=2 * (run + 1)) + timedelta(minutes=number // DAYS)
            task, end = tasks[number % len(tasks)], begin + timedelta(minutes=1)
            start = queue.append(owner, Start(task, begin, ""), begin)
            queue.append(owner, Stop(start.id, task, begin, end, f"#{number % 7}"), end)
        for number in range(entries // 2):
            day = view.today - timedelta(days=1 + number % DAYS)
            queue.append(owner, Addition(tasks[number % len(tasks)], day, number % 2, ""), now)


def idle(address: str, token: str, where: str, seconds: int, log: Path) -> dict[str, Any]:
    """The program stands on a screen with a tray, its window open with a timer that runs, or put away."""
    with tempfile.TemporaryDirectory() as folder, display() as name:
        prepare(Path(folder), address, token)
        tray, screen = TrayHost(name), Screen(name)
        environment = {
            "HOME": folder,
            "PATH": os.environ["PATH"],
            "DISPLAY": name,
            "QT_QPA_PLATFORM": "xcb",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            "TIMETRACKER_DESKTOP_DATA": folder,
        }
        command = [str(Path(sys.executable).with_name("timetracker-desktop"))]
        program = subprocess.Popen([*command, *(["--minimized"] if where == "tray" else [])], env=environment)
        try:
            if not tray.docked.wait(PATIENCE):
                raise AssertionError("no icon in the tray")
            time.sleep(SETTLING)
            assert any(title.endswith("TimeTracker RX") for title in screen.titles()) is (where == "window")
            before, asked = used(program.pid), asked_in(log)
            time.sleep(seconds)
            spent, asked = used(program.pid) - before, asked_in(log) - asked
        finally:
            program.terminate()
            program.wait(PATIENCE)
            screen.close()
    return {"cpu": 100 * spent / seconds, "requests": asked}


def prepare(folder: Path, address: str, token: str) -> None:
    """As after pairing, with a timer that runs."""
    TokenStore(folder / "token", keyring.backends.fail.Keyring()).write(address, token)
    queue = OperationQueue(folder / "queue.sqlite3")
    queue.keep("server", address)
    engine = Engine(queue, TokenStore(folder / "token", keyring.backends.fail.Keyring()))
    tracker = Tracker(queue, engine.now)
    engine.step()
    state = tracker.view().state
    assert state is not None
    tracker.start(state.tasks[0].id)
    engine.step()
    queue.close()


def used(pid: int) -> float:
    """Seconds at the processor, of user and system (proc_pid_stat(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def asked_in(log: Path) -> int:
    """How many requests of desktop applications an access log has."""
    return log.read_text().count("/api/v1/desktop/")


if __name__ == "__main__":
    what, *given = sys.argv[1:]
    if what == "sync":
        found = sync(given[0], given[1], int(given[2]), int(given[3]))
    else:
        found = idle(given[0], given[1], given[2], int(given[3]), Path(given[4]))
    sys.stdout.write(json.dumps(found))
