"""The runstate spec decided by both engines, with z3: verdicts, figures, counterexamples with values, coverage."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from runstate_cases import ALL, FEW, V2, V3, V5, V7, V7P, setting
from twins import NATIVE, Engine, outcome

from modelcheck.explore.engine import REFERENCE
from modelcheck.spec import Setting
from specs.runstate import SPEC

ONE = ("deadlock", "lock-order", "sleep-in-atomic", "stale-mapping", "out-of-area", "reader-terminates")


class Case:
    """A setting; `str` of it names a test."""

    def __init__(self, version: str, name: str, memory: str = "sc", **values: Any) -> None:
        self.setting: Setting = replace(setting(version, name, **(FEW | values)), memory=memory)
        self.text = f"{version} {name} {memory} " + " ".join(f"{k}={v}" for k, v in values.items())

    def __str__(self) -> str:
        return self.text


WIDE: dict[str, Any] = {"preemption": "full", "ioctls": "usual"}
CASES = [
    *(Case(V2, name, **WIDE) for name in ("published", "lost-dirty", "flag-clears")),
    Case(V7P, "published", **(WIDE | {"ioctls": "runnable"})),
    Case(V3, "out-of-area", offset=4080, **WIDE),
    *(Case(V7, name, offset=4080) for name in ONE),
    *(Case(version, "lock-order", offset=4080) for version in ALL[:-1]),
    *(Case(version, "torn-read", offset=4081) for version in (V3, V7)),
    Case(V5, "deadlock", offset=4080, preemption="full"),
    Case(V7, "reader-terminates", abi="32", reader="linux32", offset=56),
    Case(V7, "torn-read", offset=0, flag="off"),
    Case(V7, "torn-read", offset=0, reader="ignores-flag"),
    Case(V7, "stale-mapping", offset=4080, without="check"),
    Case(V7, "deadlock", offset=4080, without="lock"),
    *(Case(V7, "torn-read", memory, offset=offset) for memory in ("tso", "weak") for offset in (0, 1)),
    *(Case(V7, name, memory, offset=4080) for memory in ("tso", "weak") for name in ("deadlock", "stale-mapping")),
]
LARGE = [
    *(Case(version, name, **WIDE) for version in (V2, V7P) for name in ("lost-dirty", "flag-clears", "own-read")),
    *(Case(version, "torn-read", offset=offset) for version in ALL for offset in (0, 50, 4080, 4081, 4090)),
    *(Case(V7, "torn-read", abi="32", reader="linux32", offset=offset) for offset in (0, 54, 56, 4086, 4088)),
    *(Case(version, name, offset=offset) for version in ALL for name in ONE for offset in (0, 4080)),
    Case(V7, "reader-terminates", offset=4080, preemption="full"),
    *(Case(V7, name, memory, offset=4080) for memory in ("tso", "weak") for name in ("torn-read", *ONE)),
    *(Case(V7, "torn-read", "weak", offset=0, without=f"{which}-{kind}") for which in ("first", "second")
      for kind in ("wmb", "rmb")),
    Case(V7, "torn-read", "weak", abi="32", reader="linux32", offset=0),
    Case(V7, "torn-read", offset=0, clock="may-repeat"),
    Case(V7, "torn-read", offset=0, tear="bytes"),
]


def test_the_spec_is_decided_alike(case):
    for projection in SPEC.projections(case.setting):
        found = [
            outcome(
                SPEC.model(case.setting, projection),
                case.setting.property,
                engine,
                full=lambda: SPEC.model(case.setting, None),
            )
            for engine in (REFERENCE, NATIVE, Engine("native", 2))
        ]
        for each in found[1:]:
            assert each == found[0]
        if found[0]["verdict"] == "violated":
            break
