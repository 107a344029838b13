"""Finds the installed editions and imports them under guard: whatever one of them does, the application starts.

Nothing of an edition is put to use here; ``rehearsal`` and ``registry`` do that, once all are known.
"""

import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from importlib.metadata import EntryPoint, distributions, entry_points

import structlog

from app.editions import reasons
from app.editions.base import Edition
from app.editions.manifest import Manifest, check_name, read_manifest
from app.refusal import ReasonParam, Refusal
from app.translation import N_

GROUP = "timetracker.editions"
OWN_PACKAGE = "timetracker-rx"
"""The package of the bundled editions; nobody else's edition can take one of their names."""
_log = structlog.get_logger("timetracker.editions")
_TRACEBACK_LIMIT = 20_000
_ERROR_LIMIT = 300
_INCOMPATIBLE = {
    reasons.NEEDS_NEWER_APPLICATION,
    reasons.TOO_OLD,
    reasons.NEEDS_OTHER_APPLICATION,
    reasons.BASE_MISSING,
}


class EditionState(StrEnum):
    """What has become of an installed edition at the last start."""

    LOADED = "loaded"
    NEEDS_MIGRATION = "needs_migration"
    """Loaded, and locked until its tables are migrated; the one state that changes without a restart."""
    DISABLED = "disabled"
    """Switched off by an administrator, and not even imported."""
    INCOMPATIBLE = "incompatible"
    """Sound as far as can be told, but it does not fit this application or the editions beside it."""
    BROKEN = "broken"
    DUPLICATE = "duplicate"
    """Another package brings an edition of the same name."""


STATE_TITLES: Mapping[EditionState, str] = {
    EditionState.LOADED: N_("Loaded"),
    EditionState.NEEDS_MIGRATION: N_("Needs migration"),
    EditionState.DISABLED: N_("Disabled"),
    EditionState.INCOMPATIBLE: N_("Incompatible"),
    EditionState.BROKEN: N_("Broken"),
    EditionState.DUPLICATE: N_("Duplicate"),
}


@dataclass(frozen=True, slots=True)
class Switch:
    """The last switching of an edition, as the database has it."""

    name: str
    title: str
    disabled: bool
    changed_at: datetime
    changed_by: str


@dataclass(frozen=True, slots=True)
class Discovered:
    """An installed edition and what became of it. Where it could not be read, name and version are its package's."""

    name: str
    """The entry point's; an edition that is loaded has the same one."""
    title: str
    description: str
    version: str
    source: str
    """The package that brings it."""
    state: EditionState
    refusal: Refusal | None = None
    """Why it is not loaded, or locked; None for one that can be used."""
    traceback: str = ""
    """For administrators and logs; empty where no exception was the cause."""
    warnings: tuple[str, ...] = ()
    """What its author should mend though it is loaded; in English."""
    manifest: Manifest | None = None
    pages: int = 0
    """How many addresses it answers, static files aside."""

    def refused(self, refusal: Refusal, error: BaseException | None = None) -> "Discovered":
        """The same edition, not loaded, for ``refusal``; ``error`` is the exception that was the cause."""
        return replace(
            self,
            state=EditionState.INCOMPATIBLE if refusal.reason in _INCOMPATIBLE else EditionState.BROKEN,
            refusal=_without_frames(refusal),
            traceback="" if error is None else "".join(traceback.format_exception(error))[-_TRACEBACK_LIMIT:],
        )

    def locked(self, refusal: Refusal) -> "Discovered":
        """The same edition, which is loaded, while its pages are locked for ``refusal``."""
        return replace(self, state=EditionState.NEEDS_MIGRATION, refusal=refusal)


def _without_frames(refusal: Refusal) -> Refusal:
    """The same refusal; one that was raised holds on to the frames it went through, and to all that is in them."""
    return with_params(refusal, refusal.params)


def with_params(refusal: Refusal, params: Mapping[str, ReasonParam]) -> Refusal:
    """A refusal for the same reason, with other values for its placeholders."""
    other = Refusal(refusal.reason)
    other.params = dict(params)
    return other


def error_line(error: BaseException) -> str:
    """The exception in one short line, also where its own text cannot be had."""
    line = traceback.format_exception_only(error)[-1].strip().partition("\n")[0]
    return line if len(line) <= _ERROR_LIMIT else f"{line[:_ERROR_LIMIT]}…"


def find_entry_points() -> tuple[EntryPoint, ...]:
    """The installed entry points, in an order that does not depend on the file system: the bundled ones first."""
    try:
        found: Iterable[EntryPoint] = entry_points(group=GROUP)
    except Exception:  # noqa: BLE001 - one installed package with unreadable metadata, whatever it is for
        found = _readable_entry_points()
    return tuple(sorted(found, key=_order))


def _readable_entry_points() -> list[EntryPoint]:
    """The same, package by package, without those whose metadata cannot be read."""
    found: dict[str, tuple[EntryPoint, ...]] = {}
    for package in distributions():
        try:
            name = package.name.lower().replace("-", "_")
            found.setdefault(name, tuple(package.entry_points.select(group=GROUP)))
        except Exception as error:  # noqa: BLE001 - see above
            _log.warning("metadata of a package cannot be read", package=str(package), error=error_line(error))
    return [entry for entries in found.values() for entry in entries]


def _order(entry: EntryPoint) -> tuple[bool, str, str, str]:
    source = _source(entry)
    return source != OWN_PACKAGE, source, entry.name, entry.value


def _source(entry: EntryPoint) -> str:
    return (entry.dist.name if entry.dist is not None else "") or entry.value


def discover(entries: Iterable[EntryPoint], switches: Mapping[str, Switch]) -> tuple[Discovered, ...]:
    """Import what ``entries`` lead to, except what is switched off; states ``loaded`` are not final yet.

    Args:
        entries: in order of precedence; of two with the same name the first one counts.
        switches: as they were at the start, by name.
    """
    found: dict[str, Discovered] = {}
    duplicates: list[Discovered] = []
    for entry in entries:
        if entry.name in found:
            refusal = Refusal(reasons.DUPLICATE, source=found[entry.name].source)
            duplicates.append(replace(_unread(entry).refused(refusal), state=EditionState.DUPLICATE))
            continue
        switch = switches.get(entry.name)
        switched_off = switch is not None and switch.disabled
        found[entry.name] = _disabled(entry, switch) if switch and switched_off else _load(entry)
    return (*found.values(), *duplicates)


def _unread(entry: EntryPoint) -> Discovered:
    return Discovered(
        name=entry.name,
        title=entry.name.replace("_", " ").title(),
        description="",
        version=entry.dist.version if entry.dist is not None else "",
        source=_source(entry),
        state=EditionState.LOADED,
    )


def _disabled(entry: EntryPoint, switch: Switch) -> Discovered:
    refusal = Refusal(reasons.SWITCHED_OFF, login=switch.changed_by, day=switch.changed_at)
    return replace(_unread(entry), title=switch.title, state=EditionState.DISABLED, refusal=refusal)


def _load(entry: EntryPoint) -> Discovered:
    """Import one edition and read its manifest. Its code runs here, so anything may happen.

    ``SystemExit`` and others beyond ``Exception`` are caught too: a plug-in that calls ``sys.exit()`` must not end the
    application. Only an operator's interrupt goes through.
    """
    found = _unread(entry)
    try:
        check_name(entry.name)
        manifest = read_manifest(_make(entry), name=entry.name, package_version=found.version)
    except KeyboardInterrupt:
        raise
    except Refusal as refusal:
        return found.refused(refusal)
    except BaseException as error:  # noqa: BLE001 - see above
        return found.refused(Refusal(reasons.IMPORT_FAILED, error=error_line(error)), error)
    return replace(
        found,
        title=manifest.title,
        description=manifest.description,
        version=manifest.version,
        manifest=manifest,
    )


def _make(entry: EntryPoint) -> Edition:
    target = entry.load()
    if not isinstance(target, type) or not issubclass(target, Edition) or target is Edition:
        raise Refusal(reasons.WRONG_TYPE, found=f"{target!r:.80}")
    return target()
