# SPDX-License-Identifier: GPL-3.0-or-later
"""dkimtest -- keys that mail is signed with, their records, and a verifier of DKIM and ARC that we did not write."""
import base64
import json
import os
import subprocess

from baridtest import run

# Debian's own, which has dkim, authres and dns.
PYTHON = "/usr/bin/python3"
BY_PYTHON = r"""
import dkim, dns.resolver, json, sys
r = dns.resolver.Resolver(configure=False)
r.nameservers, r.port = ["127.0.0.1"], int(sys.argv[1])
def txt(name, timeout=5):
    return b"".join(r.resolve(name.decode().rstrip("."), "TXT")[0].strings)
found = []
for path in sys.argv[2:]:
    message, good = open(path, "rb").read(), []
    for i in range(message.split(b"\r\n\r\n")[0].count(b"DKIM-Signature:")):
        try:
            good.append(dkim.DKIM(message).verify(idx=i, dnsfunc=txt))
        except Exception as e:
            good.append(str(e))
    found.append(good)
print(json.dumps(found))
"""
CHAINS = r"""
import dkim, dns.resolver, json, sys
r = dns.resolver.Resolver(configure=False)
r.nameservers, r.port = ["127.0.0.1"], int(sys.argv[1])
def txt(name, timeout=5):
    return b"".join(r.resolve(name.decode().rstrip("."), "TXT")[0].strings)
print(json.dumps([dkim.arc_verify(open(p, "rb").read(), dnsfunc=txt)[0].decode() for p in sys.argv[2:]]))
"""


def by_python(names, paths):
    return json.loads(run(PYTHON, "-c", BY_PYTHON, str(names.port), *paths))


def chains_by_python(names, paths):
    """Whether the seals of each message are good: "pass", "fail" or "none"."""
    return json.loads(run(PYTHON, "-c", CHAINS, str(names.port), *paths))


def make_key(path, kind):
    """Makes a private key; its record."""
    more = ["-pkeyopt", "rsa_keygen_bits:2048"] if kind == "rsa" else []
    run("openssl", "genpkey", "-algorithm", kind, *more, "-out", path)
    os.chmod(path, 0o600)
    der = subprocess.run(["openssl", "pkey", "-in", path, "-pubout", "-outform", "DER"], check=True, capture_output=True).stdout
    # RFC 8463 3: the 32 octets themselves.
    octets = der if kind == "rsa" else der[-32:]
    return f"v=DKIM1; k={kind}; p={base64.b64encode(octets).decode()}"


def make_key_for_others(path, kind, bits=2048):
    """Makes PATH as the libraries of Perl and Python want it, and PATH.pem; what its record has."""
    more = ["-pkeyopt", f"rsa_keygen_bits:{bits}"] if kind == "rsa" else []
    run("openssl", "genpkey", "-algorithm", kind, *more, "-out", path + ".pem")
    # The library of Perl reads the older form alone, that of Python the seed of Ed25519 in base64.
    if kind == "rsa":
        run("openssl", "rsa", "-traditional", "-in", path + ".pem", "-out", path)
    else:
        der = run("openssl", "pkey", "-in", path + ".pem", "-outform", "DER")
        with open(path, "wb") as f:
            f.write(base64.b64encode(der[-32:]))
    der = run("openssl", "pkey", "-in", path + ".pem", "-pubout", "-outform", "DER")
    return base64.b64encode(der if kind == "rsa" else der[-32:]).decode()


def zone(records, ttl=300):
    pieces = {name: " ".join(f'"{v[i:i + 255]}"' for i in range(0, len(v), 255)) for name, v in records.items()}
    return "".join(f"{name} {ttl} TXT {v}\n" for name, v in pieces.items())


def section(domain, selector, path, more=""):
    return f'dkim-sign "{domain}" {{ selector = "{selector}" key = "{path}" {more} }}\n'
