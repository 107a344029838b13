"""``flask standard demo``: a company is there afterwards, or nothing is; never among what somebody has made."""

import json
from datetime import UTC, datetime

import pytest
import time_machine
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select

from app.audit import AuditEntry
from app.auth.models import User
from app.sdk import read_connection, users, write_transaction
from plugins.standard.demo import service
from plugins.standard.models import (
    Closing,
    Customer,
    Entry,
    Favourite,
    Model,
    Project,
    ProjectMember,
    RunningTimer,
    SheetRow,
    Span,
    Task,
)
from plugins.standard.settings import COUNTRY
from tests.conftest import add_person, log_in, register_key

THURSDAY = datetime(2026, 11, 26, 15, 20, tzinfo=UTC)
PASSWORD = "a very long walk to Nagoya"
PEOPLE = 12


def demo(app: Flask, *arguments: str, stdin: str = "") -> Result:
    return app.test_cli_runner().invoke(args=["standard", "demo", *arguments], input=stdin)


@pytest.fixture
def set_up(app: Flask) -> Flask:
    """An installation with its first administrator and a license for exactly the people of the demo."""
    add_person(app, "boss", admin=True)
    register_key(app, seats=PEOPLE + 1)
    return app


def rows(app: Flask, *tables: type[Model]) -> list[int]:
    with app.app_context(), read_connection() as connection:
        return [connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]


@time_machine.travel(THURSDAY)
def test_it_makes_a_company_whose_people_log_in_with_the_password_that_is_printed(set_up: Flask) -> None:
    result = demo(set_up, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert [told["people"], told["customers"], told["projects"], told["closed_through"]] == [12, 5, 12, "2026-09-30"]
    assert rows(set_up, Customer, Project, Task, RunningTimer) == [5, 12, told["tasks"], 1]
    assert rows(set_up, Entry) == [told["entries"]]
    assert all(number > 20 for number in rows(set_up, ProjectMember, Span, Favourite, SheetRow))
    with set_up.app_context(), read_connection() as connection:
        closed = connection.execute(select(Closing.closed_through)).scalars().all()
        left = connection.execute(select(users.c.login).where(users.c.deleted_at.is_not(None))).scalars().all()
        gone = select(func.count()).select_from(Entry).join(users, users.c.id == Entry.user_id)
        assert connection.execute(gone.where(users.c.login == "t.weber")).scalar_one() > 50
        corrected = select(func.count()).select_from(Entry).where(Entry.changed_by == "k.hasegawa")
        own = corrected.join(users, users.c.id == Entry.user_id).where(users.c.login == "k.hasegawa")
        assert connection.execute(corrected).scalar_one() - connection.execute(own).scalar_one() == 3
        assert COUNTRY.value() == "JP"
    assert [str(day) for day in closed] == ["2026-09-30"]
    assert left == ["t.weber"]
    for login in told["logins"]:
        client = set_up.test_client()
        log_in(client, login, told["password"])
        page = client.get("/timesheet/", follow_redirects=True)
        assert page.status_code == 200, page.text[:300]


def test_the_password_can_be_given_and_a_second_time_is_refused(set_up: Flask) -> None:
    result = demo(set_up, "--password-stdin", stdin=f"{PASSWORD}\n")
    assert result.exit_code == 0, result.output
    assert PASSWORD not in result.output
    assert "flask user grant LOGIN standard.everybody" in result.stdout
    log_in(set_up.test_client(), "m.sakai", PASSWORD)
    before = rows(set_up, Customer, Project, Task, Entry, Span)
    result = demo(set_up, "--json")
    assert json.loads(result.stdout)["code"] == "demo_not_empty"
    assert rows(set_up, Customer, Project, Task, Entry, Span) == before


def test_a_weak_password_is_refused_and_nothing_is_made(set_up: Flask) -> None:
    result = demo(set_up, "--password-stdin", stdin="short\n")
    assert result.exit_code == 1
    assert "[password_too_short]" in result.stderr
    assert rows(set_up, Customer, Entry) == [0, 0]


def test_nobody_can_log_in_where_no_password_is_wanted(set_up: Flask) -> None:
    assert demo(set_up, "--no-password").exit_code == 0
    with set_up.app_context(), read_connection() as connection:
        query = select(User.login).where(User.password_hash.is_not(None))
        assert connection.execute(query).scalars().all() == ["boss"]


def test_both_ways_to_a_password_at_once_are_wrong_usage(set_up: Flask) -> None:
    assert demo(set_up, "--no-password", "--password-stdin").exit_code == 2


def test_it_is_refused_where_work_items_are(set_up: Flask) -> None:
    with set_up.app_context(), write_transaction() as session:
        session.add(Customer(code="", name="Somebody's own", active=True))
    result = demo(set_up)
    assert result.exit_code == 1
    assert "[demo_not_empty]" in result.stderr
    assert rows(set_up, Customer, Project, ProjectMember) == [1, 0, 0]


def test_it_waits_for_the_first_administrator(app: Flask) -> None:
    result = demo(app, "--no-password")
    assert result.exit_code == 1
    assert "[setup_pending]" in result.stderr
    assert app.test_client().get("/setup").status_code == 200


def test_it_does_not_go_past_the_seats(app: Flask) -> None:
    add_person(app, "boss", admin=True)
    register_key(app, seats=PEOPLE)
    result = demo(app, "--no-password")
    assert result.exit_code == 1
    assert "12 users" in result.stderr
    assert "11 seats free" in result.stderr
    assert "[seats_too_few]" in result.stderr
    assert rows(app, Customer) == [0]


def test_somebody_with_such_a_login_is_left_alone(set_up: Flask) -> None:
    register_key(set_up, seats=50)
    add_person(set_up, "p.nair")
    result = demo(set_up, "--no-password")
    assert result.exit_code == 1
    assert "[login_taken]" in result.stderr
    assert rows(set_up, Customer) == [0]


def test_what_fails_on_the_way_leaves_nothing(set_up: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("the power went out")

    monkeypatch.setattr(service, "_close", fail)
    assert isinstance(demo(set_up, "--no-password").exception, OSError)
    assert rows(set_up, Customer, Entry, Span, ProjectMember, RunningTimer) == [0, 0, 0, 0, 0]
    with set_up.app_context(), read_connection() as connection:
        assert connection.execute(select(users.c.login)).scalars().all() == ["boss"]
        added = select(func.count()).select_from(AuditEntry).where(AuditEntry.target == "m.sakai")
        assert connection.execute(added).scalar_one() == 0
