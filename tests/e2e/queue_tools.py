# SPDX-License-Identifier: GPL-3.0-or-later
"""baridctl and barid's own options: looking, steering, configuring, for people and for programs."""
import base64
import collections
import json
import os
import pty
import re
import signal
import subprocess
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, PASSWORD, Peer, ROOT, SRC, Wire, on_terminal, program, run, wait_for  # noqa: E402

USAGE, DATAERR, NOUSER, UNAVAILABLE, TEMPFAIL, NOPERM, CONFIG = 64, 65, 67, 69, 75, 77, 78


class Tools:
    def __init__(self, b, sink_dir):
        self.b = b
        self.out = sink_dir

    def json(self, *args):
        return json.loads(self.b.ctl("--json", *args).stdout)

    def queue(self, *args):
        return [json.loads(line) for line in self.b.ctl("--json", "queue", "list", *args).stdout.splitlines()]

    def ids(self, *args):
        return sorted(o["queue_id"] for o in self.queue(*args))

    def code(self, *args, **kw):
        r = self.b.ctl(*args, check=False, **kw)
        assert r.returncode == 0 or r.stderr or r.stdout, (args, r)
        return r.returncode

    def tries(self):
        """The attempts for each queue id."""
        return collections.Counter(re.findall(r"barid/smtp\[\d+\]: (\w+): to=", self.b.log()))

    def attempts(self, queue_id):
        return self.tries()[queue_id]

    def again(self, ids, before):
        """Waits until each of these was tried once more than BEFORE, and waits again."""
        wait_for("another attempt for each", lambda: (n := self.tries()) and all(n[i] > before[i] for i in ids))
        wait_for("the ends of the attempts", lambda: set(ids) <= set(self.ids("--state", "deferred")))

    def fill(self):
        """Messages that wait for a next hop: their ids by name."""
        found = {}
        for name, sender, rcpts in (("one", "alice", ["x@far.example"]), ("two", "alice", ["y@far.example"]),
                                    ("three", "bob", ["z@other.example"]),
                                    ("four", "bob", ["p@far.example", "q@other.example"])):
            self.b.send(f"{sender}@example.test", rcpts, f"Subject: {name}\r\n\r\ntext of {name}\r\n", "submission",
                        sender)
            found[name] = wait_for("the queue id", lambda: [i for i in self.ids() if i not in found.values()])[0]
        self.again(found.values(), collections.Counter())
        wait_for("the reasons", lambda: all(r.get("delay_reason") for o in self.queue() for r in o["recipients"]))
        return found


def status(t):
    text = t.b.ctl("status").stdout
    assert f"pid {t.b.process.pid}\n" in text and t.b.conf in text, text
    s = t.json("status")
    assert s["pid"] == t.b.process.pid and s["sessions"] == 0 and s["users"] == 2, s
    assert [h.split()[0] for h in s["helper"]].count("barid-auth") == 1
    assert any(h.startswith("barid-runner") for h in s["helper"])
    with Wire(t.b.port["smtp"]) as w:
        w.reply()
        s = t.json("status")
        assert s["sessions"] == 1 and len(s["session"]) == 1 and "127.0.0.1" in s["session"][0], s
    if ROOT:
        # Anybody may look at what runs and what waits, and no more.
        assert t.code("status", user=1) == 0
        assert t.code("queue", "list", user=1) == 0
        assert t.code("queue", "delete", "--all", user=1) == NOPERM
        assert t.code("queue", "flush", user=1) == NOPERM
        assert t.code("stop", user=1) == NOPERM and t.b.process.poll() is None


def full(t):
    """What cannot be printed is said, and shows in the exit status."""
    with open("/dev/full", "w") as out:
        r = subprocess.run([program("baridctl"), "-c", t.b.conf, "queue"], stdout=out, stderr=subprocess.PIPE, text=True,
                           check=False)
    assert r.returncode == 74 and "No space left" in r.stderr, r


def looking(t, ids):
    assert t.ids() == sorted(ids.values())
    assert t.ids("--domain", "far.example") == sorted(ids[n] for n in ("one", "two", "four"))
    assert t.ids("--sender", "bob@") == sorted(ids[n] for n in ("three", "four"))
    assert t.ids("--sender", "bob@", "--domain", "FAR.example") == [ids["four"]]
    assert t.ids(ids["two"]) == [ids["two"]] and t.ids("0123456789ABCDEF012") == []
    text = t.b.ctl("queue").stdout
    assert text == t.b.ctl("queue", "list").stdout and text.endswith(" in 4 Requests.\n"), text
    assert text.count("(450 4.2.0 not now)") == 4, text
    one = t.queue(ids["four"])[0]
    assert one["sender"] == "bob@example.test" and one["user"] == "bob" and one["queue_name"] == "deferred", one
    assert [r["address"] for r in one["recipients"]] == ["p@far.example", "q@other.example"]
    assert all(r["state"] == "queued" and r["status"] == "4.2.0" and "127.0.0.1" in r["relay"]
               for r in one["recipients"]), one
    shown = t.b.ctl("queue", "show", ids["one"]).stdout
    assert "x@far.example" in shown and "alice@example.test" in shown and "text of one" not in shown, shown
    assert "450 4.2.0 not now" in shown
    assert t.b.ctl("queue", "show", "--text", ids["one"]).stdout.endswith("\n\ntext of one\n")
    assert t.json("queue", "show", ids["one"])["queue_id"] == ids["one"]
    for args, want in ((["show"], USAGE), (["show", "xyz"], USAGE), (["show", "0123456789ABCDEF012"], DATAERR),
                       (["hold"], USAGE), (["delete"], USAGE), (["delete", "../../x"], USAGE), (["bounce"], USAGE),
                       (["delete", "0123456789ABCDEF012"], DATAERR), (["fold"], USAGE)):
        assert t.code("queue", *args) == want, args
    assert t.ids() == sorted(ids.values())


def chosen(t, ids):
    """Each filter, alone and with others; what is sorted, counted and summed up."""
    def names(*args):
        found = t.ids(*args)
        return sorted(n for n, i in ids.items() if i in found)

    everything = sorted(ids)
    for args, want in (
            (("--recipient", "q@"), ["four"]), (("--recipient", "@far.example"), ["four", "one", "two"]),
            (("--reason", "NOT NOW"), everything), (("--reason", "4.2"), everything), (("--reason", "4.2.1"), []),
            (("--reason", "refused"), []), (("--state", "deferred"), everything), (("--state", "hold,dead"), []),
            (("--state", "new,active,deferred"), everything), (("--route", "next"), everything), (("--route", "mx"), []),
            (("--older", "1h"), []), (("--newer", "1h"), everything), (("--sender", "<>"), []),
            (("--sender", "bob", "--recipient", "z@"), ["three"]), (("--domain", "far.example", "--recipient", "q@"), []),
            (("--newer", "1h", "--domain", "other.example", "--state", "deferred"), ["four", "three"])):
        assert names(*args) == want, (args, names(*args))
    order = sorted(ids.values())
    assert [o["queue_id"] for o in t.queue("--sort", "arrival")] == order
    assert [o["queue_id"] for o in t.queue("--sort", "-arrival", "--limit", "2")] == order[::-1][:2]
    assert len(t.queue("--limit", "3")) == 3
    by_sender = [o["sender"] for o in t.queue("--sort", "sender")]
    assert by_sender == sorted(by_sender), by_sender
    due = [o["next_attempt"] for o in t.queue("--sort", "next")]
    assert due == sorted(due), due
    assert t.b.ctl("queue", "list", "--count", "--sender", "bob").stdout == "2\n"
    assert t.json("queue", "list", "--count") == {"count": 4}
    s = t.json("queue", "list", "--summary")
    assert s["by"] == "recipient" and [(d["domain"], d["count"]) for d in s["domains"]] == \
        [("far.example", 3), ("other.example", 2)], s
    assert all(sum(d["ages"]) == d["count"] == d["ages"][0] for d in s["domains"]), s
    s = t.json("queue", "list", "--summary=sender")
    assert [(d["domain"], d["count"]) for d in s["domains"]] == [("example.test", 4)], s
    text = t.b.ctl("queue", "list", "--summary").stdout.split("\n")
    assert text[0].split() == ["T", "5", "10", "20", "40", "80", "160", "320", "640", "1280", "1280+"], text
    assert text[1].split()[:3] == ["TOTAL", "5", "5"] and text[2].split()[:2] == ["far.example", "3"], text
    assert t.b.ctl("queue").stdout.count("next attempt ") == 4
    for args in (["--state", "melted"], ["--older", "soon"], ["--sort", "colour"], ["--limit", "0"], ["--limit", "x"],
                 ["--summary=domain"], ["--at", "+1h"], ["--yes"], ["--all"]):
        assert t.code("queue", "list", *args) == USAGE, args
    for args in (["hold", "--text", ids["one"]], ["hold", "--at", "+1h", ids["one"]], ["retry", "--at", "someday"],
                 ["move", ids["one"]], ["move", "--route", "nowhere", ids["one"]], ["release", "--sort", "size"]):
        assert t.code("queue", *args) == USAGE, args
    # Ids and filters: those of the ids that the filters choose.
    assert t.json("queue", "hold", ids["one"], ids["three"], "--sender", "alice")["count"] == 1
    assert names("--state", "hold") == ["one"]
    before = t.tries()
    assert t.json("queue", "release", "--recipient", "x@far")["count"] == 1
    assert t.code("queue", "release", "--sender", "alice") == DATAERR
    t.again([ids["one"]], before)


def asked(t, ids):
    """At a terminal more than one message is not changed unasked."""
    def at_terminal(answer, *args):
        """What is shown, and the exit code."""
        pid, fd = pty.fork()
        if pid == 0:
            os.execv(program("baridctl"), ["baridctl", "-c", t.b.conf, *args])
        if answer:
            os.write(fd, answer)
        shown = b""
        while True:
            try:
                got = os.read(fd, 4096)
            except OSError:
                got = b""
            if not got:
                break
            shown += got
        os.close(fd)
        return shown, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    for args in (("--sender", "bob@"), ("--all",), (ids["one"], ids["two"])):
        for answer in (b"n\n", b"\n", b"\x04"):
            shown, code = at_terminal(answer, "queue", "hold", *args)
            assert code == TEMPFAIL and b" messages? [y/N] " in shown and b"nothing was changed" in shown, shown
    assert t.ids("--state", "hold") == []
    shown, code = at_terminal(b"y\n", "queue", "hold", "--sender", "bob@")
    assert code == 0 and b"hold 2 messages? [y/N]" in shown and b"2 messages\r\n" in shown, shown
    # One, and with --yes any, are not asked for; flush never.
    shown, code = at_terminal(b"", "queue", "release", ids["three"])
    assert code == 0 and b"?" not in shown and b"1 message\r\n" in shown, shown
    shown, code = at_terminal(b"", "queue", "release", "--all", "--yes")
    assert code == 0 and b"?" not in shown and b"1 message\r\n" in shown, shown
    before = t.tries()
    shown, code = at_terminal(b"", "queue", "flush")
    assert code == 0 and b"?" not in shown, shown
    t.again(ids.values(), before)


def steering(t, ids):
    def placed(name):
        return t.queue(ids[name])[0]["queue_name"]

    def try_again(*args, names):
        before = {n: t.attempts(ids[n]) for n in ids}
        t.b.ctl("queue", "flush", *args)
        for n in names:
            wait_for("another attempt for " + n, lambda: t.attempts(ids[n]) > before[n])
        return [n for n in ids if t.attempts(ids[n]) > before[n]]

    assert try_again(ids["two"], names=["two"]) == ["two"]
    assert try_again("--domain", "other.example", names=["three", "four"]) == ["three", "four"]
    # sendmail -q by sender, domain and id does the same.
    n = {k: t.attempts(v) for k, v in ids.items()}
    t.b.sendmail("-qSbob@")
    wait_for("an attempt for bob", lambda: t.attempts(ids["three"]) > n["three"])
    assert t.attempts(ids["one"]) == n["one"], "alice's was not asked for"
    # What is held is not tried, by flush or otherwise, and others are.  While it is tried it would be held later.
    wait_for("the ends of the attempts", lambda: len(t.ids("--state", "deferred")) == 4)
    assert t.json("queue", "hold", ids["one"], ids["three"]) == {"ok": True, "count": 2}
    assert placed("one") == placed("three") == "hold" and placed("two") == "deferred"
    assert re.search(rf"(?m)^{ids['one']}! ", t.b.ctl("queue").stdout)
    assert try_again(names=["two", "four"]) == ["two", "four"]
    # Held is held, also over a restart.
    t.b.stop()
    t.b.start()
    assert placed("one") == placed("three") == "hold"
    n = t.attempts(ids["one"])
    assert t.b.ctl("queue", "release", ids["one"]).stdout == "1 message\n"
    wait_for("an attempt of what was released", lambda: t.attempts(ids["one"]) > n)
    wait_for("the file of what was put off again", lambda: placed("one") == "deferred")
    assert t.json("queue", "hold", "--domain", "far.example")["count"] == 3
    assert t.json("queue", "release", "--all")["count"] == 4
    assert "hold" not in {o["queue_name"] for o in t.queue()}
    # Deleted is gone, and nobody is told; if it is tried just now, when that is over.
    assert t.json("queue", "delete", ids["two"])["count"] == 1
    wait_for("it to be gone", lambda: t.ids() == sorted(ids[n] for n in ("one", "three", "four")))
    # Returned: the sender is told.
    assert t.json("queue", "bounce", ids["three"])["count"] == 1
    report = t.b.mail("bob", 1)[0]
    assert b"Return-Path: <>" in report and b"multipart/report" in report and b"z@other.example" in report
    assert b"Action: failed" in report and b"Status: 5." in report, report
    assert re.search(rf"{ids['three']}: to=<z@other\.example>.*status=bounced", t.b.log())
    wait_for("the report to be off the spool", lambda: t.ids() == sorted(ids[n] for n in ("one", "four")))
    assert t.b.mailbox("alice") == []


def many(t):
    """An order for more than a request holds goes in portions, on both runners, and is one order all the same."""
    with t.b.smtp("submission", login="alice") as c:
        for _ in range(300):
            c.sendmail("alice@example.test", ["many@far.example"], "Subject: many\r\n\r\ntext\r\n")
    among = ("--recipient", "many@")
    wait_for("the attempts", lambda: len(t.ids("--state", "deferred", *among)) == 300, 60)
    others = len(t.ids()) - 300
    code, shown = on_terminal(program("baridctl"), "-c", t.b.conf, "queue", "hold", "--all", "--yes",
                              folder=t.b.dir)
    total = 300 + others
    assert code == 0 and f"{total} messages".encode() in shown and b"128 of %d" % total in shown, shown
    before = t.tries()
    assert t.json("queue", "release", "--all") == {"ok": True, "count": total}
    t.again(t.ids(), before)
    assert t.json("queue", "move", "--route", "unused", *among) == {"ok": True, "count": 300}
    assert t.json("queue", "delete", "--route", "unused") == {"ok": True, "count": 300}


def drain(t, ids, port):
    """The next hop lives again: a flush empties the queue."""
    with Peer("sinkd", "--port", str(port), "--out", t.out):
        t.b.ctl("queue", "flush")
        t.b.empty()
        wait_for("the messages", lambda: len([n for n in os.listdir(t.out) if n.endswith(".eml")]) >= 2)
        got = [open(f"{t.out}/{n}", "rb").read() for n in os.listdir(t.out) if n.endswith(".eml")]
        subjects = sorted(re.search(rb"Subject: (\w+)", m).group(1) for m in got)
        # "four" went to two domains over one upstream: once or twice, as each recipient needs.
        assert subjects in ([b"four", b"one"], [b"four", b"four", b"one"]), subjects
    assert t.b.ctl("queue").stdout == "Mail queue is empty\n" and t.queue() == []


def stopped(t):
    """Without a daemon one can look, and is told."""
    t.b.stop()
    assert t.b.ctl("queue").stdout == "Mail queue is empty\n"
    for args in (["status"], ["queue", "flush"], ["queue", "delete", "--all"], ["reload"], ["stop"]):
        r = t.b.ctl(*args, check=False)
        assert r.returncode == UNAVAILABLE and "barid is not running" in r.stderr, (args, r)
    t.b.start()
    assert t.b.ctl("stop").stdout == ""
    assert t.b.process.wait(40) == 0
    t.b.start()


# ---- the configuration ------------------------------------------------------------------

MISTAKES = [
    ('hostnam = "x"', 1, "hostname"), ('\n\nlimits { message-sise = 1MB }', 3, "message-size"),
    ('limits { message-size = "12QB" }', 1, "size"), ('listen "x" { service = "smpt" }', 1, "smtp"),
    ('listen "x" { service = "smtp" port = "70000" }', 1, "port"),
    ('access { relay = {"10.0.0.0/40"} }', 1, "10.0.0.0/40"),
    ('postmaster = "${nobody-set-this}"', 1, "nobody-set-this"), ('include("nothing-here.conf")', 1, "nothing-here"),
    ('hostname = "open', 1, ""),
    ('listen "x" { tls = "sometimes" }', 1, "starttls"), ('queue { lifetime = 5 bananas }', 1, ""),
    ('auth { backends = {"ftp://x"} }', 1, "ftp"), ("}", 1, ""),
]


def configuration(t):
    values = {o["name"]: o for o in t.json("config")}
    assert values["hostname"]["value"] in ('"mx.example.test"', "mx.example.test"), values["hostname"]
    assert values["hostname"]["file"] == t.b.conf and values["hostname"]["line"] == 1
    text = t.b.ctl("config").stdout
    assert re.search(rf"(?m)^hostname = .*mx\.example\.test.*# {re.escape(t.b.conf)}:1$", text), text
    assert len(text.splitlines()) == len(values) or len(text.splitlines()) >= 40
    assert "not-for-eyes" not in text and "not-for-eyes" not in json.dumps(list(values.values()))
    assert t.b.ctl("config", "check").stdout == "" and t.json("config", "check") == {"ok": True}
    barid = program("barid")
    r = subprocess.run([barid, "-t", "-c", t.b.conf], capture_output=True, text=True)
    # What leads nowhere is noted, and no mistake.
    assert (r.returncode, r.stdout) == (0, "") and \
        re.findall(r"(?m)^note: \S+:\d+: ([\w.]+): .*$", r.stderr) == ["upstream.unused", "route"], r
    r = subprocess.run([barid, "-T", "-c", t.b.conf], capture_output=True, text=True)
    assert r.returncode == 0 and r.stdout == text, r
    with open(t.b.conf) as f:
        good = f.read()
    path = t.b.dir + "/mistake.conf"
    for mistake, line, word in MISTAKES:
        with open(path, "w") as f:
            f.write(good + mistake + "\n")
        line += good.count("\n")
        for command in ([barid, "-t", "-c", path], [barid, "-f", "-c", path],
                        [program("baridctl"), "-c", path, "config", "check"], [program("sendmail"), "-C", path, "bob"]):
            r = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=20)
            # A message that sendmail cannot take now is its caller's to keep.
            code = TEMPFAIL if command[-1] == "bob" else CONFIG
            assert r.returncode == code and f"{path}:{line}: " in r.stderr and word in r.stderr, (mistake, r)
            assert r.stdout == ""
    # So does a certificate that cannot be loaded.
    with open(path, "w") as f:
        f.write(good.replace("localhost.pem", "nonexistent.pem"))
    ctl = [program("baridctl"), "-c", path]
    for command, said in (([barid, "-t", "-c", path], ""), ([*ctl, "config", "check"], ""),
                          ([*ctl, "--json", "config", "check"], '{"ok":false}\n')):
        r = subprocess.run(command, capture_output=True, text=True)
        assert r.returncode == CONFIG and r.stdout == said, r
        assert re.match(rf"{re.escape(path)}:\d+: tls\.certificate: .*nonexistent\.pem", r.stderr), r
    with open(path, "w") as f:
        f.write('hostnam = "x"\n' + good)
    r = subprocess.run([barid, "-t", "-c", path], capture_output=True, text=True)
    assert 'did you mean "hostname"' in r.stderr, r
    # Who mistypes is told what, and not all that there is.
    for args, said in ((["fold"], 'baridctl: there is no command "fold"'), (["queue", "fold"], "  queue [list]"), (["stop", "x"], "  reload|stop"),
                       (["status", "--all"], "  status "), (["passwd", "--all"], "  passwd --list"), (["--fold"], "--fold")):
        r = t.b.ctl(*args, check=False)
        assert r.returncode == USAGE and r.stdout == "" and said in r.stderr and "dnsbl" not in r.stderr, (args, r)
    summary = t.b.ctl("--help").stdout
    assert t.b.ctl(check=False).stderr == summary
    # The shell completes all of them.
    named = {word for names in re.findall(r"(?m)^  ([a-z0-9|-]+)", summary) for word in names.split("|")}
    shown = run("bash", "-c", f". {SRC}/etc/completion/baridctl; COMP_WORDS=(baridctl ''); COMP_CWORD=1; _baridctl; "
                "echo ${COMPREPLY[@]}").decode().split()
    assert named == {word for word in shown if not word.startswith("-")}, named ^ set(shown)
    for args in (["-z"], ["extra"], ["-c"]):
        assert subprocess.run([barid, *args], capture_output=True).returncode == USAGE, args
    # Another barid on the same spool does not start, and the first does not notice.
    r = subprocess.run([barid, "-f", "-c", t.b.conf], capture_output=True, text=True, timeout=20,
                       pass_fds=[s.fileno() for s in t.b.sockets.values()])
    assert r.returncode not in (0, CONFIG), r
    assert t.json("status")["pid"] == t.b.process.pid
    assert t.b.ctl("version").stdout.startswith("barid ") and "version" in t.json("version")
    assert t.b.ctl("--help").stdout.startswith("usage: ")
    for args in ([], ["nonsense"], ["--bogus"], ["status", "x"], ["passwd"], ["config", "x"], ["queue", "show", "a", "b"]):
        assert t.code(*args) == USAGE, args


def reload(t):
    def banner():
        with Wire(t.b.port["smtp"]) as w:
            return w.reply()

    with Wire(t.b.port["smtp"]) as w:
        assert b"mx.example.test" in w.reply()
        t.b.hostname = "new.example.test"
        t.b.write_conf()
        assert t.b.ctl("reload").stdout == ""
        wait_for("the new name", lambda: b"new.example.test" in banner())
        # A session keeps what it began with, and goes on.
        assert w.smtp("EHLO x").startswith(b"250-mx.example.test")
        # A mistake: baridctl says so and asks nobody; SIGHUP leaves all as it is.
        good = open(t.b.conf).read()
        with open(t.b.conf, "w") as f:
            f.write(good.replace("new.example.test", "newer.example.test") + "domians = {}\n")
        r = t.b.ctl("reload", check=False)
        line = good.count("\n") + 1
        assert r.returncode == CONFIG and f"{t.b.conf}:{line}: " in r.stderr, r
        t.b.process.send_signal(signal.SIGHUP)
        wait_for("the complaint", lambda: f"{t.b.conf}:{line}: " in t.b.log())
        assert b"new.example.test" in banner() and t.b.process.poll() is None
        t.b.write_conf()
        t.b.ctl("reload")
        assert w.smtp("NOOP").startswith(b"250")


def login(t, user, password):
    """Whether SMTP and POP3 let the user in: the same, by both."""
    with Wire(t.b.port["submissions"], True) as w:
        w.reply()
        w.smtp("EHLO x")
        code = w.smtp("AUTH PLAIN " + base64.b64encode(f"\0{user}\0{password}".encode()).decode())[:3]
        assert code in (b"235", b"535"), code
        smtp = code == b"235"
    with Wire(t.b.port["pop3s"], True) as w:
        w.line()
        w.cmd("USER " + user)
        pop3 = w.cmd("PASS " + password).startswith(b"+OK")
    assert smtp == pop3, (user, smtp, pop3)
    return smtp


def app_passwords(t):
    """More passwords for a user, which can be taken away one by one."""
    def made(app, user="alice"):
        out = t.b.ctl("passwd", "--app", app, user).stdout
        assert re.fullmatch(rf"{user}/{app}: (added|changed), the password is\n([a-z2-9]{{4}}-){{3}}[a-z2-9]{{4}}\n", out), out
        return out.split("\n")[1]

    def listed(*args):
        found = json.loads(t.b.ctl("--json", "passwd", "--list", *args).stdout)
        return {(x["user"], x["app"]): (x["stored"], x["last_used"] is not None) for x in found}

    phone, desk = made("phone"), made("desk top")
    assert login(t, "alice", phone) and login(t, "alice", desk) and login(t, "alice", PASSWORD)
    assert not login(t, "bob", phone)
    assert listed("alice") == {("alice", ""): ("hash", True), ("alice", "phone"): ("scram", True),
                               ("alice", "desk top"): ("scram", True)}
    again = made("phone")
    assert again != phone and login(t, "alice", again) and not login(t, "alice", phone)
    assert t.b.ctl("passwd", "--revoke", "phone", "alice").stdout == "alice/phone: removed\n"
    assert not login(t, "alice", again) and login(t, "alice", desk)
    assert re.search(r"sasl_app=desk top", t.b.log()) and "app=phone" in t.b.log()
    assert listed("bob") == {("bob", ""): ("hash", listed()[("bob", "")][1])}
    # The user's own may change; a user who is removed has no app passwords.
    assert t.b.ctl("passwd", "--scram", "alice", input="scrambled\n").stdout == "alice: changed\n"
    assert login(t, "alice", "scrambled") and login(t, "alice", desk)
    lines = [x for x in t.b.read(t.b.dir + "/users").splitlines() if x.startswith("alice")]
    assert len(lines) == 2 and len({x.split(",")[1] for x in lines}) == 1, "one salt, so that SCRAM can be by both"
    t.b.ctl("passwd", "--plain", "eve", input="as it is\n")
    assert "eve:{PLAIN}as it is\n" in t.b.read(t.b.dir + "/users") and listed("eve")[("eve", "")] == ("plain", False)
    made("phone", "eve")
    t.b.ctl("passwd", "-d", "eve")
    assert "eve" not in t.b.read(t.b.dir + "/users")
    for args, code in ((("--app", "x", "nobody"), NOUSER), (("--revoke", "x", "alice"), NOUSER),
                       (("--list", "nobody"), NOUSER), (("--app", "a/b", "alice"), DATAERR), (("--app", "", "alice"), DATAERR),
                       (("--app", "x", "--revoke", "x", "alice"), USAGE), (("--scram", "--plain", "alice"), USAGE),
                       (("--scram", "-d", "alice"), USAGE), ((), USAGE)):
        assert t.code("passwd", *args, input="x\n") == code, args
    assert t.code("passwd", "--scram", "alice", input="\u00fcber\n") == DATAERR
    assert t.code("passwd", "--plain", "alice", input=" x\n") == DATAERR
    t.b.ctl("passwd", "--revoke", "desk top", "alice")
    t.b.ctl("passwd", "alice", input=PASSWORD + "\n")


def passwd(t):
    def set_password(user, password, code=0, *args):
        r = t.b.ctl("passwd", *args, user, check=False, input=password + "\n")
        assert r.returncode == code, r
        assert password not in r.stdout + r.stderr or not password
        return r.stdout

    pid = t.b.process.pid
    assert not login(t, "carol", "first pass")
    assert set_password("carol", "first pass") == "carol: added\n"
    assert login(t, "carol", "first pass") and not login(t, "carol", "first")
    assert set_password("carol", "second: \u00fc ") == "carol: changed\n"
    assert login(t, "carol", "second: \u00fc ") and not login(t, "carol", "first pass")
    assert login(t, "alice", PASSWORD)
    # Mail for her is taken too, at the latest when the master looks again.

    def taken():
        with Wire(t.b.port["smtp"]) as w:
            w.reply()
            w.smtp("EHLO x")
            w.smtp("MAIL FROM:<x@elsewhere.example>")
            return w.smtp("RCPT TO:<carol@example.test>").startswith(b"250")

    wait_for("the new mailbox", taken)
    st = os.stat(t.b.dir + "/users")
    assert st.st_mode & 0o777 == 0o600 and st.st_uid == os.geteuid()
    text = t.b.read(t.b.dir + "/users")
    assert "second" not in text and len(text.splitlines()) == 3
    assert json.loads(set_password("dave", "a b", 0, "--json")) == {"ok": True, "user": "dave", "change": "added"}
    assert json.loads(set_password("dave", "", 0, "-d", "--json"))["change"] == "removed"
    assert set_password("carol", "", 0, "-d") == "carol: removed\n"
    assert not login(t, "carol", "second: \u00fc ")
    set_password("carol", "", NOUSER, "-d")
    set_password("dave", "", DATAERR)
    for name in ("a:b", "../x", "a\nb", "", "-x", "x" * 65, "\u00fc"):
        assert t.code("passwd", "--", name, input="x\n") in (DATAERR, USAGE), name
    if ROOT:
        assert t.code("passwd", "alice", input="stolen\n", user=1) != 0 and login(t, "alice", PASSWORD)
    app_passwords(t)
    # Many at once lose no change.
    jobs = [subprocess.Popen([program("baridctl"), "-c", t.b.conf, "passwd", f"many{n}"], stdin=subprocess.PIPE,
                             stdout=subprocess.DEVNULL) for n in range(8)]
    for n, job in enumerate(jobs):
        job.communicate(f"many {n}\n".encode())
        assert job.returncode == 0
    lines = t.b.read(t.b.dir + "/users").splitlines()
    assert sorted(x.split(":")[0] for x in lines) == sorted(["alice", "bob", *(f"many{n}" for n in range(8))])
    assert login(t, "many7", "many 7") and t.b.process.pid == pid and t.b.log().count("reload") == 0


def main():
    with Barid(start=False) as b:
        out = b.dir + "/sink"
        os.mkdir(out)
        with Peer("sinkd", "--out", out, "--rule", "RCPT=450 4.2.0 not now") as sink:
            port = sink.port
            b.write_conf(f'upstream "next" {{ server "127.0.0.1" {{ port = {port} }} }}\n'
                         'queue { retry = {1h} }\n'
                         'upstream "unused" { server "127.0.0.2" { user = "u" password = "not-for-eyes" } }\n'
                         'route "far.example" { via = "next" }\nroute "other.example" { via = "next" }\n')
            b.start()
            t = Tools(b, out)
            passwd(t)
            b.set_users(b.users)
            b.stop()
            b.start()
            status(t)
            configuration(t)
            ids = t.fill()
            looking(t, ids)
            full(t)
            chosen(t, ids)
            asked(t, ids)
            many(t)
            steering(t, ids)
        drain(t, ids, port)
        stopped(t)
        reload(t)


main()
