"""Malformed tests: one sentence with the line and column, whichever part is wrong; and what is refused by name."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from litmus_cases import OWN, kernel, verdict, x86

from modelcheck.litmus import LitmusError, Unsupported
from modelcheck.litmus.parse import parse, parse_file

SB = x86("MOV [x],$1; MOV EAX,[y] | MOV [y],$1; MOV EAX,[x]", "exists (0:EAX=0 /\\ 1:EAX=0)")
MP = kernel("WRITE_ONCE(*x, 1);\n\tsmp_store_release(y, 1);",
            "int r0 = smp_load_acquire(y);\n\tint r1 = READ_ONCE(*x);",
            condition="exists (1:r0=1 /\\ 1:r1=0)")

MALFORMED = [
    ("", "1:1", "an empty file"),
    ("X86", "1:4", "no name"),
    ("Hello, world\n{}", "1:1", "'Hello,' is no architecture"),
    ("X86 SB\n", "1:7", "no initial state"),
    (SB.replace("{}", "{ x=0"), "2:1", "initial state does not end"),
    (SB.replace("{}", "{ x=; }"), "2:5", "initial state: cannot go on with ';"),
    (SB.replace("{}", "{ x=0; x=1; }"), "2:8", "two initial values"),
    (SB.replace("{}", "{ 7:EAX=1; }"), "2:3", "there are P0 to P1"),
    (SB.replace("{}", "{ 0:R9=1; }"), "2:3", "no register R9"),
    (SB.replace("{}", "{ (* x }"), "2:3", "does not end; close it with `*)`"),
    (SB.replace("| P1", "| P2"), "3:7", "head it P1"),
    (SB.replace(" ;\nexists", "\nexists"), "5:2", "does not end; end it with `;`"),
    (SB.replace("| MOV [y],$1", ""), "4:2", "1 columns and the table has 2"),
    (SB.replace("MOV [y],$1", "MOV [y]"), "4:15", "MOV has 1 operands; it takes 2"),
    (SB.replace("MOV [y],$1", "MOV [y],[x]"), "4:15", "does not take these operands"),
    (SB.replace("MOV [y],$1", "MOV $1,EAX"), "4:15", "does not take these operands"),
    (SB.replace("MOV [y],$1", "MOV [y],R9"), "4:23", "R9 is no register"),
    (SB.replace("MOV [y],$1", "MOV [y,$1"), "4:21", "operands: cannot go on with ',$1'"),
    (SB.replace("MOV [y],$1", "LOCK MFENCE"), "4:15", "no LOCK prefix"),
    (SB.replace("MOV [y],$1", "LOCK INC EAX"), "4:15", "needs an operand in memory"),
    (SB.replace("MOV [y],$1", "MOV [y],$99999999999"), "4:24", "does not fit into 32 bits"),
    (SB.replace("0:EAX=0 ", "0:EAX "), "6:15", "condition: cannot go on with '/\\"),
    (SB.replace("1:EAX=0)", "1:EAX=0"), "6:27", "condition: ends too early"),
    (SB.replace("1:EAX=0)", "1:EBP=0 /\\ 3:EAX=0)"), "6:31", "names process 3"),
    (SB.replace("1:EAX=0)", "1:EXX=0)"), "6:20", "P1 has no register EXX"),
    (SB.replace("1:EAX=0)", "1:EAX=0) forall (x=1)"), "6:29", "second condition"),
    (SB[: SB.index("exists")], "5:29", "no condition"),
    (MP.replace("P1(", "P2("), "11:1", "P2 stands where P1 should"),
    (MP.replace("(*x, 1)", "(*x 1)"), "7:16", "this is no C here: '1);"),
    (MP.replace("(*x, 1)", "(*x)"), "7:2", "WRITE_ONCE() has 1 arguments; it takes 2"),
    (MP.replace("(*x, 1)", "(x, 1)"), "7:13", "takes an object such as *x"),
    (MP.replace("(*x, 1)", "(*x, z)"), "7:17", "z is neither a parameter nor assigned"),
    (MP.replace("WRITE_ONCE(*x, 1)", "x = 1"), "7:2", "write *x"),
    (MP.replace("int r0", "int x"), "13:6", "x is a parameter already"),
    (MP.replace("int r1", "int r0"), "14:6", "declared twice"),
    (MP.replace("READ_ONCE(*x)", "smp_mb()"), "14:11", "no result"),
    (MP.replace("P1(int *x,", "P1(int *y,"), "11:16", "parameter y is there twice"),
    (MP.replace("READ_ONCE(*x);\n}", "READ_ONCE(*x);\n"), "17:26", "the functions end too early"),
    (MP.replace("smp_store_release(y, 1);", "/* smp_store_release(y, 1);"), "8:2", "close it with `*/`"),
    (MP.replace("1:r1=0", "1:r9=0"), "17:19", "P1 has no register r9; it has r0, r1"),
    ("C a\n{ x=1 y=2; }\nP0(int *x) { }\nexists (x=1)", "2:7", "initial state: cannot go on with 'y"),
    ("C a\n{}\nexists (x=1)", "3:1", "no processes"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place", "words"), MALFORMED)
def test_malformed_text_is_told_with_its_place(text: str, place: str, words: str) -> None:
    with pytest.raises(LitmusError) as caught:
        parse(text, "t.litmus")
    assert caught.value.where == f"t.litmus:{place}"
    assert str(caught.value).startswith(f"t.litmus:{place}: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


BODY = "P0(int *x)\n{\n\t%s\n}\nexists (x=1)"
UNSUPPORTED = [
    ("C a\n{}\n" + BODY % "rcu_read_lock();", "5:2", "RCU (rcu_read_lock)"),
    ("C a\n{}\n" + BODY % "synchronize_rcu();", "5:2", "RCU (synchronize_rcu)"),
    ("C a\n{}\nP0(struct srcu_struct *s)\n{ }\nexists (x=1)", "3:23", "SRCU (srcu_struct)"),
    ("C a\n{ struct srcu_struct s; }\n" + BODY % ";", "2:3", "SRCU (srcu_struct)"),
    ("C a\n{}\n" + BODY % "while (READ_ONCE(*x)) ;", "5:2", "a loop (while)"),
    ("C a\n{}\n" + BODY % "for (;;) ;", "5:2", "a loop (for)"),
    ("C a\n{}\n" + BODY % "do { } while (0);", "5:2", "a loop (do)"),
    ("C a\n{}\n" + BODY % "goto out;", "5:2", "goto"),
    ("C a\n{}\n" + BODY % "return;", "5:2", "return"),
    ("C a\n{}\n" + BODY % "kfree(x);", "5:2", "the function kfree"),
    ("C a\n{}\n" + BODY % "spin_unlock_wait(x);", "5:2", "a lock primitive (spin_unlock_wait)"),
    ("C a\n{}\n" + BODY % "membarrier();", "5:2", "membarrier (membarrier)"),
    ("C a\n{}\n" + BODY % "x[1] = 2;", "5:2", "an array element"),
    ("C a\n{}\n" + BODY % "x->next = 2;", "5:2", "a member of a structure"),
    ("C a\n{ int x[2]; }\n" + BODY % ";", "2:7", "an array in the initial state"),
    ("C a\n{}\nint f(int *x)\n{ }\n" + BODY % ";", "3:5", "a function beside the processes (f)"),
    ("PPC a\n{}\n P0 ;\n li r1,1 ;\nexists (x=1)", "1:1", "the architecture PPC"),
    (SB.replace("MOV [y],$1", "JMP out"), "4:15", "the instruction JMP"),
    (SB.replace("MOV [y],$1", "out:"), "4:15", "a label (out:)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place", "reason"), UNSUPPORTED)
def test_what_is_not_supported_is_refused_by_name(text: str, place: str, reason: str) -> None:
    with pytest.raises(Unsupported) as caught:
        parse(text, "t.litmus")
    assert (caught.value.where, caught.value.reason) == (f"t.litmus:{place}", reason)


def test_division_by_what_may_be_zero_is_refused_with_its_line() -> None:
    with pytest.raises(Unsupported, match=r"8:2: an operation that may be undefined \(/\)"):
        verdict(kernel("int r0 = READ_ONCE(*y);\n\tWRITE_ONCE(*x, 4 / r0);", condition="exists (x=1)"))


def test_too_many_values_are_refused() -> None:
    doubling = "\n\t".join("atomic_add(1, x);\n\tatomic_add(3, x);\n\tWRITE_ONCE(*y, READ_ONCE(*x) * READ_ONCE(*x));"
                           for _ in range(8))
    with pytest.raises(Unsupported, match="possible values"):
        verdict(kernel(doubling, "int r0 = READ_ONCE(*y) * READ_ONCE(*y);", condition="exists (1:r0=1)"))


def test_a_wild_pointer_is_an_error_of_the_test() -> None:
    text = kernel("WRITE_ONCE(*x, y);", "int r0 = READ_ONCE(*x);\n\tint r1 = READ_ONCE(*r0);",
                  condition="exists (1:r1=1)")
    with pytest.raises(LitmusError, match=r"<litmus>:13:11: P1 dereferences a pointer that holds no address"):
        verdict(text)
    tested = text.replace("int r1 = READ_ONCE(*r0)", "int r1 = 2;\n\tif (r0)\n\t\tr1 = READ_ONCE(*r0)")
    assert set(verdict(tested).states) == {("0",), ("2",)}


def test_a_missing_file_is_an_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(LitmusError, match=r"none\.litmus: cannot be read"):
        parse_file(tmp_path / "none.litmus")


def test_mangled_files_never_fail_in_another_way() -> None:
    """Every one of 3,000 mutations of the own suite is parsed, or refused with a place."""
    chance = random.Random(4)
    files = [path.read_text() for path in sorted(OWN.glob("*.litmus"))]
    places = []
    for _ in range(3000):
        text = chance.choice(files)
        at = chance.randrange(len(text))
        upto = min(len(text), at + chance.randrange(12))
        mark = chance.choice("(){}[];|*&~/\\=:,\"$#@0x9 \n'<>!?-+^%.\x01\u00e9")
        text = chance.choice([text[:at] + text[upto:], text[:at] + mark + text[at:], text[:at],
                              text[:at] + text[at:upto] * 2 + text[upto:]])
        try:
            parse(text, "t")
        except (LitmusError, Unsupported) as error:
            places.append((error.where, text))
    assert len(places) > 1000
    assert [text for where, text in places if where.count(":") != 2] == []
