import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.license.document import (
    CLOCK_TOLERANCE,
    LastDay,
    License,
    Verifier,
    days_left,
    last_day,
)
from app.license.key import clean, fingerprint
from app.license.reasons import LicenseError
from tests import license_keys
from tests.license_keys import (
    INSTALLATION,
    NOW,
    NUMBER,
    base64url,
    claims,
    encode_key,
    issue_key,
    license_number,
    sign,
    timestamp,
)

TOKYO = ZoneInfo("Asia/Tokyo")
Refusal = Callable[[str], LicenseError]


def test_a_key_grants_what_its_claims_say(verifier: Verifier) -> None:
    key = issue_key(
        features=["timesheet.copy_week", "budgets"],
        installation=INSTALLATION,
        trial=True,
        grace_days=14,
        supersedes=[license_number(1), license_number(2)],
        contract="A-17",
        seats_by_site={"tokyo": 30},
    )
    assert verifier.verify(key, NOW) == License(
        number=NUMBER,
        fingerprint=fingerprint(key),
        customer="Kitamura Precision Co., Ltd.",
        edition="standard",
        seats=50,
        features=("timesheet.copy_week", "budgets"),
        issuer="timetracker-rx",
        issued=NOW - timedelta(days=1),
        starts=NOW - timedelta(hours=3),
        expires=NOW + timedelta(days=125),
        maintenance_expires=NOW + timedelta(days=66),
        grace_days=14,
        installation=INSTALLATION,
        trial=True,
        supersedes=(license_number(1), license_number(2)),
        signing_key="vendor-2026",
        evaluation=False,
        other_claims={"contract": "A-17", "seats_by_site": {"tokyo": 30}},
    )


def test_optional_claims_may_be_absent(verifier: Verifier) -> None:
    granted = verifier.verify(issue_key(exp=...), NOW)
    assert granted.expires is None
    assert granted.grace_until is None
    assert granted.features == ()
    assert granted.installation is None
    assert granted.trial is False
    assert granted.grace_days == 0
    assert granted.supersedes == ()
    assert granted.other_claims == {}


def test_a_license_is_a_value(verifier: Verifier) -> None:
    key = issue_key(extra={"a": 1})
    assert verifier.verify(key, NOW) == verifier.verify(key, NOW)
    assert len({verifier.verify(key, NOW), verifier.verify(key, NOW)}) == 1
    assert verifier.verify(key, NOW) != verifier.verify(issue_key(extra={"a": 2}), NOW)


def test_all_instants_are_in_utc(verifier: Verifier) -> None:
    granted = verifier.verify(issue_key(grace_days=1), NOW)
    assert {
        instant.tzinfo for instant in (granted.issued, granted.starts, granted.expires, granted.grace_until) if instant
    } == {UTC}


def test_the_three_boundaries_of_a_license_are_first_instants(verifier: Verifier) -> None:
    granted = verifier.verify(issue_key(grace_days=2), NOW)
    tick = timedelta(microseconds=1)
    assert granted.expires
    assert granted.grace_until == granted.expires + timedelta(days=2)
    assert granted.has_started(granted.starts)
    assert not granted.has_started(granted.starts - tick)
    assert granted.has_ended(granted.expires)
    assert not granted.has_ended(granted.expires - tick)
    assert granted.is_past_grace(granted.grace_until)
    assert not granted.is_past_grace(granted.grace_until - tick)


def test_a_perpetual_license_never_ends(verifier: Verifier) -> None:
    granted = verifier.verify(issue_key(exp=..., grace_days=3), NOW)
    end = datetime.max.replace(tzinfo=UTC)
    assert not granted.has_ended(end)
    assert not granted.is_past_grace(end)


def test_a_key_is_verified_however_it_was_pasted(verifier: Verifier) -> None:
    key = issue_key()
    assert verifier.verify(f"「{key[:100]}=\r\n{key[100:]}」", NOW) == verifier.verify(key, NOW)


@pytest.mark.parametrize("name", ["iss", "aud", "jti", "sub", "iat", "nbf", "maintenance_exp", "edition", "seats"])
def test_a_required_claim_that_is_missing_is_named(refusal: Refusal, name: str) -> None:
    error = refusal(encode_key(claims(**{name: ...})))
    assert (error.code, error.claim, error.params["claim"]) == ("claim_missing", name, name)


NO_TEXTS: list[object] = [None, True, False, 0, 1, 1.5, [], ["timetracker-rx"], {}, {"a": 1}]
NO_WHOLE_NUMBERS: list[object] = [None, True, False, 1.0, 50.0, 1e3, "1", "50", "4_102_444_800", "", [], [1], {}]
NO_LISTS: list[object] = [None, True, False, 0, 1, "", "budgets", {}, {"budgets": 1}]
NO_NUMBERS: list[object] = [
    *NO_TEXTS,
    "",
    "7b3e09c4",
    NUMBER.upper(),
    NUMBER.replace("-", ""),
    f"{{{NUMBER}}}",
    f"urn:uuid:{NUMBER}",
    f" {NUMBER}",
    f"{NUMBER}\n",
    f"{NUMBER}0",
    NUMBER[:-1],
    NUMBER[:-1] + "g",
    NUMBER[:-1] + "\uff11",
]
NO_SLUGS: list[object] = [
    *NO_TEXTS,
    "",
    "Standard",
    "stand ard",
    "standard\n",
    " standard",
    "-standard",
    "standard-",
    "stan--dard",
    "stan.-dard",
    "_standard",
    "../standard",
    "standard/x",
    "st\u00e4ndard",
    "stand\u0430rd",
    "\uff53tandard",
    "٣",
    "s" * 65,
]
NO_DATES: list[object] = [
    *NO_WHOLE_NUMBERS,
    -1,
    -(10**30),
    timestamp(datetime(9999, 1, 1, tzinfo=UTC)),
    253402300800,
    10**18,
    10**300,
    1795651200.5,
    "2026-11-26",
]

WRONG_VALUES: dict[str, list[object]] = {
    "iss": NO_TEXTS,
    "aud": NO_TEXTS,
    "jti": NO_NUMBERS,
    "sub": [*NO_TEXTS, "", "a" * 201, "a\nb", "a\tb", "a\x00", "\x1b[31m", "a\x7f", "a\x85b"],
    "iat": NO_DATES,
    "nbf": NO_DATES,
    "exp": NO_DATES,
    "maintenance_exp": NO_DATES,
    "edition": NO_SLUGS,
    "seats": [*NO_WHOLE_NUMBERS, 0, -1, -50, 1_000_001, 10**100],
    "features": [
        *NO_LISTS,
        *([slug] for slug in NO_SLUGS),
        ["budgets", None],
        ["budgets", "budgets"],
        ["budgets", ["x"]],
        [f"f{index}" for index in range(101)],
    ],
    "installation": NO_NUMBERS,
    "trial": [None, 0, 1, 1.0, "true", "false", "", [], [True], {}],
    "grace_days": [*NO_WHOLE_NUMBERS, -1, 61, 10**100],
    "supersedes": [
        *NO_LISTS,
        *([number] for number in NO_NUMBERS),
        [NUMBER, NUMBER],
        [license_number(index) for index in range(101)],
    ],
}


@pytest.mark.parametrize(
    ("name", "value"),
    [pytest.param(name, value, id=f"{name}={value!r:.40}") for name in WRONG_VALUES for value in WRONG_VALUES[name]],
)
def test_a_claim_with_a_wrong_value_is_named(name: str, value: object) -> None:
    """The signature is not the matter here, so the claims are read without one."""
    with pytest.raises(LicenseError) as caught:
        license_keys.read(**{name: value})
    assert (caught.value.code, caught.value.claim, caught.value.params["claim"]) == ("claim_invalid", name, name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seats", 1),
        ("seats", 1_000_000),
        ("grace_days", 0),
        ("grace_days", 60),
        ("sub", "a"),
        ("sub", "a" * 200),
        ("sub", "株式会社" * 50),
        ("sub", "北村精密　株式会社"),
        ("sub", "👩\u200d🔧 & Sons <Ltd>"),
        ("edition", "a"),
        ("edition", "0"),
        ("edition", "pro-2.x_y"),
        ("edition", "e" * 64),
        ("features", []),
        ("features", [f"f{index}" for index in range(100)]),
        ("supersedes", []),
        ("supersedes", [license_number(index) for index in range(100)]),
        ("iat", 0),
        ("nbf", 0),
        ("exp", timestamp(datetime(9998, 12, 31, 23, 59, 59, tzinfo=UTC))),
        ("maintenance_exp", 0),
        ("maintenance_exp", timestamp(datetime(9998, 12, 31, 23, 59, 59, tzinfo=UTC))),
        ("trial", False),
        ("jti", "00000000-0000-0000-0000-000000000000"),
    ],
)
def test_a_claim_at_its_bound_is_accepted(name: str, value: object) -> None:
    assert license_keys.read(**{name: value})


def test_the_latest_dates_can_be_shown_in_every_time_zone() -> None:
    latest = timestamp(datetime(9999, 1, 1, tzinfo=UTC)) - 1
    granted = license_keys.read(exp=latest, maintenance_exp=latest, grace_days=60)
    assert granted.grace_until
    assert last_day(granted.grace_until, ZoneInfo("Pacific/Kiritimati")).day == date(9999, 3, 2)


def test_a_license_has_to_end_after_its_start() -> None:
    start = NOW + timedelta(days=1)
    assert license_keys.read(nbf=timestamp(start), exp=timestamp(start) + 1)
    for end in (timestamp(start), timestamp(start) - 1):
        with pytest.raises(LicenseError) as caught:
            license_keys.read(nbf=timestamp(start), exp=end)
        assert (caught.value.code, caught.value.claim) == ("claim_invalid", "exp")


@pytest.mark.parametrize("issuer", ["", "Timetracker-RX", "timetracker-rx ", "timetracker-rx\x00", "evil"])
def test_a_key_of_another_issuer_is_refused(refusal: Refusal, issuer: str) -> None:
    assert refusal(issue_key(iss=issuer)).code == "wrong_issuer"


def test_the_issuer_is_a_setting() -> None:
    verifier = Verifier(license_keys.trusted_keys(), "Kaisha KK")
    assert verifier.verify(issue_key(iss="Kaisha KK"), NOW).issuer == "Kaisha KK"
    with pytest.raises(LicenseError) as caught:
        verifier.verify(issue_key(), NOW)
    assert caught.value.code == "wrong_issuer"


@pytest.mark.parametrize("audience", ["", "TimeTracker-RX", "timetracker", "timetracker-rx,other", "evil"])
def test_a_key_for_another_product_is_refused(refusal: Refusal, audience: str) -> None:
    assert refusal(issue_key(aud=audience)).code == "wrong_product"


def test_a_key_of_a_foreign_system_is_refused_for_its_issuer_first(refusal: Refusal) -> None:
    assert refusal(encode_key({"iss": "https://accounts.example", "aud": "web"})).code == "wrong_issuer"
    assert refusal(encode_key({"iss": "timetracker-rx", "aud": "web"})).code == "wrong_product"


def test_the_vendor_s_clock_may_be_five_minutes_ahead(refusal: Refusal, verifier: Verifier) -> None:
    assert verifier.verify(issue_key(iat=NOW + timedelta(minutes=5)), NOW)
    late = NOW + timedelta(minutes=5, seconds=1)
    error = refusal(issue_key(iat=late))
    assert (error.code, error.params) == ("issued_in_future", {"issued": late})
    assert timedelta(minutes=5) == CLOCK_TOLERANCE


def test_an_ended_or_scheduled_license_is_still_a_license(verifier: Verifier) -> None:
    assert verifier.verify(issue_key(nbf=NOW - timedelta(days=9), exp=NOW - timedelta(days=1)), NOW)
    assert verifier.verify(issue_key(nbf=NOW + timedelta(days=9)), NOW)
    assert verifier.verify(issue_key(installation=license_number(99)), NOW)


def test_an_evaluation_key_is_accepted_only_where_it_is_allowed() -> None:
    key = issue_key(kid="evaluation-1")
    allowing = license_keys.verifier("evaluation-1", allow_evaluation_keys=True)
    assert allowing.verify(key, NOW).evaluation is True
    for refusing in (license_keys.verifier("evaluation-1"), license_keys.verifier()):
        with pytest.raises(LicenseError) as caught:
            refusing.verify(key, NOW)
        assert caught.value.code == "evaluation_key_refused"


def test_evaluation_keys_are_refused_unless_somebody_allows_them() -> None:
    with pytest.raises(LicenseError) as caught:
        Verifier(license_keys.trusted_keys("evaluation-1"), "timetracker-rx").verify(issue_key(kid="evaluation-1"), NOW)
    assert caught.value.code == "evaluation_key_refused"


def test_the_vendor_s_keys_are_accepted_where_evaluation_keys_are_allowed() -> None:
    allowing = license_keys.verifier(license_keys.KID, allow_evaluation_keys=True)
    assert allowing.verify(issue_key(), NOW).evaluation is False


def test_an_evaluation_key_still_needs_its_signature() -> None:
    forged = issue_key(kid="evaluation-1").rpartition(".")[0] + "." + issue_key().rpartition(".")[2]
    with pytest.raises(LicenseError) as caught:
        license_keys.verifier("evaluation-1", allow_evaluation_keys=True).verify(forged, NOW)
    assert caught.value.code == "signature_invalid"


@settings(deadline=None)
@given(st.text() | st.binary(max_size=200).map(lambda data: data.decode("latin-1")))
def test_whatever_the_text_nothing_but_the_one_error_leaves(text: str) -> None:
    with pytest.raises(LicenseError):
        license_keys.verifier().verify(text, NOW)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30)
    | st.sampled_from([NUMBER, "standard", "timetracker-rx", timestamp(NOW)]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(st.sampled_from([*claims(), *WRONG_VALUES]), VALUES, max_size=4))
def test_whatever_the_vendor_signs_is_a_license_or_the_one_error(changes: dict[str, object]) -> None:
    text = encode_key(claims(**changes))
    try:
        granted = license_keys.verifier().verify(text, NOW)
    except LicenseError as error:
        code = error.code
    else:
        code = ""
        assert 1 <= granted.seats <= 1_000_000
        assert granted.expires is None or granted.expires > granted.starts
    assert code in {"", "claim_invalid", "wrong_issuer", "wrong_product", "issued_in_future"}


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_whatever_bytes_the_vendor_signs_the_one_error_leaves(payload: bytes) -> None:
    header = b'{"alg":"RS256","kid":"vendor-2026","typ":"license+jwt"}'
    with pytest.raises(LicenseError):
        license_keys.verifier().verify(sign(header, payload), NOW)


@settings(deadline=None)
@given(st.data())
def test_a_key_with_any_one_character_changed_is_refused(data: st.DataObject) -> None:
    text = issue_key()
    position = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(blacklist_characters=text[position]))
    changed = text[:position] + other + text[position + 1 :]
    if clean(changed) != text:
        with pytest.raises(LicenseError):
            license_keys.verifier().verify(changed, NOW)


@settings(deadline=None)
@given(st.integers(1, 900))
def test_a_key_that_was_cut_off_is_refused(missing: int) -> None:
    with pytest.raises(LicenseError):
        license_keys.verifier().verify(issue_key()[:-missing], NOW)


def test_two_keys_pasted_together_are_refused(refusal: Refusal) -> None:
    assert refusal(issue_key() + issue_key()).code == "malformed"
    assert refusal(issue_key() + "\n" + issue_key(seats=60)).code == "malformed"


def test_claims_of_one_key_do_not_go_with_the_signature_of_another(refusal: Refusal) -> None:
    header, _, signature = issue_key().split(".")
    forged = base64url(json.dumps(claims(seats=1_000_000)).encode())
    assert refusal(f"{header}.{forged}.{signature}").code == "signature_invalid"


MIDNIGHT = datetime(2027, 3, 31, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("instant", "zone", "day", "at"),
    [
        (MIDNIGHT, "Asia/Tokyo", date(2027, 3, 31), None),
        (MIDNIGHT, "UTC", date(2027, 3, 31), time(15)),
        (MIDNIGHT + timedelta(seconds=1), "Asia/Tokyo", date(2027, 4, 1), time(0, 0, 1)),
        (MIDNIGHT - timedelta(seconds=1), "Asia/Tokyo", date(2027, 3, 31), time(23, 59, 59)),
        (datetime(2027, 1, 1, tzinfo=UTC), "UTC", date(2026, 12, 31), None),
        (datetime(2028, 3, 1, tzinfo=UTC), "UTC", date(2028, 2, 29), None),
        # 26 April 2024 began at one o'clock in Cairo, with summer time.
        (datetime(2024, 4, 25, 22, tzinfo=UTC), "Africa/Cairo", date(2024, 4, 25), None),
        # 5 November 2023 had midnight twice in Havana; the day begins with the first.
        (datetime(2023, 11, 5, 4, tzinfo=UTC), "America/Havana", date(2023, 11, 4), None),
        (datetime(2023, 11, 5, 5, tzinfo=UTC), "America/Havana", date(2023, 11, 5), time(0)),
    ],
)
def test_an_end_is_shown_as_the_last_day_in_the_time_zone(
    instant: datetime, zone: str, day: date, at: time | None
) -> None:
    assert last_day(instant, ZoneInfo(zone)) == LastDay(day, at)


@pytest.mark.parametrize(
    ("now", "left"),
    [
        (datetime(2026, 11, 26, 3, tzinfo=UTC), 125),
        (datetime(2027, 3, 30, 15, tzinfo=UTC), 0),
        (datetime(2027, 3, 30, 14, 59, 59, tzinfo=UTC), 1),
        (datetime(2027, 3, 31, 14, 59, 59, tzinfo=UTC), 0),
        (datetime(2027, 3, 31, 15, tzinfo=UTC), -1),
        (datetime(2027, 4, 10, 15, tzinfo=UTC), -11),
    ],
)
def test_days_left_are_counted_to_the_last_day_in_the_time_zone(now: datetime, left: int) -> None:
    assert days_left(MIDNIGHT, now, TOKYO) == left


@pytest.mark.parametrize(
    ("kid", "days", "soon"),
    [
        (license_keys.KID, 30, True),
        (license_keys.KID, 31, False),
        ("evaluation-1", 7, True),
        ("evaluation-1", 8, False),
        ("evaluation-1", 0, False),  # it ends at this very instant
    ],
)
def test_people_are_warned_a_month_ahead_and_of_an_evaluation_key_a_week_ahead(kid: str, days: int, soon: bool) -> None:
    end = NOW + timedelta(days=days)
    license_ = license_keys.verifier(kid, allow_evaluation_keys=True).verify(issue_key(kid=kid, exp=end), NOW)
    assert license_.ends_soon(license_.expires, NOW, TOKYO) is soon


def test_a_perpetual_license_never_ends_soon(verifier: Verifier) -> None:
    license_ = verifier.verify(issue_key(exp=...), NOW)
    assert not license_.ends_soon(license_.expires, NOW, TOKYO)
