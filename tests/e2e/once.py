# SPDX-License-Identifier: GPL-3.0-or-later
"""barid -q: what is in the queue is tried once, in the foreground, and the exit status says what is left (K11, K12)."""
import contextlib
import os
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Sink, program, route, upstream, wait_for  # noqa: E402

TEXT = "From: alice@example.test\nTo: {to}\nSubject: {subject}\n{more}\nhello\n"


class World:
    """A barid that does not run, and a smarthost."""

    def __init__(self, extra="", rules=()):
        self.sink = Sink(rules=rules)
        self.b = Barid(start=False, extra=extra + upstream("up", self.sink.port) + route("*", "up"))
        # The first run makes the directories.
        self.once(0)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.b.close()
        self.sink.stop()

    def submit(self, to, subject="x", more=""):
        self.b.sendmail("-f", "alice@example.test", to, text=TEXT.format(to=to, subject=subject, more=more))

    def once(self, code):
        r = subprocess.run([program("barid"), "-q", "-c", self.b.conf], capture_output=True, text=True, timeout=100,
                           env=self.b.env)
        assert r.returncode == code, (r, self.b.log())
        return r.stderr

    @contextlib.contextmanager
    def begun(self):
        """A run whose runner is there, while the smarthost stands still."""
        before = ready(self.b)
        self.sink.process.send_signal(signal.SIGSTOP)
        with subprocess.Popen([program("barid"), "-q", "-c", self.b.conf], stderr=subprocess.DEVNULL, env=self.b.env) as p:
            try:
                wait_for("the runner", lambda: ready(self.b) > before)
                yield p
            except BaseException:
                print(self.b.log()[-3000:])
                p.kill()
                raise
            finally:
                self.sink.process.send_signal(signal.SIGCONT)

    def subjects(self):
        return sorted(line for m in self.sink.messages() for line in m["text"].decode().split("\r\n")
                      if line.startswith("Subject: "))


def ready(b):
    return b.log().count(" is ready: ")


def all_goes():
    """Whatever came in while nothing ran, by sendmail or as a file, to others and to mailboxes here; also where mail waits."""
    with World("queue { deliver = false }\n") as w:
        for i in range(30):
            w.submit(f"u{i}@far.example", i)
        w.submit("bob@example.test")
        # Fresh: its writer may not be done, and that is waited for.
        with open(w.b.dir + "/spool/drop/one.eml", "w", encoding="ascii") as f:
            f.write(TEXT.format(to="eml@far.example", subject="eml", more=""))
        assert w.once(0) == ""
        assert w.subjects() == sorted([f"Subject: {i}" for i in range(30)] + ["Subject: eml"])
        assert len(w.b.mail("bob", 1)) == 1
        assert not w.b.spooled() and os.listdir(w.b.dir + "/spool/drop") == []
        # A sendmail that comes between runs is of the next one.
        w.submit("later@far.example", "later")
        w.once(0)
        assert "Subject: later" in w.subjects()


def some_is_left():
    """What is put off stays, with 75; what is refused is reported in the same run; the next run tries it, due or not."""
    # The first connection to the smarthost is that of the first attempt: what is refused has a server of its own.
    with Sink(rules=["RCPT=550 5.1.1 nobody"]) as no, World(
            "queue { retry = {1s} }\n" + upstream("no", no.port) + route("no.example", "no"),
            ["RCPT @1=450 4.2.1 not now"]) as w:
        w.submit("wait@far.example", "wait")
        w.submit("wrong@no.example", "wrong")
        assert "mail is left" in w.once(75)
        assert len(w.b.spooled()) == 1
        # Once: though a second is soon over.
        assert len([c for c in w.sink.said() if "RCPT TO:<wait" in c]) == 1, w.sink.said()
        assert b"5.1.1" in w.b.mail("alice", 1)[0]
        w.once(0)
        assert w.subjects() == ["Subject: wait"] and not w.b.spooled()


def looked_up():
    """Who stands for an address, and who has a .forward, is known a moment later: the same run delivers."""
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o755)
        with open(d + "/aliases", "w", encoding="ascii") as f:
            f.write("team: bob, far@far.example\n")
        with World(f'aliases = {{"{d}/aliases"}}\nrecipients {{ mailboxes = {{"file", "system"}} }}\n') as w:
            for _ in range(5):
                w.submit("team@example.test", "team")
                w.once(0)
            assert w.subjects() == ["Subject: team"] * 5 and len(w.b.mail("bob", 5)) == 5


def left_alone():
    """What is on hold, and what has an appointment."""
    with World("extract-headers = true\n") as w:
        w.submit("later@far.example", "appointment", "x-barid-not-before: +1h\n")
        w.once(75)
        assert w.subjects() == [] and len(w.b.spooled()) == 1
        w.b.start()
        w.b.ctl("queue", "hold", w.b.spooled()[0][1])
        # One runs already: nothing is taken from it.
        assert "another barid" in w.once(75)
        w.b.stop()
        w.once(0)
        assert w.subjects() == [] and [p for p, _ in w.b.spooled()] == ["hold"], w.b.spooled()


def disturbed():
    """Nothing is read anew half way; who is stopped before all was tried says that mail may be left."""
    with tempfile.TemporaryDirectory() as d:
        table = d + "/table"
        os.chmod(d, 0o755)

        def put(text):
            with open(table, "w", encoding="ascii") as f:
                f.write(text)

        put("")
        with World(f'rewrite "*" {{ table = "{table}" what = {{"envelope-recipient"}} }}\n') as w:
            w.submit("slow@far.example", "slow")
            with w.begun() as p:
                put("nobody@far.example bob@example.test\n")
                p.send_signal(signal.SIGHUP)
                wait_for("the signal", lambda: "reload -- not while" in w.b.log())
            assert p.returncode == 0, w.b.log()
            assert w.subjects() == ["Subject: slow"] and ready(w.b) == 2
            # A file whose writer may not be done is not in the queue yet; and once it is, nobody takes it.
            with open(w.b.dir + "/spool/drop/one.eml", "w", encoding="ascii") as f:
                f.write(TEXT.format(to="eml@far.example", subject="eml", more=""))
            with w.begun() as p:
                p.terminate()
                assert p.wait(100) == 75, w.b.log()
            w.once(0)
            assert "Subject: eml" in w.subjects()


def main():
    for test in (all_goes, some_is_left, looked_up, left_alone, disturbed):
        test()
        print(test.__name__, "ok", flush=True)


main()
