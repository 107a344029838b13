"""Find the Chromium that the browser tests drive, or install one; ``make test`` runs this file first.

Looked for in this order: the variable ``CHROMIUM``, the search path, what Playwright has fetched.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DEBIAN_PACKAGES = ("chromium", "fonts-noto-cjk")
DOWNLOAD_SECONDS = 600
NONE_FOUND = (
    "The browser tests need a Chromium, and none could be found or installed.\n"
    "Install the package chromium (Debian: apt install chromium fonts-noto-cjk; Fedora: dnf install chromium "
    "google-noto-sans-cjk-fonts; macOS: brew install --cask chromium),\n"
    "or name one that is there: make test CHROMIUM=/path/to/chromium"
)


class ChromiumMissingError(Exception):
    """There is no Chromium; the text says what to do."""


def find_chromium() -> Path:
    """Return a Chromium that starts.

    Raises:
        ChromiumMissingError: there is none.
    """
    if named := os.environ.get("CHROMIUM"):
        if _starts(named):
            return Path(named)
        raise ChromiumMissingError(f"CHROMIUM names {named}, which does not start.")
    for name in NAMES:
        path = shutil.which(name)
        if path and _starts(path):
            return Path(path)
    fetched = _fetched_by_playwright()
    if _starts(fetched):
        return Path(fetched)
    raise ChromiumMissingError(NONE_FOUND)


def _fetched_by_playwright() -> str:
    """Where Playwright keeps the Chromium of its version, whether it is there or not.

    Asked in a process of its own, because a test may have a Playwright running already.
    """
    program = (
        "from playwright.sync_api import sync_playwright as start\n"
        "with start() as playwright: print(playwright.chromium.executable_path)"
    )
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    ).stdout.strip()


def _starts(program: str) -> bool:
    """Whether the program runs at all: one whose libraries are missing does not."""
    try:
        return subprocess.run([program, "--version"], capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _run(*command: str) -> bool:
    """Run a command whose output the person may watch; whether it worked."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        return subprocess.run(command, env=environment, timeout=DOWNLOAD_SECONDS, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _fetch_with_playwright() -> bool:
    return _run(sys.executable, "-m", "playwright", "install", "chromium")


def _install_on_debian() -> bool:
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return False
    return _run("apt-get", "update", "-qq") and _run(
        "apt-get", "install", "-qq", "-y", "--no-install-recommends", *DEBIAN_PACKAGES
    )


def ensure_chromium() -> Path:
    """Return a Chromium that starts, installing one where there is none.

    Raises:
        ChromiumMissingError: there is none, and none could be installed.
    """
    for install in (_fetch_with_playwright, _install_on_debian):
        try:
            return find_chromium()
        except ChromiumMissingError:
            if "CHROMIUM" in os.environ:
                raise
        install()
    return find_chromium()


if __name__ == "__main__":
    try:
        print(f"The browser tests use {ensure_chromium()}.")  # noqa: T201 - a program's output
    except ChromiumMissingError as error:
        sys.exit(str(error))
