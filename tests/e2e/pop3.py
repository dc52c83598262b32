# SPDX-License-Identifier: GPL-3.0-or-later
"""POP3 by hand: RFC 1939, 2449, 2595, 3206, 5034, 6856, with what goes wrong in between.

FEATURES O3, O4, O7, O11.
"""
import base64
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, PASSWORD, ROOT, Wire, wait_for  # noqa: E402

TRANSACTION = ("STAT", "LIST", "LIST 1", "UIDL", "RETR 1", "TOP 1 0", "DELE 1", "RSET", "NOOP")


def plain(user, password, authzid=""):
    return base64.b64encode(f"{authzid}\0{user}\0{password}".encode()).decode()


def connect(b, name="pop3s"):
    w = Wire(b.port[name], b.listen[name][1] == "implicit")
    assert w.line().startswith(b"+OK")
    return w


def ok(w, text):
    line = w.cmd(text)
    assert line is not None and line.startswith(b"+OK"), (text[:99], line)
    return line


def err(w, text, code=b""):
    line = w.cmd(text)
    assert line is not None and re.match(rb"-ERR( |$)", line) and code in line, (text[:99], line)
    assert len(line) <= 510
    return line


def listing(w, text):
    ok(w, text)
    return w.lines()


def login(b, user="alice", name="pop3s"):
    w = connect(b, name)
    if name == "pop3":
        ok(w, "STLS")
        w.start_tls()
    ok(w, "USER " + user)
    ok(w, "PASS " + PASSWORD)
    return w


def quit_(w):
    ok(w, "QUIT")
    assert w.line() is None
    w.close()


def octets(w, n):
    """Message N: its octets as they come, dots unstuffed; the size is what was announced."""
    said = int(ok(w, f"RETR {n}").split()[1])
    text = b"".join(line + b"\r\n" for line in w.lines())
    assert said == len(text) == int(ok(w, f"LIST {n}").split()[2]), (n, said, len(text))
    return text


def wire_form(data):
    """What a stored text is on the wire: each CR, LF or CRLF is a line end, and the last is there."""
    text = re.sub(rb"\r\n|\r|\n", b"\r\n", data)
    return text if not text or text.endswith(b"\r\n") else text + b"\r\n"


def states(b):
    b.put("alice", "1000.s1.host", b"Subject: one\n\nbody\n")
    with connect(b, "pop3") as w:
        for text in TRANSACTION:
            err(w, text)
        # No credentials in clear, and none are asked for.
        err(w, "USER alice")
        err(w, "PASS x")
        err(w, "AUTH PLAIN " + plain("alice", PASSWORD))
        capa = listing(w, "CAPA")
        assert b"STLS" in capa and b"USER" not in capa and not any(c.startswith(b"SASL") for c in capa), capa
        err(w, "STLS now")
        err(w, "NONSENSE")
        ok(w, "STLS")
        w.start_tls()
        capa = listing(w, "CAPA")
        assert b"STLS" not in capa and b"USER" in capa and b"SASL PLAIN LOGIN" in capa, capa
        for name in (b"TOP", b"UIDL", b"PIPELINING", b"RESP-CODES", b"AUTH-RESP-CODE", b"UTF8",
                     b"EXPIRE NEVER"):
            assert name in capa, name
        assert any(c.startswith(b"IMPLEMENTATION ") for c in capa)
        err(w, "STLS")
        err(w, "PASS " + PASSWORD)
        ok(w, "uTf8")
        ok(w, "uSeR alice")
        ok(w, "pAsS " + PASSWORD)
        assert b"STLS" not in listing(w, "CAPA")
        for text in ("USER bob", "PASS x", "STLS", "UTF8", "AUTH PLAIN " + plain("bob", PASSWORD)):
            err(w, text)
        assert ok(w, "StAt") == b"+OK 1 22"
        quit_(w)
    # QUIT without a login is no update.
    with connect(b) as w:
        quit_(w)
    # What was sent in clear behind STLS is not read as if it had come in TLS.
    with connect(b, "pop3") as w:
        w.send("STLS\r\nUSER alice\r\nCAPA\r\n")
        first = w.line()
        if first.startswith(b"+OK"):
            w.start_tls()
            err(w, "PASS " + PASSWORD)
        else:
            assert w.line() is None
    # Nor what comes in the clear in place of a handshake.
    with connect(b, "pop3") as w:
        ok(w, "STLS")
        w.send("USER alice\r\nCAPA\r\n")
        rest = b""
        with contextlib.suppress(ConnectionResetError):
            while got := w.sock.recv(4096):
                rest += got
        assert b"+OK" not in rest and b"-ERR" not in rest, rest


def logins(b):
    with connect(b) as w:
        wrong = err(w, "AUTH PLAIN " + plain("alice", "wrong"), b"[AUTH]")
        assert err(w, "AUTH PLAIN " + plain("nobody-here", "wrong"), b"[AUTH]") == wrong
    with connect(b) as w:
        ok(w, "USER nobody-here")
        assert err(w, "PASS wrong", b"[AUTH]") == wrong
        ok(w, "USER alice")
        assert err(w, "PASS " + PASSWORD + " ", b"[AUTH]") == wrong
    with connect(b) as w:
        assert b"PLAIN" in listing(w, "AUTH")
        err(w, "AUTH NTLM")
        for broken in ("!!!!", "YQ", "AGFsaWNl", "AGFsaWNlAGJhcmlkAHg="):
            err(w, "AUTH PLAIN " + broken)
        assert w.cmd("AUTH PLAIN").startswith(b"+ ")
        err(w, "*")
        assert w.cmd("AUTH PLAIN").startswith(b"+ ")
        err(w, "%%%")
        err(w, "AUTH PLAIN " + plain("alice", PASSWORD, "bob"))
        # A message of an exchange may be longer than a command (RFC 5034 4).
        assert w.cmd("AUTH PLAIN").startswith(b"+ ")
        err(w, plain("alice", "x" * 3000), b"[AUTH]")
        assert w.cmd("auth plain").startswith(b"+ ")
        ok(w, plain("alice@example.test", PASSWORD))
        quit_(w)
    with connect(b) as w:
        ok(w, "AUTH PLAIN " + plain("alice", PASSWORD, "alice"))
        quit_(w)
    # S-32: names that are paths.  All at once, since each refusal takes its time.
    names = ("../alice", "alice/../bob", "..", ".", "/etc", "%d", "a\0b", "-rf")
    guests = [connect(b) for _ in names]
    for name, w in zip(names, guests):
        w.send(f"USER {name}\r\nPASS {PASSWORD}\r\n")
    for name, w in zip(names, guests):
        assert b"-ERR" in w.line() + w.line(), name
        w.close()
    # Without a backend nobody is told that the password is wrong.
    os.rename(b.dir + "/users", b.dir + "/users.gone")
    with connect(b) as w:
        ok(w, "USER alice")
        err(w, "PASS " + PASSWORD, b"[SYS/TEMP]")
    os.rename(b.dir + "/users.gone", b.dir + "/users")


def texts():
    """Files as other programs leave them: name and content."""
    header = b"From: a@b\nSubject: %s\n\n"
    return [
        ("2001.lf", header % b"lf" + b"one\ntwo\n.\n..dots\n. \n"),
        ("2002.crlf", (header % b"crlf" + b"one\n.two\n").replace(b"\n", b"\r\n")),
        ("2003.mixed", header % b"mixed" + b"a\r\nb\nc\rd\r\r\ne"),
        ("2004.unended", header % b"unended" + b"no line end"),
        ("2005.header", b"Subject: a header and no more\n"),
        ("2006.empty", b""),
        ("2007.dot", b"."),
        ("2008.binary", header % b"binary" + bytes(range(1, 256)) * 100),
        # What a name says counts for nothing.
        ("2008.wrong,S=70,W=999", header % b"wrong" + b"one\ntwo\n"),
        ("2008.wrong2,S=34,W=45", header % b"wrong" + b"one\ntwo\n"),
        ("2009.long", header % b"long" + b"x" * 300_000 + b"\n.\n" + b".y" * 70_000),
    ]


def sizes(b):
    """Whatever stands in a file is counted and sent as lines with CRLF, dots and all (S-15)."""
    for name, data in texts():
        b.put("bob", name, data, "cur" if name.startswith("2003") else "new")
    with login(b, "bob", "pop3") as w:
        total = 0
        listed = [int(line.split()[1]) for line in listing(w, "LIST")]
        assert listed == [len(wire_form(data)) for _, data in texts()], listed
        for n, (name, data) in enumerate(texts(), 1):
            text = octets(w, n)
            assert text == wire_form(data), (name, text[:200], wire_form(data)[:200])
            total += len(text)
            head, _, body = wire_form(data).partition(b"\r\n\r\n")
            lines = body.split(b"\r\n")[:-1] if body else []
            for count in (0, 1, 2, 3, 4, 5, 100_000):
                top = b"".join(t + b"\r\n" for t in listing(w, f"TOP {n} {count}"))
                want = wire_form(data) if b"\r\n\r\n" not in wire_form(data) else \
                    head + b"\r\n\r\n" + b"".join(t + b"\r\n" for t in lines[:count])
                assert top == want, (name, count, top[:200], want[:200])
        assert ok(w, "STAT") == b"+OK %d %d" % (len(texts()), total)
        quit_(w)


def numbers(b):
    with login(b, "bob") as w:
        for text in ("RETR -1", "RETR 0", "RETR 4294967297", "RETR 99999999999999999999", "RETR 1 1",
                     "RETR +1", "RETR 1x", "RETR", "TOP 1", "TOP 1 -1", "TOP 1 18446744073709551616",
                     "TOP 1 1 1", "LIST x", "UIDL 0", "DELE 99", "STAT 1", "NOOP 1", "RSET 1"):
            err(w, text)
    # A long line is skipped; one that is much too long ends the connection.
    for length in (256, 1000, 4096, 60_000):
        with connect(b) as w:
            for verb in ("USER ", "PASS ", "APOP alice "):
                err(w, verb + "a" * length)
            ok(w, "CAPA")
    for verb in ("USER ", "PASS ", "AUTH PLAIN "):
        with connect(b) as w:
            err(w, verb + "a" * 66_000)
    with connect(b) as w:
        err(w, b"NO\0OP")
        # A client that only makes mistakes is sent away.
        w.send("XYZZY\r\n" * 40)
        n = 0
        while (line := w.line()) is not None:
            n += 1
            assert line.startswith(b"-ERR")
        assert n <= 21, n


def deletion(b):
    def over():
        """The mailbox is another's when the process has ended."""
        wait_for("the end of the sessions", lambda: not b.sessions())

    count = len(texts())
    uidls = []
    over()
    lost = "DISCONNECTED, user=bob, ip=[127.0.0.1], retr=0, deleted=0"
    before = b.log().count(lost)
    with login(b, "bob") as w:
        uidls = listing(w, "UIDL")
        assert len({u.split()[1] for u in uidls}) == count
        assert all(re.fullmatch(rb"\d+ [\x21-\x7e]{1,70}", u) for u in uidls), uidls
        ok(w, "DELE 2")
        ok(w, "DELE 5")
        for text in ("DELE 2", "RETR 2", "TOP 2 1", "LIST 2", "UIDL 2"):
            err(w, text)
        left = [n for n in range(1, count + 1) if n not in (2, 5)]
        assert [int(t.split()[0]) for t in listing(w, "LIST")] == left
        assert listing(w, "UIDL") == [uidls[n - 1] for n in left]
        assert ok(w, "STAT").split()[1] == b"%d" % len(left)
        ok(w, "RSET")
        assert listing(w, "UIDL") == uidls
        ok(w, "DELE 1")
    over()
    # The connection broke: nothing is deleted, and the log does not say that the client logged out.
    wait_for("the word in the log", lambda: b.log().count(lost) > before)
    with login(b, "bob") as w:
        assert listing(w, "UIDL") == uidls
        ok(w, "DELE 1")
        pid = [p for p in b.sessions()]
        assert len(pid) == 1, pid
        os.kill(pid[0], signal.SIGKILL)
        assert w.line() is None
    over()
    # Killed: the same, and the lock went with the process.
    with login(b, "bob") as w:
        assert listing(w, "UIDL") == uidls
        ok(w, "DELE 1")
        ok(w, "DELE 3")
        quit_(w)
    wait_for("the word in the log", lambda: "LOGOUT, user=bob, ip=[127.0.0.1], retr=0, deleted=2" in b.log())
    with login(b, "bob") as w:
        # Numbers are new, names are not.
        now = [u.split()[1] for u in uidls if u.split()[0] not in (b"1", b"3")]
        assert listing(w, "UIDL") == [b"%d %s" % (n, u) for n, u in enumerate(now, 1)]
        quit_(w)
    assert len(b.mailbox("bob")) == count - 2


def twins(b):
    """Two files of one base, as no program should make them: each keeps its UIDL, whatever goes."""
    b.put("erin", "8000.x,S=15", b"Subject: first\n")
    first = b.uidls("erin")
    b.put("erin", "8000.x,S=16", b"Subject: second\n")
    both = b.uidls("erin")
    assert first == ["8000.x"] and len(set(both)) == 2 and first[0] in both, (first, both)
    second = next(u for u in both if u not in first)
    with login(b, "erin") as w:
        n = next(line.split()[0].decode() for line in listing(w, "UIDL") if line.endswith(b" 8000.x"))
        assert b"Subject: first" in octets(w, n)
        ok(w, "DELE " + n)
        quit_(w)
    b.stop()
    b.start()
    assert b.uidls("erin") == [second], "the second took the first's UIDL"
    with login(b, "erin") as w:
        assert b"Subject: second" in octets(w, 1)
        quit_(w)


def in_use(b):
    with login(b, "bob") as w:
        with connect(b) as second:
            ok(second, "USER bob")
            err(second, "PASS " + PASSWORD, b"[IN-USE]")
            # Who is refused may try again, and another user is not hindered.
            err(second, "AUTH PLAIN " + plain("bob", PASSWORD), b"[IN-USE]")
            ok(second, "AUTH PLAIN " + plain("alice", PASSWORD))
        wait_for("the word in the log", lambda: "mailbox bob: it is open in another session" in b.log())
        pid, = wait_for("the end of the second", lambda: len(found := b.sessions()) == 1 and found)
        os.kill(pid, signal.SIGKILL)
        wait_for("the end of the sessions", lambda: not b.sessions())
    with login(b, "bob") as w:
        quit_(w)


def meanwhile(b):
    """Other programs work on the mailbox while a session is open."""
    for n in range(1, 6):
        b.put("carol", f"300{n}.m{n}.host,S=30", b"Subject: %d\n\nbody of message\n" % n)
    box = b.dir + "/mail/carol/"
    with login(b, "carol") as w:
        uidls = listing(w, "UIDL")
        b.put("carol", "2999.early.host", b"Subject: older than all\n\n")
        b.put("carol", "3009.late.host", b"Subject: newer than all\n\n")
        os.unlink(box + "new/3002.m2.host,S=30")
        os.rename(box + "new/3003.m3.host,S=30", box + "cur/3003.m3.host,S=30:2,S")
        os.rename(box + "new/3004.m4.host,S=30", box + "cur/3004.m4.host,S=30:2,FS")
        err(w, "RETR 2")
        err(w, "TOP 2 0")
        assert b"Subject: 3" in octets(w, 3)
        assert listing(w, "UIDL") == uidls
        assert [t.split()[0] for t in listing(w, "LIST")] == [b"1", b"2", b"3", b"4", b"5"]
        ok(w, "DELE 4")
        ok(w, "DELE 2")
        quit_(w)
    left = {os.path.basename(p) for p in b.mailbox("carol")}
    assert left == {"2999.early.host", "3001.m1.host,S=30", "3003.m3.host,S=30:2,S", "3005.m5.host,S=30",
                    "3009.late.host"}, left
    before = [uidls[n].split()[1] for n in (0, 2, 4)]
    b.stop()
    b.start()
    with login(b, "carol") as w:
        now = [u.split()[1] for u in listing(w, "UIDL")]
        assert now[1:4] == before and len(set(now)) == 5, (before, now)
        for n in range(1, 6):
            ok(w, f"DELE {n}")
        quit_(w)
    assert b.mailbox("carol") == []
    # A client may ask for many messages that are gone without being sent away for it.
    for n in range(40):
        b.put("carol", f"40{n:02}.gone", b"x\n")
    with login(b, "carol") as w:
        for n in range(40):
            os.unlink(f"{box}new/40{n:02}.gone")
        for n in range(1, 41):
            err(w, f"RETR {n}")
        assert ok(w, "STAT").startswith(b"+OK 40 ")
        quit_(w)


def odd_files(b):
    """What is no message is neither shown nor waited for, and nothing outside is read."""
    b.put("carol", "5000.mail", b"Subject: mail\n\n")
    box = b.dir + "/mail/carol/new/"
    os.mkfifo(box + "5001.fifo")
    os.symlink("/etc/passwd", box + "5002.link")
    os.mkdir(box + "5003.folder")
    b.put("carol", ".hidden", b"not a message\n")
    # Left by another account: it is there, and the log says what is wrong with it.
    shut = b.put("carol", "5004.shut", b"Subject: not for us\n\n")
    os.chmod(shut, 0)
    if ROOT:
        os.chown(shut, 0, 0)
    with login(b, "carol") as w:
        for text in ("RETR 2", "TOP 2 0"):
            assert b"cannot be read" in err(w, text, b"[SYS/TEMP]")
        wait_for("the word in the log", lambda: b.log().count("carol: reading 5004.shut: Permission denied") == 2)
        for line in listing(w, "LIST"):
            n = int(line.split()[0])
            answer = w.cmd(f"RETR {n}")
            if answer.startswith(b"+OK"):
                assert w.lines() == [b"Subject: mail", b""]
        ok(w, "DELE 1")
        quit_(w)
    assert os.path.exists("/etc/passwd")
    shutil.rmtree(box)


def no_mailbox(b):
    """What stands in its place is not opened (S-52), and the log says what is wrong with it, and nothing else."""
    box = b.dir + "/mail/carol"
    os.chmod(box, 0o775)
    with connect(b) as w:
        ok(w, "USER carol")
        err(w, "PASS " + PASSWORD, b"[SYS/TEMP]")
    os.chmod(box, 0o700)
    why = "mailbox carol: it is no directory of the account, or others can write it"
    wait_for("the word in the log", lambda: why in b.log())
    with login(b, "carol") as w:
        quit_(w)
    assert "mailbox carol: Permission denied" not in b.log()


def update_fails(b):
    path = b.put("alice", "6000.stay", b"Subject: stay\n\n")
    os.chmod(os.path.dirname(path), 0o500)
    try:
        with login(b) as w:
            ok(w, "DELE 1")
            ok(w, "DELE 2")
            err(w, "QUIT", b"[SYS/TEMP]")
            assert w.line() is None
    finally:
        os.chmod(os.path.dirname(path), 0o700)
    assert len(b.mailbox("alice")) == 2


def pipelining(b):
    with connect(b) as w:
        w.send(f"CAPA\r\nUSER alice\r\nPASS {PASSWORD}\r\nSTAT\r\n")
        assert w.line().startswith(b"+OK")
        w.lines()
        assert [w.line()[:3] for _ in range(3)] == [b"+OK"] * 3
        commands = [("LIST", True), ("STAT", False), ("UIDL 1", False), ("RETR 1", True), ("TOP 1 0", True),
                    ("XYZZY", None), ("DELE 1", False), ("DELE 1", None), ("RSET", False), ("NOOP", False)] * 5
        w.send("".join(c + "\r\n" for c, _ in commands))
        for text, many in commands:
            line = w.line()
            assert line.startswith(b"-ERR" if many is None else b"+OK"), (text, line)
            if many:
                w.lines()
        # An octet at a time.
        for c in "NOOP\r\nSTAT\r\n":
            w.send(c)
        assert [w.line()[:3] for _ in range(2)] == [b"+OK"] * 2
        # A bare LF ends no line of which it is not sure; whichever it is, the answer is one.
        quit_(w)


def stop_changes_nothing(b):
    with login(b) as w:
        ok(w, "DELE 1")
        assert b.stop() == 0
        line = w.line()
        assert line is None or line.startswith(b"-ERR"), line
    b.start()
    assert len(b.mailbox("alice")) == 2


def trace(b, path):
    """strace on who forks sessions, and so on new ones; None where that is not allowed."""
    if not shutil.which("strace"):
        return None
    pid = int(re.search(r"^helper barid-acceptor 1 pid=(\d+)", b.ctl("status").stdout, re.M)[1])
    t = subprocess.Popen(["strace", "-f", "-qq", "-e", "trace=open,openat,openat2", "-o", path,
                          "-p", str(pid)], stderr=subprocess.DEVNULL)
    try:
        wait_for("strace", lambda: t.poll() is not None or
                 "TracerPid:\t0" not in b.read(f"/proc/{pid}/status"))
    except AssertionError:
        t.kill()
    return t if t.poll() is None else None


def large(b, count=50_000):
    """A large mailbox opens by its names alone."""
    text = b"Subject: small\n\n" + b"x" * 70 + b"\n"
    octets_each = len(wire_form(text))
    base = b.put("dave", "0.first", text)
    box = os.path.dirname(base)
    os.unlink(base)
    for n in range(count):
        name = f"{box}/{7000000 + n}.Q{n}R0.mx,S={len(text)},W={octets_each}"
        fd = os.open(name, os.O_CREAT | os.O_WRONLY, 0o600)
        os.write(fd, text)
        if ROOT:
            os.fchown(fd, b.uid, -1)
        os.close(fd)
    log = b.dir + "/strace"
    t = trace(b, log)
    with login(b, "dave") as w:
        assert ok(w, "STAT") == b"+OK %d %d" % (count, count * octets_each)
        uidls = listing(w, "UIDL")
        assert len(set(u.split()[1] for u in uidls)) == count
        assert len(listing(w, "LIST")) == count
        ok(w, f"RETR {count}")
        w.lines()
        if t:
            t.terminate()
            t.wait()
            opens = b.read(log).count("open")
            assert 0 < opens < 300, f"{opens} files were opened"
        else:
            print("strace is not allowed here: the number of opens was not counted")
        for first in range(1, count + 1, 500):
            w.send("".join(f"DELE {n}\r\n" for n in range(first, first + 500)))
            assert all(w.line().startswith(b"+OK") for _ in range(500))
        quit_(w)
    assert b.mailbox("dave") == []


def main():
    shm = "/dev/shm" if os.access("/dev/shm", os.W_OK) and shutil.disk_usage("/dev/shm").free > 1 << 30 else None
    with Barid(users=("alice", "bob", "carol", "dave", "erin"), folder=tempfile.mkdtemp(prefix="barid-test-", dir=shm)) as b:
        for test in (states, logins, sizes, numbers, deletion, twins, in_use, meanwhile, odd_files, no_mailbox,
                     update_fails, pipelining, stop_changes_nothing, large):
            test(b)


main()
