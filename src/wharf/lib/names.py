"""Names for containers that were given none: a quality and a harbour town."""

from __future__ import annotations

import secrets

_QUALITIES = """
able bold brave breezy bright brisk calm candid careful cheery civil clear clever cosy crisp curious daring
deft eager earnest easy fair fast fine firm fleet fond frank free fresh gentle glad golden good grand green
happy hardy honest humble jolly keen kind late lively loyal lucky mellow merry mild modest neat nimble noble
patient plain polite prompt proud quick quiet ready robust rosy salty serene sharp shiny silent silver simple
sleek smart smooth snug solid sound spry stable steady stout strong sunny sure swift tidy tranquil true trusty
upbeat vivid warm wise
""".split()  # noqa: SIM905  # a list of words reads best as words
_TOWNS = """
aarhus accra aden ajaccio algiers antwerp ashdod athens auckland baku bari barcelona basra beirut bergen
bilbao bombay bordeaux boston bremen brest brindisi bristol busan cadiz callao cardiff colombo cork dakar
dalian danzig dublin dundee durban emden esbjerg galway gdynia genoa ghent gijon glasgow haifa halifax hamburg
havana helsinki hobart hull izmir jeddah kiel kingston kobe lagos larnaca lisbon liverpool livorno lome london
luanda lubeck malaga malmo manila maputo marseille mersin mombasa montreal muscat nagoya nantes naples narvik
odessa osaka oslo ostend palermo piraeus plymouth porto pula ravenna riga rijeka rostock rotterdam salerno
seattle shanghai sines split stavanger stockholm suez sydney tallinn tampa tanga toulon trieste tunis turku
valencia varna venice vigo yokohama
""".split()  # noqa: SIM905  # a list of words reads best as words


def random_name(retry: int) -> str:
    """Return a random name; with a digit behind it when earlier ones were taken."""
    name = f"{secrets.choice(_QUALITIES)}_{secrets.choice(_TOWNS)}"
    return f"{name}{secrets.randbelow(10)}" if retry else name
