"""Switching editions, and what the page Editions and ``flask edition list`` show of each."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from enum import StrEnum

from app import clock
from app.audit import Event, record, record_refusal
from app.auth.acting import administrator_transaction
from app.editions import reasons, registry
from app.editions.discovery import Discovered, EditionState, Switch, with_params
from app.editions.models import EditionSwitch
from app.editions.readiness import locked_editions
from app.license.policy import Standing
from app.refusal import Refusal


class Grant(StrEnum):
    """Whether the license in force brings an edition."""

    LICENSED = "licensed"
    """The license names it."""
    INCLUDED = "included"
    """It comes with the edition that the license names."""
    NONE = "none"


class Pending(StrEnum):
    """What the next restart will change for an edition."""

    NOTHING = "nothing"
    COMES_ON = "comes_on"
    GOES_OFF = "goes_off"


@dataclass(frozen=True, slots=True)
class EditionEntry:
    """One installed edition, as an administrator sees it."""

    found: Discovered
    grant: Grant
    pending: Pending
    needed_by: tuple[str, ...]
    """Names of the loaded editions that extend it, for which it has to stay on."""

    @property
    def can_be_switched(self) -> bool:
        """Not while it is needed, nor the second package of one name, since a switch goes by the name."""
        return self.found.state is not EditionState.DUPLICATE and not self.needed_by

    def is_about(self, found: Discovered) -> bool:
        """Whether it is the entry of ``found``."""
        return (self.found.name, self.found.source) == (found.name, found.source)


@dataclass(frozen=True, slots=True)
class Overview:
    """All installed editions, and what they mean for the license in force."""

    entries: tuple[EditionEntry, ...]
    licensed_edition: str | None
    """Name of the edition that the license in force names; None where no license is in force."""
    licensed_is_loaded: bool
    """False where a license is in force and its edition's features are missing."""

    @property
    def unsound(self) -> int:
        """How many editions somebody should look after."""
        sound = (EditionState.LOADED, EditionState.DISABLED)
        return sum(entry.found.state not in sound or bool(entry.found.warnings) for entry in self.entries)

    @property
    def pending(self) -> int:
        """How many editions the next restart will switch."""
        return sum(entry.pending is not Pending.NOTHING for entry in self.entries)


def overview(standing: Standing | None, switches: Mapping[str, Switch], zone: tzinfo = UTC) -> Overview:
    """What there is, under ``standing``, with the switches and the tables as they are now.

    Args:
        standing: None where it is not known, because the database does not answer; then the tables are not either.
        switches: as ``read_switches`` has them.
        zone: of the days that reasons name.
    """
    editions = registry.registry()
    licensed = registry.licensed_edition(standing) if standing is not None else None
    parts = editions.parts.get(licensed or "", frozenset())
    locked = locked_editions() if standing is not None else {}
    entries = tuple(
        EditionEntry(
            found=_with_days(_as_it_is_now(found, locked), zone),
            grant=_grant(found, licensed, parts),
            pending=_pending(found, switches.get(found.name)),
            needed_by=_needed_by(found, switches),
        )
        for found in editions.found
    )
    return Overview(entries, licensed, licensed in editions.parts)


def _as_it_is_now(found: Discovered, locked: Mapping[str, Refusal]) -> Discovered:
    """As it was found at the start, unless its tables lock it meanwhile."""
    is_locked = found.state is EditionState.LOADED and found.name in locked
    return found.locked(locked[found.name]) if is_locked else found


def _with_days(found: Discovered, zone: tzinfo) -> Discovered:
    """The same edition, with the days of its reason in ``zone`` where they were instants."""
    if found.refusal is None:
        return found
    params = {
        name: value.astimezone(zone).date() if isinstance(value, datetime) else value
        for name, value in found.refusal.params.items()
    }
    return replace(found, refusal=with_params(found.refusal, params))


def _needed_by(found: Discovered, switches: Mapping[str, Switch]) -> tuple[str, ...]:
    """Names of the loaded editions that extend it and do not go off at the next restart."""
    if found.state is not EditionState.LOADED:
        return ()
    return tuple(
        manifest.name
        for manifest in registry.registry().manifests.values()
        if manifest.extends == found.name and not _is_off(switches.get(manifest.name))
    )


def _is_off(switch: Switch | None) -> bool:
    return switch is not None and switch.disabled


def _grant(found: Discovered, licensed: str | None, parts: frozenset[str]) -> Grant:
    if found.state is EditionState.DUPLICATE:
        return Grant.NONE
    if found.name == licensed:
        return Grant.LICENSED
    return Grant.INCLUDED if found.name in parts else Grant.NONE


def _pending(found: Discovered, switch: Switch | None) -> Pending:
    off_later = _is_off(switch)
    off_now = found.state is EditionState.DISABLED
    if found.state is EditionState.DUPLICATE or off_later == off_now:
        return Pending.NOTHING
    return Pending.GOES_OFF if off_later else Pending.COMES_ON


def find_edition(name: str) -> Discovered:
    """The installed edition of that name, whatever its state.

    Raises:
        Refusal: ``edition_not_installed``.
    """
    for found in registry.registry().found:
        if found.name == name and found.state is not EditionState.DUPLICATE:
            return found
    raise Refusal(reasons.NOT_INSTALLED, name=name)


def check_can_be_disabled(found: Discovered, switches: Mapping[str, Switch]) -> None:
    """Refuse to disable what a loaded edition extends, unless that one goes off at the same restart.

    Raises:
        Refusal: ``edition_still_needed``.
    """
    needed_by = _needed_by(found, switches)
    if needed_by:
        raise Refusal(reasons.STILL_NEEDED, name=found.name, others=", ".join(needed_by))


def enable(name: str, *, actor: str) -> bool:
    """Switch an edition on, from the next restart; False where it was on.

    Raises:
        Refusal: ``edition_not_installed``.
    """
    return _switch(name, disabled=False, actor=actor)


def disable(name: str, *, actor: str) -> bool:
    """Switch an edition off, from the next restart; its data is kept. False where it was off.

    Raises:
        Refusal: ``edition_not_installed`` or ``edition_still_needed``.
    """
    return _switch(name, disabled=True, actor=actor)


def _switch(name: str, *, disabled: bool, actor: str) -> bool:
    action = "edition.disable" if disabled else "edition.enable"
    try:
        return _switch_in_transaction(find_edition(name), Event(action, target=name, actor=actor), disabled=disabled)
    except Refusal as refusal:
        record_refusal(Event(action, target=name, actor=actor), refusal.code)
        raise


def _switch_in_transaction(found: Discovered, event: Event, *, disabled: bool) -> bool:
    with administrator_transaction() as (session, _):
        rows = {row.name: row for row in session.query(EditionSwitch)}
        if disabled:
            check_can_be_disabled(found, {name: _as_switch(row) for name, row in rows.items()})
        row = rows.get(found.name)
        was_disabled = row is not None and row.disabled
        if was_disabled == disabled:
            return False
        if row is None:
            row = EditionSwitch(name=found.name)
            session.add(row)
        if found.state is not EditionState.DISABLED or not row.title:
            row.title = found.title
        row.disabled = disabled
        row.changed_at = clock.now()
        row.changed_by = event.actor or ""
        record(session, replace(event, before={"disabled": was_disabled}, after={"disabled": disabled}))
    return True


def _as_switch(row: EditionSwitch) -> Switch:
    return Switch(row.name, row.title, row.disabled, row.changed_at, row.changed_by)
