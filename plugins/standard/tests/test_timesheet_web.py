"""The week as people use it: filled, wrong here and there, changed in two tabs, closed, copied, corrected."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from plugins.standard.tests.company import THURSDAY, Company
from plugins.standard.tests.sheet import MONDAY, Tab, entries

WEEKDAYS = [MONDAY + timedelta(days=number) for number in range(5)]


@pytest.fixture
def tab(office: Company, member_client: FlaskClient) -> Tab:
    """The member's sheet with two rows."""
    return Tab(member_client).with_row(office.tasks["drawing"], office.tasks["review"])


def test_a_filled_week_is_identical_after_loading_it_again(tab: Tab, office: Company) -> None:
    drawing, review = office.tasks["drawing"], office.tasks["review"]
    for day in WEEKDAYS:
        tab.type(drawing, day, "6:30").type(review, day, "1.5", "with the supplier")
    assert tab.press().status_code == 303
    assert [tab.shows(drawing, day) for day in WEEKDAYS] == ["6:30"] * 5
    assert [tab.shows(review, day) for day in WEEKDAYS] == ["1:30"] * 5
    assert "40:00" in tab.page
    shown = dict(tab.fields)
    tab.load()
    assert tab.fields == shown
    assert entries(office)[review, THURSDAY] == (90, "with the supplier")
