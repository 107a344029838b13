"""Every page passes axe-core, at any width, in both themes and languages, without JavaScript, and by keyboard alone."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Visit, visiting
from tests.conftest import ADMINISTRATOR, MEMBER, PASSWORD, present_key

pytestmark = [pytest.mark.browser, pytest.mark.process]
LICENSE = "/settings/operation/license"
PAGES = (
    "/",
    "/account",
    LICENSE,
    "/settings/users",
    "/settings/users?state=deleted",
    "/settings/users?q=nobody-at-all",
    "/settings/users/new",
    "/settings/users/3",
    "/settings/general",
    "/settings/operation/editions",
    "/settings/operation/editions/standard/disable",
    "/settings/operation/status",
    "/settings/operation/audit",
    "/no/such/page",
)
VIEWS = [("en-GB", 1280, "light"), ("en-GB", 360, "dark"), ("ja", 1280, "dark"), ("ja", 360, "light")]


def violations(page: Page) -> list[str]:
    """What axe-core finds with all its default rules."""
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['target']} {node['failureSummary']}" for rule in found for node in rule["nodes"]]


def overflows(page: Page) -> bool:
    """Whether the page scrolls sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def check(visit: Visit, where: str) -> None:
    assert violations(visit.page) == [], where
    assert not overflows(visit.page), where


@pytest.mark.parametrize(("language", "width", "scheme"), VIEWS)
def test_every_page_is_accessible_and_fits(
    chromium: Browser, company_url: str, language: str, width: int, scheme: str
) -> None:
    with visiting(chromium, company_url, language=language, width=width, scheme=scheme) as visit:
        visit.open("/login")
        check(visit, "/login")
        visit.log_in()
        for path in PAGES:
            visit.open(path)
            check(visit, path)
        for menu in visit.page.locator("details.rx-menu:visible > summary").all():
            menu.click()
            assert violations(visit.page) == []


@pytest.mark.parametrize(("language", "width", "scheme"), VIEWS)
def test_what_a_key_leads_to_is_accessible_and_fits(
    chromium: Browser, company_url: str, small_key: str, language: str, width: int, scheme: str
) -> None:
    with visiting(chromium, company_url, language=language, width=width, scheme=scheme) as visit:
        visit.log_in()
        for key in ("garbage", small_key):
            visit.open(LICENSE)
            visit.page.fill("#license_key", key)
            visit.press(visit.page.locator("#register button.btn-primary"))
            check(visit, key[:10])
        if (language, width) == ("en-GB", 1280):
            visit.picture("preview-en")


@pytest.mark.parametrize(("language", "width", "scheme"), VIEWS)
def test_refusals_are_accessible_and_fit(
    chromium: Browser, company_url: str, language: str, width: int, scheme: str
) -> None:
    with visiting(chromium, company_url, language=language, width=width, scheme=scheme) as visit:
        visit.log_in(MEMBER, "wrong password")
        check(visit, "wrong password")
        visit.log_in(MEMBER)
        for path in ("/settings/users", "/no/such/page"):
            visit.open(path)
            check(visit, path)


def test_at_320_pixels_nothing_scrolls_sideways(chromium: Browser, company_url: str) -> None:
    with visiting(chromium, company_url, width=320) as visit:
        visit.log_in()
        for path in PAGES:
            visit.open(path)
            assert not overflows(visit.page), path


def test_without_javascript_one_can_log_in_open_menus_and_register(chromium: Browser, company_url: str) -> None:
    with visiting(chromium, company_url, javascript=False) as visit:
        page = visit.page
        visit.log_in()
        page.locator(".rx-menu--end > summary").click()
        page.locator('.rx-menu--end a[href^="/settings/users"]').click()
        page.locator(".rx-nav--full details > summary").click()
        page.locator(f'.rx-nav--full a[href="{LICENSE}"]').click()
        page.fill("#license_key", "garbage")
        visit.press(page.locator("#register button.btn-primary"))
        expect(page.locator("#license_key")).to_have_value("garbage")
        expect(page.locator("#license_key-error")).to_contain_text("malformed")


def test_by_keyboard_alone_one_can_log_in_and_get_to_the_license_field(chromium: Browser, company_url: str) -> None:
    with visiting(chromium, company_url) as visit:
        page = visit.page
        visit.open("/login")
        expect(page.locator("#login")).to_be_focused()
        page.keyboard.type(ADMINISTRATOR)
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/")
        visit.open(LICENSE)
        seen: list[str] = []
        for _ in range(60):
            page.keyboard.press("Tab")
            focused = page.evaluate(
                """() => {
                    const one = document.activeElement, style = getComputedStyle(one);
                    const box = one.getBoundingClientRect();
                    return [one.id, style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2
                        || style.boxShadow !== "none", box.width > 0 && box.top >= 0];
                }"""
            )
            assert focused[1], f"no visible focus at {focused[0] or seen[-1:]}"
            seen.append(focused[0])
            if focused[0] == "license_key":
                return
        pytest.fail(f"the field was never reached: {seen}")


def test_escape_and_a_click_outside_close_a_menu(chromium: Browser, company_url: str) -> None:
    with visiting(chromium, company_url) as visit:
        visit.log_in()
        menu = visit.page.locator(".rx-menu--end")
        menu.locator("summary").click()
        visit.page.keyboard.press("Escape")
        expect(menu).not_to_have_attribute("open", "")
        menu.locator("summary").click()
        visit.page.locator("h1").click()
        expect(menu).not_to_have_attribute("open", "")


def test_the_persons_theme_wins_over_the_systems(chromium: Browser, company_url: str) -> None:
    with visiting(chromium, company_url, scheme="light") as visit:
        visit.log_in(MEMBER)
        visit.open("/account")
        visit.page.select_option("#theme", "dark")
        visit.press(visit.page.locator("main form button.btn-primary").first)
        visit.open("/account")
        ground = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == "rgb(14, 16, 20)"
        assert violations(visit.page) == []
        visit.page.select_option("#theme", "auto")
        visit.press(visit.page.locator("main form button.btn-primary").first)


def test_two_administrators_at_once_see_what_the_other_did(chromium: Browser, company_url: str) -> None:
    with visiting(chromium, company_url) as one, visiting(chromium, company_url) as other:
        key = present_key(seats=3)
        for visit in (one, other):
            visit.log_in()
            visit.open(LICENSE)
            visit.page.fill("#license_key", key)
            visit.press(visit.page.locator("#register button[name=check]"))
            visit.page.check("#confirm")
        one.press(one.page.locator("main form button.btn-danger"))
        expect(one.page.locator("h1")).to_have_text("License")
        other.press(other.page.locator("main form button.btn-danger"))
        expect(other.page.locator("#license_key-error")).to_contain_text("already_registered")
        larger = present_key(seats=25)
        other.page.fill("#license_key", larger)
        other.press(other.page.locator("#register button.btn-primary"))
        expect(other.page.locator("main")).to_contain_text("13 seats free")
        one.page.reload()
        expect(one.page.locator("main")).to_contain_text("13 seats free")


def test_pictures_have_a_place_to_go() -> None:
    """The README's pictures lie where it looks; ``SCREENSHOTS=tests/screenshots make test`` takes them anew."""
    folder = Path(__file__).parents[1] / "screenshots"
    for name in ("license", "exceeded", "preview", "users", "login-refused", "start", "timesheet", "month", "reports"):
        assert (folder / f"{name}-en.png").stat().st_size > 10_000
