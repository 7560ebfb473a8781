"""One run: a seed becomes callers, agents, faults and an order of everything, and the rules are looked at throughout.

`python -m tests.simulation SEED` tells the story of a seed.
"""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from random import Random
from typing import cast

from msgspec import Struct, structs

from orchestrator.audit import verify
from orchestrator.domain.contacts.contacts import ContactArrived
from orchestrator.domain.kernel import SECOND, Event, Provenance, Record, derived_id, ident_of
from orchestrator.domain.routing.conference import ConferenceConfigured
from orchestrator.domain.routing.configuration import ConfigurationApplied
from orchestrator.domain.routing.entries import EntryPointConfigured
from orchestrator.domain.routing.outside import OutsideConfigured
from orchestrator.domain.routing.queues import QueueConfigured, QueueRemoved, Spill
from orchestrator.domain.routing.recording import ALWAYS, NEVER, OF_AGENTS, OF_QUEUES, OF_SITE, RecordingsConfigured
from orchestrator.domain.staff.agents import AgentConfigured, AgentRemoved
from orchestrator.domain.staff.answering import AT_DESK
from orchestrator.domain.switch.instructions import Instruction
from orchestrator.domain.switch.nodes import PhoneCodeDialled
from orchestrator.runner import Input, Outcome
from orchestrator.runner.inputs import DrainNode, EndAll, IdentifyContact, UndrainNode
from tests.matrix import Row
from tests.simulation.agenda import START, Agenda
from tests.simulation.book import Book
from tests.simulation.browsers import WEB_REFUSALS, Page, Web
from tests.simulation.comparing import difference, fold, picture
from tests.simulation.consulters import CONSULTING_REFUSALS, Consulters
from tests.simulation.dialers import DIALLING_REFUSALS, OWN, Dialers
from tests.simulation.door import Door
from tests.simulation.engine import STALE, AnyLink, Engine, Watcher
from tests.simulation.invariants import KNOWN_WITHIN, Invariants, desks_are_known, finish
from tests.simulation.ledger import Ledger
from tests.simulation.link import Link, Links
from tests.simulation.outsiders import NUMBERS, Lobby
from tests.simulation.outsiders import REFUSALS as OUTSIDE_REFUSALS
from tests.simulation.parkers import PARKING_REFUSALS, Parkers
from tests.simulation.passers import PASSING_REFUSALS, Passers
from tests.simulation.people import REFUSALS, Desk
from tests.simulation.phones import REFRESH, Registered, Registrations, misjudged
from tests.simulation.routing import Routing
from tests.simulation.rows import Hangers
from tests.simulation.rules import Broken
from tests.simulation.sight import AnySwitch
from tests.simulation.story import Story
from tests.simulation.supervisors import SUPERVISING_REFUSALS, Supervisors
from tests.simulation.switch import Caller, Phone, Switch, Switches
from tests.simulation.takers import BY_HAND_REFUSALS, Takers
from tests.simulation.tapes import Wants
from tests.simulation.voices import SPEAKING_REFUSALS, Speakers
from tests.simulation.weather import Weather, draw

COOL_DOWN_MS = 3_000
# After the last fault: the longest wait, the longest talk, two disagreeing heartbeats and a snapshot, and some more.
LONGEST_QUIET = 900 * SECOND
# Then everybody finishes their wrap-up.
LONGEST_WRAP_UP = 12 * SECOND
_MANNERS = (
    "answers",
    "answers",
    "answers",
    "answers",
    "answers",
    "answers",
    "answers",
    "rejects",
    "ignores",
    "busy",
    "dead",
    "unreachable",
)
_MOMENTS = ("", "", "", "", "", "", "", "queued", "rung", "answered", "joining", "bridged")


class Size(Struct, frozen=True, kw_only=True):
    """How much happens in a run."""

    contacts: int = 30
    agents: int = 10
    lasts: int = 150 * SECOND
    ring_at_once: int = 0
    """How many phones every queue rings at once; 0: drawn."""
    willing: bool = False
    """Whether every phone is answered."""
    browsers: float = 0.0
    """Which part of the agents works at a desk in a browser; the others have a phone alone."""
    outside: bool = False
    """Whether callers are called back, or sent to numbers outside."""
    places: bool = False
    """Whether queues tell who waits their place."""
    hands: float = 0.0
    """How much of what could be done by hand with those who wait is; with any, agents may have several callers."""
    tapes: float = 0.0
    """How often agents want something of a recording; with any, site, queues and agents have every rule of it."""
    transfers: float = 0.0
    """How many of the talks that somebody looks at are passed on."""
    prompt: bool = False
    """Whether every phone answers by itself, within milliseconds."""
    parks: float = 0.0
    """How often somebody parks a caller, or fetches one from a place."""
    dials: float = 0.0
    """How often an agent dials a number outside; with any, that may be called which `outside` allows."""
    consults: float = 0.0
    """In how many of the talks that somebody looks at somebody is consulted."""
    mutes: float = 0.0
    """In how many of the consultations that somebody looks at all are brought together, and one of them is muted."""
    monitors: float = 0.0
    """How often a supervisor looks at what others do, and does something about it."""
    voices: float = 0.0
    """In how many of the talks that somebody looks at the agent mutes, unmutes or presses keys."""
    at_desk: float = 0.0
    """Which part of the agents answers at the desk, and has a phone that rings only then."""
    rows: float = 0.0
    """How many calls are hung up because they are in a state of the table (`tests/matrix.py`)."""
    gathers: bool = False
    """Whether those calls are taken on to where one of a conference is apart, and hung up as that one comes back."""
    alone: bool = False
    """With `gathers`: whether they are hung up only as the agent speaks with another one alone meanwhile."""
    beside: bool = False
    """Whether calls are hung up because of that also where somebody parks, listens, takes over, dials, or is called."""
    spools: bool = False
    """Whether the database's absence is gone round by a spool."""
    phones: int = 0
    """How often a phone loses its registration, and gets it back."""
    nodes: int = 0
    """How many switches there are at least, where each phone is registered at one of them; and how often one is dead
    for a while, or drained.
    """
    routing: bool = False
    """Whether queues have every rule, steps and levels; or all are as plain as can be."""
    rule: str = ""
    """By which rule every queue with routing looks for agents; empty: drawn."""


class Failure(AssertionError):
    """A run broke a rule."""

    def __init__(self, seed: int, rule: str, what: str, story: str, again: str) -> None:
        super().__init__(f"seed {seed} broke {rule}: {what}\n\n{story}\n\nagain: {again}")
        self.seed = seed
        self.rule = rule
        self.what = what


class Run(Watcher):
    """One seed, played to its end."""

    knows_rings = True
    """Whether the switch of this run tells how far each ring came."""

    def __init__(self, seed: int, *, weather: Weather | None = None, size: Size | None = None) -> None:
        self.seed = seed
        # From dice of their own: a seed without browsers goes the way that it went before there were any.
        self._desk_dice = Random(f"browsers of {seed}")
        self._talk_dice = Random(f"talks of {seed}")
        self._tape_dice = Random(f"recordings of {seed}")
        self._place_dice = Random(f"places of {seed}")
        self.door = Door(seed)
        self._outside_dice = Random(f"outside of {seed}")
        self._hands_dice = Random(f"hands of {seed}")
        self._phone_dice = Random(f"phones of {seed}")
        self._pressure_dice = Random(f"pressures of {seed}")
        self._transfer_dice = Random(f"transfers of {seed}")
        self._park_dice = Random(f"parks of {seed}")
        self._dial_dice = Random(f"dials of {seed}")
        self._node_dice = Random(f"nodes of {seed}")
        self._consult_dice = Random(f"consults of {seed}")
        self._room_dice = Random(f"rooms of {seed}")
        self._monitor_dice = Random(f"monitors of {seed}")
        self._voice_dice = Random(f"voices of {seed}")
        self._row_dice = Random(f"rows of {seed}")
        self.size = size or Size(
            browsers=0.0 if weather else self._desk_dice.choice((0.0, 0.0, 0.5, 1.0)),
            hands=0.0 if weather else self._hands_dice.choice((0.0, 0.0, 0.3, 1.0)),
            routing=not weather and seed % 3 != 0,
            outside=not weather and self._outside_dice.random() < 0.5,
            places=not weather and self._place_dice.random() < 0.5,
            tapes=0.0 if weather else self._tape_dice.choice((0.0, 0.4)),
            transfers=0.0 if weather else self._transfer_dice.choice((0.0, 0.0, 0.2, 1.0)),
            parks=0.0 if weather else self._park_dice.choice((0.0, 0.0, 0.3, 1.0)),
            dials=0.0 if weather else self._dial_dice.choice((0.0, 0.0, 0.2, 0.6)),
            consults=0.0 if weather else self._consult_dice.choice((0.0, 0.0, 0.3, 1.0)),
            monitors=0.0 if weather else self._monitor_dice.choice((0.0, 0.0, 0.3, 1.0)),
            voices=0.0 if weather else self._voice_dice.choice((0.0, 0.0, 0.3, 1.0)),
            rows=0.0 if weather else self._row_dice.choice((0.0, 0.0, 0.3, 1.0)),
            spools=not weather and Random(f"spools of {seed}").random() < 0.5,
            phones=0 if weather else self._phone_dice.choice((0, 0, 2, 8)),
            nodes=0 if weather else self._node_dice.choice((0, 0, 2, 3)),
        )
        self.lines = self._hands_dice.choice((1, 2, 2, 3)) if self.size.hands else 1
        """How many callers each agent may have at once."""
        self.routing = Routing(seed, self.size.agents, self.size.rule) if self.size.routing else None
        self._as_drawn = weather is None and size is None
        self.dice = Random(seed)
        drawn = draw(self.dice)
        clocks = Random(f"clocks of {seed}").choice(((), (3_600,), (-3_600, 0), (3_600, -3_600, 0), (0, 5)))
        self.weather = weather or structs.replace(drawn, clocks=clocks)
        self.agenda = Agenda(self.dice)
        self.story = Story()
        self.ledger = Ledger()
        self.ledger.spools = self.size.spools
        self.phones: dict[str, Phone] = {}
        self.switches = self.make_switches()
        self.switch = self.look_at(self.switches)
        self.desks: list[Desk] = []
        self.web: Web | None = None
        self.lobby: Lobby | None = None
        self.takers: Takers | None = None
        self.passers: Passers | None = None
        self.parkers: Parkers | None = None
        self.dialers: Dialers | None = None
        self.consulters: Consulters | None = None
        self.supervisors: Supervisors | None = None
        self.speakers: Speakers | None = None
        self.hangers: Hangers | None = None
        self.registrations: Registrations | None = None
        self.engine: Engine | None = None
        self.rules: dict[int, Invariants] = {}
        self.steps = 0
        self.finished = False
        self._starting = False
        self._calm_from = START + self.size.lasts
        self._settings: dict[str, QueueConfigured] = {}
        self._records: dict[str, str] = {}

    # --- the switch --------------------------------------------------------------------------------------------------
    def make_switches(self) -> list[Switch]:
        """The switches of this run."""
        names = [f"n{number + 1}" for number in range(max(self.weather.switches, self.size.nodes))]
        made = {name: Switch(self.agenda, self.dice, self.weather, name, self.phones) for name in names}
        for switch in made.values():
            switch.others = made
        return list(made.values())

    def look_at(self, switches: list[Switch]) -> AnySwitch:
        """What the rules look at."""
        return Switches(switches)

    def connect(self, engine: Engine) -> AnyLink:
        """Links from an engine to the switches."""
        return Links(
            [
                Link(
                    self.agenda,
                    self.dice,
                    self.weather_now(),
                    switch,
                    deliver=engine.take,
                    may_write=engine.may_write,
                    offer_open=engine.offer_open,
                    wrote=partial(self.wrote, engine),
                    clock=engine.clock,
                )
                for switch in self.switches
            ]
        )

    def any_switch(self) -> Switch:
        """One of the switches."""
        return self.dice.choice(self.switches)

    # --- the whole run -----------------------------------------------------------------------------------------------
    def play(self) -> "Run":
        """Play to the end. Raises `Failure` where a rule is broken."""
        try:
            self._prepare()
            self._go_on()
            self._finish()
            self.finished = True
        except Broken as broken:
            raise Failure(self.seed, broken.rule, str(broken), self.story.tell(), self._again()) from broken
        except Failure:
            raise
        except Exception as error:
            raise Failure(self.seed, "never_raises", repr(error), self.story.tell(), self._again()) from error
        return self

    def _again(self) -> str:
        """How to play just this run."""
        if self._as_drawn:
            return f"python -m tests.simulation {self.seed}"
        return f"{type(self).__name__}({self.seed}, weather={self.weather}, size={self.size}).play()"

    def _go_on(self) -> None:
        end = self._calm_from + LONGEST_QUIET
        while self.agenda.now < end:
            if self.agenda.now > self._calm_from and self._quiet():
                # By then every phone has registered again: what was lost of that is said once more.
                end = min(end, max(self.agenda.now + LONGEST_WRAP_UP, self._calm_from + REFRESH + SECOND))
            self.agenda.step()

    def _quiet(self) -> bool:
        engine = self.engine
        return (
            engine is not None
            and engine.acting
            and not self.switch.channels()
            and not engine.world.contacts
            and not self.ledger.away
            and not self.ledger.spool
            and all(node.in_step and not node.strays for node in engine.world.nodes.values())
        )

    def _finish(self) -> None:
        engine = self.engine
        if engine is None:
            raise Broken("nothing_stuck", "no engine lives at the end")
        if self.ledger.spool:
            raise Broken("nothing_stuck", f"{len(self.ledger.spool)} events are left in the spool")
        finish(engine.world, self.switch)
        if self.web is not None and engine.last_stall < self.agenda.now - KNOWN_WITHIN:
            desks_are_known(engine.world, list(self.web.pages.values()), self.agenda.now)
        told_wrongly = misjudged(
            engine.world, cast("dict[str, Registered]", self.phones), whole=self.weather.news_is_whole
        )
        if told_wrongly:
            raise Broken("phones_told", told_wrongly)
        self._compare(engine)
        report = verify(self.ledger.records(), settled=True, expect_contacts=0)
        if not report.ok:
            raise Broken("verify", str(report.problems[0]))
        book = Book(cool_down_ms=COOL_DOWN_MS, lines=self.lines)
        for record in self.ledger.records():
            book.note(record)
        book.finish()
        strange = {code for desk in self.desks for code in desk.refused} - REFUSALS
        strange |= set(self.lobby.refused if self.lobby is not None else ()) - OUTSIDE_REFUSALS
        strange |= set(self.takers.refused if self.takers is not None else ()) - BY_HAND_REFUSALS
        strange |= set(self.passers.refused if self.passers is not None else ()) - PASSING_REFUSALS
        strange |= set(self.parkers.refused if self.parkers is not None else ()) - PARKING_REFUSALS
        codes = [each.event for each in self.ledger.records() if isinstance(each.event, PhoneCodeDialled)]
        strange |= {code.refused for code in codes if code.refused} - PARKING_REFUSALS - {"which_one", "too_late"}
        strange |= set(self.dialers.refused if self.dialers is not None else ()) - DIALLING_REFUSALS
        strange |= set(self.consulters.refused if self.consulters is not None else ()) - CONSULTING_REFUSALS
        strange |= set(self.hangers.refused if self.hangers is not None else ()) - CONSULTING_REFUSALS
        strange |= set(self.supervisors.refused if self.supervisors is not None else ()) - SUPERVISING_REFUSALS
        strange |= set(self.speakers.refused if self.speakers is not None else ()) - SPEAKING_REFUSALS
        strange |= set(self.web.refused if self.web is not None else ()) - WEB_REFUSALS
        if strange:
            raise Broken("refusals", f"a desk was refused with codes that nobody knows: {sorted(strange)}")

    def _compare(self, engine: Engine) -> None:
        now = self.agenda.now
        folded = fold(self.ledger.records() + engine.unstored())
        different = difference(picture(engine.world, now), picture(folded, now))
        if different:
            raise Broken("fold", f"the live world is not the fold of its records: {different}")

    # --- watching ----------------------------------------------------------------------------------------------------
    def stepped(self, engine: Engine, given: Input, outcome: Outcome) -> None:
        self.steps += 1
        rows, now, epoch = self.story.rows, self.agenda.now, engine.epoch
        rows.append((now, epoch, "in", given))
        for record in outcome.records:
            rows.append((now, epoch, "  event", record))
        for instruction in outcome.instructions:
            rows.append((now, epoch, "  tells", instruction))
        if outcome.refused is not None:
            rows.append((now, epoch, "  refused", outcome.refused.code))
        rules = self.rules.get(epoch)
        if rules is None:  # the first step of an engine happens while it is being made
            rules = self._watch(engine)
        rules.stepped(given, outcome)
        if self.hangers is not None and engine.epoch == self.ledger.epoch:
            self.hangers.saw(engine.world, outcome.records)
        if self.routing is not None:
            for record in outcome.records:
                if isinstance(record.event, ContactArrived):
                    self._recognise(engine, self.routing, ident_of(record.stream), record.event.caller_number)

    def _recognise(self, engine: Engine, routing: Routing, contact_id: str, number: str) -> None:
        """The service that knows customers finds out who calls, in its own time."""
        caller = routing.customer(number) if number[-1:].isdigit() else None
        if caller is not None:
            took, customer_id, level = caller
            known = IdentifyContact(contact_id=contact_id, customer_id=customer_id, level=level)
            self.agenda.after(took, partial(engine.command, known))

    def _watch(self, engine: Engine) -> Invariants:
        whole = self.weather.news_is_whole and self.knows_rings
        rules = Invariants(
            engine,
            self.switch,
            self.ledger,
            cool_down_ms=COOL_DOWN_MS,
            lines=self.lines,
            whole=whole,
            page_of=self._page_of,
        )
        self.rules[engine.epoch] = rules
        return rules

    def _page_of(self, number: str) -> Page | None:
        return self.web.pages.get(number) if self.web is not None else None

    def raised(self, engine: Engine, given: Input, error: Exception) -> None:
        self.story.rows.append((self.agenda.now, engine.epoch, "in", given))
        raise Broken("never_raises", f"{type(error).__name__}: {error}") from error

    def committed(self, engine: Engine, records: list[Record]) -> None:
        self.story.rows.append((self.agenda.now, engine.epoch, "committed", f"{len(records)} records"))
        self.rules[engine.epoch].committed(records)

    def wrote(self, engine: Engine, instruction: Instruction) -> None:
        self.story.rows.append((self.agenda.now, engine.epoch, "written", instruction))
        self.rules[engine.epoch].wrote(instruction)

    def happened(self, engine: Engine, what: str) -> None:
        self.story.rows.append((self.agenda.now, engine.epoch, "--", what))
        if "dies" in what:
            if engine.epoch == self.ledger.epoch:
                self._compare(engine)
            self._start_another()

    def note(self, what: str) -> None:
        """A fault, for the story."""
        self.story.rows.append((self.agenda.now, self.ledger.epoch, "--", what))

    # --- engines -----------------------------------------------------------------------------------------------------
    def _start_another(self) -> None:
        if not self._starting:
            self._starting = True
            self.agenda.soon(300, 20_000, self._start)

    def _start(self) -> None:
        if self.ledger.away:
            self.agenda.soon(200, 500, self._start)
            return
        self._starting = False
        if self.engine is not None and self.engine.alive and not self.engine.paused:
            return
        self.engine = Engine(self.agenda, self.dice, self.weather_now(), self.ledger, self, self.connect)
        for desk in self.desks:
            desk.engine = self.engine
        for others in (
            self.web,
            self.takers,
            self.passers,
            self.parkers,
            self.dialers,
            self.consulters,
            self.supervisors,
            self.speakers,
            self.hangers,
            self.lobby,
        ):
            if others is not None:
                others.engine = self.engine

    def weather_now(self) -> Weather:
        """The weather of the run, or none once it has calmed down."""
        return self.weather if self.agenda.now < self._calm_from else Weather()

    # --- what is to happen -------------------------------------------------------------------------------------------
    def _prepare(self) -> None:
        self._configure_first()
        self._start()
        tapes = Wants(self._tape_dice, self.size.tapes)
        for number in range(self.size.agents):
            wild = self.dice.choice((0.0, 0.02, 0.1, 0.4))
            self.desks.append(Desk(self.agenda, self.dice, str(1001 + number), wild=wild, tapes=tapes))
            self.desks[-1].engine = self.engine
        self._open_browsers()
        self._open_lobby()
        if self.size.phones:
            phones = cast("dict[str, Registered]", self.phones)
            self.registrations = Registrations(self.agenda, self._phone_dice, phones, self._register)
        if self.size.hands:
            numbers = [desk.number for desk in self.desks]
            self.takers = Takers(self.agenda, self._hands_dice, numbers, busy=self.size.hands)
            self.takers.engine = self.engine
        lasts_s = self.size.lasts // SECOND
        rush = self.dice.random() < 0.3
        for _ in range(self.size.contacts):
            at = self.dice.uniform(1, 10 if rush else lasts_s * 0.9)
            self.agenda.at(START + int(at * SECOND), partial(self.any_switch().call, self._caller()))
        if self.size.transfers:
            numbers = [desk.number for desk in self.desks]
            self.passers = Passers(self.agenda, self._transfer_dice, numbers, busy=self.size.transfers)
            self.passers.engine = self.engine
        if self.size.parks:
            numbers = [desk.number for desk in self.desks]
            self.parkers = Parkers(self.agenda, self._park_dice, numbers, busy=self.size.parks, dial=self._dial_code)
            self.parkers.engine = self.engine
        if self.size.dials:
            numbers = [desk.number for desk in self.desks]
            self.dialers = Dialers(self.agenda, self._dial_dice, numbers, busy=self.size.dials, until=self._calm_from)
            self.dialers.engine = self.engine
        if self.size.consults:
            numbers = [desk.number for desk in self.desks]
            size = self.size
            self.consulters = Consulters(self.agenda, self._consult_dice, numbers, busy=size.consults, mutes=size.mutes)
            self.consulters.engine = self.engine
        if self.size.monitors:
            numbers = [desk.number for desk in self.desks]
            self.supervisors = Supervisors(self.agenda, self._monitor_dice, numbers, busy=self.size.monitors)
            self.supervisors.engine = self.engine
        if self.size.voices:
            self.speakers = Speakers(self.agenda, self._voice_dice, busy=self.size.voices)
            self.speakers.engine = self.engine
        if self.size.rows:
            self.hangers = Hangers(
                self.agenda,
                self._row_dice,
                self._hang_up,
                busy=self.size.rows,
                gathers=self.size.gathers,
                alone=self.size.alone,
                beside=self.size.beside,
            )
            self.hangers.engine = self.engine
        weather = self.weather
        for count, fault in (
            (weather.flaps, self._flap),
            (weather.restarts, self._restart),
            (weather.crashes, self._crash),
            (weather.pauses, self._pause),
            (weather.absences, self._absence),
            (weather.configurations, self._configure),
            (weather.lonely_phones, self._lonely_phone),
            (weather.closings, self._close),
        ):
            for _ in range(count):
                self.agenda.at(START + int(self.dice.uniform(4, lasts_s - 10) * SECOND), fault)
        for _ in range(weather.pressures):
            begins = START + int(self._pressure_dice.uniform(1, lasts_s * 0.9) * SECOND)
            self.agenda.at(begins, partial(self._press, behind=True))
            self.agenda.at(
                begins + int(self._pressure_dice.uniform(0.2, 8) * SECOND), partial(self._press, behind=False)
            )
        for _ in range(self.size.phones):
            self.agenda.at(START + int(self._phone_dice.uniform(1, lasts_s) * SECOND), self._lose_phone)
        for _ in range(self.size.nodes):
            for trouble in (self._kill_node, self._part_node, self._drain_node):
                self.agenda.at(START + int(self._node_dice.uniform(5, lasts_s * 0.9) * SECOND), trouble)
        for moment in self.door.moments(lasts_s):
            self.agenda.at(moment, self._change_the_door)
        self.agenda.at(self._calm_from, self._calm_down)

    def _hang_up(self, leg: str, cause: str) -> None:
        """Whoever has this leg puts down, or is lost, if it is still there."""
        for switch in self.switches:
            if switch.lives(leg):
                switch.lose(switch.legs[leg], cause)

    @property
    def rows_hit(self) -> Counter[Row]:
        """How often each row of the table was played."""
        return sum((rules.judge.hits for rules in self.rules.values()), Counter())

    @property
    def rows_lost(self) -> Counter[Row]:
        """The same of those whose phone's switch could not be heard."""
        return sum((rules.judge.lost for rules in self.rules.values()), Counter())

    @property
    def several_came(self) -> int:
        """How often more than one guest was on the way in as whoever was asked first left."""
        return sum(rules.judge.several for rules in self.rules.values())

    def _change_the_door(self) -> None:
        changes = [] if self.ledger.away else self.door.change(self.agenda.now)
        if changes:
            self.note(f"somebody changes {changes[0][0]}")
            self._apply(changes, version=not changes[0][0].startswith("blacklist"))

    def _open_browsers(self) -> None:
        mine = [desk for desk in self.desks if self._desk_dice.random() < self.size.browsers]
        if mine:
            self.web = Web(self.agenda, self._desk_dice, [desk.number for desk in mine])
            self.web.engine = self.engine
            self.web.trouble(START, self._calm_from)
            for desk in mine:
                desk.page = self.web.pages[desk.number]

    def _open_lobby(self) -> None:
        if self.size.outside:
            self.lobby = Lobby(self.agenda, self._outside_dice, until=self._calm_from)
            self.lobby.engine = self.engine
            self.lobby.again = lambda caller: self.any_switch().call(caller)

    def _caller(self) -> Caller:
        dice = self.dice
        return Caller(
            dialled=dice.choice(("4001", "4001", "4001", "4002", "4099")),
            patience_ms=int(dice.uniform(1, 400) if dice.random() < 0.1 else dice.uniform(5_000, 250_000)),
            talk_ms=int(dice.choice((dice.uniform(1, 300), dice.uniform(2_000, 40_000)))),
            gives_up_when=dice.choice(_MOMENTS),
            gives_up_ms=int(dice.choice((0, dice.uniform(0, 60), dice.uniform(0, 2_000)))),
            name=dice.choice(("Ann", 'x"y', "a\nEvent-Name: FORGED", "李雷")),
            number=self.door.number(self._number(dice.choice(("+8613800138000", "anonymous", "")))),
        )

    def _number(self, plain: str) -> str:
        return self.routing.number() if self.routing is not None else plain

    def _configure_first(self) -> None:
        dice = self.dice
        many = self.size.ring_at_once or dice.choice((1, 1, 2, 3))
        for queue_id, skill in (("support", "zh"), ("sales", "sell")):
            self._settings[queue_id] = QueueConfigured(
                name=queue_id,
                skill=skill,
                min_level=dice.choice((1, 1, 3)),
                ring_ms=dice.choice((5_000, 12_000)),
                wrap_up_ms=dice.choice((0, 2_000, 10_000)),
                wrap_up_most_ms=11_000,
                max_wait_ms=dice.choice((20_000, 60_000, 120_000)),
                cool_down_ms=COOL_DOWN_MS,
                ring_at_once=many,
                record=ALWAYS if self._talk_dice.random() < 0.7 else NEVER,
                announce_agent=self._talk_dice.random() < 0.8,
                pick=self._hands_dice.choice(("skilled", "skilled", "anyone", "nobody"))
                if self.size.hands
                else "nobody",
                tell_place_every_ms=self._place_dice.choice((0, 4_000, 15_000)) if self.size.places else 0,
            )
        if self.size.tapes:
            self._settings = {key: self._taped(plain) for key, plain in self._settings.items()}
        if self.size.parks:
            self._settings = {key: self._parked(plain) for key, plain in self._settings.items()}
        door = self.door
        if self.routing is not None:
            self._settings = {key: self.routing.queue(plain) for key, plain in self._settings.items()}
        self._settings = {key: door.queue(value) for key, value in self._settings.items()}
        changes: list[tuple[str, Event]] = self.routing.places() if self.routing is not None else []
        changes += [(f"queue-{key}", value) for key, value in self._settings.items()]
        numbers = ("4001", "*") if dice.random() < 0.7 else ("4001",)
        changes.append(("entry-main", door.entry(self._entry("main", numbers, "support"))))
        changes.append(("entry-shop", door.entry(self._entry("shop", ("4002",), "sales"))))
        changes += door.changes(self._settings["sales"])
        if self.size.tapes:
            most_ms = self._tape_dice.choice((2_000, 10_000, 60_000))
            rule = self._tape_dice.choices(OF_SITE, (80, 10, 10))[0]
            changes.append(("recordings-main", RecordingsConfigured(rule=rule, mask_most_ms=most_ms)))
        if self.size.consults or self.size.rows:
            changes.append(
                (
                    "conference-main",
                    ConferenceConfigured(
                        most=self._room_dice.choice(
                            (5, 8) if self.size.gathers or self.size.beside else (3, 4, 4, 5, 5, 8)
                        )
                    ),
                )
            )
        if self.size.outside:
            self._allow_outside(changes)
        if self.size.dials:
            self._allow_dialling(changes)
        for number in range(self.size.agents):
            extension = str(1001 + number)
            changes.append((f"agent-a{extension}", self._agent(extension)))
            manner = "answers" if self.size.willing else dice.choice(_MANNERS)
            self.phones[extension] = Phone(
                extension,
                manner=manner,
                ring_ms=dice.choice(((100, 400), (500, 4_000), (500, 15_000))) if not self.size.prompt else (0, 0),
                talks_auto=dice.random() < 0.7,
                registered=dice.random() < 0.97,
                lines=self.lines,
                at=self._node_dice.choice(self.switches).node if self.size.nodes else "",
            )
        self._apply(changes)

    def _allow_outside(self, changes: list[tuple[str, Event]]) -> None:
        """Rules for calls to the outside, and queues whose overflow leads there."""
        dice = self._outside_dice
        for place, (name, event) in enumerate(changes):
            if isinstance(event, QueueConfigured):
                queue = structs.replace(
                    event,
                    callback_tries=dice.randint(1, 3),
                    callback_again_ms=dice.choice((0, 3_000, 15_000)),
                    callback_most_wait_ms=dice.choice((20_000, 90_000)),
                    overflow=(*event.overflow, *self._spills_outside()),
                )
                self._settings[ident_of(name)] = queue
                changes[place] = (name, queue)
        rules = OutsideConfigured(
            allowed=("+86",), refused=("+8690",), at_most=dice.choice((1, 3, 20)), ring_ms=dice.choice((3_000, 9_000))
        )
        changes.append(("outside-main", rules))

    def _allow_dialling(self, changes: list[tuple[str, Event]]) -> None:
        """Rules for calls to the outside, where callers have none; and the numbers of the house's branches."""
        dice = self._dial_dice
        rules = OutsideConfigured(allowed=("+86",), refused=("+8690",), at_most=dice.choice((1, 3, 20)), ring_ms=6_000)
        names = [name for name, _ in changes]
        if "outside-main" in names:
            found = changes.pop(names.index("outside-main"))[1]
            rules = found if isinstance(found, OutsideConfigured) else rules
        shown = {"north": OWN} if dice.random() < 0.5 else {}
        dials = structs.replace(rules, show=OWN, show_at=shown, dial_queue=dice.choice(("", "support", "nowhere")))
        changes.append(("outside-main", dials))

    def _parked(self, queue: QueueConfigured) -> QueueConfigured:
        dice = self._park_dice
        pick = queue.pick if self.size.hands else dice.choice(("skilled", "skilled", "anyone", "nobody"))
        return structs.replace(queue, park_ms=dice.choice((4_000, 15_000, 60_000)), pick=pick)

    def _taped(self, queue: QueueConfigured) -> QueueConfigured:
        return structs.replace(queue, record=self._tape_dice.choices(OF_QUEUES, (60, 20, 10, 10))[0])

    def _spills_outside(self) -> Iterator[Spill]:
        dice = self._outside_dice
        for _ in range(dice.choice((0, 0, 1, 3))):
            to = dice.choice(("callback", f"outside:{NUMBERS[0]}", f"outside:{NUMBERS[2]}"))
            when = dice.choice(("wait", "length", "nobody"))
            yield Spill(when=when, after_ms=dice.choice((4_000, 15_000)), over=dice.choice((1, 6)), to=to)

    def _agent(self, extension: str) -> AgentConfigured:
        dice = self.dice
        skills = {skill: dice.randint(1, 5) for skill in ("zh", "sell") if dice.random() < 0.7}
        several = {"voice": self.lines} if self.lines > 1 else {}
        plain = AgentConfigured(number=extension, name="An Agent", extension=extension, skills=skills, capacity=several)
        if self.size.at_desk and self._tape_dice.random() < self.size.at_desk:
            plain = structs.replace(plain, answer=AT_DESK)
        if self.size.tapes:
            # Whoever is configured anew in mid-talk is recorded as before: by which rule this talk is, was decided.
            drawn = self._tape_dice.choices(OF_AGENTS, (70, 10, 10, 10))[0]
            plain = structs.replace(plain, record=self._records.setdefault(extension, drawn))
        return self.routing.agent(plain) if self.routing is not None else plain

    def _entry(self, name: str, numbers: tuple[str, ...], queue_id: str) -> EntryPointConfigured:
        plain = EntryPointConfigured(name=name, numbers=numbers, queue_id=queue_id)
        return self.routing.entry(plain) if self.routing is not None else plain

    def _apply(self, changes: list[tuple[str, Event]], *, version: bool = True) -> None:
        """Append to desk streams; what is configuration comes with a `version` of it."""
        if version:
            changed = tuple(sorted(name for name, _ in changes))
            changes.append(("config-main", ConfigurationApplied(digest="", changed=changed)))
        records = [
            Record(
                stream=stream,
                version=self.ledger.version(stream) + 1,
                event=event,
                event_id=derived_id("configuration", stream, self.ledger.version(stream) + 1),
                about=Provenance(at=self.agenda.now, actor="admin:test", origin="config"),
            )
            for stream, event in changes
        ]
        self.ledger.configure(records)
        engine = self.engine
        if engine is not None and engine.alive:
            for record in records:
                engine.follow(record)

    # --- faults ------------------------------------------------------------------------------------------------------
    def _calm_down(self) -> None:
        self.note("the weather calms down")
        calm = Weather(parks_on_cancel=self.weather.parks_on_cancel)
        for switch in self.switches:
            switch.weather = calm
        if self.engine is not None:
            self.engine.link.calm(calm)
            self.engine.crash_after_commits = -1

    def _press(self, *, behind: bool) -> None:
        self.note("the switch falls behind" if behind else "the switch keeps up")
        if self.engine is not None:
            self.engine.link.press(behind=behind)

    def _flap(self) -> None:
        self.note("the event socket is lost")
        if self.engine is not None:
            self.engine.link.cut(self.any_switch().node)

    def _restart(self) -> None:
        orderly = self.dice.random() < 0.3
        self.note(f"the switch {'shuts down' if orderly else 'dies'}")
        self.any_switch().restart(self.dice.randint(200, 8_000), orderly=orderly)

    def _crash(self) -> None:
        engine = self.engine
        if engine is None or not engine.alive:
            return
        if self.dice.random() < 0.7:
            engine.crash_after_commits = self.dice.randint(1, 4)
        else:
            engine.die("SIGKILL")

    def _pause(self) -> None:
        engine = self.engine
        if engine is None or not engine.acting:
            return
        engine.pause()
        gone_for = int(self.dice.choice((self.dice.uniform(0.1, 1.4), self.dice.uniform(1.5, 6))) * SECOND)
        if gone_for > STALE:
            self.agenda.after(STALE + self.dice.randint(0, 300_000), self._start)
        self.agenda.after(gone_for, engine.resume)

    def _absence(self) -> None:
        self.note("the database goes away")
        self.ledger.away = True

        def back() -> None:
            self.note("the database answers again")
            self.ledger.away = False

        self.agenda.after(int(self.dice.choice((self.dice.uniform(0.1, 3), self.dice.uniform(3, 40))) * SECOND), back)

    def _configure(self) -> None:
        if self.ledger.away:
            return
        dice = self.dice
        extension = str(1001 + dice.randrange(self.size.agents))
        queue_id = dice.choice(sorted(self._settings))
        choice = dice.randrange(5)
        if choice == 0:
            change: tuple[str, Event] = (f"agent-a{extension}", AgentRemoved())
        elif choice == 1:
            change = (f"queue-{queue_id}", QueueRemoved())
        elif choice == 2:
            change = (f"queue-{queue_id}", self._settings[queue_id])
        elif choice == 3 and self.routing is not None:
            change = self.routing.change(f"queue-{queue_id}", self._settings[queue_id])
        else:
            change = (f"agent-a{extension}", self._agent(extension))
        self.note(f"somebody changes {change[0]}")
        self._apply([change])

    def _close(self) -> None:
        self.note("somebody ends everything")
        if self.engine is not None:
            self.engine.command(EndAll())

    def _lose_phone(self) -> None:
        if self.registrations is not None:
            self.registrations.lose_one()

    def _kill_node(self) -> None:
        """A switch is gone for longer than it may be silent, or just not, and comes back empty."""
        switch = self._node_dice.choice(self.switches)
        self.note(f"{switch.node} is dead for a while")
        switch.restart(self._node_dice.choice((20_000, 58_000, 75_000)), orderly=False)

    def _part_node(self) -> None:
        """The network between us and a switch is away, its calls go on."""
        node = self._node_dice.choice(self.switches).node
        self.note(f"the network to {node} is away")
        if self.engine is not None:
            self.engine.link.part(node, self._node_dice.choice((20_000, 58_000, 75_000)))

    def _drain_node(self) -> None:
        node = self._node_dice.choice(self.switches).node
        self.note(f"somebody drains {node}")
        if self.engine is not None:
            self.engine.command(DrainNode(node=node, by="admin:test"))
        self.agenda.after(int(self._node_dice.uniform(1, 60) * SECOND), partial(self._undrain_node, node))

    def _undrain_node(self, node: str) -> None:
        """Again and again: whoever asks may not be heard."""
        engine = self.engine
        if engine is not None and engine.acting:
            engine.command(UndrainNode(node=node, by="admin:test"))
        self.agenda.after(15 * SECOND, partial(self._undrain_node, node))

    def _register(self, extension: str, registered: bool) -> None:  # noqa: FBT001 - a callback's argument
        if self.phones[extension].registered != registered:
            self.note(f"phone {extension} {'registers' if registered else 'is gone'}")
        for switch in self.switches:
            switch.register(extension, registered=registered)

    def _lonely_phone(self) -> None:
        phone = self.phones[str(1001 + self.dice.randrange(self.size.agents))]
        self.any_switch().dial_alone(phone)

    def _dial_code(self, extension: str, code: str) -> None:
        phone = self.phones.get(extension)
        if phone is not None and self.agenda.now < self._calm_from:
            self.note(f"phone {extension} dials {code}")
            self.any_switch().dial_alone(phone, code)
