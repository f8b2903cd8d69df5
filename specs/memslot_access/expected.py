"""What each setting is expected to say, with the source of the expectation.

The checker decides, not this table: where they differ, find out which is wrong and write the argument here.
"""

from __future__ import annotations

from modelcheck import Expectation, Setting
from specs.memslot_access.machine import Form
from specs.memslot_access.model import form_of

LETTER = """\
refutes protocol.md 8.2 (I3) as it is worded: SRCU does not keep a slot published, it keeps the ioctl that takes it away
from returning.  A piece may go into a slot that is INVALID or replaced already; `live-slot` is what SRCU gives
"""
ROUTE = """\
derived from protocol.md 8.2 (I3): SRCU is not held across an exit, and a fragment is handed out as it was decided, not
looked up again, when its slot may have become writable RAM
"""
PIECES = "protocol.md 8.2, the naive scheme: page 1 is written before page 2 is translated"
LOST = 'f78146b0f923 "KVM: Fix page-crossing MMIO": the second page overwrites the exit that the first one asked for'
HOLDS = "protocol.md 8.2 (I1 to I4)"


def expected(setting: Setting) -> Expectation:
    """The expectation of one setting."""
    case, source = _broken(setting.property, form_of(setting), (setting.text("first"), setting.text("second")))
    return Expectation("violated" if source else "holds", case, source or HOLDS)


def _broken(name: str, form: Form, kinds: tuple[str, str]) -> tuple[str, str]:
    """The case that a property shows and the source; no source where it holds."""
    match name:
        case "fault-atomic" | "written-once" | "not-overwritten" | "seen-outside":
            return _pieces(name, form, kinds)
        case "live-slot" | "published-slot":
            return _slots(name, form, kinds)
        case "mmio-route":
            return _route(form, kinds)
        case "stale-translation" if form.reports_anywhere:
            return "M4", '6cd88243c7e0 "do not report a vCPU as preempted outside instruction boundaries"'
        case "seen-whole":
            return "M5", "protocol.md 8.2 (I4): two writes, and another vCPU may look between them"
        case "deadlock" | "lock-order" if form.srcu == "across-exit" and form.handler:
            return "M9", "derived from protocol.md 8.2 (I3): synchronize_srcu() waits for the reader that calls it"
    return "", ""


def leaves(form: Form, kind: str) -> bool:
    """Whether a page of this kind may leave as MMIO (one that changes has no slot at times)."""
    return kind == "changes" or kind == "readonly" and form.intent


def _pieces(name: str, form: Form, kinds: tuple[str, str]) -> tuple[str, str]:
    """The first page written before the second is known to be there."""
    if form.two_phase:
        return "", ""
    if name == "written-once" and form.one_exit and all(leaves(form, kind) for kind in kinds):
        return "M3", LOST
    if kinds[0] == "readonly" and form.intent:
        return "", ""
    return "M2" if name == "not-overwritten" else "M1", PIECES


def _slots(name: str, form: Form, kinds: tuple[str, str]) -> tuple[str, str]:
    """Writes into a slot that is no longer there, or may not be written."""
    if form.by_address and leaves(form, kinds[0]) and kinds[1] == "changes":
        return "M8", "derived: between two entries in RAM and an exit SRCU is dropped, and the slot may go"
    if not form.intent and kinds != ("rw", "rw"):
        return "M11", "protocol.md 8.2: gfn_to_hva() translates for writing, and finds no read-only slot then"
    if "changes" not in kinds or form.handler:
        return "", ""
    if form.srcu == "dropped":
        return "M10", "protocol.md 8.2 (I3): SRCU held from translate to write"
    return ("M6", LETTER) if name == "published-slot" else ("", "")


def _route(form: Form, kinds: tuple[str, str]) -> tuple[str, str]:
    """A fragment that is handed out after its slot became writable."""
    if form.srcu == "across-exit":
        return "", ""
    if form.handler:  # only the exit for the first page comes before that of the second
        found = leaves(form, kinds[0]) and kinds[1] == "changes" and not form.one_exit
    elif form.one_exit:  # a second page that always leaves takes the exit of the first
        found = kinds[1] == "changes" or not (kinds[1] == "readonly" and form.intent)
    else:
        found = True
    return ("M7", ROUTE) if found else ("", "")
