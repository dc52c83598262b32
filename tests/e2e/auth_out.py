# SPDX-License-Identifier: GPL-3.0-or-later
"""Logging in at a smarthost: every mechanism, with servers of ours and with Dovecot's."""
import base64
import hashlib
import hmac
import http.server
import json
import os
import pwd
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from authtest import hmac_state  # noqa: E402
from baridtest import ROOT, Sink, USER, certificate, free_port, need, smarthost, wait_for  # noqa: E402

SLOW = "queue { runners = 1 retry = {1h} idle-connection = 200ms }\n"
QUICK = "queue { runners = 1 retry = {1s} idle-connection = 200ms }\n"
SENDER, RCPT = "alice@example.test", "carol@far.example"
TEXT = ("From: alice@example.test\r\nTo: carol@far.example\r\nSubject: x\r\n"
        "Date: Fri, 20 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@example.test>\r\n\r\nhello\r\n").encode()
USERNAME, SECRET = "us,er=x", "pa ss\u00e9"
LOGIN = f'user = "{USERNAME}" password = "{SECRET}"'


class Folder:
    """A folder that barid may read."""

    def __enter__(self):
        self.path = tempfile.mkdtemp()
        os.chmod(self.path, 0o755)
        return self.path

    def __exit__(self, *exc):
        shutil.rmtree(self.path, ignore_errors=True)


def put(path, text):
    with open(path + ".tmp", "w", encoding="utf-8") as f:
        f.write(text)
    if ROOT:
        shutil.chown(path + ".tmp", USER)
    os.chmod(path + ".tmp", 0o600)
    os.rename(path + ".tmp", path)


def sink(d, mechanisms, *args, rules=()):
    cert, key = certificate(d)
    return Sink("--tls-cert", cert, "--tls-key", key, "--require-auth", *args, "--caps",
                f"PIPELINING,STARTTLS,8BITMIME,AUTH {mechanisms}", rules=rules)


def used(facts):
    return [line.split()[1] for line in facts["lines"] if line.startswith("AUTH ")]


def passwords():
    """Each mechanism alone, and the best of several; a binding that the server computes for itself."""
    with Folder() as d:
        for offered, options, want in (
                ("PLAIN", "", ["PLAIN"]), ("LOGIN", "", ["LOGIN"]), ("CRAM-MD5", "", ["CRAM-MD5"]),
                ("SCRAM-SHA-256", "", ["SCRAM-SHA-256"]),
                ("PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256", "", ["SCRAM-SHA-256"]),
                ("PLAIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS", "", ["SCRAM-SHA-256-PLUS"]),
                ("PLAIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS", 'auth = {"plain", "SCRAM-SHA-256"}', ["SCRAM-SHA-256"]),
                ("CRAM-MD5 PLAIN LOGIN", 'auth = {"LOGIN"}', ["LOGIN"]),
                ("PLAIN CRAM-MD5 CRAM-SHA1 CRAM-SHA256 CRAM-SHA512", "", ["CRAM-SHA512"]),
                ("CRAM-SHA512 CRAM-SHA256 CRAM-SHA1 CRAM-MD5", 'auth = {"CRAM-MD5", "cram-sha1"}', ["CRAM-SHA1"])):
            with sink(d, offered, "--auth", f"{USERNAME}:{SECRET}") as s, \
                    smarthost(("127.0.0.1", s.port, f"{LOGIN} {options}"), extra=SLOW) as b:
                b.send(SENDER, [RCPT], TEXT)
                m = s.messages(1)[0]
                assert m["auth"] == USERNAME and m["tls"] and used(m) == want, (offered, m)
                b.empty()
                assert SECRET not in b.log()


def refusals():
    """A login that fails is our configuration's fault: mail waits, and nothing weaker is tried."""
    with Folder() as d:
        for offered, options, words in (
                ("SCRAM-SHA-256 PLAIN", "", "535"),
                ("SCRAM-SHA-256-PLUS PLAIN", "", "535"),
                ("PLAIN", 'auth = {"SCRAM-SHA-256"}', "no AUTH mechanism that we can use"),
                ("GSSAPI", "", "no AUTH mechanism that we can use")):
            with sink(d, offered, "--auth", f"{USERNAME}:another") as s, \
                    smarthost(("127.0.0.1", s.port, f"{LOGIN} {options}"), extra=SLOW) as b:
                b.send(SENDER, [RCPT], TEXT)
                b.deferred(words)
                b.stop()
                assert len([line for line in s.said() if line.startswith("AUTH ")]) <= 1, s.said()
                assert b.mailbox("alice") == []
        # Somebody who says yes to everything does not know the password.
        with sink(d, "SCRAM-SHA-256", "--auth", f"{USERNAME}:{SECRET}", rules=["AUTH=235 2.7.0 welcome"]) as s, \
                smarthost(("127.0.0.1", s.port, LOGIN), extra=SLOW) as b:
            b.send(SENDER, [RCPT], TEXT)
            b.deferred("without the server's proof")
            assert s.messages() == []


def tokens():
    """RFC 7628 and XOAUTH2: a token from a file, which is read again when it has changed."""
    with Folder() as d:
        path = f"{d}/token"
        option = f'user = "{USERNAME}" token = "file:{path}"'
        for mech in ("XOAUTH2", "OAUTHBEARER"):
            name = USERNAME if mech == "XOAUTH2" else USERNAME.replace("=", "=3D").replace(",", "=2C")
            put(path, "old\n")
            with sink(d, f"PLAIN {mech}", "--auth", f"{name}:{SECRET}", "--token", "ya29.good-Token_x~+/=") as s, \
                    smarthost(("127.0.0.1", s.port, option), extra=QUICK) as b:
                b.send(SENDER, [RCPT], TEXT)
                # What the server says of it is in the log, as JSON.
                line = b.deferred("535")
                assert '"status":"401"' in line.replace("\\", ""), line
                put(path, "ya29.good-Token_x~+/=\n")
                m = s.messages(1)[0]
                assert used(m) == [mech] and m["auth"] == name, m
                b.empty()
                bad = [f for c in s.connections() for f in c["faults"]]
                assert not bad and "ya29" not in b.log(), bad
        with sink(d, "XOAUTH2", "--auth", f"{USERNAME}:x", "--token", "t") as s, \
                smarthost(("127.0.0.1", s.port, option), extra=QUICK) as b:
            for n, (text, words) in enumerate((("", "holds no token"), ("a b", "holds no token"),
                                               ("x" * 9000, "File too large"), (None, "No such file"))):
                if text is None:
                    os.unlink(path)
                else:
                    put(path, text)
                to = f"n{n}@far.example"
                b.send(SENDER, [to], TEXT)
                wait_for(f"{to} to be put off", lambda to=to, words=words: any(
                    f"to=<{to}>" in line and words in line for line in b.log().split("\n") if "status=deferred" in line))
            put(path, "t")
            b.empty()
            assert len(s.messages()) == 4


def secrets():
    """FEATURES A3, A22, A23, A24, A25: a secrets file of E-MailRelay, with plain, hashed and prepared secrets by selector."""
    plain = f"{USERNAME.replace('=', '+3D')} {SECRET.replace(' ', '+20').replace(chr(0xe9), '+C3+A9')}"
    coded = " ".join(base64.b64encode(x.encode()).decode() for x in (USERNAME, SECRET))
    # What emailrelay-passwd makes: the state of HMAC-MD5, here by way of Dovecot, whose halves are the other way round.
    state = subprocess.run(["doveadm", "pw", "-s", "CRAM-MD5", "-p", SECRET], capture_output=True, text=True, check=True)
    outer_inner = bytes.fromhex(state.stdout.strip().partition("}")[2])
    hashed = base64.b64encode(outer_inner[16:] + outer_inner[:16]).decode()
    states = {x: base64.b64encode(hmac_state(x, SECRET)).decode() for x in ("sha1", "sha256")}
    prepared = base64.b64encode(f"user={USERNAME}\1auth=Bearer good\1\1".encode()).decode()
    name = USERNAME.replace("=", "+3D")
    lines = (f"# ours\nserver plain alice wonder\nclient plain {plain}\nclient plain:b {coded} coded\n"
             f"client md5 {name} {hashed} hashed\nclient sha1 {name} {states['sha1']} hashed\n"
             f"client sha256 {name} {states['sha256']} hashed\n"
             f"client oauth:b {coded.split()[0]} {prepared} token\nclient plain:b = = open\n")
    with Folder() as d:
        path = f"{d}/secrets"
        put(path, lines)
        for selector, offered, want in (("", "PLAIN", "PLAIN"), ("coded", "PLAIN SCRAM-SHA-256", "SCRAM-SHA-256"),
                                        ("hashed", "PLAIN CRAM-MD5 LOGIN", "CRAM-MD5"),
                                        ("hashed", "PLAIN CRAM-SHA1 CRAM-SHA512 CRAM-MD5", "CRAM-SHA1"),
                                        ("hashed", "CRAM-SHA256 CRAM-SHA1", "CRAM-SHA256"),
                                        ("token", "PLAIN XOAUTH2", "XOAUTH2")):
            option = f'secrets = "{path}"' + (f' selector = "{selector}"' if selector else "")
            with sink(d, offered, "--auth", f"{USERNAME}:{SECRET}", "--token", "good") as s, \
                    smarthost(("127.0.0.1", s.port, option), extra=SLOW) as b:
                b.send(SENDER, [RCPT], TEXT)
                m = s.messages(1)[0]
                assert m["auth"] == USERNAME and m["tls"] and used(m) == [want], (selector, m)
                b.empty()
                assert SECRET not in b.log()
        # Deliberately without a login; and what is wrong is said, and mended without a word to barid.
        cert, key = certificate(d)
        with Sink("--tls-cert", cert, "--tls-key", key, "--caps", "STARTTLS,AUTH PLAIN") as s, \
                smarthost(("127.0.0.1", s.port, f'secrets = "{path}" selector = "open"'), extra=QUICK) as b:
            b.send(SENDER, [RCPT], TEXT)
            assert used(s.messages(1)[0]) == []
            # What is open would be used again.
            s.connections(1)
            for text, words in (("client plain me secret\n", "nothing for a client with the selector open"),
                                ("client plain:b me = open\n", f"{path}:1: this line has a user that cannot be read"),
                                ("client plain a b open\nclient plain c d open\n",
                                 f"{path}:2: this line has another user")):
                put(path, text)
                b.send(SENDER, [RCPT], TEXT)
                b.deferred(words)
            os.unlink(path)
            b.send(SENDER, [RCPT], TEXT)
            b.deferred("cannot read the secrets")
            put(path, lines)
            b.empty()
            assert len(s.messages()) == 5


class Giver:
    """Gives tokens for a refresh token (RFC 6749 6) over HTTPS; WORKS says whether it does."""

    def __init__(self, cert, key):
        self.asked, self.works = [], True
        giver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                form = self.rfile.read(int(self.headers["Content-Length"])).decode()
                giver.asked.append(urllib.parse.parse_qs(form))
                if giver.works:
                    answer = {"access_token": f"token-{len(giver.asked)}", "token_type": "Bearer", "expires_in": 3600}
                else:
                    answer = {"error": "invalid_grant", "error_description": "it was revoked"}
                body = json.dumps(answer).encode()
                self.send_response(200 if giver.works else 400)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.server.shutdown()
        self.server.server_close()


def given():
    """A token by way of barid-http: one for all; and why there is none, where there is none."""
    with Folder() as d:
        cert, key = certificate(d, "giver")
        conf = f'tls {{ ca = "{cert}" }}\n'
        with Giver(cert, key) as g, sink(d, "XOAUTH2", "--auth", f"{USERNAME}:x", "--token", "token-1") as s:
            option = (f'user = "{USERNAME}" token = "refresh:https://localhost:{g.port}/token" client-id = "me"'
                      ' client-secret = "hush-1" refresh-token = "hush-2" ')
            with smarthost(("127.0.0.1", s.port, option), extra=SLOW + conf) as b:
                with b.smtp() as c:
                    for _ in range(5):
                        c.sendmail(SENDER, [RCPT], TEXT)
                s.messages(5)
                s.connections(1)
                b.send(SENDER, [RCPT], TEXT)
                s.messages(6)
                b.empty()
                assert len(g.asked) == 1 and g.asked[0]["refresh_token"] == ["hush-2"], g.asked
                assert "status=deferred" not in b.log() and "hush" not in b.log() and "token-" not in b.log()
            # Another barid is given token-2, which the server does not take: asked anew at once, but not again and
            # again.
            with smarthost(("127.0.0.1", s.port, option), extra=SLOW + conf) as b:
                b.send(SENDER, [RCPT], TEXT)
                line = b.deferred("no token for 127.0.0.1")
                assert "that was just given" in line and "dsn=4.7.0" in line, line
                assert len(g.asked) == 2
            g.works = False
            with smarthost(("127.0.0.1", s.port, option), extra=SLOW + conf) as b:
                b.send(SENDER, [RCPT], TEXT)
                line = b.deferred("no token for 127.0.0.1")
                assert "invalid_grant: it was revoked" in line, line
                assert len(s.messages()) == 6 and b.mailbox("alice") == []


# ---- a server that we did not write -------------------------------------------------------

def jwt(key, **claims):
    """RFC 7519, HS256."""
    def part(x):
        return base64.urlsafe_b64encode(x).rstrip(b"=")
    text = part(json.dumps({"alg": "HS256", "typ": "JWT"}).encode()) + b"." + part(json.dumps(claims).encode())
    return (text + b"." + part(hmac.digest(key, text, "sha256"))).decode()


class Dovecot:
    """A submission server of its own, which hands what it gets to a sink."""

    KEY = hashlib.sha256(b"a key").digest()

    def __init__(self, d, mechanisms, relay):
        self.port = free_port(["127.0.0.1"])
        self.log = f"{d}/dovecot.log"
        cert, key = certificate(d)
        # As nobody in particular where we are root, else as ourselves.
        user = "nobody" if ROOT else pwd.getpwuid(os.geteuid()).pw_name
        uid = pwd.getpwnam(user)
        os.makedirs(f"{d}/keys/default/HS256", exist_ok=True)
        with open(f"{d}/keys/default/HS256/default", "wb") as f:
            f.write(base64.b64encode(self.KEY))
        with open(f"{d}/passwd", "w", encoding="utf-8") as f:
            f.write(f"dave:{{PLAIN}}{SECRET}\n")
        with open(f"{d}/oauth2.conf", "w", encoding="utf-8") as f:
            f.write(f"introspection_mode = local\nusername_attribute = sub\n"
                    f"local_validation_key_dict = fs:posix:prefix={d}/keys/\n")
        with open(f"{d}/dovecot.conf", "w", encoding="utf-8") as f:
            f.write(f"""base_dir = {d}/run
state_dir = {d}/state
log_path = {self.log}
protocols = submission
listen = 127.0.0.1
hostname = dovecot.test
ssl = yes
ssl_cert = <{cert}
ssl_key = <{key}
auth_mechanisms = {mechanisms}
auth_verbose = yes
auth_failure_delay = 0
submission_relay_host = 127.0.0.1
submission_relay_port = {relay}
submission_relay_ssl = no
submission_relay_trusted = no
mail_location = maildir:{d}/mail
first_valid_uid = 1
last_valid_uid = 0
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service submission-login {{
  inet_listener submission {{
    port = {self.port}
  }}
  inet_listener submissions {{
    port = 0
  }}
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {d}/oauth2.conf
}}
passdb {{
  driver = passwd-file
  args = {d}/passwd
}}
userdb {{
  driver = static
  args = uid={uid.pw_uid} gid={uid.pw_gid} home={d}/home
}}
""")
            if not ROOT:
                f.write(f"default_login_user = {user}\ndefault_internal_user = {user}\n"
                        f"service anvil {{\n  chroot =\n}}\nservice submission-login {{\n  chroot =\n}}\n")
        os.makedirs(f"{d}/home", exist_ok=True)
        os.makedirs(f"{d}/mail", exist_ok=True)
        if ROOT:
            shutil.chown(f"{d}/home", user)
            shutil.chown(f"{d}/mail", user)
        self.process = subprocess.Popen(["dovecot", "-F", "-c", f"{d}/dovecot.conf"], stdin=subprocess.DEVNULL)
        wait_for("dovecot", lambda: os.path.exists(f"{d}/run/master.pid") or self.process.poll() is not None)

    def __enter__(self):
        return self

    def __exit__(self, kind, *exc):
        self.process.terminate()
        self.process.wait()
        if kind:
            with open(self.log, encoding="utf-8", errors="replace") as f:
                print("---- dovecot\n" + f.read()[-4000:])


def dovecot():
    """SCRAM, CRAM-MD5, PLAIN, LOGIN, XOAUTH2 and OAUTHBEARER with Dovecot's submission server."""
    need("dovecot")
    passwords, token = ("SCRAM-SHA-256", "CRAM-MD5", "PLAIN", "LOGIN"), ("XOAUTH2", "OAUTHBEARER")
    with Folder() as d, Sink("--caps", "PIPELINING,8BITMIME,SIZE 1000000") as s, \
            Dovecot(d, " ".join(passwords + token).lower(), s.port) as v:
        now, count = int(time.time()), 0
        put(f"{d}/good", jwt(Dovecot.KEY, sub="dave", iat=now - 10, exp=now + 3600))
        put(f"{d}/bad", jwt(b"another key", sub="dave", iat=now - 10, exp=now + 3600))
        for mech in passwords + token:
            proof = ('password = "%s"', SECRET, "wrong") if mech in passwords else \
                (f'token = "file:{d}/%s"', "good", "bad")
            for right in (True, False):
                option = f'user = "dave" auth = {{"{mech}"}} ' + proof[0] % (proof[1] if right else proof[2])
                with smarthost(("127.0.0.1", v.port, option), extra=SLOW) as b:
                    with b.smtp() as c:
                        for _ in range(3):
                            c.sendmail(SENDER, [RCPT], TEXT)
                    if not right:
                        b.deferred("535")
                        assert b.mailbox("alice") == []
                        continue
                    count += 3
                    assert s.messages(count)[-1]["text"].endswith(b"\r\n\r\nhello\r\n")
                    b.empty()
        assert len(s.messages()) == count


def main():
    for test in (passwords, refusals, tokens, secrets, given, dovecot):
        if len(sys.argv) > 1 and test.__name__ not in sys.argv[1:]:
            continue
        start = time.monotonic()
        test()
        print(f"{test.__name__}: {time.monotonic() - start:.1f} s", flush=True)


main()
