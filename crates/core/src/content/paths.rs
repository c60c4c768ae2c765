//! Paths of fields in documents: `tool.arguments`, `events[0].payload`, `**.token`.

/// One step of a path, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    Name(String),
    Index(usize),
    /// `*`: one step, whatever it is.
    One,
    /// `**`: any number of steps.
    Any,
}

/// A path, as a rule names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldPath(Vec<Wanted>);

/// One step to a value of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Name(String),
    Index(usize),
}

impl FieldPath {
    /// Reads a path: names joined by dots, `[n]`, `*`, `**`, and names in quotes. What is wrong is told with its place
    /// in characters.
    pub fn parse(text: &str) -> Result<FieldPath, (String, usize)> {
        let characters: Vec<char> = text.chars().collect();
        let (mut steps, mut at) = (Vec::new(), 0);
        while at < characters.len() {
            let begin = at;
            match characters[at] {
                '[' => {
                    let length =
                        characters[at + 1..].iter().take_while(|digit| digit.is_ascii_digit()).count();
                    let digits: String = characters[at + 1..at + 1 + length].iter().collect();
                    at += length + 1;
                    if characters.get(at) != Some(&']') {
                        return Err(("a place in a list is written `[0]`".to_owned(), begin));
                    }
                    let index =
                        digits.parse().map_err(|_| ("this is no place in a list".to_owned(), begin))?;
                    at += 1;
                    steps.push(Wanted::Index(index));
                }
                '"' => {
                    let (name, end) = quoted(&characters, at)?;
                    at = end;
                    steps.push(Wanted::Name(name));
                }
                _ => {
                    let length = characters[at..].iter().take_while(|&&it| !".[\"".contains(it)).count();
                    let name: String = characters[at..at + length].iter().collect();
                    at += length;
                    steps.push(match name.as_str() {
                        "" => return Err(("a name is missing here".to_owned(), begin)),
                        "*" => Wanted::One,
                        "**" => Wanted::Any,
                        _ if name.contains('*') => {
                            return Err((
                                "`*` stands for a whole step: write the name in quotes".to_owned(),
                                begin,
                            ));
                        }
                        _ => Wanted::Name(name),
                    });
                }
            }
            match characters.get(at) {
                Some('.') if at + 1 == characters.len() => {
                    return Err(("a name is missing here".to_owned(), at));
                }
                Some('.') => at += 1,
                Some('[') | None => {}
                Some(_) => return Err(("steps are joined by dots".to_owned(), at)),
            }
        }
        if steps.is_empty() {
            Err(("a path names at least one step".to_owned(), 0))
        } else {
            Ok(FieldPath(steps))
        }
    }

    /// Whether it leads to a value, or to what holds it.
    pub(super) fn leads_to(&self, steps: &[Step]) -> bool {
        (1..=steps.len()).any(|length| matches(&self.0, &steps[..length]))
    }
}

fn quoted(characters: &[char], start: usize) -> Result<(String, usize), (String, usize)> {
    let (mut name, mut at) = (String::new(), start + 1);
    loop {
        match characters.get(at) {
            Some('"') => return Ok((name, at + 1)),
            Some('\\') if characters.get(at + 1).is_some() => {
                name.push(characters[at + 1]);
                at += 2;
            }
            Some(&character) => {
                name.push(character);
                at += 1;
            }
            None => return Err(("this quote is not closed".to_owned(), start)),
        }
    }
}

fn matches(wanted: &[Wanted], steps: &[Step]) -> bool {
    match (wanted.split_first(), steps.split_first()) {
        (None, None) => true,
        (None, Some(_)) => false,
        (Some((Wanted::Any, rest)), step) => {
            matches(rest, steps) || step.is_some_and(|(_, behind)| matches(wanted, behind))
        }
        (Some(_), None) => false,
        (Some((first, rest)), Some((step, behind))) => {
            let fits = match (first, step) {
                (Wanted::One, _) => true,
                (Wanted::Name(wanted), Step::Name(name)) => wanted == name,
                (Wanted::Index(wanted), Step::Index(index)) => wanted == index,
                _ => false,
            };
            fits && matches(rest, behind)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leads(path: &str, steps: &[&str]) -> bool {
        let step = |step: &&str| step.parse().map_or_else(|_| Step::Name((*step).to_owned()), Step::Index);
        let steps: Vec<Step> = steps.iter().map(step).collect();
        FieldPath::parse(path).is_ok_and(|path| path.leads_to(&steps))
    }

    /// Paths lead to a value and to all that is in it.
    #[test]
    fn where_paths_lead() {
        assert!(leads("a.b", &["a", "b"]));
        assert!(leads("a.b", &["a", "b", "c", "0"]));
        assert!(!leads("a.b", &["a"]));
        assert!(!leads("a.b", &["x", "a", "b"]));
        assert!(leads("a[0].b", &["a", "0", "b"]));
        assert!(!leads("a[0].b", &["a", "1", "b"]));
        assert!(leads("[1]", &["1"]));
        assert!(leads("a.*.b", &["a", "x", "b"]) && leads("a.*.b", &["a", "3", "b"]));
        assert!(!leads("a.*.b", &["a", "b"]));
        assert!(leads("**.token", &["token"]) && leads("**.token", &["x", "3", "token"]));
        assert!(!leads("**.token", &["x", "tokens"]));
        assert!(leads("a.**", &["a", "b"]) && leads("a.**.z", &["a", "b", "c", "z"]));
        assert!(leads(r#"a."b.c".d"#, &["a", "b.c", "d"]));
        assert!(leads(r#""*""#, &["*"]) && !leads(r#""*""#, &["x"]));
        assert!(leads(r#""say \"a\"""#, &[r#"say "a""#]));
    }

    /// What is no path is told with its place.
    #[test]
    fn what_is_no_path() {
        let wrong = [
            ("", 0),
            ("a.", 1),
            (".a", 0),
            ("a..b", 2),
            ("a[x]", 1),
            ("a[0", 1),
            ("a*.b", 0),
            ("\"a", 0),
            ("\"a\"b", 3),
        ];
        for (path, place) in wrong {
            assert_eq!(FieldPath::parse(path).map_err(|(_, at)| at), Err(place), "{path}");
        }
    }
}
