"""Two schedules as the rows of one HTML table, aligned where they agree; for `passing` and for two traces.

Its one invariant: a difference is said in words in its row, and never by colour alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelcheck.view.compare import align, schedule, summary
from modelcheck.view.html.markup import Markup, tag

if TYPE_CHECKING:
    from modelcheck.trace.trace import Trace
    from modelcheck.view.compare import Schedule


@dataclass(frozen=True, slots=True)
class Side:
    """One schedule: its heading, its steps, the one that decides (-1 for none), what came of each ("" if not known)."""

    title: str
    steps: Schedule
    deciding: int = -1
    results: tuple[str, ...] = ()

    def result(self, index: int) -> str:
        """What came of a step."""
        return self.results[index] if self.results else ""


def side_by_side(left: Side, right: Side) -> Markup:
    """The summary and the table; the first row of each run of differences has an id: `d1`, `d2`, ..."""
    pairs = align(left.steps, right.steps)
    body = []
    runs = 0
    before = ""
    for pair in pairs:
        if min(pair.left, pair.right) < 0:
            said = "only left" if pair.left >= 0 else "only right"
        else:
            values = left.result(pair.left), right.result(pair.right)
            said = "other result" if all(values) and values[0] != values[1] else ""
        starts = bool(said) and not before
        runs += starts
        body.append(tag(
            "tr", *_cells(left, pair.left), tag("td", said, class_="mark"), *_cells(right, pair.right),
            class_="other" if said else "", id=starts and f"d{runs}", tabindex=starts and "-1",
        ))
        before = said
    heads = ("#", left.title, "", "#", right.title)
    table = tag("table", tag("thead", tag("tr", *(tag("th", text, scope="col") for text in heads))),
                tag("tbody", *body), class_="pairs")
    return tag("div", tag("p", summary(pairs)), tag("div", table, class_="wide", tabindex="0", role="region",
                                                    aria_label="both schedules, one step a row"))


def passing(trace: Trace) -> Markup:
    """The nearest schedule that passes beside the trace's own."""
    if trace.passing is None:
        return Markup()
    table = side_by_side(Side("This trace, which fails", schedule(trace), trace.deciding),
                         Side("The nearest schedule that passes", trace.passing.steps))
    return tag("section", tag("h2", "The nearest schedule that passes", id="passing"), tag("p", trace.passing.text),
               table, aria_labelledby="passing")


def _cells(side: Side, index: int) -> list[Markup]:
    if index < 0:
        return [tag("td"), tag("td")]
    process, choice = side.steps[index]
    mark = tag("b", " decides", class_="decides") if index == side.deciding else ""
    came = side.result(index)
    result = tag("span", f" {came}", class_="changes") if came and not choice.endswith(came) else ""
    return [tag("td", str(index + 1), class_="number"), tag("td", tag("b", process), f" {choice}", result, mark)]
