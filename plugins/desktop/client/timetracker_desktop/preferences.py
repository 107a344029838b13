"""What a person sets for this application; kept beside the queue."""

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from timetracker_desktop.operation_queue import OperationQueue


@dataclass(frozen=True, slots=True)
class Preferences:
    """All settings, with their defaults."""

    language: str = "auto"
    theme: str = "auto"
    remind_missing: bool = True
    morning: str = "09:00"
    """From when on to ask for missing hours, in this computer's time."""
    remind_forgotten: bool = True
    evening: str = "18:30"
    """From when on to ask whether the timer was forgotten, likewise."""


def read_preferences(queue: OperationQueue) -> Preferences:
    """As they were kept; what is not understood has its default."""
    defaults = Preferences()
    try:
        kept = json.loads(queue.kept("preferences") or "{}")
    except ValueError:
        return defaults
    known: dict[str, Any] = {
        field.name: kept[field.name]
        for field in fields(Preferences)
        if isinstance(kept, dict) and type(kept.get(field.name)) is type(getattr(defaults, field.name))
    }
    return Preferences(**known)


def keep_preferences(queue: OperationQueue, preferences: Preferences) -> None:
    """Keep them."""
    queue.keep("preferences", json.dumps(asdict(preferences)))
