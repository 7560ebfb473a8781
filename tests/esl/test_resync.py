"""What a switch answers when it is asked for its phones, and what it might."""

import pytest

from orchestrator.esl.resync import listed_phones

HEADING = "userid|context|domain|group|contact|callgroup|effective_caller_id_name|effective_caller_id_number"
ROW = "{}|ringledger-agents|ringledger|agents|{}|||"


def listing(*phones: tuple[str, str]) -> str:
    return "\n".join([HEADING, *(ROW.format(*phone) for phone in phones), "", "+OK", ""])


def test_every_account_is_read_with_whether_it_can_be_reached() -> None:
    """As a real switch answered."""
    answer = listing(("1001", "sofia/internal/sip:1001@127.0.0.1:24414"), ("1002", "error/user_not_registered"))
    assert listed_phones(answer) == {"1001": True, "1002": False}
    assert listed_phones(listing()) == {}


@pytest.mark.parametrize("answer", ("", "-ERR list_users Command not found!\n", "+OK\n", "-USAGE: …", "userid|only"))
def test_what_is_no_list_names_no_phone(answer: str) -> None:
    """Unknown is not gone."""
    assert listed_phones(answer) == {}


def test_a_contact_that_a_phone_made_up_makes_no_account() -> None:
    """Law 10: a row is cut at its bars, and an account has the shape of an extension."""
    forged = ("1001", "sofia/internal/sip:1001@127.0.0.1;x=1|error/user_not_registered|1002")
    assert listed_phones(listing(forged, ("10 01", "error/x"), ("1003; rm", "error/x"))) == {"1001": True}
