# SPDX-License-Identifier: GPL-3.0-or-later
"""How long mail is tried and when: settings in headers, deadlines, holds, mended routes, and a stop in mid-delivery."""
import collections
import contextlib
import email
import email.utils
import glob
import json
import os
import signal
import smtplib
import sys
import tempfile
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Clock, Hosts, Sink, certificate, free_port, route, upstream, wait_for  # noqa: E402

SENDER = "alice@origin.example"
TEXT = "From: alice@origin.example\r\nTo: you@far.example\r\nSubject: {}\r\n\r\nbody\r\n"
RULES = ["RCPT /^wait/=450 4.2.1 not now"]

EXPIRED = "x-barid; delivery time expired (#4.4.7), last answer: 450 4.2.1 not now"

HOUR = 3600


class World(Hosts):
    def __init__(self, extra="", rules=RULES, relay=("127.0.0.0/8",), **kw):
        self.far, self.other, self.origin = Sink(rules=rules), Sink(), Sink()
        self.around = self.far, self.other, self.origin
        self.routes = upstream("far", self.far.port) + route("far.example", "far") + \
            upstream("other", self.other.port) + upstream("origin", self.origin.port) + \
            route("origin.example", "origin")
        self.b = Barid(relay=relay, extra="extract-headers = true\n" + extra + self.routes, **kw)

    def send(self, *rcpts, fields="", sender=SENDER, **kw):
        self.b.send(sender, list(rcpts), fields + TEXT.format("x"), **kw)

    def envelopes(self):
        """The envelope of each message in new/ and cur/, as a dictionary."""
        found = []
        for path in glob.glob(self.b.dir + "/spool/new/*") + glob.glob(self.b.dir + "/spool/cur/*/*"):
            try:
                with open(path, "rb") as f:
                    block = f.read().split(b"\n\n", 1)[0].decode()
            except FileNotFoundError:
                continue
            found.append(dict(line.split(": ", 1) for line in block.split("\n")[1:]))
        return found

    def envelope(self):
        return wait_for("one message", lambda: len(found := self.envelopes()) == 1 and found)[0]


    def later(self, ahead):
        """It was not there until its clock was so much AHEAD."""
        self.b.stop()
        self.clock.set(ahead)
        self.b.start()


def clocked(extra):
    """A World whose clock is set."""
    clock = Clock()
    w = World(extra, folder=clock.folder, env=dict(clock.env, NO_FAKE_STAT="1"))
    w.clock = clock
    return w


# ---- settings in the header ---------------------------------------------------------

FIELDS = ("X-Barid-Not-Before: +1h\r\nx-mq-maxdelivertime: +2h\r\nx-mq-maxattempts: 7\r\nx-mq-retries: 60,\r\n 120\r\n"
          "x-mq-ip: 127.0.0.1\r\nx-mq-tag: unused\r\n")


def check_settings(e):
    now = time.time() * 1e6
    assert abs(int(e["not-before"]) - now - 3600e6) < 60e6 and abs(int(e["deadline"]) - now - 7200e6) < 60e6, e
    assert (e["max-attempts"], e["retry"], e["source"]) == ("7", "60,120", "127.0.0.1"), e


def the_message(w):
    """What is in the queue; None while it moves."""
    for path in glob.glob(w.b.dir + "/spool/new/*") + glob.glob(w.b.dir + "/spool/cur/*/*"):
        try:
            with open(path, "rb") as f:
                return f.read()
        except FileNotFoundError:
            pass
    return None


def check_text(w):
    text = wait_for("the message", lambda: the_message(w)).split(b"\n\n", 1)[1]
    assert b"Subject: x" in text and b"body" in text and b"\r\n 120" not in text, text
    assert b"x-mq" not in text.lower() and b"x-barid" not in text.lower(), text


def drop(w, name, text):
    """As a user of this host would: under another name first."""
    path = f"{w.b.dir}/spool/drop/{name}"
    with open(path + ".part", "w", encoding="ascii") as f:
        f.write(text.replace("\r\n", "\n"))
    os.utime(path + ".part", (1e9, 1e9))
    os.rename(path + ".part", path)


def who_may():
    """F21, J5: a relay network, a login, sendmail and the drop directory are heard; a stranger is not."""
    with World() as w:
        def one(how):
            how()
            check_settings(w.envelope())
            check_text(w)
            wait_for("it to wait in cur/", lambda: [p for p, _ in w.b.spooled()] == ["cur"])
            w.b.ctl("queue", "delete", w.b.spooled()[0][1])
            w.b.empty()
        one(lambda: w.send("a@far.example", fields=FIELDS))
        one(lambda: w.send("a@far.example", fields=FIELDS, sender="alice@example.test", name="submission", login="alice"))
        one(lambda: w.b.sendmail("-f", SENDER, "a@far.example", text=FIELDS + TEXT.format("x")))
        one(lambda: w.b.sendmail("-bs", text="EHLO x\r\nMAIL FROM:<alice@origin.example>\r\nRCPT TO:<a@far.example>\r\n"
                                 "DATA\r\n" + FIELDS + TEXT.format("x") + ".\r\nQUIT\r\n"))
        one(lambda: drop(w, "one.eml", FIELDS + TEXT.format("x")))
    with World(relay=()) as w:
        w.send("alice@example.test", fields=FIELDS)
        text = w.b.mail("alice", 1)[0]
        assert b"x-mq-maxattempts: 7" in text and b"X-Barid-Not-Before" in text, text
    # Without the option the fields are nothing to anybody.
    with World() as w:
        w.b.write_conf(w.routes)
        w.b.reload()
        w.send("a@far.example", fields=FIELDS)
        assert b"x-mq-maxattempts: 7" in w.far.messages(1)[0]["text"]
        w.b.sendmail("-f", SENDER, "a@far.example", text=FIELDS + TEXT.format("x"))
        assert b"x-mq-maxattempts: 7" in w.far.messages(2)[1]["text"]


def refused():
    with World() as w:
        wrong = "x-mq-delayed: some day\r\n"
        with w.b.smtp() as c:
            c.ehlo()
            for fields in (wrong, "x-mq-smarthost-port: 0\r\n", "x-mq-ip: a b\r\n"):
                assert c.mail(SENDER)[0] == 250 and c.rcpt("a@far.example")[0] == 250
                code, words = c.data(fields + TEXT.format("x"))
                assert code == 554 and words.startswith(b"5.6.0 " + fields.split(":")[0].encode()), (code, words)
        r = w.b.sendmail("-f", SENDER, "a@far.example", text=wrong + TEXT.format("x"), check=False)
        assert r.returncode == 65 and b"x-mq-delayed is no time" in r.stderr, r
        drop(w, "bad.eml", wrong + TEXT.format("x"))
        wait_for("it in bad/", lambda: [p for p, _ in w.b.spooled()] == ["bad"])
        wait_for("the reason", lambda: "x-mq-delayed is no time" in w.b.log())
        assert w.far.messages() == []


def not_before():
    """K8: it waits for its time, also over a restart, and no attempt is made before."""
    with clocked("queue { retry = {1h} }\n") as w:
        w.send("a@far.example", fields="x-mq-delayed: +1h\r\n")
        # Handed in before; delivered long before.
        w.send("b@far.example")
        assert [r["path"] for r in w.far.messages(1)[0]["rcpts"]] == ["b@far.example"]
        wait_for("it to wait in cur/", lambda: [p for p, _ in w.b.spooled()] == ["cur"])
        w.b.stop()
        w.b.start()
        # Not even an order to send all at once sends it.
        w.b.ctl("queue", "flush")
        w.send("c@far.example")
        assert [r["path"] for r in w.far.messages(2)[1]["rcpts"]] == ["c@far.example"]
        w.later(HOUR)
        w.far.messages(3)
        w.b.empty()
        assert w.b.log().count("to=<a@far.example>") == 1


def deadline():
    """K6: from its deadline on it is not tried, however long mail may live, and its sender is told."""
    with clocked("queue { retry = {1h} }\n") as w:
        def refused(times):
            wait_for("an attempt", lambda: w.b.log().count("to=<wait@") > times and [p for p, _ in w.b.spooled()] == ["cur"])

        w.send("wait@far.example", fields="x-mq-maxdelivertime: +1h\r\nx-mq-retries: 1\r\n")
        refused(0)
        # Its last moments.
        w.later(HOUR - 3)
        m = email.message_from_bytes(w.origin.messages(1)[0]["text"])
        status = m.get_payload()[1].get_payload()[1]
        assert (status["Action"], status["Status"]) == ("failed", "4.4.7"), status.items()
        w.b.empty()
        assert "status=expired, returned to sender" in w.b.log()
        assert " ".join(status["Diagnostic-Code"].split()) == EXPIRED, status.items()
        # While nobody was there to try: it is not tried afterwards, and the last answer is what its sender is told.
        before = w.b.log().count("to=<wait@")
        w.send("wait@far.example", fields="x-mq-maxdelivertime: +1h\r\nx-mq-retries: 3600\r\n")
        over = w.clock.now() + HOUR
        refused(before)
        tried = w.b.log().count("to=<wait@far.example>, relay=127")
        w.later(2 * HOUR)
        m = email.message_from_bytes(w.origin.messages(2)[1]["text"])
        status = m.get_payload()[1].get_payload()[1]
        assert (status["Action"], status["Status"]) == ("failed", "4.4.7"), status.items()
        assert " ".join(status["Diagnostic-Code"].split()) == EXPIRED, status.items()
        assert status["Remote-MTA"] == "dns; [127.0.0.1]", status.items()
        assert email.utils.parsedate_to_datetime(status["Last-Attempt-Date"]).timestamp() < over - 1, status.items()
        assert w.b.log().count("to=<wait@far.example>, relay=127") == tried
        # One that never was tried.
        w.b.stop()
        w.b.sendmail("-f", SENDER, "late@far.example", text="x-mq-maxdelivertime: +1h\r\n" + TEXT.format("x"))
        w.later(4 * HOUR)
        m = email.message_from_bytes(w.origin.messages(3)[2]["text"])
        assert "the time that was set for its delivery is over" in " ".join(str(m).split()), m
        assert w.far.messages() == [] and "to=<late@far.example>, relay=127" not in w.b.log()


def max_attempts():
    """K6: by the configuration for all, by the header for one; an attempt counts over restarts."""
    with World("queue { retry = {1s} max-attempts = 3 }\n") as w:
        w.send("wait1@far.example")
        w.send("wait2@far.example", "yes@far.example", fields="x-mq-maxattempts: 1\r\n")
        w.origin.messages(1)
        wait_for("two attempts", lambda: w.b.log().count("to=<wait1@") >= 2)
        w.b.stop()
        w.b.start()
        w.origin.messages(2)
        w.b.empty()
        assert w.b.log().count("to=<wait1@") == 3 and w.b.log().count("to=<wait2@") == 1, w.b.log()


def another_way():
    """x-barid-route: in the words of route.via; a name that is gone later waits for it to come back."""
    with World("queue { retry = {1h} }\n") as w:
        w.send("a@far.example", fields="x-barid-route: other\r\n")
        assert w.other.messages(1)[0]["rcpts"][0]["path"] == "a@far.example"
        w.b.empty()
        # It is there when the message comes, and not when it is tried.
        base, more = w.b.extra, upstream("more", w.other.port) + 'pool "mine" { addresses = {"127.0.0.33"} }\n'
        w.b.write_conf(base + "queue { deliver = false }\n" + more)
        w.b.reload()
        w.send("b@far.example", fields="x-barid-route: more\r\n")
        w.send("c@far.example", fields="x-barid-route: other\r\nx-barid-source: mine\r\n")
        w.b.write_conf(base)
        w.b.reload()
        for words in ("the route of this message: there is no upstream", 'bind: "mine" is neither a pool nor an address'):
            line = w.b.deferred(words)
            assert "dsn=4.3.5" in line, line
        w.b.write_conf(base + more)
        w.b.reload()
        w.b.ctl("queue", "flush")
        w.other.messages(3)
        w.b.empty()
        assert w.far.messages() == []


def own_server():
    """H7: a message names its server, and how to log in there: over TLS, shown to nobody, and one login is not another's."""
    auth = ("--require-auth", "--auth", "u1:pass-one")
    with tempfile.TemporaryDirectory() as d:
        cert, key = certificate(d)
        with World("queue { retry = {1h} }\n") as w, Sink("--tls-cert", cert, "--tls-key", key, *auth) as own, \
                Sink(*auth) as clear:
            def fields(port, user="", password=""):
                login = f"x-mq-smarthost-username: {user}\r\nx-mq-smarthost-password: {password}\r\n"
                return f"x-mq-smarthost-hostname: 127.0.0.1\r\nx-mq-smarthost-port: {port}\r\n" + (login if user else "")
            # A server at this host is one that the configuration knows.
            w.b.write_conf(w.b.extra + upstream("own", own.port) + upstream("clear", clear.port))
            w.b.reload()
            # A login that fails is another way, and holds up none that is good.
            w.send("wrong@far.example", fields=fields(own.port, "u1", "pass-two"))
            w.b.deferred("535 5.7.8")
            w.send("u1@far.example", fields=fields(own.port, "u1", "pass-one"))
            # By sendmail, too; and without a login a server that needs none.
            w.b.sendmail("-f", SENDER, "u1@far.example", text=fields(own.port, "u1", "pass-one") + TEXT.format("x"))
            w.send("none@far.example", fields=fields(w.other.port))
            got = own.messages(2)
            assert all(m["auth"] == m["rcpts"][0]["path"].split("@")[0] and m["tls"] for m in got), got
            assert w.other.messages(1)[0]["rcpts"][0]["path"] == "none@far.example"
            w.b.ctl("queue", "delete", "--recipient", "wrong@")
            w.b.empty()
            assert not any(b"smarthost" in m["text"].lower() for m in got + w.other.messages())
            # No TLS, no login: it waits, whatever is shown of it does not show the password, and can be led elsewhere.
            w.send("wait-not@far.example", fields=fields(clear.port, "u1", "pass-one"))
            w.b.deferred("TLS")
            assert clear.messages() == [] and not any("AUTH " in line for line in clear.said()), clear.said()
            ident = w.b.spooled()[0][1]
            shown = [w.b.ctl(*args).stdout for args in (("queue", "show", ident), ("--json", "queue", "show", ident),
                     ("queue", "show", "--text", ident), ("--json", "queue"), ("explain", ident), ("top", "--once"))]
            assert any(f"smtp:127.0.0.1:{clear.port}" in text for text in shown), shown
            assert not any("pass-one" in text for text in (*shown, w.b.log())), shown
            w.b.ctl("queue", "move", "--route", "other", ident)
            w.other.messages(2)
            w.b.empty()
            assert w.far.messages() == []


def unknown():
    """A route or source that the configuration does not know refuses the message, however it comes."""
    with World('pool "app" { addresses = {"127.0.0.33"} }\n') as w:
        for field, why in (("x-barid-route: nobody", 'x-barid-route is no way that route.via can have: there is no upstream '
                            '"nobody", expected mx, '),
                           ("X-MQ-Pool: apps", "X-MQ-Pool is neither an address nor a pool of the configuration")):
            try:
                w.send("a@far.example", fields=field + "\r\n")
            except smtplib.SMTPDataError as e:
                assert e.smtp_code == 554 and e.smtp_error.decode().startswith("5.6.0 " + why), e
            else:
                raise AssertionError(f"taken: {field}")
            r = w.b.sendmail("a@far.example", text=field + "\nSubject: x\n\nx\n", check=False)
            assert r.returncode == 65 and r.stderr.decode().startswith("sendmail: " + why), r
            with open(f"{w.b.dir}/spool/drop/{field[:7]}.eml", "w", encoding="ascii") as f:
                f.write(f"From: {SENDER}\nTo: a@far.example\n{field}\n\nx\n")
            os.utime(f.name, (1, 1))
            wait_for("it in bad/", lambda f=f: not os.path.exists(f.name))
            wait_for("the reason", lambda why=why: ": " + why in w.b.log())
        assert len(os.listdir(w.b.dir + "/spool/bad")) == 2 and w.far.messages() == []


# ---- life ------------------------------------------------------------------------------

def null_sender():
    """Mail that nobody waits for has a shorter life, and ends in dead/ with an alarm."""
    with World("queue { retry = {500ms} lifetime = 1h bounce-lifetime = 2s }\n") as w:
        w.send("wait@far.example", sender="")
        w.send("wait@far.example")
        wait_for("one in dead/", lambda: sorted(p for p, _ in w.b.spooled()) == ["cur", "dead"])
        wait_for("the alarm", lambda: "can neither be delivered nor returned: kept in dead/" in w.b.log())
        assert w.origin.messages() == []


def behind_a_rate():
    """K6, N-16: what is parked and not tried at all has its notice by time, once, and its deadline."""
    n, later = 60, free_port(["127.0.0.1"])
    with World("queue { retry = {1s} delay-notice = {3s} runners = 1 }\n"
               "destination \"far\" { rate = 1 per = 1h }\n" +
               upstream("none", free_port(["127.0.0.1"])) + route("none.example", "none") +
               upstream("later", later) + route("later.example", "later")) as w, contextlib.ExitStack() as stack:
        for i in range(n):
            w.send(f"a{i}@far.example")
        # One who was put off, beside one who waits: a notice has both.
        w.send("both@far.example", "put-off@none.example")
        # ... and he is tried again, whoever else waits.
        w.b.send(SENDER, ["quiet@far.example", "later@later.example"], TEXT.format("x"), rcpt_options=["NOTIFY=NEVER"])
        wait_for("that he is put off", lambda: "to=<later@later.example>" in w.b.log())
        late = stack.enter_context(Sink(f"--port={later}"))
        w.b.send(SENDER, ["quiet@far.example"], TEXT.format("x"), rcpt_options=["NOTIFY=FAILURE"])
        w.send("late@far.example", fields="x-mq-maxdelivertime: +4s\r\n")
        w.far.messages(1)
        want = {(f"a{i}@far.example", "delayed", "4.4.5"): 1 for i in range(1, n)}
        want |= {("both@far.example", "delayed", "4.4.5"): 1, ("put-off@none.example", "delayed", "4.4.1"): 1,
                 ("late@far.example", "failed", "4.4.7"): 1}

        def reports():
            """Of each recipient what was said how often; of late@ there may be a notice as well."""
            told = collections.Counter()
            for m in w.origin.messages():
                m = email.message_from_bytes(m["text"])
                for status in m.get_payload()[1].get_payload()[1:]:
                    told[status["Final-Recipient"].split(";")[1].strip(), status["Action"], status["Status"]] += 1
            return told

        told = wait_for("the reports", lambda: len(w.origin.messages()) > n and set(want) <= set(found := reports()) and found, 60)
        gone = {r["path"] for m in w.far.messages() for r in m["rcpts"]}
        assert gone == {"a0@far.example"}, gone
        assert told.pop(("late@far.example", "delayed", "4.4.5"), 1) == 1
        assert told == want, told
        assert len(late.messages(1)) == 1
        # They keep their places, and it is written down that they had it: not again after a restart.
        w.b.stop()
        w.b.start()
        before = len(w.origin.messages())
        w.b.ctl("queue", "hold", "--all")
        wait_for("them to be held", lambda: {p for p, _ in w.b.spooled()} == {"hold"})
        assert len(w.origin.messages()) == before


def flushed():
    """What waits behind a rate is tried at once when an order says so, for those of it who were put off."""
    later = free_port(["127.0.0.1"])
    with World("queue { retry = {1h} runners = 1 idle-connection = 200ms }\ndestination \"far\" { rate = 1 per = 1h }\n" +
               upstream("later", later) + route("later.example", "later")) as w:
        w.send("first@far.example")
        w.far.messages(1)
        w.send("second@far.example", "later@later.example")
        wait_for("that he is put off", lambda: "to=<later@later.example>" in w.b.log())

        def parked():
            found = json.loads(w.b.ctl("--json", "top", "--once").stdout)["destinations"]
            return sum(d["parked"] for d in found)
        wait_for("it to stand behind the other", parked)
        with Sink(f"--port={later}") as late:
            w.b.ctl("queue", "flush")
            late.messages(1)
        wait_for("it to stand there again", parked)
        assert len(w.far.messages()) == 1


def held():
    with World("queue { retry = {1h} }\n") as w:
        w.send("wait@far.example")
        wait_for("it in cur/", lambda: [p for p, _ in w.b.spooled()] == ["cur"])
        name = w.b.spooled()[0][1]
        w.b.ctl("queue", "hold", name)
        wait_for("it in hold/", lambda: [p for p, _ in w.b.spooled()] == ["hold"])
        tries = w.b.log().count("to=<wait@")
        w.b.ctl("queue", "flush")
        w.send("b@far.example")
        w.far.messages(1)
        assert w.b.log().count("to=<wait@") == tries
        w.b.ctl("queue", "release", name)
        wait_for("another attempt", lambda: w.b.log().count("to=<wait@") > tries)


def mended():
    """A route is decided anew at each attempt: mending the configuration frees the queue."""
    with World("queue { retry = {1h} }\n") as w:
        dead = Sink()
        dead.stop()
        w.b.write_conf("queue { retry = {1h} }\n" + upstream("far", dead.port) + route("*", "far"))
        w.b.reload()
        for n in range(5):
            w.send(f"a{n}@far.example")
        wait_for("all put off", lambda: w.b.log().count("status=deferred") >= 5)
        w.b.write_conf("queue { retry = {1h} }\n" + w.routes)
        w.b.reload()
        w.b.ctl("queue", "flush")
        assert len(w.far.messages(5)) == 5
        w.b.empty()


def stopped():
    """C-18: SIGTERM while a peer owes the answer to the dot: what is in doubt stays, and goes out at the next start."""
    with World(rules=["DOT @1=store; stall"]) as w:
        w.send("a@far.example")
        w.far.messages(1)
        assert w.b.stop(signal.SIGTERM, timeout=60) == 0
        assert len(w.b.spooled()) == 1, w.b.spooled()
        assert "status=sent" not in w.b.log() and "status=bounced" not in w.b.log()
        w.b.start()
        # A duplicate is what a stop in this moment costs; never a loss.
        m = w.far.messages(2)
        assert m[0]["text"] == m[1]["text"]
        w.b.empty()


def main():
    for test in (who_may, refused, not_before, deadline, max_attempts, another_way, own_server, unknown, null_sender, behind_a_rate, flushed,
                 held, mended, stopped):
        if len(sys.argv) > 1 and test.__name__ not in sys.argv[1:]:
            continue
        start = time.monotonic()
        test()
        print(f"{test.__name__}: {time.monotonic() - start:.1f} s", flush=True)


main()
