"""What a process has loaded: the files that its results can depend on, with the versions of its packages and of Python.

Two processes that ran the same trial, and loaded the same, ran the same code on the same data. Counted are

- modules, with the source of those that Python compiled earlier, also of those that were removed from ``sys.modules``;
- compiled modules and libraries, from the memory map of the process (Linux);
- files that Python opened for reading, and data bases that it opened with sqlite3.

A file in a tree of the project counts by its content and by its name within the tree, so that two checkouts compare.
Of a module in a tree only what ran counts: its top level, and the functions that were called. So a strategy that is
changed or added changes nothing for the others, though its file is loaded for all of them. A module counts whole if
it names what calls Python unseen (numba, ctypes, autograd ...), or was imported before the watch. Any other file
counts by its path, size and time of change: both processes read the same one.

What cannot be seen here is said by `Loaded.unsure`: another process, which loads files of its own, or the network. Not
seen and not said: files that compiled code opens by itself and closes again, what a test for the existence of a file
found, and code that reads the source or the line numbers of functions that it does not call.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import importlib.util
import os
import re
import resource
import sys
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import msgspec
import psutil

#: What files in a tree are named by.
TREE = "tree/"
_CACHE = "__pycache__"
_OF_THE_SYSTEM = ("/proc/", "/sys/", "/dev/")
#: Functions may run unseen where one of these is named: they are compiled, or called by threads that are not Python's.
_UNSEEN = re.compile(r"\b(numba|cython|ctypes|cffi|autograd|_thread)\b")
#: Decorators of functions that only a case of their own calls.
_DECLARING = ("strategy", "claim")
#: What a module's digest begins with if it does nothing but define and import.
_IDLE = "idle"
_STARTING = ("subprocess.Popen", "os.system", "os.fork", "os.forkpty", "os.posix_spawn", "os.exec", "os.spawn")
_STARTS = "it starts processes"


class Loaded(msgspec.Struct, frozen=True):
    """What a process has loaded.

    Attributes
    ----------
    parts
        File or package to what it is: a digest of its content, its size and time of change, or its version.
    unsure
        Why there may be more; empty if there is not.
    """

    parts: dict[str, str]
    unsure: str = ""

    def digest(self) -> str:
        """Return one digest of all parts."""
        return hashlib.blake2b(msgspec.json.encode(self.parts, order="sorted"), digest_size=16).hexdigest()

    def differing(self, other: Loaded) -> list[str]:
        """List the parts that differ, or that only one of the two has; a module that does nothing need not be there."""
        names = self.parts.keys() | other.parts.keys()
        pairs = {name: (self.parts.get(name), other.parts.get(name)) for name in names}
        return sorted(
            name
            for name, (one, two) in pairs.items()
            if one != two and not (None in (one, two) and (one or two or "").startswith(_IDLE))
        )


class Watch:
    """Notes what this process calls, opens and starts, from now on to its end: an audit hook cannot be removed."""

    def __init__(self) -> None:
        self._opened: set[str] = set()
        self._unsure = ""
        self._called: dict[int, CodeType] = {}  # by identity: code objects are compared by their content
        self._earlier = frozenset(_modules())
        self._traced = True
        self._looking = self._forked = self._forking = False
        threading.settrace(self._call)
        sys.settrace(self._call)
        sys.addaudithook(self._audit)

    def fork(self, trees: Sequence[str]) -> int:
        """Fork a child that goes on watching, to neither of which this counts as starting a process.

        Parameters
        ----------
        trees
            What the child will ask `loaded` for: what this process has loaded is looked up once for all its children.

        Returns
        -------
        int
            Of the child its process id, and in the child 0.
        """
        # Later the children of this process are those that were forked here, and nobody sees any others among them.
        if not self._forked:
            self._unsure = self.loaded(trees).unsure
        self._forked = self._forking = True
        return os.fork()

    def loaded(self, trees: Sequence[str]) -> Loaded:
        """Return what the process has loaded so far.

        Parameters
        ----------
        trees
            Folders in which the project lies; the interpreter and its packages are none of it, even within them.
        """
        # What is opened and called here does not count, and takes several times as long under the trace.
        trace = sys.gettrace()
        self._looking = True
        sys.settrace(None)
        try:
            return self._loaded(trees)
        finally:
            sys.settrace(trace)
            self._looking = False

    def _loaded(self, trees: Sequence[str]) -> Loaded:
        unsure = self._unsure or (_STARTS if _has_children() else "")
        files = {_resolved(path) for path in (*self._opened, *_modules(), *_mapped())}
        called = self._functions()
        parts: dict[str, str] = {"Python": sys.version, **_packages(tuple(sys.path))}
        # The tree of a base lies in the cache, and the cache may lie in the tree of the candidate.
        tops = sorted((_folder(tree) for tree in trees), key=len, reverse=True)
        installed = [_folder(prefix) for prefix in (sys.prefix, sys.base_prefix)]
        for path in sorted(files):
            name = _name_in(path, tops, installed)
            # Two trees may both have a file of one name, as where the base reads the data sets of the candidate.
            same = parts.get(name, "")
            ran = _ran(path, _state(path), called[path]) if name.startswith(TREE) and path in called else ""
            parts[name] = f"{same} {ran or _state(path, content=name.startswith(TREE))}".strip()
        return Loaded(parts, unsure)

    def _call(self, frame: FrameType, _event: str, _argument: object) -> None:
        self._called[id(frame.f_code)] = frame.f_code

    def _functions(self) -> dict[str, frozenset[tuple[str, int]]]:
        """Return name and first line of the functions that were called, by the modules of which that is known."""
        if not self._traced:
            return {}
        found: dict[str, set[tuple[str, int]]] = {
            _resolved(path): set() for path in set(_modules()) - self._earlier if path
        }
        for code in list(self._called.values()):  # other threads go on
            functions = found.get(_resolved(code.co_filename))
            if functions is not None:
                functions.add((code.co_name, code.co_firstlineno))
        return {path: frozenset(functions) for path, functions in found.items()}

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._looking:
            return
        if event == "open":
            path, _, flags = arguments
            if isinstance(path, str | bytes | os.PathLike) and flags & os.O_ACCMODE != os.O_WRONLY:
                self._add(os.fsdecode(path))
        elif event == "sqlite3.connect":
            if isinstance(arguments[0], str | bytes | os.PathLike):
                self._add(os.fsdecode(arguments[0]).removeprefix("file:").partition("?")[0])
        elif event == "sys.settrace":  # a debugger, say, takes its place; each new thread sets it anew
            self._traced = self._traced and sys._getframe(1).f_globals.get("__name__") == "threading"
        elif event == "os.fork" and self._forking:
            self._forking = False
        elif event.startswith(_STARTING):
            self._unsure = _STARTS
        elif event == "socket.connect":
            self._unsure = self._unsure or "it uses the network"

    def _add(self, path: str) -> None:
        source = _source(Path(path).absolute())
        if source and not source.startswith(_OF_THE_SYSTEM):
            self._opened.add(source)


def _source(path: Path) -> str:
    """Return the source of a compiled module, and nothing for what else a compiler has kept, as numba does."""
    if path.parent.name != _CACHE:
        return str(path)
    try:
        return importlib.util.source_from_cache(str(path)) if path.suffix == ".pyc" else ""
    except ValueError:
        return ""


def _modules() -> Iterator[str]:
    """Yield the files of all modules that are imported."""
    for module in list(sys.modules.values()):
        file = getattr(module, "__dict__", {}).get("__file__")
        if isinstance(file, str):
            yield _source(Path(file).absolute())


def _mapped() -> Iterator[str]:
    """Yield the files that are mapped into memory: compiled modules, the libraries that they need, and data."""
    try:
        lines = Path("/proc/self/maps").read_text(errors="surrogateescape").splitlines()
    except OSError:  # not on this system
        return
    for line in lines:
        fields = line.split(maxsplit=5)
        if len(fields) == 6 and fields[5].startswith("/") and not fields[5].startswith(_OF_THE_SYSTEM):
            yield fields[5]


@cache
def _resolved(path: str) -> str:
    return str(Path(path).resolve())


@cache
def _packages(_path: tuple[str, ...]) -> dict[str, str]:
    """Return the versions of all packages on an import path, which is that of this process."""
    versions: dict[str, str] = {}
    for package in importlib.metadata.distributions():
        # The first one on the import path is the one that is imported.
        versions.setdefault(f"package {package.metadata['Name']}", package.version)
    return versions


def _has_children() -> bool:
    """Return whether this process has started others; a child that ended has left its page faults."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return bool(ended.ru_minflt or psutil.Process().children())


def _name_in(path: str, tops: Iterable[str], installed: Sequence[str]) -> str:
    for top in tops:
        # A virtual environment may lie in the tree, and the interpreter of the system above it.
        if path.startswith(top) and not any(path.startswith(prefix) and prefix.startswith(top) for prefix in installed):
            return TREE + path.removeprefix(top)
    return path


def _folder(path: str) -> str:
    return _resolved(path) + os.sep


class _OnlyWhatRan(ast.NodeTransformer):
    """Empties the functions that were not called."""

    def __init__(self, called: Collection[tuple[str, int]]) -> None:
        self._called = called

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Keep the body of a function if it was called."""
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        """Keep the body of a function if it was called."""
        return self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        first = node.decorator_list[0].lineno if node.decorator_list else node.lineno
        if (node.name, first) in self._called:
            return self.generic_visit(node)
        node.body = []
        return node


@cache
def _ran(path: str, _state: str, called: frozenset[tuple[str, int]]) -> str:
    """Return a digest of what ran of a module in this state; empty if the whole file counts."""
    try:
        source = Path(path).read_text(encoding="utf-8")
        if _UNSEEN.search(source):
            return ""
        tree: ast.Module = _OnlyWhatRan(called).visit(ast.parse(source))
    except (OSError, ValueError, SyntaxError):
        return ""
    idle = [node for node in tree.body if isinstance(node, ast.FunctionDef) and not node.body and _only_declares(node)]
    others = [node for node in tree.body if node not in idle]
    used = {name for node in others for part in ast.walk(node) if (name := _named(part))}
    tree.body = [node for node in tree.body if node not in idle or node.name in used]
    word = _IDLE if all(_does_nothing(node) for node in tree.body) else "ran"
    return f"{word} {hashlib.blake2b(ast.dump(tree).encode(), digest_size=16).hexdigest()}"


def _only_declares(function: ast.FunctionDef) -> bool:
    """Return whether a function is decorated by nothing but a declaration, as of a strategy that another case runs."""
    return all(
        isinstance(decorator, ast.Call)
        and isinstance(decorator.func, ast.Attribute)
        and decorator.func.attr in _DECLARING
        for decorator in function.decorator_list
    )


def _named(node: ast.AST) -> str:
    """Return the name that a node may use: a variable, or a text, as in ``__all__``."""
    if isinstance(node, ast.Name):
        return node.id
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _does_nothing(node: ast.stmt) -> bool:
    """Return whether a statement only imports, defines a function, or names a value that is written there."""
    if isinstance(node, ast.FunctionDef):
        return not node.body and _only_declares(node)
    value = node.value if isinstance(node, ast.Expr | ast.Assign | ast.AnnAssign) else None
    return isinstance(node, ast.Import | ast.ImportFrom) or isinstance(value, ast.Constant)


def _state(path: str, *, content: bool = False) -> str:
    """Return what a file is: a digest of its content, or its size and time of change; that it is gone."""
    try:
        if content:
            with Path(path).open("rb") as file:
                return hashlib.file_digest(file, "blake2b").hexdigest()[:32]
        status = Path(path).stat()
    except OSError:
        return "gone"
    return f"{status.st_size} {status.st_mtime_ns}"
