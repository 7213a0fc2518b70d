from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.root.engine.builds.conftest import Body, build, error, told

import wharf
from wharf.errors import Forbidden

Run = Callable[[Body], None]


def test_a_command_is_confined_as_a_containers(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        look = "grep -E 'CapEff|Seccomp:' /proc/self/status; hostname"
        text = told(await build(engine, f"FROM busybox\nRUN {look}"))
        assert "CapEff:\t00000000a80425fb" in text
        assert "Seccomp:\t2" in text
        assert "buildkitsandbox" in text

        with pytest.raises(Forbidden, match=r"RUN --security=insecure true: security\.insecure is not allowed"):
            await build(engine, "FROM busybox\nRUN --security=insecure true")

    builds(body)


def test_networks_are_the_bridge_none_or_the_hosts(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        text = told(
            await build(
                engine,
                "FROM busybox\nRUN ls /sys/class/net; grep added /etc/hosts\n"
                "RUN --network=none ls /sys/class/net | tr '\\n' ,",
                extrahosts=["added:1.2.3.4"],
            )
        )
        assert "eth0" in text
        assert "1.2.3.4\tadded" in text
        assert "\nlo," in text

    builds(body)


def test_mount_points_leave_no_trace(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        script = '["/sh", "-c", "echo > /a/b/c"]'
        text = f"FROM scratch\nCOPY --from=busybox /bin/busybox /sh\nRUN --mount=type=tmpfs,target=/a/b {script}"
        assert error(await build(engine, text)) == ""
        context = engine.builds._context
        chain = context.images.resolve("made").chain_id

        assert list(context.snapshots.lower_dirs(chain)[0].iterdir()) == []

    builds(body)


def test_what_cannot_be_executed_is_told(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        assert "no such file or directory" in error(await build(engine, 'FROM busybox\nRUN ["/none"]'))
        assert "devices are not supported" in error(
            await build(engine, "FROM busybox\nRUN --device=a/b=c,required x")
        )

    builds(body)
