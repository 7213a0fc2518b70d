"""What ``volume create`` asks of a volume that a whole cluster keeps (Engine API, ClusterVolumeSpec).

An engine that is in no swarm answers so; the command line says no more of it than docker's does.
"""

from __future__ import annotations

from wharf.cli.flags import Flag
from wharf.errors import InvalidArgument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wharf.cli.flags import Values
    from wharf.client.documents import Document


def _one_of(*choices: str) -> Callable[[str], None]:
    def check(text: str) -> None:
        if text not in choices:
            raise InvalidArgument(f"use one of {', '.join(choices)}")

    return check


def pairs(text: str) -> dict[str, str]:
    """Return ``key=value[,key=value...]``.

    Raises:
        InvalidArgument: it is not of that form.
    """
    found = {}
    for pair in text.split(","):
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise InvalidArgument("it must be of the form key=value[,key=value...]")
        found[key] = value
    return found


AVAILABILITY = Flag(
    "availability", "string", "A cluster's volume: active, pause or drain", default="active",
    check=_one_of("active", "pause", "drain"),
)  # fmt: skip
FLAGS = (
    AVAILABILITY,
    Flag("group", "string", "A cluster's volume: its group"),
    Flag("limit-bytes", "bytes", "A cluster's volume: its largest size"),
    Flag("required-bytes", "bytes", "A cluster's volume: its smallest size"),
    Flag("scope", "string", "A cluster's volume: single or multi nodes", default="single",
         check=_one_of("single", "multi")),
    Flag("secret", "list", "A cluster's volume: a secret of its driver, key=secret", check=pairs),
    Flag("sharing", "string", "A cluster's volume: none, readonly, onewriter or all", default="none",
         check=_one_of("none", "readonly", "onewriter", "all")),
    Flag("topology-preferred", "list", "A cluster's volume: where it should be, key=value[,...]", check=pairs),
    Flag("topology-required", "list", "A cluster's volume: where it must be, key=value[,...]", check=pairs),
    Flag("type", "string", "A cluster's volume: mount or block", default="block", check=_one_of("mount", "block")),
)  # fmt: skip


def spec(values: Values) -> Document | None:
    """Return a ClusterVolumeSpec; None when nothing is asked of a cluster. Pure."""
    if not any(values.given(flag.name) for flag in FLAGS):
        return None
    mode = "MountVolume" if values.text("type") == "mount" else "BlockVolume"
    secrets = [pairs(text) for text in values.items("secret")]
    return {
        "Group": values.text("group"),
        "AccessMode": {"Scope": values.text("scope"), "Sharing": values.text("sharing"), mode: {}},
        "Availability": values.text("availability"),
        "CapacityRange": {
            "LimitBytes": values.number("limit-bytes"),
            "RequiredBytes": values.number("required-bytes"),
        },
        "Secrets": [{"Key": key, "Secret": secret} for each in secrets for key, secret in each.items()],
        "AccessibilityRequirements": {
            "Requisite": [{"Segments": pairs(text)} for text in values.items("topology-required")],
            "Preferred": [{"Segments": pairs(text)} for text in values.items("topology-preferred")],
        },
    }
