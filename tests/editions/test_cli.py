"""``flask edition``: works with broken editions in place and without a database."""

import json
from collections.abc import Callable

from flask import Flask

from app.cli.edition import edition_group
from tests.conftest import ONLY_SQLITE, register_key
from tests.editions.conftest import Shelf, found_in, sound


def test_the_list_names_every_edition_with_its_reason(shelf: Shelf, make_app: Callable[..., Flask]) -> None:
    shelf.install("acme", "raise RuntimeError('no')")
    app = make_app()
    register_key(app, seats=5)
    result = app.test_cli_runner().invoke(edition_group, ["list"])
    assert result.exit_code == 0, result.output
    assert "standard 1.0.0 (timetracker-rx): loaded, licensed" in result.output
    assert "acme 1.2.3 (acme-package): broken" in result.output
    assert "[edition_import_failed]" in result.output


def test_the_list_as_json_holds_all_of_it(shelf: Shelf, make_app: Callable[..., Flask]) -> None:
    shelf.install("acme", "raise RuntimeError('no')")
    result = make_app().test_cli_runner().invoke(edition_group, ["list", "--json"])
    standard, *_, acme = json.loads(result.stdout)
    assert standard["features"][0] == "timesheet.start"
    assert standard["license"] == "none"
    assert (acme["state"], acme["code"]) == ("broken", "edition_import_failed")
    assert "RuntimeError: no" in acme["traceback"]


def test_the_list_works_without_a_database(shelf: Shelf, start: Callable[..., Flask]) -> None:
    shelf.install("acme", sound())
    result = start().test_cli_runner().invoke(edition_group, ["list"])
    assert result.exit_code == 0, result.output
    assert "acme 1.2.3 (acme-package): loaded" in result.output
    assert "The database does not answer" in result.stderr


def test_an_edition_is_switched_from_the_next_start(shelf: Shelf, make_app: Callable[..., Flask]) -> None:
    shelf.install("acme", sound())
    app = make_app()
    run = app.test_cli_runner()
    result = run.invoke(edition_group, ["disable", "acme"])
    assert result.exit_code == 0, result.output
    assert "acme goes off when the application is restarted." in result.output
    assert "off after a restart" in run.invoke(edition_group, ["list"]).output
    assert found_in(make_app(), "acme").state == "disabled"
    answer = json.loads(run.invoke(edition_group, ["disable", "acme", "--json"]).stdout)
    assert answer == {"name": "acme", "disabled": True, "changed": False}
    assert run.invoke(edition_group, ["enable", "acme"]).exit_code == 0
    assert found_in(make_app(), "acme").state == "loaded"


def test_a_refusal_ends_with_1_and_its_code(make_app: Callable[..., Flask]) -> None:
    run = make_app().test_cli_runner()
    result = run.invoke(edition_group, ["disable", "nothing"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "[edition_not_installed]" in result.stderr
    as_json = run.invoke(edition_group, ["enable", "nothing", "--json"])
    assert as_json.exit_code == 1
    assert json.loads(as_json.stdout)["code"] == "edition_not_installed"


def test_wrong_usage_ends_with_2(make_app: Callable[..., Flask]) -> None:
    assert make_app().test_cli_runner().invoke(edition_group, ["disable"]).exit_code == 2


@ONLY_SQLITE
def test_a_command_of_an_edition_that_is_not_loaded_says_why_and_how_to_get_it_back(
    shelf: Shelf, make_app: Callable[..., Flask]
) -> None:
    shelf.install("acme", f"import click\n{sound()}Plugin.commands = (click.Command('list'),)\n")
    shelf.install("bravo", "raise ValueError('not today')")
    make_app().test_cli_runner().invoke(edition_group, ["disable", "acme"])
    app = make_app()
    runner = app.test_cli_runner()
    result = runner.invoke(args=["acme", "list", "--all"])
    assert result.exit_code == 1
    assert "It was switched off by command line" in result.stderr
    assert "flask edition enable acme" in result.stderr
    result = runner.invoke(args=["bravo"])
    assert result.exit_code == 1
    assert "ValueError: not today" in result.stderr
    assert "[edition_import_failed]" in result.stderr
    assert "bravo" not in runner.invoke(args=["--help"]).stdout


@ONLY_SQLITE
def test_a_module_that_is_included_nowhere_is_mentioned(shelf: Shelf, make_app: Callable[..., Flask]) -> None:
    shelf.install("acme", sound(included_in="('standart',)"))
    shelf.install("bravo", sound("bravo", included_in="('standard', 'acme')"))
    runner = make_app().test_cli_runner()
    stdout = runner.invoke(edition_group, ["doctor", "acme"]).stdout
    assert "[included] included_in names standart, which is no edition that is loaded here" in stdout
    stdout = runner.invoke(edition_group, ["doctor", "bravo"]).stdout
    assert "included_in names acme, which is a module itself" in stdout
    assert "included_in names standard" not in stdout
