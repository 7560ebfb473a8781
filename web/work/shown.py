"""Orders and their steps as screens show them: opened, with the names that their type gives."""

from collections.abc import Sequence

from msgspec import Struct

from orchestrator.domain.work.ordertypes import FieldSpec, OrderType, label
from projections.work_orders import Order, Step
from web.parts import parts

_PERSONAL = "personal."


class Value(Struct, frozen=True):
    """One field of an order. `path` is where it stands in the events, for having it revealed."""

    name: str
    kind: str
    text: str
    path: str


class Done(Struct, frozen=True):
    """One event of an order. `text` is what somebody wrote with it."""

    step: Step
    state: str
    text: str


def values_of(order: Order, known: OrderType, language: str) -> list[Value]:
    """The fields that have a value, in the type's order; then those that the type no longer has."""
    personal = {path: text for path, text in order.sealed.items() if path.startswith(_PERSONAL)}
    wanted = [(f"order-{order.order_id}", path, text) for path, text in personal.items()]
    opened = dict(zip(personal, parts().reading.opened(wanted), strict=True))
    values = {**order.fields, **{path.removeprefix(_PERSONAL): text for path, text in opened.items()}}
    specs = {field.id: field for field in known.settings.fields}
    names = [*(name for name in specs if name in values), *sorted(values.keys() - specs.keys())]
    paths = {name: path for path in opened if (name := path.removeprefix(_PERSONAL))}
    return [_value(name, values[name], specs.get(name), paths.get(name, ""), language) for name in names]


def steps_of(steps: Sequence[Step], known: OrderType, language: str) -> list[Done]:
    """The history, the first event first."""
    written = [(step, next((path for path in ("text", "note") if path in step.sealed), "")) for step in steps]
    texts = iter(parts().reading.opened([(f"order-{s.order_id}", path, s.sealed[path]) for s, path in written if path]))
    found = []
    for step, path in written:
        state = known.state(step.state)
        name = step.state if state is None else label(state, language)
        found.append(Done(step, name, next(texts) if path else ""))
    return found


def _value(name: str, text: str, spec: FieldSpec | None, path: str, language: str) -> Value:
    if spec is None:
        return Value(name, "text", text, path)
    if spec.kind == "choice":
        text = next((label(choice, language) for choice in spec.choices if choice.id == text), text)
    return Value(label(spec, language), spec.kind, text, path)
