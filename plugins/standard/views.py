"""The dashboard, which is the start page of the edition."""

from app.sdk import (
    EditionBlueprint,
    current_user,
    feature_licensed,
    format_date,
    license_summary,
    render_template,
    request,
    time_zone,
    today,
)
from plugins.standard.access import own_sheet
from plugins.standard.dashboard.presenter import week_chart
from plugins.standard.dashboard.service import read_overview
from plugins.standard.settings import week_start
from plugins.standard.timer.blueprint import FEATURE as TIMER
from plugins.standard.timer.service import running_timer
from plugins.standard.timesheet.asked import present_times
from plugins.standard.timesheet.presenter import interval, short_day
from plugins.standard.timesheet.service import suggested_tasks
from plugins.standard.week import day_of, week_of

pages = EditionBlueprint("standard", __name__, feature="timesheet.start", url_prefix="/start")
_TASKS = 5
_LACKING = 5


@pages.get("/")
def start() -> str:
    """Today, the week of today or the one asked for (``?week=2026-W48``), what is missing, and the timer.

    A week that does not exist is answered with this week.
    """
    day, times, user = today(), present_times(), current_user()
    week = week_of(day_of(request.args.get("week", "")) or day, today=day, start=week_start())
    overview = read_overview(user, week, times, time_zone())
    running = running_timer(user) if feature_licensed(TIMER) else None
    present = {running.task.id} if running else set()
    return render_template(
        "standard/start.html",
        today=day,
        week=week,
        week_of_today=week_of(day, today=day, start=week_start()),
        week_range=interval(week),
        month_name=format_date(day, "LLLL"),
        overview=overview,
        holidays=[(short_day(one.date), one.holiday) for one in overview.days if one.holiday],
        chart=week_chart(overview.days, week, short_day),
        lacking=[
            (hours, short_day(hours.date), week_of(hours.date, today=day, start=week_start()).code)
            for hours in overview.lacking[:_LACKING]
        ],
        more_lacking=max(0, len(overview.lacking) - _LACKING),
        running=running,
        tasks=suggested_tasks(own_sheet(user), present, day)[:_TASKS],
        license=license_summary(),
    )
