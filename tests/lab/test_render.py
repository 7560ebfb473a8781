"""The rendered configuration: complete, escaped, private, and refused where FreeSWITCH would misread it."""

import re
import stat
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from freeswitch.directory import Phone, directory_xml
from freeswitch.passwords import phones
from freeswitch.render import CONF, SwitchPlan, arguments, render, render_directory

PLAN = SwitchPlan(
    esl_port=18021,
    esl_password="esl-secret-0123",
    sip_port=15060,
    trunk_port=15080,
    rtp_first=26000,
    rtp_last=26999,
    recordings=Path("recordings"),
    sounds=Path("sounds"),
    phones=(Phone("1001", "phone-secret-1"), Phone("1002", "phone-secret-2")),
)


@pytest.fixture
def plan(tmp_path: Path) -> SwitchPlan:
    return replace(PLAN, recordings=tmp_path / "recordings", sounds=tmp_path / "sounds")


def test_every_variable_that_the_configuration_uses_is_set_by_the_render(tmp_path: Path, plan: SwitchPlan) -> None:
    render(tmp_path, plan)
    used = {name for file in CONF.glob("*.xml") for name in re.findall(r"\$\$\{(\w+)\}", file.read_text())}
    given = set(re.findall(r'data="(\w+)=', (tmp_path / "conf" / "vars.xml").read_text()))
    assert used <= given
    assert used


def test_every_file_of_the_configuration_is_well_formed_and_included(tmp_path: Path, plan: SwitchPlan) -> None:
    render(tmp_path, replace(plan, peer_port=5070, nodes={"b": "192.0.2.1:5070"}))
    conf = tmp_path / "conf"
    included = set(re.findall(r'cmd="include" data="([\w.]+)"', "".join(f.read_text() for f in conf.glob("*.xml"))))
    assert {file.name for file in conf.glob("*.xml")} == included | {"freeswitch.xml"}
    for file in conf.glob("*.xml"):
        text = re.sub(r"<\?xml[^>]*\?>", "", file.read_text())
        ET.fromstring(f"<all>{text}</all>")


def test_what_is_rendered_can_be_read_by_its_owner_only(tmp_path: Path, plan: SwitchPlan) -> None:
    render(tmp_path / "home", plan)
    for name in ("conf", "log", "db", "run"):
        assert stat.S_IMODE((tmp_path / "home" / name).stat().st_mode) == 0o700
    for name in ("vars.xml", "directory.xml"):
        assert stat.S_IMODE((tmp_path / "home" / "conf" / name).stat().st_mode) == 0o600


def test_no_phones_password_stands_in_the_configuration(tmp_path: Path, plan: SwitchPlan) -> None:
    render(tmp_path, plan)
    written = "".join(file.read_text() for file in (tmp_path / "conf").iterdir())
    assert "phone-secret" not in written
    assert "phone-secret" not in repr(plan)
    assert "esl-secret" not in repr(plan)


def test_rendering_again_replaces_and_the_directory_can_be_rendered_alone(tmp_path: Path, plan: SwitchPlan) -> None:
    render(tmp_path, plan)
    render(tmp_path, replace(plan, esl_port=18022))
    assert "esl_port=18022" in (tmp_path / "conf" / "vars.xml").read_text()
    render_directory(tmp_path, [Phone("2001", "x" * 24)])
    users = ET.fromstring((tmp_path / "conf" / "directory.xml").read_text()).iter("user")
    assert [user.get("id") for user in users] == ["2001"]
    assert not list((tmp_path / "conf").glob("*.new"))


@pytest.mark.parametrize(
    ("change", "complaint"),
    (
        ({"esl_port": 0}, "esl_port is 0"),
        ({"trunk_port": 70000}, "trunk_port is 70000"),
        ({"rtp_last": 26000}, "rtp_last"),
        ({"log_level": "loud"}, "log_level"),
        ({"esl_password": "short"}, "esl_password"),
        ({"esl_password": 'quote"dollar$${x}'}, "esl_password"),
        ({"language": "en/../../etc $${base_dir}"}, "language"),
        ({"sip_ip": "everywhere"}, "everywhere"),
        ({"trunk_peers": ("not a network",)}, "not a network"),
        ({"sounds": Path("/a folder with blanks")}, "sounds_dir"),
        ({"outside": {"Bad Name": "192.0.2.1:5060"}}, "Bad Name"),
        ({"outside": {"carrier": 'x"/><param'}}, "outside.carrier"),
        ({"outside": {"carrier": "192.0.2.1"}}, "outside.carrier"),
        ({"peer_port": 70000}, "peer_port is 70000"),
        ({"nodes": {"b": "192.0.2.1:5070"}}, "peer_port of its own"),
        ({"peer_port": 5070, "nodes": {"b": "b.example:5070"}}, "nodes.b"),
        ({"peer_port": 5070, "nodes": {"Bad Name": "192.0.2.1:5070"}}, "Bad Name"),
    ),
)
def test_a_value_that_the_switch_would_misread_is_refused_by_name(
    tmp_path: Path, plan: SwitchPlan, change: dict[str, object], complaint: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(complaint)) as refused:
        render(tmp_path, replace(plan, **change))  # type: ignore[arg-type]
    assert "dollar" not in str(refused.value), "a password is not repeated in a message"


def test_each_trunk_to_the_outside_is_a_gateway_that_registers_nowhere(tmp_path: Path, plan: SwitchPlan) -> None:
    render(tmp_path, replace(plan, outside={"carrier": "192.0.2.1:5060", "branch": "pbx.example:5080"}))
    text = (tmp_path / "conf" / "gateways.xml").read_text()
    assert text.index('<gateway name="branch">') < text.index('<gateway name="carrier">')
    assert '<param name="proxy" value="192.0.2.1:5060"/>' in text
    assert text.count('<param name="register" value="false"/>') == 2


def test_the_other_switches_are_known_by_their_addresses_and_nobody_else_is(tmp_path: Path, plan: SwitchPlan) -> None:
    """Law 10: the profile is there only where there are others, and lets in nobody but them."""
    render(tmp_path, plan)
    assert (tmp_path / "conf" / "nodes.xml").read_text() == ""
    render(tmp_path, replace(plan, peer_port=5070, nodes={"b": "192.0.2.1:5070", "c": "[2001:db8::1]:5071"}))
    conf = tmp_path / "conf"
    assert 'data="between.xml"' in (conf / "nodes.xml").read_text()
    assert re.findall(r'cidr="([^"]+)"', (conf / "node_peers.xml").read_text()) == ["192.0.2.1/32", "2001:db8::1/128"]
    assert re.findall(r'<gateway name="([^"]+)">', (conf / "node_gateways.xml").read_text()) == ["node-b", "node-c"]


def test_unless_somebody_says_otherwise_the_outside_is_this_machine(plan: SwitchPlan) -> None:
    assert plan.outside == {"outside": "127.0.0.1:5090"}


@pytest.mark.parametrize("extension", ("", "1001@evil", "10 01", "1001,1002", "${x}", "a" * 33, "-1001", "1001/", "一"))
def test_an_extension_that_could_mean_something_in_a_dial_string_is_refused(extension: str) -> None:
    with pytest.raises(ValueError, match="extension"):
        directory_xml([Phone(extension, "secret")])


def test_two_agents_with_one_extension_and_a_phone_without_a_password_are_refused() -> None:
    with pytest.raises(ValueError, match="two agents"):
        directory_xml([Phone("1001", "a"), Phone("1001", "b")])
    with pytest.raises(ValueError, match="no password"):
        directory_xml([Phone("1001", "")])


def test_the_command_names_every_folder_of_ours_and_leaves_nothing_to_the_packages_defaults(
    tmp_path: Path, plan: SwitchPlan
) -> None:
    command = arguments(Path("/somewhere/bin/freeswitch"), tmp_path, plan)
    assert command[0] == "/somewhere/bin/freeswitch"
    options = dict(zip(command[5::2], command[6::2], strict=True))
    assert options.pop("-mod") == "/somewhere/lib/freeswitch/mod"
    assert options.pop("-recordings") == str(plan.recordings)
    assert options.pop("-sounds") == str(plan.sounds)
    assert {Path(folder).parent for folder in options.values()} == {tmp_path}
    assert len(options) == 11


def test_a_switch_goes_before_other_programs_where_it_may_unless_it_is_told_not_to(
    tmp_path: Path, plan: SwitchPlan
) -> None:
    """What the program does by itself; -np asks it not to."""
    binary = Path("/somewhere/bin/freeswitch")
    assert "-np" not in arguments(binary, tmp_path, plan)
    assert "-np" in arguments(binary, tmp_path, replace(plan, realtime=False))


# --- passwords -------------------------------------------------------------------------------------------------------
def test_a_phone_keeps_its_password_and_a_new_one_gets_its_own(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "phones.json"
    first = {phone.extension: phone.password for phone in phones(path, ["1001", "1002"])}
    again = {phone.extension: phone.password for phone in phones(path, ["1002", "1003", "1001"])}
    assert again["1001"] == first["1001"]
    assert again["1002"] == first["1002"]
    assert len(set(again.values())) == 3
    assert all(len(password) == 24 for password in again.values())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_an_agent_who_comes_back_finds_its_old_password(tmp_path: Path) -> None:
    path = tmp_path / "phones.json"
    (before,) = phones(path, ["1001"])
    phones(path, ["1002"])
    assert phones(path, ["1001"]) == [before]


@pytest.mark.parametrize("text", ("not json", "[]", '{"1001": 7}', '{"1001": ""}'))
def test_a_file_of_passwords_that_is_not_ours_is_refused_and_left_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "phones.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=re.escape(str(path))):
        phones(path, ["1001"])
    assert path.read_text() == text
