"""Where bytes came from, in words: which update, which form, which value.

Byte numbers count from the start of the access, as one speaks of the halves of a load.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelcheck.trace.offsets import short_ranges as short_ranges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelcheck.trace.trace import ByteSource, Trace

Variants = dict[str, frozenset[int]]  # form -> the offsets some store gave it
MOST_RUNS = 6


def variants(trace: Trace) -> Variants:
    """The forms that stores of the trace gave to bytes, and to which."""
    found: dict[str, set[int]] = {}
    for step in trace.steps:
        for source in step.memory.bytes if step.memory and step.memory.op == "store" else ():
            if source.variant:
                found.setdefault(source.variant, set()).add(source.offset)
    return {variant: frozenset(found[variant]) for variant in sorted(found)}


def byte_ranges(offsets: Sequence[int]) -> str:
    """`byte 7` or `bytes 0-3`."""
    return f"{'byte' if len(offsets) == 1 else 'bytes'} {short_ranges(offsets)}"


def origin(sources: Sequence[ByteSource], start: int, known: Variants) -> str:
    """`update 1`, or `bytes 0-3 of update 1, 4-7 of update 2, flag clear`; "" for no bytes."""
    if not sources:
        return ""
    runs: list[tuple[int, list[int]]] = []
    for source in sources:
        if runs and runs[-1][0] == source.version and runs[-1][1][-1] == source.offset - start - 1:
            runs[-1][1].append(source.offset - start)
        else:
            runs.append((source.version, [source.offset - start]))
    versions = {version for version, _ in runs}
    if len(versions) == 1:
        parts = [f"update {runs[0][0]}"]
    else:
        parts = [f"{short_ranges(offsets)} of update {version}" for version, offsets in runs[:MOST_RUNS]]
        parts[0] = f"{'byte' if len(runs[0][1]) == 1 else 'bytes'} {parts[0]}"
        parts += ["..."] if len(runs) > MOST_RUNS else []
    for variant in sorted({source.variant for source in sources if source.variant} | known.keys()):
        if any(source.variant == variant for source in sources):
            parts.append(f"with {variant}")
        elif any(source.offset in known.get(variant, ()) for source in sources):
            parts.append(f"{variant} clear")
    return ", ".join(parts)


def value(sources: Sequence[ByteSource]) -> str:
    """The bytes as one little-endian number in hex, or "" when there are more than 8, a gap, or one is not known."""
    if not 0 < len(sources) <= 8 or sources[-1].offset - sources[0].offset != len(sources) - 1:
        return ""
    if any(not 0 <= source.value <= 255 for source in sources):
        return ""
    return hex(int.from_bytes(bytes(source.value for source in sources), "little"))
