from __future__ import annotations

from wharf.cli.image_tree import render_tree, tree_lines


def manifest(architecture: str, *, kind: str = "image", used: bool = False) -> dict[str, object]:
    return {
        "ID": "sha256:" + architecture[0] * 64,
        "Kind": kind,
        "Size": {"Content": 2_000_000, "Total": 5_000_000},
        "ImageData": {
            "Platform": {"os": "linux", "architecture": architecture},
            "Containers": ["c"] if used else [],
        },
    }


IMAGES = [
    {
        "Id": "sha256:" + "1" * 64,
        "Created": 1,
        "Size": 3_000_000,
        "RepoTags": ["old:1"],
        "Manifests": [manifest("amd64")],
    },
    {
        "Id": "sha256:" + "2" * 64,
        "Created": 2,
        "Size": 3_000_000,
        "RepoTags": ["new:1", "new:latest"],
        "Manifests": [manifest("amd64", used=True), manifest("unknown", kind="attestation"), manifest("riscv64")],
    },
]


def test_platforms_stand_below_the_names_of_their_image() -> None:
    assert render_tree(tree_lines(IMAGES), 80) == (
        "IMAGE              ID             DISK USAGE   CONTENT SIZE   USED\n"
        "new:1\n"
        "new:latest         222222222222          3MB            4MB    ✔\n"
        "├─ linux/amd64     aaaaaaaaaaaa          5MB            2MB    ✔\n"
        "└─ linux/riscv64   rrrrrrrrrrrr          5MB            2MB\n"
        "\n"
        "old:1              111111111111          3MB            2MB\n"
        "└─ linux/amd64     aaaaaaaaaaaa          5MB            2MB\n"
    )


def test_a_narrow_terminal_gets_fewer_columns_and_shorter_names() -> None:
    long = {**IMAGES[0], "RepoTags": ["registry.example.org/some/where:1"]}

    assert render_tree(tree_lines([long]), 45).splitlines()[1] == "registry.examp...   111111111111          3MB"


def test_no_images_are_a_title() -> None:
    assert render_tree(tree_lines([]), 80).splitlines() == ["IMAGE   ID             DISK USAGE   CONTENT SIZE   USED"]
