"""Models by Docker Model Runner's plugin: pulled, configured, and where they answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from wharf.client.programs import ask
from wharf.compose.model.project import Model
from wharf.errors import WharfError

_RUNTIME_FLAGS_SINCE = (1, 0, 6)
Tell = Callable[[str, str], None]
T = TypeVar("T")


class _Known(msgspec.Struct):
    """One of the runner's models (``docker model ls --json``)."""

    tags: list[str] = []


class _Status(msgspec.Struct):
    """Where the runner answers (``docker model status --json``)."""

    endpoint: str = ""


class _Plugin(msgspec.Struct):
    """What a plugin of docker's command line tells of itself."""

    version: str = msgspec.field(default="", name="Version")


class ModelRunner:
    """The ``docker model`` command."""

    def __init__(self, program: str, environment: Mapping[str, str]) -> None:
        """Remember where it is, and its variables."""
        self._program = program
        self._environment = environment

    def have(self, models: Mapping[str, Model], tell: Tell) -> str:
        """Have models pulled and configured; return the URL at which they answer.

        Args:
            models: By their name in the project.
            tell: Told of how it goes.

        Raises:
            WharfError: the runner failed.
        """
        known = {tag for one in self._asked("ls", "--json", kind=list[_Known]) for tag in one.tags}
        for key, model in models.items():
            name = model.name or key
            if model.model not in known:
                tell(f"Model {name}", "Pulling")
                self._run("pull", model.model)
                tell(f"Model {name}", "Pulled")
            tell(f"Model {name}", "Configuring")
            self._run(*configuration(model, self._version() if model.runtime_flags else ()))
            tell(f"Model {name}", "Configured")
        return self._asked("status", "--json", kind=_Status).endpoint

    def _version(self) -> tuple[int, ...]:
        version = self._asked("docker-cli-plugin-metadata", kind=_Plugin).version.removeprefix("v")
        numbers = version.partition("-")[0].split(".")
        return tuple(map(int, numbers)) if all(one.isdigit() for one in numbers) else ()

    def _asked(self, *words: str, kind: type[T]) -> T:
        answer = self._run(*words)
        try:
            return msgspec.json.decode(answer, type=kind)
        except msgspec.DecodeError as error:
            raise WharfError(f"docker-model {words[0]}: the answer is not what was expected: {error}") from error

    def _run(self, *words: str) -> bytes:
        try:
            code, answer, complaint = ask([self._program, *words], environment=self._environment)
        except OSError as error:
            raise WharfError(f"cannot run {self._program}: {(error.strerror or '').lower()}") from error
        if code:
            said = (complaint or answer.decode("utf-8", "replace")).strip().splitlines()[-5:]
            raise WharfError("\n  ".join([f"docker-model {words[0]} exited with status {code}", *said]))
        return answer


def configuration(model: Model, version: tuple[int, ...]) -> list[str]:
    """Return the command of a runner of some version that configures a model.

    Raises:
        WharfError: the runner is too old for what is asked for.
    """
    words = ["configure"]
    if model.context_size > 0:
        words += ["--context-size", str(model.context_size)]
    words.append(model.model)
    if model.runtime_flags and version < _RUNTIME_FLAGS_SINCE:
        raise WharfError(f"model {model.model}: runtime_flags need a Docker Model plugin of version 1.0.6 or later")
    return [*words, "--", *model.runtime_flags] if model.runtime_flags else words
