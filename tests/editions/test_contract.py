"""The contract that authors inherit: a new edition keeps it, and whatever breaks a rule fails the test of that rule."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.editions.scaffold import write_package

PACKAGE = "timetracker_acme"
MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "edition_acme_notes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edition_acme_notes")),
    )


def downgrade() -> None:
    op.drop_table("edition_acme_notes")
"""
MODELS = """
from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.sdk import DeclarativeBase, edition_metadata


class Model(DeclarativeBase):
    metadata = edition_metadata("acme")


class Note(Model):
    __tablename__ = "edition_acme_notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(String(200))
"""


@dataclass
class Package:
    """The package of a new edition with a table, which a test spoils and then tries."""

    folder: Path
    pytester: pytest.Pytester

    def change(self, file: str, old: str, new: str) -> None:
        """Replace ``old`` in a file of the package."""
        path = self.folder / PACKAGE / file
        source = path.read_text(encoding="utf-8")
        assert old in source
        path.write_text(source.replace(old, new), encoding="utf-8")

    def add(self, file: str, source: str) -> None:
        """Write a file of the package, or more at its end."""
        path = self.folder / PACKAGE / file
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as opened:
            opened.write(source)

    def outcomes(self) -> dict[str, str]:
        """Run the tests of the package; returns what became of each, by its name."""
        run = self.pytester.inline_run("-p", "no:cacheprovider", "-p", "no:randomly", str(self.folder / "tests"))
        reports = [report for report in run.getreports("pytest_runtest_logreport") if not report.skipped]
        found: dict[str, str] = {}
        for report in reports:
            name = report.nodeid.rpartition("::")[2]
            if report.when == "call" or report.failed:
                found[name] = "failed" if report.failed else found.get(name, report.outcome)
        return found

    def expect_failure(self, *tests: str) -> None:
        """Run the tests, and expect these to fail at least."""
        outcomes = self.outcomes()
        assert {name for name in tests if outcomes.get(name) == "failed"} == set(tests), outcomes


@pytest.fixture
def package(pytester: pytest.Pytester) -> Package:
    folder = write_package("acme", title="Acme", folder=pytester.path)
    metadata = folder / "timetracker_acme-0.1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: timetracker-acme\nVersion: 0.1.0\n")
    (metadata / "entry_points.txt").write_text(f"[timetracker.editions]\nacme = {PACKAGE}:AcmeEdition\n")
    package = Package(folder, pytester)
    package.add("models.py", MODELS)
    package.add("migrations/versions/0001_notes.py", MIGRATION)
    package.change(
        "__init__.py",
        "from timetracker_acme.views",
        "from timetracker_acme.models import Model\nfrom timetracker_acme.views",
    )
    package.change("__init__.py", "    blueprints =", "    models = Model\n    blueprints =")
    pytester.syspathinsert(folder)
    return package


def test_a_new_edition_keeps_the_contract(package: Package) -> None:
    outcomes = package.outcomes()
    assert len(outcomes) == 11
    assert set(outcomes.values()) == {"passed"}, outcomes


def nothing_loads(package: Package) -> None:
    package.change("__init__.py", 'name = "acme"', 'name = "other"')


def template_elsewhere(package: Package) -> None:
    package.add("templates/base.html", "mine now")


def table_elsewhere(package: Package) -> None:
    package.change("models.py", "edition_acme_notes", "notes")


def forgotten_decorator(package: Package) -> None:
    package.change("views.py", 'feature="acme.hello"', "feature=None")


def open_gate(package: Package) -> None:
    package.change("views.py", "import EditionBlueprint", "import Audience, open_to, EditionBlueprint")
    package.change("views.py", '@pages.get("/")', '@pages.get("/")\n@open_to(Audience.PUBLIC)')


def page_that_fails(package: Package) -> None:
    package.change(
        "views.py",
        '    return render_template("acme/index.html"',
        '    1 / 0\n    return render_template("acme/index.html"',
    )


def import_of_something_else(package: Package) -> None:
    package.add("views.py", "\n\ndef late() -> object:\n    from app.clock import now\n\n    return now()\n")


def icon_that_there_is_not(package: Package) -> None:
    package.change("__init__.py", '"puzzle"', '"beach"')


def icon_of_a_template_that_there_is_not(package: Package) -> None:
    package.change(
        "templates/acme/index.html",
        "{% block content %}",
        '{% from "_macros/ui.html" import icon %}{% block content %}{{ icon("beach") }}',
    )


def inline_script(package: Package) -> None:
    package.change("templates/acme/index.html", "{% block content %}", "{% block content %}<script>alert(1)</script>")


def inline_style(package: Package) -> None:
    package.change("templates/acme/index.html", '<p class="acme-greeting">', '<p style="color: red">')


def swallowed_refusal(package: Package) -> None:
    package.add(
        "views.py",
        """
from flask import request_finished


@request_finished.connect
def swallow(_: object, response: object) -> None:
    if response.status_code == 402:
        response.status_code = 200
""",
    )


def card_that_fails(package: Package) -> None:
    package.change(
        "views.py",
        '    return render_template("acme/_today.html"',
        '    1 / 0\n    return render_template("acme/_today.html"',
    )


def slot_that_fails(package: Package) -> None:
    package.change("__init__.py", "import N_, Card,", "import N_, SlotContent, Card,")
    package.add(
        "__init__.py", '    slots = (SlotContent("user.detail", lambda user_id: 1 / 0, feature="acme.hello"),)\n'
    )


def drift(package: Package) -> None:
    package.change("models.py", "String(200)", "String(300)")
    package.add("models.py", "    colour: Mapped[str] = mapped_column(String(16))\n")


def one_way_migration(package: Package) -> None:
    package.change("migrations/versions/0001_notes.py", '    op.drop_table("edition_acme_notes")', "    pass")


def missing_translation(package: Package) -> None:
    package.change("templates/acme/index.html", '_("Good day, %(person)s.", person=person)', '_("Hello")')


def untitled_record(package: Package) -> None:
    package.add(
        "notes.py",
        """
from app.sdk import AuditEvent, record_audit, write_transaction


def add(text: str) -> None:
    with write_transaction() as session:
        record_audit(session, AuditEvent("note.add" if text else "note.empty", target=text))
""",
    )


def once_in_a_process(package: Package) -> None:
    package.change("__init__.py", "from app.sdk", "import os\n\nfrom app.sdk")
    package.add(
        "__init__.py",
        """
    def __init__(self) -> None:
        if "switched_off_and_on" in os.environ["PYTEST_CURRENT_TEST"]:
            if hasattr(AcmeEdition, "made"):
                raise RuntimeError("made a second time")
            AcmeEdition.made = True
""",
    )


@pytest.mark.parametrize(
    ("spoil", "test"),
    [
        (nothing_loads, "test_it_is_loaded"),
        (template_elsewhere, "test_it_is_loaded"),
        (table_elsewhere, "test_it_is_loaded"),
        (untitled_record, "test_it_is_loaded"),
        (forgotten_decorator, "test_every_endpoint_is_guarded"),
        (open_gate, "test_every_endpoint_is_guarded"),
        (page_that_fails, "test_its_pages_answer"),
        (import_of_something_else, "test_it_keeps_to_what_is_offered"),
        (icon_that_there_is_not, "test_it_keeps_to_what_is_offered"),
        (icon_of_a_template_that_there_is_not, "test_it_keeps_to_what_is_offered"),
        (inline_script, "test_its_pages_answer"),
        (inline_style, "test_its_pages_answer"),
        (swallowed_refusal, "test_without_a_license_it_is_locked"),
        (card_that_fails, "test_its_cards_and_slots_are_shown"),
        (slot_that_fails, "test_its_cards_and_slots_are_shown"),
        (drift, "test_its_migrations_lead_to_its_models"),
        (one_way_migration, "test_its_migrations_lead_to_its_models"),
        (missing_translation, "test_it_is_translated"),
        (once_in_a_process, "test_it_survives_being_switched_off_and_on"),
    ],
)
def test_the_contract_catches_what_breaks_a_rule(package: Package, spoil: Callable[[Package], None], test: str) -> None:
    spoil(package)
    package.expect_failure(test)
