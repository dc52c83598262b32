#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""auth_token -- XOAUTH2 and OAUTHBEARER against a server that knows the tokens: right, wrong, slow, dead and hostile."""
import base64
import contextlib
import http.server
import json
import os
import ssl
import sys
import tempfile
import threading
import time
import urllib.parse

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from authtest import LATER, NO, Silent, YES  # noqa: E402
from baridtest import Barid, Wire, certificate, need, run, wait_for  # noqa: E402

CLIENT, SECRET = "mail server", "s:e@c&r"
FROM, TO = "alice@example.test", "bob@example.test"
NOW = int(time.time())
GOOD = {"active": True, "username": "alice", "email": "Alice@Example.Test", "scope": "openid mail", "aud": ["x", "barid"],
        "exp": NOW + 3600, "nbf": NOW - 60, "sub": "4711"}
TOKENS = {
    "good": GOOD,
    "ended": dict(GOOD, exp=NOW - 1),
    "early": dict(GOOD, nbf=NOW + 600),
    "inactive": {"active": False, "username": "alice"},
    "bobs": dict(GOOD, username="bob", email="bob@example.test"),
    "elsewhere": dict(GOOD, email="alice@elsewhere.test", username="alice@elsewhere.test"),
    "narrow": dict(GOOD, scope="openid mailing"),
    "others": dict(GOOD, aud="y"),
    "nobodys": {k: v for k, v in GOOD.items() if k not in ("username", "email")},
    "odd": dict(GOOD, username="al\nice", email="al\nice"),
    "plain": GOOD, "html": b"<html>", "empty": b"", "list": [GOOD], "huge": b" " * 1000000, "word": dict(GOOD, active="true"),
    "twice": b'{"active":false,"active":true,"username":"alice","email":"alice@example.test"}',
}


class Introspection(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        got = dict(urllib.parse.parse_qsl(form, strict_parsing=True))
        kind, _, user = base64.b64decode(self.headers["Authorization"].partition(" ")[2]).decode().partition(":")
        if [urllib.parse.unquote(kind), urllib.parse.unquote(user)] != [CLIENT, SECRET]:
            self.answer(401, {"error": "invalid_client"})
            return
        assert got["token_type_hint"] == "access_token"
        token = got["token"].partition("+")[0]
        if token.isdigit():
            self.answer(int(token), GOOD)
        elif token == "slow":
            self.server.wait.wait(30)
            self.close_connection = True
        elif token == "beside":
            self.server.beside.append(self.server.still_open())
            self.answer(200, GOOD)
        else:
            self.answer(200, TOKENS.get(token, {"active": False}), "text/plain" if token == "plain" else "application/json")

    def answer(self, code, body, kind="application/json"):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *args):
        pass


def serve(folder):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Introspection)
    server.daemon_threads = True
    server.handle_error = lambda *args: None
    server.wait = threading.Event()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate(folder))
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


# ---- one login ------------------------------------------------------------------------------


def message(mechanism, user, token):
    if mechanism == "XOAUTH2":
        text = f"user={user}\1auth=Bearer {token}\1\1"
    else:
        text = f"n,{'a=' + user if user else ''},\1host=localhost\1auth=Bearer {token}\1\1"
    return base64.b64encode(text.encode()).decode()


def refusal(answer, mechanism):
    """RFC 7628 3.2.2."""
    said = json.loads(base64.b64decode(answer.split(b" ", 1)[1]))
    assert said == {"status": "401" if mechanism == "XOAUTH2" else "invalid_token", "schemes": "bearer"}, said
    return "" if mechanism == "XOAUTH2" else base64.b64encode(b"\1").decode()


def smtp(b, mechanism, user, token, initial=True):
    with Wire(b.port["submissions"], True) as w:
        w.reply()
        assert b"XOAUTH2 OAUTHBEARER" in w.smtp("EHLO client.test")
        text = message(mechanism, user, token)
        if initial:
            answer = w.smtp(f"AUTH {mechanism} {text}")
        else:
            assert w.smtp("AUTH " + mechanism) == b"334 "
            answer = w.smtp(text)
        heard = answer.startswith(b"334 ")
        if heard:
            answer = w.smtp(refusal(answer, mechanism))
        got = {b"235 2.7.0": YES, b"535 5.7.8": NO, b"454 4.7.0": LATER}[answer[:9]]
        assert heard == (got == NO), answer
        return got


def pop3(b, mechanism, user, token):
    with Wire(b.port["pop3s"], True) as w:
        w.line()
        w.send(f"AUTH {mechanism}\r\n")
        assert w.line() == b"+ "
        answer = w.cmd(message(mechanism, user, token))
        if answer.startswith(b"+ "):
            answer = w.cmd(refusal(answer, mechanism))
        for start, what in ((b"+OK ", YES), (b"-ERR [AUTH] ", NO), (b"-ERR [SYS/TEMP] ", LATER)):
            if answer.startswith(start):
                w.cmd("QUIT")
                assert w.line() is None
                return what
        raise AssertionError(answer)


def expect(b, want, user, token):
    for mechanism in ("XOAUTH2", "OAUTHBEARER"):
        for way in (smtp, pop3):
            got = way(b, mechanism, user, token)
            assert got == want, (mechanism, way.__name__, user, token, got)


# ---- the tests ----------------------------------------------------------------------------------


def judged(b, server):
    expect(b, YES, "alice", "good")
    expect(b, YES, "alice@example.test", "good")
    for token in ("ended", "early", "inactive", "bobs", "elsewhere", "narrow", "others", "nobodys", "odd", "none"):
        assert smtp(b, "XOAUTH2", "alice", token) == NO, token
    expect(b, NO, "bob", "good")
    assert smtp(b, "OAUTHBEARER", "", "good") == YES and smtp(b, "OAUTHBEARER", "alice", "good", False) == YES
    assert "sasl_username=Alice" in b.log() and "method=OAUTHBEARER, ip=127.0.0.1" in b.log()
    # It says something else, or nothing that could be understood.
    for token in ("plain", "html", "empty", "list", "huge", "word", "twice", "500", "401", "302", "204"):
        assert smtp(b, "OAUTHBEARER", "alice", token) == LATER, token
    # Others go on while one waits.
    with Wire(b.port["submissions"], True) as w:
        w.reply()
        w.smtp("EHLO client.test")
        w.send("AUTH XOAUTH2 " + message("XOAUTH2", "alice", "slow") + "\r\n")
        expect(b, YES, "alice", "good")
        server.wait.set()
        assert w.reply().startswith(b"454 4.7.0")
    # The password is not a token, and no token is a password.
    with Wire(b.port["submissions"], True) as w:
        w.reply()
        w.smtp("EHLO client.test")
        assert w.smtp("AUTH PLAIN " + base64.b64encode(b"\0alice\0good").decode()).startswith(b"535 ")
        assert w.smtp("AUTH PLAIN " + base64.b64encode(b"\0alice\0barid").decode()).startswith(b"235 ")


def broken_off(b):
    """Who breaks off where a token is refused, or hangs up, has tried one; who sent none has asked where to get one."""
    def tried():
        return [b.log().count(f"{line}alice") for line in
                ("SASL XOAUTH2 authentication failed: authentication failure, sasl_username=", "LOGIN FAILED, user=")]

    def wrong(service, greets, word, last):
        """What is said to WORD, which is said to the refusal; None: it hangs up there."""
        with Wire(b.port[service], True) as w:
            assert w.reply().startswith(greets) if service == "submissions" else w.line().startswith(greets)
            if service == "submissions":
                w.smtp("EHLO client.test")
            w.send("AUTH XOAUTH2 " + message("XOAUTH2", "alice", last) + "\r\n")
            assert w.line().startswith((b"334 ", b"+ "))
            return word and w.cmd(word)

    before = tried()
    for service, greets, no, cancelled in (("submissions", b"220 ", b"535 5.7.8", b"501 5.7.0"),
                                           ("pop3s", b"+OK", b"-ERR [AUTH] ", b"-ERR you broke it off")):
        for word in ("*", "!", "x" * 20000):
            assert wrong(service, greets, word, "none").startswith(no), word
        wrong(service, greets, None, "none")
        assert wrong(service, greets, "*", "").startswith(cancelled)
    wait_for("all tries", lambda: tried() == [n + 4 for n in before])


def one_hangs(b, server, write, good):
    """The next one is asked beside one that says nothing, not when that one's time is over."""
    with Silent() as silent:
        def still_open():
            with silent.sock.accept()[0] as c, contextlib.suppress(BlockingIOError):
                c.setblocking(False)
                while c.recv(65536):
                    pass
                return False
            return True
        server.beside, server.still_open = [], still_open
        b.stop()
        write(b, good.replace(f":{server.server_port}/", f":{silent.port}/") + f'", "{good}', "40s")
        b.start()
        assert smtp(b, "XOAUTH2", "alice", "beside") == YES
        assert server.beside == [True], server.beside
        b.stop()
        write(b, good)
        b.start()


def by_programs(b):
    """curl and msmtp."""
    ca = b.dir + "/localhost.pem"
    data = f"From: {FROM}\nTo: {TO}\nSubject: by a token\n\nHello.\n".encode()
    for mechanism, service in (("XOAUTH2", "pop3s"), ("OAUTHBEARER", "pop3s")):
        run("curl", "-sS", "--cacert", ca, "--user", "alice", "--oauth2-bearer", "good", "--login-options",
            f"AUTH={mechanism}", f"pop3s://localhost:{b.port[service]}/")
    for mechanism in ("XOAUTH2", "OAUTHBEARER"):
        run("curl", "-sS", "--cacert", ca, "--user", "alice", "--oauth2-bearer", "good", "--login-options",
            f"AUTH={mechanism}", "--mail-from", FROM, "--mail-rcpt", TO, "--upload-file", "-",
            f"smtps://localhost:{b.port['submissions']}/client.test", data=data.replace(b"\n", b"\r\n"))
        run("curl", "-sS", "--cacert", ca, "--user", "alice", "--oauth2-bearer", "bad", "--login-options",
            f"AUTH={mechanism}", "--mail-from", FROM, "--mail-rcpt", TO, "--upload-file", "-",
            f"smtps://localhost:{b.port['submissions']}/client.test", data=data, code=67)
    for mechanism in ("xoauth2", "oauthbearer"):
        conf = b.dir + "/msmtprc"
        with open(conf, "w") as f:
            os.fchmod(f.fileno(), 0o600)
            f.write(f"account default\nhost localhost\nport {b.port['submissions']}\nfrom {FROM}\nauth {mechanism}\n"
                    f"user alice\npassword good\ntls on\ntls_starttls off\ntls_trust_file {ca}\n")
        run("msmtp", "-C", conf, "--", TO, data=data, folder=b.dir)
    wait_for("four messages", lambda: len(b.mailbox("bob")) == 4)


def main():
    need("curl", "msmtp")
    with tempfile.TemporaryDirectory(prefix="barid-token-") as folder:
        os.chmod(folder, 0o755)
        server = serve(folder)
        who = urllib.parse.quote(CLIENT, "") + ":" + urllib.parse.quote(SECRET, "")
        url = f"localhost:{server.server_port}/introspect?user=email&scope=mail&audience=barid"
        extra = 'auth { mechanisms = {"PLAIN", "XOAUTH2", "OAUTHBEARER"}  failure-delay = 0s  timeout = 20s }\n' \
            f'tls {{ ca = "{folder}/localhost.pem" }}\ndns-override "localhost" {{ addresses = {{"127.0.0.1"}} }}\n'

        def write(b, url, timeout="20s"):
            b.write_conf(extra.replace("20s", timeout))
            text = b.read(b.conf).replace("backends = {", f'backends = {{"{url}", ')
            with open(b.conf, "w") as f:
                f.write(text)
        with Barid(extra=extra, start=False) as b:
            write(b, f"oauth://{who}@{url}", "2s")
            b.start()
            expect(b, LATER, "alice", "slow")
            b.stop()
            write(b, f"oauth://{who}@{url}")
            b.start()
            judged(b, server)
            broken_off(b)
            one_hangs(b, server, write, f"oauth://{who}@{url}")
            by_programs(b)
            shown = b.ctl("config").stdout + b.log()
            assert SECRET not in shown and urllib.parse.quote(SECRET, "") not in shown and "oauth://mail%20server:" in shown
            # Barid's own password is wrong; the server is gone.
            write(b, f"oauth://{who}x@{url}")
            b.reload()
            wait_for("the new password", lambda: smtp(b, "XOAUTH2", "alice", "good") == LATER)
            server.shutdown()
            server.server_close()
            expect(b, LATER, "alice", "good")


main()
