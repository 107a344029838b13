"""System Operation → Audit log: table, filters, pages, export."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, text
from sqlalchemy.dialects import postgresql, sqlite

from app.audit import AuditEntry, Event, record
from app.database import read_connection, write_transaction
from app.settings.operation import audit_log
from app.settings.operation.actions import ACTIONS
from app.settings.operation.audit_log import PAGE, Cursor, Filters, read_all, read_page
from app.settings.operation.csv_export import harmless
from tests.conftest import ADMINISTRATOR, MEMBER, add_person, csrf_token, log_in

AUDIT = "/settings/operation/audit"
EXPORT = "/settings/operation/audit/export"
START = datetime(2026, 11, 1, tzinfo=UTC)


def add_entries(app: Flask, number: int, **changes: object) -> None:
    standard = {
        "actor": "s.kondo",
        "action": "user.change",
        "target": "",
        "outcome": "done",
        "code": None,
        "before": None,
        "after": None,
        "address": "192.0.2.7",
    }
    rows = [
        {"at": START + timedelta(minutes=index), **standard, "target": f"target-{index}", **changes}
        for index in range(number)
    ]
    with app.app_context(), write_transaction() as session:
        session.execute(insert(AuditEntry), rows)


def rows_of(page: str) -> list[str]:
    return re.findall(r'<tr><th scope="row">.*?</tr>', page, re.DOTALL)


def exported(client: FlaskClient, **filters: str) -> list[dict[str, str]]:
    answer = client.get(EXPORT, query_string=filters)
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))


def test_an_entry_shows_who_what_target_values_address_and_outcome(
    licensed_app: Flask, admin_client: FlaskClient
) -> None:
    add_entries(licensed_app, 1, action="user.change", before={"name": "Old"}, after={"name": "New"}, target="m.sakai")
    row = rows_of(admin_client.get(AUDIT, query_string={"action": "user.change"}).text)[0]
    for shown in ("Change user", "m.sakai", "s.kondo", "192.0.2.7", "Old → New", "Done", "2026-11-01T00:00:00+00:00"):
        assert shown in row


def test_a_refusal_shows_its_code(licensed_app: Flask, admin_client: FlaskClient) -> None:
    visitor = licensed_app.test_client()
    visitor.post("/login", data={"login": MEMBER, "password": "wrong", "csrf_token": csrf_token(visitor)})
    row = rows_of(admin_client.get(AUDIT).text)[0]
    assert "wrong_credentials" in row
    assert "Refused" in row
    assert "Nobody logged in" in row


def test_only_values_that_differ_are_shown(licensed_app: Flask, admin_client: FlaskClient) -> None:
    add_entries(licensed_app, 1, before={"name": "Same", "email": None}, after={"name": "Same", "email": "x@y.example"})
    row = rows_of(admin_client.get(AUDIT, query_string={"action": "user.change"}).text)[0]
    assert "Same" not in row
    assert "– → x@y.example" in row


def test_times_are_those_of_the_person(licensed_app: Flask) -> None:
    add_entries(licensed_app, 1)
    with licensed_app.app_context(), write_transaction() as session:
        session.execute(
            text("UPDATE users SET time_zone = 'Asia/Tokyo' WHERE login = :login"), {"login": ADMINISTRATOR}
        )
    client = licensed_app.test_client()
    log_in(client, ADMINISTRATOR)
    page = client.get(AUDIT, query_string={"action": "user.change"}).text
    assert "Asia/Tokyo" in page
    assert "9:00" in rows_of(page)[0]
    # The day begins in Tokyo: 00:00 UTC is on 1 November there, 15:00 UTC on 2 November.
    add_entries(licensed_app, 1, at=START + timedelta(hours=15), target="next-day")
    page = client.get(AUDIT, query_string={"since": "2026-11-02", "until": "2026-11-02"}).text
    assert [("next-day" in row) for row in rows_of(page)] == [True]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"actor": "s.kondo"}, 3),
        ({"actor": " s.kondo "}, 3),
        ({"actor": "S.Kondo"}, 3),
        ({"actor": "Ｓ．kondo"}, 3),
        ({"actor": "nobody.of.that.name"}, 0),
        ({"action": "edition.disable"}, 2),
        ({"outcome": "refused", "actor": "s.kondo"}, 1),
        ({"since": "2026-11-01", "until": "2026-11-01"}, 4),
        ({"since": "2026-11-02", "until": "2026-11-02"}, 1),
        ({"until": "2026-10-31"}, 0),
    ],
)
def test_filters_narrow_the_log_and_the_export_alike(
    licensed_app: Flask, admin_client: FlaskClient, filters: dict[str, str], found: int
) -> None:
    add_entries(licensed_app, 2, action="edition.disable", actor="h.mori")
    add_entries(licensed_app, 2)
    add_entries(licensed_app, 1, outcome="refused", code="login_taken", at=START + timedelta(days=1))
    assert len(rows_of(admin_client.get(AUDIT, query_string=filters).text)) == found
    assert len(exported(admin_client, **filters)) == found


def test_nothing_found_says_so_and_offers_to_show_all(admin_client: FlaskClient) -> None:
    page = admin_client.get(AUDIT, query_string={"actor": "nobody"}).text
    assert "Nothing matches these filters" in page
    assert "Show all" in page


@pytest.mark.parametrize(
    "filters", [{"action": "no.such"}, {"since": "yesterday"}, {"actor": "a\0b"}, {"outcome": "x"}, {"actor": "x" * 65}]
)
def test_filters_that_are_not_understood_are_refused(admin_client: FlaskClient, filters: dict[str, str]) -> None:
    answer = admin_client.get(AUDIT, query_string=filters)
    assert answer.status_code == 422
    assert "These filters are not understood" in answer.text
    assert admin_client.get(EXPORT, query_string=filters).status_code == 400


@pytest.mark.parametrize(
    "cursor", ["", "-", "x-1", "1", "99999999999999999999999-1", "-1-1", "1-1-1", "é-1", "1-" + "9" * 60]
)
def test_a_cursor_that_is_not_understood_shows_the_latest_page(
    licensed_app: Flask, admin_client: FlaskClient, cursor: str
) -> None:
    add_entries(licensed_app, 1)
    for name in ("older", "newer"):
        assert admin_client.get(AUDIT, query_string={name: cursor}).status_code == 200


def test_a_cursor_comes_back_from_its_text() -> None:
    cursor = Cursor(datetime(2026, 11, 1, 2, 3, 4, 567_891, tzinfo=UTC), 42)
    assert Cursor.parse(str(cursor)) == cursor


def test_pages_are_without_gap_or_overlap_in_both_directions(app: Flask) -> None:
    add_entries(app, 2 * PAGE + 7)
    add_entries(app, 20, at=START + timedelta(minutes=30))  # many at one instant
    with app.app_context():
        everything = [entry.id for entry in read_all(Filters())]
        pages = [read_page(Filters())]
        while pages[-1].older:
            pages.append(read_page(Filters(), older_than=pages[-1].older))
        assert [entry.id for page in pages for entry in page.entries] == everything
        back = [pages[-1]]
        while back[0].newer:
            back.insert(0, read_page(Filters(), newer_than=back[0].newer))
    assert [entry.id for page in back for entry in page.entries][-len(everything) :] == everything
    assert len(everything) == 2 * PAGE + 27


def test_links_lead_to_the_neighbouring_pages_and_keep_the_filters(
    licensed_app: Flask, admin_client: FlaskClient
) -> None:
    add_entries(licensed_app, PAGE + 1)
    page = admin_client.get(AUDIT, query_string={"actor": "s.kondo"}).text
    link = re.search(r'href="([^"]+)" rel="next"', page)
    assert link
    older = admin_client.get(link[1].replace("&amp;", "&")).text
    assert len(rows_of(older)) == 1
    assert "target-0" in older
    back = re.search(r'href="([^"]+)" rel="prev"', older)
    assert back
    assert len(rows_of(admin_client.get(back[1].replace("&amp;", "&")).text)) == PAGE


def test_an_export_larger_than_a_batch_is_whole(
    licensed_app: Flask, admin_client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_log, "EXPORT_BATCH", 10)
    add_entries(licensed_app, 35)
    found = exported(admin_client, actor="s.kondo")
    assert [row["Target"] for row in found] == [f"target-{index}" for index in reversed(range(35))]


def test_an_export_begins_with_a_byte_order_mark_and_is_streamed(admin_client: FlaskClient) -> None:
    answer = admin_client.get(EXPORT)
    assert answer.data.startswith(b"\xef\xbb\xbf")
    assert answer.content_type == "text/csv; charset=utf-8"
    assert re.fullmatch(r'attachment; filename="audit-log-[0-9-]{10}\.csv"', answer.headers["Content-Disposition"])
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Content-Length" not in answer.headers


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝"])
def test_a_cell_that_would_be_a_formula_is_text(licensed_app: Flask, admin_client: FlaskClient, start: str) -> None:
    add_entries(licensed_app, 1, target=f"{start}cmd|' /C calc'!A0", actor="s.kondo")
    assert exported(admin_client, actor="s.kondo")[0]["Target"] == f"'{start}cmd|' /C calc'!A0"


@pytest.mark.parametrize("between", [";", "; ", ';"', "\t", "\n", "\r\n "])
def test_a_formula_behind_a_separator_of_other_countries_is_text_too(between: str) -> None:
    assert harmless(f"x{between}=1+1") == f"x{between}'=1+1"


def test_a_harmless_cell_stays_as_it_is() -> None:
    assert harmless("北村 = 1") == "北村 = 1"


def test_exported_values_can_be_read(licensed_app: Flask, admin_client: FlaskClient) -> None:
    add_entries(
        licensed_app, 1, before={"name": "Old", "permissions": []}, after={"name": "New", "permissions": ["x", "y"]}
    )
    row = exported(admin_client, actor="s.kondo")[0]
    assert row["Before"] == "Name: Old; Permissions: –"
    assert row["After"] == "Name: New; Permissions: x, y"
    assert row["When"] == "2026-11-01 00:00:00+00:00"
    assert (row["Action"], row["Action code"]) == ("Change user", "user.change")


def test_license_dates_are_shown_as_the_last_day(licensed_app: Flask, admin_client: FlaskClient) -> None:
    after = {"license_expires": "2027-04-01T00:00:00+00:00", "starts": "not a date"}
    add_entries(licensed_app, 1, after=after)
    row = rows_of(admin_client.get(AUDIT, query_string={"actor": "s.kondo"}).text)[0]
    assert "31 March 2027" in row
    assert "not a date" in row


def test_what_is_recorded_is_escaped(licensed_app: Flask, admin_client: FlaskClient) -> None:
    add_entries(licensed_app, 1, target="<script>alert(1)</script>", after={"<b>": "<i>"})
    page = admin_client.get(AUDIT).text
    assert "<script>alert" not in page
    assert "<i>" not in page


def test_members_see_neither_log_nor_export(member_client: FlaskClient) -> None:
    assert member_client.get(AUDIT).status_code == 403
    assert member_client.get(EXPORT).status_code == 403


def test_the_command_line_is_named(app: Flask) -> None:
    add_person(app, ADMINISTRATOR, admin=True)
    client = app.test_client()
    log_in(client, ADMINISTRATOR)
    assert "Command line" in client.get(AUDIT).text


def test_every_action_that_is_recorded_has_a_title() -> None:
    root = Path(__file__).resolve().parents[2]
    sources = [*root.glob("app/**/*.py"), *root.glob("plugins/**/*.py")]
    recorded = {
        action
        for path in sources
        for action in re.findall(r'\bEvent\(\s*"([a-z_.]+)"', path.read_text(encoding="utf-8"))
    }
    assert "license.register" in recorded
    assert recorded <= ACTIONS.keys()


def test_an_action_of_an_edition_shows_its_name(licensed_app: Flask, admin_client: FlaskClient) -> None:
    with licensed_app.app_context(), write_transaction() as session:
        record(session, Event("timesheet.close", target="2026-11"))
    assert "timesheet.close" in rows_of(admin_client.get(AUDIT).text)[0]


@pytest.mark.parametrize(
    "filters",
    [
        Filters(),
        Filters(actor="s.kondo"),
        Filters(action="user.change"),
        Filters(outcome="refused"),
        Filters(since=START, before=START + timedelta(days=1)),
    ],
)
@pytest.mark.parametrize("cursor", [None, Cursor(START, 3)])
def test_every_query_goes_along_an_index_without_sorting(app: Flask, filters: Filters, cursor: Cursor | None) -> None:
    with app.app_context(), read_connection() as connection:
        dialect = sqlite.dialect() if connection.dialect.name == "sqlite" else postgresql.dialect()
        query = audit_log._latest_first(filters, cursor).limit(PAGE)
        if connection.dialect.name == "sqlite":
            sql = str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
            plan = " ".join(row[3] for row in connection.execute(text(f"EXPLAIN QUERY PLAN {sql}")))
            assert "ix_audit_entries" in plan
            assert "TEMP B-TREE" not in plan
            return
        connection.execute(text("SET enable_seqscan = off"))
        connection.execute(text("SET enable_sort = off"))
        compiled = query.compile(connection, compile_kwargs={"literal_binds": True})
        plan = " ".join(row[0] for row in connection.execute(text(f"EXPLAIN {compiled}")))
        assert "ix_audit_entries" in plan
        assert "Sort" not in plan


def test_an_entry_at_the_edge_of_a_day_belongs_to_one_day(licensed_app: Flask, admin_client: FlaskClient) -> None:
    add_entries(licensed_app, 1, at=START + timedelta(days=1) - timedelta(microseconds=1), target="last")
    add_entries(licensed_app, 1, at=START + timedelta(days=1), target="first")
    assert [row["Target"] for row in exported(admin_client, since="2026-11-01", until="2026-11-01")] == ["last"]
    assert [row["Target"] for row in exported(admin_client, since="2026-11-02", until="2026-11-02")] == ["first"]


def test_the_first_years_of_the_calendar_are_refused_with_the_first_day(admin_client: FlaskClient) -> None:
    answer = admin_client.get(AUDIT, query_string={"since": "0001-01-01"})
    assert answer.status_code == 422
    assert "Choose 1 January 1970 or a later day." in answer.text
    assert admin_client.get(EXPORT, query_string={"since": "0001-01-01"}).status_code == 400


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12", "UTC"])
@pytest.mark.parametrize("day", ["9999-12-31", "9999-12-30", "9998-12-31"])
def test_a_period_may_end_on_any_later_day_of_the_calendar(
    licensed_app: Flask, admin_client: FlaskClient, zone: str, day: str
) -> None:
    add_entries(licensed_app, 1)
    with licensed_app.app_context(), write_transaction() as session:
        session.execute(text("UPDATE users SET time_zone = :zone"), {"zone": zone})
    answer = admin_client.get(AUDIT, query_string={"until": day, "actor": "s.kondo"})
    assert (answer.status_code, len(rows_of(answer.text))) == (200, 1)
    assert admin_client.get(AUDIT, query_string={"since": day}).status_code == 200


def test_a_period_that_ends_before_it_begins_is_refused_at_its_end(admin_client: FlaskClient) -> None:
    period = {"since": "2026-11-20", "until": "2026-11-19", "actor": "s.kondo"}
    answer = admin_client.get(AUDIT, query_string=period)
    assert answer.status_code == 422
    assert "The period ends before it begins: choose 20 November 2026 or a later day." in answer.text
    for typed in period.values():
        assert f'value="{typed}"' in answer.text
    assert re.search(r'<input[^>]*aria-invalid="true"[^>]*id="until"', answer.text)


def test_an_actor_is_found_however_the_login_name_is_spelled(licensed_app: Flask, admin_client: FlaskClient) -> None:
    add_person(licensed_app, "Ken.Mori")
    add_entries(licensed_app, PAGE, actor="Ken.Mori")
    add_entries(licensed_app, 7, actor="ken.mori")  # how it was spelled before somebody changed it
    for typed in ("Ken.Mori", "ken.mori", "KEN.MORI"):
        assert len(exported(admin_client, actor=typed)) == PAGE + 7
    page = admin_client.get(AUDIT, query_string={"actor": "KEN.MORI"}).text
    link = re.search(r'href="([^"]+)" rel="next"', page)
    assert link
    older = admin_client.get(link[1].replace("&amp;", "&")).text
    assert (len(rows_of(page)), len(rows_of(older))) == (PAGE, 7)
    at = re.findall(r'<time datetime="([^"]+)"', page + older)
    assert at == sorted(at, reverse=True)


def test_the_command_line_can_be_asked_for_by_what_the_page_calls_it(admin_client: FlaskClient) -> None:
    assert rows_of(admin_client.get(AUDIT, query_string={"actor": "Command line"}).text)
