"""Starting and ending: files, engine, window, tray icon, and one of each a person."""

import logging
import sys
import zlib
from datetime import date, datetime

from PySide6.QtCore import QObject, QTimer
from PySide6.QtNetwork import QLocalServer, QLocalSocket
from PySide6.QtWidgets import QApplication, QMenu, QSystemTrayIcon

from timetracker_desktop.autostart import of_this_system
from timetracker_desktop.engine import Engine
from timetracker_desktop.folders import data_folder
from timetracker_desktop.keystore import TokenStore
from timetracker_desktop.operation_queue import open_queue
from timetracker_desktop.reminders import Kind, Reminder, due
from timetracker_desktop.texts import _
from timetracker_desktop.tracker import Tracker
from timetracker_desktop.window.icons import brand
from timetracker_desktop.window.main_window import MainWindow
from timetracker_desktop.window.parts import long_date

_LONGEST_WAIT = 1500
_MINUTE = 60_000


def run(*, minimized: bool, server: str | None) -> int:
    """Run until it is quit; a second start shows the window of the first one."""
    logging.basicConfig(level=logging.WARNING)
    application = QApplication(sys.argv[:1])
    application.setApplicationName("TimeTracker RX")
    application.setDesktopFileName("timetracker-desktop")
    application.setStyle("Fusion")
    application.setQuitOnLastWindowClosed(False)
    folder = data_folder()
    name = f"timetracker-desktop-{zlib.crc32(str(folder).encode()):08x}"
    if _is_running(name):
        return 0
    queue, _aside = open_queue(folder / "queue.sqlite3")
    if server:
        queue.keep("server", server)
    engine = Engine(queue, TokenStore(folder / "token"))
    tracker = Tracker(queue, engine.now)
    window = MainWindow(queue, engine, tracker, autostart=of_this_system())
    window.quit_asked.connect(application.quit)
    listener = QLocalServer()
    QLocalServer.removeServer(name)
    listener.listen(name)
    listener.newConnection.connect(window.present)
    tray = Tray(window, engine, tracker)
    window.stays_in_tray = tray.is_shown
    if not (minimized and tray.is_shown):
        window.present()
    thread = engine.start()
    status = application.exec()
    engine.end()
    thread.join(_LONGEST_WAIT / 1000)
    queue.close()
    return status


def _is_running(name: str) -> bool:
    """Whether another one runs for this folder; it shows its window then."""
    socket = QLocalSocket()
    socket.connectToServer(name)
    found = socket.waitForConnected(_LONGEST_WAIT)
    socket.disconnectFromServer()
    return found


class Tray(QObject):
    """The icon in the tray, its menu, and the reminders."""

    def __init__(self, window: MainWindow, engine: Engine, tracker: Tracker) -> None:
        super().__init__(window)
        self._window, self._engine, self._tracker = window, engine, tracker
        self._reminded: dict[Kind, date] = {}
        self._icon = QSystemTrayIcon(brand(), self)
        self._menu = QMenu()
        self._menu.aboutToShow.connect(self._fill)
        self._icon.setContextMenu(self._menu)
        self._icon.activated.connect(self._activated)
        self._icon.messageClicked.connect(window.present)
        self.is_shown = QSystemTrayIcon.isSystemTrayAvailable()
        if self.is_shown:
            self._icon.show()
        window.changed.connect(self.refresh)
        timer = QTimer(self, interval=_MINUTE)
        timer.timeout.connect(self.refresh)
        timer.start()
        self.refresh()

    def refresh(self) -> None:
        """Show whether a timer runs, and a reminder that is due."""
        view = self._tracker.view()
        task = None if view.timer is None else view.task(view.timer.task_id)
        self._icon.setIcon(brand(running=view.timer is not None))
        self._icon.setToolTip("TimeTracker RX" if task is None else f"TimeTracker RX: {task.name}")
        now = self._engine.now().astimezone()
        reminder = due(view, self._window.preferences, now, self._reminded)
        if reminder is not None:
            self._reminded[reminder.kind] = now.date()
            self._icon.showMessage(*words(reminder), brand(running=view.timer is not None))

    def _fill(self) -> None:
        view = self._tracker.view()
        self._menu.clear()
        self._menu.addAction(_("Open"), self._window.present)
        if view.timer is not None:
            self._menu.addAction(_("Stop the timer"), self._window.work.stop.click)
        self._menu.addSeparator()
        self._menu.addAction(_("Quit"), self._window.quit_asked.emit)

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason is QSystemTrayIcon.ActivationReason.Trigger:
            self._window.present()


def words(reminder: Reminder) -> tuple[str, str]:
    """Title and text of a reminder."""
    if reminder.kind is Kind.FORGOTTEN:
        begin: datetime | None = None if reminder.started_at is None else reminder.started_at.astimezone()
        time = "" if begin is None else f"{begin:%H:%M}"
        return _("The timer is still running"), _("%(task)s, since %(time)s.", task=reminder.task, time=time)
    days = ", ".join(long_date(day.day) for day in reminder.days[-3:])
    return _("Hours are missing"), _("%(days)s: less is recorded than expected.", days=days)
