# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server offers and what it does not: which form of a message it gets (N-09, RFC 6152, 3030, 6531, 9422)."""
import contextlib
import email
import os
import quopri
import re
import sys
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Sink, body_of, route, same, smarthost, upstream, wait_for  # noqa: E402

SLOW = "queue { runners = 1 retry = {1h} idle-connection = 5s }\n"
SENDER, RCPT = "alice@example.test", "carol@far.example"
HEAD = ("From: alice@example.test\r\nTo: carol@far.example\r\nSubject: {}\r\n"
        "Date: Fri, 20 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@example.test>\r\n")
MIME = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
UML = "gr\u00fc\u00dfe \u20ac\r\n".encode()
CAPS = "PIPELINING,SIZE 52428800,ENHANCEDSTATUSCODES,8BITMIME,SMTPUTF8,DSN"


def message(subject="x", header="", body=b"hello\r\n"):
    return (HEAD.format(subject) + header).encode() + b"\r\n" + body


def without(*names):
    return ",".join(c for c in CAPS.split(",") if c not in names)


def sent(b, words, rcpt=RCPT):
    """Waits for the log line of a delivery with WORDS."""
    return wait_for(f"{words!r} in the log", lambda: next(
        (line for line in b.log().split("\n") if f"to=<{rcpt}>" in line and words in line), None))


def bounced(b, status, words="", rcpt=RCPT):
    line = sent(b, "status=bounced", rcpt)
    assert f"dsn={status}" in line and words in line, line
    # The sender is told so, with the code for machines.
    report = email.message_from_bytes(b.mail("alice", 1)[0])
    assert f"Status: {status}" in report.get_payload()[1].as_string(), report
    return line


# ---- 8-bit text ------------------------------------------------------------------

def eight_bit():
    """RFC 6152/2045 02, 03: 8BITMIME where it is offered, else quoted-printable, else 5.6.3."""
    text = message("umlauts", MIME, UML)
    with Sink("--caps", CAPS) as s, smarthost(s.port, extra=SLOW) as b:
        b.send(SENDER, [RCPT], text, mail_options=["BODY=8BITMIME"])
        m = s.messages(1)[0]
        assert "BODY=8BITMIME" in m["mail"]["params"] and body_of(m["text"]) == UML and not m["faults"], m
        b.send(SENDER, [RCPT], message("plain"))
        assert not [p for p in s.messages(2)[1]["mail"]["params"] if p.startswith("BODY=")]
    with Sink("--caps", without("8BITMIME")) as s, smarthost(s.port, extra=SLOW) as b:
        b.send(SENDER, [RCPT], text, mail_options=["BODY=8BITMIME"])
        m = s.messages(1)[0]
        assert m["text"].isascii() and not m["faults"], m
        size = [int(p[5:]) for p in m["mail"]["params"] if p.startswith("SIZE=")]
        assert size == [len(m["text"])], (size, len(m["text"]))
        got = email.message_from_bytes(m["text"])
        assert got["Content-Transfer-Encoding"] == "quoted-printable"
        same(got.get_payload(decode=True), UML)
        # A large one, which is written in pieces, and read anew for each recipient's host.
        large = UML * (3 << 20 >> 4)
        b.send(SENDER, [RCPT], message("large", MIME, large))
        m = s.messages(2, 60)[1]
        assert m["text"].isascii() and not m["faults"], m["faults"]
        same(quopri.decodestring(body_of(m["text"])), large)
        # 7-bit text stays as it is, whatever its label says.
        b.send(SENDER, [RCPT], message("plain", MIME), mail_options=["BODY=8BITMIME"])
        m = s.messages(3)[2]
        assert b"Content-Transfer-Encoding: 8bit" in m["text"] and not m["faults"], m
        b.empty()
    for why, header, body in (
            ("header", "X-Name: gr\u00fc\u00dfe\r\n", b"x\r\n"),
            ("signed", 'MIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary="b"\r\n',
             b"--b\r\n\r\n" + UML + b"--b\r\nContent-Type: application/pgp-signature\r\n\r\n--b--\r\n")):
        with Sink("--caps", without("8BITMIME")) as s, smarthost(s.port, extra=SLOW) as b:
            b.send(SENDER, [RCPT], message("x", header, body))
            bounced(b, "5.6.3", why)
            assert s.messages() == []


def long_lines():
    """RFC 5321 4.5.3.1.6: lines above 998 octets never leave."""
    html = b"<p>" + b"word " * 400 + b"</p>\r\n"
    header = "MIME-Version: 1.0\r\nContent-Type: text/html\r\n"
    with Sink("--caps", CAPS) as s, smarthost(s.port, extra=SLOW) as b:
        b.send(SENDER, [RCPT], message("small", header, html))
        m = s.messages(1)[0]
        assert not m["faults"], m
        same(email.message_from_bytes(m["text"]).get_payload(decode=True), html)
        # What is too large to be looked at before is given up on its way, and goes again at once.
        large = b"x" * 70 + b"\r\n"
        large = large * 2000 + html + large * 2000
        b.send(SENDER, [RCPT], message("large", header, large))
        m = s.messages(2)[1]
        assert not m["faults"], m
        same(email.message_from_bytes(m["text"]).get_payload(decode=True), large)
        b.send(SENDER, [RCPT], message("folded", "References: " + " ".join(f"<{n}@x.test>" for n in range(300)) + "\r\n"))
        m = s.messages(3)[2]
        assert not m["faults"] and b"<299@x.test>" in m["text"], m
        b.empty()
        assert "status=deferred" not in b.log()
    # That session may be refused: the mail waits.
    with Sink("--caps", CAPS, rules=["CONNECT @2-=421 4.3.2 not now; drop"]) as s, smarthost(s.port, extra=SLOW) as b:
        b.send(SENDER, [RCPT], message("refused", header, large))
        b.deferred("not now", 5)
        assert len(s.connections(2)) == 2, s.connections()
    with Sink("--caps", CAPS) as s, smarthost(s.port, extra=SLOW) as b:
        b.send(SENDER, [RCPT], message("x", "X-Word: " + "w" * 2000 + "\r\n"))
        bounced(b, "5.6.3", "cannot be folded")


# ---- BDAT --------------------------------------------------------------------------

CHUNKING = CAPS + ",CHUNKING,BINARYMIME"


def several(b, count, **kw):
    with b.smtp() as c:
        for n in range(count):
            c.sendmail(SENDER, [RCPT], message(f"number {n}", **kw))


def chunks():
    """RFC 3030 01: exact octets, no dots; the first message of a session goes by DATA."""
    body = b".\r\n..\r\n.x\r\n\r\n.\r\nend\r\n"
    one = SLOW + "queue { per-destination = 1 }\n"
    with Sink("--caps", CHUNKING, "--wire") as s, smarthost(s.port, extra=one) as b:
        several(b, 5, body=body)
        got = s.messages(5)
        assert all(body_of(m["text"]) == body for m in got)
        assert not any(m["faults"] for m in got), got
        assert [m["bdat"] for m in got].count(False) == len({m["conn"] for m in got}), got
        assert any(m["bdat"] for m in got), got
        b.empty()
        assert "status=deferred" not in b.log()
    # A large one would be lost on a server that refuses all recipients, and one with long lines is converted.
    with Sink("--caps", CHUNKING) as s, smarthost(s.port, extra=one) as b:
        several(b, 3, body=b"x" * 2000 + b"\r\n")
        several(b, 3, body=(b"x" * 78 + b"\r\n") * 1000)
        assert [m["bdat"] for m in s.messages(6)] == [False] * 6
        assert not any(m["faults"] for m in s.messages())


def chunks_refused():
    """RFC 3030 02: whatever is refused, each recipient has its own outcome, and the session goes on."""
    one = SLOW + "queue { per-destination = 1 }\n"
    rules = ["BDAT 1=550 5.6.0 not this", "RCPT /^no/=550 5.1.1 no", "RCPT /^wait/=450 4.2.1 wait"]
    with Sink("--caps", CHUNKING, rules=rules) as s, smarthost(s.port, extra=one) as b:
        with b.smtp() as c:
            c.sendmail(SENDER, [RCPT], message("0"))
            c.sendmail(SENDER, ["one@far.example"], message("1"))
            c.sendmail(SENDER, ["no1@far.example", "wait@far.example"], message("2"))
            c.sendmail(SENDER, ["no2@far.example", "yes@far.example"], message("3"))
        assert [re.search(rb"Subject: (\d)", m["text"]).group(1) for m in s.messages(2)] in ([b"0", b"3"], [b"3", b"0"]) \
            or len(s.messages()) == 3, s.messages()
        sent(b, "status=sent", "yes@far.example")
        sent(b, "status=bounced", "no1@far.example")
        sent(b, "status=bounced", "no2@far.example")
        assert "4.2.1" in sent(b, "status=deferred", "wait@far.example")
        bad = [f for c in s.connections() for f in c["faults"]]
        assert not bad, bad
    # A server that offers it and does not know it, or breaks off: once more by DATA, at once.
    for rule in ("BDAT=502 5.5.1 what?", "MAIL 2=drop", "MAIL 2=reset"):
        with Sink("--caps", CHUNKING, rules=[rule]) as s, smarthost(s.port, extra=one) as b:
            several(b, 4)
            if "reset" in rule:
                # Lost with all of the text: that waits, since it may be there.
                wait_for("all outcomes", lambda: b.log().count("status=sent") + b.log().count("status=deferred") >= 4)
                continue
            s.messages(4)
            b.empty()
            assert "status=deferred" not in b.log()


def bdat(c, rcpts, text, size=100):
    """A binary message over the connection C, in chunks."""
    c.ehlo_or_helo_if_needed()
    assert c.mail(SENDER, ["BODY=BINARYMIME"])[0] == 250
    for rcpt in rcpts:
        assert c.rcpt(rcpt)[0] == 250
    for at in range(0, len(text), size):
        last = b" LAST" if at + size >= len(text) else b""
        c.send(b"BDAT %d%s\r\n" % (len(text[at:at + size]), last) + text[at:at + size])
        assert c.getreply()[0] == 250


def binary():
    """RFC 3030 04, 05: BINARYMIME by BDAT as it is, else in base64, else 5.6.1."""
    body = b".\r\na\rb\nc\0d\xff\r\n.\r\n" * 9 + b"no end"
    mime = "MIME-Version: 1.0\r\nContent-Type: {}\r\nContent-Transfer-Encoding: binary\r\n"
    cases = ((CHUNKING, "image/x-a", ["BODY=BINARYMIME"]), (CAPS + ",CHUNKING", "image/x-a", ["BODY=8BITMIME"]),
             (without("8BITMIME"), "image/x-a", []), (CAPS, "message/partial", "5.6.1"))
    with contextlib.ExitStack() as stack:
        sinks = [stack.enter_context(Sink("--caps", caps)) for caps, *_ in cases]
        ways = "".join(upstream(f"u{n}", s.port) + route(f"d{n}.example", f"u{n}") for n, s in enumerate(sinks))
        b = stack.enter_context(Barid(extra=SLOW + ways, relay=("127.0.0.0/8",)))
        with b.smtp() as c:
            for n, (_, kind, _) in enumerate(cases):
                bdat(c, [f"carol@d{n}.example"], message("x", mime.format(kind), body))
        for s, (_, kind, want) in zip(sinks, cases):
            if want == "5.6.1":
                bounced(b, want, "is binary", "carol@d3.example")
                assert s.messages() == []
                continue
            m = s.messages(1)[0]
            assert [p for p in m["mail"]["params"] if p.startswith("BODY=")] == want and not m["faults"], m
            assert m["bdat"] == (want == ["BODY=BINARYMIME"]), m
            if m["bdat"]:
                same(m["text"][m["text"].index(b"From:"):], message("x", mime.format(kind), body))
            else:
                # DATA gives the last line the end that it lacks; that is no part of the base64.
                same(email.message_from_bytes(m["text"]).get_payload(decode=True), body)
        b.empty()


def binary_here():
    """RFC 3030 3: a mailbox has lines, so that it gets another form, or the sender 5.6.1."""
    body = bytes(range(256)) * 5 + b"\r\n.\r\n\n"
    mime = "MIME-Version: 1.0\r\nContent-Type: {}\r\nContent-Transfer-Encoding: binary\r\n"
    with Barid() as b:
        with b.smtp() as c:
            bdat(c, ["bob@example.test"], message("1", mime.format("image/x-a"), body))
            bdat(c, ["bob@example.test"], message("2", mime.format("text/plain"), b"lines\r\n" * 3))
            bdat(c, ["bob@example.test"], message("3", mime.format("message/partial"), body))
        bounced(b, "5.6.1", "is binary", "bob@example.test")
        got = {m["Subject"]: m for m in (email.message_from_bytes(t) for t in wait_for("two", lambda: two(b)))}
        same(got["1"].get_payload(decode=True), body)
        assert got["1"]["Content-Transfer-Encoding"] == "base64"
        # What is binary by name only stays as it was.
        assert got["2"]["Content-Transfer-Encoding"] == "binary"
        b.empty()


def two(b):
    """What bob fetches by POP3, once there are two."""
    box = b.pop3("bob")
    try:
        n = box.stat()[0]
        return [b"\r\n".join(box.retr(i + 1)[1]) + b"\r\n" for i in range(n)] if n == 2 else None
    finally:
        box.quit()


# ---- UTF-8 ---------------------------------------------------------------------------

def drop(b, sender, rcpt, name="", field="To"):
    """A message with such addresses, by the drop directory: no server here takes them yet."""
    with open(f"{b.dir}/spool/drop/tmp.x", "w", encoding="utf-8") as f:
        f.write(f"From: {sender}\n{field}: {rcpt}\nSubject: x\n{name and f'X-Name: {name}' + chr(10)}\nhello\n")
    past = time.time() - 60
    os.utime(f.name, (past, past))
    os.rename(f.name, f"{b.dir}/spool/drop/x.eml")


def utf8():
    """RFC 6531 03, N-09: SMTPUTF8 is not downgraded, and not asked for in vain."""
    mine, uml = "\u00e4lice@far.example", "gr\u00fc\u00dfe"
    cases = (
        # what is offered, whom it goes to, a header; whom it goes to then, and if SMTPUTF8 is said; or the bounce
        (CAPS, mine, "", (mine, True)),
        (CAPS, mine, uml, (mine, True)),
        (without("SMTPUTF8"), mine, "", "5.6.7"),
        (without("SMTPUTF8", "8BITMIME"), mine, uml, "5.6.7"),
        # RFC 5890: a domain has another form, which every host takes.
        (CAPS, f"carol@{uml}.example", "", (f"carol@{uml}.example", True)),
        (without("SMTPUTF8"), f"carol@{uml}.example", "", ("carol@xn--gre-6ka8l.example", False)))
    for caps, rcpt, name, want in cases:
        with Sink("--caps", caps) as s, smarthost(s.port, extra=SLOW) as b:
            # Where the header has the address too, that needs it as well.
            drop(b, SENDER, rcpt, name, "Bcc" if uml in rcpt else "To")
            if isinstance(want, str):
                bounced(b, want, "", rcpt)
                assert s.messages() == []
                continue
            m = s.messages(1)[0]
            assert not [f for f in m["faults"] if f != "8-bit command"], m
            assert (m["rcpts"][0]["path"], "SMTPUTF8" in m["mail"]["params"]) == want, m
            b.empty()
    # What came without SMTPUTF8 does not begin to need it, whatever its header has (persons' scripts send that).
    for caps in (CAPS, without("SMTPUTF8")):
        with Sink("--caps", caps) as s, smarthost(s.port, extra=SLOW) as b:
            b.send(SENDER, [RCPT], message("x", f"X-Name: {uml}\r\n"))
            m = s.messages(1)[0]
            assert "SMTPUTF8" not in m["mail"]["params"] and not m["faults"], m
            assert f"X-Name: {uml}\r\n".encode() in m["text"], m
            b.empty()


# ---- limits ----------------------------------------------------------------------------

def limits():
    """RFC 9422: what a server can take is kept to."""
    many = [f"r{n}@far.example" for n in range(25)]
    with Sink("--caps", CAPS + ",LIMITS RCPTMAX=10 MAILMAX=2") as s, smarthost(s.port, extra=SLOW) as b:
        b.send(SENDER, many, message())
        wait_for("all recipients", lambda: sum(len(m["rcpts"]) for m in s.messages()) == 25)
        assert sorted(r["path"] for m in s.messages() for r in m["rcpts"]) == sorted(many)
        assert max(len(m["rcpts"]) for m in s.messages()) == 10
        several(b, 5)
        b.empty()
        assert "status=deferred" not in b.log()
        conns = wait_for("the ends", lambda: sum(len(c["messages"]) for c in s.connections()) == 8 and s.connections())
        assert max(len(c["messages"]) for c in conns) == 2 and not any(c["faults"] for c in conns), conns
    domains = [f"r{n}@d{n % 5}.example" for n in range(10)]
    for most in (1, 2):
        with Sink("--caps", f"{CAPS},LIMITS RCPTDOMAINMAX={most}") as s, smarthost(s.port, extra=SLOW) as b:
            b.send(SENDER, domains, message())
            wait_for("all recipients", lambda: sum(len(m["rcpts"]) for m in s.messages()) == 10)
            b.empty()
            assert "status=deferred" not in b.log()
            assert not any(c["faults"] for c in s.connections()), s.connections()
            assert len({m["conn"] for m in s.messages()}) >= 5 // most
    # RFC 1870 05: a size that is too small is known before anything is sent.
    with Sink("--caps", "PIPELINING,SIZE 1000") as s, smarthost(s.port, extra=SLOW) as b:
        b.send(SENDER, [RCPT], message("x", body=b"y" * 70 * 20 + b"\r\n"))
        bounced(b, "5.3.4")
        assert not any(line.startswith("MAIL") for line in s.said()), s.said()


def dsn():
    """RFC 3461 03: what a sender asked for is passed on as it is, '+' and all."""
    with Sink("--caps", CAPS) as s, smarthost(s.port, extra=SLOW) as b:
        with b.smtp() as c:
            c.ehlo()
            assert c.mail(SENDER, ["RET=HDRS", "ENVID=QQ+2B+3D314159"])[0] == 250
            assert c.rcpt(RCPT, ["NOTIFY=SUCCESS,DELAY", "ORCPT=rfc822;Ca+2Brol+20x@Far.Example"])[0] == 250
            assert c.rcpt("dave@far.example", ["NOTIFY=NEVER"])[0] == 250
            assert c.rcpt("eve@far.example")[0] == 250
            assert c.data(message())[0] == 250
        m = s.messages(1)[0]
        assert "RET=HDRS" in m["mail"]["params"] and "ENVID=QQ+2B+3D314159" in m["mail"]["params"], m["mail"]
        assert m["rcpts"][0]["params"] == ["NOTIFY=SUCCESS,DELAY", "ORCPT=rfc822;Ca+2Brol+20x@Far.Example"], m["rcpts"]
        assert m["rcpts"][1]["params"] == ["NOTIFY=NEVER"] and m["rcpts"][2]["params"] == [], m["rcpts"]
        b.empty()
        # The next host reports the success itself.
        assert b.mailbox("alice") == []
    with Sink("--caps", without("DSN")) as s, smarthost(s.port, extra=SLOW) as b:
        with b.smtp() as c:
            c.ehlo()
            assert c.mail(SENDER, ["ENVID=QQ+2B"])[0] == 250
            assert c.rcpt(RCPT, ["NOTIFY=SUCCESS", "ORCPT=rfc822;Ca+2Brol@x.example"])[0] == 250
            assert c.data(message())[0] == 250
        m = s.messages(1)[0]
        assert not m["rcpts"][0]["params"] and not any("ENVID" in p for p in m["mail"]["params"]), m
        report = email.message_from_bytes(b.mail("alice", 1)[0]).get_payload()[1].as_string()
        # RFC 3464 2.2.1, 2.3.1: what the xtext means.
        assert "Action: relayed" in report and "Original-Recipient: rfc822;Ca+rol@x.example\n" in report, report
        assert "Original-Envelope-Id: QQ+\n" in report, report


# ---- old servers -----------------------------------------------------------------------

def helo():
    """RFC 5321 17, N-04: a server that does not know EHLO, or breaks off at it, hears HELO."""
    for rule in ("EHLO 1=500 what?", "EHLO 1=502 what?", "EHLO 1=504 what?", "EHLO 1=550 no", "EHLO @1=drop",
                 "EHLO @1=reset"):
        with Sink("--caps", CAPS, rules=[rule]) as s, smarthost(("127.0.0.1", s.port, 'tls = "may"'), extra=SLOW) as b:
            b.send(SENDER, [RCPT], message())
            m = s.messages(1)[0]
            assert f"HELO {b.hostname}" in m["lines"] and not m["mail"]["params"], m
            b.empty()
    # Once: one that always breaks off is asked no more.
    with Sink(rules=["EHLO=drop"]) as s, smarthost(s.port, extra=SLOW) as b:
        b.send(SENDER, [RCPT], message())
        b.deferred("connection lost while saying")
        s.connections(2)
        assert [line.split()[0] for line in s.said()] == ["EHLO", "HELO"], s.said()
    # What has to be secret does not go by HELO.
    with Sink(rules=["EHLO=drop"]) as s, smarthost(("127.0.0.1", s.port, 'tls = "required"'), extra=SLOW) as b:
        b.send(SENDER, [RCPT], message())
        b.deferred("connection lost while saying")
        s.connections(1)
        assert [line.split()[0] for line in s.said()] == ["EHLO"], s.said()


def liars():
    """N-09: a server that offers PIPELINING and breaks off at it is asked once more, step by step."""
    with Sink("--caps", CHUNKING, rules=["RCPT @1=drop"]) as s, smarthost(s.port, extra=SLOW) as b:
        b.send(SENDER, [RCPT], message())
        m = s.messages(1)[0]
        assert m["conn"] == 2 and not m["pipelined"], m
        b.empty()
        assert "status=deferred" not in b.log()


def main():
    for test in (eight_bit, long_lines, chunks, chunks_refused, binary, binary_here, utf8, limits, dsn, helo, liars):
        if len(sys.argv) > 1 and test.__name__ not in sys.argv[1:]:
            continue
        start = time.monotonic()
        test()
        print(f"{test.__name__}: {time.monotonic() - start:.1f} s", flush=True)


main()
