"""Processes that do one thing after another and are killed in the midst of it, at any point, over and over.

The process works in children: for every line ``FIRST`` on its standard input it forks one, which does what it does from
number FIRST on, and says of each on standard output that it begins (``try N``) and that it is through (``done N``), as
the answer to whoever asked for it would.
"""

import math
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import Flask
from sqlalchemy import create_engine, text

from app.database import drop_connections, write_transaction
from app.settings.models import lock_installation
from tests.process.server import CHECKOUT, environment_of

MOST_A_ROUND = 3
"""The thing in which a process is killed is one of so many, counted from the second."""


def serve(app: Flask, count: int, act: Callable[[int], object]) -> None:
    """What the process is busy with: serve one line after another, with things number 0 to ``count - 1``."""
    _say("ready")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            drop_connections(app)
            with app.app_context():
                for number in range(int(line), count):
                    _say(f"try {number}")
                    act(number)
                    _say(f"done {number}")
            _say("end")
            os._exit(0)
        _say(f"child {child}")
        os.waitpid(child, 0)
        _say("over")


def _say(said: str) -> None:
    os.write(1, f"{said}\n".encode())


@contextmanager
def victim(app: Flask, module: str, *arguments: str) -> "Iterator[subprocess.Popen[str]]":
    """Start a process that runs ``serve``, with the database, keys and secret of ``app``."""
    with subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        env=environment_of(app),
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0


def kill_once(process: "subprocess.Popen[str]", first: int, chance: random.Random) -> list[int]:
    """Let a child do things from ``first`` on and kill it at some point of one; which ones it said were done.

    The point is chosen as a part of the time that one takes at best, so that it may be any on any machine, and a moment
    in which the machine stood still does not put it off.
    """
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{first}\n")
    process.stdin.flush()
    done: list[int] = []
    last = first + chance.randint(1, MOST_A_ROUND)
    child = 0
    begun, taken = 0.0, math.inf
    killer: threading.Timer | None = None
    for line in process.stdout:
        word, _, value = line.strip().partition(" ")
        if word == "child":
            child = int(value)
        elif word == "done":
            done.append(int(value))
            taken = min(taken, time.monotonic() - begun)
        elif word == "try":
            begun = time.monotonic()
            if int(value) == last:
                killer = threading.Timer(chance.uniform(0, 1.2) * taken, os.kill, (child, signal.SIGKILL))
                killer.start()
        elif word == "over":
            break
        assert word != "end", "it was never killed"
    assert killer is not None
    killer.join()
    return done


def check_sound(app: Flask) -> None:
    """The database has taken no harm."""
    with app.app_context(), write_transaction() as session:
        lock_installation(session)  # a COMMIT that PostgreSQL had received already is through once this is granted
    if app.config["SQLALCHEMY_DATABASE_URI"].get_backend_name() != "sqlite":
        return
    engine = create_engine(app.config["SQLALCHEMY_DATABASE_URI"])
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA integrity_check")).scalars().all() == ["ok"]
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
    engine.dispose()
