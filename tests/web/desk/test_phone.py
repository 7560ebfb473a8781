"""Whether the phone is registered, beside its extension: at the desk, on the floor, and for programs."""

from tests.lab.patience import until
from tests.web.api.conftest import Program
from tests.web.desk.conftest import AtDesk, Office, plain
from web.push import Audience

ANN = "/agents/801"


def _await_phone(desk: AtDesk, registration: str) -> None:
    until(lambda: desk.sees().registration == registration, f"the phone to be {registration}")


def _floor(office: Office, language: str = "en") -> str:
    """The floor as it is pushed to a leader's page."""
    return str(
        office.site.app.extensions["ringledger-live"].hub._kinds["floor"].render("", Audience(language=language))
    )


def test_a_phone_that_is_gone_is_told_in_words_and_why_nothing_is_offered(office: Office) -> None:
    """Issue 3, feature 9.1: the dot; complaint 19: the reason stands where the agent looks."""
    program = Program(office.site, office.site.reading.tokens.issue("leader", days=1, actor="admin:test"))
    ann = office.ready("ann")
    _await_phone(ann, "registered")
    assert "1001 ● registered" in ann.page()
    assert program.found(ANN)["phone"] == "registered"

    office.house.driver.unregister("1001")
    _await_phone(ann, "gone")
    page = ann.page()
    assert "1001 ○ not registered" in page
    assert "calls are offered to you again once it is" in page
    assert "1001 ○ not registered" in plain(_floor(office))
    assert "话机未注册" in plain(_floor(office, "zh"))
    (row,) = [row for row in program.found("/agents")["items"] if row["number"] == "801"]
    assert (row["state"], row["phone"]) == ("phone_gone", "gone")
    assert (program.found(ANN)["state"], program.found(ANN)["phone"]) == ("ready", "gone")
    office.house.driver.call()
    until(lambda: office.house.client.ask("calls"), "the caller to wait")
    assert ann.sees().state == "ready"

    office.house.driver.phone("1001", "obeys")
    ann.await_state("ringing")
    assert "not registered" not in ann.page()


def test_of_a_phone_nobody_knows_while_the_switch_is_away(office: Office) -> None:
    """Unknown is not gone, and is not shown as either."""
    ann = office.ready("ann")
    _await_phone(ann, "registered")
    office.house.engines[-1].child.kill()
    office.house.start_engine(RINGLEDGER_SWITCHES="esl://:nobody@127.0.0.1:9/?name=simulated")
    office.house.await_active()
    _await_phone(ann, "unknown")
    assert "1001 ◌ not known whether registered" in ann.page()
