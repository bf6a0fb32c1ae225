//! Small pictures of guests' screens.

use std::io::Cursor;

/// The widest picture, in points.
const WIDEST: usize = 1024;

/// The bytes of the largest picture.
const LARGEST: usize = 128 * 1024;

/// The bytes that a picture of a host can take in memory.
const MEMORY: usize = 256 * 1024 * 1024;

/// A picture with three bytes for each point.
struct Picture {
    width: usize,
    height: usize,
    points: Vec<u8>,
}

/// The picture `data` of a screen, a PPM or PNG file, as a small PNG file; `None` if it is something else.
pub(crate) fn small_png(data: &[u8]) -> Option<Vec<u8>> {
    let mut picture = Picture::from_ppm(data).or_else(|| Picture::from_png(data))?;
    let factor = picture.width.div_ceil(WIDEST);
    if factor > 1 {
        picture = picture.smaller(factor);
    }
    loop {
        let png = picture.png()?;
        if png.len() <= LARGEST {
            return Some(png);
        }
        picture = picture.smaller(2);
    }
}

impl Picture {
    fn from_ppm(data: &[u8]) -> Option<Self> {
        let mut rest = data.strip_prefix(b"P6")?;
        let mut numbers = [0; 3];
        for number in &mut numbers {
            (*number, rest) = number_of_ppm(rest)?;
        }
        let [width, height, largest] = numbers;
        let size = width.checked_mul(height)?.checked_mul(3)?;
        // One blank is before the points.
        let points = rest.get(1..size.checked_add(1)?)?;
        (size > 0 && largest == 255).then(|| Self {
            width,
            height,
            points: points.to_vec(),
        })
    }

    fn from_png(data: &[u8]) -> Option<Self> {
        let mut decoder =
            png::Decoder::new_with_limits(Cursor::new(data), png::Limits { bytes: MEMORY });
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info().ok()?;
        let size = reader.output_buffer_size().filter(|size| *size <= MEMORY)?;
        let mut bytes = vec![0; size];
        let frame = reader.next_frame(&mut bytes).ok()?;
        let bytes = bytes.get(..frame.buffer_size())?;
        let points = match frame.color_type {
            png::ColorType::Rgb => bytes.to_vec(),
            png::ColorType::Rgba => bytes
                .chunks_exact(4)
                .flat_map(|point| [point[0], point[1], point[2]])
                .collect(),
            png::ColorType::Grayscale => bytes.iter().flat_map(|gray| [*gray; 3]).collect(),
            png::ColorType::GrayscaleAlpha => bytes
                .chunks_exact(2)
                .flat_map(|point| [point[0]; 3])
                .collect(),
            png::ColorType::Indexed => return None,
        };
        Some(Self {
            width: usize::try_from(frame.width).ok()?,
            height: usize::try_from(frame.height).ok()?,
            points,
        })
    }

    /// The picture with one point for each square of `factor` points.
    fn smaller(&self, factor: usize) -> Self {
        let width = (self.width / factor).max(1);
        let height = (self.height / factor).max(1);
        let mut points = Vec::with_capacity(width * height * 3);
        for (row, column) in (0..height).flat_map(|row| (0..width).map(move |column| (row, column)))
        {
            let rows = row * factor..(row * factor + factor).min(self.height);
            let columns = column * factor..(column * factor + factor).min(self.width);
            let count = rows.len() * columns.len();
            let mut sums = [0; 3];
            for place in rows.flat_map(|row| columns.clone().map(move |c| row * self.width + c)) {
                for (sum, value) in sums.iter_mut().zip(&self.points[place * 3..]) {
                    *sum += usize::from(*value);
                }
            }
            points.extend(sums.map(|sum| u8::try_from(sum / count.max(1)).unwrap_or(u8::MAX)));
        }
        Self {
            width,
            height,
            points,
        }
    }

    fn png(&self) -> Option<Vec<u8>> {
        let mut png = Vec::new();
        let width = u32::try_from(self.width).ok()?;
        let height = u32::try_from(self.height).ok()?;
        let mut encoder = png::Encoder::new(&mut png, width, height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().ok()?;
        writer.write_image_data(&self.points).ok()?;
        writer.finish().ok()?;
        Some(png)
    }
}

/// The number that `text` begins with, after blanks and comments, and the rest.
fn number_of_ppm(text: &[u8]) -> Option<(usize, &[u8])> {
    let mut rest = text;
    loop {
        match rest.first()? {
            b'#' => rest = &rest[rest.iter().position(|byte| *byte == b'\n')?..],
            blank if blank.is_ascii_whitespace() => rest = &rest[1..],
            _ => break,
        }
    }
    let end = rest.iter().position(|byte| !byte.is_ascii_digit())?;
    let number = std::str::from_utf8(&rest[..end]).ok()?.parse().ok()?;
    Some((number, &rest[end..]))
}

#[cfg(test)]
mod tests {
    use super::{LARGEST, Picture, small_png};

    fn ppm(width: usize, height: usize, point: impl Fn(usize) -> u8) -> Vec<u8> {
        let mut file = format!("P6\n# a comment\n{width} {height}\n255\n").into_bytes();
        file.extend((0..width * height * 3).map(point));
        file
    }

    #[test]
    fn a_screen_becomes_a_small_png() {
        let png = small_png(&ppm(4, 2, |_| 200)).expect("it is a picture");
        let read = Picture::from_png(&png).expect("it is a PNG");
        assert_eq!(
            (read.width, read.height, read.points),
            (4, 2, vec![200; 24])
        );

        // Noise cannot be compressed: the picture becomes smaller instead.
        let mut seed = 1_u32;
        let noise: Vec<u8> = (0..1600 * 1200 * 3)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (seed >> 24) as u8
            })
            .collect();
        let png = small_png(&ppm(1600, 1200, |at| noise[at])).expect("it is a picture");
        assert!(png.len() <= LARGEST, "{}", png.len());
    }

    #[test]
    fn other_files_are_no_pictures() {
        let cut = ppm(4, 2, |_| 0);
        for wrong in [
            b"".as_slice(),
            b"P6",
            b"P6 4 2 255",
            b"P6 99999999999999999999 2 255 ",
            b"P6 4294967295 4294967295 255 x",
            b"P6 0 0 255 ",
            &cut[..cut.len() - 1],
            b"\x89PNG\r\n\x1a\n",
            b"<svg onload=alert(1)>",
        ] {
            assert!(small_png(wrong).is_none(), "{wrong:?}");
        }
    }
}
