#!/usr/bin/python3
"""Measures virhai against C, virsh and libvirt-python, all in one run, and prints ratios.

Usage: run.py VIRHAI WORK_DIR [MEASUREMENT...]. The peers take turns, so that a busy moment hits all of them.
"""
import contextlib
import os
import pty
import pwd
import resource
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
virhai, work = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
os.makedirs(work, exist_ok=True)
c_peer = os.path.join(work, "peer")
subprocess.run(["gcc", "-O2", "-pthread", "-o", c_peer, f"{HERE}/peer.c", "-lvirt"], check=True)

PEERS = {
    "C": [c_peer],
    "virhai": [virhai, "run", f"{HERE}/calls.rhai"],
    "libvirt-python": ["/usr/bin/python3", f"{HERE}/peer.py"],
}


def run(command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options).stdout


def peak_kib(command):
    """The most memory that the process held, in KiB."""
    pid = os.posix_spawn(
        command[0], command, os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)],
    )
    _, status, usage = os.wait4(pid, 0)
    assert status == 0, command
    return usage.ru_maxrss


def table(title, unit, scale, samples, base):
    print(f"\n{title}")
    middle = {name: statistics.median(values) for name, values in samples.items()}
    for name, value in middle.items():
        print(f"  {name:24}{value * scale:10.2f} {unit}   {value / middle[base]:5.2f} x {base}")
    return middle


def in_turns(peers, rounds, measure):
    """The results of `measure` for each of `peers`, which take turns."""
    samples = {name: [] for name in peers}
    for _ in range(rounds):
        for name, peer in peers.items():
            samples[name].append(measure(peer))
    return samples


def seconds(command, **options):
    began = time.perf_counter()
    run(command, **options)
    return time.perf_counter() - began


def start_and_list(rounds=40):
    uri = "test:///default"
    commands = {name: peer + ["list", uri, "0"] for name, peer in PEERS.items()}
    commands["virsh"] = ["/usr/bin/virsh", "-c", uri, "list", "--all"]
    samples = in_turns(commands, rounds, seconds)
    table("start, and list test:///default", "ms", 1e3, samples, "C")
    peaks = {name: [peak_kib(command) for _ in range(3)] for name, command in commands.items()}
    table("peak memory of that", "MiB", 1 / 1024, peaks, "C")


def start_with_recipes(rounds=40):
    """Scripts that do nothing, without and with recipes that they could call."""
    path = os.path.join(work, "recipes.rhai")
    with open(path, "w") as file:
        for recipe in ("install", "clone", "migration"):
            file.write(f'import "std/{recipe}" as {recipe};\n')
    commands = {
        "virhai, no recipe": [virhai, "-e", ""],
        "virhai, three recipes": [virhai, "run", path],
        "virsh": ["/usr/bin/virsh", "-c", "test:///default", "list"],
    }
    samples = in_turns(commands, rounds, seconds)
    table("start of a script that imports recipes (to stay below 1.3 x)", "ms", 1e3, samples, "virsh")


def first_prompt(rounds=20):
    """From the start of the program to the first prompt, on a terminal."""
    uri = "test:///default"
    commands = {
        "virhai": ([virhai, "-c", uri], b"test> "),
        "virsh": (["/usr/bin/virsh", "-c", uri], b"virsh # "),
    }
    with tempfile.TemporaryDirectory(prefix="vh", dir="/tmp") as home:
        environment = {**os.environ, "HOME": home, "TERM": "xterm-256color", "NO_COLOR": "1"}
        environment.pop("XDG_STATE_HOME", None)

        def until_prompt(command, prompt):
            master, slave = pty.openpty()
            began = time.perf_counter()
            process = subprocess.Popen(
                command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
            )
            os.close(slave)
            shown = b""
            while prompt not in shown:
                shown += os.read(master, 4096)
            took = time.perf_counter() - began
            process.kill()
            process.wait()
            os.close(master)
            return took

        samples = in_turns(commands, rounds, lambda command: until_prompt(*command))
    table("start, to the first prompt on test:///default (to stay below 50 ms)", "ms", 1e3, samples, "virsh")


def calls(title, what, uri, count, rounds, domain=(), peers=PEERS, **options):
    arguments = [what, uri, str(count), *domain]
    samples = in_turns(peers, rounds, lambda peer: float(run(peer + arguments, **options)))
    table(title, "µs", 1e6, samples, "C")


def domain_of_10_kb():
    """A domain as libvirt writes it, with a CD-ROM drive as the last of many disks."""
    disk = (
        "    <disk type='file' device='{device}'>\n      <driver name='qemu' type='qcow2' cache='none'/>\n"
        "      <source file='/var/lib/libvirt/images/web-{n}.qcow2'/>\n      <target dev='vd{n}' bus='virtio'/>\n"
        "      <address type='pci' domain='0x0000' bus='0x00' slot='{n:#04x}' function='0x0'/>\n    </disk>\n"
    )
    disks = "".join(disk.format(device="disk" if n < 33 else "cdrom", n=n) for n in range(34))
    return (
        "<domain type='kvm'>\n  <name>web</name>\n  <memory unit='KiB'>1048576</memory>\n"
        f"  <os>\n    <type arch='x86_64'>hvm</type>\n  </os>\n  <devices>\n{disks}  </devices>\n</domain>\n"
    )


def xml(count=3000, rounds=9):
    text = domain_of_10_kb()
    peers = {
        "virhai": [virhai, "run", f"{HERE}/documents.rhai"],
        "lxml": ["/usr/bin/python3", f"{HERE}/documents.py"],
    }
    samples = in_turns(peers, rounds, lambda peer: float(run(peer + [str(count), text])))
    title = f"read {len(text) / 1000:.1f} kB of XML, change one value and write it"
    table(title, "µs", 1e6, samples, "lxml")


def guests(count=1000, rounds=3):
    peers = {
        "virhai": [virhai, "run", f"{HERE}/guests.rhai"],
        "libvirt-python": ["/usr/bin/python3", f"{HERE}/guests.py"],
    }
    samples = in_turns(peers, rounds, lambda peer: float(run(peer + [str(count)])))
    table(f"{count} guests defined and removed on the test driver", "s", 1, samples, "libvirt-python")


def events(count=10_000, rounds=9):
    """Events of a daemon's test driver that another program causes, from the first event to the last."""
    peers = {
        "virhai": [virhai, "run", f"{HERE}/events.rhai"],
        "libvirt-python": ["/usr/bin/python3", f"{HERE}/events.py"],
    }
    with session_daemon() as (socket, _, who):
        uri = f"test+unix:///default?socket={socket}"

        def delivered(peer):
            command = may_connect(uri, peer) + [uri, str(count)]
            taker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **who)
            assert taker.stdout.readline() == "ready\n"
            run([c_peer, "events", uri, str(count)], **who)
            seconds = float(taker.stdout.readline())
            _, status, usage = os.wait4(taker.pid, 0)
            assert status == 0, command
            return seconds, usage.ru_utime + usage.ru_stime

        samples = in_turns(peers, rounds, delivered)
    for title, part in ((f"{count:,} events taken, from the first to the last", 0), ("processor time of that", 1)):
        values = {name: [sample[part] for sample in of_peer] for name, of_peer in samples.items()}
        table(title, "ms", 1e3, values, "libvirt-python")


def long_script(lines=1000):
    """A script of many functions, most of which nothing calls."""
    function = (
        "fn restart_{n}(conn, options) {{\n    let dom = conn.lookup_by_name(options.name);\n"
        "    let before = dom.state();\n    if before == \"running\" {{\n        dom.stop(#{{ shutdown: \"2m\" }});\n"
        "    }}\n    for other in conn.list_all_domains(VIR_CONNECT_LIST_DOMAINS_ACTIVE) {{\n"
        "        print(`${{other.name}} has ${{other.info().memory_kib}} KiB`);\n    }}\n"
        "    let xml = parse_xml(dom.xml_desc(VIR_DOMAIN_XML_INACTIVE));\n"
        "    for disk in xml.select(\"devices/disk\") {{\n"
        "        if disk.get(\"@device\", \"disk\") == \"cdrom\" {{ disk.remove(\"source\"); }}\n    }}\n"
        "    try {{ conn.define_xml(xml); }} catch (err) {{ throw `${{dom.name}}: ${{err.message}}`; }}\n"
        "    dom.create(VIR_DOMAIN_START_PAUSED);\n    let console = dom.open_console();\n    dom.resume();\n"
        "    console.wait(options.up ?? \"login:\", \"1m\");\n    #{{ domain: dom, before: before }}\n}}\n"
    )
    each = function.count("\n")
    return "".join(function.format(n=n) for n in range(lines // each + 1))


def checked(rounds=20):
    path = os.path.join(work, "long.rhai")
    with open(path, "w") as file:
        file.write(long_script())
    commands = {
        "nothing at all": [virhai, "--no-check", "-e", ""],
        "run, unchecked": [virhai, "--no-check", "run", path],
        "run": [virhai, "run", path],
        "check": [virhai, "check", "-q", path],
    }
    samples = in_turns(commands, rounds, seconds)
    table("a script of 1,000 lines, started and done", "ms", 1e3, samples, "run, unchecked")


def typing(count=500, rounds=21):
    """From a key to what it shows: a prompt keeps nobody waiting who types."""
    samples = {}
    for line in run(["/usr/bin/python3", f"{HERE}/prompt.py", virhai, str(count), str(rounds)]).splitlines():
        name, seconds = line.split("\t")
        samples.setdefault(name, []).append(float(seconds))
    table("at the prompt, until it is shown", "ms", 1e3, samples, "a letter")


def ordinary_user():
    """What makes a process run as an ordinary user, as session daemons have to."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


@contextlib.contextmanager
def session_daemon(settings=""):
    """A daemon for this benchmark: its socket, its folder and its user."""
    with tempfile.TemporaryDirectory(prefix="vh", dir="/tmp") as scratch:
        who = ordinary_user()
        os.mkdir(f"{scratch}/libvirt")
        with open(f"{scratch}/libvirt/libvirtd.conf", "w") as file:
            file.write(settings)
        if who:
            for path in (scratch, f"{scratch}/libvirt"):
                os.chown(path, who["user"], who["group"])
        home = {name: scratch for name in ("HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")}
        daemon = subprocess.Popen(["libvirtd"], env={**os.environ, **home}, stderr=subprocess.DEVNULL, **who)
        try:
            socket = f"{scratch}/libvirt/libvirt-sock"
            while not os.path.exists(socket):
                time.sleep(0.05)
            yield socket, scratch, who
        finally:
            daemon.terminate()
            daemon.wait()


def session(socket):
    return f"qemu+unix:///session?socket={socket}"


def may_connect(uri, command):
    """`command`, allowed to connect to a socket if it is virhai."""
    return [virhai, "--allow-connect", uri, *command[1:]] if command[0] == virhai else command


def over_a_socket():
    """One domain that never runs."""
    with session_daemon() as (socket, _, who):
        uri = session(socket)
        xml = (
            "<domain type='qemu'><name>idle</name><memory unit='MiB'>32</memory>"
            "<os><type arch='x86_64' machine='pc'>hvm</type></os></domain>"
        )
        define = [virhai, "-e", "connect(args[0]).define_xml(args[1])", uri, xml]
        subprocess.run(may_connect(uri, define), check=True,
                       stdout=subprocess.DEVNULL, **who)
        # virhai keeps remote connections alive, which plain C and Python do not.
        peers = {name: may_connect(uri, peer) for name, peer in PEERS.items()}
        peers |= {"C, kept alive": ["/usr/bin/env", "KEEPALIVE=1", c_peer]}
        calls("2,000 dom.state() over a daemon's socket, each", "state", uri, 2000, 15, ["idle"], peers, **who)


def statistics_of_many(count=1000, rounds=9):
    """The statistics of many domains: in one call, and with one call for each domain."""
    peers = {
        "virhai": [virhai, "run", f"{HERE}/stats.rhai", "bulk"],
        "virhai, one by one": [virhai, "run", f"{HERE}/stats.rhai", "each"],
        "libvirt-python": ["/usr/bin/python3", f"{HERE}/stats.py", "bulk"],
        "libvirt-python, one by one": ["/usr/bin/python3", f"{HERE}/stats.py", "each"],
    }
    with session_daemon() as (socket, _, who):
        uri = session(socket)
        command = [virhai, "run", f"{HERE}/stats.rhai", "define", uri, str(count), domain_with_devices()]
        subprocess.run(may_connect(uri, command), check=True, **who)
        samples = in_turns(peers, rounds, lambda peer: float(run(may_connect(uri, peer) + [uri], **who)))
        table(f"the statistics of {count:,} domains over a daemon's socket", "ms", 1e3, samples, "libvirt-python")


def domain_with_devices():
    """A QEMU domain that never runs."""
    return (
        "<domain type='qemu'><name>NAME</name><memory unit='MiB'>32</memory><vcpu>2</vcpu>"
        "<os><type arch='x86_64' machine='pc'>hvm</type></os><devices>"
        "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/srv/NAME.img'/><target dev='vda' bus='virtio'/></disk>"
        "<interface type='user'><model type='virtio'/></interface></devices></domain>"
    )


def transfers(size=1 << 30, rounds=5):
    """Downloads and uploads a volume of 1 GB without holes; all data is in memory."""
    with session_daemon() as (socket, _, who), tempfile.TemporaryDirectory(prefix="vh", dir="/dev/shm") as folder:
        uri = session(socket)
        pool, local = f"{folder}/pool", f"{folder}/local.img"
        os.mkdir(pool)
        with open(f"{pool}/data.img", "wb") as file:
            for _ in range(size >> 20):
                file.write(os.urandom(1 << 20))
        if who:
            for path in (folder, pool, f"{pool}/data.img"):
                os.chown(path, who["user"], who["group"])
        xml = f"<pool type='dir'><name>bench</name><target><path>{pool}</path></target></pool>"
        create = [virhai, "-e", "connect(args[0]).storage_pool_create_xml(args[1])", uri, xml]
        subprocess.run(may_connect(uri, create), check=True, stdout=subprocess.DEVNULL, **who)
        vol = 'connect(args[0]).storage_pool_lookup_by_name("bench").storage_vol_lookup_by_name("data.img")'
        virsh = ["/usr/bin/virsh", "-q", "-c", uri]
        allowed = [virhai, "--allow-connect", uri, "--allow-read", folder, "--allow-write", folder]

        def took(command, path):
            # Replacing a file takes extra time.
            if path and os.path.exists(path):
                os.unlink(path)
            return seconds(command, **who)

        for what in ("download", "upload"):
            peers = {
                "virhai": [*allowed, "-e", f"{vol}.{what}_file(args[1])", uri, local],
                "virsh": [*virsh, f"vol-{what}", "data.img", local, "--pool", "bench"],
            }
            removed = local if what == "download" else None
            samples = in_turns(peers, rounds, lambda command: took(command, removed))
            table(f"{what} of a volume of {size / 1e9:.2f} GB", "s", 1, samples, "virsh")


def many_hosts(counts=(1, 50, 400), milliseconds=20, rounds=9):
    """Many slow hosts at the same time, and one of these hosts alone."""
    hosts = os.path.join(work, "hosts")
    subprocess.run(["gcc", "-O2", "-o", hosts, f"{HERE}/hosts.c"], check=True)
    programs = {
        "virhai": lambda uri, count: [virhai, "run", f"{HERE}/hosts.rhai", count, uri],
        "libvirt-python": lambda uri, count: ["/usr/bin/python3", f"{HERE}/hosts.py", count, uri],
        # The lower bound: libvirt alone, in a thread for each host.
        "C": lambda uri, count: [c_peer, "hosts", uri, count],
    }
    peers = {f"{name}, {count}": (program, count) for count in counts for name, program in programs.items()}
    with session_daemon() as (socket, scratch, who):
        far = f"{scratch}/far"

        def asked(peer):
            program, count = peer
            line = subprocess.Popen([hosts, far, socket, str(milliseconds / 2)], **who)
            try:
                while not os.path.exists(far):
                    time.sleep(0.01)
                command = may_connect(session(far), program(session(far), str(count)))
                # The first connection is the one whose answers all later ones get.
                run(may_connect(session(far), program(session(far), "1")), **who)
                return float(run(command, **who))
            finally:
                line.terminate()
                line.wait()
                os.unlink(far)

        samples = in_turns(peers, rounds, asked)
    title = f"the domains of 1, 50 and 400 hosts that answer after {milliseconds} ms (50 to stay below 2 x, 400 below 3 x)"
    table(title, "ms", 1e3, samples, "virhai, 1")


if len(sys.argv) > 3:
    # Only these.
    for name in sys.argv[3:]:
        globals()[name]()
    sys.exit()
print(f"{virhai}, {run([virhai, '--version']).split(chr(10))[1]}, {os.cpu_count()} processors")
start_and_list()
start_with_recipes()
first_prompt()
calls("100,000 dom.info() on the test driver, each", "info", "test:///default", 100_000, 7)
calls("100,000 dom.state() on the test driver, each", "state", "test:///default", 100_000, 7)
over_a_socket()
statistics_of_many()
transfers()
many_hosts()
xml()
checked()
guests()
events()
typing()
