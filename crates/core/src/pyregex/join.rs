//! Sequences and alternatives, put together as `re` does.

use super::ast::{Case, Node, Set, SetItem};

pub(super) fn push_new(items: &mut Vec<SetItem>, item: SetItem) {
    if !items.contains(&item) {
        items.push(item);
    }
}

/// Puts what groups without capture or flags hold in their place, as `re` does before it looks at alternatives.
pub(super) fn unpack(items: Vec<Node>) -> Vec<Node> {
    let mut unpacked = Vec::with_capacity(items.len());
    for item in items {
        match item {
            Node::Group { capture: None, scoped: false, body, .. } => unpacked.extend(body),
            item => unpacked.push(item),
        }
    }
    unpacked
}

/// Makes one sequence of alternatives. A common beginning is taken out, and single characters become a set: in
/// `re` this decides how characters without a case of their own are compared, so it is part of the meaning.
pub(super) fn join(mut branches: Vec<Vec<Node>>) -> Vec<Node> {
    if branches.len() == 1 {
        return branches.swap_remove(0);
    }
    let shared = shared_prefix(&branches);
    let prefix: Vec<Node> = branches[0][..shared].to_vec();
    for branch in &mut branches {
        branch.drain(..shared);
    }
    let mut joined = prefix;
    match single_set(&branches) {
        Some(set) => joined.push(Node::Set(set)),
        None => joined.push(Node::Branch(branches)),
    }
    joined
}

fn shared_prefix(branches: &[Vec<Node>]) -> usize {
    let (first, rest) = (&branches[0], &branches[1..]);
    let shares = |index: usize| {
        rest.iter().all(|branch| branch.get(index).is_some_and(|node| first[index].is_shared_prefix(node)))
    };
    (0..first.len()).take_while(|&index| shares(index)).count()
}

fn single_set(branches: &[Vec<Node>]) -> Option<Set> {
    let mut items = Vec::new();
    let mut common = Case::Exact;
    for branch in branches {
        match &branch[..] {
            [Node::Literal { code, negate: false, case }] => {
                push_new(&mut items, SetItem::Literal(*code));
                common = *case;
            }
            [Node::Set(Set { negate: false, items: more, case })] => {
                more.iter().for_each(|&item| push_new(&mut items, item));
                common = *case;
            }
            _ => return None,
        }
    }
    Some(Set { negate: false, items, case: common })
}
