"""The demo's configuration, with the live state beside it, and whoever edits it."""

from collections.abc import Iterator

import pytest

from projections.live import LiveView
from tests.web.conftest import Site
from tests.web.office import Office
from web.push import present


@pytest.fixture
def office(site: Site, office: Office) -> Iterator[Office]:
    view = LiveView(site.reading.log)
    try:
        view.start().wait_ready(10)
        present.install(site.app, view)
        yield office
    finally:
        view.stop()
