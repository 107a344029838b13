from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from app.license.document import Verifier, last_day
from app.license.issuing import (
    IssueRequest,
    KeyPair,
    end_of_day,
    issue,
    load_private_key,
    make_key_pair,
    require_kid,
)
from app.license.key import parse
from app.license.reasons import LicenseError
from app.license.signature import load_trusted_keys
from app.refusal import Refusal
from tests.license_keys import INSTALLATION, KID, NOW, NUMBER, key_pair, license_number, trusted_keys, verifier

PRIVATE_KEY = key_pair().private_key


def request(**changes: Any) -> IssueRequest:
    standard: dict[str, Any] = {
        "customer": "Kitamura Precision Co., Ltd.",
        "edition": "standard",
        "seats": 50,
        "starts": NOW,
        "expires": NOW + timedelta(days=365),
        "maintenance_expires": NOW + timedelta(days=180),
    }
    return IssueRequest(**(standard | changes))


def code_and_claim(**changes: Any) -> tuple[str, str | None]:
    with pytest.raises(LicenseError) as caught:
        issue(request(**changes), PRIVATE_KEY, KID, NOW)
    return caught.value.code, caught.value.claim


def test_an_issued_key_grants_what_was_asked_for() -> None:
    asked = request(
        features=("budgets", "timesheet.copy_week"),
        installation=INSTALLATION,
        trial=True,
        grace_days=14,
        supersedes=(license_number(1),),
        number=NUMBER,
    )
    granted = verifier().verify(issue(asked, PRIVATE_KEY, KID, NOW), NOW)
    for name in IssueRequest.__slots__:
        assert getattr(granted, name) == getattr(asked, name)
    assert granted.issued == NOW
    assert granted.signing_key == KID
    assert granted.other_claims == {}


def test_an_issued_key_says_no_more_than_was_asked_for() -> None:
    parsed = parse(issue(request(expires=None), PRIVATE_KEY, KID, NOW))
    assert set(parsed.claims) == {
        *("iss", "aud", "jti", "sub", "iat", "nbf", "maintenance_exp", "edition", "seats"),
    }
    assert parsed.header == {"alg": "RS256", "kid": KID, "typ": "license+jwt"}


def test_every_key_has_a_license_number_of_its_own() -> None:
    numbers = {parse(issue(request(), PRIVATE_KEY, KID, NOW)).claims["jti"] for _ in range(3)}
    assert len(numbers) == 3


def test_fractions_of_a_second_are_dropped() -> None:
    tick = timedelta(microseconds=999_999)
    text = issue(request(starts=NOW + tick, expires=NOW + timedelta(days=1) + tick), PRIVATE_KEY, KID, NOW + tick)
    granted = verifier().verify(text, NOW)
    assert (granted.issued, granted.starts, granted.expires) == (NOW, NOW, NOW + timedelta(days=1))


@pytest.mark.parametrize(
    ("changes", "claim"),
    [
        ({"customer": ""}, "sub"),
        ({"customer": "a" * 201}, "sub"),
        ({"customer": "a\nb"}, "sub"),
        ({"edition": "Standard"}, "edition"),
        ({"seats": 0}, "seats"),
        ({"seats": 1_000_001}, "seats"),
        ({"seats": True}, "seats"),
        ({"features": ("a", "a")}, "features"),
        ({"features": ("A",)}, "features"),
        ({"installation": "here"}, "installation"),
        ({"grace_days": 61}, "grace_days"),
        ({"grace_days": -1}, "grace_days"),
        ({"supersedes": ("x",)}, "supersedes"),
        ({"number": "17"}, "jti"),
        ({"expires": NOW}, "exp"),
        ({"expires": datetime(9999, 12, 31, tzinfo=UTC)}, "exp"),
        ({"starts": datetime(1969, 12, 31, tzinfo=UTC)}, "nbf"),
        ({"maintenance_expires": datetime.max.replace(tzinfo=UTC)}, "maintenance_exp"),
    ],
    ids=repr,
)
def test_nothing_is_issued_that_the_verifier_would_refuse(changes: dict[str, Any], claim: str) -> None:
    assert code_and_claim(**changes) == ("claim_invalid", claim)


def test_a_key_that_would_be_too_long_is_not_issued() -> None:
    long = {"features": tuple(f"{'f' * 60}-{index}" for index in range(100)), "customer": "😀" * 200}
    numbers = tuple(license_number(index) for index in range(100))
    assert code_and_claim(**long, supersedes=numbers) == ("too_long", None)


def test_a_customer_that_utf_8_cannot_express_is_refused() -> None:
    assert code_and_claim(customer="\udcff") == ("malformed", None)


def test_a_license_that_has_ended_may_be_issued() -> None:
    text = issue(request(starts=NOW - timedelta(days=2), expires=NOW - timedelta(days=1)), PRIVATE_KEY, KID, NOW)
    assert verifier().verify(text, NOW).has_ended(NOW)


def test_an_evaluation_key_can_be_issued() -> None:
    text = issue(request(), key_pair("evaluation-1").private_key, "evaluation-1", NOW)
    assert verifier("evaluation-1", allow_evaluation_keys=True).verify(text, NOW).evaluation


@pytest.mark.parametrize("kid", ["", " ", "a/b", "../a", "-a", ".a", "a\n", "a" * 65, "鍵", "a b"])
def test_a_signing_key_needs_a_plain_name(kid: str) -> None:
    with pytest.raises(Refusal) as caught:
        require_kid(kid)
    assert caught.value.code == "kid_invalid"
    with pytest.raises(Refusal) as caught:
        issue(request(), PRIVATE_KEY, kid, NOW)
    assert caught.value.code == "kid_invalid"


@pytest.mark.parametrize("kid", ["a", "0", "vendor-2026", "Vendor_2026.b", "a" * 64])
def test_a_plain_name_is_accepted(kid: str) -> None:
    assert require_kid(kid) == kid


TEXTS = st.text(st.characters(blacklist_categories=("Cc", "Cs")), min_size=1, max_size=200)
SLUGS = st.from_regex(r"[a-z0-9]{1,8}([._-][a-z0-9]{1,8}){0,3}", fullmatch=True)
NUMBERS = st.uuids().map(str)
SECONDS = st.integers(0, 250_000_000_000)


@settings(deadline=None)
@given(
    customer=TEXTS,
    edition=SLUGS,
    seats=st.integers(1, 1_000_000),
    starts=SECONDS,
    length=st.none() | st.integers(1, 3_000_000_000),
    maintenance=SECONDS,
    features=st.lists(SLUGS, unique=True, max_size=5),
    installation=st.none() | NUMBERS,
    trial=st.booleans(),
    grace_days=st.integers(0, 60),
    supersedes=st.lists(NUMBERS, unique=True, max_size=5),
    number=NUMBERS,
)
def test_whatever_is_issued_comes_back_as_it_was_asked_for(**drawn: Any) -> None:
    starts = datetime.fromtimestamp(drawn.pop("starts"), UTC)
    length = drawn.pop("length")
    asked = IssueRequest(
        starts=starts,
        expires=None if length is None else starts + timedelta(seconds=length),
        maintenance_expires=datetime.fromtimestamp(drawn.pop("maintenance"), UTC),
        features=tuple(drawn.pop("features")),
        supersedes=tuple(drawn.pop("supersedes")),
        **drawn,
    )
    granted = verifier().verify(issue(asked, PRIVATE_KEY, KID, NOW), NOW)
    assert {name: getattr(granted, name) for name in IssueRequest.__slots__} == {
        name: getattr(asked, name) for name in IssueRequest.__slots__
    }


@pytest.fixture(scope="module")
def made() -> KeyPair:
    return make_key_pair()


def test_a_signing_key_is_made_with_3072_bits(made: KeyPair) -> None:
    assert made.private_key.key_size == 3072
    assert made.private_key.public_key().public_numbers().e == 65537


@pytest.mark.parametrize("bits", [0, 1024, 2048, 3071])
def test_a_smaller_signing_key_is_not_made(bits: int) -> None:
    with pytest.raises(ValueError, match="3072"):
        make_key_pair(bits)


def test_a_made_key_signs_what_its_public_key_verifies(made: KeyPair, tmp_path: Any) -> None:
    (tmp_path / "vendor.pem").write_bytes(made.public_pem())
    loaded = load_trusted_keys(tmp_path)
    text = issue(request(), load_private_key(made.private_pem()), "vendor", NOW)
    assert Verifier(loaded.keys, "timetracker-rx").verify(text, NOW).signing_key == "vendor"


def test_a_private_key_can_be_kept_under_a_passphrase(made: KeyPair) -> None:
    pem = made.private_pem(b"correct horse")
    assert pem.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    loaded = load_private_key(pem, b"correct horse")
    assert loaded.private_numbers() == made.private_key.private_numbers()


def elliptic_pem() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def small_pem() -> bytes:
    return KeyPair(rsa.generate_private_key(65537, 1024)).private_pem()  # noqa: S505 - this must be refused


@pytest.mark.parametrize(
    ("pem", "passphrase"),
    [
        (b"", None),
        (b"hello", None),
        (key_pair().public_pem(), None),
        (key_pair().private_pem(b"right"), None),
        (key_pair().private_pem(b"right"), b"wrong"),
        (key_pair().private_pem(), b"needless"),
        (key_pair().private_pem()[:300], None),
        (elliptic_pem(), None),
        (b"-----BEGIN PRIVATE KEY-----\nMA8CAQAwBQYDKgMEBANhYmM=\n-----END PRIVATE KEY-----\n", None),
        (small_pem(), None),
    ],
    ids=[
        "nothing",
        "text",
        "public",
        "no passphrase",
        "wrong passphrase",
        "needless",
        "half",
        "elliptic",
        "unknown",
        "small",
    ],
)
def test_a_private_key_that_cannot_be_used_is_refused(pem: bytes, passphrase: bytes | None) -> None:
    with pytest.raises(Refusal) as caught:
        load_private_key(pem, passphrase)
    assert caught.value.code == "private_key_unusable"
    assert caught.value.field is None


def test_a_trusted_key_that_is_too_small_for_making_is_accepted_for_reading() -> None:
    assert trusted_keys()[KID].public_key.key_size == 2048


@pytest.mark.parametrize(
    ("day", "zone", "instant"),
    [
        (date(2027, 3, 31), "Asia/Tokyo", datetime(2027, 3, 31, 15, tzinfo=UTC)),
        (date(2027, 3, 31), "UTC", datetime(2027, 4, 1, tzinfo=UTC)),
        (date(2027, 3, 14), "America/New_York", datetime(2027, 3, 15, 4, tzinfo=UTC)),
        (date(2027, 11, 7), "America/New_York", datetime(2027, 11, 8, 5, tzinfo=UTC)),
        (date(2028, 2, 29), "Europe/London", datetime(2028, 3, 1, tzinfo=UTC)),
        (date(2026, 12, 31), "Pacific/Auckland", datetime(2026, 12, 31, 11, tzinfo=UTC)),
        # The next day begins at one o'clock.
        (date(2024, 4, 25), "Africa/Cairo", datetime(2024, 4, 25, 22, tzinfo=UTC)),
        # The next midnight comes twice.
        (date(2023, 11, 4), "America/Havana", datetime(2023, 11, 5, 4, tzinfo=UTC)),
        (date(9999, 12, 31), "UTC", datetime.max.replace(tzinfo=UTC)),
        (date(9999, 12, 30), "Pacific/Honolulu", datetime(9999, 12, 31, 10, tzinfo=UTC)),
        (date(9999, 12, 31), "Pacific/Honolulu", datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_through_the_end_of_a_day_means_until_the_next_midnight_there(day: date, zone: str, instant: datetime) -> None:
    assert end_of_day(day, ZoneInfo(zone)) == instant
    assert end_of_day(day, ZoneInfo(zone)).tzinfo is UTC


ZONES = ["UTC", "Asia/Tokyo", "Europe/Berlin", "America/Havana", "Africa/Cairo", "Asia/Kathmandu", "Pacific/Apia"]


@given(st.dates(date(1971, 1, 1), date(2200, 1, 1)), st.sampled_from(ZONES))
def test_the_end_of_a_day_is_shown_as_that_day(day: date, zone: str) -> None:
    shown = last_day(end_of_day(day, ZoneInfo(zone)), ZoneInfo(zone))
    skipped = zone == "Pacific/Apia" and day == date(2011, 12, 30)
    assert skipped or (shown.day, shown.time) == (day, None)
