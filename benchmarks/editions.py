"""What editions cost: a page of one beside the same page of the core, and twenty of them beside none."""

import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from flask import Blueprint, Flask, render_template
from sqlalchemy import update

from app.auth.models import User
from app.database import write_transaction
from app.schema import upgrade_database
from app.security import Audience, declare, resolve_access
from benchmarks.ground import ENGINES, LOGIN, Call, Ground, page, session_cookie
from benchmarks.measure import Result, of_values, take_turns
from benchmarks.specimens import MANY, Kind, installed
from benchmarks.startup import CHECKOUT, environment_of
from benchmarks.statements import counted_statements

PAGE_TARGET = 0.97
REQUEST_TARGET = 0.97
START_TARGET = 1.10
TEMPLATE = "home/no_start_page.html"
"""The core's page has it, and editions have a copy of it."""
CORE = "/of_core/"  # as long as the address of the edition's page, which the timer in the bar comes back to
"""Of a page of the core that shows nothing of what editions bring, beside the menu."""
SHOWN = Kind("shown", licensed=True, shown=True)
"""Show a menu item and a card on the dashboard."""
QUIET = Kind("quiet", licensed=True, shown=False)
"""Are licensed, and show nothing on pages that are not theirs."""
FOREIGN = Kind("foreign", licensed=False, shown=True)
"""Are installed and not licensed."""
_NOTHING_MORE = {
    "licensed": QUIET,
    "not licensed": FOREIGN,
}
_START = """
import resource, sys
sys.path += sys.argv[1:]
from wsgi import app
assert app.test_client().get("/login").status_code == 200
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime, len(app.extensions["editions"].manifests))
"""
"""Ends with the first answer, since much is put off until then: what is printed is what a server takes to be useful."""


def measure(ground: Ground, *, quick: bool) -> Iterator[Result]:
    """A page, what many editions add to the pages of others, and what they add to the start."""
    blocks, calls = (7, 30) if quick else (21, 60)
    for engine in ENGINES:
        for language in ("ja", "en"):
            yield from _pages(ground, engine, language, blocks, calls)
        for name, kind in _NOTHING_MORE.items():
            yield _many(ground, engine, name, kind, blocks, calls)
    yield from _starts(ground, 7 if quick else 21)


def _template(app: Flask) -> str:
    return (Path(str(app.template_folder)) / TEMPLATE).read_text(encoding="utf-8")


def _with_editions(ground: Ground, app: Flask, kind: Kind, count: int) -> Flask:
    """Another application on the database of ``app``, with ``count`` editions whose tables are migrated."""
    with installed(ground.folder, kind, count, _template(app)):
        other = ground.another(app)
    with other.app_context():
        failed = [done for done in upgrade_database() if done.refusal is not None]
    if failed or len(other.extensions["editions"].manifests) < count:
        raise AssertionError(f"the editions are not as they should be: {failed or other.extensions['editions'].found}")
    return other


def _pages(ground: Ground, engine: str, language: str, blocks: int, calls: int) -> Iterator[Result]:
    """The same page, read by the same person: once of an edition and once of the core; and their statements."""
    app = _with_editions(ground, ground.application(engine), SHOWN, 1)
    _add_core_page(app)
    _read_by_somebody_with(app, language)
    cookie = session_cookie(app)
    of_edition, of_core = page(app, "/shown_a/", cookie), page(app, CORE, cookie)
    _check_alike(of_edition, of_core)
    here, there = _statements(of_edition), _statements(of_core)
    if here != there:
        raise AssertionError(f"an edition's page executes {here}, and the core's {there}")
    if language == "en":
        more = len(here) - len(there)
        yield Result(f"editions: statements more than a core page, {engine}", more, more, more, "", 0, at_least=False)
    pairs = take_turns(of_edition, of_core, blocks=blocks, calls=calls)
    name = f"editions: page of an edition / of the core, {language}, {engine}"
    yield of_values(name, pairs.ratios, target=PAGE_TARGET, note=pairs.note("edition", "core"))


def _read_by_somebody_with(app: Flask, language: str) -> None:
    with app.app_context(), write_transaction() as session:
        session.execute(update(User).where(User.login == LOGIN).values(language=language))


def _add_core_page(app: Flask) -> None:
    blueprint = Blueprint("core_page", __name__, url_prefix=CORE)
    declare(blueprint, Audience.MEMBER)

    @blueprint.get("")
    def index() -> str:
        return render_template(TEMPLATE, edition_title="", edition_is_loaded=True)

    app.register_blueprint(blueprint)
    app.extensions["access"] = resolve_access(app)


def _check_alike(first: Call, second: Call) -> None:
    """Refuse pages that differ in more than in which item of the menu is marked."""
    answers = [first(), second()]
    if any(not status.startswith("200") for status, _ in answers):
        raise AssertionError(f"{answers}")
    lengths = [len(body.replace(b' aria-current="page"', b"")) for _, body in answers]
    if lengths[0] != lengths[1]:
        raise AssertionError(f"the pages differ: {lengths} bytes")


def _statements(call: Call) -> list[str]:
    call()
    with counted_statements() as seen:
        call()
    return seen


def _many(ground: Ground, engine: str, name: str, kind: Kind, blocks: int, calls: int) -> Result:
    app = ground.application(engine)
    many, none = _with_editions(ground, app, kind, MANY), ground.another(app)
    for one in (many, none):
        _add_core_page(one)
    cookie = session_cookie(app)
    with_many, with_none = page(many, CORE, cookie), page(none, CORE, cookie)
    _check_alike(with_many, with_none)
    if _statements(with_many) != _statements(with_none):
        raise AssertionError(f"{MANY} editions add a statement")
    pairs = take_turns(with_many, with_none, blocks=blocks, calls=calls)
    title = f"editions: page with {MANY} editions ({name}) / with none, {engine}"
    return of_values(title, pairs.ratios, target=REQUEST_TARGET, note=pairs.note("with", "without"))


def _starts(ground: Ground, rounds: int) -> Iterator[Result]:
    """Whole processes in turn, by processor time: what else the machine does counts for neither."""
    app = ground.application()
    environment = environment_of(app)
    with installed(ground.folder, FOREIGN, MANY, _template(app)) as folder:
        pairs: list[dict[int, float]] = []
        for number in range(rounds + 1):
            order = (MANY, 0) if number % 2 else (0, MANY)
            pairs.append({count: _start(environment, folder, count) for count in order})
    ratios = [times[MANY] / times[0] for times in pairs[1:]]
    added = [1000 * (times[MANY] - times[0]) for times in pairs[1:]]
    name = f"editions: start to first answer, with {MANY} editions / with none"
    note = f"{statistics.median(added):.0f} ms more"
    yield of_values(name, ratios, target=START_TARGET, at_least=False, note=note)


def _start(environment: dict[str, str], folder: Path, editions: int) -> float:
    """Seconds of processor time of a process that has the editions in ``folder``, or none of them."""
    command = [sys.executable, "-c", _START, *([str(folder)] if editions else [])]
    done = subprocess.run(command, env=environment, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    seconds, loaded = done.stdout.split()
    if int(loaded) < editions:
        raise AssertionError(f"{loaded} editions are loaded in place of {editions}: {done.stderr}")
    return float(seconds)
