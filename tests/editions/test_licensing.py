"""Which features a license brings, over editions that extend others and modules that come with some."""

from collections.abc import Callable
from importlib import import_module

import pytest
from flask import Flask

from app.editions import registry
from app.license.policy import Standing, StandingKind, Usability
from plugins.desktop import DesktopEdition
from plugins.standard import StandardEdition
from tests.conftest import ADMINISTRATOR, MEMBER, ONLY_SQLITE
from tests.editions.conftest import Shelf, sound
from tests.editions.test_slots import browser, open_for_business
from tests.license_keys import read

STANDARD = {feature.name for bundled in (StandardEdition, DesktopEdition) for feature in bundled.features}


def standing(kind: StandingKind = StandingKind.ACTIVE, **claims: object) -> Standing:
    usability = Usability(usable=True, until=None, code=None)
    return Standing(kind, read(**claims), None, None, 1, usability, usability)


@pytest.fixture
def editions(shelf: Shelf, start: Callable[..., Flask]) -> Flask:
    shelf.install("professional", sound("professional", extends="'standard'"))
    shelf.install("enterprise", sound("enterprise", extends="'professional'", start_page="'enterprise.board'"))
    shelf.install("field", sound("field", included_in="('professional',)"))
    shelf.install("payroll", sound("payroll", included_in="('enterprise', 'not_installed')"))
    shelf.install("boards", sound("boards"))
    return start(edition_failures_raise=True)


@pytest.mark.parametrize(
    ("edition", "features"),
    [
        ("standard", STANDARD),
        ("professional", STANDARD | {"professional.board", "field.board"}),
        (
            "enterprise",
            STANDARD | {"professional.board", "field.board", "enterprise.board", "payroll.board"},
        ),
        ("boards", {"boards.board"}),
        ("field", set()),
        ("not_installed", set()),
    ],
)
def test_an_edition_brings_what_it_extends_and_its_modules(editions: Flask, edition: str, features: set[str]) -> None:
    with editions.app_context():
        assert registry.features_of_edition(edition) == features
        assert registry.licensed_features(standing(edition=edition)) == features


def test_a_license_names_editions_and_no_modules(editions: Flask) -> None:
    with editions.app_context():
        assert set(registry.known_editions()) == {"standard", "professional", "enterprise", "boards"}


def test_add_on_features_come_beside_those_of_the_edition(editions: Flask) -> None:
    with editions.app_context():
        licensed = registry.licensed_features(standing(edition="standard", features=["boards.board"]))
        assert licensed == STANDARD | {"boards.board"}
        assert registry.features_of_edition("standard") == STANDARD


@pytest.mark.parametrize(
    ("kind", "holds"),
    [
        (StandingKind.ACTIVE, True),
        (StandingKind.GRACE, True),
        (StandingKind.SEATS_EXCEEDED, True),
        (StandingKind.EXPIRED, False),
        (StandingKind.NOT_STARTED, False),
        (StandingKind.WRONG_INSTALLATION, False),
    ],
)
def test_only_a_license_in_force_brings_features(editions: Flask, kind: StandingKind, *, holds: bool) -> None:
    with editions.app_context():
        assert bool(registry.licensed_features(standing(kind, features=["boards.board"]))) is holds


def test_without_a_license_there_are_no_features(editions: Flask) -> None:
    usability = Usability(usable=False, until=None, code="unlicensed")
    unlicensed = Standing(StandingKind.UNLICENSED, None, None, None, 1, usability, usability)
    with editions.app_context():
        assert registry.licensed_features(unlicensed) == frozenset()
        assert registry.start_page(unlicensed) is None


@pytest.mark.parametrize(
    ("edition", "page"),
    [
        ("standard", "standard.start"),
        ("professional", "standard.start"),
        ("enterprise", "enterprise.board"),
        ("boards", None),
        ("not_installed", None),
    ],
)
def test_an_edition_without_a_start_page_has_that_of_the_one_it_extends(
    editions: Flask, edition: str, page: str | None
) -> None:
    with editions.app_context():
        assert registry.start_page(standing(edition=edition)) == page


def test_titles_are_looked_up_by_name(editions: Flask) -> None:
    with editions.test_request_context():
        assert registry.title_of_edition("professional") == "Professional"
        assert registry.title_of_edition("not_installed") == "not_installed"
        assert registry.feature_titles()["timesheet.start"] == "Dashboard"
        assert next(iter(registry.feature_titles())) == "timesheet.start"


# No way round 402 ---------------------------------------------------------------------------------------------------

SEVERAL_WAYS = """
from flask.views import MethodView

called = []
pages.before_request(lambda: called.append("hook"))

@pages.get("/page")
def page():
    called.append("page")
    return "secret"

@pages.route("/folder/", methods=["GET", "POST"])
def folder():
    called.append("folder")
    return "secret"

@pages.route("/own", methods=["GET", "OPTIONS"], provide_automatic_options=False)
def own():
    called.append("own")
    return "secret"

class Each(MethodView):
    init_every_request = False
    def get(self):
        called.append("each")
        return "secret"
    post = put = patch = delete = options = head = get
pages.add_url_rule("/each", view_func=Each.as_view("each"))
"""
WAYS_ROUND = [
    *((method, "/acme/page") for method in ("GET", "HEAD", "OPTIONS")),
    *((method, "/acme/folder/") for method in ("GET", "HEAD", "OPTIONS", "POST")),
    *((method, "/acme/own") for method in ("GET", "HEAD", "OPTIONS")),
    *((method, "/acme/each") for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")),
    ("GET", "/acme/page?x=1"),
    ("GET", "/acme/%70age"),
]
NOWHERE = [
    ("POST", "/acme/page", 405),
    ("GET", "/acme/page/", 404),
    ("GET", "/acme/PAGE", 404),
    ("GET", "/acme/folder", 308),
    ("GET", "/acme//page", 308),
]


@ONLY_SQLITE
@pytest.mark.parametrize("prefix", ["", "/tracker"])
def test_no_method_slash_or_prefix_gives_a_way_round_402(
    shelf: Shelf, make_app: Callable[..., Flask], prefix: str
) -> None:
    shelf.install("acme", sound() + SEVERAL_WAYS)
    app = open_for_business(make_app, features=[])
    called = import_module(shelf.modules[0]).called
    for login in (MEMBER, ADMINISTRATOR):
        client = browser(app, login)
        under = {"environ_overrides": {"SCRIPT_NAME": prefix}}
        for method, path in WAYS_ROUND:
            answer = client.open(path, method=method, **under)
            assert (answer.status_code, "secret" in answer.text) == (402, False), (method, path)
        for method, path, status in NOWHERE:
            answer = client.open(path, method=method, **under)
            assert (answer.status_code, "secret" in answer.text) == (status, False), (method, path)
            if status == 308:
                assert client.get(answer.location, **under).status_code in (402, 404)
    assert called == []
