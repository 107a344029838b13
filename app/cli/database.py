"""``flask db``: Flask-Migrate's commands for the tables of the core; ``upgrade`` and ``check`` go on to editions."""

import sys
from typing import Any

import click
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_migrate.cli import db as core

from app.cli.application import with_application
from app.cli.output import REFUSED, refusal_texts
from app.editions.upkeep import Checked, Upgraded, check_editions, upgrade_editions
from app.refusal import Refusal

HEADS = {"head", "heads"}


@click.pass_context
@with_application
def _enter(context: click.Context, /, **options: Any) -> None:
    if core.callback is not None:
        context.invoke(core.callback, **options)


db_group = click.Group(
    "db",
    commands=dict(core.commands),
    params=list(core.params),
    callback=_enter,
    help="Migrate the database: the core's tables, and with upgrade and check those of the editions.",
)


@db_group.command("upgrade", params=list(core.commands["upgrade"].params))
@click.pass_context
def upgrade(context: click.Context, /, **options: Any) -> None:
    """Bring the core's tables to REVISION, or to the latest, and then those of every edition that is loaded.

    An edition that fails changes nothing, holds up no other, and ends this with status 1.
    """
    context.invoke(core.commands["upgrade"], **options)
    if options["sql"] or options["revision"] not in HEADS:
        return
    outcomes = []
    for outcome in upgrade_editions():
        _tell_upgraded(outcome)
        outcomes.append(outcome)
    if any(outcome.refusal is not None for outcome in outcomes):
        sys.exit(REFUSED)


@db_group.command("check", params=list(core.commands["check"].params))
@click.pass_context
def check(context: click.Context, /, **options: Any) -> None:
    """Compare the tables of core and editions with their models; ends with status 1 where they differ.

    Tables of editions that are not loaded are left alone.
    """
    failed = False
    try:
        context.invoke(core.commands["check"], **options)
    except SystemExit:  # it has said why
        failed = True
    for checked in check_editions():
        failed = not _tell_checked(checked) or failed
    if failed:
        sys.exit(REFUSED)


def _tell_upgraded(outcome: Upgraded) -> None:
    if outcome.refusal is not None:
        _tell_refusal(outcome.edition, outcome.refusal)
    elif outcome.revisions:
        done = ngettext("%(num)s migration done", "%(num)s migrations done", len(outcome.revisions))
        click.echo(f"{outcome.edition}: {done} ({', '.join(outcome.revisions)})")


def _tell_checked(checked: Checked) -> bool:
    """Say what was found; returns whether all is well."""
    if checked.refusal is not None:
        _tell_refusal(checked.edition, checked.refusal)
    elif checked.pending:
        waiting = ngettext("%(num)s migration is pending.", "%(num)s migrations are pending.", len(checked.pending))
        run = _("Run: %(command)s", command="flask db upgrade")
        click.echo(f"{checked.edition}: {waiting} {run}", err=True)
    elif checked.differences:
        differ = _("the tables are not what the models say:")
        click.echo("\n  ".join([f"{checked.edition}: {differ}", *checked.differences]), err=True)
    else:
        return True
    return False


def _tell_refusal(edition: str, refusal: Refusal) -> None:
    texts = refusal_texts(refusal)
    click.echo(f"{edition}: {texts.message} {texts.remedy} [{texts.code}]", err=True)
