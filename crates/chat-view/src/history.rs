//! A list of conversations: pages, changes that come by themselves, and its sections.

use unbroken_protocol::{
    ConversationEvent, ConversationId, ConversationList, ConversationOp, ConversationSummary,
    Timestamp,
};

use crate::fold::fold;
use crate::texts;

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// The conversations that are known, the one that changed last first.
#[derive(Clone, Debug, Default)]
pub struct History {
    entries: Vec<ConversationSummary>,
    /// Deleted while pages were loading: a page that was read before must not bring them back.
    deleted: Vec<ConversationId>,
    /// Known from before a time without events, and not read again yet.
    unsure: Vec<ConversationId>,
    /// The same of what was pinned or in a folder, which no page of the list has to hold.
    unsure_kept: Vec<ConversationId>,
    next_cursor: Option<String>,
    loaded: bool,
    /// What is archived is here, and nothing else.
    archive: bool,
}

/// What the conversations of a section have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Pinned,
    Folder,
    /// A day or span of days.
    Day,
}

/// A part of the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Group<'h> {
    pub kind: Kind,
    pub title: String,
    pub entries: Vec<&'h ConversationSummary>,
}

impl History {
    /// The archive: what is archived.
    pub fn archive() -> Self {
        Self { archive: true, ..Self::default() }
    }

    /// Adds a page. What an event said since is newer and stays.
    pub fn add_page(&mut self, page: ConversationList) {
        self.next_cursor.clone_from(&page.next_cursor);
        self.loaded = true;
        let last = page.conversations.last().filter(|_| page.next_cursor.is_some()).map(key);
        let is_read = |entry: &ConversationSummary| last.is_none_or(|last| key(entry) >= last);
        // What the page would hold and does not is gone.
        self.entries.retain(|entry| {
            !self.unsure.contains(&entry.conversation_id)
                || !is_read(entry)
                || page.conversations.iter().any(|read| is_same(read, entry))
        });
        self.merge(page.conversations);
        let unsure = self.entries.iter().filter(|entry| !is_read(entry));
        let unsure = unsure.map(|entry| entry.conversation_id);
        self.unsure = unsure.filter(|id| self.unsure.contains(id)).collect();
    }

    /// Adds what is pinned or in a folder, however old: no part of the pages. What the last page of
    /// it leaves out is so no more; where it is not gone it comes with its page of the list.
    pub fn add_kept(&mut self, page: ConversationList) {
        self.merge(page.conversations);
        if page.next_cursor.is_none() {
            let gone = std::mem::take(&mut self.unsure_kept);
            self.entries.retain(|entry| !gone.contains(&entry.conversation_id));
        }
    }

    fn merge(&mut self, read: Vec<ConversationSummary>) {
        for summary in read {
            let id = summary.conversation_id;
            let known = self.entries.iter().find(|entry| is_same(entry, &summary));
            let is_unsure = self.unsure.contains(&id) || self.unsure_kept.contains(&id);
            let newer = known.is_none_or(|known| {
                known.updated_at < summary.updated_at
                    || (is_unsure && known.updated_at == summary.updated_at)
            });
            self.unsure_kept.retain(|known| *known != id);
            if newer && !self.deleted.contains(&id) {
                self.upsert(summary);
            }
        }
    }

    /// Begins again with the first page, after a time without events. What lies beyond it stays
    /// until its own page is read, and what is pinned or in a folder until that comes by itself.
    pub fn replace(&mut self, first_page: ConversationList) {
        self.deleted.clear();
        let (kept, listed): (Vec<_>, Vec<_>) =
            self.entries.iter().partition(|entry| entry.pinned || entry.folder.is_some());
        let ids = |entries: Vec<&ConversationSummary>| {
            entries.iter().map(|entry| entry.conversation_id).collect()
        };
        (self.unsure_kept, self.unsure) = (ids(kept), ids(listed));
        self.add_page(first_page);
    }

    /// Whether something is shown that only a further page can say of whether it still stands so.
    pub fn is_unsure(&self) -> bool {
        !self.unsure.is_empty()
    }

    /// Lets go of what only a further page can say, as that page will show it.
    pub fn drop_unsure(&mut self) {
        let unsure = std::mem::take(&mut self.unsure);
        self.entries.retain(|entry| !unsure.contains(&entry.conversation_id));
    }

    pub fn apply(&mut self, event: ConversationEvent) {
        match event.op {
            ConversationOp::Upsert if event.conversation.archived != self.archive => {
                self.delete(event.conversation.conversation_id);
            }
            ConversationOp::Upsert => {
                self.deleted.retain(|id| *id != event.conversation.conversation_id);
                self.upsert(event.conversation);
            }
            ConversationOp::Delete => self.delete(event.conversation.conversation_id),
        }
    }

    /// The names of the folders, in order.
    pub fn folders(&self) -> Vec<String> {
        let mut names: Vec<_> =
            self.entries.iter().filter_map(|entry| entry.folder.clone()).collect();
        names.sort_by_key(|name| fold(name));
        names.dedup();
        names
    }

    pub fn delete(&mut self, id: ConversationId) {
        self.entries.retain(|entry| entry.conversation_id != id);
        self.unsure.retain(|known| *known != id);
        self.unsure_kept.retain(|known| *known != id);
        self.deleted.push(id);
    }

    pub fn get(&self, id: ConversationId) -> Option<&ConversationSummary> {
        self.entries.iter().find(|entry| entry.conversation_id == id)
    }

    pub fn entries(&self) -> &[ConversationSummary] {
        &self.entries
    }

    pub fn ids(&self) -> Vec<ConversationId> {
        self.entries.iter().map(|entry| entry.conversation_id).collect()
    }

    /// Whether the first page has come.
    pub fn is_loaded(&self) -> bool {
        self.loaded
    }

    /// What to ask for next, while there is more.
    pub fn next_cursor(&self) -> Option<&str> {
        self.next_cursor.as_deref()
    }

    /// What is pinned, then the folders by name, then the rest by day of the person's own calendar;
    /// in the archive everything by day. `utc_offset_minutes` is east of UTC (the
    /// negative of JavaScript's `getTimezoneOffset`). `month` names a month, counted from 1, with its year.
    pub fn groups(
        &self,
        now: Timestamp,
        utc_offset_minutes: i32,
        month: fn(i64, u8) -> String,
    ) -> Vec<Group<'_>> {
        let mut groups: Vec<Group<'_>> = Vec::new();
        let today = day(now, utc_offset_minutes);
        let is_pinned = |entry: &ConversationSummary| entry.pinned && !self.archive;
        let folder = |entry: &ConversationSummary| {
            entry.folder.clone().filter(|_| !self.archive && !entry.pinned)
        };
        let pinned: Vec<_> = self.entries.iter().filter(|entry| is_pinned(entry)).collect();
        if !pinned.is_empty() {
            groups.push(Group {
                kind: Kind::Pinned,
                title: texts::pinned().to_owned(),
                entries: pinned,
            });
        }
        for name in self.folders() {
            let inside = self.entries.iter().filter(|entry| folder(entry).as_ref() == Some(&name));
            let entries: Vec<_> = inside.collect();
            if !entries.is_empty() {
                groups.push(Group { kind: Kind::Folder, title: name, entries });
            }
        }
        let rest = self.entries.iter();
        for entry in rest.filter(|entry| !is_pinned(entry) && folder(entry).is_none()) {
            let title = title_of(day(entry.updated_at, utc_offset_minutes), today, month);
            let same = |group: &&mut Group<'_>| group.kind == Kind::Day && group.title == title;
            match groups.last_mut().filter(same) {
                Some(group) => group.entries.push(entry),
                None => groups.push(Group { kind: Kind::Day, title, entries: vec![entry] }),
            }
        }
        groups
    }

    fn upsert(&mut self, summary: ConversationSummary) {
        self.entries.retain(|entry| !is_same(entry, &summary));
        self.unsure.retain(|known| *known != summary.conversation_id);
        self.unsure_kept.retain(|known| *known != summary.conversation_id);
        let at = self.entries.partition_point(|entry| key(entry) > key(&summary));
        self.entries.insert(at, summary);
    }
}

/// The title to show; a conversation has none before its first answer.
pub fn title(summary: &ConversationSummary) -> &str {
    if summary.title.trim().is_empty() { texts::untitled() } else { &summary.title }
}

/// Its place in the list, which begins with the greatest.
fn key(entry: &ConversationSummary) -> (Timestamp, ConversationId) {
    (entry.updated_at, entry.conversation_id)
}

fn is_same(a: &ConversationSummary, b: &ConversationSummary) -> bool {
    a.conversation_id == b.conversation_id
}

/// Days since 1970-01-01 in the person's time zone.
fn day(at: Timestamp, utc_offset_minutes: i32) -> i64 {
    let local = at.as_millis().saturating_add(i64::from(utc_offset_minutes) * 60_000);
    local.div_euclid(DAY_MILLIS)
}

fn title_of(day: i64, today: i64, month: fn(i64, u8) -> String) -> String {
    match today - day {
        ..=0 => texts::today().to_owned(),
        1 => texts::yesterday().to_owned(),
        2..=7 => texts::previous_7_days().to_owned(),
        8..=30 => texts::previous_30_days().to_owned(),
        _ => {
            let (year, number) = year_and_month(day);
            month(year, number)
        }
    }
}

/// The civil date of a day since 1970-01-01 (H. Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms", `civil_from_days`).
fn year_and_month(day: i64) -> (i64, u8) {
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    (year, u8::try_from(month).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2026-11-20T09:30:00Z.
    const NOW: i64 = 1_795_167_000_000;

    fn month(year: i64, month: u8) -> String {
        format!("{year}-{month}")
    }

    fn summary(id: u8, updated_at: i64) -> ConversationSummary {
        ConversationSummary {
            conversation_id: ConversationId::from_bytes([id; 16]),
            title: format!("{id}"),
            topic: None,
            model: String::new(),
            created_at: Timestamp::from_millis(0),
            updated_at: Timestamp::from_millis(updated_at),
            message_count: 2,
            total_tokens: 0,
            session_type: "chat".to_owned(),
            selected_message_id: None,
            running: false,
            pinned: false,
            archived: false,
            folder: None,
            temporary: false,
        }
    }

    fn page(conversations: Vec<ConversationSummary>) -> ConversationList {
        ConversationList {
            total: conversations.len() as u64,
            conversations,
            owner_type: "device_session".to_owned(),
            owner_id: String::new(),
            next_cursor: None,
        }
    }

    fn event(op: ConversationOp, conversation: ConversationSummary) -> ConversationEvent {
        ConversationEvent { op, conversation }
    }

    fn titles(history: &History) -> Vec<&str> {
        history.entries().iter().map(title).collect()
    }

    #[test]
    fn events_move_add_and_remove_and_an_older_page_changes_nothing_back() {
        let mut history = History::default();
        history.add_page(page(vec![summary(1, 10), summary(2, 5)]));
        history.apply(event(ConversationOp::Upsert, summary(2, 20)));
        history.apply(event(ConversationOp::Upsert, summary(3, 30)));
        assert_eq!(titles(&history), ["3", "2", "1"]);
        history.apply(event(ConversationOp::Delete, summary(3, 30)));
        history.add_page(page(vec![summary(3, 30), summary(2, 5), summary(4, 1)]));
        assert_eq!(titles(&history), ["2", "1", "4"]);
    }

    #[test]
    fn what_is_archived_is_in_the_archive_and_nowhere_else() {
        let (mut list, mut archive) = (History::default(), History::archive());
        list.add_page(page(vec![summary(1, 10), summary(2, 5)]));
        archive.add_page(page(vec![]));
        let mut away = summary(2, 5);
        away.archived = true;
        for history in [&mut list, &mut archive] {
            history.apply(event(ConversationOp::Upsert, away.clone()));
        }
        assert_eq!((titles(&list), titles(&archive)), (vec!["1"], vec!["2"]));
        for history in [&mut list, &mut archive] {
            history.apply(event(ConversationOp::Upsert, summary(2, 5)));
        }
        assert_eq!((titles(&list), titles(&archive)), (vec!["1", "2"], vec![]));
    }

    #[test]
    fn pinned_come_first_then_folders_by_name_then_days() {
        let filed = |id, folder: &str| {
            let folder = Some(folder.to_owned());
            ConversationSummary { folder, ..summary(id, NOW) }
        };
        let mut history = History::default();
        history.add_page(page(vec![summary(1, NOW), filed(2, "work"), filed(3, "Alps")]));
        let pinned = ConversationSummary { pinned: true, ..filed(4, "work") };
        let old = ConversationSummary { pinned: true, ..summary(5, 0) };
        history.add_kept(page(vec![pinned, old]));
        let groups = history.groups(Timestamp::from_millis(NOW), 0, month);
        let shown: Vec<_> = groups
            .iter()
            .map(|group| {
                let titles: Vec<_> = group.entries.iter().map(|entry| title(entry)).collect();
                (group.kind, group.title.as_str(), titles.join(" "))
            })
            .collect();
        assert_eq!(
            shown,
            [
                (Kind::Pinned, "Pinned", "4 5".to_owned()),
                (Kind::Folder, "Alps", "3".to_owned()),
                (Kind::Folder, "work", "2".to_owned()),
                (Kind::Day, "Today", "1".to_owned()),
            ]
        );
        assert_eq!(history.folders(), ["Alps", "work"]);
    }

    #[test]
    fn days_are_those_of_the_persons_own_clock() {
        let days = |days: i64| NOW - days * DAY_MILLIS;
        let mut history = History::default();
        let ages = [0, 1, 2, 7, 8, 30, 31, 300];
        let entries = (1..).zip(ages).map(|(id, age)| summary(id, days(age))).collect();
        history.add_page(page(entries));
        let groups = history.groups(Timestamp::from_millis(NOW), 0, month);
        let titles: Vec<_> =
            groups.iter().map(|group| (group.title.as_str(), group.entries.len())).collect();
        assert_eq!(
            titles,
            [
                ("Today", 1),
                ("Yesterday", 1),
                ("Previous 7 days", 2),
                ("Previous 30 days", 2),
                ("2026-10", 1),
                ("2026-1", 1),
            ]
        );
        let before_midnight = Timestamp::from_millis(NOW - 9 * 3_600_000 - 1_900_000);
        assert_eq!(day(before_midnight, 0) + 1, day(before_midnight, 60));
    }

    #[test]
    fn a_day_knows_its_month() {
        assert_eq!(year_and_month(0), (1970, 1));
        assert_eq!(year_and_month(-1), (1969, 12));
        assert_eq!(year_and_month(19_782), (2024, 2));
        assert_eq!(year_and_month(19_783), (2024, 3));
    }

    #[derive(Clone, Debug)]
    enum Change {
        Say(usize),
        Rename(usize),
        Pin(usize),
        Delete(usize),
        /// A conversation that was written to at that time elsewhere.
        Import(i64),
    }

    #[derive(Clone, Debug)]
    enum Step {
        More,
        Told(Change),
        Missed(Change),
        Reconnect,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let change = prop_oneof![
            (0_usize..30).prop_map(Change::Say),
            (0_usize..30).prop_map(Change::Rename),
            (0_usize..30).prop_map(Change::Pin),
            (0_usize..30).prop_map(Change::Delete),
            (0_i64..100).prop_map(Change::Import),
        ];
        let step = prop_oneof![
            3 => Just(Step::More),
            1 => change.clone().prop_map(Step::Told),
            3 => change.prop_map(Step::Missed),
            1 => Just(Step::Reconnect),
        ];
        proptest::collection::vec(step, 1..40)
    }

    /// The server's list, the conversation that changed last first.
    struct Server {
        list: Vec<ConversationSummary>,
        next: u8,
        clock: i64,
    }

    impl Server {
        fn add(&mut self, updated_at: i64) -> ConversationSummary {
            let new = summary(self.next, updated_at);
            self.next += 1;
            self.list.push(new.clone());
            self.sort();
            new
        }

        fn change(&mut self, change: &Change) -> Option<ConversationEvent> {
            self.clock += 1;
            let changed = match *change {
                Change::Import(at) => return Some(event(ConversationOp::Upsert, self.add(at))),
                Change::Delete(at) if at < self.list.len() => {
                    return Some(event(ConversationOp::Delete, self.list.remove(at)));
                }
                Change::Say(at) | Change::Rename(at) | Change::Pin(at) | Change::Delete(at) => {
                    self.list.get_mut(at)?
                }
            };
            match change {
                Change::Say(_) => changed.updated_at = Timestamp::from_millis(self.clock),
                Change::Rename(_) => changed.title.push('x'),
                _ => changed.pinned = !changed.pinned,
            }
            let changed = changed.clone();
            self.sort();
            Some(event(ConversationOp::Upsert, changed))
        }

        fn sort(&mut self) {
            self.list.sort_by_key(|entry| std::cmp::Reverse(key(entry)));
        }

        /// Three conversations after the cursor, which names the one before them.
        fn page(&self, cursor: Option<&str>) -> ConversationList {
            let cursor = cursor.map(|cursor| {
                let (at, id) = cursor.split_once(' ').unwrap();
                (Timestamp::from_millis(at.parse().unwrap()), id.parse().unwrap())
            });
            let is_after =
                |entry: &&ConversationSummary| cursor.is_none_or(|cursor| key(entry) < cursor);
            let mut after = self.list.iter().filter(is_after).cloned();
            let read: Vec<_> = after.by_ref().take(3).collect();
            let last = read.last().filter(|_| after.next().is_some());
            let next_cursor = last
                .map(|last| format!("{} {}", last.updated_at.as_millis(), last.conversation_id));
            ConversationList { next_cursor, ..page(read) }
        }

        fn reconnect(&self, history: &mut History) {
            let kept = |history: &History| {
                let kept = history.entries().iter().filter(|entry| entry.pinned);
                kept.map(|entry| entry.conversation_id).collect::<Vec<_>>()
            };
            let before = kept(history);
            history.replace(self.page(None));
            let stays = |id: &ConversationId| history.get(*id).is_some();
            assert!(before.iter().all(stays), "what is pinned is not taken away meanwhile");
            history
                .add_kept(page(self.list.iter().filter(|entry| entry.pinned).cloned().collect()));
        }

        fn more(&self, history: &mut History) -> bool {
            let cursor = history.next_cursor().map(str::to_owned);
            cursor.map(|cursor| history.add_page(self.page(Some(&cursor)))).is_some()
        }
    }

    proptest! {
        #[test]
        fn a_reconnect_takes_away_what_is_gone_and_nothing_else(
            ages in proptest::collection::vec(0_i64..100, 0..20),
            steps in steps(),
            // Pages that are read until what is unsure is dropped; else all that it takes.
            patience in proptest::option::of(0_u32..10),
        ) {
            let mut server = Server { list: Vec::new(), next: 0, clock: 100 };
            for age in ages {
                server.add(age);
            }
            let mut history = History::default();
            history.add_page(server.page(None));
            for step in steps.iter().chain([&Step::Reconnect]) {
                match step {
                    Step::More => drop(server.more(&mut history)),
                    Step::Told(change) => {
                        server.change(change).into_iter().for_each(|event| history.apply(event));
                    }
                    Step::Missed(change) => drop(server.change(change)),
                    Step::Reconnect => {
                        // One that was pinned, and is not any more, comes with its page.
                        let shown = history.entries().iter().filter(|entry| !entry.pinned);
                        let shown: Vec<_> = shown.map(|entry| entry.conversation_id).collect();
                        server.reconnect(&mut history);
                        let gone = shown.into_iter().filter(|id| history.get(*id).is_none());
                        let gone: Vec<_> = gone.collect();
                        let stays = server.list.iter().find(|e| gone.contains(&e.conversation_id));
                        prop_assert_eq!(stays, None);
                    }
                }
            }
            let mut pages = 0;
            while history.is_unsure() && patience.is_none_or(|most| pages < most) {
                prop_assert!(server.more(&mut history), "there is a page for all that is unsure");
                pages += 1;
            }
            history.drop_unsure();
            let stands = |entry: &ConversationSummary| server.list.contains(entry);
            prop_assert!(history.entries().iter().all(stands));
            while server.more(&mut history) {}
            prop_assert_eq!(history.entries(), server.list);
        }
    }
}
