from array import array
from collections.abc import Callable, Sequence

END: int
BEGIN: int
CONST: int
SLOT: int
EQ: int
NE: int
LT: int
LE: int
ADD: int
SUB: int
NOT: int
AND: int
OR: int
ITE: int
IN: int
FRESH: int
GUARD: int
GUARD_EQ: int
GUARD_NE: int
GUARD_SAME: int
STORE: int
SET: int
COPY: int
BREAKS: int
OBSERVES: int
PROGRESS: int
COMPLETE: int
BROKEN: int
VIOLATED: int
INVARIANT: int
STOPPED: int
STATES: int
MEMORY: int
FAILED: int
RAISED: int
LAYER: int
MOST_SLOTS: int
MOST_PROCESSES: int
MOST_STACK: int
MOST_THREADS: int

class Search:
    def __init__(
        self,
        slots: array[int],
        sorts: array[int],
        locals: array[int],
        steps: array[int],
        code: array[int],
        observations: array[int],
        conditions: array[int],
        ample: array[int],
        invariants: int,
        keep_graph: bool,
        layered: bool,
    ) -> None: ...
    def run(
        self,
        decide: Callable[[int, int], int],
        tick: Callable[[int, int, int], bool],
        threads: int,
        most_states: int,
        most_bytes: int,
        /,
    ) -> int: ...
    def state(self, number: int, /) -> tuple[int, ...]: ...
    def path(self, number: int, /) -> list[int]: ...
    def edges(self, number: int, /) -> list[tuple[int, int]]: ...
    def taken(self) -> bytes: ...
    def goals(self) -> list[tuple[int, int]]: ...
    def to_goals(self) -> bytes: ...
    def alive(self, process: int, /) -> bytes: ...
    def loops(self, process: int, condition: int, slots: Sequence[int], /) -> bool: ...
    def distinct(self, slots: Sequence[int], condition: int, /) -> bytes: ...
    def figures(self) -> dict[str, int]: ...
