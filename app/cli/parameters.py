"""What commands take: dates, time zones, and a license key from wherever it comes."""

import re
import sys
from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, available_timezones

import click
from flask_babel import gettext as _

from app.license.key import RAW_LIMIT

_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
STANDARD_INPUT = "-"
_BYTES_LIMIT = 4 * (RAW_LIMIT + 1)  # a character has at most four bytes in UTF-8
_Command = TypeVar("_Command", bound=Callable[..., Any])


def iso_date(value: str) -> date:
    """Return the day that is written as ``2027-03-31``, and in no other spelling; else it is wrong usage."""
    if not _ISO_DATE.fullmatch(value):
        raise click.BadParameter(f"{value!r} is not a day such as 2027-03-31.")
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter(f"There is no day {value}.") from error


def time_zone(value: str) -> ZoneInfo:
    """Return the zone of the IANA database that is called ``value``; else it is wrong usage."""
    if value not in available_timezones():
        raise click.BadParameter(f"{value!r} is not a time zone such as Asia/Tokyo.")
    return ZoneInfo(value)


def date_option(name: str, **attributes: Any) -> Callable[[_Command], _Command]:
    """An option that takes a day."""
    return click.option(name, type=iso_date, metavar="YYYY-MM-DD", **attributes)


def zone_option(**attributes: Any) -> Callable[[_Command], _Command]:
    """The option ``--time-zone``."""
    return click.option("--time-zone", "zone", type=time_zone, metavar="ZONE", **attributes)


key_argument = click.argument("license_key", metavar="[KEY|-]", required=False)


def is_interactive() -> bool:
    """Whether somebody sits at a terminal and can be asked."""
    return sys.stdin.isatty()


def read_key(argument: str | None) -> str:
    """Return the text of a license key: the argument itself, else what standard input holds.

    At a terminal the person is asked for it. No more is read than could be a key, and what is not UTF-8 is read as
    characters that no key holds.
    """
    if argument is not None and argument != STANDARD_INPUT:
        return argument
    if is_interactive():
        click.echo(_("Paste the license key, press Enter, then Ctrl-D:"), err=True)
    return sys.stdin.buffer.read(_BYTES_LIMIT).decode("utf-8", "replace")
