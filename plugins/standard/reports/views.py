"""The pages of reports. Their address is the whole question, so that it can be kept and handed on."""

from app.sdk import (
    EditionBlueprint,
    ResponseReturnValue,
    current_user,
    redirect,
    render_template,
    today,
    url_for,
)
from plugins.standard.access import reads_others
from plugins.standard.duration import show_sum
from plugins.standard.reports.asked import Asked, read_asked
from plugins.standard.reports.presenter import (
    Presenter,
    entries_address,
    percent,
    report_address,
    show_period,
)
from plugins.standard.reports.query import TITLES, Sort
from plugins.standard.reports.service import read_days, read_entries, read_report
from plugins.standard.settings import week_start

pages = EditionBlueprint("standard_reports", "plugins.standard", feature="reports.view", url_prefix="/reports")
pages.add_app_template_filter(show_sum, "standard_sum")
pages.add_app_template_filter(percent, "standard_percent")


@pages.get("/")
def report() -> ResponseReturnValue:
    """Hours in groups, such as ``?period=last_month&group=customer&then=person``; this month by project at first."""
    asked = read_asked()
    if asked.query is None:
        return refused(asked)
    if asked.is_roundabout:
        return redirect(report_address(asked.query))
    reader, start = current_user(), week_start()
    read = read_report(reader, asked.query, start)
    if not read.groups and asked.query.page > 1:
        return redirect(report_address(asked.query.on(1)))
    presenter = Presenter(read, start, sees_people=reads_others(reader))
    rows = presenter.rows()
    return render_template(
        "standard/reports/report.html",
        form=asked.form,
        choices=asked.choices,
        query=asked.query,
        limits=asked.form.limits(),
        titles=TITLES,
        period=show_period(asked.query, "standard_reports.report", start),
        read=read,
        rows=rows,
        bars=presenter.bars(rows),
        trend=presenter.trend(read_days(reader, asked.query), today()),
        sorted_by={sort.value: report_address(asked.query.sorted_by(sort)) for sort in Sort},
        page_address=lambda page: report_address(asked.query.on(page)),
        entries_address=entries_address(asked.query.on(1)),
        export_address=url_for("standard_reports.export", **asked.query.on(1).address()),
        here=url_for("standard_reports.report"),
    )


@pages.get("/entries")
def entries() -> ResponseReturnValue:
    """The single entries of a report, with their memos."""
    asked = read_asked()
    if asked.query is None:
        return refused(asked)
    if asked.is_roundabout:
        return redirect(entries_address(asked.query))
    read = read_entries(current_user(), asked.query)
    if not read.rows and asked.query.page > 1:
        return redirect(entries_address(asked.query.on(1)))
    return render_template(
        "standard/reports/entries.html",
        form=asked.form,
        choices=asked.choices,
        query=asked.query,
        limits=asked.form.limits(),
        period=show_period(asked.query, "standard_reports.entries", week_start()),
        read=read,
        page_address=lambda page: entries_address(asked.query.on(page)),
        report_address=report_address(asked.query.on(1)),
        export_address=url_for("standard_reports.export", **asked.query.on(1).address()),
        here=url_for("standard_reports.entries"),
    )


def refused(asked: Asked) -> tuple[str, int]:
    """The form as it was sent, with what is wrong at its fields."""
    return render_template(
        "standard/reports/refused.html",
        form=asked.form,
        choices=asked.choices,
        preset=asked.preset,
        here=url_for("standard_reports.report"),
    ), 422
