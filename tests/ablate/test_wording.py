"""How pieces are told where several locks, caches or processes have one."""

from __future__ import annotations

import pytest

from modelcheck.ablate.wording import common, statement


@pytest.mark.parametrize(("texts", "told"), [
    ([], ""),
    (["smp_wmb()"], "smp_wmb()"),
    (["smp_wmb()", "smp_wmb()"], "smp_wmb()"),
    (["read_lock(gpc2->lock)", "read_lock(gpc1->lock)"], "read_lock(gpc{1,2}->lock)"),
    (["gpc1->valid in 'gpc1 is invalid'", "gpc2->valid in 'gpc2 is invalid'"],
     "gpc{1,2}->valid in 'gpc{1,2} is invalid'"),
    (["page A1 is freed", "page B1 is freed"], "page {A,B}1 is freed"),
    (["lock(gpc1->lock)", "lock(vcpu 1's gpc1->lock)"], "lock({,vcpu 1's }gpc1->lock)"),
    (["ab", "abc def"], "{ab,abc def}"),
])  # fmt: skip
def test_what_texts_share_is_told_once(texts: list[str], told: str) -> None:
    assert common(texts) == told


def test_a_test_is_told_without_its_question_mark() -> None:
    assert (statement("gpc1->valid?"), statement("kvm_gpc_check(gpc1)")) == ("gpc1->valid", "kvm_gpc_check(gpc1)")
