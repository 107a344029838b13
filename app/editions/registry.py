"""The editions that are loaded, and which features a license brings with them.

Put together once, at the start, and never changed. Licensing is not decided here but by each request's standing; what
an edition would bring under some license is looked up, without a statement and without remembering the last answer.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Generic, TypeVar

import click
import structlog
from flask import Flask, current_app
from flask.cli import ScriptInfo
from flask_babel import gettext

from app.auth.identity import Identity
from app.config import Settings
from app.editions import reasons
from app.editions.declarations import Card, Feature, Permission, SlotContent
from app.editions.discovery import (
    OWN_PACKAGE,
    Discovered,
    EditionState,
    discover,
    error_line,
    find_entry_points,
)
from app.editions.manifest import Manifest, malformed
from app.editions.readiness import Readiness, locked_editions
from app.editions.rehearsal import Pages, Surroundings, core_segments, rehearse
from app.editions.switches import read_switches_at_start
from app.editions.texts import ReadTexts, install_texts, owner_of, read_texts, speaking_as, text_of_edition
from app.license.policy import Standing, StandingKind
from app.navigation import NavItem
from app.refusal import Refusal
from app.security import Access, Audience

_log = structlog.get_logger("timetracker.editions")
_Declared = TypeVar("_Declared")
_IN_FORCE = {StandingKind.ACTIVE, StandingKind.GRACE, StandingKind.SEATS_EXCEEDED}


class EditionError(Exception):
    """An edition is not loaded, and ``EDITION_FAILURES_RAISE`` asks for the start to stop at that."""


@dataclass(frozen=True, slots=True)
class EditionRegistry:
    """All installed editions, and look-ups over those that are loaded. All names are those of license keys."""

    found: tuple[Discovered, ...]
    """In the order in which they were registered; those that are not loaded follow."""
    manifests: Mapping[str, Manifest]
    features: Mapping[str, Feature]
    feature_owners: Mapping[str, str]
    """Name of the edition that declares each feature."""
    permissions: Mapping[str, Permission]
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


# Made at the start --------------------------------------------------------------------------------------------------


def configure_editions(app: Flask, settings: Settings) -> None:
    """Find the editions and register those that pass every check; the core's own blueprints stand already.

    Raises:
        EditionError: ``settings.edition_failures_raise`` is on and an edition is not as it should be.
    """
    found = discover(find_entry_points(), read_switches_at_start(settings))
    loaded, pages, texts = _register_all(app, found)
    by_key = {(edition.source, edition.name): edition for edition in loaded}
    final = tuple(by_key.values()) + tuple(edition for edition in found if (edition.source, edition.name) not in by_key)
    for edition in final:
        _report(edition, raises=settings.edition_failures_raise)
    app.extensions["editions"] = _registry(final, pages)
    app.extensions["edition_readiness"] = Readiness(app.extensions["editions"].manifests.values())
    install_texts(app, texts)


def _register_all(
    app: Flask, found: Iterable[Discovered]
) -> tuple[list[Discovered], dict[str, Access], list[ReadTexts]]:
    """Rehearse and register one after another: those that are extended before those that extend, modules last."""
    candidates = {edition.name: edition for edition in found if edition.state is EditionState.LOADED}
    segments = core_segments(app)
    done: dict[str, Discovered] = {}
    owners: dict[str, str] = {}
    permissions: set[str] = set()
    patterns: dict[str, str] = {}
    access: dict[str, Access] = {}
    texts: list[ReadTexts] = []
    for edition in sorted(candidates.values(), key=lambda edition: _place(edition, candidates)):
        try:
            _check_relations(edition, candidates, done, owners)
            pages = _register(app, edition, Surroundings(segments, patterns, owners, permissions))
        except Refusal as refusal:
            done[edition.name] = edition.refused(refusal, refusal.__cause__)
            continue
        texts.append(_read_texts(_manifest(edition)))
        done[edition.name] = replace(edition, pages=pages.count, warnings=_warnings(pages) + texts[-1].warnings)
        access.update(pages.access)
        patterns.update(dict.fromkeys(pages.patterns, edition.title))
        owners.update((feature.name, edition.name) for feature in _manifest(edition).features)
        permissions.update(permission.name for permission in _manifest(edition).permissions)
    return list(done.values()), access, texts


def _read_texts(manifest: Manifest) -> ReadTexts:
    return read_texts(manifest.name, manifest.folder, (blueprint.name for blueprint in manifest.blueprints))


def _manifest(edition: Discovered) -> Manifest:
    if edition.manifest is None:
        raise ValueError(f"{edition.name} was never read")
    return edition.manifest


def _place(edition: Discovered, candidates: Mapping[str, Discovered]) -> tuple[int, bool, int, str]:
    """When it is registered: what is taken belongs to the earlier one, so the bundled editions come first."""
    is_foreign = edition.source != OWN_PACKAGE
    return _depth(edition, candidates), is_foreign, _manifest(edition).order, edition.name


def _depth(edition: Discovered, candidates: Mapping[str, Discovered]) -> int:
    """How many editions stand below it; one that extends itself gets a number too, and is refused later."""
    if _manifest(edition).is_module:
        return len(candidates) + 1
    depth = 0
    base = _manifest(edition).extends
    while base is not None and base in candidates and depth <= len(candidates):
        depth += 1
        base = _manifest(candidates[base]).extends
    return depth


def _check_relations(
    edition: Discovered,
    candidates: Mapping[str, Discovered],
    done: Mapping[str, Discovered],
    owners: Mapping[str, str],
) -> None:
    manifest = _manifest(edition)
    if manifest.extends is not None:
        if _depth(edition, candidates) > len(candidates):
            raise Refusal(reasons.EXTENDS_ITSELF, base=manifest.extends)
        base = done.get(manifest.extends)
        if base is None or base.state is not EditionState.LOADED or _manifest(base).is_module:
            raise Refusal(reasons.BASE_MISSING, base=manifest.extends)
    for feature in manifest.features:
        if feature.name in owners:
            raise Refusal(reasons.FEATURE_TAKEN, feature=feature.name, owner=owners[feature.name])
    for other in done.values():
        shared = _tables(manifest) & _tables(_manifest(other)) if other.state is EditionState.LOADED else None
        if shared:
            raise malformed(f"the table {min(shared)} is declared by the edition {other.name} already")


def _tables(manifest: Manifest) -> frozenset[str]:
    return frozenset(manifest.metadata.tables) if manifest.metadata is not None else frozenset()


def _register(app: Flask, edition: Discovered, surroundings: Surroundings) -> Pages:
    """Rehearse the edition, then register it; should even that fail, nothing of it stays behind.

    Raises:
        Refusal: it does not pass; caused by the exception that its code raised, where it did.
    """
    manifest = _manifest(edition)
    before = {id(rule) for rule in app.url_map.iter_rules()}
    try:
        pages = rehearse(app, manifest, surroundings)
        for blueprint in manifest.blueprints:
            app.register_blueprint(blueprint)
        _add_commands(app, manifest)
    except KeyboardInterrupt:
        raise
    except Refusal:
        raise
    except BaseException as error:
        _forget(app, manifest, before)
        raise Refusal(reasons.REGISTRATION_FAILED, error=error_line(error)) from error
    return pages


def _add_commands(app: Flask, manifest: Manifest) -> None:
    """Make its commands those of one group, which has the name of the edition."""
    if not manifest.commands:
        return
    group = click.Group(manifest.name, help=manifest.description or manifest.title, callback=_enter_application)
    of_blueprint = app.cli.commands.get(manifest.name)
    earlier = of_blueprint.commands.values() if isinstance(of_blueprint, click.Group) else ()
    for command in (*earlier, *manifest.commands):
        group.add_command(command)
    app.cli.add_command(group)


@click.pass_context
def _enter_application(context: click.Context) -> None:
    """Give the commands the application, which ``flask`` does itself and a test does not, and their edition's texts."""
    if not current_app:
        context.with_resource(context.ensure_object(ScriptInfo).load_app().app_context())
    context.with_resource(speaking_as(str(context.command.name)))


def _forget(app: Flask, manifest: Manifest, before: Collection[int]) -> None:
    """Take back what a blueprint that failed on the real application has left there.

    A werkzeug Map cannot drop a rule, so one without them takes its place.
    """
    kept = app.url_map_class(host_matching=app.url_map.host_matching)
    kept.converters = app.url_map.converters
    for rule in app.url_map.iter_rules():
        if id(rule) in before:
            copy = rule.empty()
            copy.provide_automatic_options = getattr(rule, "provide_automatic_options", None)  # type: ignore[attr-defined]  # Flask keeps it there
            kept.add(copy)
    app.url_map = kept
    names = {blueprint.name for blueprint in manifest.blueprints}
    for endpoint in [name for name in app.view_functions if name.rpartition(".")[0] in names]:
        del app.view_functions[endpoint]
    for name in names:
        app.blueprints.pop(name, None)


def _warnings(pages: Pages) -> tuple[str, ...]:
    return tuple(
        f"{endpoint} declares no feature, so it is answered to nobody: decorate it with requires_feature"
        for endpoint in pages.undeclared
    )


def _report(edition: Discovered, *, raises: bool) -> None:
    """Log what is wrong with an edition, or stop at it."""
    if edition.state in (EditionState.LOADED, EditionState.DISABLED) and not edition.warnings:
        return
    problem = "; ".join(edition.warnings)
    if edition.refusal is not None:
        problem = f"{edition.refusal.code}: {edition.refusal.reason.message % edition.refusal.params}"
    if raises:
        raise EditionError(f"{edition.name} of {edition.source}: {problem}\n{edition.traceback}".rstrip())
    _log.warning(
        "edition needs attention",
        edition=edition.name,
        source=edition.source,
        state=str(edition.state),
        problem=problem,
        traceback=edition.traceback or None,
    )


def _registry(found: tuple[Discovered, ...], access: Mapping[str, Access]) -> EditionRegistry:
    loaded = [edition.manifest for edition in found if edition.state is EditionState.LOADED and edition.manifest]
    in_order = sorted(loaded, key=lambda manifest: (manifest.order, manifest.name))
    manifests = {manifest.name: manifest for manifest in loaded}
    parts = {manifest.name: _parts(manifest, loaded, manifests) for manifest in loaded if not manifest.is_module}
    own = {manifest.name: {feature.name for feature in manifest.features} for manifest in loaded}
    start_pages = {name: page for name in parts if (page := _start_page(manifests[name], manifests))}
    return EditionRegistry(
        found=found,
        manifests=MappingProxyType(manifests),
        features=MappingProxyType({feature.name: feature for manifest in in_order for feature in manifest.features}),
        feature_owners=MappingProxyType(
            {feature.name: manifest.name for manifest in in_order for feature in manifest.features}
        ),
        permissions=MappingProxyType({held.name: held for manifest in in_order for held in manifest.permissions}),
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
        and (item.permission is None or identity.holds(item.permission))
    )


def _is_open(item: NavItem, features: frozenset[str]) -> bool:
    return (item.feature is None or item.feature in features) and obstacle(item.endpoint) is None


def _why_locked(item: NavItem, features: frozenset[str]) -> str:
    if item.feature is not None and item.feature not in features:
        edition = bringing(item.feature)
        return gettext("available in %(edition)s", edition=edition) if edition else gettext("not in your license")
    return gettext("needs migration")
