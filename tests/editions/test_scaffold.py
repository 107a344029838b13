"""``flask edition new`` writes a whole package, or says why not and leaves nothing behind."""

import ast
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli.edition import edition_group
from app.editions.catalogues import edition_sources, prepare_update
from app.editions.scaffold import write_package
from app.refusal import Refusal


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Run ``flask edition new`` with these arguments in an empty folder; returns status and output."""

    def call(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(edition_group, ["new", "--folder", str(tmp_path), *arguments])
        return result.exit_code, result.output

    return call


def test_a_new_package_has_all_that_an_edition_needs(tmp_path: Path) -> None:
    folder = write_package("field_service", title='Field "service" \\ フィールド', folder=tmp_path)
    assert folder == tmp_path / "timetracker-field-service"
    package = folder / "timetracker_field_service"
    assert {path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file()} == {
        "__init__.py",
        "py.typed",
        "static/field_service.css",
        "templates/field_service/_today.html",
        "templates/field_service/index.html",
        "translations/ja/LC_MESSAGES/field_service.mo",
        "translations/ja/LC_MESSAGES/field_service.po",
        "views.py",
    }
    (title,) = (
        node.value.args[0].value
        for node in ast.walk(ast.parse((package / "__init__.py").read_text()))
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and node.targets[0].id == "title"
    )
    assert title == 'Field "service" \\ フィールド'
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["timetracker.editions"] == {
        "field_service": "timetracker_field_service:FieldServiceEdition"
    }


def test_the_title_asks_to_be_translated_and_goes_on_asking(tmp_path: Path) -> None:
    folder = write_package("acme", title="Field work", folder=tmp_path)
    package = folder / "timetracker_acme"
    file = package / "translations" / "ja" / "LC_MESSAGES" / "acme.po"
    asking = "# The title is not translated yet. Leave it so only if it is a name.\n"
    assert f'{asking}msgid "Field work"\nmsgstr "Field work"\n' in file.read_text()
    update = prepare_update(edition_sources("acme", package, "timetracker_acme"), "ja")
    assert (dict(update.changes), update.untranslated) == ({}, ())
    assert file.relative_to(folder).as_posix() in (folder / "README.md").read_text()


def test_a_title_that_is_a_text_of_the_package_keeps_its_translation(tmp_path: Path) -> None:
    package = write_package("acme", title="Good day", folder=tmp_path) / "timetracker_acme"
    assert 'msgid "Good day"\nmsgstr "こんにちは"' in next(package.rglob("*.po")).read_text()


def test_no_file_of_a_new_package_holds_a_placeholder(tmp_path: Path) -> None:
    folder = write_package("acme", title="Acme", folder=tmp_path)
    assert [path for path in folder.rglob("*") if path.is_file() and b"${" in path.read_bytes()] == []


def test_the_command_says_what_to_do_next(run: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    status, output = run("acme", "--title", "Acme")
    assert status == 0
    assert f'pip install --editable "{tmp_path}/timetracker-acme[test]"' in output


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("Acme",), "edition_name_invalid"),
        (("acme-field",), "edition_name_invalid"),
        (("../acme",), "edition_name_invalid"),
        (("",), "edition_name_invalid"),
        (("a" * 65,), "edition_name_invalid"),
        (("standard",), "edition_name_taken"),
        (("settings",), "edition_name_taken"),
        (("users",), "edition_name_taken"),
        (("errors",), "edition_name_taken"),
        (("license",), "edition_name_taken"),
        (("acme", "--title", "two\nlines"), "edition_title_invalid"),
        (("acme", "--title", " "), "edition_title_invalid"),
        (("acme", "--title", "a" * 301), "edition_title_invalid"),
    ],
)
def test_a_name_or_title_that_cannot_be_is_refused(
    run: Callable[..., tuple[int, str]], tmp_path: Path, arguments: tuple[str, ...], code: str
) -> None:
    status, output = run(*arguments)
    assert (status, f"[{code}]" in output) == (1, True)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_exists_is_left_alone(run: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    (tmp_path / "timetracker-acme").mkdir()
    (tmp_path / "timetracker-acme" / "mine").write_text("precious")
    status, output = run("acme")
    assert (status, "[edition_folder_exists]" in output) == (1, True)
    assert [path.name for path in tmp_path.rglob("*")] == ["timetracker-acme", "mine"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        write_package("acme", title="Acme", folder=tmp_path / "missing")
    assert refused.value.code == "edition_folder_unusable"
    assert "missing" in str(refused.value.params["folder"])


def test_a_disk_that_fails_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Path] = []
    write = Path.write_bytes

    def fail_at_the_fifth(path: Path, content: bytes) -> int:
        written.append(path)
        if len(written) == 5:
            raise OSError(28, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", fail_at_the_fifth)
    with pytest.raises(Refusal) as refused:
        write_package("acme", title="Acme", folder=tmp_path)
    assert refused.value.code == "edition_folder_unusable"
    assert list(tmp_path.iterdir()) == []
