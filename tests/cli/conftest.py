"""What the tests of the commands share."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask

from app import create_app
from app.config import PREFIX
from app.extensions import db


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands read the environment: no setting of whoever runs the tests is to reach them."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)


@pytest.fixture
def keyless_app(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    """An application without a secret key, which cannot serve."""
    app = create_app(replace(make_app().extensions["settings"], secret_key=None))
    yield app
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()
