"""Receives events of a guest that another program pauses and resumes; prints the seconds from the first event to the last.

Usage: events.py URI COUNT
"""
import sys
import threading
import time

import libvirt

count = int(sys.argv[2])
libvirt.virEventRegisterDefaultImpl()


def loop():
    while True:
        libvirt.virEventRunDefaultImpl()


threading.Thread(target=loop, daemon=True).start()
conn = libvirt.open(sys.argv[1])
dom = conn.lookupByName("test")
began, taken, done = [None], [0], threading.Event()


def told(conn, dom, event, detail, opaque):
    began[0] = began[0] or time.perf_counter()
    if event in (libvirt.VIR_DOMAIN_EVENT_SUSPENDED, libvirt.VIR_DOMAIN_EVENT_RESUMED):
        taken[0] += 1
    if taken[0] == count:
        done.set()


conn.domainEventRegisterAny(dom, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, told, None)
print("ready", flush=True)
done.wait()
print(time.perf_counter() - began[0])
