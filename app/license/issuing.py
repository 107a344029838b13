"""The vendor's side: making signing keys and issuing license keys, offline and without a database.

A key that is issued has been verified by the very code that will verify it where it is registered, so nothing
can be issued that would be refused there. Nothing is read from or written to disk here.
Pure: neither Flask nor SQLAlchemy is imported.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from app.license.document import PRODUCT, Verifier, read_claims
from app.license.reasons import REASONS
from app.license.signature import KID, TrustedKey, UnfitKeyError, require_strength
from app.refusal import Refusal

BITS_WHEN_MADE = 3072
"""The smallest RSA modulus of a new signing key: 128 bits of security (NIST SP 800-57 part 1, table 2)."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A signing key of the vendor with its public half."""

    private_key: rsa.RSAPrivateKey

    def private_pem(self, passphrase: bytes | None = None) -> bytes:
        """Return the private key in PEM (PKCS #8), encrypted if there is a passphrase."""
        encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
        return self.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)

    def public_pem(self) -> bytes:
        """Return the public key in PEM, as ``signature.load_trusted_keys`` reads it."""
        return self.private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@dataclass(frozen=True, slots=True)
class IssueRequest:
    """What a license key is to say. Instants are aware; fractions of a second are dropped."""

    customer: str
    edition: str
    seats: int
    starts: datetime
    expires: datetime | None
    """First instant at which it no longer holds; None for a perpetual license."""
    maintenance_expires: datetime
    features: tuple[str, ...] = ()
    installation: str | None = None
    trial: bool = False
    grace_days: int = 0
    supersedes: tuple[str, ...] = ()
    issuer: str = "timetracker-rx"
    number: str | None = None
    """License number; None for a new random one."""


def make_key_pair(bits: int = BITS_WHEN_MADE) -> KeyPair:
    """Make an RSA key pair of so many bits; raises ValueError below ``BITS_WHEN_MADE``."""
    if bits < BITS_WHEN_MADE:
        raise ValueError(f"a signing key has at least {BITS_WHEN_MADE} bits")
    return KeyPair(rsa.generate_private_key(public_exponent=65537, key_size=bits))


def load_private_key(pem: bytes, passphrase: bytes | None = None) -> rsa.RSAPrivateKey:
    """Read a private key in PEM; raises Refusal ``private_key_unusable``, for a wrong passphrase too."""
    try:
        private_key = load_pem_private_key(pem, passphrase)
        require_strength(private_key.public_key())
    except (ValueError, TypeError, UnsupportedAlgorithm, UnfitKeyError):
        private_key = None
    if not isinstance(private_key, rsa.RSAPrivateKey):
        raise Refusal(REASONS["private_key_unusable"])
    return private_key


def require_kid(kid: str) -> str:
    """Return ``kid`` if a signing key may be called so; raises Refusal ``kid_invalid``."""
    if not KID.fullmatch(kid):
        raise Refusal(REASONS["kid_invalid"])
    return kid


def check(request: IssueRequest, now: datetime) -> None:
    """Look at what is asked for as the verifier will, before a private key is read or a passphrase asked for.

    Raises LicenseError ``claim_invalid``, naming the claim.
    """
    read_claims(_claims(request, now), issuer=request.issuer, now=now, kid="", fingerprint="")


def issue(request: IssueRequest, private_key: rsa.RSAPrivateKey, kid: str, now: datetime) -> str:
    """Return the license key that says what ``request`` asks for, issued at ``now`` and signed as ``kid``.

    Raises Refusal ``kid_invalid``, and the LicenseError with which the key would be refused where it is
    registered, such as ``claim_invalid``.
    """
    text = jwt.encode(
        _claims(request, now),
        private_key,
        algorithm="RS256",
        headers={"kid": require_kid(kid), "typ": "license+jwt"},
    )
    trusted = TrustedKey(kid, "RS256", private_key.public_key())
    Verifier({kid: trusted}, request.issuer, allow_evaluation_keys=True).verify(text, now)
    return text


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return, in UTC, the first instant after ``day`` in ``zone``: what "through the end of that day" means.

    Where a change to summer time skips midnight, that is the first instant of the next day all the same (PEP
    495: the offset before the change applies). On the last days of the calendar it is the last instant there
    is, which no license accepts.
    """
    try:
        return datetime.combine(day + timedelta(days=1), time.min, zone).astimezone(UTC)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def _claims(request: IssueRequest, now: datetime) -> dict[str, object]:
    """Return the claims of design section 4; optional ones appear only where they say something."""
    optional: dict[str, object] = {
        "exp": None if request.expires is None else int(request.expires.timestamp()),
        "features": list(request.features) or None,
        "installation": request.installation,
        "trial": request.trial or None,
        "grace_days": request.grace_days or None,
        "supersedes": list(request.supersedes) or None,
    }
    return {
        "iss": request.issuer,
        "aud": PRODUCT,
        "jti": request.number or str(uuid4()),
        "sub": request.customer,
        "iat": int(now.timestamp()),
        "nbf": int(request.starts.timestamp()),
        "maintenance_exp": int(request.maintenance_expires.timestamp()),
        "edition": request.edition,
        "seats": request.seats,
    } | {name: value for name, value in optional.items() if value is not None}
