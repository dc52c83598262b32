# SPDX-License-Identifier: GPL-3.0-or-later
"""accounttest -- accounts of a test's own on this host, which nobody else sees.

    homes = alone(("joe", "ann"))       # begins the test again, in a mount namespace
    try:
        ...                             # f"{homes}/joe" is the home directory of joe, whose uid is UID
    finally:
        over(homes)
"""
import crypt
import os
import shutil
import subprocess
import sys
import tempfile

from baridtest import ROOT, skip

UID = 12001


def alone(accounts, password=None):
    """Goes on where /etc/passwd has ACCOUNTS, and with PASSWORD /etc/shadow, too; the folder of their homes."""
    if not ROOT:
        skip("accounts of its own need root")
    if "BARID_ALONE" not in os.environ:
        os.environ["BARID_ALONE"] = tempfile.mkdtemp(prefix="barid-homes-")
        os.execvp("unshare", ["unshare", "-m", sys.executable, *sys.argv])
    homes = os.environ["BARID_ALONE"]
    os.chmod(homes, 0o755)
    with open("/etc/passwd", encoding="utf-8") as f:
        passwd = f.read()
    with open("/etc/shadow", encoding="utf-8") as f:
        shadow = f.read()
    salt = crypt.mksalt(crypt.METHOD_SHA512, rounds=1000)
    for n, name in enumerate(accounts):
        os.mkdir(f"{homes}/{name}")
        os.chown(f"{homes}/{name}", UID + n, UID + n)
        passwd += f"{name}:x:{UID + n}:{UID + n}::{homes}/{name}:/bin/sh\n"
        if password:
            shadow += f"{name}:{crypt.crypt(password, salt)}:19000:0:99999:7:::\n"
    for name, text, mode in (("passwd", passwd, 0o644), ("shadow", shadow, 0o600)):
        with open(f"{homes}/{name}", "w", encoding="utf-8") as f:
            os.fchmod(f.fileno(), mode)
            f.write(text)
        if subprocess.run(["mount", "--bind", f"{homes}/{name}", f"/etc/{name}"], check=False).returncode != 0:
            over(homes)
            skip("nothing can be mounted here")
    return homes


def over(homes):
    for name in ("passwd", "shadow"):
        subprocess.run(["umount", f"/etc/{name}"], check=False, stderr=subprocess.DEVNULL)
    shutil.rmtree(homes)
