"""Writes the archive that :mod:`wharf.runtime.start_up` reads."""

from __future__ import annotations
import __future__

import ast
import errno
import marshal
import os
import sys
from importlib.machinery import ExtensionFileLoader, PathFinder
from itertools import accumulate, pairwise

from wharf.kernel.libc import suppress_errno
from wharf.runtime import start_up

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.machinery import ModuleSpec
    from types import CodeType, ModuleType
    from typing import Final

    from wharf.runtime.start_up import Head, Place, Section, Stamp

_FOLDERS: Final = ("runtime", "runtime/commands", "kernel", "kernel/cgroup")
_USUAL: Final = {
    "lifecycle": ("wharf.lib.signals",),
    "create": ("wharf.kernel.cgroup.plan", "wharf.kernel.rlimit"),
    "execute": (
        "wharf.runtime.sealing",
        "wharf.kernel.exe_file",
        "wharf.kernel.memfd",
        "wharf.runtime.execution",
        "wharf.kernel.rlimit",
    ),
}
"""What commands load only when they are asked for it, as nearly all containers of `spec` and of engines ask."""

_WITHOUT_TEXTS: Final = 2  # neither docstrings nor assertions, which state what cannot happen


def write(site: str) -> None:
    """Write the archive of the package below ``site``, whole or not at all."""
    path = start_up.path_of(site)
    temporary = f"{path}.{os.getpid()}"
    with suppress_errno(errno.ENOENT):
        os.unlink(temporary)
    # Whoever can write to it decides what root executes: the caller's umask has no say in that.
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    with open(fd, "wb") as file:
        os.fchmod(fd, 0o644)
        file.write(collect(site))
        file.flush()
        os.fsync(fd)
    os.replace(temporary, path)


def collect(site: str) -> bytes:
    """Return the archive of the package below ``site``, which is the one that this process imports."""
    from wharf.runtime.cli import COMMANDS  # noqa: PLC0415 - it is imported anew below

    commands = {"": "", **{command: module for command, (module, _, _) in COMMANDS.items()}}
    orders = {module: _order(module) for module in dict.fromkeys(commands.values())}
    names = {name for order in orders.values() for name in order}
    # Who changes a source while it is read makes its stamp one that is out of date.
    stamps = {_name(file): _stamp(site, file) for file in _files(site, names)}
    codes = {name: _compile(site, stamp[0]) for name, stamp in stamps.items()}
    parts = [marshal.dumps(_section(order, stamps, codes)) for order in orders.values()]  # type: ignore[arg-type]
    return _join(parts, list(orders), commands, stamps, codes)


def _section(order: list[str], stamps: dict[str, Stamp], codes: dict[str, CodeType]) -> Section:
    """Return what a command loads; one object, for then what its modules share is read once."""
    libraries = {name for name in sys.modules if name.startswith("_")}
    return {
        "files": [(name, stamps[name]) for name in sorted({*order, start_up.__name__})],
        "first": order,
        "codes": [codes[name] for name in order],
        "libraries": {name: path for name in sorted(libraries) if (path := _library(name))},
    }


def _library(name: str) -> str:
    """Return the file of a module in C that has one."""
    loader = getattr(sys.modules[name], "__loader__", None)
    return os.path.abspath(loader.path) if isinstance(loader, ExtensionFileLoader) else ""


def _join(
    parts: list[bytes],
    modules: list[str],
    commands: dict[str, str],
    stamps: dict[str, Stamp],
    codes: dict[str, CodeType],
) -> bytes:
    """Return the parts, those of ``modules``, and all codes one by one, behind a head that says where they are."""
    parts = [*parts, *(marshal.dumps(code) for code in codes.values())]
    places = _places(parts)
    rest = dict(zip(codes, zip(stamps.values(), places[len(modules) :], strict=True), strict=True))
    parts.append(marshal.dumps(rest))
    head: Head = {
        "version": sys.version,
        "os": codes["wharf.runtime.light_os"],
        "start": codes[start_up.__name__],
        "sections": {command: places[modules.index(module)] for command, module in commands.items()},
        "rest": _places(parts)[-1],
    }
    content = marshal.dumps(head)  # type: ignore[arg-type]  # typeshed knows no TypedDict here
    assert len(content) <= start_up.HEAD_BYTES
    return b"".join([content.ljust(start_up.HEAD_BYTES, b"\0"), *parts])


def _places(parts: Iterable[bytes]) -> list[Place]:
    ends = list(accumulate(map(len, parts), initial=start_up.HEAD_BYTES))
    return list(pairwise(ends))


def _files(site: str, names: Iterable[str]) -> list[str]:
    """Return the files of the modules ``names``, and of all in the folders of what some containers need."""
    loaded = {_file(site, name) for name in (start_up.__name__, *names)}
    found = (f"wharf/{folder}/{name}" for folder in _FOLDERS for name in os.listdir(f"{site}/wharf/{folder}"))
    return sorted(loaded.union(file for file in found if file.endswith(".py")))


def _file(site: str, name: str) -> str:
    path = name.replace(".", "/")
    return f"{path}/__init__.py" if os.path.isdir(f"{site}/{path}") else f"{path}.py"


def _name(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _stamp(site: str, file: str) -> Stamp:
    status = os.stat(f"{site}/{file}")
    return file, status.st_mtime_ns, status.st_size


def _compile(site: str, file: str) -> CodeType:
    with open(f"{site}/{file}", "rb") as source:
        tree = _Untyped().visit(ast.parse(source.read(), f"{site}/{file}"))
    flags = __future__.annotations.compiler_flag  # its import is taken away
    code: CodeType = compile(tree, f"{site}/{file}", "exec", flags, dont_inherit=True, optimize=_WITHOUT_TEXTS)
    return code


class _Untyped(ast.NodeTransformer):
    """Takes away what only type checkers read: it would be loaded, and executed, by each command.

    The annotations of classes stay, for they can mean something.
    """

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        for statement in node.body:
            if not isinstance(statement, ast.AnnAssign):
                self.visit(statement)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return ast.copy_location(ast.Pass(), node)
        return ast.copy_location(ast.Assign([node.target], self.visit(node.value)), node)

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.AST]:
        self.generic_visit(node)
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return [*node.orelse] or ast.copy_location(ast.Pass(), node)
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        if node.module == "__future__":  # the compiler is told of the only one that means anything in our time
            return ast.copy_location(ast.Pass(), node)
        return node


class _Watch:
    """Sees modules of the package being imported; ``done`` are their names, each after those that it needs."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def find_spec(self, name: str, path: list[str] | None = None, _target: object = None) -> ModuleSpec | None:
        if name.partition(".")[0] != "wharf":
            return None
        spec = PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                load(module)
                self.done.append(module.__name__)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _order(module: str) -> list[str]:
    """Return what a command's module loads, in the order in which it can be executed; packages before all else."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "wharf"]:
        del sys.modules[name]
    watch = _Watch()
    sys.meta_path.insert(0, watch)  # type: ignore[arg-type]
    try:
        __import__("wharf.runtime.cli")
        if module:
            __import__(f"wharf.runtime.commands.{module}")
        for name in _USUAL.get(module, ()):
            __import__(name)
        __import__("wharf.runtime.log")
    finally:
        sys.meta_path.remove(watch)  # type: ignore[arg-type]
    return watch.done
