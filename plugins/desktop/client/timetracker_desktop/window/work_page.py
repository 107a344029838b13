"""The page of a working day: timer, tasks, today, the week, and what the server does not have yet."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from zoneinfo import ZoneInfo

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from timetracker_desktop.duration import show_duration
from timetracker_desktop.local_truth import View
from timetracker_desktop.model import Task
from timetracker_desktop.operation_queue import Queued
from timetracker_desktop.operations import Action
from timetracker_desktop.reminders import Kind, Reminder
from timetracker_desktop.session import RESTRICTED_CODES, Phase, Session
from timetracker_desktop.texts import N_, _, ngettext
from timetracker_desktop.tracker import Tracker, running_for
from timetracker_desktop.window.icons import icon
from timetracker_desktop.window.parts import (
    Banner,
    Card,
    Meter,
    WeekChart,
    button,
    clear,
    full_date,
    label,
    long_date,
    reminder_words,
    rule,
)
from timetracker_desktop.window.rows import Decisions, EntryRow, StuckRow, TaskRow, what
from timetracker_desktop.window.stop_at import StopAt
from timetracker_desktop.window.theme import token

_TWO_COLUMNS = 800
_TASKS_SHOWN = 8
_WAITING_SHOWN = 5
_WHY_WAITING = {
    Phase.OFFLINE: N_("The server is not reached. They are sent by themselves once it is."),
    Phase.MAINTENANCE_EXPIRED: N_("They are sent by themselves once the maintenance is renewed."),
    Phase.RESTRICTED: N_("They are sent by themselves once the server takes hours again."),
}


@dataclass(frozen=True, slots=True)
class Orders:
    """What the page asks of the window."""

    act: Callable[[Callable[[], object]], None]
    """Carries out a change of hours, and sends it."""
    export: Callable[[], object]
    open_web: Callable[[], object]
    confirm_discard: Callable[[Queued], bool]
    correct: Callable[[Queued], Action | None]
    """Asks the person to put right what was refused."""


class WorkPage(QWidget):
    """Everything that a paired person sees."""

    def __init__(self, tracker: Tracker, orders: Orders, now: Callable[[], datetime]) -> None:
        super().__init__()
        self.setObjectName("page")
        self._tracker, self._orders, self._now = tracker, orders, now
        self._view: View | None = None
        self._session: Session | None = None
        self._signatures: dict[str, object] = {}
        self._shown_reminder: Reminder | None = None
        self._rows: dict[tuple[int, date], EntryRow] = {}
        content = QWidget()
        content.setObjectName("content")
        column = QVBoxLayout(content)
        column.setContentsMargins(24, 20, 24, 24)
        column.setSpacing(16)
        self._banner, self._reminder = QVBoxLayout(), QVBoxLayout()
        column.addLayout(self._banner)
        column.addLayout(self._reminder)
        self._columns = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._columns.setSpacing(16)
        left = QVBoxLayout()
        self._right = right = QVBoxLayout()
        left.setSpacing(16)
        right.setSpacing(16)
        for widget in (self._make_timer(), self._make_tasks()):
            left.addWidget(widget)
        for widget in (self._make_week(), self._make_today(), self._make_queue()):
            right.addWidget(widget)
        left.addStretch()
        right.addStretch()
        self._columns.addLayout(left, 1)
        self._columns.addLayout(right, 1)
        column.addLayout(self._columns)
        column.addStretch()
        self._area = area = QScrollArea()
        area.setWidget(content)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  # Qt's name
        """One column where two are too narrow."""
        wide = event.size().width() >= _TWO_COLUMNS
        directions = QBoxLayout.Direction
        self._columns.setDirection(directions.LeftToRight if wide else directions.TopToBottom)
        super().resizeEvent(event)

    # Made once --------------------------------------------------------------------------------------------------------

    def _make_timer(self) -> Card:
        self._timer = Card(_("Timer"))
        row = QHBoxLayout()
        self.clock = label("0:00", "clock")
        row.addWidget(self.clock)
        row.addStretch()
        self.stop = button(_("Stop"), self._stop, kind="primary", mark="player-stop")
        self.stop.setShortcut("Ctrl+.")
        row.addWidget(self.stop, 0, Qt.AlignmentFlag.AlignVCenter)
        self._timer.body.addLayout(row)
        self._timer_name, self._timer_place = label("", "name", wrap=True), label("", "muted", wrap=True)
        self._timer.body.addWidget(self._timer_name)
        self._timer.body.addWidget(self._timer_place)
        self.timer_memo = QLineEdit()
        self.timer_memo.setPlaceholderText(_("What are you working on?"))
        self.timer_memo.setAccessibleName(_("Memo of the timer"))
        self.timer_memo.setMaxLength(1000)
        self._timer.body.addWidget(self.timer_memo)
        self.stop_at_button = button(_("Stop at…"), self.ask_for_end, mark="clock", name=_("Say when the timer ended"))
        self._timer.body.addWidget(self.stop_at_button)
        self.stop_at = StopAt(self._end, self._now, self._end_left)
        self._timer.body.addWidget(self.stop_at)
        return self._timer

    def _make_tasks(self) -> Card:
        card = Card(_("Recent tasks"))
        self._tasks_title = card.title
        self.search = QLineEdit()
        self.search.setPlaceholderText(_("Search task, project or customer"))
        self.search.setAccessibleName(_("Search tasks"))
        self.search.setClearButtonEnabled(True)
        self.search.addAction(icon("search", token("text2")), QLineEdit.ActionPosition.LeadingPosition)
        self.search.textChanged.connect(lambda _text: self._show_tasks())
        self.search.returnPressed.connect(self._start_first)
        card.body.addWidget(self.search)
        self._tasks = QVBoxLayout()
        self._tasks.setSpacing(8)
        card.body.addLayout(self._tasks)
        return card

    def _make_week(self) -> Card:
        card = Card(_("This week"))
        self._week_figure = label("", "figure")
        self._week_words = label("", "muted")
        row = QHBoxLayout()
        row.addWidget(self._week_figure)
        row.addWidget(self._week_words, 0, Qt.AlignmentFlag.AlignBottom)
        row.addStretch()
        card.body.addLayout(row)
        self._meter = Meter()
        card.body.addWidget(self._meter)
        self._chart = WeekChart()
        card.body.addWidget(self._chart)
        return card

    def _make_today(self) -> Card:
        self.today_card = card = Card(_("Today"))
        self._today_date = label("", "muted")
        card.head.addWidget(self._today_date)
        self._today = QVBoxLayout()
        self._today.setSpacing(10)
        card.body.addLayout(self._today)
        self._empty = label(_("Nothing yet. Start the timer on a task."), "muted", wrap=True)
        card.body.addWidget(self._empty)
        card.body.addWidget(rule())
        row = QHBoxLayout()
        row.addWidget(label(_("Total"), "name"))
        row.addStretch()
        self.today_total = label("", "name")
        row.addWidget(self.today_total)
        card.body.addLayout(row)
        return card

    def _make_queue(self) -> Card:
        self.queue_card = Card(_("Not at the server"))
        self.queue_card.head.addWidget(button(_("Export as CSV…"), self._orders.export, kind="quiet"))
        self._queue = QVBoxLayout()
        self._queue.setSpacing(10)
        self.queue_card.body.addLayout(self._queue)
        return self.queue_card

    # Shown whenever something has changed -----------------------------------------------------------------------------

    def show_all(self, session: Session, view: View) -> None:
        """Show the session and the hours."""
        self._session, self._view = session, view
        self._show_banner()
        self._show_timer()
        self._show_tasks()
        self._show_today()
        self._show_week()
        self._show_queue()

    def _has_changed(self, name: str, signature: object) -> bool:
        if self._signatures.get(name) == signature:
            return False
        self._signatures[name] = signature
        return True

    def _show_banner(self) -> None:
        session, view = self._session, self._view
        if session is None or view is None:
            return
        signature = (session.phase, session.code, session.detail, session.remedy, view.state is None)
        if not self._has_changed("banner", signature):
            return
        clear(self._banner)
        web = button(_("Open the web application"), self._orders.open_web, mark="world")
        export = button(_("Export as CSV…"), self._orders.export, mark="download")
        if session.phase is Phase.MAINTENANCE_EXPIRED:
            until = session.maintenance_expires
            title = (
                _("The maintenance has expired.")
                if until is None
                else _("The maintenance expired on %(date)s.", date=full_date(until))
            )
            kept = _("What is recorded here is kept and sent as soon as the new license key is registered.")
            remedy = session.remedy or _("Ask your administrator to renew it. The web application goes on.")
            self._banner.addWidget(Banner("danger", title, f"{remedy}\n{kept}", [web, export]))
        elif session.phase is Phase.RESTRICTED:
            fallback = _(RESTRICTED_CODES.get(session.code, N_("The server refuses this application.")))
            kept = _("What is recorded here is kept.")
            text = f"{session.remedy}\n{kept}".strip()
            self._banner.addWidget(Banner("danger", session.detail or fallback, text, [export]))
        elif session.phase is Phase.OFFLINE and view.state is None:
            text = _("The first answer of the server brings your tasks; it is asked again by itself.")
            self._banner.addWidget(Banner("warn", _("The server has not been reached yet."), text, []))

    def _may_record(self) -> bool:
        return self._session is not None and self._session.may_record and self._view is not None

    def _show_timer(self) -> None:
        timer = None if self._view is None else self._view.timer
        self.stop.setVisible(timer is not None)
        self.timer_memo.setVisible(timer is not None)
        if timer is None:
            self.stop_at.hide()
            self._forget_reminder(Kind.FORGOTTEN)
        self.stop_at_button.setVisible(timer is not None and self.stop_at.isHidden())
        if timer is None or self._view is None:
            self._timer_name.setText(_("No timer is running."))
            self._timer_place.setText(_("Start it on one of the tasks below."))
            self.clock.setText("0:00")
            self._has_changed("memo", None)
            return
        task = self._view.task(timer.task_id)
        name = _("Task %(number)s", number=timer.task_id) if task is None else task.name
        self._timer_name.setText(name)
        begin = timer.started_at.astimezone(None if self._view.state is None else self._view.state.person.zone)
        since = _("since %(time)s", time=f"{begin:%H:%M}")
        self._timer_place.setText(since if task is None or not task.place else f"{task.place} · {since}")
        if self._has_changed("memo", (timer.task_id, timer.started_at)):
            self.timer_memo.setText(timer.memo.replace("\n", " "))
        self.stop.setAccessibleName(_("Stop the timer on %(task)s", task=name))
        self.tick()

    def tick(self) -> None:
        """Show how long the timer has been running."""
        timer = None if self._view is None else self._view.timer
        if timer is not None:
            seconds = int(running_for(timer.started_at, self._now()).total_seconds())
            text = f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
            self.clock.setText(text)
            self.clock.setAccessibleName(_("Running for %(hours)s", hours=show_duration(seconds // 60)))

    def _found(self) -> list[Task]:
        if self._view is None or self._view.state is None:
            return []
        words = self.search.text().casefold().split()
        tasks = [
            task
            for task in self._view.state.tasks
            if all(word in f"{task.code} {task.name} {task.project} {task.customer}".casefold() for word in words)
        ]
        preferred = [task for task in tasks if task.recent or task.favourite]
        return (tasks if words else preferred or tasks)[:_TASKS_SHOWN]

    def _show_tasks(self) -> None:
        view, found = self._view, self._found()
        if view is None:
            return
        running = None if view.timer is None else view.timer.task_id
        listed = [(task, view.minutes_of(task.id)) for task in found if task.id != running]
        if not self._has_changed("tasks", (listed, running is None, self._may_record(), self.search.text())):
            return
        self._tasks_title.setText(_("Tasks") if self.search.text() else _("Recent tasks"))
        clear(self._tasks)
        self.task_rows: list[TaskRow] = []
        for number, (task, minutes) in enumerate(listed):
            if number:
                self._tasks.addWidget(rule())
            row = TaskRow(task, minutes, others_run=running is not None, start=partial(self._start, task))
            row.start.setEnabled(self._may_record())
            self.task_rows.append(row)
            self._tasks.addWidget(row)
        if not listed:
            self._tasks.addWidget(label(_("No task is found."), "muted"))

    def _show_today(self) -> None:
        view = self._view
        if view is None:
            return
        rows = {shown.entry.cell: shown for shown in view.todays}
        for cell in [cell for cell in self._rows if cell not in rows]:
            gone = self._rows.pop(cell)
            self._today.removeWidget(gone)
            gone.hide()
            gone.deleteLater()
        for cell, shown in rows.items():
            if cell not in self._rows:
                self._rows[cell] = EntryRow(partial(self._correct, cell))
                self._today.addWidget(self._rows[cell])
            self._rows[cell].show_entry(shown, view.task(shown.entry.task_id))
            self._rows[cell].setEnabled(self._may_record())
        self._empty.setVisible(not rows)
        self._today_date.setText(long_date(view.today))
        self.today_total.setText(show_duration(sum(shown.entry.minutes for shown in rows.values())))

    @property
    def entry_rows(self) -> list[EntryRow]:
        """The rows of today, from top to bottom."""
        return list(self._rows.values())

    def _show_week(self) -> None:
        week = None if self._view is None else self._view.week
        if week is None or self._view is None:
            self._week_figure.setText("–")
            return
        self._week_figure.setText(show_duration(week.minutes))
        if week.target_minutes is None:
            self._week_words.setText(_("recorded; what is expected comes with the next answer of the server"))
            self._meter.show_share(0)
        else:
            self._week_words.setText(_("of %(hours)s hours", hours=show_duration(week.target_minutes)))
            self._meter.show_share(week.minutes / week.target_minutes if week.target_minutes else 1)
        self._chart.show_week(week, self._view.today)

    def _show_queue(self) -> None:
        view, phase = self._view, None if self._session is None else self._session.phase
        if view is None or not self._has_changed("queue", (view.waiting, view.stuck, view.of_others, phase)):
            return
        zone = None if view.state is None else view.state.person.zone
        self.queue_card.setVisible(bool(view.waiting or view.stuck or view.of_others))
        # What waits sends itself; what was not accepted waits for the person, so it stands where it is seen.
        self._right.insertWidget(0 if view.stuck else 2, self.queue_card)
        clear(self._queue)
        self.stuck_rows: list[StuckRow] = []
        for queued in view.stuck:
            decisions = Decisions(
                partial(self._retry, queued), partial(self._correct_stuck, queued), partial(self._discard, queued)
            )
            row = StuckRow(queued, view.task(queued.action.task_id), zone, decisions)
            self.stuck_rows.append(row)
            self._queue.addWidget(row)
            self._queue.addWidget(rule())
        if view.waiting:
            self._show_waiting(view, zone)
        if view.of_others:
            number = len(view.of_others)
            text = ngettext(
                "%(number)s entry of somebody else waits here until they connect this computer again.",
                "%(number)s entries of somebody else wait here until they connect this computer again.",
                number,
            )
            self._queue.addWidget(label(text, "muted", wrap=True))

    def _show_waiting(self, view: View, zone: ZoneInfo | None) -> None:
        number = len(view.waiting)
        text = ngettext("%(number)s entry waits to be sent.", "%(number)s entries wait to be sent.", number)
        self._queue.addWidget(label(text, "waitingmark"))
        reason = "" if self._session is None else _WHY_WAITING.get(self._session.phase, "")
        if reason:
            self._queue.addWidget(label(_(reason), "muted", wrap=True))
        for queued in view.waiting[-_WAITING_SHOWN:]:
            task = view.task(queued.action.task_id)
            name = "" if task is None else f"{task.name} · "
            self._queue.addWidget(label(f"{name}{what(queued, zone)}", "muted", wrap=True))
        if number > _WAITING_SHOWN:
            more = number - _WAITING_SHOWN
            text = ngettext("and %(number)s more, made before these", "and %(number)s more, made before these", more)
            self._queue.addWidget(label(text, "muted", wrap=True))

    # Reminders --------------------------------------------------------------------------------------------------------

    def remind(self, reminder: Reminder) -> None:
        """Say it above everything, with what can be done about it."""
        self._shown_reminder = reminder
        clear(self._reminder)
        title, text = reminder_words(reminder)
        buttons = [button(_("Not now"), self._forget_reminder, kind="quiet")]
        if reminder.kind is Kind.FORGOTTEN:
            buttons.insert(0, button(_("Stop at…"), self.ask_for_end, mark="clock", name=_("Say when the timer ended")))
        else:
            buttons.insert(0, button(_("Open the web application"), self._orders.open_web, mark="world"))
        self._reminder.addWidget(Banner("warn", title, text, buttons))

    def _forget_reminder(self, kind: Kind | None = None) -> None:
        shown = self._shown_reminder
        if shown is not None and kind in (None, shown.kind):
            self._shown_reminder = None
            clear(self._reminder)

    # What the person does ---------------------------------------------------------------------------------------------

    def _start(self, task: Task) -> None:
        memo = self.timer_memo.text() if self._view is not None and self._view.timer is not None else None

        def switch() -> None:
            if memo is not None:
                self._tracker.stop(memo=memo)
            self._tracker.start(task.id)

        self._orders.act(switch)
        self.search.clear()
        self.timer_memo.setFocus()

    def _start_first(self) -> None:
        if self.search.text().strip() and self.task_rows and self._may_record():
            self.task_rows[0].start.click()

    def _stop(self) -> None:
        self._orders.act(lambda: self._tracker.stop(memo=self.timer_memo.text()))
        self.search.setFocus()

    def ask_for_end(self) -> None:
        """Ask when the timer ended that runs."""
        view = self._view
        if view is not None and view.timer is not None:
            self.stop_at_button.hide()
            self.stop_at.ask(view.timer, None if view.state is None else view.state.person.zone)
            self._area.ensureWidgetVisible(self.stop_at)

    def _end(self, at: datetime) -> None:
        self._orders.act(lambda: self._tracker.stop(memo=self.timer_memo.text(), at=at))
        self.search.setFocus()

    def _end_left(self) -> None:
        self._show_timer()
        self.stop_at_button.setFocus()

    def focus_today(self) -> None:
        """Go to the first hours of today."""
        for row in self.entry_rows[:1]:
            row.duration.setFocus()
            row.duration.selectAll()
            self._area.ensureWidgetVisible(row)

    def _correct(self, cell: tuple[int, date], minutes: int, memo: str | None) -> None:
        self._orders.act(lambda: self._tracker.correct(cell, minutes, memo))

    def _retry(self, queued: Queued) -> None:
        self._orders.act(lambda: self._tracker.retry(queued))

    def _correct_stuck(self, queued: Queued) -> None:
        action = self._orders.correct(queued)
        if action is not None:
            self._orders.act(lambda: self._tracker.send_instead(queued, action))

    def _discard(self, queued: Queued) -> None:
        if self._orders.confirm_discard(queued):
            self._orders.act(lambda: self._tracker.discard(queued))
