"""What a SIP leg carries: the variables that mod_sofia and the core put on it, invented but of the right shape."""

from random import Random
from time import gmtime, strftime
from typing import Final

from freeswitch.simulator import causes
from freeswitch.simulator.channel import Channel
from freeswitch.simulator.timeline import SECOND

_SDP: Final = (
    "v=0\r\no={owner} {number} {number} IN IP4 127.0.0.1\r\ns={owner}\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
    "a=fmtp:101 0-15\r\na=ptime:20\r\n"
)

_MEDIA: Final[dict[str, str]] = {
    "variable_ep_codec_string": "CORE_PCM_MODULE.PCMA@8000h@20i@64000b",
    "variable_rtp_use_codec_string": "PCMA,PCMU",
    "variable_remote_video_media_flow": "inactive",
    "variable_remote_text_media_flow": "inactive",
    "variable_remote_audio_media_flow": "sendrecv",
    "variable_audio_media_flow": "sendrecv",
    "variable_rtp_audio_recv_pt": "8",
    "variable_rtp_use_codec_name": "PCMA",
    "variable_rtp_use_codec_rate": "8000",
    "variable_rtp_use_codec_ptime": "20",
    "variable_rtp_use_codec_channels": "1",
    "variable_rtp_last_audio_codec_string": "PCMA@8000h@20i@1c",
    "variable_read_codec": "PCMA",
    "variable_original_read_codec": "PCMA",
    "variable_read_rate": "8000",
    "variable_original_read_rate": "8000",
    "variable_write_codec": "PCMA",
    "variable_write_rate": "8000",
    "variable_dtmf_type": "rfc2833",
    "variable_local_media_ip": "127.0.0.1",
    "variable_advertised_media_ip": "127.0.0.1",
    "variable_rtp_use_timer_name": "soft",
    "variable_rtp_use_pt": "8",
    "variable_rtp_2833_send_payload": "101",
    "variable_rtp_2833_recv_payload": "101",
    "variable_remote_media_ip": "127.0.0.1",
}


def media_variables(leg: Channel, random: Random) -> None:
    """What both sides agreed on."""
    leg.variables.update(_MEDIA)
    port = 16384 + 2 * random.randrange(8000)
    leg.set("local_media_port", str(port))
    leg.set("remote_media_port", str(port + 2))
    leg.set("rtp_use_ssrc", str(random.getrandbits(32)))
    leg.set("switch_r_sdp", _SDP.format(owner="-", number=port, port=port + 2))
    leg.set("rtp_local_sdp_str", _SDP.format(owner="FreeSWITCH", number=port, port=port))


def inbound_variables(
    leg: Channel,
    *,
    number: str,
    name: str,
    dialled: str,
    profile: str,
    port: int,
    call: str,
) -> None:
    """What came with the caller's INVITE. Strings are the caller's own and may be anything."""
    host = "127.0.0.1"
    tag = call[:12]
    pairs = {
        "direction": "inbound",
        "uuid": leg.uuid,
        "call_uuid": leg.uuid,
        "sip_from_user": number,
        "sip_from_port": "15060",
        "sip_from_uri": f"{number}@{host}:15060",
        "sip_from_host": host,
        "channel_name": leg.name,
        "sip_call_id": call,
        "sip_local_network_addr": host,
        "sip_network_ip": host,
        "sip_network_port": "15060",
        "sip_invite_stamp": str(leg.created),
        "sip_received_ip": host,
        "sip_received_port": "15060",
        "sip_via_protocol": "udp",
        "sip_from_user_stripped": number.lstrip("+"),
        "sip_from_tag": tag,
        "sofia_profile_name": profile,
        "sofia_profile_url": f"sip:mod_sofia@{host}:{port}",
        "recovery_profile_name": profile,
        "sip_full_via": f"SIP/2.0/UDP {host}:15060;branch=z9hG4bK-{tag}",
        "sip_from_display": name,
        "sip_full_from": f'"{name}" <sip:{number}@{host}:15060>;tag={tag}',
        "sip_full_to": f"<sip:{dialled}@{host}:{port}>",
        "sip_req_user": dialled,
        "sip_req_port": str(port),
        "sip_req_uri": f"{dialled}@{host}:{port}",
        "sip_req_host": host,
        "sip_to_user": dialled,
        "sip_to_port": str(port),
        "sip_to_uri": f"{dialled}@{host}:{port}",
        "sip_to_host": host,
        "sip_contact_user": number,
        "sip_contact_port": "15060",
        "sip_contact_uri": f"{number}@{host}:15060",
        "sip_contact_host": host,
        "sip_user_agent": "simulator",
        "sip_via_host": host,
        "sip_via_port": "15060",
        "max_forwards": "70",
        "video_media_flow": "disabled",
        "text_media_flow": "disabled",
    }
    for key, value in pairs.items():
        leg.set(key, value)


def outbound_variables(leg: Channel, *, extension: str, domain: str, profile: str, port: int, call: str) -> None:
    """What mod_sofia knows of a leg to a phone."""
    host = "127.0.0.1"
    target = f"{extension}@{host}:{_phone_port(extension)}"
    pairs = {
        "direction": "outbound",
        "is_outbound": "true",
        "uuid": leg.uuid,
        "call_uuid": leg.uuid,
        "sip_local_network_addr": host,
        "sip_profile_name": profile,
        "video_media_flow": "disabled",
        "text_media_flow": "disabled",
        "audio_media_flow": "sendrecv",
        "channel_name": leg.name,
        "sip_destination_url": f"sip:{target}",
        "dialed_user": extension,
        "dialed_domain": domain,
        "presence_id": f"{extension}@{domain}",
        "originate_early_media": "false",
        "originate_endpoint": "sofia",
        "rtp_use_codec_string": "PCMA,PCMU",
        "local_media_ip": host,
        "advertised_media_ip": host,
        "sip_outgoing_contact_uri": f"<sip:mod_sofia@{host}:{port}>",
        "sip_req_uri": target,
        "sip_to_host": host,
        "sip_from_host": host,
        "sofia_profile_name": profile,
        "recovery_profile_name": profile,
        "sofia_profile_url": f"sip:mod_sofia@{host}:{port}",
        "sip_call_id": call,
        "sip_reply_host": host,
        "sip_network_ip": host,
        "sip_network_port": _phone_port(extension),
    }
    for key, value in pairs.items():
        leg.set(key, value)


def leg_name(extension: str, profile: str) -> str:
    """The channel name of a leg to a registered phone."""
    return f"sofia/{profile}/{extension}@127.0.0.1:{_phone_port(extension)}"


def contact(extension: str) -> str:
    """Where a phone says that it can be reached."""
    return f"sip:{extension}@127.0.0.1:{_phone_port(extension)}"


def _phone_port(extension: str) -> str:
    return str(20_000 + sum(map(ord, extension)) % 10_000)


def hangup_variables(leg: Channel, now: int) -> None:
    """The times and durations that a leg's last event adds up."""
    leg.set("hangup_cause", leg.cause)
    leg.set("hangup_cause_q850", str(causes.q850(leg.cause)))
    leg.set("digits_dialed", leg.get("digits_dialed") or "none")
    variables = leg.variables
    stamps = {"start": leg.created, "answer": leg.answered_at, "bridge": leg.bridged_at, "end": now}
    for name, at in stamps.items():
        if at:
            variables[f"variable_{name}_stamp"] = strftime("%Y-%m-%d %H:%M:%S", gmtime(at // SECOND))
        variables[f"variable_{name}_epoch"] = str(at // SECOND)
        variables[f"variable_{name}_uepoch"] = str(at)
    duration = now - leg.created
    bill = now - leg.answered_at if leg.answered_at else 0
    spans = {"duration": duration, "bill": bill, "answer": max(leg.answered_at - leg.created, 0)}
    for name, span in spans.items():
        suffix = "" if name == "duration" else name
        for unit, per in (("sec", SECOND), ("msec", 1_000), ("usec", 1)):
            if name == "duration":
                key = {"sec": "duration", "msec": "mduration", "usec": "uduration"}[unit]
            else:
                key = f"{suffix}{unit}"
            variables[f"variable_{key}"] = str(span // per)
    variables["variable_hold_accum_ms"] = str(leg.hold_total // 1_000)
    if leg.inbound or leg.caller("Caller-ID-Name"):
        leg.set("caller_id", f'"{leg.caller("Caller-ID-Name")}" <{leg.caller("Caller-ID-Number")}>')
