"""The queue and the sync, whatever gets lost: each operation takes effect once, nothing refused is thrown away."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import Desk, MemoryKeyStore
from fake_server import THURSDAY, FakeServer
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from timetracker_desktop.operation_queue import OperationQueue, OperationState, open_queue
from timetracker_desktop.operations import Addition

TODAY = date(2026, 11, 26)

WRITER = """
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from timetracker_desktop.operation_queue import OperationQueue
from timetracker_desktop.operations import Addition

queue = OperationQueue(Path(sys.argv[1]))
number = 0
while True:
    number += 1
    queue.append("m.sakai", Addition(1, date(2026, 11, 26), number % 1440, ""), datetime.now(UTC))
    print(number, flush=True)
"""


def test_what_was_acknowledged_is_there_after_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite3"
    source = str(Path(__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": source}
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, env=environment)
    assert writer.stdout is not None
    acknowledged = 0
    while acknowledged < 25:
        acknowledged = int(writer.stdout.readline())
    writer.send_signal(signal.SIGKILL)
    rest, _ = writer.communicate()
    acknowledged = max([acknowledged, *(int(line) for line in rest.splitlines())])
    queue = OperationQueue(path)
    found = queue.operations("m.sakai")
    assert [queued.action.minutes for queued in found[:acknowledged]] == list(range(1, acknowledged + 1))  # type: ignore[union-attr]
    assert len(found) in (acknowledged, acknowledged + 1)
    queue.close()


def test_every_commit_is_synced_to_the_disk(tmp_path: Path) -> None:
    queue = OperationQueue(tmp_path / "queue.sqlite3")
    with queue.transaction() as database:
        assert database.execute("PRAGMA synchronous").fetchone() == (2,)
    queue.close()


def test_a_damaged_file_is_put_aside_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "queue.sqlite3"
    path.parent.mkdir()
    path.write_bytes(b"this is no database at all" * 100)
    queue, aside = open_queue(path)
    assert aside is not None
    assert aside.read_bytes().startswith(b"this is no database")
    queue.append("m.sakai", Addition(1, TODAY, 1, ""), datetime.now(UTC))
    queue.close()


def test_what_was_written_last_goes_aside_with_the_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite3"
    queue = OperationQueue(path)
    queue._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # a log of everything would heal the file
    queue.append("m.sakai", Addition(1, TODAY, 1, ""), datetime.now(UTC))
    log = path.with_name("queue.sqlite3-wal")
    shutil.copy(log, tmp_path / "log")
    queue.close()
    (tmp_path / "log").rename(log)
    path.write_bytes(b"SQLite format 3\0" + b"damaged" * 1000)
    new, aside = open_queue(path)
    assert aside is not None
    assert new.all_open() == []
    assert aside.with_name(f"{aside.name}-wal").stat().st_size > 0
    new.close()


@pytest.mark.parametrize("body", ["{", "[]", '{"kind": "dance", "task_id": 1}', "null"])
def test_a_file_whose_content_makes_no_sense_is_put_aside_too(tmp_path: Path, body: str) -> None:
    path = tmp_path / "queue.sqlite3"
    queue = OperationQueue(path)
    queue.append("m.sakai", Addition(1, TODAY, 1, ""), datetime.now(UTC))
    with queue.transaction() as database:
        database.execute("UPDATE operations SET body = ?", (body,))
    queue.close()
    new, aside = open_queue(path)
    assert aside is not None
    assert new.all_open() == []
    new.close()


def test_a_page_that_was_overwritten_is_noticed_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite3"
    queue = OperationQueue(path)
    for number in range(200):
        queue.append("m.sakai", Addition(1, TODAY, number, "memo" * 20), datetime.now(UTC))
    queue.close()
    content = bytearray(path.read_bytes())
    content[4096 * 3 : 4096 * 4] = b"\xff" * 4096
    path.write_bytes(content)
    new, aside = open_queue(path)
    assert aside is not None
    new.close()


def test_a_file_that_another_program_has_locked_stays_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite3"
    path.mkdir()
    with pytest.raises(sqlite3.OperationalError):
        open_queue(path)
    assert path.exists()


def test_a_step_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    queue = OperationQueue(tmp_path / "queue.sqlite3")

    def fail_after_writing() -> None:
        with queue.transaction() as database:
            queue.append("m.sakai", Addition(1, TODAY, 1, ""), datetime.now(UTC))
            database.execute("INSERT INTO nothing")

    with pytest.raises(sqlite3.OperationalError):
        fail_after_writing()
    assert queue.all_open() == []
    queue.close()


class Syncing(RuleBasedStateMachine):
    """Whatever the order of work, losses, crashes, refusals and changes on the web."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.server = FakeServer(now=THURSDAY)
        self.desk = Desk(Path(self.folder.name), self.server, MemoryKeyStore())
        self.desk.pair()
        self.faults: list[str] = []
        self.server.fault = lambda _path: self.faults.pop() if self.faults else ""
        self.made: set[str] = set()
        self.given_up: set[str] = set()
        self.expected: Counter[tuple[int, str]] = Counter()
        """The minutes that additions of ours have to make."""

    def teardown(self) -> None:
        self.faults.clear()
        self.server.problem = None
        self.desk.engine._not_before = self.desk.clock
        self.desk.engine.step()
        assert not self.desk.queue.has_unsent(self.owner)
        for identifier in self.made - self.given_up - {queued.id for queued in self.desk.queue.all_open()}:
            assert identifier in self.server.results
        self.desk.queue.close()
        self.folder.cleanup()

    @property
    def owner(self) -> str:
        return self.desk.queue.kept("owner") or ""

    def note(self) -> None:
        self.made |= {queued.id for queued in self.desk.queue.operations(self.owner)}

    @rule(task=st.sampled_from([1, 2, 99]))
    def start(self, task: int) -> None:
        self.desk.tracker.start(task)
        self.note()

    @rule()
    def stop(self) -> None:
        self.desk.tracker.stop()
        self.note()

    @rule(task=st.sampled_from([1, 2]), minutes=st.integers(0, 300), day=st.sampled_from([23, 26]))
    def correct(self, task: int, minutes: int, day: int) -> None:
        self.desk.tracker.correct((task, date(2026, 11, day)), minutes)
        self.note()

    @rule(minutes=st.integers(1, 60))
    def add(self, minutes: int) -> None:
        self.desk.queue.append(self.owner, Addition(3, TODAY, minutes, ""), self.desk.clock)
        self.expected[3, "2026-11-26"] += minutes
        self.note()

    @rule(minutes=st.integers(1, 90))
    def time_passes(self, minutes: int) -> None:
        if self.desk.clock < THURSDAY + timedelta(hours=10):
            self.desk.pass_time(minutes=minutes)

    @rule(faults=st.lists(st.sampled_from(["before", "after", ""]), max_size=4))
    def sync_over_a_bad_line(self, faults: list[str]) -> None:
        self.faults[:] = faults
        self.desk.engine.step()
        self.faults.clear()

    @rule()
    def kill_and_start_again(self) -> None:
        self.desk.restart()

    @rule(minutes=st.integers(0, 300))
    def somebody_corrects_on_the_web(self, minutes: int) -> None:
        self.server.put((1, "2026-11-26"), minutes, "web")

    @rule()
    def somebody_stops_on_the_web(self) -> None:
        if self.server.timer is not None:
            self.server.stopped.add(self.server.timer["start_id"])
            self.server.timer = None

    @rule(data=st.data())
    def the_person_decides(self, data: Any) -> None:
        stuck = self.desk.tracker.view().stuck
        if stuck:
            chosen = data.draw(st.sampled_from(stuck))
            self.given_up.add(chosen.id)
            decide = data.draw(st.sampled_from([self.desk.tracker.retry, self.desk.tracker.discard]))
            decide(chosen)
            self.note()

    @invariant()
    def nothing_takes_effect_twice(self) -> None:
        assert set(self.server.effects.values()) <= {1}

    @invariant()
    def everything_is_in_the_queue_or_at_the_server(self) -> None:
        here = {queued.id: queued for queued in self.desk.queue.operations(self.owner)}
        for identifier in self.made - self.given_up - set(here):
            assert self.server.results[identifier]["status"] in ("done", "already")

    @invariant()
    def what_was_refused_is_still_here(self) -> None:
        here = {queued.id: queued.state for queued in self.desk.queue.operations(self.owner)}
        for identifier, result in self.server.results.items():
            if result["status"] in ("refused", "conflict") and identifier not in self.given_up:
                assert here[identifier] in (OperationState.SENT, OperationState.REFUSED, OperationState.CONFLICT)

    @invariant()
    def the_view_adds_up(self) -> None:
        view = self.desk.tracker.view()
        assert view.entry((3, TODAY)).minutes == self.expected[3, "2026-11-26"]

    @rule()
    def in_step_with_the_server_the_view_is_the_servers(self) -> None:
        self.desk.engine._not_before = self.desk.clock
        self.desk.engine.step()
        shown = {(s.entry.task_id, s.entry.day.isoformat()): s.entry.minutes for s in self.desk.tracker.view().entries}
        assert shown == {key: found.minutes for key, found in self.server.cells.items() if found.minutes}


Syncing.TestCase.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestSyncing = Syncing.TestCase
