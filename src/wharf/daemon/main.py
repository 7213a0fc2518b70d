"""wharfd's command line. Exit codes: 0 stopped as asked, 1 could not go on, 2 misused."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from wharf.daemon.settings import SETTINGS, Setting
from wharf.errors import Forbidden, InvalidArgument, NotImplementedHere, WharfError
from wharf.lib.places import ROOTLESS
from wharf.lib.version import API_VERSION, __version__

_SEVERAL = ("texts", "map", "features", "ulimits", "pools")


def _option(setting: Setting) -> click.Option:
    names = [setting.name, f"--{setting.option}", *([f"-{setting.short}"] if setting.short else [])]
    several = setting.kind in _SEVERAL
    choices = f" ({', '.join(setting.choices)})" if setting.choices else ""
    default = f"  [default: {setting.default}]" if setting.default else ""
    return click.Option(
        # click's own name of a parameter must be an identifier
        [setting.name.replace("-", "_"), *names[1:]],
        help=f"{setting.help}{choices}{' (repeatable)' if several else ''}.{default}",
        multiple=several,
        is_flag=False,
        flag_value="true" if setting.kind == "bool" else None,
        metavar={"bool": "[BOOL]", "int": "NUMBER", "size": "SIZE", "path": "PATH"}.get(setting.kind, "TEXT"),
        hidden=bool(setting.why),
        type=str,
    )


def _given(options: Mapping[str, object]) -> dict[str, Sequence[str]]:
    found: dict[str, Sequence[str]] = {}
    for setting in SETTINGS:
        value = options[setting.name.replace("-", "_")]
        if isinstance(value, str):
            found[setting.name] = [value]
        elif isinstance(value, (tuple, list)) and value:
            found[setting.name] = [str(each) for each in value]
    return found


def _run(*, config_file: Path | None, validate: bool, **options: object) -> None:
    """Run the engine, and serve the Docker Engine API.

    Every flag but --config-file and --validate may also stand in the configuration file, under its name there. SIGHUP
    reads the file again.
    """
    # Not at the top: --help and misuse need none of it, and it is most of the start-up.
    from wharf.daemon.configuration import configure  # noqa: PLC0415

    flags = _given(options)
    try:
        configuration = configure(flags, config_file)
        addresses = configuration.addresses()
        engine_options = configuration.engine_options()
        data_root = configuration.data_root
    except (InvalidArgument, Forbidden, NotImplementedHere) as error:
        raise click.UsageError(str(error)) from error
    if validate:
        click.echo("configuration OK")
        return
    if os.geteuid() != 0:
        _become_root()
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
        engine=engine_options,
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


command = click.Command(
    "wharfd",
    callback=_run,
    help=_run.__doc__,
    context_settings={"help_option_names": ["--help"], "max_content_width": 100},
    params=[
        click.Option(
            ["--config-file"],
            type=click.Path(path_type=Path, dir_okay=False),
            help="Settings, as JSON.  [default: daemon.json in /etc/wharf, or a plain user's ~/.config/wharf]",
        ),
        click.Option(["--validate"], is_flag=True, help="Check the settings and exit."),
        *(_option(setting) for setting in SETTINGS),
    ],
)
command = click.version_option(
    __version__, "-v", "--version", message=f"wharfd version {__version__} (API {API_VERSION})"
)(command)


def main() -> None:
    """Run wharfd and exit; what stops it is one line on standard error."""
    try:
        sys.exit(command(standalone_mode=False))  # 0 for --help, too
    except click.ClickException as error:
        sys.stderr.write(f"wharfd: {error.format_message().rstrip('.')} (see 'wharfd --help')\n")
        sys.exit(error.exit_code)
    except WharfError as error:
        sys.exit(f"wharfd: {error}")
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        sys.exit(f"wharfd: {where}{(error.strerror or str(error)).lower()}")
    finally:
        if os.environ.get(ROOTLESS):
            from wharf.rootless import entering  # noqa: PLC0415  # of no use to root

            entering.leave(os.environ)
