"""Events of a guest that is paused and resumed, all taken, as a libvirt-python program does it. Usage: events.py COUNT"""
import sys
import threading
import time

import libvirt

count = int(sys.argv[1])
libvirt.virEventRegisterDefaultImpl()


def loop():
    while True:
        libvirt.virEventRunDefaultImpl()


threading.Thread(target=loop, daemon=True).start()
conn = libvirt.open("test:///default")
dom = conn.lookupByName("test")
taken, done = [0], threading.Event()


def told(conn, dom, event, detail, opaque):
    if event in (libvirt.VIR_DOMAIN_EVENT_SUSPENDED, libvirt.VIR_DOMAIN_EVENT_RESUMED):
        taken[0] += 1
    if taken[0] == count:
        done.set()


conn.domainEventRegisterAny(dom, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, told, None)
began = time.perf_counter()
for _ in range(count // 2):
    dom.suspend()
    dom.resume()
done.wait()
print(time.perf_counter() - began)
