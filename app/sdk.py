"""All that an edition needs of TimeTracker RX, and the only module of it that an edition imports.

A whole edition::

    from app.sdk import N_, Edition, EditionBlueprint, Feature, NavItem, render_template

    pages = EditionBlueprint("acme", __name__, feature="acme.board")

    @pages.get("/")
    def board() -> str:
        return render_template("acme/board.html")

    class AcmeEdition(Edition):
        name = "acme"
        title = N_("Acme")
        api_version = 1
        features = (Feature("acme.board", N_("Board"), N_("Everybody's tasks on one page.")),)
        blueprints = (pages,)
        start_page = "acme.board"
        navigation = (NavItem("acme.board", N_("Board"), "layout-dashboard"),)

Its templates extend ``base.html``, import the components of ``_macros/ui.html`` and lie in ``templates/acme/`` beside
the module. Plug-ins are trusted code: they run inside the application and can do whatever it can.

Its texts are marked with ``N_``, ``gettext``, ``ngettext``, ``pgettext`` and ``lazy_gettext`` of this module, and in
templates with ``_`` and ``{% trans %}``. They are looked up in ``translations/<language>/LC_MESSAGES/acme.mo`` beside
the module, then in the application's catalogue; ``flask edition messages acme`` collects and compiles them. No edition
changes a text of the application or of another edition.
"""

from dataclasses import dataclass, replace
from datetime import date
from zoneinfo import ZoneInfo

from flask import abort, flash, has_request_context, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date, get_locale
from flask_login import current_user as _current_user
from sqlalchemy import FromClause
from sqlalchemy.orm import DeclarativeBase
from wtforms.fields.choices import SelectChoice

from app.api.operations import (
    PLAIN_NUMBER,
    Answer,
    ApiBlueprint,
    ApiModel,
    Day,
    Id,
    Instant,
    PlainText,
    changed_meanwhile,
    operation,
    seen_tag,
    seen_version,
)
from app.audit import Event as AuditEvent
from app.audit import actor_here
from app.audit import record as record_audit
from app.auth.folding import fold
from app.auth.identity import Identity
from app.auth.models import User as _User
from app.auth.throttle import Key as ThrottleKey
from app.auth.throttle import count_failure, require_open
from app.auth.tokens import Device, devices_of, end_device, issue_device_token, password_seal
from app.auth.views import safe_next
from app.clock import now
from app.database import RowId, UtcDateTime, read_connection, write_transaction
from app.editions import registry
from app.editions.base import Edition, EditionBlueprint, open_to, requires_feature, requires_permission
from app.editions.compatibility import API_VERSION
from app.editions.declarations import AuditAction, Card, Feature, Listener, Permission, SlotContent
from app.editions.rendering import feature_licensed, render_template
from app.editions.setting_changes import put_setting
from app.editions.settings import (
    ChoiceSetting,
    DateSetting,
    NumberSetting,
    Setting,
    SwitchSetting,
    TextSetting,
)
from app.editions.tables import edition_metadata, user_reference
from app.editions.texts import gettext, lazy_gettext, ngettext, pgettext
from app.errors import answer_http_error
from app.events import (
    Event,
    LicenseRegistered,
    SettingsChanged,
    UserAdded,
    UserChanged,
    UserDeleted,
    UserRestored,
    announce,
)
from app.forms import Form, put_at_field
from app.license.policy import Usability
from app.license.reasons import LicenseError
from app.license.service import current_standing
from app.navigation import NavItem
from app.refusal import Reason, Refusal
from app.security import Audience, Credential, Representation, Scope
from app.settings.operation.csv_export import csv_lines, csv_original
from app.settings.state import current_state
from app.settings.users.joining import NewUser, adding_users
from app.settings.users.listing import ListQuery, Order, read_page
from app.texts import RefusalTexts, actor_name, code_texts, license_date, listed, sentences
from app.translation import N_

__all__ = [
    "API_VERSION",
    "N_",
    "PLAIN_NUMBER",
    "Answer",
    "ApiBlueprint",
    "ApiModel",
    "Audience",
    "AuditAction",
    "AuditEvent",
    "Card",
    "ChoiceSetting",
    "Credential",
    "DateSetting",
    "Day",
    "DeclarativeBase",
    "Device",
    "Edition",
    "EditionBlueprint",
    "Event",
    "Feature",
    "Form",
    "FoundUser",
    "Id",
    "Identity",
    "Instant",
    "LicenseRegistered",
    "LicenseSummary",
    "Listener",
    "NavItem",
    "NewUser",
    "NumberSetting",
    "Permission",
    "PlainText",
    "Reason",
    "Refusal",
    "RefusalTexts",
    "Representation",
    "ResponseReturnValue",
    "RowId",
    "Scope",
    "SelectChoice",
    "Setting",
    "SettingsChanged",
    "SlotContent",
    "SwitchSetting",
    "TextSetting",
    "ThrottleKey",
    "Usability",
    "UserAdded",
    "UserChanged",
    "UserDeleted",
    "UserRestored",
    "UtcDateTime",
    "abort",
    "actor_here",
    "actor_name",
    "adding_users",
    "announce",
    "answer_http_error",
    "changed_meanwhile",
    "code_texts",
    "count_failure",
    "csv_lines",
    "csv_original",
    "current_user",
    "desktop_refusal",
    "devices_of",
    "edition_metadata",
    "end_device",
    "feature_licensed",
    "find_users",
    "flash",
    "fold",
    "format_date",
    "gettext",
    "issue_device_token",
    "lazy_gettext",
    "license_date",
    "license_summary",
    "listed",
    "locale_code",
    "ngettext",
    "now",
    "open_to",
    "operation",
    "password_seal",
    "pgettext",
    "put_at_field",
    "put_setting",
    "read_connection",
    "record_audit",
    "redirect",
    "render_template",
    "request",
    "require_open",
    "requires_feature",
    "requires_permission",
    "safe_next",
    "seen_tag",
    "seen_version",
    "sentences",
    "time_zone",
    "today",
    "url_for",
    "user_reference",
    "users",
    "write_transaction",
]

users: FromClause = _User.__table__
"""The users, to be joined with in statements: ``id``, ``login``, ``name``; ``login_key``, which is the login as
``fold`` makes it; and ``deleted_at``, which is None of those who are registered. Nothing of it is to be written, and
its other columns are the application's own."""


@dataclass(frozen=True, slots=True)
class FoundUser:
    """A registered user, as a search shows them."""

    user_id: int
    login: str
    name: str


@dataclass(frozen=True, slots=True)
class LicenseSummary:
    """What everybody may know of the license in force."""

    edition: str
    """Title of the licensed edition, in the reader's language."""
    features: tuple[Feature, ...]
    """What it brings, add-on features included, with titles and descriptions in the reader's language."""
    web: Usability
    """Whether and until when the web application may be used; ``until`` is the first instant after it, or None, in the
    installation's zone."""
    desktop: Usability
    """The same of the desktop application."""


def current_user() -> Identity:
    """Whoever is logged in or has brought a token.

    Of use are ``user_id``, ``login``, ``name``, ``email``, ``language``, ``time_zone`` and ``permissions``.

    Pages of an edition are asked for by nobody else, so there always is somebody.
    """
    identity: Identity = _current_user._get_current_object()  # noqa: SLF001 - Flask-Login's way to the object itself
    return identity


def find_users(search: str, *, limit: int = 20) -> tuple[FoundUser, ...]:
    """Registered users whose name, login or e-mail address holds every word of ``search``, the best matches first.

    It goes by the folded forms, so that case and width make no difference, and its cost does not depend on how many
    users there are. An empty search finds the first ones by name.
    """
    words = " ".join(search.replace("\0", " ").split())[:100]  # PostgreSQL knows no text with U+0000
    page = read_page(ListQuery(search=words, order=Order.BEST if words else Order.NAME, size=limit), now())
    return tuple(FoundUser(user.user_id, user.login, user.name) for user in page.users)


def license_summary() -> LicenseSummary:
    """What everybody may know of the license in force, at this request; costs no statement."""
    standing = current_standing()
    licensed = registry.licensed_features(standing)
    editions = registry.registry()
    features = tuple(
        Feature(
            name,
            registry.text_of(editions.feature_owners[name], feature.title),
            registry.text_of(editions.feature_owners[name], feature.description),
        )
        for name, feature in editions.features.items()
        if name in licensed
    )
    edition = registry.licensed_edition(standing)
    title = registry.title_of_edition(edition) if edition is not None else ""
    return LicenseSummary(title, features, _in_zone(standing.web), _in_zone(standing.desktop))


def _in_zone(usability: Usability) -> Usability:
    until = usability.until
    return usability if until is None else replace(usability, until=until.astimezone(current_state().time_zone))


def desktop_refusal() -> Refusal | None:
    """Why the desktop application may not be used at this request, such as ``maintenance_expired``; None where it may.

    What takes device tokens is refused before an edition is asked. It costs no statement where somebody is logged in.
    """
    desktop = current_standing().desktop
    return None if desktop.usable else LicenseError(desktop.code or "unverifiable")


def time_zone() -> ZoneInfo:
    """The reader's time zone: their own, else the installation's, which is also that of commands."""
    own = current_user().time_zone if has_request_context() else None
    return ZoneInfo(own) if own else current_state().time_zone


def today() -> date:
    """The reader's date at this request; in a command, the installation's."""
    return now().astimezone(time_zone()).date()


def locale_code() -> str:
    """The reader's locale as Babel writes it, such as ``en_GB`` or ``ja``."""
    return str(get_locale())
