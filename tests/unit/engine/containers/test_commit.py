from __future__ import annotations

from wharf.engine.containers.commit import Commit, execution


def test_an_image_runs_as_the_container_did_with_the_changes() -> None:
    own = {"Cmd": ["sleep"], "Env": ["A=1"], "Hostname": "box", "Labels": {"k": "v"}, "Tty": True, "Image": "x"}

    made = execution(own, Commit(changes=['CMD ["true"]', "ENV B=2", "LABEL l=w"]))  # type: ignore[arg-type]

    assert made == {"Cmd": ["true"], "Env": ["A=1", "B=2"], "Labels": {"k": "v", "l": "w"}}
