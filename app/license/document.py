"""The license: what a verified key grants, every claim checked against the table of design section 4.

``Verifier.verify`` is the only door from a text to a License. Whether a license is in force is not decided
here but in ``policy``: an ended license is still a license.
Pure: neither Flask nor SQLAlchemy is imported.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from app.license import key, signature
from app.license.reasons import LicenseError
from app.license.signature import TrustedKey

T = TypeVar("T")

PRODUCT = "timetracker-rx"
"""The audience (``aud``) of every license key of this product."""
EVALUATION_PREFIX = "evaluation-"
"""How the names of signing keys begin that are trusted only where ``ALLOW_EVALUATION_KEYS`` is on."""
SOON_DAYS = 30
"""So many days before a license ends people are warned of it: long enough to buy another one."""
EVALUATION_SOON_DAYS = 7
"""Likewise of an evaluation key, which holds thirty days in all and is replaced by making another."""
CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far the vendor's clock may be ahead of ours."""
SEATS_LIMIT = 1_000_000
GRACE_DAYS_LIMIT = 60
CUSTOMER_LIMIT = 200
"""The longest customer name, in characters."""
SLUG_LIMIT = 64
"""The longest name of an edition or a feature, in characters."""
LIST_LIMIT = 100
"""How many features, and how many superseded licenses, a license may name."""
_END_OF_DATES = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp())
"""Dates lie in the years 1970 to 9998: later ones, with grace and in some time zone, would leave the
calendar.
"""

_SLUG = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_REQUIRED_CLAIMS = frozenset({"iss", "aud", "jti", "sub", "iat", "nbf", "maintenance_exp", "edition", "seats"})
_OPTIONAL_CLAIMS = frozenset({"exp", "features", "installation", "trial", "grace_days", "supersedes"})


@dataclass(frozen=True, slots=True)
class License:
    """What a verified license key grants. All instants are in UTC; each end is the first instant after it."""

    number: str
    """License number, a UUID in canonical text (``jti``)."""
    fingerprint: str
    """Names the key's text without giving it away; see ``key.fingerprint``."""
    customer: str
    edition: str
    """Name of the licensed edition; it need not be installed."""
    seats: int
    features: tuple[str, ...]
    """Add-on features besides the edition's."""
    issuer: str
    issued: datetime
    starts: datetime
    expires: datetime | None
    """License Expiration Date; None for a perpetual license."""
    maintenance_expires: datetime
    """Maintenance Expiration Date."""
    grace_days: int
    """For so many times 24 hours after ``expires`` everything goes on."""
    installation: str | None
    """Id of the only installation it holds on; None where it holds on any."""
    trial: bool
    supersedes: tuple[str, ...]
    """Numbers of the earlier licenses that no longer hold once this one has started."""
    signing_key: str
    """The ``kid`` of the trusted key that has signed it."""
    evaluation: bool
    """Signed with an evaluation key, that is, not by the vendor."""
    other_claims: Mapping[str, object] = field(hash=False)
    """Claims that this version does not know; shown, never obeyed."""

    @property
    def grace_until(self) -> datetime | None:
        """First instant at which nothing goes on any more; None for a perpetual license."""
        return None if self.expires is None else self.expires + timedelta(days=self.grace_days)

    def has_started(self, now: datetime) -> bool:
        """Whether ``now`` is its start or later."""
        return self.starts <= now

    def has_ended(self, now: datetime) -> bool:
        """Whether ``now`` is its License Expiration Date or later; it may be in grace."""
        return self.expires is not None and self.expires <= now

    def is_past_grace(self, now: datetime) -> bool:
        """Whether ``now`` is the end of its grace or later."""
        return self.grace_until is not None and self.grace_until <= now

    def ends_soon(self, instant: datetime | None, now: datetime, zone: ZoneInfo) -> bool:
        """Whether people are to be warned at ``now`` that ``instant``, one of its dates, is near and still to come.

        None, the end of a perpetual license, is never near. The days are counted in ``zone``.
        """
        if instant is None or instant <= now:
            return False
        return days_left(instant, now, zone) <= (EVALUATION_SOON_DAYS if self.evaluation else SOON_DAYS)


@dataclass(frozen=True, slots=True)
class Verifier:
    """Decides whether a text is a license key that is to be believed."""

    keys: Mapping[str, TrustedKey]
    """Trusted keys by ``kid``."""
    issuer: str
    """The vendor, as ``LICENSE_ISSUER`` names it."""
    allow_evaluation_keys: bool = False

    def verify(self, text: str, now: datetime) -> License:
        """Return the License that ``text``, as it was pasted, grants; ``now`` is an aware datetime.

        Raises LicenseError and nothing else, whatever the text. An evaluation key is refused as such before
        its signature is looked at: where it is not allowed its public key is hardly ever there, and "unknown
        signing key" would send people in the wrong direction.
        """
        parsed = key.parse(key.clean(text))
        if parsed.kid.startswith(EVALUATION_PREFIX) and not self.allow_evaluation_keys:
            raise LicenseError("evaluation_key_refused")
        trusted = signature.verify(parsed, self.keys)
        return read_claims(
            parsed.claims,
            issuer=self.issuer,
            now=now,
            kid=trusted.kid,
            fingerprint=key.fingerprint(parsed.text),
        )


def read_claims(claims: Mapping[str, object], *, issuer: str, now: datetime, kid: str, fingerprint: str) -> License:
    """Return the License that verified ``claims`` grant; issuer and product are looked at first.

    Raises LicenseError ``claim_missing`` or ``claim_invalid`` (naming the claim), ``wrong_issuer``,
    ``wrong_product`` or ``issued_in_future`` (with ``issued``).
    """
    if _required(claims, "iss", _text) != issuer:
        raise LicenseError("wrong_issuer")
    if _required(claims, "aud", _text) != PRODUCT:
        raise LicenseError("wrong_product")
    granted = License(
        number=_required(claims, "jti", _uuid),
        fingerprint=fingerprint,
        customer=_required(claims, "sub", _customer),
        edition=_required(claims, "edition", _slug),
        seats=_required(claims, "seats", _whole(1, SEATS_LIMIT)),
        features=_optional(claims, "features", _list_of(_slug), ()),
        issuer=issuer,
        issued=_required(claims, "iat", _instant),
        starts=_required(claims, "nbf", _instant),
        expires=_optional(claims, "exp", _instant, None),
        maintenance_expires=_required(claims, "maintenance_exp", _instant),
        grace_days=_optional(claims, "grace_days", _whole(0, GRACE_DAYS_LIMIT), 0),
        installation=_optional(claims, "installation", _uuid, None),
        trial=_optional(claims, "trial", _flag, False),
        supersedes=_optional(claims, "supersedes", _list_of(_uuid), ()),
        signing_key=kid,
        evaluation=kid.startswith(EVALUATION_PREFIX),
        other_claims=MappingProxyType(
            {name: claims[name] for name in claims.keys() - _REQUIRED_CLAIMS - _OPTIONAL_CLAIMS}
        ),
    )
    if granted.has_ended(granted.starts):
        raise LicenseError("claim_invalid", claim="exp")
    if granted.issued > now + CLOCK_TOLERANCE:
        raise LicenseError("issued_in_future", issued=granted.issued)
    return granted


@dataclass(frozen=True, slots=True)
class LastDay:
    """The last day on which something holds, as people write an expiry."""

    day: date
    time: time | None
    """Local time at which it ends on that day; None where it holds through the end of the day."""


def last_day(instant: datetime, zone: ZoneInfo) -> LastDay:
    """Return the last day in ``zone`` on which something holds that ends at ``instant``.

    An end at midnight belongs to the day before. So does one at the first instant of a day that a change to
    summer time lets begin at one o'clock.
    """
    last = (instant - datetime.resolution).astimezone(zone)
    end = instant.astimezone(zone)
    return LastDay(last.date(), end.time() if end.date() == last.date() else None)


def days_left(instant: datetime, now: datetime, zone: ZoneInfo) -> int:
    """Return the whole days in ``zone`` from today to the last day of what ends at ``instant``.

    0 means that it ends today, a negative number that it has ended.
    """
    return (last_day(instant, zone).day - now.astimezone(zone).date()).days


def _required(claims: Mapping[str, object], name: str, read: Callable[[object], T | None]) -> T:
    """Return the claim ``name`` as ``read`` understands it, which answers None to what is not permitted."""
    if name not in claims:
        raise LicenseError("claim_missing", claim=name)
    value = read(claims[name])
    if value is None:
        raise LicenseError("claim_invalid", claim=name)
    return value


def _optional(claims: Mapping[str, object], name: str, read: Callable[[object], T | None], default: T) -> T:
    return _required(claims, name, read) if name in claims else default


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _customer(value: object) -> str | None:
    if not isinstance(value, str) or not 1 <= len(value) <= CUSTOMER_LIMIT:
        return None
    return None if any(unicodedata.category(character) == "Cc" for character in value) else value


def _slug(value: object) -> str | None:
    if isinstance(value, str) and len(value) <= SLUG_LIMIT and _SLUG.fullmatch(value):
        return value
    return None


def _uuid(value: object) -> str | None:
    """Canonical text only (RFC 9562, section 4, in lower case), so that equal numbers are equal texts."""
    try:
        return value if isinstance(value, str) and str(UUID(value)) == value else None
    except ValueError:
        return None


def _whole(least: int, most: int) -> Callable[[object], int | None]:
    """A reader of whole numbers from ``least`` to ``most``; True is no number, and neither is 1.0."""

    def read(value: object) -> int | None:
        return value if type(value) is int and least <= value <= most else None

    return read


def _instant(value: object) -> datetime | None:
    """A NumericDate (RFC 7519, section 2) in whole seconds."""
    seconds = _whole(0, _END_OF_DATES - 1)(value)
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _list_of(read_item: Callable[[object], str | None]) -> Callable[[object], tuple[str, ...] | None]:
    """A reader of lists of at most ``LIST_LIMIT`` items, none of them twice."""

    def read(value: object) -> tuple[str, ...] | None:
        if not isinstance(value, list) or len(value) > LIST_LIMIT:
            return None
        items = tuple(item for item in map(read_item, value) if item is not None)
        return items if len(set(items)) == len(value) else None

    return read
