"""Which license is in force, and what follows from it.

Records, installation, registered users and now go in, the standing comes out. The rules are those of design
section 4, "In force", and of section 3, rules 3 to 6. Nothing is remembered between calls, so a standing is
exact at the very instant it is asked for.

Pure: neither Flask nor SQLAlchemy is imported.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import chain
from typing import NamedTuple

from app.license.document import License
from app.license.reasons import LicenseError


@dataclass(frozen=True, slots=True)
class Record:
    """A registered license key, verified anew."""

    id: int
    """Order of registration: a later registration has a greater id."""
    license: License | None
    """What the key grants; None where it does not verify."""
    code: str | None
    """Why it does not verify; None where it does."""
    registered_at: datetime
    number: str
    """License number as it was stored, so that an unverifiable record can be named."""
    fingerprint: str
    """Fingerprint as it was stored."""


class StandingKind(StrEnum):
    """The answers of the license policy."""

    ACTIVE = "active"
    GRACE = "grace"
    SEATS_EXCEEDED = "seats_exceeded"
    EXPIRED = "expired"
    NOT_STARTED = "not_started"
    UNLICENSED = "unlicensed"
    WRONG_INSTALLATION = "wrong_installation"
    UNVERIFIABLE = "unverifiable"


class RecordState(StrEnum):
    """What has become of a registered license."""

    IN_FORCE = "in_force"
    IN_GRACE = "in_grace"
    SCHEDULED = "scheduled"
    """It will come into force: at its start, or when a later one has ended."""
    SUPERSEDED = "superseded"
    """A later one is in force in its place, and outlasts it."""
    WITHDRAWN = "withdrawn"
    """A later one that has started names it in ``supersedes``."""
    ENDED = "ended"
    WRONG_INSTALLATION = "wrong_installation"
    UNVERIFIABLE = "unverifiable"


@dataclass(frozen=True, slots=True)
class Usability:
    """Whether one of the two applications may be used."""

    usable: bool
    until: datetime | None
    """First instant at which it no longer may, or since which it may not; None where no date is the
    reason.
    """
    code: str | None
    """Why it may not be used; None where it may."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The answer of the policy at one instant."""

    kind: StandingKind
    license: License | None
    """The license in force; else the one that speaks for the standing, if any does."""
    next: License | None
    """The license that will take over first."""
    next_at: datetime | None
    """When it does."""
    registered_users: int
    web: Usability
    desktop: Usability

    @property
    def restricted(self) -> bool:
        """Whether members are shut out and administrators see the Admin screen alone."""
        return self.kind not in (StandingKind.ACTIVE, StandingKind.GRACE)

    @property
    def code(self) -> str | None:
        """The reason's code where the standing is restricted."""
        return _code(self.kind)

    @property
    def seats(self) -> int:
        """How many users the license allows; 0 without a license."""
        return self.license.seats if self.license else 0

    @property
    def free(self) -> int:
        """How many more users can be registered within the seats."""
        return max(self.seats - self.registered_users, 0)

    @property
    def excess(self) -> int:
        """How many users are registered past the seats; 0 without a license, which has nothing to exceed."""
        return max(self.registered_users - self.seats, 0) if self.license else 0


def evaluate(records: Sequence[Record], *, installation: str, registered_users: int, now: datetime) -> Standing:
    """Return the standing at ``now`` (aware) of the installation with that id and that many users."""
    candidates = _candidates(records, installation)
    in_force = _in_force(candidates, now)
    if in_force is None:
        kind, speaker = _spokesman(records, candidates, now)
    else:
        speaker = in_force.license
        if registered_users > speaker.seats:
            kind = StandingKind.SEATS_EXCEEDED
        else:
            kind = StandingKind.GRACE if speaker.has_ended(now) else StandingKind.ACTIVE
    web = _web(kind, speaker)
    takeover = _next(candidates, now)
    return Standing(
        kind=kind,
        license=speaker,
        next=takeover[0] if takeover else None,
        next_at=takeover[1] if takeover else None,
        registered_users=registered_users,
        web=web,
        desktop=_desktop(web, speaker, now),
    )


def undetermined() -> Standing:
    """Return the standing to fall back on where the standing itself cannot be determined: it lets nobody work."""
    nothing = Usability(False, None, StandingKind.UNVERIFIABLE.value)
    return Standing(StandingKind.UNVERIFIABLE, None, None, None, 0, nothing, nothing)


def record_states(records: Sequence[Record], *, installation: str, now: datetime) -> Mapping[int, RecordState]:
    """Return the state of every record at ``now`` (aware), by its id."""
    candidates = _candidates(records, installation)
    withdrawn = _withdrawn(candidates, now)
    in_force = _in_force(candidates, now)
    coming = {then.id for instant in _turns(candidates, now) if (then := _in_force(candidates, instant)) is not None}

    def state(candidate: _Candidate) -> RecordState:
        if candidate is in_force:
            return RecordState.IN_GRACE if candidate.license.has_ended(now) else RecordState.IN_FORCE
        if candidate.id in withdrawn:
            return RecordState.WITHDRAWN
        if not candidate.license.has_started(now) or (candidate.id in coming and not candidate.license.has_ended(now)):
            return RecordState.SCHEDULED
        return RecordState.ENDED if candidate.license.has_ended(now) else RecordState.SUPERSEDED

    others = {
        record.id: RecordState.WRONG_INSTALLATION if record.license else RecordState.UNVERIFIABLE for record in records
    }
    return others | {candidate.id: state(candidate) for candidate in candidates}


def admit(candidate: License, records: Sequence[Record], *, installation: str, now: datetime) -> None:
    """Let a verified license be registered beside ``records``, or say why not.

    Raises LicenseError ``license_expired`` (with ``expires``), ``wrong_installation``,
    ``already_registered``, ``number_reused`` or ``older_than_registered``.
    """
    if candidate.expires is not None and candidate.is_past_grace(now):
        raise LicenseError("license_expired", expires=candidate.expires)
    if candidate.installation not in (None, installation):
        raise LicenseError("wrong_installation")
    for record in records:
        if record.number == candidate.number:
            same = record.fingerprint == candidate.fingerprint
            raise LicenseError("already_registered" if same else "number_reused")
    takes_effect(candidate, records, installation=installation, now=now)


def takes_effect(candidate: License, records: Sequence[Record], *, installation: str, now: datetime) -> datetime:
    """Return the first instant from ``now`` on at which ``candidate``, registered now, would be in force.

    Raises LicenseError ``older_than_registered`` if it never would be.
    """
    records = with_candidate(records, candidate, now)
    candidates = _candidates(records, installation)
    for instant in (now, *_turns(candidates, now)):
        in_force = _in_force(candidates, instant)
        if in_force and in_force.license is candidate:
            return instant
    raise LicenseError("older_than_registered")


def with_candidate(records: Sequence[Record], candidate: License, now: datetime) -> Sequence[Record]:
    """Return ``records`` as they would be if ``candidate`` were registered at ``now``."""
    newest = max((record.id for record in records), default=0)
    return [*records, Record(newest + 1, candidate, None, now, candidate.number, candidate.fingerprint)]


class _Candidate(NamedTuple):
    """A license that verifies and is for this installation. Candidates sort as the rules compare them."""

    starts: datetime
    issued: datetime
    id: int
    license: License


def _candidates(records: Sequence[Record], installation: str) -> Sequence[_Candidate]:
    """Return the candidates, the earliest first."""
    return sorted(
        _Candidate(record.license.starts, record.license.issued, record.id, record.license)
        for record in records
        if record.license and record.license.installation in (None, installation)
    )


def _withdrawn(candidates: Sequence[_Candidate], now: datetime) -> AbstractSet[int]:
    """Return the ids of the candidates that are withdrawn at ``now``.

    A license withdraws from its own start on, for good: also after its own end, and if it is withdrawn
    itself.
    """
    return {
        earlier.id
        for position, later in enumerate(candidates)
        if later.license.supersedes and later.license.has_started(now)
        for earlier in candidates[:position]
        if earlier.license.number in later.license.supersedes
    }


def _in_force(candidates: Sequence[_Candidate], now: datetime) -> _Candidate | None:
    """Return the latest candidate that has started and not ended, else the latest one in grace."""
    withdrawn = _withdrawn(candidates, now)
    started = [
        candidate
        for candidate in reversed(candidates)
        if candidate.license.has_started(now) and candidate.id not in withdrawn
    ]
    holding = (candidate for candidate in started if not candidate.license.has_ended(now))
    in_grace = (candidate for candidate in started if not candidate.license.is_past_grace(now))
    return next(chain(holding, in_grace), None)


def _turns(candidates: Sequence[_Candidate], now: datetime) -> Sequence[datetime]:
    """Return the instants after ``now`` at which another license may come into force, the earliest first.

    What is in force changes only where some license starts, ends or runs out of grace, and holds from that very instant
    on; so these instants and ``now`` are all there is to look at.
    """
    return sorted(
        {
            turn
            for *_, granted in candidates
            for turn in (granted.starts, granted.expires, granted.grace_until)
            if turn is not None and turn > now
        }
    )


def _next(candidates: Sequence[_Candidate], now: datetime) -> tuple[License, datetime] | None:
    """Return the license that will take over first, and when: a scheduled one, or one that outlasts the present one."""
    present = _in_force(candidates, now)
    for instant in _turns(candidates, now):
        then = _in_force(candidates, instant)
        if then is not None and then is not present:
            return then.license, instant
    return None


def _spokesman(
    records: Sequence[Record], candidates: Sequence[_Candidate], now: datetime
) -> tuple[StandingKind, License | None]:
    """Return the kind of a standing with no license in force, and the license that speaks for it."""
    started = [candidate for candidate in candidates if candidate.license.has_started(now)]
    if started:  # The latest of them has ended; nothing later has started, so nothing can have withdrawn it.
        return StandingKind.EXPIRED, started[-1].license
    if candidates:
        return StandingKind.NOT_STARTED, candidates[0].license
    elsewhere = [record for record in records if record.license]
    if elsewhere:
        return StandingKind.WRONG_INSTALLATION, max(elsewhere, key=lambda record: record.id).license
    return (StandingKind.UNVERIFIABLE if records else StandingKind.UNLICENSED), None


def _code(kind: StandingKind) -> str | None:
    if kind in (StandingKind.ACTIVE, StandingKind.GRACE):
        return None
    return "license_expired" if kind is StandingKind.EXPIRED else kind.value


def _web(kind: StandingKind, speaker: License | None) -> Usability:
    """Say whether the web application may be used, and until when or since when not."""
    until = None
    if speaker and kind is StandingKind.ACTIVE:
        until = speaker.expires
    elif speaker and kind in (StandingKind.GRACE, StandingKind.EXPIRED):
        until = speaker.grace_until
    code = _code(kind)
    return Usability(code is None, until, code)


def _desktop(web: Usability, speaker: License | None, now: datetime) -> Usability:
    """Say the same of the desktop application: it needs the web application and maintenance (rule 3.6)."""
    if speaker is None or not web.usable:
        return web
    if speaker.maintenance_expires <= now:
        return Usability(False, speaker.maintenance_expires, "maintenance_expired")
    until = speaker.maintenance_expires if web.until is None else min(web.until, speaker.maintenance_expires)
    return Usability(True, until, None)
