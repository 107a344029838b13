"""The company of Standard's tests, and a device of the member."""

from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from app.auth.models import User
from app.sdk import write_transaction
from app.security import Credential
from plugins.standard.tests.company import Company
from plugins.standard.tests.conftest import *  # noqa: F403 - fixtures are found by their names
from tests.conftest import MEMBER, bearer


class Device:
    """A desktop application that is paired with somebody; it tells what it is made to tell."""

    def __init__(self, office: Company, login: str = MEMBER) -> None:
        self.office = office
        self.client: FlaskClient = office.app.test_client(use_cookies=False)
        self.header = bearer(office.app, login, Credential.DEVICE_TOKEN)

    def state(self, **headers: str) -> TestResponse:
        return self.client.get("/api/v1/desktop/state", headers={**self.header, **headers})

    def send(self, *operations: dict[str, object]) -> TestResponse:
        return self.client.post("/api/v1/desktop/sync", json={"operations": operations}, headers=self.header)

    def tell(self, *operations: dict[str, object]) -> list[dict[str, object]]:
        answer = self.send(*operations)
        assert answer.status_code == 200, answer.text
        results: list[dict[str, object]] = answer.get_json()["results"]
        return results


def operation(kind: str, **values: object) -> dict[str, object]:
    """An operation with an id of its own."""
    return {"id": str(uuid4()), "kind": kind, **values}


@pytest.fixture
def device(office: Company, thursday: None) -> Device:  # noqa: ARG001 - it is that day
    """The device of the member, who is in Tokyo, at noon UTC of the day of the mock pages."""
    with office.app.app_context(), write_transaction() as session:
        session.execute(update(User).where(User.login == MEMBER).values(time_zone="Asia/Tokyo"))
    return Device(office)
