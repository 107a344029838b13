"""The license and seat policy as people meet it: manual, "Notes on License Operation"."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Blueprint, Flask
from flask.testing import FlaskClient
from flask_login import current_user
from sqlalchemy import delete, event, insert
from werkzeug.routing import BaseConverter
from werkzeug.test import TestResponse

from app.auth.models import User
from app.database import write_transaction
from app.extensions import db
from app.license import service as license_service
from app.license.models import RegisteredLicense
from app.security import (
    Access,
    Audience,
    Credential,
    Representation,
    WhileRestricted,
    access,
    resolve_access,
)
from tests.conftest import (
    ADMINISTRATOR,
    MEMBER,
    PASSWORD,
    add_person,
    bearer,
    csrf_token,
    log_in,
    present_key,
    register_key,
)

LICENSE_PAGE = "/settings/operation/license"


def exceed_seats(app: Flask) -> None:
    """One more user than a license for two allows."""
    register_key(app, seats=2, nbf=datetime.now(UTC) - timedelta(minutes=30))
    add_person(app, "one.too.many", password=None)


def delete_user(app: Flask, login: str) -> None:
    with app.app_context(), write_transaction() as session:
        session.execute(User.__table__.update().where(User.login == login).values(deleted_at=datetime.now(UTC)))


def test_as_many_users_as_seats_is_fine(licensed_app: Flask, member_client: FlaskClient) -> None:
    register_key(licensed_app, seats=2, nbf=datetime.now(UTC) - timedelta(minutes=30))

    assert member_client.get("/").status_code == 200


def test_with_more_users_than_seats_a_member_reads_why_and_may_log_out(
    licensed_app: Flask, member_client: FlaskClient
) -> None:
    exceed_seats(licensed_app)

    for path in ("/", "/account", "/settings/users", "/no/such/page", LICENSE_PAGE):
        answer = member_client.get(path)
        assert answer.status_code == 403
        assert "The number of licenses has been exceeded." in answer.text
        assert 'action="/logout"' in answer.text


def test_with_more_users_than_seats_an_administrator_gets_the_admin_screen_alone(
    licensed_app: Flask, admin_client: FlaskClient
) -> None:
    exceed_seats(licensed_app)

    for path in ("/", "/no/such/page", "/standard/start"):
        answer = admin_client.get(path)
        assert (answer.status_code, answer.location) == (303, LICENSE_PAGE)
    for path in (LICENSE_PAGE, "/settings/users", "/settings/general", "/settings/operation/status", "/account"):
        assert admin_client.get(path).status_code == 200
    assert "seats_exceeded" in admin_client.get(LICENSE_PAGE).text


def test_with_more_users_than_seats_a_member_cannot_log_in_and_no_session_is_made(licensed_app: Flask) -> None:
    exceed_seats(licensed_app)
    client = licensed_app.test_client()
    form = {"login": MEMBER, "password": PASSWORD, "csrf_token": csrf_token(client)}

    answer = client.post("/login", data=form)

    assert answer.status_code == 403
    assert "The number of licenses has been exceeded." in answer.text
    assert client.get("/account").location == "/login?next=/account"


def test_the_reason_is_told_only_after_a_correct_password(licensed_app: Flask) -> None:
    exceed_seats(licensed_app)
    client = licensed_app.test_client()

    answer = client.post("/login", data={"login": MEMBER, "password": "x" * 12, "csrf_token": csrf_token(client)})

    assert answer.status_code == 422
    assert "exceeded" not in answer.text


def test_an_administrator_can_log_in_while_the_seats_are_exceeded(licensed_app: Flask) -> None:
    exceed_seats(licensed_app)
    client = licensed_app.test_client()

    log_in(client, ADMINISTRATOR)

    assert client.get("/", follow_redirects=True).request.path == LICENSE_PAGE


def test_deleting_a_user_lets_everyone_in_again_at_once(licensed_app: Flask, member_client: FlaskClient) -> None:
    exceed_seats(licensed_app)
    assert member_client.get("/").status_code == 403

    delete_user(licensed_app, "one.too.many")

    assert member_client.get("/").status_code == 200


def test_a_larger_license_lets_everyone_in_again_at_once(licensed_app: Flask, member_client: FlaskClient) -> None:
    exceed_seats(licensed_app)
    assert member_client.get("/").status_code == 403

    register_key(licensed_app, seats=3, nbf=datetime.now(UTC) - timedelta(minutes=5))

    assert member_client.get("/").status_code == 200


def test_a_user_that_is_inserted_by_plain_sql_counts_too(licensed_app: Flask, member_client: FlaskClient) -> None:
    register_key(licensed_app, seats=2, nbf=datetime.now(UTC) - timedelta(minutes=30))
    with licensed_app.app_context(), db.engine.begin() as connection:
        row = {"login": "x", "login_key": "x", "name": "x", "name_key": "x", "search_text": "x"}
        connection.execute(insert(User).values(**row, created_at=datetime.now(UTC)))

    assert member_client.get("/").status_code == 403


def test_a_license_that_is_deleted_by_plain_sql_is_gone_at_once(
    licensed_app: Flask, member_client: FlaskClient
) -> None:
    assert member_client.get("/").status_code == 200
    with licensed_app.app_context(), db.engine.begin() as connection:
        connection.execute(delete(RegisteredLicense))

    answer = member_client.get("/")
    assert answer.status_code == 403
    assert "unlicensed" in answer.text


def test_another_process_obeys_a_change_at_its_next_request(
    make_app: Callable[..., Flask], member_client: FlaskClient
) -> None:
    other = make_app()
    client = other.test_client()
    log_in(client, MEMBER)
    assert client.get("/").status_code == 200

    exceed_seats(make_app())

    assert client.get("/").status_code == 403
    assert member_client.get("/").status_code == 403


@pytest.mark.parametrize(
    ("claims", "days", "code"),
    [
        ({"exp_days": 10}, 11, "license_expired"),
        ({"exp_days": 10, "grace_days": 5}, 16, "license_expired"),
        ({"nbf_days": 3, "exp_days": 10}, 0, "not_started"),
    ],
)
def test_without_a_license_in_force_members_are_locked_out(
    app: Flask, claims: dict[str, Any], days: int, code: str
) -> None:
    now = datetime.now(UTC)
    claims = dict(claims)
    dates = {"exp": now + timedelta(days=claims.pop("exp_days"))}
    if "nbf_days" in claims:
        dates["nbf"] = now + timedelta(days=claims.pop("nbf_days"))
    add_person(app, ADMINISTRATOR, admin=True)
    add_person(app, MEMBER)
    register_key(app, **claims, **dates)
    client = app.test_client()
    with time_machine.travel(now + timedelta(days=days)):
        form = {"login": MEMBER, "password": PASSWORD, "csrf_token": csrf_token(client)}
        answer = client.post("/login", data=form)
        assert answer.status_code == 403
        assert code in answer.text
        log_in(client, ADMINISTRATOR)
        assert client.get("/").location == LICENSE_PAGE
        assert code in client.get(LICENSE_PAGE).text


def test_an_unlicensed_installation_lets_administrators_alone_in(app: Flask) -> None:
    add_person(app, ADMINISTRATOR, admin=True)
    add_person(app, MEMBER)
    client = app.test_client()
    form = {"login": MEMBER, "password": PASSWORD, "csrf_token": csrf_token(client)}
    assert "unlicensed" in client.post("/login", data=form).text
    log_in(client, ADMINISTRATOR)
    assert client.get("/").location == LICENSE_PAGE


def test_in_grace_everything_goes_on_and_administrators_alone_are_warned(app: Flask) -> None:
    now = datetime.now(UTC)
    add_person(app, ADMINISTRATOR, admin=True)
    add_person(app, MEMBER)
    register_key(app, exp=now + timedelta(days=10), grace_days=14)
    with time_machine.travel(now + timedelta(days=12)):
        member, administrator = app.test_client(), app.test_client()
        log_in(member, MEMBER)
        log_in(administrator, ADMINISTRATOR)
        assert member.get("/").status_code == 200
        assert "expired" not in member.get("/").text
        assert "The license expired on" in administrator.get("/").text


def test_a_key_that_was_registered_ahead_takes_over_by_itself(app: Flask) -> None:
    now = datetime.now(UTC)
    add_person(app, ADMINISTRATOR, admin=True)
    add_person(app, MEMBER)
    register_key(app, seats=2, exp=now + timedelta(days=10))
    register_key(app, seats=1, nbf=now + timedelta(days=5), exp=now + timedelta(days=300))
    with time_machine.travel(now + timedelta(days=4)):
        member = app.test_client()
        log_in(member, MEMBER)
        assert member.get("/").status_code == 200
    with time_machine.travel(now + timedelta(days=5, seconds=1)):
        client = app.test_client()
        form = {"login": MEMBER, "password": PASSWORD, "csrf_token": csrf_token(client)}
        assert "seats_exceeded" in client.post("/login", data=form).text


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/settings/users/../../", {}),
        ("//", {}),
        ("/%2e%2e/", {}),
        ("/settings%2Fusers", {}),
        ("/", {"X-Original-URL": "/login", "X-Rewrite-URL": "/static/rx.css"}),
        ("/", {"X-Forwarded-Prefix": "/static", "X-Script-Name": "/login"}),
        ("/", {"X-HTTP-Method-Override": "OPTIONS"}),
        ("/;/login", {}),
        ("/login/..", {}),
        ("/static/../", {}),
    ],
)
def test_no_spelling_gets_round_the_gate(
    licensed_app: Flask, member_client: FlaskClient, path: str, headers: dict[str, str]
) -> None:
    exceed_seats(licensed_app)

    answer = member_client.get(path, headers=headers)

    assert answer.status_code in (403, 404, 308)
    assert "Fill in" not in answer.text


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_no_method_gets_round_the_gate(licensed_app: Flask, member_client: FlaskClient, method: str) -> None:
    exceed_seats(licensed_app)

    assert member_client.open("/", method=method).status_code == 403


def test_every_endpoint_declares_its_audience(app: Flask) -> None:
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}

    assert endpoints == set(app.extensions["access"])


SCOPE = "probe.read"


@pytest.fixture
def probed_app(licensed_app: Flask) -> Flask:
    """With endpoints of every credential and audience, whatever the loaded editions have."""
    probe = Blueprint("probe", __name__, url_prefix="/probe")
    for credential in Credential:
        for audience in Audience:
            for scope in (SCOPE, None):
                name = f"{credential.value}-{audience.value}-{scope is not None}".lower()
                declared = access(audience, Representation.PROBLEM_JSON, credential=credential, scope=scope)
                view = declared(lambda: {"login": getattr(current_user, "login", None)})
                probe.add_url_rule(f"/{name}", name, view, methods=["GET", "POST"])
    licensed_app.register_blueprint(probe)
    licensed_app.extensions["access"] = resolve_access(licensed_app)
    return licensed_app


def expected(access: Access, who: str, brought: Credential | None, *, restricted: bool) -> str:
    """What section 3 of the design says in prose, of one endpoint."""
    if access.audience is Audience.PUBLIC:  # what is for devices the license closes to whoever asks
        return "told why" if restricted and access.credential is Credential.DEVICE_TOKEN else "answered"
    if who == "nobody" or access.credential is not brought:
        if access.credential is Credential.SESSION and access.representation is Representation.HTML:
            return "sent to the log-in page"
        return "told to log in" if access.credential is Credential.SESSION else "told to bring a token"
    if restricted and brought is Credential.DEVICE_TOKEN:
        return "told why"  # the desktop application is of no use to anybody then
    found = _expected_of_somebody(access, who, restricted=restricted)
    if found == "answered" and brought is Credential.API_TOKEN and access.scope != SCOPE:
        return "told the scope"
    as_page = access.representation is Representation.HTML
    return "told why" if found == "sent to the License page" and not as_page else found


def _expected_of_somebody(access: Access, who: str, *, restricted: bool) -> str:
    for_everyone = access.while_restricted is WhileRestricted.EVERYONE
    if who == "member":
        if restricted and not for_everyone:
            return "told why"
        return "forbidden" if access.audience is Audience.ADMIN or access.permission is not None else "answered"
    if restricted and access.while_restricted is WhileRestricted.NOBODY:
        return "sent to the License page"
    return "answered"


def observed(answer: TestResponse) -> str:
    """What happened, of the same words. Whoever passes the gate without a CSRF token gets 400, which is behind it."""
    assert answer.status_code < 500
    if answer.status_code == 401:
        scheme = answer.headers["WWW-Authenticate"].partition(" ")[0]
        return "told to log in" if scheme == "Session" else "told to bring a token"
    if answer.status_code == 303 and answer.location.startswith("/login"):
        return "sent to the log-in page"
    if answer.status_code == 403:
        if "scope_missing" in answer.text:
            return "told the scope"
        return "told why" if "seats_exceeded" in answer.text else "forbidden"
    # The License page is where its own forms lead as well, so only an address outside the Admin screen counts.
    if answer.location == LICENSE_PAGE and not answer.request.path.startswith("/settings/"):
        return "sent to the License page"
    return "answered"


def _value(converter: BaseConverter) -> str:
    """Something that a part of an address can be; of those that are named in the rule, the first."""
    named = getattr(converter, "items", None)
    return min(named) if named else "1"


@pytest.mark.parametrize("restricted", [False, True])
@pytest.mark.parametrize(
    ("who", "brought"),
    [("nobody", None), *((who, brought) for who in ("member", "administrator") for brought in Credential)],
)
def test_every_endpoint_answers_as_it_declares_for_every_method_standing_person_and_credential(
    probed_app: Flask, who: str, brought: Credential | None, restricted: bool
) -> None:
    client = probed_app.test_client()
    login = MEMBER if who == "member" else ADMINISTRATOR
    headers = {}
    if brought is Credential.SESSION:
        log_in(client, login)
    elif brought is not None:
        headers = bearer(probed_app, login, brought, scopes=f"other.read {SCOPE}")
    if restricted:
        exceed_seats(probed_app)
    declared = probed_app.extensions["access"]
    addresses = probed_app.url_map.bind("localhost")
    wrong = []
    for rule in probed_app.url_map.iter_rules():
        values = {name: _value(rule._converters[name]) for name in rule.arguments}
        built = rule.build(values, append_unknown=False)
        assert built is not None
        for method in sorted((rule.methods or set()) - {"HEAD"}):
            endpoint, _ = addresses.match(built[1], method=method)  # OPTIONS goes to the first of several
            access = declared[endpoint]
            found = observed(client.open(built[1], method=method, headers=headers))
            if found != expected(access, who, brought, restricted=restricted):
                wrong.append(f"{method} {built[1]}: {found}")
    assert wrong == []


def test_an_exception_in_the_policy_locks_members_out_and_lets_administrators_repair(
    admin_client: FlaskClient, member_client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(license_service.policy, "evaluate", fail)

    assert member_client.get("/").status_code == 403
    assert admin_client.get("/").location == LICENSE_PAGE
    assert admin_client.get(LICENSE_PAGE).status_code == 200


def test_where_the_identity_cannot_be_read_the_answer_is_503(
    member_client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("app.auth.identity.read_connection", fail)

    assert member_client.get("/").status_code == 503


def statements(app: Flask, client: FlaskClient, path: str) -> list[str]:
    """The SQL statements that a request costs until it is answered, besides what editions read for their pages."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("BEGIN") and "edition_" not in statement:
            seen.append(statement)

    with app.app_context():
        engines = list(db.engines.values())
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    assert client.get(path).status_code == 200
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)
    return seen


def test_a_page_costs_one_statement_for_session_user_seats_and_license(
    licensed_app: Flask, member_client: FlaskClient
) -> None:
    member_client.get("/")

    (statement,) = statements(licensed_app, member_client, "/")

    for table in ("user_sessions", "users", "installation", "seat_count"):
        assert table in statement


def test_an_anonymous_page_costs_no_statement(licensed_app: Flask) -> None:
    client = licensed_app.test_client()
    client.get("/login")

    assert statements(licensed_app, client, "/login") == []
    assert statements(licensed_app, client, "/healthz") == []


def test_last_seen_is_written_every_five_minutes_at_most(licensed_app: Flask, member_client: FlaskClient) -> None:
    start = datetime.now(UTC)
    counts = []
    for minutes in (1, 4, 7, 9, 13):
        with time_machine.travel(start + timedelta(minutes=minutes)):
            counts.append(len(statements(licensed_app, member_client, "/")))

    assert counts == [4, 1, 4, 1, 4]  # session, user, and a sweep of what has ended; first after the log-in


def test_a_key_is_not_refused_later_because_the_clock_was_set_back(app: Flask) -> None:
    add_person(app, MEMBER)
    key = present_key()
    with app.app_context():
        license_service.register(key, assume_yes=True)
    app.extensions["license_book"].book = None
    with time_machine.travel(datetime.now(UTC) - timedelta(minutes=50)):
        client = app.test_client()
        log_in(client, MEMBER)
