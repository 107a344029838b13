"""The manifest: what an edition declares, read once, checked, and frozen."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint

from app.editions import reasons
from app.editions.base import Edition, Feature
from app.editions.compatibility import check_api_version
from app.navigation import NavItem
from app.refusal import Refusal

NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
NAME_LIMIT = 64
"""The longest name of an edition or a feature, in characters; license keys take no longer one."""
TEXT_LIMIT = 300
_FEATURE_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*\.[a-z][a-z0-9]*(?:_[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one edition declares; nobody looks at the ``Edition`` object again after this has been read off it."""

    name: str
    title: str
    description: str
    version: str
    api_version: int
    extends: str | None
    included_in: tuple[str, ...]
    features: tuple[Feature, ...]
    blueprints: tuple[Blueprint, ...] = field(repr=False)
    start_page: str | None
    navigation: tuple[NavItem, ...]

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
    manifest = Manifest(
        name=name,
        title=_checked(edition, "title", _is_text, f"a text of 1 to {TEXT_LIMIT} characters"),
        description=_checked(edition, "description", _is_text_or_empty, f"a text of at most {TEXT_LIMIT} characters"),
        version=_checked(edition, "version", _is_text_or_empty, "a text") or package_version,
        api_version=api_version,
        extends=_checked(edition, "extends", _is_name_or_none, "the name of an edition or None"),
        included_in=_checked(edition, "included_in", _tuple_of(_is_name), "a tuple of names of editions"),
        features=_checked(edition, "features", _tuple_of(_is_feature), "a tuple of Feature"),
        blueprints=_checked(edition, "blueprints", _tuple_of(_is_blueprint), "a tuple of blueprints"),
        start_page=_checked(edition, "start_page", _is_text_or_none, "an endpoint or None"),
        navigation=_checked(edition, "navigation", _tuple_of(_is_nav_item), "a tuple of NavItem"),
    )
    _check_features(manifest)
    _check_blueprints(manifest)
    if manifest.is_module and (manifest.extends or manifest.start_page):
        raise malformed("a module, which has included_in, has neither extends nor start_page")
    return manifest


def check_name(name: str) -> None:
    """Refuse an entry point whose name no edition can have, before anything is imported.

    Raises:
        Refusal: ``edition_malformed``.
    """
    if not _is_name(name):
        raise malformed(f"{name!r:.80} is no name for an edition, such as field_service")


def malformed(problem: str) -> Refusal:
    """The refusal of a declaration; ``problem`` is for the author, in English, without a full stop."""
    return Refusal(reasons.MALFORMED, problem=problem)


def _checked(edition: Edition, attribute: str, is_right: Callable[[Any], bool], wanted: str) -> Any:
    value = getattr(edition, attribute, None)
    if not is_right(value):
        raise malformed(f"{attribute} is {_described(value)} and not {wanted}")
    return value


def _described(value: object) -> str:
    return "missing" if value is None else f"{value!r:.80}"


def _check_features(manifest: Manifest) -> None:
    seen = set()
    for feature in manifest.features:
        if not _FEATURE_NAME.fullmatch(feature.name) or len(feature.name) > NAME_LIMIT:
            raise malformed(f"the feature name {feature.name!r:.80} is not of the form timesheet.start")
        if feature.name in seen:
            raise malformed(f"the feature {feature.name} is declared twice")
        seen.add(feature.name)


def _check_blueprints(manifest: Manifest) -> None:
    for blueprint in manifest.blueprints:
        if not is_own_name(blueprint.name, manifest.name):
            wanted = f"{manifest.name} or begin with {manifest.name}_"
            raise malformed(f"the blueprint {blueprint.name!r:.80} should be named {wanted}")


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


def _is_name(value: object) -> bool:
    return isinstance(value, str) and len(value) <= NAME_LIMIT and NAME.fullmatch(value) is not None


def _is_name_or_none(value: object) -> bool:
    return value is None or _is_name(value)


def _is_feature(value: object) -> bool:
    if not isinstance(value, Feature) or not isinstance(value.name, str):
        return False
    return _is_text(value.title) and _is_text_or_empty(value.description)


def _is_blueprint(value: object) -> bool:
    return isinstance(value, Blueprint)


def _is_nav_item(value: object) -> bool:
    return isinstance(value, NavItem)


def _tuple_of(is_right: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, tuple) and all(map(is_right, value))
