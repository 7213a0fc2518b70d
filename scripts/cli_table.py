"""Reads two tables of docker's commands and flags and prints what the tests need of them, as JSON.

    python3 scripts/cli_table.py cli-commands.tsv cli-flags.tsv > tests/data/cli.json

The commands of one host: those of swarms are left out. Run by hand when a new command line appears.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

_ELSEWHERE = ("swarm", "stack", "service", "node", "secret", "config", "trust", "manifest")
_SEVERAL = {
    "list", "filter", "gpu-request", "map", "mount", "network", "port", "stringSlice", "ulimit", "stringToString",
    "ipSlice", "ipNetSlice",
}  # fmt: skip


def _rows(path: str) -> list[dict[str, str]]:
    with Path(path).open(newline="") as file:
        return [row for row in csv.DictReader(file, delimiter="\t") if row["source"] == "docker-cli"]


def _kind(kind: str) -> str:
    return "bool" if kind == "bool" else "list" if kind in _SEVERAL else "single"


def main() -> None:
    commands: dict[str, dict[str, object]] = {}
    flags: dict[str, dict[str, list[str]]] = {}
    for row in _rows(sys.argv[2]):
        name = row["flag"].removeprefix("--")
        flags.setdefault(row["command"], {})[name] = [row["short"].removeprefix("-"), _kind(row["type"])]
    for row in _rows(sys.argv[1]):
        words = row["command"].split()[1:]
        if not words or words[0] in _ELSEWHERE or row["subcommands"]:
            continue
        names = [name.strip().removeprefix("docker ") for name in row["aliases"].split(",") if name.strip()]
        commands[" ".join(words)] = {"names": names or [" ".join(words)], "flags": flags.get(row["command"], {})}
    globals_ = {"names": [], "flags": flags["docker"]}
    lines = [f"{json.dumps(name)}: {json.dumps(each)}" for name, each in [("", globals_), *commands.items()]]
    sys.stdout.write("{\n" + ",\n".join(lines) + "\n}\n")


main()
