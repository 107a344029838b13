import re

import pytest

from app.license.policy import StandingKind
from app.license.reasons import REASONS, LicenseError
from app.refusal import Reason

CODES = (
    *("empty", "too_long", "malformed", "unsupported_algorithm", "unknown_signing_key", "signature_invalid"),
    *("wrong_issuer", "wrong_product", "claim_missing", "claim_invalid", "issued_in_future"),
    *("license_expired", "not_started", "wrong_installation", "edition_unknown", "already_registered"),
    *("number_reused", "older_than_registered", "evaluation_key_refused"),
    *("seats_exceeded", "unlicensed", "unverifiable", "maintenance_expired"),
)
PLACEHOLDERS = {"unknown_signing_key": {"kid"}, "claim_missing": {"claim"}, "claim_invalid": {"claim"}}


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_reason(code: str) -> None:
    assert REASONS[code].code == code


@pytest.mark.parametrize("reason", REASONS.values(), ids=REASONS)
def test_every_reason_says_what_is_the_case_and_names_the_way_out(reason: Reason) -> None:
    sentences = [reason.message, reason.remedy, *([reason.detail] if reason.detail else [])]
    for sentence in sentences:
        assert re.fullmatch(r"[A-Z“].*[a-z0-9”)]\.", sentence)
    assert "!" not in "".join(sentences)
    assert reason.message.count(". ") == 0


@pytest.mark.parametrize("reason", REASONS.values(), ids=REASONS)
def test_a_text_has_no_placeholder_but_those_that_are_always_filled(reason: Reason) -> None:
    text = reason.message + reason.remedy + reason.detail
    assert set(re.findall(r"%\((\w+)\)s", text)) == PLACEHOLDERS.get(reason.code, set())
    assert text.count("%") == text.count("%(")


@pytest.mark.parametrize(
    "kind", sorted(set(StandingKind) - {StandingKind.ACTIVE, StandingKind.GRACE, StandingKind.EXPIRED})
)
def test_a_restricted_standing_has_a_reason_for_members_too(kind: StandingKind) -> None:
    assert REASONS[kind].status == 403
    assert REASONS[kind].detail


def test_an_expired_license_has_a_reason_for_members_too() -> None:
    assert REASONS["license_expired"].status == 403
    assert REASONS["license_expired"].detail


def test_reasons_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        REASONS["empty"] = REASONS["malformed"]  # type: ignore[index]  # this is what must fail


def test_an_error_is_at_the_field_of_the_license_key() -> None:
    error = LicenseError("claim_invalid", claim="seats", seats=3)
    assert error.field == "license_key"
    assert error.claim == "seats"
    assert error.code == "claim_invalid"
    assert error.params == {"claim": "seats", "seats": 3}
    assert (
        error.reason.message % error.params
        == "The claim “seats” of the license key holds a value that is not permitted."
    )


def test_an_error_without_a_claim_has_no_such_parameter() -> None:
    assert LicenseError("empty").params == {}
    assert LicenseError("empty").claim is None


def test_an_unknown_code_is_a_mistake_of_the_programmer() -> None:
    with pytest.raises(KeyError):
        LicenseError("no_such_code")
