"""Putting right what the server did not take: another task, another day, other hours, another memo."""

from datetime import date, datetime, tzinfo

from PySide6.QtWidgets import QComboBox, QDialog, QLineEdit, QVBoxLayout, QWidget

from timetracker_desktop.duration import DurationError, parse_duration, show_duration
from timetracker_desktop.local_truth import View, cut_into_days
from timetracker_desktop.operation_queue import Queued
from timetracker_desktop.operations import Action, Start, Stop
from timetracker_desktop.texts import _
from timetracker_desktop.tracker import corrected
from timetracker_desktop.window.parts import ErrorText, answers, button, captioned, day_field, day_in, label, qt_day


class CorrectDialog(QDialog):
    """Fields for one operation; a timer that was only started has neither day nor hours."""

    def __init__(self, parent: QWidget, queued: Queued, view: View) -> None:
        super().__init__(parent)
        self._queued, self._view = queued, view
        self._hours = not isinstance(queued.action, Start)
        self.setWindowTitle(_("Correct the entry"))
        self.setModal(True)
        day, minutes = hours_of(queued, view)
        self.task = self._make_task(queued.action.task_id)
        self.day = day_field(_("Day"))
        self.day.setDate(qt_day(day))
        self.duration = QLineEdit(show_duration(minutes))
        self.duration.setAccessibleName(_("Duration"))
        self.error = error = ErrorText(self.duration)
        self.duration.textEdited.connect(lambda _text: error.say(""))
        self.memo = QLineEdit(queued.action.memo.replace("\n", " · "))
        self.memo.setAccessibleName(_("Memo"))
        self.memo.setMaxLength(1000)
        self.save = button(_("Send it so"), self._commit, kind="primary")
        fields = (self.task, self.day, self.duration, self.memo) if self._hours else (self.task, self.memo)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(12)
        column.addWidget(label(" ".join(p for p in (queued.message, queued.remedy) if p), "muted", wrap=True))
        column.addLayout(captioned(fields))
        column.addWidget(self.error)
        column.addStretch()
        column.addLayout(answers(self, self.save))
        self.setMinimumWidth(340)
        self.resize(460, self.sizeHint().height())

    def _make_task(self, task_id: int) -> QComboBox:
        made = QComboBox()
        made.setAccessibleName(_("Task"))
        made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        made.setMinimumContentsLength(16)
        tasks = () if self._view.state is None else self._view.state.tasks
        if self._view.task(task_id) is None:
            made.addItem(_("Task %(number)s", number=task_id), task_id)
        for task in tasks:
            made.addItem(f"{task.code} {task.name}".strip(), task.id)
        made.setCurrentIndex(max(0, made.findData(task_id)))
        return made

    def _commit(self) -> None:
        try:
            parse_duration(self.duration.text())
        except DurationError as error:
            self.error.say(_(str(error)))
            self.duration.setFocus()
            return
        self.accept()

    def action(self) -> Action:
        """What is to be sent in place of the old one, once it was accepted."""
        shown = self._queued.action.memo
        memo = shown if self.memo.text() == shown.replace("\n", " · ") else self.memo.text()
        minutes = parse_duration(self.duration.text()) if self._hours else 0
        return corrected(self._queued, (int(self.task.currentData()), day_in(self.day)), minutes, memo, self._view)


def hours_of(queued: Queued, view: View) -> tuple[date, int]:
    """Day and minutes of an operation; those of a timer over midnight are all on its first day."""
    action = queued.action
    zone: tzinfo | None = None if view.state is None else view.state.person.zone
    if isinstance(action, Start):
        return _day_of(action.started_at, zone), 0
    if isinstance(action, Stop):
        parts = (
            [] if view.state is None else cut_into_days(action.started_at, action.stopped_at, view.state.person.zone)
        )
        return _day_of(action.started_at, zone), sum(minutes for _day, minutes in parts)
    return action.day, action.minutes


def _day_of(instant: datetime, zone: tzinfo | None) -> date:
    return instant.astimezone(zone).date()
