//! The model picker: what is in it, what the search leaves, and which option is active.

use unbroken_protocol::ModelInfo;

use crate::fold::fold;
use crate::texts;

/// The id that leaves the choice to the server.
pub const BEST: &str = "best";

/// One option of the listbox.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    pub id: String,
    pub name: String,
    pub description: String,
    /// The heading above it; empty for "Best (automatic)".
    pub provider: String,
    /// As the provider says: `fast`, `medium`, `slow`, or empty.
    pub speed: String,
    /// `free`, `$`, `$$`, `$$$`, or empty.
    pub cost: String,
    /// "128k tokens", or empty.
    pub context: String,
    /// How many tokens the model reads at once, where that is known.
    pub context_length: Option<u64>,
    /// Any of `vision`, `reasoning`, `tools`.
    pub capabilities: Vec<String>,
}

impl Item {
    fn best() -> Self {
        Self {
            id: BEST.to_owned(),
            name: texts::best().to_owned(),
            description: texts::best_description().to_owned(),
            provider: String::new(),
            speed: String::new(),
            cost: String::new(),
            context: String::new(),
            context_length: None,
            capabilities: Vec::new(),
        }
    }

    fn of(model: ModelInfo) -> Self {
        let provider = Some(model.provider).filter(|provider| !provider.is_empty());
        Self {
            name: if model.name.is_empty() { model.id.clone() } else { model.name },
            id: model.id,
            description: model.description,
            provider: provider.unwrap_or_else(|| texts::other_provider().to_owned()),
            speed: model.speed,
            cost: model.cost,
            context: model.context_length.map(texts::context_length).unwrap_or_default(),
            context_length: model.context_length,
            capabilities: model.capabilities,
        }
    }

    fn matches(&self, words: &[String]) -> bool {
        let text = fold(&format!("{} {} {}", self.name, self.id, self.provider));
        words.iter().all(|word| text.contains(word))
    }
}

/// Options of one provider, in the order of the catalogue.
#[derive(Clone, Debug, PartialEq)]
pub struct Group<'p> {
    /// Empty for "Best (automatic)".
    pub provider: &'p str,
    pub items: Vec<&'p Item>,
}

/// The picker's state. Options are named by their ids.
#[derive(Clone, Debug)]
pub struct Picker {
    items: Vec<Item>,
    query: String,
    selected: String,
    /// How often the person has chosen.
    choices: u32,
    /// The server is not known to have the last choice.
    unsaved: bool,
    active: Option<String>,
}

impl Default for Picker {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl Picker {
    pub fn new(models: Vec<ModelInfo>) -> Self {
        let mut picker = Self {
            items: Vec::new(),
            query: String::new(),
            selected: BEST.to_owned(),
            choices: 0,
            unsaved: false,
            active: None,
        };
        picker.set_models(models);
        picker
    }

    /// A new catalogue. Providers keep the order in which they first come.
    pub fn set_models(&mut self, models: Vec<ModelInfo>) {
        let mut groups: Vec<(String, Vec<Item>)> = Vec::new();
        for item in models.into_iter().filter(|model| model.id != BEST).map(Item::of) {
            match groups.iter_mut().find(|(provider, _)| *provider == item.provider) {
                Some((_, items)) => items.push(item),
                None => groups.push((item.provider.clone(), vec![item])),
            }
        }
        self.items = vec![Item::best()];
        self.items.extend(groups.into_iter().flat_map(|(_, items)| items));
    }

    /// Every option, "Best (automatic)" first.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The popover opens: everything is there, and the choice is active.
    pub fn open(&mut self) {
        self.query.clear();
        self.active = Some(self.selected.clone());
        self.keep_active_visible();
    }

    pub fn query(&self) -> &str {
        &self.query
    }

    /// Words that name, id or provider must all contain.
    pub fn search(&mut self, query: &str) {
        query.clone_into(&mut self.query);
        self.keep_active_visible();
    }

    /// What the search leaves, in order.
    pub fn visible(&self) -> impl Iterator<Item = &Item> {
        let words: Vec<_> = fold(&self.query).split_whitespace().map(str::to_owned).collect();
        self.items.iter().filter(move |item| item.matches(&words))
    }

    /// The same by provider.
    pub fn groups(&self) -> Vec<Group<'_>> {
        let mut groups: Vec<Group<'_>> = Vec::new();
        for item in self.visible() {
            match groups.last_mut().filter(|group| group.provider == item.provider) {
                Some(group) => group.items.push(item),
                None => groups.push(Group { provider: &item.provider, items: vec![item] }),
            }
        }
        groups
    }

    /// The option that Enter chooses.
    pub fn active(&self) -> Option<&Item> {
        self.visible().find(|item| Some(&item.id) == self.active.as_ref())
    }

    pub fn set_active(&mut self, id: &str) {
        self.active = Some(id.to_owned());
        self.keep_active_visible();
    }

    /// Moves the active option. `true` when the key was one of ours.
    pub fn key(&mut self, key: &str) -> bool {
        let ids: Vec<_> = self.visible().map(|item| item.id.clone()).collect();
        let Some(last) = ids.len().checked_sub(1) else { return false };
        let at = ids.iter().position(|id| Some(id) == self.active.as_ref());
        let to = match (key, at) {
            ("ArrowDown", Some(at)) if at < last => at + 1,
            ("ArrowDown" | "Home", _) => 0,
            ("ArrowUp", Some(at)) if at > 0 => at - 1,
            ("ArrowUp" | "End", _) => last,
            ("PageDown", at) => (at.unwrap_or(0) + 8).min(last),
            ("PageUp", at) => at.unwrap_or(0).saturating_sub(8),
            _ => return false,
        };
        self.active = ids.get(to).cloned();
        true
    }

    /// Type-ahead while the focus is on the list: the next option whose name begins so. `typed` is
    /// everything that was typed without a pause.
    pub fn type_ahead(&mut self, typed: &str) {
        let typed = fold(typed);
        let options: Vec<_> =
            self.visible().map(|item| (item.id.clone(), fold(&item.name))).collect();
        let at = options.iter().position(|(id, _)| Some(id) == self.active.as_ref()).unwrap_or(0);
        // One letter again goes on to the next option; more letters may stay where they are.
        let first = at + usize::from(typed.chars().count() == 1);
        let found = (0..options.len())
            .map(|step| &options[(first + step) % options.len()])
            .find(|(_, name)| name.starts_with(&typed));
        if let Some((id, _)) = found {
            self.active = Some(id.clone());
        }
    }

    /// Chooses the active option: its id.
    pub fn choose_active(&mut self) -> Option<String> {
        let id = self.active()?.id.clone();
        self.select(&id);
        Some(id)
    }

    /// The person chooses.
    pub fn select(&mut self, id: &str) {
        id.clone_into(&mut self.selected);
        self.choices += 1;
        self.unsaved = true;
    }

    /// How often the person has chosen.
    pub fn choices(&self) -> u32 {
        self.choices
    }

    /// The choice that the server had when it was asked, after so many `choices`: one that was made
    /// since stays, and so does one that the server does not have.
    pub fn stands(&mut self, id: &str, choices: u32) {
        if self.choices == choices && !self.unsaved {
            id.clone_into(&mut self.selected);
        }
    }

    /// The server has that choice.
    pub fn saved(&mut self, id: &str) {
        self.unsaved &= self.selected != id;
    }

    /// The choice, while the server is not known to have it.
    pub fn unsaved(&self) -> Option<&str> {
        self.unsaved.then_some(&self.selected)
    }

    /// The chosen id. It may be one that the catalogue does not have.
    pub fn selected(&self) -> &str {
        &self.selected
    }

    /// The name to show for a model.
    pub fn name_of<'p>(&'p self, id: &'p str) -> &'p str {
        self.items.iter().find(|item| item.id == id).map_or(id, |item| &item.name)
    }

    /// The name of the chosen model. Of one that the catalogue does not have it says so.
    pub fn chosen_name(&self) -> String {
        match self.missing() {
            Some(id) => texts::model_missing(id),
            None => self.name_of(&self.selected).to_owned(),
        }
    }

    /// The name of the button that opens the picker.
    pub fn label(&self) -> String {
        texts::model_button(&self.chosen_name())
    }

    /// What becomes of a choice that the catalogue does not have, in a sentence.
    pub fn note(&self) -> Option<String> {
        Some(texts::model_missing_note(self.missing()?, texts::best()))
    }

    /// The chosen id, when there is a catalogue, and it is not in it.
    fn missing(&self) -> Option<&str> {
        let is_listed = self.items.iter().any(|item| item.id == self.selected);
        (self.items.len() > 1 && !is_listed).then_some(&self.selected)
    }

    fn keep_active_visible(&mut self) {
        if self.active().is_none() {
            let first = self.visible().next().map(|item| item.id.clone());
            self.active = first;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(id: &str, provider: &str) -> ModelInfo {
        ModelInfo {
            id: id.to_owned(),
            name: id.to_uppercase(),
            provider: provider.to_owned(),
            ..ModelInfo::default()
        }
    }

    fn picker() -> Picker {
        let mut picker =
            Picker::new(vec![model("qwen", "Here"), model("gpt", "There"), model("llama", "Here")]);
        picker.open();
        picker
    }

    fn active(picker: &Picker) -> &str {
        picker.active().map_or("", |item| &item.id)
    }

    #[test]
    fn best_comes_first_then_models_by_provider() {
        let picker = picker();
        let groups: Vec<_> = picker
            .groups()
            .iter()
            .map(|group| (group.provider.to_owned(), group.items.len()))
            .collect();
        assert_eq!(groups, [(String::new(), 1), ("Here".to_owned(), 2), ("There".to_owned(), 1)]);
        assert_eq!(picker.label(), "Model: Best (automatic)");
    }

    #[test]
    fn keys_move_the_active_option_and_wrap_around() {
        let mut picker = picker();
        let walk: Vec<_> = ["ArrowDown", "ArrowDown", "End", "ArrowDown", "ArrowUp", "Home"]
            .map(|key| {
                assert!(picker.key(key));
                active(&picker).to_owned()
            })
            .into();
        assert_eq!(walk, ["qwen", "llama", "gpt", "best", "gpt", "best"]);
        assert!(!picker.key("a"));
        picker.type_ahead("l");
        assert_eq!(picker.choose_active().as_deref(), Some("llama"));
        assert_eq!(picker.label(), "Model: LLAMA");
    }

    #[test]
    fn a_search_keeps_an_option_active() {
        let mut picker = picker();
        picker.search("here LLA");
        assert_eq!(active(&picker), "llama");
        picker.search("nothing");
        assert!(!picker.key("ArrowDown"));
        assert_eq!(active(&picker), "");
        picker.type_ahead("x");
        picker.search("");
        assert_eq!(active(&picker), "best");
    }

    #[test]
    fn a_choice_is_not_undone_by_what_the_server_had_before_it() {
        let mut picker = picker();
        picker.stands("qwen", picker.choices());
        assert_eq!((picker.selected(), picker.unsaved()), ("qwen", None));
        let asked = picker.choices();
        picker.select("gpt");
        picker.stands("qwen", picker.choices());
        assert_eq!(picker.unsaved(), Some("gpt"), "the server does not have it");
        picker.select("llama");
        picker.saved("gpt");
        assert_eq!(picker.unsaved(), Some("llama"), "another was chosen meanwhile");
        picker.saved("llama");
        picker.stands("qwen", asked);
        assert_eq!((picker.selected(), picker.unsaved()), ("llama", None), "an old answer");
        picker.stands("qwen", picker.choices());
        assert_eq!(picker.selected(), "qwen", "chosen on another device since");
    }

    #[test]
    fn a_choice_that_the_catalogue_lacks_is_said_to_be_missing_until_another_is_made() {
        let mut picker = Picker::default();
        picker.select("gone");
        assert_eq!((picker.label(), picker.note()), ("Model: gone".to_owned(), None), "not yet");
        picker.set_models(vec![model("qwen", "Here")]);
        assert_eq!(picker.label(), "Model: gone (not available)");
        assert_eq!(
            picker.note().unwrap(),
            "gone is not available now. If it stays away, Best (automatic) answers instead."
        );
        // Enter in the picker makes a choice that can answer.
        picker.open();
        assert_eq!(picker.choose_active().as_deref(), Some(BEST));
        assert_eq!((picker.chosen_name().as_str(), picker.note()), ("Best (automatic)", None));
        picker.select("gone");
        picker.set_models(vec![model("gone", "Here")]);
        assert_eq!((picker.label(), picker.note()), ("Model: GONE".to_owned(), None), "it is back");
    }
}
