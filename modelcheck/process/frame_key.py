"""The local state of a suspended generator as a hashable key.

Its one invariant: two suspended chains with one key yield the same actions to the same responses, as far as their
frames decide it (what globals decide is left to the replay check of `extraction`).  A key holds, for each generator
of the `yield from` chain, the code, the position, the live locals and the iterators of the `for` loops around.
"""

from __future__ import annotations

import gc
from collections.abc import Generator, Hashable, Iterator
from types import CodeType, FrameType, GeneratorType
from typing import TYPE_CHECKING, Any

from modelcheck.errors import SpecError
from modelcheck.process.frozen import Freezer, NotFrozen, advice
from modelcheck.process.liveness import YieldPoint, yield_points

if TYPE_CHECKING:
    Suspended = GeneratorType[Any, Any, Any]  # not subscriptable at run time before 3.13
Process = Generator[Any, Any, Any]
FramePart = tuple[int, int, tuple[tuple[str, Hashable], ...], tuple[Hashable, ...]]

_RANGES = frozenset((type(iter(range(0))), type(iter(range(1 << 80)))))
_SEQUENCES = frozenset((type(iter(())), type(iter("")), type(iter("\u00e9"))))


def chain_of(generator: Suspended) -> list[Suspended]:
    """The generators of the `yield from` chain, the process itself first."""
    chain = [generator]
    while isinstance(inner := chain[-1].gi_yieldfrom, GeneratorType):
        chain.append(inner)
    return chain


def place(generator: Suspended) -> tuple[str, int, str]:
    """File, line and function of the innermost yield."""
    innermost = chain_of(generator)[-1]
    code, frame = innermost.gi_code, innermost.gi_frame
    return code.co_filename, (frame.f_lineno if frame is not None else 0) or code.co_firstlineno, code.co_name


class FrameKeys:
    """Makes the keys of one process; they compare with each other only."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.codes: dict[int, CodeType] = {}
        self.freezer = Freezer()
        self._points: dict[tuple[int, int], tuple[YieldPoint, tuple[str, ...]]] = {}

    def key(self, generator: Suspended) -> tuple[tuple[FramePart, ...], frozenset[int]]:
        """The key of a suspended generator, and the indexes of the registers that its live values hold."""
        registers: set[int] = set()
        iterators: list[object] = []
        chain = chain_of(generator)
        parts = tuple(self._part(member, registers, iterators) for member in chain)
        if len({id(iterator) for iterator in iterators}) < len(iterators):
            raise self._error(_frame(chain[-1]), "two loops share one iterator; loop over the tuple or range itself")
        return parts, frozenset(registers)

    def _part(self, generator: Suspended, registers: set[int], iterators: list[object]) -> FramePart:
        frame, code = _frame(generator), generator.gi_code
        number, offset = self.freezer.code(code), frame.f_lasti
        found = self._points.get((number, offset))
        if found is None:
            self.codes.setdefault(number, code)
            point = yield_points(code)[offset]
            found = self._points[number, offset] = point, tuple(sorted(point.live))
        point, names = found
        # From 3.13 on this is a live proxy: it is read while the generator rests and not kept.
        values = frame.f_locals if names else {}
        held = tuple([(name, self._freeze(values[name], name, frame, registers)) for name in names if name in values])
        loops = tuple(self._stack(generator, point, registers, iterators)) if point.depth else ()
        return number, offset, held, loops

    def _freeze(self, value: object, name: str, frame: FrameType, registers: set[int]) -> Hashable:
        try:
            return self.freezer.freeze(value, registers)
        except NotFrozen as culprit:
            code = frame.f_code
            what = "closure variable" if name in code.co_freevars else "local"
            inside = f"(at {name}{culprit.path}) " if culprit.path else ""
            kind = type(culprit.value).__name__
            message = f"{what} `{name}` of {code.co_name}() holds {inside}a value of type {kind} across a yield"
            raise self._error(frame, f"{message}, which can change unseen; {advice(culprit.value)}") from None

    def _stack(self, generator: Suspended, point: YieldPoint, registers: set[int],
               iterators: list[object]) -> Iterator[tuple[type, Hashable]]:
        """The keys of what lies on the operand stack: the iterator of each `for` loop around.

        `tp_traverse` of a generator visits names, function, locals, then the stack from its bottom, then the exception
        in the works, which is None after an except block and is refused inside one: there the stack holds more.
        """
        frame = _frame(generator)
        visited = gc.get_referents(generator)
        below = visited[-point.depth - 1:-1] if visited[-1] is None else visited[-point.depth:]
        if not point.loops_only:
            raise self._error(frame, _misplaced(below, visited[-1]))
        if isinstance(generator.gi_yieldfrom, GeneratorType):
            del below[-1]
        for item in below:
            rest = _rest(item)
            if rest is None:
                raise self._error(frame, f"yields inside a loop over a {type(item).__name__}; "
                                  "loop over a range, a tuple or a str")
            iterators.append(item)
            yield type(item), self._freeze(rest, "<loop>", frame, registers)

    def _error(self, frame: FrameType, message: str) -> SpecError:
        return SpecError(f"process {self.name}: {message}", f"{frame.f_code.co_filename}:{frame.f_lineno}")


def frame_key(generator: Suspended, keys: FrameKeys | None = None) -> tuple[Hashable, tuple[int, ...]]:
    """The key of a suspended generator and the sorted register indexes it holds; keys of one `keys` compare."""
    key, registers = (keys or FrameKeys(generator.gi_code.co_name)).key(generator)
    return key, tuple(sorted(registers))


def _frame(generator: Suspended) -> FrameType:
    """The frame of a generator that has not returned."""
    frame = generator.gi_frame
    assert frame is not None
    return frame


def _rest(iterator: object) -> object:
    """What a range, tuple or str iterator has still to give; None for anything else.

    The rest and not sequence and position, since 3.12 forgets where a range began; it decides as much.
    """
    kind = type(iterator)
    if kind not in _RANGES and kind not in _SEQUENCES:
        return None
    reduced: Any = iterator.__reduce__()  # (iter, (sequence,)), and the position unless it is exhausted
    sequence = reduced[1][0]
    return sequence[reduced[2]:] if len(reduced) > 2 else sequence


def _misplaced(below: list[object], last: object) -> str:
    """What is wrong with a yield above the stack items `below`; `last` is the exception being handled, if one is."""
    if isinstance(last, BaseException):
        return "yields inside an except block; note what happened in a local and yield after the block"
    if any(getattr(item, "__name__", "") == "__exit__" for item in below):
        return "yields inside a with block; take and release what it guards in actions of their own"
    kind = next((type(item).__name__ for item in below if _rest(item) is None), type(below[-1]).__name__)
    return (f"yields while a value of type {kind} waits on the operand stack; "
            "make the yield a statement of its own (`x = yield ...`), outside `with`, calls and larger expressions")
