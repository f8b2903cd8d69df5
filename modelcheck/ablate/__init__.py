"""Taking a protocol apart: every piece left out in turn, and what breaks without it."""

from modelcheck.ablate.campaign import ablate
from modelcheck.ablate.results import Ablation, AblationRequest, Broken, Cell, Row
from modelcheck.ablate.without import spec_without

__all__ = ["Ablation", "AblationRequest", "Broken", "Cell", "Row", "ablate", "spec_without"]
