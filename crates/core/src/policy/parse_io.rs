//! The table `[io]` of a filter file.

use super::file::IoKeys;
use super::model::Located;
use super::reader::{Reader, Table, keep_first};
use super::selector_parts::suggestion;
use crate::diagnostics::{Severity, one_of};
use toml::Spanned;

const STREAMS: [&str; 4] = ["stdout", "stderr", "stdin", "files"];

impl Reader<'_> {
    pub(super) fn io(&mut self, io: &Table<'_>) -> IoKeys {
        self.known_keys(io, &["capture", "streams", "modes"], &[]);
        let capture = self.boolean(io, "capture");
        let mut streams = self.strings(io, "streams");
        if let Some(streams) = &mut streams {
            keep_first(&mut streams.value);
        }
        self.stream_names(io);
        if let Some(modes) = self.value(io, "modes", false) {
            match modes.get_ref().as_array() {
                Some(array) if array.is_empty() => {}
                Some(_) => {
                    let hint = Some("write `modes = []` or leave it out".to_owned());
                    self.error(
                        "reserved-key",
                        modes.span(),
                        "`modes` is reserved and must be empty".to_owned(),
                        hint,
                    );
                }
                None => self.wrong_type("modes", "an empty list", modes),
            }
        }
        let (mut not_served, mut without_streams) = (None, None);
        if let Some(Located { value: true, .. }) = capture {
            let span = io.keys.get("capture").map_or(io.span.clone(), Spanned::span);
            let about = |severity, id, message: &str, hint: Option<String>| {
                Some(self.text.diagnostic(severity, id, span.clone(), message.to_owned(), hint))
            };
            let message =
                "`capture = true` cannot be served yet: what the program reads and writes is not recorded";
            not_served = about(Severity::Warning, "io-not-served", message, None);
            let hint = format!("add `streams`, a list of {}", one_of(STREAMS));
            without_streams = about(
                Severity::Error,
                "missing-key",
                "`capture = true` does not say which streams",
                Some(hint),
            );
        }
        IoKeys { capture, streams, not_served, without_streams }
    }

    fn stream_names(&mut self, io: &Table<'_>) {
        let Some(array) = io.keys.get("streams").and_then(|value| value.get_ref().as_array()) else { return };
        for item in array.iter() {
            if let Some(name) = item.get_ref().as_str()
                && !STREAMS.contains(&name)
            {
                let hint = suggestion(name, STREAMS.iter().copied());
                self.error("unknown-value", item.span(), format!("there is no stream `{name}`"), Some(hint));
            }
        }
    }
}
