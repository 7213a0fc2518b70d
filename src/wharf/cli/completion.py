"""``wharf completion``: scripts for bash, zsh and fish, and what they ask us at each tab.

The scripts know nothing: they hand over the words typed so far (``wharf __complete``), and get a line for each word
that may follow, with a tab and its description.
"""

from __future__ import annotations

import os

from wharf.cli.command import Command
from wharf.cli.globals import GLOBAL_FLAGS
from wharf.cli.registry import GROUPS, load, summaries, top_groups
from wharf.cli.usage import group_flags
from wharf.client.documents import text, texts
from wharf.errors import InvalidArgument, WharfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wharf.cli.command import Session
    from wharf.cli.flags import Flag, Values
    from wharf.client.client import Client

    Candidates = dict[str, str]

_BASH = """\
_wharf_complete() {
    local line word
    COMPREPLY=()
    word="${COMP_WORDS[COMP_CWORD]}"
    while IFS= read -r line; do
        line="${line%%$'\\t'*}"
        [[ "$line" == "$word"* ]] && COMPREPLY+=("$line")
    done < <(wharf __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _wharf_complete wharf
"""
_ZSH = """\
#compdef wharf
_wharf() {
    local -a found
    local line
    while IFS= read -r line; do
        found+=("${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}")
    done < <(wharf __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)
    if (( ${#found} )); then _describe 'wharf' found; else _files; fi
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _wharf "$@"; else compdef _wharf wharf; fi
"""
_FISH = """\
function __wharf_knows
    set -l typed (commandline -opc) (commandline -ct)
    set -g __wharf_found (wharf __complete -- $typed[2..-1] 2>/dev/null)
    test (count $__wharf_found) -gt 0
end
complete -c wharf -n __wharf_knows -f -a '$__wharf_found'
"""
SCRIPTS = {"bash": _BASH, "fish": _FISH, "zsh": _ZSH}

# The first words of commands' usage lines -> whose names complete them
_NAMED = {
    "CONTAINER": "containers",
    "[CONTAINER...]": "containers",
    "IMAGE": "images",
    "SOURCE_IMAGE[:TAG]": "images",
    "VOLUME": "volumes",
    "NETWORK": "networks",
    "PLUGIN": "plugins",
    "PLUGIN[:TAG]": "plugins",
    "CONTEXT": "contexts",
    "[CONTEXT]": "contexts",
}


def complete(words: Sequence[str], names: Callable[[str], Candidates]) -> Candidates:
    """Return what may stand in place of the last of ``words``, with descriptions.

    Args:
        words: What was typed after ``wharf``; the last one is the one to complete, maybe empty.
        names: Looks up the names of containers, images, volumes, networks, plugins or contexts.
    """
    *before, word = words or [""]
    before = _without(GLOBAL_FLAGS, before)
    if not before:
        return _flags(GLOBAL_FLAGS) if word.startswith("-") else {**summaries(), **top_groups()}
    path, rest = before[0], before[1:]
    while path in GROUPS and load(path) is None:
        rest = _without(group_flags(path), rest)
        if not rest:
            return _flags(group_flags(path)) if word.startswith("-") else summaries(path)
        path, rest = f"{path} {rest[0]}", rest[1:]
    if path in GROUPS and not rest and not word.startswith("-"):
        return summaries(path)
    command = load(path)
    if command is None:
        return {}
    return _of_command(command, rest, word, names)


def _of_command(command: Command, rest: Sequence[str], word: str, names: Callable[[str], Candidates]) -> Candidates:
    values = {f"--{flag.name}" for flag in command.flags if flag.kind != "bool"}
    values |= {f"-{flag.short}" for flag in command.flags if flag.short and flag.kind != "bool"}
    if rest and rest[-1] in values:
        return {}  # a flag's value: the shell's own completion, which is of files
    given = [
        each for i, each in enumerate(rest) if not each.startswith("-") and (i == 0 or rest[i - 1] not in values)
    ]
    if not command.interspersed and given:
        return {}
    if word.startswith("-"):
        return _flags(command.flags)
    if command.most is not None and len(given) >= command.most:
        return {}
    kind = _NAMED.get((command.arguments or " ").split()[0]) if not given or command.most is None else None
    return names(kind) if kind else {}


def _flags(flags: Sequence[Flag]) -> Candidates:
    return {f"--{flag.name}": flag.help for flag in flags if flag.shown}


def _without(flags: Sequence[Flag], words: list[str]) -> list[str]:
    """Return the words that follow the flags in front."""
    values = {f"--{flag.name}" for flag in flags if flag.kind != "bool"}
    values |= {f"-{flag.short}" for flag in flags if flag.short and flag.kind != "bool"}
    while words and words[0].startswith("-"):
        words = words[2:] if words[0] in values else words[1:]
    return words


def _names(client: Client, kind: str) -> Candidates:
    if kind == "containers":
        from wharf.client.containers import Containers  # noqa: PLC0415

        found = Containers(client).list(all_states=True)
        return {name.removeprefix("/"): text(each, "Image") for each in found for name in texts(each, "Names")}
    if kind == "images":
        from wharf.client.images import Images  # noqa: PLC0415

        return {tag: text(each, "Id")[7:19] for each in Images(client).list() for tag in texts(each, "RepoTags")}
    if kind == "volumes":
        from wharf.client.volumes import Volumes  # noqa: PLC0415

        return {text(each, "Name"): text(each, "Driver") for each in Volumes(client).list()}
    if kind == "plugins":
        from wharf.client.plugins import Plugins  # noqa: PLC0415

        return {text(each, "Name"): text(each, "PluginReference") for each in Plugins(client).list()}
    from wharf.client.networks import Networks  # noqa: PLC0415

    return {text(each, "Name"): text(each, "Driver") for each in Networks(client).list()}


def _lookup(session: Session) -> Callable[[str], Candidates]:
    def names(kind: str) -> Candidates:
        if kind == "contexts":
            from wharf.client.contexts import Contexts  # noqa: PLC0415

            return dict.fromkeys(["default", *Contexts(os.environ).names()], "")
        from wharf.client.client import Client  # noqa: PLC0415  # a tab starts no engine

        try:
            return _names(Client(session.host, version=session.version, tls=session.tls), kind)
        except WharfError:  # no engine, no names
            return {}

    return names


def _complete(session: Session, _: Values, words: list[str]) -> int:
    for candidate, description in sorted(complete(words, _lookup(session)).items()):
        session.print(f"{candidate}\t{description}")
    return 0


def _script(session: Session, _: Values, arguments: list[str]) -> int:
    shell = arguments[0]
    if shell not in SCRIPTS:
        raise InvalidArgument(f'no completion for shell "{shell}": choose one of {", ".join(SCRIPTS)}')
    session.print(SCRIPTS[shell].rstrip("\n"))
    return 0


COMMANDS = (
    Command(
        "completion",
        _script,
        "Print what a shell needs to complete our commands",
        arguments="bash|zsh|fish",
        count=(1, 1),
        examples=(
            "source <(wharf completion bash)",
            "wharf completion zsh > ~/.zfunc/_wharf",
            "wharf completion fish > ~/.config/fish/completions/wharf.fish",
        ),
    ),
    Command(
        "__complete",
        _complete,
        "Tell a completion script what may follow",
        arguments="[WORD...]",
        count=(0, None),
        examples=("wharf __complete -- image ''",),
        interspersed=False,
    ),
)
