"""Call and data move together: what one agent began to type about a caller is at the next one's desk."""

from typing import Any

import pytest

from orchestrator.domain.work.orders import OrderOpened
from tests.web.desk.conftest import AtDesk, Office

pytestmark = pytest.mark.slow

PICKUP = """
[ordertype.pickup]
name = "Pick-up"
first = "open"
fields = [
    { id = "address", name = "Address", kind = "lines", required = true, personal = true },
    { id = "fragile", name = "Fragile", kind = "flag" },
]
states = [{ id = "open", name = "Open" }, { id = "done", name = "Collected", kind = "done" }]
moves = [{ action = "done", name = "Collected", from = ["open"], to = "done" }]
"""
WORDS = {"field-address": "Nanjing Road 1", "field-fragile": "true"}


class Typing:
    """An order form that somebody fills in."""

    def __init__(self, desk: AtDesk, contact: str, *, key: str = "k1", version: int = 0, page: str = "p1") -> None:
        self.desk = desk
        self.fields = {"contact": contact, "form": "order", "type": "pickup", "key": key, "page": page}
        self.version = version

    def keep(self, **fields: str) -> Any:  # noqa: ANN401 - JSON
        answer = self.desk.post("begun", **self.fields, version=str(self.version), **fields).get_json()
        self.version = answer["version"] if "clash" not in answer else self.version
        return answer

    def send(self, **fields: str) -> Any:  # noqa: ANN401 - JSON
        given = {**self.fields, "desk": self.fields["page"], "version": str(self.version)}
        return self.desk.post("order", **given, **fields).get_json()


def shown(desk: AtDesk, contact: str) -> str:
    """The form that comes up by itself with this contact; empty where there is none."""
    return desk.browser.get(f"/desk/order?contact={contact}&begun=1").text


def test_the_form_and_the_note_go_with_the_call_to_the_next_agent_and_are_sent_once(office: Office) -> None:
    """Feature 4.4, at a blind transfer; both have the form, and of two who send it one order comes."""
    office.house.apply(office.house.configuration + PICKUP)
    ann, bob = office.talking("ann"), office.ready("bob", "1002")
    contact = ann.sees().about
    assert shown(ann, contact) == "", "nobody has begun any"
    first = Typing(ann, contact)
    assert first.keep(**WORDS) == {"version": 1}
    for path in ("begun", "begun/drop", "order"):
        assert bob.post(path, **first.fields).status_code == 404, f"{path}: the caller is not his"
    for wrong in ({"form": "moon"}, {"key": ""}, {"version": "x"}):
        assert ann.post("begun", **{**first.fields, "version": "1", **wrong}).status_code == 400, wrong
    ann.post("begun", contact=contact, form="note", key="n1", page="p1", **{"field-note": "Asks for the receipt"})
    assert f"contact={contact}" in ann.browser.get("/desk/").text.split('id="desk-order"')[1].split(">")[0]
    assert ann.post("transfer", about=contact, to="agent:802").status_code == 200
    assert bob.await_state("ringing").rings[0].contact_id == contact
    early = Typing(bob, contact, key="k0", page="p2")
    assert bob.post("begun", **early.fields).status_code == 404, "it only rings"
    assert bob.browser.get(f"/desk/note?contact={contact}").status_code == 404
    assert shown(bob, contact) == ""
    empty = bob.browser.get(f"/desk/order?contact={contact}&type=pickup").text
    assert "data-early" in empty
    assert "Nanjing" not in empty
    bob.press("accept")
    bob.await_state("talking")
    assert early.send(**WORDS)["code"] == "form_changed", "what he typed before he saw hers is his to look at"
    form = shown(bob, contact)
    assert "Nanjing Road 1</textarea>" in form
    assert 'value="true" checked' in form
    assert "Begun by Ann Archer; last typed at" in form
    note = bob.browser.get(f"/desk/note?contact={contact}").get_json()
    assert note["text"] == "Asks for the receipt"
    assert note["by"].startswith("Begun by Ann Archer")
    ann.await_state("wrapping_up")
    part = ann.browser.get("/desk/").text.split('id="desk-order"')[1].split(">")[0]
    assert 'data-fetch=""' in part, "the form has gone on with the call"
    second = Typing(bob, contact, version=1, page="p2")
    assert second.keep(**{"field-address": "Nanjing Road 12"}) == {"version": 2}
    clash = first.keep(**WORDS)
    assert (clash["version"], clash["ended"]) == (2, False)
    assert clash["clash"].startswith("Bob Baker typed into this form at ")
    assert "was opened" in second.send(**{"field-address": "Nanjing Road 12"})["told"]
    assert "was opened" in second.send(**{"field-address": "Nanjing Road 12"})["told"], "sent twice it is opened once"
    assert first.send(**WORDS)["code"] == "form_gone"
    assert first.keep(**WORDS)["clash"].startswith("Bob Baker sent this form at ")
    assert len([r for r in office.house.opened() if isinstance(r.event, OrderOpened)]) == 1
    assert shown(bob, contact) == ""
    another = Typing(bob, contact, key="k2", version=3, page="p2")
    assert another.keep(**WORDS) == {"version": 4}
    assert bob.post("begun/drop", **another.fields).get_json() == {"told": "The form was thrown away."}
    assert shown(bob, contact) == ""
    bob.press("hang_up")
    bob.await_state("wrapping_up")
    sent = bob.post("wrap-up", about=contact, code="solved", note="Asks for the receipt", begun=note["key"])
    assert sent.status_code == 200, sent.text
    assert bob.browser.get(f"/desk/note?contact={contact}").status_code == 404, "it is nobody's any more"
