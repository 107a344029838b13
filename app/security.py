"""Who may ask for what: audiences, permissions, and the headers of every answer.

What is not declared is denied: an endpoint that has neither a declaration of its own nor one of its blueprint is
answered to nobody.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from types import CellType, FunctionType, MappingProxyType
from typing import Any, TypeVar

from flask import Blueprint, Flask, Response, request

from app.translation import N_

SYSTEM_ADMINISTRATOR = "system_administrator"
PERMISSIONS: Mapping[str, str] = MappingProxyType({SYSTEM_ADMINISTRATOR: N_("System Administrator")})
"""Every permission with its title; the one table that the screens and the CLI offer from."""


class Audience(Enum):
    """For whom an endpoint is."""

    PUBLIC = "public"
    MEMBER = "member"
    """Whoever is logged in."""
    ADMIN = "admin"
    """System administrators: the Admin screen."""


class Representation(Enum):
    """In what form an endpoint answers, refusals included."""

    HTML = "html"
    PROBLEM_JSON = "problem+json"


class Credential(Enum):
    """What an endpoint takes for a proof of who asks: exactly one; what else a request brings is not looked at.

    The values of the tokens are what ``access_tokens.kind`` holds.
    """

    SESSION = "session"
    """The cookie of a browser that is logged in."""
    API_TOKEN = "personal"  # noqa: S105 - the name of a kind of token
    """A token that a person has made on Account, for programs of their own; it is worth the scopes it was given."""
    DEVICE_TOKEN = "device"  # noqa: S105 - the name of a kind of token
    """A token of the desktop application, which is governed by the Maintenance Expiration Date too."""


class Scope(StrEnum):
    """What a personal token may be used for; chosen when it is made."""

    PROFILE_READ = "profile.read"
    DATA_READ = "data.read"
    DATA_WRITE = "data.write"


SCOPES: Mapping[Scope, str] = MappingProxyType(
    {
        Scope.PROFILE_READ: N_("Read who you are and what is licensed"),
        Scope.DATA_READ: N_("Read what you may read: tasks, hours, timer, closed days"),
        Scope.DATA_WRITE: N_("Record and change your own hours, and your timer"),
    }
)
"""Every scope with what it allows, in the order in which they are offered."""


class WhileRestricted(Enum):
    """Who may still ask for an endpoint while the standing is restricted (manual, "Notes on License Operation")."""

    NOBODY = "nobody"
    ADMINISTRATORS = "administrators"
    EVERYONE = "everyone"


@dataclass(frozen=True, slots=True)
class Access:
    """What the gate goes by; of one endpoint."""

    audience: Audience
    representation: Representation = Representation.HTML
    while_restricted: WhileRestricted = WhileRestricted.NOBODY
    feature: str | None = None
    """A feature that must be licensed, None where none is asked for."""
    permission: str | None = None
    """A permission that whoever asks must hold, None where none is asked for."""
    credential: Credential = Credential.SESSION
    """The one proof of who asks that is looked at."""
    scope: str | None = None
    """The scope that a personal token must have. Without one no personal token is taken: what is not said is denied."""


_BY_DEFAULT = {
    Audience.PUBLIC: WhileRestricted.EVERYONE,
    Audience.MEMBER: WhileRestricted.NOBODY,
    Audience.ADMIN: WhileRestricted.ADMINISTRATORS,
}
_DECLARED = "timetracker_access"
_NEEDS = "timetracker_needs"
_MOST_CELLS = 100
"""How many functions that a view is made of are looked into."""
_View = TypeVar("_View", bound=Callable[..., Any])


def declare(
    blueprint: Blueprint,
    audience: Audience,
    representation: Representation = Representation.HTML,
    *,
    feature: str | None = None,
    permission: str | None = None,
    credential: Credential = Credential.SESSION,
    scope: str | None = None,
) -> None:
    """Say for whom every endpoint of ``blueprint`` is, where the view does not say otherwise."""
    restricted = _BY_DEFAULT[audience]
    declared = Access(audience, representation, restricted, feature, permission, credential, scope)
    setattr(blueprint, _DECLARED, declared)


def access(
    audience: Audience,
    representation: Representation = Representation.HTML,
    *,
    while_restricted: WhileRestricted | None = None,
    feature: str | None = None,
    permission: str | None = None,
    credential: Credential = Credential.SESSION,
    scope: str | None = None,
) -> Callable[[_View], _View]:
    """Decorate a view that is for others than its blueprint says. Stands below the route decorator."""

    def mark(view: _View) -> _View:
        restricted = _BY_DEFAULT[audience] if while_restricted is None else while_restricted
        declared = Access(audience, representation, restricted, feature, permission, credential, scope)
        setattr(view, _DECLARED, declared)
        return view

    return mark


def needs(
    *, feature: str | None = None, permission: str | None = None, scope: str | None = None
) -> Callable[[_View], _View]:
    """Decorate a view that needs this as well, or in place of what its blueprint needs; the audience stays as it is."""

    def mark(view: _View) -> _View:
        named = (("feature", feature), ("permission", permission), ("scope", scope))
        wanted = {name: value for name, value in named if value is not None}
        setattr(view, _NEEDS, {**getattr(view, _NEEDS, {}), **wanted})
        return view

    return mark


def serving_static_files(blueprint: object) -> object:
    """The view of the static files of a blueprint, which is no page whatever else is called so."""
    return getattr(blueprint, "send_static_file", None)


def lost_declaration(view: Callable[..., Any]) -> bool:
    """Whether something below ``view`` was decorated for the gate, and ``view`` itself knows nothing of it.

    So it is where a decorator above lacks ``functools.wraps``, with ``functools.partial``, and for a class of views or
    one of its methods, of which Flask makes a function of its own.
    """
    declared = _declared(view)
    view_class = getattr(view, "view_class", None)
    inner = [view_class, *(vars(view_class).values() if view_class is not None else ()), getattr(view, "func", None)]
    seen: set[int] = set()
    waiting = [view]
    while waiting and len(seen) < _MOST_CELLS:
        function = waiting.pop()
        seen.add(id(function))
        found = [cell.cell_contents for cell in getattr(function, "__closure__", None) or () if _is_filled(cell)]
        inner += found
        waiting += (each for each in found if isinstance(each, FunctionType) and id(each) not in seen)
    return any(not _declared(each).items() <= declared.items() for each in inner if callable(each))


def _declared(function: object) -> dict[str, object]:
    """What the decorators have written on it: the whole access, and what is needed beside that of its blueprint."""
    attributes = getattr(function, "__dict__", {})
    whole = {_DECLARED: attributes[_DECLARED]} if _DECLARED in attributes else {}
    return {**whole, **attributes.get(_NEEDS, {})}


def _is_filled(cell: CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - asking is the only way to know
    except ValueError:
        return False
    return True


def resolve_access(app: Flask) -> Mapping[str, Access]:
    """Look up what is declared for each endpoint, once, when all blueprints are registered."""
    declared: dict[str, Access] = {}
    for endpoint, view in app.view_functions.items():
        blueprint = app.blueprints.get(endpoint.rpartition(".")[0])
        of_view = getattr(view, _DECLARED, None) or getattr(blueprint, _DECLARED, None)
        needed = getattr(view, _NEEDS, {})
        if of_view is None and "feature" in needed:  # naming a permission alone declares no audience
            of_view = Access(Audience.MEMBER)
        if of_view is not None:
            of_view = replace(of_view, **needed)
        if endpoint == "static" or (blueprint is not None and view == serving_static_files(blueprint)):
            of_view = Access(Audience.PUBLIC, while_restricted=WhileRestricted.EVERYONE)
        if of_view is not None:
            declared[endpoint] = of_view
    return MappingProxyType(declared)


# Headers ----------------------------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: Flask-WTF compares the referrer of every POST over TLS.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Frame-Options": "DENY",
}
_ONE_YEAR = 31_536_000


def add_security_headers(response: Response) -> Response:
    """Put the headers on every answer, errors included; private pages are not to be stored anywhere.

    They replace what a page has set itself: one header of an edition that is weaker would open the whole origin.
    """
    for name, value in _HEADERS.items():
        response.headers[name] = value
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = f"max-age={_ONE_YEAR}; includeSubDomains"
    is_static = request.endpoint == "static" or (request.endpoint or "").endswith(".static")
    if not (is_static and response.status_code in (200, 206, 304)):
        response.headers["Cache-Control"] = "no-store"
    return response
