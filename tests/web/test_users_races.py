"""Two administrators at the same moment, as real threads on both engines."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from secrets import token_bytes
from types import SimpleNamespace

import pytest
from flask import Flask, g

from app.auth.census import count_system_administrators
from app.auth.models import UserSession
from app.auth.users import UserDetails
from app.database import write_transaction
from app.refusal import Refusal
from app.settings.state import read_state
from app.settings.users import service
from app.settings.users.service import SeatConfirmationNeeded
from tests.conftest import add_person, register_key

Action = Callable[[], object]


def open_session(app: Flask, user_id: int) -> int:
    """The id of a session in which the user is logged in."""
    now = datetime.now(UTC)
    with app.app_context(), write_transaction() as session:
        opened = UserSession(
            token_hash=token_bytes(32),
            user_id=user_id,
            client="",
            address="",
            created_at=now,
            last_seen_at=now,
            expires_at=now + timedelta(hours=1),
        )
        session.add(opened)
        session.flush()
        return opened.id


def at_once(app: Flask, *actions: tuple[int | None, Action]) -> list[str]:
    """Run each action as that user at the same moment; what came of each: "done" or the code of the refusal."""
    barrier = threading.Barrier(len(actions))
    outcomes = ["?"] * len(actions)

    sessions = {actor: open_session(app, actor) for actor, _ in actions if actor is not None}

    def run(place: int, actor: int | None, action: Action) -> None:
        with app.app_context():
            if actor is not None:
                g.identity = SimpleNamespace(user_id=actor, session_id=sessions[actor], login=f"user {actor}")
            barrier.wait()
            try:
                action()
                outcomes[place] = "done"
            except Refusal as refusal:
                outcomes[place] = refusal.code
            except SeatConfirmationNeeded:
                outcomes[place] = "asked"

    threads = [threading.Thread(target=run, args=(place, *each)) for place, each in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


@pytest.mark.parametrize("how", ["delete", "withdraw"])
@pytest.mark.parametrize("others", [0, 1])
def test_of_two_administrators_who_remove_each_other_one_stays(app: Flask, how: str, others: int) -> None:
    def remove(user_id: int) -> Action:
        if how == "delete":
            return lambda: service.delete([user_id])
        return lambda: service.set_administrator(user_id, administrator=False)

    for number in range(others):
        add_person(app, f"other{number}", admin=True, password=None)
    survivor: int | None = None
    for attempt in range(3):
        one = add_person(app, f"one{attempt}", admin=True, password=None)
        two = add_person(app, f"two{attempt}", admin=True, password=None)
        if survivor is not None:  # who was left over of the attempt before
            with app.app_context():
                service.set_administrator(survivor, administrator=False)
        outcomes = at_once(app, (one, remove(two)), (two, remove(one)))

        assert sorted(outcomes) == ["done", "no_longer_administrator"]
        survivor = one if outcomes[0] == "done" else two
        with app.app_context():
            assert count_system_administrators() == 1 + others


@pytest.mark.parametrize("how", ["delete", "withdraw"])
def test_the_command_line_cannot_take_the_last_administrator_even_twice_at_once(app: Flask, how: str) -> None:
    one = add_person(app, "one", admin=True, password=None)
    two = add_person(app, "two", admin=True, password=None)

    def remove(user_id: int) -> Action:
        if how == "delete":
            return lambda: service.delete([user_id])
        return lambda: service.set_administrator(user_id, administrator=False)

    assert sorted(at_once(app, (None, remove(one)), (None, remove(two)))) == ["done", "last_administrator"]
    with app.app_context():
        assert count_system_administrators() == 1


def test_of_two_who_take_the_last_seat_at_once_one_is_asked(licensed_app: Flask) -> None:
    register_key(licensed_app, seats=3)

    def add(login: str) -> Action:
        return lambda: service.add(UserDetails(login, "Somebody"), password=None, administrator=False)

    assert sorted(at_once(licensed_app, (None, add("a")), (None, add("b")))) == ["asked", "done"]
    with licensed_app.app_context():
        assert read_state().registered_users == 3


def test_one_login_added_twice_at_once_makes_one_user(licensed_app: Flask) -> None:
    def add(login: str) -> Action:
        return lambda: service.add(UserDetails(login, "Somebody"), password=None, administrator=False)

    outcomes = at_once(licensed_app, *((None, add(login)) for login in ("same", "SAME", "Same", "ｓame")))

    assert sorted(outcomes) == ["done", "login_taken", "login_taken", "login_taken"]
