"""What a driver says of the container that a line comes from: its tag, and the attributes asked for. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from wharf.errors import InvalidArgument

_FIELD: Final = re.compile(r"\{\{\s*(?:\.(\w+))\s*\}\}")
DEFAULT_TAG: Final = "{{.ID}}"


@dataclass(frozen=True, slots=True)
class Identity:
    """One container, as log messages name it."""

    id: str
    name: str
    image: str
    image_id: str
    command: str
    created_at: str
    hostname: str
    tag: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


def tag(template: str, identity: Identity) -> str:
    """Return a tag: fields in double braces are replaced (docker docs, "Customize log driver output").

    Raises:
        InvalidArgument: a field is unknown, or the template is more than fields.
    """
    values = {
        "ID": identity.id[:12],
        "FullID": identity.id,
        "Name": identity.name,
        "ImageID": identity.image_id.removeprefix("sha256:")[:12],
        "ImageFullID": identity.image_id,
        "ImageName": identity.image,
        "Command": identity.command,
        "DaemonName": "docker",
    }

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise InvalidArgument(f"invalid log tag {template!r}: can't evaluate field {match[1]}")
        return values[match[1]]

    text = _FIELD.sub(value, template)
    if "{{" in text:
        raise InvalidArgument(f"invalid log tag {template!r}: only fields such as {{{{.Name}}}} are supported here")
    return text


def attributes(options: Mapping[str, str], labels: Mapping[str, str], env: Iterable[str]) -> dict[str, str]:
    """Return the labels and variables that --log-opt labels, env and their patterns choose."""
    variables = dict(entry.partition("=")[::2] for entry in env)
    chosen: dict[str, str] = {}
    for option, values in (("labels", labels), ("env", variables)):
        names = [name for name in options.get(option, "").split(",") if name]
        chosen |= {name: values[name] for name in names if name in values}
        if pattern := options.get(f"{option}-regex"):
            chosen |= {name: value for name, value in values.items() if re.search(pattern, name)}
    return chosen
