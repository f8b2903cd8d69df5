"""A lock that one process reads while a writer waits for it, and a third process that wants something of it."""

from __future__ import annotations

from modelcheck import Action, Model, RwLock
from modelcheck.explore.run import Run
from modelcheck.system.link import System


def behind_a_queued_writer(lock: RwLock, wanted: Action) -> tuple[Run, list[str]]:
    """The run as the writer has queued, and what the third (process 2) could do just before."""
    m = Model("queue")

    def reads():
        yield lock.read_lock()
        yield lock.read_unlock()

    def writes():
        yield lock.write_lock()
        yield lock.write_unlock()

    def third():
        yield wanted

    for body in (reads, writes, third):
        m.process(body.__name__, body)
    m.deadlock()
    run = Run(System(m, frozenset({"deadlock"})))
    run.take(run.find(0, f"read_lock({lock.name})"))
    before = choices(run, 2)
    run.take(run.find(1, f"write_lock({lock.name}) -> queues"))
    return run, before


def choices(run: Run, process: int) -> list[str]:
    """The steps that a process can take."""
    return [edge.choice for edge in run.enabled(process)]
