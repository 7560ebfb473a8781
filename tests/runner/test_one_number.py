"""However a number is typed, each door to the outside compares, keeps and calls what it means (features 1.2, 3.5, 3.10;
toll fraud).
"""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from orchestrator.domain.contacts import dial_events as d
from orchestrator.domain.contacts.guests import persons
from orchestrator.domain.contacts.outward_events import CallbackDialled
from orchestrator.domain.routing.branches import BranchConfigured
from orchestrator.domain.routing.outside import OutsideConfigured
from orchestrator.domain.switch.instructions import DialOutside, RingAgent
from orchestrator.runner import inputs as i
from tests.runner.scene import Scene
from tests.runner.test_dial import at
from tests.runner.test_guests import Room

RULES = OutsideConfigured(allowed=("+86", "+852", "955"), refused=("+86400", "95588"), ring_ms=30_000)
SHANGHAI = "+862188880000"

IN_HONG_KONG = {"branch-hk": BranchConfigured(name="Hong Kong", region="HK"), "agent-a1": at("hk", "phone")}

Tried = tuple[str, list[str]]
"""The code of the refusal, and the numbers that the switch was told to call."""


def _called(scene: Scene) -> list[str]:
    return [each.number for each in scene.instructions(DialOutside)]


def _dial(typed: str, rules: OutsideConfigured) -> Tried:
    scene = Scene(1)
    scene.configure({"outside-main": rules, **IN_HONG_KONG})
    scene.ready(1)
    code = scene.refusal(i.Dial(agent="1001", number=typed))
    for ring in scene.instructions(RingAgent):
        scene.ringing(ring)
        scene.answer(ring)
    return code, _called(scene)


def _in_hand(command: i.Transfer | i.Consult, rules: OutsideConfigured) -> Tried:
    scene = Scene(1)
    scene.configure({"outside-main": rules, **IN_HONG_KONG})
    caller, _ = scene.talk(1)
    code = scene.refusal(replace(command, about=scene.live(caller).contact_id))
    return code, _called(scene)


def _transfer(typed: str, rules: OutsideConfigured) -> Tried:
    return _in_hand(i.Transfer(agent="1001", to_number=typed), rules)


def _consult(typed: str, rules: OutsideConfigured) -> Tried:
    return _in_hand(i.Consult(agent="1001", to_number=typed), rules)


def _guest(typed: str, rules: OutsideConfigured) -> Tried:
    room = Room()
    room.configure({"outside-main": rules, **IN_HONG_KONG})
    code = room.refusal(i.Invite(agent="1001", about=room.it.contact_id, to_number=typed))
    return code, _called(room)


def _sent(typed: str, rules: OutsideConfigured) -> Tried:
    scene = Scene(1)
    scene.configure({"outside-main": rules})
    caller = scene.park()
    return scene.refusal(i.SendOutside(contact_id=scene.live(caller).contact_id, number=typed)), _called(scene)


def _callback(typed: str, rules: OutsideConfigured) -> Tried:
    scene = Scene(1)
    scene.configure({"outside-main": rules})
    caller = scene.park()
    code = scene.refusal(i.AskCallback(contact_id=scene.live(caller).contact_id, number=typed))
    if not code:
        scene.hang_up(caller)
        scene.ready(1)
    for ring in scene.instructions(RingAgent):
        scene.ringing(ring)
        scene.answer(ring)
    return code, _called(scene)


OF_AGENTS = (_dial, _transfer, _consult, _guest)
DOORS = pytest.mark.parametrize("door", (*OF_AGENTS, _sent, _callback))
Door = Callable[[str, OutsideConfigured], Tried]


@DOORS
@pytest.mark.parametrize("typed", ("+86 (0)21 8888 0000", "+862188880000"))
def test_what_is_typed_is_called_as_what_it_means(door: Door, typed: str) -> None:
    assert door(typed, RULES) == ("", [SHANGHAI])
    assert door(typed, replace(RULES, national=True)) == ("", ["02188880000"])


@DOORS
@pytest.mark.parametrize("typed", ("+864001234567", "+86 0400 123 4567", "95588", "+19005551234", "+4420712345"))
def test_no_door_leads_to_a_number_that_is_refused_however_it_is_written(door: Door, typed: str) -> None:
    assert door(typed, RULES) == ("not_allowed", [])


@DOORS
@pytest.mark.parametrize(
    "typed",
    (
        "110",
        "+86110",
        "+8621110",
        "+8695588",
        "+1 011 371 12345678",
        "021#8888000",
        "0218888,000",
        "0218888p000",
        "\uff12\uff11\uff18\uff18\uff18\uff18\uff10\uff10\uff10\uff10",
        "021CALLNOW",
    ),
)
def test_no_door_leads_to_what_is_no_number_or_one_of_emergency(door: Door, typed: str) -> None:
    assert door(typed, RULES) == ("withheld", [])


@pytest.mark.parametrize("door", (_sent, _callback))
@pytest.mark.parametrize("typed", ("02188880000", "021 8888 0000", "0086 21 8888 0000", "2188880000"))
def test_what_is_typed_for_the_house_is_read_in_its_country(door: Door, typed: str) -> None:
    assert door(typed, RULES) == ("", [SHANGHAI])
    assert door(typed, replace(RULES, refused=("+8621",))) == ("not_allowed", [])


@pytest.mark.parametrize("door", OF_AGENTS)
def test_what_an_agent_types_is_read_where_their_branch_is(door: Door) -> None:
    assert door("2123 4567", RULES) == ("", ["+85221234567"])
    assert door("2123 4567", replace(RULES, refused=("+8522",))) == ("not_allowed", [])
    assert door("02188880000", RULES) == ("withheld", []), "in Hong Kong that is no number"


@DOORS
@pytest.mark.parametrize("typed", (SHANGHAI, "+86 (0)21 8888 0000", "+862166660000"))
def test_no_door_leads_back_into_this_house(door: Door, typed: str) -> None:
    """Feature 1.2: a call that comes back takes two lines and a second place in the queue, over and over."""
    ours = replace(RULES, show=SHANGHAI, show_at={"hk": "+862166660000"})
    assert door(typed, ours) == ("own_number", [])


def test_two_ways_of_writing_are_one_number() -> None:
    """Nobody is called twice, nor is a number of the house called, because somebody wrote it in another way."""
    scene = Scene(1)
    scene.configure({"outside-main": replace(RULES, show="02166660000")})
    scene.ready(1)
    assert scene.refusal(i.Dial(agent="1001", number="+862166660000")) == "own_number"
    assert scene.refusal(i.Dial(agent="1001", number=SHANGHAI)) == ""
    assert scene.refusal(i.Dial(agent="1001", number="021-88880000")) == ""
    assert len(scene.events(d.ContactDialled)) == 1
    room = Room()
    room.joins(SHANGHAI)
    assert room.refusal(i.Invite(agent="1001", about=room.it.contact_id, to_number="02188880000")) == "already_in"
    before = persons(room.it)
    assert room.refusal(i.LetGo(agent="1001", about=room.it.contact_id, to_number="0086 21 88880000")) == ""
    assert persons(room.it) == before - 1


def test_whoever_calls_again_keeps_their_place_however_the_network_writes_their_number() -> None:
    """Decision 0045: not called as well."""
    scene = Scene(1)
    scene.configure({"outside-main": RULES})
    caller = scene.park(number="+862188880000")
    first = scene.live(caller).contact_id
    assert scene.refusal(i.AskCallback(contact_id=first)) == ""
    scene.hang_up(caller)
    again = scene.park(number="02188880000")
    assert first not in scene.world.contacts
    assert scene.live(again).status == "waiting"


def test_a_callback_that_was_promised_by_rules_of_then_is_looked_at_by_those_of_now() -> None:
    scene = Scene(1)
    scene.configure({"outside-main": replace(RULES, allowed=("0",), refused=("+8621",), region="")})
    caller = scene.park()
    assert scene.refusal(i.AskCallback(contact_id=scene.live(caller).contact_id, number="02188880000")) == ""
    scene.hang_up(caller)
    scene.configure({"outside-main": replace(RULES, allowed=("0",), refused=("+8621",))})
    scene.ready(1)
    for ring in scene.instructions(RingAgent):
        scene.ringing(ring)
        scene.answer(ring)
    assert not scene.instructions(DialOutside)


def _promised_by_rules_of_then() -> tuple[Scene, str]:
    """A customer waits for a callback whose number was kept as typed, and the rules were applied anew since."""
    scene = Scene(1)
    scene.configure({"outside-main": replace(RULES, allowed=("0",), region="")})
    caller = scene.park(number="02188880000")
    contact_id = scene.live(caller).contact_id
    assert scene.refusal(i.AskCallback(contact_id=contact_id, number="02188880000")) == ""
    scene.hang_up(caller)
    scene.configure({"outside-main": RULES})
    return scene, contact_id


def test_a_callback_that_was_promised_by_rules_of_then_calls_the_number_that_was_looked_at() -> None:
    scene, _ = _promised_by_rules_of_then()
    scene.ready(1)
    for ring in scene.instructions(RingAgent):
        scene.ringing(ring)
        scene.answer(ring)
    assert [each.number for each in scene.events(CallbackDialled)] == [SHANGHAI]
    assert _called(scene) == [SHANGHAI]


@pytest.mark.parametrize("shown", ("02188880000", "+862188880000"))
def test_whoever_was_promised_a_callback_by_rules_of_then_keeps_their_place_when_they_call(shown: str) -> None:
    scene, promised = _promised_by_rules_of_then()
    again = scene.park(number=shown)
    assert promised not in scene.world.contacts
    assert scene.live(again).status == "waiting"
