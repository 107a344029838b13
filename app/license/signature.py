"""Who is trusted to sign license keys, and whether one of them has signed this one.

Which algorithm a key serves is a property of the stored key, never of the license key (RFC 8725, section
3.1), and a ``kid`` is only ever looked up among the keys that were loaded, never used as a path.
Pure: neither Flask nor SQLAlchemy is imported; files are read in ``load_trusted_keys`` alone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from jwt.algorithms import RSAAlgorithm

from app.license.key import ParsedKey
from app.license.reasons import LicenseError
from app.translation import N_

KID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""What a signing key may be called, so that ``<kid>.pem`` is a plain file name everywhere."""
MINIMUM_BITS = 2048
"""The smallest RSA modulus that is trusted (RFC 7518, section 3.3)."""
MAXIMUM_BITS = 16384
"""The largest RSA modulus with which OpenSSL verifies."""
_LEAST_EXPONENT = 65537
_FILE_LIMIT = 16 * 1024
_ALGORITHMS = {"RS256": RSAAlgorithm(RSAAlgorithm.SHA256)}


class UnfitKeyError(Exception):
    """A key is not to be relied upon; the text is a message id that says why."""


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key that may sign license keys, with the one algorithm it serves."""

    kid: str
    algorithm: str
    public_key: RSAPublicKey


@dataclass(frozen=True, slots=True)
class TrustedKeys:
    """What a folder of public keys holds."""

    keys: Mapping[str, TrustedKey]
    """By ``kid``."""
    problems: tuple[tuple[str, str], ...]
    """File name and message id of each file that is not trusted; the other files are."""


def load_trusted_keys(folder: Path) -> TrustedKeys:
    """Read every ``<kid>.pem`` in ``folder``; a file that cannot be trusted is reported and left out.

    A private key is reported rather than ignored: it does not belong on a server that only verifies.
    """
    if not folder.is_dir():
        return TrustedKeys({}, ((folder.name, N_("The folder of public keys does not exist.")),))
    keys: dict[str, TrustedKey] = {}
    problems: list[tuple[str, str]] = []
    for file in sorted(folder.glob("*.pem")):
        try:
            keys[file.stem] = TrustedKey(_checked_kid(file), "RS256", _read_public_key(file))
        except UnfitKeyError as problem:
            problems.append((file.name, str(problem)))
    return TrustedKeys(keys, tuple(problems))


def verify(parsed: ParsedKey, keys: Mapping[str, TrustedKey]) -> TrustedKey:
    """Return the trusted key that has signed ``parsed``.

    Raises LicenseError ``unknown_signing_key`` (with ``kid``, made harmless to show),
    ``unsupported_algorithm`` or ``signature_invalid``, and nothing else.
    """
    key = keys.get(parsed.kid)
    if key is None:
        raise LicenseError("unknown_signing_key", kid=re.sub(r"[^A-Za-z0-9._-]", "?", parsed.kid[:64]))
    if parsed.header["alg"] != key.algorithm:
        raise LicenseError("unsupported_algorithm")
    if not _ALGORITHMS[key.algorithm].verify(parsed.signing_input, key.public_key, parsed.signature):
        raise LicenseError("signature_invalid")
    return key


def require_strength(public_key: object) -> RSAPublicKey:
    """Return ``public_key`` if it is RSA with a modulus and an exponent that can be trusted.

    The exponent must lie from 65537 (FIPS 186-5, appendix A.1.1) to 2**32, which bounds the time of a
    verification; even ones cryptography itself never reads. Raises UnfitKeyError.
    """
    if not isinstance(public_key, RSAPublicKey):
        raise UnfitKeyError(N_("It is not an RSA key."))
    if not MINIMUM_BITS <= public_key.key_size <= MAXIMUM_BITS:
        raise UnfitKeyError(N_("RSA keys of 2048 to 16384 bits are accepted."))
    if not _LEAST_EXPONENT <= public_key.public_numbers().e < 2**32:
        raise UnfitKeyError(N_("The key has an unusual public exponent, which is not accepted."))
    if _has_guessable_primes(public_key.public_numbers().n):
        raise UnfitKeyError(N_("The key was made by faulty hardware (CVE-2017-15361) and can be forged."))
    return public_key


def _has_guessable_primes(modulus: int) -> bool:
    """Whether ``modulus`` bears the mark of the "ROCA" generator: a power of 65537 modulo many small primes.

    Nemec, Sys et al., "The Return of Coppersmith's Attack", section 2.1; by chance one in 2**150 keys does.
    """
    return all(
        modulus % prime in {pow(65537, exponent, prime) for exponent in range(prime)}
        for prime in range(3, 168)
        if all(prime % divisor for divisor in range(2, prime))
    )


def _checked_kid(file: Path) -> str:
    if file.name.endswith(".private.pem"):
        raise UnfitKeyError(N_("It is a private key and does not belong here; keep it with the vendor."))
    if not KID.fullmatch(file.stem):
        raise UnfitKeyError(N_("The file name is not a permitted name of a signing key."))
    return file.stem


def _read_public_key(file: Path) -> RSAPublicKey:
    """Read a file that holds one RSA public key in PEM and nothing else.

    Writing the key again must give the same text. That leaves no room for a private key or a certificate
    beside it, and none for a key whose own parameters name another algorithm (RSASSA-PSS), which would be
    lost in reading.
    """
    try:
        if not file.is_file() or file.stat().st_size > _FILE_LIMIT:
            raise UnfitKeyError(N_("It is not a file with a public key."))
        data = file.read_bytes()
    except OSError:
        raise UnfitKeyError(N_("The file cannot be read.")) from None
    if b"PRIVATE KEY" in data:
        raise UnfitKeyError(N_("It is a private key and does not belong here; keep it with the vendor."))
    try:
        key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        raise UnfitKeyError(N_("It is not a public key in PEM.")) from None
    public_key = require_strength(key)
    if data.split() != public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).split():
        raise UnfitKeyError(N_("The file must hold one public key in PEM and nothing else."))
    return public_key
