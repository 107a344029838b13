"""Lays out the statements that Alembic renders, so that a formatter has nothing left to do.

They are calls of ``op``, some of them below ``with op.batch_alter_table(…) as batch_op:``, and nothing else.
"""

import ast
from collections.abc import Sequence

LINE_LIMIT = 88
"""Characters; what formatters go by where nobody says otherwise, and what also fits where longer lines are allowed."""
_INDENT = "    "


def laid_out(code: str, indent: str = _INDENT) -> str:
    """The same statements without comments, each below ``indent``; ``pass`` where there are none."""
    statements = ast.parse(code).body
    lines = [line for statement in statements for line in _statement(statement, indent)]
    return "\n".join(lines) or f"{indent}pass"


def uses(name: str, code: str) -> bool:
    """Whether a statement of ``code`` mentions ``name``."""
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(ast.parse(code)))


def _statement(statement: ast.stmt, indent: str) -> list[str]:
    if isinstance(statement, ast.Pass):
        return []
    if isinstance(statement, ast.Expr):
        return [indent + _expression(statement.value, indent, 0)]
    if isinstance(statement, ast.With) and isinstance(variable := statement.items[0].optional_vars, ast.Name):
        head = _expression(statement.items[0].context_expr, indent, len(f"with  as {variable.id}:"))
        inner = [line for inside in statement.body for line in _statement(inside, indent + _INDENT)]
        return [f"{indent}with {head} as {variable.id}:", *(inner or [f"{indent}{_INDENT}pass"])]
    return [indent + line for line in ast.unparse(statement).splitlines()]


def _expression(node: ast.expr, indent: str, taken: int) -> str:
    """The expression in one line where it fits beside ``taken`` characters, else with each argument on its own line."""
    flat = _flat(node)
    if len(indent) + taken + len(flat) <= LINE_LIMIT:
        return flat
    if isinstance(node, ast.Call):
        return _exploded(f"{_flat(node.func)}(", [*node.args, *_keywords(node)], ")", indent)
    if isinstance(node, ast.List):
        return _exploded("[", node.elts, "]", indent)
    return flat


def _exploded(head: str, parts: Sequence[ast.expr | ast.keyword], end: str, indent: str) -> str:
    deeper = indent + _INDENT
    lines = []
    for part in parts:
        name, value = (f"{part.arg}=", part.value) if isinstance(part, ast.keyword) else ("", part)
        lines.append(f"{deeper}{name}{_expression(value, deeper, len(name) + 1)},")
    return "\n".join([head, *lines, indent + end])


def _keywords(call: ast.Call) -> list[ast.keyword]:
    """Without ``schema=None``, which Alembic never leaves out and which says nothing."""
    return [
        word
        for word in call.keywords
        if not (word.arg == "schema" and isinstance(word.value, ast.Constant) and word.value.value is None)
    ]


def _flat(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        parts = [_flat(part) for part in node.args] + [f"{word.arg}={_flat(word.value)}" for word in _keywords(node)]
        return f"{_flat(node.func)}({', '.join(parts)})"
    if isinstance(node, ast.Attribute):
        return f"{_flat(node.value)}.{node.attr}"
    if isinstance(node, ast.List):
        return f"[{', '.join(_flat(part) for part in node.elts)}]"
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _quoted(node.value)
    return ast.unparse(node)


def _quoted(text: str) -> str:
    """The text between double quotes, where that takes no more escapes than Python's own way."""
    plain = repr(text)
    return f'"{plain[1:-1]}"' if plain.startswith("'") and '"' not in text and "'" not in text else plain
