"""The page before there is a token: the server's address, then the code that is confirmed in the browser."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from timetracker_desktop.api import AddressError, is_protected, server_address
from timetracker_desktop.engine import Engine
from timetracker_desktop.session import Phase, Session
from timetracker_desktop.texts import N_, _, ngettext
from timetracker_desktop.window.flow import Flow
from timetracker_desktop.window.icons import brand
from timetracker_desktop.window.parts import Card, ErrorText, button, clear, label

REASONS = {
    "access_denied": N_("The pairing was denied in the browser."),
    "expired_token": N_("The code has expired. Ask for a new one."),
    "cancelled": N_("The pairing was cancelled."),
    "unreachable": N_("No TimeTracker RX answers at this address."),
}

_WIDTH = 480


class PairingPage(QWidget):
    """Connects this computer."""

    def __init__(self, engine: Engine, export: Callable[[], None], open_address: Callable[[str], object]) -> None:
        super().__init__()
        self.setObjectName("page")
        self._engine, self._export, self._open = engine, export, open_address
        self._shown: tuple[object, ...] | None = None
        self.address = QLineEdit()
        page = QVBoxLayout(self)
        page.addStretch()
        self._card = Card("")
        self._card.setMaximumWidth(_WIDTH)
        mark = QLabel()
        mark.setPixmap(brand(size=28).pixmap(28, 28))
        self._card.head.insertWidget(0, mark)
        self._card.head.insertSpacing(1, 6)
        row = QHBoxLayout()
        row.setContentsMargins(24, 24, 24, 24)
        row.addStretch()
        row.addWidget(self._card, 1)
        row.addStretch()
        page.addLayout(row)
        page.addStretch()

    def show_session(self, session: Session, waiting: int) -> None:
        """Show what is to be done."""
        shown = (session, waiting)
        if shown == self._shown:
            return
        self._shown = shown
        clear(self._card.body)
        if session.phase is Phase.PAIRING and session.invitation is not None:
            self._show_code(session)
        else:
            self._ask_for_address(session, waiting)

    def _title(self, text: str) -> None:
        self._card.title.setText(text)
        self._card.setAccessibleName(text)

    def _ask_for_address(self, session: Session, waiting: int) -> None:
        body = self._card.body
        if session.phase is Phase.TOKEN_ENDED:
            self._title(_("Connect this computer again"))
            text = _("It was disconnected: in the browser, by an administrator, or by a new password.")
            body.addWidget(label(text, wrap=True))
        else:
            self._title(_("Connect this computer"))
            body.addWidget(label(_("Record your hours from the desktop, off line too."), "muted", wrap=True))
        caption = label(_("Address of the server"))
        body.addWidget(caption)
        self.address = QLineEdit(session.server)
        self.address.setPlaceholderText("rx.example.org")
        self.address.setAccessibleName(caption.text())
        caption.setBuddy(self.address)
        self.address.returnPressed.connect(self._connect)
        body.addWidget(self.address)
        self._error = ErrorText(self.address)
        body.addWidget(self._error)
        if session.code in REASONS:
            self._error.say(_(REASONS[session.code]))
        body.addWidget(
            label(_("Your browser opens and asks you to confirm. No password is typed here."), "muted", wrap=True)
        )
        buttons = Flow(button(_("Connect"), self._connect, kind="primary"))
        if waiting:
            buttons.addWidget(button(_("Export as CSV…"), self._export))
        body.addLayout(buttons)
        if waiting:
            kept = ngettext("%(number)s entry waits here.", "%(number)s entries wait here.", waiting)
            body.addWidget(label(kept, "muted", wrap=True))
        self.address.setFocus()

    def _connect(self) -> None:
        try:
            server = server_address(self.address.text())
        except AddressError:
            self._error.say(_("This is no address. Write it as rx.example.org."))
            return
        self._shown = None
        self._engine.pair(server)

    def _show_code(self, session: Session) -> None:
        invitation, body = session.invitation, self._card.body
        if invitation is None:
            return
        self._title(_("Confirm in the browser"))
        body.addWidget(label(_("The browser shows this code. Confirm it there if it is the same."), wrap=True))
        code = label(invitation.user_code, "code")
        code.setMinimumHeight(64)
        code.setAlignment(Qt.AlignmentFlag.AlignCenter)
        code.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        code.setAccessibleName(_("Code %(code)s", code=" ".join(invitation.user_code)))
        body.addWidget(code)
        opening = button(
            _("Open the browser"),
            lambda: self._open(invitation.verification_uri_complete),
            kind="primary",
            mark="world",
        )
        copy = button(_("Copy code"), lambda: QGuiApplication.clipboard().setText(invitation.user_code), mark="copy")
        cancel = button(_("Cancel"), self._engine.cancel_pairing, kind="quiet")
        body.addLayout(Flow(opening, copy, cancel))
        body.addWidget(label(_("Or go to %(address)s", address=invitation.verification_uri), "muted", wrap=True))
        if not is_protected(session.server):
            body.addWidget(label(_("The connection is not encrypted."), "error", wrap=True))
        opening.setFocus()


def open_in_browser(address: str) -> bool:
    """Open an address of the web, and nothing else, in the browser."""
    return address.startswith(("https://", "http://")) and QDesktopServices.openUrl(address)
