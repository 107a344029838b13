"""From end to end: the program on a screen, by its keys alone, against the real server behind gunicorn.

Nothing here reaches into the program: it is a process of its own, which is killed in the middle. It is seen by its
titles, its queue's file, and what the server says.
"""

import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from screen import PATIENCE, Screen, TrayHost, until
from xvfb import display

CHECKOUT = Path(__file__).parents[4]
PROGRAM = Path(sys.executable).with_name("timetracker-desktop")
PASSWORD = "correct horse battery staple"
PYTHON = CHECKOUT / ".venv" / "bin" / "python"
COMMANDS = """
import json, sys
from click.testing import CliRunner
from flask.cli import FlaskGroup

printed = []
for arguments, typed in json.load(sys.stdin):
    done = CliRunner().invoke(FlaskGroup(), arguments, input=typed)
    if done.exit_code:
        sys.exit(f"{arguments}: {done.output}")
    printed.append(done.stdout.strip())
json.dump(printed, sys.stdout)
"""
BROWSER = """#!/bin/sh
printf '%s\\n' "$1" >> "$OPENED"
"""
"""In the place of ``xdg-open``: notes the address that a person would see."""


@dataclass
class Installation:
    """A server with an instance folder of its own, which can be stopped and started."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    environment: dict[str, str] = field(default_factory=dict)
    license: str = ""
    ended_license: str = ""
    """Its maintenance ended yesterday."""
    renewed_license: str = ""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def flask(self, *commands: tuple[list[str], str]) -> list[str]:
        """Run commands of the server, each with what is typed into it, in one process: most of a start is importing.

        Returns what each printed.
        """
        done = subprocess.run(
            [PYTHON, "-c", COMMANDS],
            cwd=CHECKOUT,
            env=self.environment,
            input=json.dumps(commands),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"
        return list(json.loads(done.stdout))

    def prepare(self) -> None:
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("TIMETRACKER_", "PYTHON"))},
            "TIMETRACKER_INSTANCE_PATH": str(self.folder / "instance"),
            "TIMETRACKER_SECRET_KEY": "0123456789abcdef0123456789abcdef",
            "TIMETRACKER_LICENSE_PUBLIC_KEYS": str(self.folder / "keys"),
            "TIMETRACKER_TIME_ZONE": "UTC",
            "TIMETRACKER_LOG_LEVEL": "error",
            "PORT": str(self.port),
        }
        (self.folder / "instance").mkdir()
        now = datetime.now(UTC)
        _, self.license, self.ended_license, self.renewed_license = self.flask(
            (["license", "keygen", "--out", str(self.folder / "keys"), "--kid", "vendor-1"], ""),
            (self._issue(now - timedelta(days=20), now + timedelta(days=30)), ""),
            (self._issue(now - timedelta(days=19), now - timedelta(days=1)), ""),
            (self._issue(now - timedelta(days=18), now + timedelta(days=365)), ""),
        )
        (self.folder / "keys" / "vendor-1.private.pem").unlink()
        name = ["--name", "Haruka Kitamura"]
        self.flask(
            (["db", "upgrade"], ""),
            (["user", "create", "h.kitamura", *name, "--admin", "--password-stdin"], PASSWORD),
            (["license", "register", "-", "--yes"], self.license),
            (["standard", "demo", "--password-stdin"], PASSWORD),
        )

    def _issue(self, starts: datetime, maintenance_until: datetime) -> list[str]:
        """A license that begins later than those issued before, and so takes their place once it is registered."""
        return [
            *("license", "issue", "--private-key", str(self.folder / "keys" / "vendor-1.private.pem")),
            *("--kid", "vendor-1", "--customer", "Kitamura Precision", "--edition", "standard", "--seats", "50"),
            *("--starts", f"{starts:%Y-%m-%d}", "--expires", "2099-12-31", "--time-zone", "UTC"),
            *("--maintenance-until", f"{maintenance_until:%Y-%m-%d}"),
        ]

    def register(self, key: str) -> None:
        self.flask((["license", "register", "-", "--yes"], key))

    def start(self) -> None:
        command = [CHECKOUT / ".venv" / "bin" / "gunicorn", "--log-level", "error", "wsgi:app"]
        self.process = subprocess.Popen(command, cwd=CHECKOUT, env=self.environment)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with suppress(httpx.HTTPError):
                if httpx.get(f"{self.address}/readyz").is_success:
                    return
            time.sleep(0.05)
        pytest.fail("the server does not start")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(PATIENCE)
            self.process = None


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """A server that runs."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = Installation(tmp_path, port)
    try:
        made.prepare()
        made.start()
        yield made
    finally:
        made.stop()


@contextmanager
def browser_of(installation: Installation) -> Iterator[httpx.Client]:
    """A browser in which the person has logged in."""
    with httpx.Client(base_url=installation.address, follow_redirects=True) as browser:
        fields = {"login": "m.sakai", "password": PASSWORD, "csrf_token": csrf(browser.get("/login").text)}
        assert browser.post("/login", data=fields, headers={"Referer": f"{installation.address}/login"}).is_success
        yield browser


def confirm_in_browser(installation: Installation, address: str) -> None:
    """What the person does: look at the code that the address brings along, and confirm it."""
    with browser_of(installation) as browser:
        page = browser.get(address).text
        code = address.rpartition("=")[2]
        fields = {"csrf_token": csrf(page), "user_code": code, "decision": "confirm"}
        assert browser.post("/desktop/pair", data=fields, headers={"Referer": address}).is_success


def csrf(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found is not None, page
    return found[1]


@dataclass
class Computer:
    """A computer with a screen, on which the program is started."""

    folder: Path
    display: str
    screen: Screen
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the program, as a click on its icon does."""
        self.process = self.run()

    def run(self) -> subprocess.Popen[bytes]:
        log = (self.folder / "client.log").open("ab")
        with log:
            return subprocess.Popen([PROGRAM], cwd=self.folder, env=self.environment, stderr=log)

    @property
    def environment(self) -> dict[str, str]:
        """Of somebody who has just logged in; nothing of whoever runs the tests."""
        return {
            "HOME": str(self.folder),
            "PATH": f"{self.folder / 'bin'}:/usr/bin:/bin",
            "DISPLAY": self.display,
            "QT_QPA_PLATFORM": "xcb",
            "LANG": "C.UTF-8",
            "OPENED": str(self.opened),
            # This computer has no key store, as the program says: whoever runs the tests keeps theirs to themselves.
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        }

    @property
    def data(self) -> Path:
        return self.folder / ".local" / "share" / "timetracker-desktop"

    @property
    def opened(self) -> Path:
        return self.folder / "opened"

    def opened_address(self) -> str:
        """The address that the program has opened in the browser."""
        return until(lambda: self.opened.exists() and self.opened.read_text().strip(), lambda: "no browser was opened")

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(PATIENCE)

    def queued(self) -> list[str]:
        """How far everything has come that waits on the disk, read beside the program."""
        with closing(sqlite3.connect(f"file:{self.data / 'queue.sqlite3'}?mode=ro", uri=True)) as database:
            return [str(state) for (state,) in database.execute("SELECT state FROM operations ORDER BY sequence")]

    @property
    def token(self) -> str:
        return (self.data / "token").read_text().split()[1]

    def log(self) -> str:
        """What the program complains of."""
        return (self.folder / "client.log").read_text(errors="replace")

    def picture(self, name: str) -> None:
        if folder := os.environ.get("SCREENSHOTS"):
            time.sleep(0.5)  # a title comes before the picture
            self.screen.picture(Path(folder) / f"on-screen-{name}.png")

    def title(self, *words: str) -> str:
        """Wait until the window's title has all of ``words``."""
        return self.screen.wait_for(
            lambda title: title.endswith("TimeTracker RX") and all(word in title for word in words), " ".join(words)
        )

    def title_without(self, word: str) -> str:
        return self.screen.wait_for(lambda title: title.endswith("TimeTracker RX") and word not in title, f"not {word}")

    def start_timer(self, task: str) -> None:
        """Find a task and start the timer on it."""
        self.screen.press("ctrl+f")
        self.screen.type(task)
        self.screen.press("enter")

    def correct_today(self, duration: str) -> None:
        """Give the first task of today other hours."""
        self.screen.press("ctrl+t")
        self.screen.press("ctrl+a")
        self.screen.type(duration)
        self.screen.press("enter")


@contextmanager
def computer_in(folder: Path) -> Iterator[Computer]:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "xdg-open").write_text(BROWSER)
    (folder / "bin" / "xdg-open").chmod(0o755)
    with display() as name:
        screen = Screen(name)
        computer = Computer(folder, name, screen)
        try:
            yield computer
        except BaseException:
            screen.picture(Path(os.environ.get("SCREENSHOTS") or folder) / "when-it-failed.png")
            sys.stderr.write(computer.log())
            raise
        finally:
            if computer.process is not None and computer.process.poll() is None:
                computer.kill()
            screen.close()


@dataclass
class Server:
    """What the server says to a device, asked beside the program."""

    address: str
    token: str

    def state(self) -> dict[str, Any]:
        answer = httpx.get(f"{self.address}/api/v1/desktop/state", headers={"Authorization": f"Bearer {self.token}"})
        assert answer.is_success, answer.text
        return dict(answer.json())

    def today(self) -> dict[int, int]:
        """Minutes by task."""
        state = self.state()
        return {
            entry["task_id"]: entry["minutes"] for entry in state["week"]["entries"] if entry["day"] == state["today"]
        }

    def with_minutes(self, minutes: int) -> int | None:
        """The task that has so many today."""
        return next((task for task, found in self.today().items() if found == minutes), None)

    def timer_of_this_device(self) -> int | None:
        """The task on which a device has started the timer that runs."""
        timer = self.state()["timer"]
        return timer["task_id"] if timer is not None and timer["start_id"] is not None else None

    def add(self, task: int, minutes: int) -> None:
        """Record hours today, as another device of the person does."""
        told = {"id": str(uuid4()), "kind": "add", "task_id": task, "day": self.state()["today"], "minutes": minutes}
        answer = httpx.post(
            f"{self.address}/api/v1/desktop/sync",
            headers={"Authorization": f"Bearer {self.token}"},
            json={"operations": [told]},
        )
        assert answer.is_success, answer.text


def eventually(holds: Callable[[], bool], what: str) -> None:
    until(lambda: holds() or None, lambda: what)


@pytest.mark.server
def test_from_pairing_to_a_renewed_license(  # noqa: PLR0915 - one story, of which each chapter needs the one before
    installation: Installation, tmp_path: Path
) -> None:
    with computer_in(tmp_path / "computer") as computer:
        screen = computer.screen

        # pair
        computer.start()
        computer.title()
        screen.type(installation.address)
        screen.press("enter")
        confirm_in_browser(installation, computer.opened_address())
        computer.title_without("Waiting for confirmation")
        server = Server(installation.address, until(lambda: computer.token, lambda: "no token"))

        # work: stop the timer that was started in the browser, start another one by the search, correct today's hours
        if server.state()["timer"] is not None:
            computer.title(" · ")
            screen.press("ctrl+period")
            eventually(lambda: server.state()["timer"] is None, "the timer of the browser is not stopped")
        task = server.state()["tasks"][0]
        if not server.today():
            server.add(task["id"], 60)
            screen.press("F5")
        computer.start_timer(task["name"])
        eventually(lambda: server.timer_of_this_device() == task["id"], "the timer does not run on the server")
        computer.title(task["name"])
        computer.correct_today("2:34")
        corrected = until(lambda: server.with_minutes(154), lambda: f"no 2:34 in {server.today()}")
        computer.picture("work")

        # the server is down; work on; the program is killed
        installation.stop()
        computer.correct_today("3:45")
        screen.press("ctrl+period")
        computer.title("Off line", "2 waiting")
        computer.picture("off-line")
        computer.kill()
        assert len(computer.queued()) == 2

        # both come back: once each
        computer.start()
        computer.title("Off line", "2 waiting")
        installation.start()
        screen.press("F5")
        eventually(lambda: computer.queued() == [], "it was not sent")
        assert server.today()[corrected] == 225
        assert server.state()["timer"] is None
        computer.title_without("Off line")

        # the maintenance passes: what is done meanwhile waits, and can be taken away as a table
        installation.register(installation.ended_license)
        computer.correct_today("4:56")
        computer.title("Maintenance expired", "1 waiting")
        computer.picture("expired")
        assert len(computer.queued()) == 1
        table = tmp_path / "hours.csv"
        screen.press("ctrl+e")
        screen.wait_for(lambda title: title == "Export as CSV", "Export as CSV")
        screen.press("ctrl+a")
        screen.type(str(table))
        screen.press("enter")
        eventually(lambda: table.exists() and table.read_text("utf-8-sig").count("4:56") == 1, "no table")
        with browser_of(installation) as browser:
            assert browser.get("/timesheet/").is_success  # the web application goes on

        # the renewed key brings it back, and what waited is there once
        installation.register(installation.renewed_license)
        computer.title("Maintenance expired")
        screen.press("F5")
        eventually(lambda: computer.queued() == [], "it was not sent")
        assert server.today()[corrected] == 296
        computer.title_without("Maintenance expired")

        screen.press("ctrl+q")
        assert computer.process is not None
        assert computer.process.wait(PATIENCE) == 0
        assert computer.log() == ""


def test_closing_leaves_it_in_the_tray_and_a_second_start_shows_it(tmp_path: Path) -> None:
    with computer_in(tmp_path / "computer") as computer:
        tray = TrayHost(computer.display)
        computer.start()
        computer.title()
        assert tray.docked.wait(PATIENCE)
        computer.screen.close_window("TimeTracker RX")
        eventually(lambda: "TimeTracker RX" not in computer.screen.titles(), "the window is not closed")
        second = computer.run()
        assert second.wait(PATIENCE) == 0
        computer.title()
        assert computer.process is not None
        assert computer.process.poll() is None
        computer.screen.press("ctrl+q")
        assert computer.process.wait(PATIENCE) == 0
        assert computer.log() == ""
