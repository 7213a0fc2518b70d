"""What ``--help`` prints: of all commands, or of one with its options."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

_COMMANDS: Final = {
    "create": ("ID", "make a container of a bundle; its program waits for start"),
    "start": ("ID", "start the program of a created container"),
    "run": ("ID", "create and start a container, and wait for it"),
    "kill": ("ID [SIGNAL]", "send a signal to a container's init (TERM)"),
    "delete": ("ID...", "remove what is left of containers"),
    "exec": ("ID COMMAND [ARG...]", "run one more process in a container"),
    "state": ("ID", "print a container's state"),
    "list": ("", "list the containers below --root"),
    "ps": ("ID [PS-OPTION...]", "list a container's processes"),
    "spec": ("", "write a config.json to begin with"),
    "features": ("", "print what this runtime can do"),
    "pause": ("ID", "stop all processes of a container"),
    "resume": ("ID", "let them go on"),
    "update": ("ID", "change a container's limits"),
    "events": ("ID", "print what a container uses, again and again, and when it runs out of memory"),
    "checkpoint": ("ID", "save a container's processes into files, by CRIU"),
    "restore": ("ID", "bring saved processes back, by CRIU"),
}
_EXAMPLES: Final = {
    "create": "--bundle /bundles/web --pid-file /run/web.pid web",
    "run": "--bundle /bundles/web --detach web",
    "kill": "web KILL",
    "delete": "--force web",
    "exec": "--tty --env TERM=xterm web sh",
    "update": "--memory 512m --pids-limit 100 web",
    "events": "--stats web",
    "checkpoint": "--image-path /saved/web web",
    "restore": "--image-path /saved/web --bundle /bundles/web --detach web",
}
_OPTIONS: Final = {
    "--additional-gids": "one more group of the process; may be repeated",
    "--all": "send it to all processes of the container",
    "--apparmor": "the process's AppArmor profile",
    "--auto-dedup": "take pages out of the parent's files that are saved anew",
    "--blkio-weight": "share of block devices' time, 10 to 1000",
    "--bundle": "folder with config.json (the current one)",
    "--cap": "one more capability of the process; may be repeated",
    "--cgroup": "group below the container's to run in, as PATH or CONTROLLER:PATH",
    "--console-socket": "Unix socket that is sent the terminal's master",
    "--cpu-burst": "microseconds of processor time that may be saved up",
    "--cpu-idle": "1: run only when nobody else wants to",
    "--cpu-period": "microseconds that the quota is for",
    "--cpu-quota": "microseconds of processor time in a period",
    "--cpu-rt-period": "microseconds that the real-time runtime is for",
    "--cpu-rt-runtime": "microseconds of real-time in a period",
    "--cpu-share": "share of processors' time, 2 to 262144",
    "--cpuset-cpus": "processors, such as 0-2,4",
    "--cpuset-mems": "memory nodes, such as 0",
    "--cwd": "the process's working directory",
    "--detach": "do not wait for the program",
    "--empty-ns": "namespace whose properties are not saved, such as network",
    "--env": "NAME=VALUE of the process's environment; may be repeated",
    "--ext-unix-sk": "save Unix sockets that lead out of the container",
    "--file-locks": "save locks of files",
    "--force": "end a container that still runs",
    "--format": "table (usual) or json",
    "--ignore-paused": "run it in a paused container: it waits until that is resumed",
    "--image-path": "folder of the files (checkpoint)",
    "--interval": "time between two lines, such as 5s",
    "--keep": "do not remove what is left when it has ended",
    "--l3-cache-schema": "Intel RDT's schema of the third cache",
    "--lazy-pages": "serve memory, or have it fetched, when it is touched",
    "--leave-running": "do not end the container",
    "--link-remap": "save open files that have no name any more",
    "--lsm-mount-context": "SELinux context of mounts, in place of the saved one",
    "--lsm-profile": "TYPE:NAME of the security module's profile, in place of the saved one",
    "--manage-cgroups-mode": "soft (usual), full, strict or ignore",
    "--mem-bw-schema": "Intel RDT's schema of memory bandwidth",
    "--memory": "bytes of memory, such as 512m",
    "--memory-reservation": "bytes of memory that are left to it when memory is short",
    "--memory-swap": "bytes of memory and swap together; -1: no limit",
    "--no-new-keyring": "share the session's keyring",
    "--no-new-privs": "let the process gain no privileges by what it executes",
    "--no-pivot": "move the root instead of pivot_root(2)",
    "--no-subreaper": "do not become the parent of the container's orphans",
    "--page-server": "ADDRESS:PORT that memory is sent to, or with --lazy-pages served at",
    "--parent-path": "files of a checkpoint before, relative to --image-path",
    "--pid-file": "file that gets the process's id",
    "--pidfd-socket": "Unix socket that is sent a descriptor of the process",
    "--pids-limit": "number of processes; -1: no limit",
    "--pre-dump": "save memory only, ahead of the checkpoint, and leave it running",
    "--preserve-fds": "number of descriptors from 3 on that are handed to the program",
    "--process": "file with a process in config.json's form",
    "--process-label": "the process's SELinux label",
    "--quiet": "ids only",
    "--resources": "file with linux.resources in config.json's form; -: standard input",
    "--rootless": "one for a plain user",
    "--shell-job": "save a container that has its caller's terminal",
    "--stats": "print what it uses once",
    "--status-fd": "descriptor that gets a NUL once memory can be fetched",
    "--tcp-established": "save open TCP connections",
    "--tcp-skip-in-flight": "leave TCP connections out that are not yet accepted",
    "--tty": "give the process a terminal",
    "--user": "UID[:GID] of the process",
    "--work-path": "folder of CRIU's log",
}


def of_all() -> str:
    """Return the help of the program."""
    lines = ["usage: wharf-runtime [OPTION...] COMMAND [OPTION...] [ARGUMENT...]", "", "commands:"]
    lines += [f"  {name:<12}{text}" for name, (_, text) in _COMMANDS.items()]
    lines += ["", "options:"]
    lines += [
        "  --root DIR         where the state of containers is",
        "  --log FILE         write errors and warnings there, too",
        "  --log-format FORM  text (usual) or json",
        "  --debug            write more into the log",
        "  --systemd-cgroup   have systemd make control groups",
        "  --criu PROGRAM     CRIU's path, or its name in PATH (criu)",
        "  --rootless WHEN    auto or false: who calls decides",
        "  --version",
    ]
    return "\n".join([*lines, "", "wharf-runtime COMMAND --help tells more of a command."])


def of_one(command: str, known: Mapping[str, type], aliases: Mapping[str, str]) -> str:
    """Return the help of a command that knows these options; ``aliases`` are short names."""
    arguments, text = _COMMANDS[command]
    short = {name: alias for alias, name in aliases.items()}
    rows = []
    for name, kind in sorted(known.items()):
        if name == "--help":
            continue
        names = f"{short[name]}, {name}" if name in short else f"    {name}"
        rows.append((names if kind is bool else f"{names} VALUE", _OPTIONS[name]))
    width = max((len(names) for names, _ in rows), default=0)
    lines = [f"usage: wharf-runtime {command} {'[OPTION...] ' if rows else ''}{arguments}".rstrip(), "", text]
    lines += ["", "options:"] * bool(rows) + [f"  {names:<{width}}  {what}" for names, what in rows]
    if command in _EXAMPLES:
        lines += ["", f"example: wharf-runtime {command} {_EXAMPLES[command]}"]
    return "\n".join(lines)
