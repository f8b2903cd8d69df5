"""A trace, or two side by side, as one HTML page: no network, no server, nothing but the file.

Its one invariant: text from a trace is text content or a quoted attribute, escaped by `markup.py`, or a JSON string in
which `<` is escaped; the page's policy lets nothing run but the script it was written with.
"""

from modelcheck.view.html.page import render

__all__ = ["render"]
