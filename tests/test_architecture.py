"""The architecture, held by reading the imports of every file: which layer it is in, and what that may know.

``views → service → models``, ``service → pure domain``, editions through ``app.sdk`` alone; nothing the other way.
"""

import ast
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest

from tests.checkout import CHECKOUT, files_of_the_server

LAYERS: dict[str, tuple[str, ...]] = {
    # Rules and values: no web framework, no database, no clock.
    "pure": (
        "app.refusal",
        "app.translation",
        "app.version",
        "app.config",
        "app.*.reasons",
        "app.auth.folding",
        "app.auth.grams",
        "app.auth.passwords",
        "app.editions.compatibility",
        "app.editions.slots",
        "app.license.document",
        "app.license.issuing",
        "app.license.key",
        "app.license.policy",
        "app.license.preview",
        "app.license.screen",
        "app.license.signature",
        "app.settings.operation.actions",
        "app.settings.operation.csv_export",
        "app.settings.users.cursor",
    ),
    # What everything stands on: extensions, engines, the request's instant, logs, who may see what.
    "ground": (
        "app.clock",
        "app.database",
        "app.editions.texts",
        "app.events",
        "app.extensions",
        "app.liveness",
        "app.localisation",
        "app.logs",
        "app.migrating",
        "app.security",
    ),
    "models": ("app.*.models",),
    # What is done and read, in the words of the domain; the same for screen and command line.
    "service": (
        "app.audit",
        "app.auth.acting",
        "app.auth.bearer",
        "app.auth.census",
        "app.auth.identity",
        "app.auth.session_start",
        "app.auth.sessions",
        "app.auth.setup",
        "app.auth.throttle",
        "app.auth.tokens",
        "app.auth.users",
        "app.editions.base",
        "app.editions.catalogues",
        "app.editions.declarations",
        "app.editions.discovery",
        "app.editions.dispatch",
        "app.editions.failures",
        "app.editions.isolation",
        "app.editions.inspection",
        "app.editions.manifest",
        "app.editions.migration.layout",
        "app.editions.migrations",
        "app.editions.revisions",
        "app.editions.permissions",
        "app.editions.readiness",
        "app.editions.registration",
        "app.editions.registry",
        "app.editions.scaffold",
        "app.editions.rehearsal",
        "app.editions.setting_changes",
        "app.editions.settings",
        "app.editions.stand_ins",
        "app.editions.stored_settings",
        "app.editions.switches",
        "app.editions.upkeep",
        "app.editions.tables",
        "app.navigation",
        "app.settings.operation.audit_log",
        "app.settings.operation.titles",
        "app.settings.state",
        "app.settings.users.joining",
        "app.settings.users.listing",
        "app.texts",
        "app.*.service",
    ),
    # How it is answered over HTTP: forms, what screens show, the gate.
    "web": (
        "app.body",
        "app.api.document",
        "app.api.listing",
        "app.api.operations",
        "app.errors",
        "app.forms",
        "app.health",
        "app.body",
        "app.page",
        "app.routing",
        "app.editions.rendering",
        "app.sealing",
        "app.schema",
        "app.license.gate",
        "app.settings.operation.status",
        "app.settings.users.addresses",
        "app.*presenter",
        "app.*.forms",
    ),
    "views": ("app.*.views",),
    "sdk": ("app.sdk",),
    "editions": ("plugins.*",),
    "assembly": ("app.assembly", "app", "wsgi"),
    "commands": ("app.cli.*",),
    # What the tests of editions stand on; it starts the application.
    "testing": ("app.testing",),
}
"""Every file of the application is in exactly one; it imports from its own layer and those above it in this list."""

FRAMEWORKS = {"flask", "sqlalchemy", "werkzeug", "wtforms", "jinja2", "click", "alembic", "structlog"}
LICENSE_DOMAIN = ("reasons", "key", "signature", "document", "policy", "preview", "issuing")
"""The pure files of ``app/license``, in the order in which they may know each other."""
KNOWS_NO_EVALUATION = ("policy", "preview")
"""What ``issuing`` has no use for: a vendor has no installation."""


@cache
def modules() -> dict[str, Path]:
    """Every module of the application and its bundled editions, by its dotted name."""
    paths = [
        CHECKOUT / "wsgi.py",
        *(CHECKOUT / "app").rglob("*.py"),
        *files_of_the_server(CHECKOUT / "plugins", "*.py"),
    ]
    named = {}
    for path in sorted(paths):
        relative = path.relative_to(CHECKOUT)
        if {"migrations", "tests", "__pycache__"}.isdisjoint(relative.parts):
            named[".".join(relative.with_suffix("").parts).removesuffix(".__init__")] = path
    return named


@cache
def imports(module: str) -> frozenset[str]:
    """What ``module`` imports, wherever in the file; a name of a package that is a module counts as that module."""
    found = set[str]()
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively; write the whole name"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found.add(whole if whole in modules() else str(node.module))
    return frozenset(found - {module})


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(modules()[module].read_text(encoding="utf-8"))


def own_imports(module: str) -> Iterator[str]:
    """Those of the application's own modules that ``module`` imports."""
    return (name for name in imports(module) if name in modules())


def frameworks(module: str) -> set[str]:
    """The frameworks that ``module`` imports; ``flask_babel`` and the like count as Flask."""
    return {name.split(".")[0].split("_")[0] for name in imports(module)} & FRAMEWORKS


def is_empty_package(module: str) -> bool:
    """Whether it is an ``__init__.py`` that holds a docstring at most."""
    return modules()[module].name == "__init__.py" and len(_tree(module).body) <= 1


def layers_of(module: str) -> list[str]:
    """The layers that ``module`` is in; a whole name goes before a pattern."""
    exact = [layer for layer, patterns in LAYERS.items() if module in patterns]
    return exact or [
        layer for layer, patterns in LAYERS.items() if any(fnmatchcase(module, pattern) for pattern in patterns)
    ]


def layer_of(module: str) -> str:
    layers = layers_of(module)
    assert len(layers) == 1, f"{module} is in the layers {layers}: name its one layer in LAYERS of this file"
    return layers[0]


def modules_of(layer: str) -> list[str]:
    return [module for module in modules() if not is_empty_package(module) and layer in layers_of(module)]


every_module = pytest.mark.parametrize("module", [name for name in modules() if not is_empty_package(name)])


@every_module
def test_a_file_imports_from_its_own_layer_and_those_below_it(module: str) -> None:
    order = list(LAYERS)
    own = order.index(layer_of(module))
    known = {name: layer_of(name) for name in own_imports(module) if not is_empty_package(name)}
    wrong = {name: layer for name, layer in known.items() if order.index(layer) > own}
    assert not wrong, f"{module} ({layer_of(module)}) imports {wrong}"


def test_no_file_imports_itself_round_a_corner() -> None:
    finished: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " → ".join([*path[path.index(module) :], module])
        if module in finished:
            return
        for name in own_imports(module):
            visit(name, (*path, module))
        finished.add(module)

    for module in modules():
        visit(module, ())


@pytest.mark.parametrize("module", modules_of("pure"))
def test_a_pure_file_knows_no_framework_and_no_database(module: str) -> None:
    assert not frameworks(module)


@pytest.mark.parametrize("module", [f"app.license.{name}" for name in LICENSE_DOMAIN])
def test_the_license_domain_is_given_the_time(module: str) -> None:
    asked = [
        node.lineno
        for node in ast.walk(_tree(module))
        if isinstance(node, ast.Attribute) and node.attr in {"now", "today", "utcnow", "time_ns", "monotonic"}
    ]
    assert not asked, f"{module} asks for the time itself in line {asked}"


@pytest.mark.parametrize("name", LICENSE_DOMAIN)
def test_the_files_of_the_license_domain_know_each_other_in_one_order(name: str) -> None:
    known = {other.removeprefix("app.license.") for other in imports(f"app.license.{name}") if "app.license." in other}
    before = set(LICENSE_DOMAIN[: LICENSE_DOMAIN.index(name)])
    if name == "issuing":
        before -= set(KNOWS_NO_EVALUATION)
    assert known <= before


@pytest.mark.parametrize("module", modules_of("views"))
def test_a_view_touches_neither_the_database_nor_its_tables(module: str) -> None:
    tables = {name for name in own_imports(module) if fnmatchcase(name, "app.*.models")}
    assert not tables
    assert "sqlalchemy" not in frameworks(module)
    assert imports(module).isdisjoint({"app.database", "app.extensions"})


@pytest.mark.parametrize("module", [*modules_of("web"), *modules_of("views"), *modules_of("commands")])
def test_only_services_write(module: str) -> None:
    """Reading is another matter: ``/healthz``, the gate and ``flask doctor`` may ask the database themselves."""
    names = {node.id for node in ast.walk(_tree(module)) if isinstance(node, ast.Name)}
    assert "write_transaction" not in names


def test_the_session_of_the_extension_is_used_in_one_place() -> None:
    """``write_transaction()`` hands its session on; nobody else gets one."""
    users = {
        module
        for module in modules()
        for node in ast.walk(_tree(module))
        if isinstance(node, ast.Attribute)
        and node.attr == "session"
        and isinstance(node.value, ast.Name)
        and node.value.id == "db"
    }
    assert users <= {"app.database"}


PUBLISHED = {"plugins.desktop": {"plugins.standard.interface"}}
"""What modules that build on another edition import of it: the one file that it publishes."""


@pytest.mark.parametrize("module", modules_of("editions"))
def test_an_edition_knows_the_application_through_its_one_door(module: str) -> None:
    own_package = ".".join(module.split(".")[:2])
    outside = {
        name
        for name in imports(module)
        if name.split(".")[0] in {"app", "wsgi", "plugins"}
        and name != own_package
        and not name.startswith(f"{own_package}.")
    }
    assert outside <= {"app.sdk", *PUBLISHED.get(own_package, ())}


def test_the_application_knows_no_edition() -> None:
    knowing = {module for module in modules() for name in imports(module) if name.split(".")[0] == "plugins"}
    assert knowing <= set(modules_of("editions"))


def test_the_application_does_not_go_through_the_door_for_editions() -> None:
    through = {module for module in modules() if "app.sdk" in imports(module)}
    assert through <= {*modules_of("editions"), "app.testing"}
