"""The window without a screen: what it shows, what a person does with mouse and keyboard, in both languages."""

import csv
import io
import os
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest
from conftest import SERVER, Desk
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QToolButton, QWidget
from pytestqt.qtbot import QtBot
from window_pictures import expire, fill, make_window, picture, spoil

from timetracker_desktop import texts
from timetracker_desktop.operation_queue import OperationState
from timetracker_desktop.reminders import Kind, Reminder
from timetracker_desktop.session import Phase
from timetracker_desktop.window.application import Tray, words
from timetracker_desktop.window.main_window import MainWindow

TODAY = date(2026, 11, 26)


@pytest.fixture
def window(qtbot: QtBot, desk: Desk) -> Iterator[MainWindow]:
    """The window of somebody who works."""
    fill(desk)
    yield from shown(qtbot, desk)


def shown(qtbot: QtBot, desk: Desk, opened: list[str] | None = None, **preferences: str) -> Iterator[MainWindow]:
    desk.engine.now = lambda: desk.clock  # type: ignore[method-assign]
    window = make_window(desk, opened, **{"theme": "light", "language": "en", **preferences})
    qtbot.addWidget(window)
    window.show()
    yield window
    window.stays_in_tray = True
    window.close()
    texts.use_language("en")


def text_of(widget: QWidget) -> str:
    QApplication.processEvents()
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisibleTo(widget))


def test_it_shows_timer_today_and_week(window: MainWindow) -> None:
    assert window.work.clock.text() == "1:12:00"
    assert window.work.today_total.text() == "3:45"
    text = text_of(window)
    assert "Assembly review with supplier" in text
    assert "19:30\nof 32:00 hours" in text
    assert "Thursday, 26 November" in text
    assert "since 12:00" in text
    assert window.chip.text() == "• Up to date"


def test_stopping_and_starting_again_takes_one_click_each(qtbot: QtBot, desk: Desk, window: MainWindow) -> None:
    window.work.timer_memo.setText("Call, and minutes")
    qtbot.mouseClick(window.work.stop, Qt.MouseButton.LeftButton)
    assert desk.tracker.view().timer is None
    assert not window.work.stop.isVisible()
    qtbot.mouseClick(window.work.task_rows[0].start, Qt.MouseButton.LeftButton)
    desk.engine.step()
    window.refresh()
    assert desk.server.cells[2, "2026-11-26"].memo == "Call, and minutes"
    assert desk.server.timer is not None
    assert desk.server.timer["task_id"] == 1


def test_the_keyboard_alone_finds_a_task_and_switches_to_it(qtbot: QtBot, desk: Desk, window: MainWindow) -> None:
    qtbot.keyClicks(window.work.search, "inspection quot")
    assert [row.start.accessibleName() for row in window.work.task_rows] == ["Switch: Quotation support"]
    qtbot.keyClick(window.work.search, Qt.Key.Key_Return)
    timer = desk.tracker.view().timer
    assert timer is not None
    assert timer.task_id == 5
    assert window.work.search.text() == ""


def test_tab_reaches_everything_that_can_be_done(window: MainWindow) -> None:
    QApplication.processEvents()
    wanted = {
        widget
        for kind in (QAbstractButton, QLineEdit)
        for widget in window.work.findChildren(kind)
        if widget.isVisible() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
    }
    reached: set[QWidget] = {window.work.search}
    widget: QWidget = window.work.search
    while (widget := widget.nextInFocusChain()) is not window.work.search:
        reached.add(widget)
    assert len(wanted) > 8
    assert wanted <= reached


@pytest.mark.parametrize("language", ["en", "ja"])
def test_everything_that_can_be_done_has_a_name(qtbot: QtBot, desk: Desk, language: str) -> None:
    fill(desk)
    spoil(desk)
    for window in shown(qtbot, desk, language=language):
        nameless = [
            widget
            for kind in (QAbstractButton, QLineEdit, QToolButton)
            for widget in window.findChildren(kind)
            if widget.isVisible()
            and not widget.accessibleName()
            and not widget.objectName().startswith("qt_")
            and not isinstance(widget.parent(), QLineEdit)
        ]
        assert nameless == []


def test_a_duration_is_corrected_in_place(qtbot: QtBot, desk: Desk, window: MainWindow) -> None:
    field = window.work.entry_rows[0].duration
    field.selectAll()
    qtbot.keyClicks(field, "1h30")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert field.text() == "1:30"
    assert text_of(window.work.entry_rows[0]).count("Waiting") == 1
    desk.engine.step()
    assert desk.server.cells[1, "2026-11-26"].minutes == 90


def test_what_is_no_duration_is_said_in_words_and_escape_brings_back_what_was_there(
    qtbot: QtBot, desk: Desk, window: MainWindow
) -> None:
    row = window.work.entry_rows[0]
    row.duration.selectAll()
    qtbot.keyClicks(row.duration, "soon")
    qtbot.keyClick(row.duration, Qt.Key.Key_Return)
    assert "Write hours and minutes" in text_of(row)
    assert row.duration.accessibleDescription()
    qtbot.keyClick(row.duration, Qt.Key.Key_Escape)
    assert row.duration.text() == "2:45"
    assert desk.tracker.view().waiting == ()


def test_a_memo_is_corrected_and_hours_stay(qtbot: QtBot, desk: Desk, window: MainWindow) -> None:
    field = window.work.entry_rows[1].memo
    qtbot.keyClicks(field, "Offer 12")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    desk.engine.step()
    found = desk.server.cells[5, "2026-11-26"]
    assert (found.minutes, found.memo) == (60, "Offer 12")


def test_what_was_refused_is_shown_with_reason_and_remedy(qtbot: QtBot, desk: Desk, window: MainWindow) -> None:
    spoil(desk)
    window.refresh()
    text = text_of(window)
    assert "The day is closed." in text
    assert "Ask an administrator to reopen it." in text
    assert "The server has 0:30 by now." in text
    assert "1 entry waits to be sent." in text
    assert window.chip.text() == "• 2 not accepted"
    qtbot.mouseClick(window.work.stuck_rows[1].retry, Qt.MouseButton.LeftButton)
    assert [queued.state for queued in desk.tracker.view().stuck] == [OperationState.REFUSED]


def test_discarding_asks_first(desk: Desk, window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil(desk)
    window.refresh()
    answers = iter([False, True])
    monkeypatch.setattr(window, "_asks", lambda *_words: next(answers))
    window.work.stuck_rows[0].discard.click()
    assert len(desk.tracker.view().stuck) == 2
    window.work.stuck_rows[0].discard.click()
    assert len(desk.tracker.view().stuck) == 1


def test_expired_maintenance_says_the_date_whom_to_ask_and_the_ways_on(
    qtbot: QtBot, desk: Desk, tmp_path: Path
) -> None:
    fill(desk)
    spoil(desk)
    expire(desk)
    opened: list[str] = []
    for window in shown(qtbot, desk, opened):
        text = text_of(window)
        assert "The maintenance expired on 31 January 2027." in text
        assert "Ask your administrator" in text
        assert not any(row.start.isEnabled() for row in window.work.task_rows)
        assert window.work.stop.isEnabled()
        window.open_web()
        assert opened == ["https://rx.example.org/"]
        window.export_to(tmp_path / "queue.csv")
        lines = list(csv.DictReader(io.StringIO((tmp_path / "queue.csv").read_text("utf-8-sig"), newline="")))
        assert [line["Task"] for line in lines] == ["Fixture design", "Team meeting", "Quotation support"]
        desk.server.problem = None
        desk.engine.step()
        window.refresh()
        assert "maintenance" not in text_of(window)
        assert all(row.start.isEnabled() for row in window.work.task_rows)


def test_pairing_shows_the_code_and_opens_the_browser_once(qtbot: QtBot, new_desk: Desk) -> None:
    opened: list[str] = []
    for window in shown(qtbot, new_desk, opened):
        window.pairing.address.clear()
        qtbot.keyClicks(window.pairing.address, "no address")
        qtbot.keyClick(window.pairing.address, Qt.Key.Key_Return)
        assert "This is no address." in text_of(window)
        window.pairing.address.setText("rx.example.org")
        qtbot.keyClick(window.pairing.address, Qt.Key.Key_Return)
        new_desk.engine.step()
        window.refresh()
        assert "WDJB-MJHT" in text_of(window)
        assert opened == [f"{SERVER}/desktop/pair?code=WDJB-MJHT"]
        new_desk.server.confirmed = True
        new_desk.pass_time(seconds=5)
        new_desk.engine.step()
        new_desk.engine.step()
        window.refresh()
        assert new_desk.engine.session.phase is Phase.ONLINE
        assert window.pages.currentWidget() is window.work


def test_a_token_in_a_file_is_told(qtbot: QtBot, desk: Desk) -> None:
    desk.tokens.file.write_text(f"{SERVER}\nsecret\n")
    for window in shown(qtbot, desk):
        assert "This system has no key store" in text_of(window)


def test_the_language_can_be_changed_and_everything_is_japanese(qtbot: QtBot, desk: Desk) -> None:
    fill(desk)
    for window in shown(qtbot, desk, language="ja"):
        text = text_of(window)
        assert "今週" in text
        assert "11月26日(木)" in text
        window._prefer(language="en")
        assert "This week" in text_of(window)


def test_texts_of_other_people_are_never_rich_text(window: MainWindow) -> None:
    assert {label.textFormat() for label in window.findChildren(QLabel) if label.text()} == {Qt.TextFormat.PlainText}


def test_the_tray_reminds_once_a_day(desk: Desk, window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    tray = Tray(window, desk.engine, desk.tracker)
    messages: list[str] = []
    monkeypatch.setattr(tray._icon, "showMessage", lambda title, text, _icon: messages.append(f"{title}: {text}"))
    tray._reminded.clear()
    desk.clock = datetime.combine(TODAY, datetime.min.time()).astimezone().replace(hour=20)
    tray.refresh()
    tray.refresh()
    assert len(messages) == 1
    assert messages[0].startswith("The timer is still running: Assembly review with supplier")
    assert words(Reminder(Kind.MISSING, days=()))[0] == "Hours are missing"


def test_a_timer_is_only_looked_at_while_it_is_seen(window: MainWindow) -> None:
    assert window._second.isActive()
    window.stays_in_tray = True
    window.close()
    assert not window._second.isActive()
    assert not window.isVisible()


@pytest.mark.parametrize(("theme", "language"), [("light", "en"), ("dark", "ja")])
def test_nothing_is_cut_off_however_narrow(qtbot: QtBot, desk: Desk, tmp_path: Path, theme: str, language: str) -> None:
    fill(desk)
    spoil(desk)
    for window in shown(qtbot, desk, theme=theme, language=language):
        window.resize(380, 900)
        qtbot.wait(1)
        content = window.work.findChild(QWidget, "content")
        assert content is not None
        assert content.width() <= window.width()
        assert content.minimumSizeHint().width() <= window.width()
        picture(window, Path(os.environ.get("SCREENSHOTS") or tmp_path) / f"desktop-{theme}-{language}.png")
