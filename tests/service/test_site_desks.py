"""How agents answer, in the site's file: the site's word, the agent's own, and what is wrong with what to write."""

import pytest

from orchestrator.domain.staff.agents import AgentConfigured
from orchestrator.domain.staff.answering import AS_SITE, AT_DESK, BY_PHONE, DesksConfigured
from orchestrator.service import site_file, site_text
from orchestrator.service.site_file import BadConfiguration

SITE = """\
[desks.main]
answers = "desk"

[queue.sales]
name = "Sales"
skill = "sales"

[agent.ann]
number = "801"
name = "Ann"
extension = "1001"
skills = { sales = 5 }

[agent.bob]
number = "802"
name = "Bob"
extension = "1002"
skills = { sales = 5 }
answers = "phone"
"""


def test_what_stands_in_the_file_is_what_holds() -> None:
    """Decision 0095."""
    site = site_file.read(SITE, region="CN")
    assert site.events["desks-main"] == DesksConfigured(answer=AT_DESK)
    agents = [site.events[f"agent-{ident}"] for ident in ("ann", "bob")]
    assert [agent.answer for agent in agents if isinstance(agent, AgentConfigured)] == [AS_SITE, BY_PHONE]
    assert site_file.read(site_text.write(site.events, site="main", version=1), region="CN").events == site.events


@pytest.mark.parametrize(
    ("old", "new", "message"),
    (
        ('answers = "desk"', 'answers = "as_site"', "desks.main.answers: 'as_site' is none of these"),
        ("[desks.main]", "[desks.other]", r"there is one such section, \[desks.main\]"),
    ),
)
def test_what_is_wrong_is_told_with_what_to_write(old: str, new: str, message: str) -> None:
    with pytest.raises(BadConfiguration, match=message):
        site_file.read(SITE.replace(old, new), region="CN")
