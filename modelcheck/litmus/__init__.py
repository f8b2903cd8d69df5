"""Litmus tests: herd's x86 format and the kernel's C format, as processes of the engine.

A file becomes a `LitmusTest`, a value that knows nothing of the engine; `model_of` makes it into process generators and
nothing else, so that every verdict is the engine's own.  What the front end does not know it refuses: `LitmusError` for
text that is malformed, `Unsupported` for what is fine but not modelled (RCU, loops).

Sources: the herd7 manual (diy.inria.fr/doc/herd.html) for the formats and the shape of the output, and
tools/memory-model/Documentation/litmus-tests.txt of the Linux kernel for what a C test may contain.
"""

from modelcheck.litmus.errors import LitmusError, Unsupported
from modelcheck.litmus.litmus_test import LitmusTest

__all__ = ["LitmusError", "LitmusTest", "Unsupported"]
