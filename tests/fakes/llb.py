"""Definitions as BuildKit's clients make them: operations that name each other by digest."""

from __future__ import annotations

import hashlib

from wharf.spec.buildkit import ops_pb2 as pb


class Program:
    """Operations put together; each is added behind those that it names."""

    def __init__(self) -> None:
        self.definition = pb.Definition()

    def add(self, op: pb.Op, *inputs: tuple[str, int] | str, name: str = "") -> str:
        """Add an operation; return its digest."""
        for one in inputs:
            digest, index = one if isinstance(one, tuple) else (one, 0)
            op.inputs.append(pb.Input(digest=digest, index=index))
        data = op.SerializeToString(deterministic=True)
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        getattr(self.definition, "def").append(data)
        if name:
            self.definition.metadata[digest].description["llb.customname"] = name
        return digest

    def source(self, identifier: str, **attributes: str) -> str:
        return self.add(pb.Op(source=pb.SourceOp(identifier=identifier, attrs=attributes)))

    def run(self, root: str, *args: str, mounts: tuple[pb.Mount, ...] = (), others: tuple[str, ...] = ()) -> str:
        command = pb.ExecOp(
            meta=pb.Meta(args=args, env=["PATH=/bin"], cwd="/"),
            mounts=[pb.Mount(input=0, dest="/", output=0), *mounts],
        )
        return self.add(pb.Op(exec=command), root, *others)

    def files(self, *actions: pb.FileAction, inputs: tuple[str, ...] = ()) -> str:
        return self.add(pb.Op(file=pb.FileOp(actions=actions)), *inputs)

    def end(self, digest: str, index: int = 0) -> pb.Definition:
        """Say which result is wanted."""
        self.add(pb.Op(), (digest, index))
        return self.definition


def mkfile(path: str, data: bytes, input: int = -1, output: int = 0) -> pb.FileAction:  # noqa: A002
    made = pb.FileActionMkFile(path=path, data=data, mode=0o644, timestamp=-1)
    return pb.FileAction(input=input, secondaryInput=-1, output=output, mkfile=made)


def copy(source: int, path: str, to: str, input: int = 0, output: int = 0) -> pb.FileAction:  # noqa: A002
    made = pb.FileActionCopy(src=path, dest=to, mode=-1, timestamp=-1, createDestPath=True)
    return pb.FileAction(input=input, secondaryInput=source, output=output, copy=made)
