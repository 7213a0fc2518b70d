from __future__ import annotations

import pytest

from wharf.build.operations.modes import changed_mode


@pytest.mark.parametrize(
    ("text", "mode", "expected"),
    [
        ("0750", 0o644, 0o750),
        ("u+x", 0o644, 0o744),
        ("go-rw", 0o666, 0o600),
        ("a=r", 0o777, 0o444),
        ("u=rwx,go=rX", 0o644, 0o755),
        ("+X", 0o644, 0o644),
        ("g=u", 0o640, 0o660),
        ("u+s,+t", 0o755, 0o5755),
    ],
)
def test_modes_change_as_chmod_has_it(text: str, mode: int, expected: int) -> None:
    assert oct(changed_mode(text, mode, folder=False)) == oct(expected)


def test_a_folder_can_always_be_entered_by_whom_it_is_said_of() -> None:
    assert changed_mode("u=rwX,go=rX", 0o600, folder=True) == 0o755


def test_anything_else_is_no_mode() -> None:
    with pytest.raises(ValueError, match="invalid mode"):
        changed_mode("u+q", 0, folder=False)
