//! The messages of a file, as far as the compiler takes them.

use std::collections::BTreeMap;

use fluent_syntax::ast::{
    CallArguments, Entry, Expression, InlineExpression, Pattern, PatternElement, VariantKey,
};
use fluent_syntax::parser;
use fluent_syntax::unicode::unescape_unicode_to_string;

use crate::{Fault, Source};

/// What a variable holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Text,
    /// It is counted: something selects by it, or it is in `NUMBER()`.
    Number,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) line: usize,
    pub(crate) elements: Vec<Element>,
}

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    Text(String),
    Place {
        variable: String,
        kind: Kind,
    },
    /// The last variant is the default.
    Select {
        variable: String,
        variants: Vec<(String, Vec<Element>)>,
    },
}

impl Message {
    /// What is wrong with it, in the file of that language.
    pub(crate) fn fault(&self, language: &str, what: String) -> Fault {
        Fault { file: file(language), line: self.line, id: self.id.clone(), what }
    }

    /// Its variables by name.
    pub(crate) fn variables(&self) -> BTreeMap<String, Kind> {
        let mut found = BTreeMap::new();
        self.each_variable(|name, kind| {
            let known = found.entry(name.to_owned()).or_insert(kind);
            *known = kind.max(*known);
        });
        found
    }

    /// Its variables in the order in which they first stand in the text.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        self.each_variable(|name, _| {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        });
        names
    }

    fn each_variable(&self, mut each: impl FnMut(&str, Kind)) {
        fn walk(elements: &[Element], each: &mut impl FnMut(&str, Kind)) {
            for element in elements {
                match element {
                    Element::Text(_) => {}
                    Element::Place { variable, kind } => each(variable, *kind),
                    Element::Select { variable, variants } => {
                        each(variable, Kind::Number);
                        for (_, elements) in variants {
                            walk(elements, each);
                        }
                    }
                }
            }
        }
        walk(&self.elements, &mut each);
    }
}

/// The name of a language's file.
pub(crate) fn file(language: &str) -> String {
    format!("{language}.ftl")
}

/// The messages of a file in their order, without those that are at fault.
pub(crate) fn read(source: &Source, faults: &mut Vec<Fault>) -> Vec<Message> {
    let text = source.text.as_str();
    let fault = |line, id: &str, what| Fault {
        file: file(&source.language),
        line,
        id: id.to_owned(),
        what,
    };
    let resource = parser::parse(text).unwrap_or_else(|(resource, errors)| {
        faults
            .extend(errors.into_iter().map(|e| fault(line(text, e.pos.start), "", e.to_string())));
        resource
    });
    let mut messages: Vec<Message> = Vec::new();
    for entry in resource.body {
        let Entry::Message(message) = entry else {
            if let Entry::Term(term) = entry {
                let line = line(text, offset(text, term.id.name));
                faults.push(fault(line, term.id.name, "is a term, which is not taken".to_owned()));
            }
            continue;
        };
        let id = message.id.name;
        let line = line(text, offset(text, id));
        let elements = match message.value {
            _ if messages.iter().any(|known| known.id == id) => Err("is there twice".to_owned()),
            _ if !is_name(id) => Err("is not in kebab-case".to_owned()),
            _ if !message.attributes.is_empty() => {
                Err("has attributes, which are not taken".into())
            }
            Some(value) => elements(&value, true),
            None => Err("has no text".to_owned()),
        };
        let elements = elements.unwrap_or_else(|what| {
            faults.push(fault(line, id, what));
            Vec::new()
        });
        let message = Message { id: id.to_owned(), line, elements };
        let names = message.names();
        if names.len() > 10 {
            faults.push(fault(line, id, "has more than ten variables".to_owned()));
        }
        if let Some(name) = names.iter().find(|name| !is_name(name)) {
            faults.push(fault(line, id, format!("has ${name}, which is not in kebab-case")));
        }
        messages.push(message);
    }
    messages
}

/// Where a part of a text begins in it.
fn offset(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize)
}

fn line(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    1 + before.filter(|byte| **byte == b'\n').count()
}

/// Whether a Rust function may be called so, but for the hyphens.
fn is_name(id: &str) -> bool {
    let ours = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    id.chars().all(ours) && !id.ends_with('-') && !id.contains("--")
}

fn elements(pattern: &Pattern<&str>, may_select: bool) -> Result<Vec<Element>, String> {
    let element = |element: &PatternElement<&str>| match element {
        PatternElement::TextElement { value } => literal(value),
        PatternElement::Placeable { expression } => placeable(expression, may_select),
    };
    pattern.elements.iter().map(element).collect()
}

fn literal(value: &str) -> Result<Element, String> {
    if value.contains(char::is_control) {
        return Err("has a line break or another control character".to_owned());
    }
    Ok(Element::Text(value.to_owned()))
}

fn placeable(expression: &Expression<&str>, may_select: bool) -> Result<Element, String> {
    let place = |variable: &str, kind| Element::Place { variable: variable.to_owned(), kind };
    match expression {
        Expression::Inline(InlineExpression::VariableReference { id }) => {
            Ok(place(id.name, Kind::Text))
        }
        Expression::Inline(InlineExpression::StringLiteral { value }) => {
            literal(&unescape_unicode_to_string(value))
        }
        Expression::Inline(InlineExpression::FunctionReference { id, arguments }) => {
            let variable = counted(arguments).filter(|_| id.name == "NUMBER");
            let variable = variable.ok_or("calls a function other than NUMBER($variable)")?;
            Ok(place(variable, Kind::Number))
        }
        Expression::Select { .. } if !may_select => Err("selects inside of a variant".to_owned()),
        Expression::Select { selector, variants } => {
            let InlineExpression::VariableReference { id } = selector else {
                return Err("selects by something other than a variable".to_owned());
            };
            if !variants.last().is_some_and(|last| last.default) {
                return Err("has a default variant that is not the last".to_owned());
            }
            let variant = |variant: &fluent_syntax::ast::Variant<&str>| {
                Ok((key(&variant.key)?, elements(&variant.value, false)?))
            };
            let variants = variants.iter().map(variant).collect::<Result<_, String>>()?;
            Ok(Element::Select { variable: id.name.to_owned(), variants })
        }
        Expression::Inline(_) => {
            Err("refers to something other than a variable or a quoted text".to_owned())
        }
    }
}

/// The variable of `NUMBER($variable)`.
fn counted<'a>(arguments: &CallArguments<&'a str>) -> Option<&'a str> {
    match arguments.positional.as_slice() {
        [InlineExpression::VariableReference { id }] if arguments.named.is_empty() => Some(id.name),
        _ => None,
    }
}

/// What a variant is for: a number, or one of CLDR's plural categories.
fn key(key: &VariantKey<&str>) -> Result<String, String> {
    match key {
        VariantKey::NumberLiteral { value } if value.parse::<u64>().is_ok() => {
            Ok((*value).to_owned())
        }
        VariantKey::Identifier {
            name: name @ ("zero" | "one" | "two" | "few" | "many" | "other"),
        } => Ok((*name).to_owned()),
        VariantKey::NumberLiteral { value: name } | VariantKey::Identifier { name } => {
            Err(format!("has a variant [{name}], which is no plural category and no whole number"))
        }
    }
}
