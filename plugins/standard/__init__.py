"""The edition Standard: what every license begins with."""

from app.sdk import N_, Edition, Feature, NavItem, SlotContent
from plugins.standard.api.views import resources
from plugins.standard.audit_actions import AUDIT_ACTIONS
from plugins.standard.closing.views import pages as closing_pages
from plugins.standard.demo.commands import demo
from plugins.standard.models import Model
from plugins.standard.month.views import pages as month_pages
from plugins.standard.people.views import pages as people_pages
from plugins.standard.permissions import CLOSING, EVERYBODY, MANAGER, PERMISSIONS, WORK_ITEMS
from plugins.standard.reports import export_views as _export_views  # noqa: F401 - likewise
from plugins.standard.reports.views import pages as report_pages
from plugins.standard.settings import SETTINGS
from plugins.standard.timer.blueprint import FEATURE as TIMER
from plugins.standard.timer.blueprint import pages as timer_pages
from plugins.standard.timer.views import bar as timer_bar
from plugins.standard.timesheet import day_views as _day_views  # noqa: F401 - adds its pages to the blueprint
from plugins.standard.timesheet import views as _week_views  # noqa: F401 - likewise
from plugins.standard.timesheet.blueprint import pages as timesheet_pages
from plugins.standard.views import pages
from plugins.standard.work_items import import_views as _import_views  # noqa: F401 - likewise
from plugins.standard.work_items.commands import import_work_items
from plugins.standard.work_items.views import work_items


class StandardEdition(Edition):
    """The bundled edition; it also serves as an example for others."""

    name = "standard"
    title = N_("Standard")
    description = N_("Time sheets, timer, closing and reports, and the work items that hours are recorded on.")
    api_version = 1
    order = 10
    features = (
        Feature(
            "timesheet.start",
            N_("Dashboard"),
            N_("Your week, what is still missing, and where your hours went, at a glance."),
        ),
        Feature(
            "timesheet.week",
            N_("Time sheet"),
            N_("The hours of a week by task and day, filled from last week, and the times of a day."),
        ),
        Feature(
            "timesheet.month",
            N_("Month"),
            N_("The hours of a month by day and project, over-time, missing days and holidays."),
        ),
        Feature(
            TIMER,
            N_("Timer"),
            N_("Runs on one task at a time, on every page; stopping it fills the time sheet."),
        ),
        Feature(
            "reports.view",
            N_("Reports"),
            N_("What hours add up to by customer, project, task, person, day, week and month."),
        ),
        Feature(
            "work_items.manage",
            N_("Work items"),
            N_("Customers, projects and tasks, who works on them, and their import from CSV."),
        ),
        Feature(
            "timesheet.people",
            N_("People"),
            N_("What everybody whom you look after has recorded, with balance and missing days."),
        ),
        Feature(
            "timesheet.closing",
            N_("Closing"),
            N_("Days through which hours are read-only, for everybody and with exceptions for one person."),
        ),
    )
    permissions = PERMISSIONS
    settings = SETTINGS
    audit_actions = AUDIT_ACTIONS
    models = Model
    blueprints = (
        pages,
        timesheet_pages,
        month_pages,
        timer_pages,
        report_pages,
        people_pages,
        closing_pages,
        work_items,
        resources,
    )
    slots = (SlotContent("navigation.tools", timer_bar, feature=TIMER),)
    commands = (import_work_items, demo)
    start_page = "standard.start"
    navigation = (
        NavItem("standard.start", N_("Dashboard"), "layout-dashboard"),
        NavItem("standard_timesheet.week", N_("Time sheet"), "calendar-week"),
        NavItem("standard_month.month", N_("Month"), "calendar-month"),
        NavItem("standard_reports.report", N_("Reports"), "chart-bar"),
        NavItem("standard_people.index", N_("People"), "users", permission=(MANAGER.name, EVERYBODY.name)),
        NavItem("standard_work_items.index", N_("Work items"), "inbox", permission=WORK_ITEMS.name),
        NavItem("standard_closing.index", N_("Closing"), "lock", permission=CLOSING.name),
    )
