//! The drivers that libvirt has, from the `uriSchemes` in its sources (9.0 to 11.3).

/// A driver, by the scheme of its URIs.
#[derive(Debug, PartialEq)]
pub(super) struct Driver {
    pub(super) name: &'static str,
    /// True if libvirt runs it in the process that opens the connection. All others run in a daemon, which the remote
    /// driver reaches.
    pub(super) runs_here: bool,
    /// True if it works only with a host in the URI, as a client of that host.
    pub(super) needs_host: bool,
    /// True if `/embed` runs it in this process too.
    pub(super) embeddable: bool,
}

const fn daemon(name: &'static str) -> Driver {
    Driver {
        name,
        runs_here: false,
        needs_host: false,
        embeddable: false,
    }
}

const fn embeddable(name: &'static str) -> Driver {
    Driver {
        embeddable: true,
        ..daemon(name)
    }
}

const fn here(name: &'static str) -> Driver {
    Driver {
        runs_here: true,
        ..daemon(name)
    }
}

const fn client(name: &'static str) -> Driver {
    Driver {
        needs_host: true,
        ..here(name)
    }
}

/// All drivers.
pub(super) static DRIVERS: [Driver; 24] = [
    embeddable("qemu"),
    daemon("xen"),
    daemon("lxc"),
    daemon("ch"),
    daemon("bhyve"),
    daemon("vbox"),
    daemon("vz"),
    daemon("parallels"),
    // The daemon chooses the driver.
    daemon("remote"),
    // Drivers for parts of a host.
    daemon("network"),
    daemon("storage"),
    daemon("nodedev"),
    daemon("interface"),
    daemon("nwfilter"),
    embeddable("secret"),
    here("test"),
    // These two run programs: `vzlist` and `vzctl`, `vmrun`.
    here("openvz"),
    here("vmwareplayer"),
    here("vmwarews"),
    here("vmwarefusion"),
    // These speak HTTP with any host that the URI names.
    client("esx"),
    client("gsx"),
    client("vpx"),
    client("hyperv"),
];

/// The driver called `name`.
pub(super) fn driver(name: &str) -> Option<&'static Driver> {
    DRIVERS.iter().find(|driver| driver.name == name)
}
