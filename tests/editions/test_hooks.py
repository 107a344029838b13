"""What an edition hangs on its pages: it neither opens what the gate has closed, nor reaches anybody else's page."""

from collections.abc import Callable

import pytest
from flask import Flask

from app.editions.discovery import EditionState
from app.editions.inspection import unguarded
from app.editions.registry import page_rules
from app.security import CONTENT_SECURITY_POLICY
from tests.conftest import ADMINISTRATOR, ONLY_SQLITE, register_key
from tests.editions.conftest import Shelf, found_in, sound
from tests.editions.test_isolation import failed_parts
from tests.editions.test_slots import browser, open_for_business

MakeApp = Callable[..., Flask]
Start = Callable[..., Flask]
FAILING = {
    "after_request": "pages.after_request(lambda response: 1 / 0)",
    "after_request that forgets the answer": "pages.after_request(lambda response: None)",
    "after_request that exits": "pages.after_request(lambda response: exit(3))",
    "teardown_request": "pages.teardown_request(lambda error: 1 / 0)",
    "teardown_request that exits": "pages.teardown_request(lambda error: exit(3))",
    "url_defaults": "pages.url_defaults(lambda endpoint, values: 1 / 0)",
    "url_defaults that exits": "pages.url_defaults(lambda endpoint, values: exit(3))",
    "context_processor": "pages.context_processor(lambda: 1 / 0)",
    "context_processor of nothing": "pages.context_processor(lambda: None)",
    "context_processor that replaces": "pages.context_processor(lambda: {'current_user': None, 'navigation': 3})",
}
PAGE = """
from app.sdk import render_template

@pages.get("/page")
def page():
    return render_template("base.html")
"""


@ONLY_SQLITE
@pytest.mark.parametrize("kind", FAILING)
def test_a_hook_that_fails_leaves_its_page_and_all_others_working(shelf: Shelf, make_app: MakeApp, kind: str) -> None:
    shelf.install("acme", f"{sound()}{PAGE}{FAILING[kind]}")
    app = open_for_business(make_app)
    client, administrator = browser(app), browser(app, ADMINISTRATOR)
    for path in ("/acme/page", "/account", "/"):
        assert client.get(path, buffered=True).status_code == 200
    answer = client.get("/acme/page", buffered=True)
    assert "TimeTracker RX" in answer.text
    assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert failed_parts(app).keys() == {f"{kind.partition(' ')[0]} <lambda>"}
    assert f"{kind.partition(' ')[0]} &lt;lambda&gt;" in administrator.get("/settings/operation/editions/acme").text


OPENING = {
    "before_request": "pages.before_request(lambda: 'open')",
    "url_value_preprocessor": "from app.sdk import abort\npages.url_value_preprocessor(lambda *_: abort(404))",
    "url_value_preprocessor that exits": "pages.url_value_preprocessor(lambda *_: exit(3))",
    "after_request": "from flask import Response\npages.after_request(lambda response: Response('open'))",
    "errorhandler": "pages.errorhandler(Exception)(lambda error: ('open', 200))",
    "errorhandler of a code": "pages.errorhandler(403)(lambda error: ('open', 200))",
    "context_processor": "pages.context_processor(lambda: 1 / 0)",
}


@ONLY_SQLITE
@pytest.mark.parametrize("kind", OPENING)
def test_what_the_gate_answers_is_changed_by_no_hook(shelf: Shelf, make_app: MakeApp, kind: str) -> None:
    private = """
from app.sdk import Permission, requires_permission

Plugin.permissions = (Permission("acme.read", "Read"),)

@pages.get("/private")
@requires_permission("acme.read")
def private():
    return "private"
"""
    shelf.install("acme", f"{sound()}{private}{OPENING[kind]}")
    app = open_for_business(make_app)
    stranger, member = app.test_client(), browser(app)
    answer = stranger.get("/acme/")
    assert (answer.status_code, answer.location) == (303, "/login?next=/acme/")
    answer = member.get("/acme/private")
    assert answer.status_code == 403
    assert "This page is not for you" in answer.text
    register_key(app, seats=50)
    answer = member.get("/acme/")
    assert answer.status_code == 402
    assert "Board of Acme" in answer.text
    assert failed_parts(app) == {}


@ONLY_SQLITE
def test_a_preprocessor_of_addresses_works_behind_the_gate(shelf: Shelf, make_app: MakeApp) -> None:
    own = """
pages.url_value_preprocessor(lambda endpoint, values: values.update(day=values["day"] + 1) if values else None)

@pages.get("/<int:day>")
def day(day):
    return f"day {day} of {request.endpoint}"
"""
    shelf.install("acme", f"from flask import request\n{sound()}{own}")
    assert browser(open_for_business(make_app)).get("/acme/3").text == "day 4 of acme.day"


@ONLY_SQLITE
def test_a_handler_of_errors_that_fails_leaves_them_to_the_application(shelf: Shelf, make_app: MakeApp) -> None:
    own = """
pages.errorhandler(404)(lambda error: exit(3))
pages.errorhandler(Exception)(lambda error: 1 / 0)

@pages.get("/gone")
def gone():
    abort(404)

@pages.get("/bad")
def bad():
    return {}["nothing"]
"""
    shelf.install("acme", f"from app.sdk import abort\n{sound()}{own}")
    app = open_for_business(make_app)
    client = browser(app)
    answer = client.get("/acme/gone", buffered=True)
    assert answer.status_code == 404
    assert "There is no such page" in answer.text
    assert client.get("/acme/bad", buffered=True).status_code == 500
    assert failed_parts(app).keys() == {"errorhandler <lambda>", "page acme.bad"}


@ONLY_SQLITE
def test_a_page_that_aborts_with_402_is_answered_with_the_page_for_it(shelf: Shelf, make_app: MakeApp) -> None:
    own = """
@pages.get("/more")
def more():
    abort(402)

@pages.get("/reason")
def reason():
    abort(402, description="Ten boards are licensed.")
"""
    shelf.install("acme", f"from app.sdk import abort\n{sound()}{own}")
    app = open_for_business(make_app)
    for path in ("/acme/more", "/acme/reason"):
        answer = browser(app).get(path)
        assert answer.status_code == 402
        assert "This feature is not licensed" in answer.text
        assert "The feature is" not in answer.text
    assert "Open License" in browser(app, ADMINISTRATOR).get("/acme/more").text
    assert failed_parts(app) == {}


WEAKER = {
    "Content-Security-Policy": "default-src *; script-src * 'unsafe-inline'",
    "X-Content-Type-Options": "sniff",
    "Referrer-Policy": "unsafe-url",
    "Cross-Origin-Opener-Policy": "unsafe-none",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Permissions-Policy": "camera=*",
    "X-Frame-Options": "ALLOWALL",
    "Strict-Transport-Security": "max-age=0",
    "Cache-Control": "public, max-age=9999",
}


@ONLY_SQLITE
def test_no_page_and_no_hook_weakens_the_headers_of_an_answer(shelf: Shelf, make_app: MakeApp) -> None:
    own = f"""
@pages.get("/plain")
def plain():
    return "plain"

@pages.get("/weak")
def weak():
    return "weak", [*{WEAKER!r}.items(), ("Content-Security-Policy", "script-src *")]

@pages.after_request
def weaken(response):
    if request.args:
        for name, value in {WEAKER!r}.items():
            response.headers.add(name, value)
    return response
"""
    shelf.install("acme", f"from app.sdk import request\n{sound()}{own}")
    client = browser(open_for_business(make_app))
    over_tls = {"base_url": "https://localhost"}
    expected = client.get("/acme/plain", **over_tls).headers
    for path in ("/acme/weak", "/acme/plain?weaken=1", "/acme/weak?weaken=1"):
        headers = client.get(path, **over_tls).headers
        assert {name: headers.getlist(name) for name in WEAKER} == {name: [expected[name]] for name in WEAKER}


@ONLY_SQLITE
def test_what_fails_while_it_is_sent_ends_its_answer_alone(shelf: Shelf, make_app: MakeApp) -> None:
    own = """
@pages.get("/export")
def export():
    def lines():
        yield "one"
        raise SystemExit(3)
    return lines()
"""
    shelf.install("acme", f"{sound()}{own}")
    app = open_for_business(make_app)
    with pytest.raises(Exception, match="SystemExit: 3"):
        browser(app).get("/acme/export", buffered=True)
    assert failed_parts(app)["page acme.export"].error == "SystemExit: 3"


# Refused at the start -----------------------------------------------------------------------------------------------

CONVERTER = "from werkzeug.routing import IntegerConverter\nclass Any(IntegerConverter): regex = '.+'\n"


@pytest.mark.parametrize(
    "addition",
    [
        "pages.record(lambda state: state.app.view_functions.update({'auth.login': board}))",
        f"{CONVERTER}pages.record(lambda state: state.app.url_map.converters.update(int=Any))",
        "pages.record(lambda state: setattr(state.app, 'wsgi_app', print))",
        "pages.record(lambda state: setattr(state.app, 'session_interface', None))",
        "pages.record(lambda state: state.app.config.update(WTF_CSRF_ENABLED=False))",
        "pages.record(lambda state: setattr(state.app.jinja_env, 'autoescape', False))",
        "pages.record(lambda state: state.app.jinja_env.add_extension('jinja2.ext.do'))",
        "pages.record(lambda state: state.app.shell_context_processor(dict))",
    ],
)
def test_an_edition_that_changes_the_application_is_broken(shelf: Shelf, start: Start, addition: str) -> None:
    shelf.install("acme", sound() + addition)
    assert "more than its own pages" in _problem(start())


def test_a_converter_of_its_own_is_an_editions_right(shelf: Shelf, start: Start) -> None:
    shelf.install("acme", f"{sound()}{CONVERTER}pages.record(lambda s: s.app.url_map.converters.update(acme_day=Any))")
    assert found_in(start(), "acme").state is EditionState.LOADED


def test_a_name_that_begins_with_the_editions_may_still_be_the_cores(shelf: Shelf, start: Start) -> None:
    shelf.install("local", sound("local") + "pages.app_template_filter('local_date')(str)")
    app = start()
    assert "template_filter local_date" in _problem(app, "local")
    assert app.jinja_env.filters["local_date"] is not str


PERMISSION = """
from functools import partial
from flask.views import MethodView
from app.sdk import Permission, open_to, Audience, requires_permission
Plugin.permissions = (Permission("acme.edit", "Edit"),)

def bare(function):
    def inner(**values):
        return function(**values)
    return inner
"""


@pytest.mark.parametrize(
    "view",
    [
        "pages.add_url_rule('/edit', 'edit', bare(requires_permission('acme.edit')(lambda: 'edited')))",
        "pages.add_url_rule('/edit', 'edit', bare(bare(open_to(Audience.ADMIN)(lambda: 'edited'))))",
        "pages.add_url_rule('/edit', 'edit', partial(requires_permission('acme.edit')(lambda: 'edited')))",
        """
class Edit(MethodView):
    @requires_permission("acme.edit")
    def post(self):
        return "edited"
pages.add_url_rule("/edit", view_func=Edit.as_view("edit"))
""",
        """
@requires_permission("acme.edit")
class Edit(MethodView):
    def post(self):
        return "edited"
pages.add_url_rule("/edit", view_func=Edit.as_view("edit"))
""",
    ],
    ids=["no wraps", "two without wraps", "partial", "method", "class"],
)
def test_a_declaration_that_gets_lost_on_the_way_fails_closed(shelf: Shelf, start: Start, view: str) -> None:
    shelf.install("acme", sound() + PERMISSION + view)
    assert "what is declared for acme.edit does not reach it" in _problem(start())


def test_a_class_of_views_says_what_it_needs_in_its_decorators(shelf: Shelf, start: Start) -> None:
    view = """
class Edit(MethodView):
    decorators = (requires_permission("acme.edit"),)
    def post(self):
        return "edited"
pages.add_url_rule("/edit", view_func=Edit.as_view("edit"))
"""
    shelf.install("acme", sound() + PERMISSION + view)
    app = start()
    assert found_in(app, "acme").state is EditionState.LOADED
    assert app.extensions["access"]["acme.edit"].permission == "acme.edit"


@pytest.mark.parametrize(
    ("addition", "problem"),
    [
        ("pages.add_url_rule('/statistics', 'static', board)", "acme.static is no name for a page"),
        ("async def wait(): pass\npages.add_url_rule('/wait', 'wait', wait)", "acme.wait is asynchronous"),
        ("pages.add_url_rule('/old', 'old', board, redirect_to='/acme/')", "the address /acme/old has redirect_to"),
        ("pages.add_url_rule('/old', 'old', board, build_only=True)", "the address /acme/old has redirect_to"),
        ("pages.add_url_rule('/old', 'old', board, websocket=True)", "the address /acme/old has redirect_to"),
        (
            "pages.static_folder = '.'\npages.static_url_path = '/files'",
            "the static files of the blueprint acme lie in",
        ),
        ("Plugin.navigation = (NavItem('acme.board', 42),)", "navigation is"),
        ("Plugin.navigation = (NavItem('acme.board', 'Board', 42),)", "navigation is"),
        ("Plugin.navigation = (NavItem('acme.board', 'Board', children=['none']),)", "navigation is"),
        ("from app.sdk import Card\nPlugin.cards = (Card('week', 'Week', str, None),)", "cards is"),
        ("from app.sdk import SlotContent\nPlugin.slots = (SlotContent('account', str, None),)", "slots is"),
    ],
)
def test_what_could_only_be_a_mistake_is_refused(shelf: Shelf, start: Start, addition: str, problem: str) -> None:
    shelf.install("acme", sound() + addition)
    assert problem in _problem(start())


def test_a_nested_blueprint_keeps_to_the_templates_and_static_files_of_its_edition(shelf: Shelf, start: Start) -> None:
    nested = """
from app.sdk import EditionBlueprint

child = EditionBlueprint("child", __name__, feature="acme.board")
pages.register_blueprint(child)
"""
    files = {"__init__.py": sound() + nested, "templates/standard/week.html": "another week"}
    shelf.install_package("acme", files)
    assert "templates/standard lies outside templates/acme" in _problem(start())


def test_pages_of_a_nested_blueprint_are_pages_of_the_edition(shelf: Shelf, start: Start) -> None:
    nested = """
from flask import Blueprint

child = Blueprint("child", __name__, url_prefix="/child")
child.add_url_rule("/", "index", board)
pages.register_blueprint(child)
"""
    shelf.install("acme", sound() + nested)
    app = start()
    with app.app_context():
        manifest = app.extensions["editions"].manifests["acme"]
        assert {rule.rule for rule in page_rules(manifest)} == {"/acme/", "/acme/child/"}
        assert list(unguarded(manifest)) == [found_in(app, "acme").warnings[0]]


def _problem(app: Flask, name: str = "acme") -> str:
    found = found_in(app, name)
    assert found.state is EditionState.BROKEN, found
    assert found.refusal is not None
    return str(found.refusal.params["problem"])
