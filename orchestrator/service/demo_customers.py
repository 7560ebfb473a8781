"""The demo's known callers: some files with names and orders, for numbers from which the bundled switch's callers call.

Everybody is invented. The numbers are those of the stream without names in freeswitch/simulator/demo.toml.
"""

from typing import Final

from msgspec import Struct

from orchestrator.domain.customers.people import ChangeProfile
from orchestrator.domain.work.ordertypes import Given
from orchestrator.service.customer_file import CustomerFile, NumberHeld
from orchestrator.service.deciding import Who
from orchestrator.service.work import Work
from orchestrator.settings import Settings
from orchestrator.store import DeskWriter, KeyShelf, Log, Source
from orchestrator.vault import Vault

NUMBERS: Final = "1380003000"
"""What the known callers' numbers begin with; one digit follows."""

_BY: Final = Who(actor="system", roles=("leader", "back_office"))


class _Order(Struct, frozen=True, kw_only=True):
    type_id: str
    fields: Given
    assignee: str = ""
    note: str = ""
    done: bool = False


class _Person(Struct, frozen=True, kw_only=True):
    name: str
    company: str = ""
    address: str = ""
    level: str = ""
    note: str = ""
    orders: tuple[_Order, ...] = ()


_PEOPLE: Final = (
    _Person(
        name="王芳",
        address="上海市黄浦区南京东路 300 号 12 楼",
        level="vip",
        note="喜欢上午接电话",
        orders=(
            _Order(
                type_id="pickup",
                fields={"address": "上海市黄浦区南京东路 300 号 12 楼", "window": "morning", "parcels": 3},
                assignee="role:service_point",
                note="需要带大纸箱",
            ),
            _Order(type_id="enquiry", fields={"waybill": "RL20261101", "question": "包裹到哪里了？"}, done=True),
        ),
    ),
    _Person(
        name="陈大文",
        company="大文五金行",
        address="广州市越秀区北京路 88 号",
        level="gold",
        orders=(
            _Order(
                type_id="complaint",
                fields={"waybill": "RL20261093", "about": "damaged", "story": "外箱破损，两件货物有划痕", "claim": 260},
                assignee="role:back_office",
            ),
        ),
    ),
    _Person(name="李娜", address="北京市朝阳区建国路 5 号", note="英语沟通也可以"),
    _Person(
        name="张伟",
        company="伟业贸易有限公司",
        level="gold",
        orders=(
            _Order(
                type_id="delivery",
                fields={"waybill": "RL20261107", "address": "苏州市工业园区星湖街 328 号", "leave_with": "门卫老周"},
            ),
        ),
    ),
    _Person(name="刘洋", orders=(_Order(type_id="enquiry", fields={"question": "周日能否派送？", "call_back": True}),)),
    _Person(name="黄敏", company="敏之花店", address="深圳市南山区科技路 1 号"),
    _Person(name="赵静", level="vip"),
    _Person(name="周杰", company="杰记茶行", address="杭州市西湖区龙井路 16 号"),
    _Person(name="吴秀英"),
    _Person(name="Anna Schmidt", company="Schmidt Import", address="上海市徐汇区淮海中路 999 号", level="gold"),
)


def ensure(settings: Settings, url_writer: str) -> int:
    """Make the files and orders that are not there yet; how many people are new.

    Whoever was changed or erased since stays so: everything here is done once in the life of a ledger. Raises what the
    store and the keys raise, and `Refused` where the site's own types of order do not fit the demo's.
    """
    source = Source(url_writer, name="ringledger demo")
    try:
        vault = Vault.unlock(settings.kek_file, KeyShelf(source))
        log, desk = Log(source, vault=vault), DeskWriter(source, vault)
        file = CustomerFile(desk, log, vault, region=settings.region)
        work = Work(desk, log, region=settings.region)
        return sum(_make(file, work, place, person) for place, person in enumerate(_PEOPLE))
    finally:
        source.close()


def _make(file: CustomerFile, work: Work, place: int, person: _Person) -> bool:
    profile = ChangeProfile(name=person.name, company=person.company, address=person.address, level=person.level)
    key = f"demo-{place}"
    try:
        made = file.create(_BY, profile, number=f"+86{NUMBERS}{place}", source="demo", key=key)
    except NumberHeld:
        # Called before this was here: a file that lives, and is not ours to fill in.
        return False
    if not made.changed:
        return False
    if person.note:
        file.note(_BY, made.ident, person.note, key=f"{key}-note")
    for number, order in enumerate(person.orders):
        if work.type(order.type_id) is not None:
            _open(work, made.ident, order, f"{key}-{number}")
    return True


def _open(work: Work, customer_id: str, order: _Order, key: str) -> None:
    order_id = work.open(_BY, order.type_id, order.fields, customer_id=customer_id, key=key).ident
    if order.assignee:
        work.assign(_BY, order_id, order.assignee, key=f"{key}-assign")
    if order.note:
        work.note(_BY, order_id, order.note, key=f"{key}-note")
    if order.done:
        work.done(_BY, order_id, key=f"{key}-done")
