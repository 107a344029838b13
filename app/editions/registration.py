"""Finds the installed editions at the start, and registers those that pass every check; deterministic in its order.

Nothing of an edition that does not pass is left on the application.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

import click
import structlog
from flask import Flask, current_app
from flask.cli import ScriptInfo

from app.config import Settings
from app.editions import reasons
from app.editions.discovery import OWN_PACKAGE, Discovered, EditionState, discover, error_line, find_entry_points
from app.editions.manifest import Manifest, malformed
from app.editions.readiness import Readiness
from app.editions.registry import build_registry
from app.editions.rehearsal import Pages, Surroundings, core_segments, rehearse, undeclared
from app.editions.switches import read_switches_at_start
from app.editions.texts import ReadTexts, install_texts, read_texts, speaking_as
from app.logs import direct_logs_to_people
from app.refusal import Refusal
from app.security import Access

_log = structlog.get_logger("timetracker.editions")


class EditionError(Exception):
    """An edition is not loaded, and ``EDITION_FAILURES_RAISE`` asks for the start to stop at that."""


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
    app.extensions["editions"] = build_registry(final, pages)
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
    recorded = {action.name for action in manifest.audit_actions}
    for other in done.values():
        if other.state is not EditionState.LOADED:
            continue
        taken = recorded.intersection(action.name for action in _manifest(other).audit_actions)
        if taken:
            raise malformed(f"the audit action {min(taken)} is declared by the edition {other.name} already")
        shared = _tables(manifest) & _tables(_manifest(other))
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
    direct_logs_to_people(current_app.extensions["settings"])
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
    return tuple(map(undeclared, pages.undeclared))


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
