"""A spec of pairs for the tests of z3's part: a version is {key, data}, a byte each, and keys increase."""

from __future__ import annotations

from modelcheck import Observation, Values
from modelcheck.smt.values import Seen, SeenFact


def byte(z3, version, offset, form):
    value = version["key"] if offset == 0 else version["data"]
    return value | 0x80 if form == "flag" else value


def increasing(z3, versions):
    return [("keys increase", z3.ULT(a["key"], b["key"])) for a, b in zip(versions, versions[1:], strict=False)]


def torn(z3, versions, observation, byte):
    """The pair (key, data) seen is that of no version."""
    pair = observation.named("pair").bytes
    key, data = (byte(version, offset, form) for offset, version, form in pair)
    return z3.And([z3.Or(key != v["key"], data != v["data"]) for v in versions])


def values(assume=increasing, prefer=lambda z3, versions: [v["data"] == 7 for v in versions]) -> Values:
    return Values("pairs", (("key", 0, 1), ("data", 1, 2)), byte, assume, torn, prefer, lambda *args: ("", ()))


def pair(key: int, data: int, versions: int = 2, form: str = "", facts: tuple[SeenFact, ...] = ()) -> Observation:
    return Observation("torn", (Seen("pair", 0, 2, ((0, key, form), (1, data, ""))),), facts, versions)


def fact(left: tuple, right: tuple, outcome: bool) -> SeenFact:
    return SeenFact("equal", (Seen("a", 0, len(left), left), Seen("b", 0, len(right), right)), outcome)
