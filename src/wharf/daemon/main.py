"""wharfd's command line. Exit codes: 0 stopped as asked, 1 could not go on, 2 misused."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from wharf.daemon import limits, memory
from wharf.daemon.settings import SETTINGS, Setting
from wharf.errors import Forbidden, InvalidArgument, NotImplementedHere, WharfError
from wharf.lib.places import ROOTLESS
from wharf.lib.version import API_VERSION, __version__

_MISUSED = 2
_SEVERAL = ("texts", "map", "features", "ulimits", "pools")
_METAVARS = {"bool": "BOOL", "int": "NUMBER", "size": "SIZE", "path": "PATH"}
_EPILOG = """\
Every flag but --config-file and --validate may also stand in the configuration file, under its name there;
"builder" stands there alone.
SIGHUP reads the file again.

examples:
  wharfd --data-root /srv/wharf -H unix:///run/wharf.sock
  wharfd --validate --config-file new-daemon.json
"""


class _Misused(Exception):
    """What is wrong with the command line."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Leave it to the caller how to tell."""
        raise _Misused(message)


def parser() -> argparse.ArgumentParser:
    """Return wharfd's command line; argparse comes with aiohttp anyway, and what the daemon loads it keeps."""
    made = _Parser(
        "wharfd",
        usage="wharfd [OPTIONS]",
        description="Run the engine, and serve the Docker Engine API.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        add_help=False,
    )
    made.add_argument("--help", action="help", help="Show this message and exit")
    made.add_argument(
        "-v", "--version", action="version", version=f"wharfd version {__version__} (API {API_VERSION})"
    )
    made.add_argument(
        "--config-file",
        type=Path,
        metavar="FILE",
        help="Settings, as JSON [default: daemon.json in /etc/wharf, or a plain user's ~/.config/wharf]",
    )
    made.add_argument("--validate", action="store_true", help="Check the settings and exit")
    for setting in SETTINGS:
        if setting.has_flag:
            _add(made, setting)
    return made


def _add(made: argparse.ArgumentParser, setting: Setting) -> None:
    choices = f" ({', '.join(setting.choices)})" if setting.choices else ""
    default = f" [default: {setting.default}]" if setting.default else ""
    several = setting.kind in _SEVERAL
    text = f"{setting.help.rstrip('.')}{choices}{' (repeatable)' if several else ''}{default}"
    made.add_argument(
        *([f"-{setting.short}"] if setting.short else []),
        f"--{setting.option}",
        dest=setting.name,
        help=argparse.SUPPRESS if setting.why else text.replace("%", "%%"),
        action="append" if several else "store",
        metavar=_METAVARS.get(setting.kind, "TEXT"),
        **({"nargs": "?", "const": "true"} if setting.kind == "bool" else {}),  # type: ignore[arg-type]
    )


def _given(options: Mapping[str, object]) -> dict[str, Sequence[str]]:
    found: dict[str, Sequence[str]] = {}
    for setting in SETTINGS:
        value = options.get(setting.name)
        if isinstance(value, str):
            found[setting.name] = [value]
        elif isinstance(value, list):
            found[setting.name] = [str(each) for each in value]
    return found


def _run(config_file: Path | None, flags: Mapping[str, Sequence[str]], *, validate: bool) -> None:
    # Not at the top: --help and misuse need none of it, and it is most of the start-up.
    from wharf.daemon.configuration import configure  # noqa: PLC0415

    try:
        configuration = configure(flags, config_file)
        addresses = configuration.addresses()
        engine_options = configuration.engine_options()
        data_root = configuration.data_root
    except (InvalidArgument, Forbidden, NotImplementedHere) as error:
        raise _Misused(str(error)) from error
    if validate:
        sys.stdout.write("configuration OK\n")
        return
    if os.geteuid() != 0:
        _become_root()
    memory.stay_small()
    open_files = limits.raise_open_files()
    from wharf.daemon import logs  # noqa: PLC0415
    from wharf.daemon.addresses import parse_metrics_address  # noqa: PLC0415
    from wharf.daemon.reload import Reloading  # noqa: PLC0415
    from wharf.daemon.serve import Options, serve  # noqa: PLC0415
    from wharf.daemon.tls import server_context  # noqa: PLC0415
    from wharf.daemon.wiring import api_on_engine  # noqa: PLC0415

    logs.set_up(level=configuration.level, style=configuration.get("log-format", "text"))
    metrics = configuration.get("metrics-addr", "")
    chosen = Options(
        data_root=data_root,
        addresses=addresses,
        group=configuration.get("group", "") if "group" in configuration.values else None,
        pidfile=configuration.path("pidfile", None),
        exec_root=configuration.path("exec-root", None),
        tls=None if configuration.tls is None else server_context(configuration.tls),
        metrics=parse_metrics_address(metrics) if metrics else None,
        engine=replace(engine_options, open_files=open_files),
    )
    reload = Reloading(configuration, lambda: configure(flags, config_file))
    asyncio.run(serve(chosen, api_on_engine, reload))


def _become_root() -> None:
    """Execute this program anew as root of its user's own namespaces; return only when it cannot be.

    Raises:
        WharfError: why not.
    """
    from wharf.rootless import entering  # noqa: PLC0415  # of no use to root

    environment = entering.enter(os.environ)
    os.execve(sys.executable, sys.orig_argv, environment)  # noqa: S606  # no shell is meant


def main() -> None:
    """Run wharfd and exit; what stops it is one line on standard error."""
    try:
        chosen = vars(parser().parse_args())
        _run(chosen["config_file"], _given(chosen), validate=chosen["validate"])
    except _Misused as error:
        sys.stderr.write(f"wharfd: {str(error).rstrip('.')} (see 'wharfd --help')\n")
        sys.exit(_MISUSED)
    except WharfError as error:
        sys.exit(f"wharfd: {error}")
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        sys.exit(f"wharfd: {where}{(error.strerror or str(error)).lower()}")
    finally:
        if os.environ.get(ROOTLESS):
            from wharf.rootless import entering  # noqa: PLC0415  # of no use to root

            entering.leave(os.environ)
