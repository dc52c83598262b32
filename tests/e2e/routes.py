# SPDX-License-Identifier: GPL-3.0-or-later
"""Which mail goes where: by recipient, sender, login and listener, each with its own credentials.

FEATURES C10: the configuration answers for a server.
"""
import os
import re
import signal
import smtplib
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Names, Sink, program, smarthost, spool, upstream, wait_for  # noqa: E402

SENDER = "alice@example.test"
RELAY = ("127.0.0.0/8",)
SLOW = "queue { retry = {1h} idle-connection = 200ms }\n"
AUTH = ("--require-auth", "--auth")


def message(subject="x"):
    return f"From: {SENDER}\r\nTo: you@far.example\r\nSubject: {subject}\r\n\r\nhello\r\n"


def line_of(b, text):
    """The place of TEXT in the configuration."""
    with open(b.conf, encoding="utf-8") as f:
        for n, line in enumerate(f, 1):
            if text in line:
                return f"{b.conf}:{n}"
    raise AssertionError(text)


def own(name, sink):
    return upstream(name, ("127.0.0.1", sink.port, f'user = "{name}" password = "pw-{name}" tls = "off"'))


def credentials():
    """The first route all of whose conditions hold; each way has its own login at the next server."""
    names = ("address", "domain", "regex", "sender", "user", "listener", "both", "null", "drop", "rest")
    sinks = {n: Sink(*AUTH, f"{n}:pw-{n}") for n in names}
    routes = r"""
route "*" { via = "null" sender = {"<>"} }
route "boss@one.test" { via = "address" }
route '/sales-[0-9]+@(one|two)\.test/' { via = "regex" }
route "*" { via = "both" sender = {"*@example.test"} user = {"bob"} listener = {"submissions"} }
route "*.one.test" { via = "domain" }
route "one.test" { via = "sender" sender = {'/al.*@example\.test/', "carol@*"} }
route "*" { via = "user" user = {"al*"} }
route "*" { via = "listener" listener = {"submission", "submissions"} }
route "*" { via = "drop" listener = {"sendmail"} }
route "*" { via = "rest" }
"""
    extra = "".join(own(n, s) for n, s in sinks.items()) + routes + SLOW
    # Sender, recipient, listener, login, and the way.
    cases = [("", "x@one.test", "smtp", None, "null"),
             (SENDER, "BOSS@one.test", "smtp", None, "address"),
             (SENDER, "Sales-12@two.test", "smtp", None, "regex"),
             (SENDER, "my-sales-12@two.test", "smtp", None, "rest"),
             (SENDER, "x@a.one.test", "smtp", None, "domain"),
             (SENDER, "x@one.test", "smtp", None, "sender"),
             ("carol@else.test", "x@one.test", "smtp", None, "sender"),
             ("dave@else.test", "x@one.test", "smtp", None, "rest"),
             ("dave@else.test", "x@one.test", "submission", "alice", "user"),
             (SENDER, "x@three.test", "submission", "bob", "listener"),
             (SENDER, "x@three.test", "submissions", "bob", "both"),
             ("dave@else.test", "x@three.test", "submissions", "bob", "listener")]
    with Barid(relay=RELAY, extra=extra) as b:
        for n, (sender, rcpt, listener, login, _) in enumerate(cases):
            b.send(sender, [rcpt], message(f"case-{n}"), listener, login)
        b.empty(40)
        for n, (sender, rcpt, _, _, way) in enumerate(cases):
            found = [(w, m) for w, s in sinks.items() for m in s.messages() if f"case-{n}\r".encode() in m["text"]]
            assert [w for w, _ in found] == [way], (cases[n], [w for w, _ in found])
            m = found[0][1]
            assert (m["auth"], m["mail"]["path"], m["rcpts"][0]["path"]) == (way, sender, rcpt), m
        # One message whose recipients take two ways.
        b.send(SENDER, ["boss@one.test", "x@a.one.test"], message("two ways"))
        b.empty()
        assert len(sinks["address"].messages()) == 2 and len(sinks["domain"].messages()) == 2
        # What programs of this host leave comes in by the listener "sendmail".
        b.sendmail("-f", "dave@else.test", "x@three.test", text="Subject: drop\n\nx\n")
        with open(b.dir + "/spool/drop/a.eml", "w", encoding="ascii") as f:
            f.write("From: dave@else.test\nTo: y@three.test\n\nx\n")
        os.utime(f.name, (1, 1))
        assert sorted(m["rcpts"][0]["path"] for m in sinks["drop"].messages(2)) == ["x@three.test", "y@three.test"]
        # People are told the same, with the line that decided.
        for sender, rcpt, way in ((SENDER, "boss@one.test", "address"), (SENDER, "x@one.test", "sender"),
                                  ("dave@else.test", "x@one.test", "drop"), ("<>", "x@one.test", "null")):
            shown = b.sendmail("-bv", "-f", sender, rcpt).stdout.decode()
            place = line_of(b, f'via = "{way}"')
            assert shown == f"{rcpt}... a smarthost: upstream {way} ({place})\n", shown
    for s in sinks.values():
        s.stop()


def replies():
    """A route's own reply at RCPT, so that nobody gets a report who did not send (S-41); and nowhere."""
    routes = """
route "old.test" { via = "error:550 5.1.6 It is new.test now" }
route "busy.test" { via = "error:451 4.7.1 Not on Sundays" }
route "noreply@*" { via = "discard" }
route "bad.test" { via = "error:554" sender = {"spam.test"} }
"""
    with Sink() as s, Barid(relay=RELAY, extra=upstream("up", s.port) + routes + 'route "*" { via = "up" }\n' + SLOW) as b:
        with b.smtp() as c:
            c.ehlo()
            c.mail(SENDER)
            assert c.rcpt("x@old.test") == (550, b"5.1.6 It is new.test now")
            assert c.rcpt("x@busy.test") == (451, b"4.7.1 Not on Sundays")
            assert c.rcpt("x@bad.test")[0] == 250
            assert c.rcpt("noreply@any.test")[0] == 250
            assert c.data(message())[0] == 250
            c.mail("x@spam.test")
            assert c.rcpt("x@bad.test") == (554, b"5.7.1 No mail is sent to this address from here")
            c.rset()
            # A success report of what was thrown away would be a lie.
            c.sendmail(SENDER, ["noreply@any.test"], message("gone"), rcpt_options=["NOTIFY=SUCCESS,FAILURE"])
        b.empty()
        assert [r["path"] for m in s.messages(1) for r in m["rcpts"]] == ["x@bad.test"]
        assert re.search(r"to=<noreply@any\.test>, relay=none, .* status=sent \(discarded by route noreply@\*\)", b.log())
        assert b.mailbox("alice") == []
        shown = b.sendmail("-bv", "x@old.test", "noreply@any.test", check=False).stdout.decode()
        assert shown == (f"x@old.test... it is refused: 550 5.1.6 It is new.test now ({line_of(b, 'old.test')})\n"
                         f"noreply@any.test... it is thrown away ({line_of(b, 'noreply@')})\n"), shown
        # What comes without a session is answered by a report.
        b.sendmail("-f", SENDER, "x@old.test", text=message("by sendmail"))
        assert b"550 5.1.6 It is new.test now" in b.mail("alice", 1)[0]
        b.sendmail("-f", SENDER, "x@busy.test", text=message("by sendmail"))
        b.deferred("Not on Sundays")
        assert len(b.mailbox("alice")) == 1


def anew():
    """A route is decided at each attempt: to mend the configuration frees the queue."""
    with Sink() as s, Sink(rules=["CONNECT=421 no"]) as bad, smarthost(bad.port, extra=SLOW) as b:
        up = upstream("up", bad.port) + upstream("other", s.port)
        b.send(SENDER, ["one@a.test", "two@b.test", "three@c.test"], message())
        wait_for("three deferrals", lambda: b.log().count("status=deferred") == 3)
        b.write_conf(up + 'route "a.test" { via = "other" }\nroute "b.test" { via = "discard" }\n'
                     'route "c.test" { via = "error:550 5.1.6 gone" }\n' + SLOW)
        b.reload()

        def flush():
            b.ctl("queue", "flush")
            return not b.spooled()
        wait_for("an empty queue", flush)
        assert [r["path"] for m in s.messages(1) for r in m["rcpts"]] == ["one@a.test"]
        assert "to=<two@b.test>" in b.log() and "discarded by route" in b.log()
        text = b.mail("alice", 1)[0]
        assert b"three@c.test" in text and b"two@b.test" not in text and b"550 5.1.6 gone" in text


def maildirs():
    """A Maildir by its path: made at the start and at a reload, a file for each recipient, and what waits until it can."""
    def kept(b, name):
        return [open(p, "rb").read() for p in b.mailbox(f"../{name}")]

    with Sink() as s, smarthost(s.port, extra=SLOW) as b:
        base = b.extra
        way = f'route "a.test" {{ via = "maildir:{b.dir}/kept mail" }}\n' + \
            f'route "b.test" {{ via = "maildir:{b.dir}/file"\ntls = "off" }}\n'
        # What cannot be one refuses the reload, with its line; the old configuration stays.
        with open(b.dir + "/file", "w", encoding="ascii"):
            pass
        b.write_conf(way + base)
        r = subprocess.run([program("barid"), "-t", "-c", b.conf], capture_output=True, text=True)
        want = f"{line_of(b, '/file')}: route.b.test.via: {b.dir}/file: Not a directory, expected a directory"
        assert r.returncode == 78 and r.stderr.startswith(want) and not os.path.exists(b.dir + "/kept mail"), r
        b.process.send_signal(signal.SIGHUP)
        wait_for("the complaint", lambda: f"route.b.test.via: {b.dir}/file: Not a directory" in b.log())
        b.send(SENDER, ["x@b.test"], message("old"))
        s.messages(1)
        os.unlink(b.dir + "/file")
        r = subprocess.run([program("barid"), "-t", "-c", b.conf], capture_output=True, text=True)
        assert r.returncode == 0, r
        b.reload()
        assert sorted(os.listdir(b.dir + "/kept mail")) == [] and os.stat(b.dir + "/file").st_mode & 0o777 == 0o700
        b.send(SENDER, ["x@a.test", "y@a.test", "z@b.test", "alice@example.test"], message("new"))
        b.empty()
        texts = kept(b, "kept mail")
        assert sorted(t.split(b"\n")[1] for t in texts) == [b"Delivered-To: x@a.test", b"Delivered-To: y@a.test"], texts
        assert all(t.startswith(b"Return-Path: <" + SENDER.encode() + b">\n") and b"Subject: new\n" in t for t in texts)
        assert sorted(os.listdir(b.dir + "/kept mail")) == ["cur", "new", "tmp"] and len(kept(b, "file")) == 1
        assert re.search(rf"local.*to=<x@a\.test>, relay=local, .*status=sent \(delivered to Maildir {b.dir}/kept mail\)", b.log())
        assert f"a Maildir of this host: {b.dir}/kept mail ({line_of(b, 'kept mail')})" in b.sendmail("-bv", "x@a.test").stdout.decode()
        # It is gone, and comes back.
        os.rename(b.dir + "/file", b.dir + "/away")
        os.symlink("away", b.dir + "/file")
        b.send(SENDER, ["later@b.test"], message("later"))
        b.deferred(f"cannot deliver to Maildir {b.dir}/file: Operation not permitted, expected a directory that only")
        assert b.ctl("queue", "list", "--count", "--route", f"maildir:{b.dir}/file").stdout == "1\n"
        os.unlink(b.dir + "/file")
        os.rename(b.dir + "/away", b.dir + "/file")
        b.ctl("queue", "flush")
        b.empty()
        assert len(kept(b, "file")) == 2
        # An administrator moves a message there; the message itself may not.
        b.write_conf(way + base + "queue { deliver = false }\nextract-headers = true\n")
        b.reload()
        b.send(SENDER, ["moved@c.test"], message("moved"))
        b.ctl("queue", "move", "--all", "--route", f"maildir:{b.dir}/file")
        b.write_conf(way + base + "extract-headers = true\n")
        b.reload()
        wait_for("what was moved", lambda: len(kept(b, "file")) == 3)
        try:
            b.send(SENDER, ["own@c.test"], f"x-barid-route: maildir:{b.dir}/mail/bob\r\n" + message("own"))
        except smtplib.SMTPDataError as e:
            assert e.smtp_code == 554 and b"x-barid-route is a Maildir" in e.smtp_error, e
        else:
            raise AssertionError("a message chose a Maildir")
        # Nor may an administrator make one by moving mail to it.
        r = b.ctl("queue", "move", "--all", "--route", f"maildir:{b.dir}/mail/bob", check=False)
        assert r.returncode == 64 and "no route or recipient of the configuration has" in r.stderr, r


def taken_over():
    """A session that was taken over can write any envelope: it reaches no program, and no Maildir, socket or port of this
    host that no route names."""
    zone = "near.test A 127.0.0.1\nnine.test A 127.9.9.9\nmx.test MX 10 nine.test\n"
    with Names(zone) as names, smarthost(1, extra=SLOW + names.conf) as b, socket.socket(socket.AF_UNIX) as daemon, \
            socket.create_server(("127.0.0.1", 0)) as tcp, Sink() as named:
        daemon.bind(b.dir + "/daemon")
        daemon.listen()
        daemon.setblocking(False)
        tcp.setblocking(False)
        port = tcp.getsockname()[1]
        os.chmod(b.dir + "/daemon", 0o777)
        ways = {"maildir": f"maildir:{b.dir}/mail/bob", "pipe": f"pipe:/usr/bin/touch {b.dir}/touched",
                "smtp": f"smtp:unix:{b.dir}/daemon", "lmtp": f"lmtp:unix:{b.dir}/daemon"}
        here = {"four": f"smtp:127.0.0.1:{port}", "other": f"lmtp:127.9.9.9:{port}", "none": f"smtp:0.0.0.0:{port}",
                "name": f"smtp:near.test:{port}", "local": f"smtp:localhost:{port}"}
        ways.update(here)
        # What stands in the spool behind its back is found at a start.
        b.stop()
        for name, way in ways.items():
            spool(b, SENDER, f"{name}@c.test", 1, "-r", way)
        spool(b, SENDER, "mx@c.test", 1, "-r", f"mx:mx.test:{port}")
        # But what is named there is reached.
        spool(b, SENDER, "named@c.test", 1, "-r", f"smtp:127.0.0.1:{named.port}")
        with open(b.conf, "a", encoding="utf-8") as f:
            f.write(f'upstream "named" {{ server "127.0.0.1" {{ port = {named.port} tls = "may" }} }}\n')
        b.start()
        assert named.messages(1)[0]["rcpts"][0]["path"] == "named@c.test"
        for name in here:
            line = b.deferred(f"to=<{name}@c.test>")
            assert "dsn=4.3.5" in line and "leads to this host, where no upstream, route or recipient of the configuration has it" in line, line
        wait_for("the loop", lambda: "(mail for mx.test loops back to this host)" in b.log())
        b.deferred("the route of this message: a Maildir that no route or recipient of the configuration has")
        b.deferred("the route of this message: a socket that no upstream, route or recipient of the configuration has")
        b.deferred("the route of this message: a program, which only a route of the configuration can run")
        # A second attempt, from another place of the spool, is no other.

        def again():
            """One that was not tried yet has its first attempt by a flush."""
            b.ctl("queue", "flush")
            return all(len(re.findall(rf"to=<{n}@c\.test>.*status=deferred", b.log())) > 1 for n in ways)

        wait_for("a second attempt", again)
        assert not os.path.exists(b.dir + "/touched") and b.mailbox("bob") == []
        for listener in (daemon, tcp):
            try:
                listener.accept()
            except BlockingIOError:
                pass
            else:
                raise AssertionError("a message chose a socket")


def runaway():
    """A regular expression without end costs a line in the log, and neither time nor mail."""
    pattern = r"/(a|a)*(b+)+@.*\.example/"
    with Sink() as s, Barid(relay=RELAY, extra=upstream("up", s.port) +
                            f"route '{pattern}' {{ via = \"error:550\" }}\nroute \"*\" {{ via = \"up\" }}\n" + SLOW) as b:
        with b.smtp() as c:
            c.sendmail(SENDER, ["a" * 62 + "@far.test"], message())
            c.sendmail(SENDER, ["a" * 31 + "b" * 31 + "@far.test"], message())
        s.messages(2)
        b.empty()
        assert "gives up on" in b.log()


def main():
    for test in (credentials, replies, anew, maildirs, taken_over, runaway):
        if len(sys.argv) > 1 and test.__name__ not in sys.argv[1:]:
            continue
        start = time.monotonic()
        test()
        print(f"{test.__name__}: {time.monotonic() - start:.1f} s", flush=True)


main()
