"""Containers for real: what they see, what they cannot do, and why some do not come to be."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.root.runtime.conftest import Bundle, reap

from wharf.kernel import pidfd
from wharf.runtime.errors import StartFailed

pytestmark = pytest.mark.root


def failure(bundle: Bundle, spec: Any, **more: Any) -> tuple[str, str]:
    with pytest.raises(StartFailed) as caught:
        bundle.run(spec, **more)
    return caught.value.kind, caught.value.message.removeprefix("unable to start container process: ")


def test_a_program_that_is_not_there_is_not_found(bundle: Bundle) -> None:
    message = 'exec: "foo": executable file not found in $PATH'

    assert failure(bundle, bundle.spec(["foo"])) == ("not-found", message)


def test_a_script_without_its_interpreter_is_not_found_at_the_exec(bundle: Bundle) -> None:
    (bundle.lower / "bin/script").write_text("#!/no/such\n")
    (bundle.lower / "bin/script").chmod(0o755)

    assert failure(bundle, bundle.spec(["script"])) == ("not-found", "exec /bin/script: no such file or directory")


def test_a_file_that_is_no_program_is_told_so(bundle: Bundle) -> None:
    (bundle.lower / "bin/text").write_text("hello")
    (bundle.lower / "bin/text").chmod(0o755)

    assert failure(bundle, bundle.spec(["text"])) == ("other", "exec /bin/text: exec format error")


def test_a_missing_mount_source_is_named_with_its_place(bundle: Bundle) -> None:
    spec = bundle.spec(["true"])
    spec["mounts"].append({"destination": "/data", "type": "bind", "source": "/nope", "options": ["rbind"]})

    assert failure(bundle, spec) == (
        "other",
        'error during container init: error mounting "/nope" to rootfs at "/data": '  # noqa: ISC004 - one text
        "stat /nope: no such file or directory",
    )


@pytest.mark.parametrize(("source", "place"), [("{}/file", "/folder"), ("{}/folder", "/file")])
def test_a_mount_on_something_of_another_kind_is_told_in_runcs_words(
    bundle: Bundle, tmp_path: Path, source: str, place: str
) -> None:
    for top in (tmp_path / "own", bundle.lower):
        (top / "folder").mkdir(parents=True)
        (top / "file").touch()
    spec = bundle.spec(["true"])
    source = source.format(tmp_path / "own")
    spec["mounts"].append({"destination": place, "type": "bind", "source": source, "options": ["rbind"]})

    assert failure(bundle, spec) == (
        "other",
        f'error during container init: error mounting "{source}" to rootfs at "{place}": '  # noqa: ISC004 - one text
        "not a directory: Are you trying to mount a directory onto a file (or vice-versa)? "
        "Check if the specified host path exists and is the expected type",
    )


def test_a_bad_option_of_a_filesystem_is_told_in_the_kernels_words(bundle: Bundle) -> None:
    spec = bundle.spec(["true"])
    spec["mounts"].append({"destination": "/t", "type": "tmpfs", "source": "t", "options": ["colour=red"]})

    kind, message = failure(bundle, spec)

    assert (kind, message.lower().endswith("to rootfs at \"/t\": tmpfs: unknown parameter 'colour'")) == (
        "other",
        True,
    )


def test_an_unknown_user_is_refused_in_dockers_words(bundle: Bundle) -> None:
    spec = bundle.spec(["true"], user={"username": "nobody"})

    assert failure(bundle, spec) == ("invalid", "unable to find user nobody: no matching entries in passwd file")


def test_a_namespace_path_that_is_not_there_leaves_the_caller_where_it_was(bundle: Bundle) -> None:
    before = os.readlink("/proc/self/ns/net")
    spec = bundle.spec(["true"])
    spec["linux"]["namespaces"] = [{"type": "mount"}, {"type": "network", "path": "/nope"}]
    del spec["hostname"]

    assert failure(bundle, spec)[1] == "cannot join network namespace /nope: no such file or directory"
    assert os.readlink("/proc/self/ns/net") == before


def test_a_working_directory_that_is_the_hosts_is_refused(bundle: Bundle) -> None:
    kind, message = failure(bundle, bundle.spec(["true"], cwd="/proc/self/fd/4"))

    assert (kind, "/proc/self/fd/4" in message) == ("other", True)


def test_aborting_before_the_start_leaves_nothing(bundle: Bundle) -> None:
    started = bundle.create(bundle.spec(["sleep", "100"]))
    pid = started.pid

    started.abort()
    started.abort()

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_created_container_dies_with_its_parent(bundle: Bundle) -> None:
    reader, writer = os.pipe()
    parent = os.fork()
    if parent == 0:
        started = bundle.create(bundle.spec(["sleep", "100"]))
        os.write(writer, str(started.pid).encode())
        signal.pause()
    init = pidfd.pidfd_open(int(os.read(reader, 20)))
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)

    assert pidfd.has_exited(init, timeout_s=60)
    for fd in (init, reader, writer):
        os.close(fd)


def test_a_container_is_alone_in_its_namespaces(bundle: Bundle) -> None:
    assert bundle.sh("echo $$; hostname; ls /sys; ip -o link | wc -l; cat /proc/1/comm; echo $HOME") == (
        0,
        "1\nbox\nls: /sys: No such file or directory\n1\nsh\n/root\n",
    )


def test_the_root_is_an_overlay_that_the_host_does_not_see(bundle: Bundle) -> None:
    started = bundle.create(bundle.spec(["sleep", "100"]))
    started.start()

    assert os.listdir(bundle.path / "rootfs") == []
    assert "bin" in os.listdir(f"/proc/{started.pid}/root")
    started.abort()


def test_no_descriptor_of_the_host_reaches_the_container(bundle: Bundle) -> None:
    leak = os.open("/", os.O_RDONLY)
    os.set_inheritable(leak, True)
    try:
        assert bundle.run(bundle.spec(["ls", "/proc/self/fd"])).output.split() == [
            "0",
            "1",
            "2",
            "3",
        ]  # 3 is ls's own
    finally:
        os.close(leak)


def test_signals_have_their_default_action_and_none_is_blocked(bundle: Bundle) -> None:
    old = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        output = bundle.run(bundle.spec(["grep", "Sig[BIC]", "/proc/self/status"])).output
    finally:
        signal.signal(signal.SIGHUP, old)

    assert set(output.split()[1::2]) == {"0" * 16}


def test_capabilities_and_no_new_privileges_are_as_asked(bundle: Bundle) -> None:
    spec = bundle.spec(["grep", "-E", "Cap|NoNew", "/proc/self/status"], noNewPrivileges=True)
    sets = {kind: ["CAP_CHOWN"] for kind in ("bounding", "effective", "permitted", "inheritable", "ambient")}
    spec["process"]["capabilities"] = sets

    assert bundle.run(spec).output.split()[1::2] == ["0" * 15 + "1"] * 5 + ["1"]


def test_capabilities_that_cannot_be_granted_are_left_out(bundle: Bundle) -> None:
    from wharf.kernel import capability

    spec = bundle.spec(["grep", "CapEff", "/proc/self/status"])
    spec["process"]["capabilities"] = {k: list(capability.NAMES) for k in ("bounding", "effective", "permitted")}

    assert int(bundle.run(spec).output.split()[1], 16) == capability.get()[1]


def test_a_user_by_name_has_its_groups_and_no_capability(bundle: Bundle) -> None:
    script = "id -u; id -G; grep CapEff /proc/self/status; echo $HOME; echo x > /dev/stdout"

    assert bundle.sh(script, user={"username": "app"}) == (
        0,
        "1000\n1000 10\nCapEff:\t0000000000000000\n/home/app\nx\n",
    )


def test_limits_beyond_ours_are_clipped_and_others_are_set(bundle: Bundle) -> None:
    rlimits = [
        {"type": "RLIMIT_NOFILE", "soft": 64, "hard": 128},
        {"type": "RLIMIT_CORE", "soft": 2**64 - 1, "hard": 2**64 - 1},
    ]

    assert bundle.sh("ulimit -n; ulimit -Hn", rlimits=rlimits) == (0, "64\n128\n")


def test_new_files_have_the_mode_that_is_asked_for(bundle: Bundle) -> None:
    spec = bundle.spec(["sh", "-c", "umask"], user={"uid": 0, "gid": 0, "umask": 0o27})

    assert bundle.run(spec).output == "0027\n"


@pytest.mark.parametrize(
    ("propagation", "root", "below"),
    [
        ("shared", "shared:", "-"),
        ("rshared", "shared:", "shared:"),
        ("unbindable", "unbindable", "-"),
        ("rslave", "-", "-"),
    ],
)
def test_mounts_of_the_root_go_where_they_are_to(bundle: Bundle, propagation: str, root: str, below: str) -> None:
    spec = bundle.spec(["cat", "/proc/self/mountinfo"])
    spec["linux"]["rootfsPropagation"] = propagation

    fields = {line.split()[4]: line.split()[6] for line in bundle.run(spec).output.splitlines()}

    assert (fields["/"].startswith(root), fields["/proc"].startswith(below)) == (True, True)


def test_oom_score_is_set(bundle: Bundle) -> None:
    assert bundle.sh("cat /proc/self/oom_score_adj", oomScoreAdj=100) == (0, "100\n")


def test_masked_paths_are_empty_and_read_only_ones_cannot_be_written(bundle: Bundle) -> None:
    (bundle.lower / "secret").mkdir()
    (bundle.lower / "secret/key").write_text("k")
    (bundle.lower / "fixed").write_text("f")
    spec = bundle.spec(["sh", "-c", "ls /secret /other; cat /proc/keys; echo x > /fixed; cat /fixed; touch /etc/ok"])
    (bundle.lower / "other").mkdir()
    (bundle.lower / "other/key").write_text("k")
    spec["linux"]["maskedPaths"] = ["/secret", "/other", "/proc/keys", "/nope"]
    spec["linux"]["readonlyPaths"] = ["/fixed", "/nope/too"]

    code, output = bundle.run(spec)

    assert (code, output) == (
        0,
        "/other:\n\n/secret:\nsh: can't create /fixed: Read-only file system\nf",
    )


def test_what_masks_a_file_is_the_hosts_and_the_container_cannot_change_it(bundle: Bundle) -> None:
    before = os.stat("/dev/null")
    spec = bundle.spec(["sh", "-c", f"chown {before.st_uid} /proc/keys; echo x > /proc/keys && wc -c < /proc/keys"])
    spec["linux"]["maskedPaths"] = ["/proc/keys"]

    assert bundle.run(spec) == (0, "chown: /proc/keys: Read-only file system\n0\n")
    assert os.stat("/dev/null").st_ctime_ns == before.st_ctime_ns


def test_a_read_only_root_still_has_writable_mounts(bundle: Bundle) -> None:
    spec = bundle.spec(["sh", "-c", "touch /x; touch /dev/shm-ish && echo fine"])
    spec["root"]["readonly"] = True

    assert bundle.run(spec).output == "touch: /x: Read-only file system\nfine\n"


def test_a_destination_behind_a_symlink_stays_in_the_root(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (bundle.lower / "trap").symlink_to(f"{tmp_path}/outside")
    (tmp_path / "file").write_text("bound")
    spec = bundle.spec(["cat", f"{tmp_path}/outside/deep/file"])
    source = {"type": "bind", "source": f"{tmp_path}/file", "options": ["bind", "ro"]}
    spec["mounts"].append({"destination": "/trap/deep/file", **source})

    assert bundle.run(spec) == (0, "bound")
    assert os.listdir(tmp_path / "outside") == []


def test_bind_mounts_keep_their_flags(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    spec = bundle.spec(["sh", "-c", "touch /ro/x; touch /rw/y; grep -c 'nosuid,nodev,noexec' /proc/mounts"])
    for name, options in (("ro", ["rbind", "ro"]), ("rw", ["rbind", "nosuid", "nodev", "noexec", "rprivate"])):
        spec["mounts"].append(
            {"destination": f"/{name}", "type": "bind", "source": f"{tmp_path}/data", "options": options}
        )

    assert bundle.run(spec).output.splitlines()[0] == "touch: /ro/x: Read-only file system"
    assert os.listdir(tmp_path / "data") == ["y"]


def test_a_tmpfs_can_start_with_what_the_image_has(bundle: Bundle) -> None:
    (bundle.lower / "var/empty").mkdir(parents=True)
    (bundle.lower / "var/file").write_text("content")
    (bundle.lower / "var/file").chmod(0o604)
    os.chown(bundle.lower / "var/file", 1000, 10)
    (bundle.lower / "var/link").symlink_to("file")
    spec = bundle.spec(["sh", "-c", "cat /var/link; stat -c '%a %u %g' /var/file; ls /var; stat -f -c %T /var"])
    spec["mounts"].append({"destination": "/var", "type": "tmpfs", "source": "t", "options": ["tmpcopyup"]})

    assert bundle.run(spec).output == "content604 1000 10\nempty\nfile\nlink\ntmpfs\n"


def test_a_tmpfs_has_the_mode_of_its_place_and_where_there_is_none_it_is_everybodys(bundle: Bundle) -> None:
    (bundle.lower / "kept").mkdir(mode=0o750)
    spec = bundle.spec(["stat", "-c", "%a", "/kept", "/made", "/asked"])
    for place, options in (("/kept", []), ("/made", []), ("/asked", ["mode=700"])):
        spec["mounts"].append({"destination": place, "type": "tmpfs", "source": "t", "options": [*options]})

    assert bundle.run(spec).output == "750\n1777\n700\n"


def test_sysctls_of_own_namespaces_are_written(bundle: Bundle) -> None:
    spec = bundle.spec(["cat", "/proc/sys/net/ipv4/ip_forward", "/proc/sys/kernel/shmmni"])
    spec["linux"]["sysctl"] = {"net.ipv4.ip_forward": "1", "kernel.shmmni": "77"}

    assert bundle.run(spec).output == "1\n77\n"


def test_control_groups_are_shown_from_the_containers_own_on(bundle: Bundle) -> None:
    spec = bundle.spec(["sh", "-c", "ls /sys/fs/cgroup | head -n 1 | wc -l; touch /sys/fs/cgroup/x"])
    spec["mounts"] += [
        {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": [*SAFE_RO]},
        {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": [*SAFE_RO]},
    ]

    assert bundle.run(spec).output == "1\ntouch: /sys/fs/cgroup/x: Read-only file system\n"


SAFE_RO = ["ro", "nosuid", "noexec", "nodev"]


@pytest.mark.parametrize("no_new_privileges", [False, True])
def test_a_filter_holds_and_is_compiled_once(bundle: Bundle, no_new_privileges: bool, tmp_path: Path) -> None:
    spec = bundle.spec(["sh", "-c", "mkdir /x; grep Seccomp: /proc/self/status"], noNewPrivileges=no_new_privileges)
    spec["linux"]["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95}],
    }

    for _ in range(2):
        outcome = bundle.run(spec, seccomp_cache=f"{tmp_path}/seccomp")
        assert outcome == (0, "mkdir: can't create directory '/x': Operation not supported\nSeccomp:\t2\n")

    assert len(os.listdir(tmp_path / "seccomp")) == 1


def test_a_terminal_is_the_containers_own(bundle: Bundle) -> None:
    script = "tty; stty size; ls -l /dev/console | cut -c1; echo hi > /dev/tty"
    spec = bundle.spec(["sh", "-c", script], terminal=True, consoleSize={"height": 30, "width": 90})
    started = bundle.create(spec, None)
    started.start()
    assert started.console is not None
    output = b""
    while True:
        try:
            output += os.read(started.console, 4096)
        except OSError:  # EIO: the last one has closed it
            break
    os.close(started.console)

    assert (reap(started), output) == (0, b"/dev/pts/0\r\n30 90\r\nc\r\nhi\r\n")


def test_a_user_namespace_maps_ids_and_binds_devices(bundle: Bundle) -> None:
    mapping = [{"containerID": 0, "hostID": 100000, "size": 65536}]
    for folder in ("upper", "work", "lower/etc", "lower"):
        os.chown(bundle.path / folder, 100000, 100000)
    for parent in (bundle.path, *list(bundle.path.parents)[:-2]):
        parent.chmod(0o755)
    spec = bundle.spec(["sh", "-c", "id -u; cat /proc/self/uid_map; echo x > /dev/null; stat -c %t:%T /dev/zero"])
    spec["linux"]["namespaces"].append({"type": "user"})
    spec["linux"] |= {"uidMappings": mapping, "gidMappings": mapping}

    code, output = bundle.run(spec)

    assert (code, output.split()) == (0, ["0", "0", "100000", "65536", "1:5"])


def test_a_time_namespace_has_its_offset(bundle: Bundle) -> None:
    spec = bundle.spec(["sh", "-c", "cut -d. -f1 /proc/uptime; cat /proc/self/timens_offsets"])
    spec["linux"]["namespaces"].append({"type": "time"})
    spec["linux"]["timeOffsets"] = {"boottime": {"secs": 1000000}, "monotonic": {"secs": -1, "nanosecs": 999999999}}
    before = os.readlink("/proc/self/ns/time_for_children")

    uptime, *offsets = bundle.run(spec).output.splitlines()

    assert int(uptime) > 1000000
    assert [line.split() for line in offsets] == [["monotonic", "-1", "999999999"], ["boottime", "1000000", "0"]]
    assert os.readlink("/proc/self/ns/time_for_children") == before


def test_another_containers_namespaces_can_be_joined(bundle: Bundle) -> None:
    first = bundle.create(bundle.spec(["sleep", "100"]))
    first.start()
    second = Bundle(bundle.path / "second")
    spec = second.spec(["sh", "-c", "hostname; ps | grep -c 'sleep 100'"])
    names = {"network": "net", "pid": "pid", "ipc": "ipc", "uts": "uts"}
    spec["linux"]["namespaces"] = [
        {"type": "mount"},
        *({"type": kind, "path": f"/proc/{first.pid}/ns/{name}"} for kind, name in names.items()),
    ]
    spec["hostname"] = "renamed"

    assert second.run(spec).output.splitlines()[0] == "renamed"
    first.abort()


def test_every_step_of_a_start_is_timed(bundle: Bundle) -> None:
    started = bundle.create(bundle.spec(["true"]))
    started.start()
    reap(started)

    assert {"plan", "clone3", "root", "mounts", "devices", "masks", "pivot", "ready", "exec"} <= set(started.steps)


def test_a_device_does_not_take_the_place_of_another_file(bundle: Bundle) -> None:
    spec = bundle.spec(["true"])
    spec["linux"]["devices"] = [{"path": "/etc/passwd", "type": "c", "major": 1, "minor": 3}]

    with pytest.raises(StartFailed, match='mknod "/etc/passwd": another file is there'):
        bundle.run(spec)
    assert (bundle.lower / "etc/passwd").read_text().startswith("root:")
