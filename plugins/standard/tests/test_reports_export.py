"""Exports: the same minutes in every form, text that stays text, and files that are sent while they are made."""

import csv
import io
import re
import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import openpyxl
import pytest
import time_machine
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from app.sdk import write_transaction
from plugins.standard.access import Role
from plugins.standard.entries import CellChange, Writer, save_cells
from plugins.standard.models import Project
from plugins.standard.reports import exporting, xlsx
from plugins.standard.reports.progress import HEAD, RowCount, framed
from plugins.standard.reports.xlsx import Duration, workbook
from plugins.standard.tests.company import THURSDAY, Company
from plugins.standard.tests.people import manager
from plugins.standard.tests.test_reports_web import HERE, ask, check_adds_up
from tests.conftest import add_person

MEMOS = ("", "=1+1", "+81 3", "@home", "図面の確認、佐藤さん", 'said "no", twice\nand went', "a;=2", "\u2014 é ß")


@pytest.fixture(autouse=True)
def thursday() -> Iterator[None]:
    """It is the day of the mock pages, at noon."""
    with time_machine.travel(datetime(2026, 11, 26, 12, tzinfo=UTC), tick=False):
        yield


@pytest.fixture
def busy(office: Company) -> Company:
    """Two people with hours and all sorts of memos."""
    other = add_person(office.app, "y.mori", name="森 由紀")
    with office.app.app_context():
        with write_transaction() as session:
            session.execute(update(Project).values(for_everybody=True))
        for number, writer in enumerate((office.writer, Writer(other, "y.mori", by="y.mori"))):
            changes = [
                CellChange(office.tasks[task], THURSDAY - timedelta(days=day), 31 + 7 * day + number, memo, 0)
                for day, memo in enumerate(MEMOS)
                for task in ("drawing", "of others")
            ]
            save_cells(writer, changes)
    return office


def csv_rows(client: FlaskClient, table: str, **query: str) -> list[dict[str, str]]:
    answer = client.get(f"/reports/export/{table}.csv", query_string=query)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))


def sheets_of(data: bytes) -> list[list[list[Any]]]:
    book = openpyxl.load_workbook(io.BytesIO(data))
    for sheet in book:
        assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row), "nothing calculates"
    return [[[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in book]


def xlsx_rows(client: FlaskClient, table: str, **query: str) -> list[dict[str, Any]]:
    answer = client.get(f"/reports/export/{table}.xlsx", query_string=query)
    assert answer.status_code == 200
    ((head, *rows),) = sheets_of(answer.data)
    return [dict(zip(head, row, strict=True)) for row in rows]


def as_minutes(value: object) -> int:
    """Minutes of a cell that openpyxl has read as a duration."""
    if isinstance(value, time):
        return value.hour * 60 + value.minute
    assert isinstance(value, timedelta)
    return round(value.total_seconds() / 60)


def of_text(text: str) -> int:
    hours, _, rest = text.partition(":")
    return int(hours) * 60 + int(rest)


def test_report_csv_and_workbook_say_the_same(busy: Company, admin_client: FlaskClient) -> None:
    """Of what the administrator sees, a manager and the member: the same condition everywhere."""
    others = busy.app.test_client()
    for client in (admin_client, manager(busy, Role.READER, "others")):
        for query in (
            {"period": "this_year", "group": "person", "then": "project"},
            {"period": "this_year", "group": "week", "then": "day", "billable": "yes"},
            {"since": "2026-11-20", "until": "2026-11-24", "group": "month", "then": "customer", "sort": "name"},
            {"period": "this_year", "group": "task", "project": str(busy.projects["others"])},
        ):
            total = check_adds_up(ask(client, HERE, **query))[2]
            assert total > 0
            for table in ("groups", "entries"):
                as_csv, as_xlsx = csv_rows(client, table, **query), xlsx_rows(client, table, **query)
                hours = "Total" if table == "groups" else "Hours"
                assert sum(int(row["Minutes"]) for row in as_csv) == total
                assert sum(of_text(row[hours]) for row in as_csv) == total
                assert sum(row["Minutes"] for row in as_xlsx) == total
                assert sum(as_minutes(row[hours]) for row in as_xlsx) == total
                assert len(as_csv) == len(as_xlsx)
    assert others.get("/reports/export/entries.csv").status_code in (302, 303)


def test_a_memo_stays_what_it_is(busy: Company, member_client: FlaskClient) -> None:
    """In a workbook to the letter; in CSV so that Excel takes it for text."""
    query = {"period": "this_month", "group": "task", "task": str(busy.tasks["drawing"])}
    as_xlsx = xlsx_rows(member_client, "entries", **query)
    assert sorted(row["Memo"] or "" for row in as_xlsx) == sorted(MEMOS)
    as_csv = {row["Memo"] for row in csv_rows(member_client, "entries", **query)}
    assert {"'=1+1", "'+81 3", "'@home", "a;'=2", MEMOS[4], MEMOS[5]} <= as_csv
    assert member_client.get("/reports/export/entries.csv", query_string=query).data.startswith(b"\xef\xbb\xbf")
    assert {row["Day"] for row in as_xlsx} == {
        datetime.combine(THURSDAY - timedelta(days=day), time()) for day in range(len(MEMOS))
    }


@pytest.mark.usefixtures("busy")
def test_a_member_exports_their_own_hours_alone(member_client: FlaskClient) -> None:
    rows = csv_rows(member_client, "entries", period="this_month", group="person")
    assert {row["Login"] for row in rows} == {"m.sakai"}
    assert [row["Login"] for row in csv_rows(member_client, "groups", period="this_month", group="person")] == [
        "m.sakai"
    ]
    refused = member_client.get("/reports/export/entries.csv?person=y.mori")
    assert (refused.status_code, "invalid-feedback" in refused.text) == (422, True)


@pytest.mark.usefixtures("busy")
def test_entries_are_read_in_batches_and_none_twice(admin_client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    query = {"period": "this_month", "group": "person"}
    at_once = csv_rows(admin_client, "entries", **query)
    for size in (1, 3, len(at_once)):
        monkeypatch.setattr(exporting, "_BATCH", size)
        assert csv_rows(admin_client, "entries", **query) == at_once


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_file_with_its_progress_is_the_same_file_in_frames_that_say_how_many_rows_there_are(
    admin_client: FlaskClient, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(exporting, "_BATCH", 3)
    address, query = f"/reports/export/entries.{kind}", {"since": "2026-11-01", "until": "2026-11-30"}
    plain = admin_client.get(address, query_string=query)
    answer = admin_client.get(address, query_string={**query, "progress": "1"})
    assert answer.content_type == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == plain.headers["Content-Disposition"]
    frames, rest = [], answer.data
    while rest:
        rows, size = HEAD.unpack_from(rest)
        frames.append((rows, rest[HEAD.size : HEAD.size + size]))
        rest = rest[HEAD.size + size :]
    assert b"".join(part for _, part in frames) == plain.data
    assert frames[-1] == (2 * 2 * len(MEMOS), b""), "the last one has all rows and says that nothing is missing"
    assert all(part for _, part in frames[:-1])


def test_rows_are_counted_while_parts_are_sent() -> None:
    count = RowCount()
    parts = (f"{number},".encode() for number in count.counted(range(3)))
    assert [HEAD.unpack(frame[: HEAD.size]) for frame in framed(parts, count)] == [(1, 2), (2, 2), (3, 2), (3, 0)]


@pytest.mark.usefixtures("busy")
def test_the_page_says_what_there_will_be(admin_client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    query = {"period": "this_month", "group": "person", "then": "day"}
    assert "/reports/export?period=this_month&amp;group=person&amp;then=day" in ask(admin_client, HERE, **query)
    page = ask(admin_client, "/reports/export", **query)
    assert "32 rows with day, person" in page
    for name in ("groups.csv", "groups.xlsx", "entries.csv", "entries.xlsx"):
        assert f'href="/reports/export/{name}?period=this_month&amp;group=person&amp;then=day"' in page
    monkeypatch.setattr(exporting, "ROWS_OF_TABLE", 15)
    many = admin_client.get("/reports/export/groups.xlsx", query_string=query)
    assert many.status_code == 409
    assert "This table has more than" in many.text
    nothing = ask(admin_client, "/reports/export", period="last_year", group="task")
    assert "0 rows with day" in nothing
    assert csv_rows(admin_client, "entries", period="last_year", group="task") == []
    assert xlsx_rows(admin_client, "groups", period="last_year", group="task") == []


# Workbooks ------------------------------------------------------------------------------------------------------------

texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"))
cells = st.one_of(
    st.none(),
    texts,
    st.integers(-(10**9), 10**9),
    st.dates(date(1900, 3, 1), date(9999, 12, 31)),
    st.integers(0, 10**7).map(Duration),
)


@given(st.lists(st.lists(cells, min_size=3, max_size=3), max_size=20))
def test_a_workbook_is_read_as_it_was_written(rows: list[list[xlsx.Cell]]) -> None:
    ((head, *read),) = sheets_of(b"".join(workbook("工数 & <co>", ["a", "=b", "c"], rows, [5, 6, 7])))
    assert head == ["a", "=b", "c"]
    assert len(read) == len(rows)
    for found, written in zip(read, rows, strict=True):
        for value, cell in zip(found, written, strict=True):
            if isinstance(cell, Duration):
                assert as_minutes(value) == cell.minutes
            elif isinstance(cell, date):
                assert value == datetime.combine(cell, time())
            else:
                assert value == (cell or None if isinstance(cell, str) else cell)


@pytest.mark.parametrize("minutes", [0, 1, 90, 120, 479, 1439, 1441, 10**7])
def test_a_duration_is_the_very_number_that_a_spreadsheet_divides(minutes: int) -> None:
    data = b"".join(workbook("T", ["a"], [[Duration(minutes)]], [5]))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        written = re.findall(r"<v>(.*?)</v>", archive.read("xl/worksheets/sheet1.xml").decode())
    assert [float(text) for text in written] == [minutes / 1440]


def test_what_no_file_can_hold_is_replaced() -> None:
    ((_, row, old),) = sheets_of(
        b"".join(workbook("T", ["a"], [["a\0b\x1f\ud800" + "x" * 40_000], [date(1, 1, 1)]], [5]))
    )
    assert row[0].startswith("a\ufffdb\ufffd\ufffdx")
    assert len(row[0]) == 32_767
    assert old == ["0001-01-01"]


def test_what_excel_would_take_for_the_number_of_a_character_stays_text() -> None:
    data = b"".join(workbook("T", ["a"], [["_x000D_ and _xA_ _x005f_"]], [5]))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert ">_x005F_x000D_ and _xA_ _x005F_x005f_<" in sheet


def test_more_rows_than_a_sheet_holds_go_on_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "ROWS_OF_SHEET", 4)
    for number, sheets in ((0, 1), (3, 1), (4, 2), (6, 2), (7, 3)):
        found = sheets_of(b"".join(workbook("T", ["n"], [[each] for each in range(number)], [5])))
        assert len(found) == sheets
        assert [row[0] for sheet in found for row in sheet[1:]] == list(range(number))
        assert all(sheet[0] == ["n"] for sheet in found)


def test_a_workbook_is_sent_while_it_is_made_and_takes_no_more_memory_for_more_rows() -> None:
    taken = 0

    def rows(number: int) -> Iterator[list[xlsx.Cell]]:
        nonlocal taken
        for each in range(number):
            taken = each
            yield [date(2026, 1, 1), f"memo {each * 7919}", Duration(each % 1440), each]

    parts = workbook("T", list("abcd"), rows(200_000), [5] * 4)
    next(parts)
    assert taken < 50_000, "the first part leaves long before the last row is read"
    parts.close()  # type: ignore[attr-defined]  # a browser that goes away
    peaks = []
    for number in (5_000, 40_000):
        tracemalloc.start()
        for _ in workbook("T", list("abcd"), rows(number), [5] * 4):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0] + 500_000


def test_a_workbook_has_its_parts_where_the_format_says() -> None:
    archive = zipfile.ZipFile(io.BytesIO(b"".join(workbook("T", ["a"], [["x"]], [5]))))
    assert archive.testzip() is None
    assert archive.namelist()[0] == "[Content_Types].xml"
    related = archive.read("xl/_rels/workbook.xml.rels").decode()
    assert {f"xl/{target}" for target in re.findall(r'Target="([^"]*)"', related)} <= set(archive.namelist())
