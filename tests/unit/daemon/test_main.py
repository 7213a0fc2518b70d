from __future__ import annotations

import pytest
from click.testing import CliRunner

from wharf.daemon.main import command, main
from wharf.lib.version import __version__


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--host", "nonsense"], "invalid host 'nonsense'"),
        (["-H", "tcp://127.0.0.1:2375"], "--insecure-tcp allows everybody on loopback"),
        (["--insecure-tcp", "-H", "tcp://0.0.0.0:2375"], "only loopback addresses are served without --tlsverify"),
        (["--log-format", "xml"], 'invalid value "xml" for log-format: choose one of text, json'),
        (["--storage-driver", "zfs"], 'invalid value "zfs" for storage-driver: choose one of overlay2'),
        (["--userns-remap=default"], "userns-remap: default is not supported here"),
        (["--no-such-flag"], "No such option"),
        (["extra"], "unexpected extra argument"),
        (["--config-file", "/nonexistent/daemon.json"], "open /nonexistent/daemon.json: no such file or directory"),
        (["--label", "nonsense"], "bad attribute format: nonsense"),
    ],
)
def test_misuse_is_explained_and_exits_2(args: list[str], words: str) -> None:
    result = CliRunner().invoke(command, args)

    assert (result.exit_code, words in " ".join(result.output.split())) == (2, True), result.output


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["-D", "-l", "debug", "-H", "unix:///tmp/x.sock", "-G", "0"],
        ["--debug=false", "--raw-logs", "--live-restore=true", "-s", "overlay2", "--ip-masq"],
        ["--default-ulimit", "nofile=1:2", "--default-ulimit", "nproc=3", "--default-shm-size", "1m"],
        ["--log-opt", "max-size=1m", "--log-opt", "max-file=2", "--dns", "192.0.2.1", "--label", "a=b"],
        ["--tlsverify", "-H", "tcp://0.0.0.0:2376", "-H", "fd://"],
    ],
)
def test_settings_are_checked_without_a_start(args: list[str]) -> None:
    result = CliRunner().invoke(command, ["--validate", *args])

    assert (result.exit_code, result.output) == (0, "configuration OK\n")


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
