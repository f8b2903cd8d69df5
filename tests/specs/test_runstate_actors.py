"""What the VMM and the guest may do besides: other ioctls, a switch of long mode, a migration that does not wait."""

from __future__ import annotations

import pytest
from runstate_cases import ALL, V2, V7P, result

SINCE_IOCTLS_WRITE = ALL[1:]


@pytest.mark.parametrize("abi", ["64", "32"])
@pytest.mark.parametrize("version", [V2, V7P])
def test_a_switch_to_compat_between_reading_the_mode_and_storing_leaves_the_area(version: str, abi: str) -> None:
    """protocol.md D10, 12.1 item 10."""
    found = result(version, "out-of-area", abi=abi, offset=0, mode="switches", ioctls="none")
    assert (found.verdict, found.case, found.expected) == ("violated", "D10", "violated")


@pytest.mark.parametrize("version", SINCE_IOCTLS_WRITE)
def test_an_ioctl_with_the_state_runnable_may_answer_success_and_write_nothing(version: str) -> None:
    """protocol.md D7."""
    found = result(version, "published", abi="64", offset=0, ioctls="runnable")
    assert (found.verdict, found.case, found.expected) == ("violated", "D7", "violated")


def test_no_ioctl_wrote_the_area_before_5ec3289b() -> None:
    """protocol.md B6."""
    found = result(V2, "published", abi="64", offset=0, ioctls="runnable")
    assert (found.verdict, found.case, found.expected) == ("violated", "B6", "violated")


def test_without_a_mapping_that_is_held_the_flag_may_stay_set() -> None:
    """protocol.md B3: put_user() may fault between the stores."""
    assert result(V2, "flag-clears", abi="64", offset=0, without="mapping").verdict == "violated"
    assert result(V2, "flag-clears", abi="64", offset=0).verdict == "holds"


@pytest.mark.parametrize("version", [V2, V7P])
def test_a_last_pass_that_does_not_wait_for_the_vcpu_loses_a_store(version: str) -> None:
    """protocol.md D9."""
    assert result(version, "lost-dirty", abi="64", offset=0, without="pause").verdict == "violated"
