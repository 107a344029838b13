"""Carries a secret through a form, from a question to its confirmation, without storing it and without showing it.

A license key's text is a bearer secret, and so is a new user's first password. It travels encrypted (Fernet:
AES-128-CBC with HMAC-SHA-256), with a key that is derived from the installation's secret, the session and the purpose:
no other session, and no other form, can use what a page was given.
"""

import base64
from datetime import timedelta

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app

from app.auth.identity import Identity
from app.config import Settings

LIFETIME = timedelta(hours=1)


def seal(secret: str, *, purpose: str, identity: Identity) -> str:
    """Encrypt ``secret`` for the session of ``identity`` and for ``purpose``, such as ``license preview``."""
    return _fernet(purpose, identity).encrypt(secret.encode("utf-8", "replace")).decode()


def unseal(sealed: str, *, purpose: str, identity: Identity) -> str | None:
    """Return the secret; None where the seal is broken, older than an hour, of another session or purpose."""
    try:
        secret = _fernet(purpose, identity).decrypt(sealed.encode("ascii", "replace"), int(LIFETIME.total_seconds()))
    except InvalidToken:
        return None
    return secret.decode()


def _fernet(purpose: str, identity: Identity) -> Fernet:
    settings: Settings = current_app.extensions["settings"]
    derivation = HKDF(SHA256(), length=32, salt=identity.token.encode(), info=f"timetracker-rx {purpose}".encode())
    return Fernet(base64.urlsafe_b64encode(derivation.derive((settings.secret_key or "").encode())))
