"""Measures how long the prompt takes to show what keys ask for, from the key to the screen.

Usage: prompt.py VIRHAI DOMAINS ROUNDS. Prints a name and the seconds of each round, tab-separated,
in a line each: the first prompt of a session, a letter that is typed, the members of a domain, and
names of domains on a host with that many, asked for anew in every round.
"""
import os
import pty
import select
import sys
import tempfile
import time

virhai, count, rounds = os.path.abspath(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
DROP = b"\x05\x15"


class Prompt:
    def __init__(self, uri, home):
        environment = {"HOME": home, "PATH": os.environ["PATH"], "TERM": "xterm", "NO_COLOR": "1"}
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execve(virhai, [virhai, "-q", "-c", uri], environment)
        self.shows(b"", b"> ")

    def shows(self, keys, text):
        """Types `keys` and waits until `text` has been shown; answers how long that took."""
        began = time.perf_counter()
        os.write(self.terminal, keys)
        shown = b""
        while text not in shown:
            shown += os.read(self.terminal, 65536)
        return time.perf_counter() - began

    def ends(self):
        os.write(self.terminal, DROP + b"exit()\r")
        try:
            while os.read(self.terminal, 65536):
                pass
        except OSError:
            pass  # as Linux tells that nobody holds the terminal any more
        os.close(self.terminal)
        os.waitpid(self.pid, 0)

    def anew(self):
        """Runs an input, after which nothing is known of the host, on an empty line."""
        self.shows(DROP + b"print(6 * 7)\r", b"\n42")
        # All that is still drawn is no answer to the next key.
        while select.select([self.terminal], [], [], 0.05)[0]:
            os.read(self.terminal, 65536)


def host(scratch):
    domain = "<domain type='test'><name>guest-{}</name><memory>1024</memory><os><type>hvm</type></os></domain>"
    path = os.path.join(scratch, "node.xml")
    with open(path, "w") as file:
        file.write("<node>" + "".join(domain.format(n) for n in range(count)) + "</node>")
    return f"test://{path}"


with tempfile.TemporaryDirectory(prefix="vh", dir="/tmp") as scratch:
    prompt = Prompt(host(scratch), scratch)
    prompt.shows(b"let dom = conn.lookup_by_name(\"guest-0\")\r", b"> ")
    # What can be called is read beside the first keys.
    prompt.shows(b"dom.snapshot_num\t", b"snapshot_num(")
    for _ in range(rounds):
        samples = {}
        began = time.perf_counter()
        other = Prompt("test:///default", scratch)
        samples["the first prompt"] = time.perf_counter() - began
        other.ends()
        prompt.anew()
        samples["a letter"] = prompt.shows(b"x", b"x")
        prompt.anew()
        prompt.shows(b"dom.is_", b"is_")
        samples["members of a domain"] = prompt.shows(b"\t", b"is_updated()")
        prompt.anew()
        prompt.shows(b"conn.lookup_by_name(\"guest-4", b"guest-4")
        samples[f"names among {count} domains"] = prompt.shows(b"\t", b"guest-499")
        for name, seconds in samples.items():
            print(f"{name}\t{seconds}")
    prompt.ends()
