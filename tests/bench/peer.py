"""What a libvirt-python program does for the same work."""
import sys
import time

import libvirt

what, uri, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
conn = libvirt.open(uri)
if what == "list":
    for dom in conn.listAllDomains():
        print(dom.name(), dom.info()[0])
else:
    dom = conn.lookupByName(sys.argv[4] if len(sys.argv) > 4 else "test")
    call = dom.info if what == "info" else dom.state
    began = time.perf_counter()
    for _ in range(count):
        call()
    print(f"{(time.perf_counter() - began) / count:.9f}")
