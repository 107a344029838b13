"""``flask edition new``: writes the package of a new edition, from templates that lie beside this file.

What it writes installs, passes its own tests and shows a page; it needs no network.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from string import Template

from app.editions import reasons
from app.editions.catalogues import as_mo, as_po, new_catalogue
from app.editions.discovery import find_entry_points
from app.editions.manifest import TEXT_LIMIT, is_name
from app.editions.rehearsal import RESERVED_COMMANDS, RESERVED_SEGMENTS, core_template_folders
from app.refusal import Refusal

_SUFFIX = ".tmpl"
_TRANSLATIONS = {
    "ja": {
        "Good day": "こんにちは",
        "Good day, %(person)s.": "%(person)sさん、こんにちは。",
        "It is %(day)s.": "今日は%(day)sです。",
        "A page and a card that say what day it is.": "今日の日付を表示するページとカードです。",
        "Says good day, and what day it is.": "あいさつと今日の日付を表示します。",
    }
}
"""Of the texts in the templates."""
_TITLE_COMMENT = "The title is not translated yet. Leave it so only if it is a name."
"""Asks the author, who alone knows a translation; without any the package would break the contract it is to pass."""


def write_package(name: str, *, title: str, folder: Path) -> Path:
    """Write the package of a new edition into a new folder inside ``folder``; returns the new folder.

    It appears whole or not at all.

    Args:
        name: slug of the edition; the package is called ``timetracker-NAME``.
        title: what people call it.
        folder: an existing folder.

    Raises:
        Refusal: ``edition_name_invalid``, ``edition_name_taken``, ``edition_title_invalid``,
            ``edition_folder_exists`` or ``edition_folder_unusable``.
    """
    if not is_name(name):
        raise Refusal(reasons.NAME_INVALID, name=name)
    reserved = RESERVED_SEGMENTS | RESERVED_COMMANDS | core_template_folders()
    if name in reserved | {entry.name for entry in find_entry_points()}:
        raise Refusal(reasons.NAME_TAKEN, name=name)
    if not title.strip() or not title.isprintable() or len(title) > TEXT_LIMIT:
        raise Refusal(reasons.TITLE_INVALID, limit=TEXT_LIMIT)
    values = _values(name, title.strip())
    destination = folder / values["distribution"]
    if destination.exists():
        raise Refusal(reasons.FOLDER_EXISTS, folder=str(destination))
    try:
        _write_whole(destination, _rendered(values))
    except OSError as error:
        raise Refusal(reasons.FOLDER_UNUSABLE, folder=str(folder), error=error.strerror or str(error)) from error
    return destination


def _values(name: str, title: str) -> Mapping[str, str]:
    words = name.split("_")
    return {
        "name": name,
        "title": title,
        "title_literal": '"' + title.replace("\\", "\\\\").replace('"', '\\"') + '"',
        "distribution": "timetracker-" + "-".join(words),
        "package": f"timetracker_{name}",
        "class_name": "".join(word.title() for word in words) + "Edition",
        "css": "-".join(words),
    }


def _rendered(values: Mapping[str, str]) -> Iterator[tuple[PurePosixPath, bytes]]:
    for path, source in _templates(files(__name__) / "package", PurePosixPath()):
        text = Template(source.read_text(encoding="utf-8")).substitute(values)
        yield _placed(path, values), text.encode()
    package = PurePosixPath(values["package"])
    yield package / "py.typed", b""
    for language, translations in _TRANSLATIONS.items():
        catalogue = new_catalogue(values["name"], language)
        for message, translation in translations.items():
            catalogue.add(message, translation)
        if values["title"] not in translations:
            catalogue.add(values["title"], values["title"], user_comments=[_TITLE_COMMENT])
        for suffix, write in ((".po", as_po), (".mo", as_mo)):
            yield package / "translations" / language / "LC_MESSAGES" / f"{values['name']}{suffix}", write(catalogue)


def _templates(folder: Traversable, path: PurePosixPath) -> Iterator[tuple[PurePosixPath, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _templates(entry, path / entry.name)
        elif entry.name.endswith(_SUFFIX):
            yield path / entry.name.removesuffix(_SUFFIX), entry


def _placed(path: PurePosixPath, values: Mapping[str, str]) -> PurePosixPath:
    """Where a template's file goes: its folders and its name say ``package`` and ``name`` for those of the edition."""
    folders = [{"package": values["package"], "name": values["name"]}.get(part, part) for part in path.parent.parts]
    name = values["name"]
    files = {"gitignore": ".gitignore", "name.css": f"{name}.css", "test_name.py": f"test_{name}.py"}
    return PurePosixPath(*folders, files.get(path.name, path.name))


def _write_whole(destination: Path, contents: Iterator[tuple[PurePosixPath, bytes]]) -> None:
    """Write into a folder beside ``destination``, which takes its name at the end."""
    draft = Path(tempfile.mkdtemp(prefix=f".{destination.name}-", dir=destination.parent))
    try:
        for path, content in contents:
            file = draft / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        draft.chmod(0o777 & ~_umask())  # as mkdir would have made it
        draft.rename(destination)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _umask() -> int:
    """The umask of this process, which can be read only by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
