"""What makes a process grow without end: the variable that took the most distinct values."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping
    from types import CodeType

    from modelcheck.action import Action
    from modelcheck.process.frame_key import FramePart
    from modelcheck.process.step_machine import Context


_SHARE = 4  # a cause counts from this part of the largest count on: two yields in a loop double what follows from it


def growth(nodes: Iterable[tuple[tuple[FramePart, ...], Context, Action | None]], codes: Mapping[int, CodeType]) -> str:
    """What grew over `nodes`, as the subject and predicate of a sentence; a local rather than what follows from it."""
    named: dict[str, set[Hashable]] = {}
    loops: dict[tuple[str, int], set[Hashable]] = {}
    held: set[Hashable] = set()
    issued: set[Hashable] = set()
    depths: set[Hashable] = set()
    for parts, context, action in nodes:
        held.add(context)
        issued.add(action)
        depths.add(len(parts))
        for number, _, values, iterators in parts:
            function = codes[number].co_name
            for name, value in values:
                named.setdefault(f"local `{name}` of {function}()", set()).add(value)
            for nesting, rest in enumerate(iterators):
                loops.setdefault((f"a loop of {function}()", nesting), set()).add(rest)
    causes = [sorted(((len(taken), what) for what, taken in named.items()), reverse=True)[:1],
              sorted(((len(taken), what) for (what, _), taken in loops.items()), reverse=True)[:1],
              [(len(held), "the locks held"), (len(depths), "the depth of its `yield from` chain")],
              [(len(issued), "the action yielded")]]
    most = max(count for group in causes for count, _ in group)
    count, what = next(cause for group in causes for cause in group if cause[0] * _SHARE >= most)
    return f"{what} took {count} values"
