"""What an edition's cards, slots, listeners and pages raise stays with them, and administrators hear of it."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from app.audit import AuditEntry
from app.cli.edition import edition_group
from app.database import read_connection, write_transaction
from app.editions import failures
from app.editions.failures import Failure, Part
from app.editions.isolation import attempt
from app.events import UserAdded, announce
from tests.conftest import ADMINISTRATOR, MEMBER, ONLY_SQLITE, csrf_token
from tests.editions.conftest import Shelf
from tests.editions.test_events import listening
from tests.editions.test_slots import browser, open_for_business, showing

MakeApp = Callable[..., Flask]
PAGE = "/settings/operation/editions/acme"
SABOTAGE = """
import sys
from app.database import write_transaction
from app.extensions import db
from app.refusal import Reason, Refusal
from flask import Response
from sqlalchemy import text
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from app.sdk import abort, redirect

class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError("not even this")
    __repr__ = __str__

def fail(error):
    raise error

def leave_open():
    db.session.execute(text("SELECT 1"))
    return "left open"

def fail_inside():
    with write_transaction() as session:
        session.execute(text("SELECT nothing FROM nowhere"))

def leave_broken():
    try:
        db.session.execute(text("SELECT nothing FROM nowhere"))
    except Exception:
        pass
    return "left broken"

def forever():
    return forever()

def write():
    with write_transaction() as session:
        session.execute(text("UPDATE installation SET id = id"))
    return "has written"

WAYS = {
    "error": lambda: fail(ZeroDivisionError("a\\0b\\udc80")),
    "exit": lambda: sys.exit(3),
    "generator": lambda: fail(GeneratorExit()),
    "group": lambda: fail(BaseExceptionGroup("all at once", [SystemExit(1), ValueError("x")])),
    "unspeakable": lambda: fail(Unspeakable()),
    "recursion": forever,
    "memory": lambda: fail(MemoryError()),
    "abort": lambda: abort(404),
    "redirected": lambda: fail(RequestRedirect("/elsewhere")),
    "refused": lambda: fail(Refusal(Reason("no", "No.", "Never."))),
    "nothing": lambda: None,
    "response": lambda: redirect("/elsewhere"),
    "number": lambda: 42,
    "bytes": lambda: b"<b>",
    "arguments": lambda *few, **many: len(few, many),
    "template": lambda: render_template("acme/nowhere.html"),
    "statement": fail_inside,
}
"""
SABOTAGED = f"""{SABOTAGE}
Plugin.cards = (
    card("first", "first"),
    *(Card(name, f"Card {{name}}", view, "acme.board") for name, view in WAYS.items()),
    Card("open", "Open", leave_open, "acme.board"),
    Card("broken", "Broken", leave_broken, "acme.board"),
    Card("write", "Write", write, "acme.board"),
    card("last", "last"),
)
Plugin.slots = (
    *(SlotContent("account", view, "acme.board") for view in WAYS.values()),
    content("account", "account goes on"),
    *(SlotContent("navigation.tools", view, "acme.board") for view in WAYS.values()),
    SlotContent("settings.footer", WAYS["exit"], "acme.board"),
)
"""


def failed_parts(app: Flask, edition: str = "acme") -> dict[str, Failure]:
    with app.app_context():
        return {failure.part: failure for failure in failures.failures().get(edition, ())}


def ways() -> list[str]:
    return re.findall(r'^    "(\w+)": ', SABOTAGE, re.MULTILINE)


def post(client: FlaskClient, path: str, **data: str) -> str:
    data["csrf_token"] = csrf_token(client, "/account")
    return client.post(path, data=data, follow_redirects=True).text


# Cards and slots ----------------------------------------------------------------------------------------------------


def test_whatever_a_card_does_the_page_goes_on_and_members_see_nothing_of_it(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("acme", showing(SABOTAGED))
    app = open_for_business(make_app)
    answer = browser(app).get("/")
    assert answer.status_code == 200
    cards = re.findall(r'aria-labelledby="card-acme-(\w+)"', answer.text)
    assert cards == ["first", "open", "broken", "write", "last"]
    assert "could not be shown" not in answer.text
    failed = failed_parts(app)
    assert failed.keys() == {*(f"card {way}" for way in ways()), "slot navigation.tools"}
    assert failed["card error"].error == "ZeroDivisionError: a\N{REPLACEMENT CHARACTER}b?"
    assert "in fail\n" in failed["card error"].traceback
    assert failed["card exit"].error == "SystemExit: 3"
    assert failed["card nothing"].error == "TypeError: the view returned NoneType in place of a text"


@ONLY_SQLITE
def test_administrators_see_a_notice_in_the_place_of_what_failed(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("acme", showing(SABOTAGED))
    client = browser(open_for_business(make_app), ADMINISTRATOR)
    page = client.get("/").text
    assert "The card Card exit of the edition Acme could not be shown." in page
    assert page.count("Members do not see this.") == len(ways())
    assert f'href="{PAGE}" title="What the edition Acme adds here could not be shown."' in page
    account = client.get("/account").text
    assert "account goes on" in account
    assert "What the edition Acme adds here could not be shown." in client.get("/settings/users").text


@ONLY_SQLITE
def test_the_log_has_the_traceback_with_edition_and_part(
    shelf: Shelf, make_app: MakeApp, capfd: pytest.CaptureFixture[str]
) -> None:
    shelf.install("acme", showing(f"{SABOTAGE}\nPlugin.cards = (Card('bad', 'Bad', WAYS['exit'], 'acme.board'),)"))
    client = browser(open_for_business(make_app))
    capfd.readouterr()
    client.get("/")
    log = capfd.readouterr().err
    assert re.search(r"edition failed .*edition=acme .*part='card bad'", log)
    assert "SystemExit: 3" in log
    assert "Traceback" in log


@ONLY_SQLITE
def test_a_card_that_opens_the_slot_it_stands_in_is_stopped(shelf: Shelf, make_app: MakeApp) -> None:
    template = "from flask import render_template_string\nPlugin.cards = (card('sound'), Card('loop', 'Loop', "
    template += "lambda: Markup(render_template_string('{{ slot(\"dashboard\") }}')), 'acme.board'))"
    shelf.install("acme", showing(template))
    app = open_for_business(make_app)
    page = browser(app).get("/").text
    assert page.count("sound") == 2
    assert failed_parts(app)["card loop"].error == "RecursionError: card loop of acme calls itself"


def test_an_interrupt_is_the_operators_and_goes_through(app: Flask) -> None:
    def interrupt() -> str:
        raise KeyboardInterrupt

    with app.app_context(), pytest.raises(KeyboardInterrupt):
        attempt(Part("acme", "card bad"), interrupt)


def test_a_transaction_of_the_page_survives_what_a_card_does_in_it(app: Flask) -> None:
    def write_inside() -> str:
        with write_transaction():
            return "never"

    with app.app_context():
        with write_transaction() as session:
            session.execute(text("UPDATE installation SET language = 'ja'"))
            assert attempt(Part("acme", "card bad"), write_inside).failed
        with read_connection() as connection:
            assert connection.execute(text("SELECT language FROM installation")).scalar_one() == "ja"


# Listeners ----------------------------------------------------------------------------------------------------------

FAILING = f"""{SABOTAGE.replace("abort, redirect", "abort, redirect, render_template")}
Plugin.listeners = (
    *(Listener(UserAdded, (lambda view: lambda event: view())(view)) for view in WAYS.values()),
    Listener(UserAdded, lambda event: leave_open()),
    Listener(UserAdded, lambda event: leave_broken()),
    Listener(UserAdded, lambda event: write()),
    Listener(UserAdded, note),
)
"""


def test_whatever_a_listener_does_the_others_hear_of_the_event(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("acme", listening("", FAILING).replace("\nPlugin.listeners = (,)", ""))
    app = make_app()
    with app.app_context():
        with write_transaction() as session:
            announce(session, UserAdded(1, "m.sakai"))
        assert "edition_failures" not in g
    module = __import__(shelf.modules[0])
    assert module.heard == [UserAdded(1, "m.sakai")]
    assert failed_parts(app)["listener <lambda> of UserAdded"].count == 1


@ONLY_SQLITE
def test_administrators_are_told_once_that_a_listener_has_failed(shelf: Shelf, make_app: MakeApp) -> None:
    fails = """
from app.security import Audience, access
from app.sdk import current_user

def bad(event):
    raise ValueError("bad")

@pages.post("/tell")
@access(Audience.MEMBER)
def tell_all():
    with write_transaction() as session:
        for number in range(3):
            announce(session, UserAdded(number, "x"))
    return "told"
"""
    shelf.install("acme", listening("Listener(UserAdded, bad)", fails))
    app = open_for_business(make_app)
    sentence = "This is saved, but the edition Acme failed to take note of it."
    for login, times in ((MEMBER, 0), (ADMINISTRATOR, 1)):
        client = browser(app, login)
        assert post(client, "/acme/tell") == "told"
        assert client.get("/").text.count(sentence) == times
    assert failed_parts(app)["listener bad of UserAdded"].error == "ValueError: bad"


# Pages --------------------------------------------------------------------------------------------------------------

BAD_PAGE = """
from app.sdk import request
from app.database import read_connection
from sqlalchemy import text

@pages.get("/bad")
def bad():
    raise ValueError("bad")

@pages.get("/exit/<int:number>")
def leave(number):
    raise SystemExit(number)

@pages.before_request
def close():
    if "closed" in request.args:
        raise SystemExit(1)

@pages.get("/statement")
def statement():
    with read_connection() as connection:
        connection.execute(text("SELECT nothing FROM nowhere"))
"""


def test_a_page_that_fails_answers_500_and_says_to_administrators_whose_it_is(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("acme", showing(BAD_PAGE))
    app = open_for_business(make_app)
    member, administrator = browser(app), browser(app, ADMINISTRATOR)
    for client, told in ((member, False), (administrator, True)):
        answer = client.get("/acme/bad")
        assert answer.status_code == 500
        assert ("The edition acme made a mistake on this page." in answer.text) is told
    for client, told in ((member, False), (administrator, True)):  # on both engines: trying again would be of no use
        answer = client.get("/acme/statement")
        assert answer.status_code == 500
        assert ("The edition acme made a mistake on this page." in answer.text) is told
    assert member.get("/acme/exit/3").status_code == 500
    assert member.get("/acme/?closed").status_code == 500
    assert member.get("/acme/").text == "the board of acme"
    failed = failed_parts(app)
    assert failed.keys() == {"page acme.bad", "page acme.statement", "page acme.leave", "page acme.board"}
    assert failed["page acme.leave"].error == "app.editions.isolation.PageEndedError: SystemExit: 3"


# What is written down -----------------------------------------------------------------------------------------------

BAD_CARD = "Plugin.cards = (Card('bad', 'Bad', lambda: 1 / 0, 'acme.board'),)"


def test_a_part_is_written_down_once_a_minute_with_all_that_happened(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("acme", showing(BAD_CARD))
    began = datetime.now(UTC).replace(microsecond=0)
    with time_machine.travel(began, tick=False) as clock:
        app = open_for_business(make_app)
        client = browser(app)
        for _ in range(3):
            client.get("/")
        assert failed_parts(app)["card bad"].count == 1
        clock.shift(timedelta(seconds=61))
        client.get("/")
    failure = failed_parts(app)["card bad"]
    assert (failure.count, failure.error) == (4, "ZeroDivisionError: division by zero")
    assert (failure.first_at, failure.last_at) == (began, began + timedelta(seconds=61))


@ONLY_SQLITE
def test_a_database_that_cannot_be_written_to_makes_no_error_of_it(
    shelf: Shelf, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.install("acme", showing(BAD_CARD))
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        app = open_for_business(make_app)
        client = browser(app)

        def locked() -> None:
            raise OperationalError("", {}, Exception("database is locked"))

        with monkeypatch.context() as patched:
            patched.setattr(failures, "write_connection", locked)
            assert client.get("/").status_code == 200
        assert failed_parts(app) == {}
        clock.shift(timedelta(seconds=61))
        client.get("/")
    assert failed_parts(app)["card bad"].count == 2


def test_the_edition_page_shows_what_has_failed_until_it_is_dismissed(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("acme", showing(BAD_CARD.replace("1 / 0", "__import__('os').fspath('<b>' and 1)")))
    app = open_for_business(make_app)
    member, administrator = browser(app), browser(app, ADMINISTRATOR)
    assert "What has failed" not in administrator.get(PAGE).text
    member.get("/")
    assert "1 failure" in administrator.get("/settings/operation/editions").text
    page = administrator.get(PAGE).text
    for shown in ("card bad", "TypeError: expected str", "Traceback (most recent call last)", "Once, on "):
        assert shown in page
    assert "1 failure is dismissed." in post(administrator, f"{PAGE}/dismiss")
    assert "What has failed" not in administrator.get(PAGE).text
    assert "There was nothing left to dismiss." in post(administrator, f"{PAGE}/dismiss")
    member.get("/")
    assert "What has failed" in administrator.get(PAGE).text
    with app.app_context(), read_connection() as connection:
        query = select(AuditEntry.actor, AuditEntry.target, AuditEntry.before)
        entries = connection.execute(query.where(AuditEntry.action == "edition.dismiss")).all()
    assert [tuple(entry) for entry in entries] == [(ADMINISTRATOR, "acme", {"failures": 1})]


@ONLY_SQLITE
def test_members_dismiss_nothing(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("acme", showing(BAD_CARD))
    app = open_for_business(make_app)
    client = browser(app)
    client.get("/")
    answer = client.post(f"{PAGE}/dismiss", data={"csrf_token": csrf_token(client, "/account")})
    assert answer.status_code == 403
    assert failed_parts(app)


def test_failures_of_an_edition_that_is_gone_are_shown_as_such_and_dismissed(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("acme", showing(BAD_CARD))
    app = open_for_business(make_app)
    browser(app).get("/")
    run = app.test_cli_runner()
    assert "acme 1.2.3 (acme-package): loaded, 1 failure" in run.invoke(edition_group, ["list"]).output
    found = run.invoke(edition_group, ["doctor", "acme"])
    assert found.exit_code == 1
    assert "[failed] card bad raised ZeroDivisionError: division by zero (once, last 20" in found.output
    shelf.entries.clear()
    later = make_app()
    run = later.test_cli_runner()
    assert "\nacme: not_installed, 1 failure\n" in run.invoke(edition_group, ["list"]).output
    *_, gone = json.loads(run.invoke(edition_group, ["list", "--json"]).stdout)
    assert (gone["name"], gone["state"], gone["failures"]) == ("acme", "not_installed", 1)
    looked_over = json.loads(run.invoke(edition_group, ["doctor", "--json"]).stdout)
    (left,) = (each for each in looked_over if each["edition"] == "acme")
    assert left["rule"] == "left_behind"
    assert "flask edition dismiss acme" in left["problem"]
    administrator = browser(later, ADMINISTRATOR)
    assert "Not installed any more" in administrator.get("/settings/operation/editions").text
    after = post(administrator, f"{PAGE}/dismiss")
    assert "1 failure is dismissed." in after
    assert "Not installed any more" not in after
    assert failed_parts(later) == {}
    assert "edition_not_installed" in run.invoke(edition_group, ["dismiss", "acme"]).output


def test_failures_are_dismissed_from_the_command_line(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("acme", showing(BAD_CARD))
    app = open_for_business(make_app)
    browser(app).get("/")
    run = app.test_cli_runner()
    assert json.loads(run.invoke(edition_group, ["dismiss", "acme", "--json"]).stdout) == {
        "name": "acme",
        "dismissed": 1,
    }
    assert "There was nothing left to dismiss." in run.invoke(edition_group, ["dismiss", "acme"]).output
