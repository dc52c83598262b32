# SPDX-License-Identifier: GPL-3.0-or-later
"""SPF (RFC 7208): who is refused, deferred or noted, what is said of it, and what DNS can do that is dead or evil.

FEATURES C6: by MAIL FROM and HELO, with the explanation of the domain.  CONFORMANCE S-57.
A client at home is never asked about, so these come by XCLIENT.
"""
import contextlib
import email
import os
import re
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Names, Wire, wait_for  # noqa: E402

GOOD, BAD, SIX = "192.0.2.9", "198.51.100.66", "2001:db8::9"
ZONE = """far.test TXT "v=spf1 ip4:192.0.2.0/28 mx -all exp=why.far.test"
far.test MX 1 mx.far.test
mx.far.test AAAA 2001:db8::9
why.far.test TXT "%{i} is not ours; see http://far.test/?%{S}"
mute.test TXT "v=spf1 -all"
soft.test TXT "v=spf1 ~all"
any.test TXT "v=spf1 ?all"
broken.test TXT "v=spf1 a:-all"
two.test TXT "v=spf1 -all"
two.test TXT "v=spf1 +all"
dead.test DROP
none.test A 192.0.2.77
helo.test TXT "v=spf1 ip4:192.0.2.9 -all"
client.test A 192.0.2.77
evil.test TXT "v=spf1 -all exp=why.evil.test"
why.evil.test TXT "a\u0001b"
loop.test TXT "v=spf1 include:loop.test -all"
wide.test TXT "v=spf1 exists:%{l}.%{d} exists:%{l}.no.test exists:%{lr}.no2.test -all"
'pl us+"x.odd.test' A 127.0.0.2
odd.test TXT "v=spf1 exists:%{l}.odd.test -all"
9.2.0.192.in-addr.arpa PTR mx.ptr.test
mx.ptr.test A 192.0.2.9
ptr.test TXT "v=spf1 ptr -all"
xn--b-0fa.test TXT "v=spf1 ip4:192.0.2.9 -all"
""" + "".join(f'many.test TXT "text {i} {"x" * 90}"\n' for i in range(500)) + \
    'large.test TXT "v=spf1" ' + " ".join('" ip4:192.0.2.1 ip4:192.0.2.2 ip4:192.0.2.3"' for _ in range(1200)) + "\n"
ACCESS = """access { connect = {"0.0.0.0/0", "::/0"} relay = {"203.0.113.7"} xclient = {"127.0.0.1"} }
recipient "any@example.test" { mailbox = "alice" }
"""
DEFAULTS = 'check "spf" { timeout = 30s exempt += {"203.0.113.0/28"} }\n' + ACCESS
STRICT = """check "spf" {
  on-fail = "defer"  on-softfail = "reject"  on-none = "reject"  on-permerror = "reject"
  on-temperror = "defer"  on-helo-fail = "note"  timeout = 30s  explanation = "not by %{i}"
}
""" + ACCESS


def say(b, address, sender, to="alice@example.test", helo="client.test", text=None):
    """The answer to RCPT of a client at ADDRESS; with TEXT, that to the message."""
    with Wire(b.port["smtp"]) as w:
        assert w.reply().startswith(b"220")
        w.smtp("EHLO proxy.test")
        assert w.smtp("XCLIENT ADDR=" + ("IPV6:" if ":" in address else "") + address).startswith(b"220")
        w.smtp("EHLO " + helo)
        said = w.smtp(f"MAIL FROM:<{sender}>" + ("" if sender.isascii() else " SMTPUTF8"))
        assert said.startswith(b"250"), said
        said = w.smtp(f"RCPT TO:<{to}>").decode().strip()
        if text is None or not said.startswith("250"):
            return said
        assert w.smtp("DATA").startswith(b"354")
        return w.smtp(text + "\r\n.").decode().strip()


def fields(b, subject):
    """The fields Received-SPF of the message in alice's mailbox, as they stand; and all names."""
    def found():
        texts = [open(path, "rb").read() for path in b.mailbox("alice")]
        return next((t for t in texts if re.search(rb"(?m)^Subject: " + subject.encode() + rb"\r?$", t)), None)

    wait_for("the message", found)
    m = email.message_from_bytes(found())
    return [re.sub(r"\s+", " ", v) for v in m.get_all("Received-SPF", [])], m.keys()


def refused(b):
    why = "550 5.7.23 Blocked - see: "
    said = say(b, BAD, "b@far.test")
    assert said == why + f"{BAD} is not ours; see http://far.test/?b%40far.test", said
    assert say(b, BAD, "b@mute.test") == "550 5.7.23 Blocked by SPF"
    # What has no place in a reply, is no explanation.
    assert say(b, BAD, "b@evil.test") == "550 5.7.23 Blocked by SPF"
    # Without a sender it is the name that the client calls itself; and with one, too.
    assert say(b, BAD, "", helo="helo.test") == "550 5.7.23 Blocked by SPF"
    assert say(b, BAD, "b@any.test", helo="helo.test") == "550 5.7.23 Blocked by SPF"
    assert say(b, BAD, "b@mute.test", to="postmaster@example.test").startswith("250")
    assert say(b, "203.0.113.7", "b@mute.test", to="u@far.test").startswith("250"), "who may relay"
    assert say(b, "203.0.113.8", "b@mute.test").startswith("250"), "who is exempt"
    log = b.log()
    assert f"reject: RCPT from unknown[{BAD}]: 550 5.7.23 <alice@example.test>: Blocked - see: " in log, log
    assert (f'Received-SPF: fail identity=mailfrom; client-ip={BAD}; helo=client.test; '
            'envelope-from="b@mute.test"; receiver=mx.example.test; mechanism=all') in log, log
    assert f'Received-SPF: fail identity=helo; client-ip={BAD}; helo=helo.test; envelope-from="<>"' in log
    assert "203.0.113.8; helo" not in log


def taken(b):
    cases = (
        (GOOD, "b@far.test", "pass", 'mechanism="ip4:192.0.2.0/28"'),
        (SIX, "b@far.test", "pass", "mechanism=mx"),
        (GOOD, "b@soft.test", "softfail", "mechanism=all"),
        (GOOD, "b@any.test", "neutral", "mechanism=all"),
        (GOOD, "b@none.test", "none", "receiver=mx.example.test"),
        (GOOD, "b@nowhere.test", "none", "receiver=mx.example.test"),
        (GOOD, "b@broken.test", "permerror", 'problem="broken.test: \\"a:-all\\" has no domain"'),
        (GOOD, "b@two.test", "permerror", 'problem="two.test has more than one record"'),
        (GOOD, "b@loop.test", "permerror", 'problem="more than 10 terms that ask DNS"'),
        (GOOD, "b@wide.test", "permerror", 'problem="more than 2 names that do not exist"'),
        (GOOD, "b@large.test", "permerror", 'problem="large.test: the record is too long"'),
        (GOOD, "b@many.test", "none", "receiver=mx.example.test"),
        (GOOD, '"pl us+\\"x"@odd.test', "pass", 'mechanism="exists:%{l}.odd.test"'),
        (GOOD, "b@ptr.test", "pass", "mechanism=ptr"),
        (GOOD, "b@b\u00e4.test", "pass", 'mechanism="ip4:192.0.2.9"'),
    )
    for n, case in enumerate(cases):
        noted(b, f"case {n}", *case)
    said = say(b, GOOD, "b@far.test", text="Subject: both\r\n\r\nx", helo="helo.test")
    assert said.startswith("250"), said
    got, _ = fields(b, "both")
    assert len(got) == 2 and got[0].startswith("pass (far.test") and got[1].startswith("pass (helo.test"), got
    assert "identity=helo" in got[1]
    assert say(b, GOOD, "", text="Subject: nobody\r\n\r\nx", helo="helo.test").startswith("250")
    got, _ = fields(b, "nobody")
    assert len(got) == 1 and "identity=helo" in got[0] and 'envelope-from="<>"' in got[0], got


def noted(b, subject, address, sender, result, has):
    """What is taken has a field Received-SPF that says RESULT and HAS."""
    text = f"Subject: {subject}\r\nReceived-SPF: pass forged\r\n\r\nx"
    said = say(b, address, sender, text=text, to="any@example.test")
    assert said.startswith("250"), (sender, said)
    got, names = fields(b, subject)
    assert len(got) == 2 and got[0].startswith(result + " (") and has in got[0], (sender, got)
    assert "identity=mailfrom" in got[0] and "envelope-from=" in got[0], got
    # RFC 7208 9.1: above our Received.
    assert names.index("Received-SPF") < names.index("Received"), names


def strict(b):
    assert say(b, BAD, "b@mute.test") == "451 4.7.23 Blocked - see: not by " + BAD
    assert say(b, GOOD, "b@soft.test") == "550 5.7.23 Blocked by SPF, softly"
    assert say(b, GOOD, "b@none.test") == "550 5.7.1 Blocked: none.test has no SPF record"
    said = say(b, GOOD, "b@broken.test")
    assert said == '550 5.7.24 The SPF record of broken.test is broken: broken.test: "a:-all" has no domain', said
    assert say(b, BAD, "b@any.test", helo="helo.test").startswith("250")


def kept(b, names):
    """The same is not asked twice."""
    before = len(names.asked())
    for _ in range(3):
        assert say(b, BAD, "b@mute.test").startswith("451")
    assert len(names.asked()) == before


def by_hand(b):
    """baridctl spf says what a session would be told."""
    r = b.ctl("spf", BAD, "b@far.test", "helo.test", check=False)
    assert r.returncode == 1, r
    assert r.stdout == (
        f'fail identity=helo; client-ip={BAD}; helo=helo.test; envelope-from="b@far.test"; receiver=mx.example.test; '
        f'mechanism=all\n  explanation: not by {BAD}\n'
        f'fail identity=mailfrom; client-ip={BAD}; helo=helo.test; envelope-from="b@far.test"; receiver=mx.example.test; '
        f'mechanism=all\n  explanation: {BAD} is not ours; see http://far.test/?b%40far.test\n'), r.stdout
    r = b.ctl("spf", SIX, "b@xn--b-0fa.test", check=False)
    assert r.returncode == 1 and r.stdout.startswith("fail identity=mailfrom"), r
    assert b.ctl("spf", GOOD, "b@far.test").stdout.startswith("pass identity=mailfrom")
    assert b.ctl("spf", GOOD, "<>", "helo.test").stdout.startswith("pass identity=helo")
    for wrong in ([], [GOOD], ["x", "b@a.test"], [GOOD, "b@"], [GOOD, "b@a.test", "h", "more"]):
        assert b.ctl("spf", *wrong, check=False).returncode in (64, 65), wrong


def killed(b, names):
    """Without barid-check the result is an error, and the session goes on; it is started again."""
    def pid():
        return int(re.search(r"helper barid-check 0 pid=(\d+)", b.ctl("status").stdout)[1])

    def asked():
        return sum("dead.test" in q for q in names.asked())

    old, before = pid(), asked()
    with Wire(b.port["smtp"]) as w:
        w.reply()
        w.smtp("EHLO proxy.test")
        w.smtp(f"XCLIENT ADDR={GOOD}")
        w.smtp("EHLO client.test")
        assert w.smtp("MAIL FROM:<b@dead.test>").startswith(b"250")
        # One that it has not taken yet is for the next barid-check to answer.
        wait_for("the question", lambda: asked() > before)
        os.kill(old, 9)
        assert w.smtp("RCPT TO:<alice@example.test>").startswith(b"451 4.7.24")
        assert w.smtp("RSET").startswith(b"250")
    wait_for("another barid-check", lambda: pid() not in (0, old))
    wait_for("its answer", lambda: say(b, BAD, "b@mute.test").startswith("451 4.7.23"))


def flooded(b):
    """Clients that ask about a name whose DNS is silent and go on take no place of those who wait for an answer."""
    with contextlib.ExitStack() as stack:
        for i in range(14):
            w = stack.enter_context(Wire(b.port["smtp"]))
            w.reply()
            w.smtp("EHLO proxy.test")
            w.smtp(f"XCLIENT ADDR=192.0.2.{100 + i}")
            w.smtp("EHLO client.test")
            # In pieces: what waits to be read counts for all tests of the mail user.
            for _ in range(9):
                w.send(b"MAIL FROM:<b@dead.test>\r\nRSET\r\n" * 10)
                assert all(w.reply().startswith(b"250") for _ in range(20))
        said = say(b, GOOD, "b@far.test", text="Subject: flooded\r\n\r\nx")
        assert said.startswith("250"), said
    found, _ = fields(b, "flooded")
    assert found[0].startswith("pass "), found


def main():
    with Names(ZONE) as names:
        with Barid(extra=DEFAULTS + names.conf, relay=("203.0.113.7",)) as b:
            refused(b)
            taken(b)
        with Barid(extra=STRICT + names.conf, relay=("203.0.113.7",)) as b:
            strict(b)
            kept(b, names)
            by_hand(b)
            killed(b, names)
        with Barid(extra=DEFAULTS + names.within("1s"), relay=("203.0.113.7",)) as b:
            noted(b, "dead", GOOD, "b@dead.test", "temperror", 'problem="DNS does not answer for dead.test"')
            flooded(b)
        with Barid(extra=STRICT + names.within("1s"), relay=("203.0.113.7",)) as b:
            assert say(b, GOOD, "b@dead.test") == "451 4.7.24 The SPF record of dead.test cannot be found now"
            assert b.ctl("spf", GOOD, "b@dead.test", check=False).returncode == 75


if __name__ == "__main__":
    main()
