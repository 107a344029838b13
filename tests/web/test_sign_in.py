"""Set-up, log-in, log-out and sessions, as a browser sees them."""

import re
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app import clock
from app.audit import AuditEntry
from app.auth.models import User, UserSession
from app.auth.setup import setup_code
from app.database import read_connection
from tests.conftest import ADMINISTRATOR, MEMBER, PASSWORD, add_person, csrf_token, log_in

SESSION_COOKIE = "timetracker_session"


def setup_form(app: Flask, client: FlaskClient, **changes: str) -> dict[str, str]:
    with app.app_context():
        code = setup_code()
    return {
        "csrf_token": csrf_token(client, "/setup"),
        "setup_code": code,
        "login": ADMINISTRATOR,
        "name": "Haruka Kitamura",
        "email": "",
        "password": PASSWORD,
        "password_again": PASSWORD,
        "language": "ja",
        "time_zone": "Asia/Tokyo",
        **changes,
    }


def count(app: Flask, model: type[User] | type[UserSession]) -> int:
    with app.app_context(), read_connection() as connection:
        return connection.execute(select(func.count()).select_from(model)).scalar_one()


def test_everything_leads_to_set_up_while_there_is_no_user(client: FlaskClient) -> None:
    assert client.get("/", follow_redirects=True).request.path == "/setup"
    assert client.get("/login").location == "/setup"


def test_set_up_creates_the_first_administrator_and_opens_the_license_page(app: Flask, client: FlaskClient) -> None:
    answer = client.post("/setup", data=setup_form(app, client))

    assert (answer.status_code, answer.location) == (303, "/settings/operation/license")
    page = client.get("/settings/operation/license")
    assert page.status_code == 200
    assert 'lang="ja"' in page.text
    assert "Asia/Tokyo" in page.text
    assert client.get("/setup").status_code == 404


def test_set_up_with_a_wrong_code_keeps_what_was_typed(app: Flask, client: FlaskClient) -> None:
    answer = client.post("/setup", data=setup_form(app, client, setup_code="AAAA-BBBB-CCCC-DDDD"))

    assert answer.status_code == 422
    assert "wrong_setup_code" in answer.text
    assert 'value="Haruka Kitamura"' in answer.text
    assert count(app, User) == 0


def test_the_set_up_code_is_taken_in_any_case_and_without_dashes(app: Flask, client: FlaskClient) -> None:
    form = setup_form(app, client)
    form["setup_code"] = form["setup_code"].replace("-", " ").lower()

    assert client.post("/setup", data=form).status_code == 303


def test_a_weak_password_is_refused_at_its_field(app: Flask, client: FlaskClient) -> None:
    weak = {"password": "password123", "password_again": "password123"}

    answer = client.post("/setup", data=setup_form(app, client, **weak))

    assert "password_too_weak" in answer.text
    assert count(app, User) == 0


def test_set_up_shows_all_that_is_wrong_at_once_and_keeps_what_was_typed(app: Flask, client: FlaskClient) -> None:
    wrong = {
        "setup_code": "AAAA-BBBB-CCCC-DDDD",
        "login": "h kitamura",
        "name": "",
        "email": "kept.but.no.address",
        "password": "password123",
        "password_again": "another",
        "time_zone": "Nowhere/Land",
    }

    answer = client.post("/setup", data=setup_form(app, client, **wrong))

    assert answer.status_code == 422
    codes = ("wrong_setup_code", "login_invalid", "email_invalid", "password_too_weak")
    assert [code for code in codes if code not in answer.text] == []
    for said in ("Fill in this field.", "The two passwords are not the same.", "Choose one of the list."):
        assert said in answer.text
    for typed in ("AAAA-BBBB-CCCC-DDDD", "h kitamura", "kept.but.no.address"):
        assert f'value="{typed}"' in answer.text
    assert "password123" not in answer.text
    assert count(app, User) == 0


def test_too_many_wrong_set_up_codes_are_all_that_is_told(app: Flask, client: FlaskClient) -> None:
    wrong = setup_form(app, client, setup_code="AAAA-BBBB-CCCC-DDDD", password="short", password_again="short")
    for _attempt in range(6):
        assert "password_too_short" in client.post("/setup", data=wrong).text

    answer = client.post("/setup", data=wrong)

    assert answer.status_code == 429
    assert "too_many_attempts" in answer.text
    assert "password_too_short" not in answer.text


def described_by(page: str, field: str) -> str:
    """The text that a control refers to with ``aria-describedby``."""
    control = re.search(rf'<input[^>]*name="{field}"[^>]*>', page)
    assert control, field
    ids = re.search(r'aria-describedby="([^"]*)"', control[0])
    found = re.findall(rf'id="{ids[1].split()[0]}">([^<]*)<', page) if ids else []
    return " ".join(found)


def test_the_rule_of_a_password_is_said_before_one_is_typed(admin_client: FlaskClient, app: Flask) -> None:
    member = add_person(app, "n.mori")
    for path, field in (
        ("/account", "new_password"),
        ("/settings/users/new", "password"),
        (f"/settings/users/{member}", "new_password"),
    ):
        page = admin_client.get(path).text
        assert "10 to 128 characters" in described_by(page, field), path
        for name in (field, f"{field}_again"):
            control = re.search(rf'<input[^>]*name="{name}"[^>]*>', page)
            assert control, path
            assert 'maxlength="1000"' in control[0], path


def test_the_rule_of_a_password_is_said_at_set_up(client: FlaskClient) -> None:
    page = client.get("/setup").text
    assert "10 to 128 characters" in described_by(page, "password")
    assert page.count('maxlength="1000"') == 2


def test_logging_in_and_out(licensed_app: Flask) -> None:
    client = licensed_app.test_client()
    log_in(client, MEMBER)

    assert client.get("/").status_code == 200
    client.post("/logout", data={"csrf_token": csrf_token(client, "/account")})
    assert client.get("/account").location == "/login?next=/account"


def test_a_wrong_password_and_an_unknown_login_get_the_same_answer(licensed_app: Flask) -> None:
    client = licensed_app.test_client()
    token = csrf_token(client)

    wrong = client.post("/login", data={"login": MEMBER, "password": "x" * 12, "csrf_token": token})
    unknown = client.post("/login", data={"login": "nobody", "password": "x" * 12, "csrf_token": token})

    assert wrong.status_code == unknown.status_code == 422
    shown = [
        re.sub(r'name="csrf_token" value="[^"]*"', "", page).replace(login, "*")
        for page, login in ((wrong.text, MEMBER), (unknown.text, "nobody"))
    ]
    assert shown[0] == shown[1]


def test_a_login_is_found_whatever_its_case_and_width(licensed_app: Flask) -> None:
    client = licensed_app.test_client()
    log_in(client, "Ｍ.ＳＡＫＡＩ")
    assert client.get("/").status_code == 200


def test_a_copied_cookie_is_worth_nothing_after_log_out(licensed_app: Flask) -> None:
    client = licensed_app.test_client()
    log_in(client, MEMBER)
    copied = client.get_cookie(SESSION_COOKIE)
    assert copied is not None
    client.post("/logout", data={"csrf_token": csrf_token(client, "/account")})

    thief = licensed_app.test_client()
    thief.set_cookie(SESSION_COOKIE, copied.value)

    assert thief.get("/account").status_code == 303


def test_a_csrf_token_from_before_the_log_in_is_worth_nothing_after_it(licensed_app: Flask) -> None:
    client = licensed_app.test_client()
    before = csrf_token(client)
    log_in(client, MEMBER)

    assert client.post("/logout", data={"csrf_token": before}).status_code == 400


@pytest.mark.parametrize("path", ["/logout", "/account", "/account/password", "/settings/operation/license", "/login"])
def test_nothing_changes_without_a_csrf_token(admin_client: FlaskClient, path: str) -> None:
    assert admin_client.post(path, data={}).status_code == 400


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "\\\\evil",
        "/a\r\nSet-Cookie: x=1",
        "javascript:alert(1)",
        "",
    ],
)
def test_after_the_log_in_nobody_is_sent_to_another_site(licensed_app: Flask, target: str) -> None:
    client = licensed_app.test_client()
    form = {"login": MEMBER, "password": PASSWORD, "csrf_token": csrf_token(client), "next": target}

    answer = client.post("/login", data=form)

    assert (answer.status_code, answer.location) == (303, "/")


def test_after_the_log_in_one_is_where_one_wanted_to_go(licensed_app: Flask) -> None:
    client = licensed_app.test_client()
    assert client.get("/account?x=1").location == "/login?next=/account?x%3D1"
    form = {"login": MEMBER, "password": PASSWORD, "csrf_token": csrf_token(client), "next": "/account?x=1"}

    assert client.post("/login", data=form).location == "/account?x=1"


def test_a_session_ends_after_twelve_hours_however_busy(app: Flask) -> None:
    with time_machine.travel("2026-11-26T08:00:00Z", tick=False) as travel:
        client = _logged_in_administrator(app)
        for _ in range(11):
            travel.shift(timedelta(minutes=65))
            client.get("/account")
        assert client.get("/account").status_code == 200
        travel.shift(timedelta(minutes=6))
        assert client.get("/account").status_code == 303


def test_a_session_ends_after_two_idle_hours(app: Flask) -> None:
    with time_machine.travel("2026-11-26T08:00:00Z", tick=False) as travel:
        client = _logged_in_administrator(app)
        travel.shift(timedelta(hours=2))
        assert client.get("/account").status_code == 303


def _logged_in_administrator(app: Flask) -> FlaskClient:
    add_person(app, ADMINISTRATOR, admin=True)
    client = app.test_client()
    log_in(client, ADMINISTRATOR)
    return client


def test_five_wrong_passwords_are_free_and_the_sixth_closes_the_account_for_a_while(licensed_app: Flask) -> None:
    with time_machine.travel("2026-11-26T08:00:00Z", tick=False) as travel:
        client = licensed_app.test_client()
        token = csrf_token(client)
        wrong = {"login": MEMBER, "password": "x" * 12, "csrf_token": token}
        assert [client.post("/login", data=wrong).status_code for _ in range(6)] == [422] * 6

        right = {**wrong, "password": PASSWORD}
        closed = client.post("/login", data=right)
        assert closed.status_code == 429
        assert "too_many_attempts" in closed.text

        travel.shift(timedelta(seconds=31))
        assert client.post("/login", data=right).status_code != 429


def test_changing_the_password_ends_all_other_sessions(licensed_app: Flask) -> None:
    here, elsewhere = licensed_app.test_client(), licensed_app.test_client()
    log_in(here, MEMBER)
    log_in(elsewhere, MEMBER)
    new = "purple elephants dance slowly"
    form = {
        "csrf_token": csrf_token(here, "/account"),
        "current_password": PASSWORD,
        "new_password": new,
        "new_password_again": new,
    }

    assert here.post("/account/password", data=form).status_code == 303

    assert here.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 303
    log_in(elsewhere, MEMBER, new)


def test_the_password_that_one_has_is_no_new_one(member_client: FlaskClient) -> None:
    form = {
        "csrf_token": csrf_token(member_client, "/account"),
        "current_password": PASSWORD,
        "new_password": PASSWORD,
        "new_password_again": PASSWORD,
    }

    answer = member_client.post("/account/password", data=form)

    assert answer.status_code == 422
    assert "password_unchanged" in answer.text
    assert re.search(r'name="new_password"[^>]*aria-invalid|aria-invalid[^>]*name="new_password"', answer.text)


def test_the_wrong_current_password_changes_nothing(member_client: FlaskClient) -> None:
    new = "purple elephants dance slowly"
    form = {
        "csrf_token": csrf_token(member_client, "/account"),
        "current_password": "not my password",
        "new_password": new,
        "new_password_again": new,
    }

    answer = member_client.post("/account/password", data=form)

    assert answer.status_code == 422
    assert "wrong_current_password" in answer.text


def test_ones_own_particulars_change_the_next_page(member_client: FlaskClient) -> None:
    form = {
        "csrf_token": csrf_token(member_client, "/account"),
        "name": "Mio S. Sakai",
        "email": "m.sakai@example.com",
        "language": "ja",
        "time_zone": "Europe/Berlin",
        "theme": "dark",
    }

    assert member_client.post("/account", data=form).status_code == 303

    page = member_client.get("/account").text
    assert 'lang="ja"' in page
    assert 'data-bs-theme="dark"' in page
    assert "Mio S. Sakai" in page

    as_before = {**form, "language": "", "time_zone": "", "theme": "auto", "email": ""}
    assert member_client.post("/account", data=as_before).status_code == 303
    assert 'lang="en"' in member_client.get("/account").text


def test_the_language_is_chosen_on_the_log_in_page_and_kept(licensed_app: Flask) -> None:
    client = licensed_app.test_client()

    assert 'lang="ja"' in client.get("/login?language=ja").text
    assert 'lang="ja"' in client.get("/login").text


def test_the_cookie_is_bound_to_the_host_over_tls(licensed_app: Flask) -> None:
    client = licensed_app.test_client()
    cookie = client.get("/login", base_url="https://localhost").headers["Set-Cookie"]
    assert cookie.startswith("__Host-timetracker_session=")
    for part in ("Secure", "HttpOnly", "Path=/", "SameSite=Lax"):
        assert part in cookie
    plain = licensed_app.test_client().get("/login").headers["Set-Cookie"]
    assert "Secure" not in plain
    assert "HttpOnly" in plain


def test_a_locked_out_member_is_recorded_once_an_hour(app: Flask) -> None:
    add_person(app, ADMINISTRATOR, admin=True)
    add_person(app, MEMBER)
    client = app.test_client()
    form = {"login": MEMBER, "password": PASSWORD, "csrf_token": csrf_token(client)}

    def refused() -> int:
        query = select(func.count()).where(AuditEntry.code == "unlicensed", AuditEntry.target == MEMBER)
        with app.app_context(), read_connection() as connection:
            return connection.execute(query).scalar_one()

    for _attempt in range(5):
        assert "unlicensed" in client.post("/login", data=form).text
    assert refused() == 1
    with time_machine.travel(clock.now() + timedelta(minutes=61)):
        client.post("/login", data=form)
        client.post("/login", data=form)
    assert refused() == 2


def session_ids(client: FlaskClient) -> list[str]:
    """The sessions that the account page offers to end."""
    return re.findall(r'name="session" value="(\d+)"', client.get("/account").text)


def end_session(client: FlaskClient, chosen: str) -> TestResponse:
    data = {"csrf_token": csrf_token(client, "/account"), "session": chosen}
    return client.post("/account/sessions", data=data, follow_redirects=True)


def test_one_other_session_is_ended_and_recorded(licensed_app: Flask, member_client: FlaskClient) -> None:
    others = [licensed_app.test_client() for _ in range(2)]
    for other in others:
        log_in(other, MEMBER)
    offered = session_ids(member_client)
    assert len(offered) == 2

    answer = end_session(member_client, min(offered, key=int))

    assert "The session is ended." in answer.text
    assert [other.get("/account").status_code for other in others] == [303, 200]
    assert "That session had ended already." in end_session(member_client, min(offered, key=int)).text
    query = select(AuditEntry.target, AuditEntry.before).where(AuditEntry.action == "account.end_sessions")
    with licensed_app.app_context(), read_connection() as connection:
        assert [tuple(row) for row in connection.execute(query)] == [(MEMBER, {"addresses": ["127.0.0.1"]})]


def test_all_other_sessions_are_ended_at_once(licensed_app: Flask, member_client: FlaskClient) -> None:
    others = [licensed_app.test_client() for _ in range(2)]
    for other in others:
        log_in(other, MEMBER)

    assert "2 sessions are ended." in end_session(member_client, "others").text

    assert [other.get("/account").status_code for other in others] == [303, 303]
    assert "There was no other session." in end_session(member_client, "others").text
    assert session_ids(member_client) == []


def test_nobody_ends_the_session_of_somebody_else_nor_the_present_one(
    licensed_app: Flask, member_client: FlaskClient
) -> None:
    administrator = licensed_app.test_client()
    log_in(administrator, ADMINISTRATOR)
    with licensed_app.app_context(), read_connection() as connection:
        every = [str(each) for each in connection.execute(select(UserSession.id)).scalars()]
    assert len(every) == 2
    for each in every:
        assert "had ended already" in end_session(member_client, each).text
    assert administrator.get("/account").status_code == 200


@pytest.mark.parametrize("nonsense", ["", "x", "-1", "9" * 40, "１"])
def test_a_session_that_is_none_is_no_request(member_client: FlaskClient, nonsense: str) -> None:
    assert end_session(member_client, nonsense).status_code == 400


def test_a_member_sees_no_system_settings_on_the_page_that_refuses_them(member_client: FlaskClient) -> None:
    page = member_client.get("/settings/users")
    assert page.status_code == 403
    assert "System Settings" not in page.text
    assert "/settings/general" not in page.text
