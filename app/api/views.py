"""Who asks, what is licensed, and the document of the API."""

from datetime import datetime
from typing import Any, cast

from flask import Blueprint, Response, jsonify, render_template
from flask_babel import gettext

from app.api.document import api_document
from app.api.listing import listed_operations
from app.api.operations import ApiModel, operation
from app.auth.identity import Identity, current_identity
from app.editions import registry
from app.errors import API_PREFIX
from app.license.policy import Usability
from app.license.service import current_standing
from app.security import (
    SCOPES,
    Audience,
    Credential,
    Representation,
    Scope,
    access,
    declare,
)
from app.settings.state import current_state
from app.translation import N_

blueprint = Blueprint("api", __name__, url_prefix=API_PREFIX)
declare(blueprint, Audience.MEMBER, Representation.PROBLEM_JSON, credential=Credential.API_TOKEN)


class Me(ApiModel):
    """Whoever the token belongs to."""

    login: str
    name: str
    email: str | None
    language: str | None
    time_zone: str
    """Their own, else the installation's."""
    system_administrator: bool
    permissions: list[str]
    scopes: list[str]
    """What the token that was brought may be used for."""


class Use(ApiModel):
    """Whether one of the two applications may be used."""

    usable: bool
    until: datetime | None
    """The first instant at which it no longer may, in the installation's zone; null where no date ends it."""
    code: str | None
    """Why it may not be used; null where it may."""


class Seats(ApiModel):
    """What system administrators may know besides."""

    seats: int
    registered_users: int
    customer: str | None


class StandingNow(ApiModel):
    """What is licensed at this instant."""

    standing: str
    edition: str | None
    features: list[str]
    web: Use
    desktop: Use
    administration: Seats | None
    """For system administrators; null for others."""


@blueprint.get("/me")
@operation(N_("Who the token belongs to"), scope=Scope.PROFILE_READ, answers=Me)
def me() -> Me:
    """Whoever asks."""
    identity = _identity()
    return Me(
        login=identity.login,
        name=identity.name,
        email=identity.email,
        language=identity.language,
        time_zone=identity.time_zone or current_state().time_zone.key,
        system_administrator=identity.is_system_administrator,
        permissions=sorted(identity.permissions),
        scopes=sorted(identity.scopes),
    )


@blueprint.get("/standing")
@operation(N_("What is licensed, and until when"), scope=Scope.PROFILE_READ, answers=StandingNow)
def standing() -> StandingNow:
    """The standing, as members may know it; seats and customer for system administrators alone."""
    now = current_standing()
    customer = now.license.customer if now.license is not None else None
    seats = Seats(seats=now.seats, registered_users=now.registered_users, customer=customer)
    return StandingNow(
        standing=now.kind.value,
        edition=registry.licensed_edition(now),
        features=sorted(registry.licensed_features(now)),
        web=_use(now.web),
        desktop=_use(now.desktop),
        administration=seats if _identity().is_system_administrator else None,
    )


@blueprint.get("/openapi.json")
@access(Audience.PUBLIC, Representation.PROBLEM_JSON, credential=Credential.API_TOKEN)
def openapi() -> Response:
    """The document, which says what the code says and nothing of what anybody has recorded."""
    document: Any = api_document()
    return jsonify(document)


@blueprint.get("/docs")
@access(Audience.MEMBER)
def docs() -> str:
    """The document for people: a page of a session, which takes no token."""
    return render_template(
        "api/docs.html",
        operations=listed_operations(),
        scope_titles=_scope_titles(),
        version_headers="If-Match, If-None-Match",
    )


def _scope_titles() -> dict[str, str]:
    return {scope.value: gettext(title) for scope, title in SCOPES.items()}


def _use(usability: Usability) -> Use:
    until = usability.until and usability.until.astimezone(current_state().time_zone)
    return Use(usable=usability.usable, until=until, code=usability.code)


def _identity() -> Identity:
    return cast(Identity, current_identity())  # the gate lets nobody else get here
