//! Printing several values in a line, and tables.

use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, NativeCallContext, exported_module};

use super::arguments::RhaiResultOf;
use super::asking::size;
use super::room::ensure_room;
use super::value_text::{joined, printed};
use crate::advice::suggest;
use crate::error::Error;
use crate::run::session::Session;
use crate::show::{Table, plain};

pub(crate) fn register(engine: &mut Engine) {
    engine.register_global_module(exported_module!(functions).into());
}

#[export_module]
mod functions {
    /// Prints two values in a line, with a blank between them.
    ///
    /// ```rhai
    /// print("web", 5);
    /// ```
    /// Calls no libvirt function.
    // Rhai prints the text that a function of this name returns.
    #[rhai_fn(name = "print", volatile, return_raw)]
    pub fn print_2(ctx: NativeCallContext, a: Dynamic, b: Dynamic) -> RhaiResultOf<String> {
        joined(&ctx, &vec![a, b], " ")
    }

    /// Prints three values in a line, with blanks between them.
    ///
    /// ```rhai
    /// print("web", 5, true);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "print", volatile, return_raw)]
    pub fn print_3(
        ctx: NativeCallContext,
        a: Dynamic,
        b: Dynamic,
        c: Dynamic,
    ) -> RhaiResultOf<String> {
        joined(&ctx, &vec![a, b, c], " ")
    }

    /// Prints four values in a line, with blanks between them.
    ///
    /// ```rhai
    /// print("web", 5, true, 0.5);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "print", volatile, return_raw)]
    pub fn print_4(
        ctx: NativeCallContext,
        a: Dynamic,
        b: Dynamic,
        c: Dynamic,
        d: Dynamic,
    ) -> RhaiResultOf<String> {
        joined(&ctx, &vec![a, b, c, d], " ")
    }

    /// Prints five values in a line, with blanks between them.
    ///
    /// ```rhai
    /// print("web", 5, true, 0.5, "end");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "print", volatile, return_raw)]
    pub fn print_5(
        ctx: NativeCallContext,
        a: Dynamic,
        b: Dynamic,
        c: Dynamic,
        d: Dynamic,
        e: Dynamic,
    ) -> RhaiResultOf<String> {
        joined(&ctx, &vec![a, b, c, d, e], " ")
    }

    /// Prints the rows as a table: maps, a column for each key, or objects of one kind, such as domains.
    ///
    /// Columns have the order of the keys in the script's map literal; otherwise they are sorted. A missing key leaves
    /// its cell empty. On a terminal, a value that does not fit is cut in its cell. For objects, the host is asked for
    /// the values of the table. Throws if a row is neither a map nor an object.
    ///
    /// ```rhai
    /// table([#{ name: "web", memory_kib: 4096 }, #{ name: "db", state: "off" }]);
    /// table(connect("test:///default").list_all_domains());
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(volatile, return_raw)]
    pub fn table(ctx: NativeCallContext, rows: Array) -> RhaiResultOf<()> {
        super::print_table(&ctx, &rows, None)
    }

    /// Prints the rows as a table with these columns, in this order: keys of maps, or the column heads of a table of
    /// such objects. A row may also be an array with a value for each column.
    ///
    /// Throws if no row has such a column.
    ///
    /// ```rhai
    /// table(connect("test:///default").list_all_domains(), ["name", "state"]);
    /// table([["web", 1], ["db", 2]], ["name", "count"]);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "table", volatile, return_raw)]
    pub fn table_of_columns(
        ctx: NativeCallContext,
        rows: Array,
        columns: Array,
    ) -> RhaiResultOf<()> {
        let names = columns.iter().map(|name| printed(&ctx, name));
        let names: Vec<String> = names.collect::<Result<_, _>>()?;
        super::print_table(&ctx, &rows, Some(&names))
    }
}

fn print_table(
    ctx: &NativeCallContext,
    rows: &Array,
    columns: Option<&[String]>,
) -> RhaiResultOf<()> {
    // The cells, and the text made of them.
    ensure_room(ctx, rows.iter().map(size).sum::<usize>().saturating_mul(4))?;
    let session = Session::of(ctx);
    if rows.is_empty() {
        return match columns {
            Some(columns) => draw(
                ctx,
                &session,
                &Table {
                    heads: columns.to_vec(),
                    rows: Vec::new(),
                },
            ),
            None => Ok(()),
        };
    }
    if let Some(columns) = columns
        && rows.iter().all(Dynamic::is_array)
    {
        return draw(ctx, &session, &of_arrays(ctx, rows, columns)?);
    }
    let Some(mut table) = Table::of_rows(rows, &session.key_order()) else {
        return Err(not_rows(ctx, rows, columns.is_some()));
    };
    if let Some(columns) = columns {
        table
            .select(columns)
            .map_err(|wrong| no_column(ctx, &table, &wrong))?;
    }
    draw(ctx, &session, &table)
}

/// A table of rows that are arrays.
fn of_arrays(ctx: &NativeCallContext, rows: &Array, columns: &[String]) -> RhaiResultOf<Table> {
    let mut table = Table {
        heads: columns.to_vec(),
        rows: Vec::new(),
    };
    for (index, row) in rows.iter().enumerate() {
        let Some(row) = row.read_lock::<Array>() else {
            continue;
        };
        if row.len() > columns.len() {
            let message = format!(
                "row {index} has {} values, and the table {} columns",
                row.len(),
                columns.len()
            );
            return Err(Error::invalid(ctx, message).throw());
        }
        let mut cells: Vec<String> = row
            .iter()
            .zip(columns)
            .map(|(value, column)| crate::show::cell(column, value))
            .collect();
        cells.resize(columns.len(), String::new());
        table.rows.push(cells);
    }
    Ok(table)
}

fn draw(ctx: &NativeCallContext, session: &Session, table: &Table) -> RhaiResultOf<()> {
    let width = session.output_width();
    ensure_room(ctx, table.size(width).saturating_mul(2))?;
    session.print(&table.drawn(width));
    Ok(())
}

fn no_column(ctx: &NativeCallContext, table: &Table, wrong: &str) -> Box<EvalAltResult> {
    let known = || table.heads.iter().map(String::as_str);
    let hint = match suggest::nearest(wrong, known()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the columns are {}", known().collect::<Vec<_>>().join(", ")),
    };
    Error::invalid(ctx, format!("no row has a column `{wrong}`"))
        .with_hint(hint)
        .throw()
}

fn not_rows(ctx: &NativeCallContext, rows: &Array, has_columns: bool) -> Box<EvalAltResult> {
    let wrong = rows
        .iter()
        .position(|row| !row.is_map() && crate::objects::any::noun_and_name(row).is_none());
    let message = match wrong {
        Some(index) if rows[index].is_array() && !has_columns => {
            return Error::invalid(
                ctx,
                format!("row {index} is an array, which has no names for its columns"),
            )
            .with_hint("name them: `table(rows, [\"name\", \"count\"])`")
            .throw();
        }
        Some(index) => {
            let shown = crate::show::cut(&plain(&rows[index]), 40);
            format!("row {index} must be a map or an object, not `{shown}`")
        }
        None => "the rows are of different kinds".into(),
    };
    Error::invalid(ctx, message)
        .with_hint("a row is a map such as #{ name: \"web\" }, or an object such as a domain; all rows must be of one kind")
        .throw()
}
