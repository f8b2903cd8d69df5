"""The part of the page that the script brings to life: buttons, switches of arrows, the drawing, the panel beside it.

Its one invariant: it is hidden until the script runs, so that nobody sees a button that does nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelcheck.view.html.markup import Markup, tag
from modelcheck.view.legend import marks

if TYPE_CHECKING:
    from modelcheck.trace.trace import Trace

BUTTONS = (
    ("first", "\u21e4", "First", "Home"),
    ("back", "\u2190", "Back", "k or left arrow"),
    ("next", "\u2192", "Next", "j or right arrow"),
    ("last", "\u21e5", "Last", "End"),
    ("decides", "!", "The step that decides", "d"),
)
RELATIONS = (  # kind, what it is called, what it says, whether it is drawn to begin with
    ("rf", "reads from", "from the store to the load that read its bytes", True),
    ("lock", "lock handed over", "from the release to the next acquire of the lock", True),
    ("held", "lock held", "a bar beside the lane, from the step that takes a lock to the one that gives it back", True),
    ("fr", "overwritten by", "from-read: from the load to the store that overwrote what it read", False),
    ("co", "store order", "coherence: from a store to the next one of the same bytes", False),
    ("hb", "happens before", "between processes, without what follows from other arrows", False),
)
KEYS = ("Keys: j and k or the right and left arrow step, d goes to the step that decides, e shows every step, t "
        "changes dark and light; once in the drawing, the down and up arrow step too, and Home and End go to the ends.")


def explorer(trace: Trace, full: bool, kinds: set[str]) -> Markup:
    """The section; the script fills the drawing and the panel.  `kinds` are the relations that have arrows."""
    decided = trace.deciding >= 0
    ruled = trace.area is not None and any(step.memory for step in trace.steps)
    shown = [relation for relation in RELATIONS if relation[0] in kinds]
    buttons = (_button(*button) for button in BUTTONS if button[0] != "decides" or decided)
    return tag(
        "section",
        tag("h2", "Step by step", id="explore"),
        tag(
            "div",
            tag("div", *buttons, role="group", aria_label="steps", class_="buttons"),
            tag("span", "", id="count", class_="count"),
            tag("label", tag("input", type="checkbox", id="every", checked=full), " every step"),
            tag("fieldset", tag("legend", "Arrows"), *map(_switch, shown)) if shown else "",
            class_="bar", role="toolbar", aria_label="steps and arrows",
        ),
        tag(
            "div",
            tag("div", class_="drawing", id="drawing", tabindex="0", role="application",
                aria_label="drawing of the steps; j and k step through it", aria_describedby="now"),
            tag("aside", *_panel(trace), class_="panel", aria_label="the current step", tabindex="0"),
            class_="beside",
        ),
        tag("p", KEYS, class_="keys"),
        tag("p", f"Marks: {'; '.join(marks(trace))}.", class_="keys") if ruled else "",
        class_="explorer", id="explorer", aria_labelledby="explore", hidden=True,
    )


def _button(name: str, sign: str, text: str, key: str) -> Markup:
    """A sign and, where there is room, a word."""
    word = tag("span", f" {text}", class_="word")
    return tag("button", tag("span", sign, aria_hidden="true"), word, type="button", id=name, aria_label=text,
               title=f"{text}; key: {key}")


def _switch(relation: tuple[str, str, str, bool]) -> Markup:
    kind, name, what, shown = relation
    box = tag("input", type="checkbox", data_kind=kind, checked=shown)
    sample = tag("span", kind, class_=f"sample k-{kind}", aria_hidden="true")
    return tag("label", box, " ", sample, f" {name}", title=what)


def _panel(trace: Trace) -> list[Markup]:
    """Empty places with their headings; those without content are hidden by the script."""
    return [
        tag("p", "", id="now", role="status", aria_live="polite", aria_atomic="true"),
        tag("p", "", id="where", class_="where"),
        tag("pre", tag("code", "", id="source"), tabindex="0", aria_label="the line of the spec"),
        *([_place("bytes", f"Bytes of {trace.area.name}")] if trace.area and any(step.memory for step in trace.steps)
          else []),
        _place("changed", "Changed by this step"),
        _place("reads", "Where it reads from"),
        _place("held", "Locks held"),
        _place("waits", "Who waits for whom"),
        tag("details", tag("summary", "All slots"), tag("div", "", id="slots"), id="slots-of", aria_label="All slots"),
        tag("details", tag("summary", "", id="enabled-title"), tag("div", "", id="enabled"), id="enabled-of",
            aria_label="What else could have been taken"),
    ]


def _place(name: str, title: str) -> Markup:
    return tag("div", tag("h3", title), tag("div", "", id=name), id=f"{name}-of")
