"""TimeTracker RX: a self-hosted work-hour tracker that its owner unlocks with a license key."""

from threading import Event

from flask import Flask

from app.config import Settings, load_settings

__all__ = ["create_app"]


def create_app(settings: Settings | None = None) -> Flask:
    """Make the application, step by step; a step may rely on those above it.

    Serving is not refused here but in ``wsgi.py``, so that ``flask db upgrade`` and ``flask doctor`` always work.

    Args:
        settings: None reads them from the instance folder and the environment.

    Raises:
        SettingsError: a setting is not understood.
    """
    from app import assembly  # noqa: PLC0415 - importing ``app.version`` for a build must not import Flask's world

    settings = settings or load_settings()
    app = Flask("app", template_folder=None, instance_path=str(settings.instance_path.resolve()))
    app.extensions["settings"] = settings
    app.extensions["setup_finished"] = Event()
    for step in assembly.STEPS:
        step(app, settings)
    return app
