import hashlib
import hmac
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.license import signature
from app.license.document import Verifier
from app.license.key import parse
from app.license.reasons import LicenseError
from app.license.signature import TrustedKey, UnfitKeyError, load_trusted_keys, require_strength, verify
from tests import license_keys
from tests.license_keys import KID, base64url, claims, encode_key, issue_key, key_pair, trusted_keys

PUBLIC_KEY = key_pair().private_key.public_key()
# A modulus of the faulty generator: a product of powers of 65537 modulo the product of the small primes.
ROCA_STEP = 1
for small in (n for n in range(3, 168) if all(n % divisor for divisor in range(2, n))):
    ROCA_STEP *= small


def code_of(text: str, *kids: str) -> str:
    with pytest.raises(LicenseError) as caught:
        verify(parse(text), trusted_keys(*kids))
    return caught.value.code


def problems(folder: Path) -> dict[str, str]:
    return dict(load_trusted_keys(folder).problems)


def test_the_key_that_has_signed_is_found_among_several() -> None:
    keys = trusted_keys("vendor-2025", "vendor-2026", "vendor-2027")
    assert verify(parse(issue_key()), keys) is keys["vendor-2026"]
    assert verify(parse(issue_key(kid="vendor-2027")), keys) is keys["vendor-2027"]


def test_a_key_signed_by_nobody_who_is_trusted_is_refused() -> None:
    with pytest.raises(LicenseError) as caught:
        verify(parse(issue_key(kid="vendor-2025")), trusted_keys())
    assert caught.value.code == "unknown_signing_key"
    assert caught.value.params == {"kid": "vendor-2025"}


@pytest.mark.parametrize(
    ("kid", "shown"),
    [
        ("../../etc/passwd", "..?..?etc?passwd"),
        ("/dev/random", "?dev?random"),
        ("vendor-2026.pem", "vendor-2026.pem"),
        ("vendor-2026\x00", "vendor-2026?"),
        ("VENDOR-2026", "VENDOR-2026"),
        ("x' OR 1=1 --", "x??OR?1?1?--"),
        ("<script>\n", "?script??"),
        ("\u202e鍵", "??"),
        ("k" * 1000, "k" * 64),
    ],
)
def test_a_kid_is_looked_up_and_never_used_otherwise(kid: str, shown: str) -> None:
    with pytest.raises(LicenseError) as caught:
        verify(parse(encode_key(claims(), kid=kid)), trusted_keys())
    assert caught.value.code == "unknown_signing_key"
    assert caught.value.params == {"kid": shown}


def test_a_signature_by_another_trusted_key_is_refused() -> None:
    header, payload, _ = issue_key().split(".")
    other = base64url(
        key_pair("vendor-2027").private_key.sign(f"{header}.{payload}".encode(), padding.PKCS1v15(), hashes.SHA256())
    )
    assert code_of(f"{header}.{payload}.{other}", "vendor-2026", "vendor-2027") == "signature_invalid"


def forge(sign: bytes) -> str:
    return f"{issue_key().rpartition('.')[0]}.{base64url(sign)}"


SIGNING_INPUT = issue_key().rpartition(".")[0].encode()
PRIVATE_KEY = key_pair().private_key
PUBLIC_PEM = key_pair().public_pem()
MODULUS = PUBLIC_KEY.public_numbers().n
GENUINE = PRIVATE_KEY.sign(SIGNING_INPUT, padding.PKCS1v15(), hashes.SHA256())

FORGERIES: dict[str, bytes] = {
    "zero": bytes(256),
    "one": bytes(255) + b"\x01",
    "the modulus": MODULUS.to_bytes(256, "big"),
    "all ones": b"\xff" * 256,
    "random": os.urandom(256),
    "a byte too short": GENUINE[:-1],
    "a byte too long": GENUINE + b"\x00",
    "a zero in front": b"\x00" + GENUINE,
    "plus the modulus": (int.from_bytes(GENUINE, "big") + MODULUS).to_bytes(257, "big"),
    "reversed": GENUINE[::-1],
    "one bit changed": bytes([GENUINE[0] ^ 1]) + GENUINE[1:],
    "of SHA-1": PRIVATE_KEY.sign(SIGNING_INPUT, padding.PKCS1v15(), hashes.SHA1()),  # noqa: S303 - an attack
    "of SHA-384": PRIVATE_KEY.sign(SIGNING_INPUT, padding.PKCS1v15(), hashes.SHA384()),
    "of SHA-512": PRIVATE_KEY.sign(SIGNING_INPUT, padding.PKCS1v15(), hashes.SHA512()),
    "with PSS": PRIVATE_KEY.sign(SIGNING_INPUT, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256()),
    "HMAC with the public key": hmac.digest(PUBLIC_PEM, SIGNING_INPUT, "sha256"),
    "HMAC with the stripped public key": hmac.digest(PUBLIC_PEM.strip(), SIGNING_INPUT, "sha256"),
    "a bare hash": hashlib.sha256(SIGNING_INPUT).digest(),
    "of something else": PRIVATE_KEY.sign(b"x", padding.PKCS1v15(), hashes.SHA256()),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_signature_is_refused(name: str) -> None:
    """RFC 8725, sections 2.1 and 2.2; the padding attacks of Bleichenbacher and successors."""
    assert code_of(forge(FORGERIES[name])) == "signature_invalid"


def test_the_genuine_signature_is_accepted() -> None:
    assert verify(parse(forge(GENUINE)), trusted_keys()).kid == KID


def test_the_public_key_is_no_secret_of_hs256() -> None:
    """CVE-2022-29217 and older: the public key as an HMAC secret."""
    header = base64url(b'{"alg":"HS256","kid":"vendor-2026","typ":"license+jwt"}')
    text = f"{header}.{issue_key().split('.')[1]}"
    signed = f"{text}.{base64url(hmac.digest(PUBLIC_PEM, text.encode(), 'sha256'))}"
    with pytest.raises(LicenseError) as caught:
        Verifier(trusted_keys(), "timetracker-rx").verify(signed, license_keys.NOW)
    assert caught.value.code == "unsupported_algorithm"


def test_the_algorithm_is_a_property_of_the_stored_key() -> None:
    stored = {KID: TrustedKey(KID, "PS256", PUBLIC_KEY)}
    with pytest.raises(LicenseError) as caught:
        verify(parse(issue_key()), stored)
    assert caught.value.code == "unsupported_algorithm"


def test_public_keys_are_read_from_a_folder_by_their_names(tmp_path: Path) -> None:
    for kid in ("vendor-2026", "vendor-2027.b_1"):
        (tmp_path / f"{kid}.pem").write_bytes(key_pair(kid).public_pem())
    (tmp_path / "README.txt").write_text("nothing to see")
    (tmp_path / "vendor-2028.PEM").write_bytes(PUBLIC_PEM)
    loaded = load_trusted_keys(tmp_path)
    assert loaded.problems == ()
    assert list(loaded.keys) == ["vendor-2026", "vendor-2027.b_1"]
    assert {key.algorithm for key in loaded.keys.values()} == {"RS256"}
    assert all(kid == key.kid for kid, key in loaded.keys.items())
    assert verify(parse(issue_key()), loaded.keys).kid == "vendor-2026"


def test_a_public_key_with_the_line_ends_of_windows_is_read(tmp_path: Path) -> None:
    (tmp_path / "vendor.pem").write_bytes(b"\r\n" + PUBLIC_PEM.replace(b"\n", b"\r\n"))
    assert list(load_trusted_keys(tmp_path).keys) == ["vendor"]


def test_an_empty_folder_has_no_keys_and_no_problems(tmp_path: Path) -> None:
    assert load_trusted_keys(tmp_path) == signature.TrustedKeys({}, ())


@pytest.mark.parametrize("name", ["missing", "file"])
def test_a_folder_that_does_not_exist_is_a_problem(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    assert problems(tmp_path / name) == {name: "The folder of public keys does not exist."}


def test_a_bad_file_costs_the_others_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.pem").write_text("broken")
    (tmp_path / "b.pem").write_bytes(PUBLIC_PEM)
    (tmp_path / "c.pem").mkdir()
    os.mkfifo(tmp_path / "d.pem")
    (tmp_path / "e.pem").symlink_to(tmp_path / "nowhere")
    loaded = load_trusted_keys(tmp_path)
    assert list(loaded.keys) == ["b"]
    assert [name for name, _ in loaded.problems] == ["a.pem", "c.pem", "d.pem", "e.pem"]


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.pem").write_bytes(PUBLIC_PEM)

    def forbidden(_: Path) -> bytes:
        raise PermissionError

    monkeypatch.setattr(Path, "read_bytes", forbidden)
    assert problems(tmp_path) == {"a.pem": "The file cannot be read."}


@pytest.mark.parametrize("name", [".hidden", "-vendor", "ven dor", "鍵", "a" * 65, "ven\ndor"])
def test_a_file_with_a_name_that_is_no_kid_is_not_trusted(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.pem").write_bytes(PUBLIC_PEM)
    loaded = load_trusted_keys(tmp_path)
    assert not loaded.keys
    assert dict(loaded.problems) == {f"{name}.pem": "The file name is not a permitted name of a signing key."}


def pem(key: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def pss_pem() -> bytes:
    """The same key with parameters that allow RSASSA-PSS only (RFC 4055, section 3.1)."""
    inner = PUBLIC_KEY.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    algorithm = bytes.fromhex("300b06092a864886f70d01010a")
    bits = b"\x03\x82" + (len(inner) + 1).to_bytes(2, "big") + b"\x00" + inner
    der = b"\x30\x82" + (len(algorithm) + len(bits)).to_bytes(2, "big") + algorithm + bits
    body = base64_lines(der)
    return b"-----BEGIN PUBLIC KEY-----\n" + body + b"-----END PUBLIC KEY-----\n"


def base64_lines(data: bytes) -> bytes:
    import base64  # noqa: PLC0415 - used here alone

    text = base64.b64encode(data)
    return b"".join(text[at : at + 64] + b"\n" for at in range(0, len(text), 64))


PRIVATE = "It is a private key and does not belong here; keep it with the vendor."
NOT_PEM = "It is not a public key in PEM."
SIZE = "RSA keys of 2048 to 16384 bits are accepted."
EXPONENT = "The key has an unusual public exponent, which is not accepted."
ALONE = "The file must hold one public key in PEM and nothing else."


def small_key() -> bytes:
    return pem(rsa.generate_private_key(65537, 1024).public_key())  # noqa: S505 - this must be refused


def with_numbers(exponent: int, modulus: int) -> bytes:
    return pem(rsa.RSAPublicNumbers(exponent, modulus).public_key())


UNFIT: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", NOT_PEM),
    "a text": (b"hello", NOT_PEM),
    "bytes": (bytes(range(256)), NOT_PEM),
    "DER": (PUBLIC_KEY.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), NOT_PEM),
    "an algorithm nobody knows": (
        b"-----BEGIN PUBLIC KEY-----\nMAwwBQYDKgMEAwMAAQI=\n-----END PUBLIC KEY-----\n",
        NOT_PEM,
    ),
    "half a key": (PUBLIC_PEM[: len(PUBLIC_PEM) // 2], NOT_PEM),
    "an SSH key": (PUBLIC_KEY.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH), NOT_PEM),
    "a private key": (key_pair().private_pem(), PRIVATE),
    "an encrypted private key": (key_pair().private_pem(b"secret"), PRIVATE),
    "a private key after the public one": (PUBLIC_PEM + key_pair().private_pem(), PRIVATE),
    "a private key before the public one": (key_pair().private_pem() + PUBLIC_PEM, PRIVATE),
    "two public keys": (PUBLIC_PEM * 2, ALONE),
    "a comment": (b"# vendor\n" + PUBLIC_PEM, ALONE),
    "PKCS #1": (PUBLIC_KEY.public_bytes(Encoding.PEM, PublicFormat.PKCS1), ALONE),
    "an elliptic curve": (pem(ec.generate_private_key(ec.SECP256R1()).public_key()), "It is not an RSA key."),
    "Ed25519": (pem(ed25519.Ed25519PrivateKey.generate().public_key()), "It is not an RSA key."),
    "1024 bits": (small_key(), SIZE),
    "2047 bits": (with_numbers(65537, (1 << 2047) - 1), SIZE),
    "too many bits": (with_numbers(65537, (1 << 16385) - 1), SIZE),
    "the exponent 3": (with_numbers(3, MODULUS), EXPONENT),
    "the exponent 65535": (with_numbers(65535, MODULUS), EXPONENT),
    "a huge exponent": (with_numbers((1 << 32) + 1, MODULUS), EXPONENT),
    "too much": (PUBLIC_PEM + b"\n" * 20_000, "It is not a file with a public key."),
    "a key for RSASSA-PSS": (pss_pem(), ALONE),
}


@pytest.mark.parametrize("name", UNFIT)
def test_an_unfit_file_is_reported_and_not_trusted(tmp_path: Path, name: str) -> None:
    content, problem = UNFIT[name]
    (tmp_path / "vendor.pem").write_bytes(content)
    loaded = load_trusted_keys(tmp_path)
    assert not loaded.keys
    assert loaded.problems == (("vendor.pem", problem),)


def test_a_private_key_is_reported_by_its_name_alone(tmp_path: Path) -> None:
    (tmp_path / "vendor.private.pem").write_bytes(PUBLIC_PEM)
    loaded = load_trusted_keys(tmp_path)
    assert not loaded.keys
    assert loaded.problems == (("vendor.private.pem", PRIVATE),)


@pytest.mark.parametrize("exponent", [65537, 65539, (1 << 32) - 1])
def test_a_sane_exponent_is_accepted(exponent: int) -> None:
    assert require_strength(rsa.RSAPublicNumbers(exponent, MODULUS).public_key())


@pytest.mark.parametrize("bits", [2048, 16384])
def test_a_modulus_of_a_permitted_size_is_accepted(bits: int) -> None:
    assert require_strength(rsa.RSAPublicNumbers(65537, (1 << bits) - 1).public_key()).key_size == bits


def test_a_key_of_the_faulty_generator_is_refused() -> None:
    """CVE-2017-15361: the modulus is a power of 65537 modulo every small prime."""
    modulus = pow(65537, 12345, ROCA_STEP) + ROCA_STEP * (1 << (2047 - ROCA_STEP.bit_length() + 1))
    modulus += 0 if modulus % 2 else ROCA_STEP
    assert modulus.bit_length() == 2048
    with pytest.raises(UnfitKeyError, match="CVE-2017-15361"):
        require_strength(rsa.RSAPublicNumbers(65537, modulus).public_key())
