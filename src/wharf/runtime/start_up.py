"""The command's modules in one file, for a quick start: all that is read, and nothing that is looked for.

To find, open and read some sixty modules takes an interpreter as long as to run them. So their code is kept in one
file, beside what the interpreter itself keeps of them, and is believed as that is: as long as time and size of each
source are the same. The first command that finds it missing or out of date writes it, where it may; where it may not,
the modules are imported as ever.

::

    length of the index (4 bytes, little-endian) │ index │ the modules' code
    index: {"version": sys.version, "start": this module's code, "modules": {name: Entry}, "first": {command: names}}
"""

from __future__ import annotations

import marshal
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, ModuleType
    from typing import Any, Final, NoReturn, TypedDict

    Entry = tuple[str, int, int, int, int]
    """File below the folder of packages, time in ns and size of that; begin and end of its code."""

    class Index(TypedDict):
        """What is where; ``first`` are the modules of a command in an order in which they can be executed."""

        version: str
        start: CodeType
        modules: dict[str, Entry]
        first: dict[str, list[str]]


_PACKAGE: Final = "__init__.py"
_OURSELVES: Final = "wharf.runtime.start_up"


def run(site: str, index: Index | None = None, content: memoryview | None = None) -> NoReturn:
    """Run the command of sys.argv with the modules below ``site``, and end this process.

    Args:
        site: the folder of packages.
        index: of the archive, if there is one.
        content: what follows the index in the archive.
    """
    if index is None or content is None or not _load(site, index, content):
        sys.path.insert(0, site)
        _renew(site)
    from wharf.runtime.cli import main  # noqa: PLC0415 - what all this is for

    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # what the interpreter tidies up at its end, the kernel does in no time


def _load(site: str, index: Index, content: memoryview) -> bool:
    """Take the modules of this command from the archive; return False if it is out of date."""
    modules, first = index["modules"], index["first"]
    names = next((first[word] for word in sys.argv[1:] if word in first), [])
    if not all(name in modules and _is_fresh(site, modules[name]) for name in (_OURSELVES, *names)):
        return False
    finder = Finder(site, modules, content)
    codes = [finder.code(name) for name in names]  # all of them, before anything of them is there
    if None in codes:
        return False
    sys.path.insert(0, site)
    sys.meta_path.insert(0, finder)
    for name in sorted(names):  # each after the package that it is in
        _make(site, name, modules[name][0])
    for name, code in zip(names, codes, strict=True):
        exec(code, sys.modules[name].__dict__)  # type: ignore[arg-type]  # noqa: S102 - our own code
    return True


def _is_fresh(site: str, entry: Entry) -> bool:
    try:
        status = os.stat(f"{site}/{entry[0]}")
    except OSError:
        return False
    return (status.st_mtime_ns, status.st_size) == entry[1:3]


def _make(site: str, name: str, file: str) -> None:
    module = type(sys)(name)
    path = f"{site}/{file}"
    module.__file__ = path
    parent, _, own = name.rpartition(".")
    module.__package__ = parent
    if file.endswith(_PACKAGE):
        module.__package__, module.__path__ = name, [os.path.dirname(path)]
    sys.modules[name] = module
    if parent:
        setattr(sys.modules[parent], own, module)


class Finder:
    """Finds, for the import system, the modules that only some containers ask for."""

    __slots__ = ("_codes", "_content", "_modules", "_site")

    def __init__(self, site: str, modules: dict[str, Entry], content: memoryview) -> None:
        self._site = site
        self._modules = modules
        self._content = content
        self._codes: dict[str, CodeType] = {}

    def code(self, name: str) -> CodeType | None:
        """Return a module's code; None where the archive is damaged."""
        start, end = self._modules[name][3:]
        try:
            found: Any = marshal.loads(self._content[start:end])  # noqa: S302 - our own code
        except (ValueError, EOFError, TypeError):
            return None
        return found if type(found) is type(self.code.__code__) else None

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> Any:
        """Return how to load ``name``; None if that is not in the archive as it is on the disk."""
        entry = self._modules.get(name)
        if entry is None or not _is_fresh(self._site, entry):
            return None
        code = self.code(name)
        if code is None:
            return None  # it is looked for in the files
        self._codes[name] = code
        path = f"{self._site}/{entry[0]}"
        spec: Any = type(sys.__spec__)(name, self, origin=path, is_package=path.endswith(_PACKAGE))  # type: ignore[arg-type]
        spec.has_location = True
        if spec.submodule_search_locations is not None:
            spec.submodule_search_locations.append(os.path.dirname(path))
        return spec

    def create_module(self, _spec: object) -> None:
        """Let the import system make it."""

    def exec_module(self, module: ModuleType) -> None:
        """Fill it."""
        exec(self._codes.pop(module.__name__), module.__dict__)  # noqa: S102 - our own code


def place(site: str) -> str:
    """Return where the archive is."""
    return f"{site}/wharf/runtime/__pycache__/command.{sys.implementation.cache_tag}"


def _renew(site: str) -> None:
    """Have another process write the archive, for this one has loaded modules already."""
    if not os.access(os.path.dirname(place(site)), os.W_OK):
        return
    program = f"import sys; sys.path.insert(0, {site!r}); from wharf.runtime import archive; archive.write({site!r})"
    words = [sys.executable, "-I", "-S", "-X", "no_debug_ranges", "-c", program]
    null = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in range(3)]
    os.waitpid(os.posix_spawn(words[0], words, {}, file_actions=null), 0)  # whatever it says, we go on
