# SPDX-License-Identifier: GPL-3.0-or-later
"""Who a stranger is: the name of his address, what he calls himself, whom he sends as; and what DNS does not say refuses nobody for good."""
import os
import re
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Names, Wire, wait_for  # noqa: E402

ZONE = """9.2.0.192.in-addr.arpa PTR Host.Good.test.
host.good.test A 192.0.2.9
9.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR six.good.test.
six.good.test AAAA 2001:db8::9
10.2.0.192.in-addr.arpa PTR host.good.test.
11.2.0.192.in-addr.arpa PTR no.good.test.
11.2.0.192.in-addr.arpa PTR second.good.test.
second.good.test A 192.0.2.11
12.2.0.192.in-addr.arpa SERVFAIL
13.2.0.192.in-addr.arpa PTR slow.good.test.
slow.good.test SERVFAIL
good.test MX 10 host.good.test.
silent.test SERVFAIL
null.test MX 0 .
"""
BASE = 'access { connect = {"0.0.0.0/0", "::/0"} relay = {"198.51.100.7"} xclient = {"127.0.0.1"} }\n'
STRICT = """check "iprev" { on-none = "reject" on-fail = "reject" on-temperror = "defer" exempt = {"192.0.2.200"} }
check "helo" { on-short = "reject" on-unknown = "reject" exempt = {"192.0.2.200"} }
check "sender" { on-unknown = "reject" exempt = {"192.0.2.200"} }
"""


def rcpt(b, address="192.0.2.9", helo="host.good.test", sender="a@good.test", to="alice@example.test"):
    with Wire(b.port["smtp"]) as w:
        assert w.reply().startswith(b"220")
        w.smtp("EHLO proxy.test")
        name = "IPV6:" + address if ":" in address else address
        assert w.smtp(f"XCLIENT ADDR={name}").startswith(b"220")
        for one in (helo,) if isinstance(helo, str) else helo:
            w.smtp(f"EHLO {one}")
        assert w.smtp(f"MAIL FROM:<{sender}>").startswith(b"250")
        return w.smtp(f"RCPT TO:<{to}>").decode().strip()


def names(b):
    for address in ("192.0.2.9", "2001:db8::9", "192.0.2.11"):
        assert rcpt(b, address).startswith("250"), address
    assert rcpt(b, "192.0.2.99") == "550 5.7.25 Client host rejected: cannot find your reverse hostname, [192.0.2.99]"
    assert rcpt(b, "192.0.2.10") == "550 5.7.25 Client host rejected: cannot find your hostname, [192.0.2.10]"
    for address in ("192.0.2.12", "192.0.2.13"):
        assert rcpt(b, address).startswith(f"450 4.7.25 Client host rejected: your hostname cannot be looked up now, [{address}]")
    for address in ("192.0.2.200", "198.51.100.7"):
        assert rcpt(b, address).startswith("250"), "who is exempt, and who may relay"
    assert rcpt(b, "192.0.2.99", to="postmaster@example.test").startswith("250")
    wait_for("the name of a refusal's client", lambda: "lost connection after RCPT from second.good.test[192.0.2.11]" in b.log())


def helos(b):
    assert rcpt(b, helo="mx.example.test").startswith("550 5.7.1 Helo command rejected: that is us")
    assert rcpt(b, helo="EXAMPLE.test").startswith("550 5.7.1")
    assert rcpt(b, helo="short").startswith("550 5.5.2 Helo command rejected: need fully-qualified hostname")
    assert rcpt(b, helo="unknown.test").startswith("550 5.7.1 Helo command rejected: Host not found")
    assert rcpt(b, helo="good.test").startswith("250"), "a mail exchanger is enough"
    assert rcpt(b, helo="silent.test").startswith("250"), "DNS does not say"
    assert rcpt(b, helo="[192.0.2.9]").startswith("250")
    assert rcpt(b, helo="[127.0.0.1]").startswith("550 5.7.1"), "our address"
    assert rcpt(b, "192.0.2.200", helo="short").startswith("250")
    # The last counts, also where nobody is asked about it.
    assert rcpt(b, helo=("unknown.test", "[192.0.2.9]")).startswith("250")


def senders(b):
    assert rcpt(b, sender="bob@example.test").startswith("550 5.7.1 Sender address rejected: it is of this server")
    assert rcpt(b, sender="bob@unknown.test").startswith("550 5.1.8 Sender address rejected: Domain not found")
    assert rcpt(b, sender="bob@null.test").startswith("550 5.7.27 Sender address rejected: its domain takes no mail")
    assert rcpt(b, sender="bob@silent.test").startswith("250"), "DNS does not say"
    assert rcpt(b, sender="").startswith("250")
    assert rcpt(b, sender="bob@[192.0.2.1]").startswith("250")
    assert rcpt(b, "198.51.100.7", sender="bob@example.test").startswith("250")
    assert rcpt(b, sender="bob@unknown.test", to="postmaster@example.test").startswith("250")
    # One session, several senders: each is asked about.
    with Wire(b.port["smtp"]) as w:
        w.reply()
        w.smtp("EHLO proxy.test")
        w.smtp("XCLIENT ADDR=192.0.2.9")
        w.smtp("EHLO host.good.test")
        for sender, code in (("a@good.test", b"250"), ("a@unknown.test", b"550"), ("a@good.test", b"250")):
            assert w.smtp(f"MAIL FROM:<{sender}>").startswith(b"250")
            assert w.smtp("RCPT TO:<alice@example.test>").startswith(code), sender
            w.smtp("RSET")


def noted(b):
    """By default little is refused; what was found is in the message."""
    b.write_conf(b.extra.replace(STRICT, 'check "iprev" { }\ncheck "helo" { }\ncheck "sender" { }\n'))
    b.reload()
    wait_for("those rules", lambda: rcpt(b, "192.0.2.99", helo="unknown.test").startswith("250"))
    assert rcpt(b, sender="bob@unknown.test").startswith("450 4.1.8")
    assert rcpt(b, helo="mx.example.test").startswith("550")
    with Wire(b.port["smtp"]) as w:
        w.reply()
        w.smtp("EHLO proxy.test")
        w.smtp("XCLIENT ADDR=192.0.2.9")
        for line in ("EHLO host.good.test", "MAIL FROM:<a@good.test>", "RCPT TO:<alice@example.test>", "DATA"):
            w.smtp(line)
        w.send(b"Subject: x\r\n\r\nhello\r\n.\r\n")
        assert w.reply().startswith(b"250")
    text = b.mail("alice", 1)[0].replace(b"\r\n", b"\n")
    assert b"Authentication-Results: mx.example.test;\n\tiprev=pass policy.iprev=192.0.2.9\n" in text, text
    assert b"Received: from host.good.test (host.good.test [192.0.2.9])\n" in text, text
    assert re.search(r"client=host.good.test\[192.0.2.9\]", b.log())


peer = Names(ZONE)
try:
    with Barid(extra=peer.conf + BASE + STRICT) as barid:
        for case in (names, helos, senders, noted):
            print(case.__name__, flush=True)
            case(barid)
finally:
    peer.stop()
