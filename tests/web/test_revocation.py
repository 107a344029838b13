"""What is revoked while a request is under way is revoked for that request too; and what errors do not give away."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from app.auth import service as auth_service
from app.auth import throttle
from app.auth.identity import Identity, current_identity
from app.auth.models import Throttle, User, UserSession
from app.auth.users import UserDetails
from app.database import read_connection, write_transaction
from app.editions import service as edition_service
from app.extensions import db
from app.license import service as license_service
from app.refusal import Refusal
from app.settings.general import service as general_service
from tests.conftest import ADMINISTRATOR, MEMBER, PASSWORD, csrf_token, present_key

NEW_PASSWORD = "purple elephants dance slowly"


def acting_as(app: Flask, client: FlaskClient, action: Callable[[Identity], object], *, end: str) -> str:
    """Let the gate see who it is, revoke that, then act; returns the code of the refusal."""
    cookie = client.get_cookie("timetracker_session")
    assert cookie is not None
    with app.test_request_context(headers={"Cookie": f"{cookie.key}={cookie.value}"}):
        identity = current_identity()
        assert identity is not None
        with write_transaction() as session:
            if end == "session":
                session.execute(delete(UserSession))
            else:
                session.execute(update(User).values(deleted_at=datetime.now(UTC)))
        with pytest.raises(Refusal) as refused:
            action(identity)
        return refused.value.code


@pytest.mark.parametrize(("end", "code"), [("session", "session_ended"), ("user", "no_longer_administrator")])
@pytest.mark.parametrize(
    "action",
    [
        lambda _: license_service.register(present_key(seats=60), assume_yes=True),
        lambda _: general_service.change_general(time_zone="Asia/Tokyo", language="ja"),
        lambda _: edition_service.disable("standard", actor=ADMINISTRATOR),
    ],
    ids=["register", "change the installation", "disable an edition"],
)
def test_an_administrator_who_is_removed_meanwhile_changes_nothing(
    licensed_app: Flask, admin_client: FlaskClient, action: Callable[[Identity], object], end: str, code: str
) -> None:
    assert acting_as(licensed_app, admin_client, action, end=end) == code


@pytest.mark.parametrize("end", ["session", "user"])
@pytest.mark.parametrize(
    "action",
    [
        lambda identity: auth_service.change_profile(identity, UserDetails(MEMBER, "Another Name"), "dark"),
        lambda identity: auth_service.change_password(identity, PASSWORD, NEW_PASSWORD),
    ],
    ids=["profile", "password"],
)
def test_a_member_who_is_removed_meanwhile_changes_nothing(
    licensed_app: Flask, member_client: FlaskClient, action: Callable[[Identity], object], end: str
) -> None:
    assert acting_as(licensed_app, member_client, action, end=end) == "session_ended"


def meanwhile(monkeypatch: pytest.MonkeyPatch, event: Callable[[], object]) -> None:
    """Let ``event`` happen while a password is compared, which takes longest of all."""
    compare = auth_service.password_matches

    def compared(password_hash: str | None, password: str) -> bool:
        event()
        return compare(password_hash, password)

    monkeypatch.setattr(auth_service, "password_matches", compared)


def sessions(app: Flask) -> int:
    with app.app_context(), read_connection() as connection:
        return connection.execute(select(func.count()).select_from(UserSession)).scalar_one()


@pytest.mark.parametrize("change", [{"password_hash": "another"}, {"deleted_at": datetime(2026, 1, 1, tzinfo=UTC)}])
def test_a_log_in_does_not_survive_a_new_password_or_a_deletion(
    licensed_app: Flask, monkeypatch: pytest.MonkeyPatch, change: dict[str, object]
) -> None:
    def revoke() -> None:
        with write_transaction() as session:
            session.execute(update(User).where(User.login == MEMBER).values(**change))

    client = licensed_app.test_client()
    form = {"login": MEMBER, "password": PASSWORD, "csrf_token": csrf_token(client)}
    meanwhile(monkeypatch, revoke)

    assert "wrong_credentials" in client.post("/login", data=form).text
    assert sessions(licensed_app) == 0


def test_a_right_guess_among_many_at_once_is_answered_like_a_wrong_one(
    licensed_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def others_fail() -> None:
        with write_transaction() as session:
            for _ in range(7):
                throttle.count_failure(session, (throttle.account(MEMBER),), datetime.now(UTC))

    client = licensed_app.test_client()
    form = {"login": MEMBER, "password": PASSWORD, "csrf_token": csrf_token(client)}
    meanwhile(monkeypatch, others_fail)

    answer = client.post("/login", data=form)

    assert answer.status_code == 422
    assert "wrong_credentials" in answer.text
    assert sessions(licensed_app) == 0


def test_a_password_is_changed_a_few_times_an_hour_at_most(member_client: FlaskClient) -> None:
    form = {"current_password": PASSWORD, "new_password": "password123", "new_password_again": "password123"}
    token = csrf_token(member_client, "/account")

    answers = [member_client.post("/account/password", data={**form, "csrf_token": token}) for _ in range(7)]

    assert [answer.status_code for answer in answers] == [422] * 6 + [429]


def test_a_logged_error_tells_neither_passwords_nor_what_is_bound_to_statements(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    app = make_app(log_format="json")
    with app.app_context(), db.engine.begin() as connection:
        row = {"login": "x", "login_key": "x", "name": "x", "name_key": "x", "search_text": "x"}
        connection.execute(insert(User).values(**row, created_at=datetime.now(UTC)))

    def fail(*_: object) -> bool:
        with db.engine.begin() as connection:
            connection.execute(insert(User).values(**row, password_hash="hush", created_at=datetime.now(UTC)))
        return True

    monkeypatch.setattr(auth_service, "password_matches", fail)
    client = app.test_client()
    form = {"login": "x", "password": PASSWORD, "csrf_token": csrf_token(client)}
    capfd.readouterr()

    assert client.post("/login", data=form).status_code == 503

    log = capfd.readouterr().err
    assert IntegrityError.__name__ in log
    for secret in (PASSWORD, "hush", form["csrf_token"]):
        assert secret not in log


@pytest.mark.parametrize("host", [".", "a..b", "x" * 64, "evil.example/"])
def test_a_host_that_is_none_is_400(app: Flask, host: str) -> None:
    assert app.test_client().get("/healthz", headers={"Host": host}).status_code in (200, 400)


def test_a_file_in_place_of_a_text_is_no_value(licensed_app: Flask) -> None:
    client = licensed_app.test_client()
    form = {"csrf_token": csrf_token(client), "login": (b"x", "x.txt"), "password": (b"x", "x.txt")}

    answer = client.post("/login", data=form, content_type="multipart/form-data")

    assert answer.status_code in (400, 422)


@pytest.mark.parametrize(
    "path",
    [
        "/settings/users?sort=seen&after=WzAsICJzIiwgIngiLCAxXQ",
        "/settings/users?state=deleted&sort=deleted&after=WzAsICJzIiwgIngiLCAxXQ",
        "/settings/operation/audit?older=1-99999999999999999999999",
        "/settings/operation/audit?newer=1-9223372036854775808",
    ],
)
def test_a_place_in_a_list_that_nobody_gave_out_counts_as_none(admin_client: FlaskClient, path: str) -> None:
    assert admin_client.get(path).status_code == 200


def test_those_who_fail_for_the_first_time_at_once_are_all_counted(licensed_app: Flask) -> None:
    keys, now, together = (throttle.account("nobody"), throttle.address("192.0.2.1")), datetime.now(UTC), Barrier(4)

    def fail(_: int) -> None:
        with licensed_app.app_context():
            db.engine.connect().close()
            together.wait()
            with write_transaction() as session:
                throttle.count_failure(session, keys, now)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(fail, range(4)))
    with licensed_app.app_context(), read_connection() as connection:
        assert connection.execute(select(Throttle.failures)).scalars().all() == [4, 4]


def test_an_ipv6_client_is_slowed_down_by_its_network() -> None:
    one, other = throttle.address("2001:db8:0:1::1"), throttle.address("2001:db8:0:1:ffff::2")
    assert one == other
    assert one != throttle.address("2001:db8:0:2::1")
    assert throttle.address("203.0.113.1") != throttle.address("203.0.113.2")


def test_a_session_that_is_restored_with_its_user_is_none(licensed_app: Flask, member_client: FlaskClient) -> None:
    later = datetime.now(UTC) + timedelta(minutes=1)
    with licensed_app.app_context(), write_transaction() as session:
        session.execute(update(User).where(User.login == MEMBER).values(deleted_at=later))
    assert member_client.get("/account").status_code == 303
