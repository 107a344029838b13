"""The pages of the edition Standard."""

from babel.dates import format_interval

from app.sdk import EditionBlueprint, license_summary, locale_code, render_template, request, time_zone, today
from plugins.standard.week import Week, day_of, week_of

pages = EditionBlueprint("standard", __name__, feature="timesheet.start", url_prefix="/start")


@pages.get("/")
def start() -> str:
    """Today, the week of today or the one asked for (``?week=2026-W48``), and what the license includes.

    A week that does not exist is answered with this week.
    """
    day = today()
    week = week_of(day_of(request.args.get("week", "")) or day, today=day)
    return render_template(
        "standard/start.html",
        today=day,
        week=week,
        week_of_today=week_of(day, today=day),
        week_range=_range(week),
        zone=time_zone().key,
        license=license_summary(),
    )


def _range(week: Week) -> str:
    return format_interval(week.days[0].date, week.days[-1].date, "yMMMMd", locale=locale_code())
