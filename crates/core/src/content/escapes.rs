//! What is written with backslashes, in texts and in patterns.

/// Whether a text ends in a colour of a terminal, as such or written out, or in a written newline or tab.
pub(super) fn ends_in_escape(text: &str) -> bool {
    if text.ends_with("\\n") || text.ends_with("\\r") || text.ends_with("\\t") {
        return true;
    }
    let Some(rest) = text.strip_suffix('m') else { return false };
    let rest = rest.trim_end_matches(|sign: char| sign.is_ascii_digit() || sign == ';');
    let colour = |beginning: &str| rest.ends_with(beginning);
    ["\x1b[", "x1b[", "x1B[", "u001b[", "u001B[", "033["].into_iter().any(colour)
}

/// A pattern that matches this text and no other.
pub(super) fn escaped(text: &str) -> String {
    let special =
        |character: char| character.is_ascii() && !character.is_ascii_alphanumeric() && character != '_';
    text.chars()
        .flat_map(|character| special(character).then_some('\\').into_iter().chain([character]))
        .collect()
}
