"""Writes the archive that :mod:`wharf.runtime.start_up` reads."""

from __future__ import annotations

import errno
import marshal
import os
import sys
from importlib.machinery import PathFinder

from wharf.kernel.libc import suppress_errno
from wharf.runtime import start_up

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.machinery import ModuleSpec
    from types import CodeType, ModuleType
    from typing import Final

    from wharf.runtime.start_up import Entry, Index

_FOLDERS: Final = ("runtime", "runtime/commands", "kernel", "kernel/cgroup")
_WITHOUT_TEXTS: Final = 2  # neither docstrings nor assertions, which state what cannot happen


def write(site: str) -> None:
    """Write the archive of the package below ``site``, whole or not at all."""
    path = start_up.place(site)
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

    orders = {module: _order(module) for module, _, _ in COMMANDS.values()}
    names = {name for order in orders.values() for name in order}
    sources = [(file, os.stat(f"{site}/{file}")) for file in _files(site, names)]  # before they are read: see below
    codes = [marshal.dumps(_compile(site, file)) for file, _ in sources]
    modules: dict[str, Entry] = {}
    index: Index = {
        "version": sys.version,
        "start": _compile(site, "wharf/runtime/start_up.py"),
        "modules": modules,
        "first": {command: orders[module] for command, (module, _, _) in COMMANDS.items()},
    }
    at = 0
    for (file, status), code in zip(sources, codes, strict=True):
        # Who changes a source while it is read makes its entry one that is out of date.
        modules[_name(file)] = (file, status.st_mtime_ns, status.st_size, at, at + len(code))
        at += len(code)
    head = marshal.dumps(index)  # type: ignore[arg-type]  # typeshed knows no TypedDict here
    return len(head).to_bytes(4, "little") + head + b"".join(codes)


def _files(site: str, names: Iterable[str]) -> list[str]:
    """Return the files of the modules ``names``, and of all in the folders of what some containers need."""
    loaded = {_file(site, name) for name in names}
    found = (f"wharf/{folder}/{name}" for folder in _FOLDERS for name in os.listdir(f"{site}/wharf/{folder}"))
    return sorted(loaded.union(file for file in found if file.endswith(".py")))


def _file(site: str, name: str) -> str:
    path = name.replace(".", "/")
    return f"{path}/__init__.py" if os.path.isdir(f"{site}/{path}") else f"{path}.py"


def _name(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _compile(site: str, file: str) -> CodeType:
    with open(f"{site}/{file}", "rb") as source:
        code: CodeType = compile(source.read(), f"{site}/{file}", "exec", dont_inherit=True, optimize=_WITHOUT_TEXTS)
    return code


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
        __import__(f"wharf.runtime.commands.{module}")
        __import__("wharf.runtime.log")
    finally:
        sys.meta_path.remove(watch)  # type: ignore[arg-type]
    return watch.done
