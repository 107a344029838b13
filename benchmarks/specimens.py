"""Editions of the size that a first one has, written to a folder and installed for as long as something is measured."""

import compileall
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template

MANY = 20
_INIT = Template('''"""The edition ${name}."""

from app.sdk import N_, Card, Edition, Feature, Listener, NavItem, NumberSetting, Permission, UserAdded

from ${package}.models import Model
from ${package}.views import card, heard, pages


class Specimen(Edition):
    """Has one of everything."""

    name = "${name}"
    title = N_("Specimen")
    description = N_("Keeps notes.")
    api_version = 1
    included_in = ${included_in}
    features = (Feature("${name}.notes", N_("Notes"), N_("A page of notes.")),)
    permissions = (Permission("${name}.manage", N_("Notes"), N_("Removes the notes of others.")),)
    settings = (NumberSetting("${name}.most", N_("Notes"), default=9, maximum=99),)
    blueprints = (pages,)
    models = Model
    listeners = (Listener(UserAdded, heard),)
    if ${shows}:
        navigation = (NavItem("${name}.index", N_("Notes"), "inbox"),)
        cards = (Card("notes", N_("Notes"), card, feature="${name}.notes"),)
''')
_MODELS = Template('''"""The tables of the edition ${name}."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.sdk import DeclarativeBase, RowId, edition_metadata, user_reference


class Model(DeclarativeBase):
    """The base of all tables of this edition."""

    metadata = edition_metadata("${name}")


class Note(Model):
    """A note."""

    __tablename__ = "edition_${name}_notes"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    user_id: Mapped[int] = mapped_column(user_reference(), index=True)
    text: Mapped[str] = mapped_column(String(200))
''')
_MIGRATION = Template('''"""Notes."""

import sqlalchemy as sa
from alembic import op

from app.sdk import RowId

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "edition_${name}_notes",
        sa.Column("id", RowId, primary_key=True),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="RESTRICT"), nullable=False, index=True),
        sa.Column("text", sa.String(200), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("edition_${name}_notes")
''')
_VIEWS = Template('''"""The pages of the edition ${name}."""

from wtforms import StringField
from wtforms.validators import Length

from app.sdk import EditionBlueprint, Form, UserAdded, lazy_gettext, redirect, render_template, url_for

pages = EditionBlueprint("${name}", __name__, feature="${name}.notes")


class NoteForm(Form):
    """A note."""

    text = StringField(lazy_gettext("Note"), validators=[Length(max=200)])


@pages.get("/")
def index():
    return render_template("${name}/page.html", edition_title="", edition_is_loaded=True)


@pages.post("/")
def add():
    return redirect(url_for("${name}.index"))


@pages.post("/<int:note_id>/remove")
def remove(note_id):
    return redirect(url_for("${name}.index"))


def card():
    return "Notes"


def heard(event: UserAdded):
    pass
''')


@dataclass(frozen=True, slots=True)
class Kind:
    """What all specimens of one folder are."""

    prefix: str
    """Their names begin with it."""
    licensed: bool
    """Whether they are modules that the ground's license includes; else they are editions that it does not name."""
    shown: bool
    """Whether they add to the menu and to the dashboard."""


@contextmanager
def installed(folder: Path, kind: Kind, count: int, page: str) -> Iterator[Path]:
    """Install ``count`` editions for applications that start meanwhile; yields the folder, for other processes.

    Args:
        folder: an existing folder, in which one for these editions is made where it is not there yet.
        kind: what they are.
        count: how many.
        page: the template of their page.
    """
    place = folder / f"{kind.prefix}s"
    if not place.is_dir():
        for number in range(count):
            _write(place, f"{kind.prefix}_{chr(ord('a') + number)}", kind, page)
        compileall.compile_dir(place, quiet=1)  # as pip does
    sys.path.append(str(place))  # behind the installed packages, as those of editions lie among them
    try:
        yield place
    finally:
        sys.path.remove(str(place))


def _write(place: Path, name: str, kind: Kind, page: str) -> None:
    package = f"timetracker_{name}"
    included_in = ("standard",) if kind.licensed else ()
    values = {"name": name, "package": package, "included_in": repr(included_in), "shows": repr(kind.shown)}
    files = {
        f"{package}/__init__.py": _INIT.substitute(values),
        f"{package}/models.py": _MODELS.substitute(values),
        f"{package}/views.py": _VIEWS.substitute(values),
        f"{package}/templates/{name}/page.html": page,
        f"{package}/migrations/versions/0001_notes.py": _MIGRATION.substitute(values),
        f"{package}-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n",
        f"{package}-1.0.dist-info/entry_points.txt": f"[timetracker.editions]\n{name} = {package}:Specimen\n",
    }
    for path, text in files.items():
        file = place / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
