from __future__ import annotations

import io
import tarfile

import pytest
from tests.root.engine.buildkit.conftest import Client, Run, connected
from tests.root.engine.buildkit.test_provenance import statements
from tests.root.engine.buildkit.test_to_client import Taker

import wharf
from wharf.build.session.filesend import METHOD
from wharf.rpc.status import CallFailed
from wharf.spec.buildkit import control_pb2 as pb

SCANNER = r"""FROM busybox
COPY --chmod=755 <<"X" /scan
#!/bin/sh
test "$BUILDKIT_SCAN_WISH" = "come true" || exit 3
touch "$BUILDKIT_SCAN_SOURCE/x" 2>/dev/null && exit 4
type=https://spdx.dev/Document
set -- "$BUILDKIT_SCAN_SOURCE"
test -z "$BUILDKIT_SCAN_SOURCE_EXTRAS" || set -- "$@" "$BUILDKIT_SCAN_SOURCE_EXTRAS"*
for folder; do
  printf '{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"%s","predicate":{"name":"%s"}}' \
    $type "$(cat $folder/found)" > "$BUILDKIT_SCAN_DESTINATION/$(basename $folder).spdx.json"
done
X
CMD ["/scan"]
"""


async def make(client: Client, name: str, text: str, **attributes: str) -> None:
    request = client.request(text)
    request.Exporters[0].Attrs["name"] = name
    request.FrontendAttrs.update({f"attest:{kind}": value for kind, value in attributes.items()})
    await client.solve(request)


def test_a_scanner_says_what_is_in_an_image(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            await make(client, "scanner", SCANNER)
            wish = "generator=scanner,WISH=come true"
            await make(client, "made", "FROM busybox\nRUN echo here > /found\n", sbom=wish)
            (said,) = statements(engine, "made")
            assert (said["predicateType"], said["predicate"]["name"]) == ("https://spdx.dev/Document", "here")

    builds(body)


STAGES = """ARG BUILDKIT_SBOM_SCAN_STAGE=true
FROM busybox AS tools
RUN echo tools > /found
FROM scratch AS bare
COPY <<X /found
bare
X
FROM busybox AS unused
RUN false
FROM scratch
ARG BUILDKIT_SBOM_SCAN_CONTEXT=true
COPY found /
COPY --from=tools /found /tools
COPY --from=bare /found /bare
"""


def test_stages_and_the_context_are_scanned_too_where_that_is_asked_for(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        taker = Taker()
        async with connected(engine, more={METHOD: taker.take}) as client:
            await make(client, "scanner", SCANNER)
            client.fake.folders["context"] = {"found": b"sent"}
            wish = "generator=scanner,WISH=come true"
            await make(client, "made", STAGES, sbom=wish)
            said = [one["predicate"]["name"] for one in statements(engine, "made")]
            assert (said[0], sorted(said)) == ("sent", ["bare", "sent", "sent", "tools"])

            request = client.request(STAGES)
            request.FrontendAttrs.update({"attest:sbom": wish, "build-arg:BUILDKIT_SBOM_SCAN_CONTEXT": "false"})
            del request.Exporters[:]
            request.Exporters.append(pb.Exporter(Type="tar"))
            await client.solve(request)
            with tarfile.open(fileobj=io.BytesIO(taker.data)) as tar:
                assert [name for name in tar.getnames() if name.endswith("json")] == [
                    "sbom-bare.spdx.json", "sbom-tools.spdx.json", "sbom.spdx.json",
                ]  # fmt: skip

    builds(body)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("""echo '{"predicateType": "x", "predicate": {}}' > $BUILDKIT_SCAN_DESTINATION/a""", "is of the type x"),
        ("exit 5", "exit code: 5"),
        ('echo no > "$BUILDKIT_SCAN_DESTINATION/a.spdx.json"', "is no JSON document"),
        ('ln -s /etc/passwd "$BUILDKIT_SCAN_DESTINATION/a.spdx.json"', "(?i)symbolic links|cannot|loop"),
    ],
)
def test_a_scanner_that_fails_fails_the_build(builds: Run, script: str, said: str) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            await make(client, "scanner", f"FROM busybox\nCMD {script}\n")
            with pytest.raises(CallFailed, match=said):
                await make(client, "made", "FROM busybox\nRUN true\n", sbom="generator=scanner")
            assert [one["RepoTags"] for one in await engine.images.list() if "made:latest" in one["RepoTags"]] == []

    builds(body)


def test_a_scanner_needs_a_command(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            await make(client, "scanner", "FROM scratch\nCOPY <<X /x\nX\n")
            with pytest.raises(CallFailed, match="scanner scanner does not have cmd"):
                await make(client, "made", "FROM busybox\nRUN true\n", sbom="generator=scanner")

    builds(body)
