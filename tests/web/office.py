"""A web application whose site is configured as the demo's, with read models that keep up when they are told to.

The ledger of a test that asks for the fixture `office` is a clone of one that `lay_down` has configured, once a run.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from werkzeug.test import TestResponse

from orchestrator.service.configuration import apply
from orchestrator.settings import Settings
from projections.catalogue import PROJECTIONS
from tests.postgres import Database, settings_for
from tests.projections.kit import ReadKit
from tests.web.day import reads_of

if TYPE_CHECKING:
    from tests.web.conftest import Browser, Site


class Office:
    """Browsers in it see what they wrote as soon as `follow` has been called."""

    def __init__(self, site: "Site", reads: ReadKit) -> None:
        self.site = site
        self.reads = reads

    def as_role(self, role: str) -> "Browser":
        """A browser of a user with this role."""
        return self.site.as_role(role)

    def keep_up(self) -> None:
        """Fold what is new into every read model."""
        for projection in PROJECTIONS.values():
            self.reads.keep_up(projection)

    def follow(self, browser: "Browser", answer: TestResponse) -> TestResponse:
        """The page to which a form's answer leads, with the read models where it wants them."""
        assert answer.status_code == 303, answer.text
        self.keep_up()
        return browser.get(answer.headers["Location"])


@contextmanager
def opened(site: "Site", database: Database) -> Iterator[Office]:
    """The office, while the context lasts."""
    with reads_of(database, site.parts.settings.kek_file) as reads:
        if not reads.log.position():
            _configure(reads, site.parts.settings)
        yield Office(site, reads)


def lay_down(database: Database, kek: Path) -> None:
    """Configure this empty ledger, and fold it, for `opened` to find."""
    with reads_of(database, kek) as reads:
        _configure(reads, settings_for(kek.parent))


def _configure(reads: ReadKit, settings: Settings) -> None:
    text = resources.files("orchestrator.service").joinpath("site.toml").read_text(encoding="utf-8")
    apply(
        reads.kit.log,
        reads.kit.desk,
        settings.site,
        text,
        actor="system",
        region=settings.region,
        expect_version=0,
    )
    reads.provide(*PROJECTIONS.values())
