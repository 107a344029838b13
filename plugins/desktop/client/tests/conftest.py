"""A fake server in this process, a clock that stands still, and a client of both."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import keyring.errors
import pytest

# Qt draws without a screen, unless somebody gives it one.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).parent))

from fake_server import THURSDAY, TOKEN, FakeServer

from timetracker_desktop.api import Api
from timetracker_desktop.engine import Engine
from timetracker_desktop.keystore import TokenStore
from timetracker_desktop.operation_queue import OperationQueue
from timetracker_desktop.tracker import Tracker

SERVER = "https://rx.example.org"


@dataclass
class MemoryKeyStore:
    """A system key store; ``works`` is false where the system has none."""

    works: bool = True
    secrets: dict[tuple[str, str], str] = field(default_factory=dict)

    def get_password(self, service: str, username: str) -> str | None:
        self._require()
        return self.secrets.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._require()
        self.secrets[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._require()
        if self.secrets.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError

    def _require(self) -> None:
        if not self.works:
            raise keyring.errors.NoKeyringError


@dataclass
class Line(httpx.BaseTransport):
    """The way to the server, on which requests and answers are lost as the server's ``fault`` says."""

    server: FakeServer
    down: bool = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        fault = "before" if self.down else self.server.fault(request.url.path) if self.server.fault else ""
        if fault == "before":
            raise httpx.ConnectError("no server")
        response = httpx.WSGITransport(self.server, raise_app_exceptions=True).handle_request(request)
        if fault == "after":
            raise httpx.ReadTimeout("no answer")
        return response


class Desk:
    """The client on one computer, with the fake server at the other end."""

    def __init__(self, folder: Path, server: FakeServer, keystore: MemoryKeyStore) -> None:
        self.folder, self.server, self.line = folder, server, Line(server)
        self.tokens = TokenStore(folder / "token", keystore)
        self.clock: datetime = server.now
        self.open()

    def open(self) -> None:
        self.queue = OperationQueue(self.folder / "queue.sqlite3")
        self.engine = Engine(self.queue, self.tokens, clock=lambda: self.clock, make_api=self.make_api)
        self.tracker = Tracker(self.queue, lambda: self.clock)

    def make_api(self, server: str, token: str | None) -> Api:
        return Api(server, token, transport=self.line)

    def restart(self) -> None:
        """As after kill -9: nothing is said to anybody."""
        self.queue.close()
        self.open()

    def pass_time(self, **passed: float) -> None:
        self.clock += timedelta(**passed)
        self.server.now = self.clock

    def pair(self) -> None:
        self.queue.keep("server", SERVER)
        self.tokens.write(SERVER, TOKEN)
        self.queue.close()
        self.open()
        self.engine.step()

    @property
    def sent(self) -> list[str]:
        return self.server.requests


@pytest.fixture
def server() -> FakeServer:
    return FakeServer(now=THURSDAY)


@pytest.fixture
def keystore() -> MemoryKeyStore:
    return MemoryKeyStore()


@pytest.fixture
def desk(tmp_path: Path, server: FakeServer, keystore: MemoryKeyStore) -> Iterator[Desk]:
    """A client that is paired and up to date."""
    made = Desk(tmp_path, server, keystore)
    made.pair()
    server.requests.clear()
    yield made
    made.queue.close()


@pytest.fixture
def new_desk(tmp_path: Path, server: FakeServer, keystore: MemoryKeyStore) -> Iterator[Desk]:
    """A client that knows nobody yet."""
    made = Desk(tmp_path, server, keystore)
    yield made
    made.queue.close()


def cell(minutes: int, memo: str = "", version: int = 1) -> Any:
    from fake_server import Cell  # noqa: PLC0415  # beside the other one for tests

    return Cell(minutes, memo, version)
