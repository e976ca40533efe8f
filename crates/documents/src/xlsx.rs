//! Spreadsheets: a sheet is a page and its name a heading. The value that was last shown is taken,
//! no formula is worked out. Cells come one by one, so a sheet's claimed size costs nothing.

use std::io::Cursor;

use calamine::{
    Cell, DataRef, ExcelDateTime, Reader as _, SheetType, SheetVisible, Style, Xlsx, XlsxError,
};

use crate::archive::Archive;
use crate::blocks::Blocks;
use crate::{Document, Kind, Limits, Refusal, ooxml};

/// Empty cells between two others that are told one by one.
const GAP: usize = 32;

pub(crate) fn read(
    bytes: &[u8],
    archive: &mut Archive<'_>,
    limits: &Limits,
) -> Result<Document, Refusal> {
    archive.measure()?;
    let title = ooxml::title(&mut Archive::open(bytes, limits)?)?;
    let mut workbook = Xlsx::new(Cursor::new(bytes)).map_err(|error| refusal(&error))?;
    let mut blocks = Blocks::new(limits);
    for (index, sheet) in workbook.sheets_metadata().to_vec().into_iter().enumerate() {
        // What is hidden from people is not told to a model.
        if sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible {
            blocks.turn_to(index + 1);
            self::sheet(&mut workbook, &sheet.name, &mut blocks)?;
        }
    }
    blocks.finish(Kind::Xlsx, title.as_deref())
}

fn sheet(
    workbook: &mut Xlsx<Cursor<&[u8]>>,
    name: &str,
    blocks: &mut Blocks,
) -> Result<(), Refusal> {
    let mut cells = workbook.worksheet_cells_reader(name).map_err(|error| refusal(&error))?;
    let styles = cells.styles().to_vec();
    let (mut row, mut at, mut is_named) = (Vec::new(), 0, false);
    while let Some((cell, style)) =
        cells.next_cell_with_style_id().map_err(|error| refusal(&error))?
    {
        let value = shown(&cell, styles.get(style));
        if value.is_empty() {
            continue;
        }
        // A sheet without a value has nothing to be named for.
        if !std::mem::replace(&mut is_named, true) {
            blocks.heading(1, name)?;
        }
        let (line, column) = cell.get_position();
        if line != at {
            blocks.row(&std::mem::take(&mut row))?;
            at = line;
        }
        let gap = (column as usize).saturating_sub(row.len()).min(GAP);
        row.extend(std::iter::repeat_n(String::new(), gap));
        row.push(value);
    }
    blocks.row(&row)
}

fn shown(cell: &Cell<DataRef<'_>>, style: Option<&Style>) -> String {
    match cell.get_value() {
        DataRef::Empty => String::new(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(value) => number(*value, is_percent(style)),
        DataRef::Bool(value) => value.to_string().to_uppercase(),
        DataRef::DateTime(moment) => date(moment),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            text.clone()
        }
        DataRef::Error(error) => error.to_string(),
    }
}

fn is_percent(style: Option<&Style>) -> bool {
    let format = style.and_then(|style| style.number_format.as_ref());
    format.is_some_and(|format| {
        format.format_code.contains('%') || matches!(format.format_id, Some(9 | 10))
    })
}

/// With the fifteen digits that a spreadsheet keeps, so without the errors of binary fractions.
fn number(value: f64, is_percent: bool) -> String {
    let value = if is_percent { value * 100.0 } else { value };
    let rounded = format!("{value:.14e}").parse().unwrap_or(value);
    let sign = if is_percent { "%" } else { "" };
    if rounded != 0.0 && !(1e-6..1e15).contains(&rounded.abs()) {
        return format!("{rounded:e}{sign}");
    }
    format!("{rounded}{sign}")
}

fn date(moment: &ExcelDateTime) -> String {
    if moment.is_duration() {
        // Minutes of any real duration are far below what a float holds exactly.
        let minutes = (moment.as_f64() * 24.0 * 60.0).round();
        return format!("{}:{:02}", (minutes / 60.0).trunc(), (minutes % 60.0).abs());
    }
    let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
    let time = match (hour, minute, second) {
        (0, 0, 0) => String::new(),
        (_, _, 0) => format!("{hour:02}:{minute:02}"),
        _ => format!("{hour:02}:{minute:02}:{second:02}"),
    };
    // Before the first day of the calendar it is a time alone.
    if moment.as_f64() < 1.0 && !time.is_empty() {
        return time;
    }
    format!("{year:04}-{month:02}-{day:02} {time}").trim_end().to_owned()
}

fn refusal(error: &XlsxError) -> Refusal {
    match error {
        XlsxError::Password => Refusal::Encrypted,
        _ => Refusal::Damaged,
    }
}
