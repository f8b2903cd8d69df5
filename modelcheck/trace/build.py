"""From an outcome to a trace: the run is taken again, step by step, and everything a view prints is written down.

Its one invariant: nothing in a trace is copied from the search; it all comes from the replayed run, so a step that
does not replay is an error here and never a picture.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from modelcheck.errors import InternalError, UsageError
from modelcheck.explore.analysis import Attempt
from modelcheck.explore.confirm import whole_observation
from modelcheck.explore.run import FORWARDED, Happened, Run, replay
from modelcheck.explore.verify import Outcome
from modelcheck.expression import to_text
from modelcheck.memory.area import Area
from modelcheck.smt.solver import ConcreteBytes
from modelcheck.spec import Setting
from modelcheck.system.link import System
from modelcheck.system.local_space import Edge
from modelcheck.system.model import Model
from modelcheck.trace.trace import (
    AreaInfo,
    ByteSource,
    LockEvent,
    LockOrderEdge,
    MemoryEvent,
    ProcessInfo,
    Step,
    Trace,
    Update,
)


def build_trace(
    model: Model, setting: Setting, outcome: Outcome, spec: tuple[str, str], case: str, command: str
) -> Trace:
    """The trace of a violated outcome on the full model; `spec` is its name or path, and its hash or ""."""
    system = System(model, frozenset({setting.property}))
    around: list[Around] = []
    choices = [(system.processes[p].name, choice) for p, choice in outcome.steps]
    run = replay_steps(system, choices, outcome.words, lambda run, edge: around.append(_around(run, edge)))
    byte = ConcreteBytes(model.values, outcome.numbers)
    steps = [_step(run, i, happened, byte, around[i]) for i, happened in enumerate(run.steps)]
    steps += _waiting(run, outcome)
    consequence, why = _explain(run, setting, outcome, byte)
    shown = _stepping(system, steps, outcome)
    steps = [replace(step, process=shown.index(step.process)) for step in steps]
    processes = tuple(ProcessInfo(p.name, p.title, p.cpu) for p in (system.processes[i] for i in shown))
    deciding = len(steps) - 1 - (max(outcome.loop - 1, 0) if outcome.loop else 0)
    return Trace(
        spec[0],
        spec[1],
        setting.version,
        setting.property,
        tuple((k, str(v)) for k, v in setting.values),
        model.memory or "sc",
        case,
        processes,
        _area(model),
        (*model.initially, *_initial_words(outcome)),
        tuple(steps),
        deciding,
        consequence,
        why,
        tuple(Update(k, tuple(sorted(fields.items()))) for k, fields in enumerate(outcome.numbers)),
        tuple(replace(_order(system, attempt), process=shown.index(attempt.process)) for attempt in outcome.attempts),
        tuple(model.assumptions),
        outcome.shortest,
        command,
        outcome.words,
    )


def _initial_words(outcome: Outcome) -> tuple[str, ...]:
    """The words' values at the start, as one sentence where there are any."""
    found = [f"{name} = {value}" for step, name, value in outcome.words if step < 0]
    return (", ".join(found),) if found else ()


def _stepping(system: System, steps: list[Step], outcome: Outcome) -> list[int]:
    """The processes that have a step, with the hosts of nested ones: the others only take room in a picture."""
    found = {step.process for step in steps} | {attempt.process for attempt in outcome.attempts}
    found |= {system.host[i] for i in found if system.host[i] >= 0}
    return sorted(found) or [0]


def replay_steps(
    system: System,
    choices: list[tuple[str, str]],
    words: tuple[tuple[int, str, int], ...] = (),
    before: Callable[[Run, Edge], None] | None = None,
) -> Run:
    """Takes the named steps one by one; raises UsageError at the first that cannot be taken.

    `words` are the values of arbitrary words, as a trace has them; they must satisfy what the model assumes of them.
    `before` is called ahead of each step.
    """
    names = {process.name: i for i, process in enumerate(system.processes)}
    for number, (name, _) in enumerate(choices):
        if name not in names:
            raise UsageError(f"step {number} is by process {name!r}; there are {', '.join(names)}")
    given = {(step, slot): value for step, slot, value in words}
    return replay(system, [(names[name], choice) for name, choice in choices], given, before)


def home(file: str) -> str:
    """A source file without what is of this machine: from its top package on, or its name alone."""
    path = Path(file)
    top = path
    for parent in path.parents:
        if not (parent / "__init__.py").exists():
            break
        top = parent
    return path.relative_to(top.parent).as_posix()


Pairs = tuple[tuple[str, str], ...]
Around = tuple[Pairs, Pairs]


def _around(run: Run, taken: Edge) -> Around:
    """What else could happen where a step is taken, as (process name, choice), and who waits, as (process name, lock).

    A process waits where its next action is a lock operation and no step of it is enabled.
    """
    enabled, waits = [], []
    for number, process in enumerate(run.system.processes):
        there = run.enabled(number)
        enabled += [(process.name, edge.choice) for edge in there if edge != taken]
        local = run.locals[number]
        action = run.system.spaces[number].machine.nodes[local.node].action
        if not there and action is not None and action.lock is not None:
            waits.append((process.name, action.lock.lock))
    return tuple(dict.fromkeys(enabled)), tuple(waits)


def source_line(file: str, line: int) -> str:
    """A line of a spec's source without its indent, "" where there is none."""
    return linecache.getline(file, line).strip()[:2000] if line else ""


def _step(run: Run, number: int, happened: Happened, byte: ConcreteBytes, around: Around) -> Step:
    edge = happened.edge
    space = run.system.spaces[edge.process]
    node = space.machine.nodes[edge.node]
    action = node.action
    if action is None:
        raise InternalError(f"step {number} comes from a finished process; please report this")
    nested = run.system.host[edge.process] >= 0
    return Step(
        edge.process,
        action.label,
        edge.choice,
        action.kind,
        home(node.file),
        node.line,
        action.function,
        action.step,
        node.depth + nested,
        _response(run, happened),
        _memory(run, number, happened, byte),
        _lock(happened, run),
        action.fence,
        _changes(happened, run),
        source_line(node.file, node.line),
        *around,
    )


def _response(run: Run, happened: Happened) -> str:
    words = [(slot.name, slot.domain.show(new)) for slot, _, new in happened.changes if slot.domain.kind == "word"]
    if words and happened.edge.kind != "choose":
        own = run.system.processes[happened.edge.process].name + "."
        return ", ".join(f"{name.removeprefix(own)} = {value}" for name, value in words)
    if happened.edge.kind == "check":
        return ""  # it answers nothing: it passes, or is the last step
    piece, choice = happened.edge.piece, happened.edge.choice
    if piece is not None and run.system.model.areas[piece.access.area].domain is not None:
        return _numbers(run, happened)
    return choice.rsplit(" -> ", 1)[1] if " -> " in choice and happened.edge.piece is None else ""


def _memory(run: Run, number: int, happened: Happened, byte: ConcreteBytes) -> MemoryEvent | None:
    piece = happened.edge.piece
    if piece is None or not happened.bytes:
        return None
    access = piece.access
    shown = _shown_area(run.system.model)
    if shown is None or access.area != shown.name:
        return None  # an offset names a byte of the one area that a trace shows
    size = shown.size
    sources = tuple(
        ByteSource(offset, origin.version, origin.form, step, byte(origin.version, offset, origin.form))
        for offset, origin in happened.bytes
        for step in (origin.step if origin.step != FORWARDED else _performed(run, number, happened, offset),)
    )
    whole = (max(access.lo, 0), min(access.hi, size))
    return MemoryEvent(
        "store" if access.store else "load", max(piece.lo, 0), min(piece.hi, size), whole, access.text, sources
    )


def _performed(run: Run, number: int, happened: Happened, offset: int) -> int:
    """The later step that performs the store a load took this byte from, -1 where the run ends before."""
    source = next(piece.access for piece in happened.edge.forwarded if piece.lo <= offset < piece.hi)
    for step in range(number + 1, len(run.steps)):
        edge = run.steps[step].edge
        piece = edge.piece
        same = piece is not None and edge.process == happened.edge.process and piece.access == source
        if piece is not None and same and piece.lo <= offset < piece.hi:
            return step
    return -1


def _lock(happened: Happened, run: Run) -> LockEvent | None:
    edge = happened.edge
    space = run.system.spaces[edge.process]
    node = space.machine.nodes[edge.node]
    action = node.action
    if action is None or action.kind != "lock":
        return None
    branch = action.branches[edge.branch]
    if branch.acquires is not None:
        return LockEvent("acquire", branch.acquires.lock, branch.acquires.lock_class, branch.acquires.mode)
    if branch.releases:
        held = next((hold for hold in node.context.held if hold.lock == branch.releases), None)
        return LockEvent("release", branch.releases, held.lock_class if held else "", held.mode if held else "")
    if action.lock is not None:
        return LockEvent("queue" if branch.stay else "fail", action.lock.lock, action.lock.lock_class, action.lock.mode)
    return None


def _changes(happened: Happened, run: Run) -> tuple[tuple[str, str, str], ...]:
    if happened.edge.piece is not None:
        return ()
    return tuple((slot.name, slot.domain.show(old), slot.domain.show(new)) for slot, old, new in happened.changes)


def _waiting(run: Run, outcome: Outcome) -> list[Step]:
    """What a deadlock or a lock-order finding ends with: locks asked for."""
    if outcome.attempts:
        asking = [(outcome.attempts[-1].process, outcome.attempts[-1].node)]
    else:
        asking = [(p, run.locals[p].node) for p in outcome.stuck]
    steps = []
    for process, index in asking:
        node = run.system.spaces[process].machine.nodes[index]
        action = node.action
        if action is None:
            continue
        lock = action.lock
        event = LockEvent("attempt", lock.lock, lock.lock_class, lock.mode) if lock is not None else None
        steps.append(
            Step(
                process,
                action.label,
                f"attempt: {action.label}",
                action.kind,
                home(node.file),
                node.line,
                action.function,
                action.step,
                node.depth + (run.system.host[process] >= 0),
                "",
                None,
                event,
                source=source_line(node.file, node.line),
            )
        )
    return steps


def _order(system: System, attempt: Attempt) -> LockOrderEdge:
    node = system.spaces[attempt.process].machine.nodes[attempt.node]
    return LockOrderEdge(
        attempt.held.lock_class,
        attempt.wanted.lock_class,
        attempt.held.mode,
        attempt.wanted.mode,
        attempt.process,
        home(node.file),
        node.line,
        node.action.function if node.action else "",
    )


def _shown_area(model: Model) -> Area | None:
    """The area a trace shows byte by byte: the first that holds no number."""
    return next((area for area in model.areas.values() if area.domain is None), None)


def _area(model: Model) -> AreaInfo | None:
    area = _shown_area(model)
    return None if area is None else AreaInfo(area.name, area.size, area.base, area.line, area.page, area.fields)


def _numbers(run: Run, happened: Happened) -> str:
    """What an access of an area of numbers loaded or stored."""
    edge = happened.edge
    assert edge.piece is not None
    access = edge.piece.access
    cell = run.system.cells[access.area].cells[0]
    register = run.system.spaces[edge.process].own(cell.slot(f"r{edge.register}."))
    values = dict(run.after[run.steps.index(happened)])
    done = [register] * access.loads + [cell.slot()] * access.store
    return ", now ".join(str(values[slot]) for slot in done)


def _before_and_after(run: Run) -> tuple[dict[str, int], dict[str, int]]:
    """The values of all words around the last step."""
    after = {slot.name: value for slot, value in run.values.items() if slot.domain.kind == "word"}
    after = {slot.name: slot.initial for slot in run.system.model.words.values()} | after
    return after | {slot.name: old for slot, old, _ in run.steps[-1].changes if slot.name in after}, after


def _explain(
    run: Run, setting: Setting, outcome: Outcome, byte: ConcreteBytes
) -> tuple[str, tuple[str, ...]]:
    prop = run.system.model.properties[setting.property]
    help_text = f": {prop.help}" if prop.help else ""
    observation = whole_observation(run)
    values = run.system.model.values
    if outcome.numbers and observation is not None and values is not None:
        return values.explain(observation, list(outcome.numbers), byte)
    if outcome.attempts:
        chain = " -> ".join([a.held.lock_class for a in outcome.attempts] + [outcome.attempts[0].held.lock_class])
        why = tuple(
            f"{a.wanted.lock_class} is asked for while {a.held.lock_class} is held, by "
            f"{run.system.processes[a.process].name} ({_order(run.system, a).function})."
            for a in outcome.attempts
        )
        return f"the order of lock classes has a cycle: {chain}", why
    if prop.kind == "eventually":
        goal = f"{to_text(prop.goal)} never comes" if prop.goal is not None else ""
        if outcome.loop:
            turn = "the last step repeats" if outcome.loop == 1 else f"the last {outcome.loop} steps repeat"
            fair = f", fair to {', '.join(prop.fair)}" if prop.fair else ""
            how = f"{turn} for ever{fair}, and {goal}"
        else:
            stopped = [f"{name} cannot go on" for name in prop.fair]
            how = f"{', '.join([*stopped, 'nobody else need go on'])}, and {goal}"
        return how, (f"violates {prop.name}{help_text}.",)
    if outcome.stuck:
        names = ", ".join(run.system.processes[p].name for p in outcome.stuck)
        return f"{names} can never move again", (f"violates {prop.name}{help_text}.",)
    if outcome.loop:
        return f"{prop.process} repeats its last {outcome.loop} steps for ever, undisturbed", (
            f"violates {prop.name}{help_text}.",
        )
    if prop.kind == "data" and prop.explain is not None and run.steps:
        return prop.explain(*_before_and_after(run))
    if not run.steps:
        return f"the initial state violates {prop.name}{help_text}", ()
    last = run.steps[-1].edge
    who = run.system.processes[last.process].name
    action = run.system.spaces[last.process].machine.nodes[last.node].action
    what = action.label if action is not None else last.choice
    return f"{what}, by {who}, violates {prop.name}{help_text}", ()
