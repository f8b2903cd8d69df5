"""Interrupts and preemption of the running CPU: actions that change the context of a process, and nothing shared.

While interrupts are off, or preemption is, nothing nests on the process and it may not sleep
(`process.step_machine.Context`).  preempt_disable() is counted, as the kernel counts it.  local_irq_restore() turns
interrupts on: one process knows what its own local_irq_save() found, and yields the restore where that was `on`.
"""

from __future__ import annotations

from modelcheck.action import Action, Branch, Hold

PREEMPTION = Hold("preemption", "preemption", "exclusive", True)  # no lock: nobody waits for it


def local_irq_save() -> Action:
    """Turns interrupts off."""
    return Action("local", "local_irq_save()", (Branch(irq="off"),))


def local_irq_restore() -> Action:
    """Turns interrupts on again."""
    return Action("local", "local_irq_restore()", (Branch(irq="on"),))


def preempt_disable() -> Action:
    """Forbids preemption until as many `preempt_enable()` have come."""
    return Action("local", "preempt_disable()", (Branch(acquires=PREEMPTION),))


def preempt_enable() -> Action:
    """Allows preemption again, once for each `preempt_disable()`."""
    return Action("local", "preempt_enable()", (Branch(releases=PREEMPTION.lock),))
