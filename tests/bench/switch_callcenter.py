"""mod_callcenter of the same switch, configured for one run in the switch's temporary home, never in ours."""

from collections.abc import Mapping, Sequence
from typing import Final

from tests.lab.switch import RealSwitch

_EXTENSION: Final = """
  <extension name="callcenter">
    <condition field="destination_number" expression="^({numbers})$">
      <action application="answer"/>
      <action application="callcenter" data="q$1@default"/>
    </condition>
  </extension>"""

_QUEUE: Final = """
    <queue name="{name}">
      <param name="strategy" value="longest-idle-agent"/>
      <param name="moh-sound" value="local_stream://ringledger"/>
      <param name="time-base-score" value="queue"/>
      <param name="max-wait-time" value="0"/>
      <param name="max-wait-time-with-no-agent" value="0"/>
      <param name="tier-rules-apply" value="false"/>
      <param name="discard-abandoned-after" value="60"/>
      <param name="abandoned-resume-allowed" value="false"/>{more}
    </queue>"""
_RECORDED: Final = """
      <param name="record-template" value="{folder}/callcenter-${{uuid}}.wav"/>"""

_AGENT: Final = """
    <agent name="{name}" type="callback" contact="user/{name}@ringledger" status="Available" max-no-answer="0"
           wrap-up-time="0" reject-delay-time="0" busy-delay-time="0" no-answer-delay-time="0"/>"""


def load(switch: RealSwitch, queues: Mapping[str, Sequence[str]], recorded: Mapping[str, str]) -> bool:
    """Let callers of each number of `queues` be served by these extensions, and record those of `recorded`, whom the
    extensions of another number serve. False where the switch lacks the module.
    """
    conf = switch.home / "conf"
    lines = ['<configuration name="callcenter.conf">', "<settings/>", "<queues>"]
    lines += [_QUEUE.format(name=f"q{number}@default", more="") for number in queues]
    keeps = _RECORDED.format(folder=switch.plan.recordings)
    lines += [_QUEUE.format(name=f"q{number}@default", more=keeps) for number in recorded]
    lines += ["</queues>", "<agents>"]
    lines += [_AGENT.format(name=extension) for extensions in queues.values() for extension in extensions]
    lines += ["</agents>", "<tiers>"]
    lines += [
        f'<tier agent="{extension}" queue="q{number}@default" level="1" position="1"/>'
        for number, extensions in {**queues, **{each: queues[other] for each, other in recorded.items()}}.items()
        for extension in extensions
    ]
    lines += ["</tiers>", "</configuration>"]
    (conf / "callcenter.xml").write_text("\n".join(lines))
    main, dialplan = conf / "freeswitch.xml", conf / "dialplan.xml"
    include = '<X-PRE-PROCESS cmd="include" data="acl.xml"/>'
    main.write_text(main.read_text().replace(include, "\n".join((include, include.replace("acl", "callcenter")))))
    head = '<context name="ringledger-inbound">'
    ours = _EXTENSION.format(numbers="|".join((*queues, *recorded)))
    dialplan.write_text(dialplan.read_text().replace(head, head + ours))
    with switch.control() as control:
        assert control.api("reloadxml").startswith("+OK")
        control.api("load mod_callcenter")
        return control.api("module_exists mod_callcenter").strip() == "true"
