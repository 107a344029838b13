"""Hours are written all or not at all, never into a closed day, never over what somebody else has written."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from app.sdk import read_connection, write_transaction
from plugins.standard.entries import (
    MEMO_LIMIT,
    CellChange,
    CellsChangedMeanwhile,
    CellsRefused,
    Writer,
    save_cells,
)
from plugins.standard.models import Entry, Project, Span, Task
from plugins.standard.tests.company import THURSDAY, Company

NEXT = THURSDAY + timedelta(days=1)


def entries(_: Company) -> dict[tuple[int, date], tuple[int, str]]:
    with read_connection() as connection:
        rows = connection.execute(select(Entry.task_id, Entry.day, Entry.minutes, Entry.memo))
        return {(row.task_id, row.day): (row.minutes, row.memo) for row in rows}


def version(task: int, day: date = THURSDAY) -> int:
    with read_connection() as connection:
        query = select(Entry.version).where(Entry.task_id == task, Entry.day == day)
        return connection.execute(query).scalar_one_or_none() or 0


def refused(writer: Writer, *changes: CellChange) -> dict[tuple[int, date], str]:
    with pytest.raises(CellsRefused) as raised:
        save_cells(writer, changes)
    return {cell: refusal.code for cell, refusal in raised.value.refusals.items()}


def test_what_is_saved_is_there(company: Company) -> None:
    drawing, review = company.tasks["drawing"], company.tasks["review"]
    changes = [CellChange(drawing, THURSDAY, 165, "gear", 0), CellChange(review, NEXT, 60, "", 0)]
    assert save_cells(company.writer, changes) == 2
    assert entries(company) == {(drawing, THURSDAY): (165, "gear"), (review, NEXT): (60, "")}


def test_saving_the_same_again_changes_nothing(company: Company) -> None:
    task = company.tasks["drawing"]
    save_cells(company.writer, [CellChange(task, THURSDAY, 60, "", 0)])
    seen = version(task)
    assert save_cells(company.writer, [CellChange(task, THURSDAY, 60, "", seen)]) == 0
    assert version(task) == seen


def test_no_minutes_remove_the_entry_and_no_other(company: Company) -> None:
    drawing, review = company.tasks["drawing"], company.tasks["review"]
    save_cells(company.writer, [CellChange(drawing, THURSDAY, 60, "a", 0), CellChange(review, THURSDAY, 30, "b", 0)])
    save_cells(company.writer, [CellChange(drawing, THURSDAY, 0, "a", version(drawing))])
    assert entries(company) == {(review, THURSDAY): (30, "b")}


def test_two_tabs_do_not_overwrite_each_other(company: Company) -> None:
    task = company.tasks["drawing"]
    save_cells(company.writer, [CellChange(task, THURSDAY, 60, "", 0)])
    seen = version(task)
    save_cells(company.writer, [CellChange(task, THURSDAY, 90, "first", seen)])
    with pytest.raises(CellsChangedMeanwhile) as raised:
        save_cells(company.writer, [CellChange(task, THURSDAY, 120, "second", seen)])
    assert (raised.value.present[task, THURSDAY].minutes, raised.value.present[task, THURSDAY].memo) == (90, "first")
    assert entries(company) == {(task, THURSDAY): (90, "first")}


def test_a_cell_that_was_emptied_and_filled_again_is_another_one(company: Company) -> None:
    task = company.tasks["drawing"]
    save_cells(company.writer, [CellChange(task, THURSDAY, 60, "", 0)])
    seen = version(task)
    save_cells(company.writer, [CellChange(task, THURSDAY, 0, "", seen)])
    save_cells(company.writer, [CellChange(task, THURSDAY, 30, "", 0)])
    with pytest.raises(CellsChangedMeanwhile):
        save_cells(company.writer, [CellChange(task, THURSDAY, 120, "", seen)])


def test_one_conflict_leaves_everything_as_it_was(company: Company) -> None:
    drawing, review = company.tasks["drawing"], company.tasks["review"]
    save_cells(company.writer, [CellChange(drawing, THURSDAY, 60, "", 0)])
    with pytest.raises(CellsChangedMeanwhile):
        save_cells(company.writer, [CellChange(review, THURSDAY, 30, "", 0), CellChange(drawing, THURSDAY, 90, "", 0)])
    assert entries(company) == {(drawing, THURSDAY): (60, "")}


def test_a_closed_day_is_not_written_and_the_rest_of_the_week_is(company: Company) -> None:
    task = company.tasks["drawing"]
    company.close(THURSDAY)
    codes = refused(company.writer, CellChange(task, THURSDAY, 60, "", 0), CellChange(task, NEXT, 60, "", 0))
    assert codes == {(task, THURSDAY): "day_closed"}
    assert entries(company) == {}
    assert save_cells(company.writer, [CellChange(task, NEXT, 60, "", 0)]) == 1


def test_a_day_of_ones_own_counts_before_everybodys(company: Company) -> None:
    task = company.tasks["drawing"]
    company.close(THURSDAY)
    company.close(THURSDAY - timedelta(days=1), user_id=company.writer.user_id)
    assert save_cells(company.writer, [CellChange(task, THURSDAY, 60, "", 0)]) == 1
    company.close(None)
    company.close(NEXT, user_id=company.writer.user_id)
    assert refused(company.writer, CellChange(task, NEXT, 60, "", 0)) == {(task, NEXT): "day_closed"}


def test_a_day_has_24_hours_over_all_tasks(company: Company) -> None:
    drawing, review = company.tasks["drawing"], company.tasks["review"]
    save_cells(company.writer, [CellChange(drawing, THURSDAY, 1380, "", 0)])
    assert refused(company.writer, CellChange(review, THURSDAY, 61, "", 0)) == {
        (review, THURSDAY): "duration_over_a_day"
    }
    assert save_cells(company.writer, [CellChange(review, THURSDAY, 60, "", 0)]) == 1


def test_hours_move_between_tasks_of_a_full_day(company: Company) -> None:
    drawing, review = company.tasks["drawing"], company.tasks["review"]
    save_cells(company.writer, [CellChange(drawing, THURSDAY, 1440, "", 0)])
    changes = [CellChange(drawing, THURSDAY, 480, "", version(drawing)), CellChange(review, THURSDAY, 960, "", 0)]
    assert save_cells(company.writer, changes) == 2


@pytest.mark.parametrize("task", ["finished", "of others", "missing"])
def test_hours_are_recorded_on_ones_own_tasks_alone(company: Company, task: str) -> None:
    task_id = company.tasks.get(task, 999_999)
    assert refused(company.writer, CellChange(task_id, THURSDAY, 60, "", 0)) == {
        (task_id, THURSDAY): "task_not_recordable"
    }


@pytest.mark.parametrize("table", [Task, Project])
def test_what_is_finished_keeps_its_hours_as_they_are(company: Company, table: type[Task] | type[Project]) -> None:
    task = company.tasks["drawing"]
    save_cells(company.writer, [CellChange(task, THURSDAY, 60, "", 0)])
    with write_transaction() as session:
        session.execute(update(table).values(active=False))
    assert refused(company.writer, CellChange(task, THURSDAY, 0, "", version(task))) == {
        (task, THURSDAY): "task_not_recordable"
    }


def test_a_memo_has_its_limit(company: Company) -> None:
    task = company.tasks["drawing"]
    assert save_cells(company.writer, [CellChange(task, THURSDAY, 60, "m" * MEMO_LIMIT, 0)]) == 1
    assert refused(company.writer, CellChange(task, NEXT, 60, "m" * (MEMO_LIMIT + 1), 0)) == {
        (task, NEXT): "memo_too_long"
    }


def test_a_cell_that_changes_loses_its_times_of_day_and_no_others(company: Company) -> None:
    drawing, review = company.tasks["drawing"], company.tasks["review"]
    save_cells(company.writer, [CellChange(drawing, THURSDAY, 60, "", 0), CellChange(review, THURSDAY, 60, "", 0)])
    with write_transaction() as session:
        for task in (drawing, review):
            place = {"user_id": company.writer.user_id, "day": THURSDAY, "task_id": task}
            session.add(Span(**place, starts=540, ends=600, minutes=60))
    save_cells(company.writer, [CellChange(drawing, THURSDAY, 90, "", version(drawing))])
    with read_connection() as connection:
        assert connection.execute(select(Span.task_id)).scalars().all() == [review]


def test_correcting_somebodys_hours_is_audited_with_both_names(company: Company) -> None:
    task = company.tasks["drawing"]
    save_cells(company.writer, [CellChange(task, THURSDAY, 60, "", 0)])
    by_manager = Writer(company.writer.user_id, company.writer.login, by="t.manager")
    save_cells(by_manager, [CellChange(task, THURSDAY, 90, "", version(task))])
    (entry,) = company.audited("sheet.correct")
    assert (entry.actor, entry.target) == ("t.manager", company.writer.login)
    cell = "2026-11-26 Kitamura Precision / Press / Drawing"
    assert (entry.before, entry.after) == ({cell: "1:00"}, {cell: "1:30"})


def test_ones_own_hours_are_not_audited(company: Company) -> None:
    save_cells(company.writer, [CellChange(company.tasks["drawing"], THURSDAY, 60, "", 0)])
    assert company.audited("sheet.correct") == []
