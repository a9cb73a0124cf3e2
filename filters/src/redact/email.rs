//! Finds e-mail addresses: a local part, `@`, a domain whose last label is a top-level domain.
//!
//! Not an address: decorators and mentions (`@joe`: no local part), `git@github.com:joe/x` and `ssh://git@host` (a login
//! name), domains that RFC 2606 reserves (`example.com`, `.test`, `.invalid`, …), names of files (`icon@2x.png`), packages
//! with versions (`lodash@4.17.21`), calls (`a@b.mean()`), labels (`this@Main.name`). `noreply@` addresses are replaced
//! like any other: many of them carry a person's name or number.

use super::{Kind, Span, is_escape_letter, is_word};

/// Longest local part and longest domain of RFC 5321, in bytes.
const LOCAL: usize = 64;
const DOMAIN: usize = 255;

/// Top-level domains of more than two letters that addresses in code are found under.
const GENERIC: [&str; 63] = [
    "aero",
    "agency",
    "app",
    "art",
    "asia",
    "bio",
    "biz",
    "blog",
    "build",
    "cat",
    "chat",
    "cloud",
    "club",
    "codes",
    "com",
    "community",
    "company",
    "coop",
    "dev",
    "digital",
    "directory",
    "earth",
    "edu",
    "email",
    "engineer",
    "expert",
    "foundation",
    "fun",
    "gmbh",
    "gov",
    "group",
    "guru",
    "help",
    "host",
    "info",
    "ink",
    "int",
    "international",
    "jobs",
    "land",
    "life",
    "live",
    "mail",
    "media",
    "mil",
    "mobi",
    "net",
    "network",
    "ninja",
    "one",
    "online",
    "org",
    "page",
    "pro",
    "science",
    "solutions",
    "space",
    "systems",
    "team",
    "tech",
    "wiki",
    "work",
    "xyz",
];

/// Two-letter top-level domains: countries' codes as IANA delegates them.
const COUNTRIES: &str = "ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz \
     ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr ga gd \
     ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki \
     km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz \
     na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh \
     si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg \
     vi vn vu wf ws ye yt za zm zw";

/// Keywords that Kotlin puts before a label.
const LABELLED: [&str; 5] = ["break", "continue", "return", "super", "this"];

/// Login names of version control over ssh.
const LOGINS: [&str; 4] = ["git", "hg", "ssh", "svn"];

/// Appends every address of `text`.
pub(super) fn find(text: &str, spans: &mut Vec<Span>) {
    let bytes = text.as_bytes();
    let mut done = 0;
    for at in memchr::memchr_iter(b'@', bytes) {
        if let Some((start, end)) = address(bytes, at, done) {
            spans.push(Span {
                start,
                end,
                kind: Kind::Email,
            });
            done = end;
        }
    }
}

/// The address around the `@` at `at` that starts at `from` or later.
fn address(bytes: &[u8], at: usize, from: usize) -> Option<(usize, usize)> {
    let start = local_start(bytes, at, from)?;
    let end = domain_end(bytes, at + 1)?;
    let (local, domain) = (&bytes[start..at], &bytes[at + 1..end]);
    let is_address = is_public(domain)
        && !is_called(bytes, end)
        && !is_login(bytes, start, end)
        && !LABELLED.iter().any(|word| word.as_bytes() == local);
    is_address.then_some((start, end))
}

fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-')
}

/// Where the local part that ends before `at` starts.
fn local_start(bytes: &[u8], at: usize, from: usize) -> Option<usize> {
    let earliest = at.saturating_sub(LOCAL + 1).max(from);
    let length = bytes[earliest..at]
        .iter()
        .rev()
        .take_while(|byte| is_local(**byte))
        .count();
    if length > LOCAL {
        return None;
    }
    let mut start = at - length;
    // A dot neither starts a local part nor follows another dot.
    if let Some(dots) = memchr::memmem::rfind(&bytes[start..at], b"..") {
        start += dots + 2;
    }
    start += bytes[start..at]
        .iter()
        .take_while(|byte| matches!(byte, b'.' | b'-' | b'+'))
        .count();
    if start < at && is_escape_letter(bytes, start) {
        start += 1;
    }
    let is_template = bytes[start..at].contains(&b'%');
    (start < at && bytes[at - 1] != b'.' && !is_template).then_some(start)
}

/// Where the domain that starts at `start` ends: labels joined by single dots, at least two.
fn domain_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut end = start;
    let mut labels = 0;
    loop {
        let first = end + usize::from(labels > 0);
        let length = label_length(bytes.get(first..).unwrap_or_default());
        if length == 0 {
            return (labels > 1).then_some(end);
        }
        labels += 1;
        end = first + length;
        if end - start > DOMAIN {
            return None;
        }
        if bytes.get(end) != Some(&b'.') {
            return (labels > 1).then_some(end);
        }
    }
}

/// Length of the label that `bytes` start with: letters, digits, and hyphens inside.
fn label_length(bytes: &[u8]) -> usize {
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'-';
    let length = bytes.iter().take(DOMAIN + 1).take_while(is_part).count();
    let hyphens = bytes[..length].iter().rev().take_while(|byte| **byte == b'-').count();
    match bytes.first() {
        Some(b'-') => 0,
        _ => length - hyphens,
    }
}

/// Whether the domain is under a top-level domain that exists, and not reserved for examples.
fn is_public(domain: &[u8]) -> bool {
    let domain = domain.to_ascii_lowercase();
    let mut labels = domain.rsplit(|byte| *byte == b'.');
    let (top, second) = (labels.next().unwrap_or_default(), labels.next().unwrap_or_default());
    let exists = match top.len() {
        2 => COUNTRIES.as_bytes().split(|byte| *byte == b' ').any(|code| code == top),
        _ => GENERIC.iter().any(|name| name.as_bytes() == top),
    };
    let is_example = second == b"example" && matches!(top, b"com" | b"net" | b"org");
    exists && !is_example
}

/// Whether what follows makes it a name in code: a call, an index, a longer word.
fn is_called(bytes: &[u8], end: usize) -> bool {
    bytes
        .get(end)
        .is_some_and(|byte| matches!(byte, b'(' | b'[' | b'_' | b'@' | b'='))
}

/// Whether it logs in somewhere: `ssh://git@host`, `https://user:word@host`, `git@host:path`.
fn is_login(bytes: &[u8], start: usize, end: usize) -> bool {
    let before = &bytes[start.saturating_sub(2 * LOCAL)..start];
    let name = before
        .iter()
        .rev()
        .take_while(|byte| is_local(**byte) || **byte == b':')
        .count();
    if before[..before.len() - name].ends_with(b"//") || before.ends_with(b"://") {
        return true;
    }
    if bytes.get(end) != Some(&b':') {
        return false;
    }
    let local = bytes[start..end].split(|byte| *byte == b'@').next().unwrap_or_default();
    let path = bytes[end + 1..]
        .iter()
        .take(DOMAIN)
        .take_while(|byte| is_word(**byte) || b"./-~".contains(byte));
    LOGINS.iter().any(|login| login.as_bytes() == local) || path.clone().any(|byte| *byte == b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let mut spans = Vec::new();
        find(text, &mut spans);
        spans.iter().map(|span| &text[span.start..span.end]).collect()
    }

    #[test]
    fn addresses_are_found_in_their_usual_places() {
        let cases = [
            ("joe@stackmill.dev", "joe@stackmill.dev"),
            (
                "Author: Joe <joe.doe+x@mail.stackmill.co.uk>",
                "joe.doe+x@mail.stackmill.co.uk",
            ),
            ("write to JOE@STACKMILL.DEV.", "JOE@STACKMILL.DEV"),
            ("mailto:joe@stackmill.dev?subject=x", "joe@stackmill.dev"),
            ("\"joe@stackmill.dev\"", "joe@stackmill.dev"),
            ("\\njoe@stackmill.dev", "joe@stackmill.dev"),
            ("邮箱joe@qq.com。", "joe@qq.com"),
            ("joe@stackmill.dev:hunter2", "joe@stackmill.dev"),
            ("--joe@stackmill.dev", "joe@stackmill.dev"),
            ("a..joe@stackmill.dev", "joe@stackmill.dev"),
            (
                "12345+joe@users.noreply.github.com",
                "12345+joe@users.noreply.github.com",
            ),
            ("joe@stackmill.dev-", "joe@stackmill.dev"),
        ];
        for (text, address) in cases {
            assert_eq!(found(text), [address], "{text}");
        }
        assert_eq!(found("a@x.de,b@y.fr;c@z.it"), ["a@x.de", "b@y.fr", "c@z.it"]);
    }

    #[test]
    fn look_alikes_are_left_alone() {
        let look_alikes = [
            "@decorator.name",
            "@app.route",
            "git@github.com:joe/x.git",
            "ssh://git@github.com/joe/x",
            "git@github.com:22",
            "joe@host.com:~/path",
            "https://joe:secret@host.com/x",
            "https://joe@host.com/x",
            "user@example.com",
            "user@sub.example.org",
            "user@host.test",
            "user@host.invalid",
            "user@localhost",
            "user@foo.example",
            "icon@2x.png",
            "lodash@4.17.21",
            "vue@next.js",
            "return@forEach.name",
            "this@Main.info",
            "a@b.mean()",
            "a@b.ma[0]",
            "%s@stackmill.dev",
            "%d@stackmill.dev",
            "${user}@stackmill.dev",
            "{}@stackmill.dev",
            "@stackmill.dev",
            "joe@",
            "joe@.dev",
            "joe@dev",
            "joe@-x.dev",
            "joe.@stackmill.dev",
            "W@x.T",
            "golang.org/x/net@v0.1.0",
            "joe@1.2.3.4",
            "a@b.cominfo",
            "a@b.de_f",
            "@",
            "",
            "a@b.dev@c",
        ];
        for text in look_alikes {
            assert!(found(text).is_empty(), "{text}: {:?}", found(text));
        }
    }

    #[test]
    fn parts_have_their_longest_length() {
        let local = |length| format!("{}@stackmill.dev", "a".repeat(length));
        assert_eq!((found(&local(64)).len(), found(&local(65)).len()), (1, 0));
        let domain = |labels| format!("joe@{}dev", "a.".repeat(labels));
        assert_eq!((found(&domain(125)).len(), found(&domain(127)).len()), (1, 0));
    }
}
