"""The installation's commands: register, status, inspect with the installation's keys, setup-code."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import select

from app.audit import COMMAND_LINE, AuditEntry
from app.cli import license as license_commands
from app.cli.license import license_group
from app.cli.setup_code import setup_code_command
from app.database import read_connection
from app.license.models import RegisteredLicense
from app.settings.state import read_state
from tests.conftest import ADMINISTRATOR, MEMBER, add_person, present_key, register_key

STATUS_MEMBERS = [
    "standing",
    "web",
    "desktop",
    "registered_users",
    "seats",
    "in_use",
    "free",
    "installation",
    "license",
]
LICENSE_MEMBERS = [
    "number",
    "fingerprint",
    "customer",
    "edition",
    "features",
    "starts",
    "license_expires",
    "maintenance_expires",
    "trial",
    "grace_until",
]


def run(app: Flask, *arguments: str, stdin: str | bytes = "") -> Result:
    return app.test_cli_runner().invoke(license_group, arguments, input=stdin)


def status(app: Flask) -> dict[str, object]:
    result = run(app, "status", "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def registered(app: Flask) -> list[str]:
    with app.app_context(), read_connection() as connection:
        return list(connection.execute(select(RegisteredLicense.registered_by)).scalars())


def test_status_without_a_license_is_one_object(app: Flask) -> None:
    with app.app_context():
        installation = read_state().identifier
    assert status(app) == {
        "standing": "unlicensed",
        "web": {"usable": False, "until": None, "code": "unlicensed"},
        "desktop": {"usable": False, "until": None, "code": "unlicensed"},
        "registered_users": 0,
        "seats": 0,
        "in_use": 0,
        "free": 0,
        "installation": installation,
        "license": None,
    }


def test_status_has_the_members_of_the_specification_and_no_others(licensed_app: Flask) -> None:
    answer = status(licensed_app)
    assert list(answer) == STATUS_MEMBERS
    assert list(answer["license"]) == LICENSE_MEMBERS
    assert (answer["registered_users"], answer["seats"], answer["in_use"], answer["free"]) == (2, 50, 2, 48)
    assert list(answer["web"]) == list(answer["desktop"]) == ["usable", "until"]
    assert answer["web"]["until"] == answer["license"]["license_expires"] == answer["license"]["grace_until"]


def test_instants_have_the_offset_of_the_installations_zone(make_app: Callable[..., Flask]) -> None:
    app = make_app(time_zone="Asia/Tokyo")
    register_key(app, exp=datetime(2099, 3, 31, 15, tzinfo=UTC))
    assert status(app)["license"]["license_expires"] == "2099-04-01T00:00:00+09:00"
    shown = run(app, "status").stdout
    assert "2099-03-31" in shown
    assert "Asia/Tokyo" in shown


def test_status_says_since_when_maintenance_has_ended(app: Flask) -> None:
    ended = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    register_key(app, maintenance_exp=ended)
    answer = status(app)
    assert answer["web"]["usable"]
    assert answer["desktop"] == {"usable": False, "until": ended.isoformat(), "code": "maintenance_expired"}
    assert "[maintenance_expired]" in run(app, "status").stdout


def test_status_counts_the_excess(app: Flask) -> None:
    register_key(app, seats=1)
    for login in (ADMINISTRATOR, MEMBER):
        add_person(app, login)
    answer = status(app)
    assert (answer["standing"], answer["free"]) == ("seats_exceeded", 0)
    shown = run(app, "status").stdout
    assert "2 users in use, 1 too many" in shown


@pytest.mark.parametrize("way", ["argument", "dash", "input"])
def test_a_key_is_registered_from_wherever_it_comes(app: Flask, way: str) -> None:
    key = present_key()
    arguments = {"argument": [key], "dash": ["-"], "input": []}[way]
    result = run(app, "register", *arguments, stdin="" if way == "argument" else f"\n {key[:90]}\r\n{key[90:]}\n")
    assert result.exit_code == 0, result.output
    assert status(app)["standing"] == "active"
    assert registered(app) == [COMMAND_LINE]


def test_registering_as_json_prints_the_status(app: Flask) -> None:
    assert json.loads(run(app, "register", present_key(), "--json").stdout) == status(app)


def test_a_refused_key_ends_with_1_is_audited_and_changes_nothing(app: Flask) -> None:
    result = run(app, "register", "nonsense", "--json")
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert list(answer) == ["code", "message", "remedy"]
    assert answer["code"] == "malformed"
    assert registered(app) == []
    with app.app_context(), read_connection() as connection:
        assert connection.execute(select(AuditEntry.code)).scalars().all() == ["malformed"]


def test_a_refusal_names_the_claim(app: Flask) -> None:
    answer = json.loads(run(app, "register", present_key(seats=True), "--json").stdout)
    assert (answer["code"], answer["claim"]) == ("claim_invalid", "seats")


def test_the_same_key_twice_is_refused(app: Flask) -> None:
    key = register_key(app)
    result = run(app, "register", key)
    assert result.exit_code == 1
    assert "[already_registered]" in result.stderr
    assert key not in result.output


def test_what_takes_something_away_needs_a_yes(licensed_app: Flask) -> None:
    key = present_key(seats=1)
    result = run(licensed_app, "register", key)
    assert result.exit_code == 1
    assert "[confirmation_needed]" in result.stderr
    assert "50 → 1" in result.stderr
    assert "2 registered, 1 seat: 1 member will not be able to log in" in result.stderr
    assert status(licensed_app)["seats"] == 50

    answer = json.loads(run(licensed_app, "register", key, "--json").stdout)
    assert answer["code"] == "confirmation_needed"
    assert answer["preview"]["locked_out"] == 1
    assert answer["preview"]["users_to_delete"] == 1
    assert {"what": "seats", "old": 50, "new": 1, "worse": True} in answer["preview"]["changes"]

    assert run(licensed_app, "register", key, "--yes").exit_code == 0
    assert status(licensed_app)["standing"] == "seats_exceeded"


@pytest.mark.parametrize(("answer", "seats"), [("y\n", 1), ("n\n", 50), ("", 50)])
def test_at_a_terminal_it_is_asked(
    licensed_app: Flask, monkeypatch: pytest.MonkeyPatch, answer: str, seats: int
) -> None:
    monkeypatch.setattr(license_commands, "is_interactive", lambda: True)
    result = run(licensed_app, "register", present_key(seats=1), stdin=answer)
    assert "Register it all the same?" in result.stderr
    assert result.exit_code == (0 if seats == 1 else 1)
    assert status(licensed_app)["seats"] == seats


def test_a_key_that_starts_later_is_registered_ahead_with_a_yes(licensed_app: Flask) -> None:
    start = datetime.now(UTC) + timedelta(days=30)
    key = present_key(nbf=start, exp=start + timedelta(days=400), maintenance_exp=start + timedelta(days=400))
    assert run(licensed_app, "register", key).exit_code == 1
    assert run(licensed_app, "register", key, "--yes").exit_code == 0
    assert "Registered ahead" in run(licensed_app, "status").stdout


def test_inspect_registers_nothing_and_says_what_registering_would_do(licensed_app: Flask) -> None:
    before = registered(licensed_app)
    result = run(licensed_app, "inspect", present_key(seats=60))
    assert "would register it at once" in result.stdout
    assert "ask for a confirmation" in run(licensed_app, "inspect", present_key(seats=1)).stdout
    answer = json.loads(run(licensed_app, "inspect", present_key(seats=1), "--json").stdout)
    assert answer["registering"]["accepted"]
    assert answer["registering"]["needs_confirmation"]
    assert registered(licensed_app) == before


def test_inspect_explains_a_genuine_key_that_would_be_refused(licensed_app: Flask) -> None:
    past = datetime.now(UTC) - timedelta(days=10)
    key = present_key(nbf=past - timedelta(days=10), iat=past - timedelta(days=10), exp=past)
    result = run(licensed_app, "inspect", key)
    assert result.exit_code == 0
    assert "[license_expired]" in result.stdout
    assert json.loads(run(licensed_app, "inspect", key, "--json").stdout)["registering"]["code"] == "license_expired"


def test_inspect_works_where_the_database_does_not_answer(make_app: Callable[..., Flask]) -> None:
    app = make_app(database_url="postgresql://nobody@127.0.0.1:1/none")
    result = run(app, "inspect", present_key())
    assert result.exit_code == 0, result.output
    assert "The license key is genuine." in result.stdout
    assert "This installation" not in result.stdout


def test_a_setting_that_is_not_understood_ends_with_1_and_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIMETRACKER_ALLOW_EVALUATION_KEYS", "FALSE")
    result = CliRunner().invoke(license_group, ["status"])
    assert result.exit_code == 1
    assert "TIMETRACKER_ALLOW_EVALUATION_KEYS" in result.stderr
    assert "Traceback" not in result.output


def test_the_setup_code_is_printed_until_there_is_a_user(app: Flask) -> None:
    runner = app.test_cli_runner()
    code = runner.invoke(setup_code_command).stdout.strip()
    assert len(code.replace("-", "")) == 16
    assert json.loads(runner.invoke(setup_code_command, ["--json"]).stdout) == {"setup_code": code}
    add_person(app, ADMINISTRATOR, admin=True)
    result = runner.invoke(setup_code_command, ["--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["code"] == "already_set_up"


def test_the_setup_code_needs_a_secret_key(keyless_app: Flask) -> None:
    result = keyless_app.test_cli_runner().invoke(setup_code_command)
    assert result.exit_code == 1
    assert "secret_key_missing" in result.stderr
