"""The README's commands do what it says, and its outputs are theirs."""

import doctest
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from modelcheck.view import FORMS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def modelcheck(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "modelcheck", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=60)


def without_figures(text: str) -> str:
    """Seconds and memory differ from run to run; states do not."""
    return re.sub(r"[\d.]+s, [\d,]+ MiB", "TIME", text)


@pytest.fixture
def own_model(tmp_path: Path) -> Path:
    """The model in the README, in a file of the name it is checked under."""
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(block.splitlines()) <= 30
    (tmp_path / "wakeup.py").write_text(block, encoding="utf-8")
    return tmp_path


def shown_after(command: str) -> str:
    """The output the README shows under a command, without its indent."""
    after = README.split(f"    $ {command}\n", 1)[1]
    lines = []
    for line in after.splitlines():
        if line.startswith("    $") or (line and not line.startswith("    ")):
            break
        lines.append(line[4:])
    return "\n".join(lines).rstrip("\n") + "\n"


def test_the_readmes_own_model_is_refuted_as_it_says(own_model: Path) -> None:
    done = modelcheck("check", "./wakeup.py", "--quiet", cwd=own_model)
    assert done.returncode == 1, done.stderr
    assert without_figures(done.stdout) == without_figures(shown_after("modelcheck check ./wakeup.py --quiet"))
    (trace,) = sorted((own_model / "modelcheck-traces").iterdir())
    command = f"modelcheck show modelcheck-traces/{trace.name} --as paste"
    shown = modelcheck("show", f"modelcheck-traces/{trace.name}", "--as", "paste", cwd=own_model)
    assert shown.stdout == shown_after(command)
    replayed = modelcheck("replay", str(trace), "./wakeup.py", cwd=own_model)
    assert replayed.returncode == 0, replayed.stderr


@pytest.mark.parametrize("form", ["--ktap", "--lines"])
def test_the_readmes_lines_for_harnesses_and_editors_are_printed(own_model: Path, form: str) -> None:
    done = modelcheck("check", "./wakeup.py", form, cwd=own_model)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == shown_after(f"modelcheck check ./wakeup.py {form}")


def test_the_readmes_graphs_have_the_nodes_it_says(own_model: Path) -> None:
    said = re.search(r"(\d+) nodes for the waiter above, (\d+) with `--no-reduction all`", README)
    assert said
    for options, nodes in (([], said[1]), (["--no-reduction", "all"], said[2])):
        modelcheck("check", "./wakeup.py", "--graph", "g.graphml", *options, cwd=own_model)
        assert (own_model / "g.graphml").read_text(encoding="utf-8").count("<node ") == int(nodes)
    (command, states, places) = re.findall(
        r"modelcheck (check .* --graph published.html)\n\ndraws ([\d,]+) states as the (\d+) places", README)[0]
    done = modelcheck(*command.split(), cwd=own_model)
    assert done.returncode == 0, done.stderr
    page = (own_model / "published.html").read_text(encoding="utf-8")
    assert f"{states} states" in page
    assert page.count('<g id="s') == int(places)


def test_the_readmes_result_is_found_and_is_the_saved_one(tmp_path: Path) -> None:
    (line,) = re.findall(r"bin/modelcheck (check --version seed .*)", README)
    done = modelcheck(*line.split(), cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    (trace,) = sorted((tmp_path / "modelcheck-traces").iterdir())
    assert f"traces/{trace.name}" in README
    assert trace.read_bytes() == (ROOT / "traces" / trace.name).read_bytes()


def test_the_readmes_picture_is_of_the_saved_trace(tmp_path: Path) -> None:
    (picture,) = re.findall(r"!\[.*?\]\((.*?\.svg)\)", README)
    trace = ROOT / picture.replace(".svg", ".json")
    drawn = modelcheck("show", str(trace), "--as", "svg", cwd=tmp_path)
    assert drawn.stdout == (ROOT / picture).read_text(encoding="utf-8")


def test_the_readmes_graph_is_that_of_the_saved_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    (block,) = re.findall(r"```pycon\n(.*?)```", README, re.DOTALL)
    example = doctest.DocTestParser().get_doctest(block, {}, "README", None, 0)
    assert doctest.DocTestRunner().run(example) == (0, 4)


def test_the_readme_tells_every_form(tmp_path: Path) -> None:
    told = re.findall(r"^    (\w+) +", README.split("## To show a trace")[1].split("Each ends with")[0], re.MULTILINE)
    listed = modelcheck("show", "--help", cwd=tmp_path).stdout.partition("Forms:\n")[2]
    assert [name for name in told if name in FORMS] == [line.split()[0] for line in listed.splitlines()]


def test_every_file_the_readme_names_exists() -> None:
    named = set(re.findall(r"(?<![\w-])((?:traces|specs)/[\w./-]+\.\w+)", README))
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_every_version_and_parameter_the_readme_names_exists(tmp_path: Path) -> None:
    listed = modelcheck("list", cwd=tmp_path).stdout
    for name, values in re.findall(r"--set ([a-z]\w*)=([\w|-]+)", README):
        assert name in listed
        for value in values.split("|"):
            assert value.isdigit() or value in listed, (name, value)


def test_the_readme_leaves_no_blank_to_fill() -> None:
    assert not re.search(r"\b(FIGURE|TABLE)_[A-Z]+", README)
    assert textwrap.dedent(README).startswith("# modelcheck")
