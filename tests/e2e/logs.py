# SPDX-License-Identifier: GPL-3.0-or-later
"""The log, read by the tools that the field has: pflogsumm and fail2ban; and what must not be in it."""
import base64
import json
import os
import re
import shutil
import socket
import sys
import threading

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Peer, SRC, Wire, need, program, run, wait_for  # noqa: E402

GOOD, BAD, NEXT = "Richtig-4711-pw", "Falsch-0815-pw", "Weiter-1234-pw"
ESC = "\x1b[31m"
BIDI = "\u202e"


def b64(text):
    return base64.b64encode(text.encode()).decode()


class Traffic:
    """Mixed traffic, and the count of what a reader of the log must find."""

    def __init__(self, b):
        self.b = b
        self.received = self.delivered = self.deferred = self.bounced = self.rejected = 0
        self.smtp_failures = self.pop3_failures = 0

    def session(self, name="smtp", source="127.0.0.1", helo="client.test"):
        w = Wire(self.b.port[name], self.b.listen[name][1] == "implicit", source=source)
        assert w.reply().startswith(b"220")
        assert w.smtp("EHLO " + helo).startswith(b"250")
        return w

    def send(self, w, sender, *rcpts, text="Subject: x\r\n\r\nx\r\n"):
        assert w.smtp(f"MAIL FROM:<{sender}>").startswith(b"250")
        for r in rcpts:
            assert w.smtp(f"RCPT TO:<{r}>").startswith(b"250"), r
        assert w.smtp("DATA").startswith(b"354")
        answer = w.smtp(text + ".")
        assert answer.startswith(b"250"), answer
        self.received += 1

    def login(self):
        w = self.session("submissions")
        assert w.smtp("AUTH PLAIN " + b64(f"\0alice\0{GOOD}")).startswith(b"235")
        return w

    def local(self):
        with self.session() as w:
            for n in range(3):
                self.send(w, f"s{n}@elsewhere.example", "bob@example.test")
            self.send(w, "", "bob@example.test", "alice@example.test")
            w.smtp("QUIT")
        self.delivered += 5

    def remote(self):
        with self.login() as w:
            self.send(w, "alice@example.test", "x@far.example")
            self.send(w, "alice@example.test", "y@far.example", "bob@example.test")
            self.send(w, "alice@example.test", "later@far.example")
            self.send(w, "alice@example.test", "never@far.example")
            w.smtp("QUIT")
        self.delivered += 3
        self.deferred += 1
        self.bounced += 1
        # The sender is told, which is one more delivery.
        self.delivered += 1

    def refused(self):
        with self.session() as w:
            w.smtp("MAIL FROM:<x@elsewhere.example>")
            for rcpt in ("nobody@example.test", "x@relay.example", "no-one@example.test"):
                assert w.smtp(f"RCPT TO:<{rcpt}>").startswith(b"55"), rcpt
                self.rejected += 1
            w.smtp("QUIT")

    def failed_logins(self):
        for mechanism, source in (("PLAIN", "127.0.0.2"), ("LOGIN", "127.0.0.3")):
            with self.session("submissions", source) as w:
                if mechanism == "PLAIN":
                    answer = w.smtp("AUTH PLAIN " + b64(f"\0alice\0{BAD}"))
                else:
                    assert w.smtp("AUTH LOGIN").startswith(b"334") and w.smtp(b64("bob")).startswith(b"334")
                    answer = w.smtp(b64(BAD))
                assert answer.startswith(b"535"), answer
            self.smtp_failures += 1
        for user in ("bob", "x, ip=[10.6.6.6]", "x], ip=[10.6.6.6]: SASL LOGIN authentication failed"):
            with Wire(self.b.port["pop3s"], True, source="127.0.0.4") as w:
                w.line()
                w.cmd("USER " + user)
                assert w.cmd("PASS " + BAD).startswith(b"-ERR")
            self.pop3_failures += 1
        with self.session("submissions", "127.0.0.2") as w:
            answer = w.smtp("AUTH PLAIN " + b64(f"\0x[10.6.6.6]: SASL PLAIN authentication failed\0{BAD}"))
            assert answer.startswith(b"535"), answer
        self.smtp_failures += 1

    def hostile(self):
        """Control characters wherever a client can put them."""
        rejected = ("MAIL FROM:<\"a\x01b\"@x.example>", f"MAIL FROM:<{ESC}@x.example>", f"MAIL FROM:<a{BIDI}@x.example>",
                    f"NOOP {ESC}", f"VRFY {ESC}{BIDI}", f"XYZZY {ESC}")
        for helo in (f"a{ESC}b", "a\tb", f"{BIDI}x", "x\x7f", "a\x00b", "a\rb", "y" * 400):
            with Wire(self.b.port["smtp"]) as w:
                w.reply()
                w.smtp("EHLO " + helo)
                for line in rejected:
                    w.smtp(line)
                w.smtp("MAIL FROM:<x@elsewhere.example>")
                w.smtp(f"RCPT TO:<{ESC}nobody@example.test>")
                w.smtp(f"RCPT TO:<\"{ESC}\"@example.test>")
        for user in (f"{ESC}bob", "b\x08ob", f"{BIDI}bob", 'q"b\\s', "u" * 200):
            with Wire(self.b.port["pop3s"], True, source="127.0.0.5") as w:
                w.line()
                w.cmd("USER " + user)
                w.cmd("PASS " + BAD)
        with self.session("submissions", "127.0.0.5") as w:
            w.smtp("AUTH PLAIN " + b64(f"\0a\n2026-11-21T00:00:00+00:00 h barid/smtpd[1]: forged\0{BAD}"))
        with self.session() as w:
            self.send(w, "x@elsewhere.example", "bob@example.test",
                      text=f"Subject: {ESC}\r\nMessage-ID: <{ESC}{BIDI}@x>\r\n\r\nx\r\n")
            w.smtp("QUIT")
        with self.login() as w:
            # The next hop's answer holds them too.
            self.send(w, "alice@example.test", "red@far.example")

    def run(self, hostile=False):
        self.local()
        self.remote()
        self.refused()
        self.failed_logins()
        if hostile:
            self.hostile()


def wait_quiet(b, deferred=1):
    wait_for("what is to come", lambda: sum("status=deferred" in x for x in b.log().splitlines()) >= deferred
             and len(b.spooled()) == deferred, 30)
    wait_for("the end of the sessions", lambda: not b.sessions())


def summary(path):
    out = run("pflogsumm", "--syslog-name=barid", "--smtpd-stats", path, code=None).decode()
    if "Date::Calc" in out:
        out = run("pflogsumm", "--syslog-name=barid", path).decode()
    found = dict((name, int(n)) for n, name in
                 re.findall(r"(?m)^ +(\d+)k? +(received|delivered|forwarded|deferred|bounced|rejected)\b", out))
    found["deferrals"] = int((re.search(r"\((\d+)\s+deferrals?\)", out) or [0, 0])[1])
    return found, out


def pflogsumm(b, t):
    b.ctl("queue", "flush")
    wait_for("a second attempt", lambda: b.log().count("status=deferred") >= 2)
    found, out = summary(b.log_path)
    want = {"received": t.received, "delivered": t.delivered, "forwarded": 0, "deferred": t.deferred,
            "deferrals": 2, "bounced": t.bounced, "rejected": t.rejected}
    assert found == want, (found, want, out)
    for text in ("far.example", "example.test", "elsewhere.example", "later, please", "never in my life"):
        assert text in out, (text, out)
    # Senders and recipients, with sizes and numbers that are none of nothing.
    assert re.search(r"(?m)^ +4 +alice@example\.test$", out), out
    assert "no message size data" not in out.lower() or "(none)" in out, out


def fail2ban(b, t):
    """FEATURES A26."""
    d = b.dir + "/fail2ban"
    shutil.copytree("/etc/fail2ban", d, symlinks=True, ignore=shutil.ignore_patterns("action.d", "*.local"))
    os.makedirs(d + "/action.d", exist_ok=True)
    shutil.copy(SRC + "/etc/fail2ban/filter.d/barid.conf", d + "/filter.d/barid.conf")

    def hosts(mode):
        out = run("fail2ban-regex", "-c", d, "-o", "ip", b.log_path, f"barid[mode={mode}]", folder=b.dir).decode()
        return sorted(re.findall(r"(?m)^\d+\.\d+\.\d+\.\d+$", out))

    auth = sorted(["127.0.0.2"] * 2 + ["127.0.0.3"] + ["127.0.0.4"] * 3)
    assert len(auth) == t.smtp_failures + t.pop3_failures
    assert hosts("auth") == auth, hosts("auth")
    # fail2ban's own filters, which are told our name: that for Postfix, and that for Courier for POP3.
    stock = [len(run("fail2ban-regex", "-c", d, "-o", "ip", b.log_path, name, folder=b.dir).decode().split())
             for name in ('postfix[mode=auth, _daemon="barid/\\w+"]', 'courier-auth[_daemon="barid/pop3d"]')]
    assert stock == [t.smtp_failures, t.pop3_failures], stock
    # Who is blocked, as the lines of abuse.py have it; one who says so himself is not.
    shutil.copy(SRC + "/etc/fail2ban/filter.d/barid-blocked.conf", d + "/filter.d/barid-blocked.conf")
    stamp = "2026-11-21T12:59:26.581617+00:00 vm barid/"
    with open(b.dir + "/blocked.log", "w") as f:
        f.write(f"{stamp}master[1]: warning: refused a connection from unknown[127.0.0.3]: you are blocked here\n"
                f"{stamp}smtpd[2]: warning: unknown[192.0.2.1]: too many wrong passwords: blocked for 3600 s\n"
                f"{stamp}smtpd[2]: warning: refused a connection from unknown[192.0.2.2], which came by 127.0.0.1: "
                "you are blocked here\n"
                f"{stamp}smtpd[2]: warning: refused a connection from unknown[192.0.2.3]: you may not connect here\n"
                f"{stamp}smtpd[2]: warning: unknown[192.0.2.4]: SASL PLAIN authentication failed: (reason), "
                "sasl_username=unknown[10.6.6.6]: too many wrong passwords: blocked for 1 s\n")
    found = run("fail2ban-regex", "-c", d, "-o", "ip", b.dir + "/blocked.log", "barid-blocked", folder=b.dir).decode()
    assert sorted(found.split()) == ["127.0.0.3", "192.0.2.1", "192.0.2.2"], found
    # The default holds these and the recipients that were refused.
    default = run("fail2ban-regex", "-c", d, "-o", "ip", b.log_path, "barid", folder=b.dir).decode().split()
    assert default.count("127.0.0.1") == t.rejected and "10.6.6.6" not in default, default
    assert sorted(h for h in default if h != "127.0.0.1") == auth, default


def no_secrets(b):
    for text in (b.log(), b.errors()):
        for secret in (GOOD, BAD, NEXT):
            # base64 of it may begin at any of three places.
            for form in (secret, *(b64("xx"[:n] + secret)[4:-4] for n in range(3)), b64(f"\0alice\0{secret}")):
                assert form not in text, form


def written(b):
    """The lines of the log; the last may be being written."""
    with open(b.log_path, "rb") as f:
        return f.read().decode("utf-8").split("\n")[:-1]


def lines_whole(b):
    """S-36: one line for each event: each begins as a line does, and none can steer a terminal."""
    lines = written(b)
    for line in lines:
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00 \S+ barid/\w+\[\d+\]: ", line), line
        assert not re.search("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", line), line
        assert len(line.encode()) <= 4096
    text = "\n".join(lines)
    assert "\\x1b[31m" in text and "\\xe2\\x80\\xae" in text
    assert not re.search(r"(?m)^\S+ h barid", text)
    for shape in (r"smtpd\[\d+\]: connect from \S+\[127\.0\.0\.1\]$",
                  r"smtpd\[\d+\]: disconnect from \S+\[127\.0\.0\.\d\] ehlo=1 .*commands=\d+(/\d+)?$",
                  r"smtpd\[\d+\]: \w{8,}: client=\S+\[127\.0\.0\.1\], sasl_method=PLAIN, sasl_username=alice$",
                  r"cleanup\[\d+\]: \w+: message-id=<\S+>$",
                  r"qmgr\[\d+\]: \w+: from=<\S*>, size=\d+, nrcpt=\d+ \(queue active\)$",
                  r"smtp\[\d+\]: \w+: to=<\S+>, relay=\S+\[127\.0\.0\.1\]:\d+, delay=[\d.]+, delays=[\d./]+, "
                  r"dsn=2\.\d\.\d, status=sent \(.*\)$",
                  r"smtp\[\d+\]: .*dsn=4\.\d\.\d, status=deferred \(.*\)$",
                  r"smtp\[\d+\]: .*dsn=5\.\d\.\d, status=bounced \(.*\)$",
                  r"qmgr\[\d+\]: \w+: removed$",
                  r"smtpd\[\d+\]: NOQUEUE: reject: RCPT from \S+\[127\.0\.0\.1\]: 550 5\.1\.1 <nobody@example\.test>: .*; "
                  r"from=<x@elsewhere\.example> to=<nobody@example\.test> proto=ESMTP helo=<client\.test>$",
                  r"smtpd\[\d+\]: warning: \S+\[127\.0\.0\.2\]: SASL PLAIN authentication failed: .*sasl_username=alice$",
                  r"pop3d\[\d+\]: LOGIN FAILED, user=bob, ip=\[127\.0\.0\.4\]$"):
        assert re.search("(?m) barid/" + shape, text), shape


def json_lines(b):
    lines = written(b)
    for line in lines:
        o = json.loads(line)
        assert set(o) == {"time", "host", "component", "pid", "level", "id", "message"}, o
        assert isinstance(o["pid"], int) and re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", o["time"]), o
        assert not re.search("[\x00-\x1f\x7f-\x9f\u2028-\u202e]", o["message"]), o
    assert sum(o.get("id") not in (None, "NOQUEUE") for o in map(json.loads, lines)) > 20
    messages = "\n".join(json.loads(x)["message"] for x in lines)
    assert 'user=q"b\\s,' in messages and "\\x1b" in messages and "\\xe2\\x80\\xae" in messages


def barid(sink, log_format):
    b = Barid(start=False)
    b.set_users(b.users, GOOD)
    b.log_format = log_format
    b.write_conf(f'''upstream "far" {{ server "127.0.0.1" {{ port = {sink.port} user = "out" password = "{NEXT}"
  tls = "required" }} }}
route "far.example" {{ via = "far" }}
''')
    return b.start()


class Logger:
    """A syslog daemon, as far as its clients can tell."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(path)
        os.chmod(path, 0o666)
        self.lines = []
        self.go_on = threading.Event()
        self.go_on.set()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while self.go_on.wait() and (line := self.sock.recv(1 << 16)):
            self.lines.append(line.decode())

    def has(self, words):
        return any(words in line for line in self.lines)

    def stop(self):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


def syslog():
    """A logger that is restarted gets the lines of all that come after; one that hangs stops no mail."""
    def send(name):
        with Wire(b.port["smtp"]) as w:
            w.reply()
            for text in ("EHLO client.test", "MAIL FROM:<x@elsewhere.example>", "RCPT TO:<bob@example.test>", "DATA"):
                assert w.smtp(text)[:1] in b"23", text
            assert w.smtp(f"Message-ID: <{name}@x>\r\n\r\nx\r\n.").startswith(b"250")

    with Barid(start=False) as b:
        path = b.dir + "/devlog"
        logger = Logger(path)
        with open(b.conf, encoding="utf-8") as f:
            text = f.read()
        with open(b.conf, "w", encoding="utf-8") as f:
            f.write(text.replace(f'"file:{b.dir}/log"', f'"syslog:mail@{path}", "file:{b.dir}/log"'))
        b.start()
        send("one")
        b.mail("bob", 1)
        wait_for("the lines", lambda: logger.has(": removed"))
        for line in logger.lines:
            assert re.match(r"<2[0-3]>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d barid/\w+\[\d+\]: ", line), line
        for shape in ("smtpd", "cleanup", "qmgr", "local"):
            assert logger.has(f" barid/{shape}["), logger.lines
        # It stops; mail does not; a session that was open, and new ones, find the next one.
        with Wire(b.port["smtp"]) as w:
            w.reply()
            w.smtp("EHLO client.test")
            logger.stop()
            os.unlink(path)
            send("two")
            b.mail("bob", 2)
            logger = Logger(path)
            send("three")
            b.mail("bob", 3)
            wait_for("the session", lambda: logger.has("message-id=<three@x>"))
            wait_for("the runner", lambda: logger.has(": removed"))
            w.smtp("QUIT")
            wait_for("the session of before", lambda: logger.has("disconnect from ") and
                     sum("disconnect from " in x for x in logger.lines) >= 2)
        # It hangs, and is back.
        logger.go_on.clear()
        for n in range(100):
            send(f"hung{n}")
        b.mail("bob", 103, 60)
        logger.go_on.set()
        wait_for("its return", lambda: (send("back"), logger.has("message-id=<back@x>"))[1])
        logger.stop()


def rotated():
    """
    A reload that is refused opens the log again, for all: what logrotate is to run reloads, and the old file is removed.
    """
    with open(SRC + "/etc/logrotate.d/barid", encoding="ascii") as f:
        script = re.search(r"postrotate\n(.*?)\tendscript", f.read(), re.S)[1]
    with Barid() as b:
        assert script.count("/usr/sbin/baridctl") == 1 and script.count("/run/barid/") == 1, script
        script = script.replace("/usr/sbin/baridctl", f"{program('baridctl')} -c {b.conf}").replace("/run/barid/", b.dir + "/run/")
        wait_for("the runners", lambda: " is ready: " in b.log())
        os.rename(b.log_path, b.log_path + ".1")
        b.write_conf("nonsense = 1\n")
        run("sh", "-ec", script)
        wait_for("the refusal", lambda: "reload refused, the old configuration stays: " in b.log())

        def all_write():
            b.send("x@elsewhere.example", ["alice@example.test"], "Subject: x\r\n\r\nx\r\n")
            return " barid/smtpd[" in b.log() and ": removed" in b.log()
        wait_for("sessions and runners to write there", all_write)


def main():
    need("pflogsumm", "fail2ban-regex")
    syslog()
    rotated()
    rules = ["--rule", "RCPT /later/=450 4.2.0 later, please", "--rule", "RCPT /never/=550 5.1.1 never in my life",
             "--rule", "RCPT /red/=raw 550 5.7.1 \\x1b[31mred \\xe2\\x80\\xae\\r\\n"]
    setup = Barid(start=False)
    with Peer("sinkd", "--out", setup.dir, "--tls-cert", setup.dir + "/localhost.pem", "--tls-key",
              setup.dir + "/localhost.key", "--auth", "out:" + NEXT, "--require-auth", *rules) as sink:
        with barid(sink, "text") as b:
            t = Traffic(b)
            t.run()
            wait_quiet(b)
            pflogsumm(b, t)
            fail2ban(b, t)
            t.hostile()
            wait_quiet(b)
            lines_whole(b)
            no_secrets(b)
        with barid(sink, "json") as b:
            t = Traffic(b)
            t.run(hostile=True)
            wait_for("what is to come", lambda: len(b.spooled()) == 1, 30)
            json_lines(b)
            no_secrets(b)
    setup.close()


main()
