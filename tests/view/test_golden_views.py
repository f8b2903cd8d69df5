"""Every form of three saved traces, byte for byte; `python tests/view/renew_golden.py` renews the files."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from renew_golden import FORMS, GOLDEN, ROOT, TRACES, shown

from modelcheck import view
from modelcheck.trace.file import read_trace


@pytest.mark.parametrize("ending", FORMS)
@pytest.mark.parametrize("name", TRACES)
def test_form_is_byte_for_byte_what_it_was(name: str, ending: str) -> None:
    text = (GOLDEN / f"{name}.{ending}").read_text(encoding="utf-8")
    assert shown(read_trace(GOLDEN / f"{name}.json"), ending) == text


def test_golden_files_are_of_every_form_and_no_others() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {f"{name}.{ending}" for name in TRACES for ending in FORMS}
    assert {form for form, _ in FORMS.values()} == set(view.FORMS)


def test_bytes_do_not_depend_on_the_hash_seed() -> None:
    script = (
        "import hashlib, sys; from modelcheck.trace.file import read_trace; from modelcheck.view import FORMS, render;"
        "print([hashlib.sha256(render(read_trace(path), form, full).encode()).hexdigest()"
        " for path in sys.argv[1:] for form in FORMS for full in (False, True)])"
    )
    found = [
        subprocess.run([sys.executable, "-c", script, *(str(GOLDEN / f"{name}.json") for name in TRACES)],
                       env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed},
                       capture_output=True, text=True, timeout=50, check=True).stdout
        for seed in ("0", "1")
    ]
    assert found[0] == found[1]
