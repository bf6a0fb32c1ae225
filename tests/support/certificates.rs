//! Certificates of a test's own: an authority, a server for 127.0.0.1, and clients.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::{Scratch, skip};

/// An authority as `openssl ca` wants it, with relative paths.
const CONFIG: &str = "[ca]\ndefault_ca = own\n[own]\ndir = .\ndatabase = index.txt\nnew_certs_dir = .\nserial = serial\n\
    default_md = sha256\ndefault_days = 1\ndefault_crl_days = 1\npolicy = any\ncopy_extensions = copy\n\
    unique_subject = no\n[any]\ncommonName = supplied\n";

const USAGE: &str = "keyUsage=critical,digitalSignature,keyEncipherment";

/// Certificates that one authority has signed, in a folder of their own.
pub struct Certificates(Scratch);

impl Certificates {
    /// An authority and the certificate of a server. If that is impossible, prints the reason and
    /// returns `None`; the test then ends.
    pub fn new() -> Option<Self> {
        if Command::new("openssl").arg("version").output().is_err() {
            skip("no certificates can be made here: openssl is missing".to_owned());
            return None;
        }
        let certificates = Self(Scratch::new());
        certificates.0.write("ca.cnf", CONFIG);
        certificates.0.write("index.txt", "");
        certificates.0.write("serial", "01\n");
        // One key for all: only the certificates differ.
        certificates.openssl(&["genrsa", "-out", "key.pem", "2048"]);
        certificates.self_signed("cacert", "ca");
        certificates.sign("server", &[]);
        certificates.revocations();
        certificates.let_everyone_read();
        Some(certificates)
    }

    /// The path of a file.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path(name)
    }

    /// A folder for `pkipath` with the certificate of the client `name`, which `options` of `openssl ca` change.
    pub fn client(&self, name: &str, options: &[&str]) -> PathBuf {
        self.sign(name, options);
        self.folder(name, &format!("{name}.pem"), "cacert.pem")
    }

    /// The same for a client of another authority, which the server does not know.
    pub fn stranger(&self, name: &str) -> PathBuf {
        self.self_signed(&format!("{name}-ca"), name);
        let constraints = "basicConstraints=critical,CA:FALSE";
        self.request(
            name,
            &format!("{name}.pem"),
            &[
                "-x509",
                "-days",
                "2",
                "-addext",
                USAGE,
                "-addext",
                constraints,
            ],
        );
        self.folder(name, &format!("{name}.pem"), "cacert.pem")
    }

    /// A folder for `pkipath` of a client that trusts only an authority other than the server's.
    pub fn distrustful(&self, name: &str) -> PathBuf {
        self.self_signed(&format!("{name}-ca"), name);
        self.sign(name, &[]);
        self.folder(name, &format!("{name}.pem"), &format!("{name}-ca.pem"))
    }

    /// Revokes the certificate `name`, and writes the list of revoked certificates.
    pub fn revoke(&self, name: &str) {
        self.authority(&["-revoke", &format!("{name}.pem")]);
        self.revocations();
    }

    fn revocations(&self) {
        self.authority(&["-gencrl", "-out", "crl.pem"]);
        self.let_everyone_read();
    }

    fn self_signed(&self, file: &str, name: &str) {
        let usage = "keyUsage=critical,keyCertSign,cRLSign";
        self.request(
            name,
            &format!("{file}.pem"),
            &["-x509", "-days", "2", "-addext", usage],
        );
    }

    fn sign(&self, name: &str, options: &[&str]) {
        let request = format!("{name}.csr");
        self.request(
            name,
            &request,
            &[
                "-new",
                "-addext",
                "subjectAltName=IP:127.0.0.1",
                "-addext",
                USAGE,
                "-addext",
                "extendedKeyUsage=serverAuth,clientAuth",
            ],
        );
        let certificate = format!("{name}.pem");
        let own = ["-batch", "-in", &request, "-out", &certificate];
        self.authority(&[&own, options].concat());
    }

    /// Makes a request or a certificate for `name`, in `file`.
    fn request(&self, name: &str, file: &str, arguments: &[&str]) {
        let subject = format!("/CN={name}");
        let own = ["req", "-key", "key.pem", "-out", file, "-subj", &subject];
        self.openssl(&[&own, arguments].concat());
    }

    /// Runs the certificate authority.
    fn authority(&self, arguments: &[&str]) {
        let own = [
            "ca",
            "-config",
            "ca.cnf",
            "-keyfile",
            "key.pem",
            "-cert",
            "cacert.pem",
        ];
        self.openssl(&[&own, arguments].concat());
    }

    /// A folder as libvirt's clients want it.
    fn folder(&self, name: &str, certificate: &str, authority: &str) -> PathBuf {
        let folder = self.0.folder(&format!("of-{name}"));
        for (from, to) in [
            (authority, "cacert.pem"),
            (certificate, "clientcert.pem"),
            ("key.pem", "clientkey.pem"),
        ] {
            std::fs::copy(self.path(from), folder.join(to)).expect("both are the test's own");
        }
        self.let_everyone_read();
        folder
    }

    fn openssl(&self, arguments: &[&str]) {
        let ran = Command::new("openssl")
            .args(arguments)
            .current_dir(self.0.path(""))
            .stdin(Stdio::null())
            .output()
            .expect("openssl is installed");
        assert!(ran.status.success(), "{arguments:?}: {ran:?}");
    }

    /// Daemons and clients of tests run as another user.
    fn let_everyone_read(&self) {
        let read = Command::new("chmod")
            .args(["-R", "a+rX"])
            .arg(self.0.path(""))
            .status();
        assert!(read.is_ok_and(|read| read.success()));
    }
}
