"""Every question put to z3, and what a spec says of values.  z3 itself is imported with the first question."""
