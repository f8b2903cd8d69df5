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
    "svg": "modelcheck.view.svg",
    "html": "modelcheck.view.html",
    "dot": "modelcheck.view.dot",
    "json": "modelcheck.view.plain_json",
}


def render(trace: Trace, form: str, full: bool = False) -> str:
    """The trace in one form, ending in a newline; `full` keeps the steps a reader can do without.

    UsageError when there is no such form.
    """
    if form not in FORMS:
        raise UsageError(f"no form {form!r} to show a trace in; the forms are {', '.join(FORMS)}")
    shown: str = import_module(FORMS[form]).render(trace, full)
    return shown
