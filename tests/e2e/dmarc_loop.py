# SPDX-License-Identifier: GPL-3.0-or-later
"""Two hosts that report to each other by DMARC: they end with what others have sent.  And in the sandbox, which a clock of the test's own has none of."""
import email
import glob
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import USER, Barid, Clock, Names, Sink, Wire, program, route, upstream, wait_for  # noqa: E402

DAY = 86400
NS = "{urn:ietf:params:xml:ns:dmarc-2.0}"
CHECKS = """check "spf" { exempt = {} }
check "dmarc" { reports = true report-from = "dmarc@%s" report-after = 0s }
recipient "dmarc@%s" { discard = true }
recipient "rua@%s" { forward = {"alice@%s"} }
"""
ZONE = "".join(f"""{d}.test TXT "v=spf1 ip4:127.0.0.1 -all"
_dmarc.{d}.test TXT "v=DMARC1; p=reject; rua=mailto:rua@{d}.test"
""" for d in "ab") + """c.test TXT "v=spf1 ip4:127.0.0.1 -all"
_dmarc.c.test TXT "v=DMARC1; p=none; rua=mailto:full@c.test"
"""
# An hour into the day.
AHEAD = DAY - int(time.time()) % DAY + 3600


def ctl(b, *args):
    return subprocess.run([program("baridctl"), "-c", b.conf, *args], capture_output=True, env=b.env, timeout=60, check=True).stdout.decode()


def gathered(b):
    return {(r["state"], r["domain"]): r["messages"] for r in json.loads(ctl(b, "--json", "dmarc", "reports"))}


def files(b):
    """Of the tallies; none that is begun."""
    return sorted(os.path.basename(p) for p in glob.glob(b.dir + "/spool/dmarc/*") if not p.endswith("/lock"))


def tell(b, sender, to, header, body="x", code=b"250"):
    with Wire(b.port["smtp"]) as w:
        assert w.reply().startswith(b"220")
        w.smtp("EHLO mx.c.test")
        assert w.smtp(f"MAIL FROM:<{sender}>").startswith(b"250")
        assert w.smtp(f"RCPT TO:<{to}>").startswith(b"250")
        assert w.smtp("DATA").startswith(b"354")
        w.send(f"{header}\r\n\r\n{body}\r\n.\r\n")
        assert w.reply().startswith(code)


def reports(b, domain):
    """Those to alice that are about DOMAIN."""
    found = [email.message_from_bytes(open(p, "rb").read()) for p in b.mailbox("alice")]
    return [m for m in found if re.match(rf"Report Domain: {domain}\s", m["Subject"] or "")]


def ping_pong(a, b, clocks, sink):
    a.send("alice@a.test", ["bob@b.test"], "From: alice@a.test\r\nSubject: a letter\r\n\r\nx\r\n", name="submission", login="alice")
    wait_for("what b has counted", lambda: gathered(b) == {("open", "a.test"): 1})
    tell(b, "x@c.test", "bob@b.test", "From: x@c.test\r\nSubject: x")
    # What would be said of reports: in form of one, and as what comes back of one.
    tell(a, "", "dmarc@a.test", "From: mailer-daemon@c.test\r\nSubject: failure notice")
    tell(a, "reports@c.test", "alice@a.test", "From: reports@c.test\r\nSubject: Report Domain: a.test Submitter: c.test Report-ID: <1@c.test>")
    for c in clocks:
        c.freeze(AHEAD + DAY)
    wait_for("the report", lambda: len(reports(a, "a.test")) == 2)
    wait_for("the day to be over", lambda: files(b) == [])
    # What comes now is counted behind all that came: of the reports nothing is.
    for x, to in ((a, "alice@a.test"), (b, "bob@b.test")):
        tell(x, "x@c.test", to, "From: x@c.test\r\nSubject: x")
        wait_for("what is counted", lambda x=x: gathered(x))
        assert gathered(x) == {("open", "c.test"): 1}, gathered(x)
    for c in clocks:
        c.freeze(AHEAD + 2 * DAY)
    for x in (a, b):
        wait_for("another day to be over", lambda x=x: files(x) == [])
        wait_for("an empty queue", lambda x=x: not ctl(x, "--json", "queue").strip())
    # One to a; and those that nobody takes, of which nobody is told.
    assert len(reports(a, "a.test")) == 2 and reports(b, "b.test") == [], "one of them from c.test"
    assert sum("dmarc@b.test" in m["From"] for m in reports(a, "a.test")) == 1
    for x, count in ((a, 1), (b, 2)):
        log = x.log()
        assert log.count("domain=c.test, messages=1") == len(re.findall(r"to=<full@c\.test>, .*status=bounced", log)) == count, log
        assert "non-delivery" not in log and os.listdir(x.dir + "/spool/dead") == [], log
    assert "dmarc=pass (b.test)" in a.log() and a.log().count("domain=a.test") == a.log().count("domain=b.test") == 0
    assert b.log().count("domain=a.test, messages=1") == 1


def both():
    clocks, names, sink = (Clock(), Clock()), Names(ZONE), Sink(rules=["RCPT /^full/=550 5.2.2 full"])
    for c in clocks:
        c.freeze(AHEAD)

    def host(name, clock, **kw):
        d = name + ".test"
        return Barid(hostname="mx." + d, domain=d, folder=clock.folder, env=clock.env, start=False,
                     extra=names.conf + CHECKS % (d, d, d, d), **kw)
    try:
        with host("a", clocks[0]) as a, host("b", clocks[1]) as b:
            for one, other, d in ((a, b, "b.test"), (b, a, "a.test")):
                one.write_conf(one.extra + upstream("other", other.port["smtp"]) + route(d, "other") +
                               upstream("c", sink.port) + route("c.test", "c"))
                one.start()
            ping_pong(a, b, clocks, sink)
    finally:
        names.stop()
        sink.stop()


def put_off():
    """A message that has to come again is counted when it is there; so is one that is refused for good."""
    clock, names = Clock(), Names(ZONE)
    # No day ends meanwhile.
    clock.freeze(AHEAD)
    try:
        with Barid(hostname="mx.b.test", domain="b.test", folder=clock.folder, env=clock.env,
                   extra=names.conf + CHECKS % (("b.test",) * 4) +
                   'check "virus" { server = "127.0.0.1:1" max-size = 1KB exempt = {} }\n') as b:
            letter = "From: x@c.test\r\nSubject: x"
            for _ in range(3):
                tell(b, "x@c.test", "bob@b.test", letter, code=b"451")
            # Too long to be looked at.
            tell(b, "x@c.test", "bob@b.test", letter, body="x" * 900 + "\r\n" + "x" * 900)
            tell(b, "x@far.test", "bob@b.test", letter.replace("c.test", "a.test"), code=b"550")
            wait_for("what is counted", lambda: len(gathered(b)) == 2)
            assert gathered(b) == {("open", "a.test"): 1, ("open", "c.test"): 1}, gathered(b)
    finally:
        names.stop()


def sandboxed():
    """A day that a barid before had left is told of by the next one; and today's is counted."""
    names, sink = Names(ZONE), Sink()
    try:
        with Barid(hostname="mx.b.test", domain="b.test", extra=names.conf + CHECKS % (("b.test",) * 4) + upstream("c", sink.port) + route("c.test", "c")) as b:
            tell(b, "x@c.test", "bob@b.test", "From: x@c.test\r\nSubject: x")
            wait_for("a row", lambda: gathered(b) == {("open", "c.test"): 1})
            b.stop()
            path = b.dir + "/spool/dmarc/0000020000-0123456789abcdef"
            with open(path, "w", encoding="ascii") as f:
                f.write("barid-dmarc 1 0000020000 0123456789abcdef 0000000000\n"
                        "0000000007 c.test 192.0.2.1 none - fail pass c.test - - - d.test/s/pass\n00000")
            if os.geteuid() == 0:
                shutil.chown(path, USER)
            b.start()
            m = email.message_from_bytes(sink.messages(1)[0]["text"])
            part = [p for p in m.walk() if p.get_content_type() == "application/gzip"][0]
            assert part.get_filename() == "b.test!c.test!1728000000!1728086399!0123456789abcdef.xml.gz", part.get_filename()
            assert ET.fromstring(gzip.decompress(part.get_payload(decode=True))).findtext(f"{NS}record/{NS}row/{NS}count") == "7"
            wait_for("the end of it", lambda: files(b) == ["open"])
            tell(b, "x@c.test", "bob@b.test", "From: x@c.test\r\nSubject: x")
            wait_for("one more", lambda: gathered(b) == {("open", "c.test"): 2})
            log = b.log()
            assert "dmarc report 0123456789abcdef: domain=c.test, messages=7, rows=1, to=<full@c.test>" in log, log
            assert "signal" not in log and "sandbox: off" not in log, log
    finally:
        names.stop()
        sink.stop()


for case in (both, put_off, sandboxed):
    print(case.__name__, flush=True)
    case()
