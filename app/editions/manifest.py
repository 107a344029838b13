"""The manifest: what an edition declares, read once, checked, and frozen."""

import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from flask import Blueprint
from flask.sansio.blueprints import Blueprint as BaseBlueprint
from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from app.editions import reasons
from app.editions.base import Edition
from app.editions.compatibility import check_api_version, check_application
from app.editions.declarations import AuditAction, Card, Feature, Listener, Permission, SlotContent
from app.editions.settings import Setting
from app.editions.slots import SLOTS
from app.editions.tables import NAME_LIMIT as TABLE_NAME_LIMIT
from app.editions.tables import edition_of_metadata, is_version_table, table_prefix, version_table
from app.events import Event
from app.navigation import NavItem
from app.refusal import Refusal
from app.settings.operation.actions import ACTIONS

NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
NAME_LIMIT = 64
"""The longest name of an edition or a feature, in characters; license keys take no longer one."""
TEXT_LIMIT = 300
_DOTTED_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*\.[a-z][a-z0-9]*(?:_[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one edition declares; nobody looks at the ``Edition`` object again after this has been read off it."""

    name: str
    title: str
    description: str
    version: str
    folder: Path
    """Of the module that declares it; translations and migrations lie in it."""
    api_version: int
    requires_app: str
    order: int
    extends: str | None
    included_in: tuple[str, ...]
    features: tuple[Feature, ...]
    permissions: tuple[Permission, ...]
    settings: tuple[Setting[Any], ...]
    audit_actions: tuple[AuditAction, ...]
    blueprints: tuple[Blueprint, ...] = field(repr=False)
    start_page: str | None
    navigation: tuple[NavItem, ...]
    cards: tuple[Card, ...]
    slots: tuple[SlotContent, ...]
    commands: tuple[click.Command, ...] = field(repr=False)
    metadata: MetaData | None = field(repr=False)
    """Its tables; None where it has none."""
    migrations: Path
    """Folder of the migrations of its tables."""
    listeners: tuple[Listener[Any], ...] = field(repr=False)

    @property
    def is_module(self) -> bool:
        """Whether it is a module, which editions include and no license names."""
        return bool(self.included_in)


def read_manifest(edition: Edition, *, name: str, package_version: str) -> Manifest:
    """Read and check every attribute of ``edition``, each of them once.

    The name and the version of ``app.sdk`` come first: of an edition that was written for another one nothing else can
    be judged.

    Args:
        edition: as its package made it.
        name: the entry point's, which the edition's own has to equal.
        package_version: taken where the edition says no version.

    Raises:
        Refusal: ``edition_malformed``, or a code of ``check_api_version``.
        Exception: whatever a property of the edition raises.
    """
    if getattr(edition, "name", None) != name:
        raise malformed(f"name is {getattr(edition, 'name', None)!r} and its entry point {name!r}")
    api_version = _checked(edition, "api_version", _is_number, "a whole number")
    check_api_version(api_version)
    requires_app = _checked(edition, "requires_app", _is_text_or_empty, "a text such as >=1.2")
    check_application(requires_app)
    folder = Path(inspect.getfile(type(edition))).parent
    models = _checked(edition, "models", _is_models_or_none, "a subclass of DeclarativeBase or None")
    manifest = Manifest(
        name=name,
        title=_checked(edition, "title", _is_text, f"a text of 1 to {TEXT_LIMIT} characters"),
        description=_checked(edition, "description", _is_text_or_empty, f"a text of at most {TEXT_LIMIT} characters"),
        version=_checked(edition, "version", _is_text_or_empty, "a text") or package_version,
        folder=folder,
        api_version=api_version,
        requires_app=requires_app,
        order=_checked(edition, "order", _is_number, "a whole number"),
        extends=_checked(edition, "extends", _is_name_or_none, "the name of an edition or None"),
        included_in=_checked(edition, "included_in", _tuple_of(is_name), "a tuple of names of editions"),
        features=_checked(edition, "features", _tuple_of(_is_feature), "a tuple of Feature"),
        permissions=_checked(edition, "permissions", _tuple_of(_is_permission), "a tuple of Permission"),
        settings=_checked(edition, "settings", _tuple_of(_is_setting), "a tuple of settings"),
        audit_actions=_checked(edition, "audit_actions", _tuple_of(_is_audit_action), "a tuple of AuditAction"),
        blueprints=_checked(edition, "blueprints", _tuple_of(_is_blueprint), "a tuple of blueprints"),
        start_page=_checked(edition, "start_page", _is_text_or_none, "an endpoint or None"),
        navigation=_checked(edition, "navigation", _tuple_of(_is_nav_item), "a tuple of NavItem"),
        cards=_checked(edition, "cards", _tuple_of(_is_card), "a tuple of Card"),
        slots=_checked(edition, "slots", _tuple_of(_is_slot_content), "a tuple of SlotContent"),
        commands=_checked(edition, "commands", _tuple_of(_is_command), "a tuple of click commands"),
        metadata=models.metadata if models is not None else None,
        migrations=folder / _checked(edition, "migrations", is_name, "the name of a folder"),
        listeners=_checked(edition, "listeners", _tuple_of(_is_listener), "a tuple of Listener"),
    )
    _check_names("feature", manifest.features)
    _check_names("permission", manifest.permissions, prefix=f"{name}.")
    _check_names("setting", manifest.settings, prefix=f"{name}.")
    _check_settings(manifest.settings)
    _check_names("audit action", manifest.audit_actions)
    _check_unique("audit action", [*ACTIONS, *(action.name for action in manifest.audit_actions)])
    _check_unique("card", [card.name for card in manifest.cards])
    _check_unique("command", [str(command.name) for command in manifest.commands])
    _check_blueprints(manifest)
    _check_tables(manifest)
    if manifest.is_module and (manifest.extends or manifest.start_page):
        raise malformed("a module, which has included_in, has neither extends nor start_page")
    return manifest


def check_name(name: str) -> None:
    """Refuse an entry point whose name no edition can have, before anything is imported.

    Raises:
        Refusal: ``edition_malformed``.
    """
    if not is_name(name):
        raise malformed(f"{name!r:.80} is no name for an edition, such as field_service")


def malformed(problem: str) -> Refusal:
    """The refusal of a declaration; ``problem`` is for the author, in English, without a full stop."""
    return Refusal(reasons.MALFORMED, problem=problem)


def _checked(edition: Edition, attribute: str, is_right: Callable[[Any], bool], wanted: str) -> Any:
    value = getattr(edition, attribute, None)
    if not is_right(value):
        if is_right((value,)):
            raise malformed(
                f"{attribute} is one {type(value).__name__} and not {wanted}: a comma behind it makes it one"
            )
        raise malformed(f"{attribute} is {_described(value)} and not {wanted}")
    return value


def _described(value: object) -> str:
    return "missing" if value is None else f"{value!r:.80}"


_Named = Feature | Permission | Setting[Any] | AuditAction


def _check_names(kind: str, declared: Iterable[_Named], prefix: str = "") -> None:
    names = [value.name for value in declared]
    for name in names:
        if not _DOTTED_NAME.fullmatch(name) or len(name) > NAME_LIMIT or not name.startswith(prefix):
            raise malformed(f"the {kind} name {name!r:.80} is not of the form {prefix or 'timesheet.'}start")
    _check_unique(kind, names)


def _check_settings(settings: Iterable[Setting[Any]]) -> None:
    for setting in settings:
        problem = setting.problem()
        if problem:
            raise malformed(f"of the setting {setting.name} {problem}")


def _check_unique(kind: str, names: Iterable[str]) -> None:
    seen = set()
    for name in names:
        if name in seen:
            raise malformed(f"the {kind} {name} is declared twice")
        seen.add(name)


def _check_blueprints(manifest: Manifest) -> None:
    for blueprint in manifest.blueprints:
        if not is_own_name(blueprint.name, manifest.name):
            wanted = f"{manifest.name} or begin with {manifest.name}_"
            raise malformed(f"the blueprint {blueprint.name!r:.80} should be named {wanted}")


def check_templates(edition: str, blueprint: BaseBlueprint) -> None:
    """Templates of all editions are looked up by name in one space, so each edition keeps to a folder of its own.

    Raises:
        Refusal: ``edition_malformed``.
    """
    if blueprint.template_folder is None:
        return
    folder = Path(blueprint.root_path) / blueprint.template_folder
    strays = sorted(path.name for path in folder.glob("*") if path.name != edition)
    if strays:
        raise malformed(f"templates/{strays[0]} lies outside templates/{edition}")


def _check_tables(manifest: Manifest) -> None:
    if manifest.metadata is None:
        return
    for table in manifest.metadata.tables:
        if not table.startswith(table_prefix(manifest.name)):
            raise malformed(f"the table {table:.80} should begin with {table_prefix(manifest.name)}")
        if is_version_table(table):
            raise malformed(f"the table {table:.80} ends with _version, as the tables that migrations keep do")
    if edition_of_metadata(manifest.metadata) != manifest.name:
        raise malformed(f'the metadata of its models is not that of edition_metadata("{manifest.name}")')
    for table in (*manifest.metadata.tables, version_table(manifest.name)):
        if len(table) > TABLE_NAME_LIMIT:
            raise malformed(f"the table {table:.80} has a name of more than {TABLE_NAME_LIMIT} characters")


def is_own_name(name: str, edition: str) -> bool:
    """Whether ``name`` of a blueprint, command or filter says that it belongs to ``edition``."""
    return name == edition or name.startswith(f"{edition}_")


def _is_number(value: object) -> bool:
    return type(value) is int


def _is_text_or_empty(value: object) -> bool:
    return isinstance(value, str) and len(value) <= TEXT_LIMIT and (value.isprintable() or not value)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and _is_text_or_empty(value) and bool(value.strip())


def _is_text_or_none(value: object) -> bool:
    return value is None or _is_text(value)


def is_name(value: object) -> bool:
    """Whether ``value`` is a slug that an edition can be called."""
    return isinstance(value, str) and len(value) <= NAME_LIMIT and NAME.fullmatch(value) is not None


def _is_name_or_none(value: object) -> bool:
    return value is None or is_name(value)


def _is_feature(value: object) -> bool:
    return isinstance(value, Feature) and _is_titled(value)


def _is_permission(value: object) -> bool:
    return isinstance(value, Permission) and _is_titled(value)


def _is_audit_action(value: object) -> bool:
    return isinstance(value, AuditAction) and isinstance(value.name, str) and _is_text(value.title)


def _is_setting(value: object) -> bool:
    return isinstance(value, Setting) and isinstance(value.name, str)


def _is_titled(value: Feature | Permission) -> bool:
    return isinstance(value.name, str) and _is_text(value.title) and _is_text_or_empty(value.description)


def _is_card(value: object) -> bool:
    if not isinstance(value, Card) or not isinstance(value.feature, str):
        return False
    return is_name(value.name) and _is_text(value.title) and callable(value.view)


def _is_slot_content(value: object) -> bool:
    if not isinstance(value, SlotContent) or not isinstance(value.feature, str):
        return False
    return value.slot in SLOTS and callable(value.view)


def _is_command(value: object) -> bool:
    return isinstance(value, click.Command) and bool(value.name)


def _is_models_or_none(value: object) -> bool:
    return value is None or (isinstance(value, type) and issubclass(value, DeclarativeBase))


def _is_listener(value: object) -> bool:
    if not isinstance(value, Listener) or not callable(value.handler):
        return False
    return isinstance(value.event, type) and issubclass(value.event, Event)


def _is_blueprint(value: object) -> bool:
    return isinstance(value, Blueprint)


def _is_nav_item(value: object) -> bool:
    if not isinstance(value, NavItem) or not isinstance(value.endpoint, str) or not isinstance(value.children, tuple):
        return False
    return _is_text(value.label) and _is_text_or_empty(value.icon) and all(map(_is_nav_item, value.children))


def _tuple_of(is_right: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, tuple) and all(map(is_right, value))
