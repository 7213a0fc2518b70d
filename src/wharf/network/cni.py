"""Networks that CNI plugins make: by the name of a configuration list of the host's, or of a plugin (CNI spec 1.1).

``docker network create -d NAME``: a list of that name in ``/etc/cni/net.d`` is used as it is, and chooses addresses
itself. Else a plugin of that name is run with the network's options as its configuration, and with the addresses that
the engine chose (through the plugin ``static``).

What was run for an endpoint is kept below the run root before it is run, as libcni does, so that it can be undone
whatever becomes of the engine or of the host's files.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_interface
from pathlib import Path
from typing import Any, NamedTuple

from wharf.errors import NotFound, NotImplementedHere, Unavailable
from wharf.kernel import process
from wharf.network.endpoint import Endpoint, PublishedPort
from wharf.network.records import Network
from wharf.network.rules import ANY, ANY6

_TYPE = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
_VERSIONS = ("0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0")
_OWN_VERSION = "1.0.0"
_TIMEOUT_S = 60.0
_PORTS = "portMappings"  # a capability, and what is given to a plugin that has it (CNI conventions)
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Places:
    """Where the host keeps configuration lists and plugins."""

    lists: Sequence[Path] = (Path("/etc/cni/net.d"),)
    plugins: Sequence[Path] = (Path("/opt/cni/bin"), Path("/usr/lib/cni"), Path("/usr/libexec/cni"))

    def plugin(self, kind: str) -> Path | None:
        """Return the program of a plugin; None when there is none of that name."""
        if not _TYPE.fullmatch(kind):
            return None
        return next((folder / kind for folder in self.plugins if os.access(folder / kind, os.X_OK)), None)

    def configured(self, name: str) -> Json | None:
        """Return the first configuration list of that name, by the names of the files; None when there is none."""
        for folder in self.lists:
            files = sorted(folder.iterdir()) if folder.is_dir() else []
            for file in files:
                if file.suffix in (".conflist", ".conf", ".json") and (found := _read(file)).get("name") == name:
                    return found
        return None


def _read(file: Path) -> Json:
    """Return a file as a configuration list; {} for one that is none: it is somebody else's to mend."""
    try:
        document = json.loads(file.read_text())
    except ValueError:
        return {}
    if not isinstance(document, dict):
        return {}
    if "plugins" not in document and "type" in document:  # a single plugin's (CNI spec, before 1.0)
        return {"cniVersion": document.get("cniVersion"), "name": document.get("name"), "plugins": [document]}
    return document


class Call(NamedTuple):
    """One plugin to be run: its program's name and what it reads."""

    kind: str
    configuration: Json


def calls(document: Json, result: Json | None = None, ports: Sequence[Json] = ()) -> list[Call]:
    """Return the plugins of a configuration list in order, each with its own configuration. Pure.

    ``result`` is what the last one told when they were added; None while they are. ``ports`` go to those that say
    that they publish ports (CNI spec, section 3, "Deriving runtimeConfig").
    """
    shared = {"cniVersion": document["cniVersion"], "name": document["name"]}
    more = {} if result is None else {"prevResult": result}
    found = []
    for plugin in document["plugins"]:
        own = {name: value for name, value in plugin.items() if name != "capabilities"}
        given = {"runtimeConfig": {_PORTS: list(ports)}} if ports and _maps_ports(plugin) else {}
        found.append(Call(plugin["type"], {**own, **shared, **more, **given}))
    return found


def _maps_ports(plugin: Mapping[str, Any]) -> bool:
    capabilities = plugin.get("capabilities")
    return isinstance(capabilities, dict) and capabilities.get(_PORTS) is True


def port_mappings(ports: Sequence[PublishedPort]) -> list[Json]:
    """Return published ports as the convention for ``portMappings`` has them. Pure."""
    return [
        {
            "hostPort": port.host_port,
            "containerPort": port.container_port,
            "protocol": port.protocol,
            **({} if port.host_ip in (ANY, ANY6) else {"hostIP": port.host_ip}),
        }
        for port in ports
    ]


def require_usable(document: Json) -> None:
    """Raise NotImplementedHere for a configuration list that cannot be run. Pure."""
    name, version = document.get("name"), document.get("cniVersion")
    if version not in _VERSIONS:
        raise NotImplementedHere(f"CNI network {name}: its cniVersion {version} is none of {', '.join(_VERSIONS)}")
    plugins = document.get("plugins")
    if not isinstance(plugins, list) or not plugins:
        raise NotImplementedHere(f"CNI network {name} has no plugins")
    for plugin in plugins:
        if not isinstance(plugin, dict) or not _TYPE.fullmatch(str(plugin.get("type", ""))):
            raise NotImplementedHere(f"CNI network {name} has a plugin without a type")


def by_plugin(network: Network, endpoint: Endpoint) -> Json:
    """Return the configuration list that runs the plugin which a network's driver names. Pure."""
    addresses = [
        {"address": f"{address}/{length}", **({"gateway": gateway} if gateway else {})}
        for address, length, gateway in (
            (endpoint.ipv4, endpoint.prefix_length, endpoint.gateway),
            (endpoint.ipv6, endpoint.prefix_length6, endpoint.gateway6),
        )
        if address
    ]
    routes = [{"dst": "::/0" if ":" in a["gateway"] else "0.0.0.0/0"} for a in addresses if "gateway" in a]
    plugin = _own_options(network) | {
        "type": network.driver,
        "ipam": {"type": "static", "addresses": addresses, "routes": routes},
    }
    return {"cniVersion": _OWN_VERSION, "name": network.name, "plugins": [plugin]}


def _own_options(network: Network) -> Json:
    return {name: _value(text) for name, text in network.options.items()}


def _value(text: str) -> object:
    """Return an option's text as the JSON that it is, else as text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def learnt(endpoint: Endpoint, result: Mapping[str, Any]) -> Endpoint:
    """Return ``endpoint`` with the addresses, gateways and MAC that a result tells. Pure."""
    inside = [one for one in result.get("interfaces") or [] if one.get("sandbox")]
    mac = next((one.get("mac", "") for one in inside if one.get("name") == endpoint.interface), endpoint.mac)
    found = replace(endpoint, mac=mac)
    for entry in reversed(result.get("ips") or []):  # the first of each version counts
        address, gateway = ip_interface(entry["address"]), entry.get("gateway") or ""
        own, length = str(address.ip), address.network.prefixlen
        if address.version == 4:
            found = replace(found, ipv4=own, prefix_length=length, gateway=gateway)
        else:
            found = replace(found, ipv6=own, prefix_length6=length, gateway6=gateway)
    return found


class CniNetworks:
    """The networks of one engine that CNI plugins make. Its methods block."""

    def __init__(self, kept: Path, network: Callable[[str], Network], places: Places | None = None) -> None:
        """``kept`` is a folder for what was run; ``network`` finds one by id."""
        self._kept, self._network = kept, network
        self._places = places or Places()

    def require(self, network: Network) -> bool:
        """Return whether the engine chooses addresses for ``network``.

        Raises:
            NotFound: the host has neither a list nor a plugin of the driver's name.
            NotImplementedHere: the list cannot be run, or is asked for what it says itself.
        """
        document = self._places.configured(network.driver)
        if document is not None:
            require_usable(document)
            if network.options or network.pools or network.internal:
                raise NotImplementedHere(f"CNI network {network.driver} says itself what its options and subnets are")
            return False
        if self._places.plugin(network.driver) is None:
            raise NotFound(
                f'plugin "{network.driver}" not found: there is no network driver or plugin, no CNI network and no '
                "CNI plugin of that name"
            )
        return True

    def publishes(self, network: Network) -> bool:
        """Return whether plugins of ``network`` publish ports."""
        document = self._places.configured(network.driver) or {"plugins": [_own_options(network)]}
        return any(isinstance(plugin, dict) and _maps_ports(plugin) for plugin in document.get("plugins") or ())

    def add(self, path: str, endpoint: Endpoint) -> Endpoint:
        """Make the endpoint in the sandbox ``path``; return it with what the plugins told.

        Raises:
            Unavailable: a plugin failed; what was done is undone.
        """
        network = self._network(endpoint.network_id)
        document = self._places.configured(network.driver) or by_plugin(network, endpoint)
        require_usable(document)
        kept: Json = {"document": document, "ports": port_mappings(endpoint.ports)}
        self._keep(endpoint, {**kept, "result": None})
        result: Json | None = None
        try:
            for kind, configuration in calls(document, ports=kept["ports"]):
                given = configuration if result is None else {**configuration, "prevResult": result}
                result = self._run("ADD", kind, given, path, endpoint)
            self._keep(endpoint, {**kept, "result": result})
        except BaseException:
            for _ in self.delete(path, endpoint):
                pass  # the first error is the one to tell
            raise
        return learnt(endpoint, result or {})

    def delete(self, path: str, endpoint: Endpoint) -> Iterator[str]:
        """Undo :meth:`add`; idempotent. Yields what plugins complained of: all are run."""
        file = self._file(endpoint)
        if not file.exists():
            return
        kept = json.loads(file.read_text())
        for kind, configuration in reversed(calls(kept["document"], kept["result"] or None, kept.get("ports") or ())):
            try:
                self._run("DEL", kind, configuration, path, endpoint)
            except (Unavailable, OSError) as error:
                yield str(error)
        file.unlink(missing_ok=True)

    def _file(self, endpoint: Endpoint) -> Path:
        return self._kept / f"{endpoint.id}.json"

    def _keep(self, endpoint: Endpoint, what: Json) -> None:
        self._kept.mkdir(mode=0o700, exist_ok=True)
        draft = self._file(endpoint).with_suffix(".draft")
        draft.write_text(json.dumps(what))
        draft.replace(self._file(endpoint))

    def _run(self, command: str, kind: str, configuration: Json, path: str, endpoint: Endpoint) -> Json:
        program = self._places.plugin(kind)
        if program is None:
            raise Unavailable(f"CNI plugin {kind} is not there (looked in {_listed(self._places.plugins)})")
        done = process.run(
            [str(program)],
            stdin=json.dumps(configuration).encode(),
            timeout_s=_TIMEOUT_S,
            environment={
                "PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
                "CNI_COMMAND": command,
                "CNI_CONTAINERID": endpoint.container_id,
                "CNI_NETNS": path if os.path.exists(path) else "",  # it has gone when the host was started anew
                "CNI_IFNAME": endpoint.interface,
                "CNI_PATH": os.pathsep.join(map(str, self._places.plugins)),
            },
        )
        answer = _answer(done.stdout)
        if done.code != 0:
            told = ": ".join(filter(None, (answer.get("msg"), answer.get("details"))))
            raise Unavailable(f"CNI plugin {kind} failed ({command}): {told or done.stderr.decode(errors='replace')}")
        return answer


def _answer(stdout: bytes) -> Json:
    try:
        answer = json.loads(stdout or b"{}")
    except ValueError:
        return {"msg": stdout.decode(errors="replace").strip()}
    return answer if isinstance(answer, dict) else {}


def _listed(folders: Sequence[Path]) -> str:
    return ", ".join(map(str, folders))
