"""kill -9 in the middle of saving a week's sheet and of stopping a timer: it has happened wholly or not at all."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from typing import Any

import pytest
from sqlalchemy import func, select

from app.sdk import read_connection, write_transaction
from plugins.standard.entries import save_cells_in
from plugins.standard.models import Entry, RunningTimer, SheetRow, Span
from plugins.standard.tests.company import THURSDAY, Company
from tests.process.server import CHECKOUT, environment_of

pytestmark = pytest.mark.process
BEFORE, AFTER = "10", "21"  # hours of each cell of the two rows: some are changed, some filled, and some emptied
COMMITS = 4


@contextmanager
def workers(office: Company) -> "Iterator[subprocess.Popen[str]]":
    """The process of ``dying.py``."""
    command = [sys.executable, "-m", "plugins.standard.tests.dying"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    environment = environment_of(office.app)
    with subprocess.Popen(command, env=environment, cwd=CHECKOUT, text=True, **pipes) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(30) == 0


def work(process: "subprocess.Popen[str]", *what: object) -> str:
    """Let a child do it; how it ended. One that says that it commits is killed."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(" ".join(map(str, what)) + "\n")
    process.stdin.flush()
    while (said := process.stdout.readline().strip()).startswith("committing"):
        os.kill(int(said.split()[1]), signal.SIGKILL)
    assert said == "killed" or said.startswith("through 303 "), said
    return said


def some_points(said: str) -> list[int]:
    """Some of the points at which a child that went through could have been killed, the last three among them."""
    number = int(said.rsplit(maxsplit=1)[-1])
    return sorted({*range(0, number, max(1, number // 4)), *range(number - 3, number)})


@contextmanager
def settled(office: Company) -> Iterator[None]:
    """Wait until the database has ended what a dead process has begun: a COMMIT may be under way on PostgreSQL."""
    with office.app.app_context():
        with write_transaction() as session:
            save_cells_in(session, office.writer, ())
        yield


def sheet(office: Company) -> Counter[tuple[int, int, str]]:
    """How many cells hold which task, minutes and memo."""
    with settled(office), read_connection() as connection:
        return Counter(tuple(row) for row in connection.execute(select(Entry.task_id, Entry.minutes, Entry.memo)))


def timer(office: Company) -> tuple[int, ...]:
    """How many timers run, how many minutes there are in the sheet, and how many in the times of the day."""
    with settled(office), read_connection() as connection:
        timers = connection.execute(select(func.count()).select_from(RunningTimer)).scalar_one()
        sums = (connection.execute(select(func.coalesce(func.sum(table.minutes), 0))) for table in (Entry, Span))
        return (timers, *(int(found.scalar_one()) for found in sums))


def test_a_killed_worker_has_saved_all_of_a_sheet_or_nothing(office: Company) -> None:
    first, second = office.tasks["drawing"], office.tasks["review"]
    states = {
        BEFORE: Counter({(first, 60, "memo 1"): 7}),
        AFTER: Counter({(first, 120, "memo 2"): 7, (second, 60, "memo 1"): 7}),
    }
    with office.app.app_context(), write_transaction() as session:
        person = office.writer.user_id
        session.add_all(SheetRow(user_id=person, thursday=THURSDAY, task_id=task) for task in (first, second))
    with workers(office) as process:
        work(process, "sheet", BEFORE, "none")
        points = some_points(work(process, "sheet", AFTER, "none"))
        work(process, "sheet", BEFORE, "none")
        for point in points:
            assert sheet(office) == states[BEFORE]
            assert work(process, "sheet", AFTER, point) == "killed"
        assert sheet(office) == states[AFTER]  # the last point is after the COMMIT, all others are before it
        present = AFTER
        for wanted, _ in zip(cycle((BEFORE, AFTER)), range(COMMITS), strict=False):
            if wanted != present:
                work(process, "sheet", wanted, "commit")
            found = sheet(office)
            assert found in (states[present], states[wanted])
            present = wanted if found == states[wanted] else present


def test_a_killed_worker_has_stopped_a_timer_and_recorded_it_or_neither(office: Company) -> None:
    runs, is_recorded = (1, 0, 0), (0, 10, 10)
    whose = f"{office.tasks['drawing']}.{office.writer.user_id}"
    with workers(office) as process:
        *points, last = some_points(work(process, "timer", whose, "none"))
        for point in points:
            assert work(process, "timer", whose, point) == "killed"
            assert timer(office) == runs
        assert work(process, "timer", whose, last) == "killed"
        assert timer(office) == is_recorded  # the last point is after the COMMIT
        for _ in range(COMMITS):
            work(process, "timer", whose, "commit")
            assert timer(office) in (runs, is_recorded)
