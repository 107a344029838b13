"""Counts of people, for what is said before something happens: how many are locked out, logged in, or long unseen.

How many users are registered is not counted here: that number is kept by the database (``SeatCount``).
"""

from datetime import timedelta

from sqlalchemy import Select, distinct, exists, func, select
from sqlalchemy.orm import Session

from app import clock
from app.auth.models import User, UserPermission, UserSession
from app.database import read_connection
from app.security import SYSTEM_ADMINISTRATOR


def _number(query: Select[int], session: Session | None = None) -> int:
    if session is not None:
        return session.execute(query).scalar_one()
    with read_connection() as connection:
        return connection.execute(query).scalar_one()


def count_system_administrators(session: Session | None = None) -> int:
    """How many registered users hold the System Administrator privilege; inside ``session`` where one is given."""
    query = (
        select(func.count())
        .select_from(UserPermission)
        .join(User, User.id == UserPermission.user_id)
        .where(UserPermission.permission == SYSTEM_ADMINISTRATOR, User.deleted_at.is_(None))
    )
    return _number(query, session)


def count_members_logged_in() -> int:
    """How many users without the System Administrator privilege have an open session."""
    privileged = exists().where(
        UserPermission.user_id == UserSession.user_id, UserPermission.permission == SYSTEM_ADMINISTRATOR
    )
    query = select(func.count(distinct(UserSession.user_id))).where(UserSession.expires_at > clock.now(), ~privileged)
    return _number(query)


def count_unseen_users(days: int) -> int:
    """How many registered users have not been seen for ``days`` days; who never was, since they were added."""
    since = clock.now() - timedelta(days=days)
    last_sign = func.coalesce(User.last_seen_at, User.created_at)
    query = select(func.count()).select_from(User).where(User.deleted_at.is_(None), last_sign <= since)
    return _number(query)
