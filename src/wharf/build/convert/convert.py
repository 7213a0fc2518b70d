"""Put a whole Dockerfile together: stages as far as the target needs them, and the image's configuration."""

from __future__ import annotations

import copy as copies
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from wharf.build.convert import copy, metadata, run
from wharf.build.convert.contexts import context_edge
from wharf.build.convert.options import BaseImage, ImageName, Options
from wharf.build.convert.scans import scans_of
from wharf.build.convert.scope import expanded, global_arguments, pairs
from wharf.build.convert.stage import StageState
from wharf.build.dockerfile import instructions as kinds
from wharf.build.dockerfile.errors import DockerfileError, meant
from wharf.build.dockerfile.stages import trigger_of
from wharf.build.epoch import EPOCH, epoch_of, settled
from wharf.build.graph.operations import Source
from wharf.build.graph.vertex import Edge, Vertex
from wharf.errors import InvalidArgument
from wharf.images.platform import Platform, parse_platform
from wharf.lib.reference import parse_reference
from wharf.spec.buildkit_cache import INLINE
from wharf.spec.oci_image import ImageConfig

SCRATCH: Final = "scratch"
DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NUMBERED: Final = (kinds.Copy, kinds.Run, kinds.Workdir)

Known = Mapping[ImageName, BaseImage]


@dataclass(frozen=True, slots=True)
class Converted:
    """A graph and the image that it makes; ``target`` is None for an image without layers."""

    target: Edge | None
    image: ImageConfig  # without rootfs and created
    base: BaseImage | None  # of the target stage, if an image is below it
    epoch_s: int | None
    platform: Platform
    contexts: frozenset[str]  # names of the local contexts that are used
    own_layers: int = 0  # how many of its layers the target stage itself makes; those below are what it began with
    scans: Mapping[str, Edge | None] = field(default_factory=dict)  # see :mod:`wharf.build.convert.scans`


@dataclass(frozen=True, slots=True)
class Missing:
    """Images whose configuration has to be known before the conversion can be made."""

    images: frozenset[ImageName]


def convert(dockerfile: kinds.Dockerfile, options: Options, known: Known) -> Converted | Missing:
    """Return the graph of a build's target, or the images that have to be known first.

    Raises:
        DockerfileError: with the lines it is about.
        InvalidArgument: the target does not exist, or an option is malformed.
    """
    return Conversion(dockerfile, options, known).result()


@dataclass(slots=True)
class Conversion:
    """The stages of one build; ``missing`` images were needed and are not known."""

    dockerfile: kinds.Dockerfile
    options: Options
    known: Known
    shared: dict[str, str] = field(init=False)
    epoch_s: int | None = field(init=False)
    missing: set[ImageName] = field(default_factory=set)
    used_contexts: set[str] = field(default_factory=set)
    done: dict[int, StageState] = field(default_factory=dict)
    bases: dict[int, BaseImage | None] = field(default_factory=dict)
    under_way: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.options = _with_epoch(self.options)
        self.shared = global_arguments(self.dockerfile, self.options)
        self.epoch_s = epoch_of(self.options.build_args.get(EPOCH) or self.shared.get(EPOCH) or "")

    def result(self) -> Converted | Missing:
        """Return what :func:`convert` does."""
        index = self.target()
        state = self.stage(index)
        if self.missing:
            return Missing(frozenset(self.missing))
        image = state.image
        labels = {**(state.config.get("Labels") or {}), **self.options.labels}
        if labels:
            # In an order of their own: an image has the same bytes in whichever a client's map was sent.
            state.config["Labels"] = dict(sorted(labels.items()))
        return Converted(
            state.edge, image, self.bases.get(index), self.epoch_s, state.platform, frozenset(self.used_contexts),
            state.own_layers, scans_of(state, self.done.values(), self.shared, self.options),
        )  # fmt: skip

    def target(self) -> int:
        """Return the stage that is asked for."""
        stages = self.dockerfile.stages
        wanted = self.options.target
        if not stages:
            raise DockerfileError("dockerfile contains no stages to build")
        if not wanted:
            return len(stages) - 1
        found = self._index_of(wanted, len(stages))
        if found is None:
            names = [stage.name for stage in stages if stage.name]
            raise InvalidArgument(f'target stage "{wanted}" could not be found{meant(wanted, names)}')
        return found

    def _index_of(self, name: str, before: int) -> int | None:
        """Return the stage of that name or number among the first ``before``; the last one counts."""
        for index in range(before - 1, -1, -1):
            if self.dockerfile.stages[index].name == name.lower() != "":
                return index
        return int(name) if name.isdigit() and int(name) < before else None

    def parent(self, index: int) -> int | None:
        """Return the stage that a stage begins with; None where it is an image, a context or nothing."""
        begin = self.dockerfile.stages[index].begin
        name = expanded(begin.base, self.shared, begin.lines, self.dockerfile.escape).text
        return None if name.isdigit() else self._index_of(name, index)

    def stage(self, index: int) -> StageState:
        """Return a stage with all that its instructions did, converting it and what it needs first."""
        if index in self.done:
            return self.done[index]
        stage = self.dockerfile.stages[index]
        if index in self.under_way:
            names = " -> ".join(self.dockerfile.stages[i].name or str(i) for i in [*self.under_way, index])
            raise DockerfileError(f"circular dependency detected on stage: {names}", stage.begin.lines)
        self.under_way.append(index)
        try:
            override = self._override(stage.name, stage.name, self._platform(stage.begin), stage.begin.lines)
            state = override or self._begin(index, stage.begin)
            state.inherited = len(state.image.get("history") or [])
            if override is None:
                self._follow(index, state, stage)
        finally:
            self.under_way.pop()
        self.done[index] = state
        return state

    def _begin(self, index: int, begin: kinds.From) -> StageState:
        lines, escape = begin.lines, self.dockerfile.escape
        name = expanded(begin.base, self.shared, lines, escape).text
        if not name:
            raise DockerfileError(f"base name ({begin.base}) should not be blank", lines)
        platform = self._platform(begin)
        shown = begin.name or (f"stage-{index}" if len(self.dockerfile.stages) > 1 else "")
        earlier = self._index_of(name, index)
        if earlier is not None and not name.isdigit():
            state = self.stage(earlier).child(shown, platform)
            self.bases[index] = self.bases.get(earlier)
        else:
            state = self._from_image(index, name, shown, platform, begin)
        state.ignore_cache = self.options.no_cache or begin.name in self.options.no_cache_stages
        return state

    def _platform(self, begin: kinds.From) -> Platform:
        if not begin.platform:
            return self.options.platform
        text = expanded(begin.platform, self.shared, begin.lines, self.dockerfile.escape).text
        if not text:
            raise DockerfileError(f"empty platform value from expression {begin.platform}", begin.lines)
        try:
            return parse_platform(text)
        except InvalidArgument as error:
            raise DockerfileError(f"failed to parse platform {begin.platform}: {error}", begin.lines) from None

    def _new(self, shown: str, platform: Platform) -> StageState:
        image: ImageConfig = {
            "architecture": platform.architecture,
            "os": platform.os,
            "config": {"Env": [f"PATH={DEFAULT_PATH}"], "WorkingDir": "/"},
        }
        if platform.variant:
            image["variant"] = platform.variant
        state = StageState(shown, platform, self.options, self.dockerfile.escape, image=image, epoch_s=self.epoch_s)
        state.environment = {"PATH": DEFAULT_PATH}
        return state

    def _override(self, name: str, shown: str, platform: Platform, lines: tuple[int, int]) -> StageState | None:
        """Return the stage that a named context stands in for."""
        if name not in self.options.contexts:
            return None
        where = self.options.contexts[name]
        if where.startswith("docker-image://"):
            state = self._new(shown, platform)
            self._put_image(state, where.removeprefix("docker-image://"), lines)
            return state
        state = self._new(shown, platform)
        state.edge = self._context(name)
        return state

    def _from_image(self, index: int, name: str, shown: str, platform: Platform, begin: kinds.From) -> StageState:
        state = self._new(shown, platform)
        if name == SCRATCH:
            return state
        override = self._override(name, shown, platform, begin.lines)
        if override is not None:
            return override
        state.step = 1
        self.bases[index] = self._put_image(state, name, begin.lines)
        return state

    def _put_image(self, state: StageState, name: str, lines: tuple[int, int]) -> BaseImage | None:
        try:
            reference = parse_reference(name).with_default_tag()
        except InvalidArgument as error:
            raise DockerfileError(f'failed to parse stage name "{name}": {error}', lines) from None
        wanted = ImageName(str(reference), state.platform)
        base = self.known.get(wanted)
        if base is None:
            self.missing.add(wanted)
            state.edge = Vertex(Source(f"docker-image://{reference}")).output()  # until it is known
            return None
        state.image = copies.deepcopy(base.config)
        for key in ("rootfs", "created", INLINE):  # how the image below was made is no matter of this one's
            state.image.pop(key, None)  # type: ignore[misc]  # both are fields of it
        env = state.config.get("Env") or []
        if "PATH" not in pairs(env):
            env = [*env, f"PATH={DEFAULT_PATH}"]
        state.config["Env"] = env
        state.environment = pairs(env)
        state.triggers = tuple(state.config.get("OnBuild") or ())
        if (base.config.get("rootfs") or {"diff_ids": []})["diff_ids"]:
            source = Source(f"docker-image://{reference}", (("image.digest", base.digest),))
            about = f"[{state.name + ' ' if state.name else ''}1/%d] FROM {reference}"
            state.edge = state.vertex(source, (), about, lines)
        return base

    def _follow(self, index: int, state: StageState, stage: kinds.Stage) -> None:
        triggers = [self._trigger(line, stage.begin) for line in state.triggers]
        state.config.pop("OnBuild", None)
        instructions = [*triggers, *stage.instructions]
        state.total = state.step + sum(isinstance(one, _NUMBERED) for one in instructions)
        if state.edge is not None and state.step:
            state.edge = _renumbered(state.edge, state.total)
        for instruction in instructions:
            self._apply(index, state, instruction)

    def _trigger(self, line: str, begin: kinds.From) -> kinds.Any:
        try:
            instruction = trigger_of(line)
        except InvalidArgument as error:
            raise DockerfileError(str(error), begin.lines) from None
        return dataclasses.replace(instruction, lines=begin.lines)

    def _apply(self, index: int, state: StageState, instruction: kinds.Any) -> None:
        def sources(name: str, lines: tuple[int, int]) -> Edge | None:
            return self._source(index, name, lines)

        try:
            if isinstance(instruction, kinds.Arg):
                metadata.arg(state, instruction, self.shared)
            elif isinstance(instruction, kinds.Run):
                run.run(state, instruction, sources)
            elif isinstance(instruction, kinds.Copy):
                copy.copy(state, instruction, sources)
            else:
                metadata.SIMPLE[type(instruction)](state, instruction)
        except DockerfileError as error:
            if error.lines == (0, 0):
                raise DockerfileError(str(error), instruction.lines) from None
            raise
        except InvalidArgument as error:
            raise DockerfileError(str(error), instruction.lines) from None

    def _source(self, index: int, name: str, lines: tuple[int, int]) -> Edge | None:
        """Return what ``--from`` or a mount's ``from`` names: a stage, a context, else an image."""
        if not name:
            self.used_contexts.add("")
            return context_edge(self.options, "")
        if name == SCRATCH:
            return None
        stages = self.dockerfile.stages
        found = self._index_of(name, len(stages))
        if found == index:
            raise DockerfileError(f"invalid from flag value {name}: refers to current build stage", lines)
        if found is not None and found > index and found not in self.done:
            self.stage(found)  # a circle is told as such
            raise DockerfileError(f'cannot use stage "{name}": it needs to be defined before the current one', lines)
        if found is not None:
            return self.stage(found).edge
        if name in self.options.contexts:
            override = self._override(name, name, self.options.platform, lines)
            return override.edge if override else None
        names = [stage.name for stage in stages if stage.name]
        state = self._new("", self.options.platform)
        state.total = 1
        try:
            self._put_image(state, name, lines)
        except DockerfileError as error:
            raise DockerfileError(f"{error}{meant(name, names)}", lines) from None
        return _renumbered(state.edge, 1, f"FROM {name}") if state.edge else None

    def _context(self, name: str) -> Edge:
        self.used_contexts.add(name)
        return context_edge(self.options, name)


def _with_epoch(options: Options) -> Options:
    """Return options whose time, if it is to be that of the main context, is a number."""
    if EPOCH not in options.build_args:
        return options
    value = settled(options.build_args[EPOCH], options.context_epoch_s)
    return dataclasses.replace(options, build_args={**options.build_args, EPOCH: value})


def _renumbered(edge: Edge, total: int, name: str = "") -> Edge:
    """Return an edge whose vertex says of how many steps it is the first."""
    old = edge.vertex
    if not isinstance(old.operation, Source) or "%d" not in old.description.name:
        return edge
    about = dataclasses.replace(old.description, name=name or old.description.name % total)
    return type(old)(old.operation, old.inputs, old.platform, about).output(edge.index)
