"""The page of two traces side by side: both conclusions, what was checked otherwise, and the steps aligned.

Its one invariant: like the page of one trace, one file that fetches nothing; without a script it says the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelcheck.trace.file import trace_id
from modelcheck.view.compare import differences, schedule
from modelcheck.view.distil import rows
from modelcheck.view.escape import printable
from modelcheck.view.html.conclusion import conclusion
from modelcheck.view.html.markup import tag
from modelcheck.view.html.page import document
from modelcheck.view.html.pairs import Side, side_by_side

if TYPE_CHECKING:
    from modelcheck.trace.trace import Trace

NOTHING = "Nothing: the same property of the same version, with the same parameters."
KEYS = "Keys: n goes to the next difference, p to the one before, t changes dark and light."


def render(left: Trace, right: Trace) -> str:
    """The page as text."""
    told = [tag("tr", tag("th", name, scope="row"), tag("td", a or "-"), tag("td", b or "-"))
            for name, a, b in differences(left, right)]
    head = tag("tr", *(tag("th", text, scope="col") for text in ("", "Left", "Right")))
    table = tag("table", tag("thead", head), tag("tbody", *told))
    content = [
        tag(
            "header",
            tag("h1", "Two traces side by side"),
            tag("p", f"left {_name(left)} \u00b7 right {_name(right)}", class_="facts"),
            tag("button", "Dark or light", type="button", id="theme", hidden=True),
        ),
        tag(
            "main",
            tag("div", conclusion(left, "left"), conclusion(right, "right"), class_="two"),
            tag("section", tag("h2", "What was checked otherwise", id="otherwise"),
                table if told else tag("p", NOTHING),
                aria_labelledby="otherwise"),
            tag(
                "section",
                tag("h2", "The steps", id="both"),
                tag("div", tag("button", "\u2191 Difference before", type="button", id="up"), " ",
                    tag("button", "Next difference \u2193", type="button", id="down"), " ",
                    tag("span", "", id="count", role="status"), class_="bar", id="differences", hidden=True),
                side_by_side(_side("Left", left), _side("Right", right)),
                tag("p", KEYS, class_="keys"),
                aria_labelledby="both",
            ),
        ),
    ]
    return document(f"{_name(left)} and {_name(right)}", content, ("theme.js", "two.js"))


def _name(trace: Trace) -> str:
    known = f" ({trace.case})" if trace.case else ""
    return printable(f"{trace.property}{known}, {trace.spec} {trace.version}, id {trace_id(trace)}")


def _side(title: str, trace: Trace) -> Side:
    results = tuple(row.result for row in rows(trace, full=True))
    return Side(f"{title}: {_name(trace)}", schedule(trace), trace.deciding, results)
