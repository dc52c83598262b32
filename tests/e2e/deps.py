# SPDX-License-Identifier: GPL-3.0-or-later
"""`make deps` where it may not install: it prints the command that does, whole, and fails."""
import os
import subprocess
import tempfile

DEPS = os.environ["BARID_SRC"] + "/src/build/deps.sh"
COMMAND = "apt-get update && {0}apt-get install -y --no-install-recommends gcc make autoconf"


def deps(what="build", **programs):
    """Runs it with stand-ins for the programs that it asks; its exit code and what it said."""
    with tempfile.TemporaryDirectory() as d:
        for name, text in programs.items():
            path = f"{d}/{name.replace('_', '-')}"
            with open(path, "w") as f:
                f.write("#!/bin/sh\n" + text)
            os.chmod(path, 0o755)
        r = subprocess.run(["/bin/sh", DEPS, what], env={"PATH": d}, capture_output=True, text=True, timeout=20)
        return r.returncode, r.stdout, r.stderr


NONE = "exit 1\n"               # dpkg-query: nothing is installed
ALICE, ROOT = "echo 1000\n", "echo 0\n"


def told(result, sudo):
    code, _, err = result
    assert code != 0 and "Missing packages: gcc make" in err, result
    assert COMMAND.format("sudo " if sudo else "") in err and err.count("\n") == 2, result
    # It is a command as it stands: to the end, with every package.
    assert err.split("\n")[1].endswith("openssl"), result


assert deps(dpkg_query="echo installed\n", id=ALICE) == (0, "", "")
told(deps(dpkg_query=NONE, id=ALICE), False)
told(deps(dpkg_query=NONE, id=ALICE, sudo="exit 1\n"), True)
# It may, but the archive cannot be reached.
failing = "echo no network >&2; exit 100\n"
for who, sudo in ((ROOT, None), (ALICE, '[ "$1" = -n ] && exit 0; exec "$@"\n')):
    programs = dict(dpkg_query=NONE, id=who, apt_get=failing)
    if sudo:
        programs["sudo"] = sudo
    code, out, err = deps(**programs)
    assert code != 0 and out.startswith("Installing: gcc make"), (code, out, err)
    assert err.startswith("no network\n"), err
    told((code, out, err.replace("no network\n", "")), bool(sudo))
done = "exit 0\n"
code, out, err = deps(dpkg_query=NONE, id=ROOT, apt_get=done, env='shift; exit 0\n')
assert (code, err) == (0, ""), (code, out, err)
