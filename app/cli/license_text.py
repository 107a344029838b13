"""A license, a standing and a preview, for terminals and as JSON. Dates are ISO 8601, in the zone that is given."""

import json
from datetime import datetime
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import ngettext, pgettext

from app.license.document import License, days_left, last_day
from app.license.issuing import IssueRequest
from app.license.policy import Standing, StandingKind, Usability
from app.license.preview import Change, Preview
from app.translation import N_

Rows = list[tuple[str, str]]

STANDINGS = {
    StandingKind.ACTIVE: N_("Active"),
    StandingKind.GRACE: N_("Grace"),
    StandingKind.SEATS_EXCEEDED: N_("Number of licenses exceeded"),
    StandingKind.EXPIRED: N_("Expired"),
    StandingKind.NOT_STARTED: N_("Not started"),
    StandingKind.UNLICENSED: N_("Not licensed"),
    StandingKind.WRONG_INSTALLATION: N_("Made for another installation"),
    StandingKind.UNVERIFIABLE: N_("Cannot be verified"),
}
_CHANGES = {
    "edition": N_("Edition"),
    "seats": N_("Seats"),
    "license_expires": N_("License Expiration Date"),
    "maintenance_expires": N_("Maintenance Expiration Date"),
    "features": N_("Add-on features"),
    "starts": N_("Starts"),
}


def iso(instant: datetime | None, zone: ZoneInfo) -> str | None:
    """``instant`` in ISO 8601 with its offset in ``zone``."""
    return None if instant is None else instant.astimezone(zone).isoformat()


def day_of_end(instant: datetime | None, zone: ZoneInfo) -> str:
    """The last day in ``zone`` of what ends at ``instant``, with the time of day where that is not midnight."""
    if instant is None:
        return _("never")
    last = last_day(instant, zone)
    return last.day.isoformat() if last.time is None else f"{last.day.isoformat()} {last.time:%H:%M}"


def day_of_start(instant: datetime, zone: ZoneInfo) -> str:
    """The day in ``zone`` of what starts at ``instant``, likewise."""
    local = instant.astimezone(zone)
    return f"{local:%Y-%m-%d}" if (local.hour, local.minute) == (0, 0) else f"{local:%Y-%m-%d %H:%M}"


def remaining(instant: datetime, now: datetime, zone: ZoneInfo) -> str:
    """How many days are left until ``instant``, or that it is past."""
    if instant <= now:
        return _("over")
    left = days_left(instant, now, zone)
    return ngettext("%(num)s day left", "%(num)s days left", left) if left else _("ends today")


def _end(instant: datetime | None, now: datetime, zone: ZoneInfo) -> str:
    day = day_of_end(instant, zone)
    return day if instant is None else _with_note(day, remaining(instant, now, zone))


def _with_note(text: str, note: str) -> str:
    return f"{text} ({note})"


def issue_warnings(request: IssueRequest, now: datetime, zone: ZoneInfo) -> list[str]:
    """What is permitted and yet hardly meant: days that are past, and a maintenance that ends before it begins."""
    until = day_of_end(request.maintenance_expires, zone)
    warnings = []
    if request.maintenance_expires <= request.starts:
        start = day_of_start(request.starts, zone)
        warnings.append(
            _(
                "Warning: the maintenance ends (%(until)s) before the license starts (%(start)s).",
                until=until,
                start=start,
            )
        )
    elif request.maintenance_expires <= now:
        warnings.append(_("Warning: the maintenance has ended already (%(until)s).", until=until))
    if request.expires is not None and request.expires <= now:
        ended = day_of_end(request.expires, zone)
        warnings.append(_("Warning: the license has expired already (%(until)s).", until=ended))
    return warnings


def license_object(license_: License, zone: ZoneInfo) -> dict[str, object]:
    """What a license grants, as ``flask license status --json`` prints it (design section 5)."""
    return {
        "number": license_.number,
        "fingerprint": license_.fingerprint,
        "customer": license_.customer,
        "edition": license_.edition,
        "features": list(license_.features),
        "starts": iso(license_.starts, zone),
        "license_expires": iso(license_.expires, zone),
        "maintenance_expires": iso(license_.maintenance_expires, zone),
        "trial": license_.trial,
        "grace_until": iso(license_.grace_until, zone),
    }


def whole_license_object(license_: License, zone: ZoneInfo) -> dict[str, object]:
    """All that a license key says, claims that this version does not know included."""
    return {
        **license_object(license_, zone),
        "seats": license_.seats,
        "issuer": license_.issuer,
        "issued": iso(license_.issued, zone),
        "grace_days": license_.grace_days,
        "installation": license_.installation,
        "supersedes": list(license_.supersedes),
        "signing_key": license_.signing_key,
        "evaluation": license_.evaluation,
        "other_claims": dict(license_.other_claims),
        "time_zone": zone.key,
    }


def license_rows(license_: License, now: datetime, zone: ZoneInfo) -> Rows:
    """All that a license key says, for people."""
    starts = day_of_start(license_.starts, zone)
    rows = [
        (_("License number"), license_.number),
        (_("Fingerprint"), license_.fingerprint),
        (_("Customer"), license_.customer),
        (_("Edition"), license_.edition),
        (_("Seats"), str(license_.seats)),
        (_("Add-on features"), ", ".join(license_.features) or _("none")),
        (_("Starts"), starts if license_.has_started(now) else _with_note(starts, _("has not started"))),
        (_("License Expiration Date"), _end(license_.expires, now, zone)),
        (_("Maintenance Expiration Date"), _end(license_.maintenance_expires, now, zone)),
        (_("Time zone of dates"), zone.key),
    ]
    if license_.grace_days:
        rows.append((_("Grace"), _("until %(day)s", day=_end(license_.grace_until, now, zone))))
    rows += [
        (_("Installation"), license_.installation or _("any")),
        (_("Trial"), _("yes") if license_.trial else _("no")),
        (_("Issuer"), license_.issuer),
        (_("Issued"), f"{license_.issued.astimezone(zone):%Y-%m-%d %H:%M}"),
        (
            _("Signed with"),
            _with_note(license_.signing_key, _("evaluation key")) if license_.evaluation else license_.signing_key,
        ),
    ]
    rows += [(_("Supersedes") if not index else "", number) for index, number in enumerate(license_.supersedes)]
    for name, value in sorted(license_.other_claims.items()):
        rows.append((_("Unknown claim"), f"{name} = {json.dumps(value, ensure_ascii=True)}"))
    return rows


def _usability_object(usability: Usability, zone: ZoneInfo) -> dict[str, object]:
    answer: dict[str, object] = {"usable": usability.usable, "until": iso(usability.until, zone)}
    return answer if usability.code is None else {**answer, "code": usability.code}


def standing_object(standing: Standing, installation: str, zone: ZoneInfo) -> dict[str, object]:
    """The object of ``flask license status --json`` (design section 5)."""
    return {
        "standing": standing.kind.value,
        "web": _usability_object(standing.web, zone),
        "desktop": _usability_object(standing.desktop, zone),
        "registered_users": standing.registered_users,
        "seats": standing.seats,
        "in_use": standing.registered_users,
        "free": standing.free,
        "installation": installation,
        "license": None if standing.license is None else license_object(standing.license, zone),
    }


def _usability(usability: Usability, zone: ZoneInfo) -> str:
    if usability.usable:
        return (
            _("usable") if usability.until is None else _("usable until %(day)s", day=day_of_end(usability.until, zone))
        )
    said = _("not usable")
    if usability.until is not None:
        said = _("not usable since the end of %(day)s", day=day_of_end(usability.until, zone))
    return f"{said} [{usability.code}]"


def seat_words(standing: Standing) -> str:
    """The users in use and the seats that are free, or how many users are too many."""
    used = ngettext("%(num)s user in use", "%(num)s users in use", standing.registered_users)
    if standing.excess:
        rest = _("%(shown)s too many", shown=standing.excess)
    else:
        rest = ngettext("%(num)s seat free", "%(num)s seats free", standing.free)
    return _("%(in_use)s, %(rest)s", in_use=used, rest=rest)


def standing_rows(standing: Standing, installation: str, now: datetime, zone: ZoneInfo) -> Rows:
    """The standing of an installation, for people."""
    rows = [
        (_("Standing"), _(STANDINGS[standing.kind])),
        (_("Web application"), _usability(standing.web, zone)),
        (_("Desktop application"), _usability(standing.desktop, zone)),
        (pgettext("seats", "Active"), str(standing.seats)),
        (_("Remaining"), seat_words(standing)),
        (_("Installation"), installation),
    ]
    if standing.license is not None:
        license_ = standing.license
        rows += [
            (_("License"), f"{license_.number} ({license_.fingerprint})"),
            (_("Customer"), license_.customer),
            (_("Edition"), _with_note(license_.edition, _("Trial")) if license_.trial else license_.edition),
            (_("License Expiration Date"), _end(license_.expires, now, zone)),
            (_("Maintenance Expiration Date"), _end(license_.maintenance_expires, now, zone)),
            (_("Time zone of dates"), zone.key),
        ]
    if standing.next is not None:
        start = _("from %(day)s", day=day_of_start(standing.next_at or standing.next.starts, zone))
        rows.append((_("Registered ahead"), _with_note(standing.next.number, start)))
    return rows


def _side(change: Change, *, old: bool, zone: ZoneInfo) -> str:
    value = change.old if old else change.new
    if isinstance(value, datetime):
        return day_of_start(value, zone) if change.what == "starts" else day_of_end(value, zone)
    if isinstance(value, tuple):
        return ", ".join(value) or _("none")
    return _("never") if value is None else str(value)


def preview_rows(preview: Preview, zone: ZoneInfo) -> Rows:
    """What registering would change: old beside new, and the impact in people."""
    rows = []
    compared = preview.old.license is not None
    for change in preview.changes:
        new = _side(change, old=False, zone=zone)
        line = f"{_side(change, old=True, zone=zone)} → {new}" if compared and change.changed else new
        rows.append((_(_CHANGES[change.what]), f"{line}  !" if change.worse else line))
    if preview.features_lost:
        rows.append((_("Features lost"), ", ".join(preview.features_lost)))
    if preview.features_gained:
        rows.append((_("Features gained"), ", ".join(preview.features_gained)))
    return rows


def impact(preview: Preview) -> str:
    """What registering means for people, in a sentence; empty where nobody is shut out."""
    if not preview.locked_out and not preview.users_to_delete:
        return ""
    seats = ngettext("%(num)s seat", "%(num)s seats", preview.candidate.seats)
    if not preview.locked_out:
        return _(
            "%(users)s registered, %(seats)s: this license would be exceeded.",
            users=preview.old.registered_users,
            seats=seats,
        )
    if preview.users_to_delete:
        ends = ngettext(
            "until %(shown)s user is deleted or a larger license is registered",
            "until %(shown)s users are deleted or a larger license is registered",
            preview.users_to_delete,
            shown=preview.users_to_delete,
        )
    else:
        ends = _("until another license is registered")
    return ngettext(
        "%(users)s registered, %(seats)s: %(locked)s member will not be able to log in %(too_many)s.",
        "%(users)s registered, %(seats)s: %(locked)s members will not be able to log in %(too_many)s.",
        preview.locked_out,
        users=preview.old.registered_users,
        seats=seats,
        locked=preview.locked_out,
        too_many=ends,
    )


def preview_object(preview: Preview, zone: ZoneInfo) -> dict[str, object]:
    """What registering would change, as JSON."""

    def plain(value: object) -> object:
        if isinstance(value, datetime):
            return iso(value, zone)
        return list(value) if isinstance(value, tuple) else value

    return {
        "needs_confirmation": preview.needs_confirmation,
        "standing": preview.at_start.kind.value,
        "in_force_from": iso(preview.starts_at, zone),
        "changes": [
            {"what": it.what, "old": plain(it.old), "new": plain(it.new), "worse": it.worse} for it in preview.changes
        ],
        "features_gained": list(preview.features_gained),
        "features_lost": list(preview.features_lost),
        "locked_out": preview.locked_out,
        "users_to_delete": preview.users_to_delete,
        "edition_known": preview.edition_known,
    }
