"""Asking a colleague about a caller, over a whole house: what both desks show and offer, programs, and the counters."""

import pytest

from orchestrator.domain.contacts import consult_events as e
from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts import guest_events as g
from orchestrator.domain.contacts import recording as r
from orchestrator.domain.contacts.transfer_events import ContactTransferred
from orchestrator.domain.customers.notes import ContactNoted
from tests.lab.patience import until
from tests.web.api.conftest import Program
from tests.web.desk.conftest import AtDesk, Office, plain
from tests.web.desk.test_recording import await_tape

pytestmark = pytest.mark.slow


def ask(desk: AtDesk, to: str, **fields: str) -> int | str:
    """Ask somebody about the caller of this desk: the status, or the code with which it is refused."""
    response = desk.post("consult", about=fields.pop("about", desk.sees().about), to=to, **fields)
    return response.status_code if response.status_code == 200 else str(response.get_json()["code"])


def await_asked(desk: AtDesk, state: str) -> None:
    """Until the desk of whoever asks shows this."""

    def shows() -> bool:
        talk = desk.sees().talk
        return talk is not None and talk.asked is not None and talk.asked.state == state

    until(shows, f"the desk to show that whoever is asked is {state}")


def test_a_colleague_is_asked_sees_by_whom_and_has_the_caller_in_the_end(office: Office) -> None:
    """Features 4.3, 4.4: one contact; what the first agent wrote is there before the phone rings."""
    ann, bob = office.talking("ann"), office.ready("bob", "1002")
    contact_id = ann.sees().about
    assert "Ask first" in plain(ann.browser.get(f"/desk/transfer?contact={contact_id}").text)
    for _ in range(2):
        assert ask(ann, "agent:802", about=contact_id, note="Is this right?") == 200
    assert len(office.house.ledger.all(e.ConsultAsked)) == 1
    ring = bob.await_state("ringing").rings[0]
    assert (ring.contact_id, ring.asked_by, ring.accepted) == (contact_id, "Ann Archer", False)
    assert "Ann Archer asks you about this caller" in bob.page()
    assert [record.event.text for record in office.house.opened() if isinstance(record.event, ContactNoted)] == [
        "Is this right?"
    ]
    assert {"complete_consult", "end_consult", "hang_up"} <= ann.sees().may
    assert not {"switch_consult", "hold", "transfer"} & ann.sees().may
    assert "It rings at Bob Baker; the caller hears music" in ann.page()
    bob.press("accept")
    assert bob.await_state("consulted").may >= {"reject"}
    await_asked(ann, "consulted")
    assert "You talk with Bob Baker; the caller hears music" in ann.page()
    ann.press("switch_consult")
    await_asked(ann, "caller")
    ann.press("confer")
    await_asked(ann, "together")
    assert "You, the caller and Bob Baker hear each other" in ann.page()
    assert "You, the caller and Ann Archer hear each other" in bob.page()
    assert ask(ann, "agent:803", about=contact_id) == "consulting"
    ann.press("complete_consult")
    bob.await_state("talking")
    ann.await_state("wrapping_up")
    bob.press("hang_up")
    office.house.ledger.await_event(c.ContactEnded)


def test_a_third_colleague_is_invited_all_desks_and_the_floor_show_who_is_in_and_a_program_lets_them_go(
    office: Office,
) -> None:
    """Feature 4.3: in conference, by the limit that is configured; who leaves takes nobody along."""
    office.house.apply(office.house.configuration + "\n[conference.main]\nmost = 4\n")
    ann, bob, cem = office.talking("ann"), office.ready("bob", "1002"), office.ready("cem", "1003")
    about = {"about": ann.sees().about}
    assert ann.post("invite", to="agent:803", **about).get_json()["code"] == "not_together"
    assert ann.browser.get(f"/desk/invite?contact={about['about']}").status_code == 409
    assert ask(ann, "agent:802") == 200
    bob.await_state("ringing")
    bob.press("accept")
    await_asked(ann, "consulted")
    ann.press("confer")
    await_asked(ann, "together")
    dialog = plain(ann.browser.get(f"/desk/invite?contact={about['about']}").text)
    assert "Cem Cook" in dialog
    assert "1 more may be invited." in dialog
    assert ann.post("invite", to="agent:803", **about).status_code == 200
    cem.await_state("ringing")
    assert "Ann Archer invites you into a conference with this caller" in cem.page()
    cem.press("accept")
    office.house.ledger.await_event(g.GuestJoined)
    until(
        lambda: "You, the caller, Ann Archer and 1 more are in conference" in cem.page(), "the guest's desk to say so"
    )
    assert "You and the caller are in conference with:" in ann.page()
    assert not {"switch_consult", "hold", "park"} & ann.sees().may
    office.site.add_user("lee", "leader")
    floor = plain(office.site.sign_in("lee").get("/floor/").text)
    assert "Bob Baker" in floor
    assert "＋ Cem Cook" in floor
    program = Program(office.site, office.site.reading.tokens.issue("leader", days=1, actor="admin:test"))
    invite, let_go = (f"/agents/801/conference/{what}" for what in ("invite", "let-go"))
    assert program.refused(409, "POST", invite, {"to_agent": "803", **about}) == "conference_full"
    program.does("POST", let_go, {"to_agent": "802", **about})  # who was asked first
    bob.await_state("ready")
    assert program.refused(409, "POST", let_go, {"to_agent": "802", **about}) == "no_such_guest"
    assert [member.name for member in ann.sees().talk.members] == ["Cem Cook"]  # type: ignore[union-attr]  # she talks
    ann.press("hang_up")
    cem.await_state("talking")
    cem.press("hang_up")
    office.house.ledger.await_event(c.ContactEnded)


def await_member(desk: AtDesk, name: str, state: str, muted: str = "") -> None:
    """Until the desk shows this one of the conference so."""

    def shows() -> bool:
        talk = desk.sees().talk
        return talk is not None and (name, state, muted) in [
            (each.name, each.state, each.muted) for each in talk.members
        ]

    until(shows, f"the desk to show {name} as {state} {muted}")


def test_one_of_a_conference_is_muted_put_on_hold_and_spoken_with_alone(office: Office) -> None:
    """Feature 4.3: each of the desks says who hears whom; a program does the same, by the same refusals."""
    ann, bob, cem = office.talking("ann"), office.ready("bob", "1002"), office.ready("cem", "1003")
    about = {"about": ann.sees().about}
    assert ask(ann, "agent:802") == 200
    bob.await_state("ringing")
    bob.press("accept")
    await_asked(ann, "consulted")
    ann.press("confer")
    await_asked(ann, "together")
    assert ann.post("invite", to="agent:803", alone="1", **about).status_code == 200
    cem.await_state("ringing")
    cem.press("accept")
    await_member(ann, "Cem Cook", "alone")
    assert "You speak with Cem Cook alone; the caller goes on with the others:" in ann.page()
    until(lambda: "You speak with Ann Archer alone" in cem.page(), "the guest's desk to say so")
    assert ann.post("member/recall_member", to="agent:803", **about).status_code == 200
    await_member(ann, "Cem Cook", "in")
    program = Program(office.site, office.site.reading.tokens.issue("leader", days=1, actor="admin:test"))
    member = {"to_agent": "803", **about}
    program.does("POST", "/agents/801/conference/mute", member)
    await_member(ann, "Cem Cook", "in", "muted")
    assert "muted: nobody hears them" in ann.page()
    program.does("POST", "/agents/801/conference/unmute", member)
    await_member(ann, "Cem Cook", "in")
    assert ann.post("member/hold_member", to="agent:803", **about).status_code == 200
    await_member(ann, "Cem Cook", "held")
    until(lambda: "Ann Archer has put you on hold" in cem.page(), "the guest's desk to say so")
    assert program.refused(409, "POST", "/agents/801/conference/hold", {"to_agent": "802", **about}) == "last_one"
    program.does("POST", "/agents/801/conference/alone", member)
    await_member(ann, "Cem Cook", "alone")
    program.does("POST", "/agents/801/conference/recall", member)
    await_member(ann, "Cem Cook", "in")
    assert ann.post("member/no_such", to="agent:803", **about).status_code == 404
    ann.press("hang_up")
    bob.await_state("talking")
    bob.press("hang_up")
    cem.await_state("talking")
    cem.press("hang_up")
    office.house.ledger.await_event(c.ContactEnded)


def test_whoever_is_asked_may_hang_up_at_the_desk_and_the_caller_is_back(office: Office) -> None:
    ann, bob = office.talking("ann"), office.ready("bob", "1002")
    assert ask(ann, "agent:802") == 200
    bob.await_state("ringing")
    bob.press("accept")
    bob.await_state("consulted")
    office.house.ledger.await_event(e.ConsultJoined)
    bob.press("reject")
    bob.await_state("ready")
    office.house.ledger.await_event(e.ContactRejoined)
    until(lambda: "hold" in ann.sees().may, "the desk to show that the caller is back")
    assert ann.sees().state == "talking"


def test_a_recording_is_masked_while_a_colleague_is_asked_who_has_no_button_for_it_until_they_have_the_caller(
    office: Office,
) -> None:
    """Feature 8.1: the mask is over with the first talk, and the next one is recorded anew."""
    ann, bob = office.talking("ann"), office.ready("bob", "1002")
    await_tape(ann, "on")
    assert ask(ann, "agent:802") == 200
    bob.await_state("ringing")
    bob.press("accept")
    await_asked(ann, "consulted")
    ann.press("mask_recording")
    await_tape(ann, "on", "on")
    assert "Masked: silence is recorded" in ann.page()
    assert not [action for action in bob.sees().may if "recording" in action]
    assert "recorded" not in bob.page()
    ann.press("complete_consult")
    bob.await_state("talking")
    await_tape(bob, "on")
    assert "This call is recorded" in bob.page()
    assert [event.reason for event in office.house.ledger.all(r.RecordingUnmasked)] == ["finished"]


def test_what_cannot_be_is_refused_and_the_caller_stays(office: Office) -> None:
    ann = office.talking("ann")
    assert ann.post("consult", about="", to="agent:802").status_code == 400
    assert ann.post("consult", about=ann.sees().about, to="queue:sales").status_code == 400
    refusals = {"agent:802": "agent_away", "agent:801": "same_agent", "agent:999": "unknown_agent"}
    assert {to: ask(ann, to) for to in refusals} == refusals
    assert ask(ann, "number", number="+31205550001") == "no_outside"
    assert ann.sees().state == "talking"


def test_a_program_asks_and_completes_and_the_log_names_it(office: Office) -> None:
    """Feature 4.3: the same refusals, and the actor is whoever asked."""
    ann, bob = office.talking("ann"), office.ready("bob", "1002")
    about = {"about": ann.sees().about}
    program = Program(office.site, office.site.reading.tokens.issue("leader", days=1, actor="admin:test"))
    assert program.refused(409, "POST", "/agents/801/consult/complete", about) == "not_consulting"
    assert program.refused(400, "POST", "/agents/801/consult", {}) == "bad_target"
    program.does("POST", "/agents/801/consult", {"to_agent": "802", **about})
    assert program.refused(409, "POST", "/agents/801/consult/switch", about) == "not_answered"
    bob.await_state("ringing")
    bob.press("accept")
    await_asked(ann, "consulted")
    program.does("POST", "/agents/801/consult/switch", about)
    await_asked(ann, "caller")
    program.does("POST", "/agents/801/consult/end", about)
    bob.await_state("ready")
    office.house.ledger.await_event(c.LegClosed)  # until then the colleague's phone is busy
    program.does("POST", "/agents/801/consult", {"to_agent": "802", **about})
    program.does("POST", "/agents/801/consult/complete", about)
    ann.await_state("wrapping_up")
    (record,) = [each for each in office.house.ledger.read() if isinstance(each.event, ContactTransferred)]
    assert record.about.actor.startswith("token:")
