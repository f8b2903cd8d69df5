"""Deciding a property of words: search, then values for the run that is shown.

Its one invariant: VIOLATED comes with values of every word for which the reference semantics takes the run step by
step, every condition computed anew on numbers of so many bits, to the check that fails.  HOLDS is z3's proof at every
check of every path, and a question that z3 gave up, or a bound, leaves INCOMPLETE.
"""

from __future__ import annotations

from modelcheck.errors import InternalError
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.dead_slots import reset_dead_slots
from modelcheck.explore.found import Report
from modelcheck.explore.run import Run, replay
from modelcheck.explore.symbolic import Searched, Words, search_words
from modelcheck.explore.table import build_tables
from modelcheck.explore.verdict import Options, Outcome
from modelcheck.smt.terms import value_of
from modelcheck.smt.words import WordSolver
from modelcheck.system.link import System
from modelcheck.system.model import Model, Property

SHORTEST = "shortest, then fewest switches"


def verify_data(model: Model, prop: Property, bounds: Bounds, options: Options, report: Report | None) -> Outcome:
    """Decides a property of kind "data"; of the reductions only the reset of dead slots is there."""
    system = System(model, frozenset({prop.name}))
    tables = build_tables(system, words=True)
    if options.on("dead"):
        tables = reset_dead_slots(tables)
    solver = WordSolver()
    words = Words(tables, model, solver)
    found = search_words(words, prop.name, bounds, report)
    reached = frozenset(witness for move in found.moves.values() for witness in move.reaches)
    spaces = [system.spaces[table.process] for table in tables.processes]
    start = {
        (space.machine.nodes[i].file, space.machine.nodes[i].line) for space in spaces for i in space.start_passed
    }
    verdict, bound = _verdict(prop, found, solver, reached), found.bound
    run = _shown(words, system, prop.name, found) if verdict == "violated" else None
    if verdict == "violated":
        verdict, bound = ("violated", "") if run is not None else ("incomplete", "")
    if verdict == "incomplete" and not bound:
        bound = f"z3 gave up {max(solver.unknown, 1)} questions"
    return Outcome(
        verdict,
        found.states,
        found.transitions,
        found.depth,
        queries=solver.queries,
        bound=bound,
        steps=() if run is None else tuple((step.edge.process, step.edge.choice) for step in run.steps),
        shortest="" if run is None else SHORTEST,
        reached=reached,
        covered=frozenset(line for move in found.moves.values() for line in move.lines) | start,
        lines=frozenset(line for space in spaces for line in space.machine.lines),
        actors=tuple(table.name for table in tables.processes),
        searched=1,
        words=() if run is None else tuple((at, name, value) for (at, name), value in run.words.items()),
        seconds=solver.seconds,
    )


def _verdict(prop: Property, found: Searched, solver: WordSolver, reached: frozenset[str]) -> str:
    if found.path is not None:
        return "violated"
    if found.bound or solver.unknown:
        return "incomplete"
    return "vacuous" if any(witness not in reached for witness in prop.witnesses) else "holds"


def _shown(words: Words, system: System, name: str, found: Searched) -> Run | None:
    """The run of a violation with concrete values, None where z3 gives up on them."""
    assert found.path is not None
    followed = list(words.follow(found.path))
    choices = [(i, choice) for i, taken in enumerate(followed) for choice in taken.choices]
    numbers = words.solver.concrete(
        (*words.assumed, *followed[-1].state.path),
        (*words.wishes, *(wish for _, choice in choices for wish in choice.wishes)),
        (*(slot for slot in words.arbitrary if slot not in words.solved), *(choice.unknown for _, choice in choices)),
    )
    if numbers is None:
        return None
    numbers |= {slot.name: value_of(term, numbers) for slot, term in words.solved.items()}
    chosen = {(-1, slot.name): numbers[slot.name] for slot in words.arbitrary}
    chosen |= {(i, choice.slot.name): numbers[choice.unknown.name] for i, choice in choices}
    edges = [step.moves[0].edge for _, step in found.path]
    run = replay(system, [(edge.process, edge.choice) for edge in edges], chosen)
    if run.steps[-1].edge.breaks != name:
        raise InternalError(f"the counterexample to {name} replays and violates nothing; please report this")
    return run


def solves_again(system: System, run: Run) -> bool:
    """Whether z3 finds values for the steps of a run, over terms and not the run's own numbers."""
    words = Words(build_tables(system, words=True), system.model, WordSolver())
    state, numbers = words.initial, words.numbers
    for happened in run.steps:
        edge = happened.edge
        p = next(i for i, table in enumerate(words.tables.processes) if table.process == edge.process)
        pc = state.values[p]
        assert isinstance(pc, int)
        step = next(step for step in words.tables.processes[p].steps[pc] if step.moves[0].edge == edge)
        taken = words.take(state, numbers, p, step)
        if taken is None:
            return False
        state, numbers = taken.state, taken.numbers
    return words.solver.unknown == 0
