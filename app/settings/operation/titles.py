"""What the audit log calls the actions that it holds: those of the core, and those that the loaded editions declare."""

from collections.abc import Mapping
from types import MappingProxyType

from flask_babel import gettext

from app.editions.registry import registry, text_of
from app.settings.operation.actions import ACTIONS


def action_titles() -> Mapping[str, str]:
    """The title of each action in the reader's language, in the order in which the filter offers them.

    What an edition has recorded that is not loaded any more has none, and is shown by its name.
    """
    core = {name: gettext(title) for name, title in ACTIONS.items()}
    owned = registry().audit_actions
    return MappingProxyType(core | {own.declared.name: text_of(own.edition, own.declared.title) for own in owned})
