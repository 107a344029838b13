"""``flask doctor`` on sound and unsound installations."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import text

from app.cli import checks
from app.cli.checks import CHECKS
from app.cli.doctor import doctor_command
from app.database import write_transaction
from app.extensions import db
from tests.conftest import ADMINISTRATOR, ONLY_POSTGRESQL, ONLY_SQLITE, add_person, register_key

ALL = ["settings", *(name for name, _ in CHECKS)]


def examine(app: Flask) -> tuple[int, dict[str, dict[str, str]]]:
    result = app.test_cli_runner().invoke(doctor_command, ["--json"])
    answer = json.loads(result.stdout)
    assert answer["ok"] == (result.exit_code == 0)
    assert all(it["remedy"] for it in answer["checks"] if it["state"] != "ok")
    return result.exit_code, {it["check"]: it for it in answer["checks"]}


def execute(app: Flask, *statements: str) -> None:
    with app.app_context(), write_transaction() as session:
        for statement in statements:
            session.execute(text(statement))


def test_a_sound_installation_passes_every_check(licensed_app: Flask) -> None:
    code, found = examine(licensed_app)
    assert code == 0
    assert list(found) == ALL
    assert {name: it["state"] for name, it in found.items()} == dict.fromkeys(ALL, "ok")


def test_people_read_one_line_a_check(licensed_app: Flask) -> None:
    result = licensed_app.test_cli_runner().invoke(doctor_command)
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == len(ALL)


def test_a_missing_license_is_a_warning_with_its_code(app: Flask) -> None:
    code, found = examine(app)
    assert code == 0
    assert (found["standing"]["state"], found["standing"]["code"]) == ("warn", "unlicensed")


def test_a_missing_secret_key_fails(keyless_app: Flask) -> None:
    code, found = examine(keyless_app)
    assert code == 1
    assert found["secret_key"]["state"] == "fail"


def test_a_config_file_that_others_can_read_is_a_warning(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("")
    path.chmod(0o644)
    assert examine(app)[1]["secret_key"]["remedy"] == f"Run: chmod 600 {path}"


def test_a_wrong_seat_count_fails_and_the_remedy_repairs_it(licensed_app: Flask) -> None:
    execute(licensed_app, "UPDATE seat_count SET registered_users = 9")
    code, found = examine(licensed_app)
    assert code == 1
    assert found["seats"]["text"] == "The seat count says 9, but 2 users are registered."
    execute(licensed_app, found["seats"]["remedy"].removeprefix("Run on the database: "))
    assert examine(licensed_app)[0] == 0


def test_a_missing_trigger_fails(licensed_app: Flask) -> None:
    on = " ON users" if db_name(licensed_app) == "postgresql" else ""
    execute(licensed_app, f"DROP TRIGGER users_count_insert{on}")
    code, found = examine(licensed_app)
    assert code == 1
    assert "users_count_insert" in found["triggers"]["text"]


@ONLY_POSTGRESQL
def test_a_disabled_trigger_fails(licensed_app: Flask) -> None:
    execute(licensed_app, "ALTER TABLE users DISABLE TRIGGER users_count_insert")
    assert examine(licensed_app)[1]["triggers"]["state"] == "fail"


@ONLY_SQLITE
def test_a_broken_reference_fails(licensed_app: Flask) -> None:
    with licensed_app.app_context():
        path = db.engine.url.database
    # A client of its own, for which foreign keys are off unless it asks for them.
    with closing(sqlite3.connect(str(path))) as connection:
        connection.execute("INSERT INTO user_permissions (user_id, permission) VALUES (999, 'x')")
        connection.commit()
    code, found = examine(licensed_app)
    assert code == 1
    assert found["foreign_keys"]["text"] == "1 broken reference."


def test_pending_migrations_fail_and_say_what_to_run(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    app = make_app(database_url=f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    code, found = examine(app)
    assert code == 1
    assert found["migrations"]["remedy"] == "Run: flask db upgrade"
    assert list(found) == ALL


def test_a_database_of_a_newer_version_fails(licensed_app: Flask) -> None:
    execute(licensed_app, "UPDATE alembic_version SET version_num = '9999'")
    code, found = examine(licensed_app)
    assert code == 1
    assert "newer version" in found["migrations"]["text"]


def test_a_database_that_does_not_answer_fails_and_every_check_still_speaks(make_app: Callable[..., Flask]) -> None:
    code, found = examine(make_app(database_url="postgresql://nobody@127.0.0.1:1/none"))
    assert code == 1
    assert found["database"]["state"] == "fail"
    assert list(found) == ALL


@pytest.mark.parametrize("damage", [b"this is no database at all", None])
def test_a_damaged_file_fails(make_app: Callable[..., Flask], tmp_path: Path, damage: bytes | None) -> None:
    path = tmp_path / "damaged.sqlite3"
    if damage is None:
        source = make_app(database_url=f"sqlite:///{path}")
        with source.app_context(), db.engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE t (a TEXT)")
            for _ in range(200):
                connection.exec_driver_sql("INSERT INTO t VALUES (hex(randomblob(500)))")
        with source.app_context():
            with db.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            for engine in db.engines.values():
                engine.dispose()
        content = bytearray(path.read_bytes())
        content[8192:16384] = b"\xff" * 8192
        damage = bytes(content)
    path.write_bytes(damage)
    code, found = examine(make_app(database_url=f"sqlite:///{path}"))
    assert code == 1
    assert found["database"]["state"] == "fail"
    assert list(found) == ALL


def test_no_verification_key_fails_and_a_bad_file_is_named(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x.private.pem").write_text("-----BEGIN PRIVATE KEY-----")
    code, found = examine(make_app(license_public_keys=tmp_path / "other"))
    assert code == 1
    assert found["verification_keys"]["state"] == "fail"
    assert "x.private.pem" in found["verification_keys"]["text"]
    assert str(tmp_path / "other") in found["verification_keys"]["remedy"]


@pytest.mark.usefixtures("licensed_app")
def test_a_license_that_no_longer_verifies_fails(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    code, found = examine(make_app(license_public_keys=tmp_path / "other"))
    assert code == 1
    assert (found["standing"]["state"], found["standing"]["code"]) == ("fail", "unverifiable")


@pytest.mark.parametrize(
    ("claims", "text_"),
    [
        ({"exp": 10}, "The license expires in 10 days."),
        ({"maintenance_exp": -1}, "The maintenance period has expired."),
        ({"exp": -1, "grace_days": 10}, "The license has expired"),
    ],
)
def test_what_is_about_to_end_is_a_warning(app: Flask, claims: dict[str, int], text_: str) -> None:
    now = datetime.now(UTC)
    instants = {name: now + timedelta(days=days) for name, days in claims.items() if name != "grace_days"}
    others = {"grace_days": claims["grace_days"]} if "grace_days" in claims else {}
    start = {"nbf": now - timedelta(days=30), "iat": now - timedelta(days=30)}
    register_key(app, **start, **instants, **others)
    code, found = examine(app)
    assert code == 0
    assert found["standing"]["state"] == "warn"
    assert found["standing"]["text"].startswith(text_)


def test_a_clock_that_was_set_back_fails(licensed_app: Flask) -> None:
    with time_machine.travel(datetime.now(UTC) - timedelta(days=1), tick=False):
        assert examine(licensed_app)[1]["clock"]["state"] == "fail"


def test_evaluation_keys_are_a_warning(make_app: Callable[..., Flask]) -> None:
    assert examine(make_app(allow_evaluation_keys=True))[1]["evaluation"]["state"] == "warn"


def test_a_setting_that_is_not_understood_fails_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TIMETRACKER_INSTANCE_PATH", str(tmp_path))
    monkeypatch.setenv("TIMETRACKER_DATABASE_URL", "postgres://nowhere")
    result = CliRunner().invoke(doctor_command, ["--json"])
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert [it["check"] for it in answer["checks"]] == ["settings"]
    assert "TIMETRACKER_DATABASE_URL" in answer["checks"][0]["text"]


def test_an_application_that_cannot_be_made_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken() -> Flask:
        raise RuntimeError("the plug-in is broken")

    monkeypatch.setenv("TIMETRACKER_INSTANCE_PATH", str(tmp_path))
    monkeypatch.setattr("app.cli.application.create_app", broken)
    result = CliRunner().invoke(doctor_command)
    assert result.exit_code == 1
    assert "the plug-in is broken" in result.stdout


def test_a_check_that_breaks_is_a_finding(licensed_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> checks.Finding:
        raise KeyError("unexpected")

    monkeypatch.setattr(checks, "CHECKS", (("clock", broken), ("seats", checks.check_seats)))
    code, found = examine(licensed_app)
    assert code == 1
    assert (found["clock"]["state"], found["seats"]["state"]) == ("fail", "ok")


def test_doctor_writes_nothing(licensed_app: Flask) -> None:
    add_person(licensed_app, "a.aoyama")
    before = dump(licensed_app)
    examine(licensed_app)
    assert dump(licensed_app) == before


def db_name(app: Flask) -> str:
    with app.app_context():
        return db.engine.dialect.name


def dump(app: Flask) -> list[object]:
    with app.app_context(), db.engine.connect() as connection:
        tables = ("audit_entries", "users", "installation", "seat_count", "licenses")
        return [connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in tables]


def test_the_first_administrator_is_examined_too(app: Flask) -> None:
    add_person(app, ADMINISTRATOR, admin=True)
    assert examine(app)[1]["seats"]["text"] == "1 registered user, as counted."
