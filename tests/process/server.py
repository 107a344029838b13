"""gunicorn as an operator starts it, and visitors who speak HTTP with it; for tests with real processes."""

import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

from flask import Flask

from app.config import Settings
from tests.process.gunicorn_config import READY

CHECKOUT = Path(__file__).parents[2]
PATIENCE = 30.0  # seconds until a test gives up
TRIES = 400  # connections until each of a few workers has got one, beyond all doubt
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def environment_of(app: Flask) -> dict[str, str]:
    """The environment in which other processes work with the database, keys and secret of ``app``."""
    settings: Settings = app.extensions["settings"]
    mine = {name: value for name, value in os.environ.items() if not name.startswith("TIMETRACKER_")}
    return {
        **mine,
        "PYTHONPATH": str(CHECKOUT),
        "PYTHONUNBUFFERED": "1",
        "TIMETRACKER_INSTANCE_PATH": str(settings.instance_path),
        "TIMETRACKER_SECRET_KEY": settings.secret_key or "",
        "TIMETRACKER_DATABASE_URL": settings.database_url,
        "TIMETRACKER_LICENSE_PUBLIC_KEYS": str(settings.license_public_keys),
        "TIMETRACKER_EDITION_FAILURES_RAISE": "true",
    }


class Server:
    """A gunicorn with workers that are all ready once the ``with`` block begins; stopped at its end."""

    def __init__(self, environment: Mapping[str, str], *, workers: int = 2, options: tuple[str, ...] = ()) -> None:
        self._environment = dict(environment)
        self._workers = workers
        self._options = options
        self._lines: deque[str] = deque(maxlen=2_000)
        self._news = threading.Condition()
        self._ready: list[int] = []
        self._connections: list[http.client.HTTPConnection] = []

    def __enter__(self) -> Self:
        # Bound and not listening: nobody else is given the port meanwhile, and no connection comes here.
        self._place = socket.socket()
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._place.bind(("127.0.0.1", 0))
        self.port: int = self._place.getsockname()[1]
        command = [sys.executable, "-m", "gunicorn", "--config", str(CHECKOUT / "tests/process/gunicorn_config.py")]
        command += ["--bind", f"127.0.0.1:{self.port}", "--workers", str(self._workers), *self._options, "wsgi:app"]
        self.process = subprocess.Popen(command, env=self._environment, cwd=CHECKOUT, stderr=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        try:
            self.wait_for_workers(self._workers)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> int:
        """End it as a supervisor does, and by force where that takes too long; the exit status."""
        for connection in self._connections:
            connection.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            for pid in (*self.worker_pids(), self.process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            status = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        self._place.close()
        if self.process.stderr is not None:
            self.process.stderr.close()
        return status

    def _read_log(self) -> None:
        stream = self.process.stderr
        if stream is None:
            return
        for line in stream:
            with self._news:
                self._lines.append(line.rstrip("\n"))
                if line.startswith(READY):
                    self._ready.append(int(line.removeprefix(READY)))
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def wait_for_workers(self, number: int) -> list[int]:
        """Wait until so many workers have become ready since the start, and return their process ids."""
        with self._news:
            self._news.wait_for(lambda: len(self._ready) >= number or self.process.poll() is not None, PATIENCE)
            assert len(self._ready) >= number, self.log
            return list(self._ready)

    def wait_for_log(self, text: str) -> None:
        """Wait until the log holds ``text``."""
        with self._news:
            assert self._news.wait_for(lambda: any(text in line for line in self._lines), PATIENCE), self.log

    def worker_pids(self) -> list[int]:
        """The process ids of all workers that have become ready so far, ended ones included."""
        with self._news:
            return list(self._ready)

    @property
    def log(self) -> str:
        """What gunicorn and the application have logged."""
        return "\n".join(self._lines)

    def connect(self) -> http.client.HTTPConnection:
        """A connection of its own; HTTP keeps it open, at most until the server stops."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        self._connections.append(connection)
        return connection

    def connections_to_every_worker(self) -> dict[int, http.client.HTTPConnection]:
        """A connection to each worker, by its process id; the kernel deals them out, so some are opened in vain."""
        found: dict[int, http.client.HTTPConnection] = {}
        for _ in range(TRIES):
            connection = self.connect()
            connection.request("GET", "/healthz")
            answer = connection.getresponse()
            answer.read()
            worker = int(answer.headers["X-Worker"])
            if found.setdefault(worker, connection) is not connection:
                connection.close()
            if len(found) == self._workers:
                return found
        raise AssertionError(f"only {len(found)} workers answer")

    def raw(self, *parts: bytes, end: bool = True) -> bytes:
        """Send bytes as they are, end the sending, and return all bytes that come back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                for part in parts:
                    connection.sendall(part)
                if end:
                    connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: _received(connection), b""))


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65_536)
    except ConnectionResetError:
        return b""


@dataclass(frozen=True)
class Answer:
    """An answer, read to its end."""

    status: int
    text: str
    location: str
    worker: int


class Visitor:
    """A browser as far as cookies and tokens go."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.cookies: dict[str, str] = {}

    def request(
        self,
        method: str,
        path: str,
        form: Mapping[str, str] | None = None,
        connection: http.client.HTTPConnection | None = None,
    ) -> Answer:
        """Ask on ``connection``, else on a new one."""
        headers = {"Accept-Language": "en"}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        with _borrowed(connection, self.server) as used:
            used.request(method, path, urlencode(form) if form is not None else None, headers)
            answer = used.getresponse()
            text = answer.read().decode()
        for line in answer.headers.get_all("Set-Cookie") or ():
            self.cookies.update({name: morsel.value for name, morsel in SimpleCookie(line).items()})
        return Answer(answer.status, text, answer.headers.get("Location", ""), int(answer.headers.get("X-Worker", "0")))

    def get(self, path: str, connection: http.client.HTTPConnection | None = None) -> Answer:
        """GET a page."""
        return self.request("GET", path, connection=connection)

    def post(
        self,
        path: str,
        form: Mapping[str, str],
        *,
        page: str | None = None,
        connection: http.client.HTTPConnection | None = None,
    ) -> Answer:
        """POST a form with the token that stands on ``page`` (``path`` itself unless said)."""
        token = self.token(page or path, connection)
        return self.request("POST", path, {**form, "csrf_token": token}, connection)

    def token(self, page: str, connection: http.client.HTTPConnection | None = None) -> str:
        """The CSRF token of the forms on ``page``."""
        answer = self.get(page, connection)
        found = _TOKEN.search(answer.text)
        assert found, f"{answer.status} {answer.location} {answer.text}"
        return found[1]

    def log_in(self, login: str, password: str, connection: http.client.HTTPConnection | None = None) -> None:
        """Log in and expect it to work."""
        answer = self.post("/login", {"login": login, "password": password}, connection=connection)
        assert answer.status == 303, answer.text

    def copy(self) -> "Visitor":
        """Another browser with the same cookies."""
        other = Visitor(self.server)
        other.cookies = dict(self.cookies)
        return other


@contextlib.contextmanager
def _borrowed(connection: http.client.HTTPConnection | None, server: Server) -> Iterator[http.client.HTTPConnection]:
    if connection is not None:
        yield connection
        return
    own = server.connect()
    try:
        yield own
    finally:
        own.close()
