"""Nothing that came from outside can become part of a command's grammar (law 10)."""

import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.esl import commands
from orchestrator.esl.commands import Unusable, clean_name, clean_number

WORDS = {
    "leg": "l-1",
    "contact": "c-1",
    "offer": "o-1",
    "extension": "1001",
    "domain": "ringledger",
    "caller_number": "+3120",
    "caller_name": "Ann",
}


@pytest.mark.parametrize(
    ("raw", "shown"),
    (
        ("Ann O'Neil", "Ann O Neil"),
        ('Escaped "quote\\"', "Escaped quote"),
        ("a,b{c}d$e^^f\\g", "a b c d e f g"),
        ("line\r\nbreak\tand\x00more", "line break and more"),
        ("<sip:evil@host>;tag=1", "sip:evil@host tag 1"),
        ("王小明", "王小明"),
        ("\u202eevil\u200b", "evil"),
        ("   ", ""),
        ("", ""),
        ("bad\ufffdbytes", "bad bytes"),
        ("x" * 2_048, "x" * 80),
        ("王" * 100, "王" * 26),
    ),
)
def test_a_name_is_shown_without_what_means_something(raw: str, shown: str) -> None:
    assert clean_name(raw) == shown


@given(st.text(max_size=600))
def test_a_cleaned_name_is_one_short_printable_line(raw: str) -> None:
    name = clean_name(raw)
    assert len(name.encode()) <= 80
    assert not set(name) & set("{}[]()<>,;'\"`\\$^|&=%")
    assert all(character == " " or unicodedata.category(character)[0] not in "CZ" for character in name)
    assert clean_name(name) == name


@given(name=st.text(max_size=100), number=st.text(max_size=20))
def test_whatever_a_caller_is_called_the_dial_string_has_the_same_shape(name: str, number: str) -> None:
    words = {**WORDS, "caller_name": name, "caller_number": number}
    command = commands.originate(**words, ring_ms=1, stays=False, answers=False)
    assert "\n" not in command
    assert command.count("{") == command.count("}") == 1
    assert command.count("'") in (0, 2)
    inside, _, target = command.removeprefix("originate {").partition("}")
    assert target == "user/1001@ringledger &park()"
    assert {part.split("=")[0] for part in inside.split(",")} <= {
        "origination_uuid",
        "ringledger_contact",
        "ringledger_offer",
        "ringledger_phone",
        "originate_timeout",
        "ignore_early_media",
        "origination_caller_id_number",
        "origination_caller_id_name",
    }


@pytest.mark.parametrize(
    ("raw", "number"),
    (
        ("+31201234567", "+31201234567"),
        ("13800000001", "13800000001"),
        ("anonymous", ""),
        ("1,2", ""),
        ("12\n", ""),
        ("", ""),
        ("٣٣", ""),
        ("1" * 33, ""),
    ),
)
def test_a_number_is_shown_where_it_is_one(raw: str, number: str) -> None:
    assert clean_number(raw) == number


@pytest.mark.parametrize(("ring_ms", "seconds"), ((1, 2), (1_000, 2), (1_001, 3), (20_000, 21)))
def test_the_switch_lets_a_phone_ring_at_least_as_long_as_it_was_asked_to(ring_ms: int, seconds: int) -> None:
    """A second more, for the switch may count the one that has begun (tests/contract)."""
    assert f"originate_timeout={seconds}," in commands.originate(**WORDS, ring_ms=ring_ms, stays=False, answers=False)


def _made(make: Callable[[], str]) -> str | None:
    try:
        return make()
    except Unusable:
        return None


def test_a_refusal_names_the_part_and_never_repeats_the_word() -> None:
    with pytest.raises(Unusable, match=r"^the cause has a shape that must not stand in a command to the switch$"):
        commands.kill("l-1", "SECRET word")


@given(st.text(max_size=80))
def test_a_word_stands_in_a_command_as_it_is_or_not_at_all(word: str) -> None:
    makers: tuple[Callable[[], str], ...] = (
        lambda: commands.kill(word, "NORMAL_CLEARING"),
        lambda: commands.kill("l-1", word),
        lambda: commands.bridge("l-1", word),
        lambda: commands.play_stream("l-1", word),
        lambda: commands.play_prompt("l-1", word),
        lambda: commands.record("l-1", "/srv/rec", word),
        lambda: commands.background("status", word),
        lambda: commands.set_contact("l-1", word),
        lambda: commands.eavesdrop("l-1", word, "listen")[-1],
        lambda: commands.steer(word, "barge"),
    )
    for make in makers:
        command = _made(make)
        if command is None:
            continue
        assert word in command
        assert not set(word) & set(" \r\n\t{},'\"$\\^&|;`")
        assert ".." not in word


@given(st.text(max_size=20))
def test_a_talk_is_heard_in_one_of_three_modes_and_no_other_word_gets_through(word: str) -> None:
    """Feature 8.3: the switch takes digits, and does what it likes with any other."""
    assert _made(lambda: commands.steer("l-1", word)) is None or word in ("listen", "whisper", "barge")


def test_a_call_outside_shows_what_it_is_told_to_and_otherwise_asks_to_show_nothing() -> None:
    """Feature 3.5: the leg gets what the dialplan gives those who arrive, so that it is a caller's like any other."""
    words: dict[str, Any] = {
        "leg": "l-1", "contact": "c-1", "offer": "o-1", "number": "+8675512345678", "trunk": "outside",
    }  # fmt: skip
    shown = commands.dial(**words, show="+8675587654321", ring_ms=20_000)
    assert shown.endswith("}sofia/gateway/outside/+8675512345678 &park()")
    for part in ("origination_uuid=l-1", "originate_timeout=21", "park_after_bridge=true", "RECORD_STEREO=true"):
        assert part in shown
    assert "origination_caller_id_number=+8675587654321" in shown
    assert "origination_privacy=hide_name:hide_number" in commands.dial(**words, show="", ring_ms=20_000)
    assert "ignore_early_media=true" in shown
    assert "ignore_early_media=false" in commands.dial(**words, show="", ring_ms=20_000, early=True)


@given(st.text(max_size=40))
def test_a_number_outside_is_a_number_or_is_not_called(word: str) -> None:
    """Law 10: neither the number, nor what is shown, nor the trunk can become more than it is."""
    words: dict[str, Any] = {
        "leg": "l-1", "contact": "c-1", "offer": "o-1", "number": "12345", "trunk": "outside", "show": "",
    }  # fmt: skip
    for part in ("number", "trunk", "show"):
        command = _made(lambda part=part: commands.dial(**{**words, part: word}, ring_ms=1_000))  # type: ignore[misc]
        if command is None or not word:
            continue
        assert not set(word) & set(" \r\n\t{},'\"$\\^&|;`/@")


def test_a_recordings_folder_with_a_blank_is_refused_rather_than_cut() -> None:
    with pytest.raises(Unusable, match="recordings folder"):
        commands.record("l-1", "/srv/my recordings", "a.wav")


def test_a_phone_is_asked_to_pick_up_by_itself_where_the_desk_has_accepted() -> None:
    """Issue 5: mod_sofia makes a Call-Info header of it, and a NOTIFY `talk` once the phone rings."""
    asked, plain = (commands.originate(**WORDS, ring_ms=1, stays=False, answers=answers) for answers in (True, False))
    assert "sip_auto_answer=true" in asked
    assert plain == asked.replace(",sip_auto_answer=true", "")
