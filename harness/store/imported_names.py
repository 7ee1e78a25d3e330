"""The names of imported results: each is a function of the text that the other tool wrote, and of nothing else.

A name of another tool becomes a valid name here. Different texts have different names, whatever else is in the file: a
text that cleaning changes beyond recognition gets a digest of itself. These texts keep their plain name:

- tasks, strategies and data sets: words in lower case joined by underscores, which become dashes (``test_fast_sort`` is
  ``test-fast-sort``); in a declared topic, whose names have dashes, words joined by dashes instead;
- parameters and metrics: identifiers of ASCII letters;
- values: numbers, truth values, and texts that a label can show and that read as nothing else.

A text that ends like a name with a digest is given one too, so that it cannot have the name of another text.

Runs that were imported before schema 1.3 have names of a former rule; `FormerNames` reads them as today's.
"""

from __future__ import annotations

import ast
import hashlib
import math
import re
from pathlib import PurePosixPath
from typing import Any

import msgspec

from harness.declare.names import SCENARIO
from harness.records import Record, Scalar, scalar
from harness.store.header import Header

_LONGEST = 80
_LONGEST_PARSED = 10_000
_EXACT = 2**53
_JOINED = {joint: re.compile(rf"[a-z0-9]+({joint}[a-z0-9]+)*") for joint in "_-"}
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_DIGEST_BYTES = 4
_RESERVED = re.compile(r"[-_][0-9a-f]{8}\Z| \(former\)\Z")
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
    fits = len(text) <= _LONGEST and not _UNFIT.search(text) and not _RESERVED.search(text)
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
    return len(text) <= _LONGEST and bool(pattern.fullmatch(text)) and not _RESERVED.search(text)


def _with_digest(clean: str, text: str, between: str = "-") -> str:
    return f"{clean[:_LONGEST].rstrip(between)}{between}{digest(text, _DIGEST_BYTES)}"


#: Marks a name that may come from several texts, so that it is nobody's name today.
AMBIGUOUS = " (former)"
IMPORT_AGAIN = "import its files again, which replaces runs of an earlier bakeoff"
_TOPICS = ("asv", "pytest-benchmark")
_IMPORTED = re.compile(r"[0-9a-f]{12}-[0-9a-f]{32}")  # the field `plan` of imported runs


class FormerNames:
    """The names of a run that was imported before schema 1.3, as they are today where that is certain.

    Formerly only names that became the same within a file got a digest, so that a name could be that of several texts.
    The titles and summaries in the header have the texts of tasks and strategies. A data set, a scenario or a value of
    which cleaning may have changed the text is marked ``(former)`` and is compared with no run of today.
    """

    def __init__(self, header: Header) -> None:
        self._tasks: dict[str, str] = {}
        self._strategies: dict[tuple[str, str], str] = {}
        titles: dict[str, str] = {}
        for task in header.tasks:
            topic, _, name = task.name.partition("/")
            if topic in _TOPICS:
                titles[task.name] = task.title
                today = slug(task.title) if _was(name, task.title) else f"{name}{AMBIGUOUS}"
                self._tasks[task.name] = f"{topic}/{today}"
        for card in header.strategies:
            if card.task in titles:
                texts = _strategy_texts(card.task.partition("/")[0], titles[card.task], card.summary)
                known = any(_was(card.name, text) for text in texts)
                self._strategies[card.task, card.name] = slug(texts[0]) if known else f"{card.name}{AMBIGUOUS}"

    @classmethod
    def of(cls, header: Header) -> FormerNames | None:
        """Return the former names of a run; ``None`` where it was not imported, or has the names of today."""
        major, _, minor = header.schema.partition(".")
        old = (int(major), int(minor) if minor.isdigit() else 0) < (1, 3)
        return cls(header) if old and _IMPORTED.fullmatch(header.plan) else None

    def header(self, header: Header) -> Header:
        """Return the header with today's names."""
        replace = msgspec.structs.replace
        return replace(
            header,
            metrics=tuple(replace(one, task=self._tasks.get(one.task, one.task)) for one in header.metrics),
            tasks=tuple(replace(one, name=self._tasks.get(one.name, one.name)) for one in header.tasks),
            strategies=tuple(
                replace(
                    one,
                    task=self._tasks.get(one.task, one.task),
                    name=self._strategies.get((one.task, one.name), one.name),
                )
                for one in header.strategies
            ),
        )

    def record(self, record: Record) -> Record:
        """Return a record with today's names."""
        trial = record.trial
        task = f"{trial.topic}/{trial.task}"
        if task not in self._tasks:
            return record
        today = msgspec.structs.replace(
            trial,
            task=self._tasks[task].partition("/")[2],
            strategy=self._strategies.get((task, trial.strategy), f"{trial.strategy}{AMBIGUOUS}"),
            dataset=trial.dataset if trial.dataset == "none" else f"{trial.dataset}{AMBIGUOUS}",
            scenario=trial.scenario if trial.scenario == "clean" else f"{trial.scenario}{AMBIGUOUS}",
            params={name: _todays_value(value, in_label=False) for name, value in trial.params.items()},
            options={name: _todays_value(value, in_label=True) for name, value in trial.options.items()},
        )
        return msgspec.structs.replace(record, trial=today)


def _strategy_texts(topic: str, task: str, summary: str) -> list[str]:
    """Return the texts that a strategy's former name may come from, today's first."""
    if topic == "asv":
        method = summary.removeprefix(f"{task}.")
        kind, _, rest = method.partition("_")
        return [rest if rest and kind in ("time", "peakmem") else method]
    module, between, test = summary.partition("::")
    if not between:
        return [summary]
    grouped = task != str(PurePosixPath(module).with_suffix("") if PurePosixPath(module).name else "tests")
    return [summary, test] if grouped else [test, summary]


def _was(name: str, text: str) -> bool:
    """Return whether a former name comes from a text."""
    plain = _former_slug(text)
    return name in (plain, _former_slug(f"{plain} {digest(text, 3)}"))


def _former_slug(text: str) -> str:
    name = "-".join(_words(text))
    return (name if len(name) <= _LONGEST else f"{name[: _LONGEST - 9]}-{digest(text, 4)}") or "unnamed"


def _todays_value(value: Scalar, *, in_label: bool) -> Scalar:
    if not isinstance(value, str) or _PLAIN_EXPRESSION.fullmatch(value):
        return value
    # Cleaning replaced what a label cannot show by dashes.
    return f"{value}{AMBIGUOUS}" if "-" in value or len(value) > _LONGEST else scalar_of(value, in_label=in_label)
