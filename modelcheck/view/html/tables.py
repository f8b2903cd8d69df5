"""The rest of the page, below the drawing: the steps in sentences, the updates, the lock order, the words, the facts.

Its one invariant: each is plain HTML that needs no script, and a list too long to mail is cut and says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelcheck.trace.file import trace_id
from modelcheck.view.html.markup import Markup, join, tag
from modelcheck.view.html.sentences import length, sentence

if TYPE_CHECKING:
    from modelcheck.trace.trace import Trace
    from modelcheck.view.distil import Row

LISTED = 400  # steps in sentences: the last of a longer trace


def steps(trace: Trace, every: list[Row]) -> Markup:
    """The list of all steps, each with an id to link to: `s1`, `s2`, ..."""
    kept = every[-LISTED:]
    left_out = len(every) - len(kept)
    note = f"The first {left_out} steps are left out of this list; the drawing has them all." if left_out else ""
    return tag(
        "section",
        tag("h2", "Every step in one sentence", id="steps"),
        tag("p", note) if note else "",
        tag("ol", *(_step(trace, row) for row in kept), start=kept[0].number if kept else 1),
        aria_labelledby="steps", class_="steps",
    )


def _step(trace: Trace, row: Row) -> Markup:
    step = trace.steps[row.steps[0]]
    changes = ", ".join(f"{slot}: {old} \u2192 {new}" for slot, old, new in row.changes)
    return tag(
        "li",
        tag("a", sentence(trace, row), href=f"#s{row.number}"),
        tag("span", f" {changes}", class_="changes") if changes else "",
        tag("code", f"{step.file}:{step.line} {step.source}") if step.source else "",
        id=f"s{row.number}", class_="deciding" if row.deciding else "",
    )


def updates(trace: Trace) -> Markup:
    """What each update published, field by field."""
    if not trace.updates:
        return Markup()
    names = list(dict.fromkeys(name for update in trace.updates for name, _ in update.fields))
    head = tag("tr", tag("th", "Update", scope="col"), *(tag("th", name, scope="col") for name in names))
    body = []
    for update in trace.updates:
        values = dict(update.fields)
        chip = tag("span", str(update.version), class_=f"chip u{update.version % 8}")
        cells = (tag("td", f"{values[name]:#x}" if name in values else "") for name in names)
        body.append(tag("tr", tag("th", chip, " ", f"update {update.version}", scope="row"), *cells))
    return _section("updates", "What each update wrote", _table(head, body, "the updates"))


def lock_order(trace: Trace) -> Markup:
    """The arrows between lock classes, one a line."""
    if not trace.lock_order:
        return Markup()
    lines = []
    for edge in trace.lock_order:
        where = f"{edge.function}(), " if edge.function else ""
        place = f"{trace.processes[edge.process].name}, {where}{edge.file}:{edge.line}"
        lines.append(tag("li", tag("b", f"{edge.held} \u2192 {edge.acquired}"),
                         f" while it holds {edge.held} ({edge.held_mode}), "
                         f"it asks for {edge.acquired} ({edge.acquired_mode}): {place}"))
    return _section("order", "The order in which locks are taken", tag("ol", *lines))


def words(trace: Trace) -> Markup:
    """The values that were chosen so that it fails."""
    if not trace.words:
        return Markup()
    head = tag("tr", *(tag("th", text, scope="col") for text in ("When", "Slot", "Value")))
    body = [tag("tr", tag("td", "at the start" if step < 0 else tag("a", f"step {step + 1}", href=f"#s{step + 1}")),
                tag("th", slot, scope="row"), tag("td", f"{value} = {value:#x}")) for step, slot, value in trace.words]
    return _section("words", "The values with which it fails", _table(head, body, "the values"))


def facts(trace: Trace) -> Markup:
    """What was checked, what it assumes, how to find it again."""
    told = [
        ("Spec", f"{trace.spec}, version {trace.version}"),
        ("Property", trace.property),
        ("Memory model", trace.memory),
        ("Parameters", ", ".join(f"{name} = {text}" for name, text in trace.parameters)),
        ("Left out on purpose", trace.without),
        ("Known as", trace.case),
        ("Length", f"{length(trace)}{'; ' if trace.shortest else ''}{trace.shortest}"),
        ("Assuming", "; ".join(trace.assumptions)),
        ("Initially", "; ".join(trace.initial)),
    ]
    lines = [join((tag("dt", name), tag("dd", text))) for name, text in told if text]
    lines.append(join((tag("dt", "Id"), tag("dd", tag("code", trace_id(trace))))))
    if trace.command:
        lines.append(join((tag("dt", "Found again by"), tag("dd", tag("code", trace.command, class_="command")))))
    return _section("facts", "What was checked, and how to find it again", tag("dl", *lines))


def _section(name: str, title: str, *content: str) -> Markup:
    return tag("section", tag("h2", title, id=name), *content, aria_labelledby=name)


def _table(head: str, body: list[Markup], label: str) -> Markup:
    table = tag("table", tag("thead", head), tag("tbody", *body))
    return tag("div", table, class_="wide", tabindex="0", role="region", aria_label=label)
