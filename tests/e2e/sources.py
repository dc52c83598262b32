# SPDX-License-Identifier: GPL-3.0-or-later
"""Where mail leaves from, over 127.0.0.0/8 (I1 to I8), and which family of addresses it takes (N-18)."""
import json
import os
import re
import socket
import sys
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Names, Silent, Sink, Wire, free_port, route, skip, spool, upstream, wait_for  # noqa: E402

SENDER, RCPT = "alice@example.test", "you@far.example"
RELAY = ("127.0.0.0/8",)
SLOW = "queue { retry = {1h} idle-connection = 200ms }\n"
# One message a connection: each has its turn.
ONCE = "queue { per-connection = 1 runners = 1 }\n"


def message(*fields):
    return f"From: {SENDER}\r\nTo: {RCPT}\r\nSubject: x\r\n" + "".join(f + "\r\n" for f in fields) + "\r\nhello\r\n"


def to(sink, extra="", **kw):
    return Barid(relay=RELAY, extra=upstream("up", sink.port) + extra + SLOW, **kw)


def peers(sink, count):
    """From where COUNT messages came, and under which names."""
    return [(re.sub(r"^.*?(127\.[\d.]+).*$", r"\1", str(m["peer"])), m["helo"]) for m in sink.messages(count)]


def defaults():
    """I3, I7, I8: source.addresses in turn, each with its name."""
    extra = route("*", "up") + ONCE + """
source { addresses = {"127.0.0.21", "127.0.0.22", "127.0.0.23"} }
source-name "127.0.0.21" { hostname = "one.mine.test" }
source-name "127.0.0.22" { hostname = "two.mine.test" }
"""
    with Sink() as s, to(s, extra) as b:
        with b.smtp() as c:
            for _ in range(12):
                c.sendmail(SENDER, [RCPT], message())
        b.empty()
        got = peers(s, 12)
        want = {"127.0.0.21": "one.mine.test", "127.0.0.22": "two.mine.test", "127.0.0.23": "mx.example.test"}
        assert {p for p, _ in got} == set(want), got
        assert all(want[p] == helo for p, helo in got), got
        for p in want:
            assert sum(1 for q, _ in got if q == p) >= 3, got


def pools():
    """I4, I5: by route, and by the message itself, which goes before."""
    extra = """
pool "bulk" { addresses = {"127.0.0.31", "127.0.0.32"} }
pool "app" { addresses = {"127.0.0.33"} }
source { addresses = {"127.0.0.30"} }
extract-headers = true
route "bulk.test" { via = "up" source = "bulk" }
route "one.test" { via = "up" source = "127.0.0.34" }
route "*" { via = "up" }
""" + ONCE
    with Sink() as s, to(s, extra) as b:
        with b.smtp() as c:
            for _ in range(6):
                c.sendmail(SENDER, ["x@bulk.test"], message())
            c.sendmail(SENDER, ["x@one.test"], message())
            c.sendmail(SENDER, ["x@other.test"], message())
            c.sendmail(SENDER, ["own@bulk.test"], message("x-barid-source: app"))
            c.sendmail(SENDER, ["ip@bulk.test"], message("x-mq-ip: 127.0.0.35"))
        s.messages(10)
        b.empty()
        got = {}
        for m in s.messages():
            got.setdefault(m["rcpts"][0]["path"], set()).add(re.search(r"127\.[\d.]+", str(m["peer"])).group())
        assert got == {"x@bulk.test": {"127.0.0.31", "127.0.0.32"}, "x@one.test": {"127.0.0.34"},
                       "x@other.test": {"127.0.0.30"}, "own@bulk.test": {"127.0.0.33"},
                       "ip@bulk.test": {"127.0.0.35"}}, got
        shown = b.sendmail("-bv", "x@bulk.test").stdout.decode()
        assert "a smarthost: upstream up, from bulk (" in shown, shown


def greylisted():
    """K15: a message that a host wants to see again comes from the same address; others go on in turn."""
    extra = """
pool "bulk" { addresses = {"127.0.0.31", "127.0.0.32", "127.0.0.33"} }
route "*" { via = "up" source = "bulk" }
queue { runners = 1 retry = {1s} per-connection = 1 per-destination = 1 }
"""
    with Sink(rules=["RCPT @1-12 /grey/=450 4.2.0 Greylisted, please try again"]) as s, \
            Barid(relay=RELAY, extra=upstream("up", s.port) + extra) as b:
        # All at once: each is tried before the first is tried again, and finds the host grey.
        b.stop()
        spool(b, SENDER, "grey%@far.test", 4)
        b.start()
        s.messages(4, 60)
        b.empty()
        came = {}
        for line in b.log().split("\n"):
            if found := re.search(r"to=<(grey\d)@far.test>.*status=(\w+)", line):
                came.setdefault(found[1], []).append(found[2])
        assert all(v[0] == "deferred" and v[-1] == "sent" for v in came.values()) and len(came) == 4, came
        journal = ""
        for name in os.listdir(b.dir + "/spool/journal"):
            journal += b.read(f"{b.dir}/spool/journal/{name}")
        used = {}
        for event in map(json.loads, filter(None, journal.split("\n"))):
            if event["event"] in ("deferred", "relayed"):
                used.setdefault(event["to"], []).append(event["source"])
        # Each from one address, all its life; and the messages from several.
        assert all(len(set(v)) == 1 and len(v) > 1 for v in used.values()), used
        assert len({v[0] for v in used.values()}) > 1, used


def mapped():
    """I1, I2: from the address that it came in on, if that is mappable; with its listener's name."""
    port = free_port([f"127.0.0.{n}" for n in (41, 42, 43)])
    listeners = "".join(f'listen "l{n}" {{ address = {{"127.0.0.{n}"}} port = "{port}" tls = "off" hostname = "mx{n}.test" }}\n'
                        for n in (41, 42, 43))
    extra = listeners + route("*", "up") + ONCE + """
source { addresses = {"127.0.0.40"} mappable = {"127.0.0.0/8"} unmappable = {"127.0.0.43", "127.0.0.1"} }
source-name "127.0.0.42" { hostname = "named.test" }
"""
    with Sink() as s, to(s, extra) as b:
        for n in (41, 42, 43):
            with Wire(port, host=f"127.0.0.{n}") as w:
                assert w.reply().startswith(f"220 mx{n}.test ".encode())
                for command in ("EHLO client.test", f"MAIL FROM:<{SENDER}>", f"RCPT TO:<n{n}@far.example>"):
                    assert w.smtp(command).startswith(b"250"), command
                assert w.smtp("DATA").startswith(b"354")
                assert w.smtp(message() + ".").startswith(b"250")
        b.send(SENDER, ["n1@far.example"], message())
        b.empty()
        got = {m["rcpts"][0]["path"][:-12]: (re.search(r"127\.[\d.]+", str(m["peer"])).group(), m["helo"])
               for m in s.messages(4)}
        assert got == {"n41": ("127.0.0.41", "mx41.test"), "n42": ("127.0.0.42", "named.test"),
                       "n43": ("127.0.0.40", "mx.example.test"), "n1": ("127.0.0.40", "mx.example.test")}, got


def unbound():
    """I4: an address that is not here defers, says so, and no other takes its place."""
    # RFC 5737: nobody has it.
    away = "192.0.2.77"
    extra = f"""
pool "gone" {{ addresses = {{"{away}"}} }}
pool "half" {{ addresses = {{"192.0.2.78", "127.0.0.51"}} }}
route "gone.test" {{ via = "up" source = "gone" }}
route "half.test" {{ via = "up" source = "half" }}
route "six.test" {{ via = "up" source = "::1" }}
route "*" {{ via = "up" }}
""" + ONCE
    with Sink() as s, to(s, extra) as b:
        with b.smtp() as c:
            for _ in range(3):
                c.sendmail(SENDER, ["x@gone.test"], message())
            for _ in range(4):
                c.sendmail(SENDER, ["x@half.test"], message())
            c.sendmail(SENDER, ["x@six.test"], message())
            c.sendmail(SENDER, ["x@any.test"], message())
        got = peers(s, 5)
        wait_for("the deferrals", lambda: b.log().count("status=deferred") == 4)
        log = b.log()
        assert sorted(p for p, _ in got) == ["127.0.0.1"] + ["127.0.0.51"] * 4, got
        assert len(re.findall(rf"to=<x@gone\.test>.* dsn=4\.3\.5, status=deferred \(.*bind: cannot leave from {away}: "
                              "Cannot assign requested address", log)) == 3, log
        assert re.search(rf"error: source address {away} cannot be used: bind: Cannot assign", log), log
        assert re.search(r"to=<x@six\.test>.*status=deferred \(no address of up that a source address can reach", log), log
        assert b.mailbox("alice") == []
        # The pool is mended, and the mail goes.
        b.write_conf(b.extra.replace(f'"gone" {{ addresses = {{"{away}"}}', '"gone" { addresses = {"127.0.0.52"}'))
        b.reload()

        def flush():
            b.ctl("queue", "flush")
            return len(s.messages()) == 8
        wait_for("what waited for the address", flush)
        assert sorted(p for p, _ in peers(s, 8))[-3:] == ["127.0.0.52"] * 3


# ---- families ---------------------------------------------------------------------------

def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
    except OSError:
        return False
    return True


def families():
    """N-18, RFC 8305: a family that does not answer costs a moment, and is remembered; never two sessions."""
    if not has_ipv6():
        skip("this host has no IPv6")
    zone = "six.test MX 10 six\nsix AAAA ::1\nboth.test MX 10 both\nboth AAAA ::1\nboth A 127.0.0.2\n" \
        "four.test MX 10 four\nfour A 127.0.0.2\nlocal.test MX 10 local\nlocal AAAA fe80::1\nlocal A 127.0.0.2\n" \
        "link.test MX 10 link\nlink AAAA fe80::1\n"
    port = free_port(["127.0.0.2", "::1"])
    conf = f"smtp-port = {port}\n" + SLOW + ONCE
    with Names(zone) as names, Sink("--host", "127.0.0.2", "--port", str(port)) as four:
        with Sink("--host", "::1", "--port", str(port)) as six, Barid(relay=RELAY, extra=names.conf + conf) as b:
            with b.smtp() as c:
                for name in ("six", "both", "four", "local", "link"):
                    c.sendmail(SENDER, [f"x@{name}.test"], message())
            assert sorted(m["rcpts"][0]["path"] for m in six.messages(2)) == ["x@both.test", "x@six.test"]
            assert sorted(m["rcpts"][0]["path"] for m in four.messages(2)) == ["x@four.test", "x@local.test"]
            # A link-local address of DNS leads nowhere (no 30 seconds, no abort).
            assert b"5.4.4" in b.mail("alice", 1)[0]
            b.empty()
        with Silent("::1", port), Barid(relay=RELAY, extra=names.conf + conf) as b:
            for n in range(4):
                b.send(SENDER, [f"x{n}@both.test"], message())
                # Far less than the 30 seconds that a connection has.
                four.messages(3 + n, 20)
            b.empty()
            assert "status=deferred" not in b.log()
            # Three times IPv6 lost; then IPv4 goes first.
            delays = [float(d) for d in re.findall(r"to=<x\d@both\.test>.* delays=[\d.]+/[\d.]+/([\d.]+)/", b.log())]
            assert len(delays) == 4 and min(delays[:3]) >= 0.25, delays
            assert b.log().count("IPv6 does not seem to lead anywhere") == 1, b.log()
            assert all(len(c["messages"]) == 1 for c in four.connections(6)), "never a session for nothing"
        # The other way round: IPv4 is silent.
    with Names(zone) as names, Silent("127.0.0.2", port), Sink("--host", "::1", "--port", str(port)) as six, \
            Barid(relay=RELAY, extra=names.conf + conf) as b:
        b.send(SENDER, ["x@both.test"], message())
        six.messages(1, 20)
        b.empty()
    # Sources of one family: hosts of the other are not tried.
    with Names(zone) as names, Sink("--host", "127.0.0.2", "--port", str(port)) as four, \
            Sink("--host", "::1", "--port", str(port)) as six, \
            Barid(relay=RELAY, extra=names.conf + conf + 'source { addresses = {"127.0.0.61"} }\n') as b:
        b.send(SENDER, ["x@both.test", "x@six.test"], message())
        assert "127.0.0.61" in str(four.messages(1)[0]["peer"])
        b.deferred("no address of six.test that a source address can reach")
        assert six.messages() == []


def main():
    for test in (defaults, pools, greylisted, mapped, unbound, families):
        if len(sys.argv) > 1 and test.__name__ not in sys.argv[1:]:
            continue
        start = time.monotonic()
        test()
        print(f"{test.__name__}: {time.monotonic() - start:.1f} s", flush=True)


main()
