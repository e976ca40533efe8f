//! The order of a module's functions: those that are alike stand side by side, where compression
//! finds what they share. Rust compiles one generic function into hundreds that hardly differ.

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
    convert::Infallible,
};

use anyhow::{Context as _, Result};
use wasm_encoder::{
    CodeSection, FunctionSection, Module,
    reencode::{Error, Reencode},
};
use wasmparser::{CodeSectionReader, FunctionSectionReader, Parser, Payload, TypeRef};

/// Functions are alike by the pieces of this many bytes that they share.
const PIECE: usize = 6;
/// A piece that more functions have says nothing about any of them.
const COMMON: usize = 400;

/// The same module with its functions in another order.
pub(crate) fn by_likeness(wasm: &[u8]) -> Result<Vec<u8>> {
    let (imported, bodies) = functions(wasm)?;
    let order = chain(&bodies);
    let mut places = vec![0; order.len()];
    for (place, function) in (0..).zip(&order) {
        places[*function] = place;
    }
    let mut module = Module::new();
    Ordered { imported, order, places }
        .parse_core_module(&mut module, Parser::new(0), wasm)
        .context("cannot write the module in another order")?;
    Ok(module.finish())
}

/// How many functions are imported, and the bodies of the others.
fn functions(wasm: &[u8]) -> Result<(u32, Vec<&[u8]>)> {
    let (mut imported, mut bodies) = (0, Vec::new());
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                }
            }
            Payload::CodeSectionEntry(body) => bodies.push(&wasm[body.range()]),
            _ => {}
        }
    }
    Ok((imported, bodies))
}

/// A chain: after each function the one, of those that are left, that is most like it; where none
/// is, the largest.
fn chain(bodies: &[&[u8]]) -> Vec<usize> {
    let likeness = Likeness::of(bodies);
    let mut by_size: Vec<_> = (0..bodies.len()).collect();
    by_size.sort_by_key(|function| Reverse(bodies[*function].len()));
    let mut by_size = by_size.into_iter();
    let (mut left, mut order) = (vec![true; bodies.len()], Vec::with_capacity(bodies.len()));
    let mut next = by_size.next();
    while let Some(function) = next {
        left[function] = false;
        order.push(function);
        let alike = likeness.most_like(function, &left);
        next = alike.or_else(|| by_size.find(|function| left[*function]));
    }
    order
}

struct Likeness<'a> {
    /// Of each function.
    pieces: Vec<HashSet<&'a [u8]>>,
    /// The functions that have a piece, where it says something.
    holders: HashMap<&'a [u8], Vec<usize>>,
}

impl<'a> Likeness<'a> {
    fn of(bodies: &[&'a [u8]]) -> Self {
        let pieces: Vec<HashSet<_>> =
            bodies.iter().map(|body| body.windows(PIECE).collect()).collect();
        let mut holders: HashMap<_, Vec<usize>> = HashMap::new();
        for (function, pieces) in pieces.iter().enumerate() {
            for piece in pieces {
                holders.entry(*piece).or_default().push(function);
            }
        }
        holders.retain(|_, holders| (2..=COMMON).contains(&holders.len()));
        Self { pieces, holders }
    }

    /// The function that has the largest part of its pieces in common with this one. Of several
    /// the first, so that every build of one code gives the same order.
    fn most_like(&self, function: usize, left: &[bool]) -> Option<usize> {
        let own = &self.pieces[function];
        let mut shared: HashMap<usize, usize> = HashMap::new();
        for holders in own.iter().filter_map(|piece| self.holders.get(piece)) {
            for other in holders.iter().filter(|other| left[**other]) {
                *shared.entry(*other).or_default() += 1;
            }
        }
        let part = |other: usize, shared: usize| {
            shared * 1_000_000 / (own.len() + self.pieces[other].len() - shared)
        };
        let best = shared.into_iter().max_by_key(|(other, n)| (part(*other, *n), Reverse(*other)));
        best.map(|(other, _)| other)
    }
}

/// Writes a module anew.
struct Ordered {
    imported: u32,
    /// Functions by their old numbers.
    order: Vec<usize>,
    /// Where each of them stands in the order.
    places: Vec<u32>,
}

impl Reencode for Ordered {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, Error<Infallible>> {
        let own = function.checked_sub(self.imported);
        Ok(own.map_or(function, |own| self.imported + self.places[own as usize]))
    }

    fn parse_function_section(
        &mut self,
        out: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        let types = section.into_iter().collect::<Result<Vec<_>, _>>()?;
        // The numbers of types stay.
        for function in &self.order {
            out.function(types[*function]);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        out: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        let bodies = section.into_iter().collect::<Result<Vec<_>, _>>()?;
        for function in self.order.clone() {
            self.parse_function_body(out, bodies[function].clone())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{
        ConstExpr, ElementSection, Elements, EntityType, ExportKind, ExportSection, Function,
        ImportSection, TableSection, TableType, TypeSection, ValType,
    };

    use super::*;

    const NUMBERS: [i32; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

    /// Adds up the numbers, then calls that function.
    fn body(numbers: &[i32], calls: u32) -> Function {
        let mut body = Function::new([]);
        let mut code = body.instructions();
        code.i32_const(0);
        for number in numbers {
            code.i32_const(*number).i32_add();
        }
        code.drop().call(calls).end();
        body
    }

    /// An imported function, then two that are alike with a third between them, in their sizes too.
    fn module() -> Vec<u8> {
        let mut types = TypeSection::new();
        types.ty().function([], []);
        types.ty().function([], [ValType::I32]);
        let mut imports = ImportSection::new();
        imports.import("host", "call", EntityType::Function(0));
        let mut functions = FunctionSection::new();
        functions.function(0).function(1).function(0);
        let mut tables = TableSection::new();
        let element_type = wasm_encoder::RefType::FUNCREF;
        let (minimum, maximum) = (1, None);
        tables.table(TableType { element_type, minimum, maximum, table64: false, shared: false });
        let mut exports = ExportSection::new();
        exports.export("first", ExportKind::Func, 1).export("last", ExportKind::Func, 3);
        let mut elements = ElementSection::new();
        let list = Elements::Functions(vec![2].into());
        elements.active(None, &ConstExpr::i32_const(0), list);
        let mut code = CodeSection::new();
        let mut other = Function::new([(1, ValType::F64)]);
        let mut odd = other.instructions();
        odd.f64_const(1.5.into()).local_tee(0).f64_const(2.5.into()).f64_mul();
        odd.i32_trunc_f64_s().end();
        code.function(&body(&NUMBERS, 3));
        code.function(&other);
        code.function(&body(&[1, 2, 3, 4], 0));
        let mut module = Module::new();
        module.section(&types).section(&imports).section(&functions).section(&tables);
        module.section(&exports).section(&elements).section(&code);
        module.finish()
    }

    /// What each export is, and what stands in the table, by the code that they lead to.
    fn meaning(wasm: &[u8]) -> Vec<(String, Vec<u8>)> {
        let (imported, bodies) = functions(wasm).expect("it is a module");
        let code = |function: u32| bodies[(function - imported) as usize].to_vec();
        let mut meaning = Vec::new();
        for payload in Parser::new(0).parse_all(wasm) {
            match payload.expect("it is a module") {
                Payload::ExportSection(exports) => {
                    for export in exports {
                        let export = export.expect("it is an export");
                        meaning.push((export.name.to_owned(), code(export.index)));
                    }
                }
                Payload::ElementSection(elements) => {
                    for element in elements {
                        let items = element.expect("it is an element").items;
                        let wasmparser::ElementItems::Functions(items) = items else { continue };
                        for function in items {
                            let function = function.expect("it is a function");
                            meaning.push(("table".to_owned(), code(function)));
                        }
                    }
                }
                _ => {}
            }
        }
        meaning
    }

    #[test]
    fn functions_that_are_alike_stand_side_by_side() {
        let wasm = module();
        let ordered = by_likeness(&wasm).expect("it is a module");
        let place = |wasm: &[u8], start: u8| {
            let (_, bodies) = functions(wasm).expect("it is a module");
            bodies.iter().position(|body| body[0] == start).expect("it is there")
        };
        // The third one is the only one that has a local.
        assert_eq!((place(&wasm, 1), place(&ordered, 1)), (1, 2));
    }

    #[test]
    fn whoever_called_a_function_calls_it_still() {
        let wasm = module();
        let ordered = by_likeness(&wasm).expect("it is a module");
        wasmparser::validate(&ordered).expect("its types and calls are right");
        // The first one calls the last, which stands in another place now.
        let moved = meaning(&ordered);
        let mut expected = meaning(&wasm);
        expected[0].1 = body(&NUMBERS, 2).into_raw_body();
        assert_eq!(moved, expected);
    }
}
