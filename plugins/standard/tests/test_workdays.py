"""What is expected of a day, with public holidays of any country in the reader's language."""

from datetime import date, timedelta

import pytest

from app.sdk import Refusal, TextSetting
from plugins.standard.settings import COUNTRY, SUBDIVISION
from plugins.standard.workdays import WorkCalendar, countries, public_holidays, subdivisions

MONDAY_TO_FRIDAY = frozenset(range(5))


def calendar(**changes: object) -> WorkCalendar:
    return WorkCalendar(**{"daily_minutes": 480, "working_days": MONDAY_TO_FRIDAY, **changes})


def test_a_week_without_holidays_expects_five_days() -> None:
    days = [date(2026, 11, 23) + timedelta(days=number) for number in range(7)]
    assert [calendar().expected(day) for day in days] == [480] * 5 + [0] * 2
    assert calendar().expected_of(days) == 2400


def test_nothing_is_expected_of_a_public_holiday() -> None:
    in_japan = calendar(country="JP", language="ja")
    assert in_japan.holiday(date(2026, 11, 23)) == "勤労感謝の日"
    assert in_japan.expected(date(2026, 11, 23)) == 0
    assert in_japan.expected(date(2026, 11, 24)) == 480


def test_holidays_are_named_in_the_readers_language_where_it_is_known() -> None:
    assert calendar(country="JP", language="en").holiday(date(2026, 11, 23)) == "Labor Thanksgiving Day"
    assert calendar(country="DE", language="ja").holiday(date(2026, 10, 3)) == "Tag der Deutschen Einheit"


def test_a_part_of_a_country_has_holidays_of_its_own() -> None:
    assert calendar(country="DE", subdivision="BY").holiday(date(2026, 1, 6)) is not None
    assert calendar(country="DE").holiday(date(2026, 1, 6)) is None
    assert "BY" in subdivisions("DE")


@pytest.mark.parametrize("country", ["XX", "", "jp"])
def test_a_country_that_the_library_does_not_know_has_no_holidays(country: str) -> None:
    assert public_holidays(country, "", "en", 2026) == {}


def test_a_part_that_the_country_does_not_have_takes_nothing_away() -> None:
    assert public_holidays("JP", "no such part", "en", 2026) == public_holidays("JP", "", "en", 2026) != {}


@pytest.mark.parametrize(("typed", "read"), [("", ""), ("jp", "JP"), (" DE ", "DE")])
def test_the_code_of_a_country_is_read_in_capitals_or_not(typed: str, read: str) -> None:
    assert COUNTRY.parse(typed) == read


@pytest.mark.parametrize(("typed", "read"), [("", ""), ("by", "BY"), ("AUGSBURG", "Augsburg")])
def test_the_code_of_a_part_is_read_in_capitals_or_not(typed: str, read: str) -> None:
    assert SUBDIVISION.parse(typed) == read


@pytest.mark.parametrize(("setting", "code"), [(COUNTRY, "country_unknown"), (SUBDIVISION, "subdivision_unknown")])
def test_a_code_that_nothing_has_is_refused(setting: TextSetting, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        setting.parse("XX")
    assert refused.value.code == code


def test_a_person_may_work_on_other_days() -> None:
    sunday_to_thursday = calendar(working_days=frozenset({6, 0, 1, 2, 3}))
    assert sunday_to_thursday.is_working_day(date(2026, 11, 29))
    assert not sunday_to_thursday.is_working_day(date(2026, 11, 27))


def test_the_countries_on_offer_are_countries() -> None:
    offered = countries()
    assert {"JP", "DE", "US", "GB"} <= set(offered)
    assert list(offered) == sorted(set(offered))
