#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""proxied -- clients that come by a proxy: HAProxy in front, both versions, SMTP and POP3, and who lies.

CONFORMANCE S-27, S-37, S-46.  What a listener has of its own is seen here as well.

FEATURES L12.
"""
import os
import poplib
import shutil
import smtplib
import socket
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Wire, NO_VERIFY, PASSWORD, free_port, listening, need, wait_for  # noqa: E402

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LISTEN = {"smtp": ("smtp", "starttls"), "brief": ("smtp", "starttls"), "plain": ("smtp", "starttls"), "submissions": ("submission", "implicit"),
          "pop3": ("pop3", "required"), "pop3s": ("pop3", "implicit")}
# All is done from 127.0.0.1, so that only what the proxy says can make a difference.
CONF = """access { connect = {"192.0.2.0/24", "2001:db8::/32", "127.0.0.0/8"} proxies = {"127.0.0.1"} }
queue { deliver = false }
sink = "127.0.0.1:9"
"""
HAPROXY = """defaults
  mode tcp
  timeout connect 10s
  timeout client 30s
  timeout server 30s
"""


class Front:
    """haproxy, a port of its own for each of PORTS and each version."""

    def __init__(self, ports):
        need("haproxy")
        self.folder = tempfile.mkdtemp(prefix="barid-haproxy-")
        self.port = {}
        text = HAPROXY
        for name, port in ports.items():
            for version in ("send-proxy", "send-proxy-v2"):
                here = self.port[name, version] = free_port(["127.0.0.1"])
                text += (f"listen {name}-{version}\n  bind 127.0.0.1:{here}\n"
                         f"  server s 127.0.0.1:{port} {version} check inter 200ms\n")
        with open(self.folder + "/conf", "w", encoding="ascii") as f:
            f.write(text)
        self.process = subprocess.Popen(["haproxy", "-db", "-f", self.folder + "/conf"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for port in self.port.values():
            wait_for("haproxy", lambda p=port: listening(p))

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def v1(client, server="198.51.100.7", kind="TCP4"):
    return f"PROXY {kind} {client} {server} 40000 25\r\n".encode()


def v2(client, tlv=b"", command=0x21):
    body = socket.inet_aton(client) + socket.inet_aton("198.51.100.7") + struct.pack(">HH", 40000, 25) + tlv
    return SIGNATURE + bytes([command, 0x11]) + struct.pack(">H", len(body)) + body


def opened(b, header, name="smtp", **kw):
    w = Wire(b.port[name], **kw)
    w.send(header)
    return w


def haproxy(b):
    with Front(b.port) as front:
        for version in ("send-proxy", "send-proxy-v2"):
            with smtplib.SMTP("127.0.0.1", front.port["smtp", version], "client.test", timeout=60,
                              source_address=("127.0.0.77", 0)) as c:
                c.starttls(context=NO_VERIFY)
                c.sendmail("a@x.test", ["alice@example.test"], "Subject: x\r\n\r\nby haproxy\r\n")
            with smtplib.SMTP_SSL("127.0.0.1", front.port["submissions", version], "client.test", timeout=60,
                                  context=NO_VERIFY, source_address=("127.0.0.77", 0)) as c:
                c.login("bob", PASSWORD)
            c = poplib.POP3_SSL("127.0.0.1", front.port["pop3s", version], context=NO_VERIFY, timeout=60)
            c.user("alice")
            c.pass_(PASSWORD)
            c.quit()
            c = poplib.POP3("127.0.0.1", front.port["pop3", version], timeout=60)
            assert "STLS" in c.capa()
            c.quit()
    log = b.log()
    assert log.count("client=unknown[127.0.0.77]") == 2, log
    # Its looking if we live is the proxy's own, and nobody complains.
    assert "did not begin with a PROXY header" not in log, log


def rights(b):
    """The client decides who may connect and relay, by both versions, and whatever the proxy itself may."""
    for header in (v1("192.0.2.1"), v2("192.0.2.1"), v2("192.0.2.1", b"\x04\0\3abc"),
                   v1("2001:db8::5", "2001:db8::1", "TCP6"), b"PROXY UNKNOWN\r\n"):
        with opened(b, header) as w:
            assert w.reply().startswith(b"220 mx.example.test"), header
            w.smtp("EHLO c")
            w.smtp("MAIL FROM:<a@x.test>")
            assert w.smtp("RCPT TO:<u@elsewhere.test>").startswith(b"554 5.7.1"), header
            assert w.smtp("RCPT TO:<alice@example.test>").startswith(b"250"), header
    with opened(b, v1("192.0.2.200")) as w:
        w.reply()
        w.smtp("EHLO c")
        w.smtp("MAIL FROM:<a@x.test>")
        assert w.smtp("RCPT TO:<u@elsewhere.test>").startswith(b"250")
        w.smtp("DATA")
        assert w.smtp("Subject: x\r\n\r\nx\r\n.").startswith(b"250")
    with opened(b, v2("203.0.113.9")) as w:
        assert w.reply() == b"421 4.7.0 mx.example.test Error: you may not connect here"
        assert w.line() is None
    # LOCAL is the proxy itself.
    with opened(b, v2("192.0.2.1", command=0x20)) as w:
        assert w.reply().startswith(b"220")
        w.smtp("EHLO c")
        w.smtp("MAIL FROM:<a@x.test>")
        assert w.smtp("RCPT TO:<u@elsewhere.test>").startswith(b"250")
    log = b.log()
    assert "connect from unknown[192.0.2.200]" in log and "connect from unknown[unknown]" in log
    assert "refused a connection from unknown[203.0.113.9], which came by 127.0.0.1: you may not" in log
    # What came in by it says so: in the trace and in the queue.
    path = next(f"{d}/{n}" for d, _, names in os.walk(b.dir + "/spool") for n in names
                if b"u@elsewhere.test" in open(f"{d}/{n}", "rb").read())
    text = open(path, "rb").read()
    assert b"(unknown [192.0.2.200])" in text and b"unknown[192.0.2.200]:40000" in text, text


def counted(b, header, same, another):
    """Three of SAME come in and a fourth does not; ANOTHER does, and who comes when they have gone."""
    held = []
    for client in same[:3]:
        held.append(opened(b, header(client)))
        assert held[-1].reply().startswith(b"220"), client
    with opened(b, header(same[3])) as w:
        assert w.reply().endswith(b"too many connections from your address")
    with opened(b, header(another)) as w:
        assert w.reply().startswith(b"220")
    for w in held:
        w.close()

    def again():
        with opened(b, header(same[3])) as w:
            return w.reply().startswith(b"220")
    wait_for("the connections to be forgotten", again)


def limits(b):
    """Connections are counted by the client, not by the proxy; of IPv6 by the /64 (S-66)."""
    counted(b, v1, ["192.0.2.50"] * 4, "192.0.2.51")
    counted(b, lambda a: v1(a, "2001:db8::1", "TCP6"), [f"2001:db8:7:1:{i}::5" for i in range(4)], "2001:db8:7:2::5")


def liars(b):
    """A proxy that is none, a header that is none, and nobody who hears of it."""
    for bad in (b"EHLO x\r\n", b"PROXY TCP4 192.0.2.1\r\n", v1("192.0.2.256"), b"PROXY UNKNOWN " + b"x" * 100,
                SIGNATURE + b"\x21\x21\0\0", SIGNATURE + b"\x21\x11\0\x0b" + bytes(12), v2("192.0.2.1", b"\4\xff\xff"),
                SIGNATURE + b"\x21\x11\xff\xff", b"\x16\x03\x01\x02\0"):
        for name in ("smtp", "pop3"):
            with opened(b, bad, name) as w:
                assert w.line() is None, (bad, name)
    # Who begins and does not end has but a moment.
    for w in [opened(b, start, "brief") for start in (b"", b"PROXY TCP4 192.0", SIGNATURE, SIGNATURE + b"\x21\x11\xff")]:
        with w:
            assert w.line() is None
    wait_for("the word in the log", lambda: b.log().count("PROXY header in time: closed") >= 4)
    # A balancer that only looks whether somebody is there is no liar.
    opened(b, b"").close()
    wait_for("the word in the log", lambda: "the proxy 127.0.0.1 went before it said anything" in b.log())
    # Octet by octet it is the same header, and what stands behind it is not lost.
    with Wire(b.port["smtp"]) as w:
        w.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in v1("192.0.2.1") + b"EHLO c\r\n":
            w.send(bytes([octet]))
        assert w.reply().startswith(b"220") and w.reply().startswith(b"250-")


def unlisted(b):
    """From a peer that is not listed, or on a listener that has no proxies, the header is worth nothing."""
    for header in (v1("192.0.2.200"), v2("192.0.2.200")):
        for name, source in (("plain", "127.0.0.1"), ("smtp", "127.0.0.2")):
            with Wire(b.port[name], source=source) as w:
                w.send(header + b"EHLO c\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<u@elsewhere.test>\r\nQUIT\r\n")
                answers = b""
                while (line := w.line()) is not None:
                    answers += line + b"\n"
                assert b"\n250" not in answers and answers[:3] in (b"", b"220"), answers
        with Wire(b.port["pop3"], source="127.0.0.2") as w:
            w.send(header + b"QUIT\r\n")
            answers = []
            while (line := w.line()) is not None:
                answers.append(line)
            # The QUIT within the second is one.
            assert not any(a.startswith(b"+OK") for a in answers[1:] if a != b"+OK good bye"), answers
    log = b.log()
    assert "connect from unknown[127.0.0.2]" in log and "which is not in access.proxies" in log


def own_values(b):
    """What a listener says itself holds there, and only there."""
    with Wire(b.port["plain"]) as w:
        w.reply()
        ehlo = w.smtp("EHLO c")
        assert b"SIZE 2097152\n" in ehlo, ehlo
        w.smtp("MAIL FROM:<a@x.test>")
        assert w.smtp("RCPT TO:<u@elsewhere.test>").startswith(b"530"), "relay and auth-required of its own"
        assert w.smtp("RCPT TO:<alice@example.test>").startswith(b"250")
        assert w.smtp("RCPT TO:<bob@example.test>").startswith(b"452")
    with opened(b, v1("192.0.2.200")) as w:
        w.reply()
        assert b"SIZE 52428800\n" in w.smtp("EHLO c")


def by_socket():
    """A proxy that comes by a socket of this host, and an XCLIENT."""
    listen = {"smtp": ("smtp", "off")}
    with Barid(extra=CONF, listen=listen, relay=("192.0.2.200",), start=False) as b:
        text = b.read(b.conf)
        for name, option in (("proxied", "proxies"), ("spoken", "xclient")):
            text += (f'listen "{name}" {{ service = "smtp" tls = "off" address = {{"unix:{b.dir}/{name}"}} '
                     f'{option} = {{"unix"}} }}\n')
        with open(b.conf, "w", encoding="utf-8") as f:
            f.write(text)
        b.start()
        for name, first in (("proxied", v1("192.0.2.200")), ("spoken", b"XCLIENT ADDR=192.0.2.200\r\n")):
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(30)
            s.connect(f"{b.dir}/{name}")
            s.sendall(first + b"EHLO c\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<u@elsewhere.test>\r\nQUIT\r\n")
            got = b""
            while piece := s.recv(4096):
                got += piece
            s.close()
            assert b"\n250 2.1.5" in got, (name, got)
        assert b.log().count("disconnect from unknown[192.0.2.200]") == 2


def main():
    by_socket()
    with Barid(extra=CONF, listen=LISTEN, relay=("127.0.0.0/8", "192.0.2.200"), start=False) as b:
        text = b.read(b.conf)
        text = text.replace('listen "plain" {', 'listen "plain" { proxies = {} relay = {} auth-required = true '
                            'recipients = 1 message-size = 2MB')
        text = text.replace('listen "smtp" {', 'listen "smtp" { connections-per-address = 3')
        text = text.replace('listen "brief" {', 'listen "brief" { timeout = 3s')
        with open(b.conf, "w", encoding="utf-8") as f:
            f.write(text)
        b.start()
        haproxy(b)
        rights(b)
        limits(b)
        liars(b)
        unlisted(b)
        own_values(b)


main()
