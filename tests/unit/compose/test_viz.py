from __future__ import annotations

from tests.fakes.compose import project

from wharf.compose.viz import digraph

APP = project("""
name: app
services:
  web:
    image: a<b
    depends_on: {db: {condition: service_started}, gone: {condition: service_started, required: false}}
    networks: {front: {priority: 1}, back: {priority: 5}}
    ports: ["127.0.0.1:8080:80", "53/udp"]
  db: {build: ., networks: [back]}
  gone: {image: x, profiles: [other]}
networks: {front: , back: }
""")


def test_graph_has_a_node_for_each_service_and_an_edge_to_each_that_it_depends_on() -> None:
    assert digraph(APP, indent="  ").splitlines() == [
        'digraph "app" {',
        "  layout=dot;",
        '  "db" [style="filled" label=<<font point-size="15">db</font>>];',
        '  "web" [style="filled" label=<<font point-size="15">web</font>>];',
        "",
        '  "web" -> "db";',
        "}",
    ]


def test_nodes_name_networks_by_priority_and_ports_and_images_on_demand() -> None:
    node = digraph(APP, networks=True, ports=True, images=True).splitlines()[3]
    head, small = (
        '\t"web" [style="filled" label=<<font point-size="15">web</font>',
        '<font point-size="10"><br/><br/>',
    )

    assert node == (
        f"{head}{small}<b>Networks:</b><br/>back<br/>front</font>"
        f"{small}<b>Ports:</b><br/>127.0.0.1:8080:80 (tcp, ingress)<br/>:53 (udp, ingress)</font>"
        f"{small}<b>Image:</b><br/>a&lt;b</font>>];"
    )


def test_parts_that_a_service_lacks_are_not_in_its_node() -> None:
    node = digraph(APP, ports=True, images=True).splitlines()[2]

    assert "Ports" not in node
    assert "<br/>app-db<" in node
