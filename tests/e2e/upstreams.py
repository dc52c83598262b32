# SPDX-License-Identifier: GPL-3.0-or-later
"""To servers that the configuration names: in which order, by which proxies, sockets and names (H1 to H16)."""
import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import (ROOT, Barid, Names, Script, Sink, certificate, free_port, listening, need, route, smarthost,  # noqa: E402
                       upstream, wait_for)

SENDER, RCPT = "alice@example.test", "you@far.example"
RELAY = ("127.0.0.0/8",)
SLOW = "queue { retry = {1h} idle-connection = 200ms }\n"


def message(subject="x", body="hello\r\n"):
    return f"From: {SENDER}\r\nTo: {RCPT}\r\nSubject: {subject}\r\n\r\n{body}"


def server(port, options="", host="127.0.0.1"):
    return (host, port, 'tls = "off" ' + options)


# ---- in which order ---------------------------------------------------------------

def order():
    """H3, H4: by weight, backups only when all others failed."""
    dead = free_port(["127.0.0.1"])
    with Sink() as back, Sink() as big, Sink() as small, \
            smarthost(server(big.port, "weight = 9"), server(back.port, "backup = true"),
                      server(small.port, "weight = 1"), extra="queue { per-connection = 1 }\n") as b:
        with b.smtp() as c:
            for _ in range(60):
                c.sendmail(SENDER, [RCPT], message())
        b.empty()
        # 54 is the mean; below 40 once in a million.
        assert len(big.messages()) + len(small.messages()) == 60 and len(big.messages()) >= 40, len(big.messages())
        assert back.messages() == [] and back.connections() == []
    with Sink() as back, smarthost(server(dead), server(back.port, "backup = true"),
                                   server(dead, host="127.0.0.2")) as b:
        b.send(SENDER, [RCPT], message())
        back.messages(1)
        b.empty()
        assert "status=deferred" not in b.log()


def next_server(rules, tls=()):
    """What the first server puts off by RULES the second one gets, once and whole; over TLS if they have certificates."""
    level = f'tls = "{"required" if tls else "off"}" '
    with Sink(*tls, rules=rules) as first, Sink(*tls) as second, \
            smarthost(("127.0.0.1", first.port, level), ("127.0.0.1", second.port, level + "backup = true"), extra=SLOW) as b:
        b.send(SENDER, [RCPT, "two@far.example"], message())
        m = second.messages(1)
        b.empty()
        assert [r["path"] for r in m[0]["rcpts"]] == [RCPT, "two@far.example"], (rules, m)
        assert first.messages() == [] and len(second.messages()) == 1 and bool(m[0]["tls"]) == bool(tls), (rules, m)
        assert "status=deferred" not in b.log() and b.mailbox("alice") == [], rules


def no_other(rule, tls=()):
    """What the first server refuses by RULE is returned, and offered to nobody else."""
    level = f'tls = "{"required" if tls else "off"}" '
    with Sink(*tls, rules=[rule]) as first, Sink(*tls) as second, \
            smarthost(("127.0.0.1", first.port, level), ("127.0.0.1", second.port, level + "backup = true"), extra=SLOW) as b:
        b.send(SENDER, [RCPT], message())
        assert rule.split("=")[1].encode() in b.mail("alice", 1)[0], rule
        b.empty()
        assert [m for m in second.messages() if m["rcpts"][0]["path"] == RCPT] == [], rule
        assert bool(first.connections(1)[0]["tls"]) == bool(tls), first.connections()


def failures():
    """H5: what is temporary goes to the next server, what is permanent stops; the last temporary answer stays."""
    later = ["CONNECT=421 4.3.2 not now", "EHLO=451 4.3.0 no", "MAIL=451 4.3.0 no", "RCPT=450 4.2.0 no",
             "DATA=451 4.3.0 no", "DOT=452 4.3.1 no", "RCPT=421 4.3.2 bye; drop", "MAIL=drop"]
    for rule in later:
        next_server([rule])
    refused = ("MAIL=550 5.7.1 no", "RCPT=550 5.1.1 no", "DATA=554 5.3.0 no", "DOT=554 5.6.0 no")
    for rule in refused:
        no_other(rule)
    # The same behind a handshake, and one that fails.
    with Sink() as folder:
        tls = ("--tls-cert", *certificate(folder.out, "up.test"))
        tls = (*tls[:2], "--tls-key", tls[2])
        for rule in refused:
            no_other(rule, tls)
        for rule in ("EHLO 2=451 4.3.0 no", "RCPT=450 4.2.0 no", "DOT=452 4.3.1 no", "MAIL=drop", "STARTTLS=454 4.7.0 no",
                     "STARTTLS=drop"):
            next_server([rule], tls)
    # Each recipient for itself; and a connection that is in use stays in use.
    mixed = ["RCPT /later/=450 4.2.0 greylisted", "RCPT /never/=550 5.1.1 nobody"]
    with Sink(rules=mixed) as first, Sink(rules=["RCPT /both/=451 4.3.3 the last word"]) as second, \
            smarthost(server(first.port), server(second.port, "backup = true"),
                      extra=SLOW + "queue { per-destination = 1 }\n") as b:
        with b.smtp() as c:
            c.sendmail(SENDER, ["now@d.test", "later@d.test", "later-both@d.test", "never@d.test"], message("one"))
            c.sendmail(SENDER, ["now@d.test"], message("two"))
        log = b.deferred("the last word")
        assert "later-both@" in log and "greylisted" not in log, log
        assert [[r["path"] for r in m["rcpts"]] for m in second.messages(1)] == [["later@d.test"]]
        assert [[r["path"] for r in m["rcpts"]] for m in first.messages(2)] == [["now@d.test"]] * 2
        assert b"nobody" in b.mail("alice", 1)[0]
    # Names that cannot be looked up, or lead nowhere, are servers that fail.
    with Names("sick SERVFAIL\nup A 127.0.0.1\n") as names, Sink() as last, \
            smarthost(server(25, host="sick"), server(25, host="gone"), server(last.port, "backup = true", "up"),
                      extra=names.conf + SLOW) as b:
        b.send(SENDER, [RCPT], message())
        last.messages(1)
        b.empty()


def our_fault():
    """H16: all servers refuse the session: the configuration is mended, and the mail goes."""
    with Sink(rules=["CONNECT=554 5.7.1 we do not know you"]) as one, Sink(rules=["EHLO=550 5.7.1 nor you"]) as two, \
            Sink() as good, smarthost(server(one.port), server(two.port, "backup = true"), extra=SLOW) as b:
        b.send(SENDER, [RCPT], message())
        b.send("", [RCPT], message())
        line = b.deferred("nor you")
        assert "dsn=4.7.1" in line, line
        wait_for("both deferred", lambda: b.log().count("status=deferred") == 2)
        wait_for("both in the queue", lambda: [p for p, _ in b.spooled()] == ["cur", "cur"])
        assert b.mailbox("alice") == []
        b.write_conf(upstream("up", server(good.port)) + route("*", "up") + SLOW)
        b.reload()

        def flush():
            b.ctl("queue", "flush")
            return len(good.messages()) == 2
        wait_for("both messages", flush)
        b.empty()


def several():
    """H1, H2, H6, H13: upstreams by name, each with a port, a login and an EHLO name of its own."""
    auth = ("--require-auth", "--auth")
    v6 = socket.has_ipv6
    with Sink(*auth, "u1:p1") as one, Sink(*auth, "u2:p2") as two, Sink("--host", "::1" if v6 else "127.0.0.1") as six:
        extra = upstream("one", ("127.0.0.1", one.port, 'user = "u1" password = "p1" tls = "off" ehlo = "one.mine.test"')) \
            + upstream("two", ("[127.0.0.1]", two.port, 'user = "u2" password = "p2" tls = "off"')) \
            + upstream("six", ("[::1]" if v6 else "127.0.0.1", six.port, 'tls = "off" ehlo = "[192.0.2.1]"')) \
            + route("one.test", "one") + route("two.test", "two") + route("six.test", "six")
        with Barid(relay=RELAY, extra=extra + SLOW) as b:
            b.send(SENDER, ["x@one.test", "x@two.test", "x@six.test"], message())
            for sink, user, helo in ((one, "u1", "one.mine.test"), (two, "u2", "mx.example.test"),
                                     (six, None, "[192.0.2.1]")):
                m = sink.messages(1)[0]
                assert (m["auth"], m["helo"]) == (user, helo), m
            b.empty()
            # Passwords are shown to nobody.
            shown = b.ctl("config").stdout
            assert "p1" not in shown and "p2" not in shown and "********" in shown


def scripts():
    """H12: a name of another script is one that DNS knows."""
    with Names("xn--bcher-kva.test A 127.0.0.1\nxn--mller-kva.test MX 10 mx\nmx A 127.0.0.1\n") as names, \
            Sink() as s, smarthost(server(s.port, host="b\u00fccher.test"), extra=names.conf + SLOW) as b:
        b.send(SENDER, [RCPT], message())
        s.messages(1)
        b.empty()
        assert any("xn--bcher-kva.test" in line for line in names.asked()), names.asked()
        assert "relay=xn--bcher-kva.test[127.0.0.1]" in b.log()


# ---- LMTP, and sockets of this host -------------------------------------------------

class LocalSink(Sink):
    """A sink at a unix socket."""

    def __init__(self, path, *args, rules=()):
        self.out = tempfile.mkdtemp(prefix="barid-sink-")
        self.process = subprocess.Popen(
            [sys.executable, f"{os.environ['BARID_SRC']}/tests/tools/sinkd", "--out", self.out, "--unix", path, *args,
             *(f"--rule={r}" for r in rules)], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline().strip() == "READY"
        self.port = path
        if ROOT:
            os.chmod(path, 0o777)


def lmtp():
    """H11, LMTP: each recipient has its own outcome; by TCP and by a socket, as a server and as a via."""
    d = tempfile.mkdtemp(prefix="barid-lmtp-")
    os.chmod(d, 0o755)
    rules = ["DOT /full/=452 4.2.2 mailbox full", "DOT /gone/=550 5.1.1 who?", "RCPT /never/=550 5.1.1 nobody"]
    with LocalSink(d + "/lmtp", "--lmtp", rules=rules) as here, Sink("--lmtp", rules=rules) as there, \
            LocalSink(d + "/smtp") as smtp:
        extra = upstream("box", (f"unix:{d}/lmtp", 24, 'protocol = "lmtp"')).replace("port = 24 ", "") + \
            upstream("far", ("127.0.0.1", there.port, 'protocol = "lmtp" tls = "off"')) + \
            route("here.test", "box") + route("there.test", "far") + \
            route("via.test", f"lmtp:unix:{d}/lmtp") + route("tcp.test", f"lmtp:127.0.0.1:{there.port}") + \
            route("smtp.test", f"smtp:unix:{d}/smtp")
        with Barid(relay=RELAY, extra=extra + SLOW) as b:
            for n, domain in enumerate(("here.test", "there.test", "via.test", "tcp.test"), 1):
                b.send(SENDER, [f"{who}@{domain}" for who in ("good", "full", "gone", "never")], message())
                wait_for("all outcomes", lambda: len(re.findall(rf"to=<\w+@{domain}>.*status=", b.log())) == 4)
                for who, status in (("good", "sent"), ("full", "deferred"), ("gone", "bounced"), ("never", "bounced")):
                    assert re.search(rf"to=<{who}@{domain}>.* status={status}", b.log()), (who, domain)
                got = b.mail("alice", n)
                assert len(got) == n and got[-1].count(b"\nFinal-Recipient:") == 2, got
            assert len(here.messages(2)) == len(there.messages(2)) == 2
            assert here.messages()[0]["helo"] == "mx.example.test" and here.messages()[0]["lmtp"]
            assert f"relay=localhost[{d}/lmtp]" in b.log()
            b.send(SENDER, ["x@smtp.test"], message())
            smtp.messages(1)
    shutil.rmtree(d)


DOVECOT = """
protocols = lmtp
base_dir = {d}/run
state_dir = {d}/run
log_path = {d}/log
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
mail_location = maildir:{d}/mail/%n
ssl = no
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={d}/mail/%n allow_all_users=yes
}}
service lmtp {{
  unix_listener lmtp {{
    mode = 0666
  }}
  chroot =
  user = {user}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
first_valid_uid = 1
"""


def dovecot():
    """A real LMTP server, which lives behind a socket."""
    need("dovecot")
    d = tempfile.mkdtemp(prefix="barid-dovecot-", dir="/tmp")
    who = pwd.getpwnam("dovecot" if ROOT else pwd.getpwuid(os.geteuid()).pw_name)
    os.makedirs(d + "/mail")
    if ROOT:
        os.chown(d + "/mail", who.pw_uid, who.pw_gid)
    os.chmod(d, 0o755)
    group = subprocess.run(["id", "-gn", who.pw_name], capture_output=True, text=True, check=True).stdout.strip()
    with open(d + "/conf", "w", encoding="utf-8") as f:
        f.write(DOVECOT.format(d=d, user=who.pw_name, group=group, uid=who.pw_uid, gid=who.pw_gid))
    process = subprocess.Popen(["dovecot", "-F", "-c", d + "/conf"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=open(d + "/err", "w"))
    try:
        wait_for("dovecot", lambda: os.path.exists(d + "/run/lmtp"))
        os.chmod(d + "/run", 0o755)
        with Barid(relay=RELAY, extra=route("*", f"lmtp:unix:{d}/run/lmtp") + SLOW) as b:
            text = message("to dovecot", "one\r\n.two\r\n..\r\nthree\r\n")
            b.send(SENDER, ["carol@far.example", "dave@far.example"], text)
            b.empty()
            for user in ("carol", "dave"):
                box = f"{d}/mail/{user}/new"
                got = wait_for(f"mail for {user}", lambda p=box: os.path.isdir(p) and os.listdir(p))
                with open(f"{box}/{got[0]}", encoding="utf-8") as f:
                    stored = f.read()
                assert "Subject: to dovecot" in stored and stored.endswith("\none\n.two\n..\nthree\n"), stored
            assert len(re.findall(r"status=sent \(250 2\.0\.0 <\w+@far\.example> ", b.log())) == 2, b.log()
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(d)


# ---- SOCKS ------------------------------------------------------------------------------

class Proxy(Script):
    """SOCKS 4a as a script: ANSWER(request) are the octets that it says, then it leads to PORT."""

    def __init__(self, port, answer=lambda request: b"\0\x5a\0\0\0\0\0\0"):
        self.target, self.answer, self.requests = port, answer, []
        super().__init__()

    def serve(self, c):
        request = c.recv(8)
        # User and name end with a NUL each.
        while request[:1] == b"\4" and request[8:].count(b"\0") < (2 if request[4:7] == b"\0\0\0" else 1):
            got = c.recv(1)
            if not got:
                break
            request += got
        self.requests.append(request)
        answer = self.answer(request)
        if answer:
            c.sendall(answer)
        if not self.target:
            return
        s = socket.create_connection(("127.0.0.1", self.target))
        back = threading.Thread(target=self.copy, args=(s, c), daemon=True)
        back.start()
        self.copy(c, s)
        back.join()

    @staticmethod
    def copy(a, b):
        try:
            while data := a.recv(65536):
                b.sendall(data)
            b.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def socks_4a():
    """H9: the proxy looks the name up, and nobody else does."""
    with Names("x A 127.0.0.1\n") as names, Sink() as s, Proxy(s.port) as p, \
            smarthost(("mail.behind.test", 587, f'tls = "off" socks = "127.0.0.1:{p.port}"'), extra=names.conf + SLOW) as b:
        b.send(SENDER, [RCPT], message())
        m = s.messages(1)
        assert len(m) == 1 and m[0]["helo"] == "mx.example.test"
        b.empty()
        assert p.requests == [b"\4\1\x02\x4b\0\0\0\1\0mail.behind.test\0"], p.requests
        assert not any("behind" in line for line in names.asked()), names.asked()
        assert "relay=mail.behind.test[by proxy 127.0.0.1]:587" in b.log(), b.log()
        shown = b.ctl("config").stdout
        assert str(p.port) not in shown


def socks_hostile():
    """A proxy that refuses, lies, floods or goes costs its server, and the next one is asked."""
    answers = [lambda r: None, lambda r: b"\0\x5b\0\0\0\0\0\0", lambda r: b"\0\0\0\0\0\0\0\0",
               lambda r: b"HTTP/1.1 400 Bad Request\r\n\r\n", lambda r: os.urandom(4096),
               lambda r: b"\0\x5a\0\0\0\0\0\0" + b"x" * 100000, lambda r: b"\5\xff", lambda r: b"\5\2", lambda r: b"\5\0" * 500]
    for version in ("socks4a", "socks5"):
        proxies = [Proxy(0, a) for a in answers]
        servers = [server(25, f'socks = "{version}://127.0.0.1:{p.port}"', f"h{n}.test") for n, p in enumerate(proxies)]
        with Sink() as s, smarthost(*servers, server(s.port, "backup = true"), extra=SLOW) as b:
            b.send(SENDER, [RCPT], message())
            s.messages(1, 60)
            b.empty()
            assert all(p.requests for p in proxies), "each was tried"
        for p in proxies:
            p.close()
    with Proxy(0, answers[1]) as p, \
            smarthost(server(25, f'socks = "127.0.0.1:{p.port}"', "h.test"), extra=SLOW) as b:
        b.send(SENDER, [RCPT], message())
        line = b.deferred("the proxy refused the connection")
        assert "dsn=4.4.1" in line and "h.test[by proxy 127.0.0.1]:25" in line, line


DANTE = """
logoutput: {d}/log
internal: 127.0.0.1 port = {port}
external: 127.0.0.1
clientmethod: none
socksmethod: none
{users}
client pass {{ from: 127.0.0.0/8 to: 0.0.0.0/0 }}
socks pass {{ from: 127.0.0.0/8 to: 0.0.0.0/0 }}
"""


def socks_real():
    """
    Two proxies that we did not write: dante (4, without the names of 4a, and 5) and microsocks (5, with
    a password).
    """
    need("danted", "microsocks")
    d = tempfile.mkdtemp(prefix="barid-dante-")
    os.chmod(d, 0o777)
    port, other = free_port(["127.0.0.1"]), free_port(["127.0.0.1"])
    me = pwd.getpwuid(os.geteuid()).pw_name
    with open(d + "/conf", "w", encoding="utf-8") as f:
        f.write(DANTE.format(d=d, port=port, users=f"user.privileged: {me}\nuser.unprivileged: {me}"))
    processes = [
        subprocess.Popen(["danted", "-f", d + "/conf", "-p", d + "/pid"], stdout=open(d + "/out", "w"), stderr=subprocess.STDOUT),
        subprocess.Popen(["microsocks", "-i", "127.0.0.1", "-p", str(other), "-u", "me", "-P", "se:cr@et"],
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)]
    try:
        wait_for("the proxies", lambda: listening(port) and listening(other))
        for host, way in (("127.0.0.1", f"socks4a://127.0.0.1:{port}"), ("localhost", f"socks5://127.0.0.1:{port}"),
                          ("127.0.0.1", f"socks5://127.0.0.1:{port}"),
                          ("localhost", f"socks5://me:se:cr%40et@127.0.0.1:{other}")):
            with Sink() as s, smarthost(server(s.port, f'socks = "{way}"', host), extra=SLOW) as b:
                b.send(SENDER, [RCPT], message("through", "x" * 70 + "\r\n"))
                assert len(s.messages(1)) == 1
                b.empty()
                assert re.search(rf"relay={host}\[by proxy 127\.0\.0\.1\].*status=sent", b.log()), b.log()
        wrong = f"socks5://me:wrong@127.0.0.1:{other}"
        with Sink() as s, smarthost(server(s.port, f'socks = "{wrong}"', "localhost"), extra=SLOW) as b:
            b.send(SENDER, [RCPT], message())
            b.deferred("the proxy refused user and password")
            assert s.connections() == []
    finally:
        for p in processes:
            p.terminate()
            p.wait()
        shutil.rmtree(d, ignore_errors=True)


# ---- a fallback -------------------------------------------------------------------------------

ZONE = """
up.test MX 10 mx
dead.test MX 10 dead
dead.test MX 20 dead2
servfail.test SERVFAIL
half.test MX 10 sick
sick SERVFAIL
greylists.test MX 10 greylist
greylists.test MX 20 greylist2
refuses.test MX 10 refuse
unknown.test MX 10 unknown
null.test MX 0 .
lost.test MX 10 nowhere
self.test MX 10 mx.example.test
mx A 127.0.0.2
dead A 127.0.0.9
dead2 A 127.0.0.9
greylist A 127.0.0.3
greylist2 A 127.0.0.3
refuse A 127.0.0.4
unknown A 127.0.0.5
mx.example.test A 127.0.0.6
"""
USES = ("dead", "servfail", "half", "greylists")
RETURNS = {"refuses": "5.7.1", "unknown": "5.1.1", "null": "5.1.10", "gone": "5.1.2", "lost": "5.4.4", "self": "5.4.6"}


def fallback():
    """Another way for what all MX hosts put off, or what cannot be looked up; not for what was refused."""
    port = free_port([f"127.0.0.{n}" for n in (2, 3, 4, 5, 9)])

    def mx(n, *rules):
        return Sink("--host", f"127.0.0.{n}", "--port", str(port), rules=rules)
    with Names(ZONE) as names, Sink() as relay, mx(2) as up, mx(3, "RCPT=450 4.2.0 come again") as greylist, \
            mx(4, "CONNECT=554 5.7.1 away") as refuse, mx(5, "RCPT=550 5.1.1 nobody") as unknown:
        dead = free_port(["127.0.0.1"])
        extra = names.conf + f"smtp-port = {port}\n" + SLOW + \
            upstream("relay", server(dead), server(relay.port, "backup = true")) + 'route "*" { fallback = "relay" }\n'
        with Barid(relay=RELAY, extra=extra) as b:
            with b.smtp() as c:
                for name in ("up", *USES, *RETURNS):
                    c.sendmail(SENDER, [f"x@{name}.test"], message(name))
            got = relay.messages(len(USES), 60)
            up.messages(1)
            b.empty(30)
            assert sorted(m["rcpts"][0]["path"] for m in got) == sorted(f"x@{n}.test" for n in USES), got
            assert len(relay.messages()) == len(USES) and len(up.messages()) == 1
            # Two hosts put it off, and then it is enough.
            assert len([line for line in greylist.said() if line.startswith("RCPT")]) == 2
            reports = {}
            for text in b.mail("alice", len(RETURNS)):
                part = text.split(b"Content-Type: message/delivery-status")[1].decode()
                reports[re.search(r"Final-Recipient: rfc822; ?x@(\w+)\.test", part).group(1)] = \
                    re.search(r"Status: ([\d.]+)", part).group(1)
            assert reports == RETURNS, reports
            assert not refuse.messages() and not unknown.messages()


def main():
    for test in (order, failures, our_fault, several, scripts, lmtp, dovecot, socks_4a, socks_hostile, socks_real, fallback):
        if len(sys.argv) > 1 and test.__name__ not in sys.argv[1:]:
            continue
        start = time.monotonic()
        test()
        print(f"{test.__name__}: {time.monotonic() - start:.1f} s", flush=True)


main()
