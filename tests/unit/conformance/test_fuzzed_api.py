from __future__ import annotations

from conformance.fuzzed_api import SUITE, operations, swagger


def test_every_operation_of_one_host_is_asked() -> None:
    assert SUITE.baseline == len(operations()) > 60
    assert "POST /containers/create" in operations()
    assert not [operation for operation in operations() if "swarm" in operation]


def test_the_table_becomes_a_definition_again() -> None:
    table = {
        "version": "1.2",
        "definitions": {"A": {"type": "object"}},
        "endpoints": [
            {
                "method": "POST", "path": "/a/{id}", "area": "Container", "produces": ["x/y"],
                "parameters": {"id": {"in": "path", "type": "string"}, "b": {"in": "body", "required": False}},
                "responses": {"204": None, "400": {"$ref": "#/definitions/A"}},
            },
            {"method": "GET", "path": "/nodes", "area": "Node", "parameters": {}, "responses": {}},
        ],
    }  # fmt: skip

    assert swagger(table) == {
        "swagger": "2.0",
        "info": {"title": "Engine API", "version": "1.2"},
        "basePath": "/v1.2",
        "definitions": {"A": {"type": "object"}},
        "paths": {
            "/a/{id}": {
                "post": {
                    "parameters": [
                        {"name": "id", "in": "path", "type": "string", "required": True},
                        {"name": "b", "in": "body", "required": False, "schema": {"type": "object"}},
                    ],
                    "responses": {
                        "204": {"description": ""},
                        "400": {"description": "", "schema": {"$ref": "#/definitions/A"}},
                    },
                    "consumes": ["application/json"],
                    "produces": ["x/y"],
                }
            }
        },
    }
