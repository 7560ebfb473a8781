"""What the switch tells of phones that come and go, and of itself: registrations and heartbeats."""

from freeswitch.simulator import sip
from freeswitch.simulator.bus import Headers
from freeswitch.simulator.core import Switch
from freeswitch.simulator.people import Phone
from freeswitch.simulator.show import uptime
from freeswitch.simulator.timeline import MILLISECOND, SECOND


def registered(switch: Switch, phone: Phone) -> None:
    """A phone registered, or refreshed its registration (sofia::register)."""
    options = switch.options
    news = {
        **_address(switch, phone),
        "from-user": phone.extension,
        "from-host": options.domain,
        "rpid": "unknown",
        "status": "Registered(UDP)",
        "expires": str(phone.expires_s),
        "to-user": phone.extension,
        "to-host": options.domain,
    }
    _tell(switch, "sofia::register", news)


def unregistered(switch: Switch, phone: Phone) -> None:
    """A phone said goodbye (sofia::unregister)."""
    address = _address(switch, phone)
    news = {**address, "from-user": phone.extension, "from-host": switch.options.domain, "expires": "0"}
    _tell(switch, "sofia::unregister", news)


def expired(switch: Switch, phone: Phone) -> None:
    """A phone was not heard of any more (sofia::expire); it goes by `user` here."""
    news = {
        **_address(switch, phone),
        "user": phone.extension,
        "host": switch.options.domain,
        "expires": str(switch.now // SECOND),
    }
    _tell(switch, "sofia::expire", news)


def _address(switch: Switch, phone: Phone) -> Headers:
    contact = sip.contact(phone.extension)
    return {
        "profile-name": switch.options.agents_profile,
        "contact": f'"" <{contact}>',
        "call-id": f"token-{phone.extension}",
        "network-ip": "127.0.0.1",
        "network-port": contact.rpartition(":")[2],
        "username": phone.extension,
        "realm": switch.options.domain,
        "user-agent": "simulator",
    }


def _tell(switch: Switch, subclass: str, news: Headers) -> None:
    if switch.wanted(subclass):
        switch.bus.emit("CUSTOM", news, subclass=subclass)
    else:
        switch.bus.burn()


def beat_for_ever(switch: Switch) -> None:
    """Let the switch say that it lives, again and again, and how many sessions it has."""
    switch.timeline.after(switch.options.heartbeat_s * SECOND, lambda: _beat(switch))


def _beat(switch: Switch) -> None:
    options, counts = switch.options, switch.counts
    up = switch.now - counts.started
    news: Headers = {
        "Event-Info": "System Ready",
        "Up-Time": uptime(up),
        "FreeSWITCH-Version": options.version,
        "Uptime-msec": str(up // MILLISECOND),
        "Session-Count": str(len(switch.legs)),
        "Max-Sessions": str(options.max_sessions),
        "Session-Per-Sec": str(options.sessions_per_second),
        "Session-Per-Sec-Last": "0",
        "Session-Per-Sec-Max": "0",
        "Session-Per-Sec-FiveMin": "0",
        "Session-Since-Startup": str(counts.sessions),
        "Session-Peak-Max": str(counts.peak),
        "Session-Peak-FiveMin": str(counts.peak),
        "Idle-CPU": "95.000000",
    }
    switch.bus.emit("HEARTBEAT", news)
    switch.bus.burn()  # RE_SCHEDULE
    beat_for_ever(switch)
