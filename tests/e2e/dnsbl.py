# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of clients in DNS: who is refused, when, by which list, and what a list can do that is dead, late or evil.

FEATURES C3, C4, C5: at a recipient or at once, by weights, with the text of the list; suspended at run time.
A client at home is never asked about, so these come by PROXY and XCLIENT.
"""
import json
import os
import re
import sys

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
LISTS = """dnsbl "bl.test" { weight = 2 answers = {"127.0.0.2"} }
dnsbl "bl.test" { weight = 1 answers = {"127.0.0.3-127.0.0.9"} reply = "450 4.7.1 ${client} ${zone}, later" }
dnsbl "good.test" { weight = -2 }
dnsbl "dead.test" { weight = 9 }
dnsbl "refuses.test" { weight = 9 }
dnsbl "slow.test" { weight = 2 }
dnsbl-threshold = 2
dnsbl-timeout = 800ms
access { connect = {"0.0.0.0/0", "::/0"} relay = {"198.51.100.7"} xclient = {"127.0.0.1"} }
"""


def come(b, address):
    """A client at ADDRESS that has said hello."""
    w = Wire(b.port["smtp"])
    assert w.reply().startswith(b"220")
    w.smtp("EHLO proxy.test")
    name = "IPV6:" + address if ":" in address else address
    assert w.smtp(f"XCLIENT ADDR={name}").startswith(b"220")
    w.smtp("EHLO client.test")
    assert w.smtp("MAIL FROM:<a@far.test>").startswith(b"250")
    return w


def rcpt(b, address, to="alice@example.test"):
    with come(b, address) as w:
        return w.smtp(f"RCPT TO:<{to}>").decode().strip()


def asked(names, address):
    reverse = ".".join(reversed(address.split(".")))
    return [line for line in names.asked() if reverse in line]


def refused(b, names):
    said = rcpt(b, "192.0.2.9")
    assert said == "550 5.7.1 Client host [192.0.2.9] is listed by bl.test; see https://bl.test/9", said
    assert rcpt(b, "2001:db8::9").startswith("550 5.7.1 Client host [2001:db8::9] is listed by bl.test")
    # Each zone once, though one has two sections, and for IPv6 an A record, too.
    assert sorted(asked(names, "192.0.2.9")) == sorted(
        ["udp A 9.2.0.192." + z for z in ("bl.test", "good.test", "refuses.test", "slow.test")] +
        ["udp TXT 9.2.0.192.bl.test"]), asked(names, "192.0.2.9")
    log = b.log()
    assert "reject: RCPT from unknown[192.0.2.9]: 550 5.7.1 <alice@example.test>: Client host" in log, log
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
    # A late one counts nothing, and does not spoil what another has.
    assert rcpt(b, "192.0.2.15").startswith("250")
    assert rcpt(b, "192.0.2.14").startswith("550")
    wait_for("the late list", lambda: "dnsbl slow.test does not answer for 192.0.2.15: it counts nothing" in b.log())


def check(b):
    r = b.ctl("dnsbl", "check", "192.0.2.9", check=False)
    assert r.returncode == 1 and "refused: 550 5.7.1 Client host [192.0.2.9]" in r.stdout, r
    assert "good.test does not have it" in r.stdout and "3 of dnsbl-threshold 2" in r.stdout, r.stdout
    assert "dead.test has 127.0.0.1, which no list has: it counts nothing" in r.stdout, r.stdout
    r = b.ctl("--json", "dnsbl", "check", "192.0.2.11", check=False)
    assert r.returncode == 0, r
    steps = json.loads(r.stdout)["steps"]
    assert steps[-1]["text"].startswith("not refused") and steps[0]["line"] > 0, steps
    assert b.ctl("dnsbl", "check", "10.0.0.1", check=False).returncode == 0
    for wrong in (["check"], ["check", "a.test"], ["stop", "0"], ["stop", "x"], ["start", "1"], []):
        assert b.ctl("dnsbl", *wrong, check=False).returncode in (64, 65), wrong


def suspended(b):
    """FEATURES C5."""
    b.ctl("dnsbl", "stop", "600")
    assert "disabled dnsbl" in b.ctl("status").stdout
    assert rcpt(b, "192.0.2.9").startswith("250")
    b.ctl("dnsbl", "start")
    assert "disabled dnsbl" not in b.ctl("status").stdout
    assert rcpt(b, "192.0.2.9").startswith("550")


def killed(b):
    """Without barid-check mail comes in, and it is started again."""
    def pid():
        return int(re.search(r"helper barid-check 0 pid=(\d+)", b.ctl("status").stdout)[1])

    old = pid()
    os.kill(old, 9)
    assert rcpt(b, "192.0.2.9")[:3] in ("250", "550")
    wait_for("another barid-check", lambda: pid() not in (0, old))
    wait_for("its answer", lambda: rcpt(b, "192.0.2.9").startswith("550"))


def at_once(names):
    """FEATURES C4: before anything is said, by the greeting."""
    extra = LISTS.replace('xclient = {"127.0.0.1"}', 'proxies = {"127.0.0.1"}') + 'dnsbl-at = "connect"\n' + names.conf
    with Barid(extra=extra) as b:
        for address, said in (("192.0.2.9", b"554 5.7.1 Client host [192.0.2.9] is listed"),
                              ("192.0.2.99", b"220 ")):
            with Wire(b.port["smtp"]) as w:
                w.send(f"PROXY TCP4 {address} 127.0.0.1 4711 25\r\n".encode())
                got = w.reply()
                assert got.startswith(said), got
                if said[0] == ord("5"):
                    assert w.line() is None, "the connection goes on"
        wait_for("the line", lambda: "reject: CONNECT from unknown[192.0.2.9]: 554 5.7.1" in b.log())


def main():
    with Names(ZONE) as names:
        with Barid(extra=LISTS + names.conf, relay=("198.51.100.7",)) as b:
            evil(b)
            refused(b, names)
            taken(b, names)
            check(b)
            suspended(b)
            killed(b)
        at_once(names)


if __name__ == "__main__":
    main()
