"""The blueprint of the time sheet: the week, the tasks to add to it, and the day."""

from app.sdk import EditionBlueprint, Refusal, code_texts, current_user, feature_licensed, render_template, url_for
from plugins.standard.charts import whole_bar
from plugins.standard.duration import show_clock, show_duration
from plugins.standard.permissions import WORK_ITEMS

pages = EditionBlueprint("standard_timesheet", "plugins.standard", feature="timesheet.week", url_prefix="/timesheet")


@pages.errorhandler(Refusal)
def refused(refusal: Refusal) -> tuple[str, int]:
    """A page that says what was refused and leads back to one's own sheet."""
    page = render_template("standard/timesheet/refused.html", refusal=code_texts(refusal))
    return page, refusal.reason.status


def work_items_address() -> str:
    """Where the reader adds tasks; empty for whoever may not."""
    may = feature_licensed("work_items.manage") and current_user().holds(WORK_ITEMS.name)
    return url_for("standard_work_items.index") if may else ""


pages.add_app_template_global(work_items_address, "standard_work_items_address")
pages.add_app_template_filter(show_duration, "standard_duration")
pages.add_app_template_filter(show_clock, "standard_clock")
pages.add_app_template_filter(whole_bar, "standard_bar")
