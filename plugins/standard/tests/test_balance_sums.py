"""Hours from sums are those of the days, whoever it is and whatever the day: the list of people and the month agree."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from plugins.standard.balance import Expectation, Presence, Sums, added_up, day_hours

BEGIN = date(2026, 11, 1)
near = st.integers(-5, 15).map(lambda days: BEGIN + timedelta(days=days))
expected_days = st.lists(st.sampled_from([0, 240, 480]), max_size=10)
worked = st.dictionaries(st.integers(0, 9), st.sampled_from([60, 240, 480, 600]), max_size=10)


@given(expected_days, worked, near, st.one_of(st.none(), near))
def test_the_hours_of_sums_are_those_of_the_days(
    expected: list[int], worked: dict[int, int], today: date, first: date | None
) -> None:
    days = [(BEGIN + timedelta(days=number), minutes) for number, minutes in enumerate(expected)]
    # Whoever has a first day has no hours before it, and nobody else is expected to have any.
    minutes = {day: worked.get(number, 0) for number, (day, _) in enumerate(days) if first is None or day >= first}
    presence = Presence(first)
    one_by_one = added_up(
        day_hours(day, minutes.get(day, 0), of_day if presence.holds(day) else 0, today=today) for day, of_day in days
    )
    sums = Sums(
        sum(minutes.values()),
        sum(1 for each in minutes.values() if each),
        sum(each for day, each in minutes.items() if day < today),
        sum(1 for day, of_day in days if of_day and day < today and minutes.get(day)),
        minutes.get(today, 0),
    )
    assert Expectation(days, today=today).hours(sums, first) == one_by_one
