# SPDX-License-Identifier: GPL-3.0-or-later
"""CONFORMANCE P-01 to P-10: what /proc says of every kind of process, and what code in a session cannot do."""
import os
import poplib
import re
import shutil
import smtplib
import socket
import subprocess
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, NO_VERIFY, PASSWORD, ROOT, private_parts, sanitized, skip, upstream, wait_for  # noqa: E402

SECRET = "wonderland-9c1f"
# Of a user of the backend hardcoded://.
HARD = "looking-glass-77a0"
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


def server_of(b, sock):
    """The process that serves the other end of SOCK."""
    near, far = sock.getsockname()[1], sock.getpeername()[1]

    def look():
        inode = inode_of(far, near)
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


def check_session(b, pid, what, place):
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
    for fd, to in fds.items():
        # The set of users is for reading.
        if to.startswith("/memfd:"):
            with open(f"/proc/{pid}/fdinfo/{fd}") as f:
                assert "score" in to or int(re.search(r"flags:\s*(\d+)", f.read())[1], 8) & 3 == 0, (what, fd, to)
    # P-04: no secret of the configuration, no line of the password file, no key.  A sanitizer keeps what was freed.
    if not ASAN:
        for needle in (SECRET.encode(), HASH.encode(), HARD.encode(), FETCH.encode(), *KEY):
            assert not memory_has(pid, needle), (what, needle)


def smtp_states(b):
    s = socket.create_connection((b.host, b.port["smtp"]), 30)
    f = s.makefile("rb")
    assert f.readline().startswith(b"220 ")
    check_session(b, server_of(b, s), "SMTP, greeted", "spool")
    c = smtplib.SMTP(b.host, b.port["submission"], timeout=60)
    c.ehlo()
    check_session(b, server_of(b, c.sock), "submission, before TLS", "spool")
    c.starttls(context=NO_VERIFY)
    c.ehlo()
    pid = server_of(b, c.sock)
    check_session(b, pid, "submission, in TLS", "spool")
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
        if not ASAN and shutil.which("gdb"):
            got, out = inject(visit, 'openat(-100, "/etc/passwd", 0)',
                              f'openat(-100, "{b.dir}/spool/new/evil", 65, 384)',
                              f'openat(-100, "{b.dir}/localhost.pem", 0)', 'fork()')
            assert got == ["-1"] * 4, out


# ---- code in a session ------------------------------------------------------------

def inject(pid, *calls):
    """Calls each of CALLS (C, of glibc) within PID; what they returned, "" of one that did not return."""
    commands = ["set pagination off", "set confirm off", "handle SIGSYS nostop noprint pass"]
    commands += [f'printf "got %d\\n", ((int (*)()){c.partition("(")[0]})({c.partition("(")[2]}' for c in calls]
    r = subprocess.run(["gdb", "-q", "-nx", "-batch", "-p", str(pid), *(x for c in commands for x in ("-ex", c))],
                       capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    return re.findall(r"^got (-?\d+)$", r.stdout, re.M), r.stdout + r.stderr


def accepted(b, pid):
    """What is accepted a session can neither remove nor replace, move, open or put off, though it knows the id."""
    path = b.dir + "/spool/new/accepted"
    with open(path, "w") as f:
        f.write("promised to somebody\n")
    os.chown(path, b.uid, -1)
    was = os.stat(path)
    got, out = inject(pid, 'openat(-100, "/tmp/evil", 65, 384)', 'unlinkat(-100, "/new/accepted", 0)',
                      'renameat2(-100, "/tmp/evil", -100, "/new/accepted", 0)',
                      'renameat2(-100, "/tmp/evil", -100, "/new/accepted", 2)',
                      'renameat2(-100, "/new/accepted", -100, "/tmp/accepted", 0)',
                      'renameat(-100, "/new/accepted", -100, "/new/other")',
                      'linkat(-100, "/new/accepted", -100, "/tmp/accepted", 0)',
                      'openat(-100, "/new/accepted", 1)', 'openat(-100, "/new/accepted", 512)',
                      'renameat2(-100, "/tmp/evil", -100, "/new/evil", 1)', 'unlinkat(-100, "/new/evil", 0)')
    assert int(got[0]) >= 0 and got[1:9] == ["-1"] * 8, out
    # To add is its right, and then it is as accepted as the other.
    assert got[9:] == ["0", "-1"], out
    now = os.stat(path)
    assert (now.st_ino, now.st_size, now.st_nlink, now.st_mtime) == (was.st_ino, was.st_size, 1, was.st_mtime)
    os.unlink(path)
    os.unlink(b.dir + "/spool/new/evil")


def intruder(b):
    """P-08: no other message, no other mailbox, no password file; and what a session never calls is its end."""
    if ASAN:
        print("the intruder: needs a build without sanitizers")
        return
    if not shutil.which("gdb"):
        raise SystemExit("gdb is missing: run `make deps`")
    os.makedirs(b.dir + "/spool/hold", exist_ok=True)
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
    got, out = inject(pid, 'open("/etc/shadow", 0)', 'open("/hold/other", 0)', 'open("/hold", 0)', 'open("/new", 0)',
                      'open("/", 0)', 'open("/tmp", 0)', 'open("/hold/mine", 65, 384)', 'unlink("/hold/other")')
    # The last is not among a session's calls at all (it is unlinkat() there).
    assert got[:7] == ["-1"] * 7, out
    assert os.path.exists(b.dir + "/spool/hold/other")

    c = poplib.POP3(b.host, b.port["pop3"], timeout=60)
    got, out = inject(server_of(b, c.sock), 'open("/", 65536)', 'open("alice/new/1.other", 0)', 'open("../mail", 0)',
                      'open("/x", 65, 384)')
    assert got[1:] == ["-1"] * 3, out
    c.stls(context=NO_VERIFY)
    c.user("bob")
    c.pass_(PASSWORD)
    pid = server_of(b, c.sock)
    own = next(fd for fd, to in descriptors(pid).items() if to.endswith("/mail/bob"))
    got, out = inject(pid, f'openat({own}, "../alice/new/1.other", 0)', f'openat({own}, "../alice", 0)',
                      f'openat({own}, "..", 0)', f'openat({own}, "new", 0)')
    assert got[:3] == ["-1"] * 3 and int(got[3]) > 0, out
    assert c.noop().startswith(b"+OK")
    c.close()

    for call, name in (("execve(0, 0, 0)", "execve"), ("fork()", "clone"), (f"kill({b.process.pid}, 15)", "kill"),
                       ("socket(2, 1, 0)", "socket"), ("ptrace(0, 0, 0, 0)", "ptrace"), ("setuid(0)", "setuid"),
                       ('utimensat(-100, "/new", 0, 0)', "utimensat"), ('chmod("/new", 0)', "chmod")):
        s = socket.create_connection((b.host, b.port["smtp"]), 30)
        f = s.makefile("rb")
        f.readline()
        pid, before = server_of(b, s), b.log().count("died of signal 31")
        _, out = inject(pid, call)
        wait_for(f"the end of who calls {name}: {out}", lambda: b.log().count("died of signal 31") > before)
        assert not os.path.exists(f"/proc/{pid}"), name
        s.close()
        f.close()
        # The crash makes the master another image, and marks the address.
        os.kill(b.process.pid, 0)
        b.stop()
        b.start()
    number = {"x86_64": 59, "aarch64": 221}.get(os.uname().machine)
    assert number is None or f"killed: system call {number} is not one" in b.log(), b.log()
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
        intruder(b)


if not ROOT:
    skip("what is not dumpable shows its /proc to root alone")
HASH = ""
for case in (states, file_size, modes):
    print(case.__name__, flush=True)
    case()
