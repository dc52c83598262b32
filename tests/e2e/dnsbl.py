# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists in DNS: who is refused, when, by which list, and what a list can do that is dead, late or evil.

FEATURES C3, C4, C5: at a recipient or at once, by weights, with the text of the list; suspended at run time.
BEYOND S8: lists of domains, asked about HELO, the sender and URLs; one sum of all.
A client at home is never asked about, so these come by PROXY and XCLIENT.
"""
import base64
import json
import os
import re
import smtplib
import sys
import threading

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Names, Wire, wait_for  # noqa: E402

ZONE = """2.0.0.127.bl.test A 127.0.0.2
9.2.0.192.bl.test 120 A 127.0.0.2
9.2.0.192.bl.test 120 A 127.0.0.4
9.2.0.192.bl.test TXT "see https://bl.test/" "9"
10.2.0.192.bl.test A 127.0.0.4
9.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.test A 127.0.0.2
11.2.0.192.bl.test A 127.0.0.2
2.0.0.127.good.test A 127.0.10.3
11.2.0.192.good.test A 127.0.10.3
*.dead.test A 127.0.0.2
2.0.0.127.refuses.test A 127.0.0.2
12.2.0.192.refuses.test A 127.255.255.254
13.2.0.192.refuses.test A 203.0.113.5
2.0.0.127.slow.test A 127.0.0.2
14.2.0.192.slow.test DROP
14.2.0.192.bl.test A 127.0.0.2
15.2.0.192.slow.test DROP
"""
DOMAINS_ZONE = """test.dbl.test A 127.0.1.2
bad.example.dbl.test A 127.0.1.2
bad.example.dbl.test TXT "spam"
shop.fine.co.uk.dbl.test A 127.0.1.4
refused.example.dbl.test A 127.255.255.254
xn--br-via.example.dbl.test A 127.0.1.5
abused.example.dbl.test A 127.0.1.102
test.half.test A 127.0.0.2
half.example.half.test A 127.0.0.2
test.good-names.test A 127.0.0.2
good.example.good-names.test A 127.0.0.2
*.wild.test A 127.0.0.2
late.example.dbl.test DROP
test.uri.test A 127.0.1.2
bad.example.uri.test A 127.0.1.2
bad.example.uri.test TXT "phish"
77.2.0.192.uri.test A 127.0.1.2
78.2.0.192.uri.test A 127.0.1.255
late.example.uri.test DROP
gone.example.uri.test DROP
test.half-uri.test A 127.0.0.2
half.example.half-uri.test A 127.0.0.2
"""
DOMAINS = """dnsbl "bl.test" { weight = 1 answers = {"127.0.0.2"} }
dnsbl "dbl.test" { of = {helo, sender} weight = 2 answers = {"127.0.1.2-127.0.1.99"} }
dnsbl "half.test" { of = {sender} }
dnsbl "good-names.test" { of = {sender} weight = -5 }
dnsbl "wild.test" { of = {client, sender} weight = 9 }
dnsbl "uri.test" { of = {url} weight = 2 }
dnsbl "half-uri.test" { of = {url} }
dnsbl-threshold = 2
access { connect = {"0.0.0.0/0", "::/0"} relay = {"198.51.100.7"} xclient = {"127.0.0.1"} }
"""
LISTS = """dnsbl "bl.test" { weight = 2 answers = {"127.0.0.2"} }
dnsbl "bl.test" { weight = 1 answers = {"127.0.0.3-127.0.0.9"} reply = "450 4.7.1 ${client} ${zone}, later" }
dnsbl "good.test" { weight = -2 }
dnsbl "dead.test" { weight = 9 }
dnsbl "refuses.test" { weight = 9 }
dnsbl "slow.test" { weight = 2 }
dnsbl-threshold = 2
access { connect = {"0.0.0.0/0", "::/0"} relay = {"198.51.100.7"} xclient = {"127.0.0.1"} }
"""
PATIENT, HURRIED = "dnsbl-timeout = 20s\n", "dnsbl-timeout = 800ms\n"



def come(b, address, helo="client.test", sender="a@far.test"):
    """A client at ADDRESS that has said hello, and whom it writes for."""
    w = Wire(b.port["smtp"])
    assert w.reply().startswith(b"220")
    w.smtp("EHLO proxy.test")
    name = "IPV6:" + address if ":" in address else address
    assert w.smtp(f"XCLIENT ADDR={name}").startswith(b"220")
    w.smtp("EHLO " + helo)
    utf8 = "" if sender.isascii() else " SMTPUTF8"
    assert w.smtp(f"MAIL FROM:<{sender}>{utf8}").startswith(b"250")
    return w


def rcpt(b, address, to="alice@example.test", **said):
    with come(b, address, **said) as w:
        return w.smtp(f"RCPT TO:<{to}>").decode().strip()


def asked(names, address):
    reverse = ".".join(reversed(address.split(".")))
    return [line for line in names.asked() if reverse in line]


def refused(b, names):
    said = rcpt(b, "192.0.2.9")
    assert said == "550 5.7.1 192.0.2.9 is listed by bl.test; see https://bl.test/9", said
    assert rcpt(b, "2001:db8::9").startswith("550 5.7.1 2001:db8::9 is listed by bl.test")
    # Each zone once, though one has two sections, and for IPv6 an A record, too.
    assert sorted(asked(names, "192.0.2.9")) == sorted(
        ["udp A 9.2.0.192." + z for z in ("bl.test", "good.test", "refuses.test", "slow.test")] +
        ["udp TXT 9.2.0.192.bl.test"]), asked(names, "192.0.2.9")
    log = b.log()
    assert "reject: RCPT from unknown[192.0.2.9]: 550 5.7.1 <alice@example.test>: 192.0.2.9 is" in log, log
    assert "dnsbl: unknown[192.0.2.9] is listed: bl.test*2 (127.0.0.2) bl.test*1 (127.0.0.4)" in log, log
    # What was found is remembered.
    before = len(names.asked())
    assert rcpt(b, "192.0.2.9").startswith("550")
    assert len(names.asked()) == before


def taken(b, names):
    assert rcpt(b, "192.0.2.9", "postmaster@example.test").startswith("250"), "the postmaster"
    assert rcpt(b, "192.0.2.10").startswith("250"), "below the threshold"
    assert rcpt(b, "192.0.2.11").startswith("250"), "a good list"
    assert rcpt(b, "192.0.2.99").startswith("250"), "on no list"
    wait_for("what is noted", lambda: "192.0.2.10] is listed: bl.test*1 (127.0.0.4); noted" in b.log())
    # Whoever may relay is nobody to ask about, nor who is in a private network.
    assert rcpt(b, "198.51.100.7", "u@elsewhere.test").startswith("250")
    assert rcpt(b, "10.1.2.3").startswith("250")
    assert not asked(names, "198.51.100.7") and not asked(names, "10.1.2.3")


def evil(b):
    wait_for("the dead list", lambda: "dnsbl dead.test has 127.0.0.1, which no list has" in b.log())
    assert rcpt(b, "192.0.2.12").startswith("250") and rcpt(b, "192.0.2.13").startswith("250")
    wait_for("a list that refuses", lambda: "dnsbl refuses.test answers 127.255.255.254, which is no entry but says" in b.log())


def late(b):
    """A late one counts nothing, and does not spoil what another has."""
    assert rcpt(b, "192.0.2.15").startswith("250")
    # The other may be late as well, once.
    wait_for("what another has", lambda: rcpt(b, "192.0.2.14").startswith("550"))
    wait_for("the late list", lambda: "dnsbl slow.test does not answer for 192.0.2.15: it counts nothing" in b.log())


def check(b):
    r = b.ctl("dnsbl", "check", "192.0.2.9", check=False)
    assert r.returncode == 1 and "refused: 550 5.7.1 192.0.2.9 is" in r.stdout, r
    assert "good.test does not have 192.0.2.9" in r.stdout and "3 of dnsbl-threshold 2" in r.stdout, r.stdout
    assert "dead.test has 127.0.0.1, which no list has: it counts nothing" in r.stdout, r.stdout
    r = b.ctl("--json", "dnsbl", "check", "192.0.2.11", check=False)
    assert r.returncode == 0, r
    steps = json.loads(r.stdout)["steps"]
    assert steps[-1]["text"].startswith("not refused") and steps[0]["line"] > 0, steps
    assert b.ctl("dnsbl", "check", "10.0.0.1", check=False).returncode == 0
    for wrong in (["check"], ["check", "a b"], ["stop", "0"], ["stop", "x"], ["start", "1"], []):
        assert b.ctl("dnsbl", *wrong, check=False).returncode in (64, 65), wrong


def suspended(b):
    """FEATURES C5."""
    b.ctl("dnsbl", "stop", "600")
    assert "disabled dnsbl" in b.ctl("status").stdout
    assert rcpt(b, "192.0.2.9").startswith("250")
    b.ctl("dnsbl", "start")
    assert "disabled dnsbl" not in b.ctl("status").stdout
    assert rcpt(b, "192.0.2.9").startswith("550")


def helper(b):
    return int(re.search(r"helper barid-check 0 pid=(\d+)", b.ctl("status").stdout)[1])


def killed(b):
    """Without barid-check mail comes in, and it is started again."""
    old = helper(b)
    os.kill(old, 9)
    assert rcpt(b, "192.0.2.9")[:3] in ("250", "550")
    wait_for("another barid-check", lambda: helper(b) not in (0, old))
    wait_for("its answer", lambda: rcpt(b, "192.0.2.9").startswith("550"))


def at_once(names):
    """FEATURES C4: before anything is said, by the greeting; what a client names counts when it is known."""
    extra = 'dnsbl "dbl.test" { of = {sender} weight = 2 }\n' + LISTS.replace('xclient = {"127.0.0.1"}', 'proxies = {"127.0.0.1"}') + 'dnsbl-at = "connect"\n' + PATIENT + names.conf
    with Barid(extra=extra) as b:
        for address, said in (("192.0.2.9", b"554 5.7.1 192.0.2.9 is listed"),
                              ("192.0.2.99", b"220 ")):
            with Wire(b.port["smtp"]) as w:
                w.send(f"PROXY TCP4 {address} 127.0.0.1 4711 25\r\n".encode())
                got = w.reply()
                assert got.startswith(said), got
                if said[0] == ord("5"):
                    assert w.line() is None, "the connection goes on"
                    continue
                w.smtp("EHLO client.test")
                w.smtp("MAIL FROM:<a@bad.example>")
                assert w.smtp("RCPT TO:<alice@example.test>").startswith(b"550 5.7.1 bad.example is listed")
        wait_for("the line", lambda: "reject: CONNECT from unknown[192.0.2.9]: 554 5.7.1" in b.log())


def domains(names, b):
    """BEYOND S8: what the client calls itself, and whom it sends as."""
    wait_for("a list that has everything", lambda: "dnsbl wild.test has INVALID, which no list has" in b.log())
    for said, listed in ((dict(helo="bad.example"), "bad.example"), (dict(helo="Mail.Bad.Example"), "bad.example"),
                         (dict(sender="a@bad.example"), "bad.example"), (dict(sender="a@x.y.bad.example"), "bad.example"),
                         (dict(sender="a@shop.fine.co.uk"), "shop.fine.co.uk"),
                         (dict(sender="a@b\u00e4r.example"), "xn--br-via.example")):
        got = rcpt(b, "192.0.2.99", **said)
        assert got.startswith(f"550 5.7.1 {listed} is listed by dbl.test"), (said, got)
    assert got[-8:] == "dbl.test" and rcpt(b, "192.0.2.99", helo="bad.example").endswith("dbl.test; spam")
    # Of a public suffix nobody is the owner, an answer that no section counts is none.
    for said in (dict(sender="a@other.co.uk"), dict(sender="a@refused.example"), dict(sender="a@abused.example"),
                 dict(helo="half.example"), dict(helo="bad.example", sender="a@good.example")):
        assert rcpt(b, "192.0.2.99", **said).startswith("250"), said
    # One sum of the client's lists and the others.
    assert rcpt(b, "192.0.2.9").startswith("250") and rcpt(b, "192.0.2.99", sender="a@half.example").startswith("250")
    assert rcpt(b, "192.0.2.9", sender="a@half.example") == "550 5.7.1 192.0.2.9 is listed by bl.test; see https://bl.test/9"
    wait_for("the lines", lambda: ("dnsbl: unknown[192.0.2.9] is listed: bl.test*1 (127.0.0.2); sender half.example is listed: "
                                   "half.test*1 (127.0.0.2)\n") in b.log()
             and "dnsbl: unknown[192.0.2.99]: sender half.example is listed: half.test*1 (127.0.0.2); noted" in b.log()
             and "dnsbl: unknown[192.0.2.99]: helo bad.example is listed: dbl.test*2 (127.0.1.2)\n" in b.log())
    assert rcpt(b, "192.0.2.99", "postmaster@example.test", sender="a@bad.example").startswith("250")
    nobody(names, b)
    with come(b, "192.0.2.9", sender="a@half.example") as w:
        assert w.smtp("RCPT TO:<alice@example.test>").startswith(b"550")
        # What the next message names is its own.
        w.smtp("RSET")
        w.send(b"MAIL FROM:<a@far.test>\r\nRCPT TO:<alice@example.test>\r\n")
        assert [w.reply()[:3], w.reply()[:3]] == [b"250", b"250"]
        w.smtp("RSET")
        w.send(b"MAIL FROM:<a@bad.example>\r\nRCPT TO:<alice@example.test>\r\n")
        assert [w.reply()[:3], w.reply()[:3]] == [b"250", b"550"]
    b.ctl("dnsbl", "stop")
    assert rcpt(b, "192.0.2.99", sender="a@bad.example").startswith("250")
    b.ctl("dnsbl", "start")
    assert rcpt(b, "192.0.2.99", sender="a@bad.example").startswith("550")


def nobody(names, b):
    """Where there is no name there is no question, nor of who may relay."""
    before = len(names.asked())
    assert rcpt(b, "198.51.100.7", "u@elsewhere.test", helo="bad.example", sender="a@bad.example").startswith("250")
    for helo in ("[192.0.2.99]", "localhost", "192.0.2.99"):
        assert rcpt(b, "10.1.2.3", helo=helo, sender="").startswith("250"), helo
    assert len(names.asked()) == before, names.asked()[before:]
    # In a private network only the client itself is nobody's entry.
    assert rcpt(b, "10.1.2.3", sender="a@bad.example").startswith("550")
    questions = " ".join(names.asked()).split()
    assert "bad.example.half.test" in questions and not [q for q in questions if q.startswith("client.test.half")]


def send(b, text, to=("bob@example.test",), sender="a@far.test"):
    """What a client at home hears that sends TEXT; None: it is taken."""
    with smtplib.SMTP("127.0.0.1", b.port["smtp"], local_hostname="client.test") as c:
        try:
            c.sendmail(sender, to, text)
        except smtplib.SMTPDataError as e:
            return f"{e.smtp_code} {e.smtp_error.decode()}"
    return None


def html(text):
    body = base64.encodebytes(text.encode()).decode()
    return ("Subject: x\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\nhello\n--b\nContent-Type: text/html\n"
            f"Content-Transfer-Encoding: base64\n\n{body}--b--\n")


def urls(names, b):
    """BEYOND S8: the hosts of a message's URLs, when its text is there."""
    listed = "550 5.7.1 bad.example is listed by uri.test; phish"
    for text in ("Subject: x\n\nsee http://www.bad.example/y\n", "Subject: x\n\nBAD: HTTPS://user@Bad.Example:8080.\n",
                 html('<a href="https://click.bad&#46;example/?a&amp;b">'), html("<p>www.bad.example</p>")):
        said = send(b, text)
        assert said == listed, (text, said)
    assert send(b, "Subject: x\n\nhttp://3221226061/\n") == "550 5.7.1 192.0.2.77 is listed by uri.test"
    log = b.log()
    assert "reject: END-OF-MESSAGE from unknown[127.0.0.1]: 550 5.7.1 bad.example is listed by uri.test; phish" in log, log
    assert ": url bad.example is listed: uri.test*2 (127.0.1.2)\n" in log, log
    assert " queued as " not in log[log.rindex("url bad.example"):], "it is stored all the same"
    before = len(names.asked())
    for text in ("Subject: http://bad.example/\n\nnothing\n", "Subject: x\n\nhttp://10.0.0.1/ http://localhost/\n",
                 "Subject: x\nContent-Type: image/png\n\nhttp://bad.example/\n"):
        assert send(b, text) is None, text
    assert not [q for q in names.asked()[before:] if "uri.test" in q], names.asked()[before:]
    assert send(b, "Subject: x\n\nhttp://192.0.2.78/\n") is None, "a list that has no addresses"
    # One sum, of the sender's domain and the text, which each alone would not come to.
    half = "Subject: x\n\nhttp://half.example/\n"
    assert send(b, half) is None and send(b, "Subject: x\n\nx\n", sender="a@half.example") is None
    assert send(b, half, sender="a@half.example") == "550 5.7.1 half.example is listed by half.test"
    assert (": sender half.example is listed: half.test*1 (127.0.0.2); url half.example is listed: "
            "half-uri.test*1 (127.0.0.2)\n") in b.log()
    # Desks see what others complain of; all who get it are to be desks.
    bad = "Subject: x\n\nhttp://bad.example/\n"
    assert send(b, bad, to=("postmaster@example.test",)) is None
    assert send(b, bad, to=("postmaster@example.test", "bob@example.test")) == listed
    with come(b, "198.51.100.7", sender="a@far.test") as w:
        w.smtp("RCPT TO:<bob@example.test>")
        w.smtp("DATA")
        assert w.smtp("Subject: x\r\n\r\nhttp://bad.example/\r\n.").startswith(b"250"), "who may relay"
    with come(b, "192.0.2.99") as w:
        text = b"\r\nhttp://bad.example/\r\n"
        w.smtp("RCPT TO:<bob@example.test>")
        w.send(b"BDAT %d LAST\r\n" % len(text) + text)
        assert w.reply().startswith(b"550 5.7.1 bad.example")
        w.smtp("MAIL FROM:<a@far.test>")
        assert w.smtp("RCPT TO:<bob@example.test>").startswith(b"250"), "the next one is another"
    b.ctl("dnsbl", "stop")
    assert send(b, bad) is None
    b.ctl("dnsbl", "start")


def late_domains(b):
    """A list that is late counts nothing."""
    assert rcpt(b, "192.0.2.99", sender="a@late.example").startswith("250")
    wait_for("the late list", lambda: "dnsbl dbl.test does not answer for late.example" in b.log())
    assert send(b, "Subject: x\n\nhttp://late.example/ http://good.example/\n") is None
    wait_for("the late list", lambda: "dnsbl uri.test does not answer for late.example" in b.log())
    assert b.ctl("dnsbl", "check", "gone.example", check=False).returncode == 75


def cut_off(names, b):
    """A text whose question nobody answers any more is taken."""
    said = []
    pid = helper(b)
    client = threading.Thread(target=lambda: said.append(send(b, "Subject: x\n\nhttp://gone.example/\n")))
    client.start()
    wait_for("the question", lambda: "gone.example.uri.test" in " ".join(names.asked()))
    os.kill(pid, 9)
    client.join()
    assert said == [None], said
    assert "barid-check does not say who has unknown[127.0.0.1]" in b.log()


def explained(b):
    """BEYOND S8: the same by baridctl."""
    r = b.ctl("dnsbl", "check", "a.bad.example", check=False)
    assert r.returncode == 1 and "dbl.test does not have a.bad.example" in r.stdout, r
    assert 'uri.test answers 127.0.1.2 "phish" for bad.example: 2' in r.stdout and "bl.test does not" not in r.stdout.replace("dbl", ""), r
    assert "wild.test has 127.0.0.1, which no list has" in r.stdout and "4 of dnsbl-threshold 2" in r.stdout, r.stdout
    assert b.ctl("dnsbl", "check", "good.example", check=False).returncode == 0
    file = b.dir + "/message.eml"
    with open(file, "w", encoding="ascii") as f:
        f.write("Subject: x\n\nhttp://half.example/\n")
    args = ("explain", "--client", "192.0.2.9", "--helo", "bad.example", "--from", "a@far.test", "alice@example.test")
    r = b.ctl(*args).stdout
    assert "refused by lists: 550 5.7.1 bad.example is listed by dbl.test; spam" in r, r
    assert re.search(r"urls +not looked at: the message was not given", r), r
    args = ("explain", "--client", "192.0.2.99", "--from", "a@half.example", "--message", file, "alice@example.test")
    r = b.ctl(*args).stdout
    assert 'half.test answers 127.0.0.2 "" for half.example: 1' in r and "1 of dnsbl-threshold 2" in r, r
    assert 'half-uri.test answers 127.0.0.2 "" for half.example: 1' in r and "2 of dnsbl-threshold 2" in r, r
    assert "refused by lists: 550 5.7.1 half.example is listed by half.test" in r, r


def main():
    with Names(ZONE + DOMAINS_ZONE) as names:
        with Barid(extra=LISTS + HURRIED + names.conf, relay=("198.51.100.7",)) as b:
            late(b)
        with Barid(extra=LISTS + PATIENT + names.conf, relay=("198.51.100.7",)) as b:
            evil(b)
            refused(b, names)
            taken(b, names)
            check(b)
            suspended(b)
            killed(b)
        at_once(names)
        with Barid(extra=DOMAINS + PATIENT + names.conf, relay=("198.51.100.7",)) as b:
            domains(names, b)
            urls(names, b)
            cut_off(names, b)
            explained(b)
        with Barid(extra=DOMAINS + HURRIED + names.within("1s"), relay=("198.51.100.7",)) as b:
            late_domains(b)


if __name__ == "__main__":
    main()
