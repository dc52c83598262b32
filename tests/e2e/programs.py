# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail to programs (pipe:): what they get, what their end means, and what a kill in the middle costs (S-31, P-09, P-10)."""
import contextlib
import glob
import json
import os
import pwd
import random
import re
import shutil
import signal
import socket
import sys
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import ROOT, USER, Barid, need, program, run, wait_for  # noqa: E402
from channeltest import TYPES, frame, steal  # noqa: E402
from journaltest import World as Journal  # noqa: E402

RELAY = ("127.0.0.0/8",)
SENDER = "alice@example.test"
TEXT = "From: alice@example.test\r\nTo: x@list.test\r\nSubject: x\r\n\r\nhello\r\n.dot\r\n"

# What it is given goes into a file of its own; the end it comes to stands in the file "end", if there is one.
PROGRAM = """#!/usr/bin/python3
import glob, json, os, signal, sys, time
folder = os.path.dirname(sys.argv[0])
me = f"{folder}/got/{os.getpid()}-{time.monotonic_ns()}"
def say(**what):
    with open(me + ".tmp", "w") as f:
        json.dump(what, f)
    os.rename(me + ".tmp", me)
started = dict(args=sys.argv[1:], env=dict(os.environ), pid=os.getpid(), uid=os.getuid(), groups=os.getgroups(),
               cwd=os.getcwd(), umask=os.umask(0o77), pgid=os.getpgid(0), files=sorted(os.listdir("/proc/self/fd")),
               privs=[l for l in open("/proc/self/status") if l.startswith("NoNewPrivs")][0].split()[1])
if os.path.exists(folder + "/held"):
    say(begun=True, **started)
    while os.path.exists(folder + "/held"):
        time.sleep(0.02)
text = sys.stdin.buffer.read().decode("latin-1")
say(text=text, **started)
try:
    exec(open(folder + "/end").read())
except FileNotFoundError:
    pass
"""


class Programs:
    """A barid with a program behind list.test, many.test (all at once) and bare.test (no arguments)."""

    def __init__(self, args="${sender} ${recipient} ${user} ${extension} ${domain}", extra="", limits=""):
        self.b = Barid(relay=RELAY, start=False)
        self.folder = self.b.dir + "/programs"
        os.makedirs(self.folder + "/got")
        self.path = self.folder + "/take"
        with open(self.path, "w", encoding="utf-8") as f:
            f.write(PROGRAM)
        os.chmod(self.path, 0o755)
        for p in (self.folder, self.folder + "/got"):
            os.chmod(p, 0o777)
        self.b.write_conf("queue { retry = {1h} runners = 2 }\n" + (f"limits {{ {limits} }}\n" if limits else "") +
                          f'route "list.test" {{ via = "pipe:{self.path} {args}" }}\n'
                          f'route "many.test" {{ via = "pipe:{self.path} -- ${{recipients}}" }}\n'
                          f'route "gone.test" {{ via = "pipe:{self.folder}/nothing" }}\n' + extra)

    def got(self, count=0, begun=False):
        """Waits for COUNT runs that have read all, or begun; what they were given, oldest first."""
        def look():
            found = []
            for p in sorted(glob.glob(self.folder + "/got/*[0-9]"), key=lambda p: int(p.split("-")[-1])):
                with open(p, encoding="utf-8") as f:
                    found.append(json.load(f))
            return [g for g in found if begun or "text" in g]
        wait_for(f"{count} runs", lambda: len(look()) >= count)
        return look()

    def forget(self):
        for p in glob.glob(self.folder + "/got/*"):
            os.unlink(p)

    def end(self, code):
        with open(self.folder + "/end.tmp", "w", encoding="utf-8") as f:
            f.write(code)
        os.rename(self.folder + "/end.tmp", self.folder + "/end")

    def hold(self, held=True):
        if held:
            open(self.folder + "/held", "w", encoding="utf-8").close()
        else:
            os.unlink(self.folder + "/held")

    def helper(self, name="barid-spawn"):
        """The processes of that program, the oldest first; workers are its children."""
        return sorted(p for p in self.b.processes() if self.b.read(f"/proc/{p}/comm").strip() == name)

    def __enter__(self):
        self.b.start()
        return self

    def __exit__(self, *exc):
        with contextlib.suppress(FileNotFoundError):
            self.hold(False)
        self.b.__exit__(*exc)


def told():
    """What a program is told, and how it is run; the log, a success report, baridctl explain, sendmail -bv."""
    with Programs() as w:
        b = w.b
        with b.smtp() as c:
            c.ehlo()
            c.mail(SENDER, ["RET=HDRS"])
            assert c.rcpt("bob+x@list.test", ["NOTIFY=SUCCESS"])[0] == 250
            assert c.data(TEXT)[0] == 250
        g = w.got(1)[0]
        assert g["args"] == [SENDER, "bob+x@list.test", "bob", "x", "list.test"], g
        head = "Return-Path: <alice@example.test>\nDelivered-To: bob+x@list.test\nReceived: "
        assert g["text"].startswith(head) and g["text"].endswith("\n\nhello\n.dot\n") and "\r" not in g["text"], g
        # P-10: nothing is inherited; the fourth is that of the list itself.
        assert g["files"] == ["0", "1", "2", "3"] and g["cwd"] == "/" and g["umask"] == 0o77 and g["privs"] == "1", g
        env = g["env"]
        assert set(env) - {"TZ", "LANG", "LC_CTYPE"} == {
            "PATH", "HOME", "LOGNAME", "USER", "SHELL", "SENDER", "RECIPIENT", "LOCAL", "EXTENSION", "DOMAIN",
            "CLIENT_ADDRESS", "QUEUE_ID"}, env
        assert env["SENDER"] == SENDER and env["RECIPIENT"] == "bob+x@list.test" and env["LOGNAME"] == USER, env
        assert env["CLIENT_ADDRESS"] == "127.0.0.1" and re.fullmatch("[0-9A-F]{19}", env["QUEUE_ID"]), env
        assert g["pgid"] == g["pid"] and g["groups"] == [] or not ROOT, g
        report = b.mail("alice", 1)[0].decode()
        assert "Action: delivered" in report and "Final-Recipient: rfc822; bob+x@list.test" in report, report
        b.empty()
        assert re.search(r"barid/pipe\[\d+\]: [0-9A-F]{19}: to=<bob\+x@list\.test>, relay=pipe, .*dsn=2\.0\.0, "
                         rf"status=sent \(delivered to program {w.path}\)", b.log()), b.log()[-3000:]
        said = b.ctl("explain", "bob@list.test").stdout
        assert f"a program of this host: {w.path} ${{sender}}" in said and f'as "{USER}", once for each recipient' in said, said
        assert "barid.conf:" in said, said
        # The null sender has a name here, and lists of the queue know the way.
        b.send("", ["carol@list.test"], TEXT)
        g = w.got(2)[1]
        assert g["args"][0] == "MAILER-DAEMON" and g["text"].startswith("Return-Path: <>\n"), g


def shell():
    """S-31: what a shell would run is octets of an argument, and harmless in a variable."""
    mark = "/tmp/barid-no-such-mark"
    senders = ['";sleep 66;"@x.test', '"$(id)"@x.test', "`id`@x.test", f'"() {{ :;}}; touch {mark}"@x.test', "${run{/bin/touch}}@x.test"]
    with Programs("-f${sender} ${recipient}") as w:
        for s in senders:
            w.forget()
            with w.b.smtp() as c:
                c.ehlo()
                assert c.docmd(f"MAIL FROM:<{s}>")[0] == 250, s
                assert c.docmd(f'RCPT TO:<"$(touch {mark})"@list.test>')[0] == 250
                assert c.data(f"Subject: () {{ :;}}; touch {mark}\r\n\r\n`touch {mark}`\r\n")[0] == 250
            g = w.got(1)[0]
            assert g["args"] == ["-f" + s, f'"$(touch {mark})"@list.test'], g
            assert not re.search(r"[`$(){}; \"]", g["env"]["SENDER"] + g["env"]["RECIPIENT"] + g["env"]["LOCAL"]), g["env"]
        w.b.empty()
        assert not os.path.exists(mark)
    # No address is an option.
    with Programs("${sender} ${recipient}") as w:
        for s, r in (("-oQ/tmp@example.test", "x@list.test"), (SENDER, "-bd@list.test")):
            w.b.send(s, [r], TEXT)
        wait_for("both", lambda: w.b.log().count("dsn=5.1.3, status=bounced") == 2)
        assert w.got() == []


def ends():
    """Exit statuses, codes in the output, signals, a program that is not there, one that reads nothing."""
    with Programs() as w:
        b = w.b
        for i, (end, status, outcome, words) in enumerate((
                ("print('no bob here'); print('more'); sys.exit(67)", "5.1.1", "bounced", "user unknown. Command output: no bob here"),
                ("print('4.2.2 mailbox full', file=sys.stderr); sys.exit(1)", "4.2.2", "deferred", "mailbox full"),
                ("sys.exit(75)", "4.3.0", "deferred", "temporary failure"),
                ("sys.exit(69)", "5.3.0", "bounced", "service unavailable"),
                ("print('x' * 1000000); sys.exit(75)", "4.3.0", "deferred", "temporary failure. Command output: " + "x" * 400 + ")"),
                ("print(); print('a\\x1b[2Jb'); sys.exit(77)", "5.7.0", "bounced", "permission denied. Command output: a?[2Jb"),
                ("os.kill(os.getpid(), signal.SIGSEGV)", "4.3.0", "deferred", "was killed by signal 11"))):
            w.end(end)
            b.send(SENDER, [f"n{i}@list.test"], TEXT)
            line = wait_for(end, lambda n=i: re.search(rf"to=<n{n}@list\.test>.*", b.log())).group()
            assert f"relay=pipe, " in line and f"dsn={status}, status={outcome}" in line and words in line, line
        reports = [m.decode() for m in b.mail("alice", 3)]
        one = next(r for r in reports if "n0@list.test" in r)
        assert "Status: 5.1.1" in one and "no bob here" in one and "Action: failed" in one, one
        b.send(SENDER, ["x@gone.test"], TEXT)
        assert "dsn=4.3.5" in b.deferred("the program was not run: ")
        assert "No such file or directory" in b.deferred("nothing: ")
        # What waits is given to it as soon as it behaves.
        w.end("")
        w.forget()
        b.ctl("queue", "flush")
        w.got(4)
        wait_for("the rest", lambda: len(b.spooled()) == 1)


def big():
    """More than a pipe holds, both ways; a program that does not read; several at once, or each alone."""
    with Programs() as w:
        b, text = w.b, TEXT + "x" * 70 + "\r\n"
        text += ("y" * 76 + "\r\n") * 40000
        w.end("sys.stdout.write('z' * 300000)")
        b.send(SENDER, ["x@list.test"], text)
        assert w.got(1)[0]["text"].endswith(text.replace("\r\n", "\n").split("\n\n", 1)[1])
        b.empty()
        rcpts = [f"r{i}@many.test" for i in range(150)]
        w.forget()
        b.send(SENDER, rcpts, TEXT)
        runs = w.got(2)
        assert sorted(sum((g["args"][1:] for g in runs), [])) == sorted(rcpts) and len(runs) == 2, runs
        assert all("RECIPIENT" not in g["env"] and "Delivered-To" not in g["text"] for g in runs)
        w.forget()
        b.send(SENDER, [f"r{i}@list.test" for i in range(30)], TEXT)
        assert len({g["args"][1] for g in w.got(30)}) == 30
        b.empty()
    # One that has seen enough of it is as good as one that reads all.
    b = Barid(relay=RELAY, extra='route "true.test" { via = "pipe:/bin/true" }\n')
    with b:
        b.send(SENDER, ["x@true.test"], text)
        b.empty()
        assert "delivered to program /bin/true" in b.log()


def limits():
    """So many at once for all runners, and no longer than allowed: then it dies with its children."""
    with Programs(limits="programs = 3") as w:
        b = w.b
        w.hold()
        b.send(SENDER, [f"x{i}@list.test" for i in range(12)], TEXT)
        w.got(3, begun=True)
        # With two runners; and nobody else is held up.
        b.send(SENDER, ["bob@example.test"], TEXT)
        b.mail("bob", 1)
        assert len(w.got(begun=True)) == 3
        top = b.ctl("top", "--once", check=False)
        w.hold(False)
        w.got(12)
        b.empty()
        assert top.returncode != 0 or "list.test" in top.stdout, top.stdout
    # It may be killed before it has said whom it made: then it is run once more.
    with Programs(limits="program-time = 2s", extra="queue { retry = {1s} }\n") as w:
        w.end("p = os.fork()\nif p == 0:\n    say(child=os.getpid(), text='')\n    time.sleep(1000)\ntime.sleep(1000)")
        w.b.send(SENDER, ["x@list.test"], TEXT)
        child = next(g for g in wait_for("the child", lambda: [g for g in w.got() if "child" in g]))["child"]
        assert "dsn=4.3.0" in w.b.deferred("took too long and was killed")
        wait_for("the end of both", lambda: not os.path.exists(f"/proc/{child}"))


def kills():
    """barid-spawn, a worker, a runner and all of it are killed in the middle: nothing is lost, and little is twice."""
    with Programs() as w:
        b = w.b
        w.hold()
        b.send(SENDER, ["one@list.test"], TEXT)
        w.got(1, begun=True)
        main = w.helper()[0]
        # The helper: what runs goes on.
        os.kill(main, signal.SIGKILL)
        wait_for("another", lambda: (p := w.helper()) and main not in p and len(p) >= 2)
        w.hold(False)
        b.empty()
        assert len(w.got()) == 1 and "status=deferred" not in b.log()
        # The worker: the program goes along, and the mail waits.
        w.forget()
        w.hold()
        b.send(SENDER, ["two@list.test"], TEXT)
        pid = w.got(1, begun=True)[0]["pid"]
        os.kill(w.helper()[-1], signal.SIGKILL)
        b.deferred("barid-spawn, which runs the program, was lost")
        wait_for("the end of the program", lambda: not os.path.exists(f"/proc/{pid}"))
        w.hold(False)
        b.ctl("queue", "flush")
        b.empty()
        assert len(w.got()) == 1
        # The runner: the program is ended, since it will be run again.
        w.forget()
        w.hold()
        b.send(SENDER, ["three@list.test"], TEXT)
        pid = w.got(1, begun=True)[0]["pid"]
        for p in w.helper("barid-runner"):
            os.kill(p, signal.SIGKILL)
        wait_for("the end of the program", lambda: not os.path.exists(f"/proc/{pid}"))
        w.got(2, begun=True)
        w.hold(False)
        b.empty()
        assert len(w.got()) == 1
        # All of it.
        w.forget()
        w.hold()
        b.send(SENDER, ["four@list.test"], TEXT)
        pid = w.got(1, begun=True)[0]["pid"]
        b.kill()
        wait_for("the end of the program", lambda: not os.path.exists(f"/proc/{pid}"))
        w.hold(False)
        b.start()
        b.empty()
        assert len(w.got()) == 1


def hostile():
    """P-09: what a runner that was taken over could send; nothing but what is configured runs, and others are served."""
    if not ROOT:
        return
    kind, ident = TYPES, b"660C67A67B8FA01BCE7"
    with Programs() as w, open(w.b.dir + "/text", "w+b") as text:
        text.write(b"Subject: mine\r\n\r\nx\r\n")
        text.flush()
        via = f"pipe:{w.path} ${{sender}} ${{recipient}} ${{user}} ${{extension}} ${{domain}}".encode()
        # The seventh that a runner inherits is the way to barid-spawn.
        channel = steal(wait_for("a runner", lambda: w.helper("barid-runner"))[0])[9]

        def request(route=0, via=via, at=0, size=20, sender=b"a@b.test", rcpts=(b"c@list.test",), what=0,
                    who=b""):
            return frame(kind["MSG_SPAWN"], (1, route), (2, via), (3, ident), (4, at), (5, size), (6, sender), (7, b""),
                         (8, b""), *((9, r) for r in rcpts), (10, what), (11, 0), (12, 0), (13, who))

        def ask(packet, pass_fd=text.fileno(), hint=ident):
            """The end and the text of the answer; b"" if there is none."""
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            ours.settimeout(60)
            if pass_fd is not None:
                socket.send_fds(ours, [frame(kind["MSG_HINT"], (1, hint))], [pass_fd])
            socket.send_fds(channel, [packet], [theirs.fileno()])
            theirs.close()
            got = b""
            with ours, contextlib.suppress(ConnectionResetError):
                got = ours.recv(65536)
            return (int.from_bytes(got[14:22], "big"), got[42:].decode()) if got else b""

        good = request()
        assert ask(good) == (0, "") and "mine" in w.got(1)[0]["text"]
        # Broken frames have no answer.
        rng = random.Random(1)
        for n in range(300):
            cut = bytearray(good[:rng.randrange(1, len(good))] if n % 2 else good)
            cut[rng.randrange(min(len(cut), 8))] ^= 1 << rng.randrange(8)
            assert ask(bytes(cut)) == b"", cut
        for junk in (b"x", b"\0" * 60000, frame(kind["MSG_STS"], (1, b"x"), (2, b"")), good + b"x", request(rcpts=()),
                     request(route=99), request(route=1 << 63), request(rcpts=[b"c@list.test"] * 101), request(what=3), frame(kind["MSG_FORWARD"], (1, b"../root"))):
            assert ask(junk) == b"", junk[:80]
        # Whole ones that ask for what is not configured, or are no mail.
        for bad in (request(via=b"pipe:/bin/sh -c id"), request(route=1), request(sender=b"a\nb@c"), request(sender=b"a\0b@c"),
                    request(rcpts=(b"",)), request(rcpts=(b"c@list.test", b"d@list.test")), request(sender=b"x" * 30000),
                    request(size=1 << 40), request(at=1 << 63), request(at=19), request(size=(1 << 64) - 1)):
            end, words = ask(bad)
            assert end == 3 and ("broken" in words or "without its message" in words), (end, words, bad[:80])
        # No alias has it, and no account may: root has no mail of its own.
        for bad, why in ((request(what=1, via=b"p00000000000a"), "leads there no more"), (request(what=1, via=b"/bin/sh"), "leads there no more"),
                         (request(what=2, via=b"P00000000000a", who=b"root"), "no such account")):
            end, words = ask(bad)
            assert end == 3 and why in words, (end, words)
        for what in (os.pipe()[0], os.open("/", os.O_PATH), channel.fileno()):
            assert ask(good, what)[0] == 3
        assert ask(good, hint=b"660C67A67B8FA01BCE8")[0] == 3
        assert ask(good) == (0, "") and len(w.got(2)) == 2
        w.b.send(SENDER, ["x@list.test"], TEXT)
        assert "hello" in w.got(3)[2]["text"]
        w.b.empty()


def stopped():
    """A reload and a stop wait for a program that ends soon; what has a new program goes there."""
    with Programs() as w:
        b = w.b
        w.hold()
        b.send(SENDER, ["one@list.test"], TEXT)
        w.got(1, begun=True)
        b.process.send_signal(signal.SIGHUP)
        old = w.helper()[0]
        w.hold(False)
        wait_for("another helper", lambda: (p := w.helper()) and old not in p)
        b.empty()
        assert len(w.got()) == 1, w.got()
        shutil.copy(w.path, w.folder + "/other")
        b.write_conf(b.extra.replace("/take ", "/other new "))
        b.reload()
        b.send(SENDER, ["two@list.test"], TEXT)
        assert w.got(2)[1]["args"][0] == "new"
        b.empty()


def accounts():
    """run-as: another account, with nothing of ours; who is not there is a mistake of the file."""
    if not ROOT:
        return
    run_as = "bin"
    with Programs(extra="") as w:
        b = w.b
        b.write_conf(b.extra.replace('${domain}" }', f'${{domain}}" run-as = "{run_as}" }}'))
        b.reload()
        b.send(SENDER, ["x@list.test"], TEXT)
        g = w.got(1)[0]
        assert g["uid"] == pwd.getpwnam(run_as).pw_uid and g["groups"] == [] and g["env"]["LOGNAME"] == run_as, g
        assert g["text"].endswith("\nhello\n.dot\n") and g["privs"] == "1"
        b.empty()
        for bad, words in (("nosuchaccount", "there is no account"), ("root", "no program is run as root")):
            b.write_conf(b.extra.replace(f'"{run_as}"', f'"{bad}"'))
            said = run(program("barid"), "-t", "-c", b.conf, code=78).decode()
            assert words in said, said
            b.write_conf(b.extra.replace(f'"{bad}"', f'"{run_as}"'))


def sections():
    """A section recipient that leads to a program, and a list that leads to that section."""
    with Programs() as w:
        b, account = w.b, "bin" if ROOT else USER
        b.write_conf(b.extra + f'recipient "robot+*@example.test" {{ via = "pipe:{w.path} ${{user}} ${{extension}}"'
                     f' run-as = "{account}" }}\n'
                     'recipient "both@example.test" { forward = {"robot+list@example.test", "bob@example.test"} }\n')
        b.reload()
        b.send(SENDER, ["robot+x@example.test"], TEXT)
        g = w.got(1)[0]
        assert g["args"] == ["robot", "x"] and g["uid"] == pwd.getpwnam(account).pw_uid, g
        b.send(SENDER, ["both@example.test"], TEXT)
        assert sorted(g["args"] for g in w.got(2)) == [["robot", "list"], ["robot", "x"]]
        b.mail("bob", 1)
        b.empty()
        said = b.ctl("explain", "robot+x@example.test").stdout
        assert f'{w.path} ${{user}} ${{extension}}, as "{account}", once for each' in said, said
        w.end("print('full'); sys.exit(75)")
        b.send(SENDER, ["robot+y@example.test"], TEXT)
        assert "dsn=4.3.0" in b.deferred("full")
        w.end("")
        b.ctl("queue", "flush")
        b.empty()


def journal():
    """The journal says delivered, deferred and bounced, and closes."""
    with contextlib.ExitStack() as stack:
        w = Programs()
        stack.callback(shutil.rmtree, w.b.dir, True)
        j = Journal(extra=w.b.extra.replace("queue { retry = {1h} runners = 2 }\n", ""))
        stack.enter_context(j)
        ident = j.send("a@list.test", "b@list.test")
        j.b.empty()
        lines = j.await_line(2, event="delivered", id=ident)
        assert {e["to"] for e in lines} == {"a@list.test", "b@list.test"} and lines[0]["relay"] == "pipe", lines
        assert lines[0]["destination"].startswith("pipe/") and lines[0]["route"] == "list.test", lines
        w.end("sys.exit(67)")
        j.send("c@list.test")
        j.await_line(event="bounced", status="5.1.1", relay="pipe")
        w.end("sys.exit(75)")
        j.send("d@list.test")
        j.await_line(event="deferred", status="4.3.0", relay="pipe")
        j.audit()


def theirs():
    """Programs that we did not write: maildrop and procmail deliver, as their users have them for Postfix."""
    need("maildrop", "procmail")
    with Programs() as w:
        b = w.b
        for name in ("maildrop", "procmail"):
            os.makedirs(f"{w.folder}/{name}")
            os.chmod(f"{w.folder}/{name}", 0o777)
        # Both mind who else could write it.
        with open(b.dir + "/filter", "w", encoding="utf-8") as f:
            f.write(f'if (/^Subject: .*bounce/)\n{{\n  echo "5.7.1 not here"\n  EXITCODE=77\n  exit\n}}\nto "{w.folder}/maildrop/box"\n')
        with open(b.dir + "/rc", "w", encoding="utf-8") as f:
            f.write(f":0\n{w.folder}/procmail/box\n")
        for p in ("filter", "rc"):
            os.chmod(f"{b.dir}/{p}", 0o600)
            b.give(f"{b.dir}/{p}")
        b.write_conf(b.extra + f'route "drop.test" {{ via = "pipe:{shutil.which("maildrop")} {b.dir}/filter" }}\n'
                     f'route "proc.test" {{ via = "pipe:{shutil.which("procmail")} -f ${{sender}} -t -m {b.dir}/rc" }}\n')
        b.reload()
        b.send(SENDER, ["x@drop.test", "x@proc.test"], TEXT)
        b.empty()
        for name in ("maildrop", "procmail"):
            box = b.read(f"{w.folder}/{name}/box")
            assert box.startswith("From ") and "\nhello\n" in box and "\nDelivered-To: x@" in box, (name, box)
        b.send(SENDER, ["x@drop.test"], TEXT.replace("Subject: x", "Subject: bounce"))
        assert "5.7.1" in b.mail("alice", 1)[0].decode()


def main():
    for test in (told, shell, ends, big, limits, kills, hostile, stopped, accounts, sections, journal, theirs):
        begun = time.monotonic()
        test()
        print(f"{test.__name__}: {time.monotonic() - begun:.1f} s", flush=True)


main()
