"""How many may be in a conference, in the site's file (feature 4.3)."""

import pytest

from orchestrator.domain.routing.conference import ConferenceConfigured
from orchestrator.service import site_file, site_text
from orchestrator.service.site_file import BadConfiguration

SITE = "[conference.main]\nmost = 8\n"


def test_what_stands_in_the_file_is_what_holds() -> None:
    site = site_file.read(SITE, region="CN")
    assert site.events == {"conference-main": ConferenceConfigured(most=8)}
    assert site_file.read(site_text.write(site.events, site="main", version=1), region="CN").events == site.events


@pytest.mark.parametrize(
    ("old", "new", "message"),
    (
        ("8", "2", "conference.main.most: write a whole number from 3 to 20"),
        ("8", "21", "conference.main.most: write a whole number from 3 to 20"),
        (".main", ".other", "conference.other: there is one such section, [conference.main]"),
    ),
)
def test_what_is_wrong_is_told_with_its_key_and_line(old: str, new: str, message: str) -> None:
    with pytest.raises(BadConfiguration) as refused:
        site_file.read(SITE.replace(old, new), region="CN")
    assert any(problem.startswith("line ") and message in problem for problem in refused.value.problems)
