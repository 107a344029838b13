"""The fixtures of the core's tests, on both engines, and a company to record hours in."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.sdk import read_connection, users
from plugins.standard.entries import Writer
from plugins.standard.tests.company import Company
from tests.conftest import *  # noqa: F403 - fixtures are found by their names
from tests.conftest import MEMBER, register_key


@pytest.fixture
def company(licensed_app: Flask) -> Iterator[Company]:
    """A small company in which the member records hours, inside an application context."""
    with licensed_app.app_context():
        with read_connection() as connection:
            user_id = connection.execute(select(users.c.id).where(users.c.login == MEMBER)).scalar_one()
        yield Company(licensed_app, Writer(user_id, MEMBER, by=MEMBER)).fill()


@pytest.fixture
def office(licensed_app: Flask) -> Company:
    """The same company for tests that ask for pages, each of which has an application context of its own."""
    with licensed_app.app_context():
        with read_connection() as connection:
            user_id = connection.execute(select(users.c.id).where(users.c.login == MEMBER)).scalar_one()
        return Company(licensed_app, Writer(user_id, MEMBER, by=MEMBER)).fill()


@pytest.fixture
def thursday(licensed_app: Flask) -> Iterator[None]:
    """It is noon on the day of the mock pages, with a license that holds then, whatever day it is outside."""
    with time_machine.travel(datetime(2026, 11, 26, 12, tzinfo=UTC), tick=False):
        register_key(licensed_app, seats=50)
        yield
