"""What a person sets for this application, in a dialog: Enter saves, Escape leaves everything as it was."""

from dataclasses import dataclass
from datetime import time

from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QHBoxLayout,
    QTimeEdit,
    QVBoxLayout,
    QWidget,
)

from timetracker_desktop.preferences import Preferences
from timetracker_desktop.texts import LANGUAGES, _
from timetracker_desktop.window.parts import answers, button, captioned, label, qt_time, rule, time_field


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the person has saved."""

    preferences: Preferences
    starts_with_computer: bool


class PreferencesDialog(QDialog):
    """Language, theme, reminders, and starting with the computer."""

    def __init__(self, parent: QWidget, preferences: Preferences, *, starts_with_computer: bool) -> None:
        super().__init__(parent)
        self.setWindowTitle(_("Preferences"))
        self.setModal(True)
        languages = {"auto": _("As on the web"), **LANGUAGES}
        themes = {"auto": _("As the system"), "light": _("Light"), "dark": _("Dark")}
        self.language = _choice(_("Language"), languages, preferences.language)
        self.theme = _choice(_("Theme"), themes, preferences.theme)
        self.remind_missing = _switch(_("Missing hours, from"), on=preferences.remind_missing)
        self.morning = _at(_("Time of the reminder of missing hours"), preferences.morning, self.remind_missing)
        self.remind_forgotten = _switch(_("A timer that still runs, from"), on=preferences.remind_forgotten)
        self.evening = _at(_("Time of the reminder of a running timer"), preferences.evening, self.remind_forgotten)
        self.start = _switch(_("Start with the computer"), on=starts_with_computer)
        self.save = button(_("Save"), self.accept, kind="primary")
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(14)
        column.addLayout(captioned((self.language, self.theme)))
        column.addWidget(rule())
        column.addLayout(self._make_reminders())
        column.addWidget(rule())
        column.addWidget(self.start)
        hint = _("It starts in the tray, or with its window where the desktop has no tray.")
        column.addWidget(label(hint, "muted", wrap=True))
        column.addStretch()
        column.addLayout(answers(self, self.save))
        self.setMinimumWidth(340)
        self.resize(420, self.sizeHint().height())

    def _make_reminders(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(10)
        column.addWidget(label(_("Reminders"), "name"))
        for switch, at in ((self.remind_missing, self.morning), (self.remind_forgotten, self.evening)):
            line = QHBoxLayout()
            line.addWidget(switch, 1)
            line.addWidget(at)
            column.addLayout(line)
        column.addWidget(label(_("Each at most once a day, in this computer’s time."), "muted", wrap=True))
        return column

    def chosen(self) -> Chosen:
        """What is set in it."""
        preferences = Preferences(
            language=str(self.language.currentData()),
            theme=str(self.theme.currentData()),
            remind_missing=self.remind_missing.isChecked(),
            morning=self.morning.time().toString("HH:mm"),
            remind_forgotten=self.remind_forgotten.isChecked(),
            evening=self.evening.time().toString("HH:mm"),
        )
        return Chosen(preferences, self.start.isChecked())


def _choice(name: str, names: dict[str, str], chosen: str) -> QComboBox:
    made = QComboBox()
    made.setAccessibleName(name)
    for value, shown in names.items():
        made.addItem(shown, value)
    made.setCurrentIndex(max(0, made.findData(chosen)))
    return made


def _switch(text: str, *, on: bool) -> QCheckBox:
    made = QCheckBox(text)
    made.setAccessibleName(text)
    made.setChecked(on)
    return made


def _at(name: str, kept: str, switch: QCheckBox) -> QTimeEdit:
    made = time_field(name)
    try:
        made.setTime(qt_time(time.fromisoformat(kept)))
    except ValueError:
        made.setTime(qt_time(time(9)))
    made.setEnabled(switch.isChecked())
    switch.toggled.connect(made.setEnabled)
    return made
