"""An edition that brings users along adds them with whatever belongs to them, or nothing; never past the seats."""

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from flask import Flask, g
from sqlalchemy import select

from app.audit import AuditEntry
from app.auth.identity import Identity
from app.auth.models import User
from app.refusal import Refusal
from app.sdk import NewUser, adding_users, put_setting, read_connection, time_zone
from app.settings.state import read_state
from plugins.standard.settings import COUNTRY, DAILY_MINUTES
from tests.conftest import MEMBER, PASSWORD, log_in, register_key

NEW = NewUser("n.mori", "Naoki Mori", "n.mori@example.org", ("standard.manager",))
LONG_AGO = datetime(2025, 3, 31, 9, tzinfo=UTC)


@pytest.fixture
def entered(licensed_app: Flask) -> Iterator[Flask]:
    """The application of a command."""
    with licensed_app.app_context():
        yield licensed_app


def logins() -> set[str]:
    with read_connection() as connection:
        return set(connection.execute(select(User.login)).scalars())


def refused(*new_users: NewUser, password: str | None = None) -> str:
    before = logins()
    with pytest.raises(Refusal) as raised, adding_users(new_users, password=password):
        pytest.fail("it has begun")
    assert logins() == before
    return raised.value.code


def test_those_who_are_added_can_log_in_and_are_in_the_audit_log(entered: Flask) -> None:
    with adding_users([NEW], password=PASSWORD) as (_, ids):
        assert set(ids) == {NEW.login}
    log_in(entered.test_client(), NEW.login)
    with read_connection() as connection:
        added = select(AuditEntry.actor).where(AuditEntry.action == "user.add", AuditEntry.target == NEW.login)
        assert connection.execute(added).scalars().all() == ["command line"]


@pytest.mark.usefixtures("entered")
def test_what_fails_afterwards_takes_them_back() -> None:
    with pytest.raises(OSError, match="power"), adding_users([NEW]):
        raise OSError("the power went out")
    assert NEW.login not in logins()
    assert read_state().registered_users == 2


def test_somebody_who_has_left_takes_no_seat_and_keeps_the_dates(entered: Flask) -> None:
    register_key(entered, seats=2)
    gone = NewUser("t.weber", "Thomas Weber", joined_at=LONG_AGO, left_at=LONG_AGO.replace(year=2026))
    with adding_users([gone]):
        pass
    with read_connection() as connection:
        row = connection.execute(select(User.created_at, User.deleted_at).where(User.login == "t.weber")).one()
    assert tuple(row) == (gone.joined_at, gone.left_at)
    assert read_state().registered_users == 2


def test_nobody_is_added_past_the_seats(entered: Flask) -> None:
    register_key(entered, seats=3)
    assert refused(NEW, NewUser("p.nair", "Priya Nair")) == "seats_too_few"


@pytest.mark.parametrize(
    ("new_user", "code"),
    [
        (NewUser(MEMBER, "Somebody else"), "login_taken"),
        (NewUser("two words", "Somebody"), "login_invalid"),
        (NewUser("a", "\0"), "name_invalid"),
        (NewUser("a", "Somebody", permissions=("system.administrator",)), "permission_unknown"),
    ],
)
@pytest.mark.usefixtures("entered")
def test_what_no_administrator_could_add_is_refused(new_user: NewUser, code: str) -> None:
    assert refused(new_user) == code


@pytest.mark.usefixtures("entered")
def test_a_weak_password_is_refused() -> None:
    assert refused(NEW, password="password12") == "password_too_weak"


def test_a_page_adds_nobody_for_a_member(licensed_app: Flask) -> None:
    with licensed_app.test_request_context("/"):
        with read_connection() as connection:
            user_id = connection.execute(select(User.id).where(User.login == MEMBER)).scalar_one()
        g.identity = Identity(
            session_id=1,
            credential_seen_at=LONG_AGO,
            user_id=user_id,
            login=MEMBER,
            name=MEMBER,
            email=None,
            language=None,
            time_zone=None,
            theme="auto",
            last_seen_at=None,
            permissions=frozenset(),
            token="",
        )
        assert refused(NEW) == "no_longer_administrator"


def test_nobody_is_added_before_the_first_page(app: Flask) -> None:
    with app.app_context():
        assert refused(NEW) == "setup_pending"


@pytest.mark.usefixtures("entered")
def test_a_setting_that_is_put_counts_at_once_and_comes_with_the_rest() -> None:
    with adding_users([NEW]) as (session, _):
        assert put_setting(session, COUNTRY, "JP")
        assert not put_setting(session, COUNTRY, "JP")
    assert COUNTRY.value() == "JP"
    with pytest.raises(OSError, match="power"):
        _put_in_vain()
    assert COUNTRY.value() == "JP"


def _put_in_vain() -> None:
    with adding_users([]) as (session, _):
        put_setting(session, COUNTRY, "DE")
        raise OSError("the power went out")


@pytest.mark.usefixtures("entered")
def test_a_setting_takes_nothing_that_does_not_fit() -> None:
    with pytest.raises(ValueError, match="1441"), adding_users([]) as (session, _):
        put_setting(session, DAILY_MINUTES, 1441)


@pytest.mark.usefixtures("entered")
def test_a_command_has_the_time_zone_of_the_installation() -> None:
    assert time_zone() == ZoneInfo(str(read_state().time_zone))
