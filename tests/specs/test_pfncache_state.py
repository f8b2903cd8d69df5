"""The state of a cache, and the list of its versions: no slot that nobody writes, and every change in its place."""

from __future__ import annotations

from dataclasses import fields

import pytest
from pfncache_cases import NAMES, NEWEST

from modelcheck import Model
from specs.kvm.cache_versions import CACHES, Cache, cache
from specs.kvm.gpc import Gpc
from specs.kvm.pfncache import make_gpc, make_kvm, make_page, make_place

CHANGES = {
    "3ba2c95ea180": {"offset_in_uhva"},
    "93984f19e7bc": {"serialized", "unmap_serialized"},
    "58cd407ca4c6": {"late_valid"},
    "52491a38b2c2": {"lock_once"},
    "ecbcf030b456": {"rejects_inactive"},
    "8332f0ed4f18": {"moves_khva"},
    "9f87791d686d": {"unmap_serialized"},
    "9fa336e343b2": {"read_first"},
    "6addfcf27139": {"self_contained"},
    "da260bcb56fe": {"own_seq"},
}


def test_each_version_changes_what_its_commit_changed():
    found = {}
    for before, after in zip(CACHES, CACHES[1:], strict=False):
        flags = [f.name for f in fields(Cache) if f.name not in ("name", "subject")]
        found[after.name] = {flag for flag in flags if getattr(before, flag) != getattr(after, flag)}
    assert found == CHANGES
    assert (NAMES[0], NEWEST) == ("982ed0de4753", "da260bcb56fe")


OPTIONAL = ("gpa", "uhva", "generation", "active", "listed", "closed", "mapping", "newest")


def there(gpc: Gpc) -> set[str]:
    return {name for name in OPTIONAL if getattr(gpc, name) is not None}


def test_a_cache_that_nobody_moves_or_takes_away_is_a_valid_bit_and_a_pfn():
    model = Model("slots")
    make_kvm(model)
    gpc = make_gpc(model, "gpc1")
    assert there(gpc) == set()
    assert gpc.check("G3").branches[0].guard == gpc.valid
    assert gpc.requires() == ((gpc.mapped(), "stale-mapping"),)


def test_a_cache_has_what_its_actors_write():
    model = Model("slots")
    kvm = make_kvm(model, memslots=True, tracked=True)
    one, two = make_page(model, "one", 1), make_page(model, "two", 2)
    slotted = make_place(model, "A", (one, two), memslots=True)
    assert there(make_gpc(model, "moved", (make_place(model, "A", (one,)), make_place(model, "B", (two,))), kvm)) == {
        "gpa", "uhva", "mapping", "newest",
    }  # fmt: skip
    assert there(make_gpc(model, "slotted", (slotted,), kvm)) == {"uhva", "generation", "mapping", "newest"}
    assert there(make_gpc(model, "by hva", (slotted,), kvm, hva=True)) == {"uhva", "mapping", "newest"}
    taken = {"active", "listed", "closed", "mapping", "newest"}
    assert there(make_gpc(model, "taken", (), kvm, deactivates=True)) == taken


@pytest.mark.parametrize(("version", "looks"), [("52491a38b2c2", False), ("ecbcf030b456", True)])
def test_a_check_looks_at_active_since_inactive_caches_are_rejected(version, looks):
    model = Model("slots")
    gpc = make_gpc(model, "gpc", (), make_kvm(model, cache(version), tracked=True), deactivates=True)
    assert (gpc.check("G3").branches[0].guard == (gpc.valid & gpc.active)) == looks
