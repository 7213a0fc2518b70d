from __future__ import annotations

import pytest
from tests.root.engine.buildkit.conftest import Run, connected

import wharf
from wharf.engine.buildkit.image_options import ImageOptions
from wharf.engine.buildkit.images import given_configuration, told_of
from wharf.errors import InvalidArgument
from wharf.images.image_set import Form, Part, put_together
from wharf.rpc.status import CallFailed


def test_a_client_is_told_of_the_configuration_of_one_image_alone() -> None:
    amd, arm = (Part({"architecture": one, "os": "linux"}, []) for one in ("amd64", "arm64"))
    one, both = put_together([amd], Form()), put_together([amd, arm], Form(index=True))
    assert told_of(one, ImageOptions())["containerimage.config.digest"] == one.members[0].image_id
    assert "containerimage.config.digest" not in told_of(both, ImageOptions())


def test_a_client_gives_a_configuration_for_each_of_its_results() -> None:
    metadata = {"containerimage.config": b'{"os":"a"}', "containerimage.config/x": b'{"os":"b"}', "bad": b"{"}
    assert given_configuration(metadata, "") == {"os": "a"}
    assert given_configuration(metadata, "x") == {"os": "b"}
    with pytest.raises(InvalidArgument, match="invalid image config"):
        given_configuration({"containerimage.config": b"{"}, "")


def test_annotations_are_of_what_there_is(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            for name, said in (
                ("annotation[linux/s390x].k", "no platform linux/s390x found"),
                ("annotation-index.k", "index annotations not supported for single platform"),
            ):
                request = client.request("FROM scratch\nCOPY <<X /x\nX\n")
                request.Exporters[0].Attrs[name] = "v"
                with pytest.raises(CallFailed, match=said):
                    await client.solve(request)

    builds(body)
