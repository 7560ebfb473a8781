"""What goes into a bundle of the switch's own words: as they were, unless they are of somebody who was erased."""

import pytest

from orchestrator.bundle.veil import Veil
from orchestrator.domain.customers.blacklist import NumberBlacklisted
from orchestrator.domain.kernel import Event, Provenance, Record, stream
from orchestrator.domain.routing.branches import BranchConfigured
from orchestrator.domain.routing.entries import EntryPointConfigured
from orchestrator.domain.routing.numbers import RewriteConfigured
from orchestrator.domain.routing.outside import OutsideConfigured
from orchestrator.domain.staff.agents import AgentConfigured
from orchestrator.domain.switch import contexts
from orchestrator.domain.switch.facts import LegParked, SeenLeg, Snapshot
from orchestrator.domain.switch.instructions import RingAgent
from orchestrator.esl.events import SwitchEvent
from orchestrator.runner import phone_codes
from orchestrator.runner.inputs import AskCallback, Ready
from orchestrator.tape import Hole, Recorded
from orchestrator.tape.form import Told
from orchestrator.vault import ERASED
from tests.bundle.kit import AT, GONE, NOBODY, veiled


def park(leg: str, number: str = "+8613800138000", direction: str = "inbound") -> SwitchEvent:
    return SwitchEvent(
        name="CHANNEL_PARK", leg=leg, direction=direction, dialled="4001", caller_number=number, caller_name="Ann Li",
        context=contexts.INBOUND,
    )  # fmt: skip


def test_without_a_reason_the_switch_keeps_its_own_words() -> None:
    veil = Veil(GONE, pseudonymous=False)
    event = park("leg-2")
    assert veiled(veil, event) == [Recorded("3-1", AT, "fs1", event)]


def test_of_an_erased_caller_facts_are_left_and_no_text() -> None:
    veil = Veil(GONE, pseudonymous=False)
    strange = SwitchEvent(name="CHANNEL_STATE", leg="leg-1", caller_number="+8613800138000")
    (line,) = veiled(veil, park("leg-1"), strange)
    assert isinstance(line, Recorded)
    assert line.id == "3-1.0"
    assert isinstance(line.body, LegParked)
    assert (line.body.caller_number, line.body.caller_name, line.body.dialled) == (ERASED, ERASED, "4001")


def test_what_was_asked_about_somebody_erased_and_what_was_told_of_them_says_no_number() -> None:
    veil = Veil(GONE, pseudonymous=False)
    ring = RingAgent(
        id="i", node="fs1", leg="leg-7", contact="c-1", offer="o", extension="1001", caller_number="+8613800138000",
        ring_ms=1, deadline=AT,
    )  # fmt: skip
    others = SeenLeg(leg="leg-2", inbound=True, caller_number="+862155550001")
    seen = SeenLeg(leg="leg-1", inbound=True, caller_number="+8613800138000")
    found = veiled(
        veil,
        AskCallback(contact_id="c-1", number="+8613800138000"),
        Told((ring,)),
        Snapshot(node="fs1", core="k", legs=(seen, others)),
        Ready(agent="7"),
    )
    assert "13800138000" not in repr(found)
    assert "+862155550001" in repr(found), "others are as they were"
    assert len(found) == 4


def test_a_pseudonym_is_the_same_everywhere_and_keeps_country_and_area() -> None:
    veil = Veil(NOBODY, pseudonymous=True)
    first, second = veil.text("+8613800138000"), veil.text("13800138000")
    assert first != "+8613800138000"
    assert first[:6] == "+86138"
    assert len(first) == len("+8613800138000")
    assert first[-8:] == second[-8:], "written in another way it is the same number still"
    assert veil.text("+8613800138001")[-8:] != first[-8:]
    assert veil.text("Ann Li") == veil.text("Ann Li") != veil.text("Ann Lo")
    assert Veil(NOBODY, pseudonymous=True).text("Ann Li") != veil.text("Ann Li"), "nobody can turn it back"
    assert veil.text(ERASED) == ERASED


def test_a_text_has_a_digit_after_it_only_where_it_had_one() -> None:
    """To the rules a caller with a digit may have a number; one without has none."""
    veil = Veil(NOBODY, pseudonymous=True)
    assert not any(map(str.isdigit, veil.text("anonymous")))
    assert any(map(str.isdigit, veil.text("sip:7@x")))


def test_whoever_is_called_outside_is_no_number_either() -> None:
    """On a leg that we made, what was dialled is the customer."""
    veil = Veil(NOBODY, pseudonymous=True)
    (line,) = veiled(veil, park("leg-9", "4001", "outbound"))
    assert isinstance(line, Recorded)
    assert isinstance(line.body, LegParked)
    assert line.body.dialled != "4001"
    (came,) = veiled(veil, park("leg-8"))
    assert isinstance(came, Recorded)
    assert isinstance(came.body, LegParked)
    assert came.body.dialled == "4001", "our own number is nobody's secret"


def beside_the_desk(dialled: str) -> LegParked:
    """An agent's phone has dialled this by itself."""
    return LegParked(node="fs1", leg="leg-5", inbound=True, dialled=dialled, context=contexts.AGENTS, account="1001")


@pytest.mark.parametrize("pseudonymous", (True, False))
def test_whom_an_agent_dials_past_the_desk_leaves_the_house_in_no_bundle(*, pseudonymous: bool) -> None:
    """That leg is in no contact's stream, so nobody can tell whether who was called was erased."""
    veil = Veil(NOBODY, HOUSE, pseudonymous=pseudonymous)
    seen = SeenLeg(leg="leg-6", inbound=True, dialled="13800138000", context=contexts.AGENTS)
    found = veiled(veil, beside_the_desk("13800138000"), Snapshot(node="fs1", core="k", legs=(seen,)))
    assert "13800138000" not in repr(found)
    assert "0138000" not in repr(found)
    for ours in ("*68", "*8812", "1001"):
        (kept,) = veiled(veil, beside_the_desk(ours))
        assert isinstance(kept, Recorded)
        assert isinstance(kept.body, LegParked)
        assert kept.body.dialled == ours, "codes and extensions are of the house, and decided by"


def test_what_is_no_code_at_a_phone_becomes_none() -> None:
    """One in fifty would, by chance: a wish to park that nobody had."""
    typed = [text for text in (f"*{number:02}" for number in range(100)) if phone_codes.read(text) is None]
    for veil in (Veil(NOBODY, pseudonymous=True) for _ in range(20)):
        for text in typed:
            (line,) = veiled(veil, beside_the_desk(text))
            assert isinstance(line, Recorded)
            assert isinstance(line.body, LegParked)
            assert phone_codes.read(line.body.dialled) is None


@pytest.mark.parametrize(
    "text",
    (
        "13800138000 13900139000",
        "13800138000#12345678",
        "13800138000*12345678",
        "110101199003071234",
        "+86 138 0013 8000 13",
        "5550001 5550002",
    ),
)
def test_of_several_numbers_in_one_text_none_stays(text: str) -> None:
    """Nor does what is longer than a number: that of an identity card tells where and when somebody was born."""
    veil = Veil(NOBODY, pseudonymous=True)
    made = veil.text(text)
    assert [sign if not sign.isdigit() else "0" for sign in made] == [
        sign if not sign.isdigit() else "0" for sign in text
    ], "as long as it was"
    groups = [group for group in text.replace("#", " ").replace("*", " ").split() if len(group) > 4]
    assert not [group for group in groups if group[:6] in made]


HOUSE_NUMBER, VIP = "+8675588889999", "+8613800138000"


def configured(kind: str, ident: str, event: Event) -> Record:
    """Somebody has configured this."""
    about = Provenance(at=AT, origin="cli", actor="admin:test")
    name = stream(kind, ident)
    return Record(position=1, stream=name, version=1, event_id="e", event=event, about=about)


HOUSE = (
    configured("agent", "a1", AgentConfigured(number="7", name="Ann", extension="1001", skills={"zh": 1})),
    configured("entry", "main", EntryPointConfigured(name="m", numbers=("4001", "4*"), queue_id="q", callers=(VIP,))),
    configured("branch", "sh", BranchConfigured(name="Shanghai", prefixes=("+8621", "021"))),
    configured("rewrite", "vip", RewriteConfigured(name="v", of="caller", match="13800138*", length=11, prepend="+86")),
    configured(
        "outside", "main", OutsideConfigured(allowed=("+86",), refused=("+867558888", "+8690"), show=HOUSE_NUMBER)
    ),
)


def test_numbers_of_the_house_stay_and_rules_fit_whom_they_fitted() -> None:
    """What is decided by a number is decided by its pseudonym, and no rule tells a number of somebody."""
    veil = Veil(NOBODY, HOUSE, pseudonymous=True)
    rules = [veil.record(record).event for record in HOUSE]
    _, entry, branch, rewrite, outside = rules
    assert isinstance(entry, EntryPointConfigured)
    assert isinstance(rewrite, RewriteConfigured)
    assert (branch, outside) == (HOUSE[2].event, HOUSE[4].event), "an area, and what is ours"
    assert veil.text(HOUSE_NUMBER) == HOUSE_NUMBER
    assert veil.text("0755 8888 9999") == "0755 8888 9999"
    assert veil.text("1001") == "1001"
    assert veil.text("4001") == "4001"
    assert entry.callers == (veil.text(VIP),) != (VIP,)
    assert entry.numbers == ("4001", "4*")
    assert rewrite.match != "13800138*"
    assert veil.text("13800138123").startswith(rewrite.match.removesuffix("*"))
    assert not veil.text("13800139123").startswith(rewrite.match.removesuffix("*"))
    assert veil.text("+867558888123").startswith("+867558888"), "refused as before"
    assert not veil.text("+8675512345678").startswith("+867558888")
    listed = veil.record(configured("blacklist", "b", NumberBlacklisted(number=VIP, reason="nuisance"))).event
    assert isinstance(listed, NumberBlacklisted)
    assert listed.number == veil.text(VIP)


@pytest.mark.parametrize(
    ("number", "area"),
    (
        ("+862188880000", "+8621"),
        ("02188880000", "021"),
        ("+86215550001", "+8621"),
        ("0215550004", "021"),
        ("+867555550001", "+86755"),
        ("+8613800138000", "+86138"),
        ("+442079460000", "+4420"),
        ("+16502530000", "+1650"),
    ),
)
def test_the_subscribers_digits_are_others_and_the_areas_are_not(number: str, area: str) -> None:
    """Also of seven digits behind an area's code, of which the last eight reach into it."""
    veil = Veil(NOBODY, pseudonymous=True)
    made = veil.text(number)
    assert made.startswith(area)
    assert made != number
    assert len(made) == len(number)


def test_a_hole_stays_where_it_is() -> None:
    hole = Hole(3, 2, 4, "gone")
    assert list(Veil(GONE, pseudonymous=True).lines([hole])) == [hole]
