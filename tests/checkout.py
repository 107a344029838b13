"""Copies of the checkout, and virtual environments that need neither network nor minutes."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
CLIENT = CHECKOUT / "plugins" / "desktop" / "client"
"""The desktop application: a package of its own for other computers, with tests, types and texts of its own."""
LEFT_BEHIND = (
    ".git",
    ".venv",
    ".*_cache",
    ".hypothesis",
    "__pycache__",
    "*.egg-info",
    "build",
    "dist",
)
PIP_WITHOUT_NETWORK = {
    "PIP_NO_INDEX": "1",
    "PIP_NO_DEPS": "1",
    "PIP_NO_BUILD_ISOLATION": "0",  # pip's own way of writing --no-build-isolation
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}
"""Lets pip install what lies here with what the environment has."""
FOREIGN_VARIABLES = ("TIMETRACKER_", "FLASK_", "PYTHON", "GUNICORN_", "LICENSE_", "PYTEST_", "VIRTUAL_ENV")


def files_of_the_server(folder: Path, pattern: str) -> list[Path]:
    """What below ``folder`` has a name like ``pattern``, without the desktop application and its environment."""
    return sorted(path for path in folder.rglob(pattern) if CLIENT not in path.parents)


def copy_checkout(destination: Path) -> Path:
    """Copy what a fresh clone would hold to ``destination``; an instance folder comes along empty."""
    instance = CHECKOUT / "instance"

    def left_behind(folder: str, names: list[str]) -> set[str]:
        if Path(folder) == instance:
            return set(names) - {".gitignore"}
        return set(shutil.ignore_patterns(*LEFT_BEHIND)(folder, names))

    shutil.copytree(CHECKOUT, destination, ignore=left_behind)
    return destination


def make_environment(folder: Path) -> Path:
    """Make an environment that has the packages of the running one, without TimeTracker RX; returns its python."""
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    site_packages = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    running = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    # A .pth file adds these folders without reading the .pth files in them: so not the editable TimeTracker RX.
    (Path(site_packages) / "running.pth").write_text("".join(f"{path}\n" for path in sorted(running)))
    return python


def install(python: Path, *what: str) -> None:
    """Install ``what`` for ``python`` with the running pip, building with the running setuptools."""
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-index"]
    alone = ["--no-deps", "--no-build-isolation", "--ignore-installed", "--disable-pip-version-check"]
    subprocess.run([*pip, *alone, *what], check=True, env=clean_environment(), capture_output=True, text=True)


def add_programs(environment: Path, *modules: str) -> None:
    """Put the programs there that pip would have put there: those of ``modules``, and pip itself."""
    for name in modules:
        _write_program(environment / "bin" / name, f'exec "{environment}/bin/python" -m {name} "$@"')
    pip = f'exec "{sys.executable}" -m pip --python "{environment}/bin/python" "$@"'
    _write_program(environment / "bin" / "pip", pip)


def _write_program(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def clean_environment(**variables: str) -> dict[str, str]:
    """The environment of this process without what would reach into the application; and ``variables``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN_VARIABLES)}
    return {**kept, **variables}
