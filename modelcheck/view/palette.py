"""What the names of colours stand for, in light and in dark: every colour of every picture and page is here.

Its one invariant, tested: text on the ground it stands on has a contrast of at least 4.5 to 1 in both themes, and what
only needs to be seen of at least 3 to 1 (WCAG 2.2, success criteria 1.4.3 and 1.4.11).
"""

from __future__ import annotations

# Okabe and Ito's colours, which colour-blind people can tell apart; index: version modulo 8.
OKABE_ITO = ("#bbbbbb", "#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#f0e442", "#0072b2", "#d55e00")
BLACK, WHITE = "#000000", "#ffffff"

_LIGHT = {
    "paper": WHITE,  # the ground
    "card": "#f6f8fa",  # the ground of a box
    "head": "#e6eaef",  # of a lane's title
    "ink": "#1f2328",
    "faint": "#59636e",  # text that matters less
    "line": "#7a8491",  # a box's border
    "rail": "#d0d7de",  # what guides the eye and may be missed
    "link": "#0b4f8a",  # what comes of a step, and links
    "decides": "#fff4ce",  # the ground of the step that decides
    "decider": "#944700",
    "now": "#ddf0ff",  # the ground of the current step
    "current": "#0550ae",
    "bad": "#b3261e",
    "badground": "#fdf0ed",
    "good": "#116329",
    "goodground": "#e6f6ea",
    "page": "#b3261e",  # where a page ends
    "edge": "#444c56",  # where a cache line ends
    "lock": "#6e4aa8",
    "co": "#8a4b00",
    "fr": "#a8174b",
    "hb": "#4a5560",
}
_DARK = {
    "paper": "#0d1117",
    "card": "#161b22",
    "head": "#252c35",
    "ink": "#e6edf3",
    "faint": "#9aa4af",
    "line": "#737d89",
    "rail": "#30363d",
    "link": "#79c0ff",
    "decides": "#3a2d0c",
    "decider": "#e3a93c",
    "now": "#12304f",
    "current": "#58a6ff",
    "bad": "#ff8f85",
    "badground": "#2f1614",
    "good": "#5fd07a",
    "goodground": "#10281a",
    "page": "#ff7b72",
    "edge": "#aeb8c2",
    "lock": "#b99bf0",
    "co": "#e0a458",
    "fr": "#ff8fb3",
    "hb": "#9fb0c0",
}


def mixed(hex_colour: str, other: str, share: float) -> str:
    """A colour with `share` of another in it, as `#rrggbb`.

    >>> mixed("#000000", "#ffffff", 0.5)
    '#808080'
    """
    pairs = [(int(hex_colour[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def luminance(hex_colour: str) -> float:
    """WCAG's relative luminance, 0 to 1."""
    parts = [int(hex_colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio, 1 to 21.

    >>> round(contrast("#000000", "#ffffff"), 1)
    21.0
    """
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _theme(base: dict[str, str], share: float) -> dict[str, str]:
    """The theme with the colours of the updates: fill v, pale fill p, text on the fill t, arrow a."""
    made = dict(base)
    for number, fill in enumerate(OKABE_ITO):
        made[f"v{number}"] = fill
        made[f"p{number}"] = mixed(fill, base["paper"], share)
        made[f"t{number}"] = max((BLACK, WHITE), key=lambda ink: contrast(ink, fill))
        away, arrow = base["ink"], fill
        while contrast(arrow, base["paper"]) < 3.2:
            arrow = mixed(arrow, away, 0.1)
        made[f"a{number}"] = arrow
    return made


LIGHT = _theme(_LIGHT, 0.6)
DARK = _theme(_DARK, 0.72)


def hexed(name: str) -> str:
    """The light theme's colour of this name; `#rrggbb` is itself."""
    return name if name.startswith("#") else LIGHT[name]
