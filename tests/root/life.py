"""A container's life, step by step, as the tests lead it that kill an engine in the middle of one."""

from __future__ import annotations

from wharf.spec.engine_api.container import CreateContainer

STEPS = ("create", "start", "exec", "pause", "unpause", "restart", "kill", "remove")
"""The verbs of one life, in order."""


def name(number: int) -> str:
    """Return what the container of this life is called."""
    return f"life{number}"


def bridged(number: int) -> bool:
    """Return whether this life is led on the bridge, with a published port; every other one is on ``none``."""
    return number % 2 == 1


def document(number: int) -> CreateContainer:
    """Return the container of this life: a small web server with a limit and an anonymous volume."""
    return {
        "Image": "busybox",
        "Cmd": ["httpd", "-f", "-p", "80", "-h", "/etc"],
        "ExposedPorts": {"80/tcp": {}},
        "HostConfig": {
            "NetworkMode": "bridge" if bridged(number) else "none",
            "Memory": 32 << 20,
            "PortBindings": {"80/tcp": [{"HostPort": "0"}]} if bridged(number) else {},
            "Binds": ["/data"],
        },
    }
