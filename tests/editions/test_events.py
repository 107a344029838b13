"""Events reach the listeners of the editions after the commit, in order, and whatever a listener does."""

import importlib
from collections.abc import Callable
from types import ModuleType

import pytest
from flask import Flask

from app.database import write_transaction
from app.editions.dispatch import MOST_EVENTS, MOST_STEPS
from app.events import UserAdded, UserChanged, announce
from tests.conftest import ONLY_SQLITE
from tests.editions.conftest import Shelf, sound

MakeApp = Callable[..., Flask]
LISTENING = """
from dataclasses import dataclass
from app.sdk import Event, Listener, UserAdded, UserChanged, UserDeleted, UserRestored, announce
from app.database import write_transaction

heard = []

def note(event):
    heard.append(event)

def tell(event):
    with write_transaction() as session:
        announce(session, event)

{functions}

Plugin.listeners = ({listeners},)
"""


def listening(listeners: str, functions: str = "", name: str = "acme", **attributes: str) -> str:
    """Source of an edition with listeners; ``note`` appends to its ``heard``, ``tell`` announces an event."""
    return sound(name, **attributes) + LISTENING.format(functions=functions, listeners=listeners)


def module_of(shelf: Shelf, number: int = 0) -> ModuleType:
    return importlib.import_module(shelf.modules[number])


def tell(app: Flask, *events: object) -> None:
    with app.app_context(), write_transaction() as session:
        for event in events:
            announce(session, event)


def test_a_listener_hears_what_is_announced_once_it_is_committed(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("acme", listening("Listener(UserAdded, note)"))
    app = make_app()
    heard = module_of(shelf).heard
    with app.app_context(), write_transaction() as session:
        announce(session, UserAdded(1, "m.sakai"))
        assert heard == []
    assert heard == [UserAdded(1, "m.sakai")]


def test_nobody_hears_of_what_was_rolled_back(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("acme", listening("Listener(UserAdded, note)"))
    app = make_app()

    def announce_and_fail() -> None:
        with write_transaction() as session:
            announce(session, UserAdded(1, "m.sakai"))
            raise ZeroDivisionError

    with app.app_context():
        with pytest.raises(ZeroDivisionError):
            announce_and_fail()
        with write_transaction():
            pass
    assert module_of(shelf).heard == []


def test_what_was_announced_outside_a_transaction_is_not_told_with_the_next_one(
    shelf: Shelf, make_app: MakeApp
) -> None:
    loose = "def loose(event):\n    from app.extensions import db\n    announce(db.session(), UserChanged(1, 'm'))"
    shelf.install("acme", listening("Listener(UserAdded, loose), Listener(UserChanged, note)", loose))
    app = make_app()
    with app.app_context():
        for _ in range(2):
            with write_transaction() as session:
                announce(session, UserAdded(1, "m"))
    assert module_of(shelf).heard == []


@ONLY_SQLITE
def test_a_listener_hears_its_own_kind_of_event_alone(shelf: Shelf, make_app: MakeApp) -> None:
    special = "@dataclass(frozen=True, slots=True)\nclass Special(UserAdded):\n    pass"
    shelf.install("acme", listening("Listener(UserAdded, note), Listener(Event, note)", special))
    app = make_app()
    tell(app, module_of(shelf).Special(1, "m.sakai"))
    assert module_of(shelf).heard == []


@ONLY_SQLITE
def test_listeners_are_called_in_the_order_of_the_editions(shelf: Shelf, make_app: MakeApp) -> None:
    own = "calls = []\n\ndef note(event):\n    calls.append(__name__)"
    other = own.replace("calls = []", "from plugin_1_bravo_package import calls")
    shelf.install("acme", listening("Listener(UserAdded, note)", other, order="30"))
    shelf.install("bravo", listening("Listener(UserAdded, note)", own, "bravo", order="20"))
    app = make_app()
    tell(app, UserAdded(1, "m.sakai"))
    assert module_of(shelf, 1).calls == [shelf.modules[1], shelf.modules[0]]


def test_a_listener_may_write_and_announce_itself(shelf: Shelf, make_app: MakeApp) -> None:
    on = "def on(event):\n    tell(UserChanged(event.user_id, 'on'))\n    heard.append('on is through')"
    shelf.install(
        "acme", listening("Listener(UserAdded, on), Listener(UserAdded, note), Listener(UserChanged, note)", on)
    )
    app = make_app()
    tell(app, UserAdded(1, "a"), UserAdded(2, "b"))
    assert module_of(shelf).heard == [
        "on is through",
        UserAdded(1, "a"),
        UserChanged(1, "on"),
        "on is through",
        UserAdded(2, "b"),
        UserChanged(2, "on"),
    ]


@ONLY_SQLITE
def test_events_that_lead_to_each_other_come_to_an_end(
    shelf: Shelf, make_app: MakeApp, capfd: pytest.CaptureFixture[str]
) -> None:
    back = (
        "def forth(event):\n    heard.append(event)\n    tell(UserChanged(1, 'x'))\n"
        "def back(event):\n    heard.append(event)\n    tell(UserAdded(1, 'x'))"
    )
    shelf.install("acme", listening("Listener(UserAdded, forth), Listener(UserChanged, back)", back))
    app = make_app()
    tell(app, UserAdded(1, "x"))
    assert len(module_of(shelf).heard) == MOST_STEPS
    assert "EventsWithoutEndError: one leads to the next: UserAdded → UserChanged → UserAdded" in capfd.readouterr().err


@ONLY_SQLITE
def test_no_event_leads_to_any_number_of_events(
    shelf: Shelf, make_app: MakeApp, capfd: pytest.CaptureFixture[str]
) -> None:
    many = (
        "def many(event):\n    heard.append(event)\n    with write_transaction() as session:\n"
        "        for number in range(900):\n            announce(session, UserAdded(number, 'x'))"
    )
    shelf.install("acme", listening("Listener(UserAdded, many)", many))
    app = make_app()
    tell(app, UserAdded(1, "x"))
    assert len(module_of(shelf).heard) == MOST_EVENTS
    assert "more than 1,000 follow from one" in capfd.readouterr().err
