"""The number of registered users is that of the rows, whoever writes them, in whatever way, all at once."""

import subprocess
import sys

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.auth.models import User
from app.extensions import db
from app.license.models import SeatCount
from tests.conftest import ONLY_POSTGRESQL
from tests.process.server import CHECKOUT, environment_of

pytestmark = pytest.mark.process
WAYS = ("service", "service", "insert", "bulk", "delete", "rollback", "upsert")
TIMES = 12


def write_at_once(app: Flask, ways: tuple[str, ...], times: int = TIMES) -> list[int]:
    """Let a process for each of ``ways`` write, all beginning together; how many attempts of each were refused."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.process.writers", str(times), *ways],
        env=environment_of(app),
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    refused = dict(map(int, line.split()) for line in done.stdout.splitlines())
    assert sorted(refused) == list(range(len(ways))), done.stderr
    return [refused[place] for place in range(len(ways))]


def counted_and_kept(app: Flask) -> tuple[int, int]:
    """The number of rows, and the number that is shown and enforced."""
    counted = select(func.count()).select_from(User).where(User.deleted_at.is_(None)).scalar_subquery()
    with app.app_context(), db.engines["read"].connect() as connection:
        rows, kept = connection.execute(select(counted, SeatCount.registered_users)).one()
    return rows, kept


def test_eight_processes_that_write_users_never_miscount(app: Flask) -> None:
    is_sqlite = app.config["SQLALCHEMY_DATABASE_URI"].get_backend_name() == "sqlite"
    ways = (*WAYS, "replace" if is_sqlite else "conflict")

    refused = write_at_once(app, ways)

    rows, kept = counted_and_kept(app)
    assert kept == rows
    assert rows >= 2 * TIMES
    # Nobody was refused for having come at the same time as others: only what is a duplicate was. On SQLite that
    # includes ON CONFLICT, which meets the trigger that keeps INSERT OR REPLACE out.
    duplicates = {"replace": TIMES - 1, "conflict": TIMES - 1, "upsert": TIMES - 1 if is_sqlite else 0}
    assert refused == [duplicates.get(way, 0) for way in ways]


@ONLY_POSTGRESQL
def test_truncating_among_eight_writers_never_miscounts(app: Flask) -> None:
    write_at_once(app, ("truncate", "truncate", "service", "insert", "bulk", "delete", "upsert", "conflict"), times=4)

    rows, kept = counted_and_kept(app)
    assert kept == rows
