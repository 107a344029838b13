"""Installs editions for one test: modules on the import path, and entry points that lead to them."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import EntryPoint
from importlib.metadata import entry_points as installed_entry_points
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import event

from app import create_app
from app.config import load_settings
from app.editions import discovery
from app.editions.discovery import Discovered
from app.extensions import db

SOUND = """
    from app.sdk import AuditAction, Edition, EditionBlueprint, Feature, NavItem, requires_feature

    pages = EditionBlueprint("{name}", __name__, feature="{name}.board")

    @pages.get("/")
    def board():
        return "the board of {name}"

    class Plugin(Edition):
        name = "{name}"
        title = "{title}"
        api_version = 1
        features = (Feature("{name}.board", "Board of {title}", "Everybody's tasks."),)
        blueprints = (pages,)
        navigation = (NavItem("{name}.board", "Board of {title}", "inbox"),)
"""


def sound(name: str = "acme", **attributes: str) -> str:
    """Source of an edition without fault; ``attributes`` are set on the class, each to an expression."""
    lines = "".join(f"        {attribute} = {value}\n" for attribute, value in attributes.items())
    return dedent(SOUND.format(name=name, title=name.title()) + lines)


class Shelf:
    """The editions that a test has installed beside the bundled one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.entries: list[EntryPoint] = []
        self.modules: list[str] = []

    def install(
        self, name: str, source: str, *, package: str = "", version: str = "1.2.3", target: str = "Plugin"
    ) -> None:
        """Install a package with one module and an entry point ``name`` that leads to ``target`` in it."""
        package = package or f"{name}-package"
        module = f"plugin_{len(self.modules)}_{package.replace('-', '_')}"
        (self.folder / f"{module}.py").write_text(dedent(source))
        self.modules.append(module)
        self.add(name, f"{module}:{target}", package=package, version=version)

    def install_package(self, name: str, files: Mapping[str, str], *, version: str = "1.2.3") -> Path:
        """Install a package of several files, by their paths in it; its ``__init__.py`` has the edition ``Plugin``."""
        module = f"plugin_{len(self.modules)}_{name}"
        for path, text in files.items():
            file = self.folder / module / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(dedent(text))
        self.modules.append(module)
        self.add(name, f"{module}:Plugin", package=f"{name}-package", version=version)
        return self.folder / module

    def add(self, name: str, value: str, *, package: str, version: str = "1.2.3") -> None:
        """Add an entry point alone."""
        distribution = SimpleNamespace(name=package, version=version)
        self.entries.append(EntryPoint(name, value, discovery.GROUP)._for(distribution))


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    shelf = Shelf(folder)
    monkeypatch.setattr(discovery, "entry_points", lambda group: [*shelf.entries, *installed_entry_points(group=group)])
    yield shelf
    for module in [name for name in sys.modules if name.partition(".")[0] in shelf.modules]:
        del sys.modules[module]


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., Flask]:
    """Start the application without a database; keyword arguments are settings."""
    return lambda **settings: create_app(
        load_settings(
            {},
            **{
                "instance_path": tmp_path,
                "license_public_keys": tmp_path,
                "secret_key": "x" * 40,
                "edition_failures_raise": False,
                **settings,
            },
        )
    )


@pytest.fixture
def make_app(make_app: Callable[..., Flask]) -> Callable[..., Flask]:
    """As everywhere, but an edition that fails is only shown."""
    return lambda **settings: make_app(**{"edition_failures_raise": False, **settings})


def found_in(app: Flask, name: str) -> Discovered:
    """What became of the edition ``name``, which is not a duplicate."""
    (found,) = (
        found for found in app.extensions["editions"].found if found.name == name and found.state != "duplicate"
    )
    return found


@contextmanager
def statements_of(app: Flask) -> Iterator[list[str]]:
    """All statements that the application executes meanwhile."""
    with app.app_context():
        engines = list(db.engines.values())
    seen: list[str] = []

    def note(*arguments: object) -> None:
        seen.append(str(arguments[2]))

    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield seen
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)
