"""The first page of a report on several specs: what each is for, its verdicts, and the way to its pages.

Its one invariant: it says nothing that the pages of a spec do not, and what differs from run to run is in the section
`cost` here too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from modelcheck.view.page import Element, element, page
from modelcheck.view.report.matrix import WORST_FIRST
from modelcheck.view.report.pages import INDEX, Shown


def overview_page(specs: Sequence[Shown]) -> str:
    """The page; the pages of each spec are in a directory of its name."""
    rows = [element("tr", [element("th", text) for text in ("spec", "what it is for", "versions", *WORST_FIRST)])]
    rows += [_row(shown) for shown in specs]
    seconds = [element("tr", element("th", "spec"), element("th", "seconds"))]
    seconds += [element("tr", element("td", shown.name), element("td", f"{shown.report.seconds:.1f}", class_="n"))
                for shown in specs]
    return page(
        "modelcheck",
        element("h1", "modelcheck"),
        element("p", f"{len(specs)} specs were checked. The name of one leads to its matrix, its counterexamples and "
                     "its figures."),
        element("div", element("table", rows), class_="wide"),
        element("section", element("h2", "Cost"), element("table", seconds), id="cost"),
    )


def _row(shown: Shown) -> Element:
    results = shown.report.results
    counts = Counter(result.verdict for result in results)
    cases = dict.fromkeys(result.case for result in results if result.verdict == "violated" and result.case)
    known = f" ({', '.join(cases)})" if cases else ""
    return element(
        "tr",
        element("th", element("a", shown.name, href=f"{shown.name}/{INDEX}")),
        element("td", shown.summary),
        element("td", ", ".join(dict.fromkeys(result.version for result in results)), class_="m"),
        [element("td", f"{counts[word]:,}" + (known if word == "violated" else "") if counts[word] else "-",
                 class_=word if counts[word] else "faint") for word in WORST_FIRST],
    )
