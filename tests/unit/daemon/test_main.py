from __future__ import annotations

import sys

import pytest

from wharf.daemon.main import main
from wharf.daemon.settings import SETTINGS
from wharf.lib.version import __version__


def run(monkeypatch: pytest.MonkeyPatch, *args: str) -> int:
    """Run wharfd's command line, which does not come as far as a start; return its exit code."""
    monkeypatch.setattr("sys.argv", ["wharfd", *args])
    with pytest.raises(SystemExit) as ended:
        sys.exit(main())
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--host", "nonsense"], "invalid host 'nonsense'"),
        (["-H", "tcp://127.0.0.1:2375"], "--insecure-tcp allows everybody on loopback"),
        (["--insecure-tcp", "-H", "tcp://0.0.0.0:2375"], "only loopback addresses are served without --tlsverify"),
        (["--log-format", "xml"], 'invalid value "xml" for log-format: choose one of text, json'),
        (["--storage-driver", "zfs"], 'invalid value "zfs" for storage-driver: choose one of overlay2'),
        (["--selinux-enabled"], "selinux-enabled: true is not supported here"),
        (["--no-such-flag"], "unrecognized arguments: --no-such-flag"),
        (["--builder=x"], "unrecognized arguments: --builder=x"),
        (["extra"], "unrecognized arguments: extra"),
        (["--data-root"], "--data-root: expected one argument"),
        (["--deb"], "unrecognized arguments: --deb"),
        (["--config-file", "/nonexistent/daemon.json"], "open /nonexistent/daemon.json: no such file or directory"),
        (["--label", "nonsense"], "bad attribute format: nonsense"),
    ],
)
def test_misuse_is_one_line_and_exits_2(
    args: list[str], words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code = run(monkeypatch, *args)
    said = capsys.readouterr().err

    assert (code, words in said, said.count("\n")) == (2, True, 1), said
    assert said.startswith("wharfd: ")
    assert said.endswith(" (see 'wharfd --help')\n")


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
def test_settings_are_checked_without_a_start(
    args: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code = run(monkeypatch, "--validate", *args)

    assert (code, capsys.readouterr().out) == (0, "configuration OK\n")


def test_version_is_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "--version") == 0
    assert capsys.readouterr().out.startswith(f"wharfd version {__version__}")


def test_help_is_no_failure_and_names_every_flag_that_works(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code = run(monkeypatch, "--help")
    said = capsys.readouterr().out

    assert (code, said.startswith("usage: wharfd [OPTIONS]")) == (0, True)
    working = [one for one in SETTINGS if one.has_flag and not one.why]
    assert [one.option for one in working if f"--{one.option} " not in said] == []
    assert [one.option for one in SETTINGS if one.why and f"--{one.option} " in said] == []
