"""The company of the demo data: who works there, for whom, and on what. Pure.

Names stay as they are in either language, as those of a real company do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from plugins.standard.access import Role
from plugins.standard.permissions import CLOSING, EVERYBODY, MANAGER, WORK_ITEMS

DOMAIN = "kitamura-precision.example"
COUNTRY = "JP"


@dataclass(frozen=True, slots=True)
class DemoTask:
    """A task; by its code people are given it."""

    code: str
    name: str
    memos: tuple[str, ...] = ()
    """What people write about it."""
    billable: bool = True
    active: bool = True


@dataclass(frozen=True, slots=True)
class DemoProject:
    """A project with its tasks."""

    code: str
    name: str
    colour: str
    tasks: tuple[DemoTask, ...]
    for_everybody: bool = False
    active: bool = True


@dataclass(frozen=True, slots=True)
class DemoCustomer:
    """A customer with its projects."""

    code: str
    name: str
    projects: tuple[DemoProject, ...]


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Somebody who works there."""

    login: str
    name: str
    tasks: Mapping[str, int]
    """Codes of the tasks that fill their days, with how often each is chosen beside the others."""
    favourites: tuple[str, ...] = ()
    """Codes of tasks."""
    roles: Mapping[str, Role] = field(default_factory=dict)
    """By code of the project; in the projects of their tasks that are not for everybody they are members anyway."""
    permissions: tuple[str, ...] = ()
    begins: int = 8 * 60 + 45
    """Minute of the day at which they usually begin."""
    overtime: int = 10
    """Minutes that a usual day has more than expected."""
    times: bool = False
    """Whether they record from when to when, and their breaks."""
    forgets: int = 2
    """Of a hundred days, on how many nothing is recorded."""
    first_week: int = 0
    """The week in which they began, counted from the beginning of the data."""
    last_week: int | None = None
    """The week after which they left, counted likewise; None of those who are still there."""

    @property
    def email(self) -> str:
        """Their address, in a domain that nobody can have (RFC 2606)."""
        return f"{self.login}@{DOMAIN}"


MEETING, TRAINING, OFFICE = "KP-01", "KP-02", "KP-03"
LEAVE, SICK = "KP-11", "KP-12"

CUSTOMERS = (
    DemoCustomer(
        "TOK",
        "東海自動車部品",
        (
            DemoProject(
                "RX-2",
                "Press line renewal",
                "blue",
                (
                    DemoTask(
                        "RX-204", "Gearbox housing drawing", ("Flange, rev. C", "軸受部の公差を見直し", "図面修正")
                    ),
                    DemoTask("RX-198", "Assembly review with supplier", ("Call with Tokai", "仕入先と打ち合わせ")),
                    DemoTask("RX-211", "Hydraulics layout", ("Routing around column 3", "配管ルート検討")),
                    DemoTask("RX-215", "現地立会い・据付", ("名古屋工場", "On site in Nagoya")),
                ),
                for_everybody=True,
            ),
            DemoProject(
                "RX-4",
                "トランスミッション治具",
                "teal",
                (
                    DemoTask("RX-401", "治具設計", ("クランプ案 B", "3D モデル更新")),
                    DemoTask("RX-402", "強度解析", ("FEM, load case 4", "再計算")),
                    DemoTask("RX-403", "試作・測定", ("三次元測定", "First article")),
                ),
            ),
            DemoProject(
                "RX-1",
                "量産立ち上げ支援",
                "olive",
                (
                    DemoTask("RX-101", "工程設計", ("工程表 第 2 版",)),
                    DemoTask("RX-102", "Operator training", ("ライン B 説明会", "Handover")),
                    DemoTask("RX-103", "不具合対応", ("バリ対策", "Rework of 40 parts")),
                ),
                active=False,
            ),
        ),
    ),
    DemoCustomer(
        "AOB",
        "Aoba Robotics 青葉ロボティクス",
        (
            DemoProject(
                "RX-3",
                "Inspection cell",
                "purple",
                (
                    DemoTask("RX-311", "Fixture design", ("Pallet 2, new datum", "基準面の変更")),
                    DemoTask("RX-305", "Quotation support", ("Option with 2 cameras", "見積もり作成"), billable=False),
                    DemoTask("RX-318", "Camera calibration", ("0.02 mm reached", "レンズ交換後に再校正")),
                    DemoTask("RX-301", "Concept study", ("Variant 3 chosen",), active=False),
                ),
            ),
            DemoProject(
                "RX-5",
                "Gripper series G4",
                "orange",
                (
                    DemoTask("RX-501", "Finger geometry", ("Print of variant 5", "爪形状の比較")),
                    DemoTask("RX-502", "Endurance test", ("600,000 cycles", "耐久試験 継続中")),
                    DemoTask("RX-503", "Documentation", ("Manual, chapter 3", "取扱説明書")),
                ),
            ),
        ),
    ),
    DemoCustomer(
        "NOR",
        "Nordlicht Optik GmbH",
        (
            DemoProject(
                "RX-6",
                "Lens mount redesign",
                "green",
                (
                    DemoTask("RX-601", "Tolerance analysis", ("Stack-up of 7 parts", "公差解析")),
                    DemoTask("RX-602", "Prototype machining", ("Second set", "5 軸加工")),
                    DemoTask("RX-603", "Customer calls", ("Weekly call with Jena",)),
                ),
            ),
            DemoProject(
                "RX-7",
                "Calibration bench",
                "amber",
                (
                    DemoTask("RX-701", "Bench design", ("Granite base ordered", "定盤選定")),
                    DemoTask("RX-702", "Control software", ("Homing sequence", "原点復帰の修正")),
                    DemoTask("RX-703", "Commissioning", ("立ち上げ",)),
                ),
            ),
        ),
    ),
    DemoCustomer(
        "SAK",
        "サクラメディカル",
        (
            DemoProject(
                "RX-8",
                "手術器具トレー",
                "pink",
                (
                    DemoTask("RX-801", "設計", ("蓋のロック機構", "Hinge, third try")),
                    DemoTask("RX-802", "試作評価", ("洗浄試験", "Samples to Osaka")),
                    DemoTask("RX-803", "薬事資料作成", ("ISO 13485 の対応表",)),
                ),
            ),
            DemoProject(
                "RX-9",
                "Sterilisation validation",
                "red",
                (
                    DemoTask("RX-901", "Test protocol", ("Draft to customer", "試験計画書")),
                    DemoTask("RX-902", "Test runs", ("Run 4 of 9", "滅菌サイクル")),
                    DemoTask("RX-903", "Report", ("Figures and tables", "報告書")),
                ),
            ),
        ),
    ),
    DemoCustomer(
        "KIT",
        "Kitamura Precision 北村精工",
        (
            DemoProject(
                "KP-0",
                "Internal 社内業務",
                "grey",
                (
                    DemoTask(MEETING, "Team meeting 定例会議", ("週次定例",), billable=False),
                    DemoTask(TRAINING, "Training 研修", ("安全教育", "CAD course"), billable=False),
                    DemoTask(OFFICE, "Office and orders 事務", ("Orders", "経費精算"), billable=False),
                ),
                for_everybody=True,
            ),
            DemoProject(
                "KP-1",
                "Absence 休暇",
                "grey",
                (
                    DemoTask(LEAVE, "Paid leave 有給休暇", billable=False),
                    DemoTask(SICK, "Sick leave 病気休暇", billable=False),
                ),
                for_everybody=True,
            ),
            DemoProject(
                "KP-2",
                "基幹システム移行 ERP",
                "teal",
                (
                    DemoTask("KP-21", "Requirements 要件定義", ("受注画面", "Interviews"), billable=False),
                    DemoTask(
                        "KP-22", "Data clean-up データ整備", ("部品表の重複", "12,000 part numbers"), billable=False
                    ),
                    DemoTask("KP-23", "Test 受入テスト", ("シナリオ 14–20",), billable=False),
                ),
            ),
        ),
    ),
)

PEOPLE = (
    DemoPerson(
        "m.sakai",
        "Mio Sakai",
        {"RX-204": 6, "RX-198": 3, "RX-311": 4, "RX-305": 2, "RX-103": 2},
        ("RX-204", "RX-311", MEETING),
        begins=8 * 60 + 30,
        times=True,
        forgets=1,
    ),
    DemoPerson(
        "k.hasegawa",
        "Ken Hasegawa",
        {"RX-198": 3, "RX-318": 2, "RX-401": 2, "RX-101": 3, OFFICE: 3},
        (MEETING, "RX-198"),
        {
            "RX-2": Role.CORRECTOR,
            "RX-3": Role.CORRECTOR,
            "RX-4": Role.CORRECTOR,
            "RX-5": Role.READER,
            "KP-0": Role.CORRECTOR,
            "KP-1": Role.CORRECTOR,
        },
        (MANAGER.name, WORK_ITEMS.name),
        overtime=35,
        forgets=0,
    ),
    DemoPerson(
        "e.matsuda",
        "松田 恵美",
        {OFFICE: 5, "KP-21": 3, "KP-22": 2, "RX-803": 2},
        (OFFICE, "KP-21"),
        permissions=(EVERYBODY.name, CLOSING.name),
        overtime=0,
        forgets=0,
    ),
    DemoPerson(
        "a.aoyama",
        "青山 明",
        {"RX-401": 5, "RX-402": 4, "RX-211": 2, "RX-101": 2},
        ("RX-401", "RX-402"),
        times=True,
        begins=9 * 60,
    ),
    DemoPerson(
        "y.fujita",
        "藤田 結衣",
        {"RX-801": 5, "RX-802": 3, "RX-803": 2, "RX-901": 2},
        ("RX-801", "RX-802", MEETING),
        begins=8 * 60,
        overtime=0,
        times=True,
    ),
    DemoPerson(
        "r.ishikawa",
        "石川 凛",
        {"RX-901": 3, "RX-902": 5, "RX-903": 3, "RX-802": 2},
        ("RX-902", "RX-903"),
        overtime=20,
        forgets=5,
    ),
    DemoPerson(
        "d.keller",
        "Daniel Keller",
        {"RX-601": 5, "RX-602": 3, "RX-603": 1, "RX-701": 3},
        ("RX-601", "RX-603"),
        {"RX-6": Role.CORRECTOR, "RX-7": Role.CORRECTOR},
        (MANAGER.name,),
        begins=7 * 60 + 30,
        times=True,
    ),
    DemoPerson(
        "s.kondo",
        "近藤 颯太",
        {"RX-215": 4, "RX-211": 4, "RX-403": 3, "RX-103": 2},
        ("RX-215", "RX-211"),
        overtime=75,
        forgets=4,
    ),
    DemoPerson(
        "n.mori",
        "森 直樹",
        {"RX-602": 4, "RX-403": 4, "RX-502": 3, "RX-102": 3},
        ("RX-602", "RX-502"),
        overtime=15,
    ),
    DemoPerson(
        "p.nair",
        "Priya Nair",
        {"RX-702": 6, "RX-318": 3, "KP-21": 2, "KP-23": 2},
        ("RX-702", MEETING),
        begins=9 * 60 + 30,
        times=True,
    ),
    DemoPerson(
        "t.ogawa",
        "小川 匠",
        {"RX-501": 5, "RX-502": 3, "RX-503": 2, TRAINING: 3},
        ("RX-501",),
        overtime=0,
        first_week=12,
    ),
    DemoPerson(
        "c.lindqvist",
        "Clara Lindqvist",
        {"RX-503": 3, "RX-501": 3, "RX-305": 2, "RX-703": 2, "RX-903": 2},
        ("RX-503", "RX-305"),
        overtime=-5,
        forgets=3,
    ),
    DemoPerson(
        "t.weber",
        "Thomas Weber",
        {"RX-204": 4, "RX-211": 3, "RX-198": 2, OFFICE: 2},
        last_week=9,
    ),
)

FINISHED_AFTER_WEEK = 8
"""Hours on projects and tasks that are finished now end with this week, counted from the beginning of the data."""
CORRECTOR, CORRECTED = "k.hasegawa", "s.kondo"
"""Who corrects whose hours."""
CONTROLLER = "e.matsuda"
"""Who reads everybody's hours and closes them."""
WITH_TIMER, TIMED, TIMER_MEMO = "m.sakai", "RX-204", "Flange, rev. C"
"""Whose timer runs, and on what."""


PROJECTS = tuple(project for customer in CUSTOMERS for project in customer.projects)
"""All projects, in their order."""
TASKS: Mapping[str, DemoTask] = MappingProxyType({task.code: task for each in PROJECTS for task in each.tasks})
"""All tasks by their codes."""
PROJECT_OF: Mapping[str, DemoProject] = MappingProxyType({task.code: each for each in PROJECTS for task in each.tasks})
"""The project of each task, by the code of the task."""


def is_finished(task: str) -> bool:
    """Whether no hours can be recorded any more on the task with this code."""
    return not (TASKS[task].active and PROJECT_OF[task].active)


def roles_of(person: DemoPerson) -> Mapping[str, Role]:
    """What somebody is named as, by the code of the project."""
    needed = {PROJECT_OF[code].code for code in person.tasks if not PROJECT_OF[code].for_everybody}
    return {**dict.fromkeys(sorted(needed), Role.MEMBER), **person.roles}
