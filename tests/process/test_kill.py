"""kill -9 while license keys are being registered: each key is registered wholly or not at all."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.audit import AuditEntry
from app.extensions import db
from app.license.models import RegisteredLicense
from app.license.service import license_book
from app.settings.models import Installation
from app.settings.state import read_state
from tests.conftest import present_key
from tests.process.killing import check_sound, kill_once, victim

pytestmark = pytest.mark.process
ROUNDS = 20
KEYS = 300  # far more than are registered by the last round, however late a kill comes
FIRST_SEATS = 100


@pytest.fixture
def keys() -> list[str]:
    """Keys that supersede one another; each allows one seat more, so that it can be told which one is in force."""
    start = datetime.now(UTC) - timedelta(minutes=50)
    return [
        present_key(seats=FIRST_SEATS + number, nbf=start + timedelta(seconds=number), grace_days=0)
        for number in range(KEYS)
    ]


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
    path = tmp_path / "keys.txt"
    path.write_text("\n".join(keys))
    with victim(licensed_app, "tests.process.registrar", str(path)) as process:
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
