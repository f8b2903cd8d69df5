"""The guest half of an update, at the grain that a change of layout needs: what is stored in which layout, and where.

G0 to G6 and G13 are those of `specs.runstate` (its `lengths`, `lock_and_check`, `mapped`, `unlock`) where there are two
caches.  With one, an area that crosses its page fails the length check of kvm_gpc_check(), and the refresh that
follows fails it too (R2); over two pages there is one lock and one check.  The stores are one step a page: the lock is
held over all of them, so that their order says nothing here (`specs.runstate` has it).
"""

from __future__ import annotations

from modelcheck import Action, Expr, assign, check, lift, reach, shared
from specs.kvm.pfncache import Gpc, Steps
from specs.long_mode.over_two import check_both, refresh_both
from specs.long_mode.scene import COMPAT, NATIVE, Twin, World
from specs.runstate.layout import Parts
from specs.runstate.setup import Call
from specs.runstate.stores import GUEST, Target, Window, lengths, mapped, with_mode_of_now
from specs.runstate.writer import lock_and_check, lock_first, read_lock, read_unlock, unlock

CONVERTED = "after the update the area is in the layout of the mode"


def sleeping_update(world: World, state: str) -> Steps:
    """A sleeping update, and what a switch before it demands (I2): the area is whole and in the new layout.

    A refresh that could not have a page is excused, one that was refused for its length is not, nor is one of a second
    cache that is still not active.
    """
    ghosts = world.ghosts
    if ghosts is not None:
        yield assign(ghosts.steady, 1).as_("a sleeping update begins")
    outcome, mode, split = yield from update_guest(world, Call(state))
    if outcome == "stored":
        yield reach("updated in compat mode" if mode == COMPAT else "updated in long mode")
    if ghosts is None:
        return
    demanded = lift(0)
    if outcome == "stored":
        demanded = ghosts.stored[0] & ghosts.stored[1] if split else ghosts.stored[0]
    elif outcome == "refresh failed":
        demanded = excused(world, split)
    yield check(~ghosts.steady | demanded, "converted", CONVERTED).at("G13", GUEST)
    first, second = ghosts.stored
    yield shared("the update has ended", (ghosts.steady, 0), (first, 0), (second, 0))


def excused(world: World, split: bool) -> Expr:
    """Whether a failed refresh is one of a page that could not be had."""
    gpc1, gpc2 = world.scene.gpc1, world.scene.gpc2
    if world.form.caches != "two" or not split or gpc2.active is None:
        return lift(1)
    return gpc1.valid.eq(0) | gpc2.active


def update_guest(world: World, call: Call) -> Steps:
    """G0 to G13; answers what became of it, and the layout and whether it crosses the page, as G0 and G1 had them."""
    target = yield from lengths(world.scene)
    checked = target.parts
    mode = NATIVE if checked.abi == 64 else COMPAT
    outcome = yield from both_held(world, call, checked)
    if outcome != "stored":
        return outcome, mode, checked.split
    if world.form.caches == "two":
        target = yield from mapped(world.scene, target)
    if world.form.twice:
        target = yield from with_mode_of_now(world.scene, target)
    yield from store(world, target, checked)
    if world.form.caches == "two":
        yield from unlock(world.scene, call, checked)
    else:
        yield from read_unlock(world.scene, world.scene.gpc1, "G13", call.on)
    return outcome, mode, checked.split


def both_held(world: World, call: Call, parts: Parts) -> Steps:
    """G2 to G6: every page that the layout needs is mapped and locked ("stored"), or why not."""
    scene, gpc1, form = world.scene, world.scene.gpc1, world.form
    if form.caches == "two" or world.twin is None and not parts.split:
        outcome = yield from lock_and_check(scene, call, parts)
        if parts.split and outcome == "gave up":
            yield reach("atomic path skipped an area over two pages")
        return outcome
    if not (yield from lock_first(scene, call)):
        return "gave up"
    while world.twin is None or not (yield from check_both(gpc1, world.twin, parts.split)):
        yield from read_unlock(scene, gpc1, "G3", call.on)
        if call.atomic:
            yield reach("atomic path gave up")
            return "gave up"
        if world.twin is None:  # R2, as kvm_gpc_check(): offset + len > PAGE_SIZE
            yield reach("refused for its length")
            return "refused"
        if not (yield from refresh_both(gpc1, world.twin, scene.kvm, parts.split, form.iomem)):
            return "refresh failed"
        yield from read_lock(scene, gpc1, "G3", call.off)
    return "stored"


def store(world: World, target: Target, checked: Parts) -> Steps:
    """G7 to G12: each page in one step, with what each property asks of it."""
    parts, twin = target.parts, world.twin
    mode = NATIVE if parts.abi == 64 else COMPAT
    yield check(lift(int(parts.size <= checked.size)), "checked", "no more is stored than was checked").at("G9", GUEST)
    if mode == NATIVE:
        fits = world.long_mode.eq(1)
        yield check(fits, "overrun", "the 64-bit layout is stored in long mode alone").at("G9", GUEST)
    yield from mappings(world.scene.gpc1, "gpc1")
    yield put(world, 0, mode, "memcpy(gpc1->khva)" if parts.split else "the struct through gpc1->khva")
    if not parts.split:
        return
    yield reach("split path ran")
    if twin is not None:
        yield from mappings(twin.page, "gpc1, second page")
    elif target.second is not None:
        yield from second_page(world, target, target.second)
    else:
        return  # past the end of the page, see `checked`
    yield put(world, 1, mode, "memcpy to the second page")


def mappings(gpc: Gpc, name: str) -> Steps:
    """P6 and the offset of khva, for a store through this mapping."""
    for property in ("stale-mapping", "inside"):
        of = "out-of-area" if property == "inside" else property
        whole = lift(1)
        for condition, about in gpc.requires():
            if about == of:
                whole = whole & condition
        yield check(whole, property, f"store through {name} ({property})").at("G9", GUEST)


def second_page(world: World, target: Target, second: Window) -> Steps:
    """I1 and I3 for the tail: gpc2 is where gpc1 is, and what it stores is inside the area that it leads to."""
    gpc1, gpc2 = world.scene.gpc1, world.scene.gpc2
    yield from mappings(gpc2, "gpc2")
    inside = target.parts.size + second.shift <= target.parts.size
    yield check(lift(int(inside)), "inside", "the tail ends with the area that gpc2 leads to").at("G10", GUEST)
    if gpc1.gpa is not None and gpc2.gpa is not None:
        follows = gpc2.gpa.eq(gpc1.gpa)
        yield check(follows, "second-page", "gpc2->gpa is the page after gpc1->gpa").at("G10", GUEST)


def put(world: World, page: int, mode: int, text: str) -> Action:
    """The bytes of the area on a page are in this layout from here on."""
    if world.ghosts is None:
        return shared(text).at("G10", GUEST)
    current = world.ghosts.steady & world.long_mode.eq(int(mode == NATIVE))
    return shared(text, (world.ghosts.stored[page], current)).at("G10", GUEST)


def type_of(gpc1: Gpc, twin: Twin | None) -> Expr:
    """What the fields of a cache are to each other while nobody has its lock for writing."""
    good = lift(1)
    if gpc1.mapping is not None and gpc1.gpa is not None and gpc1.uhva is not None:
        good = ~gpc1.valid | gpc1.mapping.khva.eq(gpc1.gpa) & gpc1.uhva.eq(gpc1.gpa)
    if gpc1.active is not None and gpc1.listed is not None:
        good = good & (~gpc1.active | gpc1.listed)
    return gpc1.lock.writer.ne(0) | good
