"""A check changes how often Python looks for cycles of garbage, and puts that back."""

from __future__ import annotations

import gc

import pytest

from modelcheck.campaign import COLLECT, few_collections


def test_collections_are_as_before_when_a_check_ends_or_fails() -> None:
    before = gc.get_threshold()
    with few_collections():
        assert gc.get_threshold() == COLLECT != before
    assert gc.get_threshold() == before
    with pytest.raises(ValueError, match="broken"), few_collections():
        raise ValueError("broken")
    assert gc.get_threshold() == before
