"""What the daemon was told, from its flags and daemon.json together. Pure but for reading the file."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from wharf.daemon.addresses import Address, parse_address
from wharf.daemon.settings import BY_NAME, SETTINGS, Value
from wharf.daemon.values import from_flags, from_json, shown
from wharf.engine.ocispec.process import rlimits
from wharf.engine.options import BUILD_RECORDS, BUILD_RULES, DEVICE_FOLDERS, ContainerDefaults, EngineOptions
from wharf.engine.runtimes import DEFAULT, OWN, Runtimes
from wharf.errors import InvalidArgument
from wharf.images.registry.hosts import RegistryOptions
from wharf.lib.reference import DEFAULT_DOMAIN
from wharf.lib.sizes import parse_size
from wharf.network.defaults import AddressPool, NetworkDefaults
from wharf.spec.engine_api.container import HostConfigUlimitsItem
from wharf.spec.shim_messages import OtherRuntime
from wharf.storage.layout import default_places

T = TypeVar("T")

_PROXIES: Final = ("http-proxy", "https-proxy", "no-proxy")


@dataclass(frozen=True, slots=True)
class Configuration:
    """Settings by name; those that nobody gave are not in it."""

    values: Mapping[str, Value]

    def get(self, name: str, default: T) -> T:
        """Return a setting; ``default`` tells its type."""
        value = self.values.get(name, default)
        assert name in BY_NAME, name
        assert isinstance(value, type(default)), (name, value)
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a setting that is a list of texts."""
        value = self.values.get(name, ())
        assert name in BY_NAME, name
        return tuple(str(each) for each in value) if isinstance(value, tuple) else ()

    def path(self, name: str, default: Path | None) -> Path | None:
        """Return a setting that is a path, made absolute."""
        text = self.get(name, "")
        return Path(text).absolute() if text else default

    @property
    def data_root(self) -> Path:
        """Where images, containers and volumes are kept.

        Raises:
            InvalidArgument: something else is there.
        """
        path = Path(self.get("data-root", default_places().data_root)).absolute()
        if path.exists() and not path.is_dir():
            raise InvalidArgument(f"data-root: {path} is not a folder")
        return path

    @property
    def level(self) -> str:
        """The least important lines of the log."""
        return "debug" if self.get("debug", default=False) else self.get("log-level", "info")

    @property
    def tls(self) -> TlsFiles | None:
        """The files of TLS; None when tcp:// is not encrypted."""
        verify = self.get("tlsverify", default=False)
        if not (verify or self.get("tls", default=False)):
            return None
        authority, certificate, key = (
            Path(self.get(name, f"{default_places().configuration}/{file}")).absolute()
            for name, file in (("tlscacert", "ca.pem"), ("tlscert", "cert.pem"), ("tlskey", "key.pem"))
        )
        return TlsFiles(authority if verify else None, certificate, key)

    def addresses(self) -> list[Address]:
        """Return where to listen.

        Raises:
            InvalidArgument, Forbidden, NotImplementedHere: an address that cannot be, or is not safe.
        """
        verified = self.get("tlsverify", default=False)
        insecure = self.get("insecure-tcp", default=False)
        hosts = self.texts("hosts") or (f"unix://{default_places().socket}",)
        return [parse_address(host, insecure_tcp=insecure, verified=verified) for host in hosts]

    def engine_options(self) -> EngineOptions:
        """Return what the engine is told.

        Raises:
            InvalidArgument: the seccomp profile cannot be read, or a label or a limit cannot be.
        """
        builder: Mapping[str, Any] = self._map("builder")
        return EngineOptions(
            labels=_labels(self.texts("labels")),
            debug=self.level == "debug",
            experimental=self.get("experimental", default=False),
            cgroup_driver="systemd" if "native.cgroupdriver=systemd" in self.texts("exec-opts") else "cgroupfs",
            userns_remap=self.get("userns-remap", ""),
            storage_driver=self.get("storage-driver", ""),
            entitlements=self._entitlements(),
            build_rules=builder.get("rules", BUILD_RULES),
            build_records=builder.get("entries", BUILD_RECORDS),
            build_records_ns=builder.get("age_ns", 0),
            device_folders=tuple(Path(folder) for folder in self.texts("cdi-spec-dirs") if folder)
            if "cdi-spec-dirs" in self.values
            else DEVICE_FOLDERS,
            authorization=tuple(dict.fromkeys(self.texts("authorization-plugins"))),
            runtimes=self._runtimes(),
            containers=self._containers(),
            registries=RegistryOptions(
                mirrors={DEFAULT_DOMAIN: mirrors} if (mirrors := self.texts("registry-mirrors")) else {},
                insecure=self.texts("insecure-registries"),
                downloads=self.get("max-concurrent-downloads", 3),
                uploads=self.get("max-concurrent-uploads", 5),
                attempts=self.get("max-download-attempts", 5),
                http_proxy=self.get("http-proxy", ""),
                https_proxy=self.get("https-proxy", ""),
                no_proxy=self.get("no-proxy", ""),
            ),
            networks=self._networks(),
        )

    def _storage_size(self) -> str:
        """The size of containers' own layers, as the driver's option says it; empty for no limit."""
        size = ""
        for option in self.texts("storage-opts"):
            name, _, size = option.partition("=")
            if name != "overlay2.size":
                raise InvalidArgument(f"storage-opts: {name} is not supported here: there is only overlay2.size")
            if (driver := self.get("storage-driver", "")) not in ("", "overlay2"):
                raise InvalidArgument(f"storage-opts: {name} is an option of another driver than {driver}")
            if parse_size(size) <= 0:
                raise InvalidArgument(f"storage-opts: {name}: invalid size: '{size}'")
        return size

    def _entitlements(self) -> frozenset[str]:
        usual = {"network-host": True, "security-insecure": False}  # dockerd's defaults
        said = {**usual, **self._entry("builder", "entitlements")}
        return frozenset(name.replace("-", ".") for name, allowed in said.items() if allowed)

    def _runtimes(self) -> Runtimes:
        others: dict[str, OtherRuntime] = {}
        for name, fields in self._map("runtimes").items():
            assert isinstance(fields, Mapping), "checked when it was read"
            if name in OWN:
                raise InvalidArgument(f"runtimes: runtime name '{name}' is reserved")
            if (path := shutil.which(fields["path"])) is None:
                raise InvalidArgument(f"runtimes: {name}: {fields['path']} is no program that can be executed")
            others[name] = {"path": os.path.abspath(path), "arguments": list(fields["runtimeArgs"])}
        default = self.get("default-runtime", "") or DEFAULT
        if default not in others and default not in OWN:
            raise InvalidArgument(f"specified default runtime '{default}' does not exist")
        return Runtimes(others, default)

    def _networks(self) -> NetworkDefaults:
        address = self.get("ip", "")
        return NetworkDefaults(
            bridge_address=self.get("bip", ""),
            bridge_range=self.get("fixed-cidr", ""),
            bridge_name=self.get("bridge", ""),
            bridge_gateway=self.get("default-gateway", ""),
            bridge_gateway6=self.get("default-gateway-v6", ""),
            bridge_address6=self.get("bip6", ""),
            bridge_range6=self.get("fixed-cidr-v6", ""),
            ipv6=self.get("ipv6", default=False),
            mtu=self.get("mtu", 0),
            icc=self.get("icc", default=True),
            masquerade=self.get("ip-masq", default=True),
            publish=self.get("publish", "docker"),
            direct=self.get("allow-direct-routing", default=False),
            accepted_mark=self.get("bridge-accept-fwmark", ""),
            host_address="" if address == "0.0.0.0" else address,  # noqa: S104  # the word for all of them
            pools=tuple(_pool(each) for each in self._items("default-address-pools")),
            driver_options={
                driver: {str(name): str(value) for name, value in given.items()}
                for driver, given in self._map("default-network-opts").items()
                if isinstance(given, Mapping)
            },
            gateway_addresses=self.texts("host-gateway-ips"),
        )

    def _containers(self) -> ContainerDefaults:
        timeout_s = self.get("default-stop-timeout", -1)
        if timeout_s < -1 or (timeout_s == -1 and "default-stop-timeout" in self.values):
            raise InvalidArgument("default-stop-timeout: a number of seconds cannot be negative")
        return ContainerDefaults(
            log_driver=self.get("log-driver", ""),
            log_options={name: str(value) for name, value in self._map("log-opts").items()},
            shm_size_bytes=self.get("default-shm-size", 0),
            storage_size=self._storage_size(),
            ulimits=_ulimits(self._items("default-ulimits")),
            ipc_mode=self.get("default-ipc-mode", ""),
            cgroupns_mode=self.get("default-cgroupns-mode", ""),
            cgroup_parent=self.get("cgroup-parent", ""),
            init=self.get("init", default=False),
            init_path=str(self.path("init-path", None) or ""),
            no_new_privileges=self.get("no-new-privileges", default=False),
            seccomp_profile=_profile(self.get("seccomp-profile", "")),
            stop_timeout_s=None if timeout_s < 0 else timeout_s,
            dns=self.texts("dns"),
            dns_options=self.texts("dns-opts"),
            dns_search=self.texts("dns-search"),
        )

    def _items(self, name: str) -> Sequence[Mapping[str, object]]:
        value = self.values.get(name, ())
        return [each for each in value if isinstance(each, Mapping)] if isinstance(value, tuple) else []

    def _entry(self, name: str, key: str) -> Mapping[str, object]:
        value = self._map(name).get(key, {})
        return value if isinstance(value, Mapping) else {}

    def _map(self, name: str) -> Mapping[str, object]:
        value = self.values.get(name, {})
        return value if isinstance(value, Mapping) else {}


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Paths of PEM files."""

    authority: Path | None  # who signs the clients' certificates; None: clients need none
    certificate: Path
    key: Path


def _labels(given: Sequence[str]) -> tuple[str, ...]:
    values: dict[str, str] = {}
    for label in given:
        key, equals, value = label.partition("=")
        if not equals:
            raise InvalidArgument(f"bad attribute format: {label}")
        if values.setdefault(key, value) != value:
            raise InvalidArgument(f"conflict labels for {label} and {key}={values[key]}")
    return tuple(f"{key}={value}" for key, value in values.items())


def _ulimits(given: Iterable[Mapping[str, object]]) -> tuple[HostConfigUlimitsItem, ...]:
    found: list[HostConfigUlimitsItem] = [
        {"Name": str(one["Name"]), "Soft": int(str(one["Soft"])), "Hard": int(str(one["Hard"]))} for one in given
    ]
    rlimits({"Ulimits": found})
    return tuple(found)


def _pool(fields: Mapping[str, object]) -> AddressPool:
    return AddressPool(str(fields["base"]), int(str(fields["size"])))


def _profile(given: str) -> str:
    if given in ("", "builtin"):
        return ""
    if given == "unconfined":
        return given
    try:
        return Path(given).read_text()
    except OSError as error:
        raise InvalidArgument(f"seccomp-profile: {given}: {(error.strerror or '').lower()}") from error


def configure(flags: Mapping[str, Sequence[str]], file: Path | None) -> Configuration:
    """Return the settings of the command line and of daemon.json together.

    Args:
        flags: What was given on the command line, by the settings' names.
        file: daemon.json; None for the usual one, which need not be there.

    Raises:
        InvalidArgument: the file cannot be read, a setting is unknown, stands in both or cannot be so.
    """
    path = file or Path(default_places().configuration) / "daemon.json"
    given = {name: from_flags(BY_NAME[name], texts) for name, texts in flags.items()}
    try:
        return Configuration({**given, **merged(given, _read(path, needed=file is not None))})
    except InvalidArgument as error:
        raise InvalidArgument(f"unable to configure the daemon with file {path}: {error}") from error


def _read(path: Path, *, needed: bool) -> Mapping[str, object]:
    try:
        text = path.read_text()
    except FileNotFoundError as error:
        if not needed:
            return {}
        raise InvalidArgument(f"open {path}: no such file or directory") from error
    except OSError as error:
        raise InvalidArgument(f"open {path}: {(error.strerror or '').lower()}") from error
    if not text.strip():
        return {}
    try:
        document = json.loads(text)
    except ValueError as error:
        raise InvalidArgument(f"invalid JSON: {error}") from error
    if not isinstance(document, dict):
        raise InvalidArgument("invalid JSON: it is not an object")
    return document


def merged(flags: Mapping[str, Value], document: Mapping[str, object]) -> Mapping[str, Value]:
    """Return the file's settings, read and checked against the flags.

    Raises:
        InvalidArgument: a setting is unknown, stands in both or cannot be so.
    """
    document = _flat(document)
    if unknown := sorted(document.keys() - BY_NAME.keys()):
        raise InvalidArgument(f"the following directives don't match any configuration option: {', '.join(unknown)}")
    found = {name: from_json(BY_NAME[name], value) for name, value in document.items()}
    if both := [setting.name for setting in SETTINGS if setting.name in flags and setting.name in found]:
        told = ", ".join(
            f"{name}: (from flag: {shown(flags[name])}, from file: {shown(found[name])})" for name in both
        )
        raise InvalidArgument(
            f"the following directives are specified both as a flag and in the configuration file: {told}"
        )
    return found


def _flat(document: Mapping[str, object]) -> Mapping[str, object]:
    """Return the file's settings with those of ``proxies``, where dockerd has them, beside the others."""
    proxies = document.get("proxies") or {}
    if not isinstance(proxies, Mapping) or not proxies.keys() <= set(_PROXIES):
        raise InvalidArgument(f"proxies: it is to be an object of {', '.join(_PROXIES)}")
    return {**{name: value for name, value in document.items() if name != "proxies"}, **proxies}


def changes(old: Configuration, new: Configuration) -> tuple[list[str], list[str]]:
    """Return the names of what changed: of what a running daemon takes, and of what needs another start."""
    changed = [each for each in SETTINGS if old.values.get(each.name) != new.values.get(each.name)]
    return [each.name for each in changed if each.reloads], [each.name for each in changed if not each.reloads]


def reloaded(old: Configuration, new: Configuration) -> Configuration:
    """Return ``old`` with what a running daemon takes from ``new``."""
    kept = {name: value for name, value in old.values.items() if not BY_NAME[name].reloads}
    return Configuration(kept | {name: value for name, value in new.values.items() if BY_NAME[name].reloads})
