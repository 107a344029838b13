"""The start page, the page Editions, and what the gate makes of an edition's pages; on both databases."""

import importlib
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Blueprint, Flask, render_template_string
from flask.testing import FlaskClient
from sqlalchemy import event, select, update

from app.audit import AuditEntry, Event, record
from app.auth.models import User
from app.database import read_connection, write_transaction
from app.editions.models import EditionSwitch
from app.extensions import db
from app.security import Audience, declare, resolve_access
from tests.conftest import ADMINISTRATOR, MEMBER, add_person, csrf_token, log_in, register_key
from tests.editions.conftest import Shelf, found_in, sound, statements_of

MakeApp = Callable[..., Flask]
EDITIONS = "/settings/operation/editions"


def open_for_business(make_app: MakeApp, **claims: object) -> Flask:
    app = make_app()
    add_person(app, ADMINISTRATOR, name="Haruka Kitamura", admin=True)
    add_person(app, MEMBER, name="Mio Sakai")
    register_key(app, seats=50, **claims)
    return app


def browser(app: Flask, login: str = MEMBER) -> FlaskClient:
    client = app.test_client()
    log_in(client, login)
    return client


def set_up_person(app: Flask, login: str, **columns: object) -> None:
    with app.app_context(), write_transaction() as session:
        session.execute(update(User).where(User.login == login).values(**columns))


def post(client: FlaskClient, path: str) -> str:
    answer = client.post(path, data={"csrf_token": csrf_token(client, EDITIONS)}, follow_redirects=True)
    assert answer.status_code == 200
    return answer.text


def audit(app: Flask, prefix: str) -> list[tuple[str, str, str, str | None, object]]:
    with app.app_context(), read_connection() as connection:
        rows = connection.execute(select(AuditEntry.__table__).where(AuditEntry.action.startswith(prefix)))
        return [(row.action, row.target, row.actor, row.code, row.after) for row in rows]


# The start page -----------------------------------------------------------------------------------------------------


def test_the_start_page_of_the_licensed_edition_answers_at_the_root(member_client: FlaskClient) -> None:
    answer = member_client.get("/")
    assert answer.status_code == 200
    assert not answer.history
    assert 'class="st-columns"' in answer.text
    assert "Standard" in answer.text
    assert "Your week, what is still missing" in answer.text
    assert 'aria-current="page"' in answer.text


def test_a_static_file_of_an_edition_is_asked_for_by_its_content(member_client: FlaskClient) -> None:
    address = re.search(r'href="(/start/static/standard\.css\?v=[0-9a-f]{10})"', member_client.get("/").text)
    assert address is not None
    answer = member_client.get(address[1])
    assert answer.status_code == 200
    assert "max-age=31536000" in answer.headers["Cache-Control"]


def test_the_start_page_costs_seven_statements(licensed_app: Flask, member_client: FlaskClient) -> None:
    member_client.get("/")
    statements: list[str] = []
    with licensed_app.app_context():
        engines = list(db.engines.values())
    for engine in engines:
        event.listen(engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    member_client.get("/")
    assert len(statements) == 7, statements


@pytest.mark.parametrize(
    ("zone", "language", "day", "week"),
    [
        ("Pacific/Honolulu", "en", "2026-11-22", "Week 47 of 2026"),
        ("Europe/Berlin", "en", "2026-11-22", "Week 47 of 2026"),
        ("Asia/Tokyo", "en", "2026-11-23", "Week 48 of 2026"),
        ("Asia/Tokyo", "ja", "2026-11-23", "2026年11月23日月曜日"),
    ],
)
def test_today_is_the_readers_day(make_app: MakeApp, zone: str, language: str, day: str, week: str) -> None:
    with time_machine.travel(datetime(2026, 11, 22, 15, 30, tzinfo=UTC), tick=False):
        app = open_for_business(make_app)
        set_up_person(app, MEMBER, time_zone=zone, language=language)
        page = browser(app).get("/").text
    today = re.search(r'aria-current="date"><a [^>]+><time datetime="([0-9-]+)"', page)
    assert today is not None
    assert today[1] == day
    assert week in page


def test_another_week_can_be_asked_for(member_client: FlaskClient) -> None:
    page = member_client.get("/start/?week=2020-W53").text
    assert "Week 53" in page
    assert 'datetime="2021-01-03"' in page
    assert 'aria-current="date"' not in page
    for nonsense in ("2021-W53", "9999-W52", "'; DROP TABLE users", "%00"):
        assert member_client.get(f"/start/?week={nonsense}").status_code == 200


def test_the_dates_are_those_of_the_license(make_app: MakeApp) -> None:
    app = open_for_business(
        make_app,
        exp=datetime(2036, 4, 1, tzinfo=UTC),
        maintenance_exp=datetime(2036, 2, 1, tzinfo=UTC),
    )
    page = browser(app).get("/").text
    assert "31 March 2036" in page
    assert "31 January 2036" in page


def test_a_license_without_end_says_so(make_app: MakeApp) -> None:
    page = browser(open_for_business(make_app, exp=..., maintenance_exp=datetime(2036, 2, 1, tzinfo=UTC))).get("/").text
    assert "No end date" in page


def test_after_maintenance_the_desktop_application_is_not_usable(make_app: MakeApp) -> None:
    page = browser(open_for_business(make_app, maintenance_exp=datetime(2026, 1, 1, tzinfo=UTC))).get("/").text
    assert "Not usable" in page


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_the_root_answers_like_any_page(member_client: FlaskClient, method: str) -> None:
    assert getattr(member_client, method)("/?x=1").status_code == 200


def test_a_licensed_edition_that_is_not_installed_is_explained(make_app: MakeApp) -> None:
    app = open_for_business(make_app, edition="professional")
    seen_by_member = browser(app).get("/")
    assert seen_by_member.status_code == 200
    assert "Ask your administrator" in seen_by_member.text
    assert EDITIONS not in seen_by_member.text
    seen_by_administrator = browser(app, ADMINISTRATOR)
    assert f'href="{EDITIONS}"' in seen_by_administrator.get("/").text
    assert "The licensed edition professional is not loaded." in seen_by_administrator.get(EDITIONS).text


def test_an_edition_without_a_start_page_is_explained(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("acme", sound())
    page = browser(open_for_business(make_app, edition="acme")).get("/")
    assert "does not include a start page" in page.text
    assert "Board of Acme" in page.text  # in the navigation


def test_the_start_page_runs_its_own_hooks_at_the_root(shelf: Shelf, make_app: MakeApp) -> None:
    hooks = """
pages.after_request(lambda response: (response.headers.set("X-Acme", "after"), response)[1])
closed = []
pages.before_request(lambda: "closed today" if closed else None)
"""
    shelf.install(
        "acme", sound(start_page="'acme.board'").replace('return "', "return url_for('.board') + \" ") + hooks
    )
    source = shelf.folder / f"{shelf.modules[0]}.py"
    source.write_text("from app.sdk import url_for\n" + source.read_text())
    client = browser(open_for_business(make_app, edition="acme"))
    answer = client.get("/")
    assert answer.text == "/acme/ the board of acme"
    assert answer.headers["X-Acme"] == "after"
    importlib.import_module(shelf.modules[0]).closed.append(True)
    assert client.get("/").text == "closed today"


# What is licensed is open -------------------------------------------------------------------------------------------


def test_an_unlicensed_page_answers_402_until_a_license_brings_it(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("acme", sound(extends="'standard'"))
    app = open_for_business(make_app)
    member, administrator = browser(app), browser(app, ADMINISTRATOR)
    assert member.get("/acme/").status_code == 402
    assert administrator.get("/acme/").status_code == 402
    assert "Board of Acme" not in member.get("/").text
    assert "Board of Acme" in administrator.get("/").text  # locked
    register_key(app, edition="acme", seats=50)
    assert member.get("/acme/").text == "the board of acme"
    assert "Board of Acme" in member.get("/").text
    register_key(app, edition="standard", seats=50)
    assert member.get("/acme/").status_code == 402


def test_an_add_on_feature_opens_its_pages_alone(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("acme", sound())
    shelf.install("bravo", sound("bravo"))
    client = browser(open_for_business(make_app, features=["acme.board"]))
    assert client.get("/acme/").status_code == 200
    assert client.get("/bravo/").status_code == 402


def test_a_page_that_declares_nothing_is_answered_to_nobody(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("acme", sound(navigation="()").replace('feature="acme.board"', "feature=None"))
    app = open_for_business(make_app, edition="acme")
    for client in (app.test_client(), browser(app), browser(app, ADMINISTRATOR)):
        assert client.get("/acme/").status_code in (302, 303, 403)
        assert client.get("/acme/").text != "the board of acme"


def test_a_page_of_an_edition_is_for_those_who_are_logged_in(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("acme", sound())
    app = open_for_business(make_app, edition="acme")
    answer = app.test_client().get("/acme/")
    assert (answer.status_code, answer.location) == (303, "/login?next=/acme/")


TWO_PAGES = """
    from app.sdk import Edition, EditionBlueprint, Feature, NavItem, render_template

    pages = EditionBlueprint("acme", __name__, feature="acme.board")

    @pages.get("/")
    @pages.get("/<int:number>")
    def mine(number=0):
        return render_template("base.html")

    @pages.get("/requests")
    @pages.get("/requests/<int:number>")
    def requests(number=0):
        return render_template("base.html")

    @pages.get("/requests-of-old")
    def old():
        return render_template("base.html")

    class Plugin(Edition):
        name = "acme"
        title = "Acme"
        api_version = 1
        included_in = ("standard",)
        features = (Feature("acme.board", "Board", "Everybody's tasks."),)
        blueprints = (pages,)
        navigation = (NAVIGATION,)
"""
FLAT = 'NavItem("acme.mine", "Mine", "inbox"), NavItem("acme.requests", "Requests", "inbox")'
NESTED = f'NavItem("acme.mine", "Acme", "inbox", children=({FLAT}))'


@pytest.mark.parametrize("navigation", [FLAT, NESTED], ids=["side by side", "below one another"])
@pytest.mark.parametrize(
    ("page", "current"),
    [
        ("/acme/", "/acme/"),
        ("/acme/1", "/acme/"),
        ("/acme/requests", "/acme/requests"),
        ("/acme/requests/1", "/acme/requests"),
        ("/acme/requests-of-old", "/acme/"),
    ],
)
def test_the_menu_marks_the_one_item_that_a_page_belongs_to(
    shelf: Shelf, make_app: MakeApp, navigation: str, page: str, current: str
) -> None:
    shelf.install("acme", TWO_PAGES.replace("NAVIGATION", navigation))
    shown = browser(open_for_business(make_app)).get(page).text
    bar = shown.partition('<ul class="rx-nav')[2].partition("</nav>")[0] or shown
    assert set(re.findall(r'href="([^"]+)" aria-current="page"', bar)) == {current}


# System Operation → Editions ----------------------------------------------------------------------------------------


def test_members_do_not_see_the_page_editions(member_client: FlaskClient) -> None:
    assert member_client.get(EDITIONS).status_code == 403
    assert member_client.get(f"{EDITIONS}/standard/disable").status_code == 403


def test_the_page_shows_every_edition_with_its_reason(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("acme", sound(extends="'standard'", description="'Boards <b>for all</b>.'"))
    shelf.install("broken", "raise RuntimeError('<script>alert(1)</script>')", package="broken-package", version="0.9")
    shelf.install("future", sound("future", api_version="2"))
    shelf.install("standard", sound("standard"), package="impostor")
    page = browser(open_for_business(make_app), ADMINISTRATOR).get(EDITIONS).text
    for text in (
        "Extends Standard.",
        "Comes with Acme.",
        "Boards &lt;b&gt;for all&lt;/b&gt;.",
        "RuntimeError: &lt;script&gt;",
        "Traceback (most recent call last)",
        "edition_import_failed",
        "It asks for app.sdk 2, this application offers 1.",
        "The package timetracker-rx brings an edition of this name already.",
        "3 editions need attention.",
        "broken-package",
        "0.9",
    ):
        assert text in page, text
    assert "<script>alert" not in page
    assert page.count(">Licensed<") == 1


def test_an_edition_that_extends_the_licensed_one_is_not_included(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("acme", sound(extends="'standard'"))
    shelf.install("module", sound("module", included_in="('standard',)"))
    page = browser(open_for_business(make_app, edition="acme"), ADMINISTRATOR).get(EDITIONS).text
    assert page.count(">Licensed<") == 1
    assert page.count(">Included<") == 3  # Standard, the module of this test, and the one for the desktop application
    page = browser(open_for_business_again(make_app), ADMINISTRATOR).get(EDITIONS).text
    assert page.count(">Included<") == 2


def open_for_business_again(make_app: MakeApp) -> Flask:
    app = make_app()
    register_key(app, seats=50)
    return app


def test_an_edition_goes_off_at_the_next_start_and_comes_back(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("acme", sound())
    app = open_for_business(make_app, features=["acme.board"])
    administrator, member = browser(app, ADMINISTRATOR), browser(app)

    question = administrator.get(f"{EDITIONS}/acme/disable").text
    assert "Disable Acme?" in question
    assert "Board of Acme" in question
    assert "goes off when the application is restarted" in post(administrator, f"{EDITIONS}/acme/disable")
    page = administrator.get(EDITIONS).text
    assert "Goes off at the next restart" in page
    assert "1 edition changes at the next restart." in page
    assert member.get("/acme/").status_code == 200

    app = make_app()
    administrator, member = browser(app, ADMINISTRATOR), browser(app)
    assert member.get("/acme/").status_code == 404
    assert found_in(app, "acme").state == "disabled"
    page = administrator.get(EDITIONS).text
    assert f"It was switched off by {ADMINISTRATOR} on " in page
    assert "restart." not in page.partition('<main id="main"')[2].partition("its data is kept")[0]

    assert "comes on when the application is restarted" in post(administrator, f"{EDITIONS}/acme/enable")
    assert "Comes on at the next restart" in administrator.get(EDITIONS).text
    assert browser(make_app()).get("/acme/").status_code == 200
    assert audit(app, "edition.") == [
        ("edition.disable", "acme", ADMINISTRATOR, None, {"disabled": True}),
        ("edition.enable", "acme", ADMINISTRATOR, None, {"disabled": False}),
    ]


def test_a_disabled_edition_is_not_even_imported(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("acme", "raise KeyboardInterrupt")
    with (app := make_app_without(shelf, make_app)).app_context(), write_transaction() as session:
        session.add(
            EditionSwitch(
                name="acme", title="Acme Boards", disabled=True, changed_at=datetime.now(UTC), changed_by="somebody"
            )
        )
    found = found_in(make_app(edition_failures_raise=True), "acme")
    assert (found.state, found.title, found.version) == ("disabled", "Acme Boards", "1.2.3")
    assert found_in(app, "standard").state == "loaded"


def make_app_without(shelf: Shelf, make_app: MakeApp) -> Flask:
    entries, shelf.entries = shelf.entries, []
    app = make_app()
    shelf.entries = entries
    return app


def test_switching_twice_changes_nothing_twice(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("acme", "raise RuntimeError")  # a broken one can be switched off
    app = open_for_business(make_app)
    administrator = browser(app, ADMINISTRATOR)
    for _ in range(2):
        post(administrator, f"{EDITIONS}/acme/disable")
    assert len(audit(app, "edition.")) == 1
    post(administrator, f"{EDITIONS}/standard/enable")
    assert len(audit(app, "edition.")) == 1


def test_an_edition_that_another_one_extends_stays_on(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("acme", sound(extends="'standard'"))
    app = open_for_business(make_app)
    administrator = browser(app, ADMINISTRATOR)
    refusal = "The edition standard cannot be disabled, because acme extends it."
    assert refusal in administrator.get(f"{EDITIONS}/standard/disable", follow_redirects=True).text
    assert refusal in post(administrator, f"{EDITIONS}/standard/disable")
    assert audit(app, "edition.") == [
        ("edition.disable", "standard", ADMINISTRATOR, "edition_still_needed", None),
    ]
    post(administrator, f"{EDITIONS}/acme/disable")
    assert "Standard goes off" in post(administrator, f"{EDITIONS}/standard/disable")


def test_disabling_the_licensed_edition_says_what_that_means(admin_client: FlaskClient) -> None:
    page = admin_client.get(f"{EDITIONS}/standard/disable").text
    assert "It is the edition that the license names" in page
    assert "Dashboard" in page


def test_an_edition_that_is_not_installed_cannot_be_switched(admin_client: FlaskClient) -> None:
    assert "No edition of the name nothing is installed." in post(admin_client, f"{EDITIONS}/nothing/disable")
    assert "No edition of the name nothing is installed." in post(admin_client, f"{EDITIONS}/nothing/enable")


def test_switching_needs_the_token_of_the_session(admin_client: FlaskClient, licensed_app: Flask) -> None:
    assert admin_client.post(f"{EDITIONS}/standard/disable").status_code == 400
    assert audit(licensed_app, "edition.") == []


# What licensing costs ------------------------------------------------------------------------------------------------


def test_licensing_adds_no_statement_to_a_page(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("acme", sound("acme", included_in="('standard',)"))
    shelf.install("other", sound("other"))
    app = open_for_business(make_app)
    blueprint = Blueprint("core_page", __name__)
    declare(blueprint, Audience.MEMBER)
    blueprint.add_url_rule("/core", view_func=lambda: render_template_string("{{ 'acme.board' is licensed }}"))
    app.register_blueprint(blueprint)
    app.extensions["access"] = resolve_access(app)
    for client in (browser(app), browser(app, ADMINISTRATOR)):
        for path in ("/acme/", "/other/", "/core"):
            client.get(path)
        seen: dict[str, list[str]] = {}
        for path in ("/acme/", "/other/", "/core"):
            with statements_of(app) as seen[path]:
                client.get(path)
        assert len(seen["/core"]) == 1  # who is it, how many users are there, which licenses are registered
        assert seen["/acme/"] == seen["/core"]
        assert seen["/other/"][:1] == seen["/core"]
        assert len(seen["/other/"]) == 2  # the page that says what is not licensed has a bar, and a timer in it


# The audit log -------------------------------------------------------------------------------------------------------


def test_what_an_edition_records_is_named_and_filtered_in_the_readers_language(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("acme", sound("acme", audit_actions="(AuditAction('note.add', 'Add note'),)"))
    app = open_for_business(make_app)
    set_up_person(app, ADMINISTRATOR, language="ja")
    with app.app_context(), write_transaction() as session:
        for action in ("note.add", "sheet.correct", "gone.add"):
            record(session, Event(action, target=f"of {action}"))
    client = browser(app, ADMINISTRATOR)
    page = client.get("/settings/operation/audit").text
    assert '<option value="note.add">Add note</option>' in page
    assert '<option value="sheet.correct">他の人の時間を訂正</option>' in page
    assert "gone.add<small>" in page
    filtered = client.get("/settings/operation/audit?action=note.add").text
    assert "Add note<small>of note.add</small>" in filtered
    assert "of sheet.correct" not in filtered
    exported = client.get("/settings/operation/audit/export?action=sheet.correct").text
    assert "他の人の時間を訂正,sheet.correct,of sheet.correct" in exported


def test_whoever_can_license_a_feature_is_led_there(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("acme", sound())
    app = open_for_business(make_app)
    way = '<a class="btn btn-primary" href="/settings/operation/license">Open License</a>'
    answers = {login: browser(app, login).get("/acme/") for login in (ADMINISTRATOR, MEMBER)}
    assert {answer.status_code for answer in answers.values()} == {402}
    assert way in answers[ADMINISTRATOR].text
    assert way not in answers[MEMBER].text
