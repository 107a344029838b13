"""kill -9 in the midst of sync: whatever is sent again afterwards, each operation takes effect exactly once."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.sdk import read_connection
from plugins.desktop.models import Operation
from plugins.desktop.tests.conftest import Device, operation
from plugins.standard.models import Entry
from plugins.standard.tests.company import Company
from tests.process.killing import check_sound, kill_once, victim

pytestmark = pytest.mark.process
ROUNDS = 8
BATCHES = 100  # far more than are told by the last round, however late a kill comes
TODAY = datetime.now(UTC).date()
DAY, CLOSED = TODAY - timedelta(days=3), TODAY - timedelta(days=30)


def batch_of(office: Company, number: int) -> list[dict[str, object]]:
    """Two minutes on one task and one on another; and what is refused, or a conflict, between them."""
    drawing, review = office.tasks["drawing"], office.tasks["review"]
    return [
        operation("add", task_id=drawing, day=DAY.isoformat(), minutes=2, memo=f"{number}"[-1]),
        operation("add", task_id=drawing, day=CLOSED.isoformat(), minutes=7),
        operation("set", task_id=drawing, day=DAY.isoformat(), minutes=1, version=0),
        operation("add", task_id=review, day=DAY.isoformat(), minutes=1),
    ]


def recorded(office: Company) -> tuple[dict[int, int], int]:
    """The minutes of each task, and how many operations the server knows."""
    with office.app.app_context(), read_connection() as connection:
        minutes = connection.execute(select(Entry.task_id, func.sum(Entry.minutes)).group_by(Entry.task_id)).all()
        known = connection.execute(select(func.count()).select_from(Operation)).scalar_one()
    return {row[0]: int(row[1]) for row in minutes}, known


def test_what_is_sent_again_after_a_kill_takes_effect_once(office: Company, tmp_path: Path) -> None:
    office.close(CLOSED)
    chance = random.Random(20_261_126)  # noqa: S311 - it chooses when to kill, no secret
    device = Device(office)
    batches = [batch_of(office, number) for number in range(BATCHES)]
    path = tmp_path / "told.json"
    path.write_text(json.dumps({"headers": device.header, "batches": batches}))
    answered, cut_off = 0, 0
    with victim(office.app, "plugins.desktop.tests.teller", str(path)) as process:
        for _ in range(ROUNDS):
            done = kill_once(process, answered, chance)  # begins with what nobody has had an answer to
            check_sound(office.app)
            answered = done[-1] + 1
            minutes, known = recorded(office)
            through = known // 4
            # Nothing that was answered is lost; at most the batch in progress was carried out, and then all of it.
            assert through in (answered, answered + 1)
            assert known == 4 * through
            assert minutes == {office.tasks["drawing"]: 2 * through, office.tasks["review"]: through}
            cut_off += through == answered

    assert answered >= ROUNDS
    assert cut_off, "no batch was cut off, so nothing was tried"
    device.tell(*batches[answered])  # of the last one nobody knows either
    before = recorded(office)
    for batch in batches[: answered + 1]:
        assert [result["status"] for result in device.tell(*batch)] == ["done", "refused", "conflict", "done"]
    assert recorded(office) == before
