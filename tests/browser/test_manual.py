"""The original's manual, "Registering License Keys", clicked through from an empty installation to a governed one."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Evaluation, Visit, translator, visiting
from tests.conftest import ADMINISTRATOR, MEMBER, PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.process]
SEATS = 25


def heading(page: Page, text: str) -> None:
    expect(page.locator("h1")).to_have_text(text)


def set_up(visit: Visit, evaluation: Evaluation, language: str) -> None:
    """The first page: the one-time code, and the first system administrator."""
    page = visit.page
    page.goto(evaluation.base)
    page.fill("#setup_code", evaluation.setup_code)
    page.fill("#name", "Haruka Kitamura")
    page.fill("#login", ADMINISTRATOR)
    page.fill("#password", PASSWORD)
    page.fill("#password_again", PASSWORD)
    page.select_option("#language", language)
    page.select_option("#time_zone", "Asia/Tokyo")
    visit.picture(f"setup-{language}")
    visit.press(page.locator("main form button"))


def walk_to_license(page: Page, base: str, _: Callable[[str], str]) -> None:
    """Manual: login name → System Settings → System Operation → License."""
    page.goto(base + "/account")
    page.locator(".rx-menu--end > summary").click()
    page.get_by_role("link", name=_("System Settings"), exact=True).click()
    page.locator(".rx-nav--full summary", has_text=_("System Operation")).click()
    page.locator(".rx-nav--full .rx-menu__panel").get_by_role("link", name=_("License"), exact=True).click()
    heading(page, _("License"))


def add_user(visit: Visit, login: str, name: str, *, password: str = "") -> None:
    page = visit.page
    visit.open("/settings/users/new")
    page.fill("#login", login)
    page.fill("#name", name)
    if password:
        page.fill("#password", password)
        page.fill("#password_again", password)
    visit.press(page.locator("main form button.btn-primary"))


@pytest.mark.parametrize("language", ["en", "ja"])
def test_from_an_empty_installation_to_a_governed_application(
    chromium: Browser, evaluation: Evaluation, language: str
) -> None:
    _ = translator(language)
    base = evaluation.base
    with (
        visiting(chromium, base, language=language) as administrator,
        visiting(chromium, base, language=language) as member,
    ):
        page = administrator.page
        set_up(administrator, evaluation, language)
        heading(page, _("License"))
        expect(page.locator("main")).to_contain_text(_("No license is registered."))
        administrator.picture(f"unlicensed-{language}")

        walk_to_license(page, base, _)
        page.fill("#license_key", "“" + "\n> ".join(_pieces(evaluation.license_key)) + "”")
        administrator.press(page.get_by_role("button", name=_("Register License")))
        expect(page.locator(".rx-fact--xl").first).to_contain_text(str(SEATS))
        expect(page.locator("[role=status]").first).to_be_visible()
        administrator.picture(f"license-{language}")

        add_user(administrator, MEMBER, "Mio Sakai", password=PASSWORD)
        for number in range(SEATS - 2):
            add_user(administrator, f"colleague{number}", f"Colleague {number}")
        member.log_in(MEMBER)
        assert member.page.url == base + "/"

        add_user(administrator, "one.too.many", "Too Many")
        heading_before = page.locator("main").inner_text()
        assert "26" in heading_before
        administrator.picture(f"past-the-seats-{language}")
        page.check("#confirm")
        administrator.press(page.locator("main form button.btn-danger"))

        member.open("/")
        expect(member.page.locator("main")).to_contain_text(_("The number of licenses has been exceeded."))
        member.picture(f"locked-out-{language}")
        member.press(member.page.get_by_role("button", name=_("Log out")))
        member.log_in(MEMBER)
        expect(member.page.locator("main")).to_contain_text("seats_exceeded")
        member.picture(f"login-refused-{language}")

        page.goto(base + "/")
        assert page.url == base + "/settings/operation/license"
        administrator.picture(f"exceeded-{language}")

        page.goto(base + "/settings/users?q=one.too.many")
        page.locator("tbody input[type=checkbox]").first.check()
        administrator.picture(f"users-{language}")
        administrator.press(page.locator(".rx-selbar button").first)
        administrator.picture(f"delete-{language}")
        administrator.press(page.locator("main form button.btn-danger"))
        expect(page.locator("[role=status]").first).to_be_visible()

        member.log_in(MEMBER)
        assert member.page.url == base + "/"


def _pieces(key: str) -> list[str]:
    """The key as a mail program breaks it."""
    return [key[start : start + 72] for start in range(0, len(key), 72)]
