from __future__ import annotations

import os

import pytest

from wharf.kernel import namespace


def test_every_type_has_a_flag_and_a_file() -> None:
    assert namespace.FLAG_OF.keys() == namespace.FILE_OF.keys()
    assert all(os.path.exists(f"/proc/self/ns/{name}") for name in namespace.FILE_OF.values())


def test_a_process_is_a_member_of_its_own_namespaces() -> None:
    assert os.getpid() in namespace.members("pid", os.getpid())


def test_members_of_nobodys_namespace_are_asked_for_in_vain() -> None:
    with pytest.raises(FileNotFoundError):
        namespace.members("pid", 1 << 22)
