# SPDX-License-Identifier: GPL-3.0-or-later
"""CONFORMANCE P-01 to P-10: what /proc says of every kind of process, and what code in a session cannot do."""
import os
import poplib
import random
import re
import select
import signal
import smtplib
import socket
import subprocess
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, NO_VERIFY, PASSWORD, ROOT, private_parts, sanitized, skip, upstream, wait_for  # noqa: E402
from channeltest import TYPES, frame, steal  # noqa: E402
from within import NUMBERS, possible, within  # noqa: E402

SECRET = "wonderland-9c1f"
# Of a user of the backend hardcoded://.
HARD = "looking-glass-77a0"
# What one client says, and no other.
SAID = "drink-me-5d1e"
FETCH = "barrel-of-mail-31f2"
SECRETS = {"CONFINED_TEST_SECRET": SECRET}
ASAN = sanitized()
# What may be in the environment of what we start.
ENVIRONMENT = re.compile(r"(PATH|TZ|TZDIR|LANG|LC_\w+|LD_\w+|BARID_\w+|SSL_CERT_\w+|OPENSSL_\w+|[AL]SAN_OPTIONS|"
                         r"UBSAN_OPTIONS|GCOV_\w+|MALLOC_\w+|GLIBC_TUNABLES|QUEUE_RESERVE|LISTEN_\w+|NOTIFY_SOCKET|"
                         r"WATCHDOG_\w+|RES_OPTIONS|LOCALDOMAIN)=")


def status(pid):
    with open(f"/proc/{pid}/status") as f:
        return {k: v.split() for k, _, v in (line.partition(":") for line in f)}


def limits(pid):
    with open(f"/proc/{pid}/limits") as f:
        return {line[:26].strip(): line[26:47].strip() for line in f}


def descriptors(pid):
    return {int(n): os.readlink(f"/proc/{pid}/fd/{n}") for n in os.listdir(f"/proc/{pid}/fd")}


def environment(pid):
    with open(f"/proc/{pid}/environ", "rb") as f:
        return [e.decode(errors="replace") for e in f.read().split(b"\0") if e]


def memory_has(pid, needle):
    """Whether NEEDLE is anywhere in the writable memory of PID."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for line in maps:
            span, rights = line.split()[:2]
            if rights[:2] != "rw" or "[vvar" in line:
                continue
            start, end = (int(x, 16) for x in span.split("-"))
            if end - start > 1 << 30:
                continue
            try:
                mem.seek(start)
                if needle in mem.read(end - start):
                    return True
            except OSError:
                pass
    return False


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(p) for p in f.read().split()]


def name_of(pid):
    """None of a process that has ended in the meantime, as sessions do."""
    try:
        return status(pid)["Name"][0]
    except (FileNotFoundError, ProcessLookupError):
        return None


def named(b, name):
    return [p for p in children(b.process.pid) if name_of(p) == name[:15]]


def inode_of(local, remote):
    """Of the established connection whose near end has port LOCAL and whose far end REMOTE."""
    with open("/proc/net/tcp") as f:
        for line in list(f)[1:]:
            w = line.split()
            if (int(w[1].split(":")[1], 16), int(w[2].split(":")[1], 16)) == (local, remote):
                return w[9]
    return None


def far_end(sock):
    """The inode of the other end of SOCK."""
    return inode_of(sock.getpeername()[1], sock.getsockname()[1])


def server_of(b, sock):
    """The process that serves the other end of SOCK."""
    def look():
        inode = far_end(sock)
        for pid in children(b.process.pid) if inode and inode != "0" else ():
            try:
                # Who forked it may not have closed his own yet.
                if f"socket:[{inode}]" in descriptors(pid).values() and \
                        b.read(f"/proc/{pid}/comm") != "barid-acceptor\n":
                    return pid
            except OSError:
                pass
        return None
    return wait_for("the child that serves us", look)


def listening():
    with open("/proc/net/tcp") as f:
        return {f"socket:[{line.split()[9]}]" for line in f if line.split()[3] == "0A"}


def check_rights(pid, what, seccomp="2"):
    """P-01."""
    s = status(pid)
    assert s["NoNewPrivs"] == ["1"], (what, s["NoNewPrivs"])
    assert s["Seccomp"] == [seccomp], (what, s["Seccomp"])
    assert "0" not in s["Uid"] + s["Gid"] and s["Groups"] == [], (what, s["Uid"], s["Gid"], s["Groups"])
    for caps in ("CapPrm", "CapEff", "CapInh", "CapAmb"):
        assert int(s[caps][0], 16) == 0, (what, caps, s[caps])


def check_limits(pid, what, processes="0"):
    """P-06."""
    have = limits(pid)
    assert have["Max core file size"] == "0", (what, have)
    assert have["Max processes"] == processes or processes is None, (what, have)
    if not ASAN:
        # What is not dumpable belongs to root in /proc.
        assert os.stat(f"/proc/{pid}/environ").st_uid == 0, what


def check_environment(pid, what):
    """P-10."""
    for entry in environment(pid):
        assert ENVIRONMENT.match(entry), (what, entry)


def check_session(b, pid, what, place, other=None):
    """OTHER is the connection of another client, who said SAID."""
    check_rights(pid, what)
    check_limits(pid, what)
    check_environment(pid, what)
    have = limits(pid)
    assert int(have["Max open files"]) <= 256, (what, have)
    assert ASAN or int(have["Max data size"]) <= 1 << 30, (what, have)
    # P-02: nobody but root and the mail user can write there, and nothing else is seen.
    root = os.readlink(f"/proc/{pid}/root")
    if place == "spool":
        assert root == os.path.realpath(f"{b.dir}/spool"), (what, root)
    else:
        assert "/run/empty." in root and root.endswith(" (deleted)"), (what, root)
    # P-03: no listener, no control socket; nothing that has a path but the spool or the boxes, and the log.
    fds, ears = descriptors(pid), listening()
    allowed = re.compile(rf"(socket:\[\d+\]|/dev/null|/memfd:\S+ \(deleted\)|pipe:\[\d+\]|{re.escape(b.dir)}/(log|stderr)|"
                         rf"{re.escape(b.dir)}/{place}(/.*)?)$")
    for fd, to in fds.items():
        assert to not in ears, (what, fd, to)
        assert allowed.match(to) or fd <= 2, (what, fd, to)
        if place == "spool" and to.startswith(b.dir + "/spool"):
            assert os.path.isdir(to) or "/tmp/" in to or to.endswith("/lock"), (what, fd, to)
    assert other is None or f"socket:[{far_end(other)}]" not in fds.values(), (what, fds)
    for fd, to in fds.items():
        # The set of users is for reading.
        if to.startswith("/memfd:"):
            with open(f"/proc/{pid}/fdinfo/{fd}") as f:
                assert "score" in to or int(re.search(r"flags:\s*(\d+)", f.read())[1], 8) & 3 == 0, (what, fd, to)
    # P-04: no secret of the configuration, no line of the password file, no key.  A sanitizer keeps what was freed.
    if not ASAN:
        for needle in (SECRET.encode(), HASH.encode(), HARD.encode(), FETCH.encode(), *KEY):
            assert not memory_has(pid, needle), (what, needle)
        assert other is None or not memory_has(pid, SAID.encode()), what


def smtp_states(b):
    s = socket.create_connection((b.host, b.port["smtp"]), 30)
    f = s.makefile("rb")
    assert f.readline().startswith(b"220 ")
    check_session(b, server_of(b, s), "SMTP, greeted", "spool")
    for line in (f"EHLO {SAID}.test", f"MAIL FROM:<{SAID}@x.test>"):
        s.sendall(line.encode() + b"\r\n")
        while f.readline()[3:4] == b"-":
            pass
    assert ASAN or memory_has(server_of(b, s), SAID.encode()), "the search for what was said finds nothing"
    for name, place in (("submissions", "spool"), ("pop3s", "nowhere")):
        with socket.create_connection((b.host, b.port[name]), 30) as early:
            check_session(b, server_of(b, early), name + ", before its greeting", place, s)
    c = smtplib.SMTP(b.host, b.port["submission"], timeout=60)
    c.ehlo()
    check_session(b, server_of(b, c.sock), "submission, before TLS", "spool", s)
    c.starttls(context=NO_VERIFY)
    c.ehlo()
    pid = server_of(b, c.sock)
    check_session(b, pid, "submission, in TLS", "spool", s)
    c.login("alice", PASSWORD)
    check_session(b, pid, "submission, logged in", "spool")
    assert c.mail("alice@example.test")[0] == c.rcpt("bob@example.test")[0] == 250
    assert c.docmd("DATA")[0] == 354
    c.send(b"Subject: x\r\n\r\n" + b"line\r\n" * 40000)
    wait_for("a message that is being written", lambda: any("/tmp/" in to for to in descriptors(pid).values()
                                                            if to.startswith(b.dir + "/spool")))
    check_session(b, pid, "submission, in DATA", "spool")
    c.send(b".\r\n")
    assert c.getreply()[0] == 250
    b.mail("bob", 1)
    s.close()
    f.close()
    c.quit()


def pop3_states(b):
    c = poplib.POP3(b.host, b.port["pop3"], timeout=60)
    pid = server_of(b, c.sock)
    check_session(b, pid, "POP3, before TLS", "nowhere")
    c.stls(context=NO_VERIFY)
    check_session(b, pid, "POP3, in TLS", "nowhere")
    c.user("bob")
    c.pass_(PASSWORD)
    check_session(b, pid, "POP3, logged in", "mail/bob")
    assert len(c.list()[1]) == 1
    c.retr(1)
    check_session(b, pid, "POP3, after RETR", "mail/bob")
    c.quit()


def helpers(b):
    for name in ("barid-runner", "barid-http", "barid-verify", "barid-check", "barid-collect"):
        for pid in wait_for(name, lambda: named(b, name)):
            wait_for("its sandbox", lambda: status(pid)["Seccomp"] == ["2"])
            check_rights(pid, name)
            check_limits(pid, name, None)
            check_environment(pid, name)
            ears = listening()
            assert not ears & set(descriptors(pid).values()), name
            if not ASAN:
                for needle in (HASH.encode(), HARD.encode(), *KEY):
                    assert not memory_has(pid, needle), name
                # Who fetches mail has the password for that, and nobody else.
                assert memory_has(pid, FETCH.encode()) == (name == "barid-collect"), name
    # Sessions are forked from these, which have listeners and hear nothing.
    acceptors = named(b, "barid-acceptor")
    assert len(acceptors) == 2, acceptors
    for pid in acceptors:
        check_rights(pid, "an acceptor")
        check_limits(pid, "an acceptor", None)
        check_environment(pid, "an acceptor")
        assert listening() & set(descriptors(pid).values())
        for needle in () if ASAN else (HASH.encode(), SECRET.encode(), HARD.encode(), FETCH.encode(), *KEY):
            assert not memory_has(pid, needle), pid
    signer, = named(b, "barid-sign")
    workers = wait_for("who signs", lambda: children(signer))
    for pid in [signer, *workers]:
        wait_for("its sandbox", lambda: status(pid)["Seccomp"] == ["2"])
        check_rights(pid, "barid-sign")
        check_limits(pid, "barid-sign", None if pid == signer else "0")
        check_environment(pid, "barid-sign")
        # P-03: requests, and the log.
        paths = [to for fd, to in descriptors(pid).items() if fd > 2 and to.startswith("/")]
        assert all(to in (b.dir + "/log", b.dir + "/stderr") for to in paths), paths
        assert not listening() & set(descriptors(pid).values())
        assert not memory_has(pid, HASH.encode()) and not memory_has(pid, SECRET.encode())
        assert any(memory_has(pid, needle) for needle in KEY), "the search for keys finds none"
    pages(b)
    # It runs programs, but has no more rights than they.
    for pid in wait_for("barid-spawn", lambda: named(b, "barid-spawn")):
        wait_for("its rights", lambda: status(pid)["NoNewPrivs"] == ["1"])
        check_rights(pid, "barid-spawn", "0")
        check_limits(pid, "barid-spawn", None)
        check_environment(pid, "barid-spawn")
        assert not listening() & set(descriptors(pid).values())
        if not ASAN:
            assert not memory_has(pid, HASH.encode()) and not memory_has(pid, SECRETS["CONFINED_TEST_SECRET"].encode())
    auth, = named(b, "barid-auth")
    check_environment(auth, "barid-auth")
    assert not listening() & set(descriptors(auth).values())
    # Who takes the questions, and who answered them: root is none of them, and one alone has the pairs.
    broker, *workers = sorted(children(auth))
    assert len(workers) >= 2, workers
    for pid in (broker, *workers):
        check_rights(pid, "barid-auth's child")
        check_limits(pid, "barid-auth's child")
        check_environment(pid, "barid-auth's child")
        assert not listening() & set(descriptors(pid).values())
    if not ASAN:
        assert memory_has(auth, HARD.encode()), "the search for the pair finds none"
        with_pairs = [pid for pid in (broker, *workers) if memory_has(pid, HARD.encode())]
        assert broker not in with_pairs and len(with_pairs) < len(workers), with_pairs
        assert not memory_has(broker, HASH.encode())
    # The master forgets what it read from the environment; who starts it has it yet.
    check_environment(b.process.pid, "the master")
    if not ASAN:
        for pid in (auth, b.process.pid):
            for needle in KEY:
                assert not memory_has(pid, needle), pid


def pages(b):
    """Who lets administrators in, and who serves one: it has no listener and sees no file."""
    admin, = named(b, "barid-admin")
    wait_for("its sandbox", lambda: status(admin)["Seccomp"] == ["2"])
    with socket.create_connection((b.host, b.port["admin"]), 30) as s, NO_VERIFY.wrap_socket(s) as tls:
        tls.sendall(b"GET / HTTP/1.1\r\n")
        visit, = wait_for("who serves us", lambda: children(admin))
        for pid in (admin, visit):
            check_rights(pid, "barid-admin")
            check_limits(pid, "barid-admin", None if pid == admin else "0")
            check_environment(pid, "barid-admin")
            paths = [to for fd, to in descriptors(pid).items() if fd > 2 and to.startswith("/")]
            assert all(to in (b.dir + "/log", b.dir + "/stderr") or "memfd" in to for to in paths), paths
            for needle in () if ASAN else (HASH.encode(), SECRET.encode(), HARD.encode(), FETCH.encode(), *KEY):
                assert not memory_has(pid, needle), pid
        assert listening() & set(descriptors(admin).values())
        assert not listening() & set(descriptors(visit).values())
        if not ASAN and possible():
            got = within(visit, ("openat", -100, "/etc/passwd", 0), ("openat", -100, f"{b.dir}/spool/new/evil", 65, 384),
                         ("openat", -100, f"{b.dir}/localhost.pem", 0), ("clone", signal.SIGCHLD, 0, 0, 0, 0))
            assert refused(got, 4), got


def asked(b):
    """Who answers at the control socket, where everybody may ask: what root goes by it may read, and not write."""
    before = set(children(b.process.pid))

    def who():
        new = [p for p in children(b.process.pid) if p not in before and name_of(p) == "barid"]
        return [p for p in new if status(p)["Seccomp"] == ["2"]]

    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.connect(b.dir + "/run/control")
        pid, = wait_for("who answers", who)
        check_rights(pid, "a control child")
        check_limits(pid, "a control child", None)
        check_environment(pid, "a control child")
        with open(f"/proc/{pid}/maps") as f:
            shared = {line.split()[5] for line in f if line.split()[1][1::2] == "ws"}
        # The scoreboard sessions have, too, and nobody believes it.
        assert shared <= {"/memfd:barid-score"}, shared
        files = {to for to in descriptors(pid).values() if "memfd:" in to}
        assert not any(name in to for to in files for name in ("book", "marks", "share", "conf")), files


def bad_packets():
    """What is no packet, and what begins as one of each kind; a few of all that there could be."""
    dice = random.Random(int(os.environ.get("SEED", "1")))
    yield from (b"", b"\0", b"\xff" * 8, b"\0" * 16, b"x" * 65536, b"x" * 65537, b"x" * 150000)
    for kind in (0, *TYPES.values(), len(TYPES) + 1, 0xffff):
        whole = frame(kind, *((tag, dice.randbytes(dice.choice((0, 1, 8, 16, 300)))) for tag in range(1, dice.randrange(2, 15))))
        yield from (whole, whole[:-1], whole + b"\0", whole[:8], whole[:dice.randrange(1, len(whole))],
                    whole[:4] + b"\xff\xff\xff\xff" + whole[8:], whole[:8] + dice.randbytes(len(whole)),
                    whole[:2] + b"\1\1" + whole[4:], frame(kind, (1, b"x" * 60000)))


def bad_frames(b):
    """P-09: whatever a session or a runner that was taken over sends on its ways, all others go on."""
    def helpers_now():
        named = {pid: name_of(pid) or "" for pid in children(b.process.pid)}
        return {pid: name for pid, name in named.items() if name.startswith("barid-")}

    before = helpers_now()
    with b.smtp("submission", login="alice") as c:
        p = b.pop3("bob")
        runner, = named(b, "barid-runner")
        for pid in (server_of(b, c.sock), server_of(b, p.sock), runner):
            # The first two of a runner are those that it reads.
            ways = {n: way for n, way in steal(pid).items() if pid != runner or n > 4}
            assert len(ways) >= 2, ways
            for way in ways.values():
                for n, packet in enumerate(bad_packets()):
                    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                    passed = ([], [ours.fileno()], [theirs.fileno()] * 3)[n % 3]
                    select.select([], [way], [], 30)
                    try:
                        socket.send_fds(way, [packet], passed, socket.MSG_DONTWAIT)
                    except OSError as e:
                        # More than the kernel takes at once.
                        assert len(packet) > 60000, (e, packet[:20])
                    ours.close()
                    theirs.close()
                way.close()
        assert c.noop()[0] == 250 and p.noop().startswith(b"+OK")
        had = len(b.mailbox("bob"))
        c.sendmail("alice@example.test", ["bob@example.test"], "Subject: x\r\n\r\nhello\r\n")
        b.mail("bob", had + 1)
        p.quit()
    with b.smtp("submission", login="alice"):
        b.pop3("bob").quit()
    died = [line for line in b.log().split("\n") if "died of signal" in line]
    assert helpers_now() == before and not died, (before, helpers_now(), died)


# ---- code in a session ------------------------------------------------------------

def refused(got, n):
    """Whether that many calls came back, all of them with an error."""
    return len(got) == n and all(result < 0 for result in got)


def accepted(b, pid):
    """What is accepted a session can neither remove nor replace, move, open or put off, though it knows the id."""
    path = b.dir + "/spool/new/accepted"
    with open(path, "w") as f:
        f.write("promised to somebody\n")
    os.chown(path, b.uid, -1)
    was = os.stat(path)
    got = within(pid, ("openat", -100, "/tmp/evil", 65, 384), ("unlinkat", -100, "/new/accepted", 0),
                 ("renameat2", -100, "/tmp/evil", -100, "/new/accepted", 0),
                 ("renameat2", -100, "/tmp/evil", -100, "/new/accepted", 2),
                 ("renameat2", -100, "/new/accepted", -100, "/tmp/accepted", 0),
                 ("renameat", -100, "/new/accepted", -100, "/new/other"),
                 ("linkat", -100, "/new/accepted", -100, "/tmp/accepted", 0),
                 ("openat", -100, "/new/accepted", 1), ("openat", -100, "/new/accepted", 512),
                 ("renameat2", -100, "/tmp/evil", -100, "/new/evil", 1), ("unlinkat", -100, "/new/evil", 0))
    assert got[0] >= 0 and refused(got[1:9], 8), got
    # To add is its right, and then it is as accepted as the other.
    assert got[9] == 0 and refused(got[10:], 1), got
    now = os.stat(path)
    assert (now.st_ino, now.st_size, now.st_nlink, now.st_mtime) == (was.st_ino, was.st_size, 1, was.st_mtime)
    os.unlink(path)
    os.unlink(b.dir + "/spool/new/evil")


def channels(b):
    """P-09: what a session may shut of an end that all have keeps nobody from being heard."""
    with b.smtp("submission") as c:
        pid = server_of(b, c.sock)
        own = f"socket:[{far_end(c.sock)}]"
        ways = [fd for fd, to in descriptors(pid).items() if to.startswith("socket:") and to != own]
        got = within(pid, *(("shutdown", fd, socket.SHUT_RD) for fd in ways))
        assert len(ways) >= 2 and got == [0] * len(ways), (ways, got)
    with b.smtp("submission", login="alice") as c:
        had = len(b.mailbox("bob"))
        c.sendmail("alice@example.test", ["bob@example.test"], "Subject: x\r\n\r\nhello\r\n")
        b.mail("bob", had + 1)
    b.pop3("bob").quit()


def intruder(b):
    """P-08: no other message, no other mailbox, no password file; and what a session never calls is its end."""
    if ASAN:
        print("the intruder: needs a build without sanitizers")
        return
    if not possible():
        print("the intruder: is known for x86-64 alone")
        return
    os.makedirs(b.dir + "/spool/hold", exist_ok=True)
    channels(b)
    for path in ("spool/hold/other", "mail/alice/new/1.other"):
        os.makedirs(os.path.dirname(f"{b.dir}/{path}"), exist_ok=True)
        with open(f"{b.dir}/{path}", "w") as f:
            f.write("of somebody else\n")
        os.chown(f"{b.dir}/{path}", b.uid, -1)
    os.chown(b.dir + "/mail/alice", b.uid, -1)
    os.chown(b.dir + "/mail/alice/new", b.uid, -1)

    s = socket.create_connection((b.host, b.port["smtp"]), 30)
    f = s.makefile("rb")
    f.readline()
    pid = server_of(b, s)
    accepted(b, pid)
    got = within(pid, *(("openat", -100, path, 0) for path in ("/etc/shadow", "/hold/other", "/hold", "/new", "/", "/tmp")),
                 ("openat", -100, "/hold/mine", 65, 384), ("unlink", "/hold/other"))
    # The last is not among a session's calls at all (it is unlinkat() there).
    assert refused(got, 7), got
    assert os.path.exists(b.dir + "/spool/hold/other")

    c = poplib.POP3(b.host, b.port["pop3"], timeout=60)
    got = within(server_of(b, c.sock), ("openat", -100, "alice/new/1.other", 0), ("openat", -100, "../mail", 0),
                 ("openat", -100, "/x", 65, 384))
    assert refused(got, 3), got
    c.stls(context=NO_VERIFY)
    c.user("bob")
    c.pass_(PASSWORD)
    pid = server_of(b, c.sock)
    own = next(fd for fd, to in descriptors(pid).items() if to.endswith("/mail/bob"))
    got = within(pid, *(("openat", own, path, 0) for path in ("../alice/new/1.other", "../alice", "..", "new")))
    assert refused(got[:3], 3) and got[3] > 0, got
    assert c.noop().startswith(b"+OK")
    c.close()

    # SO_LINGER: whoever has the client's socket last waits in close() for as long as the client likes.
    for call in (("execve", 0, 0, 0), ("clone", signal.SIGCHLD, 0, 0, 0, 0), ("kill", b.process.pid, 15), ("socket", 2, 1, 0),
                 ("shutdown", 0, socket.SHUT_WR), ("shutdown", 0, socket.SHUT_RDWR),
                 ("setsockopt", 0, socket.SOL_SOCKET, socket.SO_LINGER, "\1\0\0\0\1\0\0", 8), ("ptrace", 0, 0, 0, 0),
                 ("setuid", 0), ("utimensat", -100, "/new", 0, 0), ("chmod", "/new", 0)):
        s = socket.create_connection((b.host, b.port["smtp"]), 30)
        f = s.makefile("rb")
        f.readline()
        pid, before = server_of(b, s), b.log().count("died of signal 31")
        assert within(pid, call) == []
        wait_for(f"the end of who calls {call[0]}", lambda: b.log().count("died of signal 31") > before)
        assert not os.path.exists(f"/proc/{pid}"), call
        s.close()
        f.close()
        # The crash makes the master another image, and marks the address.
        os.kill(b.process.pid, 0)
        b.stop()
        b.start()
    assert f"killed: system call {NUMBERS['execve']} is not one" in b.log(), b.log()
    b.send("x@y.example", ["alice@example.test"], "Subject: x\r\n\r\nhello\r\n")


def file_size():
    """P-06: with a log that is no file, what a session writes is limited to a message and its envelope."""
    with Barid(extra='log { to = {"syslog:mail@/dev/null-there"} level = "info" }\n'
                     'limits { message-size = 1MB }\n') as b:
        s = socket.create_connection((b.host, b.port["smtp"]), 30)
        f = s.makefile("rb")
        assert f.readline().startswith(b"220 ")
        assert int(limits(server_of(b, s))["Max file size"]) == (1 << 20) + (32 << 20)
        s.close()
        f.close()


def modes():
    """Off is off; a reload changes it for the next."""
    with Barid(extra='sandbox = "off"\n') as b:
        with b.smtp() as c:
            check_rights(server_of(b, c.sock), "sandbox off", "0")
        b.write_conf('sandbox = "log"\n')
        b.reload()
        with b.smtp() as c:
            check_rights(server_of(b, c.sock), "sandbox log", "2")
            assert c.noop()[0] == 250


def states():
    global HASH, KEY
    # A route by DANE makes barid-http needed; the secret is one of a server that is never asked.
    with Barid(env=SECRETS, listen=dict(Barid.LISTEN, admin=("admin", "implicit")),
               extra='admin { users = {"alice"} }\nqueue { runners = 1 }\n' + upstream("u", ("192.0.2.1", 25, 'user = "u" '
               'password = "${CONFINED_TEST_SECRET}" tls = "off"')) +
               'route "*@far.example" { tls = "dane" }\n'
               'recipients { verify = "account:1-4294967294;check" }\n'
               'dns { servers = {"127.0.0.1:9"} }\ndnsbl "bl.example" { }\n'
               f'collect "c" {{ server = "127.0.0.1" port = 9 user = "u" password = "{FETCH}" to = "bob" }}\n'
               'route "list.example" { via = "pipe:/bin/cat" }\n', start=False) as b:
        with open(b.conf) as f:
            text = f.read()
        with open(b.conf, "w") as f:
            f.write(text.replace('/users"}', f'/users", "hardcoded://carol:{HARD}"}}'))
        b.start()
        with open(b.dir + "/users") as f:
            HASH = f.readline().split("$")[-1].strip()[:40]
        KEY = private_parts(b.dir + "/localhost.key")
        smtp_states(b)
        pop3_states(b)
        helpers(b)
        asked(b)
        bad_frames(b)
        intruder(b)


if not ROOT:
    skip("what is not dumpable shows its /proc to root alone")
HASH = ""
for case in (states, file_size, modes):
    print(case.__name__, flush=True)
    case()
