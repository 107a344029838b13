"""Log-ins a second, beside what the password hash alone allows.

Several people log in at a time, as many as keep every core of the machine busy: a second is not spent waiting for one
of them, be it for the disk or for another process. A PostgreSQL runs on the same machine here and takes its share of
the cores away from hashes, which it would not where it has a machine of its own; so there the target holds for the time
that this process is at the processor.
"""

import os
import re
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from app.auth.passwords import hash_password, password_matches
from benchmarks.ground import ENGINES, LOGIN, PASSWORD, Ground, page
from benchmarks.measure import Result, of_values, take_turns

TARGET = 0.85
THREADS = 2 * (os.cpu_count() or 1)
TURNS = 3  # of each thread in one measurement
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def measure(ground: Ground, *, quick: bool) -> Iterator[Result]:
    """A POST of the form, from its first byte to its last, with the session that it starts."""
    blocks, calls = (5, 3) if quick else (15, 5)
    hashed = hash_password(PASSWORD)
    for engine in ENGINES:
        app = ground.application(engine)
        client = app.test_client()
        client.get("/login")
        found = _TOKEN.search(client.get("/login").text)
        if found is None:
            raise AssertionError("the log-in page has no token")
        cookie = client.get_cookie(app.config["SESSION_COOKIE_NAME"])
        if cookie is None:
            raise AssertionError("the log-in page sets no cookie")
        form = {"login": LOGIN, "password": PASSWORD, "csrf_token": found[1]}
        log_in = page(app, "/login", f"{cookie.key}={cookie.value}", form)
        status, body = log_in()
        if not status.startswith("303"):
            raise AssertionError(f"{status} {body[:300]!r}")
        with ThreadPoolExecutor(THREADS) as pool:
            hash_alone = partial(password_matches, hashed, PASSWORD)
            pairs = take_turns(
                partial(_at_once, pool, log_in), partial(_at_once, pool, hash_alone), blocks=blocks, calls=calls
            )
        a_second = [THREADS * TURNS / statistics.median(times) for times in (pairs.first, pairs.second)]
        note = f"{a_second[0]:.0f} log-ins/s, {a_second[1]:.0f} hashes/s"
        target = TARGET if engine == "sqlite" else None
        yield of_values(f"log-ins / hashes alone, {engine}", pairs.ratios, target=target, note=note)
        shares = [_own_time(hash_alone) / _own_time(log_in) for _ in range(blocks * calls)]
        name = f"log-ins / hashes alone, this process's own time, {engine}"
        yield of_values(name, shares, target=TARGET)


def _own_time(action: Callable[[], object]) -> float:
    """Seconds for which this thread is at the processor."""
    start = time.thread_time()
    action()
    return time.thread_time() - start


def _at_once(pool: ThreadPoolExecutor, action: Callable[[], object]) -> None:
    for done in [pool.submit(action) for _ in range(THREADS * TURNS)]:
        done.result()
