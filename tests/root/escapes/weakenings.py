"""The runtime's defences against published escapes, each with the change of the code that takes it away.

Every weakening has a test that falls when all copies of the package have it (``make conformance``, the part
"escapes"), and that passes on the package as it is. The changes are data: nothing of them is in the package.
"""

from __future__ import annotations

from typing import NamedTuple


class Patch(NamedTuple):
    """``old`` in the file ``module`` (below the package) becomes ``new``."""

    module: str
    old: str
    new: str


class Weakening(NamedTuple):
    """What a runtime without one defence is.

    Attributes:
        name: of the weakening, for people and for WHARF_WEAKENED.
        cves: what it brings back.
        taken: what such a runtime does not do any more, in a few words.
        test: below ``tests/root/escapes``, as pytest calls it: the one that must fall.
        patches: one for each line of defence that has to be taken away: each alone would do.
    """

    name: str
    cves: tuple[str, ...]
    taken: str
    test: str
    patches: tuple[Patch, ...]


ANY_PROGRAM = Weakening(
    "any-program",
    ("CVE-2019-5736",),
    "refuse a program that is the runtime's own interpreter",
    "test_program.py::test_a_program_that_is_the_runtime_itself_is_not_executed[link-direct]",
    (
        Patch(
            "runtime/program.py",
            "    _refuse_host_interpreter(path, host_interpreter)\n    return path",
            "    return path",
        ),
    ),
)
UNSEALED = Weakening(
    "unsealed",
    ("CVE-2019-5736",),
    "run from a sealed copy of the interpreter where a container could get at it",
    "test_program.py::test_who_may_trace_does_not_get_the_hosts_file_from_a_process_that_waits",
    (
        Patch(
            "runtime/creation.py",
            "    if sealing.wanted(spec, bundle):\n        sealing.ensure()\n",
            "",
        ),
        Patch("runtime/cli.py", '_SEALED: Final = ("create", "exec")', "_SEALED: Final = ()"),
    ),
)
TRACEABLE = Weakening(
    "traceable",
    ("CVE-2016-9962",),
    "keep a process that enters a container from being looked into",
    "test_descriptors.py::test_a_process_that_waits_cannot_be_looked_into",
    (
        Patch("runtime/birth.py", "    if not traceable:\n        prctl.set_dumpable(dumpable=False)\n", ""),
        Patch("runtime/privileges.py", "        prctl.set_dumpable(dumpable=False)\n", ""),
    ),
)
LEAKY = Weakening(
    "leaky",
    ("CVE-2024-21626", "CVE-2016-9962"),
    "close what its caller had open",
    "test_descriptors.py::test_a_program_has_no_descriptor_but_its_streams[direct]",
    (Patch("runtime/birth.py", "    start = 3\n", "    return\n"),),
)
OUTSIDE = Weakening(
    "outside",
    ("CVE-2024-21626",),
    "refuse a working directory that is not in the root",
    "test_descriptors.py::test_a_leaked_descriptor_is_no_working_directory[direct]",
    (
        *LEAKY.patches,
        Patch("runtime/birth.py", "    if _is_outside():", "    if False:"),
        Patch("runtime/init.py", "        os.close(ensure_folder(root, plan.process.cwd))\n", "        pass\n"),
    ),
)
COVERED_PROCFS = Weakening(
    "covered-procfs",
    ("CVE-2019-16884",),
    "refuse volumes over procfs",
    "test_procfs.py::test_a_volume_does_not_cover_procfs[direct]",
    (
        Patch(
            "runtime/mounts.py",
            "    if one.destination == _PROC or kernel.filesystem_of(target) == kernel.PROCFS:\n",
            "    if False:\n",
        ),
    ),
)
LATE_LABELS = Weakening(
    "late-labels",
    ("CVE-2019-16884", "CVE-2025-52881"),
    "open a label's file before the container is there, and see that it is the kernel's",
    "test_procfs.py::test_a_label_is_written_to_the_kernel",
    (
        Patch(
            "runtime/birth.py",
            "    plan.labels.apply()\n",
            "    plan.labels._open.clear()\n    plan.labels.open()\n    plan.labels.apply()\n",
        ),
        Patch("runtime/labels.py", "                require_procfs(fd)\n", ""),
    ),
)
LED_ASTRAY = Weakening(
    "led-astray",
    ("CVE-2023-28642", "CVE-2019-19921"),
    "mount procfs and sysfs on ordinary folders only",
    "test_procfs.py::test_a_symlink_does_not_lead_procfs_elsewhere[proc-direct]",
    (Patch("runtime/mounts.py", "(open_plain_folder if one.fstype in _PLAIN else ensure_folder)", "ensure_folder"),),
)
MOUNT_BY_NAME = Weakening(
    "mount-by-name",
    ("CVE-2021-30465",),
    "mount on the folder that it has looked at, not on its name",
    "test_places.py::test_a_mount_lands_in_the_folder_that_was_looked_at",
    (
        Patch(
            "runtime/mounts.py",
            "        attach(fd, target, options, *changes)\n",
            '        attach(fd, os.open(f"/proc/self/fd/{root}{one.destination}", os.O_PATH), options, *changes)\n',
        ),
    ),
)
MADE_BY_NAME = Weakening(
    "made-by-name",
    ("CVE-2024-45310",),
    "make a mount's place below a descriptor of its folder, not by its name",
    "test_places.py::test_what_is_made_for_a_mount_is_made_in_the_root[folder]",
    (
        Patch(
            "kernel/openat2.py",
            "_make(parent, name, mode, kind)\n    finally",
            '_make(os.open(f"/proc/self/fd/{root_fd}{parent_path}", 0), name, mode, kind)\n    finally',
        ),
    ),
)
INHERITABLE_OF_EXEC = Weakening(
    "inheritable-of-exec",
    ("CVE-2022-29162",),
    "leave an exec's --cap out of the inheritable set",
    "test_capabilities.py::test_an_exec_with_another_capability_cannot_pass_it_on",
    (
        Patch(
            "runtime/commands/execute.py",
            '    result["effective"] =',
            '    result["inheritable"] = names\n    result["effective"] =',
        ),
    ),
)
INHERITABLE = Weakening(
    "inheritable",
    ("CVE-2022-24769",),
    "give the engine's containers no inheritable capabilities",
    "test_capabilities.py::test_a_container_of_the_engine_has_none_to_pass_on",
    (
        Patch(
            "engine/ocispec/security.py",
            '    return {"bounding": chosen, ',
            '    return {"bounding": chosen, "inheritable": chosen, ',
        ),
    ),
)
MASK_OF_THE_CONTAINER = Weakening(
    "mask-of-the-container",
    ("CVE-2025-31133",),
    "mask with the host's null device, and see that it is one",
    "test_procfs.py::test_a_mask_is_the_null_device_of_the_host[direct]",
    (
        Patch("runtime/rootfs.py", "_cover(target, _null_device(), ", "_cover(target, _null_device(root), "),
        Patch("runtime/rootfs.py", "def _null_device() -> int:", "def _null_device(root: int) -> int:"),
        Patch(
            "runtime/rootfs.py",
            'kernel.open_tree("/dev/null")',
            'kernel.open_tree("", _COPY, dir_fd=open_in_root(root, "/dev/null"))',
        ),
        Patch("runtime/rootfs.py", "if os.fstat(fd).st_rdev != _NULL_DEVICE:", "if False:"),
    ),
)
CONSOLE_BY_NAME = Weakening(
    "console-by-name",
    ("CVE-2025-52565",),
    "show the terminal by its descriptor, not by its name",
    "test_console.py::test_the_console_is_the_terminal_whatever_bears_its_name",
    (
        Patch(
            "runtime/console.py",
            '    fd = kernel.open_tree("", _CLONE_IT, dir_fd=slave)\n',
            '    fd = kernel.open_tree("", _CLONE_IT, dir_fd=open_in_root(root, "/dev/pts/0"))\n',
        ),
    ),
)
CONSOLE_FOLLOWED = Weakening(
    "console-followed",
    ("CVE-2025-52565",),
    "refuse a /dev/console that is a link",
    "test_console.py::test_the_console_is_not_put_where_a_link_leads",
    (
        Patch(
            "runtime/console.py",
            'return openat2(dev, "console", os.O_PATH, resolve=_NO_LINKS)',
            'return openat2(dev, "../etc/passwd", os.O_PATH)',
        ),
    ),
)
ANY_MULTIPLEXER = Weakening(
    "any-multiplexer",
    ("CVE-2025-52565",),
    "open /dev/pts/ptmx of a devpts only",
    "test_console.py::test_nothing_is_opened_that_only_looks_like_a_multiplexer[direct]",
    (Patch("runtime/console.py", "if kernel.filesystem_of(folder) != kernel.DEVPTS:", "if False:"),),
)
PARAMETERS_OF_THE_CONTAINER = Weakening(
    "parameters-of-the-container",
    ("CVE-2025-52881",),
    "write parameters through a procfs that nobody else has seen, and no link, into the kernel's own files",
    "test_procfs.py::test_a_parameter_is_the_kernels[direct]",
    (
        Patch(
            "runtime/init.py",
            "    sysctls.write(plan.sysctls, sysctls_folder)\n",
            "    from wharf.kernel.openat2 import open_in_root\n"
            "    sysctls.write(plan.sysctls, open_in_root(root, '/proc/sys'))\n",
        ),
        Patch(
            "kernel/sysctl.py",
            "fd = openat2(proc_sys, path, os.O_WRONLY, resolve=_INSIDE)",
            "fd = os.open(path, os.O_WRONLY, dir_fd=proc_sys)",
        ),
        Patch("kernel/sysctl.py", "        require_procfs(fd)\n", ""),
    ),
)
COPY_BY_NAME = Weakening(
    "copy-by-name",
    ("CVE-2018-15664",),
    "resolve what `docker cp` copies inside of the container's root",
    "test_copying.py::test_what_is_copied_out_is_the_containers",
    (
        Patch(
            "engine/containers/path.py",
            "return open_in_root(root, path, _FOLDER)",
            'return os.open(f"/proc/self/fd/{root}{path}", _FOLDER)',
        ),
    ),
)
COPY_INSIDE = Weakening(
    "copy-inside",
    ("CVE-2019-14271",),
    "unpack what `docker cp` brings without making the container's root its own",
    "test_copying.py::test_a_copy_loads_nothing_of_the_containers",
    (
        Patch(
            "engine/containers/archive.py",
            "    base = paths.absolute(asked.path)\n",
            "    base = paths.absolute(asked.path)\n"
            "    from wharf.kernel import namespace\n"
            "    namespace.unshare(0x200)\n"  # CLONE_FS: a root of this thread's own
            "    os.fchdir(root)\n"
            "    os.chroot('.')\n",
        ),
    ),
)
IMPORTS_INSIDE = Weakening(
    "imports-inside",
    ("CVE-2019-14271",),
    "take the importer from what enters a container",
    "test_copying.py::test_a_process_in_the_container_loads_nothing_of_the_containers[exec]",
    (Patch("runtime/birth.py", "    sys.meta_path.clear()\n", ""),),
)
ABSTRACT_SOCKETS = Weakening(
    "abstract-sockets",
    ("CVE-2020-15257",),
    "give a shim's socket a file, which containers cannot name",
    "test_sockets.py::test_a_container_in_the_hosts_network_cannot_name_a_shims_socket",
    (
        Patch(
            "kernel/unix_socket.py",
            "    if len(os.fsencode(path)) <= _LONGEST_PATH:\n        act(path)\n        return\n",
            '    if path.endswith("shim.sock"):\n        act("\\0" + path[-80:])\n        open(path, "w").close()\n'
            "        return\n"
            "    if len(os.fsencode(path)) <= _LONGEST_PATH:\n        act(path)\n        return\n",
        ),
    ),
)

WEAKENINGS = (
    ANY_PROGRAM, UNSEALED, TRACEABLE, LEAKY, OUTSIDE, COVERED_PROCFS, LATE_LABELS, LED_ASTRAY, MOUNT_BY_NAME,
    MADE_BY_NAME, INHERITABLE_OF_EXEC, INHERITABLE, MASK_OF_THE_CONTAINER, CONSOLE_BY_NAME, CONSOLE_FOLLOWED,
    ANY_MULTIPLEXER, PARAMETERS_OF_THE_CONTAINER, COPY_BY_NAME, COPY_INSIDE, IMPORTS_INSIDE, ABSTRACT_SOCKETS,
)  # fmt: skip
"""All of them."""
