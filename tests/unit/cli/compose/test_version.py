from __future__ import annotations

import pytest

from wharf.cli.main import main
from wharf.lib.version import __version__


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["version"], f"Wharf Compose version {__version__}\n"),
        (["--version"], f"Wharf Compose version {__version__}\n"),
        (["version", "--short"], f"{__version__}\n"),
        (["version", "-f", "json"], f'{{"version":"{__version__}"}}\n'),
    ],
)
def test_version(words: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compose", *words]) == 0
    assert capsys.readouterr().out == text
