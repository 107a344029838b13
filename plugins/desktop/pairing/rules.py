"""The codes of pairing (RFC 8628): made, read as people type them, and what is refused. Pure but for chance."""

import hashlib
import re
import secrets
import unicodedata
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from app.sdk import N_, Reason

CLIENT_ID = "timetracker-desktop"
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"
VALID_FOR = timedelta(minutes=10)
FETCHED_WITHIN = timedelta(minutes=1)
"""How long a confirmed device may take to fetch its token."""
INTERVAL = timedelta(seconds=5)
"""From one question of a device to the next; each question that comes too early adds as much (RFC 8628, 3.5)."""
NAME_LENGTH = 100

_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
"""Consonants, as RFC 8628, 6.1, has it: easy to type, and no word by chance."""
_CODE_LENGTH = 8
_NOT_OF_CODE = re.compile(r"[^A-Z]")

CODE_UNKNOWN = Reason(
    "pairing_code_unknown",
    N_("No device is waiting with this code."),
    N_("Type what the desktop application shows, or begin anew there: a code is good for ten minutes."),
    status=404,
)
NAME_INVALID = Reason(
    "device_name_invalid",
    N_("A device has a name of 1 to %(limit)s printable characters."),
    N_("Give it another name."),
)


class PairingState(StrEnum):
    """Where a pairing is."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    DENIED = "denied"


class OauthError(StrEnum):
    """What a device is told in place of a token (RFC 8628, 3.5, and RFC 6749, 5.2)."""

    AUTHORIZATION_PENDING = "authorization_pending"
    SLOW_DOWN = "slow_down"
    ACCESS_DENIED = "access_denied"
    EXPIRED_TOKEN = "expired_token"  # noqa: S105 - the name of an error
    INVALID_GRANT = "invalid_grant"
    INVALID_CLIENT = "invalid_client"
    INVALID_REQUEST = "invalid_request"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"


@dataclass(frozen=True, slots=True)
class Codes:
    """The two codes of a pairing; of both the hash alone is stored."""

    device_code: str = field(repr=False)
    user_code: str = field(repr=False)
    """As people read it: two groups of four letters."""


def new_codes() -> Codes:
    """Make them: 256 bits for the device, and 34 for people, which are good for ten minutes and slowed down."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
    return Codes(secrets.token_urlsafe(32), shown_code(letters))


def shown_code(letters: str) -> str:
    """The letters of a code in two groups, as a device shows them."""
    return f"{letters[: _CODE_LENGTH // 2]}-{letters[_CODE_LENGTH // 2 :]}"


def hash_of(code: str) -> bytes:
    """SHA-256 of a code."""
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).digest()


def hash_of_typed(user_code: str) -> bytes:
    """The hash of a code as somebody has typed it: in small letters, full width, with spaces or without the hyphen."""
    return hash_of(plain_code(user_code))


def plain_code(user_code: str) -> str:
    """The letters of a code alone; what is looked up and hashed."""
    return _NOT_OF_CODE.sub("", unicodedata.normalize("NFKC", user_code[:64]).upper())


def is_device_name(name: str) -> bool:
    """Whether a device may be called so."""
    return 1 <= len(name) <= NAME_LENGTH and name.isprintable() and name == name.strip()
