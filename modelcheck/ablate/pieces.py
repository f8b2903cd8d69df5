"""The pieces of a spec, found in the processes of all its settings.

A piece is a line of the source, so it is one piece for all processes that run the line, whichever lock or cache they
run it on.  Where any action of a model names its kernel function, only those that do are pieces: the others are the
world, and what only properties look at.
Assumptions are pieces of their own: those that z3 is told, and what a property assumes of other processes.  Interrupts
are one only where something of the model could run in their place: a model without would find none of them needed.

Its one invariant: a piece has one key, by which a trace names it, the same at every setting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from modelcheck.ablate.results import Row
from modelcheck.ablate.wording import label_of, text_of
from modelcheck.expression import Slot, slots_of
from modelcheck.process import StepMachine
from modelcheck.process.ablation import Found, Piece, pieces_of
from modelcheck.process.reordering import Site
from modelcheck.process.step_machine import Node
from modelcheck.smt.solver import Solver
from modelcheck.spec import Setting, Spec
from modelcheck.system.link import machine_in
from modelcheck.system.model import Model
from modelcheck.trace.build import home


@dataclass(slots=True)
class Part:
    """A piece as it was found: the labels and processes it has, the source lines, and the settings that have it.

    `assumption` is its name where it is one; `piece` is None then.
    """

    piece: Piece | None
    assumption: str = ""
    labels: dict[str, None] = field(default_factory=dict)
    others: dict[str, None] = field(default_factory=dict)
    processes: dict[str, None] = field(default_factory=dict)
    settings: dict[Setting, None] = field(default_factory=dict)
    place: tuple[str, int] = ("", 0)
    places: set[tuple[str, int]] = field(default_factory=set)  # of every action it is about
    lonely: bool = True  # a lock that no process takes but those that take it here, and what they run on

    def row(self) -> Row:
        """The piece as it is shown, without cells."""
        file, line = self.place
        values = len({setting.values for setting in self.settings})
        return Row(
            self.key, self.kind, self.text(), self.function, self.step,
            home(file) if file else "", line, tuple(self.processes), values,
        )  # fmt: skip

    @property
    def function(self) -> str:
        """The kernel function it is in, "" for none."""
        return self.piece.site.function if self.piece is not None else ""

    @property
    def step(self) -> str:
        """Its kernel step, "" for none."""
        return self.piece.site.step if self.piece is not None else ""

    @property
    def key(self) -> str:
        """Its name in traces."""
        return _key(self)

    @property
    def kind(self) -> str:
        """The kind of piece, or "assumption"."""
        return self.piece.kind if self.piece is not None else "assumption"

    def text(self) -> str:
        """What is left out, or done in its place."""
        if self.piece is None:
            return self.assumption
        return text_of(self.piece, self.labels, self.others, self.lonely)


def parts_of(spec: Spec, settings: Iterable[Setting]) -> tuple[Part, ...]:
    """The pieces of the full models at these settings, functions in the order in which they are met."""
    found: dict[Piece, Part] = {}
    assumed: dict[str, Part] = {}
    known: dict[int, tuple[StepMachine, tuple[Found, ...]]] = {}
    models = [(setting, spec.model(setting, None)) for setting in settings]
    every = [(setting, model, [(p.name, machine_in(model, p)) for p in model.processes]) for setting, model in models]
    labelled = any(_functions(machine) for _, _, machines in every for _, machine in machines)
    for setting, model, machines in every:
        takers, looks = _takers(model), _Looks(model)
        for name, machine in machines:
            if id(machine) not in known:
                known[id(machine)] = machine, pieces_of(machine, lambda each: not labelled or _labelled(each.piece))
            for each in known[id(machine)][1]:
                if each.piece.kind == "irq" and not _interrupted(model, name):
                    continue
                if labelled and looks.nobody(machine.nodes[each.node], each.piece):
                    continue
                _add(found.setdefault(each.piece, Part(each.piece)), each, machine.nodes, name, setting)
                lock = _lock(machine.nodes[each.node])
                if each.piece.kind == "lock" and (not lock or len(takers[lock]) > 1):
                    found[each.piece].lonely = False
        for name in _assumptions(model, setting.property):
            assumed.setdefault(name, Part(None, name)).settings[setting] = None
    protocol = list(found.values())
    return (*sorted(protocol, key=_place_in(protocol)), *assumed.values())


def _place_in(protocol: list[Part]) -> Callable[[Part], tuple[int, int, int, str, int]]:
    """The order to show pieces in: functions and the letters of steps as they are met, then steps by number."""
    functions = list(dict.fromkeys(part.function for part in protocol))
    letters = list(dict.fromkeys(part.step.rstrip("0123456789") for part in protocol))

    def place(part: Part) -> tuple[int, int, int, str, int]:
        letter = part.step.rstrip("0123456789")
        number = part.step[len(letter) :]
        return functions.index(part.function), letters.index(letter), int(number or 0), *part.place

    return place


def _lock(node: Node) -> str:
    """The lock that a step may wait for, "" for none."""
    return node.action.lock.lock if node.action is not None and node.action.lock is not None else ""


def _takers(model: Model) -> dict[str, set[str]]:
    """The tasks that take each lock: a nested process is its host's."""
    found: dict[str, set[str]] = {}
    for process in model.processes:
        for node in machine_in(model, process).nodes:
            if _lock(node):
                found.setdefault(_lock(node), set()).add(process.host or process.name)
    return found


class _Looks:
    """Who looks at which slots of a model: `acting` are those that decide a step or a value, `asked` all."""

    def __init__(self, model: Model) -> None:
        self.acting: set[Slot] = set()
        self.asked: set[Slot] = set()
        for prop in model.properties.values():
            for condition in (prop.condition, prop.goal):
                self.asked.update(slots_of(condition) if condition is not None else ())
        for process in model.processes:
            for action in [node.action for node in machine_in(model, process).nodes if node.action is not None]:
                found = self.asked if action.kind == "check" else self.acting
                for branch in action.branches:
                    found.update(slots_of(branch.guard))
                    for slot, value in branch.updates:
                        found.update(each for each in slots_of(value) if each != slot)
                if action.access is None:
                    continue
                for condition, _ in action.access.requires:
                    self.asked.update(slots_of(condition))
                if action.access.version is not None:
                    found.update(slots_of(action.access.version))

    def nobody(self, node: Node, piece: Piece) -> bool:
        """Whether a store is to slots that nobody looks at, or, where it is no step, that only properties look at."""
        assert node.action is not None
        if piece.kind != "store" or node.action.access is not None:
            return False
        updates = node.action.branches[0].updates
        stored = {slot for i, (slot, _) in enumerate(updates) if piece.detail in ("", str(i))}
        return stored.isdisjoint(self.acting if not piece.site.step else self.acting | self.asked)


def _interrupted(model: Model, name: str) -> bool:
    """Whether anything of the model could run on top of a process where its interrupts stay on."""
    return any(process.host == name and process.where != "points" for process in model.processes)


def _add(part: Part, found: Found, nodes: tuple[Node, ...], process: str, setting: Setting) -> None:
    node = nodes[found.node]
    assert node.action is not None
    part.labels[label_of(node, found.piece)] = None
    if found.other >= 0:
        part.others[label_of(nodes[found.other], found.piece)] = None
    part.processes[process] = None
    part.settings[setting] = None
    part.places.update((nodes[i].file, nodes[i].line) for i in (found.node, found.other) if i >= 0)
    part.place = part.place if part.place[0] else (node.file, node.line)


def _labelled(piece: Piece) -> bool:
    """Whether it is the protocol's: its kernel function is named, of an order's steps their labels too."""
    if piece.kind == "order":
        return bool(piece.site.step and piece.other is not None and piece.other.step)
    return bool(piece.site.function and (piece.other is None or piece.other.function))


def _functions(machine: StepMachine) -> bool:
    """Whether any of its actions names a kernel function."""
    return any(node.action is not None and node.action.function for node in machine.nodes)


def _key(part: Part) -> str:
    if part.piece is None:
        return f"assumption: {part.assumption}"
    piece = part.piece
    detail = f" {piece.detail}" if piece.detail else ""
    return f"{piece.kind}{detail}: {_where(piece.site)}" + (f", {_where(piece.other)}" if piece.other else "")


def _where(site: Site) -> str:
    place = f" at {home(site.file)}:{site.line}" if site.file else ""
    return f"{site.text}{place}" + (f" ({site.step} in {site.function}())" if site.step else "")


def _assumptions(model: Model, name: str) -> tuple[str, ...]:
    """The assumptions that a property of the model can be asked without."""
    prop = model.properties[name]
    if prop.kind == "observation" and model.values is not None:
        return Solver(model.values).assumptions()
    return prop.assumptions if prop.kind == "terminates" and len(prop.assumptions) == 1 else ()


def steps_of(spec: Spec, settings: Iterable[Setting]) -> dict[tuple[str, int], str]:
    """The kernel step of each source line, by (file, line), where it has one."""
    found: dict[tuple[str, int], str] = {}
    for setting in settings:
        model = spec.model(setting, None)
        for process in model.processes:
            for node in machine_in(model, process).nodes:
                if node.action is not None and node.action.step:
                    found.setdefault((node.file, node.line), node.action.step)
    return found
