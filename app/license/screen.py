"""What the License screen and its preview show, ready to print.

Frozen values only: every text is already translated and formatted for the person who looks, every date is in
the installation's time zone, so that `license/license.html` and `license/preview.html` hold no logic beyond
"is it there". Texts are plain; the templates escape them. An empty text or tuple, or None: leave it out.

Pure: neither Flask nor SQLAlchemy is imported.
"""

from dataclasses import dataclass
from typing import Literal

BadgeKind = Literal["", "ok", "warn", "danger", "accent"]
"""Neutral, good, act by a date, does not work; accent is for a property rather than a state."""

BannerKind = Literal["info", "ok", "warn", "danger"]
"""Will happen by itself, done, works but act by a date, does not work."""

NoteKind = Literal["", "warn", "danger"]
"""How urgent the note below a figure is."""


@dataclass(frozen=True, slots=True)
class Badge:
    """A word that names a state, or with ``plain`` a property such as “Trial”."""

    text: str
    kind: BadgeKind = ""
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Banner:
    """A full sentence, what follows from it, and at most one button."""

    kind: BannerKind
    title: str
    text: str = ""
    code: str = ""
    """The reason's code, printed behind the text."""
    action_label: str = ""
    action_url: str = ""
    alert: bool = False
    """True where the page answers an action, so that screen readers say it at once."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way out of a restriction: what to do, what that means, and the button that leads there."""

    title: str
    text: str
    label: str = ""
    url: str = ""
    """An address, or ``#license_key`` for the field on this page."""
    icon: str = ""
    """A symbol of the sprite: ``users`` for choosing users, ``key`` for entering a key."""
    primary: bool = False
    """At most one of the ways, and none where the registration form itself is the way."""
    copy_text: str = ""
    """Something to send to the vendor, such as the installation id, shown with a Copy button."""


@dataclass(frozen=True, slots=True)
class WaysOut:
    """The ways out under a heading such as “Two ways to end it”."""

    title: str
    ways: tuple[Way, ...]
    steps: bool = False
    """True for numbered steps that stand beside the form, as in “How to get a license key”, not above it."""


@dataclass(frozen=True, slots=True)
class DateFigure:
    """A date of the license under its label, as the last day on which it holds."""

    label: str
    """“License Expiration Date”, “Maintenance Expiration Date” or “Starts”."""
    text: str
    """“31 March 2027”; “31 March 2027, 18:00” where it does not end at midnight; “Never” if perpetual."""
    iso: str = ""
    """The same for machines, as a date or as an instant with its offset; empty where there is no date."""
    note: str = ""
    """“125 days left. The web application stops after this day.”"""
    note_kind: NoteKind = ""


@dataclass(frozen=True, slots=True)
class SeatFigures:
    """Active and Remaining, as the manual calls them, and the numbers of the meter."""

    seats: int
    used: int
    """Registered users: the count that is enforced."""
    active: str
    """The seats as a number for reading: “50”."""
    in_use: str
    """“42 users in use”"""
    rest: str
    """“8 seats free”, or over the limit “17 too many”."""
    over: bool


@dataclass(frozen=True, slots=True)
class Particular:
    """A line of the particulars.

    In this order: License number, Fingerprint, Starts, Add-on features, Signed with, Time zone of dates.
    """

    label: str
    text: str
    mono: bool = False
    """True for identifiers."""


@dataclass(frozen=True, slots=True)
class LicenseCard:
    """The license in force, or the one that speaks in its stead."""

    edition: str
    """The edition's title, or its name where the edition is missing."""
    customer: str
    badges: tuple[Badge, ...]
    """“Trial”, “Evaluation”, “Edition missing”."""
    seats: SeatFigures
    dates: tuple[DateFigure, ...]
    """License and Maintenance Expiration Date; before them Starts where the license has not started."""
    particulars: tuple[Particular, ...]


@dataclass(frozen=True, slots=True)
class InstallationCard:
    """What the vendor may ask for."""

    installation: str
    """The installation id."""
    time_zone: str
    """The zone in which license dates are shown: “Asia/Tokyo”; printed where no license is."""
    trusted_keys: str
    """The names of the verification keys that are loaded, or a sentence that there are none."""


@dataclass(frozen=True, slots=True)
class RegisteredRow:
    """A registered license in the list, latest first. What does not verify shows what was stored of it."""

    fingerprint: str
    """Grouped by four: “9f2c 41d8 07ae”."""
    number: str
    state: Badge
    edition: str
    customer: str
    seats: str
    starts: str
    license_expires: str
    maintenance_expires: str
    registered_at: str
    registered_by: str
    note: str = ""
    """Why it does not hold, where the state alone does not say: the message of the reason, with its code."""


@dataclass(frozen=True, slots=True)
class LicenseScreen:
    """System Operation → License."""

    state: Badge
    """The standing."""
    banner: Banner | None
    """What the standing means and for whom; None while all is well."""
    ways_out: WaysOut | None
    notices: tuple[Banner, ...]
    """What is worth knowing besides: a scheduled license, maintenance that has expired, a missing edition."""
    license: LicenseCard | None
    """None while nothing is registered, or nothing that is registered can be read."""
    installation: InstallationCard
    registered: tuple[RegisteredRow, ...]


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One line of “What changes”.

    The new side is ``new``, then ``worse`` marked as a loss, either of which may be empty.
    """

    label: str
    old: str
    new: str
    worse: str = ""
    """What is lost by it: “17 too many”, “31 March 2026, 8 months earlier”, “Project budgets ends”."""
    changed: bool = False
    mono: bool = False


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The form that registers what is shown."""

    question: str
    """“Register it all the same?” where something gets worse, “Register this license?” where not."""
    label: str
    """The button: “Register License”, or “Schedule License” for one that starts later."""
    danger: bool
    """True where anybody loses something."""
    points: tuple[str, ...] = ()
    """What happens and what stays, as bullets."""
    tick: str = ""
    """“I understand that 38 members will be locked out.”, only where that is so; the box is required."""
    tick_missing: str = ""
    """The error at the box, after a press of the button without it."""


@dataclass(frozen=True, slots=True)
class PreviewScreen:
    """Before a license is registered: verified, nothing stored."""

    title: str
    """“Before this license is registered”, or “This license key is good” after “Only check it”."""
    lead: str
    """“The key is genuine and made for this installation. It has not been registered yet.”"""
    banners: tuple[Banner, ...]
    """The impact in people first; also that something has changed since the preview was first shown, or, for
    a key that is genuine but cannot be registered, the refusal."""
    old_heading: str
    """“In force now”; “Nothing is registered” where that is so."""
    new_heading: str
    """“With the new key”; “From 1 April 2027, with the new key” for one that starts later."""
    rows: tuple[ComparisonRow, ...]
    stays: str
    """“Users, hours, settings and edition settings stay as they are.”"""
    confirmation: Confirmation | None
    """None for a key that cannot be registered."""
    make_room: Way | None
    """“Or make room first”, where users must be deleted."""
    sealed_key: str
    """The key, sealed for this session, so that confirming needs no second paste."""
    seen: str
    """The digest of what is shown; confirming something else shows the preview anew."""
