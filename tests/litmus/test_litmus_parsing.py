"""What the two formats mean: every oddity of headers, initial states, conditions, instructions and primitives."""

from __future__ import annotations

import pytest
from litmus_cases import kernel, states, x86

from modelcheck.litmus.condition import Observable, to_text
from modelcheck.litmus.parse import parse
from modelcheck.litmus.program import Assign, Binary, Fence, If, Load, Reg, Rmw, Store, walk

ODD = """X86 n4  (nFour)  "stores are {ordered}"
"Podwr" (* a comment (* in one *) { *)
Prefetch=0:x=F
{x = 0; y=0;
 P0:EAX = 1};
        P0      |       P1      ; (* ; | *)
  mov [x], EAX  |  MOV ecx, [x] ;
                |  mfence       ;
 ~  exists (P0:EAX = 1 /\\ 1:ECX=0x1);
<<
show 3
>>
"""


def test_odd_headers_comments_and_tails() -> None:
    test = parse(ODD)
    assert (test.name, test.arch, test.quantifier) == ("n4", "X86", "~exists")
    assert to_text(test.condition) == "0:EAX=1 /\\ 1:ECX=1"
    assert [type(s) for body in test.processes for s in body] == [Store, Load, Fence]
    assert test.processes[1][0].place == (7, 20)
    assert states(ODD) == {"0:EAX=1 1:ECX=0", "0:EAX=1 1:ECX=1"}


@pytest.mark.parametrize(
    ("tail", "quantifier", "text"),
    [
        ("exists (x=1)", "exists", "[x]=1"),
        ("exists not (x=1)", "exists", "not ([x]=1)"),
        ("not exists (x=1)", "~exists", "[x]=1"),
        ("~ exists (x=1);", "~exists", "[x]=1"),
        ("forall x=1 /\\ (y=2 \\/ ~x=2)", "forall", "[x]=1 /\\ ([y]=2 \\/ not ([x]=2))"),
        ("exists x=1 /\\ y=1 \\/ x=2", "exists", "([x]=1 /\\ [y]=1) \\/ [x]=2"),
        ("exists (x!=0 \\/ 0:EAX=1:EBX)", "exists", "[x]!=0 \\/ 0:EAX=1:EBX"),
        ("exists ([x]=-1 /\\ true)", "exists", "[x]=-1 /\\ true"),
        ("exists (x=y)", "exists", "[x]=y"),
        ("exists (x=1 => y=1)", "exists", "not ([x]=1) \\/ [y]=1"),
        ("final (x=1); with tso: ~exists; default: exists;", "~exists", "[x]=1"),
        ("final (x=1); with cc: exists; default: forall;", "forall", "[x]=1"),
        ("final (x=1)", "exists", "[x]=1"),
        ("locations [x; 0:EAX;]", "forall", "true"),
    ],
)
def test_conditions(tail: str, quantifier: str, text: str) -> None:
    test = parse(x86("MOV [x],$1 | MOV [y],$1", tail))
    assert (test.quantifier, to_text(test.condition)) == (quantifier, text)


def test_locations_and_filter() -> None:
    test = parse(x86("MOV EAX,[x] | MOV [x],$1", "locations [x;0:EAX;]\nfilter (0:EBX=0)\nexists (x=1)"))
    assert test.locations == (Observable("x"), Observable("EAX", 0))
    assert test.filter is not None
    assert [str(o) for o in test.observed] == ["0:EAX", "[x]"]


def test_a_filter_drops_executions() -> None:
    text = x86("MOV EAX,[x] | MOV [x],$1", "filter (0:EAX=0)\nexists (0:EAX=1)")
    assert states(text) == {"0:EAX=0"}


@pytest.mark.parametrize(
    ("init", "value"),
    [
        ("x=3", "3"), ("int x=3;", "3"), ("x=0x10;", "16"), ("x=-1", "-1"), ("int x;", "0"),
        ("atomic_t x=ATOMIC_INIT(2);", "2"),
        ("int *x=&y;", "y"), ("x=y;", "y"), ("int **x = y;;", "y"), ("[x]=4", "4"),
        ("int y=1; int x=2; int 0:r9=7;", "2"),
    ],
)  # fmt: skip
def test_initial_values(init: str, value: str) -> None:
    text = kernel("int r0 = READ_ONCE(*x);", condition="locations [x]\nexists (0:r0=1)", init=init)
    assert states(text) == {f"0:r0={value} [x]={value}"}


@pytest.mark.parametrize(
    ("program", "final"),
    [
        ("MOV EAX,$5", "0:EAX=5 0:EBX=2 [x]=3"),
        ("mov eax,5", "0:EAX=5 0:EBX=2 [x]=3"),
        ("MOV EAX,EBX", "0:EAX=2 0:EBX=2 [x]=3"),
        ("MOV EAX,$x", "0:EAX=x 0:EBX=2 [x]=3"),
        ("MOV EAX,[ECX]", "0:EAX=3 0:EBX=2 [x]=3"),
        ("MOV [ECX],$9", "0:EAX=1 0:EBX=2 [x]=9"),
        ("ADD EAX,EBX", "0:EAX=3 0:EBX=2 [x]=3"),
        ("SUB EAX,$3", "0:EAX=-2 0:EBX=2 [x]=3"),
        ("XOR EAX,[x]", "0:EAX=2 0:EBX=2 [x]=3"),
        ("AND [x],$2", "0:EAX=1 0:EBX=2 [x]=2"),
        ("OR EAX,EBX", "0:EAX=3 0:EBX=2 [x]=3"),
        ("INC EAX", "0:EAX=2 0:EBX=2 [x]=3"),
        ("DEC [x]", "0:EAX=1 0:EBX=2 [x]=2"),
        ("LOCK DEC [x]", "0:EAX=1 0:EBX=2 [x]=2"),
        ("lock add [x],eax", "0:EAX=1 0:EBX=2 [x]=4"),
        ("XCHG EAX,EBX", "0:EAX=2 0:EBX=1 [x]=3"),
        ("XCHG [x],EAX", "0:EAX=3 0:EBX=2 [x]=1"),
        ("XCHG EAX,[x]", "0:EAX=3 0:EBX=2 [x]=1"),
        ("XADD [x],EBX", "0:EAX=1 0:EBX=3 [x]=5"),
        ("XADD EAX,EBX", "0:EAX=3 0:EBX=1 [x]=3"),
        ("LOCK XADD [x],EBX", "0:EAX=1 0:EBX=3 [x]=5"),
        ("LOCK CMPXCHG [x],EBX", "0:EAX=3 0:EBX=2 [x]=3"),
        ("MOV EAX,$3; LOCK CMPXCHG [x],EBX", "0:EAX=3 0:EBX=2 [x]=2"),
        ("MOV EAX,$3; CMPXCHG [x],EBX", "0:EAX=3 0:EBX=2 [x]=2"),
        ("MFENCE; SFENCE; LFENCE; NOP", "0:EAX=1 0:EBX=2 [x]=3"),
    ],
)
def test_x86_instructions(program: str, final: str) -> None:
    text = x86(program, "locations [0:EAX; 0:EBX; x]", "x=3; 0:EAX=1; 0:EBX=2; 0:ECX=x")
    for memory in ("sc", "tso"):
        assert states(text, memory) == {final}


@pytest.mark.parametrize(
    ("body", "final"),
    [
        ("int r = *x;", "0:r=5 [x]=5"),
        ("int r = 7; *x = r;", "0:r=7 [x]=7"),
        ("r = READ_ONCE(*x) + 1;", "0:r=6 [x]=5"),
        ("int r = (int)smp_load_acquire(x) * 2;", "0:r=10 [x]=5"),
        ("int r = 0; smp_store_release(x, r);", "0:r=0 [x]=0"),
        ("int r = 1; smp_store_mb(*x, 3);", "0:r=1 [x]=3"),
        ("int r = xchg(x, 2);", "0:r=5 [x]=2"),
        ("int r = xchg_release(x, 2);", "0:r=5 [x]=2"),
        ("int r = cmpxchg(x, 5, 2);", "0:r=5 [x]=2"),
        ("int r = cmpxchg_acquire(x, 4, 2);", "0:r=5 [x]=5"),
        ("int r = 4; int q = try_cmpxchg(x, &r, 2);", "0:r=5 [x]=5"),
        ("int q = 5; int r = try_cmpxchg_relaxed(x, &q, 2);", "0:r=1 [x]=2"),
        ("int r = atomic_read(x); atomic_set(x, 9);", "0:r=5 [x]=9"),
        ("int r = atomic_read_acquire(x); atomic_set_release(x, 9);", "0:r=5 [x]=9"),
        ("int r = 0; atomic_inc(x); atomic_add(2, x); atomic_dec(x); atomic_sub(3, x);", "0:r=0 [x]=4"),
        ("int r = 0; atomic_or(2, x); atomic_and(6, x); atomic_xor(1, x); atomic_andnot(4, x);", "0:r=0 [x]=3"),
        ("int r = atomic_add_return(2, x);", "0:r=7 [x]=7"),
        ("int r = atomic_sub_return_release(2, x);", "0:r=3 [x]=3"),
        ("int r = atomic_inc_return_relaxed(x);", "0:r=6 [x]=6"),
        ("int r = atomic_fetch_add(2, x);", "0:r=5 [x]=7"),
        ("int r = atomic_fetch_andnot_acquire(4, x);", "0:r=5 [x]=1"),
        ("int r = atomic_fetch_dec(x);", "0:r=5 [x]=4"),
        ("int r = atomic_xchg_acquire(x, 1);", "0:r=5 [x]=1"),
        ("int r = atomic_cmpxchg(x, 5, 1);", "0:r=5 [x]=1"),
        ("int r = atomic_dec_and_test(x);", "0:r=0 [x]=4"),
        ("int r = atomic_sub_and_test(5, x);", "0:r=1 [x]=0"),
        ("int r = atomic_inc_and_test(x);", "0:r=0 [x]=6"),
        ("int r = atomic_add_negative(-9, x);", "0:r=1 [x]=-4"),
        ("int r = atomic_add_unless(x, 1, 5);", "0:r=0 [x]=5"),
        ("int r = atomic_add_unless(x, 1, 4);", "0:r=1 [x]=6"),
        ("int r = atomic_fetch_add_unless(x, 1, 4);", "0:r=5 [x]=6"),
        ("int r = atomic_inc_not_zero(x);", "0:r=1 [x]=6"),
        ("int r = atomic_dec_if_positive(x);", "0:r=4 [x]=4"),
        ("int r = atomic64_fetch_add(1, x);", "0:r=5 [x]=6"),
        ("int r = spin_trylock(y);", "0:r=1 [x]=5"),
        ("spin_lock(y); int r = spin_is_locked(y); spin_unlock(y);", "0:r=1 [x]=5"),
        ("spin_lock(y); int r = spin_trylock(y);", "0:r=0 [x]=5"),
        ("int r = rcu_dereference(*x); rcu_assign_pointer(*x, 0);", "0:r=5 [x]=0"),
        ("int r = 0; if (*x == 5) r = 1; else r = 2;", "0:r=1 [x]=5"),
        ("int r; if (*x > 5) r = 1; else if (*x >= 5) { r = 3; } else r = 2;", "0:r=3 [x]=5"),
        ("int r = *x == 5 && *y == 0;", "0:r=1 [x]=5"),
        ("int r = *x != 5 || !(*y < 1);", "0:r=0 [x]=5"),
        ("int r = *x ? *y : 3;", "0:r=0 [x]=5"),
        ("int r = 2; r = r ? 7 : 8;", "0:r=7 [x]=5"),
        ("int r = -(*x) / 2 % 4;", "0:r=-2 [x]=5"),
        ("int r = (*x << 2 | 3) >> 1 & ~2;", "0:r=9 [x]=5"),
        ("int r = *x; r ^= r; r += 010; r--;", "0:r=7 [x]=5"),
        ("int r = 1; int q = r++; r = q * 10 + r;", "0:r=12 [x]=5"),
        ("int r = 0; *x += 2; (*x)++; ++*x;", "0:r=0 [x]=9"),
        ("int *p = x; int r = *p; *p = NULL;", "0:r=5 [x]=0"),
        ("int r = (*x, 3u);", "0:r=3 [x]=5"),
        ("int r, q = 2; { r = q; } ; barrier();", "0:r=2 [x]=5"),
        ("int r = *&*x; // a comment (*", "0:r=5 [x]=5"),
    ],
)
def test_c_primitives_and_expressions(body: str, final: str) -> None:
    text = kernel(body, condition="locations [0:r; x]", init="int x = 5;")
    for memory in ("sc", "tso", "weak"):
        assert states(text, memory) == {final}


def test_c_comments_are_told_from_dereferences() -> None:
    text = ("C a (* { *)\n/* { */ // {\n{ (* x=9; *) }\n(* P9 *)\nP0(int *x) // (*\n{\n"
            "  WRITE_ONCE(*x, 1); /* (* */\n}\nexists (x=1) (* end *)")
    assert states(text) == {"[x]=1"}


def test_orders_of_the_primitives() -> None:
    body = ("int a = atomic_inc_return(x); atomic_inc(x); a = atomic_inc_return_acquire(x); a = xchg_release(x, 1); "
            "spin_lock(y); a = cmpxchg_relaxed(x, 1, 2);")
    found = [(s.mode, s.otherwise) for s in parse(kernel(body, condition="exists (0:a=1)")).processes[0]
             if isinstance(s, Rmw)]
    assert found == [("full", "load"), ("relaxed", "load"), ("acquire", "load"), ("release", "load"),
                     ("acquire", "wait"), ("relaxed", "compare")]


def test_a_fake_dependency_stays_written_down() -> None:
    text = kernel("int r = READ_ONCE(*x);\n\tWRITE_ONCE(*y, r ^ r);", condition="exists (y=1)")
    stores = [s for s in walk(parse(text).processes[0]) if isinstance(s, Store)]
    assert [s.value for s in stores] == [Binary("^", Reg("r"), Reg("r"))]


def test_the_right_side_of_and_is_looked_at_only_where_the_left_holds() -> None:
    text = kernel("int r = *x && *y;", condition="exists (0:r=1)")
    kinds = [type(s) for s in walk(parse(text).processes[0])]
    assert kinds == [Load, Assign, If, Load, Assign, Assign]
