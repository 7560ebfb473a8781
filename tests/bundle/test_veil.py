"""What goes into a bundle of the switch's own words: as they were, unless they are of somebody who was erased."""

from orchestrator.bundle.veil import Erased, Veil
from orchestrator.domain.kernel import Instant
from orchestrator.domain.switch.facts import LegParked, SeenLeg, Snapshot
from orchestrator.domain.switch.instructions import RingAgent
from orchestrator.esl.events import SwitchEvent
from orchestrator.runner.inputs import AskCallback, Ready
from orchestrator.tape import Hole, Recorded
from orchestrator.tape.form import Told
from orchestrator.vault import ERASED

NOBODY = Erased(frozenset(), frozenset(), frozenset())
GONE = Erased(frozenset({"contact-c-1"}), frozenset({"leg-1"}), frozenset({"3-9"}))
AT = Instant(1)


def park(leg: str, number: str = "+8613800138000", direction: str = "inbound") -> SwitchEvent:
    return SwitchEvent(
        name="CHANNEL_PARK", leg=leg, direction=direction, dialled="4001", caller_number=number, caller_name="Ann Li"
    )


def veiled(veil: Veil, *bodies: object) -> list[Recorded | Hole]:
    lines = [Recorded(f"3-{n}", AT, "fs1", body) for n, body in enumerate(bodies, 1)]  # type: ignore[arg-type]
    return list(veil.lines(lines))


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


def test_a_hole_stays_where_it_is() -> None:
    hole = Hole(3, 2, 4, "gone")
    assert list(Veil(GONE, pseudonymous=True).lines([hole])) == [hole]
