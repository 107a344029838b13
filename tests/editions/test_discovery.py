"""Whatever an installed edition does, the application starts, says why it is not loaded, and keeps nothing of it."""

from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, PackageNotFoundError
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.exceptions import NotFound

from app.editions import discovery
from app.editions.discovery import Discovered, EditionState
from app.editions.registration import EditionError
from tests.editions.conftest import Shelf, found_in, sound

Start = Callable[..., Flask]


def routes_of(app: Flask, name: str) -> list[str]:
    return [rule.rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith(name)]


def expect_refusal(app: Flask, code: str, state: EditionState, name: str = "acme") -> Discovered:
    found = found_in(app, name)
    assert found.refusal is not None
    assert (found.refusal.code, found.state) == (code, state)
    assert found_in(app, "standard").state is EditionState.LOADED
    if name not in ("license", "auth"):
        assert routes_of(app, name) == []
    return found


def test_the_bundled_edition_is_loaded(start: Start) -> None:
    found = found_in(start(edition_failures_raise=True), "standard")
    assert (found.state, found.source, found.title) == ("loaded", "timetracker-rx", "Standard")
    assert found.pages > 1
    assert found.version == "1.0.0"


def test_an_edition_of_another_package_is_loaded(shelf: Shelf, start: Start) -> None:
    shelf.install("acme", sound())
    app = start(edition_failures_raise=True)
    found = found_in(app, "acme")
    assert (found.state, found.version, found.source) == ("loaded", "1.2.3", "acme-package")
    assert routes_of(app, "acme") == ["/acme/"]


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("raise RuntimeError('the disk is full of bees')", "RuntimeError: the disk is full of bees"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("class Odd(BaseException): pass\nraise Odd('no Exception')", "Odd: no Exception"),
        (
            "class Mute(Exception):\n    def __str__(self): raise ValueError\nraise Mute",
            "Mute: <exception str() failed>",
        ),
        ("def deeper(): deeper()\ndeeper()", "RecursionError: maximum recursion depth exceeded"),
        ("import warnings; warnings.warn('old', DeprecationWarning)", "DeprecationWarning: old"),
        ("from app.sdk import PeriodHook", "ImportError: cannot import name 'PeriodHook' from 'app.sdk'"),
        ("def", "SyntaxError: invalid syntax"),
        ("raise ValueError('one\\ntwo')", "ValueError: one"),
        ("Plugin = None\ndel Plugin", "AttributeError"),
    ],
)
def test_an_edition_that_fails_at_import_is_broken(shelf: Shelf, start: Start, statement: str, error: str) -> None:
    shelf.install("acme", statement)
    found = expect_refusal(start(), "edition_import_failed", EditionState.BROKEN)
    assert error in str(found.refusal and found.refusal.params["error"])
    assert error.partition(":")[0] in found.traceback


def test_an_operators_interrupt_is_not_taken_for_a_broken_edition(shelf: Shelf, start: Start) -> None:
    shelf.install("acme", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        start()


def test_a_module_that_is_not_there_makes_a_broken_edition(shelf: Shelf, start: Start) -> None:
    shelf.add("acme", "no_such_module:Plugin", package="acme-package")
    expect_refusal(start(), "edition_import_failed", EditionState.BROKEN)


def test_an_edition_that_fails_when_it_is_made_is_broken(shelf: Shelf, start: Start) -> None:
    shelf.install("acme", sound() + "    def __init__(self): raise OSError('no license server')\n")
    found = expect_refusal(start(), "edition_import_failed", EditionState.BROKEN)
    assert "no license server" in found.traceback


def test_a_property_that_fails_makes_a_broken_edition(shelf: Shelf, start: Start) -> None:
    shelf.install("acme", sound() + "    @property\n    def features(self): return 1 / 0\n")
    expect_refusal(start(), "edition_import_failed", EditionState.BROKEN)


@pytest.mark.parametrize(
    "source",
    ["Plugin = 3", "def Plugin(): pass", "class Plugin: pass", "from app.sdk import Edition as Plugin"],
)
def test_an_entry_point_that_leads_elsewhere_is_broken(shelf: Shelf, start: Start, source: str) -> None:
    shelf.install("acme", source)
    expect_refusal(start(), "edition_wrong_type", EditionState.BROKEN)


@pytest.mark.parametrize(
    ("version", "code", "state"),
    [
        ("2", "edition_needs_newer_application", EditionState.INCOMPATIBLE),
        ("0", "edition_too_old", EditionState.INCOMPATIBLE),
        ("True", "edition_malformed", EditionState.BROKEN),
        ("'1'", "edition_malformed", EditionState.BROKEN),
        ("None", "edition_malformed", EditionState.BROKEN),
    ],
)
def test_the_version_of_the_sdk_decides(
    shelf: Shelf, start: Start, version: str, code: str, state: EditionState
) -> None:
    shelf.install("acme", sound(api_version=version))
    expect_refusal(start(), code, state)


def test_an_edition_for_another_sdk_is_judged_by_nothing_else(shelf: Shelf, start: Start) -> None:
    shelf.install("acme", sound(api_version="2", features="['in the form of version 2']", title="None"))
    expect_refusal(start(), "edition_needs_newer_application", EditionState.INCOMPATIBLE)


@pytest.mark.parametrize(
    "attributes",
    [
        {"name": "'other'"},
        {"title": "''"},
        {"title": "'  '"},
        {"title": "'two\\nlines'"},
        {"title": "None"},
        {"description": "None"},
        {"version": "1.0"},
        {"extends": "'Standard'"},
        {"included_in": "'standard'"},
        {"included_in": "('standard',)", "extends": "'standard'"},
        {"included_in": "('standard',)", "start_page": "'acme.board'"},
        {"features": "[]"},
        {"features": "('acme.board',)"},
        {"features": "(Feature('board', 'Board'),)"},
        {"features": "(Feature('acme.Board', 'Board'),)"},
        {"features": "(Feature('acme.' + 'b' * 60, 'Board'),)"},
        {"features": "(Feature(None, 'Board'),)"},
        {"features": "(Feature('acme.board', ''),)"},
        {"features": "(Feature('acme.board', 'Board'), Feature('acme.board', 'Again'))"},
        {"features": "()"},  # the page asks for acme.board all the same
        {"blueprints": "pages"},
        {"blueprints": "(EditionBlueprint('other', __name__, feature=None),)"},
        {"blueprints": "(EditionBlueprint('acmeboard', __name__, feature=None),)"},
        {"start_page": "'acme.nowhere'"},
        {"start_page": "'standard.start'"},
        {"navigation": "(NavItem('acme.nowhere', 'Nowhere'),)"},
        {"navigation": "(NavItem('acme.board', 'Board', children=(NavItem('users.index', 'Users'),)),)"},
        {"navigation": "('acme.board',)"},
        {"navigation": "(NavItem('acme.board', 'Board', permission=('acme.nowhere',)),)"},
        {"navigation": "(NavItem('acme.board', 'Board', permission=5),)"},
        {"audit_actions": "('note.add',)"},
        {"audit_actions": "(AuditAction('add', 'Add note'),)"},
        {"audit_actions": "(AuditAction('note.add', ''),)"},
        {"audit_actions": "(AuditAction('user.add', 'The title of the core changed'),)"},
        {"audit_actions": "(AuditAction('note.add', 'Add note'), AuditAction('note.add', 'Add it again'))"},
        {"audit_actions": "(AuditAction('sheet.correct', 'The title of another edition changed'),)"},
    ],
    ids=str,
)
def test_what_an_edition_declares_is_checked(shelf: Shelf, start: Start, attributes: dict[str, str]) -> None:
    shelf.install("acme", sound(**attributes))
    expect_refusal(start(), "edition_malformed", EditionState.BROKEN)


@pytest.mark.parametrize(
    ("attribute", "value", "kind"),
    [("included_in", "('standard')", "str"), ("features", "Feature('acme.board', 'Board of Acme')", "Feature")],
)
def test_a_forgotten_comma_is_said(
    shelf: Shelf, start: Callable[..., Flask], attribute: str, value: str, kind: str
) -> None:
    shelf.install("acme", sound("acme", **{attribute: value}))
    problem = str(found_in(start(), "acme").refusal.params["problem"])
    assert problem.startswith(f"{attribute} is one {kind} and not a tuple")
    assert problem.endswith("a comma behind it makes it one")


@pytest.mark.parametrize("name", ["Acme", "acme-boards", "acme.boards", "1acme", "acme__x", "a" * 65])
def test_an_entry_point_whose_name_no_edition_can_have_is_not_imported(shelf: Shelf, start: Start, name: str) -> None:
    shelf.install(name, "raise KeyboardInterrupt", package="acme")
    expect_refusal(start(), "edition_malformed", EditionState.BROKEN, name)


@pytest.mark.parametrize("name", ["license", "auth", "errors"])
def test_an_edition_cannot_have_the_name_of_a_part_of_the_core(shelf: Shelf, start: Start, name: str) -> None:
    shelf.install(name, sound(name))
    app = start()
    expect_refusal(app, "edition_malformed", EditionState.BROKEN, name)
    assert app.view_functions["license.show"].__module__ == "app.license.views"


@pytest.mark.parametrize(
    "addition",
    [
        "pages.before_app_request(lambda: 'everything is mine')",
        "pages.after_app_request(lambda response: response)",
        "pages.teardown_app_request(lambda error: None)",
        "pages.app_context_processor(lambda: {'theme': 'pink'})",
        "pages.app_url_defaults(lambda endpoint, values: None)",
        "pages.app_url_value_preprocessor(lambda endpoint, values: None)",
        "pages.app_errorhandler(404)(lambda error: 'lost')",
        "pages.app_template_filter('shout')(str.upper)",
        "pages.app_template_filter('upper')(str.lower)",
        "pages.app_template_global('url_for')(lambda *names: '/')",
        "pages.app_template_test('odd')(bool)",
        "pages.record(lambda state: state.app.add_url_rule('/x', 'x', board))",
        "pages.record(lambda state: state.app.teardown_appcontext(print))",
        "pages.cli_group = None\npages.cli.command('db')(print)",
    ],
)
def test_an_edition_that_reaches_beyond_its_own_pages_is_broken(shelf: Shelf, start: Start, addition: str) -> None:
    shelf.install("acme", sound() + addition)
    found = expect_refusal(start(), "edition_malformed", EditionState.BROKEN)
    assert "more than its own pages" in str(found.refusal and found.refusal.params["problem"])


def test_an_edition_may_bring_filters_commands_and_hooks_of_its_own(shelf: Shelf, start: Start) -> None:
    own = """
pages.before_request(lambda: None)
pages.errorhandler(404)(lambda error: "lost")
pages.app_template_filter("acme_shout")(str.upper)
pages.cli.command("count")(print)
"""
    shelf.install("acme", sound() + own)
    app = start(edition_failures_raise=True)
    assert app.jinja_env.filters["acme_shout"] is str.upper


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("/login", "edition_address_taken"),
        ("/settings/operation/license", "edition_address_taken"),
        ("/api/everything", "edition_address_taken"),
        ("/api/v1/<anything>", "edition_address_taken"),
        ("/api/v1/me", "edition_address_taken"),
        ("/api/v1/standing/more", "edition_address_taken"),
        ("/static/<path:name>", "edition_address_taken"),
        ("/start/", "edition_address_taken"),
        ("/", "edition_malformed"),
        ("/<anything>", "edition_malformed"),
        ("/<path:anything>", "edition_malformed"),
    ],
)
def test_an_address_belongs_to_whoever_was_first(shelf: Shelf, start: Start, address: str, code: str) -> None:
    pages = f"EditionBlueprint('acme', __name__, feature='acme.board', url_prefix='')\nmore.get('{address}')(board)\n"
    shelf.install(
        "acme", sound().replace("class Plugin", f"more = {pages}\nclass Plugin") + "    blueprints = (more,)\n"
    )
    expect_refusal(start(), code, EditionState.BROKEN)


def test_a_start_page_takes_no_arguments(shelf: Shelf, start: Start) -> None:
    shelf.install("acme", sound(start_page="'acme.board'").replace('get("/")', 'get("/<int:number>")'))
    expect_refusal(start(), "edition_malformed", EditionState.BROKEN)


def test_a_start_page_needs_a_feature(shelf: Shelf, start: Start) -> None:
    shelf.install("acme", sound(start_page="'acme.board'").replace('feature="acme.board"', "feature=None"))
    expect_refusal(start(), "edition_malformed", EditionState.BROKEN)


def test_a_feature_that_nobody_declares_cannot_be_asked_for(shelf: Shelf, start: Start) -> None:
    shelf.install("acme", sound().replace("def board", '@requires_feature("acme.bored")\ndef board', 1))
    found = expect_refusal(start(), "edition_malformed", EditionState.BROKEN)
    assert "acme.bored" in str(found.refusal and found.refusal.params["problem"])


def test_a_feature_belongs_to_one_edition(shelf: Shelf, start: Start) -> None:
    shelf.install("acme", sound(features="(Feature('timesheet.start', 'Mine'), Feature('acme.board', 'Board'))"))
    found = expect_refusal(start(), "edition_feature_taken", EditionState.BROKEN)
    assert found.refusal is not None
    assert found.refusal.params == {"feature": "timesheet.start", "owner": "standard"}


def test_a_blueprint_that_fails_half_way_leaves_no_routes(shelf: Shelf, start: Start) -> None:
    shelf.install("acme", sound() + "pages.record(lambda state: 1 / 0)\npages.get('/after')(board)\n")
    found = expect_refusal(start(), "edition_registration_failed", EditionState.BROKEN)
    assert "ZeroDivisionError" in found.traceback


def test_a_blueprint_that_exits_leaves_no_routes(shelf: Shelf, start: Start) -> None:
    shelf.install("acme", sound() + "import sys\npages.record(lambda state: sys.exit())\n")
    expect_refusal(start(), "edition_registration_failed", EditionState.BROKEN)


def test_a_blueprint_that_passes_the_rehearsal_and_then_fails_leaves_no_routes(shelf: Shelf, start: Start) -> None:
    turncoat = """
seen = []
def betray(state):
    seen.append(state)
    if len(seen) == 2:
        raise RuntimeError("not rehearsed")
pages.record(betray)
"""
    shelf.install("acme", sound() + turncoat)
    app = start()
    found = expect_refusal(app, "edition_registration_failed", EditionState.BROKEN)
    assert "not rehearsed" in found.traceback
    assert "acme" not in app.blueprints
    assert not [endpoint for endpoint in app.view_functions if endpoint.startswith("acme")]
    adapter = app.url_map.bind("localhost")
    with pytest.raises(NotFound):
        adapter.match("/acme/")
    assert adapter.match("/") == ("home.index", {})
    assert adapter.match("/static/rx.css") == ("static", {"filename": "rx.css"})
    assert app.test_client().options("/login").status_code == app.test_client().options("/setup").status_code


def test_of_two_editions_of_one_name_the_first_package_counts(shelf: Shelf, start: Start) -> None:
    shelf.install("acme", sound(), package="b-acme")
    shelf.install("acme", sound(), package="a-acme")
    app = start()
    assert [(found.source, found.state) for found in app.extensions["editions"].found if found.name == "acme"] == [
        ("a-acme", "loaded"),
        ("b-acme", "duplicate"),
    ]


def test_nobody_can_take_the_name_of_the_bundled_edition(shelf: Shelf, start: Start) -> None:
    shelf.install("standard", "raise KeyboardInterrupt", package="aaa-first-by-name")
    app = start()
    assert found_in(app, "standard").source == "timetracker-rx"
    duplicate = app.extensions["editions"].found[-1]
    assert (duplicate.source, duplicate.refusal.code) == ("aaa-first-by-name", "edition_duplicate")


def test_the_order_of_the_entry_points_does_not_matter(shelf: Shelf, start: Start) -> None:
    for name in ("delta", "alpha", "charlie"):
        shelf.install(name, sound(name, extends="'bravo'"))
    shelf.install("bravo", sound("bravo"))
    shelf.install("addition", sound("addition", included_in="('alpha',)"))
    first = [found.name for found in start(edition_failures_raise=True).extensions["editions"].found]
    shelf.entries.reverse()
    assert [found.name for found in start().extensions["editions"].found] == first
    assert first == ["standard", "bravo", "alpha", "charlie", "delta", "desktop", "addition"]


def test_an_edition_whose_base_is_missing_is_incompatible(shelf: Shelf, start: Start) -> None:
    shelf.install("acme", sound(extends="'professional'"))
    expect_refusal(start(), "edition_base_missing", EditionState.INCOMPATIBLE)


def test_an_edition_whose_base_is_broken_is_incompatible(shelf: Shelf, start: Start) -> None:
    shelf.install("acme", sound(extends="'base'"))
    shelf.install("base", sound("base") + "pages.record(lambda state: 1 / 0)\n")
    app = start()
    expect_refusal(app, "edition_base_missing", EditionState.INCOMPATIBLE)
    expect_refusal(app, "edition_registration_failed", EditionState.BROKEN, "base")


def test_a_module_is_no_base(shelf: Shelf, start: Start) -> None:
    shelf.install("acme", sound(extends="'addition'"))
    shelf.install("addition", sound("addition", included_in="('standard',)"))
    expect_refusal(start(), "edition_base_missing", EditionState.INCOMPATIBLE)


def test_editions_that_extend_each_other_are_broken(shelf: Shelf, start: Start) -> None:
    shelf.install("acme", sound(extends="'bravo'"))
    shelf.install("bravo", sound("bravo", extends="'acme'"))
    shelf.install("charlie", sound("charlie", extends="'charlie'"))
    app = start()
    for name in ("acme", "bravo", "charlie"):
        expect_refusal(app, "edition_extends_itself", EditionState.BROKEN, name)


def test_a_page_that_declares_no_feature_is_a_warning(shelf: Shelf, start: Start) -> None:
    shelf.install("acme", sound().replace('feature="acme.board"', "feature=None").replace("navigation", "unused"))
    app = start()
    found = found_in(app, "acme")
    assert found.state is EditionState.LOADED
    assert found.warnings[0].startswith("acme.board declares no feature")
    assert "acme.board" not in app.extensions["access"]


@pytest.mark.parametrize(
    "source",
    [
        "raise RuntimeError",
        sound(api_version="2"),
        sound(extends="'nothing'"),
        sound() + "pages.record(lambda state: 1 / 0)\n",
        sound().replace('feature="acme.board"', "feature=None"),
    ],
)
def test_a_setting_lets_the_start_stop_at_an_unsound_edition(shelf: Shelf, start: Start, source: str) -> None:
    shelf.install("acme", source)
    with pytest.raises(EditionError, match="acme of acme-package"):
        start(edition_failures_raise=True)


def test_the_setting_stops_at_duplicates_too(shelf: Shelf, start: Start) -> None:
    shelf.install("standard", sound("standard"))
    with pytest.raises(EditionError, match="edition_duplicate"):
        start(edition_failures_raise=True)


def test_starting_does_not_create_a_database(start: Start, tmp_path: Path) -> None:
    start()
    assert not (tmp_path / "timetracker.sqlite3").exists()


@pytest.mark.parametrize("content", [b"", b"this is no database, and long enough to be sure of it"])
def test_a_database_that_cannot_say_disables_nothing(start: Start, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "timetracker.sqlite3").write_bytes(content)
    assert found_in(start(), "standard").state is EditionState.LOADED


def test_a_database_that_does_not_answer_disables_nothing(start: Start) -> None:
    app = start(database_url="postgresql://nobody@127.0.0.1:1/nothing")
    assert found_in(app, "standard").state is EditionState.LOADED


def test_an_installed_package_with_unreadable_metadata_hides_no_other(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(group: str) -> Iterator[EntryPoint]:
        raise PackageNotFoundError(group)

    monkeypatch.setattr(discovery, "entry_points", fail)
    assert found_in(start(), "standard").state is EditionState.LOADED
