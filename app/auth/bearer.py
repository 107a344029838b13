"""The texts of tokens: made, and recognised in the header ``Authorization: Bearer`` (RFC 6750, section 2.1).

A personal token is ``ttrx_`` and 256 random bits, so that scanners for leaked secrets can tell it. A device token is
such a secret signed with the installation's secret key under a salt of its own; nothing that was signed for another
purpose is one, and what was never signed costs no statement.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass, field

from flask import current_app, request
from itsdangerous import BadData, URLSafeSerializer

from app.config import Settings
from app.security import Credential

_PERSONAL = re.compile(r"ttrx_[A-Za-z0-9_-]{43}")
_LONGEST = 200
"""Characters; a device token has about 80."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that has just been made; its text is shown once."""

    text: str = field(repr=False)
    hash: bytes = field(repr=False)


def new_token(credential: Credential) -> NewToken:
    """Make a token of this kind."""
    secret = secrets.token_urlsafe(32)
    if credential is Credential.API_TOKEN:
        text = f"ttrx_{secret}"
        return NewToken(text, _hash(text))
    return NewToken(str(_signer().dumps(secret)), _hash(secret))


def is_brought() -> bool:
    """Whether the request brings any bearer token."""
    return _brought() is not None


def brought_hash(credential: Credential) -> bytes | None:
    """The hash by which the token that the request brings is looked up; None where it brings none of this kind."""
    text = _brought()
    if text is None or len(text) > _LONGEST:
        return None
    if credential is Credential.API_TOKEN:
        return _hash(text) if _PERSONAL.fullmatch(text) else None
    try:
        secret = _signer().loads(text)
    except BadData:
        return None
    # Base64 is read with padding and other last letters too; a token has one text.
    return _hash(secret) if isinstance(secret, str) and _signer().dumps(secret) == text else None


def _brought() -> str | None:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    return text.strip() if scheme.lower() == "bearer" and text.strip() else None


def _hash(text: str) -> bytes:
    """SHA-256: the text has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(text.encode()).digest()


def _signer() -> URLSafeSerializer:
    settings: Settings = current_app.extensions["settings"]
    return URLSafeSerializer(settings.secret_key or "", salt="device-token")
