# SPDX-License-Identifier: GPL-3.0-or-later
"""A hostile name server: N-11, N-12 and S-56, octet by octet.

Each case is a domain whose MX answer (or whose host's) is what a line below
says; what becomes of mail for it is compared.  After all of them the same
processes still deliver.
"""
import os
import re
import struct
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Names, Sink, free_port, wait_for  # noqa: E402

SENDER = "alice@example.test"
A, CNAME, MX, TXT = 1, 5, 15, 16


def name(*labels):
    return b"".join(bytes([len(x)]) + x for x in labels) + b"\0"


GOOD = struct.pack("!H", 10) + name(b"h2")
# A host whose name takes 300 octets, by way of pointers and without.
LONG = b"".join(bytes([50]) + b"x" * 50 for _ in range(6)) + b"\0"


class Packets:
    """Answers to "MX c<n>.test", octet by octet."""

    def __init__(self, domain):
        label = domain.split(".")[0].encode()
        self.question = name(label, b"test") + struct.pack("!HH", MX, 1)
        # Where the rdata of the first record begins.
        self.rdata_at = 12 + len(self.question) + 12

    def head(self, flags=0x8480, qd=1, an=1, ns=0, ar=0):
        return struct.pack("!HHHHHH", 0, flags, qd, an, ns, ar)

    @staticmethod
    def record(data, kind=MX, owner=b"\xc0\x0c", length=None):
        return owner + struct.pack("!HHIH", kind, 1, 300, len(data) if length is None else length) + data

    def mx(self, data, **kw):
        return self.head() + self.question + self.record(data, **kw)

    def pointer(self, at):
        return struct.pack("!H", 0xc000 | at)


# What it is; the packet, by Packets; what the mail gets: a status, or its first digit.
PACKETS = (
    ("rdata of no octet", lambda p: p.mx(b""), "4.4.3"),
    ("rdata of one octet", lambda p: p.mx(b"\0"), "4.4.3"),
    ("a preference and no name", lambda p: p.mx(b"\0\x0a"), "4.4.3"),
    ("a name cut short", lambda p: p.mx(GOOD[:-2]), "4.4.3"),
    ("a name beyond its rdata", lambda p: p.mx(GOOD, length=4), "4"),
    ("rdata beyond the packet", lambda p: p.mx(GOOD, length=65535), "4.4.3"),
    ("a pointer to itself", lambda p: p.mx(b"\0\x0a" + p.pointer(p.rdata_at + 2)), "4.4.3"),
    ("two pointers in a circle", lambda p: p.mx(b"\0\x0a" + p.pointer(p.rdata_at + 4) + p.pointer(p.rdata_at + 2)), "4.4.3"),
    ("a pointer beyond the packet", lambda p: p.mx(b"\0\x0a\xff\xff"), "4.4.3"),
    ("half a pointer", lambda p: p.mx(b"\0\x0a\xc0"), "4.4.3"),
    ("a label of a reserved kind", lambda p: p.mx(b"\0\x0a\x41a\0"), "4.4.3"),
    ("another reserved kind", lambda p: p.mx(b"\0\x0a\x81a\0"), "4.4.3"),
    ("a name of 300 octets", lambda p: p.mx(b"\0\x0a" + LONG), "4"),
    ("more answers promised than sent", lambda p: p.head(an=65535) + p.question + p.record(GOOD), "4.4.3"),
    ("no answer sent, one promised", lambda p: p.head() + p.question, "4.4.3"),
    ("no question", lambda p: p.head(qd=0) + p.record(GOOD, owner=name(b"x", b"test")), "4.4.3"),
    ("a header and no more", lambda p: p.head(), "4.4.3"),
    ("half a header", lambda p: p.head()[:6], "4.4.3"),
    ("three octets", lambda p: b"\0\0\x84", "4.4.3"),
    ("a question, not an answer", lambda p: p.head(flags=0x0100) + p.question + p.record(GOOD), "24"),
    ("an answer of another type", lambda p: p.mx(b"\x05hello", kind=TXT), "4"),
    ("an answer of another name", lambda p: p.mx(GOOD, owner=name(b"other", b"test")), "4"),
    ("an unknown rcode", lambda p: p.head(flags=0x848b, an=0) + p.question, "4.4.3"),
    ("65,000 octets of nothing", lambda p: p.head(an=0) + p.question + bytes(8000), "4"),
)
ESCAPED = f"barid-{os.getpid()}"
# Names of mail hosts that no program should put anywhere as they are.
LABELS = (b"a\0b", f"../../../../tmp/{ESCAPED}".encode(), b"%s%s%n", b"x\r\nRCPT TO:<evil@example.test>", b"\x1b[31mred", b"a b", b"-rf",
          b"\xff\xfe", b"$(id)", b"<evil>", b"\"", b"a\\b", b"*")

ZONE = """
h2 A 127.0.0.2
chain10.test CNAME k10.test
chain20.test CNAME k1.test
chain40.test CNAME l1.test
servfail.test SERVFAIL
refused.test REFUSED
notimp.test NOTIMP
formerr.test FORMERR
drop.test DROP
cut.test CUT
wrongid.test WRONGID
wrongid.test MX 10 h2
other.test OTHER
other.test MX 10 h2
empty.test EMPTY
empty.test MX 10 h2
big.test TC
v6.test MX 10 six
six AAAA ::2
six SERVFAIL A
local.test MX 10 localhost
localhost A 127.0.0.1
null2.test MX 0 .
null2.test MX 0 .
circle.test MX 10 c1
c1 CNAME c2
c2 CNAME c1
"""
ZONE += "".join(f"k{n}.test CNAME k{n + 1}.test\n" for n in range(1, 19)) + "k19.test MX 10 h2\n"
ZONE += "".join(f"l{n}.test CNAME l{n + 1}.test\n" for n in range(1, 60)) + "l60.test MX 10 h2\n"
ZONE += "".join(f"big.test MX {n} much{n}-{'y' * 40}.test\n" for n in range(1, 480)) + "big.test MX 0 h2\n"
NAMED = {"chain10": "2", "chain20": "4.4.3", "chain40": "4.4.3", "servfail": "4.4.3", "refused": "4.4.3", "notimp": "4.4.3", "formerr": "4.4.3",
         "drop": "4.4.3", "cut": "4.4.3", "wrongid": "4.4.3", "other": "4.4.3", "empty": "4.4.3", "big": "2", "v6": "4",
         "local": "5.4.6", "circle": "4"}


def main():
    zone, want, what = ZONE, dict(NAMED), {n: n for n in NAMED}
    for n, (words, packet, status) in enumerate(PACKETS):
        domain = f"c{n}.test"
        zone += f"{domain} PACKET {packet(Packets(domain)).hex()}\n"
        want[f"c{n}"], what[f"c{n}"] = status, words
    for n, label in enumerate(LABELS):
        zone += f"e{n}.test RAW MX {(struct.pack('!H', 10) + name(label)).hex()}\n"
        want[f"e{n}"], what[f"e{n}"] = "45", repr(label)
    port = free_port(["127.0.0.1", "127.0.0.2"])
    own = f'listen "own" {{ service = "smtp" address = {{"127.0.0.1"}} port = "{port}" tls = "off" }}\n'
    with Names(zone) as names, Sink("--host", "127.0.0.2", "--port", str(port)) as sink, \
            Barid(relay=("127.0.0.0/8",), extra=names.within("4s") + own + f"smtp-port = {port}\nqueue {{ retry = {{1h}} }}\n") as b:
        before = set(b.processes())

        def outcomes():
            return {m.group(1): m.group(2) for m in
                    re.finditer(r"to=<to@(\w+)\.test>.* dsn=([\d.]+), status=", b.log())}
        # A connection that is cut takes c-ares' other questions with it: alone, and last.
        for domains in [d for d in want if d != "cut"], ["cut"]:
            with b.smtp() as c:
                for domain in domains:
                    c.sendmail(SENDER, [f"to@{domain}.test"], f"Subject: {domain}\r\n\r\nhello\r\n")
            wait_for("all outcomes", lambda: outcomes().keys() >= set(domains), 90)
        got = outcomes()
        wrong = [f"{what[d]}: {got[d]}, not {s}" for d, s in want.items()
                 if not (got[d][0] in s if len(s) == 2 else got[d].startswith(s))]
        assert not wrong, "\n" + "\n".join(wrong)
        assert len(sink.messages()) == sum(s[0] == "2" for s in got.values())
        assert not os.path.exists(f"/tmp/{ESCAPED}") and "\x1b" not in b.log() and "\0" not in b.log()
        assert not re.search(r"^RCPT TO", b.log(), re.M), "a name in the log as it came"
        # Nobody died of it, and mail goes on.
        b.send(SENDER, ["to@[127.0.0.2]"], "Subject: after\r\n\r\nhello\r\n")
        wait_for("mail after it all", lambda: any(b"after" in m["text"] for m in sink.messages()))
        assert before <= set(b.processes()), "a process is another one"
        for text in b.mail("alice", sum(s[0] == "5" for s in got.values())):
            assert b"\x1b" not in text and b"\0" not in text


main()
