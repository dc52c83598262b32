# SPDX-License-Identifier: GPL-3.0-or-later
"""RFC 6152/2045 02, 03, RFC 3030 05: what a converted message means to Python's email."""
import email
import os
import quopri
import random
import re
import subprocess
import sys
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import OBJ  # noqa: E402

NOT = "a bounce"


def convert(text, to="7", *args):
    """(the converted text or None, why not)"""
    r = subprocess.run([f"{OBJ}/tools/downgrade", to, *args], input=text, capture_output=True, timeout=60)
    assert r.returncode in (0, 2), (r.returncode, r.stderr, text[:2000])
    return (r.stdout, "") if r.returncode == 0 else (None, r.stderr.decode().strip())


def unfold(value):
    return re.sub(r"\r?\n(?=[ \t])", "", str(value)).strip()


def fields(part):
    """What must be as it was."""
    changed = ("content-transfer-encoding", "mime-version", "content-type")
    return [(k.lower(), unfold(v)) for k, v in part.items() if k.lower() not in changed]


def meaning(text):
    """Of each part: its type, its header, and the octets that it holds."""
    parts = []
    for p in email.message_from_bytes(text).walk():
        content = None if p.is_multipart() else p.get_payload(decode=True)
        parts.append((p.get_content_type(), p.get_boundary(), p.get_filename(), fields(p), content))
    return parts


def check(name, text, to="7", want=None, args=()):
    got, why = convert(text, to, *args)
    if want is NOT:
        assert got is None, f"{name}: converted, though it cannot be: {got!r}"
        return None
    assert got is not None, f"{name}: {why}: {text[:3000]!r}"
    assert to == "8" or all(c < 128 for c in got), f"{name}: 8-bit is left: {got!r}"
    lines = got.replace(b"\r\n", b"\n").split(b"\n")
    assert max(map(len, lines)) <= 998, f"{name}: a line of {max(map(len, lines))}"
    before, after = meaning(text), meaning(got)
    assert len(before) == len(after), f"{name}: {len(before)} parts are {len(after)} now:\n{got.decode('latin-1')}"
    for b, a in zip(before, after):
        assert a == b, f"{name}: {b!r}\nis now\n{a!r}\nin {got.decode('latin-1')}"
    for labels in re.findall(rb"(?im)^content-transfer-encoding:\s*(\S+)", got.split(b"\r\n\r\n")[0]):
        assert to == "8" or labels.lower() not in (b"8bit", b"binary"), f"{name}: {labels}"
    for piece in ("1", "13", "1025"):
        again, _ = convert(text, to, *(args or ("text",)), piece)
        assert again == got, f"{name}: pieces of {piece} octets make another text"
    return got


def part(header, body):
    return "".join(f"{h}\r\n" for h in header).encode() + b"\r\n" + body


def multipart(kind, boundary, parts, header=(), preamble=b"", epilogue=b"\r\n"):
    b = boundary.encode()
    body = preamble + b"".join(b"--" + b + b"\r\n" + p + b"\r\n" for p in parts) + b"--" + b + b"--" + epilogue
    return part([*header, f'Content-Type: multipart/{kind}; boundary="{boundary}"'], body)


TEXT = ("Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit")
UML = "h\u00e4llo W\u00f6rld \u20ac\r\n".encode()
HEAD = ("Received: from a by b; Fri, 20 Nov 2026 12:00:00 +0000", "From: a@x.test", "Subject: x",
        "MIME-Version: 1.0")
LONG = b"word " * 300 + b"\r\n"


def cases():
    """(name, text, for whom, what is to come out if not the same meaning)"""
    top = part([*HEAD, *TEXT], UML)
    yield "text", top, "7", None
    yield "no MIME at all", part(HEAD[:3], UML), "7", None
    yield "no MIME, Latin-1", part(HEAD[:3], b"h\xe4llo\r\n"), "7", None
    yield "no last line end", part([*HEAD, *TEXT], UML + b"e\xcc\x81nd "), "7", None
    yield "what begins a line", part([*HEAD, *TEXT], UML + b"-- \r\n.\r\n..x\r\nFrom me\r\n=41 =\r\n\t \r\n"), "7", None
    yield "octets of all kinds", part([*HEAD, "Content-Type: application/octet-stream",
                                       "Content-Transfer-Encoding: binary"], bytes(range(256)) * 9), "7", None
    yield "long lines", part([*HEAD, *TEXT], LONG + UML), "8", None
    yield "long lines, 7-bit", part([*HEAD, "Content-Type: text/html"], b"<p>" + b"x" * 70000 + b"\r\n"), "7", None
    yield "base64 without line ends", part([*HEAD, "Content-Type: image/png", "Content-Transfer-Encoding: Base64"],
                                           b"QUJD" * 30000 + b"\r\n"), "8", None
    yield "quoted-printable with long lines", part([*HEAD, "Content-Type: text/plain",
                                                    "Content-Transfer-Encoding: quoted-printable"],
                                                   b"=C3=A4 word" * 300 + b"\r\n=20=\r\nend =2E\r\n"), "8", None
    yield "quoted-printable with 8-bit", part([*HEAD, "Content-Type: text/plain",
                                               "Content-Transfer-Encoding: Quoted-Printable"],
                                              b"=C3=A4 \xc3\xa4 =\r\nx\r\n"), "7", None
    yield "an encoding that nobody knows", part([*HEAD, "Content-Type: text/plain",
                                                 "Content-Transfer-Encoding: x-uuencode"], UML), "7", NOT
    yield "two encodings", part([*HEAD, *TEXT, "Content-Transfer-Encoding: base64"], UML), "7", NOT
    yield "8-bit header", part([*HEAD, "Subject: \u00e4", *TEXT], b"x\r\n"), "7", NOT
    yield "8-bit header of a part", multipart("mixed", "b", [part(["Content-Disposition: x; filename=\u00e4"], b"x")],
                                              HEAD), "7", NOT
    yield "a header of many words", part([*HEAD, "References: " + " ".join(f"<{n}@x.test>" for n in range(400)),
                                          *TEXT], UML), "8", None
    yield "a header of one word", part([*HEAD, "X-Word: " + "w" * 1000, *TEXT], UML), "8", NOT
    yield "a broken header", part([*HEAD, "what is this", *TEXT], UML), "7", NOT

    leaf = part(TEXT, UML)
    image = part(["Content-Type: image/x-raw", "Content-Transfer-Encoding: binary",
                  "Content-Disposition: attachment; filename=a.raw"], bytes(range(255, 127, -1)))
    plain = part(["Content-Transfer-Encoding: 8bit"], b"plain\r\n")
    coded = part(["Content-Transfer-Encoding: base64"], b"aGVsbG8=\r\n")
    mixed = multipart("mixed", "in.ner", [leaf, image, plain, coded, b"\r\nno header\r\n", b"\r\n"], HEAD)
    yield "parts", mixed, "7", None
    inner = mixed.replace(b"\r\n".join(h.encode() for h in HEAD) + b"\r\n", b"")
    yield "parts within parts", multipart("alternative", "in.n", [leaf, inner], HEAD,
                                          b"preamble\r\n", b"\r\nepilogue\r\n"), "7", None
    yield "one boundary begins another", multipart("mixed", "bou", [multipart("mixed", "boundary", [leaf, leaf]),
                                                                   leaf], HEAD), "7", None
    yield "a part that is not closed", multipart("mixed", "o", [multipart("mixed", "i", [leaf])[:-7], leaf],
                                                 HEAD), "7", None
    yield "no end", multipart("mixed", "o", [leaf, leaf], HEAD)[:-7], "7", None
    yield "text before the parts", multipart("mixed", "o", [leaf], HEAD, UML), "7", NOT
    yield "text behind the parts", multipart("mixed", "o", [leaf], HEAD, b"", b"\r\n" + UML), "7", NOT
    yield "no boundary", part([*HEAD, "Content-Type: multipart/mixed"], UML), "7", NOT
    yield "empty leaf", multipart("mixed", "o", [part(TEXT, b""), leaf], HEAD), "7", None
    message = part(["Content-Type: message/rfc822", "Content-Transfer-Encoding: 8bit"], top)
    yield "a message in a message", part([*HEAD, "Content-Type: message/rfc822"], top), "7", None
    yield "a message as a part", multipart("mixed", "o", [leaf, message, message], HEAD), "7", None
    yield "a digest", multipart("digest", "o", [part([], top), part([], top)], HEAD), "7", None
    yield "delivery-status", part([*HEAD, "Content-Type: message/delivery-status"], UML), "7", NOT
    yield "message/partial", part([*HEAD, 'Content-Type: message/partial; id="a@b"'], UML), "7", NOT
    signature = part(["Content-Type: application/pgp-signature"], b"-----BEGIN\r\n")
    yield "signed, 8-bit", multipart("signed", "s", [leaf, signature], HEAD), "7", NOT
    yield "signed, long", multipart("signed", "s", [part(TEXT, LONG), signature], HEAD), "8", NOT
    yield "signed, and another part", multipart("mixed", "o", [
        leaf, multipart("signed", "s", [plain, signature])], HEAD), "7", None
    yield "an encrypted one is only a part", multipart("encrypted", "s", [plain, image], HEAD), "7", None
    deep = leaf
    for n in range(99):
        deep = multipart("mixed", f"b{n}", [deep])
    yield "99 deep", b"MIME-Version: 1.0\r\n" + deep, "7", None
    for n in range(99, 105):
        deep = multipart("mixed", f"b{n}", [deep])
    yield "105 deep", b"MIME-Version: 1.0\r\n" + deep, "7", NOT


def fixed():
    for name, text, to, want in cases():
        check(name, text, to, want)
    # What is fine stays as it is, to the octet: also in a message that is not.
    sealed = multipart("signed", "s", [part(["Content-Transfer-Encoding: 8bit"], b"plain \r\n\r\n"),
                                       part(["Content-Type: application/pgp-signature"], b"-----BEGIN\r\n")])
    text = multipart("mixed", "o", [sealed, part(TEXT, UML)], HEAD)
    got = check("a seal that is kept", text)
    assert sealed in got, got
    # RFC 6532 3.7: a message/global may be encoded (Python looks into it without decoding).
    got, _ = convert(part([*HEAD, "Content-Type: message/global"], part(["Subject: \u00e4"], UML)))
    head, body = got.split(b"\r\n\r\n", 1)
    assert head.endswith(b"Content-Transfer-Encoding: quoted-printable"), head
    assert quopri.decodestring(body) == part(["Subject: \u00e4"], UML), body
    # RFC 1428: an honest name, or the right one.
    assert b"charset=utf-8\r\n" in check("UTF-8", part(HEAD[:3], UML))
    assert b"charset=unknown-8bit\r\n" in check("Latin-1", part(HEAD[:3], b"h\xe4\r\n"))
    # A composite type says 7bit, and is never encoded (RFC 2045 6.4).
    got = check("labels", multipart("mixed", "o", [part(TEXT, UML), part(TEXT, b"ascii\r\n")],
                                    (*HEAD, "Content-Transfer-Encoding: binary")))
    assert re.findall(rb"(?m)^Content-Transfer-Encoding: (\S+)\r$", got) == [b"7bit", b"quoted-printable", b"7bit"], got


def binary():
    """RFC 3030 05: CR, LF and NUL that mean something, for a host without BINARYMIME."""
    body = b"a\rb\nc\0d\r\n\r\r\n\n\xff" * 50
    for kind, label in (("text/plain", "binary"), ("application/x-y", "binary")):
        text = multipart("mixed", "o", [part([f"Content-Type: {kind}", f"Content-Transfer-Encoding: {label}"], body),
                                        part(TEXT, UML)], (*HEAD, "Content-Transfer-Encoding: binary"))
        for to in "78":
            got, why = convert(text, to, "binary")
            assert got is not None, why
            rest = got.replace(b"\r\n", b"")
            assert not re.search(rb"[\r\n\0]", rest), got
            parts = [p.get_payload(decode=True) for p in email.message_from_bytes(got).walk() if not p.is_multipart()]
            # Python takes a CR or LF alone for a line end: the first pass must not ask it.
            assert parts == [body, UML], parts


def anything(rng, depth=0):
    """A part at random: (header lines, body)."""
    kind = rng.random()
    if depth < 4 and kind < 0.35:
        boundary = rng.choice(("b", "bb", "b-b", "=_b", "--b")) + str(depth) * rng.randrange(3) + str(rng.randrange(3))
        boundary = f"{boundary}{depth}"
        parts = [part(*anything(rng, depth + 1)) for _ in range(rng.randrange(1, 4))]
        if rng.random() < 0.2:
            parts.append(b"\r\n" + octets(rng))
        name = rng.choice(("mixed", "alternative", "related"))
        whole = multipart(name, boundary, parts, [], rng.choice((b"", b"preamble\r\n")),
                          rng.choice((b"", b"\r\n", b"\r\nepilogue\r\n\r\n")))
        head, body = whole.split(b"\r\n\r\n", 1)
        return [*head.decode().split("\r\n"), *rng.choice(([], ["Content-Transfer-Encoding: 8bit"]))], body
    if depth < 4 and kind < 0.45:
        return ["Content-Type: message/rfc822"], part(*anything(rng, depth + 1))
    head = []
    if rng.random() < 0.8:
        head.append(rng.choice(("Content-Type: text/plain", "Content-Type: text/html; charset=utf-8",
                                "Content-Type: application/x-a;\r\n name=\"a; boundary=b\"", "Content-Type: image/png")))
    if rng.random() < 0.8:
        head.append(rng.choice(("Content-Transfer-Encoding: 8bit", "content-transfer-encoding:\r\n binary",
                                "Content-Transfer-Encoding: 7bit")))
    if rng.random() < 0.2:
        head.append("X-Words: " + " ".join("w" * rng.randrange(1, 300) for _ in range(9)))
    return head, octets(rng)


def octets(rng):
    pieces = (b"a", b"-", b".", b"=", b" ", b"\t", b"\r\n", b"\r\n\r\n", b"\xc3\xa4", b"\xff", b"\r\n-", b"\r\n--b",
              b"x" * 70, b"y" * 300, b"\xe2\x82\xac" * 30, b" \r\n", b"\r\n.\r\n", b"From ", b"\x7f")
    return b"".join(rng.choice(pieces) for _ in range(rng.randrange(30)))


def at_random():
    seed = int(os.environ.get("DOWNGRADE_SEED", "1"))
    count = int(os.environ.get("DOWNGRADE_COUNT", "120"))
    for n in range(seed, seed + count):
        rng = random.Random(n)
        head, body = anything(rng)
        text = part(["Received: x", "MIME-Version: 1.0", *head], body)
        to = rng.choice("778")
        if convert(text, to)[0] is not None:
            check(f"DOWNGRADE_SEED={n} DOWNGRADE_COUNT=1", text, to)


def large():
    """S-47, S-48: what would take hours if it took more than linear time."""
    leaf = part(TEXT, UML)
    for text in (multipart("mixed", "b" * 70, [leaf] * 99999, HEAD),
                 part([*HEAD, *TEXT], b"--\r\n" * 1000000 + UML),
                 part([*HEAD, "X: " + "(" * 1000000, "Content-Type: " + "(" * 4000, *TEXT], UML),
                 multipart("mixed", "b", [b"Content-Type: message/rfc822\r\n\r\n" * 100000 + UML], HEAD),
                 part([*HEAD, "Content-Type: text/plain; " + "a=b; " * 200000], UML)):
        convert(text)
    assert convert(multipart("mixed", "b", [leaf] * 100001, HEAD))[0] is None


def main():
    for test in (fixed, binary, at_random, large):
        if len(sys.argv) > 1 and test.__name__ not in sys.argv[1:]:
            continue
        start = time.monotonic()
        test()
        print(f"{test.__name__}: {time.monotonic() - start:.1f} s", flush=True)


main()
