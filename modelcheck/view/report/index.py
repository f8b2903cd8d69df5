"""The first page of a report: the matrix, what needs a person's eye, the figures of every result, coverage and cost.

Its one invariant: nothing that is not HOLDS goes by without saying why.  What differs from run to run is in the
section `cost` and nowhere else.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from modelcheck.view.page import Content, Element, element, page
from modelcheck.view.report.matrix import WORST_FIRST, link, matrix, place, varying, verdict

if TYPE_CHECKING:
    from modelcheck.results import Coverage, Result
    from modelcheck.view.report.pages import Shown

STYLE = """
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .4rem 0; }
dt { color: var(--faint); } dd { margin: 0; } section.r { border-top: 1px solid var(--line); padding-top: .3rem; }
section.r h3 { margin: .3rem 0; } .v { padding: 0 .4rem; border-radius: .25rem; }
"""


def index_page(shown: Shown, sources: dict[str, str]) -> str:
    """The page; `sources` are the pages of source files by their names."""
    report = shown.report
    results = report.results
    counts = Counter(result.verdict for result in results)
    settings = sum(result.count for result in results)
    told = ", ".join(f"{counts[word]} {'hold' if word == 'holds' and counts[word] > 1 else word}"
                     for word in WORST_FIRST if counts[word])
    assumptions = {text: i for i, text in enumerate(dict.fromkeys(t for r in results for t in r.assumptions), 1)}
    return page(
        f"modelcheck: {shown.name}",
        element("h1", f"modelcheck: {shown.name}"),
        [element("p", shown.summary)] if shown.summary else [],
        element("p", f"{_many(len(results), 'verdict')} over {_many(settings, 'combination')}: {told}. Memory model: "
                     f"{results[0].memory}. A verdict leads to its counterexample or to its figures."),
        matrix(shown),
        _cases(shown),
        _list("Not decided", _undecided(shown)),
        _list("Notes", list(dict.fromkeys([*report.notes, *(r.note for r in results if r.note)]))),
        _coverage(report.coverage, sources),
        _assumptions(assumptions),
        element("h2", "Figures"),
        [_result(shown, result, i, assumptions, sources) for i, result in enumerate(results, 1)],
        _cost(shown),
        style=STYLE,
    )


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"


def _list(heading: str, texts: list[str]) -> list[Element]:
    if not texts:
        return []
    return [element("h2", heading), element("ul", [element("li", text) for text in texts])]


def _cases(shown: Shown) -> list[Element]:
    """The known bugs that show, each with its title and the sources it is known from."""
    sources: dict[str, dict[str, None]] = {}
    for result in shown.report.results:
        if result.verdict == "violated" and result.case:
            sources.setdefault(result.case, {}).update({result.expected_source: None} if result.expected_source else {})
    texts = []
    for case, known in sources.items():
        title = f": {shown.cases[case]}" if shown.cases.get(case) else ""
        texts.append(f"{case}{title}" + (f" ({', '.join(known)})" if known else ""))
    return _list("Known bugs", texts)


def _undecided(shown: Shown) -> list[str]:
    """A sentence for each result that is neither HOLDS nor VIOLATED."""
    names = varying(shown.report.results)
    texts = []
    for result in shown.report.results:
        at = " ".join(filter(None, (result.property, result.version, place(result, names))))
        if result.verdict == "incomplete":
            why = result.bound or "a bound"
            texts.append(f"INCOMPLETE {at}: {why}" + ("" if result.fault else f", after {result.states:,} states"))
        elif result.verdict == "vacuous":
            missed = [name for name, reached in result.witnesses if not reached]
            texts.append(f"VACUOUS {at}: never reached: {', '.join(missed) or 'anything the property is about'}")
    return texts


def _assumptions(numbers: dict[str, int]) -> list[Element]:
    if not numbers:
        return []
    return [element("h2", "Assumptions"), element("table", [
        element("tr", element("th", f"A{i}", id=f"a{i}"), element("td", text)) for text, i in numbers.items()])]


# -- one result -----------------------------------------------------------------------------------------------------


def _result(
    shown: Shown, result: Result, number: int, assumptions: dict[str, int], sources: dict[str, str]
) -> Element:
    trace = shown.traces.get(result.id) if result.verdict == "violated" else None
    rows: list[tuple[str, Content]] = [
        ("parameters", " ".join(f"{name}={value}" for name, value in result.parameters) or "none"),
        ("search", f"{result.states:,} states, {result.transitions:,} transitions, depth {result.depth}, "
                   f"{result.observations:,} observations, {_many(result.count, 'combination')}"),
    ]
    if result.verdict == "violated":
        rows.append(("what happens", result.short))
        if result.steps:
            rows.append(("counterexample", [
                element("a", f"{result.id}: {result.steps} steps, {result.switches} context switches",
                        href=link(shown, result, number)),
                [" (", element("a", "data", href=trace.data), ")"] if trace is not None else []]))
        if trace is not None:
            rows.append(("found by", element("code", trace.command)))
    if result.bound:
        rows.append(("ended by", result.bound))
    if result.expected:
        rows.append(("expected", result.expected + (f" ({result.expected_source})" if result.expected_source else "")))
    if result.witnesses:
        rows.append(("witnesses", ", ".join(f"{name}: {'reached' if reached else 'NEVER REACHED'}"
                                            for name, reached in result.witnesses)))
    if result.actors:
        rows.append(("actors", ", ".join(result.actors)))
    if result.left_out:
        rows.append(("left out", "; ".join(f"{name}: {why}" for name, why in result.left_out)))
    if result.assumptions:
        numbers = [assumptions[text] for text in result.assumptions]
        rows.append(("assumptions", [[element("a", f"A{i}", href=f"#a{i}"), " "] for i in numbers]))
    if result.uncovered and result.verdict in ("holds", "vacuous"):
        rows.append(("lines of its processes not run", _lines(result.uncovered, sources)))
    told = " ".join(filter(None, (result.property, result.version, f"({result.label})" if result.label else "")))
    return element(
        "section",
        element("h3", f"{told}: ", element("span", verdict(result), class_=f"v {result.verdict}")),
        element("dl", [(element("dt", name), element("dd", content)) for name, content in rows]),
        id=f"r{number}", class_="r",
    )


def _lines(uncovered: tuple[str, ...], sources: dict[str, str]) -> list[Content]:
    """Lines by their file, each a link into its page."""
    files: dict[str, list[str]] = {}
    for text in uncovered:
        file, _, line = text.rpartition(":")
        files.setdefault(file, []).append(line)
    return [element("div", f"{file}: ", [
        [element("a", line, href=f"{sources[file]}#L{line}") if file in sources else line, " "] for line in lines
    ]) for file, lines in files.items()]


# -- coverage and cost ----------------------------------------------------------------------------------------------


def _coverage(coverage: Coverage, sources: dict[str, str]) -> list[Element]:
    if not coverage.lines:
        return []
    rows = [element("tr", element("th", "file"), element("th", "lines run"), element("th", "of"))]
    for file, name in sources.items():
        marks = [mark for mark in coverage.marks if mark.file == file]
        run = sum(mark.reached for mark in marks)
        rows.append(element("tr", element("td", element("a", file, href=name), class_="m"),
                            element("td", str(run), class_="n"), element("td", str(len(marks)), class_="n")))
    reasons: dict[str, list[Content]] = {}
    for each in coverage.unreached:
        label = " ".join(part for part in (each.function, each.step) if part)
        text = f"{each.file}:{each.line}" + (f" ({label})" if label else "")
        where = element("a", text, href=f"{sources[each.file]}#L{each.line}") if each.file in sources else text
        reasons.setdefault(each.reason, []).extend([where, " "])
    missed = [element("li", reason, ": ", places) for reason, places in reasons.items()]
    return [
        element("h2", "Coverage"),
        element("p", f"{coverage.reached} of {coverage.lines} lines with a step of a process were run by some search."),
        element("table", rows),
        *([element("p", "Not run, and why:"), element("ul", missed)] if missed else []),
    ]


def _cost(shown: Shown) -> Element:
    """Everything that differs from run to run."""
    report = shown.report
    z3 = report.solver
    rows = [element("tr", [element("th", text) for text in ("result", "seconds", "MiB", "questions to z3", "engine")])]
    for i, result in enumerate(report.results, 1):
        rows.append(element(
            "tr", element("td", element("a", f"{result.property} {result.version}", href=f"#r{i}")),
            element("td", f"{result.seconds:.3f}", class_="n"),
            element("td", f"{result.peak_memory_bytes / 2**20:,.0f}", class_="n"),
            element("td", f"{result.solver_queries:,}", class_="n"), element("td", result.engine)))
    return element(
        "section",
        element("h2", "Cost"),
        element("p", f"{report.seconds:.1f} s in all; {_many(report.searched, 'system')} searched, {report.spared:,} "
                     f"equal to one of them; {_many(z3.queries, 'question')} to z3 in {z3.seconds:.1f} s. Everything "
                     "that differs from run to run stands in this section."),
        element("div", element("table", rows), class_="wide"),
        id="cost",
    )
