"""Which events a policy is asked about: all that its code names, and nothing is lost where it is not asked."""

import ast
import inspect
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from orchestrator.domain.catalogue import CATALOGUE
from orchestrator.domain.contacts import contacts as c
from orchestrator.domain.kernel import Event
from orchestrator.domain.staff.shifts import AgentSignedOut
from orchestrator.domain.world import World
from orchestrator.policies import POLICIES
from orchestrator.policies.base import Do, Happened, Ids, Policy, asked_about, concerned


def named(policy: Policy) -> set[type[Event]]:
    """The classes of events that a policy tells apart, itself or in functions of its module that it comes to."""
    module = sys.modules[policy.__module__]
    functions = {
        node.name: node for node in ast.parse(inspect.getsource(module)).body if isinstance(node, ast.FunctionDef)
    }
    seen: set[str] = set()
    todo = [policy.__name__]
    found: set[type[Event]] = set()
    while todo:
        name = todo.pop()
        if name in seen or name not in functions:
            continue
        seen.add(name)
        for statement in functions[name].body:
            for node in ast.walk(statement):
                if isinstance(node, ast.Name):
                    todo.append(node.id)
                found.update(_events(node, module))
    return found


def _events(node: ast.AST, module: ModuleType) -> Iterator[type[Event]]:
    match node:
        case ast.MatchClass(cls=cls):
            words = [cls]
        case ast.Call(func=ast.Name(id="isinstance"), args=[_, classes]):
            words = [each for each in ast.walk(classes) if isinstance(each, ast.Name | ast.Attribute)]
        case _:
            return
    for word in words:
        thing = eval(ast.unparse(word), vars(module))  # noqa: S307 - a name in our own source
        if isinstance(thing, type) and issubclass(thing, Event):
            yield thing


def unheard(policy: Policy) -> set[str]:
    """The events that a policy's code names and that it is not asked about."""
    asked = concerned((policy,))
    kinds = named(policy)
    return {entry.name for entry in CATALOGUE.values() if issubclass(entry.cls, tuple(kinds)) and not asked[entry.cls]}


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.__name__)
def test_a_policy_is_asked_about_every_event_that_its_code_names(policy: Policy) -> None:
    assert named(policy), "a policy names no event at all: this test does not understand it"
    assert unheard(policy) == set()


@asked_about(c.ContactQueued)
def forgetful(_world: World, happened: Happened, _ids: Ids) -> Iterator[Do]:
    """Whenever its declaration was forgotten, then the test above says of which events."""
    match happened.record.event:
        case c.ContactQueued() | c.ContactArrived():
            return
    yield from _elsewhere(happened)


def _elsewhere(happened: Happened) -> Iterator[Do]:
    if isinstance(happened.record.event, c.OfferClosed | AgentSignedOut):
        return
    yield from ()


def test_what_a_declaration_leaves_out_is_found() -> None:
    """Also in a function that the policy calls, and for every event derived from the one that is named."""
    closings = {entry.name for entry in CATALOGUE.values() if issubclass(entry.cls, c.OfferClosed)}
    assert len(closings) > 1
    assert unheard(forgetful) == {"ContactArrived", "AgentSignedOut", *closings}


def test_whoever_declares_nothing_is_asked_about_everything_and_the_order_stays() -> None:
    def silent(_world: World, _happened: Happened, _ids: Ids) -> tuple[()]:
        return ()

    asked = concerned((silent, *POLICIES, forgetful))
    assert set(asked) == {entry.cls for entry in CATALOGUE.values()}
    assert all(policies[0] is silent for policies in asked.values())
    order = (silent, *POLICIES, forgetful)
    assert all(sorted(policies, key=order.index) == list(policies) for policies in asked.values())
    assert asked[c.ContactQueued][-1] is forgetful
    assert forgetful not in asked[c.ContactArrived]
