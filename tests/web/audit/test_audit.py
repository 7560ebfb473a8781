"""The auditor sees every event, whoever wrote it, and who looked at whose data."""

import pytest

from orchestrator.domain.catalogue import CATALOGUE
from orchestrator.store import DeskWriter
from projections.catalogue import PROJECTIONS
from tests.audit.centre import CALLER
from tests.projections.test_audit_trail import NEWER, ParcelWeighed
from tests.store.kit import record
from tests.web.conftest import Site
from tests.web.day import CUSTOMER, Day


def shown(page: str) -> list[int]:
    """The positions of the events on a page, in its order."""
    return [int(part.split('"')[0]) for part in page.split('href="/audit/')[1:] if part[0].isdigit()]


def test_every_event_is_on_the_trail_once_page_by_page(site: Site, day: Day) -> None:
    """Features 11.1 and 11.5: nothing left out, nothing twice."""
    auditor = site.as_role("auditor")
    found: list[int] = []
    path = "/audit/"
    while path:
        page = auditor.get(path).text
        found += shown(page)
        path = page.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert sorted(found, reverse=True) == found
    assert set(range(1, day.last + 1)) <= set(found)
    assert len(set(found)) == len(found)


def test_the_trail_is_narrowed_by_event_stream_and_actor(site: Site, day: Day) -> None:
    auditor = site.as_role("auditor")
    ended = sum(type(record.event).__name__ == "ContactEnded" for record in day.centre.records)
    assert len(shown(auditor.get("/audit/?name=ContactEnded").text)) == ended
    stream = f"contact-{day.contacts[0]}"
    mine = [record for record in day.centre.records if record.stream == stream]
    assert len(shown(auditor.get(f"/audit/?stream={stream}").text)) == len(mine)
    assert shown(auditor.get("/audit/?actor=user:nobody").text) == []
    assert "is not a time" in auditor.get("/audit/?from=never").text


def test_an_event_shows_its_words_its_stream_and_nothing_personal(site: Site, day: Day) -> None:
    """Feature 5.8: the stored text is masked for everybody."""
    auditor = site.as_role("auditor")
    position = shown(auditor.get("/audit/?name=ContactArrived").text)[0]
    page = auditor.get(f"/audit/{position}").text
    assert "A call arrived for 4000" in page
    assert CALLER not in page
    assert "Wang Fang" not in page
    assert len(shown(page)) > 1


def test_who_looked_at_whose_number_stands_on_the_trail(site: Site, day: Day) -> None:
    """Feature 5.8: reads of personal data are audited."""
    auditor = site.as_role("auditor")
    auditor.get("/audit/")
    auditor.submit("/reveal", subject=f"customer-{CUSTOMER}", field="number")
    day.reads.keep_up(PROJECTIONS["audit_trail"])
    page = auditor.get(f"/audit/?about=customer-{CUSTOMER}&name=PersonalDataRevealed").text
    assert len(shown(page)) == 1
    assert "user-auditor-1" in page


def test_an_event_of_a_newer_program_is_kept_and_shown(site: Site, day: Day) -> None:
    """Bad input of read models: an event of an unknown version is never dropped."""
    desk = DeskWriter(day.reads.kit.source, day.reads.kit.vault, catalogue={**CATALOGUE, **NEWER})
    desk.append_desk([record("parcel-p1", 1, ParcelWeighed(grams=3), at=1)])
    day.reads.keep_up(PROJECTIONS["audit_trail"])
    page = site.as_role("auditor").get("/audit/?unknown=1").text
    assert "ParcelWeighed" in page
    assert "unknown, version 1" in page


@pytest.mark.parametrize("path", ("/audit/0", "/audit/999999999", "/audit/-1", "/audit/1e3"))
def test_a_position_without_an_event_is_not_found(site: Site, day: Day, path: str) -> None:
    assert site.as_role("auditor").get(path).status_code == 404
