"""Settings of editions: declared as objects, changed by administrators, and read through the same objects.

Since a setting is read through the object that declares it, an edition cannot read another one's by accident::

    DAILY = NumberSetting(
        "acme.daily_minutes",
        N_("Daily working time"),
        default=480,
        maximum=1440,
        unit=N_("minutes"),
    )

    class AcmeEdition(Edition):
        settings = (DAILY,)

    def overtime(worked: int) -> int:
        return worked - DAILY.value()

Settings are no place for secrets: administrators see them, and the audit log keeps them before and after.
"""

import json
import re
import unicodedata
from abc import ABC, abstractmethod
from dataclasses import KW_ONLY, dataclass
from datetime import date
from typing import Any, Generic, TypeVar

import structlog
from flask import current_app

from app.editions import reasons
from app.editions.stored_settings import stored_settings
from app.refusal import Refusal

_Value = TypeVar("_Value")
TEXT_LENGTH_LIMIT = 10_000
"""The longest text that a setting may ask for, in characters."""
NUMBER_LIMIT = 10**15
"""The largest number, and the smallest one below zero, that a setting may ask for."""
_TEXT_LIMIT = 300
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SWITCH_WORDS = {"true": True, "1": True, "false": False, "0": False}
_log = structlog.get_logger("timetracker.editions")


@dataclass(frozen=True, slots=True)
class Setting(ABC, Generic[_Value]):
    """Something that administrators decide for an edition. Not used itself: its subclasses are the kinds there are."""

    name: str
    """The name of the edition and a slug joined by a dot, such as ``acme.daily_minutes``; it never changes."""
    title: str
    """The label of its field; a text marked with ``N_``."""
    _: KW_ONLY
    default: _Value
    """What counts until an administrator has decided."""
    hint: str = ""
    """One sentence below the field; a text marked with ``N_``."""
    heading: str = ""
    """Settings in a row with the same heading stand together below it; a text marked with ``N_``."""

    def value(self) -> _Value:
        """What counts at this request.

        All settings are read with one statement, the first time that one is asked for during a request; outside a
        request each time. A stored value that does not fit any more, because a later version of the edition asks for
        something narrower, counts as the default.

        Raises:
            LookupError: the edition is loaded and does not have this setting among its ``settings``, so that nobody
                could ever change it.
        """
        manifest = current_app.extensions["editions"].manifests.get(self.edition)
        if manifest is not None and self not in manifest.settings:
            raise LookupError(f"{self.name} is not among the settings of the edition {self.edition}")
        return self.of_stored(stored_settings().get(self.name))

    @property
    def edition(self) -> str:
        """Name of the edition that it belongs to."""
        return self.name.partition(".")[0]

    def of_stored(self, text: str | None) -> _Value:
        """The value that a row of the database stands for; the default without one, or where it does not fit."""
        if text is None:
            return self.default
        try:
            return self.decode(text)
        except ValueError:
            _log_misfit(self, text)
            return self.default

    def encode(self, value: _Value) -> str:
        """The value as the database and the forms keep it: JSON."""
        return json.dumps(self.plain(value), ensure_ascii=False)

    def decode(self, text: str) -> _Value:
        """Read what ``encode`` has written.

        Raises:
            ValueError: it is something else, or does not fit any more.
        """
        try:
            plain = json.loads(text)
        except RecursionError as error:
            raise ValueError from error
        value = self._of_plain(plain)
        if not self.fits(value):
            raise ValueError(f"{self.name} does not take {text:.80}")
        return value

    def plain(self, value: _Value) -> object:
        """The value in the types of JSON, for the database and the audit log."""
        return value

    def _of_plain(self, plain: Any) -> _Value:
        """Turn the types of JSON into the value, or into something that does not fit."""
        value: _Value = plain
        return value

    @abstractmethod
    def fits(self, value: object) -> bool:
        """Whether ``value`` is one that this setting takes."""

    @abstractmethod
    def parse(self, text: str) -> _Value:
        """Read what a person has typed.

        Raises:
            Refusal: one of the ``setting_…`` codes.
        """

    def problem(self) -> str:
        """What is wrong with the declaration, for its author, in English; empty where nothing is."""
        texts = (self.title, self.hint, self.heading)
        if not all(_is_text(text) for text in texts) or not self.title.strip():
            return f"title, hint and heading are not texts of at most {_TEXT_LIMIT} characters"
        return self._problem_of_kind() or ("" if self.fits(self.default) else f"its default is {self.default!r:.80}")

    def _problem_of_kind(self) -> str:
        """Likewise, of what only this kind has; the default is checked elsewhere."""
        return ""


@dataclass(frozen=True, slots=True)
class SwitchSetting(Setting[bool]):
    """On or off: a check box."""

    _: KW_ONLY
    default: bool = False

    def fits(self, value: object) -> bool:
        """Whether it is a truth value, and not merely a number."""
        return type(value) is bool

    def parse(self, text: str) -> bool:
        """Read ``true``, ``false``, ``1`` or ``0``.

        Raises:
            Refusal: ``setting_not_a_switch``.
        """
        value = _SWITCH_WORDS.get(text.strip().lower())
        if value is None:
            raise Refusal(reasons.SETTING_NOT_A_SWITCH)
        return value


@dataclass(frozen=True, slots=True)
class NumberSetting(Setting[int]):
    """A whole number. An amount of something has its ``unit``; durations are best in whole minutes."""

    _: KW_ONLY
    default: int
    minimum: int = 0
    """The smallest number that it takes."""
    maximum: int = 1_000_000_000
    """The largest number that it takes."""
    unit: str = ""
    """What is counted, shown behind the number; a text marked with ``N_``."""

    def fits(self, value: object) -> bool:
        """Whether it is a whole number within the bounds."""
        return isinstance(value, int) and not isinstance(value, bool) and self.minimum <= value <= self.maximum

    def parse(self, text: str) -> int:
        """Read a whole number, in digits of any width.

        Raises:
            Refusal: ``setting_not_a_number``.
        """
        folded = unicodedata.normalize("NFKC", text).strip().replace("\N{MINUS SIGN}", "-")
        if _NUMBER.fullmatch(folded) and self.fits(int(folded)):
            return int(folded)
        raise Refusal(reasons.SETTING_NOT_A_NUMBER, minimum=self.minimum, maximum=self.maximum, example=self.default)

    def _problem_of_kind(self) -> str:
        bounds = (self.minimum, self.maximum)
        if not all(type(bound) is int and abs(bound) <= NUMBER_LIMIT for bound in bounds):
            return f"minimum and maximum are not whole numbers of at most {NUMBER_LIMIT}"
        if self.minimum >= self.maximum:
            return "minimum is not below maximum"
        return "" if _is_text(self.unit) else f"unit is not a text of at most {_TEXT_LIMIT} characters"


@dataclass(frozen=True, slots=True)
class TextSetting(Setting[str]):
    """A text of one line, without white space around it."""

    _: KW_ONLY
    default: str = ""
    maximum_length: int = 200
    """The longest text that it takes, in characters."""
    required: bool = False
    """Whether it may not be left empty; then it needs a default."""

    def fits(self, value: object) -> bool:
        """Whether it is a text of one line that is neither too long nor empty where it may not be."""
        if not isinstance(value, str) or len(value) > self.maximum_length or value != value.strip():
            return False
        return value.isprintable() if value else not self.required

    def parse(self, text: str) -> str:
        """Read a text; white space around it does not count.

        Raises:
            Refusal: ``setting_empty``, ``setting_too_long`` or ``setting_not_printable``.
        """
        value = text.strip()
        if not value and self.required:
            raise Refusal(reasons.SETTING_EMPTY)
        if len(value) > self.maximum_length:
            raise Refusal(reasons.SETTING_TOO_LONG, length=len(value), limit=self.maximum_length)
        if not value.isprintable():
            raise Refusal(reasons.SETTING_NOT_PRINTABLE)
        return value

    def _problem_of_kind(self) -> str:
        if type(self.maximum_length) is not int or not 1 <= self.maximum_length <= TEXT_LENGTH_LIMIT:
            return f"maximum_length is not a whole number from 1 to {TEXT_LENGTH_LIMIT}"
        return ""


@dataclass(frozen=True, slots=True)
class ChoiceSetting(Setting[str]):
    """One of several choices."""

    _: KW_ONLY
    default: str
    choices: tuple[tuple[str, str], ...]
    """Each choice as its value, which never changes, and its title, a text marked with ``N_``; at least two."""

    def fits(self, value: object) -> bool:
        """Whether it is the value of one of the choices."""
        return any(value == choice for choice, _ in self.choices)

    def parse(self, text: str) -> str:
        """Read the value of a choice.

        Raises:
            Refusal: ``setting_not_a_choice``.
        """
        value = text.strip()
        if not self.fits(value):
            raise Refusal(reasons.SETTING_NOT_A_CHOICE, choices=", ".join(choice for choice, _ in self.choices))
        return value

    def title_of(self, value: str) -> str:
        """The title of a choice, not translated yet."""
        return dict(self.choices).get(value, value)

    def _problem_of_kind(self) -> str:
        if not isinstance(self.choices, tuple) or not all(map(_is_choice, self.choices)):
            return "choices is not a tuple of pairs of texts"
        values = {value for value, _ in self.choices}
        least = 2
        return "choices has fewer than two values" if len(values) < least or len(values) < len(self.choices) else ""


@dataclass(frozen=True, slots=True)
class DateSetting(Setting[date | None]):
    """A day, or none."""

    _: KW_ONLY
    default: date | None = None

    def fits(self, value: object) -> bool:
        """Whether it is a day without a time, or None."""
        return value is None or type(value) is date

    def parse(self, text: str) -> date | None:
        """Read a day such as ``2027-03-31``; an empty text is none.

        Raises:
            Refusal: ``setting_not_a_day``.
        """
        folded = unicodedata.normalize("NFKC", text).strip()
        try:
            return _day(folded) if folded else None
        except ValueError as error:
            raise Refusal(reasons.SETTING_NOT_A_DAY) from error

    def plain(self, value: date | None) -> object:
        """The day in ISO 8601."""
        return value.isoformat() if value is not None else None

    def _of_plain(self, plain: Any) -> date | None:
        return None if plain is None else _day(plain) if isinstance(plain, str) else plain


def _day(text: str) -> date:
    """Read the one form of ISO 8601 that people write; Python reads others as well."""
    if not _DAY.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _TEXT_LIMIT and (value.isprintable() or not value)


def _is_choice(value: object) -> bool:
    pair = 2
    return isinstance(value, tuple) and len(value) == pair and all(_is_text(text) and text.strip() for text in value)


def _log_misfit(setting: Setting[Any], text: str) -> None:
    """Say once, in each process, that what is stored counts as the default."""
    said: set[tuple[str, str]] = current_app.extensions.setdefault("misfit_settings", set())
    if (setting.name, text) not in said:
        said.add((setting.name, text))
        _log.warning("stored setting does not fit any more, its default counts", setting=setting.name, stored=text)
