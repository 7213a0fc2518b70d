"""What somebody should agree to before it is published: mounts of the machine, what looks like secrets. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from wharf.compose.load.located import Map
from wharf.compose.model.project import Project

_TELLING = re.compile(r"pass(word|wd|phrase)?|secret|token|api_?key|private_?key|credential|auth_?key", re.IGNORECASE)
_PATTERNS = {
    "private key": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    "AWS client ID": re.compile(r"\b(?:AKIA|ASIA|AGPA|AIDA|AROA|ANPA|ANVA)[A-Z0-9]{16}\b"),
    "AWS secret key": re.compile(r"""(?i)aws.{0,20}secret.{0,20}['"=:\s][0-9a-z/+]{40}\b"""),
    "GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{50,})\b"),
    "JSON Web Token": re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}"),
    "password in an address": re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@$]+:[^\s/:@${]+@"),
    "Slack token": re.compile(r"\bxox[abposr]-[A-Za-z0-9-]{10,}"),
}


def bind_mounts(project: Project) -> list[str]:
    """Return a line for each folder or file of this machine that services mount."""
    return [
        f"{name}: {mount.source}:{mount.target}"
        for name, service in sorted(project.services.items())
        for mount in service.volumes
        if mount.type == "bind"
    ]


def sensitive(texts: Mapping[str, str]) -> list[str]:
    """Return a line for each thing in texts (by name) that looks like a secret; the secret itself is not shown."""
    found = []
    for name, text in sorted(texts.items()):
        for number, line in enumerate(text.splitlines(), 1):
            found += [f"{name}:{number}: {kind}" for kind, pattern in _PATTERNS.items() if pattern.search(line)]
    return found


def environment(trees: Iterable[Map]) -> list[str]:
    """Return a line for each service that has files of variables, or variables whose names tell of secrets.

    Args:
        trees: Canonical, with variables as they are written: a value that begins with a dollar sign tells nothing.
    """
    found: dict[str, None] = {}
    for name, service in _each(trees, "services"):
        if service.get("env_file"):
            found[f'service "{name}": env_file declared'] = None
        variables = service.get("environment")
        telling = [
            f'"{key}"' for key, value in sorted(variables.items() if isinstance(variables, Map) else ())
            if _TELLING.search(key) and is_literal(value)
        ]  # fmt: skip
        if telling:
            found[f'service "{name}": literal value for {", ".join(telling)}'] = None
    return list(found)


def literal_configs(trees: Iterable[Map]) -> list[str]:
    """Return the configs whose content is written in the files themselves."""
    return sorted(
        {f'config "{name}"' for name, config in _each(trees, "configs") if is_literal(config.get("content"))}
    )


def is_literal(value: object) -> bool:
    """Return whether a value, as it is written, says something by itself: it is no variable's name."""
    text = "" if value is None else str(value).replace("$$", "X").strip()
    return len(text) > 2 and not text.startswith("$") and not text.endswith("}")


def _each(trees: Iterable[Map], section: str) -> Iterator[tuple[str, Map]]:
    for tree in trees:
        entries = tree.get(section)
        for name, entry in entries.items() if isinstance(entries, Map) else ():
            if isinstance(entry, Map):
                yield name, entry
