"""Replies of the simulated switch are those that a real FreeSWITCH 1.11 gave to the same commands."""

import json

import pytest

from tests.simulator.stage import Stage

# Asked of a real switch without a channel, in this order, with the words `nope` for a leg.
_USERS = "userid|context|domain|group|contact|callgroup|effective_caller_id_name|effective_caller_id_number\n"
ASKED = (
    ("uuid_exists nope", "false"),
    ("uuid_kill nope", "-ERR No such channel!\n"),
    ("uuid_kill", "-USAGE: <uuid> [cause]\n"),
    ("uuid_bridge a b", "-ERR Invalid uuid\n"),
    ("uuid_bridge", "-USAGE: <uuid> <other_uuid>\n"),
    ("uuid_setvar nope a b", "-ERR No such channel!\n"),
    ("uuid_setvar", "-USAGE: <uuid> <var> [value]\n"),
    ("uuid_setvar_multi nope a=b", "-ERR No such channel!\n-USAGE: <uuid> <var>=<value>;<var>=<value>...\n"),
    ("uuid_getvar nope a", "-ERR No such channel!\n"),
    ("uuid_hold nope", "+OK Success\n"),
    ("uuid_hold off nope", "+OK Success\n"),
    ("uuid_hold", "-USAGE: [off|toggle] <uuid> [<display>]\n-ERR Operation failed\n"),
    ("uuid_break nope all", "-ERR No such channel!\n"),
    ("uuid_break", "-USAGE: <uuid> [all]\n"),
    ("uuid_transfer nope 1", "-ERR No such channel!\n"),
    ("uuid_transfer", "-USAGE: <uuid> [-bleg|-both] <dest-exten> [<dialplan>] [<context>]\n"),
    ("uuid_record nope start /tmp/x.wav", "-ERR Cannot locate session!\n"),
    ("uuid_record", "-USAGE: <uuid> [start|stop|mask|unmask] <path> [<limit>] [<recording_vars>]\n"),
    ("uuid_displace nope start file_string://a.wav 0 mux", "-ERR Cannot locate session!\n"),
    ("uuid_displace", "-USAGE: <uuid> [start|stop] <path> [<limit>] [mux]\n"),
    ("uuid_dump nope json", "-ERR No such channel!\n"),
    ("uuid_dump", "-USAGE: <uuid> [format]\n"),
    ("uuid_send_dtmf nope 1", "-ERR Cannot locate session!\n"),
    ("uuid_recv_dtmf nope 1", "-ERR Cannot locate session!\n"),
    ("uuid_answer nope", "-ERROR\n"),
    ("uuid_park nope", "-ERR No such channel!\n"),
    ("uuid_broadcast nope x aleg", "-ERR invalid uuid\n"),
    ("uuid_phone_event nope talk", "-ERR Operation failed\n"),
    ("global_setvar ringledger_alive=123", "+OK"),
    ("global_getvar ringledger_alive", "123"),
    ("global_setvar", "-USAGE: <var>=<value> [=<value2>]\n"),
    ("show channels as json", '{"row_count": 0}\n'),
    ("show channels", "\n0 total.\n"),
    ("show channels count", "\n0 total.\n"),
    ("show calls count", "\n0 total.\n"),
    ("hupall", "+OK hangup all channels with cause MANAGER_REQUEST\n"),
    ("version", "FreeSWITCH Version 1.11.1-release~64bit ( 64bit)\n"),
    ("nosuchcmd x", "-ERR nosuchcmd Command not found!\n"),
    ("reloadxml", "+OK [Success]\n"),
    (
        "originate",
        (
            "-USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>] [<cid_name>] "
            "[<cid_num>] [<timeout_sec>]\n"
        ),
    ),
    ("echo hi", "hi"),
    ("module_exists mod_sofia", "true"),
    ("sofia_contact */1001@ringledger", "sofia/internal/sip:1001@127.0.0.1:20194"),
    ("sofia_contact */1006@ringledger", "error/user_not_registered"),
    (
        "list_users domain ringledger context ringledger-agents",
        f"{_USERS}1001|ringledger-agents|ringledger|agents|sofia/internal/sip:1001@127.0.0.1:20194|||\n\n+OK\n",
    ),
    ("list_users domain nowhere", f"{_USERS}\n+OK\n"),
)


@pytest.mark.parametrize(("command", "reply"), ASKED)
def test_a_command_about_nothing_gets_the_real_reply(command: str, reply: str) -> None:
    stage = Stage()
    stage.phone("1001")
    if "getvar ringledger" in command:
        stage.api("global_setvar ringledger_alive=123")
    assert stage.api(command) == reply


# What each way of not answering became on a real switch: the job's reply, the leg's cause, and what SIP said.
REFUSALS = (
    ({"behaviour": "busy"}, "USER_BUSY", "486"),
    ({"behaviour": "reject", "answer_after_ms": 200}, "CALL_REJECTED", "603"),
    ({"behaviour": "reject", "sip_status": 480}, "NO_USER_RESPONSE", "480"),
    ({"behaviour": "reject", "sip_status": 404}, "UNALLOCATED_NUMBER", "404"),
    ({"behaviour": "reject", "sip_status": 503}, "NORMAL_TEMPORARY_FAILURE", "503"),
    ({"behaviour": "no_answer"}, "NO_ANSWER", ""),
    ({"behaviour": "unreachable"}, "NO_ANSWER", ""),
)


@pytest.mark.parametrize(("script", "cause", "sip"), REFUSALS)
def test_a_phone_that_does_not_answer_is_reported_with_its_cause(
    script: dict[str, object], cause: str, sip: str
) -> None:
    stage = Stage()
    stage.phone("1001", **script)
    assert stage.job("originate {origination_uuid=leg,originate_timeout=2}user/1001@ringledger &park()") == (
        f"-ERR {cause}\n"
    )
    last = stage.until_told("CHANNEL_HANGUP_COMPLETE", "leg")
    assert (last.get("Hangup-Cause"), last.get("variable_sip_invite_failure_status")) == (cause, sip)
    assert ("CHANNEL_PROGRESS" in stage.names("leg")) == (script["behaviour"] not in {"busy", "unreachable"})
    stage.run(100)
    assert stage.legs == 0


@pytest.mark.parametrize(
    ("target", "cause"),
    (
        ("user/1001@ringledger", "USER_NOT_REGISTERED"),
        ("user/1999@ringledger", "SUBSCRIBER_ABSENT"),
        ("user/1001@elsewhere", "SUBSCRIBER_ABSENT"),
        ("carrier/1001", "CHAN_NOT_IMPLEMENTED"),
        ("error/user_busy", "USER_BUSY"),
    ),
)
def test_a_phone_that_is_not_there_costs_no_leg(target: str, cause: str) -> None:
    stage = Stage()
    stage.phone("1001", registered=False)
    assert stage.job(f"originate {{origination_uuid=leg}}{target} &park()") == f"-ERR {cause}\n"
    assert not stage.names("leg")


def test_a_leg_s_name_is_refused_only_while_that_leg_lives() -> None:
    stage = Stage()
    stage.phone("1001", behaviour="no_answer")
    command = "originate {origination_uuid=leg}user/1001@ringledger &park()"
    first = stage.background(command)
    stage.until_told("CHANNEL_PROGRESS", "leg")
    assert stage.job(command) == "-ERR DESTINATION_OUT_OF_ORDER\n"
    assert stage.api("uuid_kill leg ORIGINATOR_CANCEL") == "+OK\n"
    done = stage.until(lambda event: event.get("Job-UUID") == first)
    assert done.body == "-ERR ORIGINATOR_CANCEL\n"
    stage.run(100)
    stage.phone("1001", answer_after_ms=10)
    assert stage.job(command) == "+OK leg\n"


def test_a_ring_is_limited_in_whole_seconds_of_the_switch_s_clock() -> None:
    """Two seconds were 1.76 s on the real switch: it compares seconds of its clock, not a span."""
    stage = Stage()
    stage.run(255)
    stage.phone("1001", behaviour="no_answer")
    began = stage.now
    stage.job("originate {originate_timeout=2}user/1001@ringledger &park()")
    assert 1_700_000 <= stage.now - began < 1_800_000


# Variables as a real switch understood them: the command's words are unquoted before its braces are read.
BRACES = (
    ("{a=b,c='x,y'}", "c", "x"),
    ("{^^:a=b:c=x,y}", "c", "x,y"),
    ('{d="q"}', "d", '"q"'),
    (r"{e=a\,b}", "e", "a,b"),
    ("{a='x y',b=c}", "a", "x y"),
    ("{a='Al \"x\" B'}", "a", 'Al "x" B'),
)


@pytest.mark.parametrize(("braces", "name", "value"), BRACES)
def test_quotes_in_an_originate_mean_what_they_meant_to_the_real_one(braces: str, name: str, value: str) -> None:
    stage = Stage()
    stage.phone("1001", answer_after_ms=10)
    reply = stage.job(f"originate {braces}user/1001@ringledger &park()")
    assert reply.startswith("+OK ")
    assert stage.api(f"uuid_getvar {reply.split()[1]} {name}") == value


@pytest.mark.parametrize(
    ("braces", "cause"), (("{a=a b}", "DESTINATION_OUT_OF_ORDER"), ("{a='a}b',c='{z}'}", "CHAN_NOT_IMPLEMENTED"))
)
def test_braces_that_do_not_hold_together_fail_as_on_the_real_one(braces: str, cause: str) -> None:
    stage = Stage()
    stage.phone("1001")
    assert stage.job(f"originate {braces}user/1001@ringledger &park()") == f"-ERR {cause}\n"


@pytest.mark.parametrize(
    ("words", "value"), (("x a b c", "a b c"), ("x ", "_undef_"), ("x ${uuid}", "${uuid}"), ("x 'a b'", "a b"))
)
def test_a_variable_is_set_to_all_that_follows_its_name(words: str, value: str) -> None:
    stage = Stage()
    leg = stage.caller()
    assert stage.api(f"uuid_setvar {leg} {words}") == "+OK\n"
    assert stage.api(f"uuid_getvar {leg} x") == value


@pytest.mark.parametrize(
    ("asked", "cause"),
    (("", "NORMAL_CLEARING"), ("USER_BUSY", "USER_BUSY"), ("17", "USER_BUSY"), ("NOSUCHCAUSE", "NORMAL_CLEARING")),
)
def test_a_leg_is_killed_with_a_cause_or_with_the_usual_one(asked: str, cause: str) -> None:
    stage = Stage()
    leg = stage.caller()
    assert stage.api(f"uuid_kill {leg} {asked}".strip()) == "+OK\n"
    assert stage.cause(leg) == cause
    assert stage.api(f"uuid_kill {leg}") == "-ERR No such channel!\n"


def test_holding_twice_fails_and_so_does_resuming_twice() -> None:
    stage = Stage()
    _, agent = stage.talk()
    assert stage.job(f"uuid_hold {agent}") == "+OK Success\n"
    stage.run(600)
    assert stage.job(f"uuid_hold {agent}") == "-ERR Operation failed\n"
    assert stage.job(f"uuid_hold off {agent}") == "+OK Success\n"
    stage.run(100)
    assert stage.job(f"uuid_hold off {agent}") == "-ERR Operation failed\n"


def test_show_channels_lags_behind_and_uuid_exists_does_not() -> None:
    """Law 5: the table is written behind the switch's back; absence is proved by uuid_exists only."""
    stage = Stage()
    legs = [stage.caller() for _ in range(20)]
    assert all(stage.api(f"uuid_exists {leg}") == "true" for leg in legs)
    young = json.loads(stage.api("show channels as json"))
    stage.run(200)
    listed = json.loads(stage.api("show channels as json"))
    assert young["row_count"] < listed["row_count"] == 20
    assert {row["uuid"] for row in listed["rows"]} == set(legs)
    assert "\n20 session(s) - peak 20, last 5min 20 \n" in stage.api("status")
    stage.api("hupall")
    stage.run(45)
    gone = json.loads(stage.api("show channels as json"))
    assert all(stage.api(f"uuid_exists {leg}") == "false" for leg in legs)
    assert gone["row_count"] > 0
    stage.run(300)
    assert stage.api("show channels as json") == '{"row_count": 0}\n'


def test_a_row_and_a_dump_show_who_talks_to_whom() -> None:
    stage = Stage()
    caller, agent = stage.talk(number="13800000001", name="Li Wei", dialled="4008001001")
    stage.run(300)
    rows = {row["uuid"]: row for row in json.loads(stage.api("show channels as json"))["rows"]}
    assert (rows[caller]["direction"], rows[caller]["state"], rows[caller]["callstate"]) == (
        "inbound",
        "CS_SOFT_EXECUTE",
        "ACTIVE",
    )
    assert (rows[caller]["application"], rows[caller]["application_data"]) == ("uuid_bridge", agent)
    assert (rows[caller]["cid_name"], rows[caller]["cid_num"], rows[caller]["dest"]) == (
        "Li Wei",
        "13800000001",
        "4008001001",
    )
    assert (rows[agent]["direction"], rows[agent]["state"]) == ("outbound", "CS_EXCHANGE_MEDIA")
    dump = json.loads(stage.api(f"uuid_dump {agent} json"))
    assert (dump["Event-Name"], dump["Unique-ID"], dump["Answer-State"]) == ("CHANNEL_DATA", agent, "answered")
    assert dump["variable_bridge_uuid"] == caller
    assert f"Unique-ID: {agent}\n" in stage.api(f"uuid_dump {agent}")
    calls = json.loads(stage.api("show calls as json"))
    assert [(row["uuid"], row["b_uuid"]) for row in calls["rows"]] == [(caller, agent)]
