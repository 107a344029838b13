"""Two administrators register license keys at the same moment, in two workers."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import select

from app.audit import AuditEntry
from app.extensions import db
from app.license.key import fingerprint
from app.license.models import RegisteredLicense
from tests.conftest import ADMINISTRATOR, PASSWORD, add_person, present_key
from tests.process.server import Answer, Server, Visitor, environment_of

pytestmark = pytest.mark.process
PAGE = "/settings/operation/license"
ROUNDS = 6


def at_once(server: Server, keys: tuple[str, str]) -> list[Answer]:
    """Two administrators, each with a connection to a worker of their own, press Register License together."""
    visitors = (Visitor(server), Visitor(server))
    for visitor, login in zip(visitors, (ADMINISTRATOR, "second.admin"), strict=True):
        visitor.log_in(login, PASSWORD)
    tokens = [visitor.token(PAGE) for visitor in visitors]
    connections = list(server.connections_to_every_worker().values())
    together = Barrier(2)

    def press(number: int) -> Answer:
        form = {"license_key": keys[number], "csrf_token": tokens[number]}
        together.wait()
        return visitors[number].request("POST", PAGE, form, connections[number])

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(press, (0, 1)))


def done_registrations(app: Flask) -> list[AuditEntry]:
    """The audit entries of the registrations that happened, in their order."""
    with app.app_context():
        query = select(AuditEntry).where(AuditEntry.action == "license.register", AuditEntry.outcome == "done")
        entries = list(db.session.scalars(query.order_by(AuditEntry.id)))
        db.session.expunge_all()
        db.session.rollback()
    return entries


def rows(app: Flask) -> list[str]:
    """The fingerprints of the registered keys, in their order."""
    with app.app_context(), db.engines["read"].connect() as connection:
        return list(connection.execute(select(RegisteredLicense.fingerprint).order_by(RegisteredLicense.id)).scalars())


@pytest.fixture
def two_administrators(licensed_app: Flask) -> Flask:
    add_person(licensed_app, "second.admin", admin=True)
    return licensed_app


def dates(starts: datetime, number: int) -> dict[str, datetime]:
    """The same dates for all keys of a round, later than those of the round before: then neither key is the older."""
    nbf = starts + timedelta(seconds=number)
    days = {"exp": 300, "maintenance_exp": 200}
    return {"iat": nbf, "nbf": nbf, **{name: nbf + timedelta(days=length) for name, length in days.items()}}


def test_two_administrators_who_register_at_once_end_in_one_order_that_both_can_see(two_administrators: Flask) -> None:
    """Each key grants the same, so that both are registered without a question, whoever is first."""
    starts = datetime.now(UTC) - timedelta(minutes=30)
    with Server(environment_of(two_administrators)) as server:
        for number in range(ROUNDS):
            grants = {"seats": 60, **dates(starts, number)}
            answers = at_once(server, (present_key(**grants), present_key(**grants)))
            assert [answer.status for answer in answers] == [303, 303], [answer.text for answer in answers]

        entries = done_registrations(two_administrators)
        order = rows(two_administrators)
        assert len(order) == 1 + 2 * ROUNDS
        assert [entry.target for entry in entries] == order
        # Each has seen the one before it: what the audit log calls "before" is what the last one made.
        for earlier, later in pairwise(entries):
            assert later.before is not None
            assert later.before["fingerprint"] == earlier.target
        admin = Visitor(server)
        admin.log_in(ADMINISTRATOR, PASSWORD)
        for connection in server.connections_to_every_worker().values():
            shown = admin.get(PAGE, connection).text.replace(" ", "")
            assert order[-1] in shown or " ".join(order[-1][i : i + 4] for i in (0, 4, 8)).replace(" ", "") in shown


def test_different_grants_at_once_are_registered_or_asked_about_and_never_an_error(two_administrators: Flask) -> None:
    """The smaller license is worse than the larger one, so whether it is asked about depends on who was first."""
    starts = datetime.now(UTC) - timedelta(minutes=30)
    with Server(environment_of(two_administrators)) as server:
        for number in range(ROUNDS):
            before = rows(two_administrators)
            keys = tuple(present_key(seats=seats, **dates(starts, number)) for seats in (70 + number, 80 + number))
            answers = at_once(server, (keys[0], keys[1]))
            registered = [key for key, answer in zip(keys, answers, strict=True) if answer.status == 303]
            assert all(answer.status in (200, 303) for answer in answers), [answer.text for answer in answers]
            new = rows(two_administrators)[len(before) :]
            assert sorted(new) == sorted(map(fingerprint, registered))
            assert fingerprint(keys[1]) in new
        assert "Traceback" not in server.log


def test_the_same_key_at_once_makes_one_row(two_administrators: Flask) -> None:
    with Server(environment_of(two_administrators)) as server:
        for number in range(ROUNDS):
            before = rows(two_administrators)
            key = present_key(seats=90 + number)
            answers = at_once(server, (key, key))
            assert sorted(answer.status for answer in answers) == [303, 422], [answer.text for answer in answers]
            assert any("already_registered" in answer.text for answer in answers)
            assert rows(two_administrators) == [*before, fingerprint(key)]
        assert "Traceback" not in server.log
