"""What the desktop application asks for: pairing (RFC 8628), the state, and sync. JSON; refusals are problem+json."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError
from werkzeug.wrappers import Response

from app.sdk import (
    N_,
    Audience,
    Credential,
    EditionBlueprint,
    Reason,
    Refusal,
    Representation,
    current_user,
    open_to,
    request,
    time_zone,
    url_for,
)
from plugins.desktop.pairing.rules import CLIENT_ID, GRANT_TYPE, OauthError
from plugins.desktop.pairing.service import NotPaired, begin, fetch_token
from plugins.desktop.state import read_state
from plugins.desktop.sync.messages import Batch, Results
from plugins.desktop.sync.service import carry_out

FEATURE = "desktop.use"
api = EditionBlueprint(
    "desktop_api",
    "plugins.desktop",
    feature=FEATURE,
    url_prefix="/api/v1/desktop",
    representation=Representation.PROBLEM_JSON,
    credential=Credential.DEVICE_TOKEN,
)
_open_to_devices = open_to(
    Audience.PUBLIC,
    feature=FEATURE,
    representation=Representation.PROBLEM_JSON,
    credential=Credential.DEVICE_TOKEN,
)
"""To devices that have no token yet: nobody has to be known, and yet the license says whether they are answered."""
LARGEST_BATCH = 1_000_000
"""Bytes."""

NOT_UNDERSTOOD = Reason(
    "message_invalid",
    N_("What the desktop application sent could not be understood: %(where)s."),
    N_("Update the desktop application; it is offered on the page Desktop."),
)


@api.post("/pairing")
@_open_to_devices
def begin_pairing() -> tuple[Mapping[str, object], int] | Mapping[str, object]:
    """Device Authorization Request (RFC 8628, 3.1)."""
    if request.form.get("client_id") != CLIENT_ID:
        return _oauth_error(OauthError.INVALID_CLIENT)
    begun = begin(request.form.get("device_name", ""), request.remote_addr or "")
    address = url_for("desktop.pair", _external=True)
    return {
        "device_code": begun.codes.device_code,
        "user_code": begun.codes.user_code,
        "verification_uri": address,
        "verification_uri_complete": url_for("desktop.pair", user_code=begun.codes.user_code, _external=True),
        "expires_in": begun.expires_in.seconds,
        "interval": begun.interval.seconds,
    }


@api.post("/token")
@_open_to_devices
def token() -> tuple[Mapping[str, object], int] | Mapping[str, object]:
    """Device Access Token Request (RFC 8628, 3.4)."""
    if request.form.get("client_id") != CLIENT_ID:
        return _oauth_error(OauthError.INVALID_CLIENT)
    if request.form.get("grant_type") != GRANT_TYPE:
        return _oauth_error(OauthError.UNSUPPORTED_GRANT_TYPE)
    if not request.form.get("device_code"):
        return _oauth_error(OauthError.INVALID_REQUEST)
    try:
        paired = fetch_token(request.form["device_code"])
    except NotPaired as answer:
        return _oauth_error(answer.error)
    return {"access_token": paired.token, "token_type": "Bearer", "device_name": paired.device_name}


def _oauth_error(error: OauthError) -> tuple[Mapping[str, object], int]:
    return {"error": error.value}, HTTPStatus.BAD_REQUEST


@api.get("/state")
def state() -> Response:
    """Person, day, week, timer and tasks; 304 where nothing has changed since ``If-None-Match``."""
    answer = Response(read_state().model_dump_json(), mimetype="application/json")
    answer.add_etag()
    return answer.make_conditional(request)


@api.post("/sync")
def sync() -> Response:
    """Carry out what the device tells, each operation once."""
    results = carry_out(current_user(), _batch(), time_zone())
    answer = Results(results=results)
    return Response(answer.model_dump_json(exclude_none=True), mimetype="application/json")


def _batch() -> Batch:
    request.max_content_length = LARGEST_BATCH
    try:
        return Batch.model_validate_json(request.get_data())
    except ValidationError as error:
        raise Refusal(NOT_UNDERSTOOD, where=_where(error)) from None


def _where(error: ValidationError) -> str:
    """The place of the first mistake, such as ``operations.3.minutes``, and what it is."""
    first: Any = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else str(first["msg"])
