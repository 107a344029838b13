"""The first run: a one-time code proves that whoever sets the installation up can also start it."""

import base64
import hashlib
import hmac
from threading import Event

from flask import current_app
from sqlalchemy import exists, select

from app.auth.models import User
from app.config import Settings
from app.database import read_connection
from app.settings.state import read_state

_GROUP = 4
_GROUPS = 4


def setup_code() -> str:
    """The set-up code of this installation, such as ``K7QM-2XFA-9D3P-UV4C``.

    It is derived from the secret key and the installation id, so every worker and node knows it without storing it;
    it is good for one use because ``/setup`` ends with the first user.
    """
    settings: Settings = current_app.extensions["settings"]
    if settings.secret_key is None:
        raise RuntimeError("a set-up code needs a secret key")
    digest = hmac.new(settings.secret_key.encode(), b"set-up\0" + read_state().identifier.encode(), hashlib.sha256)
    letters = base64.b32encode(digest.digest()).decode()[: _GROUP * _GROUPS]
    return "-".join(letters[start : start + _GROUP] for start in range(0, len(letters), _GROUP))


def is_setup_code(typed: str) -> bool:
    """Whether ``typed`` is the set-up code, whatever its case, spaces and dashes; compared in constant time."""
    folded = "".join(character for character in typed.upper() if character.isascii() and character.isalnum())
    return hmac.compare_digest(folded, setup_code().replace("-", ""))


def is_setup_pending() -> bool:
    """Whether there is no user yet. Once there was one, the answer is known without asking the database again."""
    finished: Event = current_app.extensions["setup_finished"]
    if finished.is_set():
        return False
    with read_connection() as connection:
        pending = not connection.execute(select(exists(select(User.id)))).scalar_one()
    if not pending:
        finished.set()
    return pending
