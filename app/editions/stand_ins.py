"""Commands that stand in for those of editions that are not loaded: they say why, and what to do about it.

Without them ``flask acme list`` answers that there is no such command, as if ``acme`` were misspelt.
"""

import click
from flask import Flask, current_app
from flask.cli import ScriptInfo

from app.config import Settings
from app.editions.discovery import Discovered, EditionState
from app.editions.manifest import is_name
from app.editions.registry import registry
from app.editions.rehearsal import RESERVED_COMMANDS
from app.texts import code_texts, sentences

_REFUSED = 1


def configure_stand_ins(app: Flask, settings: Settings) -> None:  # noqa: ARG001 - a step of the assembly
    """Give each edition that is not loaded a command of its name, which ``flask --help`` does not list."""
    with app.app_context():
        found = registry().found
    for edition in found:
        is_missing = edition.state not in (EditionState.LOADED, EditionState.DUPLICATE)
        if is_missing and is_name(edition.name) and edition.name not in {*RESERVED_COMMANDS, *app.cli.commands}:
            app.cli.add_command(_stand_in(edition))


def _stand_in(edition: Discovered) -> click.Command:
    @click.pass_context
    def explain(context: click.Context) -> None:
        if not current_app:
            context.with_resource(context.ensure_object(ScriptInfo).load_app().app_context())
        if edition.refusal is not None:
            texts = code_texts(edition.refusal)
            click.echo(f"{edition.title}: {sentences(texts.message, texts.remedy)} [{texts.code}]", err=True)
        if edition.state is EditionState.DISABLED:
            command = f"flask edition enable {edition.name}"
            click.echo(f"  {command}", err=True)
        context.exit(_REFUSED)

    taking_anything = {"ignore_unknown_options": True, "allow_extra_args": True}
    return click.Command(
        edition.name, callback=explain, context_settings=taking_anything, add_help_option=False, hidden=True
    )
