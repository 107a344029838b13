"""The window without a screen: what it shows, what a person does with mouse and keyboard, in both languages."""

import csv
import io
import os
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest
from conftest import SERVER, Desk
from PySide6.QtCore import QDate, Qt, QTime, QTimer
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QToolButton, QWidget
from pytestqt.qtbot import QtBot
from window_pictures import expire, fill, make_window, picture, spoil

from timetracker_desktop import texts
from timetracker_desktop.operation_queue import OperationState
from timetracker_desktop.preferences import Preferences, read_preferences
from timetracker_desktop.reminders import Kind, Reminder
from timetracker_desktop.session import Phase
from timetracker_desktop.window.application import Tray
from timetracker_desktop.window.correct_dialog import CorrectDialog
from timetracker_desktop.window.main_window import MainWindow
from timetracker_desktop.window.parts import reminder_words
from timetracker_desktop.window.preferences_dialog import Chosen, PreferencesDialog

TODAY = date(2026, 11, 26)


@pytest.fixture
def window(qtbot: QtBot, desk: Desk) -> Iterator[MainWindow]:
    """The window of somebody who works."""
    fill(desk)
    yield from shown(qtbot, desk)


def shown(
    qtbot: QtBot, desk: Desk, opened: list[str] | None = None, put_aside: Path | None = None, **preferences: str
) -> Iterator[MainWindow]:
    desk.engine.now = lambda: desk.clock  # type: ignore[method-assign]
    window = make_window(desk, opened, put_aside, **{"theme": "light", "language": "en", **preferences})
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
    assert window.work.queue_card.y() < window.work.today_card.y(), "what waits for the person stands above the rest"
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
        window.follow(Chosen(Preferences(language="en"), starts_with_computer=False))
        assert "This week" in text_of(window)


def test_texts_of_other_people_are_never_rich_text(window: MainWindow) -> None:
    assert {label.textFormat() for label in window.findChildren(QLabel) if label.text()} == {Qt.TextFormat.PlainText}


def test_the_tray_reminds_once_a_day(desk: Desk, window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    tray = Tray(window, desk.engine, desk.tracker, desk.queue)
    messages: list[str] = []
    monkeypatch.setattr(tray._icon, "showMessage", lambda title, text, _icon: messages.append(f"{title}: {text}"))
    tray._reminded.clear()
    desk.clock = datetime.combine(TODAY, datetime.min.time()).astimezone().replace(hour=20)
    tray.refresh()
    tray.refresh()
    assert len(messages) == 1
    assert messages[0].startswith("The timer is still running: Assembly review with supplier")
    assert reminder_words(Reminder(Kind.MISSING, days=()))[0] == "Hours are missing"


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


# A timer that was forgotten -------------------------------------------------------------------------------------------


def test_a_forgotten_timer_is_ended_at_the_time_when_the_work_was_over(
    qtbot: QtBot, desk: Desk, window: MainWindow
) -> None:
    qtbot.mouseClick(window.work.stop_at_button, Qt.MouseButton.LeftButton)
    panel = window.work.stop_at
    assert panel.isVisible()
    panel.time.setTime(QTime(12, 30))
    qtbot.keyClick(panel.time, Qt.Key.Key_Return)
    assert not panel.isVisible()
    desk.engine.step()
    assert desk.server.timer is None
    assert desk.server.cells[2, "2026-11-26"].minutes == 30


@pytest.mark.parametrize(("hour", "words"), [(11, "started later than that"), (14, "still to come")])
def test_an_end_that_cannot_be_is_said_in_words_and_escape_leaves_the_timer_running(
    qtbot: QtBot, desk: Desk, window: MainWindow, hour: int, words: str
) -> None:
    window.work.ask_for_end()
    panel = window.work.stop_at
    panel.time.setTime(QTime(hour, 0))
    qtbot.keyClick(panel.time, Qt.Key.Key_Return)
    assert words in text_of(panel)
    assert panel.time.accessibleDescription()
    qtbot.keyClick(panel.time, Qt.Key.Key_Escape)
    assert not panel.isVisible()
    assert window.work.stop_at_button.isVisible()
    assert desk.tracker.view().timer is not None


def test_the_evening_reminder_leads_to_where_the_timer_is_ended(
    qtbot: QtBot, desk: Desk, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    tray = Tray(window, desk.engine, desk.tracker, desk.queue)
    monkeypatch.setattr(tray._icon, "showMessage", lambda *_words: None)
    tray._reminded.clear()
    desk.clock = datetime.combine(TODAY, datetime.min.time()).astimezone().replace(hour=20)
    tray.refresh()
    assert "The timer is still running" in text_of(window.work)
    tray._icon.messageClicked.emit()
    assert window.work.stop_at.isVisible()
    qtbot.mouseClick(window.work.stop, Qt.MouseButton.LeftButton)
    assert "The timer is still running" not in text_of(window.work)
    assert not window.work.stop_at.isVisible()


# Preferences ----------------------------------------------------------------------------------------------------------


def test_preferences_are_set_by_keyboard_and_take_effect(qtbot: QtBot, desk: Desk, window: MainWindow) -> None:
    def change() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, PreferencesDialog)
        dialog.language.setCurrentIndex(dialog.language.findData("ja"))
        qtbot.keyClick(dialog.remind_missing, Qt.Key.Key_Space)
        assert not dialog.morning.isEnabled()
        dialog.evening.setTime(QTime(17, 45))
        qtbot.keyClick(dialog.start, Qt.Key.Key_Space)
        qtbot.keyClick(dialog, Qt.Key.Key_Return)

    QTimer.singleShot(0, change)
    window.ask_preferences()
    assert window.preferences == Preferences("ja", "light", False, "09:00", True, "17:45")
    assert read_preferences(desk.queue) == window.preferences
    assert window._autostart.is_on
    assert "今週" in text_of(window)


def test_escape_leaves_the_preferences_as_they_were(qtbot: QtBot, desk: Desk, window: MainWindow) -> None:
    def leave() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, PreferencesDialog)
        dialog.remind_forgotten.setChecked(False)
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)

    before = window.preferences
    QTimer.singleShot(0, leave)
    window.ask_preferences()
    assert window.preferences == before == read_preferences(desk.queue)


# What was refused, and what was damaged -------------------------------------------------------------------------------


def test_a_refused_entry_is_corrected_onto_another_day_and_nothing_there_is_overwritten(
    qtbot: QtBot, desk: Desk, window: MainWindow
) -> None:
    spoil(desk)
    desk.line.down = False
    window.refresh()
    row = window.work.stuck_rows[0]

    def correct() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, CorrectDialog)
        assert "closed" in text_of(dialog)
        dialog.duration.setText("soon")
        qtbot.keyClick(dialog.duration, Qt.Key.Key_Return)
        assert "Write hours and minutes" in text_of(dialog)
        dialog.duration.setText("0:45")
        dialog.task.setCurrentIndex(dialog.task.findData(1))
        dialog.day.setDate(QDate(2026, 11, 26))
        qtbot.keyClick(dialog.duration, Qt.Key.Key_Return)

    QTimer.singleShot(0, correct)
    qtbot.mouseClick(row.correct, Qt.MouseButton.LeftButton)
    assert [queued.state for queued in desk.tracker.view().stuck] == [OperationState.CONFLICT]
    desk.pass_time(minutes=1)
    desk.engine.step()
    assert desk.server.cells[1, "2026-11-26"].minutes == 165 + 45


def test_what_waits_says_why(desk: Desk, window: MainWindow) -> None:
    desk.line.down = True
    for minutes in range(6):
        desk.tracker.correct((minutes % 5 + 1, date(2026, 11, 24 + minutes // 5)), 10 + minutes)
    desk.engine.step()
    window.refresh()
    text = text_of(window.work)
    assert "6 entries wait to be sent." in text
    assert "The server is not reached." in text
    assert "and 1 more" in text


def test_a_damaged_file_is_told_with_its_path_until_it_was_read(qtbot: QtBot, desk: Desk) -> None:
    for window in shown(qtbot, desk, put_aside=Path("/somewhere/queue.sqlite3.damaged-20261126")):
        text = text_of(window)
        assert "The file with the hours on this computer was damaged." in text
        assert "/somewhere/queue.sqlite3.damaged-20261126" in text
        window.refresh()
        (read,) = [each for each in window.findChildren(QAbstractButton) if each.text() == "I have read it"]
        qtbot.mouseClick(read, Qt.MouseButton.LeftButton)
        assert "damaged" not in text_of(window)


def test_the_title_says_the_standing_and_the_task(desk: Desk, window: MainWindow) -> None:
    assert window.windowTitle() == "Assembly review with supplier · TimeTracker RX"
    desk.line.down = True
    desk.tracker.stop()
    desk.engine.step()
    window.refresh()
    assert window.windowTitle() == "Off line · 1 waiting · TimeTracker RX"


def test_keys_lead_to_today_and_synchronise(qtbot: QtBot, desk: Desk, window: MainWindow) -> None:
    window.activateWindow()
    qtbot.keyClick(window, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.focusWidget() is window.work.entry_rows[0].duration
    desk.engine._awake.clear()
    qtbot.keyClick(window, Qt.Key.Key_F5)
    assert desk.engine._awake.is_set()
