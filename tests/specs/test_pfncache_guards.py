"""What each guard of the pfncache is for: left out on purpose, and what goes wrong without it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from pfncache_cases import NEWEST, decide

from modelcheck import Action, Branch
from specs.kvm import activation, invalidators, memslots, pfncache
from specs.kvm.gpc import Gpc
from specs.pfncache import model
from specs.pfncache.scenarios import SCENARIOS, Actors


def leaving_out(monkeypatch, module, name: str, label: str, instead: Callable[[Action], Action]) -> None:
    """Makes `module.name`, which makes actions, hand out another action where the text is `label`."""
    made = getattr(module, name)

    def other(*args, **kwargs) -> Action:
        action = made(*args, **kwargs)
        return instead(action) if label in action.label else action

    monkeypatch.setattr(module, name, other)


def always(answer: bool) -> Callable[[Action], Action]:
    """A test that answers the same whatever it looks at."""
    return lambda action: Action("shared", action.label, (Branch(answer),))


def test_a_cache_that_asks_nobody_before_it_is_valid_goes_stale(monkeypatch):
    leaving_out(monkeypatch, pfncache, "test", "no invalidation since H2?", always(True))
    assert decide("owner-notifier", NEWEST, "stale-mapping").verdict == "violated"


@pytest.mark.parametrize("half", ["count", "seq"])
def test_both_the_count_and_the_sequence_are_needed(half, monkeypatch):
    real = pfncache.test

    def other(condition, label=""):
        action = real(condition, label)
        if label == "no invalidation since H2?":
            count, seq = action.branches[0].guard.args
            return real(seq if half == "count" else count, label)
        return action

    monkeypatch.setattr(pfncache, "test", other)
    assert decide("owner-notifier", NEWEST, "stale-mapping").verdict == "violated"


def test_a_notifier_that_passes_a_cache_over_leaves_it_stale(monkeypatch):
    def passes(gpc: Gpc, read_first: bool, pages: tuple[object, ...] = ()):
        return
        yield

    monkeypatch.setattr(invalidators, "invalidate", passes)
    case = replace(SCENARIOS["owner-notifier"], owners=0, users=1)
    assert decide(case, NEWEST, "stale-mapping").verdict == "violated"


def test_a_store_that_does_not_check_goes_anywhere(monkeypatch):
    monkeypatch.setattr(Gpc, "check", lambda gpc, step: always(True)(pfncache.test(gpc.valid)))
    case = replace(SCENARIOS["owner-notifier"], owners=0, users=1)
    assert decide(case, NEWEST, "stale-mapping").verdict == "violated"


# -- memslots -------------------------------------------------------------------------------------------------------


def test_a_check_that_ignores_the_generation_uses_a_slot_that_is_gone(monkeypatch):
    kept = Gpc.check
    monkeypatch.setattr(Gpc, "check", lambda gpc, step: kept(replace(gpc, generation=None), step))
    assert decide("owner-memslots", NEWEST, "stale-mapping").verdict == "violated"


def test_a_user_outside_srcu_stores_after_the_ioctl_has_returned(monkeypatch):
    user = model.user

    def without_srcu(gpc, kvm, *more):
        yield from user(gpc, replace(kvm, srcu=None), *more)

    monkeypatch.setattr(model, "user", without_srcu)
    assert decide("owner-memslots", NEWEST, "stale-mapping").verdict == "violated"


def test_srcu_and_not_the_wait_for_notifiers_keeps_a_slot_under_a_refresh(monkeypatch):
    """Without the wait an invalidation may end without an overlap, and bump nothing; no refresh that found the slot is
    still under way then, where refreshes hold SRCU."""

    def hurried(kvm, what, *changes):
        yield memslots.shared(f"kvm->memslots = {what}", *changes, (kvm.generation, memslots.Fresh("generation")))
        yield from kvm.srcu.synchronize()
        yield memslots.fresh(kvm.generation)

    before = "6addfcf27139"
    monkeypatch.setattr(memslots, "publish", hurried)
    assert decide("owner-memslots-notifier", before, "stale-mapping").verdict == "holds"
    user = model.user
    monkeypatch.setattr(model, "user", lambda gpc, kvm, *more: user(gpc, replace(kvm, srcu=None), *more))
    assert decide("owner-memslots-notifier", before, "stale-mapping").verdict == "violated"


# -- deactivation ---------------------------------------------------------------------------------------------------


def test_a_refresh_of_an_inactive_cache_makes_it_valid(monkeypatch):
    leaving_out(monkeypatch, pfncache, "test", "->active?", always(True))
    assert decide("owner-config-keeping", NEWEST, "inactive-valid").verdict == "violated"


def test_a_deactivation_that_leaves_it_active_lets_stores_through(monkeypatch):
    kept = activation.taken

    def leaves(gpc, kvm, *more):
        action = kept(gpc, kvm)
        return replace(action, branches=(Branch(updates=action.branches[0].updates[1:2]),))

    monkeypatch.setattr(activation, "taken", leaves)
    assert decide("user-config", NEWEST, "stale-mapping").verdict == "violated"


# -- places ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["stale-mapping", "out-of-area", "type"])
@pytest.mark.parametrize("places", [((1, 0), (2, 0)), ((1, 0), (1, 1), (2, 0))])
def test_a_cache_that_moves_between_pages_stores_where_it_is_registered(places, name):
    case = Actors(owners=1, moves=True, notifier="frees", places=places)
    assert decide(case, NEWEST, name).verdict == "holds"


def test_a_move_that_keeps_the_old_pfn_stores_to_the_old_page(monkeypatch):
    def forgets(action: Action) -> Action:
        same = [branch for branch in action.branches if branch.response != "changed"]
        changed = [replace(branch, response="same") for branch in action.branches if branch.response == "changed"]
        return replace(action, branches=(*same, *changed))

    leaving_out(monkeypatch, pfncache, "look_up_again", "look gpc up again?", forgets)
    case = Actors(users=1, moves=True, places=((1, 0), (2, 0)))
    assert decide(case, NEWEST, "stale-mapping").verdict == "violated"
