"""What a real FreeSWITCH serves at the limit that it was given, and when twice as many call.

    served calls/s    callers who were joined with an agent, a second, while callers arrived

At twice the limit it serves as many as at the limit: whoever is too many hears so, unanswered, and is refused; how many
those were, and that every other one was talked with to the end, stands beside the figure. Callers and phones are sipp,
without sound; both moments are told by the switch, to a connection that is none of the engine's.
"""

import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Final

from tests.bench.switch import EXTENSIONS, TALK_MS
from tests.bench.switch_engine import Engine
from tests.bench.switch_watch import Watcher
from tests.lab.caller import Account, SippCaller
from tests.lab.phone import AnsweringPhones
from tests.lab.switch import VARIABLE, RealSwitch, freeswitch_binary
from tests.postgres import make_reachable_directory

LIMIT: Final = 20
"""Calls a second that are let in, and how many at once."""
BURST: Final = 5
CALLERS_S: Final = 10
"""So long they come."""
PATIENCE_MS: Final = 20_000
"""So long a caller stays on the line whom nobody hangs up: on a machine that cannot keep up the figures end too."""
WARM: Final = 20
NUMBER: Final = "4000"


def run() -> Iterator[dict[str, Any]]:
    """The figures of the group; none, with a word on standard error, where there is no FreeSWITCH."""
    if freeswitch_binary() is None:
        sys.stderr.write(f"no figures of group shedding: set {VARIABLE} to a FreeSWITCH's program\n")
        return
    with ExitStack() as stack:
        place = make_reachable_directory()
        stack.callback(shutil.rmtree, place)
        switch = RealSwitch(place / "lab", extensions=EXTENSIONS)
        switch.plan = replace(switch.plan, sessions_per_second=400, realtime=True)
        switch.home.mkdir(parents=True)
        stack.enter_context(switch)
        stack.enter_context(AnsweringPhones(place / "lab", switch.plan.phones, switch.plan.sip_port, talk_ms=TALK_MS))
        engine = stack.enter_context(Engine(place, switch, {NUMBER: EXTENSIONS}))
        _call(switch, engine, WARM, LIMIT // 2)
        engine.limit(LIMIT, BURST)
        let_in = WARM
        at_limit = 0.0
        for name, per_second in (("at_limit", LIMIT), ("at_twice", 2 * LIMIT)):
            with Watcher(switch) as watcher:
                account = _call(switch, engine, CALLERS_S * per_second, per_second)
            let_in += account.answered
            served = round(watcher.served_per_s(min(watcher.queued.values()), CALLERS_S), 1)
            yield {
                "name": f"switch.served_per_s.{name}",
                "value": served,
                "unit": "calls/s",
                "at_least": at_limit,
                "limit": LIMIT,
                "calls": CALLERS_S * per_second,
                "answered_by_sipp": account.answered,
                "refused_by_sipp": len(account.refused),
                "hung_up_by_sipp": account.hung_up,
                "failed_by_sipp": account.failed,
            }
            at_limit = served
        yield {
            "name": "switch.shedding.completed_share",
            "value": round(engine.completed() / let_in, 4),
            "unit": "of the callers who were let in, by the ledger",
            "at_least": 1.0,
        }


def _call(switch: RealSwitch, engine: Engine, calls: int, per_second: int) -> Account:
    """Let callers call, and see everything of them end."""
    folder, port = switch.home.parent, switch.plan.trunk_port
    callers = SippCaller(
        folder, port, dialled=NUMBER, calls=calls, per_second=per_second, talk_ms=PATIENCE_MS, tone_hz=None
    )
    with callers:
        account = callers.await_end(within_s=calls / per_second + 60)
    engine.await_quiet()
    return account
