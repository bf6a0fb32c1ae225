//! Values as text for people: in one line, and as tables.

mod date_time;
mod line;
mod table;
mod units;

pub use date_time::DateTime;
pub use line::{plain, quoted};
pub(crate) use table::cell;
pub use table::{Table, cut, width};
pub use units::{duration, with_unit};
