"""Says what happens to users, in the reader's language and time zone and with the numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import format_date, format_decimal, format_time, gettext, ngettext, pgettext, to_user_timezone

from app import clock
from app.auth.users import UserState
from app.editions.permissions import edition_permissions, permission_title
from app.license.presenter import seats_left, seats_or_excess, users_in_use
from app.license.service import current_standing
from app.localisation import LANGUAGES
from app.settings.users.listing import COUNTED, ListQuery, Order, State, UserPage
from app.settings.users.service import Affected, Deletion, SeatWarning
from app.texts import listed
from app.translation import N_

_NAMED = 5
_NOW = timedelta(minutes=6)  # "last seen" is written every five minutes
FIELD_LABELS = {
    "login": N_("Login name"),
    "name": N_("Name"),
    "email": N_("E-mail"),
    "language": N_("Language"),
    "time_zone": N_("Time zone"),
    "is_system_administrator": N_("System Administrator"),
    "permissions": N_("Permissions"),
}


@dataclass(frozen=True, slots=True)
class Question:
    """A page before something happens: the question, what happens, and the word on the button."""

    title: str
    question: str
    points: tuple[str, ...]
    button: str
    tick: str = ""
    tick_missing: str = ""
    changed: str = ""
    """Said where the numbers are no longer those that were confirmed."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """What somebody else has changed meanwhile."""

    label: str
    old: str
    new: str


def seats_sentence() -> str:
    """The numbers as they are now: “39 users in use, 11 seats free”."""
    standing = current_standing()
    in_use = users_in_use(standing.registered_users)
    if standing.license is None:
        return in_use
    return str(gettext("%(in_use)s, %(rest)s", in_use=in_use, rest=seats_left(standing)))


def last_seen(instant: datetime | None) -> str:
    """When somebody was last seen: to the minute for today and yesterday, to the day before that."""
    if instant is None:
        return str(pgettext("last seen", "Never"))
    now = clock.now()
    if now - instant < _NOW:
        return str(gettext("Now"))
    local, today = to_user_timezone(instant), to_user_timezone(now).date()
    time = format_time(local, "short", rebase=False)
    if local.date() == today:
        return str(gettext("Today, %(time)s", time=time))
    if local.date() == today - timedelta(days=1):
        return str(gettext("Yesterday, %(time)s", time=time))
    return day(instant)


def day(instant: datetime) -> str:
    """A day in the reader's zone."""
    return str(format_date(to_user_timezone(instant).date(), "medium"))


def counted(number: int) -> str:
    """A number that was counted up to a limit."""
    return f"{format_decimal(COUNTED)}+" if number > COUNTED else str(format_decimal(number))


def page_summary(query: ListQuery, page: UserPage, total: int) -> str:
    """What the page shows of how many."""
    number = len(page.users)
    shown = format_decimal(number)
    if not query.is_filtered:
        return str(gettext("%(shown)s of %(total)s users", shown=shown, total=counted_total(query, total)))
    if page.previous is None and page.next is None:
        return str(ngettext("%(shown)s user found", "%(shown)s users found", number, shown=shown))
    if query.order is Order.BEST:
        return str(
            ngettext(
                "%(shown)s user on this page, best matches first",
                "%(shown)s users on this page, best matches first",
                number,
                shown=shown,
            )
        )
    return str(ngettext("%(shown)s user on this page", "%(shown)s users on this page", number, shown=shown))


def counted_total(query: ListQuery, total: int) -> str:
    """The size of the whole list: registered users are counted exactly, deleted ones up to a limit."""
    return str(format_decimal(total)) if query.state is State.ACTIVE else counted(total)


def named(names: Sequence[str]) -> str:
    """“Rin, Sota and Takumi”, or the first few and how many more."""
    shown = list(names[:_NAMED])
    more = len(names) - len(shown)
    if more:
        others = ngettext("%(shown)s more", "%(shown)s more", more, shown=format_decimal(more))
        return str(gettext("%(names)s and %(others)s", names=listed(shown), others=others))
    if len(shown) == 1:
        return shown[0]
    return str(gettext("%(names)s and %(others)s", names=listed(shown[:-1]), others=shown[-1]))


# Deleting and restoring ---------------------------------------------------------------------------------


def deletion_question(deletion: Deletion) -> Question:
    """What deleting these users does, and what stays."""
    number = len(deletion.user_ids)
    shown = format_decimal(number)
    points = [
        ngettext(
            "%(names)s can no longer log in.", "%(names)s can no longer log in.", number, names=named(deletion.names)
        ),
        *_ended_sessions(deletion),
        *_freed_seats(number),
        gettext("Everything that was recorded stays, in all reports and in the audit log."),
        ngettext(
            "The login name stays reserved. The user can be restored at any time, with all privileges.",
            "The login names stay reserved. The users can be restored at any time, with all privileges.",
            number,
        ),
    ]
    return Question(
        title=ngettext("Delete user", "Delete users", number),
        question=ngettext("Delete %(shown)s user?", "Delete %(shown)s users?", number, shown=shown),
        points=tuple(points),
        button=ngettext("Delete %(shown)s user", "Delete %(shown)s users", number, shown=shown),
    )


def _ended_sessions(deletion: Deletion) -> list[str]:
    points = []
    if deletion.logged_in:
        points.append(
            ngettext(
                "%(shown)s of them is logged in now: that session ends at once.",
                "%(shown)s of them are logged in now: their sessions end at once.",
                deletion.logged_in,
                shown=format_decimal(deletion.logged_in),
            )
            if len(deletion.user_ids) > 1
            else gettext("The user is logged in now: that session ends at once.")
        )
    if deletion.administrators:
        points.append(
            ngettext(
                "%(shown)s system administrator is among them.",
                "%(shown)s system administrators are among them.",
                deletion.administrators,
                shown=format_decimal(deletion.administrators),
            )
            if len(deletion.user_ids) > 1
            else gettext("The user is a system administrator.")
        )
    return points


def _freed_seats(number: int) -> list[str]:
    standing = current_standing()
    if standing.license is None:
        return []
    remaining = standing.registered_users - number
    in_use = users_in_use(remaining)
    excess = remaining - standing.seats
    if excess > 0:
        return [
            ngettext(
                "The license is still exceeded afterwards: %(in_use)s, %(excess)s too many.",
                "The license is still exceeded afterwards: %(in_use)s, %(excess)s too many.",
                excess,
                in_use=in_use,
                excess=format_decimal(excess),
            )
        ]
    free = ngettext("%(shown)s seat free", "%(shown)s seats free", -excess, shown=format_decimal(-excess))
    if standing.excess:
        return [
            gettext(
                "The license is no longer exceeded: %(in_use)s, %(free)s. Members can log in again at once.",
                in_use=in_use,
                free=free,
            )
        ]
    return [
        ngettext(
            "%(shown)s seat becomes free at once: %(in_use)s, %(free)s.",
            "%(shown)s seats become free at once: %(in_use)s, %(free)s.",
            number,
            shown=format_decimal(number),
            in_use=in_use,
            free=free,
        )
    ]


def deleted_message(affected: Affected) -> str:
    """The flash after a deletion."""
    number = len(affected.user_ids)
    if number == 1:
        return str(gettext("%(name)s is deleted. %(seats)s.", name=affected.names[0], seats=seats_sentence()))
    return str(
        ngettext(
            "%(shown)s user is deleted. %(seats)s.",
            "%(shown)s users are deleted. %(seats)s.",
            number,
            shown=format_decimal(number),
            seats=seats_sentence(),
        )
    )


def restored_message(affected: Affected) -> str:
    """The flash after a restoration."""
    number = len(affected.user_ids)
    if number == 1:
        return str(gettext("%(name)s is restored. %(seats)s.", name=affected.names[0], seats=seats_sentence()))
    return str(
        ngettext(
            "%(shown)s user is restored. %(seats)s.",
            "%(shown)s users are restored. %(seats)s.",
            number,
            shown=format_decimal(number),
            seats=seats_sentence(),
        )
    )


def added_message(affected: Affected) -> str:
    """The flash after a user was added."""
    return str(gettext("%(name)s is added. %(seats)s.", name=affected.names[0], seats=seats_sentence()))


# Past the seats ---------------------------------------------------------------------------------


def seat_points(warning: SeatWarning) -> tuple[str, ...]:
    """Who is locked out by registering more users than there are seats, and what ends it."""
    if warning.is_exceeded_already:
        # Now and then side by side, counted alike: one who joins is among the locked out only afterwards.
        now = _people(warning.registered_users, warning.registered_users - warning.seats, warning.members)
        then = _people(warning.registered_then, warning.excess, warning.locked_out)
        consequences = (
            gettext("The license is exceeded already. Now: %(people)s.", people=now),
            gettext("Afterwards: %(people)s.", people=then),
        )
    else:
        locked_out = ngettext(
            "%(shown)s member will not be able to log in, and is stopped at the next click.",
            "%(shown)s members will not be able to log in, and are stopped at their next click.",
            warning.locked_out,
            shown=format_decimal(warning.locked_out),
        )
        consequences = (seat_sentence(warning), locked_out)
    ends = ngettext(
        "This ends when %(shown)s user is deleted or a license for more users is registered.",
        "This ends when %(shown)s users are deleted or a license for more users is registered.",
        warning.excess,
        shown=format_decimal(warning.excess),
    )
    return (
        *consequences,
        str(gettext("System administrators see only System Settings until then.")),
        str(ends),
        str(gettext("Nothing is lost: everyone can work again the moment this is resolved, without a restart.")),
    )


def _people(users: int, excess: int, locked_out: int) -> str:
    """Such as “51 users in use, 1 too many, 48 members cannot log in”."""
    members = ngettext(
        "%(shown)s member cannot log in",
        "%(shown)s members cannot log in",
        locked_out,
        shown=format_decimal(locked_out),
    )
    return listed((users_in_use(users), seats_or_excess(0, excess), members))


def seat_sentence(warning: SeatWarning) -> str:
    """The numbers of a warning: such as “51 users would be registered, 50 seats are licensed: 1 too many”."""
    return str(
        gettext(
            "%(users)s, %(seats)s: %(excess)s too many.",
            users=ngettext(
                "%(shown)s user would be registered",
                "%(shown)s users would be registered",
                warning.registered_then,
                shown=format_decimal(warning.registered_then),
            ),
            seats=ngettext(
                "%(shown)s seat is licensed",
                "%(shown)s seats are licensed",
                warning.seats,
                shown=format_decimal(warning.seats),
            ),
            excess=format_decimal(warning.excess),
        )
    )


def seat_question(
    warning: SeatWarning, names: Sequence[str], *, restoring: bool, tick_missing: bool, changed: bool
) -> Question:
    """The page before users are added or restored past the seats."""
    people = named(names)
    if restoring:
        title, button = gettext("Restore past the seats"), gettext("Restore all the same")
        question = gettext("Restore %(people)s although there is no seat?", people=people)
    else:
        title, button = gettext("Add past the seats"), gettext("Add all the same")
        question = gettext("Add %(people)s although there is no seat?", people=people)
    tick = ngettext(
        "I understand that %(shown)s member cannot log in then.",
        "I understand that %(shown)s members cannot log in then.",
        warning.locked_out,
        shown=format_decimal(warning.locked_out),
    )
    return Question(
        title=title,
        question=question,
        points=seat_points(warning),
        button=button,
        tick=tick,
        tick_missing=gettext("Tick this box to go on.") if tick_missing else "",
        changed=gettext("The numbers have changed meanwhile. These are the present ones.") if changed else "",
    )


# Changed meanwhile ---------------------------------------------------------------------------------


def changes_between(old: UserState, new: UserState) -> tuple[FieldChange, ...]:
    """What has changed from ``old`` to ``new``, in words."""
    return tuple(
        FieldChange(gettext(label), shown_value(name, old), shown_value(name, new))
        for name, label in FIELD_LABELS.items()
        if getattr(old, name) != getattr(new, name)
    )


def shown_value(name: str, state: UserState) -> str:
    """A field of a user, as the page shows it."""
    value = getattr(state, name)
    if name == "is_system_administrator":
        return str(gettext("yes") if value else gettext("no"))
    if name == "language" and value is not None:
        return LANGUAGES.get(value, str(value))
    if name == "permissions":
        return listed(map(permission_title, value)) or str(gettext("none"))
    if value is not None:
        return str(value)
    unset = {"language": gettext("As the browser"), "time_zone": gettext("As the installation")}
    return str(unset.get(name) or gettext("empty"))


def permissions_out_of_reach(state: UserState) -> tuple[str, ...]:
    """Names of the permissions that the user holds and no loaded edition declares; they are kept as they are."""
    offered = {held.name for held in edition_permissions()}
    return tuple(name for name in state.permissions if name not in offered)
