"""Find an X server without a screen and what Qt needs to draw on it, or install them; ``make test`` begins with it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

DEBIAN_PACKAGES = (
    *("xvfb", "xkb-data", "libxcb-cursor0", "libxcb-icccm4", "libxcb-image0", "libxcb-keysyms1", "libxcb-randr0"),
    *("libxcb-render-util0", "libxcb-shape0", "libxcb-shm0", "libxcb-sync1", "libxcb-xfixes0", "libxcb-xkb1"),
    *("libxkbcommon-x11-0", "libegl1", "libgl1", "libdbus-1-3", "libfontconfig1", "libglib2.0-0"),
)
DOWNLOAD_SECONDS = 600
PATIENCE = 30
SIZE = (1280, 900)
NONE_FOUND = (
    "The desktop application's end-to-end test needs Xvfb and the libraries that Qt draws with on X11, and they could"
    " neither be found nor installed.\n"
    f"Debian, Ubuntu: apt install {' '.join(DEBIAN_PACKAGES)}\n"
    "Fedora: dnf install xorg-x11-server-Xvfb libxkbcommon-x11 xcb-util-cursor xcb-util-image xcb-util-keysyms"
    " xcb-util-renderutil xcb-util-wm mesa-libEGL"
)
_QT_STARTS = "from PySide6.QtWidgets import QApplication; QApplication([])"


class ScreenMissingError(Exception):
    """There is no screen to draw on; the text says what to do."""


@contextmanager
def display() -> Iterator[str]:
    """Run an X server that draws into memory, on a number that nobody uses; gives its name, such as ``:7``.

    Raises:
        ScreenMissingError: there is none.
    """
    program = shutil.which("Xvfb")
    if program is None:
        raise ScreenMissingError(NONE_FOUND)
    screen = f"{SIZE[0]}x{SIZE[1]}x24"
    command = [program, "-displayfd", "1", "-screen", "0", screen, "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert server.stdout is not None
    try:
        number = server.stdout.readline().strip()  # written once it listens; nothing where it does not start
        if not number:
            raise ScreenMissingError(NONE_FOUND)
        yield f":{number.decode()}"
    finally:
        server.terminate()
        server.wait(PATIENCE)
        server.stdout.close()


def find_screen() -> None:
    """Return where Qt can draw on such a server.

    Raises:
        ScreenMissingError: it cannot.
    """
    with display() as name:
        environment = {**os.environ, "DISPLAY": name, "QT_QPA_PLATFORM": "xcb"}
        started = subprocess.run(
            [sys.executable, "-c", _QT_STARTS], env=environment, capture_output=True, timeout=PATIENCE, check=False
        )
    if started.returncode != 0:
        raise ScreenMissingError(f"{started.stderr.decode(errors='replace')}\n{NONE_FOUND}")


def ensure_screen() -> None:
    """Return where Qt can draw on an X server, installing what is missing where that is possible.

    Raises:
        ScreenMissingError: it cannot, and nothing could be installed.
    """
    try:
        find_screen()
    except ScreenMissingError:
        if shutil.which("apt-get") is None or os.geteuid() != 0:
            raise
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends", *DEBIAN_PACKAGES]):
            subprocess.run(["apt-get", *command], env=environment, timeout=DOWNLOAD_SECONDS, check=False)
        find_screen()


if __name__ == "__main__":
    try:
        ensure_screen()
    except ScreenMissingError as error:
        sys.exit(str(error))
    sys.stdout.write("The desktop application's tests draw on Xvfb.\n")
