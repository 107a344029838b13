"""How gunicorn serves TimeTracker RX; each setting can be overridden on the command line."""

import os
import signal
import socket
import struct
from typing import Any

from app.database import drop_connections

bind = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "gthread"
threads = 8
preload_app = True
# With keep-alive, connections stick to the worker that accepted them; each worker listening by itself spreads them.
reuse_port = True
# Two instances of one user would share gunicorn's control socket in the home folder.
control_socket_disable = True

timeout = 60
graceful_timeout = 30
keepalive = 5
limit_request_line = 4094
limit_request_fields = 60
limit_request_field_size = 8190
max_requests = 20_000
max_requests_jitter = 2_000

# The path without its query, and neither cookies nor referrer: nothing here is a secret.
accesslog = os.environ.get("ACCESS_LOG") or None
access_log_format = '%(h)s %(t)s "%(m)s %(U)s %(H)s" %(s)s %(b)s %(D)sus'

# What proxies say is believed by TRUSTED_PROXIES alone; by itself gunicorn would believe whoever is on this machine.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""

_LONGEST_SILENCE = 20  # seconds


def on_starting(server: Any) -> None:
    """Say where it listens: each worker does so by itself, and gunicorn would say that the master listens at "()"."""
    server.log.error_log.addFilter(lambda record: not record.msg.startswith("Listening at:"))
    server.log.info("Serving on %s", ", ".join(f"{host}:{port}" for host, port in server.cfg.address))


def post_fork(server: Any, worker: Any) -> None:
    """A database connection that was opened before the fork belongs to the parent."""
    drop_connections(server.app.wsgi())
    limit_silence(worker, _LONGEST_SILENCE)


def post_worker_init(worker: Any) -> None:  # noqa: ARG001 - gunicorn's signature
    """Leave Ctrl-C to the master, which stops its workers in order; a terminal sends it to all of them at once."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def limit_silence(worker: Any, seconds: int) -> None:
    """Let nobody hold a thread by stopping in the middle of a request; gunicorn itself would wait for ever.

    On Linux a connection inherits the time-out from the socket that accepts it. It is one of silence: against a
    visitor who sends a byte now and then only a proxy that buffers requests helps.
    """
    for listener in worker.sockets:
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", seconds, 0))
