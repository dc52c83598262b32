# SPDX-License-Identifier: GPL-3.0-or-later
"""The master: limits before the fork, reload, certificates, stop, crash, activation."""
import contextlib
import glob
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import (Barid, NO_VERIFY, Sink, TRACED, Wire, certificate, free_port, program,  # noqa: E402
                       smarthost, wait_for)

ADDR_NO_RANDOMIZE = 0x0040000
MESSAGE = "Subject: x\r\n\r\nhello\r\n"


def acceptor(b, name="smtp"):
    """The process id of who lets clients in."""
    found = re.findall(r"^helper barid-acceptor ([01]) pid=(\d+)$", b.ctl("status").stdout, re.M)
    return int(dict(found)["1" if name == "pop3" else "0"])


def connect(b, name="smtp"):
    s = socket.create_connection((b.host, b.port[name]), 60)
    return s, s.makefile("rb")


def line(f):
    return f.readline().decode()


def say(s, f, text):
    s.sendall(text.encode() + b"\r\n")
    reply = line(f)
    while reply[3:4] == "-":
        reply = line(f)
    return reply


def children(pid):
    return [int(p) for p in subprocess.run(["pgrep", "-P", str(pid)], capture_output=True,
                                           text=True).stdout.split()]


def limits():
    """S-46, FEATURES L13: who is one too many is refused before a fork, and is told so."""
    extra = "limits { connections = 10 connections-in = 4 connections-per-address = 3 }\n"
    with Barid(extra=extra) as b:
        held = [connect(b) for _ in range(3)]
        for _, f in held:
            assert line(f).startswith("220 "), "the first three come in"
        procs = set(children(b.process.pid))
        s, f = connect(b)
        reply = line(f)
        assert reply.startswith("421 4.7.0 ") and "too many connections" in reply, reply
        assert f.readline() == b"" and set(children(b.process.pid)) <= procs, "it cost no child"
        p, pf = connect(b, "pop3")
        assert line(pf).startswith("-ERR [SYS/TEMP] "), "POP3 in its own words"
        for x in (s, p):
            x.close()
        held[0][0].close()
        held[0][1].close()
        wait_for("a place", lambda: line(connect(b)[1]).startswith("220 "))
        for x, y in held[1:]:
            x.close()
            y.close()


def raised():
    """A limit that a reload raises is as good as one that was there from the start."""
    few = "limits { connections = 4 connections-in = 3 connections-per-address = 1000 }\n"
    with Barid(listen={"smtp": ("smtp", "off")}, extra=few) as b, contextlib.ExitStack() as held:
        b.write_conf(few.replace("= 4", "= 200").replace("= 3", "= 100"))
        b.reload()
        # More than what an empty place would have been left for.
        for n in range(75):
            w = held.enter_context(Wire(b.port["smtp"]))
            assert w.line().startswith(b"220 "), n
        b.write_conf("limits { connections = 100000 }\n")
        b.reload()
        wait_for("the refusal", lambda: "limits.connections: has no room before a restart, expected at most 65472" in b.log())


def crowded():
    """S-46, CONFORMANCE 4: the limit of all together, and what few places are left mean for who is not known."""
    extra = "limits { connections = 10 connections-in = 6 }\n"
    with Barid(extra=extra) as b:
        held = [Wire(b.port["smtp" if n % 2 else "pop3"], source=f"127.0.0.{n + 2}") for n in range(5)]
        assert [w.line()[:3] for w in held] == [b"+OK", b"220", b"+OK", b"220", b"+OK"]
        # Who was there before has the time and the patience that he had.
        assert [held[1].cmd("FOO")[:3] for _ in range(2)] == [b"500", b"500"]
        with Wire(b.port["smtp"], source="127.0.0.9") as w:
            assert w.line()[:3] == b"220"
            with Wire(b.port["smtp"], source="127.0.0.10") as more:
                assert more.line() == b"421 4.7.0 mx.example.test Error: too many connections"
            assert w.smtp("EHLO x").startswith(b"250") and w.cmd("FOO").startswith(b"421 4.7.0 ")
        for w in held[:3]:
            w.close()
        assert "four of five places for clients are taken" in b.log()

        def calm():
            with Wire(b.port["smtp"], source="127.0.0.9") as w:
                return w.line()[:3] == b"220" and w.cmd("FOO").startswith(b"500")
        wait_for("calm", calm)
        assert "there are places for clients again" in b.log()
        for w in held[3:]:
            w.close()


def unwelcome():
    """Who is not in access.connect is told so, and so is the log."""
    with Barid(extra='access { connect = {"192.0.2.0/24"} }\n') as b:
        s, f = connect(b)
        assert line(f).startswith("421 4.7.0 ") and f.readline() == b""
        p, pf = connect(b, "pop3")
        assert line(pf).startswith("-ERR [SYS/TEMP] ")
        wait_for("the log", lambda: b.log().count("refused a connection from unknown[127.0.0.1]: "
                                                  "you may not connect here") == 2)
        for x in (s, f, p, pf):
            x.close()


def reload():
    with Barid() as b:
        s, f = connect(b)
        assert line(f).startswith("220 mx.example.test ")
        good = b.extra
        b.write_conf(good + "limits { message-sizes = 1MB }\n")
        b.reload()
        assert "reload refused" in b.log() and "message-size" in b.log(), b.log()
        with b.smtp() as c:
            c.ehlo()
            assert c.esmtp_features["size"] == str(50 * 1024 * 1024), c.esmtp_features
        b.write_conf(good + "limits { message-size = 1MB }\n")
        b.reload()
        with b.smtp() as c:
            c.ehlo()
            assert c.esmtp_features["size"] == str(1 << 20)
        # The session from before goes on under what it began with.
        assert say(s, f, "EHLO x").startswith("250 ")
        s.close()
        f.close()
        b.send("x@y.example", ["alice@example.test"], MESSAGE)
        b.mail("alice", 1)


def reload_mistakes():
    """What a start would refuse a reload refuses, and a mistake leaves nothing behind."""
    with Barid(start=False) as b, socket.socket() as busy:
        first, second = free_port(["127.0.0.1"]), free_port(["127.0.0.1"])
        busy.bind(("127.0.0.1", 0))
        busy.listen()

        def section(name, port, address='"127.0.0.1"'):
            return f'listen "{name}" {{ service = "smtp" address = {{{address}}} port = "{port}" tls = "off" }}\n'

        def greets(port):
            with socket.create_connection(("127.0.0.1", port), 60) as s:
                return s.recv(100).startswith(b"220 ")

        # An address of its own, twice in a section, is there once.
        good = section("own", first, '"lo-ipv4", "127.0.0.1"')
        b.write_conf(good)
        b.start()
        mistakes = [(good + section("other", first), f'listen "own" ({b.conf}:'),
                    (good + section("other", busy.getsockname()[1]), "Address already in use")]
        if os.geteuid() == 0:
            mistakes.append((good + 'user = "daemon"\n', "user: changes with a restart only, expected"))
            mistakes.append((good + 'user = "root"\n', "is root, expected an account without privileges"))
        for extra, words in mistakes:
            b.write_conf(extra)
            b.reload()
            assert words in b.log() and "the old configuration stays" in b.log(), b.log()
            b.send("x@y.example", ["alice@example.test"], MESSAGE)
        b.write_conf(good)
        b.reload()
        assert greets(first), "the socket was not taken away with the mistake"
        b.write_conf(section("own", second))
        b.reload()
        assert greets(second)
        b.write_conf(good)
        b.reload()
        assert greets(first)
        b.mail("alice", len(mistakes))


def signals():
    """Who connects without end keeps no signal from the master."""
    if not shutil.which("strace"):
        raise SystemExit("strace is missing: run `make deps`")
    with Barid(env=TRACED, extra='sandbox = "off"\n') as b:
        # Nothing is ever accepted, so that there is always somebody to accept.
        pid = acceptor(b)
        trace = subprocess.Popen(["strace", "-qq", "-o", "/dev/null", "-e", "trace=accept4",
                                  "-e", "inject=accept4:error=ECONNABORTED", "-p", str(pid)],
                                 stderr=subprocess.PIPE)
        traced = f"/proc/{pid}/status"
        try:
            wait_for("strace", lambda: trace.poll() is not None or "TracerPid:\t0" not in open(traced).read())
            if trace.poll() is not None:
                print("signals: ptrace is not permitted here: " + trace.stderr.read().decode().strip())
                return
            s, f = connect(b)
            b.reload()
            b.process.send_signal(signal.SIGTERM)
            assert b.process.wait(40) == 0
            s.close()
            f.close()
        finally:
            trace.terminate()
            trace.wait()
            trace.stderr.close()
        b.process = None


def reload_under_load():
    """SIGHUP again and again: no connection is refused, no session is lost."""
    with Barid() as b:
        stop, errors, sent = threading.Event(), [], [0]

        def load():
            while not stop.is_set():
                try:
                    b.send("x@y.example", ["alice@example.test"], MESSAGE)
                    sent[0] += 1
                except Exception as e:  # any failure at all is the finding
                    errors.append(repr(e))

        threads = [threading.Thread(target=load) for _ in range(2)]
        for t in threads:
            t.start()
        for _ in range(10):
            b.reload()
        stop.set()
        for t in threads:
            t.join()
        assert not errors, errors[:3]
        b.mail("alice", sent[0], 60)
        b.empty()


def served_certificate(b, name="submissions"):
    with socket.create_connection((b.host, b.port[name]), 60) as s:
        with NO_VERIFY.wrap_socket(s, server_hostname="localhost") as t:
            return t.getpeercert(True)


def certificates():
    with Barid() as b:
        first = served_certificate(b)
        with tempfile.TemporaryDirectory() as d:
            cert, key = certificate(d)
            os.replace(cert, b.dir + "/localhost.pem")
            # A certificate without its key is refused, and the old one stays.
            wait_for("the refusal", lambda: "new certificate refused" in b.log())
            assert served_certificate(b) == first
            os.replace(key, b.dir + "/localhost.key")
        wait_for("the new certificate", lambda: served_certificate(b) != first)


def stop():
    """SIGTERM lets a message that is being sent in, then says 421."""
    with Barid() as b:
        idle, idle_f = connect(b)
        line(idle_f)
        s, f = connect(b)
        line(f)
        for text in ("EHLO x", "MAIL FROM:<x@y.example>", "RCPT TO:<alice@example.test>", "DATA"):
            assert say(s, f, text)[0] in "23", text
        s.sendall(b"Subject: late\r\n\r\nfirst half\r\n")
        pid = b.process.pid
        b.process.send_signal(signal.SIGTERM)
        # Who only waits is told at once.
        assert line(idle_f).startswith("421 "), "the idle session"
        try:
            socket.create_connection((b.host, b.port["smtp"]), 5).close()
        except OSError:
            pass
        s.sendall(b"second half\r\n.\r\n")
        assert line(f).startswith("250 "), "the message under way is taken"
        assert line(f).startswith("421 "), "and then it is over"
        assert b.process.wait(40) == 0
        assert not os.path.exists(f"/proc/{pid}")
        b.process = None
        for x in (s, f, idle, idle_f):
            x.close()
        b.start()
        assert b"second half" in b.mail("alice", 1)[0]


def crash():
    """P-05: a child that dies of a signal: acceptors take a new layout, sessions live on."""
    with Barid() as b:
        pid, before = b.process.pid, {acceptor(b), acceptor(b, "pop3")}
        def sessions():
            return {int(l.split()[1]) for l in b.ctl("status").stdout.split("\n") if l.startswith("session ")}

        keep, kf = connect(b)
        line(kf)
        kept = sessions()
        victim, vf = connect(b)
        line(vf)

        def stack():
            # What stands first in its memory may be a sanitizer's, which is always there.
            return re.search(r"^(\w+)-.*\[stack\]$", open(f"/proc/{acceptor(b)}/maps").read(), re.M)[1]
        layout = stack()
        pid_of_victim, = sessions() - kept
        assert len(kept) == 1
        # Not SIGSEGV: the sanitizers catch that one themselves.
        os.kill(pid_of_victim, signal.SIGABRT)
        wait_for("the word of it", lambda: "died of signal 6" in b.log() and "127.0.0.1" in b.log())
        wait_for("the new ones", lambda: "acceptors were started anew after a crashed session" in b.log())
        assert not before & {acceptor(b), acceptor(b, "pop3")}
        # A sanitizer may have switched the randomness of layouts off for itself.
        if not int(open(f"/proc/{acceptor(b)}/personality").read(), 16) & ADDR_NO_RANDOMIZE:
            assert stack() != layout, "another layout"
        assert b.process.poll() is None and b.process.pid == pid
        assert say(keep, kf, "EHLO x").startswith("250 "), "the other session lives on"
        b.send("x@y.example", ["alice@example.test"], MESSAGE)
        b.mail("alice", 1)
        wait_for("the slot of the dead to be free",
                 lambda: "sessions 1\n" in b.ctl("status").stdout)
        for x in (keep, kf, victim, vf):
            x.close()


def marks():
    """P-05: an address whose sessions crash again and again is refused for a time, and no other is."""
    def statuses():
        return b.ctl("status").stdout.split("\n")

    def session_of(address):
        return [int(w[1]) for w in map(str.split, statuses()) if w[:1] == ["session"] and f"client={address}" in w]

    with Barid() as b:
        other = Wire(b.port["smtp"], source="127.0.0.3")
        assert other.reply().startswith(b"220 ")
        for n, signo in enumerate((signal.SIGSYS, signal.SIGABRT, signal.SIGABRT), 1):
            before = b.log().count("were started anew after a crashed")
            with Wire(b.port["pop3" if n == 2 else "smtp"], source="127.0.0.2") as w:
                assert w.line()[:3] in (b"220", b"+OK")
                os.kill(session_of("127.0.0.2")[0], signo)
                assert w.line() is None
            wait_for("the mark", lambda: f"mark 127.0.0.2 crashes={n} " in "\n".join(statuses()))
            wait_for("the new acceptors", lambda: b.log().count("were started anew after a crashed") > before)
            line_of = [x for x in statuses() if x.startswith("mark ")]
            assert len(line_of) == 1 and f"127.0.0.2 crashes={n} " in line_of[0], line_of
            assert (int(line_of[0].split("refused=")[1]) > 0) == (n == 3), line_of
        assert "client [127.0.0.2]) died of signal 31" in b.log()
        assert "sessions of 127.0.0.2 keep crashing: it is refused for 60 minutes" in b.log()
        status = json.loads(b.ctl("--json", "status").stdout)
        assert [m.split()[:2] for m in status["mark"]] == [["127.0.0.2", "crashes=3"]] and status["crashes"] == 3
        # Refused before anything is forked.
        before = status["connections"]
        with Wire(b.port["smtp"], source="127.0.0.2") as w:
            assert re.fullmatch(rb"421 4\.7\.0 mx\.example\.test Error: .*crashed.*", w.line())
            assert w.line() is None
        with Wire(b.port["pop3"], source="127.0.0.2") as w:
            assert w.line().startswith(b"-ERR [SYS/TEMP] ")
        assert json.loads(b.ctl("--json", "status").stdout)["connections"] == before
        assert "refused a connection from unknown[127.0.0.2]: too many of your sessions have crashed" in b.log()
        # A reload changes nothing in this; others come in, and who is in stays.
        b.reload()
        with Wire(b.port["smtp"], source="127.0.0.2") as w:
            assert w.line().startswith(b"421 ")
        assert other.smtp("EHLO x").startswith(b"250")
        other.close()
        b.send("x@y.example", ["alice@example.test"], MESSAGE)
        b.mail("alice", 1)
        # A restart forgets.
        b.stop()
        b.start()
        with Wire(b.port["smtp"], source="127.0.0.2") as w:
            assert w.line().startswith(b"220 ")
        assert not [x for x in statuses() if x.startswith("mark ")]


def second():
    """A second master on a spool ends, and the first goes on (C-17); kill -9 leaves nothing to clean up."""
    with Barid() as b:
        other = subprocess.run([program("barid"), "-f", "-c", b.conf], capture_output=True, text=True,
                               pass_fds=[s.fileno() for s in b.sockets.values()], timeout=30)
        assert other.returncode != 0 and "another barid is running" in other.stderr, other
        assert b.process.poll() is None
        b.send("x@y.example", ["alice@example.test"], MESSAGE)
        b.mail("alice", 1)
        # After kill -9 nothing has to be cleaned up, even with a session still open.
        s, f = connect(b)
        line(f)
        b.kill()
        b.start()
        b.send("x@y.example", ["alice@example.test"], MESSAGE)
        b.mail("alice", 2)
        s.close()
        f.close()


def helpers():
    """A helper that dies is started again; mail is accepted meanwhile and not lost."""
    with Barid() as b:
        def pid_of(name):
            for l in b.ctl("status").stdout.split("\n"):
                if l.startswith(f"helper {name}"):
                    return int(l.split("pid=")[1])
        for name in ("barid-runner", "barid-auth"):
            old = wait_for(name, lambda: pid_of(name))
            os.kill(old, signal.SIGKILL)
            b.send("x@y.example", ["alice@example.test"], MESSAGE)
            wait_for(f"a new {name}", lambda: pid_of(name) not in (0, old))
        b.mail("alice", 2)
        b.send("alice@example.test", ["alice@example.test"], MESSAGE, "submission", "alice")
        b.mail("alice", 3)


def acceptors():
    """Who lets clients in is started again when it ends; sessions and the queue notice nothing."""
    with Barid() as b:
        s, f = connect(b)
        assert line(f).startswith("220 ")
        for name in ("smtp", "pop3"):
            old = acceptor(b, name)
            os.kill(old, signal.SIGKILL)
            wait_for("another", lambda: acceptor(b, name) not in (0, old))
            assert say(s, f, "NOOP").startswith("250 ")
        assert "barid-acceptor" in b.log() and "died of signal 9" in b.log()
        b.send("x@y.example", ["alice@example.test"], MESSAGE)
        b.mail("alice", 1)
        wait_for("the end of the other session", lambda: "sessions 1\n" in b.ctl("status").stdout)
        s.close()
        f.close()
        # None of it outlives the master, so that another can listen.
        old = acceptor(b)
        b.kill()
        wait_for("the end of who has no master", lambda: not os.path.exists(f"/proc/{old}"))
        b.start()
        b.send("x@y.example", ["alice@example.test"], MESSAGE)
        b.mail("alice", 2)


def counts():
    """What the runners have under way and in their queue is true again after a kill."""
    def counted():
        s = json.loads(b.ctl("--json", "status").stdout)
        return s["runner-queued"], s["runner-active"]

    def runners():
        return [int(x.split("pid=")[1]) for x in json.loads(b.ctl("--json", "status").stdout)["helper"]
                if x.startswith("barid-runner")]

    # Two that are refused for now and wait; one whose server says nothing is under way.
    with Sink(rules=["RCPT /later/=450 4.2.0 later", "RCPT /stall/=stall"]) as sink, \
            smarthost(sink.port, extra="queue { runners = 1 }\n") as b:
        b.send("x@y.example", ["later@far.example"], MESSAGE)
        b.send("x@y.example", ["later@far.example"], MESSAGE)
        b.send("x@y.example", ["stall@far.example"], MESSAGE)
        wait_for("the counts", lambda: counted() == (3, 1))
        for _ in range(2):
            ready = b.log().count("is ready: 3 messages in the queue")
            os.kill(runners()[0], signal.SIGKILL)
            wait_for("a new runner", lambda: b.log().count("is ready: 3 messages in the queue") > ready)
            wait_for("its counts", lambda: counted() == (3, 1))


def activation():
    """Descriptors and names by LISTEN_FDS; READY, RELOADING, STOPPING, WATCHDOG by NOTIFY_SOCKET."""
    with Barid(start=False) as b, tempfile.TemporaryDirectory() as d:
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify.bind(d + "/notify")
        notify.settimeout(60)
        text = open(b.conf).read()
        for name, s in b.sockets.items():
            text = text.replace(f'"fd:{s.fileno()}"', f'"fd:{name}"')
        with open(b.conf, "w") as f:
            f.write(text)
        names = list(b.sockets)

        def child():
            fds = [os.dup(b.sockets[n].fileno()) for n in names]
            # Above all targets first, so that none is overwritten before it is moved.
            high = [os.dup2(fd, 100 + i) for i, fd in enumerate(fds)]
            for i, fd in enumerate(high):
                os.dup2(fd, 3 + i)
            os.environ["LISTEN_PID"] = str(os.getpid())

        env = dict(os.environ, LISTEN_FDS=str(len(names)), LISTEN_FDNAMES=":".join(names),
                   NOTIFY_SOCKET=d + "/notify", WATCHDOG_USEC="400000")
        # LISTEN_PID must be the pid of the exec'ed process itself: set by a shell.
        b.process = subprocess.Popen(
            ["sh", "-c", 'LISTEN_PID=$$ exec "$0" "$@"', program("barid"), "-f", "-c", b.conf],
            env=env, preexec_fn=child, close_fds=False, stdin=subprocess.DEVNULL,
            stderr=open(b.dir + "/stderr", "ab"))

        def until(word):
            while True:
                got = notify.recv(4096).decode()
                if word in got:
                    return got
        assert f"MAINPID={b.process.pid}" in until("READY=1")
        until("WATCHDOG=1")
        b.send("x@y.example", ["alice@example.test"], MESSAGE)
        b.mail("alice", 1)
        b.process.send_signal(signal.SIGHUP)
        until("RELOADING=1")
        until("READY=1")
        b.send("x@y.example", ["alice@example.test"], MESSAGE)
        b.process.send_signal(signal.SIGTERM)
        until("STOPPING=1")
        assert b.process.wait(40) == 0
        b.process = None
        notify.close()


def own_ports():
    """Addresses, ranges and unix sockets that barid binds itself."""
    with Barid(start=False) as b:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            base = probe.getsockname()[1]
        while True:             # three free ports in a row
            try:
                for p in (base, base + 1, base + 2):
                    with socket.socket() as probe:
                        probe.bind(("127.0.0.1", p))
                break
            except (OSError, OverflowError):
                base = 20000 + (base * 7 + 13) % 10000
        path = b.dir + "/smtp.sock"
        b.write_conf(f'listen "more" {{ service = "smtp" address = {{"lo-ipv4", "unix:{path}"}} '
                     f'port = "{base},{base + 1}-{base + 2}" tls = "off" }}\n')
        b.start()
        for port in (base, base + 1, base + 2):
            with socket.create_connection(("127.0.0.1", port), 60) as s:
                assert s.recv(100).startswith(b"220 ")
        def by_socket():
            """What a client there hears that wants to send elsewhere, and to here."""
            with socket.socket(socket.AF_UNIX) as s, s.makefile("rwb") as f:
                s.connect(path)
                said = [f.readline()]
                for command in (b"HELO me.test", b"MAIL FROM:<x@y.test>", b"RCPT TO:<a@far.example>",
                                b"RCPT TO:<alice@example.test>", b"QUIT"):
                    f.write(command + b"\r\n")
                    f.flush()
                    said.append(f.readline())
                return [line[:3].decode() for line in said]
        assert by_socket() == ["220", "250", "250", "554", "250", "221"]
        # The socket is named where it may relay; other listeners do not learn of it.
        b.write_conf(b.extra.replace('tls = "off"', 'tls = "off" relay = {"unix"}'))
        b.reload()
        assert by_socket() == ["220", "250", "250", "250", "250", "221"]
        assert 'listen.more.relay = {"unix"}' in b.ctl("config").stdout
        b.stop()
        assert not os.path.exists(path), "its socket goes with it"


def descriptors():
    """With few descriptors it answers 421, does not spin, and recovers (C-09)."""
    with Barid(start=False) as b:
        fds = [s.fileno() for s in b.sockets.values()]
        b.stderr = open(b.dir + "/stderr", "ab")
        b.process = subprocess.Popen(
            ["sh", "-c", 'ulimit -n 96; exec "$0" "$@"', program("barid"), "-f", "-c", b.conf],
            pass_fds=fds, stdin=subprocess.DEVNULL, stderr=b.stderr)
        wait_for("barid", b.ready)
        held = []
        for _ in range(15):
            held.append(connect(b))
            assert line(held[-1][1])[:3] in ("220", "421")
        for s, f in held:
            s.close()
            f.close()

        def cpu():
            f = [open(f"/proc/{p}/stat").read().rsplit(")", 1)[1].split() for p in (b.process.pid, acceptor(b))]
            return sum(int(x[11]) + int(x[12]) for x in f)
        wait_for("the end of the sessions", lambda: not b.sessions())
        before = cpu()
        time.sleep(0.5)         # what is measured is doing nothing
        assert cpu() - before <= 5, "somebody spins"
        wait_for("service", lambda: line(connect(b)[1]).startswith("220 "))


def processes():
    """Without processes it answers 421, does not spin, and recovers (C-10)."""
    if not shutil.which("strace"):
        raise SystemExit("strace is missing: run `make deps`")
    # What strace does in place of a call is none that seccomp allows.
    with Barid(extra='sandbox = "off"\n') as b:
        pid = acceptor(b)
        trace = subprocess.Popen(["strace", "-qq", "-o", "/dev/null", "-e", "trace=clone,clone3,fork,vfork",
                                  "-e", "inject=clone,clone3,fork,vfork:error=EAGAIN", "-p", str(pid)],
                                 stderr=subprocess.PIPE)
        traced = f"/proc/{pid}/status"
        try:
            wait_for("strace", lambda: trace.poll() is not None or "TracerPid:\t0" not in open(traced).read())
            if trace.poll() is not None:
                print("processes: ptrace is not permitted here: " + trace.stderr.read().decode().strip())
                return
            for _ in range(3):
                s, f = connect(b)
                assert line(f).startswith("421 "), "no process"
                s.close()
                f.close()
            assert "cannot accept a connection: fork" in b.log()
        finally:
            trace.terminate()
            trace.wait()
            trace.stderr.close()
        wait_for("service", lambda: line(connect(b)[1]).startswith("220 "))


def full_log():
    """A log that cannot be written stops no mail (C-20)."""
    with Barid(start=False) as b:
        text = open(b.conf).read().replace(f'"file:{b.dir}/log"', '"file:/dev/full"')
        with open(b.conf, "w") as f:
            f.write(text)
        b.start()
        b.send("x@y.example", ["alice@example.test"], MESSAGE)
        b.mail("alice", 1)


def privilege():
    """Where it is root, sessions are not; nowhere may one gain privileges."""
    with Barid() as b:
        s, f = connect(b)
        line(f)
        pid = [int(l.split()[1]) for l in b.ctl("status").stdout.split("\n") if l.startswith("session ")][0]
        status = dict(l.split(":", 1) for l in open(f"/proc/{pid}/status").read().split("\n") if ":" in l)
        assert status["NoNewPrivs"].strip() == "1"
        if os.geteuid() == 0:
            assert "0" not in status["Uid"].split() and "0" not in status["Gid"].split(), status["Uid"]
            assert status["Groups"].strip() == "" and int(status["CapEff"], 16) == 0
            assert os.readlink(f"/proc/{pid}/root") == b.dir + "/spool"
        listening = set()
        for l in open("/proc/net/tcp").read().split("\n")[1:]:
            w = l.split()
            if len(w) > 9 and w[3] == "0A":
                listening.add(w[9])
        for fd in glob.glob(f"/proc/{pid}/fd/*"):
            target = os.readlink(fd)
            assert not (target.startswith("socket:[") and target[8:-1] in listening), "it holds a listener"
        s.close()
        f.close()


for test in (limits, raised, crowded, unwelcome, reload, reload_mistakes, signals, reload_under_load, certificates, stop, crash,
             marks, second, helpers, acceptors, counts, activation, own_ports, descriptors, processes, full_log, privilege):
    start = time.monotonic()
    test()
    print(f"{test.__name__}: {time.monotonic() - start:.1f} s", flush=True)
