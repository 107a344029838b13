"""Issues license keys for tests, with signing keys that are made once per process."""

import base64
import functools
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from app.license.document import License, Verifier, read_claims
from app.license.issuing import KeyPair
from app.license.signature import TrustedKey

NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
"""The day of the mock pages: Thursday, noon in Tokyo."""
KID = "vendor-2026"
ISSUER = "timetracker-rx"
NUMBER = "7b3e09c4-51f2-4c8e-9a6d-20b7f4e1d833"
INSTALLATION = "1f0c2f5e-6d0e-4a51-8f43-0c5f6f0b8a11"

_RS256 = RSAAlgorithm(RSAAlgorithm.SHA256)


def key_pair(name: str = KID) -> KeyPair:
    """Return the key pair of that name; of 2048 bits, which are accepted and quickly made."""
    return _made(name)


@functools.cache
def _made(name: str) -> KeyPair:  # noqa: ARG001 - the cache tells the names apart
    return KeyPair(rsa.generate_private_key(public_exponent=65537, key_size=2048))


def trusted_keys(*kids: str) -> Mapping[str, TrustedKey]:
    """Return the public keys of these names, of ``KID`` where none is named."""
    return {kid: TrustedKey(kid, "RS256", key_pair(kid).private_key.public_key()) for kid in kids or (KID,)}


def verifier(*kids: str, allow_evaluation_keys: bool = False) -> Verifier:
    """Return a verifier that trusts the keys of these names."""
    return Verifier(trusted_keys(*kids), ISSUER, allow_evaluation_keys=allow_evaluation_keys)


def timestamp(instant: datetime) -> int:
    """Return the NumericDate of ``instant``."""
    return int(instant.timestamp())


def claims(**changes: object) -> dict[str, object]:
    """Return claims that are accepted, with ``changes``; a claim whose value is ``...`` is left out."""
    standard: dict[str, object] = {
        "iss": ISSUER,
        "aud": "timetracker-rx",
        "jti": NUMBER,
        "sub": "Kitamura Precision Co., Ltd.",
        "iat": timestamp(NOW - timedelta(days=1)),
        "nbf": timestamp(NOW - timedelta(hours=3)),
        "exp": timestamp(NOW + timedelta(days=125)),
        "maintenance_exp": timestamp(NOW + timedelta(days=66)),
        "edition": "standard",
        "seats": 50,
    }
    return {name: value for name, value in (standard | changes).items() if value is not ...}


def base64url(data: bytes) -> str:
    """Return base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(header: bytes, payload: bytes, name: str = KID) -> str:
    """Return a signed text of exactly these bytes, which need not be JSON."""
    signing_input = f"{base64url(header)}.{base64url(payload)}"
    return f"{signing_input}.{base64url(_RS256.sign(signing_input.encode(), key_pair(name).private_key))}"


def encode_key(claims: Mapping[str, object], *, kid: str = KID, **header: object) -> str:
    """Return a key with exactly these claims; ``header`` changes and adds members, and ``...`` omits one."""
    members = {"alg": "RS256", "kid": kid, "typ": "license+jwt"} | header
    kept = {name: value for name, value in members.items() if value is not ...}
    return sign(json.dumps(kept).encode(), json.dumps(claims).encode(), kid or KID)


def issue_key(*, kid: str = KID, **changes: object) -> str:
    """Return a license key with the claims of ``claims(**changes)``; instants may be given as datetimes."""
    plain = {name: timestamp(value) if isinstance(value, datetime) else value for name, value in changes.items()}
    return encode_key(claims(**plain), kid=kid)


def license_number(index: int) -> str:
    """Return a license number of its own for each ``index``."""
    return str(UUID(int=index, version=4))


def read(**changes: object) -> License:
    """Return the license of ``claims(**changes)`` without a signature, as the verifier would read it at ``NOW``."""
    return read_claims(claims(**changes), issuer=ISSUER, now=NOW, kid=KID, fingerprint="0" * 12)
