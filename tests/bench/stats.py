"""Reads the statistics of all domains; prints the duration in seconds. Usage: stats.py bulk|each URI"""
import sys
import time

import libvirt

conn = libvirt.open(sys.argv[2])
domains = conn.listAllDomains()
began = time.perf_counter()
if sys.argv[1] == "bulk":
    found = len(conn.getAllDomainStats())
else:
    found = sum(len(conn.domainListGetStats([dom])) for dom in domains)
took = time.perf_counter() - began
assert found == len(domains)
print(took)
