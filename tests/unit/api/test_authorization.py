from __future__ import annotations

import base64
from typing import Any

from tests.fakes.http import Served, scenario

from wharf.errors import Forbidden


def _asked(served: Served, verb: str) -> list[Any]:
    return [arguments[0] for name, arguments, _ in served.engine.calls if name == f"authorization.{verb}"]


@scenario
async def test_a_request_and_its_answer_are_put_to_plugins(served: Served) -> None:
    served.engine.authorization.wanted = True  # type: ignore[attr-defined]  # what is no call
    served.engine.volumes.answers["create"] = {"Name": "a"}
    fields = "X-Registry-Auth: e30=\r\nX-Mine: 1\r\n"
    answer = await served.ask("POST", "/v1.51/volumes/create?x=1", {"Name": "a"}, fields=fields)
    (request,), (response,) = _asked(served, "request"), _asked(served, "response")

    assert answer.status == 201
    assert (request["RequestMethod"], request["RequestURI"]) == ("POST", "/v1.51/volumes/create?x=1")
    assert base64.b64decode(request["RequestBody"]) == b'{"Name":"a"}'
    assert (request["User"], request["UserAuthNMethod"]) == ("", "")  # nobody has shown a certificate
    assert "X-Registry-Auth" not in request["RequestHeaders"]
    assert request["RequestHeaders"]["X-Mine"] == "1"
    assert (response["ResponseStatusCode"], base64.b64decode(response["ResponseBody"])) == (201, b'{"Name":"a"}\n')


@scenario
async def test_a_body_that_is_not_said_to_be_a_document_is_neither_shown_nor_heeded(served: Served) -> None:
    served.engine.authorization.wanted = True  # type: ignore[attr-defined]  # likewise
    served.engine.volumes.answers["create"] = {"Name": "a"}
    for fields, told in (
        ("", "malformed"),
        ("Content-Type:\r\n", "malformed"),
        ("Content-Type: a/b\r\n", "unsupported"),
    ):
        answer = await served.ask("POST", "/volumes/create", body=b'{"Name":"a"}', fields=fields)
        assert (answer.status, answer.json["message"].split()[0]) == (400, told)

    assert [request["RequestBody"] for request in _asked(served, "request")] == ["", "", ""]
    assert "volumes.create" not in [name for name, _, _ in served.engine.calls]


@scenario
async def test_a_document_is_shown_however_its_type_is_spelled(served: Served) -> None:
    served.engine.authorization.wanted = True  # type: ignore[attr-defined]  # likewise
    served.engine.volumes.answers["create"] = {"Name": "a"}
    for kind in ("APPLICATION/JSON", "application/json ; charset=utf-8", "application/json;/"):
        answer = await served.ask("POST", "/volumes/create", body=b'{"Name":"a"}', fields=f"Content-Type: {kind}\r\n")
        assert answer.status == 201

    shown = [base64.b64decode(request["RequestBody"]) for request in _asked(served, "request")]
    assert shown == [b'{"Name":"a"}'] * 3


@scenario
async def test_what_is_denied_is_not_done(served: Served) -> None:
    served.engine.authorization.wanted = True  # type: ignore[attr-defined]  # likewise
    served.engine.authorization.answers["request"] = Forbidden("authorization denied by plugin a: no")
    answer = await served.ask("DELETE", "/volumes/a")

    assert (answer.status, answer.json) == (403, {"message": "authorization denied by plugin a: no"})
    assert [name for name, _, _ in served.engine.calls] == ["authorization.request"]


@scenario
async def test_an_answer_can_be_denied_too(served: Served) -> None:
    served.engine.authorization.wanted = True  # type: ignore[attr-defined]  # likewise
    served.engine.authorization.answers["response"] = Forbidden("authorization denied by plugin a: no")
    served.engine.volumes.answers["list"] = {}
    answer = await served.ask("GET", "/volumes")

    assert answer.status == 403


@scenario
async def test_a_document_that_no_plugin_could_judge_is_refused(served: Served) -> None:
    served.engine.authorization.wanted = True  # type: ignore[attr-defined]  # likewise
    answer = await served.ask("POST", "/volumes/create", {"Name": "a" * (1 << 20)})

    assert (answer.status, served.engine.calls) == (403, [])


@scenario
async def test_without_plugins_nobody_is_asked(served: Served) -> None:
    served.engine.volumes.answers["list"] = {}
    await served.ask("GET", "/volumes")

    assert [name for name, _, _ in served.engine.calls] == ["volumes.list"]
