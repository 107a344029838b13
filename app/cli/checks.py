"""What ``flask doctor`` looks at, one function a check; each says what it found and what to do about it."""

import stat
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from flask import current_app
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from app.audit import AuditEntry
from app.auth.models import User
from app.config import CONFIG_FILE, Settings
from app.database import expected_triggers, read_connection
from app.editions import service as editions
from app.editions import upkeep
from app.editions.discovery import EditionState
from app.editions.reasons import NEEDS_MIGRATION
from app.editions.switches import read_switches
from app.license.document import days_left
from app.license.models import RegisteredLicense, SeatCount
from app.license.policy import Standing, StandingKind
from app.license.reasons import REASONS, LicenseError
from app.license.service import current_standing, trusted_keys
from app.refusal import Refusal
from app.schema import NewerSchemaError, pending_revisions
from app.settings.models import INSTALLATION_ROW
from app.settings.state import current_state
from app.texts import code_texts, sentences

CLOCK_TOLERANCE = timedelta(minutes=5)
RELEASED = datetime(2026, 11, 1, tzinfo=UTC)
"""This version did not exist before: a clock that says otherwise is wrong."""
_SET_SEATS = "UPDATE seat_count SET registered_users = %d"
_OTHERS_MAY_READ = stat.S_IRWXG | stat.S_IRWXO


class State(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; texts are translated."""

    check: str
    state: State
    text: str
    remedy: str = ""
    code: str = ""
    """Code of the reason, where it is one that the screens show too."""


Check = Callable[[], Finding]


def _ok(check: str, text_: str) -> Finding:
    return Finding(check, State.OK, text_)


def check_secret_key() -> Finding:
    """There is a secret key, and others on this machine cannot read it."""
    settings: Settings = current_app.extensions["settings"]
    if settings.secret_key is None:
        return Finding(
            "secret_key",
            State.FAIL,
            _("There is no SECRET_KEY, so serving is refused."),
            _("Start the application: it says how to make one."),
        )
    path = settings.instance_path / CONFIG_FILE
    if path.is_file() and path.stat().st_mode & _OTHERS_MAY_READ:
        remedy = _("Run: %(command)s", command=f"chmod 600 {path}")
        return Finding("secret_key", State.WARN, _("%(file)s can be read by other users.", file=str(path)), remedy)
    return _ok("secret_key", _("A secret key is set."))


def check_database() -> Finding:
    """The database answers and, on SQLite, its file is sound."""
    with read_connection() as connection:
        name = connection.dialect.name
        if name == "sqlite":
            problems = connection.execute(text("PRAGMA quick_check(3)")).scalars().all()
            if problems != ["ok"]:
                return Finding(
                    "database",
                    State.FAIL,
                    _("The database file is damaged: %(problem)s", problem="; ".join(map(str, problems))),
                    _("Stop the application, keep a copy of the file, and restore the latest backup."),
                )
        version = ".".join(str(part) for part in connection.dialect.server_version_info or ())
    return _ok("database", _("%(engine)s %(version)s answers.", engine=name, version=version))


def check_migrations() -> Finding:
    """The tables are those of this version."""
    try:
        pending = pending_revisions()
    except NewerSchemaError:
        return Finding(
            "migrations",
            State.FAIL,
            _("The database was migrated by a newer version of the product."),
            _("Install that version again, or restore the backup from before its upgrade."),
        )
    if pending:
        count = ngettext("%(num)s migration is pending.", "%(num)s migrations are pending.", len(pending))
        return Finding("migrations", State.FAIL, count, _("Run: %(command)s", command="flask db upgrade"))
    return _ok("migrations", _("All migrations are done."))


def check_edition_migrations() -> Finding:
    """The tables of every loaded edition are those of its package; while they are not, that edition alone is locked."""
    locked, differing = [], []
    for checked in upkeep.check_editions():
        if checked.refusal is not None or checked.pending:
            locked.append((checked.edition, checked.refusal or Refusal(NEEDS_MIGRATION)))
        elif checked.differences:
            differing.append(checked.edition)
    if locked:
        texts = code_texts(locked[0][1])
        names = ", ".join(f"{name} ({refusal.code})" for name, refusal in locked)
        return Finding("edition_migrations", State.WARN, _("Locked: %(names)s.", names=names), texts.remedy, texts.code)
    if differing:
        found = _("The tables are not what the models say: %(names)s.", names=", ".join(differing))
        remedy = _("Look at: %(command)s", command="flask db check")
        return Finding("edition_migrations", State.WARN, found, remedy)
    return _ok("edition_migrations", _("The tables of all editions are migrated."))


def check_foreign_keys() -> Finding:
    """No row points to one that does not exist."""
    with read_connection() as connection:
        if connection.dialect.name == "sqlite":
            broken = len(connection.execute(text("PRAGMA foreign_key_check")).all())
        else:
            query = text("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND NOT convalidated")
            broken = connection.execute(query).scalar_one()
    if broken:
        found = ngettext("%(num)s broken reference.", "%(num)s broken references.", broken)
        return Finding("foreign_keys", State.FAIL, found, _("Restore the latest backup, or ask for support."))
    return _ok("foreign_keys", _("Every reference leads somewhere."))


def check_triggers() -> Finding:
    """The database counts seats and guards the audit log by itself."""
    with read_connection() as connection:
        missing = sorted(expected_triggers(connection.dialect.name) - _triggers(connection))
    if missing:
        found = _("Triggers are missing: %(names)s.", names=", ".join(missing))
        return Finding("triggers", State.FAIL, found, _("Restore the latest backup, or ask for support."))
    return _ok("triggers", _("All triggers are in place."))


def _triggers(connection: Connection) -> set[str]:
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if connection.dialect.name == "sqlite"
        else "SELECT tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
        "JOIN pg_namespace ON pg_namespace.oid = relnamespace "
        "WHERE NOT tgisinternal AND tgenabled <> 'D' AND nspname = current_schema()"
    )
    return set(connection.execute(text(query)).scalars())


def check_seats() -> Finding:
    """The number that is enforced is the number of rows."""
    counted_query = select(func.count()).select_from(User).where(User.deleted_at.is_(None)).scalar_subquery()
    query = select(SeatCount.registered_users, counted_query).where(SeatCount.id == INSTALLATION_ROW)
    with read_connection() as connection:
        kept, counted = connection.execute(query).one()
    if kept != counted:
        return Finding(
            "seats",
            State.FAIL,
            _("The seat count says %(kept)s, but %(counted)s users are registered.", kept=kept, counted=counted),
            _("Run on the database: %(command)s", command=_SET_SEATS % counted),
        )
    return _ok("seats", ngettext("%(num)s registered user, as counted.", "%(num)s registered users, as counted.", kept))


def check_verification_keys() -> Finding:
    """Public keys are loaded, and every file in their folder is one."""
    trusted = trusted_keys()
    settings: Settings = current_app.extensions["settings"]
    problems = "; ".join(f"{file}: {_(problem)}" for file, problem in trusted.problems)
    if not trusted.keys:
        return Finding(
            "verification_keys",
            State.FAIL,
            " ".join(filter(None, (_("No verification key is loaded."), problems))),
            _("Put the vendor's KID.pem into %(folder)s and restart fully.", folder=str(settings.license_public_keys)),
        )
    loaded = _("Loaded: %(names)s.", names=", ".join(sorted(trusted.keys)))
    if problems:
        remedy = _("Repair or remove these files, then restart fully.")
        return Finding("verification_keys", State.WARN, f"{loaded} {problems}", remedy)
    return _ok("verification_keys", loaded)


def check_evaluation() -> Finding:
    """Evaluation keys are not for real use."""
    settings: Settings = current_app.extensions["settings"]
    if settings.allow_evaluation_keys:
        return Finding(
            "evaluation",
            State.WARN,
            _("Evaluation keys are accepted."),
            _("Turn off ALLOW_EVALUATION_KEYS before real use."),
        )
    return _ok("evaluation", _("Evaluation keys are refused."))


def check_standing() -> Finding:
    """Members can work, and will be able to for a while."""
    standing = current_standing()
    if standing.code is not None:
        state = State.FAIL if standing.kind is StandingKind.UNVERIFIABLE else State.WARN
        texts = code_texts(LicenseError(standing.code))
        return Finding("standing", state, sentences(texts.message, texts.detail), texts.remedy, texts.code)
    return _standing_ahead(standing) or _ok("standing", _("Members can work."))


def _standing_ahead(standing: Standing) -> Finding | None:
    license_, now, zone = standing.license, datetime.now(UTC), current_state().time_zone
    if license_ is None:
        return None
    expired = REASONS["license_expired"]
    renew = _(expired.remedy)
    if standing.kind is StandingKind.GRACE:
        return Finding(
            "standing", State.WARN, _("The license has expired; everything works until its grace ends."), renew
        )
    if license_.expires is not None and standing.next is None and license_.ends_soon(license_.expires, now, zone):
        left = days_left(license_.expires, now, zone)
        soon = ngettext("The license expires in %(num)s day.", "The license expires in %(num)s days.", left)
        return Finding("standing", State.WARN, soon, renew)
    if license_.maintenance_expires <= now:
        texts = code_texts(LicenseError("maintenance_expired"))
        return Finding("standing", State.WARN, sentences(texts.message, texts.detail), texts.remedy, texts.code)
    return None


def check_clock() -> Finding:
    """The clock is not behind what has happened already: license dates go by it."""
    now = datetime.now(UTC)
    with read_connection() as connection:
        instants = connection.execute(
            select(
                select(func.max(AuditEntry.at)).scalar_subquery(),
                select(func.max(RegisteredLicense.registered_at)).scalar_subquery(),
            )
        ).one()
    latest = max([RELEASED, *(instant for instant in instants if instant is not None)])
    shown = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if now + CLOCK_TOLERANCE < latest:
        return Finding(
            "clock",
            State.FAIL,
            _(
                "It is %(now)s by this clock, but something has happened at %(latest)s.",
                now=shown,
                latest=f"{latest:%Y-%m-%d %H:%M} UTC",
            ),
            _("Correct the date and time of this server, and let it follow a time server."),
        )
    return _ok("clock", _("It is %(now)s.", now=shown))


def check_editions() -> Finding:
    """Every installed edition loads, and the licensed one is among them."""
    seen = editions.overview(current_standing(), read_switches())
    remedy = _("Look at: %(command)s", command="flask edition list")
    unsound = [
        entry.found
        for entry in seen.entries
        if entry.found.state is not EditionState.NEEDS_MIGRATION and (entry.found.refusal or entry.found.warnings)
    ]
    if seen.licensed_edition is not None and not seen.licensed_is_loaded:
        texts = code_texts(LicenseError("edition_unknown"))
        return Finding("editions", State.WARN, f"{texts.message} {texts.detail}", texts.remedy, texts.code)
    if unsound:
        names = ", ".join(f"{found.name} ({found.state})" for found in unsound)
        return Finding("editions", State.WARN, _("To be looked after: %(names)s.", names=names), remedy)
    return _ok(
        "editions", _("Loaded: %(names)s.", names=", ".join(entry.found.name for entry in seen.entries) or _("none"))
    )


CHECKS: tuple[tuple[str, Check], ...] = (
    ("secret_key", check_secret_key),
    ("database", check_database),
    ("migrations", check_migrations),
    ("edition_migrations", check_edition_migrations),
    ("foreign_keys", check_foreign_keys),
    ("triggers", check_triggers),
    ("seats", check_seats),
    ("verification_keys", check_verification_keys),
    ("evaluation", check_evaluation),
    ("standing", check_standing),
    ("clock", check_clock),
    ("editions", check_editions),
)


def examine() -> Iterator[Finding]:
    """Run every check; one that the database breaks is a finding itself, and the others go on."""
    failed: set[str] = set()
    for name, check in CHECKS:
        try:
            finding = check()
        except SQLAlchemyError as error:
            finding = _unanswered(name, error, failed)
        except Exception as error:  # noqa: BLE001 - a doctor that breaks off helps nobody
            text_ = f"{type(error).__name__}: {error}"
            finding = Finding(name, State.FAIL, text_, _("Ask for support with this text."))
        if finding.state is State.FAIL:
            failed.add(name)
        yield finding


def _unanswered(name: str, error: SQLAlchemyError, failed: Collection[str]) -> Finding:
    """Say what the database did not answer, with the remedy of the check that has told the cause."""
    if "database" in failed:
        return Finding(name, State.FAIL, _("Not examined, for want of the database."), _("Repair the database first."))
    cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    found = _("The database does not answer this: %(error)s", error=cause)
    if "migrations" in failed:
        return Finding(name, State.FAIL, found, _("Run: %(command)s", command="flask db upgrade"))
    if name == "database":
        return Finding(
            name, State.FAIL, found, _("Is DATABASE_URL right? Does the server run, is the file's folder there?")
        )
    return Finding(name, State.FAIL, found, _("Ask for support with this text."))
