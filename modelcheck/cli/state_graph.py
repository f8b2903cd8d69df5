"""`check --graph FILE`: the reachable graph of the one combination that is checked, drawn as the file's ending says.

Its one invariant: the file is written whole or not at all, and never with a part of the states.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from modelcheck.cli.request import available_cores
from modelcheck.combinations import values_of
from modelcheck.errors import UsageError
from modelcheck.spec import Setting, Value

if TYPE_CHECKING:
    from modelcheck.explore.state_graph import Explored
    from modelcheck.results import Request

MOST_STATES = 1_000_000  # more are not even looked through for a picture


def graph_file(text: str) -> Path:
    """The file for the graph, with an ending that says what to write, where a file can be written."""
    from modelcheck.view.state_graph import ENDINGS

    path = Path(text)
    if path.suffix.lower() not in ENDINGS:
        raise UsageError(f"--graph {text!r} does not say what to write; end the file's name in {', '.join(ENDINGS)}")
    try:
        if path.is_dir():
            raise UsageError(f"cannot write the graph {path}: it is a directory; name a file")
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot write the graph {path}: {reason.lower()}; name another file") from None
    return path


def one_setting(request: Request) -> Setting:
    """The combination that a request asks for; raises UsageError where it is several, naming what is open, or none."""
    spec = request.spec
    chosen: list[tuple[str, Value]] = []
    several: list[str] = []
    if len(request.versions) > 1:
        several.append(f"--version {request.versions[-1]}")
    properties = request.properties or tuple(info.name for info in spec.properties)
    if len(properties) > 1:
        several.append(f"--property {properties[0]}")
    for parameter in spec.parameters:
        values = values_of(request, parameter, properties[0]) or spec.defaults(parameter.name, tuple(chosen))
        chosen.append((parameter.name, values[0]))
        if len(values) > 1:
            several.append(f"--set {parameter.name}={values[0]}")
    if several:
        raise UsageError(f"--graph draws one combination, and several are asked for; choose one, as in "
                         f"{' '.join(several)}")
    setting = Setting(request.versions[0], properties[0], tuple(sorted(chosen)), request.memory)
    why = spec.refuse(setting)
    if why:
        raise UsageError(why)
    if spec.model(setting, None).properties[setting.property].kind == "data":
        raise UsageError(f"--graph draws states, and {setting.property} has none: it is about words of any value, "
                         "which z3 decides; choose another property")
    return setting


def write_graph(request: Request, setting: Setting, path: Path, spent: float) -> None:
    """Searches once more, to the end, and writes the graph; UsageError where it is too large or a bound ended it.

    `spent` are the seconds that the check took of those it may take.
    """
    from modelcheck.cli.show import write_whole
    from modelcheck.explore.verify import REDUCTIONS
    from modelcheck.view.state_graph import render
    from modelcheck.view.state_graph.collapse import MOST, TooLarge, draw

    searches = list(_searches(request, setting, spent))
    bound = searches[-1][1].found.bound
    if bound:
        raise UsageError(f"no graph was written to {path}: the search for its states was ended by {bound}; ask for a "
                         "smaller setting or another property")
    on = [name for name in REDUCTIONS if name not in request.without]
    about = (f"This is the reduced search ({', '.join(on)}): of what is the same for this property one case is kept. "
             "--no-reduction all draws the full one." if on else "This is the full search: nothing is reduced.")
    graph = draw(searches, _title(request, setting), (_settings(request, setting), about))
    if isinstance(graph, TooLarge):
        raise UsageError(f"no graph was written to {path}: it has {graph.figures}, and however it is collapsed more "
                         f"than {MOST} nodes, which nobody can read; ask for a smaller setting or another property")
    write_whole(os.fspath(path), render(graph, path.suffix.lower()), "--graph")


def _title(request: Request, setting: Setting) -> str:
    version = f" {setting.version}" if len(request.spec.versions) > 1 else ""
    return f"{request.spec.name}{version}: {setting.property}"


def _settings(request: Request, setting: Setting) -> str:
    values = "".join(f", {name}={value}" for name, value in request.spec.told(setting))
    return f"Checked with memory={setting.memory}{values}."


def _searches(request: Request, setting: Setting, spent: float) -> Iterator[tuple[str, Explored]]:
    """The searches that decide the combination, each with what it is of; the last may be one that a bound ended."""
    from modelcheck.explore.bounds import Bounds, Stop, stop_on_signals
    from modelcheck.explore.engine import Engine, best_engine
    from modelcheck.explore.state_graph import explored
    from modelcheck.explore.verify import REDUCTIONS

    spec, limits = request.spec, request.limits
    engine = Engine() if request.engine == "python" else replace(best_engine(), threads=available_cores())
    off = frozenset(request.without)
    full = partial(spec.model, setting, None)
    projections = (None,) if off.issuperset(REDUCTIONS) else spec.projections(setting)
    with stop_on_signals(Stop()) as stop:
        deadline = time.monotonic() + limits.seconds - spent if limits.seconds else 0.0
        most = min(limits.states or MOST_STATES, MOST_STATES)
        bounds = Bounds(most, limits.memory, deadline, time.monotonic, stop)
        for number, projection in enumerate(projections):
            model = spec.model(setting, projection)
            of = f"projection {number + 1} of {len(projections)}: " if len(projections) > 1 else ""
            for one in explored(model, setting.property, lambda name: name not in off, bounds, engine, None, full):
                yield of + ", ".join(table.name for table in one.tables.processes), one
                if one.found.bound:
                    return
