"""A license without the edition takes its pages away and nothing of what was recorded."""

from datetime import timedelta

from flask.testing import FlaskClient

from plugins.standard.tests.company import THURSDAY, Company
from plugins.standard.tests.sheet import WEEK, entries
from plugins.standard.tests.test_timesheet_web import record
from tests.conftest import MEMBER, log_in, register_key


def test_a_downgrade_keeps_all_hours_and_an_upgrade_shows_them_again(office: Company, thursday: None) -> None:  # noqa: ARG001 - it is that day
    record(office, ("drawing", THURSDAY, 83), ("review", THURSDAY - timedelta(days=1), 60))
    client: FlaskClient = office.app.test_client()
    log_in(client, MEMBER)
    page = f"/timesheet/?week={WEEK}"
    before = entries(office)
    assert "1:23" in client.get(page).text

    register_key(office.app, seats=50, edition="another")
    assert client.get(page).status_code == 402
    assert entries(office) == before

    register_key(office.app, seats=50, edition="standard")
    assert "1:23" in client.get(page).text
