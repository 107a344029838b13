"""The installation: one row, what its administrators decide about all of it."""

from datetime import datetime

from sqlalchemy import BigInteger, Integer, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.database import UtcDateTime
from app.extensions import Base

INSTALLATION_ROW = 1


class Installation(Base):
    """One database. ``license_revision`` rises with every change of the licenses, by trigger."""

    __tablename__ = "installation"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    identifier: Mapped[str] = mapped_column(String(36))
    license_revision: Mapped[int] = mapped_column(BigInteger)
    time_zone: Mapped[str] = mapped_column(String(64))
    language: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


def lock_installation(session: Session) -> Installation:
    """Lock the one row until the transaction ends, so that rules that span rows are decided one after another.

    Take it first in a transaction, before any other lock, or two transactions could wait for each other.
    """
    return session.execute(
        select(Installation).where(Installation.id == INSTALLATION_ROW).with_for_update()
    ).scalar_one()
