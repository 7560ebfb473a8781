"""Which files of tests come first: the longest, so that no worker begins one when the others have nothing left.

Each file stays with one worker, which makes its module's fixtures once; `make test` hands them out in this order.
"""

from typing import Final

import pytest

# By what each took on two cores. A file that is not here comes behind, those with the most slow tests before others.
LONGEST: Final = (
    "simulation/test_seeds.py",
    "acceptance/test_run.py",
    "acceptance/test_matrix.py",
    "web/browser/test_walks.py",
    "web/browser/test_desk.py",
    "acceptance/test_outside.py",
    "simulation/test_why.py",
    "web/test_attacks.py",
    "web/browser/test_whatif_page.py",
    "acceptance/chaos/test_chaos.py",
    "web/browser/test_network_away.py",
    "acceptance/test_redrive.py",
    "simulation/test_complaints.py",
    "simulation/test_mutants.py",
    "simulation/test_asked.py",
    "acceptance/test_places.py",
    "web/api/test_document.py",
    "web/browser/test_by_hand.py",
    "acceptance/test_recording.py",
    "acceptance/test_leaving.py",
    "web/test_routes.py",
    "web/browser/test_phone_dot.py",
    "acceptance/test_consult.py",
    "acceptance/test_calls.py",
    "acceptance/test_bad_input.py",
    "web/browser/test_callbacks.py",
    "projections/test_follower.py",
    "web/browser/test_routing.py",
    "test_documents.py",
)
_PLACE: Final = {f"tests/{name}": place for place, name in enumerate(LONGEST)}


def longest_first(items: list[pytest.Item]) -> None:
    """Sort these, file by file; inside a file they stay as they are."""
    slow: dict[str, int] = {}
    for item in items:
        file = _file(item)
        slow[file] = slow.get(file, 0) + (item.get_closest_marker("slow") is not None)
    items.sort(key=lambda item: (_PLACE.get(_file(item), len(_PLACE)), -slow[_file(item)], _file(item)))


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]
