"""The bar fits whatever editions put into it: with more items than there is room for it becomes a menu."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from app import create_app
from app.config import load_settings
from tests.browser.conftest import visiting
from tests.browser.test_pages import overflows, violations
from tests.conftest import MEMBER, SECRET_KEY, add_person, register_key
from tests.license_keys import KID, key_pair
from tests.process.server import Server, environment_of

pytestmark = [pytest.mark.browser, pytest.mark.process]
MOST = 10
"""How many items the edition of this test has; a license says how many of them there are."""
EDITION = f"""
from app.sdk import Edition, EditionBlueprint, Feature, NavItem, render_template, requires_feature

pages = EditionBlueprint("sites", __name__, feature="sites.page1")
features = tuple(Feature(f"sites.page{{n}}", f"Sites {{n}}", "A page.") for n in range(1, {MOST} + 1))

for feature in features:
    view = requires_feature(feature.name)(lambda: render_template("base.html"))
    pages.add_url_rule(f"/{{feature.name}}", feature.name.replace(".", "_"), view)


class SitesEdition(Edition):
    name = "sites"
    title = "Sites"
    api_version = 1
    features = features
    blueprints = (pages,)
    navigation = tuple(
        NavItem(f"sites.{{each.name.replace('.', '_')}}", each.title, "building") for each in features
    )
"""
OF_STANDARD = 5
"""How many items a member has without it: with four more there are nine, which is where the bar begins to give way."""
WIDTHS = (320, 360, 640, 768, 896, 1024, 1056, 1152, 1216, 1280, 1366, 1440, 1472, 1536, 1680, 1920, 2560)
BAR, MENU = ".rx-nav--full", ".rx-burger"


@pytest.fixture(scope="module")
def wide_company(
    tmp_path_factory: pytest.TempPathFactory, sqlite_templates: dict[str, Path]
) -> Iterator[tuple[Flask, str]]:
    """An installation with an edition of many items, which lies on the server's import path alone."""
    folder = tmp_path_factory.mktemp("wide")
    site, metadata = folder / "site", folder / "site" / "sites-1.0.dist-info"
    metadata.mkdir(parents=True)
    (site / "sites_edition.py").write_text(EDITION)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: sites\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[timetracker.editions]\nsites = sites_edition:SitesEdition\n")
    (folder / "keys").mkdir()
    (folder / "keys" / f"{KID}.pem").write_bytes(key_pair().public_pem())
    (folder / "timetracker.sqlite3").write_bytes(sqlite_templates["empty"].read_bytes())
    app = create_app(load_settings({}, instance_path=folder, secret_key=SECRET_KEY, time_zone="Asia/Tokyo"))
    add_person(app, MEMBER, name="Mio Sakai")
    environment = environment_of(app)
    with Server({**environment, "PYTHONPATH": f"{environment['PYTHONPATH']}:{site}"}, workers=1) as server:
        yield app, f"http://127.0.0.1:{server.port}"


def license_items(app: Flask, count: int) -> None:
    register_key(app, seats=50, features=[f"sites.page{number}" for number in range(1, count + 1)])


def spills(page: Page) -> list[str]:
    """What of the bar stands outside it, in a second line, or upon something else."""
    spilled: list[str] = page.evaluate(
        """() => {
            const bar = document.querySelector(".rx-top__bar"), frame = bar.getBoundingClientRect();
            const parts = [...bar.querySelectorAll(".rx-nav--full > ul > li"),
                ...[...bar.children].filter((one) => !one.matches(".rx-nav--full, .rx-push"))];
            const boxes = parts.map((one) => [one, one.getBoundingClientRect()]).filter(([, box]) => box.width > 0);
            boxes.sort(([, one], [, other]) => one.left - other.left);
            return boxes.filter(([, box], at) => box.left < frame.left - 1 || box.right > frame.right + 1
                || box.bottom > frame.bottom + 1 || (at && box.left < boxes[at - 1][1].right - 1)
            ).map(([one]) => one.textContent.trim());
        }"""
    )
    return spilled


@pytest.mark.parametrize("language", ["en-GB", "ja"])
@pytest.mark.parametrize("count", [4, 5, 7])
def test_items_that_do_not_fit_become_a_menu(
    chromium: Browser, wide_company: tuple[Flask, str], language: str, count: int
) -> None:
    app, url = wide_company
    license_items(app, count)
    last = f"Sites {count}"
    with visiting(chromium, url, language=language) as visit:
        page = visit.page
        visit.log_in(MEMBER)
        assert page.locator(f"{BAR} > ul > li").count() == count + OF_STANDARD
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            assert not overflows(page), width
            assert spills(page) == [], width
            shown = [page.locator(place).is_visible() for place in (BAR, MENU)]
            assert shown in ([True, False], [False, True]), width
            if shown[0]:
                expect(page.locator(BAR).get_by_role("link", name=last, exact=True)).to_be_visible()
        page.set_viewport_size({"width": 360, "height": 800})
        page.locator(f"{MENU} > summary").click()
        assert page.locator(f"{MENU} a[href*='/sites/']").count() == count
        assert violations(page) == []
        assert not overflows(page)
        page.locator(MENU).get_by_role("link", name=last, exact=True).click()
        expect(page).to_have_url(f"{url}/sites/sites.page{count}")


def test_the_widest_screen_has_the_menu_when_there_are_too_many_items(
    chromium: Browser, wide_company: tuple[Flask, str]
) -> None:
    app, url = wide_company
    with visiting(chromium, url, width=2560) as visit:
        license_items(app, 3)
        visit.log_in(MEMBER)
        expect(visit.page.locator(BAR)).to_be_visible()
        license_items(app, MOST)
        visit.page.reload()
        expect(visit.page.locator(BAR)).to_be_hidden()
        expect(visit.page.locator(MENU)).to_be_visible()
