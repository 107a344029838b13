"""The server's desktop interface over HTTP: questions, typed answers, typed errors. Nothing is retried here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from timetracker_desktop import __version__, reading
from timetracker_desktop.model import State, read_state
from timetracker_desktop.operation_queue import Queued
from timetracker_desktop.operations import Result, read_result
from timetracker_desktop.texts import language

CLIENT_ID = "timetracker-desktop"
_PREFIX = "/api/v1/desktop"
_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_TIMEOUT = httpx.Timeout(20, connect=8)
_DEVICE_NAME_LIMIT = 100
_LONGEST_WAIT = timedelta(hours=1)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_UNAUTHORISED, _NOT_MODIFIED, _BAD_REQUEST, _TOO_MANY = 401, 304, 400, 429
_UNDERSTOOD_NOT = frozenset({400, 409, 411, 413, 415, 422})


class AddressError(ValueError):
    """What was typed is no address of a server."""


class UnreachableError(Exception):
    """No answer, or one that says to come back: network, time-out, 429, 5xx, or something that is no TimeTracker."""

    def __init__(self, detail: str, retry_after: timedelta | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class RefusedError(Exception):
    """The server refuses this application as a whole, with one of its codes."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.code = reading.text_or(problem, "code", "refused")
        self.detail = reading.text_or(problem, "detail") or reading.text_or(problem, "title")
        self.remedy = reading.text_or(problem, "remedy")
        self.maintenance_expires: date | None = reading.last_day_or_none(problem, "maintenance_expires")
        super().__init__(f"{status} {self.code}")


class NotUnderstoodError(RefusedError):
    """The server does not understand what was sent; nothing of it was done."""


class PairingError(Exception):
    """RFC 8628 says no: ``code`` is ``access_denied``, ``expired_token`` or ``invalid_grant``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class PairingStart:
    """The answer to asking for a code."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: timedelta
    interval: timedelta


@dataclass(frozen=True, slots=True)
class Pending:
    """The person has not confirmed yet."""

    slow_down: bool


@dataclass(frozen=True, slots=True)
class FetchedState:
    """A state that differs from the one that was known."""

    state: State
    source: Mapping[str, Any]
    etag: str


def server_address(typed: str) -> str:
    """The address of a server as a person types it: ``rx.example.org`` is ``https://rx.example.org``.

    Raises:
        AddressError: it is no address of a server.
    """
    text = typed.strip()
    if "://" not in text:
        host = urlsplit(f"//{text}").hostname or ""
        text = f"{'http' if host in _LOOPBACK else 'https'}://{text}"
    parts = urlsplit(text)
    if (
        parts.scheme not in ("http", "https")
        or not (parts.hostname or "").strip(".")
        or parts.query
        or parts.fragment
        or parts.username
    ):
        raise AddressError(typed)
    try:
        port = parts.port
    except ValueError as error:
        raise AddressError(typed) from error
    if port == 0 or " " in parts.netloc:
        raise AddressError(typed)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def is_protected(server: str) -> bool:
    """Whether nobody on the way can read along: TLS, or this very computer."""
    parts = urlsplit(server)
    return parts.scheme == "https" or parts.hostname in _LOOPBACK


class Api:
    """One server, and one token once there is one. To be used from one thread."""

    def __init__(
        self,
        server: str,
        token: str | None = None,
        *,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.clock_offset = timedelta()
        """How much the server's clock is ahead of this computer's, to the second."""
        headers = {"User-Agent": f"timetracker-desktop/{__version__}"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._client = httpx.Client(
            base_url=server,
            headers=headers,
            timeout=_TIMEOUT,
            transport=transport,
            follow_redirects=False,  # the token goes to the server that it belongs to, and nowhere else
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    # Pairing (RFC 8628) -----------------------------------------------------------------------------------------------

    def begin_pairing(self, device_name: str) -> PairingStart:
        """Ask for a code (§3.1).

        Raises:
            UnreachableError, RefusedError
        """
        form = {"client_id": CLIENT_ID, "device_name": device_name[:_DEVICE_NAME_LIMIT]}
        answer = self._answer(self._send("POST", "/pairing", data=form))
        try:
            uri = reading.text(answer, "verification_uri")
            return PairingStart(
                reading.text(answer, "device_code"),
                reading.text(answer, "user_code"),
                uri,
                reading.text_or(answer, "verification_uri_complete") or uri,
                timedelta(seconds=reading.whole(answer, "expires_in")),
                timedelta(seconds=max(1, reading.whole_or_none(answer, "interval") or 5)),
            )
        except reading.ReadingError as error:
            raise UnreachableError(str(error)) from error

    def fetch_token(self, device_code: str) -> str | Pending:
        """Ask whether the person has confirmed (§3.4).

        Raises:
            PairingError: it is over.
            UnreachableError, RefusedError
        """
        form = {"grant_type": _GRANT, "device_code": device_code, "client_id": CLIENT_ID}
        response = self._send("POST", "/token", data=form)
        if response.status_code == _BAD_REQUEST:
            code = reading.text_or(_json(response), "error", "invalid_grant")
            if code in ("authorization_pending", "slow_down"):
                return Pending(slow_down=code == "slow_down")
            raise PairingError(code)
        token = self._answer(response).get("access_token")
        if not isinstance(token, str) or not token:
            raise UnreachableError("access_token")
        return token

    # Hours ------------------------------------------------------------------------------------------------------------

    def fetch_state(self, etag: str = "") -> FetchedState | None:
        """The state, or None if it is still the one with that ETag.

        Raises:
            UnreachableError, RefusedError
        """
        response = self._send("GET", "/state", headers={"If-None-Match": etag} if etag else {})
        if response.status_code == _NOT_MODIFIED:
            return None
        source = self._answer(response)
        try:
            return FetchedState(read_state(source), source, response.headers.get("ETag", ""))
        except reading.ReadingError as error:
            raise UnreachableError(str(error)) from error

    def sync(self, operations: Sequence[Queued]) -> list[Result]:
        """Send operations in the order in which they were made; the server's word on each.

        Raises:
            NotUnderstoodError: nothing of it was done.
            UnreachableError: nobody knows what was done.
            RefusedError
        """
        body = {"operations": [queued.as_sent() for queued in operations]}
        response = self._send("POST", "/sync", json=body)
        try:
            return [read_result(result) for result in reading.parts(self._answer(response), "results")]
        except reading.ReadingError as error:
            raise UnreachableError(str(error)) from error

    # HTTP -------------------------------------------------------------------------------------------------------------

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        headers = {"Accept-Language": language(), **request.pop("headers", {})}  # which the person may change meanwhile
        try:
            response = self._client.request(method, _PREFIX + path, headers=headers, **request)
        except httpx.HTTPError as error:
            raise UnreachableError(str(error) or type(error).__name__) from error
        self._set_clock(response)
        return response

    def _set_clock(self, response: httpx.Response) -> None:
        try:
            server = parsedate_to_datetime(response.headers["Date"]).astimezone(UTC)
        except (KeyError, ValueError):
            return
        offset = server - datetime.now(UTC)
        # The header has whole seconds, and the answer was on its way: what is less is no difference.
        small = timedelta(seconds=5)
        self.clock_offset = timedelta() if abs(offset) <= small else timedelta(seconds=round(offset.total_seconds()))

    def _answer(self, response: httpx.Response) -> Mapping[str, Any]:
        """The body of an answer that is good, or the error that it means."""
        status = response.status_code
        if response.is_success:
            found = _json(response)
            if not found:
                raise UnreachableError("no JSON")
            return found
        if status == _TOO_MANY or response.is_server_error:
            raise UnreachableError(f"HTTP {status}", _retry_after(response))
        problem = _json(response)
        if "code" not in problem and status != _UNAUTHORISED and status not in _UNDERSTOOD_NOT:
            raise UnreachableError(f"HTTP {status}")  # a proxy, another program, another address
        error = NotUnderstoodError if status in _UNDERSTOOD_NOT else RefusedError
        try:
            raise error(status, problem)
        except reading.ReadingError as wrong:
            raise UnreachableError(f"HTTP {status}") from wrong


def _json(response: httpx.Response) -> Mapping[str, Any]:
    """The object in an answer; an empty one where there is none."""
    try:
        found = response.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _retry_after(response: httpx.Response) -> timedelta | None:
    text = response.headers.get("Retry-After", "")
    return min(timedelta(seconds=int(text)), _LONGEST_WAIT) if text.isascii() and text.isdigit() else None
