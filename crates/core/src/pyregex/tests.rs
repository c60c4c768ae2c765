use super::*;

#[test]
fn smoke() {
    let r = Regex::new(r"^(?:a|b)+$", Flags::default()).unwrap();
    assert_eq!(r.is_full_match("abab"), Ok(true));
}
