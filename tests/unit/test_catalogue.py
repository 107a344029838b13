"""Every visible text is marked for translation, and translated; the compiled catalogues are those of the sources."""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from jinja2 import Environment, nodes

from app.editions.catalogues import (
    KEYWORDS,
    Sources,
    as_mo,
    as_po,
    committed,
    entries,
    texts_of,
    translations_of,
    untranslated,
    up_to_date,
)
from app.editions.catalogues import (
    TRANSLATED as LANGUAGES_TRANSLATED,
)
from app.localisation import DEFAULT_LANGUAGE, LANGUAGES
from tests import catalogue
from tests.checkout import CHECKOUT, files_of_the_server

PLACEHOLDER = re.compile(r"%(?:\((?P<name>\w+)\)[a-z]|(?P<bare>.))", re.DOTALL)
LETTER = re.compile(r"[^\W\d_]")
TRANSLATED = pytest.mark.parametrize("language", LANGUAGES_TRANSLATED)
EVERY = pytest.mark.parametrize("sources", catalogue.ALL, ids=lambda sources: sources.domain)

SOURCES = [path for folder in ("app", "plugins") for path in files_of_the_server(CHECKOUT / folder, "*.py")]
GETTEXT = frozenset(KEYWORDS)
SHOWN_AS_IT_IS = frozenset({"echo", "secho", "confirm", "prompt", "flash", "ValidationError", "SelectChoice"})
"""Functions that show a person what they are given."""

TEMPLATES = sorted(
    path
    for path in (*(CHECKOUT / "templates").rglob("*.html"), *(CHECKOUT / "plugins").glob("*/templates/**/*.html"))
    # speaks both languages at once, for it is shown where the translations may be what failed
    if path != CHECKOUT / "templates" / "errors" / "plain.html"
)
NAMES = frozenset({"TimeTracker RX", "Python"})
"""The same in every language."""
CLASSES = re.compile(r"rx-[\w-]+(?: rx-[\w-]+)*")
"""The body of a block that stands in a class attribute of the layout."""
SPOKEN_ATTRIBUTES = frozenset({"alt", "aria-label", "aria-description", "placeholder", "title"})
UNSEEN_ELEMENTS = frozenset({"script", "style"})
JINJA = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)


def name_of(path: Path) -> str:
    return path.relative_to(CHECKOUT).as_posix()


def key(message: Message) -> tuple[str | None, str]:
    return message.context, texts_of(message)[0]


# The catalogues ---------------------------------------------------------------------------------------------------


def test_the_sources_hold_texts() -> None:
    texts = {key(message) for message in catalogue.extracted(catalogue.CORE)}
    assert (None, "License Expiration Date") in texts  # Python
    assert (None, "Global navigation") in texts  # a template
    assert (None, "(optional)") in texts  # a folder that begins with an underscore


def test_the_texts_of_a_bundled_edition_are_in_its_own_catalogue_alone() -> None:
    assert [sources.title for sources in catalogue.EDITIONS] == ["desktop", "standard"]
    _, standard = catalogue.EDITIONS
    own = {key(message) for message in catalogue.extracted(standard)}
    assert (None, "Still missing") in own
    assert (None, "Still missing") not in {key(message) for message in catalogue.extracted(catalogue.CORE)}


@EVERY
def test_every_language_but_that_of_the_sources_has_a_catalogue(sources: Sources) -> None:
    there = {path.parents[1].name for path in sources.folder.glob("*/LC_MESSAGES/*.mo")}
    assert there == set(LANGUAGES) - {DEFAULT_LANGUAGE}
    assert {path.stem for path in sources.folder.rglob("*.[mp]o")} == {sources.domain}


@EVERY
@TRANSLATED
def test_every_text_is_translated(sources: Sources, language: str) -> None:
    missing = untranslated(up_to_date(sources, language))
    assert missing == [], "run: make messages; then translate these in the .po file, and run it again"


@EVERY
@TRANSLATED
def test_no_translation_is_left_of_a_text_that_has_gone(sources: Sources, language: str) -> None:
    there = {key(message) for message in committed(sources, language)}
    assert sorted(there - {key(message) for message in catalogue.extracted(sources)}, key=str) == [], (
        "run: make messages"
    )
    assert not committed(sources, language).obsolete


@EVERY
@TRANSLATED
def test_no_translation_is_a_guess(sources: Sources, language: str) -> None:
    assert [key(message) for message in committed(sources, language) if message.id and message.fuzzy] == []


@EVERY
@TRANSLATED
def test_a_translation_has_the_placeholders_of_its_text(sources: Sources, language: str) -> None:
    assert list(wrong_placeholders(committed(sources, language))) == []


def wrong_placeholders(translations: Catalog) -> Iterator[tuple[str, str]]:
    for message in translations:
        if not message.id:
            continue
        texts, forms = texts_of(message), translations_of(message)
        # The singular may name its number in words; a form of the translation may leave out what that leaves out.
        needed = set.intersection(*(set(placeholders(text)) for text in texts))
        allowed = set.union(*(set(placeholders(text)) for text in texts))
        for form in forms:
            if not needed <= set(placeholders(form)) <= allowed:
                yield texts[-1], form
        if placeholders(forms[-1]) != placeholders(texts[-1]):
            yield texts[-1], forms[-1]


def placeholders(text: str) -> list[str]:
    """Names in order of the alphabet; a percent sign that is none shows as itself, and breaks a text that has any."""
    return sorted(found["name"] or f"%{found['bare']}" for found in PLACEHOLDER.finditer(text))


@EVERY
@TRANSLATED
def test_the_compiled_catalogue_is_that_of_the_translator(sources: Sources, language: str) -> None:
    compiled = entries(sources.mo_file(language).read_bytes())
    assert compiled == entries(as_mo(committed(sources, language))), "run: make messages"


@EVERY
@TRANSLATED
def test_bringing_a_catalogue_up_to_date_changes_nothing_by_itself(sources: Sources, language: str) -> None:
    text = as_po(committed(sources, language))
    assert sources.po_file(language).read_bytes() == text
    assert b"POT-Creation-Date" not in text
    assert b"Generated-By" not in text


# Texts in Python --------------------------------------------------------------------------------------------------


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            yield name, node


def literals(node: ast.AST) -> list[str]:
    found = (inner.value for inner in ast.walk(node) if isinstance(inner, ast.Constant))
    return [value for value in found if isinstance(value, str)]


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_text_is_marked_where_babel_finds_it(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for name, call in calls(tree):
        if name in GETTEXT and call.args and not isinstance(call.args[0], ast.Constant):
            # Babel would take _(TEXTS["key"]) for a text "key", and not see the text of _(texts.get(key, N_("none"))).
            assert literals(call.args[0]) == [], f"line {call.lineno}: keep what is looked up in a variable"
    for string in (node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)):
        # Seen from Python 3.12 on only: until then an f-string is one token.
        marked = [name for name, call in calls(string) if name in GETTEXT and any(map(literals, call.args[:1]))]
        assert marked == [], f"line {string.lineno}: translate it before the f-string"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_no_text_is_shown_that_was_not_marked(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    shown = [
        f"line {text.lineno}: {ast.unparse(text)}"
        for name, call in calls(tree)
        if name in SHOWN_AS_IT_IS or name.endswith("Field")
        for text in call.args[:2]
        if is_a_text(text)
    ]
    assert shown == []


def is_a_text(node: ast.expr) -> bool:
    """Whether words stand in a literal; names, addresses and codes have no spaces between letters."""
    if isinstance(node, ast.JoinedStr):
        words = "".join(part.value for part in node.values if isinstance(part, ast.Constant))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        words = node.value
    else:
        return False
    return (
        words.strip() not in NAMES
        and re.search(r"[A-Za-z]{2,}[,:]? [A-Za-z]{2,}|^[A-Z][a-z]+[.!?]?$", words) is not None
    )


# Texts in templates -----------------------------------------------------------------------------------------------


class VisibleText(HTMLParser):
    """Collects what a reader sees or hears of a page whose expressions have been taken out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.unseen += tag in UNSEEN_ELEMENTS
        for name, value in attrs:
            if name in SPOKEN_ATTRIBUTES:
                self.see(value or "")

    def handle_endtag(self, tag: str) -> None:
        self.unseen -= tag in UNSEEN_ELEMENTS

    def handle_data(self, data: str) -> None:
        if not self.unseen:
            self.see(data)

    def see(self, text: str) -> None:
        words = " ".join(text.split())
        if LETTER.search(words) and words not in NAMES and not CLASSES.fullmatch(words):
            self.found.append(words)


def markup_alone(source: str) -> str:
    """The template without comments, tags and expressions; an expression that is an element's name becomes one."""
    kept: list[str] = []
    inside = False
    for _line, kind, value in JINJA.lex(source):
        if kind in ("variable_begin", "block_begin"):
            inside = True
            if kind == "variable_begin" and kept and kept[-1].endswith(("<", "</")):
                kept.append("div")
        elif kind in ("variable_end", "block_end"):
            inside = False
        elif kind == "data" and not inside:
            kept.append(value)
    return "".join(kept)


def unmarked_literals(node: nodes.Node) -> Iterator[str]:
    """Literals that read like a text, outside a call that translates them: empty_state("key", "No license yet")."""
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.Call) and isinstance(child.node, nodes.Name) and child.node.name in GETTEXT:
            continue
        if isinstance(child, nodes.Const) and isinstance(child.value, str) and re.match(r"[A-Z]\w* \w", child.value):
            yield child.value
        yield from unmarked_literals(child)


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_template_shows_no_text_that_was_not_marked(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    page = VisibleText()
    page.feed(markup_alone(source))
    page.close()
    assert page.found == []
    assert list(unmarked_literals(JINJA.parse(source))) == []


def test_what_was_not_marked_is_found() -> None:
    page = VisibleText()
    page.feed(markup_alone('<{{ a }} class="a b"><b title="{{ _("x") }}">{# n #}{% if a %}Hi{% endif %}</b></{{ a }}>'))
    page.feed('<img alt="A cat"><script>let x</script><i title=""> · 8 %</i>')
    page.close()
    assert page.found == ["Hi", "A cat"]
    source = '{{ empty("a b", "No license", _("Not this"), title="Nor That one") }}'
    assert list(unmarked_literals(JINJA.parse(source))) == ["No license", "Nor That one"]
