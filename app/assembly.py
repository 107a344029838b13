"""The steps of which ``create_app`` consists, in their order."""

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from flask import Flask, request
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

from app.api import views as api_views
from app.auth import views as auth_views
from app.auth.passwords import prepare_hasher
from app.auth.sessions import SessionCookie
from app.body import read_bodies_with_care
from app.config import Settings
from app.database import configure_database
from app.editions import views as editions_views
from app.editions.dispatch import configure_events
from app.editions.isolation import contain_pages
from app.editions.registration import configure_editions
from app.editions.rendering import configure_slots
from app.editions.stand_ins import configure_stand_ins
from app.errors import register_error_handlers
from app.extensions import csrf, login_manager
from app.health import register_health
from app.home import views as home_views
from app.license import views as license_views
from app.license.gate import install_gate
from app.license.service import configure_licenses
from app.localisation import configure_localisation
from app.logs import configure_logs
from app.page import configure_pages
from app.routing import LazyRule
from app.schema import configure_migrations
from app.security import Access, Credential, add_security_headers, resolve_access
from app.settings.general import views as general_views
from app.settings.operation import views as operation_views
from app.settings.users import views as users_views

MAX_CONTENT_LENGTH = 1_000_000  # bytes; a license key has 16 kB, a form less
MAX_FORM_PARTS = 2_000


def configure_flask(app: Flask, settings: Settings) -> None:
    """Flask's own settings; its defaults limit nothing and secure little."""
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=MAX_CONTENT_LENGTH,
        MAX_FORM_MEMORY_SIZE=MAX_CONTENT_LENGTH,
        MAX_FORM_PARTS=MAX_FORM_PARTS,
        TRUSTED_HOSTS=list(settings.trusted_hosts) or None,
        SESSION_COOKIE_NAME="timetracker_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        # The token lives as long as the session's cookie, which ends at log-in and log-out.
        WTF_CSRF_TIME_LIMIT=None,
    )
    app.session_interface = SessionCookie()
    app.url_rule_class = LazyRule
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


def trust_proxies(app: Flask, settings: Settings) -> None:
    """Believe the headers of as many proxies as the operator says stand in front, and of no others."""
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]  # Flask's documented way


def find_templates(app: Flask, settings: Settings) -> None:  # noqa: ARG001 - every step has the same parameters
    """``templates/`` of the checkout is the package ``app.templates`` once it is installed."""
    app.template_folder = str(Path(str(files("app.templates"))))


def secure(app: Flask, settings: Settings) -> None:  # noqa: ARG001 - see find_templates
    """Log-in, CSRF and headers."""
    login_manager.session_protection = None  # sessions are rows of ours, with an end of their own
    login_manager.init_app(app, add_context_processor=False)
    app.after_request(add_security_headers)
    prepare_hasher()


def check_csrf(app: Flask, settings: Settings) -> None:  # noqa: ARG001 - see find_templates
    """After the gate: whoever is refused anyway is told why, not that a token is missing.

    Only what a browser adds by itself can be abused by another site: where a session counts for nothing, nothing is
    checked.
    """
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    csrf.init_app(app)

    @app.before_request
    def protect() -> None:
        access: Access | None = app.extensions["access"].get(request.endpoint)
        if request.endpoint is not None and (access is None or access.credential is Credential.SESSION):
            csrf.protect()


def register_blueprints(app: Flask, settings: Settings) -> None:  # noqa: ARG001 - see find_templates
    """The pages of the core."""
    for module in (
        home_views,
        api_views,
        auth_views,
        license_views,
        editions_views,
        users_views,
        general_views,
        operation_views,
    ):
        app.register_blueprint(module.blueprint)


def close_access(app: Flask, settings: Settings) -> None:  # noqa: ARG001 - see find_templates
    """Nothing can be declared from here on; what has not been is denied."""
    app.extensions["access"] = resolve_access(app)


Step = Callable[[Flask, Settings], None]
STEPS: tuple[Step, ...] = (
    configure_flask,
    trust_proxies,
    lambda app, _: read_bodies_with_care(app),
    find_templates,
    configure_logs,
    configure_database,
    lambda app, _: configure_migrations(app),
    lambda app, _: configure_localisation(app),
    configure_licenses,
    secure,
    lambda app, _: install_gate(app),
    check_csrf,
    lambda app, _: configure_pages(app),
    lambda app, _: register_health(app),
    register_blueprints,
    configure_editions,
    configure_stand_ins,
    configure_events,
    configure_slots,
    contain_pages,
    lambda app, _: register_error_handlers(app),
    close_access,
)
