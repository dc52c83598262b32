# SPDX-License-Identifier: GPL-3.0-or-later
"""Who guesses passwords is slowed down and then kept out, by SMTP and POP3 together; and who is blocked by hand.

CONFORMANCE S-39: the counter is one for both protocols, a legitimate user from another address is not
affected, and the block ends by itself.
"""
import base64
import json
import os
import re
import socket
import subprocess
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, PASSWORD, Wire, program, wait_for  # noqa: E402

GUESSER, HONEST = "127.0.0.2", "127.0.0.3"
CONF = """auth { failure-delay = 20ms  failures-to-block = 6  block-time = 1d  without-tls = {"PLAIN", "LOGIN"} }
"""


def plain(user, password):
    return base64.b64encode(f"\0{user}\0{password}".encode()).decode()


def wire(b, name, source):
    """A connection from the address SOURCE; what the server says first."""
    w = Wire.__new__(Wire)
    w.sock = socket.create_connection(("127.0.0.1", b.port[name]), 30, (source, 0))
    w.sock.settimeout(60)
    w.data = b""
    return w, w.line()


def logged_in(b, user):
    """A session in which USER has logged in."""
    w, banner = wire(b, "clear", HONEST)
    assert banner.startswith(b"220"), banner
    w.smtp("EHLO client.test")
    assert w.smtp("AUTH PLAIN " + plain(user, PASSWORD)).startswith(b"235"), user
    return w


def smtp(b, source, user, password, tries=1):
    """Logs in by SMTP so often in a session; the answers, or the greeting alone."""
    w, banner = wire(b, "clear", source)
    with w:
        if not banner.startswith(b"220"):
            return [banner]
        w.smtp("EHLO client.test")
        return [w.smtp("AUTH PLAIN " + plain(user, password)) for _ in range(tries)]


def pop3(b, source, user, password):
    w, banner = wire(b, "pop", source)
    with w:
        if not banner.startswith(b"+OK"):
            return banner
        assert w.cmd(f"USER {user}").startswith(b"+OK")
        answer = w.cmd(f"PASS {password}")
        w.cmd("QUIT")
        return answer


def baridctl(b, *args, code=0):
    r = subprocess.run([program("baridctl"), "-c", b.conf, *args], capture_output=True, text=True)
    assert r.returncode == code, (args, r)
    return r.stdout + r.stderr


def blocks(b):
    return {x["network"]: x for x in json.loads(baridctl(b, "--json", "blocks"))}


def guessing(b):
    """S-39: three guesses by each protocol are six."""
    for i in range(3):
        assert smtp(b, GUESSER, f"user{i}", "no")[0].startswith(b"535"), i
    for i in range(2):
        assert pop3(b, GUESSER, f"user{i}", "no").startswith(b"-ERR [AUTH]"), i
    # A session that is open does not go on where others were told to go.
    other, banner = wire(b, "clear", GUESSER)
    assert banner.startswith(b"220")
    other.smtp("EHLO client.test")
    assert b"come back later" in pop3(b, GUESSER, "alice", "no")
    answer = other.smtp("AUTH PLAIN " + plain("alice", PASSWORD))
    assert answer.startswith(b"421 4.7.0"), answer
    assert other.line() is None
    other.close()
    # Right passwords are not asked for any more; from elsewhere they are right.
    assert smtp(b, GUESSER, "alice", PASSWORD)[0].startswith(b"421 4.7.0"), "blocked"
    assert pop3(b, GUESSER, "alice", PASSWORD).startswith(b"-ERR [SYS/TEMP]")
    assert smtp(b, HONEST, "alice", PASSWORD)[0].startswith(b"235")
    assert pop3(b, HONEST, "alice", PASSWORD).startswith(b"+OK")
    found = blocks(b)
    assert list(found) == [GUESSER] and found[GUESSER]["kind"] == "automatic", found
    assert 86000 < found[GUESSER]["seconds"] <= 86400, found
    assert f"unknown[{GUESSER}]: too many wrong passwords: blocked for 86400 s" in b.log()
    assert GUESSER in baridctl(b, "blocks")
    # Nobody is asked who has to be unblocked.
    baridctl(b, "unblock", GUESSER)
    assert blocks(b) == {}
    assert smtp(b, GUESSER, "alice", PASSWORD)[0].startswith(b"235")


def ends(b):
    """A block ends by itself; the session in which it began was told so, and closed."""
    b.write_conf(CONF.replace("1d", "2s"))
    b.reload()
    answers = []
    w, _ = wire(b, "clear", GUESSER)
    with w:
        w.smtp("EHLO client.test")
        while not answers or answers[-1].startswith(b"535"):
            answers.append(w.smtp("AUTH PLAIN " + plain(f"user{len(answers)}", "no")))
        assert answers[-1].startswith(b"421 4.7.0") and len(answers) == 6, answers
        assert w.line() is None
    wait_for("the block", lambda: f"unknown[{GUESSER}]: too many wrong passwords: blocked for 2 s" in b.log())
    wait_for("the end of the block", lambda: smtp(b, GUESSER, "alice", PASSWORD)[0].startswith(b"235"))
    assert blocks(b) == {}


def by_hand(b):
    """FEATURES L17: networks, reasons and ends; what is wrong is said; all of it is there after a restart."""
    baridctl(b, "block", "127.0.0.2/31", "--for", "1h", "--why", "a spammer, twice")
    baridctl(b, "block", "2001:db8::/32")
    found = blocks(b)
    assert found["2001:db8::/32"]["seconds"] is None, found
    assert 3500 < found["127.0.0.2/31"]["seconds"] <= 3600 and found["127.0.0.2/31"]["why"] == "a spammer, twice"
    assert found["127.0.0.2/31"]["kind"] == "manual"
    for source in (GUESSER, HONEST):
        assert smtp(b, source, "alice", PASSWORD) == [b"421 4.7.0 mx.example.test Error: you are blocked here"]
        assert pop3(b, source, "alice", PASSWORD) == b"-ERR [SYS/TEMP] you are blocked here"
    assert f"refused a connection from unknown[{GUESSER}]: you are blocked here" in b.log()
    # Every form of a range, and several at once; each is known by any of its forms.
    baridctl(b, "block", "192.0.2.*;198.51.100.7-198.51.100.19", "203.0.113.0/255.255.255.128", "[2001:db8:1::]/48")
    assert set(blocks(b)) == {"2001:db8::/32", "127.0.0.2/31", "192.0.2.0/24", "198.51.100.7-198.51.100.19",
                              "203.0.113.0/25", "2001:db8:1::/48"}, blocks(b)
    baridctl(b, "unblock", "192.0.2.0-192.0.2.255", "198.51.100.7-198.51.100.19; 203.0.113.0/25", "2001:db8:1::/48")
    baridctl(b, "block", "127.0.0.2-127.0.0.3", "--for", "1h", "--why", "a spammer, twice")
    for wrong in ("127.0.0.300", "127.0.0.1/8", "127.0.0.0/33", "example.test", "127.0.0.9-127.0.0.1", "127.*.1.*"):
        assert "expected" in baridctl(b, "block", wrong, code=69), wrong
    assert "is not blocked" in baridctl(b, "unblock", GUESSER, code=69)
    baridctl(b, "block", "--for", "soon", GUESSER, code=64)
    baridctl(b, "block", "--for", "1h", "--why", "two\nlines", GUESSER, code=69)
    b.kill()
    b.start()
    assert set(blocks(b)) == {"127.0.0.2/31", "2001:db8::/32"}
    assert smtp(b, GUESSER, "alice", PASSWORD)[0].startswith(b"421")
    # Longer or shorter is the same command again.
    baridctl(b, "block", "127.0.0.2/31", "--for", "4s")
    wait_for("the end of the block", lambda: smtp(b, GUESSER, "alice", PASSWORD)[0].startswith(b"235"))
    baridctl(b, "unblock", "2001:db8::/32")
    assert blocks(b) == {}
    unwritten(b)
    b.stop()
    with open(b.dir + "/spool/blocks", encoding="ascii") as f:
        assert "2001" not in f.read()
    b.start()


def unwritten(b):
    """What was not changed, and what was and cannot be written down, are two things."""
    os.unlink(b.dir + "/spool/blocks.lock")
    os.mkdir(b.dir + "/spool/blocks.lock")
    assert "blocks.lock: Is a directory: nothing was changed" in baridctl(b, "block", GUESSER, code=69)
    assert blocks(b) == {}
    os.rmdir(b.dir + "/spool/blocks.lock")
    os.mkdir(b.dir + "/spool/blocks.new")
    assert "Is a directory: it is blocked, but only until" in baridctl(b, "block", GUESSER, code=69)
    assert set(blocks(b)) == {GUESSER}
    assert "it is not blocked any more, but only until" in baridctl(b, "unblock", GUESSER, code=69)
    assert blocks(b) == {}
    os.rmdir(b.dir + "/spool/blocks.new")


def configured(b):
    """access.blocked, everywhere or at one listener."""
    b.write_conf(CONF + f'access {{ blocked = {{"192.0.2.*;{GUESSER}-{GUESSER}"}} }}\n')
    b.reload()
    assert smtp(b, GUESSER, "alice", PASSWORD) == [b"421 4.7.0 mx.example.test Error: you may not connect here"]
    assert smtp(b, HONEST, "alice", PASSWORD)[0].startswith(b"235")


def behind(b, client, says=""):
    """A connection that a listed proxy makes for CLIENT, who SAYS something at once."""
    w = Wire.__new__(Wire)
    w.sock = socket.create_connection(("127.0.0.1", b.port["smtp"]), 30)
    w.sock.settimeout(60)
    w.data = b""
    w.send(f"PROXY TCP4 {client} 203.0.113.25 4711 25\r\n{says}")
    return w


def early(b):
    """S-17: a client that does not wait for the greeting gets none; one that waits gets it late."""
    strange = "proxies = {\"127.0.0.1\"} relay = {\"198.51.100.0/24\"} connect = {\"0.0.0.0/0\"}"
    b.write_conf(CONF + f"access {{ {strange} }}\n"
                 "limits { greet-delay = 60s early-talkers = \"refuse\" tarpit-delay = 20ms }\n")
    b.reload()
    with behind(b, "192.0.2.1") as w:
        w.send("EHLO x\r\nMAIL FROM:<a@b.test>\r\n")
        assert w.reply() == b"554 5.5.1 Commands were sent before their turn"
        assert w.line() is None
    assert "improper command pipelining after CONNECT from unknown[192.0.2.1]" in b.log()
    # A client that we know, and one on this host, need not wait.
    with behind(b, "198.51.100.1") as w:
        assert w.reply().startswith(b"220 ")
    with behind(b, "127.0.0.1") as w:
        assert w.reply().startswith(b"220 ")
    b.write_conf(CONF + f"access {{ {strange} }}\n"
                 "limits { greet-delay = 300ms early-talkers = \"note\" tarpit-delay = 20ms }\n")
    b.reload()
    with behind(b, "192.0.2.2", "EHLO x\r\n") as w:
        assert w.reply().startswith(b"220 ") and w.reply().startswith(b"250")
    assert "improper command pipelining after CONNECT from unknown[192.0.2.2]" in b.log()
    with behind(b, "192.0.2.3") as w:
        assert w.reply().startswith(b"220 ") and w.smtp("EHLO x").startswith(b"250-")
        assert w.smtp("MAIL FROM:<a@b.test>").startswith(b"250")
        # What names tried cost is in guess_test.c: here they are answered, in their order.
        w.send("".join(f"RCPT TO:<nobody{i}@example.test>\r\n" for i in range(5)) + "RCPT TO:<alice@example.test>\r\n")
        assert [w.reply()[:9] for _ in range(6)] == [b"550 5.1.1"] * 5 + [b"250 2.1.5"]


def senders(b):
    """S-40: who is logged in sends as himself, or as what an account section gives him."""
    b.write_conf(CONF + 'access { sender-login = "from" }\n'
                 'account "bob" { senders = {"sales@example.test", "*@shop.example"} }\n')
    b.reload()
    with logged_in(b, "bob") as w:
        def mail(sender, text):
            if not (answer := w.smtp(f"MAIL FROM:<{sender}>")).startswith(b"250"):
                return answer
            assert w.smtp("RCPT TO:<alice@example.test>").startswith(b"250")
            assert w.smtp("DATA").startswith(b"354")
            return w.smtp(text + "\r\n\r\ntext\r\n.")

        mine = "From: Bob <bob@example.test>"
        for sender in ("bob@example.test", "BOB@Example.Test", "bob+list@example.test", "sales@example.test",
                       "any@shop.example", ""):
            assert mail(sender, mine)[:3] == b"250", sender
        for sender in ("alice@example.test", "bob@else.example", "bob.alice@example.test", "x@a.shop.example"):
            assert mail(sender, mine).startswith(b"553 5.7.1"), sender
        for text in ("From: alice@example.test", mine + ",\r\n alice@example.test", mine + "\r\n" + mine,
                     "from : Bob (x) <\"alice\"@example.test>", "From: \"bob@example.test\" <a@else.example>",
                     "From: <bob@example.test", f"Subject: x\r\n{mine}\r\nFROM: a@else.example"):
            assert mail("bob@example.test", text).startswith(b"550 5.7.1"), text
        for text in ("Subject: no From", "From: Sales <sales@example.test>, bob@example.test"):
            assert mail("bob@example.test", text)[:3] == b"250", text
    said = baridctl(b, "explain", "--user", "bob", "--from", "alice@example.test", "alice@example.test")
    assert "may not send as that address" in said, said
    said = baridctl(b, "explain", "--user", "bob", "--from", "x@shop.example", "alice@example.test")
    assert "may send as that address" in said and "barid.conf:" in said, said
    assert len(b.mail("alice", 8)) == 8


def rates(b):
    """limits.rate, over all sessions together: what is too much is refused for now."""
    b.write_conf(CONF + 'limits { rate "user" { recipients = 3 per = 1d } rate "client" { messages = 4 per = 1d } }\n')
    b.reload()
    with logged_in(b, "bob") as w:
        assert w.smtp("MAIL FROM:<bob@example.test>").startswith(b"250")
        names = ("alice", "alice", "bob", "alice+1", "alice+2")
        got = [w.smtp(f"RCPT TO:<{name}@example.test>")[:9] for name in names]
        assert got == [b"250 2.1.5"] * 4 + [b"450 4.7.1"], got
    for i in range(4):
        with logged_in(b, "alice") as w:
            answer = w.smtp("MAIL FROM:<bob@example.test>")
            assert answer.startswith(b"250" if i < 3 else b"450 4.7.1 Too much mail"), (i, answer)
    assert f"rate limit exceeded from unknown[{HONEST}]: limits.rate.client, " in b.log()
    assert json.loads(baridctl(b, "--json", "status"))["rate-limited"] == 2
    # How near to each limit somebody is.
    assert json.loads(baridctl(b, "--json", "top"))["rates"] == [
        {"rate": "user", "messages": 0, "recipients": 3, "per": 86400, "used": 100, "by": "bob"},
        {"rate": "client", "messages": 4, "recipients": 0, "per": 86400, "used": 100, "by": HONEST}]
    page = baridctl(b, "top", "--once")
    assert re.search(r"(?m)^RATE +MESSAGES +RECIPIENTS +PER +USED +BY$", page), page
    assert re.search(rf"(?m)^client +4 +- +86400 s +100 %  {re.escape(HONEST)}$", page), page
    # And who has half or more of the connections that one address may have.
    b.write_conf(CONF + "limits { connections-per-address = 6 }\n")
    b.reload()
    held = [Wire(b.port["smtp"], source=source) for source in (HONEST, HONEST, HONEST, HONEST, "127.0.0.9", "127.0.0.9")]
    for w in held:
        w.reply()
    # Those of before may be ending.
    wait_for("those that are", lambda: json.loads(baridctl(b, "--json", "top"))["from"] ==
             [{"address": HONEST, "connections": 4, "most": 6}])
    assert re.search(rf"(?m)^{re.escape(HONEST)} +4 +6$", baridctl(b, "top", "--once"))
    for w in held:
        w.close()
    # Of senders, of recipients, and of all; each of them is looked at for itself.
    b.write_conf(CONF + 'limits { rate "sender" { messages = 2 per = 1d } rate "recipient" { messages = 3 per = 1d } '
                 'rate "all" { messages = 5 per = 1d } }\n')
    b.reload()
    with logged_in(b, "alice") as w:
        def sends(who, rcpt):
            w.smtp("RSET")
            said = w.smtp(f"MAIL FROM:<{who}@example.test>")
            return said[:3] if not said.startswith(b"250") else w.smtp(f"RCPT TO:<{rcpt}@example.test>")[:3]
        tries = [("alice", "bob")] * 3 + [("carol", "bob"), ("bob", "bob"), ("alice+x", "alice"), ("alice+y", "alice")]
        got = [sends(*t) for t in tries]
        assert got == [b"250", b"250", b"450", b"250", b"450", b"250", b"450"], got
    for whose in ("user of bob", "sender of <alice@example.test>", "recipient of <bob@example.test>", "all"):
        assert f": limits.rate.{whose}, {b.conf}:" in b.log(), whose


def disabled(b):
    """FEATURES L16: a service takes no new clients; who is there finishes, and begins nothing."""
    b.write_conf(CONF + 'access { relay = {"10.0.0.*", "127.0.0.3;192.0.2.0/24"} }\n')
    b.reload()
    with logged_in(b, "alice") as w:
        assert w.smtp("MAIL FROM:<alice@example.test>").startswith(b"250")
        baridctl(b, "submission", "disable")
        assert json.loads(baridctl(b, "--json", "status"))["disabled"] in ("submission", ["submission"])
        assert smtp(b, HONEST, "alice", PASSWORD)[0].startswith(b"421 4.7.0"), "new"
        assert pop3(b, HONEST, "alice", PASSWORD).startswith(b"+OK")
        assert w.smtp("RCPT TO:<alice@example.test>").startswith(b"250")
        assert w.smtp("RSET").startswith(b"250")
        assert w.smtp("MAIL FROM:<alice@example.test>").startswith(b"451 4.3.2")
        baridctl(b, "submission", "enable")
        assert w.smtp("MAIL FROM:<alice@example.test>").startswith(b"250")
    assert smtp(b, HONEST, "alice", PASSWORD)[0].startswith(b"235")
    baridctl(b, "pop3", "disable")
    assert pop3(b, HONEST, "alice", PASSWORD).startswith(b"-ERR [SYS/TEMP]")
    baridctl(b, "pop3", "enable")
    baridctl(b, "pop3", "off", code=64)
    shown = baridctl(b, "config")
    assert 'access.relay = {"10.0.0.0/24", "127.0.0.3", "192.0.2.0/24"}' in shown, shown


def main():
    listen = dict(Barid.LISTEN, clear=("submission", "starttls"), pop=("pop3", "starttls"))
    with Barid(extra=CONF, listen=listen) as b:
        guessing(b)
        ends(b)
        b.write_conf(CONF)
        b.reload()
        by_hand(b)
        configured(b)
        early(b)
        senders(b)
        rates(b)
        disabled(b)


main()
