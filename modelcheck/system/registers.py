"""What the accesses and comparisons of one process mean in linked slots: its registers beside memory's cells.

Own slots are named after the process, and bytes become cells.  Its one invariant: what it hands out speaks of linked
slots only.  It knows nothing of windows, nor of who may step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from modelcheck.action import Access, Action, Loaded, Register
from modelcheck.errors import SpecError
from modelcheck.expression import FALSE, TRUE, Const, Expr, Old, Op, Self, Slot, conjunction, rebuild
from modelcheck.memory.area import Area
from modelcheck.memory.cells import Cell, CellMap

Update = tuple[Slot, Expr]


class Registers:
    """The registers of process `name`, the `index`-th of its system, and the cells of all areas."""

    def __init__(self, name: str, index: int, areas: Mapping[str, Area], cells: Mapping[str, CellMap]) -> None:
        self._name = name
        self._index = index
        self._areas = areas
        self._cells = cells

    # -- names --------------------------------------------------------------------------------------------------

    def own(self, slot: Slot) -> Slot:
        """The linked slot: an own one is named after the process."""
        return Slot(f"{self._name}.{slot.name}", slot.domain, slot.initial) if slot.own else slot

    def link(self, expr: Expr) -> Expr:
        """The expression with own slots, loaded numbers and `self` put in."""

        def replace(part: Expr) -> Expr | None:
            if isinstance(part, Slot):
                return self.own(part)
            if isinstance(part, Loaded):
                return self._number(part.register)
            return Const(self._index + 1) if isinstance(part, Self) else None

        return rebuild(expr, replace)

    def of_old(self, expr: Expr, old: Expr) -> Expr:
        """The same, of what a cell held before."""
        return self.link(rebuild(expr, lambda part: old if isinstance(part, Old) else None))

    def _number(self, register: Register) -> Slot:
        """The slot with the number that a register holds."""
        cells = self._cells[register.access.area].cells
        if self._areas[register.access.area].domain is None or len(cells) != 1:
            raise SpecError(
                f"process {self._name!r} computes with what it loaded from {register.access.area}, which holds "
                "no number; declare the area with a domain"
            )
        return self.own(cells[0].slot(f"r{register.index}."))

    # -- accesses -----------------------------------------------------------------------------------------------

    def content(self, cell: Cell, source: Access | None) -> Expr:
        """What a load finds in a cell: memory's content, or that of an own store on its way there."""
        return cell.slot() if source is None else self.stores(cell, source)[0][1]

    def stores(self, cell: Cell, access: Access) -> list[Update]:
        """What a store does to a cell."""
        assert access.version is not None
        updates: list[Update] = [(cell.slot(), self.of_old(access.version, cell.slot()))]
        form = cell.form_slot()
        if form is not None:
            updates.append((form, Const(cell.forms.index(access.variant) if access.variant in cell.forms else 0)))
        return updates

    def loads(self, cell: Cell, register: int, source: Access | None) -> list[Update]:
        """What a load of a cell does to a register; `source` is the own store it takes the cell from, None for none."""
        prefix = f"r{register}."
        updates = [(self.own(cell.slot(prefix)), self.content(cell, source))]
        form = cell.form_slot()
        if form is not None:
            copy = cell.form_slot(prefix)
            assert copy is not None
            updates.append((self.own(copy), form if source is None else self.stores(cell, source)[1][1]))
        return updates

    def forgets(self, action: Action) -> Iterator[Update]:
        """Registers that hold nothing again: stamps of -1, which no ranking counts, and the first form."""
        for register in action.forgets:
            prefix = f"r{register.index}."
            for cell in self._cells[register.access.area].within(register.access.lo, register.access.hi):
                stamp, form = cell.slot(prefix), cell.form_slot(prefix)
                yield self.own(stamp), Const(stamp.initial)
                if form is not None:
                    yield self.own(form), Const(form.initial)

    # -- comparisons --------------------------------------------------------------------------------------------

    def condition(self, action: Action, number: int) -> Expr:
        """When a comparison may have this outcome (design.md section 2: different stamps explore both)."""
        if action.test in ("value", "value:free"):
            return self.link(action.branches[number].guard)
        outcome = bool(action.branches[number].response)
        if action.test.startswith("variant:"):
            found = self._variant_set(
                action.registers[0].index, action.registers[0].access, action.test.split(":", 1)[1]
            )
            return found if outcome else negate(found)
        left, right = action.registers
        if outcome or (left.access.lo, left.access.hi) != (right.access.lo, right.access.hi):
            return TRUE
        cells = self._cells[left.access.area]
        if any(cells.of(offset) is None for offset in range(left.access.lo, left.access.hi)):
            return TRUE
        same = []
        for cell in cells.within(left.access.lo, left.access.hi):
            for mine, other in (
                (cell.slot(f"r{left.index}."), cell.slot(f"r{right.index}.")),
                (cell.form_slot(f"r{left.index}."), cell.form_slot(f"r{right.index}.")),
            ):
                if mine is not None and other is not None:
                    same.append(self.own(mine).eq(self.own(other)))
        return negate(conjunction(tuple(same)))

    def _variant_set(self, register: int, access: Access, variant: str) -> Expr:
        """Whether any carried byte of a loaded value is of the named form."""
        found = [
            self.own(slot).eq(cell.forms.index(variant))
            for cell in self._cells[access.area].within(access.lo, access.hi)
            if variant in cell.forms
            for slot in (cell.form_slot(f"r{register}."),)
            if slot is not None
        ]
        return FALSE if not found else found[0] if len(found) == 1 else Op("or", tuple(found))


def negate(condition: Expr) -> Expr:
    """The opposite, folded where it is a constant."""
    return FALSE if condition == TRUE else TRUE if condition == FALSE else ~condition
