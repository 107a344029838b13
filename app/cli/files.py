"""Files that commands write: new ones only, complete or not at all."""

import os
from contextlib import suppress
from pathlib import Path

from app.refusal import Reason, Refusal
from app.translation import N_

SECRET = 0o600
"""Mode of what its owner alone may read."""
SHARED = 0o644
FILE_EXISTS = Reason(
    "file_exists",
    N_("%(file)s is there already."),
    N_("Choose another name or folder: what is there is never overwritten."),
)
FILE_UNUSABLE = Reason(
    "file_unusable",
    N_("%(file)s cannot be written or read: %(error)s."),
    N_("Check that the folder exists and that you may write to it."),
)


def make_folder(folder: Path, mode: int = 0o700) -> None:
    """Create ``folder`` where it is missing; raises Refusal ``file_unusable``."""
    try:
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
    except OSError as error:
        raise unusable(folder, error) from error


def write_new(path: Path, content: bytes, mode: int) -> None:
    """Create ``path`` with ``content``; what is there already is left alone, whoever else creates it meanwhile.

    Raises Refusal ``file_exists`` or ``file_unusable``; then nothing of it is left behind.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError as error:
        raise Refusal(FILE_EXISTS, file=str(path)) from error
    except OSError as error:
        raise unusable(path, error) from error
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        with suppress(OSError):
            path.unlink()
        raise unusable(path, error) from error


def replace(path: Path, content: bytes, mode: int) -> None:
    """Put ``content`` in place of ``path`` at once, so that nobody reads half of it; raises as ``write_new``."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    write_new(beside, content, mode)
    try:
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise unusable(path, error) from error


def unusable(path: Path, error: OSError) -> Refusal:
    """Say that ``path`` cannot be used, in the words of the operating system."""
    return Refusal(FILE_UNUSABLE, file=str(path), error=error.strerror or str(error))
