"""System Settings → Users, as a browser sees it."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app import clock
from app.audit import AuditEntry
from app.auth.models import User, UserPermission, UserSession
from app.database import read_connection, write_transaction
from app.settings.users import service
from tests.conftest import ADMINISTRATOR, MEMBER, add_person, csrf_token, log_in, register_key

USERS = "/settings/users"
NEW = {
    "login": "t.mori",
    "name": "森 太郎",
    "email": "t.mori@example.jp",
    "language": "ja",
    "time_zone": "Asia/Tokyo",
}


def post(client: FlaskClient, path: str, *, follow: bool = False, **data: object) -> TestResponse:
    token = csrf_token(client, USERS)
    return client.post(path, data={"csrf_token": token, **data}, follow_redirects=follow)


def user_id(app: Flask, login: str) -> int:
    with app.app_context():
        return service.find(login, deleted=None)


def state(app: Flask, login: str) -> service.UserView:
    with app.app_context():
        return service.user_view(service.find(login, deleted=None))


def audited(app: Flask, action: str) -> list[tuple[str, str, dict[str, object] | None, dict[str, object] | None]]:
    query = select(AuditEntry.actor, AuditEntry.target, AuditEntry.before, AuditEntry.after)
    with app.app_context(), read_connection() as connection:
        return [tuple(row) for row in connection.execute(query.where(AuditEntry.action == action))]


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, page
    return found[1].replace("&#34;", '"').replace("&amp;", "&")


def edit(app: Flask, whom: str, **changes: object) -> dict[str, object]:
    """What the edit form posts: the user as it is, with changes; a value of None leaves the field out."""
    view = state(app, whom)
    seen = {name: getattr(view.state, name) for name in view.state.__dataclass_fields__}
    unlike_text = {"is_system_administrator", "permissions"}
    typed = {name: value or "" for name, value in seen.items() if name not in unlike_text}
    if view.state.is_system_administrator:
        typed["administrator"] = "y"
    merged = {**typed, "seen": json.dumps(seen), **changes}
    return {name: value for name, value in merged.items() if value is not None}


# The list


def test_the_list_shows_the_seats_and_both_tabs(admin_client: FlaskClient) -> None:
    page = admin_client.get(USERS).text

    assert "48 of 50 seats free" in page
    assert re.search(r'Active <span class="rx-count">2</span>', page)
    assert re.search(r'Deleted <span class="rx-count">0</span>', page)
    assert "Haruka Kitamura" in page
    assert "Mio Sakai" in page


def test_members_do_not_get_the_list(member_client: FlaskClient) -> None:
    assert member_client.get(USERS).status_code == 403


def test_whoever_looks_cannot_tick_oneself(licensed_app: Flask, admin_client: FlaskClient) -> None:
    page = admin_client.get(USERS).text

    assert f'name="user" value="{user_id(licensed_app, MEMBER)}"' in page
    assert f'name="user" value="{user_id(licensed_app, ADMINISTRATOR)}"' not in page


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("sak", ["Mio Sakai"]),
        ("AKA", ["Mio Sakai"]),
        ("kai mi", ["Mio Sakai"]),
        ("太郎", ["森 太郎"]),
        ("森", ["森 太郎"]),
        ("example.jp", ["森 太郎"]),
        ("\uff2d\uff4f\uff52\uff49", ["森 太郎"]),
        *((nothing, []) for nothing in ("%", "_", "zzz", '"', "'; --", "* OR *")),
    ],
)
def test_search_finds_login_name_and_email(admin_client: FlaskClient, search: str, found: list[str]) -> None:
    post(admin_client, f"{USERS}/new", **NEW)

    page = admin_client.get(USERS, query_string={"q": search})

    assert page.status_code == 200
    rows = page.text.partition("<tbody>")[2]
    assert [name for name in ("Haruka Kitamura", "Mio Sakai", "森 太郎") if name in rows] == found
    assert ("Nobody found" in page.text) == (not found)


@pytest.mark.parametrize(
    "query",
    [
        "after=%00",
        "after=zzzz",
        "before=!!",
        "after=WzksInMiLCJhIiwxXQ",
        "after=WzAsInQiLCIyMDI2LTAxLTAxIiwxXQ",
        "sort=nonsense",
        "dir=up",
        "state=gone",
        "seen=1",
        "privilege=x",
        "q=" + "a" * 5000,
        "q=%F0%9F%98%80",
        "sort=best",
        "sort=deleted",
        "q=a&sort=seen&dir=asc&seen=never",
    ],
)
def test_an_address_that_says_nonsense_still_shows_the_list(admin_client: FlaskClient, query: str) -> None:
    assert admin_client.get(f"{USERS}?{query}").status_code == 200


def test_filters_by_privilege_and_last_seen(admin_client: FlaskClient) -> None:
    def names(**query: str) -> list[str]:
        rows = admin_client.get(USERS, query_string=query).text.partition("<tbody>")[2]
        return [name for name in ("Haruka Kitamura", "Mio Sakai") if name in rows]

    assert names(privilege="administrators") == ["Haruka Kitamura"]
    assert names(privilege="members") == ["Mio Sakai"]
    assert names(seen="never") == ["Mio Sakai"]
    assert names(seen="lately") == ["Haruka Kitamura"]
    assert names(seen="long_ago") == []


def test_who_never_logged_in_is_missed_after_ninety_days_not_on_the_first(licensed_app: Flask) -> None:
    with time_machine.travel(clock.now() + timedelta(days=91)):
        register_key(licensed_app, seats=60)
        client = licensed_app.test_client()
        log_in(client, ADMINISTRATOR)
        add_person(licensed_app, "n.mori", name="Naoki Mori")
        rows = client.get(USERS, query_string={"seen": "long_ago"}).text.partition("<tbody>")[2]
    assert "Mio Sakai" in rows
    assert "Naoki Mori" not in rows


# Adding


def test_a_user_is_added_with_everything_typed(licensed_app: Flask, admin_client: FlaskClient) -> None:
    answer = post(
        admin_client, f"{USERS}/new", follow=True, **NEW, administrator="y", password="four quite long words",
        password_again="four quite long words",
    )  # fmt: skip

    assert "森 太郎 is added. 3 users in use, 47 seats free." in answer.text
    assert state(licensed_app, "T.MORI").state == service.UserState(
        "t.mori", "森 太郎", "t.mori@example.jp", "ja", "Asia/Tokyo", True
    )
    log_in(licensed_app.test_client(), "t.mori", "four quite long words")
    [(actor, target, before, after)] = [row for row in audited(licensed_app, "user.add") if row[1] == "t.mori"]
    assert (actor, target, before) == (ADMINISTRATOR, "t.mori", None)
    assert "four quite" not in json.dumps(after)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"login": "M.Sakai"}, "login_taken"),
        ({"login": "two words"}, "login_invalid"),
        ({"email": "nowhere"}, "email_invalid"),
        ({"password": "short", "password_again": "short"}, "password_too_short"),
        ({"login": "ﷺ" * 64}, "login_invalid"),
        ({"name": "ﷺ" * 200}, "name_invalid"),
    ],
)
def test_a_refused_user_keeps_what_was_typed(admin_client: FlaskClient, changes: dict[str, str], code: str) -> None:
    answer = post(admin_client, f"{USERS}/new", **{**NEW, **changes})

    assert answer.status_code in (409, 422)
    assert code in answer.text
    assert 'value="t.mori@example.jp"' in answer.text or "email" in changes


def test_past_the_seats_a_page_says_who_is_locked_out_and_asks(licensed_app: Flask, admin_client: FlaskClient) -> None:
    register_key(licensed_app, seats=2)

    asked = post(
        admin_client, f"{USERS}/new", **NEW, password="four quite long words", password_again="four quite long words"
    )

    assert asked.status_code == 200
    assert "3 users would be registered, 2 seats are licensed: 1 too many." in asked.text
    assert "2 members will not be able to log in" in asked.text
    assert "four quite long words" not in asked.text
    sealed, seen = hidden(asked.text, "sealed"), hidden(asked.text, "seen")
    unticked = post(admin_client, f"{USERS}/new/confirm", sealed=sealed, seen=seen)
    assert unticked.status_code == 422
    assert "Tick this box to go on." in unticked.text
    done = post(admin_client, f"{USERS}/new/confirm", sealed=sealed, seen=seen, confirm="1", follow=True)
    assert "森 太郎 is added. 3 users in use, 1 too many." in done.text
    assert state(licensed_app, "t.mori").has_password


def test_past_the_seats_already_people_are_counted_as_they_are_and_as_they_would_be(
    licensed_app: Flask, admin_client: FlaskClient
) -> None:
    add_person(licensed_app, "n.aoki")
    register_key(licensed_app, seats=2)

    asked = post(admin_client, f"{USERS}/new", **NEW)

    assert "Now: 3 users in use, 1 too many, 2 members cannot log in." in asked.text
    assert "Afterwards: 4 users in use, 2 too many, 3 members cannot log in." in asked.text
    assert "when 2 users are deleted" in asked.text
    assert "I understand that 3 members cannot log in then." in asked.text


def test_a_confirmation_of_other_numbers_is_asked_anew(licensed_app: Flask, admin_client: FlaskClient) -> None:
    register_key(licensed_app, seats=2)
    asked = post(admin_client, f"{USERS}/new", **NEW)
    add_person(licensed_app, "n.aoki")

    shown = {name: hidden(asked.text, name) for name in ("sealed", "seen")}
    again = post(admin_client, f"{USERS}/new/confirm", **shown, confirm="1")

    assert again.status_code == 409
    assert "The numbers have changed meanwhile" in again.text
    assert "Now: 3 users in use" in again.text
    assert "Afterwards: 4 users in use" in again.text


def test_the_last_free_seat_is_taken_without_a_question(licensed_app: Flask, admin_client: FlaskClient) -> None:
    register_key(licensed_app, seats=3)

    assert post(admin_client, f"{USERS}/new", **NEW).status_code == 303


def test_the_login_of_a_deleted_user_is_reserved_and_offers_to_restore(
    licensed_app: Flask, admin_client: FlaskClient
) -> None:
    sakai = user_id(licensed_app, MEMBER)
    post(admin_client, f"{USERS}/delete", users=str(sakai))

    answer = post(admin_client, f"{USERS}/new", **{**NEW, "login": "M.SAKAI"})

    assert answer.status_code == 409
    assert "login_deleted" in answer.text
    assert f'name="only" value="{sakai}"' in answer.text
    restored = post(admin_client, f"{USERS}/restore", only=sakai, follow=True)
    assert "Mio Sakai is restored. 2 users in use, 48 seats free." in restored.text


# Changing


def test_a_user_is_changed_and_the_log_holds_what_it_was(licensed_app: Flask, admin_client: FlaskClient) -> None:
    path = f"{USERS}/{user_id(licensed_app, MEMBER)}"

    answer = post(admin_client, path, follow=True, **edit(licensed_app, MEMBER, name="Mio Mori", login="m.mori"))

    assert "The changes are saved." in answer.text
    assert audited(licensed_app, "user.change") == [
        (ADMINISTRATOR, MEMBER, {"login": "m.sakai", "name": "Mio Sakai"}, {"login": "m.mori", "name": "Mio Mori"})
    ]
    assert "Mio Mori" in admin_client.get(USERS, query_string={"q": "mori"}).text
    assert "Mio Mori" not in admin_client.get(USERS, query_string={"q": "sakai"}).text


def test_of_two_administrators_the_second_sees_what_has_changed_and_loses_nothing(
    licensed_app: Flask, admin_client: FlaskClient
) -> None:
    path = f"{USERS}/{user_id(licensed_app, MEMBER)}"
    second = edit(licensed_app, MEMBER, name="Mio Second")
    post(admin_client, path, **edit(licensed_app, MEMBER, name="Mio First", email="first@example.jp"))

    answer = post(admin_client, path, **second)

    assert answer.status_code == 409
    assert "changed_meanwhile" in answer.text
    assert 'value="Mio Second"' in answer.text
    assert "Mio First" in answer.text
    assert 'value="first@example.jp"' in answer.text  # nothing was typed there, so the first one's change stays
    assert state(licensed_app, MEMBER).state.name == "Mio First"
    again = {**second, "email": "first@example.jp", "seen": hidden(answer.text, "seen")}
    assert post(admin_client, path, **again).status_code == 303
    assert state(licensed_app, MEMBER).state.name == "Mio Second"
    assert state(licensed_app, MEMBER).state.email == "first@example.jp"


@pytest.mark.parametrize("seen", ["", "{}", "[]", "null", "x" * 100, '{"login": "a"}'])
def test_a_form_that_does_not_say_what_was_seen_changes_nothing(
    licensed_app: Flask, admin_client: FlaskClient, seen: str
) -> None:
    path = f"{USERS}/{user_id(licensed_app, MEMBER)}"

    assert post(admin_client, path, **edit(licensed_app, MEMBER, name="Other", seen=seen)).status_code == 422
    assert state(licensed_app, MEMBER).state.name == "Mio Sakai"


def test_the_privilege_is_granted_and_withdrawn(licensed_app: Flask, admin_client: FlaskClient) -> None:
    path = f"{USERS}/{user_id(licensed_app, MEMBER)}"

    post(admin_client, path, **edit(licensed_app, MEMBER, administrator="y"))
    assert state(licensed_app, MEMBER).state.is_system_administrator
    post(admin_client, path, **edit(licensed_app, MEMBER, administrator=None))

    assert not state(licensed_app, MEMBER).state.is_system_administrator
    granted, withdrawn = audited(licensed_app, "user.grant_admin"), audited(licensed_app, "user.withdraw_admin")
    assert granted == [(ADMINISTRATOR, MEMBER, {"system_administrator": False}, {"system_administrator": True})]
    assert withdrawn == [(ADMINISTRATOR, MEMBER, {"system_administrator": True}, {"system_administrator": False})]


def test_one_keeps_ones_own_privilege_whatever_is_posted(licensed_app: Flask, admin_client: FlaskClient) -> None:
    path = f"{USERS}/{user_id(licensed_app, ADMINISTRATOR)}"

    post(admin_client, path, **edit(licensed_app, ADMINISTRATOR, administrator=None, name="Haruka K"))

    assert state(licensed_app, ADMINISTRATOR).state.is_system_administrator
    assert state(licensed_app, ADMINISTRATOR).state.name == "Haruka K"


def test_a_new_password_ends_the_sessions_of_its_user(
    licensed_app: Flask, admin_client: FlaskClient, member_client: FlaskClient
) -> None:
    path = f"{USERS}/{user_id(licensed_app, MEMBER)}/password"
    new = "another long enough phrase"

    answer = post(admin_client, path, follow=True, new_password=new, new_password_again=new)

    assert "All sessions of this user are ended." in answer.text
    assert member_client.get("/").location.startswith("/login")
    log_in(member_client, MEMBER, new)
    assert audited(licensed_app, "user.password") == [(ADMINISTRATOR, MEMBER, None, None)]


def test_ones_own_password_is_changed_on_the_account_page_alone(licensed_app: Flask, admin_client: FlaskClient) -> None:
    path = f"{USERS}/{user_id(licensed_app, ADMINISTRATOR)}/password"

    answer = post(
        admin_client, path, new_password="another long enough phrase", new_password_again="another long enough phrase"
    )

    assert answer.location == "/account"
    log_in(licensed_app.test_client(), ADMINISTRATOR)


@pytest.mark.parametrize("number", ["0", "999999", "9223372036854775807", "9223372036854775808", "-1", "x"])
def test_there_is_no_page_for_a_user_who_is_not_there(admin_client: FlaskClient, number: str) -> None:
    assert admin_client.get(f"{USERS}/{number}").status_code == 404


# Deleting and restoring


def test_before_a_deletion_a_page_says_what_happens_in_numbers(
    licensed_app: Flask, admin_client: FlaskClient, member_client: FlaskClient
) -> None:
    page = admin_client.get(f"{USERS}/delete?user={user_id(licensed_app, MEMBER)}").text

    assert "Delete 1 user?" in page
    assert "Mio Sakai can no longer log in." in page
    assert "The user is logged in now: that session ends at once." in page
    assert "1 seat becomes free at once: 1 user in use, 49 seats free." in page
    assert member_client.get("/").status_code == 200


def test_a_deleted_user_is_out_at_once_and_the_seat_is_free(
    licensed_app: Flask, admin_client: FlaskClient, member_client: FlaskClient
) -> None:
    sakai = user_id(licensed_app, MEMBER)

    answer = post(admin_client, f"{USERS}/delete", users=str(sakai), follow=True)

    assert "Mio Sakai is deleted. 1 user in use, 49 seats free." in answer.text
    assert member_client.get("/").location.startswith("/login")
    with licensed_app.app_context(), read_connection() as connection:
        assert connection.execute(select(User.deleted_at).where(User.id == sakai)).scalar_one() is not None
        assert connection.execute(select(UserSession.id).where(UserSession.user_id == sakai)).all() == []
    [(_, target, before, after)] = audited(licensed_app, "user.delete")
    assert (target, before, after) == (MEMBER, {"name": "Mio Sakai", "email": None, "permissions": []}, None)


def test_undo_restores_whom_the_flash_names(licensed_app: Flask, admin_client: FlaskClient) -> None:
    aoki = add_person(licensed_app, "n.aoki")
    sakai = user_id(licensed_app, MEMBER)
    flash = post(admin_client, f"{USERS}/delete", users=f"{aoki},{sakai}", follow=True).text
    assert "2 users are deleted. 1 user in use, 49 seats free." in flash
    undo = re.search(r'action="(/settings/users/restore\?users=[^"]+)"', flash)
    assert undo is not None

    restored = post(admin_client, undo[1].replace("&amp;", "&"), follow=True)

    assert "2 users are restored. 3 users in use, 47 seats free." in restored.text
    assert state(licensed_app, MEMBER).deleted_at is None


def test_restoring_past_the_seats_asks_first(licensed_app: Flask, admin_client: FlaskClient) -> None:
    sakai = user_id(licensed_app, MEMBER)
    post(admin_client, f"{USERS}/delete", users=str(sakai))
    register_key(licensed_app, seats=1)

    asked = post(admin_client, f"{USERS}/restore", only=str(sakai))

    assert asked.status_code == 200
    assert "Restore Mio Sakai although there is no seat?" in asked.text
    assert "1 member will not be able to log in" in asked.text
    fields = {"users": hidden(asked.text, "users"), "seen": hidden(asked.text, "seen")}
    assert post(admin_client, f"{USERS}/restore", **fields).status_code == 422
    assert post(admin_client, f"{USERS}/restore", **fields, confirm="1").status_code == 303
    assert state(licensed_app, MEMBER).deleted_at is None


def test_a_restored_administrator_is_one_again(licensed_app: Flask, admin_client: FlaskClient) -> None:
    other = add_person(licensed_app, "k.hasegawa", admin=True)
    post(admin_client, f"{USERS}/delete", users=str(other))
    post(admin_client, f"{USERS}/restore", only=str(other))

    assert state(licensed_app, "k.hasegawa").state.is_system_administrator
    assert len(audited(licensed_app, "user.restore")) == 1


@pytest.mark.parametrize("users", ["", "0", "99999", "x", "1;2", "9" * 40])
def test_deleting_nobody_says_so(admin_client: FlaskClient, users: str) -> None:
    answer = post(admin_client, f"{USERS}/delete", users=users, follow=True)

    assert answer.status_code == 200
    assert "Nobody is chosen" in answer.text
    assert admin_client.get(f"{USERS}/delete?user={users}").status_code == 303


def test_nobody_deletes_oneself_nor_anybody_beside(licensed_app: Flask, admin_client: FlaskClient) -> None:
    both = f"{user_id(licensed_app, MEMBER)},{user_id(licensed_app, ADMINISTRATOR)}"

    answer = post(admin_client, f"{USERS}/delete", users=both, follow=True)

    assert "You cannot delete yourself" in answer.text
    assert state(licensed_app, MEMBER).deleted_at is None


def test_who_lost_the_privilege_a_moment_ago_does_nothing_any_more(
    licensed_app: Flask, admin_client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gate let the request in; then another administrator was faster."""
    add_person(licensed_app, "k.hasegawa", admin=True)
    me, sakai = user_id(licensed_app, ADMINISTRATOR), user_id(licensed_app, MEMBER)
    token = csrf_token(admin_client, USERS)
    delete = service.delete

    def after_the_other(user_ids: list[int]) -> service.Affected:
        with write_transaction() as session:
            session.query(UserPermission).filter_by(user_id=me).delete()
        return delete(user_ids)

    monkeypatch.setattr(service, "delete", after_the_other)
    admin_client.post(f"{USERS}/delete", data={"csrf_token": token, "users": str(sakai)})

    assert state(licensed_app, MEMBER).deleted_at is None


def test_deleted_users_have_a_list_and_a_page_of_their_own(licensed_app: Flask, admin_client: FlaskClient) -> None:
    sakai = user_id(licensed_app, MEMBER)
    assert "No deleted users" in admin_client.get(f"{USERS}?state=deleted").text
    post(admin_client, f"{USERS}/delete", users=str(sakai))

    listed = admin_client.get(f"{USERS}?state=deleted&q=mio").text

    assert "Restore Mio Sakai" in listed
    assert "This user is deleted" in admin_client.get(f"{USERS}/{sakai}").text
    assert datetime.now(UTC).strftime("%Y") in listed
