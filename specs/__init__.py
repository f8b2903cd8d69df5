"""The protocols that can be checked: one module or package each, with a `SPEC`, on modelcheck's public names only.

`DEFAULT` is the one checked when no name is given; `SHARED` are packages of pieces that several protocols use.
"""

DEFAULT = "runstate"
SHARED = ("kvm",)
