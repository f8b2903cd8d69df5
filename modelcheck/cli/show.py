"""`modelcheck show`: a saved counterexample in one of its forms, to stdout or to a file written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

import click

from modelcheck.cli.output import emit
from modelcheck.errors import UsageError
from modelcheck.view import ABOUT, FORMS, render

WIDEST = max(map(len, FORMS))
FORMS_HELP = "\b\nForms:\n" + "\n".join(f"  {form:<{WIDEST}}  {ABOUT[form]}" for form in FORMS)


@click.command(name="show", short_help="Show a saved counterexample, or an execution of a litmus test.",
               epilog=FORMS_HELP)
@click.argument("trace", metavar="TRACE|ID|FILE.litmus")
@click.option("--as", "form", default="table", show_default=True, metavar="FORM",
              help="One of the forms below; of a litmus test table, svg, dot or json.")
@click.option("-o", "--output", metavar="FILE", help="Write to FILE instead of stdout.")
@click.option("--full", is_flag=True, help="Keep the steps a reader can do without.")
@click.option("--compare", metavar="TRACE", help="Two traces side by side, aligned where they agree: as table or html.")
@click.option("--traces", metavar="DIR", help="Where to look for an ID first; default ./modelcheck-traces.")
@click.option("--memory", metavar="sc|tso|weak", help="The memory model of a litmus test; default tso.")
@click.option("--state", metavar="N", help="Which final state of a litmus test, in the order of `modelcheck litmus`, "
                                           "from 1; default the first that satisfies its condition.")
def command(
    trace: str, form: str, output: str | None, full: bool, compare: str | None, traces: str | None,
    memory: str | None, state: str | None,
) -> int:
    """Show the counterexample saved in the file TRACE, or how a litmus test comes to one of its final states.

    In place of a file at least 4 digits of a counterexample's ID do.
    """
    if compare is not None:
        text = _comparison(trace, compare, form)
    elif trace.endswith(".litmus"):
        text = _execution(trace, form, memory or "tso", state)
    else:
        if memory is not None or state is not None:
            raise UsageError(f"--memory and --state are for litmus tests, and {trace} is none; leave them out")
        if form not in FORMS:
            raise UsageError(f"the form {form!r} does not exist; there are {', '.join(FORMS)}")
        from modelcheck.cli.find_trace import find_trace
        from modelcheck.trace.file import read_trace

        text = render(read_trace(find_trace(trace, traces)), form, full)
    if output is None or output == "-":
        emit(text)
    else:
        write_whole(output, text)
    return 0


def _comparison(left: str, right: str, form: str) -> str:
    from modelcheck.trace.file import read_trace

    if form == "table":
        from modelcheck.view.compare import render
    elif form == "html":
        from modelcheck.view.html.two import render
    else:
        raise UsageError(f"--compare shows two traces as table or html, not as {form!r}")
    for path in (left, right):
        if path.endswith(".litmus"):
            raise UsageError(f"--compare is for two traces, and {path} is a litmus test")
    return render(read_trace(left), read_trace(right))


def _execution(path: str, form: str, memory: str, state: str | None) -> str:
    from modelcheck.cli.request import MEMORY_MODELS, one_of, positive
    from modelcheck.explore.bounds import Bounds
    from modelcheck.explore.engine import best_engine
    from modelcheck.litmus.execution import execution
    from modelcheck.litmus.parse import parse_file
    from modelcheck.results import Limits
    from modelcheck.view import execution as view

    one_of("memory model", memory, MEMORY_MODELS)
    row = 0 if state is None else positive("--state", state)
    view.check_form(form)
    bounds = Bounds(memory=Limits().memory)
    return view.render(execution(parse_file(Path(path)), memory, row, bounds, best_engine()), form)


def write_whole(path: str, text: str) -> None:
    """Writes the file so that a failure leaves what was there; raises UsageError."""
    try:
        target = Path(os.path.realpath(path))  # a link stays a link
        if target.is_dir():
            raise UsageError(f"cannot write {path}: it is a directory; name a file")
        data = text.encode("utf-8")
        if target.exists() and not target.is_file():  # a device or a pipe cannot be replaced
            target.write_bytes(data)
        else:
            _replace(target, data)
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise UsageError(f"cannot write {path}: {reason}; name a file that can be written with -o") from None


def _replace(target: Path, data: bytes) -> None:
    temporary = target.with_name(f".{target.name[:200]}.{secrets.token_hex(6)}.tmp")
    try:
        # Not tempfile: its files are private to the user, and a picture is to be handed on.
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
