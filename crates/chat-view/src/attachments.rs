//! What goes along with messages that are being written: files on their way to the server, and
//! what is there. One list holds those of every draft, so that sending goes on while another
//! conversation is looked at.

use unbroken_protocol::{CollectionInfo, FileInfo, FileState, MessageSource, Source, WEB, limits};

use crate::composer::DRAFT;
use crate::language::plain_name;

/// The draft that an edit of a sent message is. It is not kept.
pub const EDIT: &str = "edit";

/// How many a message takes: one source is left for the web.
pub const MOST: usize = limits::SOURCES - 1;

const KEPT: &str = ":files";

/// Something that goes along with a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Attachment {
    /// Names it on this page.
    pub key: u64,
    /// The key of the draft that it belongs to.
    pub draft: String,
    pub name: String,
    pub state: State,
}

#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// On its way, or about to be: how many of its bytes are sent.
    Sending(f64),
    /// It did not arrive: why, and whether it may the next time.
    Unsent { reason: String, again: bool },
    /// The server has it.
    There(Box<MessageSource>),
}

/// Whether a message can go with what is attached to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    Ready,
    /// Some of it is on its way.
    Sending,
    /// Some of it did not arrive, or cannot be read.
    Stuck,
}

/// The attachments of all drafts, each in its order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attachments {
    all: Vec<Attachment>,
    next_key: u64,
}

impl Attachments {
    pub fn all(&self) -> &[Attachment] {
        &self.all
    }

    /// Those of a draft.
    pub fn of(&self, draft: &str) -> impl Iterator<Item = &Attachment> {
        self.all.iter().filter(move |attachment| attachment.draft == draft)
    }

    pub fn get(&self, key: u64) -> Option<&Attachment> {
        self.all.iter().find(|attachment| attachment.key == key)
    }

    /// A file that has to be sent: its key; `None` when the message takes no more.
    pub fn add(&mut self, draft: &str, name: String) -> Option<u64> {
        self.push(draft, name, State::Sending(0.0))
    }

    /// What the server has already; `false` when the message takes not all of it. What the draft
    /// holds is not doubled, and what was deleted, which has no name any more, is left out. So is
    /// the web, which has a switch of its own.
    pub fn bring(&mut self, draft: &str, sources: Vec<MessageSource>) -> bool {
        let mut all_fit = true;
        for source in sources {
            let wanted = source_of(&source);
            let is_known = self.sources(draft).any(|known| source_of(known) == wanted);
            let name = match &wanted {
                Some(Source::Url { url }) => Some(url.clone()),
                Some(Source::File { .. } | Source::Collection { .. }) => source.name.clone(),
                Some(Source::Web) | None => None,
            };
            if let Some(name) = name.filter(|_| !is_known) {
                all_fit &= self.push(draft, name, State::There(Box::new(source))).is_some();
            }
        }
        all_fit
    }

    fn push(&mut self, draft: &str, name: String, state: State) -> Option<u64> {
        if self.of(draft).count() >= MOST {
            return None;
        }
        self.next_key += 1;
        self.all.push(Attachment { key: self.next_key, draft: draft.to_owned(), name, state });
        Some(self.next_key)
    }

    /// So many bytes of a file are on their way.
    pub fn sent(&mut self, key: u64, bytes: f64) {
        self.put(key, State::Sending(bytes));
    }

    pub fn failed(&mut self, key: u64, reason: String, again: bool) {
        self.put(key, State::Unsent { reason, again });
    }

    /// The server has the file. `false` when it was attached already, and is not twice.
    pub fn arrived(&mut self, key: u64, file: &FileInfo) -> bool {
        let id = file.file_id.to_string();
        let Some(draft) = self.get(key).map(|attachment| attachment.draft.clone()) else {
            return true;
        };
        if self.sources(&draft).any(|known| known.file_id.as_ref() == Some(&id)) {
            self.remove(key);
            return false;
        }
        self.put(key, State::There(Box::new(file_source(file))));
        true
    }

    /// A file of the person's stands like that now.
    pub fn changed(&mut self, id: &str, state: FileState) {
        for attachment in &mut self.all {
            if let State::There(source) = &mut attachment.state
                && source.file_id.as_deref() == Some(id)
            {
                source.state = Some(state);
            }
        }
    }

    /// A file or collection was deleted.
    pub fn deleted(&mut self, id: &str) {
        self.all.retain(|attachment| match &attachment.state {
            State::There(source) => {
                let ids = [source.file_id.as_deref(), source.collection_id.as_deref()];
                !ids.contains(&Some(id))
            }
            _ => true,
        });
    }

    fn put(&mut self, key: u64, state: State) {
        if let Some(known) = self.all.iter_mut().find(|attachment| attachment.key == key) {
            known.state = state;
        }
    }

    pub fn remove(&mut self, key: u64) {
        self.all.retain(|attachment| attachment.key != key);
    }

    /// What the server has of a draft's.
    pub fn sources(&self, draft: &str) -> impl Iterator<Item = &MessageSource> {
        self.of(draft).filter_map(|attachment| match &attachment.state {
            State::There(source) => Some(&**source),
            _ => None,
        })
    }

    pub fn readiness(&self, draft: &str) -> Readiness {
        let mut readiness = Readiness::Ready;
        for attachment in self.of(draft) {
            match &attachment.state {
                State::Sending(_) => return Readiness::Sending,
                State::Unsent { .. } => readiness = Readiness::Stuck,
                State::There(source) if source.state == Some(FileState::Refused) => {
                    readiness = Readiness::Stuck;
                }
                State::There(_) => {}
            }
        }
        readiness
    }

    /// Takes all of a draft's out: what the server has goes along with the message.
    pub fn take(&mut self, draft: &str) -> Vec<MessageSource> {
        let sources = self.sources(draft).cloned().collect();
        self.all.retain(|attachment| attachment.draft != draft);
        sources
    }

    /// Follows what another tab keeps of a draft. What is on its way here stays.
    pub fn follow(&mut self, draft: &str, sources: Vec<MessageSource>) {
        let is_left = |attachment: &Attachment| match &attachment.state {
            State::There(known) if attachment.draft == draft => {
                sources.iter().any(|source| source_of(source) == source_of(known))
            }
            _ => true,
        };
        self.all.retain(is_left);
        self.bring(draft, sources);
    }
}

/// The key under which what a draft has on the server is kept.
pub fn kept_key(draft: &str) -> Option<String> {
    draft.starts_with(DRAFT).then(|| format!("{draft}{KEPT}"))
}

/// The draft of a [`kept_key`].
pub fn draft_of(key: &str) -> Option<&str> {
    key.strip_suffix(KEPT).filter(|draft| draft.starts_with(DRAFT))
}

/// Sources as they are kept, in a line.
pub fn written<'a>(sources: impl Iterator<Item = &'a MessageSource>) -> String {
    let sources: Vec<_> = sources.collect();
    if sources.is_empty() {
        String::new()
    } else {
        serde_json::to_string(&sources).unwrap_or_default()
    }
}

/// What [`written`] wrote.
pub fn read(written: &str) -> Vec<MessageSource> {
    let sources = serde_json::from_str(written).and_then(serde_json::from_value);
    sources.unwrap_or_default()
}

/// The same with a search of the web, once.
pub fn with_web(written: &str) -> String {
    let web = format!("{{\"type\":\"{WEB}\"}}");
    match written.strip_suffix(']') {
        Some(_) if written.contains(&web) => written.to_owned(),
        Some(list) => format!("{list},{web}]"),
        None => format!("[{web}]"),
    }
}

/// The same without a search of the web.
pub fn without_web(written: &str) -> String {
    self::written(read(written).iter().filter(|source| source.kind != WEB))
}

/// What of [`written`] goes along with a message; `None` when that is nothing.
pub fn sources_of(written: &str) -> Option<Vec<Source>> {
    let sources: Vec<_> = read(written).iter().filter_map(source_of).collect();
    (!sources.is_empty()).then_some(sources)
}

/// As what something goes along with a message; `None` of what this app does not know.
pub fn source_of(source: &MessageSource) -> Option<Source> {
    let source = source.clone();
    match source.kind.as_str() {
        "web" => Some(Source::Web),
        "file" => source.file_id.map(|file_id| Source::File { file_id }),
        "collection" => {
            source.collection_id.map(|collection_id| Source::Collection { collection_id })
        }
        "url" => source.url.map(|url| Source::Url { url }),
        _ => None,
    }
}

/// A file as a source.
pub fn file_source(file: &FileInfo) -> MessageSource {
    MessageSource {
        kind: "file".to_owned(),
        file_id: Some(file.file_id.to_string()),
        collection_id: None,
        url: None,
        name: Some(file.name.clone()),
        state: Some(file.state),
    }
}

/// A collection as a source.
pub fn collection_source(collection: &CollectionInfo) -> MessageSource {
    MessageSource {
        kind: "collection".to_owned(),
        file_id: None,
        collection_id: Some(collection.collection_id.to_string()),
        url: None,
        name: Some(collection.name.clone()),
        state: None,
    }
}

/// An address of a page as a source.
pub fn url_source(url: String) -> MessageSource {
    MessageSource {
        kind: "url".to_owned(),
        file_id: None,
        collection_id: None,
        url: Some(url),
        name: None,
        state: None,
    }
}

/// Whether browsers show such a file as a picture.
pub fn is_picture(media_type: &str) -> bool {
    matches!(media_type, "image/png" | "image/jpeg" | "image/gif" | "image/webp")
}

/// A name in two parts, of which only the first is cut where there is no room: the second has the
/// ending and what stands before it.
pub fn parts(name: &str) -> (String, String) {
    let name = plain_name(name);
    let dot = name.rfind('.').filter(|at| *at > 0 && name.len() - at <= 10);
    let mut at = dot.unwrap_or(name.len());
    // Letters of other scripts may be one with those before them.
    let is_plain = |letter: &u8| letter.is_ascii_alphanumeric();
    let plain = name.as_bytes()[..at].iter().rev().take(6).take_while(|l| is_plain(l)).count();
    at -= plain;
    let end = name.get(at..).unwrap_or_default().to_owned();
    (name.get(..at).unwrap_or_default().to_owned(), end)
}

#[cfg(test)]
mod tests {
    use unbroken_protocol::{FileId, Timestamp};

    use super::*;

    const HOME: &str = "draft:new";

    fn file(id: u8, state: FileState) -> FileInfo {
        FileInfo {
            file_id: FileId::from_bytes([id; 16]),
            name: format!("{id}.pdf"),
            media_type: "application/pdf".to_owned(),
            bytes: 7,
            state,
            reason: None,
            reason_code: None,
            pages: None,
            created_at: Timestamp::from_millis(0),
        }
    }

    fn names(attachments: &Attachments, draft: &str) -> Vec<String> {
        attachments.of(draft).map(|attachment| attachment.name.clone()).collect()
    }

    #[test]
    fn a_search_of_the_web_goes_along_once_and_is_taken_off_again() {
        let file = file_source(&file(1, FileState::Ready));
        let kept = written(std::iter::once(&file));
        for before in ["", &kept] {
            let with = with_web(before);
            assert_eq!(with_web(&with), with);
            assert!(sources_of(&with).unwrap().contains(&Source::Web));
            assert_eq!(without_web(&with), before);
        }
    }

    #[test]
    fn the_web_is_no_attachment_and_has_its_place_beside_as_many_as_there_may_be() {
        let mut all = Attachments::default();
        assert!(all.bring(HOME, read(&with_web(""))));
        assert_eq!(all.of(HOME).count(), 0);
        let files = |ids: std::ops::RangeInclusive<u8>| {
            ids.map(|id| file_source(&file(id, FileState::Ready))).collect::<Vec<_>>()
        };
        assert!(all.bring(HOME, files(1..=18)));
        all.add(HOME, "the last".into()).unwrap();
        assert_eq!(all.add(HOME, "one more".into()), None);
        assert!(!all.bring(HOME, files(18..=19)));
        assert!(all.bring(HOME, files(1..=18)), "what it has already");
        assert_eq!(all.of(HOME).count(), limits::SOURCES - 1);
        assert!(all.bring(EDIT, files(1..=1)), "each message by itself");
    }

    #[test]
    fn a_message_waits_for_what_is_sent_and_not_for_what_is_read() {
        let mut all = Attachments::default();
        assert_eq!(all.readiness(HOME), Readiness::Ready);
        let [first, second] = ["a", "b"].map(|name| all.add(HOME, name.into()).unwrap());
        all.failed(first, "no".into(), true);
        assert_eq!(all.readiness(HOME), Readiness::Sending);
        assert_eq!(all.readiness("draft:other"), Readiness::Ready);
        all.arrived(second, &file(2, FileState::Processing));
        assert_eq!(all.readiness(HOME), Readiness::Stuck);
        all.remove(first);
        assert_eq!(all.readiness(HOME), Readiness::Ready);
        let id = FileId::from_bytes([2; 16]).to_string();
        all.changed(&id, FileState::Refused);
        assert_eq!(all.readiness(HOME), Readiness::Stuck);
        all.deleted(&id);
        assert_eq!(all.readiness(HOME), Readiness::Ready);
    }

    #[test]
    fn files_keep_their_order_however_they_arrive_and_none_is_twice() {
        let mut all = Attachments::default();
        let keys = ["a", "b", "c"].map(|name| all.add(HOME, name.into()).unwrap());
        assert!(all.arrived(keys[1], &file(2, FileState::Ready)));
        assert!(all.arrived(keys[0], &file(1, FileState::Ready)));
        assert!(!all.arrived(keys[2], &file(1, FileState::Ready)), "the same bytes");
        assert_eq!(names(&all, HOME), ["a", "b"]);
        all.bring(HOME, vec![file_source(&file(1, FileState::Ready))]);
        let deleted = MessageSource { name: None, ..file_source(&file(3, FileState::Ready)) };
        all.bring(HOME, vec![deleted]);
        assert_eq!(names(&all, HOME), ["a", "b"]);
    }

    #[test]
    fn sending_takes_what_is_there_out_of_that_draft_alone() {
        let mut all = Attachments::default();
        all.bring(HOME, vec![file_source(&file(1, FileState::Ready))]);
        all.bring(EDIT, vec![file_source(&file(1, FileState::Ready))]);
        assert_eq!(all.take(HOME).len(), 1);
        assert_eq!((names(&all, HOME).len(), names(&all, EDIT).len()), (0, 1));
    }

    #[test]
    fn what_is_kept_is_read_as_it_was_and_anything_else_as_nothing() {
        let sources = vec![file_source(&file(1, FileState::Processing))];
        assert_eq!(read(&written(sources.iter())), sources);
        let file_id = FileId::from_bytes([1; 16]).to_string();
        assert_eq!(sources_of(&written(sources.iter())), Some(vec![Source::File { file_id }]));
        assert_eq!((written([].into_iter()).as_str(), sources_of("")), ("", None));
        for damaged in ["", "[", "{}", "[7]", "temporary"] {
            assert!(read(damaged).is_empty(), "{damaged}");
        }
        assert_eq!(kept_key(HOME).as_deref(), Some("draft:new:files"));
        assert_eq!(kept_key(EDIT), None);
        assert_eq!(draft_of("draft:new:files"), Some(HOME));
        assert_eq!([HOME, "files", "outbox.7:files"].map(draft_of), [None; 3]);
    }

    #[test]
    fn another_tab_is_followed_and_what_is_on_its_way_stays() {
        let mut all = Attachments::default();
        all.bring(HOME, vec![file_source(&file(1, FileState::Ready))]);
        all.add(HOME, "on its way".into());
        all.follow(HOME, vec![file_source(&file(2, FileState::Ready))]);
        assert_eq!(names(&all, HOME), ["on its way", "2.pdf"]);
    }

    #[test]
    fn a_name_is_cut_before_its_end_and_turns_nothing() {
        let cut = |name| {
            let (start, end) = parts(name);
            format!("{start}|{end}")
        };
        assert_eq!(cut("a long report 2024-3.pdf"), "a long report 2024-|3.pdf");
        assert_eq!(cut("quarterly.pdf"), "qua|rterly.pdf");
        assert_eq!(cut("README"), "|README");
        assert_eq!(cut(".env"), ".|env");
        assert_eq!(cut("हिन्दी.pdf"), "हिन्दी|.pdf");
        assert_eq!(cut("x\u{202e}fdp.exe\n"), "|xfdp.exe");
    }
}
