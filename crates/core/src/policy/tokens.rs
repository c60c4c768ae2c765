//! The tokens of a filter file, for who lays it out anew.

use super::Source;
use super::parse::text_of;
use super::reader::Reader;
use crate::diagnostics::{Diagnostic, SourceText};
use toml_parser::Source as Text;
use toml_parser::lexer::TokenKind;

/// What a token is, and its text. Together the tokens are the file, but for a byte order mark.
pub type Token<'a> = (&'static str, &'a str);

/// Every token of a file that is TOML: `[`, `]`, `{`, `}`, `=`, `,`, and `blank`, `newline`, `comment`; all else is
/// `text`.
pub fn tokens(source: &Source) -> Result<Vec<Token<'_>>, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let text = text_of(source, &mut problems).filter(|text| {
        let located = SourceText::new(&source.display, text);
        Reader { text: &located, problems: &mut problems, version: 1 }.document().is_some()
    });
    let Some(text) = text else { return Err(problems) };
    let all = Text::new(text).lex().map(|token| (name(token.kind()), token.span()));
    Ok(all
        .map(|(name, span)| (name, &text[span.start()..span.end()]))
        .filter(|token| !token.1.is_empty())
        .collect())
}

fn name(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::LeftSquareBracket => "[",
        TokenKind::RightSquareBracket => "]",
        TokenKind::LeftCurlyBracket => "{",
        TokenKind::RightCurlyBracket => "}",
        TokenKind::Equals => "=",
        TokenKind::Comma => ",",
        TokenKind::Whitespace => "blank",
        TokenKind::Newline => "newline",
        TokenKind::Comment => "comment",
        _ => "text",
    }
}
