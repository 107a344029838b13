"""Settings: defaults, then ``config.toml`` of the instance folder, then the environment; parsed once, typed, frozen.

A setting that is not understood is refused with its name, its source and what would be right: ``FALSE`` is not
quietly true, an all-digit secret stays text, and a misspelt name is an error, not a default.
"""

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

PREFIX = "TIMETRACKER_"
CONFIG_FILE = "config.toml"
MINIMUM_SECRET_LENGTH = 32
DEFAULT_ISSUER = "timetracker-rx"
_WORDS_OF_TRUTH = {"true": True, "1": True, "false": False, "0": False}


class SettingsError(Exception):
    """A setting that cannot be understood; the text names it, says where it stands and what would be right."""


def _text(raw: object) -> str:
    if not isinstance(raw, str):
        raise ValueError("must be text in quotes")
    if not raw.strip() or not raw.isprintable():
        raise ValueError("must be text without control characters, and not empty")
    return raw


def _boolean(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw in _WORDS_OF_TRUTH:
        return _WORDS_OF_TRUTH[raw]
    raise ValueError("must be exactly true, false, 1 or 0")


def _whole_number(low: int, high: int) -> Callable[[object], int]:
    def parse(raw: object) -> int:
        number = int(raw) if isinstance(raw, str) and raw.isascii() and raw.isdigit() else raw
        if isinstance(number, bool) or not isinstance(number, int) or not low <= number <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return number

    return parse


def _one_of(*choices: str) -> Callable[[object], str]:
    def parse(raw: object) -> str:
        if raw not in choices:
            raise ValueError("must be one of " + ", ".join(choices))
        return str(raw)

    return parse


def _secret_key(raw: object) -> str:
    text = _text(raw)
    if len(text) < MINIMUM_SECRET_LENGTH:
        raise ValueError(f"must have at least {MINIMUM_SECRET_LENGTH} characters")
    return text


def _database_url(raw: object) -> str:
    text = _text(raw)
    if not text.startswith(("sqlite:///", "postgresql://")):
        raise ValueError("must start with sqlite:/// or postgresql://")
    return text


def _time_zone(raw: object) -> ZoneInfo:
    text = _text(raw)
    if text not in available_timezones():
        raise ValueError("must be a time zone such as Europe/Berlin")
    return ZoneInfo(text)


def _path(raw: object) -> Path:
    return Path(_text(raw)).expanduser()


def _names(raw: object) -> tuple[str, ...]:
    parts = raw.split(",") if isinstance(raw, str) else raw
    if not isinstance(parts, list) or not all(isinstance(part, str) and part.strip() for part in parts):
        raise ValueError("must be names separated by commas")
    return tuple(part.strip() for part in parts)


def _setting(
    parse: Callable[[object], Any],
    description: str,
    *,
    default: Any = None,
    shown: str = "",
    secret: bool = False,
) -> Any:
    """A field of Settings, with its parser, the sentence of the README's table and its default as shown there."""
    metadata = {"parse": parse, "description": description, "shown": shown}
    return field(default=default, repr=not secret, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator decides, parsed. Secrets are left out of ``repr``."""

    instance_path: Path = _setting(
        _path,
        "Folder of this installation: `config.toml`, the SQLite database, the public keys.",
        shown="`instance/` of the checkout, else `~/.timetracker-rx`",
    )
    secret_key: str | None = _setting(
        _secret_key,
        f"Signs cookies and tokens; random text of {MINIMUM_SECRET_LENGTH} characters or more.",
        shown="none: serving is refused",
        secret=True,
    )
    database_url: str = _setting(
        _database_url,
        "`sqlite:///…` or `postgresql://…`.",
        shown="`timetracker.sqlite3` in the instance folder",
        secret=True,
    )
    license_public_keys: Path = _setting(
        _path, "Folder of the vendor's public keys, `<kid>.pem` each.", shown="`keys/` in the instance folder"
    )
    license_issuer: str = _setting(_text, "The vendor, `iss` of the license keys.", default=DEFAULT_ISSUER)
    allow_evaluation_keys: bool = _setting(
        _boolean, "Accepts keys whose `kid` starts with `evaluation-`; never for real use.", default=False
    )
    time_zone: ZoneInfo | None = _setting(
        _time_zone,
        "Time zone of the installation; set here, System Settings show it read-only.",
        shown="as in System Settings",
    )
    trusted_hosts: tuple[str, ...] = _setting(
        _names,
        "Host names that are answered, separated by commas; `.example.org` takes all below.",
        default=(),
    )
    trusted_proxies: int = _setting(
        _whole_number(0, 8),
        "How many proxies in front set `X-Forwarded-For`, `-Proto` and `-Host`.",
        default=0,
    )
    session_hours: int = _setting(_whole_number(1, 720), "Hours after which a session ends, however busy.", default=12)
    session_idle_minutes: int = _setting(
        _whole_number(10, 43_200), "Minutes without a request after which a session ends.", default=120
    )
    log_format: str = _setting(_one_of("text", "json"), "`text` for people, `json` for machines.", default="text")
    log_level: str = _setting(_one_of("debug", "info", "warning", "error"), "The least that is logged.", default="info")
    edition_failures_raise: bool = _setting(
        _boolean,
        "An edition that cannot be loaded stops the start: for tests and development.",
        default=False,
    )


def load_settings(environ: Mapping[str, str] | None = None, **overrides: object) -> Settings:
    """Read the settings from defaults, ``config.toml`` and ``environ`` (the process's unless given), in this order.

    ``overrides`` are parsed like the rest and win; tests use them.

    Raises:
        SettingsError: a setting has an unknown name or a value that is not understood.
    """
    environ = os.environ if environ is None else environ
    given: dict[str, tuple[object, str]] = {}
    known = {setting.name: setting for setting in fields(Settings)}
    from_environment = {
        name.removeprefix(PREFIX).lower(): (value, f"environment variable {name}")
        for name, value in environ.items()
        if name.startswith(PREFIX)
    }
    from_overrides = {name: (value, f"override {name}") for name, value in overrides.items()}
    instance_path = _parsed(known, {**from_environment, **from_overrides}, "instance_path", _default_instance_path())
    given.update(_from_file(instance_path / CONFIG_FILE))
    given.update(from_environment)
    given.update(from_overrides)
    for name, (_, source) in given.items():
        if name not in known:
            raise SettingsError(f"{source}: there is no setting {name.upper()}.")
    values = {name: _parsed(known, given, name, None) for name in given}
    values["instance_path"] = instance_path
    values.setdefault("database_url", f"sqlite:///{instance_path / 'timetracker.sqlite3'}")
    values.setdefault("license_public_keys", instance_path / "keys")
    return Settings(**values)


def _from_file(path: Path) -> dict[str, tuple[object, str]]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from error
    found: dict[str, tuple[object, str]] = {}
    for name, value in content.items():
        setting = name.lower()
        if setting in found:
            raise SettingsError(f"{path}: {setting.upper()} stands there twice.")
        if setting == "instance_path":
            raise SettingsError(f"{path}, {name}: the folder of this file is chosen by the environment alone.")
        found[setting] = (value, f"{path}, {name}")
    return found


def _parsed(known: Mapping[str, "Field[Any]"], given: Mapping[str, tuple[object, str]], name: str, default: Any) -> Any:
    if name not in given:
        return default
    raw, source = given[name]
    if isinstance(raw, (Path, ZoneInfo, tuple)):  # an override that is parsed already
        return raw
    try:
        return known[name].metadata["parse"](raw)
    except ValueError as error:
        raise SettingsError(f"{source}: {error}.") from error


_CHECKOUT = Path(__file__).resolve().parent.parent


def _default_instance_path() -> Path:
    """``instance/`` where the application runs from a checkout; an installed one keeps out of site-packages."""
    return _CHECKOUT / "instance" if is_checkout() else Path.home() / ".timetracker-rx"


def is_checkout() -> bool:
    """Whether the application runs from a checkout, where there are ``make`` and its targets, and not from a wheel."""
    return (_CHECKOUT / "setup.cfg").is_file()
