//! Draws the view of guests.

use bytesize::ByteSize;
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Text};
use ratatui::widgets::{Cell, Paragraph, Row as Drawn, Table};

use super::rates::{Order, Row};

/// The content of the view.
pub(super) struct View {
    /// The host, or the pattern of hosts.
    pub(super) title: String,
    /// The number of hosts that answer and of all hosts, in a view of several hosts.
    pub(super) hosts: Option<(usize, usize)>,
    pub(super) rows: Vec<Row>,
    pub(super) order: Order,
    pub(super) reversed: bool,
    /// The first row that is shown.
    pub(super) first: usize,
    /// The error, in one line.
    pub(super) trouble: Option<String>,
    pub(super) colors: bool,
}

/// A column: its head, its width, the order that sorts by it, and its text for a row.
struct Column {
    head: &'static str,
    width: u16,
    order: Option<Order>,
    text: fn(&Row) -> String,
}

/// The columns by priority: the first ones stay if there is little room.
const COLUMNS: [Column; 8] = [
    Column {
        head: "CPU%",
        width: 7,
        order: Some(Order::Cpu),
        text: |row| row.cpu.map_or_else(none, |percent| format!("{percent:.1}")),
    },
    Column {
        head: "STATE",
        width: 9,
        order: None,
        text: |row| row.state.clone(),
    },
    Column {
        head: "MEMORY",
        width: 10,
        order: Some(Order::Memory),
        text: |row| {
            row.memory_kib
                .map_or_else(none, |kib| ByteSize::kib(kib).to_string())
        },
    },
    Column {
        head: "READ/S",
        width: 10,
        order: Some(Order::Disk),
        text: |row| rate(row.reads),
    },
    Column {
        head: "WRITE/S",
        width: 10,
        order: Some(Order::Disk),
        text: |row| rate(row.writes),
    },
    Column {
        head: "RX/S",
        width: 10,
        order: Some(Order::Network),
        text: |row| rate(row.receives),
    },
    Column {
        head: "TX/S",
        width: 10,
        order: Some(Order::Network),
        text: |row| rate(row.sends),
    },
    Column {
        head: "VCPUS",
        width: 5,
        order: None,
        text: |row| row.vcpus.map_or_else(none, |count| count.to_string()),
    },
];

/// The fewest columns of letters for names.
const NAME: u16 = 12;

/// The columns of letters for the names of hosts.
const HOST: u16 = 12;

const KEYS: &str = "q quits  sort: c CPU  m memory  d disk  n network  a name  r reverse";

fn none() -> String {
    "-".into()
}

fn rate(bytes: Option<f64>) -> String {
    bytes.map_or_else(none, |bytes| ByteSize(bytes as u64).to_string())
}

/// The number of rows for guests.
pub(super) fn room(area: Rect) -> usize {
    usize::from(area.height.saturating_sub(3))
}

/// Draws the view.
pub(super) fn draw(frame: &mut Frame, view: &View) {
    let [title, table, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Min(0),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(Paragraph::new(head(view)), title);
    frame.render_widget(guests(view, table), table);
    reasons(frame, view, table);
    let dim = Style::new().add_modifier(Modifier::DIM);
    frame.render_widget(Paragraph::new(KEYS).style(dim), keys);
}

/// Writes why hosts do not answer, over the columns of figures in their rows.
fn reasons(frame: &mut Frame, view: &View, table: Rect) {
    let rows = table.rows().skip(1).zip(view.rows.iter().skip(view.first));
    for (area, row) in rows.filter(|(_, row)| row.silent) {
        let area = Rect {
            x: area.x + (HOST + 1).min(area.width),
            width: area.width.saturating_sub(HOST + 1),
            ..area
        };
        frame.render_widget(
            Line::styled(row.name.clone(), style(row, view.colors)),
            area,
        );
    }
}

fn head(view: &View) -> Line<'static> {
    let running = view
        .rows
        .iter()
        .filter(|row| row.state == "running")
        .count();
    let guests = view.rows.iter().filter(|row| !row.silent).count();
    let text = match (&view.trouble, view.hosts) {
        (Some(trouble), _) => format!("{}: {trouble}", view.title),
        (None, None) => format!("{}: {running} of {guests} guests running", view.title),
        (None, Some((answering, all))) => format!(
            "{}: {running} of {guests} guests running, {answering} of {all} hosts answer",
            view.title
        ),
    };
    let style = match (&view.trouble, view.colors) {
        (Some(_), true) => Style::new().fg(Color::Red),
        _ => Style::new().add_modifier(Modifier::BOLD),
    };
    Line::styled(text, style)
}

fn guests(view: &View, area: Rect) -> Table<'static> {
    let by_host = view.hosts.is_some();
    let before = if by_host { HOST + 1 } else { 0 };
    let mut left = area.width.saturating_sub(NAME + before);
    let shown: Vec<&Column> = COLUMNS
        .iter()
        .take_while(|column| {
            let fits = left > column.width;
            left = left.saturating_sub(column.width + 1);
            fits
        })
        .collect();
    let heads = shown.iter().map(|column| {
        let marked = column.order == Some(view.order);
        Cell::new(Text::from(head_of(column.head, marked, view.reversed)).alignment(side(column)))
    });
    let name = head_of("NAME", view.order == Order::Name, view.reversed);
    let host = by_host.then(|| Cell::new("HOST"));
    let header = Drawn::new(host.into_iter().chain([Cell::new(name)]).chain(heads));
    let rows: Vec<Drawn> = view
        .rows
        .iter()
        .skip(view.first)
        .map(|row| {
            let cells = shown
                .iter()
                .map(|column| Cell::new(Text::from((column.text)(row)).alignment(side(column))));
            let host = by_host.then(|| Cell::new(row.host.clone()));
            let names = host.into_iter().chain([Cell::new(row.name.clone())]);
            let cells = cells.take(if row.silent { 0 } else { shown.len() });
            Drawn::new(names.chain(cells)).style(style(row, view.colors))
        })
        .collect();
    let host = by_host.then_some(Constraint::Length(HOST));
    let widths = host
        .into_iter()
        .chain([Constraint::Min(NAME)])
        .chain(shown.iter().map(|column| Constraint::Length(column.width)));
    let reversed = Style::new().add_modifier(Modifier::REVERSED);
    Table::new(rows, widths).header(header.style(reversed))
}

fn head_of(head: &str, marked: bool, reversed: bool) -> String {
    match (marked, reversed) {
        (false, _) => head.to_owned(),
        (true, false) => format!("{head}*"),
        (true, true) => format!("{head}^"),
    }
}

/// Words to the left, figures to the right.
fn side(column: &Column) -> Alignment {
    match column.head {
        "STATE" => Alignment::Left,
        _ => Alignment::Right,
    }
}

fn style(row: &Row, colors: bool) -> Style {
    let style = Style::new();
    if row.silent {
        return match colors {
            true => style.fg(Color::Red),
            false => style.add_modifier(Modifier::BOLD),
        };
    }
    match row.state.as_str() {
        "running" => style,
        "paused" | "pmsuspended" if colors => style.fg(Color::Yellow),
        "crashed" if colors => style.fg(Color::Red),
        _ => style.add_modifier(Modifier::DIM),
    }
}
