"""A device that tells the batches of the file named by its argument, to be killed (``tests.process.killing``).

The file is JSON: ``headers`` with the token, and ``batches`` of operations.
"""

import json
import sys
from pathlib import Path

from app import create_app
from tests.process.killing import serve


def main() -> None:
    """Tell one batch after another; the server is in this process, so that it is killed with it."""
    told = json.loads(Path(sys.argv[1]).read_text())
    app = create_app()
    client = app.test_client(use_cookies=False)

    def tell(number: int) -> None:
        batch = {"operations": told["batches"][number]}
        assert client.post("/api/v1/desktop/sync", json=batch, headers=told["headers"]).status_code == 200

    serve(app, len(told["batches"]), tell)


if __name__ == "__main__":
    main()
