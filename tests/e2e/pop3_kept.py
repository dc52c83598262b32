# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail that stays on the server: clients remember what they have seen, over restarts; kills delete nothing more.

And what a listener of POP3 has of its own.

FEATURES O6, O7.
"""
import os
import signal
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, PASSWORD, Wire, need, run, wait_for  # noqa: E402

TEXT = b"From: a@elsewhere.example\nSubject: %d\nMessage-ID: <%d@client.test>\n" \
    b"Date: Fri, 20 Nov 2026 12:00:00 +0000\n\nbody %d\n"
LISTEN = dict(Barid.LISTEN, kept=("pop3", "implicit"), rare=("pop3", "implicit"))


class Kept(Barid):
    own = {"kept": "no-delete = true", "rare": "login-delay = 1d expire = 30d"}


def login(b, user="alice", name="pop3s"):
    w = Wire(b.port[name], True)
    w.line()
    for text in ("USER " + user, "PASS " + PASSWORD):
        assert w.cmd(text).startswith(b"+OK")
    return w


def uidls(w):
    assert w.cmd("UIDL").startswith(b"+OK")
    return [line.split()[1] for line in w.lines()]


def fill(b, user, count, size=0):
    for n in range(count):
        b.put(user, f"{1000 + n}.M{n}.host", TEXT % (n, n, n) + b"x" * 70 * (size > 0) + b"\n" * size)


def no_delete(b):
    """DELE is a +OK that changes nothing, on that listener alone."""
    fill(b, "alice", 3)
    with login(b, name="kept") as w:
        before = uidls(w)
        assert w.cmd("DELE 1").startswith(b"+OK") and w.cmd("RETR 1").startswith(b"-ERR")
        assert w.cmd("STAT").split()[1] == b"2"
        assert w.cmd("QUIT").startswith(b"+OK")
        assert w.line() is None
    wait_for("a word about it", lambda: "mailbox alice: 1 messages stay" in b.log())
    assert "deleted=0" in b.log()
    with login(b) as w:
        assert uidls(w) == before
        assert w.cmd("DELE 1").startswith(b"+OK") and w.cmd("QUIT").startswith(b"+OK")
    with login(b) as w:
        assert uidls(w) == before[1:]


def delays(b):
    """LOGIN-DELAY and EXPIRE hold at the one that has them, and only among its own logins."""
    b.put("erin", "1000000000.old.host", TEXT % (1, 1, 1))
    b.put("erin", "9000000000.new.host", TEXT % (2, 2, 2))
    with login(b, "erin") as w:
        assert w.cmd("CAPA").startswith(b"+OK")
        said = w.lines()
        assert b"EXPIRE NEVER" in said and not any(line.startswith(b"LOGIN-DELAY") for line in said), said
        w.cmd("QUIT")
    with login(b, "erin", "rare") as w:
        assert w.cmd("CAPA").startswith(b"+OK")
        said = w.lines()
        assert b"EXPIRE 30" in said and b"LOGIN-DELAY 86400" in said, said
        assert w.cmd("STAT").split()[1] == b"2" and w.cmd("QUIT").startswith(b"+OK")
    with login(b, "erin") as w:
        assert w.cmd("STAT").split()[1] == b"1"
    with Wire(b.port["rare"], True) as w:
        w.line()
        assert w.cmd("USER erin").startswith(b"+OK")
        assert w.cmd("PASS " + PASSWORD).startswith(b"-ERR [LOGIN-DELAY]")


class Client:
    """Programs that leave mail on the server, each with its own memory of UIDLs."""

    def __init__(self, b):
        self.b, self.dir, self.ca, self.seen = b, b.dir + "/client", b.dir + "/localhost.pem", {}
        os.mkdir(self.dir, 0o700)
        for name in ("mpop", "getmail"):
            for sub in ("tmp", "new", "cur"):
                os.makedirs(f"{self.dir}/{name}/{sub}")
        os.mkdir(self.dir + "/fetchmail")
        self.file("mda", f"#!/bin/sh\nexec cat >{self.dir}/fetchmail/$$\n", 0o700)
        port = b.port["pop3s"]
        self.file("mpoprc", f"account default\nhost 127.0.0.1\nport {port}\ntls on\ntls_starttls off\n"
                  f"tls_trust_file {self.ca}\nauth plain\nuser bob\npassword {PASSWORD}\nkeep on\n"
                  f"delivery maildir {self.dir}/mpop\nuidls_file {self.dir}/uidls\n")
        self.file("fetchmailrc", f"set no bouncemail\nset no syslog\npoll 127.0.0.1 protocol POP3 port {port} uidl "
                  f'user bob password "{PASSWORD}" ssl sslcommonname localhost sslcertck sslcertfile {self.ca} '
                  f'mda "{self.dir}/mda" keep\n')
        # As root it would become somebody else for the delivery: a program takes it then, too.
        self.file("getmailrc", f"[retriever]\ntype = SimplePOP3SSLRetriever\nserver = localhost\nport = {port}\n"
                  f"username = bob\npassword = {PASSWORD}\nca_certs = {self.ca}\n[destination]\n"
                  f"type = MDA_external\npath = {self.dir}/mda2\nallow_root_commands = true\n"
                  "[options]\nread_all = false\ndelete = false\n")
        self.file("mda2", f"#!/bin/sh\nexec cat >{self.dir}/getmail/new/$$\n", 0o700)

    def file(self, name, text, mode=0o600):
        with open(f"{self.dir}/{name}", "w") as f:
            os.fchmod(f.fileno(), mode)
            f.write(text)

    def fetched(self, name):
        return sum(len(names) for _, _, names in os.walk(f"{self.dir}/{name}"))

    def run(self, want):
        """Each fetches; WANT of them are new."""
        env = dict(FETCHMAILHOME=self.dir, folder=self.dir)
        run("mpop", "-q", "-C", self.dir + "/mpoprc", folder=self.dir)
        run("fetchmail", "--pidfile", self.dir + "/fetchmail.pid", "--fetchmailrc", self.dir + "/fetchmailrc", code=0 if want else 1, **env)
        run("getmail", "--getmaildir", self.dir, "--rcfile", self.dir + "/getmailrc", folder=self.dir)
        for name in ("mpop", "fetchmail", "getmail"):
            now = self.fetched(name)
            assert now - self.seen.get(name, 0) == want, (name, now, self.seen, want)
            self.seen[name] = now


def memory(b):
    """Three runs, between which the server is killed, other programs rename, and mail is added and goes."""
    c = Client(b)
    fill(b, "bob", 5)
    c.run(5)
    for path in b.mailbox("bob")[::2]:
        os.rename(path, path.replace("/new/", "/cur/") + ":2,S")
    b.kill()
    b.start()
    c.run(0)
    os.unlink(b.mailbox("bob")[0])
    b.put("bob", "9000.late.host", TEXT % (9, 9, 9))
    b.stop()
    b.start()
    c.run(1)
    c.run(0)
    assert len(b.mailbox("bob")) == 5


def killed_in_retr(b):
    fill(b, "carol", 2, 4 << 20)
    before = [os.path.basename(p) for p in b.mailbox("carol")]
    with login(b, "carol") as w:
        names = uidls(w)
        assert w.cmd("DELE 2").startswith(b"+OK") and w.cmd("RETR 1").startswith(b"+OK")
        w.line()
        pid, = wait_for("the end of the others", lambda: len(found := b.sessions()) == 1 and found)
        os.kill(pid, signal.SIGKILL)
    wait_for("the end of it", lambda: not b.sessions())
    with login(b, "carol") as w:
        assert uidls(w) == names
        assert w.cmd("RETR 1").startswith(b"+OK") and len(w.lines()) > 4 << 20
        w.cmd("QUIT")
    assert [os.path.basename(p) for p in b.mailbox("carol")] == before


def killed_in_update(b, count=4000):
    """What goes is what was to go; a session after that names the rest as before."""
    fill(b, "dave", count)
    doomed = set(range(0, count, 2))
    with login(b, "dave") as w:
        names = uidls(w)
        w.send("".join(f"DELE {n + 1}\r\n" for n in sorted(doomed)))
        assert all(w.line().startswith(b"+OK") for _ in doomed)
        pid, = wait_for("the end of the others", lambda: len(found := b.sessions()) == 1 and found)
        w.send("QUIT\r\n")
        box = b.dir + "/mail/dave/new"
        while len(os.listdir(box)) == count:
            pass
        os.kill(pid, signal.SIGKILL)
        said = w.line()
    wait_for("the end of it", lambda: not b.sessions())
    with login(b, "dave") as w:
        left = set(uidls(w))
    kept = {n for i, n in enumerate(names) if i not in doomed}
    assert kept <= left <= set(names), (len(kept), len(left))
    # Who heard +OK was told the truth.
    assert left == kept or not (said or b"").startswith(b"+OK"), (said, len(left))
    print(f"killed in UPDATE: {len(left) - len(kept)} of {len(doomed)} still there, {said}")


def main():
    need("mpop", "fetchmail", "getmail")
    with Kept(users=("alice", "bob", "carol", "dave", "erin"), listen=LISTEN) as b:
        no_delete(b)
        delays(b)
        memory(b)
        killed_in_retr(b)
        killed_in_update(b)


main()
