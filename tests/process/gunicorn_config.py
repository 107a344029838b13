"""gunicorn's configuration for tests: the shipped one, which also says on standard error when a worker is ready."""

import os
import runpy
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

import app.database

READY = "worker ready:"
_shipped = runpy.run_path(str(Path(__file__).parents[2] / "gunicorn.conf.py"))
globals().update({name: value for name, value in _shipped.items() if not name.startswith("_")})

# A test keeps connections open between its requests, and shall not wait as long as an operator would.
keepalive = 60
graceful_timeout = 15
app.database.BUSY_TIMEOUT_MS = int(os.environ.get("TEST_BUSY_TIMEOUT_MS", app.database.BUSY_TIMEOUT_MS))

if "TEST_MAX_PAGE_COUNT" in os.environ:

    @event.listens_for(Engine, "connect")
    def limit_pages(connection: Any, _: Any) -> None:
        """A disk with room for so many pages: SQLITE_FULL beyond them."""
        connection.execute(f"PRAGMA max_page_count = {int(os.environ['TEST_MAX_PAGE_COUNT'])}")


def post_fork(server: Any, worker: Any) -> None:
    """As shipped; then perhaps less patience with visitors who stop in the middle of what they send."""
    _shipped["post_fork"](server, worker)
    if "TEST_RECEIVE_TIMEOUT" in os.environ:
        _shipped["limit_silence"](worker, int(os.environ["TEST_RECEIVE_TIMEOUT"]))


def post_worker_init(worker: Any) -> None:
    """The worker listens and is about to accept: name it in its answers, and say so to the test."""
    worker.wsgi = _named(worker.wsgi)
    os.write(sys.stderr.fileno(), f"{READY} {os.getpid()}\n".encode())  # at once, so that no other line mixes with it


def _named(wsgi: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    def call(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, [*headers, ("X-Worker", str(os.getpid()))], *rest)

        return wsgi(environ, start)

    return call
