"""Why some lines are reached in no check of the newest version: the reasons behind the report's coverage."""

from __future__ import annotations

PIECES = "only in the versions that write page by page"
FORM = "only in a broken form: srcu=dropped, or order=by-address"


def unreached() -> tuple[tuple[str, str], ...]:
    """(kernel function, function and step, or the text of a line), and why it need not be reached."""
    return (
        ('if not (yield translate(page, "V1" if first else "V3")):', PIECES),
        ('found = yield look_up(machine, page).at(label, "__gfn_to_hva_many")', PIECES),
        ('yield reach("left as MMIO").as_(f"mmio_fragments[]: {page.name}").at(label, ONEPAGE)', PIECES),
        ('yield machine.srcu.read_unlock().at(label, "kvm_vcpu_write_guest")', PIECES),
        ('yield write(machine, page, found).at(label, "__kvm_write_guest_page")', PIECES),
        ('yield machine.srcu.read_lock().at(label, "kvm_vcpu_write_guest")', PIECES),
        ('yield machine.srcu.read_unlock().at("V2", "tlb_to_io")', FORM),
        ('yield machine.srcu.read_lock().at("V4", "run_iolist")', FORM),
        ("yield from exits(machine, one)", FORM),
    )
