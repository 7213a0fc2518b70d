from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from wharf.cli.context_files import packed, unpacked
from wharf.cli.main import main
from wharf.errors import InvalidArgument

RECORD = {"Name": "far", "Metadata": {}, "Endpoints": {"docker": {"Host": "tcp://192.0.2.1:2376"}}}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("DOCKER_HOST", "WHARF_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_context_comes_back_from_its_file(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for file in ("ca", "cert", "key"):
        (home / f"{file}.pem").write_text(f"the {file}")
    where = "host=tcp://192.0.2.1:2376,ca=ca.pem,cert=cert.pem,key=key.pem"
    codes = [
        main(["context", "create", "far", "--description", "afar", "--docker", where]),
        main(["context", "export", "far"]),
        main(["context", "export", "far"]),
        main(["context", "import", "again", "far.dockercontext"]),
        main(["context", "import", "again", "far.dockercontext"]),
        main(["context", "inspect", "again"]),
    ]
    told = capsys.readouterr()
    shown = json.loads(told.out[told.out.index("[") :])[0]

    assert codes == [0, 0, 1, 0, 1, 0]
    assert (shown["Name"], shown["Metadata"]["Description"]) == ("again", "afar")
    assert shown["TLSMaterial"] == {"docker": ["ca.pem", "cert.pem", "key.pem"]}
    assert (home / "far.dockercontext").stat().st_mode & 0o777 == 0o600
    assert 'context "again" already exists' in told.err


def test_zip_file_of_a_context_is_read() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("meta.json", json.dumps(RECORD))
        archive.writestr("tls/docker/ca.pem", b"ca")

    assert unpacked(out.getvalue()) == (RECORD, {"ca.pem": b"ca"})


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b"junk", "invalid context file"),
        (b"PKjunk", "invalid context file"),
        (packed({}, {"../../escape": b""}), "unexpected entry tls/docker/../../escape"),
        (packed({}, {}).replace(b"meta.json", b"atem.json"), "invalid context file"),
    ],
)
def test_what_is_no_context_is_refused(raw: bytes, fault: str) -> None:
    with pytest.raises(InvalidArgument, match=fault):
        unpacked(raw)
