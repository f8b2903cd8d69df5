"""The memory models by name."""

from modelcheck.errors import SpecError
from modelcheck.memory.ordering import MemoryModel
from modelcheck.memory.sc import SC
from modelcheck.memory.tso import TSO
from modelcheck.memory.weak import WEAK

MODELS = {model.name: model for model in (SC, TSO, WEAK)}
COMPILERS = ("free", "program")


def memory_model(name: str, compiler: str) -> MemoryModel:
    """The model of that name; raises SpecError for a name or a compiler that is not there."""
    if name not in MODELS or compiler not in COMPILERS:
        known = ", ".join(f"{model}/{knob}" for model in MODELS for knob in COMPILERS)
        raise SpecError(f"no memory model {name!r} with compiler {compiler!r}; there are {known}")
    return MODELS[name]
