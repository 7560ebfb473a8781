"""Recording in the site's file: of all, by queue, by agent, on demand, off, and for how long (features 8.1, 8.2)."""

import pytest

from orchestrator.domain.routing.queues import QueueConfigured
from orchestrator.domain.routing.recording import RecordingsConfigured
from orchestrator.domain.staff.agents import AgentConfigured
from orchestrator.service import site_file, site_text
from orchestrator.service.site_file import BadConfiguration

SITE = """\
[queue.sales]
name = "Sales"
skill = "sales"
record = "on_demand"

[agent.li]
number = "801"
name = "Li Na"
extension = "1001"
skills = { sales = 5 }
record = "never"

[recordings.main]
record = "as_queue"
mask_most_s = 90
keep_days = 365
archive_days = 60
keep_days_of = { sales = 30 }
least_s = 1.5
"""


def queue_says(written: str) -> str:
    """What a queue with this line says of recording."""
    queue = site_file.read(SITE.replace('record = "on_demand"', written), region="CN").events["queue-sales"]
    assert isinstance(queue, QueueConfigured)
    return queue.record


def test_what_stands_in_the_file_is_what_holds() -> None:
    site = site_file.read(SITE, region="CN")
    assert site.events["recordings-main"] == RecordingsConfigured(
        rule="as_queue",
        mask_most_ms=90_000,
        keep_days=365,
        keep_days_of={"sales": 30},
        least_ms=1_500,
        archive_days=60,
    )
    agent = site.events["agent-li"]
    assert isinstance(agent, AgentConfigured)
    assert (queue_says('record = "on_demand"'), agent.record) == ("on_demand", "never")
    assert site_file.read(site_text.write(site.events, site="main", version=1), region="CN").events == site.events


@pytest.mark.parametrize(
    ("written", "meant"), (("record = true", "always"), ("record = false", "never"), ("", "always"))
)
def test_a_file_from_before_means_what_it_meant(written: str, meant: str) -> None:
    assert queue_says(written) == meant


@pytest.mark.parametrize(
    ("old", "new", "message"),
    (
        ('record = "on_demand"', 'record = "demand"', "queue.sales.record: 'demand' is none of these; did you mean"),
        ('record = "never"', 'record = "as_agent"', "agent.li.record: 'as_agent' is none of these"),
        ('record = "as_queue"', 'record = "on_demand"', "recordings.main.record: 'on_demand' is none of these"),
        ("mask_most_s = 90", "mask_most_s = 0", "recordings.main.mask_most_s: write seconds from 10 to 1800"),
        ("keep_days = 365", "keep_days = -1", "recordings.main.keep_days: write a whole number from 0 to 36500"),
        (
            "{ sales = 30 }",
            "{ sale = 30 }",
            "recordings.main.keep_days_of: there is no queue sale; did you mean sales?",
        ),
        ("{ sales = 30 }", "30", "recordings.main.keep_days_of: write queues with the days"),
        ("least_s = 1.5", "least_s = 61", "recordings.main.least_s: write seconds from 0 to 60"),
        ("[recordings.main]", "[recordings.other]", "recordings.other: there is one such section, [recordings.main]."),
    ),
)
def test_what_is_wrong_is_told_with_its_key_and_line(old: str, new: str, message: str) -> None:
    with pytest.raises(BadConfiguration) as refused:
        site_file.read(SITE.replace(old, new), region="CN")
    assert any(problem.startswith("line ") and message in problem for problem in refused.value.problems)
