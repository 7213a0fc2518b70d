"""What a change of files means for services (``develop.watch``, compose-spec develop.md); pure."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass

from wharf.compose.model.hooks import Trigger
from wharf.compose.model.project import Project
from wharf.lib.ignore import Matcher

_RANK = {"sync": 0, "sync+exec": 1, "sync+restart": 2, "restart": 3, "rebuild": 4}


@dataclass(frozen=True, slots=True)
class Change:
    """One path for one service."""

    path: str  # on the host
    target: str  # in the container; empty where nothing is copied


@dataclass(frozen=True, slots=True)
class Work:
    """What is done to one service."""

    service: str
    action: str  # the strongest of those that were triggered
    changes: tuple[Change, ...]
    trigger: Trigger


def triggers(project: Project) -> list[tuple[str, Trigger]]:
    """Return (service, trigger) of all services that are developed."""
    return [
        (name, trigger)
        for name, service in sorted(project.services.items())
        for trigger in (service.develop.watch if service.develop is not None else ())
    ]


def fits(trigger: Trigger, path: str) -> str | None:
    """Return ``path`` relative to what the trigger follows, ``.`` for itself; None where it does not fit."""
    if path == trigger.path:
        return "."
    if not path.startswith(trigger.path.rstrip("/") + "/"):
        return None
    relative = path[len(trigger.path.rstrip("/")) + 1 :]
    if trigger.include and not Matcher(trigger.include).matches(relative):
        return None
    return None if Matcher(trigger.ignore).matches(relative) else relative


def plan_sync(project: Project, paths: Iterable[str]) -> list[Work]:
    """Return what changed paths mean, one entry a service; a rebuild makes copying needless."""
    found: dict[str, list[tuple[Trigger, Change]]] = {}
    changed = sorted(paths)
    for name, trigger in triggers(project):
        for path in changed:
            relative = fits(trigger, path)
            if relative is not None:
                target = posixpath.normpath(posixpath.join(trigger.target, relative)) if trigger.target else ""
                found.setdefault(name, []).append((trigger, Change(path, target)))
    works = []
    for name, hits in sorted(found.items()):
        strongest = max((trigger for trigger, _ in hits), key=lambda trigger: _RANK.get(trigger.action, 0))
        copied = tuple(dict.fromkeys(change for trigger, change in hits if trigger.action.startswith("sync")))
        works.append(Work(name, strongest.action, () if strongest.action == "rebuild" else copied, strongest))
    return works
