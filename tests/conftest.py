"""What every test may ask for, which tests run where, and why those of the real switch were left out."""

import gc
import os
import shutil
from pathlib import Path

import hypothesis
import pytest
import structlog
from gevent import monkey

from orchestrator import settings
from tests.lab import process
from tests.order import longest_first
from tests.postgres import cluster, database, empty_database, template, template_with_models, use_memory

__all__ = ["cluster", "database", "empty_database", "template", "template_with_models"]

_WHERE = "there is no FreeSWITCH: set RINGLEDGER_FREESWITCH to its binary, or put freeswitch on PATH"
_NO_BROWSER = "there is no Chromium: apt-get install chromium"
PATCHED = monkey.is_module_patched("socket")
# What tests make is mostly gone by itself: the collector need not look for more every 700 objects.
_COLLECT = (50_000, 20, 10)
# What the processes that tests start are given to find first: what is not there where Ringledger is installed.
INSTALLED = Path(__file__).parent / "lab" / "installed"

# How long an example takes says how busy the machine is, and nothing of what is tested.
hypothesis.settings.register_profile(
    "ringledger", deadline=None, suppress_health_check=(hypothesis.HealthCheck.too_slow,)
)
hypothesis.settings.load_profile("ringledger")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--switch-report", help="file to which the switch tests that were skipped are added, one a line")
    parser.addoption("--failed-report", help="file for the ids of what failed, one a line")


def pytest_configure() -> None:
    path = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if str(INSTALLED) not in path:
        os.environ["PYTHONPATH"] = os.pathsep.join((str(INSTALLED), *filter(None, path)))
    process.keep_warm()
    use_memory()
    log_plainly()
    gc.set_threshold(*_COLLECT)


def log_plainly() -> None:
    """Exceptions in the logs of tests as Python shows them. With `rich`, which tools of the tests bring, structlog
    draws each as tables of coloured source: a second of processor for one that a test provokes.
    """
    *others, _ = structlog.get_config()["processors"]
    renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*others, renderer])


def pytest_unconfigure() -> None:
    process.leave_cold()


def pytest_collection_finish() -> None:
    """Thousands of tests and all that they import stay until the end: the collector need not look at them each time."""
    gc.collect()
    gc.freeze()


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Tests below a folder `patched` import what needs the gevent patch first: an unpatched run must not even look. And
    a patched one need not import whatever has no such test.
    """
    if "patched" in collection_path.parts:
        return None if PATCHED else True
    is_module = PATCHED and collection_path.name.startswith("test_") and collection_path.suffix == ".py"
    return True if is_module and b"mark.patched" not in collection_path.read_bytes() else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of this run's kind (patched or not); skip, with the reason, those whose switch is not here."""
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        wants_patch = "patched" in item.path.parts or item.get_closest_marker("patched") is not None
        (kept if wants_patch == PATCHED else left_out).append(item)
    if left_out:
        items[:] = kept
        config.hook.pytest_deselected(items=left_out)
    present = freeswitch_binary() is not None
    browser = chromium_binary() is not None
    for item in items:
        if item.get_closest_marker("browser") and not browser:
            item.add_marker(pytest.mark.skip(reason=_NO_BROWSER))
        if item.get_closest_marker("switch") and not present:
            item.add_marker(pytest.mark.skip(reason=_WHERE))
    if "PYTEST_XDIST_WORKER" in os.environ:
        longest_first(items)


def freeswitch_binary() -> Path | None:
    """The real switch's program, or None where there is none."""
    try:
        given = settings.load().freeswitch
    except settings.SettingsError as error:
        raise pytest.UsageError(str(error)) from None
    found = shutil.which("freeswitch")
    return given or (Path(found) if found else None)


def chromium_binary() -> Path | None:
    """The browser's program, or None where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    return Path(found) if found else None


@pytest.fixture(scope="session")
def freeswitch() -> Path:
    """The real switch's program, for tests marked `switch`."""
    binary = freeswitch_binary()
    assert binary is not None, "only a test marked `switch` may ask for the real switch"
    return binary


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):  # xdist's workers come here too
        return
    if failed := config.getoption("--failed-report"):
        stats = (*terminalreporter.stats.get("failed", []), *terminalreporter.stats.get("error", []))
        Path(failed).write_text("".join(f"{nodeid}\n" for nodeid in sorted({report.nodeid for report in stats})))
    skipped = sorted(
        {report.nodeid for report in terminalreporter.stats.get("skipped", []) if "switch" in report.keywords}
    )
    if report := config.getoption("--switch-report"):
        with Path(report).open("a", encoding="utf-8") as file:
            file.writelines(f"{nodeid}\n" for nodeid in skipped)
    elif skipped:
        terminalreporter.write_line(f"{len(skipped)} switch tests skipped, {_WHERE}")
