"""The pieces that the pages are made of: cards, labels, buttons, banners, and the chart of the week."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from typing import TypeVar

from PySide6.QtCore import QDate, QRectF, QSize, Qt, QTime
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QDateEdit,
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QSizePolicy,
    QTimeEdit,
    QVBoxLayout,
    QWidget,
)

from timetracker_desktop.duration import show_duration
from timetracker_desktop.local_truth import ShownWeek
from timetracker_desktop.reminders import Kind, Reminder
from timetracker_desktop.texts import _, language
from timetracker_desktop.window.flow import Flow
from timetracker_desktop.window.icons import icon
from timetracker_desktop.window.theme import colour, polish_again, token

_WEEKDAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "ja": ("月", "火", "水", "木", "金", "土", "日"),
}
_LONG_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def weekday(day: date) -> str:
    """Its short name."""
    return _WEEKDAYS[language()][day.weekday()]


def long_date(day: date) -> str:
    """``Thursday, 26 November``, or as Japanese has it."""
    if language() == "ja":
        return f"{day.month}月{day.day}日({weekday(day)})"
    return f"{_LONG_WEEKDAYS[day.weekday()]}, {day.day} {_MONTHS[day.month - 1]}"


def full_date(day: date) -> str:
    """``31 January 2027``, or as Japanese has it."""
    if language() == "ja":
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def label(text: str = "", style: str = "", *, wrap: bool = False) -> QLabel:
    """A text; never rich text, since some of it comes from other people."""
    made = QLabel(text)
    made.setObjectName(style)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(wrap)
    return made


def button(text: str, act: Callable[[], object], *, kind: str = "", mark: str = "", name: str = "") -> QPushButton:
    """A button; ``name`` is what a screen reader says where the text alone is not enough."""
    made = QPushButton(text)
    made.setProperty("kind", kind)
    made.setCursor(Qt.CursorShape.PointingHandCursor)
    made.setAccessibleName(name or text)
    made.setAutoDefault(True)
    made.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
    if mark:
        made.setIcon(icon(mark, "#ffffff" if kind in ("primary", "danger") else token("text")))
        made.setIconSize(QSize(16, 16))
    made.clicked.connect(lambda _checked=False: act())  # the signal says whether it is checked
    return made


def day_field(name: str) -> QDateEdit:
    """A day to be typed, or changed with the arrow keys."""
    made = QDateEdit()
    made.setDisplayFormat("yyyy-MM-dd")
    return _keyed(made, name, 124)


def time_field(name: str) -> QTimeEdit:
    """A time of day, likewise."""
    made = QTimeEdit()
    made.setDisplayFormat("HH:mm")
    return _keyed(made, name, 84)


def qt_day(day: date) -> QDate:
    """A day as Qt has it."""
    return QDate(day.year, day.month, day.day)


def qt_time(at: time) -> QTime:
    """A time of day as Qt has it, to the minute."""
    return QTime(at.hour, at.minute)


def day_in(field: QDateEdit) -> date:
    """The day that a field shows."""
    shown = field.date()
    return date(shown.year(), shown.month(), shown.day())


def time_in(field: QTimeEdit) -> time:
    """The time of day that a field shows."""
    return time(field.time().hour(), field.time().minute())


_Keyed = TypeVar("_Keyed", QDateEdit, QTimeEdit)


def _keyed(made: _Keyed, name: str, width: int) -> _Keyed:
    made.setAccessibleName(name)
    made.setFixedWidth(width)
    made.lineEdit().setTextMargins(8, 0, 8, 0)  # the style sheet's padding does not reach it
    return made


def named_group(group: QWidget, text: str) -> QLabel:
    """The caption of fields that belong together, which is their group's name as well."""
    group.setAccessibleName(text)
    return label(text)


def rule() -> QFrame:
    """A hairline."""
    made = QFrame()
    made.setObjectName("rule")
    return made


def clear(layout: QLayout) -> None:
    """Take everything out of a layout."""
    while (item := layout.takeAt(0)) is not None:
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
        elif inner is not None:
            clear(inner)


def captioned(fields: Sequence[QWidget]) -> QGridLayout:
    """Fields below each other, each beside its accessible name."""
    grid = QGridLayout()
    grid.setVerticalSpacing(10)
    grid.setHorizontalSpacing(16)
    grid.setColumnStretch(1, 1)
    for row, field in enumerate(fields):
        caption = label(field.accessibleName())
        caption.setBuddy(field)
        grid.addWidget(caption, row, 0)
        grid.addWidget(field, row, 1)
    return grid


def answers(dialog: QDialog, go: QPushButton) -> QHBoxLayout:
    """The buttons that end a dialog: Cancel, and ``go``, which Enter presses as well."""
    line = QHBoxLayout()
    line.addStretch()
    cancel = button(_("Cancel"), dialog.reject, kind="quiet")
    cancel.setAutoDefault(False)
    line.addWidget(cancel)
    go.setDefault(True)
    line.addWidget(go)
    return line


class ErrorText(QLabel):
    """What is wrong in a field, below it; hidden while nothing is."""

    def __init__(self, field: QWidget) -> None:
        super().__init__()
        self._field = field
        self.setObjectName("error")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setVisible(False)

    def say(self, text: str) -> None:
        """Say it, and mark the field; nothing takes both back."""
        self.setText(text)
        self.setVisible(bool(text))
        self._field.setProperty("wrong", bool(text))
        self._field.setAccessibleDescription(text)
        polish_again(self._field)


class Card(QFrame):
    """A card with a head and a body."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.setObjectName("card")
        self.setAccessibleName(title)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(1, 1, 1, 1)
        outer.setSpacing(0)
        self.head = QHBoxLayout()
        self.head.setContentsMargins(20, 13, 16, 13)
        self.title = label(title, "h2")
        self.head.addWidget(self.title)
        self.head.addStretch()
        outer.addLayout(self.head)
        outer.addWidget(rule())
        self.body = QVBoxLayout()
        self.body.setContentsMargins(20, 16, 16, 16)
        self.body.setSpacing(10)
        outer.addLayout(self.body)


class Banner(QFrame):
    """What has to be known, with the way out: title, consequence, buttons."""

    def __init__(self, tone: str, title: str, text: str, buttons: list[QPushButton]) -> None:
        super().__init__()
        self.setObjectName("banner")
        self.setProperty("tone", tone)
        self.setAccessibleName(f"{title} {text}")
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 13, 16, 13)
        row.setSpacing(12)
        mark = QLabel()
        name = {"danger": "alert-circle", "warn": "alert-triangle"}.get(tone, "info-circle")
        mark.setPixmap(icon(name, token(tone if tone in ("danger", "warn") else "accent")).pixmap(18, 18))
        row.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(3)
        words.addWidget(label(title, "bannertitle", wrap=True))
        if text:
            words.addWidget(label(text, wrap=True))
        if buttons:
            line = Flow(*buttons)
            line.setContentsMargins(0, 7, 0, 0)
            words.addLayout(line)
        row.addLayout(words, 1)


class WeekChart(QWidget):
    """A bar for each day against what is expected; the words beside it and its description say the same."""

    _TOP, _BOTTOM = 6, 40

    def __init__(self) -> None:
        super().__init__()
        self._week: ShownWeek | None = None
        self._today: date | None = None
        self.setMinimumHeight(132)
        self.setAccessibleName(_("Hours of the week by day"))

    def show_week(self, week: ShownWeek, today: date) -> None:
        """Show it."""
        self._week, self._today = week, today
        words = (
            f"{weekday(day.day)} {show_duration(day.minutes)} / {show_duration(day.target_minutes)}"
            for day in week.days
        )
        self.setAccessibleDescription(", ".join(words))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802  # Qt's name
        """Draw the bars."""
        if self._week is None or not self._week.days:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        days = self._week.days
        longest = max([480, *(max(day.minutes, day.target_minutes) for day in days)])
        step = self.width() / len(days)
        ground = self.height() - self._BOTTOM
        painter.setPen(colour("line"))
        painter.drawLine(0, ground, self.width(), ground)
        for number, day in enumerate(days):
            left, width = number * step + step * 0.24, step * 0.52
            for minutes, name in ((day.target_minutes, "accent2"), (day.minutes, "accentfill")):
                height = (ground - self._TOP) * minutes / longest
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(colour(name))
                if height:
                    painter.drawRoundedRect(QRectF(left, ground - height, width, height), 3, 3)
            self._write(painter, number * step, step, ground, weekday(day.day), day.day == self._today)
            text = show_duration(day.minutes) if day.minutes else "–"
            self._write(painter, number * step, step, ground + 17, text, day.day == self._today)
        painter.end()

    def _write(self, painter: QPainter, left: float, width: float, top: float, text: str, strong: bool) -> None:  # noqa: FBT001
        font = self.font()
        font.setPixelSize(12)
        font.setBold(strong)
        painter.setFont(font)
        painter.setPen(colour("text" if strong else "text2"))
        painter.drawText(QRectF(left, top + 4, width, 16), Qt.AlignmentFlag.AlignCenter, text)


class Meter(QWidget):
    """How much of the week is recorded; words stand beside it."""

    def __init__(self) -> None:
        super().__init__()
        self._share = 0.0
        self.setFixedHeight(8)

    def show_share(self, share: float) -> None:
        """From 0 to 1."""
        self._share = min(1.0, max(0.0, share))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802  # Qt's name
        """Draw it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        for share, name in ((1.0, "line"), (self._share, "accentfill")):
            painter.setBrush(colour(name))
            if share:
                painter.drawRoundedRect(QRectF(0, 0, self.width() * share, 8), 4, 4)
        painter.end()


def reminder_words(reminder: Reminder) -> tuple[str, str]:
    """Title and text of a reminder."""
    if reminder.kind is Kind.FORGOTTEN:
        begin: datetime | None = None if reminder.started_at is None else reminder.started_at.astimezone()
        since = "" if begin is None else f"{begin:%H:%M}"
        return _("The timer is still running"), _("%(task)s, since %(time)s.", task=reminder.task, time=since)
    days = ", ".join(long_date(day.day) for day in reminder.days[-3:])
    return _("Hours are missing"), _("%(days)s: less is recorded than expected.", days=days)
