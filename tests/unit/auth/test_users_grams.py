"""The index of substring search: what SQL indexes is what Python looks for."""

import sqlite3

import pytest

from app.auth import grams

TEXTS = [
    "t.mori\n森 太郎\nt.mori@example.jp",
    "a\nb\n",
    "x\n😀 é\n",
    "quote\"\n%_*\\ '\n",
    "林\n林\n",
]


@pytest.fixture
def database() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, search_text TEXT NOT NULL)")
    connection.execute(grams.SQLITE_TABLE)
    for name, body in grams.SQLITE_TRIGGERS.items():
        connection.execute(f"CREATE TRIGGER {name} {body}")
    connection.create_function(grams.TOKENS_FUNCTION, 1, grams.tokens)
    return connection


def found(database: sqlite3.Connection, *words: str) -> list[int]:
    rows = database.execute("SELECT rowid FROM users_search WHERE users_search MATCH ?", (grams.fts_query(words),))
    return sorted(row[0] for row in rows)


@pytest.mark.parametrize("text", TEXTS)
def test_every_run_of_a_text_finds_it_and_none_across_its_lines(database: sqlite3.Connection, text: str) -> None:
    database.execute("INSERT INTO users VALUES (1, ?)", (text,))

    for start in range(len(text)):
        for end in range(start + 1, min(len(text), start + 6) + 1):
            run = text[start:end]
            if "\n" not in run:
                assert found(database, run) == [1], run
    assert found(database, "zq") == []


def test_a_short_word_does_not_match_a_longer_code_point(database: sqlite3.Connection) -> None:
    database.execute("INSERT INTO users VALUES (1, ?)", ("\u0616",))  # "a" is 61, this is 616

    assert found(database, "a") == []


def test_changing_and_deleting_a_user_forgets_the_old_text(database: sqlite3.Connection) -> None:
    database.execute("INSERT INTO users VALUES (1, '森 太郎'), (2, '林 太郎')")
    database.execute("UPDATE users SET search_text = '森田 花子' WHERE id = 1")
    assert (found(database, "太郎"), found(database, "花子"), found(database, "森")) == ([2], [1], [1])

    database.execute("DELETE FROM users WHERE id = 1")
    assert (found(database, "森"), found(database, "太郎")) == ([], [2])


def test_the_index_built_at_once_is_the_one_that_the_triggers_build(database: sqlite3.Connection) -> None:
    database.executemany("INSERT INTO users (search_text) VALUES (?)", [(text,) for text in TEXTS])
    words = ["森", "太郎", "mori", "😀", '"', "%_", "\\", "林"]
    before = [found(database, word) for word in words]

    for statement in grams.SQLITE_REBUILD:
        database.execute(statement)

    assert [found(database, word) for word in words] == before
    database.execute("DELETE FROM users")
    assert [found(database, word) for word in words] == [[]] * len(words)
