"""From end to end: the window against the real server behind gunicorn, over everything that may happen to both."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from conftest import MemoryKeyStore
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from window_pictures import NoAutostart

from timetracker_desktop.engine import Engine
from timetracker_desktop.keystore import TokenStore
from timetracker_desktop.operation_queue import OperationQueue
from timetracker_desktop.operations import Addition
from timetracker_desktop.session import Phase
from timetracker_desktop.tracker import Tracker
from timetracker_desktop.window.main_window import MainWindow

CHECKOUT = Path(__file__).parents[4]
PASSWORD = "correct horse battery staple"
PATIENCE = 30

OFF_LINE_WORKER = """
import sys, time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from timetracker_desktop.operation_queue import OperationQueue
from timetracker_desktop.tracker import Tracker

queue = OperationQueue(Path(sys.argv[1]))
tracker = Tracker(queue, lambda: datetime.now(UTC))
view = tracker.view()
task = view.state.tasks[0].id
tracker.correct((task, view.today), view.entry((task, view.today)).minutes + 7, "off line")
print("recorded", flush=True)
time.sleep(600)
"""


@dataclass
class Installation:
    """A server with an instance folder of its own, which can be stopped and started."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    environment: dict[str, str] = field(default_factory=dict)
    licenses: int = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def flask(self, *arguments: str, typed: str = "") -> str:
        command = [CHECKOUT / ".venv" / "bin" / "flask", *arguments]
        done = subprocess.run(
            command, cwd=CHECKOUT, env=self.environment, input=typed, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def prepare(self) -> None:
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("TIMETRACKER_", "PYTHON"))},
            "TIMETRACKER_INSTANCE_PATH": str(self.folder / "instance"),
            "TIMETRACKER_SECRET_KEY": "0123456789abcdef0123456789abcdef",
            "TIMETRACKER_LICENSE_PUBLIC_KEYS": str(self.folder / "keys"),
            "TIMETRACKER_TIME_ZONE": "UTC",
            "PORT": str(self.port),
        }
        (self.folder / "instance").mkdir()
        (self.folder / "keys").mkdir()
        self.flask("license", "keygen", "--out", str(self.folder / "vendor"), "--kid", "vendor-1")
        shutil.copy(self.folder / "vendor" / "vendor-1.pem", self.folder / "keys")
        self.flask("db", "upgrade")
        name = ("--name", "Haruka Kitamura")
        self.flask("user", "create", "h.kitamura", *name, "--admin", "--password-stdin", typed=PASSWORD)
        self.license(maintenance_until=datetime.now(UTC) + timedelta(days=30))
        self.flask("standard", "demo")
        self.flask("user", "password", "m.sakai", "--password-stdin", typed=PASSWORD)

    def license(self, *, maintenance_until: datetime) -> None:
        """Register a license that begins now and takes the place of the others."""
        begin = datetime.now(UTC) - timedelta(days=20 - self.licenses)
        self.licenses += 1
        key = self.flask(
            *("license", "issue", "--private-key", str(self.folder / "vendor" / "vendor-1.private.pem")),
            *("--kid", "vendor-1", "--customer", "Kitamura Precision", "--edition", "standard", "--seats", "50"),
            *("--starts", f"{begin:%Y-%m-%d}", "--expires", "2099-12-31", "--time-zone", "UTC"),
            *("--maintenance-until", f"{maintenance_until:%Y-%m-%d}"),
        )
        self.flask("license", "register", "-", "--yes", typed=key)

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
    made.prepare()
    made.start()
    yield made
    made.stop()


def confirm_in_browser(installation: Installation, address: str) -> None:
    """What the person does: log in, look at the code, confirm."""
    with httpx.Client(base_url=installation.address, follow_redirects=True) as browser:
        form = browser.get("/login").text
        fields = {"login": "m.sakai", "password": PASSWORD, "csrf_token": csrf(form)}
        assert browser.post("/login", data=fields, headers={"Referer": f"{installation.address}/login"}).is_success
        page = browser.get(address).text
        code = address.rpartition("=")[2]
        fields = {"csrf_token": csrf(page), "user_code": code, "decision": "confirm"}
        assert browser.post("/desktop/pair", data=fields, headers={"Referer": address}).is_success


def csrf(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found is not None, page
    return found[1]


class Client:
    """The application as it is put together, with a key store of this test."""

    def __init__(self, qtbot: QtBot, folder: Path, keystore: MemoryKeyStore, opened: list[str]) -> None:
        self.queue = OperationQueue(folder / "queue.sqlite3")
        self.engine = Engine(self.queue, TokenStore(folder / "token", keystore))
        self.tracker = Tracker(self.queue, self.engine.now)
        self.window = MainWindow(
            self.queue, self.engine, self.tracker, autostart=NoAutostart(), open_address=opened.append
        )
        qtbot.addWidget(self.window)
        self.window.show()
        self._wait = qtbot.waitUntil
        self._thread = self.engine.start()

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait; the engine is woken as if the minute had passed."""

        def holds() -> bool:
            if condition():
                return True
            self.engine.wake()
            return False

        self._wait(holds, timeout=PATIENCE * 1000)
        self.window.refresh()

    def end(self) -> None:
        self.engine.end()
        self._thread.join(PATIENCE)
        QApplication.processEvents()  # what the engine has still told is shown before the queue is closed
        self.window._minute.stop()
        self.window.changed.disconnect()
        self.window.stays_in_tray = True
        self.window.close()
        self.queue.close()


@pytest.mark.server
def test_from_pairing_to_a_renewed_license(  # noqa: PLR0915 - one story, of which each chapter needs the one before
    qtbot: QtBot, installation: Installation, tmp_path: Path
) -> None:
    folder, keystore, opened = tmp_path / "client", MemoryKeyStore(), list[str]()
    folder.mkdir()
    client = Client(qtbot, folder, keystore, opened)

    # pair
    client.window.pairing.address.setText(installation.address)
    qtbot.keyClick(client.window.pairing.address, Qt.Key.Key_Return)
    client.until(lambda: client.engine.session.phase is Phase.PAIRING)
    client.until(lambda: bool(opened))
    confirm_in_browser(installation, opened[0])
    client.until(lambda: client.engine.session.phase is Phase.ONLINE)

    # work
    view = client.tracker.view()
    assert view.state is not None
    running = view.timer
    if running is not None:  # the demo company's, started in the browser
        qtbot.mouseClick(client.window.work.stop, Qt.MouseButton.LeftButton)
        client.until(lambda: not client.queue.all_open())
        assert client.tracker.view().timer is None
    qtbot.mouseClick(client.window.work.task_rows[0].start, Qt.MouseButton.LeftButton)
    client.until(lambda: not client.queue.all_open())
    task = view.state.tasks[0].id
    before = client.tracker.view().entry((task, view.today)).minutes
    client.tracker.correct((task, view.today), before + 30)
    client.until(lambda: not client.queue.all_open())

    # the server is down; work on; the application is killed
    installation.stop()
    client.engine.wake()
    client.until(lambda: client.engine.session.phase is Phase.OFFLINE)
    client.end()
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT / "plugins" / "desktop" / "client")}
    command = [sys.executable, "-c", OFF_LINE_WORKER, str(folder / "queue.sqlite3")]
    worker = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
    assert worker.stdout is not None
    assert worker.stdout.readline() == b"recorded\n"
    worker.send_signal(signal.SIGKILL)
    worker.communicate()

    # both come back
    client = Client(qtbot, folder, keystore, opened)
    assert len(client.tracker.view().waiting) == 1
    installation.start()
    client.until(lambda: not client.queue.all_open())
    entry = client.tracker.view().entry((task, view.today))
    assert (entry.minutes, entry.memo.splitlines()[-1]) == (before + 37, "off line")

    # maintenance passes; what is done meanwhile waits
    installation.license(maintenance_until=datetime.now(UTC) - timedelta(days=1))
    client.tracker.correct((task, view.today), before + 40)
    client.until(lambda: client.engine.session.phase is Phase.MAINTENANCE_EXPIRED)
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
    assert client.engine.session.maintenance_expires == yesterday
    assert len(client.tracker.view().waiting) == 1

    # the renewed key brings it back, and what waited is there once
    installation.license(maintenance_until=datetime.now(UTC) + timedelta(days=365))
    client.until(lambda: client.engine.session.phase is Phase.ONLINE and not client.queue.all_open())
    assert client.tracker.view().entry((task, view.today)).minutes == before + 40

    # a thousand queued entries
    owner = client.queue.kept("owner") or ""
    with client.queue.transaction():
        for number in range(1000):
            day = view.today - timedelta(days=number % 3)
            client.queue.append(owner, Addition(task, day, 0, f"#{number % 7}"), datetime.now(UTC))
    begin = time.perf_counter()
    client.engine.wake()
    qtbot.waitUntil(lambda: not client.queue.has_unsent(owner), timeout=PATIENCE * 1000)
    seconds = time.perf_counter() - begin
    sys.stderr.write(f"\n1,000 queued entries: {seconds:.2f} s\n")
    client.end()
