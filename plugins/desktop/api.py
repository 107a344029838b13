"""What the desktop application asks for: pairing (RFC 8628), the state, and sync. JSON; refusals are problem+json."""

from collections.abc import Mapping
from http import HTTPStatus

from app.sdk import (
    N_,
    Answer,
    Audience,
    Credential,
    EditionBlueprint,
    Reason,
    Representation,
    current_user,
    open_to,
    operation,
    request,
    time_zone,
    url_for,
)
from plugins.desktop.pairing.rules import CLIENT_ID, GRANT_TYPE, OauthError
from plugins.desktop.pairing.service import NotPaired, begin, fetch_token
from plugins.desktop.state import State, read_state
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
@operation("What a device shows", answers=State, versioned=True)
def state() -> Answer:
    """Person, day, week, timer and tasks; 304 where nothing has changed since ``If-None-Match``."""
    return Answer(read_state(), is_tagged=True)


@api.post("/sync")
@operation("Carry out what a device tells, each operation once", body=Batch, answers=Results, invalid=NOT_UNDERSTOOD)
def sync(body: Batch) -> Results:
    """What is refused loses no other."""
    return Results(results=carry_out(current_user(), body, time_zone()))
