"""Fills the License screen: what the domain says, in the reader's words and the installation's zone."""

from collections.abc import Iterable
from datetime import datetime

from flask import url_for
from flask_babel import format_date, format_decimal, gettext, ngettext

from app import clock
from app.auth.census import count_system_administrators, count_unseen_users
from app.editions import registry
from app.license import policy, service
from app.license.document import License, days_left, last_day
from app.license.policy import Record, RecordState, Standing, StandingKind
from app.license.reasons import REASONS
from app.license.screen import (
    Badge,
    Banner,
    DateFigure,
    InstallationCard,
    LicenseCard,
    LicenseScreen,
    NoteKind,
    Particular,
    RegisteredRow,
    SeatFigures,
    Way,
    WaysOut,
)
from app.license.service import Outcome, Registrant
from app.settings.state import current_state
from app.texts import actor_name, license_date, listed, sentences, starting_date
from app.translation import N_

UNSEEN_DAYS = 90

_STANDING_BADGES = {
    StandingKind.ACTIVE: Badge(N_("Active"), "ok"),
    StandingKind.GRACE: Badge(N_("Grace"), "warn"),
    StandingKind.SEATS_EXCEEDED: Badge(N_("Seats exceeded"), "danger"),
    StandingKind.EXPIRED: Badge(N_("Expired"), "danger"),
    StandingKind.NOT_STARTED: Badge(N_("Not started"), "danger"),
    StandingKind.UNLICENSED: Badge(N_("Unlicensed"), "danger"),
    StandingKind.WRONG_INSTALLATION: Badge(N_("Wrong installation"), "danger"),
    StandingKind.UNVERIFIABLE: Badge(N_("Unverifiable"), "danger"),
}
_STATE_BADGES = {
    RecordState.IN_FORCE: Badge(N_("In force"), "ok"),
    RecordState.IN_GRACE: Badge(N_("In grace"), "warn"),
    RecordState.SCHEDULED: Badge(N_("Scheduled"), "accent"),
    RecordState.SUPERSEDED: Badge(N_("Superseded")),
    RecordState.WITHDRAWN: Badge(N_("Withdrawn")),
    RecordState.ENDED: Badge(N_("Ended")),
    RecordState.WRONG_INSTALLATION: Badge(N_("Wrong installation"), "warn"),
    RecordState.UNVERIFIABLE: Badge(N_("Unverifiable"), "danger"),
}


def grouped(fingerprint: str) -> str:
    """A fingerprint in groups of four: ``9f2c 41d8 07ae``."""
    return " ".join(fingerprint[start : start + 4] for start in range(0, len(fingerprint), 4))


def _translated(badge: Badge) -> Badge:
    return Badge(gettext(badge.text), badge.kind, badge.plain)


# Seats ------------------------------------------------------------------------------------------------------------


def users_in_use(number: int) -> str:
    """The number in use, which never stands bare: the manual's own label for it is misleading (design 3.3)."""
    return ngettext("%(shown)s user in use", "%(shown)s users in use", number, shown=format_decimal(number))


def seats_left(standing: Standing) -> str:
    """What is free, or what is too much."""
    return seats_or_excess(standing.free, standing.excess)


def seats_or_excess(free: int, excess: int) -> str:
    """How many seats are free, or how many users are too many."""
    if excess:
        return gettext("%(shown)s too many", shown=format_decimal(excess))
    return ngettext("%(shown)s seat free", "%(shown)s seats free", free, shown=format_decimal(free))


def seat_figures(standing: Standing) -> SeatFigures:
    """Active and Remaining of a standing that has a license."""
    return SeatFigures(
        seats=standing.seats,
        used=standing.registered_users,
        active=format_decimal(standing.seats),
        in_use=users_in_use(standing.registered_users),
        rest=seats_left(standing),
        over=standing.excess > 0,
    )


# Dates ------------------------------------------------------------------------------------------------------------


def _iso(instant: datetime) -> str:
    zone = current_state().time_zone
    day = last_day(instant, zone)
    return day.day.isoformat() if day.time is None else instant.astimezone(zone).isoformat()


def _days_note(left: int) -> str:
    if left == 0:
        return gettext("Ends today.")
    return ngettext("%(num)s day left.", "%(num)s days left.", left)


def _expiration(
    license_: License, label: str, instant: datetime | None, after: str, ended: str, now: datetime
) -> DateFigure:
    if instant is None:
        return DateFigure(label, gettext("Never"), note=gettext("This license is perpetual."))
    if instant <= now:
        return DateFigure(label, license_date(instant), _iso(instant), ended, "danger")
    zone = current_state().time_zone
    left = days_left(instant, now, zone)
    kind: NoteKind = "warn" if license_.ends_soon(instant, now, zone) else ""
    return DateFigure(label, license_date(instant), _iso(instant), sentences(_days_note(left), after), kind)


_WEB_STOPS = N_("The web application stops at this time.")
_DESKTOP_STOPS = N_("The desktop application stops at this time.")


def _stops(instant: datetime | None, after_day: str, at_time: str) -> str:
    """What the end means: it comes with the day, unless it is no midnight in the installation's zone."""
    if instant is None or last_day(instant, current_state().time_zone).time is None:
        return after_day
    return gettext(at_time)


def _date_figures(license_: License, now: datetime) -> tuple[DateFigure, ...]:
    figures = (
        _expiration(
            license_,
            gettext("License Expiration Date"),
            license_.expires,
            _stops(license_.expires, gettext("The web application stops after this day."), _WEB_STOPS),
            gettext("The web application has stopped.")
            if license_.is_past_grace(now)
            else gettext("The license has expired; its days of grace are running."),
            now,
        ),
        _expiration(
            license_,
            gettext("Maintenance Expiration Date"),
            license_.maintenance_expires,
            _stops(
                license_.maintenance_expires, gettext("The desktop application stops after this day."), _DESKTOP_STOPS
            ),
            gettext("The desktop application has stopped; the web application goes on."),
            now,
        ),
    )
    if license_.has_started(now):
        return figures
    start = license_.starts
    day = start.astimezone(current_state().time_zone).date()
    return (DateFigure(gettext("Starts"), starting_date(start), day.isoformat()), *figures)


# The screen -------------------------------------------------------------------------------------------------------


def license_screen() -> LicenseScreen:
    """The License screen of this request."""
    standing = service.current_standing()
    state = current_state()
    now = clock.now()
    trusted = listed(sorted(service.trusted_keys().keys))
    return LicenseScreen(
        state=_translated(_STANDING_BADGES[standing.kind]),
        banner=_standing_banner(standing),
        ways_out=_ways_out(standing),
        notices=tuple(_notices(standing, now)),
        license=_license_card(standing, now) if standing.license else None,
        installation=InstallationCard(
            installation=state.identifier,
            time_zone=state.time_zone.key,
            trusted_keys=trusted or gettext("None: no license key can be verified."),
        ),
        registered=_registered_rows(now),
    )


def _members() -> int:
    return max(current_state().registered_users - count_system_administrators(), 0)


def _standing_banner(standing: Standing) -> Banner | None:
    """The sentence that says what the standing means, and for whom."""
    license_ = standing.license
    if standing.kind is StandingKind.ACTIVE:
        return None
    if standing.kind is StandingKind.GRACE and license_ and license_.expires and license_.grace_until:
        left = days_left(license_.grace_until, clock.now(), current_state().time_zone)
        day = license_date(license_.expires)
        title = ngettext(
            "The license expired on %(day)s. %(num)s day of grace is left.",
            "The license expired on %(day)s. %(num)s days of grace are left.",
            left,
            day=day,
        )
        until = license_date(license_.grace_until)
        return Banner("warn", title, gettext("Everything works until %(day)s. Members do not see this.", day=until))
    members = _members()
    if not members:
        return Banner(
            "danger",
            _restricted_title(standing),
            gettext("Until this is resolved, only System Settings can be used."),
            code=standing.code or "",
        )
    consequence = ngettext(
        "%(shown)s member cannot log in, and you see only System Settings.",
        "%(shown)s members cannot log in, and you see only System Settings.",
        members,
        shown=format_decimal(members),
    )
    kept = gettext("Nothing is lost: everyone can work again the moment this is resolved, without a restart.")
    return Banner("danger", _restricted_title(standing), sentences(consequence, kept), code=standing.code or "")


def _restricted_title(standing: Standing) -> str:
    license_ = standing.license
    if standing.kind is StandingKind.SEATS_EXCEEDED:
        return gettext(
            "The number of licenses has been exceeded: %(users)s users are registered, %(seats)s.",
            users=format_decimal(standing.registered_users),
            seats=ngettext(
                "%(shown)s seat is licensed",
                "%(shown)s seats are licensed",
                standing.seats,
                shown=format_decimal(standing.seats),
            ),
        )
    if standing.kind is StandingKind.EXPIRED and license_ and license_.expires:
        return gettext("The license expired on %(day)s.", day=license_date(license_.expires))
    if standing.kind is StandingKind.NOT_STARTED and license_:
        return gettext("The license starts on %(day)s.", day=starting_date(license_.starts))
    reason = REASONS[standing.code or "unverifiable"]
    return gettext(reason.message)


def _ways_out(standing: Standing) -> WaysOut | None:
    if standing.kind is StandingKind.SEATS_EXCEEDED:
        return _ways_out_of_excess(standing)
    if standing.kind is StandingKind.UNLICENSED:
        return _steps_to_a_license()
    if not standing.restricted:
        return None
    reason = REASONS[standing.code or "unverifiable"]
    copied = current_state().identifier if standing.kind is StandingKind.WRONG_INSTALLATION else ""
    return WaysOut(
        gettext("What to do"),
        (
            Way(
                gettext("Register a license key"),
                gettext(reason.remedy),
                gettext("Enter a key"),
                "#license_key",
                icon="key",
                copy_text=copied,
            ),
        ),
    )


def _steps_to_a_license() -> WaysOut:
    return WaysOut(
        gettext("How to get a license key"),
        (
            Way(
                gettext("Ask your vendor"),
                gettext("A key that is to hold on this installation alone is made for its id:"),
                copy_text=current_state().identifier,
            ),
            Way(
                gettext("Paste the key here"),
                gettext("It says for how many users and until when the product may be used."),
            ),
            Way(
                gettext("Add your users"),
                gettext("They can log in from then on."),
            ),
        ),
        steps=True,
    )


def _ways_out_of_excess(standing: Standing) -> WaysOut:
    excess = standing.excess
    unseen = count_unseen_users(UNSEEN_DAYS)
    fingerprint = grouped(standing.license.fingerprint) if standing.license else ""
    delete_title = ngettext("Delete %(shown)s user", "Delete %(shown)s users", excess, shown=format_decimal(excess))
    unseen_text = ngettext(
        "%(shown)s of the %(users)s has not logged in for %(days)s days.",
        "%(shown)s of the %(users)s have not logged in for %(days)s days.",
        unseen,
        shown=format_decimal(unseen),
        users=format_decimal(standing.registered_users),
        days=UNSEEN_DAYS,
    )
    restorable = gettext("A deleted user can be restored.")
    return WaysOut(
        gettext("Two ways to end it"),
        (
            Way(
                delete_title,
                sentences(unseen_text, restorable),
                gettext("Choose users"),
                url_for("users.index"),
                icon="users",
                primary=True,
            ),
            Way(
                gettext(
                    "Register a license for %(users)s seats or more",
                    users=format_decimal(standing.registered_users),
                ),
                gettext(
                    "Ask your vendor for a larger key, naming license %(fingerprint)s.",
                    fingerprint=fingerprint,
                ),
                gettext("Enter a key"),
                "#license_key",
                icon="key",
            ),
        ),
    )


def _notices(standing: Standing, now: datetime) -> Iterable[Banner]:
    """What is worth knowing besides the standing."""
    coming = standing.next
    if coming is not None and standing.kind is not StandingKind.NOT_STARTED:
        yield _takeover_banner(coming, standing.next_at or coming.starts, standing.registered_users)
    license_ = standing.license
    if license_ is None:
        return
    desktop = standing.desktop
    if desktop.code == "maintenance_expired":
        title = gettext("The maintenance period ended on %(day)s.", day=license_date(license_.maintenance_expires))
        reason = REASONS[desktop.code]
        text = sentences(gettext(reason.detail), gettext(reason.remedy))
        yield Banner("warn", title, text, code=desktop.code)
    if license_.edition not in registry.known_editions():
        reason = REASONS["edition_unknown"]
        title = gettext("The licensed edition “%(edition)s” is not installed.", edition=license_.edition)
        text = sentences(gettext(reason.detail), gettext(reason.remedy))
        if registry.is_switched_off(license_.edition):
            title = gettext("The licensed edition “%(edition)s” is switched off.", edition=license_.edition)
            text = sentences(gettext(reason.detail), gettext("Switch it on, then restart fully."))
        label = gettext("Open Editions")
        yield Banner("warn", title, text, reason.code, label, url_for("editions.index"))
    expires = license_.expires
    if standing.restricted or standing.next is not None or expires is None:
        return
    if license_.ends_soon(expires, now, current_state().time_zone):
        title = gettext("The license expires on %(day)s.", day=license_date(expires))
        yield Banner("warn", title, gettext("Ask your vendor for the renewed key and register it before that."))


def _takeover_banner(coming: License, instant: datetime, users: int) -> Banner:
    """Say which license comes next, and whether it is large enough for the users of today."""
    title = gettext("A new license takes over on %(day)s.", day=starting_date(instant))
    if users <= coming.seats:
        return Banner("info", title, gettext("Registered ahead of time; nothing to do."))
    text = gettext(
        "It allows %(seats)s users, and %(users)s are registered: members cannot log in from then on.",
        seats=format_decimal(coming.seats),
        users=format_decimal(users),
    )
    return Banner("warn", title, text)


def _license_card(standing: Standing, now: datetime) -> LicenseCard | None:
    license_ = standing.license
    if license_ is None:
        return None
    badges = []
    if license_.trial:
        badges.append(Badge(gettext("Trial"), "accent", plain=True))
    if license_.evaluation:
        badges.append(Badge(gettext("Evaluation"), "warn", plain=True))
    if license_.edition not in registry.known_editions():
        badges.append(Badge(gettext("Edition missing"), "warn"))
    particulars = [
        Particular(gettext("License number"), license_.number, mono=True),
        Particular(gettext("Fingerprint"), grouped(license_.fingerprint), mono=True),
        Particular(gettext("Starts"), starting_date(license_.starts)),
        Particular(gettext("Add-on features"), feature_names(license_.features) or gettext("None")),
        Particular(gettext("Signed with"), license_.signing_key, mono=True),
        Particular(gettext("Time zone of dates"), current_state().time_zone.key),
    ]
    return LicenseCard(
        edition=registry.title_of_edition(license_.edition),
        customer=license_.customer,
        badges=tuple(badges),
        seats=seat_figures(standing),
        dates=_date_figures(license_, now),
        particulars=tuple(particulars),
    )


def feature_names(features: Iterable[str]) -> str:
    """Titles of features, in one line."""
    titles = registry.feature_titles()
    return listed(titles.get(name, name) for name in features)


def _registered_rows(now: datetime) -> tuple[RegisteredRow, ...]:
    state = current_state()
    records = service.license_book(state.license_revision).records
    states = policy.record_states(records, installation=state.identifier, now=now)
    who = service.registrants()
    return tuple(_registered_row(record, states[record.id], who.get(record.id)) for record in reversed(records))


def _registered_row(record: Record, state: RecordState, registrant: Registrant | None) -> RegisteredRow:
    license_ = record.license
    dash = "–"
    note = ""
    if record.code is not None:
        reason = REASONS["unverifiable"]
        note = f"{gettext(reason.message)} ({record.code})"
    registered = record.registered_at.astimezone(current_state().time_zone).date()
    return RegisteredRow(
        fingerprint=grouped(record.fingerprint),
        number=record.number,
        state=_translated(_STATE_BADGES[state]),
        edition=registry.title_of_edition(license_.edition) if license_ else dash,
        customer=license_.customer if license_ else dash,
        seats=format_decimal(license_.seats) if license_ else dash,
        starts=starting_date(license_.starts, "medium") if license_ else dash,
        license_expires=_end_of(license_, "expires") if license_ else dash,
        maintenance_expires=_end_of(license_, "maintenance_expires") if license_ else dash,
        registered_at=format_date(registered, "medium"),
        registered_by=actor_name(registrant.registered_by) if registrant else "",
        note=note,
    )


def _end_of(license_: License, attribute: str) -> str:
    instant: datetime | None = getattr(license_, attribute)
    return license_date(instant, "medium") if instant else gettext("Never")


def registered_message(outcome: Outcome) -> str:
    """The flash after a registration: what holds now, with the new numbers."""
    standing = outcome.standing
    if standing.license != outcome.license:
        day = starting_date(standing.next_at or outcome.license.starts)
        return gettext("The license is registered. It takes over on %(day)s.", day=day)
    return gettext(
        "The license is registered. %(in_use)s, %(rest)s.",
        in_use=users_in_use(standing.registered_users),
        rest=seats_left(standing),
    )
