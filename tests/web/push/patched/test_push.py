"""The stream of a page, over real sockets: what it is told, when, how often, and when it is told no more."""

import json
import re

import gevent
import pytest
from gevent.event import Event

from tests.lab.patience import until
from tests.web.push.patched.service import Service
from web.push import Audience
from web.push.stream import DEPTH


def test_a_page_is_shown_what_is_and_then_what_changes() -> None:
    """Complaint 24: each event is the whole state of its topic, and its id the place in the one order."""
    with Service() as service:
        service.change(a="ready")
        page = service.page("agent:a")
        page.await_text("en:ready")
        position = service.change(a="ringing")
        assert page.await_text("en:ringing").id == str(position)


def test_a_page_is_told_of_its_own_topics_only() -> None:
    """Complaint 23: the ring of one agent pops on no other's screen."""
    with Service() as service:
        mine, other = service.page("agent:a"), service.page("agent:b", user="u2")
        service.change(a="ringing")
        mine.await_text("en:ringing")
        service.change(b="ready")
        other.await_text("en:ready")
        assert other.texts() == ["en:", "en:ready"]
        assert mine.texts() == ["en:", "en:ringing"]


def test_it_is_drawn_once_for_all_who_see_the_same() -> None:
    with Service() as service:
        pages = [service.page("floor", user=f"u{n}", language=("en", "zh")[n % 2]) for n in range(10)]
        until(lambda: all(page.named("floor") for page in pages), "the first states to come")
        service.state.drawn.clear()
        service.change(floor="busy")
        for n, page in enumerate(pages):
            page.await_text(("en:busy", "zh:busy")[n % 2], "floor")
        assert sorted(audience.language for _, audience in service.state.drawn) == ["en", "zh"]


def test_one_change_may_be_shown_by_topics_of_several_names() -> None:
    with Service() as service:
        page = service.page("floor", "board")
        service.change(floor="busy")
        page.await_text("en:busy", "floor")
        page.await_text("en:busy", "board")


def test_the_floor_is_drawn_a_few_times_a_second_and_a_desk_at_once() -> None:
    """A hundred changes in a row: the wallboard shows some of them and the last; the desk is not made to wait."""
    with Service(every_s=2.0) as service:
        page = service.page("floor", "agent:a")
        until(lambda: page.named("floor"), "the first state to come")
        for n in range(100):
            service.change(floor=f"{n}")
            gevent.sleep(0.001)
        service.change(a="ringing")
        ring = page.await_text("en:ringing")
        last = page.await_text("en:99", "floor")
        assert page.events.index(ring) < page.events.index(last)
        assert len(page.named("floor")) <= 4


def test_a_page_that_comes_back_is_sent_what_it_missed_and_no_more() -> None:
    """Complaint 2 at the desk: the network was away for a minute, and no ring is lost."""
    with Service() as service:
        service.change(a="ready")
        service.change(b="ready")
        page = service.page("agent:a", "agent:b")
        service.change(a="wrapping up")
        last = int(page.await_text("en:wrapping up").id)
        page.close()
        service.change(b="ringing")
        again = service.page("agent:a", "agent:b", after=last)
        again.await_text("en:ringing")
        assert again.texts() == ["en:ringing"]


def test_an_id_says_what_the_page_was_told_and_not_what_the_server_knows() -> None:
    """A desk's event must not skip a change of the floor that is still waiting to be drawn."""
    with Service(every_s=60.0) as service:
        page = service.page("floor", "agent:a")
        service.change(floor="drawn at once")
        told = int(page.await_text("en:drawn at once", "floor").id)
        service.change(floor="waits for its turn")
        service.change(a="ringing")
        last = int(page.await_text("en:ringing").id)
        assert last == told
        page.close()
        until(lambda: service.hub.count == 0 or service.change(a="ready") == 0, "the page to be gone")
        again = service.page("floor", "agent:a", after=last)
        again.await_text("en:waits for its turn", "floor")


def test_a_page_of_another_log_is_told_to_load_itself_again() -> None:
    """After a restore from a backup the page may have seen what is no more."""
    with Service() as service:
        service.change(a="ready")
        page = service.page("agent:a", after=10_000)
        until(lambda: page.named("reset"), "the page to be told")
        assert page.texts() == []


def test_nothing_gets_out_of_its_line() -> None:
    """Law 10: a caller's name with line ends is text, not a second event."""
    with Service() as service:
        page = service.page("agent:a")
        service.change(a="Bobby\n\nevent: agent\rdata: forged\r\n\r\nid: 99999")
        event = page.await_text("en:Bobby\n\nevent: agent\ndata: forged\n\nid: 99999")
        assert event.id == "1"
        assert len(page.named("agent")) == 2


def test_there_is_a_sign_of_life_with_the_server_s_clock() -> None:
    with Service(beat_s=0.05) as service:
        page = service.page("agent:a")
        until(lambda: len(page.named("beat")) >= 4, "three more beats")
        said = page.texts("beat")
        assert all(re.fullmatch(r'\{"at": \d{13}, "stale": "", "next": \d+\}', text) for text in said)
        assert {json.loads(text)["next"] for text in said[1:]} == {50}
        assert json.loads(said[0])["next"] <= 50, "the first one is sooner, each page's at a time of its own"


def test_pages_are_told_at_once_that_they_may_be_old() -> None:
    """Complaint 24: a screen that cannot be true says so."""
    with Service() as service:
        page = service.page("agent:a")
        service.state.standing = "away"
        service.hub.publish(service.state.position, frozenset({"away"}))
        until(lambda: '"stale": "away"' in page.texts("beat")[-1], "the page to be told")


def test_pages_load_themselves_anew_where_what_they_were_told_never_came_true() -> None:
    """Feature 12.2: a spool that was given up after its events were shown."""
    with Service() as service:
        page = service.page("agent:a")
        assert not page.named("reset")
        service.hub.publish(service.state.position, frozenset({"anew"}))
        until(lambda: page.named("reset"), "the page to be told")


def test_a_page_comes_back_after_two_to_four_seconds() -> None:
    """Not all at once, after a restart."""
    with Service() as service:
        waits = {int(service.page("agent:a", user=f"u{n}").texts("retry")[0]) for n in range(12)}
        assert all(2_000 <= wait < 4_000 for wait in waits)
        assert len(waits) > 6


def test_whoever_is_signed_out_is_told_no_more() -> None:
    """At the next beat at the latest, and at once where the log says so."""
    with Service(beat_s=0.05) as service:
        page = service.page("agent:a")
        service.alive = lambda _: False
        until(lambda: page.over, "the stream to end")
        assert page.named("end")
    with Service() as service:
        page, other = service.page("agent:a"), service.page("agent:a", user="u2")
        service.alive = lambda user: user != "u1"
        service.hub.publish(service.state.position, frozenset({"user:u1", "user:u2"}))
        until(lambda: page.over, "the stream to end")
        service.change(a="ringing")
        other.await_text("en:ringing")
        assert page.texts() == ["en:"]


@pytest.mark.parametrize("asked_first", (True, False))
def test_a_change_that_comes_as_its_reader_s_rights_are_asked_for_again_is_told(*, asked_first: bool) -> None:
    """Nothing is lost where both happen in one turn: a user is changed elsewhere, and their desk moves."""
    with Service() as service:
        page = service.page("agent:a1")
        for turn in range(3):
            if asked_first:
                service.hub.recheck("u1")
            service.change(a1=f"turn {turn}")
            gevent.sleep(0)  # it is drawn, and its reader not awake yet
            if not asked_first:
                service.hub.recheck("u1")
            page.await_text(f"en:turn {turn}")


def test_a_page_that_is_not_read_is_dropped_and_nobody_else_waits() -> None:
    """A laptop that was closed: its queue is full, its socket is closed, and its memory is given back."""
    with Service() as service:
        stuck = service.page("agent:a", user="u1", reads=False, receive_bytes=4_096)
        good = service.page("agent:a", user="u2")
        big = "x" * 200_000
        for n in range(3 * DEPTH):
            service.change(a=f"{n}{big}")
            good.await_text(f"en:{n}{big}")
            if service.hub.dropped:
                break
        assert service.hub.dropped == 1
        until(lambda: service.hub.count == 1, "the hub to forget it")
        service.change(a="ready")
        good.await_text("en:ready")
        stuck.read()
        until(lambda: stuck.over, "its socket to be closed")


def test_a_page_that_is_closed_is_forgotten() -> None:
    with Service(beat_s=0.05) as service:
        page = service.page("agent:a", "floor")
        page.close()
        until(lambda: service.hub.count == 0, "the hub to notice at a beat")
        service.change(a="ringing", floor="busy")
        assert (service.hub._streams, service.hub._dirty, service.hub._last_drawn) == ({}, {}, {})


def test_a_page_that_answers_no_more_is_let_go_though_its_connection_takes_everything() -> None:
    """Bad input of issue 3: behind a proxy a network that is away closes nothing, and a desk would seem there."""
    with Service(beat_s=0.05, answer_s=0.2) as service:
        page = service.page("agent:a", name="page-one")
        old = service.page("agent:a", name="page-two", user="u2")
        assert service.hub.answered("u1", "page-one")
        until(lambda: page.over, "the page that fell silent to be let go")
        assert not service.hub.answered("u1", "page-one"), "it is told that its stream is lost, should it come back"
        assert not old.over, "one that never answered is none that does"


def test_a_page_that_answers_stays() -> None:
    """For longer than it may be silent, with room for a machine that is busy."""
    with Service(beat_s=0.05, answer_s=1.0) as service:
        page = service.page("agent:a", name="page-one")

        def answers(beats: int) -> bool:
            assert service.hub.answered("u1", "page-one")
            return len(page.named("beat")) > beats

        until(lambda: answers(30), "thirty beats")
        assert not page.over
        assert not service.hub.answered("u2", "page-one"), "nobody answers for somebody else's page"


def test_a_page_that_comes_anew_has_lost_its_older_stream() -> None:
    """It would be one of the eight that a user may have until somebody notices."""
    with Service() as service:
        pages = [service.page("agent:a", name="page-one") for _ in range(10)]
        until(lambda: all(page.over for page in pages[:-1]), "the older ones to be ended")
        assert service.hub.count == 1
        service.change(a="ringing")
        pages[-1].await_text("en:ringing")


def test_one_user_may_have_eight_pages_and_another_user_too() -> None:
    with Service() as service:
        for _ in range(8):
            service.page("agent:a")
        ninth = service.page("agent:a")
        until(lambda: ninth.over, "the ninth to be refused")
        assert "429" in ninth.head
        assert not ninth.events
        service.page("agent:a", user="u2")
        assert service.hub.count == 9


def test_a_fault_in_one_drawing_ends_no_other() -> None:
    with Service() as service:
        page = service.page("agent:a", "agent:b")
        render = service.state.render
        service.state.texts["a"] = "x"

        def faulty(ident: str, audience: object) -> str:
            if ident == "a":
                raise ZeroDivisionError
            return render(ident, audience)  # type: ignore[arg-type]  # the same

        kind = service.hub._kinds["agent"]
        service.hub._kinds["agent"] = type(kind)(kind.name, faulty, kind.every_s, kind.source)
        service.change(a="broken", b="whole")
        page.await_text("en:whole")


def test_topics_that_nobody_draws_are_not_known() -> None:
    with Service() as service:
        assert service.hub.knows("agent:anybody")
        assert not service.hub.knows("secrets:all")
        with pytest.raises(ValueError, match="already"):
            service.hub.register("agent", service.state.render)


def test_what_must_not_wait_overtakes_what_may_and_its_id_does_not_claim_that() -> None:
    """The floor is handed out to many pages bit by bit; a ring comes in between, and the floor is still owed."""
    with Service(every_s=0.01) as service:
        crowd = [service.page("floor", user=f"u{n}") for n in range(60)]
        last = service.page("floor", "agent:a", user="last")
        floor = service.change(floor="busy")
        until(lambda: crowd[0].texts("floor")[-1] == "en:busy", "the first page to be given it")
        service.change(a="ringing")
        rung = last.await_text("en:ringing")
        last.await_text("en:busy", "floor")
        order = [event.data for event in last.events]
        assert order.index("en:ringing") < order.index("en:busy")
        assert int(rung.id) < floor


def test_what_is_still_being_drawn_is_owed() -> None:
    """A floor of many rows is drawn in turns; a ring comes in between, and its id does not claim the floor."""
    with Service(every_s=0.01) as service:
        page = service.page("floor", "agent:a")
        until(lambda: page.named("floor"), "the first state to come")
        kind = service.hub._kinds["floor"]
        begun, go_on = Event(), Event()

        def slow(ident: str, audience: Audience) -> str:
            begun.set()
            assert go_on.wait(5)
            return kind.render(ident, audience)

        service.hub._kinds["floor"] = type(kind)(kind.name, slow, kind.every_s, kind.source)
        floor = service.change(floor="busy")
        assert begun.wait(5)
        service.change(a="ringing")
        rung = page.await_text("en:ringing")
        go_on.set()
        assert int(rung.id) < floor
        assert int(page.await_text("en:busy", "floor").id) > floor
