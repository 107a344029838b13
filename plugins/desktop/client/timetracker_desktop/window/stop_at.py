"""Ending a timer that somebody forgot to stop, at the time when the work was over."""

from collections.abc import Callable
from datetime import datetime, tzinfo

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDateEdit, QHBoxLayout, QTimeEdit, QVBoxLayout, QWidget

from timetracker_desktop.model import Timer
from timetracker_desktop.texts import _
from timetracker_desktop.tracker import EndError, end_of
from timetracker_desktop.window.flow import Flow
from timetracker_desktop.window.parts import (
    ErrorText,
    button,
    day_field,
    day_in,
    named_group,
    qt_day,
    qt_time,
    time_field,
    time_in,
)


class StopAt(QWidget):
    """Day and time; hidden until somebody asks for it. Enter ends the timer, Escape leaves it running."""

    def __init__(
        self, end: Callable[[datetime], object], now: Callable[[], datetime], left: Callable[[], object]
    ) -> None:
        super().__init__()
        self._end, self._now, self._left = end, now, left
        self._timer: Timer | None = None
        self._zone: tzinfo | None = None
        self.day: QDateEdit = day_field(_("Day"))
        self.time: QTimeEdit = time_field(_("Time of day"))
        self.error = ErrorText(self.time)
        self.go = button(_("End it then"), self._commit, kind="primary", mark="player-stop")
        self.cancel = button(_("Cancel"), self.leave, kind="quiet")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(6)
        column.addWidget(named_group(self, _("It ended at")))
        fields = QHBoxLayout()
        fields.addWidget(self.day)
        fields.addWidget(self.time)
        fields.addStretch()
        column.addLayout(fields)
        column.addWidget(self.error)
        column.addLayout(Flow(self.go, self.cancel))
        self.hide()

    def ask(self, timer: Timer, zone: tzinfo | None) -> None:
        """Ask when ``timer`` ended, in the person's zone; proposes this minute."""
        if self.isVisible() and self._timer is not None and self._timer.started_at == timer.started_at:
            self.time.setFocus()
            return
        self._timer, self._zone = timer, zone
        now = self._now().astimezone(zone)
        self.day.setDateRange(qt_day(timer.started_at.astimezone(zone).date()), qt_day(now.date()))
        self.day.setDate(qt_day(now.date()))
        self.time.setTime(qt_time(now.time()))
        self.error.say("")
        self.show()
        self.time.setFocus()
        self.time.setSelectedSection(QTimeEdit.Section.HourSection)

    def leave(self) -> None:
        """Put it away; the timer goes on."""
        self.hide()
        self._left()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  # Qt's name
        """Enter and Escape, wherever in it."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._commit()
        elif event.key() == Qt.Key.Key_Escape:
            self.leave()
        else:
            super().keyPressEvent(event)

    def _commit(self) -> None:
        if self._timer is None:
            return
        try:
            end = end_of(self._timer, day_in(self.day), time_in(self.time), self._zone, self._now())
        except EndError as error:
            self.error.say(_(str(error)))
            self.time.setFocus()
            return
        self.hide()
        self._end(end)
