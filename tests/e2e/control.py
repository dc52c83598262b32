# SPDX-License-Identifier: GPL-3.0-or-later
"""The control socket: what everybody may see of the queue, and what only some may do."""
import contextlib
import json
import os
import socket
import subprocess
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, ROOT, Wire, program, route, upstream, wait_for  # noqa: E402

NOPERM, UNAVAILABLE, EMPTY = 77, 69, "Mail queue is empty\n"
# Nobody's account, here.
STRANGER = 54321


def as_stranger(b, *command):
    """Runs a program as a user who is neither root nor barid."""
    args = [program(command[0]), "-C" if command[0] == "mailq" else "-c", b.conf, *command[1:]]
    if ROOT:
        args = ["setpriv", f"--reuid={STRANGER}", f"--regid={STRANGER}", "--clear-groups", *args]
    return subprocess.run(args, capture_output=True, text=True, timeout=60)


def everybody_may_look(b):
    """mailq by an ordinary user shows what root sees."""
    for args in (("mailq",), ("mailq", "--json"), ("baridctl", "queue"), ("baridctl", "queue", "--domain", "far.test"),
                 ("baridctl", "queue", "--domain", "nowhere.test"), ("baridctl", "--json", "queue"),
                 ("baridctl", "queue", "--sender", "sender1@"), ("baridctl", "queue", "list", b.ids[0], b.ids[2])):
        r = as_stranger(b, *args)
        own = b.sendmail(*args[1:], name="mailq").stdout.decode() if args[0] == "mailq" else b.ctl(*args[1:]).stdout
        # In no order: the spool has none.
        assert r.returncode == 0 and not r.stderr, (args, r)
        assert sorted(r.stdout.split("\n")) == sorted(own.split("\n")), (args, r.stdout, own)
    assert as_stranger(b, "baridctl", "queue", "list", b.ids[1]).stdout.count(b.ids[1]) == 1
    assert as_stranger(b, "baridctl", "queue", "list", "06510000000000000A1").stdout == EMPTY


def not_more(b):
    """A message itself, and the steering, are not for everybody."""
    for args in (("show", b.ids[0]), ("show", "--text", b.ids[0]), ("--json", "show", b.ids[0]), ("flush",),
                 ("delete", b.ids[0]), ("hold", "--all"), ("bounce", "--domain", "far.test")):
        r = as_stranger(b, "baridctl", "queue", *args)
        assert r.returncode == NOPERM and not r.stdout and r.stderr, (args, r)
    for command in ("stop", "reload"):
        r = as_stranger(b, "baridctl", command)
        assert r.returncode == NOPERM, r
    assert sorted(i["queue_id"] for i in listing(b)) == sorted(b.ids)


def listing(b):
    return [json.loads(line) for line in b.ctl("--json", "queue").stdout.splitlines()]


def a_large_queue(b):
    """More than fits into a packet, by the thousand."""
    n = 700
    rcpts = [f"user{i}@far.test" for i in range(10)]
    c = b.smtp()
    for i in range(n):
        c.sendmail("a@example.test", rcpts, f"Subject: {i}\r\n\r\nx\r\n")
    c.quit()
    wait_for("all of them", lambda: len(b.spooled()) == n + len(b.ids))

    def steady():
        """The same twice: no message moved from new/ to cur/ while it was listed."""
        own = [b.ctl("--json", "queue").stdout for _ in range(2)]
        return sorted(own[0].splitlines()) == sorted(own[1].splitlines()) and own[0]
    own = wait_for("a queue at rest", steady, 60)
    r = as_stranger(b, "mailq", "--json")
    assert r.returncode == 0 and len(r.stdout) > 500_000
    assert sorted(r.stdout.splitlines()) == sorted(own.splitlines())
    r = as_stranger(b, "mailq")
    assert r.stdout.endswith(f" in {n + len(b.ids)} Requests.\n"), r.stdout[-100:]
    b.ctl("queue", "delete", "--sender", "a@example.test")
    wait_for("their end", lambda: len(b.spooled()) == len(b.ids))


def connect(b):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(30)
    s.connect(b.dir + "/run/control")
    return s


def nonsense(b):
    """CONFORMANCE P-09: what is no request is told so, and nothing else happens."""
    for packet in (b"x", b"\0" * 16, os.urandom(60_000), b"\xff" * 65536):
        with connect(b) as s:
            s.send(packet)
            with contextlib.suppress(ConnectionResetError):
                assert len(s.recv(65536)) < 200
    with connect(b):
        pass
    assert b.ctl("status").returncode == 0


def silent_clients(b):
    """Who asks for nothing takes a place for a while, and not all of them: root is still served."""
    with contextlib.ExitStack() as stack:
        idle = []
        for _ in range(60):
            s = stack.enter_context(contextlib.closing(connect(b)))
            idle.append(s)
        if ROOT:
            # All that are here come from root, so they take all places.
            wait_for("a refusal", lambda: b.ctl("status", check=False).returncode == UNAVAILABLE)
        for s in idle:
            s.close()
        wait_for("a place", lambda: b.ctl("status", check=False).returncode == 0)
    assert as_stranger(b, "mailq").returncode == 0


def many_sessions():
    """Each that there is, however many: more than a packet holds."""
    limits = "limits { connections = 1000 connections-in = 1000 connections-per-address = 1000 }\n"
    with Barid(extra=limits) as b, contextlib.ExitStack() as stack:
        wires = [stack.enter_context(Wire(b.port["smtp"])) for _ in range(500)]
        for w in wires:
            assert w.reply().startswith(b"220 ")
        said = b.ctl("status").stdout
        assert said.count("\nsession ") == 500 and "\nsessions 500\n" in said and len(said) > 32768, len(said)
        assert len(set(json.loads(b.ctl("--json", "status").stdout)["session"])) == 500


def left_over(b):
    """A pid file without a barid behind it: nobody else is signalled."""
    victim = subprocess.Popen(["sleep", "60"])
    try:
        with open(b.dir + "/run/barid.pid", "w") as f:
            f.write(f"{victim.pid}\n")
        for command in ("stop", "reload"):
            assert b.ctl(command, check=False).returncode == UNAVAILABLE
        assert victim.poll() is None
    finally:
        victim.kill()
        victim.wait()
        os.unlink(b.dir + "/run/barid.pid")


def main():
    extra = upstream("up", 9) + route("*", "up") + "queue { runners = 1 }\n"
    with Barid(extra=extra, relay=("127.0.0.0/8",)) as b:
        os.chmod(b.conf, 0o644)
        for i in range(3):
            b.send(f"sender{i}@example.test", [f"rcpt{i}@far.test"], f"Subject: {i}\r\n\r\nsecret\r\n")
        wait_for("three deferrals", lambda: b.log().count("status=deferred") == 3)
        wait_for("three messages at rest", lambda: [p for p, _ in b.spooled()] == ["cur"] * 3)
        b.ids = [m["queue_id"] for m in listing(b)]
        if ROOT:
            everybody_may_look(b)
            not_more(b)
            a_large_queue(b)
        nonsense(b)
        silent_clients(b)
        b.stop()
        # Without a barid root still sees the queue, and others learn why they do not.
        assert len(listing(b)) == 3
        if ROOT:
            r = as_stranger(b, "mailq")
            assert r.returncode == NOPERM and not r.stdout and "not running" in r.stderr, r
        left_over(b)
    many_sessions()


main()
