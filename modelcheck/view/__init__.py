"""Views of a trace: each form is one module with `render(trace, full) -> str`, imported when it is asked for.

A view prints what the trace holds and never asks the model.  Text from a trace is a stranger's: each view escapes it
for its own format.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from modelcheck.errors import UsageError

if TYPE_CHECKING:
    from modelcheck.trace.trace import Trace

FORMS = {
    "table": "modelcheck.view.table",
    "paste": "modelcheck.view.paste",
    "text": "modelcheck.view.text",
    "svg": "modelcheck.view.svg",
    "html": "modelcheck.view.html",
    "mermaid": "modelcheck.view.mermaid",
    "dot": "modelcheck.view.dot",
    "graphml": "modelcheck.view.graphml",
    "graph": "modelcheck.view.graph",
    "json": "modelcheck.view.plain_json",
}
ABOUT = {  # what each is for, in a line of its own in `show --help`
    "table": "what happened, a row a step, for a terminal",
    "paste": "CPUs side by side, at most 75 columns of ASCII, for a changelog or a mail",
    "text": "a sentence a step, for a screen reader",
    "html": "a page to step through, one file that needs no network",
    "svg": "a picture: lanes, arrows, and every byte coloured by who wrote it",
    "mermaid": "a sequence diagram, for Markdown that draws Mermaid",
    "dot": "the graph of events (po, rf, lock; with --full co and fr) for Graphviz",
    "graphml": "the same graph, whole, for tools that read graphs",
    "graph": "the same as JSON in networkx' node-link form",
    "json": "the trace itself, as saved",
}


def render(trace: Trace, form: str, full: bool = False) -> str:
    """The trace in one form, ending in a newline; `full` keeps the steps a reader can do without.

    UsageError when there is no such form.
    """
    if form not in FORMS:
        raise UsageError(f"no form {form!r} to show a trace in; the forms are {', '.join(FORMS)}")
    shown: str = import_module(FORMS[form]).render(trace, full)
    return shown
