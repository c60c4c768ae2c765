//! Values that must stay as they are, or the document is of no use: each by its name and by its shape.

/// Whether a value is an id, a signature, cipher text or an image.
pub(super) fn is_protected(name: &str, value: &str) -> bool {
    match name {
        "signature" | "thoughtSignature" | "thought_signature" | "encrypted_content" | "encryptedContent" => {
            value.len() >= 32 && is_base64(value)
        }
        "data" | "url" | "image_url" | "image" => is_image(value),
        _ => is_id_name(name) && is_id(value),
    }
}

fn is_base64(value: &str) -> bool {
    let digits = value.trim_end_matches('=');
    value.len() - digits.len() <= 2
        && digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte))
}

fn is_image(value: &str) -> bool {
    let data = match value.strip_prefix("data:image/") {
        Some(rest) => rest.split_once(";base64,").map(|(_, data)| data),
        None => Some(value).filter(|value| BEGINNINGS.iter().any(|beginning| value.starts_with(beginning))),
    };
    data.is_some_and(|data| data.len() >= 32 && is_base64(data))
}

/// Of PNG, JPEG, GIF, WebP.
const BEGINNINGS: &[&str] = &["iVBORw0KGgo", "/9j/", "R0lGOD", "UklGR"];

fn is_id_name(name: &str) -> bool {
    name == "id"
        || name.ends_with("_id")
        || name.ends_with("Id")
        || name.ends_with("uuid")
        || name.ends_with("Uuid")
}

/// What agents name messages, calls and sessions by; a prefix that is a credential's is none of these.
const PREFIXES: &[&str] = &[
    "msg", "toolu", "srvtoolu", "call", "resp", "rs", "req", "fc", "item", "chatcmpl", "run", "thread",
    "asst", "session", "evt", "gen", "turn",
];

fn is_id(value: &str) -> bool {
    is_uuid(value)
        || value.split_once('_').is_some_and(|(prefix, rest)| {
            PREFIXES.contains(&prefix)
                && (8..=64).contains(&rest.len())
                && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        })
}

fn is_uuid(value: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let mut parts = value.split('-');
    let hex =
        |(part, length): (&str, usize)| part.len() == length && part.bytes().all(|it| it.is_ascii_hexdigit());
    value.len() == 36 && parts.by_ref().zip(lengths).all(hex) && parts.next().is_none()
}
