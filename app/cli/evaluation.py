"""``flask evaluation``: everything for a first look, made on this machine; used by ``make run``.

Whatever is there already stays: a second run changes nothing, except that a new key replaces one that has ended.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from flask import current_app
from flask.cli import AppGroup
from flask_babel import gettext as _
from flask_babel import ngettext

from app.auth.setup import is_setup_pending, setup_code
from app.cli.application import with_application
from app.cli.files import FILE_EXISTS, SECRET, SHARED, make_folder, replace, unusable, write_new
from app.cli.license_text import day_of_end
from app.cli.output import answers_refusals, print_rows
from app.config import CONFIG_FILE, Settings, SettingsError, is_checkout, load_settings
from app.license import issuing
from app.license.document import EVALUATION_PREFIX, License, Verifier
from app.license.reasons import LicenseError
from app.license.service import license_book
from app.license.signature import load_trusted_keys
from app.refusal import Refusal
from app.schema import NEWER, NewerSchemaError, pending_revisions, upgrade_database
from app.settings.state import current_state
from app.texts import code_texts
from app.version import __version__

KEY_FILE = "evaluation-license-key.txt"
VENDOR_FOLDER = "vendor"
DAYS = 30
SEATS = 25
_PRIVATE = ".private.pem"
_NEW_CONFIG = """\
# Made for a first look, by "make run" or "flask evaluation". Keep this file secret: SECRET_KEY signs every cookie.
SECRET_KEY = "{secret_key}"
# Accepts license keys that were made on this machine. Remove the line before real use.
ALLOW_EVALUATION_KEYS = true
"""

evaluation_group = AppGroup("evaluation", help="Try the product: settings and a license key, made on this machine.")


@dataclass(frozen=True, slots=True)
class EvaluationKey:
    """The license key that was made here, with what it grants."""

    text: str
    license: License


@evaluation_group.command("prepare", with_appcontext=False)
@answers_refusals
def prepare_command() -> None:
    """Create what is missing: settings, an evaluation key pair and a license key for 25 users and 30 days."""
    prepare(_settings())


@evaluation_group.command("show", with_appcontext=False)
@with_application
@answers_refusals
def show_command() -> None:
    """Print the address, the set-up code while there is no user, and the evaluation license key."""
    show()


@evaluation_group.command("start", with_appcontext=False)
@answers_refusals
@click.pass_context
def start_command(context: click.Context) -> None:
    """Prepare, migrate the database and show, in one process: all that ``make run`` needs before it serves."""
    prepare(_settings())
    context.invoke(_migrate_and_show)


@with_application
def _migrate_and_show() -> None:
    try:
        pending_revisions()
    except NewerSchemaError as error:
        raise click.ClickException(NEWER.reason[0]) from error
    for outcome in upgrade_database():
        if outcome.refusal is not None:
            click.echo(f"{outcome.edition}: {code_texts(outcome.refusal).message}", err=True)
    show()


def _settings() -> Settings:
    try:
        return load_settings()
    except SettingsError as error:
        raise click.ClickException(str(error)) from error


def prepare(settings: Settings) -> None:
    """Create in the instance folder what a first look needs; raises Refusal ``file_unusable``.

    An installation whose settings do not allow evaluation keys gets none, and is not made to allow them.
    """
    make_folder(settings.instance_path)
    _prepare_config(settings)
    settings = _settings()
    if settings.allow_evaluation_keys and evaluation_key(settings, datetime.now(UTC)) is None:
        _make_license_key(settings)


def _prepare_config(settings: Settings) -> None:
    path = settings.instance_path / CONFIG_FILE
    if not path.exists():
        with _keeping_what_is_there():
            write_new(path, _NEW_CONFIG.format(secret_key=secrets.token_hex(32)).encode(), SECRET)
    elif settings.secret_key is None:
        kept = _read(path).rstrip()
        line = f'SECRET_KEY = "{secrets.token_hex(32)}"\n'
        replace(path, (f"{line}{kept}\n" if kept else line).encode(), SECRET)


@contextmanager
def _keeping_what_is_there() -> Iterator[None]:
    """Go on where a file exists already, perhaps because somebody else has created it in this very moment."""
    try:
        yield
    except Refusal as refusal:
        if refusal.reason is not FILE_EXISTS:
            raise


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise unusable(path, error) from error


def evaluation_key(settings: Settings, now: datetime) -> EvaluationKey | None:
    """Return the license key that was made here; None where there is none that holds at ``now``."""
    path = settings.instance_path / KEY_FILE
    if not path.is_file():
        return None
    text = _read(path).strip()
    trusted = load_trusted_keys(settings.license_public_keys).keys
    try:
        license_ = Verifier(trusted, settings.license_issuer, allow_evaluation_keys=True).verify(text, now)
    except LicenseError:
        return None
    return None if license_.has_ended(now) else EvaluationKey(text, license_)


def _make_license_key(settings: Settings) -> None:
    kid, private_key = _key_pair(settings)
    now = datetime.now(UTC)
    zone = settings.time_zone or ZoneInfo("UTC")
    last_day = now.astimezone(zone).date() + timedelta(days=DAYS)
    request = issuing.IssueRequest(
        customer="Evaluation",
        edition="standard",
        seats=SEATS,
        # Before any day on which a vendor's key may start today, in whatever zone: that one is to win.
        starts=now - timedelta(days=2),
        expires=issuing.end_of_day(last_day, zone),
        maintenance_expires=issuing.end_of_day(last_day, zone),
        trial=True,
        issuer=settings.license_issuer,
    )
    text = issuing.issue(request, private_key, kid, now)
    replace(settings.instance_path / KEY_FILE, f"{text}\n".encode(), SECRET)


def _key_pair(settings: Settings) -> tuple[str, RSAPrivateKey]:
    """Return the evaluation key pair of this machine, made where it is missing."""
    vendor, public = settings.instance_path / VENDOR_FOLDER, settings.license_public_keys
    make_folder(vendor)
    make_folder(public, 0o755)  # nothing in it is secret, and the server may run as somebody else
    for path in sorted(vendor.glob(f"{EVALUATION_PREFIX}*{_PRIVATE}")):
        with suppress(Refusal):
            private_key = issuing.load_private_key(_read(path).encode())
            kid = path.name.removesuffix(_PRIVATE)
            break
    else:
        kid = f"{EVALUATION_PREFIX}{secrets.token_hex(4)}"
        private_key = issuing.make_key_pair().private_key
        write_new(vendor / f"{kid}{_PRIVATE}", issuing.KeyPair(private_key).private_pem(), SECRET)
    with _keeping_what_is_there():
        write_new(public / f"{kid}.pem", issuing.KeyPair(private_key).public_pem(), SHARED)
    return kid, private_key


def show() -> None:
    """Print what a person needs to begin: an address, the set-up code, a license key."""
    settings: Settings = current_app.extensions["settings"]
    rows = [(_("Address"), f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/")]
    if settings.secret_key is not None and is_setup_pending():
        once = _("good once, for the first page")
        rows.append((_("Set-up code"), f"{setup_code()}   {once}"))
        demo = "make demo" if is_checkout() else "flask standard demo"
        rows.append((_("Demo data"), f"{demo}   " + _("in a second terminal, after the first page")))
    found = evaluation_key(settings, datetime.now(UTC)) if settings.allow_evaluation_keys else None
    if found is not None:
        seats = ngettext("%(num)s seat", "%(num)s seats", found.license.seats)
        until = day_of_end(found.license.expires, current_state().time_zone)
        rows.append((_("License key"), _("%(seats)s, until %(day)s; for evaluation only", seats=seats, day=until)))
    is_registered = found is not None and _is_registered(found.license)
    click.echo(f"\nTimeTracker RX {__version__}\n")
    print_rows(rows)
    if is_registered:
        click.echo("\n" + _("The license key is registered already; there is nothing to do."))
    elif found is not None:
        click.echo("\n" + _("Register it: login name → System Settings → System Operation → License."))
        click.echo(f"\n{found.text}")
    click.echo("")


def _is_registered(license_: License) -> bool:
    book = license_book(current_state().license_revision)
    return any(record.fingerprint == license_.fingerprint for record in book.records)
