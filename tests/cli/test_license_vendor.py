"""The vendor's commands: keygen, issue, inspect with a public key; offline."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine
from click.testing import CliRunner, Result

from app.cli.license import PASSPHRASE_VARIABLE, license_group
from app.license.document import License, Verifier
from app.license.issuing import make_key_pair
from app.license.reasons import LicenseError
from app.license.signature import load_trusted_keys

NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
DATES = ("--expires", "2027-03-31", "--maintenance-until", "2027-01-31")


def run(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(license_group, arguments, input=stdin)


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the key pair vendor-2026."""
    folder = tmp_path_factory.mktemp("vendor")
    result = run("keygen", "--out", str(folder), "--kid", "vendor-2026")
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def issue(vendor: Path, *arguments: str, **changes: str) -> Result:
    options = {"kid": "vendor-2026", "customer": "Kitamura Precision", "edition": "standard", "seats": "50"} | changes
    named = [text for name, value in options.items() for text in (f"--{name}", value)]
    return run("issue", "--private-key", str(vendor / "vendor-2026.private.pem"), *named, *arguments)


def granted(vendor: Path, result: Result) -> License:
    assert result.exit_code == 0, result.output
    return Verifier(load_trusted_keys(vendor).keys, "timetracker-rx").verify(result.stdout, NOW)


def test_a_private_key_is_readable_by_its_owner_alone(vendor: Path) -> None:
    assert stat.S_IMODE((vendor / "vendor-2026.private.pem").stat().st_mode) == 0o600
    assert b"BEGIN PUBLIC KEY" in (vendor / "vendor-2026.pem").read_bytes()


def test_a_signing_key_has_3072_bits(vendor: Path) -> None:
    assert load_trusted_keys(vendor).keys["vendor-2026"].public_key.key_size == 3072


@pytest.mark.parametrize("there", ["vendor-2026.private.pem", "vendor-2026.pem"])
def test_a_signing_key_is_never_overwritten(tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("kept")
    result = run("keygen", "--out", str(tmp_path), "--kid", "vendor-2026", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["code"] == "file_exists"
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(there, "kept")]


def test_a_signing_key_does_not_follow_a_link(tmp_path: Path) -> None:
    (tmp_path / "x.private.pem").symlink_to(tmp_path / "elsewhere")
    assert run("keygen", "--out", str(tmp_path), "--kid", "x").exit_code == 1
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("kid", ["../x", "", "a b", "x" * 65, "-x"])
def test_a_signing_key_with_a_name_that_is_no_file_name_is_refused(tmp_path: Path, kid: str) -> None:
    result = run("keygen", "--out", str(tmp_path), f"--kid={kid}", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["code"] == "kid_invalid"
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("keygen", "--out", str(tmp_path / "file" / "x"), "--kid", "x")
    assert result.exit_code == 1
    assert "file_unusable" in result.stderr


def test_a_private_key_can_be_encrypted_and_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "open sesame")
    assert run("keygen", "--out", str(tmp_path), "--kid", "vendor-2026", "--passphrase").exit_code == 0
    assert b"ENCRYPTED" in (tmp_path / "vendor-2026.private.pem").read_bytes()
    assert granted(tmp_path, issue(tmp_path, *DATES))
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "wrong")
    result = issue(tmp_path, *DATES)
    assert result.exit_code == 1
    assert "private_key_unusable" in result.stderr
    monkeypatch.delenv(PASSPHRASE_VARIABLE)
    assert "passphrase_missing" in issue(tmp_path, *DATES).stderr


def test_a_passphrase_is_not_asked_for_where_there_is_no_terminal(tmp_path: Path) -> None:
    result = run("keygen", "--out", str(tmp_path), "--kid", "x", "--passphrase", stdin="typed\ntyped\n")
    assert result.exit_code == 1
    assert "passphrase_missing" in result.stderr


def test_issue_prints_the_key_and_nothing_else(vendor: Path) -> None:
    result = issue(vendor, *DATES)
    assert result.stderr == ""
    assert result.stdout.count("\n") == 1
    assert result.stdout.count(".") == 2


def test_days_hold_through_their_end_in_the_zone(vendor: Path) -> None:
    license_ = granted(vendor, issue(vendor, *DATES, "--time-zone", "Asia/Tokyo", "--starts", "2026-12-01"))
    assert license_.expires == datetime(2027, 3, 31, 15, tzinfo=UTC)
    assert license_.maintenance_expires == datetime(2027, 1, 31, 15, tzinfo=UTC)
    assert license_.starts == datetime(2026, 11, 30, 15, tzinfo=UTC)


def test_a_license_starts_with_today_unless_said_otherwise(vendor: Path) -> None:
    assert granted(vendor, issue(vendor, *DATES)).starts == datetime(2026, 11, 26, tzinfo=UTC)


def test_everything_else_is_carried(vendor: Path) -> None:
    earlier = "7b3e09c4-51f2-4c8e-9a6d-20b7f4e1d833"
    more = ("--feature", "a.b", "--feature", "c", "--installation", earlier, "--trial", "--grace-days", "14")
    license_ = granted(vendor, issue(vendor, *DATES, *more, "--supersedes", earlier, customer="北村精機"))
    assert license_.features == ("a.b", "c")
    assert (license_.installation, license_.trial, license_.grace_days) == (earlier, True, 14)
    assert (license_.supersedes, license_.customer) == ((earlier,), "北村精機")


def test_a_perpetual_license_has_no_end(vendor: Path) -> None:
    assert granted(vendor, issue(vendor, "--perpetual", "--maintenance-until", "2027-01-31")).expires is None


@pytest.mark.parametrize(
    "dates",
    [
        ("--maintenance-until", "2027-01-31"),
        (*DATES, "--perpetual"),
        ("--expires", "2027-3-31", "--maintenance-until", "2027-01-31"),
        ("--expires", "20270331", "--maintenance-until", "2027-01-31"),
        ("--expires", "2027-02-30", "--maintenance-until", "2027-01-31"),
        (*DATES, "--time-zone", "Mars/Olympus"),
        ("--expires", "2027-03-31"),
    ],
)
def test_wrong_usage_ends_with_2_and_no_key(vendor: Path, dates: tuple[str, ...]) -> None:
    result = issue(vendor, *dates)
    assert result.exit_code == 2
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("changes", "permitted"),
    [
        ({"seats": "0"}, "from 1 to 1,000,000"),
        ({"seats": "1000001"}, "from 1 to 1,000,000"),
        ({"customer": ""}, "1 to 200 characters"),
        ({"customer": "x" * 201}, "1 to 200 characters"),
        ({"customer": "a\nb"}, "control character"),
        ({"customer": "a\udcffb"}, "UTF-8"),
        ({"kid": "../x"}, "letters, digits"),
        ({"edition": "Not A Slug"}, "small letters and digits"),
        ({"grace-days": "61"}, "from 0 to 60"),
        ({"grace-days": "-1"}, "from 0 to 60"),
        ({"feature": "Not A Slug"}, "small letters and digits"),
        ({"installation": "x"}, "installation id"),
        ({"installation": ""}, "installation id"),
        ({"supersedes": "x"}, "license number"),
    ],
)
def test_an_option_with_a_bad_value_is_named_with_what_it_takes(
    vendor: Path, changes: dict[str, str], permitted: str
) -> None:
    result = issue(vendor, *DATES, **changes)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert f"Invalid value for '--{next(iter(changes))}'" in result.stderr
    assert permitted in result.stderr
    assert "vendor" not in result.stderr


@pytest.mark.parametrize("day", ["0001-01-01", "1969-12-31", "9999-12-31"])
def test_days_at_the_ends_of_the_calendar_are_refused(vendor: Path, day: str) -> None:
    for option in ("--expires", "--starts", "--maintenance-until"):
        result = issue(vendor, *DATES, option, day)
        if day == "1969-12-31" and option == "--maintenance-until":
            continue  # the first instant of 1970 is permitted, and warned about
        assert (option, result.exit_code) == (option, 2)
        assert f"'{option}'" in result.stderr


def test_a_license_that_ends_before_it_starts_is_refused_at_its_end(vendor: Path) -> None:
    result = issue(vendor, *DATES, starts="2027-04-01")
    assert (result.exit_code, "'--expires'" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("days", "warned"),
    [
        (("--perpetual", "--maintenance-until", "2026-11-20", "--starts", "2026-11-01"), "has ended already"),
        (("--perpetual", "--maintenance-until", "2026-12-01", "--starts", "2026-12-02"), "before the license starts"),
        (
            ("--expires", "2026-11-25", "--maintenance-until", "2027-01-01", "--starts", "2026-11-01"),
            "has expired already",
        ),
        (DATES, ""),
    ],
)
def test_days_that_are_hardly_meant_are_warned_about_beside_the_key(
    vendor: Path, days: tuple[str, ...], warned: str
) -> None:
    result = issue(vendor, *days)
    assert result.exit_code == 0
    assert warned in result.stderr
    assert bool(result.stderr) == bool(warned)
    assert result.stdout.strip().count(".") == 2
    assert result.stdout.count("\n") == 1


def test_a_file_that_is_no_private_key_is_refused(vendor: Path, tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_bytes(b"\xff\x00")
    for path in (tmp_path / "x.pem", vendor / "vendor-2026.pem"):
        result = run(
            "issue",
            "--private-key",
            str(path),
            "--kid",
            "x",
            "--customer",
            "A",
            "--edition",
            "e",
            "--seats",
            "1",
            *DATES,
        )
        assert result.exit_code == 1
        assert "private_key_unusable" in result.stderr


def test_issue_as_json_has_the_key_and_what_it_says(vendor: Path) -> None:
    answer = json.loads(issue(vendor, *DATES, "--json").stdout)
    assert answer["license_key"].count(".") == 2
    assert answer["license_expires"] == "2027-04-01T00:00:00+00:00"
    assert answer["seats"] == 50


# inspect --------------------------------------------------------------------------------------------------------------


def test_inspect_explains_a_key_with_its_last_days(vendor: Path) -> None:
    key = issue(vendor, *DATES, "--time-zone", "Asia/Tokyo", "--grace-days", "14").stdout
    public = str(vendor / "vendor-2026.pem")
    result = run("inspect", key.strip(), "--public-key", public, "--time-zone", "Asia/Tokyo")
    assert result.exit_code == 0
    for shown in ("Kitamura Precision", "2027-03-31 (125 days left)", "2027-01-31 (66 days left)", "2027-04-14", "50"):
        assert shown in result.stdout


@pytest.mark.parametrize("argument", [("-",), ()])
def test_inspect_reads_standard_input_with_line_breaks(vendor: Path, argument: tuple[str, ...]) -> None:
    key = issue(vendor, *DATES).stdout.strip()
    broken = "> " + "\n> ".join(key[start : start + 64] for start in range(0, len(key), 64))
    result = run("inspect", *argument, "--public-key", str(vendor / "vendor-2026.pem"), stdin=f"{broken}\n")
    assert result.exit_code == 0, result.stderr


def test_inspect_takes_a_folder_of_public_keys(vendor: Path) -> None:
    key = issue(vendor, *DATES).stdout.strip()
    assert run("inspect", key, "--public-key", str(vendor)).exit_code == 0


def test_inspect_shows_claims_that_are_not_known(tmp_path: Path) -> None:
    import jwt  # noqa: PLC0415 - here alone a key is made by hand

    pair = make_key_pair()
    (tmp_path / "k.pem").write_bytes(pair.public_pem())
    claims = {
        "iss": "timetracker-rx",
        "aud": "timetracker-rx",
        "jti": "7b3e09c4-51f2-4c8e-9a6d-20b7f4e1d833",
        "sub": "A",
        "iat": int(NOW.timestamp()),
        "nbf": int(NOW.timestamp()),
        "maintenance_exp": int(NOW.timestamp()) + 1000,
        "edition": "standard",
        "seats": 1,
        "colour": "\u202eblue\x1b[31m",
    }
    key = jwt.encode(claims, pair.private_key, algorithm="RS256", headers={"kid": "k", "typ": "license+jwt"})
    result = run("inspect", key, "--public-key", str(tmp_path / "k.pem"))
    assert "colour" in result.stdout
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout
    answer = json.loads(run("inspect", key, "--public-key", str(tmp_path / "k.pem"), "--json").stdout)
    assert answer["other_claims"] == {"colour": "\u202eblue\x1b[31m"}
    assert answer["license_expires"] is None


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda _: "", "empty"),
        (lambda _: "x" * 70_000, "too_long"),
        (lambda key: key[:-4] + "AAAA", "signature_invalid"),
        (lambda key: key.replace(".", "", 1), "malformed"),
        (lambda key: key.replace(key[40:44], "....", 1), "malformed"),
        (lambda _: "\udcff\x00", "malformed"),
    ],
)
def test_a_refused_key_ends_with_1_and_its_code(vendor: Path, spoil: Callable[[str], str], code: str) -> None:
    key = spoil(issue(vendor, *DATES).stdout.strip())
    result = run("inspect", "--public-key", str(vendor / "vendor-2026.pem"), "--json", "--", key)
    assert result.exit_code == 1
    assert json.loads(result.stdout)["code"] == code


def test_bytes_that_are_not_text_are_refused(vendor: Path) -> None:
    result = CliRunner().invoke(
        license_group, ["inspect", "--public-key", str(vendor / "vendor-2026.pem"), "--json"], input=b"\xff\xfe\x00" * 9
    )
    assert result.exit_code == 1
    assert json.loads(result.stdout)["code"] == "malformed"


def test_a_key_from_the_future_is_told_with_an_instant_offline(vendor: Path) -> None:
    with time_machine.travel(datetime(2026, 11, 27, tzinfo=UTC), tick=False):
        key = issue(vendor, *DATES).stdout.strip()
    result = run("inspect", key, "--public-key", str(vendor))
    assert result.exit_code == 1
    assert "issued_in_future" in result.stderr
    assert "%(" not in result.stderr


def test_a_private_key_is_not_taken_for_a_public_one(vendor: Path) -> None:
    result = run("inspect", "x", "--public-key", str(vendor / "vendor-2026.private.pem"))
    assert result.exit_code == 2


def test_a_key_of_another_vendor_is_refused(vendor: Path) -> None:
    key = issue(vendor, *DATES, issuer="somebody-else").stdout.strip()
    result = run("inspect", key, "--public-key", str(vendor), "--json")
    assert json.loads(result.stdout)["code"] == "wrong_issuer"
    assert run("inspect", key, "--public-key", str(vendor), "--issuer", "somebody-else").exit_code == 0


@pytest.mark.parametrize("command", ["keygen", "issue", "inspect", "register", "status"])
def test_every_command_has_help(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert "--json" in result.stdout


def test_the_verifier_is_the_one_that_installations_have(vendor: Path) -> None:
    with pytest.raises(LicenseError):
        Verifier({}, "timetracker-rx").verify(issue(vendor, *DATES).stdout, NOW)


@pytest.mark.process
def test_the_vendors_commands_need_neither_database_nor_secret_nor_instance_folder(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TIMETRACKER_")} | {
        "TIMETRACKER_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "TIMETRACKER_INSTANCE_PATH": str(tmp_path / "missing"),
    }

    def flask(*arguments: str, stdin: str = "") -> str:
        command = [sys.executable, "-m", "flask", "license", *arguments]
        done = subprocess.run(
            command, env=environment, cwd=tmp_path, input=stdin, capture_output=True, text=True, check=True
        )
        assert done.stderr == ""
        return done.stdout

    flask("keygen", "--out", "keys", "--kid", "v")
    named = ("--kid", "v", "--customer", "A", "--edition", "standard", "--seats", "3")
    key = flask("issue", "--private-key", "keys/v.private.pem", *named, *DATES)
    assert json.loads(flask("inspect", "--public-key", "keys/v.pem", "--json", stdin=key))["seats"] == 3
    assert not (tmp_path / "missing").exists()
