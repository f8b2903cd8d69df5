"""A process as a finite step machine, found by running its generator against every response of every action.

Its one invariant: a node stands for every history of responses that leads to it.  Generators are never copied: each
branch is reached by running a fresh one along the shortest known history, except that the run which discovered a
node goes on with its first branch.  What frames do not show must not decide, so three replays look for it: a run
along a known history must meet the known actions, a second history into a node must go on like the first, and in
the end every history is run once more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from modelcheck.action import Action, Register
from modelcheck.errors import SpecError
from modelcheck.process.frame_key import FrameKeys, FramePart, Process, place
from modelcheck.process.growth import growth
from modelcheck.process.liveness import yield_points
from modelcheck.process.minimise import minimise
from modelcheck.process.run import Run, Runs
from modelcheck.process.step_machine import Context, Fact, Node, StepMachine

MOST_KEPT = 6  # registers kept from reuse for accesses that may be pending
_STEPS_PER_NODE = 50  # steps to explore with, for each node of the cap: to explore a deep machine takes its square


def extract(factory: Callable[[], Process], name: str, cap: int = 20000,
            initial: Context = Context()) -> StepMachine:
    """The step machine of the process that `factory` starts, minimised; raises SpecError where it has none.

    `cap` bounds the nodes before minimising, `initial` is the context in which the process starts.
    """
    extraction = _Extraction(factory, name, cap)
    try:
        extraction.explore(initial)
        extraction.check_second_histories()
        extraction.check_all_again()
        return extraction.machine()
    finally:
        extraction.runs.close_all()


@dataclass(slots=True)
class _Found:
    """A node while it is being explored; `parent` and `branch` begin its shortest history, read backwards."""

    action: Action | None
    context: Context
    facts: tuple[Fact, ...]
    live: tuple[int, ...]
    place: tuple[str, int, str]
    parts: tuple[FramePart, ...]
    pending: tuple[int, ...] = ()  # registers that accesses since the last full fence depend on
    register: int = -1
    parent: int = -1
    branch: int = -1
    targets: list[int] = field(default_factory=list)

    def response(self, branch: int) -> Hashable:
        assert self.action is not None
        if self.register >= 0 and self.action.access is not None:
            return Register(self.register, self.action.access)
        return self.action.branches[branch].response

    def followed(self) -> list[int]:
        """The branches after which the process goes on."""
        branches = self.action.branches if self.action is not None else ()
        return [b for b, branch in enumerate(branches) if not branch.stay and not branch.breaks]


class _Extraction:
    def __init__(self, factory: Callable[[], Process], name: str, cap: int) -> None:
        self.name, self.cap = name, cap
        self.runs = Runs(factory, name)
        self.keys = FrameKeys(name)
        self.nodes: list[_Found] = []
        self.number: dict[_Identity, int] = {}
        self.actions: dict[Action, int] = {}  # numbered, since hashing one walks all of it
        self.second: list[tuple[int, int, Run]] = []  # edges into a node known before, with the run that took them

    def explore(self, initial: Context) -> None:
        """Finds every node, breadth first."""
        run = self.runs.start()
        root, _ = self._arrive(run, initial, (), ())
        waiting = {root: run}
        queue = deque([root])
        while queue:
            at = queue.popleft()
            node, warm = self.nodes[at], waiting.pop(at)
            if self.runs.steps > _STEPS_PER_NODE * max(self.cap, 1000):
                raise self._too_large(f"has {len(self.nodes)} local states so far and grows too deep to explore")
            for b, branch in enumerate(node.action.branches if node.action is not None else ()):
                context = node.context.after(branch)
                if branch.stay:
                    node.targets.append(at)
                elif branch.breaks:
                    node.targets.append(self._end(context))
                else:
                    self._check_release(node, branch.releases)
                    run = warm if node.followed()[0] == b else self._rerun(at)
                    run.send(node.response(b))
                    target, new = self._arrive(run, context, self._facts(node, b), _pending(node), at, b)
                    node.targets.append(target)
                    if new:
                        waiting[target] = run
                        queue.append(target)
                    elif (self.nodes[target].parent, self.nodes[target].branch) != (at, b):
                        self.second.append((at, b, run))
            if not node.followed():
                self.runs.close(warm)

    def check_second_histories(self) -> None:
        """Requires that every node goes on alike whichever way it was reached."""
        for at, b, run in self.second:
            target = self.nodes[at].targets[b]
            node = self.nodes[target]
            for c in node.followed():
                if c != node.followed()[0]:
                    run = self._rerun(at)
                    run.send(self.nodes[at].response(b))
                    self._require(run, target)
                run.send(node.response(c))
                self._require(run, node.targets[c], self._identity(run, *self._beyond(node, c)))
                self.runs.close(run)
            self.runs.close(run)

    def check_all_again(self) -> None:
        """Requires that every shortest history leads where it did before.

        Before that the number of runs and the number of steps are made odd, so that a hidden toggle is out of phase.
        """
        if self.runs.steps % 2 == 0:
            self.runs.close(self.runs.start())
        if self.runs.starts % 2 == 0:
            run = self.runs.start()
            for b in self.nodes[0].followed()[:1]:
                self._require(run, 0)
                run.send(self.nodes[0].response(b))
            self.runs.close(run)
        inner = {node.parent for node in self.nodes}
        checked: set[int] = set()
        for i, node in enumerate(self.nodes):
            if i not in inner and (node.parent >= 0 or i == 0):
                self.runs.close(self._rerun(i, checked))

    def machine(self) -> StepMachine:
        """What was found, minimised."""
        nodes = tuple(Node(node.action, tuple(node.targets), node.context, node.facts, node.register, node.live,
                           *node.place, max(1, len(node.parts))) for node in self.nodes)
        lines = {(node.file, node.line) for node in nodes if node.action is not None}
        for code in self.keys.codes.values():
            lines.update((code.co_filename, point.line) for point in yield_points(code).values() if not point.delegates)
        return StepMachine(minimise(nodes), tuple(sorted(lines)))

    def _arrive(self, run: Run, context: Context, facts: tuple[Fact, ...], pending: tuple[int, ...], parent: int = -1,
                branch: int = -1) -> tuple[int, bool]:
        """The node at which `run` rests and whether it is new; it was reached by `branch` of node `parent`."""
        identity = self._identity(run, context, facts, pending)
        known = self.number.get(identity)
        if known is not None:
            return known, False
        parts, live, facts, *_, pending = identity
        found = _Found(run.action, context, facts, live, ("", 0, ""), parts, pending, -1, parent, branch)
        number = self._add(identity, found)
        node = self.nodes[number]
        if run.action is not None:
            node.place = place(run.generator)
            if run.action.kind in ("load", "update"):
                taken = {*live, *pending}
                node.register = next(i for i in range(len(taken) + 1) if i not in taken)
        return number, True

    def _identity(self, run: Run, context: Context, facts: tuple[Fact, ...], pending: tuple[int, ...]) -> _Identity:
        """What tells the local state of `run` from others; facts about registers no longer held are dropped."""
        action = run.action
        if action is None:
            return (), (), (), context, -1, (), ()
        parts, held = self.keys.key(run.generator)
        live = set(held)
        live.update(register.index for register in action.registers)  # issued but not taken: its registers are needed
        if action.access is not None:
            access = action.access
            live.update(register.index for register in (*access.data, *access.addr, *access.ctrl))
        try:
            issued = self.actions.setdefault(action, len(self.actions))
        except TypeError as error:
            raise run.error(f"yields {action.label!r}, which holds a value that can change ({error}); "
                            "build actions from numbers, text and tuples") from None
        responses = tuple((type(branch.response), branch.response) for branch in action.branches)  # True is not 1
        kept = tuple(fact for fact in facts if live.issuperset(fact.registers))
        return parts, tuple(sorted(live)), kept, context, issued, responses, pending

    def _add(self, identity: _Identity, node: _Found) -> int:
        if len(self.nodes) >= self.cap:
            raise self._too_large(f"has more than {self.cap} local states")
        self.number[identity] = len(self.nodes)
        self.nodes.append(node)
        return len(self.nodes) - 1

    def _end(self, context: Context) -> int:
        identity: _Identity = (), (), (), context, -1, (), ()
        known = self.number.get(identity)
        return self._add(identity, _Found(None, context, (), (), ("", 0, ""), ())) if known is None else known

    def _beyond(self, node: _Found, b: int) -> tuple[Context, tuple[Fact, ...], tuple[int, ...]]:
        assert node.action is not None
        return node.context.after(node.action.branches[b]), self._facts(node, b), _pending(node)

    def _facts(self, node: _Found, b: int) -> tuple[Fact, ...]:
        """The facts once branch `b` was taken."""
        action = node.action
        if action is None or action.kind != "compare" or action.test.startswith("value"):
            return node.facts  # of numbers nothing is asked later
        registers = tuple(register.index for register in action.registers)
        fact = Fact(action.test, registers, bool(action.branches[b].response))
        return tuple(sorted({*node.facts, fact}, key=lambda fact: (fact.test, fact.registers, fact.outcome)))

    def _check_release(self, node: _Found, lock: str) -> None:
        if lock and all(hold.lock != lock for hold in node.context.held):
            held = ", ".join(f"`{hold.lock}`" for hold in node.context.held) or "none"
            file, line, _ = node.place
            raise SpecError(f"process {self.name} releases `{lock}`, which it does not hold here (it holds {held}); "
                            "take the lock on every path that leads here", f"{file}:{line}")

    def _rerun(self, number: int, checked: set[int] | None = None) -> Run:
        """A fresh run that rests at node `number`; requires the whole identity of nodes on the way not in `checked`."""
        history = [(number, -1)]
        while (node := self.nodes[history[-1][0]]).parent >= 0:
            history.append((node.parent, node.branch))
        run = self.runs.start()
        for at, b in reversed(history):
            node = self.nodes[at]
            if checked is None or at in checked:
                self._require(run, at)
            else:
                checked.add(at)
                self._require(run, at, self._identity(run, node.context, node.facts, node.pending))
            if b >= 0:
                run.send(node.response(b))
        return run

    def _require(self, run: Run, number: int, identity: _Identity | None = None) -> None:
        """Requires that `run` rests at node `number`: by its action, and by its whole identity where that is given."""
        node = self.nodes[number]
        if run.action is not node.action and run.action != node.action:
            differs = f"came once to {_text(node.action)} and once to {_text(run.action)}"
        elif identity is not None and self.number.get(identity) != number:
            differs = f"came to {_text(node.action)} with different locals"
        else:
            return
        file, line, _ = node.place if node.action is not None or run.action is None else place(run.generator)
        raise SpecError(f"process {self.name} is not a function of its frame: after the same responses it {differs}; "
                        "something outside its locals hides state (a global, an object it changes, a random number), "
                        "so move it into a local or a slot", f"{file}:{line}" if file else "")

    def _too_large(self, what: str) -> SpecError:
        text = growth(((node.parts, node.context, node.action) for node in self.nodes), self.keys.codes)
        file, line, _ = next(node.place for node in reversed(self.nodes) if node.action is not None)
        return SpecError(f"process {self.name} {what}: {text}; bound it or move it to a slot", f"{file}:{line}")


def _pending(node: _Found) -> tuple[int, ...]:
    """The registers that accesses up to here may still depend on when they perform: no load may take them over.

    No more than a few, so that a loop without a fence has an end; beyond that a load waits for its register.
    """
    action = node.action
    if action is None or action.kind in ("shared", "lock", "check") or action.fence in ("smp_mb", "mb", "mfence"):
        return ()
    access = action.access
    if access is None:
        return node.pending
    more = {register.index for register in (*access.data, *access.addr, *access.ctrl)}
    found = tuple(sorted({*node.pending, *more}))
    return found if len(found) <= MOST_KEPT else node.pending


_Identity = tuple[
    tuple[FramePart, ...], tuple[int, ...], tuple[Fact, ...], Context, int, tuple[Hashable, ...], tuple[int, ...]
]


def _text(action: Action | None) -> str:
    return "its end" if action is None else f"`{action.label}`"
