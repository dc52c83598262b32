# SPDX-License-Identifier: GPL-3.0-or-later
"""To a smarthost that fails: at each step, in each way; mixed outcomes; nothing is smuggled."""
import glob
import os
import re
import signal
import socket
import sys
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Hosts, Script, Sink, body_of, halt, message, route, sanitized, smarthost, upstream, wait_for  # noqa: E402

QUICK = "queue { retry = {1s} idle-connection = 200ms }\n"
SLOW = "queue { retry = {1h} idle-connection = 200ms }\n"
SENDER, RCPT = "alice@example.test", "Carol@Far.Example"


def report(b, user="alice"):
    """The DSN that a local sender got."""
    text = b.mail(user, 1)[0].decode()
    assert "Content-Type: multipart/report" in text, text
    return text


def mixed():
    """N-05, K10: 450, 250 and 550 in one transaction."""
    rules = ["RCPT @1 /^later@/=450 4.2.0 later", "RCPT /^never@/=550 5.1.1 no such user"]
    with Sink(rules=rules) as s, smarthost(s.port, extra=SLOW) as b:
        b.send(SENDER, ["later@far.example", "now@far.example", "never@far.example"], message("mixed"))
        first = s.messages(1)[0]
        assert [r["path"] for r in first["rcpts"]] == ["now@far.example"]
        text = report(b)
        assert text.count("Final-Recipient:") == 1 and "Final-Recipient: rfc822; never@far.example" in text, text
        assert "550 5.1.1 no such user" in text and "Status: 5.1.1" in text, text
        status = text.split("Content-Type: message/delivery-status")[1]
        assert "now@far" not in status and "later@far" not in status, status
        # One message with one recipient left; the connection rests, and the next is another.
        wait_for("one in the queue", lambda: len(b.spooled()) == 1)
        s.connections(1)
        b.ctl("queue", "flush")
        second = s.messages(2)[1]
        assert [r["path"] for r in second["rcpts"]] == ["later@far.example"], second
        assert second["refused"] == [] and second["text"] == first["text"]
        b.empty()
        assert len(s.messages()) == 2 and len(b.mailbox("alice")) == 1


def passed_on():
    """Whom a host took is not sent to again, though we end while the others are on their way to the next host."""
    with Sink(rules=["RCPT @1 /^later/=450 4.2.0 later"]) as s, Sink(rules=["CONNECT=stall"]) as mute, \
            smarthost(s.port, ("127.0.0.1", mute.port, 'tls = "off" backup = true'), extra=SLOW) as b:
        b.send(SENDER, ["later@far.example", "now@far.example"], message("passed"))
        wait_for("the next host", mute.connections)
        b.stop()
        stored = b"".join(open(p, "rb").read() for place in ("new", "trays") for p in glob.glob(f"{b.dir}/spool/{place}/*"))
        assert sorted(re.findall(rb"\nrcpt: (.) <(\w+)@", stored)) == [(b"D", b"now"), (b"Q", b"later")], stored.strip(b"\0")
        b.start()
        b.ctl("queue", "flush")
        assert [r["path"] for r in s.messages(2)[1]["rcpts"]] == ["later@far.example"]
        b.empty()


def too_many():
    """RFC 5321 4.5.3.1.10: those who are too many go in another transaction, at once, and nobody else."""
    for reply, options in (("452 4.5.3 too many recipients", ()), ("452 too many", ()), ("552 5.5.3 too many", ()),
                           ("452 4.5.3 too many recipients", ("--lmtp",))):
        rules = [f"RCPT 4-={reply}", "RCPT /^later/=450 4.2.0 later", "RCPT /^never/=550 5.1.1 no"]
        proto = ' protocol = "lmtp"' if options else ""
        with Sink(*options, rules=rules) as s, Sink() as other, \
                smarthost(("127.0.0.1", s.port, 'tls = "off"' + proto), ("127.0.0.1", other.port, "backup = true"),
                          extra=SLOW) as b:
            names = ["later1", "a", "never1"] + [f"x{n}" for n in range(10)]
            b.send(SENDER, [n + "@far.example" for n in names], message("many"))
            found = [[r["path"].split("@")[0] for r in m["rcpts"]] for m in s.messages(5)]
            others = [r["path"] for m in other.messages(1) for r in m["rcpts"]]
            wait_for("the report", lambda: b.mailbox("alice"))
            b.empty()
            assert others == ["later1@far.example"], (reply, others)
            assert found[0] == ["a"] and sorted(sum(found, [])) == sorted(["a"] + names[3:]), (reply, found)
            assert "status=deferred" not in b.log()
    # What it always says is no limit.
    with Sink(rules=["RCPT /full/=452 4.5.3 too many"]) as s, smarthost(s.port, extra=SLOW) as b:
        b.send(SENDER, ["full@far.example", "a@far.example"], message("full"))
        b.deferred("too many")
        assert [[r["path"] for r in m["rcpts"]] for m in s.messages(1)] == [["a@far.example"]]


def one_by_one():
    """What each transaction is told of everybody is forgotten with it, however often that is."""
    def most():
        return sum(int(re.search(r"VmHWM:\s+(\d+)", b.read(f"/proc/{p}/status"))[1]) for p in b.runners())
    with Sink(rules=["RCPT 2-=452 4.5.3 " + "x" * 490]) as s, smarthost(s.port, extra=SLOW) as b:
        b.send(SENDER, ["first@far.example"], message())
        b.empty()
        before = most()
        b.send(SENDER, [f"x{n}@far.example" for n in range(100)], message("many"))
        s.messages(101)
        b.empty()
        assert sanitized() or most() - before < 4096, (before, most())


def too_many_in_time():
    """Those whom the rate does not let through before the connection ends wait in the spool, and go then."""
    extra = SLOW + 'destination "up" { rate = 1 per = 1s }\n'
    with Sink(rules=["RCPT 2-=452 4.5.3 too many recipients"]) as s, smarthost(s.port, extra=extra) as b:
        runners = b.runners()
        b.send(SENDER, [f"{n}@far.example" for n in "abc"], message("many"))
        found = [m["rcpts"] for m in s.messages(3)]
        b.empty()
        assert sorted(r["path"][0] for r in sum(found, [])) == ["a", "b", "c"] == sorted(
            re.findall(r"to=<(.)@far.example>.* status=sent", b.log())), found
        # A connection that is there when the rate lets the next one through takes it.
        conns = wait_for("the ends of the connections",
                         lambda: sum(len(c["messages"]) for c in s.connections()) == 3 and s.connections())
        assert len(conns) <= 3 and b.runners() == runners, b.log()


def another_session():
    """RFC 9422 4: what a session may not have goes in the next, and counts once for the rate: of this two may go at once."""
    extra = SLOW + 'destination "up" { rate = 11 per = 1h per-destination = 1 }\n'
    with Sink("--caps", "PIPELINING,LIMITS RCPTDOMAINMAX=1") as s, smarthost(s.port, extra=extra) as b:
        b.send(SENDER, ["a@one.example", "b@two.example"], message())
        assert sorted(r["path"] for m in s.messages(2) for r in m["rcpts"]) == ["a@one.example", "b@two.example"]
        b.empty()


def received(port):
    """The octets that wait to be read by those who are connected to PORT."""
    found = 0
    with open("/proc/net/tcp", encoding="ascii") as f:
        for line in f.read().split("\n")[1:-1]:
            words = line.split()
            if words[2].endswith(f":{port:04X}"):
                found += int(words[4].split(":")[1], 16)
    return found


def records():
    """A reply in more records than are read at once: what TLS holds makes no event."""
    rule = "MAIL=slow 1; raw 250 " + "x" * 300 + "\\r\\n; slow 0"
    with Barid(start=False) as names, \
            Sink("--wire", "--tls-cert", names.dir + "/localhost.pem", "--tls-key", names.dir + "/localhost.key",
                 rules=[rule]) as s, smarthost(("127.0.0.1", s.port, 'tls = "required"'), extra=SLOW) as b:
        def once(n):
            """A message, the N-th; whether a hundred records waited for those who were to read them."""
            b.send(SENDER, [RCPT], message("records"))
            wait_for("MAIL", lambda: b"".join(s.wires()).count(b"MAIL FROM") == n)
            runners, had, has = b.runners(), -1, 0
            try:
                for p in runners:
                    halt(p)
                # Less than that, and no more of it: they had read the most of it before they stood.
                while has <= 2300 and has != had:
                    time.sleep(0.5)
                    had, has = has, received(s.port)
            finally:
                for p in runners:
                    os.kill(p, signal.SIGCONT)
            s.messages(n)
            b.empty()
            return has > 2300

        n = 1
        while not once(n):
            n += 1
            assert n < 20
        assert len(s.wires()) <= n and "status=deferred" not in b.log(), b.log()


def flush():
    with Sink(rules=["MAIL 1 @1=451 4.3.0 not now\\nreally not"]) as s, smarthost(s.port, extra=SLOW) as b:
        b.send(SENDER, [RCPT], message())
        line = b.deferred("really not")
        assert "dsn=4.3.0" in line and "(in reply to MAIL FROM command)" in line, line
        wait_for("it in cur/", lambda: [p for p, _ in b.spooled()] == ["cur"])
        assert "451 4.3.0" in b.ctl("queue").stdout
        b.ctl("queue", "flush")
        s.messages(1)
        b.empty()
    # Flushing also forgets that a destination seemed dead.
    with socket.socket() as hole:
        hole.bind(("127.0.0.1", 0))
        port = hole.getsockname()[1]
        with smarthost(port, extra=SLOW) as b:
            b.send(SENDER, [RCPT], message())
            b.deferred("Connection refused")
            wait_for("it in cur/", lambda: [p for p, _ in b.spooled()] == ["cur"])
            hole.close()
            with Sink("--port", str(port)) as s:
                b.ctl("queue", "flush")
                s.messages(1)
                b.empty()


class Many(Hosts):
    """One barid and a sink for each of many RULES; a domain leads to each."""

    def __init__(self, rules, extra=QUICK, sinkargs=()):
        self.rules = rules
        self.sinks = [Sink(*sinkargs, rules=r) for r in rules]
        self.around = self.sinks
        extra += "".join(upstream(f"u{n}", s.port) + route(f"d{n}.example", f"u{n}")
                         for n, s in enumerate(self.sinks))
        self.b = Barid(extra=extra, relay=("127.0.0.0/8",))

    def send(self, text, rcpts=("one",)):
        with self.b.smtp() as c:
            for n in range(len(self.sinks)):
                c.sendmail(SENDER, [f"{r}@d{n}.example" for r in rcpts], text)


def drops():
    """N-03: at each step the connection ends, in each way; the mail comes all the same, once."""
    rules = []
    for how in ("drop", "reset"):
        for step in ("CONNECT", "EHLO", "MAIL", "RCPT", "RCPT 2", "DATA", "TEXT 0", "TEXT 1", "TEXT 100000",
                     "TEXT 300000", "DOT"):
            rules.append([f"{step} @1={how}"])
    # After the text was taken nobody can know: it comes twice.
    twice = len(rules)
    rules += [["DOT @1=store; drop"], ["DOT @1=store; reset"]]
    # The last step cannot harm.
    quit_ = len(rules)
    rules += [["QUIT=drop"], ["QUIT=500 what?"], ["QUIT=reset"]]
    # 421 wherever it comes is the end of the connection, and no more.
    rules += [[f"{step} @1=421 4.3.2 closing; drop"] for step in ("CONNECT", "EHLO", "MAIL", "RCPT 2", "DATA", "DOT")]
    body = ("z" * 70 + "\r\n") * 5000
    with Many(rules) as t:
        t.send(message("drop", body), ("one", "two"))
        for n, s in enumerate(t.sinks):
            got = s.messages(2 if twice <= n < quit_ else 1, 60)
            for m in got:
                assert body_of(m["text"]) == body.encode(), t.rules[n]
                assert sorted(r["path"].split("@")[0] for r in m["rcpts"]) == ["one", "two"], t.rules[n]
            assert len({m["text"] for m in got}) == 1, "the same message, if twice"
        t.b.empty(60)
        for n, s in enumerate(t.sinks):
            assert len(s.messages()) == (2 if twice <= n < quit_ else 1), (t.rules[n], len(s.messages()))
        assert t.b.mailbox("alice") == []


def malformed():
    """S-55, N-06: what is no reply defers; what is odd but a reply will do."""
    bad = ["CONNECT @1=garbage 8000", "CONNECT @1=raw HTTP/1.1 400 Bad Request\\r\\n\\r\\n; drop",
           "CONNECT @1=raw \\x16\\x03\\x01\\x02\\x00\\x01\\x00; drop", "EHLO @1=raw 2\\r\\n",
           "EHLO @1=raw xyz\\r\\n", "MAIL @1=raw 250-a\\r\\n450 b\\r\\n", "MAIL @1=354 go on",
           "RCPT @1=raw 25\\r\\n", "RCPT @1=250 ok; raw 250 a second\\r\\n250 a third\\r\\n", "DATA @1=250 no",
           "DATA @1=raw 55\\x003 x\\r\\n; drop", "DOT @1=raw xyz\\r\\n", "MAIL @1=raw 250-a\\r\\n; drop",
           "EHLO @1=lines 200000 X-" + "L" * 60]
    good = ["CONNECT=lines 200 hello", "EHLO=raw 250\\r\\n", "EHLO=lines 200 X-KEYWORD value", "MAIL=raw 250\\r\\n",
            "MAIL=raw 250-\\r\\n250-x\\r\\n250 \\r\\n", "RCPT=raw 251 will forward\\n", "DATA=lines 50 go",
            "DOT=slow 2; ok", "EHLO 1=500 5.5.1 what?", "CONNECT=slow 5; ok", "RCPT=299 odd", "DOT=250"]
    with Many([[r] for r in bad + good], sinkargs=("--rcvbuf", "4096")) as t:
        t.send(message())
        for n, s in enumerate(t.sinks):
            s.messages(1, 60)
        t.b.empty(60)
        log = t.b.log()
        for n, s in enumerate(t.sinks):
            assert len(s.messages()) == 1, t.rules[n]
            # What was lost before the text may go by another connection at once.
            was = re.search(rf"to=<one@d{n}\.example>.* status=deferred", log) is not None
            assert n < len(bad) or not was, t.rules[n]
            assert (s.messages()[0]["conn"] == 1) == (n >= len(bad)), t.rules[n]
        assert t.b.mailbox("alice") == [], "nothing of this is for ever"
        # EHLO was refused: HELO will do.
        m = t.sinks[len(bad) + good.index("EHLO 1=500 5.5.1 what?")].messages()[0]
        assert [l.split(" ")[0] for l in m["lines"][:2]] == ["EHLO", "HELO"], m["lines"]


def refused():
    """
    N-04: what is refused for good comes back, with what was said and by whom.  A smarthost that
    refuses the session refuses us and no mail: that waits until the configuration is mended.
    """
    rules = ["MAIL=550 5.7.1 not from him", "RCPT=553 5.1.3 what a name", "DATA=554 5.3.0 no data",
             "DOT=554 5.6.0 spam\\nreally", "RCPT=550 with \\x1b[31m colours \u202e"]
    for rule in ("CONNECT=554 5.7.1 go away", "EHLO=550 5.7.1 not you"):
        with Sink(rules=[rule]) as s, smarthost(s.port, extra=SLOW) as b:
            b.send(SENDER, [RCPT], message())
            b.deferred(f"said: {rule.split('=')[1]}")
            assert "dsn=4.7.1" in b.log() and b.mailbox("alice") == [], b.log()
    with Many([[r] for r in rules], extra=SLOW) as t:
        t.send(message("refused"))
        got = [m.decode("utf-8") for m in t.b.mail("alice", len(rules), 60)]
        t.b.empty()
        for n, rule in enumerate(rules):
            mine = [m for m in got if f"rfc822; one@d{n}.example" in m]
            assert len(mine) == 1, (rule, len(mine))
            code = rule.split("=")[1][:3]
            assert re.search(rf"Diagnostic-Code: smtp; {code}", mine[0]), (rule, mine[0])
            assert "Remote-MTA: dns; " in mine[0], mine[0]
            assert "\x1b" not in mine[0] and "\u202e" not in mine[0], mine[0]
        assert all(s.messages() == [] for s in t.sinks)
        assert "\x1b" not in t.b.log()


def cannot():
    """What the peer said it does not take is not even tried (RFC 1870 4, RFC 6152 3)."""
    # 8-bit text could be converted; a header cannot.
    eight = message("gr\u00fc\u00dfe", "x\r\n")
    for caps, text, status in (("PIPELINING,8BITMIME,SIZE 500", message("big", "x\r\n" * 1000), "5.3.4"),
                               ("PIPELINING", eight, "5.6.3")):
        with Sink("--caps", caps) as s, smarthost(s.port, extra=SLOW) as b:
            b.send(SENDER, [RCPT], text, mail_options=["BODY=8BITMIME"])
            assert f"Status: {status}" in report(b)
            b.empty()
            assert s.messages() == []


def pipelining_lies():
    """N-09: a peer that says PIPELINING and cannot: once more without."""
    # Commands in a group end the connection; one at a time they do not.
    class Liar(Script):
        serial = True
        done = False

        def serve(self, c):
            c.sendall(b"220 liar\r\n")
            text = False
            while data := c.recv(65536):
                if text:
                    if data.endswith(b"\r\n.\r\n"):
                        c.sendall(b"250 2.0.0 taken\r\n")
                        text, self.done = False, True
                    continue
                if data.count(b"\r\n") != 1:
                    return
                if data.startswith(b"EHLO"):
                    c.sendall(b"250-liar\r\n250 PIPELINING\r\n")
                elif data.startswith(b"DATA"):
                    c.sendall(b"354 go\r\n")
                    text = True
                else:
                    c.sendall(b"250 2.0.0 ok\r\n")

    with Liar() as liar, smarthost(liar.port, extra=QUICK) as b:
        b.send(SENDER, [RCPT], message())
        wait_for("the message", lambda: liar.done, 40)
        b.empty()
        assert b.mailbox("alice") == []


# ---- smuggling out ------------------------------------------------------------

EVIL = "MAIL FROM:<admin@evil.example>\r\nRCPT TO:<victim@evil.example>\r\nDATA\r\nSubject: evil\r\n\r\nevil\r\n.\r\n"
ENDS = ("\n.\n", "\r.\r", "\r.\n", "\n.\r", "\n.\r\n", "\r\n.\n", "\r.\r\n", "\r\n.\r", "\r\n\0.\r\n",
        "\r\n.\0\r\n", "\r\n.\r\r\n", "\r\r\n.\r\r\n", "\r\n.\r\n", "\n\n.\n\n", "\n..\n", "\r..\r")


def smuggling():
    """S-14: whatever a message holds, a peer sees one transaction and only CRLF."""
    for end in ENDS:
        with Sink("--wire") as s, smarthost(s.port, extra=SLOW) as b:
            text = f"From: alice@example.test\nTo: carol@far.example\nSubject: one\n\nbody{end}{EVIL}".encode()
            took = b.sendmail("-i", "-t", "-f", SENDER, text=text, check=False).returncode == 0
            with open(b.dir + "/spool/drop/.tmp", "wb") as f:
                f.write(text)
            b.give(f.name)
            # Older than what may still be being written.
            os.utime(f.name, (time.time() - 60, time.time() - 60))
            os.rename(f.name, b.dir + "/spool/drop/x.eml")
            count = 1 + took
            if "\0" in end:
                wait_for("what is taken", lambda: not [p for p, _ in b.spooled() if p in ("drop", "new", "cur")])
                count = len(s.messages())
            for m in s.messages(count, 60):
                assert [r["path"] for r in m["rcpts"]] == ["carol@far.example"], (end, m)
                assert m["faults"] == [] or m["faults"] == ["NUL"], (end, m)
            b.stop()
            assert len(s.messages()) == count, (end, count)
            said = [l.split(" ")[0] for c in s.connections() for l in c["lines"]]
            assert said.count("MAIL") == said.count("DATA") == count, (end, said)
            for octets in s.wires():
                assert not re.search(rb"\r(?!\n)|(?<!\r)\n", octets), (end, octets)


def main():
    for test in (mixed, passed_on, too_many, one_by_one, too_many_in_time, another_session, records, flush, drops, malformed, refused, cannot, pipelining_lies, smuggling):
        if len(sys.argv) > 1 and test.__name__ not in sys.argv[1:]:
            continue
        start = time.monotonic()
        test()
        print(f"{test.__name__}: {time.monotonic() - start:.1f} s", flush=True)


main()
