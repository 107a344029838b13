"""What registering a license key would change: old beside new, and what that means for people.

Nothing is stored and nothing is decided here; ``policy`` is asked what the standing is now and what it would
be.
Pure: neither Flask nor SQLAlchemy is imported.
"""

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.license.document import License
from app.license.policy import Record, Standing, StandingKind, evaluate, takes_effect, with_candidate

ChangeValue = str | int | datetime | tuple[str, ...] | None

_COMPARABLE = (StandingKind.ACTIVE, StandingKind.GRACE, StandingKind.SEATS_EXCEEDED, StandingKind.EXPIRED)


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the comparison; lines that stay the same are shown too."""

    what: str
    """``edition``, ``seats``, ``license_expires``, ``maintenance_expires``, ``features`` (add-ons) or
    ``starts``.
    """
    old: ChangeValue
    """None where there is no license to compare with, and for a license that is perpetual."""
    new: ChangeValue
    worse: bool
    """Whether somebody may miss what was there before, so that it is to be confirmed."""

    @property
    def changed(self) -> bool:
        """Whether old and new differ."""
        return self.old != self.new


@dataclass(frozen=True, slots=True)
class Preview:
    """What a verified license key would do if it were registered."""

    candidate: License
    old: Standing
    """The standing as it is."""
    new: Standing
    """The standing at once after the registration."""
    at_start: Standing
    """The standing when the candidate comes into force; equal to ``new`` where that is at once."""
    starts_at: datetime
    """First instant at which the candidate is in force; now, where that is at once."""
    starts_later: bool
    """Whether it comes into force later than now, by itself."""
    changes: tuple[Change, ...]
    """In the order in which they are shown."""
    features_gained: tuple[str, ...]
    """Features of edition and add-ons together, sorted."""
    features_lost: tuple[str, ...]
    locked_out: int
    """Members who can work now and cannot once the candidate is in force."""
    users_to_delete: int
    """How many users would be too many for the candidate's seats."""
    edition_known: bool
    """Whether the candidate's edition is installed; if not, ``edition_unknown`` is the warning to show."""

    @property
    def needs_confirmation(self) -> bool:
        """Whether registering takes a second step: somebody is locked out, or something gets worse."""
        return self.locked_out > 0 or any(change.worse for change in self.changes)

    @property
    def digest(self) -> str:
        """SHA-256 in hexadecimal over all that is shown, to notice what changes before the confirmation."""
        shown = (
            self.candidate.fingerprint,
            self.old.license and self.old.license.fingerprint,
            [(it.kind.value, it.excess, it.free) for it in (self.old, self.new, self.at_start)],
            self.old.registered_users,
            self.starts_at if self.starts_later else None,
            self.changes,
            self.features_gained,
            self.features_lost,
            self.locked_out,
            self.users_to_delete,
            self.edition_known,
        )
        return hashlib.sha256(repr(shown).encode()).hexdigest()


def build(
    candidate: License,
    records: Sequence[Record],
    *,
    installation: str,
    registered_users: int,
    system_administrators: int,
    now: datetime,
    features_of: Callable[[str], frozenset[str]],
    known_editions: Collection[str],
) -> Preview:
    """Return what registering ``candidate`` beside ``records`` at ``now`` (aware) would change.

    ``features_of`` answers the features of an edition by its name, none for an unknown one;
    ``system_administrators`` are counted in ``registered_users`` too. Raises LicenseError
    ``older_than_registered`` as ``policy.admit`` does.
    """

    def standing(records: Sequence[Record], instant: datetime) -> Standing:
        return evaluate(records, installation=installation, registered_users=registered_users, now=instant)

    starts_at = takes_effect(candidate, records, installation=installation, now=now)
    after = with_candidate(records, candidate, now)
    old, at_start = standing(records, now), standing(after, starts_at)
    before = old.license if old.kind in _COMPARABLE else None
    features_before = _all_features(before, features_of)
    features_after = _all_features(candidate, features_of)
    lost = tuple(sorted(features_before - features_after))
    shuts_out = old.web.usable and not at_start.web.usable
    return Preview(
        candidate=candidate,
        old=old,
        new=standing(after, now),
        at_start=at_start,
        starts_at=starts_at,
        starts_later=starts_at > now,
        changes=_changes(before, candidate, loses_features=bool(lost), later=starts_at > now),
        features_gained=tuple(sorted(features_after - features_before)),
        features_lost=lost,
        locked_out=registered_users - system_administrators if shuts_out else 0,
        users_to_delete=at_start.excess,
        edition_known=candidate.edition in known_editions,
    )


def _all_features(granted: License | None, features_of: Callable[[str], frozenset[str]]) -> frozenset[str]:
    return features_of(granted.edition).union(granted.features) if granted else frozenset()


def _changes(before: License | None, after: License, *, loses_features: bool, later: bool) -> tuple[Change, ...]:
    """Compare line by line; where there is nothing to compare with, only a later start is worse."""
    starts = Change("starts", before.starts if before else None, after.starts, later)
    if before is None:
        return (
            Change("edition", None, after.edition, False),
            Change("seats", None, after.seats, False),
            Change("license_expires", None, after.expires, False),
            Change("maintenance_expires", None, after.maintenance_expires, False),
            Change("features", None, after.features, False),
            starts,
        )
    return (
        Change("edition", before.edition, after.edition, before.edition != after.edition),
        Change("seats", before.seats, after.seats, after.seats < before.seats),
        Change("license_expires", before.expires, after.expires, _nearer(before.expires, after.expires)),
        Change(
            "maintenance_expires",
            before.maintenance_expires,
            after.maintenance_expires,
            after.maintenance_expires < before.maintenance_expires,
        ),
        Change("features", before.features, after.features, loses_features),
        starts,
    )


def _nearer(old: datetime | None, new: datetime | None) -> bool:
    """Whether the end ``new`` comes before the end ``old``; None is never."""
    return new is not None and (old is None or new < old)
