"""``python -m timetracker_desktop``."""

import sys

from timetracker_desktop.cli import main

if __name__ == "__main__":
    sys.exit(main())
