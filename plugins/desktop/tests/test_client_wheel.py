"""The download of the desktop application."""

import zipfile
from io import BytesIO

from flask.testing import FlaskClient

from plugins.desktop.client_wheel import client_wheel
from plugins.standard.tests.company import Company
from tests.conftest import MEMBER, log_in


def test_the_page_offers_a_wheel_that_holds_the_application(office: Company) -> None:
    client: FlaskClient = office.app.test_client()
    log_in(client, MEMBER)
    wheel = client_wheel()
    path = f"/desktop/client/{wheel.name}"
    assert path in client.get("/desktop/").text
    answer = client.get(path)
    assert answer.headers["Content-Disposition"] == f"attachment; filename={wheel.name}"
    names = zipfile.ZipFile(BytesIO(answer.data)).namelist()
    assert "timetracker_desktop/__init__.py" in names
    assert client.get("/desktop/client/another.whl").status_code == 404


def test_nobody_downloads_it_without_logging_in(office: Company) -> None:
    assert office.app.test_client().get(f"/desktop/client/{client_wheel().name}").status_code == 303
