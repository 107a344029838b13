"""Registered licenses: read, verified and kept per process under their revision; registered in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog
from flask import Flask, current_app, g
from sqlalchemy import select

from app import clock
from app.audit import COMMAND_LINE, Event, record, record_refusal
from app.auth.acting import administrator_transaction
from app.auth.census import count_system_administrators
from app.config import Settings
from app.database import read_connection
from app.editions import registry
from app.events import LicenseRegistered, announce
from app.license import policy, preview
from app.license.document import License, Verifier
from app.license.key import clean, fingerprint
from app.license.models import RegisteredLicense
from app.license.policy import Record, Standing
from app.license.preview import Preview
from app.license.reasons import LicenseError
from app.license.signature import TrustedKeys, load_trusted_keys
from app.settings.models import INSTALLATION_ROW, Installation
from app.settings.state import InstallationState, current_state, read_state

_log = structlog.get_logger("timetracker.license")


@dataclass(frozen=True, slots=True)
class LicenseBook:
    """All registered licenses, verified, with the revision they were read at: one snapshot, published whole."""

    revision: int
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Registrant:
    """Who registered a license and when, for the list on the screen."""

    registered_by: str
    registered_at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What registering did: the standing that follows from it, and the license that was registered."""

    license: License
    standing: Standing


class ConfirmationNeeded(Exception):  # noqa: N818 - not an error: a question
    """The key would make something worse, or what was confirmed has changed; ``preview`` says what."""

    def __init__(self, preview: Preview) -> None:
        super().__init__(preview.digest)
        self.preview = preview


@dataclass(slots=True)
class _Published:
    """The process's current book; the reference is swapped, what it points to never changes."""

    book: LicenseBook | None = None


def configure_licenses(app: Flask, settings: Settings) -> None:
    """Load the vendor's public keys; they are read once, so a changed folder takes effect at a full restart."""
    trusted = load_trusted_keys(settings.license_public_keys)
    # Commands work before there is an installation; flask doctor and /readyz say that keys are missing.
    tell = _log.warning if settings.license_public_keys.is_dir() else _log.info
    for file_name, problem in trusted.problems:
        tell("public key left out", file=file_name, problem=problem)
    app.extensions["trusted_keys"] = trusted
    app.extensions["license_verifier"] = Verifier(
        keys=trusted.keys,
        issuer=settings.license_issuer,
        allow_evaluation_keys=settings.allow_evaluation_keys,
    )
    app.extensions["license_book"] = _Published()


def trusted_keys() -> TrustedKeys:
    """The public keys that this process verifies with, and the files that it could not use."""
    trusted: TrustedKeys = current_app.extensions["trusted_keys"]
    return trusted


def license_book(revision: int) -> LicenseBook:
    """The book of ``revision`` or later: the published one, else read anew, verified and published."""
    published: _Published = current_app.extensions["license_book"]
    book = published.book
    if book is None or book.revision != revision:
        book = _read_book()
        published.book = book
    return book


_BOOK = (
    select(
        Installation.license_revision,
        RegisteredLicense.id,
        RegisteredLicense.number,
        RegisteredLicense.fingerprint,
        RegisteredLicense.key_text,
        RegisteredLicense.registered_at,
    )
    .select_from(Installation)
    .outerjoin(RegisteredLicense, Installation.id == INSTALLATION_ROW)
    .where(Installation.id == INSTALLATION_ROW)
    .order_by(RegisteredLicense.id)
)
"""Revision and texts in one statement, so that no change can come between them."""


def _read_book() -> LicenseBook:
    with read_connection() as connection:
        rows = connection.execute(_BOOK).all()
    records = tuple(
        _verified_record(row.id, row.number, row.fingerprint, row.key_text, row.registered_at)
        for row in rows
        if row.id is not None
    )
    return LicenseBook(rows[0].license_revision, records)


def _verified_record(row_id: int, number: str, fingerprint_: str, key_text: str, registered_at: datetime) -> Record:
    """Verify a stored key as of its registration: that a clock was set back since then withdraws no license."""
    license_: License | None = None
    code: str | None = None
    try:
        license_ = _verifier().verify(key_text, registered_at)
    except LicenseError as error:
        code = error.code
        _log.warning("registered license does not verify", fingerprint=fingerprint_, code=code)
    return Record(
        id=row_id,
        number=number,
        fingerprint=fingerprint_,
        license=license_,
        code=code,
        registered_at=registered_at,
    )


def _verifier() -> Verifier:
    verifier: Verifier = current_app.extensions["license_verifier"]
    return verifier


def standing_of(state: InstallationState, now: datetime) -> Standing:
    """The standing of the installation as ``state`` shows it, at ``now``."""
    return policy.evaluate(
        license_book(state.license_revision).records,
        installation=state.identifier,
        registered_users=state.registered_users,
        now=now,
    )


def current_standing() -> Standing:
    """The standing of this request: computed once from its instant and its one snapshot."""
    if "standing" not in g:
        g.standing = standing_of(current_state(), clock.now())
    standing: Standing = g.standing
    return standing


def registrants() -> Mapping[int, Registrant]:
    """Who registered each license and when, by the id of its record."""
    query = select(RegisteredLicense.id, RegisteredLicense.registered_by, RegisteredLicense.registered_at)
    with read_connection() as connection:
        return {row.id: Registrant(row.registered_by, row.registered_at) for row in connection.execute(query)}


def check(key_text: str) -> Preview:
    """Verify a key and say what registering it would change; nothing is stored.

    Raises:
        LicenseError: the key is refused.
    """
    now = clock.now()
    license_ = _verifier().verify(key_text, now)
    return _preview(license_, read_state(), now, count_system_administrators())


def verify(key_text: str) -> License:
    """Verify a key and read what it grants, for ``flask license inspect``.

    Raises:
        LicenseError: the key is refused.
    """
    return _verifier().verify(key_text, clock.now())


def is_genuine(key_text: str) -> bool:
    """Whether the text is a license key that verifies, be it of use here or not."""
    try:
        verify(key_text)
    except LicenseError:
        return False
    return True


def _preview(license_: License, state: InstallationState, now: datetime, administrators: int) -> Preview:
    records = license_book(state.license_revision).records
    policy.admit(license_, records, installation=state.identifier, now=now)
    return preview.build(
        license_,
        records,
        installation=state.identifier,
        registered_users=state.registered_users,
        system_administrators=administrators,
        now=now,
        features_of=registry.features_of_edition,
        known_editions=registry.known_editions(),
    )


def register(key_text: str, *, confirmed: str | None = None, assume_yes: bool = False) -> Outcome:
    """Register a license key: all of it or nothing, one administrator after another.

    Args:
        key_text: as it was pasted.
        confirmed: digest of the preview that was confirmed, None where none was shown.
        assume_yes: take every preview as confirmed (``flask license register --yes``).

    Raises:
        LicenseError: the key is refused; the license in force is untouched.
        ConfirmationNeeded: something gets worse and was not confirmed as it now is.
    """
    try:
        license_ = _verifier().verify(key_text, clock.now())
        _register(license_, clean(key_text), confirmed=confirmed, assume_yes=assume_yes)
    except LicenseError as error:
        target = fingerprint(clean(key_text)) if key_text.strip() else ""
        record_refusal(Event("license.register", target=target), error.code)
        raise
    return Outcome(license_, current_standing())


def _register(license_: License, text: str, *, confirmed: str | None, assume_yes: bool) -> None:
    now = clock.now()
    with administrator_transaction() as (session, _):
        # Behind the lock, so that two administrators at once see each other's license, one after the other.
        state = read_state()
        shown = _preview(license_, state, now, count_system_administrators(session))
        if shown.needs_confirmation and not assume_yes and confirmed != shown.digest:
            raise ConfirmationNeeded(shown)
        event = Event(
            "license.register",
            target=license_.fingerprint,
            before=summary(shown.old.license),
            after=summary(license_),
        )
        record(session, event)
        session.add(
            RegisteredLicense(
                number=license_.number,
                fingerprint=license_.fingerprint,
                key_text=text,
                registered_at=now,
                registered_by=_registrar(),
            )
        )
        announce(session, LicenseRegistered(license_.number, license_.edition))


def _registrar() -> str:
    identity = g.get("identity")
    return identity.login if identity is not None else COMMAND_LINE


def summary(license_: License | None) -> dict[str, object] | None:
    """What a license grants, for the audit log; never its text."""
    if license_ is None:
        return None
    return {
        "number": license_.number,
        "fingerprint": license_.fingerprint,
        "edition": license_.edition,
        "seats": license_.seats,
        "features": list(license_.features),
        "starts": license_.starts.isoformat(),
        "license_expires": license_.expires.isoformat() if license_.expires else None,
        "maintenance_expires": license_.maintenance_expires.isoformat(),
    }
