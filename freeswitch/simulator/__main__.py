"""`python -m freeswitch.simulator`: a simulated switch on a TCP port of this machine, until SIGTERM or SIGINT."""

import argparse
import secrets
import signal
import sys
from pathlib import Path

from freeswitch.simulator.model import Model
from freeswitch.simulator.options import Options
from freeswitch.simulator.peering import Peering
from freeswitch.simulator.script import load
from freeswitch.simulator.server import Server, clock


def main(arguments: list[str] | None = None) -> int:
    """Serve until stopped; the exit status is 0, or 2 when what was asked for makes no sense."""
    parser = argparse.ArgumentParser(prog="python -m freeswitch.simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8021, help="port of the event socket, 0 for any (default: 8021)")
    parser.add_argument(
        "--password",
        default="ClueCon",
        help="password of the event socket (default: %(default)s); - reads it from the first line of standard input, "
        "for everybody on this machine can read a command line",
    )
    parser.add_argument("--callers", type=Path, action="append", default=[], help="script of phones and callers")
    parser.add_argument("--demo", action="store_true", help="play the bundled demo: phones 1001 to 1006 and callers")
    parser.add_argument("--seed", type=int, help="seed of every draw, ids included (default: another each time)")
    parser.add_argument("--heartbeat", type=int, default=20, help="seconds between heartbeats (default: 20)")
    parser.add_argument("--queue-limit", type=int, default=100_000, help="events waiting for one client")
    parser.add_argument("--poll-ms", type=int, default=20, help="how often a silent client is told its events")
    parser.add_argument("--max-sessions", type=int, default=1_000)
    parser.add_argument("--name", default="", help="what it is called")
    parser.add_argument("--peer-port", type=int, default=0, help="port (UDP) where they bring their callers")
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        metavar="NAME=PORT",
        help="another simulated switch, and that port of its",
    )
    parser.add_argument("--no-recordings", action="store_true", help="write no recordings to disk")
    parser.add_argument(
        "--patience",
        type=int,
        default=0,
        metavar="S",
        help="seconds without a sign of life of the orchestrator after "
        "which callers are served by the switch itself (default: 0, never)",
    )
    parser.add_argument("--fallback", default="", help="dial string of the phones that ring for them, at once")
    parser.add_argument("--unattended", default="", metavar="FOLDER", help="where files say what became of them")
    parser.add_argument("--recordings", default="", metavar="FOLDER", help="where they leave messages")
    parser.add_argument("--story", default="", metavar="FILE", help="where callers and phones say how they fared")
    asked = parser.parse_args(arguments)
    seed = secrets.randbits(64) if asked.seed is None else asked.seed
    paths = [Path(__file__).with_name("demo.toml"), *asked.callers] if asked.demo else asked.callers
    options = Options(
        heartbeat_s=asked.heartbeat,
        queue_limit=asked.queue_limit,
        poll_ms=asked.poll_ms,
        max_sessions=asked.max_sessions,
        patience_s=asked.patience,
        fallback=asked.fallback,
        node=asked.name,
        unattended=asked.unattended,
        recordings=asked.recordings,
        story=asked.story,
        write_recordings=not asked.no_recordings,
        peers=tuple(peer.partition("=")[0] for peer in asked.peer),
    )
    try:
        peering = _peering(asked) if asked.peer else None
        password = _password(asked.password)
        scripts = [load(path, seed=seed + number) for number, path in enumerate(paths)]
        model = Model(options, now=clock(), seed=seed)
        server = Server(model, password=password, host=asked.host, port=asked.port, peering=peering)
    except (ValueError, OSError) as problem:
        print(f"simulator: {problem}", file=sys.stderr)
        return 2
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: server.stop())
    for script in scripts:
        server.play(script)
    print(f"simulator: event socket on {asked.host}:{server.port}", flush=True)
    server.run()
    return 0


def _peering(asked: argparse.Namespace) -> Peering:
    """The trunk to the other switches. Raises ValueError for one without a port."""
    peers = dict(peer.partition("=")[::2] for peer in asked.peer)
    if not all(port.isdigit() for port in peers.values()) or not asked.peer_port:
        raise ValueError("give each --peer as NAME=PORT, and this switch a --peer-port of its own")
    return Peering(
        asked.name, (asked.host, asked.peer_port), {name: (asked.host, int(port)) for name, port in peers.items()}
    )


def _password(given: str) -> str:
    """What was given, or the first line of standard input. Raises ValueError where that is empty."""
    found = given if given != "-" else sys.stdin.readline().rstrip("\n")
    if not found:
        raise ValueError("the password is empty: give it as the first line of standard input")
    return found


if __name__ == "__main__":
    sys.exit(main())
