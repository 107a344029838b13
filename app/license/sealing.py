"""Carries a license key from the preview to its confirmation without storing it and without showing it.

The key's text is a bearer secret. It travels in the form encrypted (Fernet: AES-128-CBC with HMAC-SHA-256), with a key
that is derived from the installation's secret and the session, so that no other session can use what a page was given.
"""

import base64
from datetime import timedelta

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

LIFETIME = timedelta(hours=1)


def _fernet(secret_key: str, session_token: str) -> Fernet:
    derivation = HKDF(SHA256(), length=32, salt=session_token.encode(), info=b"timetracker-rx license preview")
    return Fernet(base64.urlsafe_b64encode(derivation.derive(secret_key.encode())))


def seal(key_text: str, *, secret_key: str, session_token: str) -> str:
    """Encrypt ``key_text`` for the session that is shown the preview."""
    return _fernet(secret_key, session_token).encrypt(key_text.encode("utf-8", "replace")).decode()


def unseal(sealed: str, *, secret_key: str, session_token: str) -> str | None:
    """Return the key's text; None where the seal is broken, older than an hour, or of another session."""
    try:
        text = _fernet(secret_key, session_token).decrypt(
            sealed.encode("ascii", "replace"), int(LIFETIME.total_seconds())
        )
    except InvalidToken:
        return None
    return text.decode()
