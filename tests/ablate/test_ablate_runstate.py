"""What pieces of the runstate protocol are for that protocol.md says nothing of; the guards it names are in `guards`.

Each test asks only the properties and settings in which the answer lies; `modelcheck ablate runstate` asks all.
"""

from __future__ import annotations

from ablate_specs import answer

from modelcheck.ablate import AblationRequest, ablate
from modelcheck.spec import Value
from specs.runstate import SPEC

DATA = ("time-sum", "monotonic", "steal-booked")
Wanted = tuple[str, str, str]  # kind, step, the beginning of the text


def asked(wanted: list[Wanted], *properties: str, memory: str = "tso", **values: Value) -> dict[Wanted, list[str]]:
    """What becomes of these pieces of the newest version, in every memory model of a comma-separated list."""
    def which(kind: str, step: str, text: str) -> Wanted | None:
        return next((w for w in wanted if (kind, step) == w[:2] and text.startswith(w[2])), None)

    request = AblationRequest(
        SPEC, SPEC.newest, tuple((name, (value,)) for name, value in values.items()), properties,
        tuple(memory.split(",")), every=True, keep=lambda row: which(row.kind, row.step, row.text) is not None,
    )  # fmt: skip
    found: dict[Wanted, list[str]] = {}
    for row in ablate(request).rows:
        name = which(row.kind, row.step, row.text)
        assert name is not None and name not in found
        found[name] = [answer(cell) for cell in row.cells]
    return found


def all_of(wanted: list[Wanted], *answers: str) -> dict[Wanted, list[str]]:
    """The same answers for all of them."""
    return {each: list(answers) for each in wanted}


def test_every_store_of_an_update_is_seen_by_readers() -> None:
    pieces = [
        ("store", "G9", "*rs_state"), ("store", "G9", "rs_times[0]"), ("store", "G9", "memcpy"),
        ("order", "G8", "*rs_state"), ("order", "G9", "*update_bit"),
    ]  # fmt: skip
    assert asked(pieces, "torn-read", offset=0) == all_of(pieces, "torn-read")


def test_barriers_are_for_the_compiler_and_for_weak_machines() -> None:
    pieces = [("barrier", step, "") for step in ("G8", "G11", "S2", "S4")]
    free = asked(pieces, "torn-read", memory="sc,tso,weak", offset=0)
    assert free == all_of(pieces, "torn-read", "torn-read", "torn-read")
    held = asked(pieces, "torn-read", memory="sc,tso,weak", offset=0, compiler="program")
    assert held == all_of(pieces, "not-needed", "not-needed", "torn-read")


def test_the_vmm_must_stop_the_vcpu_before_the_last_harvest() -> None:
    pieces = [("store", "", "VMM stopped the vCPU"), ("store", "", "wants_to_run = false")]
    assert asked(pieces, "lost-dirty", memory="sc", offset=0) == all_of(pieces, "lost-dirty")


def test_preemption_off_around_the_accounting_is_for_all_of_its_properties() -> None:
    pieces = [("irq", "A0", "local_irq_save()")]
    usual: dict[str, Value] = {"clock": "increasing", "steal": "exact"}
    assert asked(pieces, *DATA, memory="sc", **usual) == all_of(pieces, ", ".join(DATA))


def test_without_the_trylock_nothing_is_lost_but_the_order_of_locks_and_giving_up() -> None:
    pieces = [("trylock", "G2", "read_trylock"), ("trylock", "G5", "read_trylock")]
    names = ("lock-order", "deadlock", "stale-mapping", "sleep-in-atomic")
    still: dict[str, Value] = {"ioctls": "none", "vmm": "moves", "preemption": "full"}
    assert asked(pieces, *names, **still) == all_of(pieces, "lock-order")
    others = asked(pieces, *names[1:], **still)
    assert others == {pieces[0]: ["never trylock failed"], pieces[1]: ["not-needed"]}


def test_assumptions_are_asked_with_two_bytes_where_entry_times_may_repeat() -> None:
    names = [
        ("assumption", "", "entry times and times have their top bit clear"), ("assumption", "", "state is in 0..3"),
        ("assumption", "", "entry times of distinct updates differ"), ("assumption", "", "the writer is idle"),
    ]  # fmt: skip
    found = asked(names, "torn-read", "reader-terminates", memory="sc", offset=0)
    assert list(found.values()) == [["torn-read"], ["not-needed"], ["torn-read"], ["reader-terminates"]]
