"""The figures that Prometheus finds."""

import socket
from urllib.request import urlopen

import pytest
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from orchestrator.metrics import _COMMIT_S, Metrics, MetricsError, Port
from orchestrator.settings import Address


def test_what_was_counted_is_found_over_http_and_no_longer_after_close() -> None:
    metrics = Metrics()
    metrics.events_appended.labels(kind="live").inc(3)
    metrics.offers.labels(outcome="accepted").inc()
    metrics.commit_seconds.observe(0.002)
    served = metrics.serve(Address("127.0.0.1", 0))
    with urlopen(f"http://{served.address}/metrics") as response:
        text = response.read().decode()
    served.close()
    assert 'ringledger_events_appended_total{kind="live"} 3.0' in text
    assert 'ringledger_offers_total{outcome="accepted"} 1.0' in text
    assert 'ringledger_commit_seconds_bucket{le="0.002"} 1.0' in text
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((served.address.host, served.address.port))


def test_a_duration_is_counted_as_the_library_would() -> None:
    """Also on the very edge of a bucket, between two, below all and beyond all."""
    metrics, usual = Metrics(), CollectorRegistry()
    peer = Histogram("ringledger_commit_seconds", "", registry=usual, buckets=_COMMIT_S)
    for seconds in (-1.0, 0.0, 0.0005, 0.00051, 0.002, 0.004, 5.0, 5.1, float("inf")):
        metrics.commit_seconds.observe(seconds)
        peer.observe(seconds)
    expected = {
        line for line in generate_latest(usual).decode().splitlines() if "_created" not in line and line[0] != "#"
    }
    assert len(expected) == len(_COMMIT_S) + 3
    assert expected <= set(generate_latest(metrics.registry).decode().splitlines())


def test_two_processes_figures_do_not_mix() -> None:
    one, other = Metrics(), Metrics()
    one.offers.labels(outcome="accepted").inc()
    assert other.registry.get_sample_value("ringledger_offers_total", {"outcome": "accepted"}) is None


def test_a_taken_port_is_named_with_the_variable_to_change() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(MetricsError, match=f"127.0.0.1:{port}.*RINGLEDGER_METRICS"):
            Metrics().serve(Address("127.0.0.1", port))


def test_an_engine_that_hands_over_leaves_its_port_to_the_one_that_decides_now() -> None:
    """Feature 12.1: both are given the same address, and what is read there is the active one's."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = Address("127.0.0.1", free.getsockname()[1])
    first, second = Metrics(), Metrics()
    left, taken = Port(first, address), Port(second, address)
    left.take()
    left.take()
    first.is_active.set(1)
    taken.take()  # in vain, and no reason to end
    assert _active(address) == "1.0"
    first.stand_down()
    second.is_active.set(1)
    assert _active(address) == "0.0", "the one that stands by has it still"
    left.leave()
    taken.take()
    assert _active(address) == "1.0"
    taken.leave()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address.host, address.port))
    Port(first, None).take()


def test_whoever_stands_by_again_has_no_calls_and_no_links_that_serve() -> None:
    metrics = Metrics()
    metrics.is_active.set(1)
    metrics.live_contacts.labels("talking").set(40)
    metrics.shifts.labels("ready").set(12)
    metrics.links_up.labels("fs1").set(1)
    metrics.offers.labels("accepted").inc()
    metrics.stand_down()
    said = generate_latest(metrics.registry).decode()
    assert "ringledger_active 0.0" in said
    assert not any(f"{name}{{" in said for name in ("live_contacts", "ringledger_shifts", "ringledger_link_up"))
    assert 'ringledger_offers_total{outcome="accepted"} 1.0' in said, "what it counted it has counted"


def _active(address: Address) -> str:
    with urlopen(f"http://{address}/metrics") as response:
        (line,) = (line for line in response.read().decode().splitlines() if line.startswith("ringledger_active "))
    return str(line.split()[1])
