"""Starting, stopping, switching and correcting: each becomes an operation of the queue, and what is shown follows."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from timetracker_desktop.local_truth import View, view_of
from timetracker_desktop.model import State, Timer, read_state
from timetracker_desktop.operation_queue import OperationQueue, Queued
from timetracker_desktop.operations import Action, Addition, Correction, Start, Stop
from timetracker_desktop.reading import ReadingError
from timetracker_desktop.texts import N_

STILL_TO_COME = N_("This is still to come. Type a time that has passed.")
STARTED_LATER = N_("The timer was started later than that. Type a time after its start.")


class NothingKnownError(Exception):
    """Nobody is known here yet: the server has never answered since this application was paired."""


class EndError(ValueError):
    """A timer cannot have ended then; the argument is a text for people, not yet translated."""


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

    def send_instead(self, queued: Queued, action: Action) -> None:
        """Send something else in place of what was refused."""
        entry = self.view().entry(action.cell) if isinstance(action, Correction) else None
        self._queue.replace(queued.id, action, self._now(), seen_minutes=None if entry is None else entry.minutes)

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


def end_of(timer: Timer, day: date, at: time, zone: tzinfo | None, now: datetime) -> datetime:
    """The instant at which a timer ended that somebody forgot to stop.

    Args:
        timer: the one that runs.
        day: on which it ended, in ``zone``.
        at: the time of that day.
        zone: the person's; None is this computer's.
        now: by the server's clock.

    Raises:
        EndError: that is before its start, or still to come.
    """
    end = datetime.combine(day, at)
    end = (end.astimezone() if zone is None else end.replace(tzinfo=zone)).astimezone(UTC)
    if end > now:
        raise EndError(STILL_TO_COME)
    # People type minutes: one that is the minute of the start is the start.
    if end < timer.started_at.replace(second=0, microsecond=0):
        raise EndError(STARTED_LATER)
    return max(end, timer.started_at)


def corrected(queued: Queued, cell: tuple[int, date], minutes: int, memo: str, view: View) -> Action:
    """What to send in place of an operation that was refused, once the person has put it right.

    Hours that are corrected where they were replace those that are there. On another task or day they are added to
    what is there, so that nothing is overwritten that nobody has looked at; so are those of a timer.

    Args:
        queued: what was refused.
        cell: task and day that the hours belong to.
        minutes: how many.
        memo: with them.
        view: what is known at this instant.
    """
    action, (task_id, day) = queued.action, cell
    if isinstance(action, Start):
        return Start(task_id, action.started_at, memo)
    if isinstance(action, Correction) and action.cell == cell:
        return Correction(task_id, day, minutes, memo, view.entry(cell).version)
    return Addition(task_id, day, minutes, memo)
