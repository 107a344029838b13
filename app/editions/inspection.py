"""Looks an installed edition over and says, in words for its author, what is not right yet.

``flask edition doctor`` prints it, and ``EditionContract`` of ``app.testing`` fails for it: each rule stands here once.
"""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from app.database import read_connection
from app.editions import catalogues, migrations, reasons, registry
from app.editions.discovery import Discovered, EditionState
from app.editions.failures import Failure, failures, left_behind
from app.editions.manifest import Manifest
from app.editions.rehearsal import undeclared
from app.navigation import NavItem
from app.refusal import Refusal

_OFFERED = ("app.sdk", "app.testing")
"""What editions may import of the application; the rest of it changes without notice."""
_ICON_ID = re.compile(r'<symbol[^>]*\bid="([^"]+)"')
_ICON_USE = re.compile(r"""\b(?:icon|empty_state)\(\s*["']([^"']*)["']""")
_JINJA = re.compile(r"\{[{%#].*?[}%#]\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not right."""

    rule: str
    """A short name of the rule: ``loaded``, ``declared``, or one of ``RULES``."""
    problem: str
    """What is wrong and what to do about it, in English and without a full stop."""


def inspect(found: Discovered) -> tuple[Finding, ...]:
    """Everything that is not right with an installed edition; nothing for one that was switched off.

    The database is asked where the edition has tables; one that does not answer is itself a finding.
    """
    if found.state is EditionState.DISABLED:
        return ()
    if found.manifest is None or found.refusal is not None:
        return tuple(Finding("loaded", problem) for problem in not_loaded(found))
    warned = [Finding("declared", warning) for warning in found.warnings]
    return (*warned, *(Finding(rule, problem) for rule, check in RULES.items() for problem in check(found.manifest)))


def not_loaded(found: Discovered) -> Iterator[str]:
    """Why an edition is not loaded, with the last line of what it raised."""
    if found.refusal is not None:
        reason, params = found.refusal.reason, found.refusal.params
        # The remedy of this one sends operators to the author, who reads this.
        remedy = "" if reason is reasons.MALFORMED else f" {reason.remedy % params}"
        yield f"{reason.message % params}{remedy} [{reason.code}]"


def unguarded(manifest: Manifest) -> Iterator[str]:
    """Endpoints that say neither which feature they need nor for whom they are; nobody is answered by them."""
    for endpoint in endpoints_of(manifest):
        if endpoint not in current_app.extensions["access"]:
            yield undeclared(endpoint)


def endpoints_of(manifest: Manifest) -> tuple[str, ...]:
    """The endpoints of its pages, static files aside."""
    return tuple(sorted({rule.endpoint for rule in registry.page_rules(manifest)}))


def public_endpoints(manifest: Manifest) -> tuple[str, ...]:
    """Those of its endpoints that are answered to the whole network."""
    return tuple(filter(registry.is_public, endpoints_of(manifest)))


def unmigrated(manifest: Manifest) -> Iterator[str]:
    """Migrations that are missing, were not run, or do not lead to the models."""
    if manifest.metadata is None:
        return
    try:
        with read_connection() as connection:
            for revision in migrations.pending(connection, manifest):
                yield f"the migration {revision} was not run: flask db upgrade"
                return
            for difference in migrations.differences(connection, manifest):
                yield f"{difference}: flask edition revision {manifest.name} -m '…'"
    except Refusal as refusal:
        yield refusal.reason.message % refusal.params
    except SQLAlchemyError as error:
        yield f"the database does not answer ({type(error).__name__})"


def untranslated(manifest: Manifest) -> Iterator[str]:
    """Texts without a translation, and catalogues that are not what the sources ask for."""
    try:
        updates = catalogues.update_edition(manifest.name, write=False)
    except Refusal as refusal:
        yield refusal.reason.message % refusal.params
        return
    for update in updates:
        if update.untranslated:
            first = ", ".join(repr(text) for text in update.untranslated[:3])
            yield f"{len(update.untranslated)} texts have no translation into {update.language}, such as {first}"
        elif update.changes:
            yield f"the catalogue {update.file.name} is out of date: flask edition messages {manifest.name}"


def untitled(manifest: Manifest) -> Iterator[str]:
    """Actions that its code records and that it declares no title for; those whose names are put together are not seen.

    Whoever reads the audit log would find a name that means something to its author alone, and could not filter by it.
    """
    declared = {action.name for action in manifest.audit_actions}
    recorded = {name for file in catalogues.python_files(manifest.name) for name in _recorded(file)}
    for name in sorted(recorded - declared):
        yield f"it records {name} in the audit log and has no AuditAction for it"


def _recorded(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "AuditEvent":
            for part in (part for argument in node.args[:1] for part in ast.walk(argument)):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value


def inline_code(manifest: Manifest) -> Iterator[str]:
    """Scripts and styles that stand in a template: the Content-Security-Policy lets browsers run files alone."""
    for template in sorted(set(_templates(manifest))):
        for problem in inline_code_in(_JINJA.sub("", template.read_text(encoding="utf-8"))):
            yield f"{template.name} has {problem}"


def inline_code_in(html: str) -> tuple[str, ...]:
    """What of ``html`` a browser would refuse to run or to apply."""
    parser = _InlineCode()
    parser.feed(html)
    return tuple(parser.found)


def foreign_imports(manifest: Manifest) -> Iterator[str]:
    """Modules of the application that it imports beside what is offered to editions."""
    try:
        files = catalogues.python_files(manifest.name)
        for file in files:
            for line, module in imported(ast.parse(file.read_bytes())):
                if module.partition(".")[0] == "app" and module not in _OFFERED:
                    yield f"{file.name}:{line} imports {module}, which changes without notice: app.sdk has what is kept"
    except (Refusal, SyntaxError, ValueError) as error:
        yield f"a module of it cannot be read ({error})"


def imported(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and name of each module that is imported; ``from app import sdk`` imports ``app.sdk``."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module == "app":
            yield from ((node.lineno, f"app.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.lineno, node.module


def unknown_icons(manifest: Manifest) -> Iterator[str]:
    """Icons that its menu and its templates name and that there are not: nothing would be shown in their place."""
    known = icon_names(current_app.static_folder)
    shown = [(item.endpoint, item.icon) for item in _with_children(manifest.navigation) if item.icon]
    for template in sorted(set(_templates(manifest))):
        shown += ((template.name, name) for name in _ICON_USE.findall(template.read_text(encoding="utf-8")))
    for place, name in shown:
        if name not in known:
            yield f"{place} has the icon {name!r}, which is none of {', '.join(known)}"


def icon_names(static_folder: str | None) -> tuple[str, ...]:
    """The icons among the static files of the application, in the order of the alphabet."""
    sprite = Path(static_folder or "") / "vendor" / "icons.svg"
    return tuple(sorted(_ICON_ID.findall(sprite.read_text(encoding="utf-8"))))


def _with_children(items: tuple[NavItem, ...]) -> Iterator[NavItem]:
    for item in items:
        yield item
        yield from _with_children(item.children)


def _templates(manifest: Manifest) -> Iterator[Path]:
    for blueprint in manifest.blueprints:
        if blueprint.template_folder is not None:
            yield from (Path(blueprint.root_path) / blueprint.template_folder).rglob("*.html")


class _InlineCode(HTMLParser):
    """Collects scripts, styles and handlers that stand in the page itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one element."""
        names = {name for name, _ in attrs}
        if tag == "style" or (tag == "script" and "src" not in names):
            self.found.append(f"an inline <{tag}>: put it into a file below static/")
        for name in names:
            if name == "style" or name.startswith("on"):
                self.found.append(f"the attribute {name} on <{tag}>: put it into a file below static/")


def not_installed(manifest: Manifest) -> Iterator[str]:
    """Editions whose licenses would bring a module, and which there are not here: a misspelt name brings it nowhere."""
    for name in manifest.included_in:
        other = registry.registry().manifests.get(name)
        if other is None:
            yield f"included_in names {name}, which is no edition that is loaded here"
        elif other.is_module:
            yield f"included_in names {name}, which is a module itself, and no license names one"


def failing(manifest: Manifest) -> Iterator[str]:
    """What has failed while people used it, and was not dismissed."""
    for failure in _kept().get(manifest.name, ()):
        yield f"{_described(failure)}: mend it, then run flask edition dismiss {manifest.name}"


def inspect_what_is_left_behind() -> Mapping[str, tuple[Finding, ...]]:
    """What is kept of editions that are not installed any more, by their names."""
    return {
        name: tuple(
            Finding("left_behind", f"{_described(failure)}, and its package is gone: flask edition dismiss {name}")
            for failure in failed
        )
        for name, failed in left_behind(_kept()).items()
    }


def _kept() -> Mapping[str, tuple[Failure, ...]]:
    try:
        return failures()
    except SQLAlchemyError:
        return {}  # of an edition with tables, another rule says so; one without works all the same


def _described(failure: Failure) -> str:
    times = "once" if failure.count == 1 else f"{failure.count} times"
    return f"{failure.part} raised {failure.error} ({times}, last {failure.last_at:%Y-%m-%d %H:%M} UTC)"


RULES: dict[str, Callable[[Manifest], Iterator[str]]] = {
    "migrated": unmigrated,
    "translated": untranslated,
    "audited": untitled,
    "included": not_installed,
    "no_inline_code": inline_code,
    "failed": failing,
    "imports": foreign_imports,
    "icons": unknown_icons,
}
"""Every rule that a loaded edition is looked over for, by the name of its findings."""
