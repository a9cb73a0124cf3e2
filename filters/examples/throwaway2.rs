use std::ops::ControlFlow;
use std::time::Instant;
use tree_sitter::*;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let src = std::fs::read_to_string(&args[1]).unwrap();
    let mut n: usize = args[2].parse().unwrap();
    let chunk: usize = args[3].parse().unwrap();
    let mut seed: u64 = args[4].parse().unwrap();
    let mut rnd = move |n: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % n as u64) as usize
    };
    let soup = [
        '{', '(', '[', '<', '}', ')', ']', '>', '\'', '"', '`', '$', '/', '*', '=', '?', ':', 'r', '\n', ' ', '@',
        '\\', 'f', 'd', 'c',
    ];
    let mut t: Vec<char> = src
        .chars()
        .cycle()
        .take(if n == 0 { src.chars().count() } else { n })
        .collect();
    for _ in 0..(n / args.get(6).map_or(30, |a| a.parse().unwrap())) {
        let at = rnd(n);
        t[at] = soup[rnd(soup.len())];
    }
    if n == 0 {
        n = src.len()
    };
    let text: String = t.into_iter().collect();
    let b = text.as_bytes();
    let mut p = Parser::new();
    p.set_language(&Language::new(match args[5].as_str() {
        "js" => tree_sitter_javascript::LANGUAGE,
        "py" => tree_sitter_python::LANGUAGE,
        _ => tree_sitter_rust::LANGUAGE,
    }))
    .unwrap();
    let mut steps = 0u64;
    let mut reads = 0u64;
    let mut back = 0u64;
    let mut last = 0usize;
    let mut es = 0u64;
    let mut tr = 0u64;
    let mut was = false;
    let now = Instant::now();
    let mut gap = 0f64;
    let mut lastt = Instant::now();
    let mut progress = |s: &ParseState| {
        steps += 1;
        es += s.has_error() as u64;
        if s.has_error() && !was {
            tr += 1
        }
        was = s.has_error();
        if s.current_byte_offset() < last {
            back += 1
        }
        last = s.current_byte_offset();
        let g = lastt.elapsed().as_secs_f64();
        if g > gap {
            gap = g
        }
        lastt = Instant::now();
        ControlFlow::Continue(())
    };
    let tree = p.parse_with_options(
        &mut |o: usize, _| {
            reads += 1;
            &b[o.min(b.len())..(o + chunk).min(b.len())]
        },
        None,
        Some(ParseOptions::new().progress_callback(&mut progress)),
    );
    println!(
        "parse {:.2}s steps {steps} reads {reads} = {:.1} x text; error steps {es} transitions {tr}, max gap {gap:.3}",
        now.elapsed().as_secs_f64(),
        reads as f64 * chunk as f64 / n as f64
    );
    let now = Instant::now();
    let tree = tree.unwrap();
    let nodes = tree.root_node().descendant_count();
    let mut c = tree.walk();
    let mut depth = 0;
    let mut k = 0;
    loop {
        k += 1;
        depth = depth.max(c.depth());
        if c.goto_first_child() || c.goto_next_sibling() {
            continue;
        }
        let mut up = false;
        while c.goto_parent() {
            if c.goto_next_sibling() {
                up = true;
                break;
            }
        }
        if !up {
            break;
        }
    }
    println!(
        "walk {:.2}s nodes {nodes} {k} depth {depth}",
        now.elapsed().as_secs_f64()
    );
    drop(c);
    let now = Instant::now();
    drop(tree);
    println!("drop {:.2}s", now.elapsed().as_secs_f64());
}
