from __future__ import annotations

from pathlib import Path

import pytest
from conformance.compose_fixtures import examples, of_podman_compose, of_specification
from conformance.suites import Unavailable

_PAGE = """\
Text.

```yml
services:
  a: {image: x}
```

- A list:
  ```yaml
  include:
    - other.yaml
  ```

```yaml
volumes: {not_a_whole_file: {}}
```
"""


def test_examples_of_a_page_are_its_blocks_that_are_whole_files() -> None:
    assert examples(_PAGE) == ["services:\n  a: {image: x}\n", "include:\n  - other.yaml\n"]


def test_examples_of_the_specification_get_a_folder_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "05-services.md").write_text(_PAGE)
    (tmp_path / "spec.md").write_text(_PAGE)
    monkeypatch.setenv("COMPOSE_SPEC", str(tmp_path))

    found = of_specification(tmp_path / "scratch")

    assert [one.name for one in found] == ["compose-spec:05-services-0", "compose-spec:05-services-1"]
    assert [one.path.relative_to(one.suite).parts[0] for one in found] == ["05-services-0", "05-services-1"]
    assert found[1].path.read_text() == "include:\n  - other.yaml\n"


def test_fixtures_are_the_files_that_have_services_and_are_not_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"a/compose.yml": "services:\n", "a/values.yaml": "a: 1\n", ".github/b.yml": "services:\n"}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setenv("PODMAN_COMPOSE", str(tmp_path))

    assert [one.name for one in of_podman_compose()] == ["podman-compose:a/compose.yml"]


def test_without_a_checkout_a_suite_says_what_it_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PODMAN_COMPOSE", raising=False)

    with pytest.raises(Unavailable, match="PODMAN_COMPOSE"):
        of_podman_compose()
