"""``flask user``: every command, its exit status, and that it obeys the same rules as the screen."""

import json
from collections.abc import Sequence

import pytest
from click.testing import Result
from flask import Flask

from app.cli import user as commands
from app.cli.user import user_group
from app.settings.users import service
from tests.conftest import ADMINISTRATOR, MEMBER, add_person, log_in, register_key


def run(app: Flask, *arguments: str, stdin: str = "") -> Result:
    return app.test_cli_runner().invoke(user_group, list(arguments), input=stdin)


def answer(app: Flask, *arguments: str, stdin: str = "") -> dict[str, object]:
    result = run(app, *arguments, "--json", stdin=stdin)
    read: dict[str, object] = json.loads(result.stdout)
    return read


def logins(app: Flask, *arguments: str) -> Sequence[object]:
    users = answer(app, "list", *arguments)["users"]
    assert isinstance(users, list)
    return [user["login"] for user in users]


def test_create_adds_a_user_who_can_log_in(licensed_app: Flask) -> None:
    person = ("t.mori", "--name", "森 太郎", "--email", "t.mori@example.jp", "--admin")
    made = run(licensed_app, "create", *person, "--password-stdin", stdin="four quite long words\n")

    assert (made.exit_code, made.stdout) == (0, "森 太郎 is added. 3 users in use, 47 seats free.\n")
    log_in(licensed_app.test_client(), "t.mori", "four quite long words")
    assert logins(licensed_app) == [ADMINISTRATOR, MEMBER, "t.mori"]
    assert logins(licensed_app, "--search", "太郎") == ["t.mori"]


def test_create_without_a_password_says_how_to_set_one(licensed_app: Flask) -> None:
    made = run(licensed_app, "create", "t.mori", "--name", "Mori")

    assert made.exit_code == 0
    assert "flask user password t.mori" in made.stdout
    assert answer(licensed_app, "create", "k.ono", "--name", "Ono")["has_password"] is False


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("create", "M.SAKAI", "--name", "X"), "login_taken"),
        (("create", "a b", "--name", "X"), "login_invalid"),
        (("create", "a", "--name", "X", "--email", "x"), "email_invalid"),
        (("create", "a", "--name", "X", "--password-stdin"), "password_too_short"),
        (("delete", "nobody"), "user_unknown"),
        (("restore", MEMBER), "user_not_deleted"),
        (("restore", "nobody"), "user_unknown"),
        (("password", MEMBER, "--password-stdin"), "password_too_short"),
        (("delete", ADMINISTRATOR), "last_administrator"),
        (("withdraw-admin", ADMINISTRATOR), "last_administrator"),
        (("grant-admin", "nobody"), "user_unknown"),
    ],
)
def test_a_refusal_ends_with_status_1_and_its_code(licensed_app: Flask, arguments: tuple[str, ...], code: str) -> None:
    text = run(licensed_app, *arguments, stdin="short\n")
    assert (text.exit_code, text.stdout) == (1, "")
    assert f"[{code}]" in text.stderr

    as_json = run(licensed_app, *arguments, "--json", stdin="short\n")
    assert as_json.exit_code == 1
    assert json.loads(as_json.stdout)["code"] == code


@pytest.mark.parametrize("arguments", [("create", "a"), ("password", MEMBER), ("delete",), ("delete", "a", "--what")])
def test_wrong_usage_ends_with_status_2(licensed_app: Flask, arguments: tuple[str, ...]) -> None:
    assert run(licensed_app, *arguments).exit_code == 2


def test_delete_and_restore(licensed_app: Flask) -> None:
    deleted = run(licensed_app, "delete", "M.Sakai")
    assert deleted.stdout == "Mio Sakai is deleted. 1 user in use, 49 seats free.\n"
    assert (logins(licensed_app), logins(licensed_app, "--deleted")) == ([ADMINISTRATOR], [MEMBER])
    assert run(licensed_app, "delete", MEMBER).exit_code == 1
    assert "login_deleted" in run(licensed_app, "create", MEMBER, "--name", "Another").stderr

    restored = answer(licensed_app, "restore", MEMBER)
    assert restored["deleted_at"] is None
    assert logins(licensed_app) == [ADMINISTRATOR, MEMBER]


def test_password_ends_sessions(licensed_app: Flask) -> None:
    browser = licensed_app.test_client()
    log_in(browser, MEMBER)

    assert run(licensed_app, "password", MEMBER, "--password-stdin", stdin="four quite long words\r\n").exit_code == 0

    assert browser.get("/").location.startswith("/login")
    log_in(browser, MEMBER, "four quite long words")


def test_privilege_is_granted_and_withdrawn(licensed_app: Flask) -> None:
    assert run(licensed_app, "grant-admin", MEMBER).stdout == "m.sakai is a system administrator now.\n"
    assert run(licensed_app, "grant-admin", MEMBER).stdout == "m.sakai is a system administrator.\n"
    assert run(licensed_app, "withdraw-admin", ADMINISTRATOR).exit_code == 0
    assert answer(licensed_app, "withdraw-admin", ADMINISTRATOR)["system_administrator"] is False


@pytest.mark.parametrize("command", ["create", "restore"])
def test_past_the_seats_it_asks_and_yes_answers(
    licensed_app: Flask, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("create", "t.mori", "--name", "Mori") if command == "create" else ("restore", "gone")
    gone = add_person(licensed_app, "gone")
    with licensed_app.app_context():
        service.delete([gone])
    register_key(licensed_app, seats=2)

    refused = run(licensed_app, *arguments)
    assert refused.exit_code == 1
    assert "confirmation_needed" in refused.stderr
    assert "2 members will not be able to log in" in refused.stderr
    shown = answer(licensed_app, *arguments)
    assert (shown["code"], shown["excess"], shown["locked_out"]) == ("confirmation_needed", 1, 2)

    monkeypatch.setattr(commands, "is_interactive", lambda: True)
    monkeypatch.setattr(commands, "_read_password", lambda **_: None)
    assert run(licensed_app, *arguments, stdin="n\n").exit_code == 1
    assert logins(licensed_app) == [ADMINISTRATOR, MEMBER]
    assert run(licensed_app, *arguments, stdin="y\n").exit_code == 0
    assert len(logins(licensed_app)) == 3


def test_yes_goes_past_the_seats(licensed_app: Flask) -> None:
    register_key(licensed_app, seats=2)

    assert run(licensed_app, "create", "t.mori", "--name", "Mori", "--yes").exit_code == 0


@pytest.mark.parametrize(("typed", "deleted"), [("y\n", True), ("n\n", False), ("", False)])
def test_at_a_terminal_delete_says_what_it_does_and_asks(
    licensed_app: Flask, monkeypatch: pytest.MonkeyPatch, typed: str, deleted: bool
) -> None:
    monkeypatch.setattr(commands, "is_interactive", lambda: True)
    result = run(licensed_app, "delete", MEMBER, stdin=typed)
    assert "Mio Sakai can no longer log in." in result.stderr
    assert "Delete 1 user?" in result.stderr
    assert (result.exit_code == 0) is deleted
    assert (logins(licensed_app, "--deleted") == [MEMBER]) is deleted


@pytest.mark.parametrize("option", ["--yes", "--json"])
def test_delete_does_not_ask_where_it_was_told_or_a_machine_reads(
    licensed_app: Flask, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    monkeypatch.setattr(commands, "is_interactive", lambda: True)
    result = run(licensed_app, "delete", MEMBER, option)
    assert (result.exit_code, result.stderr) == (0, "")
    assert logins(licensed_app, "--deleted") == [MEMBER]


def test_a_command_prints_no_log_lines(licensed_app: Flask) -> None:
    result = run(licensed_app, "create", "t.mori", "--name", "Mori")
    assert (result.exit_code, result.stderr) == (0, "")
