"""The WSGI application: ``gunicorn wsgi:app``. Here serving starts, so here it is refused."""

import gc
import sys

import click

from app import create_app
from app.config import PREFIX, Settings, SettingsError, load_settings


def _serves() -> bool:
    """Whether a server imports this file; Flask's commands do so too, and most of them do not serve."""
    context = click.get_current_context(silent=True)
    return context is None or context.info_name == "run"


def _settings() -> Settings:
    """Read the settings; without a secret key, say how to make one and end."""
    try:
        settings = load_settings()
    except SettingsError as error:
        sys.exit(f"TimeTracker RX cannot start. {error}")
    if settings.secret_key is None and _serves():
        sys.exit(
            "TimeTracker RX cannot serve without a SECRET_KEY, which signs the cookies. Make one, and keep it:\n"
            f"  export {PREFIX}SECRET_KEY=\"$(python3 -c 'import secrets; print(secrets.token_hex(32))')\"\n"
            f'or write the line  SECRET_KEY = "…"  into {settings.instance_path / "config.toml"}.'
        )
    return settings


# What is made at the start stays to the end: it is not searched for garbage, neither while it is made nor ever after,
# and workers go on sharing the memory it lies in.
gc.disable()
app = create_app(_settings())
gc.freeze()
gc.enable()
