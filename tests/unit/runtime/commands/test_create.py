from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.runtime.commands.test_lifecycle import call

from wharf.errors import InvalidArgument, NotFound
from wharf.runtime.commands import create


def test_a_container_has_one_id() -> None:
    with pytest.raises(InvalidArgument, match="create requires exactly 1 argument"):
        create.create(call("a", "b"))


def test_a_folder_without_a_document_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"config\.json not found"):
        create.run(call("a", bundle=str(tmp_path), no_subreaper=True))
