"""Every setting of the daemon: its name in daemon.json, its flag, what it may be. The only table of them.

Names, kinds and flags are dockerd's (dockerd(8)); ``insecure-tcp`` and ``publish`` are ours. A setting with ``only``
describes what holds anyway: it may be given, but not changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

Value = bool | int | str | tuple[str, ...] | Mapping[str, object] | tuple[Mapping[str, object], ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    ``kind`` is bool, int, size, text, path, texts, map, options, runtimes, ulimits, pools, features or builder.
    """

    name: str  # in daemon.json
    kind: str
    help: str
    flag: str = ""  # where it differs from the name: dockerd's lists are singular on the command line
    short: str = ""
    default: str = ""  # as --help shows it
    choices: tuple[str, ...] = ()
    only: tuple[object, ...] = ()  # the values that describe what holds anyway
    why: str = ""  # why nothing else may be given
    reloads: bool = False  # whether SIGHUP takes a new value
    has_flag: bool = True  # else it stands in daemon.json alone

    @property
    def option(self) -> str:
        """The flag without its dashes."""
        return self.flag or self.name


_LATER = "this build of wharf cannot do it yet"

SETTINGS: Final = (
    # The daemon itself
    Setting("data-root", "path", "Where images, containers and volumes are kept",
            default="/var/lib/wharf, or a plain user's ~/.local/share/wharf"),
    Setting("exec-root", "path", "Where sockets and namespaces are kept",
            default="/run/wharf, or a plain user's $XDG_RUNTIME_DIR/wharf"),
    Setting("hosts", "texts", "Where to listen: unix:///path, tcp://address:port or fd://", flag="host", short="H",
            default="wharf.sock in exec-root's default"),
    Setting("group", "text", "Group that may use the unix socket", short="G", default="docker, if there is one"),
    Setting("pidfile", "path", "Where to write the process id", short="p"),
    Setting("debug", "bool", "Log requests and decisions too", short="D", reloads=True),
    Setting("log-level", "text", "Least important lines that are logged", short="l", default="info",
            choices=("debug", "info", "warn", "error", "fatal"), reloads=True),
    Setting("log-format", "text", "Form of the log's lines", default="text", choices=("text", "json")),
    Setting("raw-logs", "bool", "Log without colours", only=(True,), why="logs have no colours"),
    Setting("tls", "bool", "Encrypt tcp:// (implied by --tlsverify)"),
    Setting("tlsverify", "bool", "Encrypt tcp://, and serve only clients with a certificate of ours"),
    Setting("tlscacert", "path", "Who signs the clients' certificates", default="/etc/wharf/ca.pem"),
    Setting("tlscert", "path", "The daemon's certificate", default="/etc/wharf/cert.pem"),
    Setting("tlskey", "path", "The key of the daemon's certificate", default="/etc/wharf/key.pem"),
    Setting("insecure-tcp", "bool",
            "Allow tcp:// on loopback without TLS: every local user who connects is root then"),
    Setting("metrics-addr", "text", "Where to serve metrics to Prometheus: address:port"),
    Setting("authorization-plugins", "texts", "A plugin that is asked whether to allow requests",
            flag="authorization-plugin", reloads=True),
    Setting("labels", "texts", "A label of the daemon, key=value", flag="label", reloads=True),
    Setting("live-restore", "bool", "Containers outlive the daemon", only=(True,), why="they always do"),
    Setting("experimental", "bool", "Let clients show experimental commands: checkpoint", reloads=True),
    Setting("features", "features", "Switch a feature on or off", flag="feature",
            only=({"buildkit": True, "cdi": True, "containerd-snapshotter": False},),
            why="buildkit and cdi are always on, containerd-snapshotter is always off, and there are no others"),
    Setting("builder", "builder", "What clients may grant to their builds, and what is kept of builds", reloads=True,
            has_flag=False),
    # What containers get that do not say
    Setting("log-driver", "text", "Default driver of containers' logs", default="json-file", reloads=True),
    Setting("log-opts", "map", "An option of the default log driver, key=value", flag="log-opt", reloads=True),
    Setting("default-shm-size", "size", "Size of /dev/shm", default="64MiB", reloads=True),
    Setting("default-ulimits", "ulimits", "A limit, name=soft[:hard]", flag="default-ulimit", reloads=True),
    Setting("default-ipc-mode", "text", "IPC namespace", default="private", choices=("private", "shareable"),
            reloads=True),
    Setting("default-cgroupns-mode", "text", "Cgroup namespace", choices=("host", "private"),
            default="private on cgroup v2, else host", reloads=True),
    Setting("default-stop-timeout", "int", "Seconds from the stop signal to KILL", default="10", reloads=True),
    Setting("cgroup-parent", "text", "Parent cgroup", reloads=True),
    Setting("no-new-privileges", "bool", "Never more privileges by setuid programs", reloads=True),
    Setting("seccomp-profile", "text", "A file, builtin or unconfined", default="builtin", reloads=True),
    Setting("dns", "texts", "A name server", reloads=True),
    Setting("dns-opts", "texts", "An option of the resolver", flag="dns-opt", reloads=True),
    Setting("dns-search", "texts", "A domain to search", reloads=True),
    Setting("default-runtime", "text", "Runtime of containers that name none", default="runc, which is wharf's own",
            reloads=True),
    Setting("runtimes", "runtimes", "Another runtime with runc's command line, name=path", flag="add-runtime",
            reloads=True),
    Setting("init", "bool", "Run an init that reaps processes", reloads=True),
    Setting("init-path", "path", "That init's program, which must need no library",
            default="docker-init, tini-static or catatonit of the PATH", reloads=True),
    Setting("exec-opts", "texts", "An option of the runtime", flag="exec-opt",
            only=((), ("native.cgroupdriver=cgroupfs",), ("native.cgroupdriver=systemd",)),
            why="the runtime has no other options than native.cgroupdriver=cgroupfs or systemd"),
    Setting("isolation", "text", "Isolation", only=("default",), why="Linux knows no other"),
    Setting("selinux-enabled", "bool", "SELinux labels", only=(False,), why=_LATER),
    Setting("userns-remap", "text", "Whose subordinate ids containers' users are: default, user or user:group",
            default="none: they are the machine's"),
    Setting("cdi-spec-dirs", "texts", "Where CDI devices are described", flag="cdi-spec-dir",
            default="/etc/cdi and /var/run/cdi", reloads=True),
    Setting("shutdown-timeout", "int", "Seconds for containers to stop with the daemon", only=(),
            why="containers outlive the daemon"),
    # Storage
    Setting("storage-driver", "text", "How containers' roots are kept", short="s", default="the fastest that works",
            choices=("overlay2", "vfs", "fuse-overlayfs", "btrfs")),
    Setting("storage-opts", "texts", "An option of the storage driver: overlay2.size=SIZE, of each container",
            flag="storage-opt"),
    # Registries
    Setting("registry-mirrors", "texts", "A mirror of Docker Hub", flag="registry-mirror", reloads=True),
    Setting("insecure-registries", "texts", "A registry without TLS", flag="insecure-registry", reloads=True),
    Setting("max-concurrent-downloads", "int", "Downloads at a time for a pull", default="3", reloads=True),
    Setting("max-concurrent-uploads", "int", "Uploads at a time for a push", default="5", reloads=True),
    Setting("max-download-attempts", "int", "Attempts at each download", default="5", reloads=True),
    Setting("http-proxy", "text", "Proxy for http:// registries"),
    Setting("https-proxy", "text", "Proxy for https:// registries"),
    Setting("no-proxy", "text", "Hosts that need no proxy, separated by commas"),
    # Networks
    Setting("bip", "text", "Address of the default bridge, CIDR"),
    Setting("fixed-cidr", "text", "Range of the default bridge's containers, CIDR"),
    Setting("mtu", "int", "MTU of the default bridge", default="0"),
    Setting("default-address-pools", "pools", "A range for networks, base=CIDR,size=N",
            flag="default-address-pool"),
    Setting("host-gateway-ips", "texts", "What host-gateway stands for",
            flag="host-gateway-ip"),
    Setting("bridge", "text", "A bridge of the host's that is the default one, with its address, or none", short="b",
            default="docker0, which is made"),
    Setting("bip6", "text", "IPv6 address of the default bridge"),
    Setting("fixed-cidr-v6", "text", "IPv6 range of the default bridge"),
    Setting("default-gateway", "text", "Where the default bridge's containers send what is for elsewhere",
            default="the bridge"),
    Setting("default-gateway-v6", "text", "The same, of IPv6", default="the bridge"),
    Setting("default-network-opts", "options", "An option of a network driver",
            flag="default-network-opt"),
    Setting("ip", "text", "Address that ports are published on"),
    Setting("publish", "text", "Published ports come past the host's INPUT rules, or obey them", default="docker",
            choices=("docker", "firewall")),
    Setting("icc", "bool", "Containers of the default bridge reach each other"),
    Setting("ipv6", "bool", "IPv6 on the default bridge"),
    Setting("ip6tables", "bool", "Firewall rules for IPv6", only=(True,), why="the firewall is the engine's own"),
    Setting("iptables", "bool", "Firewall rules", only=(True,), why="the firewall is the engine's own"),
    Setting("ip-forward", "bool", "Switch forwarding on", only=(True,), why="bridges need it"),
    Setting("ip-forward-no-drop", "bool", "Leave the policy of FORWARD alone", only=(True,), why="it is left alone"),
    Setting("ip-masq", "bool", "Masquerade the default bridge's range"),
    Setting("firewall-backend", "text", "Firewall", only=("nftables",), why="there is no other"),
    Setting("allow-direct-routing", "bool", "Let other machines reach published ports by containers' addresses"),
    Setting("bridge-accept-fwmark", "text", "Let packets with this firewall mark, mark[/mask], into bridges"),
    Setting("userland-proxy", "bool", "A proxy for published ports", only=(False,), why="the kernel forwards them"),
    Setting("userland-proxy-path", "path", "That proxy's program", only=("",), why="there is no such proxy"),
    # What other daemons have, and this one not
    Setting("containerd", "path", "containerd's socket", only=("",), why="there is no containerd"),
    Setting("node-generic-resources", "texts", "A resource of a swarm's node",
            flag="node-generic-resource", only=((),), why="there is no swarm"),
    Setting("swarm-default-advertise-addr", "text", "Address told to a swarm", only=("",), why="there is no swarm"),
)  # fmt: skip

BY_NAME: Final = {setting.name: setting for setting in SETTINGS}
