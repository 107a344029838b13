"""What one worker or node changes, every other obeys at its next request."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import delete

from app.database import write_transaction
from app.license.models import RegisteredLicense
from tests.conftest import ADMINISTRATOR, MEMBER, PASSWORD, present_key, register_key
from tests.process.server import Server, Visitor, environment_of

pytestmark = pytest.mark.process
CHANGES = 20
WORKERS = 4


def test_a_license_change_is_obeyed_by_every_worker_at_its_next_request(licensed_app: Flask) -> None:
    """The change is made in another process than the workers, as another node would."""
    stale: list[tuple[int, int, int, int]] = []
    with Server(environment_of(licensed_app), workers=WORKERS) as server:
        member = Visitor(server)
        member.log_in(MEMBER, PASSWORD)
        connections = server.connections_to_every_worker()
        for change in range(CHANGES):
            starts = datetime.now(UTC) - timedelta(minutes=50 - change)
            if change % 5 == 4:
                with licensed_app.app_context(), write_transaction() as session:
                    session.execute(delete(RegisteredLicense))
            else:
                register_key(licensed_app, seats=(50, 1)[change % 2], nbf=starts)
            expected = 403 if change % 5 == 4 or change % 2 else 200
            for worker, connection in connections.items():
                answer = member.get("/", connection)
                assert answer.worker == worker
                if answer.status != expected:
                    stale.append((change, worker, answer.status, expected))

    assert not stale


def test_a_license_registered_in_one_worker_is_shown_by_every_other(licensed_app: Flask) -> None:
    page = "/settings/operation/license"
    with Server(environment_of(licensed_app), workers=WORKERS) as server:
        admin = Visitor(server)
        admin.log_in(ADMINISTRATOR, PASSWORD)
        connections = server.connections_to_every_worker()
        for seats, connection in enumerate(connections.values(), 60):
            key = present_key(seats=seats)
            assert admin.post(page, {"license_key": key}, connection=connection).status == 303
            for other in connections.values():
                assert f"{seats - 2} seats free" in admin.get(page, other).text


def test_a_log_out_in_one_worker_is_obeyed_by_every_other(licensed_app: Flask) -> None:
    with Server(environment_of(licensed_app), workers=2) as server:
        member = Visitor(server)
        member.log_in(MEMBER, PASSWORD)
        stolen = member.copy()
        first, second = server.connections_to_every_worker().values()
        assert stolen.get("/account", first).status == stolen.get("/account", second).status == 200

        assert member.post("/logout", {}, page="/account", connection=first).status == 303

        assert stolen.get("/account", second).location.startswith("/login")
        assert stolen.get("/account", first).location.startswith("/login")
