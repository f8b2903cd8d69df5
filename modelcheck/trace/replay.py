"""Replaying a trace: its steps on the model of its spec, and its violation decided again."""

from __future__ import annotations

from functools import partial

from modelcheck.errors import UsageError
from modelcheck.explore.bounds import Bounds
from modelcheck.explore.confirm import whole_observation
from modelcheck.explore.data import solves_again
from modelcheck.explore.engine import best_engine
from modelcheck.explore.lasso import lasso_of
from modelcheck.explore.run import Run
from modelcheck.explore.verdict import Options
from modelcheck.explore.verify import verify
from modelcheck.smt.solver import Solver
from modelcheck.spec import Setting, Spec, Value
from modelcheck.system.link import System
from modelcheck.trace.build import replay_steps
from modelcheck.trace.trace import Trace


def replay(trace: Trace, spec: Spec) -> str:
    """Says in one sentence that the trace is a counterexample; raises UsageError where it is not.

    Steps are taken one by one by the reference semantics.  An observation is solved again as a whole path; a
    deadlock, a loop or a lock order, which no single run shows, is decided anew.
    """
    setting = setting_of(trace, spec)
    model = spec.model(setting, None)
    prop = model.properties.get(setting.property)
    if prop is None:
        raise UsageError(f"the trace is about {setting.property!r}; the spec has {', '.join(model.properties)}")
    system = System(model, frozenset({setting.property}))
    steps = [step for step in trace.steps if not step.choice.startswith("attempt: ")]
    run = replay_steps(system, [(trace.processes[step.process].name, step.choice) for step in steps], trace.words)
    if prop.kind == "observation":
        observation = whole_observation(run)
        if observation is None or model.values is None:
            raise UsageError(f"the trace's last step hands nothing to {prop.name}; it is not a counterexample")
        if Solver(model.values).concrete(observation) is None:
            raise UsageError(
                f"the trace replays, and no values make it violate {prop.name}; it is not a counterexample"
            )
        how = "replayed step by step and solved again as a whole"
    elif prop.kind in ("assertion", "sleep-in-atomic", "data"):
        if not run.steps or run.steps[-1].edge.breaks != prop.name:
            raise UsageError(
                f"the trace replays, and its last step does not violate {prop.name}; it is not a counterexample"
            )
        how = "replayed step by step" + _solved(prop.kind, system, run)
    elif prop.kind == "eventually":
        lasso = lasso_of(run, prop)
        if lasso is None or lasso.steps != len(run.steps):
            raise UsageError(
                f"the trace replays, and its end does not repeat without {prop.name}; it is not a counterexample"
            )
        how = "replayed step by step, and what repeats is closed and fair"
    else:
        options, full = Options(polish=False, engine=best_engine()), partial(spec.model, setting, None)
        verdicts = {
            verify(spec.model(setting, projection), prop.name, Bounds(), options, full=full).verdict
            for projection in spec.projections(setting)
        }
        if "violated" not in verdicts:
            raise UsageError(f"the trace replays, and {prop.name} is not violated; it is not a counterexample")
        how = "replayed step by step and decided anew"
    without = f" without {trace.without}" if trace.without else ""
    return f"{setting.property} of {spec.name} {setting.version}{without} is violated: {len(trace.steps)} steps {how}."


def _solved(kind: str, system: System, run: Run) -> str:
    """Of a property of words: that z3, too, finds values for the steps of the run; "" of others."""
    if kind != "data":
        return ""
    if not solves_again(system, run):
        raise UsageError("the trace replays, and z3 finds no values for its steps; please report this")
    return " and solved again as a whole"


def setting_of(trace: Trace, spec: Spec) -> Setting:
    """The setting a trace was found at; raises UsageError where the spec no longer has it."""
    spec.version(trace.version)
    values: list[tuple[str, Value]] = []
    for name, text in trace.parameters:
        parameter = spec.parameter(name)
        if parameter.numeric and not (text.isdigit() and parameter.lo <= int(text) <= parameter.hi):
            raise UsageError(f"the trace has {name}={text}; there are {parameter.describe()}")
        if not parameter.numeric and text not in parameter.choices:
            raise UsageError(f"the trace has {name}={text}; there are {parameter.describe()}")
        values.append((name, int(text) if parameter.numeric else text))
    given = dict(values)
    values += [(p.name, p.default[0]) for p in spec.parameters if p.name not in given and p.later]
    missing = [p.name for p in spec.parameters if p.name not in dict(values)]
    if missing:
        raise UsageError(
            f"the trace says nothing of {', '.join(missing)}; it was written for another version of the spec"
        )
    return Setting(trace.version, trace.property, tuple(sorted(values)), trace.memory)
