"""Hang-up causes: their names in the switch, their ITU-T Q.850 numbers, and the SIP answers that lead to them."""

from typing import Final

Q850: Final[dict[str, int]] = {
    "NONE": 0,
    "UNALLOCATED_NUMBER": 1,
    "NO_ROUTE_TRANSIT_NET": 2,
    "NO_ROUTE_DESTINATION": 3,
    "CHANNEL_UNACCEPTABLE": 6,
    "NORMAL_CLEARING": 16,
    "USER_BUSY": 17,
    "NO_USER_RESPONSE": 18,
    "NO_ANSWER": 19,
    "SUBSCRIBER_ABSENT": 20,
    "CALL_REJECTED": 21,
    "NUMBER_CHANGED": 22,
    "REDIRECTION_TO_NEW_DESTINATION": 23,
    "EXCHANGE_ROUTING_ERROR": 25,
    "DESTINATION_OUT_OF_ORDER": 27,
    "INVALID_NUMBER_FORMAT": 28,
    "FACILITY_REJECTED": 29,
    "NORMAL_UNSPECIFIED": 31,
    "NORMAL_CIRCUIT_CONGESTION": 34,
    "NETWORK_OUT_OF_ORDER": 38,
    "NORMAL_TEMPORARY_FAILURE": 41,
    "SWITCH_CONGESTION": 42,
    "REQUESTED_CHAN_UNAVAIL": 44,
    "OUTGOING_CALL_BARRED": 52,
    "INCOMING_CALL_BARRED": 54,
    "BEARERCAPABILITY_NOTAVAIL": 58,
    "SERVICE_UNAVAILABLE": 63,
    "CHAN_NOT_IMPLEMENTED": 66,
    "SERVICE_NOT_IMPLEMENTED": 79,
    "INCOMPATIBLE_DESTINATION": 88,
    "RECOVERY_ON_TIMER_EXPIRE": 102,
    "PROTOCOL_ERROR": 111,
    "INTERWORKING": 127,
}
"""Causes with a number of their own; those beyond 127 are FreeSWITCH's and are told to the network as 16."""

OWN: Final[dict[str, int]] = {
    "SUCCESS": 142,
    "ORIGINATOR_CANCEL": 487,
    "CRASH": 700,
    "SYSTEM_SHUTDOWN": 701,
    "LOSE_RACE": 702,
    "MANAGER_REQUEST": 703,
    "BLIND_TRANSFER": 800,
    "ATTENDED_TRANSFER": 801,
    "ALLOTTED_TIMEOUT": 802,
    "USER_CHALLENGE": 803,
    "MEDIA_TIMEOUT": 804,
    "PICKED_OFF": 805,
    "USER_NOT_REGISTERED": 806,
    "PROGRESS_TIMEOUT": 807,
    "INVALID_GATEWAY": 808,
    "GATEWAY_DOWN": 809,
    "INVALID_URL": 810,
    "INVALID_PROFILE": 811,
    "NO_PICKUP": 812,
}

_BY_NUMBER: Final = {number: name for name, number in (*Q850.items(), *OWN.items())}

OF_SIP: Final[dict[int, tuple[str, str]]] = {
    302: ("NORMAL_UNSPECIFIED", "Moved Temporarily"),
    403: ("CALL_REJECTED", "Forbidden"),
    404: ("UNALLOCATED_NUMBER", "Not Found"),
    408: ("RECOVERY_ON_TIMER_EXPIRE", "Request Timeout"),
    480: ("NO_USER_RESPONSE", "Temporarily Unavailable"),
    486: ("USER_BUSY", "Busy Here"),
    487: ("ORIGINATOR_CANCEL", "Request Terminated"),
    500: ("NORMAL_TEMPORARY_FAILURE", "Server Internal Error"),
    503: ("NORMAL_TEMPORARY_FAILURE", "Service Unavailable"),
    600: ("USER_BUSY", "Busy Everywhere"),
    603: ("CALL_REJECTED", "Decline"),
}
"""What a final SIP answer becomes, and its usual phrase (sofia_glue_sip_cause_to_freeswitch)."""


def cause(text: str) -> str:
    """The cause that this text names, by name in any case or by number; NORMAL_CLEARING for what is none."""
    name = text.strip().upper()
    if name.isdigit():
        return _BY_NUMBER.get(int(name), "NORMAL_CLEARING")
    return name if name in Q850 or name in OWN else "NORMAL_CLEARING"


def q850(name: str) -> int:
    """What the network is told."""
    return Q850.get(name, 16)
