"""The blueprint of the timer."""

from app.sdk import EditionBlueprint

FEATURE = "timesheet.timer"
pages = EditionBlueprint("standard_timer", "plugins.standard", feature=FEATURE, url_prefix="/timer")
