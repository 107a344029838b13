"""The list of users: every order, every filter, every page, compared with plain Python, on both engines."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from flask import Flask
from sqlalchemy import insert

from app.auth.folding import fold, search_text
from app.auth.models import User, UserPermission
from app.database import write_transaction
from app.security import SYSTEM_ADMINISTRATOR
from app.settings.users import listing
from app.settings.users.cursor import Cursor, decode
from app.settings.users.listing import ListQuery, Order, Privilege, Seen, State, read_page

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
SURNAMES = ["森", "山本", "Mori", "Sakai", "Ångström", "😀"]


def added_at(number: int) -> datetime:
    return NOW - timedelta(days=200 if number % 2 else 10)


def row(number: int, chance: random.Random) -> dict[str, object]:
    name = f"{chance.choice(SURNAMES)} {chance.choice(['太郎', 'Mio', 'Ken'])}"
    login = f"{chance.choice('abk')}.user{number}"
    email = f"{login}@example.jp" if chance.random() < 0.6 else None
    return {
        "login": login,
        "login_key": fold(login),
        "name": name,
        "name_key": fold(name),
        "email": email,
        "email_key": fold(email) if email else None,
        "search_text": search_text(fold(login), fold(name), fold(email) if email else None),
        "created_at": added_at(number),
        "last_seen_at": NOW - timedelta(days=chance.randrange(0, 200, 5)) if chance.random() < 0.7 else None,
        "deleted_at": NOW - timedelta(days=chance.randrange(5)) if chance.random() < 0.3 else None,
    }


@pytest.fixture
def people(app: Flask) -> list[listing.ListedUser]:
    chance = random.Random(7)  # noqa: S311 - an example, no secret
    rows = [{"id": number, **row(number, chance)} for number in range(1, 61)]
    privileged = {number for number in range(1, 61) if chance.random() < 0.2}
    with app.app_context(), write_transaction() as session:
        session.execute(insert(User), rows)
        permissions = [{"user_id": number, "permission": SYSTEM_ADMINISTRATOR} for number in privileged]
        session.execute(insert(UserPermission), permissions)
    return [
        listing.ListedUser(
            each["id"], each["login"], each["name"], each["email"], each["id"] in privileged,
            each["last_seen_at"], each["deleted_at"],
        )
        for each in rows
    ]  # fmt: skip


def wanted(people: list[listing.ListedUser], query: ListQuery) -> list[int]:
    """What the list is by definition."""

    def fits(user: listing.ListedUser) -> bool:
        text = search_text(fold(user.login), fold(user.name), fold(user.email) if user.email else None)
        age = NOW - user.last_seen_at if user.last_seen_at else timedelta.max
        missed = NOW - (user.last_seen_at or added_at(user.user_id))
        return (
            (user.deleted_at is not None) == (query.state is State.DELETED)
            and all(word in text for word in fold(query.search).split())
            and {"": True, "administrators": user.is_system_administrator}.get(
                query.privilege, not user.is_system_administrator
            )
            and {"": True, "lately": age <= timedelta(30), "long_ago": missed > timedelta(90)}.get(
                query.seen, user.last_seen_at is None
            )
        )

    key = fold(query.search)

    def indexed(user: listing.ListedUser) -> str | None:
        return None if query.state is State.DELETED else user.email

    sections: dict[Order, Callable[[listing.ListedUser], int]] = {
        Order.BEST: lambda user: [
            *(bool(text and fold(text).startswith(key)) for text in (user.name, user.login, indexed(user))), True
        ].index(True),
        Order.EMAIL: lambda user: int(user.email is None),
        Order.SEEN: lambda user: int(user.last_seen_at is None),
        Order.PRIVILEGE: lambda user: int(user.is_system_administrator is query.descending),
    }  # fmt: skip

    def section(user: listing.ListedUser) -> int:
        return sections[query.order](user) if query.order in sections else 0

    def value(user: listing.ListedUser) -> object:
        number = section(user)
        if query.order is Order.BEST:
            added = user.user_id if query.state is State.ACTIVE else fold(user.name)
            return added if number == 3 else fold([user.name, user.login, user.email or ""][number])
        if query.order in (Order.EMAIL, Order.SEEN) and number == 0:
            return fold(user.email or "") if query.order is Order.EMAIL else user.last_seen_at
        return user.deleted_at if query.order is Order.DELETED else fold(user.name)

    fitting = [user for user in people if fits(user)]
    ordered: list[int] = []
    down = query.descending and query.order is not Order.PRIVILEGE
    for number in range(4):
        part = [user for user in fitting if section(user) == number]
        part.sort(key=lambda user: (value(user), user.user_id), reverse=down)
        ordered.extend(user.user_id for user in part)
    return ordered


def queries() -> list[ListQuery]:
    found = []
    for state, search, privilege, seen in product(State, ("", "mori", "山", "o m", "example", "zq"), Privilege, Seen):
        if state is State.DELETED and seen:
            continue
        for order, down in product(Order, (False, True)):
            if (order is Order.BEST and (not search or down)) or (order is Order.DELETED) != (state is State.DELETED):
                continue
            found.append(ListQuery(state, search, privilege, seen, order, down, size=7))
    return found


@pytest.mark.parametrize("stride", [1_000, 5])
def test_every_list_is_complete_in_order_and_the_same_backwards(
    app: Flask, people: list[listing.ListedUser], stride: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A short stride makes the small list take the ways of a long one."""
    monkeypatch.setattr(listing, "_STRIDE", stride)
    monkeypatch.setattr(listing, "_LONG_STRIDE", 2 * stride)
    monkeypatch.setattr(listing, "_FEW", 3)
    chance = random.Random(stride)  # noqa: S311 - an example, no secret
    with app.app_context():
        for query in chance.sample(queries(), 120):
            forward, pages = walk(query)
            assert forward == wanted(people, query), query
            assert walk_back(query, pages) == pages[:-1][::-1], query


def walk(query: ListQuery) -> tuple[list[int], list[tuple[int, ...]]]:
    seen: list[int] = []
    pages: list[tuple[int, ...]] = []
    page = read_page(query, NOW)
    while True:
        ids = tuple(user.user_id for user in page.users)
        seen.extend(ids)
        pages.append(ids)
        if page.next is None:
            return seen, pages
        page = read_page(ListQuery(*parts(query), after=again(page.next), size=query.size), NOW)


def walk_back(query: ListQuery, pages: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    page = read_page(query, NOW)
    while page.next is not None:
        page = read_page(ListQuery(*parts(query), after=page.next, size=query.size), NOW)
    back = []
    while page.previous is not None:
        page = read_page(ListQuery(*parts(query), before=again(page.previous), size=query.size), NOW)
        back.append(tuple(user.user_id for user in page.users))
    assert len(back) == len(pages) - 1
    return back


def parts(query: ListQuery) -> tuple[State, str, Privilege, Seen, Order, bool]:
    return query.state, query.search, query.privilege, query.seen, query.order, query.descending


def again(cursor: Cursor) -> Cursor:
    read = decode(cursor.encode())
    assert read == cursor
    return read


def test_a_user_added_meanwhile_neither_repeats_nor_hides_anybody(app: Flask, people: list[listing.ListedUser]) -> None:
    query = ListQuery(size=7)
    with app.app_context():
        before = wanted(people, query)
        page = read_page(query, NOW)
        with write_transaction() as session:
            first, last = row(900, random.Random(1)), row(901, random.Random(2))  # noqa: S311 - examples
            session.execute(
                insert(User),
                [
                    {"id": 900, **first, "name_key": "\0", "deleted_at": None} | {"name_key": " "},
                    {"id": 901, **last, "name_key": "\U0010fffd", "deleted_at": None},
                ],
            )
        seen = [user.user_id for user in page.users]
        while page.next is not None:
            page = read_page(ListQuery(size=7, after=page.next), NOW)
            seen.extend(user.user_id for user in page.users)

    assert seen == [*before, 901]


@pytest.mark.parametrize(
    "text", ["", "a", "!!!!", "=" * 10, "W10", "bnVsbA", "WzAsInMiLCJhXHUwMDAwIiwxXQ", "A" * 5000, "é"]
)
def test_a_cursor_that_this_application_has_not_made_is_none(text: str) -> None:
    assert decode(text) is None
