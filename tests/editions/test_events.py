"""Events reach the listeners of the editions after the commit, in order, and whatever a listener does."""

import importlib
from collections.abc import Callable
from types import ModuleType
from uuid import uuid4

import pytest
from flask import Flask

from app import clock
from app.auth.acting import COMMAND_LINE
from app.auth.users import delete_users, restore_users
from app.database import write_transaction
from app.editions import setting_changes
from app.editions.dispatch import MOST_EVENTS, MOST_STEPS
from app.events import (
    LicenseRegistered,
    SettingsChanged,
    UserAdded,
    UserChanged,
    UserDeleted,
    UserRestored,
    announce,
)
from app.license import service
from app.sdk import feature_licensed
from tests.conftest import (
    ADMINISTRATOR,
    MEMBER,
    ONLY_SQLITE,
    add_person,
    csrf_token,
    log_in,
    present_key,
    register_key,
)
from tests.editions.conftest import Shelf, sound

MakeApp = Callable[..., Flask]
CORE_EVENTS = (UserAdded, UserChanged, UserDeleted, UserRestored, LicenseRegistered, SettingsChanged)
LISTENING = """
from dataclasses import dataclass
from app.sdk import Event, Listener, UserAdded, UserChanged, UserDeleted, UserRestored, announce
from app import clock
from app.auth.acting import COMMAND_LINE
from app.auth.users import delete_users, restore_users
from app.database import write_transaction
from app.editions import setting_changes

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


# What the core announces ---------------------------------------------------------------------------------------------


def test_the_core_announces_what_it_does(shelf: Shelf, make_app: MakeApp) -> None:
    every = ", ".join(f"Listener({event.__name__}, note)" for event in CORE_EVENTS)
    imports = "from app.sdk import LicenseRegistered, SettingsChanged, SwitchSetting\n"
    settings = 'Plugin.settings = (SwitchSetting("acme.loud", "Loud", default=False),)'
    shelf.install("acme", listening(every, imports + settings))
    app = make_app()
    administrator = add_person(app, ADMINISTRATOR, admin=True)
    member = add_person(app, MEMBER)
    number = str(uuid4())
    register_key(app, seats=50, jti=number)
    client = app.test_client()
    log_in(client, ADMINISTRATOR)
    profile = {"name": "Somebody Else", "language": "en", "time_zone": "", "theme": "auto"}
    client.post("/account", data={"csrf_token": csrf_token(client, "/account"), **profile})
    with app.app_context():
        setting_changes.change_settings("acme", {"acme.loud": True}, seen={}, actor="somebody")
        with write_transaction() as session:
            delete_users(session, [member], now=clock.now(), acting=COMMAND_LINE)
        with write_transaction() as session:
            restore_users(session, [member])
    assert module_of(shelf).heard == [
        UserAdded(administrator, ADMINISTRATOR),
        UserAdded(member, MEMBER),
        LicenseRegistered(number, "standard"),
        UserChanged(administrator, ADMINISTRATOR),
        SettingsChanged("acme"),
        UserDeleted(member, MEMBER),
        UserRestored(member, MEMBER),
    ]
    assert {type(event) for event in module_of(shelf).heard} == set(CORE_EVENTS)


@ONLY_SQLITE
def test_a_listener_sees_the_license_that_was_just_registered(shelf: Shelf, make_app: MakeApp) -> None:
    ask = "from app.sdk import LicenseRegistered, feature_licensed\n\ndef ask(event):\n"
    ask += "    heard.append(feature_licensed('acme.board'))"
    shelf.install("acme", listening("Listener(LicenseRegistered, ask)", ask))
    app = make_app()
    with app.test_request_context():
        assert not feature_licensed("acme.board")
        service.register(present_key(features=["acme.board"]), assume_yes=True)
    assert module_of(shelf).heard == [True]
