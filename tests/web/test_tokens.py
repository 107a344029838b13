"""Tokens: whose they are, what they are worth, and when they end; on both databases."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from flask import Blueprint, Flask
from flask.testing import FlaskClient
from flask_login import current_user
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer
from sqlalchemy import event, select, update

from app.audit import AuditEntry
from app.auth.acting import COMMAND_LINE
from app.auth.identity import Identity
from app.auth.models import AccessToken, User
from app.auth.users import delete_users, set_password
from app.database import read_connection, write_transaction
from app.extensions import db
from app.license.gate import Verdict, decide
from app.refusal import Refusal
from app.sdk import devices_of, end_device, issue_device_token
from app.security import SYSTEM_ADMINISTRATOR, Access, Audience, Credential, Representation, declare, resolve_access
from tests.conftest import (
    ADMINISTRATOR,
    MEMBER,
    PASSWORD,
    SECRET_KEY,
    add_person,
    bearer,
    csrf_token,
    log_in,
    register_key,
)

DEVICE = Credential.DEVICE_TOKEN
PERSONAL = Credential.API_TOKEN
NEW_PASSWORD = "purple elephants dance slowly"


def with_probes(app: Flask) -> Flask:
    """Add an address for each kind of token, which says whose it is."""
    for credential in (PERSONAL, DEVICE):
        probe = Blueprint(f"probe_{credential.value}", __name__, url_prefix=f"/api/v1/{credential.value}")
        declare(probe, Audience.MEMBER, Representation.PROBLEM_JSON, credential=credential, scope="probe.read")
        probe.add_url_rule("/", "show", lambda: {"login": current_user.login}, methods=["GET", "POST"])
        app.register_blueprint(probe)
    app.extensions["access"] = resolve_access(app)
    return app


@pytest.fixture
def probed_app(licensed_app: Flask) -> Flask:
    return with_probes(licensed_app)


def ask(app: Flask, headers: dict[str, str], credential: Credential = PERSONAL, **more: Any) -> tuple[int, Any]:
    answer = app.test_client().get(f"/api/v1/{credential.value}/", headers=headers, **more)
    return answer.status_code, answer.get_json()


def user_id(app: Flask, login: str = MEMBER) -> int:
    with app.app_context(), read_connection() as connection:
        return connection.execute(select(User.id).where(User.login == login)).scalar_one()


def audited(app: Flask, action: str) -> list[tuple[str, str, Any, Any]]:
    with app.app_context(), read_connection() as connection:
        rows = connection.execute(select(AuditEntry.__table__).where(AuditEntry.action == action))
        return [(row.actor, row.target, row.before, row.after) for row in rows]


@pytest.mark.parametrize("credential", [PERSONAL, DEVICE])
def test_a_token_says_who_asks(probed_app: Flask, credential: Credential) -> None:
    headers = bearer(probed_app, MEMBER, credential, scopes="probe.read")

    assert ask(probed_app, headers, credential) == (200, {"login": MEMBER})
    assert probed_app.test_client().post(f"/api/v1/{credential.value}/", headers=headers).status_code == 200


@pytest.mark.parametrize("credential", [PERSONAL, DEVICE])
def test_a_token_of_one_kind_is_nothing_where_the_other_is_asked_for(probed_app: Flask, credential: Credential) -> None:
    other = DEVICE if credential is PERSONAL else PERSONAL

    status, problem = ask(probed_app, bearer(probed_app, MEMBER, other, scopes="probe.read"), credential)

    assert (status, problem["code"]) == (401, "token_invalid")


def test_a_session_is_nobody_for_programs_and_a_token_is_nobody_on_a_page(
    probed_app: Flask, member_client: FlaskClient
) -> None:
    answer = member_client.get("/api/v1/personal/")
    assert (answer.status_code, answer.get_json()["code"]) == (401, "token_missing")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="TimeTracker RX"'
    assert answer.mimetype == "application/problem+json"

    headers = bearer(probed_app, ADMINISTRATOR, PERSONAL, scopes="probe.read")
    assert probed_app.test_client().get("/account", headers=headers).location == "/login?next=/account"
    assert member_client.get("/settings/users", headers=headers).status_code == 403


def test_a_session_beside_a_token_changes_nothing(probed_app: Flask, admin_client: FlaskClient) -> None:
    headers = bearer(probed_app, MEMBER, PERSONAL, scopes="probe.read")

    assert admin_client.get("/api/v1/personal/", headers=headers).get_json() == {"login": MEMBER}


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Basic bS5zYWthaTp4",
        "Bearer ttrx_short",
        "Bearer ttrx_" + "A" * 43,
        "Bearer " + "A" * 5_000,
        "Bearer ttrx_" + "é" * 43,
        "Bearer " + str(URLSafeSerializer(SECRET_KEY, salt="cookie-session").dumps("x" * 43)),
        "Bearer " + str(URLSafeSerializer(SECRET_KEY, salt="device-token").dumps(["x" * 43])),
        "Bearer " + str(URLSafeSerializer("another key of another installation", salt="device-token").dumps("x" * 43)),
    ],
)
@pytest.mark.parametrize("credential", [PERSONAL, DEVICE])
def test_what_is_no_token_is_refused(probed_app: Flask, header: str, credential: Credential) -> None:
    status, problem = ask(probed_app, {"Authorization": header.encode().decode("latin-1")}, credential)

    assert status == 401
    assert problem["code"] in ("token_invalid", "token_missing")
    assert problem["title"]
    assert problem["remedy"]


def test_a_device_token_has_one_text(probed_app: Flask) -> None:
    header = bearer(probed_app, MEMBER, DEVICE)["Authorization"]

    assert ask(probed_app, {"Authorization": header}, DEVICE)[0] == 200
    for other in (f"{header}=", f"{header}==", f"{header}."):
        assert ask(probed_app, {"Authorization": other}, DEVICE)[0] == 401


def test_a_wrong_token_is_told_so_as_rfc_6750_says(probed_app: Flask) -> None:
    answer = probed_app.test_client().get("/api/v1/personal/", headers={"Authorization": "Bearer ttrx_no"})

    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="TimeTracker RX", error="invalid_token"'


def test_a_personal_token_expires_to_the_second(probed_app: Flask) -> None:
    end = datetime(2027, 3, 1, 12, tzinfo=UTC)
    register_key(probed_app, exp=end + timedelta(days=900))
    headers = bearer(probed_app, scopes="probe.read", expires=end)

    with time_machine.travel(end - timedelta(seconds=1), tick=False):
        assert ask(probed_app, headers)[0] == 200
    with time_machine.travel(end, tick=False):
        assert ask(probed_app, headers)[1]["code"] == "token_invalid"


def test_a_personal_token_without_the_scope_is_told_which(probed_app: Flask) -> None:
    status, problem = ask(probed_app, bearer(probed_app, scopes="probe.reader other"))

    assert (status, problem["code"]) == (403, "scope_missing")
    assert "probe.read" in problem["title"]


def test_tokens_end_with_the_password_that_an_administrator_sets(probed_app: Flask) -> None:
    headers = [bearer(probed_app, MEMBER, kind, scopes="probe.read") for kind in (PERSONAL, DEVICE)]
    with probed_app.app_context(), write_transaction() as session:
        set_password(session, user_id(probed_app), "a hash", acting=COMMAND_LINE)

    assert [ask(probed_app, headers[0])[0], ask(probed_app, headers[1], DEVICE)[0]] == [401, 401]


def test_tokens_end_with_the_password_that_the_user_changes(probed_app: Flask, member_client: FlaskClient) -> None:
    mine = bearer(probed_app, MEMBER, scopes="probe.read")
    device = bearer(probed_app, MEMBER, DEVICE)
    others = bearer(probed_app, ADMINISTRATOR, scopes="probe.read")
    form = {"current_password": PASSWORD, "new_password": NEW_PASSWORD, "new_password_again": NEW_PASSWORD}
    token = csrf_token(member_client, "/account")

    assert member_client.post("/account/password", data={**form, "csrf_token": token}).status_code == 303

    assert (ask(probed_app, mine)[0], ask(probed_app, device, DEVICE)[0]) == (401, 401)
    assert ask(probed_app, others)[0] == 200
    assert member_client.get("/account").status_code == 200


def test_tokens_end_with_the_user_and_do_not_come_back_when_the_user_is_restored(probed_app: Flask) -> None:
    headers = bearer(probed_app, scopes="probe.read")
    one = user_id(probed_app)
    with probed_app.app_context(), write_transaction() as session:
        delete_users(session, [one], now=datetime.now(UTC), acting=COMMAND_LINE)
    assert ask(probed_app, headers)[0] == 401
    with probed_app.app_context(), write_transaction() as session:
        session.execute(update(User).where(User.id == one).values(deleted_at=None))

    assert ask(probed_app, headers)[0] == 401


def test_a_user_who_is_deleted_by_plain_sql_is_nobody_with_a_token(probed_app: Flask) -> None:
    headers = bearer(probed_app, scopes="probe.read")
    with probed_app.app_context(), write_transaction() as session:
        session.execute(update(User).where(User.login == MEMBER).values(deleted_at=datetime.now(UTC)))

    assert ask(probed_app, headers)[0] == 401


# Devices ----------------------------------------------------------------------------------------------------------


def test_a_device_is_paired_listed_and_ended(probed_app: Flask) -> None:
    mine = user_id(probed_app)
    with probed_app.app_context():
        with write_transaction() as session:
            token = issue_device_token(session, mine, "  Mio's laptop ")
        (device,) = devices_of(mine)
        assert (device.name, device.last_used_at) == ("Mio's laptop", None)
        assert devices_of(user_id(probed_app, ADMINISTRATOR)) == ()
    headers = {"Authorization": f"Bearer {token}"}
    assert ask(probed_app, headers, DEVICE) == (200, {"login": MEMBER})
    with probed_app.app_context():
        assert devices_of(mine)[0].last_used_at is not None
        with write_transaction() as session:
            assert not end_device(session, user_id(probed_app, ADMINISTRATOR), device.id)
            assert end_device(session, mine, device.id)
            assert not end_device(session, mine, device.id)
    assert ask(probed_app, headers, DEVICE)[0] == 401
    assert audited(probed_app, "device.pair") == [(MEMBER, MEMBER, None, {"name": "Mio's laptop"})]
    assert audited(probed_app, "device.end") == [("command line", MEMBER, {"name": "Mio's laptop"}, None)]


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\x00b", "a\nb", "\ud800"])
def test_a_device_has_a_name_that_can_be_shown(licensed_app: Flask, name: str) -> None:
    with licensed_app.app_context(), pytest.raises(Refusal, match="token_name_invalid"), write_transaction() as session:
        issue_device_token(session, user_id(licensed_app), name)


def test_somebody_who_has_been_deleted_gets_no_device(licensed_app: Flask) -> None:
    mine = user_id(licensed_app)
    with licensed_app.app_context():
        with write_transaction() as session:
            session.execute(update(User).where(User.id == mine).values(deleted_at=datetime.now(UTC)))
        with pytest.raises(Refusal, match="user_unknown"), write_transaction() as session:
            issue_device_token(session, mine, "laptop")


def test_neither_the_database_nor_the_log_holds_a_token(probed_app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    with probed_app.app_context(), write_transaction() as session:
        token = issue_device_token(session, user_id(probed_app), "laptop")
    ask(probed_app, {"Authorization": f"Bearer {token}"}, DEVICE)
    with probed_app.app_context(), read_connection() as connection:
        tables = (AccessToken.__table__, AuditEntry.__table__)
        rows = "".join(repr(connection.execute(select(table)).all()) for table in tables)
    assert "laptop" in rows
    secret = str(URLSafeSerializer(SECRET_KEY, salt="device-token").loads(token))
    assert len(secret) == 43
    logged = "".join(capsys.readouterr())
    assert not any(text in where for text in (token, secret) for where in (rows, logged))


# Maintenance --------------------------------------------------------------------------------------------------------


def test_a_device_works_through_the_last_second_of_maintenance_and_not_one_longer(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app(time_zone=ZoneInfo("Asia/Tokyo"))
    add_person(app, ADMINISTRATOR, admin=True)
    add_person(app, MEMBER)
    ends = datetime(2027, 3, 31, 15, tzinfo=UTC)  # midnight in Tokyo
    now = datetime.now(UTC)
    register_key(app, exp=ends + timedelta(days=300), maintenance_exp=ends)
    with_probes(app)
    headers = bearer(app, MEMBER, DEVICE)
    personal = bearer(app, MEMBER, PERSONAL, scopes="probe.read")
    with time_machine.travel(ends - timedelta(seconds=1), tick=False):
        assert ask(app, headers, DEVICE)[0] == 200
    with time_machine.travel(ends, tick=False):
        status, problem = ask(app, headers, DEVICE)
        assert (status, problem["code"]) == (403, "maintenance_expired")
        assert datetime.fromisoformat(problem["maintenance_expires"]) == ends
        assert "31 March 2027" in problem["detail"]
        assert "the web application works as before" in problem["detail"]
        assert problem["remedy"] == "Register a license key with a later Maintenance Expiration Date."
        japanese = app.test_client().get("/api/v1/device/", headers={**headers, "Accept-Language": "ja"}).get_json()
        assert "2027年3月31日" in japanese["detail"]
        # The personal token goes on, as the web does; for the desktop's addresses it is worth nothing.
        assert ask(app, personal)[0] == 200
        assert ask(app, personal, DEVICE)[1]["code"] == "token_invalid"
        browser = app.test_client()
        log_in(browser, MEMBER)
        assert browser.get("/account").status_code == 200

        register_key(
            app,
            iat=now,
            nbf=now,
            exp=ends + timedelta(days=700),
            maintenance_exp=ends + timedelta(days=365),
        )
        assert ask(app, headers, DEVICE)[0] == 200


def test_the_license_is_told_before_maintenance(licensed_app: Flask) -> None:
    app = with_probes(licensed_app)
    headers = bearer(app, MEMBER, DEVICE)
    for late in (250, 5_000):  # both have passed
        with time_machine.travel(datetime.now(UTC) + timedelta(days=late)):
            assert ask(app, headers, DEVICE)[1]["code"] == "license_expired"


def somebody(credential: Credential, *, admin: bool, scopes: frozenset[str]) -> Identity:
    permissions = frozenset({SYSTEM_ADMINISTRATOR} if admin else ())
    return Identity(1, "a", "A", None, None, None, "auto", permissions, None, None, None, "", credential, 1, scopes)


@given(
    access=st.builds(
        Access,
        st.sampled_from(Audience),
        feature=st.sampled_from([None, "a.b"]),
        permission=st.sampled_from([None, "a.c"]),
        credential=st.sampled_from(Credential),
        scope=st.sampled_from([None, "a.read", "a.write"]),
    ),
    credential=st.sampled_from(Credential),
    admin=st.booleans(),
    scopes=st.frozensets(st.sampled_from(["a.read", "a.write"])),
    restricted=st.booleans(),
    desktop=st.booleans(),
    licensed=st.booleans(),
)
def test_the_order_of_the_table_holds_for_every_combination(
    access: Access,
    credential: Credential,
    admin: bool,
    scopes: frozenset[str],
    restricted: bool,
    desktop: bool,
    licensed: bool,
) -> None:
    verdict = decide(
        access,
        somebody(credential, admin=admin, scopes=scopes),
        restricted=restricted,
        desktop=desktop,
        licensed=licensed,
    )

    if access.audience is Audience.PUBLIC:
        for_devices = access.credential is DEVICE and not desktop
        allowed = Verdict.ALLOW if licensed else Verdict.NOT_LICENSED
        assert verdict is (Verdict.NOT_FOR_DEVICES if for_devices else allowed)
    elif credential is not access.credential:
        assert verdict is Verdict.LOG_IN
    elif restricted:
        assert verdict is (Verdict.CONFINE if admin else Verdict.LOCK_OUT)
    elif credential is DEVICE and not desktop:
        assert verdict is Verdict.NOT_FOR_DEVICES
    elif access.audience is Audience.ADMIN and not admin:
        assert verdict is Verdict.FORBID
    elif not licensed:
        assert verdict is Verdict.NOT_LICENSED
    elif access.permission and not admin:
        assert verdict is Verdict.FORBID
    elif credential is PERSONAL:
        assert (verdict is Verdict.ALLOW) == (access.scope is not None and access.scope in scopes)
    else:
        assert verdict is Verdict.ALLOW


# What it costs ------------------------------------------------------------------------------------------------------


def statements(app: Flask, headers: dict[str, str]) -> list[str]:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    with app.app_context():
        engines = list(db.engines.values())
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    ask(app, headers)
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)
    return seen


def test_a_request_with_a_token_costs_one_statement_and_one_without_none(probed_app: Flask) -> None:
    headers = bearer(probed_app, scopes="probe.read")
    ask(probed_app, headers)

    (statement,) = statements(probed_app, headers)
    for table in ("access_tokens", "users", "installation", "seat_count"):
        assert table in statement
    assert statements(probed_app, {"Authorization": "Bearer nonsense"}) == []
    assert statements(probed_app, {}) == []


def test_the_last_use_is_written_every_five_minutes_at_most(probed_app: Flask) -> None:
    headers = bearer(probed_app, scopes="probe.read")
    start = datetime.now(UTC)
    uses = []
    for minutes in (1, 4, 7, 9, 13):
        with time_machine.travel(start + timedelta(minutes=minutes), tick=False):
            ask(probed_app, headers)
        with probed_app.app_context(), read_connection() as connection:
            used = connection.execute(select(AccessToken.last_used_at)).scalar_one()
        assert used is not None
        uses.append(round((used - start) / timedelta(minutes=1)))

    assert uses == [1, 1, 7, 7, 13]


def test_where_the_token_cannot_be_looked_up_the_answer_is_503(
    probed_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    headers = bearer(probed_app, scopes="probe.read")
    monkeypatch.setattr("app.auth.identity.read_connection", fail)

    status, problem = ask(probed_app, headers)
    assert (status, problem["status"]) == (503, 503)


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/api/v1/nothing", 404), ("DELETE", "/api/v1/device/", 405)]
)
def test_an_address_that_leads_nowhere_is_answered_in_the_form_of_its_neighbours(
    probed_app: Flask, member_client: FlaskClient, method: str, path: str, status: int
) -> None:
    for client in (probed_app.test_client(), member_client):
        answer = client.open(path, method=method)
        assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
        assert answer.get_json()["status"] == status


# Personal tokens on the account page --------------------------------------------------------------------------------


def make(client: FlaskClient, **typed: Any) -> tuple[int, str]:
    """Make a token through the page; returns the status and the token, empty where the page shows none."""
    form = {"name": "my script", "days": "90", "scopes": ["profile.read"], **typed}
    answer = client.post("/account/tokens", data={**form, "csrf_token": csrf_token(client, "/account")})
    head = answer.text.partition('id="new-token" value="')[2]
    return answer.status_code, head.partition('"')[0]


def test_a_token_that_is_made_on_the_page_is_shown_once_and_works(
    licensed_app: Flask, member_client: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    status, token = make(member_client, scopes=["data.read", "profile.read"])

    assert status == 200
    assert len(token) == 48
    page = member_client.get("/account").text
    assert "my script" in page
    assert "never used" in page
    assert token not in page
    answer = licensed_app.test_client().get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.get_json()["scopes"] == ["data.read", "profile.read"]
    assert "last used on" in member_client.get("/account").text
    after = {"name": "my script", "scopes": ["data.read", "profile.read"], "days": 90}
    assert audited(licensed_app, "token.make") == [(MEMBER, MEMBER, None, after)]
    assert token not in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("typed", "status"),
    [
        ({"name": " "}, 422),
        ({"name": "x" * 101}, 422),
        ({"name": "a\x07b"}, 422),
        ({"scopes": []}, 422),
        ({"scopes": ["everything"]}, 422),
        ({"days": "31"}, 422),
        ({"days": "x"}, 422),
    ],
)
def test_a_token_that_cannot_be_made_so_is_refused_at_its_field(
    licensed_app: Flask, member_client: FlaskClient, typed: dict[str, Any], status: int
) -> None:
    assert make(member_client, **typed) == (status, "")
    assert audited(licensed_app, "token.make") == []


def test_a_token_ends_after_the_days_that_were_chosen(licensed_app: Flask, member_client: FlaskClient) -> None:
    _, token = make(member_client, days="30")
    headers = {"Authorization": f"Bearer {token}"}
    start = datetime.now(UTC)

    for days, status in ((29, 200), (31, 401)):
        with time_machine.travel(start + timedelta(days=days)):
            assert licensed_app.test_client().get("/api/v1/me", headers=headers).status_code == status


def test_nobody_has_more_than_twenty_tokens_and_expired_ones_make_room(
    licensed_app: Flask, member_client: FlaskClient
) -> None:
    for _ in range(19):
        bearer(licensed_app, expires=datetime.now(UTC) + timedelta(days=9))
    bearer(licensed_app, expires=datetime.now(UTC) - timedelta(days=1))

    assert make(member_client)[0] == 200
    status, token = make(member_client)
    assert (status, token) == (409, "")


def test_a_token_is_ended_by_its_owner_and_by_nobody_else(
    licensed_app: Flask, member_client: FlaskClient, admin_client: FlaskClient
) -> None:
    _, token = make(member_client)
    number = member_client.get("/account").text.partition('name="token" value="')[2].partition('"')[0]
    headers = {"Authorization": f"Bearer {token}"}

    def end(client: FlaskClient, path: str = "/account/tokens/end") -> int:
        form = {"token": number, "csrf_token": csrf_token(client, "/account")}
        return client.post(path, data=form).status_code

    assert end(admin_client) == 303
    assert licensed_app.test_client().get("/api/v1/me", headers=headers).status_code == 200
    assert end(member_client) == 303
    assert licensed_app.test_client().get("/api/v1/me", headers=headers).status_code == 401
    assert audited(licensed_app, "token.end") == [(MEMBER, MEMBER, {"name": "my script"}, None)]


def test_an_administrator_sees_and_ends_the_tokens_of_a_user(
    licensed_app: Flask, member_client: FlaskClient, admin_client: FlaskClient
) -> None:
    _, token = make(member_client)
    page = f"/settings/users/{user_id(licensed_app)}"
    shown = admin_client.get(page).text
    assert "my script" in shown
    assert token not in shown
    number = shown.partition('name="token" value="')[2].partition('"')[0]
    form = {"token": number, "csrf_token": csrf_token(admin_client, "/account")}

    assert member_client.post(f"{page}/tokens/end", data=form).status_code in (400, 403)
    assert admin_client.post(f"{page}/tokens/end", data=form).status_code == 303

    headers = {"Authorization": f"Bearer {token}"}
    assert licensed_app.test_client().get("/api/v1/me", headers=headers).status_code == 401
    assert audited(licensed_app, "token.end") == [(ADMINISTRATOR, MEMBER, {"name": "my script"}, None)]


@pytest.mark.parametrize("number", ["", "x", "-1", "9" * 30, "1.5"])
def test_nonsense_in_place_of_a_token_is_refused(member_client: FlaskClient, number: str) -> None:
    form = {"token": number, "csrf_token": csrf_token(member_client, "/account")}

    assert member_client.post("/account/tokens/end", data=form).status_code == 400
