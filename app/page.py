"""What every page is given besides its own: navigation, notices, language, theme, product."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from flask import Flask, current_app, g, request, url_for
from flask_babel import format_date, format_datetime, gettext, ngettext
from flask_login import current_user

from app import clock
from app.config import Settings
from app.editions import registry
from app.license.document import days_left
from app.license.policy import Standing, StandingKind
from app.license.service import current_standing
from app.localisation import html_language
from app.navigation import Navigation, build_navigation
from app.settings.state import current_state
from app.texts import license_date
from app.version import __version__

PRODUCT: Mapping[str, str] = MappingProxyType({"name": "TimeTracker RX", "version": __version__})


@dataclass(frozen=True, slots=True)
class Notice:
    """A banner above a page's content; ``kind`` is ``info``, ``warn`` or ``danger``."""

    kind: str
    title: str
    text: str
    action_label: str = ""
    action_url: str = ""


def page_context() -> dict[str, object]:
    """The variables of every template."""
    settings: Settings = current_app.extensions["settings"]
    identity = g.get("identity")
    state = g.get("installation_state")
    context = {
        "product": PRODUCT,
        "html_lang": html_language(),
        "theme": identity.theme if identity is not None else "auto",
        "evaluation_allowed": settings.allow_evaluation_keys,
        "current_user": current_user,
        "installation_zone": state.time_zone.key if state is not None else "",
        "navigation": _navigation(),
        "notices": _notices(),
    }
    g.names_of_every_page = context.keys()  # no context processor of an edition replaces them
    return context


def _navigation() -> Navigation:
    identity = g.get("identity")
    if identity is None:
        return Navigation()
    standing = current_standing()
    return build_navigation(identity, standing, registry.navigation_items(identity, standing))


def _notices() -> tuple[Notice, ...]:
    """What administrators are to know before it happens; the License page says it itself."""
    identity = g.get("identity")
    if identity is None or not identity.is_system_administrator or request.blueprint == "license":
        return ()
    return license_notices(current_standing(), clock.now())


def license_notices(standing: Standing, now: datetime) -> tuple[Notice, ...]:
    """Banners about the license for administrators: grace, an end that is near, a restricted standing."""
    page = url_for("license.show")
    label = gettext("Open License")
    license_ = standing.license
    if standing.restricted:
        title = gettext("Members cannot use the application right now.")
        text = gettext("The License page says why, and what ends it.")
        return (Notice("danger", title, text, label, page),)
    if license_ is None or license_.expires is None:
        return ()
    day = license_date(license_.expires)
    if standing.kind is StandingKind.GRACE and license_.grace_until is not None:
        title = gettext("The license expired on %(day)s.", day=day)
        text = gettext(
            "Everything works until %(day)s. Members do not see this.", day=license_date(license_.grace_until)
        )
        return (Notice("warn", title, text, label, page),)
    zone = current_state().time_zone
    if standing.next is not None or not license_.ends_soon(license_.expires, now, zone):
        return ()
    left = days_left(license_.expires, now, zone)
    title = ngettext("The license expires in %(num)s day.", "The license expires in %(num)s days.", left)
    if left == 0:
        title = gettext("The license expires today.")
    text = gettext("After %(day)s members cannot log in. Register the renewed key before that.", day=day)
    return (Notice("warn", title, text, label, page),)


@lru_cache(maxsize=256)
def _digest(folder: str, name: str) -> str | None:
    """Ten hex digits of a static file's SHA-256; files do not change while a process runs."""
    try:
        return hashlib.sha256((Path(folder) / name).read_bytes()).hexdigest()[:10]
    except OSError:
        return None


def _version_static(endpoint: str, values: dict[str, object]) -> None:
    """Add a digest of its content to the address of each static file, so that browsers may keep it for good."""
    if not endpoint.endswith("static") or "filename" not in values:
        return
    owner = current_app if endpoint == "static" else current_app.blueprints.get(endpoint.removesuffix(".static"))
    if owner is not None and owner.static_folder is not None:
        values["v"] = _digest(owner.static_folder, str(values["filename"]))


def configure_pages(app: Flask) -> None:
    """Give templates their context and filters."""
    app.context_processor(page_context)
    app.url_defaults(_version_static)
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 31_536_000
    app.jinja_env.filters["license_date"] = license_date
    app.jinja_env.filters["local_date"] = format_date
    app.jinja_env.filters["local_datetime"] = format_datetime
