"""Outages of the database that are gone round by a spool, while engines die, stand still and come back."""

from orchestrator.domain.contacts.contacts import ContactConnected
from orchestrator.domain.engine import DatabaseReturned, SpoolBegun
from tests.simulation.run import Run, Size
from tests.simulation.weather import Weather

SEEDS = 16


def test_a_log_that_was_spooled_in_between_has_no_gap_and_folds_to_what_was_live() -> None:
    """Features 12.2, 11.8: every rule of the simulation holds, and what it is about did happen."""
    weather = Weather(absences=3, crashes=1, pauses=1)
    begun = returned = connected = died = 0
    for seed in range(SEEDS):
        dark = False
        run = Run(seed, weather=weather, size=Size(spools=True)).play()
        died += any(what == "the engine dies: while it drained its spool" for *_, what in run.story.rows)
        for record in run.ledger.records():
            match record.event:
                case SpoolBegun():
                    dark = True
                    begun += 1
                case DatabaseReturned() if dark:
                    dark = False
                    returned += 1
                case ContactConnected() if dark:
                    connected += 1
    assert begun >= SEEDS // 2
    assert connected >= SEEDS // 2, "callers were served without the database"
    assert returned > 0
    assert died > 0, "an engine died between the log and its spool, and the next one went on"
