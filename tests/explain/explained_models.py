"""Small models that violate something, and the explained trace of a model: one line in a test."""

from __future__ import annotations

from dataclasses import replace

import pairs

from modelcheck import (
    Area,
    Model,
    Mutex,
    SpinLock,
    assign,
    check,
    equal,
    fresh,
    has_variant,
    observe,
    shared,
    sleep_point,
    smp_wmb,
    test,
    wait,
)
from modelcheck.explain import explained
from modelcheck.explore.verify import verify
from modelcheck.spec import Setting
from modelcheck.trace.build import build_trace
from modelcheck.trace.trace import Trace


def trace_of(model: Model, name: str, options=None) -> Trace:
    """The explained counterexample to a property of a model, as a check would save it."""
    outcome = verify(model, name) if options is None else verify(model, name, options=options)
    assert outcome.verdict == "violated"
    return explained(plain_trace(model, name, outcome), model, name)


def plain_trace(model: Model, name: str, outcome=None) -> Trace:
    """The same, not explained."""
    found = verify(model, name) if outcome is None else outcome
    return build_trace(model, Setting("only", name, (), model.memory or "sc"), found, (model.name, ""), "", "")


def late_check() -> Model:
    """A flag is looked at and used two steps later; meanwhile it may be taken away, and given back."""
    m = Model("late check")
    there, ready = m.bool("there", True), m.bool("ready")

    def user():
        while True:
            if (yield test(there)):
                yield assign(ready, 1).as_("prepares")
                yield check(there, "still-there", "uses it")

    def owner():
        while True:
            yield assign(there, 0).as_("takes it away")
            yield assign(there, 1).as_("gives it back")

    m.process("user", user)
    m.process("owner", owner)
    m.assertion("still-there")
    return m


def late_check_for_good() -> Model:
    """The same, taken away for good."""
    m = Model("late check, for good")
    there, ready = m.bool("there", True), m.bool("ready")

    def user():
        if (yield test(there, "there?")):
            yield assign(ready, 1).as_("prepares")
            yield check(there & ready, "still-there", "uses it")

    def owner():
        yield assign(there, 0).as_("takes it away")

    m.process("user", user)
    m.process("owner", owner)
    m.assertion("still-there")
    m.say(there, "what it uses is there")
    return m


def crossed() -> Model:
    """Two locks, taken in two orders."""
    m = Model("crossed")
    one, two = Mutex("one"), Mutex("two")

    def takes(first: Mutex, second: Mutex):
        while True:
            yield first.lock()
            yield second.lock()
            yield second.unlock()
            yield first.unlock()

    m.process("a", takes, one, two)
    m.process("b", takes, two, one)
    m.deadlock()
    m.lock_order()
    return m


def torn_pair(compiler: str = "program", flag: bool = False) -> Model:
    """A writer of pairs, whose key may carry a flag meanwhile, and a reader that compares the keys it loads."""
    m = Model("pairs", compiler=compiler)
    area = m.area(Area("pair", 2, fields=(("key", 0, 1), ("data", 1, 2)), marked=frozenset({0})))
    version = m.stamp("shadow")

    def writer():
        while True:
            yield fresh(version).as_("a new pair")
            yield area.store(0, 1, version, "flag" if flag else "", "plain", text="key = new")
            yield smp_wmb()
            yield area.store(1, 2, version, "", "plain", text="data = new")
            yield smp_wmb()
            if flag:
                yield area.store(0, 1, version, "", "plain", text="key = new, without the flag")
                yield smp_wmb()

    def reader():
        while True:
            first = yield area.load(0, 1, "once", "k1 = key")
            pair = yield area.load(0, 2, "copy", "copy = pair")
            again = yield area.load(0, 1, "once", "k2 = key")
            if not (yield equal(first, again).as_("k1 == k2?")):
                continue
            if flag and (yield has_variant(first, "flag").as_("k1 & flag?")):
                continue
            yield observe("torn", pair=pair).as_("pair accepted")

    m.process("writer", writer)
    m.process("reader", reader)

    def said(observation, numbers, byte):
        return f"it is one of {len(numbers)}: it is not"

    values = replace(pairs.values(), conjunct=said)
    m.observation("torn", values, "an accepted pair is one that was published")
    return m


def never_quiet() -> Model:
    """A worker that begins and ends, and may be asked to begin again in between, for ever."""
    m = Model("never quiet")
    busy, asked = m.bool("busy"), m.bool("asked")

    def worker():
        while True:
            yield assign(busy, 1).as_("begins")
            while (yield test(asked, "asked again?", then=((asked, 0),))):
                pass
            yield assign(busy, 0).as_("ends")

    def other():
        while True:
            yield shared("asks", (asked, 1), when=busy & ~asked)

    m.process("worker", worker)
    m.process("other", other)
    m.eventually("quiet", busy.eq(0), fair=("worker",), when=busy)
    return m


def sleeper() -> Model:
    """A sleep under a spinning lock, where another has set a flag."""
    m = Model("sleeper")
    lock, slow = SpinLock("lock"), m.bool("slow")

    def works():
        yield lock.lock(irq="off")
        if (yield test(slow, "slow?")):
            yield sleep_point("msleep()")
        yield lock.unlock(irq="on")

    def sets():
        yield assign(slow, 1).as_("slow = true")

    m.process("works", works)
    m.process("sets", sets)
    m.sleep_in_atomic()
    return m


def two_counters() -> Model:
    """Two counters that should not both be 2."""
    m = Model("counters")
    a, b = m.range("a", 0, 2), m.range("b", 0, 2)

    def counts(slot, other):
        yield wait(other.lt(2))
        yield assign(slot, 2)

    m.process("one", counts, a, b)
    m.process("two", counts, b, a)
    m.invariant("apart", a.lt(2) | b.lt(2))
    return m
