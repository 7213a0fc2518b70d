"""One canonical tree over another (compose-spec 13-merge.md). Associative: files may be merged in any grouping."""

from __future__ import annotations

from collections.abc import Callable

from wharf.compose.load.located import ComposeError, Map, Mark, Override, Path, Reset, Seq, dotted
from wharf.compose.load.rules import Rules

Key = Callable[[object], object]


def _field(*names: str) -> Key:
    def key(item: object) -> object:
        return tuple(str(item.get(name) or "") for name in names) if isinstance(item, dict) else item

    return key


def _mounted(prefix: str) -> Key:
    def key(item: object) -> object:
        if not isinstance(item, dict):
            return item
        return item.get("target") or f"{prefix}{item.get('source')}"

    return key


def _port(item: object) -> object:
    if not isinstance(item, dict):
        return item
    host = item.get("host_ip") or "0.0.0.0"  # noqa: S104  # a key to compare by
    return host, item.get("published"), item.get("target"), item.get("protocol") or "tcp"


def _name(item: object) -> object:
    return item.partition("=")[0] if isinstance(item, str) else item


class _Rule:
    """How the values at a place meet: one replaces the other, or items with one key do."""

    __slots__ = ("distinct_by", "key", "replace")

    def __init__(self, *, replace: bool = False, key: Key | None = None, distinct_by: str = "") -> None:
        self.replace = replace
        self.key = key
        self.distinct_by = distinct_by


class _Joined(Map):
    """A mapping that took in what names no kind, below its own; ``alone`` is what stays of it over another kind.

    Which of the two counts is open until the first file is known: with the kind named there, or none, both parts do.
    """

    __slots__ = ("alone",)

    def __init__(self, together: Map, alone: Map) -> None:
        super().__init__(together.items(), together.marks)
        self.alone = alone


_PLAIN = _Rule()
_REPLACE = _Rule(replace=True)
_RULES = Rules.of({
    **dict.fromkeys(
        (f"services.*.{name}" for name in ("command", "entrypoint", "healthcheck.test", "ulimits.*",
                                           "build.ulimits.*")), _REPLACE),
    "services.*.logging": _Rule(distinct_by="driver"),
    "services.*.ports": _Rule(key=_port),
    "services.*.volumes": _Rule(key=_field("target")),
    "services.*.devices": _Rule(key=_field("target")),
    "services.*.env_file": _Rule(key=_field("path")),
    "services.*.configs": _Rule(key=_mounted("/")),
    "services.*.secrets": _Rule(key=_mounted("/run/secrets/")),
    "services.*.build.tags": _Rule(key=_name),
    "networks.*.ipam.config": _Rule(key=_field("subnet")),
})  # fmt: skip
_NONE: Rules[_Rule] = Rules()


def merge(base: object, over: object, *, at: Path = ()) -> object:
    """Return ``over`` laid over ``base``; neither is changed.

    Marks of merging (``!reset``, ``!override``) stay in the result, for what it may be laid over in turn.

    Args:
        base: A canonical tree.
        over: Another.
        at: Where in the whole tree the two belong.

    Raises:
        ComposeError: a mapping meets a sequence.
    """
    rules = _RULES
    for key in at:
        rules = rules.at(key) or _NONE
    return _merged(base, over, rules, at, None)


def _merged(base: object, over: object, rules: Rules[_Rule], path: Path, mark: Mark | None) -> object:
    if isinstance(over, (Reset, Override)):
        return over
    if isinstance(base, Reset):
        return Override(over)
    if isinstance(base, Override):
        return Override(_merged(base.value, over, rules, path, mark))
    if over is None or base is None:
        return base if over is None else over
    return _merged_values(base, over, rules, path, mark)


def _merged_values(base: object, over: object, rules: Rules[_Rule], path: Path, mark: Mark | None) -> object:
    rule = rules.rule or _PLAIN
    if isinstance(base, Map) and isinstance(over, Map) and not rule.replace:
        return _merged_kinds(base, over, rules, path, rule.distinct_by)
    if isinstance(base, Seq) and isinstance(over, Seq) and not rule.replace:
        return _merged_lists(base, over, rule.key or _itself)
    if (
        type(base) is not type(over)
        and not rule.replace
        and isinstance(base, (Map, Seq)) | isinstance(over, (Map, Seq))
    ):
        place = f"{mark}: " if mark else ""
        raise ComposeError(f"{place}cannot override {dotted(path)}: values of different kinds")
    return over


def _merged_kinds(base: Map, over: Map, rules: Rules[_Rule], path: Path, kind: str) -> object:
    if kind in base and kind in over and base[kind] != over[kind]:
        # Another thing takes the place of all that was there, and of what that may be laid over later.
        return Override(over.alone if isinstance(over, _Joined) else over)
    together = _merged_maps(base, over, rules, path)
    if isinstance(base, _Joined):
        return _Joined(together, _merged_maps(base.alone, over, rules, path))
    if kind in over and kind not in base:
        return _Joined(together, over.alone if isinstance(over, _Joined) else over)
    return together


def _merged_maps(base: Map, over: Map, rules: Rules[_Rule], path: Path) -> Map:
    result = Map(base.items(), {**base.marks, **over.marks})
    for key, value in over.items():
        if key in base:
            below = rules.at(key) or _NONE
            result[key] = _merged(base[key], value, below, (*path, key), over.marks.get(key))
        else:
            result[key] = value
    return result


def _itself(item: object) -> object:
    return item


def _merged_lists(base: Seq, over: Seq, key: Key) -> Seq:
    items = list(base)
    marks = list(base.marks) if len(base.marks) == len(base) else []
    places: list[object] = [key(item) for item in items]
    exact = len(over.marks) == len(over)
    for index, item in enumerate(over):
        mine = key(item)
        if mine in places:
            items[places.index(mine)] = item
            if marks and exact:
                marks[places.index(mine)] = over.marks[index]
        else:
            places.append(mine)
            items.append(item)
            marks += over.marks[index : index + 1] if exact else []
    return Seq(items, marks if len(marks) == len(items) else [])


def without_repeats(tree: Map) -> Map:
    """Return the tree with what repeats within one file's keyed sequences merged: the last of one key wins."""

    def walk(value: object, rules: Rules[_Rule]) -> object:
        if isinstance(value, Override):
            return Override(walk(value.value, rules))
        if isinstance(value, Seq) and rules.rule is not None and rules.rule.key is not None:
            return _merged_lists(Seq(), value, rules.rule.key)
        if isinstance(value, Map):
            return Map(((key, walk(item, rules.at(key) or _NONE)) for key, item in value.items()), value.marks)
        return value

    result = walk(tree, _RULES)
    assert isinstance(result, Map)
    return result
