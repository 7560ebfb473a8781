"""Everything that a program can ask for, in one table: routes, permissions and the OpenAPI document come from it."""

from collections.abc import Callable, Collection
from functools import cached_property
from inspect import signature
from typing import Any, Final, Literal, get_type_hints

from msgspec import Struct

from projections import (
    agent_workload,
    audit_trail,
    contact_log,
    customer_timeline,
    customers,
    half_hours,
    queue_state,
    work_orders,
)
from projections import blacklist as blacklist_model
from projections import recordings as recordings_model
from web.access.roles import SIGNED_IN
from web.api import (
    access,
    agents,
    asof,
    blacklist,
    commands,
    configuration,
    contacts,
    floor,
    ledger,
    nodes,
    orders,
    ordertypes,
    reasons,
    recordings,
    sizing,
    waiting,
)
from web.api import customers as files
from web.api.forms import Nothing, Query

LIVE: Final = "live"
"""Stands among `models` for what is read from the live state."""


class Operation(Struct, frozen=True, dict=True):
    """One method of one path. What it carries and answers stands in the annotations of `handler`."""

    method: Literal["GET", "POST", "PATCH", "PUT", "DELETE"]
    path: str
    permission: str
    handler: Callable[..., Any]
    models: tuple[str, ...] = ()
    """What `after` waits for."""
    status: int = 200
    secret: bool = False
    """The answer holds what is told once only."""
    also: tuple[str, ...] = ()
    """Besides `permission`, one of these is needed: what was, is for those who may see what is."""

    def is_open_to(self, granted: Collection[str]) -> bool:
        """Whether these permissions are enough."""
        return self.permission in granted and (not self.also or any(each in granted for each in self.also))

    @property
    def needed(self) -> str:
        """The permissions, as a sentence names them."""
        return f"`{self.permission}`" + (f" and {' or '.join(f'`{each}`' for each in self.also)}" if self.also else "")

    @property
    def name(self) -> str:
        """The area and the function, `contacts_search`: endpoint and operationId."""
        return f"{self.handler.__module__.rpartition('.')[2]}_{self.handler.__name__}"

    @property
    def tag(self) -> str:
        """The resource."""
        return self.path.split("/")[1]

    @property
    def summary(self) -> str:
        """What it is called."""
        return (self.handler.__doc__ or "").partition("\n")[0]

    @cached_property
    def hints(self) -> dict[str, Any]:
        """The annotations of the handler."""
        return get_type_hints(self.handler, include_extras=True)

    @property
    def writes(self) -> bool:
        return self.method != "GET"

    @property
    def query(self) -> type[Struct]:
        """What may stand behind `?`."""
        found: type[Struct] = self.hints.get("query", Nothing if self.writes else Query)
        return found

    @property
    def body(self) -> type[Struct]:
        """What may stand in the body."""
        found: type[Struct] = self.hints.get("body", Nothing)
        return found

    @property
    def answer(self) -> Any:  # noqa: ANN401 - a struct, or a generic one of something
        return self.hints["return"]

    def carry_out(self, **given: Any) -> Any:  # noqa: ANN401 - what the handler takes and answers
        """Call the handler with what it takes of this."""
        return self.handler(**{name: given[name] for name in signature(self.handler).parameters})


_CUSTOMER: Final = (customers.NAME, customer_timeline.NAME, work_orders.NAME)

OPERATIONS: Final = (
    Operation("GET", "/contacts", "history.search", contacts.search, (contact_log.NAME,)),
    Operation("GET", "/contacts/{contact_id}", "history.search", contacts.one, (contact_log.NAME,)),
    Operation("GET", "/contacts/{contact_id}/events", "history.search", contacts.events, (LIVE,)),
    Operation("GET", "/contacts/{contact_id}/why", "history.search", contacts.why, (LIVE,)),
    Operation("POST", "/contacts/{contact_id}/notes", "customers.edit", contacts.note, status=201),
    Operation("POST", "/contacts/{contact_id}/customer", "customers.edit", contacts.identify),
    Operation("POST", "/contacts/{contact_id}/callback", "floor.direct", waiting.ask_callback),
    Operation("POST", "/contacts/{contact_id}/callback/cancel", "floor.direct", waiting.call_off),
    Operation("GET", "/callbacks", "floor.watch", waiting.planned, (LIVE,)),
    Operation("POST", "/contacts/{contact_id}/outside", "floor.direct", contacts.send_outside),
    Operation("GET", "/waiting", "waiting.take", waiting.waiting, (LIVE,)),
    Operation("GET", "/parked", "waiting.take", waiting.parked, (LIVE,)),
    Operation("POST", "/contacts/{contact_id}/pick", "waiting.take", waiting.pick),
    Operation("POST", "/contacts/{contact_id}/move", "waiting.direct", waiting.move),
    Operation("POST", "/contacts/{contact_id}/priority", "waiting.direct", waiting.prioritise),
    Operation("GET", "/queues", "floor.watch", floor.queues, (LIVE, queue_state.NAME)),
    Operation("GET", "/agents", "floor.watch", agents.search, (LIVE, agent_workload.NAME)),
    Operation("GET", "/agents/{number}", "agents.act", agents.seat, (LIVE,)),
    Operation("POST", "/agents/{number}/sign-in", "agents.act", commands.sign_in),
    Operation("POST", "/agents/{number}/ready", "agents.act", commands.ready),
    Operation("POST", "/agents/{number}/pause", "agents.act", commands.pause),
    Operation("POST", "/agents/{number}/accept", "agents.act", commands.accept),
    Operation("POST", "/agents/{number}/reject", "agents.act", commands.reject),
    Operation("POST", "/agents/{number}/hold", "agents.act", commands.hold),
    Operation("POST", "/agents/{number}/resume", "agents.act", commands.resume),
    Operation("POST", "/agents/{number}/start-recording", "agents.act", commands.start_recording),
    Operation("POST", "/agents/{number}/stop-recording", "agents.act", commands.stop_recording),
    Operation("POST", "/agents/{number}/mask-recording", "agents.act", commands.mask_recording),
    Operation("POST", "/agents/{number}/unmask-recording", "agents.act", commands.unmask_recording),
    Operation("POST", "/agents/{number}/mute", "agents.act", commands.mute),
    Operation("POST", "/agents/{number}/unmute", "agents.act", commands.unmute),
    Operation("POST", "/agents/{number}/send-digits", "agents.act", commands.send_digits),
    Operation("POST", "/agents/{number}/hang-up", "agents.act", commands.hang_up),
    Operation("POST", "/agents/{number}/transfer", "agents.act", commands.transfer),
    Operation("POST", "/agents/{number}/dial", "calls.dial", commands.dial),
    Operation("POST", "/agents/{number}/park", "agents.act", commands.park),
    Operation("POST", "/agents/{number}/retrieve", "agents.act", commands.retrieve),
    Operation("POST", "/agents/{number}/consult", "agents.act", commands.consult),
    Operation("POST", "/agents/{number}/consult/switch", "agents.act", commands.switch_consult),
    Operation("POST", "/agents/{number}/consult/confer", "agents.act", commands.confer),
    Operation("POST", "/agents/{number}/consult/complete", "agents.act", commands.complete_consult),
    Operation("POST", "/agents/{number}/consult/end", "agents.act", commands.end_consult),
    Operation("POST", "/agents/{number}/conference/invite", "agents.act", commands.invite),
    Operation("POST", "/agents/{number}/conference/let-go", "agents.act", commands.let_go),
    Operation("POST", "/agents/{number}/conference/hold", "agents.act", commands.hold_member),
    Operation("POST", "/agents/{number}/conference/recall", "agents.act", commands.recall_member),
    Operation("POST", "/agents/{number}/conference/alone", "agents.act", commands.speak_alone),
    Operation("POST", "/agents/{number}/conference/mute", "agents.act", commands.mute_member),
    Operation("POST", "/agents/{number}/conference/unmute", "agents.act", commands.unmute_member),
    Operation("POST", "/agents/{number}/monitor", "talks.listen", commands.monitor),
    Operation("POST", "/agents/{number}/monitor/end", "talks.listen", commands.end_monitor),
    Operation("POST", "/agents/{number}/take-over", "talks.enter", commands.take_over),
    Operation("POST", "/agents/{number}/force", "floor.direct", commands.force),
    Operation("POST", "/agents/{number}/wrap-up", "agents.act", commands.wrap_up),
    Operation("POST", "/agents/{number}/extend-wrap-up", "agents.act", commands.extend_wrap_up),
    Operation("POST", "/agents/{number}/sign-out", "agents.act", commands.sign_out),
    Operation("POST", "/agents/{number}/mark-nuisance", "agents.act", commands.mark_nuisance),
    Operation("GET", "/blacklist", "blacklist.see", blacklist.every, (blacklist_model.NAME,)),
    Operation("POST", "/blacklist", "blacklist.keep", blacklist.add, status=201),
    Operation("PATCH", "/blacklist/{blacklisting_id}", "blacklist.keep", blacklist.change),
    Operation("POST", "/blacklist/{blacklisting_id}/expire", "blacklist.keep", blacklist.expire),
    Operation("POST", "/blacklist/{blacklisting_id}/lift", "blacklist.keep", blacklist.lift),
    Operation("GET", "/recordings", "recordings.hear", recordings.search, (recordings_model.NAME, customers.NAME)),
    Operation("GET", "/recordings/{name}", "recordings.hear", recordings.one, (recordings_model.NAME,)),
    Operation("POST", "/recordings/{name}/holds", "recordings.hold", recordings.hold, status=201),
    Operation("POST", "/recordings/{name}/holds/{hold_id}/lift", "recordings.hold", recordings.lift),
    Operation("GET", "/reasons", SIGNED_IN, reasons.everything, (LIVE,)),
    Operation("GET", "/customers", "customers.see", files.search, (customers.NAME,)),
    Operation("POST", "/customers", "customers.edit", files.create, status=201),
    Operation("GET", "/customers/{customer_id}", "customers.see", files.one, (customers.NAME,)),
    Operation("PATCH", "/customers/{customer_id}", "customers.edit", files.change),
    Operation("POST", "/customers/{customer_id}/numbers", "customers.edit", files.add_number, status=201),
    Operation("POST", "/customers/{customer_id}/notes", "customers.edit", files.add_note, status=201),
    Operation("GET", "/customers/{customer_id}/timeline", "customers.see", files.timeline, _CUSTOMER),
    Operation("GET", "/orders", "work.see", orders.search, (work_orders.NAME,)),
    Operation("POST", "/orders", "work.open", orders.create, status=201),
    Operation("GET", "/orders/{order_id}", "work.see", orders.one, (work_orders.NAME,)),
    Operation("PATCH", "/orders/{order_id}", "work.handle", orders.amend),
    Operation("GET", "/orders/{order_id}/history", "work.see", orders.history, (work_orders.NAME,)),
    Operation("POST", "/orders/{order_id}/assign", "work.handle", orders.assign),
    Operation("POST", "/orders/{order_id}/notes", "work.handle", orders.note, status=201),
    Operation("POST", "/orders/{order_id}/moves", "work.handle", orders.move, status=201),
    Operation("GET", "/order-types", "work.see", ordertypes.types, (work_orders.NAME,)),
    Operation("GET", "/configuration", "routing.see", configuration.show),
    Operation("GET", "/configuration/versions", "routing.see", configuration.versions),
    Operation("GET", "/configuration/versions/{number}", "routing.see", configuration.version),
    Operation("POST", "/configuration/plan", "routing.edit", configuration.plan),
    Operation("POST", "/configuration/apply", "routing.apply", configuration.apply),
    Operation("GET", "/events", "audit.see", ledger.events, (audit_trail.NAME,)),
    Operation("GET", "/events/{position}", "audit.see", ledger.event, (LIVE,)),
    Operation("GET", "/replay", "replay.watch", ledger.replay),
    Operation("GET", "/asof/queues", "replay.watch", asof.queues),
    Operation("GET", "/asof/queues/{queue_id}", "replay.watch", asof.queue),
    Operation("GET", "/asof/agents", "replay.watch", asof.agents),
    Operation("GET", "/asof/agents/{number}", "replay.watch", asof.agent),
    Operation("GET", "/asof/contacts", "replay.watch", asof.contacts),
    Operation("GET", "/asof/contacts/{contact_id}", "replay.watch", asof.contact, also=("history.search",)),
    Operation("GET", "/asof/customers/{customer_id}", "replay.watch", asof.customer, also=("customers.see",)),
    Operation("GET", "/asof/orders/{order_id}", "replay.watch", asof.order, also=("work.see",)),
    Operation("GET", "/asof/configuration", "replay.watch", asof.configuration, also=("routing.see", "audit.see")),
    Operation("GET", "/sizing", "sizing.see", sizing.day, (half_hours.NAME,)),
    Operation("GET", "/sizing/plan", "sizing.see", sizing.plan),
    Operation("GET", "/nodes", "floor.watch", nodes.nodes, (LIVE,)),
    Operation("POST", "/nodes/{node}/drain", "nodes.drain", nodes.drain),
    Operation("POST", "/nodes/{node}/undrain", "nodes.drain", nodes.undrain),
    Operation("GET", "/position", SIGNED_IN, ledger.position),
    Operation("GET", "/users", "users.manage", access.everybody),
    Operation("POST", "/users", "users.manage", access.add, status=201, secret=True),
    Operation("PUT", "/users/{user_id}/roles", "users.manage", access.grant),
    Operation("POST", "/users/{user_id}/disable", "users.manage", access.disable),
    Operation("POST", "/users/{user_id}/enable", "users.manage", access.enable),
    Operation("GET", "/tokens", "users.manage", access.all_tokens),
    Operation("POST", "/tokens", "users.manage", access.issue, status=201, secret=True),
    Operation("POST", "/tokens/{token_id}/revoke", "users.manage", access.revoke),
)
