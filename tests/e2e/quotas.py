# SPDX-License-Identifier: GPL-3.0-or-later
"""Quotas of outgoing mail: a warning before, a report when they bite, over sessions and restarts; seen and reset."""
import json
import os
import smtplib
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, PASSWORD, wait_for  # noqa: E402

CONF = """auth { without-tls = {"PLAIN"} }
limits { rate "sender" { messages = 100 } }
account "bob" { quota = 5  quota-per = 1h }
account "b*"  { quota = 3  quota-reject = true }
queue { retry = {1h} }
recipient "postmaster@example.test" { mailbox = "alice" }
"""


def ctl(b, *args, code=0):
    r = b.ctl(*args, check=False)
    assert r.returncode == code, (args, r)
    return r.stdout


def quota(b, name):
    return next((q for q in json.loads(ctl(b, "--json", "quota")) if q["user"] == name), None)


class Login:
    def __init__(self, b, name="bob"):
        self.b, self.name = b, name

    def __enter__(self):
        self.c = smtplib.SMTP("127.0.0.1", self.b.port["submission"], timeout=60)
        self.c.login(self.name, PASSWORD)
        assert self.c.mail(f"{self.name}@example.test")[0] == 250
        return self.c

    def __exit__(self, *exc):
        self.c.close()


def codes(c, *names):
    return [c.rcpt(f"{n}@far.example")[0] for n in names]


def main():
    with Barid(users=("alice", "bob", "bert"), extra=CONF, listen={"submission": ("submission", "off")}) as b:
        # Mail for us is free, and a recipient that is said twice is one.
        with Login(b) as c:
            assert c.rcpt("alice@example.test")[0] == 250
            assert c.rcpt("postmaster")[0] == 250
            assert codes(c, "a", "b", "b", "c") == [250] * 4
            c.rset()
        q = quota(b, "bob")
        assert q["used"] == 3 and q["quota"] == 5 and not q["refused"], q
        assert b.mailbox("bob") == []
        # Another session goes on from there: the fourth is 80 per cent, the sixth is too many.
        with Login(b) as c, Login(b) as d:
            assert codes(c, "d") == [250]
            assert codes(d, "e") == [250]
            assert codes(c, "f", "g") == [450] * 2
            said = d.rcpt("h@far.example")
            assert said[0] == 450 and b"4.7.1" in said[1] and b"Your quota of outgoing mail is used up" in said[1], said
            assert d.rcpt("alice@example.test")[0] == 250
        warned, told = (wait_for("two notices", lambda: len(b.mailbox("bob")) == 2 and b.mailbox("bob")))
        texts = [b.read(x) for x in (warned, told)]
        texts.sort(key=lambda t: "nearly" not in t)
        assert "Subject: Your quota of outgoing mail is nearly used up" in texts[0] and "4 recipients" in texts[0]
        assert "Subject: Your quota of outgoing mail is used up" in texts[1] and "Auto-Submitted:" in texts[1], texts[1]
        assert wait_for("the postmaster's", lambda: b.mailbox("alice"))
        log = b.log()
        assert "quota of bob: 4 of 5 recipients are used: account.bob, " in log
        assert log.count("quota of bob: 5 of 5 recipients are used, more are refused: account.bob, ") == 1
        # All of it is there after a kill; who looks is told which limits there are.
        b.kill()
        b.start()
        with Login(b) as c:
            assert codes(c, "i") == [450], b.ctl("quota").stdout
        assert "bob" in ctl(b, "quota", "bob") and "refused" in ctl(b, "quota")
        assert "bob" in ctl(b, "top", "--once")
        said = ctl(b, "explain", "--user", "bob", "--from", "bob@example.test", "x@far.example")
        assert "5 recipients elsewhere in 3600 s at most" in said and "it is used up: refused for" in said, said
        assert "100 messages in 60 s at most, from one sender" in said, said
        assert "quota" not in ctl(b, "explain", "--user", "bob", "alice@example.test")
        # Another account has its own, which refuses for good.
        with Login(b, "bert") as c:
            assert codes(c, "a", "b", "c", "d") == [250] * 3 + [550]
        ctl(b, "quota", "reset", "bob")
        ctl(b, "quota", "reset", "bob", code=67)
        with Login(b) as c:
            assert codes(c, "i") == [250]
        assert quota(b, "bob")["used"] == 1 and quota(b, "bert")["refused"]


main()
