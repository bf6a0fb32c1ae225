"""Connects to COUNT hosts and lists their domains, all at the same time; prints the duration in seconds.

Usage: hosts.py COUNT URI
"""
import concurrent.futures
import sys
import threading
import time

import libvirt

count, uri = int(sys.argv[1]), sys.argv[2]
libvirt.virEventRegisterDefaultImpl()


def loop():
    while True:
        libvirt.virEventRunDefaultImpl()


threading.Thread(target=loop, daemon=True).start()


def ask(_):
    conn = libvirt.open(uri)
    # As virhai does with every connection to a daemon.
    conn.setKeepAlive(5, 3)
    domains = len(conn.listAllDomains())
    conn.close()
    return domains


began = time.perf_counter()
with concurrent.futures.ThreadPoolExecutor(count) as pool:
    list(pool.map(ask, range(count)))
print(time.perf_counter() - began)
