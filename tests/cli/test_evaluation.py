"""``flask evaluation``: what ``make run`` prepares and shows."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from click.testing import CliRunner, Result
from flask import Flask

from app import create_app
from app.cli import evaluation
from app.cli.evaluation import KEY_FILE, evaluation_group, evaluation_key
from app.config import load_settings
from app.extensions import db
from app.license import service
from tests.conftest import ADMINISTRATOR, add_person

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An instance folder that does not exist yet."""
    folder = tmp_path / "instance"
    monkeypatch.setenv("TIMETRACKER_INSTANCE_PATH", str(folder))
    return folder


def run(command: str) -> Result:
    result = CliRunner().invoke(evaluation_group, [command])
    assert result.exit_code == 0, result.output
    return result


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "sqlite3" not in path.name
    }


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def close(app: Flask) -> None:
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()


def test_everything_for_a_first_look_is_made() -> None:
    run("prepare")
    settings = load_settings()
    assert settings.secret_key
    assert len(settings.secret_key) == 64
    assert settings.allow_evaluation_keys
    made = evaluation_key(settings, datetime.now(UTC))
    assert made is not None
    license_ = made.license
    assert (license_.seats, license_.customer, license_.edition, license_.trial) == (25, "Evaluation", "standard", True)
    assert license_.evaluation
    assert license_.signing_key.startswith("evaluation-")
    assert len(license_.signing_key) == len("evaluation-") + 8


def test_secrets_are_readable_by_their_owner_alone(instance: Path) -> None:
    run("prepare")
    (private,) = (instance / "vendor").iterdir()
    for path in (instance / "config.toml", instance / KEY_FILE, private):
        assert mode(path) == 0o600
    assert mode(instance / "vendor") == 0o700


def test_a_second_run_changes_nothing(instance: Path) -> None:
    run("prepare")
    before = content(instance)
    run("prepare")
    assert content(instance) == before


def test_the_key_is_valid_for_thirty_days_and_then_replaced(instance: Path) -> None:
    with time_machine.travel(NOW, tick=False):
        run("prepare")
        first = (instance / KEY_FILE).read_text()
        made = evaluation_key(load_settings(), NOW)
        assert made is not None
        assert made.license.expires == datetime(2026, 12, 27, tzinfo=UTC)
    with time_machine.travel(NOW + timedelta(days=30), tick=False):
        run("prepare")
        assert (instance / KEY_FILE).read_text() == first
    with time_machine.travel(NOW + timedelta(days=31), tick=False):
        run("prepare")
    second = (instance / KEY_FILE).read_text()
    assert second != first
    assert len(list((instance / "keys").iterdir())) == 1


def test_a_new_key_takes_over_from_the_one_that_has_ended(instance: Path) -> None:
    with time_machine.travel(NOW, tick=False):
        run("start")
        app = create_app(load_settings())
        with app.app_context():
            service.register((instance / KEY_FILE).read_text())
    with time_machine.travel(NOW + timedelta(days=31), tick=False):
        run("prepare")
        with app.app_context():
            assert service.register((instance / KEY_FILE).read_text()).standing.kind == "active"
    close(app)


def test_settings_that_are_there_stay(instance: Path) -> None:
    instance.mkdir()
    (instance / "config.toml").write_text('TIME_ZONE = "Asia/Tokyo"\nALLOW_EVALUATION_KEYS = true')
    run("prepare")
    settings = load_settings()
    assert settings.secret_key
    assert settings.time_zone
    assert settings.time_zone.key == "Asia/Tokyo"
    assert mode(instance / "config.toml") == 0o600
    before = content(instance)
    run("prepare")
    assert content(instance) == before


def test_an_installation_is_not_made_to_accept_evaluation_keys(instance: Path) -> None:
    instance.mkdir()
    (instance / "config.toml").write_text('SECRET_KEY = "0123456789abcdef0123456789abcdef"\n')
    before = content(instance)
    result = run("start")
    assert content(instance) == before
    assert "License key" not in result.stdout
    assert "Set-up code" in result.stdout


def test_a_key_pair_whose_public_half_is_gone_is_completed(instance: Path) -> None:
    run("prepare")
    (public,) = (instance / "keys").iterdir()
    kept = public.read_bytes()
    public.unlink()
    run("prepare")
    assert public.read_bytes() == kept


def test_a_damaged_private_key_is_left_and_another_made(instance: Path) -> None:
    run("prepare")
    (private,) = (instance / "vendor").iterdir()
    private.write_text("damaged")
    (instance / KEY_FILE).unlink()
    run("prepare")
    assert private.read_text() == "damaged"
    assert evaluation_key(load_settings(), datetime.now(UTC)) is not None


def test_start_migrates_and_shows_address_code_and_key(instance: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "8123")
    shown = run("start").stdout
    assert "http://127.0.0.1:8123/" in shown
    assert "Set-up code" in shown
    assert (instance / KEY_FILE).read_text().strip() in shown
    assert run("start").stdout == shown == run("show").stdout


def test_a_key_that_is_registered_is_not_to_be_registered_again(instance: Path) -> None:
    assert "Register it" in run("start").stdout
    key = (instance / KEY_FILE).read_text().strip()
    app = create_app(load_settings())
    with app.app_context():
        service.register(key)
    close(app)
    shown = run("start").stdout
    assert "The license key is registered already" in shown
    assert "Register it" not in shown
    assert key not in shown


@pytest.mark.parametrize(("is_checkout", "command"), [(True, "make demo"), (False, "flask standard demo")])
def test_the_demo_is_made_with_what_there_is(
    monkeypatch: pytest.MonkeyPatch, *, is_checkout: bool, command: str
) -> None:
    monkeypatch.setattr(evaluation, "is_checkout", lambda: is_checkout)
    assert f"Demo data    {command} " in run("start").stdout


def test_there_is_no_setup_code_once_there_is_a_user() -> None:
    run("start")
    app = create_app(load_settings())
    add_person(app, ADMINISTRATOR, admin=True)
    close(app)
    shown = run("start").stdout
    assert "Set-up code" not in shown
    assert "http://127.0.0.1:8000/" in shown


def test_a_setting_that_is_not_understood_ends_with_1(instance: Path) -> None:
    instance.mkdir()
    (instance / "config.toml").write_text("NONSENSE = 1")
    result = CliRunner().invoke(evaluation_group, ["start"])
    assert result.exit_code == 1
    assert "NONSENSE" in result.stderr


def test_a_folder_that_cannot_be_written_is_told(instance: Path) -> None:
    instance.parent.joinpath("instance").write_text("a file")
    result = CliRunner().invoke(evaluation_group, ["prepare"])
    assert result.exit_code == 1
    assert "Traceback" not in result.output
