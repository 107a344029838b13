"""The reference of the author's guide, generated from the code: ``python -m tests.reference`` writes it anew.

tests/editions/test_guide.py fails when what the guide has is not what this module makes.
"""

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import is_dataclass
from functools import cache
from itertools import pairwise
from types import ModuleType
from typing import Any, get_origin

import click
from werkzeug.local import LocalProxy

from app import sdk, testing
from app.cli.edition import edition_group
from app.editions.base import Edition
from app.editions.inspection import icon_names
from app.editions.slots import SLOTS
from app.events import Event
from tests.checkout import CHECKOUT

GUIDE = CHECKOUT / "plugins" / "README.md"
BEGIN, END = "<!-- reference: python -m tests.reference -->", "<!-- /reference -->"
FIXTURES = (
    "edition_app",
    "admin_client",
    "member_client",
    "licenses",
    "grant",
    "run_flask",
    "make_edition_app",
    "edition_database_url",
    "no_network",
)
COMPONENTS = ("forms.html", "ui.html")
NOT_FOR_EDITIONS = {"brand", "flash", "seat_meter", "seat_line"}
"""Components that the frame of all pages and System Settings have for themselves."""
_MACRO = re.compile(r"\{#((?:(?!#\}).)*)#\}\s*\{% macro (\w+)\((.*?)\) -?%\}", re.DOTALL)
METHODS = ("value", "holds", "title_of")
"""Of the classes that authors get instances of; the others are for the application."""
OURS = ("RowId", "users")
"""Objects of SQLAlchemy that have a meaning here."""
FROM_ELSEWHERE = {
    "flask": "Flask",
    "flask_babel": "Flask-Babel",
    "sqlalchemy": "SQLAlchemy",
    "wtforms": "WTForms",
}


_DECLARED = ("Feature", "Permission", "NavItem", "Card", "SlotContent", "Listener", "AuditAction")
_OFFERED_AS = {id(getattr(sdk, name)): name for name in sdk.__all__}
"""The name of each thing in the SDK, by its identity."""


def reference() -> str:
    """The whole reference, from the first heading to the last line."""
    sections = (
        ("Attributes of an edition", _attributes(Edition)),
        ("Pages", _members("EditionBlueprint", "requires_feature", "requires_permission", "open_to")),
        ("What an edition declares", _members(*_DECLARED)),
        ("Settings", _members(*_settings())),
        ("Components of templates", _components()),
        ("Slots", _slots()),
        ("Events", _members("Event", *_events(), "announce")),
        ("Everything else in app.sdk", _members(*_others())),
        ("Commands", _commands()),
        ("Fixtures and the contract", _testing()),
    )
    return "\n".join(f"### {title}\n\n{''.join(lines)}" for title, lines in sections).rstrip() + "\n"


def _settings() -> tuple[str, ...]:
    return tuple(name for name in sdk.__all__ if name.endswith("Setting"))


def _events() -> tuple[str, ...]:
    found = ((name, getattr(sdk, name)) for name in sdk.__all__)
    return tuple(
        name for name, value in found if inspect.isclass(value) and issubclass(value, Event) and value is not Event
    )


def _others() -> tuple[str, ...]:
    shown = {"Edition", "EditionBlueprint", "requires_feature", "requires_permission", "open_to", "Event", "announce"}
    shown |= {*_DECLARED, *_settings(), *_events()}
    return tuple(name for name in sdk.__all__ if name not in shown)


# One thing each ----------------------------------------------------------------------------------------------------


def _attributes(cls: type) -> Iterator[str]:
    yield f"`{cls.__name__}`: {_line(inspect.getdoc(cls) or '')}\n\n"
    for name, (annotation, default, text) in _fields(cls).items():
        shown = (
            annotation.removeprefix("ClassVar[").removesuffix("]") if annotation.startswith("ClassVar[") else annotation
        )
        yield f"- **`{name}: {shown}{f' = {default}' if default else ''}`** {_line(text)}\n"


@cache
def _fields(cls: type) -> dict[str, tuple[str, str, str]]:
    """Annotation, default and docstring of each annotated field that is written in the class itself."""
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(node, ast.ClassDef)
    found = {}
    for statement, following in zip(node.body, [*node.body[1:], None], strict=True):
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        if statement.target.id == "_":
            continue
        is_text = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
        default = ast.unparse(statement.value) if statement.value is not None else ""
        found[statement.target.id] = (
            ast.unparse(statement.annotation),
            default,
            str(following.value.value) if is_text else "",
        )
    return found


def _members(*names: str) -> Iterator[str]:
    for name in names:
        yield from _member(name, getattr(sdk, name))


def _member(name: str, value: Any) -> Iterator[str]:
    module = "flask" if isinstance(value, LocalProxy) else getattr(value, "__module__", "")
    origin = "Flask" if name == "ResponseReturnValue" else FROM_ELSEWHERE.get(module.partition(".")[0])
    if origin is not None and name not in OURS:
        yield f"- **`{name}`** as {origin} has it.\n"
    elif inspect.isclass(value):
        yield f"- **`{_signature(name, value)}`** {_line(inspect.getdoc(value) or '')}\n"
        for field, (_annotation, _default, text) in _fields(value).items():
            if text and not field.startswith("_"):
                yield f"  - `{field}`: {_line(text)}\n"
        for method, function in vars(value).items():
            if inspect.isfunction(function) and method in METHODS:
                yield f"  - `{_signature(method, function)}`: {_line(inspect.getdoc(function) or '')}\n"
    elif callable(value) and get_origin(value) is None:
        yield f"- **`{_signature(name, value)}`** {_line(inspect.getdoc(value) or '')}\n"
    else:
        yield f"- **`{name}`** {_line(_text_of_constant(name))}\n"


def _signature(name: str, value: Any) -> str:
    """The signature as it is written in the source, a class being called like its constructor."""
    if inspect.isclass(value) and is_dataclass(value):
        return f"{name}({', '.join(_dataclass_parameters(value))})"
    if inspect.isclass(value):
        constructor = vars(value).get("__init__")
        return name if constructor is None else _signature(name, constructor)
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(value)))).body
    assert isinstance(node, ast.FunctionDef)
    node.args.args = [argument for argument in node.args.args if argument.arg != "self"]
    for annotation in ast.walk(node.args):
        if isinstance(annotation, ast.Name):  # the SDK has some things under a name that says more there
            meant = inspect.unwrap(value).__globals__.get(annotation.id)
            annotation.id = _OFFERED_AS.get(id(meant), annotation.id) if inspect.isclass(meant) else annotation.id
    returns = ast.unparse(node.returns) if node.returns is not None else "None"
    return f"{name}({ast.unparse(node.args)})" + (f" -> {returns}" if returns != "None" else "")


def _dataclass_parameters(cls: type) -> Iterator[str]:
    known: dict[str, tuple[str, str, str]] = {}
    for base in reversed(cls.__mro__):
        if is_dataclass(base):
            known |= {name: field for name, field in _fields(base).items() if name not in known or field[2]}
    star = False
    for parameter in inspect.signature(cls).parameters.values():
        annotation, default, _ = known[parameter.name]
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            star = True
            yield "*"
        has_default = parameter.default is not parameter.empty
        shown = default if "(" not in default else "…"
        yield f"{parameter.name}: {annotation}" + (f" = {shown or '…'}" if has_default else "")


def _text_of_constant(name: str, first: ModuleType = sdk) -> str:
    """The docstring below a constant, in the module that the SDK has it from or in the SDK itself."""
    for module in [first, *(module for key, module in sys.modules.items() if key.startswith("app."))]:
        if not hasattr(module, name) or not getattr(module, "__file__", None):
            continue
        body = ast.parse(inspect.getsource(module)).body
        for statement, following in pairwise(body):
            targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
            named = any(isinstance(target, ast.Name) and target.id == name for target in targets)
            if named and isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
                return str(following.value.value)
    raise LookupError(f"{name} has no docstring")


def _line(text: str) -> str:
    """The first paragraph of a docstring in one line of Markdown."""
    paragraph = inspect.cleandoc(text).partition("\n\n")[0].removesuffix("::") if text else ""
    return " ".join(paragraph.replace("``", "`").split())


# Tables ------------------------------------------------------------------------------------------------------------


def _slots() -> Iterator[str]:
    yield "| slot | where | its view is called with |\n| --- | --- | --- |\n"
    for slot in SLOTS.values():
        yield f"| `{slot.name}` | {slot.where} | {', '.join(f'`{name}`' for name in slot.gives) or 'nothing'} |\n"


def _commands() -> Iterator[str]:
    for name, command in sorted(edition_group.commands.items()):
        context = click.Context(command, info_name=f"flask edition {name}")
        usage = " ".join(piece for piece in command.collect_usage_pieces(context) if piece != "[OPTIONS]")
        options = [
            max(parameter.opts, key=len) + ("" if parameter.is_flag else f" {parameter.name.upper()}")
            for parameter in command.params
            if isinstance(parameter, click.Option) and parameter.name != "help"
        ]
        line = " ".join((f"flask edition {name}", usage, *(f"[{option}]" for option in options)))
        yield f"- **`{' '.join(line.split())}`** {_line(command.help or '')}\n"


def _components() -> Iterator[str]:
    for file in COMPONENTS:
        yield f"From `_macros/{file}`, imported without context:\n\n"
        source = (CHECKOUT / "templates" / "_macros" / file).read_text(encoding="utf-8")
        for comment, name, parameters in _MACRO.findall(source):
            if name not in NOT_FOR_EDITIONS:
                text = comment.strip().partition(": ")[2]
                yield f"- **`{name}({parameters})`** {_as_markdown(text[:1].upper() + text[1:])}\n"
        yield "\n"
    icons = icon_names(str(CHECKOUT / "app" / "static"))
    yield f"The icons: {', '.join(f'`{name}`' for name in icons)}.\n"


def _as_markdown(text: str) -> str:
    """A comment of a template in one line; what looks like an element is shown as it stands."""
    return re.sub(r"(?<!`)(<[^<>]+>|\{%.*?%\})(?!`)", r"`\1`", _line(text))


def _testing() -> Iterator[str]:
    for name in ("ADMINISTRATOR", "MEMBER", "Grant", "RunFlask"):
        yield f"- **`{name}`** {_line(_text_of_constant(name, testing))}\n"
    for name in FIXTURES:
        function = getattr(testing, name)._fixture_function  # pytest's way to what was decorated
        yield f"- **`{name}`** {_line(inspect.getdoc(function) or '')}\n"
    for cls in (testing.EditionClient, testing.LicenseFactory, testing.EditionContract):
        yield f"- **`{cls.__name__}`** {_line(inspect.getdoc(cls) or '')}\n"
        for name, function in vars(cls).items():
            if inspect.isfunction(function) and not name.startswith("_"):
                shown = name if name.startswith("test_") else _signature(name, function)
                yield f"  - `{shown}`: {_line(inspect.getdoc(function) or '')}\n"


def main() -> None:
    """Write the reference into the guide."""
    head, _, rest = GUIDE.read_text(encoding="utf-8").partition(BEGIN)
    tail = rest.partition(END)[2]
    GUIDE.write_text(f"{head}{BEGIN}\n\n{reference()}\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
