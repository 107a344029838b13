"""Starting, stopping, switching and correcting: each becomes an operation of the queue, and what is shown follows."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from timetracker_desktop.local_truth import View, view_of
from timetracker_desktop.model import State, read_state
from timetracker_desktop.operation_queue import OperationQueue, Queued
from timetracker_desktop.operations import Correction, Start, Stop
from timetracker_desktop.reading import ReadingError


class NothingKnownError(Exception):
    """Nobody is known here yet: the server has never answered since this application was paired."""


class Tracker:
    """The hours of whoever is paired."""

    def __init__(self, queue: OperationQueue, now: Callable[[], datetime]) -> None:
        """Make it.

        Args:
            queue: shared with the engine.
            now: the instant by the server's clock.
        """
        self._queue = queue
        self._now = now
        self._read: tuple[str, State] | None = None
        self._source: tuple[str, str] | None = None

    def view(self) -> View:
        """What to show at this instant."""
        with self._queue.transaction():
            owner, state = self._known()
            operations = self._queue.operations(owner) if owner else []
            return view_of(state, operations, self._now(), self._queue.of_others(owner))

    def start(self, task_id: int, memo: str = "") -> None:
        """Start the timer on a task; one that runs on another task is stopped at the same instant.

        Raises:
            NothingKnownError
        """
        with self._queue.transaction():
            timer, now = self.view().timer, self._whole_second()
            if timer is not None and timer.task_id == task_id:
                return
            self.stop(at=now)
            self._queue.append(self._owner(), Start(task_id, now, memo), now)

    def stop(self, *, memo: str | None = None, at: datetime | None = None) -> None:
        """Stop the timer, now or at an earlier instant; where none runs, nothing happens.

        Args:
            memo: replaces that of the timer.
            at: when it ended; never before it started.

        Raises:
            NothingKnownError
        """
        with self._queue.transaction():
            timer, now = self.view().timer, self._whole_second()
            if timer is None:
                return
            # A clock that was set back makes nothing that ends before it begins.
            stopped_at = max(at or now, timer.started_at.replace(microsecond=0))
            text, start_id, started_at = timer.memo if memo is None else memo, timer.start_id, timer.started_at
            if start_id is None:
                # One of the web gets a start of ours, which takes it over where it still runs, and is worth nothing
                # where it was stopped meanwhile.
                took_over = self._queue.append(self._owner(), Start(timer.task_id, stopped_at, text), now)
                start_id, started_at = took_over.id, stopped_at
            stop = Stop(start_id, timer.task_id, started_at, stopped_at, text)
            self._queue.append(self._owner(), stop, now)

    def correct(self, cell: tuple[int, date], minutes: int, memo: str | None = None) -> bool:
        """Give a cell other minutes or another memo; returns whether that changes anything.

        Raises:
            NothingKnownError
        """
        with self._queue.transaction():
            entry = self.view().entry(cell)
            new_memo = entry.memo if memo is None else memo
            if (entry.minutes, entry.memo) == (minutes, new_memo):
                return False
            task_id, day = cell
            action = Correction(task_id, day, minutes, new_memo, entry.version)
            self._queue.append(self._owner(), action, self._now(), seen_minutes=entry.minutes)
            return True

    def retry(self, queued: Queued) -> None:
        """Try again what was refused; of a conflict, with one's own value over what is there now."""
        self._queue.retry(queued.id, self._now(), over=queued.present)

    def discard(self, queued: Queued) -> None:
        """Give up what was refused, or take what is there of a conflict."""
        self._queue.discard(queued.id)

    def _owner(self) -> str:
        owner, _ = self._known()
        if not owner:
            raise NothingKnownError
        return owner

    def _known(self) -> tuple[str, State | None]:
        """Whose hours these are, and the last state; read anew only when it has changed."""
        kept = self._queue.kept_state()
        if kept is None:
            return "", None
        owner, etag, source = kept
        if self._queue.kept("owner") != owner:  # paired anew, and nobody has said yet with whom
            return "", None
        if self._read is None or self._source != (owner, etag) or not etag:
            try:
                self._read = (owner, read_state(source))
            except ReadingError:  # kept by a version that read it otherwise
                return owner, None
            self._source = (owner, etag)
        return self._read

    def _whole_second(self) -> datetime:
        return self._now().astimezone(UTC).replace(microsecond=0)


def running_for(started_at: datetime, now: datetime) -> timedelta:
    """How long a timer has been running; nothing where the clock was set back."""
    return max(timedelta(), now - started_at)
