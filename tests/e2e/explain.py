# SPDX-License-Identifier: GPL-3.0-or-later
"""`baridctl explain`: each decision with the line that made it; nothing is sent, nothing is changed."""
import json
import os
import re
import sys
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Hosts, Names, ROOT, Sink, free_port, upstream, wait_for  # noqa: E402

USAGE, DATAERR, NOINPUT, NOPERM = 64, 65, 66, 77
MESSAGE = "Subject: x\r\n\r\ntext\r\n"
ZONE = """\
mx.example MX 10 one.mx.example
mx.example MX 20 two.mx.example
one.mx.example A 127.0.0.2
two.mx.example A 127.0.0.3
two.mx.example AAAA ::1
plain.example A 127.0.0.4
null.example MX 0 .
fails.example SERVFAIL
loop.example MX 10 better.example
loop.example MX 20 mx.example.test
loop.example MX 30 worse.example
better.example A 127.0.0.5
worse.example A 127.0.0.6
dane.test MX 10 mx.dane.test
mx.dane.test A 127.0.0.10
_25._tcp.mx.dane.test TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
dane.test SECURE
odd.test MX 10 mx.odd.test
mx.odd.test A 127.0.0.13
_25._tcp.mx.odd.test TLSA 1 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
odd.test SECURE
self.example MX 10 nice.example
self.example MX 20 hidden.example
nice.example A 127.0.0.14
hidden.example A 127.0.0.99
inside.example MX 10 in.inside.example
in.inside.example A 10.99.0.1
in.inside.example A 127.0.0.15
sts.test MX 10 mx.sts.test
mx.sts.test A 127.0.0.11
_25._tcp.mx.sts.test TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
_mta-sts.sts.test TXT "v=STSv1; id=1"
"""


class World(Hosts):
    def __init__(self):
        # Of MX hosts; one of our listeners has it, too.
        port = free_port(["127.0.0.99"])
        self.names = Names(ZONE.replace("_25.", f"_{port}."))
        self.sink = Sink(rules=["RCPT /^wait/=450 4.2.1 not now"])
        self.around = self.sink, self.names
        self.extra = (
            'queue { runners = 2 retry = {1h} lifetime = 2d bounce-lifetime = 1d per-destination = 7 }\n'
            + self.names.conf +
            'source { addresses = {"127.0.0.7"} }\n'
            'pool "special" { addresses = {"127.0.0.8"  "127.0.0.9"} }\n'.replace('"  "', '", "') +
            upstream("up", self.sink.port, ("10.9.8.7", 2525, 'tls = "required" user = "me" password = "secret-word" '
                                            'weight = 3 ehlo = "me.example"'),
                     ("backup.example", 26, 'backup = true socks = "127.0.0.1:1080"')) +
            upstream("other", self.sink.port) + upstream("lone", self.sink.port) +
            'mx-ignore = {"10.99.0.0/16"}\n'
            f'smtp-port = {port}\nlisten "self" {{ service = "smtp" address = {{"127.0.0.99"}} port = {port} }}\n'
            'destination "two.mx.example" { rate = 30 per = 1m per-connection = 5 }\n'
            'destination "up" { per-destination = 2 }\n'
            'destination "mx.example" { per-destination = 3 }\n'
            'route "lone.example" { via = "lone" }\n'
            'route "far.example" { via = "up" }\n'
            'route "*.test" { via = "mx" tls = "dane" }\n'
            'dns-override "set.test" { addresses = {"127.0.0.12:2525"} }\n'
            'route "*" { via = "other" sender = {"boss@*"} source = "special" }\n'
            'route "refused.example" { via = "error:550 5.7.1 not there" }\n'
            'route "thrown.example" { via = "discard" }\n'
            'route "*.example" { via = "mx" fallback = "other" }\n')
        self.b = Barid(relay=("127.0.0.0/8",), extra=self.extra)
        self.lines = open(self.b.conf).read().split("\n")

    def line(self, text):
        """The number of the line that begins so."""
        return next(n for n, s in enumerate(self.lines, 1) if s.strip().startswith(text))

    def steps(self, what, *args):
        r = json.loads(self.b.ctl("--json", "explain", *args, what).stdout)
        assert r["subject"] == what, r
        return r["steps"]

    def has(self, steps, step, words, line=None):
        for s in steps:
            if s["step"] == step and words in s["text"] and (line is None or s.get("line") == line):
                assert line is None or s["file"] == self.b.conf, s
                return s
        raise AssertionError((step, words, line, steps))


def local(w):
    s = w.steps("alice@example.test")
    w.has(s, "target", f"a mailbox of this host: {w.b.dir}/mail/alice")
    w.has(s, "answer", "to a stranger: 250 2.1.5")
    s = w.steps("Alice+lists@EXAMPLE.test")
    w.has(s, "target", "/mail/alice")
    s = w.steps("nobody@example.test")
    w.has(s, "answer", "550 5.1.1")
    w.has(s, "target", "there is no such mailbox")
    # A name without a domain is one of ours, as sendmail has it.
    w.has(w.steps("bob"), "target", "/mail/bob")
    w.has(w.steps("postmaster"), "target", "postmaster")


def by_upstream(w):
    s = w.steps("x@far.example")
    w.has(s, "answer", "to who has logged in: 250")
    w.has(s, "answer", "to a stranger: 554 5.7.1 Relay access denied")
    w.has(s, "route", '"far.example", via up', w.line('route "far.example"'))
    w.has(s, "target", "a smarthost", w.line('route "far.example"'))
    w.has(s, "upstream", "up", w.line('upstream "up"'))
    w.has(s, "server", f"127.0.0.1 port {w.sink.port}, no TLS, weight 1", w.line('server "127.0.0.1"'))
    w.has(s, "server", "10.9.8.7 port 2525, TLS required, logged in as me, EHLO me.example, weight 3",
          w.line('server "10.9.8.7"'))
    w.has(s, "server", "backup.example port 26, TLS if offered, through SOCKS 4 at 127.0.0.1, a backup",
          w.line('server "backup.example"'))
    w.has(s, "source", "127.0.0.7", w.line("source {"))
    w.has(s, "destination", '"up"', w.line('destination "up"'))
    w.has(s, "limits", "2 connections at most", w.line('destination "up"'))
    w.has(s, "limits", "100 messages over each")
    w.has(s, "limits", "500 connections to all")
    w.has(s, "runner", "remembers nothing of it")
    assert "secret-word" not in json.dumps(s)
    # By the sender.
    s = w.steps("x@elsewhere.example", "--from", "boss@example.test")
    w.has(s, "route", '"*", by the sender, via other', w.line('route "*" {'))
    w.has(s, "source", "127.0.0.8, 127.0.0.9 (special)", w.line('route "*" {'))


def by_mx(w):
    s = w.steps("x@mx.example")
    w.has(s, "route", '"*.example", via mx', w.line('route "*.example"'))
    w.has(s, "tls", "may: ")
    texts = [(e["step"], e["text"]) for e in s]
    at = [n for n, e in enumerate(texts) if e[0] == "mx"]
    assert [texts[n] for n in at] == [("mx", "10 one.mx.example"), ("mx", "20 two.mx.example")], texts
    assert texts[at[0] + 1] == ("address", "127.0.0.2"), texts
    assert {t for k, t in texts[at[1] + 1:at[1] + 3] if k == "address"} == {"127.0.0.3", "::1"}, texts
    w.has(s, "fallback", "upstream other", w.line('upstream "other"'))
    # Of the sections that fit the domain and its hosts the first.
    two = w.line('destination "two.mx.example"')
    w.has(s, "destination", '"two.mx.example"', two)
    w.has(s, "limits", "7 connections at most", w.line("queue {"))
    w.has(s, "limits", "5 messages over each", two)
    w.has(s, "limits", "30 messages in 60 s at most, to this destination", two)
    w.has(w.steps("x@plain.example"), "limits", "7 connections at most", w.line("queue {"))
    w.has(w.steps("x@plain.example"), "mx", "no MX records: plain.example itself")
    w.has(w.steps("x@null.example"), "mx", "null MX: null.example takes no mail: 556 5.1.10")
    w.has(w.steps("x@fails.example"), "mx", "not known now: ")
    w.has(w.steps("x@nowhere.example"), "mx", "there is no domain nowhere.example")
    s = w.steps("x@loop.example")
    assert "left out" not in w.has(s, "mx", "10 better.example")["text"]
    w.has(s, "mx", "20 mx.example.test: left out")
    w.has(s, "mx", "30 worse.example: left out")
    s = w.steps("x@self.example")
    assert "left out" not in w.has(s, "mx", "10 nice.example")["text"]
    w.has(s, "mx", "20 hidden.example: left out")
    s = w.steps("x@inside.example")
    w.has(s, "address", "10.99.0.1: ignored", w.line("mx-ignore"))
    assert w.has(s, "address", "127.0.0.15")["text"] == "127.0.0.15"
    s = w.steps("x@refused.example")
    w.has(s, "answer", "550 5.7.1 not there", w.line('route "refused.example"'))
    w.has(w.steps("x@thrown.example"), "target", "it is thrown away", w.line('route "thrown.example"'))
    s = w.steps("x@no-route.invalid")
    w.has(s, "answer", "550 5.4.4")
    w.has(s, "route", "none fits, of 7")
    text = w.b.ctl("explain", "x@mx.example").stdout
    assert text.startswith("recipient    <x@mx.example>\n"), text
    assert re.search(rf'(?m)^  route        "\*\.example", via mx    \({re.escape(w.b.conf)}:\d+\)$', text), text


def by_dane(w):
    """What DNS says of TLS, and whether it is to be believed."""
    s = w.steps("x@dane.test")
    w.has(s, "tls", "dane: ")
    w.has(s, "mx", "10 mx.dane.test (DNSSEC)")
    w.has(s, "address", "127.0.0.10 (DNSSEC)")
    w.has(s, "dane", "1 TLSA records: the certificate must match one")
    w.has(s, "mta-sts", "has no policy")
    s = w.steps("x@odd.test")
    w.has(s, "dane", "none of its TLSA records can be used: no mail without TLS")
    s = w.steps("x@sts.test")
    w.has(s, "dane", "there are TLSA records, but not by DNSSEC")
    w.has(s, "mta-sts", "the domain has a policy")
    # One that is kept is in force.
    path = w.b.dir + "/spool/sts/sts.test"
    with open(path, "w", encoding="ascii") as f:
        f.write(f"sts1 {int(time.time()) - 100} 1\nversion: STSv1\nmode: enforce\nmax_age: 1000\nmx: *.other.test\n")
    s = w.steps("x@sts.test")
    w.has(s, "mta-sts", "a policy is kept for ")
    w.has(s, "mta-sts", "mode enforce")
    w.has(s, "mx", "*.other.test")
    w.has(s, "mx", "mx.sts.test is none of these: not used")
    os.unlink(path)
    s = w.steps("x@set.test")
    w.has(s, "override", "DNS is not asked for set.test", w.line('dns-override "set.test"'))
    w.has(s, "address", "127.0.0.12 port 2525")


def message(w):
    """A message of the queue: when, why, how long, and each recipient."""
    b = w.b
    with b.smtp("submission", login="alice") as c:
        c.sendmail("alice@example.test", ["wait@lone.example", "ok@lone.example"], MESSAGE)
    o = wait_for("the message", lambda: [json.loads(s) for s in b.ctl("--json", "queue").stdout.splitlines()])[0]
    i = o["queue_id"]
    wait_for("the attempt", lambda: any(r.get("delay_reason") for s in b.ctl("--json", "queue", i).stdout.splitlines()
                                        for r in json.loads(s)["recipients"]))
    before = b.log().count("to=<wait@lone.example>")
    s = w.steps(i)
    assert s[0]["step"] == "message" and s[0]["text"] == i, s[0]
    w.has(s, "sender", "<alice@example.test>")
    w.has(s, "user", "alice")
    w.has(s, "listener", "submission")
    w.has(s, "next", ": by queue.retry", w.line("queue {"))
    w.has(s, "expires", "", w.line("queue {"))
    w.has(s, "recipient", "<ok@lone.example>: done")
    w.has(s, "recipient", "<wait@lone.example>")
    w.has(s, "route", '"lone.example"', w.line('route "lone.example"'))
    w.has(s, "last", f"at 127.0.0.1[127.0.0.1]:{w.sink.port}: 4.2.1 450 4.2.1 not now")
    w.has(s, "runner", "1 deferred")
    # By another way, and later, and never.
    b.ctl("queue", "move", "--route", "other", i)
    wait_for("the attempt", lambda: b.log().count("to=<wait@lone.example>") > before)
    s = w.steps(i)
    w.has(s, "own-route", "other")
    w.has(s, "target", "a way that the message itself has")
    w.has(s, "upstream", "other", w.line('upstream "other"'))

    def put_off():
        return b.ctl("queue", "retry", "--at", "+3h", i, check=False).returncode == 0
    wait_for("the appointment", put_off)
    s = w.steps(i)
    w.has(s, "next", ": not before, as the message says")
    b.ctl("queue", "hold", i)
    w.has(w.steps(i), "next", "never, until it is released")
    if ROOT:
        assert b.ctl("explain", i, check=False, user=1).returncode == NOPERM
    b.ctl("queue", "delete", i)
    assert b.ctl("explain", i, check=False).returncode == DATAERR


def memory(w):
    """What the runners remember: a host that is dead."""
    w.sink.stop()
    w.b.send("a@example.test", ["dead@lone.example"], MESSAGE)
    wait_for("the attempt", lambda: re.search(r"to=<dead@lone\.example>.*deferred", w.b.log()))
    s = wait_for("its death", lambda: [e for e in w.steps("x@lone.example") if "dead for" in e["text"]])
    assert s[0]["step"] == "runner" and "onnect" in s[0]["text"], s


def checked(w):
    """What checks would make of a client: without a section nothing, and a mail that goes on is none of ours to look at."""
    s = w.steps("alice@example.test", "--client", "192.0.2.9", "--helo", "x.example")
    w.has(s, "client", "192.0.2.9 is a stranger")
    for step in ("dnsbl", "iprev", "helo", "sender", "spf", "greylist", "spam", "virus"):
        w.has(s, step, "not looked at: ")
    w.has(s, "verdict", "no check that was made refuses it")
    w.has(w.steps("alice@example.test", "--client", "127.0.0.1"), "client", "may send anywhere")
    w.has(w.steps("alice@example.test", "--client", "192.0.2.9", "--user", "alice"), "client", "may send anywhere")
    for args, code in ((["--helo", "x.example"], USAGE), (["--message", "/dev/null"], USAGE), (["--client", "x"], DATAERR),
                       (["--client", "192.0.2.9", "--message", "/nowhere"], NOINPUT)):
        r = w.b.ctl("explain", *args, "alice@example.test", check=False)
        assert r.returncode == code and not r.stdout, (args, r)
    r = w.b.ctl("explain", "--client", "192.0.2.9", "0660BF0C3D2A1BF0004", check=False)
    assert r.returncode == USAGE and "was checked as it came in" in r.stderr, r


def stopped(w):
    w.b.stop()
    s = w.steps("alice@example.test")
    w.has(s, "target", "/mail/alice")
    w.has(s, "target", "only a barid that runs can say")
    w.has(w.steps("x@far.example"), "runner", "barid does not run")
    with open(w.b.conf, "a", encoding="utf-8") as f:
        f.write('\nsink = "127.0.0.1:9"\nlisten "shut" { port = 26 tls = "off" no-mail = true }\n')
    w.lines = open(w.b.conf, encoding="utf-8").read().split("\n")
    w.has(w.steps("x@far.example"), "sink", "goes to 127.0.0.1:9", w.line("sink = "))
    w.has(w.steps("alice@example.test", "--listener", "shut"), "answer", "521 5.3.2", w.line('listen "shut"'))
    for args, code in ((["explain"], USAGE), (["explain", "a@b", "c@d"], USAGE), (["explain", "a b@c"], DATAERR),
                       (["explain", "--from", "x@@", "a@far.example"], DATAERR),
                       (["explain", "--listener", "none", "a@far.example"], USAGE),
                       (["explain", "0660BF0C3D2A1BF0004"], DATAERR), (["explain", "--yes", "a@far.example"], USAGE)):
        r = w.b.ctl(*args, check=False)
        assert r.returncode == code and not r.stdout, (args, r)


def main():
    with World() as w:
        n = len(w.sink.messages())
        for test in (local, by_upstream, by_mx, by_dane, checked):
            begun = time.monotonic()
            test(w)
            print(f"{test.__name__}: {time.monotonic() - begun:.1f} s", flush=True)
        # Nothing was sent, nothing is in the queue.
        assert len(w.sink.messages()) == n and w.b.spooled() == []
        for test in (message, memory, stopped):
            begun = time.monotonic()
            test(w)
            print(f"{test.__name__}: {time.monotonic() - begun:.1f} s", flush=True)


main()
