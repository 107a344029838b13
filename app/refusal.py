"""The domain's way of saying no: one reason, with its code, its message and its remedy.

Pure: neither Flask nor SQLAlchemy is imported. Texts are gettext message ids, translated where they are shown.
"""

from dataclasses import dataclass
from datetime import date, datetime

ReasonParam = str | int | date | datetime
"""What a placeholder of a message may be filled with; instants are shown in the installation's time zone."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is refused, said once for screen, log-in page, CLI, API, log, audit log and metric alike."""

    code: str
    """The name that never changes, such as ``seats_exceeded``."""
    message: str
    """Message id of one sentence that says what is the case; may hold ``%(name)s`` placeholders."""
    remedy: str
    """Message id of what to do about it, addressed to whoever can do it."""
    detail: str = ""
    """Message id of what follows from it, for the person who is stopped by it."""
    status: int = 422
    """HTTP status of an answer that consists of this refusal."""


class Refusal(Exception):  # noqa: N818 - a refusal is an answer of the domain, not a programming error
    """A rule said no.

    ``params`` fill the placeholders of the reason's texts. ``field`` names the form field at fault and ``claim``
    the claim of a license key, each None where none is. ``retry_after`` is for how many seconds the same will be
    refused again, None where time does not end it.
    """

    def __init__(
        self,
        reason: Reason,
        *,
        field: str | None = None,
        claim: str | None = None,
        retry_after: int | None = None,
        **params: ReasonParam,
    ) -> None:
        super().__init__(reason.code)
        self.reason = reason
        self.field = field
        self.claim = claim
        self.retry_after = retry_after
        self.params = params

    @property
    def code(self) -> str:
        """The reason's code."""
        return self.reason.code
