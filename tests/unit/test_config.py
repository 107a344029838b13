"""Settings: what is understood, what is refused and in which words, and which source wins."""

from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.config import CONFIG_FILE, PREFIX, Settings, SettingsError, load_settings

SECRET = "a secret of thirty-two characters"


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    """An instance folder without ``config.toml``."""
    return tmp_path


def from_environment(instance: Path, **values: str) -> Settings:
    environ = {f"{PREFIX}{name}": value for name, value in values.items()}
    return load_settings({f"{PREFIX}INSTANCE_PATH": str(instance), **environ})


def from_file(instance: Path, content: str) -> Settings:
    (instance / CONFIG_FILE).write_text(content, encoding="utf-8")
    return from_environment(instance)


# Where settings come from


def test_without_anything_the_defaults_hold(instance: Path) -> None:
    settings = from_environment(instance)
    assert settings.instance_path == instance
    assert settings.secret_key is None
    assert settings.database_url == f"sqlite:///{instance / 'timetracker.sqlite3'}"
    assert settings.license_public_keys == instance / "keys"
    assert settings.license_issuer == "timetracker-rx"
    assert settings.allow_evaluation_keys is False
    assert settings.time_zone is None
    assert settings.trusted_hosts == ()
    assert settings.trusted_proxies == 0


def test_an_instance_folder_that_is_missing_means_the_defaults(tmp_path: Path) -> None:
    assert from_environment(tmp_path / "missing").log_format == "text"


def test_the_file_wins_over_the_default(instance: Path) -> None:
    assert from_file(instance, 'LOG_FORMAT = "json"').log_format == "json"


def test_the_environment_wins_over_the_file(instance: Path) -> None:
    (instance / CONFIG_FILE).write_text('LOG_FORMAT = "json"\nSESSION_HOURS = 3\n', encoding="utf-8")
    settings = from_environment(instance, LOG_FORMAT="text")
    assert settings.log_format == "text"
    assert settings.session_hours == 3


def test_an_override_wins_over_the_environment(instance: Path) -> None:
    settings = load_settings({f"{PREFIX}LOG_FORMAT": "json"}, instance_path=instance, log_format="text")
    assert settings.log_format == "text"


def test_the_file_is_looked_for_in_the_folder_that_the_environment_names(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    assert from_file(folder, f'SECRET_KEY = "{SECRET}"').secret_key == SECRET


def test_a_name_in_the_file_may_be_written_small(instance: Path) -> None:
    assert from_file(instance, "session_hours = 3").session_hours == 3


def test_variables_without_the_prefix_are_nobodys_business(instance: Path) -> None:
    environ = {"SECRET_KEY": "short", "LOG_FORMAT": "xml", "FLASK_SECRET_KEY": "1"}
    assert load_settings({**environ, f"{PREFIX}INSTANCE_PATH": str(instance)}).secret_key is None


def test_the_settings_of_a_checkout_live_in_its_instance_folder() -> None:
    checkout = Path(__file__).resolve().parents[2]
    assert load_settings({}).instance_path == checkout / "instance"


def test_settings_cannot_be_changed_afterwards(instance: Path) -> None:
    settings = from_environment(instance)
    with pytest.raises(FrozenInstanceError):
        settings.allow_evaluation_keys = True  # type: ignore[misc]  # the point of the test


def test_secrets_are_not_in_the_representation(instance: Path) -> None:
    settings = from_environment(instance, SECRET_KEY=SECRET, DATABASE_URL="postgresql://rx:pass-word@db.example/rx")
    assert SECRET not in repr(settings)
    assert "pass-word" not in repr(settings)


# What is refused, and in which words


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("ALLOW_EVALUATION_KEYS", "False", "must be exactly true, false, 1 or 0"),
        ("ALLOW_EVALUATION_KEYS", "FALSE", "must be exactly true, false, 1 or 0"),
        ("ALLOW_EVALUATION_KEYS", "no", "must be exactly true, false, 1 or 0"),
        ("ALLOW_EVALUATION_KEYS", "null", "must be exactly true, false, 1 or 0"),
        ("ALLOW_EVALUATION_KEYS", "", "must be exactly true, false, 1 or 0"),
        ("ALLOW_EVALUATION_KEYS", " true", "must be exactly true, false, 1 or 0"),
        ("SECRET_KEY", "", "not empty"),
        ("SECRET_KEY", "short", "at least 32 characters"),
        ("SECRET_KEY", "x" * 31, "at least 32 characters"),
        ("SECRET_KEY", f"{SECRET}\n", "without control characters"),
        ("SECRET_KEY", f"{SECRET}\udcff", "without control characters"),
        ("SECRET_KEY", " " * 40, "not empty"),
        ("DATABASE_URL", "postgres://localhost/rx", "must start with sqlite:/// or postgresql://"),
        ("DATABASE_URL", "mysql://localhost/rx", "must start with sqlite:/// or postgresql://"),
        ("DATABASE_URL", "sqlite://", "must start with sqlite:/// or postgresql://"),
        ("TIME_ZONE", "Berlin", "must be a time zone such as Europe/Berlin"),
        ("TIME_ZONE", "europe/berlin", "must be a time zone such as Europe/Berlin"),
        ("TIME_ZONE", "../../etc/passwd", "must be a time zone such as Europe/Berlin"),
        ("TIME_ZONE", "+09:00", "must be a time zone such as Europe/Berlin"),
        ("TIME_ZONE", "", "not empty"),
        ("TRUSTED_HOSTS", "a.example,,b.example", "must be names separated by commas"),
        ("TRUSTED_HOSTS", "", "must be names separated by commas"),
        ("TRUSTED_PROXIES", "-1", "must be a whole number from 0 to 8"),
        ("TRUSTED_PROXIES", "9", "must be a whole number from 0 to 8"),
        ("TRUSTED_PROXIES", "1.0", "must be a whole number from 0 to 8"),
        ("TRUSTED_PROXIES", "true", "must be a whole number from 0 to 8"),
        ("TRUSTED_PROXIES", "\uff11", "must be a whole number from 0 to 8"),
        ("SESSION_HOURS", "0", "must be a whole number from 1 to 720"),
        ("SESSION_IDLE_MINUTES", "9", "must be a whole number from 10 to 43200"),
        ("LOG_FORMAT", "JSON", "must be one of text, json"),
        ("LOG_LEVEL", "verbose", "must be one of debug, info, warning, error"),
        ("LICENSE_ISSUER", "acme\x00", "without control characters"),
        ("LICENSE_PUBLIC_KEYS", "", "not empty"),
        ("INSTANCE_PATH", "", "not empty"),
    ],
)
def test_a_value_that_is_not_understood_is_refused_with_its_name_and_source(
    instance: Path, name: str, value: str, words: str
) -> None:
    with pytest.raises(SettingsError) as refusal:
        from_environment(instance, **{name: value})
    assert words in str(refusal.value)
    assert f"environment variable {PREFIX}{name}" in str(refusal.value)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('ALLOW_EVALUATION_KEYS = "False"', "must be exactly true, false, 1 or 0"),
        ("ALLOW_EVALUATION_KEYS = 1", "must be exactly true, false, 1 or 0"),
        ("SECRET_KEY = 12345678901234567890123456789012", "must be text in quotes"),
        ("DATABASE_URL = false", "must be text in quotes"),
        ("TIME_ZONE = 9", "must be text in quotes"),
        ("TRUSTED_HOSTS = [1]", "must be names separated by commas"),
        ('TRUSTED_HOSTS = { a = "b" }', "must be names separated by commas"),
        ("TRUSTED_PROXIES = true", "must be a whole number from 0 to 8"),
        ("TRUSTED_PROXIES = 1.0", "must be a whole number from 0 to 8"),
        ("LOG_FORMAT = []", "must be one of text, json"),
        ('LICENSE_PUBLIC_KEYS = ["keys"]', "must be text in quotes"),
    ],
)
def test_a_wrong_type_in_the_file_is_refused_with_the_place(instance: Path, line: str, words: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        from_file(instance, line)
    assert words in str(refusal.value)
    assert f"{instance / CONFIG_FILE}, {line.partition(' ')[0]}" in str(refusal.value)


def test_a_misspelt_variable_is_refused(instance: Path) -> None:
    with pytest.raises(SettingsError, match="TIMETRACKER_SECRETKEY: there is no setting SECRETKEY"):
        from_environment(instance, SECRETKEY=SECRET)


def test_a_misspelt_name_in_the_file_is_refused(instance: Path) -> None:
    with pytest.raises(SettingsError, match="there is no setting TIMEZONE"):
        from_file(instance, 'TIMEZONE = "Asia/Tokyo"')


def test_a_table_in_the_file_is_no_setting(instance: Path) -> None:
    with pytest.raises(SettingsError, match="there is no setting TIMETRACKER"):
        from_file(instance, f'[timetracker]\nSECRET_KEY = "{SECRET}"')


def test_the_file_cannot_move_the_folder_that_it_is_in(instance: Path) -> None:
    with pytest.raises(SettingsError, match="INSTANCE_PATH"):
        from_file(instance, 'INSTANCE_PATH = "/elsewhere"')


def test_one_name_spelt_in_two_ways_is_refused(instance: Path) -> None:
    with pytest.raises(SettingsError, match="LOG_FORMAT stands there twice"):
        from_file(instance, 'LOG_FORMAT = "text"\nlog_format = "json"')


@pytest.mark.parametrize(
    "content",
    [b"LOG_FORMAT = text", b"\xff\xfe", b'LOG_FORMAT = "text"\nLOG_FORMAT = "json"', b"\xef\xbb\xbfLOG_LEVEL = 1"],
)
def test_a_file_that_is_not_toml_is_refused_with_its_name(instance: Path, content: bytes) -> None:
    (instance / CONFIG_FILE).write_bytes(content)
    with pytest.raises(SettingsError) as refusal:
        from_environment(instance)
    assert f"{instance / CONFIG_FILE} cannot be read" in str(refusal.value)


def test_a_folder_in_place_of_the_file_is_refused(instance: Path) -> None:
    (instance / CONFIG_FILE).mkdir()
    with pytest.raises(SettingsError, match="cannot be read"):
        from_environment(instance)


def test_the_text_of_a_refusal_does_not_give_the_secret_away(instance: Path) -> None:
    with pytest.raises(SettingsError) as refusal:
        from_environment(instance, SECRET_KEY="hunter2")
    assert "hunter2" not in str(refusal.value)


# What is understood


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", True), ("false", False), ("0", False)])
def test_a_boolean_is_exactly_one_of_four_words(instance: Path, text: str, value: bool) -> None:
    assert from_environment(instance, ALLOW_EVALUATION_KEYS=text).allow_evaluation_keys is value


def test_a_boolean_of_the_file_is_tomls_own(instance: Path) -> None:
    assert from_file(instance, "ALLOW_EVALUATION_KEYS = true").allow_evaluation_keys is True


def test_a_secret_of_digits_alone_stays_text(instance: Path) -> None:
    digits = "12345678901234567890123456789012"
    assert from_environment(instance, SECRET_KEY=digits).secret_key == digits


def test_a_secret_that_looks_like_a_number_or_a_word_of_json_stays_text(instance: Path) -> None:
    for text in ("1e" + "0" * 40, '{"a": 1}' + " " * 24 + "x", "null" * 8):
        assert from_environment(instance, SECRET_KEY=text).secret_key == text


def test_a_time_zone_is_parsed(instance: Path) -> None:
    assert from_environment(instance, TIME_ZONE="Asia/Tokyo").time_zone == ZoneInfo("Asia/Tokyo")


def test_hosts_are_separated_by_commas_or_listed(instance: Path) -> None:
    hosts = ("rx.example.org", ".example.net")
    assert from_environment(instance, TRUSTED_HOSTS="rx.example.org, .example.net").trusted_hosts == hosts
    assert from_file(instance, 'TRUSTED_HOSTS = ["rx.example.org", ".example.net"]').trusted_hosts == hosts


def test_a_path_may_start_at_home(instance: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/rx")
    assert from_environment(instance, LICENSE_PUBLIC_KEYS="~/keys").license_public_keys == Path("/home/rx/keys")


def test_a_whole_number_may_stand_at_either_bound(instance: Path) -> None:
    assert from_environment(instance, TRUSTED_PROXIES="0").trusted_proxies == 0
    assert from_environment(instance, TRUSTED_PROXIES="8").trusted_proxies == 8


@pytest.mark.parametrize("url", ["sqlite:////var/lib/rx.sqlite3", "postgresql://rx@localhost/rx"])
def test_both_databases_are_understood(instance: Path, url: str) -> None:
    assert from_environment(instance, DATABASE_URL=url).database_url == url


def test_every_setting_is_parsed_and_described() -> None:
    for setting in fields(Settings):
        assert callable(setting.metadata["parse"])
        description = setting.metadata["description"]
        assert description.endswith("."), setting.name
        assert description[0].isupper() or description.startswith("`"), setting.name
