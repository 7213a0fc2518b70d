from __future__ import annotations

import io
import json
import tarfile
from typing import Any

from tests.root.engine.buildkit.conftest import Run, connected

import wharf
from wharf.images.index import parse_index
from wharf.images.record import parse_manifest
from wharf.lib.digest import Digest
from wharf.storage.content import ContentStore

TEXT = "FROM busybox\nARG SECRET\nRUN echo $SECRET > /made\n"


def statements(engine: wharf.Engine, name: str) -> list[dict[str, Any]]:
    """What is attested of an image, from the store."""
    context = engine.builds._context
    content = ContentStore(context.data)
    record = context.images.resolve(name)
    index = parse_index(content.read(context.images.target(record, name)))
    image, about = index["manifests"]
    assert about["annotations"]["vnd.docker.reference.digest"] == image["digest"] == record.manifest_digest
    layers = parse_manifest(content.read(Digest(about["digest"])))["layers"]
    return [json.loads(content.read(Digest(layer["digest"]))) for layer in layers]


def test_an_image_says_how_it_was_made_wherever_it_goes(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            request = client.request(TEXT)
            request.FrontendAttrs.update({"attest:provenance": "mode=min", "build-arg:SECRET": "whispered"})
            response = await client.solve(request)
            (said,) = statements(engine, "made")
            (told,) = await engine.images.attestations("made", statement=True)
            assert (told["Statement"], told["PredicateType"]) == (said, said["predicateType"])
            assert said["predicateType"] == "https://slsa.dev/provenance/v0.2"
            assert said["predicate"]["metadata"]["buildInvocationID"] == request.Ref
            material = said["predicate"]["materials"][0]
            assert material["uri"] == "pkg:docker/busybox@latest?platform=linux%2Famd64"
            assert "whispered" not in json.dumps(said)
            assert said["subject"][0]["name"] == "pkg:docker/made@latest?platform=linux%2Famd64"
            assert (await engine.images.inspect("made"))["Id"] == response["containerimage.config.digest"]

            container = await engine.containers.create({"Image": "made", "Cmd": ["cat", "/made"]})
            await engine.containers.start(container["Id"])
            assert (await (await engine.containers.wait(container["Id"])))["StatusCode"] == 0
            await engine.containers.remove(container["Id"])

            saved = b"".join([chunk async for chunk in engine.images.save(["made"])])
            await engine.images.remove("made")
            async for _ in engine.images.load(_chunks(saved)):
                pass
            assert statements(engine, "made") == [said]
            with tarfile.open(fileobj=io.BytesIO(saved)) as tar:
                assert "manifest.json" in tar.getnames()

    builds(body)


def test_what_is_said_only_with_images_is_not_in_archives(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            request = client.request(TEXT)
            request.FrontendAttrs["attest:provenance"] = "mode=max,version=v1,inline-only=true"
            request.Exporters[0].Attrs["oci-mediatypes"] = "false"  # attestations have no others
            await client.solve(request)
            (said,) = statements(engine, "made")
            steps = said["predicate"]["buildDefinition"]["internalParameters"]["buildConfig"]["llbDefinition"]
            assert [next(iter(step["op"]["Op"])) for step in steps] == ["source", "exec"]
            request = client.request(TEXT)
            request.Exporters[0].Attrs["attestation-inline"] = "false"
            request.FrontendAttrs["attest:provenance"] = "inline-only=true"
            await client.solve(request)
            context = engine.builds._context
            record = context.images.resolve("made")
            assert context.images.target(record, "made") == record.manifest_digest

    builds(body)


async def _chunks(data: bytes) -> Any:
    yield data
