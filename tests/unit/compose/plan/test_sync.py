from __future__ import annotations

import pytest
from tests.fakes.compose import project

from wharf.compose.model.hooks import Trigger
from wharf.compose.plan.sync import fits, plan_sync, triggers

APP = project("""
services:
  web:
    build: .
    develop:
      watch:
        - {path: ./src, action: sync, target: /app, ignore: ["*.tmp", node_modules/]}
        - {path: ./conf/app.conf, action: sync+restart, target: /etc/app.conf}
        - {path: package.json, action: rebuild}
  job: {image: x, develop: {watch: [{path: ./src, action: restart}]}}
""")


@pytest.mark.parametrize(
    ("path", "relative"),
    [
        ("/s", "."), ("/s/a/b.py", "a/b.py"), ("/s/x.tmp", None), ("/other", None), ("/sa", None),
        ("/s/a.txt", None),
    ],
)  # fmt: skip
def test_path_fits_below_what_is_followed_if_it_is_included_and_not_ignored(path: str, relative: str | None) -> None:
    assert fits(Trigger(path="/s", include=["**/*.py", "*.tmp"], ignore=["*.tmp"]), path) == relative


def test_change_is_copied_where_it_belongs_and_restarts_who_wants_it() -> None:
    works = plan_sync(APP, ["/app/src/a.py", "/app/src/b.tmp", "/app/nothing"])

    assert [(work.service, work.action) for work in works] == [("job", "restart"), ("web", "sync")]
    assert [(change.path, change.target) for change in works[1].changes] == [("/app/src/a.py", "/app/a.py")]


def test_strongest_action_of_a_batch_wins_and_a_rebuild_copies_nothing() -> None:
    [web] = [one for one in plan_sync(APP, ["/app/conf/app.conf", "/app/src/a.py"]) if one.service == "web"]
    assert (web.action, {change.target for change in web.changes}) == ("sync+restart", {"/etc/app.conf", "/app/a.py"})

    [web] = [one for one in plan_sync(APP, ["/app/package.json", "/app/src/a.py"]) if one.service == "web"]
    assert (web.action, web.changes) == ("rebuild", ())


def test_triggers_are_those_of_services_that_are_developed() -> None:
    assert [(name, trigger.action) for name, trigger in triggers(APP)] == [
        ("job", "restart"), ("web", "sync"), ("web", "sync+restart"), ("web", "rebuild"),
    ]  # fmt: skip
