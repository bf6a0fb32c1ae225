//! Screenshots of a guest's screen.

use virt::domain::Domain;

use super::{Failure, Result, stream};

/// The bytes of the largest picture: 7680 times 4320 points.
const LARGEST: usize = 7680 * 4320 * 3 + 64;

/// The MIME type and the bytes of a picture of the screen with the number `screen`.
pub fn take(domain: &Domain, screen: u32, flags: u32) -> Result<(String, Vec<u8>)> {
    let stream = stream::new_blocking(&domain.connect()?)?;
    let mime = domain.screenshot(&stream, screen, flags)?;
    let mut data = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = stream.recv(&mut buffer)?;
        match usize::try_from(count) {
            Ok(count) if count > 0 => data.extend_from_slice(&buffer[..count]),
            _ => break,
        }
        if data.len() > LARGEST {
            stream::abort(&stream);
            let message = format!("the picture exceeds the limit of {LARGEST} bytes");
            return Err(Failure::new(virt_sys::VIR_ERR_OPERATION_FAILED, message));
        }
    }
    stream.finish()?;
    Ok((mime, data))
}
