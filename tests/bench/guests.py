"""Defines and removes a number of guests with libvirt-python, and prints the seconds that took.

Usage: guests.py COUNT. A program by hand: a template for the XML, its values escaped, and a
look whether a guest of that name exists.
"""
import sys
import time
from xml.sax.saxutils import escape, quoteattr

import libvirt

TEMPLATE = """<domain type='test'>
  <name>{name}</name>
  <memory unit='KiB'>1048576</memory>
  <currentMemory unit='KiB'>1048576</currentMemory>
  <vcpu>2</vcpu>
  <os>
    <type arch='i686'>hvm</type>
  </os>
  <features>
    <acpi/>
    <apic/>
  </features>
  <clock offset='utc'/>
  <pm>
    <suspend-to-disk enabled='no'/>
    <suspend-to-mem enabled='no'/>
  </pm>
  <devices>
    <disk device='disk' type='file'>
      <driver type='qcow2'/>
      <source file={disk}/>
      <target bus='virtio' dev='vda'/>
      <boot order='1'/>
    </disk>
    <interface type='network'>
      <source network='default'/>
      <model type='virtio'/>
    </interface>
    <serial type='pty'>
      <target port='0'/>
    </serial>
  </devices>
</domain>"""

libvirt.registerErrorHandler(lambda *_: None, None)
conn = libvirt.open("test:///default")
began = time.perf_counter()
for number in range(int(sys.argv[1])):
    name = f"guest-{number}"
    try:
        conn.lookupByName(name)
        raise SystemExit(f"{name} already exists")
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
            raise
    xml = TEMPLATE.format(name=escape(name), disk=quoteattr(f"/srv/vm/{name}.qcow2"))
    dom = conn.defineXMLFlags(xml, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
    if dom.isActive():
        dom.destroy()
    dom.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)
print(time.perf_counter() - began)
