from __future__ import annotations

import asyncio
import hashlib
import json

import pytest
from tests.root.engine.buildkit.conftest import Run, connected
from tests.root.engine.builds.conftest import archive

import wharf
from wharf.build.session.upload import METHOD
from wharf.engine.options import EngineOptions
from wharf.rpc.call import Call
from wharf.rpc.status import CallFailed
from wharf.spec.buildkit import policy_pb2 as policy
from wharf.spec.buildkit.status_pb2 import Status
from wharf.spec.buildkit.upload_pb2 import BytesMessage


def _lines(error: CallFailed) -> list[int]:
    for detail in Status.FromString(error.details).details:
        if detail.type_url.endswith("Source+json"):
            return [one["start"]["line"] for one in json.loads(detail.value)["ranges"]]
    return []


def test_only_what_is_needed_is_asked_for_and_what_is_ignored_is_told_to_the_client(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            client.fake.folders["context"] = {".dockerignore": b"*.log\n# note\n!keep.log\n", "a": b"1", "b": b"2"}
            await client.build("FROM busybox\nCOPY a /a\n")
            last = client.fake.asked[-1]
            assert (last["dir-name"], last["followpaths"]) == (["context"], ["a"])
            assert last["exclude-patterns"] == ["*.log", "!keep.log"]
            assert client.fake.sent == ["Dockerfile", ".dockerignore", "a"]

    builds(body)


def test_a_dockerfile_has_an_ignore_file_of_its_own(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            request = client.request(filename="sub/other")
            client.fake.folders["dockerfile"] = {
                "sub/other": b"FROM busybox\nCOPY . /c\n",
                "sub/other.dockerignore": b"x\n",
            }
            client.fake.folders["context"] = {"a": b"1"}
            await client.solve(request)
            assert client.fake.asked[-1]["exclude-patterns"] == ["x"]
            assert len(client.fake.asked) == 2

    builds(body)


def test_what_fails_is_told_with_its_lines(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            for text, said, lines in (
                ("FROM busybox\nRUN true\nRUN echo no && \\\n  exit 3\n", "exit code: 3", [3, 4]),
                ("FROM busybox\nRUNN x\n", "unknown instruction: RUNN", [2]),
                ("FROM busybox\nCOPY nothing /\n", '"/nothing": not found', [2]),
                ("FROM nothing-of-that-name\n", "nothing-of-that-name", []),
                (" \n", "cannot be empty", []),
            ):
                with pytest.raises(CallFailed, match=said) as caught:
                    await client.build(text)
                assert _lines(caught.value) == lines
            client.fake.folders["dockerfile"] = {}
            with pytest.raises(CallFailed, match="open Dockerfile: no such file"):
                await client.build()

    builds(body)


def test_commands_leave_their_sandbox_when_the_engine_allows_and_the_client_grants_it(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            request = client.request("FROM busybox\nRUN --security=insecure grep Seccomp: /proc/self/status\n")
            with pytest.raises(CallFailed, match=r"security\.insecure is not allowed"):
                await client.solve(request)
            request.Ref += "again"
            request.Entitlements.append("security.insecure")
            with pytest.raises(CallFailed, match=r"security\.insecure is not allowed by build daemon configuration"):
                await client.solve(request)
            await engine.reload(EngineOptions(entitlements=frozenset({"security.insecure"})), {})
            request.Ref += "again"
            solving = asyncio.create_task(client.solve(request))
            assert "Seccomp:\t0" in (await client.follow(request.Ref)).logs
            await solving

    builds(body)


def test_named_contexts_are_the_clients_folders_and_images(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            client.fake.folders["more"] = {"f": b"of another folder\n"}
            request = client.request("FROM base\nCOPY --from=more f /f\nCMD cat /f\n")
            request.FrontendAttrs["context:more"] = "local:more"
            request.FrontendAttrs["context:base"] = "docker-image://busybox"
            client.fake.folders["more"][".dockerignore"] = b"secret*\n"
            await client.solve(request)
            assert (await engine.run("made")).stdout == b"of another folder\n"
            asked = [one for one in client.fake.asked if one["dir-name"] == ["more"]][-1]
            assert (asked["exclude-patterns"], asked["followpaths"]) == (["secret*"], ["f"])

    builds(body)


def test_secrets_and_agents_are_lent_to_steps_and_kept_nowhere(builds: Run) -> None:
    secret = b"s3cr3t-v4lue"
    digest = hashlib.sha256(secret).hexdigest()
    text = (
        "FROM busybox\n"
        f'RUN --mount=type=secret,id=tok test "$(sha256sum < /run/secrets/tok)" = "{digest}  -" && touch /file\n'
        "RUN --mount=type=secret,id=tok,env=TOK "
        f'test "$(printf %s $TOK | sha256sum)" = "{digest}  -" && touch /variable\n'
        "RUN --mount=type=ssh test -S $SSH_AUTH_SOCK && touch /agent\n"
        "RUN --mount=type=secret,id=other test ! -e /run/secrets/other\n"
        "CMD ls /file /variable /agent\n"
    )

    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            client.fake.secrets["tok"] = secret
            client.fake.agents["default"] = b"agent"
            _, told = await client.build(text)
            assert (await engine.run("made")).stdout == b"/agent\n/file\n/variable\n"
            assert "s3cr3t" not in told.logs
            inspected = json.dumps([await engine.images.inspect("made"), await engine.images.history("made")])
            assert "s3cr3t" not in inspected
            with pytest.raises(CallFailed, match="missing"):
                await client.build("FROM busybox\nRUN --mount=type=secret,id=missing,required=true true\n")

        root = engine.builds._context.data.path
        for path in root.rglob("*"):
            if path.is_file() and not path.is_symlink():
                assert secret not in path.read_bytes(), path

    builds(body)


def test_remarks_on_a_dockerfile_are_told_and_may_end_the_build(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            _, told = await client.build("from busybox\nRUN true\n")
            assert [one.partition(":")[0] for one in told.warnings] == ["ConsistentInstructionCasing"]
            with pytest.raises(CallFailed, match="lint violation found"):
                await client.build("# check=error=true\nfrom busybox\nRUN true\n")

    builds(body)


def test_remarks_are_told_of_a_dockerfile_that_cannot_be_read_to_its_end_too(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            for text, said, rules in (
                ("FROM busybox as One\nMAINTAINER x\nFRON y\nMAINTAINER z\n", "unknown instruction: FRON", 3),
                ("FROM busybox as One\nCOPY --from=One /a /b\n", "circular|stage", 2),
                ("FROM busybox as One\nRUN <<X\n", "unterminated heredoc", 0),
            ):
                request = client.request(text)
                following = asyncio.ensure_future(client.follow(request.Ref))
                with pytest.raises(CallFailed, match=said):
                    await client.solve(request)
                assert len((await following).warnings) == rules, text

    builds(body)


def test_a_context_from_standard_input_is_an_archive_or_a_dockerfile(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        sent = [archive({"Dockerfile": "FROM busybox\nCOPY f /f\nCMD cat /f\n", "f": "in the archive\n"})]

        async def lend(call: Call) -> None:
            await call.send(BytesMessage(data=sent[0]).SerializeToString())

        async with connected(engine, more={METHOD: lend}) as client:
            await client.solve(client.request(context="http://buildkit-session/x"))
            assert (await engine.run("made")).stdout == b"in the archive\n"
            sent[0] = b"FROM busybox\nCMD echo alone\n"
            await client.solve(client.request(context="http://buildkit-session/y"))
            assert (await engine.run("made")).stdout == b"alone\n"
            assert client.fake.asked == []
            with pytest.raises(CallFailed, match="could not be recognized as URL"):
                await client.solve(client.request(context="ftp://x"))
            sent[0] = archive({"Dockerfile": "FROM busybox\nCOPY Dockerfile /\n"})  # of 1970
            dated = client.request(context="http://buildkit-session/z")
            dated.FrontendAttrs["build-arg:SOURCE_DATE_EPOCH"] = "context"
            await client.solve(dated)
            assert (await engine.images.inspect("made"))["Created"] == "1970-01-01T00:00:00Z"

    builds(body)


def test_a_policy_says_which_images_are_used(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            plain, busybox = (
                "docker-image://docker.io/library/absent:*",
                "docker-image://docker.io/library/busybox:latest",
            )
            for action, selected, becomes, said in (
                (policy.CONVERT, policy.Selector(identifier=plain), busybox, ""),
                (policy.CONVERT, policy.Selector(identifier="ab(s)ent", match_type=policy.REGEX), "bu${1}ybox", ""),
                (policy.CONVERT, policy.Selector(identifier="(", match_type=policy.REGEX), "", "invalid regular"),
                (policy.DENY, policy.Selector(identifier=plain), "", "denied by policy"),
            ):
                request = client.request("FROM absent\nCOPY <<X /x\nX\n")
                rule = request.SourcePolicy.rules.add(action=action, selector=selected)
                rule.updates.identifier = becomes
                if said:
                    with pytest.raises(CallFailed, match=said):
                        await client.solve(request)
                else:
                    await client.solve(request)
                    assert (await engine.images.inspect("made"))["Config"]["Cmd"] == ["sh"]

    builds(body)
