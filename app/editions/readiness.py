"""Which loaded editions are locked, because the tables of the database are not those they work with.

Asked at each request that has to do with editions, until all are as they should be; from then on nothing is asked.
So whoever runs ``flask db upgrade`` has to restart nothing: the next request, in every worker, finds the edition open.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import structlog
from flask import current_app, has_request_context, request
from sqlalchemy.exc import DBAPIError

from app.database import read_connection
from app.editions.discovery import with_params
from app.editions.manifest import Manifest
from app.editions.migrations import History, read_history, read_version, read_versions
from app.refusal import Refusal

_NONE: Mapping[str, Refusal] = MappingProxyType({})
_OF_THIS_REQUEST = "timetracker.locked_editions"
_log = structlog.get_logger("timetracker.editions")


_Files = frozenset[tuple[str, int]]
"""Names of the files in a folder, and when each was last changed, in nanoseconds."""


def _files(manifest: Manifest) -> _Files:
    folder = manifest.migrations / "versions"
    try:
        return frozenset((path.name, path.stat().st_mtime_ns) for path in folder.glob("*.py"))
    except OSError:  # one of them has just gone
        return frozenset()


def _versions(editions: Iterable[str]) -> Mapping[str, frozenset[str] | Refusal]:
    """What their version tables hold; a table that is none must not take the pages of other editions with it."""
    try:
        with read_connection() as connection:
            return read_versions(connection, editions)
    except DBAPIError:
        return {name: _version(name) for name in editions}


def _version(edition: str) -> frozenset[str] | Refusal:
    try:
        with read_connection() as connection:
            return read_version(connection, edition)
    except Refusal as refusal:
        _log.exception("the version of the tables of an edition cannot be read", edition=edition)
        return with_params(refusal, refusal.params)


class Readiness:
    """What this process knows of the tables of its editions.

    ``_waiting`` is never changed, but replaced by one with fewer editions, so that threads need no lock: at worst two
    of them ask at the same time. An edition that was once as it should be stays so until the process ends.
    """

    def __init__(self, manifests: Iterable[Manifest]) -> None:
        self._waiting: Mapping[str, Manifest] = MappingProxyType(
            {manifest.name: manifest for manifest in manifests if manifest.metadata is not None}
        )
        self._histories: dict[str, tuple[_Files, History | Refusal]] = {}
        """Read when first asked for, and not at the start; again when an author has written another migration."""
        self._told: Mapping[str, str] = {}

    @property
    def is_complete(self) -> bool:
        """Whether no edition is locked any more, and none will be."""
        return not self._waiting

    def locked(self) -> Mapping[str, Refusal]:
        """The editions that are locked by their names, with the reason; asks the database while there are any."""
        if self.is_complete:
            return _NONE
        locked = self._examine(self._waiting)
        self._waiting = MappingProxyType({name: self._waiting[name] for name in self._waiting if name in locked})
        self._tell(locked)
        return MappingProxyType(locked)

    def _examine(self, waiting: Mapping[str, Manifest]) -> dict[str, Refusal]:
        histories = {name: self._history(manifest) for name, manifest in waiting.items()}
        versions = _versions(waiting)
        found = {}
        for name, history in histories.items():
            current = versions.get(name, frozenset())
            obstacle: Refusal | None
            if isinstance(history, Refusal):
                obstacle = history
            elif isinstance(current, Refusal):
                obstacle = current
            else:
                obstacle = history.obstacle(name, current)
            if obstacle is not None:
                found[name] = obstacle
        return found

    def _history(self, manifest: Manifest) -> History | Refusal:
        files = _files(manifest)
        known = self._histories.get(manifest.name)
        if known is not None and known[0] == files:
            return known[1]
        history: History | Refusal
        try:
            history = read_history(manifest)
        except Refusal as refusal:
            _log.exception("migrations of an edition cannot be read", edition=manifest.name)
            history = with_params(refusal, refusal.params)  # without the frames that the first one went through
        self._histories[manifest.name] = files, history
        return history

    def _tell(self, locked: Mapping[str, Refusal]) -> None:
        """Log what has become of an edition, once."""
        told, now = self._told, {name: refusal.code for name, refusal in locked.items()}
        if now == told:
            return
        self._told = now
        for name, code in now.items():
            if told.get(name) != code:
                _log.warning("edition is locked", edition=name, code=code)
        for name in told.keys() - now.keys():
            _log.info("edition is open", edition=name)


def locked_editions() -> Mapping[str, Refusal]:
    """The editions that are locked now, with the reason; within one request always the same answer."""
    readiness: Readiness = current_app.extensions["edition_readiness"]
    if readiness.is_complete:
        return _NONE
    if not has_request_context():
        return readiness.locked()
    known: Mapping[str, Refusal] | None = request.environ.get(_OF_THIS_REQUEST)
    if known is None:
        known = request.environ[_OF_THIS_REQUEST] = readiness.locked()
    return known
