from __future__ import annotations

import base64
from collections.abc import AsyncIterator

from tests.root.engine.buildkit.conftest import Run, Told, connected
from tests.root.engine.builds.conftest import archive

import wharf
from wharf.engine.buildkit.legacy import solve_request
from wharf.spec.buildkit.control_pb2 import StatusResponse


def test_a_build_over_a_session_tells_in_lines_of_json(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            client.request("FROM busybox\nARG v\nRUN echo $v\n")
            lines = [
                line
                async for line in engine.builds.build_over_session(
                    {"t": ["made"], "buildargs": {"v": "spoken"}}, client.session, "b1"
                )
            ]
            told = Told()
            for line in lines[:-1]:
                assert line["id"] == "moby.buildkit.trace"
                told.take(StatusResponse.FromString(base64.b64decode(str(line["aux"]))))
            assert told.logs == "spoken\n"
            image = (await engine.images.inspect("made"))["Id"]
            assert lines[-1] == {"id": "moby.image.id", "aux": {"ID": image}}

            client.request("FROM busybox\nRUN exit 5\n")
            failed = [line async for line in engine.builds.build_over_session({}, client.session, "")]
            assert "exit code: 5" in str(failed[-1]["error"])

    builds(body)


def test_a_context_may_be_the_body_of_a_request_that_has_no_session(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        context = archive({"sub/Own": "FROM busybox\nCOPY said /\nRUN cat /said\n", "said": "sent with it\n"})

        async def chunks() -> AsyncIterator[bytes]:
            for start in range(0, len(context), 700):
                yield context[start : start + 700]

        lines = [
            line
            async for line in engine.builds.build_over_session(
                {"t": ["made"], "dockerfile": "sub/Own"}, "", "", chunks()
            )
        ]

        told = Told()
        for line in lines[:-1]:
            told.take(StatusResponse.FromString(base64.b64decode(str(line["aux"]))))
        assert told.logs == "sent with it\n"
        assert lines[-1] == {"id": "moby.image.id", "aux": {"ID": (await engine.images.inspect("made"))["Id"]}}

    builds(body)


def test_a_body_that_is_no_context_is_refused(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async def nothing() -> AsyncIterator[bytes]:
            return
            yield b""

        [*_, last] = [line async for line in engine.builds.build_over_session({"t": ["made"]}, "", "", nothing())]
        assert "cannot be empty" in str(last["error"])

    builds(body)


def test_every_parameter_becomes_an_option_of_the_frontend() -> None:
    request = solve_request(
        {
            "t": ["a", "b:2"],
            "dockerfile": "d",
            "target": "x",
            "nocache": True,
            "pull": True,
            "extrahosts": ["h:1.2.3.4"],
            "buildargs": {"k": "v", "unset": None},
            "labels": {"l": "1"},
            "shmsize": 5,
            "ulimits": [{"Name": "nofile", "Soft": 1, "Hard": 2}],
            "networkmode": "host",
            "platform": "linux/amd64",
        },
        "s",
        "r",
    )

    assert dict(request.FrontendAttrs) == {
        "filename": "d",
        "target": "x",
        "no-cache": "",
        "image-resolve-mode": "pull",
        "add-hosts": "h=1.2.3.4",
        "build-arg:k": "v",
        "label:l": "1",
        "shm-size": "5",
        "ulimit": "nofile=1:2",
        "force-network-mode": "host",
        "platform": "linux/amd64",
    }
    assert request.Exporters[0].Attrs["name"] == "a,b:2"
    assert list(request.Entitlements) == ["network.host"]
