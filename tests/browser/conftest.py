"""A real Chromium against gunicorn, as people use it."""

import gettext
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, sync_playwright

from app import create_app
from app.config import load_settings
from tests.browser.chromium import find_chromium
from tests.conftest import ADMINISTRATOR, MEMBER, PASSWORD, SECRET_KEY, add_person, present_key, register_key
from tests.license_keys import KID, key_pair
from tests.process.server import CHECKOUT, Server, environment_of

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SCREENSHOTS = os.environ.get("SCREENSHOTS", "")
"""A folder that the pictures of the README are written to; empty for none."""
PATIENCE_MS = 20_000
PEOPLE = (
    "Akira Aoyama",
    "Yui Fujita",
    "Ken Hasegawa",
    "Rin Ishikawa",
    "Daniel Keller",
    "Sota Kondo",
    "Emi Matsuda",
    "Naoki Mori",
    "Priya Nair",
    "Takumi Ogawa",
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for a file of tests; each test has a context of its own, without cookies.

    Not for the whole run: files elsewhere have this fixture as well, and Playwright is there once at a time.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(find_chromium()), args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Visit:
    """A person at a browser, and everything that the browser complained about."""

    page: Page
    base: str
    complaints: list[str]

    def open(self, path: str) -> None:
        self.page.goto(self.base + path)

    def log_in(self, login: str = ADMINISTRATOR, password: str = PASSWORD) -> None:
        self.open("/login")
        self.page.fill("#login", login)
        self.page.fill("#password", password)
        self.press(self.page.locator("main form button"))

    def press(self, button: Locator) -> None:
        """Press a button that sends a form, and wait for the page that answers."""
        with self.page.expect_navigation():
            button.click()

    def picture(self, name: str) -> None:
        """Keep a picture for the README, where they are asked for."""
        if SCREENSHOTS:
            self.page.screenshot(path=Path(SCREENSHOTS) / f"{name}.png", full_page=True)


@contextmanager
def visiting(
    browser: Browser,
    base: str,
    *,
    language: str = "en-GB",
    width: int = 1280,
    height: int = 800,
    scheme: str = "light",
    javascript: bool = True,
) -> Iterator[Visit]:
    """A visit in a fresh context; fails at its end where the browser complained, such as about our CSP."""
    context: BrowserContext = browser.new_context(
        viewport={"width": width, "height": height},
        locale=language,
        color_scheme=scheme,  # type: ignore[arg-type]  # "light" or "dark"
        java_script_enabled=javascript,
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    visit = Visit(page, base, [])

    def note(message: ConsoleMessage) -> None:
        # Chromium reports each answer of 4xx as an error on the console; those are meant.
        if message.type in ("error", "warning") and "the server responded with a status of" not in message.text:
            visit.complaints.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    yield visit
    context.close()
    assert visit.complaints == []


def translator(language: str) -> Callable[[str], str]:
    """The texts of the screens in a language; English is the language of the message ids."""
    catalogue = gettext.translation("messages", CHECKOUT / "app" / "locale", [language], fallback=language == "en")
    return catalogue.gettext


@pytest.fixture(scope="module")
def company(
    tmp_path_factory: pytest.TempPathFactory, sqlite_templates: dict[str, Path]
) -> Iterator[tuple[Flask, Server]]:
    """A small company behind gunicorn: two administrators, members, one deleted, a license for 25 users."""
    folder = tmp_path_factory.mktemp("company")
    (folder / "keys").mkdir()
    (folder / "keys" / f"{KID}.pem").write_bytes(key_pair().public_pem())
    database = folder / "timetracker.sqlite3"
    database.write_bytes(sqlite_templates["empty"].read_bytes())
    app = create_app(load_settings({}, instance_path=folder, secret_key=SECRET_KEY, time_zone="Asia/Tokyo"))
    add_person(app, ADMINISTRATOR, name="Haruka Kitamura", admin=True)
    add_person(app, MEMBER, name="Mio Sakai")
    for name in PEOPLE:
        first, last = name.lower().split()
        add_person(app, f"{first[0]}.{last}", name=name, password=None, admin=name == "Ken Hasegawa")
    register_key(app, seats=25, sub="Kitamura Precision Co., Ltd.")
    with Server({**environment_of(app), "TIMETRACKER_TIME_ZONE": "Asia/Tokyo"}) as server:
        yield app, server


@pytest.fixture
def company_url(company: tuple[Flask, Server]) -> str:
    return f"http://127.0.0.1:{company[1].port}"


@dataclass(frozen=True)
class Evaluation:
    """What ``make run`` leaves and prints."""

    base: str
    setup_code: str
    license_key: str
    instance: Path


@pytest.fixture
def evaluation(tmp_path: Path) -> Iterator[Evaluation]:
    """A first run: settings, keys and database made by the commands behind ``make run``, then gunicorn."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("TIMETRACKER_")},
        "TIMETRACKER_INSTANCE_PATH": str(tmp_path / "instance"),
        "FLASK_APP": "app",
    }

    def flask(*arguments: str) -> str:
        command = [sys.executable, "-m", "flask", *arguments]
        return subprocess.run(command, cwd=CHECKOUT, env=environment, check=True, capture_output=True, text=True).stdout

    flask("evaluation", "start")
    code = flask("setup-code").split()[-1]
    key = (tmp_path / "instance" / "evaluation-license-key.txt").read_text().strip()
    with Server(environment) as server:
        yield Evaluation(f"http://127.0.0.1:{server.port}", code, key, tmp_path / "instance")


@pytest.fixture
def small_key() -> str:
    """A license key for three users that the company's installation accepts."""
    return present_key(seats=3)
