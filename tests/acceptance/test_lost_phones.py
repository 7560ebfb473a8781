"""Two switches and one engine: the agent's one goes during the talk, the caller's does not (decision 0121)."""

from pathlib import Path

import pytest

from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.contacts.transfers import PHONE_LOST
from orchestrator.domain.staff import shifts as s
from orchestrator.domain.switch.causes import SWITCH_RESTARTED, SWITCH_STOPPED
from orchestrator.runner import inputs
from tests.acceptance import test_nodes
from tests.acceptance.house import House, url_of
from tests.acceptance.tap import Late
from tests.contract.pair import Pair, url_with_peer
from tests.lab.patience import until

pair = test_nodes.pair


@pytest.mark.parametrize(("how", "cause"), (("shuts down", SWITCH_STOPPED), ("dies", SWITCH_RESTARTED)))
def test_a_caller_outlives_the_switch_of_the_agents_phone_and_is_served_again(
    pair: tuple[Pair, dict[str, int]], tmp_path: Path, how: str, cause: str
) -> None:
    """Issues 5 and 6, features 12.4 and 12.5: nobody is said to have hung up, and nobody is dropped. A
    switch that was restarted may have its phones back at once, and serve the caller by them.
    """
    (here, there), ports = pair
    urls = [url_with_peer(url_of(each.switch), each.switch, ports) for each in (here, there)]
    (tmp_path / "house").mkdir()
    with House(here, tmp_path / "house", variables={"RINGLEDGER_SWITCHES": ",".join(urls)}) as house:
        house.start_engine()
        house.await_active()
        until(lambda: test_nodes.states(house) == ["in_step", "in_step"], "both switches to be in step")
        there.phone("1001")
        here.phone("1002")
        house.sign_in("801")
        until(lambda: house.agent("801")["phone"] == "registered", "the phone to be registered")
        caller = here.call()
        house.await_state("801", "talking")
        if how == "dies":
            there.restart()
        else:
            with there.control() as control:
                control.socket.sendall(b"api fsctl shutdown\n\n")
                house.ledger.await_event(c.AgentSegmentEnded)
        ended = house.ledger.await_event(c.AgentSegmentEnded)
        assert (ended.ended_by, ended.cause) == (PHONE_LOST, cause)
        assert not house.ledger.all(s.AgentStoodDown)
        house.sign_in("802")
        house.ledger.await_event(c.ContactConnected, count=2)
        assert len(house.ledger.all(c.ContactArrived)) == 1
        caller.hang_up()
        house.await_no_contacts()
        house.do(inputs.EndAll(reason="evening"))


def test_a_switch_that_shuts_down_is_believed_by_its_bye_where_its_own_word_is_late(
    pair: tuple[Pair, dict[str, int]], tmp_path: Path
) -> None:
    """The two come over different sockets: the caller's switch has heard of the end before SHUTDOWN is here."""
    (here, there), ports = pair
    (tmp_path / "house").mkdir()
    with Late(there.switch, b"SHUTDOWN") as late:
        urls = [url_with_peer(url_of(switch), switch, ports) for switch in (here.switch, late.switch)]
        with House(here, tmp_path / "house", variables={"RINGLEDGER_SWITCHES": ",".join(urls)}) as house:
            house.start_engine()
            house.await_active()
            until(lambda: test_nodes.states(house) == ["in_step", "in_step"], "both switches to be in step")
            there.phone("1001")
            house.sign_in("801")
            until(lambda: house.agent("801")["phone"] == "registered", "the phone to be registered")
            caller = here.call()
            house.await_state("801", "talking")
            with there.control() as control:
                control.socket.sendall(b"api fsctl shutdown\n\n")
                ended = house.ledger.await_event(c.AgentSegmentEnded)
                assert (ended.ended_by, ended.cause) == (PHONE_LOST, SWITCH_STOPPED)
            assert late.said.wait(10)
            assert test_nodes.states(house) == ["in_step", "in_step"], "its own word was not heard before"
            late.opened.set()
            until(lambda: test_nodes.states(house) == ["in_step", "lost"], "its own word to be heard")
            assert not house.ledger.all(c.ContactEnded)
            assert not house.ledger.all(s.AgentStoodDown)
            here.phone("1002")
            house.sign_in("802")
            house.await_state("802", "talking")
            assert len(house.ledger.all(c.ContactArrived)) == 1
            caller.hang_up()
            house.await_no_contacts()
            house.do(inputs.EndAll(reason="evening"))
