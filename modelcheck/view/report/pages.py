"""The pages of a report by file name, and what is handed to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelcheck.results import Report

INDEX = "index.html"


@dataclass(frozen=True, slots=True)
class TracePage:
    """A counterexample's files: `page` is shown, `data` is the trace; `command` finds it again."""

    page: str
    data: str
    command: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What a report is made of beside the results: the spec's name and what it says, and the counterexamples by id.

    `numeric` are the parameters whose values stand as ranges in one row; `cases` are the titles of known bugs.
    """

    report: Report
    name: str
    summary: str = ""
    numeric: frozenset[str] = frozenset()
    properties: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    cases: Mapping[str, str] = field(default_factory=dict)
    traces: Mapping[str, TracePage] = field(default_factory=dict)


def pages(shown: Shown) -> dict[str, str]:
    """The text of every page but the counterexamples, by its name relative to the report's directory."""
    from modelcheck.view.report.index import index_page
    from modelcheck.view.report.source import source_names, source_page

    names = source_names(shown.report.coverage)
    found = {INDEX: index_page(shown, names)}
    for file, name in names.items():
        found[name] = source_page(shown.report.coverage, file)
    return found
