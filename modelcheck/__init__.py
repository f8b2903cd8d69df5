"""A concurrency model checker: processes are plain generators that yield atomic actions.

A process reads like the code it models.  It is extracted once into a finite step machine; a search then explores every
schedule, on stamps instead of values, and z3 decides about the values.  The tour, as a worked example: two tasks, and a
lock that one of them forgets.

>>> from modelcheck import Model, SpinLock, assign, check, test
>>> def model():
...     m = Model("counter")
...     lock, inside = SpinLock("lock"), m.range("inside", 0, 2)
...     def careful():
...         while True:
...             yield lock.lock()
...             yield assign(inside, inside + 1)
...             yield check(inside.eq(1), "exclusive")
...             yield assign(inside, inside - 1)
...             yield lock.unlock()
...     def careless():
...         while True:
...             yield assign(inside, inside + 1)
...             yield assign(inside, inside - 1)
...     m.process("careful", careful)
...     m.process("careless", careless)
...     m.assertion("exclusive", "nobody else is inside")
...     return m
>>> from modelcheck.explore.verify import verify
>>> outcome = verify(model(), "exclusive")
>>> outcome.verdict, len(outcome.steps)
('violated', 4)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelcheck.action import (
        Access, Action, Branch, any_word, assign, barrier, check, choose, decide, equal, fence, fresh, has_variant, mb,
        observe, progress, reach, rmb, shared, sleep_point, smp_mb, smp_rmb, smp_wmb, test, value, wait, wmb,
    )
    from modelcheck.errors import ModelcheckError, SpecError, UsageError
    from modelcheck.expression import OLD, Expr, Fresh, Slot, ite, lift
    from modelcheck.memory import Area
    from modelcheck.smt.obligation import Obligation
    from modelcheck.smt.values import Observation, Values
    from modelcheck.spec import Case, Expectation, Parameter, PropertyInfo, Setting, Spec, Trial, Version
    from modelcheck.memory.area import Tear
    from modelcheck.sync import (
        Mutex, RwLock, SpinLock, Srcu, local_irq_restore, local_irq_save, preempt_disable, preempt_enable,
    )
    from modelcheck.sync.spinlock import Irq
    from modelcheck.system.model import Model, Where
    from modelcheck.system.witnesses import witness_classes, witness_pairs
    from modelcheck.trace.graph import read_graph

_HOME = {
    "action": ("Access", "Action", "Branch", "any_word", "assign", "barrier", "check", "choose", "decide", "equal",
               "fence", "fresh", "has_variant", "mb", "observe", "progress", "reach", "rmb", "shared", "sleep_point",
               "smp_mb", "smp_rmb", "smp_wmb", "test", "value", "wait", "wmb"),
    "errors": ("ModelcheckError", "SpecError", "UsageError"),
    "expression": ("OLD", "Expr", "Fresh", "Slot", "ite", "lift"),
    "memory": ("Area",),
    "memory.area": ("Tear",),
    "smt.obligation": ("Obligation",),
    "smt.values": ("Observation", "Values"),
    "spec": ("Case", "Expectation", "Parameter", "PropertyInfo", "Setting", "Spec", "Trial", "Version"),
    "sync": ("Mutex", "RwLock", "SpinLock", "Srcu", "local_irq_restore", "local_irq_save", "preempt_disable",
             "preempt_enable"),
    "sync.spinlock": ("Irq",),
    "system.model": ("Model", "Where"),
    "system.witnesses": ("witness_classes", "witness_pairs"),
    "trace.graph": ("read_graph",),
}
_MODULE = {name: module for module, names in _HOME.items() for name in names}

# More than the fifteen names style asks for: each action a spec yields is one.
__all__ = [
    "OLD", "Access", "Action", "Area", "Branch", "Case", "Expectation", "Expr", "Fresh", "Irq", "Model",
    "ModelcheckError", "Mutex", "Obligation", "Observation", "Parameter", "PropertyInfo", "RwLock", "Setting", "Slot",
    "Spec", "SpecError", "SpinLock", "Srcu", "Tear", "Trial", "UsageError", "Values", "Version", "Where", "any_word",
    "assign", "barrier", "check", "choose", "decide", "equal", "fence", "fresh", "has_variant", "ite", "lift",
    "local_irq_restore", "local_irq_save", "mb", "observe", "preempt_disable", "preempt_enable", "progress", "reach",
    "read_graph", "rmb", "shared", "sleep_point", "smp_mb", "smp_rmb", "smp_wmb", "test", "value", "wait",
    "witness_classes", "witness_pairs", "wmb",
]


def __getattr__(name: str) -> object:
    """Imports a public name when it is first used, so that `modelcheck --help` starts at once."""
    module = _MODULE.get(name)
    if module is None:
        raise AttributeError(f"module 'modelcheck' has no attribute {name!r}")
    value = getattr(import_module(f"modelcheck.{module}"), name)
    globals()[name] = value
    return value
