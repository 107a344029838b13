"""Where the token is kept: the system's key store, or, where there is none, a file that only this user can read."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import keyring
import keyring.errors

SERVICE = "timetracker-desktop"


class KeyStore(Protocol):
    """What ``keyring`` offers."""

    def get_password(self, service: str, username: str, /) -> str | None:
        """The secret of a user of a service."""

    def set_password(self, service: str, username: str, password: str, /) -> None:
        """Keep it."""

    def delete_password(self, service: str, username: str, /) -> None:
        """Forget it."""


@dataclass(frozen=True, slots=True)
class TokenStore:
    """The token of one server at a time."""

    file: Path
    """The fall-back."""
    system: KeyStore = keyring

    @property
    def is_in_file(self) -> bool:
        """Whether the token lies in the file, unencrypted: the window says so."""
        return self.file.exists()

    def read(self, server: str) -> str | None:
        """The token, or None."""
        if self.is_in_file:
            return self._read_file(server)
        try:
            return self.system.get_password(SERVICE, server)
        except (keyring.errors.KeyringError, OSError, RuntimeError):
            return None

    def write(self, server: str, token: str) -> None:
        """Keep the token: in the system's key store if it gives it back, else in the file."""
        if self._write_system(server, token):
            self.file.unlink(missing_ok=True)
            return
        self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = self.file.with_suffix(".new")
        new.unlink(missing_ok=True)
        # Made with its mode: there is no instant at which others could open it.
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(f"{server}\n{token}\n")
        new.replace(self.file)

    def delete(self, server: str) -> None:
        """Forget the token, wherever it is."""
        self.file.unlink(missing_ok=True)
        try:
            self.system.delete_password(SERVICE, server)
        except (keyring.errors.KeyringError, OSError, RuntimeError):
            return  # it was in the file, or the store is locked and the server has ended the token anyway

    def _write_system(self, server: str, token: str) -> bool:
        try:
            self.system.set_password(SERVICE, server, token)
            return self.system.get_password(SERVICE, server) == token  # keyring's null back end takes and forgets
        except (keyring.errors.KeyringError, OSError, RuntimeError):
            return False

    def _read_file(self, server: str) -> str | None:
        owner, _, token = self.file.read_text(encoding="utf-8").partition("\n")
        return token.strip() if owner == server else None
