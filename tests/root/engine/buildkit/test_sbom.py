from __future__ import annotations

import pytest
from tests.root.engine.buildkit.conftest import Client, Run, connected
from tests.root.engine.buildkit.test_provenance import statements

import wharf
from wharf.rpc.status import CallFailed

SCANNER = r"""FROM busybox
COPY --chmod=755 <<"X" /scan
#!/bin/sh
test "$BUILDKIT_SCAN_WISH" = "come true" || exit 3
touch "$BUILDKIT_SCAN_SOURCE/x" 2>/dev/null && exit 4
out="$BUILDKIT_SCAN_DESTINATION/$(basename $BUILDKIT_SCAN_SOURCE)"
printf '{"SPDXID":"SPDXRef-DOCUMENT","name":"%s"}' "$(cat $BUILDKIT_SCAN_SOURCE/found)" > "$out.spdx.json"
echo ignored > "$out.txt"
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


@pytest.mark.parametrize(
    ("script", "said"),
    [
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
