"""``make run``: prepare, show and serve in one process, since most of a start is importing the application."""

import runpy
import sys

from flask.cli import ScriptInfo

from app import create_app
from app.cli.evaluation import evaluation_group
from app.extensions import db


def main() -> None:
    """Do what ``flask evaluation start`` does, then become gunicorn; ends with status 1 where something is refused."""
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


def _close_connections(info: ScriptInfo) -> None:
    """Gunicorn makes an application of its own and forks: no connection of this one must come along."""
    with info.load_app().app_context():
        for engine in db.engines.values():
            engine.dispose()


if __name__ == "__main__":
    main()
