# SPDX-License-Identifier: GPL-3.0-or-later
"""barid-sign: P-04 (no private key in any other process), P-09, C-15; what a session that was taken over gets of it."""
import array
import hashlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, ROOT, Wire, certificate, private_parts, program, skip, wait_for  # noqa: E402
from channeltest import TYPES, frame, steal  # noqa: E402

CONTENT = b" " * 64 + b"TLS 1.3, server CertificateVerify\0" + b"h" * 32
ECDSA = 0x0403
# Its memory is too large to be looked through, and it keeps what was freed.
ASAN = b"__asan_init" in open(program("barid"), "rb").read()
WORKERS = min(os.sysconf("SC_NPROCESSORS_ONLN"), 4)


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            return [int(p) for p in f.read().split()]
    except OSError:
        return []


def name(pid):
    """Empty: it is gone."""
    try:
        with open(f"/proc/{pid}/comm") as f:
            return f.read().strip()
    except OSError:
        return ""


def signers(b):
    """Those of the master, youngest last, that have all their workers."""
    return [p for p in children(b.process.pid) if name(p) == "barid-sign" and len(children(p)) == WORKERS]


def one_signer(b, other=None):
    return wait_for("one barid-sign", lambda: len(s := signers(b)) == 1 and s[0] != other and s[0])


def has(pid, needles):
    """Whether one of NEEDLES is in the memory of PID that can be read; of one that is gone it is not."""
    if ASAN or not name(pid):
        return False
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for line in maps:
            span, rights = line.split()[:2]
            start, end = (int(x, 16) for x in span.split("-"))
            if rights[0] != "r" or "[v" in line or end - start > 1 << 30:
                continue
            try:
                mem.seek(start)
                data = mem.read(end - start)
            except OSError:
                continue
            if any(n in data for n in needles):
                return True
    return False


def everybody(b):
    """The master and all that it started, but those who sign."""
    found, todo = [], [b.process.pid]
    while todo:
        pid = todo.pop()
        todo += children(pid)
        if name(pid) not in ("barid-sign", ""):
            found.append(pid)
    return found


def only_signers_have(b, needles, what):
    for pid in everybody(b):
        assert not has(pid, needles), (what, name(pid))
    for pid in signers(b):
        assert ASAN or all(has(p, needles) for p in [pid, *children(pid)]), f"{what}: the search itself finds nothing"


def request(key, scheme=ECDSA, content=CONTENT):
    return frame(TYPES["MSG_SIGN"], (1, key), (2, scheme), (3, content))


def ask(channel, packet, as_other=True):
    """The answer, b"" for none.  The kernel says who asks: another process each time, or we."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    near.settimeout(60)
    if not as_other or (child := os.fork()) == 0:
        channel.sendmsg([packet], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [far.fileno()]))])
        if as_other:
            os._exit(0)
    far.close()
    if as_other:
        os.waitpid(child, 0)
    with near:
        return near.recv(65536)


def key_id(cert):
    der = subprocess.run(f"openssl x509 -in {cert} -noout -pubkey | openssl pkey -pubin -outform der", shell=True,
                         check=True, capture_output=True).stdout
    return hashlib.sha256(der).digest()


def session(b, listener="smtp"):
    """A connection that was greeted, and the process behind it."""
    before = set(b.sessions())
    w = Wire(b.port[listener])
    assert w.line()[:3] in (b"220", b"+OK")
    pid, = wait_for("its session", lambda: set(b.sessions()) - before)
    return w, pid


def starttls(w):
    assert w.reply().startswith(b"220") if w.send("EHLO x\r\n") else w.reply().startswith(b"250")
    assert w.smtp("STARTTLS").startswith(b"220")
    w.start_tls()
    cert = w.sock.getpeercert(True)
    assert w.smtp("EHLO x").startswith(b"250")
    return cert


def shown(b, listener="submissions"):
    with Wire(b.port[listener], tls=True) as w:
        assert w.line().startswith(b"220")
        return w.sock.getpeercert(True)


def channel_of(pid, key):
    """Of the session PID, the way to barid-sign; it answers what is right, once."""
    for s in steal(pid).values():
        s.settimeout(60)
        if ask(s, request(key)):
            return s
        s.close()
    raise AssertionError("no channel of the session answers")


def refused():
    """P-09: whatever a session sends gets no signature of anything else, and hurts nobody."""
    with Barid() as b:
        key = key_id(b.dir + "/localhost.pem")
        bad = [request(key, content=c) for c in (b"", b"x" * 130, CONTENT[1:], CONTENT + b"h", CONTENT.replace(b"server", b"client"),
                                                 b"\x30\x82" + b"c" * 600)]
        bad += [request(key, scheme=s) for s in (0, 0x0203, 0x0804, 0x0401, 1 << 40)]
        bad += [request(b"\0" * 32), request(b""), request(key)[:-1], request(key) + b"\0", b"\0", b"\xff" * 40, os.urandom(900),
                request(key, content=b"x" * 60000)]
        for packet in bad:
            w, pid = session(b)
            with w, channel_of(pid, key) as way:
                assert ask(way, packet) == b"", packet[:60]
        signer = one_signer(b)
        # A flood: a few signatures, and then none; others have theirs meanwhile.
        w, pid = session(b)
        with w, channel_of(pid, key) as way:
            got = [ask(way, request(key), False) != b"" for _ in range(100)]
            # Each that signs counts for itself, and may come to it at any time.
            assert 3 <= sum(got) <= 4 * len(children(signer)), got
            stop = threading.Event()

            def flood():
                while not stop.is_set():
                    try:
                        way.sendmsg([request(key)], [], socket.MSG_DONTWAIT)
                        ask(way, request(key), False)
                    except BlockingIOError:
                        pass
            flooding = threading.Thread(target=flood)
            flooding.start()
            try:
                for _ in range(20):
                    shown(b)
            finally:
                stop.set()
                flooding.join()
            # Once a second it is said.
            wait_for("the complaint", lambda: not ask(way, request(key), False) and "it asked too often" in b.log())
        assert one_signer(b) == signer
        assert "it is not what a TLS handshake has to be signed" in b.log()


def memory():
    """P-04: nobody has a private key but who signs; at the start, in sessions, after a reload and another image."""
    with Barid() as b, tempfile.TemporaryDirectory() as d:
        needles = private_parts(b.dir + "/localhost.key")
        wires = [session(b)[0], session(b)[0], Wire(b.port["pop3s"], tls=True)]
        first = starttls(wires[0])
        wires[2].line()
        one_signer(b)
        only_signers_have(b, needles, "at the start")

        # C-15: the session that is open has the old certificate yet, and who signs for it.
        old = one_signer(b)
        cert, key = certificate(d)
        os.replace(key, b.dir + "/localhost.key")
        os.replace(cert, b.dir + "/localhost.pem")
        wait_for("the new certificate", lambda: shown(b) != first)
        needles += private_parts(b.dir + "/localhost.key")
        assert starttls(wires[1]) == first
        wait_for("two of them", lambda: len(signers(b)) == 2)
        for pid in everybody(b):
            assert not has(pid, needles), name(pid)
        for w in wires:
            w.close()
        new = one_signer(b, old)

        # After a crash there are new acceptors, which ask the same one.
        w, pid = session(b)
        with w:
            before = b.log().count("were started anew after a crashed")
            crash, victim = session(b)
            os.kill(victim, signal.SIGABRT)
            wait_for("new acceptors", lambda: b.log().count("were started anew after a crashed") > before)
            crash.close()
            starttls(w)
            shown(b)
            assert signers(b) == [new]
            for pid in everybody(b):
                assert not has(pid, needles), name(pid)
        only_signers_have(b, needles, "after a crash")


def gone():
    """One that dies is started again, and handshakes wait for it; one that says nothing costs them alone."""
    with Barid() as b:
        for signo, which in ((signal.SIGKILL, "parent"), (signal.SIGABRT, "worker")):
            old = one_signer(b)
            os.kill(old if which == "parent" else children(old)[0], signo)
            shown(b)
            one_signer(b, old)
        signer = one_signer(b)
        stopped = [signer, *children(signer)]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        with Wire(b.port["smtp"]) as w:
            w.line()
            assert w.smtp("EHLO x").startswith(b"250") and w.smtp("STARTTLS").startswith(b"220")
            try:
                w.start_tls()
                raise AssertionError("a handshake without a signature")
            except OSError:
                pass
            # Mail without TLS is not concerned.
            b.send("x@y.example", ["alice@example.test"], "Subject: x\r\n\r\nhello\r\n")
        assert "no signature for a TLS handshake from barid-sign: Connection timed out" in b.log(), b.log()
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
        shown(b)
        # A log that is reopened is that of the workers, too.
        os.rename(b.log_path, b.log_path + ".1")
        workers = children(signer)
        b.process.send_signal(signal.SIGUSR1)
        wait_for("other workers", lambda: not set(workers) & set(children(signer)) and signers(b))
        shown(b)
        assert signers(b) == [signer]
    assert not os.path.exists(f"/proc/{signer}"), "it is there yet after the end"


def checks():
    """What is said of keys that nobody in the master reads."""
    with Barid() as b, tempfile.TemporaryDirectory() as d:
        first = shown(b)
        _, other = certificate(d)
        os.replace(other, b.dir + "/localhost.key")
        wait_for("the refusal", lambda: "new certificate refused" in b.log())
        assert "localhost.key: is not the key of the certificate in" in b.log()
        assert shown(b) == first
        r = subprocess.run([program("barid"), "-t", "-c", b.conf], capture_output=True, text=True, timeout=60, check=False)
        assert r.returncode == 78 and "tls.key: " in r.stderr and "is not the key" in r.stderr, r
        assert shown(b) == first
        # Who signs is started again with the keys that are in force, whatever the files say.
        os.unlink(b.dir + "/localhost.key")
        old = one_signer(b)
        os.kill(old, signal.SIGKILL)
        assert shown(b) == first
        one_signer(b, old)
        b.reload()
        assert "reload refused" in b.log() and "localhost.key: No such file" in b.log()
        assert shown(b) == first


if not ROOT:
    skip("needs root: it reads the memory of processes")
for test in (refused, memory, gone, checks):
    print(test.__name__, flush=True)
    test()
