"""The standard mutation operators, over the syntax tree."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
}
TWINS = {"min": "max", "max": "min", "any": "all", "all": "any"}
PLAIN = (ast.Name, ast.Call, ast.Attribute, ast.NamedExpr)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change to one module: where, what, and the function that it is in."""

    module: str
    line: int
    operator: str
    change: str
    function: str | None
    """The outermost function's qualified name; None for what runs at import."""
    first_line: int
    path: tuple[tuple[str, int | None], ...]
    changed: ast.AST

    @property
    def name(self) -> str:
        return f"{self.module}:{self.line} [{self.operator}] {self.change}"


def mutants(module: str, source: str) -> Iterator[Mutant]:
    """Yield every mutant of a module; a tree is only copied when one is compiled."""
    tree = ast.parse(source)
    for path, function, first_line in _places(tree):
        node = _at(tree, path)
        line = int(getattr(node, "lineno", 0)) or int(getattr(_at(tree, path[:-1]), "lineno", 0))
        for operator, changed in _changes(node):
            change = f"{_text(node)} → {_text(changed)}"
            yield Mutant(module, line, operator, change, function, first_line, path, changed)


def mutated(source: str, mutant: Mutant, filename: str) -> CodeType:
    """Compile the module with one mutant in it."""
    tree = ast.parse(source)
    _put(tree, mutant.path, copy.deepcopy(mutant.changed))
    ast.fix_missing_locations(tree)
    return compile(tree, filename, "exec", dont_inherit=True)


UNTYPED = (ast.AnnAssign, ast.arg)
Step = tuple[str, int | None]
Place = tuple[tuple[Step, ...], str | None, int]


def _places(tree: ast.Module) -> list[Place]:
    """Every node that may change: no annotation, docstring, assertion or type-checking block."""
    found: list[Place] = []

    def walk(
        node: ast.AST, path: tuple[Step, ...], names: str, home: tuple[str, int] | None
    ) -> None:
        if isinstance(node, ast.Assert) or _is_docstring(node) or _is_typing_block(node):
            return
        found.append((path, home[0] if home else None, home[1] if home else 0))
        inside = isinstance(node, (*FUNCTIONS, ast.ClassDef))
        full = f"{names}{node.name}" if isinstance(node, (*FUNCTIONS, ast.ClassDef)) else names
        for field, value in ast.iter_fields(node):
            if field in {"annotation", "returns", "decorator_list", "bases", "keywords"} and (
                inside or isinstance(node, UNTYPED)
            ):
                continue
            below = home
            if home is None and field == "body" and isinstance(node, FUNCTIONS):
                first = min((node.lineno, *(one.lineno for one in node.decorator_list)))
                below = (full, first)
            prefix = f"{full}." if inside else names
            children = enumerate(value) if isinstance(value, list) else [(None, value)]
            for index, child in children:
                if isinstance(child, ast.AST):
                    walk(child, (*path, (field, index)), prefix, below)

    walk(tree, (), "", None)
    return found


def _is_docstring(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _is_typing_block(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and _text(node.test) == "TYPE_CHECKING"


def _changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yield the operator's name and the node that takes this one's place."""
    match node:
        case ast.Compare():
            for index, one in enumerate(node.ops):
                changed = copy.deepcopy(node)
                changed.ops[index] = COMPARISONS[type(one)]()
                yield "comparison", changed
        case ast.BinOp() | ast.AugAssign() if type(node.op) in ARITHMETIC:
            changed_op = copy.deepcopy(node)
            changed_op.op = ARITHMETIC[type(node.op)]()
            yield "arithmetic", changed_op
        case ast.BoolOp():
            other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield "boolean", ast.BoolOp(op=other, values=node.values)
            for index in range(len(node.values)):
                rest = [*node.values[:index], *node.values[index + 1 :]]
                left = ast.BoolOp(op=node.op, values=rest) if len(rest) > 1 else rest[0]
                yield "drop condition", left
        case ast.UnaryOp(op=ast.Not()):
            yield "remove not", node.operand
        case ast.Constant(value=bool()):
            yield "constant", ast.Constant(not node.value)
        case ast.Constant(value=int()):
            yield "constant", ast.Constant(node.value + 1)  # type: ignore[operator]
            if node.value:
                yield "constant", ast.Constant(node.value - 1)  # type: ignore[operator]
        case ast.Name(id="min" | "max" | "any" | "all", ctx=ast.Load()):
            yield "twin", ast.Name(id=TWINS[node.id], ctx=ast.Load())
        case _:
            yield from _statements(node)


def _statements(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    match node:
        case ast.Return(value=ast.expr() as value) if _text(value) != "None":
            yield "return none", ast.Return(value=ast.Constant(None))
        case ast.Expr(value=ast.Call()) | ast.Raise():
            yield "remove statement", ast.Pass()
        case ast.Break():
            yield "loop", ast.Continue()
        case ast.Continue():
            yield "loop", ast.Break()
        case ast.If() | ast.IfExp() | ast.While() if isinstance(node.test, PLAIN):
            changed = copy.deepcopy(node)
            changed.test = ast.UnaryOp(op=ast.Not(), operand=changed.test)
            yield "negate condition", changed
        case ast.comprehension():
            for index in range(len(node.ifs)):
                rest = copy.deepcopy(node)
                del rest.ifs[index]
                yield "drop condition", rest
        case ast.match_case(guard=ast.expr()):
            open_case = copy.deepcopy(node)
            open_case.guard = None
            yield "drop condition", open_case
        case _:
            pass


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.match_case):
        guard = f" if {ast.unparse(node.guard)}" if node.guard else ""
        return f"case {ast.unparse(node.pattern)}{guard}"
    if isinstance(node, (ast.If, ast.While)):
        return f"if {ast.unparse(node.test)}"
    return " ".join(ast.unparse(node).split())


def _at(tree: ast.AST, path: tuple[Step, ...]) -> ast.AST:
    for field, index in path:
        value = getattr(tree, field)
        tree = value if index is None else value[index]
    return tree


def _put(tree: ast.AST, path: tuple[Step, ...], changed: ast.AST) -> None:
    (field, index), above = path[-1], _at(tree, path[:-1])
    old = _at(tree, path)
    if isinstance(old, (ast.expr, ast.stmt)) and isinstance(changed, (ast.expr, ast.stmt)):
        ast.copy_location(changed, old)
    if index is None:
        setattr(above, field, changed)
    else:
        getattr(above, field)[index] = changed
