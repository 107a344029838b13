"""The gate: one ``before_request`` hook that applies the license and seat policy to every request.

``decide`` is the rule, a pure table; ``guard`` fetches what it needs and turns the verdict into an answer. It goes by
the endpoint and by what is declared for it, never by the look of a path (design section 7).
"""

from enum import Enum

import structlog
from flask import Flask, Response, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import Forbidden, HTTPException, ServiceUnavailable, Unauthorized

from app import clock
from app.auth import bearer
from app.auth.identity import Identity, current_identity, forget_session, load_bearer
from app.auth.reasons import SCOPE_MISSING, TOKEN_INVALID, TOKEN_MISSING
from app.auth.sessions import touch_after_answer
from app.editions import registry
from app.errors import PaymentRequired, answer_http_error, answer_locked_edition, answer_refusal, is_for_programs
from app.license import policy
from app.license.policy import Standing
from app.license.reasons import LicenseError
from app.license.service import current_standing
from app.refusal import Refusal
from app.security import Access, Audience, Credential, Representation, WhileRestricted
from app.settings.state import current_state
from app.texts import maintenance_ended

LICENSE_PAGE = "license.show"
_log = structlog.get_logger("timetracker.gate")


class Verdict(Enum):
    """What becomes of a request."""

    ALLOW = "allow"
    LOG_IN = "log in first"
    FORBID = "forbid"
    LOCK_OUT = "tell a member why nothing is available"
    CONFINE = "send an administrator to the License page"
    NOT_FOR_DEVICES = "tell a device why it cannot go on"
    NOT_LICENSED = "the feature is not licensed"
    NOT_IN_SCOPE = "the personal token lacks the scope"
    NOT_READY = "the tables of the edition are not migrated"


NOWHERE = Access(Audience.MEMBER)
"""An address that leads to no endpoint: whoever is free of restrictions gets 404 or 405 from the router."""


def decide(
    access: Access | None,
    identity: Identity | None,
    *,
    restricted: bool,
    desktop: bool = True,
    licensed: bool = True,
    ready: bool = True,
) -> Verdict:
    """Decide a request; pure.

    Args:
        access: what is declared for the endpoint, None for an endpoint that declares nothing.
        identity: who is logged in or has brought a token, None for nobody. Whoever has proved it with another
            credential than the endpoint takes is nobody.
        restricted: whether the standing is any but ``active`` and ``grace``.
        desktop: whether the desktop application may be used, which the Maintenance Expiration Date decides as well. It
            holds for whatever is for devices, also where nobody has to be known, as while one is being paired.
        licensed: whether the feature that the endpoint asks for is licensed.
        ready: whether the edition that the endpoint belongs to is not locked.
    """
    served = Verdict.ALLOW if ready else Verdict.NOT_READY
    if access is not None and access.audience is Audience.PUBLIC:
        if access.credential is Credential.DEVICE_TOKEN and not desktop:
            return Verdict.NOT_FOR_DEVICES
        return served if licensed else Verdict.NOT_LICENSED
    if identity is None or identity.credential is not (access or NOWHERE).credential:
        return Verdict.FORBID if access is None else Verdict.LOG_IN
    if restricted and not _open_while_restricted(access, identity):
        return Verdict.CONFINE if identity.is_system_administrator else Verdict.LOCK_OUT
    if identity.credential is Credential.DEVICE_TOKEN and not desktop:
        return Verdict.NOT_FOR_DEVICES
    entitled = _decide_entitlement(access, identity, licensed=licensed)
    return served if entitled is Verdict.ALLOW else entitled


def _decide_entitlement(access: Access | None, identity: Identity, *, licensed: bool) -> Verdict:
    """What the license and the user's own permissions say, of somebody whom the standing lets in."""
    if access is None or (access.audience is Audience.ADMIN and not identity.is_system_administrator):
        return Verdict.FORBID
    if not licensed:
        return Verdict.NOT_LICENSED
    if access.permission is not None and not identity.holds(access.permission):
        return Verdict.FORBID
    if identity.credential is Credential.API_TOKEN and access.scope not in identity.scopes:
        return Verdict.NOT_IN_SCOPE
    return Verdict.ALLOW


def _open_while_restricted(access: Access | None, identity: Identity) -> bool:
    if access is None:
        return False
    if access.while_restricted is WhileRestricted.ADMINISTRATORS:
        return identity.is_system_administrator
    return access.while_restricted is WhileRestricted.EVERYONE


def guard() -> ResponseReturnValue | None:
    """Answer in place of the view where the policy says so; None lets the request through."""
    access = current_app.extensions["access"].get(request.endpoint) if request.endpoint else NOWHERE
    if request.endpoint is None and is_for_programs():
        return None  # nobody's cookie counts there, so that the router's 404 or 405 is everybody's
    if access is not None and access.audience is Audience.PUBLIC:
        if access.credential is not Credential.SESSION:
            forget_session()
        standing = _standing() if access.credential is Credential.DEVICE_TOKEN else None
        verdict = decide(
            access,
            None,
            restricted=False,
            desktop=standing is None or standing.desktop.usable,
            licensed=standing is None or _is_licensed(access, standing),
            ready=_obstacle() is None,
        )
        return _answer(verdict, access, None, standing)
    identity = _identity((access or NOWHERE).credential)
    if request.endpoint is None and identity is None:
        return None  # the router's 404 or 405, at no cost
    standing = _standing() if identity is not None else None
    verdict = decide(
        access,
        identity,
        restricted=standing is not None and standing.restricted,
        desktop=standing is None or standing.desktop.usable,
        licensed=standing is None or _is_licensed(access, standing),
        ready=identity is None or _obstacle() is None,
    )
    return _answer(verdict, access or NOWHERE, identity, standing)


def _identity(credential: Credential) -> Identity | None:
    """Who asks, by the one credential that counts; asks the database only where the visitor brought such a one.

    Raises:
        ServiceUnavailable: the database does not say.
    """
    if credential is Credential.SESSION and "_user_id" not in session:
        return None
    try:
        return current_identity() if credential is Credential.SESSION else load_bearer(credential)
    except Exception as error:  # whatever it is, a visitor who cannot be told from others is not let in
        _log.exception("identity cannot be read")
        raise ServiceUnavailable from error


def _standing() -> Standing:
    """The standing; should it fail, one that locks members out and lets administrators in for repair."""
    try:
        return current_standing()
    except Exception:  # noqa: BLE001 - fails closed for members and open for repair, whatever it is
        _log.exception("standing cannot be determined")
        g.standing = policy.undetermined()
        standing: Standing = g.standing
        return standing


def _obstacle() -> Refusal | None:
    """Why the edition of the page is locked; None where it is not. Its static files are not: they need no tables."""
    endpoint = request.endpoint
    return None if endpoint is None or endpoint.endswith(".static") else registry.obstacle(endpoint)


def _is_licensed(access: Access | None, standing: Standing) -> bool:
    return access is None or access.feature is None or access.feature in registry.licensed_features(standing)


def _answer(
    verdict: Verdict, access: Access, identity: Identity | None, standing: Standing | None
) -> ResponseReturnValue | None:
    if verdict is Verdict.ALLOW:
        if identity is not None:
            g.touch = identity
        return None
    as_page = access.representation is Representation.HTML
    if verdict is Verdict.LOG_IN and access.credential is Credential.SESSION:
        return _ask_to_log_in() if as_page else answer_refusal(Unauthorized())
    if verdict in (Verdict.LOG_IN, Verdict.NOT_IN_SCOPE, Verdict.NOT_FOR_DEVICES):
        return _answer_program(verdict, access, standing)
    if verdict is Verdict.FORBID:
        raise Forbidden
    if verdict is Verdict.NOT_LICENSED:
        raise PaymentRequired(feature=access.feature or "")
    obstacle = _obstacle() if verdict is Verdict.NOT_READY else None
    if obstacle is not None:
        return answer_locked_edition(obstacle, registry.owner_of_endpoint(request.endpoint or "") or "")
    code = standing.code if standing is not None else None
    if verdict is Verdict.CONFINE and as_page:
        return redirect(url_for(LICENSE_PAGE), code=303)
    return answer_refusal(LicenseError(code or "unverifiable"), offers_logout=True)


def _answer_program(verdict: Verdict, access: Access, standing: Standing | None) -> Response:
    """Tell a program what is wrong with its token; a device also since when it may not go on."""
    if verdict is Verdict.LOG_IN:
        return answer_refusal(Refusal(TOKEN_INVALID if bearer.is_brought() else TOKEN_MISSING))
    if verdict is Verdict.NOT_IN_SCOPE:
        return answer_refusal(Refusal(SCOPE_MISSING, scope=access.scope or ""))
    desktop = (standing or policy.undetermined()).desktop
    error = LicenseError(desktop.code or "unverifiable")
    if error.code != "maintenance_expired" or desktop.until is None:
        return answer_refusal(error)
    # In the installation's zone, as every date of a license: a device reads the last day of it.
    members = {"maintenance_expires": desktop.until.astimezone(current_state().time_zone).isoformat()}
    return answer_refusal(error, before_detail=maintenance_ended(desktop.until), members=members)


def _ask_to_log_in() -> ResponseReturnValue:
    """Send to the log-in page, and back afterwards where coming back repeats nothing."""
    comes_back = request.method in ("GET", "HEAD") and request.full_path.rstrip("?") != "/"
    after = request.full_path.rstrip("?") if comes_back else None
    return redirect(url_for("auth.login", next=after), code=303)


def answer_of_the_core() -> ResponseReturnValue | None:
    """What ``guard`` answers, whatever handlers of errors the blueprint has that was asked for."""
    try:
        answer = guard()
    except HTTPException as error:
        return answer_http_error(error)
    g.let_in = answer is None
    return answer


def install_gate(app: Flask) -> None:
    """Put the gate in front of everything; the factory does so before any other hook that answers."""
    app.before_request(answer_of_the_core)

    @app.after_request
    def touch(response: Response) -> Response:
        identity = g.pop("touch", None)
        if identity is not None:
            touch_after_answer(response, identity, clock.now())
        return response
