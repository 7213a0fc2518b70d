"""Labels that a kernel keeps: where it runs with AppArmor, or with SELinux and no policy yet (``make vm``)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.root.runtime.conftest import Bundle, Outcome
from tests.root.runtime.test_command import Command, command

from wharf.runtime import labels
from wharf.runtime.errors import StartFailed

__all__ = ["command"]

_KERNELS = Path("/sys/fs/selinux/initial_contexts/kernel")
_APPARMOR = pytest.mark.skipif(
    not (labels.has_apparmor() and shutil.which("apparmor_parser")), reason="no AppArmor, or no apparmor_parser"
)
_PROFILE = """profile wharf-test flags=(attach_disconnected) {
  file, capability, network, mount, umount, pivot_root, signal, ptrace, unix,
  deny /etc/secret r,
}
"""
_LOOK = "cat /proc/self/attr/current; cat /etc/secret"
_INITIAL = (
    "kernel", "security", "unlabeled", "fs", "file", "file_labels", "init", "any_socket", "port", "netif",
    "netmsg", "node", "igmp_packet", "icmp_socket", "tcp_socket", "sysctl_modprobe", "sysctl", "sysctl_fs",
    "sysctl_kernel", "sysctl_net", "sysctl_net_unix", "sysctl_vm", "sysctl_dev", "kmod", "policy", "scmp_packet",
    "devnull",
)  # fmt: skip
_FILE = "ioctl read write getattr open execute execute_no_trans entrypoint map"
_TYPES = ("kernel_t", "box_t", "file_t", "secret_t")


@pytest.fixture
def profile(tmp_path: Path) -> Iterator[str]:
    path = tmp_path / "profile"
    path.write_text(_PROFILE)
    parser = ["apparmor_parser", "--skip-cache"]
    subprocess.run([*parser, "--replace", path], check=True)
    yield "wharf-test"
    subprocess.run([*parser, "--remove", path], check=True)


def _secret(bundle: Bundle) -> Path:
    path = bundle.lower / "etc/secret"
    path.write_text("secret\n")
    return path


@_APPARMOR
def test_a_program_runs_under_its_profile(bundle: Bundle, profile: str) -> None:
    _secret(bundle)
    look = f"{_LOOK} 2>&1"

    assert bundle.sh(look).output == "unconfined\nsecret\n"
    assert bundle.sh(look, apparmorProfile=profile) == Outcome(
        1, f"{profile} (enforce)\ncat: can't open '/etc/secret': Permission denied\n"
    )


@_APPARMOR
def test_a_profile_that_is_not_loaded_is_an_error(bundle: Bundle) -> None:
    with pytest.raises(StartFailed, match=r"AppArmor profile nope is not loaded \(apparmor_parser"):
        bundle.sh("true", apparmorProfile="nope")


@_APPARMOR
def test_an_exec_has_a_profile_of_its_own(command: Command, profile: str) -> None:
    _secret(command.bundle)
    command.write(["sleep", "1000"])
    assert command.create("box").returncode == 0
    try:
        assert command("start", "box").returncode == 0

        confined = command("exec", "--apparmor", profile, "box", "sh", "-c", _LOOK)
        missing = command("exec", "--apparmor", "nope", "box", "true")
    finally:
        command("delete", "--force", "box")
        command.reap()
    assert confined.stdout == f"{profile} (enforce)\n", confined.stderr
    assert "Permission denied" in confined.stderr
    assert "AppArmor profile nope is not loaded" in missing.stderr


def _policy() -> str:
    """Return a policy in CIL: four types; what is in a box may do all with files, but nothing with secrets."""
    context = "(u r {} ((s0) (s0)))"
    lines = ["(handleunknown allow)", "(mls false)", "(user u)", "(role r)", "(userrole u r)"]
    lines += ["(sensitivity s0)", "(sensitivityorder (s0))", "(userlevel u (s0))", "(userrange u ((s0) (s0)))"]
    lines += ["(class process (transition dyntransition))", f"(class file ({_FILE}))", "(classorder (process file))"]
    lines += [f"(sid {name})" for name in _INITIAL] + [f"(sidorder ({' '.join(_INITIAL)}))"]
    lines += [f"(type {name}) (roletype r {name})" for name in _TYPES]
    for name in _INITIAL:
        lines.append(f"(sidcontext {name} {context.format('kernel_t' if name == 'kernel' else 'file_t')})")
    lines.append(f"(fsuse trans tmpfs {context.format('file_t')})")
    lines += [f"(allow kernel_t {name} (file ({_FILE})))" for name in _TYPES]
    lines += [f"(allow box_t {name} (file ({_FILE})))" for name in ("kernel_t", "box_t", "file_t")]
    return "\n".join([*lines, "(allow kernel_t box_t (process (transition)))"]) + "\n"


@pytest.fixture(scope="module")
def selinux(tmp_path_factory: pytest.TempPathFactory) -> None:
    """SELinux that enforces our policy: for good, and so only where there is none."""
    if not (_KERNELS.exists() and _KERNELS.read_text().strip("\0") == "kernel" and shutil.which("secilc")):
        pytest.skip("no SELinux that waits for a policy, or no secilc")
    folder = tmp_path_factory.mktemp("policy")
    (folder / "policy.cil").write_text(_policy())
    line = ["secilc", "-c", "33", "-o", folder / "policy", "-f", "/dev/null", folder / "policy.cil"]
    subprocess.run(line, check=True)
    for name, content in (("load", (folder / "policy").read_bytes()), ("enforce", b"1")):
        fd = os.open(f"/sys/fs/selinux/{name}", os.O_WRONLY)
        os.write(fd, content)
        os.close(fd)


def _run(command: Command, **linux: Any) -> subprocess.CompletedProcess[str]:
    path = command.bundle.path / "config.json"
    spec = json.loads(path.read_text())
    spec["linux"] |= linux
    path.write_text(json.dumps(spec))
    return command("run", "box")


@pytest.mark.usefixtures("selinux")
def test_a_program_runs_with_its_label(command: Command) -> None:
    os.setxattr(_secret(command.bundle), "security.selinux", b"u:r:secret_t\0")
    command.write(["sh", "-c", _LOOK])
    unlabelled = _run(command)
    command.write(["sh", "-c", _LOOK], selinuxLabel="u:r:box_t")
    labelled = _run(command)

    assert unlabelled.stdout.replace("\0", "\n") == "u:r:kernel_t\nsecret\n"
    assert labelled.stdout.replace("\0", "\n") == "u:r:box_t\n"
    assert "Permission denied" in labelled.stderr


@pytest.mark.usefixtures("selinux")
def test_a_label_that_the_policy_lacks_is_an_error(command: Command) -> None:
    command.write(["true"], selinuxLabel="u:r:nope_t")

    done = _run(command)

    assert (done.returncode, "SELinux label u:r:nope_t is not one of the loaded policy" in done.stderr) == (1, True)


@pytest.mark.usefixtures("selinux")
def test_mounts_have_the_mount_label(command: Command) -> None:
    command.write(["grep", " /dev ", "/proc/self/mountinfo"])

    assert "u:r:secret_t" in _run(command, mountLabel="u:r:secret_t").stdout
