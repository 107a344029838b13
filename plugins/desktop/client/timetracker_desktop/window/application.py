"""Starting and ending: files, engine, window, tray icon, and one of each a person."""

import logging
import sqlite3
import sys
import zlib
from pathlib import Path

from PySide6.QtCore import QObject, QTimer
from PySide6.QtNetwork import QLocalServer, QLocalSocket
from PySide6.QtWidgets import QApplication, QMenu, QMessageBox, QSystemTrayIcon

from timetracker_desktop.autostart import of_this_system
from timetracker_desktop.engine import Engine
from timetracker_desktop.folders import data_folder
from timetracker_desktop.keystore import TokenStore
from timetracker_desktop.operation_queue import OperationQueue, open_queue
from timetracker_desktop.reminders import Kind, due, keep_shown, read_shown
from timetracker_desktop.texts import _, use_language
from timetracker_desktop.tracker import Tracker
from timetracker_desktop.window.icons import brand
from timetracker_desktop.window.main_window import MainWindow
from timetracker_desktop.window.parts import reminder_words

_LONGEST_WAIT = 1500
_MINUTE = 60_000


def run(*, minimized: bool, server: str | None) -> int:
    """Run until it is quit; a second start shows the window of the first one.

    Returns:
        The exit status: 1 where the queue cannot be opened, which is said in words.
    """
    logging.basicConfig(level=logging.WARNING)
    application = QApplication(sys.argv[:1])
    application.setApplicationName("TimeTracker RX")
    application.setDesktopFileName("timetracker-desktop")
    application.setStyle("Fusion")
    application.setQuitOnLastWindowClosed(False)
    path = data_folder() / "queue.sqlite3"
    name = f"timetracker-desktop-{zlib.crc32(str(path.parent).encode()):08x}"
    if _is_running(name):
        return 0
    try:
        queue, aside = open_queue(path)
    except (OSError, sqlite3.Error) as error:
        use_language(None)
        text = _("The hours on this computer cannot be opened: %(path)s (%(error)s)", path=path, error=error)
        QMessageBox.critical(None, "TimeTracker RX", text)
        return 1
    if server:
        queue.keep("server", server)
    return _run_with(application, queue, name, aside, minimized=minimized)


def _run_with(
    application: QApplication, queue: OperationQueue, name: str, aside: Path | None, *, minimized: bool
) -> int:
    engine = Engine(queue, TokenStore(data_folder() / "token"))
    tracker = Tracker(queue, engine.now)
    window = MainWindow(queue, engine, tracker, autostart=of_this_system(), put_aside=aside)
    # ``quit`` would ask the window first, which only hides as long as there is a tray.
    window.quit_asked.connect(lambda: application.exit(0))
    listener = QLocalServer()
    QLocalServer.removeServer(name)
    listener.listen(name)
    listener.newConnection.connect(window.present)
    tray = Tray(window, engine, tracker, queue)
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

    def __init__(self, window: MainWindow, engine: Engine, tracker: Tracker, queue: OperationQueue) -> None:
        super().__init__(window)
        self._window, self._engine, self._tracker, self._queue = window, engine, tracker, queue
        self._reminded = read_shown(queue)
        self._last: Kind | None = None
        self._icon = QSystemTrayIcon(brand(), self)
        self._menu = QMenu()
        self._menu.aboutToShow.connect(self._fill)
        self._icon.setContextMenu(self._menu)
        self._icon.activated.connect(self._activated)
        self._icon.messageClicked.connect(self._message_clicked)
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
            self._last, self._reminded[reminder.kind] = reminder.kind, now.date()
            keep_shown(self._queue, self._reminded)
            # In the window too: it is where the message leads, and the only place on a desktop without a tray.
            self._window.work.remind(reminder)
            self._icon.showMessage(*reminder_words(reminder), brand(running=view.timer is not None))
            QApplication.alert(self._window)

    def _fill(self) -> None:
        view = self._tracker.view()
        self._menu.clear()
        self._menu.addAction(_("Open"), self._window.present)
        if view.timer is not None:
            self._menu.addAction(_("Stop the timer"), self._window.work.stop.click)
            self._menu.addAction(_("Stop at…"), self._ask_for_end)
        self._menu.addSeparator()
        self._menu.addAction(_("Quit"), self._window.quit_asked.emit)

    def _ask_for_end(self) -> None:
        self._window.present()
        self._window.work.ask_for_end()

    def _message_clicked(self) -> None:
        """The reminder of a running timer leads to where it is ended."""
        if self._last is Kind.FORGOTTEN:
            self._ask_for_end()
        else:
            self._window.present()

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason is QSystemTrayIcon.ActivationReason.Trigger:
            self._window.present()
