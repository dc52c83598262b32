# SPDX-License-Identifier: GPL-3.0-or-later
"""A desktop client, Claws Mail without a desktop: mail stays on the server over runs and kills, each message once.

FEATURES O1, O2, O7, O8.
"""
import collections
import contextlib
import glob
import os
import re
import signal
import subprocess
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, PASSWORD, need, wait_for  # noqa: E402

ITEMS = (("inbox", "inbox"), ("outbox", "sent"), ("draft", "draft"), ("queue", "queue"), ("trash", "trash"))
CLAWS = ("claws-mail", "--alternate-config-dir")


class Claws:
    """Its windows are on a display that nobody sees; each run is one press of "Get mail"."""

    def __init__(self, b, display, service):
        self.b, self.dir, self.service = b, f"{b.dir}/claws-{service}", service
        self.env = dict(os.environ, HOME=self.dir, DISPLAY=display, NO_AT_BRIDGE="1", XDG_RUNTIME_DIR=self.dir)
        for _, name in ITEMS:
            os.makedirs(f"{self.dir}/Mail/{name}")
        os.mkdir(self.dir + "/c", 0o700)
        self.file("passwordstorerc", f"[account:1]\nrecv {PASSWORD}\n")
        self.file("clawsrc", "[Common]\nskip_ssl_cert_check=1\nunsafe_ssl_certs=1\nautochk_newmail=0\n"
                  "confirm_on_exit=0\nno_receive_error_panel=1\nreceive_dialog_mode=2\n")
        self.file("folderlist.xml", f'<?xml version="1.0" encoding="UTF-8"?>\n<folderlist>\n<folder type="mh" '
                  f'name="Mail" path="{self.dir}/Mail">\n' +
                  "".join(f'<folderitem type="{t}" name="{n}" path="{n}"/>\n' for t, n in ITEMS) +
                  "</folder>\n</folderlist>\n")
        self.account(leave=True)

    def file(self, name, text):
        with open(f"{self.dir}/c/{name}", "w", encoding="utf-8") as f:
            os.fchmod(f.fileno(), 0o600)
            f.write(text)

    def account(self, leave):
        """Whether mail stays on the server, for a week, or goes at once."""
        self.file("accountrc", "[Account: 1]\naccount_name=bob\nis_default=1\nname=Bob\naddress=bob@example.test\n"
                  "protocol=0\nreceive_server=localhost\nsmtp_server=localhost\nuser_id=bob\ninbox=#mh/Mail/inbox\n"
                  f"receive_at_get_all=1\nremove_mail={int(not leave)}\nmessage_leave_time={7 if leave else 0}\n"
                  f"message_leave_hour=0\nget_all_mail=0\nset_popport=1\npop_port={self.b.port[self.service]}\n"
                  f"ssl_pop={1 if self.service == 'pop3s' else 2}\nssl_certs_auto_accept=1\n")

    def got(self):
        """How often each message is there, by its Message-ID."""
        ids = collections.Counter()
        for path in glob.glob(self.dir + "/Mail/inbox/[0-9]*"):
            with open(path, encoding="ascii") as f:
                ids.update(int(n) for n in re.findall(r"^Message-ID: <(\d+)@", f.read(), re.M))
        return ids

    def memory(self):
        """When it wrote down last what it has seen; it does so at the end of each run."""
        with contextlib.suppress(OSError):
            return os.stat(self.dir + "/c/uidl/localhost-bob").st_mtime_ns
        return 0

    def log(self):
        with contextlib.suppress(OSError), open(self.dir + "/said", encoding="utf-8", errors="replace") as f:
            return f.read()
        return ""

    def call(self, *args):
        return subprocess.Popen(["dbus-run-session", *CLAWS, self.dir + "/c", "--debug", *args], env=self.env,
                                stdout=open(self.dir + "/said", "w"), stderr=subprocess.STDOUT, start_new_session=True)

    def fetch(self, want, during=lambda: None):
        """The first WANT messages are in its inbox in the end, each once."""
        before, known = self.b.log().count("LOGIN, user=bob"), self.memory()
        p = self.call("--receive-all")
        try:
            wait_for("a login", lambda: self.b.log().count("LOGIN, user=bob") > before)
            during()
            wait_for("the end of the session", lambda: self.b.sessions() == [])
            wait_for("the messages", lambda: self.memory() > known and len(self.got()) >= want)
            assert self.got() == dict.fromkeys(range(want), 1), (self.got(), self.log()[-3000:])
        finally:
            try:
                wait_for("its end", lambda: self.ended(p))
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(p.pid, signal.SIGKILL)
                p.wait()

    def ended(self, p):
        """It is asked over its socket, as often as it is busy: it saves what it has, and ends, and so does the bus
        behind it.  (A signal can lock it up for ever: its handler takes locks.)"""
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run([*CLAWS, self.dir + "/c", "--exit"], env=self.env, timeout=10, check=False,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            p.wait(1)
        return p.returncode is not None


class Display:
    def __enter__(self):
        self.process = subprocess.Popen(["Xvfb", "-displayfd", "1", "-screen", "0", "800x600x16", "-nolisten", "tcp"],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        return ":" + self.process.stdout.readline().strip()

    def __exit__(self, *exc):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


class Mails:
    def __init__(self, b):
        self.b, self.n = b, 0

    def add(self, count, size=0):
        for _ in range(count):
            self.b.put("bob", f"{1000000 + self.n}.M{self.n}.host",
                       b"From: a@far.example\nTo: bob@example.test\nSubject: %d\nMessage-ID: <%d@client.test>\n"
                       b"Date: Fri, 20 Nov 2026 12:00:00 +0000\n\n.dot %d\n" % (self.n, self.n, self.n)
                       + (b"x" * 70 + b"\n") * (size // 71))
            self.n += 1


def kill_session(b):
    for pid in b.sessions():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def killed_in_retr(b, c, m):
    """The session ends amid a large message; the next run has it, and nothing twice."""
    m.add(1, 20 << 20)
    m.add(3)
    asked = f"RETR {m.n - 3}\n"
    c.fetch(m.n - 4, lambda: (wait_for("the large one", lambda: asked in c.log()), kill_session(b)))
    assert len(b.mailbox("bob")) == m.n
    c.fetch(m.n)
    assert len(b.mailbox("bob")) == m.n


def killed_in_update(b, c, m):
    """The session ends while it removes what was deleted: the client forgets nothing, and gets nothing again."""
    m.add(400)
    c.account(leave=False)
    c.fetch(m.n, lambda: (wait_for("the first to be removed", lambda: len(b.mailbox("bob")) < m.n), kill_session(b)))
    c.fetch(m.n)
    assert b.mailbox("bob") == [], len(b.mailbox("bob"))


def main():
    need("claws-mail", "Xvfb", "dbus-run-session")
    with Display() as display, Barid() as b:
        m = Mails(b)
        m.add(20)
        c = Claws(b, display, "pop3s")
        for _ in range(3):
            c.fetch(m.n)
            assert len(b.mailbox("bob")) == m.n
            m.add(1)
        c = Claws(b, display, "pop3")
        killed_in_retr(b, c, m)
        killed_in_update(b, c, m)


main()
