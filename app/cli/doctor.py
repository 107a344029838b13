"""``flask doctor``: is this installation sound, and if not, what to do. Works where nothing else does."""

import sys
from collections.abc import Iterable, Iterator

import click
from flask_babel import gettext as _

from app.cli.application import application
from app.cli.checks import Finding, State, examine
from app.cli.output import REFUSED, json_option, print_json
from app.config import SettingsError

_COLOURS = {State.OK: "green", State.WARN: "yellow", State.FAIL: "red"}


@click.command("doctor")
@json_option
@click.pass_context
def doctor_command(context: click.Context, *, as_json: bool) -> None:
    """Examine this installation: settings, database, seats, keys, license, clock, editions.

    Ends with status 1 where something fails.
    """
    findings = []
    for finding in _findings(context):
        findings.append(finding)
        if not as_json:
            _print(finding)
    failed = any(finding.state is State.FAIL for finding in findings)
    if as_json:
        print_json({"ok": not failed, "checks": [_object(finding) for finding in findings]})
    sys.exit(REFUSED if failed else 0)


def _findings(context: click.Context) -> Iterator[Finding]:
    """The settings first: without them there is no application to examine."""
    try:
        app = application(context)
    except SettingsError as error:
        yield Finding("settings", State.FAIL, str(error), "Correct this setting; the README lists all of them.")
        return
    except Exception as error:  # noqa: BLE001 - whatever stops the application is what the doctor is to tell
        text = f"The application cannot be made. {type(error).__name__}: {error}"
        yield Finding("application", State.FAIL, text, "Repair or remove what the text names.")
        return
    with app.app_context():
        yield Finding("settings", State.OK, _("All settings are understood."))
        yield from examine()


def _print(finding: Finding) -> None:
    mark = click.style(f"{finding.state.value:>4}", fg=_COLOURS[finding.state])
    code = f" [{finding.code}]" if finding.code else ""
    click.echo(f"{mark}  {finding.check}: {finding.text}{code}")
    if finding.remedy:
        click.echo(f"      → {finding.remedy}")


def _object(finding: Finding) -> dict[str, str]:
    parts: Iterable[tuple[str, str]] = (
        ("check", finding.check),
        ("state", finding.state.value),
        ("text", finding.text),
        ("remedy", finding.remedy),
        ("code", finding.code),
    )
    return {name: value for name, value in parts if value}
