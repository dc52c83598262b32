# SPDX-License-Identifier: GPL-3.0-or-later
"""How connections to other hosts are made: what is not used there, how long they take, and a sink for all of them."""
import os
import re
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import (Barid, Names, Silent, Sink, Tiny, certificate, free_port, route, smarthost,  # noqa: E402
                       upstream, wait_for)

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
        extra = "queue { connect-timeout = 3s retry = {1h} }\n" if name == "connect" else \
            'queue { retry = {1h} }\ndestination "up" { reply-timeout = 3s }\n'
        with Sink() as sink, Silent("127.0.0.2", port), Sink("--host", "127.0.0.3", rules=["EHLO=stall"]) as mute:
            first = ("127.0.0.2", port, 'tls = "off"') if name == "connect" else ("127.0.0.3", mute.port, 'tls = "off"')
            second = ("127.0.0.1", sink.port, 'tls = "off" backup = true')
            with smarthost(first, second, extra=extra) as b:
                b.send(SENDER, [RCPT], TEXT)
                sink.messages(1)
                # Far below what is given without the option.
                line, = wait_for("its line", lambda: [ln for ln in b.log().split("\n") if f"to=<{RCPT}>" in ln])
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


# ---- HTTP proxies, and source addresses that are a proxy's --------------------------------

def http_proxy():
    """H10: CONNECT at a proxy that we did not write, with and without the right password, and to what it refuses."""
    with Sink() as sink, Tiny(f"ConnectPort {sink.port}") as proxy:
        way = f"http://me:hush@127.0.0.1:{proxy.port}"
        with smarthost(("localhost", sink.port, f'tls = "off" socks = "{way}"')) as b:
            b.send(SENDER, [RCPT], TEXT)
            sink.messages(1)
            b.empty()
            assert re.search(r"relay=localhost\[by proxy 127\.0\.0\.1\].*status=sent", b.log()), b.log()
            assert proxy.connected() == [f"localhost:{sink.port}"], proxy.connected()
            assert "hush" not in b.ctl("config").stdout
        for login, port, why in (("me:wrong", sink.port, "the proxy"), ("me:hush", 1, "the proxy refused: HTTP status 403")):
            with smarthost(("localhost", port, f'tls = "off" socks = "http://{login}@127.0.0.1:{proxy.port}"')) as b:
                b.send(SENDER, [RCPT], TEXT)
                b.deferred(why)
        assert len(sink.messages()) == 1


def external():
    """I6: a source address that is a proxy's; mail leaves by it like by any other of the pool, with its name."""
    with Sink() as sink, Tiny(f"ConnectPort {sink.port}") as proxy, Names("""
        far.example  MX 10 mx.far.example
        mx.far.example A 127.0.0.1
    """) as names:
        conf = names.conf + f"""smtp-port = {sink.port}
            queue {{ runners = 1 per-connection = 1 per-destination = 1 retry = {{1h}} }}
            route "*" {{ via = "mx" source = "out" }}
            pool "out" {{ addresses = {{"127.0.0.5", "203.0.113.5"}} }}
            source-name "127.0.0.5" {{ hostname = "near.example.test" }}
            source-name "203.0.113.5" {{ hostname = "far.example.test"
                socks = "http://me:hush@127.0.0.1:{proxy.port}" }}
            """
        # The sink is on the loopback, as is everything here, and barid would meet itself there.
        with Barid(host="127.0.0.7", extra=conf, relay=("127.0.0.0/8",)) as b:
            for _ in range(4):
                b.send(SENDER, [RCPT], TEXT)
            got = sink.messages(4)
            facts = sorted((m["helo"], m["peer"]) for m in got)
            assert facts == [("far.example.test", "127.0.0.1")] * 2 + [("near.example.test", "127.0.0.5")] * 2, facts
            assert proxy.connected() == [f"127.0.0.1:{sink.port}"] * 2, proxy.connected()
        # Where the proxy is gone, the mail waits: no other address takes its place.
        alone = conf.replace('"127.0.0.5", ', "")
        proxy.__exit__()
        with Barid(host="127.0.0.7", extra=alone, relay=("127.0.0.0/8",)) as b:
            b.send(SENDER, [RCPT], TEXT)
            b.deferred("connect to the proxy of 203.0.113.5 for mx.far.example")


def main():
    for test in (ignored, timers, staging, staging_tls, http_proxy, external):
        test()
        print(test.__name__, "ok", flush=True)


main()
