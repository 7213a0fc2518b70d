from __future__ import annotations

import pytest
from tests.fakes.llb import Program, copy, mkfile
from tests.root.engine.buildkit.conftest import Client, Run, connected

import wharf
from wharf.build.llb.builds import DEFINITION, FILENAME, LLB
from wharf.rpc.status import CallFailed
from wharf.spec.buildkit import control_pb2 as pb
from wharf.spec.buildkit import ops_pb2 as ops


def request(client: Client, definition: ops.Definition, config: str = "") -> pb.SolveRequest:
    asked = client.request()
    asked.Frontend = ""
    asked.Definition.CopyFrom(definition)
    return asked


def test_a_graph_that_a_client_hands_over_is_done(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            client.fake.folders["src"] = {"from": b"the client\n"}
            program = Program()
            base = program.source("docker-image://busybox")
            folder = program.source("local://src", **{"local.followpaths": '["from"]'})
            made = program.files(
                mkfile("/made", b"made\n", input=0, output=-1),
                copy(1, "/from", "/copied", input=2, output=0),
                inputs=(base, folder),
            )
            mount = ops.Mount(input=-1, dest="/out", output=1)
            ran = program.run(made, "sh", "-c", "cat /made /copied > /out/both; echo told", mounts=(mount,))
            merged = program.add(
                ops.Op(merge=ops.MergeOp(inputs=[ops.MergeInput(input=0), ops.MergeInput(input=1)])), made, (ran, 1)
            )
            asked = request(client, program.end(merged))
            await client.solve(asked)
            assert (await engine.run("made", ["cat", "/both"])).stdout == b"made\nthe client\n"
            assert client.fake.sent == ["from"]

    builds(body)


def test_a_difference_of_layers_is_what_lies_between(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            program = Program()
            base = program.source("docker-image://busybox")
            ran = program.run(base, "sh", "-c", "echo x > /only")
            difference = ops.DiffOp(lower=ops.LowerDiffInput(input=0), upper=ops.UpperDiffInput(input=1))
            await client.solve(request(client, program.end(program.add(ops.Op(diff=difference), base, ran))))
            assert len((await engine.images.inspect("made"))["RootFS"]["Layers"]) == 1

    builds(body)


def test_a_root_may_be_read_only_and_success_another_code(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            program = Program()
            base = program.source("docker-image://busybox")
            script = "touch /x 2>/dev/null && exit 0; echo no > /out/f; exit 5"
            command = ops.ExecOp(
                meta=ops.Meta(args=["sh", "-c", script], env=["PATH=/bin"], cwd="/", validExitCodes=[5]),
                mounts=[
                    ops.Mount(input=0, dest="/", output=-1, readonly=True),
                    ops.Mount(input=-1, dest="/out", output=0),
                ],
            )
            ran = program.add(ops.Op(exec=command), base)
            merge = ops.MergeOp(inputs=[ops.MergeInput(input=0), ops.MergeInput(input=1)])
            await client.solve(request(client, program.end(program.add(ops.Op(merge=merge), base, ran))))
            assert (await engine.run("made", ["cat", "/f"])).stdout == b"no\n"

    builds(body)


def test_what_a_graph_asks_for_and_is_not_there_is_told(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            program = Program()
            failing = program.run(program.source("docker-image://busybox"), "sh", "-c", "exit 9")
            with pytest.raises(CallFailed, match="exit code: 9"):
                await client.solve(request(client, program.end(failing)))
            unknown = Program()
            with pytest.raises(CallFailed, match="sources of the kind hologram"):
                await client.solve(request(client, unknown.end(unknown.source("hologram://x"))))

    builds(body)


def test_nothing_is_an_image_without_layers(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            await client.solve(request(client, ops.Definition()))
            assert not (await engine.images.inspect("made"))["RootFS"].get("Layers")

    builds(body)


def _held(text: bytes) -> ops.Definition:
    """A definition that is made by a command, which writes it as it is given."""
    program = Program()
    base = program.source("docker-image://busybox")
    held = program.files(mkfile(f"/{DEFINITION}", text), inputs=())
    mount = ops.Mount(input=1, dest="/in", readonly=True, output=-1)
    made = program.run(base, "sh", "-c", f"cp /in/{DEFINITION} /graph", mounts=(mount,), others=(held,))
    build = ops.BuildOp(builder=LLB, inputs={DEFINITION: ops.BuildInput(input=0)}, attrs={FILENAME: "graph"})
    return program.end(program.run(program.add(ops.Op(build=build), made), "sh", "-c", "cat /inner > /outer"))


def test_a_graph_that_another_one_makes_is_done_with_what_it_takes_now(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        inner = Program()
        base, folder = inner.source("docker-image://busybox"), inner.source("local://src")
        copied = inner.files(copy(1, "/f", "/inner"), inputs=(base, folder))
        definition = _held(inner.end(copied).SerializeToString())
        for word in (b"one", b"three"):
            async with connected(engine) as client:
                client.fake.folders["src"] = {"f": word}
                await client.solve(request(client, definition))
            assert (await engine.run("made", ["cat", "/outer"])).stdout == word

    builds(body)


def test_a_graph_in_a_file_that_is_none_or_fails_is_told_of(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        failing = Program()
        failed = failing.run(failing.source("docker-image://busybox"), "sh", "-c", "exit 3")
        async with connected(engine) as client:
            for text, said in (
                (b"\xff", "is no definition"),
                (failing.end(failed).SerializeToString(), "exit code: 3"),
            ):
                with pytest.raises(CallFailed, match=said):
                    await client.solve(request(client, _held(text)))

    builds(body)
