"""Structured logs with a request id; no secret is ever given to them."""

import logging
import logging.config
import re
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TextIO

import structlog
from flask import Flask, Response, g, request

from app.config import Settings

REQUEST_ID_HEADER = "X-Request-ID"
_USABLE_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_log = structlog.get_logger("timetracker.request")


_SHARED: tuple[structlog.typing.Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)
_to_people: ContextVar[bool] = ContextVar("logs go to people", default=False)


def configure_logs(app: Flask, settings: Settings) -> None:
    """Send the logs of the application and of its libraries to standard error, as text or as JSON lines."""
    structlog.configure(
        # What is not logged is dropped before anything is done for it: every request has a line for "debug".
        processors=[structlog.stdlib.filter_by_level, *_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    _direct(settings, to_people=_to_people.get())
    app.before_request(_name_request)
    app.after_request(_log_request)


@contextmanager
def logs_to_people() -> Iterator[None]:
    """An application that is made in here belongs to a command: whoever runs it reads what the log says."""
    token = _to_people.set(True)
    try:
        yield
    finally:
        _to_people.reset(token)


def direct_logs_to_people(settings: Settings) -> None:
    """Do the same for an application that has been made already."""
    _direct(settings, to_people=True)


def _direct(settings: Settings, *, to_people: bool) -> None:
    """Set level and rendering.

    A command prints what it has done by itself, so that only warnings are left for its log, in plain words. Who has
    asked for ``debug`` gets the log as it is, and JSON stays JSON: a machine reads it.
    """
    level = settings.log_level.upper()
    # Tracebacks without the values of local variables, among which are passwords, tokens and license keys.
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    renderer: list[structlog.typing.Processor] = [plain]
    if settings.log_format == "json":
        tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        renderer = [
            structlog.processors.ExceptionRenderer(tracebacks),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    if to_people and settings.log_level != "debug":
        level = max(level, "WARNING", key=logging.getLevelNamesMapping().__getitem__)
        renderer = [_plain_words] if settings.log_format == "text" else renderer
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
    )
    handler = _StandardError()
    handler.setFormatter(formatter)
    logger = logging.getLogger("timetracker")
    logger.handlers = [handler]
    logger.setLevel(level)
    logger.propagate = False


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to what is standard error at that moment: whoever runs a command inside a program may replace it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        self.stream = sys.stderr
        super().emit(record)


def _plain_words(
    logger: structlog.typing.WrappedLogger,  # noqa: ARG001 - the signature of a processor
    method: str,  # noqa: ARG001 - as above
    event: structlog.typing.EventDict,
) -> str:
    """Such as ``Warning: public key left out (file=x.pem)``; of an exception the last line."""
    named = {name: value for name, value in event.items() if name not in _NOT_FOR_PEOPLE}
    values = ", ".join(f"{name}={value}" for name, value in named.items() if value is not None)
    error = _exception(event.get("exc_info"))
    said = f"{event['level'].capitalize()}: {event['event']}" + (f" ({values})" if values else "")
    return f"{said}: {error}" if error is not None else said


_NOT_FOR_PEOPLE = {"level", "event", "logger", "timestamp", "exc_info"}


def _exception(exc_info: object) -> BaseException | None:
    if exc_info is True:
        exc_info = sys.exc_info()
    if isinstance(exc_info, tuple):
        exc_info = exc_info[1]
    return exc_info if isinstance(exc_info, BaseException) else None


def _name_request() -> None:
    given = request.headers.get(REQUEST_ID_HEADER, "")
    g.request_id = given if _USABLE_ID.fullmatch(given) else secrets.token_hex(8)
    g.request_started = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _log_request(response: Response) -> Response:
    """One line a request, without query, body or cookie; static files and probes are not worth one."""
    request_id = g.get("request_id")
    if request_id is None:
        return response
    response.headers[REQUEST_ID_HEADER] = request_id
    if request.endpoint not in {"static", "health.healthz", "health.readyz"}:
        _log.debug(
            "answered",
            method=request.method,
            endpoint=request.endpoint,
            status=response.status_code,
            milliseconds=round((time.perf_counter() - g.request_started) * 1000, 1),
        )
    return response
