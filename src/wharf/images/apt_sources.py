"""The host's own Debian sources, read so that a base image comes from where the host's packages come from. Pure.

Both forms: one line a source, and deb822 stanzas (sources.list(5)). Sources of others than Debian are passed over.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from wharf.errors import NotFound

_KEYRING: Final = re.compile(r"debian-archive-[\w.-]+|debian\.gpg")
_ARCHIVE_PATH: Final = re.compile(r"(?:^|/)debian(?:-security)?(?:/|$)")
_OPTIONS: Final = re.compile(r"\[([^\]]*)\]")
_CREDENTIALS: Final = re.compile(r"//[^/@\s]*@")
_PARTS: Final = ("{}", "{}-updates", "{}-security", "{}/updates")


@dataclass(frozen=True, slots=True)
class AptSource:
    """One repository, one suite of it."""

    uri: str
    suite: str
    components: tuple[str, ...]
    signed_by: str = ""  # path of a keyring; "" for apt's own

    def line(self) -> str:
        """Return it as a line of sources.list."""
        options = f"[signed-by={self.signed_by}] " if self.signed_by else ""
        return f"deb {options}{self.uri} {self.suite} {' '.join(self.components)}"


def parse_sources(files: Mapping[str, str]) -> list[AptSource]:
    """Return every binary source of apt's files, given by name and text; disabled ones are left out."""
    found: list[AptSource] = []
    for name, text in files.items():
        found += _stanzas(text) if name.endswith(".sources") else _lines(text)
    return found


def select(sources: Iterable[AptSource], suite: str) -> list[AptSource]:
    """Return Debian's sources of ``suite``: itself, its updates and its security fixes.

    Raises:
        NotFound: the host has none; the message says what to do.
    """
    debian = [source for source in sources if _is_debian(source)]
    wanted = {part.format(suite) for part in _PARTS}
    chosen = [source for source in debian if source.suite in wanted]
    if not any(source.suite == suite for source in chosen):
        known = sorted({source.suite for source in debian if not set("-/") & set(source.suite)})
        other = f", or choose one that it has: {', '.join(known)}" if known else ""
        raise NotFound(
            f"this machine's apt has no Debian source for {suite}: add one, "
            f"as a file /etc/apt/sources.list.d/{suite}.sources with 'Suites: {suite}' (see sources.list(5)){other}"
        )
    return chosen


def without_credentials(text: str) -> str:
    """Return ``text`` with user names and passwords taken out of its URIs."""
    return _CREDENTIALS.sub("//", text)


def _is_debian(source: AptSource) -> bool:
    """Return whether a source is Debian's: by its keyring when it names one, else by its path."""
    if source.signed_by:
        return bool(_KEYRING.fullmatch(source.signed_by.rpartition("/")[2]))
    address = urlsplit(source.uri)
    return bool(_ARCHIVE_PATH.search(address.path))


def _lines(text: str) -> Iterator[AptSource]:
    for raw in text.splitlines():
        line = raw.partition("#")[0].strip()
        if not re.match(r"deb\s", line):
            continue
        options = _OPTIONS.search(line)
        words = _OPTIONS.sub(" ", line, count=1).split()[1:]
        if len(words) < 2:
            continue
        given = dict(option.partition("=")[::2] for option in shlex.split(options[1] if options else ""))
        yield AptSource(words[0], words[1], tuple(words[2:]), given.get("signed-by", ""))


def _stanzas(text: str) -> Iterator[AptSource]:
    for stanza in re.split(r"\n\s*\n", text):
        fields = _fields(stanza)
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in ("no", "false"):
            continue
        signed_by = fields.get("signed-by", "").strip()
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield AptSource(uri, suite, tuple(fields.get("components", "").split()), signed_by)


def _fields(stanza: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in stanza.splitlines():
        if line.startswith("#"):
            continue
        if line[:1] in (" ", "\t"):
            fields[name] = f"{fields.get(name, '')}\n{line.strip()}"
            continue
        name, _, value = line.partition(":")
        name = name.strip().lower()
        fields[name] = value.strip()
    return fields


def complete_lines(log: Path, shown: int) -> list[str]:
    """Return the lines of a growing log after the first ``shown`` ones."""
    try:
        text = log.read_text(errors="replace")
    except FileNotFoundError:
        return []
    return [without_credentials(line) for line in text.split("\n")[:-1][shown:]]
