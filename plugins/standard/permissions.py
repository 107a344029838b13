"""The permissions of the edition Standard, which administrators grant on System Settings → Users."""

from app.sdk import N_, Permission

WORK_ITEMS = Permission(
    "standard.work_items",
    N_("Work items"),
    N_("Adds and changes customers, projects and tasks, and says who works on them."),
)
MANAGER = Permission(
    "standard.manager",
    N_("Manager"),
    N_("Reads the hours of the projects that name the person as reader, and corrects those that name them corrector."),
)
EVERYBODY = Permission(
    "standard.everybody",
    N_("Everybody’s hours"),
    N_("Reads the hours of everybody in all projects, and corrects none of them."),
)
CLOSING = Permission(
    "standard.closing",
    N_("Closing"),
    N_("Closes hours through a day, for everybody or for one person, and opens them again."),
)
PERMISSIONS = (WORK_ITEMS, MANAGER, EVERYBODY, CLOSING)
