"""Makes the seeds of the fuzzers: `python fuzz/seeds.py FOLDER`.

What looks like a secret is made here, at random. Each target has a folder of its own: the loader's seeds are
files of rules, those of the others are described in `checks.rs`."""

from __future__ import annotations

import base64
import json
import random
import string
import sys
from pathlib import Path
from urllib.parse import quote

RANDOM = random.Random(11)
PATTERNS = (
    r"i\bkey\b.{0,20}=	K",
    r"(?:a|ab)+c	",
    r"(?<=x)\w{1,5}(?!y)	é",
    r"(\w)\1+	b",
    r"[^\n]{5,}	<line>",
    r"is a.*b	",
    r"(?m)^\w+$	w",
    r"\d{13,19}	0",
    r"token[a-z_]{0,20}[\"'\s]{0,4}[:=]\s*[\"']?(\w{8,})	T",
    r"(?:alpha|beta)[a-z .]{0,10}(?:key|token)[:=]	!",
    r"[0-9A-F]{12}	h",
    r"(?!.*ok)a.*bad	",
    r"(a+)+$	A",
    r"(?i:straße|k)x	é",
    r"\Astart|end\Z	-",
    r"(?>a+)b|c*+d	:",
)
TEXTS = (
    "",
    "key_1 = xabcdy aaab ababc",
    "the token: abcdefgh1 and alpha beta key=1\nstart end",
    "4111 1111 1111 1111 0123456789ABCDEF",
    "aaaaaaaaaaaaaaaaaaaa!",
    "STRASSEX \u212ax K \u017fx straßex\nw\r\nend",
    "a bad ok abad",
)


def letters(count: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(RANDOM.choices(alphabet, k=count))


def secrets() -> list[str]:
    """Texts in which the built-in rules find something, and some in which they should not."""
    name = "pass" + "word"
    return [
        f"{name}={letters(14)}",
        f'{{"{name}": "{letters(12)}", "id": "{letters(8)}"}}',
        f"Authorization: {'Bea' + 'rer'} {letters(40)}",
        f"postgres://user:{letters(10)}@db.example.com/x?a=%20b",
        f"{'AK' + 'IA'}{letters(16, string.ascii_uppercase + '234567')} {'gh' + 'p_'}{letters(36)}",
        f"-----BEGIN {'PRIVATE'} KEY-----\n{letters(64)}\n{letters(40)}\n-----END {'PRIVATE'} KEY-----\n",
        f"someone.{letters(5)}@example.org 4111111111111111 DE89370400440532013000 078-05-1120",
        f"/home/{letters(6, string.ascii_lowercase)}/x C:\\Users\\{letters(5)}\\y",
        f"kind: Secret\ndata:\n  {name}: {base64.b64encode(letters(12).encode()).decode()}\n",
        "sha256:" + letters(64, "0123456789abcdef") + " ${TOKEN} <your-token> xxxxxxxx",
    ]


def encoded(text: str) -> list[str]:
    """The text, and in every encoding."""
    codes = "".join(f"\\u{ord(sign):04x}" for sign in text if ord(sign) < 0x10000)
    return [
        text,
        json.dumps(text),
        json.dumps({"a": [text, 1, None], "b": {text[:20]: 123456789}}),
        json.dumps({"inner": json.dumps({"text": text})}),
        quote(text),
        base64.b64encode(text.encode()).decode(),
        base64.urlsafe_b64encode(base64.b64encode(text.encode())).decode(),
        text.encode().hex(),
        f'{{"x": "{codes}"}}',
        text[: len(text) // 2] + '{"cut',
    ]


def targets() -> dict[str, list[bytes]]:
    texts = [*TEXTS, *secrets()]
    rules = ["\n".join(RANDOM.sample(PATTERNS, RANDOM.randint(1, 4))) for _ in range(40)]
    scanner = [f"{rule}\n\n{RANDOM.choice(texts)}{RANDOM.choice(texts)}".encode() for rule in rules]
    scanner += [f"{pattern}\n\n{text}".encode() for pattern in PATTERNS for text in TEXTS]
    words = ["zymoly", "a zymoly\nzymoly=zymoly", 'say "zymoly"', *secrets()]
    coded = [inner for word in words for text in encoded(word) for inner in (text, *encoded(text)[1:8:3])]
    decoders = [bytes([index % 256]) + text.encode() for index, text in enumerate(coded)]
    pack = [bytes([index % 256, index // 7 % 256]) + text.encode() for index, text in enumerate(coded)]
    return {"scanner": scanner, "decoders": decoders, "pack": pack, "loader": loader()}


def loader() -> list[bytes]:
    whole: dict[str, object] = {
        "version": 1,
        "rules": [
            {
                "id": "one",
                "type": "regex",
                "pattern": r"(?P<a>x)y+",
                "scope": "field",
                "fields": ["a.*.b[0]", "$.x"],
                "replacement": r"\g<a>",
                "enabled": True,
                "ignore_case": False,
                "dotall": True,
                "reason": "r",
                "actor": "me",
                "examples": ["xyy"],
                "counterexamples": ["xx"],
            },
            {"id": "two", "type": "marker", "pattern": "<(?P<content>.*?)>"},
            {"id": "three", "type": "literal", "pattern": "a.b", "scope": "prompt"},
        ],
    }
    yaml = (
        "version: 1\nrules:\n  - id: one\n    type: regex\n    pattern: 'a+'\n"
        "  - {id: no, type: literal, pattern: 0o17}\n",
        "version: 1\nrules: &a\n  - &b {id: x, type: regex, pattern: x}\n  - *b\n",
        "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n",
        "version: 1\nversion: 1\nrules: []\n",
        "rules: !!python/object:x []\n",
        'version: 1\nrules:\n  - id: |\n      long\n    type: >-\n      regex\n    pattern: "\\u00e9["\n',
        "%YAML 1.1\n---\nversion: 1\n...\n---\nrules: []\n",
        "\ufeffversion: 1\nrules:\n- id: é\n",
    )
    return [
        json.dumps(whole).encode(),
        json.dumps(whole, indent=1).encode(),
        *(text.encode() for text in yaml),
    ]


def main() -> None:
    folder = Path(sys.argv[1])
    for target, seeds in targets().items():
        (folder / target).mkdir(parents=True, exist_ok=True)
        for index, seed in enumerate(seeds):
            (folder / target / f"seed-{index:04}").write_bytes(seed)


if __name__ == "__main__":
    main()
