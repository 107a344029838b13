"""The editions that are loaded, and which features a license brings with them.

Put together once by ``registration``, at the start, and never changed. Licensing is not decided here but by each
request's standing; what an edition would bring under some license is looked up, without a statement and without
remembering the last answer.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Generic, TypeVar

from flask import current_app
from flask_babel import gettext
from werkzeug.routing import Rule

from app.auth.identity import Identity
from app.editions.declarations import AuditAction, Card, Feature, Permission, SlotContent
from app.editions.discovery import Discovered, EditionState
from app.editions.manifest import Manifest
from app.editions.readiness import locked_editions
from app.editions.texts import owner_of, text_of_edition
from app.license.policy import Standing, StandingKind
from app.navigation import NavItem
from app.refusal import Refusal
from app.security import Access, Audience

_Declared = TypeVar("_Declared")
_IN_FORCE = {StandingKind.ACTIVE, StandingKind.GRACE, StandingKind.SEATS_EXCEEDED}


@dataclass(frozen=True, slots=True)
class EditionRegistry:
    """All installed editions, and look-ups over those that are loaded. All names are those of license keys."""

    found: tuple[Discovered, ...]
    """In the order in which they were registered; those that are not loaded follow."""
    in_order: tuple[Manifest, ...]
    """Of those that are loaded, in the order in which menus, cards and slots show them and listeners are called."""
    manifests: Mapping[str, Manifest]
    features: Mapping[str, Feature]
    feature_owners: Mapping[str, str]
    """Name of the edition that declares each feature."""
    permissions: Mapping[str, Permission]
    audit_actions: tuple["Owned[AuditAction]", ...]
    parts: Mapping[str, frozenset[str]]
    """For each edition a license can name: itself, those it extends, and the modules that come with any of these."""
    features_by_edition: Mapping[str, frozenset[str]]
    start_pages: Mapping[str, str]
    start_page_features: Mapping[str, str | None]
    navigation: tuple[NavItem, ...]
    cards: tuple["Owned[Card]", ...]
    slots: Mapping[str, tuple["Owned[SlotContent]", ...]]
    """What fills each slot, by its name."""


@dataclass(frozen=True, slots=True)
class Owned(Generic[_Declared]):
    """Something that an edition declares, with the name of that edition."""

    edition: str
    declared: _Declared


def build_registry(found: tuple[Discovered, ...], access: Mapping[str, Access]) -> EditionRegistry:
    """Put the look-ups together.

    Args:
        found: all installed editions, in the order in which they were registered.
        access: what is declared for the endpoints of those that are loaded.
    """
    loaded = [edition.manifest for edition in found if edition.state is EditionState.LOADED and edition.manifest]
    in_order = sorted(loaded, key=lambda manifest: (manifest.order, manifest.name))
    manifests = {manifest.name: manifest for manifest in loaded}
    parts = {manifest.name: _parts(manifest, loaded, manifests) for manifest in loaded if not manifest.is_module}
    own = {manifest.name: {feature.name for feature in manifest.features} for manifest in loaded}
    start_pages = {name: page for name in parts if (page := _start_page(manifests[name], manifests))}
    return EditionRegistry(
        found=found,
        in_order=tuple(in_order),
        manifests=MappingProxyType(manifests),
        features=MappingProxyType({feature.name: feature for manifest in in_order for feature in manifest.features}),
        feature_owners=MappingProxyType(
            {feature.name: manifest.name for manifest in in_order for feature in manifest.features}
        ),
        permissions=MappingProxyType({held.name: held for manifest in in_order for held in manifest.permissions}),
        audit_actions=tuple(Owned(each.name, action) for each in in_order for action in each.audit_actions),
        parts=MappingProxyType(parts),
        features_by_edition=MappingProxyType(
            {name: frozenset().union(*(own[part] for part in parts[name])) for name in parts}
        ),
        start_pages=MappingProxyType(start_pages),
        start_page_features=MappingProxyType({page: access[page].feature for page in start_pages.values()}),
        navigation=tuple(_with_needs(item, access) for manifest in in_order for item in manifest.navigation),
        cards=tuple(Owned(manifest.name, card) for manifest in in_order for card in manifest.cards),
        slots=_slots(in_order),
    )


def _slots(manifests: Iterable[Manifest]) -> Mapping[str, tuple[Owned[SlotContent], ...]]:
    slots: dict[str, tuple[Owned[SlotContent], ...]] = {}
    for manifest in manifests:
        for content in manifest.slots:
            slots[content.slot] = (*slots.get(content.slot, ()), Owned(manifest.name, content))
    return MappingProxyType(slots)


def _parts(manifest: Manifest, loaded: Iterable[Manifest], manifests: Mapping[str, Manifest]) -> frozenset[str]:
    chain = {manifest.name}
    while manifest.extends is not None:
        manifest = manifests[manifest.extends]
        chain.add(manifest.name)
    return frozenset(chain | {module.name for module in loaded if chain.intersection(module.included_in)})


def _start_page(manifest: Manifest, manifests: Mapping[str, Manifest]) -> str | None:
    while manifest.start_page is None and manifest.extends is not None:
        manifest = manifests[manifest.extends]
    return manifest.start_page


def _with_needs(item: NavItem, access: Mapping[str, Access]) -> NavItem:
    """An item that names no feature or permission needs those of the page it leads to."""
    declared = access.get(item.endpoint) or Access(Audience.MEMBER)
    return replace(
        item,
        feature=item.feature or declared.feature,
        permission=item.permission or declared.permission,
        children=tuple(_with_needs(child, access) for child in item.children),
    )


# Asked at each request ----------------------------------------------------------------------------------------------


def registry() -> EditionRegistry:
    """The editions of this process."""
    editions: EditionRegistry = current_app.extensions["editions"]
    return editions


def known_editions() -> Collection[str]:
    """Names of the loaded editions that a license can name; modules are not among them."""
    return registry().parts.keys()


def is_switched_off(edition: str) -> bool:
    """Whether the edition is installed, and an administrator has switched it off."""
    return any(found.name == edition and found.state is EditionState.DISABLED for found in registry().found)


def features_of_edition(edition: str) -> frozenset[str]:
    """Every feature that a license for ``edition`` brings; none where it is not loaded."""
    return registry().features_by_edition.get(edition, frozenset())


def licensed_edition(standing: Standing) -> str | None:
    """Name of the edition that the license in force names, loaded or not; None where none is in force."""
    return standing.license.edition if standing.license is not None and standing.kind in _IN_FORCE else None


def licensed_features(standing: Standing) -> frozenset[str]:
    """Every feature that the license in force brings: its edition's and its add-on features; none without one."""
    edition = licensed_edition(standing)
    if edition is None or standing.license is None:
        return frozenset()
    features = features_of_edition(edition)
    return features.union(standing.license.features) if standing.license.features else features


def usable_features(standing: Standing) -> frozenset[str]:
    """Those of ``licensed_features`` that can be used now: what a locked edition declares waits for its tables."""
    features = licensed_features(standing)
    locked = locked_editions()
    if not locked:
        return features
    owners = registry().feature_owners
    return frozenset(name for name in features if owners.get(name) not in locked)


def obstacle(endpoint: str | None) -> Refusal | None:
    """Why the edition that ``endpoint`` belongs to is locked; None where it is not, and for the pages of the core."""
    owner = owner_of_endpoint(endpoint) if endpoint else None
    return locked_editions().get(owner) if owner is not None else None


def owner_of_endpoint(endpoint: str) -> str | None:
    """Name of the edition that an endpoint belongs to; None for the core's."""
    return owner_of(endpoint.rpartition(".")[0])


def page_rules(manifest: Manifest) -> tuple[Rule, ...]:
    """The addresses of an edition's pages, those of nested blueprints included and static files left out."""
    own = (rule for rule in current_app.url_map.iter_rules() if owner_of_endpoint(rule.endpoint) == manifest.name)
    return tuple(rule for rule in own if not rule.endpoint.endswith(".static"))


def is_public(endpoint: str) -> bool:
    """Whether an endpoint is answered to the whole network, without log-in."""
    access: Access | None = current_app.extensions["access"].get(endpoint)
    return access is not None and access.audience is Audience.PUBLIC


def start_page(standing: Standing) -> str | None:
    """Endpoint of the start page of the licensed edition; None where there is none or its feature is not licensed.

    It may belong to an edition that is locked: see ``obstacle``.
    """
    endpoint = registry().start_pages.get(licensed_edition(standing) or "")
    if endpoint is None or registry().start_page_features[endpoint] not in licensed_features(standing):
        return None
    return endpoint


def title_of_edition(name: str) -> str:
    """The title of an edition in the reader's language; its name where it is not installed."""
    titles = (edition.title for edition in registry().found if edition.name == name)
    title = next(titles, "")
    return text_of(name, title) if title else name


def text_of(edition: str, message: str) -> str:
    """A text of the manifest of ``edition``, in the reader's language: looked up as the edition itself would."""
    return text_of_edition(edition, message)


def feature_titles() -> Mapping[str, str]:
    """Title of each feature that a loaded edition declares, in the reader's language and the order of declaration."""
    owners = registry().feature_owners
    return {name: text_of(owners[name], feature.title) for name, feature in registry().features.items()}


def bringing(feature: str) -> str | None:
    """Title of the smallest edition that brings ``feature``, in the reader's language; None where none does."""
    editions = registry().features_by_edition
    names = [name for name, features in editions.items() if feature in features]
    return title_of_edition(min(names, key=lambda name: (len(editions[name]), name))) if names else None


def navigation_items(identity: Identity, standing: Standing) -> tuple[NavItem, ...]:
    """What the editions offer in the global navigation, with labels in the reader's language.

    Members see what is licensed and not locked; administrators see the rest as well, locked. What takes a permission is
    seen by its holders alone.
    """
    return _permitted(registry().navigation, licensed_features(standing), identity)


def _permitted(items: Iterable[NavItem], features: frozenset[str], identity: Identity) -> tuple[NavItem, ...]:
    return tuple(
        replace(
            item,
            label=text_of(owner_of_endpoint(item.endpoint) or "", item.label),
            children=_permitted(item.children, features, identity),
            locked=not is_open,
            note="" if is_open else _why_locked(item, features),
        )
        for item, is_open in ((item, _is_open(item, features)) for item in items)
        if (identity.is_system_administrator or is_open)
        and (not item.permissions or any(map(identity.holds, item.permissions)))
    )


def _is_open(item: NavItem, features: frozenset[str]) -> bool:
    return (item.feature is None or item.feature in features) and obstacle(item.endpoint) is None


def _why_locked(item: NavItem, features: frozenset[str]) -> str:
    if item.feature is not None and item.feature not in features:
        edition = bringing(item.feature)
        return gettext("available in %(edition)s", edition=edition) if edition else gettext("not in your license")
    return gettext("needs migration")
