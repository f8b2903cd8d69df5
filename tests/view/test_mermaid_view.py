"""The sequence diagram: its lines are of Mermaid's grammar whatever the text, and its arrows are those of the graph."""

from __future__ import annotations

import doctest
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from sample_traces import HOSTILE, hostile, lock_order, long_trace, nested_deadlock, torn_read, traces

from modelcheck.trace.trace import Fate, ProcessInfo
from modelcheck.view import mermaid, render
from modelcheck.view.escape import printable

if TYPE_CHECKING:
    from modelcheck.trace.trace import Trace

# What Mermaid's lexer takes as one piece of text (sequenceDiagram.jison), less what other parts of it give a meaning.
TEXT = r"(?:<br/>|#\d+;|[^#;:%{}<>&\"$`@\\\n])+"
LINES = [re.compile(pattern) for pattern in (
    rf"  title {TEXT}", rf"  participant p\d+ as {TEXT}", rf" {{2,4}}Note over p\d+(,p\d+)?: {TEXT}",
    rf"  p\d+(->>|-->>|->)p\d+: {TEXT}", r"  rect rgb\(\d+, \d+, \d+\)", r"  end",
)]

NESTED = """\
sequenceDiagram
  title runstate d8ba8ba4, deadlock
  participant p0 as CPU0<br/>vCPU 0 task
  participant p1 as CPU0<br/>its own sched_out
  participant p2 as CPU1<br/>vCPU 1 task
  Note over p0,p2: Initially#58; gpc1 valid, all locks free
  Note over p0: #35;1 update()<br/>gpc1.valid?<br/>-#62; True
  p0->p1: CPU0 goes on in its own sched_out
  Note over p1: #35;3 schedule()<br/>lock(rq0)
  Note over p2: #35;4 refresh()<br/>write_lock(gpc1)
  Note over p2: #35;5 refresh()<br/>gpc1.valid = 0
  Note over p2: #35;6 try_to_wake_up()<br/>lock(rq0)<br/>blocked#58; waits for rq0 held by sched_out<br/>(exclusive)
  rect rgb(255, 244, 206)
    Note over p1: #35;7 update_guest()<br/>read_lock(gpc1)<br/>\
blocked#58; waits for gpc1 held by refresh<br/>(write)
  end
  Note over p0,p2: =#62; sched_out and refresh wait for each other<br/>for ever<br/>\
sched_out may not give up#58; it spins with rq0<br/>held.<br/>id 3da8bd7615
"""


def check(text: str) -> None:
    """The first line names the diagram, every other is one statement; rects are closed."""
    first, *lines = text.removesuffix("\n").split("\n")
    assert first == "sequenceDiagram"
    for line in lines:
        assert any(pattern.fullmatch(line) for pattern in LINES), line
        assert line.isprintable()
    blocks = [line.split()[0] for line in lines if line.split()[0] in ("rect", "end")]
    assert blocks == ["rect", "end"] * (len(blocks) // 2)


def arrows(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if re.match(r"  p\d+-", line)]


def test_the_diagram_is_exactly_this() -> None:
    assert render(nested_deadlock(), "mermaid") == NESTED


def test_arrows_are_what_was_read_of_another_process() -> None:
    assert arrows(render(torn_read(), "mermaid")) == [
        "p0->>p1: bytes 0-3 from #35;7", "p0->>p1: bytes 4-6 from #35;13", "p0->>p1: byte 7 from #35;17"]


def test_a_hand_over_is_a_dotted_arrow_between_processes_only() -> None:
    base = lock_order()
    steps = tuple(replace(step, process=1) if index > 2 else step for index, step in enumerate(base.steps))
    assert arrows(render(replace(base, steps=steps), "mermaid")) == ["p0-->>p1: gpc1 handed over by #35;3"]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("full", [False, True])
def test_hostile_text_stays_text(text: str, full: bool) -> None:
    check(render(hostile(text), "mermaid", full))
    decoded = re.sub(r"#(\d+);", lambda code: chr(int(code[1])), mermaid.safe(text))
    assert decoded == (printable(text) or "-")


@pytest.mark.parametrize("text", [
    "end", "style x:#y;", "classDef a:#b;c", "wrap: x", ":wrap:x", "%%{init: {}}%%", "%% no", "a;b", "a#b", "x -->> y",
    "$$x$$", "<br>", "\ufb02\u00b0\u00b060\u00b6\u00df", "participant", "accDescr {", "#35;", "as", "@{ }",
])
def test_what_mermaid_gives_a_meaning_stays_text(text: str) -> None:
    check(render(hostile(text), "mermaid"))
    assert not set(re.sub(r"#\d+;", "", mermaid.safe(text))) & set("#;:%{}<>&\"$`@\\\ufb02\u00b6")


@given(traces())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_trace_is_of_the_grammar(trace: Trace) -> None:
    for full in (False, True):
        check(render(trace, "mermaid", full))


def test_why_it_failed_and_one_process_alone() -> None:
    told = replace(long_trace(), conjunct="one update", fate=Fate(-1, 5), processes=long_trace().processes[:1],
                   steps=tuple(replace(step, process=0) for step in long_trace().steps))
    text = render(told, "mermaid")
    check(text)
    assert "False#58; one update." in text
    assert "p1" not in text
    assert "CPU9<br/>x" in render(replace(told, processes=(ProcessInfo("x", "", 9),)), "mermaid")


def test_examples_in_the_docstring_hold() -> None:
    assert doctest.testmod(mermaid).failed == 0
