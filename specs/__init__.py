"""The protocols that can be checked: one module or package each, with a `SPEC`, importing only modelcheck's public names.

`DEFAULT` is the one checked when no name is given.
"""

DEFAULT = "runstate"
