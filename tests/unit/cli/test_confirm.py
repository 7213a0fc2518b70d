from __future__ import annotations

import io
import signal

import pytest

from wharf.cli.confirm import asked, confirmed
from wharf.cli.flags import Flag, Values


@pytest.mark.parametrize(
    ("answer", "agreed"), [("y\n", True), (" Y \n", True), ("yes\n", False), ("\n", False), ("", False)]
)
def test_only_a_y_is_a_yes(
    answer: str, agreed: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))

    assert (asked("Sure?"), capsys.readouterr().out) == (agreed, "Sure? [y/N] ")


def test_force_is_a_yes_and_without_it_there_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    force = Flag("force", "bool", "Do not ask")
    values = Values([force])

    assert not confirmed(values, "All goes.")
    assert capsys.readouterr().out == "WARNING! All goes.\nAre you sure you want to continue? [y/N] "
    values.set(force, "true")
    assert confirmed(values, "All goes.")


def test_signal_is_a_no_on_a_line_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Waiting:
        def readline(self) -> str:
            signal.raise_signal(signal.SIGTERM)
            raise AssertionError("nothing came")

    monkeypatch.setattr("sys.stdin", Waiting())
    before = signal.getsignal(signal.SIGTERM)

    assert (asked("Sure?"), capsys.readouterr().out) == (False, "Sure? [y/N] \n")
    assert signal.getsignal(signal.SIGTERM) is before
