//! Text of guests, hosts and scripts made safe for terminals and pages.

mod html;
mod visible;

pub(crate) use html::{document, escaped};
pub use visible::{visible, visible_line, with_colors};
