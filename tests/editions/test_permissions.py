"""Permissions that editions declare: granted to single users, kept while their edition is away, and asked for."""

import json
import re
from collections.abc import Callable, Sequence
from html import unescape

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert

from app.auth.models import UserPermission
from app.auth.users import UserState, merged
from app.cli.user import user_group
from app.database import write_transaction
from app.editions.permissions import permission_title, permissions
from app.refusal import Refusal
from app.sdk import Audience, EditionBlueprint
from app.settings.users import service
from app.settings.users.service import Confirmation
from tests.conftest import ADMINISTRATOR, MEMBER, csrf_token, register_key
from tests.editions.conftest import Shelf, found_in
from tests.editions.test_pages import audit, browser, open_for_business

MakeApp = Callable[..., Flask]
USERS = "/settings/users"
APPROVE, EXPORT = "acme.approve", "acme.export"
GONE = "gone.secret"

SOURCE = """
from app.sdk import (
    Audience, Edition, EditionBlueprint, Feature, NavItem, Permission, current_user, open_to, requires_feature,
    requires_permission,
)

pages = EditionBlueprint("acme", __name__, feature="acme.board")
office = EditionBlueprint("acme_office", __name__, feature="acme.board", permission="acme.export", url_prefix="/office")

@pages.get("/")
def board():
    return ", ".join(sorted(current_user().permissions))

@pages.get("/approve")
@requires_permission("acme.approve")
def approve():
    return "approved"

@pages.get("/extra")
@requires_feature("acme.extra")
@requires_permission("acme.approve")
def extra():
    return "extra"

@pages.get("/open")
@open_to(Audience.PUBLIC)
def open_page():
    return "open"

@pages.get("/members")
@open_to(Audience.MEMBER, permission="acme.export")
def members():
    return "members"

@pages.get("/admin")
@open_to(Audience.ADMIN, feature="acme.board")
def admin():
    return "admin"

@office.get("/")
def desk():
    return "desk"

@office.get("/approve")
@requires_permission("acme.approve")
def approve_too():
    return "approved at the desk"

class Plugin(Edition):
    name = "acme"
    title = "Acme"
    api_version = 1
    features = (Feature("acme.board", "Board"), Feature("acme.extra", "Extra"))
    permissions = (
        Permission("acme.approve", "Approve <b>hours</b>", "Approves what others have recorded."),
        Permission("acme.export", "Export"),
    )
    blueprints = (pages, office)
    navigation = (NavItem("acme.approve", "Approvals", "inbox"),)
"""


@pytest.fixture
def acme(shelf: Shelf, make_app: MakeApp) -> Flask:
    """The application with an edition that has permissions, licensed but for one feature."""
    shelf.install("acme", SOURCE)
    return open_for_business(make_app, features=["acme.board"])


def user_id(app: Flask, login: str = MEMBER) -> int:
    with app.app_context():
        return service.find(login)


def held(app: Flask, login: str = MEMBER) -> tuple[str, ...]:
    with app.app_context():
        return service.user_view(service.find(login)).state.permissions


def grant(app: Flask, *names: str, login: str = MEMBER) -> None:
    with app.app_context():
        for name in names:
            service.grant(service.find(login), name)


def hold(app: Flask, name: str, login: str = MEMBER) -> None:
    """Let somebody hold what no loaded edition declares."""
    row = {"user_id": user_id(app, login), "permission": name}
    with app.app_context(), write_transaction() as session:
        session.execute(insert(UserPermission), row)


def form_of(client: FlaskClient, path: str) -> dict[str, object]:
    """What the form of the page would send, unchanged."""
    page = client.get(path).text
    form = page.partition(f'action="{path}"')[2].partition("</form>")[0]
    sent: dict[str, object] = {"language": "", "time_zone": ""}
    for tag in re.findall(r"<input [^>]+>", form):
        attributes = dict(re.findall(r'([a-z]+)="([^"]*)"', tag))
        if attributes.get("type") != "checkbox" or " checked" in tag:
            sent[attributes["name"]] = unescape(attributes.get("value", ""))
    sent["permissions"] = re.findall(r'name="permissions" value="([\w.]+)" checked', form)
    return sent


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(user_group, list(arguments))


# On System Settings → Users -----------------------------------------------------------------------------------------


def test_permissions_are_granted_and_withdrawn_on_the_page_of_a_user(acme: Flask) -> None:
    administrator = browser(acme, ADMINISTRATOR)
    path = f"{USERS}/{user_id(acme)}"
    page = administrator.get(path).text
    assert "Approve &lt;b&gt;hours&lt;/b&gt;" in page
    assert "Approves what others have recorded." in page
    for wanted in ([APPROVE, EXPORT], [EXPORT], []):
        answer = administrator.post(path, data={**form_of(administrator, path), "permissions": wanted})
        assert answer.status_code == 303
        assert list(held(acme)) == wanted
        assert form_of(administrator, path)["permissions"] == wanted
    assert [entry[4] for entry in audit(acme, "user.permissions")] == [
        {"permissions": [APPROVE, EXPORT]},
        {"permissions": [EXPORT]},
        {"permissions": []},
    ]
    log = administrator.get("/settings/operation/audit").text
    assert "Change permissions of user" in log
    assert "Approve &lt;b&gt;hours&lt;/b&gt;, Export" in log


def test_saving_what_was_shown_changes_nothing(acme: Flask) -> None:
    grant(acme, APPROVE)
    administrator = browser(acme, ADMINISTRATOR)
    path = f"{USERS}/{user_id(acme)}"
    answer = administrator.post(path, data=form_of(administrator, path), follow_redirects=True)
    assert "Nothing was changed." in answer.text
    assert len(audit(acme, "user.permissions")) == 1


def test_permissions_of_an_edition_that_is_not_loaded_are_kept(acme: Flask) -> None:
    hold(acme, GONE)
    administrator = browser(acme, ADMINISTRATOR)
    path = f"{USERS}/{user_id(acme)}"
    page = administrator.get(path).text
    assert "belongs to an edition that is not loaded" in page
    assert GONE in page
    sent = {**form_of(administrator, path), "permissions": [APPROVE]}
    assert administrator.post(path, data=sent).status_code == 303
    assert held(acme) == (APPROVE, GONE)
    sent = {**form_of(administrator, path), "permissions": []}
    assert administrator.post(path, data=sent).status_code == 303
    assert held(acme) == (GONE,)


@pytest.mark.parametrize("name", [GONE, "system_administrator", "acme.unknown", "\x00"])
def test_nothing_can_be_granted_that_the_form_does_not_offer(acme: Flask, name: str) -> None:
    administrator = browser(acme, ADMINISTRATOR)
    path = f"{USERS}/{user_id(acme)}"
    answer = administrator.post(path, data={**form_of(administrator, path), "permissions": [APPROVE, name]})
    assert answer.status_code == 422
    assert "Choose one of the list." in answer.text
    assert held(acme) == ()
    assert "System Administrator" not in run(acme, "list").stdout.partition(MEMBER)[2]


def test_what_was_seen_cannot_be_made_up(acme: Flask) -> None:
    administrator = browser(acme, ADMINISTRATOR)
    path = f"{USERS}/{user_id(acme)}"
    sent = form_of(administrator, path)
    seen = {**json.loads(str(sent["seen"])), "permissions": [GONE]}
    assert administrator.post(path, data={**sent, "seen": json.dumps(seen)}).status_code == 409
    for nonsense in ([1], "x", None, 7):
        seen["permissions"] = nonsense
        assert administrator.post(path, data={**sent, "seen": json.dumps(seen)}).status_code in (409, 422)
    assert held(acme) == ()


def test_a_new_user_may_have_permissions_from_the_start(acme: Flask) -> None:
    administrator = browser(acme, ADMINISTRATOR)
    sent = {"login": "t.mori", "name": "Toru Mori", "permissions": [EXPORT], "language": "", "time_zone": ""}
    token = {"csrf_token": csrf_token(administrator, f"{USERS}/new")}
    assert administrator.post(f"{USERS}/new", data={**token, **sent}).status_code == 303
    assert held(acme, "t.mori") == (EXPORT,)
    assert audit(acme, "user.add")[-1][4] == {"name": "Toru Mori", "email": None, "permissions": [EXPORT]}


def test_a_new_user_past_the_seats_keeps_the_permissions_that_were_ticked(acme: Flask) -> None:
    register_key(acme, seats=2)
    administrator = browser(acme, ADMINISTRATOR)
    sent = {"login": "t.mori", "name": "Toru Mori", "permissions": [EXPORT], "language": "", "time_zone": ""}
    token = {"csrf_token": csrf_token(administrator, f"{USERS}/new")}
    question = administrator.post(f"{USERS}/new", data={**token, **sent}).text
    hidden = {
        name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', question)
    }
    answer = administrator.post(f"{USERS}/new/confirm", data={**hidden, **token, "confirm": "1"})
    assert answer.status_code == 303, answer.text
    assert held(acme, "t.mori") == (EXPORT,)


def test_a_deleted_user_is_restored_with_the_permissions(acme: Flask) -> None:
    grant(acme, APPROVE)
    member = user_id(acme)
    with acme.app_context():
        service.delete([member])
        assert service.user_view(member).state.permissions == (APPROVE,)
    assert "Approve &lt;b&gt;hours" in browser(acme, ADMINISTRATOR).get(f"{USERS}/{member}").text
    with acme.app_context():
        service.restore([member], confirmation=Confirmation(whatever=True))
    assert held(acme) == (APPROVE,)


def test_of_two_administrators_the_later_one_is_shown_what_the_other_has_granted(acme: Flask) -> None:
    administrator = browser(acme, ADMINISTRATOR)
    path = f"{USERS}/{user_id(acme)}"
    sent = {**form_of(administrator, path), "permissions": [APPROVE]}
    grant(acme, EXPORT)
    answer = administrator.post(path, data=sent)
    assert answer.status_code == 409
    assert re.findall(r'name="permissions" value="([\w.]+)" checked', answer.text) == [APPROVE, EXPORT]
    assert ">none<" in answer.text
    assert held(acme) == (EXPORT,)


def test_a_merge_takes_each_permission_for_itself() -> None:
    def user(*names: str) -> UserState:
        return UserState("a", "A", None, None, None, is_system_administrator=False, permissions=names)

    state = merged(user("a.b", "a.c"), user("a.c", "a.d"), user("a.b", "a.c", "a.e"))
    assert state.permissions == ("a.c", "a.d", "a.e")


# From the command line ----------------------------------------------------------------------------------------------


def test_permissions_are_granted_and_withdrawn_from_the_command_line(acme: Flask) -> None:
    assert f"{MEMBER} holds {APPROVE} now." in run(acme, "grant", MEMBER, APPROVE).stdout
    assert f"{MEMBER} held {APPROVE} already." in run(acme, "grant", MEMBER, APPROVE).stdout
    shown = json.loads(run(acme, "grant", MEMBER, EXPORT, "--json").stdout)
    assert shown["permissions"] == [APPROVE, EXPORT]
    users = json.loads(run(acme, "list", "--json").stdout)["users"]
    assert {user["login"]: user["permissions"] for user in users} == {
        ADMINISTRATOR: [],
        MEMBER: [APPROVE, EXPORT],
    }
    assert f"{MEMBER} does not hold {EXPORT} any more." in run(acme, "withdraw", MEMBER, EXPORT).stdout
    assert f"{MEMBER} did not hold {EXPORT}." in run(acme, "withdraw", MEMBER, EXPORT).stdout
    assert held(acme) == (APPROVE,)


def test_the_command_line_refuses_what_nobody_declares_and_withdraws_it_where_it_is_held(acme: Flask) -> None:
    refused = run(acme, "grant", MEMBER, GONE, "--json")
    assert (refused.exit_code, json.loads(refused.stdout)["code"]) == (1, "permission_unknown")
    assert run(acme, "withdraw", MEMBER, GONE).exit_code == 1
    hold(acme, GONE)
    assert run(acme, "withdraw", MEMBER, GONE).exit_code == 0
    assert held(acme) == ()
    assert run(acme, "grant", "nobody", APPROVE).exit_code == 1


def test_the_rules_of_the_administrator_privilege_hold_for_grant_and_withdraw_too(acme: Flask) -> None:
    assert run(acme, "withdraw", ADMINISTRATOR, "system_administrator").exit_code == 1
    assert run(acme, "grant", MEMBER, "system_administrator").exit_code == 0
    assert run(acme, "withdraw", ADMINISTRATOR, "system_administrator").exit_code == 0
    grant(acme, APPROVE)
    assert run(acme, "grant-admin", ADMINISTRATOR).exit_code == 0
    assert run(acme, "withdraw-admin", MEMBER).exit_code == 0
    assert held(acme) == (APPROVE,)


def test_every_permission_is_listed(acme: Flask) -> None:
    lines: Sequence[str] = run(acme, "permissions").stdout.splitlines()
    assert lines[0] == "system_administrator\tSystem Administrator"
    assert [line for line in lines if line.startswith("acme.")] == [
        f"{APPROVE}\tApprove <b>hours</b>\tAcme",
        f"{EXPORT}\tExport\tAcme",
    ]
    listed = json.loads(run(acme, "permissions", "--json").stdout)["permissions"]
    assert next(each for each in listed if each["name"] == APPROVE) == {
        "name": APPROVE,
        "title": "Approve <b>hours</b>",
        "edition": "Acme",
    }


def test_a_permission_that_nobody_declares_is_called_by_its_name(acme: Flask) -> None:
    with acme.app_context():
        assert next(iter(permissions())) == "system_administrator"
        assert permissions()[APPROVE].edition == "Acme"
        assert permission_title(EXPORT) == "Export"
        assert permission_title(GONE) == GONE


# At the gate --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "permission"),
    [
        ("/acme/approve", APPROVE),
        ("/acme/members", EXPORT),
        ("/office/", EXPORT),
        ("/office/approve", APPROVE),
    ],
)
def test_a_page_that_takes_a_permission_is_answered_to_its_holders_alone(
    acme: Flask, path: str, permission: str
) -> None:
    member, administrator = browser(acme), browser(acme, ADMINISTRATOR)
    assert acme.test_client().get(path).status_code == 303
    assert member.get(path).status_code == 403
    assert administrator.get(path).status_code == 200  # who grants them holds every one
    other = EXPORT if permission == APPROVE else APPROVE
    grant(acme, other)
    assert member.get(path).status_code == 403
    grant(acme, permission)
    assert member.get(path).status_code == 200  # at the next request, without logging in anew
    with acme.app_context():
        service.withdraw(service.find(MEMBER), permission)
    assert member.get(path).status_code == 403


def test_an_unlicensed_page_says_so_before_it_asks_for_a_permission(acme: Flask) -> None:
    member = browser(acme)
    assert member.get("/acme/extra").status_code == 402
    grant(acme, APPROVE)
    assert member.get("/acme/extra").status_code == 402
    register_key(acme, edition="acme", seats=50)
    assert member.get("/acme/extra").text == "extra"
    register_key(acme, edition="standard", seats=50)
    assert member.get("/acme/approve").status_code == 402
    assert member.get("/acme/members").status_code == 403  # says no feature of its own, and EXPORT is not held


def test_a_page_for_administrators_is_not_for_holders_of_permissions(acme: Flask) -> None:
    grant(acme, APPROVE, EXPORT)
    assert browser(acme).get("/acme/admin").status_code == 403
    assert browser(acme, ADMINISTRATOR).get("/acme/admin").text == "admin"


def test_a_public_page_is_answered_without_log_in_whatever_the_license_says(acme: Flask) -> None:
    visitor, member = acme.test_client(), browser(acme)
    assert visitor.get("/acme/open").text == "open"
    register_key(acme, features=["acme.board"], seats=1)
    assert member.get("/acme/").status_code == 403  # restricted
    assert visitor.get("/acme/open").text == "open"
    assert member.get("/acme/open").text == "open"


def test_navigation_shows_what_takes_a_permission_to_its_holders_alone(acme: Flask) -> None:
    member, administrator = browser(acme), browser(acme, ADMINISTRATOR)
    assert "Approvals" not in member.get("/account").text
    assert "Approvals" in administrator.get("/account").text
    grant(acme, APPROVE)
    assert "Approvals" in member.get("/account").text


def test_one_of_several_permissions_is_enough_for_an_item(shelf: Shelf, make_app: MakeApp) -> None:
    several = f'NavItem("acme.board", "Hidden", permission=("{APPROVE}", "{EXPORT}")),'
    shelf.install("acme", SOURCE.replace("navigation = (", f"navigation = ({several} "))
    app = open_for_business(make_app, features=["acme.board"])
    member = browser(app)
    assert "Hidden" not in member.get("/account").text
    grant(app, EXPORT)
    assert "Hidden" in member.get("/account").text


def test_an_edition_knows_what_the_user_holds(acme: Flask) -> None:
    grant(acme, APPROVE, EXPORT)
    assert browser(acme).get("/acme/").text == f"{APPROVE}, {EXPORT}"


@pytest.mark.parametrize("needed", ['feature="acme.board"', 'permission="acme.approve"'])
def test_a_public_page_can_need_neither_feature_nor_permission(
    shelf: Shelf, start: Callable[..., Flask], needed: str
) -> None:
    shelf.install("acme", SOURCE.replace("open_to(Audience.PUBLIC)", f"open_to(Audience.PUBLIC, {needed})"))
    found = found_in(start(), "acme")
    assert found.refusal is not None
    assert found.refusal.code == "edition_malformed"
    assert "open to everybody" in str(found.refusal.params["problem"])


def test_a_page_cannot_take_a_permission_that_nobody_declares(shelf: Shelf, start: Callable[..., Flask]) -> None:
    shelf.install("acme", SOURCE.replace('requires_permission("acme.approve")', 'requires_permission("acme.other")'))
    found = found_in(start(), "acme")
    assert found.refusal is not None
    assert "acme.other, which no edition declares" in str(found.refusal.params["problem"])


def test_a_blueprint_that_asks_for_a_permission_names_a_feature_too() -> None:
    with pytest.raises(ValueError, match="has to name a feature too"):
        EditionBlueprint("acme", __name__, feature=None, permission=APPROVE)
    assert Audience.PUBLIC


def test_the_service_grants_nothing_that_nobody_declares(acme: Flask) -> None:
    with acme.app_context():
        for refused in (GONE, "acme.unknown"):
            with pytest.raises(Refusal) as caught:
                service.grant(service.find(MEMBER), refused)
            assert caught.value.code == "permission_unknown"
