"""The command that fills an empty installation with a company to look around in."""

import secrets
import sys
from dataclasses import dataclass

import click

from app.sdk import Refusal, format_date, gettext
from plugins.standard.demo.company import CONTROLLER, CORRECTOR, WITH_TIMER
from plugins.standard.demo.service import Filled, fill
from plugins.standard.permissions import EVERYBODY
from plugins.standard.refusing import print_json, refuse

_LONGEST_INPUT = 10_000  # characters; no password that is accepted comes near


@dataclass(frozen=True, slots=True)
class _Password:
    """What everybody of the demo logs in with."""

    text: str | None
    is_made: bool
    """Whether it was made here, so that it has to be printed."""


@click.command("demo")
@click.option(
    "--password-stdin", is_flag=True, help="Read the password of all demo people from the first line of standard input."
)
@click.option("--no-password", is_flag=True, help="Give them none, so that nobody can log in as one of them.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def demo(*, password_stdin: bool, no_password: bool, as_json: bool) -> None:
    """Fill an empty installation with a company to look around in.

    Kitamura Precision has twelve people, five customers, twelve projects, their tasks, and about four months of hours
    up to today: leave and missing days, over-time, times with breaks, a running timer, corrections by a manager,
    closed months, somebody who has left. The same every time, seen from today.

    It needs a system administrator (the first page makes one) and twelve free seats, and refuses where there are work
    items already. All of it is done, or nothing. Public holidays become those of Japan unless a country is set.

    All demo people get one password, which is made here, printed once and kept nowhere; --password-stdin takes yours.

    It cannot be taken back, since the audit log and deleted users stay: use it where you try things out. To begin
    anew, stop the server and delete its database (timetracker.sqlite3 and its -wal and -shm in the instance folder).
    """
    if password_stdin and no_password:
        raise click.UsageError("--password-stdin and --no-password exclude each other.")
    password = _password(from_stdin=password_stdin, none=no_password)
    try:
        filled = fill(password.text)
    except Refusal as refusal:
        refuse(refusal, as_json=as_json)
    if as_json:
        print_json(_object(filled, password))
    else:
        _tell(filled, password)


def _password(*, from_stdin: bool, none: bool) -> _Password:
    if none:
        return _Password(None, is_made=False)
    if from_stdin:
        line = sys.stdin.readline(_LONGEST_INPUT)
        return _Password(line.removesuffix("\n").removesuffix("\r"), is_made=False)
    return _Password(secrets.token_urlsafe(12), is_made=True)


def _logins() -> list[tuple[str, str]]:
    return [
        (WITH_TIMER, gettext("a member, with a running timer")),
        (CORRECTOR, gettext("a manager, who corrects hours and looks after work items")),
        (CONTROLLER, gettext("a controller, who reads everybody’s hours and closes them")),
    ]


def _object(filled: Filled, password: _Password) -> dict[str, object]:
    made = {"password": password.text} if password.is_made else {}
    return {
        "people": filled.people,
        "customers": filled.customers,
        "projects": filled.projects,
        "tasks": filled.tasks,
        "entries": filled.entries,
        "first_day": filled.first.isoformat(),
        "closed_through": filled.closed_through.isoformat(),
        "country": filled.country,
        "logins": [login for login, _ in _logins()],
        **made,
    }


def _tell(filled: Filled, password: _Password) -> None:
    counts = {
        "people": filled.people,
        "customers": filled.customers,
        "projects": filled.projects,
        "tasks": filled.tasks,
        "entries": f"{filled.entries:,}",
        "first": format_date(filled.first),
        "closed": format_date(filled.closed_through),
        "country": filled.country,
    }
    click.echo(
        gettext(
            "Kitamura Precision is here: %(people)s people, one who has left, %(customers)s customers, %(projects)s"
            " projects, %(tasks)s tasks and %(entries)s entries since %(first)s.",
        )
        % counts
    )
    click.echo(
        gettext("Hours are closed through %(closed)s; public holidays are those of the country %(country)s.") % counts
    )
    grant = f"flask user grant LOGIN {EVERYBODY.name}"
    click.echo(gettext("To read everybody’s hours as yourself: %(command)s", command=grant))
    if password.text is None:
        click.echo(gettext("Nobody of them has a password: flask user password LOGIN gives one."))
        return
    click.echo("\n" + gettext("Log in as one of them:"))
    width = max(len(login) for login, _ in _logins())
    for login, who in _logins():
        click.echo(f"  {login:{width}}  {who}")
    if password.is_made:
        said = gettext("The password of all of them, shown this once: %(password)s", password=password.text)
    else:
        said = gettext("The password of all of them is the one that you gave.")
    click.echo("\n" + said)
