"""Hang-up causes of the switch (Q.850 names as FreeSWITCH writes them) and what they mean for an offer."""

# Ours: the switch was restarted, so every leg that it had is gone and nobody will ever report it.
SWITCH_RESTARTED = "SWITCH_RESTARTED"

# Ours: nothing was heard of the switch for so long that it counts as dead, and its legs as gone.
SWITCH_DEAD = "SWITCH_DEAD"

# Ours: the switch said that it shuts down, and hangs up on every leg that it has. What it says of each then comes late,
# and in an order in which agents seem to leave their callers.
SWITCH_STOPPED = "SWITCH_STOPPED"

# Ours: the switch had heard of no orchestrator for too long, and serves the caller by itself. The leg lives.
SERVED_BY_SWITCH = "SERVED_BY_SWITCH"

# Why a leg is gone with its switch.
WITH_THE_SWITCH = frozenset({SWITCH_RESTARTED, SWITCH_DEAD, SWITCH_STOPPED})

TAKEN_FROM_US = WITH_THE_SWITCH | {SERVED_BY_SWITCH}
"""Why a caller is gone without having left."""

# Somebody hung up a call that was talking (Q.850, 16).
NORMAL_CLEARING = "NORMAL_CLEARING"

# A SIP 400, 481, 500 or 503, and what a switch says where the phone's machine answers that nobody listens at its port
# (mod_sofia, sofia_glue.c). It says so of a phone alone, never of its own lack of anything.
NORMAL_TEMPORARY_FAILURE = "NORMAL_TEMPORARY_FAILURE"

# A call that nobody wanted any more before it was answered (Q.850 has none; SIP 487).
ORIGINATOR_CANCEL = "ORIGINATOR_CANCEL"

# A phone whose call somebody else has taken (no Q.850 number; SIP 487).
LOSE_RACE = "LOSE_RACE"

FOR_LOSERS = frozenset({ORIGINATOR_CANCEL, LOSE_RACE})
"""Why we end legs of an offer that is over. A phone may say the same of a call that goes on being offered."""

# Refused without an answer, so that nothing is billed (SIP 603; 503 for the two that say that there is no room).
CALL_REJECTED = "CALL_REJECTED"
SWITCH_CONGESTION = "SWITCH_CONGESTION"
CIRCUIT_CONGESTION = "NORMAL_CIRCUIT_CONGESTION"

# Ours: until the offer's deadline, nothing was heard of the leg that was asked for.
NEVER_MADE = "NEVER_MADE"

# What a switch says of a call that did not come through to the next one (no answer at all, or an error of SIP's 5xx):
# another switch on the way says the same of a phone of its own.
NOT_PASSED = frozenset(
    {
        NORMAL_TEMPORARY_FAILURE,
        "RECOVERY_ON_TIMER_EXPIRE",
        "GATEWAY_DOWN",
        "INVALID_GATEWAY",
        "NETWORK_OUT_OF_ORDER",
        "DESTINATION_OUT_OF_ORDER",
    }
)

_OUTCOMES = {
    "NO_ANSWER": "timed_out",
    "NO_USER_RESPONSE": "unreachable",
    "ALLOTTED_TIMEOUT": "timed_out",
    ORIGINATOR_CANCEL: "withdrawn",
    LOSE_RACE: "lost",
    "USER_BUSY": "busy",
    "CALL_REJECTED": "rejected",
    "USER_NOT_REGISTERED": "unreachable",
    "SUBSCRIBER_ABSENT": "unreachable",
    "UNALLOCATED_NUMBER": "unreachable",
    "NO_ROUTE_DESTINATION": "unreachable",
    "DESTINATION_OUT_OF_ORDER": "unreachable",
    "NETWORK_OUT_OF_ORDER": "unreachable",
    "RECOVERY_ON_TIMER_EXPIRE": "unreachable",
    "GATEWAY_DOWN": "unreachable",
    # Ours and the link's: the phone never rang, or nobody can say; not the agent's doing.
    "NEVER_RUNG": "withdrawn",
    "not_sent": "withdrawn",
    "link_down": "withdrawn",
    "timeout": "withdrawn",
    "UNKNOWN": "withdrawn",
    # Of a phone on another switch than the caller's.
    **dict.fromkeys(WITH_THE_SWITCH, "withdrawn"),
}


def lost_as(cause: str) -> str:
    """What became of a caller who is gone without having left; empty for one who left."""
    if cause == SERVED_BY_SWITCH:
        return "unattended"
    return "switch_lost" if cause in WITH_THE_SWITCH else ""


def outcome_of(cause: str) -> str:
    """What a phone that did not take the call means for the offer: timed_out, busy, rejected, unreachable, withdrawn,
    lost, or failed for every other cause.
    """
    return _OUTCOMES.get(cause, "failed")
