"""The command's modules in one file, for a quick start: all that is read, and nothing that is looked for.

To find, open and read some sixty modules takes an interpreter as long as to run them. So their code is kept in one
file, beside what the interpreter itself keeps of them, and is believed as that is: as long as time and size of each
source are the same. The first command that finds it missing or out of date writes it, where it may; where it may not,
the modules are imported as ever. Each command has a section of its own, one object to be read at once.

::

    head, HEAD_BYTES long │ sections │ modules, each by itself │ where those are: what only some containers ask for
    head:    {"version": sys.version, "os": code of light_os, to be executed first, "start": this module's code,
              "sections": {command: place}, "rest": place};
             "" is the command of who gives none
    section: {"files": [(name, Stamp)], "first": names, "codes": code, "libraries": {name: path}}
    rest:    {name: (Stamp, place of the module's code)}
"""

from __future__ import annotations

import gc
import marshal
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, ModuleType
    from typing import Any, Final, NoReturn, TypedDict

    Place = tuple[int, int]
    """Begin and end in the file."""
    Stamp = tuple[str, int, int]
    """File below the folder of packages, its time in ns and its size."""
    Rest = dict[str, tuple[Stamp, Place]]

    class Head(TypedDict):
        """What is where."""

        version: str
        os: CodeType
        start: CodeType
        sections: dict[str, Place]
        rest: Place

    class Section(TypedDict):
        """A command's modules.

        ``files`` has each after the package that it is in; ``codes`` are those of the names in ``first``, an order in
        which they can be executed. ``libraries`` are the interpreter's own modules that are written in C.
        """

        files: list[tuple[str, Stamp]]
        first: list[str]
        codes: list[CodeType]
        libraries: dict[str, str]


HEAD_BYTES: Final = 1 << 14
"""What the command's script reads at first."""
_PACKAGE: Final = "__init__.py"


def run(site: str, head: Head | None = None, fd: int = -1) -> NoReturn:
    """Run the command of sys.argv with the modules below ``site``, and end this process.

    Args:
        site: the folder of packages.
        head: of the archive, if there is one.
        fd: the archive; closed.
    """
    gc.disable()  # nothing here lives long enough
    loaded = head is not None and load(site, head, fd)
    if fd != -1:
        os.close(fd)
    if not loaded:
        sys.path.insert(0, site)
        _renew(site)
    from wharf.runtime.cli import main  # noqa: PLC0415 - what all this is for

    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # what the interpreter tidies up at its end, the kernel does in no time


def load(site: str, head: Head, fd: int) -> bool:
    """Take the modules of this command from the archive; return False if it is out of date."""
    sections = head["sections"]
    place = next((sections[word] for word in sys.argv[1:] if word in sections), sections[""])
    section: Section | None = _read(fd, place)
    if section is None:
        return False
    for _, stamp in section["files"]:
        if not _is_fresh(site, stamp):
            return False
    sys.path.insert(0, site)
    sys.meta_path.insert(0, Finder(site, head["rest"], os.fstat(fd), section["libraries"]))
    modules = sys.modules
    for name, stamp in section["files"]:
        if name != __name__:
            _make(site, name, stamp[0])
    for name, code in zip(section["first"], section["codes"], strict=True):
        exec(code, modules[name].__dict__)  # noqa: S102 - our own code
    return True


def _read(fd: int, place: Place) -> Any:
    """Return the object at ``place`` of the archive; None where there is none, or it is damaged."""
    start, end = place
    try:
        return marshal.loads(os.pread(fd, end - start, start))  # noqa: S302 - our own code
    except (OSError, ValueError, EOFError, TypeError):
        return None


def _is_fresh(site: str, stamp: Stamp) -> bool:
    try:
        status = os.stat(f"{site}/{stamp[0]}")
    except OSError:
        return False
    return status.st_mtime_ns == stamp[1] and status.st_size == stamp[2]


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
    """Finds, for the import system, the modules that only some containers ask for, and libraries without a search."""

    __slots__ = ("_libraries", "_place", "_rest", "_site", "_status")

    def __init__(self, site: str, place: Place, status: os.stat_result, libraries: dict[str, str]) -> None:
        self._site = site
        self._place = place
        self._status = status
        self._libraries = libraries
        self._rest: Rest | None = None

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> Any:
        """Return how to load ``name``; None if that is not in the archive as it is on the disk, and whole."""
        if name in self._libraries:
            return self._library(name, self._libraries[name])
        found = self._module(name) if name.startswith("wharf.") else None
        if found is None:
            return None  # it is looked for in the files
        path, code = found
        spec: Any = type(sys.__spec__)(name, self, origin=path, is_package=path.endswith(_PACKAGE))  # type: ignore[arg-type]
        spec.has_location = True
        spec.loader_state = code
        if spec.submodule_search_locations is not None:
            spec.submodule_search_locations.append(os.path.dirname(path))
        return spec

    def _module(self, name: str) -> tuple[str, CodeType] | None:
        """Return a module's file and code; None if the archive has it not, or is another one by now."""
        try:
            fd = os.open(path_of(self._site), os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            if not os.path.samestat(os.fstat(fd), self._status):
                return None
            if self._rest is None:
                self._rest = _read(fd, self._place) or {}
            if name not in self._rest:
                return None
            stamp, place = self._rest[name]
            code: CodeType | None = _read(fd, place) if _is_fresh(self._site, stamp) else None
        finally:
            os.close(fd)
        return None if code is None else (f"{self._site}/{stamp[0]}", code)

    def _library(self, name: str, path: str) -> Any:
        if not os.path.exists(path):
            return None
        from _frozen_importlib_external import (  # noqa: PLC0415 - importlib.machinery would have to be found
            ExtensionFileLoader,
            spec_from_file_location,
        )

        return spec_from_file_location(name, path, loader=ExtensionFileLoader(name, path))

    def create_module(self, _spec: object) -> None:
        """Let the import system make it."""

    def exec_module(self, module: ModuleType) -> None:
        """Fill it."""
        spec: Any = module.__spec__
        exec(spec.loader_state, module.__dict__)  # noqa: S102 - our own code


def path_of(site: str) -> str:
    """Return where the archive is."""
    return f"{site}/wharf/runtime/__pycache__/command.{sys.implementation.cache_tag}"


def _renew(site: str) -> None:
    """Have another process write the archive, for this one has loaded modules already."""
    if not os.access(os.path.dirname(path_of(site)), os.W_OK):
        return
    program = f"import sys; sys.path.insert(0, {site!r}); from wharf.runtime import archive; archive.write({site!r})"
    words = [sys.executable, "-I", "-S", "-X", "no_debug_ranges", "-c", program]
    null = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in range(3)]
    os.waitpid(os.posix_spawn(words[0], words, {}, file_actions=null), 0)  # whatever it says, we go on
