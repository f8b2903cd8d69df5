"""The pieces of a spec, found in the processes of all its settings.

A piece is a line of the source, so it is one piece for all processes that run the line, whichever lock or cache they
run it on.  Where any action of a model names its kernel function, only those that do are pieces: the others are the
world, and what only properties look at.
Assumptions are pieces of their own: those that z3 is told, and what a property assumes of other processes.  Interrupts
are one only where something of the model could run in their place: a model without would find none of them needed.

Its one invariant: a piece has one key, by which a trace names it, the same at every setting.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from modelcheck.ablate.results import Row
from modelcheck.expression import Slot, slots_of, to_text
from modelcheck.process import StepMachine
from modelcheck.process.ablation import Found, Piece, clause_text, clauses, pieces_of
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
        site = self.piece.site if self.piece is not None else None
        file, line = self.place
        values = len({setting.values for setting in self.settings})
        return Row(
            self.key, self.kind, self.text(), site.function if site else "", site.step if site else "",
            home(file) if file else "", line, tuple(self.processes), values,
        )  # fmt: skip

    @property
    def key(self) -> str:
        """Its name in traces."""
        return _key(self)

    @property
    def kind(self) -> str:
        """The kind of piece, or "assumption"."""
        return self.piece.kind if self.piece is not None else "assumption"

    def text(self) -> str:
        """What is done without it."""
        label, other = _common(self.labels), _common(self.others)
        if self.kind == "lock" and self.lonely:
            return f"{label} [nobody else takes it]"
        match self.kind:
            case "trylock":
                return f"{label}: waits instead of giving up"
            case "irq":
                return f"{label}: interrupts stay on"
            case "test":
                assert self.piece is not None
                return f"{label} taken as {self.piece.detail}"
            case "retry":
                return f"{label} not asked again after {'it' if label == other else other} failed"
            case "wait":
                return f"{label}: no wait"
            case "order":
                return f"{other} before {label}"
        return label or self.assumption


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
    functions = list(dict.fromkeys(part.piece.site.function for part in protocol if part.piece))
    protocol.sort(key=lambda part: (functions.index(part.piece.site.function) if part.piece else 0, part.place[1]))
    return (*protocol, *assumed.values())


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
    part.labels[_label(node, found.piece)] = None
    if found.other >= 0:
        part.others[_label(nodes[found.other], found.piece)] = None
    part.processes[process] = None
    part.settings[setting] = None
    part.places.update((nodes[i].file, nodes[i].line) for i in (found.node, found.other) if i >= 0)
    part.place = part.place if part.place[0] else (node.file, node.line)


def _label(node: Node, piece: Piece) -> str:
    action = node.action
    assert action is not None
    if piece.kind == "clause":
        asked = next(clause for clause in clauses(action) if clause_text(clause) == piece.detail)
        return f"{to_text(asked)} not asked for in {action.label!r}"
    if piece.kind == "store" and piece.detail:
        return f"{action.branches[0].updates[int(piece.detail)][0].name} in {action.label!r}"
    return action.label


def _common(labels: Iterable[str]) -> str:
    """Several labels as one: what they share once, the rest in braces."""
    texts = list(labels)
    if len(texts) < 2:
        return "".join(texts)
    start = _shared(texts)
    rest = [text[start:] for text in texts]
    end = _shared([text[::-1] for text in rest])
    last = rest[0][len(rest[0]) - end :]
    return f"{texts[0][:start]}{{{','.join(text[: len(text) - end] for text in rest)}}}{last}"


def _shared(texts: list[str]) -> int:
    """How many characters all texts begin with."""
    differing = (i for i, letters in enumerate(zip(*texts, strict=False)) if len(set(letters)) > 1)
    return next(differing, min(map(len, texts)))


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
