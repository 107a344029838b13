"""How this application stands with the server: one frozen value, and one function that takes it on. Pure.

    unpaired → pairing → online ⇄ off line
                           ⇅
         maintenance expired, restricted (seats exceeded, license expired, …)
                           ↓
                      token ended → pairing

Whatever the server refuses, the queue stays: only the words and the next question differ.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from timetracker_desktop.texts import N_


class Phase(StrEnum):
    """Where it stands."""

    UNPAIRED = "unpaired"
    PAIRING = "pairing"
    ONLINE = "online"
    OFFLINE = "offline"
    MAINTENANCE_EXPIRED = "maintenance_expired"
    RESTRICTED = "restricted"
    """Seats exceeded, or the license has expired, has not begun, is missing or unverifiable: ``code`` says which."""
    TOKEN_ENDED = "token_ended"  # noqa: S105  # a phase, no secret


RESTRICTED_CODES: Mapping[str, str] = {
    "seats_exceeded": N_("The number of licenses has been exceeded."),
    "license_expired": N_("The license has expired."),
    "license_not_started": N_("The license has not begun yet."),
    "license_missing": N_("No license is registered."),
    "unlicensed": N_("No license is registered."),
    "not_started": N_("The license has not begun yet."),
    "expired": N_("The license has expired."),
}
"""What to say where the server does not say it itself."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """A pairing that waits for the person's confirmation in the browser."""

    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """The standing of this application with its server."""

    phase: Phase
    server: str = ""
    invitation: Invitation | None = None
    code: str = ""
    """Why, where something is refused or a pairing has failed."""
    detail: str = ""
    remedy: str = ""
    maintenance_expires: date | None = None
    last_answer: datetime | None = None
    """When the server last answered as it should."""

    @property
    def is_paired(self) -> bool:
        """Whether there is a token that may work, now or later."""
        return self.phase not in (Phase.UNPAIRED, Phase.PAIRING, Phase.TOKEN_ENDED)

    @property
    def may_record(self) -> bool:
        """Whether hours are taken down here: off line too; while the server refuses, they would only pile up."""
        return self.phase in (Phase.ONLINE, Phase.OFFLINE)


# What happens ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PairingBegun:
    """The server has given a code."""

    server: str
    invitation: Invitation


@dataclass(frozen=True, slots=True)
class PairingFailed:
    """Denied, expired, cancelled, or the server could not be asked; ``code`` says which."""

    code: str
    server: str
    """The address that was tried, which may be mistyped."""


@dataclass(frozen=True, slots=True)
class Paired:
    """There is a token."""

    server: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The server has answered as it should."""

    at: datetime
    maintenance_expires: date | None = None


@dataclass(frozen=True, slots=True)
class Unreachable:
    """No answer, or one that says to come back later."""

    detail: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """The server refuses whatever this application asks."""

    status: int
    code: str
    detail: str = ""
    remedy: str = ""
    maintenance_expires: date | None = None


@dataclass(frozen=True, slots=True)
class Unpaired:
    """The person has ended the pairing here."""


Event = PairingBegun | PairingFailed | Paired | Answered | Unreachable | Refused | Unpaired


def after(session: Session, event: Event) -> Session:
    """The session after ``event``; an event that cannot happen in this phase changes nothing."""
    match event:
        case PairingBegun():
            return Session(Phase.PAIRING, event.server, event.invitation)
        case Paired():
            # Not yet heard of: the first answer makes it online.
            return Session(Phase.OFFLINE, event.server)
        case Unpaired():
            return Session(Phase.UNPAIRED, session.server)
        case PairingFailed():
            if session.is_paired:
                return session
            return Session(Phase.UNPAIRED, event.server, code=event.code)
    return _told(session, event) if session.is_paired else session


def _told(session: Session, event: Answered | Unreachable | Refused) -> Session:
    match event:
        case Answered():
            expires = event.maintenance_expires or session.maintenance_expires
            return Session(Phase.ONLINE, session.server, maintenance_expires=expires, last_answer=event.at)
        case Unreachable():
            # A refusal stays on screen while the server cannot be asked again: its reason has not gone away.
            if session.phase in (Phase.MAINTENANCE_EXPIRED, Phase.RESTRICTED):
                return session
            return replace(session, phase=Phase.OFFLINE, code="", detail=event.detail, remedy="")
        case Refused():
            return replace(
                session,
                phase=_phase_of(event),
                code=event.code,
                detail=event.detail,
                remedy=event.remedy,
                maintenance_expires=event.maintenance_expires or session.maintenance_expires,
            )


def _phase_of(refusal: Refused) -> Phase:
    if refusal.status == 401:  # noqa: PLR2004  # HTTP
        return Phase.TOKEN_ENDED
    return Phase.MAINTENANCE_EXPIRED if refusal.code == "maintenance_expired" else Phase.RESTRICTED
