//! A conversation as plain HTML: no script, nothing from elsewhere, raw HTML as text.

use std::fmt::Write as _;

use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use unbroken_protocol::{ArchivedConversation, Citation, Role, SharedPage};

/// The style of pages and files.
pub const STYLE: &str = include_str!("page.css");

/// What is shown of a message.
struct Shown<'a> {
    role: Role,
    content: &'a str,
    model: Option<&'a str>,
    citations: &'a [Citation],
    reasoning: &'a str,
    error: Option<&'a str>,
}

/// A file that shows everything by itself: the branch that is shown, without times.
pub fn file(conversation: &ArchivedConversation) -> String {
    let policy = "<meta http-equiv=\"Content-Security-Policy\" \
                  content=\"default-src 'none'; style-src 'unsafe-inline'\">";
    let head = format!("{policy}<style>{STYLE}</style>");
    let messages = conversation.shown().into_iter().filter(|said| said.role != Role::System);
    let messages = messages.map(|message| {
        let answer = message.answer.as_ref();
        Shown {
            role: message.role,
            content: &message.content,
            model: answer.map(|answer| answer.model_name.as_str()),
            citations: answer.map(|answer| answer.citations.as_slice()).unwrap_or_default(),
            reasoning: answer.map(|answer| answer.reasoning.as_str()).unwrap_or_default(),
            error: answer.and_then(|answer| answer.error.as_deref()),
        }
    });
    document(&conversation.title, messages, &head, "", "You")
}

/// A page of this server; its style is at `style`.
pub fn page(page: &SharedPage, style: &str, note: &str) -> String {
    let head = format!(
        "<meta name=\"robots\" content=\"noindex, nofollow\">\
         <link rel=\"stylesheet\" href=\"{}\">",
        escaped(style)
    );
    let messages = page.messages.iter().map(|message| Shown {
        role: message.role,
        content: &message.content,
        model: message.model.as_deref(),
        citations: &message.citations,
        reasoning: "",
        error: None,
    });
    // Whoever reads it did not ask.
    document(&page.title, messages, &head, note, "Question")
}

fn document<'a>(
    title: &str,
    messages: impl Iterator<Item = Shown<'a>>,
    head: &str,
    note: &str,
    person: &str,
) -> String {
    let title = escaped(if title.trim().is_empty() { "Conversation" } else { title });
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
    for (at, message) in messages.enumerate() {
        section(&mut out, at, &message, person);
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn section(out: &mut String, at: usize, message: &Shown<'_>, person: &str) {
    let is_said = !message.content.trim().is_empty();
    if !is_said && message.reasoning.trim().is_empty() && message.error.is_none() {
        return;
    }
    let who = match (message.model, message.role) {
        (Some(model), _) if !model.is_empty() => model,
        (_, Role::User) => person,
        _ => "Answer",
    };
    let class = if message.role == Role::User { "you" } else { "answer" };
    let _ = writeln!(out, "<section class=\"{class}\">\n<h2>{}</h2>", escaped(who));
    if !message.reasoning.trim().is_empty() {
        out.push_str("<details>\n<summary>Reasoning</summary>\n<div class=\"text\" dir=\"auto\">");
        markdown(out, &format!("{at}-reasoning"), message.reasoning);
        out.push_str("</div>\n</details>\n");
    }
    if is_said {
        out.push_str("<div class=\"text\" dir=\"auto\">");
        if message.role == Role::User {
            // What a person typed is shown as it was typed.
            let _ = write!(out, "<p class=\"typed\">{}</p>", escaped(message.content.trim()));
        } else {
            markdown(out, &at.to_string(), message.content);
        }
        out.push_str("</div>\n");
    }
    if let Some(error) = message.error {
        let _ = writeln!(out, "<p class=\"note\">{}</p>", escaped(error));
    }
    sources(out, message.citations);
    out.push_str("</section>\n");
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
/// [`is_safe`] its text. Footnotes are those of the text that is called `of`.
fn markdown(out: &mut String, of: &str, text: &str) {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_MATH;
    let mut leads_nowhere = false;
    let mut footnotes: Vec<CowStr<'_>> = Vec::new();
    let mut number = move |name: CowStr<'_>| {
        let known = footnotes.iter().position(|footnote| *footnote == name);
        known.unwrap_or_else(|| {
            footnotes.push(name.into_static());
            footnotes.len() - 1
        }) + 1
    };
    let events = Parser::new_ext(text, options).flat_map(|event| match event {
        Event::Html(raw) | Event::InlineHtml(raw) => one(Event::Text(raw)),
        Event::Start(Tag::HtmlBlock) => one(Event::Start(Tag::Paragraph)),
        Event::End(TagEnd::HtmlBlock) => one(Event::End(TagEnd::Paragraph)),
        // TeX stays as it was written: the page has nothing that lays it out.
        Event::InlineMath(tex) => one(Event::Text(format!("${tex}$").into())),
        Event::DisplayMath(tex) => one(Event::Text(format!("$${tex}$$").into())),
        Event::FootnoteReference(name) => {
            let number = number(name);
            let link = format!("<sup><a href=\"#note-{of}-{number}\">{number}</a></sup>");
            one(Event::InlineHtml(link.into()))
        }
        Event::Start(Tag::FootnoteDefinition(name)) => {
            let number = number(name);
            let begin = format!("<div class=\"note\" id=\"note-{of}-{number}\">\n{number}.\n");
            one(Event::Html(begin.into()))
        }
        Event::End(TagEnd::FootnoteDefinition) => one(Event::Html("</div>\n".into())),
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
    use unbroken_protocol::{
        ArchivedAnswer, ArchivedMessage, ConversationId, MessageId, SharedMessage, Timestamp,
    };

    use super::*;
    use crate::tree::answer;

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

    /// The same as a conversation.
    fn archived(page: SharedPage) -> ArchivedConversation {
        let at = Timestamp::from_millis(0);
        let message = |shared: SharedMessage| ArchivedMessage {
            message_id: MessageId::from_bytes([1; 16]),
            parent_id: None,
            role: shared.role,
            content: shared.content,
            created_at: at,
            sources: Vec::new(),
            answer: shared
                .model
                .map(|model| ArchivedAnswer { citations: shared.citations, ..answer(&model, at) }),
        };
        ArchivedConversation {
            conversation_id: ConversationId::from_bytes([1; 16]),
            title: page.title,
            model: String::new(),
            created_at: at,
            updated_at: at,
            pinned: false,
            archived: false,
            folder: None,
            selected_message_id: MessageId::from_bytes([1; 16]),
            messages: page.messages.into_iter().map(message).collect(),
        }
    }

    #[test]
    fn reasoning_and_what_failed_is_in_a_file() {
        let mut conversation = archived(shared(Role::Assistant, ""));
        let answer = conversation.messages[0].answer.as_mut().expect("it is an answer");
        answer.reasoning = "*Hm* <b>".into();
        answer.error = Some("No <whale>.".into());
        let html = file(&conversation);
        assert!(html.contains("<summary>Reasoning</summary>"), "{html}");
        assert!(html.contains("<em>Hm</em> &lt;b&gt;"), "{html}");
        assert!(html.contains("<p class=\"note\">No &lt;whale&gt;.</p>"), "{html}");
    }

    #[test]
    fn a_footnote_is_linked_and_tex_stays_as_it_was_written() {
        let mut out = String::new();
        markdown(&mut out, "3", "So[^a] $a_1 + b_1$.\n\n[^a]: It *is*.\n");
        assert!(out.contains("<sup><a href=\"#note-3-1\">1</a></sup>"), "{out}");
        assert!(out.contains("<div class=\"note\" id=\"note-3-1\">"), "{out}");
        assert!(out.contains("<em>is</em>") && out.contains("$a_1 + b_1$"), "{out}");
    }

    #[test]
    fn nothing_that_somebody_wrote_becomes_html() {
        let text = "<script>alert(1)</script>\n\n<img src=x onerror=alert(1)> a <b onclick=x>b</b>\n\n\
                    [x](javascript:alert(1)) [y](data:text/html,x) ![z](https://evil.example/z.png)\n\n\
                    ```js\"><script>\n</code><script>\n```\n";
        for role in [Role::User, Role::Assistant] {
            let (file, page) =
                (file(&archived(shared(role, text))), page(&shared(role, text), "/s.css", "<u>"));
            for html in [file, page] {
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

    const OURS: [&str; 22] = [
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
        "sup",
    ];

    proptest::proptest! {
        #[test]
        fn only_tags_of_our_own_come_out(text in "[-<>a-z/\"'`()\\[\\]!:#*^$ \n&;=]{0,80}") {
            let mut out = String::new();
            markdown(&mut out, "0", &text);
            for tag in out.split('<').skip(1) {
                let name: String = tag.trim_start_matches('/').chars()
                    .take_while(char::is_ascii_alphanumeric).collect();
                assert!(OURS.contains(&name.as_str()), "<{tag} of {text:?}");
            }
        }
    }
}
