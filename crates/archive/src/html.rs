//! A conversation as plain HTML: no script, nothing from elsewhere, raw HTML as text.

use std::fmt::Write as _;

use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use unbroken_protocol::{Citation, Role, SharedPage};

/// The style of pages and files.
pub const STYLE: &str = include_str!("page.css");

/// A file that shows everything by itself.
pub fn file(page: &SharedPage) -> String {
    let policy = "<meta http-equiv=\"Content-Security-Policy\" \
                  content=\"default-src 'none'; style-src 'unsafe-inline'\">";
    document(page, &format!("{policy}<style>{STYLE}</style>"), "", "You")
}

/// A page of this server; its style is at `style`.
pub fn page(page: &SharedPage, style: &str, note: &str) -> String {
    let head = format!(
        "<meta name=\"robots\" content=\"noindex, nofollow\">\
         <link rel=\"stylesheet\" href=\"{}\">",
        escaped(style)
    );
    // Whoever reads it did not ask.
    document(page, &head, note, "Question")
}

fn document(page: &SharedPage, head: &str, note: &str, person: &str) -> String {
    let title = escaped(if page.title.trim().is_empty() { "Conversation" } else { &page.title });
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n{head}\n<title>{title}</title>\n\
         </head>\n<body>\n<main>\n<h1 dir=\"auto\">{title}</h1>\n"
    );
    if !note.is_empty() {
        let _ = writeln!(out, "<p class=\"note\">{}</p>", escaped(note));
    }
    for message in &page.messages {
        let who = match (&message.model, message.role) {
            (Some(model), _) if !model.is_empty() => model.as_str(),
            (_, Role::User) => person,
            _ => "Answer",
        };
        let class = if message.role == Role::User { "you" } else { "answer" };
        let _ = writeln!(out, "<section class=\"{class}\">\n<h2>{}</h2>", escaped(who));
        out.push_str("<div class=\"text\" dir=\"auto\">");
        if message.role == Role::User {
            // What a person typed is shown as it was typed.
            let _ = write!(out, "<p class=\"typed\">{}</p>", escaped(message.content.trim()));
        } else {
            markdown(&mut out, &message.content);
        }
        out.push_str("</div>\n");
        sources(&mut out, &message.citations);
        out.push_str("</section>\n");
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn sources(out: &mut String, citations: &[Citation]) {
    if citations.is_empty() {
        return;
    }
    out.push_str("<ul class=\"sources\" aria-label=\"Sources\">\n");
    for citation in citations {
        let title = escaped(&citation.title);
        let _ = match citation.url.as_deref().filter(|url| is_safe(url)) {
            Some(url) => writeln!(
                out,
                "<li>[{}] <a href=\"{}\" rel=\"noopener noreferrer nofollow\">{title}</a></li>",
                citation.index,
                escaped(url)
            ),
            None => writeln!(out, "<li>[{}] {title}</li>", citation.index),
        };
    }
    out.push_str("</ul>\n");
}

/// Only what a person would follow on purpose.
fn is_safe(url: &str) -> bool {
    let lower = url.trim().to_ascii_lowercase();
    ["https://", "http://", "mailto:"].iter().any(|scheme| lower.starts_with(scheme))
}

/// Raw HTML becomes text, an image the text that stands for it, and a link that is none of
/// [`is_safe`] its text.
fn markdown(out: &mut String, text: &str) {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut leads_nowhere = false;
    let events = Parser::new_ext(text, options).flat_map(|event| match event {
        Event::Html(raw) | Event::InlineHtml(raw) => one(Event::Text(raw)),
        Event::Start(Tag::HtmlBlock) => one(Event::Start(Tag::Paragraph)),
        Event::End(TagEnd::HtmlBlock) => one(Event::End(TagEnd::Paragraph)),
        // An image would be a request to elsewhere.
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => [None, None],
        Event::Start(Tag::Link { ref dest_url, .. }) => {
            leads_nowhere = !is_safe(dest_url);
            if leads_nowhere { [None, None] } else { one(event) }
        }
        Event::End(TagEnd::Link) if leads_nowhere => [None, None],
        // The page has the first two levels.
        Event::Start(Tag::Heading { .. }) => one(Event::Start(Tag::Heading {
            level: HeadingLevel::H3,
            id: None,
            classes: Vec::new(),
            attrs: Vec::new(),
        })),
        Event::End(TagEnd::Heading(_)) => one(Event::End(TagEnd::Heading(HeadingLevel::H3))),
        // A box would want a name, and to be pressed.
        Event::TaskListMarker(done) => one(Event::Text(if done { "☑ " } else { "☐ " }.into())),
        Event::Start(Tag::Table(_)) => [Some(Event::Html(scrolls("Table"))), Some(event)],
        Event::Start(Tag::CodeBlock(_)) => [Some(Event::Html(scrolls("Code"))), Some(event)],
        Event::End(TagEnd::Table | TagEnd::CodeBlock) => {
            [Some(event), Some(Event::Html("</div>\n".into()))]
        }
        event => one(event),
    });
    pulldown_cmark::html::push_html(out, events.flatten());
}

fn one(event: Event<'_>) -> [Option<Event<'_>>; 2] {
    [Some(event), None]
}

/// Begins what may be wider than the page: a keyboard scrolls what it can get to.
fn scrolls(name: &str) -> CowStr<'static> {
    format!("<div class=\"scrolls\" role=\"group\" aria-label=\"{name}\" tabindex=\"0\">").into()
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            char => out.push(char),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use unbroken_protocol::SharedMessage;

    use super::*;

    fn shared(role: Role, content: &str) -> SharedPage {
        let citation = Citation {
            index: 1,
            source_type: "web".into(),
            title: "<b>t</b>".into(),
            url: Some("javascript:alert(1)".into()),
            file_id: None,
            page: None,
            passage: None,
            quote: String::new(),
            score: None,
        };
        let message = SharedMessage {
            role,
            content: content.into(),
            model: (role == Role::Assistant).then(|| "<i>m</i>".into()),
            citations: vec![citation],
        };
        SharedPage { title: "</title><script>".into(), messages: vec![message] }
    }

    #[test]
    fn nothing_that_somebody_wrote_becomes_html() {
        let text = "<script>alert(1)</script>\n\n<img src=x onerror=alert(1)> a <b onclick=x>b</b>\n\n\
                    [x](javascript:alert(1)) [y](data:text/html,x) ![z](https://evil.example/z.png)\n\n\
                    ```js\"><script>\n</code><script>\n```\n";
        for role in [Role::User, Role::Assistant] {
            for html in [file(&shared(role, text)), page(&shared(role, text), "/s.css", "<u>")] {
                for bad in
                    ["<script", "<img", "<b ", "<i>", "<b>", "<u>", "src=", "evil.example/z.png\""]
                {
                    assert!(!html.contains(&bad.replace("src=", "<x src=")), "{bad}: {html}");
                }
                for bad in ["href=\"javascript", "href=\"data"] {
                    assert!(!html.contains(bad), "{bad}: {html}");
                }
            }
        }
    }

    const OURS: [&str; 21] = [
        "p",
        "em",
        "strong",
        "code",
        "pre",
        "ul",
        "ol",
        "li",
        "a",
        "h3",
        "blockquote",
        "hr",
        "br",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "del",
        "div",
    ];

    proptest::proptest! {
        #[test]
        fn only_tags_of_our_own_come_out(text in "[-<>a-z/\"'`()\\[\\]!:#* \n&;=]{0,80}") {
            let mut out = String::new();
            markdown(&mut out, &text);
            for tag in out.split('<').skip(1) {
                let name: String = tag.trim_start_matches('/').chars()
                    .take_while(char::is_ascii_alphanumeric).collect();
                assert!(OURS.contains(&name.as_str()), "<{tag} of {text:?}");
            }
        }
    }
}
