"""A table before anything is understood of it, and after it was understood whole."""

from __future__ import annotations

from dataclasses import dataclass

from hyperroute.errors import Problem
from hyperroute.routing.table import RouteTable
from hyperroute.tables.testcases import TestCase


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A table that was loaded whole.

    Attributes:
        table: What routing reads.
        tests: Cases of the table's own files, in reading order.
        warnings: What is an error under ``strict``.
        sources: Names of the files that were read, included ones too.
    """

    table: RouteTable
    tests: tuple[TestCase, ...]
    warnings: tuple[Problem, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The bytes of a table, before anything is understood of them.

    Attributes:
        own: Name and bytes of each file that was asked for, in the order of their names.
        shipped: The same of the table that comes with the library, should it be included.
        problems: Files that could not be read.
    """

    own: tuple[tuple[str, bytes], ...]
    shipped: tuple[tuple[str, bytes], ...] = ()
    problems: tuple[Problem, ...] = ()
