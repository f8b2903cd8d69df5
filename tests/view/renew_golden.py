"""The golden files of the views: what each form shows of three saved traces, byte for byte.

`python tests/view/renew_golden.py` writes them anew; look at the difference before you commit it.  The traces are
copies, so that a spec may change without them; `--traces` takes them from `traces/` again.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelcheck.trace.trace import Trace

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).resolve().parent / "golden"
TRACES = {"b4": ("B4", "torn-read"), "d2": ("D2", "monotonic"), "b9": ("B9", "lock-order")}
FORMS = {  # ending of the file -> form, full; the form json is the trace file itself
    "table": ("table", False), "paste": ("paste", False), "full.paste": ("paste", True), "text": ("text", False),
    "mermaid": ("mermaid", False), "dot": ("dot", False), "full.dot": ("dot", True), "graphml": ("graphml", False),
    "graph.json": ("graph", False), "json": ("json", False), "svg": ("svg", False), "html": ("html", False),
}


def shown(trace: Trace, ending: str) -> str:
    """What a golden file holds; a page without style sheet and script, whose hashes in its policy stand for them."""
    from modelcheck.view import render

    text = render(trace, *FORMS[ending])
    return re.sub(r"(<style>|<script>).*?(?=</style>|</script>)", r"\1", text, flags=re.S) if ending == "html" else text


def main(again: bool) -> None:
    """Writes every golden file; the traces only when asked."""
    from modelcheck.trace.file import read_trace, write_trace

    for name, wanted in TRACES.items() if again else ():
        saved = map(read_trace, sorted((ROOT / "traces").glob("*.json")))
        write_trace(next(trace for trace in saved if (trace.case, trace.property) == wanted), GOLDEN / f"{name}.json")
    for name in TRACES:
        trace = read_trace(GOLDEN / f"{name}.json")
        for ending in FORMS:
            (GOLDEN / f"{name}.{ending}").write_text(shown(trace, ending), encoding="utf-8")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main("--traces" in sys.argv[1:])
