"""How long the most expensive text takes that somebody can put into the field for a license key."""

import base64
import json
import statistics
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from app.license.document import Verifier
from app.license.key import KEY_LIMIT, RAW_LIMIT
from app.license.reasons import LicenseError
from app.license.signature import load_trusted_keys
from benchmarks.ground import KID, Ground
from benchmarks.measure import Result, seconds

TARGET_MS = 50.0
MEGABYTE = 1_000_000
REPETITIONS = 5


def measure(ground: Ground, *, quick: bool) -> Iterator[Result]:
    """The worst of the corpus; each text counts with the median of its repetitions."""
    verifier = Verifier(load_trusted_keys(ground.keys).keys, "timetracker-rx")
    now = datetime.now(UTC)

    def refuse(text: str) -> None:
        try:
            verifier.verify(text, now)
        except LicenseError:
            return
        raise AssertionError("a hostile key was accepted")

    taken = {
        name: statistics.median(seconds(partial(refuse, text)) for _ in range(3 if quick else REPETITIONS))
        for name, text in hostile_keys(ground).items()
    }
    worst = max(taken, key=lambda name: taken[name])
    times = sorted(1000 * value for value in taken.values())
    yield Result(
        "verifying the worst hostile key",
        times[-1],
        times[0],
        times[-1],
        "ms",
        TARGET_MS,
        at_least=False,
        note=f"of {len(taken)}: {worst}",
    )


def hostile_keys(ground: Ground) -> Mapping[str, str]:
    """Texts that are meant to be expensive, by what they are."""
    header = _part(json.dumps({"alg": "RS256", "kid": KID, "typ": "license+jwt"}).encode())
    junk = _part(b"{}") + "."
    room = KEY_LIMIT - len(header) - 400
    body_bytes = room * 3 // 4 - 10
    return {
        "1 MB of letters": "A" * MEGABYTE,
        "1 MB of dots": "." * MEGABYTE,
        "1 MB of white space": " \n\t" * (MEGABYTE // 3),
        "1 MB of reply marks": "> " * (MEGABYTE // 2),
        "1 MB of emoji": "\U0001f512" * (MEGABYTE // 4),
        "dots": "." * RAW_LIMIT,
        "two dots among many": "a." * (RAW_LIMIT // 2),
        "white space": " \n\t" * (RAW_LIMIT // 3),
        "reply marks": "\n> > > " * (RAW_LIMIT // 7),
        "reply marks in one line": "> " * (RAW_LIMIT // 2),
        "soft breaks": "=  \n" * (RAW_LIMIT // 4),
        "equals signs and blanks": "=" + " " * (RAW_LIMIT - 2) + "a",
        "blanks behind equals signs": ("=" + " " * 250) * (RAW_LIMIT // 251),
        "opened armour": "-----BEGIN " * (RAW_LIMIT // 11),
        "armour with blanks": "-----BEGIN " + "A " * (RAW_LIMIT // 2 - 20),
        "armour lines": "-----BEGIN A-----\n" * (RAW_LIMIT // 18),
        "quotes": "\"'`" * (RAW_LIMIT // 3),
        "quotes before bearer": '"' * (RAW_LIMIT - 10) + "bearer ",
        "bearers": "bearer " * (RAW_LIMIT // 7),
        "invisible characters": "\u200b\u00ad\ufeff" * (RAW_LIMIT // 3),
        "invisible among visible": "a\u200b" * (RAW_LIMIT // 2),
        "line separators": "\u2028\u0085\x0b" * (RAW_LIMIT // 3),
        "lone surrogates": "\ud800" * RAW_LIMIT,
        "full-width letters": "\uff21" * KEY_LIMIT,
        "combining characters": "a" + "\u0301" * (KEY_LIMIT - 1),
        "no dots, 16 kB": "A" * KEY_LIMIT,
        "dots in the end": "A" * (KEY_LIMIT - 2) + "..",
        "deep lists": f"{header}.{_part(b'[' * body_bytes)}.AA",
        "deep lists, closed": f"{header}.{_part(b'[' * (body_bytes // 2) + b']' * (body_bytes // 2))}.AA",
        "deep objects": header + "." + _part(b'{"a":' * (body_bytes // 5)) + ".AA",
        "deep header": f"{_part(b'[' * body_bytes)}.{junk}AA",
        "huge integer": _signed(ground, header, b'{"seats":' + b"9" * (body_bytes - 20) + b"}"),
        "many integers": _signed(ground, header, b'{"a":[' + b"9" * 4000 + b"," + b"8" * 4000 + b"]}"),
        "huge exponent": _signed(ground, header, b'{"exp":1e' + b"9" * 300 + b"}"),
        "long fraction": _signed(ground, header, b'{"exp":1.' + b"9" * (body_bytes - 20) + b"}"),
        "one name a thousand times": _signed(ground, header, b"{" + b'"a":1,' * (body_bytes // 6 - 2) + b'"a":1}'),
        "two thousand claims": _signed(ground, header, _claims(body_bytes)),
        "escapes": _signed(ground, header, b'{"sub":"' + b"\\u0041" * (body_bytes // 6 - 4) + b'"}'),
        "surrogates in escapes": _signed(ground, header, b'{"sub":"' + b"\\ud800" * (body_bytes // 6 - 4) + b'"}'),
        "backslashes": header + "." + _part(b'{"a":"' + b"\\" * (body_bytes - 10)) + ".AA",
        "not UTF-8": f"{header}.{_part(bytes([255]) * body_bytes)}.AA",
        "many features": _signed(ground, header, b'{"features":[' + b'"a",' * (body_bytes // 4 - 8) + b'"a"]}'),
        "long signature": f"{header}.{_part(b'{}')}.{_part(b'x' * body_bytes)}",
        "wrong signature": f"{header}.{_part(b'{}')}.{_part(b'x' * 384)}",
        "unknown signing key": _part(json.dumps({"alg": "RS256", "kid": "x" * 9_000, "typ": "license+jwt"}).encode())
        + f".{_part(b'{}')}.AA",
        "path as signing key": _part(
            json.dumps({"alg": "RS256", "kid": "../" * 3_000 + "etc/passwd", "typ": "license+jwt"}).encode()
        )
        + f".{_part(b'{}')}.AA",
    }


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _claims(size: int) -> bytes:
    claims = {f"c{number}": number for number in range(size // 16)}
    return json.dumps(claims, separators=(",", ":")).encode()


def _signed(ground: Ground, header: str, payload: bytes) -> str:
    """Signed by the vendor, so that what comes behind the signature is reached."""
    text = f"{header}.{_part(payload)}"
    return f"{text}.{_part(ground.private_key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"
