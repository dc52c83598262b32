# SPDX-License-Identifier: GPL-3.0-or-later
"""How connections to other hosts are made: what is not used there, how long they take, and a sink for all of them."""
import os
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Names, Silent, Sink, certificate, free_port, route, smarthost, upstream, wait_for  # noqa: E402

SENDER, RCPT = "s@origin.example", "a@far.example"
TEXT = "Subject: x\r\n\r\nhello\r\n"
CAPS = "PIPELINING,SIZE 52428800,CHUNKING,DSN,8BITMIME"


def ignored():
    """H14: of what EHLO offers some is not used, for a destination by the name of its domain, host or upstream."""
    with Sink("--caps", CAPS) as sink:
        with smarthost(sink.port, extra='destination "up" { ignore = {"PIPELINING", "size"} }\n') as b:
            b.send(SENDER, [RCPT], TEXT, mail_options=["RET=HDRS"])
            m = sink.messages(1)[0]
            assert not m["pipelined"], m
            assert m["mail"]["params"] == ["RET=HDRS"], m
    with Sink("--caps", CAPS) as sink, smarthost(sink.port) as b:
        b.send(SENDER, [RCPT], TEXT)
        m = sink.messages(1)[0]
        assert m["pipelined"] and any(p.startswith("SIZE=") for p in m["mail"]["params"]), m


def timers():
    """H15: a host that does not connect, or does not answer, costs no more than was said."""
    port = free_port(["127.0.0.2"])
    for name in ("connect", "reply"):
        extra = "queue { connect-timeout = 300ms retry = {1h} }\n" if name == "connect" else \
            'queue { retry = {1h} }\ndestination "up" { reply-timeout = 300ms }\n'
        with Sink() as sink, Silent("127.0.0.2", port), Sink("--host", "127.0.0.3", rules=["EHLO=stall"]) as mute:
            first = ("127.0.0.2", port, 'tls = "off"') if name == "connect" else ("127.0.0.3", mute.port, 'tls = "off"')
            second = ("127.0.0.1", sink.port, 'tls = "off" backup = true')
            with smarthost(first, second, extra=extra) as b:
                b.send(SENDER, [RCPT], TEXT)
                sink.messages(1)
                # Far below what is given without the option.
                line = next(ln for ln in b.log().split("\n") if f"to=<{RCPT}>" in ln)
                assert "status=sent" in line, line



def staging():
    """H8: everything up to the connection is as it will be; the connection goes to the sink."""
    with Sink() as sink, Sink() as live, Names(f"""
        mx.test      MX 10 mail.mx.test
        mail.mx.test A 192.0.2.1
        bad.test     MX 0 .
    """) as names:
        extra = f'sink = "127.0.0.1:{sink.port}"\n' + names.conf + \
            'upstream "isp" { server "192.0.2.7" { port = 465 user = "u" password = "secret-word" tls = "verified" ' \
            'socks = "socks5://p:q@192.0.2.8" } }\n' + \
            f'upstream "lists" {{ server "127.0.0.1" {{ port = {live.port} protocol = "lmtp" tls = "off" }} }}\n' + \
            route("isp.test", "isp") + route("lists.test", "lists") + route("*", "mx") + \
            "queue { per-connection = 1 }\n"
        with Barid(extra=extra, relay=("127.0.0.0/8",)) as b:
            for to in ("a@isp.test", "b@lists.test", "c@mx.test"):
                b.send(SENDER, [to], TEXT)
            got = sink.messages(3)
            assert sorted(m["rcpts"][0]["path"] for m in got) == ["a@isp.test", "b@lists.test", "c@mx.test"], got
            # Nobody logged in, and no password is in what was said.
            assert not any(m["auth"] or m["lmtp"] for m in got), got
            assert "secret-word" not in str(sink.said())
            for to, host in (("a@isp.test", "192.0.2.7"), ("c@mx.test", "mail.mx.test")):
                wait_for(f"the log of {to}", lambda: f"to=<{to}>, relay={host}[sink 127.0.0.1]:{sink.port}" in b.log())
            assert "ALL MAIL FOR OTHER HOSTS GOES TO 127.0.0.1" in b.log()
            # What DNS says no to, and what is ours, is as it will be.
            b.send("bob@example.test", ["d@bad.test"], TEXT)
            assert b"5.1.10" in b.mail("bob", 1)[0]
            b.send(SENDER, ["alice@example.test"], TEXT)
            assert b"hello" in b.mail("alice", 1)[0]
            b.empty()
            assert len(sink.messages()) == 3 and not live.messages() and not live.connections()


def staging_tls():
    """The sink's certificate is nobody's; what is asked of live hosts does not stop the mail."""
    with Sink() as folder:
        cert, key = certificate(folder.out, "sink.example")
        with Sink("--tls-cert", cert, "--tls-key", key) as sink:
            extra = f'sink = "127.0.0.1:{sink.port}"\n' + upstream(
                "isp", ("127.0.0.9", 587, 'user = "u" password = "p" tls = "verified"')) + route("*", "isp")
            with Barid(extra=extra, relay=("127.0.0.0/8",)) as b:
                b.send(SENDER, [RCPT], TEXT)
                m = sink.messages(1)[0]
                assert m["tls"] and not m["auth"], m


def main():
    for test in (ignored, timers, staging, staging_tls):
        test()
        print(test.__name__, "ok", flush=True)


main()
