"""A benchmark: how long a page takes to build and to open, how large it is, and how soon it answers a key.

No test asserts a time; the targets are 0.5 s to build the page of 40 steps, 50 ms for a key, and 500 kB.  Run it as
`PYTHONPATH=.:tests/trace python tests/view/measure_pages.py [TRACE...]`.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from browser import Browser, find
from sample_traces import long_trace, very_long_trace

from modelcheck.trace.file import read_trace
from modelcheck.view import render

# Each key until the next frame has been painted; the second frame's callback runs after the first one's paint.
KEYS = """(async () => {
  const taken = [];
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  for (let i = 0; i < 40; i++) {
    await frame();
    const start = performance.now();
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key: i % 8 === 7 ? "d" : "j", bubbles: true }));
    document.body.getBoundingClientRect();
    const handled = performance.now() - start;
    await frame(); await frame();
    taken.push([handled, performance.now() - start]);
  }
  const sorted = (at) => taken.map((pair) => pair[at]).sort((a, b) => a - b);
  return [sorted(0)[20], sorted(0)[39], sorted(1)[20], sorted(1)[39]];
})()"""


def main(names: list[str]) -> None:
    """Prints one line a trace."""
    program = find()
    traces = [(Path(name).stem, read_trace(name)) for name in names]
    traces += [("sample", long_trace()), ("very long", very_long_trace(118))]
    print(f"{'trace':40} steps  build s     kB  open s  key ms: handled median, worst; painted median, worst")
    with tempfile.TemporaryDirectory() as folder:
        for name, trace in traces:
            start = time.perf_counter()
            text = render(trace, "html")
            built = time.perf_counter() - start
            line = f"{name:40} {len(trace.steps):5}  {built:7.3f}  {len(text) / 1000:5.0f}"
            if program is not None:
                path = Path(folder) / "page.html"
                path.write_text(text, encoding="utf-8")
                with Browser(program) as browser:
                    start = time.perf_counter()
                    page = browser.page(path).ready()
                    opened = time.perf_counter() - start
                    line += f"  {opened:6.2f}  " + ", ".join(f"{taken:.1f}" for taken in page.run(KEYS))
            print(line)


if __name__ == "__main__":
    main(sys.argv[1:])
