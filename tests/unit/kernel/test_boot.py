from __future__ import annotations

from wharf.kernel.boot import boot_id


def test_a_run_of_the_kernel_keeps_its_id() -> None:
    assert len(boot_id()) == 36
    assert boot_id() == boot_id()
