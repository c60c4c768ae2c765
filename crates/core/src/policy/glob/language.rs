//! The language of a glob, for questions about all names at once.

use super::parse::{Node, parse};
use super::{Flavour, make_tail_optional};
use crate::language::{Language, Ranges, Step, complement, sorted};

const SLASH: u32 = '/' as u32;

/// The names that the glob matches; None if it is no glob or too large.
pub fn language(pattern: &str, flavour: Flavour) -> Option<Language> {
    let mut nodes = parse(pattern, flavour).ok()?;
    if flavour == Flavour::Name {
        make_tail_optional(&mut nodes);
    }
    let mut steps = Vec::new();
    sequence(&nodes, flavour, &mut steps);
    steps.push(Step::Accept);
    Language::new(&steps)
}

fn sequence(nodes: &[Node], flavour: Flavour, steps: &mut Vec<Step>) {
    for node in nodes {
        let next = steps.len() + 1;
        match node {
            Node::Character(character) => {
                steps.push(Step::Consume(vec![(u32::from(*character), u32::from(*character))], next));
            }
            Node::One => steps.push(Step::Consume(any(flavour), next)),
            Node::Star => many(any(flavour), steps),
            Node::DoubleStar => many(complement(&[]), steps),
            Node::Set { negated, ranges } => {
                let found = ranges.iter().map(|&(low, high)| (u32::from(low), u32::from(high))).collect();
                let found = sorted(found);
                let found = if *negated { complement(&found) } else { found };
                let found = if flavour == Flavour::Path { without_slash(&found) } else { found };
                steps.push(Step::Consume(found, next));
            }
            Node::Folders => {
                // Nothing, or anything that ends in a slash.
                steps.push(Step::Ways(vec![next, next + 3]));
                many(complement(&[]), steps);
                steps.push(Step::Consume(vec![(SLASH, SLASH)], next + 3));
            }
            Node::Choice(branches) => choice(branches, flavour, steps),
        }
    }
}

fn choice(branches: &[Vec<Node>], flavour: Flavour, steps: &mut Vec<Step>) {
    let fork = steps.len();
    steps.push(Step::Ways(Vec::new()));
    let (mut ways, mut exits) = (Vec::new(), Vec::new());
    for branch in branches {
        ways.push(steps.len());
        sequence(branch, flavour, steps);
        exits.push(steps.len());
        steps.push(Step::Ways(Vec::new()));
    }
    let end = steps.len();
    for exit in exits {
        steps[exit] = Step::Ways(vec![end]);
    }
    steps[fork] = Step::Ways(ways);
}

fn many(ranges: Ranges, steps: &mut Vec<Step>) {
    let at = steps.len();
    steps.push(Step::Ways(vec![at + 1, at + 2]));
    steps.push(Step::Consume(ranges, at));
}

fn any(flavour: Flavour) -> Ranges {
    if flavour == Flavour::Path { complement(&[(SLASH, SLASH)]) } else { complement(&[]) }
}

fn without_slash(ranges: &[(u32, u32)]) -> Ranges {
    let mut outside = complement(ranges);
    outside.push((SLASH, SLASH));
    complement(&sorted(outside))
}
