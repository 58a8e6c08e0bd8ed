//! `cargo xtask words`: names that a reader could take for one another, or that do not say what they hold.
//!
//! A type name is defined once in a crate's `src`, unit tests included. Adapters of one trait in sibling modules may share
//! theirs. Constants say what they bound.

mod tokens;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::command::root;
use tokens::Token;

/// Modules that implement the same trait for different servers: `amqp` beside `embedded`, `mongo` beside `embedded`.
const ADAPTERS: &[&str] = &["amqp", "embedded", "mongo"];

/// Names that say nothing of what a constant bounds.
const VAGUE_CONSTANTS: &[&str] = &[
    "ABOUT",
    "AGAIN",
    "BELIEVED",
    "LEAST",
    "LONGEST",
    "LOOK",
    "LOOKS",
    "MOST",
    "PATIENCE",
    "ROWS",
    "SHORTEST",
    "TOGETHER",
    "TRY_AGAIN",
];

/// The same as the beginning of a name.
const VAGUE_PREFIX: &str = "MOST_";

/// Where a name is defined.
struct Definition {
    name: String,
    /// Relative to the workspace's root.
    file: PathBuf,
    line: usize,
}

impl Definition {
    fn place(&self) -> String {
        format!("{}:{}", self.file.display(), self.line)
    }

    /// The modules of an adapter, and those around it: names in them may also be those of its siblings.
    fn adapter(&self) -> Option<(Vec<String>, &'static str)> {
        let path = self.file.with_extension("");
        let modules: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
        let at = modules.iter().position(|module| ADAPTERS.contains(&module.as_str()))?;
        let adapter = ADAPTERS.iter().find(|adapter| **adapter == modules[at])?;
        Some((modules[..at].to_vec(), adapter))
    }

    /// Whether a reader may meet the same name here and there: in adapters that are siblings.
    fn may_share_name(&self, other: &Self) -> bool {
        match (self.adapter(), other.adapter()) {
            (Some((around, adapter)), Some((other_around, other_adapter))) => {
                around == other_around && adapter != other_adapter
            }
            _ => false,
        }
    }
}

/// Checks all crates; prints each finding.
///
/// # Errors
/// There is a finding, or a file cannot be read.
pub fn check() -> anyhow::Result<()> {
    let root = root();
    let mut findings = Vec::new();
    let (mut crates, mut files) = (0, 0);
    for folder in crate_folders(&root.join("crates"))? {
        crates += 1;
        let mut types = Vec::new();
        for file in rust_files(&folder)? {
            files += 1;
            let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let tokens = tokens::read(&text);
            let file = file.strip_prefix(&root)?.to_owned();
            findings.extend(vague_constants(&file, &tokens));
            if file.starts_with(folder.join("src").strip_prefix(&root)?) {
                types.extend(type_definitions(&file, &tokens));
            }
        }
        findings.extend(doubled(&types));
    }
    for finding in &findings {
        eprintln!("{finding}");
    }
    if !findings.is_empty() {
        bail!("{} name(s) to change", findings.len());
    }
    println!("clean: each type name is defined once in its crate ({crates} crates)");
    println!("clean: each constant says what it bounds ({files} files)");
    Ok(())
}

/// The definitions of types, aliases and traits; not the associated types of impls and traits.
fn type_definitions(file: &Path, tokens: &[Token]) -> Vec<Definition> {
    let mut found = Vec::new();
    // Of each open brace: whether what is in it belongs to an impl or a trait.
    let mut associated = Vec::new();
    let mut is_next_associated = false;
    for (at, token) in tokens.iter().enumerate() {
        let begins_item = at == 0 || ["}", "{", ";", "]", "unsafe"].contains(&tokens[at - 1].text);
        let is_definition = match token.text {
            "struct" | "enum" | "trait" => true,
            "type" => associated.last() != Some(&true),
            _ => false,
        };
        match token.text {
            "impl" if begins_item => is_next_associated = true,
            "trait" => is_next_associated = true,
            "{" => associated.push(std::mem::take(&mut is_next_associated)),
            "}" => drop(associated.pop()),
            _ => {}
        }
        // A macro's `struct $name` has no name yet.
        if let Some(name) = tokens.get(at + 1).filter(|name| is_definition && name.is_identifier()) {
            found.push(Definition { name: name.text.to_owned(), file: file.to_owned(), line: name.line });
        }
    }
    found
}

/// A line for each definition of a name that was defined before.
fn doubled(definitions: &[Definition]) -> Vec<String> {
    let mut by_name: BTreeMap<&str, Vec<&Definition>> = BTreeMap::new();
    let mut findings = Vec::new();
    for definition in definitions {
        let earlier = by_name.entry(&definition.name).or_default();
        if let Some(first) = earlier.iter().find(|first| !definition.may_share_name(first)) {
            let (place, name, first) = (definition.place(), &definition.name, first.place());
            findings.push(format!("{place}: {name}: also defined at {first}: give each a name of its own"));
        }
        earlier.push(definition);
    }
    findings
}

/// A line for each constant whose name does not say what it bounds.
fn vague_constants(file: &Path, tokens: &[Token]) -> Vec<String> {
    let named = tokens.windows(2).filter(|pair| ["const", "static"].contains(&pair[0].text)).map(|pair| &pair[1]);
    let vague = named.filter(|name| VAGUE_CONSTANTS.contains(&name.text) || name.text.starts_with(VAGUE_PREFIX));
    vague
        .map(|name| {
            let (file, line, name) = (file.display(), name.line, name.text);
            format!("{file}:{line}: {name}: say what it bounds, with its unit: MAX_…, …_TIMEOUT, …_INTERVAL, …_ROWS")
        })
        .collect()
}

/// The folders of crates below a folder, in order.
fn crate_folders(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if folder.join("Cargo.toml").is_file() {
        found.push(folder.to_owned());
    }
    for entry in entries(folder)?.into_iter().filter(|entry| entry.is_dir()) {
        found.extend(crate_folders(&entry)?);
    }
    Ok(found)
}

/// The sources of a crate, but for those of crates within.
fn rust_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in entries(folder)? {
        if entry.is_dir() && !entry.join("Cargo.toml").is_file() {
            found.extend(rust_files(&entry)?);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            found.push(entry);
        }
    }
    Ok(found)
}

fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths: Vec<_> = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    paths.retain(|path| path.file_name().is_some_and(|name| name != "target"));
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(file: &str, text: &str) -> Vec<Definition> {
        type_definitions(Path::new(file), &tokens::read(text))
    }

    fn names(text: &str) -> Vec<String> {
        types("src/lib.rs", text).into_iter().map(|definition| definition.name).collect()
    }

    /// The places at which a name was defined before.
    fn places(files: &[(&str, &str)]) -> Vec<String> {
        let all: Vec<_> = files.iter().flat_map(|(file, text)| types(file, text)).collect();
        doubled(&all).iter().map(|line| line.split(": ").next().unwrap().to_owned()).collect()
    }

    #[test]
    fn definitions_are_types_aliases_and_traits_of_any_depth() {
        let text =
            "pub struct A;\nenum B { C }\ntype D<T> = Vec<T>;\nmod tests { fn f() { struct E(u8); } }\npub trait F {}";
        assert_eq!(names(text), ["A", "B", "D", "E", "F"]);
    }

    #[test]
    fn associated_types_are_no_definitions() {
        let text = "unsafe impl X for Y { type A = u8; fn f() -> impl Fn() { type B = u8; } }\n#[z] impl Y {}\ntype C = u8;\n\
                    trait T { type D; }\nfn g(x: impl Fn()) { type E = u8; }";
        assert_eq!(names(text), ["B", "C", "T", "E"]);
    }

    #[test]
    fn texts_and_macros_define_nothing() {
        assert_eq!(
            names("// struct A;\nconst X: &str = \"struct B;\";\nmacro_rules! m { ($n:ident) => { struct $n; } }"),
            [""; 0]
        );
    }

    #[test]
    fn a_name_is_defined_once_but_for_sibling_adapters() {
        let place = ["src/b.rs:2"];
        assert_eq!(places(&[("src/a.rs", "struct Row;"), ("src/b.rs", "\ntype Row = u8;")]), place);
        assert_eq!(places(&[("src/a.rs", "struct Row;"), ("src/amqp/b.rs", "struct Row;")]), ["src/amqp/b.rs:1"]);
        assert_eq!(places(&[("src/amqp/a.rs", "struct Row;"), ("src/amqp.rs", "struct Row;")]), ["src/amqp.rs:1"]);
        assert_eq!(places(&[("src/amqp/a.rs", "struct Row;"), ("src/x/embedded.rs", "struct Row;")]).len(), 1);
        assert_eq!(places(&[("src/amqp/a.rs", "struct Row;"), ("src/embedded.rs", "struct Row;")]), [""; 0]);
    }

    #[test]
    fn a_constant_that_does_not_say_what_it_bounds_is_named_with_its_line() {
        let text = "const MOST_ROWS: u8 = 1;\nconst MAX_ROWS: u8 = 1;\nstatic PATIENCE: u8 = 1;\nconst ROWS: u8 = 2;\nfn f() { LOOK }";
        let lines = vague_constants(Path::new("a.rs"), &tokens::read(text));
        let found: Vec<_> = lines.iter().map(|line| line.split(": ").take(2).collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(found, ["a.rs:1 MOST_ROWS", "a.rs:3 PATIENCE", "a.rs:4 ROWS"]);
    }
}
