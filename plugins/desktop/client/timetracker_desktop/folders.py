"""Where this application keeps its files."""

import os
from pathlib import Path

import platformdirs

_NAME = "timetracker-desktop"


def data_folder() -> Path:
    """The folder of queue, settings and fall-back token; ``TIMETRACKER_DESKTOP_DATA`` names another one."""
    return Path(os.environ.get("TIMETRACKER_DESKTOP_DATA") or platformdirs.user_data_dir(_NAME, appauthor=False))
