"""`ringledger bundle`: what is in a bundle, in words."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from orchestrator.bundle import Opened
from orchestrator.bundle.made import Made
from orchestrator.calls import Call, recent
from orchestrator.domain.kernel import LIVE_KINDS, Event, UnknownEvent, ident_of, kind_of
from orchestrator.redrive.drive import MOST_DIFFERENCES
from orchestrator.replay.moments import local
from web.history import command as history
from web.redrive.command import NOT_WHOLE, NOTHING, changes, hole_text, names_of, undriven_text
from web.words.events import about, sentence

_SHOWN = 30
# Streams of which an event does not take the place of the one before.
_NO_SETTINGS = (*LIVE_KINDS, "config")


def made(done: Made, path: Path) -> str:
    """What was written, and what to do with it."""
    manifest = done.manifest
    lines = [
        f"{path} holds {manifest.events} events and {manifest.lines} lines of tape of {manifest.site}.",
        f"fingerprint {done.fingerprint} (it stands in the log)",
    ]
    if done.key is not None:
        lines.append(f"It is sealed: hand {done.key} over on another way than the bundle.")
    else:
        lines.append("Numbers, names and notes are pseudonyms. Ids of agents, queues and users stay as they are.")
    if not manifest.whole:
        lines.append(NOT_WHOLE)
    if manifest.holes:
        lines.append(f"The tape has {manifest.holes} holes; `bundle open` says where.")
    if manifest.erased:
        lines.append(f"{manifest.erased} streams are of people who were erased; the tape says nothing of them either.")
    check = manifest.check
    if check.undriven:
        lines.append(undriven_text(check.undriven))
    if not check.steps:
        lines.append(NOTHING)
    else:
        same = f"{check.differences} different: see `bundle open --redrive`." if check.differences else "all the same."
        lines.append(f"Driven again at once: {check.steps} steps, {same}")
    if manifest.pseudonymous and check.differences >= MOST_DIFFERENCES:
        lines.append(
            f"After {MOST_DIFFERENCES} differences nothing more was compared. {len(manifest.by_veil)} inputs up to "
            "there are decided otherwise because of the pseudonyms alone; how many more are is not known."
        )
    elif manifest.by_veil:
        lines.append(f"{len(manifest.by_veil)} inputs are decided otherwise because of the pseudonyms alone.")
    return "\n".join(lines)


def overview(found: Opened, name: str) -> str:
    """What a bundle is, who called, whether its log holds and today's code agrees."""
    manifest, zone = found.manifest, found.timezone
    kind = "; pseudonyms" if manifest.pseudonymous else ""
    lines = [
        f"{name}: {manifest.site}, {local(manifest.begins, zone)} to {local(manifest.ends, zone)}",
        f"  made {local(manifest.made_at, zone)}, fingerprint {found.fingerprint}",
        f"  {manifest.events} events, {len(found.within())} in the window; {manifest.lines} lines of tape{kind}",
    ]
    lines += [f"  {hole_text(hole)}" for hole in found.holes]
    lines += [
        f"  log {record.position}, {record.stream}: {record.event.name} version {record.event.version}, which this "
        "version does not know; kept, and no part of any state"
        for record in found.unknown()
        if isinstance(record.event, UnknownEvent)
    ]
    verified = found.verified()
    if verified is None:
        lines.append("  verify: not asked, for the beginning of the log is not in the bundle")
    else:
        problems = [f"    {problem}" for problem in verified.problems[:_SHOWN]]
        lines += [f"  verify: {'the log holds' if verified.ok else f'{len(verified.problems)} problems'}", *problems]
    report = found.redriven()
    count = len(report.differences)
    alike = "decides these the same" if report.undriven else "decides all the same"
    said = alike if report.same else f"decides otherwise in {count} places (--redrive)"
    lines.append(
        f"  re-drive: {report.inputs} steps; today's code {said}" if report.inputs else f"  re-drive: {NOTHING}"
    )
    if report.undriven:
        lines.append(f"  {undriven_text(report.undriven)}")
    streams = {record.stream for record in found.within()}
    lines += ["", "contacts of the window:"]
    lines += [
        f"  {row.contact_id[:8]}  {local(row.arrived_at, zone)}  {row.queue_id:<12} {row.agent_id:<12} "
        f"offers {row.offers}, {_waited(row)}, {row.ended or 'live'}"
        for row in recent(found.log.history(kinds=("contact",)), len(streams))
        if f"contact-{row.contact_id}" in streams
    ]
    return "\n".join(lines)


def _waited(row: Call) -> str:
    return "waits still" if row.waited_ms is None else f"waited {row.waited_ms / 1000:.1f} s"


def picture(found: Opened, at: str) -> str:
    """Queues, shifts and contacts at an instant, as `ringledger replay` shows them."""
    return msgspec.json.format(msgspec.json.encode(found.picture(at)), indent=2).decode()


def why(found: Opened, contact: str, agent: str) -> str:
    """Each offer of a contact explained, as `ringledger why` does."""
    return history.why(found.log, found, contact, agent=agent, offer=0, as_json=False)


def events(found: Opened, beginning: str = "") -> Iterator[str]:
    """The events of the window, a line each; of streams whose id begins so, where that is asked for. Under what was
    configured stands what is other than before.
    """
    names = names_of(found.log.history())
    configured: dict[str, Event] = {}
    first = found.manifest.first_position
    for record in found.log.history():
        wanted = ident_of(record.stream).startswith(beginning) or record.stream.startswith(beginning)
        if wanted and first and record.position >= first:
            at = local(record.about.at, found.timezone)
            who = record.about.actor if record.about.actor != "system" else record.about.origin
            yield f"{record.position:>8}  {at}  {about(record, names)}: {sentence(record, names)}  ({who})"
            if kind_of(record.stream) not in _NO_SETTINGS:
                yield from (f"{'':>10}{line}" for line in changes(configured.get(record.stream), record.event))
        if kind_of(record.stream) not in _NO_SETTINGS:
            configured[record.stream] = record.event
