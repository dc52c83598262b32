# SPDX-License-Identifier: GPL-3.0-or-later
"""POP3 of the Maildirs that accounts have at home: clients, kills, what who opens them may do (P-01, S-52)."""
import contextlib
import glob
import os
import re
import signal
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from accounttest import UID, alone, over  # noqa: E402
from authtest import Backends  # noqa: E402
from baridtest import PASSWORD, Barid, Wire, need, run, wait_for  # noqa: E402

ACCOUNTS = ("joe", "ann", "mal", "cut", "kept", "many", "gone", "dan")
SENDER = "alice@example.test"
TEXT = "From: alice@example.test\r\nSubject: {}\r\n\r\nhello\r\n.dot\r\n"


class World(Backends):
    def __init__(self, homes):
        self.homes = homes
        super().__init__("file://USERS", "users://*", listen=dict(Backends.LISTEN, smtp=("smtp", "off")), start=False)
        os.chmod(self.dir, 0o755)
        self.write_conf('recipients { mailboxes = {"file", "system"} home-maildir = "Maildir" forward = false }\n'
                        "limits { connections-per-address = 1000 }\nqueue { retry = {1h} }\n")

    def send(self, sender, rcpts, message):
        with Barid.smtp(self) as c:
            assert c.sendmail(sender, rcpts, message) == {}

    def login(self, user, want=b"+OK"):
        w = Wire(self.port["pop3"])
        w.line()
        w.cmd("USER " + user)
        said = w.cmd("PASS " + PASSWORD)
        assert said.startswith(want), (user, said)
        return w

    def put_home(self, user, name, text=b"Subject: x\n\nx\n", sub="new"):
        """A file of the account, as another program might leave it."""
        home, uid = f"{self.homes}/{user}", UID + ACCOUNTS.index(user)
        for d in ("", "/tmp", "/new", "/cur"):
            if not os.path.isdir(f"{home}/Maildir{d}"):
                os.mkdir(f"{home}/Maildir{d}", 0o700)
                os.chown(f"{home}/Maildir{d}", uid, uid)
        path = f"{home}/Maildir/{sub}/{name}"
        with open(path, "wb") as f:
            f.write(text)
        os.chown(path, uid, uid)
        return path

    def names(self, user):
        return sorted(os.path.basename(p) for p in glob.glob(f"{self.homes}/{user}/Maildir/[nc]*/*"))

    def keepers(self, user):
        """The processes that have a mailbox open as that account."""
        uid = str(UID + ACCOUNTS.index(user))
        return [p for p in self.processes() if f"\nUid:\t{uid}\t" in self.read(f"/proc/{p}/status")]

    def free(self, user):
        wait_for(f"the end of who had the mailbox of {user}", lambda: not self.keepers(user))


def fetches(b):
    """Mail comes, is read and deleted; its own account's, and in the place of nobody else."""
    b.send(SENDER, ["joe@example.test"], TEXT.format("one"))
    b.send(SENDER, ["joe@example.test", "bob@example.test"], TEXT.format("two"))
    b.empty()
    assert len(b.names("joe")) == 2 and not os.path.exists(b.dir + "/mail/joe")
    with b.login("joe@example.test") as w:
        assert w.cmd("STAT").split()[1] == b"2"
        assert w.cmd("LIST").startswith(b"+OK") and len(w.lines()) == 2
        assert w.cmd("UIDL").startswith(b"+OK")
        uidls = [line.split()[1].decode() for line in w.lines()]
        assert uidls == [n.partition(",")[0] for n in b.names("joe")], (uidls, b.names("joe"))
        said = w.cmd("RETR 1")
        text = b"\r\n".join(w.lines()) + b"\r\n"
        assert int(said.split()[1]) == len(text) and text.endswith(b"\r\n\r\nhello\r\n.dot\r\n"), (said, text)
        assert w.cmd("TOP 2 0").startswith(b"+OK") and b"Subject: two" in w.lines()
        assert w.cmd("DELE 1").startswith(b"+OK")
        # Whoever else it is sees that somebody is there.
        b.login("joe", b"-ERR [IN-USE]").close()
        assert w.cmd("QUIT").startswith(b"+OK") and w.line() is None
    # The answer to QUIT means that others may come.
    with b.login("joe") as w:
        assert w.cmd("UIDL").startswith(b"+OK") and [line.split()[1].decode() for line in w.lines()] == uidls[1:]
        assert w.cmd("RETR 1").startswith(b"+OK") and b"Subject: two" in w.lines()
    b.free("joe")
    assert len(b.names("joe")) == 1
    # A mailbox that nobody has written to yet; one that is not at home; who cannot say who he is.
    with b.login("ann") as w:
        assert w.cmd("STAT") == b"+OK 0 0" and os.stat(b.homes + "/ann/Maildir").st_mode & 0o777 == 0o700
    b.free("ann")
    with b.login("bob") as w:
        assert w.cmd("STAT").split()[1] == b"1" and not glob.glob(b.homes + "/bob")
        assert not [p for p in b.processes() if "\nUid:\t120" in b.read(f"/proc/{p}/status")]
    b.expect("no", "joe", "wrong")
    b.expect("yes", "joe", PASSWORD)


def clients(b):
    """fetchmail and mpop: all of it, once; what stays is not fetched again."""
    d = b.dir + "/client"
    for sub in ("tmp", "new", "cur"):
        os.makedirs(f"{d}/mpop/{sub}")
    with open(d + "/mpoprc", "w") as f:
        os.fchmod(f.fileno(), 0o600)
        f.write(f"account default\nhost 127.0.0.1\nport {b.port['pop3']}\ntls off\nauth user\nuser dan\npassword {PASSWORD}\n"
                f"keep on\ndelivery maildir {d}/mpop\nuidls_file {d}/uidls\n")
    with open(d + "/mda", "w") as f:
        os.fchmod(f.fileno(), 0o700)
        f.write(f"#!/bin/sh\nexec cat >{d}/got.$$\n")
    with open(d + "/fetchmailrc", "w") as f:
        os.fchmod(f.fileno(), 0o600)
        f.write(f"set no bouncemail\nset no syslog\npoll 127.0.0.1 protocol POP3 port {b.port['pop3']} user dan "
                f'password "{PASSWORD}" sslproto "" mda "{d}/mda" fetchall\n')
    for n in range(5):
        b.put_home("dan", f"{1000 + n}.M{n}.host", f"Subject: {n}\nMessage-ID: <{n}@x>\n\n{n}\n".encode())
    for want in (5, 5):
        run("mpop", "-q", "-C", d + "/mpoprc", folder=d)
        assert len(os.listdir(d + "/mpop/new")) == want
        b.free("dan")
    run("fetchmail", "--pidfile", d + "/pid", "--fetchmailrc", d + "/fetchmailrc", folder=d, FETCHMAILHOME=d)
    assert len(glob.glob(d + "/got.*")) == 5
    b.free("dan")
    assert b.names("dan") == []


def descriptors(pid):
    found = []
    for n in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            found += [os.readlink(f"/proc/{pid}/fd/{n}")] if int(n) > 2 else []
    return found


def confined(b):
    """P-01: whoever has it open is the account, with no more rights than a session; the session has no way there."""
    b.put_home("joe", "5000.M1.host")
    with b.login("joe") as w:
        assert w.cmd("RETR 1").startswith(b"+OK")
        w.lines()
        pid, = b.keepers("joe")
        uid = str(UID)
        s = {k: v.split() for k, _, v in (line.partition(":") for line in b.read(f"/proc/{pid}/status").splitlines())}
        assert s["Uid"] == s["Gid"] == [uid] * 4 and s["Groups"] == [], s
        assert s["NoNewPrivs"] == ["1"] and s["Seccomp"] == ["2"], s
        assert all(int(s[c][0], 16) == 0 for c in ("CapPrm", "CapEff", "CapInh", "CapAmb")), s
        limits = b.read(f"/proc/{pid}/limits")
        assert re.search(r"Max processes +0 ", limits) and re.search(r"Max core file size +0 ", limits), limits
        assert os.stat(f"/proc/{pid}/environ").st_uid == 0 or "asan" in b.read(f"/proc/{pid}/maps")
        home = re.compile(rf"{re.escape(b.homes)}/joe/Maildir(/new|/cur|/\.barid-lock)?$")
        here = re.compile(rf"socket:\[\d+\]|/dev/null|/memfd:\S+ \(deleted\)|pipe:\[\d+\]|{re.escape(b.dir)}/(log|stderr)$")
        # The message that was read may be open for a moment yet.
        wait_for("nothing else to be open", lambda: all(home.match(to) or here.match(to) for to in descriptors(pid)))
        session, = wait_for("the one session", lambda: len(b.sessions()) == 1 and b.sessions())
        for to in descriptors(session):
            assert here.match(to), to
        assert f"\nUid:\t{b.uid}\t" in b.read(f"/proc/{session}/status")
    b.free("joe")


def unbelieved(b):
    """S-52: what an account makes of its Maildir is its own; nothing else is opened, and nobody hangs."""
    box = b.homes + "/mal/Maildir"
    later = b"-ERR [SYS/TEMP]"
    os.symlink("/etc", box)
    b.login("mal", later).close()
    os.unlink(box)
    os.symlink(b.homes + "/joe/Maildir", box)
    b.login("mal", later).close()
    os.unlink(box)
    b.put_home("mal", "1.M1.host")
    for name in ("new", "cur", "tmp"):
        os.rename(f"{box}/{name}", f"{box}/was")
        os.symlink("/root", f"{box}/{name}")
        b.login("mal", later).close()
        os.unlink(f"{box}/{name}")
        os.rename(f"{box}/was", f"{box}/{name}")
    # Another account's, or one that others can write.
    os.chown(box, UID, UID)
    b.login("mal", later).close()
    os.chown(box, UID + 2, UID + 2)
    os.chmod(box, 0o777)
    b.login("mal", later).close()
    os.chmod(box, 0o700)
    # A file of root's that is linked there, a pipe, and a link: one that cannot be read, and two that are none.
    with open(b.homes + "/secret", "w") as f:
        os.fchmod(f.fileno(), 0o600)
        f.write("root's\n")
    os.link(b.homes + "/secret", box + "/new/2.M2.host")
    os.mkfifo(box + "/new/3.M3.host")
    os.symlink("/etc/passwd", box + "/new/4.M4.host")
    with b.login("mal") as w:
        assert w.cmd("STAT").split()[1] == b"2"
        assert w.cmd("RETR 2").startswith(b"-ERR [SYS/TEMP]")
        assert w.cmd("RETR 1").startswith(b"+OK") and w.lines()
    b.free("mal")
    # A home that is not there, now.
    os.rename(b.homes + "/gone", b.homes + "/away")
    b.login("gone", later).close()
    os.rename(b.homes + "/away", b.homes + "/gone")
    b.login("gone").close()
    assert not os.path.exists(b.dir + "/mail/mal") and not os.path.exists(b.dir + "/mail/gone")


def kills(b, count=3000):
    """The session or the other one is killed in RETR and in UPDATE: nothing goes but what was to."""
    for n in range(2):
        b.put_home("cut", f"{1000 + n}.M{n}.host", b"Subject: x\n\n" + b"y" * 70 + b"\n" * (4 << 20))
    before = b.names("cut")
    for who in (b.sessions, lambda: b.keepers("cut")):
        with b.login("cut") as w:
            assert w.cmd("DELE 2").startswith(b"+OK") and w.cmd("RETR 1").startswith(b"+OK")
            w.line()
            os.kill(who()[0], signal.SIGKILL)
            if who != b.sessions:
                # What was announced comes, since it is open; then nothing goes, and the client hears of it.
                assert len(w.lines()) > 4 << 20
                assert w.cmd("RETR 1").startswith(b"-ERR [SYS/TEMP]")
                assert w.cmd("QUIT").startswith(b"-ERR [SYS/TEMP] 1 messages could not be removed")
        b.free("cut")
        assert b.names("cut") == before
    for who in (b.sessions, lambda: b.keepers("kept")):
        for name in b.names("kept"):
            os.unlink(f"{b.homes}/kept/Maildir/new/{name}")
        for n in range(count):
            b.put_home("kept", f"{1000 + n}.M{n}.host")
        names, doomed = b.names("kept"), set(range(0, count, 2))
        with b.login("kept") as w:
            w.send("".join(f"DELE {n + 1}\r\n" for n in sorted(doomed)))
            assert all(w.line().startswith(b"+OK") for _ in doomed)
            pid = who()[0]
            w.send("QUIT\r\n")
            wait_for("the first to go", lambda: len(os.listdir(b.homes + "/kept/Maildir/new")) < count)
            # It may have been faster: then all of them are gone.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            said = w.line()
        b.free("kept")
        with b.login("kept") as w:
            assert w.cmd("UIDL").startswith(b"+OK")
            left = {line.split()[1].decode() for line in w.lines()}
        kept = {n for i, n in enumerate(names) if i not in doomed}
        assert kept <= left <= set(names), (len(kept), len(left))
        assert left == kept or not (said or b"").startswith(b"+OK"), (said, len(left))
        b.free("kept")
        print(f"killed in UPDATE: {len(left) - len(kept)} of {len(doomed)} still there, {said}")


def accounts(b):
    """Who becomes an account gets mail, and who is none any more gets none, without a reload."""
    def rcpt():
        with Barid.smtp(b) as c:
            c.ehlo()
            c.mail(SENDER)
            return c.rcpt("comer@example.test")[0]

    path = b.homes + "/passwd"
    before = b.read(path)
    assert rcpt() == 550
    # In place: it is mounted over that of the host.
    for text, want in ((before + f"comer:x:{UID + 100}:{UID + 100}::{b.homes}/comer:/bin/sh\n", 250), (before, 550)):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        wait_for(str(want), lambda n=want: rcpt() == n)


def goes_on(b):
    """A session is served to its end whatever becomes of barid-auth; a new one by the new."""
    b.put_home("many", "1.M1.host")
    with b.login("many") as w:
        old = b.helper()
        b.process.send_signal(signal.SIGHUP)
        wait_for("another barid-auth", lambda: b.helper() not in (0, old))
        assert w.cmd("RETR 1").startswith(b"+OK") and w.lines()
        old = b.helper()
        os.kill(old, signal.SIGKILL)
        wait_for("another barid-auth", lambda: b.helper() not in (0, old))
        b.login("joe").close()
        assert w.cmd("DELE 1").startswith(b"+OK") and w.cmd("QUIT").startswith(b"+OK")
    assert b.names("many") == []
    for n in range(1500):
        b.put_home("many", f"{1000 + n}.M{n}.host", b"x\n" * (n % 9))
    with b.login("many") as w:
        assert w.cmd("STAT") == f"+OK 1500 {sum(3 * (n % 9) for n in range(1500))}".encode()
        assert w.cmd("LIST").startswith(b"+OK") and len(w.lines()) == 1500
        assert w.cmd("UIDL").startswith(b"+OK") and len(w.lines()) == 1500
        # Stopped as a whole: nobody of them stays.
        b.stop()
        for want in (b"-ERR [SYS/TEMP]", None):
            said = w.line()
            assert said is None or said.startswith(want), said
    wait_for("the end of all", lambda: not b.processes())
    assert len(b.names("many")) == 1500


def main():
    need("mpop", "fetchmail")
    homes = alone(ACCOUNTS, PASSWORD)
    try:
        with World(homes) as b:
            b.start()
            for test in (fetches, clients, confined, unbelieved, kills, accounts, goes_on):
                test(b)
                print(test.__name__, flush=True)
    finally:
        over(homes)


main()
