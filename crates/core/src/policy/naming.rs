//! From what the interpreter knows of a code object to the names that selectors are compared with.

use super::names::{Origin, ScopeNames};
use rustc_hash::{FxHashMap, FxHashSet};
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The folders and modules by which code is told apart. Paths may be spelled in any way.
#[derive(Clone, Debug, Default)]
pub struct Places {
    pub project_root: PathBuf,
    /// Where the standard library lies.
    pub stdlib: Vec<PathBuf>,
    /// Where packages are installed; folders called `site-packages` and `dist-packages` are known without.
    pub third_party: Vec<PathBuf>,
    /// `sys.stdlib_module_names`, for code that has no file.
    pub stdlib_modules: Vec<String>,
    /// What relative file names are relative to: the working directory when recording began.
    pub cwd: PathBuf,
}

/// Names code objects. It remembers files and modules, so that one is made for a recording and shared.
#[derive(Debug)]
pub struct Namer {
    root: PathBuf,
    stdlib: Vec<PathBuf>,
    third_party: Vec<PathBuf>,
    stdlib_modules: FxHashSet<String>,
    cwd: PathBuf,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    files: FxHashMap<String, FileNames>,
    /// By runtime name, the file of a module: its generated code (a dataclass's methods, say) has none.
    modules: FxHashMap<String, FileNames>,
    /// By top-level name, where such modules come from.
    top_levels: FxHashMap<String, Origin>,
}

/// What follows from a file alone.
#[derive(Clone, Debug)]
struct FileNames {
    /// Module names derived from the place under the project root.
    derived: Vec<String>,
    file: String,
    absolute: Option<String>,
    /// None if the file does not tell.
    origin: Option<Origin>,
}

/// Programs that compile under ever new file names must not make memory without end.
const MAX_REMEMBERED: usize = 65_536;

impl Namer {
    pub fn new(places: Places) -> Namer {
        let Places { project_root, stdlib, third_party, stdlib_modules, cwd } = places;
        let real = |path: &PathBuf| real_path(path, &cwd);
        Namer {
            root: real(&project_root),
            stdlib: stdlib.iter().map(real).collect(),
            third_party: third_party.iter().map(real).collect(),
            stdlib_modules: stdlib_modules.into_iter().collect(),
            known: Mutex::default(),
            cwd,
        }
    }

    /// All names of a code object. `runtime_module` is what the interpreter calls its module (`__spec__.name`,
    /// else `__name__`), if that is known.
    pub fn names(&self, co_filename: &str, runtime_module: Option<&str>, qualname: &str) -> ScopeNames {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.files.len() >= MAX_REMEMBERED {
            known.files.clear();
        }
        if known.modules.len() >= MAX_REMEMBERED {
            known.modules.clear();
        }
        let names = match known.files.get(co_filename) {
            Some(names) => names.clone(),
            None => {
                let names = self.file_names(co_filename);
                known.files.insert(co_filename.to_owned(), names.clone());
                names
            }
        };
        let module = runtime_module.filter(|name| !name.is_empty());
        let origin = names.origin.unwrap_or_else(|| self.origin_of_module(module, &known));
        let mut modules: Vec<String> = module.map(str::to_owned).into_iter().collect();
        let mut derived = names.derived.as_slice();
        if let Some(module) = module {
            if names.origin.is_some() {
                let top_level = module.split('.').next().unwrap_or(module);
                known.top_levels.entry(top_level.to_owned()).or_insert(origin);
                if !known.modules.contains_key(module) {
                    known.modules.insert(module.to_owned(), names.clone());
                }
            } else if let Some(module) = known.modules.get(module) {
                derived = &module.derived;
            }
        }
        for name in derived {
            if !modules.contains(name) {
                modules.push(name.clone());
            }
        }
        ScopeNames::new(modules, names.file.clone(), names.absolute.clone(), origin, qualname)
    }

    fn origin_of_module(&self, module: Option<&str>, known: &Known) -> Origin {
        let Some(module) = module else { return Origin::Project };
        let top_level = module.split('.').next().unwrap_or(module);
        if let Some(origin) = known.modules.get(module).and_then(|names| names.origin) {
            origin
        } else if self.stdlib_modules.contains(top_level) {
            Origin::Stdlib
        } else {
            known.top_levels.get(top_level).copied().unwrap_or(Origin::Project)
        }
    }

    fn file_names(&self, co_filename: &str) -> FileNames {
        if co_filename.is_empty() || (co_filename.starts_with('<') && co_filename.ends_with('>')) {
            let origin = co_filename.starts_with("<frozen ").then_some(Origin::Stdlib);
            return FileNames { derived: Vec::new(), file: co_filename.to_owned(), absolute: None, origin };
        }
        let path = real_path(Path::new(co_filename), &self.cwd);
        let absolute = posix(&path);
        let inside = path.strip_prefix(&self.root).ok();
        let origin = self.origin_of_file(&path, inside);
        let file = inside.map_or_else(|| absolute.clone(), posix);
        let derived = match inside {
            Some(relative) if origin == Origin::Project => derived_modules(relative),
            _ => Vec::new(),
        };
        FileNames { derived, file, absolute: Some(absolute), origin: Some(origin) }
    }

    fn origin_of_file(&self, path: &Path, inside: Option<&Path>) -> Origin {
        let installed =
            |part: Component<'_>| part.as_os_str() == "site-packages" || part.as_os_str() == "dist-packages";
        // What is installed often lies below the standard library, which may lie below the project.
        if path.components().any(installed) {
            return Origin::ThirdParty;
        }
        let within = |folders: &[PathBuf]| folders.iter().any(|folder| path.starts_with(folder));
        if within(&self.stdlib) {
            Origin::Stdlib
        } else if within(&self.third_party) || inside.is_none() || self.in_environment(path) {
            Origin::ThirdParty
        } else {
            Origin::Project
        }
    }

    /// Whether the file belongs to a virtual environment that lies inside the project.
    fn in_environment(&self, path: &Path) -> bool {
        path.ancestors()
            .skip(1)
            .take_while(|folder| *folder != self.root && folder.starts_with(&self.root))
            .any(|folder| folder.join("pyvenv.cfg").is_file())
    }
}

/// Module names of a file under the project root: by its path, and without a leading `src`.
fn derived_modules(relative: &Path) -> Vec<String> {
    let parts: Option<Vec<&str>> = relative.components().map(|part| part.as_os_str().to_str()).collect();
    let Some((last, folders)) = parts.as_deref().and_then(<[&str]>::split_last) else { return Vec::new() };
    let stem = [".py", ".pyw", ".pyc"].iter().find_map(|suffix| last.strip_suffix(suffix)).unwrap_or(last);
    let mut names = folders.to_vec();
    if stem != "__init__" {
        names.push(stem);
    }
    let mut modules = Vec::new();
    if let Some(("src", rest)) = names.split_first().map(|(first, rest)| (*first, rest))
        && !rest.is_empty()
    {
        modules.push(rest.join("."));
    }
    if !names.is_empty() {
        modules.push(names.join("."));
    }
    modules
}

/// The path without symbolic links and dots. What does not exist (a member of a zip file) keeps its spelling
/// behind the part that does.
fn real_path(path: &Path, cwd: &Path) -> PathBuf {
    let whole = cwd.join(path);
    if let Ok(real) = whole.canonicalize() {
        return real;
    }
    let mut real = PathBuf::new();
    for part in whole.components() {
        match part {
            Component::ParentDir => drop(real.pop()),
            Component::CurDir => {}
            _ => {
                real.push(part);
                if let Ok(resolved) = real.canonicalize() {
                    real = resolved;
                }
            }
        }
    }
    real
}

fn posix(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
