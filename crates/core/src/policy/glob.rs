//! Globs, matched in time linear in the name for a given pattern, whatever the pattern is.
//!
//! A pattern becomes an automaton of positions (Glushkov's construction): each position consumes one
//! character, and a bit set says which positions may consume the next one. Nothing is ever tried twice.

use std::fmt;

/// More positions than any name that a person writes; it bounds the bit sets, which live on the stack.
const MAX_POSITIONS: usize = 1023;
const MAX_WORDS: usize = 16;
const MAX_NESTING: usize = 16;

/// What `*` and `?` stop at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// Dotted names: `*` crosses dots, and a trailing `.*` also selects what stands before it.
    Name,
    /// POSIX paths: `*` and `?` stop at `/`, `**` does not, `**/` may be no folder at all.
    Path,
}

#[derive(Debug, PartialEq, Eq)]
pub struct GlobError {
    /// In characters of the pattern.
    pub offset: usize,
    pub message: String,
}

/// A compiled glob. It matches whole names.
pub struct Glob {
    /// What every match begins with: most names of a program are refused by it alone.
    prefix: Box<str>,
    form: Form,
}

enum Form {
    /// Literal texts with anything in between; `stem` also matches, exactly as `pieces` without its end.
    Pieces {
        pieces: Box<[Box<str>]>,
        stem: bool,
    },
    Automaton(Box<Automaton>),
}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Glob").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl Glob {
    pub fn new(pattern: &str, flavour: Flavour) -> Result<Glob, GlobError> {
        let characters: Vec<char> = pattern.chars().collect();
        let mut parser = Parser { characters: &characters, at: 0, flavour };
        let mut nodes = parser.sequence(0)?;
        let prefix: String = nodes.iter().map_while(Node::literal).collect();
        if flavour == Flavour::Name
            && let Some(pieces) = pieces(&nodes)
        {
            let stem = pieces.len() == 2 && pieces[1].is_empty() && pieces[0].ends_with('.');
            if stem || !ends_with_dot_star(&nodes) {
                let prefix = if stem { &prefix[..prefix.len() - 1] } else { &prefix };
                return Ok(Glob { prefix: prefix.into(), form: Form::Pieces { pieces, stem } });
            }
        }
        if flavour == Flavour::Name {
            make_tail_optional(&mut nodes);
        }
        let prefix: String = nodes.iter().map_while(Node::literal).collect();
        let automaton = Automaton::new(&nodes, flavour)
            .ok_or_else(|| GlobError { offset: 0, message: "the pattern is too long".to_owned() })?;
        Ok(Glob { prefix: prefix.into(), form: Form::Automaton(Box::new(automaton)) })
    }

    /// What every name that matches begins with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    pub fn is_match(&self, name: &str) -> bool {
        if !name.starts_with(&*self.prefix) {
            return false;
        }
        match &self.form {
            Form::Pieces { pieces, stem } => {
                (*stem && name.len() == self.prefix.len()) || matches_pieces(pieces, name)
            }
            Form::Automaton(automaton) => automaton.is_match(name),
        }
    }
}

#[derive(Debug)]
enum Node {
    Character(char),
    One,
    Star,
    DoubleStar,
    /// `**/` at the beginning of a path or behind a `/`.
    Folders,
    Set {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
    Choice(Vec<Vec<Node>>),
}

impl Node {
    fn literal(&self) -> Option<char> {
        match self {
            Node::Character(character) => Some(*character),
            _ => None,
        }
    }
}

struct Parser<'a> {
    characters: &'a [char],
    at: usize,
    flavour: Flavour,
}

impl Parser<'_> {
    fn sequence(&mut self, depth: usize) -> Result<Vec<Node>, GlobError> {
        let mut nodes = Vec::new();
        while let Some(&character) = self.characters.get(self.at) {
            if depth > 0 && (character == ',' || character == '}') {
                break;
            }
            let start = self.at;
            self.at += 1;
            nodes.push(match character {
                '?' => Node::One,
                '*' => self.star(start),
                '[' => self.set(start)?,
                '{' => self.choice(start, depth)?,
                '\\' => match self.characters.get(self.at) {
                    Some(&escaped) => {
                        self.at += 1;
                        Node::Character(escaped)
                    }
                    None => return Err(error(start, "a `\\` at the end escapes nothing")),
                },
                _ => Node::Character(character),
            });
        }
        Ok(nodes)
    }

    fn star(&mut self, start: usize) -> Node {
        if self.characters.get(self.at) != Some(&'*') {
            return Node::Star;
        }
        while self.characters.get(self.at) == Some(&'*') {
            self.at += 1;
        }
        let begins_folder = start == 0 || matches!(self.characters[start - 1], '/' | '{' | ',');
        if self.flavour == Flavour::Path && begins_folder && self.characters.get(self.at) == Some(&'/') {
            self.at += 1;
            return Node::Folders;
        }
        Node::DoubleStar
    }

    fn set(&mut self, start: usize) -> Result<Node, GlobError> {
        let unclosed = || error(start, "`[` is never closed");
        let next = |parser: &mut Self| {
            let character = parser.characters.get(parser.at).copied();
            parser.at += 1;
            character
        };
        let negated = matches!(self.characters.get(self.at), Some('!' | '^'));
        self.at += usize::from(negated);
        let mut ranges = Vec::new();
        loop {
            let from = self.at;
            let mut low = next(self).ok_or_else(unclosed)?;
            if low == ']' && !ranges.is_empty() {
                return Ok(Node::Set { negated, ranges });
            }
            if low == '\\' {
                low = next(self).ok_or_else(unclosed)?;
            }
            let mut high = low;
            if self.characters.get(self.at) == Some(&'-')
                && self.characters.get(self.at + 1).is_some_and(|&c| c != ']')
            {
                self.at += 1;
                high = next(self).ok_or_else(unclosed)?;
                if high == '\\' {
                    high = next(self).ok_or_else(unclosed)?;
                }
            }
            if low > high {
                return Err(error(from, &format!("the range `{low}-{high}` is the wrong way round")));
            }
            ranges.push((low, high));
        }
    }

    fn choice(&mut self, start: usize, depth: usize) -> Result<Node, GlobError> {
        if depth == MAX_NESTING {
            return Err(error(start, "`{` is nested too deeply"));
        }
        let mut branches = Vec::new();
        loop {
            branches.push(self.sequence(depth + 1)?);
            let separator = self.characters.get(self.at);
            self.at += 1;
            match separator {
                Some(',') => {}
                Some(_) => return Ok(Node::Choice(branches)),
                None => return Err(error(start, "`{` is never closed")),
            }
        }
    }
}

fn error(offset: usize, message: &str) -> GlobError {
    GlobError { offset, message: message.to_owned() }
}

fn ends_with_dot_star(nodes: &[Node]) -> bool {
    matches!(nodes, [.., Node::Character('.'), Node::Star | Node::DoubleStar])
        || matches!(nodes, [.., Node::Choice(_)])
}

/// Rewrites a trailing `.*` to `{,.*}`, in the branches of a trailing choice too.
fn make_tail_optional(nodes: &mut Vec<Node>) {
    if matches!(nodes.as_slice(), [.., Node::Character('.'), Node::Star | Node::DoubleStar]) {
        let tail = nodes.split_off(nodes.len() - 2);
        nodes.push(Node::Choice(vec![Vec::new(), tail]));
    } else if let Some(Node::Choice(branches)) = nodes.last_mut() {
        branches.iter_mut().for_each(make_tail_optional);
    }
}

/// The literal texts between the stars, if there is nothing but these.
fn pieces(nodes: &[Node]) -> Option<Box<[Box<str>]>> {
    let mut pieces = vec![String::new()];
    for node in nodes {
        match (node, pieces.last_mut()) {
            (Node::Character(character), Some(piece)) => piece.push(*character),
            (Node::Star | Node::DoubleStar, _) => pieces.push(String::new()),
            _ => return None,
        }
    }
    Some(pieces.into_iter().map(String::into_boxed_str).collect())
}

fn matches_pieces(pieces: &[Box<str>], name: &str) -> bool {
    let (first, rest) = match pieces {
        [only] => return name == &**only,
        [first, rest @ ..] => (first, rest),
        [] => return false,
    };
    let (last, middle) = match rest {
        [middle @ .., last] => (last, middle),
        [] => return false,
    };
    let Some(name) = name.strip_prefix(&**first).and_then(|rest| rest.strip_suffix(&**last)) else {
        return false;
    };
    // The earliest place for each piece leaves most to those behind it.
    let mut rest = name;
    middle.iter().all(|piece| match rest.find(&**piece) {
        Some(at) => {
            rest = &rest[at + piece.len()..];
            true
        }
        None => false,
    })
}

#[derive(Debug)]
enum Consumes {
    Character(char),
    Any,
    AnyButSlash,
    Set { negated: bool, slash: bool, ranges: Box<[(char, char)]> },
}

impl Consumes {
    fn accepts(&self, character: char) -> bool {
        match self {
            Consumes::Character(expected) => *expected == character,
            Consumes::Any => true,
            Consumes::AnyButSlash => character != '/',
            Consumes::Set { negated, slash, ranges } => {
                (*slash || character != '/')
                    && ranges.iter().any(|&(low, high)| low <= character && character <= high) != *negated
            }
        }
    }
}

type Bits = [u64; MAX_WORDS];

struct Automaton {
    positions: Vec<Consumes>,
    /// How many words of a bit set are in use.
    words: usize,
    /// Positions that may consume the first character.
    first: Bits,
    /// For each position, `words` words: the positions that may come next.
    follow: Vec<u64>,
    /// Positions after which a name may end.
    last: Bits,
    nullable: bool,
}

/// Of a part of the pattern: where it may begin and end, and whether it may be nothing.
struct Part {
    first: Bits,
    last: Bits,
    nullable: bool,
}

impl Part {
    fn nothing() -> Part {
        Part { first: [0; MAX_WORDS], last: [0; MAX_WORDS], nullable: true }
    }
}

struct Builder {
    positions: Vec<Consumes>,
    follow: Vec<Bits>,
    flavour: Flavour,
}

impl Automaton {
    /// None if the pattern has too many positions.
    fn new(nodes: &[Node], flavour: Flavour) -> Option<Automaton> {
        let mut builder = Builder { positions: Vec::new(), follow: Vec::new(), flavour };
        let whole = builder.sequence(nodes)?;
        let words = builder.positions.len() / 64 + 1;
        let follow = builder.follow.iter().flat_map(|bits| bits[..words].iter().copied()).collect();
        Some(Automaton {
            positions: builder.positions,
            words,
            first: whole.first,
            follow,
            last: whole.last,
            nullable: whole.nullable,
        })
    }

    fn is_match(&self, name: &str) -> bool {
        if name.is_empty() {
            return self.nullable;
        }
        let mut candidates = self.first;
        let mut consumed = [0; MAX_WORDS];
        for character in name.chars() {
            consumed = [0; MAX_WORDS];
            let mut next = [0; MAX_WORDS];
            let mut alive = false;
            for (word, &bits) in candidates.iter().enumerate().take(self.words) {
                let mut bits = bits;
                while bits != 0 {
                    let position = word * 64 + bits.trailing_zeros() as usize;
                    bits &= bits - 1;
                    if self.positions[position].accepts(character) {
                        alive = true;
                        set(&mut consumed, position);
                        let follow = &self.follow[position * self.words..][..self.words];
                        next.iter_mut().zip(follow).for_each(|(to, from)| *to |= from);
                    }
                }
            }
            if !alive {
                return false;
            }
            candidates = next;
        }
        consumed.iter().zip(&self.last).any(|(a, b)| a & b != 0)
    }
}

fn set(bits: &mut Bits, position: usize) {
    bits[position / 64] |= 1 << (position % 64);
}

fn unite(to: &mut Bits, from: &Bits) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to |= from);
}

impl Builder {
    fn sequence(&mut self, nodes: &[Node]) -> Option<Part> {
        let mut whole = Part::nothing();
        for node in nodes {
            let part = self.node(node)?;
            self.connect(&whole.last, &part.first);
            if whole.nullable {
                unite(&mut whole.first, &part.first);
            }
            if part.nullable {
                unite(&mut whole.last, &part.last);
            } else {
                whole.last = part.last;
            }
            whole.nullable &= part.nullable;
        }
        Some(whole)
    }

    fn node(&mut self, node: &Node) -> Option<Part> {
        let path = self.flavour == Flavour::Path;
        match node {
            Node::Character(character) => self.one(Consumes::Character(*character)),
            Node::One => self.one(if path { Consumes::AnyButSlash } else { Consumes::Any }),
            Node::Star => self.many(if path { Consumes::AnyButSlash } else { Consumes::Any }),
            Node::DoubleStar => self.many(Consumes::Any),
            Node::Set { negated, ranges } => {
                self.one(Consumes::Set { negated: *negated, slash: !path, ranges: ranges.clone().into() })
            }
            Node::Folders => {
                let any = self.many(Consumes::Any)?;
                let slash = self.one(Consumes::Character('/'))?;
                self.connect(&any.last, &slash.first);
                let mut first = any.first;
                unite(&mut first, &slash.first);
                Some(Part { first, last: slash.last, nullable: true })
            }
            Node::Choice(branches) => {
                let mut whole = Part { nullable: false, ..Part::nothing() };
                for branch in branches {
                    let part = self.sequence(branch)?;
                    unite(&mut whole.first, &part.first);
                    unite(&mut whole.last, &part.last);
                    whole.nullable |= part.nullable;
                }
                Some(whole)
            }
        }
    }

    fn one(&mut self, consumes: Consumes) -> Option<Part> {
        let position = self.positions.len();
        if position == MAX_POSITIONS {
            return None;
        }
        self.positions.push(consumes);
        self.follow.push([0; MAX_WORDS]);
        let mut bits = [0; MAX_WORDS];
        set(&mut bits, position);
        Some(Part { first: bits, last: bits, nullable: false })
    }

    fn many(&mut self, consumes: Consumes) -> Option<Part> {
        let part = self.one(consumes)?;
        self.connect(&part.last, &part.first);
        Some(Part { nullable: true, ..part })
    }

    fn connect(&mut self, from: &Bits, to: &Bits) {
        for position in 0..self.positions.len() {
            if from[position / 64] >> (position % 64) & 1 == 1 {
                unite(&mut self.follow[position], to);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(flavour: Flavour, pattern: &str, yes: &[&str], no: &[&str]) {
        let glob = Glob::new(pattern, flavour).unwrap();
        for name in yes {
            assert!(glob.is_match(name), "{pattern} must match {name}");
        }
        for name in no {
            assert!(!glob.is_match(name), "{pattern} must not match {name}");
        }
    }

    /// In names `*` crosses dots, and a trailing `.*` selects the package itself.
    #[test]
    fn names() {
        use Flavour::Name;
        check(Name, "my_app", &["my_app"], &["my_app.core", "my_ap", ""]);
        check(Name, "my_app.*", &["my_app", "my_app.core", "my_app.a.b"], &["my_apple", "xmy_app"]);
        check(Name, "*.core.*", &["a.core", "a.core.x", "a.b.core"], &["core", "a.corex"]);
        check(Name, "*token*", &["token", "a_token_b"], &["toke", "TOKEN"]);
        check(Name, "a*b*a", &["aba", "axbxa", "abba"], &["ab", "a", "aa"]);
        check(Name, "a?c", &["abc", "a.c", "aéc"], &["ac", "abbc"]);
        check(Name, "[a-c]x[!0-9]", &["axa", "cx_"], &["dxa", "ax1"]);
        check(Name, "[]x]", &["]", "x"], &["[", ""]);
        check(Name, "{a,b.*,c{d,e}}", &["a", "b", "b.x", "cd", "ce"], &["a.x", "c", "bx"]);
        check(Name, "my_app.{api,web}.*", &["my_app.api", "my_app.web.x"], &["my_app", "my_app.x"]);
        check(Name, "**", &["", "a.b"], &[]);
        check(Name, "наш.*", &["наш", "наш.модуль"], &["нашмодуль"]);
        check(Name, "a\\*b", &["a*b"], &["axb"]);
        check(Name, "{,x}y", &["y", "xy"], &["xxy"]);
    }

    /// In paths `*` and `?` stop at `/`, `**` does not, and `**/` may be no folder.
    #[test]
    fn paths() {
        use Flavour::Path;
        check(Path, "a/*.py", &["a/x.py", "a/.py"], &["a/b/x.py", "x.py"]);
        check(Path, "a/**/*.py", &["a/x.py", "a/b/x.py", "a/b/c/x.py"], &["b/x.py", "ax.py"]);
        check(Path, "**/x.py", &["x.py", "a/x.py", "/a/b/x.py", "/x.py"], &["ax.py"]);
        check(Path, "a/**", &["a/x", "a/b/c"], &["a", "ab"]);
        check(Path, "a**z", &["a/b/z", "az"], &["a/b"]);
        check(Path, "a?b", &["axb"], &["a/b"]);
        check(Path, "a[!x]b", &["ayb"], &["a/b", "axb"]);
        check(Path, "{**/,}t.py", &["t.py", "a/t.py"], &["at.py"]);
    }

    /// Mistakes in a glob are found where they are.
    #[test]
    fn mistakes() {
        for (pattern, offset) in
            [("a[b", 1), ("a{b,c", 1), ("ab\\", 2), ("[z-a]", 1), ("[]", 0), ("a{b{c}", 1)]
        {
            assert_eq!(Glob::new(pattern, Flavour::Name).unwrap_err().offset, offset, "{pattern}");
        }
        assert!(Glob::new(&"?".repeat(2000), Flavour::Name).is_err());
        assert!(Glob::new(&"{".repeat(50_000), Flavour::Name).is_err());
    }

    /// A pattern made to explode takes time in proportion to the name.
    #[test]
    fn never_explodes() {
        let name = "a".repeat(20_000);
        for pattern in ["*a*a*a*a*a*a*a*a*b", "{*a,*a,*a}{*a,*a}{*a,*a}b", "?*?*?*?*?*[b]"] {
            let started = std::time::Instant::now();
            assert!(!Glob::new(pattern, Flavour::Name).unwrap().is_match(&name));
            assert!(started.elapsed().as_millis() < 500, "{pattern}");
        }
    }
}
