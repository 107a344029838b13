"""A long history costs nothing: a page asks as much of the database after years as in the first week."""

from datetime import date

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, inspect, select, text

from app.extensions import db
from app.sdk import read_connection
from benchmarks.seed_hours import ENTRIES_OF_DAY, seed
from plugins.standard.models import Entry
from plugins.standard.tests.people import counted
from tests.conftest import MEMBER, log_in

TODAY = date(2026, 11, 26)
MOST = {"/timesheet/": 6, "/timesheet/day": 7, "/month/": 6}
"""Statements of each page, with that of the gate and that of the timer in the bar."""


def costs(app: Flask, days: int) -> dict[str, int]:
    """How many statements the pages of a person take who has recorded hours for ``days`` days."""
    with app.app_context():
        seed(db.engine, days, TODAY)
    client = app.test_client()
    log_in(client, MEMBER)
    found = {}
    for path in MOST:
        assert client.get(path).status_code == 200
        with counted(app) as statements:
            client.get(path)
        found[path] = len(statements)
    return found


@time_machine.travel(TODAY)
@pytest.mark.parametrize("days", [7, 500])
def test_a_page_asks_the_same_however_long_the_history_is(licensed_app: Flask, days: int) -> None:
    found = costs(licensed_app, days)
    assert all(found[path] <= most for path, most in MOST.items()), found


@time_machine.travel(TODAY)
def test_the_seed_makes_whole_days_and_leaves_tables_as_they_were(licensed_app: Flask) -> None:
    with licensed_app.app_context():
        before = _shape()
        made = seed(db.engine, 40, TODAY)
        assert _shape() == before
        with read_connection() as connection:
            per_day = select(func.count()).select_from(Entry).group_by(Entry.user_id, Entry.day)
            assert set(connection.execute(per_day).scalars()) == {ENTRIES_OF_DAY}
            last = connection.execute(select(func.max(Entry.day))).scalar_one()
        assert last == TODAY
        assert made.entries > 40 * ENTRIES_OF_DAY
        with pytest.raises(ValueError, match="work items"):
            seed(db.engine, 40, TODAY)


def _shape() -> object:
    """Indexes, unique and foreign keys of the entries; nothing may be missing once they are filled."""
    inspector = inspect(db.engine)
    name = Entry.__tablename__
    with db.engine.connect() as connection:
        checked = connection.execute(text("PRAGMA foreign_keys")).scalar() if db.engine.name == "sqlite" else None
    return (
        sorted(index["name"] or "" for index in inspector.get_indexes(name)),
        sorted(constraint["name"] or "" for constraint in inspector.get_unique_constraints(name)),
        sorted(str(key["name"]) for key in inspector.get_foreign_keys(name)),
        checked,
    )
