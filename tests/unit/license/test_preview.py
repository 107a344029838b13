from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.license.document import License
from app.license.policy import Record, StandingKind
from app.license.preview import Change, Preview, build
from app.license.reasons import LicenseError
from tests import license_keys
from tests.license_keys import INSTALLATION, NOW, license_number, timestamp

FEATURES = {"standard": {"hours"}, "professional": {"hours", "reports"}}


def lic(index: int, starts: int = -10, expires: int | None = 100, maintenance: int = 50, **changes: Any) -> License:
    """Return license number ``index``; instants in days from ``NOW``."""
    granted = license_keys.read(
        jti=license_number(index),
        nbf=timestamp(NOW + timedelta(days=starts)),
        exp=... if expires is None else timestamp(NOW + timedelta(days=expires)),
        maintenance_exp=timestamp(NOW + timedelta(days=maintenance)),
        **changes,
    )
    return replace(granted, fingerprint=f"{index:012x}")


def preview(candidate: License, *licenses: License, users: int = 42, administrators: int = 4, **other: Any) -> Preview:
    records = [
        Record(position, granted, None, NOW, granted.number, granted.fingerprint)
        for position, granted in enumerate(licenses, start=1)
    ]
    arguments: dict[str, Any] = {
        "installation": INSTALLATION,
        "registered_users": users,
        "system_administrators": administrators,
        "now": NOW,
        "features_of": lambda edition: frozenset(FEATURES.get(edition, ())),
        "known_editions": FEATURES,
    }
    return build(candidate, records, **(arguments | other))


def worse(shown: Preview) -> set[str]:
    return {change.what for change in shown.changes if change.worse}


def changed(shown: Preview) -> set[str]:
    return {change.what for change in shown.changes if change.changed}


CURRENT = lic(1, -20)


def test_a_first_key_needs_no_confirmation() -> None:
    shown = preview(lic(2))
    assert shown.old.kind is StandingKind.UNLICENSED
    assert shown.new.kind is shown.at_start.kind is StandingKind.ACTIVE
    assert shown.new.license is shown.candidate
    assert not shown.needs_confirmation
    assert [(change.what, change.old, change.worse) for change in shown.changes] == [
        (what, None, False)
        for what in ("edition", "seats", "license_expires", "maintenance_expires", "features", "starts")
    ]
    assert shown.features_gained == ("hours",)
    assert shown.features_lost == ()
    assert (shown.locked_out, shown.users_to_delete, shown.edition_known) == (0, 0, True)


def test_a_first_key_with_too_few_seats_locks_nobody_out_who_could_work() -> None:
    shown = preview(lic(2, seats=25))
    assert (shown.locked_out, shown.users_to_delete, shown.needs_confirmation) == (0, 17, False)


def test_old_and_new_stand_side_by_side_in_the_order_of_the_screen() -> None:
    new = lic(2, -5, 200, 60, seats=60, edition="professional", features=["budgets"])
    assert preview(new, CURRENT).changes == (
        Change("edition", "standard", "professional", worse=True),
        Change("seats", 50, 60, worse=False),
        Change("license_expires", CURRENT.expires, new.expires, worse=False),
        Change("maintenance_expires", CURRENT.maintenance_expires, new.maintenance_expires, worse=False),
        Change("features", (), ("budgets",), worse=False),
        Change("starts", CURRENT.starts, new.starts, worse=False),
    )


def test_a_renewal_that_makes_nothing_worse_needs_no_confirmation() -> None:
    shown = preview(lic(2, -5, 465, 415), CURRENT)
    assert changed(shown) == {"license_expires", "maintenance_expires", "starts"}
    assert not shown.needs_confirmation
    assert not preview(lic(2, -5), CURRENT).needs_confirmation


@pytest.mark.parametrize(
    ("new", "what"),
    [
        (lic(2, seats=49), "seats"),
        (lic(2, expires=99), "license_expires"),
        (lic(2, maintenance=49), "maintenance_expires"),
        (lic(2, edition="professional"), "edition"),
        (lic(2, starts=1), "starts"),
    ],
    ids=["fewer seats", "an earlier end", "less maintenance", "another edition", "a later start"],
)
def test_whatever_gets_worse_is_to_be_confirmed(new: License, what: str) -> None:
    shown = preview(new, CURRENT)
    assert worse(shown) == {what}
    assert shown.locked_out == 0
    assert shown.needs_confirmation


@pytest.mark.parametrize(("old", "new", "is_worse"), [(None, 100, True), (100, None, False), (None, None, False)])
def test_perpetual_is_later_than_any_date(old: int | None, new: int | None, is_worse: bool) -> None:
    shown = preview(lic(2, -5, new), lic(1, -20, old))
    assert ("license_expires" in worse(shown)) is is_worse
    assert shown.needs_confirmation is is_worse


def test_the_issue_s_example_counts_people() -> None:
    shown = preview(lic(2, -5, seats=25), CURRENT)
    assert (shown.old.kind, shown.new.kind, shown.at_start.kind) == ("active", "seats_exceeded", "seats_exceeded")
    assert (shown.locked_out, shown.users_to_delete) == (38, 17)
    assert shown.needs_confirmation


def test_as_many_seats_as_users_lock_nobody_out() -> None:
    shown = preview(lic(2, -5, seats=42), CURRENT)
    assert (shown.locked_out, shown.users_to_delete) == (0, 0)


def test_administrators_are_not_counted_as_locked_out() -> None:
    shown = preview(lic(2, -5, seats=25), CURRENT, administrators=42)
    assert (shown.locked_out, shown.users_to_delete) == (0, 17)


def test_who_is_locked_out_already_is_not_locked_out_anew() -> None:
    shown = preview(lic(2, -5, seats=30), lic(1, -20, seats=25))
    assert (shown.old.kind, shown.locked_out, shown.users_to_delete) == ("seats_exceeded", 0, 12)
    assert not shown.needs_confirmation


def test_being_locked_out_is_to_be_confirmed_where_no_line_gets_worse() -> None:
    """Whoever counts users anew between two evaluations finds the old license exceeded; here both have 50 seats."""
    shown = preview(lic(2, -5), CURRENT)
    assert not replace(shown, locked_out=0).needs_confirmation
    assert replace(shown, locked_out=1).needs_confirmation


def test_a_license_in_grace_or_ended_or_exceeded_is_compared_with() -> None:
    for old in (lic(1, -20, -1, grace_days=5), lic(1, -20, -1), lic(1, -20, seats=1)):
        assert preview(lic(2, -5, edition="professional"), old).changes[0].old == "standard"


def test_a_license_that_never_was_in_force_is_not_compared_with() -> None:
    for old in (lic(1, 5), lic(1, installation=license_number(99))):
        assert preview(lic(2, -5, edition="professional"), old).changes[0].old is None


def test_features_of_edition_and_add_ons_are_counted_together() -> None:
    old = lic(1, -20, edition="professional", features=list("zyxwvu"))
    new = lic(2, -5, edition="standard", features=["reports", *"fedcba"])
    shown = preview(new, old)
    assert shown.features_gained == tuple("abcdef")
    assert shown.features_lost == tuple("uvwxyz")
    assert "features" in worse(shown)


def test_a_feature_that_moves_from_edition_to_add_on_is_not_lost() -> None:
    shown = preview(lic(2, -5, features=["reports"]), lic(1, -20, edition="professional"))
    assert shown.features_lost == shown.features_gained == ()
    assert worse(shown) == {"edition"}


def test_a_gained_feature_needs_no_confirmation() -> None:
    shown = preview(lic(2, -5, features=["budgets"]), CURRENT)
    assert shown.features_gained == ("budgets",)
    assert not shown.needs_confirmation


def test_a_scheduled_key_shows_the_standing_at_its_start() -> None:
    new = lic(2, 30, seats=25)
    shown = preview(new, CURRENT)
    assert (shown.starts_later, shown.starts_at) == (True, new.starts)
    assert (shown.new.kind, shown.new.license, shown.new.next) == ("active", CURRENT, new)
    assert (shown.at_start.kind, shown.at_start.license) == ("seats_exceeded", new)
    assert (shown.locked_out, shown.users_to_delete) == (38, 17)


def test_a_key_in_force_at_once_does_not_start_later() -> None:
    shown = preview(lic(2, -5), CURRENT)
    assert (shown.starts_later, shown.starts_at) == (False, NOW)
    assert shown.new == shown.at_start


def test_an_older_key_starts_when_the_newer_one_has_ended() -> None:
    shown = preview(lic(2, -30, 200), CURRENT)
    assert (shown.starts_later, shown.starts_at) == (True, CURRENT.expires)
    assert shown.at_start.license is shown.candidate
    assert "starts" in worse(shown)


def test_a_first_key_that_starts_later_is_to_be_confirmed() -> None:
    assert preview(lic(2, 1)).needs_confirmation


def test_a_key_that_never_comes_into_force_has_no_preview() -> None:
    with pytest.raises(LicenseError) as caught:
        preview(lic(2, -30), CURRENT)
    assert caught.value.code == "older_than_registered"


def test_an_edition_that_is_not_installed_is_noticed() -> None:
    shown = preview(lic(2, edition="gold", features=["budgets"]))
    assert not shown.edition_known
    assert shown.features_gained == ("budgets",)
    assert not shown.needs_confirmation


def test_a_digest_stays_while_nothing_that_is_shown_changes() -> None:
    digest = preview(lic(2, -5), CURRENT).digest
    assert len(digest) == 64
    assert preview(lic(2, -5), CURRENT).digest == digest
    assert preview(lic(2, -5), CURRENT, now=NOW + timedelta(minutes=5)).digest == digest


@pytest.mark.parametrize(
    "other",
    [
        preview(lic(3, -5), CURRENT),
        preview(lic(2, -5), lic(4, -20)),
        preview(lic(2, -5)),
        preview(lic(2, -5), CURRENT, users=43),
        preview(lic(2, -5), CURRENT, users=60),
        preview(lic(2, 5), CURRENT),
        preview(lic(2, -5, seats=60), CURRENT),
        preview(lic(2, -5), CURRENT, known_editions=()),
    ],
    ids=["key", "license in force", "none in force", "users", "excess", "start", "seats", "editions"],
)
def test_a_digest_changes_with_whatever_is_shown(other: Preview) -> None:
    assert other.digest != preview(lic(2, -5), CURRENT).digest


def test_a_digest_changes_with_the_features_of_an_edition() -> None:
    new = lic(2, -5, edition="professional")
    featureless = preview(new, CURRENT, features_of=lambda _: frozenset())
    gaining = preview(new, CURRENT)
    losing = preview(new, CURRENT, features_of=lambda edition: frozenset({edition}))
    assert len({shown.digest for shown in (featureless, gaining, losing)}) == 3


def test_a_digest_changes_with_the_administrators_where_members_are_locked_out() -> None:
    new = lic(2, -5, seats=25)
    digests = {preview(new, CURRENT, administrators=count).digest for count in (3, 4)}
    assert len(digests) == 2


def test_a_digest_changes_with_the_instant_at_which_it_would_start() -> None:
    """A license that is not in force now outlasts the one that is, and thereby delays the candidate."""
    new, delaying = lic(2, -30, 200), lic(3, -25, 150)
    assert preview(new, delaying, CURRENT).digest != preview(new, CURRENT).digest
