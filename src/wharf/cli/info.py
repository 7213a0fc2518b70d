"""``wharf info``: what an engine holds and can do, in ``docker info``'s lines."""

from __future__ import annotations

from wharf.cli.command import Command
from wharf.cli.flags import Flag
from wharf.cli.output import print_formatted
from wharf.client.documents import as_documents, number, section, text, texts
from wharf.client.system import System
from wharf.lib.sizes import binary_size
from wharf.lib.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from wharf.cli.command import Session
    from wharf.cli.flags import Values
    from wharf.client.documents import Document

_COUNTS = (
    ("Containers", "Containers"),
    (" Running", "ContainersRunning"),
    (" Paused", "ContainersPaused"),
    (" Stopped", "ContainersStopped"),
    ("Images", "Images"),
)
_DRIVERS = (
    ("Logging Driver", "LoggingDriver"),
    ("Cgroup Driver", "CgroupDriver"),
    ("Cgroup Version", "CgroupVersion"),
)
_MACHINE = (
    ("Kernel Version", "KernelVersion"),
    ("Operating System", "OperatingSystem"),
    ("OSType", "OSType"),
    ("Architecture", "Architecture"),
)
_PLACES = (("Name", "Name"), ("ID", "ID"), ("Docker Root Dir", "DockerRootDir"))
_PROXIES = (("HTTP Proxy", "HttpProxy"), ("HTTPS Proxy", "HttpsProxy"), ("No Proxy", "NoProxy"))
_PLUGINS = ("Volume", "Network", "Authorization", "Log")


def info_lines(document: Document) -> list[str]:
    """Return the engine's part of ``info``; what an engine does not tell has no line."""
    lines = [f"{title}: {number(document, name)}" for title, name in _COUNTS]
    lines += _known(document, (("Server Version", "ServerVersion"), ("Storage Driver", "Driver")))
    lines += [f" {name}: {value}" for name, value in _pairs(document.get("DriverStatus"))]
    lines += _known(document, _DRIVERS)
    plugins = {name: texts(document, "Plugins", name) for name in _PLUGINS}
    lines += ["Plugins:", *(f" {name}: {' '.join(listed)}" for name, listed in plugins.items() if listed)]
    lines += _under("CDI spec directories", texts(document, "CDISpecDirs"))
    devices = as_documents(document.get("DiscoveredDevices"))
    lines += _under("Discovered Devices", [f"{text(each, 'Source')}: {text(each, 'ID')}" for each in devices])
    lines += [f"Swarm: {text(document, 'Swarm', 'LocalNodeState')}"]
    lines += [f"Runtimes: {' '.join(section(document, 'Runtimes'))}"]
    lines += _known(document, (("Default Runtime", "DefaultRuntime"),))
    lines += _security(texts(document, "SecurityOptions"))
    lines += _known(document, _MACHINE)
    lines += [f"CPUs: {number(document, 'NCPU')}", f"Total Memory: {binary_size(number(document, 'MemTotal'))}"]
    lines += _known(document, _PLACES)
    lines += _debug(document)
    lines += _known(document, _PROXIES)
    lines += _under("Labels", texts(document, "Labels"))
    lines += [f"Experimental: {_truth(document, 'ExperimentalBuild')}"]
    lines += _registries(section(document, "RegistryConfig"))
    lines += [f"Live Restore Enabled: {_truth(document, 'LiveRestoreEnabled')}"]
    pools = as_documents(document.get("DefaultAddressPools"))
    lines += _under(
        "Default Address Pools", [f"Base: {text(each, 'Base')}, Size: {number(each, 'Size')}" for each in pools]
    )
    lines += _known(section(document, "FirewallBackend"), (("Firewall Backend", "Driver"),))
    return [f" {line}" for line in lines]


def _known(document: Document, titles: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{title}: {text(document, name)}" for title, name in titles if text(document, name)]


def _under(title: str, entries: list[str]) -> list[str]:
    return [f"{title}:", *(f" {entry}" for entry in entries)] if entries else []


def _pairs(listed: object) -> list[tuple[object, object]]:
    pairs = listed if isinstance(listed, list) else []
    return [(pair[0], pair[1]) for pair in pairs if isinstance(pair, list) and len(pair) == 2]


def _security(options: list[str]) -> list[str]:
    """Return a line for each, and one below it for each of what it has: ``name=seccomp,profile=builtin``."""
    lines: list[str] = []
    for option in options:
        name, *details = option.removeprefix("name=").split(",")
        named = [detail.partition("=") for detail in details]
        lines += [name, *(f" {key.capitalize()}: {value}" for key, _, value in named)]
    return _under("Security Options", lines)


def _debug(document: Document) -> list[str]:
    if not document.get("Debug"):
        return ["Debug Mode: false"]
    return [
        "Debug Mode: true",
        f" File Descriptors: {number(document, 'NFd')}",
        f" System Time: {text(document, 'SystemTime')}",
        f" EventsListeners: {number(document, 'NEventsListener')}",
    ]


def _registries(config: Document) -> list[str]:
    indexes = section(config, "IndexConfigs")
    insecure = [name for name in indexes if not section(indexes, name).get("Secure")]
    return [
        *_under("Insecure Registries", [*insecure, *texts(config, "InsecureRegistryCIDRs")]),
        *_under("Registry Mirrors", texts(config, "Mirrors")),
    ]


def _truth(document: Document, name: str) -> str:
    return "true" if document.get(name) else "false"


def _info(session: Session, values: Values, _: list[str]) -> int:
    document = System(session.client).info()
    if values.text("format"):
        mine = {"ClientInfo": {"Version": __version__}}
        print_formatted(session, values.text("format"), {**document, **mine})
        return 0
    session.print(f"Client:\n Version:    {__version__}\n Host:       {session.host}\n\nServer:")
    session.print("\n".join(info_lines(document)))
    for warning in texts(document, "Warnings"):
        session.warn(warning)
    return 0


COMMANDS = (
    Command(
        "info", _info, "Show the engine's state and the machine's",
        flags=(Flag("format", "string", "'json' or a template", short="f"),),
        examples=("wharf info", "wharf info -f '{{.Driver}}'"),
    ),
)  # fmt: skip
