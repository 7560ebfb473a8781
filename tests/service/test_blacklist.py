"""The blacklist as people keep it: sealed, listed once, changed, let expire, lifted; and what agents marked."""

import pytest

from orchestrator.domain.kernel import Refused
from orchestrator.domain.world import World
from orchestrator.service.blacklist import Blacklists
from orchestrator.service.deciding import Who
from tests.service.test_work import call
from tests.store.kit import Kit

ANN = Who(actor="user:ann", roles=("leader",))
NUMBER = "+8613800138000"


@pytest.fixture
def kept(kit: Kit) -> Blacklists:
    return Blacklists(kit.desk, kit.log, region="CN")


def holds(kit: Kit, number: str = NUMBER) -> bool:
    """Whether a runner that has folded the log refuses this number now."""
    world = World()
    last = 0
    for record in kit.log.history():
        world.apply(record)
        last = max(last, record.about.at)
    return world.admission.blacklist.holds(number, last)  # type: ignore[arg-type]  # an instant of the log


def test_a_number_is_listed_however_it_is_written_and_nobody_reads_it_without_keys(kit: Kit, kept: Blacklists) -> None:
    """Feature 5.5; law 11."""
    done = kept.add(ANN, "138 0013-8000", "nuisance", note="calls every night")
    assert holds(kit)
    ((entry, record),) = kept.every()
    assert (entry.blacklisting_id, entry.number, entry.note) == (done.ident, NUMBER, "calls every night")
    assert (record.about.actor, record.position) == ("user:ann", done.position)
    (blind,) = kit.blind_log.stream(f"blacklist-{done.ident}")
    assert "138" not in repr(blind.event)
    assert "night" not in repr(blind.event)


def test_a_number_is_listed_once_and_a_repeat_of_the_same_wish_is_the_same_entry(kit: Kit, kept: Blacklists) -> None:
    first = kept.add(ANN, NUMBER, "nuisance", key="k1")
    assert kept.add(ANN, NUMBER, "nuisance", key="k1").ident == first.ident
    with pytest.raises(Refused) as refused:
        kept.add(ANN, "13800138000", "fraud")
    assert refused.value.code == "already_blacklisted"
    assert first.ident in refused.value.message


def test_an_entry_is_changed_let_expire_and_lifted_with_a_name_behind_each(kit: Kit, kept: Blacklists) -> None:
    """Feature 5.5: edit, expire, remove."""
    done = kept.add(ANN, NUMBER, "nuisance")
    kept.change(ANN, done.ident, reason="fraud")
    ((entry, _),) = kept.every()
    assert entry.reason == "fraud"
    kept.expire(Who(actor="user:bob"), done.ident)
    assert not holds(kit)
    assert len(kept.every()) == 1, "over, and still to be seen"
    kept.add(ANN, NUMBER, "nuisance")
    assert holds(kit)
    kept.lift(ANN, kept.every()[0][0].blacklisting_id)
    assert not holds(kit)
    actors = [record.about.actor for record in kit.log.stream(f"blacklist-{done.ident}")]
    assert actors == ["user:ann", "user:ann", "user:bob"]


@pytest.mark.parametrize("raw", ("anonymous", "", "+", "sip:x@y", "1" * 60))
def test_what_is_no_number_is_not_listed(kept: Blacklists, raw: str) -> None:
    """Bad input."""
    with pytest.raises(Refused) as refused:
        kept.add(ANN, raw, "nuisance")
    assert refused.value.code == "no_number"


def test_a_short_number_of_a_network_is_a_number(kit: Kit, kept: Blacklists) -> None:
    """Nuisance callers like them."""
    kept.add(ANN, "95599", "nuisance")
    assert holds(kit, "95599")


def test_what_an_agent_marked_is_listed_once_under_the_contact(kit: Kit, kept: Blacklists) -> None:
    """Feature 5.5: in the agent's name, tied to the call; a repeat after a crash does nothing."""
    call(kit, "c1")
    kept.list_marked("c1", NUMBER, "agent:li")
    assert not kept.list_marked("c1", NUMBER, "agent:li").changed
    ((entry, record),) = kept.every()
    assert (entry.blacklisting_id, entry.reason) == ("c1", "nuisance")
    assert (record.about.actor, record.about.correlation) == ("agent:li", "contact-c1")
