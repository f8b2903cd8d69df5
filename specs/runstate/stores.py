"""What the writer stores: steps G0, G1 and G7 to G12 of protocol.md 2.3, in the order and of the sizes of each version.

The bytes of a store are named by the struct; which bytes of guest memory they are depends on where khva of the cache
leads.  gpc2 may still map the second page of the place where the area was before (protocol.md D1).
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any, Literal

from modelcheck import Access, Action, Area, Expr, assign, choose, reach, shared, smp_wmb, test
from specs.runstate.layout import UPDATE, Parts
from specs.runstate.migration import unsave
from specs.runstate.pfncache import Gpc, Steps
from specs.runstate.setup import Scene

GUEST = "kvm_xen_update_runstate_guest"
COMPAT_END = 44  # bytes from here on are beyond a compat struct


@dataclass(frozen=True, slots=True)
class Window:
    """Where the struct's bytes from `lo` on go: through `gpc`, byte i to byte `i + shift` of `area`."""

    gpc: Gpc
    area: Area
    lo: int = 0
    shift: int = 0


@dataclass(frozen=True, slots=True)
class Target:
    """How this call cuts the struct, and where the parts go; the second window is None for an area in one page."""

    parts: Parts
    first: Window
    second: Window | None = None


@dataclass(frozen=True, slots=True)
class Put:
    """One store of the writer: bytes `lo` to `hi` of the struct, and its text."""

    lo: int
    hi: int
    text: str
    step: str = "G9"
    copy: bool = False


def lengths(scene: Scene) -> Generator[Action, Any, Target]:
    """G0 and G1: the layout and the two lengths, read once without a lock."""
    mode = place = 0
    if scene.long_mode is not None and not (yield test(scene.long_mode, "long_mode?").at("G0", GUEST)):
        mode = 1
    if scene.gpc1.gpa is not None and not (yield test(scene.gpc1.gpa.eq(1), "gpc1->gpa is A?").at("G1", GUEST)):
        place = 1
    return Target(scene.places[place].parts[mode], Window(scene.gpc1, scene.places[place].area))


def mapped(scene: Scene, target: Target) -> Generator[Action, Any, Target]:
    """Where khva of the second cache leads."""
    parts = target.parts
    if not parts.split:
        return target
    if scene.gpc2.gpa is None:
        return replace(target, second=Window(scene.gpc2, target.first.area, parts.user_len1))
    a = yield test(scene.gpc2.gpa.eq(1), "gpc2->khva is in A?").at("G7", GUEST)
    place = scene.places[0 if a else 1]
    mode = next(i for each in scene.places for i, p in enumerate(each.parts) if p == parts)
    shift = place.parts[mode].user_len1 - parts.user_len1
    return replace(target, second=Window(scene.gpc2, place.area, parts.user_len1, shift))


def store(scene: Scene, target: Target) -> Steps:
    """G7 to G12."""
    ghosts, version, layout = scene.ghosts, scene.version, target.parts
    flag = UPDATE if scene.flag and scene.without != "update-bit" else ""
    if ghosts.idle is not None:
        yield assign(ghosts.idle, 0).as_("the writer is at work")
    if scene.rt:
        yield shared("entry_time = runstate_entry_time", (scene.entry_time, scene.shadow)).at("G7", GUEST)
    if layout.split:
        yield reach("split path ran")
    if not version.byte_flag:
        done = yield from store_v2(scene, target, flag)
    else:
        done = yield from store_v3(scene, target, flag)
    if not done:
        return
    yield reach("update published")
    if ghosts.stored is not None:
        yield assign(ghosts.stored, 1).as_("the update has reached the guest")
    if ghosts.shown is not None and ghosts.state is not None:
        yield shared("the guest's copy shows current_runstate", (ghosts.shown, ghosts.state))
    if ghosts.idle is not None:
        yield assign(ghosts.idle, 1).as_("the writer is done")


def store_v3(scene: Scene, target: Target, flag: str) -> Steps:
    """V3 on: the byte with the flag, a barrier, the struct, a barrier, the byte without the flag."""
    byte = target.parts.update_byte
    if flag:
        text = "*update_bit = (entry_time | XEN_RUNSTATE_UPDATE) >> 56"
        yield from put(scene, target, Put(byte, byte + 1, text, "G8"), flag)
        yield from flagged(scene, 1)
        if scene.without != "first-wmb":
            yield smp_wmb().at("G8", GUEST)
    yield from (store_split if target.parts.split else store_single)(scene, target, flag)
    if scene.without != "second-wmb":
        yield smp_wmb().at("G11", GUEST)
    if flag:
        yield from put(scene, target, Put(byte, byte + 1, "*update_bit = entry_time >> 56", "G12"), "")
        yield from flagged(scene, 0)
        yield smp_wmb().at("G12", GUEST)
    return True


def store_single(scene: Scene, target: Target, flag: str) -> Steps:
    """G9, one page: the fields go straight to the guest."""
    entry, times = target.parts.entry, target.parts.times
    yield from put(scene, target, Put(0, 4, "*rs_state = current_runstate"), flag)
    yield from put(scene, target, Put(entry, entry + 8, "rs_times[0] = entry_time"), flag)
    copy = Put(times, times + 32, "memcpy(rs_times + 1, runstate_times)", copy=True)
    yield from put(scene, target, copy, flag)


def store_split(scene: Scene, target: Target, flag: str) -> Steps:
    """G10, two pages: the struct assembled on the stack is copied to each page."""
    cut, size = target.parts.user_len1, target.parts.size
    first = Put(0, cut, "memcpy(gpc1->khva, &rs, user_len1)", "G10", True)
    second = Put(cut, size, "memcpy(gpc2->khva, &rs + user_len1, user_len2)", "G10", True)
    yield from put(scene, target, first, flag)
    yield from put(scene, target, second, flag)


def store_v2(scene: Scene, target: Target, flag: str) -> Steps:
    """V2: the whole word with the flag, state, times, then `entry &= ~XEN_RUNSTATE_UPDATE` as a store of the word.

    The read-modify-write reads back what this same task stored under the same lock, so it is modelled as a store.
    Without the mapping that is held ("mapping"), as before 5.18, each store may fault and leave the rest undone (B3).
    """
    entry, times = target.parts.entry, target.parts.times
    word = Put(entry, entry + 8, "*user_times = entry_time | XEN_RUNSTATE_UPDATE", "G8")
    state = Put(0, 4, "*user_state = current_runstate")
    copy = Put(times, times + 32, "memcpy(user_times + 1, runstate_times)", copy=True)
    if (yield from faults(scene)):
        return False
    yield from put(scene, target, word, flag)
    yield from flagged(scene, 1)
    if scene.without != "first-wmb":
        yield smp_wmb().at("G8", GUEST)
    if (yield from faults(scene)):
        return False
    yield from put(scene, target, state, flag)
    if (yield from faults(scene)):
        return False
    yield from put(scene, target, copy, flag)
    if scene.without != "second-wmb":
        yield smp_wmb().at("G11", GUEST)
    if (yield from faults(scene)):
        return False
    yield from put(scene, target, replace(word, text="*user_times &= ~XEN_RUNSTATE_UPDATE", step="G12"), "")
    yield from flagged(scene, 0)
    yield smp_wmb().at("G12", GUEST)
    return True


def faults(scene: Scene) -> Steps:
    """Whether put_user() fails here: the sibling without a mapping that is held."""
    if scene.without != "mapping":
        return False
    return (yield choose("put_user() faults?", False, True).at("G9", GUEST))


def flagged(scene: Scene, value: int) -> Steps:
    """Notes whether the guest's copy has the update flag."""
    if scene.ghosts.flagged is not None:
        yield assign(scene.ghosts.flagged, value).as_("the flag is " + ("set" if value else "clear"))


def put(scene: Scene, target: Target, what: Put, form: str) -> Steps:
    """A store through the cache that maps its page; it needs that mapping to be current.

    Where the guest may leave long mode, the bytes that a compat struct does not have are a store of their own, which
    must not come after that (protocol.md D10).
    """
    second = target.second
    window = second if second is not None and what.lo >= second.lo else target.first
    dirty = scene.ghosts.dirty
    kind: Literal["copy", "plain"] = "copy" if what.copy else "plain"
    own = scene.rt and what.lo == target.parts.entry  # the local entry_time, not the shadow
    requires: tuple[tuple[Expr, str], ...] = window.gpc.requires()
    cut = scene.long_mode is not None and what.lo < COMPAT_END < what.hi
    parts = ((what.lo, COMPAT_END), (COMPAT_END, what.hi)) if cut else ((what.lo, what.hi),)
    for lo, hi in parts:
        wanted = requires
        if scene.long_mode is not None and lo >= COMPAT_END:
            wanted = (*requires, (scene.long_mode.eq(1), "out-of-area"))
        version = scene.entry_time if own else scene.shadow
        place = (lo + window.shift, hi + window.shift)
        yield window.area.store(*place, version, form, kind, wanted, what.text).at(what.step, GUEST)
    if dirty is not None:
        yield unsave(dirty, 0 if window.gpc == scene.gpc1 else 1).at(what.step, GUEST)


def leaves(scene: Scene) -> tuple[tuple[int, ...], ...]:
    """The first byte outside its area of each store that leaves it, by place and layout and where gpc2 may lead to.

    All stores are what store() yields, whatever put_user() answers.
    """
    found = []
    for place in scene.places:
        for mode, parts in enumerate(place.parts):
            for other in scene.places:
                second = Window(scene.gpc2, other.area, parts.user_len1, other.parts[mode].user_len1 - parts.user_len1)
                target = Target(parts, Window(scene.gpc1, place.area), second if parts.split else None)
                sizes = {each.area.name: each.area.size for each in scene.places}
                made = [action.access for action in store(scene, target) if action.access is not None]
                found.append(tuple(_first_outside(access, sizes[access.area]) for access in made))
    return tuple(found)


def _first_outside(access: Access, size: int) -> int:
    """A byte of the access that is outside its area, 0 where there is none."""
    after = max(access.lo, size)
    return after if after < access.hi else min(access.lo, 0)


def storing() -> tuple[object, ...]:
    """The code that store() runs: what is known of its stores holds while this is the same."""
    return store, store_v2, store_v3, store_single, store_split, put
