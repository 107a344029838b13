"""kill -9 while license keys are being registered: each key is registered wholly or not at all."""

import math
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, select, text

from app.audit import AuditEntry
from app.database import write_transaction
from app.extensions import db
from app.license.models import RegisteredLicense
from app.license.service import license_book
from app.settings.models import Installation, lock_installation
from app.settings.state import read_state
from tests.conftest import present_key
from tests.process.server import CHECKOUT, environment_of

pytestmark = pytest.mark.process
ROUNDS = 20
KEYS = 300  # far more than are registered by the last round, however late a kill comes
MOST_A_ROUND = 3
FIRST_SEATS = 100


@pytest.fixture
def keys() -> list[str]:
    """Keys that supersede one another; each allows one seat more, so that it can be told which one is in force."""
    start = datetime.now(UTC) - timedelta(minutes=50)
    return [
        present_key(seats=FIRST_SEATS + number, nbf=start + timedelta(seconds=number), grace_days=0)
        for number in range(KEYS)
    ]


@contextmanager
def registrar(app: Flask, keys: list[str], folder: Path) -> "Iterator[subprocess.Popen[str]]":
    path = folder / "keys.txt"
    path.write_text("\n".join(keys))
    command = [sys.executable, "-m", "tests.process.registrar", str(path)]
    with subprocess.Popen(
        command,
        env=environment_of(app),
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0


def kill_once(process: "subprocess.Popen[str]", first: int, chance: random.Random) -> list[int]:
    """Let a child register keys from ``first`` on and kill it at some point of one; which ones it said were done.

    The point is chosen as a part of the time that a registration takes at best, so that it may be any on any machine,
    and a moment in which the machine stood still does not put it off.
    """
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{first}\n")
    process.stdin.flush()
    done: list[int] = []
    last = first + chance.randint(1, MOST_A_ROUND)
    child = 0
    begun, taken = 0.0, math.inf
    killer: threading.Timer | None = None
    for line in process.stdout:
        word, _, value = line.strip().partition(" ")
        if word == "child":
            child = int(value)
        elif word == "done":
            done.append(int(value))
            taken = min(taken, time.monotonic() - begun)
        elif word == "try":
            begun = time.monotonic()
            if int(value) == last:
                killer = threading.Timer(chance.uniform(0, 1.2) * taken, os.kill, (child, signal.SIGKILL))
                killer.start()
        elif word == "over":
            break
        assert word != "end", "it was never killed"
    assert killer is not None
    killer.join()
    return done


def check_sound(app: Flask) -> None:
    """The database has taken no harm."""
    with app.app_context(), write_transaction() as session:
        lock_installation(session)  # a COMMIT that PostgreSQL had received already is through once this is granted
    if app.config["SQLALCHEMY_DATABASE_URI"].get_backend_name() != "sqlite":
        return
    engine = create_engine(app.config["SQLALCHEMY_DATABASE_URI"])
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA integrity_check")).scalars().all() == ["ok"]
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
    engine.dispose()


def registered(app: Flask) -> list[str]:
    """Fingerprints of the registered keys, each whole: its row, its audit entry and its step of the revision."""
    with app.app_context(), db.engines["read"].connect() as connection:
        rows = connection.execute(select(RegisteredLicense).order_by(RegisteredLicense.id)).all()
        audited = connection.execute(
            select(AuditEntry.target)
            .where(AuditEntry.action == "license.register", AuditEntry.outcome == "done")
            .order_by(AuditEntry.id)
        ).scalars()
        revision = connection.execute(select(Installation.license_revision)).scalar_one()
        fingerprints = [row.fingerprint for row in rows]
        assert list(audited) == fingerprints
        assert revision == len(fingerprints)
        records = license_book(revision).records
        assert all(record.license is not None and record.code is None for record in records)
    return fingerprints


def test_a_killed_registration_has_happened_wholly_or_not_at_all(
    licensed_app: Flask, member_client: FlaskClient, keys: list[str], tmp_path: Path
) -> None:
    chance = random.Random(20_261_126)  # noqa: S311 - it chooses when to kill, no secret
    before = len(registered(licensed_app))
    first = 0
    cut_off = 0
    with registrar(licensed_app, keys, tmp_path) as process:
        for _ in range(ROUNDS):
            done = kill_once(process, first, chance)
            check_sound(licensed_app)
            there = len(registered(licensed_app)) - before
            answered = done[-1] + 1 if done else first
            # Nothing that was answered is lost; at most the one in progress was committed and not yet answered.
            assert there in (answered, answered + 1)
            cut_off += there == answered
            first = there
            with licensed_app.app_context():
                book = license_book(read_state().license_revision)
                granted = book.records[-1].license
            assert granted is not None
            assert granted.seats == (FIRST_SEATS + first - 1 if first else 50)
            assert member_client.get("/").status_code == 200

    assert first >= ROUNDS
    assert cut_off, "no registration was cut off, so nothing was tried"
