"""The short syntaxes that are little languages of their own: ports, volumes, devices, file references, pairs."""

from __future__ import annotations

import re
from collections.abc import Iterable

from wharf.compose.load.located import Map, Override, Reset, Seq
from wharf.errors import InvalidArgument
from wharf.lib.ports import parse_publish

_PROPAGATIONS = frozenset({"rprivate", "private", "rshared", "shared", "rslave", "slave"})
WINDOWS_PATH = re.compile(r"[A-Za-z]:[\\/]")


def go_text(value: object) -> str:
    """Return a scalar as Go prints it into a text: booleans in lower case, floats without a needless point."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return str(value)


def _kept_text(value: object) -> object:
    """Return a scalar as text; nothing, and marks of merging, stay what they are."""
    if isinstance(value, Override):
        return Override(_kept_text(value.value))
    return value if value is None or isinstance(value, Reset) else go_text(value)


def port_entries(value: object) -> list[Map]:
    """Return the long form of one short port, which may be a range.

    Raises:
        InvalidArgument: it is no port, in docker's words.
    """
    found = []
    for mapping in sorted(parse_publish(str(value)), key=lambda m: (str(m.container_port), m.protocol)):
        published = ""
        if mapping.host_port:
            published = str(mapping.host_port)
            if mapping.host_port_last:
                published += f"-{mapping.host_port_last}"
        items: list[tuple[str, object]] = [("mode", "ingress")]
        if mapping.host_ip:
            items.append(("host_ip", mapping.host_ip))
        items.append(("target", mapping.container_port))
        if published:
            items.append(("published", published))
        items.append(("protocol", mapping.protocol))
        found.append(Map(items))
    return found


def volume_entry(text: str) -> Map:
    """Return the long form of ``[source:]target[:options]``.

    Raises:
        InvalidArgument: it has no target, or too many parts.
    """
    if not text:
        raise InvalidArgument("invalid empty volume spec")
    parts = _volume_parts(text)
    if not all(parts):
        raise InvalidArgument(f"invalid spec: {text}: empty section between colons")
    if len(parts) > 3:
        raise InvalidArgument(f"invalid spec: {text}: too many colons")
    if len(parts) == 1:
        return Map([("type", "volume"), ("target", parts[0]), ("volume", Map())])
    source, target = parts[:2]
    options = parts[2].split(",") if len(parts) == 3 else []
    is_bind = is_path(source)
    entry = Map([("type", "bind" if is_bind else "volume"), ("source", source), ("target", target)])
    bind, volume = Map(), Map()
    for option in options:
        _volume_option(text, option, entry, bind, volume)
    if is_bind:
        bind["create_host_path"] = True
    # Each kind's options are kept with either kind of source, as compose-go does; what has no effect is warned of.
    if bind or is_bind:
        entry["bind"] = bind
    if volume or not is_bind:
        entry["volume"] = volume
    return entry


def is_path(source: str) -> bool:
    """Return whether a volume's source is a path on the host, as against a volume's name."""
    return source.startswith((".", "/", "~")) or bool(WINDOWS_PATH.match(source))


def _volume_parts(text: str) -> list[str]:
    """Split at colons, but not in ``${...}`` nor after a drive letter."""
    parts = re.split(r":(?![^{}]*\})", text)
    if len(parts) > 1 and WINDOWS_PATH.match(text):
        parts[:2] = [f"{parts[0]}:{parts[1]}"]
    return parts


def _volume_option(text: str, option: str, entry: Map, bind: Map, volume: Map) -> None:
    if option in {"ro", "rw"}:
        if option == "ro":
            entry["read_only"] = True
    elif option == "nocopy":
        volume["nocopy"] = True
    elif option in {"z", "Z"}:
        bind["selinux"] = option
    elif option in _PROPAGATIONS:
        bind["propagation"] = option
    elif option in {"cached", "delegated", "consistent"}:
        entry["consistency"] = option
    else:
        raise InvalidArgument(f"invalid spec: {text}: unknown option {option!r}")


def device_entry(text: str) -> Map:
    """Return the long form of ``source[:target[:permissions]]``.

    Raises:
        InvalidArgument: it has too many parts.
    """
    parts = text.split(":")
    if len(parts) > 3 or not parts[0]:
        raise InvalidArgument(f"confusing device mapping, please use long syntax: {text}")
    target = parts[1] if len(parts) > 1 else parts[0]
    permissions = parts[2] if len(parts) > 2 else "rwm"
    return Map([("source", parts[0]), ("target", target), ("permissions", permissions)])


def pairs(value: object) -> Map:
    """Return ``["a=b", "c"]`` or a mapping as a mapping of texts; None for a name without a value."""
    if isinstance(value, Map):
        return Map(((k, _kept_text(v)) for k, v in value.items()), value.marks)
    found = Map()
    if isinstance(value, Seq):
        for index, item in enumerate(value):
            name, separator, rest = go_text(item).partition("=")
            found[name] = rest if separator else None
            if index < len(value.marks):
                found.marks[name] = value.marks[index]
    return found


def filled_pairs(value: object) -> Map:
    """Return pairs as ``pairs`` does; an empty text for a name without a value."""
    found = pairs(value)
    return Map(((name, "" if item is None else item) for name, item in found.items()), found.marks)


def hosts(value: object) -> Map:
    """Return ``extra_hosts`` as host → list of addresses.

    Raises:
        InvalidArgument: an entry has no address.
    """
    if isinstance(value, Map):
        return Map(((k, _addresses(v)) for k, v in value.items()), value.marks)
    found = Map()
    for item in value if isinstance(value, Seq) else []:
        text = str(item)
        name, separator, address = text.partition("=") if "=" in text else text.partition(":")
        if not separator or not address:
            raise InvalidArgument(f"invalid additional host, missing IP: {text}")
        before = found.get(name)
        found[name] = Seq([*(before if isinstance(before, Seq) else ()), _bare(address)])
    return found


def _addresses(value: object) -> Seq:
    return Seq(_bare(str(item)) for item in value) if isinstance(value, list) else Seq([_bare(str(value))])


def _bare(address: str) -> str:
    return address[1:-1] if address.startswith("[") and address.endswith("]") else address


def texts(value: object) -> Seq:
    """Return one text, or several, as a sequence of texts."""
    if isinstance(value, Seq):
        return Seq((go_text(item) for item in value), value.marks)
    return Seq([go_text(value)])


def names_to(value: object, default: Iterable[tuple[str, object]] | None) -> Map:
    """Return a list of names as a mapping: each to a copy of ``default``, or to nothing."""
    if isinstance(value, Map):
        return value
    names = value if isinstance(value, Seq) else Seq()
    found = Map((str(name), None if default is None else Map(default)) for name in names)
    found.marks.update(zip(found, names.marks, strict=False))
    return found
