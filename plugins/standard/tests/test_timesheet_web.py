"""The week as people use it: filled, wrong here and there, changed in two tabs, closed, copied, corrected."""

import re
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from app.sdk import write_transaction
from plugins.standard.access import Role
from plugins.standard.entries import CellChange, save_cells
from plugins.standard.models import Project, Task
from plugins.standard.tests.company import THURSDAY, Company
from plugins.standard.tests.people import MANAGER, counted, manager, set_option
from plugins.standard.tests.sheet import MONDAY, WEEK, Tab, entries
from tests.conftest import MEMBER, csrf_token

WEEKDAYS = [MONDAY + timedelta(days=number) for number in range(5)]
FRIDAY = WEEKDAYS[4]
NEXT_WEEK = "2026-W49"
A_WEEK = timedelta(weeks=1)


@pytest.fixture
def tab(office: Company, member_client: FlaskClient) -> Tab:
    """The member's sheet with two rows."""
    return Tab(member_client).with_row(office.tasks["drawing"], office.tasks["review"])


def record(office: Company, *changes: tuple[str, date, int]) -> None:
    """Record hours for the member without a page."""
    with office.app.app_context():
        save_cells(
            office.writer, [CellChange(office.tasks[task], day, minutes, "", 0) for task, day, minutes in changes]
        )


def finish(office: Company, task: str) -> None:
    with office.app.app_context(), write_transaction() as session:
        session.execute(update(Task).where(Task.id == office.tasks[task]).values(active=False))


# Filling ------------------------------------------------------------------------------------------------------------


def test_a_filled_week_is_identical_after_loading_it_again(tab: Tab, office: Company) -> None:
    drawing, review = office.tasks["drawing"], office.tasks["review"]
    for day in WEEKDAYS:
        tab.type(drawing, day, "6:30").type(review, day, "1.5", "with the supplier")
    assert tab.press().status_code == 303
    assert "10 cells saved." in tab.page
    assert [tab.shows(drawing, day) for day in WEEKDAYS] == ["6:30"] * 5
    assert [tab.shows(review, day) for day in WEEKDAYS] == ["1:30"] * 5
    assert "40:00" in tab.page
    shown = tab.typed
    tab.load()
    assert tab.typed == shown
    assert entries(office)[review, THURSDAY] == (90, "with the supplier")


def test_durations_are_read_as_people_type_them(tab: Tab, office: Company) -> None:
    typed = {"90m": 90, "1h30": 90, "１：３０": 90, "1,5": 90, "８": 480}
    for day, text in zip(WEEKDAYS, typed, strict=True):
        tab.type(office.tasks["drawing"], day, text)
    assert tab.press().status_code == 303
    assert [entries(office)[office.tasks["drawing"], day][0] for day in WEEKDAYS] == list(typed.values())


def test_what_is_wrong_is_said_at_its_cell_and_everything_else_stays(tab: Tab, office: Company) -> None:
    drawing, review = office.tasks["drawing"], office.tasks["review"]
    tab.type(drawing, MONDAY, "-1").type(drawing, THURSDAY, "25").type(drawing, FRIDAY, "abc", "a memo")
    tab.type(review, FRIDAY, "2:00", "that stays")
    answer = tab.press()
    assert answer.status_code == 422
    assert entries(office) == {}
    for text in ("A duration cannot be less than nothing.", "A day has 24 hours.", "“abc” is no duration."):
        assert text in tab.page
    assert tab.page.count('aria-invalid="true"') == 3
    assert f'id="e-{drawing}-{MONDAY}"' in tab.page
    assert [tab.shows(drawing, day) for day in (MONDAY, THURSDAY, FRIDAY)] == ["-1", "25", "abc"]
    assert (tab.shows(review, FRIDAY), tab.fields[f"m-{review}-{FRIDAY}"]) == ("2:00", "that stays")
    tab.type(drawing, MONDAY, "").type(drawing, THURSDAY, "").type(drawing, FRIDAY, "1")
    assert tab.press().status_code == 303
    assert entries(office) == {(drawing, FRIDAY): (60, "a memo"), (review, FRIDAY): (120, "that stays")}


def test_a_day_over_24_hours_is_refused_at_its_cells(tab: Tab, office: Company) -> None:
    drawing, review = office.tasks["drawing"], office.tasks["review"]
    tab.type(drawing, THURSDAY, "20").type(review, THURSDAY, "5").type(review, FRIDAY, "1")
    assert tab.press().status_code == 422
    assert tab.page.count('aria-invalid="true"') == 2
    assert entries(office) == {}
    tab.type(review, THURSDAY, "4")
    assert tab.press().status_code == 303
    assert len(entries(office)) == 3


def test_clearing_a_cell_removes_the_entry_and_touches_no_other(tab: Tab, office: Company) -> None:
    drawing, review = office.tasks["drawing"], office.tasks["review"]
    tab.type(drawing, THURSDAY, "1", "a").type(review, THURSDAY, "2", "b").press()
    tab.type(drawing, THURSDAY, "")
    assert tab.press().status_code == 303
    assert entries(office) == {(review, THURSDAY): (120, "b")}
    assert tab.shows(drawing, THURSDAY) == "", "the row stays on the sheet"


def test_a_memo_without_hours_is_refused_rather_than_lost(tab: Tab, office: Company) -> None:
    tab.type(office.tasks["drawing"], THURSDAY, "", "what I did")
    assert tab.press().status_code == 422
    assert "A memo belongs to hours" in tab.page
    assert tab.fields[f"m-{office.tasks['drawing']}-{THURSDAY}"] == "what I did"


def test_a_memo_of_several_lines_is_the_same_after_saving_the_page_as_it_is(tab: Tab, office: Company) -> None:
    drawing = office.tasks["drawing"]
    tab.type(drawing, THURSDAY, "1", "\n=1+1\r\nsecond\n").press()
    assert entries(office)[drawing, THURSDAY] == (60, "=1+1\nsecond")
    before = tab.typed
    tab.press()
    assert "There was nothing to save." in tab.page
    assert tab.typed == before


def test_only_what_is_changed_by_hand_keeps_to_the_step(tab: Tab, office: Company) -> None:
    drawing, review = office.tasks["drawing"], office.tasks["review"]
    record(office, ("drawing", THURSDAY, 67))
    set_option(office, "standard.granularity", "15")
    tab.load()
    assert "Time is recorded in steps of 15 minutes." in tab.page
    assert tab.type(drawing, THURSDAY, "1:07", "by the timer").type(review, THURSDAY, "0:45").press().status_code == 303
    assert entries(office) == {(drawing, THURSDAY): (67, "by the timer"), (review, THURSDAY): (45, "")}
    assert tab.type(review, THURSDAY, "0:50").press().status_code == 422


def test_a_holiday_is_named_in_its_column_and_below_the_sheet(tab: Tab, office: Company) -> None:
    set_option(office, "standard.country", "JP")
    tab.load()
    assert '<small class="ts-holiday">Labor Thanksgiving Day<' in tab.page
    assert "Monday, 23 November 2026 is a holiday: Labor Thanksgiving Day." in tab.page
    assert "0:00</strong> / 32:00" in tab.page


# Two tabs -----------------------------------------------------------------------------------------------------------


def test_the_second_of_two_tabs_sees_what_changed_and_loses_nothing(tab: Tab, office: Company) -> None:
    drawing, review = office.tasks["drawing"], office.tasks["review"]
    other = Tab(tab.client)
    tab.type(drawing, THURSDAY, "1:30", "from the first").press()
    other.type(drawing, THURSDAY, "2", "from the second").type(review, FRIDAY, "3")
    answer = other.press()
    assert answer.status_code == 409
    assert f"Now 1:30, by {MEMBER}; you typed 2." in other.page
    assert "from the first" in other.page
    assert entries(office) == {(drawing, THURSDAY): (90, "from the first")}
    assert (other.shows(drawing, THURSDAY), other.shows(review, FRIDAY)) == ("2", "3")
    assert other.fields[f"m-{drawing}-{THURSDAY}"] == "from the second"
    assert other.press().status_code == 303
    assert entries(office) == {(drawing, THURSDAY): (120, "from the second"), (review, FRIDAY): (180, "")}


def test_a_tab_that_has_been_open_for_long_leaves_alone_what_it_did_not_change(tab: Tab, office: Company) -> None:
    drawing, review = office.tasks["drawing"], office.tasks["review"]
    other = Tab(tab.client)
    tab.type(drawing, THURSDAY, "1:30").press()
    assert other.type(review, THURSDAY, "2").press().status_code == 303
    assert entries(office) == {(drawing, THURSDAY): (90, ""), (review, THURSDAY): (120, "")}
    assert other.shows(drawing, THURSDAY) == "1:30"


def test_a_mistake_elsewhere_does_not_hide_that_a_cell_has_changed(tab: Tab, office: Company) -> None:
    drawing, review = office.tasks["drawing"], office.tasks["review"]
    other = Tab(tab.client)
    tab.type(drawing, THURSDAY, "1:30").press()
    assert other.type(drawing, THURSDAY, "2").type(review, FRIDAY, "abc").press().status_code == 422
    assert other.type(review, FRIDAY, "1").press().status_code == 409
    assert entries(office) == {(drawing, THURSDAY): (90, "")}


# Closing ------------------------------------------------------------------------------------------------------------


def test_closing_in_the_middle_of_a_week_leaves_the_later_days_open(tab: Tab, office: Company) -> None:
    drawing = office.tasks["drawing"]
    tab.type(drawing, MONDAY, "4").press()
    office.close(MONDAY + timedelta(days=1))
    tab.load()
    assert f"h-{drawing}-{MONDAY}" not in tab.fields
    assert "Days up to Tuesday, 24 November 2026 are closed." in tab.page
    assert tab.type(drawing, THURSDAY, "2").press().status_code == 303
    assert entries(office) == {(drawing, MONDAY): (240, ""), (drawing, THURSDAY): (120, "")}


def test_a_page_that_was_open_while_its_day_was_closed_changes_nothing_and_shows_what_was_typed(
    tab: Tab, office: Company
) -> None:
    drawing, review = office.tasks["drawing"], office.tasks["review"]
    tab.type(drawing, MONDAY, "4").type(review, THURSDAY, "1:15")
    office.close(MONDAY)
    assert tab.press().status_code == 422
    assert entries(office) == {}
    assert "This day is closed." in tab.page
    assert "You typed 4." in tab.page
    assert tab.shows(review, THURSDAY) == "1:15"
    assert tab.press().status_code == 303
    assert entries(office) == {(review, THURSDAY): (75, "")}


def test_a_crafted_post_changes_nothing(tab: Tab, office: Company) -> None:
    office.close(MONDAY)
    finished, foreign = office.tasks["finished"], office.tasks["of others"]
    outside = MONDAY - timedelta(days=1)
    for task, day in ((office.tasks["drawing"], MONDAY), (finished, THURSDAY), (foreign, THURSDAY), (999, THURSDAY)):
        answer = tab.press(**{f"h-{task}-{day}": "1", f"s-{task}-{day}": "0.0.00000000"})
        assert answer.status_code == 422
    for name in (f"h-{office.tasks['drawing']}-{outside}", "h-1-2026-11-31", "h-1-1-1", "h-", f"h-{10**30}-{THURSDAY}"):
        assert tab.press(**{name: "1"}).status_code == 303
    assert tab.press(f"add-{foreign}").status_code == 409
    assert tab.press(f"add-{10**18 - 1}").status_code == 409
    assert tab.press(f"star-{10**18 - 1}").status_code == 409
    assert tab.press("remove-x").status_code == 303
    assert tab.press(**{f"h-999-{THURSDAY}": "0", f"s-999-{THURSDAY}": "0.5.00000000"}).status_code == 303
    assert entries(office) == {}


def test_a_finished_task_is_text_with_the_reason(tab: Tab, office: Company) -> None:
    drawing = office.tasks["drawing"]
    tab.type(drawing, THURSDAY, "4").press()
    finish(office, "drawing")
    tab.load()
    assert f"h-{drawing}-{FRIDAY}" not in tab.fields
    assert '<span class="rx-badge rx-badge--plain">finished</span>' in tab.page


# Rows ---------------------------------------------------------------------------------------------------------------


def test_rows_stay_without_hours_and_go_when_they_are_removed(office: Company, member_client: FlaskClient) -> None:
    tab, drawing = Tab(member_client), office.tasks["drawing"]
    assert "Nothing on this week’s sheet yet" in tab.page
    tab.with_row(drawing).load()
    assert tab.shows(drawing, THURSDAY) == ""
    tab.type(drawing, THURSDAY, "1").press()
    assert tab.press(f"remove-{drawing}").status_code == 409, "there are hours in it"
    assert tab.type(drawing, THURSDAY, "").press(f"remove-{drawing}").status_code == 303
    assert f"h-{drawing}-{THURSDAY}" not in tab.fields
    assert entries(office) == {}


def test_whatever_is_pressed_saves_what_was_typed(tab: Tab, office: Company) -> None:
    drawing, review = office.tasks["drawing"], office.tasks["review"]
    assert tab.type(drawing, THURSDAY, "1").press(f"star-{drawing}").status_code == 303
    assert tab.type(drawing, FRIDAY, "2").press("search", q="rev").status_code == 303
    assert tab.type(review, FRIDAY, "x").press(f"unstar-{drawing}").status_code == 422
    assert {cell: minutes for cell, (minutes, _) in entries(office).items()} == {
        (drawing, THURSDAY): 60,
        (drawing, FRIDAY): 120,
    }
    assert f'value="unstar-{drawing}"' in tab.page


def test_tasks_are_found_by_code_name_project_and_customer(office: Company, member_client: FlaskClient) -> None:
    def found(words: str) -> set[str]:
        page = member_client.get("/timesheet/tasks", query_string={"week": WEEK, "q": words}).text
        return {name for name, task in office.tasks.items() if f'value="add-{task}"' in page}

    assert found("") == {"drawing", "review"}
    assert found("rx-1") == found("ＲＸ-１") == found("Review press") == found("kitamura REV") == {"review"}
    assert found("others") == found("100%") == found("x_y") == set()


def test_favourites_and_recent_tasks_are_offered_first(office: Company, member_client: FlaskClient) -> None:
    tab = Tab(member_client, week=NEXT_WEEK)
    with office.app.app_context():
        recently = date.today() - timedelta(days=3)  # noqa: DTZ011 - any of the last weeks
        save_cells(office.writer, [CellChange(office.tasks["drawing"], recently, 60, "", 0)])
    tab.press(f"star-{office.tasks['review']}")
    page = tab.page
    assert page.index(f'value="add-{office.tasks["review"]}"') < page.index(f'value="add-{office.tasks["drawing"]}"')
    tab.press("favourites")
    assert f"h-{office.tasks['review']}-{THURSDAY + A_WEEK}" in tab.fields
    assert f"h-{office.tasks['drawing']}-{THURSDAY + A_WEEK}" not in tab.fields


# Copying last week --------------------------------------------------------------------------------------------------


def test_last_week_is_copied_without_overwriting_and_twice_is_once(tab: Tab, office: Company) -> None:
    drawing, review = office.tasks["drawing"], office.tasks["review"]
    record(office, ("drawing", MONDAY, 60), ("drawing", THURSDAY, 120), ("review", FRIDAY, 180))
    following = Tab(tab.client, week=NEXT_WEEK).with_row(drawing)
    following.type(drawing, THURSDAY + A_WEEK, "5", "mine").press()
    expected = {
        (drawing, MONDAY + A_WEEK): (60, ""),
        (drawing, THURSDAY + A_WEEK): (300, "mine"),
        (review, FRIDAY + A_WEEK): (180, ""),
    }
    before = entries(office)
    assert following.press("hours").status_code == 303
    assert "Copied from last week: 1 row and 2 cells. 1 cell has hours already, which stay." in following.page
    assert entries(office) == before | expected
    assert following.press("hours").status_code == 303
    assert "Nothing was copied" in following.page
    assert entries(office) == before | expected


def test_rows_alone_are_copied_without_hours(tab: Tab, office: Company) -> None:
    record(office, ("drawing", MONDAY, 60))
    following = Tab(tab.client, week=NEXT_WEEK)
    following.press("rows")
    assert "Copied from last week: 2 rows.<" in following.page
    assert following.shows(office.tasks["drawing"], MONDAY + A_WEEK) == ""
    assert f"h-{office.tasks['review']}-{FRIDAY + A_WEEK}" in following.fields, "a row without hours is a row"
    assert len(entries(office)) == 1


def test_copying_leaves_out_finished_tasks_and_closed_days_and_says_so(tab: Tab, office: Company) -> None:
    record(office, ("drawing", MONDAY, 60), ("drawing", FRIDAY, 60), ("review", MONDAY, 60))
    finish(office, "review")
    office.close(MONDAY + A_WEEK)
    following = Tab(tab.client, week=NEXT_WEEK)
    before = entries(office)
    assert following.press("hours").status_code == 303
    assert "Left out, as no hours can be recorded on them any more: Review." in following.page
    assert "1 cell was left out since its day is closed." in following.page
    assert entries(office) == before | {(office.tasks["drawing"], FRIDAY + A_WEEK): (60, "")}


# Other people -------------------------------------------------------------------------------------------------------


def test_a_member_who_asks_for_anothers_sheet_gets_403(office: Company, member_client: FlaskClient) -> None:
    token = csrf_token(member_client, "/timesheet/")
    for path in ("/timesheet/?person=1", "/timesheet/day?person=1", "/timesheet/tasks?person=1"):
        answer = member_client.get(path)
        assert (answer.status_code, "sheet_not_yours" in answer.text) == (403, True)
    data = {"csrf_token": token, f"h-{office.tasks['drawing']}-{THURSDAY}": "1"}
    assert member_client.post("/timesheet/?person=1", data=data).status_code == 403
    assert entries(office) == {}
    assert member_client.get("/timesheet/?person=x").status_code == 404


def test_a_phone_opens_another_week_on_its_first_day_that_can_be_written(tab: Tab, office: Company) -> None:
    def shown(week: str) -> str:
        found = re.search(r'name="at" value="([^"]+)"[^>]* checked', Tab(tab.client, week=week).page)
        assert found is not None
        return found[1]

    record(office, *(("drawing", date(2020, 3, day), 60) for day in (2, 9, 16)))
    office.close(date(2020, 3, 10))
    assert shown("2020-W12") == "2020-03-16"
    assert shown("2020-W11") == "2020-03-11"
    assert shown("2020-W10") == "2020-03-02", "all of it is closed"


def test_a_corrector_corrects_the_projects_that_name_them_and_is_audited(tab: Tab, office: Company) -> None:
    drawing = office.tasks["drawing"]
    tab.type(drawing, THURSDAY, "1").press()
    theirs = Tab(manager(office, Role.CORRECTOR, "press"), person=office.writer.user_id)
    assert "This is the time sheet of Mio Sakai." in theirs.page
    assert theirs.type(drawing, THURSDAY, "2").press().status_code == 303
    assert entries(office) == {(drawing, THURSDAY): (120, "")}
    (entry,) = office.audited("sheet.correct")
    assert (entry.actor, entry.target) == (MANAGER, MEMBER)
    assert list(entry.before.values()) == ["1:00"]
    assert list(entry.after.values()) == ["2:00"]
    tab.load()
    assert "2:00" in tab.page


def test_a_corrector_sees_and_writes_nothing_of_other_projects(office: Company) -> None:
    drawing, foreign = office.tasks["drawing"], office.tasks["of others"]
    with office.app.app_context(), write_transaction() as session:
        session.execute(update(Project).values(for_everybody=True))
    record(office, ("drawing", THURSDAY, 60), ("of others", THURSDAY, 123))
    theirs = Tab(manager(office, Role.CORRECTOR, "press"), person=office.writer.user_id)
    assert f"h-{foreign}-{THURSDAY}" not in theirs.fields
    assert "2:03" not in theirs.page
    assert "3:03" not in theirs.page
    before = entries(office)
    assert theirs.press(**{f"h-{foreign}-{THURSDAY}": "1"}).status_code == 403
    assert theirs.press(f"add-{foreign}").status_code == 403
    assert theirs.type(drawing, FRIDAY, "1").press("hours").status_code == 303, "saved, and nothing is copied"
    assert entries(office) == before | {(drawing, FRIDAY): (60, "")}


def test_a_reader_reads_and_changes_nothing(tab: Tab, office: Company) -> None:
    drawing = office.tasks["drawing"]
    tab.type(drawing, THURSDAY, "1:23").press()
    client = manager(office, Role.READER, "press")
    theirs = Tab(client, person=office.writer.user_id)
    assert "1:23" in theirs.page
    assert not [name for name in theirs.fields if name.startswith("h-")]
    data = {"csrf_token": csrf_token(client, "/timesheet/"), f"h-{drawing}-{THURSDAY}": "2"}
    assert client.post("/timesheet/", query_string=theirs.query, data=data).status_code == 403
    assert client.get("/timesheet/day", query_string={"person": office.writer.user_id}).status_code == 200
    assert entries(office) == {(drawing, THURSDAY): (83, "")}


# Cost ---------------------------------------------------------------------------------------------------------------


def test_the_week_takes_six_statements_at_most_whatever_the_history(tab: Tab, office: Company) -> None:
    theirs = manager(office, Role.CORRECTOR, "press")
    theirs.get("/timesheet/")  # the first page of a session also writes down when somebody was seen
    for _ in range(2):
        with counted(office.app) as own:
            tab.client.get("/timesheet/", query_string=tab.query)
        with counted(office.app) as others:
            theirs.get("/timesheet/", query_string={**tab.query, "person": office.writer.user_id})
        assert max(len(own), len(others)) <= 6, [*own, "", *others]
        days = [THURSDAY - timedelta(days=number) for number in range(1, 60)]
        record(office, *(("drawing", day, 60) for day in days), *(("review", day, 90) for day in days))


def test_the_grid_adds_up_to_what_is_recorded(tab: Tab, office: Company) -> None:
    for number, day in enumerate(WEEKDAYS, start=1):
        tab.type(office.tasks["drawing"], day, f"{number}:07").type(office.tasks["review"], day, f"0:{number}3")
    tab.press()
    total = sum(minutes for minutes, _ in entries(office).values())
    assert f'data-ts="week-total">{total // 60}:{total % 60:02}<' in tab.page


def test_a_week_that_is_no_week_is_this_week(member_client: FlaskClient) -> None:
    for week in ("2026-W54", "0000-W01", "x", "9999-W53"):
        assert member_client.get("/timesheet/", query_string={"week": week}).status_code == 200
    for week in ("0001-W01", "9999-W52", "2026-W53"):
        page = member_client.get("/timesheet/", query_string={"week": week})
        assert page.status_code == 200
        assert Tab(member_client, week=week).press("hours").status_code == 303
