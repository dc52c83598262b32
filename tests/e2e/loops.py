# SPDX-License-Identifier: GPL-3.0-or-later
"""Two systems that forward to each other, by a section, an alias and a mailing list: it ends, with one report (S-43)."""
import os
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Sink, route, upstream, wait_for  # noqa: E402

OFF = 'tls = "off"'
RETRY = "queue { retry = {1s} }\n"


def text(subject, to):
    return f"From: c@far.example\r\nTo: {to}\r\nSubject: {subject}\r\n\r\ntext\r\n"


def towards(domain, port, sink):
    return upstream("peer", ("127.0.0.1", port, OFF)) + route(domain, "peer") + \
        upstream("far", ("127.0.0.1", sink.port, OFF)) + route("*", "far") + RETRY


def quiet(*systems):
    """Twice, as one may have handed it to the other while that was looked at."""
    for _ in range(2):
        for b in systems:
            b.empty()


def received(b):
    return b.log().count("(queue active)")


def round_trip(a, b, sink, name):
    """One report, about the address where it went wrong, and nothing goes around twice."""
    had, way = len(sink.messages()), (received(a), received(b))
    a.send("c@far.example", [f"{name}@a.test"], text(name, f"{name}@a.test"))
    found = sink.messages(had + 1)
    quiet(a, b)
    assert len(sink.messages()) == had + 1, sink.messages()
    report = found[-1]
    assert (report["mail"]["path"], [r["path"] for r in report["rcpts"]]) == ("", ["c@far.example"]), report
    told = " ".join(report["text"].decode().split())
    assert f"554 5.4.6 <{name}@a.test>: The message was forwarded by this address already" in told, told
    # There and back; the report is the second of b's.
    assert received(a) - way[0] <= 2 and received(b) - way[1] <= 2, (received(a), received(b), way)


def mailing_list(a, b, sink):
    had = len(sink.messages())
    a.send("c@far.example", ["list@a.test"], text("to the list", "list@a.test"))
    report = " ".join(a.mail("owner", 1)[0].decode().split())
    quiet(a, b)
    assert "554 5.4.6 <list@a.test>: The message was sent by this list already" in report, report
    assert len(a.mailbox("owner")) == 1 and len(a.mailbox("alice")) == 1
    assert len(sink.messages()) == had, "who wrote to the list was told"


def through(a, b, sink):
    """What is forwarded and does not come back says by whom, and is otherwise what it was."""
    b.send("c@far.example", ["away@b.test"], text("away", "away@b.test"))
    m = sink.messages(3)[-1]
    assert [r["path"] for r in m["rcpts"]] == ["x@far.example", "y@far.example"], m
    assert m["text"].startswith(b"Delivered-To: away@b.test\r\nReceived: "), m["text"]
    assert m["text"].endswith(text("away", "away@b.test").encode()), m["text"]
    quiet(a, b)


def several(b):
    """Of many recipients the one that is meant, among many that it was at, in any letters."""
    went = "".join(f"Delivered-To: {n}@b.test\r\n" for n in ("x", "y", "ALIAS", "z")) + "junk\r\nDelivered-To: list@b.test\r\n"
    for names, code in ((["away"], 250), (["away", "alias"], 554), (["away", "list"], 554)):
        with b.smtp() as c:
            c.ehlo()
            c.mail("<>")
            for name in names:
                assert c.rcpt(f"{name}@b.test")[0] == 250
            said = c.data(went + text("several", "you@b.test"))
            assert said[0] == code and (code == 250 or f"<{names[-1]}@b.test>".encode() in said[1]), said


def main():
    with Sink() as sink:
        a = Barid(hostname="mx.a.test", domain="a.test", start=False)
        b = Barid(hostname="mx.b.test", domain="b.test", start=False)
        with open(f"{a.dir}/aliases", "w", encoding="ascii") as f:
            f.write("alias: alias@b.test, alice\n")
        with open(f"{a.dir}/members", "w", encoding="ascii") as f:
            f.write("alice@a.test\nlist@b.test\n")
        a.write_conf(f'aliases = {{"{a.dir}/aliases"}}\n' + towards("b.test", b.port["smtp"], sink) +
                     'recipient "section@a.test" { forward = {"section@b.test"} }\n'
                     'recipient "list@a.test" { list = "l" }\nrecipient "owner@a.test" { mailbox = "owner" }\n'
                     f'list "l" {{ members = "{a.dir}/members" return-path = "owner@a.test" members-only = false }}\n')
        b.write_conf(towards("a.test", a.port["smtp"], sink) +
                     'recipient "away@b.test" { forward = {"x@far.example", "y@far.example"} }\n' +
                     "".join(f'recipient "{n}@b.test" {{ forward = {{"{n}@a.test"}} }}\n' for n in ("section", "alias", "list")))
        with a.start(), b.start():
            round_trip(a, b, sink, "section")
            round_trip(a, b, sink, "alias")
            assert len(a.mailbox("alice")) == 1
            through(a, b, sink)
            a_had = a.mailbox("alice")
            for path in a_had:
                os.unlink(path)
            mailing_list(a, b, sink)
            several(b)
            quiet(a, b)
            for s in (a, b):
                wait_for("the audit to close", lambda s=s: s.ctl("audit", check=False).returncode == 0)


if __name__ == "__main__":
    main()
