"""The window with hours of a demo company; called by a test, and to take the README's pictures."""

from datetime import date
from pathlib import Path

from conftest import Desk
from fake_server import MAINTENANCE_EXPIRED

from timetracker_desktop.preferences import Preferences, keep_preferences
from timetracker_desktop.window.main_window import MainWindow


class NoAutostart:
    is_on = False

    def turn_on(self) -> None:
        self.is_on = True

    def turn_off(self) -> None:
        self.is_on = False


def fill(desk: Desk) -> None:
    """Hours as of the mock pages: Thursday, 26 November 2026."""
    for task, day, minutes, memo in [
        (1, 24, 240, ""),
        (2, 24, 90, ""),
        (3, 24, 150, ""),
        (1, 25, 210, ""),
        (2, 25, 120, ""),
        (3, 25, 75, ""),
        (5, 25, 60, ""),
        (1, 26, 165, "Bearing seat, revision C"),
        (5, 26, 60, ""),
    ]:
        desk.server.put((task, f"2026-11-{day}"), minutes, memo)
    desk.engine.step()
    desk.pass_time(hours=3)
    desk.tracker.start(2, "Call with the supplier")
    desk.pass_time(minutes=72)
    desk.engine.step()


def spoil(desk: Desk) -> None:
    """Something that waits, something refused, something in conflict."""
    desk.tracker.correct((3, date(2026, 11, 23)), 90, "")
    desk.tracker.correct((4, date(2026, 11, 26)), 45, "Weekly meeting")
    desk.server.put((4, "2026-11-26"), 30, "from the web")
    desk.engine.step()
    desk.line.down = True
    desk.tracker.correct((5, date(2026, 11, 26)), 75)
    desk.engine.step()


def make_window(
    desk: Desk, opened: list[str] | None = None, put_aside: Path | None = None, **preferences: str
) -> MainWindow:
    keep_preferences(desk.queue, Preferences(**preferences))  # type: ignore[arg-type]
    opened = [] if opened is None else opened
    return MainWindow(
        desk.queue,
        desk.engine,
        desk.tracker,
        autostart=NoAutostart(),
        open_address=opened.append,
        put_aside=put_aside,
    )


def expire(desk: Desk) -> None:
    desk.line.down = False
    desk.server.problem = MAINTENANCE_EXPIRED
    desk.engine.step()


def picture(window: MainWindow, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert window.grab().save(str(path))
