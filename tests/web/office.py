"""A web application whose site is configured as the demo's, with read models that keep up when they are told to."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources

from werkzeug.test import TestResponse

from orchestrator.domain.catalogue import CATALOGUE
from orchestrator.service.configuration import apply
from projections.catalogue import PROJECTIONS
from tests.postgres import Database
from tests.projections.kit import ReadKit
from tests.store.kit import Kit
from tests.web.conftest import Browser, Site


class Office:
    """Browsers in it see what they wrote as soon as `follow` has been called."""

    def __init__(self, site: Site, reads: ReadKit) -> None:
        self.site = site
        self.reads = reads

    def as_role(self, role: str) -> Browser:
        """A browser of a user with this role."""
        return self.site.as_role(role)

    def keep_up(self) -> None:
        """Fold what is new into every read model."""
        for projection in PROJECTIONS.values():
            self.reads.keep_up(projection)

    def follow(self, browser: Browser, answer: TestResponse) -> TestResponse:
        """The page to which a form's answer leads, with the read models where it wants them."""
        assert answer.status_code == 303, answer.text
        self.keep_up()
        return browser.get(answer.headers["Location"])


@contextmanager
def opened(site: Site, database: Database) -> Iterator[Office]:
    """The office, while the context lasts."""
    kit = Kit(database, site.parts.settings.kek_file, entries=CATALOGUE)
    reads = ReadKit(kit, database)
    try:
        text = resources.files("orchestrator.service").joinpath("site.toml").read_text(encoding="utf-8")
        apply(
            site.reading.log,
            site.reading.desk,
            site.parts.settings.site,
            text,
            actor="system",
            expect_version=0,
            region="CN",
        )
        reads.provide(*PROJECTIONS.values())
        yield Office(site, reads)
    finally:
        reads.close()
        kit.close()
