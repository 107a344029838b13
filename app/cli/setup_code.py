"""``flask setup-code``: the one-time code that the first page of a new installation asks for."""

import click
from flask import current_app

from app.auth.reasons import ALREADY_SET_UP
from app.auth.setup import is_setup_pending, setup_code
from app.cli.application import with_application
from app.cli.output import answers_refusals, json_option, print_json
from app.config import Settings
from app.refusal import Reason, Refusal
from app.translation import N_

SECRET_KEY_MISSING = Reason(
    "secret_key_missing",
    N_("There is no SECRET_KEY, from which the set-up code is made."),
    N_("Set one; starting the application without it says how."),
)


def require_setup_code() -> str:
    """Return the set-up code; raises Refusal ``already_set_up`` or ``secret_key_missing``."""
    settings: Settings = current_app.extensions["settings"]
    if settings.secret_key is None:
        raise Refusal(SECRET_KEY_MISSING)
    if not is_setup_pending():
        raise Refusal(ALREADY_SET_UP)
    return setup_code()


@click.command("setup-code")
@json_option
@with_application
@answers_refusals
def setup_code_command(*, as_json: bool) -> None:
    """Print the one-time code for /setup, as long as there is no user."""
    code = require_setup_code()
    if as_json:
        print_json({"setup_code": code})
    else:
        click.echo(code)
