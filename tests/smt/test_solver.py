"""z3's part: what is possible of an observation, concrete values, caching, and obligations."""

from __future__ import annotations

import subprocess
import sys

from pairs import fact, increasing, pair, values

from modelcheck import Obligation
from modelcheck.smt.obligation import prove
from modelcheck.smt.solver import Solver


def test_a_whole_version_is_never_torn_and_a_mixture_may_be():
    solver = Solver(values())
    assert not solver.possible(pair(0, 0))
    assert not solver.possible(pair(1, 1))
    assert solver.possible(pair(0, 1))
    assert solver.possible(pair(1, 0))


def test_assumptions_decide():
    same_data = lambda z3, versions: [*increasing(z3, versions), *(("one", v["data"] == 1) for v in versions)]  # noqa: E731
    assert not Solver(values(same_data)).possible(pair(0, 1))
    contradictory = lambda z3, versions: [("never", z3.BoolVal(False))]  # noqa: E731
    assert not Solver(values(contradictory)).possible(pair(0, 1))


def test_257_versions_with_increasing_eight_bit_keys_do_not_exist():
    assert Solver(values()).possible(pair(0, 255, 256))
    assert not Solver(values()).possible(pair(0, 256, 257))


def test_facts_bind_the_values():
    data_0, data_1 = ((1, 0, ""),), ((1, 1, ""),)
    assert not Solver(values()).possible(pair(0, 1, facts=(fact(data_0, data_1, True),)))
    assert Solver(values()).possible(pair(0, 1, facts=(fact(data_0, data_1, False),)))
    key_0, key_1 = ((0, 0, ""),), ((0, 1, ""),)
    assert not Solver(values()).possible(pair(0, 1, facts=(fact(key_0, key_1, True),)))  # keys increase
    assert not Solver(values()).possible(pair(0, 1, facts=(fact(key_0, key_0, False),)))  # a value differs from itself


def test_bytes_that_are_not_carried_say_nothing_of_a_difference_and_the_rest_of_an_equality():
    missing = ((1, -1, ""), (0, 0, "")), ((1, -1, ""), (0, 1, ""))
    assert Solver(values()).possible(pair(0, 1, facts=(fact(*missing, False),)))
    assert not Solver(values()).possible(pair(0, 1, facts=(fact(*missing, True),)))  # the carried bytes are keys
    longer = ((1, 0, ""),), ((1, 0, ""), (0, 1, ""))
    assert Solver(values()).possible(pair(0, 1, facts=(fact(*longer, False),)))


def test_a_form_changes_a_bytes_value():
    low = lambda z3, versions: [*increasing(z3, versions), *(("low", z3.ULT(v["key"], 0x80)) for v in versions)]  # noqa: E731
    assert not Solver(values(low)).possible(pair(0, 0))
    assert Solver(values(low)).possible(pair(0, 0, form="flag"))


def test_each_observation_is_asked_once():
    solver = Solver(values())
    for _ in range(3):
        solver.possible(pair(0, 1))
        solver.possible(pair(0, 0))
    assert (solver.queries, solver.unknown) == (2, 0)
    assert solver.possible(pair(0, 1, 3)) and solver.queries == 3


def test_concrete_values_are_a_violation_under_the_assumptions_and_none_where_there_is_none():
    solver = Solver(values())
    assert solver.concrete(pair(1, 1)) is None
    numbers = solver.concrete(pair(0, 1))
    assert numbers is not None and len(numbers) == 2
    assert numbers[0]["key"] < numbers[1]["key"]
    assert (numbers[0]["key"], numbers[1]["data"]) not in [(v["key"], v["data"]) for v in numbers]


def test_preferences_are_kept_where_they_cost_no_answer():
    numbers = Solver(values()).concrete(pair(0, 1))
    assert [v["data"] == 7 for v in numbers].count(True) == 1  # both would make the pair one of a version


def test_concrete_values_do_not_depend_on_what_was_asked_before():
    fresh = Solver(values()).concrete(pair(0, 1))
    busy = Solver(values())
    for key in (0, 1, 2):
        for data in (0, 1, 2):
            busy.possible(pair(key, data, 3))
            busy.concrete(pair(key, data, 3))
    assert busy.concrete(pair(0, 1)) == busy.concrete(pair(0, 1)) == fresh


def test_assumptions_are_named_once():
    assert Solver(values()).assumptions() == ("keys increase",)


def test_an_obligation_is_proved_or_refuted_with_an_example():
    def first_length(z3):
        offset = z3.BitVec("offset", 12)
        room = 4096 - offset
        return z3.If(z3.And(offset != 0, z3.ULT(room, 48)), room, z3.BitVecVal(48, 12))

    def beyond(z3):
        return z3.UGT(first_length(z3), 48)

    def split(z3):
        return z3.ULT(first_length(z3), 48)

    assert prove(Obligation("the first length is at most 48", beyond)) == ""
    refuted = prove(Obligation("no offset is split", split))
    assert refuted.startswith("not proved: [offset = ")
    assert 4096 - 48 < int(refuted.split("= ")[1].rstrip("]")) < 4096


def test_z3_is_imported_with_the_first_question_only():
    program = (
        "import sys, modelcheck\nfrom modelcheck.explore import verify\nfrom modelcheck.smt.solver import Solver\n"
        "assert 'z3' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60, cwd=__file__.rsplit("/tests/", 1)[0])
