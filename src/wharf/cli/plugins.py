"""Plugins: install, create, enable, disable, set, upgrade, push, list, remove."""

from __future__ import annotations

import os
import sys

from wharf.cli.command import Command
from wharf.cli.confirm import asked
from wharf.cli.copy.packing import Packed, local_source
from wharf.cli.copy.rules import Plan
from wharf.cli.flags import Flag
from wharf.cli.output import parse_filters, print_rows
from wharf.cli.progress import show_progress
from wharf.cli.pull import canonical, with_tag
from wharf.client.credentials import auth_header
from wharf.client.documents import section, text, texts
from wharf.client.plugins import Plugins
from wharf.errors import Conflict, Forbidden, InvalidArgument
from wharf.lib.tables import ellipsis

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wharf.cli.command import Session
    from wharf.cli.flags import Values
    from wharf.client.documents import Document

_DESCRIPTION = 45


def plugin_row(plugin: Document, *, full: bool) -> dict[str, str]:
    """Return the fields of one line of ``plugin ls``."""
    description = " ".join(text(section(plugin, "Config"), "Description").split("\n")).strip()
    return {
        "ID": text(plugin, "Id") if full else text(plugin, "Id")[:12],
        "Name": text(plugin, "Name"),
        "Description": description if full else ellipsis(description, _DESCRIPTION),
        "Enabled": "true" if plugin.get("Enabled") else "false",
        "PluginReference": text(plugin, "PluginReference"),
    }


def _ls(session: Session, values: Values, _: list[str]) -> int:
    plugins = Plugins(session.client).list(parse_filters(values.items("filter")))
    rows = [plugin_row(plugin, full=values.on("no-trunc")) for plugin in plugins]
    rows.sort(key=lambda row: row["Name"])
    if values.on("quiet") and not values.text("format"):
        for row in rows:
            session.print(row["ID"])
        return 0
    columns = ("ID", "Name", "Description", "Enabled")
    headers = {"PluginReference": "IMAGE"}
    print_rows(session, rows, columns, template=values.text("format"), headers=headers, flexible=("Description",))
    return 0


def _create(session: Session, values: Values, arguments: list[str]) -> int:
    name, folder = arguments
    if not os.path.isfile(os.path.join(folder, "config.json")):
        raise InvalidArgument(f"stat {folder}/config.json: no such file or directory")
    if not os.path.isdir(os.path.join(folder, "rootfs")):
        raise InvalidArgument(f"stat {folder}/rootfs: no such file or directory")
    archive: Iterable[bytes] = Packed(local_source(os.path.join(folder, "."), follow=True), Plan(""))
    Plugins(session.client).create(name, _gzipped(archive) if values.on("compress") else archive)
    session.print(name)
    return 0


def _gzipped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    from zlib import compressobj  # noqa: PLC0415  # for who asks for it

    gzip = compressobj(wbits=31)
    for chunk in chunks:
        yield gzip.compress(chunk)
    yield gzip.flush()


def _granted(session: Session, values: Values, remote: str, auth: str) -> list[Document]:
    """Return what a plugin wants, once the user has agreed.

    Raises:
        Forbidden: they have not.
    """
    wanted = Plugins(session.client).privileges(remote, auth=auth)
    if not wanted or values.on("grant-all-permissions"):
        return wanted
    session.print(f'Plugin "{remote}" is requesting the following privileges:')
    for one in wanted:
        session.print(f" - {text(one, 'Name')}: [{' '.join(texts(one, 'Value'))}]")
    if not asked("Do you grant the above permissions?"):
        raise Forbidden(f"permission denied while installing plugin {remote}")
    return wanted


def _install(session: Session, values: Values, arguments: list[str]) -> int:
    name, *settings = arguments
    plugins, remote, auth = Plugins(session.client), with_tag(name), auth_header(name, os.environ)
    alias = with_tag(values.text("alias") or remote)
    grants = _granted(session, values, remote, auth)
    show_progress(plugins.pull(remote, name=alias, grants=grants, auth=auth), sys.stdout)
    if settings:
        plugins.set(alias, settings)
    if not values.on("disable"):
        plugins.enable(alias)
    session.print(f"Installed plugin {name}")
    return 0


def _upgrade(session: Session, values: Values, arguments: list[str]) -> int:
    plugins = Plugins(session.client)
    plugin = plugins.inspect(arguments[0])
    if plugin.get("Enabled"):
        raise Conflict("the plugin must be disabled before upgrading")
    name, old = text(plugin, "Name"), text(plugin, "PluginReference")
    remote = with_tag(arguments[1]) if len(arguments) > 1 else old
    session.print(f"Upgrading plugin {name} from {old} to {remote}")
    other = not values.on("skip-remote-check") and _repository(old) != _repository(remote)
    if other and not asked("Plugin images do not match, are you sure?"):
        raise Forbidden("canceling upgrade request")
    auth = auth_header(remote, os.environ)
    grants = _granted(session, values, remote, auth)
    show_progress(plugins.upgrade(name, remote, grants=grants, auth=auth), sys.stdout)
    session.print(f"Upgraded plugin {name} to {remote}")
    return 0


def _repository(reference: str) -> str:
    head, colon, tag = canonical(reference).rpartition(":")
    return head if colon and "/" not in tag else canonical(reference)


def _push(session: Session, _: Values, arguments: list[str]) -> int:
    name = with_tag(arguments[0])
    show_progress(Plugins(session.client).push(name, auth=auth_header(name, os.environ)), sys.stdout)
    return 0


def _set(session: Session, _: Values, arguments: list[str]) -> int:
    name, *assignments = arguments
    Plugins(session.client).set(name, assignments)
    return 0


def _enable(session: Session, values: Values, arguments: list[str]) -> int:
    timeout_s = values.number("timeout")
    if timeout_s < 0:
        raise InvalidArgument(f"negative value {timeout_s} is invalid for --timeout")
    Plugins(session.client).enable(arguments[0], timeout_s=timeout_s)
    session.print(arguments[0])
    return 0


def _disable(session: Session, values: Values, arguments: list[str]) -> int:
    Plugins(session.client).disable(arguments[0], force=values.on("force"))
    session.print(arguments[0])
    return 0


def _rm(session: Session, values: Values, names: list[str]) -> int:
    plugins = Plugins(session.client)
    return session.each(names, lambda name: plugins.remove(name, force=values.on("force")))


_GRANT = Flag("grant-all-permissions", "bool", "Do not ask: it gets what it wants")
_TRUST = Flag("disable-content-trust", "bool", "No signatures are looked at in any case", default=True)

COMMANDS = (
    Command(
        "plugin create", _create, "Make a plugin of a root and its configuration",
        arguments="PLUGIN PLUGIN-DATA-DIR", count=(2, 2),
        flags=(Flag("compress", "bool", "Send it compressed, with gzip"),),
        examples=("wharf plugin create me/store ./store   # with ./store/config.json and ./store/rootfs",),
    ),
    Command(
        "plugin install", _install, "Install a plugin from a registry, and enable it",
        arguments="PLUGIN [KEY=VALUE...]", count=(1, None),
        flags=(
            Flag("alias", "string", "What to call it here"),
            Flag("disable", "bool", "Do not enable it"),
            _TRUST,
            _GRANT,
        ),
        examples=("wharf plugin install --alias store registry.example.org/me/store DEBUG=1",),
    ),
    Command(
        "plugin ls", _ls, "List plugins",
        flags=(
            Flag("filter", "list", "Only some, such as enabled=true or capability=volumedriver", short="f"),
            Flag("format", "string", "'table', 'table TEMPLATE', 'json' or a template"),
            Flag("no-trunc", "bool", "Whole ids and descriptions"),
            Flag("quiet", "bool", "Only ids", short="q"),
        ),
        examples=("wharf plugin ls",),
    ),
    Command(
        "plugin enable", _enable, "Start a plugin", arguments="PLUGIN", count=(1, 1),
        flags=(Flag("timeout", "int", "Seconds to wait for each of its answers", default="30"),),
        examples=("wharf plugin enable store",),
    ),
    Command(
        "plugin disable", _disable, "End a plugin", arguments="PLUGIN", count=(1, 1),
        flags=(Flag("force", "bool", "Also one that is in use", short="f"),),
        examples=("wharf plugin disable store",),
    ),
    Command(
        "plugin set", _set, "Change settings of a plugin that is disabled",
        arguments="PLUGIN KEY=VALUE [KEY=VALUE...]", count=(2, None),
        examples=("wharf plugin set store DEBUG=1 state.source=/srv/store",),
    ),
    Command(
        "plugin upgrade", _upgrade, "Put another image in the place of a plugin that is disabled",
        arguments="PLUGIN [REMOTE]", count=(1, 2),
        flags=(
            _TRUST,
            _GRANT,
            Flag("skip-remote-check", "bool", "Do not ask when it is from another repository"),
        ),
        examples=("wharf plugin upgrade store registry.example.org/me/store:2",),
    ),
    Command(
        "plugin push", _push, "Send a plugin to a registry", arguments="PLUGIN[:TAG]", count=(1, 1),
        flags=(Flag("disable-content-trust", "bool", "No signatures are made in any case", default=True),),
        examples=("wharf plugin push registry.example.org/me/store:1",),
    ),
    Command(
        "plugin rm", _rm, "Remove plugins", arguments="PLUGIN [PLUGIN...]", count=(1, None),
        flags=(Flag("force", "bool", "Also those that are enabled", short="f"),),
        examples=("wharf plugin rm store",),
    ),
)  # fmt: skip
