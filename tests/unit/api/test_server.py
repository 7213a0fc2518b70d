from __future__ import annotations

import asyncio

import msgspec
import pytest
from tests.fakes.http import Answer, Served, scenario, serving, until

from wharf.api.server import routes
from wharf.errors import Conflict, DataLoss, Forbidden, InvalidArgument, NotFound, NotModified, Unavailable

SWARM = (
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" '
    "to connect this node to swarm and try again."
)

TOO_OLD = (
    "client version 1.23 is too old. Minimum supported API version is 1.40, "
    "please upgrade your client to a newer version"
)


def ask(method: str, target: str, doc: object = None, **canned: object) -> tuple[Answer, list[object]]:
    """Send one request to an engine whose methods (``containers_start=...``) give what is canned."""

    async def run() -> tuple[Answer, list[object]]:
        async with asyncio.timeout(60), serving() as served:
            for name, value in canned.items():
                noun, _, verb = name.partition("_")
                getattr(served.engine, noun).answers[verb] = value
            return await served.ask(method, target, doc), list(served.engine.calls)

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("target", "status", "message"),
    [
        ("/v1.99/info", 400, "client version 1.99 is too new. Maximum supported API version is 1.55"),
        (
            "/v1.23/info",
            400,
            TOO_OLD,
        ),
        ("/nothing", 404, "page not found"),
        ("/v1.51/nothing/at/all", 404, "page not found"),
        ("/", 404, "page not found"),
        ("/containers/x/start", 404, "page not found"),
        ("/v1.51/nodes", 503, SWARM),
        ("/v1.54/images/a/attestations", 404, "page not found"),
        ("/containers/json?filters={", 400, "invalid filter: Input data was truncated"),
        ("/containers/json?limit=ten", 400, 'invalid value for limit: parsing "ten": invalid syntax'),
        ("/containers/x/logs", 400, "Bad parameters: you must choose at least one stream"),
        ("/images/get", 400, "no image names given: name at least one by the query parameter names"),
    ],
)
def test_refused_request_says_why(target: str, status: int, message: str) -> None:
    answer, calls = ask("GET", target)

    assert (answer.status, answer.json, calls) == (status, {"message": message}, [])


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidArgument("bad"), 400),
        (Forbidden("bad"), 403),
        (NotFound("bad"), 404),
        (Conflict("bad"), 409),
        (DataLoss("bad"), 500),
        (Unavailable("bad"), 503),
    ],
)
def test_engines_error_becomes_its_status_and_message(error: Exception, status: int) -> None:
    answer, _ = ask("POST", "/containers/x/start", containers_start=error)

    assert (answer.status, answer.headers["content-type"], answer.json) == (
        status,
        "application/json",
        {"message": "bad"},
    )


def test_nothing_to_do_is_304_without_a_body() -> None:
    answer, _ = ask("POST", "/containers/x/start", containers_start=NotModified("already started"))

    assert (answer.status, answer.body) == (304, b"")


@pytest.mark.parametrize(
    ("experimental", "query", "status", "message"),
    [
        (False, "squash=1", 400, "squash is only supported with experimental mode"),
        (True, "squash=1&version=2", 501, "squash is not supported with BuildKit: use stages, or wharf image squash"),
    ],
)
def test_a_squash_is_refused_as_docker_does(experimental: bool, query: str, status: int, message: str) -> None:
    async def run() -> tuple[Answer, list[object]]:
        async with asyncio.timeout(10), serving() as served:
            served.engine.system.experimental = experimental  # type: ignore[attr-defined]  # what is no call
            return await served.ask("POST", f"/build?{query}", None), list(served.engine.calls)

    answer, calls = asyncio.run(run())

    assert (answer.status, answer.json, calls) == (status, {"message": message}, [])


def test_unexpected_error_is_a_500_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    answer, _ = ask("GET", "/info", system_info=ZeroDivisionError("oops"))

    assert (answer.status, answer.json) == (500, {"message": "internal error: ZeroDivisionError: oops"})
    assert "GET /info failed" in caplog.text


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("prefix", ["", "/v1.40"])
def test_ping_tells_versions_in_its_headers(method: str, prefix: str) -> None:
    answer, _ = ask(method, f"{prefix}/_ping")
    told = (
        "api-version",
        "builder-version",
        "docker-experimental",
        "ostype",
        "swarm",
        "cache-control",
        "content-type",
    )

    assert (answer.status, [answer.headers[name] for name in told], answer.body) == (
        200,
        [
            "1.55",
            "2",
            "false",
            "linux",
            "inactive",
            "no-cache, no-store, must-revalidate",
            "text/plain; charset=utf-8",
        ],
        b"OK" if method == "GET" else b"",
    )


@pytest.mark.parametrize("doc", [{"Cmd": "true"}, {"Cmd": ["true"], "Unknown": 1}])
def test_create_hands_its_document_on_and_null_is_nothing(doc: dict[str, object]) -> None:
    body = {"Image": "busybox", "Env": None, "HostConfig": None, **doc}
    answer, calls = ask("POST", "/v1.51/containers/create?name=web", body, containers_create={"Id": "abc"})

    request = {"Image": "busybox", "Env": None, "Cmd": ["true"], "HostConfig": {}}
    assert (answer.status, answer.json, calls) == (
        201,
        {"Id": "abc", "Warnings": []},
        [("containers.create", (request,), {"name": "web", "platform": None})],
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "invalid JSON: got EOF while reading request body"),
        (b"{", "invalid JSON: unexpected EOF"),
        (b"{} {}", "unexpected content after JSON"),
        (b'"\xff"', "invalid JSON: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        (b'{"Image": 5}', "invalid JSON: Expected `str | null`, got `int` - at `$.Image`"),
        (b"[]", "invalid JSON: Expected `object`, got `array`"),
        (
            b'{"HostConfig": {"Memory": 9223372036854775808}}',
            "invalid JSON: json: cannot unmarshal number 9223372036854775808 into Go value of type int64",
        ),
    ],
)
def test_create_refuses_what_is_no_container(body: bytes, message: str) -> None:
    @scenario
    async def run(served: Served) -> None:
        fields = "Content-Type: application/json\r\n"
        answer = await served.ask("POST", "/containers/create", body=body, fields=fields)

        assert (answer.status, answer.json, served.engine.calls) == (400, {"message": message}, [])

    run()


@pytest.mark.parametrize(
    ("request_line", "call"),
    [
        ("POST /containers/x/stop?t=5&signal=INT", ("containers.stop", ("x",), {"signal": "INT", "timeout_s": 5})),
        ("POST /containers/x/restart", ("containers.restart", ("x",), {"signal": None, "timeout_s": None})),
        ("POST /containers/x/kill?signal=HUP", ("containers.kill", ("x",), {"signal": "HUP"})),
        ("POST /containers/x/pause", ("containers.pause", ("x",), {})),
        ("POST /containers/x/unpause", ("containers.unpause", ("x",), {})),
        ("POST /containers/x/rename?name=y", ("containers.rename", ("x", "y"), {})),
        (
            "DELETE /containers/x?force=1&v=true&link=no",
            ("containers.remove", ("x",), {"force": True, "volumes": True, "link": False}),
        ),
        ("POST /containers/x/resize?h=24&w=80", ("containers.resize", ("x",), {"rows": 24, "columns": 80})),
        ("POST /exec/e/resize?h=24&w=80", ("execs.resize", ("e",), {"rows": 24, "columns": 80})),
        ("GET /containers/x/top?ps_args=aux", ("containers.top", ("x",), {"ps_args": "aux"})),
        ("GET /images/a/b:c/history", ("images.history", ("a/b:c", None), {})),
        ("GET /images/a%2Fb/history", ("images.history", ("a/b", None), {})),
        ("GET http://docker/v1.41/images/a/history", ("images.history", ("a", None), {})),
        ("POST /images/a/b/tag?repo=c/d&tag=e", ("images.tag", ("a/b",), {"repository": "c/d", "tag": "e"})),
        (
            "DELETE /images/a/b?force=1",
            ("images.remove", ("a/b",), {"force": True, "noprune": False, "platforms": []}),
        ),
        (
            "POST /images/a/b:1/squash?base=c&repo=d&tag=2",
            ("images.squash", ("a/b:1",), {"base": "c", "repository": "d", "tag": "2", "comment": ""}),
        ),
        (
            "DELETE /images/a?platforms=%7B%22os%22:%22linux%22,%22architecture%22:%22arm64%22%7D",
            ("images.remove", ("a",), {"force": False, "noprune": False, "platforms": ["linux/arm64"]}),
        ),
        ("GET /networks/bridge", ("networks.inspect", ("bridge",), {})),
        ("DELETE /networks/back", ("networks.remove", ("back",), {})),
        ("POST /networks/prune", ("networks.prune", ({},), {})),
        ("GET /volumes/v", ("volumes.inspect", ("v",), {})),
        ("POST /volumes/prune", ("volumes.prune", ({},), {})),
        ("POST /v1.41/volumes/prune", ("volumes.prune", ({"all": ["true"]},), {})),
        ("DELETE /volumes/v?force=1", ("volumes.remove", ("v",), {"force": True})),
        (
            'POST /containers/prune?filters={"until":{"1h":true}}',
            ("containers.prune", ({"until": ["1h"]},), {}),
        ),
    ],
)
def test_request_is_the_engines_call(request_line: str, call: tuple[object, ...]) -> None:
    method, target = request_line.split(" ")
    answer, calls = ask(method, target)

    assert (answer.status // 100, calls) == (2, [call])


@scenario
async def test_waits_headers_come_before_the_container_ends(served: Served) -> None:
    ended = asyncio.get_running_loop().create_future()

    async def registered(*_: object, **__: object) -> asyncio.Future[object]:
        return ended

    served.engine.containers.answers["wait"] = registered
    async with served.wire() as wire:
        await wire.send(b"POST /containers/x/wait?condition=next-exit HTTP/1.1\r\nHost: d\r\n\r\n")
        first, headers = await wire.head()
        ended.set_result({"StatusCode": 3})

        assert (first, await wire.body(headers)) == ("HTTP/1.1 200 OK", b'{"StatusCode":3}\n')


@scenario
async def test_wait_ends_with_its_client(served: Served) -> None:
    ended = asyncio.get_running_loop().create_future()

    async def registered(*_: object, **__: object) -> asyncio.Future[object]:
        return ended

    served.engine.containers.answers["wait"] = registered
    async with served.wire() as wire:
        await wire.send(b"POST /containers/x/wait HTTP/1.1\r\nHost: d\r\n\r\n")
        await wire.head()
    with pytest.raises(asyncio.CancelledError):
        await ended


@scenario
async def test_wait_refuses_an_unknown_condition(served: Served) -> None:
    answer = await served.ask("POST", "/containers/x/wait?condition=sunny")

    assert (answer.status, answer.json) == (400, {"message": 'invalid condition: "sunny"'})


@scenario
async def test_events_headers_come_before_the_first_event(served: Served) -> None:
    happens = asyncio.get_running_loop().create_future()
    happened = {"Type": "container", "Action": "start", "Actor": {"ID": "abc", "Attributes": {"image": "busybox"}}}
    served.engine.system.answers["events"] = [happens, happened]
    async with served.wire() as wire:
        await wire.send(b"GET /v1.51/events HTTP/1.1\r\nHost: d\r\n\r\n")
        first, headers = await wire.head()
        happens.set_result(None)
        body = await wire.body(headers)

        assert (first, msgspec.json.decode(body)) == (
            "HTTP/1.1 200 OK",
            {**happened, "status": "start", "id": "abc", "from": "busybox"},
        )


@scenario
async def test_server_that_closes_ends_followed_events(served: Served) -> None:
    served.engine.system.answers["events"] = [asyncio.get_running_loop().create_future()]
    async with served.wire() as wire:
        await wire.send(b"GET /events HTTP/1.1\r\nHost: d\r\n\r\n")
        await wire.head()
        await served.server.close()

        assert await wire.reader.read() == b""


@scenario
async def test_load_takes_a_stream_and_answers_in_lines(served: Served) -> None:
    served.engine.images.answers["load"] = [{"stream": "Loaded image: a:b\n"}]
    kind = "Content-Type: application/x-tar\r\n"  # some clients say it twice
    fields = f"Transfer-Encoding: chunked\r\n{kind}Expect: 100-continue\r\n{kind}"
    async with served.wire() as wire:
        await wire.send(f"POST /images/load?quiet=0 HTTP/1.1\r\nHost: d\r\n{fields}\r\n".encode())
        interim, _ = await wire.head()
        await wire.send(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        first, headers = await wire.head()
        body = await wire.body(headers)

        assert (interim, first, body, served.engine.calls) == (
            "HTTP/1.1 100 Continue",
            "HTTP/1.1 200 OK",
            b'{"stream":"Loaded image: a:b\\n"}\n',
            [("images.load", (b"abcde",), {"quiet": False, "platforms": []})],
        )


@scenario
async def test_work_that_fails_before_its_first_line_is_a_plain_error(served: Served) -> None:
    served.engine.images.answers["import_"] = [InvalidArgument("not an archive")]
    answer = await served.ask("POST", "/images/create?fromSrc=-", body=b"junk")

    assert (answer.status, answer.json) == (400, {"message": "not an archive"})


@scenario
async def test_what_is_wrong_with_an_archive_of_images_is_a_line_of_the_answer(served: Served) -> None:
    served.engine.images.answers["load"] = [InvalidArgument("not an archive")]
    answer = await served.ask("POST", "/images/load", body=b"junk")

    said = {"errorDetail": {"message": "not an archive"}, "error": "not an archive"}
    assert (answer.status, answer.lines) == (200, [said])


@scenario
async def test_work_that_fails_later_ends_with_an_error_line(served: Served) -> None:
    served.engine.images.answers["import_"] = [{"status": "Importing"}, DataLoss("truncated")]
    answer = await served.ask("POST", "/images/create?fromSrc=-&repo=a&changes=CMD+x&changes=ENV+y=z", body=b"tar")

    assert (answer.status, answer.lines) == (
        200,
        [{"status": "Importing"}, {"errorDetail": {"message": "truncated"}, "error": "truncated"}],
    )
    asked = {
        "repository": "a", "tag": None, "message": None, "changes": ["CMD x", "ENV y=z"], "platform": None,
        "address": None,
    }  # fmt: skip
    assert served.engine.calls == [("images.import_", (b"tar",), asked)]


@scenario
async def test_archive_that_breaks_off_is_no_whole_answer(served: Served) -> None:
    served.engine.images.answers["save"] = [b"half", DataLoss("blob is missing")]
    async with served.wire() as wire:
        await wire.send(b"GET /images/get?names=a&names=b HTTP/1.1\r\nHost: d\r\n\r\n")
        await wire.head()
        rest = await wire.reader.read()

        assert (rest, served.engine.calls) == (b"4\r\nhalf\r\n", [("images.save", (["a", "b"], []), {})])


@pytest.mark.parametrize(("tcp", "status"), [(True, 403), (False, 204)])
def test_web_page_cannot_reach_the_engine_over_tcp(tcp: bool, status: int) -> None:
    @scenario
    async def run(served: Served) -> None:
        async with served.wire(tcp=tcp) as wire:
            answer = await wire.ask("POST", "/containers/x/start", fields="Origin: http://a.example\r\n")

        assert (answer.status, len(served.engine.calls)) == (status, 0 if tcp else 1)

    run()


@pytest.mark.parametrize(
    ("origin", "host", "status"),
    [
        ("http://127.0.0.1:2375", "127.0.0.1:2375", 204),
        ("http://localhost:2375", "localhost:2375", 204),
        ("http://127.0.0.1:8080", "127.0.0.1:2375", 403),
        ("http://a.example:2375", "a.example:2375", 403),  # a name may be led to our address
        ("null", "127.0.0.1:2375", 403),
    ],
)
def test_origin_that_is_the_address_itself_is_no_page(origin: str, host: str, status: int) -> None:
    @scenario
    async def run(served: Served) -> None:
        head = f"POST /containers/x/start HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\n\r\n"
        async with served.wire(tcp=True) as wire:
            await wire.send(head.encode())
            first, _ = await wire.head()

        assert first.split()[1] == str(status)

    run()


@scenario
async def test_a_pull_is_told_who_asks(served: Served) -> None:
    served.engine.images.answers["pull"] = [{"status": "Pulling from library/busybox", "id": "latest"}]
    fields = "X-Registry-Auth: e30=\r\n"
    answer = await served.ask("POST", "/images/create?fromImage=busybox&tag=latest", fields=fields)

    assert (answer.status, answer.json["id"]) == (200, "latest")
    assert served.engine.calls[-1][1:] == (("busybox",), {"tag": "latest", "platform": None, "auth": "e30="})


def test_every_endpoint_of_the_table_has_a_handler_of_its_own() -> None:
    seen = [(route.method, route.path) for route in routes()]

    assert len(seen) == len(set(seen))


def test_client_that_goes_before_its_answer_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    @scenario
    async def run(served: Served) -> None:
        asked, gone = asyncio.Event(), asyncio.Event()

        async def wait(*_: object, **__: object) -> object:
            asked.set()
            await gone.wait()
            return asyncio.sleep(0, {"StatusCode": 0})

        served.engine.containers.answers["wait"] = wait
        async with served.wire() as wire:
            await wire.send(b"POST /containers/x/wait HTTP/1.1\r\nHost: docker\r\n\r\n")
            await asked.wait()
        await until(lambda: all(c.transport is None for c in served.server.protocols.connections))
        gone.set()
        await served.server.close()

    run()

    assert [record for record in caplog.records if record.levelname not in {"DEBUG", "INFO"}] == []


def test_stream_that_fails_is_cut_off_and_one_line_says_why(caplog: pytest.LogCaptureFixture) -> None:
    @scenario
    async def run(served: Served) -> None:
        served.engine.images.answers["save"] = [b"begin", DataLoss("blob x is gone")]
        with pytest.raises((asyncio.IncompleteReadError, ValueError)):
            await served.ask("GET", "/images/get?names=x")

    run()

    said = [(r.levelname, r.getMessage(), r.exc_info) for r in caplog.records]
    assert said == [("WARNING", "GET /images/get?names=x: the answer was cut off: blob x is gone", None)]


@scenario
async def test_a_client_that_has_asked_all_it_wants_may_end_its_direction(served: Served) -> None:
    async def slowly(*_: object, **__: object) -> dict[str, object]:
        await asyncio.sleep(0.05)
        return {"Id": "c"}

    served.engine.containers.answers["inspect"] = slowly
    async with served.wire() as wire:
        await wire.send(b"GET /containers/c/json HTTP/1.1\r\nHost: d\r\n\r\n")
        wire.writer.write_eof()
        first, headers = await wire.head()
        await wire.body(headers)

        assert (first, await wire.reader.read()) == ("HTTP/1.1 200 OK", b"")


@scenario
async def test_a_client_that_ended_its_direction_is_missed_when_it_goes(served: Served) -> None:
    ended = asyncio.Event()

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    waiting = asyncio.ensure_future(forever())
    served.engine.system.answers["events"] = [{"Type": "x"}, waiting]
    async with served.wire() as wire:
        await wire.send(b"GET /events HTTP/1.1\r\nHost: d\r\n\r\n")
        wire.writer.write_eof()
        await wire.head()
        assert not ended.is_set()
    await ended.wait()


@scenario
async def test_a_body_that_is_cut_off_is_no_request(served: Served) -> None:
    async with served.wire() as wire:
        await wire.send(b"POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Length: 100\r\n\r\n{")
        wire.writer.write_eof()

        assert await wire.reader.read() == b""
        assert served.engine.calls == []


@scenario
async def test_json_that_is_too_deep_is_refused(served: Served) -> None:
    fields = "Content-Type: application/json\r\n"
    answer = await served.ask("POST", "/containers/create", body=b"[" * 100_000, fields=fields)

    assert (answer.status, "invalid JSON" in answer.json["message"]) == (400, True)


@scenario
async def test_networks_are_of_one_machine(served: Served) -> None:
    here, verbose, everywhere = [
        await served.ask("GET", f"/networks/n{query}") for query in ("?scope=local", "?verbose=1", "?scope=swarm")
    ]

    assert (here.status, verbose.status, everywhere.status) == (200, 200, 404)
    assert everywhere.json == {"message": "network n not found in scope swarm"}


@pytest.mark.parametrize(
    ("query", "verb"),
    [("", "build"), ("?version=2", "build"), ("?version=2&session=s", "build_over_session")],
)
def test_a_build_without_a_session_has_all_in_its_body(query: str, verb: str) -> None:
    calls = ask("POST", f"/build{query}")[1]

    assert [call[0] for call in calls] == [f"builds.{verb}"]  # type: ignore[index]  # a call is a tuple
