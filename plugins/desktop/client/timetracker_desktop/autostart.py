"""Starting with the computer, as each system has it: XDG autostart, the registry's Run key, a LaunchAgent."""

import os
import plistlib
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

NAME = "timetracker-desktop"
_LABEL = "timetracker-rx.desktop"
_LONGEST_RUN_LINE = 260
"""Characters (Microsoft, "Run and RunOnce Registry Keys")."""
_RUN_KEY = r"Software\Microsoft\Windows\CurrentVersion\Run"


class Autostart(Protocol):
    """Where the system looks for what it starts."""

    @property
    def is_on(self) -> bool:
        """Whether this application is started at log-in."""

    def turn_on(self) -> None:
        """Start it at log-in, minimized."""

    def turn_off(self) -> None:
        """Do not."""


def command() -> list[str]:
    """How this application is started again."""
    windowless = Path(sys.executable).with_name("pythonw.exe")
    if windowless.exists():  # Windows: the command itself would open a console
        return [str(windowless), "-m", "timetracker_desktop", "--minimized"]
    program = shutil.which(NAME, path=str(Path(sys.executable).parent)) or shutil.which(NAME)
    return [*([program] if program else [sys.executable, "-m", "timetracker_desktop"]), "--minimized"]


@dataclass(frozen=True, slots=True)
class _File:
    """A file at a place that the system looks at."""

    path: Path
    content: bytes

    @property
    def is_on(self) -> bool:
        # One that starts another program, or that the desktop's own settings have turned off, does not count.
        return self.path.is_file() and self.path.read_bytes() == self.content

    def turn_on(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_bytes(self.content)

    def turn_off(self) -> None:
        self.path.unlink(missing_ok=True)


def xdg(arguments: Sequence[str], home: Path) -> Autostart:
    """A desktop entry in the autostart folder (freedesktop.org)."""
    folder = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    entry = f"[Desktop Entry]\nType=Application\nName=TimeTracker RX\nExec={' '.join(map(_quoted, arguments))}\n"
    return _File(folder / "autostart" / f"{NAME}.desktop", f"{entry}X-GNOME-Autostart-enabled=true\n".encode())


def _quoted(argument: str) -> str:
    """An argument of ``Exec``, by the rules of the Desktop Entry Specification."""
    escaped = argument.replace("%", "%%")
    for character in ("\\", '"', "`", "$"):
        escaped = escaped.replace(character, f"\\{character}")
    # The value is a string itself, in which a backslash is written twice.
    return '"' + escaped.replace("\\", "\\\\") + '"'


def launch_agent(arguments: Sequence[str], home: Path) -> Autostart:
    """A LaunchAgent of macOS."""
    agent = {"Label": _LABEL, "ProgramArguments": list(arguments), "RunAtLoad": True, "ProcessType": "Interactive"}
    return _File(home / "Library" / "LaunchAgents" / f"{_LABEL}.plist", plistlib.dumps(agent))


@dataclass(frozen=True, slots=True)
class RunKey:
    """The Run key of this user in the registry of Windows; ``registry`` is the module ``winreg``."""

    arguments: tuple[str, ...]
    registry: Any

    @property
    def is_on(self) -> bool:
        """Whether there is a value."""
        try:
            with self.registry.OpenKey(self.registry.HKEY_CURRENT_USER, _RUN_KEY) as key:
                self.registry.QueryValueEx(key, NAME)
        except FileNotFoundError:
            return False
        return True

    def turn_on(self) -> None:
        """Write the value.

        Raises:
            OSError: the registry refuses it, or the command is longer than Windows starts.
        """
        line = " ".join(f'"{argument}"' if " " in argument else argument for argument in self.arguments)
        if len(line) > _LONGEST_RUN_LINE:
            raise OSError(f"{line}: > {_LONGEST_RUN_LINE}")
        with self._writable() as key:
            self.registry.SetValueEx(key, NAME, 0, self.registry.REG_SZ, line)

    def turn_off(self) -> None:
        """Delete the value."""
        if self.is_on:
            with self._writable() as key:
                self.registry.DeleteValue(key, NAME)

    def _writable(self) -> Any:
        return self.registry.CreateKeyEx(self.registry.HKEY_CURRENT_USER, _RUN_KEY, 0, self.registry.KEY_SET_VALUE)


def of_this_system() -> Autostart:
    """The one of the system that this runs on."""
    if sys.platform == "win32":
        import winreg  # noqa: PLC0415  # exists on Windows alone

        return RunKey(tuple(command()), winreg)
    return (launch_agent if sys.platform == "darwin" else xdg)(command(), Path.home())
