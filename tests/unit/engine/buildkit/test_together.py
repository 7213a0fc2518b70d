from __future__ import annotations

import os
from pathlib import Path

import pytest

from wharf.engine.buildkit.together import require_apart
from wharf.errors import InvalidArgument


def _opened(folder: Path, *paths: str) -> tuple[str, int]:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("")
    return folder.name, os.open(folder, os.O_RDONLY | os.O_DIRECTORY)


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (("d/other",), None),
        (("d/file",), "cannot overwrite d/file from one with two"),
        (("d/file/below",), "cannot overwrite d/file from one with two"),
    ],
)
def test_results_may_share_folders_and_nothing_else(
    tmp_path: Path, second: tuple[str, ...], said: str | None
) -> None:
    one, two = _opened(tmp_path / "one", "d/file"), _opened(tmp_path / "two", *second)
    try:
        if said is None:
            require_apart([one, ("none", None), two])
        else:
            with pytest.raises(InvalidArgument, match=said):
                require_apart([one, ("none", None), two])
    finally:
        os.close(one[1])
        os.close(two[1])
