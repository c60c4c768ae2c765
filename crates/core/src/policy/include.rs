//! Reads a chain: each filter behind those that it includes.

use super::Source;
use super::file::{FilterFile, Parsed};
use super::model::Located;
use super::parse::parse;
use crate::diagnostics::{Diagnostic, Severity, SourceText};
use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

/// More levels than anybody writes; each takes a part of the stack.
const MAX_DEPTH: usize = 64;
/// No filter is as large.
const MAX_BYTES: u64 = 4 << 20;
/// What filters are called. An error shows lines of its file: a filter from elsewhere must not make any file of this
/// machine be read out.
const ENDINGS: [&str; 2] = ["toml", "cfg"];

/// The filters of a chain, in its order. None: something in it is wrong, and stands in `problems`.
#[derive(Default)]
pub(super) struct Chain {
    pub files: Vec<Option<FilterFile>>,
    pub problems: Vec<Diagnostic>,
    /// Where in the chain a file stands.
    places: HashMap<PathBuf, u32>,
    /// The files that are being read, outermost first, each in the chain only when it is through.
    open: Vec<(PathBuf, String)>,
}

impl Chain {
    pub fn read(sources: &[Source]) -> Chain {
        let mut chain = Chain::default();
        for source in sources {
            chain.add(source);
        }
        chain
    }

    /// Adds a filter behind what it includes. A file that is included is in the chain once, at its first place.
    fn add(&mut self, source: &Source) {
        let mut parsed = parse(source);
        let real = source.path.as_ref().and_then(|path| path.canonicalize().ok());
        self.open.push((real.clone().unwrap_or_default(), source.display.clone()));
        let mut included = Vec::new();
        for include in std::mem::take(&mut parsed.includes) {
            match self.include(source, &include) {
                Ok(place) => included.push(place),
                Err(problem) => report(&mut parsed, source, &include, problem),
            }
        }
        self.open.pop();
        parsed.problems.sort_by_key(|problem| (problem.line, problem.column));
        let filter = parsed.filter.filter(|_| parsed.problems.is_empty()).map(|mut filter| {
            filter.text = parsed.text;
            filter.info.includes = included;
            filter
        });
        self.problems.append(&mut parsed.problems);
        if let Some(real) = real {
            self.places.insert(real, self.files.len() as u32);
        }
        self.files.push(filter);
    }

    /// The place in the chain of a file that `source` includes.
    fn include(&mut self, source: &Source, include: &Located<String>) -> Result<u32, Problem> {
        let name = include.value.as_str();
        let Some(folder) = source.path.as_ref().and_then(|path| path.parent()) else {
            return Err(Problem::missing(name, "only a filter that is a file can include others"));
        };
        let path = folder.join(name);
        let display = beside(&source.display, &path, name);
        let real = match path.canonicalize() {
            Ok(real) => real,
            Err(error) => return Err(Problem::unreadable(name, &error)),
        };
        if let Some(start) = self.open.iter().position(|(open, _)| *open == real) {
            let names = self.open[start..].iter().map(|(_, name)| name.as_str()).chain([display.as_str()]);
            return Err(Problem::cycle(&names.collect::<Vec<_>>().join(" → ")));
        }
        if let Some(&place) = self.places.get(&real) {
            return Ok(place);
        }
        if self.open.len() == MAX_DEPTH {
            return Err(Problem::too_deep());
        }
        let bytes = read(&real).map_err(|error| Problem::unreadable(name, &error))?;
        self.add(&Source { display, path: Some(path), bytes });
        Ok(self.files.len() as u32 - 1)
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let about = path.metadata()?;
    let ending = path.extension().and_then(|ending| ending.to_str());
    if about.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    // What is no file may have no end, or never begin.
    if !about.is_file() || about.len() > MAX_BYTES || !ending.is_some_and(|ending| ENDINGS.contains(&ending))
    {
        return Err(std::io::Error::other("an included filter is a `.toml` or `.cfg` file of at most 4 MiB"));
    }
    std::fs::read(path)
}

struct Problem {
    id: &'static str,
    message: String,
    hint: Option<String>,
}

impl Problem {
    fn missing(name: &str, hint: &str) -> Problem {
        let message = format!("the included filter `{name}` does not exist");
        Problem { id: "file-missing", message, hint: Some(hint.to_owned()) }
    }

    fn unreadable(name: &str, error: &std::io::Error) -> Problem {
        if error.kind() == ErrorKind::NotFound {
            return Problem::missing(name, "`include` is relative to the folder of this file");
        }
        let reason = match error.kind() {
            ErrorKind::IsADirectory => "it is a folder".to_owned(),
            ErrorKind::PermissionDenied => "permission denied".to_owned(),
            _ => error.to_string(),
        };
        let message = format!("the included filter `{name}` cannot be read: {reason}");
        Problem { id: "file-unreadable", message, hint: None }
    }

    fn cycle(path: &str) -> Problem {
        let hint = "a filter cannot come before itself: take one of these out".to_owned();
        Problem {
            id: "include-cycle",
            message: format!("`include` goes in a circle: {path}"),
            hint: Some(hint),
        }
    }

    fn too_deep() -> Problem {
        let message = format!("`include` is nested in more than {MAX_DEPTH} files");
        Problem { id: "include-cycle", message, hint: None }
    }
}

fn report(parsed: &mut Parsed, source: &Source, include: &Located<String>, problem: Problem) {
    let text = SourceText::new(&source.display, &parsed.text);
    let Problem { id, message, hint } = problem;
    parsed.problems.push(text.diagnostic(Severity::Error, id, include.span.clone(), message, hint));
}

/// How the user would spell a file that another one includes.
fn beside(display: &str, path: &Path, include: &str) -> String {
    let spelled = Path::new(display).parent().unwrap_or(Path::new("")).join(include);
    let mut short = PathBuf::new();
    for part in spelled.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(short.components().next_back(), Some(Component::Normal(_))) => {
                short.pop();
            }
            part => short.push(part),
        }
    }
    // A symbolic link on the way may make the shorter name another file's.
    let same = short.canonicalize().is_ok_and(|real| path.canonicalize().is_ok_and(|other| real == other));
    let shown = if same { short } else { spelled };
    shown.to_string_lossy().into_owned()
}
