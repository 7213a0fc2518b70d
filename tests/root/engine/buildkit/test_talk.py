from __future__ import annotations

import pytest
from tests.root.engine.buildkit.conftest import BRIDGE, Run, Talker, asked, connected

import wharf
from wharf.rpc.status import CallFailed
from wharf.spec.buildkit import gateway_pb2 as gateway


def test_processes_are_written_to_resized_and_signalled(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client, asked(client, "FROM busybox\n") as (ref, metadata):
            answer = await client.ask(ref, gateway.SolveRequest(Frontend="dockerfile.v0"))
            request = gateway.NewContainerRequest(ContainerID="c")
            request.Mounts.add(dest="/", resultID=answer.result.ref.id)
            await client.channel.unary(f"{BRIDGE}NewContainer", request, gateway.NewContainerResponse, metadata)
            async with Talker(client, metadata) as talker:
                shell = await talker.start("c", "sh", stdin=True, tty=True)
                await talker.send(shell, Resize=gateway.ResizeMessage(Rows=33, Cols=77))
                await talker.write(shell, b"stty size\n")
                await talker.until(shell, "33 77")
                both = await talker.run("c", "sh", "-c", "echo out; echo err >&2; exit 3")
                assert (both.out, both.err, both.code, both.error) == ("out\n", "err\n", 3, "exit code: 3")
                sleeper = await talker.start("c", "sleep", "600", stdin=False)
                await talker.send(sleeper, Signal=gateway.SignalMessage(Name="KILL"))
                assert (await talker.follow(sleeper)).code == 137
                await talker.write(sleeper, b"too late")
                await talker.write(shell, b"exit 4\n")
                assert (await talker.follow(shell)).code == 4

    builds(body)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (gateway.ExecMessage(), "ProcessID required"),
        (gateway.ExecMessage(ProcessID="p", File=gateway.FdMessage()), 'IO for process "p" not found'),
        (gateway.ExecMessage(ProcessID="p", Init=gateway.InitMessage(ContainerID="x")), "container x previously"),
    ],
)
def test_messages_about_nothing_end_the_stream_with_a_reason(
    builds: Run, message: gateway.ExecMessage, said: str
) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with (
            connected(engine) as client,
            asked(client, "FROM busybox\n") as (_, metadata),
            client.channel.open(f"{BRIDGE}ExecProcess", metadata) as call,
        ):
            await call.send(message.SerializeToString())
            with pytest.raises(CallFailed, match=said):
                await call.receive()

    builds(body)
