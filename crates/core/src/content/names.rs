//! What names tell: of secrets and what is about them, of people and machines.

/// What addresses do not end in: names of machines (RFC 6762, RFC 9476), and files.
const NO_DOMAINS: &[&str] = &[
    "local",
    "localdomain",
    "home",
    "internal",
    "lan",
    "arpa",
    "alt",
    "png",
    "jpg",
    "jpeg",
    "gif",
    "svg",
    "webp",
    "ico",
    "log",
    "pid",
    "css",
    "js",
    "ts",
    "py",
    "html",
    "json",
    "yml",
    "yaml",
    "toml",
    "txt",
    "md",
    "conf",
    "sock",
];

/// Whether an address is not one of those that machines have, and of no domain that is kept for examples (RFC 2606).
pub(super) fn is_somebody(address: &str) -> bool {
    let lower = address.to_ascii_lowercase();
    let (user, domain) = lower.rsplit_once('@').unwrap_or((&lower, ""));
    let is_example = |example: &str| {
        domain.strip_suffix(example).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    !["git", "hg", "svn"].contains(&user)
        && !["example.com", "example.org", "example.net"].into_iter().any(is_example)
        && !domain.rsplit('.').next().is_some_and(|last| NO_DOMAINS.contains(&last))
}

/// Whether a value is a name of the program: `source.token`, `Secret::of`.
pub(super) fn is_code(text: &str) -> bool {
    let text = text.trim_end_matches([',', ';', ')']);
    let names: Vec<&str> = text.split("::").flat_map(|part| part.split('.')).collect();
    let is_name = |name: &&str| {
        name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            // A random word has digits in it.
            && name.bytes().filter(u8::is_ascii_digit).count() <= 2
    };
    names.len() > 1 && !text.starts_with("eyJ") && names.iter().all(is_name)
}

/// What follows the name of a secret where the value is none.
const ABOUT: &[&str] = &[
    "name",
    "names",
    "namespace",
    "ref",
    "file",
    "filename",
    "path",
    "dir",
    "type",
    "provider",
    "url",
    "uri",
    "endpoint",
    "expires",
    "expiry",
    "expiration",
    "hash",
    "hashed",
    "id",
    "ids",
    "count",
    "length",
    "size",
    "limit",
    "policy",
    "field",
    "header",
    "format",
    "algorithm",
    "version",
    "label",
    "prompt",
    "placeholder",
    "regex",
    "pattern",
    "class",
    "param",
    "arn",
    "alias",
    "enabled",
    "required",
];

/// Whether a value may be what its name says: not the name of a secret, its file, its hash, or itself again.
pub(super) fn names_a_secret(before: &str, value: &str) -> bool {
    let signs = |character: char| character.is_whitespace() || "\"'`:=>]\\".contains(character);
    let named = before.trim_end_matches(signs);
    let is_part = |character: char| character.is_ascii_alphanumeric() || "_.-".contains(character);
    let name = &named[named.trim_end_matches(is_part).len()..];
    let mut words = String::with_capacity(name.len() + 8);
    let mut lower = false;
    for character in name.chars() {
        if character.is_ascii_uppercase() && lower {
            words.push('_');
        }
        lower = character.is_ascii_lowercase() || character.is_ascii_digit();
        words.push(character.to_ascii_lowercase());
    }
    let words: Vec<&str> = words.split(['_', '.', '-']).filter(|word| !word.is_empty()).collect();
    let about = |word: &&str| ABOUT.contains(word);
    let last = words.last().is_some_and(about);
    let timed = words.ends_with(&["at"]) || words.ends_with(&["in"]);
    !last
        && !timed
        && !words.first().is_some_and(|word| word.starts_with("hash"))
        && !value.eq_ignore_ascii_case(name)
}

/// Accounts that no person has.
const ACCOUNTS: &[&str] = &[
    "app",
    "user",
    "username",
    "ubuntu",
    "docker",
    "developer",
    "dev",
    "node",
    "www-data",
    "www",
    "git",
    "runner",
    "vagrant",
    "jenkins",
    "ec2-user",
    "me",
    "you",
    "your",
    "yourname",
    "admin",
    "administrator",
    "root",
    "nobody",
    "nginx",
    "postgres",
    "mysql",
    "redis",
    "debian",
    "centos",
    "pi",
    "public",
    "default",
    "shared",
    "jovyan",
    "codespace",
    "vscode",
    "coder",
    "circleci",
    "travis",
    "buildbot",
    "hadoop",
    "spark",
    "airflow",
    "test",
    "ftp",
];

pub(super) fn is_person(account: &str) -> bool {
    let lower = account.to_ascii_lowercase();
    let is_file = [".log", ".sh", ".conf", ".txt", ".html"].iter().any(|end| lower.ends_with(end));
    !is_file && !ACCOUNTS.contains(&lower.as_str())
}
