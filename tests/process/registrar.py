"""A process that registers the keys of the file named by its argument, to be killed (``tests.process.killing``)."""

import sys
from pathlib import Path

from app import create_app
from app.license import service
from tests.process.killing import serve


def main() -> None:
    """Register one key after another."""
    keys = Path(sys.argv[1]).read_text().splitlines()
    serve(create_app(), len(keys), lambda number: service.register(keys[number], assume_yes=True))


if __name__ == "__main__":
    main()
