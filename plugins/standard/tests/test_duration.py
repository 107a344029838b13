"""What a person types into a cell is read as minutes, or refused in words; never anything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sdk import Refusal
from plugins.standard.duration import DAY, parse_duration, show_balance, show_clock, show_duration, show_sum


@pytest.mark.parametrize(
    "text",
    [
        *("1:30", "01:30", "1.5", "1,5", "90m", "90min", "1h30", "1h30m", "1h 30 min", "1.5h", "1 hour 30 minutes"),
        *("1時間30分", "90分", "１：３０", "１．５", "１ｈ３０", " 1:30 ", "1\u3000:30"),
    ],
)
def test_an_hour_and_a_half_is_written_in_many_ways(text: str) -> None:
    assert parse_duration(text) == 90


@pytest.mark.parametrize("text", ["", " ", "\u3000", "-", "–", "—", "0", "0:00", "0h", "0m", "０"])
def test_nothing_a_dash_and_zero_are_no_time(text: str) -> None:
    assert parse_duration(text) == 0


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("8", 480), ("24", DAY), ("24:00", DAY), (".25", 15), ("0.33", 20), ("0.1", 6), ("7.99", 479), ("1440m", DAY)],
)
def test_a_plain_number_is_hours(text: str, minutes: int) -> None:
    assert parse_duration(text) == minutes


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("-1", "duration_negative"),
        ("−1:30", "duration_negative"),
        ("25", "duration_over_a_day"),
        ("24:01", "duration_over_a_day"),
        ("1441m", "duration_over_a_day"),
        ("abc", "duration_invalid"),
        ("1:60", "duration_invalid"),
        ("1:3", "duration_invalid"),
        ("1e3", "duration_invalid"),
        ("1_000", "duration_invalid"),
        ("0x10", "duration_invalid"),
        ("1.5.5", "duration_invalid"),
        ("--", "duration_invalid"),
        ("1:30:00", "duration_invalid"),
        ("m", "duration_invalid"),
        ("h", "duration_invalid"),
        (".", "duration_invalid"),
        ("=1+1", "duration_invalid"),
        ("1\x00", "duration_invalid"),
        ("9" * 100_000, "duration_invalid"),
    ],
)
def test_what_is_no_duration_is_refused_with_its_reason(text: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_duration(text)
    assert refused.value.code == code


def test_time_is_recorded_in_steps() -> None:
    assert parse_duration("1:30", step=15) == 90
    with pytest.raises(Refusal) as refused:
        parse_duration("1:20", step=15)
    assert refused.value.code == "duration_not_in_steps"


@given(st.text(max_size=60))
def test_any_text_gives_minutes_of_a_day_or_a_refusal(text: str) -> None:
    try:
        minutes = parse_duration(text)
    except Refusal:
        return
    assert type(minutes) is int
    assert 0 <= minutes <= DAY


@given(st.integers(0, DAY))
def test_what_is_shown_is_read_as_the_same(minutes: int) -> None:
    assert parse_duration(show_duration(minutes)) == minutes


@pytest.mark.parametrize(("minutes", "shown"), [(0, "0:00"), (5, "0:05"), (-90, "−1:30"), (242_400, "4040:00")])
def test_durations_are_shown_in_hours_and_minutes(minutes: int, shown: str) -> None:
    assert show_duration(minutes) == shown


@pytest.mark.parametrize(
    ("minutes", "total", "balance"),
    [
        (0, "0:00", "0:00"),
        (60, "1:00", "+1:00"),
        (242_400, "4,040:00", "+4,040:00"),
        (-90_005, "−1,500:05", "−1,500:05"),
    ],
)
def test_sums_and_balances_have_separators(minutes: int, total: str, balance: str) -> None:
    assert (show_sum(minutes), show_balance(minutes)) == (total, balance)


@pytest.mark.parametrize(("minute", "shown"), [(0, "00:00"), (545, "09:05"), (1440, "24:00")])
def test_times_of_day_have_two_digits_each(minute: int, shown: str) -> None:
    assert show_clock(minute) == shown
