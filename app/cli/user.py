"""``flask user``: the same as System Settings → Users, through the same service."""

import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

import click
from flask.cli import AppGroup
from flask_babel import gettext as _

from app import clock
from app.auth.users import UserDetails
from app.cli.application import with_application
from app.cli.output import answers_refusals, json_option, print_json, print_rows, refusal_texts, refuse
from app.cli.parameters import is_interactive
from app.editions.permissions import permissions
from app.forms import or_none
from app.license.service import current_standing
from app.refusal import Refusal
from app.settings.users import presenter, service
from app.settings.users.listing import ListedUser, ListQuery, Order, State, read_page
from app.settings.users.reasons import CONFIRMATION_NEEDED
from app.settings.users.service import Confirmation, SeatConfirmationNeeded, SeatWarning, UserView

_T = TypeVar("_T")
_LONGEST_INPUT = 10_000  # characters; no password that is accepted comes near
_LIST_PAGE = 500

user_group = AppGroup("user", help="Add, list, delete and restore users.")
_login = click.argument("login")
_permission = click.argument("permission")
_yes = click.option("--yes", is_flag=True, help="Go past the seats of the license without asking.")
_password_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read the password from the first line of standard input."
)


@user_group.command("create", with_appcontext=False)
@_login
@click.option("--name", required=True, help="The name, as people write it.")
@click.option("--email", help="E-mail address.")
@click.option("--admin", is_flag=True, help="Grant the System Administrator privilege.")
@_password_stdin
@_yes
@json_option
@with_application
@answers_refusals
def create(
    login: str, name: str, email: str | None, *, admin: bool, password_stdin: bool, yes: bool, as_json: bool
) -> None:
    """Add a user. At a terminal the password is asked for; without one the user cannot log in until it is set."""
    details = UserDetails(login.strip(), name.strip(), or_none(email))
    password = _read_password(from_stdin=password_stdin, optional=True)

    def add(confirmation: Confirmation) -> service.Affected:
        return service.add(details, password=password, administrator=admin, confirmation=confirmation)

    affected = _past_the_seats(add, yes=yes, as_json=as_json)
    _tell(affected.user_ids[0], presenter.added_message(affected), as_json=as_json)
    if password is None and not as_json:
        click.echo(_("There is no password yet: flask user password %(login)s", login=details.login))


@user_group.command("list", with_appcontext=False)
@click.option("--deleted", is_flag=True, help="List deleted users.")
@click.option("--search", default="", metavar="TEXT", help="Only whose login, name or e-mail has this in it.")
@json_option
@with_application
@answers_refusals
def list_users(search: str, *, deleted: bool, as_json: bool) -> None:
    """List users by name: login, name, e-mail and privilege, separated by tabs; with --json one object."""
    state = State.DELETED if deleted else State.ACTIVE
    query = ListQuery(state=state, search=search, order=Order.NAME, size=_LIST_PAGE)
    listed = []
    while True:
        page = read_page(query, clock.now())
        held = service.permissions_of([user.user_id for user in page.users]) if as_json else {}
        for user in page.users:
            if as_json:
                listed.append(_listed_object(user, held.get(user.user_id, ())))
            else:
                privilege = _("System Administrator") if user.is_system_administrator else ""
                click.echo("\t".join((user.login, user.name, user.email or "", privilege)).rstrip())
        if page.next is None:
            break
        query = ListQuery(state=state, search=search, order=Order.NAME, size=_LIST_PAGE, after=page.next)
    if as_json:
        print_json({"users": listed})


@user_group.command("delete", with_appcontext=False)
@_login
@click.option("--yes", is_flag=True, help="Delete without asking.")
@json_option
@with_application
@answers_refusals
def delete(login: str, *, yes: bool, as_json: bool) -> None:
    """Delete a user: sessions end and the seat is free at once, records stay, and restore undoes it.

    At a terminal it is asked for; without one, and with --json, the user is deleted at once.
    """
    user_id = service.find(login)
    # Registering a license without a terminal is refused only where it cannot be undone. This can be.
    if is_interactive() and not yes and not as_json:
        question = presenter.deletion_question(service.deletion([user_id]))
        for point in question.points:
            click.echo(f"- {point}", err=True)
        click.confirm(question.question, abort=True, err=True)
    affected = service.delete([user_id])
    _tell(affected.user_ids[0], presenter.deleted_message(affected), as_json=as_json)


@user_group.command("restore", with_appcontext=False)
@_login
@_yes
@json_option
@with_application
@answers_refusals
def restore(login: str, *, yes: bool, as_json: bool) -> None:
    """Restore a deleted user, with all privileges; takes one seat."""
    user_id = service.find(login, deleted=True)

    def bring_back(confirmation: Confirmation) -> service.Affected:
        return service.restore([user_id], confirmation=confirmation)

    affected = _past_the_seats(bring_back, yes=yes, as_json=as_json)
    _tell(user_id, presenter.restored_message(affected), as_json=as_json)


@user_group.command("password", with_appcontext=False)
@_login
@_password_stdin
@json_option
@with_application
@answers_refusals
def password(login: str, *, password_stdin: bool, as_json: bool) -> None:
    """Set a user's password, which ends all their sessions."""
    user_id = service.find(login)
    typed = _read_password(from_stdin=password_stdin, optional=False)
    name = service.set_password(user_id, typed or "")
    told = _("The password of %(login)s is set. All sessions of this user are ended.", login=name)
    _tell(user_id, told, as_json=as_json)


@user_group.command("grant-admin", with_appcontext=False)
@_login
@json_option
@with_application
@answers_refusals
def grant_admin(login: str, *, as_json: bool) -> None:
    """Grant the System Administrator privilege."""
    user_id = service.find(login)
    changed = service.set_administrator(user_id, administrator=True)
    told = _("%(login)s is a system administrator now.") if changed else _("%(login)s is a system administrator.")
    _tell(user_id, told % {"login": login}, as_json=as_json)


@user_group.command("withdraw-admin", with_appcontext=False)
@_login
@json_option
@with_application
@answers_refusals
def withdraw_admin(login: str, *, as_json: bool) -> None:
    """Withdraw the System Administrator privilege; the last one keeps it."""
    user_id = service.find(login)
    changed = service.set_administrator(user_id, administrator=False)
    told = (
        _("%(login)s is no system administrator any more.") if changed else _("%(login)s is no system administrator.")
    )
    _tell(user_id, told % {"login": login}, as_json=as_json)


@user_group.command("permissions", with_appcontext=False)
@json_option
@with_application
@answers_refusals
def list_permissions(*, as_json: bool) -> None:
    """List what can be granted: name, title and edition, separated by tabs; with --json one object."""
    every = permissions().values()
    if as_json:
        print_json(
            {"permissions": [{"name": each.name, "title": each.title, "edition": each.edition} for each in every]}
        )
        return
    for each in every:
        click.echo(f"{each.name}\t{each.title}\t{each.edition}".rstrip())


@user_group.command("grant", with_appcontext=False)
@_login
@_permission
@json_option
@with_application
@answers_refusals
def grant(login: str, permission: str, *, as_json: bool) -> None:
    """Grant a permission, one of those that "flask user permissions" lists."""
    user_id = service.find(login)
    changed = service.grant(user_id, permission)
    told = _("%(login)s holds %(permission)s now.") if changed else _("%(login)s held %(permission)s already.")
    _tell(user_id, told % {"login": login, "permission": permission}, as_json=as_json)


@user_group.command("withdraw", with_appcontext=False)
@_login
@_permission
@json_option
@with_application
@answers_refusals
def withdraw(login: str, permission: str, *, as_json: bool) -> None:
    """Withdraw a permission, of an edition that is not loaded as well."""
    user_id = service.find(login)
    changed = service.withdraw(user_id, permission)
    told = (
        _("%(login)s does not hold %(permission)s any more.")
        if changed
        else _("%(login)s did not hold %(permission)s.")
    )
    _tell(user_id, told % {"login": login, "permission": permission}, as_json=as_json)


# What the commands share ----------------------------------------------------------------------------------------------


def _tell(user_id: int, sentence: str, *, as_json: bool) -> None:
    if as_json:
        print_json(_user_object(service.user_view(user_id)))
    else:
        click.echo(sentence)


def _user_object(view: UserView) -> dict[str, object]:
    return {
        "login": view.state.login,
        "name": view.state.name,
        "email": view.state.email,
        "system_administrator": view.state.is_system_administrator,
        "permissions": list(view.state.permissions),
        "has_password": view.has_password,
        "created_at": view.created_at.isoformat(),
        "last_seen_at": view.last_seen_at.isoformat() if view.last_seen_at else None,
        "deleted_at": view.deleted_at.isoformat() if view.deleted_at else None,
    }


def _listed_object(user: ListedUser, held: Sequence[str]) -> dict[str, object]:
    return {
        "login": user.login,
        "name": user.name,
        "email": user.email,
        "system_administrator": user.is_system_administrator,
        "permissions": list(held),
        "last_seen_at": user.last_seen_at.isoformat() if user.last_seen_at else None,
        "deleted_at": user.deleted_at.isoformat() if user.deleted_at else None,
    }


def _read_password(*, from_stdin: bool, optional: bool) -> str | None:
    """The password from standard input, or asked for at a terminal; None where neither is there and none is needed."""
    if from_stdin:
        line = sys.stdin.readline(_LONGEST_INPUT)
        return line.removesuffix("\n").removesuffix("\r")
    if is_interactive():
        typed: str = click.prompt(_("Password"), hide_input=True, confirmation_prompt=True, err=True)
        return typed
    if optional:
        return None
    raise click.UsageError("There is no terminal to ask at: use --password-stdin.")


def _past_the_seats(do: Callable[[Confirmation], _T], *, yes: bool, as_json: bool) -> _T:
    """Do what may need a confirmation: ask at a terminal until the numbers that were confirmed are those that hold."""
    confirmation = Confirmation(whatever=yes)
    while True:
        try:
            return do(confirmation)
        except SeatConfirmationNeeded as needed:
            confirmation = _ask(needed.warning, as_json=as_json)


def _ask(warning: SeatWarning, *, as_json: bool) -> Confirmation:
    if as_json:
        texts = refusal_texts(Refusal(CONFIRMATION_NEEDED))
        print_json(
            {
                "code": texts.code,
                "message": texts.message,
                "remedy": texts.remedy,
                "registered_users": warning.registered_users,
                "registered_then": warning.registered_then,
                "seats": warning.seats,
                "excess": warning.excess,
                "locked_out": warning.locked_out,
            }
        )
        raise SystemExit(1)
    standing = current_standing()
    print_rows([(_("Seats"), str(standing.seats)), (_("Users in use"), str(standing.registered_users))], err=True)
    for point in presenter.seat_points(warning):
        click.echo(f"- {point}", err=True)
    if not is_interactive():
        refuse(Refusal(CONFIRMATION_NEEDED), as_json=False)
    click.confirm(_("Go on all the same?"), abort=True, err=True)
    return Confirmation(warning.digest)
