"""wharfd's command line. Exit codes: 0 stopped as asked, 1 could not go on, 2 misused."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from wharf.daemon.addresses import DEFAULT_HOST, parse_address
from wharf.errors import Forbidden, InvalidArgument, NotImplementedHere, WharfError
from wharf.lib.version import API_VERSION, __version__

DEFAULT_DATA_ROOT = "/var/lib/wharf"


@click.command(name="wharfd", context_settings={"help_option_names": ["--help"], "max_content_width": 100})
@click.option(
    "--data-root",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_DATA_ROOT,
    show_default=True,
    help="Where images, containers and volumes are kept.",
)
@click.option(
    "-H",
    "--host",
    "hosts",
    multiple=True,
    default=[DEFAULT_HOST],
    show_default=True,
    help="Where to listen: unix:///path or tcp://address:port (repeatable).",
)
@click.option(
    "--insecure-tcp",
    is_flag=True,
    help="Allow tcp:// on loopback addresses. Every local user who connects is root then.",
)
@click.option("-G", "--group", help="Group that may use the unix socket.  [default: docker, if there is one]")
@click.option(
    "-p", "--pidfile", type=click.Path(path_type=Path, dir_okay=False), help="Where to write the process id."
)
@click.option("-D", "--debug", is_flag=True, help="Log requests and decisions too.")
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.version_option(__version__, "-v", "--version", message=f"wharfd version {__version__} (API {API_VERSION})")
def command(  # one parameter an option: click's way
    *,
    data_root: Path,
    hosts: tuple[str, ...],
    insecure_tcp: bool,
    group: str | None,
    pidfile: Path | None,
    debug: bool,
    log_format: str,
) -> None:
    """Run the engine, and serve the Docker Engine API."""
    try:
        addresses = [parse_address(host, insecure_tcp=insecure_tcp) for host in hosts]
    except (InvalidArgument, Forbidden, NotImplementedHere) as error:
        raise click.BadParameter(str(error), param_hint="--host") from error
    # Not at the top: --help and misuse need none of it, and it is most of the start-up.
    from wharf.daemon import logs  # noqa: PLC0415
    from wharf.daemon.serve import Options, serve  # noqa: PLC0415
    from wharf.daemon.wiring import api_on_engine  # noqa: PLC0415

    logs.set_up(debug=debug, style=log_format)
    options = Options(data_root=data_root.absolute(), addresses=addresses, group=group, pidfile=pidfile)
    asyncio.run(serve(options, api_on_engine))


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
