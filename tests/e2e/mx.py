# SPDX-License-Identifier: GPL-3.0-or-later
"""To the hosts that DNS names: two barids over STARTTLS, every kind of MX, and what is none."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Names, Silent, Sink, Taker, body_of, certificate, free_port, message, spool, wait_for  # noqa: E402

SENDER = "alice@example.test"
RELAY = ("127.0.0.0/8",)


# ---- two of us -------------------------------------------------------------------

def authority(folder):
    os.mkdir(folder)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-subj", "/CN=test authority", "-keyout", folder + "/ca.key", "-out", folder + "/ca.pem",
                    "-days", "30"], check=True, capture_output=True)
    os.chmod(folder, 0o755)
    os.chmod(folder + "/ca.pem", 0o644)
    return folder + "/ca.pem", folder + "/ca.key"


def host(name, address, port, names, ca, **kw):
    """A barid as the mail host of NAME at ADDRESS, with a certificate of CA."""
    folder = tempfile.mkdtemp(prefix="barid-test-")
    cert, key = certificate(folder, f"mx.{name}", ca)
    os.rename(cert, folder + "/localhost.pem")
    os.rename(key, folder + "/localhost.key")
    extra = kw.pop("extra", "") + names.conf + f'smtp-port = {port}\ntls {{ ca = "{ca[0]}" }}\n' + \
        "queue { idle-connection = 200ms }\n"
    return Barid(hostname=f"mx.{name}", domain=name, host=address, folder=folder, extra=extra,
                 ports={"smtp": port}, **kw)


def exchange():
    """Mail in both directions, verified, and byte for byte."""
    d = tempfile.mkdtemp()
    os.chmod(d, 0o755)
    ca = authority(d + "/ca")
    port = free_port(["127.0.0.2", "127.0.0.3"])
    odd = ("8-bit: \u00e4\u0645\r\n.\r\n..\r\n.x\r\n" + "y" * 990 + "\r\n\r\nend\r\n").encode()
    big = (bytes((i * 7 + i // 251) % 95 + 32 for i in range(76)) + b"\r\n.\r\n") * ((10 << 20) // 81)
    zone = "a.test MX 10 mx.a.test\nb.test MX 10 mx.b.test\nmx.a.test A 127.0.0.2\nmx.b.test A 127.0.0.3\n"
    verified = 'route "*" { tls = "verified" }\n'
    with Names(zone) as names, host("a.test", "127.0.0.2", port, names, ca, extra=verified) as a, \
            host("b.test", "127.0.0.3", port, names, ca, extra=verified) as b:
        for here, there in ((a, b), (b, a)):
            for body in (odd, big):
                here.send(f"alice@{here.domain}", [f"bob@{there.domain}"], message("m", body), "submission", "alice")
        for here, there in ((a, b), (b, a)):
            # A Maildir holds lines that end with LF alone.
            got = [text.replace(b"\n", b"\r\n") for text in there.mail("bob", 2, 60)]
            assert sorted(map(len, map(body_of, got))) == [len(odd), len(big)]
            for text in got:
                assert body_of(text) in (odd, big)
                head = text.split(b"\r\n\r\n")[0].decode()
                assert head.startswith(f"Return-Path: <alice@{here.domain}>\r\nDelivered-To: bob@{there.domain}\r\n")
                hops = re.findall(r"with (\w+) id", head)
                assert hops == ["ESMTPS", "ESMTPSA"], head
                assert "TLSv1.3" in head.split("Received:")[1], head
            here.empty()
        # An unknown recipient is refused over there, and comes back from here.
        a.send("alice@a.test", ["nobody@b.test"], message(), "submission", "alice")
        text = a.mail("alice", 1)[0].decode()
        assert "Status: 5.1.1" in text and "Remote-MTA: dns; mx.b.test" in text and "Reporting-MTA: dns; mx.a.test" in text
        assert b.mailbox("alice") == [] and "status=bounced" not in b.log(), "who refuses reports nothing (S-41)"
    shutil.rmtree(d)


def ring():
    """Each thinks that the other is the mail host of a domain: it ends (S-43)."""
    d = tempfile.mkdtemp()
    os.chmod(d, 0o755)
    ca = authority(d + "/ca")
    port = free_port(["127.0.0.2", "127.0.0.3"])
    common = "a.test MX 10 mx.a.test\nb.test MX 10 mx.b.test\nmx.a.test A 127.0.0.2\nmx.b.test A 127.0.0.3\n"
    kw = {"relay": RELAY, "extra": "limits { received-hops = 6 }\n"}
    with Names(common + "ring.test MX 10 mx.b.test\n") as one, Names(common + "ring.test MX 10 mx.a.test\n") as two, \
            host("a.test", "127.0.0.2", port, one, ca, **kw) as a, host("b.test", "127.0.0.3", port, two, ca, **kw) as b:
        a.send("alice@a.test", ["x@ring.test"], message())
        text = a.mail("alice", 1)[0].decode()
        assert "5.4.6" in text, text
        a.empty()
        b.empty()
        assert 3 <= len(re.findall(r"to=<x@ring\.test>", a.log() + b.log())) <= 8
        assert len(a.mailbox("alice")) == 1
    shutil.rmtree(d)


# ---- every kind of MX --------------------------------------------------------------

ZONE = """
h2 A 127.0.0.2
h3 A 127.0.0.3
h4 A 127.0.0.4
host2 A 127.0.0.2
dead A 127.0.0.9
pref.test MX 20 h3
pref.test MX 10 h2
equal.test MX 10 h2
equal.test MX 10 h3
failover.test MX 10 dead
failover.test MX 20 h3
refuses.test MX 10 h4
refuses.test MX 20 h2
implicit.test A 127.0.0.3
case.test MX 10 hOST2.
two.test MX 10 twice
twice A 127.0.0.9
twice A 127.0.0.2
six.test MX 10 mixed
mixed AAAA ::1
mixed A 127.0.0.2
alias.test CNAME pref.test
mxalias.test MX 10 nick
nick CNAME h2
null.test MX 0 .
null.test A 127.0.0.2
almost.test MX 0 .
almost.test MX 10 h2
gone.test NXDOMAIN
servfail.test SERVFAIL
refused.test REFUSED
drop.test DROP
lost.test MX 10 nowhere
lost.test A 127.0.0.2
half.test MX 10 sick
half.test A 127.0.0.2
sick SERVFAIL
sicker.test MX 10 sick
sicker.test MX 20 h2
unsure.test MX 10 sick
unsure.test MX 20 h4
self.test MX 10 mx.example.test
self.test MX 20 h2
mx.example.test A 127.0.0.5
me.test MX 10 other
other A 127.0.0.5
worse.test MX 10 dead
worse.test MX 20 mx.example.test
worse.test MX 30 h2
better.test MX 10 h2
better.test MX 20 mx.example.test
short.test RAW MX 00
tcp.test TC
tcp.test MX 10 h2
round.test CNAME about.test
about.test CNAME round.test
any.test MX 10 zero
zero A 0.0.0.0
any6.test MX 10 zero6
zero6 AAAA ::
name.test MX 10 localhost
own.test MX 10 mine
mine A 127.0.0.5
mine A 127.0.0.2
mineonly.test MX 10 minetoo
minetoo A 127.0.0.5
private.test MX 10 inside
inside A 10.1.2.3
inside A 127.0.0.77
halfprivate.test MX 10 inside
halfprivate.test MX 20 h2
group.test MX 10 many
many A 224.0.0.1
many A 255.255.255.255
many AAAA ff02::1
many AAAA fe80::1
loop.test MX 10 loop1
loop1 CNAME loop2
loop2 CNAME loop1
refuse.test MX 10 h4
empty.test TXT "here I am"
no6.test MX 10 only6
only6 AAAA ::1
notcp.test CUT
tcpname.test MX 10 cutname
cutname CUT
tcpname.test MX 20 h2
""" + "chain.test MX 10 c0\n" + "".join(f"c{n} CNAME c{n + 1}\n" for n in range(20)) + "c20 A 127.0.0.2\n"
HUNDRED = "".join(f"hundred.test MX {n + 10} m{n}\nm{n} A 127.0.0.{2 if n == 0 else 9}\n" for n in range(100))

# Whether mail for it arrives, and where; or the status of the report; or of the deferral.
ARRIVES = {"pref": "2", "failover": "3", "refuses": "2", "implicit": "3", "case": "2", "two": "2", "six": "2",
           "alias": "2", "mxalias": "2", "almost": "2", "sicker": "2", "better": "2", "tcp": "2", "hundred": "2",
           "halfprivate": "2", "tcpname": "2"}
# N-12: what leads back to us, to nobody, or into our own network (mx-ignore) is never connected to.
RETURNS = {"null": "5.1.10", "gone": "5.1.2", "nonsuch": "5.1.2", "lost": "5.4.4", "self": "5.4.6", "me": "5.4.6",
           "any": "5.4.6", "any6": "5.4.6", "own": "5.4.6", "mineonly": "5.4.6", "private": "5.4.4", "group": "5.4.4",
           "refuse": "5.3.2", "empty": "5.4.4", "name": "5.4.6"}
# N-11: whatever is not a clear no waits.
WAITS = {"servfail": "4.4.3", "refused": "4.4.3", "drop": "4.4.3", "half": "4.4.3", "worse": "4.4.1",
         "short": "4.4.3", "round": "4", "loop": "4.4.3", "chain": "4.4.3", "notcp": "4.4.3", "no6": "4.4.1",
         "unsure": "4.3.2"}


def routing():
    """V1, V2: each kind of record leads where it should, to the next host, and to the second address of one."""
    port = free_port([f"127.0.0.{n}" for n in (2, 3, 4, 5, 9)])
    # Its own listener has an address, as it has in the world: so it knows itself.
    own = f'listen "own" {{ service = "smtp" address = {{"127.0.0.5"}} port = "{port}" tls = "off" }}\n'
    with Names(ZONE + HUNDRED) as names, Sink("--host", "127.0.0.2", "--port", str(port)) as two, \
            Sink("--host", "127.0.0.3", "--port", str(port)) as three, \
            Sink("--host", "127.0.0.4", "--port", str(port), rules=["CONNECT=554 5.3.2 not here"]) as four, \
            Barid(relay=RELAY, extra=names.within("5s") + own + f"smtp-port = {port}\n" +
                  'mx-ignore = {"10.0.0.0/8", "127.0.0.77"}\n' +
                  "queue { retry = {1h} idle-connection = 200ms }\n") as b:
        sinks = {"2": two, "3": three}
        with b.smtp() as c:
            for name in (*ARRIVES, *RETURNS, *WAITS):
                c.sendmail(SENDER, [f"to@{name}.test"], message(name))
            c.sendmail(SENDER, ["to@[127.0.0.3]"], message("literal"))
        got = {}
        wait_for("all that can arrive",
                 lambda: len(two.messages()) + len(three.messages()) == len(ARRIVES) + 1, 60)
        for n, s in sinks.items():
            for m in s.messages():
                got[re.search(rb"Subject: (\w+)\r", m["text"]).group(1).decode()] = n
                if b"literal" in m["text"]:
                    assert m["rcpts"][0]["path"] == "to@[127.0.0.3]", m
        assert got == dict(ARRIVES, literal="3"), got
        assert four.messages() == [] and not any("MAIL" in l for l in four.said())
        reports = {}
        for text in b.mail("alice", len(RETURNS), 60):
            part = text.split(b"Content-Type: message/delivery-status")[1].decode()
            reports[re.search(r"Final-Recipient: rfc822; to@(\w+)\.test", part).group(1)] = \
                re.search(r"Status: ([\d.]+)", part).group(1)
        assert reports == RETURNS, reports

        def waiting():
            return {n: s for n, s in re.findall(r"to=<to@(\w+)\.test>.* dsn=([\d.]+), status=deferred", b.log())}
        wait_for("the deferrals", lambda: len(waiting()) == len(WAITS), 60)
        for name, status in WAITS.items():
            assert waiting()[name].startswith(status), (name, waiting())
        wait_for("a queue at rest", lambda: {p for p, _ in b.spooled()} == {"cur"})
        assert len(b.spooled()) == len(WAITS)
        assert len(two.messages()) + len(three.messages()) == len(ARRIVES) + 1
        # DNS is mended: what waited finds its way, and what was cached does not stay for ever.
        for name in WAITS:
            names.zone = re.sub(rf"(?m)^{name}\.test .*\n", "", getattr(names, "zone", ZONE + HUNDRED)) + \
                f"{name}.test MX 10 h2\n"
        names.change(names.zone)

        def flush():
            b.ctl("queue", "flush")
            return not b.spooled()
        wait_for("an empty queue", flush, 60)
        assert len(two.messages()) + len(three.messages()) == len(ARRIVES) + 1 + len(WAITS)
        assert len(b.mailbox("alice")) == len(RETURNS)


def elsewhere():
    """FEATURES F11, F12: hosts of another domain, and another port, by a route or by the message itself; one message,
    a delivery for each host."""
    port, other = free_port(["127.0.0.2", "127.0.0.3"]), free_port(["127.0.0.2", "127.0.0.3"])
    zone = "h2 A 127.0.0.2\nh3 A 127.0.0.3\none.test MX 10 h2\ntwo.test MX 10 h3\nthree.test MX 10 h3\n"

    def sink(n, at):
        return Sink("--host", f"127.0.0.{n}", "--port", str(at))
    with Names(zone) as names, sink(2, port) as two, sink(3, port) as three, sink(3, other) as more, \
            Barid(relay=RELAY, extra=names.conf + f"smtp-port = {port}\nextract-headers = true\n"
                  'route "three.test" { via = "mx:one.test" }\n'
                  f'route "port.two.test" {{ via = "mx:two.test:{other}" }}\nroute "*" {{}}\n') as b:
        b.send(SENDER, [f"to@{d}.test" for d in ("one", "two", "three", "port.two")] + ["and@two.test"], message("split"))
        for s, want in ((two, ["to@one.test", "to@three.test"]), (three, ["to@two.test", "and@two.test"]),
                        (more, ["to@port.two.test"])):
            wait_for(f"what goes to {want}", lambda s=s, n=len(want):
                     sum(len(m["rcpts"]) for m in s.messages()) == n)
            assert sorted(r["path"] for m in s.messages() for r in m["rcpts"]) == sorted(want)
        assert len(three.messages()) == 1
        # All of a message, wherever its recipients are: what is dropped says so.
        drop = b.dir + "/spool/drop/one.eml"
        with open(drop + ".tmp", "w", encoding="ascii") as f:
            f.write(f"X-Barid-Route: mx:{other}\nFrom: a@b.test\nTo: x@two.test, y@three.test, z@[127.0.0.3]\nSubject: dropped\n\nx\n")
        os.rename(drop + ".tmp", drop)

        def dropped():
            return [m for m in more.messages() if b"Subject: dropped" in m["text"]]
        wait_for("the dropped one, by however many connections", lambda: sum(len(m["rcpts"]) for m in dropped()) == 3)
        got = dropped()
        assert sorted(r["path"] for m in got for r in m["rcpts"]) == ["x@two.test", "y@three.test", "z@[127.0.0.3]"], got
        assert b"Message-ID" not in got[0]["text"] and b"X-Barid" not in got[0]["text"]
        said = b.ctl("explain", "x@three.test").stdout
        assert "one.test, at port" in said and "MX hosts of another domain" in said and "127.0.0.2" in said, said
        b.empty()
        # F13: with a word of the configuration what lacks a Message-ID gets one, from whomever it is.
        b.write_conf(b.extra + "add-missing-headers = true\n")
        b.reload()
        with open(drop + ".tmp", "w", encoding="ascii") as f:
            f.write("From: a@b.test\nTo: x@one.test\nSubject: lacks\n\nMessage-ID: <no@header>\n")
        os.rename(drop + ".tmp", drop)
        for n, (head, want) in enumerate((("", 1), ("Message-ID: <its@own>\r\n", 0))):
            b.send(SENDER, ["to@one.test"], f"Subject: relayed{n}\r\n{head}\r\nx\r\n")
            text = wait_for("the relayed one", lambda n=n: [
                m["text"] for m in two.messages() if b"Subject: relayed%d" % n in m["text"]])[0]
            assert len(re.findall(rb"(?m)^Message-ID: <[0-9A-F]{19}@mx\.example\.test>\r$", text)) == want, text
            assert text.count(b"\nDate: ") == 1 and text.count(b"Message-ID: ") == 1, text
        text = wait_for("the dropped one", lambda: [m["text"] for m in two.messages() if b"Subject: lacks" in m["text"]])[0]
        head = text.split(b"\r\n\r\n")[0]
        assert re.search(rb"\nMessage-ID: <[0-9A-F]{19}@mx\.example\.test>", head) and b"\nDate: " in head, text


def equals():
    """Mail is spread over hosts of one preference; one that is down costs no message its time."""
    port = free_port(["127.0.0.2", "127.0.0.3"])
    extra = f"smtp-port = {port}\nqueue {{ retry = {{1h}} runners = 1 per-connection = 1 }}\n"
    with Names(ZONE) as names, Sink("--host", "127.0.0.2", "--port", str(port)) as two, \
            Sink("--host", "127.0.0.3", "--port", str(port)) as three, \
            Barid(relay=RELAY, extra=names.conf + extra) as b:
        with b.smtp() as c:
            for _ in range(80):
                c.sendmail(SENDER, ["to@equal.test"], message())
        wait_for("all", lambda: len(two.messages()) + len(three.messages()) == 80, 60)
        b.empty()
        # 40 is the mean; below 10 once in 10^12.
        assert min(len(two.messages()), len(three.messages())) >= 10, (len(two.messages()), len(three.messages()))
        two.process.kill()
        before = len(three.messages())
        with b.smtp() as c:
            for _ in range(40):
                c.sendmail(SENDER, ["to@equal.test"], message())
        three.messages(before + 40, 60)
        b.empty()
        assert "status=deferred" not in b.log()


def many():
    """N-13 with two thousand: half of them each, and all to the one that is left."""
    n = 2000
    port = free_port(["127.0.0.2", "127.0.0.3"])
    extra = f"smtp-port = {port}\nqueue {{ retry = {{1h}} runners = 1 per-connection = 1 }}\n"
    with Names(ZONE) as names, Taker("127.0.0.2", port) as two, Taker("127.0.0.3", port) as three, \
            Barid(relay=RELAY, extra=names.conf + extra) as b:
        b.stop()
        spool(b, SENDER, "to%@equal.test", n)
        b.start()
        wait_for("all", lambda: two.count() + three.count() == n, 60)
        # Nine times what is to be expected.
        assert abs(two.count() - n // 2) < 200, (two.count(), three.count())
        b.empty()
        before = three.count()
        two.process.kill()
        b.stop()
        spool(b, SENDER, "to%@equal.test", n)
        b.start()
        wait_for("all of the others", lambda: three.count() == before + n, 60)
        b.empty()
        assert "status=deferred" not in b.log()


def silent():
    """N-13: a host that does not even refuse costs a few connections their 30 seconds, and not each message."""
    port = free_port(["127.0.0.2", "127.0.0.3"])
    extra = f"smtp-port = {port}\nqueue {{ retry = {{1h}} runners = 1 per-connection = 1 }}\n"
    with Names(ZONE) as names, Silent("127.0.0.2", port), Sink("--host", "127.0.0.3", "--port", str(port)) as three, \
            Barid(relay=RELAY, extra=names.conf + extra) as b:
        with b.smtp() as c:
            for _ in range(60):
                c.sendmail(SENDER, ["to@equal.test"], message())
        three.messages(60, 120)
        b.empty()
        log = b.log()
        assert "status=deferred" not in log
        slow = [d for d in re.findall(r" delays=[\d.]+/[\d.]+/([\d.]+)/", log) if float(d) > 15]
        assert 1 <= len(slow) <= 8, slow


def stopped():
    """A stop while DNS is silent: what waits stays as it is (and a sanitizer sees that nobody touches what is gone)."""
    with Names("*.far.test DROP\n") as names, Barid(relay=RELAY, extra=names.within("60s")) as b:
        for i in range(20):
            b.send(SENDER, [f"to@d{i}.far.test"], message())
        wait_for("the questions", lambda: len({line.split()[2] for line in names.asked() if "far.test" in line}) >= 20)
        b.stop()
        assert len(b.spooled()) == 20, b.spooled()


def turns():
    """V4: dns.capacity: so many destinations are looked up at once, and the next when one is through."""
    for timeout, capacity in (("1m", 128), ("300ms", 1)):
        with Names("drop.test DROP\nfine.test MX 0 .\n") as names, Barid(relay=RELAY, extra=names.within(
                f"{timeout} capacity = {capacity}") + "queue { retry = {1h} runners = 1 }\n") as b:
            with b.smtp() as c:
                c.sendmail(SENDER, ["a@drop.test"], message())
                wait_for("the question", lambda: any("drop.test" in q for q in names.asked()))
                c.sendmail(SENDER, ["b@fine.test"], message())
            fine = wait_for("the answer", lambda: b.log().find("to=<b@fine.test>") + 1)
            assert (0 < b.log().find("to=<a@drop.test>") < fine) == (capacity == 1), b.log()


def main():
    for test in (exchange, ring, routing, elsewhere, equals, many, silent, stopped, turns):
        if len(sys.argv) > 1 and test.__name__ not in sys.argv[1:]:
            continue
        start = time.monotonic()
        test()
        print(f"{test.__name__}: {time.monotonic() - start:.1f} s", flush=True)


main()
