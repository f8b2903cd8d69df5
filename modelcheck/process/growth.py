"""What makes a process grow without end: the variable that took the most distinct values."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping
    from types import CodeType

    from modelcheck.action import Action
    from modelcheck.process.frame_key import FramePart
    from modelcheck.process.step_machine import Context


def growth(nodes: Iterable[tuple[tuple[FramePart, ...], Context, Action | None]], codes: Mapping[int, CodeType]) -> str:
    """What grew over `nodes`, as the subject and predicate of a sentence; locals win a tie."""
    values: dict[tuple[int, str], set[Hashable]] = {}
    depths: set[Hashable] = set()
    for parts, context, action in nodes:
        depths.add(len(parts))
        values.setdefault((2, "the locks held"), set()).add(context)
        values.setdefault((3, "the action yielded"), set()).add(action)
        for number, offset, held, loops in parts:
            function = codes[number].co_name
            for name, value in held:
                values.setdefault((0, f"local `{name}` of {function}()"), set()).add(value)
            for value in loops:
                values.setdefault((1, f"a loop of {function}()"), set()).add((offset, value))
    values[4, "the depth of its `yield from` chain"] = depths
    (_, what), taken = max(values.items(), key=lambda item: (len(item[1]), -item[0][0]))
    return f"{what} took {len(taken)} values"
