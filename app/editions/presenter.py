"""What System Operation → Editions shows of each edition, in the reader's language."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask_babel import format_date, gettext, ngettext, pgettext

from app.editions import registry
from app.editions.discovery import STATE_TITLES, Discovered
from app.editions.manifest import Manifest
from app.editions.service import EditionEntry
from app.editions.settings import ChoiceSetting, DateSetting, NumberSetting, Setting
from app.license.policy import Standing
from app.texts import RefusalTexts, code_texts, listed, sentences


@dataclass(frozen=True, slots=True)
class EditionLine:
    """One edition of the list."""

    entry: EditionEntry
    title: str
    state: str
    """Title of its state."""
    refusal: RefusalTexts | None
    """Why it is not loaded."""
    summary: str
    """What it is and brings, in a few sentences; empty where that is not known."""
    has_settings: bool
    """Whether there is something to decide for it now."""


@dataclass(frozen=True, slots=True)
class FeatureLine:
    """A feature, and whether the license in force brings it."""

    name: str
    title: str
    description: str
    licensed: bool
    available_in: str
    """Title of the smallest edition whose license brings it; empty where none does."""


@dataclass(frozen=True, slots=True)
class PermissionLine:
    """A permission that administrators may grant because of the edition."""

    name: str
    title: str
    description: str


@dataclass(frozen=True, slots=True)
class Fact:
    """Something about the edition."""

    label: str
    value: str


def edition_line(entry: EditionEntry) -> EditionLine:
    """What the list of editions says of one."""
    found = entry.found
    return EditionLine(
        entry=entry,
        title=registry.text_of(found.name, found.title),
        state=gettext(STATE_TITLES[found.state]),
        refusal=code_texts(found.refusal) if found.refusal is not None else None,
        summary=_summary(entry, found.manifest) if found.manifest is not None else "",
        has_settings=found.name in registry.registry().manifests and bool(found.manifest and found.manifest.settings),
    )


def _summary(entry: EditionEntry, manifest: Manifest) -> str:
    features = ngettext("%(num)s feature", "%(num)s features", len(manifest.features))
    pages = ngettext("%(num)s page", "%(num)s pages", entry.found.pages)
    extends = manifest.extends
    return sentences(
        gettext("Module.") if manifest.is_module else "",
        registry.text_of(manifest.name, manifest.description),
        *(gettext("Comes with %(edition)s.", edition=registry.title_of_edition(name)) for name in entry.needed_by),
        gettext("Extends %(edition)s.", edition=registry.title_of_edition(extends)) if extends is not None else "",
        gettext("%(features)s, %(pages)s.", features=features, pages=pages)
        if manifest.features or entry.found.pages
        else "",
    )


def facts(found: Discovered) -> tuple[Fact, ...]:
    """Where the edition comes from, what it works with, and how it stands to others."""
    lines = [
        Fact(pgettext("edition", "Name"), found.name),
        Fact(gettext("Version"), found.version or gettext("unknown")),
        Fact(gettext("Package"), found.source),
    ]
    if found.manifest is not None:
        lines += _facts_of(found.manifest)
    return tuple(lines)


def _facts_of(manifest: Manifest) -> list[Fact]:
    lines = [
        Fact(gettext("Written for"), f"app.sdk {manifest.api_version}"),
        Fact(gettext("Works with TimeTracker RX"), manifest.requires_app or gettext("every version")),
    ]
    if manifest.extends is not None:
        lines.append(Fact(gettext("Extends"), registry.title_of_edition(manifest.extends)))
    if manifest.included_in:
        lines.append(Fact(gettext("Module of"), _titles(manifest.included_in)))
    others = registry.registry().manifests.values()
    extended_by = [other.name for other in others if other.extends == manifest.name]
    if extended_by:
        lines.append(Fact(gettext("Extended by"), _titles(extended_by)))
    return lines


def _titles(names: Iterable[str]) -> str:
    return listed(registry.title_of_edition(name) for name in names)


def features(found: Discovered, standing: Standing) -> tuple[FeatureLine, ...]:
    """What the edition brings, and what of it is licensed."""
    if found.manifest is None:
        return ()
    licensed = registry.licensed_features(standing)
    return tuple(
        FeatureLine(
            feature.name,
            registry.text_of(found.name, feature.title),
            registry.text_of(found.name, feature.description),
            feature.name in licensed,
            registry.bringing(feature.name) or "",
        )
        for feature in found.manifest.features
    )


def permissions(found: Discovered) -> tuple[PermissionLine, ...]:
    """What administrators may grant because of the edition."""
    if found.manifest is None:
        return ()
    return tuple(
        PermissionLine(
            held.name,
            registry.text_of(found.name, held.title),
            registry.text_of(found.name, held.description),
        )
        for held in found.manifest.permissions
    )


def public_addresses(found: Discovered) -> tuple[str, ...]:
    """Addresses of the edition's pages that are answered without log-in; static files aside, which always are."""
    if found.manifest is None:
        return ()
    rules = registry.page_rules(found.manifest)
    return tuple(sorted({rule.rule for rule in rules if registry.is_public(rule.endpoint)}))


def shown_value(setting: Setting[Any], value: Any) -> str:
    """A value of a setting, as a sentence names it."""
    if isinstance(value, bool):
        return str(gettext("yes") if value else gettext("no"))
    if isinstance(setting, ChoiceSetting):
        return str(registry.text_of(setting.edition, setting.title_of(value)))
    if isinstance(setting, DateSetting) and value is not None:
        return str(format_date(value, "long"))
    if isinstance(setting, NumberSetting) and setting.unit:
        return str(gettext("%(number)s %(unit)s", number=value, unit=registry.text_of(setting.edition, setting.unit)))
    return str(value) if value not in (None, "") else str(gettext("empty"))
