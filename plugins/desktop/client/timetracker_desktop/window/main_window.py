"""The window: top bar with the standing and the menu, and one of two pages."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QApplication,
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
from timetracker_desktop.preferences import Preferences, keep_preferences, read_preferences
from timetracker_desktop.session import Phase, Session
from timetracker_desktop.texts import LANGUAGES, _, ngettext, use_language
from timetracker_desktop.tracker import NothingKnownError, Tracker
from timetracker_desktop.window.icons import brand, icon
from timetracker_desktop.window.pairing_page import PairingPage, open_in_browser
from timetracker_desktop.window.parts import clear, label
from timetracker_desktop.window.theme import font, palette, token, use_theme
from timetracker_desktop.window.work_page import Orders, WorkPage

_SECOND, _MINUTE = 1000, 60_000


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
    ) -> None:
        super().__init__()
        self._queue, self._engine, self._tracker, self._autostart = queue, engine, tracker, autostart
        self._open_address = open_address
        self._opened = ""
        self.stays_in_tray = False
        self.preferences = read_preferences(queue)
        self.setWindowTitle("TimeTracker RX")
        self.setWindowIcon(brand())
        self.resize(980, 760)
        self.setMinimumSize(360, 480)
        QShortcut(QKeySequence.StandardKey.Quit, self, self.quit_asked.emit)
        QShortcut(QKeySequence.StandardKey.Find, self, self._focus_search)
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
        self.notice = QVBoxLayout()
        column.addLayout(self.notice)
        orders = Orders(self._act, self.export, self.open_web, self._confirm_discard)
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
        row.addWidget(label("TimeTracker RX", "brand"))
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
        menu.addAction(_("Synchronise now"), self._engine.wake)
        menu.addAction(_("Export as CSV…"), self.export)
        menu.addSeparator()
        languages = menu.addMenu(_("Language"))
        for code, name in {"auto": _("As on the web"), **LANGUAGES}.items():
            self._choice(languages, name, "language", code)
        themes = menu.addMenu(_("Theme"))
        for code, name in {"auto": _("As the system"), "light": _("Light"), "dark": _("Dark")}.items():
            self._choice(themes, name, "theme", code)
        remind = menu.addAction(_("Remind me of missing hours and a forgotten timer"))
        remind.setCheckable(True)
        remind.setChecked(self.preferences.remind)
        remind.triggered.connect(lambda checked: self._prefer(remind=checked))
        start = menu.addAction(_("Start with the computer"))
        start.setCheckable(True)
        start.setChecked(self._autostart.is_on)
        start.triggered.connect(lambda checked: self._autostart.turn_on() if checked else self._autostart.turn_off())
        menu.addSeparator()
        if session.is_paired:
            menu.addAction(_("Disconnect this computer…"), self._confirm_unpair)
        menu.addAction(_("Quit"), self.quit_asked.emit)

    def _choice(self, menu: QMenu, name: str, field: str, value: str) -> None:
        action = menu.addAction(name)
        action.setCheckable(True)
        action.setChecked(getattr(self.preferences, field) == value)
        action.triggered.connect(lambda: self._prefer(**{field: value}))

    def _prefer(self, **changes: object) -> None:
        values = {name: getattr(self.preferences, name) for name in Preferences.__slots__}
        self.preferences = Preferences(**{**values, **changes})
        keep_preferences(self._queue, self.preferences)
        self.build()

    # Showing ----------------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show what is so by now."""
        session, view = self._engine.session, self._tracker.view()
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
            text = more if session.phase is Phase.ONLINE else f"{text} · {more}"
        self.chip.setText(f"• {text}" if text else "")
        self.chip.setVisible(bool(text))
        self.chip.setProperty("tone", tone)
        self.chip.style().polish(self.chip)

    def _show_notice(self, session: Session) -> None:
        clear(self.notice)
        if session.is_paired and self._engine.token_is_in_file:
            text = _("This system has no key store: the connection’s secret lies unencrypted in a file of yours.")
            notice = label(text, "muted", wrap=True)
            notice.setContentsMargins(24, 8, 24, 0)
            self.notice.addWidget(notice)

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
