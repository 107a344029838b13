from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.license.document import License
from app.license.policy import (
    Record,
    RecordState,
    Standing,
    StandingKind,
    Usability,
    admit,
    evaluate,
    record_states,
    takes_effect,
    undetermined,
    with_candidate,
)
from app.license.reasons import LicenseError
from tests import license_keys
from tests.license_keys import INSTALLATION, NOW, license_number, timestamp

ELSEWHERE = license_number(999)
TICK = timedelta(microseconds=1)


def day(number: int) -> datetime:
    """Return the instant that many days after ``NOW``."""
    return NOW + timedelta(days=number)


def lic(
    index: int,
    starts: int = -10,
    expires: int | None = 10,
    *,
    seats: int = 50,
    grace: int = 0,
    maintenance: int = 5,
    issued: int = -20,
    here: bool | None = None,
    supersedes: Sequence[int] = (),
) -> License:
    """Return license number ``index``; all instants in days from ``NOW``."""
    return license_keys.read(
        jti=license_number(index),
        iat=timestamp(day(issued)),
        nbf=timestamp(day(starts)),
        exp=... if expires is None else timestamp(day(expires)),
        maintenance_exp=timestamp(day(maintenance)),
        seats=seats,
        grace_days=grace,
        installation=... if here is None else INSTALLATION if here else ELSEWHERE,
        supersedes=[license_number(other) for other in supersedes],
    )


def registered(*licenses: License | None) -> list[Record]:
    """Return the records of these licenses in order of registration; None is one that does not verify."""
    return [
        Record(
            id=position,
            license=granted,
            code=None if granted else "signature_invalid",
            registered_at=day(-30),
            number=granted.number if granted else license_number(500 + position),
            fingerprint=f"{position:012x}",
        )
        for position, granted in enumerate(licenses, start=1)
    ]


def standing(*licenses: License | None, users: int = 42, now: datetime = NOW) -> Standing:
    return evaluate(registered(*licenses), installation=INSTALLATION, registered_users=users, now=now)


def states(*licenses: License | None, now: datetime = NOW) -> list[RecordState]:
    return list(record_states(registered(*licenses), installation=INSTALLATION, now=now).values())


def refusal(candidate: License, *licenses: License | None, now: datetime = NOW) -> LicenseError:
    with pytest.raises(LicenseError) as caught:
        admit(candidate, registered(*licenses), installation=INSTALLATION, now=now)
    return caught.value


def admitted(candidate: License, *licenses: License | None, now: datetime = NOW) -> bool:
    admit(candidate, registered(*licenses), installation=INSTALLATION, now=now)
    return True


# The standing, kind by kind.


def test_a_license_in_force_with_enough_seats_is_active() -> None:
    license_ = lic(1)
    answer = standing(license_)
    assert answer == Standing(
        kind=StandingKind.ACTIVE,
        license=license_,
        next=None,
        next_at=None,
        registered_users=42,
        web=Usability(usable=True, until=day(10), code=None),
        desktop=Usability(usable=True, until=day(5), code=None),
    )
    assert (answer.restricted, answer.code) == (False, None)
    assert (answer.seats, answer.free, answer.excess) == (50, 8, 0)


def test_a_license_for_this_installation_counts_like_one_for_any() -> None:
    assert standing(lic(1, here=True)).kind is StandingKind.ACTIVE


@pytest.mark.parametrize(
    ("users", "kind", "free", "excess"),
    [(0, "active", 50, 0), (49, "active", 1, 0), (50, "active", 0, 0), (51, "seats_exceeded", 0, 1)],
)
def test_as_many_users_as_seats_are_fine_and_one_more_is_not(users: int, kind: str, free: int, excess: int) -> None:
    answer = standing(lic(1), users=users)
    assert (answer.kind, answer.free, answer.excess) == (kind, free, excess)


def test_more_users_than_seats_restrict_both_applications_without_a_date() -> None:
    answer = standing(lic(1, seats=25))
    blocked = Usability(usable=False, until=None, code="seats_exceeded")
    assert (answer.kind, answer.web, answer.desktop) == (StandingKind.SEATS_EXCEEDED, blocked, blocked)
    assert (answer.restricted, answer.code, answer.seats, answer.excess) == (True, "seats_exceeded", 25, 17)


def test_seats_exceeded_comes_before_grace() -> None:
    assert standing(lic(1, -20, -1, grace=5, seats=25)).kind is StandingKind.SEATS_EXCEEDED
    assert standing(lic(1, -20, -1, grace=5, seats=42)).kind is StandingKind.GRACE


def test_a_license_starts_at_the_instant_it_says() -> None:
    license_ = lic(1, 0)
    assert standing(license_, now=NOW).kind is StandingKind.ACTIVE
    assert standing(license_, now=NOW - TICK).kind is StandingKind.NOT_STARTED


def test_a_license_has_ended_at_the_instant_it_says() -> None:
    license_ = lic(1, -10, 0)
    assert standing(license_, now=NOW - TICK).kind is StandingKind.ACTIVE
    assert standing(license_, now=NOW).kind is StandingKind.EXPIRED


def test_grace_begins_and_ends_at_its_instants() -> None:
    license_ = lic(1, -10, 0, grace=3)
    assert standing(license_, now=NOW - TICK).kind is StandingKind.ACTIVE
    assert standing(license_, now=NOW).kind is StandingKind.GRACE
    assert standing(license_, now=day(3) - TICK).kind is StandingKind.GRACE
    assert standing(license_, now=day(3)).kind is StandingKind.EXPIRED


def test_in_grace_the_web_application_can_be_used_until_its_end() -> None:
    answer = standing(lic(1, -10, -1, grace=3, maintenance=20))
    assert (answer.restricted, answer.code) == (False, None)
    assert answer.web == Usability(usable=True, until=day(2), code=None)
    assert answer.desktop == Usability(usable=True, until=day(2), code=None)


def test_an_expired_license_says_since_when() -> None:
    license_ = lic(1, -10, -4, grace=3)
    answer = standing(license_)
    ended = Usability(usable=False, until=day(-1), code="license_expired")
    assert (answer.kind, answer.license, answer.web, answer.desktop) == ("expired", license_, ended, ended)
    assert (answer.code, answer.restricted, answer.seats) == ("license_expired", True, 50)


def test_a_license_that_has_not_started_restricts() -> None:
    license_ = lic(1, 1)
    answer = standing(license_)
    blocked = Usability(usable=False, until=None, code="not_started")
    assert (answer.kind, answer.license, answer.next) == ("not_started", license_, license_)
    assert (answer.web, answer.desktop, answer.code, answer.restricted) == (blocked, blocked, "not_started", True)


def test_without_a_license_nothing_is_licensed() -> None:
    answer = standing()
    blocked = Usability(usable=False, until=None, code="unlicensed")
    assert (answer.kind, answer.license, answer.next) == ("unlicensed", None, None)
    assert (answer.web, answer.desktop, answer.code, answer.restricted) == (blocked, blocked, "unlicensed", True)
    assert (answer.seats, answer.free, answer.excess) == (0, 0, 0)


def test_a_license_of_another_installation_restricts() -> None:
    latest = lic(2, here=False)
    answer = standing(lic(1, here=False), latest, None)
    blocked = Usability(usable=False, until=None, code="wrong_installation")
    assert (answer.kind, answer.license, answer.next) == ("wrong_installation", latest, None)
    assert (answer.web, answer.desktop, answer.code) == (blocked, blocked, "wrong_installation")


def test_a_scheduled_license_of_another_installation_does_not_take_over() -> None:
    assert standing(lic(1), lic(2, 5, here=False)).next is None


def test_a_license_that_can_no_longer_be_verified_restricts() -> None:
    answer = standing(None)
    blocked = Usability(usable=False, until=None, code="unverifiable")
    assert (answer.kind, answer.license, answer.next) == ("unverifiable", None, None)
    assert (answer.web, answer.desktop, answer.code) == (blocked, blocked, "unverifiable")


def test_where_the_standing_cannot_be_determined_nobody_works() -> None:
    answer = undetermined()
    blocked = Usability(usable=False, until=None, code="unverifiable")
    assert (answer.kind, answer.license, answer.next, answer.restricted) == ("unverifiable", None, None, True)
    assert (answer.web, answer.desktop, answer.registered_users) == (blocked, blocked, 0)


def test_the_speakers_come_in_the_order_of_the_rules() -> None:
    ended, scheduled, other = lic(1, -20, -1), lic(2, 5), lic(3, here=False)
    assert standing(None, other, scheduled, ended).kind is StandingKind.EXPIRED
    assert standing(None, other, scheduled).kind is StandingKind.NOT_STARTED
    assert standing(None, other).kind is StandingKind.WRONG_INSTALLATION
    assert standing(other, None).kind is StandingKind.WRONG_INSTALLATION
    assert standing(None).kind is StandingKind.UNVERIFIABLE
    assert standing().kind is StandingKind.UNLICENSED


# Maintenance, rule 3.6.


def test_maintenance_ends_at_the_instant_it_says() -> None:
    license_ = lic(1, -10, 10, maintenance=0)
    assert standing(license_, now=NOW - TICK).desktop == Usability(usable=True, until=NOW, code=None)
    answer = standing(license_, now=NOW)
    assert answer.desktop == Usability(usable=False, until=NOW, code="maintenance_expired")
    assert answer.web == Usability(usable=True, until=day(10), code=None)
    assert (answer.kind, answer.restricted) == ("active", False)


@pytest.mark.parametrize(
    ("expires", "maintenance", "until"), [(10, 20, 10), (20, 10, 10), (10, 10, 10), (None, 10, 10)]
)
def test_the_desktop_application_ends_with_whatever_ends_first(
    expires: int | None, maintenance: int, until: int
) -> None:
    answer = standing(lic(1, -10, expires, maintenance=maintenance))
    assert answer.desktop == Usability(usable=True, until=day(until), code=None)


def test_the_web_application_of_a_perpetual_license_has_no_end() -> None:
    assert standing(lic(1, -10, None)).web == Usability(usable=True, until=None, code=None)


def test_where_the_web_application_is_restricted_the_desktop_application_says_why() -> None:
    assert standing(lic(1, seats=1, maintenance=-1)).desktop.code == "seats_exceeded"
    assert standing(lic(1, -10, -1, maintenance=-1)).desktop.code == "license_expired"


def test_maintenance_is_that_of_the_license_in_force() -> None:
    assert not standing(lic(1, maintenance=20), lic(2, -5, maintenance=-1)).desktop.usable


# Which one is in force.


def test_the_latest_one_that_has_started_is_in_force() -> None:
    early, late = lic(1, -10), lic(2, -5)
    for order in ((early, late), (late, early)):
        assert standing(*order).license is late


def test_of_two_with_the_same_start_the_one_issued_later_is_in_force() -> None:
    early, late = lic(1, issued=-20), lic(2, issued=-19)
    for order in ((early, late), (late, early)):
        assert standing(*order).license is late


def test_of_two_with_the_same_dates_the_one_registered_later_is_in_force() -> None:
    first, second = lic(1), lic(2)
    assert standing(first, second).license is second
    assert standing(second, first).license is first


def test_registration_counts_by_its_order_and_not_by_the_place_in_the_list() -> None:
    records = registered(lic(1), lic(2))
    answer = evaluate(records[::-1], installation=INSTALLATION, registered_users=1, now=NOW)
    assert answer.license is records[1].license


def test_one_that_holds_comes_before_a_later_one_in_grace() -> None:
    holding, in_grace = lic(1, -10, 10), lic(2, -5, -1, grace=9)
    assert standing(holding, in_grace).license is holding


def test_of_several_in_grace_the_latest_is_in_force() -> None:
    early, late = lic(1, -10, -1, grace=30), lic(2, -9, -2, grace=5)
    assert standing(early, late).license is late
    assert standing(early, late, now=day(3)).license is early


def test_an_earlier_license_is_in_force_again_after_a_shorter_later_one() -> None:
    long, short = lic(1, -10, 100), lic(2, -5, 5)
    assert standing(long, short).license is short
    assert standing(long, short, now=day(5)).license is long


def test_the_latest_ended_one_speaks() -> None:
    late = lic(2, -9, -5)
    assert standing(lic(1, -10, -1), late).license is late


def test_the_earliest_scheduled_one_speaks() -> None:
    first = lic(1, 5)
    assert standing(lic(2, 6), first, lic(3, 7)).license is first


def test_a_key_registered_ahead_of_its_start_takes_over_by_itself() -> None:
    current, renewal = lic(1, -10, 10), lic(2, 9, 30)
    assert standing(current, renewal).next is renewal
    assert standing(current, renewal, now=day(9) - TICK).license is current
    assert standing(current, renewal, now=day(9)).license is renewal
    assert standing(current, renewal, now=day(9)).next is None


def test_of_several_scheduled_ones_the_next_is_the_one_that_will_be_in_force_first() -> None:
    first, second, later = lic(2, 5, issued=-3), lic(3, 5, issued=-4), lic(4, 6)
    assert standing(lic(1), later, second, first).next is first
    assert standing(lic(1), later, second, first, now=day(5)).license is first


# Supersedes.


def test_a_license_withdraws_those_it_names_from_its_own_start_on() -> None:
    old, new = lic(1, -10, 100), lic(2, 0, 5, supersedes=[1])
    assert standing(old, new, now=NOW - TICK).license is old
    assert standing(old, new, now=NOW).license is new
    assert standing(old, new, now=day(5)).kind is StandingKind.EXPIRED
    assert standing(old, new, now=day(5)).license is new


def test_a_license_cannot_withdraw_a_later_one() -> None:
    later = lic(2, -5, 100)
    assert standing(lic(1, -10, supersedes=[2]), later).license is later
    assert standing(lic(1, -10, None, supersedes=[2]), lic(2, 5), now=day(5)).seats == 50


def test_a_license_cannot_withdraw_itself() -> None:
    itself = lic(1, supersedes=[1])
    assert standing(itself).license is itself


def test_a_license_withdraws_even_if_it_has_ended_or_is_withdrawn_itself() -> None:
    first, second = lic(1, -10, 100), lic(2, -9, -8, supersedes=[1])
    assert standing(first, second).kind is StandingKind.EXPIRED
    third = lic(3, -5, -4, supersedes=[2])
    assert standing(first, second, third).license is third
    assert standing(first, second, third).kind is StandingKind.EXPIRED


def test_a_license_of_another_installation_withdraws_nothing() -> None:
    here = lic(1)
    assert standing(here, lic(2, -5, here=False, supersedes=[1])).license is here


def test_a_withdrawn_license_has_no_grace() -> None:
    assert standing(lic(1, -10, -3, grace=60), lic(2, -5, -1, supersedes=[1])).kind is StandingKind.EXPIRED


def test_a_number_that_is_not_registered_withdraws_nothing() -> None:
    license_ = lic(1, supersedes=[7, 8])
    assert standing(license_).license is license_


# States of the records.


def test_every_record_has_its_state() -> None:
    assert states(
        lic(1, -30, -20),
        lic(2, -10, 15),
        lic(3, -10, 50),
        lic(4, -5, 20, supersedes=[3]),
        lic(5, 5, 20),
        lic(6, here=False),
        None,
    ) == ["ended", "superseded", "withdrawn", "in_force", "scheduled", "wrong_installation", "unverifiable"]


def test_a_license_that_outlasts_the_one_in_force_is_scheduled_to_follow_it() -> None:
    longer, shorter = lic(1, -10, 50), lic(2, -5, 20)
    assert states(longer, shorter) == ["scheduled", "in_force"]
    answer = standing(longer, shorter)
    assert (answer.license, answer.next, answer.next_at) == (shorter, longer, day(20))
    assert standing(longer, shorter, now=day(20)).license is longer


def test_one_record_in_grace_is_in_grace_and_the_others_have_ended() -> None:
    assert states(lic(1, -10, -1, grace=60), lic(2, -9, -1, grace=60)) == ["ended", "in_grace"]
    assert states(lic(1, -10, -1, grace=60), lic(2, -9, 9)) == ["ended", "in_force"]


def test_a_withdrawn_record_stays_withdrawn_after_its_end() -> None:
    assert states(lic(1, -10, -1), lic(2, -5, 9, supersedes=[1])) == ["withdrawn", "in_force"]


def test_a_record_is_withdrawn_only_once_the_later_one_has_started() -> None:
    assert states(lic(1), lic(2, 1, supersedes=[1])) == ["in_force", "scheduled"]


def test_states_change_at_their_instants() -> None:
    license_ = lic(1, 0, 2, grace=1)
    assert states(license_, now=NOW - TICK) == ["scheduled"]
    assert states(license_, now=NOW) == ["in_force"]
    assert states(license_, now=day(2)) == ["in_grace"]
    assert states(license_, now=day(3)) == ["ended"]


def test_records_without_order_keep_their_states() -> None:
    records = registered(lic(1, -10), lic(2, -5))[::-1]
    assert record_states(records, installation=INSTALLATION, now=NOW) == {2: "in_force", 1: "superseded"}


# Registering.


def test_a_first_key_is_admitted() -> None:
    assert admitted(lic(1))
    assert admitted(lic(1, here=True))
    assert admitted(lic(1, 5))
    assert admitted(lic(1), None)


def test_a_key_is_admitted_until_the_end_of_its_grace() -> None:
    candidate = lic(1, -10, -2, grace=2)
    assert admitted(candidate, now=NOW - TICK)
    error = refusal(candidate, now=NOW)
    assert (error.code, error.params) == ("license_expired", {"expires": day(-2)})
    assert refusal(lic(1, -10, 0), now=NOW).code == "license_expired"


def test_a_key_of_another_installation_is_refused() -> None:
    assert refusal(lic(1, here=False)).code == "wrong_installation"


def test_the_same_key_is_registered_already() -> None:
    license_ = lic(1)
    records = [Record(1, license_, None, NOW, license_.number, license_.fingerprint)]
    with pytest.raises(LicenseError) as caught:
        admit(license_, records, installation=INSTALLATION, now=NOW)
    assert caught.value.code == "already_registered"


def test_a_number_that_another_text_has_is_refused() -> None:
    assert refusal(lic(1, -5), lic(1, -10)).code == "number_reused"


def test_the_number_of_a_record_that_does_not_verify_is_taken_too() -> None:
    assert refusal(lic(501), None).code == "number_reused"


def test_an_ended_key_of_another_installation_that_is_registered_is_refused_as_expired() -> None:
    assert refusal(lic(1, -10, -1, here=False), lic(1)).code == "license_expired"
    assert refusal(lic(1, here=False), lic(1)).code == "wrong_installation"


def test_an_older_key_beside_a_newer_one_that_outlasts_it_is_refused() -> None:
    assert refusal(lic(1, -10, 10), lic(2, -5, 10)).code == "older_than_registered"
    assert refusal(lic(1, -10, 10), lic(2, -5, None)).code == "older_than_registered"


def test_an_older_key_that_outlasts_the_newer_one_is_admitted() -> None:
    assert admitted(lic(1, -10, 11), lic(2, -5, 10))
    assert admitted(lic(1, -10, 10, grace=1), lic(2, -5, 10))


def test_grace_of_the_newer_one_counts_against_that_of_the_older() -> None:
    assert refusal(lic(1, -10, 10, grace=5), lic(2, -5, 10, grace=5)).code == "older_than_registered"
    assert admitted(lic(1, -10, 10, grace=6), lic(2, -5, 10, grace=5))


def test_a_key_with_a_gap_to_fill_is_admitted() -> None:
    assert admitted(lic(1, -10, 10), lic(2, 5, 10))
    assert admitted(lic(1, 2, 4), lic(2, -5, 3), lic(3, 3, 9), now=NOW)
    assert refusal(lic(1, 3, 4, issued=-30), lic(2, -5, 3), lic(3, 3, 9)).code == "older_than_registered"


def test_a_key_that_a_registered_license_has_withdrawn_is_refused() -> None:
    assert refusal(lic(1, -10, 100), lic(2, -5, 5, supersedes=[1])).code == "older_than_registered"
    assert refusal(lic(1, -10, 100), lic(2, -5, -1, supersedes=[1])).code == "older_than_registered"


def test_a_key_that_will_be_withdrawn_is_admitted_for_the_time_until_then() -> None:
    assert admitted(lic(1, -10, 100), lic(2, 5, 50, supersedes=[1]))
    assert refusal(lic(1, 6, 100), lic(2, 6, 50, supersedes=[1], issued=-19)).code == "older_than_registered"


def test_a_key_comes_into_force_when_nothing_stands_in_its_way_any_more() -> None:
    def since(candidate: License, *licenses: License) -> datetime:
        return takes_effect(candidate, registered(*licenses), installation=INSTALLATION, now=NOW)

    assert since(lic(1)) == NOW
    assert since(lic(1, 5)) == day(5)
    assert since(lic(1, -10, 20), lic(2, -5, 7)) == day(7)
    assert since(lic(1, -10, 6, grace=9), lic(2, -5, 7, grace=1)) == day(8)
    assert since(lic(1, -10, -1, grace=9), lic(2, -5, 7, grace=0)) == day(7)


def test_a_candidate_is_the_latest_registration() -> None:
    records = registered(lic(1), lic(2))
    candidate = lic(3)
    for given_records in (records, records[::-1]):
        *before, added = with_candidate(given_records, candidate, NOW)
        assert before == given_records
        assert added == Record(3, candidate, None, NOW, candidate.number, candidate.fingerprint)
    assert with_candidate([], candidate, NOW)[0].id == 1


# The rules once more, written naively from the prose, and compared on whatever hypothesis thinks of.


def later(one: Record, other: Record) -> bool:
    """Whether ``one`` is later than ``other`` by (nbf, iat, registration)."""
    assert one.license
    assert other.license
    if one.license.starts != other.license.starts:
        return one.license.starts > other.license.starts
    if one.license.issued != other.license.issued:
        return one.license.issued > other.license.issued
    return one.id > other.id


def the_latest(records: list[Record]) -> Record | None:
    for one in records:
        if all(one is other or later(one, other) for other in records):
            return one
    return None


def the_earliest(records: list[Record]) -> Record | None:
    for one in records:
        if all(one is other or later(other, one) for other in records):
            return one
    return None


def naively_withdrawn(record: Record, candidates: list[Record], now: datetime) -> bool:
    for other in candidates:
        assert other.license
        if record.number in other.license.supersedes and other.license.starts <= now and later(other, record):
            return True
    return False


def naive_in_force(records: Sequence[Record], now: datetime) -> tuple[list[Record], Record | None]:
    """Return the candidates that are not withdrawn, and the one in force."""
    candidates = [
        record for record in records if record.license and record.license.installation in (None, INSTALLATION)
    ]
    remaining = [record for record in candidates if not naively_withdrawn(record, candidates, now)]
    holding, in_grace = [], []
    for record in remaining:
        assert record.license
        end = record.license.expires
        if now < record.license.starts:
            continue
        if end is None or now < end:
            holding.append(record)
        elif now < end + timedelta(days=record.license.grace_days):
            in_grace.append(record)
    return remaining, the_latest(holding) or the_latest(in_grace)


def naive_standing(records: Sequence[Record], users: int, now: datetime) -> tuple[str, License | None]:
    remaining, in_force = naive_in_force(records, now)
    if in_force and in_force.license:
        if users > in_force.license.seats:
            return "seats_exceeded", in_force.license
        ended = in_force.license.expires is not None and now >= in_force.license.expires
        return ("grace" if ended else "active"), in_force.license
    ended_one = the_latest([record for record in remaining if record.license and record.license.starts <= now])
    if ended_one:
        return "expired", ended_one.license
    scheduled = the_earliest([record for record in remaining if record.license and record.license.starts > now])
    if scheduled:
        return "not_started", scheduled.license
    elsewhere = {record.id: record.license for record in records if record.license}
    if elsewhere:
        return "wrong_installation", elsewhere[max(elsewhere)]
    return ("unverifiable" if records else "unlicensed"), None


DAYS = st.integers(-4, 4)


@st.composite
def licenses(draw: st.DrawFn, index: int) -> License:
    starts = draw(DAYS)
    return lic(
        index,
        starts,
        draw(st.none() | st.integers(1, 6).map(lambda length: starts + length)),
        seats=draw(st.sampled_from([1, 2])),
        grace=draw(st.sampled_from([0, 0, 1, 3])),
        maintenance=draw(DAYS),
        issued=draw(st.integers(-9, -7)),
        here=draw(st.sampled_from([None, None, None, True, False])),
        supersedes=draw(st.lists(st.integers(1, 5), unique=True, max_size=2)),
    )


BOOKS = st.integers(0, 5).flatmap(
    lambda size: st.tuples(*(st.none() | licenses(index) for index in range(1, size + 1)))
)


@settings(deadline=None, max_examples=200)
@given(BOOKS, st.integers(1, 2), DAYS, st.booleans())
def test_the_standing_is_what_the_prose_says(
    book: tuple[License | None, ...],
    users: int,
    today: int,
    backwards: bool,
) -> None:
    records, now = registered(*book), day(today)
    records = records[::-1] if backwards else records
    answer = evaluate(records, installation=INSTALLATION, registered_users=users, now=now)
    assert (answer.kind.value, answer.license) == naive_standing(records, users, now)
    assert answer.web.usable is (answer.kind in ("active", "grace"))
    assert answer.restricted is not answer.web.usable
    assert answer.desktop.usable is bool(
        answer.web.usable and answer.license and answer.license.maintenance_expires > now
    )
    _, in_force = naive_in_force(records, now)
    states_now = record_states(records, installation=INSTALLATION, now=now)
    assert [id_ for id_, state in states_now.items() if state in ("in_force", "in_grace")] == (
        [in_force.id] if in_force else []
    )


@settings(deadline=None, max_examples=100)
@given(BOOKS, DAYS)
def test_the_next_license_is_the_first_other_one_that_is_in_force(book: tuple[License | None, ...], today: int) -> None:
    """Half a day at a time, so that no turn is missed."""
    records, now = registered(*book), day(today)
    expected = None
    _, present = naive_in_force(records, now)
    for step in range(1, 80):
        instant = now + timedelta(hours=12 * step)
        _, in_force = naive_in_force(records, instant)
        if in_force and in_force is not present:
            expected = (in_force.license, instant)
            break
    answer = evaluate(records, installation=INSTALLATION, registered_users=1, now=now)
    assert (answer.next, answer.next_at) == (expected or (None, None))


@settings(deadline=None, max_examples=150)
@given(BOOKS, licenses(6), DAYS)
@example((lic(1, -4, 2, grace=3),), lic(6, -4, 1, issued=-9), 0)
def test_a_key_is_too_old_exactly_if_it_never_comes_into_force(
    book: tuple[License | None, ...], candidate: License, today: int
) -> None:
    records, now = registered(*book), day(today)
    own = Record(6, candidate, None, now, candidate.number, candidate.fingerprint)
    first = None
    for step in range(40):
        instant = now + timedelta(hours=12 * step)
        if naive_in_force([*records, own], instant)[1] is own:
            first = instant
            break
    if first is None:
        with pytest.raises(LicenseError, match="older_than_registered"):
            takes_effect(candidate, records, installation=INSTALLATION, now=now)
    else:
        assert takes_effect(candidate, records, installation=INSTALLATION, now=now) == first
