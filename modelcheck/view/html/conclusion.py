"""The top of the page: what went wrong, in which bytes, and why nothing noticed; for someone who sees it first.

Its one invariant: every sentence and number is the trace's own; nothing here knows what a field means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelcheck.view.distil import rows
from modelcheck.view.escape import printable
from modelcheck.view.html.markup import Markup, join, tag
from modelcheck.view.html.standing import standing
from modelcheck.view.provenance import byte_ranges, origin, short_ranges, value, variants
from modelcheck.view.snapshot import loads, parts, published, snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelcheck.trace.trace import ByteSource, Trace
    from modelcheck.view.snapshot import Load, Part

    Published = dict[int, dict[int, int]]  # update -> offset -> value

MOST_UPDATES = 4  # columns of published updates beside what was read
MOST_BYTES = 64  # bytes of one part that are shown each by itself


def conclusion(trace: Trace, side: str = "") -> Markup:
    """The section with the verdict and its reasons; `side` is of which of two traces."""
    found = loads(trace, rows(trace))
    copy = snapshot(found)
    who = trace.processes[trace.steps[trace.deciding].process].name if trace.deciding >= 0 else ""
    unnoticed = _unnoticed(trace, found, who) if copy else _reasons(trace)
    return tag(
        "section",
        tag("h2", f"What went wrong{' on the ' if side else ''}{side}", id=f"what{side}"),
        tag("p", _begun(trace, trace.consequence), class_="verdict"),
        tag("p", f"Initially: {'; '.join(trace.initial)}. " if trace.initial else "", _lanes(trace), class_="setting"),
        tag("p", tag("b", "The part of the property that is false: "), trace.conjunct) if trace.conjunct else "",
        _fate(trace, not side),
        tag("p", tag("b", "It passes when: "), trace.passing.text, " ",
            tag("a", "Both schedules", href="#passing") if not side else "")
        if trace.passing else "",
        tag("div", _mixture(trace, copy, who), unnoticed, class_="reasons") if copy else unnoticed,
        _loads(trace, found, who, not side) if copy else "",
        _standing(trace),
        class_="conclusion", aria_labelledby=f"what{side}",
    )


def _begun(trace: Trace, text: str) -> str:
    """The text with a capital letter, unless it begins with the name of a process."""
    named = any(text.startswith(f"{process.name} ") for process in trace.processes)
    return text if named else text[:1].upper() + text[1:]


def _lanes(trace: Trace) -> str:
    named = (f"{process.name} is {process.title}, on CPU{process.cpu}" for process in trace.processes if process.title)
    return f"{'; '.join(named)}." if any(process.title for process in trace.processes) else ""


def _mixture(trace: Trace, copy: Load, who: str) -> Markup:
    """The copy by field and update, beside what each update published."""
    told = parts(trace, copy)
    columns = _compared(trace, told)
    known = {version: published(trace, version) for version in columns}
    head = tag("tr", *(tag("th", text, scope="col") for text in (
        "Field", "Bytes", "Written by", f"What {who} took", *(f"Update {version} was" for version in columns))))
    written = [byte.version for byte in copy.bytes]
    most = max(dict.fromkeys(written), key=written.count)
    body = [_part(trace, part, part.version != most, columns, known) for part in told]
    return tag(
        "div",
        tag("h3", f"What {who} took in {printable(copy.text)}, and who wrote it"),
        tag("p", f"An update is one version of {trace.area.name if trace.area else 'the area'}, as its writer "
                 "publishes it. Each byte is shown as its value over the number of the update that wrote it."),
        tag("div", tag("table", tag("thead", head), tag("tbody", *body, _equal(told, columns, known)), class_="bytes"),
            class_="wide", tabindex="0", role="region", aria_label="the bytes that were taken"),
    )


def _compared(trace: Trace, told: list[Part]) -> list[int]:
    """The updates to compare with: those that wrote any of it first, at most MOST_UPDATES, by number."""
    wrote = list(dict.fromkeys(part.version for part in told))
    others = [update.version for update in reversed(trace.updates) if update.version not in wrote]
    known = {update.version for update in trace.updates}
    return sorted([version for version in (*wrote, *others) if version in known][:MOST_UPDATES])


def _part(trace: Trace, part: Part, odd: bool, columns: list[int], known: Published) -> Markup:
    """One line of the table; `odd` marks bytes of another update than most."""
    offsets = [byte.offset for byte in part.bytes]
    inside = "" if part.whole or not part.field else f", its {byte_ranges([offset - part.start for offset in offsets])}"
    forms = list(dict.fromkeys(byte.variant for byte in part.bytes if byte.variant))
    wrote = f"update {part.version}{', with ' + ', '.join(forms) if forms else ''}"
    return tag(
        "tr",
        tag("th", f"{part.field or 'padding'}{inside}", scope="row"),
        tag("td", short_ranges(offsets)),
        tag("td", tag("span", str(part.version), class_=f"chip u{part.version % 8}"), f" {wrote}"),
        tag("td", chips(trace, part.bytes)),
        *(tag("td", *_same(part.bytes, known[version])) for version in columns),
        class_="odd" if odd else "",
    )


def _same(sources: Sequence[ByteSource], had: dict[int, int]) -> tuple[str, ...]:
    """Whether these bytes are as in an update, in a word and with the value."""
    if any(byte.offset not in had for byte in sources):
        return ("-",)
    digits = int.from_bytes(bytes(had[byte.offset] for byte in sources), "little")
    if any(byte.value < 0 for byte in sources):
        return (f"{digits:#x}",)
    same = all(byte.value == had[byte.offset] for byte in sources)
    return (tag("span", "same" if same else "differs", class_="same" if same else "differs"), f" {digits:#x}")


def _equal(told: list[Part], columns: list[int], known: Published) -> Markup:
    """The last line: no column is the same all the way down, of the bytes that belong to a field."""
    cells = []
    for version in columns:
        sources = [byte for part in told for byte in part.bytes if byte.offset in known[version]]
        if any(byte.value >= 0 and byte.value != known[version][byte.offset] for byte in sources):
            cells.append(tag("td", tag("b", "no")))
        else:
            unknown = not sources or any(byte.value < 0 for byte in sources)
            cells.append(tag("td", "not known" if unknown else tag("b", "yes")))
    return tag("tr", tag("th", "Is the whole copy this update?", scope="row", colspan="4"), *cells, class_="sum")


def chips(trace: Trace, sources: Sequence[ByteSource]) -> Markup:
    """Each byte as its value over the number of its update; a bar where a page or a cache line begins."""
    area = trace.area
    made: list[str] = []
    for byte in sources[:MOST_BYTES]:
        if area is not None and byte.offset and (area.base + byte.offset) % min(area.line, area.page) == 0:
            page = (area.base + byte.offset) % area.page == 0
            made.append(tag("span", "page" if page else "line", class_="cut page" if page else "cut",
                            title=f"a {'page' if page else 'cache line'} begins at byte {byte.offset}"))
        digits = f"{byte.value:02x}" if byte.value >= 0 else "??"
        form = f", with {byte.variant}" if byte.variant else ""
        made.append(tag(
            "span", digits, tag("sub", str(byte.version)),
            class_=f"byte u{byte.version % 8}{' form' if byte.variant else ''}",
            title=f"byte {byte.offset} from update {byte.version}{form}",
        ))
    if len(sources) > MOST_BYTES:
        made.append(f" and {len(sources) - MOST_BYTES} more")
    return tag("span", *made, class_="bytes-of")


def _unnoticed(trace: Trace, found: list[Load], who: str) -> Markup:
    """The trace's reasons, and the tests the process made itself."""
    tests = _tests(trace, found)
    return tag(
        "div",
        tag("h3", f"Why {who} did not notice"),
        tag("ul", *(tag("li", text) for text in trace.why), class_="why") if trace.why else "",
        tag("p", f"The tests {who} made: ", join((tag("span", text, class_="test") for text in tests), " "))
        if tests else "",
    )


def _loads(trace: Trace, found: list[Load], who: str, linked: bool) -> Markup:
    """Everything the process loaded, in the order of the trace; with links to the steps where the page has them."""
    known = variants(trace)
    lines = []
    for load in found:
        number = value(load.bytes)
        came = origin(load.bytes, load.start, known)
        lines.append(tag(
            "tr", tag("td", _link(load.number, f"#{load.number}", linked)), tag("th", load.text, scope="row"),
            tag("td", short_ranges([byte.offset for byte in load.bytes])), tag("td", number), tag("td", came),
        ))
    heads = (tag("th", text, scope="col") for text in ("Step", "Load", "Bytes", "Value", "Written by"))
    return tag(
        "details",
        tag("summary", f"What {who} loaded, the last of each"),
        tag("div", tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *lines)),
            class_="wide", tabindex="0", role="region", aria_label="each load"),
        open=True, aria_label="the loads",
    )


def _link(number: int, text: str, linked: bool) -> str:
    return tag("a", text, href=f"#s{number}") if linked else text


def _tests(trace: Trace, found: list[Load]) -> list[str]:
    """The comparisons of the deciding process since the first of its loads, each with its answer."""
    process = trace.steps[trace.deciding].process
    first = min((load.number for load in found), default=1) - 1
    made = [f"{step.label} {step.response}" for step in trace.steps[first:trace.deciding + 1]
            if step.process == process and step.kind == "compare" and step.response]
    return list(dict.fromkeys(made))


def _reasons(trace: Trace) -> Markup:
    if not trace.why:
        return Markup()
    return tag("div", tag("h3", "Why"), tag("ul", *(tag("li", text) for text in trace.why), class_="why"))


def _standing(trace: Trace) -> Markup:
    """Who holds what and who waits when it is decided, where anyone waits."""
    after = standing(trace)[trace.deciding] if trace.deciding >= 0 else None
    if after is None or not after.waits:
        return Markup()
    return tag("div", tag("h3", "Who waits for whom"), tag("ul", *(tag("li", text) for text in after.waits)),
               tag("p", "Held: ", "; ".join(after.held)) if after.held else "")


def _fate(trace: Trace, linked: bool) -> Markup:
    if trace.fate is None:
        return Markup()
    fate = trace.fate
    if fate.open:
        told = (f"After step {fate.step + 1} every schedule fails; whether an earlier step decided it is not known: "
                f"{fate.open}.")
    elif fate.step < 0:
        told = "From the start every schedule fails."
    else:
        told = f"After step {fate.step + 1} every schedule fails; before it some schedule passes."
    where = tag("a", f"Step {fate.step + 1}", href=f"#s{fate.step + 1}") if fate.step >= 0 and linked else ""
    return tag("p", tag("b", "When it could no longer be avoided: "), told, " ", where)
