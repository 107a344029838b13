"""The window: top bar with the standing and the menu, and one of two pages."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QTimer, QUrl, Signal
from PySide6.QtGui import QCloseEvent, QDesktopServices, QKeySequence, QResizeEvent, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QMenu,
    QMessageBox,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from timetracker_desktop.autostart import Autostart
from timetracker_desktop.engine import Engine
from timetracker_desktop.export import export_csv
from timetracker_desktop.local_truth import View
from timetracker_desktop.operation_queue import OperationQueue, OperationState, Queued
from timetracker_desktop.operations import Action
from timetracker_desktop.preferences import keep_preferences, read_preferences
from timetracker_desktop.session import Phase, Session
from timetracker_desktop.texts import _, ngettext, use_language
from timetracker_desktop.tracker import NothingKnownError, Tracker
from timetracker_desktop.window.correct_dialog import CorrectDialog
from timetracker_desktop.window.icons import brand, icon
from timetracker_desktop.window.pairing_page import PairingPage, open_in_browser
from timetracker_desktop.window.parts import Banner, button, clear, label
from timetracker_desktop.window.preferences_dialog import Chosen, PreferencesDialog
from timetracker_desktop.window.theme import font, palette, polish_again, token, use_theme
from timetracker_desktop.window.work_page import Orders, WorkPage

_NAMED = 480
"""From which width on the window names the application."""
_SECOND, _MINUTE = 1000, 60_000
_QUIT, _SEARCH, _TODAY, _SYNCHRONISE, _EXPORT, _PREFERENCES = "Ctrl+Q", "Ctrl+F", "Ctrl+T", "F5", "Ctrl+E", "Ctrl+,"
"""Qt's names; Ctrl is the Command key on macOS."""


class MainWindow(QMainWindow):
    """The only window there is."""

    changed = Signal()
    """Something may look different now; sent from the engine's thread too."""
    quit_asked = Signal()

    def __init__(
        self,
        queue: OperationQueue,
        engine: Engine,
        tracker: Tracker,
        *,
        autostart: Autostart,
        open_address: Callable[[str], object] = open_in_browser,
        put_aside: Path | None = None,
    ) -> None:
        """Make it.

        Args:
            queue: shared with the engine.
            engine: what talks to the server.
            tracker: what records hours.
            autostart: of this system.
            open_address: opens an address in the browser.
            put_aside: where a queue lies that was damaged, which is said until the person has read it.
        """
        super().__init__()
        self._put_aside = put_aside
        self._queue, self._engine, self._tracker, self._autostart = queue, engine, tracker, autostart
        self._open_address = open_address
        self._opened = ""
        self.stays_in_tray = False
        self.preferences = read_preferences(queue)
        self.setWindowTitle("TimeTracker RX")
        self.setWindowIcon(brand())
        self.resize(980, 760)
        self.setMinimumSize(360, 480)
        for keys, act in (
            (_QUIT, self.quit_asked.emit),
            (_SEARCH, self._focus_search),
            (_TODAY, self._focus_today),
            (_SYNCHRONISE, self._engine.wake),
            (_EXPORT, self.export),
            (_PREFERENCES, self.ask_preferences),
        ):
            QShortcut(QKeySequence(keys), self, act)
        # A clock that is only looked at while the window is shown and a timer runs.
        self._second = QTimer(self, interval=_SECOND)
        self._second.timeout.connect(self._tick)
        self._minute = QTimer(self, interval=_MINUTE)
        self._minute.timeout.connect(self.refresh)
        self._minute.start()
        self.changed.connect(self.refresh)
        self.build()
        engine.listen(self.changed.emit)

    # Building ---------------------------------------------------------------------------------------------------------

    def build(self) -> None:
        """Make everything anew, in the language and theme that are wanted."""
        state = self._tracker.view().state
        wanted = self.preferences.language
        use_language(wanted if wanted != "auto" else (state.person.language[:2] if state is not None else None))
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.setFont(font())
            sheet = use_theme(self.preferences.theme)
            application.setPalette(palette())
            application.setStyleSheet(sheet)
        central = QWidget()
        column = QVBoxLayout(central)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._make_top())
        self._noticed: tuple[bool, Path | None] = (False, None)
        self.notice = QVBoxLayout()
        column.addLayout(self.notice)
        orders = Orders(self._act, self.export, self.open_web, self._confirm_discard, self._ask_to_correct)
        self.work = WorkPage(self._tracker, orders, self._engine.now)
        self.pairing = PairingPage(self._engine, self.export, self._open_address)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.pairing)
        self.pages.addWidget(self.work)
        column.addWidget(self.pages, 1)
        self.setCentralWidget(central)
        self.refresh()

    def _make_top(self) -> QFrame:
        top = QFrame()
        top.setObjectName("top")
        row = QHBoxLayout(top)
        row.setContentsMargins(24, 9, 16, 9)
        row.setSpacing(10)
        mark = QLabel()
        mark.setPixmap(brand(size=24).pixmap(24, 24))
        row.addWidget(mark)
        self._brand = label("TimeTracker RX", "brand")
        row.addWidget(self._brand)
        row.addStretch()
        self.chip = label("", "chip")
        row.addWidget(self.chip)
        self.menu_button = QToolButton()
        self.menu_button.setIcon(icon("menu-2", token("text")))
        self.menu_button.setAccessibleName(_("Menu"))
        self.menu_button.setToolTip(_("Menu"))
        self.menu_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu = QMenu(self)
        self.menu.aboutToShow.connect(self._fill_menu)
        self.menu_button.setMenu(self.menu)
        self.menu_button.setShortcut("F10")
        row.addWidget(self.menu_button)
        return top

    def _fill_menu(self) -> None:
        menu, session, view = self.menu, self._engine.session, self._tracker.view()
        menu.clear()
        if view.state is not None:
            menu.addAction(f"{view.state.person.name} ({view.state.person.login})").setEnabled(False)
        menu.addAction(_("Open the web application"), self.open_web)
        menu.addAction(_with_keys(_("Synchronise now"), _SYNCHRONISE), self._engine.wake)
        menu.addAction(_with_keys(_("Export as CSV…"), _EXPORT), self.export)
        menu.addSeparator()
        menu.addAction(_with_keys(_("Preferences…"), _PREFERENCES), self.ask_preferences)
        if session.is_paired:
            menu.addAction(_("Disconnect this computer…"), self._confirm_unpair)
        menu.addSeparator()
        menu.addAction(_with_keys(_("Quit"), _QUIT), self.quit_asked.emit)

    def ask_preferences(self) -> None:
        """Ask for all settings, and follow them."""
        dialog = PreferencesDialog(self, self.preferences, starts_with_computer=self._autostart.is_on)
        if dialog.exec() == QDialog.DialogCode.Accepted:
            self.follow(dialog.chosen())

    def follow(self, chosen: Chosen) -> None:
        """Keep what was chosen in the preferences, and show everything so."""
        if chosen.starts_with_computer != self._autostart.is_on:
            try:
                (self._autostart.turn_on if chosen.starts_with_computer else self._autostart.turn_off)()
            except OSError as error:
                QMessageBox.critical(self, _("Preferences"), str(error))
        if chosen.preferences != self.preferences:
            self.preferences = chosen.preferences
            keep_preferences(self._queue, self.preferences)
            self.build()

    # Showing ----------------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show what is so by now."""
        session = self._engine.session
        try:
            view = self._tracker.view()
        except sqlite3.Error as error:  # the disk fails while the program runs
            self._show_unreadable(error)
            return
        self._show_chip(session, view)
        self._show_notice(session)
        waiting = len(view.waiting) + len(view.stuck) + len(view.of_others)
        if session.is_paired:
            self.work.show_all(session, view)
            if self.pages.currentWidget() is not self.work:
                self.pages.setCurrentWidget(self.work)
                self.work.search.setFocus()
        else:
            self.pairing.show_session(session, waiting)
            self.pages.setCurrentWidget(self.pairing)
        invitation = session.invitation
        if invitation is not None and self._opened != invitation.user_code:
            self._opened = invitation.user_code
            self._open_address(invitation.verification_uri_complete)
        self._keep_ticking(view)

    def _tick(self) -> None:
        self.work.tick()

    def _keep_ticking(self, view: View | None = None) -> None:
        running = (view or self._tracker.view()).timer is not None
        if running and self.isVisible() and not self.isMinimized():
            self._second.start()
        else:
            self._second.stop()

    def _show_chip(self, session: Session, view: View) -> None:
        waiting, stuck = len(view.waiting), len(view.stuck)
        texts = {
            Phase.UNPAIRED: ("", ""),
            Phase.PAIRING: ("", _("Waiting for confirmation")),
            Phase.ONLINE: ("ok", _("Up to date")),
            Phase.OFFLINE: ("warn", _("Off line")),
            Phase.MAINTENANCE_EXPIRED: ("danger", _("Maintenance expired")),
            Phase.RESTRICTED: ("danger", _("Not available")),
            Phase.TOKEN_ENDED: ("danger", _("Not connected")),
        }
        tone, text = texts[session.phase]
        if stuck:
            tone = "danger"
            text = ngettext("%(number)s not accepted", "%(number)s not accepted", stuck)
        elif waiting:
            more = ngettext("%(number)s waiting", "%(number)s waiting", waiting)
            text = f"{text} · {more}" if text and session.phase is not Phase.ONLINE else more
        self.chip.setText(f"• {text}" if text else "")
        self.chip.setVisible(bool(text))
        self.chip.setProperty("tone", tone)
        polish_again(self.chip)
        # In the title too, where a screen reader finds it, and the list of windows.
        task = None if view.timer is None else view.task(view.timer.task_id)
        standing = "" if tone == "ok" and not waiting else text
        name = "" if task is None else task.name
        self.setWindowTitle(" · ".join(part for part in (standing, name, "TimeTracker RX") if part))

    def _show_notice(self, session: Session) -> None:
        shown = (session.is_paired and self._engine.token_is_in_file, self._put_aside)
        if shown == self._noticed:
            return
        self._noticed = shown
        clear(self.notice)
        in_file, aside = shown
        if aside is not None:
            self.notice.addWidget(self._make_damaged(aside))
        if in_file:
            text = _("This system has no key store: the connection’s secret lies unencrypted in a file of yours.")
            notice = label(text, "muted", wrap=True)
            notice.setContentsMargins(24, 8, 24, 0)
            self.notice.addWidget(notice)

    def _make_damaged(self, aside: Path) -> QWidget:
        """That the hours of an earlier run could not be read, and where they are."""
        title = _("The file with the hours on this computer was damaged.")
        text = _(
            "It is kept as %(path)s, and a new one was begun. What the server did not have yet is only in there:"
            " give it to whoever looks after this computer. What is at the server is not touched.",
            path=aside,
        )
        buttons = [
            button(_("Show the folder"), lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(aside.parent)))),
            button(_("I have read it"), self._forget_aside, kind="quiet"),
        ]
        banner = Banner("danger", title, text, buttons)
        frame = QWidget()
        inner = QVBoxLayout(frame)
        inner.setContentsMargins(24, 12, 24, 0)
        inner.addWidget(banner)
        return frame

    def _forget_aside(self) -> None:
        self._put_aside = None
        self.refresh()

    def _show_unreadable(self, error: sqlite3.Error) -> None:
        self.chip.setText("• " + _("The hours on this computer cannot be read: %(error)s", error=error))
        self.chip.setProperty("tone", "danger")
        self.chip.show()
        polish_again(self.chip)

    def _focus_today(self) -> None:
        self.work.focus_today()

    def _focus_search(self) -> None:
        self.work.search.setFocus()

    # Doing ------------------------------------------------------------------------------------------------------------

    def _act(self, change: Callable[[], object]) -> None:
        try:
            change()
        except NothingKnownError:
            return
        except sqlite3.Error as error:
            QMessageBox.critical(
                self, "TimeTracker RX", _("It cannot be written to this computer: %(error)s", error=error)
            )
        self.refresh()
        self._engine.wake()

    def open_web(self) -> None:
        """Open the web application in the browser."""
        state = self._tracker.view().state
        self._open_address((state.installation.web_url if state is not None else "") or self._engine.session.server)

    def export(self) -> None:
        """Ask for a file, and write all there that the server does not have."""
        name, _kind = QFileDialog.getSaveFileName(self, _("Export as CSV"), "timetracker.csv", "CSV (*.csv)")
        if name:
            self.export_to(Path(name))

    def export_to(self, path: Path) -> None:
        """Write all there that the server does not have."""
        open_ones = [queued for queued in self._queue.all_open() if queued.state is not OperationState.DONE]
        try:
            path.write_bytes(export_csv(open_ones, self._tracker.view().state, _))
        except OSError as error:
            QMessageBox.critical(self, _("Export as CSV"), str(error))

    def _ask_to_correct(self, queued: Queued) -> Action | None:
        dialog = CorrectDialog(self, queued, self._tracker.view())
        return dialog.action() if dialog.exec() == QDialog.DialogCode.Accepted else None

    def _confirm_discard(self, queued: Queued) -> bool:
        if queued.state is OperationState.CONFLICT:
            return True  # what is there stays: nothing that is recorded gets lost
        text = _("These hours are nowhere else. Once discarded, they are gone.")
        return self._asks(_("Discard this entry?"), text, _("Discard"))

    def _confirm_unpair(self) -> None:
        text = _("What waits here is kept until you connect again. On the web, end the device too.")
        if self._asks(_("Disconnect this computer?"), text, _("Disconnect")):
            self._engine.unpair()

    def _asks(self, title: str, text: str, verb: str) -> bool:
        box = QMessageBox(self)
        box.setWindowTitle(title)
        box.setText(title)
        box.setInformativeText(text)
        act = box.addButton(verb, QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(box.addButton(_("Cancel"), QMessageBox.ButtonRole.RejectRole))
        box.exec()
        return box.clickedButton() is act

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  # Qt's name
        """Where it is narrow, the standing needs the place of the name."""
        self._brand.setVisible(event.size().width() >= _NAMED)
        super().resizeEvent(event)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802  # Qt's name
        """The clock goes on where it is seen."""
        super().showEvent(event)
        self._keep_ticking()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802  # Qt's name
        """In the tray it goes on; without one, closing ends it."""
        self._second.stop()
        if self.stays_in_tray:
            event.ignore()
            self.hide()
        else:
            self.quit_asked.emit()
            super().closeEvent(event)

    def present(self) -> None:
        """Show the window before all others."""
        self.showNormal()
        self.raise_()
        self.activateWindow()


def _with_keys(text: str, keys: str) -> str:
    """The text of a menu item, with the keys that do the same."""
    return f"{text}\t{QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)}"
