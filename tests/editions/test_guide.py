"""The author's guide, carried out as a new author would: every command, every file, in an environment of its own."""

import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from babel.messages.pofile import read_po, write_po

from app import sdk
from app.editions.base import Edition
from app.editions.slots import SLOTS
from tests.checkout import (
    PIP_WITHOUT_NETWORK,
    add_programs,
    clean_environment,
    copy_checkout,
    install,
    make_environment,
)
from tests.markdown import Block, blocks_of
from tests.reference import BEGIN, END, GUIDE, reference

pytestmark = pytest.mark.process

TEXT = GUIDE.read_text(encoding="utf-8")
BLOCKS = list(blocks_of(TEXT))
COMMANDS = [block for block in BLOCKS if block.language == "sh"]
PACKAGE = "timetracker-absences"


@dataclass
class Author:
    """Somebody who has an environment with the application, a folder to work in, and the guide."""

    folder: Path
    environment: dict[str, str]
    results: dict[int, subprocess.CompletedProcess[str]] = field(default_factory=dict)

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a block of commands."""
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def translate(self) -> None:
        """Fill in every text of the catalogue that waits for a translation."""
        (path,) = self.folder.glob(f"{PACKAGE}/*/translations/ja/LC_MESSAGES/absences.po")
        with path.open("rb") as file:
            catalogue = read_po(file, locale="ja")
        for message in catalogue:
            if message.id and not message.string:
                message.string = f"訳 {message.id}"
        with path.open("wb") as file:
            write_po(file, catalogue)


def _author(folder: Path, python: Path) -> Author:
    add_programs(python.parent.parent, "flask", "pytest")
    (folder / "home").mkdir()
    (folder / "work").mkdir()
    environment = clean_environment(
        PATH=os.pathsep.join([str(python.parent), os.environ["PATH"]]),
        HOME=str(folder / "home"),
        TIMETRACKER_INSTANCE_PATH=str(folder / "instance"),
        TIMETRACKER_SECRET_KEY="0123456789abcdef0123456789abcdef",
        **PIP_WITHOUT_NETWORK,
    )
    return Author(folder / "work", environment)


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Author:
    """Carry the tutorial out from top to bottom; whether it worked is for the tests to say."""
    folder = tmp_path_factory.mktemp("guide")
    python = make_environment(folder / "environment")
    install(python, "--editable", str(copy_checkout(folder / "checkout")))
    author = _author(folder, python)
    assert author.run("flask db upgrade").returncode == 0
    for block in BLOCKS:
        if block.language == "sh":
            author.results[block.line] = author.run(block.text)
            if block.file:  # the block that is to end with another status: it says what is left to do
                author.translate()
        elif block.file:
            path = author.folder / PACKAGE / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
    return author


@pytest.mark.parametrize("block", COMMANDS, ids=lambda block: f"line-{block.line}")
def test_every_block_of_commands_works(block: Block, story: Author) -> None:
    result = story.results[block.line]
    wanted = int(block.file.removeprefix("exit=") or 0)
    assert result.returncode == wanted, f"{block.text}\n{result.stdout}\n{result.stderr}"


def test_the_module_of_the_tutorial_is_typed(story: Author) -> None:
    """With the settings that ``flask edition new`` wrote, which are strict."""
    checkout = story.folder.parent / "checkout"
    checked = story.run(f"cd {PACKAGE} && MYPYPATH={checkout}:. python -m mypy --follow-imports=silent")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_reference_is_what_the_code_says() -> None:
    written = TEXT.partition(BEGIN)[2].partition(END)[0].strip()
    assert written == reference().strip(), "run: python -m tests.reference"


@pytest.mark.parametrize("name", [*sdk.__all__, *SLOTS, *Edition.__annotations__])
def test_everything_that_authors_may_use_is_in_the_reference(name: str) -> None:
    assert re.search(rf"`{re.escape(name)}\b", reference())


def test_every_state_of_an_edition_is_explained() -> None:
    from app.editions.discovery import STATE_TITLES  # noqa: PLC0415 - for this test alone

    explained = TEXT.partition("| state | meaning |")[2].partition("\n\n")[0]
    assert [title.lower() for title in STATE_TITLES.values() if f"| {title.lower()} |" not in explained] == []


@pytest.mark.parametrize("kind", ["checkout", "wheel"])
def test_from_an_empty_folder_to_a_page_in_the_menu(kind: str, tmp_path: Path) -> None:
    """What ``flask edition new`` says to do next is all that there is to do."""
    python = make_environment(tmp_path / "environment")
    checkout = copy_checkout(tmp_path / "checkout")
    if kind == "checkout":
        install(python, "--editable", str(checkout))
    else:
        install(python, str(checkout))
    author = _author(tmp_path, python)
    said = author.run('flask edition new field_service --title "Field service"')
    assert said.returncode == 0, said.stderr
    steps = "\n".join(line for line in said.stdout.splitlines() if line.startswith("  "))
    result = author.run(f"{steps}\nflask db upgrade\nflask edition doctor field_service")
    assert result.returncode == 0, result.stdout + result.stderr
    page = author.run(f"cd {author.folder}/timetracker-field-service && pytest -q -k greets")
    assert "1 passed" in page.stdout, page.stdout + page.stderr
