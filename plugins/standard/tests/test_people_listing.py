"""The list of people: searched, filtered, sorted, cut into pages, and added up."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from plugins.standard.balance import Hours
from plugins.standard.people.listing import ListedPerson, Order, Query, Which, page_of
from plugins.standard.people_hours import PersonHours

SMALL = st.integers(0, 5)
HOURS = st.builds(Hours, SMALL, SMALL, SMALL, SMALL, SMALL)
PEOPLE = st.lists(
    st.builds(
        lambda number, name, hours, closed, days: (number, name, hours, closed, days),
        st.integers(1, 1000),
        st.sampled_from(["Mio Sakai", "Ken Hasegawa", "佐藤 花子", "Łukasz", "mio"]),
        HOURS,
        st.none() | st.dates(),
        SMALL,
    ),
    unique_by=lambda each: each[0],
    max_size=30,
).map(lambda rows: [person(*row) for row in rows])


def person(number: int, name: str, hours: Hours, closed: date | None = None, days: int = 0) -> ListedPerson:
    one = PersonHours(number, f"login{number}", name, False, closed, False, hours, days)
    return ListedPerson(one, may_correct=False)


@given(PEOPLE, st.sampled_from(Order), st.booleans(), st.integers(1, 7))
def test_the_pages_together_are_everybody_once_in_one_order(
    people: list[ListedPerson], order: Order, descending: bool, size: int
) -> None:
    pages, number = [], 1
    while True:
        page = page_of(people, Query(order=order, descending=descending, page=number), is_partial=False, size=size)
        pages.append(page)
        if number == page.pages:
            break
        number += 1
    shown = [each for page in pages for each in page.people]
    assert sorted(each.hours.user_id for each in shown) == sorted(each.hours.user_id for each in people)
    assert {page.total for page in pages} == {len(people)}
    if order is Order.BALANCE:
        balances = [each.hours.hours.balance for each in shown]
        assert balances == sorted(balances, reverse=descending)
    assert {page.hours.minutes for page in pages} == {sum(each.hours.hours.minutes for each in people)}
    assert {page.hours.balance for page in pages} == {sum(each.hours.hours.balance for each in people)}


@given(PEOPLE, st.text(max_size=8), st.integers(-3, 99))
def test_whatever_is_searched_for_finds_those_alone(people: list[ListedPerson], text: str, number: int) -> None:
    page = page_of(people, Query(search=text, page=number), is_partial=False)
    assert page.total <= len(people)
    assert page.last - page.first + bool(page.people) == len(page.people)


def test_names_and_logins_are_found_whatever_their_case_and_width() -> None:
    people = [person(1, "Mio Sakai", Hours()), person(2, "佐藤 花子", Hours())]
    for text, found in (("ＳＡＫＡＩ mio", [1]), ("花子", [2]), ("LOGIN2", [2]), ("login", [1, 2]), ("mio 花子", [])):
        page = page_of(people, Query(search=text), is_partial=False)
        assert [each.hours.user_id for each in page.people] == found, text


def test_the_filter_shows_who_lacks_days_or_has_no_hours() -> None:
    people = [person(1, "A", Hours(minutes=60, missing=1)), person(2, "B", Hours())]
    lacking = Query(which=Which.LACKING)
    assert [each.hours.user_id for each in page_of(people, lacking, is_partial=False).people] == [1]
    assert [each.hours.user_id for each in page_of(people, lacking, is_partial=True).people] == [2]
