"""A wheel, an sdist and an editable installation each start the application, with all that it needs beside its code."""

import ast
import configparser
import json
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.checkout import CHECKOUT, clean_environment, copy_checkout, files_of_the_server, install, make_environment

LOOK = """
import json
from importlib.metadata import entry_points
from importlib.resources import files

import app
from app import create_app

application = create_app()
client = application.test_client()


def answer(path):
    response = client.get(path, follow_redirects=True)
    return [response.status_code, response.text]


print(json.dumps({
    "where": app.__file__,
    "version": app.version.__version__,
    "instance": application.instance_path,
    "login": answer("/login"),
    "stylesheet": answer("/static/rx.css")[0],
    "healthz": answer("/healthz")[0],
    "typed": files("app").joinpath("py.typed").is_file(),
    "migrations": sorted(path.name for path in files("app").joinpath("migrations", "versions").iterdir()),
    "templates": sorted(path.name for path in files("app.templates").iterdir()),
    "commands": sorted(point.name for point in entry_points(group="flask.commands") if point.load()),
    "editions": sorted(application.extensions["editions"].manifests),
}))
"""
MIGRATIONS = CHECKOUT / "app" / "migrations" / "versions"
SECRET_KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and with the wheel that was built from it."""
    source = copy_checkout(tmp_path_factory.mktemp("distributions") / "source")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(source / "dist"), str(source)],
        check=True,
        env=clean_environment(),
        capture_output=True,
        text=True,
    )
    return source / "dist"


@dataclass(frozen=True, slots=True)
class Installation:
    """TimeTracker RX in an environment of its own."""

    python: Path
    environment: Path
    checkout: Path | None
    """Where it runs from, where it is installed editable."""


@pytest.fixture(scope="session", params=["wheel", "sdist", "editable"])
def installation(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation of each kind."""
    folder = tmp_path_factory.mktemp(request.param)
    environment = folder / "environment"
    python = make_environment(environment)
    if request.param == "editable":
        checkout = copy_checkout(folder / "checkout")
        install(python, "--editable", str(checkout))
        return Installation(python, environment, checkout)
    built: Path = request.getfixturevalue("distributions")
    (distribution,) = built.glob("*.whl" if request.param == "wheel" else "*.tar.gz")
    install(python, str(distribution))
    return Installation(python, environment, None)


def run(installation: Installation, folder: Path, *arguments: str, **variables: str) -> str:
    """Run the installation's python in ``folder``, which has nothing to do with it; returns what it prints."""
    finished = subprocess.run(
        [str(installation.python), *arguments],
        cwd=folder,
        env=clean_environment(FLASK_APP="wsgi", **variables),
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def test_every_way_of_installing_starts_the_application(installation: Installation, tmp_path: Path) -> None:
    settings = {"TIMETRACKER_SECRET_KEY": SECRET_KEY, "TIMETRACKER_INSTANCE_PATH": str(tmp_path)}
    run(installation, tmp_path, "-m", "flask", "db", "upgrade", **settings)
    seen = json.loads(run(installation, tmp_path, "-c", LOOK, **settings))

    assert (installation.checkout or installation.environment) in Path(seen["where"]).parents
    assert seen["instance"] == str(tmp_path)
    status, page = seen["login"]
    assert status == 200
    assert "<html" in page
    assert seen["stylesheet"] == seen["healthz"] == 200
    assert seen["typed"]
    assert set(seen["migrations"]) >= {path.name for path in MIGRATIONS.glob("*.py")}
    assert set(seen["templates"]) >= {path.name for path in (CHECKOUT / "templates").glob("*.html")}
    assert seen["commands"] == sorted(_entry_points("flask.commands"))
    assert seen["editions"] == sorted(_entry_points("timetracker.editions"))


def test_an_installed_application_keeps_its_instance_out_of_the_environment(
    installation: Installation, tmp_path: Path
) -> None:
    program = "from app.config import load_settings; print(load_settings().instance_path)"
    shown = Path(run(installation, tmp_path, "-c", program, HOME=str(tmp_path)).strip())
    if installation.checkout is None:
        assert shown == tmp_path / ".timetracker-rx"
    else:
        assert shown == installation.checkout / "instance"


def test_an_installation_brings_the_settings_of_gunicorn(installation: Installation) -> None:
    folder = installation.checkout or installation.environment / "share" / "timetracker-rx"
    assert (folder / "gunicorn.conf.py").is_file()


def test_a_wheel_brings_all_templates_static_files_and_texts(distributions: Path) -> None:

    (wheel,) = distributions.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    wanted = {f"app/templates/{path}" for path in _files(CHECKOUT / "templates")}
    wanted |= {f"app/{path}" for path in _files(CHECKOUT / "app")}
    wanted |= {f"plugins/{path}" for path in _files(CHECKOUT / "plugins") if "tests" not in path.parts}
    assert sorted(wanted - packed) == []


def test_a_wheel_brings_nothing_of_an_instance_and_no_tests(distributions: Path) -> None:

    (wheel,) = distributions.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        top = {name.split("/")[0] for name in archive.namelist()}
    assert {name for name in top if not name.startswith("timetracker_rx-")} == {"app", "plugins", "wsgi.py"}


def test_every_package_of_the_tree_is_named_in_setup_cfg() -> None:
    found = {
        ".".join(path.parent.relative_to(CHECKOUT).parts)
        for top in ("app", "plugins")
        for path in files_of_the_server(CHECKOUT / top, "__init__.py")
        if {"tests"}.isdisjoint(path.parts)
    }
    assert sorted(_setup_cfg()["options"]["packages"].split()) == sorted(found | {"app.templates"})


def test_every_package_that_is_imported_is_required() -> None:
    """Nothing works only because another package happens to bring it along."""
    imported = {
        name.partition(".")[0]
        for path in (
            CHECKOUT / "wsgi.py",
            *(CHECKOUT / "app").rglob("*.py"),
            *files_of_the_server(CHECKOUT / "plugins", "*.py"),
        )
        if {"tests"}.isdisjoint(path.parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in _imported_names(node)
    }
    imported.discard("pytest")  # app.testing is loaded by pytest itself, and by nobody else
    distributions = packages_distributions()
    foreign = {name for name in imported - set(sys.stdlib_module_names) if name not in {"app", "plugins"}}
    required = {
        canonicalize_name(Requirement(line).name)
        for line in _setup_cfg()["options"]["install_requires"].split("\n")
        if line
    }
    missing = {name for name in foreign if required.isdisjoint(map(canonicalize_name, distributions[name]))}
    assert missing == set()


def _imported_names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []


def _files(folder: Path) -> set[Path]:
    """What lies in ``folder``, without what Python, other tools and translators leave there."""
    return {
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.is_file()
        and path.suffix not in {".pot", ".cfg", ".md"}
        and not _is_left_there(path.relative_to(folder))
    }


def _is_left_there(path: Path) -> bool:
    """Whether it lies in a folder that is not the checkout's own, such as an environment."""
    return any(part == "__pycache__" or part.startswith(".") or part.endswith(".egg-info") for part in path.parts[:-1])


def _setup_cfg() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(CHECKOUT / "setup.cfg", encoding="utf-8")
    return parser


def _entry_points(group: str) -> list[str]:
    lines = _setup_cfg()["options.entry_points"][group].strip().splitlines()
    return [line.partition("=")[0].strip() for line in lines]
