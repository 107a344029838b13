import base64
import contextlib
import json
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.license.key import DEPTH_LIMIT, KEY_LIMIT, RAW_LIMIT, clean, fingerprint, parse
from app.license.reasons import LicenseError
from tests.license_keys import base64url, claims, encode_key, issue_key, sign

HEADER = b'{"alg":"RS256","kid":"vendor-2026","typ":"license+jwt"}'


@pytest.fixture(scope="module")
def license_key() -> str:
    return issue_key()


def code_of(text: str) -> str:
    with pytest.raises(LicenseError) as caught:
        parse(text)
    return caught.value.code


def lines(text: str, end: str, start: str = "", width: int = 76) -> str:
    """Break ``text`` as mail programs do."""
    return end.join(start + text[at : at + width] for at in range(0, len(text), width))


PASTE_ACCIDENTS: dict[str, Callable[[str], str]] = {
    "nothing": lambda key: key,
    "a line break at the end": lambda key: key + "\n",
    "white space around": lambda key: " \t\r\n" + key + " \t\r\n",
    "lines": lambda key: lines(key, "\n"),
    "lines of Windows": lambda key: lines(key, "\r\n"),
    "lines of old Macs": lambda key: lines(key, "\r"),
    "double line breaks": lambda key: lines(key, "\r\n\r\n"),
    "a line break in front of each dot": lambda key: key.replace(".", "\n."),
    "one character a line": "\n".join,
    "form feeds and vertical tabs": lambda key: lines(key, "\f\v"),
    "Unicode line and paragraph separators": lambda key: lines(key, "\u2028\u2029\u0085"),
    "no-break, thin, ideographic and other spaces": lambda key: lines(
        key, "\u00a0\u1680\u2000\u2009\u202f\u205f\u3000"
    ),
    "zero-width spaces": lambda key: lines(key, "\u200b", width=9),
    "joiners and direction marks": lambda key: "\u202a" + lines(key, "\u200c\u200d\u200e\u2060") + "\u202c",
    "a byte order mark": lambda key: "\ufeff" + key,
    "soft hyphens": lambda key: lines(key, "\u00ad", width=20),
    "soft hyphens at line ends": lambda key: lines(key, "\u00ad\n"),
    "soft breaks": lambda key: lines(key, "=\n"),
    "soft breaks of Windows": lambda key: lines(key, "=\r\n"),
    "soft breaks with transport padding": lambda key: lines(key, "= \t\r\n"),
    "soft breaks in a reply": lambda key: lines(key, "=\r\n", start="> "),
    "a reply": lambda key: lines(key, "\n", start="> "),
    "a reply without blanks": lambda key: lines(key, "\n", start=">"),
    "a nested reply": lambda key: lines(key, "\r\n", start=">>> > >"),
    "an indented reply": lambda key: lines(key, "\n", start="  \t> "),
    "a reply with empty lines": lambda key: ">\n> \n" + lines(key, "\n", start="> ") + "\n>\n",
    "straight quotes": lambda key: f'"{key}"',
    "single quotes": lambda key: f"'{key}'",
    "backticks": lambda key: f"```\n{key}\n```",
    "typographic quotes": lambda key: f"\u201c{key}\u201d",
    "typographic single quotes": lambda key: f"\u2018{key}\u2019",
    "German quotes": lambda key: f"\u201e{key}\u201c",
    "French quotes": lambda key: f"\u00ab\u00a0{key}\u00a0\u00bb",
    "Japanese brackets": lambda key: f"「{key}」",
    "Japanese double brackets": lambda key: f"『 {key} 』\n",
    "full-width quotes": lambda key: f"\uff02{key}\uff02",
    "nested quotes": lambda key: f"\"'{key}'\"",
    "an opening quote alone": lambda key: f'"{key}',
    "a closing quote alone": lambda key: f"{key}'",
    "quotes on lines of their own": lambda key: f'"\n{lines(key, chr(10))}\n"',
    "a Bearer word": lambda key: f"Bearer {key}",
    "a Bearer word in lower case": lambda key: f"bearer\t{key}",
    "a Bearer word with a colon": lambda key: f"Bearer: {key}",
    "a Bearer word on a line of its own": lambda key: f"Bearer\n{key}",
    "a quoted Bearer word": lambda key: f'"Bearer {key}"',
    "a quoted key after a Bearer word": lambda key: f'Bearer "{key}"',
    "armour": lambda key: f"-----BEGIN LICENSE KEY-----\n{lines(key, chr(10))}\n-----END LICENSE KEY-----\n",
    "armour of another name": lambda key: f"-----BEGIN JWT-----\n{key}\n-----END JWT-----",
    "armour on the key's line": lambda key: f"-----BEGIN LICENSE KEY-----{key}-----END LICENSE KEY-----",
    "armour after a key that ends with hyphens": lambda key: f"{key}--\n-----END LICENSE KEY-----",
    "armour in a reply": lambda key: (
        f"> -----BEGIN LICENSE KEY-----\n{lines(key, chr(10), start='> ')}\n> -----END LICENSE KEY-----"
    ),
    "armour and soft breaks": lambda key: (
        f"-----BEGIN LICENSE KEY-----\r\n{lines(key, '=' + chr(13) + chr(10))}=\r\n-----END LICENSE KEY-----"
    ),
    "everything at once": lambda key: (
        "> \u201c-----BEGIN LICENSE KEY-----\r\n> Bearer \u200b"
        + lines(key, "=\u00a0\r\n", start="> ").removeprefix("> ")
        + "\u00ad\r\n> -----END LICENSE KEY-----\u201d\r\n"
    ),
}


@pytest.mark.parametrize("accident", PASTE_ACCIDENTS)
def test_a_key_is_found_in_what_was_pasted(license_key: str, accident: str) -> None:
    expected = license_key + "--" if "ends with hyphens" in accident else license_key
    assert clean(PASTE_ACCIDENTS[accident](license_key)) == expected


@pytest.mark.parametrize("space", [chr(code) for code in range(0x3100) if chr(code).isspace()], ids=ascii)
def test_white_space_of_any_kind_is_removed(space: str) -> None:
    assert clean(f"{space}ab{space}c.{space}d{space}") == "abc.d"


@pytest.mark.parametrize(
    "invisible", "\u00ad\u180e\u200b\u200d\u200f\u202a\u202e\u2060\u2064\u2066\u206f\ufeff", ids=ascii
)
def test_invisible_characters_are_removed(invisible: str) -> None:
    assert clean(f"{invisible}ab{invisible}c.{invisible}d{invisible}") == "abc.d"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("abc=", "abc="),
        ("abc==\n", "abc=="),
        ("abc=\n\n ", "abc="),
        ("ab==\nc", "ab=c"),
        ("a=b\nc", "a=bc"),
        ("a>b\nc", "a>bc"),
        ('a"b', 'a"b'),
        ("abc\x00", "abc\x00"),
        ("abcBearer d", "abcBearerd"),
        ("Bearerabc", "Bearerabc"),
        ("----BEGIN X----abc", "----BEGINX----abc"),
        ("-----BEGIN-----abc", "-----BEGIN-----abc"),
        ("-----begin x-----abc", "-----beginx-----abc"),
        ("\u2800abc", "\u2800abc"),
    ],
)
def test_what_may_be_part_of_the_key_stays(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


def test_a_text_over_the_raw_limit_is_not_cleaned() -> None:
    assert clean(" " * RAW_LIMIT) == ""
    assert clean(" " * (RAW_LIMIT + 1)) == " " * (RAW_LIMIT + 1)


@given(st.text(alphabet="abcXYZ019_-.", max_size=200))
def test_what_has_a_key_s_alphabet_comes_back_as_it_is(text: str) -> None:
    assert clean(text) == text


def test_a_fingerprint_is_the_same_however_the_key_was_pasted(license_key: str) -> None:
    named = fingerprint(license_key)
    assert len(named) == 12
    assert set(named) <= set("0123456789abcdef")
    assert fingerprint(f"> {lines(license_key, '=' + chr(10))}\n") == named
    assert fingerprint(license_key + "A") != named


def test_a_fingerprint_is_the_first_of_the_sha_256_of_the_text() -> None:
    assert fingerprint("abc") == "ba7816bf8f01"


def test_even_a_lone_surrogate_has_a_fingerprint() -> None:
    assert len(fingerprint("\ud800")) == 12


def test_a_well_formed_key_is_taken_apart(license_key: str) -> None:
    parsed = parse(license_key)
    assert parsed.text == license_key
    assert parsed.kid == "vendor-2026"
    assert parsed.header == {"alg": "RS256", "kid": "vendor-2026", "typ": "license+jwt"}
    assert parsed.claims == claims()
    assert parsed.signing_input.decode() == license_key.rpartition(".")[0]
    assert len(parsed.signature) == 256


def test_a_parsed_key_does_not_show_its_secret(license_key: str) -> None:
    shown = repr(parse(license_key))
    assert not any(part in shown for part in license_key.split("."))
    assert "signature" not in shown


@pytest.mark.parametrize("text", ["", " \n\u200b", '""', "> \n> ", "-----BEGIN LICENSE KEY-----\n"])
def test_an_empty_text_is_refused(text: str) -> None:
    assert code_of(clean(text)) == "empty"


def test_a_text_of_the_greatest_length_is_looked_at_and_a_longer_one_is_not() -> None:
    assert KEY_LIMIT == 16 * 1024
    assert code_of("a" * KEY_LIMIT) == "malformed"
    assert code_of("a" * (KEY_LIMIT + 1)) == "too_long"


def test_a_key_of_exactly_the_greatest_length_is_accepted() -> None:
    fixed = f"{base64url(HEADER)}..{base64url(b'sig')}"
    payload = json.dumps({"a": ""}).encode()
    payload = json.dumps({"a": "x" * ((KEY_LIMIT - len(fixed)) * 3 // 4 - len(payload))}).encode()
    text = f"{base64url(HEADER)}.{base64url(payload)}.{base64url(b'sig')}"
    assert KEY_LIMIT - 2 <= len(text) <= KEY_LIMIT
    assert parse(text).claims


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "a.b",
        "a.b.c.d",
        "a.b.c.d.e",
        "..",
        "a..c",
        ".b.c",
        "a.b.",
        "a.b.c\n",
        "aaaa.bbbb.cc==",
        "aaaa.bb+b.cccc",
        "aaaa.bb/b.cccc",
        "aaaa.bbb\uff42.cccc",
        "aaaa.bbb\u0663.cccc",
        "aaaa.bb\x00b.cccc",
        "aaaa.bbbb.\ud800",
        '{"payload":"e30","protected":"e30","signature":"e30"}',
    ],
)
def test_a_text_without_three_parts_of_base64url_is_refused(text: str) -> None:
    assert code_of(text) == "malformed"


@pytest.mark.parametrize("part", [0, 1, 2])
@pytest.mark.parametrize("change", ["one character too many", "spare bits", "padding"])
def test_base64url_that_is_not_canonical_is_refused(part: int, change: str) -> None:
    """RFC 4648, section 3.5: otherwise one key would have several texts."""
    parts = [base64url(HEADER), base64url(b'{"a":1}'), base64url(b"sig!")]
    if change == "one character too many":
        parts[part] = base64url(HEADER + b"  "[: 2 - len(HEADER) % 3]) + "A" if part == 0 else "AAAAA"
    elif change == "padding":
        parts[part] += "="
    else:
        content = [HEADER + b" " * (1 + -len(HEADER) % 3), b'{"a":1}', b"sig!"][part]
        assert len(content) % 3
        text = base64url(content)
        parts[part] = text[:-1] + chr(ord(text[-1]) + 1)
        padded = parts[part] + "=" * (-len(parts[part]) % 4)
        assert base64.urlsafe_b64decode(padded) == content
    assert code_of(".".join(parts)) == "malformed"


BAD_OBJECTS: dict[str, bytes] = {
    "nothing": b" ",
    "not JSON": b"hello",
    "a list": b'[{"seats":1}]',
    "a text": b'"seats"',
    "a number": b"1",
    "null": b"null",
    "two objects": b"{}{}",
    "trailing text": b"{} x",
    "a trailing comma": b'{"seats":1,}',
    "a comment": b'{"seats":1/**/}',
    "single quotes": b"{'seats':1}",
    "a name twice": b'{"seats":1,"seats":2}',
    "a name twice, once escaped": b'{"seats":1,"\\u0073eats":2}',
    "a name twice with the same value": b'{"seats":1,"seats":1}',
    "a name twice deep inside": b'{"a":[{"b":{"c":1,"c":2}}]}',
    "NaN": b'{"seats":NaN}',
    "Infinity": b'{"seats":Infinity}',
    "-Infinity": b'{"seats":-Infinity}',
    "infinity deep inside": b'{"a":[[Infinity]]}',
    "a number beyond all floats": b'{"seats":1e999}',
    "a number below all floats": b'{"seats":-1e999}',
    "more digits than Python reads": b'{"seats":' + b"9" * 10_000 + b"}",
    "a leading zero": b'{"seats":01}',
    "a plus sign": b'{"seats":+1}',
    "a hexadecimal number": b'{"seats":0x10}',
    "a bare decimal point": b'{"seats":1.}',
    "other digits": '{"seats":\u0661}'.encode(),
    "a byte order mark": b'\xef\xbb\xbf{"seats":1}',
    "UTF-16": '{"seats":1}'.encode("utf-16"),
    "UTF-16 without mark": '{"seats":1}'.encode("utf-16-le"),
    "UTF-32": '{"seats":1}'.encode("utf-32"),
    "Latin-1": '{"sub":"Zoë"}'.encode("latin-1"),
    "overlong UTF-8": b'{"sub":"\xc0\xaf"}',
    "a surrogate in UTF-8": b'{"sub":"\xed\xa0\x80"}',
    "half a character": b'{"sub":"\xe3\x81"}',
    "a lone surrogate": b'{"sub":"\\ud800"}',
    "a lone low surrogate": b'{"sub":"\\udc00"}',
    "a lone surrogate in a name": b'{"a\\ud800":1}',
    "a lone surrogate deep inside": b'{"a":[{"b":["\\udfff"]}]}',
    "a lone surrogate in a name deep inside": b'{"a":[{"\\udfff":1}]}',
    "a control character": b'{"sub":"a\nb"}',
    "a zero byte": b'{"sub":"a\x00b"}',
    "a wrong escape": b'{"sub":"\\x41"}',
    "exotic white space": '{"seats":\u00a01}'.encode(),
    "deep lists": b'{"a":' + b"[" * 4000 + b"]" * 4000 + b"}",
    "deep objects": b'{"a":' * 1900 + b"1" + b"}" * 1900,
    "deep and open": b"[" * 8000,
    "one level too deep": b'{"a":' * DEPTH_LIMIT + b"1" + b"}" * DEPTH_LIMIT,
    "one list too deep": b'{"a":' + b"[" * (DEPTH_LIMIT - 1) + b"1" + b"]" * (DEPTH_LIMIT - 1) + b"}",
}


@pytest.mark.parametrize("name", BAD_OBJECTS)
def test_claims_that_are_not_strictly_json_are_refused(name: str) -> None:
    assert code_of(sign(HEADER, BAD_OBJECTS[name])) == "malformed"


@pytest.mark.parametrize("name", BAD_OBJECTS)
def test_a_header_that_is_not_strictly_json_is_refused(name: str) -> None:
    assert code_of(f"{base64url(BAD_OBJECTS[name])}.{base64url(b'{}')}.{base64url(b'sig')}") == "malformed"


@pytest.mark.parametrize(
    "payload",
    [
        b"{}",
        b' {\t"seats" :\r\n1 } ',
        b'{"seats":1.5}',
        b'{"sub":"\\ud83d\\ude00"}',
        '{"sub":"😀 株式会社"}'.encode(),
        b'{"seats":' + b"9" * 4000 + b"}",
        b'{"a":' * (DEPTH_LIMIT - 1) + b"1" + b"}" * (DEPTH_LIMIT - 1),
        b'{"a":{"c":1},"b":{"c":1}}',
        b'{"a":"[[[[[[[[[[[[[[[[[[[[[[[["}',
    ],
)
def test_json_that_is_strict_is_read(payload: bytes) -> None:
    assert parse(sign(HEADER, payload)).claims == json.loads(payload)


@pytest.mark.parametrize(
    "algorithm",
    [
        *(
            "none",
            "None",
            "NONE",
            "",
            "HS256",
            "RS384",
            "RS512",
            "PS256",
            "ES256",
            "EdDSA",
            "rs256",
            "RS256 ",
        ),
        *("dir", "RSA-OAEP", None, 256, True, ["RS256"], {"alg": "RS256"}, ...),
    ],
    ids=repr,
)
def test_another_algorithm_is_refused(algorithm: object) -> None:
    """RFC 8725, sections 2.1 and 3.1."""
    assert code_of(encode_key(claims(), alg=algorithm)) == "unsupported_algorithm"


@pytest.mark.parametrize(
    "header",
    [
        {"typ": ...},
        {"typ": "JWT"},
        {"typ": "LICENSE+JWT"},
        {"typ": "application/license+jwt"},
        {"typ": None},
        {"typ": ["license+jwt"]},
        {"kid": ...},
        {"kid": ""},
        {"kid": None},
        {"kid": 1},
        {"kid": ["vendor-2026"]},
        {"kid": {}},
        {"crit": []},
        {"crit": ["exp"]},
        {"crit": ["b64"], "b64": False},
        {"b64": True},
        {"jwk": {"kty": "RSA"}},
        {"jku": "https://attacker.example/keys"},
        {"x5u": "https://attacker.example/cert"},
        {"x5c": ["MIIB"]},
        {"x5t": "aa"},
        {"x5t#S256": "aa"},
        {"cty": "JWT"},
        {"zip": "DEF"},
        {"enc": "A128GCM"},
        {"exp": 1},
        {"unknown": None},
    ],
    ids=repr,
)
def test_a_header_with_less_or_more_than_is_known_is_refused(header: dict[str, object]) -> None:
    """RFC 8725, sections 3.9 to 3.12: a typ of its own, and nothing in a header is followed."""
    members = {"alg": "RS256", "kid": "vendor-2026", "typ": "license+jwt"} | header
    kept = {name: value for name, value in members.items() if value is not ...}
    assert code_of(sign(json.dumps(kept).encode(), b"{}")) == "malformed"


def test_a_foreign_algorithm_is_named_before_other_faults_of_the_header() -> None:
    assert code_of(sign(b'{"alg":"none"}', b"{}")) == "unsupported_algorithm"


HOSTILE: dict[str, str] = {
    "soft breaks": "=\n" * (RAW_LIMIT // 2),
    "blanks after equals signs": "= " * (RAW_LIMIT // 2),
    "an equals sign and blanks": "=" + " " * (RAW_LIMIT - 1),
    "reply marks": "> " * (RAW_LIMIT // 2),
    "reply marks and lines": ">\n" * (RAW_LIMIT // 2),
    "line breaks": "a" + "\n" * (RAW_LIMIT - 2) + "a",
    "quotes in the middle": "a" + "'" * (RAW_LIMIT - 2) + "a",
    "quotes and blanks": "a" + "' " * (RAW_LIMIT // 2 - 1) + "a",
    "leading quotes": "' " * (RAW_LIMIT // 2),
    "open armour": "-----BEGIN " * (RAW_LIMIT // 11),
    "armour with long names": ("-----BEGIN " + "A" * 64) * (RAW_LIMIT // 75),
    "hyphens": "-" * RAW_LIMIT,
    "bearer words": "bearer " * (RAW_LIMIT // 7),
    "invisible characters": "\u200b" * RAW_LIMIT,
    "dots": "." * KEY_LIMIT,
    "letters": "a" * KEY_LIMIT,
    "deep lists": base64url(b"[" * 12_000) + ".e30.e30",
    "many names": base64url(b"{" + b",".join(b'"%d":1' % n for n in range(1500)) + b"}") + ".e30.e30",
    "digits": base64url(b'{"a":' + b"9" * 12_000 + b"}") + ".e30.e30",
    "numbers": base64url(b"[" + b",".join([b"9" * 4300] * 2) + b"]") + ".e30.e30",
    "exponents": base64url(b'{"a":' + b"1" * 6000 + b"." + b"1" * 6000 + b"}") + ".e30.e30",
    "escapes": base64url(b'{"a":"' + b"\\ud800" * 2000 + b'"}') + ".e30.e30",
    "megabytes": "a" * 10_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_is_refused_quickly(name: str) -> None:
    """The fastest of three attempts counts, so that a busy machine does not decide."""

    def seconds() -> float:
        begin = time.perf_counter()
        with pytest.raises(LicenseError):
            parse(clean(HOSTILE[name]))
        return time.perf_counter() - begin

    assert min(seconds() for _ in range(3)) < 0.05


@settings(deadline=None)
@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")) | st.from_regex(r"[\w=.-]*\.[\w-]*\.[\w-]*"))
def test_any_text_is_taken_apart_or_refused_with_the_one_error(text: str) -> None:
    with contextlib.suppress(LicenseError):
        assert parse(clean(text)).text == clean(text)


@settings(deadline=None)
@given(st.binary(max_size=300), st.binary(max_size=300))
def test_any_bytes_in_header_and_claims_are_refused_with_the_one_error(header: bytes, payload: bytes) -> None:
    with pytest.raises(LicenseError):
        parse(f"{base64url(header)}.{base64url(payload)}.c2ln")


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=10,
    )
)
def test_any_value_of_a_claim_survives_reading(value: object) -> None:
    payload = json.dumps({"claim": value}).encode()
    assert parse(f"{base64url(HEADER)}.{base64url(payload)}.c2ln").claims == {"claim": value}
