"""Which operations of a batch can be carried out at once, with as many statements as one of them. Pure."""

from collections.abc import Sequence
from itertools import groupby

from plugins.desktop.sync.messages import Add, Operation, Start, Stop

Group = tuple[Operation, ...]


def groups(operations: Sequence[Operation]) -> list[Group]:
    """Cut operations into groups, in their order.

    A group is a row of additions, a row of timers each of which is started and stopped before the next one, or a
    single operation.
    """
    found: list[Group] = []
    for kind, units in groupby(_units(operations), key=_kind):
        members = list(units)
        if kind is None:
            found.extend(members)
        else:
            found.append(tuple(operation for unit in members for operation in unit))
    return found


def _kind(unit: Group) -> type[Add] | type[Start] | None:
    if len(unit) > 1:
        return Start
    return Add if isinstance(unit[0], Add) else None


def _units(operations: Sequence[Operation]) -> list[Group]:
    """Each timer that is stopped by the next operation as one, and all others by themselves."""
    units: list[Group] = []
    number = 0
    while number < len(operations):
        length = 2 if _is_timer(operations[number : number + 2]) else 1
        units.append(tuple(operations[number : number + length]))
        number += length
    return units


def _is_timer(operations: Sequence[Operation]) -> bool:
    match operations:
        case [Start() as start, Stop() as stop]:
            return (stop.start_id, stop.task_id, stop.started_at) == (start.id, start.task_id, start.started_at)
    return False
