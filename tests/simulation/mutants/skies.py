"""Under which weathers, and in how large a centre, several mutants show."""

from tests.simulation.run import Size
from tests.simulation.weather import Weather

ROWS = Size(contacts=40, agents=14, willing=True, rows=0.5)
EVERY_ROW = Size(contacts=40, agents=20, transfers=0.05, willing=True, rows=1.0)
PHONES = Size(contacts=60, agents=4, phones=20)
CALLS_OUT = Size(contacts=60, agents=6, outside=True)
CALM = Weather()
FLAPS = Weather(flaps=3)
AT_DESKS = Size(contacts=60, browsers=1.0)
MANY_AT_ONCE = Size(contacts=60, agents=10)
TALKATIVE = Size(contacts=60, agents=10, voices=1.0)
BY_HAND = Size(contacts=90, agents=4, hands=1.0)
ROUTED = Size(contacts=60, agents=8, routing=True)
ONE_BY_ONE = Size(contacts=60, agents=8, routing=True, rule="ring_progressively")
PASSED_ON = Size(contacts=120, agents=12, transfers=1.0, willing=True)
PROMPT = Size(contacts=40, agents=20, consults=1.0, rows=1.0, willing=True, prompt=True)
CONSULTED = Size(contacts=80, agents=12, consults=1.0, willing=True)
GATHERED = Size(contacts=40, agents=20, rows=1.0, willing=True)
