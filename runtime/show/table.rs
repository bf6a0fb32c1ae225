//! Lists as tables.

use rhai::{Array, Dynamic, Map};
use tabled::builder::Builder;
use tabled::settings::{Padding, Style};
use unicode_width::UnicodeWidthChar;

use super::{line, units};
use crate::objects::any;
use crate::syntax::key_order::KeyOrder;

/// The blanks between two columns.
const GAP: usize = 2;

/// The columns of a cell that a narrow terminal leaves.
const LEAST: usize = 8;

/// The columns of a cell where no terminal limits them.
const MOST: usize = 500;

/// Rows of cells below the heads of their columns.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The heads of the columns.
    pub heads: Vec<String>,
    /// The rows, each with a cell for each column.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// A table of a list that contains only objects of one kind, or only maps without nested maps.
    /// A key that a row lacks leaves its cell empty.
    pub fn of(list: &Array, order: &KeyOrder) -> Option<Self> {
        objects(list).or_else(|| maps(list, order, nested_never))
    }

    /// The same, but nested maps are allowed, and are shown in their cells.
    pub(crate) fn of_rows(list: &Array, order: &KeyOrder) -> Option<Self> {
        objects(list).or_else(|| maps(list, order, |_| true))
    }

    /// Leaves only the columns called `names`, in that order. Fails with the first name that is not there.
    pub(crate) fn select(&mut self, names: &[String]) -> Result<(), String> {
        let find = |name: &String| {
            let exact = self.heads.iter().position(|head| head == name);
            let any_case = || {
                let same = |head: &String| head.eq_ignore_ascii_case(name);
                self.heads.iter().position(same)
            };
            exact.or_else(any_case).ok_or_else(|| name.clone())
        };
        let columns: Vec<usize> = names.iter().map(find).collect::<Result<_, _>>()?;
        let row = |row: &Vec<String>| columns.iter().map(|column| row[*column].clone()).collect();
        self.rows = self.rows.iter().map(row).collect();
        self.heads = names.to_vec();
        Ok(())
    }

    /// Changes each cell.
    #[must_use]
    pub fn map(self, change: impl Fn(String) -> String) -> Self {
        let row = |row: Vec<String>| row.into_iter().map(&change).collect();
        Self {
            heads: self.heads.into_iter().map(&change).collect(),
            rows: self.rows.into_iter().map(row).collect(),
        }
    }

    /// True if it fits into so many columns.
    pub fn fits(&self, width: usize) -> bool {
        let widths = self.widths();
        let least = widths.iter().map(|column| (*column).min(LEAST) + GAP);
        least.sum::<usize>() <= width + GAP
    }

    /// The table as text. Cells are cut where the table would be wider than `width` columns.
    pub fn drawn(&self, width: Option<usize>) -> String {
        let widths = narrowed(self.widths(), width);
        let mut rows = Builder::new();
        for row in std::iter::once(&self.heads).chain(&self.rows) {
            rows.push_record(
                row.iter()
                    .zip(&widths)
                    .map(|(cell, width)| cut(cell, *width)),
            );
        }
        let mut table = rows.build();
        table.with(Style::empty()).with(Padding::new(0, GAP, 0, 0));
        let lines: Vec<String> = table
            .to_string()
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect();
        lines.join("\n")
    }

    /// The bytes that the drawn table takes at most.
    pub(crate) fn size(&self, width: Option<usize>) -> usize {
        let row: usize = narrowed(self.widths(), width)
            .iter()
            .map(|width| width + GAP)
            .sum();
        // A letter that fills a column may take four bytes.
        row.saturating_mul(self.rows.len() + 1).saturating_mul(4)
    }

    fn widths(&self) -> Vec<usize> {
        let rows = std::iter::once(&self.heads).chain(&self.rows);
        let mut widths = vec![0; self.heads.len()];
        for row in rows {
            for (widest, cell) in widths.iter_mut().zip(row) {
                *widest = width(cell).min(MOST).max(*widest);
            }
        }
        widths
    }
}

fn objects(list: &Array) -> Option<Table> {
    let mut table = Table::default();
    for value in list {
        let (heads, row) = any::row(value)?;
        if table.rows.is_empty() {
            table.heads = heads.iter().map(|head| (*head).to_owned()).collect();
        } else if table.heads != heads {
            return None;
        }
        table.rows.push(row);
    }
    (!table.rows.is_empty()).then_some(table)
}

fn maps(list: &Array, order: &KeyOrder, may_hold: fn(&Dynamic) -> bool) -> Option<Table> {
    let mut heads: Vec<String> = Vec::new();
    for value in list {
        let map = value.read_lock::<Map>()?;
        if !map.values().all(may_hold) {
            return None;
        }
        for key in order.keys(&map) {
            if !heads.contains(&key) {
                heads.push(key);
            }
        }
    }
    if heads.is_empty() {
        return None;
    }
    let rows = list.iter().filter_map(|value| {
        let map = value.read_lock::<Map>()?;
        let cells = heads.iter().map(|key| {
            let value = map.get(key.as_str());
            value.map_or_else(String::new, |value| cell(key, value))
        });
        Some(cells.collect())
    });
    Some(Table {
        rows: rows.collect(),
        heads,
    })
}

/// True if a value fits into a cell: a map, and a list of maps, need separate lines.
fn nested_never(value: &Dynamic) -> bool {
    !value.is_map()
        && !value
            .read_lock::<Array>()
            .is_some_and(|list| list.iter().any(Dynamic::is_map))
}

/// A value in one line of a table.
pub(crate) fn cell(key: &str, value: &Dynamic) -> String {
    if value.is_unit() {
        return String::new();
    }
    let text = units::with_unit(key, value).unwrap_or_else(|| line::plain(value));
    match text.split_once('\n') {
        Some((first, _)) => format!("{} …", first.trim_end()),
        None => text,
    }
}

/// The widths with the widest columns made narrower until all fit.
fn narrowed(mut widths: Vec<usize>, room: Option<usize>) -> Vec<usize> {
    let Some(room) = room else { return widths };
    let gaps = GAP * widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > room {
        let Some(widest) = widths
            .iter()
            .copied()
            .max()
            .filter(|widest| *widest > LEAST)
        else {
            break;
        };
        for width in &mut widths {
            if *width == widest {
                *width -= 1;
                break;
            }
        }
    }
    widths
}

/// Cuts `text` to `room` columns; a cut text ends with an ellipsis.
pub fn cut(text: &str, room: usize) -> String {
    if self::width(text) <= room {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut left = room.saturating_sub(1);
    for letter in text.chars() {
        let width = letter.width().unwrap_or(0);
        if width > left {
            break;
        }
        left -= width;
        kept.push(letter);
    }
    kept.push('…');
    kept
}

/// The columns that a line takes on a terminal.
pub fn width(text: &str) -> usize {
    text.chars().map(|letter| letter.width().unwrap_or(0)).sum()
}

#[cfg(test)]
mod tests {
    use rhai::{Array, Engine, OptimizationLevel};

    use super::Table;
    use crate::syntax::key_order::KeyOrder;

    fn drawn(code: &str, width: usize) -> String {
        let mut engine = Engine::new();
        engine.set_optimization_level(OptimizationLevel::None);
        let order = KeyOrder::default();
        order.learn(&engine.compile(code).expect(code));
        let rows: Array = engine.eval(code).expect(code);
        Table::of_rows(&rows, &order)
            .expect(code)
            .drawn(Some(width))
    }

    #[test]
    fn rows_whose_keys_differ_make_a_table() {
        assert_eq!(
            drawn(
                "[#{ name: \"web\", age: 5 }, #{ name: \"db\", size: 1 }]",
                80
            ),
            "name  age  size\nweb   5\ndb         1"
        );
    }

    #[test]
    fn a_value_that_is_too_wide_is_cut_in_its_cell() {
        let wide = "[#{ name: \"abcdefghijklmnopqrstuvwxyz\", n: 1 }, #{ name: \"中中中中中中中中中中\", n: 2 }]";
        assert_eq!(
            drawn(wide, 16),
            "name           n\nabcdefghijkl…  1\n中中中中中中…  2"
        );
        assert_eq!(
            drawn("[#{ a: \"one\\ntwo\", b: #{ c: 1 } }]", 80),
            "a      b\none …  #{c: 1}"
        );
    }
}
