# SPDX-License-Identifier: GPL-3.0-or-later
"""Greylisting: strangers come again, from the same network or as the domain that vouches for them; a restart forgets nobody.
By default only those that something speaks against."""
import os
import re
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Names, Wire, wait_for  # noqa: E402

CONF = """access { connect = {"0.0.0.0/0", "::/0"} relay = {"198.51.100.7"} xclient = {"127.0.0.1"} }
check "spf" { }
greylist { enabled = true when = "always" delay = 1h allow-after = 2 exempt = {"192.0.2.200"} }
"""


def rcpt(b, address="192.0.2.9", sender="a@far.test", to="alice@example.test"):
    with Wire(b.port["smtp"]) as w:
        assert w.reply().startswith(b"220")
        w.smtp("EHLO proxy.test")
        name = "IPV6:" + address if ":" in address else address
        assert w.smtp(f"XCLIENT ADDR={name}").startswith(b"220")
        w.smtp("EHLO client.test")
        assert w.smtp(f"MAIL FROM:<{sender}>").startswith(b"250")
        return w.smtp(f"RCPT TO:<{to}>").decode().strip()


def later(b, **kw):
    """Waits as a client would, until it may come in."""
    return wait_for("a sender that came again", lambda: rcpt(b, **kw).startswith("250"))


def comes_again(b):
    said = rcpt(b)
    assert re.fullmatch(r"451 4\.7\.1 Greylisted: come again in 3600 seconds", said), said
    assert rcpt(b, "192.0.2.10").startswith("451"), "from the same network it is too early"
    assert rcpt(b, "192.0.3.9").startswith("451"), "from another it is new"
    b.write_conf(b.extra.replace("1h", "2s"))
    b.reload()
    later(b, address="192.0.2.77")
    assert rcpt(b).startswith("250"), "from now on it is known"
    assert rcpt(b, sender="b@far.test").startswith("451")
    assert rcpt(b, to="bob@example.test").startswith("451")
    assert rcpt(b, "2001:db8::9").startswith("451")
    later(b, address="2001:db8::ff:1")
    assert "reject: RCPT from unknown[192.0.2.9]: 451 4.7.1 <alice@example.test>: Greylisted" in b.log(), b.log()


def nobody_else(b):
    assert rcpt(b, "192.0.2.200", "new@far.test").startswith("250")
    assert rcpt(b, "198.51.100.7", "new@far.test").startswith("250")
    assert rcpt(b, "203.0.113.1", "").startswith("250"), "a report"
    assert rcpt(b, "203.0.113.1", "new@far.test", "postmaster@example.test").startswith("250")
    # What is refused for good is not put off.
    assert rcpt(b, "203.0.113.1", "new@far.test", "nobody@example.test").startswith("550")
    b.send("alice@example.test", ["bob@example.test"], "Subject: x\r\n\r\nx\r\n", name="submission", login="alice")


def vouched(b):
    """A large site's hosts are one client."""
    assert rcpt(b, "203.0.113.1", "a@site.test").startswith("451")
    later(b, address="198.18.0.1", sender="a@site.test")
    assert rcpt(b, "192.0.2.9", "a@site.test").startswith("550"), "whom the domain does not want is refused"


def allowed(b):
    """Two of a network have come again: the next need not wait."""
    assert rcpt(b, sender="c@far.test").startswith("451")
    later(b, sender="c@far.test")
    assert rcpt(b, sender="d@far.test").startswith("250")


def restarted(b):
    assert rcpt(b, "198.18.9.9", "r@far.test").startswith("451")
    b.stop()
    assert os.stat(b.dir + "/spool/greylist").st_mode & 0o777 == 0o600
    b.start()
    later(b, address="198.18.9.9", sender="r@far.test")
    # Of somebody else, or with a second name, it is not ours to write: mail comes in.
    b.stop()
    os.link(b.dir + "/spool/greylist", b.dir + "/second")
    b.start()
    assert rcpt(b, "198.18.7.7", "s@far.test").startswith("250")
    wait_for("the reason", lambda: "/spool/greylist: Operation not permitted: nobody is greylisted" in b.log())


def suspicious(b):
    """Who has a name and is wanted by the domain that he sends for comes in at once."""
    why = {"192.0.2.1": None, "192.0.2.2": "the name of its address does not lead back to it",
           "192.0.2.3": "its address has no name", "192.0.2.4": "the domain of the sender does not vouch for it (SPF)",
           "192.0.2.5": "a list in DNS has it"}
    for address, reason in why.items():
        said = rcpt(b, address, "a@soft.test" if address == "192.0.2.4" else "a@far.test")
        assert said.startswith("451 4.7.1 Greylisted" if reason else "250"), (address, said)
        if reason:
            assert f"[{address}] is to come again: {reason}" in b.log(), b.log()
        r = b.ctl("explain", "--client", address, "--from", "a@soft.test" if address == "192.0.2.4" else "a@far.test",
                  "bob@example.test").stdout
        assert (reason + "; known by its network" if reason else "not looked at: nothing speaks against the client") in r, r


LENIENT = """access { connect = {"0.0.0.0/0"} xclient = {"127.0.0.1"} }
log { level = debug }
check "iprev" { }
dnsbl "bl.test" { }
dnsbl-threshold = 2
check "spf" { on-fail = "note" }
greylist { enabled = true }
"""
names = Names("""site.test TXT "v=spf1 ip4:203.0.113.0/24 ip4:198.18.0.0/24 -all"
soft.test TXT "v=spf1 ~all"
1.2.0.192.in-addr.arpa PTR one.far.test
one.far.test A 192.0.2.1
2.2.0.192.in-addr.arpa PTR two.far.test
two.far.test A 192.0.2.99
4.2.0.192.in-addr.arpa PTR four.far.test
four.far.test A 192.0.2.4
5.2.0.192.in-addr.arpa PTR five.far.test
five.far.test A 192.0.2.5
5.2.0.192.bl.test A 127.0.0.2
""")
try:
    with Barid(extra=names.conf + LENIENT) as barid:
        suspicious(barid)
    with Barid(extra=names.conf + CONF) as barid:
        for case in (comes_again, nobody_else, vouched, allowed, restarted):
            print(case.__name__, flush=True)
            case(barid)
finally:
    names.stop()
