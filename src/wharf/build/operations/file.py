"""Change files of a layer: copies, folders, files, links, removals."""

from __future__ import annotations

import errno
import os
import posixpath
from collections.abc import Sequence

from wharf.build.graph.operations import Copy, File, FileAction, MakeFile, MakeFolder, MakeLink, Owner, Remove
from wharf.build.operations.accounts import ids_of
from wharf.build.operations.copying import copy
from wharf.build.operations.dress import Dress
from wharf.build.operations.results import Folder, Layers, Result
from wharf.build.operations.selection import Digests, matches
from wharf.build.operations.sharing import Beside, Sharing, share
from wharf.build.operations.store import Recorder, Store
from wharf.errors import InvalidArgument, NotFound
from wharf.kernel.openat2 import ensure_folder, open_in_root
from wharf.kernel.owner import give
from wharf.storage import trees
from wharf.storage.trees import FOLDER


def run(
    store: Store, operation: File, inputs: Sequence[Result], record: Recorder, digests: Digests | None = None
) -> Layers:
    """Do all actions and keep the layer; blocking.

    Args:
        store: the layers.
        operation: the actions.
        inputs: what they work on.
        record: enters the layer.
        digests: learn of files of folders from outside, which the layer may share then.

    Raises:
        NotFound: a source names nothing.
        InvalidArgument: an action cannot be done; the message says why.
    """
    base = inputs[operation.base] if operation.base >= 0 else Layers()
    if not isinstance(base, Layers):
        raise InvalidArgument("a folder from outside cannot be changed: copy it first")
    with store.draft(base) as draft:
        beside = None
        with store.change(draft) as target:
            if digests is not None and not draft.made.roots.copies:
                beside = _shared(store, target, operation, inputs, Sharing(draft.made.folder / "beside", digests))
            if beside is None:
                for action in operation.actions:
                    _act(store, target, action, inputs)
        return store.keep(draft, record, beside.move if beside else None)


def _shared(store: Store, target: int, operation: File, inputs: Sequence[Result], sharing: Sharing) -> Beside | None:
    """Do an operation that is one copy of a folder from outside, by sharing its files; None when it is not."""
    if len(operation.actions) != 1 or not isinstance(action := operation.actions[0], Copy):
        return None
    if action.input < 0 or not isinstance(inputs[action.input], Folder):
        return None
    with store.open(inputs[action.input]) as source:
        assert source is not None
        return share(source, target, action, _dress_of(action, target), sharing)


def _dress_of(action: Copy, root: int) -> Dress:
    uid, gid = ids_of(action.owner, root)
    return Dress(uid, gid, action.mode, action.created_ns)


def _act(store: Store, target: int, action: FileAction, inputs: Sequence[Result]) -> None:
    match action:
        case Copy():
            with store.open(inputs[action.input]) as source:
                if source is None:
                    raise NotFound(f'"{action.source}": not found')
                copy(source, target, action, _dress_of(action, target))
        case MakeFolder():
            _make_folder(target, action)
        case MakeFile():
            _make_file(target, action)
        case MakeLink():
            _make_link(target, action)
        case Remove():
            _remove(target, action)


def _dress(fd: int, owner: Owner | None, root: int, mode: int, created_ns: int | None) -> None:
    uid, gid = ids_of(owner, root)
    give(fd, uid or 0, gid or 0)
    os.fchmod(fd, mode)
    if created_ns is not None:
        os.utime(fd, ns=(created_ns, created_ns))


def _make_folder(root: int, action: MakeFolder) -> None:
    missing: list[str] = []
    path = action.path
    while path != "/" and not _exists(root, path):
        missing.append(path)
        path = posixpath.dirname(path)
    if len(missing) > 1 and not action.parents:
        raise InvalidArgument(f"mkdir {action.path}: no such file or directory")
    for folder in reversed(missing):
        os.close(_folder(root, folder))
        fd = open_in_root(root, folder, FOLDER & ~os.O_NOFOLLOW)
        try:
            _dress(fd, action.owner, root, action.mode, action.created_ns)
        finally:
            os.close(fd)
    if not missing:
        os.close(_folder(root, action.path))


def _folder(root: int, path: str) -> int:
    try:
        return ensure_folder(root, path)
    except NotADirectoryError:
        raise InvalidArgument(f"mkdir {path}: not a directory") from None


def _exists(root: int, path: str) -> bool:
    try:
        os.close(open_in_root(root, path, os.O_PATH))
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _parent(root: int, path: str) -> int:
    return open_in_root(root, posixpath.dirname(path), FOLDER & ~os.O_NOFOLLOW)


def _make_file(root: int, action: MakeFile) -> None:
    parent = _parent(root, action.path)
    try:
        name = posixpath.basename(action.path)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(name, flags, 0o600, dir_fd=parent)
        with os.fdopen(fd, "wb") as file:
            file.write(action.content)
            file.flush()
            _dress(fd, action.owner, root, action.mode, action.created_ns)
    finally:
        os.close(parent)


def _make_link(root: int, action: MakeLink) -> None:
    parent = _parent(root, action.path)
    try:
        name = posixpath.basename(action.path)
        os.symlink(action.target, name, dir_fd=parent)
        uid, gid = ids_of(action.owner, root)
        give(name, uid or 0, gid or 0, dir_fd=parent)
        if action.created_ns is not None:
            os.utime(name, ns=(action.created_ns, action.created_ns), dir_fd=parent, follow_symlinks=False)
    finally:
        os.close(parent)


def _remove(root: int, action: Remove) -> None:
    paths = [action.path]
    if action.wildcards:
        pattern = Copy(0, action.path, "/", wildcards=True, allow_empty=True)
        paths = [match.path for match in matches(root, pattern)]
    for path in paths:
        _remove_one(root, path, allow_missing=action.allow_missing)


def _remove_one(root: int, path: str, *, allow_missing: bool) -> None:
    name = posixpath.basename(path)
    try:
        parent = _parent(root, path)
        try:
            _unlink(parent, name)
        finally:
            os.close(parent)
    except FileNotFoundError:
        if not allow_missing:
            raise NotFound(f'"{path}": not found') from None


def _unlink(parent: int, name: str) -> None:
    try:
        os.unlink(name, dir_fd=parent)
    except OSError as error:
        if error.errno not in (errno.EISDIR, errno.EPERM):
            raise
        trees.remove_folder(name, parent)
