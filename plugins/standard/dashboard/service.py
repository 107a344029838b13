"""Reading what the dashboard shows."""

from collections import Counter
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, or_, select

from app.sdk import Identity, read_connection
from plugins.standard.access import own_sheet
from plugins.standard.balance import DayHours
from plugins.standard.dashboard.overview import LOOKS_BACK, Facts, Overview, Recorded, build_overview, lacking_days
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
        facts = _facts(connection, reader, times, zone)
        recorded = [Recorded(*row) for row in connection.execute(query)]
    return build_overview(week, recorded, facts)


def read_lacking(reader: Identity, times: Times, zone: ZoneInfo) -> tuple[DayHours, ...]:
    """The days of the last weeks on which the reader has less than expected, the latest first; three statements."""
    query = select(Entry.day, func.sum(Entry.minutes)).where(
        Entry.user_id == reader.user_id, Entry.day.between(times.today - LOOKS_BACK, times.today)
    )
    with read_connection() as connection:
        facts = _facts(connection, reader, times, zone)
        by_day = Counter({day: int(minutes) for day, minutes in connection.execute(query.group_by(Entry.day))})
    return lacking_days(by_day, facts)


def _facts(connection: Connection, reader: Identity, times: Times, zone: ZoneInfo) -> Facts:
    return Facts(read_presence(connection, reader.user_id, zone), rules_of(connection, own_sheet(reader)), times)
