"""Editions that an administrator has switched off."""

from datetime import datetime

from sqlalchemy import Boolean, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database import UtcDateTime
from app.extensions import Base


class EditionSwitch(Base):
    """The last switching of an edition; one that was never switched has no row and is on.

    ``title`` is kept, because an edition that is off is not imported and cannot say its own.
    """

    __tablename__ = "edition_switches"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    title: Mapped[str] = mapped_column(String(300))
    disabled: Mapped[bool] = mapped_column(Boolean)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by: Mapped[str] = mapped_column(String(64))
