#!/usr/bin/env python3
"""Set-up on machines that this one is not: with fake dpkg-query, apt-get, sudo and id on the PATH.

Each case runs ensure_packages of tools/packages.sh in a checkout of links, so nothing is
installed and nothing outside a temporary folder is written.
"""
import os
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEBIAN = 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'
UBUNTU = 'ID=ubuntu\nVERSION_ID="24.04"\nPRETTY_NAME="Ubuntu 24.04 LTS"\n'
FEDORA = 'ID=fedora\nVERSION_ID=41\nPRETTY_NAME="Fedora Linux 41"\n'


def needed_packages():
    rows = [line.split() for line in (ROOT / "requirements/packages.txt").read_text().splitlines()]
    return [r[0] for r in rows if r and not r[0].startswith("#") and r[1] == "build" and "optional" not in r[2:]]


def all_packages():
    rows = [line.split() for line in (ROOT / "requirements/packages.txt").read_text().splitlines()]
    return [r[0] for r in rows if r and not r[0].startswith("#")]


class Machine:
    def __init__(self, folder, release, installed, uid, sudo=None, python=True):
        self.folder, self.log = folder, folder / "log"
        (folder / "os-release").write_text(release)
        self.bin = folder / "bin"
        self.bin.mkdir()
        listing = "".join(f"echo '{name} ii '\n" for name in installed)
        self.command("dpkg-query", listing)
        self.command("apt-get", f'echo "apt-get $*" >> {self.log}\ncase "$*" in *broken*) exit 1;; esac')
        self.command("id", f'[ "$1" = -u ] && echo {uid} || echo users')
        if sudo is not None:
            self.command("sudo", f'[ "$1" = -n ] && shift\n{"exec" if sudo else "exit 1;"} "$@"')
        if not python:
            self.command("python3", "exit 1")

    def command(self, name, body):
        path = self.bin / name
        path.write_text("#!/bin/sh\n" + body + "\n")
        path.chmod(0o755)

    def packages(self, what="build", **extra):
        """Runs ensure_packages; returns (exit code, what it said, what apt-get was asked)."""
        only = {"PATH": f"{self.bin}:{self.folder}/tools", "REVEILLE_OS_RELEASE": str(self.folder / "os-release")}
        tools = self.folder / "tools"
        if not tools.exists():
            tools.mkdir()
            for tool in ("bash", "sh", "awk", "grep", "dirname", "env", "true", "python3"):
                found = next(d for d in ("/usr/bin", "/bin") if os.path.exists(f"{d}/{tool}"))
                (tools / tool).symlink_to(f"{found}/{tool}")
        script = f"source {ROOT}/tools/common.sh; source tools/packages.sh; source tools/python.sh; ensure_packages {what}"
        done = subprocess.run(["bash", "-c", script], env={**only, "HOME": str(self.folder), **extra},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        asked = self.log.read_text() if self.log.exists() else ""
        return done.returncode, done.stdout + done.stderr, asked


def machine(release, installed, uid, **more):
    return Machine(pathlib.Path(tempfile.mkdtemp(dir=SCRATCH)), release, installed, uid, **more)


def but(*names):
    return [n for n in all_packages() if n not in names]


def test_nothing_missing_asks_nothing():
    code, said, asked = machine(DEBIAN, all_packages(), 1000).packages("test")
    assert (code, asked) == (0, "") and "all there" in said, said


def test_root_installs_what_is_missing_only():
    code, said, asked = machine(DEBIAN, but("libzip-dev", "cmake"), 0).packages()
    assert code == 0 and "update" in asked, said
    assert "install -y --no-install-recommends cmake libzip-dev\n" in asked, asked
    assert "chromium" not in asked, "chromium is for tests"


def test_sudo_is_used_and_said():
    code, said, asked = machine(DEBIAN, but("cmake"), 1000, sudo=True).packages()
    assert code == 0 and "(sudo): cmake" in said and "cmake" in asked, said


def test_without_root_or_sudo_the_packages_are_named():
    for sudo in (None, False):
        code, said, asked = machine(DEBIAN, but("cmake", "libzip-dev", "mold"), 1000, sudo=sudo).packages()
        assert (code, asked) == (2, ""), (code, said)
        assert "apt-get install cmake libzip-dev" in said and "neither root nor sudo" in said, said


def test_without_root_optional_ones_are_no_reason_to_stop():
    code, said, _ = machine(DEBIAN, but("mold", "chromium"), 1000).packages("test")
    assert code == 0 and "going on without: mold chromium" in said, said


def test_empty_machine_needs_every_needed_one():
    code, said, _ = machine(DEBIAN, [], 1000, python=False).packages(REVEILLE_PYTHON="")
    missing = said.split("apt-get install ")[1].split()
    # A python of /usr/bin that can make environments is enough and need not be Debian's package.
    expected = [n for n in needed_packages() if n in missing or not n.startswith("python3")]
    assert code == 2 and missing == expected, said


def test_ubuntu_leaves_chromium_out():
    code, _, asked = machine(UBUNTU, but("chromium", "clang-tidy"), 0).packages("test")
    assert code == 0 and "clang-tidy" in asked and "chromium" not in asked, asked


def test_optional_package_that_cannot_be_installed():
    m = machine(DEBIAN, but("mold", "ccache"), 0)
    m.command("apt-get", f'echo "apt-get $*" >> {m.log}\ncase "$*" in *ccache*) exit 100;; esac')
    code, said, asked = m.packages()
    assert code == 0 and "going on without: ccache" in said and "mold" in asked, said


def test_needed_package_that_cannot_be_installed():
    m = machine(DEBIAN, but("cmake"), 0)
    m.command("apt-get", "exit 100")
    code, said, _ = m.packages()
    assert code == 2 and "could not install: cmake" in said, said


def test_other_systems_get_clear_words():
    code, said, _ = machine(FEDORA, [], 0).packages()
    assert code == 2 and "Fedora Linux 41" in said and "Debian 12 and Ubuntu 24.04" in said, said
    code, said, asked = machine(FEDORA, [], 0).packages(REVEILLE_SKIP_PACKAGES="1")
    assert (code, asked) == (0, ""), said


def main():
    global SCRATCH
    with tempfile.TemporaryDirectory() as SCRATCH:
        for name, test in list(globals().items()):
            if name.startswith("test_"):
                test()


if __name__ == "__main__":
    main()
