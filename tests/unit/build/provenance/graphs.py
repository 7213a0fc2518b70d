"""A small graph with a bit of everything."""

from __future__ import annotations

from wharf.build.graph.operations import (
    Copy,
    Diff,
    Exec,
    File,
    MakeFile,
    MakeFolder,
    MakeLink,
    Merge,
    Mount,
    Owner,
    Remove,
    SecretVariable,
    Source,
)
from wharf.build.graph.vertex import Description, Edge, Vertex


def graph(network: str = "default") -> Edge:
    base = Vertex(Source("docker-image://busybox", (("image.digest", "d"),)), (), "linux/arm/v7").output()
    context = Vertex(Source("local://context")).output()
    mounts = (
        Mount("/", 0, output=0),
        Mount("/s", type="secret", id="token", optional=True),
        Mount("/c", type="cache", id="kept"),
        Mount("/a", type="ssh", id="default"),
        Mount("/in", 1, "/sub", read_only=True),
    )
    command = Exec(("make",), ("A=1",), user="u", mounts=mounts, network=network, security="insecure",
                   secret_env=(SecretVariable("V", "token"),))  # fmt: skip
    run = Vertex(command, (base, context), "", Description("RUN make", lines=(2, 3))).output()
    actions = (
        Copy(1, "/f", "/f", owner=Owner("app", 7)),
        MakeFolder("/d", owner=Owner(5)),
        MakeFile("/d/f", b"x"),
        MakeLink("/l", "d"),
        Remove("/f"),
    )
    files = Vertex(File(actions), (run, context)).output()
    return Vertex(Merge(), (files, Vertex(Diff(), (base, run)).output())).output()
