"""Why a request of a program is refused before anything is done; what is refused then has the services' own codes."""

from app.refusal import Reason
from app.translation import N_

NOT_JSON = Reason(
    "not_json",
    N_("The body of this request is not JSON."),
    N_("Send JSON in UTF-8, with the header “Content-Type: application/json”."),
    status=415,
)
REQUEST_INVALID = Reason(
    "request_invalid",
    N_("This request is not what this address takes."),
    N_("“errors” names what is wrong with which value. The document openapi.json says what is taken."),
)
PRECONDITION_REQUIRED = Reason(
    "precondition_required",
    N_("This request does not say which version it changes."),
    N_("Send the ETag that you have read in the header If-Match, or “If-None-Match: *” for what is not there yet."),
    status=428,
)
PRECONDITION_FAILED = Reason(
    "precondition_failed",
    N_("This has changed since it was read."),
    N_("Read it again, then decide."),
    status=412,
)
