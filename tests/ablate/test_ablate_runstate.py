"""What the pieces of the runstate protocol are for: the lists of protocol.md, pinned.

Each test asks only the properties and settings in which the answer lies; `modelcheck ablate runstate` asks all.
"""

from __future__ import annotations

from ablate_specs import answer

from modelcheck.ablate import AblationRequest, ablate
from modelcheck.spec import Value
from specs.runstate import SPEC

DATA = ("time-sum", "monotonic", "steal-booked")
STAYS = {"ioctls": "none", "vmm": "moves", "preemption": "full"}  # the area stays where it is, and its memslot
Wanted = tuple[str, str, str]  # kind, step, the beginning of the text


def asked(wanted: list[Wanted], *properties: str, memory: str = "tso", **values: Value) -> dict[Wanted, list[str]]:
    """What becomes of these pieces of the newest version, in every memory model of a comma-separated list."""
    def which(kind: str, step: str, text: str) -> Wanted | None:
        return next((w for w in wanted if (kind, step) == w[:2] and text.startswith(w[2])), None)

    request = AblationRequest(
        SPEC, SPEC.newest, tuple((name, (value,)) for name, value in values.items()), properties,
        tuple(memory.split(",")), keep=lambda row: which(row.kind, row.step, row.text) is not None,
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


def test_what_keeps_a_reader_from_torn_snapshots() -> None:
    pieces = [
        ("store", "G8", "*update_bit"), ("barrier", "G8", "smp_wmb"), ("barrier", "G11", "smp_wmb"),
        ("barrier", "S2", "rmb"), ("barrier", "S4", "rmb"), ("test", "S6", "e1 == e2? taken as True"),
        ("test", "S6", "e1 & XEN_RUNSTATE_UPDATE? taken as False"), ("order", "S1", "*res"), ("order", "S3", "e2"),
        ("store", "G9", "*rs_state"), ("store", "G9", "rs_times[0]"), ("store", "G9", "memcpy"),
    ]  # fmt: skip
    assert asked(pieces, "torn-read", offset=0) == all_of(pieces, "torn-read")


def test_barriers_are_for_the_compiler_and_for_weak_machines() -> None:
    pieces = [("barrier", step, "") for step in ("G8", "G11", "S2", "S4")]
    free = asked(pieces, "torn-read", memory="sc,tso,weak", offset=0)
    assert free == all_of(pieces, "torn-read", "torn-read", "torn-read")
    held = asked(pieces, "torn-read", memory="sc,tso,weak", offset=0, compiler="program")
    assert held == all_of(pieces, "not-needed", "not-needed", "torn-read")


def test_without_the_last_store_of_the_flag_a_reader_never_ends() -> None:
    assert asked([("store", "G12", "*update_bit")], "reader-terminates", "torn-read", offset=0) == {
        ("store", "G12", "*update_bit"): ["reader-terminates"]
    }


def test_what_keeps_stores_from_a_page_that_was_taken_away() -> None:
    pieces = [
        ("lock", "G2", "read_lock"), ("lock", "G2", "read_trylock"), ("lock", "G3", "read_lock"),
        ("lock", "G5", "read_lock"), ("lock", "G5", "read_trylock"),
        ("test", "G3", "kvm_gpc_check(gpc1) taken as True"), ("test", "G6", "kvm_gpc_check(gpc2) taken as True"),
        ("retry", "G3", "kvm_gpc_check(gpc1) not asked again after it"),
        ("retry", "G3", "kvm_gpc_check(gpc1) not asked again after kvm_gpc_check(gpc2)"),
        ("retry", "G6", "kvm_gpc_check(gpc2) not asked again after it"), ("lock", "H6", "write_lock"),
        ("test", "H7", "no invalidation since H2? taken as True"),
        ("clause", "H7", "(mn_active_invalidate_count == 0)"),
        ("clause", "H7", "(gpc_invalidate_seq == mmu_seq)"), ("retry", "H7", "no invalidation"),
        ("lock", "N2", "write_lock"), ("store", "N2", "gpc{1,2}->valid = false"),
        ("store", "E2", "gpc_invalidate_seq in"),
    ]  # fmt: skip
    assert asked(pieces, "stale-mapping", offset=4072, **STAYS) == all_of(pieces, "stale-mapping")


def test_what_migration_needs() -> None:
    pieces = [
        ("store", "G13", "dirty_bitmap"), ("order", "G12", "dirty_bitmap"), ("wait", "", "the vCPU has stopped"),
        ("store", "", "VMM stopped the vCPU"), ("test", "", "wants_to_run? taken as True"),
    ]  # fmt: skip
    assert asked(pieces, "lost-dirty", memory="sc") == all_of(pieces, "lost-dirty")
    b18 = [("order", "G13", "read_unlock")]
    assert asked(b18, "lost-dirty", memory="sc") == all_of(b18, "not-needed")


def test_preemption_off_around_the_accounting_is_for_all_of_its_properties() -> None:
    pieces = [("irq", "A0", "local_irq_save()")]
    assert asked(pieces, *DATA, memory="sc") == all_of(pieces, ", ".join(DATA))


def test_the_trylock_is_for_the_order_of_locks_alone() -> None:
    pieces = [("trylock", "G2", "read_trylock"), ("trylock", "G5", "read_trylock")]
    assert asked(pieces, "lock-order", **STAYS) == all_of(pieces, "lock-order")
    others = asked(pieces, "deadlock", "stale-mapping", "sleep-in-atomic", **STAYS)
    assert others == {pieces[0]: ["never trylock failed"], pieces[1]: ["not-needed"]}


def test_what_is_there_for_speed_breaks_nothing() -> None:
    pieces = [("barrier", "G12", "smp_wmb"), ("test", "N2", "gpc{1,2}->valid? taken as True")]
    names = ("torn-read", "flag-clears", "reader-terminates", "stale-mapping", "deadlock", "lock-order")
    assert asked(pieces, *names, memory="weak", **STAYS) == all_of(pieces, "not-needed")


def test_assumptions_are_asked_with_two_bytes_where_entry_times_may_repeat() -> None:
    names = [
        ("assumption", "", "entry times and times have their top bit clear"), ("assumption", "", "state is in 0..3"),
        ("assumption", "", "entry times of distinct updates differ"), ("assumption", "", "the writer is idle"),
    ]  # fmt: skip
    found = asked(names, "torn-read", "reader-terminates", memory="sc", offset=0)
    assert list(found.values()) == [["torn-read"], ["not-needed"], ["torn-read"], ["reader-terminates"]]


def test_what_keeps_stores_from_a_memslot_that_was_deleted() -> None:
    pieces = [
        ("wait", "M1", "synchronize_srcu"),
        ("store", "M1", "kvm->srcu: new readers are counted apart"),
        ("clause", "G3", "(gpc1->generation == slots->generation)"),
    ]  # fmt: skip
    in_run = {"offset": 0, "ioctls": "usual", "vmm": "memslots", "preemption": "full"}
    found = asked(pieces, "stale-mapping", memory="sc", **in_run)
    assert found == all_of(pieces, "stale-mapping")
