"""The form of an edition's settings, built from what the edition declares."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from flask_babel import gettext
from wtforms import BooleanField, DateField, Field, HiddenField, IntegerField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.widgets import TextInput

from app.editions.registry import text_of
from app.editions.setting_changes import Values
from app.editions.settings import ChoiceSetting, DateSetting, NumberSetting, Setting, SwitchSetting
from app.forms import Form
from app.refusal import Refusal
from app.texts import code_texts, sentences

_NO_BOUND = NumberSetting("", "", default=0).maximum


class _Parsed:
    """A field that reads what was typed the way its setting does, so that there is one rule."""

    def __init__(self, *, setting: Setting[Any], **options: Any) -> None:
        super().__init__(**options)
        self.setting = setting

    def process_formdata(self, valuelist: list[str]) -> None:
        """Keep what was typed where it is refused; a field that was not sent stays as it is.

        Raises:
            ValueError: with the texts of the refusal, as WTForms wants it.
        """
        if not valuelist:
            return
        self.data: Any = valuelist[0]
        try:
            self.data = self.setting.parse(valuelist[0])
        except Refusal as refusal:
            raise ValueError(code_texts(refusal)) from refusal


class _NumberField(_Parsed, IntegerField):
    widget = TextInput()  # the one for numbers takes no digits of full width, and drops what it does not understand


class _DayField(_Parsed, DateField):
    pass


class _TextField(_Parsed, StringField):
    pass


@dataclass(frozen=True, slots=True)
class SettingField:
    """A field with what stands around it, in the reader's language."""

    field: Field
    hint: str
    unit: str
    attributes: dict[str, str]


@dataclass(frozen=True, slots=True)
class SettingGroup:
    """Fields in a row below one heading, which may be empty."""

    heading: str
    fields: tuple[SettingField, ...]


class SettingsForm(Form):
    """The fields that all such forms have; ``settings_form`` makes one with those of an edition."""

    seen = HiddenField("")
    settings: Sequence[Setting[Any]] = ()

    def values(self) -> Values:
        """What was typed, by the names of the settings."""
        return {setting.name: self[_field_name(setting)].data for setting in self.settings}

    def seen_values(self) -> Values:
        """What the person was shown; what cannot be read is left out."""
        return dict(_read_seen(self.seen.data or "", self.settings))

    def field_of(self, name: str) -> str:
        """Name of the field of the setting ``name``."""
        return next(_field_name(setting) for setting in self.settings if setting.name == name)

    def groups(self) -> tuple[SettingGroup, ...]:
        """The fields in their order, below their headings."""
        return tuple(
            SettingGroup(self._text(heading), tuple(map(self._shown, settings)))
            for heading, settings in groupby(self.settings, key=lambda setting: setting.heading)
        )

    def _text(self, message: str) -> str:
        return text_of(self.settings[0].edition, message)

    def _shown(self, setting: Setting[Any]) -> SettingField:
        hint = self._text(setting.hint)
        field = self[_field_name(setting)]
        if not isinstance(setting, NumberSetting):
            return SettingField(field, hint, "", {"autocomplete": "off"})
        bounds = {"minimum": setting.minimum, "maximum": setting.maximum}
        bounded = setting.maximum != _NO_BOUND
        return SettingField(
            field,
            sentences(hint, gettext("From %(minimum)s to %(maximum)s.", **bounds)) if bounded else hint,
            self._text(setting.unit),
            {"autocomplete": "off", "inputmode": "numeric" if setting.minimum >= 0 else "text"},
        )


def settings_form(settings: Sequence[Setting[Any]], values: Values, *, seen: Values | None = None) -> SettingsForm:
    """Make the form of an edition's settings.

    Args:
        settings: what the edition declares.
        values: what the fields show, of every setting.
        seen: what counts now, where the form is to be shown; None where it was sent, and is to be read.
    """
    fields: dict[str, Any] = {_field_name(setting): _field(setting) for setting in settings}
    form_class: type[SettingsForm] = type("SettingsForm", (SettingsForm,), {**fields, "settings": tuple(settings)})
    data: dict[str, Any] = {_field_name(setting): values[setting.name] for setting in settings}
    if seen is None:
        return form_class(data=data)
    data["seen"] = json.dumps({setting.name: setting.plain(seen[setting.name]) for setting in settings})
    return form_class(formdata=None, data=data)


def _field_name(setting: Setting[Any]) -> str:
    """No attribute of a form is called like that, whatever the setting is called."""
    return f"setting_{setting.name.partition('.')[2]}"


def _field(setting: Setting[Any]) -> Field:
    label = text_of(setting.edition, setting.title)
    if isinstance(setting, SwitchSetting):
        return BooleanField(label)
    if isinstance(setting, ChoiceSetting):
        titles = ((value, text_of(setting.edition, title)) for value, title in setting.choices)
        return SelectField(label, choices=[SelectChoice(value, title) for value, title in titles])
    kind = {NumberSetting: _NumberField, DateSetting: _DayField}.get(type(setting), _TextField)
    return kind(setting=setting, label=label)


def _read_seen(text: str, settings: Sequence[Setting[Any]]) -> Iterator[tuple[str, Any]]:
    try:
        seen = json.loads(text)
    except (ValueError, RecursionError):
        return
    for setting in settings if isinstance(seen, dict) else ():
        try:
            yield setting.name, setting.decode(json.dumps(seen[setting.name]))
        except (KeyError, ValueError):
            continue
