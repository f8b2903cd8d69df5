"""The native twin of the reference search: a C extension that runs the same linked tables, exact and breadth first.

It is there when the package was installed with a C compiler; everything works without it.  `program` turns tables into
numbers for it, `search` runs them.  Its one invariant: states, their numbers, transitions, depth, paths and edges are
those of the reference search, for any number of threads; the argument is in engine.h and parallel.c, and tests compare
the two on every spec and on random systems.
"""
