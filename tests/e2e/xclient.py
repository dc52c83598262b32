#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""xclient -- who speaks for others: XCLIENT and XFORWARD, by swaks and by hand; and ETRN, which starts a queue."""
import contextlib
import os
import signal
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Sink, Wire, free_port, need, route, run, upstream, wait_for  # noqa: E402

CONF = """access { connect = {"127.0.0.0/8", "192.0.2.0/24"} blocked = {"192.0.2.99"} xclient = {"127.0.0.1"} xforward = {"127.0.0.1"} etrn = {"127.0.0.1"} }
limits { connections-per-address = 2 }
"""


def swaks(b, *args, code=0):
    return run("swaks", "--server", f"127.0.0.1:{b.port['smtp']}", "--from", "a@x.test",
               "--ehlo", "proxy.test", "--timeout", "60", *args, code=code).decode()


def xclient(b):
    """Postfix's client of it: log, trace and rights are those of the client that was named."""
    said = swaks(b, "--to", "alice@example.test", "--xclient-addr", "192.0.2.33", "--xclient-name", "far.client.test",
                 "--xclient-helo", "far.client.test", "--xclient-proto", "ESMTP")
    assert "XCLIENT" in said and "queued as" in said, said
    text = b.mail("alice", 1)[0]
    assert b"Received: from far.client.test (far.client.test [192.0.2.33])" in text, text
    wait_for("the line of the client", lambda: "client=far.client.test[192.0.2.33]" in b.log())
    said = swaks(b, "--to", "u@elsewhere.test", "--xclient-addr", "192.0.2.33", code=None)
    assert "554 5.7.1" in said, said
    said = swaks(b, "--to", "u@elsewhere.test", "--xclient-addr", "192.0.2.33", "--xclient-login", "carol",
                 "--quit-after", "RCPT")
    assert "250 2.1.5" in said, said
    said = swaks(b, "--to", "alice@example.test", "--xclient-addr", "198.51.100.1", code=None)
    assert "421 4.7.0 you may not connect here" in said, said
    log = b.log()
    assert "connect from unknown[192.0.2.33]" in log and "disconnect from unknown[127.0.0.1]" in log
    assert "reject: RCPT from unknown[192.0.2.33]: 554 5.7.1" in log, log


def limits(b):
    """Connections count for the client that is named, and the proxy itself has no such limit."""
    held = []
    for _ in range(4):
        held.append(Wire(b.port["smtp"]))
        assert held[-1].reply().startswith(b"220")
    for i, w in enumerate(held[:3]):
        assert w.smtp("XCLIENT ADDR=192.0.2.50").startswith(b"220" if i < 2 else b"421"), i
    assert held[3].smtp("XCLIENT ADDR=192.0.2.51").startswith(b"220")
    for w in held:
        w.close()


def blocked(b):
    """Who is blocked is so behind a proxy, too: by hand, and by the configuration."""
    b.ctl("block", "192.0.2.66")
    for address, words in (("192.0.2.66", "421 4.7.0 you are blocked here"),
                           ("192.0.2.99", "421 4.7.0 you may not connect here")):
        with Wire(b.port["smtp"]) as w:
            assert w.reply().startswith(b"220")
            assert w.smtp("XCLIENT ADDR=" + address).decode().startswith(words), address
    with Wire(b.port["smtp"]) as w:
        assert w.reply().startswith(b"220")
        assert w.smtp("XCLIENT ADDR=192.0.2.67").startswith(b"220")


def many(b):
    """As many clients as may be, with names as long as may be; and one more."""
    name = ".".join(["a" * 63] * 4)[:255]
    with Wire(b.port["smtp"]) as w:
        assert w.reply().startswith(b"220")
        for i in range(100):
            said = w.smtp(f"XCLIENT ADDR=192.0.2.{i % 90 + 1} NAME={name} HELO={name} LOGIN={'u' * 255}")
            assert said.startswith(b"220"), (i, said)
        assert w.smtp(f"EHLO {name}").startswith(b"250")
        assert w.smtp("MAIL FROM:<a@x.test>").startswith(b"250")
        assert w.smtp("RCPT TO:<u@elsewhere.test>").startswith(b"250"), "the last is logged in"
        w.smtp("RSET")
        assert w.smtp("XCLIENT ADDR=192.0.2.1").startswith(b"421 4.7.0 Too many XCLIENT")
    assert f"connect from {name}[192.0.2.10]" in b.log()


def xforward(b):
    with b.smtp() as c:
        c.ehlo()
        assert "xforward" in c.esmtp_features
        assert c.docmd("XFORWARD NAME=spike.test ADDR=168.100.189.2 HELO=spike.test PROTO=SMTP IDENT=4ABC")[0] == 250
        c.mail("a@x.test")
        assert c.rcpt("u@elsewhere.test")[0] == 554
        c.rcpt("bob@example.test")
        assert c.data("Subject: x\r\n\r\nx\r\n")[0] == 250
        # Of the next message nothing was said.
        c.sendmail("a@x.test", ["bob@example.test"], "Subject: y\r\n\r\ny\r\n")
    b.mail("bob", 2)
    log = b.log()
    assert "reject: RCPT from spike.test[168.100.189.2]: 554 5.7.1" in log, log
    assert "proto=SMTP helo=<spike.test>" in log
    assert log.count("client=unknown[127.0.0.1], orig_queue_id=4ABC, orig_client=spike.test[168.100.189.2]") == 1
    assert log.count("orig_client") == 1, log


def etrn():
    """Mail for a host that was away comes when it asks for it, and not before; what is for others waits."""
    port = free_port(["127.0.0.1"])
    other = free_port(["127.0.0.1"])
    extra = (CONF + upstream("up", port) + upstream("off", other) + route("away.test", "up") + route("*", "off") +
             "queue { retry = {1h} runners = 2 }\n")
    with Barid(extra=extra, relay=("127.0.0.0/8",)) as b:
        for i in range(5):
            b.send("a@x.test", [f"u{i}@away.test"], f"Subject: {i}\r\n\r\nx\r\n")
        b.send("a@x.test", ["u@still.test"], "Subject: s\r\n\r\nx\r\n")
        wait_for("deferrals", lambda: b.log().count("status=deferred") >= 6)
        with Sink(f"--port={port}") as sink, b.smtp() as c:
            c.ehlo()
            assert "etrn" in c.esmtp_features
            for bad in ("", " @away.test", " #q", " a b", " [127.0.0.1]", " -x"):
                assert c.docmd("ETRN" + bad)[0] == 501, bad
            assert c.docmd("ETRN nobody.test") == (251, b"2.0.0 No messages wait for that node")
            assert c.docmd("ETRN AWAY.test") == (253, b"2.0.0 5 pending messages for node AWAY.test started")
            assert len(sink.messages(5)) == 5
            wait_for("the queue", lambda: len(b.spooled()) == 1)
            c.mail("a@x.test")
            assert c.docmd("ETRN away.test")[0] == 503
            c.rset()
            # Nobody may keep the runners busy by it.
            codes = [c.docmd("ETRN nobody.test")[0] for _ in range(40)]
            assert 251 in codes and 458 in codes and set(codes) == {251, 458}, codes
        assert "ETRN AWAY.test from unknown[127.0.0.1]: 5 messages" in b.log()


def crowd():
    """Of many who ask at the same time few wait for each other, and nobody who steers the queue behind them."""
    with Barid(extra='access { etrn = {"127.0.0.1"} }\nqueue { runners = 1 }\n') as b, contextlib.ExitStack() as all_of:
        clients = [all_of.enter_context(b.smtp()) for _ in range(12)]
        for c in clients:
            c.ehlo()
        pids, runner = b.sessions(), b.runner()
        assert len(pids) == 12
        count = {pid: len(os.listdir(f"/proc/{pid}/fd")) for pid in pids}
        os.kill(runner, signal.SIGSTOP)
        try:
            for c in clients:
                c.putcmd("ETRN nobody.test")
            # Each has sent it once it has but its own end of the way back.
            wait_for("all that ask", lambda: all(len(os.listdir(f"/proc/{pid}/fd")) == count[pid] + 1 for pid in pids))
        finally:
            os.kill(runner, signal.SIGCONT)
        codes = sorted(c.getreply()[0] for c in clients)
        assert codes == [251] * 4 + [458] * 8, codes


def main():
    need("swaks")
    with Barid(extra=CONF) as b:
        xclient(b)
        xforward(b)
        limits(b)
        many(b)
        blocked(b)
    etrn()
    if os.getuid() == 0:
        crowd()


main()
