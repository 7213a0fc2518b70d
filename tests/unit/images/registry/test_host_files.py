from __future__ import annotations

from pathlib import Path

import pytest

from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.images.registry.host import Host
from wharf.images.registry.host_files import FILE, HostFile, host_file_of, parse_host_file

PATH = Path("/certs.d/reg.example/hosts.toml")
WHOLE = b"""
server = "http://reg.example:5000"

[host."https://m.example/proxy"]
  capabilities = ["pull"]
  ca = "ca.pem"
  client = [["own.cert", "own.key"], ["both.pem", ""]]
  skip_verify = true
  override_path = true
  [host."https://m.example/proxy".header]
    x-team = ["web", "db"]

[host."n.example:5000"]
"""


def test_all_of_a_file_is_read() -> None:
    folder = PATH.parent

    assert parse_host_file(WHOLE, PATH) == HostFile(
        Host("reg.example:5000", ("http",)),
        (
            Host(
                "m.example",
                verified=False,
                mirror=True,
                prefix="/proxy",
                whole_path=True,
                resolves=False,
                authorities=(folder / "ca.pem",),
                own=((folder / "own.cert", folder / "own.key"), (folder / "both.pem", folder / "both.pem")),
                headers=(("x-team", "web, db"),),
            ),
            Host("n.example:5000", mirror=True),
        ),
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"server = ", "Invalid value"),
        (b"skip_verify = true", "skip_verify stands outside of a host"),
        (b"\xff", "can't decode"),
        (b'[host."https://m"]\nskip_verfy = true', "unknown field `skip_verfy`"),
        (b'[host."https://m"]\nskip_verify = "yes"', "Expected `bool`"),
        (b'[host."ftp://m"]', 'invalid host: "ftp://m"'),
        (b'[host."https://m"]\ncapabilities = ["fly"]', '"fly" is no capability'),
        (b'[host."https://m"]\nclient = [["a", "b", "c"]]', "client must be"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_the_files_name(text: bytes, words: str) -> None:
    with pytest.raises(InvalidArgument, match=words) as refused:
        parse_host_file(text, PATH)

    assert str(refused.value).startswith(f"{PATH}: ")


@pytest.mark.parametrize(
    "text",
    [
        b'server = "https://reg.example/path"',
        b'[host."https://m"]\ncapabilities = ["pull", "push"]',
        b'[host."https://m"]\ncapabilities = ["resolve"]',
    ],
)
def test_what_cannot_be_done_is_refused_by_name(text: bytes) -> None:
    with pytest.raises(NotImplementedHere, match=r"hosts\.toml: .* not supported"):
        parse_host_file(text, PATH)


def test_a_registrys_own_file_goes_before_the_one_for_all(tmp_path: Path) -> None:
    for folder, name in (("second", "_default"), ("second", "reg.example:5000")):
        (tmp_path / folder / name).mkdir(parents=True)
        (tmp_path / folder / name / FILE).write_text(f'server = "https://{name.strip("_").replace(":", "-")}"')
    folders = (tmp_path / "first", tmp_path / "second")

    found = [host_file_of(name, folders) for name in ("reg.example:5000", "other.example")]
    assert [file and file.server and file.server.name for file in found] == ["reg.example-5000", "default"]
    assert host_file_of("reg.example:5000", folders[:1]) is None
