"""Pairing in a real browser: by keyboard, without JavaScript, at any width, in both themes and languages."""

import json
import urllib.parse
import urllib.request

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from plugins.desktop.pairing.rules import CLIENT_ID, GRANT_TYPE
from tests.browser.conftest import Visit, chromium, company, company_url, visiting  # noqa: F401 - fixtures by their names

pytestmark = [pytest.mark.browser, pytest.mark.process]
VIEWS = [("en-GB", 1280, "light"), ("en-GB", 360, "dark"), ("ja", 1280, "dark"), ("ja", 360, "light")]


def ask(url: str, **fields: str) -> dict[str, str]:
    """What a device asks, and is answered."""
    data = urllib.parse.urlencode({"client_id": CLIENT_ID, **fields}).encode()
    with urllib.request.urlopen(url, data) as answer:  # noqa: S310 - the server of this test
        answered: dict[str, str] = json.load(answer)
    return answered


def check(visit: Visit, where: str) -> None:
    found = Axe().run(visit.page).response["violations"]
    assert [f"{rule['id']}: {node['target']}" for rule in found for node in rule["nodes"]] == [], where
    assert not visit.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"), where


@pytest.mark.parametrize(("language", "width", "scheme"), VIEWS)
def test_a_device_is_connected_on_pages_that_are_accessible_and_fit(
    chromium: Browser,  # noqa: F811 - the fixture
    company_url: str,  # noqa: F811 - likewise
    language: str,
    width: int,
    scheme: str,
) -> None:
    begun = ask(f"{company_url}/api/v1/desktop/pairing", device_name=f"Notebook {language} {width}")
    with visiting(chromium, company_url, language=language, width=width, scheme=scheme) as visit:
        visit.log_in()
        visit.page.goto(begun["verification_uri_complete"])
        check(visit, "pair")
        visit.page.press("[name=user_code]", "Enter")
        expect(visit.page.get_by_text(f"Notebook {language} {width}")).to_be_visible()
        check(visit, "confirm")
        visit.press(visit.page.locator("button[value=confirm]"))
        poll = {"grant_type": GRANT_TYPE, "device_code": begun["device_code"]}
        assert ask(f"{company_url}/api/v1/desktop/token", **poll)["token_type"] == "Bearer"
        visit.open("/desktop/")
        expect(visit.page.get_by_role("listitem").filter(has_text=f"Notebook {language} {width}")).to_be_visible()
        check(visit, "devices")
        visit.open("/api/v1/docs")
        check(visit, "docs")


def test_a_device_is_connected_without_javascript(
    chromium: Browser,  # noqa: F811 - the fixture
    company_url: str,  # noqa: F811 - likewise
) -> None:
    begun = ask(f"{company_url}/api/v1/desktop/pairing", device_name="Without a script")
    with visiting(chromium, company_url, javascript=False) as visit:
        visit.log_in()
        visit.open("/desktop/pair")
        visit.page.fill("[name=user_code]", "wrong-one")
        visit.press(visit.page.locator("main button.btn-primary"))
        expect(visit.page.locator(".invalid-feedback")).to_contain_text("pairing_code_unknown")
        visit.page.fill("[name=user_code]", begun["user_code"].lower().replace("-", ""))
        visit.press(visit.page.locator("main button.btn-primary"))
        visit.press(visit.page.locator("button[value=confirm]"))
        expect(visit.page.locator("main")).to_contain_text("Without a script")
