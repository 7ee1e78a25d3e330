"""The names of imported results: each is a function of the text that the other tool wrote, and of nothing else.

A name of another tool becomes a valid name here. Different texts have different names, whatever else is in the file: a
text that cleaning changes beyond recognition gets a digest of itself. These texts keep their plain name:

- tasks, strategies and data sets: words in lower case joined by underscores, which become dashes (``test_fast_sort`` is
  ``test-fast-sort``); in a declared topic, whose names have dashes, words joined by dashes instead;
- parameters and metrics: identifiers of ASCII letters;
- values: numbers, truth values, and texts that a label can show and that read as nothing else.

A text that ends like a name with a digest is given one too, so that it cannot have the name of another text.
"""

from __future__ import annotations

import ast
import hashlib
import math
import re
from typing import Any

from harness.declare.names import SCENARIO
from harness.records import Scalar, scalar

_LONGEST = 80
_LONGEST_PARSED = 10_000
_EXACT = 2**53
_JOINED = {joint: re.compile(rf"[a-z0-9]+({joint}[a-z0-9]+)*") for joint in "_-"}
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_DIGEST_BYTES = 4
_WITH_DIGEST = re.compile(r"[-_][0-9a-f]{8}\Z")
# Characters at which labels are split, and control characters, which no line of a table can show.
_UNFIT = re.compile(r"[\[\],=\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_PLAIN_EXPRESSION = re.compile(r"None|nan|-?inf|<.*>")


class Expression(str):
    """The text of a value that is neither a number, nor a truth value, nor itself a text: ``None``, ``(1, 2)``."""

    __slots__ = ()


def slug(text: str, joint: str = "_") -> str:
    """Write a text in lower-case letters, digits and dashes; plain where it is words joined by `joint`."""
    name = "-".join(_words(text))
    return name if _is_plain(text, _JOINED[joint]) else _with_digest(name or "unnamed", text)


def scenario(text: str) -> str:
    """Write a text as the name of a scenario; plain where a declaration could have that name."""
    return text if _is_plain(text, SCENARIO) else _with_digest("-".join(_words(text)) or "unnamed", text)


def identifier(text: str) -> str:
    """Write a text as the name of a parameter or a metric; plain where it is an identifier of ASCII letters."""
    if _is_plain(text, _IDENTIFIER):
        return text
    name = "_".join(_words(text))
    return _with_digest(name if name[:1].isalpha() else f"p_{name}".rstrip("_"), text, "_")


def scalar_of(value: Any, *, in_label: bool = True) -> Scalar:
    """Convert a parameter's value: numbers and truth values stay as they are, everything else becomes text.

    Parameters
    ----------
    in_label
        Whether the value is part of a label, where a text that reads as a number could be taken for that number.
    """
    if isinstance(value, bool) or (isinstance(value, int) and abs(value) <= _EXACT):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    text = str(value)
    if isinstance(value, str) and not isinstance(value, Expression):
        kind, plain = "text", not _PLAIN_EXPRESSION.fullmatch(text) and (not in_label or isinstance(scalar(text), str))
    else:
        kind, plain = "expression", bool(_PLAIN_EXPRESSION.fullmatch(text))
    fits = len(text) <= _LONGEST and not _UNFIT.search(text) and not _WITH_DIGEST.search(text)
    return text if plain and fits else _with_digest(_UNFIT.sub("-", text), f"{kind} {text}")


def expression(text: str) -> Expression:
    """Take the text of an expression; the elements of sets in it are sorted, as their order differs from run to run."""
    if "{" in text and len(text) <= _LONGEST_PARSED:
        try:
            tree = ast.parse(text, mode="eval")
            if any(isinstance(node, ast.Set) for node in ast.walk(tree)):
                return Expression(ast.unparse(_SortedSets().visit(tree)))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            pass  # the text of an object of some class need not be Python
    return Expression(text)


class _SortedSets(ast.NodeTransformer):
    def visit_Set(self, node: ast.Set) -> ast.AST:
        self.generic_visit(node)
        node.elts.sort(key=ast.unparse)
        return node


def digest(text: str, size: int) -> str:
    """Return `size` bytes of BLAKE2b over a text, in hexadecimal digits."""
    return hashlib.blake2b(text.encode(), digest_size=size).hexdigest()


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def _is_plain(text: str, pattern: re.Pattern[str]) -> bool:
    return len(text) <= _LONGEST and bool(pattern.fullmatch(text)) and not _WITH_DIGEST.search(text)


def _with_digest(clean: str, text: str, between: str = "-") -> str:
    return f"{clean[:_LONGEST].rstrip(between)}{between}{digest(text, _DIGEST_BYTES)}"
