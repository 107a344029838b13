"""The command that imports work items."""

import sys
from pathlib import Path

import click

from app.sdk import Refusal, code_texts, gettext, sentences
from plugins.standard.refusing import REFUSED, refuse
from plugins.standard.work_items.csv_file import decoded, read_table
from plugins.standard.work_items.import_plan import Plan
from plugins.standard.work_items.importing import PlanChanged, import_table, plan_import


@click.command("import-work-items")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
def import_work_items(file: Path, *, dry_run: bool) -> None:
    """Import customers, projects and tasks from a CSV FILE, all or nothing.

    The first row names the columns: customer, customer_code, project, project_code, task, task_code, billable, members.
    """
    try:
        table = read_table(decoded(file.read_bytes()))
        plan = plan_import(table) if dry_run else import_table(table, confirmed=None)
    except PlanChanged as refused:
        plan = refused.plan
    except Refusal as error:
        refuse(error)
    _print(plan, dry_run=dry_run)
    if plan.errors:
        sys.exit(REFUSED)


def _print(plan: Plan, *, dry_run: bool) -> None:
    for error in plan.errors:
        texts = code_texts(error.refusal)
        said = sentences(texts.message, texts.remedy)
        where = gettext("Line %(line)s, %(column)s:", line=error.line, column=error.column)
        click.echo(f"{where} {said} [{texts.code}]", err=True)
    if plan.errors:
        counts = {"rows": plan.rows, "wrong": plan.wrong_rows}
        wrong = gettext("Rows read: %(rows)s; wrong: %(wrong)s. Nothing was imported.") % counts
        click.echo(wrong, err=True)
        return
    if dry_run:
        for item in plan.items:
            verb = "add" if item.is_new else "change"
            path = " > ".join(item.path)
            click.echo(f"{item.line}: {verb} {item.kind} {path}")
    counts = {"rows": plan.rows, "added": len(plan.added), "changed": len(plan.changed)}
    if dry_run:
        click.echo(gettext("Rows read: %(rows)s; would be added: %(added)s, changed: %(changed)s.") % counts)
    else:
        click.echo(gettext("Rows read: %(rows)s; added: %(added)s, changed: %(changed)s.") % counts)
