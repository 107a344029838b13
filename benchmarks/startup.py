"""Starting: how long, how much of it goes to plug-ins, and how much memory a worker takes."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from flask import Flask

from benchmarks.ground import Ground
from benchmarks.measure import Result, of_values

DISCOVERY_TARGET = 5.0
CHECKOUT = Path(__file__).parents[1]
PATIENCE = 60.0
REQUESTS = 60
_TIMED_START = """
import sys, time
begun = float(sys.argv[1])
from app import assembly, create_app
from app.editions import discovery
from app.editions.registration import configure_editions
spent = {"editions": 0.0, "their own code": 0.0}
def timed(function, what):
    def call(*arguments):
        start = time.monotonic()
        try:
            return function(*arguments)
        finally:
            spent[what] += time.monotonic() - start
    return call
assembly.STEPS = tuple(
    timed(step, "editions") if step is configure_editions else step for step in assembly.STEPS
)
discovery._make = timed(discovery._make, "their own code")
app = create_app()
print(time.monotonic() - begun, spent["editions"] - spent["their own code"])
"""
"""Prints how long the start took, and how much of it finding, checking and registering editions; what an edition
imports it would import as well if it were no plug-in."""


def measure(ground: Ground, *, quick: bool) -> Iterator[Result]:
    """In processes of their own."""
    environment = environment_of(ground.application())
    starts = [_start(environment) for _ in range(3 if quick else 9)]
    shares = [100 * editions / total for total, editions in starts]
    note = f"{sorted(editions for _, editions in starts)[len(starts) // 2] * 1000:.1f} ms"
    name = "plug-in discovery, share of the start"
    yield of_values(name, shares, unit="%", target=DISCOVERY_TARGET, at_least=False, note=note)
    yield of_values("start: process to application", [1000 * total for total, _ in starts], unit="ms", at_least=False)
    yield from _gunicorn(environment)


def environment_of(app: Flask) -> dict[str, str]:
    """The environment in which another process makes the application that ``app`` is."""
    settings = app.extensions["settings"]
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("TIMETRACKER_")},
        "PYTHONPATH": str(CHECKOUT),
        "TIMETRACKER_INSTANCE_PATH": str(settings.instance_path),
        "TIMETRACKER_SECRET_KEY": settings.secret_key,
        "TIMETRACKER_DATABASE_URL": settings.database_url,
        "TIMETRACKER_LICENSE_PUBLIC_KEYS": str(settings.license_public_keys),
    }


def _start(environment: dict[str, str]) -> tuple[float, float]:
    command = [sys.executable, "-c", _TIMED_START, str(time.monotonic())]
    done = subprocess.run(command, env=environment, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    total, editions = map(float, done.stdout.split())
    return total, editions


def _gunicorn(environment: dict[str, str]) -> Iterator[Result]:
    with socket.socket() as place:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
        command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--log-level", "error", "wsgi:app"]
        begun = time.monotonic()
        process = subprocess.Popen(command, env=environment, cwd=CHECKOUT)
        try:
            wait_for_answer(port, begun)
            taken = 1000 * (time.monotonic() - begun)
            yield of_values("start: make run's gunicorn to its first answer", [taken], unit="ms", at_least=False)
            for _ in range(REQUESTS):
                _ask(port, "/login")
            shared, own = zip(*map(_memory, _children(process.pid)), strict=True)
            yield of_values("memory of a worker, proportional share (PSS)", shared, unit="MB", at_least=False)
            yield of_values("memory of a worker, its own alone (USS)", own, unit="MB", at_least=False)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)


def _ask(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def wait_for_answer(port: int, begun: float) -> None:
    """Wait for a server on this computer that was started at ``begun``, by the monotonic clock."""
    while time.monotonic() - begun < PATIENCE:
        try:
            _ask(port, "/login")
        except OSError:
            time.sleep(0.01)
        else:
            return
    raise TimeoutError("gunicorn does not answer")


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _memory(pid: int) -> tuple[float, float]:
    """Proportional and own memory of a process, in megabytes (proc_pid_smaps(5))."""
    numbers = {
        name: int(kilobytes)
        for name, kilobytes in re.findall(
            r"^(\w+): +(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE
        )
    }
    return numbers["Pss"] / 1024, (numbers["Private_Clean"] + numbers["Private_Dirty"]) / 1024
