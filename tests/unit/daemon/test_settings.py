from __future__ import annotations

from pathlib import Path

from wharf.daemon.settings import SETTINGS

# dockerd(8)'s flags in the words of its own manual; those of other systems and of swarm's debugging aside.
DOCKERD = """
add-runtime authorization-plugin bridge bip bip6 bridge-accept-fwmark cgroup-parent containerd data-root debug
default-cgroupns-mode default-gateway default-gateway-v6 default-address-pool default-network-opt
default-runtime default-ipc-mode default-shm-size default-stop-timeout default-ulimit dns dns-opt dns-search
exec-opt exec-root experimental feature firewall-backend fixed-cidr fixed-cidr-v6 group host host-gateway-ip
http-proxy https-proxy icc init init-path insecure-registry ip ip-forward ip-forward-no-drop ip-masq iptables
ipv6 isolation log-level label live-restore log-driver log-format log-opt mtu max-concurrent-downloads
max-concurrent-uploads max-download-attempts no-proxy pidfile raw-logs registry-mirror storage-driver
seccomp-profile selinux-enabled shutdown-timeout storage-opt swarm-default-advertise-addr tls tlscacert
tlscert tlskey tlsverify allow-direct-routing userland-proxy userland-proxy-path userns-remap
"""


def test_every_flag_of_dockerd_is_known() -> None:
    assert set(DOCKERD.split()) - {setting.option for setting in SETTINGS} == set()


def test_names_and_flags_are_not_given_twice() -> None:
    for told in ([s.name for s in SETTINGS], [s.option for s in SETTINGS], [s.short for s in SETTINGS if s.short]):
        assert len(told) == len(set(told))


def test_every_setting_that_can_be_changed_is_read() -> None:
    source = Path(__file__).parents[3] / "src/wharf/daemon"
    code = "".join((source / name).read_text() for name in ("configuration.py", "main.py"))

    assert [setting.name for setting in SETTINGS if not setting.why and f'"{setting.name}"' not in code] == []
