"""``flask license``: the vendor makes keys, offline; the administrator registers them, as on the License screen."""

import os
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from flask import current_app
from flask.cli import AppGroup
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError

from app import clock
from app.cli import license_text
from app.cli.application import with_application
from app.cli.files import SECRET, SHARED, make_folder, unusable, write_new
from app.cli.output import answers_refusals, json_option, print_json, print_rows, refusal_texts, refuse
from app.cli.parameters import date_option, is_interactive, key_argument, read_key, zone_option
from app.config import DEFAULT_ISSUER, PREFIX, Settings
from app.license import issuing, service
from app.license.document import (
    CUSTOMER_LIMIT,
    GRACE_DAYS_LIMIT,
    LIST_LIMIT,
    SEATS_LIMIT,
    SLUG_LIMIT,
    License,
    Verifier,
)
from app.license.reasons import LicenseError
from app.license.signature import TrustedKey, load_trusted_keys
from app.refusal import Reason, Refusal
from app.settings.state import current_state
from app.translation import N_

PASSPHRASE_VARIABLE = "LICENSE_SIGNING_PASSPHRASE"  # noqa: S105 - the name of a variable; its value is the secret
"""Not a setting of the application, so without its prefix: only the vendor has it."""
CONFIRMATION_NEEDED = Reason(
    "confirmation_needed",
    N_("Registering this license key takes something away, or it starts later, so it is not registered without a yes."),
    N_("Read what changes; then repeat the command with --yes."),
)
PASSPHRASE_MISSING = Reason(
    "passphrase_missing",
    N_("A passphrase is needed, and there is no terminal to ask at."),
    N_("Run the command at a terminal, or put the passphrase into the variable LICENSE_SIGNING_PASSPHRASE."),
)

_SLUG = f"a name of small letters and digits, joined by single dots, hyphens or underscores, {SLUG_LIMIT} at most"
_DAY = "a day from 1970 to 9998"

license_group = AppGroup("license", help="Make, issue, inspect and register license keys.")

_issuer_option = click.option(
    "--issuer",
    envvar=f"{PREFIX}LICENSE_ISSUER",
    default=DEFAULT_ISSUER,
    show_default=True,
    help="The vendor, `iss` of the key.",
)


# The vendor's side: no database, no secret key, no application --------------------------------------------------------


@license_group.command("keygen", with_appcontext=False)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", required=True, help="Folder.")
@click.option("--kid", required=True, help="Name of the signing key, for good; such as vendor-2027.")
@click.option(
    "--passphrase",
    "encrypted",
    is_flag=True,
    help=f"Encrypt the private key with a passphrase that is asked for, or taken from ${PASSPHRASE_VARIABLE}.",
)
@json_option
@answers_refusals
def keygen(out: Path, kid: str, *, encrypted: bool, as_json: bool) -> None:
    """Make a signing key: KID.private.pem (mode 0600) for you, KID.pem for every installation.

    Nothing is ever overwritten.
    """
    issuing.require_kid(kid)
    private, public = out / f"{kid}.private.pem", out / f"{kid}.pem"
    make_folder(out)
    passphrase = _new_passphrase() if encrypted else None
    pair = issuing.make_key_pair()
    write_new(private, pair.private_pem(passphrase), SECRET)
    try:
        write_new(public, pair.public_pem(), SHARED)
    except Refusal:
        with suppress(OSError):
            private.unlink()  # written a moment ago by this very command
        raise
    if as_json:
        print_json({"kid": kid, "private_key": str(private), "public_key": str(public)})
        return
    print_rows([(_("Private key"), str(private)), (_("Public key"), str(public))])
    click.echo(
        _("Keep the private key offline, and a copy of it. The public key goes into every installation's keys folder.")
    )


@license_group.command("issue", with_appcontext=False)
@click.option(
    "--private-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    required=True,
    help="KID.private.pem, as keygen made it.",
)
@click.option("--kid", required=True, help="Name of the signing key.")
@click.option("--customer", required=True, help="Whom the license is for, 1 to 200 characters.")
@click.option("--edition", required=True, help="Name of the licensed edition, such as standard.")
@click.option("--seats", type=int, required=True, help="Number of users, 1 to 1,000,000.")
@date_option("--expires", help="License Expiration Date: the last day on which it holds.")
@click.option("--perpetual", is_flag=True, help="The license never expires; instead of --expires.")
@date_option("--maintenance-until", required=True, help="Maintenance Expiration Date: the last day likewise.")
@date_option("--starts", help="First day.  [default: today]")
@zone_option(default="UTC", show_default=True, help="Where those days begin and end.")
@click.option("--feature", "features", multiple=True, help="Add-on feature besides the edition's; repeatable.")
@click.option("--installation", help="Id of the only installation that it holds on.")
@click.option("--trial", is_flag=True, help="Shown as a trial.")
@click.option("--grace-days", type=int, default=0, help="Days after the end on which everything goes on, 0 to 60.")
@click.option("--supersedes", multiple=True, metavar="JTI", help="License number that no longer holds; repeatable.")
@_issuer_option
@json_option
@answers_refusals
def issue(
    *,
    private_key: Path,
    kid: str,
    customer: str,
    edition: str,
    seats: int,
    expires: date | None,
    maintenance_until: date,
    starts: date | None,
    zone: ZoneInfo,
    features: tuple[str, ...],
    installation: str | None,
    grace_days: int,
    supersedes: tuple[str, ...],
    issuer: str,
    perpetual: bool,
    trial: bool,
    as_json: bool,
) -> None:
    """Print a license key, and nothing else. It is checked exactly as the installation will check it."""
    if perpetual == (expires is not None):
        raise click.UsageError("Say either --expires or --perpetual.")
    now = datetime.now(UTC)
    _require_encodable(("--customer", customer), ("--issuer", issuer))
    request = issuing.IssueRequest(
        customer=customer,
        edition=edition,
        seats=seats,
        starts=_start_of_day(starts or now.astimezone(zone).date(), zone),
        expires=None if expires is None else issuing.end_of_day(expires, zone),
        maintenance_expires=issuing.end_of_day(maintenance_until, zone),
        features=features,
        installation=installation,
        trial=trial,
        grace_days=grace_days,
        supersedes=supersedes,
        issuer=issuer,
    )
    _require_permitted(request, kid, now)
    for warning in license_text.issue_warnings(request, now, zone):
        click.echo(warning, err=True)
    signing_key = _signing_key(private_key)
    text = issuing.issue(request, signing_key, kid, now)
    if as_json:
        trusted = {kid: TrustedKey(kid, "RS256", signing_key.public_key())}
        license_ = Verifier(trusted, issuer, allow_evaluation_keys=True).verify(text, now)
        print_json({"license_key": text, **license_text.whole_license_object(license_, zone)})
    else:
        click.echo(text)


_PERMITTED = {
    "sub": ("--customer", f"1 to {CUSTOMER_LIMIT} characters, none of them a control character"),
    "edition": ("--edition", _SLUG),
    "seats": ("--seats", f"a number from 1 to {SEATS_LIMIT:,}"),
    "exp": ("--expires", f"{_DAY}, and not before the first day"),
    "maintenance_exp": ("--maintenance-until", _DAY),
    "nbf": ("--starts", _DAY),
    "features": ("--feature", f"{_SLUG}; at most {LIST_LIMIT}, none of them twice"),
    "installation": ("--installation", "an installation id, as the License screen shows it"),
    "grace_days": ("--grace-days", f"a number from 0 to {GRACE_DAYS_LIMIT}"),
    "supersedes": ("--supersedes", f"a license number, as inspect shows it; at most {LIST_LIMIT}, none of them twice"),
}
"""For each claim the option that fills it, and what is permitted there."""


def _require_permitted(request: issuing.IssueRequest, kid: str, now: datetime) -> None:
    """End as wrong usage, with the option and what it takes, where the key would be refused when it is registered."""
    try:
        issuing.require_kid(kid)
    except Refusal as refusal:
        raise click.BadParameter(f"{kid!r}: {refusal.reason.remedy}", param_hint="'--kid'") from refusal
    try:
        issuing.check(request, now)
    except LicenseError as error:
        if error.claim not in _PERMITTED:
            raise
        option, permitted = _PERMITTED[error.claim]
        raise click.BadParameter(f"It takes {permitted}.", param_hint=f"'{option}'") from error


def _require_encodable(*options: tuple[str, str]) -> None:
    """End as wrong usage where bytes were typed that are no text in the terminal's encoding."""
    for option, text in options:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise click.BadParameter("It takes text in UTF-8.", param_hint=f"'{option}'") from error


@license_group.command("inspect", with_appcontext=False)
@key_argument
@click.option(
    "--public-key",
    type=click.Path(exists=True, path_type=Path),
    metavar="FILE",
    help="Verify with this KID.pem, or with a folder of them, instead of the keys of this installation.",
)
@zone_option(help="Zone of the dates.  [default: the installation's, else UTC]")
@_issuer_option
@json_option
@click.pass_context
@answers_refusals
def inspect(
    context: click.Context,
    license_key: str | None,
    public_key: Path | None,
    zone: ZoneInfo | None,
    issuer: str,
    *,
    as_json: bool,
) -> None:
    """Verify a license key and explain it; register nothing. KEY is the key; with - or none, standard input has it."""
    if public_key is not None:
        verifier = Verifier(_public_keys(public_key), issuer, allow_evaluation_keys=True)
        license_ = verifier.verify(read_key(license_key), clock.now())
        _explain(license_, zone or ZoneInfo("UTC"), {}, as_json=as_json)
    else:
        context.invoke(_inspect_here, license_key, zone, as_json=as_json)


@with_application
@answers_refusals
def _inspect_here(license_key: str | None, zone: ZoneInfo | None, *, as_json: bool) -> None:
    """Verify with the keys of this installation, and say what registering would do where its database answers."""
    text = read_key(license_key)
    license_ = service.verify(text)
    effect: dict[str, object] = {}
    with suppress(SQLAlchemyError):
        zone = zone or current_state().time_zone
        effect = _effect_of_registering(text, zone)
    settings: Settings = current_app.extensions["settings"]
    _explain(license_, zone or settings.time_zone or ZoneInfo("UTC"), effect, as_json=as_json)


def _effect_of_registering(text: str, zone: ZoneInfo) -> dict[str, object]:
    try:
        return {"accepted": True, **license_text.preview_object(service.check(text), zone)}
    except LicenseError as error:
        texts = refusal_texts(error)
        return {"accepted": False, "code": texts.code, "message": texts.message, "remedy": texts.remedy}


def _explain(license_: License, zone: ZoneInfo, effect: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        registering = {"registering": effect} if effect else {}
        print_json({**license_text.whole_license_object(license_, zone), **registering})
        return
    click.echo(_("The license key is genuine."))
    print_rows(license_text.license_rows(license_, clock.now(), zone))
    if not effect:
        return
    if not effect["accepted"]:
        click.echo(_("This installation would refuse it: %(why)s", why=f"{effect['message']} [{effect['code']}]"))
    elif effect["needs_confirmation"]:
        click.echo(_("This installation would ask for a confirmation before it registers it."))
    else:
        click.echo(_("This installation would register it at once."))


def _signing_key(path: Path) -> RSAPrivateKey:
    try:
        pem = path.read_bytes()
    except OSError as error:
        raise unusable(path, error) from error
    return issuing.load_private_key(pem, _passphrase() if b"ENCRYPTED" in pem else None)


def _passphrase(*, confirmed: bool = False) -> bytes:
    given = os.environ.get(PASSPHRASE_VARIABLE)
    if given:
        return given.encode("utf-8", "surrogateescape")
    if not is_interactive():
        raise Refusal(PASSPHRASE_MISSING)
    # On standard error, so that the key can be redirected into a file.
    typed: str = click.prompt(_("Passphrase"), hide_input=True, confirmation_prompt=confirmed, err=True)
    return typed.encode()


def _new_passphrase() -> bytes:
    return _passphrase(confirmed=True)


def _public_keys(path: Path) -> dict[str, TrustedKey]:
    """The keys of a folder, or the one of a file, which is named after its ``kid``."""
    trusted = load_trusted_keys(path if path.is_dir() else path.parent)
    if path.is_dir():
        return dict(trusted.keys)
    problem = dict(trusted.problems).get(path.name)
    if problem is not None or path.stem not in trusted.keys:
        raise click.BadParameter(problem or "The file must be named KID.pem.", param_hint="--public-key")
    return {path.stem: trusted.keys[path.stem]}


def _start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of ``day`` in ``zone``: where the day before it ends."""
    if day == date.min:
        return datetime.min.replace(tzinfo=UTC)
    return issuing.end_of_day(day - timedelta(days=1), zone)


# The installation's side ----------------------------------------------------------------------------------------------


@license_group.command("register", with_appcontext=False)
@key_argument
@click.option("--yes", is_flag=True, help="Register it whatever it changes, without asking.")
@json_option
@with_application
@answers_refusals
def register(license_key: str | None, *, yes: bool, as_json: bool) -> None:
    """Register a license key, as the License screen does. KEY is the key; with - or none, standard input has it."""
    text = read_key(license_key)
    confirmed: str | None = None
    while True:
        try:
            outcome = service.register(text, confirmed=confirmed, assume_yes=yes)
            break
        except service.ConfirmationNeeded as needed:
            confirmed = _ask(needed, as_json=as_json)
    state = current_state()
    if as_json:
        print_json(license_text.standing_object(outcome.standing, state.identifier, state.time_zone))
        return
    click.echo(_("License %(number)s is registered.", number=outcome.license.number))
    print_rows(license_text.standing_rows(outcome.standing, state.identifier, clock.now(), state.time_zone))


def _ask(needed: service.ConfirmationNeeded, *, as_json: bool) -> str:
    """Show what would change and return the digest of it where the person says yes; else end."""
    zone = current_state().time_zone
    if as_json:
        texts = refusal_texts(Refusal(CONFIRMATION_NEEDED))
        answer = {"code": texts.code, "message": texts.message, "remedy": texts.remedy}
        print_json({**answer, "preview": license_text.preview_object(needed.preview, zone)})
        raise SystemExit(1)
    click.echo(_("What changes:"), err=True)
    print_rows(license_text.preview_rows(needed.preview, zone), err=True)
    impact = license_text.impact(needed.preview)
    if impact:
        click.echo(impact, err=True)
    if not is_interactive():
        refuse(Refusal(CONFIRMATION_NEEDED), as_json=False)
    click.confirm(_("Register it all the same?"), abort=True, err=True)
    return needed.preview.digest


@license_group.command("status", with_appcontext=False)
@json_option
@with_application
def status(*, as_json: bool) -> None:
    """Print the standing of this installation, its seats and the license in force."""
    state = current_state()
    standing = service.current_standing()
    if as_json:
        print_json(license_text.standing_object(standing, state.identifier, state.time_zone))
    else:
        print_rows(license_text.standing_rows(standing, state.identifier, clock.now(), state.time_zone))
