//! Small pictures of guests' screens.

use std::io::Cursor;

use image::imageops::thumbnail;
use image::{ImageFormat, ImageReader, Limits, RgbImage};

/// The largest width of a picture, in points.
const WIDEST: u32 = 1024;

/// The maximum size of a picture, in bytes.
const LARGEST: usize = 128 * 1024;

/// The largest width and height of a screen, in points.
const LARGEST_SCREEN: u32 = 16 * 1024;

/// The memory that a screen may take, in bytes.
const MEMORY: u64 = 256 * 1024 * 1024;

/// The picture `data` of a screen, a PPM or PNG file, as a small PNG file; `None` if it is something else.
pub(crate) fn small_png(data: &[u8]) -> Option<Vec<u8>> {
    let mut picture = read(data)?;
    if picture.width() > WIDEST {
        picture = smaller(&picture, picture.width().div_ceil(WIDEST));
    }
    loop {
        let mut png = Cursor::new(Vec::new());
        picture.write_to(&mut png, ImageFormat::Png).ok()?;
        let png = png.into_inner();
        if png.len() <= LARGEST {
            return Some(png);
        }
        picture = smaller(&picture, 2);
    }
}

fn read(data: &[u8]) -> Option<RgbImage> {
    let reader = ImageReader::new(Cursor::new(data));
    let mut reader = reader.with_guessed_format().ok()?;
    if !matches!(reader.format()?, ImageFormat::Png | ImageFormat::Pnm) {
        return None;
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(LARGEST_SCREEN);
    limits.max_image_height = Some(LARGEST_SCREEN);
    limits.max_alloc = Some(MEMORY);
    reader.limits(limits);
    let picture = reader.decode().ok()?.into_rgb8();
    (!picture.is_empty()).then_some(picture)
}

/// The picture with one point for each square of `factor` points.
fn smaller(picture: &RgbImage, factor: u32) -> RgbImage {
    let part = |size: u32| (size / factor).max(1);
    thumbnail(picture, part(picture.width()), part(picture.height()))
}

#[cfg(test)]
mod tests {
    use super::{LARGEST, LARGEST_SCREEN, read, small_png};

    fn ppm(width: usize, height: usize, point: impl Fn(usize) -> u8) -> Vec<u8> {
        let mut file = format!("P6\n# a comment\n{width} {height}\n255\n").into_bytes();
        file.extend((0..width * height * 3).map(point));
        file
    }

    #[test]
    fn a_screen_becomes_a_small_png() {
        let png = small_png(&ppm(4, 2, |_| 200)).expect("it is a picture");
        let picture = read(&png).expect("it is a PNG");
        assert_eq!(picture.dimensions(), (4, 2));
        assert_eq!(picture.into_raw(), vec![200; 24]);

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
        let wide = ppm(LARGEST_SCREEN as usize + 1, 1, |_| 0);
        for wrong in [
            b"".as_slice(),
            b"P6",
            b"P6 4 2 255",
            b"P6 99999999999999999999 2 255 ",
            b"P6 4294967295 4294967295 255 x",
            b"P6 0 0 255 ",
            &cut[..cut.len() - 1],
            &wide,
            b"\x89PNG\r\n\x1a\n",
            b"<svg onload=alert(1)>",
        ] {
            assert!(small_png(wrong).is_none(), "{wrong:?}");
        }
    }
}
