"""What the writer stores: steps G0, G1 and G7 to G12 of protocol.md 2.3, in the order and of the sizes of each version.

The bytes of a store are named by the struct; which bytes of guest memory they are depends on where khva of the cache
leads.  gpc2 may still map the second page of the place where the area was before (protocol.md D1).

All stores of an update are of one version of the shadow where the locks spin: they are held from G2 to G13, which keeps
the task's own sched_out away, and nobody else changes the shadow.  On PREEMPT_RT sched_out may change it in between, so
there it matters when the kernel takes what (`source`): the entry time once, ahead of the first store; the rest of an
area in one page as it is stored; the rest of one over two pages when the struct is assembled on the stack, after G8 and
ahead of both copies.  So over two pages an accounting that comes after that harms nothing by itself, and in one page it
does; D3 is there in both, since the nested writer clears the flag ahead of the copies that are left.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

from modelcheck import Access, Action, Area, Expr, Slot, assign, choose, reach, shared, smp_wmb, test
from specs.kvm.pfncache import Gpc, Steps
from specs.runstate.layout import UPDATE, Parts
from specs.runstate.migration import unsave
from specs.runstate.setup import Scene

GUEST = "kvm_xen_update_runstate_guest"
COMPAT_END = 44  # bytes from here on are beyond a compat struct
CHECKED_LESS = "48 bytes stored where 44 were checked"


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
    """G0 and G1: the layout and the two lengths, read without a lock."""
    mode = yield from layout_now(scene, "G0")
    place = 0
    if scene.gpc1.gpa is not None and not (yield test(scene.gpc1.gpa.eq(1), "gpc1->gpa is A?").at("G1", GUEST)):
        place = 1
    return Target(scene.places[place].parts[mode], Window(scene.gpc1, scene.places[place].area))


def layout_now(scene: Scene, step: str) -> Generator[Action, Any, int]:
    """Which of a place's layouts long_mode asks for."""
    if scene.long_mode is None or (yield test(scene.long_mode, "long_mode?").at(step, GUEST)):
        return 0
    return 1


def mapped(scene: Scene, target: Target) -> Generator[Action, Any, Target]:
    """Where khva of the second cache leads; and before 5ec3289b long_mode once more."""
    parts = target.parts
    if scene.version.mode_twice:
        return (yield from with_mode_of_now(scene, target))
    if not parts.split:
        return target
    if scene.gpc2.gpa is None:
        return replace(target, second=Window(scene.gpc2, target.first.area, parts.user_len1))
    a = yield test(scene.gpc2.gpa.eq(1), "gpc2->khva is in A?").at("G7", GUEST)
    place = scene.places[0 if a else 1]
    mode = next(i for each in scene.places for i, p in enumerate(each.parts) if p == parts)
    shift = place.parts[mode].user_len1 - parts.user_len1
    return replace(target, second=Window(scene.gpc2, place.area, parts.user_len1, shift))


def with_mode_of_now(scene: Scene, target: Target) -> Generator[Action, Any, Target]:
    """The layout that is stored, in a795cd43: not the one whose length was checked, if long_mode changed meanwhile.

    So 48 bytes may be stored where 44 were checked.  They are in the page still, since RUNSTATE_ADDR asked for 48
    whatever the mode was (protocol.md 12.1 item 10; `geometry` has the proof).
    """
    mode = yield from layout_now(scene, "G7")
    place = next(each for each in scene.places if each.area == target.first.area)
    if place.parts[mode].size > target.parts.size:
        yield reach(CHECKED_LESS)
    return replace(target, parts=place.parts[mode])


def store(scene: Scene, target: Target) -> Steps:
    """G7 to G12."""
    ghosts, version, layout = scene.ghosts, scene.version, target.parts
    asked = yield from flag_now(scene)
    flag = UPDATE if asked and scene.without != "update-bit" else ""
    if ghosts.idle is not None:
        yield assign(ghosts.idle, 0).as_("the writer is at work")
    if scene.rt:
        yield shared("entry_time = runstate_entry_time", (scene.entry_time, scene.shadow)).at("G8", GUEST)
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


def flag_now(scene: Scene) -> Generator[Action, Any, bool]:
    """Whether the guest has asked for the update flag: one look at it for a whole update, without a lock."""
    if scene.update_flag is None:
        return scene.flag
    return (yield test(scene.update_flag, "runstate_update_flag?").at("G7", GUEST))  # type: ignore[no-any-return]


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
    """G9 and G10, two pages: the struct assembled on the stack is copied to each page."""
    cut, size = target.parts.user_len1, target.parts.size
    if scene.rt:  # one step: a sched_out in the middle of it mixes two versions, as one between G8 and here does
        yield shared("rs = {current_runstate, entry_time, runstate_times[]}", (scene.rs, scene.shadow)).at("G9", GUEST)
    first = Put(0, cut, "memcpy(gpc1->khva, &rs, user_len1)", "G10", True)
    second = Put(cut, size, "memcpy(gpc2->khva, &rs + user_len1, user_len2)", "G10", True)
    yield from put(scene, target, first, flag)
    yield from put(scene, target, second, flag)


def store_v2(scene: Scene, target: Target, flag: str) -> Steps:
    """V2: the whole word with the flag, state, times, then `entry &= ~XEN_RUNSTATE_UPDATE` as a store of the word.

    The read-modify-write reads back what this same task stored under the same lock, so it is modelled as a store.  (On
    PREEMPT_RT a nested writer may have stored since; that its entry time then stays is left out, as it is torn anyway.)
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
    requires: tuple[tuple[Expr, str], ...] = window.gpc.requires()
    ends = (what.lo, *(cut for cut in cuts(scene, target.parts) if what.lo < cut < what.hi), what.hi)
    for lo, hi in tuple(pairwise(ends)):
        wanted = requires
        if scene.long_mode is not None and lo >= COMPAT_END:
            wanted = (*requires, (scene.long_mode.eq(1), "out-of-area"))
        place, version = (lo + window.shift, hi + window.shift), source(scene, target.parts, lo)
        yield window.area.store(*place, version, form, kind, wanted, what.text).at(what.step, GUEST)
    if dirty is not None:
        yield unsave(dirty, 0 if window.gpc == scene.gpc1 else 1).at(what.step, GUEST)


def cuts(scene: Scene, parts: Parts) -> tuple[int, ...]:
    """Where a store is cut: at the end of a compat struct, and around the entry time, which may be of another version.

    So on PREEMPT_RT the parts of a copy are in the order of fields where the compiler keeps to program order.
    """
    around = (parts.entry, parts.times) if scene.rt else ()
    return (*around, COMPAT_END) if scene.long_mode is not None else around


def source(scene: Scene, parts: Parts, byte: int) -> Slot:
    """What the byte of the struct is copied from; see the module."""
    if not scene.rt:
        return scene.shadow
    if parts.entry <= byte < parts.times:
        return scene.entry_time
    return scene.rs if parts.split else scene.shadow


def leaves(scene: Scene) -> tuple[tuple[int, ...], ...]:
    """The first byte outside its area of each store that leaves it, by place and layout and where gpc2 may lead to.

    All stores are what store() yields with the flag, whatever put_user() answers.
    """
    found = []
    scene = replace(scene, update_flag=None, flag=True)
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
    return store, flag_now, store_v2, store_v3, store_single, store_split, put, cuts
