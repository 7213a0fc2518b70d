"""pause, resume, update, events: a container's control group, while it runs."""

from __future__ import annotations

import sys

from wharf.errors import InvalidArgument
from wharf.lib.light_json import dumps, loads
from wharf.runtime import control, shape
from wharf.runtime.commands.lifecycle import one

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.runtime.cli import Call, Given
    from wharf.spec.oci_runtime import CPU, Memory, Resources


def pause(call: Call) -> int:
    """Stop all processes of a container."""
    control.pause(one(call, "pause"))
    return 0


def resume(call: Call) -> int:
    """Let them go on."""
    control.resume(one(call, "resume"))
    return 0


def update(call: Call) -> int:
    """Change the limits."""
    given, folder = call.given, one(call, "update")
    control.update(folder, resources_of(given))
    if given.get("--l3-cache-schema") or given.get("--mem-bw-schema"):
        control.update_class(folder, given.get("--l3-cache-schema", ""), given.get("--mem-bw-schema", ""))
    return 0


def events(call: Call) -> int:
    """Print measurements and events, a line of JSON each."""
    interval_s = seconds_of(call.given.get("--interval", "5s"))
    for event in control.events(one(call, "events"), None if call.given.get("--stats") else interval_s):
        sys.stdout.write(dumps(event) + "\n")
        sys.stdout.flush()
    return 0


def seconds_of(text: str) -> float:
    """Return the seconds of "5s", "500ms", "1m".

    Raises:
        InvalidArgument: it is none, or not positive.
    """
    for unit, factor in (("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)):
        number = text.removesuffix(unit)
        if number != text and number.replace(".", "", 1).isdigit() and float(number) > 0:
            return float(number) * factor
    raise InvalidArgument(f"invalid interval: {text}")


def resources_of(given: Given) -> Resources:
    """Return the resources the options of update ask for.

    Raises:
        InvalidArgument: a file that is not as it must be, or what is not supported.
    """
    if path := given.get("--resources"):
        if path == "-":
            document = loads(sys.stdin.read())
        else:
            with open(path, encoding="utf-8") as file:
                document = loads(file.read())
        if not isinstance(document, dict):
            raise InvalidArgument(f"{path}: not an object")
        shape.check(document, shape.RESOURCES, "linux.resources")
        return document  # type: ignore[return-value]  # just checked
    resources: Resources = {}
    if memory := _memory(given):
        resources["memory"] = memory
    if cpu := _cpu(given):
        resources["cpu"] = cpu
    if "--pids-limit" in given:
        resources["pids"] = {"limit": given["--pids-limit"]}
    if "--blkio-weight" in given:
        resources["blockIO"] = {"weight": given["--blkio-weight"]}
    return resources


def _memory(given: Given) -> Memory:
    from wharf.lib.sizes import parse_size  # noqa: PLC0415 - start-up

    memory: Memory = {}
    for option, key in (("--memory", "limit"), ("--memory-reservation", "reservation"), ("--memory-swap", "swap")):
        if option in given:
            text = given[option]
            memory[key] = -1 if text == "-1" else parse_size(text)  # type: ignore[literal-required]  # of the list above
    return memory


def _cpu(given: Given) -> CPU:
    keys = {
        "--cpu-share": "shares",
        "--cpu-quota": "quota",
        "--cpu-burst": "burst",
        "--cpu-period": "period",
        "--cpu-rt-runtime": "realtimeRuntime",
        "--cpu-rt-period": "realtimePeriod",
        "--cpu-idle": "idle",
        "--cpuset-cpus": "cpus",
        "--cpuset-mems": "mems",
    }
    cpu: CPU = {}
    for option, key in keys.items():
        if option in given:
            cpu[key] = given[option]  # type: ignore[literal-required]  # of the table above
    return cpu
