"""``flask edition``: which editions are installed, and switching them."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.exc import SQLAlchemyError

from app.audit import COMMAND_LINE
from app.cli.application import with_application
from app.cli.output import REFUSED, answers_refusals, json_option, print_json
from app.editions import migrations, revisions, service
from app.editions.catalogues import Update, update_edition
from app.editions.failures import Failure, failures, left_behind
from app.editions.failures import dismiss as dismiss_failures
from app.editions.inspection import Finding, inspect, inspect_what_is_left_behind
from app.editions.registry import registry
from app.editions.scaffold import write_package
from app.editions.switches import read_switches
from app.editions.upkeep import find_manifest
from app.license.service import current_standing
from app.texts import code_texts

_HELP = """See to the editions, which are plug-ins that bring pages and features.

Operators: list, enable, disable, dismiss; and downgrade, before a package is removed for good. Their tables are
migrated by flask db upgrade, together with those of the core.

Authors: new, revision, messages, doctor.
"""
NOT_INSTALLED = "not_installed"
"""Stands for the state of an edition whose package is gone."""
_FIRST = 10
"""How many of the texts that are not translated are printed."""

edition_group = AppGroup("edition", help=_HELP)


@edition_group.command("list", with_appcontext=False, short_help="List every installed edition with its state.")
@json_option
@answers_refusals
@with_application
def list_editions(*, as_json: bool) -> None:
    """List every installed edition with its state; works with broken ones and without a database."""
    overview, kept = _overview()
    rows = [_row(entry, kept.get(entry.found.name, ())) for entry in overview.entries]
    rows += [_row_of_one_gone(name, failed) for name, failed in left_behind(kept).items()]
    if as_json:
        print_json(rows)
        return
    if not rows:
        click.echo(_("No edition is installed."))
    for row in rows:
        click.echo(_line(row))
        if row["code"]:
            click.echo(f"    {row['message']} {row['remedy']} [{row['code']}]")
        for warning in row["warnings"]:
            click.echo(f"    {warning}")


@edition_group.command("new", with_appcontext=False, short_help="Write the package of a new edition.")
@click.argument("name")
@click.option("--title", help="What people call it; without it, made of NAME.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path(),
    help="Where the folder of the package is made; without it, here.",
)
@answers_refusals
def new(name: str, *, title: str | None, folder: Path) -> None:
    """Write the package of a new edition NAME, which installs, passes its tests and shows a page."""
    package = write_package(name, title=title or name.replace("_", " ").capitalize(), folder=folder)
    wrote = _("%(folder)s has the edition %(edition)s. Next, in the environment of the application:")
    click.echo(wrote % {"folder": package, "edition": name})
    commands = (f'pip install --editable "{package}[test]"', f"pytest {package}")
    click.echo("\n" + "\n".join(f"  {command}" for command in commands) + "\n")
    click.echo(_("Then restart the application: its page stands in the menu."))


@edition_group.command(
    "messages", with_appcontext=False, short_help="Collect the texts of an edition, compile its translations."
)
@click.argument("name")
@click.option(
    "--check", is_flag=True, help="Write nothing; status 1 says that something would be written or is missing."
)
@json_option
@answers_refusals
def messages(name: str, *, check: bool, as_json: bool) -> None:
    """Collect the texts of the edition NAME, and compile its translations.

    They lie in translations/LANGUAGE/LC_MESSAGES/NAME.po beside its module; translate there, and run this again. Status
    1 says that texts are not translated yet. It needs no database, and no other edition is loaded.
    """
    updates = update_edition(name, write=not check)
    if as_json:
        print_json({"name": name, "languages": {update.language: _update_row(update) for update in updates}})
    else:
        for update in updates:
            _print_update(update, check=check)
    if any(update.untranslated or (check and update.changes) for update in updates):
        sys.exit(REFUSED)


def _update_row(update: Update) -> dict[str, Any]:
    return {
        "file": str(update.file),
        "texts": update.texts,
        "untranslated": list(update.untranslated),
        "changed": [str(file) for file in update.changes],
    }


def _print_update(update: Update, *, check: bool) -> None:
    missing = len(update.untranslated)
    if not update.texts:
        click.echo(f"{update.language}: " + _("No text is marked for translation."))
        return
    texts = ngettext("%(num)s text", "%(num)s texts", update.texts)
    state = ngettext("%(num)s not translated", "%(num)s not translated", missing) if missing else _("all translated")
    click.echo(f"{update.language}: {texts}, {state}: {update.file}")
    for text in update.untranslated[:_FIRST]:
        click.echo(f"    {text!r}")
    if missing > _FIRST:
        click.echo("    …")
    if check and update.changes:
        click.echo("    " + _("It is not up to date."))


@edition_group.command("revision", with_appcontext=False, short_help="Write a migration for the tables of an edition.")
@click.argument("name")
@click.option("-m", "--message", required=True, help="One line on what the migration does.")
@click.option("--empty", is_flag=True, help="Write one that does nothing yet, such as for data alone.")
@json_option
@answers_refusals
@with_application
def revision(name: str, *, message: str, empty: bool, as_json: bool) -> None:
    """Write a migration that brings the tables of the edition NAME to what its models say.

    It is written into the package, below migrations/versions, from the difference between models and database; read it
    before you run it with flask db upgrade.
    """
    path = revisions.write_revision(find_manifest(name), message, empty=empty)
    if as_json:
        print_json({"name": name, "file": str(path)})
    else:
        click.echo(_("%(file)s is written. Read it, then run: %(command)s", file=path, command="flask db upgrade"))


@edition_group.command(
    "downgrade", with_appcontext=False, short_help="Take back migrations of an edition, tables included."
)
@click.argument("name")
@click.argument("revision", metavar="REVISION|base")
@click.option("--yes", is_flag=True, help="Take the tables back without asking.")
@json_option
@answers_refusals
@with_application
def downgrade(name: str, revision: str, *, yes: bool, as_json: bool) -> None:
    """Take back the migrations of the edition NAME that came after REVISION; base takes back all, tables included.

    Stop the application first, or disable the edition and restart: processes that run go on using the tables.
    """
    manifest = find_manifest(name)
    loss = migrations.loss(manifest, revision)
    if loss.revisions and not yes:
        click.echo(_loss_text(name, loss), err=True)
        click.confirm(_("Take back these migrations?"), abort=True, err=True)
    taken_back = migrations.downgrade(manifest, revision)
    if as_json:
        print_json({"name": name, "taken_back": list(taken_back)})
        return
    count = ngettext("%(num)s migration taken back", "%(num)s migrations taken back", len(taken_back))
    click.echo(f"{name}: {count}" + (f" ({', '.join(taken_back)})" if taken_back else ""))


def _loss_text(name: str, loss: migrations.Loss) -> str:
    """What would be taken back, and which tables hold how much now."""
    lines = [f"{name}: {', '.join(loss.revisions)}"]
    lines += [
        "    " + ngettext("%(table)s has %(num)s row", "%(table)s has %(num)s rows", rows, table=table)
        for table, rows in loss.rows.items()
    ]
    return "\n".join([*lines, _("What is taken away with them cannot be brought back, except from a backup.")])


@edition_group.command("doctor", with_appcontext=False, short_help="Say what is not right with an edition yet.")
@click.argument("name", required=False)
@json_option
@answers_refusals
@with_application
def doctor(name: str | None, *, as_json: bool) -> None:
    """Look the edition NAME over, or all of them: how it is declared, guarded, migrated, translated and written.

    Ends with status 1 where something is not right.
    """
    editions = registry().found if name is None else (service.find_edition(name),)
    inspected = [(edition.name, edition.source, inspect(edition)) for edition in editions]
    if name is None:
        inspected += [(gone, "", findings) for gone, findings in inspect_what_is_left_behind().items()]
    if as_json:
        print_json([_finding(edition, source, each) for edition, source, findings in inspected for each in findings])
    else:
        for edition, source, findings in inspected:
            _print_findings(edition, source, findings)
    if any(findings for *_edition, findings in inspected):
        sys.exit(REFUSED)


def _print_findings(edition: str, source: str, findings: Sequence[Finding]) -> None:
    count = ngettext("%(num)s thing to mend", "%(num)s things to mend", len(findings))
    result = count if findings else _("nothing to mend")
    click.echo(f"{_named(edition, source)}: {result}")
    for finding in findings:
        click.echo(f"    [{finding.rule}] {finding.problem}")


def _named(edition: str, source: str) -> str:
    return f"{edition} ({source})" if source else edition


def _finding(edition: str, source: str, finding: Finding) -> dict[str, str]:
    return {"edition": edition, "source": source, "rule": finding.rule, "problem": finding.problem}


@edition_group.command("enable", with_appcontext=False, short_help="Switch an edition on, from the next restart.")
@click.argument("name")
@json_option
@answers_refusals
@with_application
def enable(name: str, *, as_json: bool) -> None:
    """Switch the edition NAME on, from the next restart."""
    _answer(name, changed=service.enable(name, actor=COMMAND_LINE), disabled=False, as_json=as_json)


@edition_group.command("disable", with_appcontext=False, short_help="Switch an edition off; its data is kept.")
@click.argument("name")
@json_option
@answers_refusals
@with_application
def disable(name: str, *, as_json: bool) -> None:
    """Switch the edition NAME off, from the next restart; its data is kept."""
    _answer(name, changed=service.disable(name, actor=COMMAND_LINE), disabled=True, as_json=as_json)


def _answer(name: str, *, changed: bool, disabled: bool, as_json: bool) -> None:
    if as_json:
        print_json({"name": name, "disabled": disabled, "changed": changed})
        return
    if not changed:
        already = _("%(edition)s was switched off already.") if disabled else _("%(edition)s was switched on already.")
        click.echo(already % {"edition": name})
    elif disabled:
        click.echo(_("%(edition)s goes off when the application is restarted. Its data is kept.", edition=name))
    else:
        click.echo(_("%(edition)s comes on when the application is restarted.", edition=name))


@edition_group.command("dismiss", with_appcontext=False, short_help="Forget what has failed in an edition.")
@click.argument("name")
@json_option
@answers_refusals
@with_application
def dismiss(name: str, *, as_json: bool) -> None:
    """Forget what has failed in the edition NAME, which may be gone; what fails again is kept again."""
    count = dismiss_failures(name, actor=COMMAND_LINE)
    if as_json:
        print_json({"name": name, "dismissed": count})
    elif count:
        click.echo(ngettext("%(num)s failure is dismissed.", "%(num)s failures are dismissed.", count))
    else:
        click.echo(_("There was nothing left to dismiss."))


def _overview() -> tuple[service.Overview, Mapping[str, tuple[Failure, ...]]]:
    """The editions as this process found them, and what has failed in them.

    A database that does not answer only leaves out what it would add.
    """
    try:
        return service.overview(current_standing(), read_switches()), failures()
    except SQLAlchemyError:
        click.echo(_("The database does not answer: what is licensed and switched is not known."), err=True)
        return service.overview(None, {}), {}


def _line(row: dict[str, Any]) -> str:
    """One edition of the list for people."""
    failed = row["failures"]
    marks = [
        row["state"],
        row["license"] if row["license"] != "none" else "",
        _pending_words(row["pending"]),
        ngettext("%(num)s failure", "%(num)s failures", failed) if failed else "",
    ]
    version = f" {row['version']}" if row["version"] else ""
    return f"{_named(row['name'] + version, row['source'])}: {', '.join(mark for mark in marks if mark)}"


def _row_of_one_gone(name: str, failed: tuple[Failure, ...]) -> dict[str, Any]:
    """An edition that is not installed any more, and of which failures are kept: ``flask edition dismiss`` ends it."""
    unknown = dict.fromkeys(("title", "version", "source"), "")
    nothing = {"features": [], "pages": 0, "code": None, "message": None, "remedy": None, "warnings": []}
    state = {"state": NOT_INSTALLED, "license": "none", "pending": str(service.Pending.NOTHING)}
    return {"name": name, **unknown, **state, **nothing, "traceback": None, "failures": len(failed)}


def _row(entry: service.EditionEntry, failed: tuple[Failure, ...]) -> dict[str, Any]:
    found = entry.found
    texts = code_texts(found.refusal) if found.refusal is not None else None
    return {
        "name": found.name,
        "title": found.title,
        "version": found.version,
        "source": found.source,
        "state": str(found.state),
        "license": str(entry.grant),
        "pending": str(entry.pending),
        "features": [feature.name for feature in found.manifest.features] if found.manifest is not None else [],
        "pages": found.pages,
        "code": texts.code if texts is not None else None,
        "message": texts.message if texts is not None else None,
        "remedy": texts.remedy if texts is not None else None,
        "warnings": list(found.warnings),
        "traceback": found.traceback or None,
        "failures": len(failed),
    }


def _pending_words(pending: str) -> str:
    words = {service.Pending.COMES_ON: _("on after a restart"), service.Pending.GOES_OFF: _("off after a restart")}
    return words.get(service.Pending(pending), "")
