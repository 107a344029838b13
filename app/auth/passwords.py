"""Password hashing and the rules for a password: Argon2id, and nothing that is easy to guess.

Parameters are those of the OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane. The rules follow OWASP
ASVS 5.0, 6.2.1 and 6.2.4: length, no rules of composition, and a check against common passwords.
"""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.auth.reasons import PASSWORD_TOO_LONG, PASSWORD_TOO_SHORT, PASSWORD_TOO_WEAK
from app.refusal import Refusal

MINIMUM_LENGTH = 10
MAXIMUM_LENGTH = 128
_LEAST_SCORE = 2  # zxcvbn: 10^6 guesses do not find it
_GUESSED_LENGTH = 24  # zxcvbn takes seconds for some longer ones; the rest only makes a password stronger
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def hash_password(password: str) -> str:
    """Return the Argon2id hash of ``password`` with its parameters and a salt of its own."""
    return _hasher.hash(password.encode("utf-8", "surrogatepass"))


@cache
def _hash_of_nobody() -> str:
    return hash_password("nobody has this password")


def password_matches(password_hash: str | None, password: str) -> bool:
    """Whether ``password`` is the one that was hashed. Takes the same time where there is no hash to compare."""
    try:
        _hasher.verify(password_hash or _hash_of_nobody(), password.encode("utf-8", "surrogatepass"))
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def prepare_hasher() -> None:
    """Hash the password of nobody once, before the first log-in, so that an unknown login is not seen by its time."""
    _hash_of_nobody()


def check_password_rules(password: str, *, personal: tuple[str, ...], field: str) -> None:
    """Refuse a password that is too short, too long or easy to guess.

    Args:
        password: what was typed.
        personal: login, name and e-mail, which make no good password.
        field: name of the form field.

    Raises:
        Refusal: with one of the ``password_…`` codes.
    """
    if len(password) < MINIMUM_LENGTH:
        raise Refusal(PASSWORD_TOO_SHORT, field=field, minimum=MINIMUM_LENGTH)
    if len(password) > MAXIMUM_LENGTH:
        raise Refusal(PASSWORD_TOO_LONG, field=field, maximum=MAXIMUM_LENGTH)
    from zxcvbn import zxcvbn  # noqa: PLC0415 - its word lists cost 10 MB and 100 ms, which only this rule is to pay

    if zxcvbn(password[:_GUESSED_LENGTH], user_inputs=[word for word in personal if word])["score"] < _LEAST_SCORE:
        raise Refusal(PASSWORD_TOO_WEAK, field=field)
