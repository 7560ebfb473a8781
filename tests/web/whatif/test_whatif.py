"""The page of what-if: asked, played in a process of its own, answered beside the real day; and what is refused."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from flask_babel import force_locale

from orchestrator import commandline_whatif
from orchestrator.domain.kernel import Refused
from orchestrator.service.deciding import Who
from orchestrator.service.drafts import Drafts
from orchestrator.whatif import asking
from orchestrator.whatif.changes import Wanted
from orchestrator.whatif.job import Request, reply
from tests.lab.patience import until
from tests.projections.kit import ReadKit
from tests.web.conftest import Browser, Site
from tests.web.whatif.conftest import DAY
from tests.whatif import made
from web import refusals
from web.whatif import command, words
from web.whatif.jobs import Jobs, State, identity

_PATIENCE_S = 120
_NOBODY_THERE = "postgresql://somebody@127.0.0.1:1/x"


def played(browser: Browser, path: str) -> State:
    """How the question ended, once it did."""

    def ended() -> State | None:
        found = browser.get(f"{path}/state").json
        assert found is not None
        return State(**found) if found["state"] != "running" else None

    return until(ended, f"{path} to end", within_s=_PATIENCE_S)


@pytest.mark.usefixtures("sixty_calls")
def test_a_day_is_asked_for_played_and_shown_beside_the_real_one(site: Site) -> None:
    """Feature 10.4. The answer is kept: the same question is not played again."""
    leader = site.as_role("leader")
    leader.get("/whatif/")
    answer = leader.submit("/whatif/", day=DAY, agents="+1", seeds="2")
    assert answer.status_code == 303, answer.text
    path = answer.location
    assert "The day is being played" in leader.get(path).text
    assert played(leader, path).state == "done", leader.get(path).text
    page = leader.get(path).text
    assert "What if: agents +1" in page
    assert page.count('<svg class="chart"') == 4
    for told in ("Patience", "with 95 % confidence", "Played, changed", "Difference", "Support"):
        assert told in page
    chinese = leader.get(path, headers={"Accept-Language": "zh"}).text
    for told in ("假如", "实际", "按原样重演", "改动后重演", "耐心"):
        assert told in chinese
    leader.get("/whatif/")
    again = leader.submit("/whatif/", day=DAY, agents="1", seeds="2")
    assert again.location == path
    assert path in leader.get("/whatif/").text
    assert leader.get(path).text.partition("<main")[2] == page.partition("<main")[2]
    assert oct(next(Path(site.parts.settings.home / "whatif").glob("*.json")).stat().st_mode)[-3:] == "600"


@pytest.mark.usefixtures("empty")
def test_what_cannot_be_asked_is_said_beside_the_form(site: Site) -> None:
    """A day in the future or none, more days than the limit, no number: in the reader's language."""
    leader = site.as_role("leader")
    leader.get("/whatif/")
    for typed, english, chinese in (
        ({"day": "2199-01-01"}, "This day has not come yet", "这一天还没有到"),
        ({"day": "yesterday"}, "Write a day as 2026-11-30", "日期请写成"),
        ({"day": DAY, "days": "8"}, "From 1 to 7 days are played together.", "一次重演 1 到 7 天"),
        ({"day": DAY, "seeds": "51"}, "A day is played with 1 to 50 seeds.", "一天重演 1 到 50 次"),
        ({"day": DAY, "agents": "many"}, "Write whole numbers", "请写整数"),
    ):
        for language, told in (("en", english), ("zh", chinese)):
            answer = leader.post(
                "/whatif/", data={"csrf_token": leader.csrf_token, **typed}, headers={"Accept-Language": language}
            )
            assert answer.status_code == 400
            assert told in answer.text


@pytest.mark.usefixtures("sixty_calls")
def test_what_the_day_itself_refuses_is_said_once_it_is_known(site: Site) -> None:
    """A day without calls; and nobody left."""
    leader = site.as_role("leader")
    for typed, told in (
        ({"day": "2026-02-20"}, "Nobody called then; choose a day with calls."),
        ({"day": DAY, "agents": "-4"}, "4 agents worked on that day; leave at least one: 3 fewer at most."),
    ):
        leader.get("/whatif/")
        path = leader.submit("/whatif/", **typed).location
        assert played(leader, path).state == "refused"
        assert told in leader.get(path).text


@pytest.mark.usefixtures("sixty_calls")
def test_a_draft_with_an_error_is_refused_with_the_key(site: Site) -> None:
    admin = site.as_role("admin")
    reading, who = site.reading, Who(actor="user:admin-1", roles=("admin",))
    drafts = Drafts(reading.desk, reading.log, site.parts.settings.site, region="CN")
    drafts.begin(who, "Faster")
    (draft,) = drafts.open(who.actor)
    wrong = {"name": "Sales", "skill": "sales", "ring_s": "long"}
    drafts.edit(who, draft.draft_id, {"queue-sales": wrong}, seen=draft.version)
    assert "draft: Faster" in admin.get("/whatif/").text
    answer = admin.submit("/whatif/", day=DAY, draft=draft.draft_id)
    assert answer.status_code == 400
    assert "queue.sales.ring_s: " in answer.text
    assert "There is no such draft" in admin.submit("/whatif/", day=DAY, draft="no-such-draft").text
    ops = site.as_role("ops")
    ops.get("/whatif/")
    assert ops.submit("/whatif/", day=DAY, draft=draft.draft_id).status_code == 403


def test_whoever_does_not_wait_has_it_ended(site: Site, empty: ReadKit, tmp_path: Path) -> None:
    """Bounded: not asked for, or cancelled, the process ends and leaves nothing."""
    jobs = Jobs(tmp_path / "whatif", unasked_s=0.0)
    asked = Request(
        url=empty.database.reader,
        kek_file=str(site.parts.settings.kek_file),
        first=made.FIRST,
        last=made.LAST,
        seeds=1,
        region="CN",
    )
    job_id = jobs.start(asked)
    until(lambda: not jobs.running(), "the question to end", within_s=_PATIENCE_S)
    assert jobs.state(job_id) == State("ended", code="cancelled")
    assert list((tmp_path / "whatif").iterdir()) == []
    assert identity(asked) == job_id
    assert jobs.state("../../etc/passwd").state == "unknown"
    assert jobs.answer("../../etc/passwd") is None


@pytest.fixture
def silent() -> Iterator[str]:
    """The URL of a database that takes up the telephone and says nothing: whoever asks it waits."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"postgresql://x@127.0.0.1:{server.getsockname()[1]}/x?connect_timeout=60"


def question(url: str, folder: Path) -> Request:
    return Request(url=url, kek_file=str(folder / "kek"), first=made.FIRST, last=made.LAST, seeds=1, region="CN")


def processes(folder: Path) -> list[int]:
    """Those whose answer goes into this folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "fd" / "1").readlink().parent == folder:
                found.append(int(process.name))
    return found


def test_a_question_does_not_outlive_the_web_that_asked_it(tmp_path: Path, silent: str) -> None:
    """A web that is killed leaves no process behind which nobody would end."""
    begin = (
        "import signal, sys; from pathlib import Path; import msgspec; from orchestrator.whatif.job import Request;"
        "from web.whatif.jobs import Jobs; asked = msgspec.json.decode(sys.argv[2], type=Request);"
        "jobs = Jobs(Path(sys.argv[1])); jobs.start(asked); print('asked', flush=True); signal.pause()"
    )
    asked = msgspec.json.encode(question(silent, tmp_path)).decode()
    with subprocess.Popen((sys.executable, "-c", begin, str(tmp_path), asked), stdout=subprocess.PIPE) as web:
        try:
            assert web.stdout is not None
            assert web.stdout.readline() == b"asked\n"
            (job,) = processes(tmp_path)
        finally:
            web.kill()
    try:
        until(lambda: not processes(tmp_path), "its process to end")
    finally:
        with suppress(ProcessLookupError):
            os.kill(job, signal.SIGKILL)


def test_a_web_that_stops_ends_its_question(tmp_path: Path, silent: str) -> None:
    jobs = Jobs(tmp_path)
    job_id = jobs.start(question(silent, tmp_path))
    assert processes(tmp_path)
    jobs.close()
    assert not processes(tmp_path)
    assert jobs.state(job_id) == State("ended", code="cancelled")


def test_an_answer_that_is_lost_leaves_the_place_to_the_next_question(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path)
    job_id = jobs.start(question(_NOBODY_THERE, tmp_path))
    next(tmp_path.glob("*.part")).unlink()
    until(lambda: not jobs.running(), "the question to end")
    assert jobs.state(job_id) == State("ended", code="broken")
    jobs.start(question(_NOBODY_THERE, tmp_path))
    until(lambda: not jobs.running(), "the question to end")
    assert jobs.state(job_id).code == "database_away"


def test_what_is_away_is_said_in_the_readers_language_and_names_no_host_user_or_file(
    site: Site, sixty_calls: ReadKit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page is no place for what stands in the log of the web."""
    without_key = msgspec.structs.replace(
        question(sixty_calls.database.reader, tmp_path), kek_file=str(tmp_path / "no-kek")
    )
    for asked, code, english, chinese in (
        (question(_NOBODY_THERE, tmp_path), "database_away", "The database is away or cannot be read", "数据库"),
        (without_key, "keys_away", "The keys of personal data cannot be read", "密钥"),
    ):
        found = reply(asked)
        assert found.code == code
        assert capsys.readouterr().err, "whoever runs it is told more"
        for language, told in (("en", english), ("zh", chinese)):
            with site.app.test_request_context(), force_locale(language):
                said = refusals.words(Refused(found.code, found.message))
            assert told in said
            for secret in ("somebody", "127.0.0.1", str(tmp_path)):
                assert secret not in said


@pytest.mark.usefixtures("empty")
def test_only_those_who_see_sizing_may_ask(site: Site) -> None:
    assert site.as_role("agent").get("/whatif/").status_code == 403
    assert site.as_role("leader").get("/whatif/0123456789abcdef01234567").status_code == 404


def test_the_command_says_what_cannot_be_asked() -> None:
    done = CliRunner().invoke(commandline_whatif.whatif, ["2026-11-22", "--config", "nowhere.toml"])
    assert done.exit_code == 1
    assert "nowhere.toml cannot be read" in done.output


def test_the_command_prints_the_same_figures_and_words(site: Site) -> None:
    real = asking.taken(made.records(made.brought(40, 3, hours=(10, 11), agents_pause=False)), made.FIRST, made.LAST)
    answer = asking.answer(real, Wanted(agents=1, region="CN"), seeds=2, today=date(2026, 3, 3))
    told = command.told(answer, site.parts.settings)
    assert told.before == [
        "2026-03-02 00:00 to 2026-03-03 00:00: 40 calls, 3 agents; played 2 times",
        "- agents +1",
    ]
    head, *rows = told.tables[0]
    assert [row[0] for row in rows] == [str(label) for label in words.LABELS.values()]
    assert {len(row) for row in rows} == {len(head)}
    assert rows[0][1:3] == ("40", "40")
    assert [table[0][0] for table in told.tables[1:]] == ["sales", "support"]
    assert any("Patience" in line for line in told.after)
