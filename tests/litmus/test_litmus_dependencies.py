"""What a process tells the engine of its dependencies, and the domains that its values need."""

from __future__ import annotations

from litmus_cases import kernel, x86

from modelcheck.action import Action, registers_of
from modelcheck.litmus.model import model_of, prepare
from modelcheck.litmus.parse import parse
from modelcheck.process.extraction import extract


def actions(text: str, process: int = 0, memory: str = "weak") -> list[Action]:
    """The actions of a process, each once, in order of discovery."""
    found = model_of(parse(text), memory).processes[process]
    return list(dict.fromkeys(n.action for n in extract(found.body, found.name).nodes if n.action is not None))


def stores(text: str) -> list[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]]:
    """Of every store: the registers of its value, its address, and its control dependencies."""
    found = [action.access for action in actions(text) if action.access is not None and action.access.store]
    return [(tuple(r.index for r in access.data), tuple(r.index for r in access.addr),
             tuple(r.index for r in access.ctrl)) for access in found]


def c(body: str) -> str:
    return kernel("int r = READ_ONCE(*x);\n\t" + body, condition="exists (y=1)")


def test_data_dependencies_survive_whatever_the_value_is() -> None:
    for value in ("r", "r + 1", "r ^ r", "r - r", "r * 0", "r && 0", "r ? 1 : 1", "r == r"):
        assert stores(c(f"WRITE_ONCE(*y, {value});")) == [((0,), (), ())], value
    assert stores(c("WRITE_ONCE(*y, 1);")) == [((), (), ())]


def test_control_dependencies_reach_into_the_arms_and_no_further() -> None:
    assert stores(c("if (r)\n\t\tWRITE_ONCE(*y, 1);")) == [((), (), (0,))]
    assert stores(c("if (r) { }\n\tWRITE_ONCE(*y, 1);")) == [((), (), ())]
    nested = "int q = READ_ONCE(*y);\n\tif (r) if (q) WRITE_ONCE(*y, 1);"
    assert stores(c(nested)) == [((), (), (0, 1))]


def test_what_an_arm_assigns_depends_on_the_condition() -> None:
    assert set(stores(c("int q = 0;\n\tif (r) q = 1;\n\tWRITE_ONCE(*y, q);"))) == {((), (), (0,))}
    twice = c("int q = 0;\n\tif (r) q = 1; else q = 0;\n\tif (q) ; else WRITE_ONCE(*y, 1);")
    assert set(stores(twice)) == {((), (), (0,))}


def test_address_dependencies() -> None:
    text = kernel("int *r = READ_ONCE(*x);\n\tWRITE_ONCE(*r, 1);", condition="exists (z=1)", init="int *x=&z;")
    assert stores(text) == [((), (0,), ())]
    fake = kernel("int r = READ_ONCE(*x);\n\tint *p = y + (r ^ r);\n\tWRITE_ONCE(*p, 1);", condition="exists (y=1)")
    assert stores(fake) == [((), (0,), ())]


def test_an_exchange_that_may_fail_is_a_choice_but_one_instruction_on_x86() -> None:
    text = kernel("int r = cmpxchg(x, 0, 1);", condition="exists (0:r=1)")
    assert [a.kind for a in actions(text)] == ["choose", "update", "load", "shared", "shared"]
    assert [a.kind for a in actions(text, memory="tso")] == ["update", "shared"]


def test_a_pointer_is_decided_among_the_locations_it_may_point_to() -> None:
    text = kernel("int *r = READ_ONCE(*x);\n\tint q = READ_ONCE(*r);", "WRITE_ONCE(*x, y);", condition="exists (0:q=1)",
                  init="int *x=&z; int y=1;")
    compares = [a for a in actions(text) if a.kind == "compare"]
    assert [len(registers_of(a.branches[0].guard)) for a in compares] == [1]
    assert {a.access.area for a in actions(text) if a.access is not None} == {"x", "y", "z"}


def test_loaded_values_are_never_dropped() -> None:
    text = x86("MOV EAX,[x]; MOV EAX,[y]; MOV EAX,[x] | MOV [x],$1", "exists (0:EAX=1)")
    found = model_of(parse(text), "tso").processes[0]
    nodes = [n for n in extract(found.body, found.name).nodes if n.action is not None and n.action.kind == "load"]
    assert sorted(node.register for node in nodes) == [0, 1, 2]


def test_possible_values_are_the_fixpoint_of_the_stores() -> None:
    text = kernel("int r = READ_ONCE(*x);\n\tWRITE_ONCE(*y, r + 1);",
                  "int r = READ_ONCE(*y);\n\tWRITE_ONCE(*x, r + 1);",
                  condition="exists (x=2)")
    possible = prepare(parse(text)).possible
    assert {name: sorted(values) for name, values in possible.locations.items()} == {"x": [0, 1, 2], "y": [0, 1, 2]}


def test_addresses_are_above_every_number_of_the_test() -> None:
    text = kernel("WRITE_ONCE(*x, 5000);\n\tWRITE_ONCE(*y, x);", condition="exists (y=9000)")
    assert min(prepare(parse(text)).possible.addresses.values()) > 9000
