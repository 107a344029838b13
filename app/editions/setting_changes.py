"""Changing the settings of an edition; the same for the page Editions and ``flask edition settings``."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.audit import Event, actor_here, record
from app.auth.acting import administrator_transaction
from app.editions import reasons
from app.editions.discovery import EditionState
from app.editions.manifest import Manifest
from app.editions.models import EditionSetting
from app.editions.service import find_edition
from app.editions.settings import Setting
from app.editions.stored_settings import forget_stored_settings
from app.events import SettingsChanged, announce
from app.refusal import Refusal

_Value = TypeVar("_Value")
Values = Mapping[str, Any]
"""Values of settings by their names."""


class ChangedMeanwhile(Refusal):
    """Somebody else has changed since what is being changed now; nothing of it is done."""

    def __init__(self, present: Values, conflicts: frozenset[str]) -> None:
        super().__init__(reasons.SETTING_CHANGED_MEANWHILE, present="")
        self.present = present
        """All settings of the edition as they are now."""
        self.conflicts = conflicts
        """Names of the settings that both have changed, each to something else."""


def settings_of(edition: str) -> tuple[Setting[Any], ...]:
    """What can be decided for a loaded edition, in the order of its declaration.

    Raises:
        Refusal: ``edition_not_installed`` or ``edition_not_loaded``.
    """
    return _loaded(edition).settings


def _loaded(edition: str) -> Manifest:
    found = find_edition(edition)
    if found.state is not EditionState.LOADED or found.manifest is None:
        raise Refusal(reasons.SETTINGS_NOT_LOADED, name=edition)
    return found.manifest


def present_values(edition: str) -> Values:
    """What counts at this request, of every setting of a loaded edition.

    Raises:
        Refusal: ``edition_not_installed`` or ``edition_not_loaded``.
    """
    return {setting.name: setting.value() for setting in settings_of(edition)}


def change_settings(edition: str, wanted: Values, *, seen: Values, actor: str) -> bool:
    """Put ``wanted`` in force; returns whether anything has changed.

    Only what differs from ``seen`` is changed, so that two administrators who change different settings of one
    edition at the same time both get what they want.

    Args:
        edition: name of a loaded edition.
        wanted: values that fit, as ``Setting.parse`` returns them.
        seen: what the person was shown; a setting that is missing counts as shown the way it is now.
        actor: login of whoever changes them, or the command line.

    Raises:
        ChangedMeanwhile: a setting is neither as it was ``seen`` nor as it is ``wanted``.
        Refusal: ``edition_not_installed``, ``edition_not_loaded``, ``session_ended``, ``no_longer_administrator``.
    """
    settings = settings_of(edition)
    with administrator_transaction() as (session, _):
        return _change(session, edition, settings, wanted, seen=seen, actor=actor)


def put_setting(session: Session, setting: Setting[_Value], value: _Value) -> bool:
    """Put ``value`` in force with the transaction of ``session``, audited; returns whether that is a change.

    For what an edition does as a whole at an administrator's request, such as filling an empty installation; what
    people decide is asked for on the page of the edition's settings.

    Args:
        session: the write transaction.
        setting: one that a loaded edition declares.
        value: one that fits.

    Raises:
        ValueError: it does not fit.
        Refusal: ``edition_not_installed`` or ``edition_not_loaded``.
    """
    if not setting.fits(value):
        raise ValueError(f"{setting.name} does not take {value!r:.80}")
    settings, wanted = settings_of(setting.edition), {setting.name: value}
    return _change(session, setting.edition, settings, wanted, seen={}, actor=actor_here())


def _change(
    session: Session, edition: str, settings: Sequence[Setting[Any]], wanted: Values, *, seen: Values, actor: str
) -> bool:
    rows = _rows(session, edition)
    present = {setting.name: setting.of_stored(_text(rows.get(setting.name))) for setting in settings}
    chosen = {
        **present,
        **{name: value for name, value in wanted.items() if value != seen.get(name, present[name])},
    }
    changed = [setting for setting in settings if chosen[setting.name] != present[setting.name]]
    conflicts = {name for name in (each.name for each in changed) if seen.get(name, present[name]) != present[name]}
    if conflicts:
        raise ChangedMeanwhile(present, frozenset(conflicts))
    for setting in changed:
        _put(session, rows.get(setting.name), setting, chosen[setting.name], actor)
    if changed:
        before = {setting.name: setting.plain(present[setting.name]) for setting in changed}
        after = {setting.name: setting.plain(chosen[setting.name]) for setting in changed}
        record(session, Event("edition.settings", target=edition, before=before, after=after, actor=actor))
        announce(session, SettingsChanged(edition))
        forget_stored_settings()
    return bool(changed)


def _rows(session: Session, edition: str) -> dict[str, EditionSetting]:
    query = select(EditionSetting).where(EditionSetting.edition == edition)
    return {row.name: row for row in session.execute(query).scalars()}


def _text(row: EditionSetting | None) -> str | None:
    return row.value if row is not None else None


def _put(session: Session, row: EditionSetting | None, setting: Setting[Any], value: object, actor: str) -> None:
    if row is None:
        row = EditionSetting(edition=setting.edition, name=setting.name)
        session.add(row)
    row.value = setting.encode(value)
    row.changed_at = clock.now()
    row.changed_by = actor
