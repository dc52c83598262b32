# SPDX-License-Identifier: GPL-3.0-or-later
"""In force is what was last loaded and checked, whatever the files say by now, until a reload says otherwise."""
import json
import os
import shutil
import signal
import smtplib
import sys
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, ROOT, Sink, Wire, program, run, smarthost, wait_for  # noqa: E402

MESSAGE = "Subject: x\r\n\r\nhello\r\n"
BROKEN = 'nonsense = 1\nlisten "x" {\n'
SECRET = "p4ssw0rd-of-the-upstream"


def write(b, text):
    with open(b.conf, "w") as f:
        f.write(text)


def read(path):
    with open(path) as f:
        return f.read()


def helpers(b, name):
    """The process ids; baridctl reads a file of its own, which nobody breaks."""
    status = json.loads(b.ctl("-c", b.dir + "/tools.conf", "--json", "status").stdout)
    return [int(h.split("pid=")[1]) for h in status["helper"] if h.startswith(name + " ")]


def crash(b):
    """A session dies; others get a new memory layout."""
    before = b.log().count("were started anew after a crashed")
    # Each from another address: one that crashes often is refused.
    crash.host = getattr(crash, "host", 1) + 1
    with Wire(b.port["smtp"], source=f"127.0.{crash.host}.1") as w:
        assert w.reply().startswith(b"220 ")
        # Not SIGSEGV: the sanitizers catch that one themselves.
        os.kill(b.sessions()[-1], signal.SIGABRT)
        assert w.line() is None
    wait_for("the new acceptors", lambda: b.log().count("were started anew after a crashed") > before)


def kill_helpers(b):
    for name in ("barid-auth", "barid-runner"):
        old = wait_for(name, lambda n=name: 0 not in (p := helpers(b, n)) and p)
        for pid in old:
            os.kill(pid, signal.SIGKILL)
        wait_for(f"new ones of {name}", lambda n=name, was=old: not {0, *was} & set(helpers(b, n)))
    assert "ended with status" not in b.log(), "a helper that did not start"


def ready(b):
    """How often a runner said that it is ready."""
    return b.log().count(" is ready: ")


def works(b, count, hostname="mx.example.test"):
    """All parts do their work: COUNT is how many alice has after it."""
    with Wire(b.port["smtp"]) as w:
        assert f"220 {hostname} ".encode() in w.reply()
    b.send("x@y.example", ["alice@example.test"], MESSAGE)
    b.send("alice@example.test", ["alice@example.test"], MESSAGE, "submission", "alice")
    b.mail("alice", count, 30)
    b.empty()


def broken():
    """A file that cannot be read any more stops nothing: not after a crash of a session, nor of a helper."""
    with Barid(extra="queue { runners = 1 }\n") as b:
        pid, good = b.process.pid, read(b.conf)
        shutil.copy(b.conf, b.dir + "/tools.conf")
        works(b, 2)
        write(b, BROKEN)
        crash(b)
        works(b, 4)
        kill_helpers(b)
        works(b, 6)
        # A reload that is refused is none.
        b.reload()
        assert "reload refused" in b.log()
        crash(b)
        kill_helpers(b)
        works(b, 8)
        os.unlink(b.conf)
        crash(b)
        works(b, 10)
        assert b.process.poll() is None and b.process.pid == pid
        write(b, good.replace("mx.example.test", "new.example.test"))
        b.reload()
        works(b, 12, "new.example.test")


def edited():
    """What was edited and not loaded is in force nowhere; a reload puts it in force everywhere."""
    with Barid(extra='queue { runners = 1 }\ninclude("part.conf")\n', start=False,
               env={"BARID_TEST_SIZE": "2MB"}) as b:
        part = b.dir + "/part.conf"

        def put(text):
            with open(part, "w") as f:
                f.write(text)

        def size():
            with b.smtp() as c:
                c.ehlo()
                return c.esmtp_features["size"]

        put('limits { message-size = "${BARID_TEST_SIZE}" }\n')
        b.start()
        good = read(b.conf)
        shutil.copy(b.conf, b.dir + "/tools.conf")
        other_users = b.dir + "/others"
        with open(other_users, "w") as f:
            f.write("alice:*\n")
            os.fchmod(f.fileno(), 0o600)
        os.chown(other_users, os.stat(b.dir + "/users").st_uid, -1)
        # To each process something that it would show: sessions, barid-auth, the runner.
        put("limits { message-size = 1MB }\nqueue { deliver = false }\n")
        write(b, good.replace("mx.example.test", "new.example.test").replace(f"{b.dir}/users", other_users))
        crash(b)
        kill_helpers(b)
        assert size() == str(2 << 20)
        works(b, 2)
        old = ready(b)
        b.reload()
        wait_for("the runner", lambda: ready(b) > old)
        assert size() == str(1 << 20)
        with Wire(b.port["smtp"]) as w:
            assert w.reply().startswith(b"220 new.example.test ")
        try:
            b.send("alice@example.test", ["alice@example.test"], MESSAGE, "submission", "alice")
            raise AssertionError("a login by the old file of users")
        except smtplib.SMTPAuthenticationError:
            pass
        b.send("x@y.example", ["alice@example.test"], MESSAGE)
        # And over a crash, too.
        crash(b)
        assert size() == str(1 << 20)
        assert len(b.mailbox("alice")) == 2
        put("")
        write(b, good)
        b.reload()
        b.mail("alice", 3)


def named_files():
    """A file that is named and broken keeps the old acceptors; there are new ones when that is mended."""
    with Barid() as b:
        shutil.copy(b.conf, b.dir + "/tools.conf")

        def lost(path):
            os.rename(path, path + ".away")
            with Wire(b.port["smtp"], source="127.0.0.7") as w:
                w.reply()
                os.kill(b.sessions()[0], signal.SIGABRT)
                assert w.line() is None

        lost(b.dir + "/localhost.pem")
        wait_for("the word of it", lambda: "acceptors cannot be started anew after a crashed session: "
                 f"{b.conf}:8: tls.certificate: " in b.log())
        assert "were started anew" not in b.log()
        works(b, 2)
        old = helpers(b, "barid-acceptor")
        os.rename(b.dir + "/localhost.pem.away", b.dir + "/localhost.pem")
        # By the next try after the crash, or since certificates have changed.
        wait_for("the new acceptors", lambda: not set(old) & set(helpers(b, "barid-acceptor")), 30)
        works(b, 4)
        # What only helpers open is no matter of theirs; and whom nobody can look up now is no stranger.
        os.rename(b.dir + "/users", b.dir + "/users.away")
        wait_for("the word of it", lambda: "the users cannot be read, the old ones stay: "
                 f"{b.conf}:9: auth.backends: cannot read the users in {b.dir}/users: No such file" in b.log())
        crash(b)
        b.send("x@y.example", ["alice@example.test"], MESSAGE)
        b.mail("alice", 5)
        os.rename(b.dir + "/users.away", b.dir + "/users")
        b.send("alice@example.test", ["alice@example.test"], MESSAGE, "submission", "alice")
        b.mail("alice", 6)


def rcpt(b, name):
    with b.smtp() as c:
        c.ehlo()
        c.mail("x@y.example")
        return c.rcpt(name + "@example.test")[0]


def unread():
    """Who has a mailbox is known while the file of users cannot be read; it is read again without another change."""
    with Barid() as b:
        with b.without_descriptors():
            b.set_users(("alice", "carol"))
            wait_for("the word of it", lambda: "/users: Too many open files" in b.log())
            assert [rcpt(b, name) for name in ("alice", "bob", "carol")] == [250, 250, 550]
        wait_for("the new user", lambda: rcpt(b, "carol") == 250)
        assert rcpt(b, "bob") == 550
        assert b.log().count("the users cannot be read") == 1, "said once, not at each try"
        # More than it may have: none of it counts.
        with open(b.dir + "/users", "ab") as f:
            f.truncate((64 << 20) + 1)
        wait_for("the word of it", lambda: "/users: File too large" in b.log())
        assert [rcpt(b, name) for name in ("alice", "bob", "carol")] == [250, 550, 250]
        # Where nobody is known yet it is no start, and no reload.
        b.reload()
        assert "reload refused" in b.log() and b.log().count("/users: File too large") == 2
        r = run(program("barid"), "-t", "-c", b.conf, code=78)
        assert "/users: File too large" in str(r), r
        b.set_users(("alice", "bob"))
        wait_for("the old user", lambda: rcpt(b, "bob") == 250)



def has(pid, needle):
    """Whether the memory of PID has NEEDLE; None if it cannot be looked at."""
    try:
        with open(f"/proc/{pid}/maps") as f, open(f"/proc/{pid}/mem", "rb", 0) as mem:
            for line in f:
                where, rights = line.split()[:2]
                if not rights.startswith("r") or "[v" in line:
                    continue
                first, last = (int(x, 16) for x in where.split("-"))
                # The shadow of a sanitizer.
                if last - first > 1 << 30:
                    continue
                try:
                    mem.seek(first)
                    if needle in mem.read(last - first):
                        return True
                except (OSError, OverflowError):
                    continue
    except PermissionError:
        return None
    return False


def secrets():
    """What is kept has passwords, and no session has it; nor have those who let no client in keep it open."""
    with Sink() as sink, smarthost(("127.0.0.1", sink.port, f'user = "me" password = "{SECRET}"')) as b:
        shutil.copy(b.conf, b.dir + "/tools.conf")

        def look():
            with Wire(b.port["smtp"]) as w, Wire(b.port["pop3"]) as p:
                w.reply()
                p.line()
                wait_for("only these two", lambda: len(b.sessions()) == 2)
                for pid in b.sessions():
                    for fd in os.listdir(f"/proc/{pid}/fd") if ROOT else []:
                        assert "barid-conf" not in os.readlink(f"/proc/{pid}/fd/{fd}")
                    assert not has(pid, SECRET.encode()), "a session has the password of the upstream"
                assert len(b.sessions()) == 2
            for name in ("barid-auth", "barid-runner", "barid-acceptor"):
                for pid in helpers(b, name) if ROOT else []:
                    for fd in os.listdir(f"/proc/{pid}/fd"):
                        assert "barid-conf" not in os.readlink(f"/proc/{pid}/fd/{fd}")
            if ROOT:
                kept = [fd for fd in os.listdir(f"/proc/{b.process.pid}/fd")
                        if "barid-conf" in os.readlink(f"/proc/{b.process.pid}/fd/{fd}")]
                assert len(kept) == 1, "one, and not more by each reload"
                assert has(helpers(b, "barid-runner")[0], SECRET.encode()) is not False, "a test that finds nothing"

        wait_for("the runner", lambda: ready(b) > 0)
        look()
        for _ in range(2):
            n = ready(b)
            b.reload()
            wait_for("the runner", lambda was=n: ready(b) > was)
            look()
        crash(b)
        look()


for test in (broken, edited, named_files, unread, secrets):
    start = time.monotonic()
    test()
    print(f"{test.__name__}: {time.monotonic() - start:.1f} s", flush=True)
