"""`modelcheck replay`: run a saved counterexample step by step through its spec, and say whether it still is one.

A trace that names its spec by path runs only a file given on the command line: a trace from a stranger starts no code.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from modelcheck.cli.output import emit
from modelcheck.errors import UsageError

if TYPE_CHECKING:
    from modelcheck.spec import Spec
    from modelcheck.trace.trace import Trace


@click.command(name="replay", short_help="Replay a saved counterexample against its spec.")
@click.argument("trace", metavar="TRACE|ID")
@click.argument("spec", required=False, metavar="[SPEC.py]")
@click.option("--traces", metavar="DIR", help="Where to look for an ID first; default ./modelcheck-traces.")
def command(trace: str, spec: str | None, traces: str | None) -> int:
    """Replay the counterexample saved in the file TRACE, or that of an ID, against its spec.

    At least 4 digits of an ID do.  SPEC.py is needed, and its content must be the same, when the trace was found in a
    file of your own.
    """
    from modelcheck.cli.find_trace import find_trace
    from modelcheck.trace.file import read_trace

    trace = find_trace(trace, traces)
    read = read_trace(trace)
    loaded = _spec_of(trace, read, spec)
    from modelcheck.explain import passes_again
    from modelcheck.trace.replay import replay, setting_of

    setting = setting_of(read, loaded)
    if read.without:
        from modelcheck.ablate import spec_without

        loaded = spec_without(loaded, setting, read.without)
    said = replay(read, loaded)
    passes_again(read, loaded.model(setting, None), read.property)
    emit(f"{said}\n")
    return 0


def _spec_of(path: str, trace: Trace, given: str | None) -> Spec:
    from modelcheck.cli import loader
    from modelcheck.trace.file import shown

    path = shown(path)
    if not trace.spec_hash:
        if given is not None and given != trace.spec:
            raise UsageError(f"{path} is of the spec {trace.spec!r}, not of {given!r}; leave {given!r} out")
        return loader.load_name(trace.spec)
    if given is None:
        raise UsageError(f"{path} was found in the file {shown(trace.spec)}, which runs only when you name it: "
                         f"modelcheck replay {path} {shown(trace.spec)}")
    content = loader.file_digest(given)  # before anything of it runs
    if content != trace.spec_hash:
        raise UsageError(f"{path} was found in another content of {os.path.basename(given)}: its sha256 began "
                         f"{trace.spec_hash[:12]}, and {given} has {content[:12]}; check it again for a new trace")
    return loader.load_file(given)
