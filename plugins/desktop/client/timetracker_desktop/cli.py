"""The command ``timetracker-desktop``."""

import argparse
from collections.abc import Sequence

from timetracker_desktop import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the application until it is quit; returns the exit status."""
    parser = argparse.ArgumentParser("timetracker-desktop", description="Records hours for TimeTracker RX.")
    parser.add_argument("--version", action="version", version=f"timetracker-desktop {__version__}")
    parser.add_argument("--minimized", action="store_true", help="start in the tray, without a window")
    parser.add_argument("--server", metavar="ADDRESS", help="address of the server, filled in when pairing")
    options = parser.parse_args(arguments)
    # Qt is loaded only now, so that --version and --help need no display.
    from timetracker_desktop.window.application import run  # noqa: PLC0415  # see above

    return run(minimized=options.minimized, server=options.server)
