"""The archive of a build context: what the ignore file leaves, owned by root, in a fixed order."""

from __future__ import annotations

import os
import secrets
import stat
import tarfile

from wharf.errors import InvalidArgument
from wharf.lib.ignore import Matcher, read_patterns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 1 << 18
_IGNORE = ".dockerignore"


class Context:
    """A folder to be sent, and where in the archive its Dockerfile is.

    Raises:
        InvalidArgument: there is no such folder or Dockerfile, or the ignore file is malformed.
    """

    def __init__(self, folder: str, dockerfile: str = "", text: bytes | None = None) -> None:
        """Look at the folder.

        Args:
            folder: Its path.
            dockerfile: The Dockerfile's path; by default the one in the folder.
            text: The Dockerfile itself, when it is not a file (``-f -``).
        """
        if not os.path.isdir(folder):
            raise InvalidArgument(f'unable to prepare context: path "{folder}" not found')
        self._folder = folder
        self._extra: bytes | None = text
        path = dockerfile or os.path.join(folder, "Dockerfile")
        if text is None:
            self.dockerfile = self._inside(path)
        else:
            self.dockerfile = f".dockerfile.{secrets.token_hex(10)}"
        self._matcher = self._read_ignore("" if text is not None else path)

    def _inside(self, path: str) -> str:
        """Return the Dockerfile's name in the archive; one outside of the context is put in under another name."""
        if not os.path.isfile(path):
            raise InvalidArgument(f"unable to prepare context: there is no Dockerfile {path}")
        relative = os.path.relpath(os.path.realpath(path), os.path.realpath(self._folder))
        if not relative.startswith(".."):
            return relative
        with open(path, "rb") as file:
            self._extra = file.read()
        return f".dockerfile.{secrets.token_hex(10)}"

    def _read_ignore(self, dockerfile: str) -> Matcher:
        own = f"{dockerfile}{_IGNORE}"
        path = own if dockerfile and os.path.isfile(own) else os.path.join(self._folder, _IGNORE)
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a fifo would be waited for
            with open(fd, encoding="utf-8", errors="surrogateescape") as file:
                return Matcher(read_patterns(file.read()))
        except FileNotFoundError:
            return Matcher([])
        except OSError as error:
            said = (error.strerror or "").lower()
            raise InvalidArgument(f"error reading {os.path.basename(path)}: {said}") from error
        except ValueError as error:
            raise InvalidArgument(f"error checking context: {error}") from error

    def archive(self) -> Iterator[bytes]:
        """Yield the archive."""
        for path in self._paths():
            yield from self._member(path)
        if self._extra is not None:
            head = tarfile.TarInfo(self.dockerfile)
            head.size = len(self._extra)
            yield head.tobuf(tarfile.PAX_FORMAT) + self._extra + bytes(-head.size % tarfile.BLOCKSIZE)
        yield bytes(2 * tarfile.BLOCKSIZE)

    def _paths(self) -> Iterator[str]:
        """Yield what is sent, relative to the folder; the Dockerfile and the ignore file always are."""
        kept = {self.dockerfile, _IGNORE}
        for top, folders, names in os.walk(self._folder):
            relative = os.path.relpath(top, self._folder)
            prefix = "" if relative == "." else relative + "/"
            folders.sort()
            names += [name for name in folders if os.path.islink(os.path.join(top, name))]
            folders[:] = [name for name in folders if not os.path.islink(os.path.join(top, name))]
            for name in sorted(folders):
                if not self._matcher.matches(prefix + name):
                    yield prefix + name
                elif not self._matcher.has_exceptions and not any(k.startswith(f"{prefix}{name}/") for k in kept):
                    folders.remove(name)
            for name in sorted(names):
                if prefix + name in kept or not self._matcher.matches(prefix + name):
                    yield prefix + name

    def _member(self, path: str) -> Iterator[bytes]:
        full = os.path.join(self._folder, path)
        status = os.lstat(full)
        head = tarfile.TarInfo(path)
        head.mode, head.mtime = stat.S_IMODE(status.st_mode), status.st_mtime
        if stat.S_ISDIR(status.st_mode):
            head.type = tarfile.DIRTYPE
        elif stat.S_ISLNK(status.st_mode):
            head.type, head.linkname = tarfile.SYMTYPE, os.readlink(full)
        elif stat.S_ISREG(status.st_mode):
            yield from self._file(full, head)
            return
        else:
            return  # sockets, fifos and devices are no files to build from
        yield head.tobuf(tarfile.PAX_FORMAT, errors="surrogateescape")

    def _file(self, full: str, head: tarfile.TarInfo) -> Iterator[bytes]:
        with open(full, "rb") as file:
            head.size = left = os.fstat(file.fileno()).st_size
            yield head.tobuf(tarfile.PAX_FORMAT, errors="surrogateescape")
            while left:
                data = file.read(min(_CHUNK, left))
                if not data:
                    raise InvalidArgument(f"{full} became shorter while it was read")
                left -= len(data)
                yield data
        yield bytes(-head.size % tarfile.BLOCKSIZE)
