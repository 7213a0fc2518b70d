"""Changes of files: BuildKit's is a graph of its own, of actions that work on inputs and on each other's outputs.

Ours is a line of actions on one base. So each output becomes the line that leads to it; equal lines are one vertex.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from wharf.build.graph.operations import (
    Copy,
    File,
    FileAction,
    MakeFile,
    MakeFolder,
    MakeLink,
    Owner,
    Remove,
)
from wharf.build.graph.vertex import Edge, Vertex
from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.spec.buildkit import ops_pb2 as pb

_NOTHING: Final = -1


@dataclass(frozen=True, slots=True)
class _Line:
    """Actions on a base, and the inputs that they name: the base first, if there is one."""

    base: Edge | None
    actions: tuple[FileAction, ...] = ()
    inputs: tuple[Edge, ...] = ()

    def vertex(self) -> Vertex:
        """Return what does it."""
        return Vertex(File(self.actions, base=0 if self.base else -1), self.inputs)


def chains_of(op: pb.FileOp, inputs: Sequence[Edge]) -> Iterator[tuple[int, str, Vertex]]:
    """Yield each output of an operation: its number, what it is called, and what makes it.

    Raises:
        InvalidArgument: an action names what is not there.
        NotImplementedHere: an action is not supported; with its name.
    """
    lines: list[_Line] = []
    names: list[str] = []
    for action in op.actions:
        line = _based(action.input, inputs, lines)
        lines.append(_continued(line, action, inputs, lines))
        names.append(_named(action))
        if action.output >= 0:
            yield action.output, ", ".join(names), lines[-1].vertex()


def _based(place: int, inputs: Sequence[Edge], lines: Sequence[_Line]) -> _Line:
    """Return the line that an action goes on: an input, an earlier action's, or nothing."""
    if place == _NOTHING:
        return _Line(None)
    if 0 <= place < len(inputs):
        return _Line(inputs[place], (), (inputs[place],))
    return lines[_earlier(place, inputs, lines)]


def _earlier(place: int, inputs: Sequence[Edge], lines: Sequence[_Line]) -> int:
    number = place - len(inputs)
    if not 0 <= number < len(lines):
        raise InvalidArgument(f"an action on an input that is not there: {place}")
    return number


def _continued(line: _Line, action: pb.FileAction, inputs: Sequence[Edge], lines: Sequence[_Line]) -> _Line:
    match action.WhichOneof("action"):
        case "copy":
            return _with_copy(line, action, inputs, lines)
        case "mkfile":
            one = action.mkfile
            made: FileAction = MakeFile(_clean(one.path), one.data, one.mode, _owner(one.owner), _time(one.timestamp))
        case "mkdir":
            two = action.mkdir
            made = MakeFolder(
                _clean(two.path), two.mode, two.makeParents, owner=_owner(two.owner), created_ns=_time(two.timestamp)
            )
        case "symlink":
            three = action.symlink
            made = MakeLink(_clean(three.newpath), three.oldpath, _owner(three.owner), _time(three.timestamp))
        case "rm":
            gone = action.rm
            made = Remove(_clean(gone.path), allow_missing=gone.allowNotFound, wildcards=gone.allowWildcard)
        case kind:
            raise NotImplementedHere(f"file actions of the kind {kind} are not supported by this build of wharf")
    return replace(line, actions=(*line.actions, made))


def _with_copy(line: _Line, action: pb.FileAction, inputs: Sequence[Edge], lines: Sequence[_Line]) -> _Line:
    """Return the line with a copy; its source is an input, or an earlier action's output."""
    place, copy = action.secondaryInput, action.copy
    if copy.alwaysReplaceExistingDestPaths:
        raise NotImplementedHere("alwaysReplaceExistingDestPaths of a copy is not supported by this build of wharf")
    if place == _NOTHING:
        raise InvalidArgument("a copy of nothing")
    source = inputs[place] if 0 <= place < len(inputs) else lines[_earlier(place, inputs, lines)].vertex().output()
    first = 1 if line.base else 0  # the base is changed: its first state would be another input
    known = [edge.name for edge in line.inputs[first:]]
    index = first + known.index(source.name) if source.name in known else len(line.inputs)
    more = line.inputs if source.name in known else (*line.inputs, source)
    made = Copy(
        input=index,
        source=_clean(copy.src),
        destination=_clean(copy.dest) + ("/" if copy.dest.endswith("/") and _clean(copy.dest) != "/" else ""),
        owner=_owner(copy.owner) if copy.HasField("owner") else None,
        mode=copy.modeStr or (f"{copy.mode:o}" if copy.mode >= 0 else ""),
        follow_links=copy.followSymlink,
        contents_only=copy.dirCopyContents,
        unpack=copy.attemptUnpackDockerCompatibility,
        create_parents=copy.createDestPath,
        wildcards=copy.allowWildcard,
        allow_empty=copy.allowEmptyWildcard,
        include=tuple(copy.include_patterns),
        exclude=tuple(copy.exclude_patterns),
        required=tuple(copy.required_paths),
        created_ns=_time(copy.timestamp),
    )
    return replace(line, actions=(*line.actions, made), inputs=more)


def _clean(path: str) -> str:
    return posixpath.normpath("/" + path.lstrip("/"))


def _time(timestamp: int) -> int | None:
    return None if timestamp < 0 else timestamp


def _owner(given: pb.ChownOpt) -> Owner | None:
    if not (given.HasField("user") or given.HasField("group")):
        return None
    user, group = _account(given.user), _account(given.group)
    return Owner(0 if user is None else user, group)


def _account(given: pb.UserOpt) -> str | int | None:
    match given.WhichOneof("user"):
        case "byName":
            return given.byName.name
        case "byID":
            return given.byID
    return None


def _named(action: pb.FileAction) -> str:
    match action.WhichOneof("action"):
        case "copy":
            return f"copy {action.copy.src} {action.copy.dest}"
        case "mkfile":
            return f"mkfile {action.mkfile.path}"
        case "mkdir":
            return f"mkdir {action.mkdir.path}"
        case "symlink":
            return f"symlink {action.symlink.oldpath} -> {action.symlink.newpath}"
    return f"rm {action.rm.path}"
