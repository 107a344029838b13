"""The look of the web application in Qt: its tokens, its type, its components, light and dark."""

from functools import cache
from importlib.resources import files
from pathlib import Path
from string import Template

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QWidget

LIGHT = {
    "bg": "#f6f7f9",
    "surface": "#ffffff",
    "sunken": "#f3f4f7",
    "raised": "#ffffff",
    "hover": "#f0f1f5",
    "line": "#e4e6eb",
    "line2": "#d3d6de",
    "control": "#868d9b",
    "text": "#191c22",
    "text2": "#565d6b",
    "accent": "#3f4fc4",
    "accentfill": "#3f4fc4",
    "accentfillhover": "#3341a8",
    "accentsoft": "#eef0fc",
    "accentline": "#cdd3f5",
    "accent2": "#b4bdf0",
    "ok": "#1a7044",
    "oksoft": "#e9f5ee",
    "okline": "#bfe0cd",
    "warn": "#805000",
    "warnsoft": "#fff7e5",
    "warnline": "#efd59a",
    "danger": "#b0251d",
    "dangersoft": "#fdf1f0",
    "dangerline": "#f1c4c0",
    "dangerfill": "#bf2f27",
    "dangerfillhover": "#a1241d",
}
DARK = {
    "bg": "#0e1014",
    "surface": "#16181d",
    "sunken": "#101216",
    "raised": "#1e2127",
    "hover": "#22252d",
    "line": "#2a2d36",
    "line2": "#3a3f4a",
    "control": "#737b8b",
    "text": "#e9ebef",
    "text2": "#a6adba",
    "accent": "#aab5ff",
    "accentfill": "#5566e0",
    "accentfillhover": "#4a5ad0",
    "accentsoft": "#1f2340",
    "accentline": "#363f75",
    "accent2": "#3d4685",
    "ok": "#74d3a0",
    "oksoft": "#13281d",
    "okline": "#265038",
    "warn": "#f0bd64",
    "warnsoft": "#2a2112",
    "warnline": "#5c471c",
    "danger": "#ff9d94",
    "dangersoft": "#2c1716",
    "dangerline": "#6b2e2a",
    "dangerfill": "#c83c34",
    "dangerfillhover": "#b3322b",
}
FAMILIES = (
    "Inter RX",
    "Hiragino Sans",
    "Noto Sans JP",
    "Noto Sans CJK JP",
    "Yu Gothic UI",
    "Meiryo",
    "sans-serif",
)
_SHEET = Template("""
* { color: $text; font-size: 14px; }
QMainWindow, QDialog, #page, #page QScrollArea, #content { background: $bg; }
QScrollArea { border: 0; }
#top { background: $surface; border: 0; border-bottom: 1px solid $line; }
#brand { font-weight: 600; }
#card { background: $surface; border: 1px solid $line; border-radius: 10px; }
#card #foot { background: $sunken; border: 0; border-top: 1px solid $line;
  border-bottom-left-radius: 10px; border-bottom-right-radius: 10px; }
#rule { background: $line; border: 0; max-height: 1px; min-height: 1px; }
#h1 { font-size: 20px; font-weight: 600; }
#h2 { font-size: 16px; font-weight: 600; }
#name { font-weight: 600; }
#figure { font-size: 24px; font-weight: 600; }
#clock { font-size: 38px; font-weight: 600; }
#code { font-size: 34px; font-weight: 600; letter-spacing: 3px; }
#muted { color: $text2; font-size: 13px; }
#error { color: $danger; font-size: 13px; }
#waitingmark { color: $warn; font-size: 12px; font-weight: 500; }
#chip { background: $surface; border: 1px solid $line2; border-radius: 12px; padding: 3px 10px; font-size: 12px;
  font-weight: 500; min-height: 16px; max-height: 16px; }
#chip[tone="ok"] { background: $oksoft; border-color: $okline; color: $ok; }
#chip[tone="warn"] { background: $warnsoft; border-color: $warnline; color: $warn; }
#chip[tone="danger"] { background: $dangersoft; border-color: $dangerline; color: $danger; }
#banner { border-radius: 10px; border: 1px solid $accentline; background: $accentsoft; }
#banner[tone="warn"] { border-color: $warnline; background: $warnsoft; }
#banner[tone="danger"] { border-color: $dangerline; background: $dangersoft; }
#banner[tone="danger"] #bannertitle { color: $danger; }
#bannertitle { font-weight: 600; }
QPushButton, QToolButton { background: $surface; border: 1px solid $line2; border-radius: 6px; padding: 5px 11px;
  font-weight: 500; min-height: 20px; }
QPushButton:hover, QToolButton:hover { background: $hover; }
QPushButton:focus, QToolButton:focus { border: 2px solid $accent; padding: 4px 10px; }
QPushButton:disabled { color: $text2; background: $sunken; }
QPushButton[kind="primary"] { background: $accentfill; border-color: $accentfill; color: #ffffff; }
QPushButton[kind="primary"]:hover { background: $accentfillhover; }
QPushButton[kind="primary"]:focus { border: 2px solid $text; }
QPushButton[kind="danger"] { background: $dangerfill; border-color: $dangerfill; color: #ffffff; }
QPushButton[kind="danger"]:hover { background: $dangerfillhover; }
QPushButton[kind="danger"]:focus { border: 2px solid $text; }
QPushButton[kind="quiet"], QToolButton { background: transparent; border-color: transparent; color: $text2; }
QPushButton[kind="quiet"]:hover, QToolButton:hover { background: $hover; color: $text; }
QPushButton[kind="quiet"]:focus, QToolButton:focus { border-color: $accent; }
QLineEdit QToolButton { background: transparent; border: 0; padding: 0; min-height: 0; }
QToolButton::menu-indicator { image: none; width: 0; }
QLineEdit { background: $surface; border: 1px solid $control; border-radius: 6px; padding: 0 9px; min-height: 30px;
  selection-background-color: $accentfill; selection-color: #ffffff; placeholder-text-color: $text2; }
QLineEdit:focus { border: 2px solid $accent; padding: 0 8px; min-height: 28px; }
QLineEdit[wrong="true"], QTimeEdit[wrong="true"] { border-color: $danger; }
QDateEdit, QTimeEdit, QComboBox { background: $surface; border: 1px solid $control; border-radius: 6px; padding: 0 9px;
  min-height: 30px; selection-background-color: $accentfill; selection-color: #ffffff; }
QDateEdit:focus, QTimeEdit:focus, QComboBox:focus { border: 2px solid $accent; padding: 0 8px; min-height: 28px; }
QDateEdit:disabled, QTimeEdit:disabled { color: $text2; background: $sunken; border-color: $line2; }
QAbstractSpinBox QLineEdit, QAbstractSpinBox QLineEdit:focus { background: transparent; border: 0; padding: 0;
  min-height: 0; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { width: 0; height: 0; border: 0; }
QComboBox::drop-down { border: 0; width: 26px; }
QComboBox::down-arrow { image: url($chevron); width: 14px; height: 14px; }
QComboBox QAbstractItemView { background: $raised; border: 1px solid $line2; padding: 4px; outline: 0;
  selection-background-color: $accentsoft; selection-color: $text; }
QComboBox QAbstractItemView::item { min-height: 28px; padding: 0 8px; }
QCheckBox { spacing: 9px; padding: 3px 4px; border: 2px solid transparent; border-radius: 6px; }
QCheckBox:focus { border-color: $accent; }
QCheckBox::indicator { width: 16px; height: 16px; border: 1px solid $control; border-radius: 4px;
  background: $surface; }
QCheckBox::indicator:checked { background: $accentfill; border-color: $accentfill; image: url($check); }
QLineEdit#duration { font-weight: 600; }
QLineEdit#memo { border-color: $line2; }
QLineEdit#memo:focus { border-color: $accent; }
QMenu { background: $raised; border: 1px solid $line2; border-radius: 8px; padding: 5px; }
QMenu::item { padding: 7px 26px 7px 12px; border-radius: 6px; }
QMenu::item:selected { background: $hover; }
QMenu::item:disabled { color: $text2; }
QMenu::separator { height: 1px; background: $line; margin: 5px -5px; }
QToolTip { background: $raised; color: $text; border: 1px solid $line2; padding: 4px; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 2px; }
QScrollBar::handle:vertical { background: $line2; border-radius: 3px; min-height: 30px; }
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page { background: none; height: 0; }
""")

_tokens = LIGHT


def token(name: str) -> str:
    """A colour of the theme that is shown."""
    return _tokens[name]


def colour(name: str) -> QColor:
    """The same for painting."""
    return QColor(_tokens[name])


def is_dark(preference: str) -> bool:
    """Whether the theme is dark: as the person has chosen, else as the system is."""
    if preference in ("light", "dark"):
        return preference == "dark"
    return QGuiApplication.styleHints().colorScheme() is Qt.ColorScheme.Dark


def polish_again(widget: QWidget) -> None:
    """Let a property that has changed take effect in the style sheet."""
    widget.style().polish(widget)


def use_theme(preference: str) -> str:
    """Choose the theme for everything that is shown from now on; returns the style sheet."""
    global _tokens  # noqa: PLW0603  # one theme an application, as Qt has it
    _tokens = DARK if is_dark(preference) else LIGHT
    chevron = "chevron-dark.svg" if _tokens is DARK else "chevron-light.svg"
    return _SHEET.substitute(_tokens, check=_address("check.svg"), chevron=_address(chevron))


def _address(name: str) -> str:
    """A picture as a style sheet names it: Qt reads it from a file."""
    return f'"{Path(str(files("timetracker_desktop") / "assets" / name)).as_posix()}"'


def palette() -> QPalette:
    """The colours for what a style sheet does not reach."""
    made = QPalette()
    for role, name in (
        (QPalette.ColorRole.Window, "bg"),
        (QPalette.ColorRole.Base, "surface"),
        (QPalette.ColorRole.Text, "text"),
        (QPalette.ColorRole.WindowText, "text"),
        (QPalette.ColorRole.Button, "surface"),
        (QPalette.ColorRole.ButtonText, "text"),
        (QPalette.ColorRole.PlaceholderText, "text2"),
        (QPalette.ColorRole.Highlight, "accentfill"),
        (QPalette.ColorRole.Link, "accent"),
    ):
        made.setColor(role, colour(name))
    return made


@cache
def font() -> QFont:
    """Inter, which the wheel brings along, and the system's Japanese.

    The three files are weights of the web application's variable font: Qt finds no weight in one file of them all.
    """
    for name in ("inter-rx-400.woff2", "inter-rx-500.woff2", "inter-rx-600.woff2"):
        QFontDatabase.addApplicationFontFromData((files("timetracker_desktop") / "assets" / name).read_bytes())
    made = QFont()
    made.setFamilies(list(FAMILIES))
    made.setPixelSize(14)
    made.setFeature(QFont.Tag("tnum"), 1)
    made.setFeature(QFont.Tag("cv11"), 1)
    return made
