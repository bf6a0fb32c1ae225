//! Tables in files.

use std::collections::HashSet;

use csv::{ReaderBuilder, StringRecord, Writer, WriterBuilder};
use rhai::plugin::*;
use rhai::{Array, Dynamic, ImmutableString, Map, NativeCallContext};

use super::place::{self, failed};
use crate::api::arguments::RhaiResultOf;
use crate::api::room::{ensure_room, ensure_running};
use crate::api::value_text::printed;
use crate::error::Error;
use crate::error::plain::type_name;
use crate::run::session::Session;
use crate::vocabulary::{OptionsOf, options};

/// The bytes of a field as a value of a map, besides its text.
const FIELD: usize = 128;

options! {
    /// Form of a table in a file.
    pub(crate) struct CsvOptions {
        /// True if the first line has the names of the columns.
        header: bool = true,
        /// Character between two fields.
        delimiter: ImmutableString = ",",
    }
}

impl CsvOptions {
    fn delimiter_byte(&self, ctx: &NativeCallContext) -> RhaiResultOf<u8> {
        match self.delimiter.as_bytes() {
            [byte] if byte.is_ascii() && !b"\"\n\r".contains(byte) => Ok(*byte),
            _ => Error::refuse(
                ctx,
                format!("`{}` cannot separate fields", self.delimiter),
                "use one ASCII character, such as \",\", \";\" or \"\\t\"",
            ),
        }
    }
}

fn read(ctx: &NativeCallContext, path: &str, options: &Map) -> RhaiResultOf<Array> {
    let options = CsvOptions::read(ctx, options)?;
    let delimiter = options.delimiter_byte(ctx)?;
    let text = place::read_text(ctx, path)?;
    let wrong = |why: String| failed(ctx, "read", path, why);
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(options.header)
        .from_reader(text.as_bytes());
    let columns = match options.header {
        true => Some(
            columns(reader.headers().map_err(|error| wrong(error.to_string()))?).map_err(wrong)?,
        ),
        false => None,
    };
    let mut rows = Array::new();
    let mut row = StringRecord::new();
    while reader
        .read_record(&mut row)
        .map_err(|error| wrong(error.to_string()))?
    {
        ensure_running(ctx)?;
        ensure_room(
            ctx,
            2 * rows.len() * size_of::<Dynamic>() + row.len() * FIELD + row.as_slice().len(),
        )?;
        rows.push(match &columns {
            Some(columns) => {
                let fields = columns.iter().zip(row.iter());
                let map: Map = fields
                    .map(|(column, field)| (column.as_str().into(), field.into()))
                    .collect();
                map.into()
            }
            None => {
                let fields = row.iter().map(|field| Dynamic::from(field.to_owned()));
                fields.collect::<Array>().into()
            }
        });
    }
    Ok(rows)
}

/// The names of the columns.
fn columns(first: &StringRecord) -> Result<Vec<String>, String> {
    let mut seen = HashSet::new();
    for name in first {
        if !seen.insert(name) {
            return Err(format!("two columns are called `{name}`"));
        }
    }
    Ok(first.iter().map(str::to_owned).collect())
}

fn write(ctx: &NativeCallContext, path: &str, rows: &Array, options: &Map) -> RhaiResultOf<()> {
    let options = CsvOptions::read(ctx, options)?;
    let delimiter = options.delimiter_byte(ctx)?;
    let mut writer = WriterBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_writer(Vec::new());
    let first = rows.first().and_then(|row| row.read_lock::<Map>());
    let columns = first.map(|row| Session::of(ctx).key_order().keys(&row));
    let wrong = |why: String| failed(ctx, "write", path, why);
    let put = |fields: Vec<String>, writer: &mut Writer<Vec<u8>>| {
        writer
            .write_record(fields)
            .map_err(|error| wrong(error.to_string()))
    };
    if let (Some(columns), true) = (&columns, options.header) {
        put(columns.clone(), &mut writer)?;
    }
    for (index, row) in rows.iter().enumerate() {
        ensure_running(ctx)?;
        let fields = fields(ctx, row, columns.as_deref(), index)?;
        ensure_room(ctx, 4 * fields.iter().map(String::len).sum::<usize>())?;
        put(fields, &mut writer)?;
        ensure_room(ctx, writer.get_ref().len())?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| wrong(error.to_string()))?;
    place::write(ctx, path, &bytes)
}

fn refuse<T>(ctx: &NativeCallContext, index: usize, why: &str) -> RhaiResultOf<T> {
    Error::refuse(
        ctx,
        format!("row {index} {why}"),
        "all rows must be maps with the same keys, or all must be arrays",
    )
}

/// The fields of `row`, the one at `index`, as text.
fn fields(
    ctx: &NativeCallContext,
    row: &Dynamic,
    columns: Option<&[String]>,
    index: usize,
) -> RhaiResultOf<Vec<String>> {
    if let Some(columns) = columns {
        let Some(map) = row.read_lock::<Map>() else {
            return refuse(ctx, index, &format!("is {}, not a map", type_name(row)));
        };
        if let Some(other) = map
            .keys()
            .find(|key| !columns.iter().any(|name| name == *key))
        {
            return refuse(
                ctx,
                index,
                &format!("has the key `{other}`, which the first row does not have"),
            );
        }
        let fields = columns.iter().map(|column| match map.get(column.as_str()) {
            Some(field) => printed(ctx, field),
            None => refuse(ctx, index, &format!("does not have the key `{column}`")),
        });
        return fields.collect();
    }
    match row.read_lock::<Array>() {
        Some(array) => array.iter().map(|field| printed(ctx, field)).collect(),
        None => refuse(ctx, index, &format!("is {}, not an array", type_name(row))),
    }
}

#[export_module]
pub(super) mod functions {
    /// Returns the rows of the CSV file `path`, at most 16 MiB: a map for each row. The first line has the keys.
    ///
    /// Needs `--allow-read`. All fields are text; `parse_int` converts a field to a number.
    ///
    /// ```rhai
    /// write_text("/tmp/guests.csv", "name,vcpus\nweb,2\n");
    /// let guests = read_csv("/tmp/guests.csv");
    /// assert_eq(guests[0].name, "web");
    /// assert_eq(parse_int(guests[0].vcpus), 2);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "read_csv", volatile, return_raw)]
    pub fn read_csv(ctx: NativeCallContext, path: &str) -> RhaiResultOf<Array> {
        read(&ctx, path, &Map::new())
    }

    /// Returns the rows of the CSV file `path` with options. With `header: false`, the file has no line of column names, and
    /// rows are arrays. `delimiter` is the character between two fields.
    ///
    /// ```rhai
    /// write_text("/tmp/guests.csv", "web;2\n");
    /// let rows = read_csv("/tmp/guests.csv", #{ header: false, delimiter: ";" });
    /// assert_eq(rows, [["web", "2"]]);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "read_csv", volatile, return_raw)]
    pub fn read_csv_with_options(
        ctx: NativeCallContext,
        path: &str,
        options: OptionsOf<CsvOptions>,
    ) -> RhaiResultOf<Array> {
        read(&ctx, path, &options)
    }

    /// Writes `rows` as CSV to the file `path`, and replaces the old file as `write_text` does.
    ///
    /// Rows are arrays, or maps with the same keys: the first line then has the keys.
    ///
    /// ```rhai
    /// write_csv("/tmp/guests.csv", [#{ name: "web", vcpus: 2 }, #{ name: "db", vcpus: 4 }]);
    /// assert_eq(read_text("/tmp/guests.csv"), "name,vcpus\nweb,2\ndb,4\n");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "write_csv", volatile, return_raw)]
    pub fn write_csv(ctx: NativeCallContext, path: &str, rows: Array) -> RhaiResultOf<()> {
        write(&ctx, path, &rows, &Map::new())
    }

    /// Writes `rows` as CSV to the file `path` with options. `header: false` leaves out the line of column names; `delimiter`
    /// is the character between two fields.
    ///
    /// ```rhai
    /// write_csv("/tmp/guests.csv", [["web", 2]], #{ delimiter: ";" });
    /// assert_eq(read_text("/tmp/guests.csv"), "web;2\n");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "write_csv", volatile, return_raw)]
    pub fn write_csv_with_options(
        ctx: NativeCallContext,
        path: &str,
        rows: Array,
        options: OptionsOf<CsvOptions>,
    ) -> RhaiResultOf<()> {
        write(&ctx, path, &rows, &options)
    }
}
