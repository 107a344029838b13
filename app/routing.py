"""Rules of addresses that cost little until an address is made of them."""

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule


class LazyRule(Rule):
    """A rule that compiles what makes its addresses when the first one is made.

    That is most of what a rule costs at the start, twice for each, and a process makes addresses of few of them.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:  # noqa: FBT001, FBT002 - as werkzeug has it
        if self.defaults:  # they are taken into what is compiled, and a wrong one has to be known at the start
            return super()._compile_builder(append_unknown)
        compile_now = super()._compile_builder

        def build(rule: Rule, **values: Any) -> tuple[str, str]:
            compiled = compile_now(append_unknown).__get__(rule, None)
            setattr(rule, "_build_unknown" if append_unknown else "_build", compiled)
            built: tuple[str, str] = compiled(**values)
            return built

        return build
