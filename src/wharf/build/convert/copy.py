"""COPY and ADD: from a context, a stage, an image, an address, a repository or a here-document. Pure."""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from wharf.build.convert.metadata import joined, owner_of
from wharf.build.convert.remotes import GitAddress, is_web, parse_git
from wharf.build.convert.run import Sources
from wharf.build.convert.scope import expanded
from wharf.build.convert.stage import StageState
from wharf.build.dockerfile import instructions as kinds
from wharf.build.dockerfile.errors import DockerfileError
from wharf.build.dockerfile.heredoc import Heredoc
from wharf.build.graph.operations import Copy, File, MakeFile, Merge, Source
from wharf.build.graph.vertex import Description, Edge, Vertex
from wharf.lib.digest import is_digest

_SYMBOLIC: Final = re.compile(r"[ugoa]*(?:[-+=](?:[ugo]|[rwxXst]*))+(?:,[ugoa]*(?:[-+=](?:[ugo]|[rwxXst]*))+)*")
_WILDCARDS: Final = "*?["


class _Copies:
    """The copies of one instruction, and their inputs."""

    def __init__(self, state: StageState, instruction: kinds.Copy, sources: Sources, base: Edge | None) -> None:
        self._state = state
        self._instruction = instruction
        self._sources = sources
        self._lines = instruction.lines
        self.inputs: list[Edge] = [base] if base else []
        self.actions: list[Copy] = []
        self.destination = self.word(instruction.destination)
        self.chown, self.chmod = self.word(instruction.chown), self.word(instruction.chmod)
        self.paths = [self.word(source) for source in instruction.sources]
        self._checksum = self.word(instruction.checksum)
        _check_mode(self.chmod, self._lines)
        _check_checksum(instruction, self.paths, self._checksum)
        self._template = Copy(
            0,
            "",
            _destination(state, self.destination),
            owner=owner_of(self.chown),
            mode=self.chmod,
            exclude=tuple(map(self.word, instruction.exclude)),
            created_ns=None if state.epoch_s is None else state.epoch_s * 1_000_000_000,
        )

    def word(self, text: str) -> str:
        """Return ``text`` with its variables replaced."""
        return self._state.expanded(text, self._lines).text

    def gather(self, path: str) -> None:
        """Add what one source names."""
        git = parse_git(path)
        if git is None and not is_web(path):
            self._add(
                self._sources(self._instruction.from_, self._lines),
                _from_tree(self._instruction, path, self._template),
            )
        elif not self._instruction.adds:
            what = "a git ref" if git is not None else "a URL"
            raise DockerfileError(f"source can't be {what} for COPY", self._lines)
        elif git is not None:
            self._add(self._repository(git), replace(self._template, source="/"))
        else:
            self._fetch(path)

    def gather_document(self, document: Heredoc) -> None:
        """Add the content of a here-document."""
        text = document.text
        if document.expand:
            text = self._state.expanded(text, self._lines, document=True).text
        made = File((MakeFile(f"/{document.name}", text.encode("utf-8", "surrogateescape")),), base=-1)
        about = Description("[internal] preparing inline document")
        edge = Vertex(made, (), str(self._state.platform), about).output()
        self._add(edge, replace(self._template, source=f"/{document.name}"))

    def _add(self, edge: Edge | None, action: Copy) -> None:
        if edge is None:
            raise DockerfileError("cannot copy from scratch: there is nothing in it", self._lines)
        if edge not in self.inputs:
            self.inputs.append(edge)
        self.actions.append(replace(action, input=self.inputs.index(edge)))

    def _fetch(self, address: str) -> None:
        if self._checksum and not is_digest(self._checksum):
            raise DockerfileError(f"invalid checksum digest format: {self._checksum}", self._lines)
        name = posixpath.basename(urlsplit(address).path) or "__unnamed__"
        attributes = {"http.filename": name} | ({"http.checksum": self._checksum} if self._checksum else {})
        edge = self._source(address, attributes, address)
        self._add(edge, replace(self._template, source=f"/{name}", unpack=bool(self._instruction.unpack)))

    def _repository(self, git: GitAddress) -> Edge:
        keep = self._instruction.keep_git_dir
        attributes = git.attributes
        if git.keep_git_dir if keep is None else keep:
            attributes["git.keepgitdir"] = "true"
        if checksum := self._checksum or git.checksum:
            attributes["git.checksum"] = checksum
        return self._source(git.identifier, attributes, git.remote)

    def _source(self, identifier: str, attributes: dict[str, str], name: str) -> Edge:
        operation = Source(identifier, tuple(sorted(attributes.items())))
        about = Description(f"[internal] load {name}", self._lines, ignore_cache=self._state.ignore_cache)
        return Vertex(operation, (), "", about).output()


def copy(state: StageState, instruction: kinds.Copy, sources: Sources) -> None:
    """COPY and ADD."""
    name = state.next_name(_shown(state, instruction))
    linked = instruction.link and not instruction.chmod and state.edge is not None
    copies = _Copies(state, instruction, sources, None if linked else state.edge)
    for path in copies.paths:
        copies.gather(path)
    for document in instruction.documents:
        copies.gather_document(document)
    base = -1 if linked or state.edge is None else 0
    own = state.vertex(File(tuple(copies.actions), base), tuple(copies.inputs), name, instruction.lines)
    if linked:
        assert state.edge is not None
        own = state.vertex(Merge(), (state.edge, own), name.replace("] ", "] LINK ", 1), instruction.lines)
    state.edge = own
    state.record(_in_history(instruction, copies), layer=True, buildkit=True)


def _in_history(instruction: kinds.Copy, copies: _Copies) -> str:
    flags = ["--parents"] if instruction.parents else []
    flags += [f"--chown={copies.chown}"] if copies.chown else []
    flags += [f"--chmod={copies.chmod}"] if copies.chmod else []
    documents = [f"<<{document.name}" for document in instruction.documents]
    return " ".join([instruction.keyword.upper(), *flags, *copies.paths, *documents, copies.destination])


def _shown(state: StageState, instruction: kinds.Copy) -> str:
    text = expanded(instruction.original, state.environment, instruction.lines, state.escape).text
    word, _, rest = text.partition(" ")
    return f"{word.upper()} {rest}"


def _destination(state: StageState, text: str) -> str:
    path = joined(state.workdir, text)
    folder = text.endswith("/") or posixpath.basename(text) in ("", ".", "..")
    return f"{path}/" if folder and path != "/" else path


def _check_mode(mode: str, lines: tuple[int, int]) -> None:
    if not mode or _SYMBOLIC.fullmatch(mode):
        return
    try:
        valid = 0 <= int(mode, 8) <= 0o7777
    except ValueError:
        valid = False
    if not valid:
        said = f"invalid chmod parameter: '{mode}'. it should be octal string and between 0 and 07777"
        raise DockerfileError(said, lines)


def _check_checksum(instruction: kinds.Copy, paths: list[str], checksum: str) -> None:
    if not checksum:
        return
    if len(paths) != 1:
        raise DockerfileError("checksum can't be specified for multiple sources", instruction.lines)
    if not is_web(paths[0]) and parse_git(paths[0]) is None:
        raise DockerfileError("checksum requires HTTP(S) or Git sources", instruction.lines)


def _from_tree(instruction: kinds.Copy, path: str, template: Copy) -> Copy:
    source = path
    include: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    if instruction.parents:
        pivot, found, pattern = path.partition("/./")
        source, pattern = (pivot, pattern) if found else ("/", path)
        pattern = joined("/", pattern).lstrip("/")
        include = (pattern,)
        if not set(source + pattern) & set(_WILDCARDS):
            required = (joined(source, pattern),)
    unpack = instruction.adds if instruction.unpack is None else instruction.unpack
    return replace(
        template,
        source=joined("/", source),
        follow_links=True,
        contents_only=True,
        unpack=unpack,
        wildcards=True,
        allow_empty=True,
        include=include,
        required=required,
    )
