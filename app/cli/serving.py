"""``make run``: prepare, show and serve in one process, since most of a start is importing the application."""

import os
import runpy
import socket
import sys
from contextlib import suppress

from flask.cli import ScriptInfo

from app import create_app
from app.cli.evaluation import evaluation_group
from app.extensions import db

LAST_PORT = 65_535


def main() -> None:
    """Do what ``flask evaluation start`` does, then become gunicorn; ends with status 1 where something is refused."""
    _require_free_port(os.environ.get("PORT", "8000"))
    info = ScriptInfo(create_app=create_app)
    try:
        evaluation_group.main(["start"], prog_name="make run", obj=info)
    except SystemExit as ended:
        if ended.code:
            raise
    _close_connections(info)
    # What has been printed stays in sight: gunicorn only speaks of what goes wrong.
    sys.argv = ["gunicorn", "--log-level", "warning", "wsgi:app"]
    runpy.run_module("gunicorn", run_name="__main__")


def _require_free_port(port: str) -> None:
    """End where somebody listens already: with ``reuse_port`` both would, and each get some of the requests."""
    if not (port.isascii() and port.isdigit() and 0 < int(port) <= LAST_PORT):
        sys.exit(f"PORT is {port!r}, which is not a port number such as 8001.")
    with suppress(OSError), socket.create_connection(("127.0.0.1", int(port)), timeout=2):
        sys.exit(f"Something listens on 127.0.0.1:{port} already. Stop it, or take another port: make run PORT=8001")


def _close_connections(info: ScriptInfo) -> None:
    """Gunicorn makes an application of its own and forks: no connection of this one must come along."""
    with info.load_app().app_context():
        for engine in db.engines.values():
            engine.dispose()


if __name__ == "__main__":
    main()
