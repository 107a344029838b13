"""The page of a month."""

from app.sdk import (
    EditionBlueprint,
    Refusal,
    current_user,
    render_template,
    request,
    time_zone,
    today,
)
from plugins.standard.duration import show_balance
from plugins.standard.month.service import read_month as read_month_of
from plugins.standard.months import month_of, read_month
from plugins.standard.timesheet.asked import asked_address, asked_person, present_times
from plugins.standard.timesheet.blueprint import refused
from plugins.standard.timesheet.presenter import month_title, short_day
from plugins.standard.week import week_of

pages = EditionBlueprint("standard_month", "plugins.standard", feature="timesheet.month", url_prefix="/month")
pages.register_error_handler(Refusal, refused)
pages.add_app_template_filter(show_balance, "standard_balance")


@pages.get("/")
def month() -> str:
    """This month, or ``?month=2026-11``; of ``?person=12`` for those who look after their hours.

    A month that does not exist is answered with this month.
    """
    present = month_of(today())
    shown = read_month(request.args.get("month", "")) or present
    times = present_times()
    read = read_month_of(current_user(), asked_person(), shown, times, time_zone())
    return render_template(
        "standard/month/month.html",
        read=read,
        sheet=read.sheet,
        calendar=read.calendar,
        month=shown,
        title=month_title(shown),
        is_present=shown == present,
        weekdays=tuple(day.date for day in week_of(times.today, today=times.today, start=times.start).days),
        week_of_day=lambda day: week_of(day, today=times.today, start=times.start).code,
        short_day=short_day,
        address=asked_address(),
    )
