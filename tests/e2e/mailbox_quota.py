# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits of mailboxes: at RCPT, in the queue, by POP3; the warning; maildirsize beside Dovecot, which is its judge."""
import json
import os
import smtplib
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, need, run, wait_for  # noqa: E402

LIMIT = 20000
CONF = f"""account "alice" {{ mailbox-quota = {LIMIT}  mailbox-messages = 8  mailbox-warning = 60 }}
account "bob"   {{ mailbox-messages = 1  mailbox-reject = true  mailbox-warning = 0 }}
recipient "both@example.test" {{ forward = {{"alice@example.test", "bob@example.test"}} }}
recipient "postmaster@example.test" {{ mailbox = "carol" }}
queue {{ retry = {{1h}} }}
"""
DOVECOT = """mail_location = maildir:{box}
mail_plugins = quota
mail_log_prefix =
log_path = /dev/stderr
mail_uid = {uid}
mail_gid = {gid}
first_valid_uid = 1
plugin {{
  quota = maildir:User quota
  quota_rule = *:storage={limit}B:messages=8
}}
"""


def text(n=0):
    return "Subject: x\r\n\r\n" + ("y" * 70 + "\r\n") * (n // 72 + 1)


def rcpt(b, name, size=None):
    """The answer to RCPT."""
    with smtplib.SMTP("127.0.0.1", b.port["smtp"], timeout=60) as c:
        c.ehlo()
        c.mail("a@far.example", [f"SIZE={size}"] if size else [])
        code, words = c.rcpt(f"{name}@example.test")
        return f"{code} {words.decode()}"


def usage(b, name):
    return next(m for m in json.loads(b.ctl("--json", "mailboxes", name).stdout) if m["mailbox"] == name)


def said(b, name):
    """The sum that maildirsize has."""
    with open(f"{b.dir}/mail/{name}/maildirsize", encoding="ascii") as f:
        lines = f.read().splitlines()
    return lines[0], [sum(int(line.split()[i]) for line in lines[1:]) for i in (0, 1)]


def counted(b, name):
    """The same once it has all that is there: a delivery is counted behind its rename."""
    def look():
        u = usage(b, name)
        found = said(b, name)
        return found[1] == [u["octets"], u["messages"]] and u["messages"] == len(b.mailbox(name)) and (*found, u)
    return wait_for(f"the sum of {name}", look)


def dovecot(b, *command):
    """Dovecot looks at alice's mailbox, as the user whose it is."""
    conf = b.dir + "/dovecot.conf"
    owner = os.stat(f"{b.dir}/mail/alice")
    with open(conf, "w", encoding="utf-8") as f:
        f.write(DOVECOT.format(box=f"{b.dir}/mail/alice", limit=LIMIT, uid=owner.st_uid, gid=owner.st_gid))
    return run("doveadm", "-c", conf, *command, folder=b.dir, USER="alice").decode()


def full(b):
    """By octets and by messages; what SIZE says counts."""
    assert rcpt(b, "alice", LIMIT).startswith("250")
    assert rcpt(b, "alice", LIMIT + 1) == "452 4.2.2 The mailbox is full"
    assert rcpt(b, "carol", 9 * LIMIT).startswith("250")
    assert rcpt(b, "bob").startswith("250")
    for name in ("alice", "bob"):
        b.send("a@far.example", [f"{name}@example.test"], text(6000))
        b.mail(name, 1)
    wait_for("bob's to be counted", lambda: rcpt(b, "bob") == "552 5.2.2 The mailbox is full")
    head, there, u = counted(b, "alice")
    assert rcpt(b, "alice", LIMIT - 7000).startswith("250") and rcpt(b, "alice", LIMIT - 3000).startswith("452")
    assert head == f"{LIMIT}S,8C" and there[1] == 1, (head, there, u)
    assert f"{u['octets']} of {LIMIT} octets, 1 of 8 messages" in b.ctl("explain", "alice@example.test").stdout
    assert f" {u['octets'] * 100 // LIMIT}%\n" in b.ctl("mailboxes").stdout, u


def homes(b):
    """Where accounts of this host get mail, others are refused as before; accounts are in forward.py."""
    b.write_conf('recipients { mailboxes = {"file", "system"} }\n' + CONF)
    b.reload()
    wait_for("the refusal", lambda: rcpt(b, "bob") == "552 5.2.2 The mailbox is full")
    assert rcpt(b, "carol").startswith("250") and rcpt(b, "alice", LIMIT + 1).startswith("452")
    b.write_conf(CONF)
    b.reload()


def warned(b):
    b.send("a@far.example", ["alice@example.test"], text(6500))
    got = [m for m in b.mail("alice", 3) if b"Your mailbox is nearly full" in m]
    assert len(got) == 1 and b"of 20000 octets, 2 of 8 messages" in got[0] and b"Auto-Submitted" in got[0], got
    # Once: it is above that already.
    b.send("a@far.example", ["alice@example.test"], text())
    assert len([m for m in b.mail("alice", 4) if b"nearly full" in m]) == 1


def queued(b):
    """What came in all the same waits for room, or goes back."""
    b.send("a@far.example", ["both@example.test"], text(7000))
    wait_for("both answers", lambda: "dsn=4.2.2" in b.log() and "dsn=5.2.2" in b.log())
    assert "mailbox alice is full (account.alice)" in b.log() and "mailbox bob is full (account.bob)" in b.log()
    assert len(b.mail("bob", 1)) == 1
    c = b.pop3("alice")
    c.dele(1)
    c.dele(2)
    c.quit()
    before = counted(b, "alice")[1]
    assert before[1] == 2, before
    b.ctl("queue", "flush")
    b.mail("alice", 3)


def beside_dovecot(b):
    """It reads what we wrote, counts as we do, and we go on with what it wrote."""
    head, there, _ = counted(b, "alice")
    got = dovecot(b, "-f", "tab", "quota", "get")
    storage, messages = [line.split("\t") for line in got.splitlines()[1:3]]
    assert messages[2:4] == [str(there[1]), "8"] and int(storage[2]) == -(-there[0] // 1024), (got, there)
    os.unlink(f"{b.dir}/mail/alice/maildirsize")
    dovecot(b, "quota", "recalc")
    assert said(b, "alice") == (head, there), (said(b, "alice"), head, there)
    dovecot(b, "expunge", "mailbox", "INBOX", "1")
    after = said(b, "alice")[1]
    assert after[1] == there[1] - 1 and after == [usage(b, "alice")["octets"], after[1]], (after, there)
    b.send("a@far.example", ["alice@example.test"], text(100))
    b.mail("alice", after[1] + 1)
    assert counted(b, "alice")[1][1] == after[1] + 1
    # A limit that is another one is counted anew.
    b.write_conf(CONF.replace(f"= {LIMIT}", "= 30KB"))
    b.ctl("reload")
    wait_for("the new limit", lambda: rcpt(b, "alice", 3000).startswith("250") and said(b, "alice")[0] == "30720S,8C")


def main():
    need("doveadm")
    with Barid(users=("alice", "bob", "carol"), extra=CONF) as b:
        for test in (full, homes, warned, queued, beside_dovecot):
            test(b)


main()
