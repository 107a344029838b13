"""The index that substring search goes by: runs of up to three characters, on both engines.

SQLite's own trigram tokenizer finds nothing for two characters, which is how long many Japanese names are, and
PostgreSQL has ``pg_trgm`` only where somebody has installed it. So the runs ("grams") of each line of
``users.search_text`` are indexed here by what every SQLite and PostgreSQL brings along: an FTS5 table that triggers
keep, and a GIN index over a function. Either names candidates; ``LIKE`` has the last word.

Pure: text and SQL, neither Flask nor SQLAlchemy.
"""

LONGEST = 3
TABLE = "users_search"
INDEX_NAMES = (TABLE, "ix_users_search")
"""How the names of all that belongs to the index begin, the tables that SQLite keeps it in included."""


def grams(word: str) -> tuple[str, ...]:
    """The runs that every text with ``word`` in it has: the word itself where it is short, else all its trigrams."""
    length = min(LONGEST, len(word))
    return tuple(dict.fromkeys(word[start : start + length] for start in range(len(word) - length + 1)))


def tokens(text: str) -> str:
    """What is indexed of ``search_text``, as the triggers write it: one token for each character, joined by spaces."""
    codes = [[f"{ord(character):x}z" for character in line] for line in text.split("\n")]
    return " ".join("".join(line[start : start + LONGEST]) for line in codes for start in range(len(line)))


def fts_query(words: tuple[str, ...]) -> str:
    """An FTS5 query for the rows that have every run of every word.

    A run is written as the code points of its characters in hexadecimal, each ended by a ``z``, so that no tokenizer
    can fold, split or drop anything in it: ``ab`` is ``61z62z``. The index has one run of three for each character,
    shorter only at a line's end; a shorter word is a prefix of some of them.
    """
    tokens = dict.fromkeys(gram for word in words for gram in grams(word))
    return " AND ".join(
        '"' + "".join(f"{ord(character):x}z" for character in gram) + '"' + ("" if len(gram) == LONGEST else " *")
        for gram in tokens
    )


_TOKENS = """(
        WITH RECURSIVE code (i, a, b, c) AS (
            SELECT 1, unicode(@text), unicode(substr(@text, 2, 1)), unicode(substr(@text, 3, 1))
            UNION ALL SELECT i + 1, b, c, unicode(substr(@text, i + 3, 1)) FROM code WHERE b IS NOT NULL
        )
        SELECT group_concat(
            CASE
                WHEN b IS NULL OR b = 10 THEN printf('%xz', a)
                WHEN c IS NULL OR c = 10 THEN printf('%xz%xz', a, b)
                ELSE printf('%xz%xz%xz', a, b, c)
            END,
            ' '
        )
        FROM code WHERE a <> 10
    )"""
"""``tokens`` of the column ``@text`` in SQL; 10 is the line's end that stands between login, name and e-mail."""
_FORGET = """
    INSERT INTO users_search (users_search, rowid, grams) VALUES ('delete', OLD.id, @tokens);
""".replace("@tokens", _TOKENS.replace("@text", "OLD.search_text"))
_LEARN = """
    INSERT INTO users_search (rowid, grams) VALUES (NEW.id, @tokens);
""".replace("@tokens", _TOKENS.replace("@text", "NEW.search_text"))

SQLITE_TABLE = """
    CREATE VIRTUAL TABLE users_search
    USING fts5(grams, content = '', detail = none, columnsize = 0, tokenize = 'ascii')"""
SQLITE_TRIGGERS = {
    "users_search_insert": f"AFTER INSERT ON users BEGIN {_LEARN} END",
    "users_search_delete": f"AFTER DELETE ON users BEGIN {_FORGET} END",
    "users_search_update": f"""
        AFTER UPDATE OF id, search_text ON users WHEN (OLD.id, OLD.search_text) <> (NEW.id, NEW.search_text)
        BEGIN {_FORGET} {_LEARN} END""",
}
"""Triggers by name, as ``app.database`` takes them: a plain SQL ``INSERT`` is found as well."""

TOKENS_FUNCTION = "search_tokens"
SQLITE_REBUILD = (
    "INSERT INTO users_search (users_search) VALUES ('delete-all')",
    "INSERT INTO users_search (rowid, grams) SELECT id, search_tokens(search_text) FROM users",
)
"""Statements that index every user anew; ``tokens`` has to be registered as ``TOKENS_FUNCTION``, for it is five times
as fast as the same in SQL, which the triggers use so that any client can write."""

POSTGRESQL_FUNCTION = """
    CREATE OR REPLACE FUNCTION search_grams(search_text text) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE STRICT COST 1000 AS $$
    DECLARE
        line text;
        grams text[] := '{}';
    BEGIN
        FOREACH line IN ARRAY string_to_array(search_text, E'\\n') LOOP
            FOR start IN 1 .. char_length(line) LOOP
                FOR length IN 1 .. least(3, char_length(line) - start + 1) LOOP
                    grams := grams || substr(line, start, length);
                END LOOP;
            END LOOP;
        END LOOP;
        RETURN grams;
    END $$"""
"""Every run of one, two and three characters. Not PARALLEL SAFE and costly, so that the planner goes by the index,
alone and at once: starting two workers takes ten times as long as the answer, and a sequential scan would compute the
function a million times."""
POSTGRESQL_INDEX = "CREATE INDEX ix_users_search ON users USING gin (search_grams(search_text))"
