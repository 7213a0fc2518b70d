from __future__ import annotations

import pytest
from click.testing import CliRunner

from wharf.daemon.main import command, main
from wharf.lib.version import __version__


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--host", "nonsense"], "invalid host 'nonsense'"),
        (["-H", "tcp://127.0.0.1:2375"], "--insecure-tcp allows loopback"),
        (["--insecure-tcp", "-H", "tcp://0.0.0.0:2375"], "only loopback addresses are served without TLS"),
        (["--log-format", "xml"], "'xml' is not one of"),
        (["--storage-driver", "overlay2"], "No such option"),
        (["extra"], "unexpected extra argument"),
    ],
)
def test_misuse_is_explained_and_exits_2(args: list[str], words: str) -> None:
    result = CliRunner().invoke(command, args)

    assert (result.exit_code, words in result.output) == (2, True), result.output


def test_version_is_told() -> None:
    assert CliRunner().invoke(command, ["--version"]).output.startswith(f"wharfd version {__version__}")


def test_misuse_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["wharfd", "extra"])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2
    assert capsys.readouterr().err == "wharfd: Got unexpected extra argument (extra) (see 'wharfd --help')\n"


def test_help_is_no_failure(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["wharfd", "--help"])

    with pytest.raises(SystemExit) as ended:
        main()

    assert (ended.value.code or 0, capsys.readouterr().out.startswith("Usage: wharfd")) == (0, True)
