"""Which barriers pair, and the comment over each."""

from __future__ import annotations

from dataclasses import replace

from ablate_specs import message

from modelcheck import Area, Model, fresh, mb, rmb, smp_wmb
from modelcheck.ablate import AblationRequest, ablate
from modelcheck.ablate.pairing import pairs_of
from modelcheck.ablate.settings import settings_of
from modelcheck.process.ablation import Piece, pieces_of
from modelcheck.system.link import step_machine
from specs.runstate import SPEC

GUEST, SNAPSHOT = "kvm_xen_update_runstate_guest", "xen_get_runstate_snapshot_cpu_delta"


def comments(model: Model) -> dict[str, tuple[str, ...]]:
    """The comments of every barrier of a model, by its step or, without one, its line from the first barrier's."""
    found: dict[str, tuple[str, ...]] = {}
    first = 0
    for piece in barriers(model):
        first = first or piece.site.line
        found[piece.site.step or f"+{piece.site.line - first}"] = pairs_of(model, piece)
    return found


def barriers(model: Model) -> list[Piece]:
    """The barriers of a model, each once."""
    every = [f.piece for process in model.processes for f in pieces_of(step_machine(process))]
    return list(dict.fromkeys(piece for piece in every if piece.kind == "barrier"))


def runstate(offset: int) -> Model:
    """The full model of the newest version."""
    request = AblationRequest(SPEC, SPEC.newest, (("offset", (offset,)),), ("torn-read",))
    (setting,) = settings_of(request)
    return SPEC.model(replace(setting, memory="tso"), None)


def flat(texts: tuple[str, ...]) -> str:
    """Comments on one line."""
    return " ".join(" ".join(texts).replace("\n * ", " ").replace("/*\n", "/*").split())


def test_the_barriers_of_the_writer_pair_crosswise_with_those_of_the_reader() -> None:
    found = comments(runstate(0))
    data = "state, state_entry_time, time[0], time[1], time[2] and time[3]"
    told = {step: flat(texts) for step, texts in found.items()}
    flag = "byte 7 of state_entry_time"
    assert told == {
        "G8": f"/* Pairs with the second rmb() in {SNAPSHOT}(): {flag} is visible before {data}. */",
        "G11": f"/* Pairs with the first rmb() in {SNAPSHOT}(): {data} are visible before {flag}. */",
        "G12": "",
        "S2": f"/* Pairs with the second smp_wmb() in {GUEST}(): {flag} is read before {data}. */",
        "S4": f"/* Pairs with the first smp_wmb() in {GUEST}(): {data} are read before {flag}. */",
    }  # fmt: skip


def test_a_comment_is_no_wider_than_a_kernel_comment() -> None:
    lines = [line for texts in comments(runstate(4072)).values() for text in texts for line in text.split("\n")]
    assert max(map(len, lines)) <= 75
    assert {line[:2] for line in lines} == {"/*", " *"}


def test_a_barrier_without_a_partner_has_none() -> None:
    assert [bool(texts) for texts in comments(message()).values()] == [True, False, True]


def test_of_several_barriers_of_a_name_the_comment_says_which() -> None:
    first, _, reading = comments(message()).values()
    assert first == ("/* Pairs with the smp_rmb() in reader: data is visible before flag. */",)
    assert reading == ("/* Pairs with the first smp_wmb() in writer: flag is read before data. */",)


def test_full_barriers_pair_for_a_store_and_a_later_load() -> None:
    model = Model("store buffering")
    one, two = model.number("one", 0, 1), model.number("two", 0, 1)

    def left():  # type: ignore[no-untyped-def]
        yield one.write(1).at("L1", "l")
        yield mb().at("L2", "l")
        yield two.read().at("L3", "l")

    def right():  # type: ignore[no-untyped-def]
        yield two.write(1).at("R1", "r")
        yield mb().at("R2", "r")
        yield one.read().at("R3", "r")

    model.process("left", left)
    model.process("right", right)
    assert comments(model) == {
        "L2": ("/* Pairs with the mb() in r(): one is done before two. */",),
        "R2": ("/* Pairs with the mb() in l(): two is done before one. */",),
    }


def test_a_lock_operation_cuts_accesses_off() -> None:
    model = Model("cut")
    area = model.area(Area("area", 2, fields=(("first", 0, 1), ("last", 1, 2))))
    stamp = model.stamp("stamp")

    def writer():  # type: ignore[no-untyped-def]
        yield area.store(0, 1, stamp).at("W1", "w")
        yield fresh(stamp)
        yield smp_wmb().at("W2", "w")
        yield area.store(1, 2, stamp).at("W3", "w")

    def reader():  # type: ignore[no-untyped-def]
        yield area.load(1, 2).at("R1", "r")
        yield rmb().at("R2", "r")
        yield area.load(0, 1).at("R3", "r")

    model.process("writer", writer)
    model.process("reader", reader)
    assert comments(model) == {"W2": (), "R2": ()}


def test_the_partner_is_found_in_whichever_model_has_its_process() -> None:
    request = AblationRequest(
        SPEC, SPEC.newest, (("offset", (0,)),), ("flag-clears", "torn-read"), ("sc",),
        keep=lambda row: (row.kind, row.step) == ("barrier", "G8"),
    )  # fmt: skip
    (row,) = ablate(request).rows  # flag-clears comes first, where nobody reads
    assert flat(row.pairs).startswith(f"/* Pairs with the second rmb() in {SNAPSHOT}(): ")
