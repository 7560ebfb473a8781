"""The blacklist on a screen: added, let expire, taken off; numbers as the role sees them (feature 5.5)."""

import re

from tests.web.office import Office


def test_a_number_is_refused_let_expire_and_taken_off(office: Office) -> None:
    """Feature 5.5: who, when and why stand on the page; what cannot be a number is told, and kept in the form."""
    leader = office.as_role("leader")
    assert "Nobody is on it." in leader.get("/customers/blacklist").text
    wrong = leader.submit("/customers/blacklist", number="nobody", reason="nuisance", note="Again")
    assert wrong.status_code == 409
    assert "no telephone number" in wrong.text
    assert 'value="Again"' in wrong.text
    answer = leader.submit("/customers/blacklist", number="138 0013 8000", reason="nuisance", note="Every night")
    assert answer.status_code == 303
    page = leader.get("/customers/blacklist").text
    assert "138****8000" in page
    assert "Every night" in page
    assert "for ever" in page
    again = leader.submit("/customers/blacklist", number="13800138000", reason="nuisance")
    assert again.status_code == 409
    found = re.search(r"/customers/blacklist/([^/]+)/expire", page)
    assert found is not None
    leader.submit(f"/customers/blacklist/{found[1]}/expire")
    page = leader.get("/customers/blacklist").text
    assert "is over" in page
    leader.submit(f"/customers/blacklist/{found[1]}/lift")
    page = leader.get("/customers/blacklist").text
    assert "Nobody is on it." in page
    done = page.partition('<ol class="timeline">')[2]
    assert done.count("<li>") == 3, "what was done stays on the page"
    assert "leader-1" in page


def test_an_agent_does_not_keep_the_list(office: Office) -> None:
    """Feature 12.6."""
    assert office.as_role("agent").get("/customers/blacklist").status_code == 403
