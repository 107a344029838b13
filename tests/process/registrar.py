"""A process that registers license keys until it is killed.

It starts the application once and then forks a child for each line ``FIRST`` on its standard input: the child
registers the keys of the file named by the first argument, from number FIRST on, and says of each on standard output
that it begins (``try N``) and that it is through (``done N``), as the answer to an administrator would.
"""

import os
import sys
from pathlib import Path

from app import create_app
from app.database import drop_connections
from app.license import service


def main() -> None:
    """Serve one line after another."""
    keys = Path(sys.argv[1]).read_text().splitlines()
    app = create_app()
    _say("ready")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            drop_connections(app)
            with app.app_context():
                for number in range(int(line), len(keys)):
                    _say(f"try {number}")
                    service.register(keys[number], assume_yes=True)
                    _say(f"done {number}")
            _say("end")
            os._exit(0)
        _say(f"child {child}")
        os.waitpid(child, 0)
        _say("over")


def _say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


if __name__ == "__main__":
    main()
