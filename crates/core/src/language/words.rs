//! Words of a language: what it holds, for those who read about it.

use super::{Language, MAX_PAIRS, contains};

impl Language {
    /// Words that go through no state twice, of plain characters where they can; at most so many.
    pub fn words(&self, most: usize) -> Vec<String> {
        let mut found = Vec::new();
        let mut on_path = vec![false; self.states.len()];
        // The states of the word, each with its next edge; the characters between them.
        let mut path = vec![(0, 0)];
        let mut word = Vec::new();
        on_path[0] = true;
        for _ in 0..MAX_PAIRS {
            let Some((state, edge)) = path.last_mut() else { break };
            let from = &self.states[*state as usize];
            if *edge == 0 && from.accepts {
                found.push(word.iter().collect());
                if found.len() == most {
                    break;
                }
            }
            let next = from.edges.get(*edge);
            *edge += 1;
            match next {
                Some(&(class, target)) => {
                    if let Some(character) = plain(&self.classes[class as usize])
                        && !std::mem::replace(&mut on_path[target as usize], true)
                    {
                        path.push((target, 0));
                        word.push(character);
                    }
                }
                None => {
                    on_path[*state as usize] = false;
                    path.pop();
                    word.pop();
                }
            }
        }
        found
    }

    /// A shortest word, of plain characters where it can. None: there is none.
    pub fn example(&self) -> Option<String> {
        let mut before: Vec<Option<(u32, char)>> = vec![None; self.states.len()];
        let mut seen = vec![false; self.states.len()];
        seen[0] = true;
        let mut layer = vec![0_u32];
        while !layer.is_empty() {
            if let Some(&end) = layer.iter().find(|&&state| self.states[state as usize].accepts) {
                let mut word = Vec::new();
                let mut at = end;
                while let Some((from, character)) = before[at as usize] {
                    word.push(character);
                    at = from;
                }
                return Some(word.into_iter().rev().collect());
            }
            let mut next = Vec::new();
            for state in layer {
                for &(class, target) in &self.states[state as usize].edges {
                    if let Some(character) = plain(&self.classes[class as usize])
                        && !std::mem::replace(&mut seen[target as usize], true)
                    {
                        before[target as usize] = Some((state, character));
                        next.push(target);
                    }
                }
            }
            layer = next;
        }
        None
    }
}

/// A character of a class that names are made of, else any that a text can hold.
fn plain(ranges: &[(u32, u32)]) -> Option<char> {
    let usual = "xq_0X.-/<".chars().find(|&character| contains(ranges, u32::from(character)));
    usual.or_else(|| ranges.iter().find_map(|&(start, _)| char::from_u32(start)))
}
