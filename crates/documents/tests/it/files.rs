//! Files as programs write them, made here.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use zip::write::{SimpleFileOptions, ZipWriter};

pub(crate) fn pack<B: AsRef<[u8]>>(files: &[(&str, B)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes.as_ref()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// The relationships of a part: id, last word of the type, target.
pub(crate) fn relations(relations: &[(&str, &str, &str)]) -> String {
    let mut xml = String::from(
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">"#,
    );
    for (id, kind, target) in relations {
        let _ =
            write!(xml, r#"<Relationship Id="{id}" Type="{OFFICE}/{kind}" Target="{target}"/>"#);
    }
    xml + "</Relationships>"
}

const TYPES: &str = r#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>"#;

const CORE: &str = r#"<cp:coreProperties xmlns:cp="c" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Yearly report</dc:title></cp:coreProperties>"#;

pub(crate) fn docx_of(body: &str) -> Vec<u8> {
    let document = format!(
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><w:body>{body}</w:body></w:document>"#
    );
    let styles = r#"<w:styles xmlns:w="w"><w:style w:type="paragraph" w:styleId="berschrift1"><w:name w:val="heading 1"/><w:pPr><w:outlineLvl w:val="0"/></w:pPr></w:style>
        <w:style w:type="paragraph" w:styleId="Mine"><w:name w:val="My own"/><w:basedOn w:val="Two"/></w:style>
        <w:style w:type="paragraph" w:styleId="Two"><w:name w:val="heading 2"/></w:style></w:styles>"#;
    let notes = r#"<w:footnotes xmlns:w="w"><w:footnote w:type="separator" w:id="-1"><w:p><w:r><w:t>---</w:t></w:r></w:p></w:footnote>
        <w:footnote w:id="2"><w:p><w:r><w:footnoteRef/></w:r><w:r><w:t xml:space="preserve"> Counted by hand.</w:t></w:r></w:p></w:footnote></w:footnotes>"#;
    pack(&[
        ("[Content_Types].xml", TYPES.to_owned()),
        ("_rels/.rels", relations(&[("rId1", "officeDocument", "word/document.xml")])),
        (
            "word/_rels/document.xml.rels",
            relations(&[("rId1", "styles", "styles.xml"), ("rId2", "footnotes", "footnotes.xml")]),
        ),
        ("word/document.xml", document),
        ("word/styles.xml", styles.to_owned()),
        ("word/footnotes.xml", notes.to_owned()),
        ("docProps/core.xml", CORE.to_owned()),
    ])
}

pub(crate) fn docx() -> Vec<u8> {
    docx_of(
        r#"<w:p><w:pPr><w:pStyle w:val="berschrift1"/></w:pPr><w:r><w:t>Harvest &amp; weather</w:t></w:r></w:p>
        <w:p><w:r><w:t xml:space="preserve">The apples were </w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t>early</w:t></w:r><w:r><w:t xml:space="preserve"> this year</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r><w:r><w:t>.</w:t></w:r></w:p>
        <w:p><w:pPr><w:pStyle w:val="Mine"/></w:pPr><w:r><w:t>Numbers</w:t></w:r></w:p>
        <w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr><w:r><w:t>first item</w:t></w:r></w:p>
        <w:tbl><w:tr><w:tc><w:p><w:r><w:t>Sort</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>Tons</w:t></w:r></w:p></w:tc></w:tr>
        <w:tr><w:tc><w:p><w:r><w:t>Boskoop</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>12</w:t></w:r></w:p></w:tc></w:tr></w:tbl>
        <w:p><w:del w:id="1"><w:r><w:delText>gone</w:delText></w:r></w:del><w:ins w:id="2"><w:r><w:t>added</w:t></w:r></w:ins><w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r></w:p>
        <w:p><w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:txbxContent><w:p><w:r><w:t>In a box</w:t></w:r></w:p></w:txbxContent></mc:Choice><mc:Fallback><w:txbxContent><w:p><w:r><w:t>In a box</w:t></w:r></w:p></w:txbxContent></mc:Fallback></mc:AlternateContent></w:r></w:p>"#,
    )
}

fn slide(title: &str, rest: &str) -> String {
    format!(
        r#"<p:sld xmlns:p="p" xmlns:a="a"><p:cSld><p:spTree>{rest}<p:sp><p:nvSpPr><p:nvPr><p:ph type="title"/></p:nvPr></p:nvSpPr><p:txBody><a:p><a:r><a:t>{title}</a:t></a:r></a:p></p:txBody></p:sp>
        <p:sp><p:nvSpPr><p:nvPr><p:ph type="sldNum"/></p:nvPr></p:nvSpPr><p:txBody><a:p><a:fld><a:t>7</a:t></a:fld></a:p></p:txBody></p:sp></p:spTree></p:cSld></p:sld>"#
    )
}

pub(crate) fn pptx() -> Vec<u8> {
    let text = |text: &str| {
        format!("<p:sp><p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>")
    };
    let table = r#"<p:graphicFrame><a:tbl><a:tr><a:tc><a:txBody><a:p><a:r><a:t>Quarter</a:t></a:r></a:p></a:txBody></a:tc><a:tc><a:txBody><a:p><a:r><a:t>Sold</a:t></a:r></a:p></a:txBody></a:tc></a:tr></a:tbl></p:graphicFrame>"#;
    let notes = format!(
        r#"<p:notes xmlns:p="p" xmlns:a="a"><p:sp><p:nvSpPr><p:nvPr><p:ph type="body" idx="1"/></p:nvPr></p:nvSpPr><p:txBody><a:p><a:r><a:t>Speak slowly.</a:t></a:r></a:p></p:txBody></p:sp>{}</p:notes>"#,
        text("not a note")
    );
    pack(&[
        ("[Content_Types].xml", TYPES.to_owned()),
        ("_rels/.rels", relations(&[("rId1", "officeDocument", "ppt/presentation.xml")])),
        (
            "ppt/presentation.xml",
            r#"<p:presentation xmlns:p="p" xmlns:r="r"><p:sldIdLst><p:sldId id="256" r:id="rId9"/><p:sldId id="257" r:id="rId2"/></p:sldIdLst></p:presentation>"#.to_owned(),
        ),
        (
            "ppt/_rels/presentation.xml.rels",
            relations(&[("rId2", "slide", "slides/slide1.xml"), ("rId9", "slide", "/ppt/slides/slide2.xml")]),
        ),
        ("ppt/slides/slide1.xml", slide("The second", table)),
        ("ppt/slides/slide2.xml", slide("The first", &text("Welcome to all"))),
        (
            "ppt/slides/_rels/slide2.xml.rels",
            relations(&[("rId1", "notesSlide", "../notesSlides/notesSlide1.xml")]),
        ),
        ("ppt/notesSlides/notesSlide1.xml", notes),
    ])
}

/// One sheet after the other: name, whether it is hidden, its `sheetData`.
pub(crate) fn xlsx_of(sheets: &[(&str, bool, &str)], strings: &str) -> Vec<u8> {
    let mut files = vec![
        ("[Content_Types].xml".to_owned(), TYPES.to_owned()),
        ("_rels/.rels".to_owned(), relations(&[("rId1", "officeDocument", "xl/workbook.xml")])),
    ];
    let mut workbook = String::from(
        r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>"#,
    );
    let mut parts = Vec::new();
    for (index, (name, is_hidden, data)) in sheets.iter().enumerate() {
        let (id, target) = (format!("rId{}", index + 10), format!("worksheets/sheet{index}.xml"));
        let state = if *is_hidden { r#" state="hidden""# } else { "" };
        let _ = write!(
            workbook,
            r#"<sheet name="{name}" sheetId="{}" r:id="{id}"{state}/>"#,
            index + 1
        );
        files.push((format!("xl/{target}"), format!(
            r#"<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><dimension ref="A1:XFD1048576"/><sheetData>{data}</sheetData></worksheet>"#
        )));
        parts.push((id, target));
    }
    let mut named: Vec<_> =
        parts.iter().map(|(id, target)| (id.as_str(), "worksheet", target.as_str())).collect();
    named
        .extend([("rId1", "styles", "styles.xml"), ("rId2", "sharedStrings", "sharedStrings.xml")]);
    files.push(("xl/_rels/workbook.xml.rels".to_owned(), relations(&named)));
    files.push(("xl/workbook.xml".to_owned(), workbook + "</sheets></workbook>"));
    files.push(("xl/sharedStrings.xml".to_owned(), strings.to_owned()));
    files.push(("xl/styles.xml".to_owned(), r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="10"/></cellXfs></styleSheet>"#.to_owned()));
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text)).collect();
    pack(&files.iter().map(|(name, text)| (*name, text.as_bytes())).collect::<Vec<_>>())
}

pub(crate) const STRINGS: &str = r#"<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" count="2" uniqueCount="2"><si><t>Item</t></si><si><r><t xml:space="preserve">Red </t></r><r><t>wine</t></r></si></sst>"#;

pub(crate) fn xlsx() -> Vec<u8> {
    let stock = r#"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>Since</t></is></c><c r="D1" t="inlineStr"><is><t>Share</t></is></c></row>
        <row r="3"><c r="A3" t="s"><v>1</v></c><c r="B3" s="1"><v>45322</v></c><c r="C3" t="b"><v>1</v></c><c r="D3" s="2"><f>1/8</f><v>0.125</v></c><c r="E3"><f>0.1+0.2</f><v>0.30000000000000004</v></c></row>"#;
    xlsx_of(
        &[
            ("Stock", false, stock),
            ("Secret", true, r#"<row r="1"><c r="A1"><v>42</v></c></row>"#),
            ("Totals", false, r#"<row r="2"><c r="B2"><f>SUM(Stock!E:E)</f><v>7</v></c></row>"#),
        ],
        STRINGS,
    )
}

pub(crate) fn odf_of(media_type: &str, body: &str) -> Vec<u8> {
    let content = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><office:document-content xmlns:office="o" xmlns:text="t" xmlns:table="tb" xmlns:draw="d" xmlns:presentation="p"><office:body>{body}</office:body></office:document-content>"#
    );
    pack(&[
        ("mimetype", media_type.to_owned()),
        ("content.xml", content),
        ("meta.xml", r#"<office:document-meta xmlns:office="o" xmlns:dc="dc"><office:meta><dc:title>A letter</dc:title></office:meta></office:document-meta>"#.to_owned()),
        ("META-INF/manifest.xml", "<manifest/>".to_owned()),
    ])
}

pub(crate) fn odt() -> Vec<u8> {
    odf_of(
        "application/vnd.oasis.opendocument.text",
        r#"<office:text><text:tracked-changes><text:changed-region><text:deletion><text:p>deleted</text:p></text:deletion></text:changed-region></text:tracked-changes>
        <text:h text:outline-level="2">Plan</text:h>
        <text:p>We  meet<text:s text:c="2"/>at
          noon<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>Or later.</text:p></text:note-body></text:note>.</text:p>
        <text:list><text:list-item><text:p>bread</text:p></text:list-item></text:list>
        <table:table table:name="T"><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell><table:table-cell table:number-columns-repeated="2"><text:p>b</text:p></table:table-cell></table:table-row></table:table></office:text>"#,
    )
}

pub(crate) fn ods() -> Vec<u8> {
    odf_of(
        "application/vnd.oasis.opendocument.spreadsheet",
        r#"<office:spreadsheet><table:table table:name="Sums"><table:table-row><table:table-cell><text:p>x</text:p></table:table-cell><table:table-cell table:number-columns-repeated="3"/><table:table-cell><text:p>1,5</text:p></table:table-cell><table:table-cell table:number-columns-repeated="16000"/></table:table-row>
        <table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="16384"/></table:table-row></table:table>
        <table:table table:name="More"><table:table-row><table:table-cell><text:p>y</text:p></table:table-cell><table:table-cell><text:p>z</text:p></table:table-cell></table:table-row></table:table></office:spreadsheet>"#,
    )
}

pub(crate) fn odp() -> Vec<u8> {
    odf_of(
        "application/vnd.oasis.opendocument.presentation",
        r#"<office:presentation><draw:page><draw:frame presentation:class="title"><draw:text-box><text:p>Hello</text:p></draw:text-box></draw:frame><draw:frame><draw:text-box><text:list><text:list-item><text:p>one point</text:p></text:list-item></text:list></draw:text-box></draw:frame></draw:page>
        <draw:page><draw:frame><draw:text-box><text:p>Bye</text:p></draw:text-box></draw:frame></draw:page></office:presentation>"#,
    )
}

pub(crate) fn epub_of(chapters: &[&str]) -> Vec<u8> {
    let (mut items, mut order) = (String::new(), String::new());
    for index in 0..chapters.len() {
        let _ = write!(
            items,
            r#"<item id="c{index}" href="text/ch%20{index}.xhtml" media-type="application/xhtml+xml"/>"#
        );
        let _ = write!(order, r#"<itemref idref="c{index}"/>"#);
    }
    let package = format!(
        r#"<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="dc"><dc:title>The Orchard</dc:title></metadata><manifest>{items}<item id="i" href="cover.png" media-type="image/png"/></manifest><spine><itemref idref="i"/>{order}</spine></package>"#
    );
    let mut files = vec![
        ("mimetype".to_owned(), "application/epub+zip".to_owned()),
        ("META-INF/container.xml".to_owned(), r#"<container><rootfiles><rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/></rootfiles></container>"#.to_owned()),
        ("OEBPS/content.opf".to_owned(), package),
    ];
    for (index, chapter) in chapters.iter().enumerate() {
        files.push((format!("OEBPS/text/ch {index}.xhtml"), format!(
            r#"<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title/><script src="x.js"/></head><body>{chapter}</body></html>"#
        )));
    }
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    pack(&files)
}

pub(crate) fn epub() -> Vec<u8> {
    epub_of(&[
        r#"<h1>Spring</h1><p><a id="p1"/>Buds open.</p>"#,
        "<h1>Summer</h1><p>Bees &amp; heat.</p>",
    ])
}

pub(crate) const EMAIL: &str = "From: =?utf-8?q?J=C3=BCrgen?= <jurgen@example.org>\r\nTo: ann@example.org, bob@example.org\r\nSubject: =?utf-8?b?R3LDvMOfZQ==?= from the sea\r\nDate: Fri, 21 Nov 1997 09:55:06 -0600\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: multipart/alternative; boundary=y\r\n\r\n--y\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nThe caf=E9 is open.\r\n\r\nCome soon!\r\n--y\r\nContent-Type: text/html\r\n\r\n<p>The other form</p>\r\n--y--\r\n--x\r\nContent-Type: application/pdf; name=menu.pdf\r\nContent-Disposition: attachment; filename=menu.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--x--\r\n";

pub(crate) const HTML: &str = r#"<!DOCTYPE html><html><head><title>Pears  and
 plums</title><style>p{}</style></head><body><script>alert(1)</script><h1>Pears</h1><p>They are <b>sweet</b>, and
 <i>soft</i>.<br>Eat them soon.</p><ul><li>Conference<li>Williams</ul><ol><li><p>wash</p></li><li>cut</li></ol>
<table><tr><th>Sort</th><th>Price</th></tr><tr><td>Plum</td><td>2 &euro;</td></tr></table><pre>  keep
    this</pre><p hidden>not shown</p><table><tr><td><h2>In a frame</h2><p>of a table</p></td></tr></table></body></html>"#;

pub(crate) const MARKDOWN: &str = "# Bread\n\nFlour and *water*,\nand time.\n\n## Steps\n\n- mix\n- wait\n\n```\nlet x = 1;\n\nlet y = 2;\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n[link]: https://example.org\n";

pub(crate) const CODE: &str = "use std::io;\n\n/// Adds.\nfn add(a: u8, b: u8) -> u8 {\n    let sum = a + b;\n\n    sum\n}\n\nfn main() {}\n";

/// Text on a page: x, y from below, size, font (0 plain, 1 bold) and what it says.
pub(crate) type Shown<'a> = (f64, f64, f64, usize, &'a str);

pub(crate) fn pdf_of(pages: &[Vec<Shown<'_>>]) -> Vec<u8> {
    let mut streams = Vec::new();
    for page in pages {
        let mut stream = String::from("BT\n");
        for (x, y, size, font, text) in page {
            let text = text.replace('\\', "\\\\").replace('(', "\\(").replace(')', "\\)");
            let _ = writeln!(stream, "/F{font} {size} Tf 1 0 0 1 {x} {y} Tm ({text}) Tj");
        }
        streams.push(stream + "ET");
    }
    pdf_with(&streams)
}

/// A PDF with these instructions on its pages.
pub(crate) fn pdf_with(streams: &[String]) -> Vec<u8> {
    let font = |name: &str| {
        format!("<< /Type /Font /Subtype /Type1 /BaseFont /{name} /Encoding /WinAnsiEncoding >>")
    };
    let kids: Vec<_> = (0..streams.len()).map(|index| format!("{} 0 R", 6 + 2 * index)).collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Count {} /Kids [{}] >>", streams.len(), kids.join(" ")),
        font("Helvetica"),
        font("Helvetica-Bold"),
        "<< /Title (On gardens) >>".to_owned(),
    ];
    for (index, stream) in streams.iter().enumerate() {
        objects.push(format!("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F0 3 0 R /F1 4 0 R >> >> /Contents {} 0 R >>", 7 + 2 * index));
        objects.push(format!("<< /Length {} >>\nstream\n{stream}\nendstream", stream.len()));
    }
    pdf_of_objects(&objects, "/Root 1 0 R /Info 5 0 R")
}

/// A PDF of pages that all show the same.
pub(crate) fn pdf_of_pages(stream: &str, pages: usize) -> Vec<u8> {
    let kids: String =
        (5..5 + pages).fold(String::new(), |kids, id| kids + &id.to_string() + " 0 R ");
    let page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 3 0 R /Resources << /Font << /F0 4 0 R >> >> >>";
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Count {pages} /Kids [{kids}] >>"),
        format!("<< /Length {} >>\nstream\n{stream}\nendstream", stream.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    objects.extend(std::iter::repeat_n(page.to_owned(), pages));
    pdf_of_objects(&objects, "/Root 1 0 R")
}

pub(crate) fn pdf_of_objects(objects: &[String], trailer: &str) -> Vec<u8> {
    let mut pdf = String::from("%PDF-1.7\n");
    let mut places = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        places.push(pdf.len());
        let _ = write!(pdf, "{} 0 obj\n{object}\nendobj\n", index + 1);
    }
    let start = pdf.len();
    let _ = write!(pdf, "xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for place in places {
        let _ = writeln!(pdf, "{place:010} 00000 n ");
    }
    let _ = write!(
        pdf,
        "trailer\n<< /Size {} {trailer} >>\nstartxref\n{start}\n%%EOF\n",
        objects.len() + 1
    );
    pdf.into_bytes()
}

pub(crate) fn pdf() -> Vec<u8> {
    pdf_of(&[
        vec![
            (72.0, 770.0, 24.0, 0, "Gardens of the north"),
            (
                72.0,
                720.0,
                11.0,
                0,
                "A garden needs little more than water, some patience and a lot of infor-",
            ),
            (72.0, 706.0, 11.0, 0, "mation about its soil. It gives more than it takes."),
            (72.0, 676.0, 14.0, 1, "What grows"),
            (72.0, 656.0, 11.0, 0, "Nearly everything grows if it is planted in time."),
            (72.0, 620.0, 11.0, 0, "Plant"),
            (250.0, 620.0, 11.0, 0, "Month"),
            (72.0, 606.0, 11.0, 0, "Beans"),
            (250.0, 606.0, 11.0, 0, "May"),
        ],
        vec![(72.0, 770.0, 11.0, 0, "The second page ends here.")],
    ])
}

/// Each kind of file, with a name.
pub(crate) fn all() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("a.pdf", pdf()),
        ("a.docx", docx()),
        ("a.pptx", pptx()),
        ("a.xlsx", xlsx()),
        ("a.odt", odt()),
        ("a.ods", ods()),
        ("a.odp", odp()),
        ("a.html", HTML.into()),
        ("a.md", MARKDOWN.into()),
        ("a.txt", "One line.\n\nAnother paragraph,\nof two lines.\n".into()),
        ("a.csv", "name;sum\n\"Smith; Ann\";1,5\n".into()),
        ("a.epub", epub()),
        ("a.eml", EMAIL.into()),
        ("a.rs", CODE.into()),
    ]
}
