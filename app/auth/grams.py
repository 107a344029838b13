"""The index that substring search goes by: runs of one, two and three characters, on both engines.

SQLite's own trigram tokenizer finds nothing for two characters, which is how long many Japanese names are, and
PostgreSQL has ``pg_trgm`` only where somebody has installed it. So the runs ("grams") of each line of
``users.search_text`` are indexed here by what every SQLite and PostgreSQL brings along: an FTS5 table that triggers
keep, and a GIN index over a function. Either names candidates; ``LIKE`` has the last word.

Pure: text and SQL, neither Flask nor SQLAlchemy.
"""

LONGEST = 3
TABLE = "users_search"
_LINE_END = 10  # the character that search_text puts between login, name and e-mail


def grams(word: str) -> tuple[str, ...]:
    """The runs that every text with ``word`` in it has: the word itself where it is short, else all its trigrams."""
    length = min(LONGEST, len(word))
    return tuple(dict.fromkeys(word[start : start + length] for start in range(len(word) - length + 1)))


def fts_query(words: tuple[str, ...]) -> str:
    """An FTS5 query for the rows that have every run of every word.

    A run is written as the code points of its characters in hexadecimal, so that no tokenizer can fold, split or
    drop anything in it: ``ab`` is ``61z62``.
    """
    tokens = ("z".join(f"{ord(character):x}" for character in gram) for word in words for gram in grams(word))
    return " AND ".join(f'"{token}"' for token in dict.fromkeys(tokens))


def _tokens_of(text: str) -> str:
    """SQL for all tokens of the column ``text``, joined by spaces; runs across a line's end are left out."""
    return f"""(
        WITH RECURSIVE place (i) AS (
            SELECT 1 UNION ALL SELECT i + 1 FROM place WHERE i < length({text})
        ), code (a, b, c) AS (
            SELECT unicode(substr({text}, i, 1)), unicode(substr({text}, i + 1, 1)), unicode(substr({text}, i + 2, 1))
            FROM place
        )
        SELECT group_concat(
            printf('%x', a)
            || CASE WHEN b IS NULL OR b = {_LINE_END} THEN '' ELSE printf(' %xz%x', a, b)
            || CASE WHEN c IS NULL OR c = {_LINE_END} THEN '' ELSE printf(' %xz%xz%x', a, b, c) END END,
            ' '
        )
        FROM code WHERE a <> {_LINE_END}
    )"""


SQLITE_TABLE = f"""
    CREATE VIRTUAL TABLE {TABLE}
    USING fts5(grams, content = '', detail = none, columnsize = 0, tokenize = 'ascii')"""
_FORGET = f"INSERT INTO {TABLE} ({TABLE}, rowid, grams) VALUES ('delete', OLD.id, {_tokens_of('OLD.search_text')});"
_LEARN = f"INSERT INTO {TABLE} (rowid, grams) VALUES (NEW.id, {_tokens_of('NEW.search_text')});"
SQLITE_TRIGGERS = {
    "users_search_insert": f"AFTER INSERT ON users BEGIN {_LEARN} END",
    "users_search_delete": f"AFTER DELETE ON users BEGIN {_FORGET} END",
    "users_search_update": f"""
        AFTER UPDATE OF id, search_text ON users WHEN (OLD.id, OLD.search_text) <> (NEW.id, NEW.search_text)
        BEGIN {_FORGET} {_LEARN} END""",
}
"""Triggers by name, as ``app.database`` takes them: a plain SQL ``INSERT`` is found as well."""

SQLITE_REBUILD = (
    f"INSERT INTO {TABLE} ({TABLE}) VALUES ('delete-all')",
    f"INSERT INTO {TABLE} (rowid, grams) SELECT id, {_tokens_of('users.search_text')} FROM users",  # noqa: S608 - constants
)
"""Statements that index every user anew."""

POSTGRESQL_FUNCTION = """
    CREATE OR REPLACE FUNCTION search_grams(text) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT COST 1000 AS $$
        SELECT array_agg(DISTINCT substr(line, start, length))
        FROM unnest(string_to_array($1, E'\\n')) AS line,
             generate_series(1, 3) AS length,
             generate_series(1, char_length(line) - length + 1) AS start
    $$"""
"""Not PARALLEL SAFE and costly, so that the planner goes by the index, alone and at once: starting two workers takes
ten times as long as the answer, and a sequential scan would compute the function a million times."""
POSTGRESQL_INDEX = "CREATE INDEX ix_users_search ON users USING gin (search_grams(search_text))"
