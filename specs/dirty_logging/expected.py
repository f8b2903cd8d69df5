"""What each setting is expected to say, with the source of the expectation.

The checker decides, not this table: where they differ, find out which is wrong and write the argument here.
"""

from __future__ import annotations

from modelcheck import Expectation, Setting
from specs.dirty_logging.forms import FORMS, Form
from specs.dirty_logging.scenarios import SCENARIOS, Actors
from specs.dirty_logging.versions import FaultPath, path

KEPT = "protocol.md 8.3: the invariants of the fault path"
L1 = "protocol.md 8.3 L1: a read fault maps writable and marks nothing"
L8 = """\
protocol.md 8.3 has the invariant that a page that is writable at a harvest is marked, and says that 6.12 marks after
mmu_lock was dropped: the two do not go together, and the invariant is what goes.  Nothing is lost by it
"""
L9 = """\
found by this checker, by reading 6.6's pgtable.c: kvm_pgtable_stage2_relax_perms() makes the leaf it finds writable, of
whatever level, where user_mem_abort() compared the size it wants with the level of the fault, which may be past
"""
L7 = "3c3736cd32bf: where logging was cancelled, a block may take the place of a table, whose pages TLBs still have"
UNMARKED = """\
protocol.md 8.3 L3 says that SRCU is needed; for pages alone it is since marks go to the slot of F0: until then
mark_page_dirty() looked the slot up anew, and what is writable was marked in the bitmap that is there by then
"""


def expected(setting: Setting) -> Expectation:
    """The expectation of one setting."""
    actors, form = SCENARIOS[setting.text("actors")], FORMS[setting.text("form")]
    case, source = _bug(setting.property, actors, path(setting.version), form)
    return Expectation("violated" if source else "holds", case, source or KEPT)


def _bug(name: str, actors: Actors, how: FaultPath, form: Form) -> tuple[str, str]:
    """The case that a property shows ("" for none) and the source; no source where it holds."""
    match name:
        case "lost-dirty":
            return _lost(actors, how, form)
        case "harvest-marked" if how.marks == "write-fault":
            return "L1", L1
        case "harvest-marked" if how.marks == "unlocked":
            return "L8", L8
        case "harvest-marked" if _wrong_leaf(actors, how):
            return "L9", L9
        case "break-before-make" if actors.toggles and not how.unmaps_table:
            return "L7", L7
        case "stale-mapping" if form.no_seq:
            return "", "derived: the sequence is what F4 is for (protocol.md 8.3, F2 and F4)"
    return "", ""


def _lost(actors: Actors, how: FaultPath, form: Form) -> tuple[str, str]:
    if form.mark_early:
        return "L2", "protocol.md 8.3 L2"
    if form.block_logging and actors.blocks:
        return "L6", "protocol.md 8.3 L6"
    if form.no_srcu and actors.toggles and (actors.blocks or how.in_slot):
        return "L3", UNMARKED
    if not how.read_stays_read:
        return "L1", L1
    if form.no_flush:
        return "", "derived: a store through a translation that a TLB still has comes after the copy"
    if form.no_wait and how.marks == "unlocked":
        return "L8", "protocol.md 8.3 L2: safe because the final harvest happens with vCPUs stopped"
    if not form.relax_checked and _wrong_leaf(actors, how):
        return "L9", L9
    return "", ""


def _wrong_leaf(actors: Actors, how: FaultPath) -> bool:
    """Whether one vCPU may put a block in the way of another's fault on a page, as logging begins."""
    return how.walker and actors.blocks and actors.toggles and actors.vcpus > 1
