"""The tables of the edition Standard: what is worked on, by whom, when, and for how many minutes."""

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.sdk import DeclarativeBase, RowId, UtcDateTime, edition_metadata, user_reference

MINUTES_OF_A_DAY = 1440


class Model(DeclarativeBase):
    """Base of the tables of this edition."""

    metadata = edition_metadata("standard")


class Customer(Model):
    """For whom projects are; a finished one is no longer offered and keeps its hours."""

    __tablename__ = "edition_standard_customers"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    code: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(200))
    active: Mapped[bool] = mapped_column(Boolean)


class Project(Model):
    """A piece of work for a customer. ``colour`` is one of ``work_items.colours``."""

    __tablename__ = "edition_standard_projects"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("edition_standard_customers.id"), index=True)
    code: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(200))
    colour: Mapped[str] = mapped_column(String(16))
    active: Mapped[bool] = mapped_column(Boolean)
    for_everybody: Mapped[bool] = mapped_column(Boolean)
    """Whether everybody may record hours on it, or its members alone."""


class ProjectMember(Model):
    """Who works on a project, and who looks after the hours of those who do."""

    __tablename__ = "edition_standard_project_members"

    project_id: Mapped[int] = mapped_column(
        ForeignKey("edition_standard_projects.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[int] = mapped_column(user_reference(), primary_key=True, index=True)
    role: Mapped[str] = mapped_column(String(16))
    """``member``, ``reader`` or ``corrector``; see ``access.Role``."""


class Task(Model):
    """What hours are recorded on."""

    __tablename__ = "edition_standard_tasks"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("edition_standard_projects.id"), index=True)
    code: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(200))
    active: Mapped[bool] = mapped_column(Boolean)
    billable: Mapped[bool] = mapped_column(Boolean)


class Entry(Model):
    """The minutes of one person on one task on one day: a cell of the time sheet. There is none for no time."""

    __tablename__ = "edition_standard_entries"
    __table_args__ = (
        UniqueConstraint("user_id", "day", "task_id"),
        CheckConstraint(f"minutes BETWEEN 1 AND {MINUTES_OF_A_DAY}", name="minutes"),
        # A report reads days of everybody, and finds all that it adds up in this index.
        Index(None, "day", "task_id", "user_id", "minutes"),
        Index(None, "task_id", "day"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    user_id: Mapped[int] = mapped_column(user_reference())
    day: Mapped[date] = mapped_column(Date)
    task_id: Mapped[int] = mapped_column(ForeignKey("edition_standard_tasks.id"))
    minutes: Mapped[int] = mapped_column(Integer)
    memo: Mapped[str] = mapped_column(String(1000))
    version: Mapped[int] = mapped_column(BigInteger)
    """Rises with every change, so that a page that shows an older one does not overwrite it."""
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by: Mapped[str] = mapped_column(String(64))
    """Login of whoever wrote it last: the person, or a manager who corrected it."""


class Span(Model):
    """From when to when somebody worked on a task, or had a break; the day view shows them, the timer makes them.

    The spans of a task add up to the minutes of its entry. ``minutes`` is what has passed, which on a day when clocks
    change is not the difference of the two times.
    """

    __tablename__ = "edition_standard_spans"
    __table_args__ = (
        CheckConstraint(f"0 <= starts AND starts < ends AND ends <= {MINUTES_OF_A_DAY}", name="times"),
        CheckConstraint(f"minutes BETWEEN 0 AND {MINUTES_OF_A_DAY}", name="minutes"),
        Index(None, "user_id", "day"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    user_id: Mapped[int] = mapped_column(user_reference())
    day: Mapped[date] = mapped_column(Date)
    task_id: Mapped[int | None] = mapped_column(ForeignKey("edition_standard_tasks.id"), index=True)
    """None for a break."""
    starts: Mapped[int] = mapped_column(SmallInteger)
    """Minute of the day, in the person's time zone."""
    ends: Mapped[int] = mapped_column(SmallInteger)
    minutes: Mapped[int] = mapped_column(Integer)


class SheetRow(Model):
    """A row that somebody has put on the sheet of a week, with or without hours in it."""

    __tablename__ = "edition_standard_sheet_rows"

    user_id: Mapped[int] = mapped_column(user_reference(), primary_key=True)
    thursday: Mapped[date] = mapped_column(Date, primary_key=True)
    """The Thursday of the week, which names it whatever day weeks begin on."""
    task_id: Mapped[int] = mapped_column(ForeignKey("edition_standard_tasks.id"), primary_key=True)


class Favourite(Model):
    """A task that somebody keeps at hand."""

    __tablename__ = "edition_standard_favourites"

    user_id: Mapped[int] = mapped_column(user_reference(), primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("edition_standard_tasks.id"), primary_key=True)


class RunningTimer(Model):
    """The one timer that somebody has running; stopping it makes spans and minutes of it."""

    __tablename__ = "edition_standard_timers"

    user_id: Mapped[int] = mapped_column(user_reference(), primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("edition_standard_tasks.id"))
    memo: Mapped[str] = mapped_column(String(1000))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Closing(Model):
    """Up to which day hours are closed: one row for everybody, and one for whoever has a day of their own."""

    __tablename__ = "edition_standard_closings"

    scope: Mapped[str] = mapped_column(String(32), primary_key=True)
    """``everybody``, or ``user:`` and the id."""
    user_id: Mapped[int | None] = mapped_column(user_reference(), unique=True)
    """None in the row for everybody."""
    closed_through: Mapped[date | None] = mapped_column(Date)
    """The last closed day; None where nothing is closed."""
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by: Mapped[str] = mapped_column(String(64))
