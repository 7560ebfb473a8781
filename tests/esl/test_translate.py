"""Translation reads what is there, never guesses, never raises, and says what it could not read."""

import json
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.kernel import Instant
from orchestrator.domain.switch import facts as f
from orchestrator.esl.events import HEADERS, HEADERS_READ, SwitchEvent, decode_json, decode_plain
from orchestrator.esl.node import SUBSCRIBED, SUBSCRIBED_CUSTOM
from orchestrator.esl.translate import CUSTOM_RULES, RULES, reading, translate, verdict

LEG = "22222222-2222-4222-8222-222222222222"
BASE = {"Event-Date-Timestamp": "1700000000000000", "Unique-ID": LEG, "Core-UUID": "k"}


def as_json(headers: dict[str, object]) -> SwitchEvent:
    return decode_json(json.dumps(headers).encode())


def as_plain(headers: dict[str, str]) -> SwitchEvent:
    """As the switch writes it: every unsafe byte of a value quoted, names as they are."""
    return decode_plain(
        "".join(f"{name}: {quote(value, safe='/,')}\n" for name, value in headers.items()).encode() + b"\n"
    )


def only(headers: dict[str, object]) -> f.Fact:
    (fact,) = translate("fs1", as_json({**BASE, **headers}))
    return fact


def test_every_event_that_is_subscribed_to_is_translated() -> None:
    assert set(SUBSCRIBED) <= set(RULES)
    assert set(SUBSCRIBED_CUSTOM) <= set(CUSTOM_RULES)


def test_the_list_of_headers_is_the_struct_itself() -> None:
    assert len(HEADERS_READ) == len(SwitchEvent.__struct_fields__) - 1
    assert set(HEADERS) == set(SwitchEvent.__struct_fields__)
    assert "Unique-ID" in HEADERS_READ
    assert "Ringledger-Flaws" not in HEADERS_READ


# --- hostile strings -------------------------------------------------------------------------------------------------
HOSTILE = (
    "Bob\nUnique-ID: forged\nEvent-Name: CHANNEL_HANGUP_COMPLETE",
    "Bob%0AUnique-ID%3A%20forged",
    '"; DROP TABLE contacts; --',
    "{origination_uuid=x},user/1002 &park()",
    "${system(reboot)}",
    "<script>alert(1)</script>",
    "a\\'b^^c|d",
    "ARRAY::a|:b",
    "ARRAY::",
    "王小明 🙂 \u202etxt.exe",
    "x" * 2_048,
    "\r\n\r\n",
    " ",
    "a\x00b",
)


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_is_a_name_in_both_formats(name: str) -> None:
    headers = {**BASE, "Event-Name": "CHANNEL_PARK", "Caller-Caller-ID-Name": name, "Call-Direction": "inbound"}
    parked = f.LegParked(node="fs1", at=Instant(1_700_000_000_000_000), leg=LEG, inbound=True, caller_name=name)
    assert translate("fs1", as_json(dict(headers))) == (parked,)
    assert translate("fs1", as_plain(headers)) == (parked,)


def test_bytes_that_are_no_text_are_replaced_alike_in_both_formats_and_said() -> None:
    head = b'{"Event-Name":"CHANNEL_PARK","Unique-ID":"%b","Caller-Caller-ID-Name":"' % LEG.encode()
    from_json = decode_json(head + b'A\xff\xfeB"}')
    plain = b"Event-Name: CHANNEL_PARK\nUnique-ID: %b\nCaller-Caller-ID-Name: A%%FF%%FEB\n\n" % LEG.encode()
    from_plain = decode_plain(plain)
    assert from_json.caller_name == from_plain.caller_name == "A\ufffd\ufffdB"
    assert from_json.flaws == from_plain.flaws == "bytes that are no UTF-8"
    assert "bytes that are no UTF-8" in reading("fs1", from_json).flaws


def test_a_lone_surrogate_cannot_come_in() -> None:
    event = decode_json(b'{"Event-Name":"CHANNEL_PARK","Caller-Caller-ID-Name":"\\ud800"}')
    event.caller_name.encode()  # would raise
    assert "\ud800" not in event.caller_name


@pytest.mark.parametrize("bad", ("", "a b", "a\nb", "../x", "x" * 65, "ARRAY::a|:b", "é", '"', "a/b"))
def test_a_leg_that_cannot_be_named_makes_no_fact_and_is_said(bad: str) -> None:
    event = as_json({**BASE, "Event-Name": "CHANNEL_PARK", "Unique-ID": bad})
    got = reading("fs1", event)
    assert got.facts == ()
    assert got.flaws == (f"CHANNEL_PARK: Unique-ID {'is missing' if not bad else 'cannot be used'}",)
    assert not bad or bad not in str(got.flaws)


def test_an_id_of_ours_that_was_tampered_with_is_left_out() -> None:
    ours = {"variable_ringledger_contact": "c 1", "variable_ringledger_offer": "o-1"}
    event = as_json({**BASE, "Event-Name": "CHANNEL_ANSWER", **ours})
    (fact,) = translate("fs1", event)
    assert fact == f.LegAnswered(node="fs1", at=Instant(1_700_000_000_000_000), leg=LEG, offer="o-1")


# --- odd values ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("value", ("", "soon", "-5", "1e9", "1.5", "9" * 30, "٣"))
def test_a_time_that_is_no_number_is_left_out_and_said(value: str) -> None:
    got = reading("fs1", as_json({**BASE, "Event-Name": "CHANNEL_ANSWER", "Event-Date-Timestamp": value}))
    assert got.facts == (f.LegAnswered(node="fs1", at=None, leg=LEG),)
    assert "Event-Date-Timestamp" in got.flaws[0]


def test_a_heartbeat_without_a_count_is_no_fact() -> None:
    """A wrong zero would say that every call is gone."""
    assert only({"Event-Name": "HEARTBEAT", "Session-Count": "0"}) == f.Heartbeat(
        node="fs1", at=Instant(1_700_000_000_000_000), core="k", sessions=0
    )
    for count in ("", "-1", "many"):
        got = reading("fs1", as_json({**BASE, "Event-Name": "HEARTBEAT", "Session-Count": count}))
        assert got.facts == ()
        assert got.flaws


def test_values_that_are_no_text_are_read_as_the_plain_format_writes_them() -> None:
    event = as_json(
        {
            **BASE,
            "Event-Name": "CHANNEL_PARK",
            "Caller-Destination-Number": 4000,
            "variable_transfer_source": ["a", "b"],
        }
    )
    assert event.dialled == "4000"
    assert event.transfer == "ARRAY::a|:b"


def test_of_a_repeated_header_both_formats_take_the_last() -> None:
    body = b'{"Event-Name":"CHANNEL_PARK","Unique-ID":"one","Unique-ID":"two"}'
    plain = b"Event-Name: CHANNEL_PARK\nUnique-ID: one\nUnique-ID: two\n\n"
    assert decode_json(body).leg == decode_plain(plain).leg == "two"


@pytest.mark.parametrize(
    "body", (b"", b"null", b"[]", b"{", b'"x"', b"[" * 100_000, b'{"Event-Name":' + b"9" * 5_000 + b"}")
)
def test_what_is_no_event_is_an_empty_one_with_its_flaw(body: bytes) -> None:
    event = decode_json(body)
    assert event == SwitchEvent(flaws=event.flaws)
    assert event.flaws
    assert translate("fs1", event) == ()


def test_the_body_of_a_plain_event_is_as_long_as_it_says() -> None:
    plain = b"Event-Name: BACKGROUND_JOB\nJob-UUID: j-1\nContent-Length: 8\n\n+OK yes\n-and what comes after"
    assert decode_plain(plain).body == "+OK yes\n"
    assert decode_plain(plain.replace(b"8", b"x")).body == ""


@given(st.binary(max_size=400))
def test_no_bytes_make_decoding_or_translating_raise(body: bytes) -> None:
    for decode in (decode_json, decode_plain):
        one = reading("fs1", decode(body))
        msgspec.msgpack.encode(one.facts)


_text = st.text(max_size=40) | st.sampled_from(HOSTILE) | st.just(LEG) | st.integers().map(str)
_value = _text | st.none() | st.integers() | st.booleans() | st.lists(_text, max_size=3)


@given(
    name=st.sampled_from(sorted(RULES)),
    subclass=st.sampled_from(sorted(CUSTOM_RULES)),
    headers=st.dictionaries(st.sampled_from(sorted(HEADERS_READ)), _value, max_size=12),
)
def test_no_values_make_translating_raise_and_no_fact_has_a_leg_that_cannot_be_named(
    name: str, subclass: str, headers: dict[str, object]
) -> None:
    given_ = {**BASE, **headers, "Event-Name": name, "Event-Subclass": subclass}
    for fact in reading("fs1", as_json(given_)).facts:
        assert fact.node == "fs1"
        for field in ("leg", "other", "contact", "offer", "job", "core"):
            value = getattr(fact, field, "")
            assert len(value) <= 64
            assert value.replace("-", "").isalnum() or not value
        msgspec.msgpack.encode(fact)


# --- single rules ----------------------------------------------------------------------------------------------------
AT = Instant(1_700_000_000_000_000)


@pytest.mark.parametrize(
    ("body", "ok", "answer"),
    (
        ("+OK 628a\n", True, "628a"),
        ("+OK", True, ""),
        ("-ERR USER_BUSY\n", False, "USER_BUSY"),
        ("-USAGE: <uuid>\n", False, "-USAGE: <uuid>"),
        ("true", True, "true"),
        ("", True, ""),
        ("-ERR one\n+OK two", False, "one"),
        ("-ERR ORIGINATOR_CANCEL\n", True, "ORIGINATOR_CANCEL"),
    ),
)
def test_a_reply_is_good_or_bad_by_its_first_line(body: str, ok: bool, answer: str) -> None:  # noqa: FBT001
    assert verdict(body) == (ok, answer)
    done = only({"Event-Name": "BACKGROUND_JOB", "Job-UUID": "j-1", "_body": body})
    assert done == f.JobDone(node="fs1", at=AT, job="j-1", ok=ok, answer=answer)


def test_only_a_phone_that_we_call_rings() -> None:
    for name in ("CHANNEL_PROGRESS", "CHANNEL_PROGRESS_MEDIA"):
        assert only({"Event-Name": name, "Call-Direction": "outbound"}) == f.LegRinging(node="fs1", at=AT, leg=LEG)
        assert translate("fs1", as_json({**BASE, "Event-Name": name, "Call-Direction": "inbound"})) == ()


def test_a_refused_leg_carries_the_sip_answer_and_a_callers_leg_never_does() -> None:
    refused = {
        "Event-Name": "CHANNEL_HANGUP_COMPLETE",
        "Hangup-Cause": "USER_BUSY",
        "variable_sip_invite_failure_status": "486",
    }
    assert only({**refused, "Call-Direction": "outbound"}) == f.LegHungUp(
        node="fs1", at=AT, leg=LEG, cause="USER_BUSY", sip_status=486
    )
    inbound = only({**refused, "Call-Direction": "inbound"})
    assert inbound == f.LegHungUp(node="fs1", at=AT, leg=LEG, cause="USER_BUSY", inbound=True)


REASON = 'SIP;cause=701;text="SYSTEM_SHUTDOWN"'


@pytest.mark.parametrize(
    ("disposition", "reason", "shut_down"),
    (
        ("recv_bye", REASON, True),
        ("recv_bye", 'Q.850;cause=16;text="NORMAL_CLEARING"', False),
        ("recv_bye", f"{REASON}, x", False),
        ("send_bye", REASON, False),
        ("recv_bye", "", False),
    ),
)
def test_a_bye_of_a_switch_that_shuts_down_says_so(disposition: str, reason: str, shut_down: bool) -> None:  # noqa: FBT001
    """Seen on FreeSWITCH 1.11.1: the cause is that of anybody who puts down."""
    gone = only(
        {
            "Event-Name": "CHANNEL_HANGUP_COMPLETE",
            "Hangup-Cause": "NORMAL_CLEARING",
            "variable_sip_hangup_disposition": disposition,
            "variable_sip_reason": reason,
        }
    )
    assert isinstance(gone, f.LegHungUp)
    assert gone.shut_down is shut_down


def test_whoever_hangs_up_where_the_switch_serves_by_itself_was_taken_by_it() -> None:
    """Nobody may have heard when it took them."""
    ended: dict[str, object] = {**BASE, "Event-Name": "CHANNEL_HANGUP_COMPLETE", "Hangup-Cause": "NORMAL_CLEARING"}
    there: dict[str, object] = {**ended, "Caller-Context": "ringledger-unattended", "Call-Direction": "inbound"}
    gone = f.LegHungUp(node="fs1", at=AT, leg=LEG, cause="NORMAL_CLEARING", inbound=True)
    assert translate("fs1", as_json(there)) == (f.LegUnattended(node="fs1", at=AT, leg=LEG), gone)
    elsewhere: dict[str, object] = {**there, "Caller-Context": "ringledger-inbound"}
    assert translate("fs1", as_json(elsewhere)) == (gone,)
    (phone,) = translate("fs1", as_json({**there, "Call-Direction": "outbound"}))
    assert isinstance(phone, f.LegHungUp)


def test_a_hang_up_without_a_cause_is_still_a_hang_up() -> None:
    for cause in ("", "what ever", "x" * 100):
        got = reading("fs1", as_json({**BASE, "Event-Name": "CHANNEL_HANGUP_COMPLETE", "Hangup-Cause": cause}))
        assert got.facts == (f.LegHungUp(node="fs1", at=AT, leg=LEG, cause="UNKNOWN"),)
        assert "Hangup-Cause" in got.flaws[0]


def test_phones_come_and_go() -> None:
    registers: dict[str, object] = {"Event-Name": "CUSTOM", "Event-Subclass": "sofia::register", "from-user": "1001"}
    assert only({**registers, "expires": "60"}) == f.PhoneRegistered(node="fs1", at=AT, extension="1001", expires_s=60)
    for subclass, header in (("sofia::unregister", "from-user"), ("sofia::expire", "user")):
        gone = only({"Event-Name": "CUSTOM", "Event-Subclass": subclass, header: "1001"})
        expired = subclass == "sofia::expire"
        assert gone == f.PhoneGone(node="fs1", at=AT, extension="1001", expired=expired)
    got = reading("fs1", as_json({**BASE, **registers, "from-user": "a b"}))
    assert got.facts == ()
    assert got.flaws


def test_only_a_transfer_of_this_moment_is_told() -> None:
    apart = {"Event-Name": "CHANNEL_UNBRIDGE", "Bridge-A-Unique-ID": "a", "Bridge-B-Unique-ID": "b"}

    def transferred(source: str, **more: str) -> list[str]:
        event = as_json({**BASE, **apart, "variable_transfer_source": source, **more})
        return [fact.target for fact in translate("fs1", event) if isinstance(fact, f.LegTransferred)]

    assert transferred("1700000000:u:bl_xfer:1002/default/XML") == ["1002"]
    assert transferred("1699999999:u:att_xfer:1002") == ["1002"]
    assert transferred("1699999998:u:bl_xfer:1002") == []  # an earlier one
    assert transferred("1700000005:u:bl_xfer:1002") == []  # cannot be
    assert transferred("1700000000:u:uuid_br:1002") == []  # a bridge
    assert transferred("1700000000:u:bl_xfer:1002", **{"Hangup-Cause": "NORMAL_CLEARING"}) == []
    assert transferred("bl_xfer") == []
    assert transferred("x:u:bl_xfer:1002") == []
