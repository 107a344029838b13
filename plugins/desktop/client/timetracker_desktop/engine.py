"""The one that talks to the server: pairs, sends what waits, asks for news. One thread of its own, and no Qt.

The window reads ``session`` and is told when something has changed; it gives orders, which are carried out in the
engine's thread. ``step`` does all the work that is due and says when it wants to be called again, so that tests call
it with a clock of their own.
"""

import logging
import platform
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from timetracker_desktop.api import (
    Api,
    NotUnderstoodError,
    PairingError,
    Pending,
    RefusedError,
    UnreachableError,
)
from timetracker_desktop.backoff import IDLE, Backoff
from timetracker_desktop.keystore import TokenStore
from timetracker_desktop.model import read_state
from timetracker_desktop.operation_queue import OperationQueue, Queued
from timetracker_desktop.operations import Result, Status
from timetracker_desktop.session import (
    Answered,
    Event,
    Invitation,
    Paired,
    PairingBegun,
    PairingFailed,
    Phase,
    Refused,
    Session,
    Unpaired,
    Unreachable,
    after,
)

BATCH = 200
"""Operations of one request: the server takes no more."""
_AT_ONCE = timedelta()
_SLOW_DOWN = timedelta(seconds=5)
"""RFC 8628, 3.5: the interval grows by five seconds for this and all further questions."""
_LONGEST_INTERVAL = timedelta(minutes=1)
_NEVER = timedelta(days=1)
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Pairing:
    """One that waits for the person."""

    device_code: str
    interval: timedelta
    ask_at: datetime
    expires_at: datetime


def this_computer() -> datetime:
    """The instant by this computer's clock."""
    return datetime.now(UTC)


class Engine:
    """The client's side of the protocol."""

    def __init__(
        self,
        queue: OperationQueue,
        tokens: TokenStore,
        *,
        clock: Callable[[], datetime] = this_computer,
        make_api: Callable[[str, str | None], Api] | None = None,
    ) -> None:
        self._queue = queue
        self._tokens = tokens
        self._clock = clock
        self._make_api = make_api or Api
        self._api: Api | None = None
        self._lock = threading.Lock()
        self._orders: list[Callable[[], None]] = []
        self._awake = threading.Event()
        self._ended = False
        self._pairing: _Pairing | None = None
        self._backoff = Backoff()
        self._not_before = datetime.min.replace(tzinfo=UTC)
        self._limit = BATCH
        self._listeners: list[Callable[[], None]] = []
        self.session = self._remembered()

    def now(self) -> datetime:
        """The instant by the server's clock, as far as it is known."""
        return self._clock() + (self._api.clock_offset if self._api is not None else _AT_ONCE)

    @property
    def token_is_in_file(self) -> bool:
        """Whether the token lies in a file because this system has no key store."""
        return self._tokens.is_in_file

    # Orders of the window ---------------------------------------------------------------------------------------------

    def listen(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` after each change, in the engine's thread."""
        self._listeners.append(listener)

    def pair(self, server: str) -> None:
        """Ask ``server`` for a code."""
        self._order(lambda: self._begin_pairing(server))

    def cancel_pairing(self) -> None:
        """Stop waiting for the confirmation."""
        self._order(self._cancel_pairing)

    def unpair(self) -> None:
        """Forget the token; the queue stays."""
        self._order(self._unpair)

    def wake(self) -> None:
        """There is something to send."""
        self._awake.set()

    def _order(self, order: Callable[[], None]) -> None:
        with self._lock:
            self._orders.append(order)
        self._awake.set()

    # The thread -------------------------------------------------------------------------------------------------------

    def start(self) -> threading.Thread:
        """Work in a thread of its own until ``end``."""
        thread = threading.Thread(target=self._run, name="engine", daemon=True)
        thread.start()
        return thread

    def end(self) -> None:
        """Stop working; what is being asked is not waited for."""
        self._ended = True
        self._awake.set()

    def _run(self) -> None:
        while not self._ended:
            # Cleared before the work: what is asked for meanwhile is done right after.
            self._awake.clear()
            wait = self.step()
            if not self._ended:
                self._awake.wait(wait.total_seconds())
        if self._api is not None:
            self._api.close()

    def step(self) -> timedelta:
        """Do what is due; returns how long nothing will be."""
        with self._lock:
            orders, self._orders = self._orders, []
        for order in orders:
            order()
        if self.session.phase is Phase.PAIRING:
            return self._ask_for_token()
        if not self.session.is_paired:
            return _NEVER
        return self._work()

    def _take(self, event: Event) -> None:
        before, self.session = self.session, after(self.session, event)
        if before != self.session:
            self._tell()

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()

    # Pairing ----------------------------------------------------------------------------------------------------------

    def _remembered(self) -> Session:
        server = self._queue.kept("server") or ""
        token = self._tokens.read(server) if server else None
        if token is None:
            return Session(Phase.UNPAIRED, server)
        self._connect(server, token)
        return Session(Phase.OFFLINE, server)

    def _connect(self, server: str, token: str | None) -> Api:
        if self._api is not None:
            self._api.close()
        self._api = self._make_api(server, token)
        return self._api

    def _begin_pairing(self, server: str) -> None:
        self._take(Unpaired())
        try:
            answer = self._connect(server, None).begin_pairing(platform.node() or "computer")
        except UnreachableError as error:
            _log.info("no pairing: %s", error)
            self._fail_pairing("unreachable", server)
            return
        except RefusedError as error:
            self._fail_pairing(error.code, server)
            return
        now = self._clock()
        self._pairing = _Pairing(answer.device_code, answer.interval, now + answer.interval, now + answer.expires_in)
        self._queue.keep("server", server)
        invitation = Invitation(
            answer.user_code, answer.verification_uri, answer.verification_uri_complete, now + answer.expires_in
        )
        self._take(PairingBegun(server, invitation))

    def _cancel_pairing(self) -> None:
        if self.session.phase is Phase.PAIRING:
            self._fail_pairing("cancelled")

    def _fail_pairing(self, code: str, server: str | None = None) -> None:
        self._pairing = None
        self._take(PairingFailed(code, server or self.session.server))

    def _ask_for_token(self) -> timedelta:
        pairing, api, now = self._pairing, self._api, self._clock()
        if pairing is None or api is None or now >= pairing.expires_at:
            self._fail_pairing("expired_token")
            return _NEVER
        if now < pairing.ask_at:
            return pairing.ask_at - now
        try:
            token = api.fetch_token(pairing.device_code)
        except PairingError as error:
            self._fail_pairing(error.code)
            return _NEVER
        except RefusedError as error:
            self._fail_pairing(error.code)
            return _NEVER
        except UnreachableError as error:
            # RFC 8628, 3.5: after a time-out ask less often, such as with twice the interval.
            pairing.interval = max(min(pairing.interval * 2, _LONGEST_INTERVAL), error.retry_after or _AT_ONCE)
            token = Pending(slow_down=False)
        if isinstance(token, str):
            return self._paired(token)
        if token.slow_down:
            pairing.interval += _SLOW_DOWN
        pairing.ask_at = self._clock() + pairing.interval
        return pairing.interval

    def _paired(self, token: str) -> timedelta:
        server, self._pairing = self.session.server, None
        self._tokens.write(server, token)
        self._connect(server, token)
        # Whose token it is, only the server says: until then nothing that waits here is sent with it.
        self._queue.forget("owner")
        self._backoff, self._not_before = Backoff(), self._clock()
        self._take(Paired(server))
        return _AT_ONCE

    def _unpair(self) -> None:
        self._tokens.delete(self.session.server)
        self._pairing = None
        self._take(Unpaired())

    # Hours ------------------------------------------------------------------------------------------------------------

    def _work(self) -> timedelta:
        if self._api is None or self._clock() < self._not_before:
            return self._not_before - self._clock()
        try:
            self._exchange(self._api)
        except UnreachableError as error:
            return self._later(error)
        except RefusedError as error:
            self._refused(error)
            return IDLE if self.session.is_paired else _NEVER
        except sqlite3.Error as error:
            _log.exception("the queue cannot be read or written")
            self._take(Unreachable(str(error)))
            return IDLE
        self._backoff = Backoff()
        return IDLE

    def _exchange(self, api: Api) -> None:
        """Send what waits, then ask for the news; whoever was refused, or has just been paired, asks first."""
        owner = self._queue.kept("owner")
        if owner is None or self.session.phase in (Phase.MAINTENANCE_EXPIRED, Phase.RESTRICTED):
            owner = self._fetch(api)
        elif not self._queue.has_unsent(owner):
            self._fetch(api)
            return
        # Once more where what the server says of a timer has made something to send.
        for _ in range(2):
            if self._queue.has_unsent(owner):
                self._send_all(api, owner)
                self._fetch(api)

    def _fetch(self, api: Api) -> str:
        """Ask for the state and keep it; returns whose it is."""
        kept, owner = self._queue.kept_state(), self._queue.kept("owner")
        is_theirs = kept is not None and kept[0] == owner
        fetched = api.fetch_state(kept[1] if kept is not None and is_theirs else "")
        if fetched is None:
            found, expires = owner or "", self.session.maintenance_expires
            self._queue.forget_done(found, self.now())
        else:
            found, expires = (
                owner_of(self.session.server, fetched.source),
                fetched.state.installation.maintenance_expires,
            )
            with self._queue.transaction():
                self._queue.keep_state(found, fetched.etag, fetched.source)
                self._queue.keep("owner", found)
                timer = fetched.state.timer
                self._queue.forget_done(found, self.now() if timer is None else timer.started_at)
        changed = fetched is not None
        before = self.session
        self._take(Answered(self._clock(), expires))
        if changed and before.phase is self.session.phase:
            self._tell()
        return found

    def _send_all(self, api: Api, owner: str) -> None:
        while batch := self._queue.next_batch(owner, self._limit):
            try:
                settled = self._queue.settle(owner, api.sync(batch))
            except NotUnderstoodError as error:
                self._narrow_down(owner, batch, error)
                continue
            if not settled:
                raise UnreachableError("no results")
            cells = self._queue.waits_for(owner, batch)
            if cells:
                self._fetch(api)
                kept = self._queue.kept_state()
                if kept is not None and kept[0] == owner:
                    self._queue.carry_on_from(owner, cells, read_state(kept[2]).entries)
            self._limit = min(BATCH, self._limit * 2)
        self._tell()

    def _narrow_down(self, owner: str, batch: list[Queued], error: NotUnderstoodError) -> None:
        """A request that is not understood did nothing: look for the one operation that spoils it, and keep that."""
        if len(batch) > 1:
            self._limit = len(batch) // 2
            return
        refusal = Result(batch[0].id, Status.REFUSED, error.code, error.detail, error.remedy)
        self._queue.settle(owner, [refusal])

    def _later(self, error: UnreachableError) -> timedelta:
        _log.info("server not reached: %s", error)
        self._backoff = self._backoff.failed()
        owner = self._queue.kept("owner")
        has_work = owner is None or self._queue.has_unsent(owner)
        wait = self._backoff.wait(has_work=has_work, asked_for=error.retry_after)
        if error.retry_after is not None:
            self._not_before = self._clock() + error.retry_after
        self._take(Unreachable(str(error)))
        return wait

    def _refused(self, error: RefusedError) -> None:
        _log.info("refused: %s", error)
        self._backoff = Backoff()
        self._take(Refused(error.status, error.code, error.detail, error.remedy, error.maintenance_expires))
        if self.session.phase is Phase.TOKEN_ENDED:
            self._tokens.delete(self.session.server)


def owner_of(server: str, source: object) -> str:
    """Whose hours a state holds: the person's number where the server gives it, else the login name, at that server."""
    person = source.get("person", {}) if isinstance(source, dict) else {}
    return f"{person.get('id') or person.get('login')}@{server}"
