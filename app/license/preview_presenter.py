"""Fills the preview of a license: old beside new, and what it means for people.

Like ``presenter``, it formats what the domain says; nothing is decided here.
"""

from collections.abc import Callable, Iterable
from typing import Any

from flask import url_for
from flask_babel import format_decimal, gettext, ngettext, pgettext

from app.auth.census import count_members_logged_in
from app.editions import registry
from app.license.presenter import feature_names, grouped, seats_left, seats_or_excess, users_in_use
from app.license.preview import Change, ChangeValue, Preview
from app.license.reasons import REASONS
from app.license.screen import Banner, ComparisonRow, Confirmation, PreviewScreen, Way
from app.texts import license_date, sentences, starting_date
from app.translation import N_

_CHANGE_LABELS = {
    "edition": N_("Edition"),
    "license_expires": N_("License Expiration Date"),
    "maintenance_expires": N_("Maintenance Expiration Date"),
    "features": N_("Add-on features"),
    "starts": N_("Starts"),
}
_FORMATS: dict[str, Callable[[Any], str]] = {
    "edition": registry.title_of_edition,
    "seats": format_decimal,
    "license_expires": license_date,
    "maintenance_expires": license_date,
    "features": feature_names,
    "starts": starting_date,
}


def preview_screen(
    preview: Preview, *, sealed_key: str, only_checked: bool, changed_meanwhile: bool, tick_missing: bool
) -> PreviewScreen:
    """What registering a verified key would change, and the form that does it."""
    worse = preview.needs_confirmation
    title = (
        gettext("This license key is good")
        if only_checked and not worse
        else gettext("Before this license is registered")
    )
    lead = gettext("The key is genuine and made for this installation. It has not been registered yet.")
    old_heading = gettext("In force now") if preview.old.license and not preview.old.restricted else gettext("Now")
    if preview.old.license is None:
        old_heading = gettext("Nothing is registered")
    new_heading = gettext("With the new key")
    if preview.starts_later:
        new_heading = gettext("From %(day)s, with the new key", day=starting_date(preview.starts_at))
    return PreviewScreen(
        title=title,
        lead=lead,
        banners=tuple(_preview_banners(preview, changed_meanwhile=changed_meanwhile)),
        old_heading=old_heading,
        new_heading=new_heading,
        rows=_comparison(preview),
        stays=gettext("Users, hours, settings and edition settings stay as they are."),
        confirmation=_confirmation(preview, tick_missing=tick_missing),
        make_room=_make_room(preview),
        sealed_key=sealed_key,
        seen=preview.digest,
    )


def _preview_banners(preview: Preview, *, changed_meanwhile: bool) -> Iterable[Banner]:
    if changed_meanwhile:
        title = gettext("Something has changed since you were shown this.")
        yield Banner("warn", title, gettext("Look at it once more; nothing has been registered."), alert=True)
    if preview.locked_out:
        yield _locked_out_banner(preview)
    elif preview.users_to_delete:
        title = gettext(
            "%(users)s registered, %(seats)s: this license would be exceeded.",
            users=format_decimal(preview.old.registered_users),
            seats=_seats(preview.candidate.seats),
        )
        yield Banner("danger", title, gettext("Members cannot log in until it is large enough for all users."))
    if preview.starts_later:
        title = gettext("This license starts on %(day)s.", day=starting_date(preview.starts_at))
        yield Banner("info", title, gettext("It takes over by itself; until then everything stays as it is."))
    if not preview.edition_known:
        reason = REASONS["edition_unknown"]
        text = sentences(gettext(reason.detail), gettext(reason.remedy))
        yield Banner("warn", gettext(reason.message), text, reason.code)


def _locked_out_banner(preview: Preview) -> Banner:
    users = preview.old.registered_users
    administrators = users - preview.locked_out
    logged_in = count_members_logged_in()
    if preview.users_to_delete:
        too_many = ngettext(
            "until %(shown)s user is deleted or a larger license is registered",
            "until %(shown)s users are deleted or a larger license is registered",
            preview.users_to_delete,
            shown=format_decimal(preview.users_to_delete),
        )
    else:
        too_many = gettext("until another license is registered")
    title = ngettext(
        "%(users)s registered, %(seats)s: %(locked)s member will not be able to log in %(too_many)s.",
        "%(users)s registered, %(seats)s: %(locked)s members will not be able to log in %(too_many)s.",
        preview.locked_out,
        users=format_decimal(users),
        seats=_seats(preview.candidate.seats),
        locked=format_decimal(preview.locked_out),
        too_many=too_many,
    )
    now_in = ngettext(
        "%(shown)s of them is logged in now and is stopped at the next click.",
        "%(shown)s of them are logged in now and are stopped at their next click.",
        logged_in,
        shown=format_decimal(logged_in),
    )
    confined = ngettext(
        "The system administrator will see only System Settings.",
        "The %(shown)s system administrators will see only System Settings.",
        administrators,
        shown=format_decimal(administrators),
    )
    return Banner("danger", title, sentences(now_in, confined) if logged_in else confined, alert=True)


def _seats(number: int) -> str:
    return ngettext("%(shown)s seat", "%(shown)s seats", number, shown=format_decimal(number))


def _comparison(preview: Preview) -> tuple[ComparisonRow, ...]:
    rows = []
    for change in preview.changes:
        rows.append(_comparison_row(change, preview))
        if change.what == "seats":
            rows.append(_remaining_row(preview))
    old = preview.old.license
    rows.append(
        ComparisonRow(
            gettext("License"),
            grouped(old.fingerprint) if old else "",
            grouped(preview.candidate.fingerprint),
            changed=True,
            mono=True,
        )
    )
    return tuple(rows)


def _comparison_row(change: Change, preview: Preview) -> ComparisonRow:
    label = pgettext("seats", "Active") if change.what == "seats" else gettext(_CHANGE_LABELS[change.what])
    old, new = _value(change, change.old, preview), _value(change, change.new, preview)
    if change.what == "features":
        lost = feature_names(preview.features_lost)
        gained = feature_names(preview.features_gained)
        worse = ""
        if lost:
            worse = ngettext("%(features)s ends", "%(features)s end", len(preview.features_lost), features=lost)
        shown = new or (gettext("None") if not worse else "")
        if gained and preview.old.license is not None and not new:
            shown = gained
        return ComparisonRow(
            label, old or gettext("None"), shown, worse, changed=change.changed or bool(lost or gained)
        )
    if change.worse and change.what in ("seats", "license_expires", "maintenance_expires", "edition"):
        return ComparisonRow(label, old, "", new, changed=True)
    return ComparisonRow(label, old, new, changed=change.changed)


def _value(change: Change, value: ChangeValue, preview: Preview) -> str:
    if value is None:
        is_first = preview.changes[0].old is None and value is change.old
        return "" if is_first else gettext("Never")
    return _FORMATS[change.what](value)


def _remaining_row(preview: Preview) -> ComparisonRow:
    old, after = preview.old, preview.at_start
    in_use = users_in_use(preview.old.registered_users)
    before = gettext("%(in_use)s, %(rest)s", in_use=in_use, rest=seats_left(old)) if old.license else in_use
    excess = max(after.registered_users - preview.candidate.seats, 0)
    rest = seats_or_excess(max(preview.candidate.seats - after.registered_users, 0), excess)
    if excess:
        return ComparisonRow(gettext("Remaining"), before, in_use, rest, changed=True)
    now = gettext("%(in_use)s, %(rest)s", in_use=in_use, rest=rest)
    return ComparisonRow(gettext("Remaining"), before, now, changed=before != now)


def _confirmation(preview: Preview, *, tick_missing: bool) -> Confirmation:
    tick = ""
    if preview.locked_out:
        tick = ngettext(
            "I understand that %(shown)s member will be locked out.",
            "I understand that %(shown)s members will be locked out.",
            preview.locked_out,
            shown=format_decimal(preview.locked_out),
        )
    loses = any(change.worse and change.what != "starts" for change in preview.changes) or bool(preview.locked_out)
    return Confirmation(
        question=gettext("Register it all the same?") if loses else gettext("Register this license?"),
        label=gettext("Schedule License") if preview.starts_later else gettext("Register License"),
        danger=loses,
        tick=tick,
        tick_missing=gettext("Tick this box to go on.") if tick_missing else "",
    )


def _make_room(preview: Preview) -> Way | None:
    if not preview.users_to_delete:
        return None
    text = ngettext(
        "Delete %(shown)s user, then register the key: nobody who stays notices anything.",
        "Delete %(shown)s users, then register the key: nobody who stays notices anything.",
        preview.users_to_delete,
        shown=format_decimal(preview.users_to_delete),
    )
    return Way(gettext("Or make room first"), text, gettext("Choose users"), url_for("users.index"), icon="users")
