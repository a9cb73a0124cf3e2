//! Pages as sites write them, and as nobody should.

use proptest::prelude::*;

use super::*;

/// Language and text of every block.
fn found(page: &str) -> Vec<(Option<String>, String)> {
    blocks(page)
        .into_iter()
        .map(|block| (block.language, block.text))
        .collect()
}

fn one(page: &str) -> (Option<String>, String) {
    let mut found = found(page);
    assert_eq!(found.len(), 1, "{page}: {found:?}");
    found.remove(0)
}

#[test]
fn languages_are_named_in_many_ways() {
    for (page, language) in [
        (r#"<pre><code class="language-rust">x</code></pre>"#, Some("rust")),
        (r#"<PRE><CODE CLASS='hljs Language-C++'>x</CODE></PRE>"#, None),
        (r#"<pre><code class="hljs lang-c++">x</code></pre>"#, Some("c++")),
        (
            r#"<div class="highlight highlight-source-python"><pre><span>x</span></pre></div>"#,
            Some("python"),
        ),
        (r#"<pre lang="Go">x</pre>"#, Some("go")),
        (r#"<pre lang=go data-x=1>x</pre>"#, Some("go")),
        (r#"<figure data-lang="sql"><pre>x</pre></figure>"#, Some("sql")),
        (r#"<pre class="brush: js; toolbar: false">x</pre>"#, Some("js")),
        (
            r#"<pre class="sourceCode haskell"><code>x</code></pre>"#,
            Some("haskell"),
        ),
        (r#"<pre class="src src-emacs-lisp">x</pre>"#, Some("emacs-lisp")),
        (
            r#"<div class="highlight-python3 notranslate"><div class="highlight"><pre>x</pre></div></div>"#,
            Some("python3"),
        ),
        (r#"<pre><code>x</code></pre>"#, None),
        (r#"<pre lang="not a name"><code>x</code></pre>"#, None),
    ] {
        assert_eq!(one(page), (language.map(str::to_owned), "x".to_owned()), "{page}");
    }
}

#[test]
fn text_is_what_a_reader_of_the_page_sees() {
    for (page, text) in [
        (
            "<pre><code>\nif (a &lt; b &amp;&amp; c) {\n}</code></pre>",
            "\nif (a < b && c) {\n}",
        ),
        ("<pre lang=c>\nint <b>x</b>;<br>int y;</pre>", "int x;\nint y;"),
        ("<pre lang=c>a<!-- b > c --><script>1</pre></script>d</pre>", "ad"),
        ("<pre lang=c>1 < 2 <3 </ > x</pre>", "1 < 2 <3  x"),
        ("<pre lang=c><span class=\"lineno\">12 </span>x</pre>", "x"),
        ("<pre lang=c><i>never closed", "never closed"),
        ("<pre lang=c>a</b></div></span>b</pre> after", "ab"),
        ("<div><pre lang=c>x</div>y</pre>", "xy"),
    ] {
        assert_eq!(one(page).1, text, "{page}");
    }
}

#[test]
fn what_is_no_code_is_no_block() {
    for page in [
        "<pre>a poem</pre>",
        "<p>use <code>x</code></p>",
        "<pre lang=c> 1\n 2\n</pre>",
        "<script><pre lang=c>x</pre></script>",
        "<!-- <pre lang=c>x</pre> -->",
        "<title><pre lang=c>x</pre>",
        "<pre",
        "",
    ] {
        assert_eq!(found(page), [], "{page}");
    }
    let two = "<pre lang=c>a</pre><p><pre><code>b</code></pre>";
    assert_eq!(found(two), [(Some("c".into()), "a".into()), (None, "b".into())]);
}

#[test]
fn blocks_and_depths_are_limited() {
    let many = "<pre lang=c>x</pre>".repeat(MOST_BLOCKS + 1);
    assert_eq!(blocks(&many).len(), MOST_BLOCKS);
    let deep = format!("{}<pre lang=c>x</pre>", "<div>".repeat(100_000));
    assert_eq!(blocks(&deep).len(), 1);
}

proptest! {
    #[test]
    fn no_page_makes_the_reader_panic(
        parts in prop::collection::vec(
            prop_oneof![
                "[<>/&;=\"' a-z#!é-]{0,12}",
                Just("<pre lang=c>".to_owned()), Just("</pre>".to_owned()), Just("<code class=\"language-x\">".to_owned()),
                Just("<!--".to_owned()), Just("<script".to_owned()), Just("&lt".to_owned()), Just("<br/>".to_owned()),
            ],
            0..40,
        )
    ) {
        let page = parts.concat();
        let whole: usize = blocks(&page).iter().map(|block| block.text.len()).sum();
        prop_assert!(whole <= page.len());
    }

    #[test]
    fn escaped_code_comes_back(code in "[ -~\n]{1,80}") {
        prop_assume!(code.contains(|c: char| !c.is_ascii_digit() && !c.is_whitespace()));
        let escaped = code.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let found = blocks(&format!("<pre lang=c>\n{escaped}</pre>"));
        prop_assert_eq!(&found[0].text, &code);
    }
}
