"""The properties of the accounting half (P3, P4 and P13 of protocol.md 10 and 12), decided for all 64-bit values.

What each assumes of the shadow a round starts from, it shows of the one the round ends with: `time-sum` the sum alone,
modulo 2^64 and for any times; `monotonic` also that entry time and times are below 2^62, without which a sum may wrap;
`steal-booked` nothing of the times.  Beside these the clock: not behind the entry time (unless it may step back), and
with steal=exact no more run_delay since last_steal than clock since the entry time.  The VMM's own changes of the
shadow (RUNSTATE_DATA, ADJUST) are no updates: they set it to values that satisfy the invariant.  With ioctls=data and
=adjust that is shown too, of their stores one by one (`shadow_ioctls`).
"""

from __future__ import annotations

from collections.abc import Hashable

from modelcheck import Expectation, Expr, Model, PropertyInfo, Setting, Where
from specs.runstate.accounting import LIMIT, RUNNABLE, Accounting, Ioctl, Registers, Shadow
from specs.runstate.accounting_round import sched_out, vcpu
from specs.runstate.layout import RUNSTATES
from specs.runstate.shadow_ioctls import DONE
from specs.runstate.versions import Writer, writer

DATA = (
    PropertyInfo("time-sum", "the times add up to the entry time in everything published (P3)"),
    PropertyInfo("monotonic", "no published time ever goes back (P4)"),
    PropertyInfo("steal-booked", "the time from a sched_out to the sched_in is booked as runnable (P13)"),
)
NAMES = tuple(info.name for info in DATA)
WHERE: dict[str, Where] = {"none": "points", "voluntary": "sleeps", "full": "anywhere", "rt": "anywhere"}
TIMES = tuple(f"time[{name}]" for name in RUNSTATES)
Numbers = dict[str, int]


def data_model(setting: Setting) -> Model:
    """The model of one setting of a data property, which is the only one it declares."""
    model = Model("runstate accounting")
    shadow = make_shadow(model)
    name, clock, exact = setting.property, setting.text("clock"), setting.text("steal") == "exact"
    version, ioctl = writer(setting.version), called(setting)
    pieces = invariant(shadow, name, clock, exact, apart(setting))
    for text, condition in pieces:
        model.assume(text, condition)
    leaves = every(invariant(shadow, name, clock, exact, ioctl == "ADJUST"))
    call = make_ioctl(model, version, ioctl, leaves) if ioctl else None
    where, fixed = WHERE[setting.text("preemption")], setting.text("fix") == "accounting"
    nested = where == "anywhere" and (not fixed or call is not None and call.counts)
    one = Accounting(
        shadow, name, version.clamped, clock, exact, fixed, not nested, every(pieces), published(shadow, name), call
    )
    model.process("vcpu", vcpu, one, title="vCPU task, KVM_RUN", cpu=0, irq_off=True)
    model.process("sched_out", sched_out, one, title="sched_out", cpu=0, host="vcpu", where=where, times=1)
    model.assumptions += assumptions(clock, exact, name, call)
    model.prefer(shadow.entry.eq(1000), *(t.eq(v) for t, v in zip(shadow.times, (600, 300, 0, 100), strict=True)))
    model.prefer(shadow.last_steal.eq(50), shadow.clock.eq(1090), shadow.run_delay.eq(140))
    seen = ("update published", "sched_out published", "updated again after the sched_out")
    witnesses = seen if call is None else (*seen, DONE)
    help_of = {info.name: info.help for info in DATA}
    grown = shadow.times[RUNNABLE] - shadow.before
    model.say(shadow.away.le(grown), "the wait is booked as runnable")
    model.data(name, help_of[name], witnesses, explain=EXPLAIN[name])
    return model


def data_key(setting: Setting) -> Hashable:
    """Equal for settings with equal models: how the guest reads, and where its area lies, is no part of them.

    Versions differ in the form of the arithmetic alone.  With the fix nothing nests where it is off, and without a
    preemption point in the accounting nothing does: but the points between updates differ, so these are kept apart.
    """
    where = WHERE[setting.text("preemption")]
    points = "points" if where == "sleeps" else where  # nothing in this model sleeps but at those
    values = tuple(setting.text(name) for name in ("clock", "steal", "fix"))
    version, name = writer(setting.version), called(setting)
    ioctl = (name, version.only_in_run, name == "ADJUST" and version.ioctls_write) if name else ()
    return "data", setting.property, version.clamped, points, values, ioctl


def called(setting: Setting) -> str:
    """Which ioctl beside KVM_RUN sets times: DATA, ADJUST or none ("").

    None for `steal-booked`, which is about what updates book: who sets the times has booked the wait as he likes.
    """
    named = {"data": "DATA", "adjust": "ADJUST"}.get(setting.text("ioctls"), "")
    return "" if setting.property == "steal-booked" else named


def apart(setting: Setting) -> bool:
    """Whether a round starts from any run_delay since last_steal.

    RUNSTATE_ADJUST moves the entry time up to the clock and leaves last_steal, so the bound on it does not stay.
    `monotonic` before 36a85200 needs it and breaks by just that, in a round that starts within the bound: the update
    after the ioctl books more steal than there is time.
    """
    return called(setting) == "ADJUST" and (setting.property == "time-sum" or writer(setting.version).clamped)


def make_ioctl(model: Model, version: Writer, name: str, leaves: Expr) -> Ioctl:
    """The ioctl that the VMM may call first, and its slots."""
    times = tuple(model.local(model.word(f"the VMM's {time}", initial=0)) for time in TIMES)
    entry = model.local(model.word("the VMM's entry_time", initial=0))
    in_run = model.bool("in KVM_RUN")
    return Ioctl(name, times, entry, in_run, not version.only_in_run, version.ioctls_write, leaves)


def make_shadow(model: Model) -> Shadow:
    """The slots of a model."""
    registers = [model.local(model.word(name, initial=0)) for name in ("now", "delta", "rd", "steal")]
    return Shadow(
        model.enum("current_runstate", *RUNSTATES),
        model.word("entry_time"),
        tuple(model.word(name) for name in TIMES),
        model.word("last_steal"),
        model.word("guest entry_time", initial=0),
        tuple(model.word(f"guest {name}", initial=0) for name in TIMES),
        model.word("clock"),
        model.word("run_delay"),
        model.word("away", initial=0),
        model.word("time[runnable] at sched_out", initial=0),
        model.bool("KVM_REQ_STEAL_UPDATE"),
        Registers(*registers),
    )


def invariant(shadow: Shadow, name: str, clock: str, exact: bool, apart: bool) -> list[tuple[str, Expr]]:
    """What a round starts from and ends with, each with its name.

    `apart`: the entry time may be set without last_steal, so that run_delay may be ahead (RUNSTATE_ADJUST).
    """
    found = [("the clock has started and is below 2^62 ns", shadow.clock.ne(0) & shadow.clock.lt(LIMIT))]
    if name != "steal-booked":
        found.append(("the times add up to the entry time", shadow.total.eq(shadow.entry)))
    if name == "monotonic":
        small = shadow.entry.lt(LIMIT)
        for time in shadow.times:
            small = small & time.lt(LIMIT)
        found.append(("entry time and times are below 2^62 ns", small))
    if clock != "may-step-back":
        found.append(("the clock is not behind the entry time", shadow.entry.le(shadow.clock)))
    if exact:
        small = shadow.run_delay.lt(LIMIT) & shadow.last_steal.le(shadow.run_delay)
        found.append(("run_delay is below 2^62 ns, and not behind last_steal", small))
    if exact and clock != "may-step-back" and not apart:
        since = (shadow.run_delay - shadow.last_steal).le(shadow.clock - shadow.entry)
        found.append(("the run_delay since last_steal is no more than the time since the entry time", since))
    return found


def every(pieces: list[tuple[str, Expr]]) -> Expr:
    """All the conditions at once."""
    whole = pieces[0][1]
    for _, condition in pieces[1:]:
        whole = whole & condition
    return whole


def assumptions(clock: str, exact: bool, name: str, call: Ioctl | None) -> list[str]:
    """What the steps assume, in words."""
    reads = {
        "increasing": "each clock reading is later than the one before",
        "may-repeat": "no clock reading is before an earlier one",
        "may-step-back": "a clock reading may be anything",
    }[clock]
    delays = "run_delay and the clock advance by the same amount while the task waits" if exact else (
        "a reading of run_delay may be anything below 2^62 ns"
    )
    if call is None:
        return [reads, delays, "the VMM changes the shadow by whole updates only"]
    passes = {
        "DATA": "RUNSTATE_DATA passes no time that is before the shadow's",
        "ADJUST": "RUNSTATE_ADJUST passes differences from 0 to 2^60 ns",
    }
    return [reads, delays, passes[call.name]] if name == "monotonic" else [reads, delays]


def published(shadow: Shadow, name: str) -> Expr | None:
    """What the shadow must satisfy when it is published."""
    if name == "time-sum":
        return shadow.total.eq(shadow.entry)
    if name == "steal-booked":
        return None
    later = shadow.guest_entry.le(shadow.entry)
    for before, now in zip(shadow.guest_times, shadow.times, strict=True):
        later = later & before.le(now)
    return later


# -- what a violation says -----------------------------------------------------------------------------------------


def explain_sum(before: Numbers, after: Numbers) -> tuple[str, tuple[str, ...]]:
    """The published sum against the published entry time."""
    entry, times = after["guest entry_time"], [after[f"guest {name}"] for name in TIMES]
    total = sum(times) % 2**64
    if total == entry:
        return "the shadow at the end of the round is none that a round may start from", (shown(after),)
    excess = (total - entry) % 2**64
    by = f"{2**64 - excess} less" if excess >> 63 else f"{excess} more"
    return f"the guest reads times whose sum is {total}, {by} than the entry time {entry}", (
        f"The sum of times {' + '.join(map(show, times))} = {total} != entry time {entry}.",
        "No later update takes the difference away: each adds the time since the entry time to both.",
    )


def explain_back(before: Numbers, after: Numbers) -> tuple[str, tuple[str, ...]]:
    """What went back."""
    back = [
        f"{name} goes back from {show(before[f'guest {name}'])} to {show(after[f'guest {name}'])}"
        for name in ("entry_time", *TIMES)
        if after[f"guest {name}"] < before[f"guest {name}"]
    ]
    if not back:
        return "the shadow at the end of the round is none that a round may start from", (shown(after),)
    return f"for the guest, {' and '.join(back)}", (f"Published: {shown(after)}.",)


def explain_wait(before: Numbers, after: Numbers) -> tuple[str, tuple[str, ...]]:
    """The wait against what was booked of it."""
    was, now, away = after["time[runnable] at sched_out"], after[TIMES[RUNNABLE]], after["away"]
    got = (now - was) % 2**64
    if got >= away:
        return "the shadow at the end of the round is none that a round may start from", (shown(after),)
    return f"of the {away} the task waited for a CPU, {show(got)} are booked as runnable", (
        f"time[runnable] was {show(was)} when the wait began and is {show(now)} after the update that follows it.",
        f"Published: {shown(after)}.",
    )


EXPLAIN = {"time-sum": explain_sum, "monotonic": explain_back, "steal-booked": explain_wait}


def shown(numbers: Numbers) -> str:
    """The published struct."""
    times = ", ".join(f"{name} {show(numbers[f'guest time[{name}]'])}" for name in RUNSTATES)
    return f"entry_time {show(numbers['guest entry_time'])}, {times}"


def show(value: int) -> str:
    """A word, as a negative number where it is one that wrapped."""
    return str(value - 2**64 if value >> 63 else value)


BEHIND = """\
steal-booked with a clock that may step back, from 36a85200 on: while the clock is behind the entry time an update books
nothing and leaves the entry time, but it takes the new state and the new run_delay.  So after a sched_out that found
the clock behind, the update that follows has S = running and all of the wait in last_steal: the wait is booked as
running once the clock has caught up.  36a85200 gives up exactness for times that never go back, which it says; before
it, the times wrapped (B23).
"""


AHEAD = """\
monotonic with RUNSTATE_ADJUST before 36a85200: the ioctl moves the entry time forward, up to the clock, and leaves
last_steal.  The vCPU thread's run_delay also grows while it waits for a CPU in user space, and a state of running is
what KVM_RUN leaves.  The next update has less time since the entry time than steal, so delta - steal is negative and is
added to time[running] as an unsigned number: what B23 has by the clock, here by a VMM that does as the interface says.
RUNSTATE_DATA takes last_steal anew and has no such gap.  Since 36a85200 the steal is clamped to delta.
"""


def data_expected(setting: Setting) -> Expectation:
    """The expectation of a setting of a data property."""
    name, wraps, version = setting.property, not writer(setting.version).clamped, writer(setting.version)
    back, free = setting.text("clock") == "may-step-back", setting.text("steal") == "free"
    anywhere = WHERE[setting.text("preemption")] == "anywhere"
    if wraps and name != "time-sum" and (back or free):
        return Expectation("violated", "B23", "protocol.md B23, 12.1 item 4: by the clock, or run_delay, alone")
    if wraps and name == "monotonic" and called(setting) == "ADJUST":
        return Expectation("violated", "B23", "found by this checker, see AHEAD in data.py")
    if anywhere and called(setting) and not version.only_in_run:
        return Expectation("violated", "D2", "protocol.md D2: sched_out between the stores of the ioctl, up to 6.10")
    if anywhere and setting.text("fix") == "none":
        if name == "steal-booked":
            return Expectation("violated", "D12", "protocol.md 12.1 item 5: preempted after the clock was read")
        return Expectation("violated", "D2", "protocol.md D2, 12.2: preempted between the clock and the entry time")
    if name == "steal-booked" and back:
        return Expectation("violated", "", "found by this checker, see BEHIND in data.py")
    return Expectation("holds", "", "protocol.md D2, B23: whole updates one after the other; sums wrap alike")
