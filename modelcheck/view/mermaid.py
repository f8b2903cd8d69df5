"""A Mermaid sequence diagram: a participant a process, notes for what it does, arrows for what it reads of others.

Its one invariant: text from the trace cannot become syntax.  Of a note, a message or an alias Mermaid's lexer takes all
up to `#`, `;` or the line's end (sequenceDiagram.jison, TXT and restOfLine); a comment, a directive and `wrap:` need
`%`, `{` or `:`, markup `<` or `&`, and a formula `$`.  All of these are written as entity codes (`#35;`), which Mermaid
documents for that purpose ("Entity codes to escape characters").  The colon matters twice: where one follows the word
`style` or `classDef`, Mermaid drops the last `;` of the line before it reads entity codes.  Participants are named
p0, p1, ... by us.  Mermaid 10.9.3, 11.17.2 and 12.3.0 parse the hostile traces of the tests and all that are saved,
each line as the one statement it is.

A solid arrow goes from a store to a read of it (rf), a dotted one from a release to the next acquire (lock), a line
without a head from a task to what is nested on it and back (po).  Arrows are at the time of their end.  Mermaid
refuses more than 50,000 characters (`maxTextSize`), about 500 steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelcheck.trace.file import trace_id
from modelcheck.trace.graph import trace_graph
from modelcheck.trace.offsets import offsets_of
from modelcheck.view.distil import rows
from modelcheck.view.escape import printable, wrap
from modelcheck.view.fates import sentences
from modelcheck.view.provenance import byte_ranges

if TYPE_CHECKING:
    import networkx

    from modelcheck.trace.trace import Trace
    from modelcheck.view.distil import Row

MEANT = "#;:%{}<>&\"$`@\\\ufb02\u00b6"  # the last two begin and end an entity code while Mermaid works on it
WIDTH = 44  # of a line in a note
BETWEEN = 32  # of a line in a note over two lanes, which does not grow with its text as one over one lane does


def render(trace: Trace, full: bool = False) -> str:
    """The diagram as text, in the order of the trace."""
    graph = trace_graph(trace)
    names = [process.title or process.name for process in trace.processes]
    everyone = f"p0,p{len(names) - 1}" if len(names) > 1 else "p0"
    wide = BETWEEN if len(names) == 2 else WIDTH
    lines = ["sequenceDiagram", f"  title {safe(f'{trace.spec} {trace.version}, {trace.property}')}"]
    for index, process in enumerate(trace.processes):
        lines.append(f"  participant p{index} as {_broken([f'CPU{process.cpu}', names[index]])}")
    lines += [f"  Note over {everyone}: {_broken([f'Initially: {text}'], wide)}" for text in trace.initial]
    shown = rows(trace, full)
    owner = {step: row for row in shown for step in row.steps}
    running: dict[int, int] = {}  # cpu -> the process its last row was of
    for row in shown:
        cpu = trace.processes[row.process].cpu
        before = running.get(cpu, row.process)
        running[cpu] = row.process
        if before != row.process:
            lines.append(f"  p{before}->p{row.process}: {safe(f'CPU{cpu} goes on in {names[row.process]}')}")
        lines += _arrivals(graph, row, owner)
        note = f"  Note over p{row.process}: {_broken(_told(row))}"
        lines += ["  rect rgb(255, 244, 206)", f"  {note}", "  end"] if row.deciding else [note]
    ending = [f"=> {trace.consequence}", *trace.why, *sentences(trace), f"id {trace_id(trace)}"]
    return "\n".join([*lines, f"  Note over {everyone}: {_broken(ending, wide)}"]) + "\n"


def safe(text: str) -> str:
    """The text on one line, with what Mermaid gives a meaning as entity codes; never empty.

    >>> safe("a->b; #1 %%{init}")
    'a-#62;b#59; #35;1 #37;#37;#123;init#125;'
    """
    return "".join(f"#{ord(c)};" if c in MEANT else c for c in printable(text)) or "-"


def _broken(texts: list[str], width: int = WIDTH) -> str:
    """The texts, wrapped, with Mermaid's line break between two lines."""
    return "<br/>".join(safe(line) for text in texts for line in wrap(printable(text), width, 2))


def _told(row: Row) -> list[str]:
    where = f"{row.function}()" if row.function else ""
    head = " ".join(part for part in (f"#{row.number}", row.where, where) if part)
    notes = [f"({note})" for note in row.notes]
    return [head, *notes, row.text, *([row.result] if row.result else []), *row.after]


def _arrivals(graph: networkx.MultiDiGraph[int], row: Row, owner: dict[int, Row]) -> list[str]:
    """What comes to this row from other processes, an arrow for each row it comes from."""
    found: dict[tuple[int, str, str], list[int]] = {}
    for step in row.steps:
        for source, _, data in sorted(graph.in_edges(step, data=True), key=lambda edge: (edge[0], edge[2]["kind"])):
            kind, giver = data["kind"], owner.get(source)
            if kind in ("rf", "lock") and giver is not None and giver.process != row.process:
                found.setdefault((giver.number, kind, data.get("lock", "")), []).extend(
                    offset - row.start for offset in offsets_of(data.get("bytes", "")))
    lines = []
    for (number, kind, lock), offsets in found.items():
        giver = owner[number - 1]
        arrow, what = ("-->>", f"{lock} handed over by") if kind == "lock" else ("->>", f"{byte_ranges(offsets)} from")
        lines.append(f"  p{giver.process}{arrow}p{row.process}: {_broken([f'{what} #{number}'])}")
    return lines
