"""Rows of the lists: today's hours, which are corrected in place; tasks; and what the server would not take."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo

from PySide6.QtCore import Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from timetracker_desktop.duration import DurationError, parse_duration, show_duration
from timetracker_desktop.export import STATES
from timetracker_desktop.local_truth import ShownEntry
from timetracker_desktop.model import Task
from timetracker_desktop.operation_queue import OperationState, Queued
from timetracker_desktop.operations import Start, Stop
from timetracker_desktop.texts import _
from timetracker_desktop.window.flow import Flow
from timetracker_desktop.window.parts import ErrorText, button, label, weekday

_NARROW = 340


class Editor(QLineEdit):
    """A field that saves on Enter or when it is left, and goes back on Escape."""

    def __init__(self, name: str, save: Callable[[str], bool]) -> None:
        super().__init__()
        self._save, self._saved = save, ""
        self.setAccessibleName(name)
        self.returnPressed.connect(self.commit)

    def show_text(self, text: str) -> None:
        """Show another text, unless the person is typing."""
        self._saved = text
        if not (self.hasFocus() and self.isModified()):
            self.setText(text)

    def commit(self) -> None:
        """Save what was typed, if it is something else."""
        if (self.text() != self._saved and self._save(self.text())) or self.text() == self._saved:
            self.setModified(False)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  # Qt's name
        """Escape gives back what was there."""
        if event.key() == Qt.Key.Key_Escape and self.text() != self._saved:
            self.setText(self._saved)
            self.setModified(False)
            return
        super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802  # Qt's name
        """Leaving saves."""
        super().focusOutEvent(event)
        self.commit()


class EntryRow(QWidget):
    """The hours of a task today."""

    def __init__(self, correct: Callable[[int, str | None], None]) -> None:
        super().__init__()
        self._correct = correct
        self._entry: ShownEntry | None = None
        row = QVBoxLayout(self)
        row.setContentsMargins(0, 2, 0, 2)
        row.setSpacing(4)
        line = QHBoxLayout()
        words = QVBoxLayout()
        words.setSpacing(1)
        self.name, self.place = label("", "name", wrap=True), label("", "muted", wrap=True)
        words.addWidget(self.name)
        words.addWidget(self.place)
        line.addLayout(words, 1)
        self.mark = label(_("Waiting"), "waitingmark")
        line.addWidget(self.mark)
        self.duration = Editor("", self._save_duration)
        self.duration.setObjectName("duration")
        self.duration.setFixedWidth(84)
        self.duration.setAlignment(Qt.AlignmentFlag.AlignRight)
        line.addWidget(self.duration)
        row.addLayout(line)
        self.memo = Editor("", self._save_memo)
        self.memo.setObjectName("memo")
        self.memo.setPlaceholderText(_("Memo"))
        self.memo.setMaxLength(1000)
        row.addWidget(self.memo)
        self.error = ErrorText(self.duration)
        row.addWidget(self.error)

    def show_entry(self, shown: ShownEntry, task: Task | None) -> None:
        """Show it."""
        self._entry = shown
        name = _("Task %(number)s", number=shown.entry.task_id) if task is None else task.name
        self.name.setText(name)
        self.place.setText("" if task is None else task.place)
        self.mark.setVisible(shown.waiting)
        self.duration.setAccessibleName(_("Duration of %(task)s", task=name))
        self.memo.setAccessibleName(_("Memo of %(task)s", task=name))
        self.duration.show_text(show_duration(shown.entry.minutes))
        # A field has one line: the line breaks of a memo are kept by showing only what can be edited here.
        self.memo.setReadOnly("\n" in shown.entry.memo)
        self.memo.show_text(shown.entry.memo.replace("\n", " · "))

    def _save_duration(self, text: str) -> bool:
        try:
            minutes = parse_duration(text)
        except DurationError as error:
            self.error.say(_(str(error)))
            return False
        self.error.say("")
        self._correct(minutes, None)
        self.duration.setText(show_duration(minutes))
        return True

    def _save_memo(self, text: str) -> bool:
        if self._entry is None or self.memo.isReadOnly():
            return False
        self._correct(self._entry.entry.minutes, text)
        return True


class TaskRow(QWidget):
    """A task to start the timer on."""

    def __init__(self, task: Task, minutes: int, *, others_run: bool, start: Callable[[], None]) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 2, 0, 2)
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addWidget(label(task.name, "name", wrap=True))
        hours = _("%(hours)s this week", hours=show_duration(minutes)) if minutes else ""
        self._place = task.place
        self._below, self._beside = label(task.place, "muted", wrap=True), label(hours, "muted")
        words.addWidget(self._below)
        row.addLayout(words, 1)
        row.addWidget(self._beside)
        text = _("Switch") if others_run else _("Start")
        self.start = button(text, start, mark="player-play", name=f"{text}: {task.name}")
        row.addWidget(self.start)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  # Qt's name
        """Where it is narrow, the hours stand below the name."""
        is_narrow = event.size().width() < _NARROW
        parts = (self._place, self._beside.text() if is_narrow else "")
        self._below.setText(" · ".join(part for part in parts if part))
        self._beside.setVisible(bool(self._beside.text()) and not is_narrow)
        super().resizeEvent(event)


class StuckRow(QWidget):
    """An operation that the server did not take, with the reason and what can be done."""

    def __init__(
        self,
        queued: Queued,
        task: Task | None,
        zone: tzinfo | None,
        decisions: "Decisions",
    ) -> None:
        super().__init__()
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 2, 0, 2)
        rows.setSpacing(3)
        head = QHBoxLayout()
        name = _("Task %(number)s", number=queued.action.task_id) if task is None else task.name
        title = label(name, "name", wrap=True)
        title.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        head.addWidget(title, 1)
        chip = label(_(STATES[queued.state]), "chip")
        is_conflict = queued.state is OperationState.CONFLICT
        chip.setProperty("tone", "warn" if is_conflict else "danger")
        head.addWidget(chip, 0, Qt.AlignmentFlag.AlignTop)
        rows.addLayout(head)
        memo = queued.action.memo.replace("\n", " · ")
        rows.addWidget(label(" · ".join(p for p in (what(queued, zone), memo) if p), "muted", wrap=True))
        if is_conflict and queued.present is not None:
            there = _("The server has %(hours)s by now.", hours=show_duration(queued.present.minutes))
            rows.addWidget(label(there, wrap=True))
        else:
            rows.addWidget(label(queued.message or queued.code, "error", wrap=True))
            if queued.remedy:
                rows.addWidget(label(queued.remedy, wrap=True))
        again, away = (_("Use mine"), _("Keep theirs")) if is_conflict else (_("Try again"), _("Discard…"))
        self.retry = button(again, decisions.retry, name=f"{again}: {name}")
        self.correct = button(_("Correct…"), decisions.correct, name=f"{_('Correct…')}: {name}")
        self.discard = button(away, decisions.discard, kind="quiet", name=f"{away}: {name}")
        line = Flow(self.retry, self.correct, self.discard)
        line.setContentsMargins(0, 4, 0, 0)
        rows.addLayout(line)


@dataclass(frozen=True, slots=True)
class Decisions:
    """What a person can do about an operation that the server did not take."""

    retry: Callable[[], None]
    correct: Callable[[], None]
    discard: Callable[[], None]


def what(queued: Queued, zone: tzinfo | None) -> str:
    """An operation in a few words; times are of the person's zone, or of this computer's where none is known."""
    action = queued.action
    if isinstance(action, Start):
        local = action.started_at.astimezone(zone)
        return _("Timer started at %(time)s", time=f"{weekday(local.date())} {local:%H:%M}")
    if isinstance(action, Stop):
        begin, end = action.started_at.astimezone(zone), action.stopped_at.astimezone(zone)
        return _("Timer %(time)s", time=f"{weekday(begin.date())} {begin:%H:%M}–{end:%H:%M}")
    day = f"{weekday(action.day)} {action.day.day}"
    return _("%(day)s: %(hours)s", day=day, hours=show_duration(action.minutes))
