"""Hand-made traces that the tests of trace files, graphs and views share, and a Hypothesis strategy for any trace.

Nothing here runs the engine: each trace is written down step by step by a small builder that keeps memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

from modelcheck.trace.trace import (
    AreaInfo,
    ByteSource,
    LockEvent,
    LockOrderEdge,
    MemoryEvent,
    ProcessInfo,
    Step,
    Trace,
    Update,
)

AREA = AreaInfo("area", 48, 52, 64, 4096, (
    ("state", 0, 4), ("pad", 4, 8), ("entry_time", 8, 16),
    ("time[0]", 16, 24), ("time[1]", 24, 32), ("time[2]", 32, 40), ("time[3]", 40, 48),
))
MEMCPY = "memcpy(rs_times + 1, times)"
FLAG = 15  # the last byte of entry_time; its top bit says that an update is under way
VALUES = {
    version: dict(zip((name for name, _, _ in AREA.fields), values, strict=True))
    for version, values in (
        (1, (1, 0, 0x10_0000_03E8, 600, 300, 0, 100)),
        (2, (2, 0, 0x10_0000_05DC, 600, 300, 500, 100)),
        (3, (0, 0, 0x11_0000_07D0, 700, 400, 500, 400)),
    )
}


def value_of(version: int, offset: int, flagged: bool = False) -> int:
    """The byte update `version` has at `offset`; with `flagged`, its flag bit set."""
    for name, lo, hi in AREA.fields:
        if lo <= offset < hi:
            byte = VALUES[max(version, 1)][name].to_bytes(hi - lo, "little")[offset - lo]
            return byte | (0x80 if flagged and offset == FLAG else 0)
    raise AssertionError(offset)


@dataclass
class Builder:
    """Records steps in order, and works out what each load sees."""

    steps: list[Step] = field(default_factory=list)
    content: dict[int, tuple[int, str, int]] = field(default_factory=dict)  # offset -> version, variant, step
    start: int = 1

    def add(self, process: int, label: str, kind: str = "local", **more: object) -> None:
        line = 10 + len(self.steps)
        choice = str(more.pop("choice", f"{kind}:{len(self.steps)}"))
        self.steps.append(Step(process, label, choice, kind, "spec.py", line, **more))  # type: ignore[arg-type]

    def store(self, process: int, text: str, lo: int, hi: int, version: int, flag: bool = False,
              whole: tuple[int, int] | None = None, **more: object) -> None:
        index = len(self.steps)
        for offset in range(lo, hi):
            self.content[offset] = (version, "flag" if flag and offset == FLAG else "", index)
        self._memory("store", process, text, lo, hi, whole, more)

    def load(self, process: int, text: str, lo: int, hi: int, whole: tuple[int, int] | None = None,
             **more: object) -> None:
        self._memory("load", process, text, lo, hi, whole, more)

    def _memory(self, op: str, process: int, text: str, lo: int, hi: int, whole: tuple[int, int] | None,
                more: dict[str, object]) -> None:
        sources = []
        for offset in range(lo, hi):
            version, variant, step = self.content.get(offset, (self.start, "", -1))
            sources.append(ByteSource(offset, version, variant, step, value_of(version, offset, variant == "flag")))
        event = MemoryEvent(op, lo, hi, whole or (lo, hi), text, tuple(sources))
        self.add(process, text, op, memory=event, **more)

    def lock(self, process: int, op: str, lock: str, mode: str = "exclusive", label: str = "", **more: object) -> None:
        verb = {"acquire": "lock", "release": "unlock", "attempt": "lock", "queue": "lock", "fail": "trylock"}[op]
        event = LockEvent(op, lock, lock.rstrip("0123456789"), mode)
        prefix = {"read": "read_", "write": "write_"}.get(mode, "")
        self.add(process, label or f"{prefix}{verb}({lock})", "lock", lock=event, **more)

    def fence(self, process: int, kind: str, **more: object) -> None:
        self.add(process, f"{kind}()", "fence", fence=kind, **more)


def _update(build: Builder, version: int, process: int = 0, stop: str = "") -> None:
    """One update in order, up to the step named by `stop`."""
    f = {"function": "update_guest", "depth": 2}
    for name, act in (
        ("G2", lambda: build.lock(process, "acquire", "gpc1", "read", step="G2", **f)),
        ("G8", lambda: build.store(process, "*update_bit = entry_hi | 0x80", 15, 16, version, True, step="G8", **f)),
        ("G8b", lambda: build.fence(process, "smp_wmb", step="G8", **f)),
        ("G9", lambda: build.store(process, "*rs_state = state", 0, 4, version, step="G9", **f)),
        ("G9e", lambda: build.store(process, "*rs_times = entry | FLAG", 8, 16, version, True, step="G9", **f)),
        ("G9t", lambda: build.store(process, MEMCPY, 16, 24, version, whole=(16, 48), step="G9", **f)),
        ("G9u", lambda: build.store(process, MEMCPY, 24, 48, version, whole=(16, 48), step="G9", **f)),
        ("G11", lambda: build.fence(process, "smp_wmb", step="G11", **f)),
        ("G12", lambda: build.store(process, "*update_bit = entry_hi", 15, 16, version, step="G12", **f)),
        ("G13", lambda: build.lock(process, "release", "gpc1", "read", step="G13", **f)),
    ):
        if name == stop:
            return
        act()


def torn_read() -> Trace:
    """A reader with a misaligned entry_time takes the state of update 2 with the times of update 1."""
    b = Builder()
    r = {"function": "get_snapshot"}
    f = {"function": "update_guest", "depth": 2}
    b.load(1, "t = READ_ONCE(entry_time)", 8, 12, (8, 16), step="S1", **r)
    b.load(1, "t = READ_ONCE(entry_time)", 12, 16, (8, 16), step="S1", **r)
    b.add(0, "update 2", "choose", response="sched_in", function="update", depth=1)
    _update(b, 2, stop="G9e")
    b.fence(1, "rmb", step="S2", **r)
    b.load(1, "res.state", 0, 4, step="S3", **r)
    b.load(1, "res.time[]", 16, 48, step="S3", **r)
    b.fence(1, "rmb", step="S4", **r)
    b.load(1, "2nd READ_ONCE(entry_time)", 8, 12, (8, 16), step="S5", **r)
    b.store(0, "*rs_times = entry | FLAG", 8, 16, 2, True, step="G9", **f)
    b.store(0, MEMCPY, 16, 24, 2, whole=(16, 48), step="G9", **f)
    b.store(0, MEMCPY, 24, 48, 2, whole=(16, 48), step="G9", **f)
    b.fence(0, "smp_wmb", step="G11", **f)
    b.store(0, "*update_bit = entry_hi", 15, 16, 2, step="G12", **f)
    b.load(1, "2nd READ_ONCE(entry_time)", 12, 16, (8, 16), step="S5", **r)
    b.add(1, "equal", "compare", response="True", step="S6", **r)
    b.add(1, "flag set?", "compare", response="False", step="S6", **r)
    b.add(1, "snapshot: accepted", "observe", step="S6", **r)
    return Trace(
        "runstate", "", "5ec3289b", "torn-read", (("abi", "64"), ("offset", "52")), "tso", "D6",
        (ProcessInfo("writer", "KVM, update 2", 0), ProcessInfo("reader", "guest, 64-bit reader", 1)),
        AREA, ("update 1 complete, flag clear",), tuple(b.steps), len(b.steps) - 1,
        "the reader accepts the state of update 2 with the times of update 1",
        ("Both loads of entry_time saw its low half from update 1 and a high half with the flag clear.",
         "entry_time crosses a cache line, so one 8-byte load is two."),
        tuple(Update(v, tuple(VALUES[v].items())) for v in (1, 2)),
        assumptions=("entry time strictly increases",), shortest="shortest",
        command="modelcheck check runstate --version seed --property torn-read --set offset=52",
    )


def lock_order() -> Trace:
    """Three lock classes in a cycle, as lockdep sees it, with the steps that showed the last arrow."""
    b = Builder()
    b.lock(0, "acquire", "rq0", function="schedule")
    b.lock(0, "acquire", "gpc1", "read", function="update_guest", depth=2)
    b.lock(0, "release", "gpc1", "read", function="update_guest", depth=2)
    b.lock(0, "release", "rq0", function="schedule")
    b.lock(1, "acquire", "gpc1", "write", function="refresh")
    b.lock(1, "acquire", "pool_lock", function="queue_work", depth=2)
    b.lock(1, "acquire", "rq0", function="try_to_wake_up", depth=3)
    return Trace(
        "runstate", "", "d8ba8ba4", "lock-order", (), "sc", "B9",
        (ProcessInfo("sched_out", "vCPU 0", 0), ProcessInfo("refresh", "vCPU 1", 1)),
        None, (), tuple(b.steps), len(b.steps) - 1,
        "the lock classes rq, gpc and pool_lock are taken in a cycle", ("No instance deadlocks in this trace.",),
        lock_order=(
            LockOrderEdge("rq", "gpc", "exclusive", "read", 0, "writer.py", 12, "update_guest"),
            LockOrderEdge("gpc", "pool_lock", "write", "exclusive", 1, "refresh.py", 40, "queue_work"),
            LockOrderEdge("pool_lock", "rq", "exclusive", "exclusive", 1, "refresh.py", 44, "try_to_wake_up"),
        ),
        command="modelcheck check --property lock-order --version d8ba8ba4",
    )


def nested_deadlock() -> Trace:
    """A nested sched_out holds rq0 and waits for gpc1, whose holder waits for rq0: the mapping stays stale."""
    b = Builder()
    b.add(0, "gpc1.valid?", "shared", response="True", function="update")
    b.add(1, "preempt vcpu", "local", function="schedule")
    b.lock(1, "acquire", "rq0", function="schedule")
    b.lock(2, "acquire", "gpc1", "write", function="refresh")
    b.add(2, "gpc1.valid = 0", "shared", changes=(("gpc1.valid", "1", "0"),), function="refresh")
    b.lock(2, "attempt", "rq0", function="try_to_wake_up", depth=2)
    b.lock(1, "attempt", "gpc1", "read", function="update_guest", depth=2)
    return Trace(
        "runstate", "", "d8ba8ba4", "deadlock", (("preemption", "full"),), "sc", "B9",
        (ProcessInfo("update", "vCPU 0 task", 0), ProcessInfo("sched_out", "its own sched_out", 0),
         ProcessInfo("refresh", "vCPU 1 task", 1)),
        None, ("gpc1 valid, all locks free",), tuple(b.steps), len(b.steps) - 1,
        "sched_out and refresh wait for each other for ever", ("sched_out may not give up: it spins with rq0 held.",),
        command="modelcheck check --property deadlock --version d8ba8ba4",
    )


def long_trace() -> Trace:
    """The torn read again after two whole updates and a rejected snapshot: more than 40 steps, three updates."""
    b = Builder()
    r = {"function": "get_snapshot"}
    f = {"function": "update_guest", "depth": 2}
    b.load(1, "t = READ_ONCE(entry_time)", 8, 16, step="S1", **r)
    b.fence(1, "rmb", step="S2", **r)
    _update(b, 2)
    for lo, hi, text in ((0, 4, "res.state"), (8, 16, "res.entry_time"), (16, 48, "res.time[]")):
        b.load(1, text, lo, hi, step="S3", **r)
    b.fence(1, "rmb", step="S4", **r)
    b.load(1, "2nd READ_ONCE(entry_time)", 8, 16, step="S5", **r)
    b.add(1, "equal", "compare", response="False", step="S6", **r)
    b.load(1, "t = READ_ONCE(entry_time)", 8, 12, (8, 16), step="S1", **r)
    b.load(1, "t = READ_ONCE(entry_time)", 12, 16, (8, 16), step="S1", **r)
    b.fence(1, "rmb", step="S2", **r)
    _update(b, 3, stop="G9e")
    b.load(1, "res.state", 0, 4, step="S3", **r)
    b.load(1, "res.entry_time", 8, 16, step="S3", **r)
    b.load(1, "res.time[]", 16, 48, step="S3", **r)
    b.fence(1, "rmb", step="S4", **r)
    b.load(1, "2nd READ_ONCE(entry_time)", 8, 12, (8, 16), step="S5", **r)
    b.store(0, "*rs_times = entry | FLAG", 8, 16, 3, True, step="G9", **f)
    b.store(0, MEMCPY, 16, 24, 3, whole=(16, 48), step="G9", **f)
    b.store(0, MEMCPY, 24, 48, 3, whole=(16, 48), step="G9", **f)
    b.fence(0, "smp_wmb", step="G11", **f)
    b.store(0, "*update_bit = entry_hi", 15, 16, 3, step="G12", **f)
    b.lock(0, "release", "gpc1", "read", step="G13", **f)
    b.load(1, "2nd READ_ONCE(entry_time)", 12, 16, (8, 16), step="S5", **r)
    b.add(1, "equal", "compare", response="True", step="S6", **r)
    b.add(1, "flag set?", "compare", response="False", step="S6", **r)
    b.add(1, "snapshot: accepted", "observe", step="S6", **r)
    base = torn_read()
    return replace(
        base, steps=tuple(b.steps), deciding=len(b.steps) - 1, area=replace(AREA, base=4084),
        parameters=(("abi", "64"), ("offset", "4084")),
        why=("Both loads of entry_time saw its low half from update 2 and a high half with the flag clear.",
             "entry_time crosses a page, so one 8-byte load is two."),
        updates=tuple(Update(v, tuple(VALUES[v].items())) for v in (1, 2, 3)),
        consequence="the reader accepts the state of update 3 with the times of update 2",
    )


def very_long_trace(updates: int) -> Trace:
    """Whole updates one after the other, each with a reader's loads in the middle: 16 steps an update."""
    b = Builder()
    r = {"function": "get_snapshot"}
    for _ in range(updates):
        _update(b, 2, stop="G9e")
        for lo, hi, text in ((8, 16, "t = READ_ONCE(entry_time)"), (0, 4, "res.state"), (16, 48, "res.time[]")):
            b.load(1, text, lo, hi, step="S3", **r)
        _update(b, 3)
    b.add(1, "snapshot: accepted", "observe", step="S6", **r)
    return replace(long_trace(), steps=tuple(b.steps), deciding=len(b.steps) - 1)


HOSTILE = (
    "<script>alert(1)</script>", "]]>", '"quoted" \'single\'', "two\nlines\r\n\tand a tab", "\x1b[31mred\x1b[0m",
    "\u00fcml\u00e4ut \u2192 \u4e2d\u6587 \U0001f600", "\u202ereversed",
    "x" * 190, "\x00\x01\ufffe", "-->", "&amp;", "\\N \\l", "",
)


def hostile(text: str) -> Trace:
    """The torn read with one piece of text in every place that holds text."""
    base = torn_read()
    steps = tuple(replace(
        step, label=text, function=text, step=text, response=text, changes=((text, text, text),),
        fence=text if step.fence else "",
        memory=replace(step.memory, text=text, bytes=tuple(
            replace(b, variant=text if b.variant else "") for b in step.memory.bytes)) if step.memory else None,
        lock=replace(step.lock, lock=text, lock_class=text, mode=text) if step.lock else None,
    ) for step in base.steps)
    assert base.area is not None
    return replace(
        base, spec=text, version=text, property=text, memory=text, case=text, parameters=((text, text),), steps=steps,
        processes=tuple(ProcessInfo(f"{p.name}{text}"[:200], text, p.cpu) for p in base.processes),
        area=replace(base.area, name=text, fields=tuple((text, lo, hi) for _, lo, hi in base.area.fields)),
        initial=(text,), consequence=text, why=(text,), assumptions=(text,), shortest=text, command=text,
        updates=(Update(1, ((text, 5),)),),
        lock_order=(LockOrderEdge(text, text + "b", text, text, 0, text, 1, text),
                    LockOrderEdge(text + "b", text, text, text, 1, text, 1, text)),
    )


KINDS = ("load", "store", "load", "store", "lock", "fence", "compare", "shared", "choose", "local")
MODES = ("read", "write", "exclusive")


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    """Any valid trace of up to four cpus: free text everywhere, loads that read from earlier stores or the start."""
    text = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
    count = draw(st.integers(1, 5))
    processes = tuple(ProcessInfo(f"p{i}", draw(text), draw(st.integers(0, 3))) for i in range(count))
    size = draw(st.integers(1, 80))
    cuts = sorted(draw(st.sets(st.integers(1, size - 1), max_size=5))) if size > 1 else []
    fields = tuple((draw(text), lo, hi) for lo, hi in zip([0, *cuts], [*cuts, size], strict=True))
    area = AreaInfo(draw(text), size, draw(st.integers(0, 4095)), 64, 4096, fields)
    content: dict[int, tuple[int, str, int, int]] = {}
    steps: list[Step] = []
    for index in range(draw(st.integers(0, 14))):
        kind = draw(st.sampled_from(KINDS))
        memory = lock = None
        if kind in ("load", "store"):
            lo = draw(st.integers(0, size - 1))
            hi = draw(st.integers(lo + 1, size))
            whole = (draw(st.integers(0, lo)), draw(st.integers(hi, size)))
            version, variant = draw(st.integers(0, 12)), draw(st.sampled_from(["", "flag"]))
            value = draw(st.integers(-1, 255))
            if kind == "store":
                content.update(dict.fromkeys(range(lo, hi), (version, variant, index, value)))
            memory = MemoryEvent(kind, lo, hi, whole, draw(text), tuple(
                ByteSource(offset, *content.get(offset, (0, "", -1, -1))) for offset in range(lo, hi)))
        if kind == "lock":
            op = draw(st.sampled_from(["acquire", "release", "queue", "fail", "attempt"]))
            lock = LockEvent(op, draw(st.sampled_from(["a", "b"])), "c", draw(st.sampled_from(MODES)))
        changes = tuple((draw(text), draw(text), draw(text)) for _ in range(draw(st.integers(0, 2))))
        steps.append(Step(
            draw(st.integers(0, count - 1)), draw(text), draw(text), kind, "f.py", index, draw(text), draw(text),
            draw(st.integers(0, 6)), draw(text), memory, lock, draw(text) if kind == "fence" else "", changes))
    edges = tuple(LockOrderEdge(draw(text), draw(text), "read", "write", 0, "f.py", 1, draw(text))
                  for _ in range(draw(st.integers(0, 3))))
    deciding = draw(st.integers(-1, len(steps) - 1))
    return Trace(
        draw(text), "", draw(text), draw(text), ((draw(text), draw(text)),), "tso", draw(text), processes, area,
        (draw(text),), tuple(steps), deciding, draw(text), (draw(text), draw(text)),
        (Update(1, tuple((name, 0) for name, _, _ in fields)),), edges, (draw(text),), draw(text), draw(text))
