"""The gate's rule, row by row."""

from datetime import UTC, datetime

import pytest

from app.auth.identity import Identity
from app.license.gate import NOWHERE, Verdict, decide
from app.security import SYSTEM_ADMINISTRATOR, Access, Audience, WhileRestricted

PUBLIC = Access(Audience.PUBLIC, while_restricted=WhileRestricted.EVERYONE)
MEMBER = Access(Audience.MEMBER)
ADMIN = Access(Audience.ADMIN, while_restricted=WhileRestricted.ADMINISTRATORS)
LOG_OUT = Access(Audience.MEMBER, while_restricted=WhileRestricted.EVERYONE)
OWN_PASSWORD = Access(Audience.MEMBER, while_restricted=WhileRestricted.ADMINISTRATORS)
UNDECLARED = None


def person(*permissions: str) -> Identity:
    now = datetime(2026, 11, 26, tzinfo=UTC)
    return Identity(1, "m.sakai", "Mio Sakai", None, None, None, "auto", frozenset(permissions), 1, now, now, "token")


NOBODY = None
SOMEBODY = person()
ADMINISTRATOR = person(SYSTEM_ADMINISTRATOR)


@pytest.mark.parametrize(
    ("access", "identity", "restricted", "verdict"),
    [
        (PUBLIC, NOBODY, False, Verdict.ALLOW),
        (PUBLIC, SOMEBODY, True, Verdict.ALLOW),
        (PUBLIC, ADMINISTRATOR, True, Verdict.ALLOW),
        (MEMBER, NOBODY, False, Verdict.LOG_IN),
        (MEMBER, SOMEBODY, False, Verdict.ALLOW),
        (MEMBER, SOMEBODY, True, Verdict.LOCK_OUT),
        (MEMBER, ADMINISTRATOR, False, Verdict.ALLOW),
        (MEMBER, ADMINISTRATOR, True, Verdict.CONFINE),
        (ADMIN, NOBODY, False, Verdict.LOG_IN),
        (ADMIN, SOMEBODY, False, Verdict.FORBID),
        (ADMIN, SOMEBODY, True, Verdict.LOCK_OUT),
        (ADMIN, ADMINISTRATOR, False, Verdict.ALLOW),
        (ADMIN, ADMINISTRATOR, True, Verdict.ALLOW),
        (LOG_OUT, NOBODY, False, Verdict.LOG_IN),
        (LOG_OUT, SOMEBODY, True, Verdict.ALLOW),
        (LOG_OUT, ADMINISTRATOR, True, Verdict.ALLOW),
        (OWN_PASSWORD, SOMEBODY, False, Verdict.ALLOW),
        (OWN_PASSWORD, SOMEBODY, True, Verdict.LOCK_OUT),
        (OWN_PASSWORD, ADMINISTRATOR, True, Verdict.ALLOW),
        (NOWHERE, SOMEBODY, False, Verdict.ALLOW),
        (NOWHERE, SOMEBODY, True, Verdict.LOCK_OUT),
        (NOWHERE, ADMINISTRATOR, True, Verdict.CONFINE),
        (UNDECLARED, NOBODY, False, Verdict.FORBID),
        (UNDECLARED, SOMEBODY, False, Verdict.FORBID),
        (UNDECLARED, SOMEBODY, True, Verdict.LOCK_OUT),
        (UNDECLARED, ADMINISTRATOR, False, Verdict.FORBID),
        (UNDECLARED, ADMINISTRATOR, True, Verdict.CONFINE),
    ],
)
def test_the_gate_decides_by_audience_person_and_standing(
    access: Access | None, identity: Identity | None, restricted: bool, verdict: Verdict
) -> None:
    assert decide(access, identity, restricted=restricted) is verdict


def test_a_feature_that_is_not_licensed_is_refused_after_everything_else() -> None:
    assert decide(MEMBER, SOMEBODY, restricted=False, licensed=False) is Verdict.NOT_LICENSED
    assert decide(MEMBER, SOMEBODY, restricted=True, licensed=False) is Verdict.LOCK_OUT
    assert decide(ADMIN, SOMEBODY, restricted=False, licensed=False) is Verdict.FORBID
    assert decide(MEMBER, NOBODY, restricted=False, licensed=False) is Verdict.LOG_IN
