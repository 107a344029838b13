"""gunicorn as configured: starts, refuses to, forks, reloads, stops; and what it makes of broken requests."""

import os
import re
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import downgrade

from app.extensions import db
from app.schema import MIGRATIONS
from tests.conftest import MEMBER, PASSWORD
from tests.process.server import CHECKOUT, PATIENCE, Server, Visitor, environment_of

pytestmark = pytest.mark.process
REQUEST_TIMEOUT = 408


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path, sqlite_templates: dict[str, Path]) -> str:  # noqa: ARG001 - named as the one it replaces
    """What gunicorn does with requests is the same on both engines."""
    path = tmp_path / "test.sqlite3"
    path.write_bytes(sqlite_templates["served"].read_bytes())
    return f"sqlite:///{path}"


def head(method: str, path: str, *lines: str) -> bytes:
    """The head of a request that ends its connection."""
    start = (f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close")
    return ("\r\n".join((*start, *lines)) + "\r\n\r\n").encode()


def statuses(answer: bytes) -> list[int]:
    """The status codes of all answers, interim ones aside."""
    found = [int(code) for code in re.findall(rb"^HTTP/1\.[01] (\d{3})", answer, re.MULTILINE)]
    return [code for code in found if code >= 200]


FORM = "Content-Type: application/x-www-form-urlencoded"
CHUNKED = "Transfer-Encoding: chunked"
MALFORMED = {
    "a chunk size that is no number": head("POST", "/login", FORM, CHUNKED) + b"zz\r\nlogin=a\r\n0\r\n\r\n",
    "a negative chunk size": head("POST", "/login", FORM, CHUNKED) + b"-5\r\nlogin=a\r\n0\r\n\r\n",
    "a chunk longer than it says": head("POST", "/login", FORM, CHUNKED) + b"3\r\nlogin=a\r\n0\r\n\r\n",
    "a second chunk that is malformed": head("POST", "/login", FORM, CHUNKED) + b"7\r\nlogin=a\r\nxyz\r\n0\r\n\r\n",
    "a chunk that ends too early": head("POST", "/login", FORM, CHUNKED) + b"64\r\nlogin=a",
    "no last chunk": head("POST", "/login", FORM, CHUNKED) + b"7\r\nlogin=a\r\n",
    "a body that ends too early": head("POST", "/login", FORM, "Content-Length: 100") + b"login=a",
    "no body at all": head("POST", "/login", FORM, "Content-Length: 100"),
    "length and chunks": head("POST", "/login", FORM, CHUNKED, "Content-Length: 5") + b"5\r\nlogin\r\n0\r\n\r\n",
    "two lengths": head("POST", "/login", FORM, "Content-Length: 5", "Content-Length: 6") + b"login",
    "a length that is no number": head("POST", "/login", FORM, "Content-Length: five") + b"login",
    "a head that is no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "a header without colon": head("GET", "/login", "nonsense"),
    "a multipart body without its end": head(
        "POST", "/login", "Content-Type: multipart/form-data; boundary=x", "Content-Length: 40"
    )
    + b"--x\r\nContent-Disposition: form-data; nam",
}


def test_broken_requests_are_the_client_s_fault_and_never_a_500(licensed_app: Flask) -> None:
    with Server(environment_of(licensed_app)) as server:
        for what, request in MALFORMED.items():
            found = statuses(server.raw(request))
            assert len(found) <= 1, (what, found)
            assert all(400 <= status < 500 for status in found), (what, found)
        for what in ("a chunk size that is no number", "a body that ends too early", "a chunk longer than it says"):
            assert statuses(server.raw(MALFORMED[what])) == [400], what
        assert "Traceback" not in server.log
        assert Visitor(server).get("/login").status == 200


def test_what_is_too_large_is_refused_by_its_own_status(licensed_app: Flask) -> None:
    megabytes = b"x" * 3_000_000
    with Server(environment_of(licensed_app)) as server:
        body = server.raw(head("POST", "/login", FORM, f"Content-Length: {len(megabytes)}"), megabytes)
        assert statuses(body) in ([413], [])  # a client that does not stop to read may see the end of the connection
        announced = server.raw(head("POST", "/login", FORM, f"Content-Length: {len(megabytes)}"), end=False)
        assert statuses(announced) == [413]
        chunks = b"".join(b"10000\r\n" + b"x" * 0x10000 + b"\r\n" for _ in range(20)) + b"0\r\n\r\n"
        assert statuses(server.raw(head("POST", "/login", FORM, CHUNKED), chunks)) in ([413], [])
        assert statuses(server.raw(head("GET", "/login", "X-Long: " + "x" * 9_000))) == [431]
        assert statuses(server.raw(head("GET", "/login", *(f"X-{number}: 1" for number in range(80))))) == [431]
        assert statuses(server.raw(head("GET", "/login?" + "x" * 5_000))) == [414]
        assert "Traceback" not in server.log
        assert Visitor(server).get("/login").status == 200


def test_stalled_bodies_do_not_hold_a_worker_for_good(licensed_app: Flask) -> None:
    """As many visitors as the worker has threads, and more, stop in the middle of what they send."""
    environment = {**environment_of(licensed_app), "TEST_RECEIVE_TIMEOUT": "1"}
    with Server(environment, workers=1) as server, ThreadPoolExecutor(12) as pool:
        request = head("POST", "/login", FORM, "Content-Length: 100") + b"login=a"
        stalled = [pool.submit(server.raw, request, end=False) for _ in range(12)]

        assert Visitor(server).get("/login").status == 200
        assert [statuses(answer.result(PATIENCE)) for answer in stalled] == [[REQUEST_TIMEOUT]] * 12
        assert "Traceback" not in server.log


def test_a_request_in_progress_is_answered_before_it_stops(licensed_app: Flask) -> None:
    with Server(environment_of(licensed_app), workers=1) as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
            # The interim answer says that the worker has taken the request.
            connection.sendall(head("POST", "/login", FORM, "Content-Length: 9", "Expect: 100-continue"))
            assert connection.recv(100).startswith(b"HTTP/1.1 100")
            server.process.send_signal(signal.SIGTERM)
            server.wait_for_log("Handling signal: term")
            connection.sendall(b"login=abc")
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))
        assert statuses(answer) == [400]  # it had no token; what matters is that it was answered
        assert server.process.wait(PATIENCE) == 0


def test_it_stops_on_term_without_a_word_too_many(licensed_app: Flask) -> None:
    server = Server(environment_of(licensed_app))
    with server:
        assert Visitor(server).get("/login").status == 200

    assert server.process.returncode == 0
    assert "Traceback" not in server.log


def test_a_reload_replaces_the_workers_and_keeps_everybody_logged_in(licensed_app: Flask) -> None:
    with Server(environment_of(licensed_app)) as server:
        member = Visitor(server)
        member.log_in(MEMBER, PASSWORD)
        before = set(server.worker_pids())

        server.process.send_signal(signal.SIGHUP)
        after = set(server.wait_for_workers(4)) - before
        for pid in before:
            server.wait_for_log(f"Worker exiting (pid: {pid})")

        assert len(after) == 2
        for worker, connection in server.connections_to_every_worker().items():
            answer = member.get("/", connection)
            assert answer.status == 200
            assert answer.worker == worker
            assert worker in after
        assert "Traceback" not in server.log


def test_a_worker_that_is_killed_is_replaced(licensed_app: Flask) -> None:
    with Server(environment_of(licensed_app)) as server:
        victim, other = server.worker_pids()
        os.kill(victim, signal.SIGKILL)
        server.wait_for_workers(3)

        assert victim not in server.connections_to_every_worker()
        assert other in server.connections_to_every_worker()


def test_without_a_secret_key_it_refuses_to_serve_and_says_how_to_make_one(licensed_app: Flask) -> None:
    environment = environment_of(licensed_app)
    del environment["TIMETRACKER_SECRET_KEY"]
    command = [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", "wsgi:app"]

    done = subprocess.run(
        command, check=False, env=environment, cwd=CHECKOUT, capture_output=True, text=True, timeout=PATIENCE
    )

    assert done.returncode != 0
    assert "SECRET_KEY" in done.stderr
    assert "secrets.token_hex" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_setting_that_is_not_understood_stops_the_start_with_one_sentence(licensed_app: Flask) -> None:
    environment = {**environment_of(licensed_app), "TIMETRACKER_TRUSTED_PROXIES": "many"}
    command = [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", "wsgi:app"]

    done = subprocess.run(
        command, check=False, env=environment, cwd=CHECKOUT, capture_output=True, text=True, timeout=PATIENCE
    )

    assert done.returncode != 0
    assert "TIMETRACKER_TRUSTED_PROXIES" in done.stderr
    assert "Traceback" not in done.stderr


def test_garbage_is_collected_in_what_is_made_after_the_start_alone(licensed_app: Flask) -> None:
    script = "import gc, wsgi; print(gc.isenabled(), gc.get_freeze_count() > 100_000)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        env=environment_of(licensed_app),
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.stdout.split() == ["True", "True"]


def test_preloading_opens_no_database_file_that_workers_would_share(licensed_app: Flask) -> None:
    path = Path(licensed_app.config["SQLALCHEMY_DATABASE_URI"].database)
    with Server(environment_of(licensed_app)) as server:
        for pid in (server.process.pid, *server.worker_pids()):
            assert not open_files(pid, path), pid
        member = Visitor(server)
        member.log_in(MEMBER, PASSWORD)
        for connection in server.connections_to_every_worker().values():
            assert member.get("/", connection).status == 200

        assert not open_files(server.process.pid, path)
        assert all(open_files(pid, path) for pid in server.worker_pids())


def open_files(pid: int, path: Path) -> list[str]:
    """The open files of a process that belong to the SQLite database ``path``."""
    targets = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            targets.append(str(entry.readlink()))
        except FileNotFoundError:
            continue
    return [target for target in targets if target.startswith(str(path))]


def test_with_pending_migrations_it_serves_the_message_alone_and_recovers_without_a_restart(
    licensed_app: Flask,
) -> None:
    with licensed_app.app_context():
        downgrade(directory=str(MIGRATIONS), revision="0001")
        for engine in db.engines.values():
            engine.dispose()
    environment = environment_of(licensed_app)
    with Server(environment) as server:
        member = Visitor(server)
        for address in ("/", "/login", "/setup", "/account", "/settings/users/", "/no/such/page"):
            answer = member.get(address)
            assert answer.status == 503, address
            assert "flask db upgrade" in answer.text
        assert member.get("/healthz").status == 200
        assert member.get("/readyz").status == 503
        assert member.get("/static/rx.css").status == 200

        command = [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"]
        done = subprocess.run(
            command, check=False, env=environment, cwd=CHECKOUT, capture_output=True, text=True, timeout=PATIENCE
        )
        assert done.returncode == 0, done.stderr

        for connection in server.connections_to_every_worker().values():
            assert member.get("/readyz", connection).status == 200
            assert member.get("/login", connection).status == 200
        member.log_in(MEMBER, PASSWORD)
        assert member.get("/").status == 200
