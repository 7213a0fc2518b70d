from __future__ import annotations

from tests.fakes.compose import project

from wharf.compose import identity
from wharf.compose.provided.protocol import Variables
from wharf.compose.provided.variables import awaits, with_models, with_variables

APP = """
services:
  web: {image: x, depends_on: [db], environment: {OWN: 1, KEY: mine}}
  other: {image: x}
  db: {provider: {type: cloud}}
"""


def test_dependents_alone_are_told_what_a_provider_says() -> None:
    told, warnings = with_variables(project(APP), {"db": Variables({"URL": "u"}, {"KEY": "theirs", "NEW": "n"})})

    assert told.services["web"].environment == {"OWN": "1", "DB_URL": "u", "KEY": "theirs", "NEW": "n"}
    assert warnings == ['provider "db" overrides environment variable "KEY" in service "web"']
    assert told.services["other"].environment == {}


def test_hash_of_what_the_files_say_is_kept_beside_the_new_one() -> None:
    before = project(APP)
    after, _ = with_variables(before, {"db": Variables({"URL": "u"})})
    web = after.services["web"]

    assert web.declared == identity.service_hash(before.services["web"]) != identity.service_hash(web)
    assert identity.container_labels(after, web, 1)[identity.DECLARED_HASH] == web.declared
    assert identity.DECLARED_HASH not in identity.container_labels(after, after.services["other"], 1)
    assert [name for name, one in before.services.items() if awaits(before, one)] == ["web"]
    assert not any(awaits(after, one) for one in after.services.values())


def test_models_are_told_by_their_own_variables_or_the_usual_ones() -> None:
    told = with_models(
        project("""
        services:
          a: {image: x, models: [small-one]}
          b: {image: x, models: {small-one: {endpoint_var: WHERE, model_var: WHAT}}}
        models: {small-one: {model: ai/small}}
        """),
        "http://runner",
    )

    assert told.services["a"].environment == {"SMALL_ONE_MODEL": "ai/small", "SMALL_ONE_URL": "http://runner"}
    assert told.services["b"].environment == {"WHAT": "ai/small", "WHERE": "http://runner"}
