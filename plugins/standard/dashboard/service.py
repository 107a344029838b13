"""Reading what the dashboard shows."""

from zoneinfo import ZoneInfo

from sqlalchemy import or_, select

from app.sdk import Identity, read_connection
from plugins.standard.access import own_sheet
from plugins.standard.dashboard.overview import LOOKS_BACK, Facts, Overview, Recorded, build_overview
from plugins.standard.models import Customer, Entry, Project, Task
from plugins.standard.month.service import read_presence
from plugins.standard.months import month_of
from plugins.standard.timesheet.service import Times, rules_of
from plugins.standard.week import Week


def read_overview(reader: Identity, week: Week, times: Times, zone: ZoneInfo) -> Overview:
    """The reader's own hours of a week, of this month and of the last weeks; three statements, whatever the history."""
    month = month_of(times.today)
    since = min(month.first, times.today - LOOKS_BACK)
    # A week of long ago is read beside the present, not with all that lies between.
    wanted = or_(Entry.day.between(week.first, week.last), Entry.day.between(since, month.last))
    query = (
        select(
            Entry.day,
            Entry.task_id,
            Entry.minutes,
            Project.id,
            Project.name.label("project"),
            Customer.name.label("customer"),
            Project.colour,
        )
        .join(Task, Task.id == Entry.task_id)
        .join(Project, Task.project_id == Project.id)
        .join(Customer, Project.customer_id == Customer.id)
        .where(Entry.user_id == reader.user_id, wanted)
    )
    with read_connection() as connection:
        facts = Facts(read_presence(connection, reader.user_id, zone), rules_of(connection, own_sheet(reader)), times)
        recorded = [Recorded(*row) for row in connection.execute(query)]
    return build_overview(week, recorded, facts)
