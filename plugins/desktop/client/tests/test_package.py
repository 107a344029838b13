"""Texts, layers, reminders, autostart, preferences, and the wheel."""

import ast
import plistlib
import re
import subprocess
import sys
import venv
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import catalogue
import pytest
from conftest import Desk, cell
from window_pictures import fill

from timetracker_desktop import __version__
from timetracker_desktop.autostart import RunKey, command, launch_agent, xdg
from timetracker_desktop.cli import main
from timetracker_desktop.preferences import Preferences, keep_preferences, read_preferences
from timetracker_desktop.reminders import Kind, due, keep_shown, read_shown
from timetracker_desktop.session import Answered, Paired, PairingFailed, Phase, Refused, Session, Unreachable, after

PACKAGE = Path(__file__).parents[1] / "timetracker_desktop"
JAPAN = datetime(2026, 11, 26, tzinfo=UTC).astimezone().tzinfo


@pytest.mark.parametrize("language", catalogue.TRANSLATED)
def test_every_text_is_translated_and_the_catalogues_are_up_to_date(language: str) -> None:
    wanted = catalogue.updated(language)
    assert catalogue.untranslated(wanted) == []
    assert catalogue.po_file(language).read_bytes() == catalogue.as_po(wanted)
    compiled = catalogue.po_file(language).with_suffix(".mo").read_bytes()
    assert compiled == catalogue.as_mo(catalogue.committed(language))


@pytest.mark.parametrize("language", catalogue.TRANSLATED)
def test_translations_have_the_same_placeholders(language: str) -> None:
    for message in catalogue.committed(language):
        for one in message.id if isinstance(message.id, tuple) else (message.id,):
            for other in message.string if isinstance(message.string, tuple) else (message.string,):
                assert not message.id or set(re.findall(r"%\(\w+\)s", one)) == set(re.findall(r"%\(\w+\)s", other))


def test_only_the_window_knows_qt_and_nothing_knows_the_server() -> None:
    for path in PACKAGE.rglob("*.py"):
        names = {
            (node.module or "") if isinstance(node, ast.ImportFrom) else alias.name
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        tops = {name.partition(".")[0] for name in names}
        assert tops.isdisjoint({"app", "plugins", "flask", "sqlalchemy"})
        assert path.parent.name == "window" or "PySide6" not in tops


def test_the_version_is_said_without_a_display(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"timetracker-desktop {__version__}\n"


def test_the_wheel_installs_and_brings_texts_fonts_and_icons(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(PACKAGE.parent)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("timetracker_desktop-*.whl")
    folder = tmp_path / "environment"
    venv.create(folder)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-deps", "--no-index"]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True)
    shown = subprocess.run([folder / "bin" / "timetracker-desktop", "--version"], check=True, capture_output=True)
    assert shown.stdout.decode() == f"timetracker-desktop {__version__}\n"
    (installed,) = folder.glob("lib/*/site-packages/timetracker_desktop")
    wanted = {path.relative_to(PACKAGE) for path in PACKAGE.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert wanted <= {path.relative_to(installed) for path in installed.rglob("*")}


# Reminders ------------------------------------------------------------------------------------------------------------


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 26, hour, minute, tzinfo=JAPAN)


def test_missing_hours_are_told_in_the_morning_and_once(desk: Desk) -> None:
    fill(desk)
    desk.tracker.stop()
    view = desk.tracker.view()
    assert due(view, Preferences(), at(8, 59), {}) is None
    reminder = due(view, Preferences(), at(9), {})
    assert reminder is not None
    assert (reminder.kind, [day.day for day in reminder.days]) == (Kind.MISSING, [date(2026, 11, 25)])
    assert due(view, Preferences(), at(9), {Kind.MISSING: date(2026, 11, 26)}) is None
    assert due(view, Preferences(remind_missing=False), at(9), {}) is None


def test_hours_of_last_week_are_told_on_monday(desk: Desk) -> None:
    desk.server.lacking = [{"day": "2026-11-20", "minutes": 360, "target_minutes": 480}]
    desk.server.cells[1, "2026-11-24"] = cell(480)
    desk.server.cells[1, "2026-11-25"] = cell(480)
    desk.engine.step()
    reminder = due(desk.tracker.view(), Preferences(), at(9), {})
    assert reminder is not None
    assert [day.day for day in reminder.days] == [date(2026, 11, 20)]


def test_a_forgotten_timer_is_told_in_the_evening(desk: Desk) -> None:
    desk.server.lacking = []
    desk.tracker.start(1)
    view = desk.tracker.view()
    shown = {Kind.MISSING: date(2026, 11, 26)}
    begin = view.timer.started_at if view.timer is not None else None
    assert begin is not None
    assert due(view, Preferences(evening="23:59"), begin + timedelta(hours=1), {Kind.MISSING: begin.date()}) is None
    reminder = due(view, Preferences(), at(18, 30), shown)
    assert reminder is not None
    assert (reminder.kind, reminder.task) == (Kind.FORGOTTEN, "Gearbox housing drawing")


def test_whoever_begins_in_the_evening_has_forgotten_nothing(desk: Desk) -> None:
    desk.server.lacking = []
    desk.clock = at(19)
    desk.tracker.start(1)
    view = desk.tracker.view()
    assert due(view, Preferences(remind_missing=False), at(20), {}) is None
    assert due(view, Preferences(remind_missing=False), at(19) + timedelta(hours=12), {}) is not None


def test_reminders_are_once_a_day_however_often_the_program_starts(desk: Desk) -> None:
    assert read_shown(desk.queue) == {}
    keep_shown(desk.queue, {Kind.MISSING: date(2026, 11, 26)})
    desk.restart()
    assert read_shown(desk.queue) == {Kind.MISSING: date(2026, 11, 26)}
    for nonsense in ("[]", "{", '{"missing": 7}', '{"dance": "2026-11-26"}'):
        desk.queue.keep("reminded", nonsense)
        assert read_shown(desk.queue) == {}


def test_each_reminder_can_be_switched_off_and_has_its_time(desk: Desk) -> None:
    fill(desk)
    view = desk.tracker.view()
    assert due(view, Preferences(remind_missing=False, remind_forgotten=False), at(20), {}) is None
    late = Preferences(morning="22:00", evening="06:00")  # night shift
    assert due(view, replace(late, remind_forgotten=False), at(21, 59), {}) is None
    found = due(view, replace(late, remind_forgotten=False), at(22), {})
    assert found is not None
    assert found.kind is Kind.MISSING


# Starting with the computer -------------------------------------------------------------------------------------------


def test_xdg_autostart_quotes_what_it_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    autostart = xdg(["/opt/my tools/100%/timetracker-desktop", "--minimized"], tmp_path)
    autostart.turn_on()
    text = (tmp_path / ".config" / "autostart" / "timetracker-desktop.desktop").read_text()
    assert 'Exec="/opt/my tools/100%%/timetracker-desktop" "--minimized"' in text
    assert autostart.is_on
    autostart.turn_off()
    assert not autostart.is_on
    autostart.turn_off()


def test_a_launch_agent_runs_at_load(tmp_path: Path) -> None:
    launch_agent(["/usr/local/bin/timetracker-desktop", "--minimized"], tmp_path).turn_on()
    (path,) = (tmp_path / "Library" / "LaunchAgents").iterdir()
    assert plistlib.loads(path.read_bytes())["RunAtLoad"] is True


class Registry:
    """As much of ``winreg`` as is used."""

    HKEY_CURRENT_USER, KEY_SET_VALUE, REG_SZ = "HKCU", 2, 1

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.has_key = False

    def OpenKey(self, *_key: Any) -> Any:  # noqa: N802  # winreg's name
        if not self.has_key:
            raise FileNotFoundError
        return _Opened()

    def CreateKeyEx(self, *_key: Any) -> Any:  # noqa: N802  # winreg's name
        self.has_key = True
        return _Opened()

    def QueryValueEx(self, _key: Any, name: str) -> tuple[str, int]:  # noqa: N802  # winreg's name
        if name not in self.values:
            raise FileNotFoundError
        return self.values[name], 1

    def SetValueEx(self, _key: Any, name: str, _reserved: int, _kind: int, value: str) -> None:  # noqa: N802
        self.values[name] = value

    def DeleteValue(self, _key: Any, name: str) -> None:  # noqa: N802  # winreg's name
        del self.values[name]


class _Opened:
    def __enter__(self) -> str:
        return "key"

    def __exit__(self, *_error: object) -> None:
        return None


def test_the_run_key_of_windows() -> None:
    registry = Registry()
    autostart = RunKey((r"C:\Program Files\tt.exe", "--minimized"), registry)
    autostart.turn_on()
    assert registry.values == {"timetracker-desktop": r'"C:\Program Files\tt.exe" --minimized'}
    assert autostart.is_on
    autostart.turn_off()
    autostart.turn_off()
    assert not autostart.is_on


def test_a_command_that_windows_would_not_start_is_refused() -> None:
    registry = Registry()
    with pytest.raises(OSError, match="260"):
        RunKey(("C:\\" + "long" * 70 + ".exe", "--minimized"), registry).turn_on()
    assert registry.values == {}


def test_windows_starts_it_without_a_console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pythonw.exe").touch()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python.exe"))
    assert command() == [str(tmp_path / "pythonw.exe"), "-m", "timetracker_desktop", "--minimized"]


def test_an_autostart_that_the_desktop_has_turned_off_is_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    autostart = xdg(["/usr/bin/timetracker-desktop"], tmp_path)
    autostart.turn_on()
    (entry,) = (tmp_path / "autostart").iterdir()
    entry.write_text(entry.read_text() + "Hidden=true\n")
    assert not autostart.is_on


def test_preferences_are_kept_and_nonsense_is_not(desk: Desk) -> None:
    keep_preferences(desk.queue, Preferences(theme="dark", remind_missing=False))
    assert read_preferences(desk.queue) == Preferences(theme="dark", remind_missing=False)
    for nonsense in ("[]", "{", '{"theme": 7, "remind_missing": "no"}'):
        desk.queue.keep("preferences", nonsense)
        assert read_preferences(desk.queue) == Preferences()


# The session ----------------------------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.mark.parametrize(
    ("phase", "event", "expected"),
    [
        (Phase.UNPAIRED, Answered(NOW), Phase.UNPAIRED),
        (Phase.UNPAIRED, Paired("https://x"), Phase.OFFLINE),
        (Phase.ONLINE, Unreachable(), Phase.OFFLINE),
        (Phase.OFFLINE, Answered(NOW), Phase.ONLINE),
        (Phase.ONLINE, PairingFailed("cancelled", ""), Phase.ONLINE),
        (Phase.ONLINE, Refused(403, "maintenance_expired"), Phase.MAINTENANCE_EXPIRED),
        (Phase.MAINTENANCE_EXPIRED, Unreachable(), Phase.MAINTENANCE_EXPIRED),
        (Phase.MAINTENANCE_EXPIRED, Answered(NOW), Phase.ONLINE),
        (Phase.ONLINE, Refused(403, "seats_exceeded"), Phase.RESTRICTED),
        (Phase.RESTRICTED, Refused(403, "maintenance_expired"), Phase.MAINTENANCE_EXPIRED),
        (Phase.ONLINE, Refused(401, "token_invalid"), Phase.TOKEN_ENDED),
        (Phase.TOKEN_ENDED, Answered(NOW), Phase.TOKEN_ENDED),
    ],
)
def test_the_session_goes_from_phase_to_phase(phase: Phase, event: Any, expected: Phase) -> None:
    assert after(Session(phase, "https://x"), event).phase is expected
