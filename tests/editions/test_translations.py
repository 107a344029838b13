"""Texts of editions: each is looked up in its edition's own catalogue, and none changes a text of anybody else."""

import json
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import click
import pytest
from babel.messages.catalog import Catalog
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import force_locale
from flask_babel import gettext as core_gettext

from app.cli.edition import edition_group
from app.editions import registry
from app.editions.catalogues import (
    TRANSLATED,
    as_mo,
    as_po,
    committed,
    core_catalogue,
    edition_sources,
    prepare_update,
)
from app.editions.scaffold import write_package
from app.editions.texts import catalogue_file, gettext, lazy_gettext, ngettext, pgettext, speaking_as
from app.refusal import Reason, Refusal
from app.texts import code_texts, sentences
from tests import catalogue as bundled
from tests.conftest import ONLY_SQLITE, add_person, log_in, register_key
from tests.editions.conftest import Shelf, found_in, sound

JAPANESE = {"Accept-Language": "ja"}
Texts = Mapping[str | tuple[str, str], str]

PLUGIN = """
    from wtforms import StringField
    from app.sdk import (
        Card, Edition, EditionBlueprint, Feature, Form, N_, NavItem, Permission, gettext, lazy_gettext, ngettext,
        pgettext, render_template,
    )
    import click

    pages = EditionBlueprint("{name}", __name__, feature="{name}.board")

    class BoardForm(Form):
        board = StringField(lazy_gettext("Board"))

    @pages.get("/")
    def board():
        said = [gettext("Board"), ngettext("%(num)s sheet", "%(num)s sheets", 3), pgettext("menu", "Board")]
        return render_template("{name}/board.html", said=said, form=BoardForm())

    @click.command("say")
    def say():
        click.echo(gettext("Board"))

    class Plugin(Edition):
        name = "{name}"
        title = N_("Acme works")
        description = N_("Boards of all kinds.")
        api_version = 1
        features = (Feature("{name}.board", N_("Board"), N_("Everybody's tasks.")),)
        blueprints = (pages,)
        start_page = "{name}.board"
        navigation = (NavItem("{name}.board", N_("Board"), "inbox"),)
        commands = (say,)
"""
TEMPLATES = {
    "board.html": """
        {% extends "base.html" %}
        {% from "NAME/_macros.html" import of_macro %}
        {% block title %}{{ _("Board") }}{% endblock %}
        {% block content %}
        <ul id="said">{% for text in said %}<li>{{ text }}</li>{% endfor %}</ul>
        <p id="own">{{ _("Log out") }}</p>
        <p id="core">{{ _("License Expiration Date") }}</p>
        <p id="trans">{% trans %}Board{% endtrans %}</p>
        <p id="plural">{% trans count=2 %}{{ count }} sheet{% pluralize %}{{ count }} sheets{% endtrans %}</p>
        <p id="ngettext">{{ ngettext("%(num)s sheet", "%(num)s sheets", 4) }}</p>
        <p id="pgettext">{{ pgettext("menu", "Board") }}</p>
        <p id="macro">{{ of_macro() }}</p>
        <p id="label">{{ form.board.label.text }}</p>
        {% include "NAME/_part.html" %}
        {% endblock %}
    """,
    "_macros.html": '{% macro of_macro() %}{{ gettext("Board") }}{% endmacro %}',
    "_part.html": '<p id="part">{{ _("Board") }}</p>',
}
ACME: Texts = {
    "Board": "盤",
    "Log out": "盤を閉じる",
    "Acme works": "アクメ",
    "Boards of all kinds.": "あらゆる盤。",
    "Everybody's tasks.": "みんなの仕事。",
    ("%(num)s sheet", "%(num)s sheets"): "%(num)s 枚",
    ("%(count)s sheet", "%(count)s sheets"): "%(count)s 枚（数）",
    ("menu\x04", "Board"): "盤一覧",
}


def compiled(texts: Texts) -> bytes:
    """A Japanese catalogue as the application loads it; a pair is singular and plural, or context and text."""
    catalogue = Catalog(locale="ja")
    for text, translation in texts.items():
        if isinstance(text, str):
            catalogue.add(text, translation)
        elif text[0].endswith("\x04"):
            catalogue.add(text[1], translation, context=text[0].removesuffix("\x04"))
        else:
            catalogue.add(text, (translation,))
    return as_mo(catalogue)


def install(shelf: Shelf, name: str, texts: Texts | bytes | None, source: str = PLUGIN) -> Path:
    """Install an edition as a package with a page and a Japanese catalogue; returns its folder."""
    folder = shelf.folder / f"{name}_edition"
    (folder / "templates" / name).mkdir(parents=True)
    (folder / "__init__.py").write_text(dedent(source.format(name=name)))
    for file, template in TEMPLATES.items():
        (folder / "templates" / name / file).write_text(dedent(template).replace("NAME", name))
    if texts is not None:
        file = catalogue_file(folder, name, "ja")
        file.parent.mkdir(parents=True)
        file.write_bytes(texts if isinstance(texts, bytes) else compiled(texts))
    sys.modules.pop(folder.name, None)
    shelf.modules.append(folder.name)
    shelf.add(name, f"{folder.name}:Plugin", package=f"{name}-package")
    return folder


def shown(page: str, mark: str) -> str:
    """What stands in the element with the id ``mark``."""
    return page.partition(f'id="{mark}">')[2].partition("</p>")[0]


@pytest.fixture
def acme(shelf: Shelf, make_app: Callable[..., Flask]) -> Flask:
    """Acme and Beta, with other words for the same, and a license for Acme with Beta's feature."""
    install(shelf, "acme", ACME)
    install(shelf, "beta", {"Board": "板", "Log out": "板を閉じる"})
    app = make_app(edition_failures_raise=True)
    add_person(app, "admin", admin=True)
    add_person(app, "member")
    register_key(app, seats=9, edition="acme", features=["beta.board"])
    return app


@pytest.fixture
def member(acme: Flask) -> FlaskClient:
    client = acme.test_client()
    log_in(client, "member")
    return client


@pytest.fixture
def admin(acme: Flask) -> FlaskClient:
    client = acme.test_client()
    log_in(client, "admin")
    return client


# Pages of an edition ------------------------------------------------------------------------------------------------


@ONLY_SQLITE
@pytest.mark.parametrize("address", ["/acme/", "/"])
def test_texts_of_a_page_are_looked_up_in_its_editions_catalogue(member: FlaskClient, address: str) -> None:
    page = member.get(address, headers=JAPANESE).text
    assert "<li>盤</li><li>3 枚</li><li>盤一覧</li>" in page
    marks = ("own", "core", "trans", "plural", "ngettext", "pgettext", "macro", "label", "part")
    assert {mark: shown(page, mark) for mark in marks} == {
        "own": "盤を閉じる",
        "core": "ライセンス有効期限",
        "trans": "盤",
        "plural": "2 枚（数）",
        "ngettext": "4 枚",
        "pgettext": "盤一覧",
        "macro": "盤",
        "label": "盤",
        "part": "盤",
    }


@ONLY_SQLITE
def test_two_editions_say_the_same_text_differently(member: FlaskClient) -> None:
    page = member.get("/beta/", headers=JAPANESE).text
    assert shown(page, "own") == "板を閉じる"
    assert shown(page, "label") == shown(page, "part") == "板"
    assert "<li>板</li><li>3 sheets</li>" in page
    assert shown(page, "ngettext") == "4 sheets"


@ONLY_SQLITE
@pytest.mark.parametrize("address", ["/acme/", "/beta/", "/", "/account", "/acme/nothing"])
def test_no_edition_changes_a_text_of_the_core(member: FlaskClient, address: str) -> None:
    page = member.get(address, headers=JAPANESE).text
    layout = page.partition("<main")[0]
    assert "ログアウト" in layout
    assert "を閉じる" not in layout


@ONLY_SQLITE
def test_in_english_the_texts_are_those_of_the_sources(member: FlaskClient) -> None:
    page = member.get("/acme/").text
    assert "<li>Board</li><li>3 sheets</li><li>Board</li>" in page
    assert shown(page, "plural") == "2 sheets"
    assert shown(page, "label") == "Board"


@ONLY_SQLITE
def test_no_file_is_read_once_the_application_has_started(shelf: Shelf, member: FlaskClient) -> None:
    shutil.rmtree(shelf.folder / "acme_edition" / "translations")
    assert shown(member.get("/acme/", headers=JAPANESE).text, "own") == "盤を閉じる"


# Texts of the manifest ----------------------------------------------------------------------------------------------


@ONLY_SQLITE
def test_the_navigation_says_each_label_in_the_words_of_its_edition(admin: FlaskClient) -> None:
    page = admin.get("/account", headers=JAPANESE).text
    navigation = page.partition("<main")[0]
    assert "盤" in navigation
    assert "板" in navigation
    assert "Board" not in navigation


@ONLY_SQLITE
@pytest.mark.parametrize(
    ("address", "texts"),
    [
        ("/settings/operation/editions", ["アクメ", "あらゆる盤。"]),
        ("/settings/operation/editions/acme/disable", ["アクメ", "盤"]),
        ("/settings/operation/license", ["アクメ", "板"]),
    ],
)
def test_pages_of_the_core_show_a_manifest_in_the_words_of_its_edition(
    admin: FlaskClient, address: str, texts: list[str]
) -> None:
    page = admin.get(address, headers=JAPANESE).text
    assert [text for text in texts if text not in page] == []


@ONLY_SQLITE
def test_the_page_of_a_feature_that_is_not_licensed_names_it_in_the_words_of_its_edition(
    acme: Flask, member: FlaskClient
) -> None:
    register_key(acme, seats=9, edition="standard")
    answer = member.get("/acme/", headers=JAPANESE)
    assert answer.status_code == 402
    about = answer.text.partition("<main")[2]
    assert "盤" in about
    assert "アクメ" in about


@ONLY_SQLITE
def test_a_text_of_a_manifest_that_is_empty_stays_empty(acme: Flask) -> None:
    with acme.test_request_context(headers=JAPANESE):
        assert registry.text_of("acme", "") == ""
        assert registry.text_of("acme", "Board") == "盤"
        assert registry.text_of("beta", "Board") == "板"
        assert registry.text_of("standard", "Dashboard") == "ダッシュボード"
        assert registry.text_of("not_installed", "License Expiration Date") == "ライセンス有効期限"


# Code of an edition in pages that are not its own --------------------------------------------------------------------


@ONLY_SQLITE
def test_code_that_is_called_for_an_edition_speaks_for_it(acme: Flask) -> None:
    with acme.test_request_context("/account", headers=JAPANESE):
        lazy = lazy_gettext("Board")
        assert gettext("Board") == str(lazy) == "Board"
        with speaking_as("acme"):
            assert gettext("Board") == str(lazy) == "盤"
            assert ngettext("%(num)s sheet", "%(num)s sheets", 1) == "1 枚"
            assert pgettext("menu", "Board") == "盤一覧"
            assert core_gettext("Log out") == "ログアウト"
            with speaking_as("beta"):
                assert gettext("Board") == str(lazy) == "板"
            assert gettext("Board") == "盤"
        assert gettext("Board") == "Board"


@ONLY_SQLITE
def test_a_refusal_of_an_edition_is_worded_by_it_and_one_of_the_core_is_not(acme: Flask) -> None:
    refusal = Refusal(Reason("acme_full", "Board", "Log out"))
    with acme.test_request_context("/account", headers=JAPANESE), speaking_as("acme"):
        texts = code_texts(refusal)
        assert (texts.message, texts.remedy) == ("盤", "ログアウト")


@ONLY_SQLITE
def test_a_template_speaks_for_its_edition_wherever_it_is_shown(acme: Flask) -> None:
    with acme.test_request_context("/beta/", headers=JAPANESE), speaking_as("beta"):
        assert 'id="part">盤' in acme.jinja_env.get_template("acme/_part.html").render()


@ONLY_SQLITE
def test_a_template_that_lies_in_no_file_speaks_for_whoever_is_answered(acme: Flask) -> None:
    with acme.test_request_context("/account", headers=JAPANESE):
        template = acme.jinja_env.from_string('{{ _("Board") }}')
        assert template.render() == "Board"
        with speaking_as("beta"):
            assert template.render() == "板"


@ONLY_SQLITE
def test_a_command_of_an_edition_speaks_for_it(acme: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    result = acme.test_cli_runner().invoke(args=["acme", "say"])
    assert result.output == "盤\n"


def test_outside_an_application_a_text_is_that_of_the_source() -> None:
    assert gettext("Board of %(name)s", name="Mio") == "Board of Mio"
    assert ngettext("%(num)s sheet", "%(num)s sheets", 2) == "2 sheets"
    assert pgettext("menu", "Board") == "Board"


# Catalogues that are not as they should be ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "warning"),
    [
        (b"", "cannot be read (error)"),
        (b"no catalogue at all, but a few words", "cannot be read (OSError)"),
        (compiled(ACME)[:-40], "cannot be read (OSError)"),
        (compiled(ACME).replace(b"charset=utf-8", b"charset=utf-x"), "cannot be read (LookupError)"),
        (compiled(ACME).replace(b"plural=0", b"plural=!"), "cannot be read (ValueError)"),
    ],
    ids=["empty", "text", "truncated", "charset", "plural"],
)
def test_a_broken_catalogue_costs_its_texts_alone(
    shelf: Shelf, start: Callable[..., Flask], content: bytes, warning: str
) -> None:
    install(shelf, "acme", content)
    app = start()
    found = found_in(app, "acme")
    assert found.state == "loaded"
    assert [text for text in found.warnings if warning in text], found.warnings
    with app.test_request_context(headers=JAPANESE):
        assert registry.text_of("acme", "Board") == "Board"
        assert registry.text_of("acme", "License Expiration Date") == "ライセンス有効期限"


def test_a_catalogue_that_was_not_compiled_is_missed(shelf: Shelf, start: Callable[..., Flask]) -> None:
    folder = install(shelf, "acme", ACME)
    catalogue_file(folder, "acme", "ja").rename(catalogue_file(folder, "messages", "ja"))
    app = start()
    (warning,) = found_in(app, "acme").warnings
    assert warning == ("translations/ja/LC_MESSAGES/acme.mo is missing: run flask edition messages acme")


def test_an_edition_without_translations_is_sound(shelf: Shelf, start: Callable[..., Flask]) -> None:
    install(shelf, "acme", None)
    app = start(edition_failures_raise=True)
    with app.test_request_context(headers=JAPANESE), speaking_as("acme"):
        assert gettext("Board") == "Board"
        assert gettext("License Expiration Date") == "ライセンス有効期限"


def test_a_translation_that_would_break_a_page_is_left_out(shelf: Shelf, start: Callable[..., Flask]) -> None:
    unfit = {"For %(name)s": "%(nmae)s に", "Half": "50 %", "%(num)s of us": "%(num)d 人"}
    fit = {"By %(name)s": "%(name)s が", "100 %": "100 パーセント", "%(n)d": "%(n)s", "All %%": "全 %%"}
    install(shelf, "acme", {**unfit, **fit, ("One", "%(num)s of %(all)s"): "%(all)s の %(num)s"})
    app = start()
    (warning,) = found_in(app, "acme").warnings
    assert "has other placeholders than the text" in warning
    with app.test_request_context(headers=JAPANESE):
        assert {text: registry.text_of("acme", text) for text in unfit} == {text: text for text in unfit}
        assert {text: registry.text_of("acme", text) for text in fit} == fit
        with speaking_as("acme"):
            assert ngettext("One", "%(num)s of %(all)s", 2, all=5) == "5 の 2"


# flask edition messages ----------------------------------------------------------------------------------------------


@pytest.fixture
def run() -> Callable[..., click.testing.Result]:
    """Run ``flask edition messages`` without an application."""
    runner = click.testing.CliRunner()
    return lambda *arguments: runner.invoke(edition_group, ["messages", *arguments])


def test_the_command_collects_the_texts_of_a_package_and_compiles_them(
    shelf: Shelf, run: Callable[..., click.testing.Result], start: Callable[..., Flask]
) -> None:
    folder = install(shelf, "acme", None)
    shelf.install("broken", "raise RuntimeError('no')")
    (folder / "tests").mkdir()
    (folder / "tests" / "test_it.py").write_text('_("Nobody sees this")')
    result = run("acme")
    assert result.exit_code == 1, result.output
    assert "ja: 9 texts, 7 not translated" in result.output
    assert "'Acme works'" in result.output

    sources = edition_sources("acme", folder, "acme_edition")
    file = sources.po_file("ja")
    text = file.read_text()
    assert 'msgid "Log out"\nmsgstr "ログアウト"' in text  # taken over from the core
    assert "Nobody sees this" not in text
    assert "Date" not in text.partition("\n\n")[0]

    catalogue = committed(sources, "ja")
    for message in catalogue:
        if message.id and not any(message.string):
            message.string = tuple("訳 %(num)s" for _ in message.string) if message.pluralizable else "訳"
    file.write_bytes(as_po(catalogue))
    again = run("acme")
    assert (again.exit_code, again.output) == (0, f"ja: 9 texts, all translated: {file}\n")
    with start().test_request_context(headers=JAPANESE):
        assert registry.text_of("acme", "Board") == "訳"


def test_the_command_changes_nothing_twice(shelf: Shelf, run: Callable[..., click.testing.Result]) -> None:
    folder = install(shelf, "acme", None)
    run("acme")
    before = {path: path.read_bytes() for path in (folder / "translations").rglob("*.*o")}
    assert len(before) == 2
    assert json.loads(run("acme", "--json").output)["languages"]["ja"]["changed"] == []
    assert {path: path.read_bytes() for path in before} == before


def test_a_check_writes_nothing_and_says_what_is_not_up_to_date(
    shelf: Shelf, run: Callable[..., click.testing.Result]
) -> None:
    folder = install(shelf, "acme", None)
    result = run("acme", "--check")
    assert result.exit_code == 1
    assert "It is not up to date." in result.output
    assert not (folder / "translations").exists()

    (folder / "__init__.py").write_text(dedent(sound()))
    shutil.rmtree(folder / "templates")
    sys.modules.pop("acme_edition")
    nothing = run("acme", "--check")
    assert (nothing.exit_code, nothing.output) == (0, "ja: No text is marked for translation.\n")
    assert not (folder / "translations").exists()


def test_texts_that_have_gone_are_dropped_and_translations_kept(
    shelf: Shelf, run: Callable[..., click.testing.Result]
) -> None:
    folder = install(shelf, "acme", None)
    file = edition_sources("acme", folder, "acme_edition").po_file("ja")
    file.parent.mkdir(parents=True)
    file.write_text(
        '# Ours\nmsgid ""\nmsgstr ""\n"Last-Translator: Mio\\n"\n"Language: ja\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "Board"\nmsgstr "盤"\n\nmsgid "Gone"\nmsgstr "なし"\n'
    )
    run("acme")
    text = file.read_text()
    assert text.startswith("# Ours\n")
    assert "Last-Translator: Mio" in text
    assert 'msgid "Board"\nmsgstr "盤"' in text
    assert "Gone" not in text


def test_of_a_module_without_a_package_the_modules_beside_it_are_not_read(
    shelf: Shelf, run: Callable[..., click.testing.Result]
) -> None:
    shelf.install("acme", "from app.sdk import N_\n" + sound(title='N_("Acme works")'))
    (shelf.folder / "somebody_elses.py").write_text('N_("Not of Acme")')
    (shelf.folder / "templates" / "acme").mkdir(parents=True)
    (shelf.folder / "templates" / "acme" / "page.html").write_text('{{ _("Page of Acme") }}')
    (shelf.folder / "others" / "templates").mkdir(parents=True)
    (shelf.folder / "others" / "templates" / "page.html").write_text('{{ _("Not of Acme either") }}')
    languages = json.loads(run("acme", "--check", "--json").stdout)["languages"]
    assert languages["ja"]["untranslated"] == ["Acme works", "Page of Acme"]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("views.py", "def broken(:\n  '"),
        ("templates/acme/page.html", "{% if %}"),
        ("translations/ja/LC_MESSAGES/acme.po", "no catalogue"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    shelf: Shelf, run: Callable[..., click.testing.Result], file: str, content: str
) -> None:
    folder = install(shelf, "acme", None)
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(content)
    result = run("acme")
    assert result.exit_code == 1
    assert str(folder / file) in result.stderr
    assert "[edition_text_unreadable]" in result.stderr


def test_the_command_says_why_an_edition_cannot_be_imported(
    shelf: Shelf, run: Callable[..., click.testing.Result]
) -> None:
    shelf.install("broken", "raise RuntimeError('no')")
    assert "[edition_import_failed]" in run("broken").stderr
    assert "[edition_not_installed]" in run("nothing").stderr


def test_a_catalogue_that_cannot_be_written_is_named(shelf: Shelf, run: Callable[..., click.testing.Result]) -> None:
    folder = install(shelf, "acme", None)
    (folder / "translations").write_text("a file where a folder should be")
    result = run("acme")
    assert result.exit_code == 1
    assert "[edition_catalogue_unwritable]" in result.stderr


def test_the_package_of_a_new_edition_is_translated_and_up_to_date(tmp_path: Path) -> None:
    package = write_package("acme", title="Acme", folder=tmp_path) / "timetracker_acme"
    sources = edition_sources("acme", package, "timetracker_acme")
    for language in TRANSLATED:
        update = prepare_update(sources, language, lent_from=core_catalogue(language))
        assert (update.untranslated, update.changes) == ((), {})
        assert update.texts > 0


# The bundled edition -------------------------------------------------------------------------------------------------


def test_the_bundled_editions_speak_with_their_own_catalogues(start: Callable[..., Flask]) -> None:
    core = core_catalogue("ja")
    app = start(edition_failures_raise=True)
    for sources in bundled.EDITIONS:
        own = [message for message in committed(sources, "ja") if isinstance(message.id, str) and message.id]
        assert [message for message in own if message.id not in core] != []
        with app.test_request_context(headers=JAPANESE):
            said = {message.id: registry.text_of(sources.title, message.id) for message in own if not message.context}
            assert said == {message.id: message.string or message.id for message in own if not message.context}
            assert all(core_gettext(message.id) == message.id for message in own if message.id not in core)


@pytest.mark.parametrize(
    ("language", "parts", "line"),
    [
        ("en", ("A day.", "From 0 to 9."), "A day. From 0 to 9."),
        ("ja", ("一日です。", "0から9まで。"), "一日です。0から9まで。"),
        ("ja", ("A day.", "0から9まで。"), "A day. 0から9まで。"),
        ("ja", ("", "0から9まで。", ""), "0から9まで。"),
    ],
)
def test_a_sentence_that_is_not_translated_does_not_stick_to_the_next(
    start: Callable[..., Flask], language: str, parts: tuple[str, ...], line: str
) -> None:
    with start().test_request_context(), force_locale(language):
        assert sentences(*parts) == line
