"""A screen without anybody before it: keys are pressed, titles read and pictures taken from outside the programs."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtGui import QImage
from Xlib import XK, X
from Xlib.display import Display
from Xlib.error import ConnectionClosedError, XError
from Xlib.ext import xtest
from Xlib.protocol import event

KEYS = {"ctrl": "Control_L", "shift": "Shift_L", "alt": "Alt_L", "enter": "Return", "escape": "Escape", "tab": "Tab"}
PATIENCE = 60
_ICON = 24
T = TypeVar("T")


class NotShownError(AssertionError):
    """What was waited for did not come."""


class Screen:
    """What a person has at hand: eyes and a keyboard."""

    def __init__(self, name: str) -> None:
        self._display = Display(name)
        self._root = self._display.screen().root

    def close(self) -> None:
        self._display.close()

    # Keyboard ---------------------------------------------------------------------------------------------------------

    def press(self, keys: str) -> None:
        """Press keys together, such as ``ctrl+f``."""
        names = [KEYS.get(key, key) for key in keys.split("+")]
        codes = [self._display.keysym_to_keycode(XK.string_to_keysym(name)) for name in names]
        assert all(codes), keys
        for code in codes:
            self._key(X.KeyPress, code)
        for code in reversed(codes):
            self._key(X.KeyRelease, code)

    def type(self, text: str) -> None:
        """Type a text as it stands on an American keyboard."""
        shift = self._display.keysym_to_keycode(XK.XK_Shift_L)
        for character in text:
            symbol = ord(character)
            code = self._display.keysym_to_keycode(symbol)
            assert code, character
            shifted = self._display.keycode_to_keysym(code, 0) != symbol
            if shifted:
                self._key(X.KeyPress, shift)
            self._key(X.KeyPress, code)
            self._key(X.KeyRelease, code)
            if shifted:
                self._key(X.KeyRelease, shift)

    def _key(self, kind: int, code: int) -> None:
        xtest.fake_input(self._display, kind, code)
        self._display.sync()

    # Eyes -------------------------------------------------------------------------------------------------------------

    def titles(self) -> list[str]:
        """The titles of all windows that are seen."""
        return [title for title, _window in self._named()]

    def _named(self) -> list[tuple[str, Any]]:
        name = self._display.intern_atom("_NET_WM_NAME")
        found = []
        for window in self._root.query_tree().children:
            try:
                if window.get_attributes().map_state != X.IsViewable:
                    continue
                value = window.get_full_text_property(name)
            except XError:  # closed meanwhile
                continue
            if value:
                found.append((str(value), window))
        return found

    def wait_for(self, matches: Callable[[str], bool], what: str) -> str:
        """Wait for a window with such a title, and give it the keyboard as a window manager would."""

        def seen() -> str | None:
            for title, window in self._named():
                if matches(title):
                    self._display.set_input_focus(window, X.RevertToPointerRoot, X.CurrentTime)
                    self._display.sync()
                    return title
            return None

        return until(seen, lambda: f"no window “{what}”; there are {self.titles()}")

    def close_window(self, title: str) -> None:
        """Close a window as the cross in its corner does."""
        protocols, delete = (self._display.intern_atom(name) for name in ("WM_PROTOCOLS", "WM_DELETE_WINDOW"))
        for found, window in self._named():
            if found == title:
                data = (32, [delete, X.CurrentTime, 0, 0, 0])
                window.send_event(event.ClientMessage(window=window, client_type=protocols, data=data))
        self._display.sync()

    def picture(self, path: Path) -> None:
        """Take a picture of the whole screen."""
        size = self._root.get_geometry()
        raw = self._root.get_image(0, 0, size.width, size.height, X.ZPixmap, 0xFFFFFFFF)
        path.parent.mkdir(parents=True, exist_ok=True)
        image = QImage(raw.data, size.width, size.height, size.width * 4, QImage.Format.Format_RGB32)
        assert image.save(str(path))


def until(found: Callable[[], T | None], failure: Callable[[], str]) -> T:
    """Ask again and again until there is an answer."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        answer = found()
        if answer:
            return answer
        time.sleep(0.05)
    raise NotShownError(failure())


class TrayHost:
    """A tray, as a panel has it (freedesktop.org's System Tray Protocol): takes icons up and shows them."""

    def __init__(self, name: str) -> None:
        self._display = Display(name)
        screen = self._display.screen()
        self._panel = screen.root.create_window(0, 0, 4 * _ICON, _ICON, 0, screen.root_depth)
        self._panel.change_attributes(override_redirect=True)
        self._panel.map()
        self._opcode = self._display.intern_atom("_NET_SYSTEM_TRAY_OPCODE")
        tray = self._display.intern_atom("_NET_SYSTEM_TRAY_S0")
        self._panel.set_selection_owner(tray, X.CurrentTime)
        manager = self._display.intern_atom("MANAGER")
        told = event.ClientMessage(
            window=screen.root, client_type=manager, data=(32, [X.CurrentTime, tray, self._panel.id, 0, 0])
        )
        screen.root.send_event(told, event_mask=X.StructureNotifyMask)
        self._display.sync()
        self.docked = threading.Event()
        threading.Thread(target=self._serve, name="tray", daemon=True).start()

    def _serve(self) -> None:
        for message in self._messages():
            if message.type == X.ClientMessage and message.client_type == self._opcode and message.data[1][1] == 0:
                icon = self._display.create_resource_object("window", message.data[1][2])
                icon.reparent(self._panel, 2, 2)
                icon.configure(width=_ICON - 4, height=_ICON - 4)
                icon.map()
                self._display.sync()
                self.docked.set()

    def _messages(self) -> Iterator[Any]:
        while True:
            try:
                yield self._display.next_event()
            except ConnectionClosedError:  # the screen is gone
                return
