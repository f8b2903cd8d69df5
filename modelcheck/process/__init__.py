"""Processes: plain generators of actions, extracted once into finite step machines.

`extract` runs a generator against every response and answers a `StepMachine` of `Node`s; a `Context` is what a
process holds at a node and a `Fact` what it found out about loaded values.  `machine_of` is `extract` for one who asks
for many equal processes.

>>> from modelcheck.action import choose, reach
>>> def coin():
...     while (yield choose("flip", "heads", "tails")) == "tails":
...         pass
...     yield reach("heads")
>>> [node.targets for node in extract(coin, "coin").nodes]
[(1, 0), (2,), ()]
"""

from modelcheck.process.extraction import extract
from modelcheck.process.machines import machine_of
from modelcheck.process.step_machine import Context, Fact, Node, StepMachine

__all__ = ["Context", "Fact", "Node", "StepMachine", "extract", "machine_of"]
