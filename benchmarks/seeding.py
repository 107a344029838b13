"""Many users in seconds: inserted in bulk with the triggers out of the way, then counted and indexed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, text

from app.auth import grams
from app.auth.folding import fold, search_text
from app.database import create_triggers

BATCH = 10_000
_FAMILY = [
    "佐藤",
    "鈴木",
    "高橋",
    "田中",
    "伊藤",
    "渡辺",
    "山本",
    "中村",
    "小林",
    "加藤",
    "吉田",
    "山田",
    "佐々木",
    "山口",
    "松本",
    "井上",
    "木村",
    "林",
    "斎藤",
    "清水",
    "Kitamura",
    "Okafor",
    "Lindqvist",
    "Moreau",
    "Fernandes",
    "Novak",
    "Schneider",
    "Rossi",
    "Yilmaz",
    "Haddad",
    "Ivanova",
    "O'Brien",
    "Nguyen",
    "Silva",
]
_GIVEN = [
    "陽菜",
    "蓮",
    "葵",
    "大翔",
    "結衣",
    "悠真",
    "美咲",
    "健太",
    "さくら",
    "翔太",
    "花子",
    "一郎",
    "真央",
    "拓海",
    "彩",
    "Mio",
    "Haruka",
    "Ada",
    "Bengt",
    "Chloé",
    "Dário",
    "Emil",
    "Frieda",
    "Giulia",
    "Hasan",
    "Irina",
    "Jonas",
    "Kaja",
    "Linh",
    "Mateus",
    "Noor",
]
RARE_EVERY = 20_000
RARE_NAME = "鳳凰"


def users(number: int) -> Iterator[dict[str, object]]:
    """Rows of ``users``: two of three with an e-mail address, three of four seen, one of a hundred deleted."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for index in range(number):
        family, given = _FAMILY[index * 7 % len(_FAMILY)], _GIVEN[index * 11 % len(_GIVEN)]
        name = f"{family} {RARE_NAME if index % RARE_EVERY == 1 else given} {index % 9973}"
        login = f"u{index * 7919 % 10_000_019:08d}"
        email = f"{login}@example.org" if index % 3 else None
        yield {
            "login": login,
            "login_key": login,
            "name": name,
            "name_key": fold(name),
            "email": email,
            "email_key": email,
            "search_text": search_text(login, fold(name), email),
            "theme": "auto",
            "created_at": start,
            "last_seen_at": start + timedelta(seconds=index * 13 % 25_000_000) if index % 4 else None,
            "deleted_at": start + timedelta(seconds=index) if index % 100 == 99 else None,
        }


def add_users(engine: Engine, number: int, *, searchable: bool) -> None:
    """Insert so many users; without ``searchable`` no search finds them."""
    with engine.connect().execution_options(timetracker_writes=True) as connection, connection.begin():
        is_sqlite = connection.dialect.name == "sqlite"
        _suspend(connection, is_sqlite=is_sqlite)
        _insert(connection, number, is_sqlite=is_sqlite)
        connection.execute(
            text("UPDATE seat_count SET registered_users = (SELECT count(*) FROM users WHERE deleted_at IS NULL)")
        )
        if searchable:
            _index(connection, is_sqlite=is_sqlite)
        create_triggers(connection)
    analyze(engine)


def analyze(engine: Engine) -> None:
    """Let the planner know what is there; PostgreSQL also which pages everybody sees, so that indexes alone answer."""
    if engine.dialect.name == "sqlite":
        raw = engine.raw_connection()
        raw.driver_connection.execute("ANALYZE")  # type: ignore[union-attr]  # sqlite3's own: ours begins a transaction
        raw.close()
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _suspend(connection: Connection, *, is_sqlite: bool) -> None:
    if not is_sqlite:
        connection.execute(text("ALTER TABLE users DISABLE TRIGGER USER"))
        connection.execute(text("DROP INDEX ix_users_search"))
        return
    triggers = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'users'"))
    for name in triggers.scalars().all():
        connection.execute(text(f"DROP TRIGGER {name}"))


def _insert(connection: Connection, number: int, *, is_sqlite: bool) -> None:
    batch: list[dict[str, object]] = []
    for row in users(number):
        batch.append(row)
        if len(batch) == BATCH:
            _write(connection, batch, is_sqlite=is_sqlite)
            batch = []
    if batch:
        _write(connection, batch, is_sqlite=is_sqlite)


def _write(connection: Connection, batch: list[dict[str, object]], *, is_sqlite: bool) -> None:
    columns = ", ".join(batch[0])
    cursor = connection.connection.driver_connection.cursor()  # type: ignore[union-attr]  # the driver's own: faster
    if is_sqlite:
        marks = ", ".join("?" * len(batch[0]))
        statement = f"INSERT INTO users ({columns}) VALUES ({marks})"  # noqa: S608 - names of columns
        cursor.executemany(statement, [tuple(map(_as_sqlite, row.values())) for row in batch])
        return
    with cursor.copy(f"COPY users ({columns}) FROM STDIN") as copy:
        for row in batch:
            copy.write_row(tuple(row.values()))


def _as_sqlite(value: object) -> object:
    """A value as ``UtcDateTime`` would store it."""
    return value.strftime("%Y-%m-%d %H:%M:%S.000000") if isinstance(value, datetime) else value


def _index(connection: Connection, *, is_sqlite: bool) -> None:
    if is_sqlite:
        driver = connection.connection.driver_connection
        driver.create_function(grams.TOKENS_FUNCTION, 1, grams.tokens, deterministic=True)  # type: ignore[union-attr]  # sqlite3's own
    for statement in grams.SQLITE_REBUILD if is_sqlite else (grams.POSTGRESQL_INDEX,):
        connection.exec_driver_sql(statement)
