"""Cards and slots: what is licensed and permitted is shown at its place, and templates can ask what is licensed."""

from collections.abc import Callable

import pytest
from flask import Flask, render_template_string
from flask.testing import FlaskClient
from jinja2 import TemplateRuntimeError
from sqlalchemy import insert, select

from app.auth.models import User, UserPermission
from app.database import write_transaction
from app.editions import registry
from app.editions.slots import SLOTS
from app.sdk import feature_licensed
from tests.conftest import ADMINISTRATOR, MEMBER, ONLY_SQLITE, add_person, log_in, register_key
from tests.editions.conftest import Shelf, found_in, sound, statements_of

MakeApp = Callable[..., Flask]
FEATURE = "acme.board"
SHOWING = """
from markupsafe import Markup
from app.sdk import Card, Permission, SlotContent, current_user
from app.sdk import render_template

def card(text, name="board", title="My board", **more):
    return Card(name, title, lambda: text, "acme.board", **more)

def content(slot, text, **more):
    return SlotContent(slot, lambda **values: text, more.pop("feature", "acme.board"), **more)

Plugin.permissions = (Permission("acme.read", "Read"),)
"""


def showing(declared: str) -> str:
    """Source of the edition acme with cards and slots; ``card`` and ``content`` make such as show a text."""
    return sound() + SHOWING + declared


def open_for_business(make_app: MakeApp, **claims: object) -> Flask:
    app = make_app()
    add_person(app, ADMINISTRATOR, name="Haruka Kitamura", admin=True)
    add_person(app, MEMBER, name="Mio Sakai")
    register_key(app, **{"seats": 50, "features": [FEATURE], **claims})
    return app


def browser(app: Flask, login: str = MEMBER) -> FlaskClient:
    client = app.test_client()
    log_in(client, login)
    return client


def permit(app: Flask, login: str, permission: str) -> None:
    with app.app_context(), write_transaction() as session:
        user_id = session.execute(select(User.id).where(User.login == login)).scalar_one()
        session.execute(insert(UserPermission).values(user_id=user_id, permission=permission))


# Cards --------------------------------------------------------------------------------------------------------------


@ONLY_SQLITE
def test_cards_are_on_the_start_page_in_their_order(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("acme", showing("Plugin.cards = (card('first'), card('second', 'wall', 'My wall', wide=True))"))
    page = browser(open_for_business(make_app)).get("/").text
    assert '<section class="rx-card" aria-labelledby="card-acme-board">' in page
    assert '<section class="rx-card rx-board__wide" aria-labelledby="card-acme-wall">' in page
    assert '<h2 id="card-acme-wall">My wall</h2>' in page
    assert page.index("first") < page.index("second")


@ONLY_SQLITE
def test_a_plain_text_is_shown_as_written_and_a_rendered_template_as_html(shelf: Shelf, make_app: MakeApp) -> None:
    template = shelf.folder / "templates" / "acme" / "card.html"
    template.parent.mkdir(parents=True)
    template.write_text("<p class='acme'>{{ name }}</p>")
    cards = """
pages.template_folder = "templates"
rendered = Card("html", "HTML", lambda: render_template("acme/card.html", name="<Mio>"), "acme.board")
Plugin.cards = (card("<script>alert(1)</script>"), rendered)
"""
    shelf.install("acme", showing(cards))
    page = browser(open_for_business(make_app)).get("/").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    assert "<p class='acme'>&lt;Mio&gt;</p>" in page


@ONLY_SQLITE
def test_a_card_without_content_is_not_shown(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("acme", showing("Plugin.cards = (card(' \\n'), card('', 'other'))"))
    page = browser(open_for_business(make_app)).get("/").text
    assert "My board" not in page
    assert "rx-board" not in page


@ONLY_SQLITE
def test_a_card_comes_and_goes_with_the_license(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("acme", showing("Plugin.cards = (card('hello'),)"))
    app = open_for_business(make_app, features=[])
    member, administrator = browser(app), browser(app, ADMINISTRATOR)
    assert "My board" not in member.get("/").text
    assert "My board" not in administrator.get("/").text
    register_key(app, seats=50, features=[FEATURE])
    assert "My board" in member.get("/").text
    register_key(app, seats=50)
    assert "My board" not in member.get("/").text


@ONLY_SQLITE
def test_a_card_with_a_permission_is_for_its_holders_and_administrators(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("acme", showing("Plugin.cards = (card('hello', permission='acme.read'),)"))
    app = open_for_business(make_app)
    member = browser(app)
    assert "My board" not in member.get("/").text
    assert "My board" in browser(app, ADMINISTRATOR).get("/").text
    permit(app, MEMBER, "acme.read")
    assert "My board" in member.get("/").text


@ONLY_SQLITE
def test_a_card_knows_who_looks_at_it(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("acme", showing("Plugin.cards = (Card('me', 'Me', lambda: current_user().name, 'acme.board'),)"))
    assert "Mio Sakai" in browser(open_for_business(make_app)).get("/").text.partition("card-acme-me")[2]


# Slots --------------------------------------------------------------------------------------------------------------

ALL_SLOTS = "Plugin.slots = tuple(content(slot, f'in {slot}') for slot in ('dashboard', 'navigation.tools', 'account'))"


@ONLY_SQLITE
def test_every_slot_is_open_where_it_says(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("acme", showing(f"Plugin.slots = tuple(content(slot, 'in ' + slot) for slot in {tuple(SLOTS)!r})"))
    app = open_for_business(make_app)
    member, administrator = browser(app), browser(app, ADMINISTRATOR)
    places = {
        "dashboard": [(member, "/"), (administrator, "/")],
        "navigation.tools": [(member, "/"), (member, "/account"), (member, "/nowhere"), (administrator, "/")],
        "account": [(member, "/account")],
        "user.detail": [(administrator, "/settings/users/1")],
        "settings.footer": [
            (administrator, path) for path in ("/settings/users", "/settings/users/1", "/settings/operation/license")
        ],
    }
    assert places.keys() == SLOTS.keys()
    pages = {(client, path) for of_slot in places.values() for client, path in of_slot}
    for client, path in pages:
        page = client.get(path).text
        shown = {slot for slot in SLOTS if f"in {slot}" in page}
        assert shown == {slot for slot, of_slot in places.items() if (client, path) in of_slot}, path


@ONLY_SQLITE
def test_a_slot_gives_its_values_to_the_view(shelf: Shelf, make_app: MakeApp) -> None:
    slots = "Plugin.slots = (SlotContent('user.detail', lambda user_id: f'number {user_id + 1000}', 'acme.board'),)"
    shelf.install("acme", showing(slots))
    client = browser(open_for_business(make_app), ADMINISTRATOR)
    assert "number 1002" in client.get("/settings/users/2").text


@ONLY_SQLITE
def test_contents_of_a_slot_are_licensed_and_permitted_each(shelf: Shelf, make_app: MakeApp) -> None:
    slots = """
Plugin.features += (__import__("app.sdk").sdk.Feature("acme.more", "More"),)
Plugin.slots = (
    content("account", "for all"), content("account", "more", feature="acme.more"),
    content("account", "readers", permission="acme.read"), content("account", "last"),
)
"""
    shelf.install("acme", showing(slots))
    app = open_for_business(make_app)
    client = browser(app)
    page = client.get("/account").text
    assert "for all\nlast" in page or "for alllast" in page
    assert "readers" not in page
    permit(app, MEMBER, "acme.read")
    register_key(app, seats=50, features=[FEATURE, "acme.more"])
    page = client.get("/account").text
    assert page.index("for all") < page.index(">more" if ">more" in page else "more") < page.index("readers")


@ONLY_SQLITE
def test_a_restricted_installation_shows_nothing_of_editions_outside_the_admin_screen(
    shelf: Shelf, make_app: MakeApp
) -> None:
    shelf.install("acme", showing(f"Plugin.slots = tuple(content(slot, 'in ' + slot) for slot in {tuple(SLOTS)!r})"))
    app = open_for_business(make_app, seats=1)
    client = browser(app, ADMINISTRATOR)
    account, user = client.get("/account").text, client.get("/settings/users/2").text
    assert [slot for slot in SLOTS if f"in {slot}" in account + user] == ["user.detail", "settings.footer"]


@ONLY_SQLITE
def test_whoever_is_not_logged_in_sees_nothing_of_editions(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("acme", showing(f"Plugin.slots = tuple(content(slot, 'in ' + slot) for slot in {tuple(SLOTS)!r})"))
    client = open_for_business(make_app).test_client()
    for path in ("/login", "/nowhere"):
        assert "in navigation.tools" not in client.get(path).text


@ONLY_SQLITE
def test_a_slot_that_does_not_exist_is_a_mistake_of_the_template(make_app: MakeApp) -> None:
    app = make_app()
    with app.test_request_context():
        with pytest.raises(LookupError, match="there is no slot 'dashbord'; there are dashboard, "):
            render_template_string("{{ slot('dashbord') }}")
        with pytest.raises(TypeError, match=r"the slot user\.detail gives user_id, and the template gave nothing"):
            render_template_string("{{ slot('user.detail') }}")


@ONLY_SQLITE
@pytest.mark.parametrize(
    ("declared", "problem"),
    [
        (
            "Plugin.cards = (Card('bad', 'Bad', lambda user: '', 'acme.board'),)",
            "the view of the card bad is called with other arguments (missing a required argument: 'user')",
        ),
        (
            "Plugin.slots = (SlotContent('user.detail', lambda: '', 'acme.board'),)",
            "the view for user.detail is called with other arguments (got an unexpected keyword argument 'user_id')",
        ),
        (
            "async def later():\n    return ''\n\nPlugin.cards = (Card('bad', 'Bad', later, 'acme.board'),)",
            "the view of the card bad is asynchronous, and would never be awaited",
        ),
        ("Plugin.cards = (card('one'), card('two'))", "the card board is declared twice"),
        (
            "from app.sdk import Listener, UserAdded\nPlugin.listeners = (Listener(UserAdded, lambda: None),)",
            "the handler of UserAdded is called with other arguments (too many positional arguments)",
        ),
    ],
)
def test_what_could_never_be_called_is_found_at_the_start(
    shelf: Shelf, make_app: MakeApp, declared: str, problem: str
) -> None:
    shelf.install("acme", showing(declared))
    found = found_in(make_app(), "acme")
    assert found.refusal is not None
    assert found.refusal.params == {"problem": problem}


# What it costs ------------------------------------------------------------------------------------------------------


def test_cards_that_read_nothing_add_no_statement(shelf: Shelf, make_app: MakeApp) -> None:
    cards = "Plugin.cards = tuple(card('hello', name) for name in ('one', 'two', 'three'))"
    shelf.install("acme", showing(f"{cards}\n{ALL_SLOTS}"))
    client = browser(app := open_for_business(make_app))
    client.get("/")
    with statements_of(app) as statements:
        page = client.get("/").text
    assert page.count("hello") == 3
    own = [statement for statement in statements if "edition_" not in statement]  # besides what the start page reads
    assert len(own) == 1, own


# Licensed or not ----------------------------------------------------------------------------------------------------


def asks(name: str) -> str:
    return f"{{{{ 'yes' if {name!r} is licensed else 'no' }}}}"


@ONLY_SQLITE
def test_a_template_that_is_compiled_asks_again_at_each_rendering(
    licensed_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with licensed_app.test_request_context():
        template = licensed_app.jinja_env.from_string(asks("timesheet.week"))
        answers = []
        for usable in (frozenset({"timesheet.week"}), frozenset[str]()):
            monkeypatch.setattr(registry, "usable_features", lambda _, usable=usable: usable)
            answers.append(template.render())
    assert answers == ["yes", "no"]


@ONLY_SQLITE
@pytest.mark.parametrize(
    ("features", "asked", "answer"),
    [
        ([], "timesheet.start", "yes"),
        ([], FEATURE, "no"),
        ([FEATURE], FEATURE, "yes"),
        ([], "nobody.declares_it", "no"),
        ([], "", "no"),
    ],
)
def test_templates_and_python_ask_the_same(
    shelf: Shelf, make_app: MakeApp, features: list[str], asked: str, answer: str
) -> None:
    page = f"""
from app.sdk import feature_licensed
from app.security import Audience, access
from flask import render_template_string

@pages.get("/asked")
@access(Audience.MEMBER)
def asked():
    return render_template_string({asks(asked)!r}) + f" {{feature_licensed({asked!r})}}"
"""
    shelf.install("acme", sound() + page)
    client = browser(open_for_business(make_app, features=features))
    assert client.get("/acme/asked").text == f"{answer} {answer == 'yes'}"


@ONLY_SQLITE
def test_what_is_not_in_force_licenses_nothing(make_app: MakeApp) -> None:
    app = make_app()
    with app.test_request_context():
        assert render_template_string(asks("timesheet.start")) == "no"
        assert not feature_licensed("timesheet.start")


@ONLY_SQLITE
def test_licensed_is_asked_with_a_name(make_app: MakeApp) -> None:
    with make_app().test_request_context(), pytest.raises((TemplateRuntimeError, TypeError)):
        render_template_string("{{ [] is licensed }}")
