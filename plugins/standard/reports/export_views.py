"""The exports of reports: a page that says what there will be, and the files, sent while they are made.

Nothing is kept on the server. A download that breaks off is no file: what is sent in parts has an end of its own, and
browsers say that it is missing.
"""

from collections.abc import Iterator

from flask import stream_with_context
from werkzeug.wrappers import Response

from app.sdk import ResponseReturnValue, current_user, gettext, render_template, request, url_for
from plugins.standard.reports.asked import Asked, read_asked
from plugins.standard.reports.exporting import ROWS_OF_TABLE, Table, count_entries, entries_table, groups_table
from plugins.standard.reports.presenter import report_address, show_period
from plugins.standard.reports.progress import RowCount, framed
from plugins.standard.reports.query import TITLES, ReportQuery
from plugins.standard.reports.views import pages, refused
from plugins.standard.reports.xlsx import ROWS_OF_SHEET
from plugins.standard.settings import week_start

_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_BYTES_OF_ROW = {"csv": 120, "xlsx": 20}
"""Measured on the entries of a company with names of ordinary length."""


@pages.get("/export")
def export() -> ResponseReturnValue:
    """What can be exported, in which forms, and how much of it there is."""
    asked = read_asked()
    return refused(asked) if asked.query is None else _page(asked, asked.query)


@pages.get("/export/<any(groups, entries):table>.<any(csv, xlsx):kind>")
def download(table: str, kind: str) -> ResponseReturnValue:
    """The groups of a report, or its single entries, as CSV or as a workbook; with ``?progress=1`` in frames."""
    asked = read_asked()
    if asked.query is None:
        return refused(asked)
    reader, query = current_user(), asked.query
    made = groups_table(reader, query, week_start()) if table == "groups" else entries_table(reader, query)
    if made is None:
        return _page(asked, query, has_too_many=True), 409
    name = f"{table}-{query.days.first.isoformat()}-{query.days.last.isoformat()}.{kind}"
    if "progress" in request.args:
        count = RowCount()
        return _file(framed(_parts(made.counted(count), kind), count), name, "application/octet-stream")
    return _file(_parts(made, kind), name, _TYPES[kind])


def _parts(made: Table, kind: str) -> Iterator[bytes]:
    return made.csv() if kind == "csv" else made.xlsx(gettext("Hours"))


def _file(parts: Iterator[bytes], name: str, content_type: str) -> Response:
    return Response(
        stream_with_context(parts),
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _page(asked: Asked, query: ReportQuery, *, has_too_many: bool = False) -> str:
    rows = count_entries(current_user(), query)
    addresses = {
        table: {
            kind: url_for("standard_reports.download", table=table, kind=kind, **query.address())
            for kind in ("csv", "xlsx")
        }
        for table in ("groups", "entries")
    }
    return render_template(
        "standard/reports/export.html",
        query=query,
        limits=asked.form.limits(),
        titles=[gettext(TITLES[dimension]) for dimension in query.dimensions],
        period=show_period(query, "standard_reports.export", week_start()),
        rows=rows,
        sheets=-(-rows // (ROWS_OF_SHEET - 1)),
        megabytes={kind: rows * size // 1_000_000 for kind, size in _BYTES_OF_ROW.items()},
        rows_of_table=ROWS_OF_TABLE,
        has_too_many=has_too_many,
        addresses=addresses,
        report_address=report_address(query),
    )
