# SPDX-License-Identifier: GPL-3.0-or-later
"""Who lets clients in: it may end, be replaced or be told anything at any moment, and nobody notices."""
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import (Barid, NO_VERIFY, OBJ, ROOT, Wire, certificate, program, sanitized,  # noqa: E402
                       wait_for)

MESSAGE = "Subject: x\r\n\r\nhello\r\n"


def acceptors(b):
    """Their process ids: SMTP, POP3."""
    found = re.findall(r"^helper barid-acceptor [01] pid=(\d+)$", b.ctl("status").stdout, re.M)
    return [int(pid) for pid in found]


def anew(b, old):
    """Waits until there are others, both, and returns them."""
    return wait_for("other acceptors", lambda: 0 not in (now := acceptors(b)) and not set(now) & set(old) and now)


def live(b):
    return int(re.search(r"^sessions (\d+)$", b.ctl("status").stdout, re.M)[1])


def shown(b):
    """The certificate of a handshake."""
    with socket.create_connection((b.host, b.port["submissions"]), 30) as s:
        with NO_VERIFY.wrap_socket(s, server_hostname="localhost") as t:
            assert t.recv(100).startswith(b"220 ")
            return t.getpeercert(True)


def session_of(b, client):
    """Its process id; b.sessions() has children for baridctl, too."""
    return int(re.search(rf"^session (\d+) .*{re.escape(client)}\b", b.ctl("status").stdout, re.M)[1])


def killed():
    """With sessions open and clients at the door, again and again: all of them are served to their end."""
    with Barid() as b:
        keep = [Wire(b.port["smtp"]), Wire(b.port["pop3"])]
        for w in keep:
            assert w.line()[:3] in (b"220", b"+OK")
        served, errors, stop = [0], [], threading.Event()

        def knock():
            while not stop.is_set():
                try:
                    with Wire(b.port["smtp"]) as w:
                        assert w.reply().startswith(b"220 ")
                        assert w.smtp("QUIT").startswith(b"221 ")
                        served[0] += 1
                except (OSError, AssertionError) as e:
                    errors.append(repr(e))

        t = threading.Thread(target=knock)
        t.start()
        for _ in range(4):
            old, before = acceptors(b), served[0]
            # The second one ends while the first is being replaced, or after that.
            for pid in old:
                os.kill(pid, signal.SIGKILL)
            anew(b, old)
            wait_for("service", lambda: served[0] > before or errors)
        stop.set()
        t.join()
        # Only who had been accepted already, and not forked yet, can have lost anything.
        assert len(errors) <= 4, errors
        assert keep[0].smtp("NOOP").startswith(b"250 ") and keep[1].cmd("NOOP") is not None
        wait_for("the others' slots", lambda: live(b) == 2)
        for w in keep:
            w.close()
        wait_for("all slots", lambda: live(b) == 0)
        b.send("x@y.example", ["alice@example.test"], MESSAGE)
        b.mail("alice", 1)


def busy():
    """Sessions that ended count until the master takes note: it is waited for, and not for ever."""
    with Barid(extra="limits { connections-per-address = 5 }\n") as b:
        def served(w):
            if not w.reply().startswith(b"220 "):
                return False
            assert w.smtp("QUIT").startswith(b"221 ") and w.line() is None
            return True

        def late():
            wait_for("all slots", lambda: live(b) == 0)
            os.kill(b.process.pid, signal.SIGSTOP)
            for _ in range(5):
                with Wire(b.port["smtp"]) as w:
                    assert served(w)
            with Wire(b.port["smtp"]) as w:
                os.kill(b.process.pid, signal.SIGCONT)
                return served(w)

        wait_for("somebody who was waited for", late)
        os.kill(b.process.pid, signal.SIGSTOP)

        def refused():
            with Wire(b.port["smtp"]) as w:
                return not served(w)
        wait_for("a word of limits", refused)
        os.kill(b.process.pid, signal.SIGCONT)
        wait_for("service", lambda: not refused())


def keys():
    """New certificates and reloads under TLS: each handshake has a key that fits its certificate."""
    with Barid() as b, tempfile.TemporaryDirectory() as d:
        made = [certificate(d, f"n{i}") for i in range(3)]
        shown, errors, stop = set(), [], threading.Event()

        def shake():
            while not stop.is_set():
                try:
                    with socket.create_connection((b.host, b.port["submissions"]), 30) as s:
                        with NO_VERIFY.wrap_socket(s, server_hostname="localhost") as t:
                            shown.add(t.getpeercert(True))
                            assert t.recv(100).startswith(b"220 ")
                except (OSError, AssertionError) as e:
                    errors.append(repr(e))

        t = threading.Thread(target=shake)
        t.start()
        wait_for("a handshake", lambda: len(shown) == 1)
        for cert, key in made:
            # Not at one time: what does not fit is refused, by a reload too.
            known = len(shown)
            os.replace(cert, b.dir + "/localhost.pem")
            b.process.send_signal(signal.SIGHUP)
            os.replace(key, b.dir + "/localhost.key")
            b.reload()
            wait_for("the new certificate", lambda: len(shown) > known)
        stop.set()
        t.join()
        assert not errors, errors[:3]
        assert len(shown) == 4


def unfit():
    """A certificate whose key is not there yet: who lets clients in stays, whatever wants others meanwhile."""
    with Barid() as b, tempfile.TemporaryDirectory() as d:
        cert, key = certificate(d, "other")
        first, old = shown(b), acceptors(b)
        os.replace(cert, b.dir + "/localhost.pem")
        wait_for("the refusal", lambda: "new certificate refused, the old one stays" in b.log())
        with Wire(b.port["smtp"]) as w:
            assert w.reply().startswith(b"220 ")
            os.kill(session_of(b, "127.0.0.1"), signal.SIGABRT)
        wait_for("the reason", lambda: "acceptors cannot be started anew after a crashed session: certificates " in b.log())
        assert acceptors(b) == old and shown(b) == first
        os.replace(key, b.dir + "/localhost.key")
        anew(b, old)
        wait_for("the new certificate", lambda: shown(b) != first)


def crowded():
    """A good certificate that nothing can be made of now is not a bad one: it counts once it can be read."""
    with Barid() as b, tempfile.TemporaryDirectory() as d:
        cert, key = certificate(d, "other")
        first, old = shown(b), acceptors(b)
        with b.without_descriptors():
            os.replace(key, b.dir + "/localhost.key")
            os.replace(cert, b.dir + "/localhost.pem")
            wait_for("the refusal", lambda: re.search("new certificate refused.*Too many open files", b.log()))
            assert shown(b) == first
        anew(b, old)
        wait_for("the new certificate", lambda: shown(b) != first)


def names():
    """A password file that changes: who is new is let in and gets mail, and no acceptor is replaced for it."""
    with Barid(users=("alice",)) as b:
        old = acceptors(b)

        def knows(user):
            with Wire(b.port["smtp"]) as w:
                w.reply()
                w.smtp("EHLO x")
                w.smtp("MAIL FROM:<x@y.example>")
                return w.smtp(f"RCPT TO:<{user}@example.test>").startswith(b"250 ")

        assert knows("alice") and not knows("carol")
        b.set_users(["alice", "carol"])
        wait_for("the new name", lambda: knows("carol"))
        with b.smtp("submissions", login="carol") as s:
            s.sendmail("carol@example.test", ["carol@example.test"], MESSAGE)
        b.set_users(["alice"])
        wait_for("its end", lambda: not knows("carol"))
        assert acceptors(b) == old


def early():
    """A signal in their first moments ends them, at worst: the master starts others, and can be stopped."""
    # Who was started in the background has it ignored, and so has a master before it says otherwise.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with Barid(start=False) as b:
        for signo in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
            b.start()
            for _ in range(3):
                old = acceptors(b)
                b.process.send_signal(signal.SIGHUP)
                # Whoever is there by now: old ones, new ones, or those before they can be told anything.
                for pid in subprocess.run(["pgrep", "-P", str(b.process.pid), "-f", "^barid-acceptor "],
                                          capture_output=True, text=True).stdout.split():
                    try:
                        os.kill(int(pid), signo)
                    except ProcessLookupError:
                        pass
                anew(b, old)
            b.send("x@y.example", ["alice@example.test"], MESSAGE)
            b.stop()
        # And the master in its own.
        for signo in (signal.SIGTERM, signal.SIGINT):
            for wait in (0, 0.005, 0.02, 0.05):
                p = subprocess.Popen([program("barid"), "-f", "-c", b.conf], stdin=subprocess.DEVNULL,
                                     stderr=b.stderr, env=b.env, pass_fds=[s.fileno() for s in b.sockets.values()])
                time.sleep(wait)        # any moment will do
                p.send_signal(signo)
                assert p.wait(60) in (0, -signo)
                wait_for("nobody", lambda: not b.processes())
        b.start()
        b.mail("alice", 4)


def leaks():
    """Thousands of connections, crashes and reloads: nobody has a descriptor more than before."""
    if not ROOT:
        print("descriptors of others cannot be seen without root")
        return
    connections, reloads = (200, 2) if sanitized() else (2000, 6)
    with Barid() as b:
        def held():
            """None if one was closed meanwhile."""
            pids = [b.process.pid, *acceptors(b)]
            with contextlib.suppress(FileNotFoundError):
                return [sorted(os.readlink(f"/proc/{p}/fd/{fd}").split(":")[0] for fd in os.listdir(f"/proc/{p}/fd"))
                        for p in pids]
            return None

        def still():
            """A control connection may be ending: what is there twenty times."""
            seen.append(held())
            return seen[-1] and seen[-20:] == [seen[-1]] * 20

        def knock(n):
            subprocess.run([OBJ + "/tools/load", "rate", "-n", str(n), "-s", "4", b.host, str(b.port["smtp"])],
                           check=True, stdout=subprocess.DEVNULL)
            wait_for("the end of the sessions", lambda: live(b) == 0)

        knock(10)
        seen = []
        wait_for("descriptors that stay", still)
        before = seen[-1]
        for i in range(reloads):
            knock(connections // reloads)
            old = acceptors(b)
            if i % 2:
                with Wire(b.port["smtp"], source=f"127.0.{i + 1}.1") as w:
                    w.reply()
                    os.kill(session_of(b, f"127.0.{i + 1}.1"), signal.SIGABRT)
                    assert w.line() is None
            else:
                b.reload()
            anew(b, old)
        knock(10)
        # The signer before the last is left when its last session ends.
        wait_for("the same descriptors", lambda: held() == before)


def many():
    """More addresses than a session may have descriptors: clients of each are let in."""
    with Barid(start=False) as b:
        paths = [f"{b.dir}/{i}.sock" for i in range(300)]
        quoted = [f'"unix:{path}"' for path in paths]
        b.write_conf("".join(f'listen "{name}" {{ service = "smtp" tls = "off" address = {{{", ".join(some)}}} }}\n'
                             for name, some in (("one", quoted[:150]), ("two", quoted[150:]))))
        b.start()
        for path in paths:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(60)
                s.connect(path)
                assert s.recv(100).startswith(b"220 "), path
                if path == paths[-1]:
                    limits = "".join(b.read(f"/proc/{pid}/limits") for pid in b.sessions())
                    assert set(re.findall(r"^Max open files +(\d+)", limits, re.M)) == {"256"}, limits


for test in (killed, busy, keys, unfit, crowded, names, early, many, leaks):
    start = time.monotonic()
    test()
    print(f"{test.__name__}: {time.monotonic() - start:.1f} s", flush=True)
