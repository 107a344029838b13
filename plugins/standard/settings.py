"""The settings of the edition Standard, on System Operation → Editions → Standard."""

from app.sdk import N_, ChoiceSetting, NumberSetting, Reason, Refusal, TextSetting
from plugins.standard.week import WeekStart
from plugins.standard.workdays import WorkCalendar, countries, subdivisions

_WEEK = N_("Week")
_WORK = N_("Working hours")
_HOLIDAYS = N_("Public holidays")

COUNTRY_UNKNOWN = Reason(
    "country_unknown",
    N_("No country with holidays has the code “%(code)s”."),
    N_("Write its two letters, such as JP, DE or US, or leave it empty."),
)
SUBDIVISION_UNKNOWN = Reason(
    "subdivision_unknown",
    N_("No part of a country has the code “%(code)s”."),
    N_("Write it without that of the country, such as BY for Bavaria, or leave it empty."),
)


class _CountrySetting(TextSetting):
    """The code of a country whose public holidays are known, or nothing."""

    def parse(self, text: str) -> str:
        """Read a code, in capitals or not.

        Raises:
            Refusal: ``country_unknown``, or what any text is refused for.
        """
        code = super().parse(text).upper()
        if code and code not in countries():
            raise Refusal(COUNTRY_UNKNOWN, code=code)
        return code


class _SubdivisionSetting(TextSetting):
    """The code of a part of some country, or nothing; one of another country than is set changes nothing."""

    def parse(self, text: str) -> str:
        """Read a code, in capitals or not.

        Raises:
            Refusal: ``subdivision_unknown``, or what any text is refused for.
        """
        code = super().parse(text)
        if not code:
            return code
        known = (part for country in countries() for part in subdivisions(country))
        if found := next((part for part in known if part.casefold() == code.casefold()), None):
            return found
        raise Refusal(SUBDIVISION_UNKNOWN, code=code)


WEEK_START = ChoiceSetting(
    "standard.week_start",
    N_("The week begins on"),
    heading=_WEEK,
    default="monday",
    choices=(("monday", N_("Monday")), ("sunday", N_("Sunday")), ("saturday", N_("Saturday"))),
)
GRANULARITY = ChoiceSetting(
    "standard.granularity",
    N_("Time is recorded in steps of"),
    heading=_WEEK,
    hint=N_("Of what people type; a timer counts every minute."),
    default="1",
    choices=(
        ("1", N_("1 minute")),
        ("5", N_("5 minutes")),
        ("6", N_("6 minutes")),
        ("10", N_("10 minutes")),
        ("15", N_("15 minutes")),
        ("30", N_("30 minutes")),
        ("60", N_("1 hour")),
    ),
)
DAILY_MINUTES = NumberSetting(
    "standard.daily_minutes",
    N_("A working day has"),
    heading=_WORK,
    unit=N_("minutes"),
    hint=N_("480 minutes are eight hours."),
    default=480,
    minimum=0,
    maximum=1440,
)
WORKING_DAYS = ChoiceSetting(
    "standard.working_days",
    N_("Working days"),
    heading=_WORK,
    default="01234",
    choices=(
        ("01234", N_("Monday to Friday")),
        ("012345", N_("Monday to Saturday")),
        ("60123", N_("Sunday to Thursday")),
        ("0123", N_("Monday to Thursday")),
        ("0123456", N_("Every day")),
    ),
)
COUNTRY = _CountrySetting(
    "standard.country",
    N_("Country"),
    heading=_HOLIDAYS,
    hint=N_("Two letters, such as JP, DE or US (ISO 3166-1); empty for no holidays."),
    maximum_length=2,
)
SUBDIVISION = _SubdivisionSetting(
    "standard.subdivision",
    N_("Part of the country"),
    heading=_HOLIDAYS,
    hint=N_("Its code, such as BY for Bavaria, where it has holidays of its own (ISO 3166-2)."),
    maximum_length=8,
)
SETTINGS = (WEEK_START, GRANULARITY, DAILY_MINUTES, WORKING_DAYS, COUNTRY, SUBDIVISION)


def week_start() -> WeekStart:
    """The first day of the week."""
    return WeekStart[WEEK_START.value().upper()]


def granularity() -> int:
    """Minutes of which everything that is typed is a multiple."""
    return int(GRANULARITY.value())


def work_calendar(language: str) -> WorkCalendar:
    """What is expected of each day; ``language`` is that of the names of holidays, such as ``ja``."""
    return WorkCalendar(
        daily_minutes=DAILY_MINUTES.value(),
        working_days=frozenset(map(int, WORKING_DAYS.value())),
        country=COUNTRY.value().upper(),
        subdivision=SUBDIVISION.value(),
        language=language,
    )
