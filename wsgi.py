"""The WSGI application: ``gunicorn wsgi:app``. Here serving starts, so here it is refused."""

import sys

from app import create_app
from app.config import PREFIX, Settings, SettingsError, load_settings


def _settings() -> Settings:
    """Read the settings; without a secret key, say how to make one and end."""
    try:
        settings = load_settings()
    except SettingsError as error:
        sys.exit(f"TimeTracker RX cannot start. {error}")
    if settings.secret_key is None:
        sys.exit(
            "TimeTracker RX cannot serve without a SECRET_KEY, which signs the cookies. Make one, and keep it:\n"
            f"  export {PREFIX}SECRET_KEY=\"$(python3 -c 'import secrets; print(secrets.token_hex(32))')\"\n"
            f'or write the line  SECRET_KEY = "…"  into {settings.instance_path / "config.toml"}.'
        )
    return settings


app = create_app(_settings())
