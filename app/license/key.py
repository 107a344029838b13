"""From the text that is pasted to header and claims, strictly, before anything in it is believed.

``clean`` undoes what mail programs, chat windows and forms do to a license key (design section 3, rule 2).
``parse`` then accepts one spelling only (design section 4): the compact serialisation of RFC 7515 with
canonical base64url (RFC 4648, section 3.5) and JSON without its liberties (RFC 8259, section 4; RFC 8725,
section 2.4).

Every step takes linear time and the text is bounded first, so that no text is expensive to refuse.
Pure: neither Flask nor SQLAlchemy is imported.
"""

import base64
import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from app.license.reasons import LicenseError

KEY_LIMIT = 16 * 1024
"""The longest license key, in characters after the clean-up."""
RAW_LIMIT = 4 * KEY_LIMIT
"""The longest text that is cleaned at all, in characters; leaves room for line breaks and reply marks."""
DEPTH_LIMIT = 16
"""How deep header and claims may nest; the claims of today need two levels."""

_INVISIBLE = re.compile("[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]+")
_REPLY_MARKS = re.compile(r"^[\s>]+", re.MULTILINE)
_SOFT_BREAK = re.compile(r"=[^\S\n]*(?=\n)")
_ARMOUR = re.compile(r"-----(?:BEGIN|END)\s[A-Z0-9\s]{1,64}?-----")
_QUOTES = "\"'`´“”„‟‘’‚‛«»‹›「」『』＂＇"  # noqa: RUF001 - these are the quotes that people paste
_BEARER = re.compile(rf"\A[\s{re.escape(_QUOTES)}]*bearer[\s:]+", re.IGNORECASE)

_GRAMMAR = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+){2}")


@dataclass(frozen=True, slots=True)
class ParsedKey:
    """A license key that is well formed; nothing in it is verified yet.

    The key is a bearer secret, so its text and signature stay out of ``repr`` and thereby out of logs.
    """

    text: str = field(repr=False)
    """The cleaned text."""
    header: Mapping[str, object]
    """Exactly ``alg`` ("RS256"), ``kid`` (a text that is not empty) and ``typ`` ("license+jwt")."""
    claims: Mapping[str, object]
    """The claims as JSON has them; typed by ``document.read_claims`` only after the signature is verified."""
    signing_input: bytes = field(repr=False)
    """What the signature covers (RFC 7515, section 5.1)."""
    signature: bytes = field(repr=False)

    @property
    def kid(self) -> str:
        """Which signing key the license key says it was signed with."""
        return str(self.header["kid"])


def clean(text: str) -> str:
    """Return ``text`` without what mail programs, issuing tools and careful copying add to a key.

    That is: white space of any kind anywhere, invisible format characters, reply marks (``> ``) at the start
    of lines, soft breaks (``=`` at the end of a line that is not the last), BEGIN and END lines, a ``Bearer``
    word and surrounding quotes. A well-formed key comes back as it is. A text over ``RAW_LIMIT`` also does:
    it is refused for its length, so cleaning it would only cost time. Never fails.
    """
    if len(text) > RAW_LIMIT:
        return text
    text = "\n".join(_INVISIBLE.sub("", text).strip().splitlines())
    for ornament in (_REPLY_MARKS, _SOFT_BREAK, _ARMOUR, _BEARER):
        text = ornament.sub("", text)
    return "".join(text.split()).strip(_QUOTES)


def fingerprint(text: str) -> str:
    """Return the first 12 hexadecimal digits of the SHA-256 of a license key, in lower case, which name it.

    The text is cleaned first, so that one key has one fingerprint however it was pasted. Never fails.
    """
    return hashlib.sha256(clean(text).encode("utf-8", "surrogatepass")).hexdigest()[:12]


def parse(text: str) -> ParsedKey:
    """Take the cleaned ``text`` of a license key apart.

    Raises LicenseError ``empty``, ``too_long``, ``malformed`` or ``unsupported_algorithm``, and nothing else.
    """
    if not text:
        raise LicenseError("empty")
    if len(text) > KEY_LIMIT:
        raise LicenseError("too_long")
    if not _GRAMMAR.fullmatch(text):
        raise LicenseError("malformed")
    header, claims, signature = (_decode(part) for part in text.split("."))
    return ParsedKey(
        text=text,
        header=_checked_header(_read_object(header)),
        claims=_read_object(claims),
        signing_input=text.rpartition(".")[0].encode("ascii"),
        signature=signature,
    )


def _decode(part: str) -> bytes:
    """Decode base64url without padding; spare bits must be zero, so that one key has one text."""
    try:
        decoded = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        raise LicenseError("malformed") from None
    if base64.urlsafe_b64encode(decoded).rstrip(b"=") != part.encode("ascii"):
        raise LicenseError("malformed")
    return decoded


def _read_object(data: bytes) -> Mapping[str, object]:
    """Read a JSON object in UTF-8: no BOM, name twice, NaN, infinity or lone surrogate, and bounded depth."""
    try:
        value: object = json.loads(
            data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse, parse_float=_finite
        )
        _check(value, DEPTH_LIMIT)
    except (ValueError, RecursionError):
        raise LicenseError("malformed") from None
    if not isinstance(value, dict):
        raise LicenseError("malformed")
    return value


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise ValueError("a name appears twice")
    return names


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError("a number is out of range")
    return value


def _check(value: object, levels: int) -> None:
    """Raise ValueError where ``value`` nests deeper than ``levels`` or holds a lone surrogate."""
    if not levels:
        raise ValueError("nested too deep")
    if isinstance(value, str):
        value.encode("utf-8")
    elif isinstance(value, dict):
        for name, member in value.items():
            name.encode("utf-8")
            _check(member, levels - 1)
    elif isinstance(value, list):
        for member in value:
            _check(member, levels - 1)


def _checked_header(header: Mapping[str, object]) -> Mapping[str, object]:
    """Accept one header only: ``crit``, ``jwk``, ``jku``, ``x5u``, ``b64`` and all others refuse the key."""
    if header.get("alg") != "RS256":
        raise LicenseError("unsupported_algorithm")
    if header.keys() != {"alg", "kid", "typ"} or header["typ"] != "license+jwt":
        raise LicenseError("malformed")
    if not isinstance(header["kid"], str) or not header["kid"]:
        raise LicenseError("malformed")
    return header
